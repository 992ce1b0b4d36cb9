/* matmul.c: [.., M, K] x [.., K, P], any strides, leading dimensions stretched against each other.
 *
 * Ladder, GFLOP/s on one core at level 4 where the FMA limit is 117:        [196,512] x [512,512]   [16,2048] x [2048,1000]
 *   reference, an element at a time                                                      0.2
 *   dot products of rows with a transposed b, 4 x 4 at once (cosine.c)                    98           95
 *   ROWS x PANEL sums in registers over a panel of b laid side by side; tiles of 12, 4, 1 112
 *   a tile function for each number of rows, weights packed once                         114          114
 * One micro-kernel serves all: weights are packed into panels once (`packed`); where b is computed too, each unit gathers
 * its panel into the workspace, or reads it where it lies if too few rows go by to pay for that (`gathered`). One row
 * against packed weights is bound by memory.
 *
 * Every element sums over K from first to last, whatever tile it falls into: bits depend neither on units nor on the batch.
 * A unit is a block of rows against a few panels of one product. */
#include "../kernels.h"

enum { ROWS = TILE_ROWS, VECTORS = TILE_VECTORS, PANEL = TILE_PANEL, NEAR_BYTES = 256 * 1024, STRIP = 16 };

/* ---- the tile -------------------------------------------------------------------------------------------------------- */

/* As tile_add of vector.h, for rows and panels of any step. */
KERNEL_INLINE void tile_run(const ProductTile *tile, int rows, int vectors) {
    Vec sum[ROWS][VECTORS] = {{{0}}};
    const float *a = tile->a, *b = tile->b;
    const int64_t a_row = tile->a_row, a_step = tile->a_step, b_step = tile->b_step;
    for (int64_t k = 0; k < tile->depth; k++, a += a_step, b += b_step) {
        Vec w[VECTORS];
        KERNEL_UNROLL(2)
        for (int v = 0; v < vectors; v++) w[v] = vec_load(b + v * KERNEL_LANES);
        KERNEL_UNROLL(12)
        for (int i = 0; i < rows; i++) {
            const Vec x = vec_all(a[i * a_row]);
            KERNEL_UNROLL(2)
            for (int v = 0; v < vectors; v++) sum[i][v] = vec_fused(w[v], x, sum[i][v]);
        }
    }
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) {
        float *to = tile->out + i * tile->out_row;
        KERNEL_UNROLL(2)
        for (int v = 0; v < vectors; v++, to += KERNEL_LANES) {
            int64_t left = tile->width - v * KERNEL_LANES;
            if (left >= KERNEL_LANES) vec_store(to, tile->add ? vec_load(to) + sum[i][v] : sum[i][v]);
            else vec_store_some(to, tile->add ? vec_load_some(to, left) + sum[i][v] : sum[i][v], left);
        }
    }
}

/* One function a tile size, so that all sums stay in registers. */
#define TILE(rows)                                                                          \
    static void tile_##rows##_1(const ProductTile *tile) { tile_run(tile, rows, 1); }       \
    static void tile_##rows##_2(const ProductTile *tile) { tile_run(tile, rows, 2); }
TILE_EACH(TILE)
#define TILE_PAIR(rows) {tile_##rows##_1, tile_##rows##_2},
static void (*const tiles[ROWS][VECTORS])(const ProductTile *) = {TILE_EACH(TILE_PAIR)};

/* All rows against one panel, in tiles whose sizes differ by at most one. */
void KERNEL_LEVELED(product_tiles)(const ProductTile *product, int64_t rows) {
    ProductTile tile = *product;
    int64_t count = units_of(rows, ROWS);
    int vectors = tile.width > KERNEL_LANES ? VECTORS : 1;
    for (int64_t t = 0; t < count; t++) {
        int64_t row = t * rows / count, size = (t + 1) * rows / count - row;
        tile.a = product->a + row * product->a_row;
        tile.out = product->out + row * product->out_row;
        tiles[size - 1][vectors - 1](&tile);
    }
}

/* ---- a call ------------------------------------------------------------------------------------------------------------ */

/* One product of many, of which each has its offsets; leading dimensions over which b stands still are rows, where they
 * lie as rows do. */
typedef struct {
    const float *a, *b;
    float *out;
    int64_t rows, depth, columns;
    int64_t a_row, a_step, b_row, b_step, out_row, out_step;
    int leading;
    int64_t dim[KERNEL_RANK], a_lead[KERNEL_RANK], b_lead[KERNEL_RANK], out_lead[KERNEL_RANK];
    int64_t products;
} Product;

