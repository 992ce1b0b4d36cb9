/* stream.c: every score of queries against candidates, told to whoever counts, and kept by nobody.
 *
 * In: rows in the order that the caller wants to see them ("places"). Out: for each query, pieces of its row of scores, in no order.
 * Scores are made in squares of BLOCK x BLOCK: as many queries stay near as share the work of laying out the candidates, and what the
 * caller keeps of a query is fetched for BLOCK scores at once. Where queries and candidates are the same rows, a score is computed
 * once and told to both: it is one sum from the first number to the last, so that a with b has the bits of b with a.
 *
 * Contract: memory is a few squares a thread and the rows of the band; a column of squares is one thread's, and a query hears one
 * thread at a time, but which comes first depends on the clock: whoever counts must not care about the order. */
#include "../runtime.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* A multiple of the kernel's 12 rows and 32 columns, and of TILE_STEP. */
enum { BLOCK = 480, LEAST_BLOCK = 96 };

typedef struct { float *rows, *scores, *turned; const float *candidates; void *packed, *workspace; } Worker;

typedef struct {
    const PairStream *stream;
    int width, block, blocks, columns;    /* blocks: of queries of the band; columns: of all candidates */
    const float *query;                   /* the band's rows, in the order of their places */
    const Kernel *product, *turn;
    KernelCall call;
    size_t packed_bytes, workspace_bytes;
    pthread_mutex_t *heard;               /* of each block: who tells its queries */
    Worker *workers;
    atomic_int taken;                     /* columns that a thread has */
    volatile int *interrupted;
} Flow;

static int least(int a, int b) {
    return a < b ? a : b;
}

/* ---- one square ---------------------------------------------------------------------------------------------------- */

/* rows[order[0]], rows[order[1]], ...: where they lie, if they lie like that, else copied to `to`. */
static const float *gathered(const float *rows, const int *order, int count, int width, float *to) {
    int i = 1;
    while (i < count && order[i] == order[0] + i)
        i++;
    if (i >= count)
        return tile_row(rows, order[0], width);
    for (i = 0; i < count; i++)
        memcpy(to + (size_t)i * (size_t)width, tile_row(rows, order[i], width), (size_t)width * sizeof(float));
    return to;
}

static void multiply(const Flow *f, const Worker *w, const float *queries, int query_count, int candidate_count) {
    KernelCall call = f->call;
    call.out.data = w->scores;
    call.out.dim[0] = call.in[0].dim[0] = query_count;
    call.out.dim[1] = call.in[1].dim[0] = candidate_count;
    call.in[0].data = (void *)(uintptr_t)queries;
    call.in[1].data = (void *)(uintptr_t)w->candidates;
    call.packed = w->packed;
    call.workspace = w->workspace;
    f->product->run(&call, 0, f->product->units(&call));
}

static void lay_out(const Flow *f, Worker *w, const int *order, int count) {
    w->candidates = gathered(f->stream->task->gallery, order, count, f->width, w->rows);
    if (!f->product->pack)
        return;
    KernelCall call = f->call;
    call.in[1].data = (void *)(uintptr_t)w->candidates;
    call.out.dim[1] = call.in[1].dim[0] = count;
    f->product->pack(&call, w->packed);
}

static KernelCall turning(int block, int rows, int columns) {
    return (KernelCall){
        .out = { .type = KERNEL_F32, .rank = 2, .dim = { columns, rows }, .stride = { block, 1 } },
        .in = { { .type = KERNEL_F32, .rank = 2, .dim = { columns, rows }, .stride = { 1, block } } }, .inputs = 1
    };
}

