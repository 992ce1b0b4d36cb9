#!/bin/sh
# The command line as a user meets it: exit codes, where things are printed, what is refused.   cli.sh BUILD      TAP
build=$1
jre=$build/jre
number=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
expect() { # name, exit code, words that the output holds, command...
    name=$1 code=$2 words=$3
    shift 3
    number=$((number + 1))
    out=$("$@" 2>&1)
    got=$?
    case $out in *"$words"*) found=1 ;; *) found= ;; esac
    if [ "$got" = "$code" ] && [ -n "$found" ]; then echo "ok $number - $name"
    else echo "not ok $number - $name"; echo "# exit $got, expected $code, and the words: $words"; echo "$out" | head -5 | sed 's/^/# /'; fi
}
"$build/paint" "$folder" --only 12 > /dev/null
run() { "$jre" run pipelines/v01.jre --with examples/jaguars/sample.jre --set "jaguars.root=\"$folder\"" --set "unseen.root=\"$folder\"" --into "$folder/out" "$@"; }

expect "without a subcommand jre explains itself" 0 "usage: jre SUBCOMMAND" "$jre"
expect "every subcommand has help with examples" 0 "examples" "$jre" run --help
expect "an unknown subcommand has a nearest one" 1 "did you mean \`check\`" "$jre" chek x.jre
expect "an unknown option is refused" 1 "did you mean \`--threads\`" "$jre" run x.jre --thread 2
expect "an option without effect is refused" 1 "has no option \`--json\`" "$jre" show x.jre --json
expect "a mode that changes nothing here is refused" 1 "has no option \`--latency\`" "$jre" check x.jre --latency
expect "explain says for what its kernels are chosen" 0 "kernels for one picture at a time" "$jre" explain tests/fusion/residual.jre --latency
expect "one metric is the document's to ask for" 1 "only \`all\` can be asked for here" "$jre" run x.jre --metrics map
expect "a document is asked for" 1 "a document was expected" "$jre" check
expect "a document that is not there" 1 "file_missing" "$jre" check nowhere.jre
expect "a device that this build has not" 1 "this build has no cuda" "$jre" run x.jre --device cuda
for pass in lower simplify recognize fuse chain; do
    expect "--dump $pass" 0 "%0 = input() : [N, 3, 8, 8]" "$jre" explain tests/fusion/residual.jre --dump $pass
    expect "--dump=$pass" 0 "%0 = input() : [N, 3, 8, 8]" "$jre" explain tests/fusion/residual.jre --dump=$pass
done
expect "bench without a name lists the networks" 0 "resnet50" "$jre" bench
expect "bench lists them for machines" 0 '{"bench": {"networks": ["filter_bank", ' "$jre" bench --json
expect "bench has a nearest network" 1 "did you mean \`squeezenet1_1\`" "$jre" bench squeezenet1_0
expect "bench of a part of a network" 1 "the library has no network \`Bottleneck\`" "$jre" bench Bottleneck
expect "bench times one network" 1 "\`resnet18\` is one too many" "$jre" bench resnet50 resnet18
expect "bench in other arithmetic comes later" 2 "bf16 comes with a later one" "$jre" bench resnet18 --arithmetic bf16
expect "bench knows what it does not know" 1 "no arithmetic is called \`f16\`" "$jre" bench resnet18 --arithmetic f16
expect "bench of training comes later" 2 "no step of \`ArcFace\` to time" "$jre" bench resnet18 --train ArcFace
expect "bench asks for numbers" 1 "for instance --batch 16" "$jre" bench resnet18 --batch 0
expect "bench of a picture too small says why" 1 "asks that 32 divides H" "$jre" bench resnet18 --input 20
expect "bench needs no file" 0 "filter_bank  batch 1, 32 x 32, 1 thread, f32" "$jre" bench filter_bank --batch 1 --input 32
expect "no more threads than there can be" 1 "a number from 1 to 256 was expected" "$jre" bench filter_bank --threads 300
expect "bench for machines" 0 '{"bench": {"network": "filter_bank", "batch": 2, "input": 32, "threads": 1, "arithmetic": "f32"' "$jre" bench filter_bank --batch 2 --input 32 --json
expect "limits that are none" 1 "JRE_LIMITS is \`fast\`" env JRE_LIMITS=fast "$jre" bench filter_bank --batch 1 --input 32
expect "explain tells what a network takes here" 0 "share bound" "$jre" explain tests/fusion/residual.jre --measure --threads 1
expect "explain for machines says what was measured" 0 '"stated": false' "$jre" explain tests/fusion/residual.jre --json --measure
expect "explain without the weights shows what would run" 1 "conv 1x1 bias" "$jre" explain tests/fusion/no_weights.jre
expect "explain is not wider than 80 columns" 0 "all folded" sh -c "JRE_LIMITS=100,200,60,20,5 '$jre' explain pipelines/v01.jre --with examples/jaguars/sample.jre --memory 512MiB | awk 'length > 80 {print; wide = 1} END {print wide ? \"wide\" : \"all folded\"; exit wide}'"
expect "nor is help" 0 "all folded" sh -c "for of in '' run explain embed bench check doc; do '$jre' help \$of; done | awk 'length > 80 && !/^jre|^  jre/ {print; wide = 1} END {print wide ? \"wide\" : \"all folded\"; exit wide}'"
expect "and measures with others" 1 "measured with made-up weights" "$jre" explain tests/fusion/no_weights.jre --measure
expect "an expression has no kernels" 1 "--json is about kernels" "$jre" explain tests/fusion/residual.jre features --json
for option in --json --measure features; do
    expect "--dump stands alone: $option" 1 "--dump prints graphs alone, \`$option\` has no place beside it" "$jre" explain tests/fusion/residual.jre --dump fuse $option
