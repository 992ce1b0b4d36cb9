/* Ranking, metrics, intervals: against golden numbers, brute force and other libraries. */
#include "test.h"

#include <math.h>

#include <cjson/cJSON.h>

#include "../runtime/runtime.h"

typedef struct { Jre *jre; Pool *pool; int level; } Bench;

static Bench bench_open(int threads) {
    Jre *jre = jre_new();
    return (Bench){ jre, pool_new(jre, threads), kernel_level(NULL) };
}

static void bench_close(Bench *bench) {
    pool_free(bench->pool);
    jre_free(bench->jre);
}

static void make_unit(const double *from, int width, float *to) {
    double squares = 0;
    for (int k = 0; k < width; k++)
        squares += from[k] * from[k];
    for (int k = 0; k < width; k++)
        to[k] = (float)(from[k] / sqrt(squares));
}

/* Everybody asks everybody else. Free the results. */
static QueryResult *rank_all(Bench *bench, const float *rows, const int *label, int count, int width) {
    int *self = calloc((size_t)count, sizeof *self);
    QueryResult *results = calloc((size_t)count, sizeof *results);
    for (int i = 0; i < count; i++)
        self[i] = i;
    RankingTask task = { rows, count, label, self, rows, count, label, width, NULL };
    assert_true(rank_queries(bench->jre, bench->pool, bench->level, &task, results));
    free(self);
    return results;
}

/* One query of width 1 whose scores are the gallery's numbers. */
static QueryResult rank_scores(Bench *bench, const float *scores, const int *relevant, int count) {
    const float one = 1;
    const int label = 1, self = -1;
    RankingTask task = { &one, 1, &label, &self, scores, count, relevant, 1, NULL };
    QueryResult result;
    assert_true(rank_queries(bench->jre, bench->pool, bench->level, &task, &result));
    return result;
}

static Judging judged(bool by_identity, bool lonely_zero) {
    return (Judging){ by_identity, lonely_zero, 0, { [METRIC_assigned] = NAN, [METRIC_false_matches] = NAN } };
}

static void judge(Bench *bench, const FoldResults *folds, int count, int identities, bool by_identity, bool lonely_zero, Evaluation *numbers) {
    const Judging judging = judged(by_identity, lonely_zero);
    evaluate_folds(bench->jre, &bench->jre->forever, folds, count, identities, &judging, numbers);
}

static Evaluation evaluate_one(Bench *bench, const QueryResult *results, const int *label, int count, int identities, bool by_identity,
                               bool lonely_zero) {
    FoldResults fold = { results, label, count };
    Evaluation numbers;
    judge(bench, &fold, 1, identities, by_identity, lonely_zero, &numbers);
    return numbers;
}

#define assert_near(value, wanted, within)                                                            \
    do {                                                                                              \
        if (!(fabs((value) - (wanted)) <= (within)))                                                  \
            fail_msg("%s is %.15g, not %.15g", #value, (double)(value), (double)(wanted));            \
    } while (0)

/* ---- golden numbers ------------------------------------------------------------------------------------------------------ */

/* The twelve rows of DEFINITIONS 5.12: 4 individuals, y = i mod 4. */
static void golden_rows(float *rows) {
    for (int i = 0; i < 12; i++) {
        double x[8];
        for (int d = 0; d < 8; d++)
            x[d] = sin(.37 * (i + 1) * (d + 1)) + .25 * cos(1.7 * i + .9 * d * d) + .55 * cos(.53 * (i % 4 + 1) * (d + 2));
        if (i == 0) {
            assert_near(x[0], .88049508, 1e-8);
            assert_near(x[1], .81912903, 1e-8);
            assert_near(x[2], .38440459, 1e-8);
        }
        make_unit(x, 8, rows + (size_t)i * 8);
    }
}

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
    assert_int_equal(by_query.lonely, 1);

    Evaluation skip = evaluate_one(&bench, results, label, 12, 4, true, false);
    assert_near(skip.score[METRIC_map].value, .322467332051, 1e-11);
    assert_near(skip.score[METRIC_rank1].value, .066666666667, 1e-11);
    assert_int_equal(skip.identities, 3);
    Evaluation zero = evaluate_one(&bench, results, label, 12, 4, true, true);
    assert_near(zero.score[METRIC_map].value, .241850499038, 1e-11);
    assert_int_equal(zero.identities, 4);
    assert_int_equal(zero.per_identity[zero.worst].identity, 3);
    assert_int_equal(zero.lonely, 1);
    free(results);
    bench_close(&bench);
}

