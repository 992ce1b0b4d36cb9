/* made_up.c: weights that nobody trained and pictures that nobody took: for benchmarks, and for tests that compare with other programs.
 *
 * Element i of a tensor is a function of its name, a seed and i alone (FNV-1a and splitmix64), so a program in another language makes the same
 * bits without a random generator in common. A library says outright that it makes weights up (weight_library_make_up); no run does. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

enum { SEED = 1 };

float made_up_unit(uint64_t base, uint64_t i) {
    uint64_t z = base + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (float)((int32_t)(z >> 40) - (1 << 23)) * 0x1p-23f;
}

uint64_t made_up_base(const char *name, uint64_t seed) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    return h + seed * 0x9E3779B97F4A7C15u;
}

/* By the last part of the name: running statistics and norms near 0 and 1, filters with the gain of their fan-in. */
void made_up_weight(const char *name, double gain, Shape shape, float *out) {
    const char *last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
    int64_t count = shape_elements(shape, 1), fan_in = 1;
    for (int i = 1; i < shape.rank; i++) fan_in *= shape.dim[i];
    float scale = (float)sqrt(3.0 * (shape.rank == 4 ? gain : 1.0) / (double)fan_in), shift = 0;
    if (!strcmp(last, "running_mean") || !strcmp(last, "bias")) scale = 0.1f;
    else if (!strcmp(last, "running_var")) scale = 0.5f, shift = 1;
    else if (shape.rank == 1) scale = 0.25f, shift = 1;
    uint64_t base = made_up_base(name, SEED);
    for (int64_t i = 0; i < count; i++) {
        float product = scale * made_up_unit(base, (uint64_t)i);
        out[i] = shift + product;
    }
}

void made_up_input(float *input, size_t count) {
    uint64_t base = made_up_base("input", SEED);
    for (size_t i = 0; i < count; i++) input[i] = 2 * made_up_unit(base, i);
}
