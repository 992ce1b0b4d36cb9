/* cosine.c: rows against rows: cosine_scores, the block behind ranking.
 *
 * Ladder: reference (one dot product at a time) -> rows of b laid out in panels, the sums of products (tile_add) in registers, as
 * in a convolution: 115 GFLOP/s at [480,512] x [480,512] where the machine's limit is 117. Laying out takes 3 % of that; whoever has
 * several blocks of a for one of b does it once. Each score is one sum from the first number to the last, so a with b has the bits
 * of b with a. A unit is a panel against ROWS_OF_A_PANEL rows of a.
 * Contract: the depth of a lies contiguous. */
#include "../kernels.h"

enum { PANEL = TILE_PANEL, ROWS_OF_A_PANEL = 40 * TILE_ROWS };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* b [G,D], packed as panels. */
static bool scores_fit(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return call->inputs == 2 && a->type == KERNEL_F32 && b->type == KERNEL_F32 && a->rank == 2 && b->rank == 2 && call->out.rank == 2 &&
           (a->stride[1] == 1 || a->dim[1] == 1) && a->dim[1] == b->dim[1] && (call->out.stride[1] == 1 || call->out.dim[1] == 1);
}

static int64_t scores_units(const KernelCall *call) {
    return units_of(call->out.dim[1], PANEL) * units_of(call->out.dim[0], ROWS_OF_A_PANEL);
}

static size_t scores_packed_bytes(const KernelCall *call) {
    const TensorView *b = &call->in[1];
    return (size_t)(units_of(b->dim[0], PANEL) * PANEL * b->dim[1]) * sizeof(float);
}

/* KERNEL_LANES rows of b, their depth contiguous, become one column of a panel. */
static void pack_square(const float *from, int64_t row, float *to) {
    Vec square[KERNEL_LANES];
    KERNEL_UNROLL(16)
    for (int i = 0; i < KERNEL_LANES; i++) square[i] = vec_load(from + i * row);
    vec_transpose(square);
    KERNEL_UNROLL(16)
    for (int i = 0; i < KERNEL_LANES; i++) vec_store(to + i * PANEL, square[i]);
}

/* Panels [G / PANEL][D][PANEL], zeros past the last row of b. */
static void scores_pack(const KernelCall *call, void *packed) {
    const TensorView *b = &call->in[1];
    const int64_t depth = b->dim[1], rows = b->dim[0];
    float *panel = packed;
    for (int64_t first = 0; first < units_of(rows, PANEL) * PANEL; first += KERNEL_LANES) {
        const int64_t count = least(KERNEL_LANES, rows - first), column = first % PANEL;
        const float *from = (const float *)b->data + first * b->stride[0];
        int64_t k = 0;
        if (b->stride[1] == 1 && count == KERNEL_LANES)
            for (; k + KERNEL_LANES <= depth; k += KERNEL_LANES) pack_square(from + k, b->stride[0], panel + k * PANEL + column);
        for (; k < depth; k++)
            for (int64_t j = 0; j < KERNEL_LANES; j++) panel[k * PANEL + column + j] = j < count ? from[j * b->stride[0] + k * b->stride[1]] : 0.0f;
        if (column + KERNEL_LANES == PANEL) panel += depth * PANEL;
    }
}

KERNEL_INLINE void panel_tile(int rows, const float *a, int64_t a_row, int64_t depth, const float *panel, float *out, int64_t out_row, int64_t width) {
    Vec sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    const float *x[TILE_ROWS];
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) x[i] = a + i * a_row;
    tile_add(sum, x, panel, depth, rows, TILE_VECTORS);
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) {
        KERNEL_UNROLL(2)
        for (int v = 0; v < TILE_VECTORS; v++) {
            float *to = out + i * out_row + v * KERNEL_LANES;
            const int64_t left = width - v * KERNEL_LANES;
            if (left >= KERNEL_LANES) vec_store(to, sum[i][v]);
            else if (left > 0) vec_store_some(to, sum[i][v], left);
        }
    }
}

static void scores_run(const KernelCall *call, int64_t first, int64_t end) {
    const TensorView *a = &call->in[0], *out = &call->out;
    const int64_t depth = a->dim[1], blocks = units_of(a->dim[0], ROWS_OF_A_PANEL);
    for (int64_t unit = first; unit < end; unit++) {
        const int64_t column = unit / blocks * PANEL, width = least(PANEL, out->dim[1] - column);
        const int64_t row = unit % blocks * ROWS_OF_A_PANEL, last = least(row + ROWS_OF_A_PANEL, a->dim[0]);
        const float *panel = (const float *)call->packed + column * depth;
        for (int64_t i = row, rows; i < last; i += rows) {
            const float *x = (const float *)a->data + i * a->stride[0];
            float *to = (float *)out->data + i * out->stride[0] + column;
            rows = last - i >= TILE_ROWS ? TILE_ROWS : last - i >= 4 ? 4 : 1;
            if (rows == TILE_ROWS) panel_tile(TILE_ROWS, x, a->stride[0], depth, panel, to, out->stride[0], width);
            else if (rows == 4) panel_tile(4, x, a->stride[0], depth, panel, to, out->stride[0], width);
            else panel_tile(1, x, a->stride[0], depth, panel, to, out->stride[0], width);
        }
    }
}
KERNEL(cosine_scores_panels, .op = "cosine_scores", .device = "cpu", .variant = "panels", .type = KERNEL_F32, .preference = 10,
       .fits = scores_fit, .units = scores_units, .run = scores_run, .packed_bytes = scores_packed_bytes, .pack = scores_pack)
