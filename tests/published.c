/* published.c: the golden values of DEFINITIONS 5.5, picture by picture. */
#include "test.h"

#include <math.h>
#include <time.h>

#include "../runtime/runtime.h"

enum { MOST = 24 };

/* Rows 0 to 23 are AAAAAAABCCCCDDEEEEEEEEEE, taken on 2020-01-(1 + 5 i mod 9). */
typedef struct { Jre *jre; PublishedTask task; int identity[MOST], part[MOST]; int64_t day[MOST]; } Golden;

static void golden_open(Golden *g) {
    *g = (Golden){ .jre = jre_new() };
    for (int i = 0; i < MOST; i++) {
        g->identity[i] = "AAAAAAABCCCCDDEEEEEEEEEE"[i] - 'A';
        g->day[i] = 18262 + 5 * i % 9;
    }
    g->task = (PublishedTask){ .n = MOST, .identity = g->identity, .identities = 5, .day = g->day };
}

static const PublishedRule plain = { .train = .8, .in_test = true, .one_year = true, .seed = 666, .individuals = -1 };

static PublishedRule rule_of(PublishedKind kind, double train) {
    PublishedRule rule = plain;
    rule.kind = kind;
    rule.train = train;
    return rule;
}

/* The rows of the test part are these; all others train, save `left_out` of them. */
static void expect_test(Golden *g, PublishedRule rule, const char *rows, int left_out) {
    g->task.rule = rule;
    published_split(g->jre, &g->task, g->part);
    int count[3] = {0}, wanted = 0;
    for (int i = 0; i < g->task.n; i++)
        count[g->part[i] == PUBLISHED_TRAIN ? 0 : g->part[i] == PUBLISHED_TEST ? 1 : 2]++;
    for (char *end; *rows; rows = end + strspn(end, " "), wanted++) {
        long row = strtol(rows, &end, 10);
        if (g->part[row] != PUBLISHED_TEST)
            fail_msg("row %ld is in part %d", row, g->part[row]);
    }
    assert_int_equal(count[1], wanted);
    assert_int_equal(count[2], left_out);
}

static void closed_set_is_as_published(void **state) {
    (void)state;
    Golden g;
    golden_open(&g);
    expect_test(&g, rule_of(RULE_CLOSED_SET, .8), "2 8 12 22 21", 0);
    expect_test(&g, rule_of(RULE_CLOSED_SET, 1), "2 8 12 21", 0);          /* one of each individual that has two */
    jre_free(g.jre);
}

static void open_and_disjoint_sets_are_as_published(void **state) {
    (void)state;
    Golden g;
    golden_open(&g);
    PublishedRule open = rule_of(RULE_OPEN_SET, .6), disjoint = rule_of(RULE_DISJOINT_SET, 0);
    open.has_unseen = disjoint.has_unseen = true;
    open.unseen = .2;
    disjoint.unseen = .3;
    expect_test(&g, open, "2 7 9 12 13 14 15 16 17 18 19 20 21 22 23", 0);
    expect_test(&g, disjoint, "7 12 13 14 15 16 17 18 19 20 21 22 23", 0);
    disjoint.has_unseen = false;
    disjoint.individuals = 1;
    expect_test(&g, disjoint, "7", 0);
    disjoint.individuals = 100;
    g.task.rule = disjoint;
    published_split(g.jre, &g.task, g.part);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(g.part[i], PUBLISHED_TEST);
    jre_free(g.jre);
}

static void time_rules_are_as_published(void **state) {
    (void)state;
    Golden g;
    golden_open(&g);
    expect_test(&g, rule_of(RULE_TIME_PROPORTION, .5), "1 3 5 8 10 12 17 19 21 14 23 16", 0);
    expect_test(&g, rule_of(RULE_RANDOM_PROPORTION, .5), "1 5 2 11 8 12 18 19 23 15 22 21", 0);
    g.day[8] = DAY_UNKNOWN;
    g.task.rule = rule_of(RULE_TIME_PROPORTION, .5);
    published_split(g.jre, &g.task, g.part);
    assert_int_equal(g.part[8], IN_NO_PART);
    jre_free(g.jre);
}

