/* mistake.c: what the parser or the scanner does not understand, in words.
 *
 * The parser hands over which tokens it could have taken; here they become "I expected a value, I found `}`", or, where
 * the mistake is a known one, a message of its own: a misspelled kind, a setting without its value, a `=` too many.
 * Contract: at most one message a call, and the filter of parse.c told what to skip. */
#include "grammar.tab.h"

#include <ctype.h>
#include <string.h>

/* ---- small questions ------------------------------------------------------------------------------------------------ */

static bool same_line(const Parse *parse, uint32_t from, uint32_t to) {
    const char *bytes = parse->source->bytes - parse->source->base;
    return from >= parse->source->base && from <= to && !memchr(bytes + from, '\n', to - from);
}

static const char *text_of(const Parse *parse, const Token *token) {
    return span_text(parse->jre, token->span);
}

static bool ends_line(const Token *token) {
    return token->kind == TOKEN_NL || token->kind == TOKEN_YYEOF;
}

/* A block of settings, not of equations. */
static bool among_settings(const Parse *parse) {
    int first = parse->statement_first.kind;
    return first == TOKEN_RECORD || first == TOKEN_CHANGE;
}

/* Is this token the key of a setting? */
static bool is_key(const Parse *parse, const Token *token) {
    return token->first && among_settings(parse) && token->span.start > parse->statement_first.span.start
           && (token->kind == TOKEN_NAME || token->kind == TOKEN_RECORD || token->kind == TOKEN_FORMULA);
}

static bool has(const char *const *expected, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (strcmp(expected[i], name) == 0)
            return true;
    return false;
}

/* What stands in the line from here on, without blanks around it, a comment, or the `}` of a block on one line. */
static Span rest_of_line(const Parse *parse, uint32_t from) {
    const char *bytes = parse->source->bytes - parse->source->base, *at = bytes + from + strspn(bytes + from, " \t"), *end = at;
    for (int depth = 0; *end && !strchr("\r\n#", *end) && (*end != '}' || depth); end++)
        depth += (*end == '{') - (*end == '}');
    while (end > at && strchr(" \t", end[-1]))
        end--;
    return (Span){ (uint32_t)(at - bytes), (uint32_t)(end - bytes) };
}

/* The setting that `change` alters may be one of any kind. */
static const SchemaKey *row_of_key(const Parse *parse, const Token *key) {
    const char *name = text_of(parse, key);
    const SchemaKey *row = NULL;
    if (parse->statement_first.kind == TOKEN_RECORD)
        return schema_find(kind_find(text_of(parse, &parse->statement_first)), name);
    for (int kind = 0; kind < KIND_COUNT && !row; kind++)
        row = schema_find((RecordKind)kind, name);
    return row;
}

/* ---- "I expected ..., I found ..." --------------------------------------------------------------------------------- */

typedef struct { const char *at[4]; int count; } Wishes;

static void wish(Wishes *wishes, const char *words) {
    if (wishes->count < 4)
        wishes->at[wishes->count++] = words;
}

static bool one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Dozens of tokens are a few things to a reader: a statement, a value, an operator. */
static Wishes wishes_of(const Parse *parse, const char *const *expected, int count) {
    static const char *const of_values[] = { "a name", "a number", "a text", "true", "false", "'('", "'['", "'-'", "not",
                                             "if", "each", NULL };
    static const char *const of_operators[] = { "'+'", "'-'", "'*'", "'/'", "'@'", "'^'", "==", "!=", "'<'", "'>'", "<=",
                                                ">=", "divides", "to", "and", "or", "|>", "'.'", "'('", "'['", "'\\''",
                                                "over", "where", "as", "...", NULL };
    static const char *const of_words[] = { "a name", "a kind", "a formula", "as", NULL };
    Wishes wishes = { .count = 0 };
    bool statement = has(expected, count, "extends"), value = !statement && has(expected, count, "a number");
    bool operators = has(expected, count, "'+'"), word = !value && !statement && has(expected, count, "a kind");
    bool end = has(expected, count, "the end of the line") || has(expected, count, "the end of the chunk");
    for (int i = 0; i < count && !statement; i++) {
        const char *name = expected[i];
        bool plain = strncmp(name, "a ", 2) != 0 && strncmp(name, "the end", 7) != 0;
        if ((value && one_of(name, of_values)) || (word && one_of(name, of_words)) || (operators && one_of(name, of_operators))
            || (operators && strcmp(name, "'='") == 0 && (parse->quote || parse->bracket_count > parse->brace_count))
            || strncmp(name, "the end", 7) == 0)
            continue;
        if (name[0] == '\'')
            name = strcmp(name, "'\\''") == 0 ? "`'`" : arena_print(&parse->jre->forever, "`%c`", name[1]);
        else if (plain)
            name = arena_print(&parse->jre->forever, "`%s`", name);
        wish(&wishes, name);
    }
    if (statement)
        wish(&wishes, parse->quote ? "a value" : "a statement");
    if (value)
        wish(&wishes, "a value");
    if (word)
        wish(&wishes, parse->brace_count && among_settings(parse) && parse->recent[0].first ? "a setting" : "a name");
    if (operators)
        wish(&wishes, "an operator");
    if (end && !statement && !parse->recent[0].first)
        wish(&wishes, parse->quote ? "the end of the quote" : has(expected, count, "the end of the line") ? "the end of the line" : "the end of the chunk");
    return wishes;
}

