/* expect.c: what a document expects of its own results, before the run (is it a comparison at all?) and after it.
 *
 * An expectation is about one value; an open `each` of the document itself is undecided_choice. Where an overlay opened the axis the
 * document cannot have named a choice: then each member is asked. */
#include "compiler.h"

#include <math.h>
#include <string.h>

void members_opened(Compilation *c, const Expr *e, MemberList *members) {
    AxisList axes = {0}, opened = {0};
    axes_of_expr(c, c->scope, e, &axes);
    for (int i = 0; i < axes.count; i++)
        if (!in_the_document(c, axes.at[i]->each_span)) list_add(&c->arena, &opened, axes.at[i]);
    members_of_axes(c, &opened, e->span, members);
}

static const char *member_text(Compilation *c, const Statement *expect, const Member *member) {
    const char *text = expr_text(c->jre, expect->value);
    for (int i = 0; i < member->name.count; i++)
        text = arena_print(&c->arena, "%s   %s %s", text, member->name.at[i].axis, member->name.at[i].choice);
    return text;
}

/* ---- what can never hold --------------------------------------------------------------------------------------------------- */

/* Between which numbers a side lies, and what it is called in a message. */
typedef struct { double low, high; const char *noun; } Bounds;

static bool is_one_of(const char *word, const char *const *words) {
    while (*words && strcmp(*words, word) != 0) words++;
    return *words;
}

/* Scores lie between 0 and 1, counts and times are not below 0. */
static Bounds bounds_of_value(const Value *v) {
    static const char *const shares[] = {"chance", "low", "high", "best.ap", "worst.ap", "best", "worst", NULL};
    static const char *const counts[] = {"queries", "lonely", "ties", "individuals", "pictures", "smallest", "largest", "singletons", "bursts", "in_bursts", "copies", NULL};
    if (v->kind == VALUE_NUMBER) return (Bounds){value_bare(v), value_bare(v), "number"};
    if (v->kind != VALUE_METRIC || v->axis || !v->text) return (Bounds){-INFINITY, INFINITY, "number"};
    if (metric_find(v->text) != METRIC_NONE || is_one_of(v->text, shares)) return (Bounds){0, 1, "score"};
    if (is_one_of(v->text, counts)) return (Bounds){0, INFINITY, "count"};
    return (Bounds){-INFINITY, INFINITY, "number"};
}

static Bounds bounds_of(Environment *env, const Expr *e) {
    if (e->kind != EXPR_BINARY || e->op < BINARY_add || e->op > BINARY_div) return bounds_of_value(evaluate(env, e));
    Bounds a = bounds_of(env, e->left), b = bounds_of(env, e->right), r = {-INFINITY, INFINITY, "such number"};
    if (e->op == BINARY_add) r.low = a.low + b.low, r.high = a.high + b.high;
    if (e->op == BINARY_sub) r.low = a.low - b.high, r.high = a.high - b.low;
    if (e->op == BINARY_div && b.low == b.high && b.low != 0) b.low = b.high = 1 / b.low;
    else if (e->op != BINARY_mul) return r;
    const NumberRange product = range_product((NumberRange){.low = a.low, .high = a.high}, (NumberRange){.low = b.low, .high = b.high});
    return (Bounds){product.low, product.high, r.noun};
}

static bool never(BinaryOperator op, Bounds a, Bounds b) {
    switch (op) {
    case BINARY_gt: return a.high <= b.low;
    case BINARY_ge: return a.high < b.low;
    case BINARY_lt: return a.low >= b.high;
    case BINARY_le: return a.low > b.high;
    case BINARY_eq: return a.high < b.low || a.low > b.high;
    default: return false;
    }
}

static BinaryOperator turned(BinaryOperator op) {
    switch (op) {
    case BINARY_gt: return BINARY_lt;
    case BINARY_ge: return BINARY_le;
    case BINARY_lt: return BINARY_gt;
    case BINARY_le: return BINARY_ge;
    default: return op;
    }
}

static const char *bounds_text(Compilation *c, Bounds r) {
    return isinf(r.high) ? arena_print(&c->arena, "is never below %g", r.low) : isinf(r.low) ? arena_print(&c->arena, "is never above %g", r.high)
                                                                                                         : arena_print(&c->arena, "lies between %g and %g", r.low, r.high);
}

/* Of what lies between bounds it is said that it `op` a number. */
static void tell_impossible(Compilation *c, const Expr *what, Bounds bounds, const Expr *bound, BinaryOperator op, const Value *number) {
    Diagnostic *d = diag(c->jre, DIAG_impossible_expectation, bound->span, "no %s can be %s this", bounds.noun,
                         op == BINARY_gt ? "above" : op == BINARY_lt ? "below" : op == BINARY_eq ? "equal to" : op == BINARY_ge ? "as high as" : "as low as");
    diag_also(d, what->span, "%s", bounds_text(c, bounds));
    bool score = !strcmp(bounds.noun, "score");
    Bounds share = {number->number / 100, number->number / 100, ""};
    bool percent = score && number->kind == VALUE_NUMBER && !number->unit && number->number > 1 && !never(op, bounds, share);
    diag_help(d, percent ? "a score is written in %% or as a fraction" : score ? "compare it with a number between 0%% and 100%%" : "compare it with a number that it can reach");
    if (percent) diag_edit(d, bound->span, false, "%g%%", number->number);
}

