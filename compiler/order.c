/* order.c: in which order the steps of a graph run.
 *
 * Depth first from the output, so that a branch is finished before the next begins and its buffers come free. Where a node has
 * several operands, the branch is first whose peak is furthest above what it leaves behind (Sethi and Ullman's rule for trees):
 *
 *   a = wide |> narrow   peak 9, leaves 1         a first: 9, then 1 + 4, so 9 in all: its peak is over before b's result is there
 *   b = middle           peak 4, leaves 3         b first: 4, then 3 + 9, so 12
 *
 * Values that several nodes read are counted for each of them, so on such graphs this is a guess; schedule.c plans both this and the
 * operands' own order and takes what needs less. Linear in nodes and operands. */
#include "compiler.h"

typedef struct { size_t *peak, *left; const bool *loaded; } Needs;

static bool counts(const Needs *needs, const Node *node) { return node && !needs->loaded[node->id]; }

/* The operands that are computed for each batch, each once; those with the largest peak above their result first, else as they are. */
static int sorted_operands(const Needs *needs, const Node *node, bool by_memory, Node **operand) {
    int count = 0;
    for (int k = 0; k < node->inputs; k++) {
        Node *in = node->in[k];
        bool twice = !counts(needs, in);
        for (int i = 0; i < count; i++) twice |= operand[i] == in;
        if (twice) continue;
        int place = count++;
        for (; by_memory && place > 0 && needs->peak[in->id] - needs->left[in->id] > needs->peak[operand[place - 1]->id] - needs->left[operand[place - 1]->id]; place--)
            operand[place] = operand[place - 1];
        operand[place] = in;
    }
    return count;
}

static void find_needs(const Graph *g, Needs *needs) {
    Node *operand[GRAPH_INPUTS];
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        if (needs->loaded[i]) continue;
        size_t held = 0, peak = 0, left = (size_t)shape_elements(node->shape, 1) * sizeof(float);
        int count = sorted_operands(needs, node, true, operand);
        for (int k = 0; k < count; k++) {
            if (held + needs->peak[operand[k]->id] > peak) peak = held + needs->peak[operand[k]->id];
            held += needs->left[operand[k]->id];
        }
        needs->left[i] = left;
        needs->peak[i] = held + left > peak ? held + left : peak;
    }
}

/* Without recursion: a network may be thousands of nodes deep. */
int order_steps(const Graph *g, const bool *loaded, bool by_memory, Step *steps) {
    int nodes = g->nodes.count, depth = 0, count = 0;
    Needs needs = {arena_array(g->arena, size_t, nodes), arena_array(g->arena, size_t, nodes), loaded};
    bool *done = arena_array(g->arena, bool, nodes);
    Node **stack = arena_array(g->arena, Node *, nodes + 1), *operand[GRAPH_INPUTS];
    if (by_memory) find_needs(g, &needs);
    if (counts(&needs, g->output)) stack[depth++] = g->output;
    while (depth) {
        Node *node = stack[depth - 1], *waiting = NULL;
        int operands = sorted_operands(&needs, node, by_memory, operand);
        for (int k = 0; k < operands && !waiting; k++)
            if (!done[operand[k]->id]) waiting = operand[k];
        if (waiting) {
            stack[depth++] = waiting;
            continue;
        }
        depth--;
        done[node->id] = true;
        if (!(op_row(node->op)->flags & OP_SOURCE)) steps[count++] = (Step){node};
    }
    return count;
}
