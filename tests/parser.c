/* parser.c: tests of the scanner, the grammar, their messages and the printer. */
#include "parsing.h"

/* ---- helpers ---------------------------------------------------------------------------------------------------------- */

/* The text, in a chunk of a document called v01.jre, gives exactly these messages. */
static void expect_messages(const char *program, const char *expected) {
    Jre *jre = jre_new();
    Text text = { .jre = jre };
    text_add(&text, "```jre\n%s```\n", program);
    parsed(jre, "v01.jre", text.at);
    char *messages = test_messages(jre);
    assert_string_equal(messages, expected);
    free(messages);
    text_free(&text);
    jre_free(jre);
}

/* The codes of all messages, by place, in one text: "unknown_unit:3 unfinished_line:4". */
static void expect_findings(const char *program, const char *expected) {
    Jre *jre = jre_new();
    Text text = { .jre = jre }, found = { .jre = jre };
    text_add(&text, "```jre\n%s```\n", program);
    parsed(jre, "v01.jre", text.at);
    text_add(&found, "%s", "");
    for (int i = 0; i < jre->diagnostics.count; i++) {
        const Diagnostic *d = jre->diagnostics.at[i];
        text_add(&found, "%s%s:%d", i ? " " : "", diag_rows[d->code].name, place_of(jre, d->span.start).line);
    }
    if (strcmp(found.at, expected) != 0) {
        char *messages = test_messages(jre);
        fail_msg("expected %s, found %s\n%s", expected, found.at, messages);
    }
    text_free(&found);
    text_free(&text);
    jre_free(jre);
}

static void expect_round_trip(Jre *jre, const Statement *s) {
    Text once = { .jre = jre }, twice = { .jre = jre };
    print_statement(&once, s);
    Chunk *chunk = chunk_of(jre, once.at);
    expect_no_message(jre, once.at);
    assert_int_equal(chunk->statements.count, 1);
    print_statement(&twice, chunk->statements.at[0]);
    assert_string_equal(once.at, twice.at);
    assert_true(statement_equal(s, chunk->statements.at[0]));
    text_free(&once);
    text_free(&twice);
}

/* ---- the parser: what is understood -------------------------------------------------------------------------------------------- */

static void all_kinds_of_statements_are_understood(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "v03.jre", small_document);
    expect_no_message(jre, "the small document");
    assert_int_equal(document->chunks.count, 2);
    assert_int_equal(document->prose.count, 2);
    Chunk *first = document->chunks.at[0], *second = document->chunks.at[1];
    assert_int_equal(second->kind, CHUNK_FOLDED);
    assert_memory_equal(span_text(jre, first->span), "```jre\nuse heads", 16);
    static const StatementKind kinds[] = { STATEMENT_USE, STATEMENT_EQUATION, STATEMENT_EQUATION, STATEMENT_RECORD, STATEMENT_RECORD };
    assert_int_equal(first->statements.count, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(first->statements.at[i]->kind, kinds[i]);
    assert_true(first->statements.at[2]->each);
    assert_int_equal(first->statements.at[2]->value->arguments.count, 2);
    assert_int_equal(first->statements.at[3]->settings.count, 5);
    assert_string_equal(first->statements.at[3]->settings.at[1].key, "loss");
    assert_string_equal(first->statements.at[4]->like->name, "student");
    const Statement *loss = second->statements.at[0];
    assert_int_equal(loss->formula, FORMULA_loss);
    assert_int_equal(loss->params.count, 4);
    assert_int_equal(loss->where.count, 1);
    assert_int_equal(loss->lines.count, 4);
    assert_int_equal(loss->lines.at[0].kind, LINE_LEARN);
    assert_int_equal(loss->lines.at[2].letters.count, 2);
    assert_int_equal(loss->lines.at[3].kind, LINE_RESULT);
    static const StatementKind rest[] = { STATEMENT_CHANGE_SETTINGS, STATEMENT_CHANGE_VALUE, STATEMENT_REMOVE, STATEMENT_PROBE,
                                          STATEMENT_EXPECT, STATEMENT_ACCEPT };
    for (int i = 0; i < 6; i++)
        assert_int_equal(second->statements.at[i + 1]->kind, rest[i]);
    assert_string_equal(second->statements.at[5]->text, "the paper reports 58%");
    assert_string_equal(second->statements.at[6]->subject, "gentle");
    assert_string_equal(span_text(jre, second->statements.at[6]->name_span), "mirrored_flank");
    jre_free(jre);
}

