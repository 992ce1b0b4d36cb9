/* metrics.c: from what each query got to the numbers of an evaluation.
 *
 * `average identity` is the mean over an individual's queries in a fold, then over the folds where it is present, then over
 * individuals, so that whoever was photographed most does not decide the score. `average query` is the mean over all
 * queries at once. A lonely query (nothing relevant to find) is left out, or counts 0. Where nothing counts, the numbers are
 * NaN: nothing was judged, which is no score of 0. All sums are in double, in the order of folds and rows. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

enum { INTERVAL_ROUNDS = 2000 };

/* ---- chance ------------------------------------------------------------------------------------------------------------ */

/* 1 + 1/2 + ... + 1/n. From 64 on the series of Euler and Maclaurin is exact to the last bits. */
static double harmonic(int n) {
    if (n >= 64) {
        double x = n, square = x * x;
        return log(x) + 0.57721566490153286061 + 1 / (2 * x) - 1 / (12 * square) + 1 / (120 * square * square) -
               1 / (252 * square * square * square);
    }
    double sum = 0;
    for (int i = n; i >= 1; i--)
        sum += 1.0 / i;
    return sum;
}

/* Place k of N holds a relevant picture with probability n/N, and then each place before it with (n-1)/(N-1), so precision there
 * is (1 + (k-1) (n-1)/(N-1)) / k on average. Summed over k and divided by n: (H + (n-1)/(N-1) (N - H)) / N, H the N-th
 * harmonic number. */
double chance_average_precision(int positives, int candidates) {
    if (positives < 1 || candidates < positives)
        return 0;
    if (candidates == positives)
        return 1;
    double all = candidates, h = harmonic(candidates);
    return (h + (positives - 1) / (all - 1) * (all - h)) / all;
}

/* ---- sums ---------------------------------------------------------------------------------------------------------------- */

enum { VALUE_MAP, VALUE_RANK1, VALUE_RANK5, VALUE_CHANCE, VALUES };

typedef struct { double sum[VALUES]; int count; } Sums;

static void sums_add(Sums *to, const double *value) {
    for (int v = 0; v < VALUES; v++)
        to->sum[v] += value[v];
    to->count++;
}

static double sums_mean(const Sums *sums, int v) {
    return sums->count ? sums->sum[v] / sums->count : 0;
}

static void sums_add_mean(Sums *to, const Sums *of) {
    double mean[VALUES];
    for (int v = 0; v < VALUES; v++)
        mean[v] = sums_mean(of, v);
    sums_add(to, mean);
}

/* Of one individual: its queries of the fold at hand, of all folds, and its means over folds. */
typedef struct { Sums fold, queries, folds; } IdentitySums;

typedef struct {
    IdentitySums *identity; int identities;
    Sums queries;                         /* all at once */
    bool average_identity, lonely_zero;
} Sheet;

static void query_values(const QueryResult *result, int candidates, double *value) {
    value[VALUE_MAP] = result->average_precision;
    value[VALUE_RANK1] = result->first_rank == 1;
    value[VALUE_RANK5] = result->first_rank >= 1 && result->first_rank <= 5;
    value[VALUE_CHANCE] = chance_average_precision(result->positives, candidates);
}

/* Adds up one fold. Gives its own map; false: nothing in it counts. */
static bool add_fold(Sheet *sheet, const FoldResults *fold, Evaluation *out, double *fold_map) {
    Sums queries = {0}, individuals = {0};
    for (int i = 0; i < fold->count; i++) {
        const QueryResult *result = &fold->results[i];
        const bool lonely = result->positives == 0;
        double value[VALUES] = {0};
        out->queries++;
        out->lonely += lonely;
        out->ties += result->ties;
        if (lonely && !sheet->lonely_zero)
            continue;
        if (!lonely)
            query_values(result, fold->candidates[i], value);
        sums_add(&queries, value);
        sums_add(&sheet->queries, value);
        if (fold->identity[i] >= 0 && fold->identity[i] < sheet->identities) {
            IdentitySums *own = &sheet->identity[fold->identity[i]];
            sums_add(&own->fold, value);
            sums_add(&own->queries, value);
        }
    }
    for (int c = 0; c < sheet->identities; c++) {
        IdentitySums *own = &sheet->identity[c];
        if (!own->fold.count)
            continue;
        sums_add_mean(&own->folds, &own->fold);
        sums_add_mean(&individuals, &own->fold);
        own->fold = (Sums){0};
    }
    const Sums *asked = sheet->average_identity ? &individuals : &queries;
    *fold_map = sums_mean(asked, VALUE_MAP);
    return asked->count > 0;
}