/* Stride of a leading dimension of out in an operand whose sizes align with it from the right. */
static int64_t lead_stride(const TensorView *view, int rank, int d) {
    int at = d - (rank - view->rank);
    return at < 0 || view->dim[at] == 1 ? 0 : view->stride[at];
}

static void join_rows(Product *p) {
    while (p->leading > 0) {
        int last = p->leading - 1;
        if (p->b_lead[last] != 0 || p->a_lead[last] != p->rows * p->a_row || p->out_lead[last] != p->rows * p->out_row) return;
        p->rows *= p->dim[last];
        p->products /= p->dim[last];
        p->leading = last;
    }
}

static Product product_of(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1], *out = &call->out;
    int m = a->rank - 2, k = b->rank - 2, rank = out->rank;
    Product p = {.a = a->data, .b = b->data, .out = out->data, .rows = a->dim[m], .depth = a->dim[m + 1], .columns = b->dim[k + 1],
                 .a_row = a->stride[m], .a_step = a->stride[m + 1], .b_row = b->stride[k], .b_step = b->stride[k + 1],
                 .out_row = out->stride[rank - 2], .out_step = out->stride[rank - 1], .products = 1};
    for (int d = 0; d < rank - 2; d++) {
        if (out->dim[d] == 1) continue;
        p.dim[p.leading] = out->dim[d];
        p.a_lead[p.leading] = lead_stride(a, rank, d);
        p.b_lead[p.leading] = lead_stride(b, rank, d);
        p.out_lead[p.leading++] = out->stride[d];
        p.products *= out->dim[d];
    }
    join_rows(&p);
    return p;
}

static bool matmul_fits(const KernelCall *call) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    return call->inputs >= 2 && a->type == KERNEL_F32 && b->type == KERNEL_F32 && a->rank >= 2 && b->rank >= 2 && call->out.rank >= a->rank &&
           call->out.rank >= b->rank && a->dim[a->rank - 1] == b->dim[b->rank - 2];
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* As many rows of `bytes` each as stay near, a multiple of `step`. */
static int64_t as_many(int64_t bytes, int64_t step, int64_t most) {
    int64_t count = NEAR_BYTES / (bytes > 0 ? bytes : 1) / step * step;
    return count < step ? step : least(count, most);
}
static int64_t rows_of_a_unit(const Product *p) { return as_many(p->depth * 4, ROWS, 20 * ROWS); }
static int64_t panels_of_a_unit(const Product *p) { return as_many(p->depth * 4 * PANEL, 1, 8); }

/* Rows of one product against one panel; where columns of out are no neighbors, by way of the stack. */
static void against_panel(const Product *p, int64_t row, int64_t rows, int64_t column, const float *panel, int64_t panel_step) {
    int64_t width = least(PANEL, p->columns - column);
    ProductTile tile = {.a = p->a + row * p->a_row, .a_row = p->a_row, .a_step = p->a_step, .b = panel, .b_step = panel_step,
                        .out = p->out + row * p->out_row + column * p->out_step, .out_row = p->out_row, .depth = p->depth, .width = width};
    if (p->out_step == 1 || p->columns == 1) {
        KERNEL_LEVELED(product_tiles)(&tile, rows);
        return;
    }
    float held[ROWS * PANEL];
    float *out = tile.out;
    tile.out = held;
    tile.out_row = PANEL;
    for (int64_t i = 0; i < rows; i += ROWS, tile.a += ROWS * p->a_row, out += ROWS * p->out_row) {
        int64_t count = least(ROWS, rows - i);
        KERNEL_LEVELED(product_tiles)(&tile, count);
        for (int64_t r = 0; r < count; r++)
            for (int64_t j = 0; j < width; j++) out[r * p->out_row + j * p->out_step] = held[r * PANEL + j];
    }
}

/* Columns column .. column+PANEL-1 of b, rows side by side, zeros past the last. By strips of rows, so that a b whose
 * depth is contiguous is read in whole cache lines. */
static void gather_panel(const Product *p, int64_t column, float *panel) {
    int64_t width = least(PANEL, p->columns - column);
    const float *from = p->b + column * p->b_step;
    if (width == PANEL && p->b_step == 1) {
        for (int64_t k = 0; k < p->depth; k++, from += p->b_row, panel += PANEL)
            for (int v = 0; v < VECTORS; v++) vec_store(panel + v * KERNEL_LANES, vec_load(from + v * KERNEL_LANES));
        return;
    }
    for (int64_t k = 0; k < p->depth; k += STRIP) {
        int64_t last = least(k + STRIP, p->depth);
        for (int64_t j = 0; j < PANEL; j++)
            for (int64_t i = k; i < last; i++) panel[i * PANEL + j] = j < width ? from[i * p->b_row + j * p->b_step] : 0.0f;
    }
}

