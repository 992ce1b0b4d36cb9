/* table.c: CSV by RFC 4180, read in one pass.
 *
 * A byte order mark, LF, CRLF or CR line ends, quoted cells with doubled quotes and line breaks inside. The file is kept once in the arena; cells
 * point into it, closed by a NUL where a comma, quote or line end stood, and quoted cells are unpacked in place. Blank lines at the end do not
 * count. Everything else that is not a table is an error that names file and line: nothing is padded, cut or guessed. */
#include "../runtime.h"

#include <string.h>

typedef struct {
    Jre *jre; Table *table;
    char *at, *end;                       /* *end is NUL */
    const char *last;                     /* behind the last byte that is not a line end */
    int line;                             /* of *at */
} TableReader;

typedef enum { AFTER_CELL_COMMA, AFTER_CELL_LINE, AFTER_CELL_MISTAKE } AfterCell;

static Diagnostic *wrong(const Table *table, Jre *jre, int line, const char *what) {
    return diag(jre, DIAG_wrong_table, table->asked_at, "%s:%d: %s", table->path, line, what);
}

/* ---- cells ----------------------------------------------------------------------------------------------------------------------- */

/* Steps over one line end, if one is there. */
static bool skip_line_end(TableReader *reader) {
    if (*reader->at == '\r')
        reader->at += reader->at[1] == '\n' ? 2 : 1;
    else if (*reader->at == '\n')
        reader->at++;
    else
        return false;
    reader->line++;
    return true;
}

/* Ends the cell at `close`, which is at or before reader->at, and steps over what divides it from the next. */
static AfterCell end_cell(TableReader *reader, char *close) {
    AfterCell after = *reader->at == ',' ? AFTER_CELL_COMMA : AFTER_CELL_LINE;
    if (after == AFTER_CELL_COMMA)
        reader->at++;
    else
        skip_line_end(reader);            /* the end of the file ends a line too */
    *close = '\0';
    return after;
}

/* reader->at is behind the opening quote. The unpacked text grows behind `to` and never overtakes what is read. */
static AfterCell read_quoted(TableReader *reader, const char **cell) {
    int opened = reader->line;
    char *from = reader->at, *to = reader->at;
    *cell = to;
    for (;;) {
        size_t plain = strcspn(from, "\"\n\r");
        memmove(to, from, plain);
        to += plain;
        from += plain;
        if (from >= reader->end) {
            Diagnostic *d = wrong(reader->table, reader->jre, opened, "a quote is opened here and the file ends before one closes it");
            diag_help(d, "close it, or double a quote that belongs to the text: \"\"");
            return AFTER_CELL_MISTAKE;
        }
        if (*from == '"' && from[1] != '"')
            break;
        /* CRLF is one line, the LF counts it */
        if (*from == '\n' || (*from == '\r' && from[1] != '\n'))
            reader->line++;
        from += *from == '"' ? 1 : 0;
        *to++ = *from++;
    }
    reader->at = from + 1;
    if (reader->at < reader->end && !strchr(",\r\n", *reader->at)) {
        Diagnostic *d = wrong(reader->table, reader->jre, reader->line, "I expected a comma or the end of the line behind a closing quote");
        diag_fact(d, "I found `%.20s`", reader->at);
        diag_help(d, "double a quote that belongs to the text: \"\"");
        return AFTER_CELL_MISTAKE;
    }
    return end_cell(reader, to);
}

static AfterCell read_cell(TableReader *reader, const char **cell) {
    if (*reader->at == '"') {
        reader->at++;
        return read_quoted(reader, cell);
    }
    *cell = reader->at;
    char *at = reader->at;
    while (*at != ',' && *at != '\n' && *at != '\r' && *at != '\0')
        at++;
    reader->at = at;
    return end_cell(reader, at);
}

/* ---- the header -------------------------------------------------------------------------------------------------------------------- */

/* Columns without a name (pandas writes its index so) may repeat. */
static bool add_column(TableReader *reader, Map *seen, Arena *scratch, const char *name) {
    const char *column = intern(reader->jre, name);
    if (*column && map_get(seen, column)) {
        Diagnostic *d = wrong(reader->table, reader->jre, 1, "two columns have one name");
        diag_fact(d, "`%s`", column);
        diag_help(d, "rename one of them");
        return false;
    }
    map_set(seen, scratch, column, reader);
    list_add(&reader->jre->forever, &reader->table->columns, column);
    return true;
}

