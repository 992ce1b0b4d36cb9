/* winograd.c: 3x3 convolution with stride 1 by Winograd's F(4x4, 3x3), with bias, residual and clamp fused into its end.
 *
 * Sixteen neighboring outputs of a filter are a polynomial product of 36 numbers instead of 144. A tile of 6 x 6 inputs
 * and the 3 x 3 weights are seen at the points 0, +-3/4, +-3/2 and infinity, multiplied there, channel after channel, and
 * brought back: y = A'((G w G') * (B' d B)) A. The 36 products of a block of tiles are matrix products, [tiles, channels] x
 * [channels, filters], by the same sums in registers as conv.c's.
 *
 * Ladder, GFLOP/s of the direct convolution's work, batch 1, one core at level 4 (multiply-add limit 117):
 *                                               64 channels, 56 px   128, 28 px   256, 14 px   512, 7 px
 *   direct (conv.c)                                        115          116          116          117
 *   this: 3.6 of 4 times at 28 px; tiles hang over
 *   the edge at 14 and 7 px, and at 7 px weights
 *   stream from memory for four tiles                      372          413          335          137 to 162
 *   blocks of 12, 24 or 96 tiles, weights fetched ahead:
 *   no difference but at 7 px, where fetching ahead costs
 * Few channels: 16 to 64 at 56 px 272 instead of 108, 24 to 24 at 112 px 204. All convolutions of resnet50 at batch 1
 * take 59.5 ms instead of 72.8, of resnet18 16.4.
 *
 * Points: largest error against f64 of sums over 256 channels of values up to 1, over the square root of the channels:
 *   0, +-1, +-2                1.4e-5  (the usual ones)        0, 1, -1, 1/2, -2       1.2e-5  (a third more work to transform)
 *   0, +-sqrt(1/2), +-sqrt(2)  1.1e-5                          0, +-3/4, +-3/2         6.1e-6  (squares, products exact in binary)
 *
 * Stated and tested: for values up to 1, within 1e-5 times the square root of the channels of f64 (measured 3.7e-6, 6.5e-6,
 * 8.2e-6 at 16, 64, 256 channels; the direct sum of 9 times as many products: 1.7e-6, 2.9e-6, 6.8e-6).
 *
 * An infinity among the 6 x 6 inputs of a tile makes NaN of its 16 outputs, also of those whose window does not see it: the transforms
 * take infinities from each other. Other tiles stay as they are (tested).
 *
 * Weights are transformed in double when packed, into panels [group of panels][36][panel][channel][filter]. A unit is a block
 * of tiles against a group of panels; consecutive units of one thread share the transformed inputs. Every number is made by
 * the same operations in the same order wherever its tile falls: bits do not depend on units, threads or batch. */
#include "../kernels.h"

enum { EDGE = 6, STEP = 4, POINTS = EDGE * EDGE, GROUP = 2 * TILE_PANEL, BLOCK = 48, LARGE_WEIGHTS = 16 << 20 };

#define NEAR 0.75f                                         /* the points +-NEAR and +-FAR */
#define FAR 1.5f

typedef struct {
    const float *x, *bias, *residual;
    float *y;
    int64_t images, height, width, out_height, out_width, channels, filters, pad;
    int64_t x_image, x_row, x_pixel, y_image, y_row, y_pixel, residual_image, residual_row, residual_pixel;
    int64_t tile_rows, tile_columns, tiles, blocks;
    float low, high;
} Winograd;

static int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- sizes --------------------------------------------------------------------------------------------------------------- */

static int64_t padded(int64_t count) { return units_of(count, KERNEL_LANES) * KERNEL_LANES; }
/* One vector more than needed keeps rows apart in the ways of the first cache. */
static int64_t line_of(int64_t channels) { return padded(channels) + KERNEL_LANES; }
static int64_t groups_of(int64_t filters) { return units_of(filters, GROUP); }
static int64_t width_of(int64_t filters) { return filters < GROUP ? padded(filters) : GROUP; }

/* Tiles of a block. Weights that leave even the third cache between blocks are read as rarely as possible. */
static int64_t block_tiles(int64_t channels, int64_t filters) {
    const int64_t bytes = POINTS * channels * padded(filters) * (int64_t)sizeof(float);
    return bytes > LARGE_WEIGHTS ? 2 * BLOCK : BLOCK;
}

