/* module.c: the files that a document brings along: what it extends, what it uses, and the core of the language.
 *
 * Each file is parsed once, by its real path. Contract: parents and modules stand in the graph only if they could be
 * read, and the graph has no circle: whoever closes one is told so and stays without it. */
#include "lang.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_CHAIN = 100 };

/* The modules that are being loaded, innermost first. */
typedef struct Loading { const Module *module; const char *path; const struct Loading *outer; int depth; } Loading;

static Module *load(Jre *jre, const char *path, Span asked_at, bool library, const Loading *outer);

/* ---- paths ---------------------------------------------------------------------------------------------------------- */

static const char *joined(Jre *jre, const char *folder, const char *path) {
    if (path[0] == '/' || strcmp(folder, ".") == 0)
        return intern(jre, path);
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    return intern(jre, arena_print(&jre->forever, "%s%s%s", folder, slash, path));
}

/* NULL if there is no such file. */
static const char *real_path(Jre *jre, const char *path) {
    char resolved[PATH_MAX];
    return realpath(path, resolved) ? intern(jre, resolved) : NULL;
}

/* The modules that lie in a folder, by their stems, in order. */
static void stems_in(Jre *jre, const char *folder, NameList *stems) {
    enum { MOST_LISTED = 1000 };
    NameList names = { 0 };
    Arena scratch = { .jre = jre };
    if (folder)
        folder_names(&scratch, folder, &names);
    for (int i = 0; i < names.count && stems->count < MOST_LISTED; i++) {
        size_t length = strlen(names.at[i]);
        if (length > 4 && strcmp(names.at[i] + length - 4, ".jre") == 0)
            list_add(&jre->forever, stems, intern_length(jre, names.at[i], length - 4));
    }
    arena_free(&scratch);
}

/* ---- circles --------------------------------------------------------------------------------------------------------- */

static bool closes_circle(Jre *jre, const Module *wanted, Span asked_at, const Loading *inner) {
    const char *way[LONGEST_CHAIN + 1];
    int count = 0;
    const Loading *at = inner;
    for (; at && at->module != wanted; at = at->outer)
        way[count++] = at->path;
    if (!at)
        return false;
    if (!count) {
        diag_help(diag(jre, DIAG_circular, asked_at, "this is the file itself"), "name another, or take out the line");
        return true;
    }
    Text words = { .jre = jre };
    text_add(&words, "`%s`", at->path);
    while (count)
        text_add(&words, "%s wants `%s`", words.length > strlen(at->path) + 2 ? ", which" : "", way[--count]);
    diag_fact(diag(jre, DIAG_circular, asked_at, "this leads back to where it began"), "%s, which wants `%s`.", words.at, at->path);
    text_free(&words);
    return true;
}

/* ---- what a document names ------------------------------------------------------------------------------------------- */

static void load_parent(Jre *jre, Module *module, const Statement *s, const Statement *first, const Loading *loading) {
    if (first) {
        Diagnostic *d = diag(jre, DIAG_already_named, s->span, "a document extends one other");
        diag_also(d, first->span, "and here it already does");
        return;
    }
    if (module->library) {
        diag_help(diag(jre, DIAG_unexpected_word, s->span, "a module extends nothing"), "what it needs it takes with `use`");
        return;
    }
    if (!s->text[0]) {
        diag_help(diag(jre, DIAG_file_missing, s->text_span, "here I expected the path of a document"), "for instance extends \"v01.jre\"");
        return;
    }
    const char *path = joined(jre, module->document->source->folder, s->text);
    module->parent = load(jre, path, s->text_span, false, loading);
}

/* A module nearly of this name, or the one that declares it: `use resnet50` means `use resnet`. */
static void suggest_module(Jre *jre, Diagnostic *d, const Module *module, const Statement *s) {
    NameList stems = { 0 };
    stems_in(jre, module->document->source->folder, &stems);
    bool of_library = !nearest_name(s->name, stems.at, stems.count);
    stems_in(jre, jre->stdlib, &stems);
    const char *home = module_that_declares(jre, s->name);
    if (!home) {
        diag_did_you_mean(d, s->name_span, s->name, &stems, of_library);
        return;
    }
    diag_help(d, "`%s` is declared in the module `%s`", s->name, home);
    diag_edit(d, s->name_span, true, "%s", home);
}

/* `use heads` means heads.jre beside the document, else in the library. */
static void load_used(Jre *jre, Module *module, const Statement *s, const Loading *loading) {
    const char *file = arena_print(&jre->forever, "%s.jre", s->name);
    const char *beside = joined(jre, module->document->source->folder, file), *shipped = joined(jre, jre->stdlib, file);
    const char *path = access(beside, F_OK) == 0 ? beside : access(shipped, F_OK) == 0 ? shipped : NULL;
    if (!path) {
        Diagnostic *d = diag(jre, DIAG_file_missing, s->name_span, "there is no module of this name");
        if (beside == shipped)
            diag_fact(d, "I looked for it here:\n    %s", beside);
        else
            diag_fact(d, "I looked for it in these places:\n    %s\n    %s", beside, shipped);
        suggest_module(jre, d, module, s);
        return;
    }
    Module *used = load(jre, path, s->name_span, true, loading);
    for (int i = 0; used && i < module->uses.count; i++)
        if (module->uses.at[i] == used)
            return;
    if (used)
        list_add(&jre->forever, &module->uses, used);
}

