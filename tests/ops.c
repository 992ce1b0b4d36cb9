/* ops.c: one harness for every kernel of every op.
 *
 * A row of the table below says how to draw a call of an op: shapes, layouts (channels last, row-major, transposed,
 * stretched, with gaps), attributes, values, and the tolerance. From it follows, for each kernel row that this machine
 * runs: the values agree with the reference in f64; nothing is written outside the output; the bits do not depend on how
 * the units are partitioned, in which order they run, on what was in the workspace, or on the batch. */
#include "../kernels/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3 };

/* ---- draws -------------------------------------------------------------------------------------------------------- */

typedef struct { uint64_t state; } Draw;

static uint64_t draw_word(Draw *draw) {                    /* splitmix64 */
    uint64_t z = draw->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static int64_t draw_between(Draw *draw, int64_t low, int64_t high) {
    return low + (int64_t)(draw_word(draw) % (uint64_t)(high - low + 1));
}
static bool draw_chance(Draw *draw, int percent) { return draw_between(draw, 0, 99) < percent; }
static double draw_value(Draw *draw, double low, double high) { return low + (high - low) * (double)(draw_word(draw) >> 11) * 0x1p-53; }
#define DRAW_FROM(draw, ...) \
    (((const int[]){__VA_ARGS__})[draw_between((draw), 0, (int64_t)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)) - 1)])

/* ---- a call with its buffers ----------------------------------------------------------------------------------------- */

typedef enum { ROW_MAJOR, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS, TRANSPOSED, STRETCHED, LAYOUTS } Layout;

typedef struct {
    KernelCall call;
    size_t elements[1 + KERNEL_INPUTS];   /* of the buffers: out, inputs */
    bool batched[1 + KERNEL_INPUTS];      /* dimension 0 is the batch */
    Chain chain;                          /* the call's, if it has one */
    double tolerance;
} Case;

static TensorView *case_view(Case *c, int which) { return which == 0 ? &c->call.out : &c->call.in[which - 1]; }

static void layout_strides(Draw *draw, TensorView *view, Layout layout) {
    int order[KERNEL_RANK];                                /* from the innermost */
    for (int i = 0; i < view->rank; i++) order[i] = view->rank - 1 - i;
    int64_t gap = 0;
    if (view->rank == 4 && (layout == CHANNELS_LAST || layout == CHANNELS_LAST_WITH_GAPS)) {
        order[0] = 1, order[1] = 3, order[2] = 2;
        gap = layout == CHANNELS_LAST_WITH_GAPS ? draw_between(draw, 1, 9) : 0;
    } else if (layout == TRANSPOSED && view->rank > 1) {
        int i = (int)draw_between(draw, 0, view->rank - 2), held = order[i];
        order[i] = order[i + 1];
        order[i + 1] = held;
    }
    int64_t stride = 1;
    for (int i = 0; i < view->rank; i++) {
        bool still = layout == STRETCHED && draw_chance(draw, 50);
        view->stride[order[i]] = still ? 0 : stride;
        if (!still) stride *= view->dim[order[i]];
        if (i == 0) stride += gap;
    }
    for (int i = 0; i < view->rank; i++)                   /* nobody may look at the stride of a size of 1 */
        if (view->dim[i] == 1 && draw_chance(draw, 20)) view->stride[i] = draw_between(draw, 0, 1000);
}

/* Adds an operand (0: the output) with values between low and high; whole numbers if they are equal but for sign. */
static TensorView *operand(Case *c, Draw *draw, int which, int rank, const int64_t *dim, Layout layout, double low, double high) {
    TensorView *view = case_view(c, which);
    *view = (TensorView){.rank = rank};
    size_t elements = 1;
    for (int i = 0; i < rank; i++) view->dim[i] = dim[i];
    layout_strides(draw, view, layout);
    for (int i = 0; i < rank; i++) elements += (size_t)((view->dim[i] - 1) * view->stride[i]);
    float *data = malloc(elements * sizeof(float));
    assert_non_null(data);
    for (size_t i = 0; i < elements; i++) data[i] = (float)draw_value(draw, low, high);
    view->data = data;
    c->elements[which] = elements;
    if (which > c->call.inputs) c->call.inputs = which;
    return view;
}

static void case_free(Case *c) {
    for (int i = 0; i <= c->call.inputs; i++) free(case_view(c, i)->data);
}

/* ---- running ------------------------------------------------------------------------------------------------------------- */

static const float UNTOUCHED = 12345.678f;

static void fill(float *values, size_t count) {
    for (size_t i = 0; i < count; i++) values[i] = UNTOUCHED;
}

/* Runs with a fresh workspace full of NaN. parts > 1: that many ranges of units, last one first. */
static void run_kernel(const Kernel *kernel, KernelCall *call, int64_t parts) {
    size_t packed_bytes = kernel->packed_bytes ? kernel->packed_bytes(call) : 0;
    size_t workspace_bytes = kernel->workspace_bytes ? kernel->workspace_bytes(call) : 0;
    void *packed = packed_bytes ? malloc(packed_bytes) : NULL;
    void *workspace = NULL;
    if (kernel->pack) kernel->pack(call, packed);
    if (workspace_bytes) assert_int_equal(posix_memalign(&workspace, 64, workspace_bytes), 0);
    call->packed = packed;
    call->workspace = workspace;
    int64_t units = kernel->units(call);
    assert_true(units >= 1);
    for (int64_t part = parts - 1; part >= 0; part--) {
        if (workspace_bytes) memset(workspace, 0xff, workspace_bytes);
        int64_t first = units * part / parts, end = units * (part + 1) / parts;
        if (first < end) kernel->run(call, first, end);
    }
    free(packed);
    free(workspace);
}

/* The same call in double, by the reference; the result lies in *out, strided as the f32 output. */
static double *oracle(const char *op, const Case *c) {
    Case wide = *c;
    for (int i = 0; i <= c->call.inputs; i++) {
        TensorView *view = case_view(&wide, i);
        view->type = KERNEL_F64;
        if (!view->data) continue;
        double *values = malloc(c->elements[i] * sizeof(double));
        assert_non_null(values);
        for (size_t k = 0; k < c->elements[i]; k++) values[k] = (double)((const float *)view->data)[k];
        view->data = values;
    }
    const Kernel *kernel = kernel_find(op, "cpu", "reference", 0, &wide.call);
    assert_non_null(kernel);
    run_kernel(kernel, &wide.call, 1);
    for (int i = 1; i <= c->call.inputs; i++) free(case_view(&wide, i)->data);
    return wide.call.out.data;
}

