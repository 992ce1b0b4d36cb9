/* census.c: counts of pictures, pairs nearly alike, and what a split makes of them. */
#include "test.h"

#include "../runtime/runtime.h"

enum { MOST = 2000 };

/* Pictures made by hand: no file is read. */
typedef struct { Jre *jre; Arena arena; DatasetPlan plan; Dataset dataset; Census census; } Camp;

static void camp_open(Camp *camp) {
    *camp = (Camp){.jre = jre_new()};
    camp->arena.jre = camp->jre;
    camp->plan = (DatasetPlan){.name = "deer", .within = 8};
    camp->dataset = (Dataset){.plan = &camp->plan, .hashed = true, .pictures = arena_array(&camp->arena, Picture, MOST), .identities = arena_array(&camp->arena, const char *, MOST)};
    list_add(&camp->arena, &camp->dataset.columns, "part");
}

static void camp_close(Camp *camp) {
    assert_int_equal(diag_count(camp->jre, SEVERITY_NOTE), 0);
    arena_free(&camp->arena);
    jre_free(camp->jre);
}

/* Each a burst of its own, of its own bytes. individual -1: nobody is named. */
static Picture *add(Camp *camp, int individual, uint64_t phash) {
    int row = camp->dataset.count++;
    Picture *picture = &camp->dataset.pictures[row];
    const char *name = individual < 0 ? NULL : arena_print(&camp->arena, "Deer%02d", individual);
    *picture = (Picture){.file = arena_print(&camp->arena, "%d.png", row), .path = "nowhere.png", .content_hash = arena_print(&camp->arena, "%032d", row), .identity = name,
                         .identity_number = individual, .unit = row, .phash = phash, .width = 100 + row, .height = 200};
    if (individual >= 0) camp->dataset.identities[individual] = name;
    if (individual >= camp->dataset.identity_count) camp->dataset.identity_count = individual + 1;
    camp->dataset.units = row + 1;
    return picture;
}

static void take(Camp *camp) { assert_true(take_census(camp->jre, &camp->dataset, &camp->census)); }

static void individuals_sizes_bursts_and_copies_are_counted(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    for (int i = 0; i < 7; i++) add(&camp, i < 4 ? 0 : i < 6 ? 1 : 2, UINT64_C(0x1111111111111111) * (unsigned)i);
    add(&camp, -1, UINT64_C(0xFFFF0000FFFF0000))->content_hash = camp.dataset.pictures[0].content_hash;
    camp.dataset.pictures[1].unit = camp.dataset.pictures[2].unit = 0;
    take(&camp);
    const PartFacts *counts = &camp.census.counts;
    assert_int_equal(counts->pictures, 8);
    assert_int_equal(counts->individuals, 3);
    assert_int_equal(counts->smallest, 1);
    assert_int_equal(counts->largest, 4);
    assert_int_equal(counts->singletons, 1);
    assert_int_equal(counts->bursts, 1);
    assert_int_equal(counts->in_bursts, 3);
    assert_int_equal(counts->copies, 1);
    assert_string_equal(camp.census.smallest, "Deer02");
    assert_string_equal(camp.census.largest, "Deer00");
    assert_true(camp.census.median == 2);
    assert_int_equal(camp.census.of_size[0], 1);
    assert_int_equal(camp.census.of_size[1], 1);
    assert_int_equal(camp.census.of_size[2], 1);
    assert_int_equal(camp.census.least_width, 100);
    assert_int_equal(camp.census.most_width, 107);
    assert_true(camp.census.narrowest == 0.5 && camp.census.widest == 107 / 200.0);
    camp_close(&camp);
}

/* 0 - 6 - 12 bits: a chain, the ends of which are farther apart than the threshold. */
static void pairs_nearly_alike_chain_into_clusters(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    add(&camp, 0, 0), add(&camp, 0, 0x3F), add(&camp, 1, 0xFFF);
    add(&camp, 2, ~UINT64_C(0)), add(&camp, 2, ~UINT64_C(0) << 10);
    take(&camp);
    const Census *found = &camp.census;
    assert_int_equal(found->within, 8);
    assert_int_equal(found->near, 2);
    assert_int_equal(found->clusters, 1);
    assert_int_equal(found->in_clusters, 3);
    assert_int_equal(found->largest_cluster, 3);
    assert_int_equal(found->farthest, 12);
    assert_int_equal(found->conflicts, 1);
    assert_int_equal(found->conflict[0].first, 1);
    assert_int_equal(found->conflict[0].second, 2);
    assert_int_equal(found->below_count, 2);
    assert_int_equal(found->above_count, 2);
    assert_int_equal(found->above[0].bits, 10);
    assert_int_equal(found->above[1].bits, 12);
    camp_close(&camp);
}

static void the_pairs_nearest_to_the_threshold_are_shown(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    for (int bits = 0; bits < 14; bits++) add(&camp, 0, (UINT64_C(1) << bits) - 1);
    take(&camp);
    for (int i = 0; i < PAIRS_ASIDE; i++) {
        assert_int_equal(camp.census.below[i].bits, 8);
        assert_int_equal(camp.census.above[i].bits, 9);
        assert_int_equal(camp.census.below[i].first, i);
    }
    camp_close(&camp);
}

