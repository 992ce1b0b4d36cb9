/* grammar.c: tests of the whole grammar: what prose quotes, programs drawn at random, hostile texts in numbers. */
#include "../compiler/compiler.h"
#include "parsing.h"

/* ---- quotes ------------------------------------------------------------------------------------------------------------ */

/* The values that the prose of a text quotes, one behind the other: "cv.map | chance(cv)". */
static void expect_quotes(const char *text, const char *expected) {
    Jre *jre = jre_new();
    Document *document = parsed(jre, "v01.jre", text);
    expect_no_message(jre, text);
    Text found = { .jre = jre };
    text_add(&found, "%s", "");
    for (int i = 0; i < document->quotes.count; i++)
        text_add(&found, "%s%s", i ? " | " : "", span_text(jre, document->quotes.at[i]->span));
    assert_string_equal(found.at, expected);
    text_free(&found);
    jre_free(jre);
}

static void prose_quotes_values(void **state) {
    (void)state;
    expect_quotes("The floor is `= cv.map`, of `= chance(cv)`.\n", "cv.map | chance(cv)");
    expect_quotes("\xEF\xBB\xBF`= a`\r\n\r\n```jre\r\nb = 1\r\n```\r\n* `` = b ``\r\n* ``= c``", "a | c");
    expect_quotes("Best: `= best(cv,\n  by = map).map`.\n", "best(cv,\n  by = map).map");
    expect_quotes("No quotes: `cv.map`, `=`, `= `, `=x`, \\`= a`, ```` `= b` ````.\n", "");
    expect_quotes("A lonely ` here.\n\n* one ` more\n* and `= a`\n## `` and `= b`\n", "a | b");
    expect_quotes("````\n```\n`= a`\n```\n`= b`\n````\n~~~ x\n`= c`\n```\n~~~\n  ```\n`= d`\n  ```\n`= e`\n", "e");
    expect_quotes("```jre\na = 1 # `= b`\n```\n```jre wrong unknown_name\n\n```\n`= c`\n", "c");
}

static void quotes_know_their_places(void **state) {
    (void)state;
    Jre *jre = jre_new();
    parsed(jre, "v00.jre", "Some other text.\n");
    Document *document = parsed(jre, "v01.jre", "# \xE2\x82\xAC\n\nIt is `= v01.cv.map + 1`.\n");
    expect_no_message(jre, "a quote");
    assert_int_equal(document->quotes.count, 1);
    const Expr *sum = document->quotes.at[0];
    assert_int_equal(sum->op, BINARY_add);
    assert_string_equal(span_text(jre, sum->left->focus), "map");
    Place place = place_of(jre, sum->right->span.start);
    assert_ptr_equal(place.source, document->source);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 23);
    jre_free(jre);
}

static void a_mistake_in_a_quote_is_told_at_its_place(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "v01.jre", "One `= cv.` and `= x = 3`, `= each [1]`,\n`= 3furlong` but `= cv.map`.\n");
    assert_int_equal(document->quotes.count, 1);
    assert_int_equal(jre->diagnostics.count, 4);
    static const int columns[] = { 11, 20, 31, 5 };
    for (int i = 0; i < 4; i++) {
        Place place = place_of(jre, jre->diagnostics.at[i]->span.start);
        assert_int_equal(place.line, i < 3 ? 1 : 2);
        if (place.column != columns[i]) {
            char *messages = test_messages(jre);
            fail_msg("message %d stands at %d:\n%s", i + 1, place.column, messages);
        }
    }
    test_message_says(jre, "I expected a name, I found the end of the quote", "in a quote I expected a value",
                      "I expected a value, I found `each`", NULL);
    parsed(jre, "v02.jre", "Two values: `= a b`.\n");
    test_message_says(jre, "I expected an operator or the end of the quote, I found `b`", NULL);
    parsed(jre, "v02.jre", "`= cv.map =`\n\n```jre wrong unknown_unit\na = 1cubit\n```\n");
    assert_int_equal(jre->diagnostics.count, 1);
    diag_forget(jre);
    jre_free(jre);
}

