/* names.c: which words of a text are names that are looked up, and two mistakes about what they mean.
 *
 * Not looked up: a formula's own names, letters of index equations, words of a place that knows its own (`fill = gray`), columns in
 * conditions. A walk makes a copy of a text, in which a visitor has put what it likes in the place of each name. */
#include "compiler.h"

#include <string.h>

/* ---- walking a text ---------------------------------------------------------------------------------------------- */

static void note_own(NameWalk *walk, const char *name) { map_set(&walk->own, &walk->c->arena, name, walk); }

static bool is_own(const NameWalk *walk, const char *name) { return map_get(&walk->own, name) != NULL; }

/* A bare name in brackets is a letter, in `cv[head = ArcFace]` an axis is named. */
static bool is_letter(const Expr *list, const Argument *argument) {
    return list->kind == EXPR_INDEX && !argument->name && argument->value->kind == EXPR_NAME && !argument->value->parenthesized;
}

/* The formula that a call calls, as far as its name alone says it. */
static const Statement *called_formula(const NameWalk *walk, const Expr *call) {
    const Expr *callee = call->kind == EXPR_CALL ? call->target : NULL;
    const Decl *decl = callee && callee->kind == EXPR_NAME && !is_own(walk, callee->name) ? scope_find(walk->scope, callee->name) : NULL;
    return decl && decl->kind == STATEMENT_FORMULA ? decl->statement : NULL;
}

/* A bare name where a Word or a column is wanted, or a word of the place. */
static bool is_word(const NameWalk *walk, const Statement *formula, const Argument *argument, int place) {
    if (!formula || argument->value->kind != EXPR_NAME) return false;
    for (int i = 0; i < formula->params.count; i++) {
        const char *type = formula->params.at[i].type.name;
        if (argument->name ? formula->params.at[i].name != argument->name : i != place) continue;
        return word_type(type) || !strcmp(type, "Column") || word_comes_first(walk->c, type, "", argument->value->name);
    }
    return false;
}

static Expr *walk_expr(NameWalk *walk, const Expr *e, bool piped);

/* The scope that the names of a family's axes belong to: v03.likeness[head = ..], best(v04.cv, by = map).backbone. */
static const Scope *family_scope(const NameWalk *walk, const Expr *e) {
    for (; e; e = e->kind == EXPR_CALL ? e->arguments.count ? e->arguments.at[0].value : NULL : e->target) {
        if (e->kind != EXPR_FIELD || e->target->kind != EXPR_NAME || is_own(walk, e->target->name)) continue;
        const Scope *scope = scope_named(walk->c, walk->scope, e->target->name);
        if (scope) return scope;
    }
    return walk->scope;
}

static const char *walk_axis(NameWalk *walk, const Expr *family, const char *name, Span span) {
    const Scope *scope = family_scope(walk, family);
    const Decl *decl = map_get(&scope->names, name);
    Expr axis = {.kind = EXPR_NAME, .name = name, .span = span, .focus = span, .depth = 1};
    return decl && decl->each ? walk->visit(walk, scope, &axis)->name : name;
}

static void walk_arguments(NameWalk *walk, const Statement *formula, const Expr *e, Expr *copy, bool piped) {
    copy->arguments = (ArgumentList){0};
    for (int i = 0; i < e->arguments.count; i++) {
        Argument argument = e->arguments.at[i];
        bool stays = is_letter(e, &argument) || is_word(walk, formula, &argument, i + piped);
        const Scope *scope = walk->scope;
        if (e->kind == EXPR_INDEX && argument.name) {              /* the choice is called as it is there */
            argument.name = walk_axis(walk, e->target, argument.name, argument.name_span);
            walk->scope = family_scope(walk, e->target);
        }
        if (!stays) argument.value = walk_expr(walk, argument.value, false);
        walk->scope = scope;
        list_add(&walk->c->arena, &copy->arguments, argument);
    }
}

static Expr *walk_expr(NameWalk *walk, const Expr *e, bool piped) {
    if (!e) return NULL;
    Expr *copy = arena_new(&walk->c->arena, Expr);
    *copy = *e;
    if (e->kind == EXPR_NAME) return is_own(walk, e->name) ? copy : walk->visit(walk, walk->scope, copy);
    if (e->kind == EXPR_FIELD && e->target->kind == EXPR_NAME && !is_own(walk, e->target->name)) {
        const Scope *scope = scope_named(walk->c, walk->scope, e->target->name);
        if (scope) return walk->visit(walk, scope, copy);
    }
    for (int i = 0; i < e->letters.count; i++) note_own(walk, e->letters.at[i]);
    copy->target = walk_expr(walk, e->target, false);
    copy->left = walk_expr(walk, e->left, false);
    copy->right = walk_expr(walk, e->right, e->kind == EXPR_PIPE);
    copy->condition = walk_expr(walk, e->condition, false);
    walk_arguments(walk, called_formula(walk, e), e, copy, piped);
    if (e->kind == EXPR_FIELD) copy->name = walk_axis(walk, e->target, e->name, e->focus);
    return copy;
}

