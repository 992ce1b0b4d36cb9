/* rewrite.c: applies the rules of rules.def, and holds those that simplify.
 *
 * A pass walks the nodes in order and builds each anew over its replaced operands; wherever a rule answers with another
 * node, that one takes its place. Rules need not carry origins: the engine gives a replacement the lines of all it stands
 * for. Passes repeat until no rule answers; each rule makes the graph smaller or its constants fewer, so that ends. */
#include "compiler.h"

#include <math.h>

const Rule rules[] = {
#define RULE(name, phase, reason) {#name, PHASE_##phase, reason, rule_##name},
#include "rules.def"
#undef RULE
};
const int rule_count = (int)(sizeof rules / sizeof *rules);

static const Origin *users_line(const Origin *origin) {
    while (origin->library && origin->caller) origin = origin->caller;
    return origin;
}

/* The calls that led to `origin`, with the line in the document replaced. */
static const Origin *led_from(Graph *g, const Origin *origin, const Origin *old, const Origin *line) {
    if (origin == old) return line;
    Origin *copy = arena_new(g->arena, Origin);
    *copy = (Origin){origin->span, led_from(g, origin->caller, old, line), origin->library};
    return copy;
}

/* A conv that swallowed a batchnorm names the lines from the one to the other, where they stand in one formula: in the library if both
 * are of one call there, else in the document. */
static const Origin *join_origins(Graph *g, const Origin *anchor, const Origin *swallowed) {
    if (!anchor || !swallowed || anchor == swallowed) return anchor ? anchor : swallowed;
    const Origin *from = anchor, *to = swallowed;
    if (from->caller != to->caller || from->library != to->library) from = users_line(anchor), to = users_line(swallowed);
    Jre *jre = g->compilation->jre;
    if (from == to || from->caller != to->caller || source_of(jre, from->span) != source_of(jre, to->span)) return anchor;
    Origin *joined = arena_new(g->arena, Origin);
    *joined = (Origin){span_join(from->span, to->span), from->caller, from->library};
    return led_from(g, anchor, from, joined);
}

static Node *apply_rules(Graph *g, Node *node, RulePhase phase, int64_t *hits) {
    Compilation *c = g->compilation;
    for (int r = 0; r < rule_count; r++) {
        if (rules[r].phase != phase) continue;
        Node *replacement = rules[r].apply(g, node);
        if (!replacement || replacement == node) continue;
        ++*hits;
        c->rule_hits[r]++;
        if (!(op_row(replacement->op)->flags & OP_SOURCE)) {
            replacement->origin = join_origins(g, replacement->origin, node->origin);
            if (node->stage) replacement->stage = node->stage;
        }
        replacement->uses += node->uses;          /* it may have stood in the graph before */
        node = replacement;
        r = -1;
    }
    return node;
}

static int64_t one_pass(Graph *g, RulePhase phase) {
    int total = g->nodes.count;
    int64_t hits = 0;
    Node **stands_for = arena_array(g->arena, Node *, total);
    for (int i = 0; i < total; i++) {
        Node *old = g->nodes.at[i], *node = old;
        Node *in[GRAPH_INPUTS] = {0};
        bool moved = false;
        for (int k = 0; k < old->inputs; k++) {
            in[k] = old->in[k] ? stands_for[old->in[k]->id] : NULL;
            if (in[k] != old->in[k]) moved = true;
        }
        if (moved) {
            node = arena_new(g->arena, Node);
            *node = *old;
            for (int k = 0; k < old->inputs; k++) node->in[k] = in[k];
            node->id = g->nodes.count;
            list_add(g->arena, &g->nodes, node);
        }
        stands_for[i] = apply_rules(g, node, phase, &hits);
    }
    g->output = stands_for[g->output->id];
    graph_sweep(g);
    return hits;
}

int64_t rewrite_graph(Graph *g, RulePhase phase) {
    if (!g->compilation->rule_hits) g->compilation->rule_hits = arena_array(g->arena, int64_t, rule_count);
    int64_t total = 0, hits;
    graph_count_uses(g);
    do total += hits = one_pass(g, phase);
    while (hits);
    return total;
}

/* ---- rules that simplify ------------------------------------------------------------------------------------------- */

static bool is_number(const Node *node, double *value) {
    if (node->op != OP_constant || node->shape.rank != 0) return false;
    *value = node->attribute[0];
    return true;
}

static Node *clamped(Graph *g, Node *x, double low, double high, const Origin *origin) {
    const char *why;
    return graph_add(g, OP_clamp, &x, 1, (double[]){low, high}, origin, &why);
}

