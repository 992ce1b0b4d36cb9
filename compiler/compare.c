/* compare.c: how two flat programs differ in meaning: order, prose, comments, blanks and needless parentheses do not count.
 *
 * A declaration that is gone is held against those that are new: if one says the same under another name, it was renamed, and whoever
 * names it has not changed. Two things say the same if their texts are equal, written in one way. */
#include "compiler.h"

#include <string.h>

typedef struct { const Decl *decl; const char *slot, *content; bool told; } Compared;            /* slot: its name in the scope; figures stand apart */
typedef struct { Compilation *c; const Scope *scope; LIST(Compared) decls; Map by_slot; } FlatSide;

typedef struct {
    FlatSide old, new;
    Map renamed;                          /* old slots to Compared of the new program */
    DifferenceList *found;
} Comparison;

/* ---- one way to write a thing ---------------------------------------------------------------------------------------- */

/* A copy without needless parentheses; in brackets `(i)` is a position and `i` a letter. */
static Expr *bare(Arena *arena, const Expr *e) {
    if (!e) return NULL;
    Expr *copy = arena_new(arena, Expr);
    *copy = *e;
    copy->parenthesized = false;
    copy->target = bare(arena, e->target);
    copy->left = bare(arena, e->left);
    copy->right = bare(arena, e->right);
    copy->condition = bare(arena, e->condition);
    copy->arguments = (ArgumentList){0};
    for (int i = 0; i < e->arguments.count; i++) {
        Argument argument = e->arguments.at[i];
        argument.value = bare(arena, argument.value);
        if (e->kind == EXPR_INDEX && argument.value->kind == EXPR_NAME) argument.value->parenthesized = e->arguments.at[i].value->parenthesized;
        list_add(arena, &copy->arguments, argument);
    }
    return copy;
}

static void sort_settings(SettingList *settings) {
    for (int i = 1; i < settings->count; i++)
        for (int k = i; k > 0 && strcmp(settings->at[k - 1].key, settings->at[k].key) > 0; k--) {
            Setting earlier = settings->at[k];
            settings->at[k] = settings->at[k - 1];
            settings->at[k - 1] = earlier;
        }
}

/* Old names of what was renamed become the new ones. */
static Expr *name_now(NameWalk *walk, const Scope *scope, Expr *name) {
    const Comparison *comparison = walk->context;
    const Compared *new = scope == comparison->old.scope && name->kind == EXPR_NAME ? map_get(&comparison->renamed, name->name) : NULL;
    if (new) name->name = new->decl->name;
    return name;
}

static Statement *plain(Comparison *comparison, const FlatSide *side, const Decl *decl) {
    NameWalk walk = {.c = side->c, .scope = decl->scope, .visit = name_now, .context = comparison};
    Arena *arena = &side->c->arena;
    Statement *s = flat_statement(&walk, decl);
    s->value = bare(arena, s->value);
    for (int i = 0; i < s->settings.count; i++) s->settings.at[i].value = bare(arena, s->settings.at[i].value);
    for (int i = 0; i < s->params.count; i++) s->params.at[i].fallback = bare(arena, s->params.at[i].fallback);
    for (int i = 0; i < s->where.count; i++) s->where.at[i] = bare(arena, s->where.at[i]);
    for (int i = 0; i < s->lines.count; i++) s->lines.at[i].value = bare(arena, s->lines.at[i].value);
    sort_settings(&s->settings);
    return s;
}

static const char *statement_text(Compilation *c, const Statement *s) {
    Text text = {.jre = c->jre};
    print_statement(&text, s);
    const char *words = intern(c->jre, text.at);
    text_free(&text);
    return words;
}

/* All but the name. */
static const char *content_of(Comparison *comparison, const FlatSide *side, const Decl *decl) {
    Statement *s = plain(comparison, side, decl);
    s->name = "_";
    return statement_text(side->c, s);
}

/* ---- renames ----------------------------------------------------------------------------------------------------------- */

static void gather(Comparison *comparison, FlatSide *side) {
    for (int i = 0; i < side->scope->names.count; i++) {
        const Decl *decl = side->scope->names.entries[i].value;
        if (!decl) continue;
        Compared compared = {.decl = decl, .slot = side->scope->names.entries[i].key, .content = content_of(comparison, side, decl)};
        list_add(&side->c->arena, &side->decls, compared);
    }
    for (int i = 0; i < side->decls.count; i++) map_set(&side->by_slot, &side->c->arena, side->decls.at[i].slot, &side->decls.at[i]);
}

