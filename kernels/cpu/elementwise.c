/* elementwise.c: every op that computes one number from the numbers at the same place.
 *
 * Ladder: reference (an index at a time) -> rows of the walk that all operands run along, plain loops that the
 * compiler turns into vectors. Operands that stand still along a row (a scalar, a bias along H x W) are read once.
 * exp, log, sin, cos, tanh, sigmoid and pow call the C library an element at a time, which keeps its accuracy.
 * Contract: out is contiguous along its innermost row; a unit is A_UNIT positions of out's memory. In place
 * (out.data == in.data with equal strides) is allowed. */
#include "../kernels.h"

#include <math.h>

enum { A_UNIT = 16384 };

typedef struct { const float *at[3]; int64_t step[3]; } Operands;
typedef void Row(float *out, const Operands *in, int64_t count, const double *attribute);

static void plan(Walk *walk, const KernelCall *call) {
    walk_start(walk, call->out.rank, call->out.dim);
    walk_operand(walk, call->out.stride);
    for (int i = 0; i < call->inputs; i++) walk_operand(walk, call->in[i].stride);
    walk_finish(walk);
}

static bool same_shape(const KernelCall *call, const TensorView *view) {
    if (view->rank != call->out.rank || view->type != KERNEL_F32) return false;
    for (int i = 0; i < view->rank; i++)
        if (view->dim[i] != call->out.dim[i] && view->stride[i] != 0) return false;
    return true;
}

static bool elementwise_fits(const KernelCall *call) {
    if (call->inputs < 1 || call->inputs > 3) return false;
    for (int i = 0; i < call->inputs; i++)
        if (!same_shape(call, &call->in[i])) return false;
    Walk walk;
    plan(&walk, call);
    return walk_step(&walk, 0) == 1;
}

static int64_t elementwise_units(const KernelCall *call) { return units_of(view_elements(&call->out), A_UNIT); }

static void elementwise(const KernelCall *call, int64_t first, int64_t end, Row *row) {
    Walk walk;
    plan(&walk, call);
    Operands in = {{NULL}, {0}};
    for (int i = 0; i < call->inputs; i++) in.step[i] = walk_step(&walk, i + 1);
    WalkPlace place;
    walk_seek(&place, &walk, first * A_UNIT, end * A_UNIT);
    while (walk_next(&place)) {
        for (int i = 0; i < call->inputs; i++) in.at[i] = (const float *)call->in[i].data + place.offset[i + 1];
        row((float *)call->out.data + place.offset[0], &in, place.length, call->attribute);
    }
}

#define ELEMENTWISE(name)                                                                                       \
    static void name##_run(const KernelCall *call, int64_t first, int64_t end) {                                \
        elementwise(call, first, end, name##_row);                                                              \
    }                                                                                                           \
    KERNEL(name##_vector, .op = #name, .device = "cpu", .variant = "vector", .type = KERNEL_F32,                \
           .preference = 10, .fits = elementwise_fits, .units = elementwise_units, .run = name##_run)

#define UNARY(name, expression)                                                                                 \
    static void name##_row(float *out, const Operands *in, int64_t count, const double *attribute) {            \
        (void)attribute;                                                                                        \
        const float *a = in->at[0];                                                                             \
        const int64_t step = in->step[0];                                                                       \
        if (step == 1) {                                                                                        \
            KERNEL_INDEPENDENT                                                                                  \
            for (int64_t i = 0; i < count; i++) {                                                               \
                const float x = a[i];                                                                           \
                out[i] = (expression);                                                                          \
            }                                                                                                   \
        } else {                                                                                                \
            for (int64_t i = 0; i < count; i++) {                                                               \
                const float x = a[i * step];                                                                    \
                out[i] = (expression);                                                                          \
            }                                                                                                   \
        }                                                                                                       \
    }                                                                                                           \
    ELEMENTWISE(name)

