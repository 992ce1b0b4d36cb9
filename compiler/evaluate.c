/* evaluate.c: what an expression is, while compiling.
 *
 * Numbers, words and lists are computed; a network over a tensor becomes nodes of the graph being built; a metric stays
 * open until the run has a number for it. A value that was diagnosed is VALUE_NONE and stays quiet ever after, so one mistake
 * gives one message. */
#include "compiler.h"

#include <math.h>
#include <string.h>

enum { DEEPEST = 3000, MOST_STEPS = 300000 };                      /* of expressions inside each other; of one declaration in all */

Value *value_new(Compilation *c, ValueKind kind, Span span) {
    Value *v = arena_new(&c->arena, Value);
    v->kind = kind;
    v->span = span;
    v->known = true;
    return v;
}

Value *value_number(Compilation *c, double number, Span span) {
    Value *v = value_new(c, VALUE_NUMBER, span);
    v->number = number;
    v->whole = number == floor(number) && fabs(number) < 9e15;
    return v;
}

Value *value_tensor(Compilation *c, Node *node, Span span) {
    Value *v = value_new(c, VALUE_TENSOR, span);
    v->node = node;
    return v;
}

Value *poison(Environment *env, Span span) {
    env->compilation->poisoned = true;
    return value_new(env->compilation, VALUE_NONE, span);
}

Environment *environment_new(Compilation *c, Scope *scope, const Choice *choices) {
    Environment *env = arena_new(&c->arena, Environment);
    *env = (Environment){.compilation = c, .graph = c->stated, .scope = scope, .choices = choices, .path = ""};
    return env;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static Value *value_of_equation(Environment *env, Decl *decl, Span span) {
    Compilation *c = env->compilation;
    if (decl->state) {
        Diagnostic *d = diag(c->jre, DIAG_already_named, decl->statement->name_span, "`%s` is made of itself", decl->name);
        diag_help(d, "an equation may use other names, not its own");
        return poison(env, span);
    }
    const Expr *value = decl->value;
    if (decl->each) {
        int index = choice_of(env->choices, decl);
        if (index < 0 || index >= value->arguments.count) return undecided(env, decl, span);
        value = value->arguments.at[index].value;
    }
    const bool lasts = !c->results && !c->stated;
    if (decl->last && decl->last_choices == env->choices && lasts) return decl->last;
    decl->state = 1;
    Environment *own = environment_new(c, decl->scope, env->choices);
    Value *found = evaluate(own, value);
    decl->state = 0;
    if (found->kind == VALUE_FORMULA && decl->library) {           /* resnet50, not resnet: the name people know */
        Value *named = value_new(c, VALUE_FORMULA, found->span);
        *named = *found;
        named->text = decl->name;
        found = named;
    }
    if (lasts) decl->last = found, decl->last_choices = env->choices;
    return found;
}

static Value *value_of_decl(Environment *env, Decl *decl, Span span) {
    if (decl->kind == STATEMENT_EQUATION) return value_of_equation(env, decl, span);
    Value *v = value_new(env->compilation, decl->kind == STATEMENT_FORMULA ? VALUE_FORMULA : VALUE_RECORD, span);
    v->decl = decl;
    v->text = decl->name;
    v->choices = env->choices;
    return v;
}

Value *evaluate_name(Environment *env, const char *name, Span span) {
    Value *own = map_get(&env->values, name);
    if (own) return own;
    Value *letter = letter_value(env, name, span);
    if (letter) return letter;
    Decl *decl = scope_find(env->scope, name);
    if (decl) return value_of_decl(env, decl, span);
    NameList inside = {0};
    for (int i = 0; i < env->values.count; i++) list_add(&env->compilation->arena, &inside, env->values.entries[i].key);
    report_unknown_name(env->compilation, env->scope, &inside, name, span);
    return poison(env, span);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------------- */

/* cv > 0.4: an evaluation has many numbers, and so have a dataset and a part. NULL: something else. */
static const char *number_meant(Compilation *c, const Value *v) {
    if (v->kind == VALUE_PART || (v->kind == VALUE_RECORD && v->decl->record == KIND_dataset)) return "pictures";
    if (v->kind != VALUE_RECORD || v->decl->record != KIND_evaluate) return NULL;
    const Value *metrics = setting_value(c, v->decl, "metrics", v->choices);
    const bool listed = metrics && metrics->kind == VALUE_LIST && metrics->items.count && metrics->items.at[0]->text;
    return listed ? metrics->items.at[0]->text : "map";
}

static bool which_number(Compilation *c, const Expr *e, const Value *v, const Value *other) {
    const char *number = value_is_numeric(other) || other->kind == VALUE_RECORD || other->kind == VALUE_PART ? number_meant(c, v) : NULL;
    if (!number) return false;
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, "which number of it? This is %s", value_kind_text(v));
    diag_help(d, "name one");
    diag_edit(d, (Span){e->span.end, e->span.end}, false, ".%s", number);
    return true;
}

static Value *wrong_operands(Environment *env, const Expr *e, const Value *a, const Value *b) {
    Compilation *c = env->compilation;
    const bool left = which_number(c, e->left, a, b), right = which_number(c, e->right, b, a);
    if (left || right) return poison(env, e->span);
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->focus, "`%s` cannot work on %s and %s", binary_text(e->op), value_kind_text(a), value_kind_text(b));
    diag_fact(d, "left: %s", value_text(c, a));
    diag_fact(d, "right: %s", value_text(c, b));
    diag_help(d, "give it two numbers, or two tensors");
    return poison(env, e->span);
}

