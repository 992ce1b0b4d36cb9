/* attention.c: softmax(scale * q k' + added) v, without the table of all queries by all keys.
 *
 * Ladder, GFLOP/s of both products on one core at level 4:                 [6,197,64]   [16,6,197,64]
 *   reference, an element at a time                                           0.02
 *   two matmuls and a softmax, over [..,6,197,197]                              81            21   the table leaves the caches
 *   a panel of queries at a time, keys in blocks, running maximum and sum       79            65
 * Queries lie side by side in the lanes, so both products are the micro-kernel of matmul.c as it is: scores [keys, queries]
 * = k x q', result [E, queries] = v' x shares, with k and v read where they lie; maxima and sums are a lane's own.
 * After each block of keys the result so far is scaled by exp(old maximum - new maximum). Blocks depend on the number of keys
 * alone and lanes do not meet: a query's bits depend on its own keys only. A unit is a panel of queries of one matrix. */
#include "../kernels.h"

#include <float.h>
#include <math.h>

enum { QUERIES = TILE_PANEL, KEYS = 96, ADDED = 3 };

typedef struct {
    int64_t queries, keys, depth, width;                   /* T, U, D, E */
    int64_t panels, matrices;
} Sizes;

static Sizes sizes_of(const KernelCall *call) {
    const TensorView *q = &call->in[0], *v = &call->in[2];
    int rank = call->out.rank;
    Sizes s = {.queries = q->dim[rank - 2], .keys = v->dim[rank - 2], .depth = q->dim[rank - 1], .width = v->dim[rank - 1], .matrices = 1};
    s.panels = units_of(s.queries, QUERIES);
    for (int d = 0; d < rank - 2; d++) s.matrices *= call->out.dim[d];
    return s;
}

static bool attention_fits(const KernelCall *call) {
    if (call->inputs < 3 || call->out.rank < 2) return false;
    for (int i = 0; i < call->inputs; i++)
        if (call->in[i].data && (call->in[i].type != KERNEL_F32 || (i < ADDED && call->in[i].rank != call->out.rank))) return false;
    return true;
}

static int64_t attention_units(const KernelCall *call) {
    Sizes s = sizes_of(call);
    return s.matrices * s.panels;
}

/* Queries turned, scores of a block, the result turned. */
static size_t attention_workspace_bytes(const KernelCall *call) {
    Sizes s = sizes_of(call);
    return (size_t)((s.depth + KEYS + s.width) * QUERIES) * sizeof(float);
}

/* Where matrix number `index` begins; leading sizes align from the right, 1 stretches. */
static float *matrix_at(const KernelCall *call, const TensorView *view, int64_t index) {
    float *at = view->data;
    for (int d = call->out.rank - 3; d >= 0; index /= call->out.dim[d--]) {
        int own = d - (call->out.rank - view->rank);
        if (own >= 0 && view->dim[own] != 1) at += index % call->out.dim[d] * view->stride[own];
    }
    return at;
}

static int64_t stretched(const TensorView *view, int from_last) {
    int at = view->rank - from_last;
    return at < 0 || view->dim[at] == 1 ? 0 : view->stride[at];
}

/* ---- one panel of queries ------------------------------------------------------------------------------------------------ */

typedef struct {
    Vec top[2], sum[2];                   /* of the keys so far */
    int vectors;                          /* of lanes that hold queries */
    float *turned, *scores, *result;      /* [D][QUERIES], [KEYS][QUERIES], [E][QUERIES] */
} Panel;

static void turn_queries(const KernelCall *call, const float *q, int64_t count, int64_t depth, float *turned) {
    int64_t row = call->in[0].stride[call->out.rank - 2], step = call->in[0].stride[call->out.rank - 1];
    const float scale = (float)call->attribute[ATTENTION_scale];
    for (int64_t d = 0; d < depth; d++)
        for (int64_t i = 0; i < QUERIES; i++) turned[d * QUERIES + i] = i < count ? scale * q[i * row + d * step] : 0.0f;
}

static void add_to_scores(const TensorView *added, const float *from, int64_t queries, int64_t keys, float *scores) {
    int64_t row = stretched(added, 2), step = stretched(added, 1);
    for (int64_t i = 0; i < queries; i++)
        for (int64_t key = 0; key < keys; key++) scores[key * QUERIES + i] += from[i * row + key * step];
}

/* Scores become shares of the largest so far; what was summed before is scaled to it. Where all keys are masked by -inf so
 * far the maximum counts as the least finite number: exp gives 0, not NaN. */