Expr *names_in(NameWalk *walk, const Expr *e) { return walk_expr(walk, e, false); }

/* ---- walking a declaration ----------------------------------------------------------------------------------------- */

/* What stands in a list of this type, if words may stand there. */
static const char *item_type(const char *type) { return !strcmp(type, "Metrics") ? "Metric" : !strcmp(type, "Names") ? "Column" : type; }

/* `balanced(identities = count)`: the first word is of the place, those inside may be names. */
static Expr *walk_words(NameWalk *walk, const char *type, const char *allowed, const Expr *e) {
    const PlaceWord *word = e->kind == EXPR_CALL && e->target->kind == EXPR_NAME ? place_word(type, e->target->name) : NULL;
    bool own = e->kind == EXPR_NAME && (!strcmp(type, "Column") || word_comes_first(walk->c, type, allowed, e->name));
    if (e->kind != EXPR_LIST && !word && !own) return walk_expr(walk, e, false);
    Expr *copy = arena_new(&walk->c->arena, Expr);
    *copy = *e;
    if (word) walk_arguments(walk, option_decl(walk->c, word)->statement, e, copy, false);
    if (e->kind != EXPR_LIST) return copy;
    copy->arguments = (ArgumentList){0};
    for (int i = 0; i < e->arguments.count; i++) {
        Argument argument = e->arguments.at[i];
        argument.value = walk_words(walk, item_type(type), allowed, argument.value);
        list_add(&walk->c->arena, &copy->arguments, argument);
    }
    return copy;
}

/* In a condition names are columns. */
static bool is_condition(const SchemaKey *key) { return !strcmp(key->type, "Condition") || !strcmp(key->type, "PairCondition"); }

static SettingList walk_settings(NameWalk *walk, const Decl *decl) {
    SettingList settings = {0};
    for (int i = 0; i < decl->settings.count; i++) {
        Setting setting = decl->settings.at[i];
        const SchemaKey *key = schema_find(decl->record, setting.key);
        if (setting.value && key && !is_condition(key)) setting.value = walk_words(walk, key->type, key->allowed, setting.value);
        list_add(&walk->c->arena, &settings, setting);
    }
    return settings;
}

static void note_sizes(NameWalk *walk, const Expr *size) {
    if (!size) return;
    if (size->kind == EXPR_NAME) note_own(walk, size->name);
    note_sizes(walk, size->left);
    note_sizes(walk, size->right);
}

static void note_type(NameWalk *walk, const Type *type) {
    for (int i = 0; i < type->dims.count; i++) note_sizes(walk, type->dims.at[i].size);
}

static void note_formula(NameWalk *walk, const Statement *s) {
    for (int i = 0; i < s->params.count; i++) {
        note_own(walk, s->params.at[i].name);
        note_type(walk, &s->params.at[i].type);
    }
    note_type(walk, &s->result);
    for (int i = 0; i < s->lines.count; i++) {
        const Line *line = &s->lines.at[i];
        if (line->name) note_own(walk, line->name);
        for (int k = 0; k < line->letters.count; k++) note_own(walk, line->letters.at[k]);
        if (line->kind == LINE_LEARN) note_type(walk, &line->type);
    }
}

static void walk_formula(NameWalk *walk, const Statement *s, Statement *copy) {
    Arena *arena = &walk->c->arena;
    note_formula(walk, s);
    copy->params.count = copy->params.room = copy->where.count = copy->where.room = copy->lines.count = copy->lines.room = 0;
    copy->params.at = NULL, copy->where.at = NULL, copy->lines.at = NULL;
    for (int i = 0; i < s->params.count; i++) {
        Param param = s->params.at[i];
        if (!word_type(param.type.name)) param.fallback = walk_expr(walk, param.fallback, false);
        list_add(arena, &copy->params, param);
    }
    for (int i = 0; i < s->where.count; i++) list_add(arena, &copy->where, walk_expr(walk, s->where.at[i], false));
    for (int i = 0; i < s->lines.count; i++) {
        Line line = s->lines.at[i];
        line.value = walk_expr(walk, line.value, false);
        list_add(arena, &copy->lines, line);
    }
}

/* The declaration as one statement, after every change. */
Statement *flat_statement(NameWalk *walk, const Decl *decl) {
    Statement *flat = arena_new(&walk->c->arena, Statement);
    *flat = *decl->statement;
    flat->like = NULL;
    flat->each = decl->each;
    walk->own = (Map){0};
    if (decl->kind == STATEMENT_FORMULA) walk_formula(walk, decl->statement, flat);
    flat->value = walk_expr(walk, decl->value, false);
    flat->settings = walk_settings(walk, decl);
    return flat;
}

/* ---- what else a name might have meant -------------------------------------------------------------------------------- */

typedef struct {
    Map taken;                            /* declared by a document though a module or core has the name: to Decl */
    Map doubled;                          /* declared by two of the modules that are used: to the first Decl */
} Doubt;