static bool same_unit(Unit a, Unit b) { return a == b || a == UNIT_NONE || b == UNIT_NONE; }

/* Degrees and radians meet in radians, times in seconds, shares as fractions; else units stay as written. */
static void to_base(Value *v) {
    static const struct { Unit unit, base; double factor, parts; } bases[] = {
        {UNIT_deg, UNIT_rad, 3.14159265358979323846 / 180, 1}, {UNIT_percent, UNIT_NONE, 1, 100}, {UNIT_ms, UNIT_s, 1, 1000},
        {UNIT_min, UNIT_s, 60, 1}, {UNIT_h, UNIT_s, 3600, 1}, {UNIT_KiB, UNIT_MiB, 1, 1024}, {UNIT_GiB, UNIT_MiB, 1024, 1},
    };
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        if (v->unit == bases[i].unit) {
            v->number = v->number * bases[i].factor / bases[i].parts;
            v->unit = bases[i].base;
            v->whole = v->number == floor(v->number);
            return;
        }
}

static bool compute(BinaryOperator op, double a, double b, bool sizes, double *out) {
    switch (op) {
    case BINARY_add: *out = a + b; return true;
    case BINARY_sub: *out = a - b; return true;
    case BINARY_mul: *out = a * b; return true;
    case BINARY_div: *out = sizes && b != 0 ? floor(a / b) : a / b; return true;
    case BINARY_pow: *out = pow(a, b); return true;
    default: return false;
    }
}

static bool compare(BinaryOperator op, double a, double b, bool *out) {
    switch (op) {
    case BINARY_eq: *out = a == b; return true;
    case BINARY_ne: *out = a != b; return true;
    case BINARY_lt: *out = a < b; return true;
    case BINARY_gt: *out = a > b; return true;
    case BINARY_le: *out = a <= b; return true;
    case BINARY_ge: *out = a >= b; return true;
    case BINARY_divides: *out = a != 0 && fmod(b, a) == 0; return true;
    default: return false;
    }
}

static Value *drawn_test(Environment *env, const Expr *e, const Value *drawn) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->span, "this holds for some pictures and not for others: it is drawn at random");
    diag_also(d, drawn->span, "%s", value_kind_text(drawn));
    diag_help(d, "steps that are taken by chance say so themselves: flip(chance = 30%%)");
    return poison(env, e->span);
}

