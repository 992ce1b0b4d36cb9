/* rows.c: what is said of pictures: the rows of a table and a template for their files, or a pattern alone.
 *
 * In: a DatasetPlan. Out: pictures in the order of the table (or of their names), each with its path, the cells of its row, and its roles. Contract:
 * a row that `only` leaves out is asked nothing more; all else that is wrong with rows is said together, at most ten by name, each with its line. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

enum { NAMED = 10 };

/* Roles that a column fills; WHEN is the column that bursts by time go by. */
typedef enum { ROLE_IDENTITY, ROLE_FLANK, ROLE_BURST, ROLE_LABEL, ROLE_TAKEN, ROLE_MASK, ROLE_WHEN, ROLES } Role;

/* One piece of a template: literal text, or a column. */
typedef struct { const char *text; int length, column; } Piece;
typedef struct { const char *text; LIST(Piece) pieces; int first, last; } Template;   /* first, last: its outermost columns, -1 without */

typedef struct {
    Jre *jre;
    Arena scratch;
    const DatasetPlan *plan;
    Dataset *dataset;
    Table table;                          /* or what paths say, as one */
    const FileMatch *files;               /* of a pattern, by row; NULL with a table */
    int column[ROLES];
    Template image, mask;
    Map seen;                             /* the line of each path */
    LIST(const char *) findings; int found;
} RowReader;

/* ---- columns and templates ---------------------------------------------------------------------------------------- */

static int wanted_column(RowReader *reader, const char *name, Span span) {
    int column = table_column(&reader->table, name);
    if (column >= 0) return column;
    const char *near;
    Diagnostic *d = table_lacks(reader->jre, &reader->table, name, span, &near);
    if (!near) return -1;
    const char *written = span_text(reader->jre, span), *at = written ? strstr(written, name) : NULL;
    if (at) diag_edit(d, span, false, "%.*s%s%s", (int)(at - written), written, near, at + strlen(name));
    return -1;
}

static bool template_parse(RowReader *reader, const char *text, Span span, Template *template) {
    *template = (Template){.text = text, .first = -1, .last = -1};
    bool sound = true;
    for (const char *at = text; *at;) {
        const char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
        if (open && !close) {
            diag(reader->jre, DIAG_wrong_table, span, "the `{` in \"%s\" is never closed: \"train/{filename}\" puts the cell of a column there", text);
            return false;
        }
        Piece literal = {at, open ? (int)(open - at) : (int)strlen(at), -1};
        if (literal.length) list_add(&reader->scratch, &template->pieces, literal);
        if (!open) break;
        Piece piece = {text, 0, wanted_column(reader, intern_length(reader->jre, open + 1, (size_t)(close - open - 1)), span)};
        sound &= piece.column >= 0;
        template->last = template->pieces.count;
        if (template->first < 0) template->first = template->last;
        list_add(&reader->scratch, &template->pieces, piece);
        at = close + 1;
    }
    return sound;
}