static const Expr *expression(Jre *jre, const char *text) {
    Chunk *chunk = chunk_of(jre, text);
    expect_no_message(jre, text);
    assert_int_equal(chunk->statements.count, 1);
    assert_int_equal(chunk->statements.at[0]->kind, STATEMENT_EXPR);
    return chunk->statements.at[0]->value;
}

static void pipes_labels_and_reductions_have_the_shape_that_is_promised(void **state) {
    (void)state;
    Jre *jre = jre_new();
    const Expr *e = expression(jre, "a + b |> conv(64, stride = 2) as conv1 |> f.g as \"0.x\"");
    assert_int_equal(e->kind, EXPR_PIPE);
    assert_string_equal(e->label, "0.x");
    assert_int_equal(e->right->kind, EXPR_FIELD);
    assert_string_equal(span_text(jre, e->focus), "g");
    assert_int_equal(e->left->kind, EXPR_PIPE);
    assert_string_equal(e->left->label, "conv1");
    assert_string_equal(e->left->right->arguments.at[1].name, "stride");
    assert_string_equal(span_text(jre, e->left->left->span), "a + b");
    e = expression(jre, "max over i, j of D[i, j] |> f where i != j and a");
    assert_int_equal(e->kind, EXPR_REDUCE);
    assert_int_equal(e->letters.count, 2);
    assert_int_equal(e->left->kind, EXPR_PIPE);
    assert_int_equal(e->condition->op, BINARY_and);
    e = expression(jre, "-a ^ -b' * 60%");
    assert_int_equal(e->op, BINARY_mul);
    assert_int_equal(e->left->kind, EXPR_NEGATE);
    assert_int_equal(e->left->left->op, BINARY_pow);
    assert_int_equal(e->right->unit, UNIT_percent);
    assert_true(e->right->number == 60);
    assert_string_equal(span_text(jre, e->focus), "*");
    e = expression(jre, "[train = 90%, validate = 10%]");
    assert_string_equal(e->arguments.at[0].name, "train");
    e = expression(jre, "if not a == b then x.loss else f(as = same).train[(i)]");
    assert_int_equal(e->kind, EXPR_IF);
    assert_int_equal(e->condition->kind, EXPR_NOT);
    jre_free(jre);
}

static void lines_go_on_where_the_manual_says_so(void **state) {
    (void)state;
    Jre *jre = jre_new();
    static const char *const same[][2] = {
        { "f(a, b)", "f(\n  a, # one\n\n  b\n)" },
        { "a + b", "a +   # more\n  b" },
        { "x |> f |> g", "x\n  # a comment\n  |> f\n\n  |> g" },
        { "if a then b else c", "if a\n  then b\n  else c" },
        { "sum over k of x where a", "sum over\n k of\n x where\n a" },
        { "32 divides H and b or c", "32 divides\nH and # so\nb or\nc" },
        { "0.8 to 1.0", "0.8 to\n 1.0" },
        { "[1, 2]", "[\n1,\r\n2\r\n]" },
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!expr_equal(expression(jre, same[i][0]), expression(jre, same[i][1])))
            fail_msg("not the same: %s", same[i][1]);
    assert_int_equal(chunk_of(jre, "a\nb\n\n\n# end\nc")->statements.count, 3);
    assert_int_equal(chunk_of(jre, "expect a\n  because \"b\"")->statements.count, 1);
    expect_no_message(jre, "three statements");
    jre_free(jre);
}

static void only_jre_fences_are_program(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "a.jre",
        "\xEF\xBB\xBF```jre\r\na = 1\r\n```\r\n\tProse \xE2\x82\xAC\n````markdown\n```jre\n) not program (\n```\n````\n"
        "```jrex\n(\n```\n~~~\n```jre\n(\n```\n~~~\n```jre test\nexpect a == 1\n```\n```jre wrong unknown_unit\nb = 1cubit\n```\n```\n");
    expect_no_message(jre, "a document with other fences");
    assert_int_equal(document->chunks.count, 3);
    assert_int_equal(document->chunks.at[1]->kind, CHUNK_TEST);
    assert_int_equal(document->chunks.at[2]->kind, CHUNK_WRONG);
    assert_string_equal(document->chunks.at[2]->wrong, "unknown_unit");
    assert_int_equal(document->chunks.at[2]->findings.count, 1);
    assert_int_equal(document->chunks.at[2]->findings.at[0]->code, DIAG_unknown_unit);
    jre_free(jre);
}

