/* similarity.c: every query against every candidate, exactly, without keeping a score.
 *
 * Average precision needs no sorted list: for each relevant picture it is enough to know how many others come before it.
 * So a block of queries first gets the scores of its own relevant pictures (its "positives"), sorted; then all candidates
 * stream past in tiles, and each score finds its place among the positives. A table of even steps between the lowest and
 * the highest positive leaves about one comparison to do.
 *
 * Memory is a tile and the positives of one block for each thread. The kernel always sees tiles of one shape (the last one
 * is filled up with zeros), and a block never looks at another: results do not depend on the number of threads. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_QUERIES = 128,                  /* a multiple of TILE_STEP */
    SHORT_BUCKET = 16,                    /* longer ones are searched and sorted in n log n */
    BUCKETS_EACH = 4,                     /* buckets for each positive */
    BUCKETS_MOST = 8192,
    BLOCK_BYTES = 32 << 20                /* the positives of one block may take as much */
};

/* A relevant picture of a query. Sorted by score, then by falling row: those that a candidate beats come first. */
typedef struct { float score; int row; } Positive;

/* ---- a score's place among the positives ------------------------------------------------------------------------------- */

typedef struct {
    int query;                            /* row of the task */
    int label_first, label_end;           /* gallery rows of its individual, as places in Ranking.by_label */
    int self;
    Positive *positive; int positives;
    float *score;                         /* of the positives, sorted, and infinity behind them */
    uint32_t *above;                      /* [k]: other candidates that beat exactly the k lowest positives */
    uint32_t *tied, *tied_first;          /* [k], k the lowest of equal positives: others with their score; of these, before all of them by row */
    uint16_t *start;                      /* [bucket]: the first positive of it; one more closes the last */
    float low, scale; int buckets;
    int marked;                           /* how far label_first .. label_end have been passed by the tiles */
    int candidates, unscored;
    float best_score; int best, ties;
} QueryState;

/* Never falls as the score rises: so a positive in a lower bucket has a lower score. No number: the lowest. */
static inline int bucket_of(float score, float low, float scale, float last) {
    float step = (score - low) * scale;
    step = step > 0 ? step : 0;
    return (int)(step < last ? step : last);
}

/* The table of starts has 16 bits an entry, to stay in the nearest cache: who has more positives does without it. */
static int bucket_count(int positives) {
    if (positives > UINT16_MAX)
        return 1;
    return positives < BUCKETS_MOST / BUCKETS_EACH ? BUCKETS_EACH * positives + 1 : BUCKETS_MOST;
}

static int compare_positives(const void *a, const void *b) {
    const Positive *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return (x->row < y->row) - (x->row > y->row);
}

static void sort_bucket(Positive *positive, int count) {
    if (count > SHORT_BUCKET) {
        qsort(positive, (size_t)count, sizeof *positive, compare_positives);
        return;
    }
    for (int i = 1; i < count; i++) {
        Positive moved = positive[i];
        int at = i;
        for (; at > 0 && compare_positives(&positive[at - 1], &moved) > 0; at--)
            positive[at] = positive[at - 1];
        positive[at] = moved;
    }
}

static void find_range(QueryState *q) {
    float low = INFINITY, high = -INFINITY;
    for (int i = 0; i < q->positives; i++) {
        low = q->positive[i].score < low ? q->positive[i].score : low;
        high = q->positive[i].score > high ? q->positive[i].score : high;
    }
    q->buckets = bucket_count(q->positives);
    q->low = q->positives ? low : -INFINITY;
    q->scale = (float)(q->buckets - 1) / (high - low);
    if (!(q->scale > 0) || !isfinite(q->scale))
        q->scale = 0;                     /* all positives are equal or infinite: one bucket is all there is */
}

/* Sorts the positives by their buckets, which leaves the table of where each bucket starts. */
static void sort_positives(QueryState *q, Positive *scratch) {
    find_range(q);
    const int count = q->positives;
    const float last = (float)(q->buckets - 1);
    memset(q->start, 0, ((size_t)q->buckets + 1) * sizeof *q->start);
    if (q->buckets == 1) {
        memcpy(scratch, q->positive, (size_t)count * sizeof *scratch);
        sort_bucket(scratch, count);
    } else {
        for (int i = 0; i < count; i++)
            q->start[bucket_of(q->positive[i].score, q->low, q->scale, last) + 1]++;
        for (int b = 0; b < q->buckets; b++)
            q->start[b + 1] = (uint16_t)(q->start[b + 1] + q->start[b]);
        for (int i = 0; i < count; i++)   /* what is used up is the start of the next bucket: the table moves by one ... */
            scratch[q->start[bucket_of(q->positive[i].score, q->low, q->scale, last)]++] = q->positive[i];
        memmove(q->start + 1, q->start, (size_t)q->buckets * sizeof *q->start);
        q->start[0] = 0;                  /* ... and back */
        for (int b = 0; b < q->buckets; b++)
            sort_bucket(scratch + q->start[b], q->start[b + 1] - q->start[b]);
    }
    memcpy(q->positive, scratch, (size_t)count * sizeof *scratch);
    for (int i = 0; i < count; i++)
        q->score[i] = scratch[i].score;
    q->score[count] = INFINITY;
    const size_t bytes = ((size_t)count + 1) * sizeof *q->above;
    memset(q->above, 0, bytes);
    memset(q->tied, 0, bytes);
    memset(q->tied_first, 0, bytes);
}

