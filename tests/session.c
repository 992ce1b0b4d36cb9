/* facts.c, embed.c, stored.c, run.c, result.c, submission.c: what a run keeps, what the next one believes of it, and what one
 * mistake costs. A painted folder in the contest's layout, a bank of filters, and runs in JSON. */
#include "site.h"

#include <dirent.h>
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_second_run_computes_nothing(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    double first = expect_run(&site, FIRST_RUN), second = expect_run(&site, 0);
    assert_true(first == second);
    char *record = contents(&site, "results/benchmarks.csv");
    assert_non_null(strstr(record, "version,backbone,loss,embedding_dim,augmentation,cv_map,best_identity_ap,worst_identity_ap,train_time_min,notes\n"));
    assert_non_null(strstr(record, "\np01,filter bank,none,12,plain,0."));
    jre_release(record);
    site_close(&site);
}

/* All of the store but the resized pictures. */
static void forget_results(Site *site) {
    assert_int_equal(system(arena_print(&site->arena, "rm -rf '%s/.jre/store'/*/", site->folder)), 0);
}

static void resized_pictures_are_kept_and_never_change_a_result(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    const char *cache = inside(&site, ".jre/store/pictures.cache");
    struct stat facts;
    Outcomes bypassed = run_with(&site, (RunOptions){.threads = 2, .no_cache = true}, false);
    double decoded = map_of(&bypassed);
    outcomes_free(&bypassed);
    assert_int_equal(stat(cache, &facts), -1);
    forget_results(&site);
    expect_run(&site, FIRST_RUN);
    assert_int_equal(stat(cache, &facts), 0);
    assert_int_equal(facts.st_size, 64 + (8 + ENTRIES) * (64 + 3 * 32 * 32));
    for (int damage = 0; damage < 3; damage++) {
        forget_results(&site);
        if (damage == 1) put_text(&site, ".jre/store/pictures.cache", "no pictures at all");
        if (damage == 2) assert_int_equal(truncate(cache, facts.st_size / 2), 0);
        assert_true(expect_run(&site, FIRST_RUN) == decoded);
    }
    struct stat after;
    assert_int_equal(stat(cache, &after), 0);
    assert_int_equal(after.st_size, facts.st_size);
    site_close(&site);
}

static void files_that_are_missing_come_back_from_the_store(void **state) {
    (void)state;
    static const char *const files[] = {"submissions/p01.csv", "results/benchmarks.csv", "results/p01_all_identities.csv"};
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *before = contents(&site, files[i]);
        assert_int_equal(unlink(inside(&site, files[i])), 0);
        expect_run(&site, 0);
        char *after = contents(&site, files[i]);
        assert_string_equal(before, after);
        jre_release(before);
        jre_release(after);
    }
    site_close(&site);
}

/* A table from an old spreadsheet: its letters are no UTF-8, so JSON cannot hold them. */
static void a_name_that_json_must_escape_comes_back_from_the_store(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "train.csv", "filename,ground_truth\n00.png,\"Marru\t\\\"\"\1\"\n01.png,Yara\n02.png,\"Marru\t\\\"\"\1\"\n03.png,Yara\n");
    expect_run(&site, 4 + 1 + ENTRIES + 1);
    char *before = contents(&site, "results/p01_all_identities.csv");
    assert_non_null(strstr(before, "\n\"Marru\t\\\"\"\1\",2,1,"));
    assert_int_equal(unlink(inside(&site, "results/p01_all_identities.csv")), 0);
    expect_run(&site, 0);
    char *after = contents(&site, "results/p01_all_identities.csv");
    assert_string_equal(before, after);
    jre_release(before);
    jre_release(after);
    site_close(&site);
}

static void three_new_pictures_cost_three_embeddings(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    put_table(&site, 11);
    expect_run(&site, 3 + 1);
    put_table(&site, 8);
    expect_run(&site, 0);
    site_close(&site);
}

static void rows_ahead_of_their_description_do_not_count(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    Outcomes first = run(&site);
    const char *about = arena_print(&site.arena, ".jre/store/%s/about.json", key_of(&site, &first, "embed_key"));
    char *old = contents(&site, about);
    put_table(&site, 11);
    double undisturbed = expect_run(&site, 3 + 1);
    /* As if the second run had been killed before about.json: longer parts, the old description, no evaluation. */
    put_text(&site, about, old);
    Outcomes second = run(&site);
    assert_int_equal(computed(&second), 0);
    put_text(&site, arena_print(&site.arena, ".jre/store/%s/result.json", key_of(&site, &second, "key")), "{");
    assert_true(expect_run(&site, 3 + 1) == undisturbed);
    jre_release(old);
    outcomes_free(&first);
    outcomes_free(&second);
    site_close(&site);
}