/* Marks the elements of a buffer that belong to a view. */
static bool *members(const TensorView *view, size_t elements) {
    bool *member = calloc(elements, sizeof *member);
    assert_non_null(member);
    int64_t count = view_elements(view);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, offset = 0;
        for (int d = view->rank - 1; d >= 0; d--) {
            offset += rest % view->dim[d] * view->stride[d];
            rest /= view->dim[d];
        }
        member[offset] = true;
    }
    return member;
}

static void describe(const Kernel *kernel, const Case *c, char *text, size_t size) {
    int length = snprintf(text, size, "%s %s level %d:", kernel->op, kernel->variant, kernel->level);
    for (int i = 0; i <= c->call.inputs; i++) {
        const TensorView *view = i == 0 ? &c->call.out : &c->call.in[i - 1];
        for (int d = 0; d < view->rank; d++)
            length += snprintf(text + length, size - (size_t)length, "%s%lld/%lld", d ? "," : i ? " [" : " -> [", (long long)view->dim[d],
                               (long long)view->stride[d]);
        length += snprintf(text + length, size - (size_t)length, "]");
    }
    for (int i = 0; i < 6; i++) length += snprintf(text + length, size - (size_t)length, " %g", c->call.attribute[i]);
}

static void check_values(const Kernel *kernel, const Case *c, const double *want) {
    const float *got = c->call.out.data;
    bool *member = members(&c->call.out, c->elements[0]);
    for (size_t i = 0; i < c->elements[0]; i++) {
        char text[1024];
        if (!member[i]) {
            if (got[i] == UNTOUCHED) continue;
            describe(kernel, c, text, sizeof text);
            fail_msg("%s: wrote outside the output, at %zu", text, i);
        }
        double difference = fabs((double)got[i] - want[i]), size = fmax(1.0, fabs(want[i]));
        if (isnan(want[i]) ? isnan(got[i]) : (double)got[i] == want[i] || difference <= c->tolerance * size) continue;
        describe(kernel, c, text, sizeof text);
        fail_msg("%s: at %zu %.9g, expected %.9g", text, i, (double)got[i], want[i]);
    }
    free(member);
}

static void check_partition(const Kernel *kernel, Case *c) {
    size_t bytes = c->elements[0] * sizeof(float);
    float *whole = c->call.out.data, *pieces = malloc(bytes);
    assert_non_null(pieces);
    for (int64_t parts = 2; parts <= 7; parts += 5) {
        fill(pieces, c->elements[0]);
        c->call.out.data = pieces;
        run_kernel(kernel, &c->call, parts);
        c->call.out.data = whole;
        if (memcmp(whole, pieces, bytes) == 0) continue;
        char text[1024];
        describe(kernel, c, text, sizeof text);
        fail_msg("%s: other bits in %lld parts", text, (long long)parts);
    }
    free(pieces);
}

/* One picture at a time into a second buffer of the same layout. */
static void check_batch(const Kernel *kernel, Case *c) {
    if (!c->batched[0]) return;
    size_t bytes = c->elements[0] * sizeof(float);
    float *whole = c->call.out.data, *single = malloc(bytes);
    assert_non_null(single);
    fill(single, c->elements[0]);
    for (int64_t n = 0; n < c->call.out.dim[0]; n++) {
        Case one = *c;
        one.call.out.data = single;
        for (int i = 0; i <= c->call.inputs; i++) {
            TensorView *view = case_view(&one, i);
            if (!c->batched[i] || !view->data) continue;
            view->data = (float *)view->data + n * view->stride[0];
            view->dim[0] = 1;
        }
        assert_true(!kernel->fits || kernel->fits(&one.call));
        run_kernel(kernel, &one.call, 1);
    }
    if (memcmp(whole, single, bytes) != 0) {
        char text[1024];
        describe(kernel, c, text, sizeof text);
        fail_msg("%s: other bits one at a time", text);
    }
    free(single);
}

/* ---- elementwise --------------------------------------------------------------------------------------------------------- */

typedef struct OpTest {
    const char *op;
    void (*draw)(const struct OpTest *test, Case *c, Draw *draw);
    int cases;
    double tolerance;                     /* relative where |value| > 1, else absolute */
    int inputs;
    double low, high;                     /* of the inputs' values */
} OpTest;

static int draw_shape(Draw *draw, int64_t *dim) {
    int rank = draw_chance(draw, 50) ? 4 : (int)draw_between(draw, 1, KERNEL_RANK);
    int64_t largest = rank <= 2 ? 70 : rank <= 4 ? 9 : 4;
    for (int i = 0; i < rank; i++) dim[i] = draw_chance(draw, 15) ? 1 : draw_between(draw, 1, largest);
    if (draw_chance(draw, 60)) dim[0] = BATCH;
    if (rank == 1 && draw_chance(draw, 20)) dim[0] = 40000;
    if (rank > 1 && draw_chance(draw, 15)) dim[rank == 4 ? 1 : rank - 1] = draw_between(draw, 64, 700);
    return rank;
}

static void draw_elementwise(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[KERNEL_RANK];
    int rank = draw_shape(draw, dim);
    Layout layout = DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS, TRANSPOSED);
    operand(c, draw, 0, rank, dim, layout, 0, 0);
    c->batched[0] = rank > 1;
    for (int i = 1; i <= test->inputs; i++) {
        bool same = draw_chance(draw, 60);
        TensorView *view = operand(c, draw, i, rank, dim, same ? layout : (Layout)draw_between(draw, 0, LAYOUTS - 1), test->low, test->high);
        c->batched[i] = rank > 1;
        if (test->tolerance != 0.0) continue;
        for (size_t k = 0; k < c->elements[i]; k++) ((float *)view->data)[k] = roundf(((float *)view->data)[k]);
    }
    c->call.attribute[CLAMP_low] = -0.5;
    c->call.attribute[CLAMP_high] = draw_chance(draw, 20) ? INFINITY : 0.75;
    c->tolerance = test->tolerance;
}

