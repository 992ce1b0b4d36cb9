/* metrics.c: from what each query got to the numbers of an evaluation.
 *
 * `average identity` is the mean over an individual's queries in a fold, then over the folds where it is present, then over
 * individuals, so that whoever was photographed most does not decide the score. `average query` is the mean over all
 * queries at once. A lonely query (nothing relevant to find) is left out, or counts 0. Where nothing counts, the numbers are
 * NaN: nothing was judged, which is no score of 0. All sums are in double, in the order of folds and rows.
 *
 * Every number is a sum over individuals of something by a sum of something else, so one loop makes them all, of all folds,
 * of one fold, and of individuals drawn anew. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

enum { INTERVAL_ROUNDS = 2000, IDENTITY_ROUNDS = 500 };

/* ---- chance ------------------------------------------------------------------------------------------------------------ */

/* From 64 on the series of Euler and Maclaurin is exact to the last bits. */
double harmonic_number(double n) {
    if (n >= 64) {
        const double square = n * n;
        return log(n) + 0.57721566490153286061 + 1 / (2 * n) - 1 / (12 * square) + 1 / (120 * square * square) -
               1 / (252 * square * square * square);
    }
    double sum = 0;
    for (double i = n; i >= 1; i--)
        sum += 1 / i;
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
    double all = candidates, h = harmonic_number(candidates);
    return (h + (positives - 1) / (all - 1) * (all - h)) / all;
}

/* ---- sums ---------------------------------------------------------------------------------------------------------------- */

/* What a query brings. The first ones are not asked of lonely queries, or 0 there; NAMED is asked of no lonely query; the last
 * ones are asked of all: a stranger taken for somebody is a wrong answer. */
enum {
    VALUE_AP, VALUE_RANK1, VALUE_RANK5, VALUE_RANK10, VALUE_AP_AT_R, VALUE_R_PRECISION, VALUE_INP, VALUE_RR, VALUE_CHANCE,
    VALUE_BEST_ORDER, VALUE_WORST_ORDER, VALUE_EXPECTED_ORDER,
    VALUE_NAMED,
    VALUE_ASSIGNED, VALUE_REACHED, VALUE_WRONG,
    VALUES
};

typedef struct { double sum[VALUES]; int count[VALUES]; } Sums;

static void sums_add(Sums *to, int v, double value) {
    to->sum[v] += value;
    to->count[v]++;
}

static double sums_mean(const Sums *sums, int v) {
    return sums->count[v] ? sums->sum[v] / sums->count[v] : 0;
}

/* Of one individual: its queries of the fold at hand, of all folds, and its means over folds. */
typedef struct { Sums fold, queries, folds; } IdentitySums;

/* The place behind the last individual is nobody's: queries whose individual is not known. */
typedef struct { const Judging *judging; IdentitySums *identity; int identities; } Sheet;

static void add_value(IdentitySums *own, int v, double value) {
    sums_add(&own->fold, v, value);
    sums_add(&own->queries, v, value);
}

static void add_query(const Sheet *sheet, const QueryResult *q, IdentitySums *own) {
    const bool lonely = q->positives == 0;
    const double judged[] = {
        [VALUE_AP] = q->average_precision, [VALUE_RANK1] = q->first_rank == 1, [VALUE_RANK5] = q->first_rank <= 5, [VALUE_RANK10] = q->first_rank <= 10,
        [VALUE_AP_AT_R] = q->map_at_r, [VALUE_R_PRECISION] = (double)q->hits / q->positives, [VALUE_INP] = (double)q->positives / q->last_rank,
        [VALUE_RR] = 1.0 / q->first_rank, [VALUE_CHANCE] = chance_average_precision(q->positives, q->candidates),
        [VALUE_BEST_ORDER] = q->best_order, [VALUE_WORST_ORDER] = q->worst_order, [VALUE_EXPECTED_ORDER] = q->expected_order
    };
    for (int v = 0; v < VALUE_NAMED && (!lonely || sheet->judging->lonely_zero); v++)
        add_value(own, v, lonely ? 0 : judged[v]);
    const double *at = sheet->judging->at;
    const bool right = q->first_rank == 1, reached = q->best_score >= at[METRIC_false_matches];
    if (!lonely)
        add_value(own, VALUE_NAMED, right);
    add_value(own, VALUE_ASSIGNED, q->best_score >= at[METRIC_assigned]);
    add_value(own, VALUE_REACHED, reached);
    add_value(own, VALUE_WRONG, reached && !right);
}

