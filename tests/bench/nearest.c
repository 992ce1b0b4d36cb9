/* bench/nearest.c: seconds for the exact nearest candidates of many queries.
 *
 *   nearest [QUERIES [CANDIDATES [WIDTH [MOST [ROUNDS]]]]]       10000 50000 512 100 3 if not given
 *
 * Rows of noise on 1 and 2 threads, best of several rounds. The largest error of a score is that against the same product in double. */
#include <math.h>
#include <stdlib.h>

#include <sys/resource.h>

#include "../../runtime/runtime.h"

static float *make_rows(int rows, int width, const char *name) {
    Random random = random_stream(0, "bench", name, 0);
    float *values = calloc((size_t)rows * (size_t)width, sizeof *values);
    for (int i = 0; i < rows; i++) {
        float *row = values + (size_t)i * (size_t)width;
        double squares = 0;
        for (int k = 0; k < width; k++) {
            row[k] = (float)(random_unit(&random) - .5);
            squares += row[k] * row[k];
        }
        for (int k = 0; k < width; k++)
            row[k] = (float)(row[k] / sqrt(squares));
    }
    return values;
}

static double largest_error(const RankingTask *task, int most, const Neighbor *nearest) {
    double largest = 0;
    for (size_t i = 0; i < (size_t)task->queries * (size_t)most; i++) {
        const float *a = task->query + i / (size_t)most * (size_t)task->width;
        double sum = 0;
        for (int k = 0; nearest[i].row >= 0 && k < task->width; k++)
            sum += (double)a[k] * task->gallery[(size_t)nearest[i].row * (size_t)task->width + (size_t)k];
        if (nearest[i].row >= 0)
            largest = fmax(largest, fabs(sum - nearest[i].score));
    }
    return largest;
}

int main(int count, char **arguments) {
    static const int usual[] = { 10000, 50000, 512, 100, 3 };
    int given[5];
    for (int i = 0; i < 5; i++) {
        given[i] = count > i + 1 ? atoi(arguments[i + 1]) : usual[i];
        if (given[i] < 1)
            return 1;
    }
    const int queries = given[0], candidates = given[1], width = given[2], most = given[3];
    Jre *jre = jre_new();
    float *query = make_rows(queries, width, "queries"), *gallery = make_rows(candidates, width, "candidates");
    Neighbor *nearest = calloc((size_t)queries * (size_t)most, sizeof *nearest);
    const RankingTask task = { .query = query, .queries = queries, .gallery = gallery, .candidates = candidates, .width = width };
    for (int threads = 1; threads <= 2; threads++) {
        Pool *pool = pool_new(jre, threads);
        double best = INFINITY;
        for (int round = 0; round < given[4]; round++) {
            const double started = seconds_now();
            nearest_candidates(jre, pool, kernel_level(NULL), &task, most, nearest);
            best = fmin(best, seconds_now() - started);
        }
        pool_free(pool);
        printf("%d queries in %d x %d, nearest %d, %d thread%s: %.3f s\n", queries, candidates, width, most, threads, threads == 1 ? "" : "s", best);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("largest error %.1e, peak memory %.0f MiB\n", largest_error(&task, most, nearest), (double)usage.ru_maxrss / 1024);
    free(query);
    free(gallery);
    free(nearest);
    jre_free(jre);
    return 0;
}
