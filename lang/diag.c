/* diag.c: findings are collected, sorted by place and printed with the lines they speak of, or as JSON.
 *
 * The form is that of LANGUAGE 3.7: the name of the check, the place, carets under the cause, dashes under what it
 * disagrees with, facts and notes, helps with the edit they mean. Contract: two findings of one code at one place are
 * one finding; bytes that would move a terminal's cursor are never printed. */
#include "lang.h"

#include <string.h>

const DiagRow diag_rows[DIAG_COUNT] = {
#define DIAG(name, severity, blame, explanation) { #name, SEVERITY_##severity, BLAME_##blame, explanation },
#include "diag.def"
#undef DIAG
};

/* ---- collecting ----------------------------------------------------------------------------------------------------- */

/* Nobody reads more of one severity, and each is held against those before it. */
enum { MOST_FINDINGS = 1000 };

typedef struct { bool already; int of_severity; } Filed;

static Filed filed_so_far(const Jre *jre, const Diagnostic *d) {
    Filed filed = { false, 0 };
    for (int i = 0; i < jre->diagnostics.count && !filed.already; i++) {
        const Diagnostic *other = jre->diagnostics.at[i];
        filed.of_severity += diag_rows[other->code].severity == diag_rows[d->code].severity;
        filed.already = other->code == d->code && other->span.start == d->span.start && other->span.end == d->span.end
            && (d->span.start || strcmp(other->message, d->message) == 0);
    }
    return filed;
}

#define PRINT_TO(result, jre)                                        \
    va_list arguments;                                               \
    va_start(arguments, format);                                     \
    char *result = arena_vprint(&(jre)->forever, format, arguments); \
    va_end(arguments)

/* A line end stays one before a row of a table, which begins with a blank, and behind one; any other is a blank between words. */
static void join_lines(char *text) {
    bool row = *text == ' ';
    for (char *at = strchr(text, '\n'); at; at = strchr(at + 1, '\n')) {
        bool joined = !row && at[1] != ' ';
        row = at[1] == ' ';
        if (joined)
            *at = ' ';
    }
}

/* What is filed twice comes back to be added to, and is forgotten. */
Diagnostic *diag(Jre *jre, DiagCode code, Span span, const char *format, ...) {
    PRINT_TO(message, jre);
    join_lines(message);
    Diagnostic *d = arena_new(&jre->forever, Diagnostic);
    *d = (Diagnostic){ .jre = jre, .code = code, .span = span, .message = message };
    Filed filed = filed_so_far(jre, d);
    if (filed.already)
        return d;
    if (filed.of_severity < MOST_FINDINGS || code == DIAG_many_findings)
        list_add(&jre->forever, &jre->diagnostics, d);
    else
        diag(jre, DIAG_many_findings, NOWHERE, "there is more to say, and it is left out");
    return d;
}

Diagnostic *diag_also(Diagnostic *d, Span span, const char *format, ...) {
    PRINT_TO(text, d->jre);
    join_lines(text);
    if (span.start)
        list_add(&d->jre->forever, &d->also, ((DiagPlace){ span, text }));
    return d;
}

Diagnostic *diag_fact(Diagnostic *d, const char *format, ...) {
    PRINT_TO(text, d->jre);
    join_lines(text);
    list_add(&d->jre->forever, &d->remarks, ((DiagRemark){ false, text }));
    return d;
}

Diagnostic *diag_note(Diagnostic *d, const char *format, ...) {
    PRINT_TO(text, d->jre);
    join_lines(text);
    list_add(&d->jre->forever, &d->remarks, ((DiagRemark){ true, text }));
    return d;
}

Diagnostic *diag_help(Diagnostic *d, const char *format, ...) {
    PRINT_TO(text, d->jre);
    join_lines(text);
    list_add(&d->jre->forever, &d->helps, ((DiagHelp){ .text = text }));
    return d;
}

