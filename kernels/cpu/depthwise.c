/* depthwise.c: convolution of each channel by itself, with bias, residual and clamp fused into its end.
 *
 * Ladder: reference -> conv.c's tiles, with one channel in a vector of KERNEL_LANES (1 GFLOP/s) -> vectors across the
 * channels: PIXELS neighbors in a row of the output share the inputs and weights they load; windows of 3 and 5 with
 * stride 1 and 2 are written out by the compiler, other windows and the borders go one pixel at a time.
 * Contract: channels of a pixel lie side by side. A unit is one row of the output of one picture. Each element sums over
 * rows, then columns of the window, in order. */
#include "../kernels.h"

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { PIXELS = 8 };                                       /* 8 sums, 5 weights, 1 input of 32 registers */
#else
enum { PIXELS = 4 };                                       /* 4 sums, 5 weights, 1 input of 16 registers */
#endif
enum { WIDEST = 5 };

typedef struct {
    int64_t channels, padded, height, width, out_height, out_width;
    int64_t rows, columns, stride, pad, dilation;
    int64_t x_row, x_pixel, y_pixel, residual_pixel;
    const float *weights, *bias;          /* [rows * columns][padded]; bias may be NULL */
    const float *x, *residual;            /* the picture; the row of the residual, or NULL */
    float *y;                             /* the row of the output */
    float low, high;
} Row;

static bool depthwise_fits(const KernelCall *call) {
    return conv_lies_well(call) && call->in[1].dim[1] == 1 && call->in[0].dim[1] == call->out.dim[1];
}

static int64_t padded_channels(const KernelCall *call) { return units_of(call->out.dim[1], KERNEL_LANES) * KERNEL_LANES; }

static size_t depthwise_packed_bytes(const KernelCall *call) {
    return (size_t)(padded_channels(call) * call->in[1].dim[2] * call->in[1].dim[3]) * sizeof(float);
}

static void depthwise_pack(const KernelCall *call, void *packed) {
    const TensorView *w = &call->in[1];
    float *to = packed;
    for (int64_t i = 0; i < w->dim[2]; i++)
        for (int64_t j = 0; j < w->dim[3]; j++)
            for (int64_t c = 0; c < padded_channels(call); c++)
                *to++ = c < w->dim[0] ? ((const float *)w->data)[c * w->stride[0] + i * w->stride[2] + j * w->stride[3]] : 0.0f;
}

static int64_t depthwise_units(const KernelCall *call) { return units_of(call->out.dim[0] * call->out.dim[2], 1); }

static Row row_of(const KernelCall *call, int64_t unit) {
    const TensorView *x = &call->in[0], *y = &call->out;
    int64_t image = unit / y->dim[2], at = unit % y->dim[2];
    Row row = {
        .channels = y->dim[1], .padded = padded_channels(call), .height = x->dim[2], .width = x->dim[3],
        .out_height = y->dim[2], .out_width = y->dim[3], .rows = call->in[1].dim[2], .columns = call->in[1].dim[3],
        .stride = (int64_t)call->attribute[CONV_stride], .pad = (int64_t)call->attribute[CONV_pad],
        .dilation = (int64_t)call->attribute[CONV_dilation],
        .x_row = x->stride[2], .x_pixel = x->stride[3], .y_pixel = y->stride[3],
        .weights = call->packed, .bias = operand_present(call, 2) ? call->in[2].data : NULL,
        .x = (const float *)x->data + image * x->stride[0],
        .y = (float *)y->data + image * y->stride[0] + at * y->stride[2],
        .low = (float)call->attribute[CONV_low], .high = (float)call->attribute[CONV_high],
    };
    if (operand_present(call, 3)) {
        const TensorView *residual = &call->in[3];
        row.residual = (const float *)residual->data + image * residual->stride[0] + at * residual->stride[2];
        row.residual_pixel = residual->stride[3];
    }
    return row;
}

/* Taps first .. end-1 of a window that starts at `from` lie inside 0 .. limit-1. */
static void inside(int64_t from, int64_t taps, int64_t dilation, int64_t limit, int64_t *first, int64_t *end) {
    int64_t begin = from < 0 ? (-from + dilation - 1) / dilation : 0, past = from < limit ? (limit - from + dilation - 1) / dilation : 0;
    *first = begin < taps ? begin : taps;
    *end = past < taps ? past : taps;
}

KERNEL_INLINE void finish(const Row *row, Vec sum, int64_t place, int64_t c) {
    int64_t left = row->channels - c;
    float *to = row->y + place * row->y_pixel + c;
    if (left >= KERNEL_LANES) {
        if (row->bias) sum += vec_load(row->bias + c);
        if (row->residual) sum += vec_load(row->residual + place * row->residual_pixel + c);
        vec_store(to, vec_clamp(sum, row->low, row->high));
    } else {
        if (row->bias) sum += vec_load_some(row->bias + c, left);
        if (row->residual) sum += vec_load_some(row->residual + place * row->residual_pixel + c, left);
        vec_store_some(to, vec_clamp(sum, row->low, row->high), left);
    }
}

