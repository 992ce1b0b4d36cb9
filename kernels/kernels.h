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

enum { KERNEL_RANK = 6, KERNEL_INPUTS = 8, KERNEL_ATTRIBUTES = 10, CHAIN_STEPS = 24 };

typedef enum { KERNEL_F32, KERNEL_F64, KERNEL_TYPES } KernelType;

typedef struct {
    void *data;                           /* a pointer of the device that runs the kernel */
    KernelType type;
    int rank;
    int64_t dim[KERNEL_RANK];
    int64_t stride[KERNEL_RANK];          /* in elements; 0 where a dimension is stretched */
} TensorView;

/* ---- chains: elementwise ops one after the other, on numbers that are still near ----------------------------------- */

/* The elementwise ops below under their own names, and `number`, which is attribute[0] itself. */
#define CHAIN_OPS(A) A(number) A(neg) A(abs) A(exp) A(log) A(sqrt) A(sin) A(cos) A(tanh) A(sigmoid) A(erf) A(clamp)    \
    A(add) A(sub) A(mul) A(div) A(max) A(min) A(pow) A(lt) A(le) A(gt) A(ge) A(eq) A(ne) A(select)
#define CHAIN_ENUM(name) CHAIN_##name,
typedef enum { CHAIN_OPS(CHAIN_ENUM) CHAIN_OP_COUNT } ChainOp;
#undef CHAIN_ENUM
/* Values are numbered: 0 .. sources-1 come in, sources + i is what step i makes. A step reads values before it; the last
 * step's is the result. */
typedef struct { ChainOp op; uint8_t operand[3]; double attribute[2]; } ChainStep;
typedef struct { int sources, steps; ChainStep step[CHAIN_STEPS]; } Chain;
static inline int chain_operands(ChainOp op) { return op == CHAIN_number ? 0 : op <= CHAIN_clamp ? 1 : op < CHAIN_select ? 2 : 3; }

