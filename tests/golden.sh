#!/bin/sh
# Golden tests: NAME.jre beside NAME.expected, which holds what `jre` prints about it and its exit code.
#   golden.sh BUILD check [CASE.jre]      TAP
#   golden.sh BUILD promote [CASE.jre]    takes what is printed now as expected
# The first line of a case may say how it is run: <!-- jre explain --dump fuse -->; without it: jre check.
set -u
build=$1 mode=$2 only=${3:-}
jre=$build/jre
export NO_COLOR=1 JRE_CPU=v2 JRE_LIMITS=100,200,60,20,5 JRE_STDLIB=$PWD/stdlib
unset JRE_WEIGHTS
library=$(ls stdlib | sed -n 's/\.jre$//p' | paste -sd'|' | sed 's/|/\\|/g')
number=0
for case in ${only:-$(ls tests/errors/*.jre tests/defects/*.jre tests/fusion/*.jre tests/cli/*.jre 2>/dev/null)}; do
    number=$((number + 1))
    how=$(sed -n '1s/^<!-- jre \(.*\) -->$/\1/p' "$case")
    set -- ${how:-check}
    command=$1
    shift
    expected=${case%.jre}.expected
    actual=$build/golden.out
    mkdir -p "$build"
    # Places in the library move with every comment there, what is in the store is the work of others, and weights are counted elsewhere: no part of what is expected.
    { "$jre" "$command" "$case" "$@" 2>&1; echo "exit $?"; } | sed -e '/^  would compute/,/^  [^ w]/{/^  would/d;/^    /d}' -e '/^  gradients reach/d' -e "s|$PWD/||g" -e 's/ *[0-9.]* s$/ S s/' -e "s/\\b\($library\)\.jre:[0-9:]*/\1.jre:_/g" > "$actual"
    if [ "$mode" = promote ]; then
        cp "$actual" "$expected"
    elif cmp -s "$actual" "$expected"; then
        echo "ok $number - $case"
    else
        echo "not ok $number - $case"
        diff "$expected" "$actual" | sed 's/^/# /'
    fi
done
# Only what is quoted of a document, and a word that cannot be broken, may be wider than a terminal of 80 columns.
if [ "$mode" = check ] && [ -z "$only" ]; then
    number=$((number + 1))
    wide=$(LC_ALL=C awk '{ characters = $0; gsub(/[\200-\277]/, "", characters) } /^(error|warning|note): / { quoted = 0 } /^help: / { quoted = 1 } length(characters) <= 80 { next }
                /^ *[0-9]+ \| / || /^ +\+ / || (/^ +\| / && !/^ +\| +[-^]+( |$)/ && quoted) || /^ +\| +[-^]+$/ { next }
                { words = $0; sub(/^ +(\| )? */, "", words); if (words ~ / /) print FILENAME ": " $0 }' tests/errors/*.expected tests/defects/*.expected)
    if [ -z "$wide" ]; then echo "ok $number - every message fits 80 columns"
    else echo "not ok $number - every message fits 80 columns"; echo "$wide" | sed 's/^/# /'; fi
fi
[ "$mode" = promote ] || echo "1..$number"
