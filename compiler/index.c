/* index.c: arithmetic of tensors, with or without letters on their dimensions.
 *
 *   D[i, j] = sum over k of e[i, k] * e[j, k]
 *   far[i]  = max over j of D[i, j] where who[i] == who[j] and i != j
 *
 * `e[i, k]` gives the dimensions of `e` names. An operation joins the names of its operands: each is turned and given dimensions
 * of size 1 until all have the same ones, and then they stretch. A reduction takes names away; the left side gives the
 * order. A letter by itself is the positions of its dimension, counted from 1. Without letters, dimensions align from the right. */
#include "compiler.h"

#include <math.h>
#include <string.h>

Node *tensor_of(Environment *env, const Value *v) {
    if (v->kind == VALUE_TENSOR) return v->node;
    if (!env->graph) return NULL;
    if (v->kind == VALUE_TRUTH) return graph_source(env->graph, OP_constant, (Shape){0}, v->truth, NULL, NULL, env->origin);
    if (v->kind != VALUE_NUMBER || v->batch || v->draw) return NULL;
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

static const char *size_text(Compilation *c, int64_t size) { return size == DIM_BATCH ? "N" : arena_print(&c->arena, "%lld", (long long)size); }

static Value *cannot(Environment *env, Span span, const char *why) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, span, "these sizes do not go together");
    diag_fact(d, "%s", why);
    diag_help(d, "bring both to the same size, or name the dimensions with letters");
    return poison(env, span);
}

static Value *mixed_pictures(Environment *env, Span span) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, span, "this mixes the pictures of a batch");
    diag_note(d, "a picture's numbers must not depend on the pictures that happen to be computed beside it");
    diag_help(d, "leave the first dimension as it is: reduce and multiply within each picture");
    return poison(env, span);
}

/* Sums over the batch, and tables of each picture with each other: a picture's numbers must not depend on its company. */
static Value *mixes_pictures(Environment *env, const Node *made, Span span) {
    bool mixed = made->op == OP_matmul && made->in[0]->shape.dim[made->in[0]->shape.rank - 1] == DIM_BATCH;
    int batches = 0;
    for (int d = 0; d < made->shape.rank; d++) {
        batches += made->shape.dim[d] == DIM_BATCH;
        if (made->inputs == 1 && made->in[0]->shape.rank == made->shape.rank && made->in[0]->shape.dim[d] == DIM_BATCH && made->shape.dim[d] != DIM_BATCH) mixed = true;
    }
    return mixed || batches > 1 ? mixed_pictures(env, span) : NULL;
}

/* Labels are names, not numbers: they are alike or not, and nothing can be computed from them. */
static bool labels_fit(Environment *env, Op op, Value *const *operands, int count, Span span) {
    const Value *labels = NULL, *other = NULL;
    for (int i = 0; i < count; i++) {
        if (!labels && operands[i]->classes) labels = operands[i];
        else other = operands[i];
    }
    if (!labels) return true;
    bool compares = (op == OP_eq || op == OP_ne) && other;
    bool alike = compares && (other->kind == VALUE_NUMBER || (other->type && (!strcmp(other->type, labels->type) || !strcmp(other->type, "position"))));
    if (alike) return true;
    Compilation *c = env->compilation;
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, span, compares ? "these are never alike" : "nothing can be computed from labels");
    diag_fact(d, "%s %s%s", compares ? "one is" : "found", value_text(c, labels), compares ? arena_print(&c->arena, ", the other %s", value_text(c, other)) : "");
    diag_help(d, compares ? "compare labels of one kind" : "compare labels with == and !=, or make numbers of them: onehot(..)");
    return false;
}

/* Comparisons give 0 and 1; so do products and maxima of such. */
static bool gives_truth(Op op, Value *const *operands, int count) {
    if (op == OP_lt || op == OP_le || op == OP_gt || op == OP_ge || op == OP_eq || op == OP_ne) return true;
    bool keeps = op == OP_mul || op == OP_max || op == OP_min;
    for (int i = 0; i < count; i++) keeps = keeps && operands[i]->truth;
    return keeps;
}

