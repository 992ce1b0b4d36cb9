/* verify.c: every invariant of a tensor graph, asked after each pass. What fails here is our bug, never the user's. */
#include "compiler.h"

#include <math.h>

static const char *broken(Graph *g, const Node *node) {
    Compilation *c = g->compilation;
    if (node->id < 0 || node->id >= g->nodes.count || g->nodes.at[node->id] != node) return "its number is not its place";
    const OpSignature *signature = op_signature(c, node->op);
    bool variadic = node->op == OP_concat;
    if (!(op_row(node->op)->flags & OP_SOURCE) && node->inputs < signature->needed) return "an operand is missing";
    if (node->inputs > (variadic ? GRAPH_INPUTS : signature->data)) return "it has too many operands";
    for (int i = 0; i < node->inputs; i++) {
        if (!node->in[i]) {
            if (i < signature->needed) return "a needed operand is left out";
        } else if (node->in[i]->id >= node->id) {
            return "an operand comes after it";
        }
    }
    for (int i = 0; i < GRAPH_ATTRIBUTES; i++)
        if (isnan(node->attribute[i])) return "an attribute is not a number";
    if (node->op == OP_weight && (!node->name || !node->weights)) return "a weight without a name or a file";
    if (op_row(node->op)->flags & OP_SOURCE) return NULL;
    if (node->op == OP_reshape)
        return shape_elements(node->shape, 7919) == shape_elements(node->in[0]->shape, 7919) ? NULL : "a reshape changes the number of elements";
    if (node->op == OP_transpose) return node->shape.rank == node->in[0]->shape.rank ? NULL : "a transpose changes the rank";
    Shape shape;
    const char *why;
    if (!op_infer_shape(c, node->op, node->in, node->inputs, node->attribute, &shape, &why)) return why;
    return shape_equal(shape, node->shape) ? NULL : "its shape is not what its operands make";
}

bool graph_verify(Graph *g, const char *after_pass) {
    const char *why = g->output ? NULL : "it has no output";
    const Node *at = NULL;
    for (int i = 0; i < g->nodes.count && !why; i++) {
        at = g->nodes.at[i];
        why = broken(g, at);
    }
    if (!why) return true;
    Diagnostic *d = diag(g->compilation->jre, DIAG_bug, at ? origin_user_span(at->origin) : NOWHERE, "the graph made from this is unsound after `%s`", after_pass);
    diag_fact(d, "node %d, %s: %s", at ? at->id : -1, at ? op_row(at->op)->name : "none", why);
    return false;
}