/* The seldom case: several positives in one bucket, or a score equal to a positive's. */
static uint32_t place_carefully(QueryState *q, int bucket, float score, int row) {
    const uint32_t positives = (uint32_t)q->positives;
    uint32_t at = q->start[bucket], end = q->buckets == 1 ? positives : q->start[bucket + 1];
    while (at < end) {
        uint32_t middle = at + (end - at) / 2;
        if (q->score[middle] < score)
            at = middle + 1;
        else
            end = middle;
    }
    if (at == positives || q->score[at] != score)
        return at;
    const uint32_t lowest = at;
    q->ties++;
    q->tied[lowest]++;
    while (at < positives && q->score[at] == score && q->positive[at].row > row)
        at++;
    if (at == positives || q->score[at] != score)
        q->tied_first[lowest]++;
    return at;
}

/* Scores of rows first_row, first_row + 1, ...; those of the query's own individual have been made NaN. What is below all
 * positives moves none of them and is left out. `count` is a multiple of TILE_STEP: what lies behind the gallery is NaN. */
static void count_scores(QueryState *q, const float *scores, int first_row, int count) {
    int32_t bucket[TILE_CANDIDATES];
    uint16_t place[TILE_CANDIDATES];
    const float low = q->low, scale = q->scale, last = (float)(q->buckets - 1);
    int places = 0;
    for (int i = 0; i < count; i += TILE_STEP) {
        int any = 0;
        for (int j = 0; j < TILE_STEP; j++)
            any |= scores[i + j] >= low;
        if (!any)
            continue;
        for (int j = 0; j < TILE_STEP; j++)
            bucket[i + j] = bucket_of(scores[i + j], low, scale, last);
        for (int j = 0; j < TILE_STEP; j++) {            /* without a branch */
            place[places] = (uint16_t)(i + j);
            places += scores[i + j] >= low;
        }
    }
    const float *const positive = q->score;
    const uint16_t *const start = q->start;
    uint32_t *const above = q->above;
    const uint32_t positives = (uint32_t)q->positives;
    for (int i = 0; i < places; i++) {
        const float score = scores[place[i]];
        uint32_t at = start[bucket[place[i]]];
        at += positive[at] < score;
        if (positive[at] <= score)
            at = place_carefully(q, bucket[place[i]], score, first_row + place[i]);
        above[at]++;
        if (at == positives && (score > q->best_score || q->best < 0)) {
            q->best_score = score;
            q->best = first_row + place[i];
        }
    }
}

/* Takes the query's own individual, itself, and what lies behind the gallery out of a tile. */
static void mark_out(QueryState *q, const int *by_label, float *scores, int count, int first_row, int end_row) {
    for (int i = end_row - first_row; i < count; i++)
        scores[i] = NAN;
    for (; q->marked < q->label_end && by_label[q->marked] < end_row; q->marked++)
        scores[by_label[q->marked] - first_row] = NAN;
    if (q->self >= first_row && q->self < end_row)
        scores[q->self - first_row] = NAN;
}

/* ---- what a query got ------------------------------------------------------------------------------------------------ */

/* 1 / (from + 1) + ... + 1 / (from + count). */
static double inverse_sum(double from, double count) {
    if (count >= 64)
        return harmonic_number(from + count) - harmonic_number(from);
    double sum = 0;
    for (double i = count; i >= 1; i--)
        sum += 1 / (from + i);
    return sum;
}

/* Place i of the group holds a relevant one with probability r / n, and each place of the group before it then with
 * (r - 1) / (n - 1). */
double expected_precision(double found, double before, double group, double ties) {
    const double n = group + ties, from = found + before, inverse = inverse_sum(from, n);
    const double follow = n > 1 ? (group - 1) / (n - 1) : 0;
    return group / n * ((found + 1) * inverse + follow * (n - (from + 1) * inverse));
}

