/* kernels.h: the ABI between scheduled graphs and the code that computes.
 *
 * A kernel sees pointers, sizes, strides, attributes and workspace; it knows no graph, no language, no file. Kernels
 * register themselves in the file that defines them (KERNEL below); registry.c finds the best one for a call.
 *
 * Tensors have the language's order of dimensions, [N, C, H, W]. Where they lie is in the strides: four-dimensional
 * activations are stored channels last (stride of C is 1), everything else row-major. Kernels may rely on that only
 * after `fits` has looked. A `units` count splits a call into independent pieces: any partition of 0..units over any
 * number of threads must give the same bits, so no piece may add into another's output, and each output element's
 * order of summation is fixed by the shapes of one picture alone, never by the batch. */
#ifndef JRE_KERNELS_H
#define JRE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KERNEL_RANK = 6, KERNEL_INPUTS = 6, KERNEL_ATTRIBUTES = 10 };

typedef enum { KERNEL_F32, KERNEL_F64, KERNEL_TYPES } KernelType;

typedef struct {
    void *data;                           /* a pointer of the device that runs the kernel */
    KernelType type;
    int rank;
    int64_t dim[KERNEL_RANK];
    int64_t stride[KERNEL_RANK];          /* in elements; 0 where a dimension is stretched */
} TensorView;

typedef struct {
    TensorView out;
    TensorView in[KERNEL_INPUTS];
    int inputs;
    double attribute[KERNEL_ATTRIBUTES];  /* by the enums below */
    const void *packed;                   /* in[1] as `pack` laid it out, where the kernel packs */
    void *workspace;                      /* workspace_bytes(call) bytes for the caller's thread alone, 64-byte aligned */
} KernelCall;

