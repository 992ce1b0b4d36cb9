#!/bin/sh
# Every change that a message of tests/errors or tests/defects calls safe is made, and what it was about is gone.   fixes.sh BUILD      TAP
build=$1
jre=$build/jre
number=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NO_COLOR=1 JRE_STDLIB=$PWD/stdlib
cp -r tests/errors tests/defects "$folder"
safe() { "$jre" check "$1" --into "$folder" 2>&1 | grep -c '(safe)$'; }
for expected in $(grep -l '(safe)$' tests/errors/*.expected tests/defects/*.expected); do
    number=$((number + 1))
    case=${expected%.expected}.jre
    copy=$folder/${case#tests/}
    # What a change uncovers, or what met another change, is for the next round; what stands in another file is changed there.
    for round in 1 2 3 4; do
        made=$("$jre" fix "$copy" --yes 2>&1)
        other=$(echo "$made" | sed -n 's/.*`jre fix \(.*\)` changes it$/\1/p' | head -1)
        [ -z "$other" ] || made=$("$jre" fix "$other" --yes 2>&1)
        [ "$(safe "$copy")" != 0 ] || break
    done
    left=$(safe "$copy")
    if [ "$left" = 0 ] && ! cmp -s "$case" "$copy"; then echo "ok $number - $case"
    elif [ -n "$other" ] && { [ "$left" = 0 ] || [ "$made" = "nothing to change" ]; }; then echo "ok $number - $case (of another file)"
    else echo "not ok $number - $case"; echo "$made" | sed 's/^/# /'; fi
done
echo "1..$number"