/* Values of scikit-learn 1.9.1's average_precision_score, which agrees where no scores are equal. */
static void average_precision_is_that_of_scikit_learn(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    static const float scores[12] = { .91f, .13f, .78f, .42f, .66f, .05f, -.31f, .57f, .29f, .84f, -.77f, .36f };
    static const struct { int relevant[12]; double wanted; int first; } cases[] = {
        { { 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1 }, 0.6392857142857142, 1 },
        { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, 0.08333333333333333, 12 },
        { { 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0 }, 0.3633333333333333, 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        QueryResult result = rank_scores(&bench, scores, cases[i].relevant, 12);
        assert_near(result.average_precision, cases[i].wanted, 1e-14);
        assert_int_equal(result.first_rank, cases[i].first);
        assert_int_equal(result.best, 0);
    }
    bench_close(&bench);
}

static cJSON *parse_file(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    assert_true(length > 0);
    cJSON *json = cJSON_Parse(text);
    free(text);
    assert_non_null(json);
    return json;
}

static void forty_rows_agree_with_the_oracle(void **state) {
    (void)state;
    char buffer[1024];
    const char *path = test_data("oracle/metrics.json", buffer);
    if (!path)
        skip();
    Bench bench = bench_open(2);
    cJSON *json = parse_file(path);
    float rows[40 * 16];
    int label[40];
    for (int i = 0; i < 40; i++) {
        double x[16];
        const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "features_f32"), i);
        for (int d = 0; d < 16; d++)
            x[d] = cJSON_GetArrayItem(row, d)->valuedouble;
        make_unit(x, 16, rows + (size_t)i * 16);
        label[i] = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "labels"), i)->valueint;
    }
    float scores[40];
    query_scores(bench.jre, bench.level, rows, rows, 40, 16, scores);
    for (int i = 0; i < 40; i++)
        assert_near(scores[i], cJSON_GetArrayItem(cJSON_GetObjectItem(json, "similarity_row0"), i)->valuedouble, 1e-6);

    const cJSON *wanted = cJSON_GetObjectItem(json, "all_vs_all");
    QueryResult *results = rank_all(&bench, rows, label, 40, 16);
    for (int i = 0; i < cJSON_GetArraySize(cJSON_GetObjectItem(wanted, "queries")); i++) {
        int query = cJSON_GetArrayItem(cJSON_GetObjectItem(wanted, "queries"), i)->valueint;
        assert_near(results[query].average_precision, cJSON_GetArrayItem(cJSON_GetObjectItem(wanted, "ap_per_query"), i)->valuedouble, 1e-12);
    }
    const cJSON *cmc = cJSON_GetObjectItem(wanted, "CMC"), *individuals = cJSON_GetObjectItem(wanted, "per_identity_AP");
    Evaluation by_query = evaluate_one(&bench, results, label, 40, 7, false, false);
    assert_near(by_query.score[METRIC_map].value, cJSON_GetObjectItem(wanted, "mAP")->valuedouble, 1e-12);
    assert_near(by_query.score[METRIC_rank1].value, cJSON_GetObjectItem(cmc, "1")->valuedouble, 1e-12);
    assert_near(by_query.score[METRIC_rank5].value, cJSON_GetObjectItem(cmc, "5")->valuedouble, 1e-12);
    Evaluation by_identity = evaluate_one(&bench, results, label, 40, 7, true, false);
    assert_near(by_identity.score[METRIC_map].value, cJSON_GetObjectItem(wanted, "identity_balanced_mAP")->valuedouble, 1e-12);
    assert_near(by_identity.score[METRIC_rank1].value, cJSON_GetObjectItem(wanted, "identity_balanced_top1")->valuedouble, 1e-12);
    assert_int_equal(by_identity.identities, cJSON_GetArraySize(individuals));
    for (int i = 0; i < by_identity.identities; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", by_identity.per_identity[i].identity);
        assert_near(by_identity.per_identity[i].average_precision, cJSON_GetObjectItem(individuals, name)->valuedouble, 1e-12);
    }
    free(results);
    cJSON_Delete(json);
    bench_close(&bench);
}

