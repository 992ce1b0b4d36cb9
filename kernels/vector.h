/* vector.h: numbers side by side, as wide as the instruction level that is being built; a part of kernels.h.
 *
 * GCC's vector extensions, and intrinsics only for what they cannot say. Every function gives the same bits for a number
 * wherever it lies in a vector. */
#ifndef JRE_VECTOR_H
#define JRE_VECTOR_H

#include <math.h>
#include <stdbool.h>
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
/* Rows become columns: lane i of v[j] is what lane j of v[i] was. Steps of 1, 2, 4, .. swap the off-diagonal quarters of ever larger squares. */
#if KERNEL_LANES == 16
#define VEC_SWAP_1(a, b) a = __builtin_shufflevector(x, y, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30), \
                         b = __builtin_shufflevector(x, y, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
#define VEC_SWAP_2(a, b) a = __builtin_shufflevector(x, y, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29), \
                         b = __builtin_shufflevector(x, y, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define VEC_SWAP_4(a, b) a = __builtin_shufflevector(x, y, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27), \
                         b = __builtin_shufflevector(x, y, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define VEC_SWAP_8(a, b) a = __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), \
                         b = __builtin_shufflevector(x, y, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#elif KERNEL_LANES == 8
#define VEC_SWAP_1(a, b) a = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14), b = __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15)
#define VEC_SWAP_2(a, b) a = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13), b = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15)
#define VEC_SWAP_4(a, b) a = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11), b = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15)
#else
#define VEC_SWAP_1(a, b) a = __builtin_shufflevector(x, y, 0, 4, 2, 6), b = __builtin_shufflevector(x, y, 1, 5, 3, 7)
#define VEC_SWAP_2(a, b) a = __builtin_shufflevector(x, y, 0, 1, 4, 5), b = __builtin_shufflevector(x, y, 2, 3, 6, 7)
#endif
#define VEC_SWAPS(step)                                                                                                 \
    for (int i = 0; i < KERNEL_LANES; i++) {                                                                            \
        if (i & step) continue;                                                                                         \
        const Vec x = v[i], y = v[i + step];                                                                            \
        VEC_SWAP_##step(v[i], v[i + step]);                                                                             \
    }
static inline void vec_transpose(Vec *v) {
    VEC_SWAPS(1)
    VEC_SWAPS(2)
#if KERNEL_LANES >= 8
    VEC_SWAPS(4)
#endif
#if KERNEL_LANES == 16
    VEC_SWAPS(8)
#endif
}
#undef VEC_SWAPS
#undef VEC_SWAP_1
#undef VEC_SWAP_2
#undef VEC_SWAP_4
#undef VEC_SWAP_8
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
/* Half as many numbers in 64 bits, for sums of many. */
typedef float VecHalf __attribute__((vector_size(2 * KERNEL_LANES)));
typedef double VecWide __attribute__((vector_size(4 * KERNEL_LANES)));
enum { WIDE_LANES = KERNEL_LANES / 2 };
static inline VecWide wide_load(const float *from) {
    VecHalf half;
    __builtin_memcpy(&half, from, sizeof half);
    return __builtin_convertvector(half, VecWide);
}
static inline double wide_sum(VecWide v) {
    double lane[WIDE_LANES];
    __builtin_memcpy(lane, &v, sizeof lane);
    for (int step = 1; step < WIDE_LANES; step *= 2)
        for (int i = 0; i < WIDE_LANES; i += 2 * step) lane[i] += lane[i + step];
    return lane[0];
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

/* A loaded vector stays in its register: gcc would rather read it from memory again for each use. */
#if defined(__x86_64__)
#define KERNEL_KEEP(vector) __asm__("" : "+v"(vector))
#elif defined(__aarch64__)
#define KERNEL_KEEP(vector) __asm__("" : "+w"(vector))
#else
#define KERNEL_KEEP(vector) (void)0
#endif

/* ---- tiles of sums: the one micro-kernel of products ---------------------------------------------------------------- */

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { TILE_ROWS = 12 };                                   /* 24 sums, 2 weights, 1 input of 32 registers */
#define TILE_EACH(A) A(1) A(2) A(3) A(4) A(5) A(6) A(7) A(8) A(9) A(10) A(11) A(12)
#else
enum { TILE_ROWS = 6 };                                    /* 12 sums, 2 weights, 1 input of 16 registers */
#define TILE_EACH(A) A(1) A(2) A(3) A(4) A(5) A(6)
#endif
enum { TILE_VECTORS = 2, TILE_PANEL = TILE_VECTORS * KERNEL_LANES };

/* sum[i] += x[i][0 .. depth-1] times the rows of a panel of `vectors` vectors, one after the other; returns the panel's
 * end. rows and vectors are constants where this is called, one function each (TILE_EACH), so that sums stay in registers. */
KERNEL_INLINE const float *tile_add(Vec (*sum)[TILE_VECTORS], const float *const *x, const float *panel, int64_t depth, int rows, int vectors) {
    for (int64_t k = 0; k < depth; k++, panel += vectors * KERNEL_LANES) {
        Vec w[TILE_VECTORS];
        KERNEL_UNROLL(2)
        for (int v = 0; v < vectors; v++) w[v] = vec_load(panel + v * KERNEL_LANES);
        KERNEL_UNROLL(12)
        for (int i = 0; i < rows; i++) {
            const Vec value = vec_all(x[i][k]);
            KERNEL_UNROLL(2)
            for (int v = 0; v < vectors; v++) sum[i][v] = vec_fused(w[v], value, sum[i][v]);
        }
    }
    return panel;
}

/* ---- functions ------------------------------------------------------------------------------------------------------- */

/* Largest errors over all floats at every level (tests/vectors.c walks them), in units of the last place:
 *   exp 1.0   log 0.9   tanh 1.4   sigmoid 2.4   erf 1.4   pow 0.51   sin, cos 0.51, and 0.57 past 2^20
 * Infinities, NaN, denormals and zeros with their sign come out as C's own functions give them. Polynomials are the best ones
 * of their degree for the relative error (Remez), fitted in 40 digits. */
typedef int32_t VecInt __attribute__((vector_size(4 * KERNEL_LANES)));
typedef uint32_t VecBits __attribute__((vector_size(4 * KERNEL_LANES)));      /* for what may pass the ends of VecInt */

/* a where the mask of a comparison is set, b elsewhere. */
static inline Vec vec_choose(VecInt mask, Vec a, Vec b) { return (Vec)((mask & (VecInt)a) | (~mask & (VecInt)b)); }
static inline VecInt vec_sign(Vec v) { return (VecInt)v & INT32_MIN; }
/* The larger, the smaller of two numbers, NaN if either is. */
#if KERNEL_LEVEL == 4
#define VEC_EXTREME(which, sign) (Vec)_mm512_##which##_ps((__m512)v, (__m512)held)      /* held when either is NaN */
#elif KERNEL_LEVEL == 3
#define VEC_EXTREME(which, sign) (Vec)_mm256_##which##_ps((__m256)v, (__m256)held)
#elif KERNEL_LEVEL == 2
#define VEC_EXTREME(which, sign) (Vec)_mm_##which##_ps((__m128)v, (__m128)held)
#else
#define VEC_EXTREME(which, sign) vec_choose(v sign held, v, held)
#endif
static inline Vec vec_max(Vec v, Vec held) { return vec_choose(v != v, v, VEC_EXTREME(max, >)); }
static inline Vec vec_min(Vec v, Vec held) { return vec_choose(v != v, v, VEC_EXTREME(min, <)); }
#undef VEC_EXTREME
/* Lane i becomes v[lane[i]]. */
static inline Vec vec_lanes(Vec v, VecInt lane) {
#if KERNEL_LEVEL == 4
    return (Vec)_mm512_permutexvar_ps((__m512i)lane, (__m512)v);
#elif KERNEL_LEVEL == 3
    return (Vec)_mm256_permutevar8x32_ps((__m256)v, (__m256i)lane);
#else
    Vec result;
    for (int i = 0; i < KERNEL_LANES; i++) result[i] = v[lane[i]];
    return result;
#endif
}
static inline Vec vec_abs(Vec v) { return (Vec)((VecInt)v & INT32_MAX); }
static inline bool vec_any(VecInt mask) {
#if KERNEL_LEVEL == 4
    return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif KERNEL_LEVEL == 3
    return _mm256_movemask_ps((__m256)mask) != 0;
#elif KERNEL_LEVEL == 2
    return _mm_movemask_ps((__m128)mask) != 0;
#else
    for (int i = 0; i < KERNEL_LANES; i++)
        if (mask[i]) return true;
    return false;
#endif
}

/* x = n log 2 + r; e^r = 1 + r + r^2 Q(r); times 2^n in two steps, so that only the last one rounds a denormal. Past -104 and
 * 89 nothing changes any more: zero and infinity. */
static inline Vec vec_exp(Vec x) {
    const Vec shift = vec_all(0x1.8p23f);
    x = vec_clamp(x, -104.0f, 89.0f);
    Vec shifted = vec_fused(x, vec_all(0x1.715476p0f), shift), n = shifted - shift;
    Vec r = vec_fused(n, vec_all(-0x1.63p-1f), x);
    r = vec_fused(n, vec_all(0x1.bd0106p-13f), r);
    Vec q = vec_fused(vec_all(0x1.9f077ep-13f), r, vec_all(0x1.6d8dacp-10f));
    q = vec_fused(q, r, vec_all(0x1.111272p-7f));
    q = vec_fused(q, r, vec_all(0x1.55548ep-5f));
    q = vec_fused(q, r, vec_all(0x1.555554p-3f));
    q = vec_fused(q, r, vec_all(0.5f));
    Vec power = 1.0f + vec_fused(r * r, q, r);
    VecInt exponent = (VecInt)((VecBits)shifted - (VecBits)shift), half = exponent >> 1;
    return power * (Vec)((VecBits)(half + 127) << 23) * (Vec)((VecBits)(exponent - half + 127) << 23);
}

/* x = 2^e (1 + f) with 1 + f between the roots of 1/2 and 2; log(1 + f) = f - f^2 / 2 + f^3 P(f). */
static inline Vec vec_log(Vec x) {
    VecInt tiny = x < 0x1p-126f, root = (VecInt)vec_all(0x1.6a09e6p-1f);
    Vec scaled = vec_choose(tiny, x * 0x1p23f, x);
    VecInt bits = (VecInt)((VecBits)scaled - (VecBits)root);
    VecInt exponent = (bits >> 23) + (tiny & -23);
    Vec e = __builtin_convertvector(exponent, Vec), f = (Vec)((bits & 0x7fffff) + root) - 1.0f;
    Vec p = vec_fused(vec_all(0x1.145db2p-4f), f, vec_all(-0x1.de4018p-4f));
    p = vec_fused(p, f, vec_all(0x1.e6efd0p-4f));
    p = vec_fused(p, f, vec_all(-0x1.fc214ap-4f));
    p = vec_fused(p, f, vec_all(0x1.23376p-3f));
    p = vec_fused(p, f, vec_all(-0x1.555c52p-3f));
    p = vec_fused(p, f, vec_all(0x1.99a4b6p-3f));
    p = vec_fused(p, f, vec_all(-0x1.000006p-2f));
    p = vec_fused(p, f, vec_all(0x1.555548p-2f));
    Vec square = f * f;
    Vec rest = vec_fused(e, vec_all(-0x1.bd0106p-13f), square * f * p);
    rest = vec_fused(square, vec_all(-0.5f), rest);
    Vec result = vec_fused(e, vec_all(0x1.63p-1f), f + rest);
    result = vec_choose(x < __builtin_inff(), result, x);                /* infinity and NaN */
    result = vec_choose(x == 0.0f, vec_all(-__builtin_inff()), result);
    return vec_choose(x < 0.0f, vec_all(__builtin_nanf("")), result);
}

/* x + x^3 P(x^2) near 0, where 1 - 2 / (e^2|x| + 1) would lose digits. */
static inline Vec vec_tanh(Vec x) {
    Vec size = vec_abs(x), square = x * x;
    Vec p = vec_fused(vec_all(0x1.23e4ep-9f), square, vec_all(-0x1.0ec0fp-7f));
    p = vec_fused(p, square, vec_all(0x1.6411a4p-6f));
    p = vec_fused(p, square, vec_all(-0x1.b9f9e6p-5f));
    p = vec_fused(p, square, vec_all(0x1.11109cp-3f));
    p = vec_fused(p, square, vec_all(-0x1.555554p-2f));
    Vec near = vec_fused(square * size, p, size), far = 1.0f - 2.0f / (vec_exp(size + size) + 1.0f);
    return (Vec)((VecInt)vec_choose(size < 0.6f, near, far) | vec_sign(x));
}

/* 1 / (1 + e^-x), of the exponential that is at most 1. */
static inline Vec vec_sigmoid(Vec x) {
    Vec e = vec_exp(-vec_abs(x));
    return vec_choose(x < 0.0f, e, vec_all(1.0f)) / (1.0f + e);
}

/* x + x Q(x^2) near 0; further out 1 - e^-P(|x|), P being - log(1 - erf). */
static inline Vec vec_erf(Vec x) {
    Vec size = vec_abs(x), square = x * x, bounded = vec_clamp(size, 0.0f, 4.0f);
    Vec q = vec_fused(vec_all(0x1.5cd4aap-14f), square, vec_all(-0x1.aa3f2cp-11f));
    q = vec_fused(q, square, vec_all(0x1.54c7f4p-8f));
    q = vec_fused(q, square, vec_all(-0x1.b80e9p-6f));
    q = vec_fused(q, square, vec_all(0x1.ce2e0ap-4f));
    q = vec_fused(q, square, vec_all(-0x1.812742p-2f));
    q = vec_fused(q, square, vec_all(0x1.06eba8p-3f));
    Vec p = vec_fused(vec_all(-0x1.6309a4p-16f), bounded, vec_all(0x1.c85c26p-12f));
    p = vec_fused(p, bounded, vec_all(-0x1.1196e2p-8f));
    p = vec_fused(p, bounded, vec_all(0x1.9bb516p-6f));
    p = vec_fused(p, bounded, vec_all(-0x1.bb926ep-4f));
    p = vec_fused(p, bounded, vec_all(-0x1.444474p-1f));
    p = vec_fused(p, bounded, vec_all(-0x1.212846p0f));
    p = vec_fused(p, bounded, vec_all(0x1.70d5eap-13f));
    Vec near = vec_fused(size, q, size), far = 1.0f - vec_exp(p);
    return (Vec)((VecInt)vec_choose(size < 0.925f, near, far) | vec_sign(x));
}

/* ---- functions that need more digits on the way: in 64 bits, half a vector at a time ------------------------------------- */

typedef double VecWide __attribute__((vector_size(4 * KERNEL_LANES)));
typedef int64_t VecWideInt __attribute__((vector_size(4 * KERNEL_LANES)));
typedef uint64_t VecWideBits __attribute__((vector_size(4 * KERNEL_LANES)));
typedef float VecHalf __attribute__((vector_size(2 * KERNEL_LANES)));

static inline VecWide wide_half(Vec v, int half) {
    VecHalf part[2];
    __builtin_memcpy(part, &v, sizeof v);
    return __builtin_convertvector(part[half], VecWide);
}
static inline Vec wide_joined(VecWide first, VecWide second) {
    VecHalf part[2] = {__builtin_convertvector(first, VecHalf), __builtin_convertvector(second, VecHalf)};
    Vec v;
    __builtin_memcpy(&v, part, sizeof v);
    return v;
}
static inline VecWide wide_all(double x) { return x - (VecWide){0}; }
static inline VecWide wide_choose(VecWideInt mask, VecWide a, VecWide b) { return (VecWide)((mask & (VecWideInt)a) | (~mask & (VecWideInt)b)); }
/* The whole number nearest to x, both as a number and as an integer; |x| < 2^51. */
static inline VecWide wide_round(VecWide x, VecWideInt *whole) {
    const VecWide shift = wide_all(0x1.8p52);
    VecWide shifted = x + shift;
    *whole = (VecWideInt)((VecWideBits)shifted - (VecWideBits)shift);
    return shifted - shift;
}

/* sin(x + quarter pi / 2), |x| up to WIDE_SINE: the first part of pi / 2 has 33 bits, so n times it is exact. */
#define WIDE_SINE 0x1p20f
static inline VecWide wide_sine(VecWide x, int quarter) {
    VecWideInt k;
    VecWide n = wide_round(x * 0x1.45f306dc9c883p-1, &k);
    VecWide r = x - n * 0x1.921fb544p0 - n * 0x1.0b4611a626331p-34, z = r * r;
    k += quarter;
    VecWide sine = r * (1.0 + z * (-0.16666666641426994 + z * (0.0083333293623298263 + z * (-0.0001983932715022238 + z * 2.7182373867966256e-06))));
    VecWide cosine = 1.0 - 0.5 * z + z * z * (0.041666666622477581 + z * (-0.0013888883722650424 + z * (2.4799511767879387e-05 - z * 2.7209547924051052e-07)));
    VecWide result = wide_choose((k & 1) != 0, cosine, sine);
    return (VecWide)((VecWideBits)result ^ ((VecWideBits)(k & 2) << 62));
}
static inline Vec vec_sine(Vec x, int quarter, float (*precise)(float)) {
    Vec result = wide_joined(wide_sine(wide_half(x, 0), quarter), wide_sine(wide_half(x, 1), quarter));
    if (!vec_any(~(vec_abs(x) <= WIDE_SINE))) return result;
    for (int i = 0; i < KERNEL_LANES; i++)
        if (!(x[i] <= WIDE_SINE && x[i] >= -WIDE_SINE)) result[i] = precise(x[i]);
    return result;
}
/* Past 2^20 the C library's own, a lane at a time. */
static inline Vec vec_sin(Vec x) { return vec_sine(x, 0, sinf); }
static inline Vec vec_cos(Vec x) { return vec_sine(x, 1, cosf); }

/* 2^(y log2 x) for finite x above 0: log2 m = s R(s^2) with s = (m - 1) / (m + 1), m between the roots of 1/2 and 2. */
static inline VecWide wide_pow(VecWide x, VecWide y) {
    const VecWideInt root = (VecWideInt)wide_all(0x1.6a09e667f3bcdp-1);
    VecWideInt bits = (VecWideInt)((VecWideBits)x - (VecWideBits)root), exponent = bits >> 52, whole;
    VecWide m = (VecWide)((bits & 0xfffffffffffff) + root), s = (m - 1.0) / (m + 1.0), z = s * s;
    VecWide log2 = s * (2.8853900817902649 + z * (0.96179667311571515 + z * (0.57708362874301966 + z * (0.4116700483787929 + z * 0.34078039863637005))));
    VecWide power = y * (log2 + __builtin_convertvector(exponent, VecWide));
    power = wide_choose(power < 160.0, power, wide_all(160.0));
    power = wide_choose(power > -160.0, power, wide_all(-160.0));
    VecWide r = power - wide_round(power, &whole);
    VecWide p = 1.5201835260070851e-05 * r + 0.00015469422944935305;
    p = p * r + 0.0013333923943682372;
    p = p * r + 0.009618026845200453;
    p = p * r + 0.055504103504993317;
    p = p * r + 0.24022651201180675;
    p = p * r + 0.69314718072971759;
    p = p * r + 1.0;
    return p * (VecWide)((VecWideBits)(whole + 1023) << 52);
}
/* Where x is below 0 or something is not finite the C library's own, a lane at a time; +0 to a power above 0 is +0. */
static inline Vec vec_pow(Vec x, Vec y) {
    const float most = __builtin_inff();
    VecInt zero = ((VecInt)x == 0) & (y > 0.0f) & (y < most);
    VecInt plain = ((x > 0.0f) & (x < most) & (vec_abs(y) < most)) | zero;
    Vec result = wide_joined(wide_pow(wide_half(x, 0), wide_half(y, 0)), wide_pow(wide_half(x, 1), wide_half(y, 1)));
    result = vec_choose(zero, vec_all(0.0f), result);
    if (!vec_any(~plain)) return result;
    for (int i = 0; i < KERNEL_LANES; i++)
        if (!plain[i]) result[i] = powf(x[i], y[i]);
    return result;
}

#endif
