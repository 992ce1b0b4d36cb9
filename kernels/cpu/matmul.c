/* matmul.c: [M,K] x [K,N].
 *
 * Ladder: reference -> (columns contiguous in b) a panel of b is laid side by side in the workspace and swept by tiles
 * of ROWS x PANEL sums in registers; (depth contiguous in both, as in x times a transposed weight) tiles of dot
 * products, which read b once for every DOT_ROWS rows.
 * Which of the two is taken depends on strides, never on M, and each output element has one order of summation: over
 * K from first to last, or in LANES interleaved sums folded at the end. So a row's bits do not depend on its company. */
#include "../kernels.h"

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { ROWS = 12, VECTORS = 2, DOT_ROWS = 4, DOT_COLUMNS = 4 };
#else
enum { ROWS = 6, VECTORS = 2, DOT_ROWS = 3, DOT_COLUMNS = 4 };
#endif
enum { PANEL = VECTORS * KERNEL_LANES, ROWS_OF_A_UNIT = 20 * ROWS, DOT_ROWS_OF_A_UNIT = 48, DOT_COLUMNS_OF_A_UNIT = 64 };

static bool matrices(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return call->inputs == 2 && a->type == KERNEL_F32 && b->type == KERNEL_F32 && a->rank == 2 && b->rank == 2 &&
           call->out.rank == 2 && a->dim[1] == b->dim[0];
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- panels of b ------------------------------------------------------------------------------------------------ */

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
            const float x = a[i * a_row + k * a_step];
            KERNEL_UNROLL(2)
            for (int v = 0; v < VECTORS; v++) sum[i][v] += w[v] * x;
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

/* ---- dot products -------------------------------------------------------------------------------------------------- */

static bool dots_fit(const KernelCall *call) {
    return matrices(call) && (call->in[0].stride[1] == 1 || call->in[0].dim[1] == 1) &&
           (call->in[1].stride[0] == 1 || call->in[1].dim[0] == 1);
}

static int64_t dots_units(const KernelCall *call) {
    return units_of(call->out.dim[0], DOT_ROWS_OF_A_UNIT) * units_of(call->out.dim[1], DOT_COLUMNS_OF_A_UNIT);
}

/* What is left of a dot product after whole vectors. */
static float rest(const float *a, const float *b, int64_t count) {
    float sum = 0.0f;
    for (int64_t k = 0; k < count; k++) sum = fused(a[k], b[k], sum);
    return sum;
}

KERNEL_INLINE void dot_tile(int rows, int columns, const KernelCall *call, int64_t row, int64_t column) {
    const int64_t a_row = call->in[0].stride[0], b_column = call->in[1].stride[1], depth = call->in[0].dim[1];
    const float *a = (const float *)call->in[0].data + row * a_row;
    const float *b = (const float *)call->in[1].data + column * b_column;
    float *out = (float *)call->out.data + row * call->out.stride[0] + column * call->out.stride[1];
    Vec sum[DOT_ROWS][DOT_COLUMNS] = {{{0}}};
    int64_t k = 0;
    for (; k + KERNEL_LANES <= depth; k += KERNEL_LANES) {
        Vec x[DOT_ROWS];
        KERNEL_UNROLL(4)
        for (int i = 0; i < rows; i++) x[i] = vec_load(a + i * a_row + k);
        KERNEL_UNROLL(4)
        for (int j = 0; j < columns; j++) {
            Vec y = vec_load(b + j * b_column + k);
            KERNEL_UNROLL(4)
            for (int i = 0; i < rows; i++) sum[i][j] += x[i] * y;
        }
    }
    KERNEL_UNROLL(4)
    for (int i = 0; i < rows; i++) {
        KERNEL_UNROLL(4)
        for (int j = 0; j < columns; j++) {
            float *to = out + i * call->out.stride[0] + j * call->out.stride[1];
            *to = vec_sum(sum[i][j]) + rest(a + i * a_row + k, b + j * b_column + k, depth - k);
        }
    }
}

static void dots_run(const KernelCall *call, int64_t first, int64_t end) {
    int64_t blocks = units_of(call->out.dim[0], DOT_ROWS_OF_A_UNIT);
    for (int64_t unit = first; unit < end; unit++) {
        int64_t row = unit % blocks * DOT_ROWS_OF_A_UNIT, column = unit / blocks * DOT_COLUMNS_OF_A_UNIT;
        int64_t last_row = least(row + DOT_ROWS_OF_A_UNIT, call->out.dim[0]);
        int64_t last_column = least(column + DOT_COLUMNS_OF_A_UNIT, call->out.dim[1]);
        for (int64_t j = column; j < last_column; j += DOT_COLUMNS) {
            for (int64_t i = row; i < last_row; i += DOT_ROWS) {
                int64_t rows = least(DOT_ROWS, last_row - i), columns = least(DOT_COLUMNS, last_column - j);
                if (rows == DOT_ROWS && columns == DOT_COLUMNS) {
                    dot_tile(DOT_ROWS, DOT_COLUMNS, call, i, j);
                } else if (rows == 1 && columns == DOT_COLUMNS) {
                    dot_tile(1, DOT_COLUMNS, call, i, j);
                } else {
                    for (int64_t m = 0; m < rows; m++)
                        for (int64_t n = 0; n < columns; n++) dot_tile(1, 1, call, i + m, j + n);
                }
            }
        }
    }
}
KERNEL(matmul_dots, .op = "matmul", .device = "cpu", .variant = "dots", .type = KERNEL_F32, .preference = 5,
       .fits = dots_fit, .units = dots_units, .run = dots_run)