static Value *of_numbers(Environment *env, const Expr *e, const Value *left, const Value *right) {
    Compilation *c = env->compilation;
    Value a = *left, b = *right;
    if (a.batch || b.batch) {
        bool truth = a.batch && b.batch;
        if (e->op == BINARY_eq || e->op == BINARY_ne) {
            Value *v = value_new(c, VALUE_TRUTH, e->span);
            v->truth = truth == (e->op == BINARY_eq);
            return v;
        }
        Diagnostic *d = diag(c->jre, DIAG_not_yet, e->span, "computes with the number of pictures in a batch, which is not known while compiling");
        diag_help(d, "a mean over the batch needs no such number: mean over n of ..");
        return poison(env, e->span);
    }
    to_base(&a);
    to_base(&b);
    bool metric = left->kind == VALUE_METRIC || right->kind == VALUE_METRIC;
    bool scaling = e->op == BINARY_mul || e->op == BINARY_div || e->op == BINARY_pow;
    if (!scaling && !same_unit(a.unit, b.unit)) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_unit, e->focus, "%s and %s cannot be compared or added", value_text(c, left), value_text(c, right));
        diag_help(d, "write both in the same unit");
        return poison(env, e->span);
    }
    double number;
    if (compute(e->op, a.number, b.number, env->sizes && a.whole && b.whole, &number)) {
        Value *v = value_number(c, number, e->span);
        v->unit = e->op == BINARY_div && a.unit == b.unit ? UNIT_NONE : a.unit ? a.unit : b.unit;      /* 224px / 32px is 7 */
        if (metric) v->kind = VALUE_METRIC, v->known = a.known && b.known;
        if (a.draw || b.draw) {
            v->draw = draw_of(c, binary_text(e->op), (const Value *const[]){left, right}, 2);
            v->whole = a.whole && b.whole && !scaling;
        }
        return v;
    }
    if (a.draw || b.draw) return drawn_test(env, e, a.draw ? left : right);
    Value *v = value_new(c, VALUE_TRUTH, e->span);
    if (!compare(e->op, a.number, b.number, &v->truth)) return wrong_operands(env, e, left, right);
    v->open = metric && !(a.known && b.known);
    return v;
}

/* ---- operators ------------------------------------------------------------------------------------------------------------ */

static const Op tensor_ops[] = {
    [BINARY_eq] = OP_eq, [BINARY_ne] = OP_ne, [BINARY_lt] = OP_lt, [BINARY_gt] = OP_gt, [BINARY_le] = OP_le, [BINARY_ge] = OP_ge,
    [BINARY_add] = OP_add, [BINARY_sub] = OP_sub, [BINARY_mul] = OP_mul, [BINARY_div] = OP_div, [BINARY_pow] = OP_pow, [BINARY_matmul] = OP_matmul,
};

Value *truth_or_complain(Environment *env, const Expr *e) {
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_TRUTH || (v->kind == VALUE_TENSOR && v->truth) || v->kind == VALUE_NONE) return v;
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->span, "a test was expected, this is %s", value_kind_text(v));
    diag_help(d, "compare it with something: ==, <, divides, ...");
    return poison(env, e->span);
}

/* Of tensors of 0 and 1: both, their product; one of them, the larger. */
static Value *logic(Environment *env, const Expr *e) {
    Value *a = truth_or_complain(env, e->left);
    if (a->kind == VALUE_NONE) return a;
    Value *b = truth_or_complain(env, e->right);
    if (b->kind == VALUE_NONE) return b;
    if (a->kind == VALUE_TENSOR || b->kind == VALUE_TENSOR)
        return tensor_operation(env, e->op == BINARY_and ? OP_mul : OP_max, (Value *[]){a, b}, 2, NULL, e->span);
    Value *v = value_new(env->compilation, VALUE_TRUTH, e->span);
    v->truth = e->op == BINARY_and ? a->truth && b->truth : a->truth || b->truth;
    v->open = a->open || b->open;
    v->known = a->known && b->known;
    return v;
}

/* What is true counts 1, what is not 0. */
static Value *counted(Environment *env, Value *v) {
    return v->kind == VALUE_TRUTH && v->known && !v->open ? value_number(env->compilation, v->truth, v->span) : v;
}

/* 0.8 to 1.0, 2% to 20%: both known, of one unit, the low end first. */
static Value *range_of(Environment *env, const Expr *e, Value *low, Value *high) {
    Compilation *c = env->compilation;
    Value *ends[] = {low, high};
    for (int i = 0; i < 2; i++) {
        if (ends[i]->kind == VALUE_NUMBER && !ends[i]->batch && !ends[i]->draw) continue;
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, ends[i]->span, "a range goes from number to number, this is %s", value_kind_text(ends[i]));
        diag_help(d, "for instance 0.8 to 1.0");
        return poison(env, e->span);
    }
    if (!same_unit(low->unit, high->unit) && !unit_fits(low->unit, high->unit)) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_unit, e->span, "from %s to %s: these are not of one unit", value_text(c, low), value_text(c, high));
        diag_help(d, "write both in the same unit");
        return poison(env, e->span);
    }
    if (value_bare(low) > value_bare(high) && low->unit != high->unit) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_unit, e->span, "from %s to %s: only one of the two has a unit", value_text(c, low), value_text(c, high));
        diag_help(d, "write both in the same unit");
        return poison(env, e->span);
    }
    if (value_bare(low) > value_bare(high)) {
        Diagnostic *d = diag(c->jre, DIAG_broken_condition, e->span, "the range ends below its beginning");
        diag_help(d, "write the smaller number first");
        diag_edit(d, e->span, false, "%s to %s", value_text(c, high), value_text(c, low));
        return poison(env, e->span);
    }
    Value *range = value_new(c, VALUE_RANGE, e->span);
    for (int i = 0; i < 2; i++) list_add(&c->arena, &range->items, ends[i]);
    return range;
}

