/* Metrics and their intervals: against golden numbers, other libraries, and counting by hand. */
#include "ranking.h"

/* ---- golden numbers ------------------------------------------------------------------------------------------------------ */

static void golden_numbers_of_twelve_rows_hold(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    float rows[12 * 8];
    golden_rows(rows);
    int label[12];
    for (int i = 0; i < 12; i++)
        label[i] = i % 4;
    QueryResult *results = rank_all(&bench, rows, label, 12, 8);
    Evaluation numbers = evaluate_one(&bench, results, label, 12, 4, false, false);
    assert_near(numbers.score[METRIC_map].value, .652414021164, 1e-11);
    assert_near(numbers.score[METRIC_rank1].value, .583333333333, 1e-11);
    assert_near(numbers.score[METRIC_minp].value, .575661375661, 1e-11);
    assert_near(numbers.score[METRIC_map_at_r].value, .4375, 1e-11);
    assert_near(numbers.score[METRIC_r_precision].value, .458333333333, 1e-11);
    assert_near(numbers.score[METRIC_mrr].value, .7291666, 1e-7);
    assert_near(numbers.map_best_order, numbers.score[METRIC_map].value, 0);
    assert_near(numbers.map_worst_order, numbers.score[METRIC_map].value, 0);
    assert_near(numbers.map_expected_order, numbers.score[METRIC_map].value, 0);
    assert_int_equal(numbers.ties, 0);
    assert_int_equal(numbers.queries, 12);
    assert_int_equal(numbers.lonely, 0);
    free(results);
    bench_close(&bench);
}

static void golden_numbers_with_a_lonely_individual_hold(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    float rows[12 * 8];
    golden_rows(rows);
    const int label[12] = { 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3 };
    QueryResult *results = rank_all(&bench, rows, label, 12, 8);
    Evaluation by_query = evaluate_one(&bench, results, label, 12, 4, false, false);
    assert_near(by_query.score[METRIC_map].value, .353857569198, 1e-11);
    assert_near(by_query.score[METRIC_rank1].value, .090909090909, 1e-11);
    assert_near(by_query.score[METRIC_minp].value, .337760724124, 1e-11);
    assert_near(by_query.score[METRIC_map_at_r].value, .143939393939, 1e-11);
    assert_near(by_query.score[METRIC_r_precision].value, .25, 1e-11);
    assert_int_equal(by_query.lonely, 1);

    Evaluation skip = evaluate_one(&bench, results, label, 12, 4, true, false);
    assert_near(skip.score[METRIC_map].value, .322467332051, 1e-11);
    assert_near(skip.score[METRIC_rank1].value, .066666666667, 1e-11);
    assert_near(skip.score[METRIC_map_at_r].value, .116666666667, 1e-11);
    assert_near(skip.score[METRIC_r_precision].value, .205555555556, 1e-11);
    assert_near(skip.score[METRIC_accuracy].value, .090909090909, 1e-11);              /* of pictures, whatever the average */
    assert_near(by_query.score[METRIC_balanced_accuracy].value, .066666666667, 1e-11);
    assert_int_equal(skip.identities, 3);
    Evaluation zero = evaluate_one(&bench, results, label, 12, 4, true, true);
    assert_near(zero.score[METRIC_map].value, .241850499038, 1e-11);
    assert_int_equal(zero.identities, 4);
    assert_int_equal(zero.per_identity[zero.worst].identity, 3);
    assert_int_equal(zero.lonely, 1);
    free(results);
    bench_close(&bench);
}

/* The oracle's forty rows, of unit length, with labels and views. */
static cJSON *oracle(float *rows, int *label, int *view) {
    char buffer[1024];
    const char *path = test_data("oracle/metrics.json", buffer);
    if (!path)
        return NULL;
    cJSON *json = parse_file(path);
    for (int i = 0; i < 40; i++) {
        double x[16];
        const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "features_f32"), i);
        for (int d = 0; d < 16; d++)
            x[d] = cJSON_GetArrayItem(row, d)->valuedouble;
        make_unit(x, 16, rows + (size_t)i * 16);
        label[i] = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "labels"), i)->valueint;
        view[i] = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "view"), i)->valueint;
    }
    return json;
}