static void shares_of_block(Panel *panel, int64_t keys, int64_t width, bool first) {
    for (int v = 0; v < panel->vectors; v++) {
        float *scores = panel->scores + v * KERNEL_LANES, *result = panel->result + v * KERNEL_LANES;
        Vec top = panel->top[v], sum = {0};
        for (int64_t key = 0; key < keys; key++) {
            Vec score = vec_load(scores + key * QUERIES);
            top = vec_choose(score > top, score, top);
        }
        for (int64_t key = 0; key < keys; key++) {
            Vec share = vec_exp(vec_load(scores + key * QUERIES) - top);
            vec_store(scores + key * QUERIES, share);
            sum += share;
        }
        if (first) {
            panel->sum[v] = sum;
        } else {
            const Vec scale = vec_exp(panel->top[v] - top);
            panel->sum[v] = vec_fused(panel->sum[v], scale, sum);
            for (int64_t e = 0; e < width; e++) vec_store(result + e * QUERIES, vec_load(result + e * QUERIES) * scale);
        }
        panel->top[v] = top;
    }
}

static void put_result(const KernelCall *call, Panel *panel, int64_t queries, int64_t width, float *out) {
    int64_t row = call->out.stride[call->out.rank - 2], step = call->out.stride[call->out.rank - 1];
    float scale[QUERIES];
    for (int v = 0; v < panel->vectors; v++) vec_store(scale + v * KERNEL_LANES, 1.0f / panel->sum[v]);
    for (int64_t i = 0; i < queries; i++)
        for (int64_t e = 0; e < width; e++) out[i * row + e * step] = panel->result[e * QUERIES + i] * scale[i];
}

static void run_panel(const KernelCall *call, const Sizes *s, Panel *panel, int64_t matrix, int64_t first) {
    const TensorView *k = &call->in[1], *v = &call->in[2], *added = call->inputs > ADDED && call->in[ADDED].data ? &call->in[ADDED] : NULL;
    int rank = call->out.rank;
    int64_t queries = s->queries - first < QUERIES ? s->queries - first : QUERIES, lanes;
    panel->vectors = queries > KERNEL_LANES ? 2 : 1;
    lanes = panel->vectors * KERNEL_LANES;
    for (int i = 0; i < 2; i++) panel->top[i] = vec_all(-FLT_MAX);
    turn_queries(call, matrix_at(call, &call->in[0], matrix) + first * call->in[0].stride[rank - 2], queries, s->depth, panel->turned);
    const float *key_rows = matrix_at(call, k, matrix), *value_rows = matrix_at(call, v, matrix);
    for (int64_t key = 0; key < s->keys; key += KEYS) {
        int64_t keys = s->keys - key < KEYS ? s->keys - key : KEYS;
        ProductTile scores = {.a = key_rows + key * k->stride[rank - 2], .a_row = k->stride[rank - 2], .a_step = k->stride[rank - 1],
                              .b = panel->turned, .b_step = QUERIES, .out = panel->scores, .out_row = QUERIES, .depth = s->depth, .width = lanes};
        KERNEL_LEVELED(product_tiles)(&scores, keys);
        if (added)
            add_to_scores(added, matrix_at(call, added, matrix) + first * stretched(added, 2) + key * stretched(added, 1), queries, keys, panel->scores);
        shares_of_block(panel, keys, s->width, key == 0);
        ProductTile result = {.a = value_rows + key * v->stride[rank - 2], .a_row = v->stride[rank - 1], .a_step = v->stride[rank - 2],
                              .b = panel->scores, .b_step = QUERIES, .out = panel->result, .out_row = QUERIES, .depth = keys, .width = lanes, .add = key > 0};
        KERNEL_LEVELED(product_tiles)(&result, s->width);
    }
    put_result(call, panel, queries, s->width, matrix_at(call, &call->out, matrix) + first * call->out.stride[rank - 2]);
}

static void attention_run(const KernelCall *call, int64_t first, int64_t end) {
    Sizes s = sizes_of(call);
    Panel panel = {.turned = call->workspace};
    panel.scores = panel.turned + s.depth * QUERIES;
    panel.result = panel.scores + KEYS * QUERIES;
    for (int64_t unit = first; unit < end; unit++) run_panel(call, &s, &panel, unit / s.panels, unit % s.panels * QUERIES);
}
KERNEL(attention_streamed, .op = "attention", .device = "cpu", .variant = "streamed", .type = KERNEL_F32, .preference = 10, .fits = attention_fits,
       .units = attention_units, .run = attention_run, .workspace_bytes = attention_workspace_bytes)
