/* reduce.c: sum, mean, max_over, min_over over any dimensions of a strided tensor.
 *
 * Ladder: reference (an index at a time) -> two walks, one over what is kept and one over what is reduced. Where kept
 * elements lie side by side (the channels of a global average pool) a strip of them is accumulated at once, else each
 * output element runs along its reduced rows. Sums are held in double.
 * Order of summation of an output element: the reduced positions in the order of memory; in a contiguous reduced row
 * LANES interleaved partial sums first. It depends on the reduced sizes alone. */
#include "../kernels.h"

#include <math.h>

enum { LANES = 8, STRIP = 64, WORK_OF_A_UNIT = 32768 };

typedef enum { SUM, MEAN, MAXIMUM, MINIMUM } Reduction;

static unsigned reduced_axes(const KernelCall *call) { return (unsigned)call->attribute[REDUCE_axes]; }

/* kept: operands out, in. reduced: operand in. */
static void plan(const KernelCall *call, Walk *kept, Walk *reduced) {
    const TensorView *x = &call->in[0];
    int64_t dim[KERNEL_RANK];
    walk_start(kept, call->out.rank, call->out.dim);
    walk_operand(kept, call->out.stride);
    walk_operand(kept, x->stride);
    walk_finish(kept);
    for (int i = 0; i < x->rank; i++) dim[i] = reduced_axes(call) >> i & 1u ? x->dim[i] : 1;
    walk_start(reduced, x->rank, dim);
    walk_operand(reduced, x->stride);
    walk_finish(reduced);
}

static int64_t reduced_count(const KernelCall *call) {
    int64_t count = 1;
    for (int i = 0; i < call->in[0].rank; i++)
        if (reduced_axes(call) >> i & 1u) count *= call->in[0].dim[i];
    return count;
}

static int64_t kept_of_a_unit(const KernelCall *call) {
    int64_t count = reduced_count(call), kept = WORK_OF_A_UNIT / (count > 0 ? count : 1);
    return kept < STRIP / 4 ? STRIP / 4 : kept;
}

static int64_t reduce_units(const KernelCall *call) {
    return units_of(view_elements(&call->out), kept_of_a_unit(call));
}

static bool reduce_fits(const KernelCall *call) {
    const TensorView *x = &call->in[0];
    if (call->inputs != 1 || x->type != KERNEL_F32 || x->rank != call->out.rank) return false;
    for (int i = 0; i < x->rank; i++)
        if (call->out.dim[i] != (reduced_axes(call) >> i & 1u ? 1 : x->dim[i])) return false;
    return true;
}

/* NaN once seen stays: nothing compares with it, and it is taken whenever it comes. */
KERNEL_INLINE double taken(Reduction reduction, double held, double x) {
    if (reduction == MAXIMUM) return x > held || x != x ? x : held;
    if (reduction == MINIMUM) return x < held || x != x ? x : held;
    return held + x;
}

KERNEL_INLINE double nothing(Reduction reduction) {
    return reduction == MAXIMUM ? -INFINITY : reduction == MINIMUM ? INFINITY : 0.0;
}

KERNEL_INLINE void reduce_strip(Reduction reduction, const Walk *reduced, int64_t count, const float *x, int64_t width,
                                double *held) {
    for (int64_t j = 0; j < width; j++) held[j] = nothing(reduction);
    WalkPlace place;
    walk_seek(&place, reduced, 0, count);
    int64_t step = walk_step(reduced, 0);
    while (walk_next(&place)) {
        const float *row = x + place.offset[0];
        for (int64_t i = 0; i < place.length; i++, row += step)
            for (int64_t j = 0; j < width; j++) held[j] = taken(reduction, held[j], (double)row[j]);
    }
}

KERNEL_INLINE double reduce_row(Reduction reduction, const float *row, int64_t step, int64_t length) {
    double held[LANES];
    for (int j = 0; j < LANES; j++) held[j] = nothing(reduction);
    int64_t i = 0;
    if (step == 1)
        for (; i + LANES <= length; i += LANES)
            for (int j = 0; j < LANES; j++) held[j] = taken(reduction, held[j], (double)row[i + j]);
    for (; i < length; i++) held[i % LANES] = taken(reduction, held[i % LANES], (double)row[i * step]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) held[j] = taken(reduction, held[j], held[j + half]);
    return held[0];
}

KERNEL_INLINE double reduce_one(Reduction reduction, const Walk *reduced, int64_t count, const float *x) {
    double held = nothing(reduction);
    WalkPlace place;
    walk_seek(&place, reduced, 0, count);
    while (walk_next(&place))
        held = taken(reduction, held, reduce_row(reduction, x + place.offset[0], walk_step(reduced, 0), place.length));
    return held;
}

KERNEL_INLINE void reduce(const KernelCall *call, int64_t first, int64_t end, Reduction reduction) {
    Walk kept, reduced;
    plan(call, &kept, &reduced);
    int64_t count = reduced_count(call), a_unit = kept_of_a_unit(call);
    int64_t out_step = walk_step(&kept, 0), in_step = walk_step(&kept, 1);
    double divisor = reduction == MEAN ? (double)count : 1.0;
    WalkPlace place;
    walk_seek(&place, &kept, first * a_unit, end * a_unit);
    while (walk_next(&place)) {
        float *out = (float *)call->out.data + place.offset[0];
        const float *x = (const float *)call->in[0].data + place.offset[1];
        int64_t i = 0;
        while (in_step == 1 && i < place.length) {
            double held[STRIP];
            int64_t width = place.length - i < STRIP ? place.length - i : STRIP;
            reduce_strip(reduction, &reduced, count, x + i, width, held);
            for (int64_t j = 0; j < width; j++) out[(i + j) * out_step] = (float)(held[j] / divisor);
            i += width;
        }
        for (; i < place.length; i++)
            out[i * out_step] = (float)(reduce_one(reduction, &reduced, count, x + i * in_step) / divisor);
    }
}

#define REDUCTION(name, which)                                                                                   \
    static void name##_run(const KernelCall *call, int64_t first, int64_t end) { reduce(call, first, end, which); } \
    KERNEL(name##_vector, .op = #name, .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10, \
           .fits = reduce_fits, .units = reduce_units, .run = name##_run)

REDUCTION(sum, SUM)
REDUCTION(mean, MEAN)
REDUCTION(max_over, MAXIMUM)
REDUCTION(min_over, MINIMUM)