/* ---- ratios --------------------------------------------------------------------------------------------------------------- */

/* AS_ASKED: by query or by individual as the evaluation says. under: another value, or NONE: the mean. */
enum { NONE = -1 };
typedef enum { AS_ASKED, BY_QUERY, BY_IDENTITY } Averaging;
typedef struct { int over, under; Averaging averaging; } Ratio;

static const Ratio metric_ratio[METRIC_COUNT] = {
    [METRIC_map] = { VALUE_AP, NONE, AS_ASKED }, [METRIC_rank1] = { VALUE_RANK1, NONE, AS_ASKED },
    [METRIC_rank5] = { VALUE_RANK5, NONE, AS_ASKED }, [METRIC_rank10] = { VALUE_RANK10, NONE, AS_ASKED },
    [METRIC_map_at_r] = { VALUE_AP_AT_R, NONE, AS_ASKED }, [METRIC_r_precision] = { VALUE_R_PRECISION, NONE, AS_ASKED },
    [METRIC_minp] = { VALUE_INP, NONE, AS_ASKED }, [METRIC_mrr] = { VALUE_RR, NONE, AS_ASKED },
    [METRIC_accuracy] = { VALUE_NAMED, NONE, BY_QUERY }, [METRIC_balanced_accuracy] = { VALUE_NAMED, NONE, BY_IDENTITY },
    [METRIC_assigned] = { VALUE_ASSIGNED, NONE, AS_ASKED }, [METRIC_false_matches] = { VALUE_WRONG, VALUE_REACHED, AS_ASKED }
};

/* What an individual adds to both sides, of its queries or of its means. */
static void add_sides(const Ratio *ratio, bool by_identity, const Sums *queries, const Sums *means, double *over, double *under) {
    if (!by_identity) {
        *over += queries->sum[ratio->over];
        *under += ratio->under == NONE ? queries->count[ratio->over] : queries->sum[ratio->under];
    } else if (means->count[ratio->over]) {
        *over += sums_mean(means, ratio->over);
        *under += ratio->under == NONE ? 1 : sums_mean(means, ratio->under);
    }
}

static bool by_identity(const Sheet *sheet, const Ratio *ratio) {
    return ratio->averaging == BY_IDENTITY || (ratio->averaging == AS_ASKED && sheet->judging->average_identity);
}

static double ratio_value(const Sheet *sheet, const Ratio *ratio, bool of_fold) {
    double over = 0, under = 0;
    const bool each = by_identity(sheet, ratio);
    for (int c = 0; c < sheet->identities + !each; c++) {
        const IdentitySums *own = &sheet->identity[c];
        add_sides(ratio, each, of_fold ? &own->fold : &own->queries, of_fold ? &own->fold : &own->folds, &over, &under);
    }
    return under > 0 ? over / under : NAN;
}

/* ---- folds ----------------------------------------------------------------------------------------------------------------- */

static IdentitySums *sums_of(const Sheet *sheet, int identity) {
    return &sheet->identity[identity >= 0 && identity < sheet->identities ? identity : sheet->identities];
}

/* Adds up one fold, and gives its own values. */
static void add_fold(Sheet *sheet, const FoldResults *fold, Evaluation *out, double *own_values) {
    for (int i = 0; i < fold->count; i++) {
        const QueryResult *result = &fold->results[i];
        out->queries++;
        out->lonely += result->positives == 0;
        out->ties += result->ties;
        out->unscored += result->unscored;
        add_query(sheet, result, sums_of(sheet, fold->identity[i]));
    }
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        own_values[metric] = ratio_value(sheet, &metric_ratio[metric], true);
    for (int c = 0; c <= sheet->identities; c++) {
        IdentitySums *own = &sheet->identity[c];
        for (int v = 0; v < VALUES; v++)
            if (own->fold.count[v])
                sums_add(&own->folds, v, sums_mean(&own->fold, v));
        own->fold = (Sums){0};
    }
}

