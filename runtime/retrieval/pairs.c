/* pairs.c: all pairs, right ones and wrong ones: how well one threshold tells them apart.
 *
 * Nothing of size queries x gallery is kept. Scores are counted by their 32 bits, put so that they rise with the score: in a first pass
 * by the upper 16. A second pass counts the lower ones, too: each bit pattern by itself where a number that is asked for lies (a
 * share of errors, the point of equal errors), elsewhere as finely as right and wrong pairs lie mixed there. So shares at a threshold
 * are exact, and the area under the curve and the average precision come with a bound of their error: it is made by pairs of different
 * scores in one cell of the second pass. Counts are whole numbers: their sum does not depend on the number of threads. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

enum {
    COARSE_BITS = 16, COARSE = 1 << COARSE_BITS,
    FINE_CELLS = 1 << 20,                 /* shared out among the coarse cells */
    BLOCK_QUERIES = 128,
    THREADS_MOST = 6                      /* each counts for itself, in 20 MB or so */
};

/* ---- cells ---------------------------------------------------------------------------------------------------------- */

/* Rises with the score; -0 is 0. */
static inline uint32_t key_of_score(float score) {
    uint32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float score_of_key(uint32_t key) {
    const uint32_t bits = key & 0x80000000u ? key & 0x7FFFFFFFu : ~key;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* Coarse cell c is cut into parts[c] cells, from first[c] on; at most one for each bit pattern. */
typedef struct { uint32_t *first, *parts; uint32_t cells; } Grid;

static inline uint32_t cell_of(const Grid *grid, uint32_t key) {
    const uint32_t coarse = key >> COARSE_BITS;
    return grid->first[coarse] + ((key & (COARSE - 1)) * grid->parts[coarse] >> COARSE_BITS);
}

static Grid grid_new(Arena *arena) {
    Grid grid = { arena_array(arena, uint32_t, COARSE), arena_array(arena, uint32_t, COARSE), COARSE };
    for (uint32_t c = 0; c < COARSE; c++) {
        grid.first[c] = c;
        grid.parts[c] = 1;
    }
    return grid;
}

/* Pairs of a cell: [0] of two individuals, [1] of one. only: the lower bits of their score, plus 1, if all have the same. */
typedef uint64_t Counts[2];
enum { NO_SCORE = 0, SEVERAL_SCORES = COARSE + 1 };

static inline uint32_t only_score(uint32_t only, uint32_t other) {
    return only == NO_SCORE || only == other ? other : other == NO_SCORE ? only : SEVERAL_SCORES;
}

/* ---- one pass over all pairs -------------------------------------------------------------------------------------------- */

typedef struct { Tile tile; int32_t *mask; uint32_t *counted, *only; uint64_t pending, unscored; } Worker;

typedef struct {
    const RankingTask *task;
    bool once;
    TileShape shape;
    const Grid *grid;
    Counts *totals; uint32_t *only;
    Worker *workers; int threads;
    volatile int *interrupted;
} Pass;

/* A thread counts in 32 bits and adds up what it has before they overflow. */
static void hand_in(const Pass *p, Worker *worker) {
    for (uint32_t c = 0; c < 2 * p->grid->cells; c++) {
        if (!worker->counted[c])
            continue;
        __atomic_fetch_add(&p->totals[c / 2][c % 2], worker->counted[c], __ATOMIC_RELAXED);
        worker->counted[c] = 0;
    }
    for (uint32_t c = 0; c < p->grid->cells; c++) {
        uint32_t known = __atomic_load_n(&p->only[c], __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&p->only[c], &known, only_score(known, worker->only[c]), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
    }
    worker->pending = 0;
}

static void count_pairs(const Pass *p, Worker *worker, int query, const float *scores, int first, int count) {
    const RankingTask *task = p->task;
    const int label = task->query_label[query], self = task->self ? task->self[query] : -1;
    const int *other = task->gallery_label + first;
    pair_rule_tile(task->rule, query, first, count, worker->mask);
    if (self >= first && self < first + count)
        worker->mask[self - first] = 0;
    const int from = p->once && self >= first ? self - first + 1 : 0;
    for (int i = from; i < count; i++) {
        if (!worker->mask[i] || other[i] < 0)
            continue;
        if (isnan(scores[i])) {
            worker->unscored++;
            continue;
        }
        const uint32_t key = key_of_score(scores[i]), cell = cell_of(p->grid, key);
        worker->counted[2 * cell + (other[i] == label)]++;
        worker->only[cell] = only_score(worker->only[cell], (key & (COARSE - 1)) + 1);
    }
    worker->pending += (uint64_t)count;
    if (worker->pending > UINT32_MAX / 2)
        hand_in(p, worker);
}

static void count_block(const Pass *p, Worker *worker, int first_query, int count) {
    const RankingTask *task = p->task;
    int which[BLOCK_QUERIES];
    for (int i = 0; i < count; i++)
        which[i] = first_query + i;
    tile_queries(&worker->tile, &p->shape, task->query, which, count);
    for (int first = 0; first < task->candidates; first += p->shape.candidates) {
        const int end = task->candidates - first < p->shape.candidates ? task->candidates : first + p->shape.candidates;
        tile_run_rows(&worker->tile, &p->shape, task->gallery, first, end);
        tile_transpose(&worker->tile, &p->shape);
        for (int i = 0; i < count; i++)
            if (task->query_label[which[i]] >= 0)
                count_pairs(p, worker, which[i], worker->tile.by_query + (size_t)i * (size_t)p->shape.candidates, first, end - first);
    }
}

static void count_part(void *context, int part, int parts) {
    (void)parts;
    const Pass *p = context;
    Worker *worker = p->workers + (part < p->threads ? part : 0);
    const int blocks = (p->task->queries + BLOCK_QUERIES - 1) / BLOCK_QUERIES;
    if (part >= p->threads)
        return;
    for (int b = part; b < blocks && !*p->interrupted; b += p->threads) {
        const int first = b * BLOCK_QUERIES, left = p->task->queries - first;
        count_block(p, worker, first, left < BLOCK_QUERIES ? left : BLOCK_QUERIES);
    }
    hand_in(p, worker);
}

static void pass_carve(Pass *p, Carver *carver) {
    Worker *workers = tile_piece(carver, (size_t)p->threads, sizeof(Worker));
    for (int i = 0; i < p->threads; i++) {
        Worker worker = {0};
        tile_carve(&worker.tile, &p->shape, carver);
        worker.mask = tile_piece(carver, (size_t)pair_rule_depth(p->task->rule) * TILE_CANDIDATES, sizeof(int32_t));
        worker.counted = tile_piece(carver, 2 * (size_t)p->grid->cells, sizeof(uint32_t));
        worker.only = tile_piece(carver, (size_t)p->grid->cells, sizeof(uint32_t));
        if (carver->base)
            workers[i] = worker;
    }
    p->workers = workers;
}

/* Counts every pair into its cell. */
static bool run_pass(Jre *jre, Pool *pool, Pass *p, uint64_t *unscored) {
    p->threads = pool_threads(pool) < THREADS_MOST ? pool_threads(pool) : THREADS_MOST;
    Carver carver = {0};
    pass_carve(p, &carver);
    char *memory = jre_allocate_aligned(jre, carver.used, 64);
    carver = (Carver){ .base = memory };
    pass_carve(p, &carver);
    for (int i = 0; i < p->threads; i++) {
        memset(p->workers[i].counted, 0, 2 * (size_t)p->grid->cells * sizeof(uint32_t));
        memset(p->workers[i].only, 0, (size_t)p->grid->cells * sizeof(uint32_t));
    }
    pool_run(pool, count_part, p);
    *unscored = 0;
    for (int i = 0; i < p->threads; i++)
        *unscored += p->workers[i].unscored;
    jre_release(memory);
    return !jre->interrupted;
}

/* ---- where to look closer -------------------------------------------------------------------------------------------------- */

static const double rates[PAIR_RATES] = { 1e-4, 1e-3, 1e-2, 1e-1 };

/* The cells in which the shares that are asked for are crossed: they are cut into single bit patterns. */
static void mark_crossed(const Counts *coarse, double same, double different, Grid *grid) {
    double right = 0, wrong = 0;
    bool crossed[PAIR_RATES] = {0}, equal = false;
    for (int c = COARSE - 1; c >= 0; c--) {
        if (!coarse[c][0] && !coarse[c][1])
            continue;
        wrong += (double)coarse[c][0];
        right += (double)coarse[c][1];
        for (int r = 0; r < PAIR_RATES; r++)
            if (!crossed[r] && wrong / different > rates[r])
                crossed[r] = true, grid->parts[c] = COARSE;
        if (!equal && wrong / different >= 1 - right / same)
            equal = true, grid->parts[c] = COARSE;
    }
    double below = 0;                     /* pairs of one individual that score so low */
    for (int c = 0; c < COARSE; c++) {
        const double before = below;
        below += (double)coarse[c][1];
        for (int r = 0; r < PAIR_RATES; r++) {
            const double wanted = floor(rates[r] * same);
            if ((before < wanted && below >= wanted) || (before < wanted + 1 && below >= wanted + 1))
                grid->parts[c] = COARSE;
        }
    }
}

/* Cells go where they make the bounds smallest: as the root of what a coarse cell adds to the bound of the area (right and wrong pairs
 * mixed) and to that of precision (pairs among few that score as high). */
static void refine(Arena *scratch, const Counts *coarse, double same, double different, Grid *grid) {
    double *wanted = arena_array(scratch, double, COARSE), all = 0, reached = 0;
    for (int c = COARSE - 1; c >= 0; c--) {
        const double wrong = (double)coarse[c][0], right = (double)coarse[c][1];
        reached += wrong + right;
        wanted[c] = right > 0 ? sqrt(right / same * (wrong / different + (wrong + right) / reached)) : 0;
        all += wanted[c];
    }
    mark_crossed(coarse, same, different, grid);
    grid->cells = 0;
    for (int c = 0; c < COARSE; c++) {
        const double parts = fmin(FINE_CELLS * wanted[c] / all, COARSE);
        if (parts > grid->parts[c])
            grid->parts[c] = (uint32_t)parts;
        grid->first[c] = grid->cells;
        grid->cells += grid->parts[c];
    }
}

/* Edges are multiples of 1/64, which are edges of coarse cells; a score on one belongs to the side farther from 0. */
static void fill_histogram(const Counts *coarse, PairScores *out) {
    for (uint32_t c = 0; c < COARSE; c++) {
        const uint32_t nearest = (c << COARSE_BITS) | (c & 0x8000u ? 0 : COARSE - 1);         /* to 0 */
        const double place = ((double)score_of_key(nearest) + 1) * (PAIR_BINS / 2);
        const double bin = c & 0x8000u ? floor(place) : ceil(place) - 1;
        if (!coarse[c][0] && !coarse[c][1])
            continue;
        const int at = bin < 0 ? 0 : bin < PAIR_BINS ? (int)bin : PAIR_BINS - 1;
        out->histogram[0][at] += (int64_t)coarse[c][0];
        out->histogram[1][at] += (int64_t)coarse[c][1];
    }
}

/* ---- what the counts say ------------------------------------------------------------------------------------------------------ */

/* lowest: bit pattern of its only score, or the lowest that may stand in it. */
typedef struct { uint32_t lowest; bool several; const uint64_t *pairs; } Cell;
typedef struct { const Grid *grid; const Counts *counts; const uint32_t *only; double same, different; } Fine;

static Cell cell_at(const Fine *fine, uint32_t coarse, uint32_t part) {
    const uint64_t parts = fine->grid->parts[coarse];
    const uint32_t cell = fine->grid->first[coarse] + part, only = fine->only[cell], base = coarse << COARSE_BITS;
    const bool several = only == SEVERAL_SCORES;
    return (Cell){ base + (several ? (uint32_t)((part * (uint64_t)COARSE + parts - 1) / parts) : only - 1), several, fine->counts[cell] };
}

/* Precision where one score stands is that of all who reach it, as in scikit-learn. Where several may stand in the cell, the value is the
 * mean over all orders, and both ends are told. */
static void add_precision(const Cell *cell, double right, double wrong, double *value, double *least, double *most) {
    const double same = (double)cell->pairs[1], other = (double)cell->pairs[0];
    if (same <= 0)
        return;
    if (!cell->several) {
        const double share = same * (right + same) / (right + wrong + same + other);
        *value += share, *least += share, *most += share;
        return;
    }
    *value += expected_precision(right, wrong, same, other);
    *least += same * (right + 1) / (right + wrong + other + 1);
    *most += same * (right + same) / (right + wrong + same);
}

/* From the highest score down: everything whose threshold accepts pairs. */
static void walk_down(const Fine *fine, PairScores *out) {
    const double same = fine->same, different = fine->different;
    double right = 0, wrong = 0, area = 0, mixed = 0, precision = 0, least = 0, most = 0, nearest = INFINITY;
    for (uint32_t c = COARSE; c-- > 0;) {
        for (uint32_t part = fine->grid->parts[c]; part-- > 0;) {
            const Cell cell = cell_at(fine, c, part);
            if (!cell.pairs[0] && !cell.pairs[1])
                continue;
            add_precision(&cell, right, wrong, &precision, &least, &most);
            area += (double)cell.pairs[0] * (right + (double)cell.pairs[1] / 2);
            mixed += cell.several ? (double)cell.pairs[0] * (double)cell.pairs[1] / 2 : 0;
            wrong += (double)cell.pairs[0];
            right += (double)cell.pairs[1];
            const double accepted = wrong / different, missed = 1 - right / same, score = score_of_key(cell.lowest);
            for (int r = 0; r < PAIR_RATES; r++)
                if (accepted <= rates[r])
                    out->found[r].share = right / same, out->found[r].score = score;
            if (fabs(accepted - missed) < nearest) {
                nearest = fabs(accepted - missed);
                out->equal_error = (accepted + missed) / 2;
                out->equal_error_score = score;
            }
        }
    }
    out->auc = area / same / different;
    out->auc_within = mixed / same / different;
    out->average_precision = precision / same;
    out->average_precision_within = fmax(most - precision, precision - least) / same;
}

/* From the lowest score up, as fast-reid asks: wrong pairs are what is sought, and a right one that scores so low is the mistake. Of all
 * thresholds the first of those whose share of mistakes is nearest. */
static void walk_up(const Fine *fine, PairScores *out) {
    const double same = fine->same, different = fine->different;
    double right = 0, wrong = 0, nearest[PAIR_RATES];
    for (int r = 0; r < PAIR_RATES; r++)
        nearest[r] = rates[r];            /* nobody is told apart */
    for (uint32_t c = 0; c < COARSE; c++) {
        for (uint32_t part = 0; part < fine->grid->parts[c]; part++) {
            const Cell cell = cell_at(fine, c, part);
            if (!cell.pairs[0] && !cell.pairs[1])
                continue;
            wrong += (double)cell.pairs[0];
            right += (double)cell.pairs[1];
            for (int r = 0; r < PAIR_RATES; r++)
                if (fabs(right / same - rates[r]) < nearest[r]) {
                    nearest[r] = fabs(right / same - rates[r]);
                    out->parted[r].share = wrong / different, out->parted[r].score = score_of_key(cell.lowest);
                }
        }
    }
}

/* ---- from outside ---------------------------------------------------------------------------------------------------------------- */

static void nothing_known(PairScores *out) {
    *out = (PairScores){
        .auc = NAN, .auc_within = NAN, .average_precision = NAN, .average_precision_within = NAN, .equal_error = NAN, .equal_error_score = NAN
    };
    for (int r = 0; r < PAIR_RATES; r++)
        out->found[r] = out->parted[r] = (RocPoint){ rates[r], NAN, NAN };
}

static bool count_twice(Jre *jre, Pool *pool, Pass *p, Arena *scratch, PairScores *out) {
    Grid grid = grid_new(scratch);
    uint64_t unscored;
    p->grid = &grid;
    p->totals = arena_array(scratch, Counts, COARSE);
    p->only = arena_array(scratch, uint32_t, COARSE);
    if (!run_pass(jre, pool, p, &unscored))
        return false;
    const Counts *coarse = p->totals;
    for (int c = 0; c < COARSE; c++) {
        out->different += (int64_t)coarse[c][0];
        out->same += (int64_t)coarse[c][1];
    }
    out->unscored = (int64_t)unscored;
    fill_histogram(coarse, out);
    if (!out->same || !out->different)
        return true;
    const double same = (double)out->same, different = (double)out->different;
    refine(scratch, coarse, same, different, &grid);
    p->totals = arena_array(scratch, Counts, grid.cells);
    p->only = arena_array(scratch, uint32_t, grid.cells);
    if (!run_pass(jre, pool, p, &unscored))
        return false;
    for (int r = 0; r < PAIR_RATES; r++)
        out->found[r].share = out->parted[r].share = 0;
    const Fine fine = { &grid, p->totals, p->only, same, different };
    walk_down(&fine, out);
    walk_up(&fine, out);
    return true;
}

bool judge_pairs(Jre *jre, Pool *pool, int level, const RankingTask *task, bool once, PairScores *out) {
    nothing_known(out);
    if (task->queries < 1 || task->candidates < 1 || task->width < 1)
        return true;
    Pass pass = { .task = task, .once = once, .interrupted = &jre->interrupted };
    if (!tile_shape(jre, level, task->candidates, BLOCK_QUERIES, task->width, &pass.shape))
        return false;
    Arena scratch = { .jre = jre };
    const bool sound = count_twice(jre, pool, &pass, &scratch, out);
    arena_free(&scratch);
    return sound;
}