static const char *found_words(const Parse *parse, const Token *token) {
    if (token->kind == TOKEN_NL)
        return "the end of the line";
    if (token->kind == TOKEN_YYEOF)
        return parse->quote ? "the end of the quote" : parse->plain ? "the end of the input" : "the end of the chunk";
    const char *text = text_of(parse, token);
    if (strlen(text) <= 40)
        return arena_print(&parse->jre->forever, "`%s`", text);
    return token->kind == TOKEN_STRING ? "a text" : token->kind == TOKEN_NUMBER ? "a number" : "a name";
}

static const char *expectation(const Parse *parse, const Wishes *wishes) {
    Text text = { .jre = parse->jre };
    for (int i = 0; i < wishes->count; i++)
        text_add(&text, "%s%s", i == 0 ? "" : i < wishes->count - 1 ? ", " : " or ", wishes->at[i]);
    const char *words = intern(parse->jre, text.length ? text.at : "something else");
    text_free(&text);
    return words;
}

static bool lets_line_go_on(const Token *token) {
    return (token->kind < 128 && token->kind > 0 && strchr("+-*/@^=<>:~,", token->kind))
           || (token->kind >= TOKEN_OVER && token->kind <= TOKEN_OR) || (token->kind >= TOKEN_PIPE && token->kind <= TOKEN_GE);
}

/* A word of the language where a name should be: `for = 3`, `learn where: Tensor[K]`. */
static bool word_as_name(const Parse *parse, const Token *token, const char *const *expected, int count) {
    if (token->kind < TOKEN_EXTENDS || token->kind > TOKEN_FALSE || !has(expected, count, "a name"))
        return false;
    const char *behind = parse->source->bytes + (token->span.end - parse->source->base);
    behind += strspn(behind, " \t");
    int before = parse->recent[1].kind;
    return (*behind == '=' && behind[1] != '=') || *behind == '~' || before == TOKEN_LEARN || (before == TOKEN_RECORD && !is_key(parse, &parse->recent[1]))
           || (before == TOKEN_FORMULA && !is_key(parse, &parse->recent[1])) || before == TOKEN_CHANGE || before == TOKEN_USE || before == TOKEN_REMOVE;
}

static void close_what_is_open(const Parse *parse, Diagnostic *d, const Token *before) {
    char sign = parse->left_open.sign;
    diag_also(d, parse->left_open.span, "this `%c` is still open", sign);
    if (parse->left_several || lets_line_go_on(before))
        return;
    diag_help(d, "close it");
    diag_edit(d, (Span){ before->span.end, before->span.end }, false, "%c", sign == '(' ? ')' : ']');
}

/* only split-time == train: to the right of a comparison a text was meant, else a column; neither is a word of the language. */
static void quote_in_condition(const Parse *parse, Diagnostic *d, const Token *found, const Token *before) {
    const char *bytes = parse->source->bytes, *at = bytes + (found->span.start - parse->source->base), *line = at, *end = at;
    while (line > bytes && line[-1] != '\n') line--;
    line += strspn(line, " \t");
    if (strncmp(line, "only ", 5) != 0 && strncmp(line, "gallery ", 8) != 0) return;
    while (isalnum((unsigned char)*end) || *end == '_' || (*end == '-' && isalnum((unsigned char)end[1]))) end++;
    const char *sign = text_of(parse, before);
    bool text = sign[0] && strchr("=!<>", sign[0]);
    diag_help(d, text ? "a text stands in quotes" : "a column of that name stands in quotes");
    diag_edit(d, (Span){found->span.start, found->span.start + (uint32_t)(end - at)}, false, text ? "\"%.*s\"" : "\"{%.*s}\"", (int)(end - at), at);
}

static void plain_mistake(Parse *parse, const char *const *expected, int count) {
    const Token *found = &parse->recent[0], *before = &parse->recent[1];
    Wishes wishes = wishes_of(parse, expected, count);
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "I expected %s, I found %s",
                            expectation(parse, &wishes), found_words(parse, found));
    if (parse->left_open.sign)
        close_what_is_open(parse, d, before);
    else if (lets_line_go_on(before) && !same_line(parse, before->span.end, found->span.start))
        diag_also(d, before->span, "what ends in `%s` goes on in the next line", text_of(parse, before));
    if (word_as_name(parse, found, expected, count))
        diag_fact(d, "`%s` is a word of the language, so nothing can be called that.", text_of(parse, found));
    bool kind = found->kind == TOKEN_RECORD || found->kind == TOKEN_FORMULA;
    if (kind && has(expected, count, "a number") && same_line(parse, before->span.end, found->span.start)) {
        diag_fact(d, "`%s` is the name of a kind, so no value can be called that.", text_of(parse, found));
        quote_in_condition(parse, d, found, before);
    }
    else if (kind && (before->kind == TOKEN_RECORD || before->kind == TOKEN_FORMULA))
        diag_fact(d, "`%s` is the name of a kind, so nothing can be called that.", text_of(parse, found));
    if (found->kind == '=' && has(expected, count, "==")) {
        diag_help(d, "two values are compared with `==`");
        diag_edit(d, found->span, false, "==");
    }
}

