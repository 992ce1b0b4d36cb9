/* grammar.c: tests of the text around the program: fences, and what prose quotes. */
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose_quotes_values),
        cmocka_unit_test(quotes_know_their_places),
        cmocka_unit_test(a_mistake_in_a_quote_is_told_at_its_place),
        cmocka_unit_test(many_quotes_are_read_in_one_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
