/* matmul.c: [M,K] x [K,N].
 *
 * Ladder: reference -> (columns contiguous in b) a panel of b is laid side by side in the workspace and swept by tiles
 * of ROWS x PANEL sums in registers. A transposed b, whose depth is contiguous, is cosine.c's.
 * Each output element sums over K from first to last, whatever tile it falls into: a row's bits do not depend on its
 * company. A unit is a panel of b against ROWS_OF_A_UNIT rows of a. */
#include "../kernels.h"

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { ROWS = 12, VECTORS = 2 };
#else
enum { ROWS = 6, VECTORS = 2 };
#endif
enum { PANEL = VECTORS * KERNEL_LANES, ROWS_OF_A_UNIT = 20 * ROWS };

static bool matrices(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return call->inputs == 2 && a->type == KERNEL_F32 && b->type == KERNEL_F32 && a->rank == 2 && b->rank == 2 &&
           call->out.rank == 2 && a->dim[1] == b->dim[0];
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool panels_fit(const KernelCall *call) {
    return matrices(call) && (call->in[1].stride[1] == 1 || call->in[1].dim[1] == 1) &&
           (call->out.stride[1] == 1 || call->out.dim[1] == 1);
}

static int64_t panels_units(const KernelCall *call) {
    return units_of(call->out.dim[1], PANEL) * units_of(call->out.dim[0], ROWS_OF_A_UNIT);
}

static size_t panels_workspace_bytes(const KernelCall *call) {
    return (size_t)call->in[1].dim[0] * PANEL * sizeof(float);
}

/* Columns column .. column+PANEL-1 of b, rows side by side, zeros past the last column. */
static void gather_panel(const TensorView *b, int64_t column, float *panel) {
    int64_t width = least(PANEL, b->dim[1] - column);
    for (int64_t k = 0; k < b->dim[0]; k++) {
        const float *from = (const float *)b->data + k * b->stride[0] + column;
        float *to = panel + k * PANEL;
        if (width == PANEL) {
            for (int j = 0; j < PANEL; j++) to[j] = from[j];
        } else {
            for (int64_t j = 0; j < PANEL; j++) to[j] = j < width ? from[j] : 0.0f;
        }
    }
}

KERNEL_INLINE void panel_tile(int rows, const float *a, int64_t a_row, int64_t a_step, int64_t depth, const float *panel,
                              float *out, int64_t out_row, int64_t width) {
    Vec sum[ROWS][VECTORS] = {{{0}}};
    for (int64_t k = 0; k < depth; k++, panel += PANEL) {
        Vec w[VECTORS];
        KERNEL_UNROLL(2)
        for (int v = 0; v < VECTORS; v++) w[v] = vec_load(panel + v * KERNEL_LANES);
        KERNEL_UNROLL(12)
        for (int i = 0; i < rows; i++) {
            const Vec x = vec_all(a[i * a_row + k * a_step]);
            KERNEL_UNROLL(2)
            for (int v = 0; v < VECTORS; v++) sum[i][v] = vec_fused(w[v], x, sum[i][v]);
        }
    }
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) {
        KERNEL_UNROLL(2)
        for (int v = 0; v < VECTORS; v++) {
            float *to = out + i * out_row + v * KERNEL_LANES;
            int64_t left = width - v * KERNEL_LANES;
            if (left >= KERNEL_LANES) vec_store(to, sum[i][v]);
            else if (left > 0) vec_store_some(to, sum[i][v], left);
        }
    }
}

static void panels_run(const KernelCall *call, int64_t first, int64_t end) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    int64_t blocks = units_of(a->dim[0], ROWS_OF_A_UNIT), gathered = -1;
    float *panel = call->workspace;
    for (int64_t unit = first; unit < end; unit++) {
        int64_t column = unit / blocks * PANEL, row = unit % blocks * ROWS_OF_A_UNIT;
        int64_t last = least(row + ROWS_OF_A_UNIT, a->dim[0]), width = least(PANEL, b->dim[1] - column);
        if (column != gathered && width > 0) gather_panel(b, gathered = column, panel);
        for (int64_t i = row; i < last;) {
            const float *x = (const float *)a->data + i * a->stride[0];
            float *out = (float *)call->out.data + i * call->out.stride[0] + column;
            if (last - i >= ROWS) {
                panel_tile(ROWS, x, a->stride[0], a->stride[1], a->dim[1], panel, out, call->out.stride[0], width);
                i += ROWS;
            } else if (last - i >= 4) {
                panel_tile(4, x, a->stride[0], a->stride[1], a->dim[1], panel, out, call->out.stride[0], width);
                i += 4;
            } else {
                panel_tile(1, x, a->stride[0], a->stride[1], a->dim[1], panel, out, call->out.stride[0], width);
                i++;
            }
        }
    }
}
KERNEL(matmul_panels, .op = "matmul", .device = "cpu", .variant = "panels", .type = KERNEL_F32, .preference = 10,
       .fits = panels_fit, .units = panels_units, .run = panels_run, .workspace_bytes = panels_workspace_bytes)
