/* cosine.c: rows against rows: cosine_scores, the block behind ranking, and matmul whose right side is transposed (x times
 * a weight stored as [N,K]).
 *
 * matmul. Ladder: reference (one dot product at a time) -> ROWS x COLUMNS dot products at once in vector registers, so that
 * each loaded vector is used several times (123 GFLOP/s at [256,512] x [512,1024]) -> a few rows of a stay in the
 * first-level cache while b goes by, and a tile's registers are added up together by one tree of shuffles (see below).
 * Order of summation: KERNEL_LANES interleaved partial sums over the depth, the tree, then what whole vectors left over;
 * the same for every place in the matrix, so a row's bits do not depend on its company. A unit is up to ROWS_OF_A_UNIT rows of
 * a against a block of rows of b.
 *
 * cosine_scores. Ladder: the same dot products -> rows of b laid out in panels, PANEL_ROWS x PANEL sums in registers, as in a
 * convolution: 115 GFLOP/s at [480,512] x [480,512] where the machine's limit is 117. Laying out takes 3 % of that; whoever has
 * several blocks of a for one of b does it once. Each score is one sum from the first number to the last, so a with b has the bits
 * of b with a. A unit is a panel against ROWS_OF_A_PANEL rows of a.
 * Contract: the depth of a lies contiguous; for matmul that of b, too. */
#include "../kernels.h"

#if KERNEL_LANES == 8
enum { ROWS = 2, COLUMNS = 4 };                            /* a tile is a whole number of vectors of sums */
#elif KERNEL_LEVEL == 2
enum { ROWS = 3, COLUMNS = 4 };
#else
enum { ROWS = 4, COLUMNS = 4 };
#endif
enum { TILE = ROWS * COLUMNS, ROWS_OF_A_UNIT = 96, NEAR_BYTES = 16 * 1024, FAR_BYTES = 256 * 1024 };

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { PANEL_ROWS = 12, PANEL_VECTORS = 2 };               /* 24 sums, 2 loaded, 1 of a in 32 registers */
#else
enum { PANEL_ROWS = 6, PANEL_VECTORS = 2 };
#endif
enum { PANEL = PANEL_VECTORS * KERNEL_LANES, ROWS_OF_A_PANEL = 40 * PANEL_ROWS };

/* Rows of a, rows of b, their lengths and distances, and where the products go. */
typedef struct {
    const float *a, *b;
    float *out;
    int64_t a_rows, b_rows, depth, a_row, b_row, out_row, out_column;
} Dots;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* As many rows of `depth` as `bytes` hold, a multiple of `step`, between step and 256. */
static int64_t rows_in(int64_t bytes, int64_t depth, int64_t step) {
    int64_t rows = bytes / (4 * (depth > 0 ? depth : 1)) / step * step;
    return rows < step ? step : least(rows, 256);
}

static int64_t b_rows_of_a_unit(const Dots *dots) { return rows_in(FAR_BYTES, dots->depth, COLUMNS); }

static int64_t dots_units(const Dots *dots) {
    return units_of(dots->a_rows, ROWS_OF_A_UNIT) * units_of(dots->b_rows, b_rows_of_a_unit(dots));
}

/* What is left of a dot product after whole vectors. */
static float rest(const float *a, const float *b, int64_t count) {
    float sum = 0.0f;
    for (int64_t k = 0; k < count; k++) sum = fused(a[k], b[k], sum);
    return sum;
}

static void full_tile(const Dots *dots, int64_t row, int64_t column) {
    const float *a = dots->a + row * dots->a_row, *b = dots->b + column * dots->b_row;
    const int64_t a_row = dots->a_row, b_row = dots->b_row;
    Vec sum[TILE] = {{0}};
    int64_t k = 0;
    for (; k + KERNEL_LANES <= dots->depth; k += KERNEL_LANES) {
        Vec x[ROWS];
        KERNEL_UNROLL(4)
        for (int i = 0; i < ROWS; i++) x[i] = vec_load(a + i * a_row + k);
        KERNEL_UNROLL(4)
        for (int j = 0; j < COLUMNS; j++) {
            Vec y = vec_load(b + j * b_row + k);
            KERNEL_UNROLL(4)
            for (int i = 0; i < ROWS; i++) sum[i * COLUMNS + j] = vec_fused(x[i], y, sum[i * COLUMNS + j]);
        }
    }
    float product[TILE];
    KERNEL_UNROLL(4)
    for (int i = 0; i < TILE; i += KERNEL_LANES) vec_store(product + i, vec_sums(sum + i));
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < COLUMNS; j++) {
            float left = rest(a + i * a_row + k, b + j * b_row + k, dots->depth - k);
            dots->out[(row + i) * dots->out_row + (column + j) * dots->out_column] = product[i * COLUMNS + j] + left;
        }
    }
}

/* One row of a against COLUMNS rows of b, where a tile's rows run out: one query, one picture. */
static void flat_tile(const Dots *dots, int64_t row, int64_t column) {
    const float *a = dots->a + row * dots->a_row, *b = dots->b + column * dots->b_row;
    Vec sum[COLUMNS] = {{0}};
    int64_t k = 0;
    for (; k + KERNEL_LANES <= dots->depth; k += KERNEL_LANES) {
        Vec x = vec_load(a + k);
        KERNEL_UNROLL(4)
        for (int j = 0; j < COLUMNS; j++) sum[j] = vec_fused(x, vec_load(b + j * dots->b_row + k), sum[j]);
    }
    KERNEL_UNROLL(4)
    for (int j = 0; j < COLUMNS; j++)
        dots->out[row * dots->out_row + (column + j) * dots->out_column] =
            vec_sum(sum[j]) + rest(a + k, b + j * dots->b_row + k, dots->depth - k);
}

