/* Pairs: ROC, area, precision and histograms, against golden numbers and against sorting all pairs. */
#include "ranking.h"

typedef struct { float score; bool same; } Pair;

static int by_falling_score(const void *a, const void *b) {
    const Pair *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

/* All pairs in a list: what streaming does without. */
static Pair *all_pairs(Bench *bench, const RankingTask *task, bool once, int *count) {
    Pair *pairs = calloc((size_t)task->queries * (size_t)task->candidates + 1, sizeof *pairs);
    float *scores = calloc((size_t)task->candidates + 1, sizeof *scores);
    *count = 0;
    for (int q = 0; q < task->queries; q++) {
        query_scores(bench->jre, bench->level, task->query + (size_t)q * (size_t)task->width, task->gallery, task->candidates, task->width, scores);
        for (int i = 0; i < task->candidates; i++) {
            const bool counted = task->query_label[q] >= 0 && task->gallery_label[i] >= 0 && i != task->self[q] && !(once && i < task->self[q]);
            if (counted && pair_allowed(task->rule, q, i))
                pairs[(*count)++] = (Pair){ scores[i], task->query_label[q] == task->gallery_label[i] };
        }
    }
    qsort(pairs, (size_t)*count, sizeof *pairs, by_falling_score);
    free(scores);
    return pairs;
}

/* By the words of the definitions, threshold by threshold. */
static PairScores by_sorting(const Pair *pairs, int count) {
    static const double rates[PAIR_RATES] = { 1e-4, 1e-3, 1e-2, 1e-1 };
    PairScores wanted = { 0 };
    double right = 0, wrong = 0, area = 0, precision = 0, nearest = INFINITY, parted[PAIR_RATES];
    for (int i = 0; i < count; i++)
        pairs[i].same ? wanted.same++ : wanted.different++;
    const double same = (double)wanted.same, different = (double)wanted.different;
    for (int start = 0, end; start < count; start = end) {
        double here = 0;
        for (end = start; end < count && pairs[end].score == pairs[start].score; end++)
            here += pairs[end].same;
        area += (end - start - here) * (right + here / 2);
        right += here;
        wrong += end - start - here;
        precision += here * right / (right + wrong);
        for (int r = 0; r < PAIR_RATES; r++)
            if (wrong / different <= rates[r])
                wanted.found[r].share = right / same;
        if (fabs(wrong / different - 1 + right / same) < nearest) {
            nearest = fabs(wrong / different - 1 + right / same);
            wanted.equal_error = (wrong / different + 1 - right / same) / 2;
        }
    }
    right = wrong = 0;
    memcpy(parted, rates, sizeof parted);
    for (int end = count, start; end > 0; end = start) {
        for (start = end; start > 0 && pairs[start - 1].score == pairs[end - 1].score; start--)
            pairs[start - 1].same ? right++ : wrong++;
        for (int r = 0; r < PAIR_RATES; r++)
            if (fabs(right / same - rates[r]) < parted[r]) {
                parted[r] = fabs(right / same - rates[r]);
                wanted.parted[r].share = wrong / different;
            }
    }
    wanted.auc = area / same / different;
    wanted.average_precision = precision / same;
    return wanted;
}

static void assert_same_pairs(const PairScores *got, const PairScores *wanted) {
    assert_int_equal(got->same, wanted->same);
    assert_int_equal(got->different, wanted->different);
    assert_near(got->auc, wanted->auc, 1e-6);
    assert_near(got->auc, wanted->auc, got->auc_within + 1e-12);
    assert_near(got->average_precision, wanted->average_precision, got->average_precision_within + 1e-12);
    assert_near(got->equal_error, wanted->equal_error, 1e-12);
    for (int r = 0; r < PAIR_RATES; r++) {
        assert_near(got->found[r].share, wanted->found[r].share, 1e-12);
        assert_near(got->parted[r].share, wanted->parted[r].share, 1e-12);
    }
}

static void check_against_sorting(Bench *bench, Random *random, int queries, int candidates, int width, int copied, int which_rule) {
    const int all = queries + candidates;
    float *rows = calloc((size_t)all * (size_t)width, sizeof *rows);
    int *label = calloc((size_t)all, sizeof *label), *self = calloc((size_t)queries, sizeof *self), count;
    random_rows(random, rows, label, all, width, 3, copied);
    for (int q = 0; q < queries; q++)
        self[q] = q % 3 == 0 ? -1 : (int)random_below(random, (uint64_t)candidates);
    label[0] = label[all - 1] = -1;
    Ruled ruled = { 0 };
    const RankingTask task = {
        rows, queries, label, self, rows + (size_t)queries * (size_t)width, candidates, label + queries, width,
        random_rule(&ruled, random, queries, candidates, which_rule)
    };
    for (int once = 0; once < 2; once++) {
        Pair *pairs = all_pairs(bench, &task, once, &count);
        const PairScores wanted = by_sorting(pairs, count);
        PairScores got;
        assert_true(judge_pairs(bench->jre, bench->pool, bench->level, &task, once, &got));
        if (wanted.same && wanted.different)
            assert_same_pairs(&got, &wanted);
        assert_true(copied || !(got.auc_within > 1e-6 || got.average_precision_within > 1e-5));    /* pairs of one score widen the bounds */
        free(pairs);
    }
    forget_rule(&ruled);
    free(rows);
    free(label);
    free(self);
}

static void streaming_equals_sorting(void **state) {
    (void)state;
    Bench bench = bench_open(2);
    Random random = random_stream(3, "test", "pairs", 0);
    check_against_sorting(&bench, &random, 300, 700, 32, 0, 0);
    check_against_sorting(&bench, &random, 200, 900, 8, 3, 4);
    check_against_sorting(&bench, &random, 1, 3, 2, 0, 0);
    for (int i = 0; i < 4; i++)
        check_against_sorting(&bench, &random, 40, 60, 2, 2, i + 1);
    bench_close(&bench);
}

/* DEFINITIONS 5.12. */
static void golden_pairs_hold(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    float rows[12 * 8];
    int label[12], self[12];
    golden_rows(rows);
    for (int i = 0; i < 12; i++) {
        label[i] = i % 4;
        self[i] = i;
    }
    const RankingTask task = { rows, 12, label, self, rows, 12, label, 8, NULL };
    PairScores got;
    assert_true(judge_pairs(bench.jre, bench.pool, bench.level, &task, true, &got));
    assert_int_equal(got.same, 12);
    assert_int_equal(got.different, 54);
    assert_near(got.average_precision, .493566901508, 1e-11);
    assert_near(got.auc, .853395061728, 1e-11);
    int64_t counted = 0;
    for (int bin = 0; bin < PAIR_BINS; bin++)
        counted += got.histogram[0][bin] + got.histogram[1][bin];
    assert_int_equal(counted, 66);
    assert_true(judge_pairs(bench.jre, bench.pool, bench.level, &task, false, &got));
    assert_int_equal(got.same, 24);
    assert_near(got.average_precision, .493566901508, 1e-11);     /* both orders of a pair have one score */
    assert_near(got.auc, .853395061728, 1e-11);
    bench_close(&bench);
}

static void pairs_of_forty_rows_agree_with_the_oracle(void **state) {
    (void)state;
    char buffer[1024];
    const char *path = test_data("oracle/metrics.json", buffer);
    if (!path)
        skip();
    Bench bench = bench_open(2);
    cJSON *json = parse_file(path);
    float rows[40 * 16];
    int label[40], self[40];
    for (int i = 0; i < 40; i++) {
        double x[16];
        for (int d = 0; d < 16; d++)
            x[d] = cJSON_GetArrayItem(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "features_f32"), i), d)->valuedouble;
        make_unit(x, 16, rows + (size_t)i * 16);
        label[i] = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "labels"), i)->valueint;
        self[i] = i;
    }
    const RankingTask task = { rows, 40, label, self, rows, 40, label, 16, NULL };
    const cJSON *wanted = cJSON_GetObjectItem(json, "threshold_metrics");
    PairScores got;
    assert_true(judge_pairs(bench.jre, bench.pool, bench.level, &task, true, &got));
    assert_near(got.auc, cJSON_GetObjectItem(wanted, "auc")->valuedouble, 1e-9);
    assert_near(got.average_precision, cJSON_GetObjectItem(wanted, "average_precision")->valuedouble, 1e-9);
    assert_near(got.equal_error, cJSON_GetObjectItem(wanted, "eer_mean_of_fpr_fnr_at_closest_point")->valuedouble, 1e-12);
    assert_near(got.found[2].share, cJSON_GetObjectItem(wanted, "tpr_at_fpr_0.01")->valuedouble, 1e-12);
    assert_near(got.found[3].share, cJSON_GetObjectItem(wanted, "tpr_at_fpr_0.1")->valuedouble, 1e-12);
    cJSON_Delete(json);
    bench_close(&bench);
}

