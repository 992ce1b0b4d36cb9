/* scopes.c: where a name is looked up.
 *
 *   a formula's own names, then the flat program, then the modules that the chain uses, then core
 *
 * A module sees itself, what it uses and core, never a document. Before a dot stands a module, else an ancestor of the document: each
 * ancestor is a flat program of its own, made when it is first quoted. */
#include "compiler.h"

#include <string.h>

/* ---- looking up ------------------------------------------------------------------------------------------------- */

const char *declared_as(Compilation *c, RecordKind kind, const char *name) { return kind == KIND_figure ? arena_print(&c->arena, "figure %s", name) : name; }

Decl *scope_find(const Scope *scope, const char *name) {
    Decl *own = map_get(&scope->names, name);
    for (int i = 0; i < scope->uses.count && !own; i++) own = map_get(&scope->uses.at[i]->names, name);
    return own;
}

static void names_of(Arena *arena, const Scope *scope, bool figures, NameList *names) {
    for (int i = 0; i < scope->names.count; i++) {
        const Decl *decl = scope->names.entries[i].value;
        if (decl && (figures || decl->record != KIND_figure)) list_add(arena, names, decl->name);
    }
}

static void names_in_sight(Arena *arena, const Scope *scope, bool figures, NameList *names) {
    names_of(arena, scope, figures, names);
    for (int i = 0; i < scope->uses.count && !figures; i++) names_of(arena, scope->uses.at[i], false, names);
}

bool may_mean_a_name(Compilation *c, const Scope *scope, const char *name) {
    Arena scratch = {.jre = c->jre};
    NameList names = {0};
    names_in_sight(&scratch, scope, false, &names);
    const bool near = nearest_name(name, names.at, names.count) != NULL;
    arena_free(&scratch);
    return near;
}

/* The name that may have been meant. False: none is near; or there are very many unknown names. */
static bool suggest_name(Compilation *c, Diagnostic *d, const Scope *scope, const NameList *inside, const char *name, Span span, bool figures) {
    enum { GUESSED_FOR = 100 };
    Arena scratch = {.jre = c->jre};
    NameList names = {0};
    if (c->unknown_names.count > GUESSED_FOR) return false;
    for (int i = 0; inside && i < inside->count; i++) list_add(&scratch, &names, inside->at[i]);
    names_in_sight(&scratch, scope, figures, &names);
    const bool found = diag_did_you_mean(d, span, name, &names, false);
    arena_free(&scratch);
    return found;
}

/* ---- names that are nowhere ------------------------------------------------------------------------------------------ */

