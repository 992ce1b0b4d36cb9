/* format.c: tests of the one style. */
#include "parsing.h"

enum { ROUNDS = 40 };

/* ---- helpers ---------------------------------------------------------------------------------------------------------- */

static void expect_text(const char *text, size_t length, const char *expected, size_t expected_length) {
    Jre *jre = jre_new();
    Text once = { .jre = jre }, twice = { .jre = jre };
    Document *document = parse_document(jre, source_from_text(jre, "v01.jre", text, length));
    expect_no_message(jre, text);
    assert_true(format_document(jre, document, &once));
    if (expected && (once.length != expected_length || memcmp(once.at, expected, expected_length) != 0))
        fail_msg("expected\n%s\nbut it is\n%s", expected, once.at);
    assert_true(format_document(jre, parse_document(jre, source_from_text(jre, "v01.jre", once.at, once.length)), &twice));
    if (once.length != twice.length || memcmp(once.at, twice.at, once.length) != 0)
        fail_msg("not the same when formatted again:\n%s\nthen\n%s", once.at, twice.at);
    text_free(&once);
    text_free(&twice);
    jre_free(jre);
}

static void expect_document(const char *text, const char *expected) {
    expect_text(text, strlen(text), expected, strlen(expected));
}

static void expect_program(const char *program, const char *expected) {
    char text[4096], wanted[4096];
    snprintf(text, sizeof text, "```jre\n%s```\n", program);
    snprintf(wanted, sizeof wanted, "```jre\n%s```\n", expected);
    expect_document(text, wanted);
}

static void expect_kept(const char *program) {
    expect_program(program, program);
}

/* ---- the rules ----------------------------------------------------------------------------------------------------------- */

static void blanks_between_tokens_are_settled(void **state) {
    (void)state;
    expect_program("a=f( x ,y=- 3,[ ] )[ i ].b '  |>g\n", "a = f(x, y = -3, [])[i].b' |> g\n");
    expect_program("b = -a^-2*(c-1)@ d==e and not(f)\n", "b = -a ^ -2 * (c - 1) @ d == e and not (f)\n");
    expect_program("loss  L ( e:Tensor [f16;N,S ...] )->Scalar{e}\n", "loss L(e: Tensor[f16; N, S...]) -> Scalar { e }\n");
    expect_program("change x{a [1]}\nc = each[1,2]\nprobe (d)\n", "change x { a [1] }\nc = each [1, 2]\nprobe (d)\n");
    expect_program("m = mean over n,k of x[n,k]where n!=k\n", "m = mean over n, k of x[n, k] where n != k\n");
    expect_program("train a {\n}\n\tb   =   60%\n", "train a { }\nb = 60%\n");
}

static void settings_stand_in_one_column(void **state) {
    (void)state;
    expect_program("train a { network Eye\n  learning_rate    3\n   epochs     -1 # some\n\n\n  # more\nview (x)\n\n}\n",
                   "train a {\n  network Eye\n  learning_rate 3\n  epochs  -1 # some\n\n  # more\n  view    (x)\n}\n");
    expect_kept("split past {                       # why\n  # really\n  data jaguars\n  seed 7\n}\nchange learner { epochs 60 }\n");
}

static void equations_without_a_blank_line_between_them_are_aligned(void **state) {
    (void)state;
    expect_program("a = 1\nlong = [\n1,\n2\n]\nb = 2\n\nc= 3\n", "a    = 1\nlong = [\n  1,\n  2\n]\nb = 2\n\nc = 3\n");
    expect_program("change a = 1\nchange learner { epochs 60 }\nchange b { view x\n }\n",
                   "change a       = 1\nchange learner { epochs 60 }\nchange b {\n  view x\n}\n");
    expect_program("loss L(e: T) -> S {\n  learn W: Tensor[K, d] ~ normal()\n  learn b: Tensor[K] ~ zeros()\n  D[i, j]=1\n  far=f(a =\n 2)\n  t=0\n  t\n}\n",
                   "loss L(e: T) -> S {\n  learn W: Tensor[K, d] ~ normal()\n  learn b: Tensor[K]    ~ zeros()\n"
                   "  D[i, j] = 1\n  far     = f(a =\n                2)\n  t       = 0\n  t\n}\n");
}

static void lines_that_go_on_stand_below_what_they_belong_to(void **state) {
    (void)state;
    expect_program("y = x |>\nf\n|> g\nzz = if a\nthen b |> f\n |> h\nelse if c then d\nelse e +\n1\n",
                   "y  = x\n       |> f\n       |> g\nzz = if a\n     then b |> f\n            |> h\n     else if c then d\n          else e +\n               1\n");
    expect_program("loss L(e: T,\nmargin: Real = 3)\n-> S\nwhere a > 0,\nb > 0\n{\nf(e\n,[g(1,\n2)\n])\n}\n",
                   "loss L(e: T,\n       margin: Real = 3)\n  -> S\n  where a > 0,\n        b > 0 {\n  f(e,\n    [g(1,\n       2)\n    ])\n}\n");
    expect_program("expect a >\nb\nbecause \"c\"\n  probe\tf(\na,# one\n# two\nb\n)\nq = a # c\n# d\n|> f\n",
                   "expect a >\n       b\n  because \"c\"\nprobe f(\n  a, # one\n  # two\n  b\n)\nq = a # c\n      # d\n      |> f\n");
}

