/* judge.c: what jre says of rows of numbers, for comparisons with other programs.
 *
 *   judge FILE ROWS WIDTH INDIVIDUALS      FILE: int32 individual and view of each row, then ROWS x WIDTH float32, unit rows
 *
 * Everybody asks everybody else; then nobody answers whom it shares individual and view with (names that begin with `rule `). Prints a
 * name, a tab and a number a line. */
#include <math.h>
#include <stdlib.h>

#include "../../runtime/runtime.h"

typedef struct { int rows, width, individuals, *label, *view, *self; float *values; } Given;

static bool read_given(FILE *file, Given *given) {
    const size_t rows = (size_t)given->rows, cells = rows * (size_t)given->width;
    given->label = calloc(rows, sizeof(int));
    given->view = calloc(rows, sizeof(int));
    given->self = calloc(rows, sizeof(int));
    given->values = calloc(cells, sizeof(float));
    for (size_t i = 0; i < rows; i++)
        given->self[i] = (int)i;
    return fread(given->label, sizeof(int), rows, file) == rows && fread(given->view, sizeof(int), rows, file) == rows &&
           fread(given->values, sizeof(float), cells, file) == cells;
}

static void tell(const char *before, const char *name, const char *after, double value) {
    printf("%s%s%s\t%.17g\n", before, name, after, value);
}

static void tell_metrics(const char *before, const char *after, const Evaluation *numbers) {
    for (int metric = 0; metric < METRIC_assigned; metric++) {
        tell(before, metric_rows[metric].word, after, numbers->score[metric].value);
    }
    tell(before, "map_expected_order", after, numbers->map_expected_order);
}

static bool judge(Jre *jre, Pool *pool, const Given *given, const PairRule *rule, const char *before) {
    QueryResult *results = calloc((size_t)given->rows, sizeof *results);
    const RankingTask task = {
        given->values, given->rows, given->label, given->self, given->values, given->rows, given->label, given->width, rule
    };
    PairScores pairs;
    const bool sound = rank_queries(jre, pool, kernel_level(NULL), &task, results) && judge_pairs(jre, pool, kernel_level(NULL), &task, !rule, &pairs);
    const FoldResults fold = { results, given->label, given->rows };
    for (int by_identity = 0; sound && by_identity < 2; by_identity++) {
        const Judging judging = { .average_identity = by_identity, .at = { [METRIC_assigned] = NAN, [METRIC_false_matches] = NAN } };
        Evaluation numbers;
        evaluate_folds(jre, &jre->forever, &fold, 1, given->individuals, &judging, &numbers);
        tell_metrics(before, by_identity ? " of individuals" : " of queries", &numbers);
    }
    Conventions lines = {0};
    if (sound)
        conventions_of(jre, &jre->forever, &fold, 1, given->individuals, &pairs, &lines);
    for (int i = 0; i < lines.count; i++)
        printf("%s%s %s, %s\t%.17g\n", before, lines.at[i].tool, lines.at[i].metric, lines.at[i].counts, lines.at[i].value);
    tell(before, "auc", "", pairs.auc);
    tell(before, "average precision", "", pairs.average_precision);
    tell(before, "equal error", "", pairs.equal_error);
    for (int r = 0; r < PAIR_RATES; r++)
        printf("%sfound at %g\t%.17g\n", before, pairs.found[r].rate, pairs.found[r].share);
    free(results);
    return sound;
}

int main(int count, char **arguments) {
    Given given = { .rows = count > 2 ? atoi(arguments[2]) : 0, .width = count > 3 ? atoi(arguments[3]) : 0, .individuals = count > 4 ? atoi(arguments[4]) : 0 };
    FILE *file = count > 4 ? fopen(arguments[1], "rb") : NULL;
    if (!file || given.rows < 1 || given.width < 1 || !read_given(file, &given))
        return 1;
    fclose(file);
    Jre *jre = jre_new();
    Pool *pool = pool_new(jre, 2);
    PairStep steps[] = { { PAIR_SAME, 0 }, { PAIR_SAME, 1 }, { PAIR_AND, 0 }, { PAIR_NOT, 0 } };
    int *codes[] = { given.label, given.view };
    const PairRule rule = { .steps = steps, .step_count = 4, .columns = 2, .query_code = codes, .candidate_code = codes };
    const bool sound = judge(jre, pool, &given, NULL, "") && judge(jre, pool, &given, &rule, "rule ");
    pool_free(pool);
    jre_free(jre);
    free(given.label);
    free(given.view);
    free(given.self);
    free(given.values);
    return sound ? 0 : 1;
}