/* Where an operator or a reduction is written; what is in a word that jre is born with, or in an argument, is told of the call. */
static const Origin *written_here(Environment *env, Span span) {
    const Decl *formula = env->formula;
    if (!formula || formula->scope->core || span.start < formula->statement->span.start || span.end > formula->statement->span.end) return env->origin;
    Origin *origin = arena_new(&env->compilation->arena, Origin);
    *origin = (Origin){span, env->origin, formula->library};
    return origin;
}

Value *tensor_operation(Environment *env, Op op, Value *const *operands, int count, const double *attributes, Span span) {
    Compilation *c = env->compilation;
    if (!env->graph) return no_tensor_here(env, span);
    if (!labels_fit(env, op, operands, count, span)) return poison(env, span);
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
    Node *node = graph_add(env->graph, op, nodes, count, attributes, written_here(env, span), &why);
    if (!node) return cannot(env, span, why);
    Value *v = mixes_pictures(env, node, span);
    if (v) return v;
    v = value_tensor(c, node, span);
    v->letters = letters;
    v->truth = gives_truth(op, operands, count);
    return v;
}

/* ---- letters of a line ---------------------------------------------------------------------------------------------- */

typedef struct { int64_t size; Span span; } LetterSize;

/* The letters of one line, or those that one reduction in it takes away. */
struct Lettered {
    struct Lettered *outer;
    const Expr *whole;                    /* where the tensor is looked for that gives a letter its size */
    const NameList *reduced;              /* NULL: of a whole line */
    Map sizes;                            /* to LetterSize, as far as they have been met */
    Map tensors;                          /* to EXPR_INDEX, by letter: made when a letter stands by itself */
    bool searched, busy;
    LIST(struct { const Expr *index; Value *tensor; }) looked_up;
};

static struct Lettered *owner_of(Environment *env, const char *letter) {
    struct Lettered *at = env->lettered;
    while (at && at->outer && place_of_letter(at->reduced, letter) < 0) at = at->outer;
    return at;
}

/* A letter has one size in a line. */
static bool settle_letter(Environment *env, const char *letter, int64_t size, Span span) {
    struct Lettered *owner = owner_of(env, letter);
    if (!owner) return true;
    Compilation *c = env->compilation;
    LetterSize *before = map_get(&owner->sizes, letter);
    if (!before) {
        before = arena_new(&c->arena, LetterSize);
        *before = (LetterSize){size, span};
        map_set(&owner->sizes, &c->arena, letter, before);
    }
    if (before->size == size) return true;
    Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, span, "`%s` names a dimension of %s here", letter, size_text(c, size));
    diag_also(d, before->span, "and one of %s here", size_text(c, before->size));
    diag_help(d, "give dimensions of different sizes different letters");
    return false;
}

static bool is_letter(const Argument *argument) { return !argument->name && argument->value->kind == EXPR_NAME && !argument->value->parenthesized; }

typedef struct Hidden { const NameList *letters; const struct Hidden *outer; } Hidden;

static bool is_hidden(const Hidden *hidden, const char *letter) {
    for (; hidden; hidden = hidden->outer)
        if (place_of_letter(hidden->letters, letter) >= 0) return true;
    return false;
}

/* The first tensor that each letter stands on, but for letters that a reduction further inside takes away. */
static void find_letters(Arena *arena, Map *tensors, const Expr *e, const Hidden *hidden) {
    if (!e) return;
    Hidden own = {&e->letters, hidden};
    if (e->kind == EXPR_REDUCE) hidden = &own;
    for (int i = 0; i < e->arguments.count; i++) {
        const Argument *argument = &e->arguments.at[i];
        bool letter = e->kind == EXPR_INDEX && is_letter(argument);
        if (!letter) find_letters(arena, tensors, argument->value, hidden);
        else if (!map_get(tensors, argument->value->name) && !is_hidden(hidden, argument->value->name)) map_set(tensors, arena, argument->value->name, (void *)(uintptr_t)e);
    }
    const Expr *const parts[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++) find_letters(arena, tensors, parts[i], hidden);
}