/* ---- b is packed: it stands still over all leading dimensions ------------------------------------------------------------- */

/* chain_rows takes the second of four dimensions for channels. */
static bool packed_fits(const KernelCall *call) {
    if (!matmul_fits(call) || (call->chain && call->out.rank == 4)) return false;
    for (int d = 0; d < call->in[1].rank - 2; d++)
        if (call->in[1].dim[d] != 1) return false;
    return true;
}

static size_t packed_bytes(const KernelCall *call) {
    Product p = product_of(call);
    return (size_t)(units_of(p.columns, PANEL) * PANEL * p.depth) * sizeof(float);
}

static void pack(const KernelCall *call, void *packed) {
    Product p = product_of(call);
    for (int64_t column = 0; column < p.columns; column += PANEL) gather_panel(&p, column, (float *)packed + column * p.depth);
}

/* Moves a, b and out to product number `index`. */
static Product product_at(const Product *all, int64_t index) {
    Product p = *all;
    for (int d = all->leading - 1; d >= 0; index /= all->dim[d--]) {
        int64_t at = index % all->dim[d];
        p.a += at * all->a_lead[d];
        p.b += at * all->b_lead[d];
        p.out += at * all->out_lead[d];
    }
    return p;
}

static int64_t packed_units(const KernelCall *call) {
    Product p = product_of(call);
    return p.products * units_of(units_of(p.columns, PANEL), panels_of_a_unit(&p)) * units_of(p.rows, rows_of_a_unit(&p));
}

static void packed_run(const KernelCall *call, int64_t first, int64_t end) {
    Product all = product_of(call);
    int64_t of_rows = rows_of_a_unit(&all), of_columns = panels_of_a_unit(&all) * PANEL;
    int64_t blocks = units_of(all.rows, of_rows), groups = units_of(all.columns, of_columns);
    const float *panels = call->packed;
    for (int64_t unit = first; unit < end; unit++) {
        Product p = product_at(&all, unit / blocks / groups);
        int64_t row = unit % blocks * of_rows, column = unit / blocks % groups * of_columns;
        int64_t rows = least(of_rows, p.rows - row), last = least(column + of_columns, p.columns);
        for (int64_t at = column; at < last; at += PANEL) against_panel(&p, row, rows, at, panels + at * p.depth, PANEL);
        if (call->chain) KERNEL_LEVELED(chain_rows)(call, unit / blocks / groups * p.rows + row, rows, column, last - column);
    }
}
KERNEL(matmul_packed, .op = "matmul", .device = "cpu", .variant = "packed", .type = KERNEL_F32, .preference = 20, .fits = packed_fits,
       .units = packed_units, .run = packed_run, .packed_bytes = packed_bytes, .pack = pack, .chains = true)

/* ---- b is computed too -------------------------------------------------------------------------------------------------------- */

static int64_t gathered_units(const KernelCall *call) {
    Product p = product_of(call);
    return p.products * units_of(p.columns, PANEL) * units_of(p.rows, rows_of_a_unit(&p));
}

static size_t gathered_workspace_bytes(const KernelCall *call) {
    const TensorView *a = &call->in[0];
    return (size_t)(a->dim[a->rank - 1] * PANEL) * sizeof(float);
}

static void gathered_run(const KernelCall *call, int64_t first, int64_t end) {
    Product all = product_of(call);
    int64_t of_rows = rows_of_a_unit(&all), blocks = units_of(all.rows, of_rows), panels = units_of(all.columns, PANEL), gathered = -1;
    bool few = all.rows < ROWS && all.b_step == 1;
    for (int64_t unit = first; unit < end; unit++) {
        Product p = product_at(&all, unit / blocks / panels);
        int64_t row = unit % blocks * of_rows, column = unit / blocks % panels * PANEL, rows = least(of_rows, p.rows - row);
        if (few && column + PANEL <= p.columns) {
            against_panel(&p, row, rows, column, p.b + column, p.b_row);
            continue;
        }
        if (gathered != unit / blocks) gather_panel(&p, column, call->workspace);
        gathered = unit / blocks;
        against_panel(&p, row, rows, column, call->workspace, PANEL);
    }
}
KERNEL(matmul_gathered, .op = "matmul", .device = "cpu", .variant = "gathered", .type = KERNEL_F32, .preference = 10, .fits = matmul_fits,
       .units = gathered_units, .run = gathered_run, .workspace_bytes = gathered_workspace_bytes)