static Node *clamp_one_side(Graph *g, Node *node, Op op) {
    if (node->op != op) return NULL;
    for (int side = 0; side < 2; side++) {
        double bound;
        if (!is_number(node->in[side], &bound)) continue;
        return clamped(g, node->in[1 - side], op == OP_max ? bound : -INFINITY, op == OP_max ? INFINITY : bound, node->origin);
    }
    return NULL;
}
Node *rule_clamp_from_max(Graph *g, Node *node) { return clamp_one_side(g, node, OP_max); }
Node *rule_clamp_from_min(Graph *g, Node *node) { return clamp_one_side(g, node, OP_min); }

/* min(max(min(max(x, a), b), c), d): true only where the inner interval is not inverted. */
Node *rule_clamp_of_clamp(Graph *g, Node *node) {
    if (node->op != OP_clamp || node->in[0]->op != OP_clamp || node->in[0]->uses != 1) return NULL;
    const Node *inner = node->in[0];
    double low = fmax(inner->attribute[0], node->attribute[0]), high = fmin(inner->attribute[1], node->attribute[1]);
    if (inner->attribute[0] > inner->attribute[1] || low > high) return NULL;
    return clamped(g, inner->in[0], low, high, node->origin);
}

Node *rule_square(Graph *g, Node *node) {
    double power;
    const char *why;
    if (node->op != OP_pow || !is_number(node->in[1], &power) || power != 2) return NULL;
    return graph_add(g, OP_mul, (Node *[]){node->in[0], node->in[0]}, 2, NULL, node->origin, &why);
}

Node *rule_concat_of_concat(Graph *g, Node *node) {
    if (node->op != OP_concat || node->in[0]->op != OP_concat || node->in[0]->uses != 1) return NULL;
    const Node *first = node->in[0];
    int rest = node->inputs - 1, total = first->inputs + rest;
    if (total > GRAPH_INPUTS || first->attribute[0] != node->attribute[0]) return NULL;
    Node *parts[GRAPH_INPUTS];
    for (int i = 0; i < total; i++) parts[i] = i < first->inputs ? first->in[i] : node->in[1 + i - first->inputs];
    const char *why;
    return graph_add(g, OP_concat, parts, total, node->attribute, node->origin, &why);
}

Node *rule_reshape_nothing(Graph *g, Node *node) {
    if (node->op != OP_reshape) return NULL;
    if (shape_equal(node->shape, node->in[0]->shape)) return node->in[0];
    return node->in[0]->op == OP_reshape ? graph_reshape(g, node->in[0]->in[0], node->shape, node->origin) : NULL;
}

Node *rule_transpose_nothing(Graph *g, Node *node) {
    if (node->op != OP_transpose) return NULL;
    const Node *before = node->in[0];
    if (before->op == OP_transpose) {
        int order[GRAPH_RANK];
        for (int i = 0; i < node->shape.rank; i++) order[i] = (int)before->attribute[(int)node->attribute[i]];
        return graph_transpose(g, before->in[0], order, node->origin);
    }
    for (int i = 0; i < node->shape.rank; i++)
        if ((int)node->attribute[i] != i) return NULL;
    return node->in[0];
}

/* batchnorm(conv(x, w) + b) = conv(x, w * s) + (b - mean) * s + bias with s = weight / sqrt(variance + epsilon). The new
 * weights are nodes too: they depend on weights only, so the schedule computes them once, when it loads. */
Node *rule_fold_batchnorm(Graph *g, Node *node) {
    if (node->op != OP_batchnorm || node->in[0]->op != OP_conv || node->in[0]->uses != 1) return NULL;
    Node *conv = node->in[0];
    bool clamps = conv->attribute[4] > -INFINITY || conv->attribute[5] < INFINITY;
    if (clamps || conv->inputs > 3) return NULL;
    const Origin *origin = node->origin;
    const char *why;
    Node *epsilon = graph_source(g, OP_constant, (Shape){0}, node->attribute[0], NULL, NULL, origin);
    Node *spread = graph_add(g, OP_add, (Node *[]){node->in[4], epsilon}, 2, NULL, origin, &why);
    spread = graph_add(g, OP_sqrt, &spread, 1, NULL, origin, &why);
    Node *scale = graph_add(g, OP_div, (Node *[]){node->in[1], spread}, 2, NULL, origin, &why);
    Node *by_filter = graph_reshape(g, scale, (Shape){4, {scale->shape.dim[0], 1, 1, 1}}, origin);
    Node *weights = graph_add(g, OP_mul, (Node *[]){conv->in[1], by_filter}, 2, NULL, origin, &why);
    Node *center = node->in[3];
    if (conv->inputs == 3) center = graph_add(g, OP_sub, (Node *[]){center, conv->in[2]}, 2, NULL, origin, &why);
    Node *shift = graph_add(g, OP_mul, (Node *[]){center, scale}, 2, NULL, origin, &why);
    Node *bias = graph_add(g, OP_sub, (Node *[]){node->in[2], shift}, 2, NULL, origin, &why);
    return graph_add(g, OP_conv, (Node *[]){conv->in[0], weights, bias}, 3, conv->attribute, conv->origin, &why);
}

