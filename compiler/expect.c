/* expect.c: what a document expects of its own results, before the run (is it a comparison at all?) and after it.
 *
 * An expectation is about one value; an open `each` of the document itself is undecided_choice. Where an overlay opened the axis the
 * document cannot have named a choice: then each member is asked. */
#include "compiler.h"

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

/* Scores lie between 0 and 1. */
static bool is_share(const Value *v) {
    static const char *const shares[] = {"chance", "low", "high", "best.ap", "worst.ap", "best", "worst"};
    if (v->kind != VALUE_METRIC || v->axis || !v->text) return false;
    bool share = metric_find(v->text) != METRIC_NONE;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) share |= !strcmp(v->text, shares[i]);
    return share;
}

static bool never(BinaryOperator op, double bound) {
    switch (op) {
    case BINARY_gt: return bound >= 1;
    case BINARY_ge: return bound > 1;
    case BINARY_lt: return bound <= 0;
    case BINARY_le: return bound < 0;
    case BINARY_eq: return bound < 0 || bound > 1;
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

static bool impossible(Compilation *c, const Value *metric, const Value *bound, BinaryOperator op) {
    if (!is_share(metric) || bound->kind != VALUE_NUMBER || !never(op, value_bare(bound))) return false;
    Diagnostic *d = diag(c->jre, DIAG_impossible_expectation, bound->span, "no score can be %s this", op == BINARY_gt ? "above" : op == BINARY_lt ? "below" : op == BINARY_eq ? "equal to" : op == BINARY_ge ? "as high as" : "as low as");
    diag_also(d, metric->span, "lies between 0 and 1");
    bool percent = !bound->unit && bound->number > 1 && bound->number <= 100;
    diag_help(d, percent ? "a score is written in %% or as a fraction" : "compare it with a number between 0%% and 100%%");
    if (percent) diag_edit(d, bound->span, false, "%g%%", bound->number);
    return true;
}

/* A sound comparison of a score with what no score can be. */
static bool can_hold(Environment *env, const Expr *e) {
    if (e->kind != EXPR_BINARY) return true;
    if (e->op == BINARY_and || e->op == BINARY_or) return can_hold(env, e->left) && can_hold(env, e->right);
    if (e->op < BINARY_eq || e->op > BINARY_ge) return true;
    const Value *a = evaluate(env, e->left), *b = evaluate(env, e->right);
    return !impossible(env->compilation, a, b, e->op) && !impossible(env->compilation, b, a, turned(e->op));
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
    case VALUE_METRIC: return !results ? NULL : v->known ? arena_print(&c->arena, "%.6g", v->number) : "has no number";
    case VALUE_NONE: case VALUE_TABLE: case VALUE_RECORD: return NULL;         /* told elsewhere, or shown as a table */
    default: return value_text(c, v);
    }
}
