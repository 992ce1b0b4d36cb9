/* tables.c: rows of CSV tables that people keep.
 *
 * A table is changed by one row at a time; every other byte of it stays, comments of people in further rows and their way of
 * ending lines included. The file is written whole and renamed, so a killed run leaves the old table or the new one; while it
 * is read and written its folder is locked, so two runs at once lose no row. A table that grows takes columns that it does not
 * have yet at its right, and leaves to people the columns that it does not know. */
#include "../runtime.h"

#include <limits.h>
#include <stdlib.h>
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

static void explain_header(Jre *jre, const Reader *reader, const Record *header, const TableRow *row) {
    Text found = { .jre = jre }, wanted = { .jre = jre };
    add_row(&found, header->cells.at, header->cells.count, "");
    add_row(&wanted, row->columns, row->count, "");
    Diagnostic *d = diag(jre, DIAG_wrong_table, reader->asked_at, "the table `%s` is there, with other columns", reader->path);
    diag_fact(d, "it has      %s", found.at ? found.at : "");
    diag_fact(d, "I write     %s", wanted.at ? wanted.at : "");
    diag_help(d, "name another file, or move this one away");
    text_free(&found);
    text_free(&wanted);
}

/* A row in the columns of the file: those that the file has, then those that it gets. */
typedef struct {
    LIST(const char *) columns;
    const char **cells; bool *ours;       /* ours: the row says something there */
    int *place;                           /* of each column of the row */
    int old_columns, key_columns;
    const char *line_end;
} Layout;

static int find_column(const Layout *layout, const char *name) {
    for (int i = 0; i < layout->columns.count; i++)
        if (strcmp(layout->columns.at[i], name) == 0)
            return i;
    return -1;
}

/* False: the file's columns are others than the row's. */
static bool lay_out(Arena *arena, const Record *header, const TableRow *row, Layout *layout) {
    for (int i = 0; i < header->cells.count; i++)
        list_add(arena, &layout->columns, header->cells.at[i]);
    layout->old_columns = header->cells.count;
    layout->key_columns = row->key_columns < row->count ? row->key_columns : row->count;
    layout->place = arena_array(arena, int, row->count + 1);
    if (!row->grows && header->cells.count != row->count)
        return false;
    for (int i = 0; i < row->count; i++) {
        layout->place[i] = find_column(layout, row->columns[i]);
        bool strange = row->grows ? layout->place[i] < 0 && i < layout->key_columns : layout->place[i] != i;
        if (strange)
            return false;
        if (layout->place[i] >= 0)
            continue;
        layout->place[i] = layout->columns.count;
        list_add(arena, &layout->columns, row->columns[i]);
    }
    layout->cells = arena_array(arena, const char *, layout->columns.count + 1);
    layout->ours = arena_array(arena, bool, layout->columns.count + 1);
    for (int i = 0; i < row->count; i++) {
        layout->cells[layout->place[i]] = row->cells[i] ? row->cells[i] : "";
        layout->ours[layout->place[i]] = true;
    }
    return true;
}

static bool same_key(const Record *record, const Layout *layout) {
    for (int i = 0; i < layout->key_columns; i++) {
        int place = layout->place[i];
        if (place >= record->cells.count || strcmp(record->cells.at[place], layout->cells[place]) != 0)
            return false;
    }
    return layout->key_columns > 0;
}

/* A row that stays, as long as the table is wide now. */
static void copy_record(const Reader *reader, const Record *record, const Layout *layout, Text *table) {
    size_t end = record->end;
    bool empty = record->cells.count == 1 && !*record->cells.at[0];
    int missing = layout->columns.count > layout->old_columns && !empty ? layout->columns.count - record->cells.count : 0;
    while (end > record->start && missing > 0 && strchr("\r\n", reader->bytes[end - 1]))
        end--;
    text_add_bytes(table, reader->bytes + record->start, end - record->start);
    for (int i = 0; i < missing; i++)
        text_add_bytes(table, ",", 1);
    text_add_bytes(table, reader->bytes + end, record->end - end);
    bool last = record->end == reader->length && record->end > 0 && reader->bytes[record->end - 1] != '\n';
    if (last)
        text_add_bytes(table, layout->line_end, strlen(layout->line_end));
}