/* ---- sums over pairs of rows ----------------------------------------------------------------------------------------- */

/* sum over k of f(a[i, k], b[j, k]): two tables, stretched against each other, would fill a tensor of i x j x k numbers. */
typedef struct { Node *a, *b; int rank, i, j, k; } Pairs;

static int64_t size_at(const Node *node, int rank, int d) {
    int at = d - (rank - node->shape.rank);
    return at < 0 ? 1 : node->shape.dim[at];
}

/* True where `a` alone has dimension i, `b` alone j, both k, which is summed, and no other is larger than 1. */
static bool are_pairs(const Node *sum, Node *a, Node *b, Pairs *p) {
    const Shape *joined = &sum->in[0]->shape;
    *p = (Pairs){a, b, joined->rank, -1, -1, -1};
    for (int d = 0; d < joined->rank; d++) {
        int64_t size = joined->dim[d], of_a = size_at(a, p->rank, d), of_b = size_at(b, p->rank, d);
        if (size == 1) continue;
        bool summed = (int)sum->attribute[0] >> d & 1;
        if (summed != (of_a == size && of_b == size)) return false;
        int *place = summed ? &p->k : of_a == size ? &p->i : &p->j;
        if (*place >= 0) return false;
        *place = d;
    }
    return p->i >= 0 && p->j >= 0 && p->k >= 0;
}

/* A row for each place of dimension d, k long. */
static Node *rows_of(Graph *g, Node *x, const Pairs *p, int d, const Origin *origin) {
    int64_t rows = size_at(x, p->rank, d), length = size_at(x, p->rank, p->k);
    while (x->op == OP_reshape) x = x->in[0];
    if (d < p->k) return graph_reshape(g, x, (Shape){2, {rows, length}}, origin);
    return graph_transpose(g, graph_reshape(g, x, (Shape){2, {length, rows}}, origin), (int[]){1, 0}, origin);
}

static Node *products_of_rows(Graph *g, Node *a, Node *b, const Origin *origin) {
    const char *why;
    return graph_add(g, OP_matmul, (Node *[]){a, graph_transpose(g, b, (int[]){1, 0}, origin)}, 2, NULL, origin, &why);
}

/* The table of i by j where the sum stood. */
static Node *as_sum(Graph *g, const Node *sum, const Pairs *p, Node *table) {
    if (p->i > p->j) table = graph_transpose(g, table, (int[]){1, 0}, sum->origin);
    return graph_reshape(g, table, sum->shape, sum->origin);
}

static Node *squares_of_rows(Graph *g, Node *rows, const Origin *origin) {
    const char *why;
    Node *squares = graph_add(g, OP_mul, (Node *[]){rows, rows}, 2, NULL, origin, &why);
    return graph_add(g, OP_sum, &squares, 1, (double[]){2}, origin, &why);
}

/* |a|^2 + |b|^2 - 2 a b', never below 0: rounding could bring a root to NaN where the two are one. */
Node *rule_sum_of_squares(Graph *g, Node *node) {
    Pairs p;
    const char *why;
    const Origin *origin = node->origin;
    Node *square = node->in[0];
    if (node->op != OP_sum || square->op != OP_mul || square->uses != 1 || square->in[0] != square->in[1] || square->in[0]->op != OP_sub) return NULL;
    if (!are_pairs(node, square->in[0]->in[0], square->in[0]->in[1], &p)) return NULL;
    Node *a = rows_of(g, p.a, &p, p.i, origin), *b = rows_of(g, p.b, &p, p.j, origin);
    Node *of_b = graph_transpose(g, squares_of_rows(g, b, origin), (int[]){1, 0}, origin);
    Node *both = graph_add(g, OP_add, (Node *[]){squares_of_rows(g, a, origin), of_b}, 2, NULL, origin, &why);
    Node *two = graph_source(g, OP_constant, (Shape){0}, 2, NULL, NULL, origin);
    Node *twice = graph_add(g, OP_mul, (Node *[]){products_of_rows(g, a, b, origin), two}, 2, NULL, origin, &why);
    Node *distance = graph_add(g, OP_sub, (Node *[]){both, twice}, 2, NULL, origin, &why);
    return as_sum(g, node, &p, clamped(g, distance, 0, INFINITY, origin));
}

/* ---- sums of products of two tensors --------------------------------------------------------------------------------- */

/* sum over k of q[n, h, i, k] * x[n, h, j, k]: dimensions that both keep lead, one side's own are rows, the other's columns,
 * those that are summed are the depth. Each list holds places in the joined shape, in their order. */
