/* ranking.h: what tests of ranking, metrics and pairs share: rows, rules, rankings. */
#ifndef JRE_RANKING_H
#define JRE_RANKING_H

#include <math.h>

#include <cjson/cJSON.h>

#include "test.h"

#include "../runtime/runtime.h"

#define assert_near(value, wanted, within)                                                            \
    do {                                                                                              \
        if (!(fabs((value) - (wanted)) <= (within)))                                                  \
            fail_msg("%s is %.15g, not %.15g", #value, (double)(value), (double)(wanted));            \
    } while (0)

typedef struct { Jre *jre; Pool *pool; int level; } Bench;

static inline Bench bench_open(int threads) {
    Jre *jre = jre_new();
    return (Bench){ jre, pool_new(jre, threads), kernel_level(NULL) };
}

static inline void bench_close(Bench *bench) {
    pool_free(bench->pool);
    jre_free(bench->jre);
}

static inline void make_unit(const double *from, int width, float *to) {
    double squares = 0;
    for (int k = 0; k < width; k++)
        squares += from[k] * from[k];
    for (int k = 0; k < width; k++)
        to[k] = (float)(from[k] / sqrt(squares));
}

/* Everybody asks everybody else. Free the results. */
static inline QueryResult *rank_all(Bench *bench, const float *rows, const int *label, int count, int width) {
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
static inline QueryResult rank_scores(Bench *bench, const float *scores, const int *relevant, int count) {
    const float one = 1;
    const int label = 1, self = -1;
    RankingTask task = { &one, 1, &label, &self, scores, count, relevant, 1, NULL };
    QueryResult result;
    assert_true(rank_queries(bench->jre, bench->pool, bench->level, &task, &result));
    return result;
}

static inline Judging judged(bool by_identity, bool lonely_zero) {
    return (Judging){ by_identity, lonely_zero, 0, { [METRIC_assigned] = NAN, [METRIC_false_matches] = NAN } };
}

static inline void judge(Bench *bench, const FoldResults *folds, int count, int identities, bool by_identity, bool lonely_zero, Evaluation *numbers) {
    const Judging judging = judged(by_identity, lonely_zero);
    evaluate_folds(bench->jre, &bench->jre->forever, folds, count, identities, &judging, numbers);
}

static inline Evaluation evaluate_one(Bench *bench, const QueryResult *results, const int *label, int count, int identities, bool by_identity,
                               bool lonely_zero) {
    FoldResults fold = { results, label, count };
    Evaluation numbers;
    judge(bench, &fold, 1, identities, by_identity, lonely_zero, &numbers);
    return numbers;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* The twelve rows of DEFINITIONS 5.12: 4 individuals, y = i mod 4. */
static inline void golden_rows(float *rows) {
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

/* Rows around one center an individual; every `copied`-th is a copy of an earlier one, which makes ties. */
static inline void random_rows(Random *random, float *rows, int *label, int count, int width, int individuals, int copied) {
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

/* ---- rules --------------------------------------------------------------------------------------------------------------- */

/* Three columns of few values, some missing, and two facts, under one of a few rules; 0: no rule. */
typedef struct { PairRule rule; int *query_code[3], *candidate_code[3]; uint8_t *fact[2]; } Ruled;

static inline const PairRule *random_rule(Ruled *ruled, Random *random, int queries, int candidates, int which) {
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
    ruled->rule = (PairRule){ .steps = programs[which - 1], .step_count = lengths[which - 1], .columns = 3, .query_code = ruled->query_code, .candidate_code = ruled->candidate_code, .facts = 2, .fact = ruled->fact };
    return &ruled->rule;
}

static inline void forget_rule(Ruled *ruled) {
    for (int c = 0; c < 3; c++) {
        free(ruled->query_code[c]);
        free(ruled->candidate_code[c]);
    }
    free(ruled->fact[0]);
    free(ruled->fact[1]);
}

/* ---- the oracle ---------------------------------------------------------------------------------------------------------- */

static inline cJSON *parse_file(const char *path) {
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

#endif
