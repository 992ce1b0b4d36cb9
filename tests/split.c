/* Splits and near duplicates. */
#include "test.h"

#include <math.h>

#include "../runtime/runtime.h"

enum { MOST = 4000 };

typedef struct { int n, identities, units, identity[MOST], unit[MOST], part[MOST]; } Pictures;

/* Individuals of very uneven size, each with bursts of 1 to 6 pictures. */
static void contest(Pictures *p, Random *random, int identities, int largest) {
    *p = (Pictures){ .identities = identities };
    for (int c = 0; c < identities; c++) {
        int left = 1 + (int)random_below(random, (uint64_t)(c % 7 == 0 ? largest : largest / 4 + 1));
        while (left > 0 && p->n < MOST) {
            int burst = 1 + (int)random_below(random, 6);
            for (int i = 0; i < burst && left > 0 && p->n < MOST; i++, left--) {
                p->identity[p->n] = c;
                p->unit[p->n++] = p->units;
            }
            p->units++;
        }
    }
}

/* The task of splitting these pictures; folds: parts of equal size. */
static SplitTask task_of(const Pictures *p, const double *share, int parts) {
    return (SplitTask){
        .n = p->n, .identity = p->identity, .identities = p->identities, .unit = p->unit, .units = p->units, .share = share, .parts = parts
    };
}

static void split_in_folds(Jre *jre, Pictures *p, int folds, bool only_units_train, uint64_t seed) {
    double share[16];
    for (int f = 0; f < folds; f++)
        share[f] = 1.0 / folds;
    SplitTask task = task_of(p, share, folds);
    task.shared = only_units_train;
    task.seed = seed;
    split_assign(jre, &task, p->part);
}

static void units_never_straddle_and_folds_are_even(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    Random random = random_stream(1, "test", "split", 0);
    for (int round = 0; round < 20; round++) {
        contest(p, &random, 31, 180);
        split_in_folds(jre, p, 5, true, (uint64_t)round);
        int size[5] = {0}, *part_of_unit = calloc((size_t)p->units, sizeof *part_of_unit), placed = 0;
        for (int u = 0; u < p->units; u++)
            part_of_unit[u] = -2;
        for (int i = 0; i < p->n; i++) {
            assert_in_range(p->part[i] + 1, 0, 5);
            assert_true(part_of_unit[p->unit[i]] == -2 || part_of_unit[p->unit[i]] == p->part[i]);
            part_of_unit[p->unit[i]] = p->part[i];
            if (p->part[i] >= 0) {
                size[p->part[i]]++;
                placed++;
            }
        }
        for (int f = 0; f < 5; f++)       /* within one burst and a little */
            assert_true(abs(size[f] - placed / 5) <= 8 + placed / 100);
        free(part_of_unit);
    }
    free(p);
    jre_free(jre);
}

static void an_individual_is_spread_over_all_folds(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    Random random = random_stream(2, "test", "split", 0);
    contest(p, &random, 31, 180);
    split_in_folds(jre, p, 5, true, 0);
    for (int c = 0; c < p->identities; c++) {
        int pictures = 0, there[5] = {0};
        for (int i = 0; i < p->n; i++)
            if (p->identity[i] == c) {
                pictures++;
                if (p->part[i] >= 0)
                    there[p->part[i]]++;
            }
        for (int f = 0; f < 5 && pictures >= 60; f++)
            assert_true(abs(there[f] - pictures / 5) <= 7);
    }
    free(p);
    jre_free(jre);
}

static void an_only_unit_is_for_training(void **state) {
    (void)state;
    Jre *jre = jre_new();
    /* individual 0 has two units, 1 has one, 2 shares its only unit with 0 */
    const int identity[] = { 0, 0, 0, 0, 1, 1, 2 }, unit[] = { 0, 0, 1, 2, 3, 3, 2 };
    const double share[] = { .5, .5 };
    int part[7];
    SplitTask task = { .n = 7, .identity = identity, .identities = 3, .unit = unit, .units = 4, .share = share, .parts = 2, .shared = true };
    split_assign(jre, &task, part);
    assert_int_equal(part[4], -1);
    assert_int_equal(part[5], -1);
    assert_int_equal(part[6], -1);
    assert_int_equal(part[3], -1);
    assert_true(part[0] >= 0 && part[0] == part[1]);
    assert_true(part[2] >= 0 && part[2] != part[0]);
    task.shared = false;
    split_assign(jre, &task, part);
    for (int i = 0; i < 7; i++)
        assert_in_range(part[i], 0, 1);
    jre_free(jre);
}