/* Of the folds in which something was judged. */
static double spread_of(const double *values, int folds, int metric) {
    double mean = 0, squares = 0;
    int count = 0;
    for (int f = 0; f < folds; f++)
        count += !isnan(values[f * METRIC_COUNT + metric]);
    if (count < 2)
        return 0;
    for (int f = 0; f < folds; f++)
        if (!isnan(values[f * METRIC_COUNT + metric]))
            mean += values[f * METRIC_COUNT + metric] / count;
    for (int f = 0; f < folds; f++) {
        const double off = values[f * METRIC_COUNT + metric] - mean;
        squares += isnan(off) ? 0 : off * off;
    }
    return sqrt(squares / (count - 1));
}

/* ---- individuals ------------------------------------------------------------------------------------------------------------- */

/* The present individuals, and the best and the worst of them (the first of equals). */
static void list_identities(const Sheet *sheet, Arena *arena, Evaluation *out) {
    out->per_identity = arena_array(arena, IdentityScore, sheet->identities + 1);
    for (int c = 0; c < sheet->identities; c++) {
        const IdentitySums *own = &sheet->identity[c];
        if (!own->folds.count[VALUE_AP])
            continue;
        const int place = out->identities++;
        IdentityScore *score = &out->per_identity[place];
        *score = (IdentityScore){
            .identity = c, .average_precision = sums_mean(&own->folds, VALUE_AP), .low = NAN, .high = NAN,
            .queries = own->queries.count[VALUE_AP], .folds = own->folds.count[VALUE_AP]
        };
        if (out->best < 0 || score->average_precision > out->per_identity[out->best].average_precision)
            out->best = place;
        if (out->worst < 0 || score->average_precision < out->per_identity[out->worst].average_precision)
            out->worst = place;
    }
}

/* Queries side by side by individual; each weighs so much that their sum is the individual's score. */
typedef struct { int *start; double *over, *under; } Shares;

static void share_queries(const Sheet *sheet, Arena *scratch, const FoldResults *folds, int fold_count, Shares *shares) {
    const int identities = sheet->identities;
    int *of_fold = arena_array(scratch, int, identities + 1), *used = arena_array(scratch, int, identities + 1);
    shares->start = arena_array(scratch, int, identities + 2);
    for (int c = 0; c < identities; c++)
        shares->start[c + 1] = shares->start[c] + sheet->identity[c].queries.count[VALUE_AP];
    shares->over = arena_array(scratch, double, shares->start[identities] + 1);
    shares->under = arena_array(scratch, double, shares->start[identities] + 1);
    for (int f = 0; f < fold_count; f++) {
        memset(of_fold, 0, ((size_t)identities + 1) * sizeof *of_fold);
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < folds[f].count; i++) {
                const int c = folds[f].identity[i];
                if (c < 0 || c >= identities || (!folds[f].results[i].positives && !sheet->judging->lonely_zero))
                    continue;
                if (!pass) {
                    of_fold[c]++;
                    continue;
                }
                const int place = shares->start[c] + used[c]++;
                shares->under[place] = 1.0 / sheet->identity[c].folds.count[VALUE_AP] / of_fold[c];
                shares->over[place] = folds[f].results[i].average_precision * shares->under[place];
            }
    }
}

static void identity_intervals(Jre *jre, const Sheet *sheet, Arena *scratch, const FoldResults *folds, int fold_count, Evaluation *out) {
    Shares shares;
    share_queries(sheet, scratch, folds, fold_count, &shares);
    for (int i = 0; i < out->identities; i++) {
        IdentityScore *score = &out->per_identity[i];
        const int start = shares.start[score->identity], count = shares.start[score->identity + 1] - start;
        if (count > 1)
            bootstrap_intervals(jre, shares.over + start, shares.under + start, count, 1, IDENTITY_ROUNDS, sheet->judging->seed, &score->low, &score->high);
    }
}

