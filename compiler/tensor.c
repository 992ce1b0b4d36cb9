/* tensor.c: tensors that come from no picture: lists of numbers, labels, learned weights; and the numbers of a tensor that is known.
 *
 *   CosFace([[1, 0], [0, 1]], [1, 2], W = [[1, 2], [2, 1]])
 *
 * A list where a tensor is wanted is a constant of the graph, a list of whole numbers from 1 where an Identity is wanted are labels. A
 * `learn` is a weight of the file or training around it, or the numbers that the call gives by its name. */
#include "compiler.h"

#include <math.h>
#include <string.h>

enum { MOST_LISTED = 1 << 22, MOST_CLASSES = 1 << 24 };

Value *no_tensor_here(Environment *env, Span span) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, span, "a tensor stands where only numbers are known");
    diag_help(d, "compute it inside a formula, or in an `expect` of a test");
    return poison(env, span);
}

/* ---- lists as tensors ------------------------------------------------------------------------------------------------- */

/* The sizes that the first items say; fill_numbers holds the others against them. */
static bool shape_of_list(Environment *env, const Value *list, Shape *shape) {
    *shape = (Shape){0};
    for (const Value *at = list; at->kind == VALUE_LIST; at = at->items.at[0]) {
        if (shape->rank < GRAPH_RANK && at->items.count) {
            shape->dim[shape->rank++] = at->items.count;
            continue;
        }
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, at->span, at->items.count ? "lists in lists make at most 6 dimensions" : "an empty list has no numbers");
        diag_help(d, "write numbers in brackets, a table as a list of its rows: [[1, 2], [3, 4]]");
        return false;
    }
    if (shape_elements(*shape, 1) <= MOST_LISTED) return true;
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, list->span, "more numbers than a list may hold");
    diag_fact(d, "at most %d", MOST_LISTED);
    diag_help(d, "keep them in a file of weights");
    return false;
}

static bool fill_numbers(Environment *env, const Value *v, const Shape *shape, int depth, double **at) {
    Compilation *c = env->compilation;
    if (depth == shape->rank) {
        bool ok = true;
        if (v->kind == VALUE_NUMBER) *(*at)++ = number_in(v, "bare", &ok);
        if (v->kind == VALUE_NUMBER && ok && !isnan((*at)[-1])) return true;
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, v->span, "a number was expected, this is %s", value_kind_text(v));
        diag_help(d, "write numbers in brackets, a table as a list of its rows: [[1, 2], [3, 4]]");
        return false;
    }
    if (v->kind != VALUE_LIST || v->items.count != shape->dim[depth]) {
        const char *found = v->kind == VALUE_LIST ? arena_print(&c->arena, "a list of %d", v->items.count) : value_kind_text(v);
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, v->span, "this is %s", found);
        diag_fact(d, "the first beside it is a list of %lld", (long long)shape->dim[depth]);
        diag_help(d, "give all rows the same length");
        return false;
    }
    for (int i = 0; i < v->items.count; i++)
        if (!fill_numbers(env, v->items.at[i], shape, depth + 1, at)) return false;
    return true;
}

static double *numbers_of_list(Environment *env, const Value *list, Shape *shape) {
    if (!shape_of_list(env, list, shape)) return NULL;
    double *numbers = arena_array(&env->compilation->arena, double, shape_elements(*shape, 1)), *at = numbers;
    return fill_numbers(env, list, shape, 0, &at) ? numbers : NULL;
}

static Value *labels_from(Environment *env, const char *type, const Value *list, Shape shape, const double *numbers) {
    double largest = 0;
    for (int64_t i = 0; i < shape.dim[0]; i++) {
        bool label = shape.rank == 1 && numbers[i] >= 1 && numbers[i] <= MOST_CLASSES && numbers[i] == (double)(int64_t)numbers[i];
        if (label) {
            if (numbers[i] > largest) largest = numbers[i];
            continue;
        }
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, shape.rank == 1 ? list->items.at[i]->span : list->span, "labels are whole numbers from 1");
        diag_help(d, "for instance [1, 2, 1, 3]: the first and the third picture show the same");
        return NULL;
    }
    Value *labels = value_tensor(env->compilation, graph_constant(env->graph, shape, numbers, env->origin), list->span);
    labels->type = type;
    labels->classes = (int64_t)largest;
    return labels;
}

