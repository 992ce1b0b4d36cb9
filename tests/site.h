/* A painted folder in the contest's layout, a document with a bank of filters, and runs of it in JSON. */
#ifndef JRE_TESTS_SITE_H
#define JRE_TESTS_SITE_H

#include "test.h"

#include "../runtime/runtime.h"

#include <cjson/cJSON.h>
#include <signal.h>

enum { SIDE = 40, ANIMALS = 4, ENTRIES = 5 };

typedef struct { char folder[64]; Jre *jre; Arena arena; } Site;
typedef struct { int status; char *messages; cJSON *json; } Outcomes;

static inline const char *inside(Site *site, const char *name) { return arena_print(&site->arena, "%s/%s", site->folder, name); }

static inline void put_text(Site *site, const char *name, const char *text) {
    assert_true(file_write(site->jre, inside(site, name), NOWHERE, text, strlen(text)));
}

static inline void put_picture(Site *site, const char *name, unsigned seed) {
    uint8_t pixels[3 * SIDE * SIDE];
    for (size_t i = 0; i < sizeof pixels; i++) {
        seed = seed * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(seed >> 24);
    }
    Image image = {SIDE, SIDE, 3, pixels};
    assert_true(image_write_png(site->jre, inside(site, name), NOWHERE, &image));
}

/* The training table with `pictures` rows; picture i shows animal i % ANIMALS. */
static inline void put_table(Site *site, int pictures) {
    Text table = {.jre = site->jre};
    text_add(&table, "filename,ground_truth\n");
    for (int i = 0; i < pictures; i++) text_add(&table, "%02d.png,animal %d\n", i, i % ANIMALS);
    put_text(site, "train.csv", table.at);
    text_free(&table);
}

static const char site_document[] =
    "# Painted\n\n```jre\nuse filters\n\n"
    "dataset animals {\n  table    \"train.csv\"\n  image    \"train/{filename}\"\n  identity \"{ground_truth}\"\n}\n"
    "dataset unseen {\n  image \"test/*.png\"\n}\n"
    "augment plain(x: Image) -> Image[32px, 32px] {\n  x |> fit(32px, fill = gray) |> normalize(imagenet)\n}\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] where 32 divides H, 32 divides W {\n"
    "  x |> filter_bank(stats = imagenet) |> average_pool |> unit\n}\n"
    "embed features {\n  network Eye\n  view    plain\n}\n"
    "evaluate all {\n  similarity cosine(features)\n  on         animals\n  metrics    [map]\n  record     \"results/benchmarks.csv\"\n}\n"
    "submit entry {\n  similarity cosine(features)\n  on         unseen\n  pairs      \"test.csv\"\n  file       \"submissions/{version}.csv\"\n}\n```\n";

static inline void site_open(Site *site) {
    *site = (Site){.jre = jre_new()};
    site->arena.jre = site->jre;
    test_folder(site->folder);
    assert_true(folder_make(site->jre, inside(site, "train"), NOWHERE));
    assert_true(folder_make(site->jre, inside(site, "test"), NOWHERE));
    for (int i = 0; i < 12; i++) put_picture(site, arena_print(&site->arena, "train/%02d.png", i), (unsigned)i + 1);
    for (int i = 0; i < ENTRIES; i++) put_picture(site, arena_print(&site->arena, "test/%d.png", i), (unsigned)i + 100);
    put_table(site, 8);
    put_text(site, "p01.jre", site_document);
    Text pairs = {.jre = site->jre};
    text_add(&pairs, "row_id,query_image,gallery_image\n");
    for (int i = 0; i < ENTRIES * ENTRIES; i++) text_add(&pairs, "%d,%d.png,%d.png\n", i, i / ENTRIES, i % ENTRIES);
    put_text(site, "test.csv", pairs.at);
    text_free(&pairs);
}

static inline void site_close(Site *site) {
    assert_int_equal(diag_count(site->jre, SEVERITY_NOTE), 0);
    test_folder_gone(site->folder);
    arena_free(&site->arena);
    jre_free(site->jre);
}

/* One `jre run --json` of a document in a context of its own. */
static inline Outcomes run_document(Site *site, const char *name, RunOptions options, bool interrupted) {
    Jre *jre = jre_new();
    char *output = NULL;
    size_t length = 0;
    options.out = open_memstream(&output, &length);
    options.json = options.quiet = true;
    options.into = site->folder;
    Session *session = session_open(jre, &options);
    assert_non_null(session);
    Facts facts = session_facts(session);
    CompileRequest request = {.path = inside(site, name)};
    Compilation c;
    memset(&c, 0, sizeof c);
    Outcomes outcomes = {.status = 1};
    if (compile(&c, jre, &request, &facts, true)) {
        jre->interrupted = interrupted ? SIGINT : 0;
        outcomes.status = session_run(session, &c);
    }
    fclose(options.out);
    outcomes.messages = test_messages(jre);
    outcomes.json = cJSON_Parse(output);
    free(output);
    session_close(session);
    compilation_free(&c);
    jre_free(jre);
    return outcomes;
}

static inline Outcomes run_with(Site *site, RunOptions options, bool interrupted) { return run_document(site, "p01.jre", options, interrupted); }

static inline Outcomes run(Site *site) { return run_with(site, (RunOptions){.threads = 2}, false); }

static inline void outcomes_free(Outcomes *outcomes) {
    free(outcomes->messages);
    cJSON_Delete(outcomes->json);
}

static inline int computed(const Outcomes *outcomes) {
    const cJSON *item = cJSON_GetObjectItem(outcomes->json, "computed");
    assert_non_null(item);
    return item->valueint;
}

static inline double map_of(const Outcomes *outcomes) {
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(outcomes->json, "evaluations"), 0);
    assert_non_null(first);
    return cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(first, "metrics"), "map"), "value")->valuedouble;
}

static inline const char *key_of(Site *site, const Outcomes *outcomes, const char *name) {
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(outcomes->json, "evaluations"), 0);
    return arena_print(&site->arena, "%s", cJSON_GetObjectItem(first, name)->valuestring);
}

/* Runs and expects: a status, a number of things computed, no error; gives the map. */
static inline double expect_run(Site *site, int expected) {
    Outcomes outcomes = run(site);
    if (outcomes.status != 0 || computed(&outcomes) != expected)
        fail_msg("status %d, computed %d instead of %d\n%s", outcomes.status, outcomes.json ? computed(&outcomes) : -1, expected, outcomes.messages);
    double map = map_of(&outcomes);
    outcomes_free(&outcomes);
    return map;
}

/* Pictures of the table, its evaluation, pictures of the entry, the entry. */
enum { FIRST_RUN = 8 + 1 + ENTRIES + 1 };

static inline char *contents(Site *site, const char *name) {
    char *bytes;
    size_t length;
    assert_true(file_read(site->jre, inside(site, name), NOWHERE, &bytes, &length));
    return bytes;
}

#endif
