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

Program *schedule_graph(Graph *g, int max_batch) {
    Arena *arena = g->arena;
    Program *p = arena_new(arena, Program);
    p->graph = g;
    p->max_batch = max_batch;
    p->load = arena_array(arena, Step, g->nodes.count);
    p->steps = arena_array(arena, Step, g->nodes.count);
    p->place = arena_array(arena, Placement, g->nodes.count);
    p->input = g->input->shape;
    p->output = g->output->shape;
    bool *loaded = arena_array(arena, bool, g->nodes.count);
    split_steps(p, loaded);
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        p->place[i] = (Placement){
            .kind = node == g->input ? PLACE_INPUT : loaded[i] ? PLACE_LOADED : PLACE_SLAB,
            .channels_last = !loaded[i] && node->shape.rank == 4,
            .bytes = (size_t)shape_elements(node->shape, max_batch) * sizeof(float),
        };
    }
    count_work(p);
    Text canonical = {.jre = g->compilation->jre};
    graph_print(g, &canonical, true);
    p->key = key_of_text(g->compilation, canonical.at);
    text_free(&canonical);
    memory_plan(p);
    return p;
}
