#!/bin/sh
# The layers of the house: lang < compiler < runtime; kernels is a leaf; compiler/cli may see all. And every source file is in the README's tour.
number=0 failed=0
tell() {
    number=$((number + 1))
    if [ -z "$2" ]; then echo "ok $number - $1"; else echo "not ok $number - $1"; echo "$2" | sed 's/^/# /'; fi
}
includes() { grep -n '#include "' "$@" 2>/dev/null; }
tell "lang includes nothing above it" "$(includes lang/*.[chly] | grep -E '"\.\./|compiler|runtime|kernels')"
tell "compiler includes lang and itself only" "$(includes compiler/*.[ch] | grep -E 'runtime|kernels|cli')"
tell "kernels is a leaf" "$(includes kernels/*.[ch] kernels/*/*.[ch] | grep -vE '"(\.\./)?(kernels|[a-z]+)\.h"')"
tell "runtime includes its own header only" "$(includes runtime/*/*.c | grep -vE '"(\.\./)?runtime\.h"|"[a-z_]+\.h"')"
tell "no exit or abort outside main" "$(grep -nE '(^|[^_a-zA-Z])(exit|abort) *\(' lang/*.c compiler/*.c runtime/*/*.c kernels/*.c kernels/*/*.c | grep -v '^[^:]*:[0-9]*: \*')"
tell "every source file is in the tour of README.md" "$(for f in lang/*.[cly] compiler/*.c compiler/cli/*.c runtime/*/*.c kernels/*.c kernels/cpu/*.c; do grep -qF "$(basename "$f")" README.md || echo "$f"; done)"
tell "every check of diag.def has a test" "$(sed -n 's/^DIAG(\([a-z_]*\),.*/\1/p' lang/diag.def | while read -r name; do grep -rqE "\b$name\b" tests --include='*.c' --include='*.expected' || echo "$name"; done)"
echo "1..$number"