/* ---- known mistakes: each says whether it was the one ---------------------------------------------------------------- */

static const char *const first_words[] = {
    "dataset", "split", "train", "boost", "embed", "evaluate", "ensemble", "figure", "submit", "function", "augment",
    "network", "loss", "extends", "use", "change", "remove", "probe", "expect", "accept",
};
enum { KINDS = 13, FIRST_WORDS = 20 };

/* What other languages call it; NULL: what they call so begins no statement here. */
static const char *word_of_others(const char *name) {
    const SynonymRow *row = synonym_find(name);
    for (int i = 0; row && i < FIRST_WORDS; i++)
        if (strcmp(first_words[i], row->ours) == 0)
            return first_words[i];
    return NULL;
}

/* `datset jaguars {` arrives as two names, `jaguars {` as a name and its block. */
static bool misspelled_kind(Parse *parse) {
    const Token *first = &parse->statement_first, *found = &parse->recent[0];
    bool at_start = parse->statement_tokens == 2 && first->kind == TOKEN_NAME;
    bool fits = found->kind == TOKEN_NAME || found->kind == TOKEN_STRING || found->kind == TOKEN_RECORD
                || found->kind == TOKEN_FORMULA || found->kind == '{';
    if (!at_start || !fits)
        return false;
    const char *near = word_of_others(text_of(parse, first));
    const NearNames guess = near_names(text_of(parse, first), first_words, FIRST_WORDS);
    bool sure = !near && guess.sure;
    if (!near && guess.count)
        near = guess.at[0];
    bool is_kind = near && kind_find(near) == KIND_NONE ? false : near != NULL;
    for (int i = 0; near && i < KINDS; i++)
        is_kind = is_kind || strcmp(near, first_words[i]) == 0;
    const char *behind = parse->source->bytes + (found->span.end - parse->source->base);
    behind += strspn(behind, " \t");
    const char *rest = span_text(parse->jre, rest_of_line(parse, found->span.end));
    bool head = *behind == '(' && (strpbrk(rest, "{:") || strstr(rest, "->"));
    bool declares = found->kind == '{' || (found->kind == TOKEN_NAME && (*behind == '{' || head || strncmp(behind, "like ", 5) == 0));
    if (!near && !declares)
        return false;
    Diagnostic *d;
    if (found->kind == '{') {
        d = mistake(parse, DIAG_unknown_kind, first->span, "before a name and its block I expected a kind");
        near = NULL;
    } else if (near && !is_kind) {
        d = mistake(parse, DIAG_unexpected_word, first->span, "no statement begins with this word");
    } else {
        d = mistake(parse, DIAG_unknown_kind, first->span, "there is no kind of this name");
    }
    if (!near || is_kind)
        diag_fact(d, "the kinds are: dataset split train boost embed evaluate ensemble figure submit,\nand with equations: function augment network loss");
    if (near) {
        diag_help(d, "did you mean `%s`?", near);
        diag_edit(d, first->span, sure, "%s", near);
    }
    return true;
}

/* `likeness cosine(features)`: an equation without its sign. */
static bool equation_without_sign(Parse *parse) {
    const Token *found = &parse->recent[0], *name = &parse->recent[1];
    bool value = found->kind == TOKEN_NAME || found->kind == TOKEN_NUMBER || found->kind == TOKEN_STRING;
    bool begins = name->first && (!parse->brace_count || !among_settings(parse)) && parse->bracket_count == parse->brace_count;
    if (parse->quote || !begins || !value || name->kind != TOKEN_NAME || !same_line(parse, name->span.end, found->span.start)
        || strpbrk(span_text(parse->jre, rest_of_line(parse, found->span.end)), "{:"))
        return false;
    const char *behind = parse->source->bytes - parse->source->base + found->span.end;
    behind += strspn(behind, " \t");
    if (found->kind == TOKEN_NAME && *behind == '=' && behind[1] != '=') {         /* let y = 2 */
        Diagnostic *d = mistake(parse, DIAG_unexpected_word, name->span, "an equation begins with its name");
        diag_help(d, "leave the word in front of it out");
        diag_edit(d, (Span){ name->span.start, found->span.start }, false, "%s", "");
        return true;
    }
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "between a name and its value I expected `=`");
    diag_help(d, "for instance");
    diag_edit(d, (Span){ found->span.start, found->span.start }, false, "= ");
    return true;
}

/* How far behind its key a value stands in the lines before, so that an example is aligned with them. */
static int width_of_keys(const Parse *parse, const Token *key) {
    if (parse->settings.count) {
        const Setting *last = &parse->settings.at[parse->settings.count - 1];
        uint32_t width = last->value->span.start - last->key_span.start;
        if (width > key->span.end - key->span.start && width < 40)
            return (int)width;
    }
    return (int)(key->span.end - key->span.start) + 1;
}