Diagnostic *diag_edit(Diagnostic *d, Span span, bool safe, const char *format, ...) {
    PRINT_TO(text, d->jre);
    if (!span.start)
        return d;
    if (!d->helps.count)
        diag_help(d, "for instance");
    DiagHelp *help = &d->helps.at[d->helps.count - 1];
    help->has_edit = true;
    help->safe = safe;
    help->edit = span;
    help->replacement = text;
    return d;
}

bool diag_did_you_mean(Diagnostic *d, Span span, const char *text, const NameList *known, bool of_language) {
    const NearNames near = near_names(text, known->at, known->count);
    const char *names = "";
    for (int i = 0; i < near.count; i++)
        names = arena_print(&d->jre->forever, "%s%s`%s`", names, i == 0 ? "" : i < near.count - 1 ? ", " : " or ", near.at[i]);
    if (near.count)
        diag_help(d, "did you mean %s?", names);
    if (near.count == 1)
        diag_edit(d, span, of_language && near.sure, "%s", near.at[0]);
    const SynonymRow *synonym = near.count ? NULL : synonym_find(text);
    for (int i = 0; synonym && i < known->count; i++) {
        if (strcmp(known->at[i], synonym->ours) != 0)
            continue;
        diag_help(d, "did you mean `%s`?", synonym->ours);
        diag_edit(d, span, false, "%s", synonym->ours);
        return true;
    }
    return near.count > 0;
}

void diag_not_twice(Diagnostic *d, const NameList *taken) {
    DiagHelp *help = d->helps.count ? &d->helps.at[d->helps.count - 1] : NULL;
    for (int i = 0; help && help->safe && i < taken->count; i++)
        help->safe = strcmp(taken->at[i], help->replacement) != 0;
}

bool diag_said_elsewhere(Diagnostic *d, const char *word) {
    const SynonymRow *synonym = synonym_find(word);
    if (synonym)
        diag_note(d, "what other programs call `%s` is written here: %s", word, synonym->example);
    for (int i = 0; i < word_row_count && !synonym; i++) {
        if (strcmp(word_rows[i].word, word) != 0 || !strstr(word_rows[i].sentence, word))
            continue;
        diag_note(d, "`%s` has its place elsewhere: %s", word, word_rows[i].sentence);
        return true;
    }
    return synonym != NULL;
}

int diag_count(const Jre *jre, Severity at_least) {
    int count = 0;
    for (int i = 0; i < jre->diagnostics.count; i++)
        count += diag_rows[jre->diagnostics.at[i]->code].severity >= at_least;
    return count;
}

bool diag_any_error(const Jre *jre) {
    return diag_count(jre, SEVERITY_ERROR) > 0;
}

int diag_exit_code(const Jre *jre) {
    int gravest = 0;
    for (int i = 0; i < jre->diagnostics.count; i++) {
        const DiagRow *row = &diag_rows[jre->diagnostics.at[i]->code];
        if (row->severity == SEVERITY_ERROR && (int)row->blame > gravest)
            gravest = row->blame;
    }
    return gravest;
}

void diag_forget(Jre *jre) {
    jre->diagnostics.count = 0;
}

DiagCode diag_find(const char *name) {
    for (int code = 0; code < DIAG_COUNT; code++)
        if (strcmp(diag_rows[code].name, name) == 0)
            return (DiagCode)code;
    return DIAG_COUNT;
}

/* By place; what has none comes last. Sorting by insertion is stable, and the lists are nearly in order already. */
static void sort_by_place(Jre *jre) {
    Diagnostic **at = jre->diagnostics.at;
    for (int i = 1; i < jre->diagnostics.count; i++) {
        Diagnostic *moving = at[i];
        int j = i;
        for (; j > 0 && at[j - 1]->span.start - 1 > moving->span.start - 1; j--)   /* nowhere, 0 - 1, is the largest */
            at[j] = at[j - 1];
        at[j] = moving;
    }
}

