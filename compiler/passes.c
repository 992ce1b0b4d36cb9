/* passes.c: start here. The table of contents of the compiler.
 *
 *   text --lang/--> syntax trees
 *     resolve.c    one flat program: extends, use, change, remove, overlays
 *     plan.c       each record evaluated (evaluate.c, types.c, builtins.c) into what `jre run` walks, a member for each choice
 *     protocol.c   what only re-identification knows: colors, bursts; provenance.c: who learned from which pictures;
 *                  check_*.c: views, licenses, spaces, scores, batches, what a training could never learn
 *     lower.c      each network becomes a tensor graph, which goes through the passes of `graph_passes` below
 *   --runtime/--> results
 *
 * --dump=NAME prints a graph after the pass NAME; --time-passes prints seconds and rule hits. */
#include "compiler.h"

#include <string.h>
#include <time.h>

static void simplify(Graph *g) { rewrite_graph(g, PHASE_SIMPLIFY); }
static void recognize(Graph *g) { rewrite_graph(g, PHASE_RECOGNIZE); }
static void fuse(Graph *g) { rewrite_graph(g, PHASE_FUSE); }
static void chain(Graph *g) { rewrite_graph(g, PHASE_CHAIN); }

const GraphPass graph_passes[] = {
    {"lower",    "makes a sound graph of primitives from a network and its input's size", graph_sweep},
    {"simplify", "needs a sound graph; leaves one that computes the same with fewer nodes: batchnorms are folded", simplify},
    {"recognize", "needs simplified; formulas that have a kernel of their own (softmax, layer_norm, attention) are one node", recognize},
    {"fuse",     "needs simplified; convolutions take in additions and clamps behind them", fuse},
    {"chain",    "needs fused; elementwise operations are one node with their neighbors, or carried by the product before them", chain},
};
const int graph_pass_count = (int)(sizeof graph_passes / sizeof *graph_passes);

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void note_time(Compilation *c, const char *name, double spent) {
    for (int i = 0; i < c->time_count; i++)
        if (!strcmp(c->times[i].name, name)) {
            c->times[i].seconds += spent;
            return;
        }
    if (c->time_count < (int)(sizeof c->times / sizeof *c->times)) c->times[c->time_count++] = (struct PassTime){name, spent, 0};
}

static void dump(Compilation *c, Graph *g, const char *pass) {
    if (!c->dump || !c->dump_pass || strcmp(c->dump_pass, pass) != 0) return;
    Text text = {.jre = c->jre};
    graph_print(g, &text, false);
    fputs(text.at, c->dump);
    text_free(&text);
}

Program *compile_graph(Compilation *c, Graph *g, int largest_batch) {
    for (int i = 0; i < graph_pass_count; i++) {
        double started = seconds();
        graph_passes[i].run(g);
        note_time(c, graph_passes[i].name, seconds() - started);
        if (!graph_verify(g, graph_passes[i].name)) return NULL;
        dump(c, g, graph_passes[i].name);
    }
    double started = seconds();
    Program *program = schedule_graph(g, largest_batch);
    note_time(c, "schedule", seconds() - started);
    return program;
}

bool same_finding(const Diagnostic *a, const Diagnostic *b) {
    return a->code == b->code && a->span.start == b->span.start && a->span.end == b->span.end && !strcmp(a->message, b->message);
}

/* Whatever is left out of a plan must have been told. */
static void tell_silence(Compilation *c) {
    if (!c->poisoned || diag_any_error(c->jre) || c->jre->interrupted) return;
    Diagnostic *d = diag(c->jre, DIAG_bug, NOWHERE, "a part of this document was left out, and nobody said why");
    diag_help(d, "please report it, with the document");
}

bool compile(Compilation *c, Jre *jre, const CompileRequest *request, const Facts *facts, bool with_data) {
    c->jre = jre;
    c->arena.jre = jre;
    c->facts = *facts;
    c->with_data = with_data;
    c->latency = facts->latency;
    double started = seconds();
    resolve_program(c, request);
    note_time(c, "resolve", seconds() - started);
    if (!c->scope || c->gaps) return false;
    started = seconds();
    bool planned = plan_program(c);
    check_unused(c);
    if (!diag_any_error(jre)) check_unused_names(c);
    note_time(c, "plan", seconds() - started);
    tell_silence(c);
    started = seconds();
    bool sound = planned && !diag_any_error(jre) && !jre->interrupted;
    if (sound && with_data) check_columns(c);
    if (!jre->interrupted) protocol_check(c, with_data && sound);
    if (sound) {
        check_spaces(c);
        check_scores(c);
        check_batches(c, with_data);
    }
    if (sound && with_data && !diag_any_error(jre)) check_questions(c);
    if (!diag_any_error(jre)) check_idle_accepts(c, with_data);
    note_time(c, "protocol", seconds() - started);
    return planned && !diag_any_error(jre) && !jre->interrupted;
}

void compilation_free(Compilation *c) { arena_free(&c->arena); }