/* ---- brute force --------------------------------------------------------------------------------------------------------- */

typedef struct { float score; int row; } Candidate;

static int by_score_then_row(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Average precision with equal scores in the order that `rank_last` says: relevant ones first, or last, or by row. */
typedef enum { BY_ROW, RELEVANT_FIRST, RELEVANT_LAST } TieOrder;

static double sorted_precision(const Candidate *order, int count, const bool *relevant, TieOrder ties, QueryResult *result) {
    double sum = 0, at_r = 0;
    int found = 0, all = 0;
    for (int i = 0; i < count; i++)
        all += relevant[order[i].row];
    for (int start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && order[end].score == order[start].score;)
            end++;
        int here = 0, seen = 0;
        for (int i = start; i < end; i++)
            here += relevant[order[i].row];
        for (int i = start; i < end; i++) {
            const int place = i - start;
            const bool right = ties == BY_ROW ? relevant[order[i].row] : ties == RELEVANT_FIRST ? place < here : place >= end - start - here;
            if (!right)
                continue;
            seen++;
            sum += (double)++found / (i + 1);
            if (ties != BY_ROW)
                continue;
            at_r += i < all ? (double)found / (i + 1) : 0;
            result->hits += i < all;
            result->first_rank = result->first_rank ? result->first_rank : i + 1;
            result->last_rank = i + 1;
        }
        assert_int_equal(seen, here);
    }
    if (ties == BY_ROW)
        result->map_at_r = all ? at_r / all : 0;
    return all ? sum / all : 0;
}

/* By the words of the definition: sort everything, walk down. */
static QueryResult brute_force(const RankingTask *task, int query, const float *scores) {
    const int count = task->candidates, label = task->query_label[query];
    Candidate *order = calloc((size_t)count + 1, sizeof *order);
    bool *relevant = calloc((size_t)count + 1, sizeof *relevant);
    int candidates = 0, positives = 0, ties = 0;
    for (int i = 0; i < count; i++)
        if (i != task->self[query] && pair_allowed(task->rule, query, i)) {
            order[candidates++] = (Candidate){ scores[i], i };
            relevant[i] = label >= 0 && task->gallery_label[i] == label;
            positives += relevant[i];
        }
    qsort(order, (size_t)candidates, sizeof *order, by_score_then_row);
    QueryResult result = { .positives = positives, .candidates = candidates, .best = candidates ? order[0].row : -1, .best_score = candidates ? order[0].score : NAN };
    result.answer = candidates ? task->gallery_label[result.best] : -1;
    result.average_precision = sorted_precision(order, candidates, relevant, BY_ROW, &result);
    result.best_order = sorted_precision(order, candidates, relevant, RELEVANT_FIRST, &result);
    result.worst_order = sorted_precision(order, candidates, relevant, RELEVANT_LAST, &result);
    for (int i = 0; i < candidates; i++) {
        bool tied = false;
        for (int j = 0; j < candidates && !relevant[order[i].row]; j++)
            tied |= relevant[order[j].row] && order[j].score == order[i].score;
        ties += tied;
    }
    result.ties = ties;
    free(order);
    free(relevant);
    return result;
}

static void assert_same_result(const QueryResult *got, const QueryResult *wanted) {
    assert_int_equal(got->positives, wanted->positives);
    assert_int_equal(got->candidates, wanted->candidates);
    assert_int_equal(got->first_rank, wanted->first_rank);
    assert_int_equal(got->last_rank, wanted->last_rank);
    assert_int_equal(got->hits, wanted->hits);
    assert_int_equal(got->ties, wanted->ties);
    assert_int_equal(got->best, wanted->best);
    assert_int_equal(got->answer, wanted->answer);
    assert_int_equal(got->unscored, wanted->unscored);
    if (wanted->best >= 0)
        assert_near(got->best_score, wanted->best_score, 0);
    assert_near(got->average_precision, wanted->average_precision, 1e-13);
    assert_near(got->map_at_r, wanted->map_at_r, 1e-13);
    assert_near(got->best_order, wanted->best_order, 1e-13);
    assert_near(got->worst_order, wanted->worst_order, 1e-13);
    assert_true(got->worst_order <= got->expected_order + 1e-13 && got->expected_order <= got->best_order + 1e-13);
}

