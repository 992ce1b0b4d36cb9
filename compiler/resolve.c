/* resolve.c: one flat program.
 *
 *   v01 <- v02 <- v03, then --with and --set     ->     one scope of declarations, every change applied
 *
 * Every `change` and `remove` is applied before any name is looked up, so what v01 wrote follows what v04 changed. Libraries
 * get scopes of their own: they see themselves, what they use and core, never a document. */
#include "compiler.h"

#include <stdlib.h>
#include <string.h>

/* ---- scopes ----------------------------------------------------------------------------------------------------- */

Decl *scope_find(const Scope *scope, const char *name) {
    Decl *own = map_get(&scope->names, name);
    for (int i = 0; i < scope->uses.count && !own; i++) own = map_get(&scope->uses.at[i]->names, name);
    return own;
}

static void names_of(Compilation *c, const Scope *scope, NameList *names) {
    for (int i = 0; i < scope->names.count; i++)
        if (scope->names.entries[i].value) list_add(&c->arena, names, scope->names.entries[i].key);
}

void report_unknown_name(Compilation *c, const Scope *scope, const char *name, Span span) {
    NameList names = {0};
    names_of(c, scope, &names);
    for (int i = 0; i < scope->uses.count; i++) names_of(c, scope->uses.at[i], &names);
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "nothing here is called `%s`", name);
    const char *module = module_that_declares(c->jre, name), *near = module ? NULL : nearest_name(name, names.at, names.count);
    if (module) {
        diag_help(d, "the library has it: add the line `use %s`", module);
        return;
    }
    if (near) {
        diag_help(d, "did you mean `%s`?", near);
        diag_edit(d, span, false, "%s", near);
        return;
    }
    diag_note(d, "a name is declared in the document, in what it extends, in a module it uses, or in the language itself");
    diag_help(d, "declare `%s`, or bring the module that has it: use NAME", name);
}

/* ---- checks of a record's own text ----------------------------------------------------------------------------------- */

static const char *keys_of(Compilation *c, RecordKind kind, NameList *names) {
    const char *text = "";
    for (int i = 0; i < schema_key_count; i++) {
        if (schema_keys[i].kind != kind) continue;
        list_add(&c->arena, names, schema_keys[i].name);
        text = arena_print(&c->arena, "%s %s", text, schema_keys[i].name);
    }
    return text;
}

static bool known_key(Compilation *c, RecordKind kind, const Setting *setting) {
    if (schema_find(kind, setting->key)) return true;
    NameList names = {0};
    const char *known = keys_of(c, kind, &names);
    Diagnostic *d = diag(c->jre, DIAG_unknown_key, setting->key_span, "`%s` has no setting of this name", kind_name(kind));
    diag_fact(d, "`%s` knows:%s", kind_name(kind), known);
    const char *near = nearest_name(setting->key, names.at, names.count);
    if (near) {
        diag_help(d, "did you mean `%s`?", near);
        diag_edit(d, setting->key_span, true, "%s", near);
    } else {
        diag_help(d, "take the line out, or write one of these");
    }
    return false;
}

static Setting *setting_of(SettingList *settings, const char *key) {
    for (int i = 0; i < settings->count; i++)
        if (settings->at[i].key == key) return &settings->at[i];
    return NULL;
}

static void twice(Compilation *c, const char *what, Span again, Span before) {
    Diagnostic *d = diag(c->jre, DIAG_already_named, again, "`%s` is set a second time", what);
    diag_also(d, before, "here first");
    diag_help(d, "keep one of the two lines");
}

/* Copies checked settings; the first of two equal keys stays. */
static bool take_settings(Compilation *c, RecordKind kind, const SettingList *from, SettingList *to) {
    bool sound = true;
    for (int i = 0; i < from->count; i++) {
        const Setting *setting = &from->at[i];
        Setting *before = setting_of(to, setting->key);
        bool known = known_key(c, kind, setting);
        if (known && before) twice(c, setting->key, setting->key_span, before->key_span);
        if (!known || before) sound = false;
        else list_add(&c->arena, to, *setting);
    }
    return sound;
}