typedef struct {
    TensorView out;
    TensorView in[KERNEL_INPUTS];
    int inputs;                           /* the op's own; what a chain behind it reads lies from in[chain_first] on */
    double attribute[KERNEL_ATTRIBUTES];  /* by the enums below */
    /* What happens to a result on its way out, for kernels that say `chains`; NULL: nothing. Source 0 is the kernel's own
     * number, source i is in[chain_first + i - 1], as large as out or stretched to it. The op `chain` is nothing else: there
     * chain_first is 0 and source i is in[i]. Outlives the call. */
    const Chain *chain;
    int chain_first;
    bool latency;                         /* a stated mode: one picture at a time, so weights are read once a picture */
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
#define SOFTMAX_ATTRIBUTES(A) A(SOFTMAX, axes)        /* as of a reduction: a row runs along these dimensions */
#define LAYER_NORM_ATTRIBUTES(A) A(LAYER_NORM, axes) A(LAYER_NORM, epsilon)
#define UNIT_ATTRIBUTES(A) A(UNIT, axes) A(UNIT, least)
#define ATTENTION_ATTRIBUTES(A) A(ATTENTION, scale)
#define KERNEL_ATTRIBUTE_ENUM(family, name) family##_##name,
enum { CONV_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { POOL_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { NORM_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { CLAMP_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { BLUR_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { REDUCE_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { CONCAT_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { SOFTMAX_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { LAYER_NORM_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { UNIT_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };
enum { ATTENTION_ATTRIBUTES(KERNEL_ATTRIBUTE_ENUM) };

/* What the ops compute (the compiler's ops.def declares the same names and shapes):
 *
 *   elementwise, operands broadcast by stride 0, out contiguous in its own layout:
 *     neg abs exp log sqrt sin cos tanh sigmoid erf        out = f(in[0])
 *     clamp                                                out = min(max(in[0], low), high); NaN stays NaN
 *     add sub mul div max min pow                          out = in[0] op in[1]; max and min: NaN if either is
 *     lt le gt ge eq ne                                    out = 1 or 0
 *     select                                               out = in[0] != 0 ? in[1] : in[2]
 *     chain                                                call->chain of its operands
 *   sum mean max_over min_over   reduce the dimensions in `axes`, accumulating in double
 *   matmul        [..,M,K] x [..,K,P] -> [..,M,P]; leading sizes align from the right, one that is missing or 1 stretches
 *   conv          x [N,C,H,W], w [K,C/g,r,s], bias [K] (optional), residual [N,K,H',W'] (optional):
 *                 clamp(conv(x, w) + bias + residual, low, high); an absent operand has data NULL; low -inf, high +inf
 *                 are no clamp. H' = (H + 2 pad - dilation (r - 1) - 1) / stride + 1.
 *   batchnorm     x [N,C,...], weight bias mean variance [C]: (x - mean) / sqrt(variance + epsilon) * weight + bias
 *   softmax       exp(x - top) over its sum, top and sum of the row along `axes`
 *   layer_norm    x, weight [K] and bias [K] (optional, where one dimension of K is in `axes`):
 *                 (x - mean) / sqrt(variance + epsilon) * weight + bias, mean and variance of the row along `axes`
 *   unit          x / max(sqrt(sum of x^2 along `axes`), least)
 *   attention     q [..,T,D], k [..,U,D], v [..,U,E], added (optional, stretched to [..,T,U]), leading sizes equal:
 *                 softmax(scale * q k' + added, over U) v -> [..,T,E]
 *   max_pool      over size x size windows; padding never wins. mean_pool: divides by size * size, padding counts as 0
 *   blur          Gaussian of sigma px on each channel, taps to ceil(3 sigma) each side, normalized, edges repeated
 *   concat        of 2 to KERNEL_INPUTS operands along `axis`
 *   copy          out = in[0] in another layout (reshape, transpose); same number of elements in the order of out
 *   cosine_scores a [M,D], b [G,D], both of unit rows or not: out [M,G] = dot products. Each is one sum from the first number to the
 *                 last, so that a with b has the bits of b with a
 *   rank_counts   scores [G], thresholds [T], rising, the last of them infinite: out [T + 1]. out[k], k < T: how many scores that are
 *                 not below all thresholds have exactly k below them; out[T]: how many equal one. What is no number counts nowhere
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
    bool chains;                          /* runs call->chain over what it writes; others leave that to the op `chain`, in place */
    size_t (*packed_bytes)(const KernelCall *call);             /* NULL: does not pack */
    void (*pack)(const KernelCall *call, void *packed);         /* reads in[1] */
} Kernel;

/* Registration by linker section. Sources below kernels/cpu are built once for each instruction level with
 * KERNEL_LEVEL set; files with reference kernels only are built once, at level 0. */
#ifndef KERNEL_LEVEL
#define KERNEL_LEVEL 0
#endif
/* A function that one leveled file defines and others of the same level call. */
#define KERNEL_JOIN(name, level) name##_v##level
#define KERNEL_JOINED(name, level) KERNEL_JOIN(name, level)
#define KERNEL_LEVELED(name) KERNEL_JOINED(name, KERNEL_LEVEL)
#define KERNEL(identifier, ...)                                                                  \
    static const Kernel identifier = {.level = KERNEL_LEVEL, __VA_ARGS__};                       \
    static const Kernel *const identifier##_row __attribute__((used, section("jre_kernels"))) = &identifier;

/* ---- registry.c ------------------------------------------------------------------------------------------- */

/* The highest level this processor runs (4, 3, 2; 0 elsewhere), lowered by `forced` (a name below, from JRE_CPU; NULL for
 * none). -1: `forced` is not a level, or this processor lacks it. */
int kernel_level(const char *forced);
/* "v2" "v3" "v4" on x86-64, "neon" on aarch64, where there is one; NULL: a level that is not built for, or has no name. */
const char *kernel_level_name(int level);
int kernel_level_lanes(int level);        /* numbers in a vector: KERNEL_LANES of that level */
/* The kernel for a call whose shapes, types and attributes are set (data may be NULL but for optional operands, where
 * any non-NULL value means present). NULL: not on this device. `variant` NULL: the best; else only that one. */
const Kernel *kernel_find(const char *op, const char *device, const char *variant, int level, const KernelCall *call);
int kernel_count(void);
const Kernel *kernel_at(int index);
/* Changes whenever the bits of some kernel may: part of every cache key. */
const char *kernel_library_version(void);

/* ---- cpu/limit.c: what no kernel can surpass -------------------------------------------------------------------- */

/* Loops over registers alone, and over memory that is only read, of one level. They return what keeps the compiler from leaving them out. */
typedef struct {
    int level;
    double flops;                         /* of a round of `multiply` */
    float (*multiply)(int64_t rounds);    /* fused multiply-adds that wait for nobody (at level 2 a product and a sum) */
    float (*read)(const float *from, int64_t count);            /* every number once, in order */
} KernelLimit;
#define KERNEL_LIMIT(identifier) \
    static const KernelLimit *const identifier##_row __attribute__((used, section("jre_limits"))) = &identifier;
const KernelLimit *kernel_limit(int level);               /* of the highest level that is not above */

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
/* True if the channels of a [N,C,H,W] tensor of floats lie side by side, with gaps or without. */
static inline bool view_channels_inside(const TensorView *v) {
    return v->type == KERNEL_F32 && v->rank == 4 && (v->stride[1] == 1 || v->dim[1] == 1);
}
static inline bool operand_present(const KernelCall *call, int input) { return call->inputs > input && call->in[input].data; }
/* A `conv` whose operands lie as every fast kernel wants them. */
static inline bool conv_lies_well(const KernelCall *call) {
    const TensorView *x = &call->in[0], *w = &call->in[1], *bias = &call->in[2];
    const double groups = call->attribute[CONV_groups];
    if (call->inputs < 2 || !view_channels_inside(x) || !view_channels_inside(&call->out)) return false;
    if (w->type != KERNEL_F32 || w->rank != 4 || groups < 1) return false;
    if (operand_present(call, 2) && (bias->type != KERNEL_F32 || (bias->stride[0] != 1 && bias->dim[0] != 1))) return false;
    if (operand_present(call, 3) && !view_channels_inside(&call->in[3])) return false;
    return x->dim[1] == w->dim[1] * (int64_t)groups && call->out.dim[1] % (int64_t)groups == 0;
}
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
void walk_join(Walk *walk);               /* the same, but the dimensions keep their order */
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

#include "vector.h"

/* ---- cpu/elementwise.c, cpu/chain.c: chains, for kernels of the same level ---------------------------------------------- */

/* One step over a row of `count` numbers. Bit k of `still`: operand k is one number (not for select). */
typedef void ChainRow(float *out, const float *const *in, unsigned still, int64_t count, const float *attribute);
extern ChainRow *const KERNEL_LEVELED(chain_row)[CHAIN_OP_COUNT];
/* Runs call->chain in place over part of what a kernel has just written, while it is near: columns column .. column+columns-1 of rows
 * first .. first+rows-1. Of four dimensions a row is the channels at one pixel, and rows are the pixels of all pictures; else
 * it is the last dimension. Making it ready takes as long as some hundred numbers, so give it a block of them. */
void KERNEL_LEVELED(chain_rows)(const KernelCall *call, int64_t first, int64_t rows, int64_t column, int64_t columns);

/* ---- matmul.c: the micro-kernel of products, for kernels of the same level ---------------------------------------- */

/* out [rows, width] = a [rows, depth] x b [depth, width], or added to out. A row of b is TILE_PANEL numbers that may be
 * read, of which the first `width` count. Each element sums over the depth from first to last. */
typedef struct {
    const float *a, *b;
    float *out;                           /* neighbors in a row of out are neighbors in memory */
    int64_t a_row, a_step, b_step, out_row, depth, width;
    bool add;
} ProductTile;
void KERNEL_LEVELED(product_tiles)(const ProductTile *product, int64_t rows);

/* ---- reduce.c: rows, for kernels of the same level ------------------------------------------------------------------ */

double KERNEL_LEVELED(row_sum)(const float *row, int64_t step, int64_t length);
float KERNEL_LEVELED(row_maximum)(const float *row, int64_t length);          /* NaN if one is in it */

#endif
