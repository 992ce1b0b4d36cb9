/* place.c: what lies in whose bytes.
 *
 * Most nodes have a buffer of their own. Three kinds lie in another's:
 *
 *   a view      reshape, transpose and take whose numbers lie there already, in the same order: no step is left of them
 *   a slice     the operands of a concat, computed straight into their part of the result: no step is left of the concat
 *   in place    an elementwise op (a chain; the residual of a convolution) over an operand that nobody reads after it
 *
 * Contract: steps are in their order. Afterwards p->place says of each node in whose buffer it lies, how far behind its beginning, and
 * as what it is laid out; steps that do nothing are gone. Slices are only for ops whose kernels take and give any stride of
 * pixels; a test holds this list against the kernels. */
#include "compiler.h"

#include <string.h>

void node_strides(const Node *laid_as, bool channels_last, int64_t batch, int64_t *stride) {
    const Shape *shape = &laid_as->shape;
    int64_t step = 1, dim[GRAPH_RANK];
    for (int i = 0; i < shape->rank; i++) dim[i] = shape->dim[i] == DIM_BATCH ? batch : shape->dim[i];
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= dim[i];
    }
    if (!channels_last || shape->rank != 4) return;
    stride[1] = 1;
    stride[3] = dim[1];
    stride[2] = dim[1] * dim[3];
}

/* ---- views ------------------------------------------------------------------------------------------------------------- */

/* Dimensions of one number left out, neighbors that are one stretch of memory joined: equal for what lies in the same order. */
typedef struct { int rank; int64_t dim[GRAPH_RANK], stride[GRAPH_RANK]; } Lie;

static void add_dimension(Lie *lie, int64_t dim, int64_t stride) {
    if (dim == 1) return;
    int last = lie->rank - 1;
    if (last >= 0 && lie->stride[last] == dim * stride) {
        lie->dim[last] *= dim;
        lie->stride[last] = stride;
    } else {
        lie->dim[lie->rank] = dim;
        lie->stride[lie->rank++] = stride;
    }
}

enum { BATCH = 2 };                        /* pictures that stand for any batch */

/* How a node's numbers lie, seen through what `view` makes of it (NULL: as it is). */
static Lie lie_of(const Program *p, const Node *node, const Node *view) {
    Lie lie = {0};
    int64_t stride[GRAPH_RANK];
    node_strides(node, p->place[node->id].channels_last, BATCH, stride);
    for (int i = 0; i < node->shape.rank; i++) {
        int from = view && view->op == OP_transpose ? (int)view->attribute[i] : i;
        if (view && view->op == OP_take && i == (int)view->attribute[0]) continue;
        add_dimension(&lie, node->shape.dim[from] == DIM_BATCH ? BATCH : node->shape.dim[from], stride[from]);
    }
    return lie;
}

static bool same_lie(const Lie *a, const Lie *b) {
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i] || a->stride[i] != b->stride[i]) return false;
    return true;
}

/* The number of x that a view begins with. Where pictures come behind the dimension that is taken from, it is another for each batch. */
static int64_t view_begins(const Program *p, const Node *view, int64_t batch) {
    int64_t stride[GRAPH_RANK];
    if (view->op != OP_take) return 0;
    node_strides(view->in[0], p->place[view->in[0]->id].channels_last, batch, stride);
    return (int64_t)view->attribute[1] * stride[(int)view->attribute[0]];
}

static bool is_view(const Program *p, const Node *node) {
    if (node->op != OP_reshape && node->op != OP_transpose && node->op != OP_take) return false;
    if (p->place[node->in[0]->id].kind == PLACE_LOADED || view_begins(p, node, 1) != view_begins(p, node, BATCH)) return false;
    Lie seen = lie_of(p, node->in[0], node->op == OP_reshape ? NULL : node), own = lie_of(p, node, NULL);
    return same_lie(&seen, &own);
}

/* ---- whose bytes ----------------------------------------------------------------------------------------------------------- */

/* While buffers are joined: `in` is the node in whose numbers it lies (itself: its own buffer), `behind` how many numbers behind their
 * beginning; `last`, of a node with its own buffer: the step that reads it last. */
typedef struct { Program *p; const Node **in; int64_t *behind; int *last; bool *joined, *gone; } Joining;

static const Node *buffer_of(const Joining *j, const Node *node) {
    while (j->in[node->id] != node) node = j->in[node->id];
    return node;
}

static void join(Joining *j, const Node *node, const Node *into, int64_t behind) {
    const Node *buffer = buffer_of(j, into);
    if (j->last[node->id] > j->last[buffer->id]) j->last[buffer->id] = j->last[node->id];
    j->in[node->id] = into;
    j->behind[node->id] = behind;
    j->joined[node->id] = j->joined[into->id] = true;
}

static void join_views(Joining *j) {
    Program *p = j->p;
    for (int s = 0; s < p->step_count; s++) {
        const Node *node = p->steps[s].node;
        if (!is_view(p, node)) continue;
        join(j, node, node->in[0], view_begins(p, node, 1));
        j->gone[s] = true;
    }
}

/* Where one's numbers are, are the other's too, if the sizes are equal: a picture and what was turned to tokens may meet in one op. */
static bool laid_alike(const Program *p, const Node *a, const Node *b) { return p->place[a->id].channels_last == p->place[b->id].channels_last; }

/* Takes and gives any stride of pixels. */
static bool any_stride(const Node *node) {
    int flags = op_row(node->op)->flags;
    return node->op == OP_conv || node->op == OP_max_pool || node->op == OP_mean_pool || node->op == OP_batchnorm || (flags & (OP_ELEMENTWISE | OP_REDUCTION | OP_LAYOUT));
}