/* One query of width 1, so that the scores are the gallery's numbers. */
static PairScores scores_of(Bench *bench, const float *scores, const int *label, int count) {
    const float one = 1;
    const int own = 1, self = -1;
    const RankingTask task = { &one, 1, &own, &self, scores, count, label, 1, NULL };
    PairScores got;
    assert_true(judge_pairs(bench->jre, bench->pool, bench->level, &task, false, &got));
    return got;
}

static void a_histogram_has_bins_of_a_sixtyfourth(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const float scores[] = { 1, .999f, .5f, .4999f, 0, -0.0f, -.01f, -.5f, -.5001f, -1, 3, -7 };
    const int label[] = { 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0 };
    const PairScores got = scores_of(&bench, scores, label, 12);
    const int64_t *same = got.histogram[1], *different = got.histogram[0];
    assert_int_equal(same[127], 2);
    assert_int_equal(different[127], 1);          /* 3 */
    assert_int_equal(same[96], 1);                /* .5 up */
    assert_int_equal(different[95], 1);
    assert_int_equal(same[64], 2);                /* both zeros */
    assert_int_equal(same[63], 1);
    assert_int_equal(same[31], 2);                /* -.5 and below: an edge is of the side farther from 0 */
    assert_int_equal(same[0], 1);
    assert_int_equal(different[0], 1);
    bench_close(&bench);
}