/* Queries from..from+count-1 of the band hear of candidates first..first+others-1. */
static void tell(const Flow *f, int part, float *scores, int from, int count, int first, int others) {
    const int whole = (others + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
    for (int i = 0; i < count; i++, scores += f->block) {
        for (int j = others; j < whole; j++)
            scores[j] = NAN;
        f->stream->take(f->stream->context, part, f->stream->first + from + i, scores, first, others);
    }
}

/* All queries of a block of the band, whose `heard` the caller has locked. */
static void tell_block(const Flow *f, int part, float *scores, int block, int first, int others) {
    const int from = block * f->block;
    tell(f, part, scores, from, least(f->block, f->stream->end - f->stream->first - from), first, others);
    pthread_mutex_unlock(&f->heard[block]);
}

/* Whichever side nobody tells at the moment comes first. own: the block of queries that the column's candidates are; -1: only queries hear. */
static void tell_both(const Flow *f, const Worker *w, int part, int block, int own, int queries, int first, int others) {
    if (own < 0) {
        pthread_mutex_lock(&f->heard[block]);
        tell_block(f, part, w->scores, block, first, others);
        return;
    }
    const int place = f->stream->first + block * f->block;
    KernelCall turn = turning(f->block, queries, others);
    turn.in[0].data = w->scores;
    turn.out.data = w->turned;
    f->turn->run(&turn, 0, f->turn->units(&turn));
    const bool now = pthread_mutex_trylock(&f->heard[block]) == 0;
    if (now)
        tell_block(f, part, w->scores, block, first, others);
    pthread_mutex_lock(&f->heard[own]);
    tell_block(f, part, w->turned, own, place, queries);
    if (now)
        return;
    pthread_mutex_lock(&f->heard[block]);
    tell_block(f, part, w->scores, block, first, others);
}

/* ---- a column of squares ----------------------------------------------------------------------------------------------- */

static void run_column(const Flow *f, int part, int parts, int column) {
    const PairStream *s = f->stream;
    Worker *w = &f->workers[part];
    const int first = column * f->block, count = least(f->block, s->task->candidates - first), own = s->mutual ? column : -1;
    lay_out(f, w, s->candidate_row + first, count);
    const int blocks = own < 0 ? f->blocks : own + 1, start = part * blocks / parts;      /* threads begin apart */
    for (int i = 0; i < blocks && !*f->interrupted; i++) {
        const int block = (start + i) % blocks, from = block * f->block, queries = least(f->block, s->end - s->first - from);
        multiply(f, w, tile_row(f->query, from, f->width), queries, count);
        tell_both(f, w, part, block, block == own ? -1 : own, queries, first, count);
    }
}

/* Columns with most squares come first, so that threads end together. */
static void run_columns(void *context, int part, int parts) {
    Flow *f = context;
    for (int left; (left = f->columns - 1 - atomic_fetch_add_explicit(&f->taken, 1, memory_order_relaxed)) >= 0 && !*f->interrupted;)
        run_column(f, part, parts, left);
}

/* ---- from outside ------------------------------------------------------------------------------------------------------- */

/* So small that each thread gets some columns. */
static int block_of(int candidates, int threads) {
    int block = BLOCK;
    while (block > LEAST_BLOCK && candidates < 4 * threads * block)
        block -= LEAST_BLOCK;
    return block;
}

static void flow_carve(Flow *f, int threads, Carver *carver) {
    const size_t block = (size_t)f->block, width = (size_t)f->width;
    Worker *workers = tile_piece(carver, (size_t)threads, sizeof(Worker));
    pthread_mutex_t *heard = tile_piece(carver, (size_t)f->blocks, sizeof *heard);
    for (int i = 0; i < threads; i++) {
        const Worker worker = {
            .rows = tile_piece(carver, block * width, sizeof(float)), .scores = tile_piece(carver, block * block, sizeof(float)),
            .turned = tile_piece(carver, f->stream->mutual ? block * block : 0, sizeof(float)),
            .packed = tile_piece(carver, f->packed_bytes, 1), .workspace = tile_piece(carver, f->workspace_bytes, 1)
        };
        if (carver->base)
            workers[i] = worker;
    }
    f->workers = workers;
    f->heard = heard;
}

static bool choose_kernels(Jre *jre, int level, Flow *f) {
    const int block = f->block, width = f->width;
    f->call = (KernelCall){
        .out = { .type = KERNEL_F32, .rank = 2, .dim = { block, block }, .stride = { block, 1 } },
        .in = { { .type = KERNEL_F32, .rank = 2, .dim = { block, width }, .stride = { width, 1 } },
                { .type = KERNEL_F32, .rank = 2, .dim = { block, width }, .stride = { width, 1 } } }, .inputs = 2
    };
    const KernelCall turn = turning(block, block, block);
    f->product = kernel_find("cosine_scores", "cpu", NULL, level, &f->call);
    f->turn = kernel_find("copy", "cpu", NULL, level, &turn);
    if (!f->product || !f->turn) {
        diag(jre, DIAG_bug, NOWHERE, "nothing on this machine computes similarities");
        return false;
    }
    f->packed_bytes = f->product->packed_bytes ? f->product->packed_bytes(&f->call) : 0;
    f->workspace_bytes = f->product->workspace_bytes ? f->product->workspace_bytes(&f->call) : 0;
    return true;
}

static const float *band_rows(const PairStream *s, int width, float **memory, Jre *jre) {
    const int count = s->end - s->first;
    const int *order = s->query_row + s->first;
    *memory = NULL;
    for (int i = 0; i < count; i++) {
        if (order[i] == order[0] + i)
            continue;
        *memory = jre_allocate_aligned(jre, (size_t)count * (size_t)width * sizeof(float), 64);
        return gathered(s->task->query, order, count, width, *memory);
    }
    return tile_row(s->task->query, order[0], width);
}

bool stream_pairs(Jre *jre, Pool *pool, int level, const PairStream *stream) {
    const int threads = pool_threads(pool);
    Flow f = { .stream = stream, .width = stream->task->width, .block = block_of(stream->task->candidates, threads), .interrupted = &jre->interrupted };
    f.blocks = (stream->end - stream->first + f.block - 1) / f.block;
    f.columns = (stream->task->candidates + f.block - 1) / f.block;
    if (!choose_kernels(jre, level, &f))
        return false;
    Carver carver = { 0 };
    flow_carve(&f, threads, &carver);
    char *memory = jre_allocate_aligned(jre, carver.used, 64);
    float *rows = NULL;
    carver = (Carver){ .base = memory };
    flow_carve(&f, threads, &carver);
    f.query = band_rows(stream, f.width, &rows, jre);
    for (int i = 0; i < f.blocks; i++)
        pthread_mutex_init(&f.heard[i], NULL);
    atomic_init(&f.taken, 0);
    pool_run(pool, run_columns, &f);
    for (int i = 0; i < f.blocks; i++)
        pthread_mutex_destroy(&f.heard[i]);
    jre_release(rows);
    jre_release(memory);
    return !jre->interrupted;
}
