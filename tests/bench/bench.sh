#!/bin/sh
# Speed beside peers, in one run on one machine, as ratios: above 1 jre is ahead. The peers are those of `make peers`.
#   bench.sh BUILD [networks | pictures | metrics | nearest]...      all four if none is named; JRE_BENCH=long adds metrics of 50,000 rows and torch.compile
#   JRE_BENCH_NETWORKS="resnet50 resnet101"               other networks than the four
set -eu
build=$1
shift
[ $# != 0 ] || set -- networks pictures metrics nearest
python=$(tests/peers/run.sh "$build" --install)
export JRE_STDLIB=$PWD/stdlib
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
has() { "$python" -c "import $1" 2>/dev/null; }
ratio() { awk "BEGIN {printf \"%.2f\", $1 / $2}"; }

# Pictures a second of networks with made-up weights, and what a start costs; then the layers of resnet50 on one thread.
networks() {
    "$python" tests/bench/networks.py "$build/jre" ${JRE_BENCH_NETWORKS:-}
    echo
    "$build/tests/bench/kernels" "${JRE_CPU:-}" 1 resnet50
}

# Cutouts a second on one core: decoded, laid on gray, fitted into 224 pixels, normalized.
pictures() {
    echo "cutouts of the sample, one core:"
    "$build/tests/bench/pictures" "$build/sample" 3 > "$work/pictures"
    cold=$(sed 's/.*cold \([0-9.]*\).*/\1/' "$work/pictures") cached=$(sed 's/.*cached \([0-9.]*\).*/\1/' "$work/pictures")
    printf '%-16s %10s %10s %7s %10s %7s\n' peer theirs 'jre cold' ratio 'jre cached' ratio
    for peer in pillow $(has torchvision && echo torchvision); do
        theirs=$("$python" tests/bench/pictures.py "$peer" "$build/sample/train/train")
        printf '%-16s %10.1f %10.1f %7s %10.1f %7s\n' "$peer" "$theirs" "$cold" "$(ratio "$cold" "$theirs")" "$cached" "$(ratio "$cached" "$theirs")"
    done
}

# Exact identity-balanced mAP, every row asking all others, two threads.
metrics() {
    echo "exact identity-balanced mAP of rows x 512, two threads:"
    printf '%-8s %-12s %-8s %10s %10s %9s %7s\n' rows kind peer seconds 'jre' MiB ratio
    for rows in 10000 $(test "${JRE_BENCH:-}" = long && echo 50000); do
        "$build/tests/bench/ranking" "$rows" 512 3 > "$work/ranking"
        sed 's/^/  jre: /' "$work/ranking"
        for kind in noise individuals; do
            ours=$(sed -n "s/.* $kind, 2 threads: \([0-9.]*\) s.*/\1/p" "$work/ranking")
            for peer in numpy $(has torch && echo torch) $(has pytorch_metric_learning && [ "$rows" = 10000 ] && echo pml); do
                "$python" tests/bench/metrics.py "$peer" "$rows" 512 "$kind" > "$work/peer" 2>/dev/null || { echo "$peer: could not do it"; continue; }
                read -r seconds memory map < "$work/peer"
                printf '%-8s %-12s %-8s %10s %10s %9s %7s\n' "$rows" "$kind" "$peer" "$seconds" "$ours" "$memory" "$(ratio "$seconds" "$ours")"
            done
        done
    done
}

# The best 100 candidates of each query, exactly, two threads.
nearest() {
    echo "nearest 100 of 50000 x 512 for 10000 queries, two threads:"
    "$build/tests/bench/nearest" 10000 50000 512 100 3 > "$work/nearest"
    sed 's/^/  jre: /' "$work/nearest"
    ours=$(sed -n 's/.*2 threads: \([0-9.]*\) s.*/\1/p' "$work/nearest")
    for peer in $(has faiss && echo faiss) $(has torch && echo torch); do
        seconds=$("$python" tests/bench/nearest.py "$peer" 10000 50000 512 100)
        printf '%-12s %10s %10s %7s\n' "$peer" "$seconds" "$ours" "$(ratio "$seconds" "$ours")"
    done
}

for part; do
    "$part"
    echo
done