static void damaged_results_are_computed_again_without_a_word(void **state) {
    (void)state;
    static const char *const damages[] = {"", "{", "{\"map\": \"much\"}", "null", "{\"individuals\": [1, 2]}"};
    Site site;
    site_open(&site);
    Outcomes first = run(&site);
    const char *part = arena_print(&site.arena, ".jre/store/%s/result.json", key_of(&site, &first, "key"));
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        put_text(&site, part, damages[i]);
        assert_true(expect_run(&site, 1) == map_of(&first));
    }
    /* Nonsense with a checksum that fits it: what is read is checked as well. */
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        put_text(&site, part, damages[i]);
        put_text(&site, arena_print(&site.arena, ".jre/store/%s/about.json", key_of(&site, &first, "key")),
                 arena_print(&site.arena, "{\"checksum\": \"%s\"}", hash_bytes(site.jre, damages[i], strlen(damages[i]))));
        assert_true(expect_run(&site, 1) == map_of(&first));
    }
    outcomes_free(&first);
    site_close(&site);
}

static void damaged_embeddings_are_computed_again_without_a_word(void **state) {
    (void)state;
    static const char *const parts[] = {"embeddings.npy", "rows.csv", "about.json"};
    Site site;
    site_open(&site);
    Outcomes first = run(&site);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        put_text(&site, arena_print(&site.arena, ".jre/store/%s/%s", key_of(&site, &first, "embed_key"), parts[i]), "content_hash,file\nx,y\n");
        put_text(&site, arena_print(&site.arena, ".jre/store/%s/result.json", key_of(&site, &first, "key")), "");
        /* The entry's own result is untouched, so only the table's pictures are needed. */
        assert_true(expect_run(&site, 8 + 1) == map_of(&first));
    }
    outcomes_free(&first);
    site_close(&site);
}

static void the_entry_holds_half_of_cosine_plus_one(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    Table table;
    assert_true(table_read(site.jre, inside(&site, "submissions/p01.csv"), NOWHERE, &table));
    assert_int_equal(table.rows, ENTRIES * ENTRIES);
    for (int row = 0; row < table.rows; row++) {
        double share = strtod(table.cells[2 * row + 1], NULL), other = strtod(table.cells[2 * (row % ENTRIES * ENTRIES + row / ENTRIES) + 1], NULL);
        assert_int_equal(atoi(table.cells[2 * row]), row);
        assert_true(share >= 0 && share <= 1 && fabs(share - other) < 1e-6);
        if (row / ENTRIES == row % ENTRIES) assert_true(share > 0.999999);
    }
    site_close(&site);
}

static void a_bad_entry_does_not_cost_the_score(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "test.csv", "row_id,query_image,gallery_image\n0,0.png,1.png\n1,zero.png,1.png\n");
    Outcomes outcomes = run(&site);
    assert_int_equal(outcomes.status, 1);
    assert_true(test_says(outcomes.messages, "line 3: `zero.png`"));
    assert_true(map_of(&outcomes) > 0);
    outcomes_free(&outcomes);
    put_text(&site, "test.csv", "row_id,query,gallery_image\n0,0.png,1.png\n");
    outcomes = run(&site);
    assert_int_equal(outcomes.status, 1);
    assert_true(test_says(outcomes.messages, "has no column `query_image`"));
    outcomes_free(&outcomes);
    site_close(&site);
}

static void a_corrupt_picture_costs_what_needs_it(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "test/3.png", "not a picture");
    Outcomes outcomes = run(&site);
    assert_int_equal(outcomes.status, 1);
    assert_true(test_says(outcomes.messages, "test/3.png"));
    assert_true(map_of(&outcomes) > 0);
    assert_false(file_exists(inside(&site, "submissions/p01.csv")));
    outcomes_free(&outcomes);
    site_close(&site);
}