/* An even number where there are more than two, for two threads. */
static int64_t blocks_of(int64_t tiles, int64_t a_block) {
    int64_t blocks = units_of(tiles, a_block);
    return blocks < 3 ? blocks : units_of(blocks, 4) * 4;
}

static Winograd winograd_of(const KernelCall *call) {
    const TensorView *x = &call->in[0], *y = &call->out;
    Winograd w = {
        .x = x->data, .y = y->data, .bias = operand_present(call, 2) ? call->in[2].data : NULL,
        .images = y->dim[0], .height = x->dim[2], .width = x->dim[3], .out_height = y->dim[2], .out_width = y->dim[3],
        .channels = x->dim[1], .filters = y->dim[1], .pad = (int64_t)call->attribute[CONV_pad],
        .x_image = x->stride[0], .x_row = x->stride[2], .x_pixel = x->stride[3],
        .y_image = y->stride[0], .y_row = y->stride[2], .y_pixel = y->stride[3],
        .low = (float)call->attribute[CONV_low], .high = (float)call->attribute[CONV_high],
    };
    w.tile_rows = units_of(w.out_height, STEP);
    w.tile_columns = units_of(w.out_width, STEP);
    w.tiles = w.images * w.tile_rows * w.tile_columns;
    w.blocks = blocks_of(w.tiles, block_tiles(w.channels, w.filters));
    if (operand_present(call, 3)) {
        const TensorView *residual = &call->in[3];
        w.residual = residual->data;
        w.residual_image = residual->stride[0], w.residual_row = residual->stride[2], w.residual_pixel = residual->stride[3];
    }
    return w;
}

/* ---- where it pays --------------------------------------------------------------------------------------------------------- */

enum {
    FEWEST = 16,                                           /* channels or filters: with fewer sums are too short, vectors too empty */
    TRANSFORM = 200,                                       /* multiply-adds of a channel of a tile on its way to or from the points */
    FLOAT = 12,                                            /* multiply-adds while a float comes from memory */
};

/* A static model in multiply-adds of one lane: 9 for each output, channel and filter, or 36 for each tile, channel and filter,
 * and what it takes to bring a tile's channels to the points and its filters back. One picture at a time reads all weights
 * from memory once a picture: a float takes as long as some multiply-adds. */
static bool pays(const KernelCall *call) {
    const TensorView *y = &call->out;
    const int64_t channels = call->in[0].dim[1], filters = padded(y->dim[1]), weights = channels * filters;
    if (channels < FEWEST || y->dim[1] < FEWEST) return false;
    const int64_t tiles = units_of(y->dim[2], STEP) * units_of(y->dim[3], STEP);
    int64_t direct = 9 * y->dim[2] * y->dim[3] * weights;
    int64_t here = tiles * (POINTS * weights + TRANSFORM * (channels + filters));
    if (call->latency) {
        direct = greater(direct, 9 * FLOAT * weights);
        here = greater(here, POINTS * FLOAT * weights);
    }
    return here < direct - direct / 8;
}

static bool winograd_fits(const KernelCall *call) {
    const TensorView *w = &call->in[1];
    return conv_lies_well(call) && call->attribute[CONV_groups] == 1 && w->dim[2] == 3 && w->dim[3] == 3 &&
           call->attribute[CONV_stride] == 1 && call->attribute[CONV_dilation] == 1 && pays(call);
}

/* ---- packed weights ----------------------------------------------------------------------------------------------------------- */

static size_t winograd_packed_bytes(const KernelCall *call) {
    return (size_t)(POINTS * padded(call->out.dim[1]) * call->in[0].dim[1]) * sizeof(float);
}

/* The polynomial of three weights at each point, over what the points' Lagrange polynomials are divided by. */
KERNEL_INLINE void weights_at_points(const double w[3], double at[EDGE]) {
    const double near = (double)NEAR, far = (double)FAR, a = near * near, b = far * far;
    const double of_zero = 1 / (a * b), of_near = 1 / (2 * a * (a - b)), of_far = 1 / (2 * b * (b - a));
    at[0] = w[0] * of_zero;
    at[1] = (w[0] + w[2] * a + w[1] * near) * of_near;
    at[2] = (w[0] + w[2] * a - w[1] * near) * of_near;
    at[3] = (w[0] + w[2] * b + w[1] * far) * of_far;
    at[4] = (w[0] + w[2] * b - w[1] * far) * of_far;
    at[5] = w[2];
}