KERNEL_INLINE Vec load(const float *from, int64_t left) {
    return left >= KERNEL_LANES ? vec_load(from) : vec_load_some(from, left);
}

/* `pixels` outputs from `place` on, whose columns are all inside; rows first .. end-1 of the window are. */
KERNEL_INLINE void neighbors(const Row *row, int pixels, int columns, int stride, int64_t place, int64_t top, int64_t first,
                             int64_t end) {
    const float *x = row->x + top * row->x_row + (place * stride - row->pad) * row->x_pixel;
    for (int64_t c = 0; c < row->channels; c += KERNEL_LANES) {
        int64_t left = row->channels - c;
        Vec sum[PIXELS] = {{0}};
        for (int64_t i = first; i < end; i++) {
            const float *line = x + i * row->x_row + c, *weights = row->weights + i * columns * row->padded + c;
            Vec w[WIDEST];
            KERNEL_UNROLL(5)
            for (int j = 0; j < columns; j++) w[j] = vec_load(weights + j * row->padded);
            KERNEL_UNROLL(20)
            for (int q = 0; q < (pixels - 1) * stride + columns; q++) {
                Vec value = load(line + q * row->x_pixel, left);
                KERNEL_UNROLL(8)
                for (int p = 0; p < pixels; p++)
                    if (q - p * stride >= 0 && q - p * stride < columns) sum[p] = vec_fused(value, w[q - p * stride], sum[p]);
            }
        }
        KERNEL_UNROLL(8)
        for (int p = 0; p < pixels; p++) finish(row, sum[p], place + p, c);
    }
}

/* One output whose window may be any and hang over the border. */
static void alone(const Row *row, int64_t place, int64_t top, int64_t first, int64_t end) {
    int64_t from = place * row->stride - row->pad, column, last;
    inside(from, row->columns, row->dilation, row->width, &column, &last);
    for (int64_t c = 0; c < row->channels; c += KERNEL_LANES) {
        Vec sum = {0};
        for (int64_t i = first; i < end; i++) {
            const float *line = row->x + (top + i * row->dilation) * row->x_row + c;
            for (int64_t j = column; j < last; j++)
                sum = vec_fused(load(line + (from + j * row->dilation) * row->x_pixel, row->channels - c),
                                vec_load(row->weights + (i * row->columns + j) * row->padded + c), sum);
        }
        finish(row, sum, place, c);
    }
}

/* A row of the output: borders alone, between them as many neighbors at once as fit. */
KERNEL_INLINE void run_row(const Row *row, int columns, int stride, int64_t top, int64_t first, int64_t end) {
    int64_t place = 0;
    for (; place < row->out_width && place * stride < row->pad; place++) alone(row, place, top, first, end);
    int64_t room = row->width + row->pad - columns;        /* the last place that is inside starts here or before */
    int64_t last = room < 0 ? 0 : room / stride + 1;
    if (last > row->out_width) last = row->out_width;
    for (; place + PIXELS <= last; place += PIXELS) neighbors(row, PIXELS, columns, stride, place, top, first, end);
    for (; place + 2 <= last; place += 2) neighbors(row, 2, columns, stride, place, top, first, end);
    for (; place < row->out_width; place++) alone(row, place, top, first, end);
}

static void row_3_1(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(row, 3, 1, top, first, end); }
static void row_3_2(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(row, 3, 2, top, first, end); }
static void row_5_1(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(row, 5, 1, top, first, end); }
static void row_5_2(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(row, 5, 2, top, first, end); }

static void depthwise_run(const KernelCall *call, int64_t first, int64_t end) {
    for (int64_t unit = first; unit < end && unit < call->out.dim[0] * call->out.dim[2]; unit++) {
        Row row = row_of(call, unit);
        int64_t top = unit % row.out_height * row.stride - row.pad, from, to;
        inside(top, row.rows, row.dilation, row.height, &from, &to);
        bool written_out = row.dilation == 1 && row.stride <= 2;
        if (written_out && row.columns == 3 && row.stride == 1) row_3_1(&row, top, from, to);
        else if (written_out && row.columns == 3) row_3_2(&row, top, from, to);
        else if (written_out && row.columns == 5 && row.stride == 1) row_5_1(&row, top, from, to);
        else if (written_out && row.columns == 5) row_5_2(&row, top, from, to);
        else
            for (int64_t place = 0; place < row.out_width; place++) alone(&row, place, top, from, to);
        if (call->chain) KERNEL_LEVELED(chain_rows)(call, unit * row.out_width, row.out_width, 0, row.channels);
    }
}
KERNEL(conv_depthwise, .op = "conv", .device = "cpu", .variant = "depthwise", .type = KERNEL_F32, .preference = 20,
       .fits = depthwise_fits, .units = depthwise_units, .run = depthwise_run, .packed_bytes = depthwise_packed_bytes,
       .pack = depthwise_pack, .chains = true)