/* After a setting without its value nothing is lost if the next line is a setting: then its mistakes are its own. */
static bool setting_follows(const Parse *parse) {
    const Token *found = &parse->recent[0], *next = &parse->waiting[0];
    if (found->kind != TOKEN_NL || !parse->waiting_count)
        return true;
    if (next->kind != TOKEN_NAME && next->kind != TOKEN_RECORD && next->kind != TOKEN_FORMULA)
        return next->kind == '}';
    const char *name = text_of(parse, next);
    for (int i = 0; i < schema_key_count; i++)
        if (strcmp(schema_keys[i].name, name) == 0)
            return true;
    return false;
}

/* `epochs` and nothing else (LANGUAGE 3.7, message 12). */
static bool unfinished_setting(Parse *parse) {
    const Token *key = &parse->recent[1], *found = &parse->recent[0];
    if (!is_key(parse, key) || !(ends_line(found) || found->kind == '}'))
        return false;
    const char *name = text_of(parse, key);
    const SchemaKey *row = row_of_key(parse, key);
    Diagnostic *d = mistake(parse, DIAG_unfinished_line, key->span, "a setting is a key and a value; the value is missing");
    if (row) {
        diag_fact(d, "`%s` is %s", name, row->sentence);
        if (*schema_example(row)) {
            diag_help(d, "for instance");
            diag_edit(d, key->span, false, "%-*s%s", width_of_keys(parse, key), name, schema_example(row));
        }
    } else {
        diag_said_elsewhere(d, name);
    }
    parse->doubtful = !setting_follows(parse);
    return true;
}

/* `name =` and nothing behind it. A line goes on behind a `=`, so the next line is in it when this is noticed. */
static bool unfinished_equation(Parse *parse) {
    const Token *found = &parse->recent[0], *sign = &parse->recent[1], *name = &parse->recent[2];
    if (found->kind == '=' && sign->kind == TOKEN_NAME && name->kind == '=') {
        sign = &parse->recent[2];
        name = &parse->recent[3];
        found = &parse->recent[1];
    }
    if (sign->kind != '=' || !(ends_line(found) || found->kind == '}' || !same_line(parse, sign->span.end, found->span.start)))
        return false;
    mistake(parse, DIAG_unfinished_line, span_join(name->span, sign->span), "behind `=` I expected a value; it is missing");
    return true;
}

/* `epochs = 30` or `epochs: 30` in a block of settings. */
static bool sign_in_setting(Parse *parse) {
    const Token *found = &parse->recent[0];
    if ((found->kind != '=' && found->kind != ':') || !is_key(parse, &parse->recent[1]))
        return false;
    const char *bytes = parse->source->bytes - parse->source->base;
    Span edit = found->span;
    edit.end += (uint32_t)strspn(bytes + edit.end, " \t");
    bool apart = edit.start > parse->recent[1].span.end;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "a setting is a key and a value, without `%c`", found->kind);
    diag_help(d, "leave it out");
    diag_edit(d, edit, true, "%s", apart ? "" : " ");
    return true;
}

/* `table train.csv`, `extends 00_ok`: paths and other texts without their quotes, whichever of their characters at `at` it
 * was that could not be understood. */
static bool text_without_quotes(Parse *parse, uint32_t at) {
    const Token *before = &parse->item_first;
    bool extends = parse->statement_first.kind == TOKEN_EXTENDS;
    if (extends)
        before = &parse->statement_first;
    else if (!is_key(parse, before))
        return false;
    const SchemaKey *row = extends ? NULL : row_of_key(parse, before);
    static const char *const texts[] = { "Path", "Folder", "Template", "Column", "Mask", "Text", NULL };
    if (!extends && (!row || !one_of(row->type, texts)))
        return false;
    const char *bytes = parse->source->bytes - parse->source->base;
    Span span = rest_of_line(parse, before->span.end);
    bool goes_on = span.end > span.start && strchr("/*-", bytes[span.end - 1]);     /* `photos/` takes the next line along */
    if (at < span.start || span.end == span.start || (at >= span.end && !goes_on)
        || memchr(bytes + span.start, '"', span.end - span.start))
        return false;
    const char *text = span_text(parse->jre, span);
    bool whole = !extends || strchr(text, '.') || strchr(text, ' ');
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, span, extends ? "the path of a document stands in quotes" : "this is a text, and texts stand in quotes");
    parse->complained_at = at;
    diag_help(d, "put it in quotes");
    diag_edit(d, span, false, "\"%s%s\"", text, whole ? "" : ".jre");
    return true;
}

