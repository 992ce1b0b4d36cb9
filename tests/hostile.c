/* hostile.c: texts that would break a careless compiler, all the way through compile(): each ends with a message or a plan, and what it costs
 * grows as the text does. Cost is counted in expressions evaluated and bytes of arenas, never in time. */
#include "trial.h"

#include <signal.h>

static const char head[] = "dataset animals {\n  table \"animals.csv\"\n  image \"pictures/{name}\"\n  identity \"{who}\"\n}\n"
                           "split folds {\n  data animals\n  folds 2\n  identities shared\n  together burst\n}\n"
                           "augment seen(x: Image) -> Image { x |> fit(8px) }\n"
                           "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> average_pool |> unit }\n"
                           "embed features {\n  network Eye\n  view seen\n}\nlikeness = cosine(features)\n"
                           "evaluate cv {\n  similarity likeness\n  on folds.held_out\n  metrics [map]\n}\n";

/* ---- what a text costs --------------------------------------------------------------------------------------------------- */

typedef struct { bool sound; int findings; int64_t steps, bytes; } Cost;

/* Compiled whole, and asked what the command line asks. */
static Cost cost_of(const char *document, const char *code) {
    Trial *trial = trial_new();
    Cost cost = {.sound = trial_document(trial, "v01.jre", document)};
    cost.findings = diag_count(trial->jre, SEVERITY_NOTE);
    cost.steps = trial->c.steps;
    cost.bytes = (int64_t)(trial->c.arena.used_in_total + trial->jre->forever.used_in_total);
    if (diag_exit_code(trial->jre) == 70) fail_msg("%s", test_messages(trial->jre));
    if (!cost.sound && !cost.findings) fail_msg("refused in silence:\n%.300s", document);
    if (code) test_message_says(trial->jre, code, NULL);
    trial_free(trial);
    return cost;
}

typedef void Writer(Text *out, int count);

static Cost cost_of_many(Writer *write, int count) {
    Jre *jre = jre_new();
    Text text = {.jre = jre};
    text_add(&text, "```jre\n%s", head);
    write(&text, count);
    text_add(&text, "```\n");
    Cost cost = cost_of(text.at, NULL);
    text_free(&text);
    jre_free(jre);
    return cost;
}

/* What a text of nothing costs is taken away: ten times as much may cost twelve times as much. */
static void grows_with_the_text(const char *what, Writer *write, bool sound) {
    const Cost none = cost_of_many(write, 0), some = cost_of_many(write, 1000), many = cost_of_many(write, 10000);
    if (some.sound != sound || many.sound != sound) fail_msg("%s: %d findings among 10000, sound: %d", what, many.findings, many.sound);
    if (many.bytes - none.bytes >= 12 * (some.bytes - none.bytes))
        fail_msg("%s: %lld bytes for 1000, %lld for 10000", what, (long long)(some.bytes - none.bytes), (long long)(many.bytes - none.bytes));
    if (many.steps > none.steps && many.steps - none.steps > 12 * (some.steps - none.steps))
        fail_msg("%s: %lld steps for 1000, %lld for 10000", what, (long long)(some.steps - none.steps), (long long)(many.steps - none.steps));
}

/* ---- ten thousand of everything ------------------------------------------------------------------------------------------------ */

static void equations(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "a%d = %d + a%d\nprobe a%d\n", i, i, i ? i / 2 : count, i);
    text_add(out, "a%d = 1\nprobe a%d\n", count, count);
}

static void unknown_names(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "a%d = b%d\n", i, i);
}

static void records(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "split s%d {\n  data animals\n  folds 3\n  identities shared\n  together burst\n  seed %d\n}\n", i, i);
}

static void formulas(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "function f%d(x: Tensor[N, C]) -> Tensor[N, C] { x * %d }\n", i, i);
}

static void settings(Text *out, int count) {
    text_add(out, "figure many {\n");
    for (int i = 0; i < count; i++) text_add(out, "  key%d %d\n", i, i);
    text_add(out, "}\n");
}

static void accepts(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "accept leaking_burst for folds because \"%d\"\n", i);
}