typedef struct { int at[GRAPH_RANK], count; } Places;
typedef struct { Node *a, *b; int rank; Places lead, rows, columns, depth; } Products;

static void put(Places *places, int d) { places->at[places->count++] = d; }

static bool holds_batch(const Products *p, const Node *x, const Places *places) {
    for (int i = 0; i < places->count; i++)
        if (size_at(x, p->rank, places->at[i]) == DIM_BATCH) return true;
    return false;
}

static bool are_products(const Node *sum, Node *a, Node *b, Products *p) {
    const Shape *joined = &sum->in[0]->shape;
    *p = (Products){.a = a, .b = b, .rank = joined->rank};
    for (int d = 0; d < joined->rank; d++) {
        int64_t size = joined->dim[d];
        bool of_a = size_at(a, p->rank, d) == size, of_b = size_at(b, p->rank, d) == size, summed = (int)sum->attribute[0] >> d & 1;
        if (size == 1) continue;
        if (summed && !(of_a && of_b)) return false;
        put(summed ? &p->depth : of_a && of_b ? &p->lead : of_a ? &p->rows : &p->columns, d);
    }
    return p->rows.count && p->columns.count && p->depth.count;
}

/* The dimensions of x in these places, in this order, those of one list joined but for the leading ones. */
static Node *arranged(Graph *g, const Products *p, Node *x, const Places *lead, const Places *outer, const Places *inner, const Origin *origin) {
    Shape apart = {0}, joined = {0};
    int order[GRAPH_RANK], own[GRAPH_RANK], count = 0;
    for (int d = 0; d < p->rank; d++) {
        own[d] = apart.rank;
        if (size_at(x, p->rank, d) != 1) apart.dim[apart.rank++] = size_at(x, p->rank, d);
    }
    const Places *lists[] = {lead, outer, inner};
    for (int k = 0; k < 3; k++) {
        int64_t size = 1;
        for (int i = 0; i < lists[k]->count; i++) {
            int64_t each = size_at(x, p->rank, lists[k]->at[i]);
            order[count++] = own[lists[k]->at[i]];
            if (k == 0) joined.dim[joined.rank++] = each;
            else size = lists[k]->count == 1 ? each : size * each;
        }
        if (k > 0) joined.dim[joined.rank++] = size;
    }
    while (x->op == OP_reshape) x = x->in[0];
    return graph_reshape(g, graph_transpose(g, graph_reshape(g, x, apart, origin), order, origin), joined, origin);
}

/* From leading dimensions, rows and columns back to the shape of the sum. */
static Node *as_summed(Graph *g, const Node *sum, const Products *p, const Places *lead, Node *made) {
    Shape apart = {0};
    int order[GRAPH_RANK], from[GRAPH_RANK] = {0}, count = 0;
    const Places *lists[] = {lead, &p->rows, &p->columns};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < lists[k]->count; i++) {
            from[lists[k]->at[i]] = apart.rank + 1;
            apart.dim[apart.rank++] = sum->shape.dim[lists[k]->at[i]];
        }
    for (int d = 0; d < p->rank; d++)
        if (from[d]) order[count++] = from[d] - 1;
    made = graph_transpose(g, graph_reshape(g, made, apart, sum->origin), order, sum->origin);
    return graph_reshape(g, made, sum->shape, sum->origin);
}

/* The batch is no factor of a size: among several rows it leads, and the other side stretches over it. */
Node *rule_sum_of_products(Graph *g, Node *node) {
    Products p;
    const char *why;
    Node *product = node->in[0];
    if (node->op != OP_sum || product->op != OP_mul || product->uses != 1) return NULL;
    if (!are_products(node, product->in[0], product->in[1], &p)) return NULL;
    if (holds_batch(&p, p.b, &p.columns) && !are_products(node, product->in[1], product->in[0], &p)) return NULL;
    if (holds_batch(&p, p.a, &p.depth)) return NULL;
    Places lead = p.lead;
    if (p.rows.count > 1 && holds_batch(&p, p.a, &p.rows)) {
        Places rows = p.rows;
        p.rows.count = lead.count = 0;
        for (int i = 0; i < rows.count; i++) put(size_at(p.a, p.rank, rows.at[i]) == DIM_BATCH ? &lead : &p.rows, rows.at[i]);
        for (int i = 0; i < p.lead.count; i++) put(&lead, p.lead.at[i]);
    }
    Node *a = arranged(g, &p, p.a, &lead, &p.rows, &p.depth, node->origin), *b = arranged(g, &p, p.b, &p.lead, &p.depth, &p.columns, node->origin);
    Node *made = graph_add(g, OP_matmul, (Node *[]){a, b}, 2, NULL, node->origin, &why);
    return made ? as_summed(g, node, &p, &lead, made) : NULL;
}
