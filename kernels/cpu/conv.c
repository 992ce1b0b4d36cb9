/* conv.c: convolution as one implicit matrix product, with bias, residual and clamp fused into its end.
 *
 * Ladder, GFLOP/s over all convolutions of resnet50 at batch 1, one core at level 4, while plain fused multiply-adds from
 * registers reach 245:
 *   reference, an element at a time                                                              0.2
 *   14 x 32 sums in registers over an indirection table                                          185   sums and pointers spill
 *   12 x 32: all pointers of a tile fit the general registers                                    221   with the next
 *   bias, residual and clamp in plain loops over stored sums
 *   the table is filled a row of the output at a time: few channels 65 to 83, first layers  221-230   7x7 174 to 196, 3x3 81 to 158
 * Half that limit, 117 (another processor); mobilenetv2 at batch 1, all convolutions:
 *   the same                                                              94   all 1x1 with 16 to 32 channels in 71 to 94
 *   bias, residual and clamp in vectors, from registers                   96   the same 80 to 100
 * Level 3 reaches 109, level 2 (no fused multiply-add) 41. Layers of batch 16 that leave the caches are bound by memory
 * (64 to 256 channels with residual: 102).
 *
 * Weights are packed once into panels [filters / panel][tap][channel][panel], zeros past the last filter. For each
 * output pixel the table holds one pointer a tap into the channels-last input, or to a row of zeros where the tap lies in
 * the padding; so 1x1, 3x3, strided and dilated convolutions are the same loop. Where channels are few (a first layer)
 * the input rows of a unit are copied into a padded strip, in which all columns of a kernel row are one contiguous tap.
 *
 * A unit is a block of output pixels (of all pictures, one after the other) against a group of panels that stays in the
 * second-level cache. Every output element sums over taps and channels in the order of the packed weights, whatever
 * tile it falls into: bits do not depend on units, threads or batch. */
#include "../kernels.h"

#include <string.h>

enum { BLOCK = 96, STRIP_CHANNELS = 8, CACHED_PANELS = 256 * 1024, LONG_SUM = 64 };

typedef struct {
    const float *x, *bias, *residual;
    float *y;
    int64_t images, height, width, out_height, out_width;
    int64_t groups, channels, filters;                     /* the last two of one group */
    int64_t rows, columns, stride, pad, dilation;          /* of the kernel window */
    int64_t taps, run;                                     /* pieces of the sum and their contiguous length */
    int64_t x_image, x_row, x_pixel, y_image, y_row, y_pixel, residual_image, residual_row, residual_pixel;
    float low, high;
    bool strip;                                            /* taps are kernel rows of a padded copy */
} Conv;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static Conv conv_of(const KernelCall *call) {
    const TensorView *x = &call->in[0], *w = &call->in[1], *y = &call->out;
    Conv conv = {
        .x = x->data, .y = y->data,
        .images = y->dim[0], .height = x->dim[2], .width = x->dim[3], .out_height = y->dim[2], .out_width = y->dim[3],
        .groups = (int64_t)call->attribute[CONV_groups], .channels = w->dim[1], .rows = w->dim[2], .columns = w->dim[3],
        .stride = (int64_t)call->attribute[CONV_stride], .pad = (int64_t)call->attribute[CONV_pad],
        .dilation = (int64_t)call->attribute[CONV_dilation],
        .x_image = x->stride[0], .x_row = x->stride[2], .x_pixel = x->stride[3],
        .y_image = y->stride[0], .y_row = y->stride[2], .y_pixel = y->stride[3],
        .low = (float)call->attribute[CONV_low], .high = (float)call->attribute[CONV_high],
    };
    conv.filters = y->dim[1] / conv.groups;
    conv.strip = conv.groups == 1 && conv.dilation == 1 && conv.channels <= STRIP_CHANNELS && conv.columns > 1;
    conv.taps = conv.strip ? conv.rows : conv.rows * conv.columns;
    conv.run = conv.strip ? conv.columns * conv.channels : conv.channels;
    if (operand_present(call, 2)) {
        conv.bias = call->in[2].data;
    }
    if (operand_present(call, 3)) {
        conv.residual = call->in[3].data;
        conv.residual_image = call->in[3].stride[0];
        conv.residual_row = call->in[3].stride[2];
        conv.residual_pixel = call->in[3].stride[3];
    }
    return conv;
}

/* ---- packed weights ------------------------------------------------------------------------------------------------ */

