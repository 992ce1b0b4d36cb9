/* pool.c: what looks through a window that slides over a picture: max_pool, mean_pool, blur.
 *
 * Ladder: reference (one element at a time; blur in two dimensions) -> pools take a strip of channels at once, blur
 * goes first down the columns, then along the rows, each a flat loop over width x channels -> pools hold vectors in
 * registers: 3x3 maxima of 64 channels at 112 px read and write 39 to 51 GB/s, of 96 channels at 55 px 14 to 48.
 * Contract: the channels of a pixel lie side by side. A unit is one row of the output of one picture. */
#include "../kernels.h"

#include <math.h>

enum { STRIP = 4 };                                        /* vectors of channels side by side */

typedef struct {
    const float *x;                       /* the picture */
    float *y;                             /* the row of the output */
    int64_t channels, height, width, out_width, row;
    int64_t size, stride, pad;
    int64_t x_row, x_pixel, y_pixel;      /* distances */
} Pool;

static bool pool_fits(const KernelCall *call) {
    return call->inputs == 1 && view_channels_inside(&call->in[0]) && view_channels_inside(&call->out) &&
           call->attribute[POOL_size] >= 1 && call->attribute[POOL_stride] >= 1;
}

static int64_t row_units(const KernelCall *call) { return units_of(call->out.dim[0] * call->out.dim[2], 1); }

static Pool pool_of(const KernelCall *call, int64_t unit) {
    const TensorView *x = &call->in[0], *y = &call->out;
    int64_t image = unit / y->dim[2], row = unit % y->dim[2];
    return (Pool){
        .x = (const float *)x->data + image * x->stride[0],
        .y = (float *)y->data + image * y->stride[0] + row * y->stride[2],
        .channels = y->dim[1], .height = x->dim[2], .width = x->dim[3], .out_width = y->dim[3], .row = row,
        .size = (int64_t)call->attribute[POOL_size], .stride = (int64_t)call->attribute[POOL_stride],
        .pad = (int64_t)call->attribute[POOL_pad],
        .x_row = x->stride[2], .x_pixel = x->stride[3], .y_pixel = y->stride[3],
    };
}

/* The window of an output place along one dimension, cut to the picture. */
static void window(int64_t place, const Pool *pool, int64_t limit, int64_t *first, int64_t *end) {
    int64_t from = place * pool->stride - pool->pad, to = from + pool->size;
    *first = from < 0 ? 0 : from;
    *end = to > limit ? limit : to;
}

/* `vectors` vectors of channels of one output pixel, of which the last has `left` numbers. NaN wins against any number. */
KERNEL_INLINE void pool_strip(bool maximum, const Pool *pool, const float *x, float *y, const int64_t rows[2],
                              const int64_t columns[2], int vectors, int64_t left) {
    Vec held[STRIP];
    KERNEL_UNROLL(4)
    for (int v = 0; v < vectors; v++) held[v] = vec_all(maximum ? -INFINITY : 0.0f);
    for (int64_t h = rows[0]; h < rows[1]; h++) {
        for (int64_t w = columns[0]; w < columns[1]; w++) {
            const float *from = x + h * pool->x_row + w * pool->x_pixel;
            KERNEL_UNROLL(4)
            for (int v = 0; v < vectors; v++) {
                const float *at = from + v * KERNEL_LANES;
                const Vec value = left < KERNEL_LANES ? vec_load_some(at, left) : vec_load(at);
                held[v] = maximum ? vec_max(value, held[v]) : held[v] + value;
            }
        }
    }
    const Vec area = vec_all((float)(pool->size * pool->size));
    KERNEL_UNROLL(4)
    for (int v = 0; v < vectors; v++) {
        const Vec result = maximum ? held[v] : held[v] / area;
        if (left < KERNEL_LANES) vec_store_some(y + v * KERNEL_LANES, result, left);
        else vec_store(y + v * KERNEL_LANES, result);
    }
}

KERNEL_INLINE void pool_row(bool maximum, const Pool *pool) {
    int64_t rows[2], columns[2];
    window(pool->row, pool, pool->height, &rows[0], &rows[1]);
    for (int64_t place = 0; place < pool->out_width; place++) {
        window(place, pool, pool->width, &columns[0], &columns[1]);
        float *y = pool->y + place * pool->y_pixel;
        int64_t c = 0;
        for (; c + STRIP * KERNEL_LANES <= pool->channels; c += STRIP * KERNEL_LANES)
            pool_strip(maximum, pool, pool->x + c, y + c, rows, columns, STRIP, KERNEL_LANES);
        for (; c + KERNEL_LANES <= pool->channels; c += KERNEL_LANES)
            pool_strip(maximum, pool, pool->x + c, y + c, rows, columns, 1, KERNEL_LANES);
        if (c < pool->channels) pool_strip(maximum, pool, pool->x + c, y + c, rows, columns, 1, pool->channels - c);
    }
}

