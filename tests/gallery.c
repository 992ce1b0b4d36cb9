/* gallery.c: evaluations over parts: who asks, who may answer, and which pairs an entry without a table is about. */
#include "site.h"

/* Twelve pictures of four animals in two places, of three parts; each place is an encounter. */
static void put_camp(Site *site) {
    Text table = {.jre = site->jre};
    text_add(&table, "filename,ground_truth,part,place\n");
    for (int i = 0; i < 12; i++) text_add(&table, "%02d.png,animal %d,%s,%d\n", i, i % ANIMALS, i < 4 ? "test" : i < 8 ? "train" : "rest", i % 2 ? i : i / 2);
    put_text(site, "train.csv", table.at);
    text_free(&table);
}

static const char camp[] =
    "# Camp\n\n```jre\nextends \"p01.jre\"\n\nremove all\nremove entry\nchange animals { burst \"{place}\"\n keep [place] }\n"
    "split published {\n  data       animals\n  column     \"{part}\"\n  identities shared\n}\n"
    "accept leaking_burst for published because \"a test\"\n"
    "split folds {\n  data       animals\n  folds      3\n  identities shared\n}\n"
    "accept leaking_burst for folds because \"a test\"\n"
    "dataset others like animals { image \"copies/{filename}\" }\n"
    "evaluate crossed {\n  similarity cosine(features)\n  on         published.test\n  against    published.train\n  metrics    [rank1, map]\n  record \"results/benchmarks.csv\"\n}\n"
    "evaluate apart like crossed { gallery not same(burst) }\n"
    "evaluate alone like crossed { gallery place == 2\n lonely zero }\n"
    "evaluate large like crossed { gallery width >= 1px and height < 99999px }\n"
    "evaluate first {\n  similarity cosine(features)\n  on         folds[1].held_out\n  against    folds.train\n  metrics    [map]\n}\n"
    "evaluate each_fold like first { on folds.held_out }\n"
    "evaluate strangers {\n  similarity cosine(features)\n  on         published.test\n  against    others\n  metrics    [map]\n}\n"
    "submit every {\n  similarity cosine(features)\n  on         published.test\n  file       \"submissions/every.csv\"\n}\n"
    "submit some like every {\n  gallery not same(burst)\n  file       \"submissions/some.csv\"\n}\n```\n";

static const cJSON *evaluation_called(const Outcomes *outcomes, const char *name) {
    const cJSON *all = cJSON_GetObjectItem(outcomes->json, "evaluations");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next)
        if (!strcmp(cJSON_GetObjectItem(one, "evaluation")->valuestring, name)) return one;
    fail_msg("no evaluation `%s`", name);
    return NULL;
}

static int count_in(const cJSON *evaluation, const char *name) { return cJSON_GetObjectItem(evaluation, name)->valueint; }

static Outcomes run_camp(Site *site) {
    site_open(site);
    put_camp(site);
    assert_int_equal(system(arena_print(&site->arena, "cp -r '%s' '%s'", inside(site, "train"), inside(site, "copies"))), 0);
    put_text(site, "p02.jre", camp);
    Outcomes outcomes = run_document(site, "p02.jre", (RunOptions){.threads = 2}, false);
    if (outcomes.status != 0) fail_msg("status %d\n%s", outcomes.status, outcomes.messages);
    return outcomes;
}

/* Two animals of four are asked about, all four answer: who is never asked about is a wrong answer all the same. */
static void strangers_among_the_candidates_count_as_wrong_pairs(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "p03.jre",
             "# Two of four\n\n```jre\nextends \"p01.jre\"\n\nremove entry\n"
             "dataset some like animals {\n  only identity == \"animal 0\" or identity == \"animal 1\"\n}\n"
             "remove all\nevaluate all {\n  similarity cosine(features)\n  on         some\n  against    animals\n  metrics    [map]\n}\n```\n");
    Outcomes outcomes = run_document(&site, "p03.jre", (RunOptions){.threads = 1, .all_metrics = true}, false);
    const cJSON *pairs = cJSON_GetArrayItem(cJSON_GetObjectItem(evaluation_called(&outcomes, "all"), "pairs"), 0);
    assert_non_null(pairs);
    assert_int_equal(count_in(pairs, "same"), 4);
    assert_int_equal(count_in(pairs, "different"), 4 * 6);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* Nobody has asked for the size of a picture before a gallery does; and a cell that cannot be compared is no answer "no". */
