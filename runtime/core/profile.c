/* profile.c: where the time of a network goes, and what the machine would allow.
 *
 * The roofline of Williams, Waterman and Patterson (2009): a kernel can be no faster than its arithmetic at the rate of the
 * multipliers, nor than its bytes at the rate at which they are read; what is left below both is the kernel's own. The limits are
 * measured when somebody asks, in some tens of milliseconds, by loops that do nothing else (kernels/cpu/limit.c).
 *
 *   predicted = max(flops / limit, bytes / bandwidth) + start          share = what the limits allow / what was measured
 *
 * Numbers that a step reads and writes lie in the slab, which is planned to stay in the caches; weights do where all of them fit.
 * FLOPs are those of the definition (op_flops): Winograd's transforms multiply less often, so a share may be above 100 %. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, NEAR_SET = 4 * MIB, TRIES = 5 };
static const double START_ALONE = 0.2e-6;               /* seconds of a call that wakes no thread: measured, hardly the machine's own */

/* ---- what the machine can do ------------------------------------------------------------------------------------------------ */

typedef struct { const KernelLimit *loops; int64_t rounds; const float *from; int64_t count; float *sink; } Trial;

static void multiply_part(void *context, int part, int parts) {
    const Trial *trial = context;
    (void)parts;
    trial->sink[part * 16] = trial->loops->multiply(trial->rounds);
}

static void read_part(void *context, int part, int parts) {
    const Trial *trial = context;
    int64_t first = trial->count * part / parts, end = trial->count * (part + 1) / parts;
    trial->sink[part * 16] = trial->loops->read(trial->from + first, end - first);
}

static void nothing_part(void *context, int part, int parts) { (void)context, (void)part, (void)parts; }

/* The best of a few tries: the machine may have company. Pool NULL: the caller alone. */
static double best_seconds(Pool *pool, int tries, void (*work)(void *context, int part, int parts), Trial *trial) {
    double best = 1e9;
    for (int i = 0; i < tries; i++) {
        double started = seconds_now();
        if (pool) pool_run(pool, work, trial);
        else work(trial, 0, 1);
        double took = seconds_now() - started;
        if (took < best) best = took;
    }
    return best > 1e-9 ? best : 1e-9;
}

/* Of the last level, which the threads share. What the C library says of it may be that of a whole machine of which this is a part. */
static double cache_bytes(void) {
    double kilobytes = 0;
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (file && fscanf(file, "%lfK", &kilobytes) != 1) kilobytes = 0;
    if (file) fclose(file);
    return kilobytes > 0 ? kilobytes * 1024 : 16.0 * MIB;
}

Limits limits_measure(Jre *jre, Pool *pool, int level) {
    enum { SMALL_ROUNDS = 20000, LEAST_FAR = 32, MOST_FAR = 128 };
    Trial trial = {.loops = kernel_limit(level), .rounds = SMALL_ROUNDS};
    Limits limits = {.threads = pool_threads(pool), .level = level, .cache = cache_bytes()};
    double far = 2 * limits.cache / MIB;
    int64_t bytes = (int64_t)(far < LEAST_FAR ? LEAST_FAR : far > MOST_FAR ? MOST_FAR : far) * MIB;
    float *numbers = jre_allocate_aligned(jre, (size_t)bytes, 64);
    memset(numbers, 0, (size_t)bytes);                             /* pages that nobody wrote are all the same one */
    trial.sink = jre_allocate(jre, 16 * sizeof(float) * (size_t)limits.threads);
    trial.from = numbers;

    trial.rounds = (int64_t)(SMALL_ROUNDS * 1e-3 / best_seconds(NULL, TRIES, multiply_part, &trial)) + 1;           /* a millisecond */
    limits.one_flops = (double)trial.rounds * trial.loops->flops / best_seconds(NULL, TRIES, multiply_part, &trial);
    limits.flops = limits.threads * (double)trial.rounds * trial.loops->flops / best_seconds(pool, TRIES, multiply_part, &trial);
    trial.count = bytes / (int64_t)sizeof(float);
    limits.memory = (double)bytes / best_seconds(pool, TRIES, read_part, &trial);
    trial.count = NEAR_SET / sizeof(float);
    limits.near = NEAR_SET / best_seconds(pool, TRIES, read_part, &trial);
    limits.start = best_seconds(pool, 20 * TRIES, nothing_part, &trial);
    jre_release(trial.sink);
    jre_release(numbers);
    return limits;
}

bool limits_stated(Jre *jre, const char *text, Limits *limits) {
    double number[5];
    char *end = (char *)(uintptr_t)text;
    int count = 0;
    for (; count < 5; count++) {
        const char *from = end;
        number[count] = strtod(from, &end);
        if (end == from || !(number[count] > 0 && number[count] < 1e12)) break;
        if (*end == ',') end++;
    }
    if (count == 5 && !*end) {
        limits->one_flops = number[0] * 1e9, limits->flops = number[1] * 1e9;
        limits->near = number[2] * 1e9, limits->memory = number[3] * 1e9, limits->start = number[4] * 1e-6;
        limits->cache = 32.0 * MIB, limits->stated = true;
        return true;
    }
    Diagnostic *d = diag(jre, DIAG_wrong_argument, NOWHERE, "JRE_LIMITS is `%s`, five numbers above 0 were expected", text);
    diag_help(d, "GFLOP/s of one thread and of all, GB/s out of the caches and out of memory, microseconds of a start: JRE_LIMITS=100,200,60,20,5; without it they are measured");
    return false;
}