static void single(const Dots *dots, int64_t row, int64_t column) {
    const float *a = dots->a + row * dots->a_row, *b = dots->b + column * dots->b_row;
    Vec sum = {0};
    int64_t k = 0;
    for (; k + KERNEL_LANES <= dots->depth; k += KERNEL_LANES) sum = vec_fused(vec_load(a + k), vec_load(b + k), sum);
    dots->out[row * dots->out_row + column * dots->out_column] = vec_sum(sum) + rest(a + k, b + k, dots->depth - k);
}

/* A few rows of a, which stay near, against a block of rows of b. */
static void run_rows(const Dots *dots, int64_t row, int64_t last_row, int64_t column, int64_t last_column) {
    for (; column < last_column; column += COLUMNS) {
        bool whole = column + COLUMNS <= last_column;
        int64_t i = row;
        for (; whole && i + ROWS <= last_row; i += ROWS) full_tile(dots, i, column);
        for (; whole && i < last_row; i++) flat_tile(dots, i, column);
        for (; i < last_row; i++)
            for (int64_t j = column; j < last_column; j++) single(dots, i, j);
    }
}

static void run_dots(const Dots *dots, int64_t first, int64_t end) {
    int64_t blocks = units_of(dots->a_rows, ROWS_OF_A_UNIT), of_b = b_rows_of_a_unit(dots);
    int64_t near = rows_in(NEAR_BYTES, dots->depth, ROWS);
    for (int64_t unit = first; unit < end; unit++) {
        int64_t row = unit % blocks * ROWS_OF_A_UNIT, column = unit / blocks * of_b;
        int64_t last_row = least(row + ROWS_OF_A_UNIT, dots->a_rows), last_column = least(column + of_b, dots->b_rows);
        for (; row < last_row; row += near) run_rows(dots, row, least(row + near, last_row), column, last_column);
    }
}

/* ---- what calls have in common -------------------------------------------------------------------------------------- */

static bool matrices(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return call->inputs == 2 && a->type == KERNEL_F32 && b->type == KERNEL_F32 && a->rank == 2 && b->rank == 2 &&
           call->out.rank == 2 && (a->stride[1] == 1 || a->dim[1] == 1);
}

static Dots dots_of(const KernelCall *call, int b_rows, int b_depth) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return (Dots){.a = a->data, .b = b->data, .out = call->out.data, .a_rows = a->dim[0], .b_rows = b->dim[b_rows],
                  .depth = b->dim[b_depth], .a_row = a->stride[0], .b_row = b->stride[b_rows],
                  .out_row = call->out.stride[0], .out_column = call->out.stride[1]};
}

/* ---- matmul: b [K,N], its columns contiguous ---------------------------------------------------------------------- */

static bool matmul_fits(const KernelCall *call) {
    const TensorView *b = &call->in[1];
    return matrices(call) && call->in[0].dim[1] == b->dim[0] && (b->stride[0] == 1 || b->dim[0] == 1);
}

static int64_t matmul_units(const KernelCall *call) {
    Dots dots = dots_of(call, 1, 0);
    return dots_units(&dots);
}

static void matmul_run(const KernelCall *call, int64_t first, int64_t end) {
    Dots dots = dots_of(call, 1, 0);
    run_dots(&dots, first, end);
}
KERNEL(matmul_dots, .op = "matmul", .device = "cpu", .variant = "dots", .type = KERNEL_F32, .preference = 5,
       .fits = matmul_fits, .units = matmul_units, .run = matmul_run)

/* ---- cosine_scores: a [M,D], b [G,D], packed as panels --------------------------------------------------------------- */

static bool scores_fit(const KernelCall *call) {
    return matrices(call) && call->in[0].dim[1] == call->in[1].dim[1] && (call->out.stride[1] == 1 || call->out.dim[1] == 1);
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
    Vec sum[PANEL_ROWS][PANEL_VECTORS] = {{{0}}};
    for (int64_t k = 0; k < depth; k++, panel += PANEL) {
        Vec w[PANEL_VECTORS];
        KERNEL_UNROLL(2)
        for (int v = 0; v < PANEL_VECTORS; v++) w[v] = vec_load(panel + v * KERNEL_LANES);
        KERNEL_UNROLL(12)
        for (int i = 0; i < rows; i++) {
            const Vec x = vec_all(a[i * a_row + k]);
            KERNEL_UNROLL(2)
            for (int v = 0; v < PANEL_VECTORS; v++) sum[i][v] = vec_fused(w[v], x, sum[i][v]);
        }
    }
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) {
        KERNEL_UNROLL(2)
        for (int v = 0; v < PANEL_VECTORS; v++) {
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
            rows = last - i >= PANEL_ROWS ? PANEL_ROWS : last - i >= 4 ? 4 : 1;
            if (rows == PANEL_ROWS) panel_tile(PANEL_ROWS, x, a->stride[0], depth, panel, to, out->stride[0], width);
            else if (rows == 4) panel_tile(4, x, a->stride[0], depth, panel, to, out->stride[0], width);
            else panel_tile(1, x, a->stride[0], depth, panel, to, out->stride[0], width);
        }
    }
}
KERNEL(cosine_scores_panels, .op = "cosine_scores", .device = "cpu", .variant = "panels", .type = KERNEL_F32, .preference = 10,
       .fits = scores_fit, .units = scores_units, .run = scores_run, .packed_bytes = scores_packed_bytes, .pack = scores_pack)