static void weights_of(const TensorView *w, int64_t filter, int64_t channel, double at[EDGE][EDGE]) {
    double half[3][EDGE];
    for (int64_t i = 0; i < 3; i++) {
        double row[3];
        for (int64_t j = 0; j < 3; j++)
            row[j] = (double)((const float *)w->data)[filter * w->stride[0] + channel * w->stride[1] + i * w->stride[2] + j * w->stride[3]];
        weights_at_points(row, half[i]);
    }
    for (int j = 0; j < EDGE; j++) {
        const double column[3] = {half[0][j], half[1][j], half[2][j]};
        double seen[EDGE];
        weights_at_points(column, seen);
        for (int i = 0; i < EDGE; i++) at[i][j] = seen[i];
    }
}

/* A panel of `width` filters from `filter` on: [36][channel][width], `apart` numbers from point to point. */
static void pack_panel(const KernelCall *call, int64_t filter, int64_t width, float *panel, int64_t apart) {
    const int64_t channels = call->in[0].dim[1], filters = call->out.dim[1];
    for (int64_t c = 0; c < channels; c++) {
        float at[POINTS][TILE_PANEL];
        for (int64_t k = 0; k < width; k++) {
            double seen[EDGE][EDGE] = {{0}};
            if (filter + k < filters) weights_of(&call->in[1], filter + k, c, seen);
            for (int point = 0; point < POINTS; point++) at[point][k] = (float)seen[point / EDGE][point % EDGE];
        }
        for (int point = 0; point < POINTS; point++)
            for (int64_t k = 0; k < width; k++) panel[point * apart + c * width + k] = at[point][k];
    }
}

static void winograd_pack(const KernelCall *call, void *packed) {
    const int64_t channels = call->in[0].dim[1], filters = padded(call->out.dim[1]);
    for (int64_t first = 0; first < filters; first += GROUP) {
        const int64_t of_group = lesser(filters - first, GROUP);
        float *group = (float *)packed + first * POINTS * channels;
        for (int64_t panel = 0; panel < of_group; panel += TILE_PANEL)
            pack_panel(call, first + panel, lesser(of_group - panel, TILE_PANEL), group + panel * channels, of_group * channels);
    }
}

/* ---- inputs at the points ------------------------------------------------------------------------------------------------------- */

KERNEL_INLINE Vec load(const float *from, int64_t left) {
    return left >= KERNEL_LANES ? vec_load(from) : vec_load_some(from, left);
}

/* d[4] + near^2 far^2 d[0] - (near^2 + far^2) d[2]: what the points 0 and infinity see. */
KERNEL_INLINE Vec at_end(Vec first, Vec second, Vec third) {
    const float a = NEAR * NEAR, b = FAR * FAR;
    return vec_fused(vec_all(a * b), first, vec_fused(vec_all(-(a + b)), second, third));
}
/* The even and the odd part of what the points +-p see, where the other pair is +-q. */
KERNEL_INLINE Vec even_part(float q, const Vec d2, const Vec d4) { return vec_fused(vec_all(-q * q), d2, d4); }
KERNEL_INLINE Vec odd_part(float p, float q, const Vec d1, const Vec d3) { return vec_all(p) * vec_fused(vec_all(-q * q), d1, d3); }

/* Six neighbors in a row, seen once across the rows: now across the columns too. */
KERNEL_INLINE void columns_at_points(const Vec d[EDGE], float *to, int64_t step) {
    vec_store(to, at_end(d[0], d[2], d[4]));
    Vec even = even_part(FAR, d[2], d[4]), odd = odd_part(NEAR, FAR, d[1], d[3]);
    vec_store(to + step, even + odd);
    vec_store(to + 2 * step, even - odd);
    even = even_part(NEAR, d[2], d[4]), odd = odd_part(FAR, NEAR, d[1], d[3]);
    vec_store(to + 3 * step, even + odd);
    vec_store(to + 4 * step, even - odd);
    vec_store(to + 5 * step, at_end(d[1], d[3], d[5]));
}

