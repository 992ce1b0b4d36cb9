/* fit.c: a program made to fit into less memory.
 *
 * First fewer pictures at a time: half as many, until it is one. Then values that are cheap to have are computed a second time where
 * they are read late, instead of being kept while the most is needed: the node is there twice, each copy with some of its readers.
 * Neither changes a bit: pictures know nothing of each other, and the same operation on the same numbers gives the same result.
 *
 *   x -> s = sigmoid(x) -> ... the peak ... -> s + y       becomes     x -> sigmoid(x) -> ... -> sigmoid(x) + y
 */
#include "compiler.h"

enum { MOST_TRIES = 64 };

static bool fits(const Program *p, size_t most) { return p->slab_bytes <= most; }

/* A few operations for each number, whatever its operands' sizes. */
static bool is_cheap(const Node *node) {
    return op_row(node->op)->flags & (OP_ELEMENTWISE | OP_LAYOUT) || node->op == OP_chain || node->op == OP_max_pool || node->op == OP_mean_pool || node->op == OP_batchnorm;
}

/* The step while which the most bytes live. */
static int peak_of(const Program *p) {
    Arena scratch = {.jre = p->graph->compilation->jre};
    int64_t *change = arena_array(&scratch, int64_t, p->step_count + 2), living = 0, most = -1;
    int peak = 0;
    for (int i = 0; i < p->graph->nodes.count; i++) {
        const Placement *place = &p->place[i];
        if (place->kind == PLACE_LOADED || place->buffer != p->graph->nodes.at[i]) continue;
        change[place->first_step] += (int64_t)place->bytes;
        change[place->last_step + 1] -= (int64_t)place->bytes;
    }
    for (int s = 0; s < p->step_count; s++) {
        living += change[s];
        if (living > most) most = living, peak = s;
    }
    arena_free(&scratch);
    return peak;
}

typedef struct { Node *reader; int operand; } Use;
typedef LIST(Use) UseList;

/* What reads `node` in steps behind the peak. False: nothing, or it is read at the peak too. What only sees or joins it keeps it as it is. */
static bool late_uses(const Program *p, const Node *node, const int *step_of, int peak, Arena *arena, UseList *uses) {
    uses->count = 0;
    for (int i = node->id + 1; i < p->graph->nodes.count; i++) {
        Node *reader = p->graph->nodes.at[i];
        for (int k = 0; k < reader->inputs; k++) {
            if (reader->in[k] != node) continue;
            if (step_of[i] == peak) return false;
            if (step_of[i] > peak) list_add(arena, uses, ((Use){reader, k}));
        }
    }
    return uses->count > 0;
}

static void use_instead(const UseList *uses, Node *node) {
    for (int i = 0; i < uses->count; i++) uses->at[i].reader->in[uses->at[i].operand] = node;
}

/* Tries the values that only wait at the peak, one after the other; the first program with a smaller slab, or NULL. */
static Program *compute_one_again(Program *p, int *tries) {
    Graph *g = p->graph;
    Program *better = NULL;
    int peak = peak_of(p), *step_of = arena_array(g->arena, int, g->nodes.count);
    for (int i = 0; i < g->nodes.count; i++) step_of[i] = -1;
    for (int s = 0; s < p->step_count; s++) step_of[p->steps[s].node->id] = s;
    UseList uses = {0};
    for (int i = 0; i < g->nodes.count && !better && *tries > 0; i++) {
        Node *node = g->nodes.at[i];
        if (step_of[i] < 0 || step_of[i] >= peak || !is_cheap(node) || !late_uses(p, node, step_of, peak, g->arena, &uses)) continue;
        --*tries;
        use_instead(&uses, graph_append(g, node));
        graph_sweep(g);
        Program *other = schedule_graph(g, 1);
        if (other->slab_bytes < p->slab_bytes) {
            better = other;
            continue;
        }
        use_instead(&uses, node);
        graph_sweep(g);                    /* numbers the nodes as before: a program knows them by their numbers */
    }
    return better;
}

void program_within(Program *p, size_t most) {
    const int asked = p->asked_batch ? p->asked_batch : p->max_batch;
    int again = p->computed_again, tries = MOST_TRIES;
    while (!fits(p, most) && p->max_batch > 1) plan_batch(p, p->max_batch / 2);
    while (!fits(p, most) && p->max_batch == 1 && tries > 0) {
        Program *better = compute_one_again(p, &tries);
        if (!better) break;
        *p = *better;
        again++;
    }
    p->asked_batch = asked;
    p->computed_again = again;
}
