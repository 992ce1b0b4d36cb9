/* fuse.c: the rules that put neighbors into one kernel.
 *
 *   conv -> add(., residual) -> clamp     becomes     conv(x, w, bias, residual) low high          phase FUSE
 *   mul -> add -> sigmoid                 becomes     chain(..) { mul; add; sigmoid }              phase CHAIN
 *   matmul -> add(., bias) -> tanh        becomes     matmul(a, b, bias) { add; tanh }
 *
 * An anchor takes in what follows it while its result is still near: a convolution one residual and one clamp in registers (the order in
 * the kernel is bias, residual, clamp; so an addition is taken only before a clamp), and whatever says CHAINS in ops.def any elementwise
 * operations. Nothing is ever computed twice: only a value that has no other reader is taken in, only into a result of its own
 * size, and nothing that is computed once when loaded into what runs for each picture. */
#include "compiler.h"

#include <math.h>
#include <string.h>

enum { LOW = 4, HIGH = 5 };                                       /* of conv's attributes, as ops.def has them */

static bool clamps(const Node *conv) { return conv->attribute[LOW] > -INFINITY || conv->attribute[HIGH] < INFINITY; }

static Node *with(Graph *g, Node *conv, Node *residual, double low, double high) {
    double attributes[GRAPH_ATTRIBUTES];
    for (int i = 0; i < GRAPH_ATTRIBUTES; i++) attributes[i] = conv->attribute[i];
    attributes[LOW] = low;
    attributes[HIGH] = high;
    Node *in[4] = {conv->in[0], conv->in[1], conv->inputs > 2 ? conv->in[2] : NULL, residual};
    const char *why;
    Node *made = graph_add(g, OP_conv, in, 4, attributes, conv->origin, &why);
    if (made && !made->stage) made->stage = conv->stage;
    return made;
}

Node *rule_conv_residual(Graph *g, Node *node) {
    if (node->op != OP_add) return NULL;
    for (int side = 0; side < 2; side++) {
        Node *conv = node->in[side], *other = node->in[1 - side];
        if (conv->op != OP_conv || conv->uses != 1 || clamps(conv) || conv->inputs > 3 || conv->links) continue;
        if (!shape_equal(other->shape, conv->shape)) continue;
        return with(g, conv, other, -INFINITY, INFINITY);
    }
    return NULL;
}

Node *rule_conv_clamp(Graph *g, Node *node) {
    if (node->op != OP_clamp || node->in[0]->op != OP_conv || node->in[0]->uses != 1 || clamps(node->in[0]) || node->in[0]->links) return NULL;
    return with(g, node->in[0], node->in[0]->inputs > 3 ? node->in[0]->in[3] : NULL, node->attribute[0], node->attribute[1]);
}

/* ---- chains --------------------------------------------------------------------------------------------------------- */

/* A chain in the making. How many operands it will have is not known yet, so its values go by codes: link i is i, operand k is -2 - k, and
 * the anchor's own number OWN. */
enum { OWN = -1 };
typedef struct { Node *in[GRAPH_INPUTS]; int inputs, most; Links links; bool full; } Weave;

static int add_link(Weave *w, Link link) {
    if (w->links.count == GRAPH_LINKS) {
        w->full = true;
        return 0;
    }
    w->links.link[w->links.count] = link;
    return w->links.count++;
}

/* An operand: a number is a link of its own, anything else comes in once. */
static int add_operand(Weave *w, Node *node) {
    if (node->op == OP_constant && node->shape.rank == 0)
        return add_link(w, (Link){.op = OP_constant, .attribute = {constant_value(node, 0)}, .origin = node->origin});
    for (int k = 0; k < w->inputs; k++)
        if (w->in[k] == node) return -2 - k;
    if (w->inputs == w->most) {
        w->full = true;
        return 0;
    }
    w->in[w->inputs] = node;
    return -2 - w->inputs++;
}

