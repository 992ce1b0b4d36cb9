/* doc.c: `jre doc NAME`: a check, a kind, a key (kind.key), an operator, or a name of the library with its source. */
#include "cli.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>

static bool doc_check(const char *name) {
    DiagCode code = diag_find(name);
    if (code == DIAG_COUNT) return false;
    static const char *const severities[] = {"note", "warning", "error"};
    printf("%s  (%s)\n\n  %s\n", name, severities[diag_rows[code].severity], diag_rows[code].explanation);
    return true;
}

static void print_key(const SchemaKey *key) {
    printf("  %-14s %-13s %s%s%s%s\n", key->name, key->type, key->sentence, key->needed ? "  (needed)" : "", *key->fallback ? "; else " : "", key->fallback);
}

static bool doc_kind(const char *name) {
    RecordKind kind = kind_find(name);
    if (kind == KIND_NONE) return false;
    printf("%s  %s\n\n", name, kind_sentence(kind));
    for (int i = 0; i < schema_key_count; i++)
        if (schema_keys[i].kind == kind) print_key(&schema_keys[i]);
    return true;
}

/* "split.together", or "together" wherever it stands. */
static bool doc_key(const char *name) {
    const char *dot = strchr(name, '.');
    bool found = false;
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        if (strcmp(key->name, dot ? dot + 1 : name) != 0) continue;
        const char *kind = kind_name(key->kind);
        if (dot && (strncmp(kind, name, (size_t)(dot - name)) != 0 || kind[dot - name])) continue;
        printf("%s of %s\n", key->name, kind);
        print_key(key);
        found = true;
    }
    return found;
}

static bool doc_operator(const char *name) {
    Op op = op_find(name);
    if (op == OP_COUNT || (op_row(op)->flags & OP_SOURCE)) return false;
    printf("operator of tensor graphs\n  %s\n", op_row(op)->signature);
    return true;
}

static bool doc_in_module(Jre *jre, const char *path, const char *name) {
    Source *source = source_read(jre, path, NOWHERE);
    if (!source) return false;
    Document *document = parse_document(jre, source);
    for (int i = 0; i < document->chunks.count; i++)
        for (int k = 0; k < document->chunks.at[i]->statements.count; k++) {
            const Statement *s = document->chunks.at[i]->statements.at[k];
            if (!s->name || strcmp(s->name, name) != 0) continue;
            printf("%s, in %s\n\n%s\n", name, source->name, span_text(jre, s->span));
            return true;
        }
    return false;
}

static bool each_module(Jre *jre, const char *name, bool list) {
    DIR *folder = jre->stdlib ? opendir(jre->stdlib) : NULL;
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".jre") != 0) continue;
        if (list) printf(" %.*s", (int)(dot - entry->d_name), entry->d_name);
        else found = doc_in_module(jre, arena_print(&jre->forever, "%s/%s", jre->stdlib, entry->d_name), name);
    }
    if (folder) closedir(folder);
    return found;
}

static void contents(Jre *jre) {
    puts("kinds, with their keys (jre doc split):");
    for (int kind = 0; kind < KIND_COUNT; kind++) printf("  %-10s %s\n", kind_name((RecordKind)kind), kind_sentence((RecordKind)kind));
    puts("\nchecks and messages (jre doc shape_mismatch):\n ");
    for (int i = 0; i < DIAG_COUNT; i++) printf("  %s\n", diag_rows[i].name);
    printf("\nmodules of the library, whose names `jre doc NAME` explains too:\n ");
    each_module(jre, "", true);
    puts("");
}

int doc_command(Jre *jre, Options *options) {
    if (!options->names.count) {
        contents(jre);
        return 0;
    }
    for (int i = 0; i < options->names.count; i++) {
        const char *name = options->names.at[i];
        bool found = doc_check(name);
        found |= doc_kind(name);
        found |= doc_key(name);
        if (!found) found = each_module(jre, name, false);
        found |= doc_operator(name);
        if (found) continue;
        Diagnostic *d = diag(jre, DIAG_unknown_name, NOWHERE, "nothing is called `%s`", name);
        diag_help(d, "`jre doc` lists what can be asked for");
    }
    return report_findings(jre, options);
}
