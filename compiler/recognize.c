/* recognize.c: the rules that find formulas which have a kernel of their own, wherever they were written.
 *
 *   e = exp(z - max over k of z)     e / sum over k of e           becomes     softmax(z) axes=..
 *
 * softmax, unit, layer_norm and attention are definitions in the language (core.jre, layers.jre); what is found here is the shape
 * that they lower to, in a user's own formula too. A figure of each row (its maximum, its mean) comes with its reduced
 * dimensions dropped and added again: reshapes between keep the order of its numbers, so it is enough that it stands
 * in the end as the reduction left it. */
#include "compiler.h"

#include <math.h>

static Node *plain(Node *node) {
    while (node->op == OP_reshape) node = node->in[0];
    return node;
}

static bool number_of(const Node *node, double *value) {
    const Node *from = node;
    while (from->op == OP_reshape) from = from->in[0];
    if (from->op != OP_constant || from->values || from->attribute[1] != 0 || shape_elements(from->shape, 2) != 1) return false;
    *value = from->attribute[0];
    return true;
}

/* The reduction `op` that a figure of each row comes from, and does it stand against its rows as that left it? */
static Node *figure(Node *used, Op op) {
    Node *node = plain(used);
    return node->op == op && shape_equal(node->shape, used->shape) ? node : NULL;
}

static Node *along(Graph *g, Op op, Node *x, double axes, double second, const Origin *origin) {
    const char *why;
    return graph_add(g, op, &x, 1, (double[GRAPH_ATTRIBUTES]){axes, second}, origin, &why);
}

Node *rule_softmax(Graph *g, Node *node) {
    if (node->op != OP_div || node->in[0]->op != OP_exp) return NULL;
    Node *shares = node->in[0], *sum = figure(node->in[1], OP_sum), *x = shares->in[0];
    if (!sum || sum->in[0] != shares) return NULL;
    if (x->op == OP_sub) {
        const Node *top = figure(x->in[1], OP_max_over);
        if (top && top->in[0] == x->in[0] && top->attribute[0] == sum->attribute[0]) x = x->in[0];
    }
    return along(g, OP_softmax, x, sum->attribute[0], 0, node->origin);
}

/* x / max(sqrt(sum of x^2), least), the maximum inside the root or outside, or none. */
Node *rule_unit(Graph *g, Node *node) {
    if (node->op != OP_div) return NULL;
    Node *x = node->in[0], *length = plain(node->in[1]);
    double least = 0;
    if (length->op == OP_clamp && length->attribute[0] >= 0 && length->attribute[1] == INFINITY) least = length->attribute[0], length = plain(length->in[0]);
    if (length->op != OP_sqrt) return NULL;
    Node *sum = plain(length->in[0]);
    if (sum->op == OP_clamp && sum->attribute[0] >= 0 && sum->attribute[1] == INFINITY) least = fmax(least, sqrt(sum->attribute[0])), sum = plain(sum->in[0]);
    if (sum->op != OP_sum || !shape_equal(sum->shape, node->in[1]->shape)) return NULL;
    const Node *square = sum->in[0];
    if (square->op != OP_mul || square->in[0] != x || square->in[1] != x) return NULL;
    return along(g, OP_unit, x, sum->attribute[0], least, node->origin);
}

/* ---- layer_norm ------------------------------------------------------------------------------------------------------------- */

/* variance + epsilon under the root, in either order; a root of the variance alone is epsilon 0. */
static Node *variance_of(Node *spread, double *epsilon) {
    *epsilon = 0;
    Node *inside = plain(spread);
    if (inside->op != OP_sqrt) return NULL;
    inside = plain(inside->in[0]);
    if (inside->op != OP_add) return inside;
    for (int side = 0; side < 2; side++)
        if (number_of(inside->in[side], epsilon)) return plain(inside->in[1 - side]);
    return NULL;
}

Node *rule_layer_norm(Graph *g, Node *node) {
    double epsilon;
    if (node->op != OP_div || node->in[0]->op != OP_sub) return NULL;
    Node *away = node->in[0], *x = away->in[0], *mean = figure(away->in[1], OP_mean), *variance = variance_of(node->in[1], &epsilon);
    if (!mean || mean->in[0] != x || !variance || variance->op != OP_mean || !shape_equal(variance->shape, node->in[1]->shape)) return NULL;
    const Node *square = variance->in[0];
    if (square->op != OP_mul || square->in[0] != away || square->in[1] != away || variance->attribute[0] != mean->attribute[0]) return NULL;
    return along(g, OP_layer_norm, x, mean->attribute[0], epsilon, node->origin);
}