static int64_t day_of(int year, int month, int day) {
    struct tm when = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    return timegm(&when) / 86400;
}

static void a_cutoff_goes_by_the_year(void **state) {
    (void)state;
    Golden g;
    golden_open(&g);
    g.task.n = 8;
    const int64_t days[] = {
        day_of(2018, 12, 31), day_of(2019, 1, 1), day_of(2019, 12, 31), day_of(2020, 1, 1), day_of(2020, 2, 29), day_of(1969, 12, 31), day_of(1900, 3, 1), DAY_UNKNOWN
    };
    memcpy(g.day, days, sizeof days);
    PublishedRule rule = rule_of(RULE_TIME_CUTOFF, 0);
    rule.year = 2019;
    expect_test(&g, rule, "1 2", 3);
    rule.one_year = false;
    expect_test(&g, rule, "1 2 3 4", 1);
    rule.year = 1900;
    rule.one_year = true;
    expect_test(&g, rule, "6", 7);
    rule.year = 1969;
    expect_test(&g, rule, "5", 6);
    jre_free(g.jre);
}

static void those_left_out_are_in_no_part(void **state) {
    (void)state;
    Golden g;
    golden_open(&g);
    for (int i = 0; i < 7; i++)
        g.identity[i] = -1;
    g.task.rule = rule_of(RULE_CLOSED_SET, .8);
    published_split(g.jre, &g.task, g.part);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(g.part[i] == IN_NO_PART, i < 7);
    g.task.n = 0;
    for (PublishedKind kind = RULE_CLOSED_SET; kind <= RULE_RANDOM_PROPORTION; kind++) {
        g.task.rule = rule_of(kind, .5);
        published_split(g.jre, &g.task, g.part);
    }
    jre_free(g.jre);
}

static void a_split_is_recognized(void **state) {
    (void)state;
    Golden g;
    double seconds[MOST];
    golden_open(&g);
    for (int i = 0; i < MOST; i++)
        seconds[i] = (double)g.day[i] * 86400;
    static const struct { PublishedKind kind; const char *individuals, *times; } known[] = {
        { RULE_CLOSED_SET, "closed-set", "time-unaware" }, { RULE_OPEN_SET, "open-set", "time-unaware" },
        { RULE_DISJOINT_SET, "disjoint-set", "time-unaware" }, { RULE_TIME_PROPORTION, "closed-set", "time-proportion" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        g.task.rule = rule_of(known[i].kind, .5);
        g.task.rule.individuals = 3;
        published_split(g.jre, &g.task, g.part);
        assert_string_equal(recognized_individuals(g.jre, MOST, g.identity, 5, g.part), known[i].individuals);
        assert_string_equal(recognized_times(g.jre, MOST, g.identity, 5, seconds, g.part), known[i].times);
    }
    for (int i = 0; i < MOST; i++)
        g.part[i] = g.day[i] > 18265 ? 3 : g.day[i] == 18265 ? IN_NO_PART : PUBLISHED_TRAIN;
    assert_string_equal(recognized_times(g.jre, MOST, g.identity, 5, seconds, g.part), "time-cutoff");
    seconds[0] = NAN;
    assert_string_equal(recognized_times(g.jre, MOST, g.identity, 5, seconds, g.part), "time-unaware");
    jre_free(g.jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_set_is_as_published),
        cmocka_unit_test(open_and_disjoint_sets_are_as_published),
        cmocka_unit_test(time_rules_are_as_published),
        cmocka_unit_test(a_cutoff_goes_by_the_year),
        cmocka_unit_test(those_left_out_are_in_no_part),
        cmocka_unit_test(a_split_is_recognized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