/* p02 quotes p01's own result: computed once, kept in the store, and written nowhere else. */
static void an_ancestor_that_is_quoted_is_computed_and_writes_nothing(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "p02.jre", "# Two\n\n```jre\nextends \"p01.jre\"\n\nside = each [32px, 64px]\n"
                               "augment sized(x: Image) -> Image { x |> fit(side, fill = gray) |> normalize(imagenet) }\n"
                               "change features { view sized }\nremove entry\n"
                               "expect all[side = 32px].map == p01.all.map\nexpect best(all, by = map).map >= p01.all.map\n```\n");
    Outcomes outcomes = run_document(&site, "p02.jre", (RunOptions){.threads = 2}, false);
    if (outcomes.status != 0) fail_msg("%s", outcomes.messages);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(outcomes.json, "evaluations")), 2);
    const cJSON *expectations = cJSON_GetObjectItem(outcomes.json, "expectations");
    for (int i = 0; i < 2; i++) assert_true(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetArrayItem(expectations, i), "holds")));
    outcomes_free(&outcomes);
    char *bytes;
    size_t length;
    assert_true(file_read(site.jre, inside(&site, "results/benchmarks.csv"), NOWHERE, &bytes, &length));
    int lines = 0;
    for (size_t i = 0; i < length; i++) lines += bytes[i] == '\n';
    assert_int_equal(lines, 3);                                    /* the heading, and a row for each choice of p02 */
    jre_release(bytes);
    site_close(&site);
}

static void an_interrupted_run_says_130(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    Outcomes outcomes = run_with(&site, (RunOptions){.threads = 1}, true);
    assert_int_equal(outcomes.status, 130);
    assert_int_equal(computed(&outcomes), 0);
    assert_false(folder_exists(inside(&site, "results")));         /* no score, no record */
    outcomes_free(&outcomes);
    expect_run(&site, FIRST_RUN);
    site_close(&site);
}

static void only_runs_what_is_named(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    Outcomes outcomes = run_with(&site, (RunOptions){.only = "entry"}, false);
    assert_int_equal(outcomes.status, 0);
    assert_int_equal(computed(&outcomes), ENTRIES + 1);
    outcomes_free(&outcomes);
    outcomes = run_with(&site, (RunOptions){.only = "entri"}, false);
    assert_int_equal(outcomes.status, 1);
    assert_true(test_says(outcomes.messages, "did you mean `entry`?"));
    outcomes_free(&outcomes);
    site_close(&site);
}

static void without_the_cache_everything_is_computed(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    double first = expect_run(&site, FIRST_RUN);
    Outcomes outcomes = run_with(&site, (RunOptions){.no_cache = true}, false);
    assert_int_equal(computed(&outcomes), FIRST_RUN);
    assert_true(map_of(&outcomes) == first);
    outcomes_free(&outcomes);
    expect_run(&site, 0);
    site_close(&site);
}

static void a_folder_that_takes_nothing_still_gives_numbers(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, ".jre", "a file where the store wants its folder");
    Outcomes outcomes = run(&site);
    assert_int_equal(outcomes.status, 1);
    assert_true(test_says(outcomes.messages, "cannot_write"));
    assert_true(map_of(&outcomes) > 0);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* What a run computes after an edit of the pictures, of the table, of the machine. */
static void a_changed_pixel_is_computed_again_and_its_name_is_not(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    put_picture(&site, "train/03.png", 77);
    expect_run(&site, 1 + 1);                                      /* that picture, the evaluation */
    put_text(&site, "train.csv", "filename,ground_truth\n00.png,a\n01.png,b\n02.png,a\n03.png,b\n");
    expect_run(&site, 1);
    assert_int_equal(rename(inside(&site, "train/00.png"), inside(&site, "train/zero.png")), 0);
    put_text(&site, "train.csv", "filename,ground_truth\nzero.png,a\n01.png,b\n02.png,a\n03.png,b\n");
    expect_run(&site, 0);
    put_text(&site, "train.csv", "filename,ground_truth\nzero.png,a\n01.png,b\n02.png,b\n03.png,b\n");
    expect_run(&site, 1);
    site_close(&site);
}

/* Who rewrites a file, or a table, without changing what it says costs nothing. */
static void what_is_touched_and_not_changed_costs_nothing(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    for (int i = 0; i < 12; i++) put_picture(&site, arena_print(&site.arena, "train/%02d.png", i), (unsigned)i + 1);
    put_table(&site, 8);
    expect_run(&site, 0);
    put_text(&site, "p01.jre", arena_print(&site.arena, "More words above.\n\n%s\nMore words below.\n", site_document));
    expect_run(&site, 0);
    site_close(&site);
}