/* ---- the page ---------------------------------------------------------------------------------------------------------- */

typedef struct { Jre *jre; Text text; bool colors; int gutter; } Page;

static const char *const color_of_severity[] = { "\033[1;36m", "\033[1;33m", "\033[1;31m" };
static const char *const severity_words[] = { "note", "warning", "error" };
#define COLOR_ALSO "\033[34m"
#define COLOR_HELP "\033[32m"

static void paint(Page *page, const char *color) {
    if (page->colors)
        text_add(&page->text, "%s", color ? color : "\033[0m");
}

static void trim_end(Text *out) {
    while (out->length && out->at[out->length - 1] == ' ')
        out->at[--out->length] = 0;
}

static void put_gutter(Page *page, int line) {
    if (line)
        text_add(&page->text, "%*d |", page->gutter - 1, line);
    else
        text_add(&page->text, "%*s|", page->gutter, "");
}

/* ---- words in lines of at most 80 columns ---------------------------------------------------------------------------- */

enum { COLUMNS = 80, FURTHER = 4 };         /* FURTHER: how much deeper a row of a table goes on that does not fit */

/* Where the next word goes, where further lines begin, and where lines end; beside a frame, behind the bar and in `color`. */
typedef struct { Page *page; int column, indent, edge; bool bar; const char *color; } Flow;

static void next_line(Flow *flow, int indent) {
    Page *page = flow->page;
    trim_end(&page->text);
    if (flow->bar)
        paint(page, NULL);
    text_add_bytes(&page->text, "\n", 1);
    flow->column = 0;
    if (flow->bar) {
        put_gutter(page, 0);
        flow->column = page->gutter + 1;
        paint(page, flow->color);
    }
    text_add(&page->text, "%*s", indent - flow->column, "");
    flow->column = indent;
}

/* What closes a group whose blanks are no places to break at: code, and a shape; 0 if none begins here. */
static char closing(char opening) { return opening == '`' ? '`' : opening == '[' ? ']' : 0; }

/* The end of a word, or of what stays together if `most` columns are enough for it. */
static const char *word_end(const char *at, const char *end, int most) {
    const char *word = at, *group;
    for (; at < end && *at != ' '; at++) {
        if (!closing(*at))
            continue;
        group = memchr(at + 1, closing(*at), (size_t)(end - at - 1));
        if (group && columns_between(word, group + 1) <= most)
            at = group;
    }
    return at;
}

static void put_word(Flow *flow, const char *at, const char *end) {
    flow->column += columns_between(at, end);
    while (at < end)
        at += text_add_character(&flow->page->text, at, end);
}

static int blanks_at(const char *at, const char *end) {
    int blanks = 0;
    while (at + blanks < end && at[blanks] == ' ')
        blanks++;
    return blanks;
}

/* One line of a text in as many lines as it takes. Blanks inside keep their number: they make columns. */
static void put_row(Flow *flow, const char *at, const char *end) {
    int blanks = blanks_at(at, end), indent = flow->indent + (blanks ? blanks + FURTHER : 0);
    for (const char *word = at; word < end; blanks = blanks_at(word, end)) {
        const char *stop = word_end(word + blanks, end, COLUMNS - indent);
        if (word > at && flow->column + blanks + columns_between(word + blanks, stop) > flow->edge) {
            next_line(flow, indent);
        } else {
            text_add(&flow->page->text, "%*s", blanks, "");
            flow->column += blanks;
        }
        put_word(flow, word + blanks, stop);
        word = stop;
    }
}

static void put_words(Flow *flow, const char *words) {
    const char *end = words + strlen(words);
    for (const char *at = words; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        if (at > words)
            next_line(flow, flow->indent);
        put_row(flow, at, stop);
        at = newline ? newline + 1 : end;
    }
    trim_end(&flow->page->text);
}

