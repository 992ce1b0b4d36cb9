/* layout.c: where the numbers of a node lie, and the call that a node makes of its operands.
 *
 * Sizes and strides of a view follow from the node's shape, the batch, and whether it lies channels last; nothing here knows of
 * an executor or of a device. Operands are stretched, transposed, taken apart by their strides alone, so many nodes that
 * only move numbers are one kernel: copy. */
#include <string.h>

#include "../runtime.h"

_Static_assert((int)KERNEL_RANK == (int)GRAPH_RANK && (int)KERNEL_INPUTS == (int)GRAPH_INPUTS &&
               (int)KERNEL_ATTRIBUTES == (int)GRAPH_ATTRIBUTES && (int)CHAIN_STEPS == (int)GRAPH_LINKS, "a node fits a kernel's call");

void lay_row_major(TensorView *view) {
    int64_t stride = 1;
    for (int i = view->rank - 1; i >= 0; i--) {
        view->stride[i] = stride;
        stride *= view->dim[i];
    }
}

void lay_channels_last(TensorView *view) {
    const int64_t channels = view->dim[1], height = view->dim[2], width = view->dim[3];
    view->stride[0] = channels * height * width;
    view->stride[1] = 1;
    view->stride[2] = channels * width;
    view->stride[3] = channels;
}

TensorView row_major_view(Shape shape, int n, DeviceMemory memory) {
    TensorView view = {.data = (void *)memory, .type = KERNEL_F32, .rank = shape.rank};
    for (int i = 0; i < shape.rank; i++) view.dim[i] = shape.dim[i] == DIM_BATCH ? n : shape.dim[i];
    lay_row_major(&view);
    return view;
}

/* An operand as large as the result: sizes align from the right, and what is missing or 1 is stretched. */
static TensorView stretched(const TensorView *operand, const TensorView *out) {
    TensorView view = *out;
    view.data = operand->data;
    int missing = out->rank - operand->rank;
    for (int i = 0; i < out->rank; i++)
        view.stride[i] = i < missing || (operand->dim[i - missing] == 1 && out->dim[i] != 1) ? 0 : operand->stride[i - missing];
    return view;
}

static TensorView transposed(const TensorView *x, const Node *node) {
    TensorView view = *x;
    for (int i = 0; i < x->rank; i++) {
        int old = (int)node->attribute[i];
        view.dim[i] = x->dim[old];
        view.stride[i] = x->stride[old];
    }
    return view;
}

/* A reshape keeps the order of the language, so where one side lies in that order it may be seen with the other's sizes:
 * then both have equal sizes, which the copy kernels do best. Two channels-last sides keep their own. */
static void align_reshape(TensorView *in, TensorView *out) {
    TensorView *plain = view_row_major(in) ? in : view_row_major(out) ? out : NULL;
    if (!plain) return;
    const TensorView *other = plain == in ? out : in;
    plain->rank = other->rank;
    memcpy(plain->dim, other->dim, sizeof plain->dim);
    lay_row_major(plain);
}

static void drop_dimension(TensorView *view, int axis) {
    view->rank--;
    for (int i = axis; i < view->rank; i++) {
        view->dim[i] = view->dim[i + 1];
        view->stride[i] = view->stride[i + 1];
    }
}

static TensorView taken(const TensorView *x, const Node *node) {
    TensorView view = *x;
    int axis = (int)node->attribute[0];
    int64_t offset = (int64_t)node->attribute[1] * x->stride[axis];
    view.data = (char *)x->data + offset * (int64_t)(x->type == KERNEL_F64 ? sizeof(double) : sizeof(float));
    drop_dimension(&view, axis);
    return view;
}

static TensorView diagonal_of(const TensorView *x, const Node *node) {
    TensorView view = *x;
    int first = (int)node->attribute[0], second = (int)node->attribute[1];
    view.stride[first] += x->stride[second];
    drop_dimension(&view, second);
    return view;
}

/* The kernels' own names for links; a constant is a number there. */
static ChainOp chain_op(Op op) {
    enum { OP_number = OP_constant };
#define SAME(name) if ((int)op == (int)OP_##name) return CHAIN_##name;
    CHAIN_OPS(SAME)
#undef SAME
    return CHAIN_OP_COUNT;                                 /* verify.c saw to it that this is not reached */
}

const Chain *node_chain(Arena *arena, const Node *node) {
    if (!node->links) return NULL;
    Chain *chain = arena_new(arena, Chain);
    chain->sources = node->links->sources;
    chain->steps = node->links->count;
    for (int i = 0; i < chain->steps; i++) {
        const Link *link = &node->links->link[i];
        chain->step[i] = (ChainStep){chain_op(link->op), {(uint8_t)link->operand[0], (uint8_t)link->operand[1], (uint8_t)link->operand[2]},
                                     {link->attribute[0], link->attribute[1]}};
    }
    return chain;
}

KernelCall chain_behind(const KernelCall *call) {
    KernelCall behind = {.out = call->out, .in = {call->out}, .inputs = call->chain->sources, .chain = call->chain};
    for (int i = 1; i < behind.inputs; i++) behind.in[i] = call->in[call->chain_first + i - 1];
    return behind;
}

KernelCall node_call(const Node *node, const Chain *chain, TensorView out, const TensorView *in) {
    int own = node->links && node->op != OP_chain ? node->links->first : node->inputs;
    KernelCall call = {.out = out, .inputs = own, .chain = chain, .chain_first = node->op == OP_chain ? 0 : own};
    memcpy(call.attribute, node->attribute, sizeof call.attribute);
    for (int i = 0; i < node->inputs; i++) {
        if (!node->in[i]) continue;
        bool stretches = op_row(node->op)->flags & OP_ELEMENTWISE || i >= own;
        call.in[i] = stretches ? stretched(&in[i], &call.out) : in[i];
    }
    if (node->op == OP_transpose) call.in[0] = transposed(&in[0], node);
    if (node->op == OP_take) call.in[0] = taken(&in[0], node);
    if (node->op == OP_diagonal) call.in[0] = diagonal_of(&in[0], node);
    if (node->op == OP_reshape) align_reshape(&call.in[0], &call.out);
    return call;
}

const char *node_kernel(const Node *node) {
    bool moves = node->op == OP_reshape || node->op == OP_transpose || node->op == OP_take || node->op == OP_diagonal;
    return moves ? "copy" : op_row(node->op)->name;
}
