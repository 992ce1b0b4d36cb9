/* norm.c: batchnorm with stored statistics (where it was not folded into a convolution); layer_norm, unit and softmax,
 * whose statistics are those of the numbers themselves: of each row along `axes`.
 *
 * Ladder, batchnorm: reference -> (x - mean) * scale + bias, where scale = weight / sqrt(variance + epsilon) is worked out
 * once a call in double; a walk gives the rows: along the channels, or along one channel's pixels.
 * Ladder, rows, GB/s read and written on one core at level 4, [197,384]:          layer_norm   unit   softmax
 *   reference, which works a row's figures out again for each of its elements        0.0003     0.0006   0.0003
 *   a row at a time, which stays in the first-level cache from its figures to its
 *   result; sums in double; the mean first, then squares of distances from it         20         37       15
 * Contract: any strides of x; parameters are vectors. Where a row does not lie in one piece it is gathered into the
 * workspace first. A row's sums go in the order of reduce.c, so its bits depend on its length alone. */
#include "../kernels.h"

#include <math.h>

enum { A_UNIT = 16384 };

/* ---- batchnorm ----------------------------------------------------------------------------------------------------------- */

enum { X = 1, MEAN, SCALE, BIAS };                         /* operands of the walk; 0 is out */

static bool batchnorm_fits(const KernelCall *call) {
    if (call->inputs != 5 || call->out.rank < 2) return false;
    for (int i = 1; i < 5; i++)
        if (call->in[i].type != KERNEL_F32 || call->in[i].rank != 1 || call->in[i].dim[0] != call->out.dim[1]) return false;
    return call->in[0].type == KERNEL_F32 && call->in[0].rank == call->out.rank;
}

static int64_t batchnorm_units(const KernelCall *call) { return units_of(view_elements(&call->out), A_UNIT); }

/* mean, scale and bias side by side. */
static size_t batchnorm_workspace_bytes(const KernelCall *call) { return 3 * sizeof(float) * (size_t)call->out.dim[1]; }

static float at(const TensorView *view, int64_t i) { return ((const float *)view->data)[i * view->stride[0]]; }

static void prepare(const KernelCall *call, float *mean, float *scale, float *bias) {
    for (int64_t c = 0; c < call->out.dim[1]; c++) {
        double deviation = sqrt((double)at(&call->in[4], c) + call->attribute[NORM_epsilon]);
        scale[c] = (float)((double)at(&call->in[1], c) / deviation);
        bias[c] = at(&call->in[2], c);
        mean[c] = at(&call->in[3], c);
    }
}

static void plan(const KernelCall *call, Walk *walk) {
    int64_t channel[KERNEL_RANK] = {0, 1};                 /* a vector of C, stretched over all else */
    walk_start(walk, call->out.rank, call->out.dim);
    walk_operand(walk, call->out.stride);
    walk_operand(walk, call->in[0].stride);
    for (int i = MEAN; i <= BIAS; i++) walk_operand(walk, channel);
    walk_finish(walk);
}

static void batchnorm_run(const KernelCall *call, int64_t first, int64_t end) {
    float *mean = call->workspace, *scale = mean + call->out.dim[1], *bias = scale + call->out.dim[1];
    prepare(call, mean, scale, bias);
    Walk walk;
    plan(call, &walk);
    const int64_t out_step = walk_step(&walk, 0), step = walk_step(&walk, X), channel_step = walk_step(&walk, MEAN);
    WalkPlace place;
    walk_seek(&place, &walk, first * A_UNIT, end * A_UNIT);
    while (walk_next(&place)) {
        float *out = (float *)call->out.data + place.offset[0];
        const float *x = (const float *)call->in[0].data + place.offset[X];
        const float *m = mean + place.offset[MEAN], *s = scale + place.offset[SCALE], *b = bias + place.offset[BIAS];
        if (out_step == 1 && step == 1 && channel_step == 1) {
            KERNEL_INDEPENDENT
            for (int64_t i = 0; i < place.length; i++) out[i] = fused(x[i] - m[i], s[i], b[i]);
        } else if (out_step == 1 && step == 1 && channel_step == 0) {
            const float one_mean = *m, one_scale = *s, one_bias = *b;
            KERNEL_INDEPENDENT
            for (int64_t i = 0; i < place.length; i++) out[i] = fused(x[i] - one_mean, one_scale, one_bias);
        } else {
            for (int64_t i = 0; i < place.length; i++) {
                int64_t c = i * channel_step;
                out[i * out_step] = fused(x[i * step] - m[c], s[c], b[c]);
            }
        }
    }
}
KERNEL(batchnorm_vector, .op = "batchnorm", .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,
       .fits = batchnorm_fits, .units = batchnorm_units, .run = batchnorm_run,
       .workspace_bytes = batchnorm_workspace_bytes)

