/* expect.c: what a document expects of its own results, before the run (is it a comparison at all?) and after it.
 *
 * An expectation is about one value; an open `each` of the document itself is undecided_choice. Where an overlay opened the axis the
 * document cannot have named a choice: then each member is asked. */
#include "compiler.h"

static bool in_the_document(const Compilation *c, Span span) {
    const Source *source = source_of(c->jre, span);
    for (const Module *m = c->document; m; m = m->parent)
        if (m->document->source == source) return true;
    return false;
}

static void members_of_expectation(Compilation *c, const Statement *expect, MemberList *members) {
    AxisList axes = {0}, opened = {0};
    axes_of_expr(c, c->scope, expect->value, &axes);
    for (int i = 0; i < axes.count; i++)
        if (!in_the_document(c, axes.at[i]->each_span)) list_add(&c->arena, &opened, axes.at[i]);
    members_of_axes(c, &opened, expect->span, members);
}

int expectation_members(Compilation *c, const Statement *expect) {
    MemberList members = {0};
    members_of_expectation(c, expect, &members);
    return members.count;
}

static const char *member_text(Compilation *c, const Statement *expect, const Member *member) {
    const char *text = expr_text(c->jre, expect->value);
    for (int i = 0; i < member->name.count; i++)
        text = arena_print(&c->arena, "%s   %s %s", text, member->name.at[i].axis, member->name.at[i].choice);
    return text;
}

bool check_expectation(Compilation *c, const Statement *expect, int member, const ResultSource *results, Outcome *outcome) {
    MemberList members = {0};
    members_of_expectation(c, expect, &members);
    if (member >= members.count) return false;
    const Expr *e = expect->value;
    Environment *env = environment_new(c, c->scope, members.at[member].choices);
    *outcome = (Outcome){.text = member_text(c, expect, &members.at[member]), .span = expect->span, .reason = expect->text};
    c->results = results;
    c->steps = 0;
    Value *v = stated_value(env, evaluate(env, e));
    bool comparison = e->kind == EXPR_BINARY && e->op >= BINARY_eq && e->op <= BINARY_ge;
    if (v->kind == VALUE_TRUTH && comparison && results) {
        Value *left = evaluate(env, e->left), *right = evaluate(env, e->right);
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
    outcome->open = v->open;
    outcome->holds = v->truth && !v->open;
    return true;
}
