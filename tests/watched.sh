#!/bin/sh
# Programs of the tests and a run of v01 while something watches every access to memory.
#   watched.sh threads BUILD NAME...    BUILD is made with -fsanitize=thread
#   watched.sh memory BUILD NAME...     under valgrind, which knows no AVX-512: JRE_CPU=v3
set -u
what=$1 build=$2
shift 2
export JRE_BUILD=$build JRE_STDLIB=$PWD/stdlib CMOCKA_MESSAGE_OUTPUT=STDOUT
export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
watch=
if [ "$what" = memory ]; then
    command -v valgrind > /dev/null || { echo "valgrind is not installed"; exit 1; }
    export JRE_CPU=v3
    watch="valgrind --quiet --error-exitcode=66 --leak-check=full --errors-for-leak-kinds=definite,indirect"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
note() { # name, status, log
    [ "$2" = 0 ] && echo "clean   $1" && return
    failed=1
    echo "NOT CLEAN ($2)   $1"
    tail -60 "$3"
}
for name in "$@"; do
    $watch "$build/tests/$name" > "$folder/log" 2>&1
    note "tests/$name.c" $? "$folder/log"
done
"$build/paint" "$folder" --only 12 > /dev/null
for again in "a run of v01" "the same from the store"; do
    $watch "$build/jre" run pipelines/v01.jre --with examples/jaguars/sample.jre --set "jaguars.root=\"$folder\"" --set "unseen.root=\"$folder\"" --into "$folder/out" \
        --threads 4 > "$folder/log" 2>&1
    status=$?
    [ $status = 3 ] && status=0                     # what v01 expects of all jaguars does not hold of twelve pictures
    note "$again" $status "$folder/log"
done
exit $failed