static void expect_clean(const char *name, const char *text, size_t length) {
    Jre *jre = jre_new();
    Document *document = parse_document(jre, source_from_text(jre, name, text, length));
    expect_no_message(jre, name);
    assert_true(document->chunks.count > 0);
    for (int i = 0; i < document->chunks.count; i++)
        for (int j = 0; j < document->chunks.at[i]->statements.count; j++)
            expect_round_trip(jre, document->chunks.at[i]->statements.at[j]);
    jre_free(jre);
}

static void the_documents_of_the_manual_parse_and_print_back(void **state) {
    (void)state;
    expect_clean("the small document", small_document, strlen(small_document));
    if (each_printed_document(expect_clean) == 0)
        skip();
}

/* A tree as only a program builds it, without parentheses. */
static Expr *random_tree(Jre *jre, uint32_t *seed, int depth) {
    *seed = *seed * 1664525u + 1013904223u;
    uint32_t pick = *seed >> 16;
    Expr *e = arena_new(&jre->forever, Expr);
    static const ExprKind kinds[] = { EXPR_BINARY, EXPR_BINARY, EXPR_BINARY, EXPR_IF, EXPR_REDUCE, EXPR_PIPE, EXPR_NOT, EXPR_NEGATE,
                                      EXPR_TRANSPOSE, EXPR_CALL, EXPR_INDEX, EXPR_FIELD, EXPR_LIST };
    e->kind = depth ? kinds[pick % 13] : EXPR_NAME;
    e->name = e->kind == EXPR_NAME || e->kind == EXPR_FIELD || e->kind == EXPR_REDUCE ? intern(jre, "xyz") : NULL;
    if (e->kind == EXPR_BINARY)
        e->op = pick / 13 % (BINARY_pow + 1);
    if (e->kind == EXPR_REDUCE)
        list_add(&jre->forever, &e->letters, intern(jre, "k"));
    if (e->kind == EXPR_CALL || e->kind == EXPR_INDEX || e->kind == EXPR_LIST)
        list_add(&jre->forever, &e->arguments, ((Argument){ NULL, NOWHERE, random_tree(jre, seed, depth - 1) }));
    if (e->kind == EXPR_CALL || e->kind == EXPR_INDEX || e->kind == EXPR_FIELD || e->kind == EXPR_TRANSPOSE)
        e->target = random_tree(jre, seed, depth - 1);
    if (e->kind == EXPR_BINARY || e->kind == EXPR_IF || e->kind == EXPR_PIPE || e->kind == EXPR_REDUCE || e->kind == EXPR_NOT
        || e->kind == EXPR_NEGATE)
        e->left = random_tree(jre, seed, depth - 1);
    if (e->kind == EXPR_BINARY || e->kind == EXPR_IF)
        e->right = random_tree(jre, seed, depth - 1);
    if (e->kind == EXPR_PIPE)
        e->right = random_tree(jre, seed, 0);
    if (e->kind == EXPR_IF || (e->kind == EXPR_REDUCE && pick & 64))
        e->condition = random_tree(jre, seed, depth - 1);
    return e;
}

static void trees_built_by_a_program_print_with_the_parentheses_they_need(void **state) {
    (void)state;
    Jre *jre = jre_new();
    uint32_t seed = 1;
    for (int i = 0; i < 1500; i++) {
        Expr *e = random_tree(jre, &seed, 1 + i % 5);
        const char *text = expr_text(jre, e);
        if (!expr_equal(e, expression(jre, text)))
            fail_msg("not the same when read back: %s", text);
    }
    static const double numbers[] = { 0, 1, 30, 0.1, 3e-4, 1e-12, 1e6, 123456789, 1.7976931348623157e308, 5e-324, 1.0 / 3 };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        Expr e = { .kind = EXPR_NUMBER, .number = numbers[i], .unit = UNIT_px };
        assert_true(expr_equal(&e, expression(jre, expr_text(jre, &e))));
    }
    jre_free(jre);
}

/* ---- the parser: what is not understood ---------------------------------------------------------------------------------------- */

static void a_misspelled_kind_is_answered_with_the_right_one(void **state) {
    (void)state;
    expect_messages("datset jaguars {\n  table \"train.csv\"\n  keep [sex]\n}\na = 1\n",
        "error: unknown_kind\n"
        "  v01.jre:2:1\n"
        "   |\n"
        " 2 | datset jaguars {\n"
        "   | ^^^^^^ there is no kind of this name\n"
        "   |\n"
        "   = the kinds are: dataset split train boost embed evaluate ensemble figure\n"
        "       submit, and with equations: function augment network loss\n"
        "help: did you mean `dataset`?  (safe)\n"
        "   | dataset jaguars {\n");
}