/* Rows around one center an individual; every `copied`-th is a copy of an earlier one, which makes ties. */
static void random_rows(Random *random, float *rows, int *label, int count, int width, int individuals, int copied) {
    double x[600];
    for (int i = 0; i < count; i++) {
        label[i] = (int)random_below(random, (uint64_t)individuals);
        if (copied && i && i % copied == 0) {
            size_t from = (size_t)random_below(random, (uint64_t)i);
            memcpy(rows + (size_t)i * (size_t)width, rows + from * (size_t)width, (size_t)width * sizeof(float));
            continue;
        }
        for (int k = 0; k < width; k++)
            x[k] = random_unit(random) - .5 + .3 * sin(1.0 + label[i] * (k + 1));
        make_unit(x, width, rows + (size_t)i * (size_t)width);
    }
}

/* Three columns of few values, some missing, and two facts, under one of a few rules; 0: no rule. */
typedef struct { PairRule rule; int *query_code[3], *candidate_code[3]; uint8_t *fact[2]; } Ruled;

static const PairRule *random_rule(Ruled *ruled, Random *random, int queries, int candidates, int which) {
    static PairStep programs[][8] = {
        { { PAIR_SAME, 0 } }, { { PAIR_SAME, 1 }, { PAIR_NOT, 0 }, { PAIR_SAME, 0 }, { PAIR_AND, 0 } }, { { PAIR_FACT, 1 }, { PAIR_NOT, 0 } },
        { { PAIR_SAME, 0 }, { PAIR_FACT, 0 }, { PAIR_OR, 0 }, { PAIR_SAME, 2 }, { PAIR_NOT, 0 }, { PAIR_AND, 0 } },
        { { PAIR_FACT, 0 }, { PAIR_SAME, 0 }, { PAIR_SAME, 1 }, { PAIR_SAME, 2 }, { PAIR_OR, 0 }, { PAIR_OR, 0 }, { PAIR_AND, 0 }, { PAIR_NOT, 0 } },
    };
    static const int lengths[] = { 1, 4, 2, 6, 8 };
    if (which <= 0)
        return NULL;
    for (int c = 0; c < 3; c++) {
        ruled->query_code[c] = calloc((size_t)queries, sizeof(int));
        ruled->candidate_code[c] = calloc((size_t)candidates, sizeof(int));
        for (int i = 0; i < queries; i++)
            ruled->query_code[c][i] = (int)random_below(random, 4) - 1;
        for (int i = 0; i < candidates; i++)
            ruled->candidate_code[c][i] = (int)random_below(random, 4) - 1;
    }
    for (int f = 0; f < 2; f++) {
        ruled->fact[f] = calloc((size_t)candidates, 1);
        for (int i = 0; i < candidates; i++)
            ruled->fact[f][i] = random_below(random, 2) != 0;
    }
    ruled->rule = (PairRule){ programs[which - 1], lengths[which - 1], 3, ruled->query_code, ruled->candidate_code, 2, ruled->fact };
    return &ruled->rule;
}

static void forget_rule(Ruled *ruled) {
    for (int c = 0; c < 3; c++) {
        free(ruled->query_code[c]);
        free(ruled->candidate_code[c]);
    }
    free(ruled->fact[0]);
    free(ruled->fact[1]);
}

typedef struct { int queries, candidates, width, individuals, copied, rule; } Trouble;