static void pictures_without_names_or_likeness_are_no_trouble(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    camp.plan.within = -1;
    for (int i = 0; i < MOST; i++) add(&camp, -1, 7);
    take(&camp);
    assert_int_equal(camp.census.counts.individuals, 0);
    assert_null(camp.census.smallest);
    assert_int_equal(camp.census.near, (int64_t)MOST * (MOST - 1) / 2);
    assert_int_equal(camp.census.largest_cluster, MOST);
    assert_int_equal(camp.census.conflicts, 0);
    camp_close(&camp);
}

static void the_list_of_pairs_is_a_table_the_nearest_first(void **state) {
    (void)state;
    Camp camp;
    char folder[64];
    camp_open(&camp);
    test_folder(folder);
    add(&camp, 0, 0)->file = "one, two.png";
    add(&camp, 0, 0x1FF)->dhash = 0x3, add(&camp, 1, 0x7), add(&camp, -1, ~UINT64_C(0));
    const char *path = arena_print(&camp.arena, "%s/pairs.csv", folder);
    const Dataset *datasets[] = {&camp.dataset, &camp.dataset};
    assert_true(write_near_pairs(camp.jre, path, datasets, 1));
    char *bytes;
    size_t length;
    assert_true(file_read(camp.jre, path, NOWHERE, &bytes, &length));
    assert_string_equal(bytes, "dataset,first,second,bits,dhash_bits,near,first_individual,second_individual\n"
                               "deer,\"one, two.png\",2.png,3,0,1,Deer00,Deer01\n"
                               "deer,1.png,2.png,6,2,1,Deer00,Deer01\n"
                               "deer,\"one, two.png\",1.png,9,2,0,Deer00,Deer00\n");
    jre_release(bytes);
    test_folder_gone(folder);
    camp_close(&camp);
}

static void a_split_says_who_is_absent_from_its_folds(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    for (int i = 0; i < 9; i++) add(&camp, i < 6 ? 0 : i < 8 ? 1 : 2, (uint64_t)i * UINT64_C(0x9E3779B97F4A7C15));
    SplitPlan split = {.name = "folds", .data = &camp.plan, .of = {.dataset = &camp.plan}, .folds = 3};
    SplitCensus census;
    assert_true(count_split(camp.jre, &camp.arena, &camp.dataset, &split, &census));
    assert_int_equal(census.pictures, 9);
    assert_int_equal(census.individuals, 3);
    assert_int_equal(census.always, 1);
    assert_int_equal(census.absent, 2);
    assert_int_equal(census.never, 1);
    assert_int_equal(census.parts.count, 3);
    int held_out = 0;
    for (int i = 0; i < 3; i++) held_out += census.parts.at[i].pictures;
    assert_int_equal(held_out, 8);
    camp_close(&camp);
}

static void a_column_with_a_value_for_each_picture_has_as_many_parts(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    for (int i = 0; i < MOST; i++) {
        const char **cells = arena_array(&camp.arena, const char *, 1);
        cells[0] = i ? arena_print(&camp.arena, "%d", i) : "";
        add(&camp, i % 2, (uint64_t)i)->cells = cells;
    }
    SplitPlan split = {.name = "each", .data = &camp.plan, .of = {.dataset = &camp.plan}, .column = "part"};
    SplitCensus census;
    assert_true(count_split(camp.jre, &camp.arena, &camp.dataset, &split, &census));
    assert_int_equal(census.parts.count, MOST - 1);
    assert_int_equal(census.pictures, MOST - 1);
    assert_int_equal(census.absent, 2);
    assert_int_equal(census.never, 0);
    assert_int_equal(census.parts.at[0].individuals, 1);
    camp_close(&camp);
}

static void a_side_is_found_among_many_values_that_are_none(void **state) {
    (void)state;
    Camp camp;
    ColumnFacts facts;
    camp_open(&camp);
    for (int i = 0; i < 41; i++) {
        const char **cells = arena_array(&camp.arena, const char *, 1);
        cells[0] = i < 40 ? arena_print(&camp.arena, "view %d", i % 20) : "Hinten Links";
        add(&camp, 0, 0)->cells = cells;
    }
    count_values(camp.jre, &camp.dataset, "part", &facts);
    assert_int_equal(facts.distinct, 21);
    assert_int_equal(facts.told, MOST_VALUES);
    assert_int_equal(facts.sides, 1);
    camp.dataset.count--;
    count_values(camp.jre, &camp.dataset, "part", &facts);
    assert_int_equal(facts.sides, 0);
    camp_close(&camp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(individuals_sizes_bursts_and_copies_are_counted),
        cmocka_unit_test(pairs_nearly_alike_chain_into_clusters),
        cmocka_unit_test(the_pairs_nearest_to_the_threshold_are_shown),
        cmocka_unit_test(pictures_without_names_or_likeness_are_no_trouble),
        cmocka_unit_test(the_list_of_pairs_is_a_table_the_nearest_first),
        cmocka_unit_test(a_split_says_who_is_absent_from_its_folds),
        cmocka_unit_test(a_column_with_a_value_for_each_picture_has_as_many_parts),
        cmocka_unit_test(a_side_is_found_among_many_values_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
