#!/bin/sh
# Fuzzing with libFuzzer and the address sanitizer:  tests/fuzz/fuzz.sh [SECONDS] [TARGET] [FOLDER]
# TARGET is a file of this folder (document, files); FOLDER keeps objects, the growing corpus and what crashed.
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
    clang $flags -DKERNEL_LEVEL=2 -march=native -c -o "$object" "$source"
done
clang -fsanitize=fuzzer,address,undefined -o "$folder/$target" $objects -lpng -ljpeg -lcjson -lxxhash -lz -lm -lpthread
case $target in
document) seeds="pipelines stdlib examples/jaguars tests/errors tests/fusion" ;;
*) seeds="tests/pictures tests/errors/files" ;;
esac
list=$folder/corpus-$target
for seed in $(find $seeds -type f -size -40k 2>/dev/null); do cp "$seed" "$list/seed-$(echo "$seed" | tr / _)"; done
JRE_STDLIB=$PWD/stdlib nice -n 19 "$folder/$target" -max_total_time="$seconds" -timeout=5 -report_slow_units=1 -rss_limit_mb=3000 -max_len=8192 \
    -dict=tests/fuzz/words.dict -artifact_prefix="$folder/found/" "$list"