/* In the chain: 0 the first document, overlays last. */
static int document_index(const Compilation *c, const Scope *scope, Span span) {
    const Source *source = source_of(c->jre, span);
    int after = 0, found = -1;
    for (const Module *m = scope->document; m; m = m->parent, after++)
        if (m->document->source == source) found = after;
    return found < 0 ? after : after - 1 - found;
}

/* A document between the first and `last` uses the module itself. */
static bool used_up_to(const Compilation *c, const Scope *scope, const Scope *module, int last) {
    int index = document_index(c, scope, NOWHERE) - 1;
    for (const Module *m = scope->document; m; m = m->parent, index--)
        for (int i = 0; index <= last && i < m->uses.count; i++)
            if (map_get(&c->library_scopes, m->uses.at[i]->document->source->path) == module) return true;
    return false;
}

/* Where only one of the modules was there when the line was written, that one is meant. */
static void tell_doubled(Compilation *c, const Scope *scope, const Expr *name) {
    Diagnostic *d = diag(c->jre, DIAG_already_named, name->span, "two modules have a `%s`", name->name);
    int written = document_index(c, scope, name->span), there = 0;
    for (int i = 0; i < scope->uses.count; i++) {
        const Scope *module = scope->uses.at[i];
        const Decl *decl = module->core ? NULL : map_get(&module->names, name->name);
        if (!decl) continue;
        diag_also(d, decl->statement->name_span, "one of `%s`", module->name);
        there += used_up_to(c, scope, module, written);
    }
    for (int i = 0; i < scope->uses.count; i++) {
        const Scope *module = scope->uses.at[i];
        if (module->core || !map_get(&module->names, name->name)) continue;
        bool meant = there == 1 && used_up_to(c, scope, module, written);
        diag_help(d, meant ? "this document knew that of `%s`" : "say which: that of `%s`", module->name);
        diag_edit(d, name->span, meant, "%s.%s", module->name, name->name);
    }
}

static void tell_taken(Compilation *c, const Decl *decl, const Expr *use) {
    const Decl *other = NULL;
    for (int i = 0; i < decl->scope->uses.count && !other; i++) other = map_get(&decl->scope->uses.at[i]->names, decl->name);
    Diagnostic *d = diag(c->jre, DIAG_already_named, decl->statement->name_span, "a name of the library that this chain already uses");
    diag_also(d, use->span, "used here");
    if (other) diag_also(d, other->statement->name_span, "declared here");
    diag_help(d, "choose another name; or write your own into the documents that mean it");
}

static Expr *doubt_name(NameWalk *walk, const Scope *scope, Expr *name) {
    Doubt *doubt = walk->context;
    if (name->kind != EXPR_NAME) return name;
    const Decl *taken = map_get(&doubt->taken, name->name);
    if (taken && document_index(walk->c, scope, name->span) < document_index(walk->c, scope, taken->statement->span)) {
        tell_taken(walk->c, taken, name);
        map_set(&doubt->taken, &walk->c->arena, name->name, NULL);
    }
    if (!map_get(&scope->names, name->name) && map_get(&doubt->doubled, name->name)) tell_doubled(walk->c, scope, name);
    return name;
}

/* False where no name is in doubt, as is usual: then nothing is walked. */
static bool find_doubts(Compilation *c, const Scope *scope, Doubt *doubt) {
    Map first = {0};
    int found = 0;
    for (int i = 0; i < scope->uses.count; i++) {
        const Scope *module = scope->uses.at[i];
        for (int k = 0; k < module->names.count; k++) {
            const MapEntry *entry = &module->names.entries[k];
            if (!entry->value) continue;
            Decl *declared = scope->document ? map_get(&c->declared, entry->key) : NULL;
            if (!declared && scope->document) declared = map_get(&scope->names, entry->key);       /* by an overlay */
            if (declared) map_set(&doubt->taken, &c->arena, entry->key, declared), found++;
            if (module->core) continue;
            if (map_get(&first, entry->key)) map_set(&doubt->doubled, &c->arena, entry->key, entry->value), found++;
            map_set(&first, &c->arena, entry->key, entry->value);
        }
    }
    return found;
}

void check_names(Compilation *c, const Scope *scope) {
    Doubt doubt = {0};
    if (!find_doubts(c, scope, &doubt)) return;
    NameWalk walk = {.c = c, .scope = scope, .visit = doubt_name, .context = &doubt};
    for (int i = 0; i < scope->names.count; i++)
        if (scope->names.entries[i].value) flat_statement(&walk, scope->names.entries[i].value);
    walk.own = (Map){0};
    if (scope != c->scope) return;
    for (int i = 0; i < c->probes.count; i++) names_in(&walk, c->probes.at[i]->value);
    for (int i = 0; i < c->expects.count; i++) names_in(&walk, c->expects.at[i]->value);
    for (int i = 0; i < c->document->document->quotes.count; i++) names_in(&walk, c->document->document->quotes.at[i]);
}
