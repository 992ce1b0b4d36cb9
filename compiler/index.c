/* index.c: arithmetic of tensors, with or without letters on their dimensions.
 *
 *   D[i, j] = sum over k of e[i, k] * e[j, k]
 *
 * `e[i, k]` gives the dimensions of `e` names. An operation joins the names of its operands: each is turned and given dimensions
 * of size 1 until all have the same ones, and then they stretch. A reduction takes names away; the left side gives the
 * order. Without letters, dimensions align from the right. */
#include "compiler.h"

#include <math.h>
#include <string.h>

Node *tensor_of(Environment *env, const Value *v) {
    if (v->kind == VALUE_TENSOR) return v->node;
    if (!env->graph) return NULL;
    if (v->kind == VALUE_TRUTH) return graph_source(env->graph, OP_constant, (Shape){0}, v->truth, NULL, NULL, env->origin);
    if (v->kind != VALUE_NUMBER || v->batch) return NULL;
    bool ok = true;
    double number = number_in(v, "bare", &ok);
    return graph_source(env->graph, OP_constant, (Shape){0}, number, NULL, NULL, env->origin);
}

static int place_of_letter(const NameList *letters, const char *letter) {
    for (int i = 0; i < letters->count; i++)
        if (letters->at[i] == letter) return i;
    return -1;
}

static void join_letters(Arena *arena, NameList *all, const NameList *more) {
    for (int i = 0; i < more->count; i++)
        if (place_of_letter(all, more->at[i]) < 0) list_add(arena, all, more->at[i]);
}

/* Turns and stretches so that dimension i is the letter all->at[i]; absent ones get the size 1. */
static Node *align(Environment *env, const Value *v, Node *node, const NameList *all) {
    if (!v->letters.count) return node;
    int order[GRAPH_RANK], count = 0;
    Shape shape = {.rank = all->count};
    for (int i = 0; i < all->count; i++) {
        int own = place_of_letter(&v->letters, all->at[i]);
        shape.dim[i] = own < 0 ? 1 : node->shape.dim[own];
        if (own >= 0) order[count++] = own;
    }
    return graph_reshape(env->graph, graph_transpose(env->graph, node, order, env->origin), shape, env->origin);
}

static Value *cannot(Environment *env, Span span, const char *why) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, span, "these sizes do not go together");
    diag_fact(d, "%s", why);
    diag_help(d, "bring both to the same size, or name the dimensions with letters");
    return poison(env, span);
}

/* Sums over the batch, and tables of each picture with each other: a picture's numbers must not depend on its company. */
static Value *mixes_pictures(Environment *env, const Node *made, Span span) {
    bool mixed = made->op == OP_matmul && made->in[0]->shape.dim[1] == DIM_BATCH;
    int batches = 0;
    for (int d = 0; d < made->shape.rank; d++) {
        batches += made->shape.dim[d] == DIM_BATCH;
        if (made->inputs == 1 && made->in[0]->shape.rank == made->shape.rank && made->in[0]->shape.dim[d] == DIM_BATCH && made->shape.dim[d] != DIM_BATCH) mixed = true;
    }
    if (!mixed && batches < 2) return NULL;
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, span, "this mixes the pictures of a batch");
    diag_note(d, "a picture's numbers must not depend on the pictures that happen to be computed beside it");
    diag_help(d, "leave the first dimension as it is: reduce and multiply within each picture");
    return poison(env, span);
}

Value *tensor_operation(Environment *env, Op op, Value *const *operands, int count, const double *attributes, Span span) {
    Compilation *c = env->compilation;
    if (!env->graph) {
        diag(c->jre, DIAG_wrong_type, span, "a tensor stands where only numbers are known");
        return poison(env, span);
    }
    NameList letters = {0};
    bool lettered = false, plain = false;
    Node *nodes[GRAPH_INPUTS];
    for (int i = 0; i < count; i++) {
        nodes[i] = tensor_of(env, operands[i]);
        if (!nodes[i]) {
            diag(c->jre, DIAG_wrong_type, operands[i]->span, "a tensor or a number was expected, this is %s", value_kind_text(operands[i]));
            return poison(env, span);
        }
        join_letters(&c->arena, &letters, &operands[i]->letters);
        lettered |= operands[i]->letters.count > 0;
        plain |= operands[i]->letters.count == 0 && nodes[i]->shape.rank > 0;
    }
    if (lettered && plain) return cannot(env, span, "one side has letters on its dimensions, the other has none");
    if (letters.count > GRAPH_RANK) return cannot(env, span, "more than 6 letters meet here");
    for (int i = 0; i < count; i++) nodes[i] = align(env, operands[i], nodes[i], &letters);
    const char *why;
    Node *node = graph_add(env->graph, op, nodes, count, attributes, env->origin, &why);
    if (!node) return cannot(env, span, why);
    Value *v = mixes_pictures(env, node, span);
    if (v) return v;
    v = value_tensor(c, node, span);
    v->letters = letters;
    return v;
}

