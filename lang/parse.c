/* parse.c: one parse a chunk: tokens on their way to the grammar, the tree's nodes, and the two doors to it all.
 *
 * Between scanner and grammar stands a filter. It knows which brackets are open, and does what an automaton cannot:
 * after a mistake it skips what belongs to it, a block with its lines, so that one mistake gives one message; and where
 * a statement begins inside a block it puts in the `}` that was forgotten. Contract: the trees are at most DEEPEST deep. */
#include "grammar.tab.h"

#include <ctype.h>
#include <string.h>

/* ---- mistakes are counted, so that a file of noise does not give a book of messages --------------------------------- */

Diagnostic *mistake(Parse *parse, DiagCode code, Span span, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprint(&parse->jre->forever, format, arguments);
    va_end(arguments);
    int before = parse->jre->diagnostics.count;
    Diagnostic *d = diag(parse->jre, code, span, "%s", message);
    parse->complained_at = span.end > span.start ? span.end - 1 : span.start;
    parse->broken = true;
    parse->mistakes += parse->jre->diagnostics.count - before;
    if (parse->mistakes > MOST_MISTAKES || parse->skipping.on)      /* what is skipped is skipped in silence */
        parse->jre->diagnostics.count = before;
    else if (parse->mistakes == MOST_MISTAKES)
        diag_note(d, "these are %d mistakes; there may be more, which I have not listed.", MOST_MISTAKES);
    return d;
}

/* ---- brackets ------------------------------------------------------------------------------------------------------------ */

static void open_bracket(Parse *parse, char sign, Span span) {
    if (parse->bracket_count == DEEPEST) {
        if (!parse->stopped && !parse->skipping.on) {
            Diagnostic *d = mistake(parse, DIAG_too_deep, span, "this bracket is inside %d others", DEEPEST);
            diag_help(d, "give a part of it a name, in an equation of its own");
        }
        parse->stopped = true;
        return;
    }
    parse->brackets[parse->bracket_count++] = (Bracket){ sign, span };
    parse->brace_count += sign == '{';
}

/* Opens what was left open inside: `(` and `[` end with their line at the latest, and with the block around them. */
static void drop_brackets(Parse *parse, bool braces_too) {
    while (parse->bracket_count && (braces_too || parse->brackets[parse->bracket_count - 1].sign != '{')) {
        Bracket dropped = parse->brackets[--parse->bracket_count];
        if (dropped.sign == '{')
            parse->brace_count--;
        else if (!parse->left_open.sign)
            parse->left_open = dropped;
        else
            parse->left_several = true;
    }
}

static void close_bracket(Parse *parse, char sign) {
    char opener = sign == ')' ? '(' : sign == ']' ? '[' : '{';
    int at = parse->bracket_count - 1;
    while (at >= 0 && parse->brackets[at].sign != opener && (opener == '{' || parse->brackets[at].sign != '{'))
        at--;
    parse->unmatched = at < 0 || parse->brackets[at].sign != opener;
    if (parse->unmatched)
        return;
    if (at + 1 < parse->bracket_count)
        parse->left_open = parse->brackets[at + 1];
    parse->left_several = at + 2 < parse->bracket_count;
    parse->bracket_count = at;
    parse->brace_count -= opener == '{';
}

/* ---- the filter ------------------------------------------------------------------------------------------------------------ */

static bool has_blank_line(const Parse *parse, uint32_t offset) {
    const char *at = parse->source->bytes + (offset - parse->source->base), *end = parse->source->bytes + parse->source->length;
    int newlines = 0;
    for (; at < end && newlines < 2; at++) {
        if (*at == '#') {
            while (at < end && *at != '\n')
                at++;
            newlines = 0;
        }
        if (at < end && *at == '\n')
            newlines++;
        else if (at == end || !strchr(" \t\r", *at) || !*at)
            break;
    }
    return newlines == 2;
}

