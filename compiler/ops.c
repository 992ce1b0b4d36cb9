/* ops.c: what ops.def says, made usable: signatures parsed by the language's own parser, shapes inferred from them. */
#include "compiler.h"

#include <math.h>
#include <string.h>

static const int64_t MOST_ELEMENTS = (int64_t)1 << 36;

static const OpRow rows[OP_COUNT] = {
#define OP(name, flags, tolerance, flops, signature) {#name, flags, tolerance, flops, signature},
#include "ops.def"
#undef OP
};

const OpRow *op_row(Op op) { return &rows[op]; }

Op op_find(const char *name) {
    for (int op = 0; op < OP_COUNT; op++)
        if (!strcmp(rows[op].name, name)) return (Op)op;
    return OP_COUNT;
}

static double default_of(const Expr *e) {
    if (!e) return 0;
    if (e->kind == EXPR_NEGATE) return -default_of(e->left);
    if (e->kind == EXPR_NAME && !strcmp(e->name, "infinity")) return INFINITY;
    return e->number;
}

static void read_params(OpSignature *signature) {
    for (int i = 0; i < signature->head->params.count; i++) {
        const Param *param = &signature->head->params.at[i];
        if (!strcmp(param->type.name, "Tensor")) {
            signature->data++;
            if (!param->fallback) signature->needed++;
        } else if (signature->attributes < GRAPH_ATTRIBUTES) {
            signature->attribute_name[signature->attributes] = param->name;
            signature->attribute_default[signature->attributes++] = default_of(param->fallback);
        }
    }
}

const OpSignature *op_signature(Compilation *c, Op op) {
    if (!c->signatures) c->signatures = arena_array(&c->arena, OpSignature, OP_COUNT);
    OpSignature *signature = &c->signatures[op];
    if (signature->head) return signature;
    const char *text = arena_print(&c->arena, "%s { builtin }", rows[op].signature);
    const char *name = arena_print(&c->arena, "operator %s", rows[op].name);
    Chunk *chunk = parse_chunk(c->jre, source_from_text(c->jre, name, text, strlen(text)));
    signature->head = chunk->statements.at[0];
    chunk = parse_chunk(c->jre, source_from_text(c->jre, name, rows[op].flops, strlen(rows[op].flops)));
    signature->flops = chunk->statements.at[0]->value;
    read_params(signature);
    return signature;
}

int op_attribute(Compilation *c, Op op, const char *name) {
    const OpSignature *signature = op_signature(c, op);
    for (int i = 0; i < signature->attributes; i++)
        if (!strcmp(signature->attribute_name[i], name)) return i;
    return -1;
}

/* Sizes align from the right, but for the last `own` ones of each; one that is missing or 1 stretches. */
static bool broadcast(Compilation *c, Node *const *in, int inputs, int own, Shape *shape, const char **why) {
    *shape = (Shape){0};
    for (int i = 0; i < inputs; i++)
        if (in[i]->shape.rank - own > shape->rank) shape->rank = in[i]->shape.rank - own;
    for (int d = 0; d < shape->rank; d++) {
        int64_t size = 1;
        for (int i = 0; i < inputs; i++) {
            int at = d - (shape->rank + own - in[i]->shape.rank);
            int64_t found = at < 0 ? 1 : in[i]->shape.dim[at];
            if (found == 1 || found == size) continue;
            if (size != 1) {
                *why = arena_print(&c->arena, "%s and %s do not align", shape_text(&c->arena, in[0]->shape), shape_text(&c->arena, in[i]->shape));
                return false;
            }
            size = found;
        }
        shape->dim[d] = size;
    }
    return true;
}

static void reduced(const Shape *from, int64_t axes, Shape *shape) {
    *shape = *from;
    for (int d = 0; d < shape->rank; d++)
        if (axes >> d & 1) shape->dim[d] = 1;
}

static bool concatenated(Compilation *c, Node *const *in, int inputs, int axis, Shape *shape, const char **why) {
    *shape = in[0]->shape;
    for (int i = 1; i < inputs; i++) {
        Shape other = in[i]->shape;
        bool fits = axis >= 0 && axis < shape->rank && other.rank == shape->rank && other.dim[axis] != DIM_BATCH && shape->dim[axis] != DIM_BATCH;
        for (int d = 0; fits && d < shape->rank; d++)
            if (d != axis && other.dim[d] != shape->dim[d]) fits = false;
        if (!fits) {
            *why = arena_print(&c->arena, "%s and %s cannot be joined", shape_text(&c->arena, *shape), shape_text(&c->arena, other));
            return false;
        }
        shape->dim[axis] += other.dim[axis];
    }
    return true;
}

