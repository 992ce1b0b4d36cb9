/* limit.c: what no kernel of a level can surpass: multiply-adds in registers, and reading.
 *
 * The yardstick of `jre explain`, `jre bench` and tests/bench/kernels.c, built like the kernels that are held against it. The sums wait
 * for nobody but themselves, so there must be enough of them to hide a step's latency. GFLOP/s of one core at levels 2, 3, 4: four sums
 * 20, 59, 118; eight 39, 118, 118; twelve 51, 118, 118, and registers are left for the two factors. */
#include "../kernels.h"

enum { SUMS = 12 };

static float multiply(int64_t rounds) {
    Vec sum[SUMS], scale = vec_all(0.5f), more = vec_all(1.0f);
    for (int i = 0; i < SUMS; i++) sum[i] = vec_all((float)i);
    for (int64_t round = 0; round < rounds; round++) {
        KERNEL_UNROLL(12)
        for (int i = 0; i < SUMS; i++) sum[i] = vec_fused(sum[i], scale, more);
    }
    for (int i = 1; i < SUMS; i++) sum[0] += sum[i];
    return vec_sum(sum[0]);
}

static float read_all(const float *from, int64_t count) {
    enum { LOADS = 8 };
    Vec sum[LOADS] = {{0}};
    float rest = 0;
    int64_t i = 0;
    for (; i + LOADS * KERNEL_LANES <= count; i += LOADS * KERNEL_LANES) {
        KERNEL_UNROLL(8)
        for (int k = 0; k < LOADS; k++) sum[k] += vec_load(from + i + k * KERNEL_LANES);
    }
    for (int k = 1; k < LOADS; k++) sum[0] += sum[k];
    for (; i < count; i++) rest += from[i];
    return vec_sum(sum[0]) + rest;
}

static const KernelLimit limit = {KERNEL_LEVEL, 2.0 * SUMS * KERNEL_LANES, multiply, read_all};
KERNEL_LIMIT(limit)