/* ---- rows ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    Walk rows, along;                     /* both of out and x: from row to row, and from number to number in one */
    int64_t count, length;
    bool whole;                           /* rows lie in one piece on both sides */
} Rows;

static Rows rows_of(const KernelCall *call) {
    const TensorView *x = &call->in[0], *out = &call->out;
    unsigned axes = (unsigned)call->attribute[SOFTMAX_axes];
    int64_t dim[KERNEL_RANK], row_dim[KERNEL_RANK];
    Rows rows = {.count = 1, .length = 1};
    for (int i = 0; i < out->rank; i++) {
        bool inside = axes >> i & 1u;
        dim[i] = inside ? 1 : out->dim[i];
        row_dim[i] = inside ? out->dim[i] : 1;
        rows.count *= dim[i];
        rows.length *= row_dim[i];
    }
    walk_start(&rows.rows, out->rank, dim);
    walk_operand(&rows.rows, out->stride);
    walk_operand(&rows.rows, x->stride);
    walk_finish(&rows.rows);
    walk_start(&rows.along, out->rank, row_dim);
    walk_operand(&rows.along, out->stride);
    walk_operand(&rows.along, x->stride);
    walk_finish(&rows.along);
    rows.whole = rows.along.rank == 1 && walk_step(&rows.along, 0) == 1 && walk_step(&rows.along, 1) == 1;
    return rows;
}

static bool rows_fit(const KernelCall *call) {
    const TensorView *x = &call->in[0];
    if (x->type != KERNEL_F32 || x->rank != call->out.rank) return false;
    for (int i = 1; i < call->inputs; i++)
        if (call->in[i].data && (call->in[i].type != KERNEL_F32 || call->in[i].rank != 1 || (call->in[i].stride[0] != 1 && call->in[i].dim[0] != 1))) return false;
    return true;
}

static int64_t rows_of_a_unit(const Rows *rows) {
    int64_t count = A_UNIT / (rows->length > 0 ? rows->length : 1);
    return count < 1 ? 1 : count;
}

static int64_t rows_units(const KernelCall *call) {
    Rows rows = rows_of(call);
    return units_of(rows.count, rows_of_a_unit(&rows));
}

static size_t rows_workspace_bytes(const KernelCall *call) {
    Rows rows = rows_of(call);
    return rows.whole ? 0 : (size_t)rows.length * sizeof(float);
}

/* A row that does not lie in one piece, into the workspace or out of it. */
static void move_row(const Rows *rows, float *outside, int side, float *inside, bool inward) {
    WalkPlace place;
    int64_t step = walk_step(&rows->along, side);
    walk_seek(&place, &rows->along, 0, rows->length);
    while (walk_next(&place)) {
        float *at = outside + place.offset[side];
        for (int64_t i = 0; i < place.length; i++) {
            if (inward) *inside++ = at[i * step];
            else at[i * step] = *inside++;
        }
    }
}

/* out may be x. */
typedef void RowFunction(const KernelCall *call, float *out, const float *x, int64_t length);

KERNEL_INLINE void run_rows(const KernelCall *call, int64_t first, int64_t end, RowFunction *function) {
    Rows rows = rows_of(call);
    int64_t a_unit = rows_of_a_unit(&rows), out_step = walk_step(&rows.rows, 0), step = walk_step(&rows.rows, 1);
    float *held = call->workspace;
    WalkPlace place;
    walk_seek(&place, &rows.rows, first * a_unit, end * a_unit);
    while (walk_next(&place)) {
        float *out = (float *)call->out.data + place.offset[0], *x = (float *)call->in[0].data + place.offset[1];
        for (int64_t i = 0; i < place.length; i++, out += out_step, x += step) {
            if (rows.whole) {
                function(call, out, x, rows.length);
                continue;
            }
            move_row(&rows, x, 1, held, true);
            function(call, held, held, rows.length);
            move_row(&rows, out, 0, held, false);
        }
    }
}

/* ---- layer_norm: (x - mean) / sqrt(variance + epsilon) * weight + bias ------------------------------------------------------ */