/* A sound comparison of what is bounded with what lies beyond. */
static bool can_hold(Environment *env, const Expr *e) {
    Compilation *c = env->compilation;
    if (e->kind != EXPR_BINARY) return true;
    if (e->op == BINARY_and || e->op == BINARY_or) return can_hold(env, e->left) && can_hold(env, e->right);
    if (e->op < BINARY_eq || e->op > BINARY_ge) return true;
    if (expr_equal(e->left, e->right) && (e->op == BINARY_ne || e->op == BINARY_lt || e->op == BINARY_gt)) {
        Diagnostic *d = diag(c->jre, DIAG_impossible_expectation, e->right->span, "this is compared with itself");
        diag_also(d, e->left->span, "the same");
        diag_help(d, "name what it is to be compared with: v01.cv.map");
        return false;
    }
    Bounds a = bounds_of(env, e->left), b = bounds_of(env, e->right);
    if (!never(e->op, a, b) || (a.low == a.high && b.low == b.high)) return true;
    if (b.low == b.high) tell_impossible(c, e->left, a, e->right, e->op, evaluate(env, e->right));
    else tell_impossible(c, e->right, b, e->left, turned(e->op), evaluate(env, e->left));
    return false;
}

/* The two numbers that a comparison, or `near`, holds side by side. */
static bool sides_of(const Expr *e, const Expr **left, const Expr **right) {
    if (e->kind == EXPR_BINARY && e->op >= BINARY_eq && e->op <= BINARY_ge) {
        *left = e->left;
        *right = e->right;
        return true;
    }
    bool near = e->kind == EXPR_CALL && e->target->kind == EXPR_NAME && !strcmp(e->target->name, "near") && e->arguments.count >= 2;
    if (!near || e->arguments.at[0].name || e->arguments.at[1].name) return false;
    *left = e->arguments.at[0].value;
    *right = e->arguments.at[1].value;
    return true;
}

bool check_expectation(Compilation *c, const Statement *expect, const Member *member, const ResultSource *results, Outcome *outcome) {
    const Expr *e = expect->value;
    Environment *env = environment_new(c, c->scope, member->choices);
    *outcome = (Outcome){.text = member_text(c, expect, member), .span = expect->span, .reason = expect->text};
    c->results = results;
    c->steps = 0;
    Value *v = stated_value(env, evaluate(env, e));
    const Expr *sides[2];
    if (v->kind == VALUE_TRUTH && results && sides_of(e, &sides[0], &sides[1])) {
        Value *left = evaluate(env, sides[0]), *right = evaluate(env, sides[1]);
        outcome->compared = value_is_numeric(left) && value_is_numeric(right);
        outcome->left = value_bare(left);
        outcome->right = value_bare(right);
    }
    c->results = NULL;
    if (c->stated) outcome->found = stated_sides(env, e, v);
    if (v->kind == VALUE_NONE) return false;
    if (v->kind != VALUE_TRUTH) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, "a comparison was expected, this is %s", value_kind_text(v));
        diag_help(d, "for instance: expect cv.map > 20%%");
        return false;
    }
    if (!results && !can_hold(env, e)) return false;
    outcome->open = v->open;
    outcome->holds = v->truth && !v->open;
    return true;
}

/* ---- probes: each choice is shown ------------------------------------------------------------------------------------------------ */

void members_probed(Compilation *c, const Statement *probe, MemberList *members) {
    AxisList axes = {0};
    axes_of_expr(c, c->scope, probe->value, &axes);
    members_of_axes(c, &axes, probe->span, members);
}

const char *probe_value(Compilation *c, const Statement *probe, const Member *member, const ResultSource *results, const char **name) {
    *name = member_text(c, probe, member);
    c->results = results;
    c->steps = 0;
    Value *v = evaluate(environment_new(c, c->scope, member->choices), probe->value);
    c->results = NULL;
    switch (v->kind) {
    case VALUE_METRIC:
        if (!results) return NULL;
        if (!v->known) return "has no number: its evaluation has no result";
        return isnan(v->number) ? "has no number: there was nothing to judge" : arena_print(&c->arena, "%.6g", v->number);
    case VALUE_NONE: case VALUE_TABLE: case VALUE_RECORD: return NULL;         /* told elsewhere, or shown as a table */
    case VALUE_SIMILARITY: case VALUE_FORMULA: return v->span.end ? span_text(c->jre, v->span) : value_text(c, v);      /* a choice, by its text */
    default: return value_text(c, v);
    }
}
