/* Conventions: the lines of other tools, against golden numbers and by hand. */
#include "ranking.h"

static double line_of(const Conventions *lines, const char *tool, const char *metric, const char *counts) {
    for (int i = 0; i < lines->count; i++) {
        const ConventionRow *row = &lines->at[i];
        if (!strcmp(row->tool, tool) && !strcmp(row->metric, metric) && strstr(row->counts, counts))
            return row->value;
    }
    fail_msg("no line of %s says %s (%s)", tool, metric, counts);
    return NAN;
}

/* DEFINITIONS 5.12, y2: one individual has one picture only. */
static void golden_lines_hold(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    float rows[12 * 8];
    int self[12];
    golden_rows(rows);
    const int label[12] = { 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3 };
    for (int i = 0; i < 12; i++)
        self[i] = i;
    const RankingTask task = { rows, 12, label, self, rows, 12, label, 8, NULL };
    QueryResult results[12];
    PairScores pairs;
    assert_true(rank_queries(bench.jre, bench.pool, bench.level, &task, results));
    assert_true(judge_pairs(bench.jre, bench.pool, bench.level, &task, false, &pairs));
    const FoldResults fold = { results, label, 12 };
    Conventions lines;
    conventions_of(bench.jre, &bench.jre->forever, &fold, 1, 4, &pairs, &lines);
    static const struct { const char *tool, *metric, *counts; double wanted; } golden[] = {
        { "Kaggle", "identity-balanced mAP", "lonely queries 0", .241850499038 }, { "Kaggle", "identity-balanced mAP", "left out", .322467332051 },
        { "torchreid", "mAP", "", .353857569198 }, { "torchreid", "Rank-1", "", .090909090909 },
        { "fast-reid", "mINP", "", .337760724124 }, { "fast-reid", "metric", "", (.353857569198 + .090909090909) / 2 },
        { "pytorch-metric-learning", "mean_average_precision_at_r", "over queries", .143939393939 },
        { "pytorch-metric-learning", "mean_average_precision_at_r", "over individuals", .116666666667 },
        { "pytorch-metric-learning", "r_precision", "over queries", .25 }, { "pytorch-metric-learning", "r_precision", "over individuals", .205555555556 },
        { "pytorch-metric-learning", "precision_at_1", "over individuals", .066666666667 },
        { "pytorch-metric-learning", "mean_average_precision", "over individuals", .322467332051 },
        { "lynx probe", "mAP", "", .353857569198 }, { "lynx probe", "top_1", "lonely ones 0", 1 / 12.0 },
        { "wildlife-datasets", "accuracy", "", 1 / 12.0 },
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        assert_near(line_of(&lines, golden[i].tool, golden[i].metric, golden[i].counts), golden[i].wanted, 1e-11);
    assert_near(line_of(&lines, "fast-reid", "TPR@FPR=1e-02", ""), pairs.parted[2].share, 0);
    bench_close(&bench);
}

/* Six pictures: names 0 0 0 1 1 2 are given 0 0 1 1 3 0. */
static void names_are_judged_as_classes(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const int who[] = { 0, 0, 0, 1, 1, 2 }, given[] = { 0, 0, 1, 1, 3, 0 };
    QueryResult results[6];
    for (int i = 0; i < 6; i++) {
        const bool right = who[i] == given[i];
        results[i] = (QueryResult){ .positives = 1, .candidates = 5, .first_rank = right ? 1 : 2, .last_rank = 2, .answer = given[i], .best = 0 };
    }
    const FoldResults fold = { results, who, 6 };
    Conventions lines;
    conventions_of(bench.jre, &bench.jre->forever, &fold, 1, 5, NULL, &lines);
    assert_near(line_of(&lines, "wildlife-datasets", "accuracy", ""), 3 / 6.0, 1e-15);
    assert_near(line_of(&lines, "wildlife-datasets", "balanced_accuracy", ""), (2 / 3.0 + 1 / 2.0 + 0) / 3, 1e-15);
    assert_near(line_of(&lines, "wildlife-datasets", "class_average_accuracy", ""), (6 * 4 - 2 * 3) / 24.0, 1e-15);
    assert_near(line_of(&lines, "wildlife-datasets", "precision", ""), (2 / 3.0 + 1 / 2.0 + 0 + 0) / 4, 1e-15);
    assert_near(line_of(&lines, "wildlife-datasets", "recall", ""), (2 / 3.0 + 1 / 2.0 + 0 + 0) / 4, 1e-15);
    assert_near(line_of(&lines, "wildlife-datasets", "f1", ""), (4 / 6.0 + 2 / 4.0 + 0 + 0) / 4, 1e-15);
    for (int i = 0; i < lines.count; i++)
        assert_null(strstr(lines.at[i].metric, "FPR"));   /* without pairs */
    bench_close(&bench);
}

/* A tool is asked once for each fold; one in which it judges nothing does not count. */
static void folds_are_asked_one_by_one(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const QueryResult one[] = { { .positives = 1, .candidates = 2, .average_precision = 1, .first_rank = 1, .last_rank = 1 } };
    const QueryResult two[] = {
        { .positives = 1, .candidates = 2, .average_precision = .5, .first_rank = 2, .last_rank = 2, .answer = -1 },
        { .positives = 1, .candidates = 2, .average_precision = .5, .first_rank = 2, .last_rank = 2, .answer = -1 }
    };
    const QueryResult nobody[] = { { .best = -1, .answer = -1 }, { .positives = 1, .answer = 0 } };
    const int who[] = { 0, 1 }, unknown[] = { 0, -1 };
    const FoldResults folds[] = { { one, who, 1 }, { two, who, 2 }, { nobody, unknown, 2 } };
    Conventions lines;
    conventions_of(bench.jre, &bench.jre->forever, folds, 3, 2, NULL, &lines);
    assert_near(line_of(&lines, "torchreid", "mAP", ""), (1 + .5) / 2, 1e-15);
    assert_near(line_of(&lines, "lynx probe", "top_1", ""), (1 + 0 + 0) / 3.0, 1e-15);
    for (int i = 0; i < lines.count; i++)
        assert_true(lines.at[i].folds == 2 || lines.at[i].folds == 3);
    conventions_of(bench.jre, &bench.jre->forever, NULL, 0, 0, NULL, &lines);
    assert_true(lines.count > 20 && isnan(lines.at[0].value) && lines.at[0].folds == 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_lines_hold),
        cmocka_unit_test(names_are_judged_as_classes),
        cmocka_unit_test(folds_are_asked_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
