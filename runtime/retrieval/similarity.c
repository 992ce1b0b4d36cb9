/* similarity.c: every query against every candidate, exactly, without keeping a score.
 *
 * Average precision needs no sorted list: for each relevant picture it is enough to know how many others come before it.
 * So each query first gets the scores of its own relevant pictures (its "positives"), sorted; then all candidates stream
 * past (stream.c), and rank_counts finds each score's place among the positives. Its best candidates are kept on the way.
 *
 * Queries and candidates are put in order by individual: what a query must not count as another is one range of places.
 * What is kept of a query is its positives, so all queries at once (and each score computed once, where they are the
 * candidates, too) as long as that is WHOLE_BYTES; else band by band. Counts are whole numbers and the best are settled by
 * score and row: results depend on no order, so on no number of threads. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLLECTED = 128,                      /* queries whose positives are scored at once, a multiple of TILE_STEP */
    SHORT_BUCKET = 16,                    /* longer ones are sorted in n log n */
    BUCKETS_EACH = 4,                     /* buckets for each positive */
    BUCKETS_MOST = 8192
};
static const size_t WHOLE_BYTES = (size_t)128 << 20, BAND_BYTES = (size_t)48 << 20;

/* A relevant picture of a query. Sorted by score, then by falling row: those that a candidate beats come first. */
typedef struct { float score; int row; } Positive;

typedef struct {
    int query, self;                      /* row of the task; place of the candidate that it is, or -1 */
    int label_first, label_end;           /* places of the candidates of its individual */
    int positives, candidates, unscored, ties;
    float *score; int *row;               /* of the positives, sorted, and infinity behind them */
    int32_t *above;                       /* [k]: other candidates that beat exactly the k lowest positives */
    int32_t *tied, *tied_first;           /* [k], k the lowest of equal positives: others with their score; of these, before all of them by row */
    void *packed; size_t packed_bytes;    /* the scores as rank_counts wants them */
    Neighbors nearest;
} QueryState;

typedef struct { Tile tile; Positive *found, *sorted; uint32_t *start; int32_t *mask; float *counts; } Worker;

typedef struct {
    const RankingTask *task;
    int *query_row, *candidate_row;       /* by individual, then row */
    int *candidate_place;                 /* of each row */
    int *group_first, *group_end;         /* of each place of a query: places of candidates */
    PairRule by_place, *rule;             /* of candidates' places; NULL: none */
    int most_positives, most;             /* most: best candidates that are wanted, at least 1 */
    bool unsound;                         /* a row holds what is no number: so may scores */
    bool mutual;
    const Kernel *counter;
    TileShape shape;
    int first, end;                       /* places of the band */
    QueryState *states; Worker *workers;
    QueryResult *results; Neighbor *out;
    volatile int *interrupted;
} Ranking;

/* ---- the positives in order --------------------------------------------------------------------------------------------- */

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

static int bucket_count(int positives) {
    return positives < BUCKETS_MOST / BUCKETS_EACH ? BUCKETS_EACH * positives + 1 : BUCKETS_MOST;
}

/* Even steps between the lowest and the highest; all in the first where that is no distance. */
static int bucket_of(float score, float low, float scale, int last) {
    const float step = (score - low) * scale;
    return step > 0 ? (step < (float)last ? (int)step : last) : 0;
}

/* Into `sorted`, by buckets. start has room for one more than bucket_count. */
static void sort_positives(const Positive *found, int count, Positive *sorted, uint32_t *start) {
    float low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++) {
        low = found[i].score < low ? found[i].score : low;
        high = found[i].score > high ? found[i].score : high;
    }
    const int buckets = bucket_count(count);
    const float steps = (float)(buckets - 1) / (high - low), scale = steps > 0 && isfinite(steps) ? steps : 0;
    memset(start, 0, ((size_t)buckets + 1) * sizeof *start);
    for (int i = 0; i < count; i++)
        start[bucket_of(found[i].score, low, scale, buckets - 1) + 1]++;
    for (int b = 0; b < buckets; b++)
        start[b + 1] += start[b];
    for (int i = 0; i < count; i++)       /* what is used up is the start of the next bucket */
        sorted[start[bucket_of(found[i].score, low, scale, buckets - 1)]++] = found[i];
    for (int b = 0, from = 0; b < buckets; from = (int)start[b++])
        sort_bucket(sorted + from, (int)start[b] - from);
}

