/* program.c: whole documents: what is inherited and laid over, choices, and texts that would break a careless compiler. */
#include "trial.h"

#include <dirent.h>

static const char animals[] = "dataset animals {\n  table \"animals.csv\"\n  image \"pictures/{name}\"\n  identity \"{who}\"\n}\n"
                              "split folds {\n  data animals\n  folds 2\n  identities shared\n  together burst\n}\n";
static const char eye[] = "augment seen(x: Image) -> Image { x |> fit(side) }\n"
                          "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> average_pool |> unit }\n"
                          "embed features {\n  network Eye\n  view seen\n}\nlikeness = cosine(features)\n"
                          "evaluate cv {\n  similarity likeness\n  on folds.held_out\n  metrics [map]\n}\n";
static const char entry[] = "submit entry {\n  similarity likeness\n  on animals\n  pairs \"pairs.csv\"\n  file \"%s\"\n}\n";

static const char *joined(Trial *trial, const char *a, const char *b, const char *c) { return arena_print(&trial->jre->forever, "%s\n%s\n%s", a, b, c); }

static const char *document(Trial *trial, const char *chunk) { return arena_print(&trial->jre->forever, "```jre\n%s\n```\n", chunk); }

/* The second of two documents: of what the first declares it may change all. */
static bool derived(Trial *trial, const char *parent, const char *chunk) {
    trial_file(trial, "v01.jre", document(trial, parent));
    return trial_document(trial, "v02.jre", document(trial, arena_print(&trial->jre->forever, "extends \"v01.jre\"\n%s", chunk)));
}

/* ---- what is inherited ------------------------------------------------------------------------------------------------------ */

static void a_change_reaches_what_the_parent_wrote(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_file(trial, "v01.jre", document(trial, joined(trial, animals, eye, "side = 8px")));
    assert_true(trial_document(trial, "v02.jre", document(trial, "extends \"v01.jre\"\nchange side = 16px\nchange folds { folds 5\n seed 3 }\n")));
    const Plan *plan = trial->c.plan;
    assert_int_equal(plan->embeds.at[0]->view->width, 16);
    assert_int_equal(plan->splits.at[0]->folds, 5);
    assert_int_equal(plan->splits.at[0]->seed, 3);
    assert_true(plan->splits.at[0]->together_burst);
    assert_string_equal(trial->c.version, "v02");
    trial_free(trial);
}

static void default_restores_and_remove_frees_a_name(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_file(trial, "v00.jre", document(trial, joined(trial, animals, eye, "side = 8px")));
    trial_file(trial, "v01.jre", document(trial, "extends \"v00.jre\"\nchange folds { seed 3 }"));
    assert_true(trial_document(trial, "v02.jre", document(trial, "extends \"v01.jre\"\nchange folds { seed default }\nremove cv\n"
                                                                 "evaluate cv {\n  similarity likeness\n  on folds.held_out\n  metrics [rank1]\n  average query\n}\n")));
    assert_int_equal(trial->c.plan->splits.at[0]->seed, 0);
    assert_int_equal(trial->c.plan->evaluations.count, 1);
    assert_int_equal(trial->c.plan->evaluations.at[0]->metrics.at[0].metric, METRIC_rank1);
    trial_free(trial);
}

static void the_command_line_beats_overlays_and_overlays_the_chain(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_with(trial, trial_file(trial, "over.jre", document(trial, "change side = 16px\nchange folds { seed 5 }\n")));
    trial_set(trial, "folds.seed=9");
    trial_sound(trial, joined(trial, animals, eye, "side = 8px"));
    assert_int_equal(trial->c.plan->embeds.at[0]->view->width, 16);
    assert_int_equal(trial->c.plan->splits.at[0]->seed, 9);
    trial_free(trial);
}