/* ---- intervals --------------------------------------------------------------------------------------------------------------- */

/* Individuals are what is drawn in both averages: pictures of one animal are not independent of each other. Metrics of all queries draw
 * from all individuals that asked, the others from those that were judged. */
static void find_intervals(Jre *jre, const Sheet *sheet, Arena *scratch, int first, int end, int asked_of, Evaluation *out) {
    const int ratios = end - first;
    double *over = arena_array(scratch, double, ((size_t)sheet->identities + 1) * (size_t)ratios);
    double *under = arena_array(scratch, double, ((size_t)sheet->identities + 1) * (size_t)ratios);
    double low[METRIC_COUNT], high[METRIC_COUNT];
    int present = 0;
    for (int c = 0; c < sheet->identities; c++) {
        const IdentitySums *own = &sheet->identity[c];
        if (!own->queries.count[asked_of])
            continue;
        for (int r = 0; r < ratios; r++) {
            const size_t place = (size_t)present * (size_t)ratios + (size_t)r;
            const Ratio *ratio = &metric_ratio[first + r];
            add_sides(ratio, by_identity(sheet, ratio), &own->queries, &own->folds, &over[place], &under[place]);
        }
        present++;
    }
    bootstrap_intervals(jre, over, under, present, ratios, INTERVAL_ROUNDS, sheet->judging->seed, low, high);
    for (int r = 0; r < ratios; r++) {
        out->score[first + r].low = low[r];
        out->score[first + r].high = high[r];
    }
}

/* ---- an evaluation ---------------------------------------------------------------------------------------------------------- */

Judging judging_of(const EvaluatePlan *plan) {
    Judging judging = { .average_identity = plan->average_identity, .lonely_zero = plan->lonely_zero };
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        judging.at[metric] = NAN;
    for (int i = 0; i < plan->metrics.count; i++)
        judging.at[plan->metrics.at[i].metric] = plan->metrics.at[i].at;
    return judging;
}

static double value_of(const Sheet *sheet, int value) {
    return ratio_value(sheet, &(Ratio){ value, NONE, AS_ASKED }, false);
}

void evaluate_folds(Jre *jre, Arena *arena, const FoldResults *folds, int fold_count, int identities, const Judging *judging, Evaluation *out) {
    Arena scratch = { .jre = jre };
    Sheet sheet = { .judging = judging, .identity = arena_array(&scratch, IdentitySums, identities + 1), .identities = identities };
    *out = (Evaluation){ .best = -1, .worst = -1 };
    double *own_values = arena_array(&scratch, double, ((size_t)fold_count + 1) * METRIC_COUNT);
    for (int f = 0; f < fold_count; f++)
        add_fold(&sheet, &folds[f], out, own_values + (size_t)f * METRIC_COUNT);
    list_identities(&sheet, arena, out);
    identity_intervals(jre, &sheet, &scratch, folds, fold_count, out);
    find_intervals(jre, &sheet, &scratch, 0, METRIC_assigned, VALUE_AP, out);
    if (!isnan(judging->at[METRIC_assigned]) || !isnan(judging->at[METRIC_false_matches]))
        find_intervals(jre, &sheet, &scratch, METRIC_assigned, METRIC_COUNT, VALUE_ASSIGNED, out);
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        Score *score = &out->score[metric];
        score->value = ratio_value(&sheet, &metric_ratio[metric], false);
        score->spread = spread_of(own_values, fold_count, metric);
        if (metric >= METRIC_assigned && isnan(judging->at[metric]))
            *score = (Score){ NAN, NAN, NAN, NAN };
    }
    out->chance = value_of(&sheet, VALUE_CHANCE);
    out->map_best_order = value_of(&sheet, VALUE_BEST_ORDER);
    out->map_worst_order = value_of(&sheet, VALUE_WORST_ORDER);
    out->map_expected_order = value_of(&sheet, VALUE_EXPECTED_ORDER);
    arena_free(&scratch);
}