bool is_label_type(const char *type) { return !strcmp(type, "Identity") || !strcmp(type, "Label") || !strcmp(type, "Flank"); }

static bool is_tensor_type(const char *type) { return !strcmp(type, "Tensor") || !strcmp(type, "Embedding"); }

/* Scalar, and Tensor[1] without letters. */
static bool is_one_number(const Type *type, int *rank) {
    *rank = is_tensor_type(type->name);
    if (!strcmp(type->name, "Scalar")) return true;
    const Expr *size = *rank && type->dims.count == 1 && !type->dims.at[0].rest ? type->dims.at[0].size : NULL;
    return size && size->kind == EXPR_NUMBER && size->number == 1;
}

Value *as_data(Environment *env, const Type *type, Value *v) {
    bool labels = is_label_type(type->name);
    int rank;
    if (v->kind == VALUE_LIST && (labels || is_tensor_type(type->name))) {
        Shape shape;
        if (!env->graph) return no_tensor_here(env, v->span);
        double *numbers = numbers_of_list(env, v, &shape);
        if (!numbers) return poison(env, v->span);
        Value *made = labels ? labels_from(env, type->name, v, shape, numbers) : value_tensor(env->compilation, graph_constant(env->graph, shape, numbers, env->origin), v->span);
        return made ? made : poison(env, v->span);
    }
    bool number = v->kind == VALUE_NUMBER && !v->batch && env->graph;
    if (!is_one_number(type, &rank) || v->letters.count || !(number || (v->kind == VALUE_TENSOR && shape_elements(v->node->shape, 2) == 1))) return v;
    Value *made = value_tensor(env->compilation, graph_reshape(env->graph, tensor_of(env, v), rank ? (Shape){1, {1}} : (Shape){0}, env->origin), v->span);
    made->truth = v->truth;
    return made;
}

/* ---- learned weights ---------------------------------------------------------------------------------------------------- */

static Value *start_of(Environment *env, Span span, const char *how, const char *first, const char *second) {
    Value *v = value_new(env->compilation, VALUE_OPTION, span);
    const char *const names[] = {first, second};
    v->text = how;
    v->type = "Start";
    for (int i = 0; i < 2 && names[i]; i++) {
        if (parameter(env, names[i])->unit) {
            Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_unit, parameter(env, names[i])->span, "weights have no unit");
            diag_help(d, "write a bare number, for instance %s(0, 0.01)", how);
            return poison(env, span);
        }
        Bound bound = {intern(env->compilation->jre, names[i]), parameter(env, names[i]), span};
        list_add(&env->compilation->arena, &v->bound, bound);
    }
    if (strcmp(how, "uniform") != 0) return v;
    const Value *low = parameter(env, first), *high = parameter(env, second);
    return low_first(env, low, high, (const double[]){low->number, high->number}) ? v : poison(env, span);
}
/* The same words say how a view draws. */
static bool draws_here(const Environment *env) { return env->caller && env->caller->drawing; }
Value *builtin_normal(Environment *env, Span span) { return draws_here(env) ? drawn_normal(env, span) : start_of(env, span, "normal", "mean", "spread"); }
Value *builtin_uniform(Environment *env, Span span) { return draws_here(env) ? drawn_uniform(env, span) : start_of(env, span, "uniform", "low", "high"); }
Value *builtin_zeros(Environment *env, Span span) { return start_of(env, span, "zeros", NULL, NULL); }
Value *builtin_ones(Environment *env, Span span) { return start_of(env, span, "ones", NULL, NULL); }