/* What a step makes of numbers between -1 and 1 is brought back there, so that errors do not grow along the chain; what a root, a
 * logarithm, a power or a division cannot take is kept away from it. */
static int chain_step(Chain *chain, ChainOp op, int x, int y, double low, double high) {
    chain->step[chain->steps] = (ChainStep){op, {(uint8_t)x, (uint8_t)y}, {low, high}};
    return chain->sources + chain->steps++;
}
static int chain_positive(Chain *chain, int x) {
    return chain_step(chain, CHAIN_clamp, chain_step(chain, CHAIN_abs, x, 0, 0, 0), 0, 0.25, 1);
}
static void draw_step(Chain *chain, Draw *draw) {
    const int values = chain->sources + chain->steps, x = (int)draw_between(draw, 0, values - 1), y = (int)draw_between(draw, 0, values - 1);
    const int source = (int)draw_between(draw, 0, chain->sources - 1), other = (int)draw_between(draw, 0, chain->sources - 1);
    const ChainOp op = (ChainOp)draw_between(draw, 0, CHAIN_OP_COUNT - 1);
    int made;
    if (op == CHAIN_log || op == CHAIN_sqrt) made = chain_step(chain, op, chain_positive(chain, x), 0, 0, 0);
    else if (op == CHAIN_pow) made = chain_step(chain, op, chain_positive(chain, x), y, 0, 0);
    else if (op == CHAIN_div) made = chain_step(chain, op, x, chain_positive(chain, y), 0, 0);
    else if (op >= CHAIN_lt && op <= CHAIN_ne) made = chain_step(chain, op, source, other, 0, 0);      /* of equal digits in 32 and 64 bits */
    else made = chain_step(chain, op, op == CHAIN_select ? source : x, y, op == CHAIN_number ? draw_value(draw, -1, 1) : -0.5, 0.75);
    chain->step[chain->steps - 1].operand[2] = (uint8_t)x;
    if (op != CHAIN_number) chain_step(chain, CHAIN_clamp, made, 0, -1, 1);
}

static void draw_chain(const OpTest *test, Case *c, Draw *draw) {
    OpTest sources = *test;
    sources.inputs = (int)draw_between(draw, 1, KERNEL_INPUTS);
    c->chain = (Chain){.sources = sources.inputs};
    for (int64_t left = draw_between(draw, 1, 9); left > 0 && c->chain.steps + 5 <= CHAIN_STEPS; left--) draw_step(&c->chain, draw);
    draw_elementwise(&sources, c, draw);
    c->call.chain = &c->chain;
}

/* ---- reductions, products ---------------------------------------------------------------------------------------------------- */

static void draw_reduction(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[KERNEL_RANK];
    int rank = draw_shape(draw, dim);
    if (rank == 4 && draw_chance(draw, 30)) dim[1] = draw_between(draw, 60, 140);
    unsigned axes = rank == 4 && draw_chance(draw, 40) ? 0xc : (unsigned)draw_between(draw, 1, (1 << rank) - 1);
    operand(c, draw, 1, rank, dim, (Layout)draw_between(draw, 0, LAYOUTS - 1), test->low, test->high);
    for (int i = 0; i < rank; i++)
        if (axes >> i & 1u) dim[i] = 1;
    operand(c, draw, 0, rank, dim, DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST), 0, 0);
    c->call.attribute[REDUCE_axes] = (double)axes;
    c->batched[0] = c->batched[1] = !(axes & 1u);
    c->tolerance = test->tolerance;
}

/* Rounding of a dot product of `depth` values up to 1: a random walk. */
static double product_tolerance(const OpTest *test, int64_t depth) { return test->tolerance * sqrt((double)depth); }

static void draw_matmul(const OpTest *test, Case *c, Draw *draw) {
    int64_t m = draw_chance(draw, 50) ? BATCH : draw_between(draw, 1, 70), k = draw_between(draw, 1, 80), n = draw_between(draw, 1, 90);
    if (draw_chance(draw, 10)) m = draw_between(draw, 200, 300);
    operand(c, draw, 0, 2, (int64_t[]){m, n}, ROW_MAJOR, 0, 0);
    operand(c, draw, 1, 2, (int64_t[]){m, k}, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, TRANSPOSED), -1, 1);
    operand(c, draw, 2, 2, (int64_t[]){k, n}, DRAW_FROM(draw, ROW_MAJOR, TRANSPOSED), -1, 1);
    c->batched[0] = c->batched[1] = true;
    c->tolerance = product_tolerance(test, k);
    if (!draw_chance(draw, 40)) return;
    TensorView *bias = operand(c, draw, 3, 1, (int64_t[]){n}, ROW_MAJOR, -1, 1);
    *bias = (TensorView){.data = bias->data, .rank = 2, .dim = {m, n}, .stride = {0, 1}};
    c->batched[3] = true;
    c->chain = (Chain){.sources = 2, .steps = 2, .step = {{.op = CHAIN_add, .operand = {0, 1}}, {.op = CHAIN_sigmoid, .operand = {2}}}};
    c->call.chain = &c->chain;
    c->call.chain_first = 2;
}