done
expect "a pass has a nearest one" 1 "did you mean \`simplify\`" "$jre" explain tests/fusion/residual.jre --dump=simplfy
expect "every pass is known" 1 "the passes are: lower simplify recognize fuse chain" "$jre" check tests/fusion/residual.jre --dump nonsense
for command in check explain "run --into $folder/times"; do
    expect "$command: seconds of passes" 0 "schedule" "$jre" $command tests/fusion/residual.jre --time-passes
    expect "$command: hits and reasons of rules" 0 "rule conv_residual           1   the addition" "$jre" $command tests/fusion/residual.jre --time-passes
done
for module in filters mobilenetv2 resnet squeezenet; do
    expect "$module is a document too" 0 "no mistake found" "$jre" check stdlib/$module.jre
done
expect "check lists pairs nearly alike in a table" 0 "a1.png,a2.png,4,0,1,Ana,Ana" sh -c "'$jre' check tests/errors/sound.jre --pairs '$folder/pairs.csv' > /dev/null && cat '$folder/pairs.csv'"
expect "and does so where something is wrong" 0 "a1.png,a2.png,4,0,1,Ana,Ana" sh -c "'$jre' check tests/errors/leaking_burst_alike.jre --pairs '$folder/wrong.csv' > /dev/null; cat '$folder/wrong.csv'"
expect "check for machines says what it has counted" 0 '"dataset": "animals", "pictures": 5, "individuals": 2, "smallest": 2' "$jre" check tests/errors/sound.jre --json
expect "check says how many weights a slope reaches" 0 "  gradients reach 368 of 368 weights" "$jre" check tests/defects/trained_head.jre --into "$folder/kept"
expect "what a run would compute" 0 "  would compute: train.student (2 folds), embed.features (2 folds), evaluate.cv" "$jre" check tests/defects/trained_head.jre --into "$folder/kept"
"$jre" run tests/errors/sound.jre --into "$folder/kept" > /dev/null 2>&1
expect "and what it would not" 0 "  would compute nothing: every result is in the store" "$jre" check tests/errors/sound.jre --into "$folder/kept"
expect "a part of it" 0 "  would compute: evaluate.cv; everything else is in the store" "$jre" check tests/errors/sound.jre --into "$folder/kept" --set halves.seed=5
expect "check for machines names what would be computed" 0 '"would_compute": ["evaluate cv"]' "$jre" check tests/errors/sound.jre --into "$folder/kept" --set halves.seed=5 --json
expect "check for machines counts queries that their own burst may answer" 0 '"answered_by_burst": [{"evaluation": "whole", "queries": 5, "by_burst": 4}]' "$jre" check tests/errors/answering_burst_accepted.jre --json
expect "check for machines repeats what was accepted" 3 '"accepted": [{"check": "leaking_burst", "for": "published", "because": "it is published so"}]' "$jre" check tests/errors/expect_pictures.jre --json
expect "a run repeats what was accepted" 0 "accepted  leaking_burst for halves   because this shows what a burst is worth" "$jre" run tests/errors/accept_leaking_burst.jre --into "$folder/accepted"
expect "and so does its record" 0 '"accepted": [{"check": "leaking_burst", "for": "halves", "because": "this shows what a burst is worth"}]' sh -c "cat '$folder'/accepted/results/run_*/result.json"
expect "a run holds pictures to what is expected of them" 3 "FAILED  animals.individuals == 3   2 and 3" "$jre" run tests/errors/expect_pictures.jre --into "$folder/accepted"
expect "check for machines without a sound document" 1 '{"check": null, "findings": [{"name": "leaking_burst"' "$jre" check tests/errors/leaking_burst.jre --json
expect "version names the level" 0 "processor: instruction level" "$jre" version
expect "version counts the processors that it may use" 0 ", 1 thread" taskset -c 0 "$jre" version
for command in version "run tests/fusion/residual.jre --into $folder/levels"; do
    expect "$command: a level that is none" 1 'JRE_CPU is `v9`, which this processor is not' env JRE_CPU=v9 "$jre" $command
    expect "$command: the levels that there are" 1 "help: here it may be " env JRE_CPU=v9 "$jre" $command