/* One round: what names a renamed thing may be found renamed in the next. */
static int find_renames(Comparison *comparison) {
    FlatSide *old = &comparison->old, *new = &comparison->new;
    Map added = {0};
    int found = 0;
    for (int i = new->decls.count - 1; i >= 0; i--) {
        Compared *candidate = &new->decls.at[i];
        if (!candidate->told && !map_get(&old->by_slot, candidate->slot)) map_set(&added, &new->c->arena, candidate->content, candidate);
    }
    for (int i = 0; i < old->decls.count && added.count; i++) {
        Compared *gone = &old->decls.at[i];
        if (gone->told || map_get(&new->by_slot, gone->slot)) continue;
        Compared *same = map_get(&added, content_of(comparison, old, gone->decl));
        if (!same) continue;
        map_set(&added, &new->c->arena, same->content, NULL);
        map_set(&comparison->renamed, &old->c->arena, gone->slot, same);
        same->told = gone->told = true;
        found++;
    }
    return found;
}

/* ---- what is told ---------------------------------------------------------------------------------------------------------- */

static const char *what_it_is(const Decl *decl) {
    if (decl->kind == STATEMENT_RECORD) return kind_name(decl->record);
    return decl->kind == STATEMENT_FORMULA ? formula_name(decl->statement->formula) : "equation";
}

static void tell(Comparison *comparison, Difference difference) { list_add(&comparison->new.c->arena, comparison->found, difference); }

static const char *value_of(Compilation *c, const Expr *e, bool each) {
    return e ? arena_print(&c->arena, "%s%s", each ? "each " : "", expr_text(c->jre, e)) : NULL;
}

/* Both lists are sorted by their keys. */
static void compare_settings(Comparison *comparison, const Statement *old, const Statement *new) {
    Compilation *c = comparison->new.c;
    int i = 0, k = 0;
    while (i < old->settings.count || k < new->settings.count) {
        const Setting *a = i < old->settings.count ? &old->settings.at[i] : NULL, *b = k < new->settings.count ? &new->settings.at[k] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->key, b->key);
        const char *before = order <= 0 ? value_of(c, a->value, false) : NULL, *now = order >= 0 ? value_of(c, b->value, false) : NULL;
        if (before != now && !(before && now && !strcmp(before, now)))
            tell(comparison, (Difference){DIFFERENCE_CHANGED, kind_name(new->record), new->name, order <= 0 ? a->key : b->key, before, now});
        i += order <= 0;
        k += order >= 0;
    }
}

static void compare_decls(Comparison *comparison, const Decl *before, const Decl *now) {
    Compilation *c = comparison->new.c;
    const Statement *old = plain(comparison, &comparison->old, before), *new = plain(comparison, &comparison->new, now);
    bool alike = before->kind == now->kind && before->record == now->record;
    if (alike && now->kind == STATEMENT_RECORD) {
        compare_settings(comparison, old, new);
        return;
    }
    bool equation = alike && now->kind == STATEMENT_EQUATION;
    const char *a = equation ? value_of(c, old->value, old->each) : statement_text(c, old), *b = equation ? value_of(c, new->value, new->each) : statement_text(c, new);
    if (strcmp(a, b) != 0) tell(comparison, (Difference){DIFFERENCE_CHANGED, what_it_is(now), now->name, NULL, a, b});
}

void compare_programs(Compilation *old, const Scope *old_scope, Compilation *new, const Scope *new_scope, DifferenceList *found) {
    enum { MOST_ROUNDS = 20 };
    Comparison comparison = {.old = {.c = old, .scope = old_scope}, .new = {.c = new, .scope = new_scope}, .found = found};
    gather(&comparison, &comparison.old);
    gather(&comparison, &comparison.new);
    for (int i = 0; i < MOST_ROUNDS && find_renames(&comparison);) i++;
    for (int i = 0; i < comparison.old.decls.count; i++) {
        const Compared *before = &comparison.old.decls.at[i], *now = map_get(&comparison.new.by_slot, before->slot);
        const Compared *renamed = map_get(&comparison.renamed, before->slot);
        if (renamed) tell(&comparison, (Difference){DIFFERENCE_RENAMED, what_it_is(before->decl), renamed->decl->name, NULL, before->decl->name, renamed->decl->name});
        else if (now) compare_decls(&comparison, before->decl, now->decl);
        else tell(&comparison, (Difference){DIFFERENCE_REMOVED, what_it_is(before->decl), before->decl->name, NULL, statement_text(old, plain(&comparison, &comparison.old, before->decl)), NULL});
    }
    for (int i = 0; i < comparison.new.decls.count; i++) {
        const Compared *now = &comparison.new.decls.at[i];
        if (now->told || map_get(&comparison.old.by_slot, now->slot)) continue;
        tell(&comparison, (Difference){DIFFERENCE_ADDED, what_it_is(now->decl), now->decl->name, NULL, NULL, statement_text(new, plain(&comparison, &comparison.new, now->decl))});
    }
}