static void search_letters(Environment *env, struct Lettered *owner) {
    if (owner->searched) return;
    owner->searched = true;
    const Expr *whole = owner->whole;
    Arena *arena = &env->compilation->arena;
    if (!owner->reduced) find_letters(arena, &owner->tensors, whole, NULL);
    else find_letters(arena, &owner->tensors, whole->left, NULL), find_letters(arena, &owner->tensors, whole->condition, NULL);
}

Value *tensor_looked_up(const Environment *env, const Expr *e) {
    for (const struct Lettered *at = env->lettered; at; at = at->outer)
        for (int i = 0; i < at->looked_up.count; i++)
            if (at->looked_up.at[i].index == e) return at->looked_up.at[i].tensor;
    return NULL;
}

/* The size of a letter that stands by itself before its tensor was met. False: it is no letter. */
static bool size_of_letter(Environment *env, struct Lettered *owner, const char *letter, int64_t *size) {
    const LetterSize *met = map_get(&owner->sizes, letter);
    if (met) *size = met->size;
    if (met) return true;
    search_letters(env, owner);
    const Expr *index = map_get(&owner->tensors, letter);
    if (!index || owner->busy) return false;
    Value *tensor = tensor_looked_up(env, index);
    if (!tensor) {
        owner->busy = true;
        tensor = evaluate(env, index->target);
        owner->busy = false;
        list_make_room(&env->compilation->arena, (void **)(void *)&owner->looked_up.at, owner->looked_up.count, &owner->looked_up.room, sizeof *owner->looked_up.at);
        owner->looked_up.at[owner->looked_up.count].index = index;
        owner->looked_up.at[owner->looked_up.count++].tensor = tensor;
    }
    for (int i = 0; tensor->kind == VALUE_TENSOR && i < index->arguments.count && i < tensor->node->shape.rank; i++)
        if (is_letter(&index->arguments.at[i]) && index->arguments.at[i].value->name == letter) { *size = tensor->node->shape.dim[i]; return true; }
    return false;
}

Value *letter_value(Environment *env, const char *name, Span span) {
    struct Lettered *owner = owner_of(env, name);
    int64_t size;
    if (!owner || !env->graph || !size_of_letter(env, owner, name, &size)) return NULL;
    if (size == DIM_BATCH) return mixed_pictures(env, span);
    Value *v = value_tensor(env->compilation, graph_positions(env->graph, (Shape){1, {size}}, env->origin), span);
    v->type = "position";
    list_add(&env->compilation->arena, &v->letters, name);
    return v;
}

Value *evaluate_line(Environment *env, const Expr *e) {
    struct Lettered *line = arena_new(&env->compilation->arena, struct Lettered), *before = env->lettered;
    line->whole = e;
    env->lettered = line;
    Value *v = evaluate(env, e);
    env->lettered = before;
    return v;
}

/* ---- brackets -------------------------------------------------------------------------------------------------------- */

static Value *wrong_position(Environment *env, const Argument *argument, const char *words) {
    const Expr *e = argument->value;
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, argument->name ? argument->name_span : e->span, "%s", words);
    diag_help(d, "a letter names the dimension, a number from 1 or an expression in parentheses takes one of its places");
    if (!argument->name && e->kind != EXPR_NUMBER && !e->parenthesized) diag_edit(d, e->span, false, "(%s)", span_text(env->compilation->jre, e->span));
    return poison(env, e->span);
}

