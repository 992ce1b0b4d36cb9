/* layout.c: where the numbers of a node lie, and the call that a node makes of its operands.
 *
 * Sizes and strides of a view follow from the node's shape, the batch, and whether it lies channels last; nothing here knows of
 * an executor or of a device. Operands are stretched, transposed, taken apart by their strides alone, so many nodes that
 * only move numbers are one kernel: copy. */
#include <string.h>

#include "../runtime.h"

_Static_assert((int)KERNEL_RANK == (int)GRAPH_RANK && (int)KERNEL_INPUTS == (int)GRAPH_INPUTS &&
               (int)KERNEL_ATTRIBUTES == (int)GRAPH_ATTRIBUTES, "a node fits a kernel's call");

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

KernelCall node_call(const Node *node, TensorView out, const TensorView *in) {
    KernelCall call = {.out = out, .inputs = node->inputs};
    memcpy(call.attribute, node->attribute, sizeof call.attribute);
    for (int i = 0; i < node->inputs; i++) {
        if (!node->in[i]) continue;
        call.in[i] = op_row(node->op)->flags & OP_ELEMENTWISE ? stretched(&in[i], &call.out) : in[i];
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