/* Words from a column on, and the line's end. */
static void put_paragraph(Page *page, int column, int indent, const char *words) {
    Flow flow = { .page = page, .column = column, .indent = indent, .edge = COLUMNS };
    put_words(&flow, words);
    text_add_bytes(&page->text, "\n", 1);
}

/* ---- frames: source lines with something underlined -------------------------------------------------------------- */

typedef struct { Place place; Span span; const char *text; bool main; int width; } Mark;

/* A line without its newline. */
static const char *line_bytes(const Source *source, int line, size_t *length) {
    uint32_t start = source->line_starts[line - 1];
    uint32_t end = line < source->line_count ? source->line_starts[line] - 1 : source->length;
    if (end > start && source->bytes[end - 1] == '\r')
        end--;
    *length = end - start;
    return source->bytes + start;
}

static Mark mark_at(Jre *jre, Span span, const char *text, bool main) {
    Mark mark = { place_of(jre, span.start), span, text, main, 0 };
    if (!mark.place.source)
        return mark;
    size_t length;
    const char *line = line_bytes(mark.place.source, mark.place.line, &length);
    const char *at = mark.place.source->bytes + (span.start - mark.place.source->base);
    const char *end = mark.place.source->bytes + (span.end - mark.place.source->base);
    if (end > line + length)
        end = line + length;                    /* of several lines the first is underlined */
    mark.width = columns_between(at, end);
    if (mark.width < 1)
        mark.width = 1;
    return mark;
}

enum { WHOLE_LINE = 300, WINDOW = 240, WINDOW_LEAD = 80 };

/* Prints a line, or of a very long one the part around `column`; gives back how many columns were left out before. */
static int put_line(Page *page, const Source *source, int line, int column) {
    size_t length;
    const char *at = line_bytes(source, line, &length), *end = at + length;
    int skip = 0, shown = 0;
    put_gutter(page, line);
    text_add_bytes(&page->text, " ", 1);
    if (length > WHOLE_LINE && column > WINDOW_LEAD) {
        skip = column - WINDOW_LEAD;
        for (int passed = 0; passed < skip && at < end; passed++)
            for (at++; at < end && ((unsigned char)*at & 0xC0) == 0x80;)
                at++;
        text_add(&page->text, "...");
        skip -= 3;
    }
    for (; at < end && (length <= WHOLE_LINE || shown < WINDOW); shown++)
        at += text_add_character(&page->text, at, end);
    text_add(&page->text, at < end ? "..." : "");
    trim_end(&page->text);
    text_add_bytes(&page->text, "\n", 1);
    return skip;
}

/* How many lines of a width words take that may have `most` columns. */
static int lines_of(const char *at, const char *end, int width, int most) {
    int lines = 1, column = 0;
    while (at < end) {
        int blanks = blanks_at(at, end);
        const char *stop = word_end(at + blanks, end, most);
        int word = columns_between(at + blanks, stop);
        bool fits = column + blanks + word <= width;
        lines += !fits && column;
        column = fits ? column + blanks + word : word;
        at = stop;
    }
    return lines;
}

/* The least width in which words take no more lines than in `most` columns: no line is left with a single word. */
static int evened(const char *at, const char *end, int most) {
    int lines = lines_of(at, end, most, most), width = most;
    while (width > 1 && lines_of(at, end, width - 1, most) == lines)
        width--;
    return width;
}

/* Beside what they speak of; if little room is left there, below it; or where there is some. */
static void put_label(Flow *flow, const char *text, int below) {
    enum { ENOUGH = 40 };
    const char *end = text + strlen(text);
    int width = columns_between(text, end), beside = flow->column + 1, margin = flow->page->gutter + 2;
    bool fits = beside + (width < ENOUGH ? width : ENOUGH) <= COLUMNS;
    flow->indent = fits ? beside : below + ENOUGH <= COLUMNS ? below : COLUMNS - (width > COLUMNS - margin ? ENOUGH : width);
    flow->edge = flow->indent + evened(text, end, COLUMNS - flow->indent);
    if (fits) {
        text_add_bytes(&flow->page->text, " ", 1);
        flow->column = beside;
    } else {
        next_line(flow, flow->indent);
    }
    put_words(flow, text);
}

