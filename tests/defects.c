/* Defects of other tools (DEFINITIONS 7) that no message could catch, because the tool itself had them: here it is shown that jre does not.
 * Those that a document can have stand beside this, in tests/defects. */
#include "ranking.h"
#include "site.h"

#include <fcntl.h>

/* One tool kept features by the name of the picture alone, so another view gave back the old ones. */
static void kept_numbers_are_those_of_this_view(void **state) {
    (void)state;
    Site site;
    site_open(&site);
    expect_run(&site, FIRST_RUN);
    const char *fit = strstr(site_document, "fit(32px, fill = gray)");
    assert_non_null(fit);
    put_text(&site, "p01.jre", arena_print(&site.arena, "%.*sstretch(32px)%s", (int)(fit - site_document), site_document, fit + strlen("fit(32px, fill = gray)")));
    expect_run(&site, FIRST_RUN);
    put_text(&site, "p01.jre", site_document);
    expect_run(&site, 0);
    site_close(&site);
}

static const char *embedding_key(Site *site, const char *document) {
    Session *session = session_open(site->jre, &(RunOptions){.quiet = true, .into = site->folder});
    assert_non_null(session);
    Facts facts = session_facts(session);
    Compilation c;
    memset(&c, 0, sizeof c);
    if (!compile(&c, site->jre, &(CompileRequest){.path = inside(site, document)}, &facts, true)) fail_msg("%s", test_messages(site->jre));
    const char *key = arena_print(&site->arena, "%s", c.plan->embeds.at[0]->key);
    compilation_free(&c);
    session_close(session);
    return key;
}

/* Another knew a checkpoint by its path and its time of change. */
static void weights_are_known_by_what_they_hold(void **state) {
    (void)state;
    Site site;
    char *bytes;
    size_t length;
    struct stat before;
    site_open(&site);
    assert_true(file_read(site.jre, "tests/errors/files/tiny.safetensors", NOWHERE, &bytes, &length));
    const char *path = inside(&site, "tiny.safetensors");
    put_text(&site, "eye.jre",
             "```jre\naugment plain(x: Image) -> Image[8px, 8px] { x |> fit(8px) |> normalize(eye.stats) }\n"
             "network Small(x: Tensor[N, 3, H, W]) -> Tensor[N, 2, H, W] { x |> conv(2, 1) as conv1 }\n"
             "eye = Small(weights = \"tiny.safetensors\")\n"
             "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> eye |> average_pool |> unit }\n"
             "embed features {\n  network Eye\n  view    plain\n}\n```\n");
    assert_true(file_write(site.jre, path, NOWHERE, bytes, length));
    assert_int_equal(stat(path, &before), 0);
    const char *first = embedding_key(&site, "eye.jre");
    bytes[length - 1] ^= 1;                /* another number, in a file of the same length and the same time */
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){before.st_atim, before.st_mtim}, 0), 0);
    const char *second = embedding_key(&site, "eye.jre");
    assert_string_not_equal(first, second);
    jre_release(bytes);
    site_close(&site);
}

/* A third kept counts in 16 bits of floating point, where 2049 is 2048. */
static void counts_are_whole_numbers_beyond_2048(void **state) {
    (void)state;
    enum { QUERIES = 4097, FOUND = 2049 };
    Bench bench = bench_open(1);
    QueryResult *results = calloc(QUERIES, sizeof *results);
    int *label = calloc(QUERIES, sizeof *label);
    for (int i = 0; i < QUERIES; i++) {
        int rank = i < FOUND ? 1 : 2;
        results[i] = (QueryResult){.positives = 1, .candidates = 9, .average_precision = 1.0 / rank, .first_rank = rank, .last_rank = rank, .hits = rank == 1, .best_score = NAN, .best = -1, .answer = -1};
    }
    Evaluation numbers = evaluate_one(&bench, results, label, QUERIES, 1, false, false);
    assert_near(numbers.score[METRIC_rank1].value, (double)FOUND / QUERIES, 1e-15);
    assert_int_equal(numbers.queries, QUERIES);
    free(label);
    free(results);
    bench_close(&bench);
}

/* A fourth cut off the last row and the last column of a mask: the end of a box was taken for its last pixel. */
static void a_mask_reaches_to_the_last_row_and_column(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Image mask;
    char why[256];
    assert_true(mask_from_text(jre, "{\"size\": [3, 4], \"counts\": [11, 1]}", 4, 3, &mask, why));
    for (int i = 0; i < 4 * 3; i++) assert_int_equal(mask.pixels[i], i == 4 * 3 - 1 ? 255 : 0);
    image_free(&mask);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_numbers_are_those_of_this_view),
        cmocka_unit_test(weights_are_known_by_what_they_hold),
        cmocka_unit_test(counts_are_whole_numbers_beyond_2048),
        cmocka_unit_test(a_mask_reaches_to_the_last_row_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
