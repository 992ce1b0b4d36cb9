/* schedule.c: in which order a graph runs.
 *
 * Nodes that depend on weights and constants only (folded batchnorms) run once, when the program is loaded; all others for each
 * batch, in the graph's own order: depth first from the output, so that a branch is finished before the next begins and
 * its buffers come free. Says also how each tensor lies: activations of four dimensions channels last. */
#include "compiler.h"

#include <string.h>

static void split_steps(Program *p, bool *loaded) {
    Graph *g = p->graph;
    for (int i = 0; i < g->nodes.count; i++) {
        Node *node = g->nodes.at[i];
        bool source = op_row(node->op)->flags & OP_SOURCE;
        loaded[i] = node != g->input;
        for (int k = 0; k < node->inputs; k++)
            if (node->in[k] && !loaded[node->in[k]->id]) loaded[i] = false;
        if (source) continue;
        Step step = {node};
        if (loaded[i]) p->load[p->load_steps++] = step;
        else p->steps[p->step_count++] = step;
    }
}

static void count_work(Program *p) {
    Graph *g = p->graph;
    for (int i = 0; i < g->nodes.count; i++)
        if (g->nodes.at[i]->op == OP_weight) p->weights += shape_elements(g->nodes.at[i]->shape, 1);
    for (int i = 0; i < p->step_count; i++) p->flops += op_flops(g->compilation, p->steps[i].node);
}

static void place_buffers(Program *p, int batch) {
    p->max_batch = batch;
    for (int i = 0; i < p->graph->nodes.count; i++)
        p->place[i].bytes = (size_t)shape_elements(p->graph->nodes.at[i]->shape, batch) * sizeof(float);
    memory_plan(p);
}

/* As many pictures at once as have their buffers in 4 MiB: more would only be written to memory and read back. Sixteen pictures of
 * mobilenetv2 in such tiles: 242 a second instead of 172 on one thread, 470 instead of 327 on two; squeezenet 321 instead of 222,
 * 562 instead of 408. A static choice, and no number depends on it. */
static void choose_batch(Program *p, int largest) {
    enum { TILE_BYTES = 4 << 20 };
    place_buffers(p, 1);
    int64_t fits = TILE_BYTES / (int64_t)(p->slab_bytes ? p->slab_bytes : 1);
    int batch = fits < 1 ? 1 : fits < largest ? (int)fits : largest;
    if (batch > 1) place_buffers(p, batch);
}

Program *schedule_graph(Graph *g, int largest_batch) {
    Arena *arena = g->arena;
    Program *p = arena_new(arena, Program);
    p->graph = g;
    p->load = arena_array(arena, Step, g->nodes.count);
    p->steps = arena_array(arena, Step, g->nodes.count);
    p->place = arena_array(arena, Placement, g->nodes.count);
    p->input = g->input->shape;
    p->output = g->output->shape;
    bool *loaded = arena_array(arena, bool, g->nodes.count);
    split_steps(p, loaded);
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        p->place[i].kind = node == g->input ? PLACE_INPUT : loaded[i] ? PLACE_LOADED : PLACE_SLAB;
        p->place[i].channels_last = !loaded[i] && node->shape.rank == 4;
    }
    count_work(p);
    choose_batch(p, largest_batch);
    return p;
}