static void check_needed(Compilation *c, Decl *decl) {
    bool poisoned = false;
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        if (key->kind != decl->record || !key->needed) continue;
        bool there = false;
        for (int k = 0; k < decl->settings.count; k++)
            if (!strcmp(decl->settings.at[k].key, key->name)) there = true;
        if (there) continue;
        Diagnostic *d = diag(c->jre, DIAG_missing_key, decl->statement->name_span, "`%s` needs the setting `%s`", kind_name(decl->record), key->name);
        diag_fact(d, "`%s` is %s", key->name, key->sentence);
        diag_help(d, "add a line that begins with `%s`", key->name);
        poisoned = true;
    }
    decl->poisoned = poisoned;
}

/* ---- statements, one after the other ------------------------------------------------------------------------------------ */

static Decl *declare(Compilation *c, Scope *scope, const Statement *s, bool library) {
    Decl *before = map_get(&scope->names, s->name);
    if (before) {
        Place place = place_of(c->jre, before->statement->name_span.start);
        Diagnostic *d = diag(c->jre, DIAG_already_named, s->name_span, "comes from %s:%d", place.source->name, place.line);
        diag_also(d, before->statement->name_span, "declared here");
        diag_help(d, "to alter it, name only what differs: change %s ..., or choose another name", s->name);
        return NULL;
    }
    Decl *decl = arena_new(&c->arena, Decl);
    *decl = (Decl){.name = s->name, .kind = s->kind, .statement = s, .scope = scope, .library = library,
                   .value = s->value, .each = s->each, .each_span = s->each_span, .record = KIND_NONE};
    if (s->builtin && !scope->core) {
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, s->name_span, "`builtin` is for the words that jre is born with, `%s` is none of them", s->name);
        diag_help(d, "write what it computes, as equations and a result");
    }
    if (s->kind == STATEMENT_RECORD) {
        decl->record = s->record;
        decl->poisoned = !take_settings(c, s->record, &s->settings, &decl->settings) || s->broken;
    }
    map_set(&scope->names, &c->arena, s->name, decl);
    return decl;
}

static Decl *changed(Compilation *c, Scope *scope, const Statement *s) {
    Decl *decl = map_get(&scope->names, s->name);
    if (decl) return decl;
    Decl *outside = scope_find(scope, s->name);
    if (c->gaps) return NULL;
    if (!outside) {
        report_unknown_name(c, scope, s->name, s->name_span);
        return NULL;
    }
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, s->name_span, "`%s` belongs to a library, not to a document of this chain", s->name);
    diag_help(d, "declare one of your own under another name");
    return NULL;
}

static void change_value(Compilation *c, Scope *scope, const Statement *s) {
    Decl *decl = changed(c, scope, s);
    if (!decl) return;
    if (decl->kind != STATEMENT_EQUATION) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->name_span, "`%s` is no equation, so it has no value to change", s->name);
        diag_also(d, decl->statement->name_span, "declared here");
        if (decl->kind == STATEMENT_RECORD) diag_help(d, "write: change %s { key value }", s->name);
        else diag_help(d, "replace it: remove %s, then declare it anew", s->name);
        return;
    }
    decl->value = s->value;
    decl->each = s->each;
    decl->each_span = s->each_span;
}

static void change_settings(Compilation *c, Scope *scope, const Statement *s) {
    Decl *decl = changed(c, scope, s);
    if (!decl) return;
    if (decl->kind != STATEMENT_RECORD) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->name_span, "`%s` has no settings", s->name);
        diag_also(d, decl->statement->name_span, "declared here");
        diag_help(d, decl->kind == STATEMENT_EQUATION ? "write: change %s = ..." : "replace it: remove %s, then declare it anew", s->name);
        return;
    }
    SettingList wanted = {0};
    if (!take_settings(c, decl->record, &s->settings, &wanted) || s->broken) decl->poisoned = true;
    for (int i = 0; i < wanted.count; i++) {
        const Setting *setting = &wanted.at[i];
        bool restore = setting->value && setting->value->kind == EXPR_NAME && !strcmp(setting->value->name, "default");
        Setting *old = setting_of(&decl->settings, setting->key);
        if (old && restore) *old = decl->settings.at[--decl->settings.count];
        else if (old) *old = *setting;
        else if (!restore) list_add(&c->arena, &decl->settings, *setting);
    }
}

