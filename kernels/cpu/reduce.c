/* reduce.c: sum, mean, max_over, min_over over any dimensions of a strided tensor.
 *
 * Ladder, GB/s read on one core at level 4, mean and max_over:     [3152,768] over the last   [16,2048,7,7]   [1000,1000] over all
 *   two walks, one over what is kept and one over what is reduced,
 *   sums in double, vectors left to the compiler                     32, 7                   38, 23          2, 3
 *   four vectors at once along a row; where kept elements lie side
 *   by side, strips of them with four reduced rows at once           34, 61                  36, 54          40, 77
 * Order of summation of an output element: the reduced positions in the order of memory, in fours where kept elements lie
 * side by side, in interleaved lanes along a row. It depends on the reduced sizes and on the layout alone. */
#include "../kernels.h"

#include <math.h>

enum { STRIP = 512, WORK_OF_A_UNIT = 32768, LEAST_OF_A_UNIT = 16, ABREAST = 4 };

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
    if (view_elements(&call->out) == 1) kept->stride[1][0] = 0;      /* a picture's only number is summed as it is among others: along the row */
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
    return kept < LEAST_OF_A_UNIT ? LEAST_OF_A_UNIT : kept;
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

/* ---- the larger, the smaller ------------------------------------------------------------------------------------------ */

/* NaN once seen stays: nothing compares with it, and it is taken whenever it comes. */
KERNEL_INLINE float taken(Reduction reduction, float held, float x) {
    if (reduction == MAXIMUM) return x > held || x != x ? x : held;
    return x < held || x != x ? x : held;
}

KERNEL_INLINE Vec vec_taken(Reduction reduction, Vec held, Vec x) { return reduction == MAXIMUM ? vec_max(x, held) : vec_min(x, held); }

KERNEL_INLINE float nothing(Reduction reduction) { return reduction == MAXIMUM ? -INFINITY : INFINITY; }

/* ---- kept elements side by side ----------------------------------------------------------------------------------------- */

static void add_rows(double *held, const float *x, int64_t step, int64_t width) {
    int64_t j = 0;
    for (; j + WIDE_LANES <= width; j += WIDE_LANES) {
        VecWide four = (wide_load(x + j) + wide_load(x + j + step)) + (wide_load(x + j + 2 * step) + wide_load(x + j + 3 * step)), sum;
        __builtin_memcpy(&sum, held + j, sizeof sum);
        sum += four;
        __builtin_memcpy(held + j, &sum, sizeof sum);
    }
    for (; j < width; j++) held[j] += ((double)x[j] + (double)x[j + step]) + ((double)x[j + 2 * step] + (double)x[j + 3 * step]);
}

static void sum_strip(const Walk *reduced, int64_t count, const float *x, int64_t width, double *held) {
    for (int64_t j = 0; j < width; j++) held[j] = 0.0;
    WalkPlace place;
    walk_seek(&place, reduced, 0, count);
    int64_t step = walk_step(reduced, 0);
    while (walk_next(&place)) {
        const float *row = x + place.offset[0];
        int64_t i = 0;
        for (; i + ABREAST <= place.length; i += ABREAST, row += ABREAST * step) add_rows(held, row, step, width);
        for (; i < place.length; i++, row += step)
            for (int64_t j = 0; j < width; j++) held[j] += (double)row[j];
    }
}

KERNEL_INLINE void take_strip(Reduction reduction, const Walk *reduced, int64_t count, const float *x, int64_t width, float *held) {
    for (int64_t j = 0; j < width; j++) held[j] = nothing(reduction);
    WalkPlace place;
    walk_seek(&place, reduced, 0, count);
    int64_t step = walk_step(reduced, 0);
    while (walk_next(&place)) {
        const float *row = x + place.offset[0];
        for (int64_t i = 0, rows; i < place.length; i += rows, row += rows * step) {
            rows = i + ABREAST <= place.length ? ABREAST : 1;
            int64_t j = 0;
            for (; j + KERNEL_LANES <= width; j += KERNEL_LANES) {
                Vec best = vec_load(held + j);
                for (int64_t r = 0; r < rows; r++) best = vec_taken(reduction, best, vec_load(row + r * step + j));
                vec_store(held + j, best);
            }
            for (; j < width; j++)
                for (int64_t r = 0; r < rows; r++) held[j] = taken(reduction, held[j], row[r * step + j]);
        }
    }
}

