#!/bin/sh
# Speed beside peers, in one run: pictures a second (best of 15), jre over ONNX Runtime. Peers live in a scratch environment outside the tree.
#   bench.sh BUILD
set -eu
build=$1
scratch=${TMPDIR:-/tmp}/jre-peers
export JRE_STDLIB=$PWD/stdlib
python=$scratch/bin/python
if ! [ -x "$python" ]; then
    command -v python3 >/dev/null || { echo "the peers need python3 with venv"; exit 1; }
    python3 -m venv "$scratch"
    "$python" -m pip install -q numpy onnx onnxruntime
fi
printf '%-16s %5s %7s %10s %12s %7s %9s\n' network batch threads jre onnxruntime ratio GFLOP/s
for network in mobilenetv2_100 resnet18 resnet50; do
    for batch in 1 16; do
        for threads in 1 2; do
            ours=$("$build/tests/bench/networks" "$network" "$batch" "$threads")
            theirs=$("$python" tests/bench/peers.py "$network" "$batch" "$threads")
            echo "$network $batch $threads $ours $theirs" | awk '{printf "%-16s %5d %7d %10.1f %12.1f %7.2f %9.0f\n", $1, $2, $3, $4, $7, $4 / $7, $6}'
        done
    done
done
echo
echo "exact identity-balanced mAP of 10,000 x 512, all pairs:"
"$build/tests/bench/ranking"