static void remove_name(Compilation *c, Scope *scope, const Statement *s) {
    if (changed(c, scope, s)) map_set(&scope->names, &c->arena, s->name, NULL);
}

/* `like other { .. }` starts from the other's settings. */
static void copy_like(Compilation *c, Scope *scope, Decl *decl) {
    const Expr *like = decl->statement->like;
    if (!like) return;
    Decl *other = like->kind == EXPR_NAME ? map_get(&scope->names, like->name) : NULL;
    if (!other || other->record != decl->record) {
        Diagnostic *d = diag(c->jre, other ? DIAG_wrong_type : DIAG_unknown_name, like->span, "no `%s` of this name to copy from", kind_name(decl->record));
        diag_help(d, "name a `%s` of this document or of one it extends", kind_name(decl->record));
        return;
    }
    for (int i = 0; i < other->settings.count; i++)
        if (!setting_of(&decl->settings, other->settings.at[i].key)) list_add(&c->arena, &decl->settings, other->settings.at[i]);
}

static void apply(Compilation *c, Scope *scope, const Statement *s, bool own, bool library) {
    switch (s->kind) {
    case STATEMENT_EQUATION: case STATEMENT_RECORD: case STATEMENT_FORMULA: {
        Decl *decl = declare(c, scope, s, library);
        if (decl && decl->kind == STATEMENT_RECORD) copy_like(c, scope, decl);
        break;
    }
    case STATEMENT_CHANGE_VALUE: change_value(c, scope, s); break;
    case STATEMENT_CHANGE_SETTINGS: change_settings(c, scope, s); break;
    case STATEMENT_REMOVE: remove_name(c, scope, s); break;
    case STATEMENT_PROBE: if (own) list_add(&c->arena, &c->probes, s); break;
    case STATEMENT_EXPECT: if (own) list_add(&c->arena, &c->expects, s); break;
    case STATEMENT_ACCEPT: list_add(&c->arena, &c->accepts, s); break;
    case STATEMENT_EXPR: {
        Diagnostic *d = diag(c->jre, DIAG_write_probe, s->span, "a value by itself says nothing in a document");
        diag_help(d, "to show it, write `probe`");
        diag_edit(d, s->span, false, "probe %s", expr_text(c->jre, s->value));
        break;
    }
    case STATEMENT_EXTENDS: case STATEMENT_USE: break;             /* module.c has followed them */
    }
}

static Scope *library_scope(Compilation *c, Module *module);
static void use_core(Compilation *c, Scope *scope, Module *core);

static void use_modules(Compilation *c, Scope *scope, Module *module) {
    for (int i = 0; i < module->uses.count; i++) {
        Scope *used = library_scope(c, module->uses.at[i]);
        bool there = false;
        for (int k = 0; k < scope->uses.count; k++) there |= scope->uses.at[k] == used;
        if (!there) list_add(&c->arena, &scope->uses, used);
    }
}

static void apply_document(Compilation *c, Scope *scope, Module *module, bool own, bool library) {
    for (int i = 0; i < module->document->chunks.count; i++) {
        Chunk *chunk = module->document->chunks.at[i];
        if (chunk->kind == CHUNK_WRONG || chunk->kind == CHUNK_TEST) continue;
        for (int k = 0; k < chunk->statements.count; k++) apply(c, scope, chunk->statements.at[k], own, library);
    }
}

static Scope *library_scope(Compilation *c, Module *module) {
    const char *path = module->document->source->path;
    Scope *scope = map_get(&c->library_scopes, path);
    if (scope) return scope;
    scope = arena_new(&c->arena, Scope);
    scope->name = module->document->source->stem;
    map_set(&c->library_scopes, &c->arena, path, scope);
    Module *core = module_core(c->jre);
    scope->core = core == module;
    for (int i = 0; core && i < core->uses.count; i++) scope->core |= core->uses.at[i] == module;
    use_modules(c, scope, module);
    if (core && core != module) use_core(c, scope, core);
    apply_document(c, scope, module, false, true);
    return scope;
}

