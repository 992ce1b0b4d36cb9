/* evaluation.c, submission.c, protocol.c, shown.c, record.c, embed.c: what must not be mixed up: parts, folds, datasets, looks of a picture,
 * rows of two runs. */
#include "site.h"

#include <unistd.h>

static const cJSON *evaluation_at(const Outcomes *outcomes, int place) {
    const cJSON *one = cJSON_GetArrayItem(cJSON_GetObjectItem(outcomes->json, "evaluations"), place);
    assert_non_null(one);
    return one;
}

static Outcomes run_sound(Site *site, const char *name) {
    Outcomes outcomes = run_document(site, name, (RunOptions){.threads = 1}, false);
    if (outcomes.status != 0) fail_msg("status %d\n%s", outcomes.status, outcomes.messages);
    return outcomes;
}

/* Two parts of one split, twelve pictures of four animals. */
static void put_halves(Site *site, const char *more) {
    Text table = {.jre = site->jre};
    text_add(&table, "filename,ground_truth,half\n");
    for (int i = 0; i < 12; i++) text_add(&table, "%02d.png,animal %d,%s\n", i, i % ANIMALS, i < 4 ? "small" : "large");
    put_text(site, "train.csv", table.at);
    text_free(&table);
    put_text(site, "p02.jre", arena_print(&site->arena,
             "# Halves\n\n```jre\nextends \"p01.jre\"\n\nremove all\nremove entry\n"
             "split halves {\n  data       animals\n  column     \"{half}\"\n  identities shared\n}\n%s```\n", more));
}

static const char *submission_of(const char *part) {
    return !strcmp(part, "small") ? "submit entry {\n  similarity cosine(features)\n  on         halves.small\n  file       \"entry.csv\"\n}\n"
                                  : "submit entry {\n  similarity cosine(features)\n  on         halves.large\n  file       \"entry.csv\"\n}\n";
}

static void another_part_is_another_entry(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    const char *const parts[] = {"small", "large"};
    const int pictures[] = {4, 8};
    for (int i = 0; i < 2; i++) {
        put_halves(&site, submission_of(parts[i]));
        Outcomes outcomes = run_sound(&site, "p02.jre");
        Table entry;
        assert_true(table_read(site.jre, inside(&site, "entry.csv"), NOWHERE, &entry));
        assert_int_equal(entry.rows, pictures[i] * (pictures[i] - 1));
        outcomes_free(&outcomes);
    }
    site_close(&site);
}

/* The files are the same, what is seen of them is not. */
static void pictures_that_are_turned_make_another_entry(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    put_text(&site, "p02.jre", "# Turned\n\n```jre\nextends \"p01.jre\"\n\nremove all\nchange unseen { exif apply }\n```\n");
    Outcomes outcomes = run_sound(&site, "p02.jre");
    assert_int_equal(computed(&outcomes), ENTRIES + 1);
    outcomes_free(&outcomes);
    site_close(&site);
}

static void a_protocol_names_the_published_rule(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_halves(&site, "split published {\n  data       animals\n  by         closed_set(train = 50%)\n  identities shared\n}\n"
                      "evaluate all {\n  similarity cosine(features)\n  on         published.test\n  against    published.train\n  metrics    [map]\n}\n");
    Outcomes outcomes = run_sound(&site, "p02.jre");
    const char *text = cJSON_GetObjectItem(cJSON_GetObjectItem(evaluation_at(&outcomes, 0), "protocol"), "text")->valuestring;
    if (!strstr(text, "published.test (by closed_set(train = 0.5")) fail_msg("%s", text);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* ---- on the terminal ------------------------------------------------------------------------------------------------------ */

/* What `jre run` prints without --json. */
static char *printed(Site *site, const char *name) {
    Jre *jre = jre_new();
    char *output = NULL;
    size_t length = 0;
    RunOptions options = {.out = open_memstream(&output, &length), .quiet = true, .into = site->folder, .threads = 1};
    Session *session = session_open(jre, &options);
    Facts facts = session_facts(session);
    CompileRequest request = {.path = inside(site, name)};
    Compilation c;
    memset(&c, 0, sizeof c);
    int status = compile(&c, jre, &request, &facts, true) ? session_run(session, &c) : 1;
    fclose(options.out);
    if (status != 0) fail_msg("status %d\n%s", status, test_messages(jre));
    session_close(session);
    compilation_free(&c);
    jre_free(jre);
    return output;
}

static int times(const char *text, const char *words) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, words)); at++) count++;
    return count;
}