static void a_setting_without_a_value_is_answered_with_an_example(void **state) {
    (void)state;
    expect_messages("train learner {\n  network   Eye\n  epochs\n  seed      7\n}\n",
        "error: unfinished_line\n"
        "  v01.jre:4:3\n"
        "   |\n"
        " 4 |   epochs\n"
        "   |   ^^^^^^ a setting is a key and a value; the value is missing\n"
        "   |\n"
        "   = `epochs` is how often the training pictures are gone through: a whole\n"
        "       number\n"
        "help: for instance\n"
        "   |   epochs    30\n");
}

static void an_unknown_unit_is_answered_with_the_known_ones(void **state) {
    (void)state;
    expect_messages("margin = 0.5furlong\nangle = 30degrees + 3px\n",
        "error: unknown_unit\n"
        "  v01.jre:2:13\n"
        "   |\n"
        " 2 | margin = 0.5furlong\n"
        "   |             ^^^^^^^ there is no unit of this name\n"
        "   |\n"
        "   = the units are: px deg rad % ms s min h KiB MiB GiB\n"
        "help: write the number in one of these units, or without any\n"
        "\n"
        "error: unknown_unit\n"
        "  v01.jre:3:11\n"
        "   |\n"
        " 3 | angle = 30degrees + 3px\n"
        "   |           ^^^^^^^ there is no unit of this name\n"
        "   |\n"
        "   = the units are: px deg rad % ms s min h KiB MiB GiB\n"
        "help: did you mean `deg`?\n"
        "   | angle = 30deg + 3px\n");
}

static void a_chunk_that_is_never_closed_has_one_message(void **state) {
    (void)state;
    Jre *jre = jre_new();
    parsed(jre, "v01.jre", "# Title\n\n```jre\na = 1\n\nProse, (that) isn't program.\n");
    char *messages = test_messages(jre);
    assert_string_equal(messages,
        "error: unclosed_chunk\n"
        "  v01.jre:3:1\n"
        "   |\n"
        " 3 | ```jre\n"
        "   | ^^^^^^ this chunk is never closed\n"
        "   |\n"
        "help: close it with a line of three backticks where the program ends\n"
        "   + ```\n");
    free(messages);
    Document *document = parsed(jre, "v02.jre", "```jre\na = 1\n\nProse.\n\n```jre\nb = 2\n```\n");
    assert_int_equal(document->chunks.count, 2);
    assert_int_equal(jre->diagnostics.count, 1);
    test_message_says(jre, "unclosed_chunk", "and here the next one begins", NULL);
    jre_free(jre);
}

static void a_mistake_has_one_message_and_the_next_has_its_own(void **state) {
    (void)state;
    expect_findings("x =\nsplit folds {\n  data jaguars\n  folds = 5\n  seed\n}\ny =\nz = 3\nw = 0.5 rad\nprob cv\nv = 3 $ 4\n",
                    "unfinished_line:2 unexpected_word:5 unfinished_line:6 unfinished_line:8 unknown_unit:10 unexpected_word:11 unknown_character:12");
    expect_findings("u = [1, 2\nt = f(1, 2))\nfor = 3\nexpect cv.map = 3 because \"x\"\ns = \"abc\nok = 1\n",
                    "unexpected_word:2 unexpected_word:3 unexpected_word:4 unexpected_word:5 unfinished_line:6");
    expect_findings("dataset jaguars\n  table \"a.csv\"\n  keep [sex]\n}\nlikeness = cosine(features)\n", "unexpected_word:2");
    expect_findings("evaluate cv {\n  metrics [map]\n\nexpect cv.map > 1\nsplit a {\n folds 5\n}\n", "unexpected_word:5");
    expect_findings("loss L(e: Tensor -> Scalar\n  where a > 0 {\n  x = 3 # {\n  x\n}\nb = 3\n", "unexpected_word:2");
    expect_findings("train a {\n  loss\n    ArcFace(margin = 3)\n  epochs 3\n}\n", "unfinished_line:3");
    expect_findings("train a { network Eye { b } }\ntrain b { epochs }\n", "unexpected_word:2 unfinished_line:3");
    expect_findings("jaguars {\n  folds [3]\n}\nq = 3 |> (1 + 2)\n", "unknown_kind:2 unexpected_word:5");
    expect_findings("loss L(e: T) -> S {\n  e\n  t = 3\n}\nloss M(e: T) -> S {\n  2 = 3\n  f(x)[i] = 3\n  e\n}\n",
                    "unexpected_word:3 unexpected_word:7 unexpected_word:8");
    expect_findings("a = “b”\nc = 3 ≥ 2\n", "unknown_character:2 unknown_character:3");
    expect_findings("x = 1e999\n", "unexpected_word:2");
    expect_findings(") a\n= 3\n|> f\n  g\nb = 2 + loss\n", "unexpected_word:2 unexpected_word:3 unexpected_word:6");
}