static KernelCall counter_call(const QueryState *q) {
    const int64_t thresholds = q->positives + 1;
    return (KernelCall){
        .out = { .type = KERNEL_F32, .rank = 1, .dim = { thresholds + 1 }, .stride = { 1 } },
        .in = { { .type = KERNEL_F32, .rank = 1, .dim = { TILE_STEP }, .stride = { 1 } },
                { .data = q->score, .type = KERNEL_F32, .rank = 1, .dim = { thresholds }, .stride = { 1 } } },
        .inputs = 2, .packed = q->packed
    };
}

/* What one query found becomes its state. */
static void keep_positives(const Ranking *r, Worker *worker, QueryState *q) {
    for (int i = 0; i < q->positives; i++)
        worker->found[i] = (Positive){ q->score[i], q->row[i] };
    sort_positives(worker->found, q->positives, worker->sorted, worker->start);
    for (int i = 0; i < q->positives; i++) {
        q->score[i] = worker->sorted[i].score;
        q->row[i] = worker->sorted[i].row;
    }
    q->score[q->positives] = INFINITY;
    const size_t bytes = ((size_t)q->positives + 2) * sizeof *q->above;
    memset(q->above, 0, bytes);
    memset(q->tied, 0, bytes);
    memset(q->tied_first, 0, bytes);
    const KernelCall call = counter_call(q);
    if (r->counter->pack)
        r->counter->pack(&call, q->packed);
}

/* ---- the first pass: the scores of the positives alone -------------------------------------------------------------------- */

/* Runs the gathered candidates, those at place[0], place[1], ..., and hands each score to whom it concerns. */
static void collect_tile(const Ranking *r, Worker *worker, QueryState *states, int count, const int *place, int places) {
    tile_clear(&worker->tile, &r->shape, places);
    tile_run(&worker->tile, &r->shape, worker->tile.candidate);
    for (int t = 0, first = 0; t < places; t++) {
        const int row = r->candidate_row[place[t]];
        const float *scores = worker->tile.scores + (size_t)t * (size_t)r->shape.queries;
        while (first < count && states[first].label_end <= place[t])
            first++;                      /* queries and candidates come by individual, both */
        for (int i = first; i < count && states[i].label_first <= place[t]; i++) {
            QueryState *q = &states[i];
            if (place[t] == q->self || place[t] >= q->label_end || !pair_allowed(r->task->rule, q->query, row))
                continue;
            q->score[q->positives] = isnan(scores[i]) ? -INFINITY : scores[i];
            q->row[q->positives++] = row;
        }
    }
}

static void collect_positives(const Ranking *r, Worker *worker, QueryState *states, int count) {
    const RankingTask *task = r->task;
    int place[TILE_CANDIDATES], places = 0, collected = -1, rows[COLLECTED] = { 0 };
    for (int i = 0; i < count; i++)
        rows[i] = states[i].query;
    tile_queries(&worker->tile, &r->shape, task->query, rows, count);
    for (int i = 0; i < count; i++) {
        const QueryState *q = &states[i];
        int at = q->label_first > collected ? q->label_first : collected;
        for (; at < q->label_end; at++) {
            memcpy(worker->tile.candidate + (size_t)places * (size_t)task->width,
                   tile_row(task->gallery, r->candidate_row[at], task->width), (size_t)task->width * sizeof(float));
            place[places++] = at;
            if (places == r->shape.candidates) {
                collect_tile(r, worker, states, count, place, places);
                places = 0;
            }
        }
        collected = at > collected ? at : collected;
    }
    if (places)
        collect_tile(r, worker, states, count, place, places);
    for (int i = 0; i < count; i++)
        keep_positives(r, worker, &states[i]);
}

static void collect_part(void *context, int part, int parts) {
    const Ranking *r = context;
    const int queries = r->end - r->first;
    for (int first = part * COLLECTED; first < queries && !*r->interrupted; first += parts * COLLECTED)
        collect_positives(r, &r->workers[part], r->states + first, queries - first < COLLECTED ? queries - first : COLLECTED);
}

