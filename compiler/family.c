/* family.c: what an `each` does to the declarations that depend on it.
 *
 *   backbone = each [a(..), b(..)]      evaluate cv, by way of likeness, features and Eye:  cv[backbone = a], cv[backbone = b]
 *
 * Axes are found by following names through the flat program, and through ancestors that it quotes; each combination of their
 * choices is a member. What names its choice (cv[head = A], best(cv, by = map)) is not open in it any more. */
#include "compiler.h"

#include <string.h>

enum { DEEPEST_NAMES = 4000 };            /* names that stand for names; evaluate.c tells of such depth long before */

/* What is walked: an expression of `scope`, inside a formula or not, whose open axes are gathered. */
typedef struct { Compilation *c; const Scope *scope; const Decl *formula; AxisList *axes; } Walk;

static void follow_expr(const Walk *walk, const Expr *e);

static void add_axis(Compilation *c, AxisList *axes, Decl *axis) {
    for (int i = 0; i < axes->count; i++)
        if (axes->at[i] == axis) return;
    list_add(&c->arena, axes, axis);
}

/* A formula's parameters and equations hide what is called so outside. */
static bool inside_formula(const Decl *formula, const char *name) {
    if (!formula) return false;
    const Statement *s = formula->statement;
    for (int i = 0; i < s->params.count; i++)
        if (s->params.at[i].name == name) return true;
    for (int i = 0; i < s->lines.count; i++)
        if (s->lines.at[i].name == name) return true;
    return false;
}

/* Words of the setting's place and columns are no names, though something may be called so. */
static bool speaks_of_words(Compilation *c, const Decl *decl, const Setting *setting) {
    const SchemaKey *key = schema_find(decl->record, setting->key);
    if (!key || !setting->value) return false;
    if (!strcmp(key->type, "Condition") || !strcmp(key->type, "PairCondition") || !strcmp(key->type, "Names")) return true;
    return setting->value->kind == EXPR_NAME && word_comes_first(c, key->type, key->allowed, setting->value->name);
}

static void walk_decl(Compilation *c, Decl *decl, AxisList *axes) {
    Walk walk = {c, decl->scope, decl->kind == STATEMENT_FORMULA ? decl : NULL, axes};
    if (decl->each) add_axis(c, axes, decl);
    follow_expr(&walk, decl->value);
    for (int i = 0; i < decl->settings.count; i++)
        if (!speaks_of_words(c, decl, &decl->settings.at[i])) follow_expr(&walk, decl->settings.at[i].value);
    if (!walk.formula) return;
    for (int i = 0; i < decl->statement->lines.count; i++) follow_expr(&walk, decl->statement->lines.at[i].value);
    for (int i = 0; i < decl->statement->where.count; i++) follow_expr(&walk, decl->statement->where.at[i]);
    for (int i = 0; i < decl->statement->params.count; i++) follow_expr(&walk, decl->statement->params.at[i].fallback);
}

/* Looked for once: a name met again while it is looked for stands in a circle, which evaluate.c tells. */
static const AxisList *open_axes(Compilation *c, Decl *decl) {
    static const AxisList none = {0};
    if (!decl->axes) {
        if (c->nested > DEEPEST_NAMES) return &none;
        decl->axes = arena_new(&c->arena, AxisList);
        c->nested++;
        walk_decl(c, decl, decl->axes);
        c->nested--;
    }
    return decl->axes;
}

static void follow_decl(const Walk *walk, Decl *decl) {
    if (!decl || decl->library) return;
    const AxisList *found = open_axes(walk->c, decl);
    for (int i = 0; i < found->count; i++) add_axis(walk->c, walk->axes, found->at[i]);
}

static bool is_pin(const Expr *e, const Decl *axis) {
    for (int i = 0; i < e->arguments.count; i++)
        if (e->arguments.at[i].name == axis->name) return true;
    return false;
}

/* cv[head = ArcFace] is open in all axes but this one; best(cv, by = map) in none. */
static void follow_decided(const Walk *walk, const Expr *e, const Expr *inner, bool all) {
    AxisList below = {0};
    Walk apart = *walk;
    apart.axes = &below;
    follow_expr(&apart, inner);
    for (int i = 0; i < below.count && !all; i++)
        if (!is_pin(e, below.at[i])) add_axis(walk->c, walk->axes, below.at[i]);
}

static bool calls_best(const Walk *walk, const Expr *e) {
    if (e->kind != EXPR_CALL || e->target->kind != EXPR_NAME || strcmp(e->target->name, "best") != 0 || !e->arguments.count) return false;
    const Decl *best = scope_find(walk->scope, e->target->name);
    return best && best->library;
}