/* NULL: diagnosed. */
static const Start *read_start(Environment *env, const Expr *e) {
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_NONE) return NULL;
    if (v->kind != VALUE_OPTION || strcmp(v->type, "Start") != 0) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->span, "how a weight begins was expected, this is %s", value_kind_text(v));
        diag_help(d, "for instance normal(0, 0.01), uniform(-1, 1), zeros() or ones()");
        return NULL;
    }
    Start *start = arena_new(&env->compilation->arena, Start);
    *start = (Start){.how = v->text};
    if (v->bound.count) start->a = value_bare(v->bound.at[0].value), start->b = value_bare(v->bound.at[1].value);
    return start;
}

/* The numbers that the call gives by the weight's name. */
static Value *given_weight(Environment *env, const Line *line, const Bound *given, Shape shape) {
    Value *v = as_data(env, &line->type, given->value);
    if (v->kind == VALUE_NONE || (v->kind == VALUE_TENSOR && !v->letters.count && shape_equal(v->node->shape, shape))) return v;
    Compilation *c = env->compilation;
    Diagnostic *d = diag(c->jre, v->kind == VALUE_TENSOR ? DIAG_shape_mismatch : DIAG_wrong_type, given->span, "`%s` is %s here", line->name,
                         v->kind == VALUE_TENSOR ? value_text(c, v) : value_kind_text(v));
    diag_also(d, line->type.span, "Tensor%s is learned", shape_text(&c->arena, shape));
    diag_help(d, "give it numbers of that shape");
    return poison(env, line->span);
}

/* A weight that is asked for by a line of a formula is told of there. */
static Value *weight_of_line(Environment *env, const Line *line, Shape shape, const Start *start) {
    Node *node = weight_from_file(env, line->name, shape);
    if (!node) return NULL;
    Origin *origin = arena_new(&env->compilation->arena, Origin);
    *origin = (Origin){line->name_span, env->origin, env->formula->library};
    if (node->origin == env->origin) node->origin = origin, node->start = start;
    return value_tensor(env->compilation, node, line->span);
}

Value *learned_weight(Environment *env, const Line *line) {
    Compilation *c = env->compilation;
    const char *why;
    Shape shape;
    const Start *start = line->value ? read_start(env, line->value) : NULL;
    if (line->value && !start) return poison(env, line->span);
    const Bound *given = argument_of(env->called, line->name);
    if (!env->graph) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, line->span, "`%s` is learned here, but no picture comes this way", line->name);
        diag_help(d, "call the network with the picture, or what was made of it");
    } else if (!dims_build(env->dims, &line->type, NULL, &shape, &why)) {
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, line->type.span, "%s", why);
        diag_help(d, "write sizes with letters of the head and numbers");
    } else if (given) {
        return given_weight(env, line, given, shape);
    } else if (!env->weights) {
        Diagnostic *d = diag(c->jre, DIAG_not_yet, line->span, "`%s` is learned here, and training comes with a later version", line->name);
        diag_help(d, "until then give the network weights from a file");
    } else {
        Value *v = weight_of_line(env, line, shape, start);
        if (v) return v;
    }
    return poison(env, line->span);
}

/* ---- numbers of a tensor -------------------------------------------------------------------------------------------------- */

bool tensor_numbers(Environment *env, const Value *v, double **numbers) {
    Compilation *c = env->compilation;
    if (!c->facts.compute || !env->graph) return no_tensor_here(env, v->span), false;
    Graph part = *env->graph;
    part.output = v->node;
    return c->facts.compute(c->facts.context, &part, numbers);
}

Value *builtin_onehot(Environment *env, Span span) {
    Value *labels = parameter(env, "y");
    Graph *g = env->graph;
    Node *column = graph_reshape(g, labels->node, (Shape){2, {labels->node->shape.dim[0], 1}}, env->origin);
    Node *classes = graph_positions(g, (Shape){2, {1, labels->classes}}, env->origin);
    const char *why;
    Value *v = value_tensor(env->compilation, graph_add(g, OP_eq, (Node *[]){column, classes}, 2, NULL, env->origin, &why), span);
    v->truth = true;
    return v->node ? v : poison(env, span);
}