/* `count` kept elements from x on, at most STRIP. */
KERNEL_INLINE void reduce_strip(Reduction reduction, const Walk *reduced, int64_t count, const float *x, int64_t width, float *out, int64_t out_step) {
    if (reduction == SUM || reduction == MEAN) {
        _Alignas(64) double held[STRIP];
        double divisor = reduction == MEAN ? (double)count : 1.0;
        sum_strip(reduced, count, x, width, held);
        for (int64_t j = 0; j < width; j++) out[j * out_step] = (float)(held[j] / divisor);
    } else {
        _Alignas(64) float held[STRIP];
        take_strip(reduction, reduced, count, x, width, held);
        for (int64_t j = 0; j < width; j++) out[j * out_step] = held[j];
    }
}

/* ---- along a row ---------------------------------------------------------------------------------------------------------- */

double KERNEL_LEVELED(row_sum)(const float *row, int64_t step, int64_t length) {
    double rest = 0.0;
    VecWide sum[ABREAST] = {{0}};
    int64_t i = 0;
    if (step == 1) {
        for (; i + ABREAST * WIDE_LANES <= length; i += ABREAST * WIDE_LANES) {
            KERNEL_UNROLL(4)
            for (int j = 0; j < ABREAST; j++) sum[j] += wide_load(row + i + j * WIDE_LANES);
        }
        for (; i + WIDE_LANES <= length; i += WIDE_LANES) sum[0] += wide_load(row + i);
    }
    for (; i < length; i++) rest += (double)row[i * step];
    return wide_sum((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

KERNEL_INLINE float take_row(Reduction reduction, const float *row, int64_t step, int64_t length, float held) {
    int64_t i = 0;
    if (step == 1 && length >= KERNEL_LANES) {
        Vec best[ABREAST];
        float lane[KERNEL_LANES];
        for (int j = 0; j < ABREAST; j++) best[j] = vec_all(nothing(reduction));
        for (; i + ABREAST * KERNEL_LANES <= length; i += ABREAST * KERNEL_LANES) {
            KERNEL_UNROLL(4)
            for (int j = 0; j < ABREAST; j++) best[j] = vec_taken(reduction, best[j], vec_load(row + i + j * KERNEL_LANES));
        }
        for (; i + KERNEL_LANES <= length; i += KERNEL_LANES) best[0] = vec_taken(reduction, best[0], vec_load(row + i));
        vec_store(lane, vec_taken(reduction, vec_taken(reduction, best[0], best[1]), vec_taken(reduction, best[2], best[3])));
        for (int j = 0; j < KERNEL_LANES; j++) held = taken(reduction, held, lane[j]);
    }
    for (; i < length; i++) held = taken(reduction, held, row[i * step]);
    return held;
}

float KERNEL_LEVELED(row_maximum)(const float *row, int64_t length) { return take_row(MAXIMUM, row, 1, length, -INFINITY); }

KERNEL_INLINE float reduce_one(Reduction reduction, const Walk *reduced, int64_t count, const float *x) {
    const bool sums = reduction == SUM || reduction == MEAN;
    const int64_t step = walk_step(reduced, 0);
    double sum = 0.0;
    float held = nothing(reduction);
    if (reduced->rank == 1) {
        if (sums) sum = KERNEL_LEVELED(row_sum)(x, step, count);
        else held = take_row(reduction, x, step, count, held);
    } else {
        WalkPlace place;
        walk_seek(&place, reduced, 0, count);
        while (walk_next(&place)) {
            if (sums) sum += KERNEL_LEVELED(row_sum)(x + place.offset[0], step, place.length);
            else held = take_row(reduction, x + place.offset[0], step, place.length, held);
        }
    }
    return sums ? (float)(sum / (reduction == MEAN ? (double)count : 1.0)) : held;
}

/* ---- units ------------------------------------------------------------------------------------------------------------------ */

KERNEL_INLINE void reduce(const KernelCall *call, int64_t first, int64_t end, Reduction reduction) {
    Walk kept, reduced;
    plan(call, &kept, &reduced);
    int64_t count = reduced_count(call), a_unit = kept_of_a_unit(call);
    int64_t out_step = walk_step(&kept, 0), in_step = walk_step(&kept, 1);
    bool side_by_side = in_step == 1 && (count == 1 || walk_step(&reduced, 0) != 1);
    WalkPlace place;
    walk_seek(&place, &kept, first * a_unit, end * a_unit);
    while (walk_next(&place)) {
        float *out = (float *)call->out.data + place.offset[0];
        const float *x = (const float *)call->in[0].data + place.offset[1];
        if (side_by_side) {
            for (int64_t i = 0; i < place.length; i += STRIP)
                reduce_strip(reduction, &reduced, count, x + i, place.length - i < STRIP ? place.length - i : STRIP, out + i * out_step, out_step);
        } else {
            for (int64_t i = 0; i < place.length; i++) out[i * out_step] = reduce_one(reduction, &reduced, count, x + i * in_step);
        }
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