/* `metrics map, rank1` */
static bool list_without_brackets(Parse *parse) {
    static const char *const lists[] = { "Metrics", "Names", "Shares", "Similarities", "Views", NULL };
    const Token *key = &parse->item_first, *found = &parse->recent[0];
    bool wraps = found->kind == '{' || (found->kind == ',' && parse->bracket_count == parse->brace_count + 1);
    if ((found->kind != ',' && found->kind != TOKEN_NAME && !wraps) || !is_key(parse, key) || (parse->bracket_count != parse->brace_count && !wraps)
        || !same_line(parse, key->span.end, found->span.start))
        return false;
    const SchemaKey *row = row_of_key(parse, key);
    Span span = rest_of_line(parse, key->span.end);
    const char *text = span_text(parse->jre, span);
    bool wrapped = *text == '(' || *text == '{';
    if (row && one_of(row->type, lists) && wrapped) {
        size_t inner = strcspn(text + 1, ")}");
        Diagnostic *d = mistake(parse, DIAG_unexpected_word, span, "several values are a list, and a list stands in `[ ]`");
        diag_help(d, "write these brackets");
        diag_edit(d, (Span){ span.start, span.start + (uint32_t)inner + (text[inner + 1] ? 2 : 1) }, false, "[%.*s]", (int)inner, text + 1);
        return true;
    }
    size_t length = strlen(text), words = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_% \t");
    if (!row || !one_of(row->type, lists) || !parse->brace_count || *text == '[' || (found->kind != ',' && words < length))
        return false;
    Text list = { .jre = parse->jre };
    for (size_t i = 0; i < length;) {
        size_t blanks = strspn(text + i, " \t");
        if (blanks && words == length)
            text_add(&list, ", ");
        else
            text_add_bytes(&list, text + i, blanks);
        i += blanks;
        size_t word = strcspn(text + i, " \t");
        text_add_bytes(&list, text + i, word - (i + word == length && text[length - 1] == ','));
        i += word;
    }
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, span, "several values are a list, and a list stands in `[ ]`");
    diag_help(d, "put them in brackets");
    diag_edit(d, span, false, "[%s]", list.at);
    text_free(&list);
    return true;
}

/* “train.csv” and 'train.csv': from the mark to the next of its kind in the line. `behind`: what stands before it. */
static bool other_quotes(Parse *parse, Span mark, const Token *behind) {
    static const struct { const char *mark; bool single; } marks[] = {
        { "\u201C", false }, { "\u201D", false }, { "\u201E", false }, { "\u00AB", false }, { "\u00BB", false }, { "\"", false },
        { "\u2018", true }, { "\u2019", true }, { "\u201A", true }, { "\u2039", true }, { "\u203A", true }, { "'", true },
    };
    enum { MARKS = sizeof marks / sizeof *marks };
    const char *bytes = parse->source->bytes - parse->source->base, *begin = bytes + mark.end, *end = NULL;
    int which = 0;
    while (which < MARKS && strcmp(span_text(parse->jre, mark), marks[which].mark) != 0)
        which++;
    if (which == MARKS)
        return false;
    size_t closing = 0;
    for (const char *at = begin; *at && *at != '\n' && !end; at++)
        for (int i = 0; i < MARKS && !end; i++)
            if (marks[i].single == marks[which].single && strncmp(at, marks[i].mark, strlen(marks[i].mark)) == 0)
                end = at, closing = strlen(marks[i].mark);
    bool operand = behind->span.end == mark.start && (behind->kind == TOKEN_NAME || behind->kind == ')' || behind->kind == ']');
    if (marks[which].single && (!end || operand))        /* transposed */
        return false;
    Span whole = { mark.start, end ? (uint32_t)(end + closing - bytes) : mark.end };
    bool module = behind->kind == TOKEN_USE;
    Diagnostic *d = mistake(parse, DIAG_unknown_character, whole, "%s", module ? "the name of a module stands without quotes" : "a text stands in straight quotes");
    parse->complained_at = mark.start;
    diag_help(d, module ? "take them out" : "texts are written with `\"`%s", end ? " at both ends" : "");
    if (end && !memchr(begin, '"', (size_t)(end - begin)))
        diag_edit(d, whole, false, module ? "%s" : "\"%s\"", span_text(parse->jre, (Span){ mark.end, (uint32_t)(end - bytes) }));
    else if (!end)
        diag_edit(d, whole, false, "\"");
    return true;
}

/* `use "heads"`; `f('train.csv')`, where a value is expected. */
static bool misplaced_quotes(Parse *parse, bool value_expected) {
    const Token *found = &parse->recent[0], *before = &parse->recent[1];
    if (found->kind == '\'' && value_expected)
        return other_quotes(parse, found->span, before);
    if (found->kind != TOKEN_STRING || before->kind != TOKEN_USE)
        return false;
    const char *name = found->value.TOKEN_STRING;
    size_t length = strlen(name);
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "the name of a module stands without quotes");
    diag_help(d, "take them out");
    diag_edit(d, found->span, false, "%.*s", (int)(length > 4 && strcmp(name + length - 4, ".jre") == 0 ? length - 4 : length), name);
    return true;
}