/* 100,000 openings that nothing closes, of every length, and as many quotes. */
static void many_quotes_are_read_in_one_pass(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Text text = { .jre = jre };
    for (int i = 0; i < 100000; i++)
        text_add(&text, "%.*s x ", 1 + i % 40, "````````````````````````````````````````");
    text_add(&text, "\n\n");
    for (int i = 0; i < 20000; i++)
        text_add(&text, "`= cv.map` ");
    Document *document = parsed(jre, "long.jre", text.at);
    assert_int_equal(document->quotes.count, 20000);
    expect_no_message(jre, "many quotes");
    text_free(&text);
    jre_free(jre);
}

/* ---- programs drawn from the grammar ------------------------------------------------------------------------------------- */

typedef struct { Text text; uint32_t seed; } Writer;
enum { BEFORE = 1, AFTER = 2 };       /* where a line may be broken beside a token */

static uint32_t draw(Writer *w, uint32_t below) {
    w->seed = w->seed * 1664525u + 1013904223u;
    return (w->seed >> 12) % below;
}

static bool rarely(Writer *w) {
    return draw(w, 10) == 0;
}

static void break_line(Writer *w) {
    static const char *const breaks[] = { "\n", "\n\n", " # a, (b\n", "\n  # c\n\n\n# d }\n", "\t\n\t", "   \n      " };
    text_add(&w->text, "%s", breaks[draw(w, 6)]);
}

static bool is_word_byte(char c) {
    return strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_%", c) && c;
}

static void put(Writer *w, const char *token, int breaks) {
    char last = w->text.length ? w->text.at[w->text.length - 1] : '\n';
    if ((breaks & BEFORE) && rarely(w))
        break_line(w);
    else if (is_word_byte(last) && is_word_byte(*token))
        text_add(&w->text, "%*s", 1 + (int)draw(w, 3), "");
    else
        text_add(&w->text, "%*s", (int)draw(w, 3), "");
    text_add(&w->text, "%s", token);
    if ((breaks & AFTER) && rarely(w))
        break_line(w);
    else if ((breaks & AFTER) && is_word_byte(*token))
        text_add(&w->text, " ");
}

static const char *a_name(Writer *w) {
    static const char *const names[] = { "x", "cv", "W", "margin", "k", "n", "average_pool", "b2", "_" };
    return names[draw(w, 9)];
}

static const char *a_word(Writer *w) {
    static const char *const words[] = { "epochs", "loss", "split", "learning_rate", "on", "map", "network", "view" };
    return words[draw(w, 8)];
}

static void put_expr(Writer *w, int depth);

static void put_arguments(Writer *w, const char *open, const char *close, int depth) {
    put(w, open, AFTER);
    for (uint32_t i = 0, count = draw(w, 4); i < count; i++) {
        if (i)
            put(w, ",", BEFORE | AFTER);
        if (rarely(w)) {
            put(w, rarely(w) ? "as" : a_word(w), 0);
            put(w, "=", AFTER);
        }
        put_expr(w, depth);
    }
    put(w, close, BEFORE);
}

static void put_primary(Writer *w, int depth) {
    static const char *const simple[] = { "3", "0.5rad", "60%", "1e-4", "\"a # b\"", "true", "224px" };
    uint32_t pick = draw(w, depth > 0 ? 14 : 11);
    if (pick < 5)
        put(w, a_name(w), 0);
    else if (pick < 11)
        put(w, simple[draw(w, 7)], 0);
    else if (pick == 11)
        put_arguments(w, "[", "]", depth - 1);
    else {
        put(w, "(", AFTER);
        put_expr(w, depth - 1);
        put(w, ")", BEFORE);
    }
}

static void put_called(Writer *w, int depth) {
    put(w, a_name(w), 0);
    for (uint32_t i = draw(w, 3); i > 0; i--) {
        put(w, ".", 0);
        put(w, a_word(w), 0);
    }
    if (depth > 0 && draw(w, 2))
        put_arguments(w, "(", ")", depth - 1);
}

