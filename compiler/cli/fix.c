/* fix.c: jre fix: the changes that messages call safe, shown and, if wanted, made. Only the document itself is written. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { const Diagnostic *found; const DiagHelp *help; } Change;
typedef LIST(Change) ChangeList;

/* ---- which changes -------------------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b) {
    const Span *x = &((const Change *)a)->help->edit, *y = &((const Change *)b)->help->edit;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Of each message the first help that is safe, in the order of the text. */
static ChangeList safe_changes(Jre *jre) {
    ChangeList changes = {0};
    for (int i = 0; i < jre->diagnostics.count; i++) {
        const Diagnostic *d = jre->diagnostics.at[i];
        for (int k = 0; k < d->helps.count; k++) {
            const DiagHelp *help = &d->helps.at[k];
            const Source *source = help->has_edit && help->safe ? source_of(jre, help->edit) : NULL;
            if (!source || !source->path) continue;
            list_add(&jre->forever, &changes, ((Change){d, help}));
            break;
        }
    }
    if (changes.count) qsort(changes.at, (size_t)changes.count, sizeof *changes.at, by_place);
    return changes;
}

static bool same_change(const Change *a, const Change *b) {
    return a->help->edit.start == b->help->edit.start && a->help->edit.end == b->help->edit.end && !strcmp(a->help->replacement, b->help->replacement);
}

/* Two changes that touch the same bytes, or insert at one place, cannot both be made. */
static bool collides(const Change *before, const Change *change) {
    const Span *a = &before->help->edit, *b = &change->help->edit;
    return b->start < a->end || (b->start == a->start && b->end == a->end);
}

/* ---- shown ------------------------------------------------------------------------------------------------------------------ */

static void show_lines(Jre *jre, char sign, const char *at, const char *end, bool colors) {
    Text line = {.jre = jre};
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        text_add(&line, "%s%c ", !colors ? "" : sign == '-' ? "\033[31m" : "\033[32m", sign);
        while (at < stop && !(*at == '\r' && at + 1 == stop)) at += text_add_character(&line, at, stop);
        text_add(&line, "%s\n", colors ? "\033[0m" : "");
        at = stop + 1;
    }
    if (line.at) fputs(line.at, stdout);
    text_free(&line);
}

static void show_text(Jre *jre, const char *at) {
    Text line = {.jre = jre};
    for (const char *end = at + strlen(at); at < end;) at += text_add_character(&line, at, end);
    puts(line.at ? line.at : "");
    text_free(&line);
}

/* The lines that an edit touches, as they are and as they would be; of lines that are only put in, those alone. */
static void show_change(Jre *jre, const Change *change, bool colors) {
    const DiagHelp *help = change->help;
    const Source *source = source_of(jre, help->edit);
    const char *start = source->bytes + (help->edit.start - source->base), *end = source->bytes + (help->edit.end - source->base);
    const char *first = start, *last = end, *text = help->replacement;
    Place place = place_of(jre, help->edit.start);
    printf("%s:%d:%d  %s: ", source->name, place.line, place.column, diag_rows[change->found->code].name);
    show_text(jre, help->text);
    size_t length = strlen(text);
    if (start == end && length && (text[0] == '\n' || text[length - 1] == '\n')) {
        show_lines(jre, '+', text[0] == '\n' ? text + 1 : text, text + length, colors);
        return;
    }
    while (first > source->bytes && first[-1] != '\n') first--;
    while (last < source->bytes + source->length && *last != '\n') last++;
    Text changed = {.jre = jre};
    text_add_bytes(&changed, first, (size_t)(start - first));
    text_add_bytes(&changed, text, length);
    text_add_bytes(&changed, end, (size_t)(last - end));
    show_lines(jre, '-', first, last, colors);
    show_lines(jre, '+', changed.at, changed.at + changed.length, colors);
    text_free(&changed);
}