/* How units are called elsewhere; NULL: no unit is called so. */
static const char *unit_called(const char *word) {
    static const struct { const char *met, *meant; } known[] = {
        { "degree", "deg" }, { "degrees", "deg" }, { "radian", "rad" }, { "radians", "rad" }, { "pixel", "px" },
        { "pixels", "px" }, { "percent", "%" }, { "sec", "s" }, { "secs", "s" }, { "second", "s" }, { "seconds", "s" },
        { "msec", "ms" }, { "milliseconds", "ms" }, { "mins", "min" }, { "minute", "min" }, { "minutes", "min" },
        { "m", "min" }, { "hr", "h" }, { "hrs", "h" }, { "hour", "h" }, { "hours", "h" }, { "KB", "KiB" }, { "kB", "KiB" },
        { "kb", "KiB" }, { "k", "KiB" }, { "MB", "MiB" }, { "Mb", "MiB" }, { "M", "MiB" }, { "GB", "GiB" },
        { "Gb", "GiB" }, { "G", "GiB" }, { "PX", "px" }, { "Px", "px" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].met, word) == 0)
            return known[i].meant;
    for (Unit unit = UNIT_px; unit <= UNIT_GiB; unit++)
        if (strcmp(unit_text(unit), word) == 0)
            return unit_text(unit);
    return NULL;
}

/* `0.5 rad`, `30 degrees` */
static bool unit_apart(Parse *parse) {
    const Token *found = &parse->recent[0], *number = &parse->recent[1];
    if (found->kind != TOKEN_NAME || number->kind != TOKEN_NUMBER || number->value.TOKEN_NUMBER.unit != UNIT_NONE)
        return false;
    const char *word = text_of(parse, found), *unit = unit_called(word);
    if (!unit)
        return false;
    bool same = strcmp(unit, word) == 0;
    bool letter = strchr("smh", *unit) && !is_key(parse, &parse->item_first);       /* `3 h` may have lost its `*` */
    Diagnostic *d = mistake(parse, DIAG_unknown_unit, found->span, "a unit stands right behind its number");
    diag_help(d, same ? "take out the blank" : "write it so");
    diag_edit(d, (Span){ number->span.end, same ? found->span.start : found->span.end }, same && !letter, "%s", same ? "" : unit);
    return true;
}

/* `patience = 3 epochs`: what is counted stands in the name in front. */
static bool word_behind_number(Parse *parse) {
    const Token *found = &parse->recent[0], *number = &parse->recent[1];
    const char *bytes = parse->source->bytes - parse->source->base, *behind = bytes + found->span.end;
    behind += strspn(behind, " \t");
    if (found->kind != TOKEN_NAME || number->kind != TOKEN_NUMBER || !same_line(parse, number->span.end, found->span.start)
        || (*behind && !strchr(",)]}#\r\n", *behind)))
        return false;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "a number stands here without a word behind it");
    diag_help(d, "take `%s` out", text_of(parse, found));
    diag_edit(d, (Span){ number->span.end, found->span.end }, false, "%s", "");
    return true;
}

/* `use resnet, filters` */
static bool sign_behind_line(Parse *parse) {
    const Token *found = &parse->recent[0];
    if ((found->kind != ',' && found->kind != ';') || parse->bracket_count != parse->brace_count)
        return false;
    const SchemaKey *row = is_key(parse, &parse->item_first) ? row_of_key(parse, &parse->item_first) : NULL;
    Span sign = { found->span.start, found->span.start + 1 };
    if (found->kind == ',' && row && strstr(row->type, "Condition")) {
        Diagnostic *d = mistake(parse, DIAG_unexpected_word, sign, "two conditions are joined with `and`, or with `or`");
        diag_help(d, "if both must hold");
        Span left = { rest_of_line(parse, parse->item_first.span.end).start, sign.start }, right = rest_of_line(parse, sign.end);
        const char *first = span_text(parse->jre, left), *second = span_text(parse->jre, right);
        if (!strchr(second, ','))
            diag_edit(d, span_join(left, right), false, "%s and %s", beside_and(parse->jre, first), beside_and(parse->jre, second));
        return true;
    }
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, sign, "a line ends without `%c`", found->kind);
    diag_help(d, "give what follows a line of its own");
    return true;
}

/* `folds 5  // five parts`; `side = 224 // 2` */
static bool comment_of_others(Parse *parse) {
    const Token *found = &parse->recent[0], *before = &parse->recent[1];
    const char *bytes = parse->source->bytes - parse->source->base;
    uint32_t start = before->kind == '/' && before->span.start + 1 == found->span.start ? before->span.start : found->span.start;
    if (found->kind != '/' || bytes[start + 1] != '/')
        return false;
    Span sign = { start, start + 2 };
    bool divides = isdigit((unsigned char)bytes[start + 2 + strspn(bytes + start + 2, " (")]);
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, sign, divides ? "one `/` divides, and a comment begins with `#`" : "a comment begins with `#`");
    diag_help(d, "write it so");
    diag_edit(d, sign, false, divides ? "/" : "#");
    return true;
}

static bool compares(const Token *token) {
    return token->kind == '<' || token->kind == '>' || (token->kind >= TOKEN_EQ && token->kind <= TOKEN_GE);
}

