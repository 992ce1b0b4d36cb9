/* keys.c: what changes a key and what does not (LANGUAGE 5, "Caching"). */
#include "trial.h"

/* ---- trees ------------------------------------------------------------------------------------------------------------- */

typedef struct { Jre *jre; Compilation c; } Grove;

static void grove_open(Grove *grove) {
    memset(grove, 0, sizeof *grove);
    grove->jre = jre_new();
    grove->c.jre = grove->c.arena.jre = grove->jre;
}

static void grove_close(Grove *grove) {
    compilation_free(&grove->c);
    jre_free(grove->jre);
}

static KeyTree *tree(Grove *grove, const char *name, const char *leaf, const char *value, const KeyTree *part) {
    KeyTree *made = key_open(&grove->c.arena, "%s", name);
    if (leaf) key_leaf(made, leaf, NOWHERE, "%s", value);
    if (part) key_part(made, part);
    key_close(made);
    return made;
}

static void a_key_is_of_its_content(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    const KeyTree *first = tree(&grove, "embed features", "view", "224", NULL);
    assert_int_equal(strlen(first->hash), 32);
    assert_string_equal(tree(&grove, "embed features", "view", "224", NULL)->hash, first->hash);
    assert_string_equal(tree(&grove, "embed eyes", "view", "224", NULL)->hash, first->hash);     /* a name is not content */
    assert_string_not_equal(tree(&grove, "train features", "view", "224", NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", "view", "192", NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", "views", "224", NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", NULL, NULL, NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", "view", "224", first)->hash, first->hash);
    grove_close(&grove);
}

static void a_part_counts_by_its_key(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    const KeyTree *one = tree(&grove, "embed a", "x", "1", NULL), *same = tree(&grove, "embed b", "x", "1", NULL), *other = tree(&grove, "embed a", "x", "2", NULL);
    const char *key = tree(&grove, "cosine", NULL, NULL, one)->hash;
    assert_string_equal(tree(&grove, "cosine", NULL, NULL, same)->hash, key);
    assert_string_not_equal(tree(&grove, "cosine", NULL, NULL, other)->hash, key);
    grove_close(&grove);
}

static void no_value_looks_like_the_end_of_another(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    KeyTree *two = key_open(&grove.c.arena, "split");
    key_leaf(two, "a", NOWHERE, "1");
    key_leaf(two, "b", NOWHERE, "2");
    const char *key = key_close(two);
    static const char *const forged[] = {"1\n1 1 b 2", "1\n1 1 b 2\n", "1\nb 2", "1 2"};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) assert_string_not_equal(tree(&grove, "split", "a", forged[i], NULL)->hash, key);
    KeyTree *turned = key_open(&grove.c.arena, "split");
    key_leaf(turned, "b", NOWHERE, "2");
    key_leaf(turned, "a", NOWHERE, "1");
    assert_string_not_equal(key_close(turned), key);
    grove_close(&grove);
}

/* ---- what differs ------------------------------------------------------------------------------------------------------ */

static const KeyTree *nothing_known(void *context, const char *hash) {
    (void)context, (void)hash;
    return NULL;
}

static const KeySource forgetful = {NULL, nothing_known};

static void differences_are_named_where_they_are(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    const KeyTree *split = tree(&grove, "split folds", "seed", "7", NULL), *other = tree(&grove, "split parts", "seed", "8", NULL);
    KeyDifferences found = {0};
    key_compare(grove.jre, &grove.c.arena, tree(&grove, "evaluate cv", "lonely", "skip", split), tree(&grove, "evaluate cv", "lonely", "skip", other), &forgetful, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.at[0].path.count, 2);
    assert_string_equal(found.at[0].path.at[1], "split parts");
    assert_string_equal(found.at[0].name, "seed");
    assert_string_equal(found.at[0].old, "7");
    assert_string_equal(found.at[0].now, "8");
    found.count = 0;
    key_compare(grove.jre, &grove.c.arena, split, split, &forgetful, &found);
    assert_int_equal(found.count, 0);
    grove_close(&grove);
}

static void leaves_and_parts_come_and_go(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    KeyTree *old = key_open(&grove.c.arena, "split"), *now = key_open(&grove.c.arena, "split");
    static const char *const before[] = {"a", "b", "d"}, *const after[] = {"b", "c", "d"};
    for (int i = 0; i < 3; i++) {
        key_leaf(old, before[i], NOWHERE, "1");
        key_leaf(now, after[i], NOWHERE, "1");
    }
    key_part(now, tree(&grove, "cosine", "x", "1", NULL));
    key_close(old);
    key_close(now);
    KeyDifferences found = {0};
    key_compare(grove.jre, &grove.c.arena, old, now, &forgetful, &found);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.at[0].name, "a");
    assert_null(found.at[0].now);
    assert_string_equal(found.at[1].name, "c");
    assert_null(found.at[1].old);
    assert_string_equal(found.at[2].name, "cosine");
    assert_null(found.at[2].old);
    grove_close(&grove);
}