static void equal_scores_and_one_kind_of_pair_are_no_trouble(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const float alike[] = { .25f, .25f, .25f, .25f }, odd[] = { NAN, .5f, .25f, NAN };
    const int mixed[] = { 1, 0, 0, 1 }, alone[] = { 1, 1, 1, 1 }, nobody[] = { -1, -1, -1, -1 };
    PairScores got = scores_of(&bench, alike, mixed, 4);
    assert_near(got.auc, .5, 0);
    assert_near(got.auc_within, 0, 0);
    assert_near(got.average_precision, .5, 0);
    got = scores_of(&bench, alike, alone, 4);
    assert_int_equal(got.same, 4);
    assert_true(isnan(got.auc) && isnan(got.equal_error) && isnan(got.found[0].share));
    got = scores_of(&bench, alike, nobody, 4);
    assert_int_equal(got.same + got.different, 0);
    got = scores_of(&bench, odd, mixed, 4);
    assert_int_equal(got.unscored, 2);
    assert_int_equal(got.different, 2);
    bench_close(&bench);
}

static void counts_do_not_depend_on_threads(void **state) {
    (void)state;
    enum { COUNT = 900, WIDTH = 24 };
    float *rows = calloc(COUNT * WIDTH, sizeof *rows);
    int label[COUNT], self[COUNT];
    Random random = random_stream(4, "test", "threads of pairs", 0);
    random_rows(&random, rows, label, COUNT, WIDTH, 12, 20);
    for (int i = 0; i < COUNT; i++)
        self[i] = i;
    const RankingTask task = { rows, COUNT, label, self, rows, COUNT, label, WIDTH, NULL };
    PairScores first, other;
    for (int threads = 1; threads <= 4; threads++) {
        Bench bench = bench_open(threads);
        assert_true(judge_pairs(bench.jre, bench.pool, bench.level, &task, true, threads == 1 ? &first : &other));
        if (threads > 1)
            assert_memory_equal(&first, &other, sizeof first);
        bench_close(&bench);
    }
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streaming_equals_sorting),
        cmocka_unit_test(golden_pairs_hold),
        cmocka_unit_test(pairs_of_forty_rows_agree_with_the_oracle),
        cmocka_unit_test(a_histogram_has_bins_of_a_sixtyfourth),
        cmocka_unit_test(equal_scores_and_one_kind_of_pair_are_no_trouble),
        cmocka_unit_test(counts_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