/* The rule itself, on a case that can be followed by hand. */
static void each_unit_goes_where_least_is(void **state) {
    (void)state;
    Jre *jre = jre_new();
    /* B has 6 pictures in units of 3, 2, 1; A has 4 in units of 2, 1, 1. B comes first, having more. */
    const int identity[] = { 0, 0, 0, 0, 1, 1, 1, 1, 1, 1 }, unit[] = { 0, 0, 1, 2, 3, 3, 3, 4, 4, 5 };
    const double share[] = { .5, .5 };
    int part[10];
    const SplitTask task = { .n = 10, .identity = identity, .identities = 2, .unit = unit, .units = 6, .share = share, .parts = 2, .shared = true };
    split_assign(jre, &task, part);
    const int by_size[] = { part[4], part[7], part[9] };  /* 3 to 0; 2 to 1; 1 to 1 (2/3 + 2/5 against 3/3 + 3/5) */
    assert_int_equal(by_size[0], 0);
    assert_int_equal(by_size[1], 1);
    assert_int_equal(by_size[2], 1);
    assert_int_equal(part[0], 0);         /* A: all are level with 3 and 3, so the lowest; then both others to the other side */
    assert_int_equal(part[2], 1);
    assert_int_equal(part[3], 1);
    jre_free(jre);
}

/* How far the parts of a split by shares are from them, at most. */
static double share_missed(Jre *jre, Pictures *p, const double *share, int parts, bool shared) {
    SplitTask task = task_of(p, share, parts);
    task.way = SPLIT_BY_SHARES;
    task.shared = shared;
    split_assign(jre, &task, p->part);
    double size[8] = {0}, most = 0;
    for (int i = 0; i < p->n; i++) {
        assert_in_range(p->part[i], 0, parts - 1);
        size[p->part[i]] += 1.0 / p->n;
    }
    for (int part = 0; part < parts; part++)
        most = fmax(most, fabs(size[part] - share[part]));
    return most;
}

static void shares_are_kept(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    p->identities = 20;
    for (p->n = 0; p->n < 3000; p->n++) {
        p->identity[p->n] = p->n % 20;
        p->unit[p->n] = p->n / 40 * 20 + p->n % 20;       /* pairs */
    }
    p->units = 3000 / 2;
    const double share[] = { .8, .1, .1, 0 };
    assert_true(share_missed(jre, p, share, 4, false) < .01);
    assert_true(share_missed(jre, p, share, 4, true) < .01);
    for (int i = 0; i < p->n; i++)
        assert_true(p->part[i] < 3);      /* a part without a share gets nothing */
    free(p);
    jre_free(jre);
}

/* An individual of two to four units, each in one of three parts, would fill the small ones to double their size. */
static void small_parts_are_not_overfilled_by_individuals_of_few_units(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    Random random = random_stream(9, "test", "split", 0);
    const double three[] = { .8, .1, .1 }, two[] = { .75, .25 };
    for (int round = 0; round < 10; round++) {
        *p = (Pictures){ .identities = 300 };
        for (int c = 0; c < 300; c++)
            for (uint64_t units = 1 + random_below(&random, 4); units; units--, p->units++)
                for (uint64_t pictures = 1 + random_below(&random, 3); pictures; pictures--) {
                    p->identity[p->n] = c;
                    p->unit[p->n++] = p->units;
                }
        assert_true(share_missed(jre, p, three, 3, true) < .01);
        assert_true(share_missed(jre, p, two, 2, true) < .01);
        int with_test = 0;
        for (int i = 0; i < p->n; i++)
            with_test += p->part[i] == 1 && (i == 0 || p->identity[i] != p->identity[i - 1] || p->part[i - 1] != 1);
        assert_true(with_test > 100);     /* and not the larger individuals alone are examined */
        assert_true(share_missed(jre, p, three, 3, false) < .01);
    }
    free(p);
    jre_free(jre);
}

static void by_shares_an_individual_is_in_training(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    Random random = random_stream(3, "test", "split", 0);
    const double share[] = { .3, .5, .2 };
    contest(p, &random, 60, 40);
    SplitTask task = task_of(p, share, 3);
    task.way = SPLIT_BY_SHARES;
    task.shared = true;
    task.training = 1;
    split_assign(jre, &task, p->part);
    bool trains[60] = {0};
    for (int i = 0; i < p->n; i++)
        trains[p->identity[i]] |= p->part[i] == 1;
    for (int c = 0; c < 60; c++)
        assert_true(trains[c]);
    free(p);
    jre_free(jre);
}

static void disjoint_individuals_stay_whole(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    Random random = random_stream(5, "test", "split", 0);
    contest(p, &random, 50, 40);
    for (int i = 0; i < p->n; i++)
        p->unit[i] = p->identity[i];
    p->units = p->identities;
    split_in_folds(jre, p, 4, false, 0);
    int size[4] = {0};
    for (int i = 0; i < p->n; i++) {
        assert_in_range(p->part[i], 0, 3);
        assert_true(i == 0 || p->identity[i] != p->identity[i - 1] || p->part[i] == p->part[i - 1]);
        size[p->part[i]]++;
    }
    for (int f = 0; f < 4; f++)
        assert_true(abs(size[f] - p->n / 4) <= 12);
    free(p);
    jre_free(jre);
}