static void expectations(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "expect cv.map > 0.%d because \"so\"\n", i % 3);
}

static void the_same_name(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "same = %d\n", i);
}

static void chunks(Text *out, int count) {
    for (int i = 0; i < count; i++) text_add(out, "```\n\nprose\n\n```jre\nc%d = %d\nprobe c%d\n", i, i, i);
}

static void quotes(Text *out, int count) {
    text_add(out, "```\n\n");
    for (int i = 0; i < count; i++) text_add(out, "it is `= cv.map + %d` there\n", i);
    text_add(out, "```jre\n");
}

static void ten_thousand_of_everything_cost_ten_times_a_thousand(void **state) {
    (void)state;
    grows_with_the_text("equations", equations, true);
    grows_with_the_text("unknown names", unknown_names, false);
    grows_with_the_text("records", records, true);
    grows_with_the_text("formulas", formulas, true);
    grows_with_the_text("settings", settings, false);
    grows_with_the_text("accepts", accepts, true);
    grows_with_the_text("expectations", expectations, true);
    grows_with_the_text("one name", the_same_name, false);
    grows_with_the_text("chunks", chunks, true);
    grows_with_the_text("quotes", quotes, true);
}

/* ---- what is used twice, and again twice -------------------------------------------------------------------------------------- */

static void sums(Text *out, int count) {
    text_add(out, "s0 = cosine(features)\n");
    for (int i = 1; i <= count; i++) text_add(out, "s%d = 0.5 * s%d + 0.5 * s%d\n", i, i - 1, i - 1);
    text_add(out, "evaluate sum like cv { similarity s%d }\n", count);
}

static void filters(Text *out, int count) {
    text_add(out, "f0 = cosine(features)\n");
    for (int i = 1; i <= count; i++) text_add(out, "f%d = within_same(f%d, identity) + 2 * within_same(f%d, burst)\n", i, i - 1, i - 1);
    text_add(out, "evaluate filtered like cv { similarity f%d }\n", count);
}

/* Looked for in vain, too: a mirrored list of views that no score of these speaks of, and a shortlist that none has. */
static void ensembles(Text *out, int count) {
    text_add(out, "dataset tapirs like animals { pattern asymmetric }\naugment turned(x: Image) -> Image { x |> fit(8px) |> flip(chance = 100%%) }\n"
                  "embed both {\n network Eye\n view [seen, turned]\n}\nensemble e0 {\n members [likeness, cosine(features)]\n}\n");
    for (int i = 1; i <= count; i++) text_add(out, "ensemble e%d {\n members [e%d, e%d]\n}\n", i, i - 1, i - 1);
    text_add(out, "evaluate voted {\n similarity within_same(e%d, burst)\n on tapirs\n metrics [map]\n}\n", count);
}

/* What divides is asked whether it is the length of what is divided. */
static void quotients(Text *out, int count) {
    text_add(out, "use heads\nloss Doubled(e: Embedding[N, d], who: Identity[N, K]) -> Scalar {\n learn W: Tensor[K, d] ~ normal(0, 0.01)\n z = e @ W'\n q0[n] = sum over k of z[n, k] ^ 2\n");
    for (int i = 1; i <= count; i++) text_add(out, " q%d[n] = q%d[n] + q%d[n]\n", i, i - 1, i - 1);
    text_add(out, " u[n, k] = 3 * z[n, k] / q%d[n]\n CrossEntropy(u, who)\n}\ntrain learner {\n network Weighed\n loss Doubled\n data folds.train\n view seen\n epochs 3\n}\n"
                  "network Weighed(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> average_pool |> linear(4) |> unit }\nembed learned {\n network learner\n view seen\n}\nprobe learned\n", count);
}

/* Each level names the one below twice: thirty cost three times what ten do, not a million times. */
static void doubles(const char *what, Writer *write) {
    const Cost some = cost_of_many(write, 10), many = cost_of_many(write, 30);
    if (!some.sound || !many.sound) fail_msg("%s: %d findings", what, many.findings);
    if (many.bytes > 4 * some.bytes || many.steps > 4 * some.steps + 100)
        fail_msg("%s: %lld bytes, %lld steps for 10 levels, %lld and %lld for 30", what, (long long)some.bytes, (long long)some.steps, (long long)many.bytes, (long long)many.steps);
}