/* Keeps the changes that can be made together in the document, and shows all. */
static ChangeList show_changes(Jre *jre, const ChangeList *all, const char *path, bool colors) {
    ChangeList chosen = {0};
    for (int i = 0; i < all->count; i++) {
        const Change *change = &all->at[i], *last = chosen.count ? &chosen.at[chosen.count - 1] : NULL;
        const Source *source = source_of(jre, change->help->edit);
        if (i && same_change(&all->at[i - 1], change)) continue;
        show_change(jre, change, colors);
        if (strcmp(source->path, path)) printf("  this stands in another file and stays as it is; if it is wrong there by itself, `jre fix %s` changes it\n", source->path);
        else if (last && collides(last, change)) puts("  this meets the change before it: run `jre fix` once more for it");
        else list_add(&jre->forever, &chosen, *change);
        puts("");
    }
    return chosen;
}

/* ---- made --------------------------------------------------------------------------------------------------------------------- */

/* Of a text alone: what is found already is put aside meanwhile. -1: it is too long. */
static int mistakes_in(Jre *jre, const char *name, const char *bytes, size_t length) {
    LIST(Diagnostic *) aside = {0};
    for (int i = 0; i < jre->diagnostics.count; i++) list_add(&jre->forever, &aside, jre->diagnostics.at[i]);
    jre->diagnostics.count = 0;
    Source *source = source_from_text(jre, name, bytes, length);
    if (source) parse_document(jre, source);
    int found = source ? diag_count(jre, SEVERITY_ERROR) : -1;
    jre->diagnostics.count = 0;
    for (int i = 0; i < aside.count; i++) list_add(&jre->forever, &jre->diagnostics, aside.at[i]);
    return found;
}

static bool make_changes(Jre *jre, const ChangeList *changes) {
    Source *source = source_of(jre, changes->at[0].help->edit);
    uint32_t done = 0;
    Text text = {.jre = jre};
    for (int i = 0; i < changes->count; i++) {
        const DiagHelp *help = changes->at[i].help;
        text_add_bytes(&text, source->bytes + done, help->edit.start - source->base - done);
        text_add(&text, "%s", help->replacement);
        done = help->edit.end - source->base;
    }
    text_add_bytes(&text, source->bytes + done, source->length - done);
    int now = mistakes_in(jre, source->name, text.at ? text.at : "", text.length);
    bool sound = now >= 0 && now <= mistakes_in(jre, source->name, source->bytes, source->length);
    if (!sound) diag(jre, DIAG_bug, NOWHERE, "%s: with these changes it would not parse; I leave it as it is", source->name);
    bool written = sound && file_write(jre, source->path, NOWHERE, text.at, text.length);
    if (written) printf("%d change%s made; `jre check %s` looks at it anew\n", changes->count, changes->count == 1 ? "" : "s", source->name);
    text_free(&text);
    return written;
}

static bool wanted(const Options *options, int count) {
    char answer[16];
    if (options->yes) return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        printf("nothing is changed: `jre fix %s --yes` makes %s\n", options->request.path, count == 1 ? "this change" : "these changes");
        return false;
    }
    printf("make %s? [y/N] ", count == 1 ? "this change" : "these changes");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* What is left speaks of the text as it was, so it is only counted. */
static int after_changes(Jre *jre, int made) {
    int left = diag_count(jre, SEVERITY_ERROR) - made;
    if (left <= 0) return 0;
    printf("%d finding%s left that no safe change mends\n", left, left == 1 ? " is" : "s are");
    return diag_exit_code(jre);
}

static int errors_among(const ChangeList *changes) {
    int count = 0;
    for (int i = 0; i < changes->count; i++) count += diag_rows[changes->at[i].found->code].severity == SEVERITY_ERROR;
    return count;
}

int fix_command(Jre *jre, Options *options) {
    find_mistakes(jre, options);
    ChangeList all = safe_changes(jre);
    if (!all.count) {
        int status = report_findings(jre, options);
        puts(status ? "no safe change mends this" : "nothing to change");
        return status;
    }
    ChangeList chosen = show_changes(jre, &all, options->request.path, wants_colors(stdout));
    if (!chosen.count || !wanted(options, chosen.count)) return 1;
    int findings = jre->diagnostics.count;
    if (make_changes(jre, &chosen)) return after_changes(jre, errors_among(&chosen));
    memmove(jre->diagnostics.at, jre->diagnostics.at + findings, sizeof *jre->diagnostics.at * (size_t)(jre->diagnostics.count - findings));
    jre->diagnostics.count -= findings;
    return report_findings(jre, options);
}