/* The easiest and the hardest individual by name. */
static void individuals_are_named_after_the_run(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "p02.jre", "# Two\n\n```jre\nextends \"p01.jre\"\n\nremove entry\nexpect all.best.identity == \"nobody\"\nexpect all.worst.ap <= all.best.ap\nprobe all.worst.identity\n```\n");
    Outcomes outcomes = run_document(&site, "p02.jre", (RunOptions){.threads = 1}, false);
    if (outcomes.status != 3) fail_msg("status %d\n%s", outcomes.status, outcomes.messages);       /* nobody is called so */
    const cJSON *evaluation = cJSON_GetArrayItem(cJSON_GetObjectItem(outcomes.json, "evaluations"), 0);
    const cJSON *best = cJSON_GetArrayItem(cJSON_GetObjectItem(evaluation, "individuals"), cJSON_GetObjectItem(evaluation, "best")->valueint);
    const char *name = cJSON_GetObjectItem(best, "identity")->valuestring;
    put_text(&site, "p02.jre", arena_print(&site.arena, "# Two\n\n```jre\nextends \"p01.jre\"\n\nremove entry\nexpect all.best.identity == \"%s\"\n```\n", name));
    Outcomes again = run_document(&site, "p02.jre", (RunOptions){.threads = 1}, false);
    if (again.status != 0) fail_msg("status %d\n%s", again.status, again.messages);
    outcomes_free(&again);
    outcomes_free(&outcomes);
    site_close(&site);
}

static void other_instructions_are_other_keys(void **state) {
    (void)state;
    if (kernel_level("v2") < 0 || kernel_level("v3") < 0) skip();
    Site site;
    site_open(&site);
    const char *had = getenv("JRE_CPU");
    setenv("JRE_CPU", "v3", 1);
    expect_run(&site, FIRST_RUN);
    setenv("JRE_CPU", "v2", 1);
    expect_run(&site, FIRST_RUN);
    expect_run(&site, 0);
    had ? setenv("JRE_CPU", had, 1) : unsetenv("JRE_CPU");
    site_close(&site);
}

static void one_picture_at_a_time_is_another_key(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    Outcomes outcomes = run_document(&site, "p01.jre", (RunOptions){.threads = 1, .latency = true}, false);
    assert_int_equal(computed(&outcomes), FIRST_RUN);
    outcomes_free(&outcomes);
    expect_run(&site, 0);
    site_close(&site);
}

/* The tree beside a result, read back; and read when it is damaged. */
static void a_result_remembers_what_it_was_made_of(void **state) {
    (void)state;
    static const char *const damages[] = {"", "{", "null", "{\"name\": \"evaluate\"}", "{\"name\": 1, \"hash\": 2, \"parts\": []}",
                                          "{\"name\": \"a\", \"hash\": \"b\", \"told\": [1], \"leaves\": [], \"parts\": []}"};
    Site site;
    site_open(&site);
    Outcomes outcomes = run(&site);
    Session *session = session_open(site.jre, &(RunOptions){.into = site.folder, .quiet = true});
    assert_non_null(session);
    const char *key = key_of(&site, &outcomes, "key");
    const KeyTree *tree = stored_tree(session, key);
    assert_non_null(tree);
    assert_string_equal(tree->name, "evaluate all");
    StoredResult result;
    assert_true(stored_origin(session, key, &result));
    assert_string_equal(result.what, "evaluate all");
    assert_string_equal(result.version, "p01");
    assert_true(result.made > 1e9);
    StoredResults results = {0};
    stored_results(session, &results);
    assert_true(results.count >= 3);                               /* embeddings, evaluation, entry */
    KeyTree *again = key_reopen(&session->arena, tree);
    assert_string_equal(key_close(again), key);                    /* what was kept is what was hashed */
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        put_text(&site, arena_print(&site.arena, ".jre/store/%s/key.json", key), damages[i]);
        assert_null(stored_tree(session, key));
    }
    assert_null(stored_tree(session, "../../etc"));
    session_close(session);
    outcomes_free(&outcomes);
    expect_run(&site, 0);
    site_close(&site);
}

/* Of the only run that is recorded: its folder. */
static const char *recorded(Site *site) {
    DIR *folder = opendir(inside(site, "results"));
    const char *found = NULL;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (!strncmp(entry->d_name, "run_", 4)) {
            assert_null(found);
            found = arena_print(&site->arena, "results/%s", entry->d_name);
        }
    closedir(folder);
    assert_non_null(found);
    return found;
}

