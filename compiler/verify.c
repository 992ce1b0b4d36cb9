/* verify.c: every invariant of a tensor graph, asked after each pass. What fails here is our bug, never the user's; of a graph that
 * is read from a text (graph_text.c) the same questions are asked, and then the text is wrong. */
#include "compiler.h"

#include <math.h>
#include <string.h>

static const char *wrong_operands(const Node *node, const OpSignature *signature) {
    if (op_row(node->op)->flags & OP_SOURCE) return node->inputs ? "it has too many operands" : NULL;
    if (node->inputs < signature->needed) return "an operand is missing";
    bool variadic = node->op == OP_concat || node->op == OP_chain || node->links;
    if (node->inputs > (variadic ? GRAPH_INPUTS : signature->data)) return "it has too many operands";
    for (int i = 0; i < node->inputs; i++)
        if (!node->in[i] && (i < signature->needed || (variadic && (!node->links || i >= node->links->first)))) return "a needed operand is left out";
    return NULL;
}

static const char *wrong_links(Graph *g, const Node *node) {
    const Links *links = node->links;
    if (!links) return node->op == OP_chain ? "a chain without links" : NULL;
    bool alone = node->op == OP_chain;
    if (!alone && !(op_row(node->op)->flags & OP_CHAINS)) return "it carries a chain, and its operator takes none";
    if (links->count < 1 || links->count > GRAPH_LINKS) return "a chain of no length or too long";
    if (links->first != (alone ? 0 : op_signature(g->compilation, node->op)->data)) return "its chain begins at another operand than its own end";
    if (links->sources < 1 || node->inputs != links->first + links->sources - (alone ? 0 : 1)) return "its chain has other operands than it";
    for (int i = 0; i < links->count; i++) {
        const Link *link = &links->link[i];
        bool elementwise = op_row(link->op)->flags & OP_ELEMENTWISE && link->op != OP_chain;
        if (!elementwise && link->op != OP_constant) return "a link that is no elementwise operator";
        for (int k = 0; k < op_signature(g->compilation, link->op)->data; k++)
            if (link->operand[k] < 0 || link->operand[k] >= links->sources + i) return "a link reads a value that is not made yet";
        if (isnan(link->attribute[0]) || isnan(link->attribute[1])) return "an attribute is not a number";
    }
    return NULL;
}

/* What a chain behind an op reads is as large as the result, or stretched to it. */
static const char *wrong_stretch(Graph *g, const Node *node) {
    Node own = {.op = node->op, .shape = node->shape}, *in[GRAPH_INPUTS + 1] = {&own};
    Shape shape;
    const char *why;
    for (int i = 1; i < node->links->sources; i++) in[i] = node->in[node->links->first + i - 1];
    if (!op_infer_shape(g->compilation, OP_chain, in, node->links->sources, node->attribute, &shape, &why)) return why;
    return shape_equal(shape, node->shape) ? NULL : "an operand of its chain is larger than its result";
}

static const char *wrong_attributes(const Node *node, const OpSignature *signature) {
    for (int i = 0; i < GRAPH_ATTRIBUTES; i++)
        if (isnan(node->attribute[i])) return "an attribute is not a number";
    for (int i = 0, k = 0; i < signature->head->params.count && k < signature->attributes; i++) {
        const Type *type = &signature->head->params.at[i].type;
        if (!strcmp(type->name, "Tensor")) continue;
        double value = node->attribute[k++];
        if (!strcmp(type->name, "Int") && !(value == floor(value) && fabs(value) <= 1e9)) return "an attribute is no whole number";
    }
    if ((op_row(node->op)->flags & OP_REDUCTION) && !(node->attribute[0] >= 0 && node->attribute[0] < 1 << node->in[0]->shape.rank))
        return "it reduces a dimension that is not there";
    return NULL;
}

static const char *wrong_order(const Node *node, Shape *made) {
    int rank = node->in[0]->shape.rank, seen = 0;
    *made = node->in[0]->shape;
    for (int i = 0; i < rank; i++) {
        double from = node->attribute[i];
        if (!(from >= 0 && from < rank && from == floor(from)) || seen >> (int)from & 1) return "a transpose that is no order of its dimensions";
        seen |= 1 << (int)from;
        made->dim[i] = node->in[0]->shape.dim[(int)from];
    }
    return NULL;
}

const char *node_unsound(Graph *g, const Node *node, Shape *made) {
    const OpSignature *signature = op_signature(g->compilation, node->op);
    Shape shape;
    *made = node->shape;
    const char *why = wrong_operands(node, signature);
    if (!why) why = wrong_attributes(node, signature);
    if (!why) why = wrong_links(g, node);
    if (why) return why;
    if (node->op == OP_weight && (!node->name || !node->weights)) return "a weight without a name or a file";
    if (op_row(node->op)->flags & OP_SOURCE) return shape_sound(g->compilation, node->shape, &why) ? NULL : why;
    if (node->op == OP_reshape) {
        if (shape_elements(node->shape, 7919) != shape_elements(node->in[0]->shape, 7919)) return "a reshape changes the number of elements";
        return shape_sound(g->compilation, node->shape, &why) ? NULL : why;
    }
    if (node->op == OP_transpose) why = wrong_order(node, &shape);
    else if (op_infer_shape(g->compilation, node->op, node->in, node->inputs, node->attribute, &shape, &why)) why = NULL;
    if (why) return why;
    *made = shape;
    if (!shape_equal(shape, node->shape)) return "its shape is not what its operands make";
    return node->links && node->op != OP_chain ? wrong_stretch(g, node) : NULL;
}

static const char *misplaced(const Graph *g, const Node *node) {
    if (node->id < 0 || node->id >= g->nodes.count || g->nodes.at[node->id] != node) return "its number is not its place";
    if (node->inputs < 0 || node->inputs > GRAPH_INPUTS) return "it has too many operands";
    for (int i = 0; i < node->inputs; i++) {
        const Node *in = node->in[i];
        if (in && in->id >= node->id) return "an operand comes after it";
        if (in && (in->id < 0 || g->nodes.at[in->id] != in)) return "an operand is in no place of the graph";
    }
    return NULL;
}

bool graph_verify(Graph *g, const char *after_pass) {
    const char *why = g->output ? NULL : "it has no output";
    const Node *at = NULL;
    Shape made;
    for (int i = 0; i < g->nodes.count && !why; i++) {
        at = g->nodes.at[i];
        why = misplaced(g, at);
        if (!why) why = node_unsound(g, at, &made);
    }
    if (!why && misplaced(g, g->output)) at = g->output, why = "the output is in no place of the graph";
    if (!why && g->input && misplaced(g, g->input)) at = g->input, why = "the input is in no place of the graph";
    if (!why) return true;
    Diagnostic *d = diag(g->compilation->jre, DIAG_bug, at ? origin_user_span(at->origin) : NOWHERE, "the graph made from this is unsound after `%s`", after_pass);
    diag_fact(d, "node %d, %s: %s", at ? at->id : -1, at ? op_row(at->op)->name : "none", why);
    diag_help(d, "please report it, with the document");
    return false;
}
