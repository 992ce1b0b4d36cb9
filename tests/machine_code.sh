#!/bin/sh
# Kernels that multiply and add do it side by side, rounded once, in what the compiler made of them for each instruction level.
# machine_code.sh BUILD: speaks TAP.
build=$1
kernels=$(grep -lE 'vec_(fused|exp|log|tanh|sigmoid|erf)|tile_add' kernels/cpu/*.c)
cases=0

# vector_steps OBJECT LEVEL: lines of vector instructions as wide as the level; level 2 has none that round once.
vector_steps() {
    objdump=objdump
    case $2 in
    0) ! command -v aarch64-linux-gnu-objdump >/dev/null || objdump=aarch64-linux-gnu-objdump
       wanted='fml[as].*v[0-9]+\.4s' ;;
    2) wanted='mulps.*%xmm' ;;
    3) wanted='vfn?m(add|sub)[0-9]*ps.*%ymm' ;;
    4) wanted='vfn?m(add|sub)[0-9]*ps.*%zmm' ;;
    esac
    $objdump -d --no-show-raw-insn "$1" | grep -cE "$wanted"
}

for kernel in $kernels; do
    for object in "$build/${kernel%.c}".v?.o; do
        level=${object%.o}; level=${level##*.v}
        cases=$((cases + 1))
        steps=$(vector_steps "$object" "$level")
        library=$(nm -u "$object" | grep -wE 'fmaf?' | tr -d ' ')
        if [ "$steps" -gt 0 ] && [ -z "$library" ]; then echo "ok $cases - $kernel, level $level: $steps"
        else echo "not ok $cases - $kernel, level $level: $steps vector steps${library:+, calls $library of the library}"; fi
    done
done
echo "1..$cases"
