/* tiles.c: scores of a block of queries against a tile of candidates, and which of these pairs count.
 *
 * In: rows of numbers, and a rule. Out: scores that depend on their two rows alone: the kernel always sees tiles of one shape, the last
 * one filled up with zeros. Contract: whoever streams over all pairs keeps a tile for each thread and nothing of size queries x gallery. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

/* ---- tiles of scores ------------------------------------------------------------------------------------------------ */

static TensorView matrix_view(int rows, int columns) {
    return (TensorView){ .type = KERNEL_F32, .rank = 2, .dim = { rows, columns }, .stride = { columns, 1 } };
}

static int rounded_up(int count, int step) {
    return (count + step - 1) / step * step;
}

/* The queries are the second operand, laid out once for a whole block; the gallery is read where it lies. */
bool tile_shape(Jre *jre, int level, int candidates, int queries, int width, TileShape *shape) {
    *shape = (TileShape){
        .candidates = candidates < TILE_CANDIDATES ? rounded_up(candidates, TILE_STEP) : TILE_CANDIDATES,
        .queries = queries, .width = width
    };
    shape->call = (KernelCall){
        .out = matrix_view(shape->candidates, queries),
        .in = { matrix_view(shape->candidates, width), matrix_view(queries, width) },
        .inputs = 2
    };
    shape->kernel = kernel_find("cosine_scores", "cpu", NULL, level, &shape->call);
    if (!shape->kernel) {
        diag(jre, DIAG_bug, NOWHERE, "nothing on this machine computes similarities");
        return false;
    }
    shape->packed_bytes = shape->kernel->packed_bytes ? shape->kernel->packed_bytes(&shape->call) : 0;
    shape->workspace_bytes = shape->kernel->workspace_bytes ? shape->kernel->workspace_bytes(&shape->call) : 0;
    shape->units = shape->kernel->units(&shape->call);
    return true;
}

void *tile_piece(Carver *carver, size_t count, size_t element) {
    size_t bytes = (count * element + 63) / 64 * 64;
    void *piece = carver->base ? carver->base + carver->used : NULL;
    carver->used += bytes;
    return piece;
}

void tile_carve(Tile *tile, const TileShape *shape, Carver *carver) {
    size_t cells = (size_t)shape->candidates * (size_t)shape->queries;
    tile->query = tile_piece(carver, (size_t)shape->queries * (size_t)shape->width, sizeof(float));
    tile->candidate = tile_piece(carver, (size_t)shape->candidates * (size_t)shape->width, sizeof(float));
    tile->scores = tile_piece(carver, cells, sizeof(float));
    tile->by_query = tile_piece(carver, cells, sizeof(float));
    tile->packed = tile_piece(carver, shape->packed_bytes, 1);
    tile->workspace = tile_piece(carver, shape->workspace_bytes, 1);
}

static KernelCall tile_call(const Tile *tile, const TileShape *shape, const float *candidates) {
    KernelCall call = shape->call;
    call.in[0].data = (void *)(uintptr_t)candidates;
    call.in[1].data = tile->query;
    call.out.data = tile->scores;
    call.workspace = tile->workspace;
    return call;
}

static void tile_pack(const Tile *tile, const TileShape *shape) {
    if (!shape->kernel->pack || !shape->packed_bytes)
        return;
    KernelCall call = tile_call(tile, shape, tile->candidate);
    shape->kernel->pack(&call, tile->packed);
}

const float *tile_row(const float *rows, int row, int width) {
    return rows + (size_t)row * (size_t)width;
}

/* Makes rows[which[0]], rows[which[1]], ... the queries of the tile; the places behind `count` become zeros. */
void tile_queries(const Tile *tile, const TileShape *shape, const float *rows, const int *which, int count) {
    const size_t bytes = (size_t)shape->width * sizeof(float);
    for (int i = 0; i < count; i++)
        memcpy(tile->query + (size_t)i * (size_t)shape->width, tile_row(rows, which[i], shape->width), bytes);
    memset(tile->query + (size_t)count * (size_t)shape->width, 0, (size_t)(shape->queries - count) * bytes);
    tile_pack(tile, shape);
}

void tile_clear(const Tile *tile, const TileShape *shape, int first) {
    size_t left = (size_t)(shape->candidates - first) * (size_t)shape->width;
    memset(tile->candidate + (size_t)first * (size_t)shape->width, 0, left * sizeof(float));
}

void tile_run(const Tile *tile, const TileShape *shape, const float *candidates) {
    KernelCall call = tile_call(tile, shape, candidates);
    call.packed = shape->packed_bytes ? tile->packed : NULL;
    shape->kernel->run(&call, 0, shape->units);
}

/* Gallery rows first .. end-1, one tile at most; where the gallery ends, zeros follow. */
void tile_run_rows(const Tile *tile, const TileShape *shape, const float *gallery, int first, int end) {
    const float *rows = tile_row(gallery, first, shape->width);
    if (end - first < shape->candidates) {
        memcpy(tile->candidate, rows, (size_t)(end - first) * (size_t)shape->width * sizeof(float));
        tile_clear(tile, shape, end - first);
        rows = tile->candidate;
    }
    tile_run(tile, shape, rows);
}