/* Levels 0 to 7: or, and, comparisons, ranges, sums, products, powers, what is called. */
static void put_level(Writer *w, int level, int depth) {
    static const char *const operators[][4] = { { "or" }, { "and" }, { "==", "<", "divides", ">=" }, { "to" }, { "+", "-" }, { "*", "/", "@" }, { "^" } };
    static const uint32_t counts[] = { 1, 1, 4, 1, 2, 3, 1 };
    if (level == 7) {
        put_primary(w, depth);
        for (uint32_t pick = draw(w, 6); depth > 0 && pick < 4; pick = draw(w, 12), depth--) {
            if (pick < 2)
                put_arguments(w, pick ? "(" : "[", pick ? ")" : "]", depth - 1);
            else
                put(w, pick == 2 ? "'" : ".", 0);
            if (pick == 3)
                put(w, a_word(w), 0);
        }
        return;
    }
    if (level == 2 && rarely(w))
        put(w, "not", 0);
    if (level == 6 && rarely(w))
        put(w, "-", AFTER);
    put_level(w, level + 1, depth);
    if (depth <= 0 || draw(w, 5))
        return;
    put(w, operators[level][draw(w, counts[level])], AFTER);
    put_level(w, level == 6 ? 6 : level + 1, depth - 1);
}

static void put_expr(Writer *w, int depth) {
    uint32_t pick = draw(w, 8);
    if (pick == 0 && depth > 0) {
        put(w, "if", 0);
        put_level(w, 0, depth - 1);
        put(w, "then", BEFORE | AFTER);
        put_expr(w, depth - 1);
        put(w, "else", BEFORE | AFTER);
        put_expr(w, depth - 1);
        return;
    }
    if (pick == 1 && depth > 0) {
        put(w, a_name(w), 0);
        put(w, "over", AFTER);
        put(w, "i", 0);
        put(w, ",", AFTER);
        put(w, "j", 0);
        put(w, "of", AFTER);
    }
    put_level(w, 0, depth);
    for (uint32_t i = draw(w, 6); depth > 0 && i < 3; i++) {
        put(w, "|>", BEFORE | AFTER);
        put_called(w, depth - 1);
        if (draw(w, 3) == 0) {
            put(w, "as", 0);
            put(w, draw(w, 2) ? "conv1" : "\"0.x\"", 0);
        }
    }
    if (pick == 1 && depth > 0 && draw(w, 2)) {
        put(w, "where", AFTER);
        put_level(w, 0, depth - 1);
    }
}

static void put_type(Writer *w) {
    static const char *const types[] = { "Real", "Tensor[N, 3, H/2]", "Tensor[f16;S...]", "Image[224px,_]", "Embedding[N, 2*d]" };
    put(w, types[draw(w, 5)], 0);
}

static void end_line(Writer *w) {
    text_add(&w->text, "%s", draw(w, 3) ? "\n" : "");
    break_line(w);
}

static void put_settings(Writer *w) {
    put(w, "{", AFTER);
    for (uint32_t i = 0, count = draw(w, 5); i < count; i++) {
        if (i)
            end_line(w);
        put(w, a_word(w), 0);
        text_add(&w->text, " ");
        put_expr(w, 2);
    }
    put(w, "}", BEFORE);
}

static void put_line(Writer *w, bool last) {
    uint32_t pick = last ? 9 : draw(w, 5);
    if (pick == 0)
        put(w, "learn", 0);
    if (pick < 5)
        put(w, a_name(w), 0);
    if (pick == 0) {
        put(w, ":", AFTER);
        put_type(w);
    }
    if (pick == 1)
        put(w, "[i, j]", 0);
    if (pick < 5)
        put(w, pick == 0 || pick == 2 ? "~" : "=", AFTER);
    put_expr(w, 3);
}