/* `folds 5,` and `width = 512;`: a sign too many behind a line, which ends all the same. */
static bool ends_line_needlessly(Parse *parse, const Token *token) {
    int first = parse->statement_first.kind;
    bool settings = parse->brace_count && (first == TOKEN_RECORD || first == TOKEN_CHANGE);
    bool names = parse->recent[0].kind == TOKEN_NAME && (parse->recent[1].kind == TOKEN_OVER || parse->recent[1].kind == ',');      /* max over i, j of */
    if ((token->kind != ';' && (token->kind != ',' || !settings || names)) || parse->bracket_count != parse->brace_count)
        return false;
    const char *bytes = parse->source->bytes - parse->source->base, *behind = bytes + token->span.start + 1;
    behind += strspn(behind, " \t\r");
    if (*behind && !strchr("\n#}", *behind))
        return false;
    Span sign = { token->span.start, token->span.start + 1 };
    if (parse->stopped || parse->skipping.on)
        return true;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, sign, "a line ends without `%c`", token->kind);
    diag_help(d, "leave it out");
    diag_edit(d, sign, true, "%s", "");
    return true;
}

/* The next token as it is written, with the brackets brought up to date. A chunk that is read stays read. */
static Token scan(Parse *parse) {
    Token token = { .kind = TOKEN_YYEOF, .first = parse->line_begins };
    uint32_t end = parse->recent[0].span.end;
    do {
        if (parse->closed)
            token.span = (Span){ parse->chunk->span.end, parse->chunk->span.end };
        else
            token.kind = scan_token(&token.value, &token.span, parse->scanner);
    } while (parse->stopped && token.kind != TOKEN_YYEOF);
    token.at = token.span.start;
    if (ends_line_needlessly(parse, &token))
        token.kind = TOKEN_NL;
    parse->left_open = (Bracket){ 0 };
    parse->left_several = parse->unmatched = false;
    parse->line_begins = token.kind == TOKEN_NL || token.kind == '{';
    if (strchr("([{", token.kind) && token.kind) {
        open_bracket(parse, (char)token.kind, token.span);
    } else if (strchr(")]}", token.kind) && token.kind) {
        close_bracket(parse, (char)token.kind);
    } else if (token.kind == TOKEN_NL) {
        token.blank_line = has_blank_line(parse, token.span.start);
        drop_brackets(parse, false);
    } else if (token.kind == TOKEN_YYEOF) {
        drop_brackets(parse, false);
    }
    if ((token.kind == TOKEN_NL || token.kind == TOKEN_YYEOF) && end)
        token.span = (Span){ end, end };        /* behind the last word: there the missing one would stand */
    return token;
}

static Token pull(Parse *parse) {
    if (!parse->waiting_count)
        return scan(parse);
    Token token = parse->waiting[0];
    memmove(parse->waiting, parse->waiting + 1, sizeof *parse->waiting * (size_t)--parse->waiting_count);
    return token;
}

void token_again(Parse *parse, Token token) {
    parse->waiting[parse->waiting_count++] = token;
}

static void token_first(Parse *parse, Token token) {
    memmove(parse->waiting + 1, parse->waiting, sizeof token * (size_t)parse->waiting_count++);
    parse->waiting[0] = token;
}

static size_t blanks_at(const char *at) {
    return strspn(at, " \t");
}

