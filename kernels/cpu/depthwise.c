/* depthwise.c: convolution of each channel by itself, or of few channels in many groups, with bias, residual and clamp fused
 * into its end.
 *
 * Ladder, GFLOP/s, batch 1, one core at level 4 (multiply-add limit 117):
 *                                         96 channels, 7x7, 56 px   240, 3x3 dilated, 28 px   128 in groups of 4, 56 px
 *   conv.c's tiles, 1 or 4 of 16 lanes used            4                       3                        15
 *   vectors across the channels; neighbors in a row
 *   share inputs and weights for windows of 3 and 5;
 *   any other window a pixel at a time                19                      15
 *   windows of 7 written out too, any window shares
 *   its weights, borders ALONE vectors side by side,
 *   since one sum waits for itself; whole groups in a
 *   vector                                            88                      37                        82
 * 3x3 at batch 1, mobilenetv2's 32 channels at 112 px and 384 at 14 px:   47, 46
 *   neighbors load their bias and limits once                             57, 52
 *   an input stays in its register: gcc read it again for each tap        71, 59
 * Groups of several channels: a vector of inputs holds the channels of the same groups as the vector of filters; for each channel
 * of a group the lanes fetch theirs.
 * Contract: channels of a pixel lie side by side. A unit is one row of the output of one picture. Each element sums over
 * rows, then channels, then columns of the window, in order. */
#include "../kernels.h"

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { PIXELS = 8 };                                       /* 8 sums, 7 weights, 1 input of 32 registers */
#else
enum { PIXELS = 4 };                                       /* 4 sums, 7 weights, 1 input of 16 registers */
#endif
enum { WIDEST = 7, ALONE = 4 };

typedef struct {
    int64_t channels, filters, height, width, out_height, out_width;
    int64_t rows, columns, stride, pad, dilation;
    int64_t each;                         /* channels of a group */
    int64_t vectors, lanes, reach;        /* filters in a vector, and the channels that they see */
    int64_t whole;                        /* vectors first .. whole-1 have all their lanes, of inputs and of outputs */
    int64_t x_row, x_pixel, y_pixel, residual_pixel;
    const float *weights, *bias;          /* [rows * columns][vectors][each][KERNEL_LANES]; bias may be NULL */
    const float *x, *residual;            /* the picture; the row of the residual, or NULL */
    float *y;                             /* the row of the output */
    float low, high;
    VecInt fetch;                         /* by lane: the first channel of its group in the vector of inputs */
} Row;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- whole groups in a vector -------------------------------------------------------------------------------------------- */

static int64_t filters_a_group(const KernelCall *call) { return call->out.dim[1] / (int64_t)call->attribute[CONV_groups]; }
static int64_t groups_a_vector(const KernelCall *call) { return KERNEL_LANES / filters_a_group(call); }
static int64_t vectors_of(const KernelCall *call) {
    return units_of((int64_t)call->attribute[CONV_groups], groups_a_vector(call));
}

/* Two groups or more share a vector, and their channels fit into one too. */
static bool depthwise_fits(const KernelCall *call) {
    return conv_lies_well(call) && call->out.dim[1] > 0 && filters_a_group(call) * 2 <= KERNEL_LANES &&
           call->attribute[CONV_groups] > 1 && groups_a_vector(call) * call->in[1].dim[1] <= KERNEL_LANES;
}

static size_t depthwise_packed_bytes(const KernelCall *call) {
    const TensorView *w = &call->in[1];
    return (size_t)(vectors_of(call) * w->dim[1] * KERNEL_LANES * w->dim[2] * w->dim[3]) * sizeof(float);
}

static void depthwise_pack(const KernelCall *call, void *packed) {
    const TensorView *w = &call->in[1];
    const int64_t lanes = groups_a_vector(call) * filters_a_group(call);
    float *to = packed;
    for (int64_t i = 0; i < w->dim[2]; i++)
        for (int64_t j = 0; j < w->dim[3]; j++)
            for (int64_t v = 0; v < vectors_of(call); v++)
                for (int64_t c = 0; c < w->dim[1]; c++)
                    for (int64_t lane = 0; lane < KERNEL_LANES; lane++) {
                        const int64_t k = v * lanes + lane;
                        const float *from = (const float *)w->data + k * w->stride[0] + c * w->stride[1] + i * w->stride[2] + j * w->stride[3];
                        *to++ = lane < lanes && k < w->dim[0] ? *from : 0.0f;
                    }
}