static void a_gallery_may_ask_for_sizes_and_says_what_it_cannot_compare(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_camp(&site);
    static const char head[] = "# Sizes\n\n```jre\nextends \"p01.jre\"\n\n", tail[] = " }\n```\n";
    put_text(&site, "p03.jre", arena_print(&site.arena, "%sremove entry\nchange all { gallery same(width) and height >= 40px%s", head, tail));
    Outcomes outcomes = run_document(&site, "p03.jre", (RunOptions){.threads = 1}, false);
    if (outcomes.status != 0) fail_msg("status %d\n%s", outcomes.status, outcomes.messages);
    assert_int_equal(count_in(evaluation_called(&outcomes, "all"), "lonely"), 0);
    outcomes_free(&outcomes);
    put_text(&site, "p03.jre", arena_print(&site.arena, "%sremove all\nremove entry\nsubmit sizes {\n  similarity cosine(features)\n  on animals\n  gallery width >= 40px\n  file \"sizes.csv\"%s", head, tail));
    outcomes = run_document(&site, "p03.jre", (RunOptions){.threads = 1}, false);
    if (outcomes.status != 0) fail_msg("status %d\n%s", outcomes.status, outcomes.messages);
    char *rows = contents(&site, "sizes.csv");
    assert_non_null(strstr(rows, "\n131,"));
    jre_release(rows);
    outcomes_free(&outcomes);
    put_text(&site, "p03.jre", arena_print(&site.arena, "%sremove entry\nchange animals { keep [part] }\nchange all { gallery part > 3%s", head, tail));
    outcomes = run_document(&site, "p03.jre", (RunOptions){.threads = 1}, false);
    assert_int_equal(outcomes.status, 1);
    assert_true(test_says(outcomes.messages, "of 12 candidates it cannot be said whether they may answer"));
    assert_true(test_says(outcomes.messages, "00.png: `part` is \"test\", which is not a number"));
    outcomes_free(&outcomes);
    site_close(&site);
}

static void any_part_is_examined_against_any_other(void **state) {
    (void)state;
    Site site;
    Outcomes outcomes = run_camp(&site);
    const cJSON *crossed = evaluation_called(&outcomes, "crossed"), *first = evaluation_called(&outcomes, "first"), *each = evaluation_called(&outcomes, "each_fold");
    assert_int_equal(count_in(crossed, "queries"), 4);
    assert_int_equal(count_in(crossed, "candidates"), 4);
    assert_int_equal(count_in(crossed, "folds"), 1);
    assert_int_equal(count_in(first, "folds"), 1);
    assert_int_equal(count_in(first, "queries") + count_in(first, "candidates"), 12);         /* of its own fold */
    assert_int_equal(count_in(each, "folds"), 3);
    assert_int_equal(count_in(each, "queries") + count_in(each, "candidates"), 3 * 12);
    const cJSON *protocol = cJSON_GetObjectItem(crossed, "protocol");
    assert_string_equal(cJSON_GetObjectItem(protocol, "on")->valuestring, "published.test");
    assert_string_equal(cJSON_GetObjectItem(protocol, "against")->valuestring, "published.train");
    outcomes_free(&outcomes);
    outcomes = run_document(&site, "p02.jre", (RunOptions){.threads = 1}, false);
    assert_int_equal(computed(&outcomes), 0);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* Where everyone but place 2 is left out, one picture of animal 0 may answer: the other three queries are lonely. */
static void the_gallery_says_who_may_answer(void **state) {
    (void)state;
    Site site;
    Outcomes outcomes = run_camp(&site);
    const cJSON *crossed = evaluation_called(&outcomes, "crossed"), *apart = evaluation_called(&outcomes, "apart"), *alone = evaluation_called(&outcomes, "alone");
    assert_int_equal(count_in(crossed, "lonely"), 0);
    assert_int_equal(count_in(alone, "lonely"), 3);
    assert_int_equal(count_in(evaluation_called(&outcomes, "large"), "lonely"), 0);          /* every picture has a width */
    const cJSON *map = cJSON_GetObjectItem(cJSON_GetObjectItem(alone, "metrics"), "map");
    assert_true(cJSON_GetObjectItem(map, "value")->valuedouble == 0.25);
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(apart, "protocol"), "gallery")->valuestring, "not same(burst)");
    char *ext = contents(&site, "results/benchmarks_ext.csv");
    assert_non_null(strstr(ext, ",protocol_key,"));
    assert_non_null(strstr(ext, ",run_id,rank1,rank1_low,rank1_high,map,map_low,map_high\n"));
    const char *keys[3];
    const char *names[] = {"crossed", "apart", "alone"};
    for (int i = 0; i < 3; i++) keys[i] = cJSON_GetObjectItem(cJSON_GetObjectItem(evaluation_called(&outcomes, names[i]), "protocol"), "key")->valuestring;
    assert_true(strcmp(keys[0], keys[1]) && strcmp(keys[0], keys[2]) && strcmp(keys[1], keys[2]));
    jre_release(ext);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* `others` are copies in another folder: the picture itself is known by its content, and is left out. */