static void without_dimension(Shape *shape, int axis) {
    shape->rank--;
    for (int d = axis; d < shape->rank; d++) shape->dim[d] = shape->dim[d + 1];
}

/* One place of a dimension, which is gone then. */
static bool taken(Compilation *c, const Shape *from, const double *attributes, Shape *shape, const char **why) {
    double axis = attributes[0], place = attributes[1];
    *shape = *from;
    if (!(axis >= 0 && axis < from->rank) || !(place >= 0 && place < (double)from->dim[(int)axis])) {
        *why = arena_print(&c->arena, "%s has no such place", shape_text(&c->arena, *from));
        return false;
    }
    without_dimension(shape, (int)axis);
    return true;
}

/* Two dimensions of one size become the first of them. */
static bool met(Compilation *c, const Shape *from, const double *attributes, Shape *shape, const char **why) {
    double first = attributes[0], second = attributes[1];
    *shape = *from;
    if (!(first >= 0 && first < second && second < from->rank) || from->dim[(int)first] != from->dim[(int)second] || from->dim[(int)first] == DIM_BATCH) {
        *why = arena_print(&c->arena, "%s has no such diagonal", shape_text(&c->arena, *from));
        return false;
    }
    without_dimension(shape, (int)second);
    return true;
}

/* Binds the signature's names to operands and attributes. */
static bool bind_operands(Compilation *c, Op op, Node *const *in, int inputs, const double *attributes, DimTable *table, const char **why) {
    const OpSignature *signature = op_signature(c, op);
    int operand = 0, attribute = 0;
    for (int i = 0; i < signature->head->params.count; i++) {
        const Param *param = &signature->head->params.at[i];
        if (strcmp(param->type.name, "Tensor") != 0) {
            double value = attributes[attribute++];
            dim_bind(table, param->name, fabs(value) < 9e15 ? (int64_t)ceil(value) : 0);
            continue;
        }
        Node *node = operand < inputs ? in[operand] : NULL;
        operand++;
        if (!node) continue;
        if (!dims_match(table, &param->type, node->shape, why)) {
            *why = arena_print(&c->arena, "`%s` is %s: %s", param->name, shape_text(&c->arena, node->shape), *why);
            return false;
        }
    }
    return true;
}

/* [.., M, K] x [.., K, P]: leading dimensions stretch against each other. */
static bool multiplied(Compilation *c, Node *const *in, Shape *shape, const char **why) {
    DimTable table = {.arena = &c->arena};
    if (!bind_operands(c, OP_matmul, in, 2, NULL, &table, why) || !broadcast(c, in, 2, 2, shape, why)) return false;
    if (shape->rank > GRAPH_RANK - 2) {
        *why = "more dimensions than jre computes with (6)";
        return false;
    }
    shape->dim[shape->rank++] = in[0]->shape.dim[in[0]->shape.rank - 2];
    shape->dim[shape->rank++] = in[1]->shape.dim[in[1]->shape.rank - 1];
    return true;
}

static bool by_signature(Compilation *c, Op op, Node *const *in, int inputs, const double *attributes, Shape *shape, const char **why) {
    const OpSignature *signature = op_signature(c, op);
    DimTable table = {.arena = &c->arena};
    if (!bind_operands(c, op, in, inputs, attributes, &table, why)) return false;
    for (int i = 0; i < signature->head->where.count; i++) {
        int64_t holds;
        if (!dim_evaluate(&table, signature->head->where.at[i], &holds, why)) return false;
        if (!holds) {
            *why = arena_print(&c->arena, "%s does not hold", expr_text(c->jre, signature->head->where.at[i]));
            return false;
        }
    }
    return dims_build(&table, &signature->head->result, NULL, shape, why);
}

bool shape_sound(Compilation *c, Shape shape, const char **why) {
    for (int d = 0; d < shape.rank; d++) {
        if (shape.dim[d] >= 1 || shape.dim[d] == DIM_BATCH) continue;
        *why = arena_print(&c->arena, "the result would have the size %lld", (long long)shape.dim[d]);
        return false;
    }
    if (shape_elements(shape, 1) <= MOST_ELEMENTS) return true;
    *why = arena_print(&c->arena, "the result would be %s: more numbers a picture than jre computes with", shape_text(&c->arena, shape));
    return false;
}