static int64_t padded_filters(const Conv *conv) { return (conv->filters + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES; }
static int64_t panels_a_group(const Conv *conv) { return units_of(conv->filters, TILE_PANEL); }

static size_t conv_packed_bytes(const KernelCall *call) {
    Conv conv = conv_of(call);
    return (size_t)(conv.groups * padded_filters(&conv) * conv.taps * conv.run) * sizeof(float);
}

static void conv_pack(const KernelCall *call, void *packed) {
    Conv conv = conv_of(call);
    const TensorView *w = &call->in[1];
    float *to = packed;
    for (int64_t group = 0; group < conv.groups; group++) {
        for (int64_t filter = 0; filter < conv.filters; filter += TILE_PANEL) {
            int64_t width = padded_filters(&conv) - filter < TILE_PANEL ? padded_filters(&conv) - filter : TILE_PANEL;
            for (int64_t tap = 0; tap < conv.rows * conv.columns; tap++) {
                const float *from = (const float *)w->data + tap / conv.columns * w->stride[2] + tap % conv.columns * w->stride[3];
                for (int64_t c = 0; c < conv.channels; c++)
                    for (int64_t k = filter; k < filter + width; k++)
                        *to++ = k < conv.filters ? from[(group * conv.filters + k) * w->stride[0] + c * w->stride[1]] : 0.0f;
            }
        }
    }
}

/* ---- the tile ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    const float *const *from;             /* [taps][pitch], of which the first pixels of each row are the tile's */
    float *const *to;                     /* [pixels] */
    const float *const *residual;         /* [pixels], or NULL */
    const float *panel, *bias;            /* of the panel's first filter; zeros where there is no bias */
    int64_t taps, run, pitch;
    int64_t channel, filter, width;       /* first channel of the group, first filter of the panel, filters that exist */
    float low, high;
} Tile;

/* Bias, residual and clamp for the sums of a tile, on their way from the registers to the output. */
KERNEL_INLINE void finish(const Tile *tile, Vec (*sum)[TILE_VECTORS], int pixels, int vectors, bool residual) {
    Vec bias[TILE_VECTORS];
    KERNEL_UNROLL(2)
    for (int v = 0; v < vectors; v++) bias[v] = vec_load(tile->bias + v * KERNEL_LANES);
    KERNEL_UNROLL(12)
    for (int p = 0; p < pixels; p++) {
        float *to = tile->to[p] + tile->filter;
        KERNEL_UNROLL(2)
        for (int v = 0; v < vectors; v++) {
            Vec value = sum[p][v] + bias[v];
            if (residual) value += vec_load(tile->residual[p] + tile->filter + v * KERNEL_LANES);
            vec_store(to + v * KERNEL_LANES, vec_clamp(value, tile->low, tile->high));
        }
    }
}

/* The same where the last vector has filters that do not exist. */
static __attribute__((noinline)) void finish_some(const Tile *tile, const float *sum, int pixels, int pitch) {
    for (int p = 0; p < pixels; p++, sum += pitch) {
        float *to = tile->to[p] + tile->filter;
        const float *residual = tile->residual ? tile->residual[p] + tile->filter : NULL;
        for (int64_t k = 0; k < tile->width; k += KERNEL_LANES) {
            const int64_t left = tile->width - k;
            Vec value = vec_load(sum + k) + (left < KERNEL_LANES ? vec_load_some(tile->bias + k, left) : vec_load(tile->bias + k));
            if (residual) value += left < KERNEL_LANES ? vec_load_some(residual + k, left) : vec_load(residual + k);
            value = vec_clamp(value, tile->low, tile->high);
            if (left < KERNEL_LANES) vec_store_some(to + k, value, left);
            else vec_store(to + k, value);
        }
    }
}

/* Where results go and residuals lie is asked for before the sums, which are long enough for it to come: 3 to 7 % in layers whose
 * activations leave the second-level cache, 2 % of resnet50. Short sums lose 2 % by it. */
KERNEL_INLINE void fetch_ends(const Tile *tile, int pixels, int vectors) {
    for (int p = 0; p < pixels; p++) {
        for (int v = 0; v < vectors; v++) {
            __builtin_prefetch(tile->to[p] + tile->filter + v * KERNEL_LANES, 1);
            if (tile->residual) __builtin_prefetch(tile->residual[p] + tile->filter + v * KERNEL_LANES);
        }
    }
}

