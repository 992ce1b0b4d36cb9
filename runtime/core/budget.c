/* budget.c: what a network takes in memory while it runs, and how it is made to fit.
 *
 * The process as it stands, and on top of it, at once: either weights on their way in (as their file has them, folded, packed), or
 * weights as they stay, the slab, workspace of each thread and pictures on their way. All but the first are known before anything is
 * computed, from a sketch of the executor. Over the limit (--memory; 80 % of the machine's without it) the compiler plans again, for
 * fewer pictures at a time, then with values computed twice; no number depends on it. */
#include "../runtime.h"

/* Pictures that the loader has at once; of how many files the sizes are looked at; bytes that a thread has for each pixel of the picture it
 * decodes: its colors, and a part of them resized in one direction. */
enum { READ_AHEAD = 16, LOOKED_AT = 8, BYTES_A_PIXEL = 4 };

static size_t limit_of(const Session *session) {
    return session->options.memory ? session->options.memory : memory_allowed("") / 5 * 4;
}

/* Pixels of the largest of a few, evenly spread. What is wrong with a file is told when it is read. */
static size_t largest_of(Jre *jre, const Coming *coming) {
    Jre *aside = jre_aside(jre);
    size_t largest = 0;
    int looked_at = coming->count < LOOKED_AT ? coming->count : LOOKED_AT, width, height;
    for (int i = 0; aside && i < looked_at; i++) {
        const char *path = coming->paths[(int64_t)i * coming->count / looked_at];
        size_t pixels = image_size(aside, path, NOWHERE, false, &width, &height) ? (size_t)width * (size_t)height : 0;
        if (pixels > largest) largest = pixels;
    }
    jre_free(aside);
    return largest;
}

static size_t pictures_bytes(const Session *session, const Coming *coming) {
    if (!coming->view) return coming->held;
    size_t values = 3 * (size_t)coming->view->width * (size_t)coming->view->height;
    return READ_AHEAD * values * (sizeof(float) + 1) + (size_t)pool_threads(session->pool) * BYTES_A_PIXEL * largest_of(session->jre, coming) + coming->held;
}

static bool plan_budget(Session *session, const Program *program, Budget *budget) {
    Executor *sketch = executor_sketch(session->jre, program, session->device);
    if (!sketch) return false;
    ExecutorMemory memory = executor_memory(sketch);
    executor_free(sketch);
    budget->weights = memory.weights;
    budget->slab = memory.slab + memory.staging;
    budget->workspace = memory.workspace * (size_t)pool_threads(session->pool);
    size_t loading = memory.loading - memory.weights, running = budget->slab + budget->workspace + budget->pictures;
    budget->all = budget->process + budget->weights + (loading > running ? loading : running);
    return true;
}

static bool too_much(Session *session, const char *name, Span span, const Budget *budget) {
    const size_t step = 16 << 20, enough = (budget->all + budget->all / 20 + step - 1) / step * step;
    Diagnostic *d = diag(session->jre, DIAG_no_memory, span, "`%s` takes %.1f MiB, one picture at a time, and %.1f MiB are allowed", name, mebibytes(budget->all), mebibytes(budget->limit));
    diag_fact(d, "%.1f MiB are the program and what it has read, %.1f MiB weights, %.1f MiB what is computed, %.1f MiB pictures on their way", mebibytes(budget->process),
              mebibytes(budget->weights), mebibytes(budget->slab + budget->workspace), mebibytes(budget->pictures));
    diag_help(d, "with --memory %.0fMiB it fits; smaller pictures, a smaller network or fewer threads need less", mebibytes(enough));
    return false;
}

bool session_fit(Session *session, Program *program, const Coming *coming, const char *name, Span span, Budget *budget) {
    *budget = (Budget){.process = memory_taken(false), .pictures = pictures_bytes(session, coming), .limit = limit_of(session)};
    if (!plan_budget(session, program, budget)) return false;
    /* What goes in and comes out shrinks with the batch too, so each half is looked at before it is halved again. */
    for (int batch = 0; budget->all > budget->limit && program->max_batch != batch;) {
        const size_t over = budget->all - budget->limit, slab = program->slab_bytes;
        batch = program->max_batch;
        program_within(program, batch > 1 ? slab - 1 : slab > over ? slab - over : 0);
        if (!plan_budget(session, program, budget)) return false;
    }
    if (budget->all > session->planned) session->planned = budget->all;
    return budget->all <= budget->limit || too_much(session, name, span, budget);
}
