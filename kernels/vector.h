/* vector.h: numbers side by side, as wide as the instruction level that is being built; a part of kernels.h.
 *
 * GCC's vector extensions, and intrinsics only for what they cannot say. Every function gives the same bits for a number
 * wherever it lies in a vector. */
#ifndef JRE_VECTOR_H
#define JRE_VECTOR_H

#include <stdint.h>

/* ---- vectors of the level that is being built ------------------------------------------------------------------- */

#if KERNEL_LEVEL == 4
#define KERNEL_LANES 16
#elif KERNEL_LEVEL == 3
#define KERNEL_LANES 8
#else
#define KERNEL_LANES 4                     /* registry.c's kernel_level_lanes says the same */
#endif
typedef float Vec __attribute__((vector_size(4 * KERNEL_LANES)));
#if KERNEL_LEVEL >= 2                      /* for what vector extensions cannot say: fused steps, parts of a vector, min, max */
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

static inline Vec vec_load(const float *from) {
    Vec v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
static inline void vec_store(float *to, Vec v) { __builtin_memcpy(to, &v, sizeof v); }
/* The first `count` lanes; on loading, the others are 0. 0 < count <= KERNEL_LANES. */
static inline Vec vec_load_some(const float *from, int64_t count) {
#if KERNEL_LEVEL == 4
    return (Vec)_mm512_maskz_loadu_ps((__mmask16)(0xffffu >> (KERNEL_LANES - count)), from);
#else
    float lane[KERNEL_LANES] = {0};
    for (int i = 0; i < KERNEL_LANES && i < count; i++) lane[i] = from[i];
    return vec_load(lane);
#endif
}
static inline void vec_store_some(float *to, Vec v, int64_t count) {
#if KERNEL_LEVEL == 4
    _mm512_mask_storeu_ps(to, (__mmask16)(0xffffu >> (KERNEL_LANES - count)), (__m512)v);
#else
    for (int i = 0; i < KERNEL_LANES && i < count; i++) to[i] = v[i];
#endif
}
/* min(max(v, low), high); NaN stays NaN: x86 gives the second operand when either is NaN. */
static inline Vec vec_clamp(Vec v, float low, float high) {
#if KERNEL_LEVEL == 4
    return (Vec)_mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), (__m512)v));
#elif KERNEL_LEVEL == 3
    return (Vec)_mm256_min_ps(_mm256_set1_ps(high), _mm256_max_ps(_mm256_set1_ps(low), (__m256)v));
#elif KERNEL_LEVEL == 2
    return (Vec)_mm_min_ps(_mm_set1_ps(high), _mm_max_ps(_mm_set1_ps(low), (__m128)v));
#else
    for (int i = 0; i < KERNEL_LANES; i++) {
        float x = v[i] < low ? low : v[i];
        v[i] = x > high ? high : x;
    }
    return v;
#endif
}
/* The lanes added up: neighbors first, then neighbors of those sums. */
static inline float vec_sum(Vec v) {
    float lane[KERNEL_LANES];
    vec_store(lane, v);
    for (int step = 1; step < KERNEL_LANES; step *= 2)
        for (int i = 0; i < KERNEL_LANES; i += 2 * step) lane[i] += lane[i + step];
    return lane[0];
}
/* The sums of KERNEL_LANES vectors as one vector, lane i that of v[i], each in the order of vec_sum. Overwrites v. */
static inline Vec vec_sums(Vec *v) {
#if KERNEL_LANES == 16
    for (int i = 0; i < 16; i += 2)
        v[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
               __builtin_shufflevector(v[i], v[i + 1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    for (int i = 0; i < 16; i += 4)
        v[i] = __builtin_shufflevector(v[i], v[i + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
               __builtin_shufflevector(v[i], v[i + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    for (int i = 0; i < 16; i += 8)
        v[i] = __builtin_shufflevector(v[i], v[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
               __builtin_shufflevector(v[i], v[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    return __builtin_shufflevector(v[0], v[8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
           __builtin_shufflevector(v[0], v[8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
#elif KERNEL_LANES == 8
    for (int i = 0; i < 8; i += 2)
        v[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
               __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    for (int i = 0; i < 8; i += 4)
        v[i] = __builtin_shufflevector(v[i], v[i + 2], 0, 1, 8, 9, 4, 5, 12, 13) +
               __builtin_shufflevector(v[i], v[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    return __builtin_shufflevector(v[0], v[4], 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(v[0], v[4], 4, 5, 6, 7, 12, 13, 14, 15);
#else
    for (int i = 0; i < 4; i += 2)
        v[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 4, 2, 6) + __builtin_shufflevector(v[i], v[i + 1], 1, 5, 3, 7);
    return __builtin_shufflevector(v[0], v[2], 0, 1, 4, 5) + __builtin_shufflevector(v[0], v[2], 2, 3, 6, 7);
#endif
}
/* a * b + c, rounded once where the level can. Said outright, because what a compiler contracts by itself may differ
 * between two tile sizes, and so would the bits. */
static inline Vec vec_fused(Vec a, Vec b, Vec c) {
#if KERNEL_LEVEL == 4
    return (Vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif KERNEL_LEVEL == 3
    return (Vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (Vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}
static inline float fused(float a, float b, float c) {
#if KERNEL_LEVEL >= 3 || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}
/* x in every lane; x - 0 keeps the sign of a zero, which x + 0 would not. */
static inline Vec vec_all(float x) { return x - (Vec){0}; }

#define KERNEL_INLINE static inline __attribute__((always_inline))
#define KERNEL_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define KERNEL_UNROLL(n) KERNEL_PRAGMA(clang loop unroll(full))
#define KERNEL_INDEPENDENT                               /* its pragma warns of every loop that calls libm */
#else
#define KERNEL_UNROLL(n) KERNEL_PRAGMA(GCC unroll n)
#define KERNEL_INDEPENDENT KERNEL_PRAGMA(GCC ivdep)      /* iterations do not touch each other's elements */
#endif

#endif