/* Whether a line declares `name`: after at most one other word, and followed by what follows declared names. */
static bool line_declares(const char *line, const char *end, const char *name, size_t length) {
    for (int word = 0; word < 2; word++) {
        const char *at = line;
        while (at < end && (*at == '_' || (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'))) at++;
        const char *next = at + strspn(at, " \t");
        if ((size_t)(at - line) == length && !strncmp(line, name, length)) return next < end && strchr("={(", *next);
        if (next == at) return false;
        line = next;
    }
    return false;
}

/* A block of code without the word jre declares it: where. */
static Span declared_in_prose(const Document *document, const char *name) {
    const char *bytes = document->source->bytes;
    size_t length = strlen(name);
    for (int i = 0; i < document->prose.count; i++) {
        const char *at = bytes + (document->prose.at[i].start - document->source->base), *end = bytes + (document->prose.at[i].end - document->source->base);
        for (const char *stop; at < end; at = stop + 1) {
            stop = memchr(at, '\n', (size_t)(end - at));
            if (!stop) stop = end;
            uint32_t place = document->source->base + (uint32_t)(at - bytes);
            if (line_declares(at, stop, name, length)) return (Span){place, place + (uint32_t)(stop - at)};
        }
    }
    return NOWHERE;
}

/* Names are missing because the chunk that declares them is taken for prose: told once, for all of them. */
static bool lost_chunk(Compilation *c, const Scope *scope, const char *name, Span span) {
    enum { LOOKED_FOR = 3 };
    if (c->lost_chunk) return true;
    if (!scope->document || c->unknown_names.count > LOOKED_FOR) return false;
    const Span there = declared_in_prose(scope->document->document, name);
    if (!there.end) return false;
    c->lost_chunk = true;
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "nothing here is called `%s`", name);
    diag_also(d, there, "this would declare it, but it stands in prose, or in a fence without the word jre");
    diag_help(d, "open its chunk with a line of three backticks and jre: ```jre");
    return true;
}

static const char *mark_of_unknown(Compilation *c, const Scope *scope, const char *name) { return arena_print(&c->arena, "%p %s", (const void *)scope, name); }

/* The declaration of this name was not understood, and that has been said. */
void expect_unknown_name(Compilation *c, const Scope *scope, const char *name) { map_set(&c->unknown_names, &c->arena, mark_of_unknown(c, scope, name), c); }

/* A name that is nowhere is told where it is met first: it is one mistake, however often it is used. */
static void report_unknown(Compilation *c, const Scope *scope, const NameList *inside, const char *name, Span span, bool figures) {
    if (map_get(&c->unknown_names, mark_of_unknown(c, scope, name))) return;
    expect_unknown_name(c, scope, name);
    if (lost_chunk(c, scope, name, span)) return;
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "nothing here is called `%s`", name);
    const Statement *removal = map_get(&scope->removed, name);
    if (removal) {
        diag_also(d, removal->span, "it was there, and is removed here");
        diag_help(d, "declare another `%s`, or take the `remove` out", name);
        return;
    }
    const char *module = module_that_declares(c->jre, name);
    if (module) {
        diag_help(d, "the library has it: add the line `use %s`", module);
        return;
    }
    if (suggest_name(c, d, scope, inside, name, span, figures)) return;
    diag_note(d, "a name is declared in the document, in what it extends, in a module it uses, or in the language itself");
    diag_help(d, "declare `%s`, or bring the module that has it: use NAME", name);
}

void report_unknown_name(Compilation *c, const Scope *scope, const NameList *inside, const char *name, Span span) { report_unknown(c, scope, inside, name, span, false); }

void report_unknown_declaration(Compilation *c, const Scope *scope, const char *name, Span span) { report_unknown(c, scope, NULL, name, span, true); }

/* ---- what may stand before a dot --------------------------------------------------------------------------------- */

static bool has_stem(const Module *module, const char *stem) { return !strcmp(module->document->source->stem, stem); }

/* Core's own modules are no names of the user's, and a record called `views` is not taken for one of them. */
static Scope *used_module(const Scope *from, const char *name) {
    for (int i = 0; i < from->uses.count; i++)
        if (!from->uses.at[i]->core && !strcmp(from->uses.at[i]->name, name)) return from->uses.at[i];
    return NULL;
}

Scope *scope_named(Compilation *c, const Scope *from, const char *name) {
    Scope *module = used_module(from, name);
    if (module || map_get(&from->names, name) || !from->document) return module;
    for (Module *m = from->document->parent; m; m = m->parent)
        if (has_stem(m, name)) return document_scope(c, m);
    return has_stem(from->document, name) ? document_scope(c, from->document) : NULL;
}

bool is_core(Compilation *c, const Module *module) {
    const Module *core = module_core(c->jre);
    bool found = core == module;
    for (int i = 0; core && i < core->uses.count; i++) found |= core->uses.at[i] == module;
    return found;
}

/* ---- scopes of modules --------------------------------------------------------------------------------------------- */

static Scope *library_scope(Compilation *c, Module *module);

void scope_use(Compilation *c, Scope *scope, const Module *module) {
    for (int i = 0; i < module->uses.count; i++) {
        Scope *used = library_scope(c, module->uses.at[i]);
        bool there = false;
        for (int k = 0; k < scope->uses.count; k++) there |= scope->uses.at[k] == used;
        if (!there) list_add(&c->arena, &scope->uses, used);
    }
}

void scope_use_core(Compilation *c, Scope *scope) {
    Module *core = module_core(c->jre);
    if (!core) return;
    list_add(&c->arena, &scope->uses, library_scope(c, core));
    for (int i = 0; i < core->uses.count; i++) {
        Scope *module = library_scope(c, core->uses.at[i]);
        if (module != scope) list_add(&c->arena, &scope->uses, module);
    }
}

static Scope *library_scope(Compilation *c, Module *module) {
    const char *path = module->document->source->path;
    Scope *scope = map_get(&c->library_scopes, path);
    if (scope) return scope;
    scope = arena_new(&c->arena, Scope);
    scope->name = module->document->source->stem;
    map_set(&c->library_scopes, &c->arena, path, scope);
    scope->shipped = c->jre->stdlib && !strcmp(module->document->source->folder, c->jre->stdlib);
    scope->core = is_core(c, module);
    scope_use(c, scope, module);
    if (module_core(c->jre) != module) scope_use_core(c, scope);
    lay_document(c, scope, module, LAYER_LIBRARY);
    check_names(c, scope);
    return scope;
}
