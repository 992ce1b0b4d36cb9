/* hash_weights.h: weights and inputs that two programs can make alike without sharing a random generator: element i of a tensor is a pure
 * function of its name, the seed and i (FNV-1a and splitmix64). For tests against reference values and for benchmarks. */
#ifndef JRE_HASH_WEIGHTS_H
#define JRE_HASH_WEIGHTS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float hash_unit(uint64_t base, uint64_t i) {
    uint64_t z = base + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (float)((int32_t)(z >> 40) - (1 << 23)) * 0x1p-23f;
}

static inline uint64_t hash_base(const char *name, uint64_t seed) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    return h + seed * 0x9E3779B97F4A7C15u;
}

/* Values by the last part of the name: running statistics and norms near 0 and 1, filters with the gain of their fan-in. */
static inline void hash_fill(const char *name, uint64_t seed, double gain, int rank, const int64_t *dim, float *out) {
    const char *last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
    int64_t count = 1, fan_in = 1;
    for (int i = 0; i < rank; i++) count *= dim[i];
    for (int i = 1; i < rank; i++) fan_in *= dim[i];
    float scale = (float)sqrt(3.0 * (rank == 4 ? gain : 1.0) / (double)fan_in), shift = 0;
    if (!strcmp(last, "running_mean") || !strcmp(last, "bias")) scale = 0.1f;
    else if (!strcmp(last, "running_var")) scale = 0.5f, shift = 1;
    else if (rank == 1) scale = 0.25f, shift = 1;
    uint64_t base = hash_base(name, seed);
    for (int64_t i = 0; i < count; i++) {
        float product = scale * hash_unit(base, (uint64_t)i);
        out[i] = shift + product;
    }
}

#endif
