/* unused.c: what no record leads to is read all the same, so that a misspelled word does not wait for its first use.
 *
 * Equations are evaluated. Of a formula that nothing calls the called names are looked up, and if that can be, it is tried (tryout.c). */
#include "compiler.h"

#include <string.h>

typedef struct { Compilation *c; const Decl *decl; } Look;

static bool named_inside(const Look *look, const char *name) {
    const Statement *s = look->decl->statement;
    for (int i = 0; i < s->params.count; i++)
        if (s->params.at[i].name == name) return true;
    for (int i = 0; i < s->lines.count; i++)
        if (s->lines.at[i].name == name) return true;
    return false;
}

static void called_name(const Look *look, const Expr *callee) {
    if (callee->kind != EXPR_NAME || named_inside(look, callee->name) || scope_find(look->decl->scope, callee->name)) return;
    report_unknown_name(look->c, look->decl->scope, NULL, callee->name, callee->span);
}

static void look_at(const Look *look, const Expr *e) {
    if (!e) return;
    if (e->kind == EXPR_CALL) called_name(look, e->target);
    if (e->kind == EXPR_PIPE) called_name(look, e->right);
    const Expr *below[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++) look_at(look, below[i]);
    for (int i = 0; i < e->arguments.count; i++) {
        const Argument *argument = &e->arguments.at[i];
        const bool drawn = argument->name && !strcmp(argument->name, "weights") && are_drawn(argument->value);        /* `random` is no name there */
        if (!drawn) look_at(look, argument->value);
    }
}

static void look_at_formula(Compilation *c, const Decl *decl) {
    const Statement *s = decl->statement;
    const Look look = {c, decl};
    if (s->builtin || s->broken) return;
    for (int i = 0; i < s->params.count; i++) look_at(&look, s->params.at[i].fallback);
    for (int i = 0; i < s->where.count; i++) look_at(&look, s->where.at[i]);
    for (int i = 0; i < s->lines.count; i++)
        look_at(&look, s->lines.at[i].value);
}

/* The choices of the first member, where what is tried depends on an `each`. */
static const Choice *some_choice(Compilation *c, Decl *decl) {
    AxisList axes = {0};
    MemberList members = {0};
    axes_of_decl(c, decl, &axes);
    members_of_axes(c, &axes, decl->statement->name_span, &members);
    return members.count ? members.at[0].choices : NULL;
}

static void look_into_formula(Compilation *c, Decl *decl) {
    int before = c->jre->diagnostics.count;
    look_at_formula(c, decl);
    if (decl->called || c->jre->diagnostics.count > before) return;
    Value *formula = value_new(c, VALUE_FORMULA, decl->statement->name_span);
    formula->decl = decl;
    formula->text = decl->name;
    try_formula(c, decl, formula, some_choice(c, decl));
}

static void look_at_equation(Compilation *c, Decl *decl) {
    AxisList axes = {0};
    if (decl->statement->broken || !decl->value || decl->last) return;
    axes_of_decl(c, decl, &axes);
    c->steps = 0;
    if (axes.count) return;
    const Value *v = evaluate_name(environment_new(c, decl->scope, NULL), decl->name, decl->statement->name_span);
    if (v->kind == VALUE_FORMULA) try_formula(c, decl, v, NULL);
}

static void look_at_all(Compilation *c, StatementKind kind, void (*look)(Compilation *c, Decl *decl)) {
    for (int i = 0; i < c->scope->names.count && c->steps < STEPS_QUIET; i++) {
        Decl *decl = c->scope->names.entries[i].value;
        if (decl && !decl->library && decl->kind == kind) look(c, decl);
    }
}

void check_unused(Compilation *c) {
    look_at_all(c, STATEMENT_FORMULA, look_into_formula);
    look_at_all(c, STATEMENT_EQUATION, look_at_equation);
}