/* `x |> fit(8px) > normalize(imagenet)`; `0.1 < cv.map < 0.9` */
static bool second_comparison(Parse *parse, const char *const *expected, int count) {
    const Token *found = &parse->recent[0];
    if (!compares(found))
        return false;
    if (found->kind == '>' && has(expected, count, "|>") && !has(expected, count, "and")) {
        Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "behind a `|>` nothing is compared");
        diag_help(d, "`then` is written `|>`");
        diag_edit(d, (Span){ found->span.start, found->span.start + 1 }, false, "|>");
        return true;
    }
    if (!has(expected, count, "and"))
        return false;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "this line compares already: two comparisons are joined with `and`");
    diag_help(d, "instead of `a < b < c` write `a < b and b < c`");
    return true;
}

/* `k, l of ..`: in `sum over c e[n, c] + mean over c of ..` the `of` belongs to another sum. */
static bool only_letters_before_of(const Parse *parse, uint32_t from) {
    static const char *const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    const char *at = span_text(parse->jre, rest_of_line(parse, from));
    for (size_t word; at += strspn(at, " \t,"), (word = strspn(at, signs)) > 0; at += word) {
        if (word == 2 && strncmp(at, "of", word) == 0)
            return true;
        if (word == 4 && strncmp(at, "over", word) == 0)
            return false;
    }
    return false;
}

/* `max over i j of e[i, j]` */
static bool letters_apart(Parse *parse) {
    const Token *found = &parse->recent[0], *before = &parse->recent[1];
    if (found->kind != TOKEN_NAME || before->kind != TOKEN_NAME || !only_letters_before_of(parse, found->span.end))
        return false;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "a comma stands between two letters");
    diag_help(d, "put it in");
    diag_edit(d, (Span){ before->span.end, found->span.start }, true, ", ");
    return true;
}

/* `expect cv.map > 60% "the paper has it"`; `sum over k e[k]` */
static bool missing_word(Parse *parse, const char *const *expected, int count) {
    const Token *found = &parse->recent[0];
    const char *word = found->kind == TOKEN_STRING && has(expected, count, "because") ? "because"
                       : (found->kind == TOKEN_NAME || found->kind == TOKEN_NUMBER) && has(expected, count, "of") ? "of" : NULL;
    if (!word)
        return false;
    if (strcmp(word, "of") == 0 && letters_apart(parse))
        return true;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "before this I expected `%s`", word);
    diag_help(d, "put it in");
    diag_edit(d, (Span){ found->span.start, found->span.start }, true, "%s ", word);
    return true;
}

/* `fit(8px fill = gray)`; `jitter(brightness 0.2)` */
static bool missing_sign(Parse *parse, const char *const *expected, int count) {
    const Token *found = &parse->recent[0], *before = &parse->recent[1];
    bool value = found->kind == TOKEN_NUMBER || found->kind == TOKEN_STRING, begins = value || found->kind == TOKEN_NAME;
    if (!begins || parse->bracket_count == parse->brace_count || !has(expected, count, "','"))
        return false;
    bool call = parse->brackets[parse->bracket_count - 1].sign == '(';
    bool named = call && value && before->kind == TOKEN_NAME && (parse->recent[2].kind == '(' || parse->recent[2].kind == ',');
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, named ? "between the name of an argument and its value I expected `=`"
                                                                           : "before this I expected `,`");
    diag_help(d, "put it in");
    const char *bytes = parse->source->bytes - parse->source->base, *behind = bytes + found->span.end;
    size_t blanks = strspn(behind, " \t"), word = blanks ? strcspn(behind + blanks, " \t,()[]{}=\r\n") : 0;
    if (named && found->kind == TOKEN_NUMBER && word)        /* patience 3 epochs */
        diag_edit(d, (Span){ before->span.end, found->span.end + (uint32_t)(blanks + word) }, false, " = %s", text_of(parse, found));
    else
        diag_edit(d, (Span){ before->span.end, named ? found->span.start : before->span.end }, false, named ? " = " : ",");
    return true;
}

/* `loss each [A, B]`: a choice has a name of its own. */
static bool each_inside(Parse *parse) {
    const Token *found = &parse->recent[0];
    if (found->kind != TOKEN_EACH || parse->quote)
        return false;
    Diagnostic *d = mistake(parse, DIAG_unexpected_word, found->span, "an `each` stands behind the `=` of an equation, so that every choice has a name");
    diag_help(d, "give it one, for instance `head = each [...]`, and write that name here");
    return true;
}

/* ---- the doors ------------------------------------------------------------------------------------------------------- */

/* Whatever follows in this line, setting or statement belongs to the mistake. Where a `{` was forgotten, its lines do. */
static void begin_skipping(Parse *parse, bool brace_expected) {
    const Token *found = &parse->recent[0];
    int depth = parse->brace_count - (found->kind == '{');
    bool block_follows = brace_expected && depth == 0 && !found->blank_line && (found->kind == TOKEN_NL || found->first);
    parse->skipping.depth = depth;
    bool line_follows = found->kind == TOKEN_NL && line_below_belongs(parse, found->at);
    if (!block_follows && !line_follows && (ends_line(found) || found->kind == '}'))
        return;
    if (depth == 0 && opens_statement(parse, found)) {      /* the statement before ended too soon; this one is none of it */
        Token again = *found;
        again.first = true;
        token_again(parse, token_invented(parse, TOKEN_NL));
        token_again(parse, again);
        return;
    }
    parse->skipping.on = true;
    parse->skipping.until_close = block_follows;
}