/* Names of attributes, in order, as ops.def has them; a test holds the two together. */
#define CONV_ATTRIBUTES(A)  A(CONV, stride) A(CONV, pad) A(CONV, dilation) A(CONV, groups) A(CONV, low) A(CONV, high)
#define POOL_ATTRIBUTES(A)  A(POOL, size) A(POOL, stride) A(POOL, pad)
#define NORM_ATTRIBUTES(A)  A(NORM, epsilon)
#define CLAMP_ATTRIBUTES(A) A(CLAMP, low) A(CLAMP, high)
#define BLUR_ATTRIBUTES(A)  A(BLUR, sigma)
#define REDUCE_ATTRIBUTES(A) A(REDUCE, axes)          /* bit i: dimension i is reduced (it stays, with size 1) */
#define CONCAT_ATTRIBUTES(A) A(CONCAT, axis)
#define KERNEL_ATTRIBUTE_ENUM(family, name) family##_##name,
enum { CONV_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { POOL_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { NORM_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { CLAMP_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { BLUR_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { REDUCE_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { CONCAT_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };

/* What the ops compute (the compiler's ops.def declares the same names and shapes):
 *
 *   elementwise, operands broadcast by stride 0, out contiguous in its own layout:
 *     neg abs exp log sqrt sin cos tanh sigmoid            out = f(in[0])
 *     clamp                                                out = min(max(in[0], low), high); NaN stays NaN
 *     add sub mul div max min pow                          out = in[0] op in[1]; max and min: NaN if either is
 *     lt le gt ge eq ne                                    out = 1 or 0
 *     select                                               out = in[0] != 0 ? in[1] : in[2]
 *   sum mean max_over min_over   reduce the dimensions in `axes`, accumulating in double
 *   matmul        [M,K] x [K,N] -> [M,N]                   (transposed operands come as strides)
 *   conv          x [N,C,H,W], w [K,C/g,r,s], bias [K] (optional), residual [N,K,H',W'] (optional):
 *                 clamp(conv(x, w) + bias + residual, low, high); an absent operand has data NULL; low -inf, high +inf
 *                 are no clamp. H' = (H + 2 pad - dilation (r - 1) - 1) / stride + 1.
 *   batchnorm     x [N,C,...], weight bias mean variance [C]: (x - mean) / sqrt(variance + epsilon) * weight + bias
 *   max_pool      over size x size windows; padding never wins. mean_pool: divides by size * size, padding counts as 0
 *   blur          Gaussian of sigma px on each channel, taps to ceil(3 sigma) each side, normalized, edges repeated
 *   concat        of 2 to KERNEL_INPUTS operands along `axis`
 *   copy          out = in[0] in another layout (reshape, transpose); same number of elements in the order of out
 *   cosine_scores a [M,D], b [G,D], both of unit rows or not: out [M,G] = dot products (f32, accumulated in a fixed order)
 */
typedef struct Kernel {
    const char *op, *device, *variant;    /* device "cpu"; variant "reference" is the plain one every op has */
    KernelType type;
    int level;                            /* instruction level it was built for: 2, 3, 4 of x86-64; 0: any machine */
    int preference;                       /* of those that fit the highest level, then the highest preference is taken */
    bool (*fits)(const KernelCall *call);                       /* NULL: always */
    int64_t (*units)(const KernelCall *call);                   /* never NULL; at least 1 */
    void (*run)(const KernelCall *call, int64_t first, int64_t end);
    size_t (*workspace_bytes)(const KernelCall *call);          /* NULL: none. May not depend on the batch */
    size_t (*packed_bytes)(const KernelCall *call);             /* NULL: does not pack */
    void (*pack)(const KernelCall *call, void *packed);         /* reads in[1] */
} Kernel;

/* Registration by linker section. Sources below kernels/cpu are built once for each instruction level with
 * KERNEL_LEVEL set; files with reference kernels only are built once, at level 0. */
#ifndef KERNEL_LEVEL
#define KERNEL_LEVEL 0
#endif
#define KERNEL(identifier, ...)                                                                  \
    static const Kernel identifier = {.level = KERNEL_LEVEL, __VA_ARGS__};                       \
    static const Kernel *const identifier##_row __attribute__((used, section("jre_kernels"))) = &identifier;

/* ---- registry.c ------------------------------------------------------------------------------------------- */

/* The highest level this processor runs (4, 3, 2; 0 elsewhere), lowered by `forced` ("v2" "v3" "v4", from JRE_CPU;
 * NULL for none). -1: `forced` is not a level, or this processor lacks it. */
int kernel_level(const char *forced);
/* The kernel for a call whose shapes, types and attributes are set (data may be NULL but for optional operands, where
 * any non-NULL value means present). NULL: not on this device. `variant` NULL: the best; else only that one. */
const Kernel *kernel_find(const char *op, const char *device, const char *variant, int level, const KernelCall *call);
int kernel_count(void);
const Kernel *kernel_at(int index);
/* Changes whenever the bits of some kernel may: part of every cache key. */
const char *kernel_library_version(void);

/* ---- shared by kernel files ---------------------------------------------------------------------------------- */

static inline int64_t view_elements(const TensorView *view) {
    int64_t count = 1;
    for (int i = 0; i < view->rank; i++) count *= view->dim[i];
    return count;
}
/* True if a [N,C,H,W] tensor lies channels last without gaps. */
static inline bool view_channels_last(const TensorView *v) {
    return v->rank == 4 && (v->stride[1] == 1 || v->dim[1] == 1) && (v->stride[3] == v->dim[1] || v->dim[3] == 1) &&
           (v->stride[2] == v->dim[1] * v->dim[3] || v->dim[2] == 1) &&
           (v->stride[0] == v->dim[1] * v->dim[2] * v->dim[3] || v->dim[0] == 1);
}
bool view_row_major(const TensorView *view);
static inline int64_t units_of(int64_t amount, int64_t a_unit) {
    return amount <= a_unit ? 1 : (amount + a_unit - 1) / a_unit;
}

/* ---- walk.c: one loop nest over strided operands -------------------------------------------------------------- */

/* Several operands seen through one shape. walk_finish sorts the dimensions by the memory order of operand 0, leaves
 * out those of size 1 and joins those that are contiguous for everybody, so that the last one is the longest row that
 * all can run along. */
enum { WALK_RANK = 2 * KERNEL_RANK, WALK_OPERANDS = KERNEL_INPUTS + 1 };
typedef struct {
    int rank, operands;                   /* rank is at least 1 after walk_finish */
    int64_t dim[WALK_RANK];
    int64_t stride[WALK_OPERANDS][WALK_RANK];
} Walk;
void walk_start(Walk *walk, int rank, const int64_t *dim);
void walk_operand(Walk *walk, const int64_t *stride);
void walk_finish(Walk *walk);
static inline int64_t walk_step(const Walk *walk, int operand) { return walk->stride[operand][walk->rank - 1]; }

/* The positions first .. end-1 of a walk, in pieces of rows. After each true walk_next, `length` elements start at
 * offset[operand], walk_step apart. */
typedef struct {
    const Walk *walk;
    int64_t index[WALK_RANK], offset[WALK_OPERANDS];
    int64_t length, left;
} WalkPlace;
void walk_seek(WalkPlace *place, const Walk *walk, int64_t first, int64_t end);
bool walk_next(WalkPlace *place);

/* ---- vectors of the level that is being built ------------------------------------------------------------------- */

#if KERNEL_LEVEL == 4
#define KERNEL_LANES 16
#elif KERNEL_LEVEL == 3
#define KERNEL_LANES 8
#else
#define KERNEL_LANES 4
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