/* Eight pictures have seven candidates each, so the table is the whole ranking: average precision follows from it. */
static void the_best_candidates_of_every_query_are_told(void **state) {
    (void)state;
    char *first = NULL;
    for (int threads = 1; threads <= 3; threads += 2) {
        Site site;
        Table table;
        site_open(&site);
        Outcomes outcomes = run_document(&site, "p01.jre", (RunOptions){.threads = threads}, false);
        const char *folder = recorded(&site), *file = arena_print(&site.arena, "%s/all_neighbors.csv", folder);
        char *json = contents(&site, arena_print(&site.arena, "%s/result.json", folder)), *text = contents(&site, file);
        cJSON *result = cJSON_Parse(json);
        assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(result, "evaluations"), 0), "neighbors")->valuestring, "all_neighbors.csv");
        assert_true(table_read(site.jre, inside(&site, file), NOWHERE, &table));
        assert_int_equal(table.rows, 8 * 7);
        double sum = 0;
        for (int q = 0; q < 8; q++) {
            int found = 0;
            for (int i = 0; i < 7; i++) {
                const char **cell = table.cells + (size_t)(q * 7 + i) * (size_t)table.columns.count;
                assert_string_equal(cell[0], arena_print(&site.arena, "%02d.png", q));
                assert_string_equal(cell[2], "1");
                assert_int_equal(atoi(cell[3]), i + 1);
                assert_true(i == 0 || atof(cell[6]) <= atof(cell[6 - table.columns.count]));
                assert_string_equal(cell[7], cell[1] == cell[5] || !strcmp(cell[1], cell[5]) ? "1" : "0");
                sum += atoi(cell[7]) ? (double)++found / (i + 1) : 0;
            }
            assert_int_equal(found, 1);   /* each animal has two pictures */
        }
        assert_true(fabs(sum / 8 - map_of(&outcomes)) < 1e-12);
        if (first) assert_string_equal(text, first);
        /* Damaged in the store, it is made again. */
        put_text(&site, arena_print(&site.arena, ".jre/store/%s/neighbors.csv", key_of(&site, &outcomes, "key")), "file\n");
        assert_true(expect_run(&site, 1) == map_of(&outcomes));
        outcomes_free(&outcomes);
        cJSON_Delete(result);
        jre_release(json);
        if (first) jre_release(text);
        else first = text;
        site_close(&site);
    }
    jre_release(first);
}

static void the_folder_of_a_run_is_complete_in_itself(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    expect_run(&site, 0);                                          /* computes nothing, leaves no folder */
    const char *folder = recorded(&site);
    char *json = contents(&site, arena_print(&site.arena, "%s/result.json", folder)), *program = contents(&site, arena_print(&site.arena, "%s/config.snapshot.jre", folder));
    cJSON *result = cJSON_Parse(json);
    const cJSON *inputs = cJSON_GetObjectItem(result, "inputs"), *datasets = cJSON_GetObjectItem(inputs, "datasets"), *embeddings = cJSON_GetObjectItem(result, "embeddings");
    assert_int_equal(cJSON_GetArraySize(datasets), 2);
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(datasets, 0), "dataset")->valuestring, "animals");
    assert_int_equal(strlen(cJSON_GetObjectItem(cJSON_GetArrayItem(datasets, 0), "signature")->valuestring), 32);
    assert_int_equal(strlen(cJSON_GetObjectItem(cJSON_GetArrayItem(datasets, 0), "table_hash")->valuestring), 32);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(inputs, "documents")), 1);
    assert_int_equal(cJSON_GetArraySize(embeddings), 1);
    assert_int_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(embeddings, 0), "embedding_dim")->valueint, 12);
    Array numbers;
    Table rows;
    assert_true(npy_read(site.jre, inside(&site, arena_print(&site.arena, "%s/features.npy", folder)), NOWHERE, &numbers));
    assert_true(table_read(site.jre, inside(&site, arena_print(&site.arena, "%s/features.csv", folder)), NOWHERE, &rows));
    assert_int_equal(numbers.dim[0], 8 + ENTRIES);
    assert_int_equal(rows.rows, 8 + ENTRIES);
    assert_string_equal(rows.cells[0], "00.png");
    assert_string_equal(rows.cells[1], "animal 0");
    assert_string_equal(rows.cells[8 * rows.columns.count + 4], "unseen");
    jre_release(numbers.values);
    /* The flat program parses, and is the same experiment: nothing is left to compute. */
    put_text(&site, "again.jre", program);
    Outcomes outcomes = run_document(&site, "again.jre", (RunOptions){.threads = 1}, false);
    if (outcomes.status != 0 || computed(&outcomes)) fail_msg("status %d, computed %d\n%s\n%s", outcomes.status, computed(&outcomes), outcomes.messages, program);
    outcomes_free(&outcomes);
    cJSON_Delete(result);
    jre_release(json);
    jre_release(program);
    site_close(&site);
}