static int64_t depthwise_units(const KernelCall *call) { return units_of(call->out.dim[0] * call->out.dim[2], 1); }

static Row row_of(const KernelCall *call, int64_t unit) {
    const TensorView *x = &call->in[0], *y = &call->out;
    int64_t image = unit / y->dim[2], at = unit % y->dim[2];
    Row row = {
        .channels = x->dim[1], .filters = y->dim[1], .each = call->in[1].dim[1], .vectors = vectors_of(call),
        .lanes = groups_a_vector(call) * filters_a_group(call), .reach = groups_a_vector(call) * call->in[1].dim[1], .height = x->dim[2], .width = x->dim[3],
        .out_height = y->dim[2], .out_width = y->dim[3], .rows = call->in[1].dim[2], .columns = call->in[1].dim[3],
        .stride = (int64_t)call->attribute[CONV_stride], .pad = (int64_t)call->attribute[CONV_pad],
        .dilation = (int64_t)call->attribute[CONV_dilation],
        .x_row = x->stride[2], .x_pixel = x->stride[3], .y_pixel = y->stride[3],
        .weights = call->packed, .bias = operand_present(call, 2) ? call->in[2].data : NULL,
        .x = (const float *)x->data + image * x->stride[0],
        .y = (float *)y->data + image * y->stride[0] + at * y->stride[2],
        .low = (float)call->attribute[CONV_low], .high = (float)call->attribute[CONV_high],
    };
    if (row.reach == KERNEL_LANES && row.lanes == KERNEL_LANES) row.whole = least(row.channels, row.filters) / KERNEL_LANES;
    for (int lane = 0; lane < KERNEL_LANES && lane < row.lanes; lane++)
        row.fetch[lane] = (int32_t)(lane / filters_a_group(call) * row.each);
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

KERNEL_INLINE Vec load(const float *from, int64_t left) {
    return left >= KERNEL_LANES ? vec_load(from) : vec_load_some(from, left);
}

KERNEL_INLINE void finish(bool whole, const Row *row, Vec sum, int64_t place, int64_t v) {
    const int64_t k = v * row->lanes, left = whole ? KERNEL_LANES : least(row->lanes, row->filters - k);
    float *to = row->y + place * row->y_pixel + k;
    if (row->bias) sum += load(row->bias + k, left);
    if (row->residual) sum += load(row->residual + place * row->residual_pixel + k, left);
    sum = vec_clamp(sum, row->low, row->high);
    if (left >= KERNEL_LANES) vec_store(to, sum);
    else vec_store_some(to, sum, left);
}

/* Whole vectors of neighbors: what they share is loaded once. */
KERNEL_INLINE void finish_neighbors(const Row *row, const Vec *sum, int pixels, int64_t place, int64_t v) {
    const int64_t k = v * KERNEL_LANES, step = row->y_pixel;
    const float low = row->low, high = row->high;
    const Vec bias = row->bias ? vec_load(row->bias + k) : vec_all(0.0f);
    float *to = row->y + place * step + k;
    if (row->residual) {
        const float *residual = row->residual + place * row->residual_pixel + k;
        const int64_t residual_step = row->residual_pixel;
        KERNEL_UNROLL(8)
        for (int p = 0; p < pixels; p++) vec_store(to + p * step, vec_clamp(sum[p] + bias + vec_load(residual + p * residual_step), low, high));
    } else {
        KERNEL_UNROLL(8)
        for (int p = 0; p < pixels; p++) vec_store(to + p * step, vec_clamp(sum[p] + bias, low, high));
    }
}

/* What the lanes of vector v of filters see at one pixel: channel c of their groups. */
KERNEL_INLINE Vec seen(bool grouped, const Row *row, const float *pixel, int64_t c, int64_t left) {
    const Vec value = load(pixel, left);
    return grouped ? vec_lanes(value, row->fetch + (int32_t)c) : value;
}

KERNEL_INLINE const float *weights_at(const Row *row, int64_t tap, int64_t v, int64_t c) {
    return row->weights + ((tap * row->vectors + v) * row->each + c) * KERNEL_LANES;
}

/* The whole vectors of `pixels` outputs from `place` on, whose columns are all inside; rows first .. end-1 of the window are. */
KERNEL_INLINE void neighbors(bool grouped, const Row *row, int pixels, int columns, int stride, int64_t place, int64_t top, int64_t first,
                             int64_t end) {
    const float *x = row->x + top * row->x_row + (place * stride - row->pad) * row->x_pixel;
    const int64_t x_pixel = row->x_pixel;
    for (int64_t v = 0; v < row->whole; v++) {
        const int64_t channel = v * KERNEL_LANES;
        Vec sum[PIXELS] = {{0}};
        for (int64_t i = first; i < end; i++) {
            for (int64_t c = 0; c < (grouped ? row->each : 1); c++) {
                const float *line = x + i * row->x_row + channel;
                Vec w[WIDEST];
                KERNEL_UNROLL(7)
                for (int j = 0; j < columns; j++) w[j] = vec_load(weights_at(row, i * columns + j, v, c));
                KERNEL_UNROLL(22)
                for (int q = 0; q < (pixels - 1) * stride + columns; q++) {
                    Vec value = seen(grouped, row, line + q * x_pixel, c, KERNEL_LANES);
                    KERNEL_KEEP(value);
                    KERNEL_UNROLL(8)
                    for (int p = 0; p < pixels; p++)
                        if (q - p * stride >= 0 && q - p * stride < columns) sum[p] = vec_fused(value, w[q - p * stride], sum[p]);
                }
            }
        }
        finish_neighbors(row, sum, pixels, place, v);
    }
}

/* The same for any window: the neighbors share their weights. */
KERNEL_INLINE void apart(bool grouped, const Row *row, int pixels, int64_t place, int64_t top, int64_t first, int64_t end) {
    const float *x = row->x + top * row->x_row + (place * row->stride - row->pad) * row->x_pixel;
    for (int64_t v = 0; v < row->whole; v++) {
        const int64_t channel = v * KERNEL_LANES;
        Vec sum[PIXELS] = {{0}};
        for (int64_t i = first; i < end; i++) {
            for (int64_t c = 0; c < (grouped ? row->each : 1); c++) {
                for (int64_t j = 0; j < row->columns; j++) {
                    const float *pixel = x + i * row->dilation * row->x_row + j * row->dilation * row->x_pixel + channel;
                    const Vec w = vec_load(weights_at(row, i * row->columns + j, v, c));
                    KERNEL_UNROLL(8)
                    for (int p = 0; p < pixels; p++)
                        sum[p] = vec_fused(seen(grouped, row, pixel + p * row->stride * row->x_pixel, c, KERNEL_LANES), w, sum[p]);
                }
            }
        }
        finish_neighbors(row, sum, pixels, place, v);
    }
}

/* One output whose window may be any and hang over the border, `count` vectors of it. */
KERNEL_INLINE void alone_part(bool grouped, const Row *row, int count, int64_t v, int64_t place, int64_t top, int64_t first, int64_t end) {
    const int64_t from = place * row->stride - row->pad, channel = v * row->reach;
    const int64_t left = count > 1 ? KERNEL_LANES : least(row->reach, row->channels - channel);
    int64_t column, last;
    inside(from, row->columns, row->dilation, row->width, &column, &last);
    Vec sum[ALONE] = {{0}};
    for (int64_t i = first; i < end; i++) {
        const float *line = row->x + (top + i * row->dilation) * row->x_row + channel;
        for (int64_t c = 0; c < (grouped ? row->each : 1); c++) {
            for (int64_t j = column; j < last; j++) {
                const float *pixel = line + (from + j * row->dilation) * row->x_pixel;
                const int64_t tap = i * row->columns + j;
                KERNEL_UNROLL(4)
                for (int k = 0; k < count; k++)
                    sum[k] = vec_fused(seen(grouped, row, pixel + k * KERNEL_LANES, c, left), vec_load(weights_at(row, tap, v + k, c)), sum[k]);
            }
        }
    }
    KERNEL_UNROLL(4)
    for (int k = 0; k < count; k++) finish(count > 1, row, sum[k], place, v + k);
}
/* The vectors v .. of one output: one copy of the code for all windows. */
static __attribute__((noinline)) void alone_single(const Row *row, int64_t v, int64_t place, int64_t top, int64_t first, int64_t end) {
    for (; v + ALONE <= row->whole; v += ALONE) alone_part(false, row, ALONE, v, place, top, first, end);
    for (; v < row->vectors; v++) alone_part(false, row, 1, v, place, top, first, end);
}
static __attribute__((noinline)) void alone_grouped(const Row *row, int64_t v, int64_t place, int64_t top, int64_t first, int64_t end) {
    for (; v + ALONE <= row->whole; v += ALONE) alone_part(true, row, ALONE, v, place, top, first, end);
    for (; v < row->vectors; v++) alone_part(true, row, 1, v, place, top, first, end);
}
KERNEL_INLINE void alone(bool grouped, const Row *row, int64_t v, int64_t place, int64_t top, int64_t first, int64_t end) {
    if (grouped) alone_grouped(row, v, place, top, first, end);
    else alone_single(row, v, place, top, first, end);
}

/* `pixels` outputs side by side; what is left of a last vector goes one output at a time. columns 0: any window. */
KERNEL_INLINE void beside(bool grouped, const Row *row, int pixels, int columns, int stride, int64_t place, int64_t top, int64_t first, int64_t end) {
    if (columns) neighbors(grouped, row, pixels, columns, stride, place, top, first, end);
    else apart(grouped, row, pixels, place, top, first, end);
    if (row->whole == row->vectors) return;
    for (int p = 0; p < pixels; p++) alone(grouped, row, row->whole, place + p, top, first, end);
}

/* A row of the output: borders alone, between them as many neighbors at once as fit. */
KERNEL_INLINE void run_row(bool grouped, const Row *row, int columns, int stride, int64_t top, int64_t first, int64_t end) {
    int64_t place = 0;
    for (; place < row->out_width && place * row->stride < row->pad; place++) alone(grouped, row, 0, place, top, first, end);
    int64_t room = row->width + row->pad - (row->columns - 1) * row->dilation - 1;         /* the last place that is inside starts here or before */
    int64_t last = room < 0 ? 0 : least(room / row->stride + 1, row->out_width);
    for (; place + PIXELS <= last; place += PIXELS) beside(grouped, row, PIXELS, columns, stride, place, top, first, end);
    for (; place + 2 <= last; place += 2) beside(grouped, row, 2, columns, stride, place, top, first, end);
    for (; place < row->out_width; place++) alone(grouped, row, 0, place, top, first, end);
}

#define ROW(columns, stride) \
    static void row_##columns##_##stride(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(false, row, columns, stride, top, first, end); }
ROW(0, 0) ROW(3, 1) ROW(3, 2) ROW(5, 1) ROW(5, 2) ROW(7, 1) ROW(7, 2)
static void grouped_0_0(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(true, row, 0, 0, top, first, end); }
static void grouped_3_1(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(true, row, 3, 1, top, first, end); }
static void grouped_3_2(const Row *row, int64_t top, int64_t first, int64_t end) { run_row(true, row, 3, 2, top, first, end); }

typedef void RunRow(const Row *row, int64_t top, int64_t first, int64_t end);
static RunRow *row_function(const Row *row) {
    static RunRow *const written_out[][2] = {{row_3_1, row_3_2}, {row_5_1, row_5_2}, {row_7_1, row_7_2}};
    const bool grouped = row->lanes != row->reach || row->each != 1, near = row->dilation == 1 && row->stride <= 2;
    if (grouped && near && row->columns == 3) return row->stride == 1 ? grouped_3_1 : grouped_3_2;
    if (grouped) return grouped_0_0;
    const bool one = near && (row->columns == 3 || row->columns == 5 || row->columns == 7);
    return one ? written_out[row->columns / 2 - 1][row->stride - 1] : row_0_0;
}

static void depthwise_run(const KernelCall *call, int64_t first, int64_t end) {
    for (int64_t unit = first; unit < end && unit < call->out.dim[0] * call->out.dim[2]; unit++) {
        Row row = row_of(call, unit);
        int64_t top = unit % row.out_height * row.stride - row.pad, from, to;
        inside(top, row.rows, row.dilation, row.height, &from, &to);
        row_function(&row)(&row, top, from, to);
        if (call->chain) KERNEL_LEVELED(chain_rows)(call, unit * row.out_width, row.out_width, 0, row.filters);
    }
}
KERNEL(conv_depthwise, .op = "conv", .device = "cpu", .variant = "depthwise", .type = KERNEL_F32, .preference = 20,
       .fits = depthwise_fits, .units = depthwise_units, .run = depthwise_run, .packed_bytes = depthwise_packed_bytes,
       .pack = depthwise_pack, .chains = true)