static void a_row_more_is_one_difference(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    KeyTree *old = key_open(&grove.c.arena, "pictures"), *now = key_open(&grove.c.arena, "pictures");
    for (int i = 0; i < 9; i++) {
        if (i != 3) key_leaf(old, "picture", NOWHERE, "%d", i);
        if (i != 7) key_leaf(now, "picture", NOWHERE, "%d", i);
    }
    key_close(old);
    key_close(now);
    KeyDifferences found = {0};
    key_compare(grove.jre, &grove.c.arena, old, now, &forgetful, &found);
    assert_int_equal(found.count, 2);
    assert_null(found.at[0].old);
    assert_string_equal(found.at[0].now, "3");
    assert_null(found.at[1].now);
    assert_string_equal(found.at[1].old, "7");
    grove_close(&grove);
}

static void a_graph_is_asked_only_where_nothing_else_differs(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    const KeyTree *graph = tree(&grove, "graph", "conv", "1", NULL), *wider = tree(&grove, "graph", "conv", "2", NULL);
    KeyDifferences found = {0};
    key_compare(grove.jre, &grove.c.arena, tree(&grove, "embed", "x", "1", graph), tree(&grove, "embed", "x", "2", wider), &forgetful, &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.at[0].name, "x");
    found.count = 0;
    key_compare(grove.jre, &grove.c.arena, tree(&grove, "embed", "x", "1", graph), tree(&grove, "embed", "x", "1", wider), &forgetful, &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.at[0].name, "conv");
    grove_close(&grove);
}

static void what_is_no_longer_known_is_said_by_its_key(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    KeyTree *old = tree(&grove, "pictures animals", "pictures", "8", NULL);
    old->folded = true;
    const KeyTree *now = tree(&grove, "pictures animals", "pictures", "9", NULL);
    KeyDifferences found = {0};
    key_compare(grove.jre, &grove.c.arena, tree(&grove, "evaluate", NULL, NULL, old), tree(&grove, "evaluate", NULL, NULL, now), &forgetful, &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.at[0].old, old->hash);
    assert_string_equal(found.at[0].now, now->hash);
    grove_close(&grove);
}

/* ---- documents ------------------------------------------------------------------------------------------------------------- */

#define DATA "dataset animals {\n  table \"train.csv\"\n  image \"train/{filename}\"\n  identity \"{who}\"\n}\n"
#define SPLIT "split folds {\n  data animals\n  folds 3\n  identities shared\n  together burst\n}\n"
#define VIEW "side = 8px\naugment seen(x: Image) -> Image { x |> fit(side, fill = gray) |> normalize(half) }\n"
#define EYE "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) as conv1 |> relu |> average_pool |> unit }\n"
#define EMBED "embed features {\n  network Eye(weights = \"a.safetensors\")\n  view seen\n}\n"
#define JUDGE "evaluate cv {\n  similarity cosine(features)\n  on folds.held_out\n  metrics [map]\n  record \"r.csv\"\n}\n"
#define FIGURE "figure bar {\n  show bars(cv)\n  caption \"Bars.\"\n}\n"
#define RENAMED "split parts {\n  data animals\n  folds 3\n  identities shared\n  together burst\n}\n" \
                "evaluate cv {\n  similarity cosine(features)\n  on parts.held_out\n  metrics [map]\n}\n"
static const char story[] = "# Story\n\nWords.\n\n```jre\n" DATA SPLIT "```\n\nMore words.\n\n```jre\n" VIEW EYE EMBED JUDGE FIGURE "```\n";

typedef struct { char embed[40], evaluation[40]; } Keys;

/* Of `text`, compiled under a name, perhaps with a parent beside it. */
static Keys keys_of(const char *name, const char *text, const char *parent, const char *hash, const char *stdlib) {
    Keys keys;
    Trial *trial = trial_new();
    if (stdlib) trial->jre->stdlib = stdlib;
    trial->files.hash = hash;
    fake_conv(&trial->files, "conv1", 4, 3, 1, false);
    fake_conv(&trial->files, "stem", 4, 3, 1, false);
    if (parent) trial_file(trial, "parent.jre", parent);
    if (!trial_document(trial, name, text)) {
        char *messages = test_messages(trial->jre);
        fail_msg("%s\n%s", text, messages);
    }
    snprintf(keys.embed, sizeof keys.embed, "%s", trial->c.plan->embeds.at[0]->key);
    snprintf(keys.evaluation, sizeof keys.evaluation, "%s", trial->c.plan->evaluations.at[0]->key->hash);
    trial_free(trial);
    return keys;
}