/* Everybody who reads or writes `node` takes it as a slice. */
static bool may_be_slice(const Joining *j, const Node *node, const bool *plain_reader) {
    return node != j->p->graph->input && node != j->p->graph->output && !j->joined[node->id] && any_stride(node) && !plain_reader[node->id];
}

static bool can_slice(const Joining *j, const Node *concat, const bool *plain_reader) {
    const Program *p = j->p;
    if (concat->shape.dim[0] != DIM_BATCH || concat->attribute[0] < 1) return false;
    for (int k = 0; k < concat->inputs; k++) {
        const Node *part = concat->in[k];
        if (p->place[part->id].kind != PLACE_SLAB || !laid_alike(p, part, concat) || !may_be_slice(j, part, plain_reader)) return false;
        for (int i = 0; i < k; i++)
            if (concat->in[i] == part) return false;
    }
    return true;
}

static void join_slices(Joining *j) {
    Program *p = j->p;
    bool *plain_reader = arena_array(p->graph->arena, bool, p->graph->nodes.count + 1);
    for (int s = 0; s < p->step_count; s++)
        for (int k = 0; k < p->steps[s].node->inputs; k++)
            if (p->steps[s].node->in[k] && !any_stride(p->steps[s].node)) plain_reader[p->steps[s].node->in[k]->id] = true;
    for (int s = p->step_count - 1; s >= 0; s--) {
        const Node *concat = p->steps[s].node;
        if (concat->op != OP_concat || !can_slice(j, concat, plain_reader)) continue;
        const Node *laid_as = p->place[concat->id].laid_as;
        int axis = (int)concat->attribute[0];
        int64_t stride[GRAPH_RANK], behind = 0;
        node_strides(laid_as, p->place[concat->id].channels_last, 1, stride);
        for (int k = 0; k < concat->inputs; k++) {
            const Node *part = concat->in[k];
            join(j, part, concat, behind);
            p->place[part->id].laid_as = laid_as;
            behind += part->shape.dim[axis] * stride[axis];
        }
        j->gone[s] = true;
    }
}

/* ---- in place ------------------------------------------------------------------------------------------------------------------- */

/* Operand k may be written over, number by number as it is read. */
static bool over_operand(const Node *node, int k) {
    /* What a convolution's chain reads it may read after the result was written. */
    bool residual = node->op == OP_conv && k == 3 && !(node->links && node->links->first <= k);
    return (op_row(node->op)->flags & OP_ELEMENTWISE) || residual;
}

static bool alone(const Joining *j, const Node *node, int k) {
    const Node *buffer = buffer_of(j, node->in[k]);
    for (int i = 0; i < node->inputs; i++) {
        if (!node->in[i] || i == k || j->p->place[node->in[i]->id].kind == PLACE_LOADED || buffer_of(j, node->in[i]) != buffer) continue;
        if (node->in[i] != node->in[k] || node->op == OP_conv) return false;
    }
    return true;
}

static bool in_place(const Joining *j, const Node *node, int k, int step) {
    const Program *p = j->p;
    const Node *x = node->in[k];
    if (!x || !over_operand(node, k) || p->place[x->id].kind == PLACE_LOADED || !shape_equal(x->shape, node->shape) || !laid_alike(p, x, node)) return false;
    /* What lies in parts, or is a part, stays where it is; and so does the picture of a later tile. */
    if (buffer_of(j, x) != x || p->place[x->id].laid_as != x || p->place[node->id].laid_as != node) return false;
    return j->last[x->id] == step && alone(j, node, k);
}

static void join_in_place(Joining *j) {
    for (int s = j->p->step_count - 1; s >= 0; s--) {
        const Node *node = j->p->steps[s].node;
        for (int k = 0; k < node->inputs && !j->gone[s]; k++) {
            if (!in_place(j, node, k, s)) continue;
            join(j, node->in[k], node, 0);
            break;
        }
    }
}

/* ---- the pass ------------------------------------------------------------------------------------------------------------------- */

static void note_last_reads(Joining *j) {
    const Program *p = j->p;
    for (int s = 0; s < p->step_count; s++) {
        const Node *node = p->steps[s].node;
        j->last[node->id] = s;
        for (int k = 0; k < node->inputs; k++)
            if (node->in[k]) j->last[node->in[k]->id] = s;
    }
    j->last[p->graph->output->id] = p->step_count;
}

static void drop_steps(Program *p, const bool *gone) {
    int kept = 0;
    for (int s = 0; s < p->step_count; s++)
        if (!gone[s]) p->steps[kept++] = p->steps[s];
    p->step_count = kept;
}

void place_nodes(Program *p) {
    Arena *arena = p->graph->arena;
    int nodes = p->graph->nodes.count;
    Joining j = {p, arena_array(arena, const Node *, nodes), arena_array(arena, int64_t, nodes), arena_array(arena, int, nodes), arena_array(arena, bool, nodes),
                 arena_array(arena, bool, p->step_count + 1)};
    for (int i = 0; i < nodes; i++) j.in[i] = p->place[i].laid_as = p->graph->nodes.at[i];
    note_last_reads(&j);
    join_views(&j);
    join_slices(&j);
    join_in_place(&j);
    for (int i = 0; i < nodes; i++) {
        const Node *node = p->graph->nodes.at[i];
        p->place[i].buffer = buffer_of(&j, node);
        p->place[i].behind = 0;
        for (; j.in[node->id] != node; node = j.in[node->id]) p->place[i].behind += (size_t)j.behind[node->id] * sizeof(float);
    }
    drop_steps(p, j.gone);
}
