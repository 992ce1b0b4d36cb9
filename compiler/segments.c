/* segments.c: how many pictures run through which steps at a time.
 *
 * Early layers have large activations and few weights: one or few pictures at a time, so that what a layer writes is still in a cache
 * when the next reads it. Late layers have small activations and many weights: the whole batch, so that weights are read once. A
 * program is cut into segments of consecutive steps, each with a tile of its own; what crosses a cut is kept for the whole batch.
 *
 * A static model, in bytes weighted by where they come from, finds the cheapest cuts in time linear in the steps:
 *
 *   a step with tile t     what it reads and writes, by whether t pictures of it fit the second-level cache, a share of the third, or
 *                          neither; its weights once for each tile; the launch
 *   a change of the tile   what lives across it, written and read for the whole batch
 *
 * No number depends on what it chooses. */
#include "compiler.h"

#include <float.h>

enum { NEAR = 512 << 10, SHARE = 4 << 20, KEPT_WEIGHTS = 16 << 20, LAUNCH = 32 << 10, MOST_TILES = 8 };

/* What a byte costs that comes from the second-level cache, the third, or memory. */
static const double near_price = 0.25, share_price = 1, memory_price = 4;

void one_segment(Program *p, int batch, int tile) {
    p->max_batch = batch;
    p->segments[0] = (Segment){0, p->step_count, tile};
    p->segment_count = 1;
}

static double price_of(double bytes) { return bytes <= NEAR ? near_price : bytes <= SHARE ? share_price : memory_price; }

static double bytes_of(const Node *node) { return (double)shape_elements(node->shape, 1) * sizeof(float); }

typedef struct {
    Program *p;
    int batch, tile[MOST_TILES], tiles;
    double weight_price;
    double *crossing;                     /* [step]: bytes of a picture that live when the step begins */
    double *cost;                         /* [step][tile]: of all before and this step */
    int8_t *from;                         /* [step][tile]: with which the step before ran */
} Cuts;

static double step_cost(const Cuts *cuts, const Node *node, int tile) {
    double moved = bytes_of(node), weights = 0, runs = (cuts->batch + tile - 1) / tile;
    for (int k = 0; k < node->inputs; k++) {
        if (!node->in[k]) continue;
        if (cuts->p->place[node->in[k]->id].kind == PLACE_LOADED) weights += bytes_of(node->in[k]);
        else moved += bytes_of(node->in[k]);
    }
    return cuts->batch * moved * price_of(tile * moved) + runs * (weights * cuts->weight_price + LAUNCH);
}

/* Lifetimes are those of the plan for one picture. */
static void find_crossings(Cuts *cuts) {
    const Program *p = cuts->p;
    for (int i = 0; i < p->graph->nodes.count; i++) {
        const Placement *place = &p->place[i];
        if (place->kind == PLACE_LOADED || place->buffer != p->graph->nodes.at[i]) continue;
        cuts->crossing[place->first_step + 1] += (double)place->bytes;
        if (place->last_step < p->step_count) cuts->crossing[place->last_step + 1] -= (double)place->bytes;
    }
    for (int s = 1; s < p->step_count; s++) cuts->crossing[s] += cuts->crossing[s - 1];
}

/* What crosses a cut is found by its place in the batch, which comes first in all but turned tensors; where a node has no batch, pictures
 * are mixed, and all of them run at once. */
static bool may_cut(const Program *p, bool *mixed) {
    bool first = true;
    *mixed = false;
    for (int i = 0; i < p->graph->nodes.count; i++) {
        const Shape *shape = &p->graph->nodes.at[i]->shape;
        bool any = false;
        for (int k = 0; k < shape->rank; k++) any |= shape->dim[k] == DIM_BATCH;
        if (p->place[i].kind == PLACE_LOADED) continue;
        if (!any) *mixed = true;
        if (!shape->rank || shape->dim[0] != DIM_BATCH) first = false;
    }
    return first;
}

static void find_costs(Cuts *cuts, bool cut) {
    const Program *p = cuts->p;
    for (int s = 0; s < p->step_count; s++) {
        double change = 2 * cuts->batch * cuts->crossing[s];
        change *= price_of(change / 2);
        for (int t = 0; t < cuts->tiles; t++) {
            double best = s ? DBL_MAX : 0;
            for (int before = 0; s && before < cuts->tiles; before++) {
                if (before != t && !cut) continue;
                double cost = cuts->cost[(s - 1) * MOST_TILES + before] + (before == t ? 0 : change);
                if (cost >= best) continue;
                best = cost;
                cuts->from[s * MOST_TILES + t] = (int8_t)before;
            }
            cuts->cost[s * MOST_TILES + t] = best + step_cost(cuts, p->steps[s].node, cuts->tile[t]);
        }
    }
}

/* From the end back: the tile of each step, and a segment for each stretch of equal ones. */
static void take_cheapest(Cuts *cuts) {
    Program *p = cuts->p;
    int last = p->step_count - 1, t = 0, count = 0;
    for (int i = 1; i < cuts->tiles; i++)
        if (cuts->cost[last * MOST_TILES + i] < cuts->cost[last * MOST_TILES + t]) t = i;
    for (int s = last, end = p->step_count; s >= 0; s--) {
        int before = s ? cuts->from[s * MOST_TILES + t] : -1;
        if (before == t) continue;
        p->segments[count++] = (Segment){s, end, cuts->tile[t]};
        end = s;
        t = before;
    }
    for (int i = 0; i < count / 2; i++) {
        Segment other = p->segments[i];
        p->segments[i] = p->segments[count - 1 - i];
        p->segments[count - 1 - i] = other;
    }
    p->segment_count = count;
}

void choose_segments(Program *p, int batch) {
    one_segment(p, batch, batch);
    bool mixed, cut = may_cut(p, &mixed);
    if (batch == 1 || mixed || !p->step_count) return;
    Arena scratch = {.jre = p->graph->compilation->jre};
    Cuts cuts = {.p = p, .batch = batch, .weight_price = (double)p->weights * sizeof(float) <= KEPT_WEIGHTS ? share_price : memory_price};
    for (int tile = 1; tile < batch && cuts.tiles < MOST_TILES - 1; tile *= 2) cuts.tile[cuts.tiles++] = tile;
    cuts.tile[cuts.tiles++] = batch;
    cuts.crossing = arena_array(&scratch, double, p->step_count + 2);
    cuts.cost = arena_array(&scratch, double, p->step_count * MOST_TILES);
    cuts.from = arena_array(&scratch, int8_t, p->step_count * MOST_TILES);
    find_crossings(&cuts);
    find_costs(&cuts, cut);
    take_cheapest(&cuts);
    arena_free(&scratch);
}