/* ---- the second pass: all candidates stream past --------------------------------------------------------------------------- */

/* Takes out of a piece whom the rule does not let answer, and counts who is left and whose score is no number. */
static void hold_to_rule(const Ranking *r, int32_t *mask, QueryState *q, float *scores, int from, int count) {
    pair_rule_tile(r->rule, q->query, from, count, mask);
    if (q->self >= from && q->self < from + count)
        mask[q->self - from] = 0;
    for (int i = 0; r->unsound && i < count; i++)
        q->unscored += mask[i] && isnan(scores[i]);
    q->candidates += pair_rule_leave_out(mask, count, scores);
}

/* The seldom case: a score equals that of positives. It was counted as beating none of them; by row it may beat some. */
static void settle_ties(const Ranking *r, QueryState *q, const float *scores, int from, int count) {
    for (int i = 0; i < count; i++) {
        int at = 0, end = q->positives;
        while (at < end) {
            const int middle = at + (end - at) / 2;
            if (q->score[middle] < scores[i])
                at = middle + 1;
            else
                end = middle;
        }
        if (at == q->positives || q->score[at] != scores[i])
            continue;
        const int lowest = at, row = r->candidate_row[from + i];
        q->ties++;
        q->tied[lowest]++;
        while (at < q->positives && q->score[at] == scores[i] && q->row[at] > row)
            at++;
        if (at == q->positives || q->score[at] != scores[i])
            q->tied_first[lowest]++;
        q->above[lowest]--;
        q->above[at]++;
    }
}

static void fetch(const void *from, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i, 1);
}

/* What counting for the query at the next place will ask for. */
static void fetch_next(const Ranking *r, const QueryState *q) {
    if (++q >= r->states + (r->end - r->first))
        return;
    fetch(q->score, (size_t)q->positives * sizeof *q->score);
    fetch(q->above, (size_t)q->positives * sizeof *q->above);
    fetch(q->packed, q->packed_bytes);
}

/* Of others than the query's individual. What is below all positives moves none of them and is not counted. */
static void count_others(const Ranking *r, Worker *worker, QueryState *q, float *scores, int from, int count) {
    const int own = q->label_first > from ? q->label_first : from, own_end = q->label_end < from + count ? q->label_end : from + count;
    const int whole = (count + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
    for (int place = own; place < own_end; place++)
        scores[place - from] = NAN;
    fetch_next(r, q);
    KernelCall call = counter_call(q);
    call.in[0].data = scores;
    call.in[0].dim[0] = whole;
    call.out.data = worker->counts;
    r->counter->run(&call, 0, r->counter->units(&call));
    const float *restrict counts = worker->counts;
    int32_t *restrict above = q->above;
    for (int k = 0; k <= q->positives; k += TILE_STEP)    /* both have room for the last step */
        for (int j = 0; j < TILE_STEP; j++)
            above[k + j] += (int32_t)counts[k + j];
    if (counts[q->positives + 1] > 0)
        settle_ties(r, q, scores, from, count);
}

static void meet_candidates(void *context, int part, int query, float *scores, int from, int count) {
    const Ranking *r = context;
    Worker *worker = &r->workers[part];
    QueryState *q = &r->states[query - r->first];
    if (r->rule || r->unsound)
        for (int at = 0; at < count; at += TILE_CANDIDATES)
            hold_to_rule(r, worker->mask, q, scores + at, from + at, count - at < TILE_CANDIDATES ? count - at : TILE_CANDIDATES);
    else if (q->self >= from && q->self < from + count)
        scores[q->self - from] = NAN;
    neighbors_meet(&q->nearest, scores, r->candidate_row + from, (count + TILE_STEP - 1) / TILE_STEP * TILE_STEP);
    if (q->positives)
        count_others(r, worker, q, scores, from, count);
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
    *result = (QueryResult){ .positives = q->positives, .candidates = q->candidates, .unscored = q->unscored, .ties = q->ties, .best = -1, .best_score = NAN };
    uint64_t before = (uint64_t)q->above[q->positives];   /* others that rank before the positive at hand */
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
            result->best = q->row[i];     /* it stays so where no candidate has a score */
            result->best_score = q->score[i];
        }
        result->last_rank = (int)rank;
        before += (uint64_t)q->above[i];
    }
    if (q->nearest.count) {
        result->best = q->nearest.at[0].row;
        result->best_score = q->nearest.at[0].score;
    }
    result->answer = result->best >= 0 ? gallery_label[result->best] : -1;
    if (!q->positives)
        return;
    result->average_precision = result->best_order = result->worst_order = result->expected_order = sum / q->positives;
    result->map_at_r = at_r / q->positives;
    if (q->ties)
        tie_orders(q, result);
}