static void put_formula(Writer *w) {
    static const char *const kinds[] = { "function", "augment", "network", "loss" };
    put(w, kinds[draw(w, 4)], 0);
    put(w, "F", 0);
    put(w, "(", AFTER);
    for (uint32_t i = 0, count = draw(w, 4); i < count; i++) {
        if (i)
            put(w, ",", BEFORE | AFTER);
        put(w, a_word(w), 0);
        put(w, ":", AFTER);
        put_type(w);
        if (draw(w, 3) == 0) {
            put(w, "=", AFTER);
            put_expr(w, 1);
        }
    }
    put(w, ")", BEFORE);
    put(w, "->", BEFORE | AFTER);
    put_type(w);
    if (draw(w, 2)) {
        put(w, "where", BEFORE | AFTER);
        put_level(w, 0, 1);
        put(w, ",", BEFORE | AFTER);
        put_level(w, 0, 1);
    }
    put(w, "{", BEFORE | AFTER);
    for (uint32_t i = draw(w, 4); i > 0; i--) {
        put_line(w, false);
        end_line(w);
    }
    put_line(w, true);
    put(w, "}", BEFORE);
}

static void put_value(Writer *w) {
    put(w, "=", AFTER);
    if (!rarely(w)) {
        put_expr(w, 4);
        return;
    }
    put(w, "each", 0);
    put_arguments(w, "[", "]", 2);
}

static void put_statement(Writer *w) {
    uint32_t pick = draw(w, 12);
    static const char *const begins[] = { "extends \"v01.jre\"", "use", "", "change", "change", "remove", "probe", "expect", "accept", "train", "", "" };
    if (pick == 10) {
        put_formula(w);
        return;
    }
    if (*begins[pick])
        put(w, begins[pick], 0);
    if (pick >= 1 && pick <= 5)
        put(w, a_name(w), 0);
    if (pick == 2 || pick == 3)
        put_value(w);
    if (pick == 6 || pick == 7 || pick == 11)
        put_expr(w, 4);
    if (pick == 8 || pick == 9)
        put(w, pick == 8 ? "a for b" : draw(w, 2) ? "a like b.c" : "a", 0);
    if (pick == 4 || pick == 9)
        put_settings(w);
    if (pick == 8 || (pick == 7 && draw(w, 2))) {
        put(w, "because", BEFORE | AFTER);
        put(w, "\"why\"", 0);
    }
}

static void expect_same_statements(const char *text, const Document *a, const Document *b) {
    bool same = a->chunks.count == b->chunks.count;
    for (int i = 0; same && i < a->chunks.count; i++) {
        same = a->chunks.at[i]->statements.count == b->chunks.at[i]->statements.count;
        for (int k = 0; same && k < a->chunks.at[i]->statements.count; k++)
            same = statement_equal(a->chunks.at[i]->statements.at[k], b->chunks.at[i]->statements.at[k]);
    }
    if (!same)
        fail_msg("not the same program when printed or formatted:\n%s", text);
}

static void print_document(Text *out, const Document *document) {
    text_add(out, "```jre\n");
    for (int i = 0; i < document->chunks.at[0]->statements.count; i++) {
        print_statement(out, document->chunks.at[0]->statements.at[i]);
        text_add(out, "\n");
    }
    text_add(out, "```\n");
}

static void expect_printed_and_formatted(Jre *jre, const char *program) {
    Text printed = { .jre = jre }, again = { .jre = jre }, once = { .jre = jre }, twice = { .jre = jre };
    const Document *document = parsed(jre, "random.jre", program);
    expect_no_message(jre, "a program drawn at random");
    print_document(&printed, document);
    const Document *copy = parsed(jre, "printed.jre", printed.at);
    expect_no_message(jre, "a program that was printed");
    expect_same_statements(program, document, copy);
    print_document(&again, copy);
    assert_string_equal(printed.at, again.at);
    if (!format_document(jre, document, &once))
        fail_msg("cannot be formatted:\n%s\ngives\n%s", program, once.at);
    assert_true(format_document(jre, parsed(jre, "once.jre", once.at), &twice));
    if (strcmp(once.at, twice.at) != 0)
        fail_msg("%s\ngives\n%s\nand that\n%s", program, once.at, twice.at);
    text_free(&printed);
    text_free(&again);
    text_free(&once);
    text_free(&twice);
}

