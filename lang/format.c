/* format.c: a document in the one style.
 *
 * Program only: prose, other fences and comments stay as they are to the byte. The tokens stay too; what changes is the blanks
 * between them. The rules:
 *   - Line breaks are the author's, at most one blank line in a row. A comma and a `{` end a line, a `|>` begins one; a
 *     block of several lines has its braces at the ends of lines of their own.
 *   - Items of a block stand two blanks in. A line that goes on stands below the first of its list or expression, a `|>` two
 *     blanks further in, `then` and `else` below their `if`; `->`, `where` and `because` two blanks in.
 *   - The values of a block of settings stand in one column, behind the longest key of at most ten letters; a longer key
 *     stands out. The `=` and `~` of equations without a blank line between them stand in one column, as do `=` and `{` of
 *     changes; a line that closes a bracket at the margin ends such a run.
 *   - Other columns are kept where they are: what stood below its like, behind several blanks, does so again. A comment
 *     behind a line keeps its distance, comments below one another their column.
 *   - No line begins behind column 400 and no `=` is moved there, so that a text does not grow beyond measure.
 * Contract: what comes out parses to an equal tree and comes out again unchanged. The work is linear, but for sorting columns. */
#include "grammar.tab.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 2, FURTHEST = 400, COMMENT = -1 };

typedef struct {
    int kind;                     /* of the token, or COMMENT */
    const char *text;
    int bytes, width;             /* width: in characters */
    int source_line, source_column, source_gap;
    int breaks;                   /* newlines before it: 0, 1, or 2 for a blank line */
    bool item, key, unary, is_anchor;
    int gap;                      /* blanks before it if nothing is aligned */
    int anchor, offset;           /* of the first in a line: its column is that of the piece `anchor` (-1: the margin) + offset */
    int fixed;                    /* the column of what is always aligned; 0: none */
    int line, column;
    int chain, below;             /* of columns that are kept: which, and the next member; -1: none */
} Piece;

typedef struct { int first, end, positioned; } Row;             /* a line of the result; the pieces positioned so far */
typedef struct { int first, column; bool wide; } Chain;

typedef struct { int line, element, start, ifs; } Frame;        /* an open bracket: its line's first piece, the first of its list, of the expression */

typedef struct {
    Jre *jre;
    Arena arena;
    const char *at, *end;         /* the text still to be taken in */
    int line, column, blanks, breaks;
    LIST(Piece) pieces;
    LIST(Row) rows;
    LIST(Chain) chains;
    Frame frames[DEEPEST + 2];
    int frame_count, ifs[DEEPEST + 1], if_count;
    bool in_block;
} Format;

/* ---- tokens and comments ------------------------------------------------------------------------------------------------ */

static int width_of(const char *text, int bytes) {
    int width = 0;
    for (int i = 0; i < bytes; i++)
        width += (text[i] & 0xC0) != 0x80;
    return width;
}

static Piece *add_piece(Format *f, int kind, const char *text, int bytes) {
    Piece piece = {
        .kind = kind, .text = text, .bytes = bytes, .width = width_of(text, bytes), .source_line = f->line, .source_column = f->column,
        .source_gap = f->blanks, .breaks = f->pieces.count ? f->breaks : 1, .anchor = -1, .chain = -1, .below = -1,
    };
    list_add(&f->arena, &f->pieces, piece);
    f->column += piece.width;
    f->breaks = f->blanks = 0;
    f->at = text + bytes;
    return &f->pieces.at[f->pieces.count - 1];
}

/* The blanks, newlines and comments before `end`. */
static void take_blanks(Format *f, const char *end) {
    while (f->at < end) {
        if (*f->at == '#') {
            const char *newline = memchr(f->at, '\n', (size_t)(end - f->at)), *last = newline ? newline : end;
            const char *after = last;
            while (last > f->at && strchr(" \t\r", last[-1]) && last[-1])
                last--;
            add_piece(f, COMMENT, f->at, (int)(last - f->at));
            f->at = after;
            continue;
        }
        if (*f->at++ == '\n') {
            f->line++;
            f->breaks += f->breaks < 2;
            f->column = f->blanks = 0;
        } else {
            f->column++;
            f->blanks++;
        }
    }
}