/* ---- orders ------------------------------------------------------------------------------------------------------------------ */

static int compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Rows 0 .. count-1 by label, then row. `keys` has room for count. label NULL: by row. */
static void order_by_label(const int *label, int count, uint64_t *keys, int *order) {
    for (int i = 0; i < count; i++)
        keys[i] = (uint64_t)((uint32_t)(label ? label[i] : 0) ^ 0x80000000u) << 32 | (uint32_t)i;
    if (label)
        qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    for (int i = 0; i < count; i++)
        order[i] = (int)(uint32_t)keys[i];
}

/* Finds the candidates of each query's individual. A label below 0 is an individual nobody knows: nothing is relevant. */
static void find_groups(Ranking *r) {
    const RankingTask *task = r->task;
    int at = 0, first = 0;
    for (int i = 0; i < task->queries; i++) {
        const int label = task->query_label[r->query_row[i]];
        if (i == 0 || label != task->query_label[r->query_row[i - 1]]) {
            while (at < task->candidates && task->gallery_label[r->candidate_row[at]] < label)
                at++;
            first = at;
            while (at < task->candidates && task->gallery_label[r->candidate_row[at]] == label)
                at++;
        }
        r->group_first[i] = first;
        r->group_end[i] = label < 0 ? first : at;
        if (r->group_end[i] - first > r->most_positives)
            r->most_positives = r->group_end[i] - first;
    }
}

static void find_orders(Ranking *r, Arena *arena) {
    const RankingTask *task = r->task;
    const int queries = task->queries, candidates = task->candidates;
    uint64_t *keys = arena_array(arena, uint64_t, queries > candidates ? queries : candidates);
    r->query_row = arena_array(arena, int, queries);
    r->candidate_row = arena_array(arena, int, candidates + TILE_STEP);
    r->candidate_place = arena_array(arena, int, candidates);
    r->group_first = arena_array(arena, int, queries);
    r->group_end = arena_array(arena, int, queries);
    order_by_label(r->results ? task->query_label : NULL, queries, keys, r->query_row);
    order_by_label(r->results ? task->gallery_label : NULL, candidates, keys, r->candidate_row);
    for (int i = 0; i < candidates; i++)
        r->candidate_place[r->candidate_row[i]] = i;
    if (r->results)
        find_groups(r);
}

/* The rule as the places see it. */
static void place_rule(Ranking *r, Arena *arena) {
    const PairRule *rule = r->task->rule;
    const int candidates = r->task->candidates;
    if (!rule)
        return;
    r->by_place = *rule;
    r->rule = &r->by_place;
    r->by_place.candidate_code = arena_array(arena, int *, rule->columns + 1);
    r->by_place.fact = arena_array(arena, uint8_t *, rule->facts + 1);
    for (int c = 0; c < rule->columns; c++) {
        int *code = r->by_place.candidate_code[c] = arena_array(arena, int, candidates);
        for (int i = 0; i < candidates; i++)
            code[i] = rule->candidate_code[c][r->candidate_row[i]];
    }
    for (int f = 0; f < rule->facts; f++) {
        uint8_t *fact = r->by_place.fact[f] = arena_array(arena, uint8_t, candidates);
        for (int i = 0; i < candidates; i++)
            fact[i] = rule->fact[f][r->candidate_row[i]];
    }
}

/* ---- memory -------------------------------------------------------------------------------------------------------------------- */

static int positives_at_most(const Ranking *r, int place) {
    return r->results ? r->group_end[place] - r->group_first[place] : 0;
}