/* Rows of the folder stand for pictures, also where the store has them in another order or more of them. */
static void embeddings_of_a_run_are_those_of_its_pictures(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "train.csv", "filename,ground_truth\n00.png,a\n01.png,b\n02.png,a\n");
    expect_run(&site, 3 + 1 + ENTRIES + 1);
    assert_int_equal(system(arena_print(&site.arena, "rm -r '%s'", inside(&site, recorded(&site)))), 0);
    put_text(&site, "train.csv", "filename,ground_truth\n03.png,b\n01.png,b\n00.png,a\n04.png,a\n");
    expect_run(&site, 2 + 1);
    const char *folder = recorded(&site);
    Array numbers, stored;
    Table rows, content;
    Outcomes outcomes = run(&site);
    const char *key = key_of(&site, &outcomes, "embed_key");
    assert_true(npy_read(site.jre, inside(&site, arena_print(&site.arena, "%s/features.npy", folder)), NOWHERE, &numbers));
    assert_true(table_read(site.jre, inside(&site, arena_print(&site.arena, "%s/features.csv", folder)), NOWHERE, &rows));
    assert_true(npy_read(site.jre, inside(&site, arena_print(&site.arena, ".jre/store/%s/embeddings.npy", key)), NOWHERE, &stored));
    assert_true(table_read(site.jre, inside(&site, arena_print(&site.arena, ".jre/store/%s/rows.csv", key)), NOWHERE, &content));
    assert_int_equal(rows.rows, 4 + ENTRIES);
    assert_int_equal(numbers.dim[0], 4 + ENTRIES);
    for (int i = 0; i < rows.rows; i++) {
        int k = 0;
        while (k < content.rows && strcmp(content.cells[2 * k], rows.cells[i * rows.columns.count + 3]) != 0) k++;
        assert_true(k < content.rows);
        assert_memory_equal(numbers.values + 12 * i, stored.values + 12 * k, 12 * sizeof(float));
    }
    outcomes_free(&outcomes);
    jre_release(numbers.values);
    jre_release(stored.values);
    site_close(&site);
}

static void what_is_skipped_stands_in_the_record(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    char *table = contents(&site, "train.csv");
    put_text(&site, "train.csv", arena_print(&site.arena, "%sgone.png,animal 0\n", table));
    put_text(&site, "p02.jre", "# Skipped\n\n```jre\nextends \"p01.jre\"\n\nchange animals { missing skip }\n```\n");
    Outcomes outcomes = run_document(&site, "p02.jre", (RunOptions){.threads = 1}, false);
    assert_int_equal(outcomes.status, 0);
    char *json = contents(&site, arena_print(&site.arena, "%s/result.json", recorded(&site)));
    cJSON *result = cJSON_Parse(json);
    const cJSON *animals = cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(result, "inputs"), "datasets"), 0);
    assert_int_equal(cJSON_GetObjectItem(animals, "skipped")->valueint, 1);
    assert_non_null(strstr(cJSON_GetArrayItem(cJSON_GetObjectItem(animals, "skipped_files"), 0)->valuestring, "gone.png"));
    cJSON_Delete(result);
    jre_release(json);
    jre_release(table);
    outcomes_free(&outcomes);
    site_close(&site);
}