static void same_keys(const char *what, Keys a, Keys b) {
    if (strcmp(a.embed, b.embed) != 0) fail_msg("the embed has another key: %s", what);
    if (strcmp(a.evaluation, b.evaluation) != 0) fail_msg("the evaluation has another key: %s", what);
}

/* The story with `from` replaced everywhere; to be freed. */
static char *edited(const char *from, const char *to) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const char *at = story, *found = strstr(at, from);
    if (!found) fail_msg("nothing to edit: %s", from);
    for (; found; at = found + strlen(from), found = strstr(at, from)) fprintf(out, "%.*s%s", (int)(found - at), at, to);
    fputs(at, out);
    fclose(out);
    return text;
}

static void what_says_the_same_has_the_same_keys(void **state) {
    (void)state;
    static const struct { const char *from, *to; } edits[] = {
        {"Words.", "Other words, `= cv.map` among them."},                    /* prose */
        {"\n  view seen", "\n  # how it is seen\n  view seen"},                     /* comments */
        {SPLIT "```\n\nMore words.\n\n```jre\n", "```\n\nMore words.\n\n```jre\n" SPLIT},     /* chunks */
        {VIEW EYE EMBED JUDGE, JUDGE EMBED EYE VIEW},                         /* the order of declarations */
        {"Bars.", "How hard it is."}, {FIGURE, ""},                           /* captions, figures */
        {"record \"r.csv\"\n", "record \"other.csv\"\n  notes \"words\"\n"},
        {"  folds 3\n  identities shared\n", "    identities   shared\n    folds   3   # parts\n"},     /* formatting, the order of settings */
        {"features", "looks"}, {"animals", "beasts"}, {"cv", "score"}, {"Eye", "Seeing"}, {"seen", "ready"}, {"side", "edge"},
        {"together burst\n", "together burst\n  seed 0\n"}, {"metrics [map]", "metrics [map]\n  average identity"},    /* a default, written */
        {"fit(side,", "fit(side + 0px,"}, {"conv(4, 1)", "conv(2 + 2, size = 1, stride = 1)"}, {"x |> conv(4, 1) as conv1 |> relu", "z = x |> conv(4, 1) as conv1\n relu(z)"},
        {"side = 8px\n", "side = 8px\nnobody = 3\nprobe nobody\nfunction unused(a: Tensor[N]) -> Tensor[N] { a }\n"},
    };
    const Keys keys = keys_of("v01.jre", story, NULL, "one", NULL);
    assert_int_equal(strlen(keys.embed), 32);
    assert_int_equal(strlen(keys.evaluation), 32);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char *text = edited(edits[i].from, edits[i].to);
        same_keys(edits[i].to, keys_of("v77.jre", text, NULL, "one", NULL), keys);
        free(text);
    }
}

static void what_says_something_else_has_other_keys(void **state) {
    (void)state;
    static const struct { const char *from, *to; bool embeds; } edits[] = {
        {"fill = gray", "fill = black", true}, {"side = 8px", "side = 16px", true}, {"fit(side,", "fit(side, filter = bilinear,", true},
        {"as conv1", "as stem", true}, {"conv(4, 1)", "conv(4, 1, stride = 2)", true}, {"|> relu", "", true}, {"normalize(half)", "normalize(clip)", true},
        {"view seen\n", "view seen\n  arithmetic bf16\n", true}, {"folds 3", "folds 4", false}, {"together burst\n", "together burst\n  seed 1\n", false}, {"  together burst\n", "", false}, {"identities shared", "identities disjoint", false},
        {"metrics [map]", "metrics [map]\n  average query", false}, {"metrics [map]", "metrics [map]\n  lonely zero", false}, {"on folds.held_out", "on animals", false},
    };
    enum { EDITS = sizeof edits / sizeof *edits };
    const Keys keys = keys_of("v01.jre", story, NULL, "one", NULL), weights = keys_of("v01.jre", story, NULL, "two", NULL);
    assert_string_not_equal(weights.embed, keys.embed);
    assert_string_not_equal(weights.evaluation, keys.evaluation);
    Keys all[EDITS];
    for (int i = 0; i < EDITS; i++) {
        char *text = edited(edits[i].from, edits[i].to);
        all[i] = keys_of("v01.jre", text, NULL, "one", NULL);
        if ((strcmp(all[i].embed, keys.embed) == 0) == edits[i].embeds) fail_msg("the embed of `%s`: %s", edits[i].to, edits[i].embeds ? "unchanged" : "changed");
        for (int k = 0; k < i; k++) assert_string_not_equal(all[i].evaluation, all[k].evaluation);
        assert_string_not_equal(all[i].evaluation, keys.evaluation);
        free(text);
    }
}