/* Leading dimensions on both sides, stretched on either; a batch of rows or of matrices. */
static void draw_matmul_of_many(const OpTest *test, Case *c, Draw *draw) {
    int leading = (int)draw_between(draw, 1, 3), rank = leading + 2, b_rank = (int)draw_between(draw, 2, rank);
    int64_t a[KERNEL_RANK], b[KERNEL_RANK], out[KERNEL_RANK];
    for (int d = 0; d < leading; d++) {
        int64_t size = d == 0 ? BATCH : draw_between(draw, 1, 4);
        a[d] = b[d] = out[d] = size;
        if (d > 0 && draw_chance(draw, 20)) a[d] = 1;
        if (draw_chance(draw, 30)) b[d] = 1;
        if (d >= rank - b_rank && a[d] == 1 && b[d] == 1) out[d] = 1;
        if (d < rank - b_rank) out[d] = a[d];
    }
    out[leading] = a[leading] = draw_between(draw, 1, 40);
    a[leading + 1] = b[leading] = draw_between(draw, 1, 40);
    out[leading + 1] = b[leading + 1] = draw_between(draw, 1, 70);
    operand(c, draw, 0, rank, out, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, CHANNELS_LAST), 0, 0);
    operand(c, draw, 1, rank, a, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, CHANNELS_LAST, TRANSPOSED), -1, 1);
    operand(c, draw, 2, b_rank, b + rank - b_rank, DRAW_FROM(draw, ROW_MAJOR, TRANSPOSED), -1, 1);
    c->batched[0] = c->batched[1] = true;
    c->batched[2] = b_rank == rank && b[0] != 1;
    c->tolerance = product_tolerance(test, a[leading + 1]);
}

static void draw_cosine_scores(const OpTest *test, Case *c, Draw *draw) {
    int64_t m = draw_between(draw, 1, 9), g = draw_between(draw, 1, 50), width = draw_between(draw, 1, 70);
    if (draw_chance(draw, 20)) m = 110;
    if (draw_chance(draw, 20)) g = 300;
    operand(c, draw, 0, 2, (int64_t[]){m, g}, ROW_MAJOR, 0, 0);
    operand(c, draw, 1, 2, (int64_t[]){m, width}, draw_chance(draw, 10) ? TRANSPOSED : ROW_MAJOR, -1, 1);
    operand(c, draw, 2, 2, (int64_t[]){g, width}, draw_chance(draw, 10) ? TRANSPOSED : ROW_MAJOR, -1, 1);
    c->batched[0] = c->batched[1] = true;
    c->tolerance = product_tolerance(test, width);
}

static int rising(const void *a, const void *b) { return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b); }

/* Scores and thresholds meet often; few of one, or many of the other, some of them alike, far away, infinite or no number. */
static void draw_rank_counts(const OpTest *test, Case *c, Draw *draw) {
    const int64_t scores = draw_chance(draw, 20) ? 1100 : draw_between(draw, 1, 70), thresholds = draw_between(draw, 0, draw_chance(draw, 30) ? 300 : 9) + 1;
    const float steps = (float)DRAW_FROM(draw, 1, 4, 64, 4096);
    operand(c, draw, 0, 1, (int64_t[]){thresholds + 1}, ROW_MAJOR, 0, 0);
    for (int i = 1; i <= 2; i++) {
        float *values = operand(c, draw, i, 1, (int64_t[]){i == 1 ? scores : thresholds}, ROW_MAJOR, test->low, test->high)->data;
        for (size_t k = 0; k < c->elements[i]; k++) values[k] = draw_chance(draw, 2) ? 1e6f * values[k] : roundf(values[k] * steps) / steps;
        if (draw_chance(draw, 20)) values[0] = draw_chance(draw, 50) ? INFINITY : -INFINITY;
    }
    float *score = c->call.in[0].data, *threshold = c->call.in[1].data;
    if (draw_chance(draw, 20)) score[scores - 1] = NAN;
    threshold[thresholds - 1] = INFINITY;
    qsort(threshold, (size_t)thresholds, sizeof(float), rising);
}

/* ---- convolution ---------------------------------------------------------------------------------------------------------------- */

typedef struct { int64_t channels, filters, groups, rows, columns, stride, pad, dilation, height, width; } ConvShape;

static int64_t span(int64_t kernel, int64_t dilation) { return dilation * (kernel - 1) + 1; }

static ConvShape draw_conv_shape(Draw *draw) {
    ConvShape s = {.groups = 1, .dilation = 1};
    s.stride = DRAW_FROM(draw, 1, 1, 1, 2, 3, 9);
    s.rows = DRAW_FROM(draw, 1, 1, 3, 3, 5, 7);
    s.columns = draw_chance(draw, 90) ? s.rows : draw_between(draw, 1, 4);
    s.pad = draw_chance(draw, 60) ? s.rows / 2 : draw_between(draw, 0, 8);
    s.channels = DRAW_FROM(draw, 1, 3, 3, 4, 8, 12, 17, 32, 40, 130);
    s.filters = DRAW_FROM(draw, 1, 5, 8, 16, 24, 32, 33, 50, 70);
    if (draw_chance(draw, 20)) s.dilation = draw_between(draw, 2, 3);
    if (draw_chance(draw, 35)) {                           /* depthwise */
        s.channels = DRAW_FROM(draw, 1, 3, 8, 16, 21, 32, 48, 70, 130);
        s.groups = s.filters = s.channels;
    } else if (draw_chance(draw, 20)) {
        s.groups = draw_between(draw, 2, 4);
        s.channels = s.groups * draw_between(draw, 1, 9);
        s.filters = s.groups * draw_between(draw, 1, 20);
    } else if (draw_chance(draw, 25)) {                    /* many groups of few channels, or some filters for each channel */
        const int64_t each = DRAW_FROM(draw, 1, 2, 3, 4, 8);
        s.groups = draw_between(draw, 3, 21);
        s.channels = s.groups * each;
        s.filters = s.groups * (draw_chance(draw, 60) ? each : draw_between(draw, 1, 8));
    }
    int64_t work = s.channels / s.groups * s.filters * s.rows * s.columns;
    int64_t largest = work > 20000 ? 2 : work > 4000 ? 5 : work > 1000 ? 9 : 24;
    s.height = draw_between(draw, 1, largest);
    s.width = draw_between(draw, 1, largest);
    while (s.height + 2 * s.pad < span(s.rows, s.dilation) || s.width + 2 * s.pad < span(s.columns, s.dilation)) s.pad++;
    return s;
}