static void what_is_broken_is_marked_and_the_rest_is_kept(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "a.jre", "```jre\ntrain a {\n  network Eye\n  epochs\n  seed 7\n}\nb = )\nc = 3\n```\n");
    assert_int_equal(jre->diagnostics.count, 2);
    Chunk *chunk = document->chunks.at[0];
    assert_int_equal(chunk->statements.count, 2);
    assert_true(chunk->statements.at[0]->broken);
    assert_int_equal(chunk->statements.at[0]->settings.count, 2);
    assert_false(chunk->statements.at[1]->broken);
    diag_forget(jre);
    assert_true(chunk_of(jre, "train a {\n  epochs 3")->goes_on);
    assert_true(chunk_of(jre, "x =")->goes_on);
    assert_true(chunk_of(jre, "f(a,")->goes_on);
    assert_true(chunk_of(jre, "1 +")->goes_on);
    assert_false(chunk_of(jre, "f(a))")->goes_on);
    assert_false(chunk_of(jre, "a\n")->goes_on);
    jre_free(jre);
}

/* ---- hostile texts ---------------------------------------------------------------------------------------------------------------- */

static void deep_nesting_is_refused_without_using_up_the_stack(void **state) {
    (void)state;
    static const char *const parts[][2] = {
        { "(", "x" }, { "-", "x" }, { "not ", "x" }, { "f(", "x" }, { "[", "1" }, { "x[", "i" }, { "1 + ", "1" }, { "x ^ ", "x" },
        { "if a then b else ", "c" }, { "x |> ", "f" }, { "{", "" }, { "f(a, (", "" }, { "- (", "3" },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Jre *jre = jre_new();
        char *text = repeated("```jre\na = ", parts[i][0], 30000, parts[i][1]);
        char *document = repeated(text, "\n```\n```jre\nb = 2\n```\n", 1, "");
        Document *parsed_document = parsed(jre, "deep.jre", document);
        assert_int_equal(jre->diagnostics.count, 1);
        if (parts[i][0][0] != '{')
            assert_int_equal(jre->diagnostics.at[0]->code, DIAG_too_deep);
        assert_int_equal(parsed_document->chunks.count, 2);
        assert_int_equal(parsed_document->chunks.at[1]->statements.count, 1);
        free(document);
        free(text);
        jre_free(jre);
    }
    Jre *jre = jre_new();
    char *text = repeated("", "(", 190, "1");
    char *closed = repeated(text, ")", 190, "");
    chunk_of(jre, closed);
    expect_no_message(jre, "190 parentheses");
    free(text);
    free(closed);
    text = repeated("x", "'", 30000, "");
    chunk_of(jre, text);
    assert_int_equal(jre->diagnostics.count, 1);
    free(text);
    jre_free(jre);
}

static void ten_megabytes_of_prose_are_read_line_by_line(void **state) {
    (void)state;
    Jre *jre = jre_new();
    char *text = repeated("", "A line of prose, with `code` and ``` in it, and \xE2\x82\xAC.\n", 200000, "```jre\na = )\n```\n");
    parsed(jre, "long.jre", text);
    assert_int_equal(jre->diagnostics.count, 1);
    assert_int_equal(place_of(jre, jre->diagnostics.at[0]->span.start).line, 200002);
    free(text);
    diag_forget(jre);
    text = repeated("```jre\n", "# only a comment\n\n", 200000, "a = 1\n```\n");
    assert_int_equal(parsed(jre, "comments.jre", text)->chunks.at[0]->statements.count, 1);
    expect_no_message(jre, "a long chunk of comments");
    free(text);
    text = repeated("```jre\n", "$ ", 200000, "\n```\n");
    parsed(jre, "noise.jre", text);
    assert_true(jre->diagnostics.count < 200);
    free(text);
    text = repeated("```jre\n", "a = )\n", 5000, "\n```\n");
    parsed(jre, "mistakes.jre", text);
    assert_true(jre->diagnostics.count < 300);
    test_message_says(jre, "there may be more", NULL);
    free(text);
    jre_free(jre);
}