KERNEL_INLINE void tile_run(const Tile *tile, int pixels, int vectors) {
    Vec sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    const float *panel = tile->panel;
    const float *const *from = tile->from;
    if (tile->taps * tile->run >= LONG_SUM) fetch_ends(tile, pixels, vectors);
    for (int64_t tap = 0; tap < tile->taps; tap++, from += tile->pitch) {
        const float *x[TILE_ROWS];
        KERNEL_UNROLL(12)
        for (int p = 0; p < pixels; p++) x[p] = from[p] + tile->channel;
        panel = tile_add(sum, x, panel, tile->run, pixels, vectors);
    }
    if (tile->width == vectors * KERNEL_LANES) {
        if (tile->residual) finish(tile, sum, pixels, vectors, true);
        else finish(tile, sum, pixels, vectors, false);
        return;
    }
    float sums[TILE_ROWS * TILE_PANEL];
    KERNEL_UNROLL(12)
    for (int p = 0; p < pixels; p++) {
        KERNEL_UNROLL(2)
        for (int v = 0; v < vectors; v++) vec_store(sums + (p * vectors + v) * KERNEL_LANES, sum[p][v]);
    }
    finish_some(tile, sums, pixels, vectors * KERNEL_LANES);
}

static const float no_bias[TILE_PANEL];

/* One function a tile size, so that all sums stay in registers. */
#define TILE(pixels)                                                                 \
    static void tile_##pixels##_1(const Tile *tile) { tile_run(tile, pixels, 1); }   \
    static void tile_##pixels##_2(const Tile *tile) { tile_run(tile, pixels, 2); }
TILE_EACH(TILE)
#define TILE_PAIR(pixels) {tile_##pixels##_1, tile_##pixels##_2},
static void (*const tiles[TILE_ROWS][TILE_VECTORS])(const Tile *) = {TILE_EACH(TILE_PAIR)};

/* ---- blocks of pixels ---------------------------------------------------------------------------------------------------- */

/* The output pixels of a unit. Tile t holds those from tile_first(t) to tile_first(t + 1) - 1; sizes differ by at most one. */
typedef struct {
    const float **from;                   /* [taps][pitch] */
    float **to;
    const float **residual;
    float *spare;                         /* the zero row, or the strip */
    int64_t count, tiles, pitch;
} Sites;

static int64_t tile_first(const Sites *sites, int64_t tile) { return tile * sites->count / sites->tiles; }

/* Rows of the output that a strip serves, and the length of one of its rows. */
static int64_t strip_rows(const Conv *conv) {
    int64_t rows = 2 * BLOCK / (conv->out_width > 0 ? conv->out_width : 1);
    if (rows > conv->out_height) rows = conv->out_height;
    return rows < 1 ? 1 : rows;
}
static int64_t strip_length(const Conv *conv) {
    return ((conv->out_width - 1) * conv->stride + conv->columns) * conv->channels;
}
static int64_t strip_inputs(const Conv *conv) { return (strip_rows(conv) - 1) * conv->stride + conv->rows; }

static int64_t block_pixels(const Conv *conv) { return conv->strip ? strip_rows(conv) * conv->out_width : BLOCK; }
static int64_t spare_floats(const Conv *conv) {
    return conv->strip ? strip_inputs(conv) * strip_length(conv) : conv->channels * conv->groups;
}

static size_t conv_workspace_bytes(const KernelCall *call) {
    Conv conv = conv_of(call);
    size_t pixels = (size_t)block_pixels(&conv);
    return pixels * (size_t)(conv.taps + 2) * sizeof(float *) + (size_t)spare_floats(&conv) * sizeof(float);
}

static Sites sites_in(const Conv *conv, void *workspace) {
    int64_t pixels = block_pixels(conv);
    Sites sites = {.from = workspace, .pitch = pixels};
    sites.to = (float **)(void *)(sites.from + pixels * conv->taps);
    sites.residual = (const float **)(void *)(sites.to + pixels);
    sites.spare = (float *)(void *)(sites.residual + pixels);
    if (!conv->strip)
        for (int64_t c = 0; c < spare_floats(conv); c++) sites.spare[c] = 0.0f;
    return sites;
}

/* Pointers `step` elements apart. */
static void pointers(const float **to, int64_t count, const float *start, int64_t step) {
    for (int64_t i = 0; i < count; i++) to[i] = start + i * step;
}