/* x[n, 1], x[n, (k)]: one place of a dimension, which is gone then. NULL: diagnosed. */
static Node *take_position(Environment *env, Node *node, int axis, const Argument *argument) {
    Compilation *c = env->compilation;
    const Expr *e = argument->value;
    if (argument->name) return wrong_position(env, argument, "the dimensions of a tensor have no names"), NULL;
    if (e->kind != EXPR_NUMBER && !e->parenthesized) return wrong_position(env, argument, "this is neither a letter nor a position"), NULL;
    bool before = env->sizes;
    env->sizes = true;
    Value *place = evaluate(env, e);
    env->sizes = before;
    if (place->kind == VALUE_NONE) return NULL;
    if (place->kind != VALUE_NUMBER || place->batch || !place->whole) return wrong_position(env, argument, "a position is a whole number"), NULL;
    int64_t size = node->shape.dim[axis];
    if (size == DIM_BATCH) return mixed_pictures(env, e->span), NULL;
    if (!(place->number >= 1 && place->number <= (double)size)) {
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, e->span, "this dimension has %lld places, counted from 1", (long long)size);
        diag_fact(d, "found %.6g", place->number);
        diag_help(d, "write a whole number from 1 to %lld", (long long)size);
        return poison(env, e->span), NULL;
    }
    const char *why;
    return graph_add(env->graph, OP_take, &node, 1, (double[]){axis, place->number - 1}, env->origin, &why);
}

/* Gives the next dimension its letter; one that has it already meets it in their diagonal. NULL: diagnosed. */
static Node *name_dimension(Environment *env, Value *v, Node *node, const Expr *letter) {
    Compilation *c = env->compilation;
    if (map_get(&env->values, letter->name)) {
        Diagnostic *d = diag(c->jre, DIAG_already_named, letter->span, "`%s` is a size, a parameter or an equation here, so it cannot be a letter", letter->name);
        diag_help(d, "choose another letter, or write (%s) for that place", letter->name);
        return poison(env, letter->span), NULL;
    }
    int at = v->letters.count, first = place_of_letter(&v->letters, letter->name);
    if (!settle_letter(env, letter->name, node->shape.dim[at], letter->span)) return poison(env, letter->span), NULL;
    if (first < 0) {
        list_add(&c->arena, &v->letters, letter->name);
        return node;
    }
    const char *why;
    Node *diagonal = graph_add(env->graph, OP_diagonal, &node, 1, (double[]){first, at}, env->origin, &why);
    return diagonal ? diagonal : (cannot(env, letter->span, why), NULL);
}

Value *index_tensor(Environment *env, const Expr *e, Value *tensor) {
    Compilation *c = env->compilation;
    if (tensor->letters.count || e->arguments.count != tensor->node->shape.rank) {
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, e->span, "%d dimensions are named, there are %d", e->arguments.count, tensor->node->shape.rank);
        diag_fact(d, "found %s", value_text(c, tensor));
        diag_help(d, "write one letter for each dimension");
        return poison(env, e->span);
    }
    Value *v = value_tensor(c, NULL, e->span);
    v->type = tensor->type, v->classes = tensor->classes, v->truth = tensor->truth;
    Node *node = tensor->node;
    for (int i = e->arguments.count - 1; i >= 0; i--)
        if (!is_letter(&e->arguments.at[i]) && !(node = take_position(env, node, i, &e->arguments.at[i]))) return poison(env, e->span);
    for (int i = 0; i < e->arguments.count; i++)
        if (is_letter(&e->arguments.at[i]) && !(node = name_dimension(env, v, node, e->arguments.at[i].value))) return poison(env, e->span);
    v->node = node;
    return v;
}

/* ---- reductions -------------------------------------------------------------------------------------------------------- */

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

static Value *no_such_letter(Environment *env, const Expr *e, const char *letter, const Value *body) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, e->span, "the letter `%s` does not occur in what is reduced", letter);
    diag_fact(d, "found %s", value_text(env->compilation, body));
    diag_help(d, "give the dimension that letter: x[.., %s, ..]", letter);
    return poison(env, e->span);
}

/* Reduces those of the letters that the value has. */
static Value *reduce_letters(Environment *env, Op op, Value *v, const NameList *letters, Span span) {
    unsigned axes = 0;
    for (int i = 0; i < letters->count; i++) {
        int place = place_of_letter(&v->letters, letters->at[i]);
        if (place >= 0) axes |= 1u << place;
    }
    const char *why;
    Node *reduced = graph_add(env->graph, op, &v->node, 1, (double[]){axes}, written_here(env, span), &why);
    if (!reduced) return cannot(env, span, why);
    Value *mixed = mixes_pictures(env, reduced, span);
    return mixed ? mixed : without_letters(env, v, reduced, letters, span);
}

