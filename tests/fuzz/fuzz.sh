#!/bin/sh
# Fuzzing with libFuzzer and the address sanitizer:  tests/fuzz/fuzz.sh [SECONDS] [TARGET] [FOLDER]
# TARGET is a file of this folder (document, texts, files, pictures, masks, weights, ...); FOLDER keeps objects, the growing corpus, the documents of the language's
# description and what crashed.
set -eu
seconds=${1:-60} target=${2:-document} folder=${3:-build/fuzz}
cd "$(dirname "$0")/../.."
mkdir -p "$folder/objects/lang" "$folder/corpus-$target" "$folder/found"
flags="-std=c11 -D_GNU_SOURCE -O1 -g -Ilang -I$folder/objects/lang -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
bison -d -o "$folder/objects/lang/grammar.tab.c" lang/grammar.y
flex -o "$folder/objects/lang/lexer.c" lang/lexer.l
objects=
for source in lang/*.c "$folder"/objects/lang/*.c compiler/*.c runtime/data/*.c runtime/model/*.c runtime/core/*.c runtime/retrieval/*.c runtime/report/*.c kernels/*.c \
              tests/fuzz/"$target".c kernels/cpu/*.c; do
    object=$folder/objects/$(echo "$source" | tr / _).o
    objects="$objects $object"
    [ "$object" -nt "$source" ] && [ -z "$(find lang compiler runtime kernels tests -name '*.h' -newer "$object" -o -name '*.def' -newer "$object" -o -name '*.y' -newer "$object")" ] && continue
    case $source in kernels/cpu/reference.c) level=0 ;; *) level=2 ;; esac
    clang $flags -DKERNEL_LEVEL=$level -march=native -c -o "$object" "$source"
done
clang -fsanitize=fuzzer,address,undefined -o "$folder/$target" $objects -lpng -ljpeg -lcjson -lxxhash -lz -lm -lpthread
# The documents that LANGUAGE.md prints, each under the name above it.
chain=$folder/chain description=${JRE_TEST_DATA:-../shared}/LANGUAGE.md
mkdir -p "$chain"
[ ! -f "$description" ] || awk -v folder="$chain" '
    /\.jre\*\*/ { name = $0; sub(/\.jre\*\*.*/, "", name); sub(/.*\*/, "", name) }
    /^````$/ { inside = 0 }
    inside { print > (folder "/" name ".jre") }
    /^````markdown$/ && name ~ /^(v0[2-9]|deer|lynx)$/ { inside = 1; printf "" > (folder "/" name ".jre") }' "$description"
case $target in
document) seeds="pipelines stdlib examples/jaguars tests/errors tests/fusion tests/documents $folder/chain" ;;
table) seeds="tests/fuzz/tables" ;;
texts) seeds="tests/graph tests/fuzz/texts" ;;
masks) seeds="tests/fuzz/masks" ;;
weights) seeds="tests/checkpoints tests/errors/files" ;;
*) seeds="tests/pictures tests/errors/files" ;;
esac
list=$folder/corpus-$target
for seed in $(find $seeds -type f -size -40k 2>/dev/null); do cp "$seed" "$list/seed-$(echo "$seed" | tr / _)"; done
JRE_FUZZ_CHAIN=$(realpath "$chain") JRE_STDLIB=$PWD/stdlib nice -n 19 "$folder/$target" -max_total_time="$seconds" -timeout=5 -report_slow_units=1 -rss_limit_mb=3000 -max_len=8192 \
    -dict=tests/fuzz/words.dict -artifact_prefix="$folder/found/" "$list"