/* What a fused network leaves behind a convolution: sigmoid, silu, a number for each channel of a picture, gelu. */
static void draw_epilogue(Case *c, Draw *draw, const int64_t *out) {
    enum { SIGMOID, SILU, SCALE, GELU, NONE };
    const int64_t which = draw_between(draw, 0, 2 * NONE);
    if (which >= NONE) return;
    Chain *chain = &c->chain;
    *chain = (Chain){.sources = which == SCALE ? 2 : 1};
    if (which == SIGMOID || which == SILU) chain_step(chain, CHAIN_sigmoid, 0, 0, 0, 0);
    if (which == SILU) chain_step(chain, CHAIN_mul, 0, 1, 0, 0);
    if (which == SCALE) {
        TensorView *scale = operand(c, draw, 5, 4, (int64_t[]){out[0], out[1], 1, 1}, ROW_MAJOR, -1, 1);
        memcpy(scale->dim, out, 4 * sizeof *out);
        scale->stride[2] = scale->stride[3] = 0;
        c->batched[5] = true;
        chain_step(chain, CHAIN_mul, 0, 1, 0, 0);
    } else if (which == GELU) {
        const int root = chain_step(chain, CHAIN_number, 0, 0, 0.70710678118654752, 0), scaled = chain_step(chain, CHAIN_mul, 0, root, 0, 0);
        const int one = chain_step(chain, CHAIN_number, 0, 0, 1, 0), half = chain_step(chain, CHAIN_number, 0, 0, 0.5, 0);
        const int sum = chain_step(chain, CHAIN_add, chain_step(chain, CHAIN_erf, scaled, 0, 0, 0), one, 0, 0);
        chain_step(chain, CHAIN_mul, chain_step(chain, CHAIN_mul, 0, half, 0, 0), sum, 0, 0);
    }
    c->call.chain = chain;
    c->call.chain_first = 4;
}

static void draw_conv(const OpTest *test, Case *c, Draw *draw) {
    ConvShape s = draw_conv_shape(draw);
    int64_t out_height = (s.height + 2 * s.pad - span(s.rows, s.dilation)) / s.stride + 1;
    int64_t out_width = (s.width + 2 * s.pad - span(s.columns, s.dilation)) / s.stride + 1;
    int64_t out[4] = {BATCH, s.filters, out_height, out_width};
    Layout layout = draw_chance(draw, 90) ? CHANNELS_LAST : ROW_MAJOR;
    operand(c, draw, 0, 4, out, draw_chance(draw, 20) ? CHANNELS_LAST_WITH_GAPS : layout, 0, 0);
    operand(c, draw, 1, 4, (int64_t[]){BATCH, s.channels, s.height, s.width}, draw_chance(draw, 20) ? CHANNELS_LAST_WITH_GAPS : layout, -1, 1);
    operand(c, draw, 2, 4, (int64_t[]){s.filters, s.channels / s.groups, s.rows, s.columns}, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, CHANNELS_LAST), -1, 1);
    if (draw_chance(draw, 60)) operand(c, draw, 3, 1, (int64_t[]){s.filters}, ROW_MAJOR, -1, 1);
    if (draw_chance(draw, 50)) operand(c, draw, 4, 4, out, draw_chance(draw, 20) ? CHANNELS_LAST_WITH_GAPS : layout, -1, 1);
    double attribute[] = {[CONV_stride] = (double)s.stride, [CONV_pad] = (double)s.pad, [CONV_dilation] = (double)s.dilation,
                          [CONV_groups] = (double)s.groups, [CONV_low] = -INFINITY, [CONV_high] = INFINITY};
    if (draw_chance(draw, 50)) attribute[CONV_low] = 0.0;
    if (draw_chance(draw, 30)) attribute[CONV_high] = 1.5;
    memcpy(c->call.attribute, attribute, sizeof attribute);
    c->batched[0] = c->batched[1] = c->batched[4] = true;
    c->tolerance = product_tolerance(test, s.channels / s.groups * s.rows * s.columns + 2);
    draw_epilogue(c, draw, out);
}

/* Any number of filters up to two vectors of the widest level, so each width of a last vector, with bias, residual and clamp behind the sum. */
static void draw_conv_of_each_width(const OpTest *test, Case *c, Draw *draw) {
    const int64_t filters = draw_between(draw, 1, 32), size = DRAW_FROM(draw, 1, 3), channels = draw_between(draw, 1, 70);
    const int64_t dim[4] = {BATCH, filters, draw_between(draw, 1, 5), draw_between(draw, 1, 5)};
    operand(c, draw, 0, 4, dim, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS), 0, 0);
    operand(c, draw, 1, 4, (int64_t[]){BATCH, channels, dim[2], dim[3]}, CHANNELS_LAST, -1, 1);
    operand(c, draw, 2, 4, (int64_t[]){filters, channels, size, size}, ROW_MAJOR, -1, 1);
    operand(c, draw, 3, 1, &filters, ROW_MAJOR, -1, 1);
    operand(c, draw, 4, 4, dim, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS), -1, 1);
    const double attribute[] = {[CONV_stride] = 1, [CONV_pad] = (double)(size / 2), [CONV_dilation] = 1, [CONV_groups] = 1, [CONV_low] = -0.5, [CONV_high] = 1.5};
    memcpy(c->call.attribute, attribute, sizeof attribute);
    c->batched[0] = c->batched[1] = c->batched[4] = true;
    c->tolerance = size == 3 ? 1e-5 * sqrt((double)channels) : product_tolerance(test, channels + 2);      /* of 3 x 3: as winograd.c states */
}

/* ---- pictures --------------------------------------------------------------------------------------------------------------------- */

static void draw_pool(const OpTest *test, Case *c, Draw *draw) {
    int64_t size = draw_between(draw, 1, 4), stride = draw_between(draw, 1, 3), pad = draw_between(draw, 0, size / 2);
    int64_t channels = DRAW_FROM(draw, 1, 3, 16, 21, 64, 100), height = draw_between(draw, size, 13), width = draw_between(draw, size, 13);
    int64_t out[4] = {BATCH, channels, (height + 2 * pad - size) / stride + 1, (width + 2 * pad - size) / stride + 1};
    operand(c, draw, 0, 4, out, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS, ROW_MAJOR), 0, 0);
    operand(c, draw, 1, 4, (int64_t[]){BATCH, channels, height, width}, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS, ROW_MAJOR), test->low, test->high);
    c->call.attribute[POOL_size] = (double)size;
    c->call.attribute[POOL_stride] = (double)stride;
    c->call.attribute[POOL_pad] = (double)pad;
    c->batched[0] = c->batched[1] = true;
    c->tolerance = test->tolerance;
}