/* Chunks that must be refused, and tests, bring nothing along. */
static void load_all(Jre *jre, Module *module, bool overlay, const Loading *loading) {
    const Statement *extends = NULL;
    for (int i = 0; i < module->document->chunks.count; i++) {
        const Chunk *chunk = module->document->chunks.at[i];
        if (chunk->kind == CHUNK_WRONG || chunk->kind == CHUNK_TEST)
            continue;
        for (int j = 0; j < chunk->statements.count; j++) {
            const Statement *s = chunk->statements.at[j];
            if (s->kind == STATEMENT_EXTENDS && overlay) {
                diag_help(diag(jre, DIAG_unexpected_word, s->span, "a file laid over others extends none of them"), "take out the line");
            } else if (s->kind == STATEMENT_EXTENDS) {
                load_parent(jre, module, s, extends, loading);
                extends = s;
            } else if (s->kind == STATEMENT_USE) {
                load_used(jre, module, s, loading);
            }
        }
    }
}

/* ---- loading ------------------------------------------------------------------------------------------------------------ */

static Module *new_module(Jre *jre, Source *source, Span asked_at, bool library) {
    Module *module = arena_new(&jre->forever, Module);
    module->library = library;
    module->asked_at = asked_at;
    module->document = parse_document(jre, source);
    return module;
}

static Module *load_file(Jre *jre, const char *path, Span asked_at, bool library, bool overlay, const Loading *outer) {
    const char *real = real_path(jre, path);
    Module *known = real ? map_get(jre->modules, real) : NULL;
    if (known)
        return closes_circle(jre, known, asked_at, outer) ? NULL : known;
    if (outer && outer->depth >= LONGEST_CHAIN) {
        diag(jre, DIAG_too_deep, asked_at, "this is the %dth file of a chain", LONGEST_CHAIN);
        return NULL;
    }
    Source *source = source_read(jre, path, asked_at);
    if (!source)
        return NULL;
    Module *module = new_module(jre, source, asked_at, library);
    if (library && jre->stdlib && !strcmp(source->folder, jre->stdlib))
        source->name = intern(jre, arena_print(&jre->forever, "%s.jre", source->stem));        /* everybody's resnet.jre, wherever it is installed */
    if (real)
        map_set(jre->modules, &jre->forever, real, module);
    Loading loading = { module, path, outer, outer ? outer->depth + 1 : 1 };
    load_all(jre, module, overlay, &loading);
    return module;
}

static Module *load(Jre *jre, const char *path, Span asked_at, bool library, const Loading *outer) {
    return load_file(jre, path, asked_at, library, false, outer);
}

Module *module_load(Jre *jre, const char *path) {
    return load(jre, path, NOWHERE, false, NULL);
}

Module *module_load_overlay(Jre *jre, const char *path) {
    return load_file(jre, path, NOWHERE, false, true, NULL);
}

Module *module_of_chunk(Jre *jre, const Module *document, const Chunk *chunk) {
    Chunk *program = arena_new(&jre->forever, Chunk);
    *program = *chunk;
    program->kind = CHUNK_PROGRAM;
    Module *module = arena_new(&jre->forever, Module);
    module->document = arena_new(&jre->forever, Document);
    module->document->source = document->document->source;
    list_add(&jre->forever, &module->document->chunks, program);
    load_all(jre, module, true, NULL);
    return module;
}

Module *module_core(Jre *jre) {
    if (jre->core)
        return jre->core;
    const char *path = joined(jre, jre->stdlib, "core.jre");
    if (access(path, F_OK) != 0) {
        Diagnostic *d = diag(jre, DIAG_file_missing, NOWHERE, "the library of jre is not where I looked for it: there is no file `%s`", path);
        diag_help(d, "JRE_STDLIB names its folder");
        return NULL;
    }
    jre->core = load(jre, path, NOWHERE, true, NULL);
    if (jre->core)
        jre->core->core = true;
    return jre->core;
}

/* ---- looking things up --------------------------------------------------------------------------------------------------- */

Document *const *library_documents(Jre *jre, int *count) {
    if (!jre->library) {
        NameList stems = { 0 };
        stems_in(jre, jre->stdlib, &stems);
        jre->library = arena_array(&jre->forever, Document *, stems.count + 1);
        int findings = jre->diagnostics.count;
        for (int i = 0; i < stems.count; i++) {
            const char *file = arena_print(&jre->forever, "%s.jre", stems.at[i]);
            Source *source = source_read(jre, joined(jre, jre->stdlib, file), NOWHERE);
            if (!source)
                continue;
            source->name = intern(jre, file);
            jre->library[jre->library_count++] = parse_document(jre, source);
        }
        jre->diagnostics.count = findings;
    }
    *count = jre->library_count;
    return jre->library;
}

const Statement *declared_in(const Document *document, const char *name) {
    for (int i = 0; i < document->chunks.count; i++) {
        const Chunk *chunk = document->chunks.at[i];
        for (int j = 0; j < chunk->statements.count && chunk->kind != CHUNK_WRONG && chunk->kind != CHUNK_TEST; j++) {
            const Statement *s = chunk->statements.at[j];
            bool declares = s->kind == STATEMENT_EQUATION || s->kind == STATEMENT_RECORD || s->kind == STATEMENT_FORMULA;
            if (declares && strcmp(s->name, name) == 0)
                return s;
        }
    }
    return NULL;
}

const char *module_that_declares(Jre *jre, const char *name) {
    int count;
    Document *const *library = library_documents(jre, &count);
    for (int i = 0; i < count; i++)
        if (strcmp(library[i]->source->stem, "core") != 0 && declared_in(library[i], name))
            return library[i]->source->stem;
    return NULL;
}