static Value *binary(Environment *env, const Expr *e) {
    if (e->op == BINARY_and || e->op == BINARY_or) return logic(env, e);
    Value *a = evaluate(env, e->left), *b = evaluate(env, e->right);
    if (a->kind == VALUE_NONE) return a;
    if (b->kind == VALUE_NONE) return b;
    if (e->op == BINARY_to) return range_of(env, e, a, b);
    if (value_is_numeric(a) || a->kind == VALUE_TENSOR || a->kind == VALUE_TRUTH) b = counted(env, b);
    if (value_is_numeric(b) || b->kind == VALUE_TENSOR) a = counted(env, a);
    if (value_is_numeric(a) && value_is_numeric(b) && e->op != BINARY_matmul) return of_numbers(env, e, a, b);
    if (is_score(a) || is_score(b)) return similarity_arithmetic(env, e, a, b);
    bool tensors = (a->kind == VALUE_TENSOR || value_is_numeric(a)) && (b->kind == VALUE_TENSOR || value_is_numeric(b));
    if (tensors && e->op != BINARY_divides) return tensor_operation(env, tensor_ops[e->op], (Value *[]){a, b}, 2, NULL, e->span);
    if ((e->op == BINARY_eq || e->op == BINARY_ne) && a->kind != VALUE_TENSOR && b->kind != VALUE_TENSOR) {
        Value *v = value_new(env->compilation, VALUE_TRUTH, e->span);
        v->truth = values_equal(a, b) == (e->op == BINARY_eq);
        v->open = (a->kind == VALUE_METRIC && !a->known) || (b->kind == VALUE_METRIC && !b->known);
        return v;
    }
    return wrong_operands(env, e, a, b);
}

static Value *negate(Environment *env, const Expr *e) {
    Value *v = evaluate(env, e->left);
    if (v->kind == VALUE_TENSOR) return tensor_operation(env, OP_neg, &v, 1, NULL, e->span);
    if (is_score(v)) {
        Expr minus = *e;
        minus.op = BINARY_sub;
        return similarity_arithmetic(env, &minus, value_number(env->compilation, 0, e->span), v);
    }
    if (!value_is_numeric(v) || v->batch) {
        if (v->kind == VALUE_NONE) return v;
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->left->span, "%s has no negative", value_kind_text(v));
        diag_help(d, "`-` stands before a number, a tensor or a score");
        return poison(env, e->span);
    }
    Value *negative = value_new(env->compilation, v->kind, e->span);
    *negative = *v;
    negative->number = -v->number;
    negative->span = e->span;
    if (v->draw) negative->draw = draw_of(env->compilation, "-", (const Value *const[]){v}, 1);
    return negative;
}

