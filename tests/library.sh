#!/bin/sh
# The library and the documents, tested by the chunks `test` and `wrong` that they hold; a module without one fails.   library.sh BUILD      TAP
jre=$1/jre
number=0
for file in stdlib/*.jre $(grep -lE '^ {0,3}```jre (test|wrong)' pipelines/*.jre examples/*/*.jre 2>/dev/null); do
    number=$((number + 1))
    if out=$("$jre" test "$file" 2>&1); then echo "ok $number - $file"
    else echo "not ok $number - $file"; echo "$out" | grep -v '^ok ' | head -10 | sed 's/^/# /'; fi
done
echo "1..$number"