/* Average precision if equal scores had stood in their best, their worst, and in any order. */
static void tie_orders(const QueryState *q, QueryResult *result) {
    double best = 0, worst = 0, expected = 0, passed = q->above[q->positives];
    for (int end = q->positives, first; end > 0; end = first) {
        for (first = end - 1; first > 0 && q->score[first - 1] == q->score[end - 1];)
            first--;
        const double found = q->positives - end, ties = q->tied[first], before = passed - q->tied_first[first];
        for (int i = 1; i <= end - first; i++) {
            best += (found + i) / (before + found + i);
            worst += (found + i) / (before + ties + found + i);
        }
        expected += expected_precision(found, before, end - first, ties);
        for (int i = first; i < end; i++)
            passed += q->above[i];
    }
    result->best_order = best / q->positives;
    result->worst_order = worst / q->positives;
    result->expected_order = expected / q->positives;
}

static void query_finish(const QueryState *q, const int *gallery_label, QueryResult *result) {
    *result = (QueryResult){
        .positives = q->positives, .candidates = q->candidates, .unscored = q->unscored, .ties = q->ties, .best = q->best, .best_score = q->best_score
    };
    uint64_t before = q->above[q->positives];             /* others that rank before the positive at hand */
    double sum = 0, at_r = 0;
    for (int i = q->positives - 1, found = 1; i >= 0; i--, found++) {
        const double rank = (double)found + (double)before, precision = found / rank;
        sum += precision;
        if (rank <= q->positives) {
            at_r += precision;
            result->hits = found;
        }
        if (found == 1) {
            result->first_rank = (int)rank;
            if (before == 0) {
                result->best = q->positive[i].row;
                result->best_score = q->positive[i].score;
            }
        }
        result->last_rank = (int)rank;
        before += q->above[i];
    }
    result->answer = result->best >= 0 ? gallery_label[result->best] : -1;
    if (!q->positives)
        return;
    result->average_precision = result->best_order = result->worst_order = result->expected_order = sum / q->positives;
    result->map_at_r = at_r / q->positives;
    if (q->ties)
        tie_orders(q, result);
}

/* ---- blocks of queries ------------------------------------------------------------------------------------------------------ */

typedef struct { Tile tile; QueryState *queries; Positive *scratch; int32_t *mask; } Worker;

typedef struct {
    const RankingTask *task;
    TileShape shape;
    int block, most_positives;
    int *query_order;                     /* queries by individual, then row: blocks share positives */
    int *by_label;                        /* gallery rows by individual, then row */
    int *group_first, *group_end;         /* of each query, in by_label */
    bool unsound;                         /* a row holds what is no number: so may scores */
    Worker *workers;
    QueryResult *results;
    volatile int *interrupted;
} Ranking;

static int compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Rows 0 .. count-1 by label, then row. `keys` has room for count. */
static void order_by_label(const int *label, int count, uint64_t *keys, int *order) {
    for (int i = 0; i < count; i++)
        keys[i] = (uint64_t)((uint32_t)label[i] ^ 0x80000000u) << 32 | (uint32_t)i;
    qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    for (int i = 0; i < count; i++)
        order[i] = (int)(uint32_t)keys[i];
}

/* Finds the candidates of each query's individual. A label below 0 is an individual nobody knows: nothing is relevant. */
static void find_groups(Ranking *r) {
    const RankingTask *task = r->task;
    int at = 0, first = 0;
    for (int i = 0; i < task->queries; i++) {
        int query = r->query_order[i], label = task->query_label[query];
        if (i == 0 || label != task->query_label[r->query_order[i - 1]]) {
            while (at < task->candidates && task->gallery_label[r->by_label[at]] < label)
                at++;
            first = at;
            while (at < task->candidates && task->gallery_label[r->by_label[at]] == label)
                at++;
        }
        r->group_first[query] = first;
        r->group_end[query] = label < 0 ? first : at;
        if (r->group_end[query] - first > r->most_positives)
            r->most_positives = r->group_end[query] - first;
    }
}

/* Fewer queries a block where one individual has very many pictures, and where there are few queries to share out. */
static int block_size(int queries, int most_positives) {
    size_t each = ((size_t)most_positives + 1) * (sizeof(Positive) + sizeof(float) + 3 * sizeof(uint32_t)) + BUCKETS_MOST * sizeof(uint16_t);
    int block = queries < 8 * BLOCK_QUERIES ? BLOCK_QUERIES / 4 : BLOCK_QUERIES;
    while (block > TILE_STEP && each * (size_t)block > BLOCK_BYTES)
        block -= TILE_STEP;
    return block;
}

