/* flat.c: `jre show`: the flat program as one document that extends nothing, and means the same wherever it is kept.
 *
 *   v03.likeness[head = ArcFace]     ->     v03_likeness[v03_head = ArcFace], with all that v03's own program makes them of
 *
 * What an ancestor or a module beside the document declares comes along, under its own name where that is free. Data and weights
 * are named by absolute paths. Weights of stages without `as` are called by what they call: such a one, renamed, is another network. */
#include "compiler.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Compilation *c;
    Map names;                            /* taken in the flat program */
    LIST(Decl *) decls;                   /* in the order they are printed; grows while it is walked */
    LIST(const Scope *) uses;
    LIST(Statement *) statements;
} Flat;

/* ---- names ---------------------------------------------------------------------------------------------------------- */

static void bring(Flat *flat, Decl *decl, const char *name) {
    decl->flat_name = name;
    map_set(&flat->names, &flat->c->arena, declared_as(flat->c, decl->record, name), decl);
    list_add(&flat->c->arena, &flat->decls, decl);
}

static bool is_free(const Flat *flat, const char *name) {
    const Decl *found = scope_find(flat->c->scope, name);
    return !map_get(&flat->names, name) && !(found && found->scope->shipped);
}

/* Its own name, else with the document's or module's in front, else with a number behind. */
static const char *free_name(const Flat *flat, const Decl *decl) {
    if (is_free(flat, decl->name)) return decl->name;
    const char *first = intern(flat->c->jre, arena_print(&flat->c->arena, "%s_%s", decl->scope->name, decl->name)), *name = first;
    for (int i = 2; !is_free(flat, name); i++) name = intern(flat->c->jre, arena_print(&flat->c->arena, "%s_%d", first, i));
    return name;
}

static void note_use(Flat *flat, const Scope *module) {
    for (int i = 0; i < flat->uses.count; i++)
        if (flat->uses.at[i] == module) return;
    if (!module->core && module->shipped) list_add(&flat->c->arena, &flat->uses, module);
}

static Expr *named(Compilation *c, const Expr *at, const char *name) {
    Expr *e = arena_new(&c->arena, Expr);
    *e = (Expr){.kind = EXPR_NAME, .name = name, .span = at->span, .focus = at->span, .depth = 1};
    return e;
}

/* `stage` or `resnet.stage`, whichever finds it from the flat program. */
static Expr *library_name(Flat *flat, const Decl *decl, Expr *name) {
    note_use(flat, decl->scope);
    if (name->kind == EXPR_FIELD || decl->scope->core || scope_find(flat->c->scope, name->name) == decl) return name;
    Expr *field = arena_new(&flat->c->arena, Expr);
    *field = (Expr){.kind = EXPR_FIELD, .name = name->name, .target = named(flat->c, name, decl->scope->name), .span = name->span, .focus = name->span, .depth = 2};
    return field;
}

static Expr *flat_name(NameWalk *walk, const Scope *scope, Expr *name) {
    Flat *flat = walk->context;
    Decl *decl = name->kind == EXPR_NAME ? scope_find(scope, name->name) : map_get(&scope->names, name->name);
    if (!decl) return name;
    if (decl->library && decl->scope->shipped) return library_name(flat, decl, name);
    if (!decl->flat_name || map_get(&flat->names, decl->flat_name) != decl) bring(flat, decl, free_name(flat, decl));
    Expr *found = named(walk->c, name, decl->flat_name);
    found->parenthesized = name->parenthesized;
    return found;
}

/* ---- paths ------------------------------------------------------------------------------------------------------------ */

/* NULL if there is nothing. */
static const char *absolute_path(Compilation *c, const char *folder, const char *path) {
    char buffer[PATH_MAX], *real = realpath(path[0] == '/' ? path : arena_print(&c->arena, "%s/%s", folder, path), buffer);
    const char *absolute = real ? intern(c->jre, real) : NULL;
    return absolute;
}

static Expr *text_of(Compilation *c, const char *text) {
    Expr *e = arena_new(&c->arena, Expr);
    *e = (Expr){.kind = EXPR_TEXT, .name = text, .depth = 1};
    return e;
}