static void put_underline(Page *page, const Mark *mark, int skip, const char *color) {
    int column = mark->place.column - skip, width = mark->width;
    if (column < 1 || column > WHOLE_LINE)
        column = column < 1 ? 1 : WHOLE_LINE;
    if (width > WHOLE_LINE - column + 1)
        width = WHOLE_LINE - column + 1;
    int left = page->gutter + 1 + column;
    Flow flow = { .page = page, .column = left + width, .bar = true, .color = mark->main ? color : COLOR_ALSO };
    put_gutter(page, 0);
    text_add(&page->text, "%*s", column, "");
    paint(page, flow.color);
    for (int i = 0; i < width; i++)
        text_add_bytes(&page->text, mark->main ? "^" : "-", 1);
    if (*mark->text)
        put_label(&flow, mark->text, left);
    paint(page, NULL);
    text_add_bytes(&page->text, "\n", 1);
}

static void put_name(Page *page, const char *name) {
    for (const char *end = name + strlen(name); name < end;)
        name += text_add_character(&page->text, name, end);
}

/* Marks of one source in the order of their lines. */
static void put_frame(Page *page, const Mark *marks, int count, const char *color) {
    const Mark *head = &marks[0];
    for (int i = 1; i < count && !head->main; i++)
        if (marks[i].main)
            head = &marks[i];
    text_add(&page->text, "  ");
    put_name(page, head->place.source->name);
    text_add(&page->text, ":%d:%d\n", head->place.line, head->place.column);
    put_gutter(page, 0);
    text_add_bytes(&page->text, "\n", 1);
    int last = 0, skip = 0;
    for (int i = 0; i < count; i++) {
        if (marks[i].place.line != last) {
            if (last && marks[i].place.line > last + 1)
                text_add(&page->text, "%*s:\n", page->gutter, "");
            last = marks[i].place.line;
            skip = put_line(page, marks[i].place.source, last, marks[i].place.column);
        }
        put_underline(page, &marks[i], skip, color);
    }
}

enum { NEAR = 10 };     /* so many lines below the cause a second place still shares its frame */

static bool same_frame(const Mark *main, const Mark *other) {
    return other->place.source == main->place.source && other->place.line >= main->place.line
           && other->place.line <= main->place.line + NEAR;
}

static void put_frames(Page *page, const Diagnostic *d, const char *color) {
    Arena scratch = { .jre = page->jre };
    Mark *marks = arena_array(&scratch, Mark, d->also.count + 1), *frame = arena_array(&scratch, Mark, d->also.count + 1);
    int count = 0, in_frame = 0, largest = 0;
    marks[count++] = mark_at(page->jre, d->span, d->message, true);
    for (int i = 0; i < d->also.count; i++) {
        marks[count] = mark_at(page->jre, d->also.at[i].span, d->also.at[i].text, false);
        count += marks[count].place.source != NULL;
    }
    for (int i = 0; i < count; i++)
        largest = marks[i].place.line > largest ? marks[i].place.line : largest;
    page->gutter = snprintf(NULL, 0, "%2d", largest) + 1;
    for (int i = 0; i < count; i++) {
        if (i && !same_frame(&marks[0], &marks[i]))
            continue;
        int j = in_frame++;
        for (; j > 0 && frame[j - 1].place.line > marks[i].place.line; j--)
            frame[j] = frame[j - 1];
        frame[j] = marks[i];
    }
    put_frame(page, frame, in_frame, color);
    for (int i = 1; i < count; i++)
        if (!same_frame(&marks[0], &marks[i]))
            put_frame(page, &marks[i], 1, color);
    if (d->remarks.count || d->helps.count) {
        put_gutter(page, 0);
        text_add_bytes(&page->text, "\n", 1);
    }
    arena_free(&scratch);
}

