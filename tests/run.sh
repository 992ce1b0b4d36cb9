#!/bin/sh
# The test runner.
#   run.sh run BUILD COUNTS [T]   runs all tests of a build, one unit a core, or T: a program (tests/ops.c) or a golden case (tests/errors/x.jre)
#   run.sh unit BUILD UNIT        one program or script: its TAP goes to BUILD/NAME.tap, what people are to see of it to BUILD/NAME.seen
#   run.sh sum COUNTS...          adds up and prints the closing line
# JRE_UNDER: what programs run under, an emulator; JRE_UNITS: the tests that are meant by all of them.
# Programs speak TAP; only what failed or was skipped is shown.
set -u
if [ "$1" = sum ]; then
    shift
    cat "$@" 2>/dev/null | awk '{p += $1; f += $2; s += $3} END {print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f > 0 || p == 0}'
    exit
fi
build=$2
export JRE_BUILD=$build UBSAN_OPTIONS=print_stacktrace=1 CMOCKA_MESSAGE_OUTPUT=TAP JRE_STDLIB=$PWD/stdlib

# A program that ends before its last test, or with a status that no failed test explains, is a failure itself.
unit() {
    name=$(basename "$1"); name=${name%.*}
    case $1 in
    tests/*.c) ${JRE_UNDER:-} "$build/tests/$name" > "$build/$name.tap" 2> "$build/$name.err" ;;
    tests/golden.sh) tests/golden.sh "$build" check > "$build/$name.tap" 2> "$build/$name.err" ;;
    *) "$1" "$build" > "$build/$name.tap" 2> "$build/$name.err" ;;
    esac
    status=$?
    {
        if ! grep -q '^1\.\.' "$build/$name.tap" || { [ $status != 0 ] && ! grep -v '# SKIP' "$build/$name.tap" | grep -q '^not ok'; }; then
            echo "not ok - $1 ended with status $status" | tee -a "$build/$name.tap"
            tail -30 "$build/$name.err"
        fi
        grep -v '# SKIP' "$build/$name.tap" | grep -A40 '^not ok'
    } > "$build/$name.seen"
    return 0
}

if [ "$1" = unit ]; then
    unit "$3"
    exit
fi
counts=$3 only=${4:-}
log=$build/tap.log
: > "$log"
longest=tests/pipeline.c                      # begun first, or a core waits for it at the end
case $only in
'') units=${JRE_UNITS:-"$longest $(grep -ls '^int main' tests/*.c | grep -vxF $longest) tests/golden.sh tests/fixes.sh tests/cli.sh tests/layers.sh tests/library.sh tests/machine_code.sh"} ;;
tests/*.c | tests/*.sh) units=$only ;;
*) units= ;;
esac
[ -z "$units" ] || echo $units | tr ' ' '\n' | xargs -P "$(nproc)" -I UNIT "$0" unit "$build" UNIT
for each in $units; do
    name=$(basename "$each"); name=${name%.*}
    cat "$build/$name.tap" >> "$log"
    cat "$build/$name.seen"
done
[ -n "$units" ] || tests/golden.sh "$build" check "$only" | tee -a "$log"
sed -n 's/.*# SKIP /skipped: /p' "$log" | sort
awk '/^(not )?ok.*# SKIP/ {s++; next} /^ok/ {p++} /^not ok/ {f++} END {print p + 0, f + 0, s + 0}' "$log" > "$counts"
echo "$build: $(tr ' ' '/' < "$counts") passed/failed/skipped"
exit 0