static Value *conditional(Environment *env, const Expr *e) {
    Value *test = truth_or_complain(env, e->condition);
    if (test->kind == VALUE_NONE) return test;
    if (test->kind == VALUE_TRUTH) return evaluate(env, test->truth ? e->left : e->right);
    Value *a = evaluate(env, e->left), *b = evaluate(env, e->right);
    if (a->kind == VALUE_NONE || b->kind == VALUE_NONE) return poison(env, e->span);
    return tensor_operation(env, OP_select, (Value *[]){test, a, b}, 3, NULL, e->span);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------ */

static Value *list(Environment *env, const Expr *e) {
    Value *v = value_new(env->compilation, VALUE_LIST, e->span);
    for (int i = 0; i < e->arguments.count; i++) {
        Value *item = evaluate(env, e->arguments.at[i].value);
        if (item->kind == VALUE_NONE) return item;
        list_add(&env->compilation->arena, &v->items, item);
    }
    return v;
}

static Value *number(Environment *env, const Expr *e) {
    Value *v = value_number(env->compilation, e->number, e->span);
    v->unit = e->unit;
    return v;
}

static Value *pipe(Environment *env, const Expr *e) {
    Value *data = evaluate(env, e->left);
    if (data->kind == VALUE_NONE) return data;
    const Expr *stage = e->right;
    const Expr *callee = stage->kind == EXPR_CALL ? stage->target : stage;
    Value *formula = evaluate(env, callee);
    if (formula->kind == VALUE_NONE) return formula;
    return evaluate_call(env, formula, stage->kind == EXPR_CALL ? &stage->arguments : NULL, data, stage->span, e->label);
}

static Value *transpose(Environment *env, const Expr *e) {
    Value *v = evaluate(env, e->target);
    if (v->kind == VALUE_NONE) return v;
    if (v->kind != VALUE_TENSOR || v->node->shape.rank != 2 || v->letters.count) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, e->target->span, "`'` turns a table of two dimensions, this is %s", value_text(env->compilation, v));
        diag_help(d, "an index equation orders any dimensions: y[b, a] = x[a, b]");
        return poison(env, e->span);
    }
    return value_tensor(env->compilation, graph_transpose(env->graph, v->node, (int[]){1, 0}, env->origin), e->span);
}

static Value *call(Environment *env, const Expr *e) {
    Value *formula = evaluate(env, e->target);
    if (formula->kind == VALUE_NONE) return formula;
    return evaluate_call(env, formula, &e->arguments, NULL, e->span, NULL);
}

static Value *invert(Environment *env, const Expr *e) {
    Value *v = truth_or_complain(env, e->left);
    if (v->kind == VALUE_NONE) return v;
    if (v->kind == VALUE_TENSOR) return tensor_operation(env, OP_eq, (Value *[]){v, value_number(env->compilation, 0, e->span)}, 2, NULL, e->span);
    Value *inverse = value_new(env->compilation, VALUE_TRUTH, e->span);
    inverse->truth = !v->truth || !v->known;                       /* what is not known yet is no reason to complain */
    inverse->known = v->known;
    return inverse;
}

static Value *too_much(Environment *env, const Expr *e) {
    Compilation *c = env->compilation;
    if (c->steps < STEPS_QUIET && !c->jre->interrupted) {
        Diagnostic *d = diag(c->jre, DIAG_too_deep, e->span, c->nested > DEEPEST ? "this is inside %d other expressions, through what they name"
                                                                                 : "what leads here takes more than %d steps to compute",
                             c->nested > DEEPEST ? DEEPEST : MOST_STEPS);
        diag_help(d, "give what is needed twice a name, and let each formula call only what is simpler than itself");
    }
    c->steps = STEPS_QUIET;
    return poison(env, e->span);
}

static Value *value_of(Environment *env, const Expr *e) {
    Value *v;
    switch (e->kind) {
    case EXPR_NAME: return evaluate_name(env, e->name, e->span);
    case EXPR_NUMBER: return number(env, e);
    case EXPR_TEXT:
        v = value_new(env->compilation, VALUE_TEXT, e->span);
        v->text = e->name;
        return v;
    case EXPR_TRUTH:
        v = value_new(env->compilation, VALUE_TRUTH, e->span);
        v->truth = e->truth;
        return v;
    case EXPR_LIST: return list(env, e);
    case EXPR_CALL: return call(env, e);
    case EXPR_INDEX: return evaluate_index(env, e);
    case EXPR_FIELD: return evaluate_field(env, e);
    case EXPR_TRANSPOSE: return transpose(env, e);
    case EXPR_NEGATE: return negate(env, e);
    case EXPR_NOT: return invert(env, e);
    case EXPR_BINARY: return binary(env, e);
    case EXPR_IF: return conditional(env, e);
    case EXPR_REDUCE: return reduce_tensor(env, e);
    case EXPR_PIPE: return pipe(env, e);
    }
    return poison(env, e->span);
}

Value *evaluate(Environment *env, const Expr *e) {
    Compilation *c = env->compilation;
    if (++c->steps > MOST_STEPS || c->nested >= DEEPEST || c->jre->interrupted) {
        c->nested++;
        Value *nothing = too_much(env, e);
        c->nested--;
        return nothing;
    }
    c->nested++;
    Value *v = value_of(env, e);
    c->nested--;
    return v;
}