/* What `node` does to the values of these codes, as links: its own operation, or those of the chain it carries. The last one's code. */
static int add_work(Weave *w, const Node *node, const int *codes) {
    if (!node->links) {
        Link link = {.op = node->op, .attribute = {node->attribute[0], node->attribute[1]}, .origin = node->origin, .stage = node->stage};
        memcpy(link.operand, codes, (size_t)(node->inputs < 3 ? node->inputs : 3) * sizeof *codes);
        return add_link(w, link);
    }
    int made[GRAPH_LINKS], last = 0;
    for (int i = 0; i < node->links->count; i++) {
        Link link = node->links->link[i];
        for (int k = 0; k < 3; k++) {
            int value = link.operand[k] - node->links->sources;
            link.operand[k] = value < 0 ? codes[link.operand[k]] : value < i ? made[value] : 0;
        }
        last = made[i] = add_link(w, link);
    }
    return last;
}

static Node *woven(Graph *g, Weave *w, const Node *anchor, const Origin *origin, Shape shape) {
    if (w->full || (!anchor && !w->inputs)) return NULL;
    int before = anchor ? 1 : 0, sources = w->inputs + before;
    for (int i = 0; i < w->links.count; i++)
        for (int k = 0; k < 3; k++) {
            int *value = &w->links.link[i].operand[k];
            *value = *value == OWN ? 0 : *value < 0 ? before - 2 - *value : sources + *value;
        }
    for (int i = 0; i < w->links.count; i++)              /* places that an operator has no operand for */
        for (int k = op_signature(g->compilation, w->links.link[i].op)->data; k < 3; k++) w->links.link[i].operand[k] = 0;
    const char *why;
    Node *made = graph_chain(g, anchor, w->in, w->inputs, &w->links, origin, &why);
    return made && shape_equal(made->shape, shape) ? made : NULL;
}

static bool is_elementwise(const Node *node) { return op_row(node->op)->flags & OP_ELEMENTWISE; }

/* Has `part` no reader but `node`, and are both computed as often, at as many places? */
static bool is_taken_by(const Node *part, const Node *node) {
    int readers = 0;
    for (int k = 0; k < node->inputs; k++)
        if (node->in[k] == part) readers++;
    return part->uses == readers && part->varies == node->varies && shape_equal(part->shape, node->shape);
}

static Node *join(Graph *g, Node *node, Node *part) {
    Weave w = {.most = GRAPH_INPUTS};
    int codes[GRAPH_INPUTS];
    for (int k = 0; k < part->inputs; k++) codes[k] = add_operand(&w, part->in[k]);
    int taken = add_work(&w, part, codes);
    for (int k = 0; k < node->inputs; k++) codes[k] = node->in[k] == part ? taken : add_operand(&w, node->in[k]);
    add_work(&w, node, codes);
    return woven(g, &w, NULL, part->origin, node->shape);
}

Node *rule_chain_join(Graph *g, Node *node) {
    if (!is_elementwise(node)) return NULL;
    for (int k = 0; k < node->inputs; k++) {
        Node *part = node->in[k], *made = NULL;
        if (is_elementwise(part) && is_taken_by(part, node)) made = join(g, node, part);
        if (made) return made;
    }
    return NULL;
}

/* The chain that the anchor carries already, and then `node`. */
static Node *behind(Graph *g, Node *node, Node *anchor) {
    int own = op_signature(g->compilation, anchor->op)->data, codes[GRAPH_INPUTS + 1] = {OWN}, last = OWN;
    Weave w = {.most = GRAPH_INPUTS - own};
    for (int k = own; anchor->links && k < anchor->inputs; k++) codes[k - own + 1] = add_operand(&w, anchor->in[k]);
    if (anchor->links) last = add_work(&w, anchor, codes);
    for (int k = 0; k < node->inputs; k++) codes[k] = node->in[k] == anchor ? last : add_operand(&w, node->in[k]);
    add_work(&w, node, codes);
    return woven(g, &w, anchor, anchor->origin, node->shape);
}

/* Of several anchors the last one: what the others make is there by then. */
Node *rule_chain_behind(Graph *g, Node *node) {
    if (!is_elementwise(node)) return NULL;
    Node *anchor = NULL;
    for (int k = 0; k < node->inputs; k++) {
        Node *in = node->in[k];
        if ((op_row(in->op)->flags & OP_CHAINS) && is_taken_by(in, node) && (!anchor || in->id > anchor->id)) anchor = in;
    }
    return anchor ? behind(g, node, anchor) : NULL;
}
