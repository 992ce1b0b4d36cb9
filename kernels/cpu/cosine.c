/* cosine.c: scores of every row of a with every row of b, the block behind ranking.
 *
 * Ladder: reference (one dot product at a time) -> ROWS x COLUMNS dot products at once in vector registers, so that
 * each loaded vector is used several times; the register sums of a tile are folded together by a tree of shuffles.
 * Order of summation: LANES interleaved partial sums over D, the tree, then what whole vectors left over; the same for every place in the matrix.
 * Contract: D lies contiguous in both. A unit is ROWS_OF_A_UNIT rows of a against COLUMNS_OF_A_UNIT rows of b. */
#include "../kernels.h"

#if KERNEL_LEVEL == 4 || defined(__aarch64__)
enum { ROWS = 4, COLUMNS = 4 };                            /* 16 sums, 4 + 1 operands of 32 registers */
#else
enum { ROWS = 3, COLUMNS = 4 };                            /* 12 sums, 3 + 1 operands of 16 registers */
#endif
enum { ROWS_OF_A_UNIT = 96, COLUMNS_OF_A_UNIT = 256 };

static bool cosine_fits(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return call->inputs == 2 && a->type == KERNEL_F32 && b->type == KERNEL_F32 && a->rank == 2 && b->rank == 2 &&
           a->dim[1] == b->dim[1] && (a->stride[1] == 1 || a->dim[1] == 1) && (b->stride[1] == 1 || b->dim[1] == 1);
}

static int64_t cosine_units(const KernelCall *call) {
    return units_of(call->in[0].dim[0], ROWS_OF_A_UNIT) * units_of(call->in[1].dim[0], COLUMNS_OF_A_UNIT);
}

/* What is left of a dot product after whole vectors. */
static float rest(const float *a, const float *b, int64_t count) {
    float sum = 0.0f;
    for (int64_t k = 0; k < count; k++) sum = fused(a[k], b[k], sum);
    return sum;
}

KERNEL_INLINE void dot_tile(int rows, int columns, const float *a, int64_t a_row, const float *b, int64_t b_row,
                            int64_t depth, float *out, int64_t out_row, int64_t out_column) {
    Vec sum[ROWS][COLUMNS] = {{{0}}};
    int64_t k = 0;
    for (; k + KERNEL_LANES <= depth; k += KERNEL_LANES) {
        Vec x[ROWS];
        KERNEL_UNROLL(4)
        for (int i = 0; i < rows; i++) x[i] = vec_load(a + i * a_row + k);
        KERNEL_UNROLL(4)
        for (int j = 0; j < columns; j++) {
            Vec y = vec_load(b + j * b_row + k);
            KERNEL_UNROLL(4)
            for (int i = 0; i < rows; i++) sum[i][j] += x[i] * y;
        }
    }
    KERNEL_UNROLL(4)
    for (int i = 0; i < rows; i++) {
        KERNEL_UNROLL(4)
        for (int j = 0; j < columns; j++) {
            float *to = out + i * out_row + j * out_column;
            *to = vec_sum(sum[i][j]) + rest(a + i * a_row + k, b + j * b_row + k, depth - k);
        }
    }
}

/* A block of rows of a against a block of rows of b. */
static void dot_block(const KernelCall *call, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    const int64_t a_row = a->stride[0], b_row = b->stride[0], depth = a->dim[1];
    const int64_t out_row = call->out.stride[0], out_column = call->out.stride[1];
    for (int64_t j = column; j < column + columns; j += COLUMNS) {
        const float *y = (const float *)b->data + j * b_row;
        bool full_columns = j + COLUMNS <= column + columns;
        for (int64_t i = row; i < row + rows; i += ROWS) {
            const float *x = (const float *)a->data + i * a_row;
            float *out = (float *)call->out.data + i * out_row + j * out_column;
            if (full_columns && i + ROWS <= row + rows) {
                dot_tile(ROWS, COLUMNS, x, a_row, y, b_row, depth, out, out_row, out_column);
                continue;
            }
            for (int64_t n = 0; n < COLUMNS && j + n < column + columns; n++)
                for (int64_t m = 0; m < ROWS && i + m < row + rows; m++)
                    dot_tile(1, 1, x + m * a_row, a_row, y + n * b_row, b_row, depth, out + m * out_row + n * out_column,
                             out_row, out_column);
        }
    }
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void cosine_run(const KernelCall *call, int64_t first, int64_t end) {
    int64_t rows = call->in[0].dim[0], columns = call->in[1].dim[0];
    int64_t blocks = units_of(rows, ROWS_OF_A_UNIT);
    for (int64_t unit = first; unit < end; unit++) {
        int64_t row = unit % blocks * ROWS_OF_A_UNIT, column = unit / blocks * COLUMNS_OF_A_UNIT;
        dot_block(call, row, least(ROWS_OF_A_UNIT, rows - row), column, least(COLUMNS_OF_A_UNIT, columns - column));
    }
}
KERNEL(cosine_scores_vector, .op = "cosine_scores", .device = "cpu", .variant = "vector", .type = KERNEL_F32,
       .preference = 10, .fits = cosine_fits, .units = cosine_units, .run = cosine_run)
