/* schedule.c: in which order a graph runs, and how many pictures at a time.
 *
 * Nodes that depend on weights and constants only (folded batchnorms) run once, when the program is loaded; all others for each
 * batch, in the order of two (order.c) that needs less memory. place.c says what lies in whose bytes, segments.c cuts the steps into
 * segments with a tile of pictures each, memory.c finds the offsets. Says also how each tensor lies: pictures, of four dimensions,
 * channels last; tokens row-major. */
#include "compiler.h"

static void find_loaded(const Graph *g, bool *loaded) {
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        loaded[i] = node != g->input;
        for (int k = 0; k < node->inputs; k++)
            if (node->in[k] && !loaded[node->in[k]->id]) loaded[i] = false;
    }
}

/* What reads and writes pictures, [N, C, H, W]. */
static bool of_pictures(Op op) {
    return op == OP_input || op == OP_conv || op == OP_batchnorm || op == OP_max_pool || op == OP_mean_pool || op == OP_blur;
}

/* What makes tokens, [N, heads, T, d]: the last dimension is read in whole rows, as a product writes it. */
static bool of_tokens(Op op) { return op == OP_matmul || op == OP_attention || op == OP_reshape || op == OP_transpose || op == OP_take; }

/* Four dimensions are channels last, but for tokens and what is computed from them alone, until pictures are made of them again. */
static void lay_out(Program *p, const bool *loaded) {
    Graph *g = p->graph;
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        bool tokens = of_tokens(node->op), pictures = of_pictures(node->op);
        for (int k = 0; k < node->inputs && !of_tokens(node->op); k++) {
            if (!node->in[k] || node->in[k]->shape.rank != 4 || loaded[node->in[k]->id]) continue;
            if (p->place[node->in[k]->id].channels_last) pictures = true;
            else tokens = true;
        }
        p->place[i].channels_last = !loaded[i] && node->shape.rank == 4 && (pictures || !tokens);
        for (int k = 0; of_pictures(node->op) && k < node->inputs; k++)
            if (node->in[k] && !loaded[node->in[k]->id] && node->in[k]->shape.rank == 4) p->place[node->in[k]->id].channels_last = true;
    }
}

static void count_work(Program *p) {
    Graph *g = p->graph;
    for (int i = 0; i < g->nodes.count; i++)
        if (g->nodes.at[i]->op == OP_weight) p->weights += shape_elements(g->nodes.at[i]->shape, 1);
    for (int i = 0; i < p->step_count; i++) p->flops += op_flops(g->compilation, p->steps[i].node);
}

/* A program in this order, with all its buffers, one picture at a time. */
static Program *plan_order(Graph *g, const bool *loaded, bool by_memory) {
    Arena *arena = g->arena;
    Program *p = arena_new(arena, Program);
    p->graph = g;
    p->latency = g->compilation->latency;
    p->load = arena_array(arena, Step, g->nodes.count);
    p->steps = arena_array(arena, Step, g->nodes.count);
    p->segments = arena_array(arena, Segment, g->nodes.count + 1);
    p->place = arena_array(arena, Placement, g->nodes.count);
    p->input = g->input->shape;
    p->output = g->output->shape;
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        p->place[i].kind = node == g->input ? PLACE_INPUT : loaded[i] ? PLACE_LOADED : PLACE_SLAB;
        if (loaded[i] && !(op_row(node->op)->flags & OP_SOURCE)) p->load[p->load_steps++] = (Step){g->nodes.at[i]};
    }
    lay_out(p, loaded);
    p->step_count = order_steps(g, loaded, by_memory, p->steps);
    count_work(p);
    place_nodes(p);
    one_segment(p, 1, 1);
    memory_plan(p);
    return p;
}

/* Segments are chosen by what lives across them in the plan for one picture. */
void plan_batch(Program *p, int batch) {
    one_segment(p, 1, 1);
    memory_plan(p);
    choose_segments(p, batch);
    memory_plan(p);
}

Program *schedule_graph(Graph *g, int largest_batch) {
    bool *loaded = arena_array(g->arena, bool, g->nodes.count);
    find_loaded(g, loaded);
    Program *p = plan_order(g, loaded, false), *other = plan_order(g, loaded, true);
    if (other->slab_bytes < p->slab_bytes) p = other;
    plan_batch(p, largest_batch);
    return p;
}