static void draw_batchnorm(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[KERNEL_RANK];
    int rank = 0;
    while (rank < 2) rank = draw_shape(draw, dim);
    operand(c, draw, 0, rank, dim, DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS), 0, 0);
    operand(c, draw, 1, rank, dim, DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST, TRANSPOSED), -1, 1);
    for (int i = 2; i < 6; i++) operand(c, draw, i, 1, &dim[1], ROW_MAJOR, i == 5 ? 0.25 : -1, 1);
    c->call.attribute[NORM_epsilon] = 1e-5;
    c->batched[0] = c->batched[1] = true;
    c->tolerance = test->tolerance;
}

/* Rows along any dimensions; with parameters along one. */
static void draw_rows(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[KERNEL_RANK];
    int rank = draw_shape(draw, dim);
    while (rank < 2) rank = draw_shape(draw, dim);
    bool last = draw_chance(draw, 60), norm = !strcmp(test->op, "layer_norm");
    unsigned axes = last ? 1u << (rank - 1) : norm || draw_chance(draw, 50) ? 1u << draw_between(draw, 0, rank - 1) : (unsigned)draw_between(draw, 1, (1 << rank) - 1);
    for (int i = 0; i < rank; i++)
        if (rank > 3 && dim[i] > 4) dim[i] = 4;
    if (last) dim[rank - 1] = draw_between(draw, 1, 150);
    operand(c, draw, 0, rank, dim, DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS), 0, 0);
    operand(c, draw, 1, rank, dim, DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST, TRANSPOSED), test->low, test->high);
    int64_t length = 1;
    for (int d = 0; d < rank; d++)
        if (axes >> d & 1u) length *= dim[d];
    for (int i = 2; norm && i < 4; i++) {
        operand(c, draw, i, 1, &length, ROW_MAJOR, -1, 1);
        if (draw_chance(draw, 75)) continue;
        free(c->call.in[i - 1].data);
        c->call.in[i - 1].data = NULL;
    }
    c->call.attribute[SOFTMAX_axes] = (double)axes;
    c->call.attribute[LAYER_NORM_epsilon] = draw_chance(draw, 50) ? 0.25 : 1e-3;       /* of layer_norm; of unit: the least length */
    c->batched[0] = c->batched[1] = !(axes & 1u);
    c->tolerance = test->tolerance;
}

static void draw_attention(const OpTest *test, Case *c, Draw *draw) {
    int rank = (int)draw_between(draw, 2, 4);
    int64_t queries = draw_between(draw, 1, 70), keys = draw_between(draw, 1, 40), depth = draw_between(draw, 1, 24), width = draw_between(draw, 1, 24);
    if (draw_chance(draw, 20)) keys = draw_between(draw, 90, 220);
    int64_t q[KERNEL_RANK] = {BATCH, draw_between(draw, 1, 3)}, k[KERNEL_RANK], v[KERNEL_RANK], out[KERNEL_RANK], scores[KERNEL_RANK];
    for (int i = 0; i < 2; i++) k[i] = v[i] = out[i] = scores[i] = q[i];
    q[rank - 2] = out[rank - 2] = scores[rank - 2] = queries;
    k[rank - 2] = v[rank - 2] = scores[rank - 1] = keys;
    q[rank - 1] = k[rank - 1] = depth;
    v[rank - 1] = out[rank - 1] = width;
    operand(c, draw, 0, rank, out, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, TRANSPOSED), 0, 0);
    operand(c, draw, 1, rank, q, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, TRANSPOSED), test->low, test->high);
    operand(c, draw, 2, rank, k, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, TRANSPOSED), test->low, test->high);
    operand(c, draw, 3, rank, v, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, TRANSPOSED), test->low, test->high);
    if (draw_chance(draw, 40)) {
        int from = (int)draw_between(draw, 0, rank - 2);
        for (int i = from; i < rank; i++)
            if (i > from && draw_chance(draw, 15)) scores[i] = 1;
        operand(c, draw, 4, rank - from, scores + from, DRAW_FROM(draw, ROW_MAJOR, TRANSPOSED), -1, 1);
        c->batched[4] = from == 0 && rank > 2;
    }
    c->call.attribute[ATTENTION_scale] = draw_value(draw, 0.1, 1);
    for (int i = 0; i < 4; i++) c->batched[i] = rank > 2;
    c->tolerance = product_tolerance(test, depth);
}

static void draw_blur(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[4] = {BATCH, draw_between(draw, 1, 5), draw_between(draw, 1, 9), draw_between(draw, 1, 9)};
    operand(c, draw, 0, 4, dim, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST, ROW_MAJOR), 0, 0);
    operand(c, draw, 1, 4, dim, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST, ROW_MAJOR), -1, 1);
    c->call.attribute[BLUR_sigma] = draw_chance(draw, 10) ? 0.0 : draw_value(draw, 0.2, 2.0);
    c->batched[0] = c->batched[1] = true;
    c->tolerance = test->tolerance;
}

static void draw_concat(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[KERNEL_RANK];
    int rank = draw_shape(draw, dim), axis = (int)draw_between(draw, 0, rank - 1), count = (int)draw_between(draw, 2, KERNEL_INPUTS);
    if (rank == 4 && draw_chance(draw, 60)) axis = 1;
    Layout layout = DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST);
    int64_t total = 0;
    for (int i = 1; i <= count; i++) {
        dim[axis] = draw_between(draw, 1, 20);
        total += dim[axis];
        operand(c, draw, i, rank, dim, draw_chance(draw, 60) ? layout : (Layout)draw_between(draw, 0, LAYOUTS - 1), -1, 1);
        c->batched[i] = axis != 0;
    }
    dim[axis] = total;
    operand(c, draw, 0, rank, dim, layout, 0, 0);
    c->batched[0] = axis != 0;
    c->call.attribute[CONCAT_axis] = (double)axis;
    c->tolerance = test->tolerance;
}