/* Every column that is named is looked for, so that all that are not there are told at once. */
static bool find_columns(RowReader *reader) {
    const DatasetPlan *plan = reader->plan;
    const struct { const char *name; Span span; } named[ROLES] = {
        [ROLE_IDENTITY] = {plan->identity, plan->identity_span},
        [ROLE_FLANK] = {plan->flank, plan->flank_span},
        [ROLE_BURST] = {plan->burst == BURST_COLUMN ? plan->burst_column : NULL, plan->burst_span},
        [ROLE_LABEL] = {plan->label, plan->label_span},
        [ROLE_TAKEN] = {plan->taken, plan->taken_span},
        [ROLE_MASK] = {plan->mask_kind == MASK_COLUMN ? plan->mask : NULL, plan->mask_span},
        [ROLE_WHEN] = {plan->burst == BURST_TIME && (!plan->taken || strcmp(plan->burst_column, plan->taken)) ? plan->burst_column : NULL, plan->burst_span},
    };
    bool sound = true;
    for (int role = 0; role < ROLES; role++) {
        reader->column[role] = named[role].name ? wanted_column(reader, named[role].name, named[role].span) : -1;
        if (named[role].name && reader->column[role] < 0) sound = false;
    }
    if (reader->column[ROLE_WHEN] < 0) reader->column[ROLE_WHEN] = plan->burst == BURST_TIME ? reader->column[ROLE_TAKEN] : -1;
    for (int i = 0; i < plan->keep.count; i++) sound &= wanted_column(reader, plan->keep.at[i], plan->keep_span) >= 0;
    return sound;
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

static void add_finding(RowReader *reader, int row, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_finding(RowReader *reader, int row, const char *format, ...) {
    if (reader->found++ >= NAMED) return;
    va_list arguments;
    va_start(arguments, format);
    const char *what = arena_vprint(&reader->scratch, format, arguments);
    va_end(arguments);
    const char *where = reader->files ? reader->files[row].path : arena_print(&reader->scratch, "line %d", reader->table.lines[row]);
    list_add(&reader->scratch, &reader->findings, arena_print(&reader->scratch, "%s: %s", where, what));
}

static const char *const *cells_of(const RowReader *reader, int row) {
    return &reader->table.cells[(size_t)row * (size_t)reader->table.columns.count];
}

static const char *role_cell(const RowReader *reader, int row, Role role) {
    const char *cell = reader->column[role] < 0 ? "" : cells_of(reader, row)[reader->column[role]];
    return *cell ? cell : NULL;
}

/* The pieces from `first` to `last` with this row's cells; NULL if one of them is empty (`empty` is its column). */
static const char *template_fill(const RowReader *reader, const Template *template, int first, int last, int row, int *empty) {
    Text filled = {.jre = reader->jre};
    const char *result = NULL;
    int at = first;
    for (; at <= last; at++) {
        const Piece *piece = &template->pieces.at[at];
        const char *text = piece->column < 0 ? piece->text : cells_of(reader, row)[piece->column];
        size_t length = piece->column < 0 ? (size_t)piece->length : strlen(text);
        if (!length) break;
        text_add_bytes(&filled, text, length);
    }
    if (at <= last) *empty = template->pieces.at[at].column;
    else result = intern_length(reader->jre, filled.at, filled.length);
    text_free(&filled);
    return result;
}

/* A cell may choose a file below the folder that the document names, and no other. */
static bool stays_below(const char *root, const char *cell, bool begins) {
    size_t length = strlen(root);
    while (length && root[length - 1] == '/') length--;
    if (begins && *cell == '/' && (*root != '/' || strncmp(cell, root, length) || cell[length] != '/')) return false;
    for (const char *at = cell; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (!strncmp(at, "..", 2) && (at[2] == '/' || !at[2])) return false;
    }
    return true;
}

static bool cells_allowed(RowReader *reader, const Template *template, int row) {
    for (int i = 0; i < template->pieces.count; i++) {
        int column = template->pieces.at[i].column;
        if (column < 0) continue;
        const char *cell = cells_of(reader, row)[column], *name = reader->table.columns.at[column];
        if (strpbrk(cell, "\r\n")) {
            add_finding(reader, row, "the cell of `%s` holds the end of a line, and no file is called so", name);
            return false;
        }
        const char *root = reader->plan->root ? reader->plan->root : ".";
        if (!stays_below(root, cell, i == 0)) {
            add_finding(reader, row, "`%s` is \"%.60s\", which leads out of the folder `%s`: move the picture there, or let `root` be a folder that holds both", name, cell, root);
            return false;
        }
    }
    return true;
}

/* A path below root; NULL: found wanting. */
static const char *filled_path(RowReader *reader, const Template *template, int row) {
    int empty = -1;
    const char *place = template_fill(reader, template, 0, template->pieces.count - 1, row, &empty);
    if (!place) add_finding(reader, row, "the cell of `%s` is empty", reader->table.columns.at[empty]);
    return place && cells_allowed(reader, template, row) ? place : NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

/* False: it cannot be read. A missing one is NAN. */
static bool row_time(const RowReader *reader, int row, Role role, double *seconds) {
    const char *cell = role_cell(reader, row, role);
    *seconds = NAN;
    return !cell || cell_time(cell, seconds);
}

static bool left_out(RowReader *reader, int row) {
    const Expr *only = reader->plan->only;
    Dataset *dataset = reader->dataset;
    if (!only || condition_needs_files(only)) return false;
    const char *trouble = condition_trouble(&reader->scratch, dataset, dataset->count, only);
    if (trouble) {
        add_finding(reader, row, "%s", trouble);
        return true;
    }
    bool out = !condition_holds(dataset, dataset->count, only);
    dataset->left_out += out;
    return out;
}

static bool times_read(RowReader *reader, int row, Picture *picture) {
    bool taken = row_time(reader, row, ROLE_TAKEN, &picture->seconds), when = row_time(reader, row, ROLE_WHEN, &picture->burst_seconds);
    if (taken && when) return true;
    Role role = taken ? ROLE_WHEN : ROLE_TAKEN;
    add_finding(reader, row, "`%s` is \"%.40s\": a time was expected, for instance 2020-05-17 06:03:11", reader->table.columns.at[reader->column[role]], role_cell(reader, row, role));
    return false;
}

/* Where the template leads with the cells of a row. A picture is named once. */
static bool name_picture(RowReader *reader, int row, Picture *picture) {
    const char *place = filled_path(reader, &reader->image, row);
    if (!place) return false;
    intptr_t first = (intptr_t)map_get(&reader->seen, place);
    if (first) {
        add_finding(reader, row, "`%s` again, which line %d has named", place, (int)first);
        return false;
    }
    map_set(&reader->seen, &reader->scratch, place, (void *)(intptr_t)picture->line);
    int empty;
    picture->path = path_below(reader->jre, reader->plan->root, place);
    picture->file = template_fill(reader, &reader->image, reader->image.first, reader->image.last, row, &empty);
    return true;
}

/* How people call a file: by its name if the pattern names one folder, else by all that the pattern leaves open. */
static const char *short_name(const RowReader *reader, const char *path) {
    const char *wild = reader->plan->image + strcspn(reader->plan->image, "*{"), *at = path + strlen(path);
    int parts = 1;
    for (const char *slash = wild; (slash = strchr(slash, '/')) != NULL; slash += strspn(slash, "/")) parts++;
    while (at > path && (at[-1] != '/' || --parts > 0)) at--;
    return at;
}

static void read_row(RowReader *reader, int row) {
    Dataset *dataset = reader->dataset;
    Picture *picture = &dataset->pictures[dataset->count];
    *picture = (Picture){.cells = cells_of(reader, row), .line = reader->files ? 0 : reader->table.lines[row], .identity = role_cell(reader, row, ROLE_IDENTITY), .flank = role_cell(reader, row, ROLE_FLANK),
                         .burst = role_cell(reader, row, ROLE_BURST), .label = role_cell(reader, row, ROLE_LABEL), .taken = role_cell(reader, row, ROLE_TAKEN),
                         .mask = role_cell(reader, row, ROLE_MASK), .seconds = NAN, .burst_seconds = NAN, .identity_number = -1};
    if (picture->taken && !cell_time(picture->taken, &picture->seconds)) picture->seconds = NAN;
    if (left_out(reader, row) || !times_read(reader, row, picture)) return;
    if (!reader->files && !name_picture(reader, row, picture)) return;
    if (reader->column[ROLE_IDENTITY] >= 0 && !picture->identity) {
        add_finding(reader, row, "the cell of `%s` is empty", reader->plan->identity);
        return;
    }
    if (reader->plan->mask_kind == MASK_FILES) {
        picture->mask = filled_path(reader, &reader->mask, row);
        if (!picture->mask) return;
        picture->mask = path_below(reader->jre, reader->plan->root, picture->mask);
    }
    if (reader->files) {
        picture->path = intern(reader->jre, reader->files[row].path);
        picture->file = intern(reader->jre, short_name(reader, picture->path));
    }
    dataset->count++;
}

/* Rows of a table, or files. */
static bool read_all(RowReader *reader) {
    const DatasetPlan *plan = reader->plan;
    int rows = reader->table.rows;
    reader->dataset->columns = reader->table.columns;
    reader->dataset->pictures = arena_array(&reader->jre->forever, Picture, rows ? rows : 1);
    for (int row = 0; row < rows; row++) read_row(reader, row);
    if (!reader->found) return true;
    Diagnostic *d = diag(reader->jre, DIAG_wrong_table, plan->table ? plan->table_span : plan->image_span, "%d of %d rows of `%s` cannot be used", reader->found, rows, reader->table.path);
    for (int i = 0; i < reader->findings.count; i++) diag_fact(d, "%s", reader->findings.at[i]);
    if (reader->found > NAMED) diag_fact(d, "and %d more", reader->found - NAMED);
    return false;
}

static bool read_table(RowReader *reader) {
    const DatasetPlan *plan = reader->plan;
    const char *path = path_below(reader->jre, plan->root, plan->table);
    if (!table_read(reader->jre, path, plan->table_span, &reader->table)) return false;
    bool sound = template_parse(reader, plan->image, plan->image_span, &reader->image);
    if (plan->mask_kind == MASK_FILES) sound &= template_parse(reader, plan->mask, plan->mask_span, &reader->mask);
    if (!(find_columns(reader) && sound)) return false;
    if (reader->image.first < 0) {
        diag(reader->jre, DIAG_wrong_table, plan->image_span, "\"%s\" names no column, so every row of `%s` would be the same picture", plan->image, path);
        return false;
    }
    if (!reader->table.rows) diag(reader->jre, DIAG_wrong_table, plan->table_span, "`%s` has no rows below its columns", path);
    return reader->table.rows > 0 && read_all(reader);
}

/* ---- patterns ---------------------------------------------------------------------------------------------------------- */

static bool names_are_there(RowReader *reader) {
    const DatasetPlan *plan = reader->plan;
    if (strchr(plan->image, '{') || !(plan->identity || plan->flank || plan->burst_column)) return true;
    diag(reader->jre, DIAG_wrong_table, plan->identity ? plan->identity_span : plan->span, "a column is named, but the dataset has no `table`");
    return false;
}

/* Names that are read from paths are columns like a table's. */
static void columns_from_paths(RowReader *reader, const FileMatches *matches) {
    Arena *forever = &reader->jre->forever;
    int columns = matches->names.count, rows = matches->files.count;
    reader->table = (Table){.path = reader->plan->image, .asked_at = reader->plan->image_span, .rows = rows, .cells = arena_array(forever, const char *, (int64_t)rows * columns)};
    for (int i = 0; i < columns; i++) list_add(forever, &reader->table.columns, matches->names.at[i]);
    for (int row = 0; row < rows; row++)
        for (int i = 0; i < columns; i++) reader->table.cells[(size_t)row * (size_t)columns + (size_t)i] = matches->files.at[row].said[i];
}

static bool match_files(RowReader *reader) {
    const DatasetPlan *plan = reader->plan;
    Jre *jre = reader->jre;
    FileMatches matches = {0};
    if (!names_are_there(reader)) return false;
    if (!strpbrk(plan->image, "*{")) {
        FileMatch match = {path_below(jre, plan->root, plan->image), NULL};
        list_add(&reader->scratch, &matches.files, match);
    } else if (!files_matching(jre, &reader->scratch, plan->root, plan->image, plan->image_span, &matches)) {
        return false;
    }
    if (!matches.files.count) {
        Diagnostic *d = diag(jre, DIAG_file_missing, plan->image_span, "no file is called `%s`", path_below(jre, plan->root, plan->image));
        if (plan->root && !folder_exists(plan->root)) diag_help(d, "the folder `%s` is not there: put the pictures into it, or let `root` name theirs", plan->root);
        else diag_help(d, "the ending counts, capital letters too: *.jpg does not find 1.JPG");
        return false;
    }
    columns_from_paths(reader, &matches);
    reader->files = matches.files.at;
    if (plan->mask_kind == MASK_FILES && !template_parse(reader, plan->mask, plan->mask_span, &reader->mask)) return false;
    return find_columns(reader) && read_all(reader);
}

bool dataset_rows(Jre *jre, Dataset *dataset) {
    RowReader reader = {.jre = jre, .scratch = {.jre = jre}, .plan = dataset->plan, .dataset = dataset};
    bool sound = dataset->plan->table ? read_table(&reader) : match_files(&reader);
    arena_free(&reader.scratch);
    return sound;
}