static void state_carve(const Ranking *r, int place, QueryState *q, Carver *carver) {
    const size_t most = (size_t)positives_at_most(r, place), room = (most + 2 + TILE_STEP) / TILE_STEP * TILE_STEP;
    *q = (QueryState){ .positives = (int)most };
    q->nearest.at = tile_piece(carver, (size_t)neighbors_room(r->most), sizeof(Neighbor));
    if (!r->results)
        return;
    const KernelCall call = counter_call(q);
    q->score = tile_piece(carver, most + 1, sizeof(float));
    q->row = tile_piece(carver, most, sizeof(int));
    q->above = tile_piece(carver, room, sizeof(int32_t));
    q->tied = tile_piece(carver, most + 2, sizeof(int32_t));
    q->tied_first = tile_piece(carver, most + 2, sizeof(int32_t));
    q->packed_bytes = r->counter->packed_bytes ? r->counter->packed_bytes(&call) : 0;
    q->packed = tile_piece(carver, q->packed_bytes, 1);
}

static void state_start(const Ranking *r, int place, QueryState *q) {
    const RankingTask *task = r->task;
    const int query = r->query_row[place], self = task->self ? task->self[query] : -1;
    q->query = query;
    q->self = self < 0 ? -1 : r->candidate_place[self];
    q->label_first = r->results ? r->group_first[place] : 0;
    q->label_end = q->label_first + positives_at_most(r, place);
    q->positives = 0;
    q->candidates = task->rule || r->unsound ? 0 : task->candidates - (self >= 0);
    q->nearest = (Neighbors){ .at = q->nearest.at, .most = r->most, .bar = -INFINITY };
}

static void band_carve(Ranking *r, int threads, Carver *carver) {
    const int queries = r->end - r->first;
    const size_t most = (size_t)r->most_positives, room = (most + 2 + TILE_STEP) / TILE_STEP * TILE_STEP;
    Worker *workers = tile_piece(carver, (size_t)threads, sizeof(Worker));
    QueryState *states = tile_piece(carver, (size_t)queries, sizeof(QueryState));
    for (int i = 0; i < threads; i++) {
        Worker worker = { .found = tile_piece(carver, most, sizeof(Positive)), .sorted = tile_piece(carver, most, sizeof(Positive)) };
        worker.start = tile_piece(carver, (size_t)bucket_count((int)most) + 1, sizeof(uint32_t));
        worker.counts = tile_piece(carver, room, sizeof(float));
        worker.mask = tile_piece(carver, (size_t)pair_rule_depth(r->task->rule) * TILE_CANDIDATES, sizeof(int32_t));
        if (r->results)
            tile_carve(&worker.tile, &r->shape, carver);
        if (carver->base)
            workers[i] = worker;
    }
    for (int i = 0; i < queries; i++) {
        QueryState state;
        state_carve(r, r->first + i, &state, carver);
        state_start(r, r->first + i, &state);
        if (carver->base)
            states[i] = state;
    }
    r->workers = workers;
    r->states = states;
}

/* Where the band that begins at r->first ends: with all queries, or with so many that their states take BAND_BYTES. */
static int band_end(const Ranking *r) {
    Carver all = { 0 };
    int fitting = r->first + 1;
    for (int place = r->first; place < r->task->queries && all.used <= WHOLE_BYTES; place++) {
        QueryState state;
        state_carve(r, place, &state, &all);
        all.used += sizeof(QueryState);
        fitting = all.used <= BAND_BYTES ? place + 1 : fitting;
    }
    return all.used <= WHOLE_BYTES ? r->task->queries : fitting;
}

/* ---- from outside -------------------------------------------------------------------------------------------------------------- */

/* A sum holds what is no number if one of its parts does; finite floats do not overflow it. */
static bool all_finite(const float *rows, int count, int width) {
    const size_t numbers = (size_t)count * (size_t)width;
    double sum[TILE_STEP] = { 0 }, all = 0;
    size_t i = 0;
    for (; i + TILE_STEP <= numbers; i += TILE_STEP)
        for (int j = 0; j < TILE_STEP; j++)
            sum[j] += rows[i + (size_t)j];
    for (; i < numbers; i++)
        all += rows[i];
    for (int j = 0; j < TILE_STEP; j++)
        all += sum[j];
    return isfinite(all);
}