/* Rows along `axes`, of which there is at least one; parameters are vectors as long as the one dimension in it. */
static bool along_axes(Compilation *c, Node *const *in, int inputs, double axes, const char **why) {
    const Shape *x = &in[0]->shape;
    if (!(axes >= 1 && axes < 1 << x->rank)) {
        *why = arena_print(&c->arena, "%s has no such rows", shape_text(&c->arena, *x));
        return false;
    }
    int64_t length = 0;
    for (int d = 0; d < x->rank; d++)
        if ((int)axes >> d & 1) length = length ? -1 : x->dim[d];
    for (int i = 1; i < inputs; i++) {
        if (!in[i] || in[i]->shape.dim[0] == length) continue;
        *why = arena_print(&c->arena, "a row of %s does not go with %s", shape_text(&c->arena, *x), shape_text(&c->arena, in[i]->shape));
        return false;
    }
    return true;
}

/* What is added to the scores stretches to them, and is not larger. */
static bool added_to_scores(Compilation *c, Node *const *in, int inputs, const char **why) {
    if (inputs < 4 || !in[3]) return true;
    Shape scores = in[0]->shape, joined;
    scores.dim[scores.rank - 1] = in[1]->shape.dim[scores.rank - 2];
    Node stand_in = {.shape = scores};
    if (!broadcast(c, (Node *[]){&stand_in, in[3]}, 2, 0, &joined, why)) return false;
    if (shape_equal(joined, scores)) return true;
    *why = arena_print(&c->arena, "%s is larger than the scores, %s", shape_text(&c->arena, in[3]->shape), shape_text(&c->arena, scores));
    return false;
}

bool op_infer_shape(Compilation *c, Op op, Node *const *in, int inputs, const double *attributes, Shape *shape, const char **why) {
    *why = NULL;
    bool good;
    if (rows[op].flags & OP_ELEMENTWISE) good = broadcast(c, in, inputs, 0, shape, why);
    else if (rows[op].flags & OP_REDUCTION) reduced(&in[0]->shape, (int64_t)attributes[0], shape), good = true;
    else if (op == OP_matmul) good = multiplied(c, in, shape, why);
    else if (op == OP_concat) good = concatenated(c, in, inputs, (int)attributes[0], shape, why);
    else if (op == OP_take) good = taken(c, &in[0]->shape, attributes, shape, why);
    else if (op == OP_diagonal) good = met(c, &in[0]->shape, attributes, shape, why);
    else good = by_signature(c, op, in, inputs, attributes, shape, why);
    if (good && (op == OP_softmax || op == OP_layer_norm || op == OP_unit)) good = along_axes(c, in, inputs, attributes[0], why);
    if (good && op == OP_attention) good = added_to_scores(c, in, inputs, why);
    return good && shape_sound(c, *shape, why);
}

/* Of a chain, for one number. */
static double link_flops(Compilation *c, const Links *links) {
    DimTable table = {.arena = &c->arena};
    const char *why;
    double flops = 0;
    int64_t own;
    for (int i = 0; links && i < links->count; i++)
        if (dim_evaluate(&table, op_signature(c, links->link[i].op)->flops, &own, &why)) flops += (double)own;
    return flops;
}

double op_flops(Compilation *c, const Node *node) {
    const OpSignature *signature = op_signature(c, node->op);
    bool reduction = rows[node->op].flags & OP_REDUCTION;
    DimTable table = {.arena = &c->arena};
    const char *why;
    int64_t per_element = 1;
    if (!(rows[node->op].flags & (OP_ELEMENTWISE | OP_REDUCTION | OP_LAYOUT | OP_SOURCE)))
        bind_operands(c, node->op, node->in, node->inputs, node->attribute, &table, &why);
    if (!dim_evaluate(&table, signature->flops, &per_element, &why)) return 0;
    return (double)per_element * (double)shape_elements(reduction ? node->in[0]->shape : node->shape, 1) +
           link_flops(c, node->links) * (double)shape_elements(node->shape, 1);
}

bool op_has_slope(Op op, int operand) {
    const int flags = rows[op].flags;
    if (flags & (OP_SOURCE | OP_STEP)) return false;
    return !((flags & OP_PICKS) && operand == 0) && !((flags & OP_RUNNING) && operand >= 3);
}