/* A vector that stands along the one dimension of a row and stretches over all others, as a vector. */
static Node *parameter_of(Graph *g, const Node *norm, Node *operand) {
    int axes = (int)norm->attribute[0], axis = 0, missing = norm->shape.rank - operand->shape.rank;
    while (!(axes >> axis & 1)) axis++;
    if (axes != 1 << axis || missing > axis) return NULL;
    for (int d = missing; d < norm->shape.rank; d++)
        if (operand->shape.dim[d - missing] != (d == axis ? norm->shape.dim[d] : 1)) return NULL;
    while (operand->op == OP_reshape) operand = operand->in[0];
    return graph_reshape(g, operand, (Shape){1, {norm->shape.dim[axis]}}, operand->origin);
}

/* input: of layer_norm, the parameter that `op` brings. Nothing may come behind the bias. */
static Node *with_parameter(Graph *g, Node *node, Op op, int input) {
    const char *why;
    for (int side = 0; node->op == op && side < 2; side++) {
        Node *norm = node->in[side];
        if (norm->op != OP_layer_norm || norm->uses != 1 || norm->inputs > input) continue;
        Node *in[3] = {norm->in[0], norm->inputs > 1 ? norm->in[1] : NULL, NULL};
        if (!(in[input] = parameter_of(g, norm, node->in[1 - side]))) continue;
        return graph_add(g, OP_layer_norm, in, 3, norm->attribute, norm->origin, &why);
    }
    return NULL;
}
Node *rule_norm_weight(Graph *g, Node *node) { return with_parameter(g, node, OP_mul, 1); }
Node *rule_norm_bias(Graph *g, Node *node) { return with_parameter(g, node, OP_add, 2); }

/* ---- attention -------------------------------------------------------------------------------------------------------------- */

/* The product q k' under a factor. */
static Node *scores_of(Node *node, double *scale) {
    double number;
    *scale = 1;
    node = plain(node);
    for (bool more = true; more && node->uses == 1;) {
        more = false;
        if (node->op == OP_div && number_of(node->in[1], &number)) *scale /= number, node = plain(node->in[0]), more = true;
        for (int side = 0; !more && node->op == OP_mul && side < 2; side++)
            if (number_of(node->in[side], &number)) *scale *= number, node = plain(node->in[1 - side]), more = true;
    }
    return node->op == OP_matmul && node->uses == 1 ? node : NULL;
}

/* Rows for columns. */
static Node *turned(Graph *g, Node *x) {
    int order[GRAPH_RANK], rank = x->shape.rank;
    Node *from = x->op == OP_transpose ? x->in[0] : x;
    for (int d = 0; d < rank; d++) {
        int old = d == rank - 1 ? rank - 2 : d == rank - 2 ? rank - 1 : d;
        order[d] = x->op == OP_transpose ? (int)x->attribute[old] : old;
    }
    return graph_transpose(g, from, order, x->origin);
}

/* matmul(softmax(scale * matmul(q, k') + added), v); shares that something else reads too are left as they are. */
Node *rule_attention(Graph *g, Node *node) {
    if (node->op != OP_matmul) return NULL;
    Node *softmax = plain(node->in[0]), *added = NULL;
    int last = node->in[0]->shape.rank - 1;
    if (softmax->op != OP_softmax || softmax->uses != 1 || softmax->attribute[0] != 1 << (softmax->shape.rank - 1)) return NULL;
    double scale;
    Node *inside = softmax->in[0], *scores = scores_of(inside, &scale);
    for (int side = 0; !scores && inside->op == OP_add && inside->uses == 1 && side < 2; side++) {
        scores = scores_of(inside->in[side], &scale);
        if (scores && shape_equal(scores->shape, inside->shape) && shape_equal(inside->in[side]->shape, inside->shape)) added = inside->in[1 - side];
        else scores = NULL;
    }
    if (!scores || !shape_equal(scores->shape, node->in[0]->shape) || softmax->shape.dim[softmax->shape.rank - 1] != scores->shape.dim[last]) return NULL;
    const char *why;
    Node *in[4] = {scores->in[0], turned(g, scores->in[1]), node->in[1], added};
    return graph_add(g, OP_attention, in, 4, &scale, node->origin, &why);
}