/* Transposes, changes of layout and reshapes: out joins two neighbors of in's dimensions, or cuts one in two. */
static void draw_copy(const OpTest *test, Case *c, Draw *draw) {
    int64_t dim[KERNEL_RANK], out[KERNEL_RANK];
    int rank = draw_shape(draw, dim), out_rank = rank;
    if (rank == 4 && draw_chance(draw, 30)) dim[1] = 33, dim[2] = 18, dim[3] = 19;
    memcpy(out, dim, sizeof out);
    operand(c, draw, 1, rank, dim, (Layout)draw_between(draw, 0, LAYOUTS - 1), -1, 1);
    c->batched[0] = c->batched[1] = true;
    if (rank > 2 && draw_chance(draw, 50)) {
        int at = (int)draw_between(draw, 1, rank - 2);
        out[at] *= out[at + 1];
        for (int i = at + 1; i < rank - 1; i++) out[i] = out[i + 1];
        out_rank--;
    } else if (rank > 1 && draw_chance(draw, 20)) {        /* [.., 4, 6] and [.., 6, 4] need not have common factors */
        int64_t held = out[rank - 1];
        out[rank - 1] = out[rank - 2];
        out[rank - 2] = held;
        if (rank == 2) c->batched[0] = c->batched[1] = false;
    }
    operand(c, draw, 0, out_rank, out, DRAW_FROM(draw, ROW_MAJOR, CHANNELS_LAST, TRANSPOSED), 0, 0);
    c->tolerance = test->tolerance;
}

/* Planes become pixels of a few channels, with gaps or without, in so many that units begin within a pixel and rows are longer than
 * what is moved at once. */