static void worker_carve(const Ranking *r, Worker *worker, Carver *carver) {
    /* The number of buckets falls at the very end only, so most positives do not always have most buckets. */
    size_t most = (size_t)r->most_positives, buckets = (size_t)(most > UINT16_MAX ? BUCKETS_MOST : bucket_count((int)most));
    tile_carve(&worker->tile, &r->shape, carver);
    worker->scratch = tile_piece(carver, most, sizeof(Positive));
    worker->queries = tile_piece(carver, (size_t)r->block, sizeof(QueryState));
    worker->mask = tile_piece(carver, (size_t)pair_rule_depth(r->task->rule) * TILE_CANDIDATES, sizeof(int32_t));
    for (int i = 0; i < r->block; i++) {
        Positive *positive = tile_piece(carver, most, sizeof(Positive));
        float *score = tile_piece(carver, most + 1, sizeof(float));
        uint32_t *above = tile_piece(carver, most + 1, sizeof(uint32_t)), *tied = tile_piece(carver, most + 1, sizeof(uint32_t));
        uint32_t *tied_first = tile_piece(carver, most + 1, sizeof(uint32_t));
        uint16_t *start = tile_piece(carver, buckets + 1, sizeof(uint16_t));
        if (carver->base)
            worker->queries[i] = (QueryState){
                .positive = positive, .score = score, .above = above, .tied = tied, .tied_first = tied_first, .start = start
            };
    }
}

static void block_start(const Ranking *r, Worker *worker, const int *queries, int count) {
    const RankingTask *task = r->task;
    for (int i = 0; i < count; i++) {
        QueryState *q = &worker->queries[i];
        q->query = queries[i];
        q->label_first = q->marked = r->group_first[queries[i]];
        q->label_end = r->group_end[queries[i]];
        q->self = task->self ? task->self[queries[i]] : -1;
        q->positives = q->ties = q->unscored = 0;
        q->candidates = task->rule || r->unsound ? 0 : task->candidates - (q->self >= 0);
        q->best = -1;
        q->best_score = NAN;
    }
    tile_queries(&worker->tile, &r->shape, task->query, queries, count);
}

/* Runs the gathered candidates (rows by_label[first ..] of one or more groups) and hands each score to whom it concerns. */
static void collect_tile(const Ranking *r, Worker *worker, int count, const int *place, int places) {
    tile_clear(&worker->tile, &r->shape, places);
    tile_run(&worker->tile, &r->shape, worker->tile.candidate);
    for (int t = 0, first = 0; t < places; t++) {
        const int row = r->by_label[place[t]];
        const float *scores = worker->tile.scores + (size_t)t * (size_t)r->shape.queries;
        while (first < count && worker->queries[first].label_end <= place[t])
            first++;                      /* queries and candidates come by individual, both */
        for (int i = first; i < count && worker->queries[i].label_first <= place[t]; i++) {
            QueryState *q = &worker->queries[i];
            if (row != q->self && place[t] < q->label_end && pair_allowed(r->task->rule, q->query, row))
                q->positive[q->positives++] = (Positive){ isnan(scores[i]) ? -INFINITY : scores[i], row };
        }
    }
}

/* The first pass: the scores of the positives alone. */
static void collect_positives(const Ranking *r, Worker *worker, int count) {
    const RankingTask *task = r->task;
    int place[TILE_CANDIDATES], places = 0, collected = -1;
    for (int i = 0; i < count; i++) {
        const QueryState *q = &worker->queries[i];
        int at = q->label_first > collected ? q->label_first : collected;
        for (; at < q->label_end; at++) {
            memcpy(worker->tile.candidate + (size_t)places * (size_t)task->width,
                   tile_row(task->gallery, r->by_label[at], task->width), (size_t)task->width * sizeof(float));
            place[places++] = at;
            if (places == r->shape.candidates) {
                collect_tile(r, worker, count, place, places);
                places = 0;
            }
        }
        collected = at;
    }
    if (places)
        collect_tile(r, worker, count, place, places);
    for (int i = 0; i < count; i++)
        sort_positives(&worker->queries[i], worker->scratch);
}

/* Takes out of a tile whom the rule does not let answer, and counts who is left and whose score is no number. */
static void hold_to_rule(const Ranking *r, Worker *worker, QueryState *q, float *scores, int first, int count) {
    int32_t *mask = worker->mask;
    pair_rule_tile(r->task->rule, q->query, first, count, mask);
    if (q->self >= first && q->self < first + count)
        mask[q->self - first] = 0;
    for (int i = 0; r->unsound && i < count; i++)
        q->unscored += mask[i] && isnan(scores[i]);
    q->candidates += pair_rule_leave_out(mask, count, scores);
}

