/* conventions.c: the same answers, counted as other tools count them (DEFINITIONS 5.1 to 5.4).
 *
 * In: what each query of each fold got. Out: a line for each tool and metric, with how it counts. A tool knows nothing of folds: it is
 * asked once for each, and told is the mean over those for which it has a number. Queries whose individual nobody knows are asked by
 * no tool. Shares are told as shares, also where a tool prints them a hundredfold. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

/* ---- what tools count of a fold ------------------------------------------------------------------------------------------ */

/* What an answered query brings; a lonely one brings nothing. */
enum { GOT_AP, GOT_RANK1, GOT_RANK5, GOT_RANK10, GOT_RANK20, GOT_INP, GOT_AP_AT_R, GOT_R_PRECISION, GOT_RR, GOT };

/* Of one individual, or of all of them. `right` of its pictures are named, `named` pictures are given its name. */
typedef struct { double sum[GOT]; int answered, asked, right, named; } Tally;
typedef struct { Tally all; Tally *identity; int identities; } Fold;

static void add_got(Tally *tally, const double *got, bool lonely, bool right) {
    tally->asked++;
    tally->answered += !lonely;
    tally->right += right;
    for (int g = 0; g < GOT; g++)
        tally->sum[g] += got[g];
}

static void count_fold(const FoldResults *results, Fold *fold) {
    fold->all = (Tally){0};
    memset(fold->identity, 0, (size_t)fold->identities * sizeof *fold->identity);
    for (int i = 0; i < results->count; i++) {
        const QueryResult *q = &results->results[i];
        const int own = results->identity[i], rank = q->first_rank;
        const bool lonely = q->positives == 0, named = q->answer >= 0 && q->answer < fold->identities;
        if (own < 0 || own >= fold->identities)
            continue;
        double got[GOT] = {0};
        if (!lonely) {
            const double wanted = q->positives;
            const double values[GOT] = {
                [GOT_AP] = q->average_precision, [GOT_RANK1] = rank == 1, [GOT_RANK5] = rank <= 5, [GOT_RANK10] = rank <= 10, [GOT_RANK20] = rank <= 20,
                [GOT_INP] = wanted / q->last_rank, [GOT_AP_AT_R] = q->map_at_r, [GOT_R_PRECISION] = q->hits / wanted, [GOT_RR] = 1.0 / rank
            };
            memcpy(got, values, sizeof got);
        }
        add_got(&fold->all, got, lonely, rank == 1);
        add_got(&fold->identity[own], got, lonely, rank == 1);
        if (named) {
            fold->identity[q->answer].named++;
            fold->all.named++;
        }
    }
}

/* ---- averages --------------------------------------------------------------------------------------------------------------- */

static double share(double part, double whole) {
    return whole > 0 ? part / whole : NAN;
}

typedef enum { OF_ANSWERED, OF_ASKED } Whole;

static double by_query(const Fold *fold, int got, Whole whole) {
    return share(fold->all.sum[got], whole == OF_ASKED ? fold->all.asked : fold->all.answered);
}

static double by_identity(const Fold *fold, int got, Whole whole) {
    double sum = 0, count = 0;
    for (int c = 0; c < fold->identities; c++) {
        const Tally *own = &fold->identity[c];
        const int queries = whole == OF_ASKED ? own->asked : own->answered;
        if (!queries)
            continue;
        sum += own->sum[got] / queries;
        count++;
    }
    return share(sum, count);
}

/* scikit-learn's macro averages go over all names that are asked or given; who is never given, or never asked, counts 0. */
typedef enum { PRECISION, RECALL, F1, BALANCED } ClassScore;

static double by_class(const Fold *fold, ClassScore score) {
    double sum = 0, count = 0;
    for (int c = 0; c < fold->identities; c++) {
        const Tally *own = &fold->identity[c];
        const double under = score == PRECISION ? own->named : score == F1 ? (own->asked + own->named) / 2.0 : own->asked;
        if (score == BALANCED ? !own->asked : !own->asked && !own->named)
            continue;
        sum += under > 0 ? own->right / under : 0;
        count++;
    }
    return share(sum, count);
}

/* Each name is a question of yes or no for every picture: mistakes are names wrongly given and names not given. */
static double class_average(const Fold *fold) {
    double names = 0;
    for (int c = 0; c < fold->identities; c++)
        names += fold->identity[c].asked || fold->identity[c].named;
    const double mistakes = (fold->all.asked - fold->all.right) + (fold->all.named - fold->all.right);
    return share(fold->all.asked * names - mistakes, fold->all.asked * names);
}

/* ---- the lines ------------------------------------------------------------------------------------------------------------------ */

typedef enum { BY_QUERY, BY_QUERY_ASKED, BY_IDENTITY, BY_IDENTITY_ASKED, BY_CLASS, CLASS_AVERAGE, MEAN_OF_MAP_AND_RANK1, PARTED } Counting;

/* which: of GOT, a ClassScore, or a place in PairScores.parted. */
typedef struct { const char *tool, *metric; Counting counting; int which; } Counted;