/* ---- helps ---------------------------------------------------------------------------------------------------------------- */

static void put_help_line(Page *page, char sign, const char *at, const char *end) {
    text_add(&page->text, "%*s%c ", page->gutter, "", sign);
    while (at < end)
        at += text_add_character(&page->text, at, end);
    trim_end(&page->text);
    text_add_bytes(&page->text, "\n", 1);
}

static void put_help_lines(Page *page, char sign, const char *at, const char *end) {
    for (int lines = 0; at < end && lines < 12; lines++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        put_help_line(page, sign, at, stop > at && stop[-1] == '\r' ? stop - 1 : stop);
        at = newline ? newline + 1 : end;
    }
}

/* Whole lines that are inserted are shown alone; otherwise the changed lines, as they would be. */
static void put_edit(Page *page, const DiagHelp *help) {
    Place first = place_of(page->jre, help->edit.start), last = place_of(page->jre, help->edit.end);
    if (!first.source || first.source != last.source)
        return;
    const char *text = help->replacement;
    size_t length = strlen(text), tail;
    if (help->edit.start == help->edit.end && length && (*text == '\n' || text[length - 1] == '\n')) {
        put_help_lines(page, '+', *text == '\n' ? text + 1 : text, text + length);
        return;
    }
    const Source *source = first.source;
    const char *begin = source->bytes + source->line_starts[first.line - 1];
    const char *behind = source->bytes + (help->edit.end - source->base);
    const char *line = line_bytes(source, last.line, &tail), *end = line + tail;
    if (behind > end)
        behind = end;
    Text changed = { .jre = page->jre };
    text_add_bytes(&changed, begin, (size_t)(source->bytes + (help->edit.start - source->base) - begin));
    text_add_bytes(&changed, text, length);
    text_add_bytes(&changed, behind, (size_t)(end - behind));
    if (changed.length <= WHOLE_LINE * 4)
        put_help_lines(page, '|', changed.at, changed.at + changed.length);
    text_free(&changed);
}

static void put_help(Page *page, const DiagHelp *help) {
    paint(page, COLOR_HELP);
    text_add(&page->text, "help: ");
    Flow flow = { .page = page, .column = 6, .indent = 6, .edge = COLUMNS };
    put_words(&flow, help->text);
    if (help->has_edit && help->safe && flow.column + 8 > COLUMNS)
        next_line(&flow, 6);
    else if (help->has_edit && help->safe)
        text_add(&page->text, "  ");
    text_add(&page->text, help->has_edit && help->safe ? "(safe)" : "");
    paint(page, NULL);
    text_add_bytes(&page->text, "\n", 1);
    if (help->has_edit)
        put_edit(page, help);
}