Value *index_tensor(Environment *env, const Expr *e, Value *tensor) {
    Compilation *c = env->compilation;
    if (tensor->letters.count || e->arguments.count != tensor->node->shape.rank) {
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, e->span, "%d dimensions are named, there are %d", e->arguments.count, tensor->node->shape.rank);
        diag_fact(d, "found %s", value_text(c, tensor));
        diag_help(d, "write one letter for each dimension");
        return poison(env, e->span);
    }
    Value *v = value_tensor(c, tensor->node, e->span);
    for (int i = 0; i < e->arguments.count; i++) {
        const Expr *letter = e->arguments.at[i].value;
        bool twice = letter->kind == EXPR_NAME && place_of_letter(&v->letters, letter->name) >= 0;
        if (letter->kind != EXPR_NAME || twice) {
            Diagnostic *d = diag(c->jre, DIAG_not_yet, letter->span, twice ? "one letter for two dimensions takes a diagonal, which comes later"
                                                                           : "positions in an index come later, letters work now");
            diag_help(d, "name the dimension with a letter of its own");
            return poison(env, e->span);
        }
        if (map_get(&env->values, letter->name)) {
            Diagnostic *d = diag(c->jre, DIAG_already_named, letter->span, "`%s` is a size, a parameter or an equation here, so it cannot be a letter", letter->name);
            diag_help(d, "choose another letter");
            return poison(env, e->span);
        }
        list_add(&c->arena, &v->letters, letter->name);
    }
    return v;
}

static bool reduction_op(const char *name, Op *op) {
    static const struct { const char *name; Op op; } known[] = {{"sum", OP_sum}, {"mean", OP_mean}, {"max", OP_max_over}, {"min", OP_min_over}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) { *op = known[i].op; return true; }
    return false;
}

/* Drops the dimensions that a reduction left with size 1. */
static Value *without_letters(Environment *env, Value *v, Node *reduced, const NameList *gone, Span span) {
    Value *result = value_tensor(env->compilation, NULL, span);
    Shape shape = {0};
    for (int i = 0; i < v->letters.count; i++) {
        if (place_of_letter(gone, v->letters.at[i]) >= 0) continue;
        shape.dim[shape.rank++] = reduced->shape.dim[i];
        list_add(&env->compilation->arena, &result->letters, v->letters.at[i]);
    }
    result->node = graph_reshape(env->graph, reduced, shape, env->origin);
    return result;
}

Value *reduce_tensor(Environment *env, const Expr *e) {
    Compilation *c = env->compilation;
    Op op = OP_COUNT;
    if (!reduction_op(e->name, &op)) {
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->focus, "no way to reduce is called `%s`", e->name);
        diag_help(d, "there are: sum mean max min");
        return poison(env, e->span);
    }
    Value *body = evaluate(env, e->left);
    if (body->kind == VALUE_NONE) return body;
    if (e->condition) {
        diag(c->jre, DIAG_not_yet, e->condition->span, "a reduction with a condition comes with the losses, in a later version");
        return poison(env, e->span);
    }
    double axes = 0;
    for (int i = 0; i < e->letters.count; i++) {
        int place = body->kind == VALUE_TENSOR ? place_of_letter(&body->letters, e->letters.at[i]) : -1;
        if (place < 0) {
            Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->span, "the letter `%s` does not occur in what is reduced", e->letters.at[i]);
            diag_fact(d, "found %s", value_text(c, body));
            diag_help(d, "give the dimension that letter: x[.., %s, ..]", e->letters.at[i]);
            return poison(env, e->span);
        }
        axes += (double)(1 << place);
    }
    const char *why;
    Node *reduced = graph_add(env->graph, op, &body->node, 1, &axes, env->origin, &why);
    if (!reduced) return cannot(env, e->span, why);
    Value *mixed = mixes_pictures(env, reduced, e->span);
    return mixed ? mixed : without_letters(env, body, reduced, &e->letters, e->span);
}

Value *letters_in_order(Environment *env, Value *v, const NameList *letters, Span span) {
    Compilation *c = env->compilation;
    Node *node = tensor_of(env, v);
    bool same = node && v->letters.count == letters->count;
    for (int i = 0; same && i < letters->count; i++)
        same = place_of_letter(&v->letters, letters->at[i]) >= 0 && place_of_letter(letters, letters->at[i]) == i;
    if (!same) {
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, span, "the letters on the left are not those that are left over on the right");
        diag_fact(d, "right: %s", value_text(c, v));
        diag_help(d, "each letter that is not reduced stands on the left, once");
        return poison(env, span);
    }
    Value *ordered = value_tensor(c, align(env, v, node, letters), span);
    return ordered;
}
