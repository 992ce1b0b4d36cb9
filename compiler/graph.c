/* graph.c: tensor graphs: nodes with exact shapes, built so that equal nodes are one node.
 *
 * Nodes lie in an order in which operands come first. Rewrites (rewrite.c) build new nodes; graph_sweep drops what the
 * output does not need and renumbers. */
#include "compiler.h"

#include <math.h>
#include <string.h>

Graph *graph_new(Compilation *c) {
    Graph *g = arena_new(&c->arena, Graph);
    g->compilation = c;
    g->arena = &c->arena;
    return g;
}

bool shape_equal(Shape a, Shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

const char *shape_text(Arena *arena, Shape shape) {
    const char *text = "[";
    for (int i = 0; i < shape.rank; i++) {
        const char *comma = i ? ", " : "";
        text = shape.dim[i] == DIM_BATCH ? arena_print(arena, "%s%sN", text, comma)
                                         : arena_print(arena, "%s%s%lld", text, comma, (long long)shape.dim[i]);
    }
    return arena_print(arena, "%s]", text);
}

int64_t shape_elements(Shape shape, int64_t batch) {
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++)
        if (__builtin_mul_overflow(count, shape.dim[i] == DIM_BATCH ? batch : shape.dim[i], &count)) return INT64_MAX;
    return count;
}

Span origin_user_span(const Origin *origin) {
    if (!origin) return NOWHERE;
    while (origin->library && origin->caller) origin = origin->caller;
    return origin->span;
}

/* ---- building ------------------------------------------------------------------------------------------------- */

void graph_print_values(const Node *node, const char *format, Text *out) {
    char number[64];
    int64_t count = shape_elements(node->shape, 1);
    for (int64_t i = 0; i < count; i++) {
        snprintf(number, sizeof number, format, node->values[i]);
        text_add(out, "%s%s", i ? "," : " values=", number);
    }
}

void graph_print_links(const Graph *g, const Node *node, const char *format, Text *out) {
    const Links *links = node->links;
    char number[64];
    for (int i = 0; links && i < links->count; i++) {
        const Link *link = &links->link[i];
        const OpSignature *signature = op_signature(g->compilation, link->op);
        text_add(out, "%s $%d = %s(", i ? ";" : " {", links->sources + i, op_row(link->op)->name);
        for (int k = 0; k < signature->data; k++) text_add(out, "%s$%d", k ? ", " : "", link->operand[k]);
        text_add(out, ")");
        for (int k = 0; k < signature->attributes && k < 2; k++) {
            if (link->attribute[k] == signature->attribute_default[k] && (link->op != OP_constant || k)) continue;
            snprintf(number, sizeof number, format, link->attribute[k]);
            text_add(out, " %s=%s", signature->attribute_name[k], number);
        }
    }
    if (links) text_add(out, " }");
}

static const char *identity_of(Graph *g, const Node *node) {
    Text key = {.jre = g->compilation->jre};
    text_add(&key, "%d%s", (int)node->op, shape_text(g->arena, node->shape));
    for (int i = 0; i < node->inputs; i++) text_add(&key, " %d", node->in[i] ? node->in[i]->id : -1);
    for (int i = 0; i < GRAPH_ATTRIBUTES; i++)
        if (node->attribute[i] != 0) text_add(&key, " %d=%a", i, node->attribute[i]);
    if (node->name) text_add(&key, " %p %s", (void *)node->weights, node->name);
    if (node->values) graph_print_values(node, "%a", &key);
    graph_print_links(g, node, "%a", &key);
    const char *text = arena_copy(g->arena, key.at, key.length);
    text_free(&key);
    return text;
}

Node *graph_append(Graph *g, const Node *wanted) {
    Node *node = arena_new(g->arena, Node);
    *node = *wanted;
    node->id = g->nodes.count;
    node->varies = node->op == OP_input;
    for (int i = 0; i < node->inputs; i++)
        if (node->in[i] && node->in[i]->varies) node->varies = true;
    list_add(g->arena, &g->nodes, node);
    map_set(&g->consed, g->arena, identity_of(g, wanted), node);
    return node;
}

static Node *cons(Graph *g, const Node *wanted) {
    Node *node = map_get(&g->consed, identity_of(g, wanted));
    return node ? node : graph_append(g, wanted);
}

Node *graph_add(Graph *g, Op op, Node *const *in, int inputs, const double *attributes, const Origin *origin, const char **why) {
    const OpSignature *signature = op_signature(g->compilation, op);
    Node wanted = {.op = op, .inputs = inputs, .origin = origin};
    for (int i = 0; i < inputs; i++) wanted.in[i] = in[i];
    for (int i = 0; i < signature->attributes; i++)
        wanted.attribute[i] = attributes ? attributes[i] : signature->attribute_default[i];
    if (!op_infer_shape(g->compilation, op, wanted.in, inputs, wanted.attribute, &wanted.shape, why)) return NULL;
    while (wanted.inputs > 0 && !wanted.in[wanted.inputs - 1]) wanted.inputs--;
    return cons(g, &wanted);
}