/* `keys`: where the keys of settings begin, in order. */
static void take_pieces(Format *f, const Source *source, Span body, const Span *keys, int key_count) {
    Parse *parse = arena_new(&f->jre->forever, Parse);
    parse->jre = f->jre;
    parse->source = source_piece(f->jre, source, body);
    parse->chunk = arena_new(&f->jre->forever, Chunk);
    parse->plain = true;
    const char *bytes = source->bytes + (body.start - source->base);
    f->at = bytes;
    f->end = bytes + (body.end - body.start);
    bool item = true;
    if (!scanner_open(parse))
        return;
    for (int key = 0;;) {
        JRE_STYPE value;
        Span span = NOWHERE;
        int kind = scan_token(&value, &span, parse->scanner);
        if (kind == TOKEN_YYEOF)
            break;
        if (kind == TOKEN_NL) {
            item = true;
            continue;
        }
        take_blanks(f, bytes + (span.start - body.start));
        Piece *piece = add_piece(f, kind, bytes + (span.start - body.start), (int)(span.end - span.start));
        while (key < key_count && keys[key].start < span.start)
            key++;
        piece->key = key < key_count && keys[key].start == span.start;
        piece->item = item && kind != TOKEN_WHERE && kind != '{';
        item = kind == '{';
    }
    take_blanks(f, f->end);
}

/* ---- line breaks ------------------------------------------------------------------------------------------------------------ */