static bool read_header(TableReader *reader) {
    Arena scratch = { .jre = reader->jre };
    Map seen = {0};
    AfterCell after;
    bool good;
    do {
        const char *name;
        after = read_cell(reader, &name);
        good = after != AFTER_CELL_MISTAKE && add_column(reader, &seen, &scratch, name);
    } while (good && after == AFTER_CELL_COMMA);
    arena_free(&scratch);
    return good;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------------------- */

static bool wrong_length(TableReader *reader, int line, int64_t found) {
    int expected = reader->table->columns.count;
    Diagnostic *d = wrong(reader->table, reader->jre, line, "this row is not as long as the header");
    diag_fact(d, "I expected %d cells, I found %lld", expected, (long long)found);
    diag_help(d, found > expected ? "quote a cell that holds a comma, or take out the commas that are too many" : "fill the row up with commas, or take it out");
    return false;
}

/* `count` is where the row begins among the cells. */
static bool read_row(TableReader *reader, size_t count) {
    Table *table = reader->table;
    int line = reader->line;
    size_t columns = (size_t)table->columns.count, found = 0;
    AfterCell after;
    do {
        const char *cell;
        after = read_cell(reader, &cell);
        if (after == AFTER_CELL_MISTAKE)
            return false;
        if (found < columns)
            table->cells[count + found] = cell;
        found++;
    } while (after == AFTER_CELL_COMMA);
    table->lines[table->rows] = line;
    return found == columns || wrong_length(reader, line, (int64_t)found);
}

static bool read_rows(TableReader *reader) {
    Table *table = reader->table;
    size_t count = 0, columns = (size_t)table->columns.count;
    /* A blank line is a row of one empty cell, in the middle of a table of one column a good one; behind the last row it is none. */
    while (reader->at < reader->last) {
        if (!read_row(reader, count))
            return false;
        count += columns;
        table->rows++;
    }
    return true;
}

/* Room for all rows there can be: none is shorter than a byte a cell, none than a line. Cells are shared out in one piece. */
static bool make_room(TableReader *reader) {
    Table *table = reader->table;
    int64_t rows = 1, left = reader->end - reader->at;
    for (const char *at = reader->at; (at = strpbrk(at, "\r\n")) != NULL; at++)
        rows++;
    if (rows > (left + 1) / table->columns.count + 1)
        rows = (left + 1) / table->columns.count + 1;     /* the last one may turn out too short */
    if (rows * table->columns.count > INT32_MAX) {
        Diagnostic *d = diag(reader->jre, DIAG_wrong_table, table->asked_at, "`%s` has too many cells: at most 2,147,483,647 can be read", table->path);
        diag_help(d, "split the table, or leave out columns that nothing uses");
        return false;
    }
    table->cells = arena_array(&reader->jre->forever, const char *, rows * table->columns.count);
    table->lines = arena_array(&reader->jre->forever, int, rows);
    return true;
}

/* ---- the file -------------------------------------------------------------------------------------------------------------------------- */

/* Length without the line ends at the end. */
static size_t trimmed(const char *bytes, size_t length) {
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    return length;
}

/* What a table cannot hold is found before its bytes are taken apart. */
static bool text_allowed(Jre *jre, const Table *table, const char *bytes, size_t length) {
    const uint8_t *mark = (const uint8_t *)bytes;
    Diagnostic *d;
    if (length >= 2 && ((mark[0] == 0xff && mark[1] == 0xfe) || (mark[0] == 0xfe && mark[1] == 0xff))) {
        d = wrong(table, jre, 1, "the table is written in UTF-16");
        diag_help(d, "save it as `CSV UTF-8`");
        return false;
    }
    const char *nul = memchr(bytes, '\0', length);
    if (nul) {
        int line = 1;
        for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(nul - at))) != NULL; at++)
            line++;
        d = wrong(table, jre, line, "a byte of zero stands here, which no text holds");
        diag_fact(d, "byte %zu of %zu", (size_t)(nul - bytes), length);
        diag_help(d, "see whether this is a table at all; if it is, save it as `CSV UTF-8`");
        return false;
    }
    if (trimmed(bytes, length) == 0) {
        d = wrong(table, jre, 1, "the table is empty");
        diag_help(d, "its first line is to name the columns");
        return false;
    }
    return true;
}

bool table_read(Jre *jre, const char *path, Span asked_at, Table *table) {
    char *bytes;
    size_t length;
    *table = (Table){ .path = intern(jre, path), .asked_at = asked_at };
    if (!file_read(jre, path, asked_at, &bytes, &length))
        return false;
    static const char mark[] = "\xef\xbb\xbf";
    char *text = bytes;
    if (length >= 3 && memcmp(bytes, mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    if (length > INT32_MAX) {
        diag_help(diag(jre, DIAG_wrong_table, asked_at, "`%s` has %zu bytes; at most 2 GiB can be read", path, length), "split the table");
        jre_release(bytes);
        return false;
    }
    bool good = text_allowed(jre, table, text, length);
    if (good) {
        char *kept = arena_copy(&jre->forever, text, length);
        TableReader reader = { .jre = jre, .table = table, .at = kept, .end = kept + length, .last = kept + trimmed(kept, length), .line = 1 };
        good = read_header(&reader) && make_room(&reader) && read_rows(&reader);
    }
    jre_release(bytes);
    return good;
}

Diagnostic *table_lacks(Jre *jre, const Table *table, const char *name, Span span, const char **near) {
    Diagnostic *d = diag(jre, DIAG_wrong_table, span, "`%s` has no column `%s`", table->path, name);
    Text known = { .jre = jre };
    for (int i = 0; i < table->columns.count; i++)
        text_add(&known, "%s%s", i ? ", " : "", table->columns.at[i]);
    diag_fact(d, "its columns are: %s", known.length ? known.at : "none");
    text_free(&known);
    *near = nearest_name(name, table->columns.at, table->columns.count);
    if (*near)
        diag_help(d, "did you mean `%s`?", *near);
    return d;
}

int table_column(const Table *table, const char *name) {
    for (int i = 0; i < table->columns.count; i++)
        if (strcmp(table->columns.at[i], name) == 0)
            return i;
    return -1;
}