static void columns_that_an_author_made_are_kept(void **state) {
    (void)state;
    expect_kept("layer1 = stem   |> stage(block(width = 64),  depths[1]) as layer1\n"
                "layer2 = layer1 |> stage(block(width = 128), depths[2], stride = 2) as layer2\n");
    expect_kept("y = x |> f(16,  1)         as a\n      |> f(160, 3)         as b\n      |> f(16,  3, k = 12) as c\n");
    expect_kept("function abs(x: T) -> T  { builtin }\n# one more\nfunction relu(x: T) -> T { max(x, 0) }   # kept\n");
    expect_program("f(a,    b)\ng(a, b)\n", "f(a, b)\ng(a, b)\n");
    expect_program("f(aa,    b) |> x\ng(a,     b)    |> xx\n", "f(aa, b) |> x\ng(a,  b) |> xx\n");
    expect_program("a = 1   # \xE2\x82\xAC\nbcd=2   # two\ne = 3 # three\n", "a   = 1   # \xE2\x82\xAC\nbcd = 2   # two\ne   = 3 # three\n");
}

static void what_is_no_program_stays_to_the_byte(void **state) {
    (void)state;
    expect_document("No   chunk  \t\n\n\n\n~~~\na   =  1\n~~~", "No   chunk  \t\n\n\n\n~~~\na   =  1\n~~~");
    expect_document("", "");
    expect_document("\xEF\xBB\xBFx  \r\n```jre   folded  \r\na  =  1 # c \t\r\n\r\n\r\n\r\nb=2\r\n\r\n```  \r\ny",
                    "\xEF\xBB\xBFx  \r\n```jre   folded  \r\na = 1 # c\r\n\r\nb = 2\r\n```  \r\ny");
    expect_document("```jre\n\n\n```\n```jre\n# only   \n```\n```jre wrong unknown_unit\na   = 1cubit\n```\n",
                    "```jre\n```\n```jre\n# only\n```\n```jre wrong unknown_unit\na   = 1cubit\n```\n");
}

static void a_text_does_not_grow_beyond_measure(void **state) {
    (void)state;
    char *list = repeated("```jre\nx = [f(", "a, ", 20000, "g(b"), *broken = repeated(list, ",\nc", 20000, ")\n|> h)]\n");
    char *name = repeated(broken, "n", 20000, " = 1\n"), *text = repeated(name, "y = 2   # c\n", 20000, "```\n");
    Jre *jre = jre_new();
    Text out = { .jre = jre };
    Document *document = parsed(jre, "v01.jre", text);
    expect_no_message(jre, "long lines before many lines");
    assert_true(format_document(jre, document, &out));
    assert_true(out.length < 20000 * 450);
    expect_text(text, strlen(text), NULL, 0);
    text_free(&out);
    jre_free(jre);
    free(list);
    free(broken);
    free(name);
    free(text);
}

/* ---- real documents ---------------------------------------------------------------------------------------------------------- */

static void expect_fixed_point(const char *name, const char *text, size_t length) {
    (void)name;
    expect_text(text, length, text, length);
}

static void our_own_documents_are_in_the_one_style(void **state) {
    (void)state;
    each_document_of("stdlib", expect_fixed_point);
    each_document_of("pipelines", expect_fixed_point);
    each_document_of("examples/jaguars", expect_fixed_point);
}

/* Blanks, line breaks and comments wherever chance puts them: what still parses is formatted, and formatted again the same. */
static void disturb(const char *name, const char *text, size_t length) {
    static const char *const pieces[] = { " ", "  ", "   ", "\n", "\n\n", " # c\n", "\t", "      " };
    uint32_t seed = (uint32_t)length;
    for (int round = 0; round < ROUNDS; round++) {
        Jre *jre = jre_new();
        Text changed = { .jre = jre };
        seed = seed * 1664525u + 1013904223u;
        uint32_t rarity = 4 + (seed >> 8) % 400;
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525u + 1013904223u;
            if (i && strchr(" ,=(){}[]|", text[i]) && text[i - 1] != '`' && text[i] && (seed >> 8) % rarity == 0)
                text_add(&changed, "%s", pieces[(seed >> 20) % 8]);
            text_add_bytes(&changed, text + i, 1);
        }
        parsed(jre, name, changed.at);
        if (!diag_any_error(jre))
            expect_text(changed.at, changed.length, NULL, 0);
        text_free(&changed);
        jre_free(jre);
    }
}

static void documents_put_in_disorder_are_put_in_order(void **state) {
    (void)state;
    each_document_of("stdlib", disturb);
    each_document_of("pipelines", disturb);
    each_printed_document(disturb);
}

static void format_again(const char *name, const char *text, size_t length) {
    (void)name;
    expect_text(text, length, NULL, 0);
}

static void the_documents_of_the_manual_keep_their_meaning(void **state) {
    (void)state;
    if (each_printed_document(format_again) == 0)
        skip();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_between_tokens_are_settled),
        cmocka_unit_test(settings_stand_in_one_column),
        cmocka_unit_test(equations_without_a_blank_line_between_them_are_aligned),
        cmocka_unit_test(lines_that_go_on_stand_below_what_they_belong_to),
        cmocka_unit_test(columns_that_an_author_made_are_kept),
        cmocka_unit_test(what_is_no_program_stays_to_the_byte),
        cmocka_unit_test(a_text_does_not_grow_beyond_measure),
        cmocka_unit_test(our_own_documents_are_in_the_one_style),
        cmocka_unit_test(the_documents_of_the_manual_keep_their_meaning),
        cmocka_unit_test(documents_put_in_disorder_are_put_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