static void follow_expr(const Walk *walk, const Expr *e) {
    if (!e) return;
    if (e->kind == EXPR_NAME) {
        if (!inside_formula(walk->formula, e->name)) follow_decl(walk, scope_find(walk->scope, e->name));
        return;
    }
    Scope *before_dot = e->kind == EXPR_FIELD && e->target->kind == EXPR_NAME && !inside_formula(walk->formula, e->target->name)
                            ? scope_before_dot(walk->c, walk->scope, e->target->name) : NULL;
    if (before_dot) {
        follow_decl(walk, map_get(&before_dot->names, e->name));
        return;
    }
    if (calls_best(walk, e)) {
        follow_decided(walk, e, e->arguments.at[0].value, true);
        return;
    }
    if (e->kind == EXPR_INDEX && e->arguments.count && e->arguments.at[0].name) {
        follow_decided(walk, e, e->target, false);
        return;
    }
    const Expr *below[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++) follow_expr(walk, below[i]);
    for (int i = 0; i < e->arguments.count; i++) follow_expr(walk, e->arguments.at[i].value);
}

void axes_of_decl(Compilation *c, Decl *decl, AxisList *axes) {
    const AxisList *found = open_axes(c, decl);
    for (int i = 0; i < found->count; i++) list_add(&c->arena, axes, found->at[i]);
}

void axes_of_expr(Compilation *c, const Scope *scope, const Expr *e, AxisList *axes) {
    Walk walk = {c, scope, NULL, axes};
    follow_expr(&walk, e);
}

/* ---- what choices are called ---------------------------------------------------------------------------------------- */

static const Expr *argument_named(const Expr *call, const char *name) {
    for (int i = 0; i < call->arguments.count; i++)
        if (call->arguments.at[i].name == name) return call->arguments.at[i].value;
    return NULL;
}

static const char *called(Compilation *c, const Expr *e) {
    if (e->kind == EXPR_CALL) return called(c, e->target);
    return expr_text(c->jre, e);
}

/* ArcFace(margin = 0.3rad): of the arguments those in which it differs from the other choices of that name. */
static const char *called_with_differences(Compilation *c, const ArgumentList *choices, const char *const *names, int index) {
    const Expr *own = choices->at[index].value;
    const char *name = names[index], *told = "";
    if (own->kind != EXPR_CALL) return name;
    for (int i = 0; i < own->arguments.count; i++) {
        const Argument *argument = &own->arguments.at[i];
        bool differs = false;
        for (int k = 0; k < choices->count && !differs; k++) {
            const Expr *other = choices->at[k].value;
            if (k == index || names[k] != name) continue;
            const Expr *theirs = other->kind != EXPR_CALL ? NULL : argument->name ? argument_named(other, argument->name)
                                 : i < other->arguments.count && !other->arguments.at[i].name ? other->arguments.at[i].value : NULL;
            differs = !theirs || !expr_equal(theirs, argument->value);
        }
        if (!differs) continue;
        const char *value = expr_text(c->jre, argument->value);
        told = arena_print(&c->arena, "%s%s%s%s%s", told, *told ? ", " : "", argument->name ? argument->name : "", argument->name ? " = " : "", value);
    }
    return *told ? arena_print(&c->arena, "%s(%s)", name, told) : name;
}

/* A choice is called by its text if that is a name or a literal, else by the name it calls; equal ones by that and the arguments that differ. */
const char *axis_choice(Compilation *c, Decl *axis, int index) {
    if (axis->choice_names) return axis->choice_names[index];
    const ArgumentList *choices = &axis->value->arguments;
    const char **names = arena_array(&c->arena, const char *, choices->count), **plain = arena_array(&c->arena, const char *, choices->count);
    Map first = {0}, again = {0};
    for (int i = 0; i < choices->count; i++) {
        plain[i] = intern(c->jre, called(c, choices->at[i].value));
        map_set(map_get(&first, plain[i]) ? &again : &first, &c->arena, plain[i], axis);
    }
    for (int i = 0; i < choices->count; i++) names[i] = map_get(&again, plain[i]) ? called_with_differences(c, choices, plain, i) : plain[i];
    axis->choice_names = names;
    return names[index];
}

/* ---- what an overlay decided ------------------------------------------------------------------------------------------- */

bool in_the_document(const Compilation *c, Span span) {
    const Source *source = source_of(c->jre, span);
    for (const Module *m = c->document; m; m = m->parent)
        if (m->document->source == source) return true;
    return false;
}

/* An equation of the document that an overlay gave one value: where the document speaks of its choices, this is the only one. */
Decl *closed_by_overlay(const Compilation *c, const Scope *scope, const char *name) {
    Decl *decl = map_get(&scope->names, name);
    bool equation = decl && decl->kind == STATEMENT_EQUATION && decl->value && !decl->each;
    return equation && in_the_document(c, decl->statement->span) && !in_the_document(c, decl->value->span) ? decl : NULL;
}

const char *only_choice(Compilation *c, const Decl *decl) { return called(c, decl->value); }

/* ---- members ---------------------------------------------------------------------------------------------------------- */

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
            MemberChoice named = {choice->axis->name, axis_choice(c, choice->axis, choice->index)};
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