/* The second pass: all candidates stream past. */
static void count_candidates(const Ranking *r, Worker *worker, int count) {
    const RankingTask *task = r->task;
    for (int first = 0; first < task->candidates; first += r->shape.candidates) {
        int end = task->candidates - first < r->shape.candidates ? task->candidates : first + r->shape.candidates;
        tile_run_rows(&worker->tile, &r->shape, task->gallery, first, end);
        tile_transpose(&worker->tile, &r->shape);
        for (int i = 0; i < count; i++) {
            float *scores = worker->tile.by_query + (size_t)i * (size_t)r->shape.candidates;
            if (task->rule || r->unsound)
                hold_to_rule(r, worker, &worker->queries[i], scores, first, end - first);
            mark_out(&worker->queries[i], r->by_label, scores, r->shape.candidates, first, end);
            count_scores(&worker->queries[i], scores, first, r->shape.candidates);
        }
    }
}

static void rank_blocks(void *context, int part, int parts) {
    const Ranking *r = context;
    Worker *worker = &r->workers[part];
    const int blocks = (r->task->queries + r->block - 1) / r->block;
    for (int b = part; b < blocks && !*r->interrupted; b += parts) {
        int first = b * r->block, count = r->task->queries - first < r->block ? r->task->queries - first : r->block;
        block_start(r, worker, r->query_order + first, count);
        collect_positives(r, worker, count);
        count_candidates(r, worker, count);
        for (int i = 0; i < count; i++)
            query_finish(&worker->queries[i], r->task->gallery_label, &r->results[worker->queries[i].query]);
    }
}

/* ---- from outside -------------------------------------------------------------------------------------------------------------- */

/* A sum holds what is no number if one of its parts does; finite floats do not overflow it. */
static bool all_finite(const float *rows, int count, int width) {
    double sum = 0;
    for (size_t i = 0; i < (size_t)count * (size_t)width; i++)
        sum += rows[i];
    return isfinite(sum);
}

/* All that the threads need in one piece of memory. First with base NULL, to learn its size. */
static void ranking_carve(Ranking *r, int threads, Carver *carver) {
    Worker *workers = tile_piece(carver, (size_t)threads, sizeof(Worker));
    if (carver->base)
        r->workers = workers;
    for (int i = 0; i < threads; i++) {
        Worker unused = {0};
        worker_carve(r, carver->base ? &workers[i] : &unused, carver);
    }
}

static void ranking_orders(Ranking *r, int *numbers, uint64_t *keys) {
    const RankingTask *task = r->task;
    const size_t queries = (size_t)task->queries;
    r->query_order = numbers;
    r->group_first = numbers + queries;
    r->group_end = numbers + 2 * queries;
    r->by_label = numbers + 3 * queries;
    order_by_label(task->query_label, task->queries, keys, r->query_order);
    order_by_label(task->gallery_label, task->candidates, keys, r->by_label);
    find_groups(r);
}

bool rank_queries(Jre *jre, Pool *pool, int level, const RankingTask *task, QueryResult *results) {
    for (int i = 0; i < task->queries; i++)
        results[i] = (QueryResult){ .best = -1, .answer = -1, .best_score = NAN };
    if (task->queries < 1 || task->candidates < 1 || task->width < 1)
        return true;

    Ranking r = { .task = task, .results = results, .interrupted = &jre->interrupted };
    r.unsound = !all_finite(task->query, task->queries, task->width) || !all_finite(task->gallery, task->candidates, task->width);
    const size_t queries = (size_t)task->queries, candidates = (size_t)task->candidates;
    size_t key_bytes = (queries > candidates ? queries : candidates) * sizeof(uint64_t);
    char *orders = jre_allocate(jre, key_bytes + (3 * queries + candidates) * sizeof(int));
    ranking_orders(&r, (int *)(void *)(orders + key_bytes), (uint64_t *)(void *)orders);
    r.block = block_size(task->queries, r.most_positives);
    if (!tile_shape(jre, level, task->candidates, r.block, task->width, &r.shape)) {
        jre_release(orders);
        return false;
    }

    const int threads = pool_threads(pool);
    Carver carver = {0};
    ranking_carve(&r, threads, &carver);
    char *memory = jre_allocate_aligned(jre, carver.used, 64);
    carver = (Carver){ .base = memory };
    ranking_carve(&r, threads, &carver);
    pool_run(pool, rank_blocks, &r);
    jre_release(memory);
    jre_release(orders);
    return !jre->interrupted;
}