static void doubling_costs_no_more_than_its_text(void **state) {
    (void)state;
    doubles("sums", sums);
    doubles("filters", filters);
    doubles("ensembles", ensembles);
    doubles("quotients", quotients);
}

/* The signal came before the first expression was evaluated: none is, and nothing is told of what is left out. */
static void who_asks_it_to_end_is_heard(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    text_add(&text, "%s", head);
    sums(&text, 1000);
    trial->jre->interrupted = SIGTERM;
    assert_false(trial_chunk(trial, text.at));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 0);
    assert_int_equal(trial->c.plan->evaluations.count, 0);
    text_free(&text);
    trial_free(trial);
}

/* ---- one monster each ------------------------------------------------------------------------------------------------------------ */

static void repeated(Text *out, const char *what, int count) {
    for (int i = 0; i < count; i++) text_add(out, "%s", what);
}

/* `before`, many times `inside`, `behind`, as the text of a chunk behind the others. code NULL: sound. */
static void monster(const char *before, const char *inside, int count, const char *behind, const char *code) {
    Jre *jre = jre_new();
    Text text = {.jre = jre};
    text_add(&text, "```jre\n%s%s", head, before);
    repeated(&text, inside, count);
    text_add(&text, "%s\n```\n", behind);
    const Cost cost = cost_of(text.at, code);
    if (cost.sound != !code || cost.findings > 2) fail_msg("%s%s...: %d findings, sound: %d", before, inside, cost.findings, cost.sound);
    if (cost.bytes > 400 * (int64_t)text.length + (8 << 20)) fail_msg("%s%s...: %lld bytes for %zu", before, inside, (long long)cost.bytes, text.length);
    text_free(&text);
    jre_free(jre);
}

static void deep_nesting_is_told_once(void **state) {
    (void)state;
    static const struct { const char *before, *inside, *behind; } cases[] = {
        {"probe ", "(", ""}, {"probe ", "[", ""}, {"probe ", "-", "1"}, {"probe ", "f(", ""}, {"probe ", "a[", ""}, {"probe ", "not ", "true"},
        {"probe 1", " + (1", ""}, {"probe 1", " ^ 2", ""}, {"probe 1", " + 1", ""}, {"probe cv", ".map", ""}, {"probe cv", "'", ""}, {"probe 1", " |> f", ""},
        {"probe ", "if true then ", "1"}, {"probe ", "sum over i of ", "1"}, {"x = ", "each [", ""}, {"probe ", "{", ""}, {"figure f { ", "figure f { ", ""},
        {"network F(x: Tensor[", "(", "])"}, {"network F(x: ", "Tensor[", "])"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Jre *jre = jre_new();
        Text text = {.jre = jre};
        text_add(&text, "```jre\n%s%s", head, cases[i].before);
        repeated(&text, cases[i].inside, 100000);
        text_add(&text, "%s\n```\n", cases[i].behind);
        const Cost cost = cost_of(text.at, NULL);
        if (cost.sound || cost.findings > 2) fail_msg("%s%s...: %d findings, sound: %d", cases[i].before, cases[i].inside, cost.findings, cost.sound);
        if (cost.bytes > 400 * (int64_t)text.length) fail_msg("%s%s...: %lld bytes for %zu", cases[i].before, cases[i].inside, (long long)cost.bytes, text.length);
        text_free(&text);
        jre_free(jre);
    }
}

static void very_long_lines_are_lines(void **state) {
    (void)state;
    enum { LONG = 1000000 };
    monster("probe 1 # ", "long ", LONG / 5, "", NULL);
    monster("probe \"", "long ", LONG / 5, "\"", NULL);
    monster("probe [1", ", 1", LONG / 10, "]", NULL);
    monster("embed a", "a", LONG, " {\n network Eye\n view seen\n}", NULL);
    monster("probe ", "a", LONG, "", "unknown_name");
    monster("probe ", "1", LONG, "", "unexpected_word");
    monster("probe 1", " ", LONG, "", NULL);
    monster("probe 1\n```\n\n", "long ", LONG / 5, "\n\n```jre", NULL);
}

static void of_very_many_mistakes_a_thousand_are_told(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    unknown_names(&text, 5000);
    assert_false(trial_chunk(trial, text.at));
    assert_int_equal(diag_count(trial->jre, SEVERITY_ERROR), 1000);
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1001);
    test_message_says(trial->jre, "many_findings", NULL);
    text_free(&text);
    trial_free(trial);
}