static void check_against_brute_force(Bench *bench, Random *random, Trouble t) {
    const int all = t.queries + t.candidates;
    const size_t width = (size_t)t.width;
    float *rows = calloc((size_t)all * width, sizeof *rows), *scores = calloc((size_t)t.candidates, sizeof *scores);
    int *label = calloc((size_t)all, sizeof *label), *self = calloc((size_t)t.queries, sizeof *self);
    QueryResult *results = calloc((size_t)t.queries, sizeof *results);
    random_rows(random, rows, label, all, t.width, t.individuals, t.copied);
    /* Queries are gallery rows too, some of them leave one out. Some have no known individual. */
    const float *gallery = rows + (size_t)t.queries * width;
    for (int q = 0; q < t.queries; q++) {
        self[q] = q % 3 == 0 ? -1 : (int)random_below(random, (uint64_t)t.candidates);
        if (q % 7 == 6)
            label[q] = -1;
        if (q % 5 == 4)
            memcpy(rows + (size_t)q * width, gallery + (size_t)random_below(random, (uint64_t)t.candidates) * width, width * sizeof(float));
    }
    Ruled ruled = { 0 };
    RankingTask task = { rows, t.queries, label, self, gallery, t.candidates, label + t.queries, t.width, random_rule(&ruled, random, t.queries, t.candidates, t.rule) };
    assert_true(rank_queries(bench->jre, bench->pool, bench->level, &task, results));
    for (int q = 0; q < t.queries; q++) {
        query_scores(bench->jre, bench->level, rows + (size_t)q * width, gallery, t.candidates, t.width, scores);
        QueryResult wanted = brute_force(&task, q, scores);
        assert_same_result(&results[q], &wanted);
    }
    forget_rule(&ruled);
    free(rows);
    free(scores);
    free(label);
    free(self);
    free(results);
}

static void counting_equals_sorting(void **state) {
    (void)state;
    Bench bench = bench_open(2);
    Random random = random_stream(7, "test", "brute force", 0);
    static const Trouble sizes[] = {
        { 1, 1, 1, 1, 0, 0 },       { 5, 3, 2, 2, 0, 1 },      { 40, 17, 3, 4, 2, 2 },     { 33, 240, 16, 5, 3, 3 },
        { 130, 241, 7, 300, 4, 0 }, { 61, 700, 33, 2, 3, 4 },  { 90, 481, 128, 9, 0, 5 },  { 50, 500, 5, 1, 2, 2 },
        { 61, 700, 33, 2, 3, 0 },   { 130, 250, 7, 20, 4, 5 }, { 20, 1000, 9, 30, 7, 3 },
    };
    const int highest = bench.level;
    for (bench.level = 0; bench.level < highest; bench.level++)
        check_against_brute_force(&bench, &random, (Trouble){ 35, 250, 19, 3, 3, 2 });
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_against_brute_force(&bench, &random, sizes[i]);
    for (int i = 0; i < 60; i++)
        check_against_brute_force(&bench, &random, (Trouble){ 1 + (int)random_below(&random, 20), 1 + (int)random_below(&random, 60), 2, 3, 2, i % 6 });
    bench_close(&bench);
}

/* The mean of average precision over every order of the equal ones, by counting them all. */
static void ties_in_any_order_are_averaged(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const float scores[6] = { .5f, .9f, .5f, .5f, .5f, .1f };
    const int relevant[6] = { 1, 0, 0, 1, 0, 1 };
    const QueryResult result = rank_scores(&bench, scores, relevant, 6);
    double sum = 0;
    for (int a = 0; a < 4; a++)           /* the two relevant ones take places 2 + a and 2 + b */
        for (int b = a + 1; b < 4; b++)
            sum += (1.0 / (2 + a) + 2.0 / (2 + b) + 3.0 / 6) / 3;
    assert_near(result.expected_order, sum / 6, 1e-15);
    assert_near(result.best_order, (1 / 2.0 + 2 / 3.0 + 3 / 6.0) / 3, 1e-15);
    assert_near(result.worst_order, (1 / 4.0 + 2 / 5.0 + 3 / 6.0) / 3, 1e-15);
    assert_int_equal(result.ties, 2);

    enum { MANY = 400 };                  /* where sums go over into the series */
    static float same[MANY];
    static int every_fourth[MANY];
    for (int i = 0; i < MANY; i++)
        every_fourth[i] = i % 4 == 0;
    const QueryResult all = rank_scores(&bench, same, every_fourth, MANY);
    assert_near(all.expected_order, chance_average_precision(MANY / 4, MANY), 1e-12);
    bench_close(&bench);
}

