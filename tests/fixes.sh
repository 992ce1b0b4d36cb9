#!/bin/sh
# Every change that a message of tests/errors or tests/defects calls safe is made, and what it was about is gone.   fixes.sh BUILD      TAP
build=$1
jre=$build/jre
number=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NO_COLOR=1 JRE_STDLIB=$PWD/stdlib
cp -r tests/errors tests/defects "$folder"
# A line for each name of a message: the name, how many of its findings a safe change would mend, how many there are.
findings() {
    "$jre" check "$1" --into "$folder" 2>&1 | awk '
        /^(error|warning|note): / { name = $2; all[name]++; told = 0 }
        /\(safe\)$/ { safe[name] += !told; told = 1 }
        END { for (name in all) print name, safe[name] + 0, all[name] }'
}
for expected in $(grep -l '(safe)$' tests/errors/*.expected tests/defects/*.expected); do
    number=$((number + 1))
    case=${expected%.expected}.jre
    copy=$folder/${case#tests/}
    findings "$copy" > "$folder/before"
    # What a change uncovers, or what met another change, is for the next round; what stands in another file is changed there.
    for round in 1 2 3 4; do
        made=$("$jre" fix "$copy" --yes 2>&1)
        other=$(echo "$made" | sed -n 's/.*`jre fix \(.*\)` changes it$/\1/p' | head -1)
        [ -z "$other" ] || made=$("$jre" fix "$other" --yes 2>&1)
        findings "$copy" > "$folder/after"
        grep -qv ' 0 ' "$folder/after" || break
    done
    # Nothing safe is left, and of each name at least as many findings are gone as were to be mended.
    left=$(awk 'FILENAME ~ /after$/ { now[$1] = $3; if ($2) print $1; next } $2 && now[$1] > $3 - $2 { print $1 }' "$folder/after" "$folder/before")
    if [ -z "$left" ] && ! cmp -s "$case" "$copy"; then echo "ok $number - $case"
    elif [ -n "$other" ] && { [ -z "$left" ] || [ "$made" = "nothing to change" ]; }; then echo "ok $number - $case (of another file)"
    else echo "not ok $number - $case"; echo "left: $left
$made" | sed 's/^/# /'; fi
done
echo "1..$number"
