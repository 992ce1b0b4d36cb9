/* fuse.c: the rules that put neighbors into one kernel.
 *
 *   conv -> add(., residual) -> clamp     becomes     conv(x, w, bias, residual) low high
 *
 * An anchor (here: a convolution) takes in what follows it while its result is still in registers. The order inside the kernel is
 * bias, residual, clamp; so an addition is taken only before a clamp. Chains of elementwise operations are not grouped yet. */
#include "compiler.h"

#include <math.h>

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
        if (conv->op != OP_conv || conv->uses != 1 || clamps(conv) || conv->inputs > 3) continue;
        if (!shape_equal(other->shape, conv->shape)) continue;
        return with(g, conv, other, -INFINITY, INFINITY);
    }
    return NULL;
}

Node *rule_conv_clamp(Graph *g, Node *node) {
    if (node->op != OP_clamp || node->in[0]->op != OP_conv || node->in[0]->uses != 1 || clamps(node->in[0])) return NULL;
    return with(g, node->in[0], node->in[0]->inputs > 3 ? node->in[0]->in[3] : NULL, node->attribute[0], node->attribute[1]);
}