static size_t name_at(const char *at) {
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

static int column_at(const Parse *parse, const char *at) {
    const char *start = at;
    while (start > parse->source->bytes && start[-1] != '\n')
        start--;
    return (int)(at - start);
}

static int column(const Parse *parse, const Token *token) {
    return column_at(parse, parse->source->bytes + (token->span.start - parse->source->base));
}

/* Newlines say where lines end, but after a mistake indentation says what its author thought: a line that stands further
 * in than the one with the mistake is a part of it. */
bool line_below_belongs(const Parse *parse, uint32_t offset) {
    if (has_blank_line(parse, offset))
        return false;
    const Token *first = parse->skipping.depth ? &parse->item_first : &parse->statement_first;
    const char *at = parse->source->bytes + (offset - parse->source->base);
    do {
        at += strcspn(at, "\n");
        at += strspn(at, " \t\r\n");
    } while (*at == '#');
    return *at && *at != '`' && column_at(parse, at) > column(parse, first);
}

/* By the source: an operator in the line before would have swallowed the newline. */
static bool begins_line(const Parse *parse, const Token *token) {
    const char *at = parse->source->bytes + (token->span.start - parse->source->base);
    while (at > parse->source->bytes && strchr(" \t\r", at[-1]) && at[-1])
        at--;
    return at == parse->source->bytes || at[-1] == '\n';
}

/* Is `}` the next brace of the chunk? What was looked up holds up to the brace it found. */
static bool closes_ahead(Parse *parse, uint32_t offset) {
    const char *bytes = parse->source->bytes, *end = bytes + parse->source->length, *at = bytes + (offset - parse->source->base);
    if (parse->brace_ahead.start && offset >= parse->brace_ahead.start && offset < parse->brace_ahead.end)
        return parse->closes_ahead;
    for (; at < end && *at != '{' && *at != '}'; at++) {
        if (*at == '\n' && strncmp(at + 1, "```", 3) == 0)
            break;
        size_t line = *at == '#' ? strcspn(at + 1, "\n") : *at == '"' ? strcspn(at + 1, "\"\n") : 0;
        at += line + (*at == '"' && at[line + 1] == '"');
    }
    parse->brace_ahead = (Span){ offset, parse->source->base + (uint32_t)(at - bytes) + 1 };
    return parse->closes_ahead = at < end && *at == '}';
}

/* Words that begin statements and nothing else; a kind does so if a name and its bracket follow: settings and arguments
 * may be called like kinds. An equation as far out as the block around it begins one too, unless that block is closed. */
bool opens_statement(Parse *parse, const Token *token) {
    if (!begins_line(parse, token))
        return false;
    if (token->kind >= TOKEN_EXTENDS && token->kind <= TOKEN_ACCEPT && token->kind != TOKEN_LIKE)
        return true;
    const char *at = parse->source->bytes + (token->span.end - parse->source->base);
    at += blanks_at(at);
    if (token->kind == TOKEN_NAME && parse->brace_count)
        return at[0] == '=' && at[1] != '=' && column(parse, token) == column(parse, &parse->statement_first)
               && column(parse, &parse->item_first) > column(parse, token) && !closes_ahead(parse, token->span.end);
    if (token->kind != TOKEN_RECORD && token->kind != TOKEN_FORMULA)
        return false;
    size_t length = name_at(at);
    at += length;
    at += blanks_at(at);
    if (!length)
        return false;
    if (token->kind == TOKEN_RECORD)
        return *at == '{' || (strncmp(at, "like", 4) == 0 && blanks_at(at + 4));
    if (*at != '(')
        return false;
    at += 1 + strspn(at + 1, " \t\r\n");
    if (*at == ')')
        return strncmp(at + 1 + strspn(at + 1, " \t\r\n"), "->", 2) == 0;
    at += name_at(at);
    return at[blanks_at(at)] == ':';
}

Token token_invented(const Parse *parse, int kind) {
    uint32_t end = parse->recent[0].span.end;
    return (Token){ .kind = kind, .span = { end, end }, .invented = true };
}

/* A block's `}` is missing where `after` stands. */
static void close_forgotten_block(Parse *parse, const Token *after, bool silently) {
    Bracket brace = { 0 };
    for (int i = 0; i < parse->bracket_count && !brace.sign; i++)
        if (parse->brackets[i].sign == '{')
            brace = parse->brackets[i];
    if (parse->plain && after->kind == TOKEN_YYEOF)
        parse->chunk->goes_on = true;
    if (!silently && !parse->stopped) {
        bool at_end = after->kind == TOKEN_YYEOF;
        Diagnostic *d = at_end ? mistake(parse, DIAG_unexpected_word, after->span, "I expected `}`, I found the end of the chunk")
                               : mistake(parse, DIAG_unexpected_word, after->span, "I expected `}` before this");
        diag_also(d, brace.span, "the block that begins here is not closed");
        diag_help(d, "close it");
        if (!at_end)
            diag_edit(d, (Span){ after->span.start, after->span.start }, false, "}\n");
        else
            diag_edit(d, after->span, false, "\n}");
    }
    drop_brackets(parse, true);
    parse->left_open = (Bracket){ 0 };
}

/* After a mistake: everything up to the end of the line, setting or statement it was in, with the blocks on the way. */
static Token skip(Parse *parse, Token token) {
    int depth = parse->skipping.depth;
    for (;; token = pull(parse)) {
        if (token.kind == TOKEN_YYEOF || token.invented)
            break;
        if (opens_statement(parse, &token) && (parse->brace_count > 0 || parse->skipping.until_close)) {
            close_forgotten_block(parse, &token, true);
            token_again(parse, token);
            token = token_invented(parse, TOKEN_NL);
            if (depth) {
                token_first(parse, token);
                token = token_invented(parse, '}');
            }
            break;
        }
        if (token.kind == TOKEN_NL && parse->brace_count <= depth && (!parse->skipping.until_close || token.blank_line)
            && !line_below_belongs(parse, token.at))
            break;
        if (token.kind == '}' && parse->brace_count < depth) {
            if (parse->recent[0].kind == TOKEN_NL) {        /* the line skipped counts as one, so that `}` may follow */
                token_first(parse, token);
                token = token_invented(parse, TOKEN_JRE_error);
            }
            break;
        }
        if (token.kind == '}' && parse->unmatched)
            parse->skipping.until_close = false;
    }
    parse->skipping.on = parse->skipping.until_close = false;
    return token;
}

static void remember(Parse *parse, const Token *token) {
    memmove(parse->recent + 1, parse->recent, sizeof *parse->recent * 3);
    parse->recent[0] = *token;
    bool inside = parse->brace_count - (token->kind == '{') > 0;
    if (token->first && inside)
        parse->item_first = *token;
    if (token->first && !inside && token->kind != TOKEN_WHERE) {
        parse->statement_first = *token;
        parse->statement_tokens = 0;
    }
    parse->statement_tokens++;
}

int jre_lex(JRE_STYPE *value, Span *span, Parse *parse) {
    bool fresh = parse->waiting_count == 0;
    Token token = pull(parse);
    if (parse->skipping.on)
        token = skip(parse, token);
    if (token.kind == TOKEN_JRE_error && !token.invented) {
        parse->skipping.on = true;
        parse->skipping.depth = parse->brace_count;
    }
    if (fresh && parse->brace_count && token.kind == TOKEN_NL && !parse->waiting_count) {
        Bracket left_open = parse->left_open;
        bool left_several = parse->left_several;
        Token after = scan(parse);
        parse->left_open = left_open;
        parse->left_several = left_several;
        if (opens_statement(parse, &after)) {
            close_forgotten_block(parse, &after, false);
            token_again(parse, token);
            token = token_invented(parse, '}');
        }
        token_again(parse, after);
    }
    if (token.kind == TOKEN_YYEOF && parse->brace_count) {
        close_forgotten_block(parse, &token, false);
        token_again(parse, token);
        token = token_invented(parse, '}');
    }
    remember(parse, &token);
    *value = token.value;
    *span = token.span;
    return token.kind;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------------- */

Expr *expr_new(Parse *parse, ExprKind kind, Span span, Span focus) {
    Expr *e = arena_new(&parse->jre->forever, Expr);
    e->kind = kind;
    e->span = span;
    e->focus = focus;
    e->depth = 1;
    return e;
}

/* Sets the depth. What is too deep is cut off, so that nobody who walks the tree runs out of stack. */
Expr *expr_done(Parse *parse, Expr *e) {
    const Expr *children[] = { e->target, e->left, e->right, e->condition };
    int deepest = 0;
    for (int i = 0; i < 4; i++)
        if (children[i] && children[i]->depth > deepest)
            deepest = children[i]->depth;
    for (int i = 0; i < e->arguments.count; i++)
        if (e->arguments.at[i].value->depth > deepest)
            deepest = e->arguments.at[i].value->depth;
    e->depth = deepest + 1;
    if (e->depth <= DEEPEST)
        return e;
    if (!parse->too_deep) {
        Diagnostic *d = mistake(parse, DIAG_too_deep, e->focus, "here the expression is nested more than %d deep", DEEPEST);
        diag_help(d, "give a part of it a name, in an equation of its own");
    }
    parse->too_deep = parse->broken = true;
    return expr_new(parse, EXPR_NUMBER, e->span, e->focus);
}

Expr *expr_binary(Parse *parse, BinaryOperator op, Span op_span, Expr *left, Expr *right) {
    Expr *e = expr_new(parse, EXPR_BINARY, span_join(left->span, right->span), op_span);
    e->op = op;
    e->left = left;
    e->right = right;
    return expr_done(parse, e);
}

Expr *expr_pipe(Parse *parse, Expr *left, Expr *right, const char *label, Span label_span, Span span) {
    bool callable = right->kind == EXPR_NAME || right->kind == EXPR_CALL || right->kind == EXPR_FIELD || right->kind == EXPR_INDEX;
    if (!callable)
        mistake(parse, DIAG_unexpected_word, right->span, "behind `|>` I expected the name or the call of a formula");
    Expr *e = expr_new(parse, EXPR_PIPE, span, right->focus);
    e->left = left;
    e->right = right;
    e->label = label;
    e->label_span = label_span;
    return expr_done(parse, e);
}

/* CALL and INDEX point at what is called, LIST at itself. */
Expr *expr_with_arguments(Parse *parse, ExprKind kind, Span span, Expr *target, ArgumentList *arguments) {
    Expr *e = expr_new(parse, kind, span, target ? target->focus : span);
    e->target = target;
    if (arguments)
        e->arguments = *arguments;
    return expr_done(parse, e);
}

Statement *statement_add(Parse *parse, StatementKind kind, Span span, const char *name, Span name_span) {
    Statement *statement = arena_new(&parse->jre->forever, Statement);
    statement->kind = kind;
    statement->span = span;
    statement->name = name;
    statement->name_span = name_span;
    statement->broken = parse->broken;
    statement->record = KIND_NONE;
    parse->broken = parse->too_deep = false;
    list_add(&parse->jre->forever, &parse->chunk->statements, statement);
    return statement;
}

void statement_set_value(Statement *statement, Value value) {
    statement->value = value.expr;
    statement->each = value.each;
    statement->each_span = value.each_span;
}

/* Settings and lines of a block that was given up may stand before those of this one. */
void statement_take_settings(Parse *parse, Statement *statement, Span block) {
    for (int i = 0; i < parse->settings.count; i++)
        if (parse->settings.at[i].span.start >= block.start)
            list_add(&parse->jre->forever, &statement->settings, parse->settings.at[i]);
    parse->settings.count = 0;
}

static bool is_builtin(const Line *line) {
    return line->kind == LINE_RESULT && line->value->kind == EXPR_NAME && strcmp(line->value->name, "builtin") == 0;
}

void statement_take_lines(Parse *parse, Statement *statement, Span body) {
    for (int i = 0; i < parse->lines.count; i++)
        if (parse->lines.at[i].span.start >= body.start)
            list_add(&parse->jre->forever, &statement->lines, parse->lines.at[i]);
    parse->lines.count = 0;
    statement->builtin = statement->lines.count == 1 && is_builtin(&statement->lines.at[0]);
    if (statement->builtin)
        statement->lines.count = 0;
    for (int i = 0; i < statement->lines.count && !statement->broken && !parse->broken; i++) {
        const Line *line = &statement->lines.at[i];
        bool last = i == statement->lines.count - 1;
        if (line->kind == LINE_RESULT && !last)
            mistake(parse, DIAG_unexpected_word, line->span, "I expected `name = ...`: only the last line of a formula is its result");
        else if (line->kind != LINE_RESULT && last)
            diag_help(mistake(parse, DIAG_unexpected_word, line->span, "I expected the result: the last line of a formula is a value"),
                      line->name ? "if it is `%s`, a last line says so" : "write what the formula gives", line->name);
    }
    statement->broken = statement->broken || parse->broken;
    parse->broken = false;
}

void statement_give_up(Parse *parse) {
    parse->settings.count = parse->lines.count = 0;
    parse->broken = parse->too_deep = false;
}

void line_add(Parse *parse, LineKind kind, Span span, const char *name, Span name_span, const Type *type, Expr *value) {
    Line line = { .kind = kind, .span = span, .name = name, .name_span = name_span, .value = value };
    if (type)
        line.type = *type;
    list_add(&parse->jre->forever, &parse->lines, line);
}

/* The grammar takes any postfix on the left of `=`; here it must be a name, or a name with letters. */
void line_add_equation(Parse *parse, Span span, Expr *left, Expr *value) {
    Line line = { .kind = LINE_EQUATION, .span = span, .value = value };
    Expr *named = left->kind == EXPR_INDEX ? left->target : left;
    bool good = named->kind == EXPR_NAME && !named->parenthesized && !left->parenthesized;
    for (int i = 0; left->kind == EXPR_INDEX && i < left->arguments.count; i++) {
        const Argument *letter = &left->arguments.at[i];
        good = good && !letter->name && letter->value->kind == EXPR_NAME && !letter->value->parenthesized;
        if (good)
            list_add(&parse->jre->forever, &line.letters, letter->value->name);
    }
    if (!good || (left->kind == EXPR_INDEX && !left->arguments.count)) {
        mistake(parse, DIAG_unexpected_word, left->span, "left of `=` I expected a name, or a name with letters: D[i, j]");
        return;
    }
    line.name = named->name;
    line.name_span = named->span;
    list_add(&parse->jre->forever, &parse->lines, line);
}

/* ---- the doors -------------------------------------------------------------------------------------------------------------- */

static void begin_chunk(Parse *parse, ChunkKind kind) {
    parse->chunk = arena_new(&parse->jre->forever, Chunk);
    parse->chunk->kind = kind;
    parse->opened = parse->plain;
    parse->closed = parse->unclosed = parse->stopped = parse->broken = parse->too_deep = parse->unmatched = false;
    parse->waiting_count = parse->bracket_count = parse->brace_count = parse->statement_tokens = 0;
    parse->settings.count = parse->lines.count = 0;
    parse->line_begins = true;
    parse->skipping.on = parse->skipping.until_close = parse->doubtful = false;
    parse->left_open = (Bracket){ 0 };
    parse->brace_ahead = NOWHERE;
    memset(parse->recent, 0, sizeof parse->recent);
    parse->statement_first = parse->item_first = (Token){ .span = { parse->source->base, parse->source->base } };
}

/* The automaton gives up where the very first word of a chunk is a mistake, for it has no statement to put in its place
 * yet: it begins anew behind it. A parse that was left for depth has not read its chunk to the end. */
static void read_chunk(Parse *parse) {
    while (jre_parse(parse) == 1 && !parse->stopped && (!parse->closed || parse->waiting_count))
        statement_give_up(parse);
    JRE_STYPE value;
    Span span;
    parse->skipping.on = true;
    while (!parse->closed)
        scan_token(&value, &span, parse->scanner);
    parse->skipping.on = false;
}

/* What stands behind a fence that is never closed is no program: of its mistakes only the fence is told. */
static void complain_of_fence(Parse *parse, int first_finding) {
    parse->jre->diagnostics.count = first_finding;
    Span fence = { parse->chunk->span.start, parse->chunk->span.start + 6 };
    Diagnostic *d = mistake(parse, DIAG_unclosed_chunk, fence, "this chunk is never closed");
    if (parse->ended) {
        uint32_t end = parse->source->base + parse->source->length;
        bool newline = parse->source->length && parse->source->bytes[parse->source->length - 1] == '\n';
        diag_help(d, "close it with a line of three backticks where the program ends");
        diag_edit(d, (Span){ end, end }, false, newline ? "```\n" : "\n```\n");
    } else {
        uint32_t next = parse->chunk->span.end;
        diag_also(d, (Span){ next, next + 3 }, "and here the next one begins");
        diag_help(d, "close it with a line of three backticks where the program ends");
    }
}

static void note_prose(Parse *parse, uint32_t end) {
    if (end > parse->prose_start)
        list_add(&parse->jre->forever, &parse->document->prose, ((Span){ parse->prose_start, end }));
}

/* The findings of a `wrong` chunk are what it is there to show: they do not count among the document's. */
static void keep_findings(Parse *parse, int first_finding, int mistakes_before) {
    Jre *jre = parse->jre;
    parse->mistakes = mistakes_before;
    for (int i = first_finding; i < jre->diagnostics.count; i++)
        list_add(&jre->forever, &parse->chunk->findings, jre->diagnostics.at[i]);
    jre->diagnostics.count = first_finding;
}

/* A piece of a source, as a source of its own whose places are those of the whole. */
Source *source_piece(Jre *jre, const Source *source, Span span) {
    Source *piece = arena_new(&jre->forever, Source);
    *piece = *source;
    piece->bytes = arena_copy(&jre->forever, source->bytes + (span.start - source->base), span.end - span.start);
    piece->base = span.start;
    piece->length = span.end - span.start;
    return piece;
}

/* What stands behind `= ` in a code span, NULL if it is no value. `parse` serves one quote after another. */
static Expr *parse_quote(Parse *parse, Source *source, Span span) {
    Jre *jre = parse->jre;
    int before = jre->diagnostics.count;
    parse->source = source_piece(jre, source, span);
    char *bytes = (char *)parse->source->bytes;
    for (uint32_t i = 0; i < span.end - span.start; i++)
        if (bytes[i] == '\n')
            bytes[i] = ' ';                     /* as code spans have it */
    parse->ended = false;
    begin_chunk(parse, CHUNK_PROGRAM);
    parse->chunk->span = span;
    if (scanner_open(parse))
        read_chunk(parse);
    const Chunk *chunk = parse->chunk;
    const Statement *first = chunk->statements.count ? chunk->statements.at[0] : NULL;
    if (jre->diagnostics.count == before && first && chunk->statements.count == 1 && first->kind == STATEMENT_EXPR && !first->broken)
        return first->value;
    if (jre->diagnostics.count == before) {
        Diagnostic *d = mistake(parse, DIAG_unexpected_word, span, "in a quote I expected a value");
        diag_note(d, "a code span that begins with `= ` stands for a result, which is put in its place");
        diag_help(d, "write a value, as in `= cv.map`, or take the `=` away");
    }
    return NULL;
}

static void parse_quotes(Parse *parse) {
    if (!parse->quoted.count)
        return;
    Parse *reader = arena_new(&parse->jre->forever, Parse);
    reader->jre = parse->jre;
    reader->plain = reader->quote = true;
    reader->mistakes = parse->mistakes;
    for (int i = 0; i < parse->quoted.count; i++) {
        Expr *quote = parse_quote(reader, parse->source, parse->quoted.at[i]);
        if (quote)
            list_add(&parse->jre->forever, &parse->document->quotes, quote);
    }
}

Document *parse_document(Jre *jre, Source *source) {
    Parse *parse = arena_new(&jre->forever, Parse);
    parse->jre = jre;
    parse->source = source;
    parse->document = arena_new(&jre->forever, Document);
    parse->document->source = source;
    uint32_t end = source->base + source->length;
    bool open = scanner_open(parse);
    while (open && !parse->ended) {
        int first_finding = jre->diagnostics.count, mistakes_before = parse->mistakes;
        begin_chunk(parse, CHUNK_PROGRAM);
        read_chunk(parse);
        if (!parse->opened)
            break;
        if (parse->unclosed)
            complain_of_fence(parse, first_finding);
        if (parse->chunk->kind == CHUNK_WRONG && !parse->unclosed)
            keep_findings(parse, first_finding, mistakes_before);
        note_prose(parse, parse->chunk->span.start);
        parse->prose_start = parse->chunk->span.end + (!parse->unclosed && parse->chunk->span.end < end);
        list_add(&jre->forever, &parse->document->chunks, parse->chunk);
    }
    note_prose(parse, end);
    parse_quotes(parse);
    return parse->document;
}

Chunk *parse_chunk(Jre *jre, Source *source) {
    Parse *parse = arena_new(&jre->forever, Parse);
    parse->jre = jre;
    parse->source = source;
    parse->plain = true;
    begin_chunk(parse, CHUNK_PROGRAM);
    parse->chunk->span = (Span){ source->base, source->base + source->length };
    if (scanner_open(parse))
        read_chunk(parse);
    parse->chunk->span = (Span){ source->base, source->base + source->length };
    return parse->chunk;
}