static int most(int a, int b) {
    return a > b ? a : b;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

static bool is_comment(const Format *f, int i) {
    return i >= 0 && i < f->pieces.count && f->pieces.at[i].kind == COMMENT;
}

/* A block with a line break in it has one behind `{` and one before `}`, and no blank lines there. */
static void settle_block(Format *f, int open, int close) {
    int first = open + 1;
    while (first < close && !f->pieces.at[first].breaks)
        first++;
    if (close == open + 1)
        f->pieces.at[close].breaks = 0;
    else if (first < close || f->pieces.at[close].breaks) {
        if (!is_comment(f, open + 1))
            first = open + 1;
        f->pieces.at[first].breaks = f->pieces.at[close].breaks = 1;
    }
}

static void settle_breaks(Format *f) {
    int open = -1;
    for (int i = 0; i < f->pieces.count; i++) {
        Piece *piece = &f->pieces.at[i], *next = i + 1 < f->pieces.count ? piece + 1 : NULL;
        if (i && piece->kind == ',' && piece->breaks && !is_comment(f, i - 1)) {
            if (next && next->kind != COMMENT)
                next->breaks = most(next->breaks, piece->breaks);
            piece->breaks = 0;
        }
        if (piece->kind == '{' && !is_comment(f, i - 1))
            piece->breaks = 0;
        if (piece->kind == TOKEN_PIPE && next && next->kind != COMMENT) {
            piece->breaks = most(piece->breaks, next->breaks);
            next->breaks = 0;
        }
        if (piece->kind == '{')
            open = i;
        if (piece->kind == '}' && open >= 0)
            settle_block(f, open, i);
    }
}

/* ---- blanks between tokens, and where lines begin ------------------------------------------------------------------------------- */

static bool ends_operand(const Piece *piece) {
    switch (piece->kind) {
    case TOKEN_NAME: case TOKEN_RECORD: case TOKEN_FORMULA:
        return !piece->key;
    case TOKEN_NUMBER: case TOKEN_STRING: case TOKEN_TRUE: case TOKEN_FALSE: case ')': case ']': case '\'':
        return true;
    default:
        return false;
    }
}

static int gap_between(const Piece *before, const Piece *piece) {
    switch (piece->kind) {
    case ',': case ';': case ':': case ')': case ']': case '.': case '\'': case TOKEN_DOTS:
        return 0;
    case '(': case '[':
        if (ends_operand(before))
            return 0;
    }
    return !(before->kind == '(' || before->kind == '[' || before->kind == '.' || before->unary);
}

/* Behind these another expression begins. */
static bool begins_expression(const Piece *before) {
    switch (before->kind) {
    case '=': case '~': case TOKEN_IF: case TOKEN_THEN: case TOKEN_ELSE: case TOKEN_OF: case TOKEN_WHERE: case TOKEN_PROBE:
    case TOKEN_EXPECT: case TOKEN_EACH: case ',':
        return true;
    default:
        return before->key;
    }
}

static void stand(Format *f, Piece *piece, int anchor, int offset) {
    piece->anchor = anchor;
    piece->offset = offset;
    if (anchor >= 0)
        f->pieces.at[anchor].is_anchor = true;
}

/* Where a line begins that goes on with `piece`; `before` is the token in front of it. */
static void stand_in_line(Format *f, Piece *piece, const Piece *before) {
    const Frame *frame = &f->frames[f->frame_count - 1];
    bool outermost = f->frame_count == 1;
    if (piece->item || !before)
        stand(f, piece, -1, f->in_block ? STEP : 0);
    else if (piece->kind == '}' || piece->kind == '{')
        stand(f, piece, -1, 0);
    else if (piece->kind == ')' || piece->kind == ']')
        stand(f, piece, frame->line, 0);
    else if (before->kind == '(' || before->kind == '[')
        stand(f, piece, frame->line, STEP);
    else if (outermost && (piece->kind == TOKEN_ARROW || piece->kind == TOKEN_WHERE || piece->kind == TOKEN_BECAUSE))
        stand(f, piece, -1, STEP);
    else if (piece->kind == TOKEN_PIPE)
        stand(f, piece, frame->start, STEP);
    else if ((piece->kind == TOKEN_THEN || piece->kind == TOKEN_ELSE) && f->if_count)
        stand(f, piece, f->ifs[f->if_count - 1], 0);
    else if (before->kind == ',' && frame->element >= 0)
        stand(f, piece, frame->element, outermost && f->pieces.at[frame->element].item ? STEP : 0);
    else if (begins_expression(before) || frame->start < 0)
        stand(f, piece, frame->element, STEP);
    else
        stand(f, piece, frame->start, f->pieces.at[frame->start].breaks ? STEP : 0);
}

/* Brings the open brackets, expressions and `if`s up to date. */
static void pass(Format *f, int i, int line) {
    const Piece *piece = &f->pieces.at[i];
    Frame *frame = &f->frames[f->frame_count - 1];
    if ((piece->kind == ')' || piece->kind == ']') && f->frame_count > 1) {
        f->if_count = frame->ifs;
        f->frame_count--;
        return;
    }
    if (piece->item) {
        *frame = (Frame){ line, i, i, 0 };
        f->if_count = 0;
    }
    frame->element = frame->element < 0 ? i : frame->element;
    frame->start = frame->start < 0 ? i : frame->start;
    if (piece->kind == '{' || piece->kind == '}')
        f->in_block = piece->kind == '{';
    else if ((piece->kind == '(' || piece->kind == '[') && f->frame_count <= DEEPEST)
        f->frames[f->frame_count++] = (Frame){ line, -1, -1, f->if_count };
    else if (piece->kind == TOKEN_IF && f->if_count < DEEPEST)
        f->ifs[f->if_count++] = i;
    else if (piece->kind == TOKEN_ELSE && f->if_count > frame->ifs)
        f->if_count--;
    else if (piece->kind == TOKEN_WHERE && f->frame_count == 1 && piece->breaks)
        frame->element = -1;
    if (begins_expression(piece))
        frame->start = -1;
}

/* A comment on a line of its own stands where the next token will. */
static void stand_comments(Format *f, int first, int end) {
    const Piece *next = end < f->pieces.count ? &f->pieces.at[end] : NULL;
    bool closes = next && (next->kind == '}' || next->kind == ')' || next->kind == ']' || next->kind == '{');
    for (int i = first; i < end; i++) {
        Piece *comment = &f->pieces.at[i];
        if (closes && f->frame_count > 1)
            stand(f, comment, f->frames[f->frame_count - 1].line, STEP);
        else if (closes)
            stand(f, comment, -1, STEP);
        else if (next)
            stand(f, comment, next->anchor, next->offset);
    }
}

static void settle_lines(Format *f) {
    const Piece *before = NULL;
    int line = 0, comments = -1;
    f->frames[0] = (Frame){ 0, -1, -1, 0 };
    f->frame_count = 1;
    for (int i = 0; i < f->pieces.count; i++) {
        Piece *piece = &f->pieces.at[i];
        if (piece->kind == COMMENT) {
            comments = comments < 0 ? i : comments;
            continue;
        }
        piece->unary = piece->kind == '-' && (!before || piece->item || !ends_operand(before));
        piece->gap = before ? gap_between(before, piece) : 0;
        if (piece->breaks) {
            line = i;
            stand_in_line(f, piece, before);
        }
        if (comments >= 0)
            stand_comments(f, comments, i);
        comments = -1;
        pass(f, i, line);
        before = piece;
    }
    if (comments >= 0)
        stand_comments(f, comments, f->pieces.count);
}

/* ---- columns that are always aligned ---------------------------------------------------------------------------------------------- */

static void align_settings(Format *f) {
    for (int i = 0; i < f->pieces.count; i++) {
        int width = 0, end = i + 1;
        if (f->pieces.at[i].kind != '{')
            continue;
        for (; end < f->pieces.count && f->pieces.at[end].kind != '}'; end++)
            if (f->pieces.at[end].key && f->pieces.at[end].width <= LONGEST_ALIGNED_KEY)
                width = most(width, f->pieces.at[end].width);
        for (int k = i + 1; k < end; k++)
            if (f->pieces.at[k].key && f->pieces.at[k].breaks && f->pieces.at[k].width <= LONGEST_ALIGNED_KEY)
                f->pieces.at[k + 1].fixed = STEP + width + 1;
        i = end;
    }
}

static bool on_one_line(const Format *f, int from, int last_kind) {
    for (int i = from + 1; i < f->pieces.count && !f->pieces.at[i].breaks; i++)
        if (f->pieces.at[i].kind == last_kind)
            return true;
    return false;
}

/* The sign of an equation or change by which it is aligned: in its first line, outside brackets. -1: none. `column`: where it
 * stands by itself. */
static int sign_of_item(const Format *f, int first, int *column) {
    int depth = 0, kind = f->pieces.at[first].kind;
    *column = f->pieces.at[first].offset;
    for (int i = first; i < f->pieces.count && (i == first || !f->pieces.at[i].breaks); i++) {
        const Piece *piece = &f->pieces.at[i];
        *column += i > first ? piece->gap : 0;
        if (!depth && (piece->kind == '=' || piece->kind == '~'))
            return i;
        if (piece->kind == '{')
            return kind == TOKEN_CHANGE && on_one_line(f, i, '}') ? i : -1;
        depth += (piece->kind == '(' || piece->kind == '[') - (piece->kind == ')' || piece->kind == ']');
        *column += piece->width;
    }
    return -1;
}

/* Settings, learned weights, changes and other equations are aligned each with their like. */
static int like_of_item(const Piece *first) {
    return first->key ? -1 : first->kind == TOKEN_LEARN || first->kind == TOKEN_CHANGE ? first->kind : 0;
}

/* The first piece of the next item behind `first`. `apart`: something between them ends a run. */
static int next_item(const Format *f, int first, bool *apart) {
    int i = first + 1;
    *apart = false;
    for (; i < f->pieces.count; i++) {
        const Piece *piece = &f->pieces.at[i];
        bool closes = piece->kind == ')' || piece->kind == ']' || piece->kind == '}';
        *apart = *apart || piece->breaks == 2 || (closes && piece->breaks);
        if (piece->item && piece->breaks)
            break;
    }
    return i;
}

static void align_equations(Format *f) {
    LIST(int) run = { 0 };
    int column = 0, like = -1;
    for (int i = 0; i < f->pieces.count;) {
        bool apart, item = f->pieces.at[i].item && f->pieces.at[i].breaks;
        int own, sign = item ? sign_of_item(f, i, &own) : -1;
        if (sign < 0 || like_of_item(&f->pieces.at[i]) != like)
            run.count = column = 0;
        if (sign >= 0 && like_of_item(&f->pieces.at[i]) >= 0) {
            like = like_of_item(&f->pieces.at[i]);
            list_add(&f->arena, &run, sign);
            column = most(column, own);
        }
        i = next_item(f, i, &apart);
        bool ends = apart || i >= f->pieces.count || like_of_item(&f->pieces.at[i]) != like || sign_of_item(f, i, &own) < 0;
        for (int k = 0; ends && k < run.count && column <= FURTHEST; k++)
            f->pieces.at[run.at[k]].fixed = column;
        if (ends)
            run.count = column = 0;
    }
}

/* ---- the columns of everything ------------------------------------------------------------------------------------------------------- */

static int column_after(const Format *f, int i) {
    return f->pieces.at[i].column + f->pieces.at[i].width;
}

static void position(Format *f, Row *row, int end) {
    for (; row->positioned < end; row->positioned++) {
        int i = row->positioned;
        Piece *piece = &f->pieces.at[i];
        if (i == row->first)
            piece->column = least((piece->anchor >= 0 ? f->pieces.at[piece->anchor].column : 0) + piece->offset, FURTHEST);
        else
            piece->column = piece->fixed ? most(piece->fixed, column_after(f, i - 1)) : column_after(f, i - 1) + piece->gap;
    }
}

static void lay_out(Format *f) {
    for (int i = 0; i < f->pieces.count; i++) {
        if (!i || f->pieces.at[i].breaks)
            list_add(&f->arena, &f->rows, ((Row){ i, i, i }));
        f->pieces.at[i].line = f->rows.count - 1;
        f->rows.at[f->rows.count - 1].end = i + 1;
    }
    for (int r = 0; r < f->rows.count; r++)
        position(f, &f->rows.at[r], f->rows.at[r].end);
}

/* ---- columns that are kept ----------------------------------------------------------------------------------------------------------- */

/* The first piece of a row that may stand in a column of its author's: behind what is aligned anyway, and behind what other
 * lines are hung up on. */
static int first_free(const Format *f, const Row *row) {
    int i = row->end;
    while (i > row->first + 1 && !f->pieces.at[i - 1].fixed && !f->pieces.at[i - 1].is_anchor)
        i--;
    return i;
}

static bool may_be_kept(const Format *f, const Row *row, int i) {
    const Piece *piece = &f->pieces.at[i];
    return piece->kind != COMMENT && piece->gap == 1 && piece->source_line == f->pieces.at[row->first].source_line;
}

static void join_chain(Format *f, int above, int below) {
    Piece *upper = &f->pieces.at[above], *lower = &f->pieces.at[below];
    if (upper->chain < 0) {
        upper->chain = f->chains.count;
        list_add(&f->arena, &f->chains, ((Chain){ above, upper->source_column, upper->source_gap > 1 }));
    }
    lower->chain = upper->chain;
    upper->below = below;
    f->chains.at[upper->chain].wide |= lower->source_gap > 1;
}

static void join_rows(Format *f, const Row *upper, const Row *lower) {
    int a = first_free(f, upper), b = first_free(f, lower);
    while (a < upper->end && b < lower->end) {
        const Piece *above = &f->pieces.at[a], *below = &f->pieces.at[b];
        if (above->source_column == below->source_column && above->kind == below->kind && may_be_kept(f, upper, a) && may_be_kept(f, lower, b))
            join_chain(f, a, b);
        int column = above->source_column;
        a += column <= below->source_column;
        b += below->source_column <= column;
    }
}

static int by_column(const void *a, const void *b) {
    const Chain *x = a, *y = b;
    return x->column != y->column ? (x->column > y->column) - (x->column < y->column) : (x->first > y->first) - (x->first < y->first);
}

/* From left to right, so that what one column moves has been moved when the next is found. */
static void keep_columns(Format *f) {
    int above = -1;
    for (int r = 0; r < f->rows.count; r++) {
        const Piece *first = &f->pieces.at[f->rows.at[r].first];
        if (first->breaks == 2)
            above = -1;
        if (first->kind == COMMENT)
            continue;
        if (above >= 0)
            join_rows(f, &f->rows.at[above], &f->rows.at[r]);
        above = r;
    }
    if (f->chains.count)
        qsort(f->chains.at, (size_t)f->chains.count, sizeof *f->chains.at, by_column);
    for (int r = 0; r < f->rows.count; r++)
        f->rows.at[r].positioned = f->rows.at[r].first;
    for (int c = 0; c < f->chains.count; c++) {
        int column = 0;
        for (int i = f->chains.at[c].first; f->chains.at[c].wide && i >= 0; i = f->pieces.at[i].below) {
            position(f, &f->rows.at[f->pieces.at[i].line], i + 1);
            column = most(column, f->pieces.at[i].column);
        }
        for (int i = f->chains.at[c].first; f->chains.at[c].wide && i >= 0; i = f->pieces.at[i].below)
            f->pieces.at[i].column = column;
    }
    for (int r = 0; r < f->rows.count; r++)
        position(f, &f->rows.at[r], f->rows.at[r].end);
}

/* The comment behind a row's tokens, or -1. */
static int comment_behind(const Format *f, int r) {
    const Row *row = r < f->rows.count ? &f->rows.at[r] : NULL;
    return row && row->end - row->first > 1 && is_comment(f, row->end - 1) ? row->end - 1 : -1;
}

static void keep_comments(Format *f) {
    for (int r = 0, end; r < f->rows.count; r = end) {
        int first = comment_behind(f, r), gap = 0, column = 0;
        end = r + 1;
        if (first < 0)
            continue;
        while (comment_behind(f, end) >= 0 && f->pieces.at[comment_behind(f, end)].source_column == f->pieces.at[first].source_column
               && f->pieces.at[f->rows.at[end].first].breaks == 1)
            end++;
        for (int k = r; k < end; k++) {
            const Piece *comment = &f->pieces.at[comment_behind(f, k)];
            gap = k == r || comment->source_gap < gap ? comment->source_gap : gap;
            column = most(column, column_after(f, comment_behind(f, k) - 1));
        }
        for (int k = r; k < end; k++)
            f->pieces.at[comment_behind(f, k)].column = column + most(gap, 1);
    }
}

/* ---- the door ---------------------------------------------------------------------------------------------------------------------------- */

static void emit(const Format *f, Text *out, const char *newline) {
    for (int i = 0; i < f->pieces.count; i++) {
        const Piece *piece = &f->pieces.at[i];
        bool begins = !i || piece->breaks;
        if (i && begins)
            text_add(out, "%s%s", newline, piece->breaks == 2 ? newline : "");
        text_add(out, "%*s", begins ? piece->column : piece->column - column_after(f, i - 1), "");
        text_add_bytes(out, piece->text, (size_t)piece->bytes);
    }
    if (f->pieces.count)
        text_add(out, "%s", newline);
}

static void format_program(Jre *jre, const Source *source, const Chunk *chunk, Span body, Text *out) {
    Format f = { .jre = jre, .arena = { .jre = jre } };
    LIST(Span) keys = { 0 };
    for (int i = 0; i < chunk->statements.count; i++)
        for (int k = 0; k < chunk->statements.at[i]->settings.count; k++)
            list_add(&f.arena, &keys, chunk->statements.at[i]->settings.at[k].key_span);
    const char *first = source->bytes + (body.start - source->base);
    take_pieces(&f, source, body, keys.at, keys.count);
    settle_breaks(&f);
    settle_lines(&f);
    align_settings(&f);
    align_equations(&f);
    lay_out(&f);
    keep_columns(&f);
    keep_comments(&f);
    emit(&f, out, first - 2 >= source->bytes && first[-2] == '\r' ? "\r\n" : "\n");
    arena_free(&f.arena);
}

static bool same_program(const Document *a, const Document *b) {
    bool same = a->chunks.count == b->chunks.count;
    for (int i = 0; same && i < a->chunks.count; i++) {
        const Chunk *x = a->chunks.at[i], *y = b->chunks.at[i];
        same = x->kind == y->kind && x->wrong == y->wrong && x->statements.count == y->statements.count;
        for (int k = 0; same && k < x->statements.count; k++)
            same = statement_equal(x->statements.at[k], y->statements.at[k]);
    }
    return same;
}

bool format_document(Jre *jre, const Document *document, Text *out) {
    const Source *source = document->source;
    const char *bytes = source->bytes - source->base;
    uint32_t done = source->base, end = source->base + source->length;
    for (int i = 0; i < document->chunks.count; i++) {
        const Chunk *chunk = document->chunks.at[i];
        const char *opening = memchr(bytes + chunk->span.start, '\n', chunk->span.end - chunk->span.start);
        if (!opening || chunk->findings.count)
            continue;
        Span body = { (uint32_t)(opening + 1 - bytes), chunk->span.end };
        while (body.end > body.start && bytes[body.end - 1] != '\n')
            body.end--;
        text_add_bytes(out, bytes + done, body.start - done);
        format_program(jre, source, chunk, body, out);
        done = body.end;
    }
    text_add_bytes(out, bytes + done, end - done);
    int before = jre->diagnostics.count;
    const Document *again = parse_document(jre, source_from_text(jre, source->name, out->at ? out->at : "", out->length));
    bool same = jre->diagnostics.count == before && same_program(document, again);
    jre->diagnostics.count = before;
    if (!same)
        diag(jre, DIAG_bug, NOWHERE, "%s: put in order it would no longer say the same; I leave it as it is", source->name);
    return same;
}