/* Of squared distances from `center`, in four interleaved sums, as row_sum has them. */
static double row_squares(const float *x, int64_t length, double center) {
    enum { ABREAST = 4 };
    VecWide sum[ABREAST] = {{0}};
    double rest = 0.0;
    int64_t i = 0;
    for (; i + ABREAST * WIDE_LANES <= length; i += ABREAST * WIDE_LANES) {
        KERNEL_UNROLL(4)
        for (int j = 0; j < ABREAST; j++) {
            VecWide away = wide_load(x + i + j * WIDE_LANES) - center;
            sum[j] += away * away;
        }
    }
    for (; i + WIDE_LANES <= length; i += WIDE_LANES) {
        VecWide away = wide_load(x + i) - center;
        sum[0] += away * away;
    }
    for (; i < length; i++) rest += ((double)x[i] - center) * ((double)x[i] - center);
    return wide_sum((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

static const float *vector_of(const KernelCall *call, int input) { return call->inputs > input ? call->in[input].data : NULL; }

static void layer_norm_row(const KernelCall *call, float *out, const float *x, int64_t length) {
    const float *weight = vector_of(call, 1), *bias = vector_of(call, 2);
    double mean = KERNEL_LEVELED(row_sum)(x, 1, length) / (double)length, variance = row_squares(x, length, mean) / (double)length;
    const float center = (float)mean, scale = (float)(1.0 / sqrt(variance + call->attribute[LAYER_NORM_epsilon]));
    if (weight && bias) {
        KERNEL_INDEPENDENT
        for (int64_t i = 0; i < length; i++) out[i] = fused((x[i] - center) * scale, weight[i], bias[i]);
        return;
    }
    KERNEL_INDEPENDENT
    for (int64_t i = 0; i < length; i++) out[i] = (x[i] - center) * scale;
    for (int64_t i = 0; weight && i < length; i++) out[i] *= weight[i];
    for (int64_t i = 0; bias && i < length; i++) out[i] += bias[i];
}

static void layer_norm_run(const KernelCall *call, int64_t first, int64_t end) { run_rows(call, first, end, layer_norm_row); }
KERNEL(layer_norm_rows, .op = "layer_norm", .device = "cpu", .variant = "rows", .type = KERNEL_F32, .preference = 10, .fits = rows_fit,
       .units = rows_units, .run = layer_norm_run, .workspace_bytes = rows_workspace_bytes)

/* ---- unit: x / max(length, least) ---------------------------------------------------------------------------------------------- */

static void unit_row(const KernelCall *call, float *out, const float *x, int64_t length) {
    double root = sqrt(row_squares(x, length, 0.0)), least = call->attribute[UNIT_least];
    const float scale = (float)(1.0 / (root < least ? least : root));
    KERNEL_INDEPENDENT
    for (int64_t i = 0; i < length; i++) out[i] = x[i] * scale;
}

static void unit_run(const KernelCall *call, int64_t first, int64_t end) { run_rows(call, first, end, unit_row); }
KERNEL(unit_rows, .op = "unit", .device = "cpu", .variant = "rows", .type = KERNEL_F32, .preference = 10, .fits = rows_fit,
       .units = rows_units, .run = unit_run, .workspace_bytes = rows_workspace_bytes)

/* ---- softmax: exp(x - top) over its sum --------------------------------------------------------------------------------------- */

static void softmax_row(const KernelCall *call, float *out, const float *x, int64_t length) {
    (void)call;
    const Vec top = vec_all(KERNEL_LEVELED(row_maximum)(x, length));
    int64_t i = 0;
    for (; i + KERNEL_LANES <= length; i += KERNEL_LANES) vec_store(out + i, vec_exp(vec_load(x + i) - top));
    if (i < length) vec_store_some(out + i, vec_exp(vec_load_some(x + i, length - i) - top), length - i);
    const float scale = (float)(1.0 / KERNEL_LEVELED(row_sum)(out, 1, length));
    KERNEL_INDEPENDENT
    for (i = 0; i < length; i++) out[i] *= scale;
}

static void softmax_run(const KernelCall *call, int64_t first, int64_t end) { run_rows(call, first, end, softmax_row); }
KERNEL(softmax_rows, .op = "softmax", .device = "cpu", .variant = "rows", .type = KERNEL_F32, .preference = 10, .fits = rows_fit,
       .units = rows_units, .run = softmax_run, .workspace_bytes = rows_workspace_bytes)