/* What is refused, and with how many messages: one for each mistake. */
static void refused(const char *document, int findings, const char *code) {
    const Cost cost = cost_of(document, code);
    if (cost.sound || cost.findings != findings) fail_msg("%d findings, sound: %d:\n%s", cost.findings, cost.sound, document);
}

static void fences_that_do_not_match_are_told_once(void **state) {
    (void)state;
    refused("```jre\nprobe 1\n", 1, "unclosed_chunk");
    refused("````jre\nprobe 1\n```\nwords\n", 1, "no_program");
    refused("```jre\nprobe 1\n```\n```jre\nprobe 2\n", 1, "unclosed_chunk");
    refused("```\nprobe 1\n```\n", 1, "no_program");
    refused("```jre", 1, "unclosed_chunk");
    refused("~~~jre\nprobe 1\n```\n", 1, "no_program");
    refused("", 1, "no_program");
    Jre *jre = jre_new();
    Text text = {.jre = jre};
    repeated(&text, "```jre\n", 100001);
    if (cost_of(text.at, NULL).findings > 100) fail();
    text_free(&text);
    repeated(&text, "```\n", 100000);
    refused(text.at, 1, "no_program");
    text_free(&text);
    jre_free(jre);
}

/* The bytes are written as they are: NUL and what is not UTF-8. */
static void any_byte_anywhere_ends(void **state) {
    (void)state;
    static const char document[] = "# Words\n\n```jre\nprobe [1, \"two\"] # three\n```\n\nwords `= 1 + 1` words\n";
    static const char bytes[] = {0, 1, 9, 13, 27, 127, (char)0x80, (char)0xc3, (char)0xe2, (char)0xf0, (char)0xfe, (char)0xff};
    for (size_t at = 0; at < strlen(document); at++) {
        for (size_t b = 0; b < sizeof bytes; b++) {
            char text[sizeof document];
            memcpy(text, document, sizeof document);
            text[at] = bytes[b];
            Trial *trial = trial_new();
            trial->request.path = trial_file(trial, "v01.jre", "");
            FILE *file = fopen(trial->request.path, "w");
            assert_non_null(file);
            fwrite(text, 1, strlen(document), file);
            fclose(file);
            trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
            Facts facts = fake_facts(&trial->files);
            const bool sound = compile(&trial->c, trial->jre, &trial->request, &facts, true);
            const int findings = diag_count(trial->jre, SEVERITY_NOTE);
            if (findings > 2 || (!sound && !findings) || diag_exit_code(trial->jre) == 70)
                fail_msg("byte %d at %zu gives %d messages:\n%s", bytes[b] & 255, at, findings, test_messages(trial->jre));
            trial_free(trial);
        }
    }
}