static void put_diagnostic(Page *page, const Diagnostic *d) {
    const DiagRow *row = &diag_rows[d->code];
    const char *color = color_of_severity[row->severity];
    paint(page, color);
    text_add(&page->text, "%s: %s", severity_words[row->severity], row->name);
    paint(page, NULL);
    text_add_bytes(&page->text, "\n", 1);
    page->gutter = 3;
    if (source_of(page->jre, d->span)) {
        put_frames(page, d, color);
    } else {
        text_add(&page->text, "  ");
        put_paragraph(page, 2, 2, d->message);
    }
    for (int i = 0; i < d->remarks.count; i++) {
        const char *sign = d->remarks.at[i].note ? "= note: " : "= ";
        text_add(&page->text, "%*s%s", page->gutter, "", sign);
        put_paragraph(page, page->gutter + (int)strlen(sign), page->gutter + 4, d->remarks.at[i].text);
    }
    for (int i = 0; i < d->helps.count; i++)
        put_help(page, &d->helps.at[i]);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

static void put_json_field(Text *out, const char *name, const char *text) {
    text_add(out, "\"%s\": ", name);
    json_text(out, text);
}

static void put_json_place(Jre *jre, Text *out, Span span) {
    Place start = place_of(jre, span.start), end = place_of(jre, span.end);
    if (!start.source) {
        text_add(out, "\"file\": null, \"line\": null, \"column\": null, \"end_line\": null, \"end_column\": null");
        return;
    }
    put_json_field(out, "file", start.source->name);
    text_add(out, ", \"line\": %d, \"column\": %d, \"end_line\": %d, \"end_column\": %d", start.line, start.column,
             end.source == start.source ? end.line : start.line, end.source == start.source ? end.column : start.column);
}

static void put_json_remarks(Text *out, const char *name, const Diagnostic *d, bool notes) {
    const char *comma = "";
    text_add(out, ", \"%s\": [", name);
    for (int i = 0; i < d->remarks.count; i++) {
        if (d->remarks.at[i].note != notes)
            continue;
        text_add(out, "%s", comma);
        json_text(out, d->remarks.at[i].text);
        comma = ", ";
    }
    text_add(out, "]");
}

/* Edits speak of bytes of their file and of lines and columns too: an editor applies them without counting. */
static void put_json_help(Jre *jre, Text *out, const DiagHelp *help) {
    const Source *source = help->has_edit ? source_of(jre, help->edit) : NULL;
    text_add(out, "{");
    put_json_field(out, "text", help->text);
    if (source) {
        text_add(out, ", \"edit\": {\"start\": %u, \"end\": %u, ", help->edit.start - source->base, help->edit.end - source->base);
        put_json_field(out, "text", help->replacement);
        text_add(out, ", ");
        put_json_place(jre, out, help->edit);
        text_add(out, "}");
    }
    text_add(out, ", \"safe\": %s}", help->safe ? "true" : "false");
}

static void put_json(Jre *jre, Text *out, const Diagnostic *d) {
    const DiagRow *row = &diag_rows[d->code];
    text_add(out, "{\"name\": \"%s\", \"severity\": \"%s\", ", row->name, severity_words[row->severity]);
    put_json_place(jre, out, d->span);
    text_add(out, ", ");
    put_json_field(out, "message", d->message);
    text_add(out, ", \"also\": [");
    for (int i = 0; i < d->also.count; i++) {
        text_add(out, "%s{", i ? ", " : "");
        put_json_place(jre, out, d->also.at[i].span);
        text_add(out, ", ");
        put_json_field(out, "message", d->also.at[i].text);
        text_add(out, "}");
    }
    text_add(out, "]");
    put_json_remarks(out, "facts", d, false);
    put_json_remarks(out, "notes", d, true);
    text_add(out, ", \"help\": [");
    for (int i = 0; i < d->helps.count; i++) {
        text_add(out, "%s", i ? ", " : "");
        put_json_help(jre, out, &d->helps.at[i]);
    }
    text_add(out, "]}");
}

void diag_print_all(Jre *jre, FILE *out, bool as_json, bool colors) {
    sort_by_place(jre);
    Page page = { .jre = jre, .text = { .jre = jre }, .colors = colors };
    for (int i = 0; i < jre->diagnostics.count; i++) {
        if (as_json) {
            text_add(&page.text, i ? ",\n " : "[");
            put_json(jre, &page.text, jre->diagnostics.at[i]);
        } else {
            text_add(&page.text, i ? "\n" : "");
            put_diagnostic(&page, jre->diagnostics.at[i]);
        }
    }
    if (as_json)
        text_add(&page.text, jre->diagnostics.count ? "]\n" : "[]\n");
    if (page.text.length)
        fwrite(page.text.at, 1, page.text.length, out);
    text_free(&page.text);
    diag_forget(jre);
}
