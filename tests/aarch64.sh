#!/bin/sh
# The kernels on another kind of machine: cross-compiled for aarch64 by Debian's gcc, run under qemu-user.
#   aarch64.sh COUNTS PACKAGES...    runs the tests that need nothing but kernels/; how many passed, failed, were skipped goes to COUNTS
# What is missing is installed as `make deps` does. cmocka for arm64 is fetched by apt with lists of its own and unpacked in the build
# folder, so that the system's list of architectures stays as it was. Where this cannot be done, it is one skipped test.
set -u
counts=$1; shift
build=build/aarch64 root=$PWD/build/aarch64/root library=usr/lib/aarch64-linux-gnu

skip() {
    echo "skipped: kernels on aarch64: $1"
    echo 0 0 1 > "$counts"
    exit 0
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

install_tools() {
    command -v apt-get >/dev/null || return 1
    echo "installing: $*"
    as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
} 2>"$build/install.err"

apt_for_arm() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::Lists="$root/lists" -o Dir::Cache="$root/cache" -o APT::Sandbox::User= "$@"
}

unpack_cmocka() (
    mkdir -p "$root/lists/partial" "$root/cache/archives/partial" && cd "$root" &&
    apt_for_arm update && apt_for_arm download libcmocka0:arm64 libcmocka-dev:arm64 &&
    for package in libcmocka*.deb; do dpkg -x "$package" . || return 1; done &&
    rm -rf lists cache
) >"$build/cmocka.err" 2>&1

mkdir -p "$build" "$(dirname "$counts")"
command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null && [ -e /usr/aarch64-linux-gnu/include/stdio.h ] ||
    install_tools "$@" || skip "no cross compiler and emulator, and they cannot be installed here ($*)"
[ -e "$root/$library/libcmocka.so" ] || unpack_cmocka || skip "cmocka for arm64 cannot be fetched: $(tail -1 "$build/cmocka.err")"

if ! make --no-print-directory -j"$(nproc)" B=$build CC=aarch64-linux-gnu-gcc MACHINE=aarch64 MODE="-O2 -g -isystem $root/usr/include -L$root/$library" kernel-tests >"$build/make.log" 2>&1; then
    tail -20 "$build/make.log"
    echo "not ok - kernels do not build for aarch64"
    echo 0 1 0 > "$counts"
    exit 0
fi
export JRE_TEST_EVERY="${JRE_TEST_EVERY:-4}"
echo "$build: one case in $JRE_TEST_EVERY, as the machine is emulated (JRE_TEST_EVERY=1 for all)"
JRE_UNDER="qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$root/$library" JRE_UNITS="$(make -s print-kernel-tests) tests/machine_code.sh" tests/run.sh run $build "$counts"