static void what_the_command_line_cannot_change_is_refused(void **state) {
    (void)state;
    static const struct { const char *set, *code; } cases[] = {
        {"nothing=3", "unknown_name"}, {"folds.sed=3", "unknown_key"}, {"side", "wrong_argument"}, {"=3", "wrong_argument"}, {"side=", "unfinished_line"},
        {"side=3 }", "unexpected_word"}, {"folds=3", "wrong_type"}, {"side.x=3", "wrong_type"}, {"relu=3", "unknown_name"}, {"folds.seed=", "unfinished_line"},
        {"side=8px\nextends \"x\"", ""}, {"side=`", "unknown_character"}, {"side=\"", "unfinished_line"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        trial_set(trial, cases[i].set);
        bool good = trial_chunk(trial, joined(trial, animals, eye, "side = 8px"));
        if (good && *cases[i].code) fail_msg("--set %s is taken", cases[i].set);
        if (*cases[i].code) test_message_says(trial->jre, cases[i].code, NULL);
        trial_free(trial);
    }
}

static void a_flat_program_compiles_to_the_same(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_file(trial, "v01.jre", document(trial, joined(trial, animals, eye, "side = each [8px, 16px]\naccept leaking_burst for folds because \"they are few\"")));
    assert_true(trial_document(trial, "v02.jre", document(trial, "extends \"v01.jre\"\nchange side = 24px\nexpect cv.map > 10% because \"it should\"\n")));
    Text flat = {.jre = trial->jre};
    print_flat_program(&trial->c, &flat);
    assert_non_null(strstr(flat.at, "accept leaking_burst for folds"));
    Trial *again = trial_new();
    assert_true(trial_document(again, "flat.jre", flat.at));
    assert_string_equal(again->c.plan->embeds.at[0]->key, trial->c.plan->embeds.at[0]->key);
    text_free(&flat);
    trial_free(again);
    trial_free(trial);
}

/* ---- choices ------------------------------------------------------------------------------------------------------------------------ */

static void each_choice_is_a_member_and_shared_work_is_done_once(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_sound(trial, joined(trial, animals, eye, arena_print(&trial->jre->forever, "side = each [8px, 16px, 24px]\n%s",
                                                               arena_print(&trial->jre->forever, entry, "out/{version}-{side}.csv"))));
    const Plan *plan = trial->c.plan;
    assert_int_equal(plan->embeds.count, 3);
    assert_int_equal(plan->evaluations.count, 3);
    assert_int_equal(plan->submissions.count, 3);
    assert_string_equal(plan->submissions.at[1]->file, "out/v01-16px.csv");
    assert_string_equal(plan->evaluations.at[2]->member.at[0].axis, "side");
    assert_string_equal(plan->evaluations.at[2]->member.at[0].choice, "24px");
    assert_ptr_equal(plan->evaluations.at[1]->similarity->embed, plan->submissions.at[1]->similarity->embed);
    trial_free(trial);
}

static void choices_are_called_as_they_are_written(void **state) {
    (void)state;
    Trial *trial = trial_new();
    assert_true(derived(trial, joined(trial, animals, eye, "side = 8px"),
                        "network Small(x: Tensor[N, C, H, W], k: Int = 2) -> Tensor[N, C, H / k, W / k] { x |> mean_pool(k) }\n"
                        "network Plain(x: Tensor[N, C, H, W]) -> Tensor[N, C, H, W] { x }\n"
                        "body = each [Plain, Small(), Small(k = 4)]\nchange features { network Whole }\n"
                        "network Whole(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> body |> flatten |> unit }"));
    const Plan *plan = trial->c.plan;
    assert_int_equal(plan->evaluations.count, 3);
    assert_string_equal(plan->evaluations.at[0]->member.at[0].choice, "Plain");
    assert_string_equal(plan->evaluations.at[1]->member.at[0].choice, "Small");
    assert_string_equal(plan->evaluations.at[2]->member.at[0].choice, "Small(k = 4)");
    assert_int_equal(plan->embeds.at[2]->width, 12);
    trial_free(trial);
}

static void two_axes_make_a_table_and_equal_members_are_one(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_sound(trial, joined(trial, animals, eye, "small = each [8px, 16px]\nfactor = each [1, 2]\nside = small * factor"));
    assert_int_equal(trial->c.plan->evaluations.count, 4);
    assert_int_equal(trial->c.plan->embeds.count, 3);             /* 8, 16 twice, 32 */
    trial_free(trial);
}

static void choices_where_one_value_is_needed_are_told_once(void **state) {
    (void)state;
    Trial *trial = trial_new();
    assert_false(trial_chunk(trial, joined(trial, animals, eye, arena_print(&trial->jre->forever, "side = each [8px, 16px]\n%s", arena_print(&trial->jre->forever, entry, "out.csv")))));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    test_message_says(trial->jre, "undecided_choice", "`side`", "{side}", NULL);
    trial_free(trial);
    trial = trial_new();
    assert_false(trial_chunk(trial, joined(trial, animals, eye, "side = each [8px, 16px]\nexpect cv.map > 10%")));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    test_message_says(trial->jre, "undecided_choice", NULL);
    trial_free(trial);
}

static void a_mistake_that_all_members_share_is_told_once(void **state) {
    (void)state;
    Trial *trial = trial_new();
    assert_false(derived(trial, joined(trial, animals, eye, "side = each [8px, 16px, 24px]"),
                         "change cv { metrics [map, acuracy] }\nchange features { network I }\n"
                         "network I(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> avrage_pool |> unit }"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 2);
    trial_free(trial);
}

static void too_many_choices_are_refused_before_they_are_made(void **state) {
    (void)state;
    Trial *trial = trial_new();
    const char *text = "side = 8px";
    for (int i = 0; i < 12; i++) text = arena_print(&trial->jre->forever, "%s * a%d", text, i);
    for (int i = 0; i < 12; i++) text = arena_print(&trial->jre->forever, "%s\na%d = each [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", text, i);
    assert_false(trial_chunk(trial, joined(trial, animals, eye, text)));
    test_message_says(trial->jre, "1,000", NULL);
    trial_free(trial);
}

/* ---- weights and colors ------------------------------------------------------------------------------------------------------------------ */

static void a_view_of_other_colors_than_the_weights_is_refused_for_each_network_once(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial->files.stats = "0.5 0.5 0.5 0.5 0.5 0.5";
    fake_conv(&trial->files, "conv1", 4, 3, 1, false);
    assert_false(trial_chunk(trial, "backbone = Body(weights = \"a.safetensors\")\nnetwork Body(x: Tensor[N, 3, H, W]) -> Tensor[N, 4, H, W] { x |> conv(4, 1) as conv1 }\n"
                                    "augment seen(x: Image) -> Image { x |> fit(8px) |> normalize(imagenet) }\n"
                                    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> backbone |> average_pool |> unit }\nembed features { network Eye\n view seen }\n"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    test_message_says(trial->jre, "wrong_normalization", "mean 0.485 0.456 0.406", "raised on mean 0.5 0.5 0.5", "normalize(backbone.stats)", NULL);
    trial_free(trial);
    trial = trial_new();
    trial->files.stats = "0.5 0.5 0.5 0.5 0.5 0.5";
    fake_conv(&trial->files, "conv1", 4, 3, 1, false);
    trial_sound(trial, "backbone = Body(weights = \"a.safetensors\")\nnetwork Body(x: Tensor[N, 3, H, W]) -> Tensor[N, 4, H, W] { x |> conv(4, 1) as conv1 }\n"
                       "augment seen(x: Image) -> Image { x |> fit(8px) |> normalize(backbone.stats) }\n"
                       "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> backbone |> average_pool |> unit }\nembed features { network Eye\n view seen }\n");
    trial_free(trial);
}

/* ---- hostile texts ------------------------------------------------------------------------------------------------------------------------- */

static const char shell[] = "augment seen(x: Image) -> Image { x |> fit(8px) }\nembed features { network Eye\n view seen }\n";

static void what_calls_itself_ends(void **state) {
    (void)state;
    static const char *const cases[] = {
        "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> Eye }",
        "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { a = x |> You\n a }\nnetwork You(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> Eye }",
        "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> repeat(Eye, 3) }",
        "network Eye(x: Tensor[N, C, H, W], k: Int = f(1)) -> Embedding[N, _] { x |> average_pool }\nfunction f(k: Int) -> Int { f(k) + f(k) }",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        assert_false(trial_chunk(trial, joined(trial, shell, cases[i], "")));
        assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
        assert_int_equal(diag_exit_code(trial->jre), 2);
        test_message_says(trial->jre, "too_deep", NULL);
        trial_free(trial);
    }
}

static void numbers_named_through_thousands_of_names_end(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    text_add(&text, "side = a0 * 1px\n");
    for (int i = 0; i < 10000; i++) text_add(&text, "a%d = a%d + a%d\n", i, i + 1, i + 1);
    text_add(&text, "a10000 = 0\n");
    assert_false(trial_chunk(trial, joined(trial, animals, eye, text.at)));
    test_message_says(trial->jre, "too_deep", NULL);
    text_free(&text);
    trial_free(trial);
}

static void ten_thousand_declarations_take_no_time(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    for (int i = 0; i < 10000; i++) text_add(&text, "a%d = %d + a%d\nprobe a%d\n", i, i, i ? i / 2 : 10000, i);
    text_add(&text, "a10000 = 1\nside = 8px\n");
    trial_sound(trial, joined(trial, animals, eye, text.at));
    text_free(&text);
    trial_free(trial);
}

static void long_pipes_and_deep_brackets_end(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    text_add(&text, "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n  y0 = x\n");
    for (int i = 0; i < 2000; i++) text_add(&text, "  y%d = sin(y%d) + y%d |> relu |> abs\n", i + 1, i, i);
    text_add(&text, "  y2000 |> average_pool |> unit\n}\n");
    trial_sound(trial, joined(trial, shell, text.at, ""));
    text_free(&text);
    trial_free(trial);

    trial = trial_new();
    text = (Text){.jre = trial->jre};
    text_add(&text, "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x");
    for (int i = 0; i < 5000; i++) text_add(&text, " |> relu");
    text_add(&text, " |> average_pool }\n");
    assert_false(trial_chunk(trial, joined(trial, shell, text.at, "")));
    test_message_says(trial->jre, "too_deep", NULL);
    text_free(&text);
    trial_free(trial);
}

static void blocks_repeated_thousands_of_times_end(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_sound(trial, joined(trial, shell, "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> repeat(Block, 1500) |> average_pool |> unit }\n",
                              "network Block(x: Tensor[N, C, H, W]) -> Tensor[N, C, H, W] { sin(x) + x }"));
    trial_free(trial);
}

static void sizes_beyond_all_measure_are_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "x |> mean_pool(1000000000)", "x |> mean_pool(2, stride = 0)", "x |> mean_pool(2, pad = 1000000000)", "x |> conv(1000000000, 1000000000)", "x |> max_pool(0)",
        "x |> max_pool(-1)", "x |> mean_pool(1e300)", "x |> blur(1e9px)", "x |> blur(0px)", "x |> repeat(relu, 1000000000)", "x |> repeat(relu, -1)", "x |> conv(0)",
        "x |> conv(4, 3, groups = 0)", "x |> conv(4, 3, groups = 2)", "concat([])", "concat([3])", "concat([x, 3])", "x[n, c, 1, w]", "x + \"a\"", "x ^ x'", "x @ x", "not 3",
        "-\"a\"", "[x][2]", "[x][1][1]", "x.y", "x.y.z", "Eye.stats", "3(x)", "x |> 3", "if x then 3 else \"a\"", "x to 3", "1 / 0", "0 - 1 divides 3", "log(0 - 1)",
        "x |> fit(8px)", "x |> normalize(half)", "features", "x |> cosine", "p[n] = 3\np", "p[n, c, h, w] = x\np", "sum over n of 3", "learn w: Tensor[3]\nw",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        Trial *trial = trial_new();
        const char *network = arena_print(&trial->jre->forever, "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n%s\n}", bodies[i]);
        if (trial_chunk(trial, joined(trial, shell, network, ""))) fail_msg("`%s` is taken for a network", bodies[i]);
        if (diag_count(trial->jre, SEVERITY_NOTE) != 1 || diag_exit_code(trial->jre) == 70) fail_msg("`%s`: %s", bodies[i], test_messages(trial->jre));
        trial_free(trial);
    }
}

static void arguments_of_every_wrong_kind_are_refused(void **state) {
    (void)state;
    static const char *const values[] = {"3", "3.5", "1e300", "8px", "0.5rad", "60%", "\"text\"", "true", "[1, 2]", "1 to 3", "gray", "folds", "folds.held_out", "cv.map", "likeness",
                                         "features", "Eye", "seen", "relu", "resnet", "-8px", "3(2)", "x", "filter_bank(x = 3)", "Eye.stats", "cosine(likeness)", "chance(folds)"};
    static const char *const places[] = {
        "remove seen\naugment seen(x: Image) -> Image { x |> fit(%s) }", "remove seen\naugment seen(x: Image) -> Image { x |> fit(8px, fill = %s) }", "remove seen\naugment seen(x: Image) -> Image { x |> fit(8px) |> normalize(%s) }",
        "remove seen\naugment seen(x: Image) -> Image { %s }",
    };
    static const char *const settings[] = {"change folds { data %s }", "change folds { folds %s }", "change folds { seed %s }", "change folds { identities %s }", "change animals { image %s }",
                                           "change animals { burst %s }", "change animals { identity %s }", "change features { network %s }", "change features { view %s }",
                                           "change cv { similarity %s }", "change cv { on %s }", "change cv { metrics %s }", "change cv { record %s }", "expect %s", "expect cv.map > %s",
                                           "change animals { root %s }", "change cv { metrics [%s] }", "change features { pool %s }", "probe %s"};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        for (size_t p = 0; p < sizeof places / sizeof *places + sizeof settings / sizeof *settings; p++) {
            Trial *trial = trial_new();
            bool setting = p >= sizeof places / sizeof *places;
            char line[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(line, sizeof line, setting ? settings[p - sizeof places / sizeof *places] : places[p], values[v]);
#pragma GCC diagnostic pop
            bool good = derived(trial, joined(trial, "use resnet\nuse filters\nside = 8px", animals, eye), line);
            int findings = diag_count(trial->jre, SEVERITY_NOTE);
            if (findings > 2 || diag_exit_code(trial->jre) == 70 || (!good && !findings)) fail_msg("`%s` gives %d messages:\n%s", line, findings, test_messages(trial->jre));
            trial_free(trial);
        }
    }
}

/* Whatever one deletes from a real document, the compiler goes on to the end and says little. */
static void a_word_taken_out_of_v01_never_crashes(void **state) {
    (void)state;
    FILE *file = fopen("pipelines/v01.jre", "r");
    if (!file) {
        skip();
        return;
    }
    static char bytes[20000], cut[20000];
    size_t length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    int deletions = 0, worst = 0, many = 0;
    for (size_t at = 0; at < length && deletions < 400;) {
        size_t word = strspn(bytes + at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (!word) word = 1;
        if (strchr(" \n", bytes[at])) {
            at++;
            continue;
        }
        memcpy(cut, bytes, at);
        memcpy(cut + at, bytes + at + word, length - at - word);
        cut[length - word] = 0;
        at += word;
        deletions++;
        Trial *trial = trial_new();
        trial->files.stats = "imagenet";
        fake_resnet(&trial->files, (int[]){3, 4, 6, 3}, true);
        trial_document(trial, "v01.jre", cut);
        int findings = diag_count(trial->jre, SEVERITY_NOTE);
        if (findings > worst) worst = findings;
        many += findings > 2;
        if (findings > 2 || diag_exit_code(trial->jre) == 70) fail_msg("%d messages without `%.*s` at %zu:\n%s", findings, (int)word, bytes + at - word, at, test_messages(trial->jre));
        trial_free(trial);
    }
    assert_int_equal(deletions, 400);
    if (many > 8) fail_msg("%d of %d deletions give over two messages, the worst %d", many, deletions, worst);
}

/* ---- every message has a case ------------------------------------------------------------------------------------------------------------- */

static void mark_words_of(const char *folder, const char *ending, bool *said) {
    static char text[200000];
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (struct dirent *found; (found = readdir(open));) {
        char path[512];
        const char *dot = strrchr(found->d_name, '.');
        if (!dot || strcmp(dot, ending) != 0 || !strcmp(found->d_name, "program.c")) continue;
        snprintf(path, sizeof path, "%s/%s", folder, found->d_name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        for (int i = 0; i < DIAG_COUNT; i++) said[i] |= strstr(text, diag_rows[i].name) != NULL;
    }
    closedir(open);
}

static void every_message_has_a_document_or_a_test(void **state) {
    (void)state;
    bool said[DIAG_COUNT] = {0};
    mark_words_of("tests/errors", ".expected", said);
    int documents = 0;
    for (int i = 0; i < DIAG_COUNT; i++) documents += said[i];
    mark_words_of("tests", ".c", said);
    for (int i = 0; i < DIAG_COUNT; i++)
        if (!said[i]) fail_msg("no test earns `%s`", diag_rows[i].name);
    assert_true(documents >= DIAG_COUNT - 5);                     /* no_memory, out_of_memory, bug and wrong_graph are no document's doing; many_findings takes a thousand */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_a_document_or_a_test),
        cmocka_unit_test(a_change_reaches_what_the_parent_wrote),
        cmocka_unit_test(default_restores_and_remove_frees_a_name),
        cmocka_unit_test(the_command_line_beats_overlays_and_overlays_the_chain),
        cmocka_unit_test(what_the_command_line_cannot_change_is_refused),
        cmocka_unit_test(a_flat_program_compiles_to_the_same),
        cmocka_unit_test(each_choice_is_a_member_and_shared_work_is_done_once),
        cmocka_unit_test(choices_are_called_as_they_are_written),
        cmocka_unit_test(two_axes_make_a_table_and_equal_members_are_one),
        cmocka_unit_test(choices_where_one_value_is_needed_are_told_once),
        cmocka_unit_test(a_mistake_that_all_members_share_is_told_once),
        cmocka_unit_test(too_many_choices_are_refused_before_they_are_made),
        cmocka_unit_test(a_view_of_other_colors_than_the_weights_is_refused_for_each_network_once),
        cmocka_unit_test(what_calls_itself_ends),
        cmocka_unit_test(numbers_named_through_thousands_of_names_end),
        cmocka_unit_test(ten_thousand_declarations_take_no_time),
        cmocka_unit_test(long_pipes_and_deep_brackets_end),
        cmocka_unit_test(blocks_repeated_thousands_of_times_end),
        cmocka_unit_test(sizes_beyond_all_measure_are_refused),
        cmocka_unit_test(arguments_of_every_wrong_kind_are_refused),
        cmocka_unit_test(a_word_taken_out_of_v01_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