static void what_a_parent_declares_is_as_if_it_stood_here(void **state) {
    (void)state;
    const Keys keys = keys_of("v01.jre", story, NULL, "one", NULL);
    same_keys("a child that says nothing", keys_of("v02.jre", "```jre\nextends \"parent.jre\"\nnew = 3\nprobe new\n```\n", story, "one", NULL), keys);
    same_keys("half of it in the parent", keys_of("v02.jre", "```jre\nextends \"parent.jre\"\n" EYE EMBED JUDGE "```\n", "```jre\n" DATA SPLIT VIEW "```\n", "one", NULL), keys);
    char *wider = edited("side = 8px", "side = 16px");
    same_keys("changed and changed back", keys_of("v02.jre", "```jre\nextends \"parent.jre\"\nchange side = 8px\nchange folds { seed 0 }\n```\n", wider, "one", NULL), keys);
    free(wider);
    same_keys("a split by another name", keys_of("v02.jre", "```jre\nextends \"parent.jre\"\nremove cv\nremove folds\n" RENAMED "```\n", "```jre\n" DATA SPLIT VIEW EYE EMBED JUDGE "```\n", "one", NULL), keys);
}

static void the_flat_program_has_the_same_keys(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_conv(&trial->files, "conv1", 4, 3, 1, false);
    trial_file(trial, "parent.jre", story);
    assert_true(trial_document(trial, "v02.jre", "```jre\nextends \"parent.jre\"\nchange side = 16px\nchange folds { seed 3 }\n```\n"));
    Text flat = {.jre = trial->jre};
    print_flat_program(&trial->c, &flat);
    Keys keys = keys_of("v02.jre", flat.at, NULL, NULL, NULL);
    assert_string_equal(keys.embed, trial->c.plan->embeds.at[0]->key);
    assert_string_equal(keys.evaluation, trial->c.plan->evaluations.at[0]->key->hash);
    text_free(&flat);
    trial_free(trial);
}

static void another_default_of_the_library_is_another_key(void **state) {
    (void)state;
    char folder[64], command[256];
    snprintf(command, sizeof command, "cp -r stdlib '%s' && sed -i 's/filter: Word = bicubic/filter: Word = bilinear/' '%s/stdlib/views.jre'", test_folder(folder), folder);
    assert_int_equal(system(command), 0);
    const Keys keys = keys_of("v01.jre", story, NULL, "one", NULL);
    snprintf(command, sizeof command, "%s/stdlib", folder);
    const Keys other = keys_of("v01.jre", story, NULL, "one", command);
    assert_string_not_equal(other.embed, keys.embed);
    assert_string_not_equal(other.evaluation, keys.evaluation);
    test_folder_gone(folder);
}

/* ---- trainings --------------------------------------------------------------------------------------------------------------- */

#define LEARNER(draw, margin, epochs)                                                                                                      \
    DATA SPLIT VIEW EYE "augment drawn(x: Image) -> Image[8px, 8px] {\n  " draw " ~ uniform(-5deg, 5deg)\n  x |> rotate(" draw ") |> fit(side) |> normalize(half)\n}\n" \
    "loss Far(e: Embedding[N, d], margin: Angle = 0.5rad) -> Scalar { mean over n, k of margin * e[n, k] }\n"                                \
    "views = [seen]\ntrain learner {\n  network Eye\n  loss Far(margin = " margin ")\n  data folds.train\n  view drawn\n  epochs " epochs "\n}\n"

static Trial *training(const char *chunk, const KeyTree **key) {
    Trial *trial = trial_new();
    trial_sound(trial, chunk);
    assert_int_equal(trial->c.plan->trains.count, 1);
    *key = trial->c.plan->trains.at[0]->key;
    return trial;
}

/* The first thing that differs between two trainings; NULL if nothing does. */
static const KeyDifference *first_difference(Trial *old, const KeyTree *before, const KeyTree *after) {
    KeyDifferences found = {0};
    key_compare(old->jre, &old->jre->forever, before, after, &forgetful, &found);
    return found.count ? &found.at[0] : NULL;
}

