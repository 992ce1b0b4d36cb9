/* flat.c: `jre show`: the flat program as a document of its own. */
#include "compiler.h"

#include <stdlib.h>
#include <string.h>

/* Data is named by absolute paths, so that the flat program means the same wherever it is kept. */
static void fix_root(Compilation *c, Statement *dataset) {
    Setting *root = NULL;
    SettingList settings = {0};
    for (int i = 0; i < dataset->settings.count; i++) list_add(&c->arena, &settings, dataset->settings.at[i]);
    for (int i = 0; i < settings.count; i++)
        if (!strcmp(settings.at[i].key, "root")) root = &settings.at[i];
    bool given = root && root->value && root->value->kind == EXPR_TEXT;
    const Source *source = source_of(c->jre, given ? root->value->span : dataset->span);
    const char *folder = source ? source->folder : ".", *path = given ? root->value->name : folder;
    if (given && path[0] != '/') path = arena_print(&c->arena, "%s/%s", folder, path);
    char *absolute = realpath(path, NULL);
    if (!absolute) return;                                         /* not there: as it was written */
    Expr *text = arena_new(&c->arena, Expr);
    *text = (Expr){.kind = EXPR_TEXT, .name = intern(c->jre, absolute), .depth = 1};
    free(absolute);
    Setting fixed = {.key = intern(c->jre, "root"), .value = text};
    if (root) *root = fixed;
    else list_add(&c->arena, &settings, fixed);
    dataset->settings = settings;
}

/* An expectation that was asked of each choice of an overlay would be undecided in a document of its own: it stays as a comment. */
static void print_expectation(Compilation *c, const Statement *expect, Text *out) {
    text_add(out, "\n");
    if (expectation_members(c, expect) != 1) text_add(out, "# of each choice: ");
    print_statement(out, expect);
    text_add(out, "\n");
}

void print_flat_program(Compilation *c, Text *out) {
    text_add(out, "# %s, flat\n\n```jre\n", c->version);
    for (int i = 0; i < c->scope->uses.count; i++)
        if (!c->scope->uses.at[i]->core) text_add(out, "use %s\n", c->scope->uses.at[i]->name);
    for (int i = 0; i < c->scope->names.count; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        if (!decl) continue;
        Statement flat = *decl->statement;
        flat.value = decl->value;
        flat.each = decl->each;
        flat.settings = decl->settings;
        flat.like = NULL;
        if (flat.kind == STATEMENT_RECORD && flat.record == KIND_dataset) fix_root(c, &flat);
        text_add(out, "\n");
        print_statement(out, &flat);
        text_add(out, "\n");
    }
    for (int i = 0; i < c->accepts.count; i++) {
        text_add(out, "\n");
        print_statement(out, c->accepts.at[i]);
        text_add(out, "\n");
    }
    for (int i = 0; i < c->expects.count; i++) print_expectation(c, c->expects.at[i], out);
    text_add(out, "```\n");
}
