#!/bin/sh
# The test runner.
#   run.sh run BUILD COUNTS [T]   runs all tests of a build, or T: a program (tests/ops.c) or a golden case (tests/errors/x.jre)
#   run.sh sum COUNTS...          adds up and prints the closing line
# Programs speak TAP; only what failed or was skipped is shown.
set -u
if [ "$1" = sum ]; then
    shift
    cat "$@" 2>/dev/null | awk '{p += $1; f += $2; s += $3} END {print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f > 0 || p == 0}'
    exit
fi
build=$2 counts=$3 only=${4:-}
log=$build/tap.log
: > "$log"
export JRE_BUILD=$build UBSAN_OPTIONS=print_stacktrace=1 CMOCKA_MESSAGE_OUTPUT=TAP JRE_STDLIB=$PWD/stdlib

program() {
    name=$1
    "$build/tests/$name" > "$build/$name.tap" 2> "$build/$name.err"
    status=$?
    cat "$build/$name.tap" >> "$log"
    if ! grep -q '^1\.\.' "$build/$name.tap" || { [ $status != 0 ] && ! grep -v '# SKIP' "$build/$name.tap" | grep -q '^not ok'; }; then
        echo "not ok - tests/$name.c ended with status $status" >> "$log"
        tail -30 "$build/$name.err"
    fi
    grep -v '# SKIP' "$build/$name.tap" | grep -A12 '^not ok'
}

case $only in
tests/*.c) program "$(basename "$only" .c)" ;;
'')
    for file in $(grep -ls '^int main' tests/*.c); do program "$(basename "$file" .c)"; done
    tests/golden.sh "$build" check > "$build/golden.tap"
    cat "$build/golden.tap" >> "$log"
    grep -A40 '^not ok' "$build/golden.tap"
    for script in cli layers library; do
        "tests/$script.sh" "$build" > "$build/$script.tap"
        cat "$build/$script.tap" >> "$log"
        grep -A12 '^not ok' "$build/$script.tap"
    done ;;
tests/*.sh) "$only" "$build" | tee -a "$log" ;;
*) tests/golden.sh "$build" check "$only" | tee -a "$log" ;;
esac
sed -n 's/.*# SKIP /skipped: /p' "$log" | sort
awk '/^(not )?ok.*# SKIP/ {s++; next} /^ok/ {p++} /^not ok/ {f++} END {print p + 0, f + 0, s + 0}' "$log" > "$counts"
echo "$build: $(tr ' ' '/' < "$counts") passed/failed/skipped"
exit 0