/* `count` sites from `site` on are neighbors in one row of the output: where their results go. */
static void ends_of_row(const Conv *conv, Sites *sites, int64_t site, int64_t image, int64_t row, int64_t column, int64_t count) {
    float *y = conv->y + image * conv->y_image + row * conv->y_row + column * conv->y_pixel;
    for (int64_t i = 0; i < count; i++) sites->to[site + i] = y + i * conv->y_pixel;
    if (!conv->residual) return;
    pointers(sites->residual + site, count,
             conv->residual + image * conv->residual_image + row * conv->residual_row + column * conv->residual_pixel,
             conv->residual_pixel);
}

/* The same for their taps: zeros left and right of the picture, pixels between. */
static void taps_of_row(const Conv *conv, Sites *sites, int64_t site, int64_t image, int64_t row, int64_t column, int64_t count) {
    const float **from = sites->from + site;
    for (int64_t i = 0; i < conv->rows; i++) {
        int64_t h = row * conv->stride - conv->pad + i * conv->dilation;
        bool inside = h >= 0 && h < conv->height;
        for (int64_t j = 0; j < conv->columns; j++, from += sites->pitch) {
            int64_t w = column * conv->stride - conv->pad + j * conv->dilation;      /* of the first site */
            int64_t left = w < 0 ? (-w + conv->stride - 1) / conv->stride : 0;
            int64_t right = w < conv->width ? (conv->width - 1 - w) / conv->stride + 1 : 0;
            if (!inside || left > count) left = count;
            if (right > count) right = count;
            if (right < left) right = left;
            pointers(from, left, sites->spare, 0);
            if (left < right)
                pointers(from + left, right - left,
                         conv->x + image * conv->x_image + h * conv->x_row + (w + left * conv->stride) * conv->x_pixel,
                         conv->stride * conv->x_pixel);
            pointers(from + right, count - right, sites->spare, 0);
        }
    }
}

/* Output pixels first .. first+count-1 of all pictures. */
static void sites_of_block(const Conv *conv, Sites *sites, int64_t first, int64_t count) {
    sites->count = count;
    sites->tiles = units_of(count, TILE_ROWS);
    int64_t column = first % conv->out_width, row = first / conv->out_width % conv->out_height;
    int64_t image = first / conv->out_width / conv->out_height;
    for (int64_t site = 0; site < count;) {
        int64_t length = conv->out_width - column < count - site ? conv->out_width - column : count - site;
        taps_of_row(conv, sites, site, image, row, column, length);
        ends_of_row(conv, sites, site, image, row, column, length);
        site += length;
        column = 0;
        if (++row < conv->out_height) continue;
        row = 0;
        image++;
    }
}

/* One input row of a strip: zeros, pixels, zeros. */
static void strip_line(const Conv *conv, const float *x, int64_t h, float *to) {
    int64_t length = strip_length(conv), channels = conv->channels, before = least(conv->pad * channels, length);
    int64_t inside = h >= 0 && h < conv->height ? least(conv->width * channels, length - before) : 0;
    const float *from = x + h * conv->x_row;
    memset(to, 0, (size_t)before * sizeof *to);
    to += before;
    if (conv->x_pixel == channels) {
        memcpy(to, from, (size_t)inside * sizeof *to);
    } else {
        for (int64_t i = 0; i < inside; i++) to[i] = from[i / channels * conv->x_pixel + i % channels];
    }
    memset(to + inside, 0, (size_t)(length - before - inside) * sizeof *to);
}

/* Rows first .. first+count-1 of the output of one picture. */
static void sites_of_strip(const Conv *conv, Sites *sites, int64_t image, int64_t first, int64_t count) {
    const float *x = conv->x + image * conv->x_image;
    int64_t length = strip_length(conv), inputs = (count - 1) * conv->stride + conv->rows;
    for (int64_t i = 0; i < inputs; i++)
        strip_line(conv, x, first * conv->stride - conv->pad + i, sites->spare + i * length);
    sites->count = count * conv->out_width;
    sites->tiles = units_of(sites->count, TILE_ROWS);
    for (int64_t row = 0; row < count; row++) {
        int64_t site = row * conv->out_width;
        for (int64_t i = 0; i < conv->rows; i++)
            pointers(sites->from + i * sites->pitch + site, conv->out_width, sites->spare + (row * conv->stride + i) * length,
                     conv->stride * conv->channels);
        ends_of_row(conv, sites, site, image, first + row, 0, conv->out_width);
    }
}

/* ---- units ------------------------------------------------------------------------------------------------------------------ */

