/* tables.c: rows of CSV tables that people keep.
 *
 * A table is changed by one row at a time; every other byte of it stays, comments of people in further rows and their way of
 * ending lines included. The file is written whole and renamed, so a killed run leaves the old table or the new one. */
#include "../runtime.h"

#include <string.h>

/* Quotes a cell where it holds a comma, a quote or an end of line. */
void csv_cell(Text *out, const char *cell) {
    if (!cell)
        cell = "";
    if (!cell[strcspn(cell, ",\"\r\n")]) {
        text_add_bytes(out, cell, strlen(cell));
        return;
    }
    text_add_bytes(out, "\"", 1);
    for (const char *c = cell; *c; c++) {
        if (*c == '"')
            text_add_bytes(out, "\"", 1);
        text_add_bytes(out, c, 1);
    }
    text_add_bytes(out, "\"", 1);
}

/* ---- reading records where they lie ------------------------------------------------------------------------------------------ */

/* One record of the file: its cells' meaning, and the bytes it occupies with its line end. */
typedef struct { size_t start, end; int line; LIST(const char *) cells; } Record;
typedef struct { const char *path; Span asked_at; const char *bytes; size_t length, at; int line; } Reader;

/* From a quote to the one that ends it. False: there is none. */
static bool read_quoted(Reader *reader, Text *cell) {
    for (reader->at++; reader->at < reader->length; reader->at++) {
        char c = reader->bytes[reader->at];
        if (c == '"') {
            if (reader->at + 1 >= reader->length || reader->bytes[reader->at + 1] != '"') {
                reader->at++;
                return true;
            }
            reader->at++;
        }
        reader->line += c == '\n';
        text_add_bytes(cell, &c, 1);
    }
    return false;
}

static bool at_line_end(const Reader *reader) {
    char c = reader->bytes[reader->at];
    return c == '\n' || (c == '\r' && reader->at + 1 < reader->length && reader->bytes[reader->at + 1] == '\n');
}

static bool read_cell(Reader *reader, Text *cell) {
    if (reader->at < reader->length && reader->bytes[reader->at] == '"' && !read_quoted(reader, cell))
        return false;
    for (; reader->at < reader->length && reader->bytes[reader->at] != ',' && !at_line_end(reader); reader->at++)
        text_add_bytes(cell, reader->bytes + reader->at, 1);
    return true;
}

/* The next record; at the end of the file nothing was read. False: diagnosed. */
static bool read_record(Jre *jre, Arena *arena, Reader *reader, Record *record) {
    *record = (Record){ .start = reader->at, .line = reader->line };
    bool ended = reader->at >= reader->length;
    while (!ended) {
        Text cell = { .jre = jre };
        bool whole = read_cell(reader, &cell);
        if (whole)
            list_add(arena, &record->cells, arena_copy(arena, cell.at ? cell.at : "", cell.length));
        text_free(&cell);
        if (!whole) {
            diag(jre, DIAG_wrong_table, reader->asked_at, "`%s`, line %d: a quote is opened and the file ends before another closes it",
                 reader->path, record->line);
            return false;
        }
        ended = reader->at >= reader->length || reader->bytes[reader->at] != ',';
        if (reader->at < reader->length) {
            size_t step = reader->bytes[reader->at] == '\r' ? 2 : 1;
            reader->line += ended;
            reader->at += step;
        }
    }
    record->end = reader->at;
    return true;
}

/* ---- writing one row --------------------------------------------------------------------------------------------------------------- */

static void add_row(Text *out, const char *const *cells, int count, const char *line_end) {
    for (int i = 0; i < count; i++) {
        if (i)
            text_add_bytes(out, ",", 1);
        csv_cell(out, cells[i]);
    }
    text_add_bytes(out, line_end, strlen(line_end));
}

static bool same_cells(const Record *record, const char *const *cells, int count) {
    if (record->cells.count < count)
        return false;
    for (int i = 0; i < count; i++)
        if (strcmp(record->cells.at[i], cells[i] ? cells[i] : "") != 0)
            return false;
    return true;
}

static void explain_header(Jre *jre, const Reader *reader, const Record *header, const char *const *columns, int count) {
    Text found = { .jre = jre }, wanted = { .jre = jre };
    add_row(&found, header->cells.at, header->cells.count, "");
    add_row(&wanted, columns, count, "");
    Diagnostic *d = diag(jre, DIAG_wrong_table, reader->asked_at, "the table `%s` is there, with other columns", reader->path);
    diag_fact(d, "it has      %s", found.at ? found.at : "");
    diag_fact(d, "I write     %s", wanted.at ? wanted.at : "");
    diag_help(d, "name another file, or move this one away");
    text_free(&found);
    text_free(&wanted);
}

typedef struct { const char *const *columns, *const *cells; int count, key_columns; } Row;

/* The table with the row in it. */
static bool put_row(Jre *jre, Arena *arena, Reader *reader, const Row *row, Text *table) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (reader->length >= 3 && memcmp(reader->bytes, byte_order_mark, 3) == 0)
        reader->at = 3;
    Record header, record;
    if (!read_record(jre, arena, reader, &header))
        return false;
    if (header.cells.count != row->count || !same_cells(&header, row->columns, row->count)) {
        explain_header(jre, reader, &header, row->columns, row->count);
        return false;
    }
    const bool carriage = header.end >= 2 && memcmp(reader->bytes + header.end - 2, "\r\n", 2) == 0;
    const char *line_end = carriage ? "\r\n" : "\n";
    while (reader->at < reader->length) {
        if (!read_record(jre, arena, reader, &record))
            return false;
        if (row->key_columns > 0 && same_cells(&record, row->cells, row->key_columns)) {
            text_add_bytes(table, reader->bytes, record.start);
            add_row(table, row->cells, row->count, line_end);
            text_add_bytes(table, reader->bytes + record.end, reader->length - record.end);
            return true;
        }
    }
    text_add_bytes(table, reader->bytes, reader->length);
    if (reader->bytes[reader->length - 1] != '\n')
        text_add_bytes(table, line_end, strlen(line_end));
    add_row(table, row->cells, row->count, line_end);
    return true;
}

bool table_put_row(Jre *jre, const char *path, Span asked_at, const char *const *columns, const char *const *cells, int count, int key_columns) {
    Row row = { .columns = columns, .cells = cells, .count = count, .key_columns = key_columns < count ? key_columns : count };
    Text table = { .jre = jre };
    char *bytes = NULL;
    size_t length = 0;
    if (file_exists(path) && !file_read(jre, path, asked_at, &bytes, &length))
        return false;
    bool sound = true;
    if (length == 0) {
        add_row(&table, columns, count, "\n");
        add_row(&table, cells, count, "\n");
    } else {
        Arena scratch = { .jre = jre };
        Reader reader = { .path = path, .asked_at = asked_at, .bytes = bytes, .length = length, .line = 1 };
        sound = put_row(jre, &scratch, &reader, &row, &table);
        arena_free(&scratch);
    }
    sound = sound && file_write(jre, path, asked_at, table.at, table.length);
    jre_release(bytes);
    text_free(&table);
    return sound;
}