static double number_at(const cJSON *json, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(json, name);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void assert_oracle(Bench *bench, const cJSON *wanted, const float *rows, const int *label, const PairRule *rule) {
    int self[40];
    QueryResult results[40];
    for (int i = 0; i < 40; i++)
        self[i] = i;
    const RankingTask task = { rows, 40, label, self, rows, 40, label, 16, rule };
    assert_true(rank_queries(bench->jre, bench->pool, bench->level, &task, results));
    for (int i = 0; i < cJSON_GetArraySize(cJSON_GetObjectItem(wanted, "queries")); i++) {
        int query = cJSON_GetArrayItem(cJSON_GetObjectItem(wanted, "queries"), i)->valueint;
        assert_near(results[query].average_precision, cJSON_GetArrayItem(cJSON_GetObjectItem(wanted, "ap_per_query"), i)->valuedouble, 1e-12);
    }
    const cJSON *cmc = cJSON_GetObjectItem(wanted, "CMC"), *individuals = cJSON_GetObjectItem(wanted, "per_identity_AP");
    const Evaluation by_query = evaluate_one(bench, results, label, 40, 7, false, false), by_identity = evaluate_one(bench, results, label, 40, 7, true, false);
    assert_near(by_query.score[METRIC_map].value, number_at(wanted, "mAP"), 1e-12);
    assert_near(by_query.score[METRIC_rank1].value, number_at(cmc, "1"), 1e-12);
    assert_near(by_query.score[METRIC_rank5].value, number_at(cmc, "5"), 1e-12);
    assert_near(by_query.score[METRIC_rank10].value, number_at(cmc, "10"), 1e-12);
    assert_near(by_query.score[METRIC_map_at_r].value, number_at(wanted, "MAP@R"), 1e-12);
    assert_near(by_query.score[METRIC_r_precision].value, number_at(wanted, "R_precision"), 1e-12);
    assert_near(by_query.score[METRIC_minp].value, number_at(wanted, "mINP"), 1e-12);
    assert_near(by_identity.score[METRIC_map].value, number_at(wanted, "identity_balanced_mAP"), 1e-12);
    assert_near(by_identity.score[METRIC_rank1].value, number_at(wanted, "identity_balanced_top1"), 1e-12);
    assert_int_equal(by_identity.identities, cJSON_GetArraySize(individuals));
    for (int i = 0; i < by_identity.identities; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", by_identity.per_identity[i].identity);
        assert_near(by_identity.per_identity[i].average_precision, number_at(individuals, name), 1e-12);
    }
}

static void forty_rows_agree_with_the_oracle(void **state) {
    (void)state;
    float rows[40 * 16], scores[40];
    int label[40], view[40];
    cJSON *json = oracle(rows, label, view);
    if (!json)
        skip();
    Bench bench = bench_open(2);
    query_scores(bench.jre, bench.level, rows, rows, 40, 16, scores);
    for (int i = 0; i < 40; i++)
        assert_near(scores[i], cJSON_GetArrayItem(cJSON_GetObjectItem(json, "similarity_row0"), i)->valuedouble, 1e-6);
    assert_oracle(&bench, cJSON_GetObjectItem(json, "all_vs_all"), rows, label, NULL);
    QueryResult *results = rank_all(&bench, rows, label, 40, 16);
    const Evaluation numbers = evaluate_one(&bench, results, label, 40, 7, false, false);
    assert_near(numbers.score[METRIC_mrr].value, number_at(cJSON_GetObjectItem(json, "pml_AccuracyCalculator"), "mean_reciprocal_rank"), 1e-7);
    free(results);
    cJSON_Delete(json);
    bench_close(&bench);
}

/* not (same(identity) and same(view)) */
static void a_rule_leaves_out_one_view_of_the_individual(void **state) {
    (void)state;
    float rows[40 * 16];
    int label[40], view[40];
    cJSON *json = oracle(rows, label, view);
    if (!json)
        skip();
    Bench bench = bench_open(2);
    PairStep steps[] = { { PAIR_SAME, 0 }, { PAIR_SAME, 1 }, { PAIR_AND, 0 }, { PAIR_NOT, 0 } };
    int *codes[] = { label, view };
    const PairRule rule = { .steps = steps, .step_count = 4, .columns = 2, .query_code = codes, .candidate_code = codes };
    assert_oracle(&bench, cJSON_GetObjectItem(json, "all_vs_all_drop_same_identity_same_view"), rows, label, &rule);
    cJSON_Delete(json);
    bench_close(&bench);
}

/* ---- metrics --------------------------------------------------------------------------------------------------------------- */

static void folds_average_by_individual_first(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    /* individual 0 in both folds, 1 in the first, 2 in the second, 3 always lonely */
    const QueryResult first[] = {
        { .positives = 1, .candidates = 3, .average_precision = 1, .first_rank = 1, .ties = 2 }, { .positives = 1, .candidates = 3, .average_precision = .5, .first_rank = 2 },
        { .positives = 2, .candidates = 3, .average_precision = .2, .first_rank = 6 }, { .positives = 0, .best = 0 },
    };
    const QueryResult second[] = {
        { .positives = 1, .candidates = 3, .average_precision = .25, .first_rank = 4, .ties = 1 }, { .positives = 1, .candidates = 3, .average_precision = .8, .first_rank = 1 },
    };
    const int who_first[] = { 0, 0, 1, 3 }, who_second[] = { 0, 2 };
    FoldResults folds[] = { { first, who_first, 4 }, { second, who_second, 2 } };
    Evaluation n;
    judge(&bench, folds, 2, 5, true, false, &n);
    assert_near(n.score[METRIC_map].value, ((.75 + .25) / 2 + .2 + .8) / 3, 1e-15);
    assert_near(n.score[METRIC_rank1].value, ((.5 + 0) / 2 + 0 + 1) / 3, 1e-15);
    assert_near(n.score[METRIC_rank5].value, ((1 + 1) / 2. + 0 + 1) / 3, 1e-15);
    const double one = chance_average_precision(1, 3), two = chance_average_precision(2, 3);
    assert_near(n.chance, (one + two + one) / 3, 1e-15);
    assert_near(n.score[METRIC_map].spread, fabs((.75 + .2) / 2 - (.25 + .8) / 2) / sqrt(2), 1e-15);
    assert_int_equal(n.queries, 6);
    assert_int_equal(n.lonely, 1);
    assert_int_equal(n.ties, 3);
    assert_int_equal(n.identities, 3);
    assert_int_equal(n.per_identity[0].queries, 3);
    assert_int_equal(n.per_identity[0].folds, 2);
    assert_int_equal(n.per_identity[1].folds, 1);
    assert_int_equal(n.per_identity[n.best].identity, 2);
    assert_int_equal(n.per_identity[n.worst].identity, 1);
    assert_true(n.score[METRIC_map].low <= n.score[METRIC_map].value && n.score[METRIC_map].value <= n.score[METRIC_map].high);

    judge(&bench, folds, 2, 5, true, true, &n);
    assert_near(n.score[METRIC_map].value, ((.75 + .25) / 2 + .2 + .8 + 0) / 4, 1e-15);
    assert_int_equal(n.per_identity[n.worst].identity, 3);
    judge(&bench, folds, 2, 5, false, false, &n);
    assert_near(n.score[METRIC_map].value, (1 + .5 + .2 + .25 + .8) / 5, 1e-15);
    assert_near(n.score[METRIC_map].spread, fabs((1 + .5 + .2) / 3 - (.25 + .8) / 2) / sqrt(2), 1e-15);
    judge(&bench, folds, 2, 5, false, true, &n);
    assert_near(n.score[METRIC_map].value, (1 + .5 + .2 + .25 + .8) / 6, 1e-15);
    bench_close(&bench);
}

static Evaluation with_threshold(Bench *bench, const QueryResult *results, const int *who, int count, double at, bool by_identity, bool lonely_zero) {
    Judging judging = judged(by_identity, lonely_zero);
    judging.at[METRIC_assigned] = judging.at[METRIC_false_matches] = at;
    FoldResults fold = { results, who, count };
    Evaluation n;
    evaluate_folds(bench->jre, &bench->jre->forever, &fold, 1, 4, &judging, &n);
    return n;
}

/* Lonely queries are asked as well: a stranger that is taken for somebody is a wrong answer, whatever `lonely` says. */
static void first_answers_that_reach_a_score_are_counted(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const QueryResult results[] = {
        { .positives = 1, .candidates = 4, .first_rank = 1, .last_rank = 1, .best = 0, .best_score = .9f },
        { .positives = 1, .candidates = 4, .first_rank = 2, .last_rank = 2, .best = 0, .best_score = .5f },
        { .positives = 2, .candidates = 4, .first_rank = 1, .last_rank = 4, .best = 0, .best_score = .3f },
        { .candidates = 4, .best = 1, .best_score = .6f },
        { .best = -1, .best_score = NAN },
    };
    const int who[] = { 0, 0, 1, 2, 3 };
    Evaluation n = with_threshold(&bench, results, who, 5, .5, false, false);
    assert_near(n.score[METRIC_assigned].value, 3 / 5.0, 1e-15);
    assert_near(n.score[METRIC_false_matches].value, 2 / 3.0, 1e-15);
    assert_near(n.score[METRIC_accuracy].value, 2 / 3.0, 1e-15);
    assert_true(n.score[METRIC_assigned].low <= .6 && n.score[METRIC_assigned].high >= .6);
    const Evaluation zero = with_threshold(&bench, results, who, 5, .5, false, true);
    assert_near(zero.score[METRIC_false_matches].value, 2 / 3.0, 1e-15);
    assert_near(zero.score[METRIC_accuracy].value, 2 / 3.0, 1e-15);
    assert_near(zero.score[METRIC_rank1].value, 2 / 5.0, 1e-15);
    n = with_threshold(&bench, results, who, 5, .5, true, false);
    assert_near(n.score[METRIC_assigned].value, (1 + 0 + 1 + 0) / 4.0, 1e-15);
    assert_near(n.score[METRIC_false_matches].value, (.5 + 1) / 2.0, 1e-15);           /* by individual over the line and under it */
    n = with_threshold(&bench, results, who, 5, .95, false, false);
    assert_near(n.score[METRIC_assigned].value, 0, 0);
    assert_true(isnan(n.score[METRIC_false_matches].value) && isnan(n.score[METRIC_false_matches].low));
    n = evaluate_one(&bench, results, who, 5, 4, false, false);
    assert_true(isnan(n.score[METRIC_assigned].value));
    bench_close(&bench);
}

/* The score of an individual is a mean over folds of means: so is what its interval is drawn from. */
static void an_individual_has_an_interval_of_its_own(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    QueryResult first[6], second[1];
    int who[6] = { 0, 0, 0, 0, 0, 1 };
    for (int i = 0; i < 6; i++)
        first[i] = (QueryResult){ .positives = 1, .candidates = 5, .average_precision = .1 * (i + 1), .first_rank = 1, .last_rank = 1 };
    second[0] = first[4];
    FoldResults folds[] = { { first, who, 6 }, { second, who, 1 } };
    Evaluation n;
    judge(&bench, folds, 2, 2, true, false, &n);
    assert_int_equal(n.identities, 2);
    assert_near(n.per_identity[0].average_precision, (.3 + .5) / 2, 1e-15);
    assert_true(n.per_identity[0].low >= .1 && n.per_identity[0].low < .4 && n.per_identity[0].high > .4 && n.per_identity[0].high <= .5);
    assert_true(isnan(n.per_identity[1].low) && isnan(n.per_identity[1].high));        /* one query says nothing of its neighbors */
    bench_close(&bench);
}

static void equal_individuals_go_by_number(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const QueryResult same[] = { { .positives = 1, .average_precision = .5 }, { .positives = 1, .average_precision = .5 } };
    const int who[] = { 4, 2 };
    FoldResults fold = { same, who, 2 };
    Evaluation n;
    judge(&bench, &fold, 1, 6, true, false, &n);
    assert_int_equal(n.per_identity[n.best].identity, 2);
    assert_int_equal(n.per_identity[n.worst].identity, 2);
    assert_near(n.score[METRIC_map].spread, 0, 0);
    bench_close(&bench);
}

static void nothing_to_judge_gives_no_numbers(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const QueryResult lonely = { .best = -1 };
    const int who = 0;
    FoldResults fold = { &lonely, &who, 1 };
    Evaluation n;
    judge(&bench, &fold, 1, 1, true, false, &n);
    assert_true(isnan(n.score[METRIC_map].value) && isnan(n.score[METRIC_rank1].value) && isnan(n.score[METRIC_rank5].value) && isnan(n.score[METRIC_map].low) && isnan(n.score[METRIC_map].high) && isnan(n.chance));
    assert_near(n.score[METRIC_map].spread, 0, 0);
    assert_int_equal(n.best, -1);
    assert_int_equal(n.worst, -1);
    assert_int_equal(n.lonely, 1);
    judge(&bench, NULL, 0, 0, true, false, &n);
    assert_int_equal(n.queries, 0);
    assert_true(isnan(n.score[METRIC_map].value));
    judge(&bench, &fold, 1, 1, true, true, &n);
    assert_near(n.score[METRIC_map].value + n.score[METRIC_map].low + n.score[METRIC_map].high, 0, 0);
    bench_close(&bench);
}

/* The mean over every set of places that the relevant pictures may take. */
static double chance_by_counting(int positives, int candidates) {
    double sum = 0;
    int orders = 0;
    for (unsigned places = 0; places < 1u << candidates; places++) {
        if (__builtin_popcount(places) != positives)
            continue;
        double precision = 0;
        int found = 0;
        for (int k = 0; k < candidates; k++)
            if (places >> k & 1u)
                precision += (double)++found / (k + 1);
        sum += precision / positives;
        orders++;
    }
    return sum / orders;
}

static void chance_is_the_mean_over_all_orders(void **state) {
    (void)state;
    for (int candidates = 1; candidates <= 11; candidates++)
        for (int positives = 1; positives <= candidates; positives++)
            assert_near(chance_average_precision(positives, candidates), chance_by_counting(positives, candidates), 1e-14);
    assert_near(chance_average_precision(0, 5), 0, 0);
    assert_near(chance_average_precision(3, 0), 0, 0);
    /* where the series takes over from the sum */
    for (int candidates = 60; candidates < 4000; candidates = candidates * 3 / 2) {
        double harmonic = 0;
        for (int k = candidates; k >= 1; k--)
            harmonic += 1.0 / k;
        assert_near(chance_average_precision(1, candidates) * candidates / harmonic, 1, 1e-14);
    }
}

/* Of one number whose individuals weigh alike. */
static void interval(Bench *bench, const double *values, int count, int rounds, uint64_t seed, double *low, double *high) {
    double ones[64];
    for (int i = 0; i < count; i++)
        ones[i] = 1;
    bootstrap_intervals(bench->jre, values, ones, count, 1, rounds, seed, low, high);
}

static void intervals_are_the_same_every_time(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    double values[40], low, high, again_low, again_high;
    Random random = random_stream(5, "test", "interval", 0);
    for (int i = 0; i < 40; i++)
        values[i] = random_unit(&random);
    interval(&bench, values, 40, 2000, 0, &low, &high);
    interval(&bench, values, 40, 2000, 0, &again_low, &again_high);
    assert_memory_equal(&low, &again_low, sizeof low);
    assert_memory_equal(&high, &again_high, sizeof high);
    interval(&bench, values, 40, 2000, 1, &again_low, &again_high);
    assert_true(low != again_low && fabs(low - again_low) < .02);
    /* about 1.96 standard errors to each side: the spread of even numbers is sqrt(1/12) */
    assert_near(high - low, 2 * 1.96 * sqrt(1 / 12. / 40), .04);

    const double same[3] = { .5, .5, .5 };
    interval(&bench, same, 3, 100, 0, &low, &high);
    assert_near(low, .5, 1e-15);
    assert_near(high, .5, 1e-15);
    interval(&bench, same, 0, 100, 0, &low, &high);
    assert_true(isnan(low) && isnan(high));
    bench_close(&bench);
}

/* Each number by its own weights, all of one draw; a draw in which nothing weighs says nothing. */
static void intervals_of_ratios_share_their_draws(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const double over[2][3] = { { 1, 1, .5 }, { 6, 6, 0 } }, under[2][3] = { { 2, 2, 1 }, { 6, 6, 0 } };
    double low[3], high[3];
    bootstrap_intervals(bench.jre, over[0], under[0], 2, 3, 1000, 0, low, high);
    assert_near(low[0], .5, 1e-15);
    assert_near(high[0], 1, 1e-15);
    assert_near(low[1], low[0], 0);
    assert_near(high[1], high[0], 0);
    assert_near(low[2], .5, 1e-15);
    assert_near(high[2], .5, 1e-15);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_numbers_of_twelve_rows_hold),
        cmocka_unit_test(golden_numbers_with_a_lonely_individual_hold),
        cmocka_unit_test(forty_rows_agree_with_the_oracle),
        cmocka_unit_test(a_rule_leaves_out_one_view_of_the_individual),
        cmocka_unit_test(folds_average_by_individual_first),
        cmocka_unit_test(first_answers_that_reach_a_score_are_counted),
        cmocka_unit_test(an_individual_has_an_interval_of_its_own),
        cmocka_unit_test(equal_individuals_go_by_number),
        cmocka_unit_test(nothing_to_judge_gives_no_numbers),
        cmocka_unit_test(chance_is_the_mean_over_all_orders),
        cmocka_unit_test(intervals_are_the_same_every_time),
        cmocka_unit_test(intervals_of_ratios_share_their_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