static void draw_copy_of_planes(const OpTest *test, Case *c, Draw *draw) {
    const int64_t dim[4] = {BATCH, draw_between(draw, 2, 7), draw_between(draw, 30, 60), draw_between(draw, 60, 90)};
    operand(c, draw, 1, 4, dim, DRAW_FROM(draw, ROW_MAJOR, ROW_MAJOR, TRANSPOSED), -1, 1);
    operand(c, draw, 0, 4, dim, DRAW_FROM(draw, CHANNELS_LAST, CHANNELS_LAST_WITH_GAPS), 0, 0);
    c->batched[0] = c->batched[1] = true;
    c->tolerance = test->tolerance;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

/* A tolerance of 0 asks for equality; elementwise rows with it get whole numbers, so that comparisons meet ties. */
static const OpTest op_tests[] = {
    {"neg", draw_elementwise, 20, 0, 1, -3, 3},
    {"abs", draw_elementwise, 20, 0, 1, -3, 3},
    {"exp", draw_elementwise, 20, 1e-6, 1, -4, 4},
    {"log", draw_elementwise, 20, 1e-6, 1, 0.01, 9},
    {"sqrt", draw_elementwise, 20, 1e-6, 1, 0, 9},
    {"sin", draw_elementwise, 20, 1e-6, 1, -9, 9},
    {"cos", draw_elementwise, 20, 1e-6, 1, -9, 9},
    {"tanh", draw_elementwise, 20, 1e-6, 1, -4, 4},
    {"sigmoid", draw_elementwise, 20, 1e-6, 1, -9, 9},
    {"erf", draw_elementwise, 20, 1e-6, 1, -4, 4},
    {"clamp", draw_elementwise, 20, 1e-7, 1, -2, 2},
    {"add", draw_elementwise, 40, 1e-6, 2, -2, 2},
    {"sub", draw_elementwise, 30, 1e-6, 2, -2, 2},
    {"mul", draw_elementwise, 30, 1e-6, 2, -2, 2},
    {"div", draw_elementwise, 30, 1e-6, 2, 0.1, 2},
    {"max", draw_elementwise, 30, 0, 2, -3, 3},
    {"min", draw_elementwise, 30, 0, 2, -3, 3},
    {"pow", draw_elementwise, 20, 1e-6, 2, 0.1, 3},
    {"lt", draw_elementwise, 20, 0, 2, -3, 3},
    {"le", draw_elementwise, 20, 0, 2, -3, 3},
    {"gt", draw_elementwise, 20, 0, 2, -3, 3},
    {"ge", draw_elementwise, 20, 0, 2, -3, 3},
    {"eq", draw_elementwise, 20, 0, 2, -3, 3},
    {"ne", draw_elementwise, 20, 0, 2, -3, 3},
    {"select", draw_elementwise, 30, 0, 3, -2, 2},
    {"chain", draw_chain, 200, 1e-4, 0, -1, 1},
    {"sum", draw_reduction, 50, 1e-6, 1, -1, 1},           /* accumulated in double: one rounding */
    {"mean", draw_reduction, 50, 1e-6, 1, -1, 1},
    {"max_over", draw_reduction, 40, 0, 1, -1, 1},
    {"min_over", draw_reduction, 40, 0, 1, -1, 1},
    {"matmul", draw_matmul, 50, 1e-6, 2, -1, 1},
    {"matmul", draw_matmul_of_many, 80, 1e-6, 2, -1, 1},
    {"cosine_scores", draw_cosine_scores, 40, 1e-6, 2, -1, 1},
    {"rank_counts", draw_rank_counts, 200, 0, 2, -1, 1},
    {"conv", draw_conv, 160, 1e-6, 2, -1, 1},
    {"conv", draw_conv_of_each_width, 250, 1e-6, 2, -1, 1},
    {"batchnorm", draw_batchnorm, 40, 2e-6, 5, -1, 1},
    {"softmax", draw_rows, 40, 1e-6, 1, -9, 9},
    {"layer_norm", draw_rows, 40, 4e-6, 3, -2, 3},
    {"unit", draw_rows, 40, 1e-6, 1, -1, 1},
    {"attention", draw_attention, 80, 2e-6, 3, -1, 1},
    {"max_pool", draw_pool, 40, 0, 1, -1, 1},
    {"mean_pool", draw_pool, 40, 1e-6, 1, -1, 1},
    {"blur", draw_blur, 30, 2e-6, 1, -1, 1},
    {"concat", draw_concat, 50, 0, 2, -1, 1},
    {"copy", draw_copy, 60, 0, 1, -1, 1},
    {"copy", draw_copy_of_planes, 16, 0, 1, -1, 1},
};
enum { OP_TESTS = sizeof op_tests / sizeof op_tests[0] };

static void every_kernel_of_the_op_agrees_with_its_reference(void **state) {
    const OpTest *test = *state;
    Draw draw = {0x6a7265};
    for (const char *p = test->op; *p; p++) draw.state = draw.state * 31 + (uint64_t)*p;
    const char *every = getenv("JRE_TEST_EVERY");         /* a share of the cases, where a machine is emulated */
    for (int i = 0; i < test->cases; i += every && atoi(every) > 0 ? atoi(every) : 1) {
        Case c = {.call = {.inputs = 0}};
        test->draw(test, &c, &draw);
        double *want = oracle(test->op, &c);
        for (int k = 0; k < kernel_count(); k++) {
            const Kernel *kernel = kernel_at(k);
            if (strcmp(kernel->op, test->op) != 0 || kernel->type != KERNEL_F32 || kernel->level > kernel_level(NULL)) continue;
            if (strcmp(kernel->device, "cpu") != 0 || (kernel->fits && !kernel->fits(&c.call))) continue;
            if (c.call.chain && !kernel->chains && strcmp(kernel->op, "chain") != 0) continue;
            fill(c.call.out.data, c.elements[0]);
            run_kernel(kernel, &c.call, 1);
            check_values(kernel, &c, want);
            if (strcmp(kernel->variant, "reference") == 0) continue;
            check_partition(kernel, &c);
            check_batch(kernel, &c);
        }
        free(want);
        case_free(&c);
    }
}

/* ---- what a table cannot say ------------------------------------------------------------------------------------------------------ */

static void every_op_has_a_reference_in_both_types_and_something_faster(void **state) {
    (void)state;
    for (int i = 0; i < OP_TESTS; i++) {
        int references[KERNEL_TYPES] = {0}, faster = 0;
        for (int k = 0; k < kernel_count(); k++) {
            const Kernel *kernel = kernel_at(k);
            if (strcmp(kernel->op, op_tests[i].op) != 0) continue;
            if (strcmp(kernel->variant, "reference") == 0) references[kernel->type]++;
            else if (kernel->level <= kernel_level(NULL)) faster++;
        }
        if (references[KERNEL_F32] != 1 || references[KERNEL_F64] != 1 || faster == 0)
            fail_msg("%s: %d and %d references, %d others", op_tests[i].op, references[KERNEL_F32], references[KERNEL_F64], faster);
    }
}

static void every_kernel_belongs_to_a_row_of_the_table(void **state) {
    (void)state;
    for (int k = 0; k < kernel_count(); k++) {
        bool found = false;
        for (int i = 0; i < OP_TESTS; i++) found = found || strcmp(op_tests[i].op, kernel_at(k)->op) == 0;
        if (!found) fail_msg("no test row for %s", kernel_at(k)->op);
    }
    assert_null(kernel_at(-1));
    assert_null(kernel_at(kernel_count()));
}

static KernelCall call_of_one_pair(float *out, float *a, float *b) {
    KernelCall call = {.inputs = 2};
    call.out = (TensorView){.data = out, .rank = 1, .dim = {1}, .stride = {1}};
    call.in[0] = call.in[1] = call.out;
    call.in[0].data = a;
    call.in[1].data = b;
    return call;
}

static void the_best_kernel_is_found_at_each_level(void **state) {
    (void)state;
    float value = 0;
    KernelCall call = call_of_one_pair(&value, &value, &value);
    for (int level = 0; level <= kernel_level(NULL); level++) {
        const Kernel *kernel = kernel_find("add", "cpu", NULL, level, &call);
        assert_non_null(kernel);
        assert_true(kernel->level <= level);
        if (level >= 2) assert_int_equal(kernel->level, level);
        assert_string_equal(kernel_find("add", "cpu", "reference", level, &call)->variant, "reference");
    }
    assert_null(kernel_find("add", "nowhere", NULL, 4, &call));
    assert_null(kernel_find("transmogrify", "cpu", NULL, 4, &call));
    call.out.type = KERNEL_F64;
    assert_string_equal(kernel_find("add", "cpu", NULL, kernel_level(NULL), &call)->variant, "reference");
}

static void only_levels_of_this_processor_can_be_forced(void **state) {
    (void)state;
    int highest = kernel_level(NULL);
    assert_true(highest >= 0 && highest <= 4);
    const char *const names[] = {"v2", "v3", "v4"};
    for (int level = 2; level <= 4; level++)
        assert_int_equal(kernel_level(names[level - 2]), level <= highest ? level : -1);
    const char *const wrong[] = {"", "v", "v1", "v5", "v33", "V3", "avx2", "NEON"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_int_equal(kernel_level(wrong[i]), -1);
#if defined(__aarch64__)
    assert_int_equal(highest, 0);
    assert_int_equal(kernel_level("neon"), 0);
#else
    assert_int_equal(kernel_level("neon"), -1);
#endif
    for (int k = 0; k < kernel_count(); k++) assert_true(kernel_at(k)->level == 0 || kernel_level_name(kernel_at(k)->level));
    assert_int_equal(kernel_level_lanes(0), 4);
    assert_int_equal(kernel_level_lanes(4), 16);
    assert_null(kernel_level_name(-1));
    assert_null(kernel_level_name(5));
}

int main(void) {
    struct CMUnitTest tests[OP_TESTS + 4] = {
        cmocka_unit_test(every_op_has_a_reference_in_both_types_and_something_faster),
        cmocka_unit_test(every_kernel_belongs_to_a_row_of_the_table),
        cmocka_unit_test(the_best_kernel_is_found_at_each_level),
        cmocka_unit_test(only_levels_of_this_processor_can_be_forced),
    };
    OpTest rows[OP_TESTS];                                 /* cmocka wants a pointer that is not const */
    memcpy(rows, op_tests, sizeof rows);
    for (int i = 0; i < OP_TESTS; i++)
        tests[4 + i] = (struct CMUnitTest){.name = op_tests[i].op, .test_func = every_kernel_of_the_op_agrees_with_its_reference, .initial_state = &rows[i]};
    return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
