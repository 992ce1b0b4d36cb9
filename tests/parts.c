/* parts.c: the rows of every part that a document can name. */
#include "test.h"

#include "../runtime/runtime.h"

enum { MOST = 64 };

/* Pictures made by hand: no file is read. */
typedef struct {
    Jre *jre;
    Arena arena;
    DatasetPlan plan;
    Dataset dataset;
    Picture pictures[MOST];
    const char *cells[MOST][2], *identities[MOST];
    PictureRows rows;
    KeyTree key;
} Herd;

static const char *const letters[] = { "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P" };

/* `individuals` of so many pictures each; each picture is a burst of its own. */
static void herd_open(Herd *herd, int individuals, int each) {
    *herd = (Herd){ .jre = jre_new() };
    herd->arena.jre = herd->jre;
    herd->plan = (DatasetPlan){ .name = "deer", .within = 8, .burst = BURST_COLUMN };
    herd->dataset = (Dataset){ .plan = &herd->plan, .pictures = herd->pictures, .count = individuals * each, .identities = herd->identities, .identity_count = individuals };
    list_add(&herd->arena, &herd->dataset.columns, "part");
    list_add(&herd->arena, &herd->dataset.columns, "camera");
    herd->dataset.splits = arena_new(&herd->arena, Map);
    for (int i = 0; i < herd->dataset.count; i++) {
        herd->pictures[i] = (Picture){ .identity = letters[i / each], .identity_number = i / each, .unit = i, .cells = herd->cells[i] };
        herd->identities[i / each] = letters[i / each];
        herd->cells[i][0] = herd->cells[i][1] = "";
    }
    herd->dataset.units = herd->dataset.count;
}

static void herd_close(Herd *herd) {
    assert_int_equal(diag_count(herd->jre, SEVERITY_NOTE), 0);
    arena_free(&herd->arena);
    jre_free(herd->jre);
}

static bool take(Herd *herd, SplitPlan *split, const char *part, int fold, int member) {
    split->name = "parts";
    split->data = &herd->plan;
    PartPlan wanted = { .dataset = &herd->plan, .split = split, .part = part, .fold = fold };
    return part_pictures(herd->jre, &herd->dataset, &wanted, member, &herd->arena, &herd->rows);
}

/* Marks the rows of a part; none twice, all in order. */
static int marked(Herd *herd, SplitPlan *split, const char *part, int fold, int member, bool inside[MOST]) {
    memset(inside, 0, MOST);
    assert_true(take(herd, split, part, fold, member));
    for (int k = 0; k < herd->rows.count; k++) {
        assert_true(k == 0 || herd->rows.which[k] > herd->rows.which[k - 1]);
        inside[herd->rows.which[k]] = true;
    }
    return herd->rows.count;
}

static void share(Herd *herd, SplitPlan *split, const char *name, double fraction) {
    list_add(&herd->arena, &split->parts, name);
    list_add(&herd->arena, &split->shares, fraction);
}

static void without_a_split_a_part_is_every_picture(void **state) {
    (void)state;
    Herd herd;
    herd_open(&herd, 3, 4);
    PartPlan all = { .dataset = &herd.plan };
    assert_int_equal(part_members(&all), 1);
    assert_true(part_pictures(herd.jre, &herd.dataset, &all, 1, &herd.arena, &herd.rows));
    assert_int_equal(herd.rows.count, 12);
    assert_int_equal(herd.rows.which[11], 11);
    herd_close(&herd);
}

static void a_fold_is_held_out_and_all_else_trains(void **state) {
    (void)state;
    Herd herd;
    bool held_out[MOST], train[MOST], others[MOST];
    int times_held_out[MOST] = {0}, asked = 0;
    herd_open(&herd, 7, 5);
    herd.pictures[0].unit = herd.pictures[1].unit = herd.pictures[2].unit = herd.pictures[3].unit = herd.pictures[4].unit = 0;
    SplitPlan split = { .folds = 4, .together_burst = true };
    for (int fold = 1; fold <= 4; fold++) {
        asked += marked(&herd, &split, "held_out", 0, fold, held_out);
        marked(&herd, &split, "train", 0, fold, train);
        marked(&herd, &split, "others", 0, fold, others);
        for (int i = 0; i < 35; i++) {
            times_held_out[i] += held_out[i];
            assert_true(held_out[i] != train[i]);
            assert_int_equal(others[i], i >= 5 && train[i]);       /* the only burst of A is always in training */
        }
    }
    assert_int_equal(asked, 30);
    for (int i = 0; i < 35; i++)
        assert_int_equal(times_held_out[i], i >= 5);
    PartPlan each = { .dataset = &herd.plan, .split = &split, .part = "train" }, one = each;
    one.fold = 3;
    assert_int_equal(part_members(&each), 4);
    assert_int_equal(part_members(&one), 1);
    marked(&herd, &split, "held_out", 3, 1, held_out);
    marked(&herd, &split, "held_out", 0, 3, train);
    assert_memory_equal(held_out, train, sizeof train);
    herd_close(&herd);
}

