/* leaks.c: what a split tears apart, in counts and in one example. */
#include "test.h"

#include "../runtime/runtime.h"

enum { MOST = 4000 };

/* Pictures made by hand: no file is read. */
typedef struct {
    Jre *jre;
    Arena arena;
    DatasetPlan plan;
    Dataset dataset;
    SplitPlan split;
    LeakFacts leak;
} Camp;

static void camp_open(Camp *camp, BurstKind burst) {
    *camp = (Camp){.jre = jre_new()};
    camp->arena.jre = camp->jre;
    camp->plan = (DatasetPlan){.name = "nyala", .within = burst == BURST_COLUMN ? -1 : 8, .burst = burst};
    camp->dataset = (Dataset){.plan = &camp->plan, .hashed = true, .pictures = arena_array(&camp->arena, Picture, MOST), .identities = arena_array(&camp->arena, const char *, MOST)};
    list_add(&camp->arena, &camp->dataset.columns, "part");
    camp->split = (SplitPlan){.name = "published", .data = &camp->plan, .of = {.dataset = &camp->plan}, .column = "part"};
}

/* Hashes of different `likeness` are at least 15 bits apart. */
static void add(Camp *camp, int individual, const char *burst, const char *part, unsigned likeness) {
    int row = camp->dataset.count++;
    const char **cells = arena_array(&camp->arena, const char *, 1);
    cells[0] = part;
    const char *name = arena_print(&camp->arena, "Animal%d", individual);
    uint64_t random = (likeness + 1) * UINT64_C(0x9E3779B97F4A7C15);
    random = (random ^ (random >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    random = (random ^ (random >> 27)) * UINT64_C(0x94D049BB133111EB);
    camp->dataset.pictures[row] = (Picture){.file = arena_print(&camp->arena, "%04d.png", row), .identity = name, .identity_number = individual, .burst = burst, .unit = row, .cells = cells,
                                            .phash = random ^ (random >> 31)};
    camp->dataset.identities[individual] = name;
    if (individual >= camp->dataset.identity_count) camp->dataset.identity_count = individual + 1;
    if (camp->dataset.units <= row) camp->dataset.units = row + 1;
}

static void find(Camp *camp) { assert_true(find_leaks(camp->jre, &camp->arena, &camp->dataset, &camp->split, &camp->leak)); }

static void camp_close(Camp *camp) {
    assert_int_equal(diag_count(camp->jre, SEVERITY_NOTE), 0);
    arena_free(&camp->arena);
    jre_free(camp->jre);
}

static void assert_parts(const TornParts *parts, const char *part, const char *other, int torn, int of) {
    assert_string_equal(parts->part, part);
    assert_string_equal(parts->other, other);
    assert_int_equal(parts->torn, torn);
    assert_int_equal(parts->of, of);
}

static void the_part_that_is_helped_most_is_told_first(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp, BURST_COLUMN);
    add(&camp, 0, "14", "train", 0), add(&camp, 0, "14", "test", 1), add(&camp, 0, "14", "test", 2);
    add(&camp, 1, "15", "train", 3), add(&camp, 1, NULL, "test", 4), add(&camp, 1, NULL, "train", 5);
    add(&camp, 1, "16", "train", 6), add(&camp, 1, "16", "watch", 7), add(&camp, 1, "17", "", 8), add(&camp, 1, "17", "train", 9);
    find(&camp);
    const TornPairs *burst = &camp.leak.burst;
    assert_int_equal(burst->pairs, 3);
    assert_int_equal(burst->part_count, 2);
    assert_parts(&burst->parts[0], "watch", "train", 1, 1);
    assert_parts(&burst->parts[1], "test", "train", 2, 3);
    assert_string_equal(burst->example.first.file, "0001.png");
    assert_string_equal(burst->example.first.part, "test");
    assert_string_equal(burst->example.second.file, "0000.png");
    assert_string_equal(burst->example.value, "14");
    assert_int_equal(camp.leak.alike.pairs, 0);
    assert_int_equal(camp.leak.within, 8);
    camp_close(&camp);
}

static void near_duplicates_leak_whatever_bursts_go_by(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp, BURST_COLUMN);
    add(&camp, 0, "1", "train", 0), add(&camp, 0, "2", "test", 0), add(&camp, 0, "3", "test", 1), add(&camp, 2, "4", "test", 2), add(&camp, 1, "5", "test", 3);
    camp.dataset.pictures[1].phash ^= 7;
    camp.dataset.pictures[3].identity_number = -1;
    camp.dataset.pictures[3].phash = camp.dataset.pictures[0].phash ^ 1;               /* nobody knows of whom */
    camp.dataset.pictures[4].phash = camp.dataset.pictures[0].phash;                   /* of another: no frame of that burst */
    find(&camp);
    assert_int_equal(camp.leak.burst.pairs, 0);
    assert_int_equal(camp.leak.alike.pairs, 2);
    assert_parts(&camp.leak.alike.parts[0], "test", "train", 2, 4);
    assert_int_equal(camp.leak.alike.example.bits, 1);
    assert_string_equal(camp.leak.alike.example.first.file, "0003.png");
    assert_string_equal(camp.leak.alike.example.second.individual, "Animal0");
    camp_close(&camp);
}