static void what_goes_round_ends(void **state) {
    (void)state;
    static const struct { const char *first, *second, *code; int findings; } cases[] = {
        {"extends \"v02.jre\"", "extends \"v01.jre\"", "circular", 1},
        {"extends \"v01.jre\"", "", "circular", 1},
        {"use other", "", NULL, 1},
        {"a = b\nb = a\nprobe a", "", NULL, 1},
        {"function f(x: Real) -> Real { g(x) }\nfunction g(x: Real) -> Real { f(x) }\nprobe f(1)", "", NULL, 1},
        {"network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { Eye(x) }\naugment seen(x: Image) -> Image { x |> fit(8px) }\nembed e {\n  network Eye\n  view seen\n}", "", NULL, 1},
        {"augment seen(x: Image) -> Image { x |> seen }\nnetwork Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> average_pool }\nembed e {\n  network Eye\n  view seen\n}", "", NULL, 1},
        {"split a {\n  data b.train\n  folds 2\n  identities shared\n  together burst\n}\nsplit b {\n  data a.train\n  folds 2\n  identities shared\n  together burst\n}", "", NULL, 1},
        {"split a like b { folds 2 }\nsplit b like a { folds 3 }", "", NULL, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        Arena *arena = &trial->jre->forever;
        trial_file(trial, "v02.jre", arena_print(arena, "```jre\n%s\n```\n", cases[i].second));
        trial_file(trial, "other.jre", "```jre\nuse other\nuse v02\nfunction one() -> Real { 1 }\n```\n");
        const bool sound = trial_chunk(trial, cases[i].first);
        const int findings = diag_count(trial->jre, SEVERITY_NOTE);
        if (sound || findings != cases[i].findings) fail_msg("%s: %d findings:\n%s", cases[i].first, findings, test_messages(trial->jre));
        if (cases[i].code) test_message_says(trial->jre, cases[i].code, NULL);
        trial_free(trial);
    }
}

static void a_name_is_declared_once_in_a_chain(void **state) {
    (void)state;
    static const char *const again[] = {"likeness = 3", "split likeness {\n  data animals\n  folds 2\n  identities shared\n  together burst\n}",
                                        "function likeness(x: Real) -> Real { x }", "function seen(x: Real) -> Real { x }", "animals = 1"};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        Trial *trial = trial_new();
        Arena *arena = &trial->jre->forever;
        trial_file(trial, "v00.jre", arena_print(arena, "```jre\n%s\n```\n", head));
        trial_file(trial, "v01.jre", "```jre\nextends \"v00.jre\"\n```\n");
        assert_false(trial_document(trial, "v02.jre", arena_print(arena, "```jre\nextends \"v01.jre\"\n%s\n```\n", again[i])));
        if (diag_count(trial->jre, SEVERITY_NOTE) != 1) fail_msg("%s:\n%s", again[i], test_messages(trial->jre));
        test_message_says(trial->jre, "already_named", NULL);
        trial_free(trial);
    }
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "x[n, c, h, w] * 9223372036854775807 |> average_pool |> unit", "x |> linear(9223372036854775807)", "x |> average_pool |> linear(99999999999999999999)",
        "x |> conv(4611686018427387904, 3)", "x |> mean_pool(9223372036854775807)", "x |> mean_pool(3, pad = 4611686018427387904)",
        "learn w: Tensor[C * 4611686018427387904]\nx |> average_pool |> unit", "learn w: Tensor[C ^ 4000]\nx |> average_pool |> unit",
        "learn w: Tensor[3000000000, 3000000000]\ny[i] = sum over j of w[i, j]\ny", "x |> repeat(relu, 9223372036854775807)",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        Trial *trial = trial_new();
        const bool sound = trial_chunk(trial, arena_print(&trial->jre->forever, "augment seen(x: Image) -> Image { x |> fit(8px) }\nembed features {\n  network Eye\n  view seen\n}\n"
                                                          "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n%s\n}\n", bodies[i]));
        const int findings = diag_count(trial->jre, SEVERITY_NOTE);
        if (sound || findings != 1 || diag_exit_code(trial->jre) == 70) fail_msg("`%s`: %d findings\n%s", bodies[i], findings, test_messages(trial->jre));
        trial_free(trial);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_of_everything_cost_ten_times_a_thousand),
        cmocka_unit_test(doubling_costs_no_more_than_its_text),
        cmocka_unit_test(who_asks_it_to_end_is_heard),
        cmocka_unit_test(deep_nesting_is_told_once),
        cmocka_unit_test(very_long_lines_are_lines),
        cmocka_unit_test(of_very_many_mistakes_a_thousand_are_told),
        cmocka_unit_test(fences_that_do_not_match_are_told_once),
        cmocka_unit_test(any_byte_anywhere_ends),
        cmocka_unit_test(what_goes_round_ends),
        cmocka_unit_test(a_name_is_declared_once_in_a_chain),
        cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