static void an_individual_of_fewer_bursts_than_folds_is_absent_from_some(void **state) {
    (void)state;
    Herd herd;
    bool held_out[MOST];
    herd_open(&herd, 8, 3);
    SplitPlan split = { .folds = 5 };
    for (int fold = 1, present = 0; fold <= 5; fold++) {
        marked(&herd, &split, "held_out", 0, fold, held_out);
        for (int i = 0; i < 3; i++)
            present += held_out[i];
        assert_in_range(present, 0, 3);
        assert_true(fold < 5 || present == 3);
    }
    herd_close(&herd);
}

static void bursts_and_near_duplicates_stay_together(void **state) {
    (void)state;
    Herd herd;
    bool held_out[MOST];
    herd_open(&herd, 8, 4);
    herd.dataset.hashed = true;
    for (int i = 0; i < 32; i++) {
        herd.pictures[i].phash = 0x9E3779B97F4A7C15ull * (uint64_t)(i + 1);
        if (i % 4 == 1)
            herd.pictures[i].unit = i - 1;
        if (i % 4 == 3)
            herd.pictures[i].phash = herd.pictures[i - 1].phash ^ 0xFF;   /* 8 bits */
    }
    SplitPlan split = { .folds = 4, .together_burst = true };
    for (int fold = 1; fold <= 4; fold++) {
        marked(&herd, &split, "held_out", 0, fold, held_out);
        for (int i = 0; i < 32; i += 2)
            assert_int_equal(held_out[i], held_out[i + 1]);
    }
    herd_close(&herd);
}

static void disjoint_parts_share_no_individual(void **state) {
    (void)state;
    Herd herd;
    bool held_out[MOST], test[MOST];
    herd_open(&herd, 8, 4);
    SplitPlan folds = { .folds = 4, .disjoint = true, .validate = .25 };
    for (int fold = 1; fold <= 4; fold++) {
        assert_int_equal(marked(&herd, &folds, "held_out", 0, fold, held_out), 8);
        for (int i = 0; i < 32; i++)
            assert_int_equal(held_out[i], held_out[i / 4 * 4]);
        assert_in_range(marked(&herd, &folds, "validate", 0, fold, test), 4, 8);
        for (int i = 0; i < 32; i++)
            assert_int_equal(test[i], test[i / 4 * 4]);
    }
    SplitPlan shares = { .disjoint = true };
    share(&herd, &shares, "train", .75);
    share(&herd, &shares, "test", .25);
    assert_int_equal(marked(&herd, &shares, "test", 0, 1, test), 8);
    for (int i = 0; i < 32; i++)
        assert_int_equal(test[i], test[i / 4 * 4]);
    herd_close(&herd);
}

static void a_part_to_watch_is_carved_out_of_training(void **state) {
    (void)state;
    Herd herd;
    bool held_out[MOST], train[MOST], watched[MOST], others[MOST], plain[MOST];
    herd_open(&herd, 6, 10);
    SplitPlan split = { .folds = 3, .validate = .2 }, without = { .folds = 3 };
    for (int fold = 1; fold <= 3; fold++) {
        marked(&herd, &split, "held_out", 0, fold, held_out);
        marked(&herd, &without, "held_out", 0, fold, plain);
        assert_memory_equal(held_out, plain, sizeof plain);
        marked(&herd, &split, "train", 0, fold, train);
        assert_in_range(marked(&herd, &split, "validate", 0, fold, watched), 6, 10);
        marked(&herd, &split, "others", 0, fold, others);
        for (int i = 0; i < 60; i++) {
            assert_int_equal(held_out[i] + train[i] + watched[i], 1);
            assert_int_equal(others[i], !held_out[i]);
        }
    }
    herd_close(&herd);
}

static void shares_have_names(void **state) {
    (void)state;
    Herd herd;
    bool train[MOST], validate[MOST], test[MOST];
    herd_open(&herd, 6, 10);
    SplitPlan split = {0};
    share(&herd, &split, "validate", .1);
    share(&herd, &split, "train", .7);
    share(&herd, &split, "test", .2);
    assert_int_equal(marked(&herd, &split, "train", 0, 1, train), 42);
    assert_int_equal(marked(&herd, &split, "validate", 0, 1, validate), 6);
    assert_int_equal(marked(&herd, &split, "test", 0, 1, test), 12);
    for (int i = 0; i < 60; i++)
        assert_int_equal(train[i] + validate[i] + test[i], 1);
    herd_close(&herd);
}

static void a_column_makes_a_part_of_each_value(void **state) {
    (void)state;
    Herd herd;
    bool test[MOST], train[MOST];
    herd_open(&herd, 4, 3);
    for (int i = 0; i < 12; i++)
        herd.cells[i][0] = i % 3 == 0 ? "test" : i % 3 == 1 ? "train" : i == 2 ? "validate" : "";
    SplitPlan split = { .column = "part" };
    assert_int_equal(marked(&herd, &split, "test", 0, 1, test), 4);
    assert_int_equal(marked(&herd, &split, "train", 0, 1, train), 4);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(test[i], i % 3 == 0);
        assert_int_equal(train[i], i % 3 == 1);
    }
    assert_false(take(&herd, &split, "tset", 0, 1));
    test_message_says(herd.jre, "unknown_name", "tset", "there are: test train validate", "did you mean `test`", NULL);
    split.column = "parts";
    assert_false(take(&herd, &split, "test", 0, 1));
    test_message_says(herd.jre, "wrong_table", "no column `parts`", "part, camera", "did you mean `part`", NULL);
    herd_close(&herd);
}