static const char *folder_of(const Compilation *c, Span span) {
    const Source *source = source_of(c->jre, span);
    return source ? source->folder : ".";
}

/* A dataset's root is written even where it was understood: the folder of its document. */
static void fix_root(Compilation *c, Statement *dataset) {
    Setting *root = NULL;
    for (int i = 0; i < dataset->settings.count; i++)
        if (!strcmp(dataset->settings.at[i].key, "root")) root = &dataset->settings.at[i];
    bool given = root && root->value && root->value->kind == EXPR_TEXT;
    if (root && !given) return;
    const char *path = given ? root->value->name : ".", *folder = folder_of(c, given ? root->value->span : dataset->span);
    const char *absolute = absolute_path(c, folder, path), *from = absolute ? NULL : absolute_path(c, folder, ".");
    if (from && path[0] != '/') absolute = arena_print(&c->arena, "%s/%s", from, path);            /* not there yet */
    if (!absolute) return;
    if (root) root->value = text_of(c, absolute);
    else list_add(&c->arena, &dataset->settings, ((Setting){.key = intern(c->jre, "root"), .value = text_of(c, absolute)}));
}

/* A file of weights beside the document, or in `weights` there; those of JRE_WEIGHTS and of the library are found from anywhere. */
static Expr *fixed_weights(Compilation *c, Expr *file) {
    if (file->kind != EXPR_TEXT) return file;
    const char *folder = folder_of(c, file->span), *absolute = absolute_path(c, folder, file->name);
    if (!absolute) absolute = absolute_path(c, arena_print(&c->arena, "%s/weights", folder), file->name);
    return absolute ? text_of(c, absolute) : file;
}

/* In the copy of a walk. */
static void fix_weights(Compilation *c, Expr *e) {
    if (!e) return;
    Expr *const below[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++) fix_weights(c, below[i]);
    for (int i = 0; i < e->arguments.count; i++) {
        Argument *argument = &e->arguments.at[i];
        if (e->kind == EXPR_CALL && argument->name && !strcmp(argument->name, "weights")) argument->value = fixed_weights(c, argument->value);
        else fix_weights(c, argument->value);
    }
}

/* ---- declarations ------------------------------------------------------------------------------------------------------- */

static void drop_setting(Statement *s, const char *key) {
    for (int i = 0; i < s->settings.count; i++)
        if (!strcmp(s->settings.at[i].key, key)) s->settings.at[i--] = s->settings.at[--s->settings.count];
}

static void fix_paths(Compilation *c, Statement *s) {
    if (s->kind == STATEMENT_RECORD && s->record == KIND_dataset) fix_root(c, s);
    fix_weights(c, s->value);
    for (int i = 0; i < s->settings.count; i++)
        if (s->settings.at[i].value && s->settings.at[i].value->kind != EXPR_TEXT) fix_weights(c, s->settings.at[i].value);
    for (int i = 0; i < s->params.count; i++) fix_weights(c, s->params.at[i].fallback);
    for (int i = 0; i < s->lines.count; i++) fix_weights(c, s->lines.at[i].value);
}

static Statement *flat_declaration(Flat *flat, const Decl *decl) {
    NameWalk walk = {.c = flat->c, .scope = decl->scope, .visit = flat_name, .context = flat};
    Statement *s = flat_statement(&walk, decl);
    s->name = decl->flat_name;
    fix_paths(flat->c, s);
    if (decl->scope != flat->c->scope && decl->record == KIND_evaluate) drop_setting(s, "record");      /* what is quoted writes no rows */
    return s;
}

static Statement *flat_question(Flat *flat, const Statement *question) {
    NameWalk walk = {.c = flat->c, .scope = flat->c->scope, .visit = flat_name, .context = flat};
    Statement *s = arena_new(&flat->c->arena, Statement);
    *s = *question;
    s->value = names_in(&walk, question->value);
    fix_weights(flat->c, s->value);
    return s;
}

/* ---- the text ------------------------------------------------------------------------------------------------------------ */