static void of_folds_those_count_that_are_held_out(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp, BURST_LIKENESS);
    camp.split.column = NULL;
    camp.split.folds = 2;
    for (int i = 0; i < 8; i++) add(&camp, i / 4, NULL, "", (unsigned)i / 4);
    add(&camp, 2, NULL, "", 0);                                    /* its only picture: in training always */
    find(&camp);
    assert_int_equal(camp.leak.alike.part_count, 1);
    const TornParts *all = &camp.leak.alike.parts[0];
    assert_null(all->part);
    assert_false(all->elsewhere);
    assert_int_equal(all->of, 8);
    assert_int_equal(all->torn, 8);
    assert_int_equal(camp.leak.alike.pairs, 2 * 4 + 4);
    assert_true(camp.leak.alike.example.first.fold > 0);
    for (int i = 0; i < camp.dataset.count; i++) camp.dataset.pictures[i].unit = i == 8 ? 0 : i / 4;
    camp.split.together_burst = true;
    find(&camp);
    assert_int_equal(camp.leak.alike.pairs, 0);
    camp_close(&camp);
}

/* Of a column with a value for each picture only totals are told, and a picture that all resemble costs no more than another. */
static void more_sides_than_anyone_reads_are_told_as_one(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp, BURST_COLUMN);
    for (int i = 0; i < MOST; i++) add(&camp, 0, "one", arena_print(&camp.arena, "part%d", i), 0);
    const TornPairs *found[] = {&camp.leak.burst, &camp.leak.alike};
    for (int i = 0; i < 2; i++) {
        for (int k = 0; i && k < MOST; k++) camp.dataset.pictures[k].burst = NULL;
        find(&camp);
        assert_int_equal(found[i]->pairs, (int64_t)MOST * (MOST - 1) / 2);
        assert_int_equal(found[i]->part_count, 1);
        assert_true(found[i]->parts[0].elsewhere);
        assert_int_equal(found[i]->parts[0].torn, MOST);
        assert_int_equal(found[1 - i]->pairs, 0);
    }
    camp_close(&camp);
}

static void many_parts_are_told_by_the_worst_four(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp, BURST_COLUMN);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k <= i; k++) {
            add(&camp, i, arena_print(&camp.arena, "%d %d", i, k), arena_print(&camp.arena, "part%d", i), (unsigned)camp.dataset.count);
            if (!k) add(&camp, i, arena_print(&camp.arena, "%d %d", i, k), "train", (unsigned)camp.dataset.count);
        }
    find(&camp);
    assert_int_equal(camp.leak.burst.part_count, MOST_PARTS_TOLD);
    for (int i = 0; i < MOST_PARTS_TOLD; i++) assert_parts(&camp.leak.burst.parts[i], arena_print(&camp.arena, "part%d", i), "train", 1, i + 1);
    camp_close(&camp);
}

static void individuals_on_two_sides_are_named(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp, BURST_LIKENESS);
    camp.split.disjoint = true;
    for (int i = 0; i < 9; i++) add(&camp, i, NULL, "train", (unsigned)i);
    find(&camp);
    assert_int_equal(camp.leak.shared, 0);
    for (int i = 2; i < 9; i++) add(&camp, i, NULL, "test", 10 + (unsigned)i);
    find(&camp);
    assert_int_equal(camp.leak.shared, 7);
    assert_string_equal(camp.leak.shared_names[0], "Animal2");
    assert_string_equal(camp.leak.shared_names[MOST_NAMED - 1], "Animal6");
    assert_string_equal(camp.leak.shared_part, "train");
    assert_string_equal(camp.leak.shared_other, "test");
    camp_close(&camp);
}

/* The published split of the nyalas: 378 of its 428 queries have their own encounter in training (SOURCE.md). */
static void the_published_split_of_the_nyalas_leaks(void **state) {
    (void)state;
    char where[1024];
    if (!test_data("data/nyala/metadata.csv", where)) skip();
    Camp camp;
    Table table;
    camp_open(&camp, BURST_COLUMN);
    assert_true(table_read(camp.jre, where, NOWHERE, &table));
    int burst = table_column(&table, "encounter"), part = table_column(&table, "wildlife_split"), identity = table_column(&table, "identity");
    for (int row = 0; row < table.rows; row++) {
        const char *const *cells = table.cells + (size_t)row * (size_t)table.columns.count;
        add(&camp, atoi(cells[identity]), cells[burst], cells[part], (unsigned)row);
    }
    find(&camp);
    assert_int_equal(camp.leak.burst.part_count, 1);
    assert_parts(&camp.leak.burst.parts[0], "test", "train", 378, 428);
    assert_int_equal(camp.leak.burst.pairs, 383);
    camp_close(&camp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_that_is_helped_most_is_told_first),
        cmocka_unit_test(near_duplicates_leak_whatever_bursts_go_by),
        cmocka_unit_test(of_folds_those_count_that_are_held_out),
        cmocka_unit_test(more_sides_than_anyone_reads_are_told_as_one),
        cmocka_unit_test(many_parts_are_told_by_the_worst_four),
        cmocka_unit_test(individuals_on_two_sides_are_named),
        cmocka_unit_test(the_published_split_of_the_nyalas_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