/* In place of the row of the same key: what people wrote beside it stays. */
static void replace_record(const Record *record, Layout *layout, Text *table) {
    for (int i = 0; i < layout->columns.count; i++)
        if (!layout->ours[i])
            layout->cells[i] = i < record->cells.count ? record->cells.at[i] : "";
    add_row(table, layout->cells, layout->columns.count, layout->line_end);
}

/* The table with the row in it. */
static bool put_row(Jre *jre, Arena *arena, Reader *reader, const TableRow *row, Text *table) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    Layout layout = {0};
    Record header, record;
    if (reader->length >= 3 && memcmp(reader->bytes, byte_order_mark, 3) == 0)
        reader->at = 3;
    if (!read_record(jre, arena, reader, &header))
        return false;
    if (!lay_out(arena, &header, row, &layout)) {
        explain_header(jre, reader, &header, row);
        return false;
    }
    const bool carriage = header.end >= 2 && memcmp(reader->bytes + header.end - 2, "\r\n", 2) == 0;
    layout.line_end = carriage ? "\r\n" : "\n";
    if (layout.columns.count > layout.old_columns) {
        text_add_bytes(table, reader->bytes, header.start);
        add_row(table, layout.columns.at, layout.columns.count, layout.line_end);
    } else {
        header.start = 0;
        copy_record(reader, &header, &layout, table);
    }
    bool placed = false;
    while (reader->at < reader->length) {
        if (!read_record(jre, arena, reader, &record))
            return false;
        bool here = !placed && same_key(&record, &layout);
        if (here)
            replace_record(&record, &layout, table);
        else
            copy_record(reader, &record, &layout, table);
        placed |= here;
    }
    if (!placed) {
        for (int i = 0; i < layout.columns.count; i++)
            if (!layout.ours[i])
                layout.cells[i] = "";
        add_row(table, layout.cells, layout.columns.count, layout.line_end);
    }
    return true;
}

/* The folder that holds the file itself, where `path` is a link. */
static const char *folder_to_lock(Arena *arena, const char *path) {
    char buffer[PATH_MAX], *real = realpath(path, buffer);
    const char *name = arena_print(arena, "%s", real ? real : path), *slash = strrchr(name, '/');
    if (!slash)
        return ".";
    return slash == name ? "/" : arena_copy(arena, name, (size_t)(slash - name));
}

static bool change_table(Jre *jre, Arena *scratch, const char *path, Span asked_at, const TableRow *row) {
    Text table = { .jre = jre };
    char *bytes = NULL;
    size_t length = 0;
    if (file_exists(path) && !file_read(jre, path, asked_at, &bytes, &length))
        return false;
    bool sound = true;
    if (length == 0) {
        add_row(&table, row->columns, row->count, "\n");
        add_row(&table, row->cells, row->count, "\n");
    } else {
        Reader reader = { .path = path, .asked_at = asked_at, .bytes = bytes, .length = length, .line = 1 };
        sound = put_row(jre, scratch, &reader, row, &table);
    }
    bool same = sound && table.length == length && memcmp(table.at, bytes, length) == 0;
    sound = same || (sound && file_write(jre, path, asked_at, table.at, table.length));
    jre_release(bytes);
    text_free(&table);
    return sound;
}

bool table_put_row(Jre *jre, const char *path, Span asked_at, const TableRow *row) {
    Arena scratch = { .jre = jre };
    const char *folder = folder_to_lock(&scratch, path);
    bool sound = folder_make(jre, folder, asked_at);
    if (sound) {
        int lock = folder_lock(folder);
        sound = change_table(jre, &scratch, path, asked_at, row);
        folder_unlock(lock);
    }
    arena_free(&scratch);
    return sound;
}
