/* family.c: what an `each` does to the declarations that depend on it.
 *
 *   backbone = each [a(..), b(..)]      evaluate cv, by way of likeness, features and Eye:  cv[backbone = a], cv[backbone = b]
 *
 * Axes are found by following names through the flat program; each combination of their choices is a member. A choice is called by its
 * text if that is a name or a literal, else by the name it calls; equal ones by their whole text. */
#include "compiler.h"

#include <string.h>

enum { DEEPEST_NAMES = 4000 };            /* names that stand for names; evaluate.c tells of such depth long before */

static void follow_expr(Compilation *c, const Scope *scope, const Expr *e, AxisList *axes, Map *seen);

static void follow_below(Compilation *c, Decl *decl, AxisList *axes, Map *seen) {
    const char *mark = arena_print(&c->arena, "%p", (void *)decl);
    if (map_get(seen, mark)) return;
    map_set(seen, &c->arena, mark, decl);
    if (decl->each) list_add(&c->arena, axes, decl);
    if (decl->value) follow_expr(c, decl->scope, decl->value, axes, seen);
    for (int i = 0; i < decl->settings.count; i++)
        if (decl->settings.at[i].value) follow_expr(c, decl->scope, decl->settings.at[i].value, axes, seen);
    if (decl->kind != STATEMENT_FORMULA) return;
    for (int i = 0; i < decl->statement->lines.count; i++)
        if (decl->statement->lines.at[i].value) follow_expr(c, decl->scope, decl->statement->lines.at[i].value, axes, seen);
    for (int i = 0; i < decl->statement->where.count; i++) follow_expr(c, decl->scope, decl->statement->where.at[i], axes, seen);
    for (int i = 0; i < decl->statement->params.count; i++) follow_expr(c, decl->scope, decl->statement->params.at[i].fallback, axes, seen);
}

static void follow_decl(Compilation *c, Decl *decl, AxisList *axes, Map *seen) {
    if (c->nested > DEEPEST_NAMES) return;
    c->nested++;
    follow_below(c, decl, axes, seen);
    c->nested--;
}

static void follow_expr(Compilation *c, const Scope *scope, const Expr *e, AxisList *axes, Map *seen) {
    if (!e) return;
    if (e->kind == EXPR_NAME) {
        Decl *decl = scope_find(scope, e->name);
        if (decl && !decl->library) follow_decl(c, decl, axes, seen);
        return;
    }
    const Expr *below[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++) follow_expr(c, scope, below[i], axes, seen);
    for (int i = 0; i < e->arguments.count; i++) follow_expr(c, scope, e->arguments.at[i].value, axes, seen);
}

void axes_of_decl(Compilation *c, Decl *decl, AxisList *axes) {
    Map seen = {0};
    follow_decl(c, decl, axes, &seen);
}

void axes_of_expr(Compilation *c, const Scope *scope, const Expr *e, AxisList *axes) {
    Map seen = {0};
    follow_expr(c, scope, e, axes, &seen);
}

static const char *called(Compilation *c, const Expr *e) {
    if (e->kind == EXPR_CALL) return called(c, e->target);
    return expr_text(c->jre, e);
}

/* A choice is called by its text if that is a name or a literal, else by the name it calls; equal ones by the whole text. */
static const char *choice_name(Compilation *c, const Decl *axis, int index) {
    const ArgumentList *choices = &axis->value->arguments;
    const char *name = called(c, choices->at[index].value);
    for (int i = 0; i < choices->count; i++)
        if (i != index && !strcmp(called(c, choices->at[i].value), name)) return expr_text(c->jre, choices->at[index].value);
    return name;
}

static int axis_size(const Decl *axis) { return axis->value->arguments.count; }

void members_of_axes(Compilation *c, const AxisList *axes, Span asked_at, MemberList *members) {
    int64_t total = 1;
    for (int i = 0; i < axes->count && total <= 1000; i++) {
        if (!axis_size(axes->at[i])) {
            Diagnostic *d = diag(c->jre, DIAG_wrong_argument, axes->at[i]->each_span, "`%s` has no choice at all", axes->at[i]->name);
            diag_help(d, "write at least one: each [224px]");
            return;
        }
        total *= axis_size(axes->at[i]);
    }
    if (total > 1000) {
        Diagnostic *d = diag(c->jre, DIAG_not_yet, asked_at, "more choices in one family than this version holds (1,000)");
        diag_help(d, "take some choices out of an `each`");
        return;
    }
    for (int64_t m = 0; m < total; m++) {
        Member member = {0};
        int64_t rest = m;
        for (int i = axes->count - 1; i >= 0; i--) {
            Choice *choice = arena_new(&c->arena, Choice);
            *choice = (Choice){axes->at[i], (int)(rest % axis_size(axes->at[i])), member.choices};
            rest /= axis_size(axes->at[i]);
            member.choices = choice;
        }
        for (const Choice *choice = member.choices; choice; choice = choice->next) {
            MemberChoice named = {choice->axis->name, choice_name(c, choice->axis, choice->index)};
            list_add(&c->arena, &member.name, named);
        }
        list_add(&c->arena, members, member);
    }
}

int choice_of(const Choice *choices, const Decl *axis) {
    for (const Choice *choice = choices; choice; choice = choice->next)
        if (choice->axis == axis) return choice->index;
    return -1;
}