static void programs_drawn_from_the_grammar_are_printed_and_formatted(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        Jre *jre = jre_new();
        Writer w = { .text = { .jre = jre }, .seed = round };
        text_add(&w.text, "```jre\n");
        for (uint32_t i = 1 + draw(&w, 6); i > 0; i--) {
            put_statement(&w);
            end_line(&w);
        }
        text_add(&w.text, "\n```\n");
        expect_printed_and_formatted(jre, w.text.at);
        text_free(&w.text);
        jre_free(jre);
    }
}

/* ---- one word less ---------------------------------------------------------------------------------------------------------- */

static bool is_name_byte(char c) {
    return (is_word_byte(c) && c != '%') || c == '.';
}

typedef void Look(const char *name, const char *text, size_t length, const char *taken_out);

/* Takes out one word or sign of the program after another, of long texts every so many-th. */
static void take_out_each_token(const char *name, const char *text, size_t length, int stride, Look *look) {
    bool inside = false;
    int number = 0;
    for (size_t at = 0, end; at < length; at = end) {
        bool fence = (at == 0 || text[at - 1] == '\n') && strncmp(text + at, "```", 3) == 0;
        end = at + 1;
        if (fence)
            inside = !inside, end = at + strcspn(text + at, "\n");
        else if (text[at] == '"' || text[at] == '#')
            end = at + 1 + strcspn(text + at + 1, text[at] == '#' ? "\n" : "\"\n") + (text[at] == '"');
        else
            while (is_name_byte(text[at]) && is_name_byte(text[end]))
                end++;
        if (!inside || strchr(" \n#", text[at]) || number++ % stride)
            continue;
        char *changed = malloc(length), taken_out[64];
        snprintf(taken_out, sizeof taken_out, "%.*s", (int)(end - at), text + at);
        memcpy(changed, text, at);
        memcpy(changed + at, text + end, length - end);
        look(name, changed, length - (end - at), taken_out);
        free(changed);
    }
}

static void expect_two_messages_at_most(Jre *jre, const char *name, const char *taken_out) {
    if (jre->diagnostics.count > 2) {
        char *messages = test_messages(jre);
        fail_msg("%s without `%s`:\n%s", name, taken_out, messages);
    }
}

static void parse_without(const char *name, const char *text, size_t length, const char *taken_out) {
    Jre *jre = jre_new();
    parse_document(jre, source_from_text(jre, name, text, length));
    expect_two_messages_at_most(jre, name, taken_out);
    jre_free(jre);
}

static void resolve_without(const char *name, const char *text, size_t length, const char *taken_out) {
    char folder[64], path[128];
    snprintf(path, sizeof path, "%s/v01.jre", test_folder(folder));
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    Jre *jre = jre_new();
    Compilation c = { .jre = jre, .arena = { .jre = jre } };
    CompileRequest request = { .path = path };
    resolve_program(&c, &request);
    expect_two_messages_at_most(jre, name, taken_out);
    compilation_free(&c);
    jre_free(jre);
    test_folder_gone(folder);
}

static void take_out_all(const char *name, const char *text, size_t length) {
    take_out_each_token(name, text, length, 1, parse_without);
}

static void take_out_some(const char *name, const char *text, size_t length) {
    take_out_each_token(name, text, length, 9, parse_without);
}

static void take_out_and_resolve(const char *name, const char *text, size_t length) {
    take_out_each_token(name, text, length, 3, resolve_without);
}

static void a_word_taken_out_gives_two_messages_at_most(void **state) {
    (void)state;
    take_out_all("the small document", small_document, strlen(small_document));
    each_document_of("pipelines", take_out_all);
    each_document_of("stdlib", take_out_some);
    each_printed_document(take_out_some);
}

static void a_word_taken_out_gives_two_messages_when_resolved(void **state) {
    (void)state;
    each_document_of("pipelines", take_out_and_resolve);
}

/* ---- in numbers ----------------------------------------------------------------------------------------------------------------- */