UNARY(neg, -x)
UNARY(abs, fabsf(x))
UNARY(sqrt, sqrtf(x))
UNARY(exp, expf(x))
UNARY(log, logf(x))
UNARY(sin, sinf(x))
UNARY(cos, cosf(x))
UNARY(tanh, tanhf(x))
UNARY(sigmoid, 1.0f / (1.0f + expf(-x)))

/* A comparison with NaN is false: NaN goes through. */
static void clamp_row(float *out, const Operands *in, int64_t count, const double *attribute) {
    const float low = (float)attribute[CLAMP_low], high = (float)attribute[CLAMP_high];
    const float *a = in->at[0];
    const int64_t step = in->step[0];
    if (step == 1) {
        KERNEL_INDEPENDENT
        for (int64_t i = 0; i < count; i++) {
            float x = a[i];
            x = x < low ? low : x;
            out[i] = x > high ? high : x;
        }
    } else {
        for (int64_t i = 0; i < count; i++) {
            float x = a[i * step];
            x = x < low ? low : x;
            out[i] = x > high ? high : x;
        }
    }
}
ELEMENTWISE(clamp)

/* Four loops: both operands run, one of them stands still, or anything else. */
#define BINARY(name, expression)                                                                                \
    static void name##_row(float *out, const Operands *in, int64_t count, const double *attribute) {            \
        (void)attribute;                                                                                        \
        const float *a = in->at[0], *b = in->at[1];                                                             \
        const int64_t step = in->step[0], other = in->step[1];                                                  \
        if (step == 1 && other == 1) {                                                                          \
            KERNEL_INDEPENDENT                                                                                  \
            for (int64_t i = 0; i < count; i++) {                                                               \
                const float x = a[i], y = b[i];                                                                 \
                out[i] = (expression);                                                                          \
            }                                                                                                   \
        } else if (step == 1 && other == 0) {                                                                   \
            const float y = *b;                                                                                 \
            KERNEL_INDEPENDENT                                                                                  \
            for (int64_t i = 0; i < count; i++) {                                                               \
                const float x = a[i];                                                                           \
                out[i] = (expression);                                                                          \
            }                                                                                                   \
        } else if (step == 0 && other == 1) {                                                                   \
            const float x = *a;                                                                                 \
            KERNEL_INDEPENDENT                                                                                  \
            for (int64_t i = 0; i < count; i++) {                                                               \
                const float y = b[i];                                                                           \
                out[i] = (expression);                                                                          \
            }                                                                                                   \
        } else {                                                                                                \
            for (int64_t i = 0; i < count; i++) {                                                               \
                const float x = a[i * step], y = b[i * other];                                                  \
                out[i] = (expression);                                                                          \
            }                                                                                                   \
        }                                                                                                       \
    }                                                                                                           \
    ELEMENTWISE(name)

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x * y)
BINARY(div, x / y)
BINARY(pow, powf(x, y))
BINARY(max, x > y || x != x ? x : y)                       /* NaN if either is */
BINARY(min, x < y || x != x ? x : y)
BINARY(lt, x < y ? 1.0f : 0.0f)
BINARY(le, x <= y ? 1.0f : 0.0f)
BINARY(gt, x > y ? 1.0f : 0.0f)
BINARY(ge, x >= y ? 1.0f : 0.0f)
BINARY(eq, x == y ? 1.0f : 0.0f)
BINARY(ne, x != y ? 1.0f : 0.0f)

static void select_row(float *out, const Operands *in, int64_t count, const double *attribute) {
    (void)attribute;
    const float *mask = in->at[0], *a = in->at[1], *b = in->at[2];
    const int64_t mask_step = in->step[0], step = in->step[1], other = in->step[2];
    if (mask_step == 1 && step == 1 && other == 1) {
        KERNEL_INDEPENDENT
        for (int64_t i = 0; i < count; i++) {
            const float x = a[i], y = b[i];
            out[i] = mask[i] != 0.0f ? x : y;
        }
    } else {
        for (int64_t i = 0; i < count; i++) out[i] = mask[i * mask_step] != 0.0f ? a[i * step] : b[i * other];
    }
}
ELEMENTWISE(select)