static void a_training_says_what_changed_in_the_words_of_its_document(void **state) {
    (void)state;
    static const struct { const char *text, *name, *old, *now; } cases[] = {
        {LEARNER("angle", "0.3rad", "2"), "loss.margin", "0.5rad", "0.3rad"},
        {LEARNER("angle", "0.5rad", "3"), "epochs", "2", "3"},
        {LEARNER("turn", "0.5rad", "2"), "rotate", NULL, NULL},       /* the name of a draw is content */
        {LEARNER("angle", "0.5rad", "2") "unused = 3\n", NULL, NULL, NULL},
    };
    const KeyTree *before, *after;
    Trial *old = training(LEARNER("angle", "0.5rad", "2"), &before);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = training(cases[i].text, &after);
        const KeyDifference *difference = first_difference(old, before, after);
        if (!cases[i].name) {
            assert_null(difference);
        } else {
            assert_non_null(difference);
            assert_string_equal(difference->name, cases[i].name);
            if (cases[i].old) assert_string_equal(difference->old, cases[i].old);
            if (cases[i].now) assert_string_equal(difference->now, cases[i].now);
        }
        trial_free(trial);
    }
    trial_free(old);
}

static void what_is_watched_and_seen_besides_is_part_of_the_key(void **state) {
    (void)state;
#define MORE "split more {\n  data animals\n  shares [50%, 50%]\n  identities shared\n}\nembed judged { network second\n view seen }\n"
    static const char *const settings[] = {"view drawn", "view [drawn, drawn]", "view drawn\n  keep best(more.train)", "view drawn\n  keep best(more.test)",
                                           "view drawn\n  stop when(more.train, map, patience = 2)", "view drawn\n  stop when(more.test, map, patience = 2)"};
    enum { CASES = sizeof settings / sizeof *settings };
    char keys[CASES][40];
    for (int i = 0; i < CASES; i++) {
        Trial *trial = trial_new();
        trial_sound(trial, arena_print(&trial->jre->forever, "%strain second {\n  network Eye\n  loss Far()\n  data folds.train\n  epochs 2\n  %s\n}\n", LEARNER("angle", "0.5rad", "2") MORE, settings[i]));
        assert_int_equal(trial->c.plan->trains.count, 2);
        snprintf(keys[i], sizeof keys[i], "%s", trial->c.plan->trains.at[1]->key->hash);
        for (int k = 0; k < i; k++) assert_string_not_equal(keys[i], keys[k]);
        trial_free(trial);
    }
}

/* Also where it stands inside another network, which this version cannot run. */
static void what_was_trained_otherwise_is_embedded_anew(void **state) {
    (void)state;
#define TWICE "network Twice(x: Tensor[N, C, H, W]) -> Embedding[N, _] { concat([x |> learner, learner(x)]) }\n"
    static const char *const embeds[] = {"embed features {\n  network learner\n  view seen\n}\n", TWICE "embed features {\n  network Twice\n  view seen\n}\n"};
    for (int i = 0; i < 2; i++) {
        char keys[2][40];
        for (int k = 0; k < 2; k++) {
            const KeyTree *tree;
            char text[4000];
            snprintf(text, sizeof text, "%s%s", k ? LEARNER("angle", "0.5rad", "3") : LEARNER("angle", "0.5rad", "2"), embeds[i]);
            Trial *trial = training(text, &tree);
            snprintf(keys[k], sizeof keys[k], "%s", trial->c.plan->embeds.at[0]->key);
            trial_free(trial);
        }
        assert_string_not_equal(keys[0], keys[1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_of_its_content),
        cmocka_unit_test(a_part_counts_by_its_key),
        cmocka_unit_test(no_value_looks_like_the_end_of_another),
        cmocka_unit_test(differences_are_named_where_they_are),
        cmocka_unit_test(leaves_and_parts_come_and_go),
        cmocka_unit_test(a_row_more_is_one_difference),
        cmocka_unit_test(a_graph_is_asked_only_where_nothing_else_differs),
        cmocka_unit_test(what_is_no_longer_known_is_said_by_its_key),
        cmocka_unit_test(what_says_the_same_has_the_same_keys),
        cmocka_unit_test(what_says_something_else_has_other_keys),
        cmocka_unit_test(what_a_parent_declares_is_as_if_it_stood_here),
        cmocka_unit_test(the_flat_program_has_the_same_keys),
        cmocka_unit_test(a_training_says_what_changed_in_the_words_of_its_document),
        cmocka_unit_test(what_is_watched_and_seen_besides_is_part_of_the_key),
        cmocka_unit_test(what_was_trained_otherwise_is_embedded_anew),
        cmocka_unit_test(another_default_of_the_library_is_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