static int64_t blocks_of(const Conv *conv) {
    if (conv->strip) return conv->images * units_of(conv->out_height, strip_rows(conv));
    return units_of(conv->images * conv->out_height * conv->out_width, BLOCK);
}

/* As many panels as stay in the cache while blocks of pixels go by; where there is one block, threads share the panels evenly. */
static int64_t panels_a_unit(const Conv *conv) {
    int64_t bytes = conv->taps * conv->run * TILE_PANEL * (int64_t)sizeof(float);
    int64_t panels = blocks_of(conv) > 1 ? CACHED_PANELS / (bytes > 0 ? bytes : 1) : 1;
    return panels < 1 ? 1 : panels;
}

static int64_t conv_units(const KernelCall *call) {
    Conv conv = conv_of(call);
    return blocks_of(&conv) * units_of(conv.groups * panels_a_group(&conv), panels_a_unit(&conv));
}

static void run_panel(const Conv *conv, const Sites *sites, const float *packed, int64_t panel) {
    int64_t group = panel / panels_a_group(conv), filter = panel % panels_a_group(conv) * TILE_PANEL;
    int64_t left = conv->filters - filter, depth = conv->taps * conv->run;
    int vectors = left > TILE_PANEL - KERNEL_LANES ? TILE_VECTORS : 1;
    Tile tile = {
        .panel = packed + (group * padded_filters(conv) + filter) * depth,
        .bias = conv->bias ? conv->bias + group * conv->filters + filter : no_bias,
        .taps = conv->taps, .run = conv->run, .pitch = sites->pitch, .channel = group * conv->channels,
        .filter = group * conv->filters + filter, .width = left < TILE_PANEL ? left : TILE_PANEL,
        .low = conv->low, .high = conv->high,
    };
    for (int64_t t = 0; t < sites->tiles; t++) {
        int64_t site = tile_first(sites, t), pixels = tile_first(sites, t + 1) - site;
        tile.from = sites->from + site;
        tile.to = sites->to + site;
        tile.residual = conv->residual ? sites->residual + site : NULL;
        tiles[pixels - 1][vectors - 1](&tile);
    }
}

/* What is left of a call after its sums, over the block that was just written. */
static void chain_block(const KernelCall *call, const Conv *conv, int64_t pixel, int64_t pixels, int64_t panel, int64_t end) {
    const int64_t each = panels_a_group(conv);
    const int64_t first = panel / each * conv->filters + panel % each * TILE_PANEL;
    const int64_t last = end % each ? end / each * conv->filters + end % each * TILE_PANEL : end / each * conv->filters;
    KERNEL_LEVELED(chain_rows)(call, pixel, pixels, first, last - first);
}

static void conv_run(const KernelCall *call, int64_t first, int64_t end) {
    if (view_elements(&call->out) == 0) return;
    Conv conv = conv_of(call);
    Sites sites = sites_in(&conv, call->workspace);
    int64_t blocks = blocks_of(&conv), panels = conv.groups * panels_a_group(&conv), of_a_unit = panels_a_unit(&conv);
    int64_t pixels = conv.images * conv.out_height * conv.out_width;
    int64_t strips = units_of(conv.out_height, strip_rows(&conv));
    for (int64_t unit = first; unit < end; unit++) {
        int64_t block = unit % blocks, panel = unit / blocks * of_a_unit, past = panel + of_a_unit < panels ? panel + of_a_unit : panels;
        int64_t pixel = block * BLOCK;
        if (conv.strip) {
            int64_t row = block % strips * strip_rows(&conv), rows = conv.out_height - row;
            pixel = (block / strips * conv.out_height + row) * conv.out_width;
            sites_of_strip(&conv, &sites, block / strips, row, rows < strip_rows(&conv) ? rows : strip_rows(&conv));
        } else {
            sites_of_block(&conv, &sites, pixel, pixels - pixel < BLOCK ? pixels - pixel : BLOCK);
        }
        for (int64_t i = panel; i < past; i++) run_panel(&conv, &sites, call->packed, i);
        if (call->chain) chain_block(call, &conv, pixel, sites.count, panel, past);
    }
}
KERNEL(conv_indirect, .op = "conv", .device = "cpu", .variant = "indirect", .type = KERNEL_F32, .preference = 10,
       .fits = conv_lies_well, .units = conv_units, .run = conv_run, .workspace_bytes = conv_workspace_bytes,
       .packed_bytes = conv_packed_bytes, .pack = conv_pack, .chains = true)
