/* table.c: CSV by RFC 4180, read in one pass.
 *
 * A byte order mark, LF, CRLF or CR line ends, quoted cells with doubled quotes and line breaks inside; semicolons or tabs in the place of commas
 * where the first line has no comma, as spreadsheets write where commas are in numbers. The file is kept once in the arena; cells
 * point into it, closed by a NUL where a comma, quote or line end stood, and quoted cells are unpacked in place. Blank lines at the end do not
 * count. Everything else that is not a table is an error that names file and line: nothing is padded, cut or guessed. Cells are texts; what one
 * means as a number, a time or a truth is decided here too, where somebody asks. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    Jre *jre; Table *table;
    char *at, *end;                       /* *end is NUL */
    const char *last;                     /* behind the last byte that is not a line end */
    int line;                             /* of *at */
    char sign;                            /* what parts cells: , ; or a tab */
} TableReader;

static const char *sign_name(char sign) { return sign == ',' ? "comma" : sign == ';' ? "semicolon" : "tab"; }

typedef enum { AFTER_CELL_SIGN, AFTER_CELL_LINE, AFTER_CELL_MISTAKE } AfterCell;

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
    AfterCell after = *reader->at == reader->sign ? AFTER_CELL_SIGN : AFTER_CELL_LINE;
    if (after == AFTER_CELL_SIGN)
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
    if (reader->at < reader->end && *reader->at != reader->sign && !strchr("\r\n", *reader->at)) {
        Diagnostic *d = wrong(reader->table, reader->jre, reader->line, arena_print(&reader->jre->forever, "I expected a %s or the end of the line behind a closing quote", sign_name(reader->sign)));
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
    while (*at != reader->sign && *at != '\n' && *at != '\r' && *at != '\0')
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

/* Of the first line: the comma, unless it has none and has another one. Names in quotes may hold any. */
static char sign_of(const char *text) {
    bool quoted = false;
    char found = 0;
    for (const char *at = text; *at && (quoted || !strchr("\r\n", *at)); at++) {
        quoted ^= *at == '"';
        if (quoted || !strchr(",;\t", *at)) continue;
        if (*at == ',') return ',';
        if (!found) found = *at;
    }
    return found ? found : ',';
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
    } while (good && after == AFTER_CELL_SIGN);
    arena_free(&scratch);
    return good;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------------------- */

static bool wrong_length(TableReader *reader, int line, int64_t found) {
    int expected = reader->table->columns.count;
    Diagnostic *d = wrong(reader->table, reader->jre, line, "this row is not as long as the header");
    diag_fact(d, "I expected %d cells, I found %lld", expected, (long long)found);
    const char *sign = sign_name(reader->sign);
    if (found > expected) diag_help(d, "quote a cell that holds a %s, or take out the %ss that are too many", sign, sign);
    else diag_help(d, "fill the row up with %ss, or take it out", sign);
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
    } while (after == AFTER_CELL_SIGN);
    table->lines[table->rows] = line;
    return found == columns || wrong_length(reader, line, (int64_t)found);
}

