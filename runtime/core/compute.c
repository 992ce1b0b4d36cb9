/* compute.c: a graph in 64 bits, node by node, with the reference kernels.
 *
 * No plan, no device, no haste: for losses and other expressions whose every number is known, where digits matter more than
 * time (test chunks, checks of the fast kernels). All tensors lie row-major, each in memory of its own. */
#include <string.h>

#include "../runtime.h"

static const int64_t MOST_NUMBERS = (int64_t)1 << 27;

/* What the output needs. Operands come first, so one walk backward marks all. */
static bool *needed_nodes(const Graph *g) {
    bool *needed = arena_array(g->arena, bool, g->nodes.count + 1);
    needed[g->output->id] = true;
    for (int i = g->output->id; i >= 0; i--) {
        const Node *node = g->nodes.at[i];
        for (int k = 0; needed[i] && k < node->inputs; k++)
            if (node->in[k]) needed[node->in[k]->id] = true;
    }
    return needed;
}

static bool fits_memory(Jre *jre, const Graph *g, int batch, const bool *needed) {
    int64_t total = 0;
    for (int i = 0; i <= g->output->id; i++) {
        if (!needed[i]) continue;
        int64_t count = shape_elements(g->nodes.at[i]->shape, batch);
        if (count <= MOST_NUMBERS && (total += count) <= MOST_NUMBERS) continue;
        Diagnostic *d = diag(jre, DIAG_no_memory, origin_user_span(g->nodes.at[i]->origin), "this is too much to compute with 64 bits a number");
        diag_note(d, "at most %lld numbers are computed so, in all", (long long)MOST_NUMBERS);
        return false;
    }
    return true;
}

static bool not_given(Jre *jre, const Node *node) {
    Span span = origin_user_span(node->origin);
    if (node->op == OP_input) {
        Diagnostic *d = diag(jre, DIAG_wrong_type, span, "this depends on a picture, so it has no numbers yet");
        diag_help(d, "give it numbers instead: [[1, 2], [3, 4]]");
    } else {
        Diagnostic *d = diag(jre, DIAG_untrained_layer, span, "`%s` is learned, and nobody has trained it", node->name);
        diag_help(d, "give its numbers in the call: %s = [[..]]", node->name);
    }
    return false;
}

static bool source_numbers(Jre *jre, const Graph *g, const Node *node, int64_t count, const Map *given, WeightLibrary *weights, double *numbers) {
    if (node->op == OP_constant) {
        for (int64_t i = 0; i < count; i++) numbers[i] = constant_value(node, i);
        return true;
    }
    const double *known = given ? map_get(given, node->name ? node->name : "input") : NULL;
    if (known) {
        memcpy(numbers, known, (size_t)count * sizeof *numbers);
        return true;
    }
    if (node->op != OP_weight || !node->weights || node->weights->facts->made_up || !weights) return not_given(jre, node);
    float *values = arena_array(g->arena, float, count);
    if (!load_weight(jre, node, weights, values)) return false;
    for (int64_t i = 0; i < count; i++) numbers[i] = (double)values[i];
    return true;
}

static TensorView plain_view(const Node *node, int batch, double *numbers) {
    TensorView view = {.data = numbers, .type = KERNEL_F64, .rank = node->shape.rank};
    for (int i = 0; i < view.rank; i++) view.dim[i] = node->shape.dim[i] == DIM_BATCH ? batch : node->shape.dim[i];
    lay_row_major(&view);
    return view;
}

static bool compute_node(Jre *jre, Arena *arena, const Node *node, int batch, double *const *of) {
    TensorView in[GRAPH_INPUTS] = {{0}};
    for (int i = 0; i < node->inputs; i++)
        if (node->in[i]) in[i] = plain_view(node->in[i], batch, of[node->in[i]->id]);
    KernelCall call = node_call(node, node_chain(arena, node), plain_view(node, batch, of[node->id]), in);
    const Kernel *kernel = kernel_find(node_kernel(node), "cpu", "reference", 0, &call);
    if (!kernel) {
        diag(jre, DIAG_bug, origin_user_span(node->origin), "`%s` has no kernel for 64 bits", op_row(node->op)->name);
        return false;
    }
    kernel->run(&call, 0, kernel->units(&call));
    return !jre->interrupted;
}

bool compute_graph(Jre *jre, const Graph *g, int batch, const Map *given, WeightLibrary *weights, double **numbers) {
    const bool *needed = needed_nodes(g);
    if (!fits_memory(jre, g, batch, needed)) return false;
    double **of = arena_array(g->arena, double *, g->output->id + 1);
    for (int i = 0; i <= g->output->id; i++) {
        const Node *node = g->nodes.at[i];
        if (!needed[i]) continue;
        int64_t count = shape_elements(node->shape, batch);
        of[i] = arena_array(g->arena, double, count);
        bool source = op_row(node->op)->flags & OP_SOURCE;
        if (!(source ? source_numbers(jre, g, node, count, given, weights, of[i]) : compute_node(jre, g->arena, node, batch, of))) return false;
    }
    *numbers = of[g->output->id];
    return true;
}