/* Two documents that share an embed, each with pictures of its own, in two processes. */
static void two_runs_at_once_keep_the_pictures_of_both(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    put_text(&site, "other.csv", "filename,ground_truth\n08.png,a\n09.png,b\n10.png,a\n11.png,b\n");
    put_text(&site, "p02.jre", "# Two\n\n```jre\nextends \"p01.jre\"\n\nchange animals { table \"other.csv\" }\nremove entry\n```\n");
    pid_t child = fork();
    assert_true(child >= 0);
    Outcomes outcomes = run_document(&site, child ? "p01.jre" : "p02.jre", (RunOptions){.threads = 1, .only = "all"}, false);
    if (!child) _exit(outcomes.status);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(outcomes.status + (WIFEXITED(status) ? WEXITSTATUS(status) : 1), 0);
    outcomes_free(&outcomes);
    for (int i = 1; i <= 2; i++) {
        outcomes = run_document(&site, arena_print(&site.arena, "p%02d.jre", i), (RunOptions){.threads = 1, .only = "all"}, false);
        assert_int_equal(computed(&outcomes), 0);
        outcomes_free(&outcomes);
    }
    assert_int_equal(unlink(inside(&site, "train.csv")), 0);
    put_table(&site, 12);                                          /* all twelve are there: only the evaluation is new */
    outcomes = run_document(&site, "p01.jre", (RunOptions){.threads = 1, .only = "all"}, false);
    assert_int_equal(computed(&outcomes), 1);
    outcomes_free(&outcomes);
    char *record = contents(&site, "results/benchmarks.csv");
    assert_non_null(strstr(record, "\np01,"));
    assert_non_null(strstr(record, "\np02,"));
    jre_release(record);
    site_close(&site);
}

static void numbers_in_json_read_back_to_the_same_bits(void **state) {
    (void)state;
    static const double numbers[] = {0, 1, -1, 0.1, 1.0 / 3, 1e-300, 123456789.125, 2.2250738585072014e-308, 1.7976931348623157e308};
    Jre *jre = jre_new();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        Text text = {.jre = jre};
        json_number(&text, numbers[i]);
        assert_true(strtod(text.at, NULL) == numbers[i]);
        text_free(&text);
    }
    Text text = {.jre = jre};
    json_number(&text, NAN);
    json_text(&text, "a \"b\"\\\n\x01\xE1");
    assert_string_equal(text.at, "null\"a \\\"b\\\"\\\\\\n\\u0001\xEF\xBF\xBD\"");
    text_free(&text);
    text_add(&text, "{");
    json_member(&text, "first", "a");
    json_member(&text, "second", NULL);
    assert_string_equal(text.at, "{\"first\": \"a\", \"second\": \"\"");
    text_free(&text);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_run_computes_nothing),
        cmocka_unit_test(resized_pictures_are_kept_and_never_change_a_result),
        cmocka_unit_test(files_that_are_missing_come_back_from_the_store),
        cmocka_unit_test(a_name_that_json_must_escape_comes_back_from_the_store),
        cmocka_unit_test(three_new_pictures_cost_three_embeddings),
        cmocka_unit_test(rows_ahead_of_their_description_do_not_count),
        cmocka_unit_test(damaged_results_are_computed_again_without_a_word),
        cmocka_unit_test(damaged_embeddings_are_computed_again_without_a_word),
        cmocka_unit_test(the_entry_holds_half_of_cosine_plus_one),
        cmocka_unit_test(a_bad_entry_does_not_cost_the_score),
        cmocka_unit_test(a_corrupt_picture_costs_what_needs_it),
        cmocka_unit_test(an_ancestor_that_is_quoted_is_computed_and_writes_nothing),
        cmocka_unit_test(an_interrupted_run_says_130),
        cmocka_unit_test(only_runs_what_is_named),
        cmocka_unit_test(without_the_cache_everything_is_computed),
        cmocka_unit_test(a_folder_that_takes_nothing_still_gives_numbers),
        cmocka_unit_test(a_changed_pixel_is_computed_again_and_its_name_is_not),
        cmocka_unit_test(what_is_touched_and_not_changed_costs_nothing),
        cmocka_unit_test(individuals_are_named_after_the_run),
        cmocka_unit_test(other_instructions_are_other_keys),
        cmocka_unit_test(one_picture_at_a_time_is_another_key),
        cmocka_unit_test(a_result_remembers_what_it_was_made_of),
        cmocka_unit_test(the_best_candidates_of_every_query_are_told),
        cmocka_unit_test(the_folder_of_a_run_is_complete_in_itself),
        cmocka_unit_test(embeddings_of_a_run_are_those_of_its_pictures),
        cmocka_unit_test(what_is_skipped_stands_in_the_record),
        cmocka_unit_test(two_runs_at_once_keep_the_pictures_of_both),
        cmocka_unit_test(numbers_in_json_read_back_to_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
