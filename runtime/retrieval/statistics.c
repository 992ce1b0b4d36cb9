/* statistics.c: how far a mean may be trusted.
 *
 * The percentile bootstrap: individuals are drawn with replacement, the mean is taken again, and the interval holds the
 * middle 95 % of those means. Each round is a stream of its own, so no round depends on another. */
#include "../runtime.h"

#include <stdlib.h>

enum { ROUNDS_MOST = 10000 };             /* of 8 bytes, on the stack */

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between neighbors in a straight line, as numpy's `percentile` by default. */
static double quantile(const double *sorted, int count, double share) {
    double at = share * (double)(count - 1);
    int below = (int)at;
    if (below >= count - 1)
        return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Sum of the drawn values over the sum of their weights. */
static double drawn_mean(const double *sums, const double *weights, int count, Random *random) {
    double sum = 0, weight = 0;
    for (int i = 0; i < count; i++) {
        uint64_t drawn = random_below(random, (uint64_t)count);
        sum += sums[drawn];
        weight += weights ? weights[drawn] : 1.0;
    }
    return weight > 0 ? sum / weight : 0.0;
}

void bootstrap_ratio_interval(const double *sums, const double *weights, int count, int rounds, uint64_t seed, double *low, double *high) {
    double means[ROUNDS_MOST];
    *low = *high = 0;
    if (count < 1 || rounds < 1)
        return;
    if (rounds > ROUNDS_MOST)
        rounds = ROUNDS_MOST;
    for (int round = 0; round < rounds; round++) {
        Random random = random_stream(seed, "interval", "", (uint64_t)round);
        means[round] = drawn_mean(sums, weights, count, &random);
    }
    qsort(means, (size_t)rounds, sizeof *means, compare_numbers);
    *low = quantile(means, rounds, 0.025);
    *high = quantile(means, rounds, 0.975);
}

void bootstrap_interval(const double *values, int count, int rounds, uint64_t seed, double *low, double *high) {
    bootstrap_ratio_interval(values, NULL, count, rounds, seed, low, high);
}