static bool read_rows(TableReader *reader) {
    Table *table = reader->table;
    size_t count = 0, columns = (size_t)table->columns.count;
    /* A blank line is a row of one empty cell, in the middle of a table of one column a good one; behind the last row it is none. */
    while (reader->at < reader->last) {
        if (reader->jre->interrupted || !read_row(reader, count))
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

/* Of a byte; lines end as in skip_line_end. */
static int line_of(const char *bytes, const char *place) {
    int line = 1;
    for (const char *at = bytes; at < place; at++)
        line += *at == '\n' || (*at == '\r' && at[1] != '\n');
    return line;
}

/* The first byte that belongs to no character of UTF-8; NULL: there is none. */
static const char *find_other_text(const char *bytes, size_t length) {
    const char *at = bytes, *end = bytes + length;
    while (at < end) {
        uint64_t eight;
        while (end - at >= 8 && (memcpy(&eight, at, 8), (eight & UINT64_C(0x8080808080808080)) == 0))
            at += 8;
        if (at == end)
            return NULL;
        size_t character = utf8_length(at, end);
        if (!character)
            return at;
        at += character;
    }
    return NULL;
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
    const char *nul = memchr(bytes, '\0', length), *other = nul ? NULL : find_other_text(bytes, length);
    if (nul) {
        d = wrong(table, jre, line_of(bytes, nul), "a byte of zero stands here, which no text holds");
        diag_fact(d, "byte %zu of %zu", (size_t)(nul - bytes), length);
        diag_help(d, "see whether this is a table at all; if it is, save it as `CSV UTF-8`");
        return false;
    }
    if (other) {
        d = wrong(table, jre, line_of(bytes, other), "a letter stands here in another code than UTF-8");
        int shown = 0;                    /* of what stands before it on the line */
        while (shown < 20 && other - shown > bytes && !strchr("\r\n", other[-shown - 1]))
            shown++;
        while (shown > 0 && ((uint8_t)other[-shown] & 0xc0) == 0x80)
            shown--;                      /* a letter is shown whole or not at all */
        diag_fact(d, "byte %zu of %zu, behind `%.*s`", (size_t)(other - bytes), length, shown, other - shown);
        diag_help(d, "save it as `CSV UTF-8`: names would differ from what people read");
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
        TableReader reader = { .jre = jre, .table = table, .at = kept, .end = kept + length, .last = kept + trimmed(kept, length), .line = 1, .sign = sign_of(kept) };
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

/* ---- what a cell means ------------------------------------------------------------------------------------------------------------------ */

bool cell_number(const char *cell, double *number) {
    char *end;
    if (!*cell || cell[strspn(cell, "+-.0123456789eE")] != '\0')
        return false;                     /* no `inf`, `nan` or `0x10` */
    *number = strtod(cell, &end);
    return end != cell && *end == '\0' && isfinite(*number);
}

bool cell_truth(const char *cell, bool *truth) {
    static const char *const words[] = { "false", "true", "no", "yes", "0", "1" };
    for (int i = 0; i < 6; i++)
        if (strcasecmp(cell, words[i]) == 0) {
            *truth = i % 2 == 1;
            return true;
        }
    return false;
}

/* Exactly so many digits. */
static bool read_digits(const char **at, int count, int *number) {
    *number = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

/* 2020-05-17, with one of -:/ */
static bool read_year_first(const char **at, int *year, int *month, int *date) {
    if (!read_digits(at, 4, year))
        return false;
    char mark = **at;
    return mark && strchr("-:/", mark) && (++*at, read_digits(at, 2, month)) && **at == mark && (++*at, read_digits(at, 2, date));
}

/* 17.05.2020, 7.5.2020: with points the month is in the middle; 5/7/2020 could be either. */
static bool read_date_first(const char **at, int *year, int *month, int *date) {
    int *parts[] = { date, month };
    for (int i = 0; i < 2; i++) {
        size_t digits = strspn(*at, "0123456789");
        if (digits < 1 || digits > 2 || !read_digits(at, (int)digits, parts[i]) || *(*at)++ != '.')
            return false;
    }
    return read_digits(at, 4, year);
}

/* A day as days since 1970-01-01, by the Gregorian calendar throughout. */
static bool read_day(const char **at, int64_t *day) {
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, date;
    bool points = (*at)[strspn(*at, "0123456789")] == '.';
    if (points ? !read_date_first(at, &year, &month, &date) : !read_year_first(at, &year, &month, &date))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || date < 1 || date > lengths[month - 1] + (leap && month == 2))
        return false;
    int64_t before = year - 1;            /* whole years since the year 1, which began 719162 days before 1970 */
    *day = before * 365 + before / 4 - before / 100 + before / 400 - 719162 + date - 1;
    for (int i = 0; i < month - 1; i++)
        *day += lengths[i] + (leap && i == 1);
    return true;
}

/* 06:03, 06:03:11, 06:03:11.25 */
static bool read_clock(const char **at, double *seconds) {
    int hour, minute, second = 0;
    if (!read_digits(at, 2, &hour) || **at != ':' || (++*at, !read_digits(at, 2, &minute)))
        return false;
    if (**at == ':' && (++*at, !read_digits(at, 2, &second)))
        return false;
    if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute || second)))
        return false;
    *seconds = hour * 3600.0 + minute * 60.0 + second;
    if (**at != '.')
        return true;
    size_t digits = strspn(++*at, "0123456789");
    double place = 1;
    for (size_t i = 0; i < digits && i < 9; i++)
        *seconds += ((*at)[i] - '0') * (place /= 10);
    *at += digits;
    return digits > 0;
}

/* Z, +02, +02:00, -0330, or nothing. */
static bool read_zone(const char **at, double *ahead) {
    int hours, minutes = 0, sign = **at == '-' ? -1 : 1;
    *ahead = 0;
    if (**at == 'Z' || **at == 'z') {
        ++*at;
        return true;
    }
    if (**at != '+' && **at != '-')
        return true;
    if (++*at, !read_digits(at, 2, &hours))
        return false;
    if (**at == ':')
        ++*at;
    if (**at && !read_digits(at, 2, &minutes))
        return false;
    *ahead = sign * (hours * 3600.0 + minutes * 60.0);
    return hours < 24 && minutes < 60;
}

bool cell_time(const char *cell, double *seconds) {
    int64_t day;
    double clock = 0, ahead = 0;
    if (cell_number(cell, seconds))
        return true;
    if (!read_day(&cell, &day))
        return false;
    if (*cell == 'T' || *cell == 't' || *cell == ' ') {
        cell++;
        if (!read_clock(&cell, &clock) || !read_zone(&cell, &ahead))
            return false;
    }
    *seconds = (double)day * 86400 + clock - ahead;
    return *cell == '\0';
}