/* What the arenas hold after a text was parsed, formatted and resolved: memory is a count of steps that no clock disturbs. */
static size_t memory_for(const char *first, const char *part, int times, const char *last, int expected_findings) {
    char folder[64], path[128], *text = repeated(first, part, times, last);
    snprintf(path, sizeof path, "%s/v01.jre", test_folder(folder));
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    Jre *jre = jre_new();
    Document *document = parsed(jre, "v01.jre", text);
    Text out = { .jre = jre };
    assert_int_equal(jre->diagnostics.count, expected_findings);
    if (!expected_findings)
        assert_true(format_document(jre, document, &out));
    text_free(&out);
    Compilation c = { .jre = jre, .arena = { .jre = jre } };
    CompileRequest request = { .path = path };
    resolve_program(&c, &request);
    size_t used = jre->forever.used_in_total + c.arena.used_in_total;
    compilation_free(&c);
    jre_free(jre);
    test_folder_gone(folder);
    free(text);
    return used;
}

static void work_grows_as_the_text_does(void **state) {
    (void)state;
    static const struct { const char *first, *part, *last; int times, findings; } texts[] = {
        { "```jre\n", "expect 1 + 2 > 1 because \"so\"\n", "```\n", 10000, 0 },
        { "```jre\nx = [", "f(a,   1), ", "0]\n```\n", 20000, 0 },
        { "```jre\nx = \"", "abcdefghij", "\"\n```\n", 500000, 0 },
        { "```jre\nx = 1", " # c\n  |> f", "\n```\n", 190, 0 },
        { "```jre\nx = [1,\n", "  # c }\n", "2]\n```\n", 100000, 0 },
        { "```jre\ntrain a {\n", "  epochs   3 # {\n\n\n", "}\n```\n", 20000, 0 },
        { "", "Text `= cv.map` `` ` ``.\n\n```jre\nexpect 1 > 0  # c\n```\n", "", 5000, 0 },
        { "", "```jre wrong unknown_unit\na = 1cubit\n```\n", "", 5000, 0 },
        { "", "````\n```jre\n(\n```\n````\n", "", 20000, 0 },
        { "", "```jre\na = 1\n", "", 10000, 100 },
        { "```jre\n", "loss F() -> S {\n  a = 1\nb = 2\n", "```\n", 3000, 100 },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t half = memory_for(texts[i].first, texts[i].part, texts[i].times / 2, texts[i].last, texts[i].findings);
        size_t whole = memory_for(texts[i].first, texts[i].part, texts[i].times, texts[i].last, texts[i].findings);
        if (whole > half * 5 / 2)
            fail_msg("text %d: %zu bytes for half of it, %zu for the whole", (int)i + 1, half, whole);
    }
}

static void indentation_means_nothing_where_brackets_are_closed(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "v01.jre", "```jre\nloss F() -> S {\n    a = \"{\" # {\nb = 2\n  c = \"\"\nd = 3\nd }\nx = 1\n```\n");
    expect_no_message(jre, "a formula whose lines stand as far out as it does");
    assert_int_equal(document->chunks.at[0]->statements.count, 2);
    assert_int_equal(document->chunks.at[0]->statements.at[0]->lines.count, 5);
    parsed(jre, "v02.jre", "```jre\nloss F() -> S {\n  a\nb = 2\nloss G() -> S {\n  a\n}\n```\n");
    assert_int_equal(jre->diagnostics.count, 1);
    test_message_says(jre, "I expected `}` before this", NULL);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose_quotes_values),
        cmocka_unit_test(quotes_know_their_places),
        cmocka_unit_test(a_mistake_in_a_quote_is_told_at_its_place),
        cmocka_unit_test(many_quotes_are_read_in_one_pass),
        cmocka_unit_test(programs_drawn_from_the_grammar_are_printed_and_formatted),
        cmocka_unit_test(a_word_taken_out_gives_two_messages_at_most),
        cmocka_unit_test(a_word_taken_out_gives_two_messages_when_resolved),
        cmocka_unit_test(work_grows_as_the_text_does),
        cmocka_unit_test(indentation_means_nothing_where_brackets_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