static void bytes_of_zero_do_no_harm(void **state) {
    (void)state;
    Jre *jre = jre_new();
    const char text[] = "Pro\0se\n```jre\n# com\0ment\n  |> f\na = \"te\0xt\"\nb = 1\0 + 2\nc\0 = 3\n\0\n```\0\n\0";
    Document *document = parse_document(jre, source_from_text(jre, "zero.jre", text, sizeof text - 1));
    assert_int_equal(document->chunks.count, 1);
    test_message_says(jre, "unknown_character", "there is a byte 0 in this text", "a byte 0 is no character", NULL);
    for (size_t length = 0; length < sizeof text; length++)
        parse_document(jre, source_from_text(jre, "cut.jre", text, length));
    diag_forget(jre);
    jre_free(jre);
}

static void a_parse_without_memory_ends_in_the_handler(void **state) {
    (void)state;
    for (volatile long nth = 1; nth < 200; nth++) {
        Jre *jre = jre_new();
        jre->on_exhaustion = jump_out;
        Source *source = source_from_text(jre, "v01.jre", small_document, strlen(small_document));
        jre->fail_allocation_after = nth;
        if (setjmp(out_of_memory) == 0) {
            parse_document(jre, source);
            nth = 200;
        }
        jre_free(jre);
    }
}

static void noise_in_a_document_never_crashes(void **state) {
    (void)state;
    static const char *const pieces[] = { "{", "}", "(", ")", "[", "]", "\n", "\n\n", "\"", "```\n", "\n```jre\n", "=", "|>", " where ", " x ",
                                          " train ", " loss ", "expect ", "\xE2\x88\x80", "\xFF", "3px", ",", ":", " each ", "->", "#", " as ", "." };
    uint32_t seed = 7;
    for (int round = 0; round < 400; round++) {
        Jre *jre = jre_new();
        Text text = { .jre = jre };
        text_add(&text, "%s", small_document);
        for (int i = 0; i < 1 + round % 8; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *piece = pieces[(seed >> 8) % (sizeof pieces / sizeof *pieces)];
            size_t at = (seed >> 10) % text.length, tail = text.length - at;
            char *rest = malloc(tail + 1);
            memcpy(rest, text.at + at, tail + 1);
            text.length = at;
            text_add(&text, "%s", piece);
            text_add_bytes(&text, rest, tail);
            free(rest);
        }
        Document *document = parsed(jre, "noise.jre", text.at);
        for (int i = 0; i < document->chunks.count; i++)
            for (int j = 0; j < document->chunks.at[i]->statements.count; j++)
                if (!document->chunks.at[i]->statements.at[j]->broken && !jre->diagnostics.count)
                    expect_round_trip(jre, document->chunks.at[i]->statements.at[j]);
        char *messages = test_messages(jre);
        free(messages);
        text_free(&text);
        jre_free(jre);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_of_statements_are_understood),
        cmocka_unit_test(pipes_labels_and_reductions_have_the_shape_that_is_promised),
        cmocka_unit_test(lines_go_on_where_the_manual_says_so),
        cmocka_unit_test(only_jre_fences_are_program),
        cmocka_unit_test(the_documents_of_the_manual_parse_and_print_back),
        cmocka_unit_test(trees_built_by_a_program_print_with_the_parentheses_they_need),
        cmocka_unit_test(a_misspelled_kind_is_answered_with_the_right_one),
        cmocka_unit_test(a_setting_without_a_value_is_answered_with_an_example),
        cmocka_unit_test(an_unknown_unit_is_answered_with_the_known_ones),
        cmocka_unit_test(a_chunk_that_is_never_closed_has_one_message),
        cmocka_unit_test(a_mistake_has_one_message_and_the_next_has_its_own),
        cmocka_unit_test(what_is_broken_is_marked_and_the_rest_is_kept),
        cmocka_unit_test(deep_nesting_is_refused_without_using_up_the_stack),
        cmocka_unit_test(ten_megabytes_of_prose_are_read_line_by_line),
        cmocka_unit_test(bytes_of_zero_do_no_harm),
        cmocka_unit_test(a_parse_without_memory_ends_in_the_handler),
        cmocka_unit_test(noise_in_a_document_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