/* How many places of the reduced letters pass the test. */
static Value *count_places(Environment *env, const Expr *e, Value *test, const Value *all) {
    double each = 1;
    for (int i = 0; i < e->letters.count; i++)
        if (place_of_letter(&test->letters, e->letters.at[i]) < 0) each *= (double)all->node->shape.dim[place_of_letter(&all->letters, e->letters.at[i])];
    Value *counted = test->kind == VALUE_TENSOR ? reduce_letters(env, OP_sum, test, &e->letters, e->span) : test;
    if (counted->kind == VALUE_NONE) return counted;
    return tensor_operation(env, OP_mul, (Value *[]){counted, value_number(env->compilation, each, e->span)}, 2, NULL, e->span);
}

/* `where` filters first: what does not pass counts as nothing would. A mean of nothing is 0. */
static Value *reduce_where(Environment *env, const Expr *e, Op op, Value *body, Value *test) {
    Compilation *c = env->compilation;
    double nothing = op == OP_max_over ? -INFINITY : op == OP_min_over ? INFINITY : 0;
    Value *kept = tensor_operation(env, OP_select, (Value *[]){test, body, value_number(c, nothing, e->span)}, 3, NULL, e->span);
    if (kept->kind == VALUE_NONE) return kept;
    Value *reduced = reduce_letters(env, op == OP_mean ? OP_sum : op, kept, &e->letters, e->span);
    if (op != OP_mean || reduced->kind == VALUE_NONE) return reduced;
    Value *count = count_places(env, e, test, kept);
    if (count->kind == VALUE_NONE) return count;
    count = tensor_operation(env, OP_max, (Value *[]){count, value_number(c, 1, e->span)}, 2, NULL, e->span);
    return tensor_operation(env, OP_div, (Value *[]){reduced, count}, 2, NULL, e->span);
}

static Value *reduce_body(Environment *env, const Expr *e, Op op) {
    Compilation *c = env->compilation;
    Value *body = evaluate(env, e->left);
    if (body->kind == VALUE_NONE) return body;
    for (int i = 0; i < e->letters.count; i++) {
        const char *letter = e->letters.at[i];
        if (body->kind != VALUE_TENSOR || place_of_letter(&body->letters, letter) < 0) return no_such_letter(env, e, letter, body);
        for (int k = 0; k < i; k++) {
            if (e->letters.at[k] != letter) continue;
            Diagnostic *d = diag(c->jre, DIAG_already_named, e->span, "`%s` is reduced twice", letter);
            diag_help(d, "name each letter once");
            return poison(env, e->span);
        }
    }
    if (body->classes) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->left->span, "nothing can be computed from labels");
        diag_help(d, "compare labels with == and !=, or make numbers of them: onehot(..)");
        return poison(env, e->span);
    }
    Value *test = e->condition ? truth_or_complain(env, e->condition) : NULL;
    if (test && test->kind == VALUE_NONE) return test;
    return test ? reduce_where(env, e, op, body, test) : reduce_letters(env, op, body, &e->letters, e->span);
}

Value *reduce_tensor(Environment *env, const Expr *e) {
    Compilation *c = env->compilation;
    Op op = OP_COUNT;
    if (!reduction_op(e->name, &op)) {
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->focus, "no way to reduce is called `%s`", e->name);
        diag_help(d, "there are: sum mean max min");
        return poison(env, e->span);
    }
    if (!env->lettered) return evaluate_line(env, e);
    struct Lettered *own = arena_new(&c->arena, struct Lettered);
    *own = (struct Lettered){.outer = env->lettered, .whole = e, .reduced = &e->letters};
    env->lettered = own;
    Value *v = reduce_body(env, e, op);
    env->lettered = own->outer;
    return v;
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
    ordered->type = v->type, ordered->classes = v->classes, ordered->truth = v->kind == VALUE_TENSOR && v->truth;
    return ordered;
}