Node *graph_chain(Graph *g, const Node *anchor, Node *const *in, int inputs, const Links *links, const Origin *origin, const char **why) {
    Node wanted = {.op = OP_chain, .shape = {0}, .origin = origin};
    if (anchor) wanted = *anchor;
    Links *own = arena_new(g->arena, Links);
    *own = *links;
    own->first = anchor ? op_signature(g->compilation, anchor->op)->data : 0;
    own->sources = inputs + (anchor ? 1 : 0);
    wanted.links = own;
    wanted.uses = 0;
    wanted.inputs = own->first + inputs;
    for (int i = 0; i < inputs; i++) wanted.in[own->first + i] = in[i];
    if (!anchor && !op_infer_shape(g->compilation, OP_chain, wanted.in, inputs, wanted.attribute, &wanted.shape, why)) return NULL;
    return cons(g, &wanted);
}

Node *graph_source(Graph *g, Op op, Shape shape, double value, const char *name, WeightScope *weights, const Origin *origin) {
    Node wanted = {.op = op, .shape = shape, .attribute = {value}, .name = name, .weights = weights, .origin = origin};
    return cons(g, &wanted);
}

Node *graph_constant(Graph *g, Shape shape, const double *values, const Origin *origin) {
    Node wanted = {.op = OP_constant, .shape = shape, .values = values, .origin = origin};
    return cons(g, &wanted);
}

Node *graph_positions(Graph *g, Shape shape, const Origin *origin) {
    Node wanted = {.op = OP_constant, .shape = shape, .attribute = {1, 1}, .origin = origin};
    return cons(g, &wanted);
}

double constant_value(const Node *node, int64_t place) {
    return node->values ? node->values[place] : node->attribute[0] + node->attribute[1] * (double)place;
}

Node *graph_reshape(Graph *g, Node *x, Shape shape, const Origin *origin) {
    if (shape_equal(x->shape, shape)) return x;
    Node wanted = {.op = OP_reshape, .shape = shape, .in = {x}, .inputs = 1, .origin = origin};
    return cons(g, &wanted);
}

Node *graph_transpose(Graph *g, Node *x, const int *order, const Origin *origin) {
    Node wanted = {.op = OP_transpose, .shape = x->shape, .in = {x}, .inputs = 1, .origin = origin};
    bool moves = false;
    for (int i = 0; i < x->shape.rank; i++) {
        wanted.attribute[i] = order[i];
        wanted.shape.dim[i] = x->shape.dim[order[i]];
        if (order[i] != i) moves = true;
    }
    return moves ? cons(g, &wanted) : x;
}

/* ---- upkeep ------------------------------------------------------------------------------------------------------ */

void graph_count_uses(Graph *g) {
    for (int i = 0; i < g->nodes.count; i++) g->nodes.at[i]->uses = 0;
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; k < g->nodes.at[i]->inputs; k++)
            if (g->nodes.at[i]->in[k]) g->nodes.at[i]->in[k]->uses++;
    if (g->output) g->output->uses++;
}

/* Depth first without recursion: a network may be thousands of nodes deep. */
static void order_from(Node *root, bool *done, Node **stack, Node **ordered, int *count) {
    int depth = 0;
    stack[depth++] = root;
    while (depth) {
        Node *node = stack[depth - 1];
        Node *waiting = NULL;
        for (int i = 0; i < node->inputs && !waiting; i++)
            if (node->in[i] && !done[node->in[i]->id]) waiting = node->in[i];
        if (waiting) {
            stack[depth++] = waiting;
            continue;
        }
        depth--;
        if (done[node->id]) continue;
        done[node->id] = true;
        ordered[(*count)++] = node;
    }
}

void graph_sweep(Graph *g) {
    int total = g->nodes.count, kept = 0;
    bool *done = arena_array(g->arena, bool, total + 1);
    Node **stack = arena_array(g->arena, Node *, total + 1), **ordered = arena_array(g->arena, Node *, total + 1);
    if (g->input) done[g->input->id] = true, ordered[kept++] = g->input;
    order_from(g->output, done, stack, ordered, &kept);
    for (int i = 0; i < kept; i++) {
        ordered[i]->id = i;
        g->nodes.at[i] = ordered[i];
    }
    g->nodes.count = kept;
    g->consed = (Map){0};
    for (int i = 0; i < kept; i++) map_set(&g->consed, g->arena, identity_of(g, ordered[i]), ordered[i]);
    graph_count_uses(g);
}