/* "all pictures" of two datasets are two protocols, of two scores one. */
static void scores_of_two_protocols_share_no_table(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_halves(&site, "dataset few like animals { only half == \"small\"\n keep [half] }\n"
                      "pictures = each [animals, few]\n"
                      "evaluate all {\n  similarity cosine(features)\n  on         pictures\n  metrics    [map]\n  lonely     zero\n}\n"
                      "accept hollow_evaluation for all because \"these few are four animals\"\n");
    char *text = printed(&site, "p02.jre");
    assert_int_equal(times(text, "all   all pictures"), 2);
    assert_int_equal(times(text, "; 12 pictures"), 1);
    assert_int_equal(times(text, "; 4 pictures"), 1);
    free(text);
    site_close(&site);
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* Rows are kept by how a picture is looked at; in the folder of the run they stand for the picture. */
static void pictures_that_are_turned_have_their_rows(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "p02.jre", "# Turned\n\n```jre\nextends \"p01.jre\"\n\nremove entry\nchange animals { exif apply }\n```\n");
    Outcomes outcomes = run_sound(&site, "p02.jre");
    const cJSON *kept = cJSON_GetArrayItem(cJSON_GetObjectItem(outcomes.json, "evaluations"), 0);
    const char *folder = arena_print(&site.arena, "results/%s", cJSON_GetObjectItem(kept, "run_id")->valuestring);
    Array numbers;
    Table rows;
    assert_true(npy_read(site.jre, inside(&site, arena_print(&site.arena, "%s/features.npy", folder)), NOWHERE, &numbers));
    assert_true(table_read(site.jre, inside(&site, arena_print(&site.arena, "%s/features.csv", folder)), NOWHERE, &rows));
    assert_int_equal(numbers.dim[0], 8);
    assert_int_equal(rows.rows, 8);
    jre_release(numbers.values);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* A run that is killed between the rows and their description leaves them longer than described: those described must still be the first. */
static void rows_of_another_run_keep_their_places(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    Jre *jre = jre_new();
    char *output = NULL;
    size_t length = 0;
    RunOptions options = {.out = open_memstream(&output, &length), .json = true, .quiet = true, .into = site.folder, .threads = 1, .only = "all"};
    Session *session = session_open(jre, &options);
    Facts facts = session_facts(session);
    CompileRequest request = {.path = inside(&site, "p01.jre")};
    Compilation c;
    memset(&c, 0, sizeof c);
    assert_true(compile(&c, jre, &request, &facts, true));
    EmbeddingTable *table = embedding_table(session, c.plan->embeds.at[0]);
    assert_int_equal(table->count, 0);
    put_text(&site, "other.csv", "filename,ground_truth\n11.png,a\n10.png,b\n01.png,a\n");
    put_text(&site, "p02.jre", "# Other\n\n```jre\nextends \"p01.jre\"\n\nchange animals { table \"other.csv\" }\nremove entry\n```\n");
    Outcomes outcomes = run_sound(&site, "p02.jre");
    const char *rows = arena_print(&site.arena, ".jre/store/%s/rows.csv", table->key);
    char *before = contents(&site, rows);
    assert_int_equal(session_run(session, &c), 0);
    char *after = contents(&site, rows);
    assert_int_equal(times(before, "\n"), 1 + 3);
    assert_int_equal(times(after, "\n"), 1 + 8 + 2);
    assert_int_equal(strncmp(before, after, strlen(before)), 0);
    jre_release(before);
    jre_release(after);
    outcomes_free(&outcomes);
    fclose(options.out);
    free(output);
    session_close(session);
    compilation_free(&c);
    jre_free(jre);
    site_close(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_part_is_another_entry),
        cmocka_unit_test(pictures_that_are_turned_make_another_entry),
        cmocka_unit_test(a_protocol_names_the_published_rule),
        cmocka_unit_test(scores_of_two_protocols_share_no_table),
        cmocka_unit_test(pictures_that_are_turned_have_their_rows),
        cmocka_unit_test(rows_of_another_run_keep_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