static void crowded_and_equal_scores_are_counted(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    enum { COUNT = 3000 };
    static float scores[COUNT];
    static int relevant[COUNT];
    Random random = random_stream(1, "test", "crowd", 0);
    for (int kind = 0; kind < 5; kind++) {
        for (int i = 0; i < COUNT; i++) {
            relevant[i] = random_below(&random, 3) != 0;
            double u = random_unit(&random);
            /* few values; one far outlier and a crowd; one value; tiny differences; huge numbers */
            scores[i] = (float)(kind == 0 ? floor(u * 9) : kind == 1 ? (i ? 1 + u * 1e-4 : -1e6) : kind == 2 ? .25 : kind == 3 ? .5 + u * 1e-7 : (u - .5) * 3e38);
        }
        QueryResult got = rank_scores(&bench, scores, relevant, COUNT), wanted;
        Candidate *order = calloc(COUNT, sizeof *order);
        for (int i = 0; i < COUNT; i++)
            order[i] = (Candidate){ scores[i], i };
        qsort(order, COUNT, sizeof *order, by_score_then_row);
        wanted = (QueryResult){ .best = order[0].row };
        int found = 0;
        for (int rank = 1; rank <= COUNT; rank++)
            if (relevant[order[rank - 1].row]) {
                wanted.average_precision += (double)++found / rank;
                wanted.first_rank = wanted.first_rank ? wanted.first_rank : rank;
            }
        assert_near(got.average_precision, wanted.average_precision / found, 1e-12);
        assert_int_equal(got.first_rank, wanted.first_rank);
        assert_int_equal(got.best, wanted.best);
        free(order);
    }
    bench_close(&bench);
}

static void more_positives_than_the_table_holds_are_counted(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    enum { COUNT = 70000 };
    float *scores = calloc(COUNT, sizeof *scores);
    int *relevant = calloc(COUNT, sizeof *relevant);
    for (int i = 0; i < COUNT; i++) {     /* falling scores, every 20th is not relevant */
        scores[i] = 1.0f - (float)i / COUNT;
        relevant[i] = i % 20 != 0;
    }
    QueryResult result = rank_scores(&bench, scores, relevant, COUNT);
    double sum = 0;
    int found = 0;
    for (int i = 0; i < COUNT; i++)
        if (relevant[i])
            sum += (double)++found / (i + 1);
    assert_near(result.average_precision, sum / found, 1e-12);
    assert_int_equal(result.positives, found);
    assert_int_equal(result.first_rank, 2);
    free(scores);
    free(relevant);
    bench_close(&bench);
}

static void equal_scores_rank_by_row_and_are_reported(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const float scores[5] = { .5f, .5f, .5f, .9f, .1f };
    const int middle[5] = { 0, 1, 0, 0, 0 };
    QueryResult result = rank_scores(&bench, scores, middle, 5);
    assert_int_equal(result.first_rank, 3);               /* behind .9 and row 0 */
    assert_int_equal(result.ties, 2);
    assert_int_equal(result.best, 3);
    assert_near(result.average_precision, 1 / 3.0, 1e-15);
    const int both[5] = { 1, 1, 0, 0, 1 };
    result = rank_scores(&bench, scores, both, 5);
    assert_int_equal(result.ties, 1);                     /* row 2; the relevant ones do not disturb each other */
    assert_near(result.average_precision, (1 / 2.0 + 2 / 3.0 + 3 / 5.0) / 3, 1e-15);
    bench_close(&bench);
}

static void scores_that_are_no_numbers_rank_last(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const float scores[4] = { NAN, .2f, INFINITY, -.5f };
    const int relevant[4] = { 0, 1, 0, 0 };
    QueryResult result = rank_scores(&bench, scores, relevant, 4);
    assert_int_equal(result.first_rank, 2);
    const int lost[4] = { 1, 0, 0, 0 };
    result = rank_scores(&bench, scores, lost, 4);
    assert_int_equal(result.first_rank, 4);
    assert_int_equal(result.best, 2);
    bench_close(&bench);
}