static void the_same_seed_gives_the_same_split(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pictures *p = calloc(1, sizeof *p);
    Random random = random_stream(6, "test", "split", 0);
    contest(p, &random, 31, 180);
    int *first = calloc(MOST, sizeof *first), moved = 0;
    split_in_folds(jre, p, 5, true, 0);
    memcpy(first, p->part, sizeof p->part);
    split_in_folds(jre, p, 5, true, 0);
    assert_memory_equal(first, p->part, sizeof p->part);
    split_in_folds(jre, p, 5, true, 1);
    for (int i = 0; i < p->n; i++)
        moved += first[i] != p->part[i];
    assert_true(moved > p->n / 4);
    free(first);
    free(p);
    jre_free(jre);
}

static void unknown_individuals_and_no_pictures_do_no_harm(void **state) {
    (void)state;
    Jre *jre = jre_new();
    const int identity[] = { -1, 0, -1, 9 }, unit[] = { 0, 1, 2, 3 };
    const double share[] = { .5, .5 };
    int part[4];
    SplitTask task = { .n = 4, .identity = identity, .identities = 1, .unit = unit, .units = 4, .share = share, .parts = 2 };
    split_assign(jre, &task, part);
    for (int i = 0; i < 4; i++)
        assert_in_range(part[i], 0, 1);
    split_assign(jre, &(SplitTask){ .identity = identity, .unit = unit, .share = share, .parts = 2, .shared = true }, part);
    jre_free(jre);
}

static void near_duplicates_join_in_chains(void **state) {
    (void)state;
    Jre *jre = jre_new();
    /* 1 and 3 are 8 bits apart; 3 and 4 too, 1 and 4 are not: a chain. 5 equals 0. */
    const uint64_t hash[] = { ~0ull, 0x0, 0xFFFF0000ull, 0xFF, 0xFFFF, ~0ull };
    int unit[6];
    assert_int_equal(near_duplicate_units(jre, hash, 6, 8, unit), 3);
    const int wanted[] = { 0, 1, 2, 1, 1, 0 };
    assert_memory_equal(unit, wanted, sizeof wanted);
    assert_int_equal(near_duplicate_units(jre, hash, 6, 7, unit), 5);
    assert_int_equal(near_duplicate_units(jre, hash, 6, 64, unit), 1);
    assert_int_equal(near_duplicate_units(jre, hash, 0, 8, unit), 0);
    jre_free(jre);
}

static void near_duplicates_equal_a_flood_over_all_pairs(void **state) {
    (void)state;
    Jre *jre = jre_new();
    enum { COUNT = 200 };
    uint64_t hash[COUNT];
    int unit[COUNT], wanted[COUNT];
    Random random = random_stream(8, "test", "phash", 0);
    for (int i = 0; i < COUNT; i++) {     /* some pictures are others with a few bits changed */
        hash[i] = (uint64_t)random_word(&random) << 32 | random_word(&random);
        if (i && random_below(&random, 2)) {
            hash[i] = hash[random_below(&random, (uint64_t)i)];
            for (int flips = 0; flips < 5; flips++)
                hash[i] ^= 1ull << random_below(&random, 64);
        }
        wanted[i] = i;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < COUNT; i++)
            for (int j = 0; j < COUNT; j++)
                if (hash_distance(hash[i], hash[j]) <= 8 && wanted[j] < wanted[i]) {
                    wanted[i] = wanted[j];
                    changed = true;
                }
    }
    int units = near_duplicate_units(jre, hash, COUNT, 8, unit), roots = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(unit[i], wanted[i] == i ? roots : unit[wanted[i]]);
        roots += wanted[i] == i;
    }
    assert_int_equal(units, roots);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_never_straddle_and_folds_are_even),
        cmocka_unit_test(an_individual_is_spread_over_all_folds),
        cmocka_unit_test(an_only_unit_is_for_training),
        cmocka_unit_test(each_unit_goes_where_least_is),
        cmocka_unit_test(shares_are_kept),
        cmocka_unit_test(small_parts_are_not_overfilled_by_individuals_of_few_units),
        cmocka_unit_test(by_shares_an_individual_is_in_training),
        cmocka_unit_test(disjoint_individuals_stay_whole),
        cmocka_unit_test(the_same_seed_gives_the_same_split),
        cmocka_unit_test(unknown_individuals_and_no_pictures_do_no_harm),
        cmocka_unit_test(near_duplicates_join_in_chains),
        cmocka_unit_test(near_duplicates_equal_a_flood_over_all_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