/* Two rows of points at a time, so that all stays in registers. */
KERNEL_INLINE void pair_at_points(const float *const from[EDGE][EDGE], int64_t c, int64_t left, float p, float q, float *to, int64_t step) {
    Vec plus[EDGE], minus[EDGE];
    KERNEL_UNROLL(6)
    for (int j = 0; j < EDGE; j++) {
        Vec even = even_part(q, load(from[2][j] + c, left), load(from[4][j] + c, left));
        Vec odd = odd_part(p, q, load(from[1][j] + c, left), load(from[3][j] + c, left));
        plus[j] = even + odd;
        minus[j] = even - odd;
    }
    columns_at_points(plus, to, step);
    columns_at_points(minus, to + EDGE * step, step);
}
KERNEL_INLINE void end_at_points(const float *const from[EDGE][EDGE], int64_t c, int64_t left, int first, float *to, int64_t step) {
    Vec end[EDGE];
    KERNEL_UNROLL(6)
    for (int j = 0; j < EDGE; j++)
        end[j] = at_end(load(from[first][j] + c, left), load(from[first + 2][j] + c, left), load(from[first + 4][j] + c, left));
    columns_at_points(end, to, step);
}
KERNEL_INLINE void inputs_at_points(const float *const from[EDGE][EDGE], int64_t c, int64_t left, float *to, int64_t step) {
    end_at_points(from, c, left, 0, to, step);
    pair_at_points(from, c, left, NEAR, FAR, to + EDGE * step, step);
    pair_at_points(from, c, left, FAR, NEAR, to + 3 * EDGE * step, step);
    end_at_points(from, c, left, 1, to + 5 * EDGE * step, step);
}

typedef struct { int64_t image, row, column; } Place;      /* of a tile's first output */

static Place place_of(const Winograd *w, int64_t tile) {
    return (Place){tile / w->tile_columns / w->tile_rows, tile / w->tile_columns % w->tile_rows * STEP, tile % w->tile_columns * STEP};
}

/* Where a tile's inputs lie; `zeros` where they would lie outside the picture. */
static void find_inputs(const Winograd *w, Place at, const float *zeros, const float *from[EDGE][EDGE]) {
    for (int64_t i = 0; i < EDGE; i++) {
        int64_t h = at.row - w->pad + i;
        const float *line = w->x + at.image * w->x_image + h * w->x_row;
        for (int64_t j = 0; j < EDGE; j++) {
            int64_t column = at.column - w->pad + j;
            bool inside = h >= 0 && h < w->height && column >= 0 && column < w->width;
            from[i][j] = inside ? line + column * w->x_pixel : zeros;
        }
    }
}

/* v: [36][tiles][line]. */
static void transform_inputs(const Winograd *w, int64_t first, int64_t count, const float *zeros, float *v) {
    const int64_t line = line_of(w->channels), step = count * line;
    const float *from[EDGE][EDGE];
    for (int64_t tile = 0; tile < count; tile++, v += line) {
        find_inputs(w, place_of(w, first + tile), zeros, from);
        int64_t c = 0;
        for (; c + KERNEL_LANES <= w->channels; c += KERNEL_LANES) inputs_at_points(from, c, KERNEL_LANES, v + c, step);
        if (c < w->channels) inputs_at_points(from, c, w->channels - c, v + c, step);
    }
}

/* ---- products ----------------------------------------------------------------------------------------------------------------------- */

typedef struct { const float *v, *panel; float *to; int64_t depth, line, to_line; } Product;

KERNEL_INLINE void product_run(const Product *product, int rows, int vectors) {
    Vec sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    const float *x[TILE_ROWS];
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) x[i] = product->v + i * product->line;
    tile_add(sum, x, product->panel, product->depth, rows, vectors);
    KERNEL_UNROLL(12)
    for (int i = 0; i < rows; i++) {
        KERNEL_UNROLL(2)
        for (int v = 0; v < vectors; v++) vec_store(product->to + i * product->to_line + v * KERNEL_LANES, sum[i][v]);
    }
}

#define PRODUCT(rows)                                                                                  \
    static void product_##rows##_1(const Product *product) { product_run(product, rows, 1); }          \
    static void product_##rows##_2(const Product *product) { product_run(product, rows, 2); }
TILE_EACH(PRODUCT)
#define PRODUCT_PAIR(rows) {product_##rows##_1, product_##rows##_2},
static void (*const products[TILE_ROWS][TILE_VECTORS])(const Product *) = {TILE_EACH(PRODUCT_PAIR)};

