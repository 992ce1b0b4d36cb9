/* statistics.c: how far a mean may be trusted.
 *
 * The percentile bootstrap: individuals are drawn with replacement, the mean is taken again, and the interval holds the
 * middle 95 % of those means. Each round is a stream of its own, so no round depends on another, and all numbers of an
 * evaluation are taken of the same draw. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>

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

/* One draw of individuals: sums[0 .. ratios-1] of what is over, then of what is under. */
static void draw_sums(const double *over, const double *under, int individuals, int ratios, Random *random, double *sums) {
    for (int r = 0; r < 2 * ratios; r++)
        sums[r] = 0;
    for (int i = 0; i < individuals; i++) {
        const size_t drawn = (size_t)random_below(random, (uint64_t)individuals) * (size_t)ratios;
        for (int r = 0; r < ratios; r++) {
            sums[r] += over[drawn + (size_t)r];
            sums[ratios + r] += under[drawn + (size_t)r];
        }
    }
}

void bootstrap_intervals(Jre *jre, const double *over, const double *under, int individuals, int ratios, int rounds, uint64_t seed, double *low, double *high) {
    for (int r = 0; r < ratios; r++)
        low[r] = high[r] = NAN;
    if (individuals < 1 || rounds < 1 || ratios < 1)
        return;
    Arena scratch = { .jre = jre };
    double *means = arena_array(&scratch, double, (size_t)ratios * (size_t)rounds), *sums = arena_array(&scratch, double, 2 * (size_t)ratios);
    int *counts = arena_array(&scratch, int, ratios);
    for (int round = 0; round < rounds; round++) {
        Random random = random_stream(seed, "interval", "", (uint64_t)round);
        draw_sums(over, under, individuals, ratios, &random, sums);
        for (int r = 0; r < ratios; r++)
            if (sums[ratios + r] > 0)     /* a draw of individuals that have nothing under the line has no mean */
                means[(size_t)r * (size_t)rounds + (size_t)counts[r]++] = sums[r] / sums[ratios + r];
    }
    for (int r = 0; r < ratios; r++) {
        double *own = means + (size_t)r * (size_t)rounds;
        if (!counts[r])
            continue;
        qsort(own, (size_t)counts[r], sizeof *own, compare_numbers);
        low[r] = quantile(own, counts[r], 0.025);
        high[r] = quantile(own, counts[r], 0.975);
    }
    arena_free(&scratch);
}