/* lynx: the table has no part to tune on, so it is taken from the past. */
static void a_part_can_be_split_again(void **state) {
    (void)state;
    Herd herd;
    bool test[MOST], inner[MOST], watched[MOST];
    herd_open(&herd, 6, 10);
    for (int i = 0; i < 60; i++)
        herd.cells[i][0] = i % 5 == 0 ? "test" : i % 5 == 1 ? "" : "train";
    SplitPlan closed = { .column = "part", .name = "closed" }, past = {0};
    past.of = (PartPlan){ .dataset = &herd.plan, .split = &closed, .part = "train" };
    share(&herd, &past, "train", .75);
    share(&herd, &past, "validate", .25);
    marked(&herd, &closed, "test", 0, 1, test);
    assert_int_equal(marked(&herd, &past, "train", 0, 1, inner), 27);
    assert_int_equal(marked(&herd, &past, "validate", 0, 1, watched), 9);
    for (int i = 0; i < 60; i++)
        assert_int_equal(inner[i] + watched[i], i % 5 > 1);
    herd_close(&herd);
}

static void a_split_of_what_a_fold_trains_on_stands_for_each_fold(void **state) {
    (void)state;
    Herd herd;
    bool held_out[MOST], inner[MOST], watched[MOST], first[MOST];
    herd_open(&herd, 6, 10);
    SplitPlan folds = { .folds = 3 }, again = {0};
    again.of = (PartPlan){ .dataset = &herd.plan, .split = &folds, .part = "train" };
    share(&herd, &again, "train", .8);
    share(&herd, &again, "watched", .2);
    PartPlan part = { .dataset = &herd.plan, .split = &again, .part = "watched" };
    assert_int_equal(part_members(&part), 3);
    marked(&herd, &again, "train", 0, 1, first);
    for (int fold = 1; fold <= 3; fold++) {
        marked(&herd, &folds, "held_out", 0, fold, held_out);
        marked(&herd, &again, "train", 0, fold, inner);
        marked(&herd, &again, "watched", 0, fold, watched);
        for (int i = 0; i < 60; i++)
            assert_int_equal(held_out[i] + inner[i] + watched[i], 1);
    }
    assert_true(memcmp(first, inner, sizeof inner) != 0);
    again.of.fold = 2;
    assert_int_equal(part_members(&part), 1);
    marked(&herd, &folds, "held_out", 2, 1, held_out);
    marked(&herd, &again, "train", 0, 1, inner);
    for (int i = 0; i < 60; i++)
        assert_false(held_out[i] && inner[i]);
    herd_close(&herd);
}

static void a_split_is_computed_once(void **state) {
    (void)state;
    Herd herd;
    herd_open(&herd, 6, 10);
    herd.key.hash = "one";
    SplitPlan split = { .folds = 3, .data = &herd.plan, .key = &herd.key };
    const SplitParts *parts = dataset_parts(herd.jre, &herd.dataset, &split, 1);
    assert_non_null(parts);
    assert_ptr_equal(dataset_parts(herd.jre, &herd.dataset, &split, 1), parts);
    herd.key.hash = "another";
    split.seed = 5;
    const SplitParts *others = dataset_parts(herd.jre, &herd.dataset, &split, 1);
    assert_true(others != parts && memcmp(others->part_of, parts->part_of, 60 * sizeof(int)) != 0);
    herd_close(&herd);
}

static void splits_that_cannot_be_are_refused(void **state) {
    (void)state;
    Herd herd;
    herd_open(&herd, 2, 2);
    SplitPlan split = { .folds = 5 };
    assert_false(take(&herd, &split, "train", 0, 1));
    test_message_says(herd.jre, "wrong_argument", "4 pictures", "5 folds", NULL);
    herd.dataset.identity_count = 0;
    split.folds = 2;
    assert_false(take(&herd, &split, "train", 0, 1));
    test_message_says(herd.jre, "missing_key", "identity", NULL);
    herd_close(&herd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_split_a_part_is_every_picture),
        cmocka_unit_test(a_fold_is_held_out_and_all_else_trains),
        cmocka_unit_test(an_individual_of_fewer_bursts_than_folds_is_absent_from_some),
        cmocka_unit_test(bursts_and_near_duplicates_stay_together),
        cmocka_unit_test(disjoint_parts_share_no_individual),
        cmocka_unit_test(a_part_to_watch_is_carved_out_of_training),
        cmocka_unit_test(shares_have_names),
        cmocka_unit_test(a_column_makes_a_part_of_each_value),
        cmocka_unit_test(a_part_can_be_split_again),
        cmocka_unit_test(a_split_of_what_a_fold_trains_on_stands_for_each_fold),
        cmocka_unit_test(a_split_is_computed_once),
        cmocka_unit_test(splits_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