/* ---- back to outputs -------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const float *bias, *residual;         /* of the first output and filter of the tile; NULL: none */
    float *y;
    int64_t y_row, y_pixel, residual_row, residual_pixel;
    int64_t rows, columns;                /* that exist */
    float low, high;
} Ends;

KERNEL_INLINE void put(const Ends *ends, Vec sum, int row, int column, int64_t k, int64_t left) {
    if (column >= ends->columns) return;
    float *to = ends->y + row * ends->y_row + column * ends->y_pixel + k;
    if (ends->bias) sum += load(ends->bias + k, left);
    if (ends->residual) sum += load(ends->residual + row * ends->residual_row + column * ends->residual_pixel + k, left);
    sum = vec_clamp(sum, ends->low, ends->high);
    if (left >= KERNEL_LANES) vec_store(to, sum);
    else vec_store_some(to, sum, left);
}

/* sums and differences of what the pairs of points saw */
KERNEL_INLINE Vec weighed(float near, Vec of_near, float far, Vec of_far) { return vec_fused(vec_all(near), of_near, vec_all(far) * of_far); }

KERNEL_INLINE void put_row(const Ends *ends, const Vec m[EDGE], int row, int64_t k, int64_t left) {
    if (row >= ends->rows) return;
    Vec near = m[1] + m[2], far = m[3] + m[4], near_odd = m[1] - m[2], far_odd = m[3] - m[4];
    put(ends, m[0] + near + far, row, 0, k, left);
    put(ends, weighed(NEAR, near_odd, FAR, far_odd), row, 1, k, left);
    put(ends, weighed(NEAR * NEAR, near, FAR * FAR, far), row, 2, k, left);
    put(ends, m[5] + weighed(NEAR * NEAR * NEAR, near_odd, FAR * FAR * FAR, far_odd), row, 3, k, left);
}

/* m: [36][width] of the tile. */
KERNEL_INLINE void outputs_of(const Ends *ends, const float *m, int64_t width, int64_t k, int64_t left) {
    Vec upper[EDGE], lower[EDGE];
    KERNEL_UNROLL(6)
    for (int j = 0; j < EDGE; j++) {
        const float *at = m + j * width + k;
        Vec near = vec_load(at + EDGE * width) + vec_load(at + 2 * EDGE * width);
        Vec far = vec_load(at + 3 * EDGE * width) + vec_load(at + 4 * EDGE * width);
        upper[j] = vec_load(at) + near + far;
        lower[j] = weighed(NEAR * NEAR, near, FAR * FAR, far);
    }
    put_row(ends, upper, 0, k, left);
    put_row(ends, lower, 2, k, left);
    KERNEL_UNROLL(6)
    for (int j = 0; j < EDGE; j++) {
        const float *at = m + j * width + k;
        Vec near = vec_load(at + EDGE * width) - vec_load(at + 2 * EDGE * width);
        Vec far = vec_load(at + 3 * EDGE * width) - vec_load(at + 4 * EDGE * width);
        upper[j] = weighed(NEAR, near, FAR, far);
        lower[j] = vec_load(at + 5 * EDGE * width) + weighed(NEAR * NEAR * NEAR, near, FAR * FAR * FAR, far);
    }
    put_row(ends, upper, 1, k, left);
    put_row(ends, lower, 3, k, left);
}

static void transform_outputs(const Winograd *w, int64_t first, int64_t count, int64_t filter, int64_t width, const float *m, int64_t m_line) {
    const int64_t filters = lesser(w->filters - filter, width);
    for (int64_t tile = 0; tile < count; tile++, m += m_line) {
        Place at = place_of(w, first + tile);
        Ends ends = {
            .bias = w->bias ? w->bias + filter : NULL,
            .residual = w->residual ? w->residual + at.image * w->residual_image + at.row * w->residual_row +
                                      at.column * w->residual_pixel + filter : NULL,
            .y = w->y + at.image * w->y_image + at.row * w->y_row + at.column * w->y_pixel + filter,
            .y_row = w->y_row, .y_pixel = w->y_pixel, .residual_row = w->residual_row, .residual_pixel = w->residual_pixel,
            .rows = w->out_height - at.row, .columns = w->out_width - at.column, .low = w->low, .high = w->high,
        };
        int64_t k = 0;
        for (; k + KERNEL_LANES <= filters; k += KERNEL_LANES) outputs_of(&ends, m, width, k, KERNEL_LANES);
        if (k < filters) outputs_of(&ends, m, width, k, filters - k);
    }
}

