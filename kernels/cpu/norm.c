/* norm.c: batchnorm with stored statistics (where it was not folded into a convolution).
 *
 * Ladder: reference -> (x - mean) * scale + bias, where scale = weight / sqrt(variance + epsilon) is worked out once a
 * call in double; a walk gives the rows: along the channels, or along one channel's pixels.
 * Contract: any strides of x; the four parameters are vectors of C. A unit is A_UNIT positions of out's memory. */
#include "../kernels.h"

#include <math.h>

enum { A_UNIT = 16384 };
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