void mistake_of_word(Parse *parse, const char *const *expected, int count) {
    const Token *found = &parse->recent[0];
    if (found->kind == TOKEN_YYEOF && parse->plain)
        parse->chunk->goes_on = true;
    if (parse->stopped || found->invented)
        return;
    parse->doubtful = false;
    bool told = parse->complained_at >= found->span.start && parse->complained_at < found->span.end;
    if (!told && !misspelled_kind(parse) && !comment_of_others(parse) && !equation_without_sign(parse) && !unfinished_setting(parse) && !unfinished_equation(parse)
        && !sign_in_setting(parse) && !misplaced_quotes(parse, has(expected, count, "a number"))
        && !text_without_quotes(parse, found->span.start) && !list_without_brackets(parse) && !unit_apart(parse)
        && !word_behind_number(parse) && !sign_behind_line(parse) && !second_comparison(parse, expected, count) && !missing_word(parse, expected, count)
        && !missing_sign(parse, expected, count) && !each_inside(parse))
        plain_mistake(parse, expected, count);
    begin_skipping(parse, has(expected, count, "'{'") && !has(expected, count, "a number"));
}

/* ---- what the scanner meets -------------------------------------------------------------------------------------------- */

void mistake_of_character(Parse *parse, Span span, const char *character) {
    static const struct { const char *met, *meant, *words; } known[] = {
        { "\u2019", "'", "transposing is written" }, { "\u2212", "-", "minus is written" },
        { "\u2013", "-", "minus is written" }, { "\u2014", "-", "minus is written" }, { "\u00D7", "*", "times is written" },
        { "\u00B7", "*", "times is written" }, { "\u00F7", "/", "divided by is written" }, { "\u2264", "<=", "this is written" },
        { "\u2265", ">=", "this is written" }, { "\u2260", "!=", "this is written" }, { "\u2192", "->", "this is written" },
        { "\u00B0", "deg", "degrees are written" }, { "\u00A0", " ", "this blank is a special one; a plain one is meant:" },
        { "&&", "and", "this is written" }, { "||", "or", "this is written" }, { "!", "not ", "this is written" },
        { "|", "|>", "`then` is written" },
    };
    if (parse->complained_at && same_line(parse, parse->complained_at, span.start)) {
        parse->complained_at = span.start;
        return;
    }
    if (*character != '`' && (other_quotes(parse, span, &parse->recent[0]) || text_without_quotes(parse, span.start)))
        return;
    unsigned char byte = (unsigned char)*character;
    Diagnostic *d;
    if (byte == '`' && parse->plain)
        d = mistake(parse, DIAG_unknown_character, span, "fences belong to documents; this is program already");
    else if (byte == '`')
        d = mistake(parse, DIAG_unknown_character, span, "a fence that ends a chunk stands at the beginning of its line");
    else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && span.end - span.start == 1))
        d = mistake(parse, DIAG_unknown_character, span, "a byte %d is no character", byte);
    else
        d = mistake(parse, DIAG_unknown_character, span, "no part of the language uses this character");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].met, character) == 0) {
            diag_help(d, "%s `%s`", known[i].words, known[i].meant);
            diag_edit(d, span, false, "%s", known[i].meant);
        }
    }
}

static size_t number_length(const char *text) {
    size_t length = strspn(text, "0123456789");
    if (text[length] == '.' && strspn(text + length + 1, "0123456789"))
        length += 1 + strspn(text + length + 1, "0123456789");
    if (text[length] == 'e' || text[length] == 'E') {
        size_t sign = text[length + 1] == '-' || text[length + 1] == '+';
        size_t digits = strspn(text + length + 1 + sign, "0123456789");
        length += digits ? 1 + sign + digits : 0;
    }
    return length;
}

/* False if it was no number at all, but a path without quotes. */
bool mistake_of_unit(Parse *parse, Span number, const char *text) {
    if (text_without_quotes(parse, number.start))
        return false;
    static const char *const units[] = { "px", "deg", "rad", "%", "ms", "s", "min", "h", "KiB", "MiB", "GiB" };
    size_t length = number_length(text);
    const char *met = text + length, *meant = unit_called(met);
    if (!meant)
        meant = nearest_name(met, units, sizeof units / sizeof *units);
    Span span = { number.start + (uint32_t)length, number.end };
    Diagnostic *d = mistake(parse, DIAG_unknown_unit, span, "there is no unit of this name");
    diag_fact(d, "the units are: px deg rad %% ms s min h KiB MiB GiB");
    if (meant) {
        diag_help(d, "did you mean `%s`?", meant);
        diag_edit(d, span, false, "%s", meant);
    } else {
        diag_help(d, "write the number in one of these units, or without any");
    }
    return true;
}
