/* Ranking: against golden numbers, brute force and other libraries. */
#include "ranking.h"

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
    static const int threads[] = { 1, 2, 3, 4, 5 };
    for (int i = 0; i < 5; i++) {
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

/* The same rows lie twice in memory: then nobody can know that a score serves two queries. */
static void a_score_told_to_both_is_the_score_of_each(void **state) {
    (void)state;
    enum { COUNT = 1100, WIDTH = 33 };
    float *rows = calloc(COUNT * WIDTH, sizeof *rows), *again = calloc(COUNT * WIDTH, sizeof *again);
    int label[COUNT], self[COUNT];
    Random random = random_stream(3, "test", "mutual", 0);
    random_rows(&random, rows, label, COUNT, WIDTH, 12, 9);
    for (int i = 0; i < COUNT; i++) {
        self[i] = i;
        label[i] = i % 50 == 7 ? -1 : label[i];
    }
    memcpy(again, rows, sizeof *rows * COUNT * WIDTH);
    for (int level = 0; level <= kernel_level(NULL); level++) {
        for (int rule = 0; rule < 5; rule += 4) {
            Bench bench = bench_open(3);
            Ruled ruled = { 0 };
            QueryResult *results = calloc(2 * COUNT, sizeof *results);
            const int count = level == kernel_level(NULL) ? COUNT : 210;   /* references take their time */
            RankingTask task = { rows, count, label, self, rows, count, label, WIDTH, random_rule(&ruled, &random, count, count, rule) };
            assert_true(rank_queries(bench.jre, bench.pool, level, &task, results));
            task.gallery = again;
            assert_true(rank_queries(bench.jre, bench.pool, level, &task, results + count));
            for (int q = 0; q < count; q++) {
                assert_same_result(&results[q], &results[count + q]);
                assert_memory_equal(&results[q].average_precision, &results[count + q].average_precision, sizeof(double));
            }
            free(results);
            forget_rule(&ruled);
            bench_close(&bench);
        }
    }
    free(again);
    free(rows);
}

/* ---- the best candidates --------------------------------------------------------------------------------------------------- */

/* `most` of them in one go with the ranking and without, against sorting. */
static void check_nearest(Bench *bench, const RankingTask *task, int most) {
    const size_t places = (size_t)task->queries * (size_t)most;
    Neighbor *nearest = calloc(places, sizeof *nearest), *ranked = calloc(places, sizeof *ranked);
    QueryResult *results = calloc((size_t)task->queries, sizeof *results);
    float *scores = calloc((size_t)task->candidates, sizeof *scores);
    Candidate *order = calloc((size_t)task->candidates, sizeof *order);
    assert_true(nearest_candidates(bench->jre, bench->pool, bench->level, task, most, nearest));
    assert_true(rank_nearest(bench->jre, bench->pool, bench->level, task, results, most, ranked));
    for (int q = 0; q < task->queries; q++) {
        int count = 0;
        query_scores(bench->jre, bench->level, task->query + (size_t)q * (size_t)task->width, task->gallery, task->candidates, task->width, scores);
        for (int i = 0; i < task->candidates; i++)
            if (i != task->self[q] && pair_allowed(task->rule, q, i))
                order[count++] = (Candidate){ scores[i], i };
        qsort(order, (size_t)count, sizeof *order, by_score_then_row);
        for (int i = 0; i < most; i++) {
            const Neighbor *got = &nearest[q * most + i], *too = &ranked[q * most + i];
            assert_int_equal(got->row, i < count ? order[i].row : -1);
            assert_int_equal(too->row, got->row);
            if (i < count)
                assert_true(got->score == order[i].score && too->score == got->score);
        }
        assert_int_equal(results[q].best, nearest[q * most].row);
    }
    free(order);
    free(scores);
    free(results);
    free(ranked);
    free(nearest);
}

static void the_nearest_are_those_of_sorting(void **state) {
    (void)state;
    enum { COUNT = 700, WIDTH = 9 };
    Bench bench = bench_open(2);
    Random random = random_stream(5, "test", "nearest", 0);
    float *rows = calloc(COUNT * WIDTH, sizeof *rows);
    int label[COUNT], self[COUNT];
    random_rows(&random, rows, label, COUNT, WIDTH, 6, 3);         /* every third row is a copy: many scores are equal */
    for (int i = 0; i < COUNT; i++)
        self[i] = i % 4 ? i : -1;
    static const int most[] = { 1, 2, 10, 100, 1000 };
    for (int i = 0; i < 5; i++) {
        Ruled ruled = { 0 };
        RankingTask task = { rows, COUNT, label, self, rows, COUNT, label, WIDTH, random_rule(&ruled, &random, COUNT, COUNT, i) };
        check_nearest(&bench, &task, most[i]);
        task.queries = 37;                /* no longer the same rows */
        check_nearest(&bench, &task, most[i]);
        forget_rule(&ruled);
    }
    free(rows);
    bench_close(&bench);
}

static void what_is_no_number_is_nobodys_neighbor(void **state) {
    (void)state;
    Bench bench = bench_open(1);
    const float scores[5] = { NAN, .2f, INFINITY, NAN, -INFINITY }, one = 1;
    const int label[5] = { 0 }, self = -1;
    RankingTask task = { &one, 1, label, &self, scores, 5, label, 1, NULL };
    Neighbor nearest[4];
    assert_true(nearest_candidates(bench.jre, bench.pool, bench.level, &task, 4, nearest));
    assert_int_equal(nearest[0].row, 2);
    assert_int_equal(nearest[1].row, 1);
    assert_int_equal(nearest[2].row, 4);
    assert_int_equal(nearest[3].row, -1);
    bench_close(&bench);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(average_precision_is_that_of_scikit_learn),
        cmocka_unit_test(counting_equals_sorting),
        cmocka_unit_test(ties_in_any_order_are_averaged),
        cmocka_unit_test(crowded_and_equal_scores_are_counted),
        cmocka_unit_test(more_positives_than_the_table_holds_are_counted),
        cmocka_unit_test(equal_scores_rank_by_row_and_are_reported),
        cmocka_unit_test(scores_that_are_no_numbers_rank_last),
        cmocka_unit_test(without_candidates_every_query_is_lonely),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(a_score_told_to_both_is_the_score_of_each),
        cmocka_unit_test(the_nearest_are_those_of_sorting),
        cmocka_unit_test(what_is_no_number_is_nobodys_neighbor),
        cmocka_unit_test(a_score_does_not_depend_on_its_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