static const Counted lines[] = {
    { "Kaggle", "identity-balanced mAP", BY_IDENTITY_ASKED, GOT_AP },
    { "Kaggle", "identity-balanced mAP", BY_IDENTITY, GOT_AP },
    { "torchreid", "mAP", BY_QUERY, GOT_AP },
    { "torchreid", "Rank-1", BY_QUERY, GOT_RANK1 },
    { "torchreid", "Rank-5", BY_QUERY, GOT_RANK5 },
    { "torchreid", "Rank-10", BY_QUERY, GOT_RANK10 },
    { "torchreid", "Rank-20", BY_QUERY, GOT_RANK20 },
    { "fast-reid", "mAP", BY_QUERY, GOT_AP },
    { "fast-reid", "Rank-1", BY_QUERY, GOT_RANK1 },
    { "fast-reid", "Rank-5", BY_QUERY, GOT_RANK5 },
    { "fast-reid", "Rank-10", BY_QUERY, GOT_RANK10 },
    { "fast-reid", "mINP", BY_QUERY, GOT_INP },
    { "fast-reid", "metric", MEAN_OF_MAP_AND_RANK1, 0 },
    { "fast-reid", "TPR@FPR=1e-04", PARTED, 0 },
    { "fast-reid", "TPR@FPR=1e-03", PARTED, 1 },
    { "fast-reid", "TPR@FPR=1e-02", PARTED, 2 },
    { "pytorch-metric-learning", "precision_at_1", BY_QUERY, GOT_RANK1 },
    { "pytorch-metric-learning", "r_precision", BY_QUERY, GOT_R_PRECISION },
    { "pytorch-metric-learning", "mean_average_precision_at_r", BY_QUERY, GOT_AP_AT_R },
    { "pytorch-metric-learning", "mean_average_precision", BY_QUERY, GOT_AP },
    { "pytorch-metric-learning", "mean_reciprocal_rank", BY_QUERY, GOT_RR },
    { "pytorch-metric-learning", "precision_at_1", BY_IDENTITY, GOT_RANK1 },
    { "pytorch-metric-learning", "r_precision", BY_IDENTITY, GOT_R_PRECISION },
    { "pytorch-metric-learning", "mean_average_precision_at_r", BY_IDENTITY, GOT_AP_AT_R },
    { "pytorch-metric-learning", "mean_average_precision", BY_IDENTITY, GOT_AP },
    { "pytorch-metric-learning", "mean_reciprocal_rank", BY_IDENTITY, GOT_RR },
    { "wildlife-datasets", "accuracy", BY_QUERY_ASKED, GOT_RANK1 },
    { "wildlife-datasets", "balanced_accuracy", BY_CLASS, BALANCED },
    { "wildlife-datasets", "class_average_accuracy", CLASS_AVERAGE, 0 },
    { "wildlife-datasets", "precision", BY_CLASS, PRECISION },
    { "wildlife-datasets", "recall", BY_CLASS, RECALL },
    { "wildlife-datasets", "f1", BY_CLASS, F1 },
    { "lynx probe", "mAP", BY_QUERY, GOT_AP },
    { "lynx probe", "top_1", BY_QUERY_ASKED, GOT_RANK1 },
    { "lynx probe", "top_5", BY_QUERY_ASKED, GOT_RANK5 },
    { "lynx probe", "top_10", BY_QUERY_ASKED, GOT_RANK10 },
};
enum { LINES = sizeof lines / sizeof *lines };

static const char *const counting_words[] = {
    [BY_QUERY] = "over queries, lonely ones left out", [BY_QUERY_ASKED] = "over queries, lonely ones 0",
    [BY_IDENTITY] = "over individuals, lonely queries left out", [BY_IDENTITY_ASKED] = "over individuals, lonely queries 0",
    [BY_CLASS] = "over names, of the nearest neighbor", [CLASS_AVERAGE] = "over names, each as yes or no",
    [MEAN_OF_MAP_AND_RANK1] = "mean of mAP and Rank-1", [PARTED] = "pairs of two individuals found, by false alarms of one"
};

static double line_value(const Counted *line, const Fold *fold, const PairScores *pairs) {
    switch (line->counting) {
    case BY_QUERY: return by_query(fold, line->which, OF_ANSWERED);
    case BY_QUERY_ASKED: return by_query(fold, line->which, OF_ASKED);
    case BY_IDENTITY: return by_identity(fold, line->which, OF_ANSWERED);
    case BY_IDENTITY_ASKED: return by_identity(fold, line->which, OF_ASKED);
    case BY_CLASS: return by_class(fold, (ClassScore)line->which);
    case CLASS_AVERAGE: return class_average(fold);
    case MEAN_OF_MAP_AND_RANK1: return (by_query(fold, GOT_AP, OF_ANSWERED) + by_query(fold, GOT_RANK1, OF_ANSWERED)) / 2;
    case PARTED: return pairs ? pairs->parted[line->which].share : NAN;
    }
    return NAN;
}

void conventions_of(Jre *jre, Arena *arena, const FoldResults *folds, int fold_count, int identities, const PairScores *pairs, Conventions *out) {
    Arena scratch = { .jre = jre };
    Fold fold = { .identity = arena_array(&scratch, Tally, identities + 1), .identities = identities };
    double sum[LINES] = {0};
    int count[LINES] = {0};
    for (int f = 0; f < fold_count; f++) {
        count_fold(&folds[f], &fold);
        for (int i = 0; i < LINES; i++) {
            const double value = line_value(&lines[i], &fold, pairs ? &pairs[f] : NULL);
            if (isnan(value))
                continue;
            sum[i] += value;
            count[i]++;
        }
    }
    *out = (Conventions){0};
    for (int i = 0; i < LINES; i++) {
        if (lines[i].counting == PARTED && !pairs)
            continue;
        const ConventionRow row = { lines[i].tool, lines[i].metric, counting_words[lines[i].counting], share(sum[i], count[i]), count[i] };
        list_add(arena, out, row);
    }
    arena_free(&scratch);
}
