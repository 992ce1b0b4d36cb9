/* diff.c: `jre diff`: two documents, or one and what it extends, compared by meaning. */
#include "cli.h"

#include <string.h>

/* ---- for people ------------------------------------------------------------------------------------------------------- */

/* Each line with its sign in front; on a terminal old ones are red and struck through, new ones green. */
static void print_block(char sign, const char *at, const char *end, bool colors) {
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        const char *color = !colors ? "" : sign == '-' ? "\033[31;9m" : "\033[32m";
        printf("%s%c %.*s%s\n", color, sign, (int)(stop - at), at, colors ? "\033[0m" : "");
        at = newline ? newline + 1 : end;
    }
}

/* Of two texts only the lines between their equal beginnings and ends. */
static void print_lines_between(const char *old, const char *new, bool colors) {
    const char *old_end = old + strlen(old), *new_end = new + strlen(new);
    for (const char *a = old, *b = new; a < old_end && b < new_end && *a == *b; a++, b++)
        if (*a == '\n') old = a + 1, new = b + 1;
    const char *a = old_end, *b = new_end;
    for (; a > old && b > new && a[-1] == b[-1]; a--, b--)
        if (a[-1] == '\n') old_end = a, new_end = b;
    print_block('-', old, old_end, colors);
    print_block('+', new, new_end, colors);
}

static void print_changed(const Difference *d, const Difference *before, bool colors) {
    bool same = before && before->kind == DIFFERENCE_CHANGED && before->name == d->name;
    if (!d->part) {
        if (!strchr(d->new, '\n') && !strchr(d->old, '\n')) printf("%s%s %s\n", before ? "\n" : "", d->what, d->name);
        else printf("%s%s %s, these lines\n", before ? "\n" : "", d->what, d->name);
        print_lines_between(d->old, d->new, colors);
        return;
    }
    if (!same) printf("%s%s %s\n", before ? "\n" : "", d->what, d->name);
    char line[80];
    snprintf(line, sizeof line, "  %-12s ", d->part);
    const char *const values[] = {d->old, d->new};
    for (int i = 0; i < 2; i++)
        if (values[i]) printf("%s%c%s%s%s\n", !colors ? "" : i ? "\033[32m" : "\033[31;9m", "-+"[i], line, values[i], colors ? "\033[0m" : "");
}

static void print_difference(const Difference *d, const Difference *before, bool colors) {
    if (d->kind == DIFFERENCE_CHANGED) {
        print_changed(d, before, colors);
        return;
    }
    if (before) puts("");
    if (d->kind == DIFFERENCE_RENAMED) printf("%s %s is called %s\n", d->what, d->old, d->new);
    if (d->kind == DIFFERENCE_REMOVED) print_block('-', d->old, d->old + strlen(d->old), colors);
    if (d->kind == DIFFERENCE_ADDED) print_block('+', d->new, d->new + strlen(d->new), colors);
}

/* ---- for machines ----------------------------------------------------------------------------------------------------- */

static void json_field(Text *out, const char *name, const char *value) {
    if (value) json_member(out, name, value);
}

static void print_json(Jre *jre, const char *old, const char *new, const DifferenceList *found) {
    static const char *const kinds[] = {"added", "removed", "changed", "renamed"};
    Text out = {.jre = jre};
    text_add(&out, "{\"old\": ");
    json_text(&out, old);
    json_field(&out, "new", new);
    text_add(&out, ", \"equal\": %s, \"differences\": [", found->count ? "false" : "true");
    for (int i = 0; i < found->count; i++) {
        const Difference *d = &found->at[i];
        text_add(&out, "%s{\"difference\": \"%s\", \"what\": \"%s\"", i ? ", " : "", kinds[d->kind], d->what);
        json_field(&out, "name", d->name);
        json_field(&out, "setting", d->part);
        json_field(&out, "old", d->old);
        json_field(&out, "new", d->new);
        text_add(&out, "}");
    }
    text_add(&out, "]}");
    fputs(out.at, stdout);
    text_free(&out);
}

/* ---- the command ------------------------------------------------------------------------------------------------------- */

/* The scope that `c` is compared with: of the other document, or of the parent. NULL: told. */
static const Scope *old_scope(Compilation *c, Compilation *other, const Options *options) {
    if (options->names.count) return resolve_program(other, &options->request) ? other->scope : NULL;
    if (c->document->parent) return document_scope(c, c->document->parent);
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, NOWHERE, "%s extends no other document that it could be compared with", c->document->document->source->name);
    diag_help(d, "name the other one: jre diff OLD.jre %s", c->document->document->source->name);
    return NULL;
}

static bool compare(Compilation *c, Compilation *other, Options *options, DifferenceList *found) {
    CompileRequest last = options->request;
    if (options->names.count) last.path = options->names.at[0];
    bool sound = resolve_program(c, &last);
    const Scope *old = c->document && c->scope ? old_scope(c, other, options) : NULL;
    if (!sound || !old || diag_any_error(c->jre)) return false;
    compare_programs(options->names.count ? other : c, old, c, c->scope, found);
    const char *names[] = {old->document->document->source->name, c->document->document->source->name};
    if (options->run.json) {
        print_json(c->jre, names[0], names[1], found);
        return true;
    }
    for (int i = 0; i < found->count; i++) print_difference(&found->at[i], i ? &found->at[i - 1] : NULL, options->run.colors);
    if (!found->count) printf("%s and %s mean the same\n", names[0], names[1]);
    return true;
}

int diff_command(Jre *jre, Options *options) {
    Compilation c = {.jre = jre, .arena = {.jre = jre}}, other = {.jre = jre, .arena = {.jre = jre}};
    DifferenceList found = {0};
    if (options->names.count > 1) diag(jre, DIAG_wrong_argument, NOWHERE, "two documents are compared, `%s` is one too many", options->names.at[1]);
    if (options->run.json) fputs("{\"diff\": ", stdout);
    if ((options->names.count > 1 || !compare(&c, &other, options, &found)) && options->run.json) fputs("null", stdout);
    if (options->run.json) fputs(", \"findings\": ", stdout);
    int status = report_findings(jre, options);
    if (options->run.json) puts("}");
    compilation_free(&other);
    compilation_free(&c);
    return status ? status : found.count ? 1 : 0;
}