static void the_picture_itself_never_answers(void **state) {
    (void)state;
    Site site;
    Outcomes outcomes = run_camp(&site);
    const cJSON *strangers = evaluation_called(&outcomes, "strangers");
    assert_int_equal(count_in(strangers, "queries"), 4);
    assert_int_equal(count_in(strangers, "candidates"), 12);
    const cJSON *map = cJSON_GetObjectItem(cJSON_GetObjectItem(strangers, "metrics"), "map");
    assert_true(cJSON_GetObjectItem(map, "value")->valuedouble < 1);           /* noise: itself would have been the first answer of each */
    outcomes_free(&outcomes);
    site_close(&site);
}

/* Asked for, every metric and what other tools would say are told; the numbers of the document stay what they are. */
static void every_metric_is_told_when_asked_for(void **state) {
    (void)state;
    Site site;
    Outcomes plain = run_camp(&site), all = run_document(&site, "p02.jre", (RunOptions){.threads = 1, .all_metrics = true, .only = "each_fold"}, false);
    const cJSON *before = evaluation_called(&plain, "each_fold"), *now = evaluation_called(&all, "each_fold");
    assert_null(cJSON_GetObjectItem(before, "conventions"));
    assert_true(cJSON_Compare(cJSON_GetObjectItem(before, "metrics"), cJSON_GetObjectItem(now, "metrics"), true));
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(now, "conventions")) > 10);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(now, "pairs")), 3);
    double same = 0;
    const cJSON *bins = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(now, "pairs"), 0), "same_scores");
    for (int i = 0; i < cJSON_GetArraySize(bins); i++) same += cJSON_GetArrayItem(bins, i)->valuedouble;
    assert_true(same == cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(now, "pairs"), 0), "same")->valuedouble);
    outcomes_free(&plain);
    outcomes_free(&all);
    site_close(&site);
}

static void without_a_table_every_pair_is_asked_about(void **state) {
    (void)state;
    Site site;
    Outcomes outcomes = run_camp(&site);
    Table every, some;
    assert_true(table_read(site.jre, inside(&site, "submissions/every.csv"), NOWHERE, &every));
    assert_true(table_read(site.jre, inside(&site, "submissions/some.csv"), NOWHERE, &some));
    assert_int_equal(every.rows, 4 * 3);
    assert_string_equal(every.columns.at[0], "row_id");
    assert_string_equal(every.cells[1], "00.png");
    assert_string_equal(every.cells[2], "01.png");
    for (int row = 0; row < every.rows; row++) {
        double share = strtod(every.cells[4 * row + 3], NULL);
        assert_int_equal(atoi(every.cells[4 * row]), row);
        assert_true(share >= 0 && share <= 1 && strcmp(every.cells[4 * row + 1], every.cells[4 * row + 2]) != 0);
    }
    assert_int_equal(some.rows, 4 * 3 - 2);                        /* 01.png and 02.png are of one place */
    outcomes_free(&outcomes);
    site_close(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_among_the_candidates_count_as_wrong_pairs),
        cmocka_unit_test(a_gallery_may_ask_for_sizes_and_says_what_it_cannot_compare),
        cmocka_unit_test(any_part_is_examined_against_any_other),
        cmocka_unit_test(the_gallery_says_who_may_answer),
        cmocka_unit_test(the_picture_itself_never_answers),
        cmocka_unit_test(every_metric_is_told_when_asked_for),
        cmocka_unit_test(without_a_table_every_pair_is_asked_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