static void max_pool_run(const KernelCall *call, int64_t first, int64_t end) {
    for (int64_t unit = first; unit < end && unit < call->out.dim[0] * call->out.dim[2]; unit++) {
        Pool pool = pool_of(call, unit);
        pool_row(true, &pool);
    }
}
KERNEL(max_pool_vector, .op = "max_pool", .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,
       .fits = pool_fits, .units = row_units, .run = max_pool_run)

static void mean_pool_run(const KernelCall *call, int64_t first, int64_t end) {
    for (int64_t unit = first; unit < end && unit < call->out.dim[0] * call->out.dim[2]; unit++) {
        Pool pool = pool_of(call, unit);
        pool_row(false, &pool);
    }
}
KERNEL(mean_pool_vector, .op = "mean_pool", .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,
       .fits = pool_fits, .units = row_units, .run = mean_pool_run)

/* ---- blur ---------------------------------------------------------------------------------------------------------- */

static int64_t blur_radius(const KernelCall *call) { return (int64_t)ceil(3.0 * call->attribute[BLUR_sigma]); }

/* Channels last; the reference has the rest, and a sigma that needs no or absurdly many taps. */
static bool blur_fits(const KernelCall *call) {
    double sigma = call->attribute[BLUR_sigma];
    return call->inputs == 1 && sigma > 0.0 && sigma <= 1000.0 && call->in[0].type == KERNEL_F32 &&
           view_channels_last(&call->in[0]) && view_channels_last(&call->out);
}

/* The taps, then a row of pixels with `radius` pixels more at either end. */
static size_t blur_workspace_bytes(const KernelCall *call) {
    int64_t radius = blur_radius(call), channels = call->in[0].dim[1], width = call->in[0].dim[3];
    return (size_t)(2 * radius + 1 + (width + 2 * radius) * channels) * sizeof(float);
}

static void blur_taps(double sigma, int64_t radius, float *taps) {
    double total = 0.0;
    for (int64_t i = -radius; i <= radius; i++) total += exp(-0.5 * (double)(i * i) / (sigma * sigma));
    for (int64_t i = -radius; i <= radius; i++)
        taps[i + radius] = (float)(exp(-0.5 * (double)(i * i) / (sigma * sigma)) / total);
}

/* to += tap * from. Vectors said outright: sanitizers then look at each vector, not at each number. */
static void add_scaled(float *to, const float *from, float tap, int64_t count) {
    const Vec taps = vec_all(tap);
    int64_t i = 0;
    for (; i + KERNEL_LANES <= count; i += KERNEL_LANES) vec_store(to + i, vec_fused(taps, vec_load(from + i), vec_load(to + i)));
    if (i < count) vec_store_some(to + i, vec_fused(taps, vec_load_some(from + i, count - i), vec_load_some(to + i, count - i)), count - i);
}

static void blur_row(const KernelCall *call, int64_t unit, int64_t radius, const float *taps, float *padded) {
    const TensorView *x = &call->in[0];
    int64_t channels = x->dim[1], height = x->dim[2], width = x->dim[3], length = width * channels;
    int64_t row = unit % height;
    const float *picture = (const float *)x->data + unit / height * height * length;
    float *out = (float *)call->out.data + unit * length, *middle = padded + radius * channels;
    for (int64_t i = 0; i < length; i++) middle[i] = 0.0f;
    for (int64_t k = -radius; k <= radius; k++) {
        int64_t h = row + k < 0 ? 0 : row + k >= height ? height - 1 : row + k;
        add_scaled(middle, picture + h * length, taps[k + radius], length);
    }
    for (int64_t i = 0; i < radius * channels; i++) {
        padded[i] = middle[i % channels];
        middle[length + i] = middle[length - channels + i % channels];
    }
    for (int64_t i = 0; i < length; i++) out[i] = 0.0f;
    for (int64_t k = 0; k <= 2 * radius; k++) add_scaled(out, padded + k * channels, taps[k], length);
}

static void blur_run(const KernelCall *call, int64_t first, int64_t end) {
    if (view_elements(&call->out) == 0) return;
    int64_t radius = blur_radius(call);
    float *taps = call->workspace;
    blur_taps(call->attribute[BLUR_sigma], radius, taps);
    for (int64_t unit = first; unit < end; unit++) blur_row(call, unit, radius, taps, taps + 2 * radius + 1);
}
KERNEL(blur_vector, .op = "blur", .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,
       .fits = blur_fits, .units = row_units, .run = blur_run, .workspace_bytes = blur_workspace_bytes)