/* In squares of one cache line, so that each line is read once. Counts are multiples of TILE_STEP. */
void tile_transpose(const Tile *tile, const TileShape *shape) {
    const int rows = shape->candidates, columns = shape->queries;
    for (int column = 0; column < columns; column += TILE_STEP) {
        for (int row = 0; row < rows; row += TILE_STEP) {
            const float *from = tile->scores + (size_t)row * (size_t)columns + column;
            float *to = tile->by_query + (size_t)column * (size_t)rows + row;
            for (int i = 0; i < TILE_STEP; i++)
                for (int j = 0; j < TILE_STEP; j++)
                    to[(size_t)i * (size_t)rows + (size_t)j] = from[(size_t)j * (size_t)columns + (size_t)i];
        }
    }
}

/* ---- which pairs count ------------------------------------------------------------------------------------------------ */

/* How many masks the program holds at once. */
int pair_rule_depth(const PairRule *rule) {
    int depth = 0, deepest = 1;
    for (int i = 0; rule && i < rule->step_count; i++) {
        const PairOp op = rule->steps[i].op;
        depth += op == PAIR_SAME || op == PAIR_FACT ? 1 : op == PAIR_NOT ? 0 : -1;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

/* Loops of fixed length become vectors. A value that is missing is coded -1 and equals none. */
static void mask_same(const int *restrict code, int wanted, int count, int32_t *restrict mask) {
    int i = 0;
    const int known = -(wanted >= 0);
    for (; i + TILE_STEP <= count; i += TILE_STEP)
        for (int j = 0; j < TILE_STEP; j++)
            mask[i + j] = -(code[i + j] == wanted) & known;
    for (; i < count; i++)
        mask[i] = -(code[i] == wanted) & known;
}

static void mask_fact(const uint8_t *restrict fact, int count, int32_t *restrict mask) {
    int i = 0;
    for (; i + TILE_STEP <= count; i += TILE_STEP)
        for (int j = 0; j < TILE_STEP; j++)
            mask[i + j] = -(fact[i + j] != 0);
    for (; i < count; i++)
        mask[i] = -(fact[i] != 0);
}

static void mask_not(int32_t *mask) {
    for (int i = 0; i < TILE_CANDIDATES; i++)
        mask[i] = ~mask[i];
}

static void mask_and(int32_t *restrict mask, const int32_t *restrict other) {
    for (int i = 0; i < TILE_CANDIDATES; i++)
        mask[i] &= other[i];
}

static void mask_or(int32_t *restrict mask, const int32_t *restrict other) {
    for (int i = 0; i < TILE_CANDIDATES; i++)
        mask[i] |= other[i];
}

void pair_rule_tile(const PairRule *rule, int query, int first, int count, int32_t *mask) {
    int32_t *end = mask;                  /* of the stack of masks */
    if (!rule || !rule->step_count) {
        for (int i = 0; i < count; i++)
            mask[i] = -1;
        return;
    }
    for (int s = 0; s < rule->step_count; s++) {
        const int which = rule->steps[s].which;
        switch (rule->steps[s].op) {
        case PAIR_SAME: mask_same(rule->candidate_code[which] + first, rule->query_code[which][query], count, end); end += TILE_CANDIDATES; break;
        case PAIR_FACT: mask_fact(rule->fact[which] + first, count, end); end += TILE_CANDIDATES; break;
        case PAIR_NOT: mask_not(end - TILE_CANDIDATES); break;
        case PAIR_AND: end -= TILE_CANDIDATES; mask_and(end - TILE_CANDIDATES, end); break;
        case PAIR_OR: end -= TILE_CANDIDATES; mask_or(end - TILE_CANDIDATES, end); break;
        }
    }
}

int pair_rule_leave_out(const int32_t *restrict mask, int count, float *restrict scores) {
    int i = 0, left = 0;
    for (; i + TILE_STEP <= count; i += TILE_STEP)
        for (int j = 0; j < TILE_STEP; j++) {
            left -= mask[i + j];
            scores[i + j] = mask[i + j] ? scores[i + j] : NAN;
        }
    for (; i < count; i++) {
        left -= mask[i];
        scores[i] = mask[i] ? scores[i] : NAN;
    }
    return left;
}

/* ---- one query ------------------------------------------------------------------------------------------------------------ */

void query_scores(Jre *jre, int level, const float *query, const float *gallery, int candidates, int width, float *scores) {
    TileShape shape;
    if (candidates < 1)
        return;
    if (width < 1 || !tile_shape(jre, level, candidates, TILE_STEP, width, &shape)) {
        memset(scores, 0, (size_t)candidates * sizeof *scores);
        return;
    }
    Tile tile = {0};
    Carver carver = {0};
    tile_carve(&tile, &shape, &carver);
    char *memory = jre_allocate_aligned(jre, carver.used, 64);
    carver = (Carver){ .base = memory };
    tile_carve(&tile, &shape, &carver);
    tile_queries(&tile, &shape, query, (const int[]){ 0 }, 1);
    for (int first = 0; first < candidates; first += shape.candidates) {
        int end = candidates - first < shape.candidates ? candidates : first + shape.candidates;
        tile_run_rows(&tile, &shape, gallery, first, end);
        for (int i = first; i < end; i++)
            scores[i] = tile.scores[(size_t)(i - first) * (size_t)shape.queries];
    }
    jre_release(memory);
}