static void without_candidates_every_query_is_lonely(void **state) {
    (void)state;
    Bench bench = bench_open(2);
    const float row[2] = { 1, 0 };
    const int label = 0, self = 0;
    QueryResult result = { .positives = 9 };
    RankingTask nobody = { row, 1, &label, &self, row, 0, &label, 2, NULL };
    assert_true(rank_queries(bench.jre, bench.pool, bench.level, &nobody, &result));
    assert_int_equal(result.positives, 0);
    assert_int_equal(result.best, -1);
    RankingTask itself = { row, 1, &label, &self, row, 1, &label, 2, NULL };
    assert_true(rank_queries(bench.jre, bench.pool, bench.level, &itself, &result));
    assert_int_equal(result.positives, 0);
    assert_int_equal(result.best, -1);
    assert_int_equal(result.first_rank, 0);
    assert_int_equal(diag_count(bench.jre, SEVERITY_NOTE), 0);
    bench_close(&bench);
}

static void bits_do_not_depend_on_threads(void **state) {
    (void)state;
    enum { COUNT = 1500, WIDTH = 48 };
    float *rows = calloc(COUNT * WIDTH, sizeof *rows);
    int label[COUNT];
    Random random = random_stream(3, "test", "threads", 0);
    random_rows(&random, rows, label, COUNT, WIDTH, 20, 50);
    QueryResult *first = NULL;
    static const int threads[] = { 1, 2, 5 };
    for (int i = 0; i < 3; i++) {
        Bench bench = bench_open(threads[i]);
        QueryResult *results = rank_all(&bench, rows, label, COUNT, WIDTH);
        for (int q = 0; first && q < COUNT; q++) {
            assert_memory_equal(&results[q].average_precision, &first[q].average_precision, sizeof(double));
            assert_same_result(&results[q], &first[q]);
        }
        if (first)
            free(results);
        else
            first = results;
        bench_close(&bench);
    }
    free(first);
    free(rows);
}

static void a_score_does_not_depend_on_its_company(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    enum { COUNT = 700, WIDTH = 37 };
    float *rows = calloc(COUNT * WIDTH, sizeof *rows);
    static float all[COUNT], some[COUNT];
    int label[COUNT];
    Random random = random_stream(3, "test", "company", 0);
    random_rows(&random, rows, label, COUNT, WIDTH, 20, 0);
    query_scores(bench.jre, bench.level, rows, rows, COUNT, WIDTH, all);
    static const int first[] = { 0, 1, 239, 240, 695 }, count[] = { 1, 5, 17, 241, 5 };
    for (int i = 0; i < 5; i++) {
        query_scores(bench.jre, bench.level, rows, rows + first[i] * WIDTH, count[i], WIDTH, some);
        assert_memory_equal(some, all + first[i], sizeof(float) * (size_t)count[i]);
    }
    free(rows);
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
        cmocka_unit_test(average_precision_is_that_of_scikit_learn),
        cmocka_unit_test(forty_rows_agree_with_the_oracle),
        cmocka_unit_test(counting_equals_sorting),
        cmocka_unit_test(ties_in_any_order_are_averaged),
        cmocka_unit_test(crowded_and_equal_scores_are_counted),
        cmocka_unit_test(more_positives_than_the_table_holds_are_counted),
        cmocka_unit_test(equal_scores_rank_by_row_and_are_reported),
        cmocka_unit_test(scores_that_are_no_numbers_rank_last),
        cmocka_unit_test(without_candidates_every_query_is_lonely),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(a_score_does_not_depend_on_its_company),
        cmocka_unit_test(folds_average_by_individual_first),
        cmocka_unit_test(equal_individuals_go_by_number),
        cmocka_unit_test(nothing_to_judge_gives_no_numbers),
        cmocka_unit_test(chance_is_the_mean_over_all_orders),
        cmocka_unit_test(intervals_are_the_same_every_time),
        cmocka_unit_test(intervals_of_ratios_share_their_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