static void print_line(Text *out, const Statement *s) {
    text_add(out, "\n");
    print_statement(out, s);
    text_add(out, "\n");
}

/* An expectation that was asked of each choice of an overlay would be undecided in a document of its own: it stays as a comment. */
static void print_expectation(Compilation *c, const Statement *expect, const Statement *flat, Text *out) {
    MemberList members = {0};
    members_opened(c, expect->value, &members);
    text_add(out, members.count == 1 ? "" : "\n# of each choice:");
    if (members.count == 1) print_line(out, flat);
    else text_add(out, " %s\n", expr_text(c->jre, flat->value));
}

/* What is overruled for a declaration of an ancestor is so for what is quoted of it. */
static void print_accepts(Flat *flat, Text *out) {
    Seen printed = {0};                   /* the scopes whose are */
    for (int k = 0; k < flat->decls.count; k++) {
        const Scope *scope = flat->decls.at[k]->scope;
        if (!seen_first(&printed, &flat->c->arena, scope)) continue;
        for (int i = 0; i < scope->accepts.count; i++) {
            const Decl *decl = map_get(&scope->names, accepted_slot(flat->c, scope, scope->accepts.at[i]));
            if (!decl || !decl->flat_name) continue;                           /* nothing quotes it */
            Statement accept = *scope->accepts.at[i];
            accept.subject = decl->flat_name;
            print_line(out, &accept);
        }
    }
}

static void gather(Flat *flat) {
    Compilation *c = flat->c;
    for (int i = 0; i < c->scope->uses.count; i++) note_use(flat, c->scope->uses.at[i]);
    for (int i = 0; i < c->scope->names.count; i++) {
        Decl *decl = c->scope->names.entries[i].value;
        if (decl) bring(flat, decl, decl->name);
    }
}

/* A view that was inherited and that a change left without a use would be a mistake of the flat program's own: it stays out. */
static void drop_idle_views(Flat *flat, const Statement *const *questions, int question_count) {
    for (bool dropped = true; dropped;) {
        Map names = {0};
        int kept = 0, count = flat->statements.count;
        for (int i = 0; i < count; i++) mentioned_names(flat->c, flat->statements.at[i], &names);
        for (int i = 0; i < question_count; i++) mentioned_names(flat->c, questions[i], &names);
        for (int i = 0; i < count; i++) {
            Statement *s = flat->statements.at[i];
            bool view = s->kind == STATEMENT_FORMULA && s->formula == FORMULA_augment;
            const Source *source = source_of(flat->c->jre, s->span);
            if (view && !map_get(&names, s->name) && source != flat->c->document->document->source) continue;
            flat->statements.at[kept++] = s;
        }
        flat->statements.count = kept;
        dropped = kept < count;
    }
}

void print_flat_program(Compilation *c, Text *out) {
    Flat flat = {.c = c};
    LIST(Statement *) questions = {0};
    gather(&flat);
    for (int i = 0; i < c->probes.count; i++) list_add(&c->arena, &questions, flat_question(&flat, c->probes.at[i]));
    for (int i = 0; i < c->expects.count; i++) list_add(&c->arena, &questions, flat_question(&flat, c->expects.at[i]));
    for (int i = 0; i < flat.decls.count; i++) list_add(&c->arena, &flat.statements, flat_declaration(&flat, flat.decls.at[i]));
    drop_idle_views(&flat, (const Statement *const *)questions.at, questions.count);
    text_add(out, "# %s, flat\n\n```jre\n", c->version);
    for (int i = 0; i < flat.uses.count; i++) text_add(out, "use %s\n", flat.uses.at[i]->name);
    for (int i = 0; i < flat.statements.count; i++) print_line(out, flat.statements.at[i]);
    print_accepts(&flat, out);
    for (int i = 0; i < c->probes.count; i++) print_line(out, questions.at[i]);
    for (int i = 0; i < c->expects.count; i++) print_expectation(c, c->expects.at[i], questions.at[c->probes.count + i], out);
    text_add(out, "```\n");
}