/* Queries are the candidates, and of the same individuals: then both are in the same order. */
static bool same_rows(const RankingTask *task, bool by_label) {
    return task->query == task->gallery && task->queries == task->candidates &&
           (!by_label || task->query_label == task->gallery_label || memcmp(task->query_label, task->gallery_label, (size_t)task->queries * sizeof(int)) == 0);
}

static void finish_part(void *context, int part, int parts) {
    const Ranking *r = context;
    for (int i = part; i < r->end - r->first; i += parts) {
        QueryState *q = &r->states[i];
        neighbors_finish(&q->nearest);
        if (r->results)
            query_finish(q, r->task->gallery_label, &r->results[q->query]);
        if (r->out)
            memcpy(r->out + (size_t)q->query * (size_t)r->most, q->nearest.at, (size_t)q->nearest.count * sizeof(Neighbor));
    }
}

static bool rank_band(Jre *jre, Pool *pool, int level, Ranking *r) {
    const int threads = pool_threads(pool);
    Carver carver = { 0 };
    band_carve(r, threads, &carver);
    char *memory = jre_allocate_aligned(jre, carver.used, 64);
    carver = (Carver){ .base = memory };
    band_carve(r, threads, &carver);
    const size_t counts = (size_t)r->most_positives + 2 + TILE_STEP;
    for (int i = 0; i < threads; i++)
        memset(r->workers[i].counts, 0, counts / TILE_STEP * TILE_STEP * sizeof(float));
    if (r->results)
        pool_run(pool, collect_part, r);
    const PairStream stream = {
        .task = r->task, .query_row = r->query_row, .candidate_row = r->candidate_row, .first = r->first, .end = r->end,
        .mutual = r->mutual && r->end - r->first == r->task->queries, .take = meet_candidates, .context = r
    };
    const bool sound = !jre->interrupted && stream_pairs(jre, pool, level, &stream);
    if (sound)
        pool_run(pool, finish_part, r);
    jre_release(memory);
    return sound;
}

static bool choose_kernels(Jre *jre, int level, Ranking *r) {
    const QueryState any = { .positives = 1 };
    const KernelCall call = counter_call(&any);
    r->counter = kernel_find("rank_counts", "cpu", NULL, level, &call);
    if (r->counter)
        return !r->results || tile_shape(jre, level, r->task->candidates, COLLECTED, r->task->width, &r->shape);
    diag(jre, DIAG_bug, NOWHERE, "nothing on this machine counts ranks");
    return false;
}

bool rank_nearest(Jre *jre, Pool *pool, int level, const RankingTask *task, QueryResult *results, int most, Neighbor *nearest) {
    for (int i = 0; results && i < task->queries; i++)
        results[i] = (QueryResult){ .best = -1, .answer = -1, .best_score = NAN };
    for (size_t i = 0; i < (size_t)task->queries * (size_t)most; i++)
        nearest[i] = (Neighbor){ NAN, -1 };
    if (task->queries < 1 || task->candidates < 1 || task->width < 1)
        return true;

    Arena arena = { .jre = jre };
    Ranking r = { .task = task, .results = results, .most = most ? most : 1, .out = most ? nearest : NULL, .interrupted = &jre->interrupted };
    r.mutual = same_rows(task, results != NULL);
    r.unsound = !all_finite(task->query, task->queries, task->width) || (!r.mutual && !all_finite(task->gallery, task->candidates, task->width));
    bool sound = choose_kernels(jre, level, &r);
    if (sound) {
        find_orders(&r, &arena);
        place_rule(&r, &arena);
    }
    for (; sound && r.first < task->queries; r.first = r.end) {
        r.end = band_end(&r);
        sound = rank_band(jre, pool, level, &r);
    }
    arena_free(&arena);
    return sound;
}

bool rank_queries(Jre *jre, Pool *pool, int level, const RankingTask *task, QueryResult *results) {
    return rank_nearest(jre, pool, level, task, results, 0, NULL);
}

bool nearest_candidates(Jre *jre, Pool *pool, int level, const RankingTask *task, int most, Neighbor *nearest) {
    return most < 1 || rank_nearest(jre, pool, level, task, NULL, most, nearest);
}