/* Core, and what core uses. */
static void use_core(Compilation *c, Scope *scope, Module *core) {
    Scope *words = library_scope(c, core);
    list_add(&c->arena, &scope->uses, words);
    for (int i = 0; i < core->uses.count; i++) {
        Scope *module = library_scope(c, core->uses.at[i]);
        if (module != scope) list_add(&c->arena, &scope->uses, module);
    }
}

/* ---- overlays -------------------------------------------------------------------------------------------------------------- */

static bool overlay_text(Compilation *c, const char *set) {
    const char *equals = strchr(set, '=');
    if (!equals || equals == set) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, NOWHERE, "--set %s: a name, =, and a value were expected", set);
        diag_help(d, "for instance --set backbone='resnet18()' or --set folds.seed=8");
        return false;
    }
    const char *name = arena_copy(&c->arena, set, (size_t)(equals - set)), *dot = strchr(name, '.');
    const char *text = dot ? arena_print(&c->arena, "change %.*s { %s %s }", (int)(dot - name), name, dot + 1, equals + 1)
                           : arena_print(&c->arena, "change %s = %s", name, equals + 1);
    Chunk *chunk = parse_chunk(c->jre, source_from_text(c->jre, "--set", text, strlen(text)));
    for (int i = 0; i < chunk->statements.count; i++) apply(c, c->scope, chunk->statements.at[i], false, false);
    return true;
}

static bool has_program(Compilation *c) {
    const Document *document = c->document->document;
    if (document->chunks.count) return true;
    Diagnostic *d = diag(c->jre, DIAG_no_program, NOWHERE, "%s: there is no ```jre chunk in this file", document->source->name);
    diag_help(d, "a document of jre is Markdown whose program stands between ```jre and ```; pipelines/v01.jre is one");
    return false;
}

bool resolve_program(Compilation *c, const CompileRequest *request) {
    Jre *jre = c->jre;
    c->document = module_load(jre, request->path);
    Module *core = module_core(jre);
    if (!c->document || !core) return false;
    if (!has_program(c)) return false;
    c->version = c->document->document->source->stem;
    c->scope = arena_new(&c->arena, Scope);
    c->scope->name = c->version;

    LIST(Module *) chain = {0};
    for (Module *m = c->document; m; m = m->parent) list_add(&c->arena, &chain, m);
    LIST(Module *) overlays = {0};
    for (int i = 0; i < request->with.count; i++) {
        Module *overlay = module_load_overlay(jre, request->with.at[i]);
        if (overlay) list_add(&c->arena, &overlays, overlay);
        list_add(&c->arena, &c->changes, arena_print(&c->arena, "with %s", request->with.at[i]));
    }
    c->gaps = diag_any_error(jre);
    for (int i = chain.count - 1; i >= 0; i--) use_modules(c, c->scope, chain.at[i]);
    for (int i = 0; i < overlays.count; i++) use_modules(c, c->scope, overlays.at[i]);
    use_core(c, c->scope, core);

    for (int i = chain.count - 1; i >= 0; i--) apply_document(c, c->scope, chain.at[i], i == 0, false);
    for (int i = 0; i < overlays.count; i++) apply_document(c, c->scope, overlays.at[i], false, false);
    for (int i = 0; i < request->set.count; i++) {
        overlay_text(c, request->set.at[i]);
        list_add(&c->arena, &c->changes, request->set.at[i]);
    }
    for (int i = 0; i < c->scope->names.count; i++) {
        Decl *decl = c->scope->names.entries[i].value;
        if (decl && decl->kind == STATEMENT_RECORD && !decl->poisoned) check_needed(c, decl);
    }
    return !diag_any_error(jre);
}

/* ---- jre show -------------------------------------------------------------------------------------------------------------- */

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