bool session_limits(Session *session, Limits *limits) {
    const char *stated = getenv("JRE_LIMITS");
    if (!stated || !*stated) {
        *limits = limits_measure(session->jre, session->pool, session->level);
        return true;
    }
    *limits = (Limits){.threads = pool_threads(session->pool), .level = session->level};
    return limits_stated(session->jre, stated, limits);
}

/* ---- what a step has to do --------------------------------------------------------------------------------------------------- */

void step_predict(StepProfile *step, const Limits *limits, bool near_slab, bool near_weights) {
    const double runs = step->runs > 1 ? step->runs : 1;
    bool alone = step->bytes + step->weight_bytes < runs * (double)WORTH_SHARING * sizeof(float);
    double start = runs * (alone ? START_ALONE : limits->start), arithmetic = step->flops / (alone ? limits->one_flops : limits->flops);
    double moving = step->bytes / (near_slab ? limits->near : limits->memory) + step->weight_bytes / (near_weights ? limits->near : limits->memory);
    step->ideal = arithmetic > moving ? arithmetic : moving;
    step->predicted = step->ideal + start;
    step->bound = start > step->ideal ? BOUND_START : arithmetic > moving ? BOUND_ARITHMETIC : BOUND_MEMORY;
}

double step_share(const StepProfile *step) { return step->seconds > 0 ? step->ideal / step->seconds : 0; }

const char *bound_text(BoundBy bound) { return bound == BOUND_ARITHMETIC ? "arithmetic" : bound == BOUND_MEMORY ? "memory" : "start"; }

/* Stretched dimensions are read once. */
static double bytes_of_view(const TensorView *view) {
    double count = view->type == KERNEL_F64 ? sizeof(double) : sizeof(float);
    for (int i = 0; i < view->rank; i++) count *= view->stride[i] ? (double)view->dim[i] : 1;
    return count;
}

static int tile_of(const Program *program, int step) {
    int i = 0;
    while (program->segments[i].end <= step) i++;
    return program->segments[i].tile;
}

static void describe_step(const Program *program, const StepAtWork *work, int pictures, int tile, StepProfile *step) {
    const Node *node = work->node;
    *step = (StepProfile){.node = node, .kernel = work->kernel, .runs = (pictures + tile - 1) / tile};
    bool batched = false;                                          /* the batch may stand anywhere: turned tensors have it further behind */
    for (int i = 0; i < node->shape.rank; i++) batched |= node->shape.dim[i] == DIM_BATCH;
    step->flops = op_flops(program->graph->compilation, node) * (batched ? pictures : 1);
    step->bytes = bytes_of_view(&work->call.out);
    for (int i = 0; i < node->inputs; i++) {
        if (!node->in[i]) continue;
        bool packed = i == 1 && work->packed_bytes;
        double bytes = packed ? (double)work->packed_bytes : bytes_of_view(&work->call.in[i]);
        if (program->place[node->in[i]->id].kind == PLACE_LOADED) step->weight_bytes += step->runs * bytes;
        else step->bytes += bytes;
    }
}

static void add_step(StepProfile *total, const StepProfile *step) {
    total->flops += step->flops, total->bytes += step->bytes, total->weight_bytes += step->weight_bytes;
    total->ideal += step->ideal, total->predicted += step->predicted, total->seconds += step->seconds;
}

Profile profile_predict(Arena *arena, const Executor *executor, const Program *program, const Limits *limits) {
    Profile profile = {.pictures = program->max_batch, .count = program->step_count, .steps = arena_array(arena, StepProfile, program->step_count + 1), .memory = executor_bytes(executor)};
    double weights = 0;
    for (int i = 0; i < profile.count; i++) {
        StepAtWork work = executor_step(executor, i, profile.pictures);
        describe_step(program, &work, profile.pictures, tile_of(program, i), &profile.steps[i]);
        weights += profile.steps[i].weight_bytes / profile.steps[i].runs;
    }
    for (int i = 0; i < profile.count; i++) {
        step_predict(&profile.steps[i], limits, (double)program->slab_bytes <= limits->cache, weights <= limits->cache / 2);
        add_step(&profile.total, &profile.steps[i]);
    }
    return profile;
}

/* ---- what it took --------------------------------------------------------------------------------------------------------------- */

bool profile_measure(Jre *jre, Profile *profile, Executor *executor, const Program *program, double seconds) {
    enum { ROUNDS = 5, MOST_ROUNDS = 100 };
    size_t pixels = (size_t)shape_elements(program->input, profile->pictures);
    float *input = jre_allocate(jre, pixels * sizeof *input), *output = jre_allocate(jre, (size_t)shape_elements(program->output, profile->pictures) * sizeof *output);
    double *took = jre_allocate(jre, ((size_t)profile->count + 1) * sizeof *took), started = seconds_now();
    made_up_input(input, pixels);
    bool sound = executor_run(executor, input, profile->pictures, output);
    for (int round = 0; sound && (round < ROUNDS || (round < MOST_ROUNDS && seconds_now() - started < seconds)); round++) {
        memset(took, 0, (size_t)profile->count * sizeof *took);
        sound = executor_run_timed(executor, input, profile->pictures, output, took);
        for (int i = 0; i < profile->count; i++)
            if (!round || took[i] < profile->steps[i].seconds) profile->steps[i].seconds = took[i];
    }
    profile->total.seconds = 0;
    for (int i = 0; i < profile->count; i++) profile->total.seconds += profile->steps[i].seconds;
    profile->measured = sound;
    jre_release(took);
    jre_release(output);
    jre_release(input);
    return sound;
}