/* ---- an evaluation ---------------------------------------------------------------------------------------------------------- */

static double spread_of(const double *values, int count) {
    if (count < 2)
        return 0;
    double mean = 0, squares = 0;
    for (int i = 0; i < count; i++)
        mean += values[i] / count;
    for (int i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (count - 1));
}

/* The present individuals, and the best and the worst of them (the first of equals). */
static void list_identities(const Sheet *sheet, Arena *arena, Evaluation *out) {
    out->per_identity = arena_array(arena, IdentityScore, sheet->identities + 1);
    for (int c = 0; c < sheet->identities; c++) {
        const IdentitySums *own = &sheet->identity[c];
        if (!own->folds.count)
            continue;
        const int place = out->identities++;
        IdentityScore *score = &out->per_identity[place];
        *score = (IdentityScore){
            .identity = c, .average_precision = sums_mean(&own->folds, VALUE_MAP), .queries = own->queries.count,
            .folds = own->folds.count
        };
        if (out->best < 0 || score->average_precision > out->per_identity[out->best].average_precision)
            out->best = place;
        if (out->worst < 0 || score->average_precision < out->per_identity[out->worst].average_precision)
            out->worst = place;
    }
}

/* Individuals are what is drawn in both averages: pictures of one animal are not independent of each other. */
static void find_interval(const Sheet *sheet, Arena *scratch, uint64_t seed, Evaluation *out) {
    double *sums = arena_array(scratch, double, out->identities + 1), *weights = arena_array(scratch, double, out->identities + 1);
    for (int i = 0; i < out->identities; i++) {
        const IdentitySums *own = &sheet->identity[out->per_identity[i].identity];
        sums[i] = sheet->average_identity ? out->per_identity[i].average_precision : own->queries.sum[VALUE_MAP];
        weights[i] = sheet->average_identity ? 1 : own->queries.count;
    }
    bootstrap_ratio_interval(sums, weights, out->identities, INTERVAL_ROUNDS, seed, &out->low, &out->high);
}

void evaluate_folds(Jre *jre, Arena *arena, const FoldResults *folds, int fold_count, int identities, bool average_identity,
                    bool lonely_zero, uint64_t seed, Evaluation *out) {
    Arena scratch = { .jre = jre };
    Sheet sheet = {
        .identity = arena_array(&scratch, IdentitySums, identities + 1), .identities = identities,
        .average_identity = average_identity, .lonely_zero = lonely_zero
    };
    *out = (Evaluation){ .best = -1, .worst = -1 };
    double *fold_maps = arena_array(&scratch, double, fold_count + 1);
    int counted = 0;
    for (int f = 0; f < fold_count; f++)
        counted += add_fold(&sheet, &folds[f], out, &fold_maps[counted]);
    out->fold_spread = spread_of(fold_maps, counted);

    list_identities(&sheet, arena, out);
    Sums individuals = {0};
    for (int i = 0; i < out->identities; i++)
        sums_add_mean(&individuals, &sheet.identity[out->per_identity[i].identity].folds);
    const Sums *asked = average_identity ? &individuals : &sheet.queries;
    if (asked->count) {
        out->map = sums_mean(asked, VALUE_MAP);
        out->rank1 = sums_mean(asked, VALUE_RANK1);
        out->rank5 = sums_mean(asked, VALUE_RANK5);
        out->chance = sums_mean(asked, VALUE_CHANCE);
        find_interval(&sheet, &scratch, seed, out);
    } else {
        out->map = out->rank1 = out->rank5 = out->chance = out->low = out->high = NAN;
    }
    arena_free(&scratch);
}
