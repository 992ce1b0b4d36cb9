#!/bin/sh
# Comparisons with programs from PyPI: each script prints `name: N compared, worst difference X` and fails when it disagrees.
#   run.sh BUILD             makes the environment and runs every comparison
#   run.sh BUILD NAME...     runs those: pillow, splits, ...
#   run.sh BUILD --install   makes the environment alone, with those whose speed alone is of interest (speed.txt), and prints its python
# The environment lies in BUILD/peers, or where JRE_PEERS says. torch.txt is 6 GB once it lies there: JRE_TORCH=no leaves it out, and
# what needs it then says that it was skipped.
set -eu
build=$1
shift
here=tests/peers
place=${JRE_PEERS:-$build/peers}
python=$place/bin/python
export JRE_BUILD=$build JRE_STDLIB=$PWD/stdlib PYTHONPATH=$PWD/$here PYTHONDONTWRITEBYTECODE=1

# Installs a list once; what was installed is remembered beside the environment.
install() {
    cmp -s "$here/$1" "$place/$1" && return
    echo "peers: installing $here/$1 into $place" >&2
    "$python" -m pip install -q --disable-pip-version-check -r "$here/$1" >&2 && cp "$here/$1" "$place/$1"
}

command -v python3 >/dev/null || { echo "peers: python3 with venv is needed" >&2; exit 1; }
[ -x "$python" ] || python3 -m venv "$place"
install requirements.txt
if [ "${JRE_TORCH:-}" != no ]; then
    install torch.txt || echo "peers: torch could not be installed; what needs it is skipped" >&2
fi
if [ "${1:-}" = --install ]; then
    install speed.txt || echo "peers: speed.txt could not be installed; what needs it is left out" >&2
    echo "$python"
    exit
fi
if [ $# = 0 ]; then
    for script in "$here"/*.py; do set -- "$@" "$(basename "$script" .py)"; done
fi
failed=
for name; do
    [ "$name" = common ] && continue
    "$python" "$here/$name.py" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "peers: these do not agree:$failed"; exit 1; }