/* What is left of a call after its sums, over the runs of tiles that lie side by side: rows of neighbors that are still near. */
static void chain_outputs(const KernelCall *call, const Winograd *w, int64_t first, int64_t count, int64_t filter, int64_t filters) {
    for (int64_t tile = first; tile < first + count;) {
        const Place at = place_of(w, tile);
        const int64_t beside = lesser(w->tile_columns - at.column / STEP, first + count - tile);
        const int64_t columns = lesser(w->out_width - at.column, beside * STEP);
        for (int64_t row = at.row; row < at.row + STEP && row < w->out_height; row++)
            KERNEL_LEVELED(chain_rows)(call, (at.image * w->out_height + row) * w->out_width + at.column, columns, filter, filters);
        tile += beside;
    }
}

/* ---- units -------------------------------------------------------------------------------------------------------------------------------- */

static int64_t m_line_of(int64_t filters) { return POINTS * width_of(filters) + KERNEL_LANES; }

static size_t winograd_workspace_bytes(const KernelCall *call) {
    int64_t channels = call->in[0].dim[1], filters = call->out.dim[1], tiles = block_tiles(channels, filters);
    return (size_t)(POINTS * tiles * line_of(channels) + tiles * m_line_of(filters) + padded(channels)) * sizeof(float);
}

static int64_t winograd_units(const KernelCall *call) {
    Winograd w = winograd_of(call);
    return units_of(w.blocks * groups_of(w.filters), 1);
}

/* The products of all tiles of a block at all points, with the filters of one group. */
static void multiply(const Winograd *w, int64_t tiles, const float *v, const float *panels, int64_t width, float *m, int64_t m_line) {
    const int64_t line = line_of(w->channels), parts = units_of(tiles, TILE_ROWS);
    for (int point = 0; point < POINTS; point++) {
        for (int64_t filter = 0; filter < width; filter += TILE_PANEL) {
            int vectors = width - filter < TILE_PANEL ? 1 : TILE_VECTORS;
            for (int64_t part = 0; part < parts; part++) {
                int64_t first = part * tiles / parts, rows = (part + 1) * tiles / parts - first;
                Product product = {
                    .v = v + (point * tiles + first) * line, .panel = panels, .to = m + first * m_line + point * width + filter,
                    .depth = w->channels, .line = line, .to_line = m_line,
                };
                products[rows - 1][vectors - 1](&product);
            }
            panels += vectors * KERNEL_LANES * w->channels;
        }
    }
}

static void winograd_run(const KernelCall *call, int64_t first, int64_t end) {
    if (view_elements(&call->out) == 0) return;
    Winograd w = winograd_of(call);
    const int64_t groups = groups_of(w.filters), m_line = m_line_of(w.filters);
    float *zeros = call->workspace, *v = zeros + padded(w.channels);
    float *m = v + POINTS * block_tiles(w.channels, w.filters) * line_of(w.channels);
    for (int64_t c = 0; c < padded(w.channels); c++) zeros[c] = 0.0f;
    int64_t seen = -1;
    for (int64_t unit = first; unit < end; unit++) {
        int64_t block = unit / groups, filter = unit % groups * GROUP, left = padded(w.filters) - filter;
        int64_t tile = block * w.tiles / w.blocks, tiles = (block + 1) * w.tiles / w.blocks - tile, width = lesser(left, GROUP);
        if (block != seen) transform_inputs(&w, tile, tiles, zeros, v);
        seen = block;
        multiply(&w, tiles, v, (const float *)call->packed + filter * POINTS * w.channels, width, m, m_line);
        transform_outputs(&w, tile, tiles, filter, width, m, m_line);
        if (call->chain) chain_outputs(call, &w, tile, tiles, filter, lesser(w.filters - filter, width));
    }
}
KERNEL(conv_winograd, .op = "conv", .device = "cpu", .variant = "winograd", .type = KERNEL_F32, .preference = 30,
       .fits = winograd_fits, .units = winograd_units, .run = winograd_run, .workspace_bytes = winograd_workspace_bytes,
       .packed_bytes = winograd_packed_bytes, .pack = winograd_pack, .chains = true)