done
expect "doc explains a check" 0 "Two frames of one burst" "$jre" doc leaking_burst
expect "doc explains a word" 0 "is tested after the run" "$jre" doc expect
expect "doc explains a number of pictures" 0 "how many there are" "$jre" doc pictures
expect "doc explains a word of settings" 0 "fingerprints" "$jre" doc near_duplicates
expect "doc shows a kind as a table" 0 "folds          Int            parts       -" "$jre" doc split
expect "doc explains a key" 0 "default  shuffled(64)" "$jre" doc train.batches
expect "doc shows the words of a key with their arguments" 0 "balanced(identities: Int, images: Int)" "$jre" doc train.batches
expect "doc shows the range of a key" 0 "range    2 to 100" "$jre" doc split.folds
expect "doc shows a word in each of its places" 0 "balanced(negatives: Int = 20)  (way to draw pairs: boost.sample)" "$jre" doc balanced
expect "doc names the settings that have a word" 0 "a word of train.precision, embed.arithmetic" "$jre" doc bf16
expect "doc explains a type of words" 0 "with or without momentum" "$jre" doc Optimizer
expect "doc explains a module" 0 "network   mobilenetv2_100" "$jre" doc mobilenetv2
expect "doc shows the comment above a name" 0 "the mean of each channel" "$jre" doc average_pool
expect "doc shows the prose before a name" 0 "keeps what is above zero" "$jre" doc relu
expect "doc has a nearest key" 1 "did you mean \`split.together\`" "$jre" doc split.togehter
expect "doc has a nearest name of the library" 1 "did you mean \`average_pool\`" "$jre" doc avrage_pool
expect "doc without the library says so" 1 "the library of jre is not where" env JRE_STDLIB=/nowhere "$jre" doc fit
expect "doc does not know" 1 "nothing is called" "$jre" doc nonsense_word
expect "doc has contents" 0 "  03_splits                Who is on which side" "$jre" doc
expect "doc opens a chapter by its number" 0 "  A network may learn from some pictures" "$jre" doc 3
expect "doc opens a chapter by its name" 0 "  A network may learn from some pictures" "$jre" doc splits
expect "doc tells a check with what jre says of an example" 0 "train_0" sh -c "'$jre' doc leaking_burst | sed -n '/is refused:/,\$p' | sed 's/trap_/train_/'"
expect "doc tells a key where its kind is told" 0 "in the manual, 03_splits" "$jre" doc split.together
expect "doc has no place for a key in another kind" 1 "nothing is called" "$jre" doc embed.together
expect "doc prints a page for man" 0 '.SH NAME
jre \- from photographs of animals' "$jre" doc --man
expect "which holds every chapter" 0 "all of them" sh -c "'$jre' doc --man > '$folder/jre.1'; for chapter in examples/manual/*.jre; do grep -qFx \"\$(sed -n '1s/^# //p' \$chapter)\" '$folder/jre.1' || exit 1; done; echo all of them"
mkdir -p "$folder/local/bin" "$folder/local/share/jre" && cp "$jre" "$folder/local/bin/" && cp -r stdlib examples/manual "$folder/local/share/jre/"
expect "installed, it finds library and manual" 0 "in the manual, 02_datasets" env -u JRE_STDLIB "$folder/local/bin/jre" doc dataset.flank
for chapter in examples/manual/*.jre; do
    expect "check finds no mistake in $chapter" 0 "no mistake found" "$jre" check "$chapter"
done
expect "a folder that takes nothing, at once" 1 "cannot_write" "$jre" run pipelines/v01.jre --with examples/jaguars/sample.jre --into /dev/null/x
expect "a failed expectation is 3, and the results are there" 3 "FAILED  cv.map" run --set folds.folds=2
expect "the same run again computes nothing" 3 "nothing to compute" run --set folds.folds=2
expect "every metric there is, and what others call it" 3 "pytorch-metric-learning" run --set folds.folds=2 --metrics all
expect "JSON is one object" 3 '{"run": {"version": "v01"' run --set folds.folds=2 --json
expect "what the command line changed stands in the record" 0 "with examples/jaguars/sample.jre" cat "$folder/out/results/benchmarks.csv"
expect "a seed that is no number" 1 "error:" run --set folds.seed=abc
expect "a function of one picture is a network" 0 "coats (coat, plain): 5 pictures embedded" "$jre" run tests/fusion/coat.jre --into "$folder/coats"
expect "show prints a program" 0 "split folds {" "$jre" show pipelines/v01.jre
sample() { command=$1; shift; "$jre" "$command" pipelines/v01.jre --with examples/jaguars/sample.jre --set "jaguars.root=\"$folder\"" --set "unseen.root=\"$folder\"" "$@"; }
mkdir "$folder/elsewhere"
sample show > "$folder/elsewhere/v01.jre"
explained() { JRE_LIMITS=100,200,60,20,5 "$@" | sed '/^  [^ ]*\.jre:[0-9]*$/d; /^  [^ ]*\.jre:[0-9]*, [^ ]*$/d'; }
expect "what show prints has the same plan, networks and keys" 0 "$(explained sample explain)" explained "$jre" explain "$folder/elsewhere/v01.jre"
"$jre" show "$folder/elsewhere/v01.jre" > "$folder/again.jre"
expect "and is printed again as it is" 0 "" cmp "$folder/elsewhere/v01.jre" "$folder/again.jre"
printf '```jre\nextends "v01.jre"\nchange folds { seed 8 }\n```\n' > "$folder/elsewhere/v02.jre"
expect "diff compares with the parent" 1 "-  seed         7" "$jre" diff "$folder/elsewhere/v02.jre"
expect "diff of equals" 0 "mean the same" "$jre" diff "$folder/elsewhere/v01.jre" "$folder/again.jre"
expect "diff in JSON" 1 '"setting": "seed", "old": "7", "new": "8"}]}' "$jre" diff "$folder/elsewhere/v01.jre" "$folder/elsewhere/v02.jre" --json
expect "help takes one subcommand" 1 "is one too many" "$jre" help run check
expect "diff takes two documents" 1 "is one too many" "$jre" diff a.jre b.jre c.jre
expect "diff of a document that is not there" 1 "file_missing" "$jre" diff pipelines/v01.jre nowhere.jre
printf '# A\n\n```jre\na   =  1\n```\n' > "$folder/draft.jre"
printf '# A\n\n```jre\na = = 1\n```\n' > "$folder/wrong.jre"
cp "$folder/wrong.jre" "$folder/wrong.before"
expect "fmt --check names what would change and writes nothing" 1 "draft.jre would change" "$jre" fmt --check "$folder/draft.jre" pipelines/v01.jre
expect "fmt --stdout prints" 0 "a = 1" "$jre" fmt --stdout "$folder/draft.jre"
expect "fmt - reads what is piped" 0 "a = 1" sh -c "'$jre' fmt - < '$folder/draft.jre'"
expect "fmt writes in place and says so" 0 "draft.jre changed" "$jre" fmt "$folder/draft.jre"
expect "fmt leaves what is in order" 0 "" "$jre" fmt --check "$folder/draft.jre"
expect "fmt refuses a document with a mistake" 1 "unexpected_word" "$jre" fmt "$folder/wrong.jre"
expect "and leaves it as it was" 0 "" cmp "$folder/wrong.jre" "$folder/wrong.before"
expect "fmt asks for a document" 1 "a document was expected" "$jre" fmt
printf '```jre\nuse resnt\n\nsplit folds {\n  dta jaguars\n  folds 5\n}\nx = 3 px\n```\n' > "$folder/v00.jre"
printf '```jre\nextends "v00.jre"\nchange folds { foldss 4 }\n```\n' > "$folder/v0.jre"
cp "$folder/v00.jre" "$folder/wrong.before"
expect "fix shows what it would change" 1 "+   data jaguars" "$jre" fix "$folder/v00.jre"
expect "and without --yes changes nothing" 0 "" cmp "$folder/v00.jre" "$folder/wrong.before"
expect "what stands in another file is told to be fixed there" 1 "jre fix $folder/v00.jre" "$jre" fix "$folder/v0.jre" --yes
expect "and that file stays as it is" 0 "" cmp "$folder/v00.jre" "$folder/wrong.before"
expect "fix --yes makes the changes" 0 "changes made" "$jre" fix "$folder/v00.jre" --yes
expect "and they are in the file" 0 "use resnet" cat "$folder/v00.jre"
expect "fix without a safe change shows the findings" 1 "no safe change" "$jre" fix "$folder/wrong.jre"
expect "fix of a document without mistakes" 0 "nothing to change" "$jre" fix "$folder/draft.jre"
mkdir "$folder/site"
cp examples/pre-commit "$folder/site/hook"
commit() { # document, program
    printf '```jre\n%s\n```\n' "$2" > "$folder/site/$1"
    git -C "$folder/site" add "$1" && git -C "$folder/site" -c user.name=a -c user.email=a@b commit -qm "$1"
}
git -C "$folder/site" init -q && mkdir -p "$folder/site/.git/hooks" && mv "$folder/site/hook" "$folder/site/.git/hooks/pre-commit"
export JRE="$PWD/$jre"
case $jre in /*) JRE=$jre ;; esac
expect "the hook lets a sound document be committed" 0 "" commit "Grün 1.jre" 'width = 3'
expect "and none with a mistake" 1 "did you mean \`width\`" commit two.jre 'width = 3
expect widht == 3'
expect "it says how to commit all the same" 1 "git commit --no-verify" commit two.jre 'expect'
git -C "$folder/site" rm -q --cached two.jre
expect "what is not a document is none of its business" 0 "" commit three.txt 'expect'
expect "test runs one chunk" 0 "1 passed, 0 failed" "$jre" test stdlib/resnet.jre:"$(grep -n 'expect weights' stdlib/resnet.jre | head -1 | cut -d: -f1)"
expect "test takes several files" 0 "stdlib/views.jre" "$jre" test stdlib/resnet.jre stdlib/views.jre
expect "test names the lines that have tests" 1 "they begin at these lines: 13 25" "$jre" test tests/cli/test_chunks.jre:3
expect "test of a document without tests" 1 "there is no chunk" "$jre" test examples/jaguars/sample.jre
expect "a failed expectation of a test is 3" 3 "left 6, right 7" "$jre" test tests/cli/test_chunks.jre
expect "test in JSON says what was found" 3 '"found": "left 6, right 7"' "$jre" test tests/cli/test_chunks.jre --json
expect "test without a file" 1 "a document was expected" "$jre" test
expect "test of a file that is not there" 1 "file_missing" "$jre" test nowhere.jre:3
expect "a module of the library is checked like a document" 0 "no mistake found" "$jre" check stdlib/core.jre
with() { name=$1; shift; "$jre" "$name" pipelines/v01.jre --with examples/jaguars/sample.jre --set "jaguars.root=\"$folder\"" --set "unseen.root=\"$folder\"" --set folds.folds=2 --into "$folder/out" "$@"; }
expect "what was computed is cached" 0 "evaluate.cv  cached under" with why cv
expect "made when and by which version" 0 " by v01" with why features
expect "what would be computed again says why" 0 "seed   7  ->  8        (--set)" with why cv --set folds.seed=8
expect "the way down to what differs" 0 "because split folds differs" with why cv --set folds.seed=8
expect "nothing else" 0 "nothing else differs" with why cv --set folds.seed=8
expect "another mode of kernels is another key" 0 "latency   off  ->  on" with why features --latency
expect "what never ran" 0 "never computed" with why cv --into "$folder/elsewhere"
expect "why for machines" 0 '"leaf": "seed", "old": "7", "new": "8", "place": "--set"' with why cv --set folds.seed=8 --json
expect "why of nothing has a nearest name" 1 "did you mean \`features\`" with why featurs
expect "why says which pictures it needs" 1 "file_missing" "$jre" why pipelines/v01.jre cv --set "jaguars.root=\"$folder/out\"" --with examples/jaguars/sample.jre
expect "keys with all they are made of" 0 "average      identity" with key cv --tree
expect "keys by themselves" 0 "  submit.entry" with key
expect "any pictures become numbers" 0 "2 x " "$jre" embed pipelines/v01.jre features "$folder/train/train/train_0001.png" "$folder/train/train/train_0002.png" --with examples/jaguars/sample.jre -o "$folder/two.npy"
expect "embed has a nearest option" 1 "did you mean \`--tensor\`" "$jre" embed x.jre features --tenser in.npy
expect "embed writes arrays and nothing else" 1 "ends in .npy" "$jre" embed pipelines/v01.jre features one.png -o two.txt
expect "embed says which picture shows a NaN first" 1 "first in the picture \`tests/errors/files/pictures/a2.png\`" "$jre" embed tests/errors/not_a_number.jre features tests/errors/files/pictures/a2.png -o "$folder/nan.npy"
expect "embed for machines" 1 '{"embed": null, "findings": [' "$jre" embed pipelines/v01.jre features one.png --json
expect "embed tells what was planned and taken" 0 '"memory": {"planned": ' "$jre" embed pipelines/v01.jre features "$folder/train/train/train_0001.png" --with examples/jaguars/sample.jre -o "$folder/one.npy" --json
expect "an amount of memory has a unit" 1 "with KiB, MiB or GiB" "$jre" explain tests/fusion/residual.jre --memory 44
expect "what fits nowhere says what would" 2 "it fits; smaller pictures" "$jre" explain tests/fusion/residual.jre --memory 1MiB
expect "what fits says how" 0 "100000 MiB are allowed" "$jre" explain tests/fusion/residual.jre --memory 100000MiB

# What is planned before anything runs is within 10 % of what the process takes; sanitizers take memory of their own.
data=${JRE_TEST_DATA:-../shared}
peak() { # network, threads
    sed "s/NETWORK/$1/" > "$folder/peak.jre" << 'DOCUMENT'
```jre
use mobilenetv2
use squeezenet
use resnetv2
augment plain(x: Image) -> Image { x |> stretch(224px) |> normalize(imagenet) }
network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> NETWORK |> average_pool }
embed features {
  network Eye
  view plain
}
```
DOCUMENT
    JRE_WEIGHTS=$data/weights "$jre" embed "$folder/peak.jre" features $(find "$data/data/nyala/images" -name '*.jpg' | sort | head -$pictures) -o "$folder/peak.npy" --threads "$2" --json |
        sed 's/.*"planned": \([0-9]*\), "taken": \([0-9]*\).*/\1 \2/' | awk -v free="$3" '{ratio = $1 / $2; near = free || (ratio > 0.9 && ratio < 1.1); print $1, "planned,", $2, "taken:", (near ? "near" : "far")}'
}
sanitized=$(case $build in *san*) echo 1 ;; esac)
pictures=$([ "$sanitized" ] && echo 2 || echo 40)
for network in 'mobilenetv2_100(weights = "mobilenetv2_100.safetensors", stats = imagenet)' 'squeezenet1_1(weights = "squeezenet1_1.safetensors", stats = imagenet)' \
    'resnet50v2_stage3(weights = "resnet50v2_stage3_fp16.safetensors", stats = imagenet)'; do
    for threads in 1 2; do
        if [ -d "$data/data/nyala" ]; then expect "memory as planned: ${network%%(*}, threads $threads" 0 "taken: near" peak "$network" $threads $sanitized
        else number=$((number + 1)); echo "ok $number - memory as planned # SKIP no photographs in $data"; fi
    done
done
echo "1..$number"
