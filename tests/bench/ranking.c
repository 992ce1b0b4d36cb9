/* bench/ranking.c: seconds for exact identity-balanced mAP, all pairs.
 *
 *   ranking [ROWS [WIDTH [ROUNDS]]]       10000 512 5 if not given
 *
 * Twice for 1 and 2 threads: rows that tell nothing apart, where every score falls among the positives (the slowest case), and
 * rows of an individual around one center, as a network gives them. Then, with two threads, under a rule of three columns (another
 * burst, and one flank or one side), and the ROC of all pairs. Best of several rounds, since the machine may have company. */
#include <math.h>
#include <stdlib.h>

#include <sys/resource.h>

#include "../../runtime/runtime.h"

enum { INDIVIDUALS = 31 };

static void make_rows(int rows, int width, double alike, float *values, int *label, int *self) {
    Random random = random_stream(0, "bench", "ranking", 0);
    float *center = calloc((size_t)INDIVIDUALS * (size_t)width, sizeof *center);
    for (size_t i = 0; i < (size_t)INDIVIDUALS * (size_t)width; i++)
        center[i] = (float)(random_unit(&random) - .5);
    for (int i = 0; i < rows; i++) {
        float *row = values + (size_t)i * (size_t)width;
        double squares = 0;
        label[i] = (int)random_below(&random, INDIVIDUALS);
        self[i] = i;
        for (int k = 0; k < width; k++) {
            double x = alike * center[(size_t)label[i] * (size_t)width + (size_t)k] + random_unit(&random) - .5;
            row[k] = (float)x;
            squares += x * x;
        }
        for (int k = 0; k < width; k++)
            row[k] = (float)(row[k] / sqrt(squares));
    }
    free(center);
}

/* `not same(burst) and (same(flank) or same(side))`, with 500 bursts. */
typedef struct { int *code[3]; PairStep steps[6]; PairRule rule; } Ruled;

static void make_rule(int rows, Ruled *ruled) {
    static const PairStep steps[] = { { PAIR_SAME, 0 }, { PAIR_NOT, 0 }, { PAIR_SAME, 1 }, { PAIR_SAME, 2 }, { PAIR_OR, 0 }, { PAIR_AND, 0 } };
    static const uint64_t values[3] = { 500, 2, 3 };
    Random random = random_stream(0, "bench", "rule", 0);
    for (int c = 0; c < 3; c++) {
        ruled->code[c] = calloc((size_t)rows, sizeof(int));
        for (int i = 0; i < rows; i++)
            ruled->code[c][i] = (int)random_below(&random, values[c]);
    }
    for (int i = 0; i < 6; i++)
        ruled->steps[i] = steps[i];
    ruled->rule = (PairRule){ .steps = ruled->steps, .step_count = 6, .columns = 3, .query_code = ruled->code, .candidate_code = ruled->code };
}

/* All pairs, each once. */
static double pair_seconds(Jre *jre, int rounds, const RankingTask *task, PairScores *pairs) {
    Pool *pool = pool_new(jre, 2);
    double best = INFINITY;
    for (int round = 0; round < rounds; round++) {
        double started = seconds_now();
        judge_pairs(jre, pool, kernel_level(NULL), task, true, pairs);
        best = fmin(best, seconds_now() - started);
    }
    pool_free(pool);
    return best;
}

static double best_seconds(Jre *jre, int threads, int rounds, const RankingTask *task, QueryResult *results) {
    Pool *pool = pool_new(jre, threads);
    double best = INFINITY;
    for (int round = 0; round < rounds; round++) {
        double started = seconds_now();
        rank_queries(jre, pool, kernel_level(NULL), task, results);
        best = fmin(best, seconds_now() - started);
    }
    pool_free(pool);
    return best;
}

int main(int count, char **arguments) {
    int rows = count > 1 ? atoi(arguments[1]) : 10000, width = count > 2 ? atoi(arguments[2]) : 512, rounds = count > 3 ? atoi(arguments[3]) : 5;
    if (rows < 1 || width < 1 || rounds < 1)
        return 1;
    Jre *jre = jre_new();
    float *values = calloc((size_t)rows * (size_t)width, sizeof *values);
    int *label = calloc((size_t)rows, sizeof *label), *self = calloc((size_t)rows, sizeof *self);
    QueryResult *results = calloc((size_t)rows, sizeof *results);
    RankingTask task = { values, rows, label, self, values, rows, label, width, NULL };
    Ruled ruled;
    make_rule(rows, &ruled);
    for (int alike = 0; alike <= 1; alike++) {
        make_rows(rows, width, alike * .4, values, label, self);
        for (int threads = 1; threads <= 2; threads++) {
            double seconds = best_seconds(jre, threads, rounds, &task, results);
            FoldResults fold = { results, label, rows };
            const Judging judging = { .average_identity = true, .at = { [METRIC_assigned] = NAN, [METRIC_false_matches] = NAN } };
            Evaluation numbers;
            evaluate_folds(jre, &jre->forever, &fold, 1, INDIVIDUALS, &judging, &numbers);
            printf("%d x %d, %s, %d thread%s: %.3f s, map %.6f\n", rows, width, alike ? "individuals" : "noise", threads,
                   threads == 1 ? "" : "s", seconds, numbers.score[METRIC_map].value);
        }
        task.rule = &ruled.rule;
        printf("%d x %d, %s, under a rule: %.3f s\n", rows, width, alike ? "individuals" : "noise", best_seconds(jre, 2, rounds, &task, results));
        task.rule = NULL;
        PairScores pairs;
        const double seconds = pair_seconds(jre, rounds, &task, &pairs);
        printf("%d x %d, %s, pairs: %.3f s, auc %.7f within %.1e, average precision %.7f within %.1e\n", rows, width, alike ? "individuals" : "noise", seconds,
               pairs.auc, pairs.auc_within, pairs.average_precision, pairs.average_precision_within);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak memory %.0f MiB, of it %.0f MiB rows\n", (double)usage.ru_maxrss / 1024, (double)rows * width * 4 / 1048576);
    for (int c = 0; c < 3; c++)
        free(ruled.code[c]);
    free(values);
    free(label);
    free(self);
    free(results);
    jre_free(jre);
    return 0;
}
