/* features.c: functions of one picture: what `builtin` means in features.jre, and gray and blur where a picture is numbers.
 *
 * An image is a tensor [3, H, W] of one picture, without a batch. What has no kernel yet leaves a node of the right size behind and
 * its name in graph->later. */
#include "compiler.h"

#include <math.h>
#include <string.h>

static Value *made(Environment *env, Node *node, const char *why, Span span) {
    if (node) return value_tensor(env->compilation, node, span);
    Diagnostic *d = diag_at_call(env, DIAG_shape_mismatch, "these sizes do not go together");
    diag_fact(d, "%s", why);
    diag_help(d, "give it a picture, or what was made of it");
    return poison(env, span);
}

static Node *constants(Environment *env, const double *numbers, Shape shape) {
    int64_t count = shape_elements(shape, 1);
    double *kept = arena_array(&env->compilation->arena, double, count);
    memcpy(kept, numbers, (size_t)count * sizeof *kept);
    return graph_constant(env->graph, shape, kept, env->origin);
}

static Node *operation(Environment *env, Op op, Node *a, Node *b, const double *attributes) {
    const char *why;
    return graph_add(env->graph, op, (Node *[]){a, b}, b ? 2 : 1, attributes, env->origin, &why);
}

/* ---- gray, blur -------------------------------------------------------------------------------------------------------- */

/* The brightness that Pillow's L has: [3, H, W] to [H, W]. */
Value *image_gray(Environment *env, Span span) {
    Value *x = parameter(env, "x");
    const Shape shape = x->node->shape;
    const double first = 1;
    Node *weights = constants(env, (const double[]){0.299, 0.587, 0.114}, (Shape){3, {3, 1, 1}});
    Node *sum = operation(env, OP_sum, operation(env, OP_mul, x->node, weights, NULL), NULL, &first);
    return value_tensor(env->compilation, graph_reshape(env->graph, sum, (Shape){2, {shape.dim[1], shape.dim[2]}}, env->origin), span);
}

/* On each channel by itself: [N, C, H, W], an image [3, H, W], or what is left of one [H, W]. */
Value *image_blur(Environment *env, Span span) {
    Value *x = parameter(env, "x");
    if (x->kind != VALUE_TENSOR) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, x->span, "a picture or a tensor was expected, this is %s", value_kind_text(x));
        diag_help(d, "give it what is to be blurred");
        return poison(env, span);
    }
    const Shape shape = x->node->shape;
    double sigma = real_parameter(env, "sigma");
    if (x->letters.count || shape.rank < 2 || shape.rank > 4) return made(env, NULL, "a blur wants [H, W], [C, H, W] or [N, C, H, W], without letters", span);
    if (shape.dim[shape.rank - 1] == DIM_BATCH || shape.dim[shape.rank - 2] == DIM_BATCH || (shape.rank == 3 && shape.dim[0] == DIM_BATCH))
        return made(env, NULL, "the pictures of a batch would be blurred into each other", span);
    if (!(sigma > 0) || sigma > 100) return made(env, NULL, "sigma is over 0 and at most 100 pixels", span);
    Shape four = {4, {1, 1, 1, 1}};
    for (int i = 0; i < shape.rank; i++) four.dim[4 - shape.rank + i] = shape.dim[i];
    const char *why;
    Node *wide = graph_reshape(env->graph, x->node, four, env->origin);
    Node *blurred = graph_add(env->graph, OP_blur, &wide, 1, &sigma, env->origin, &why);
    if (!blurred) return made(env, NULL, why, span);
    Value *v = value_tensor(env->compilation, graph_reshape(env->graph, blurred, shape, env->origin), span);
    v->image = x->image;
    return v;
}

/* ---- a whole tensor as one number ------------------------------------------------------------------------------------------ */

static Value *whole(Environment *env, Op op, Span span) {
    Value *x = parameter(env, "x");
    if (x->kind == VALUE_NUMBER) return x;
    if (x->letters.count) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, x->span, "letters are reduced by name");
        diag_help(d, "write %s over %s of ..", env->formula->name, x->letters.at[0]);
        return poison(env, span);
    }
    double axes = (double)((1 << x->node->shape.rank) - 1);
    Value *v = tensor_operation(env, op, &x, 1, &axes, span);
    if (v->kind == VALUE_TENSOR) v->node = graph_reshape(env->graph, v->node, (Shape){0}, env->origin);
    return v;
}
Value *builtin_mean(Environment *env, Span span) { return whole(env, OP_mean, span); }
Value *builtin_sum(Environment *env, Span span) { return whole(env, OP_sum, span); }

/* ---- what is measured on a coat ------------------------------------------------------------------------------------------------- */

static bool bins_of(Environment *env, int *bins) {
    *bins = (int)real_parameter(env, "bins");
    if (*bins >= 1 && *bins <= 256) return true;
    Diagnostic *d = diag(env->compilation->jre, DIAG_broken_condition, parameter(env, "bins")->span, "1 to 256 bins can be counted");
    diag_help(d, "for instance bins = 16");
    return false;
}

/* For each channel and bin the share of numbers in it: mean of low <= x < high, over three; the last bin takes 1 in. */
Value *builtin_color_histogram(Environment *env, Span span) {
    Node *x = parameter(env, "x")->node;
    int bins;
    if (!bins_of(env, &bins)) return poison(env, span);
    double low[256], high[256];
    for (int i = 0; i < bins; i++) low[i] = (double)i / bins, high[i] = (double)(i + 1) / bins;
    low[0] = -1e30, high[bins - 1] = 1e30;
    const Shape column = {3, {1, bins, 1}};
    int64_t places = x->shape.dim[1] * x->shape.dim[2];
    Node *flat = graph_reshape(env->graph, x, (Shape){3, {3, 1, places}}, env->origin);
    Node *above = operation(env, OP_ge, flat, constants(env, low, column), NULL);
    Node *below = operation(env, OP_lt, flat, constants(env, high, column), NULL);
    const double last = 4;
    Node *shares = operation(env, OP_mean, operation(env, OP_mul, above, below, NULL), NULL, &last);
    Node *third = graph_source(env->graph, OP_constant, (Shape){0}, 1.0 / 3, NULL, NULL, env->origin);
    Node *list = graph_reshape(env->graph, shares, (Shape){1, {3 * bins}}, env->origin);
    return value_tensor(env->compilation, operation(env, OP_mul, list, third, NULL), span);
}

/* A node of the right size that nobody can compute yet. */
static Value *later(Environment *env, int64_t width, Span span) {
    Graph *g = env->graph;
    if (!g->later) g->later = env->formula->name, g->later_span = origin_user_span(env->origin);
    return value_tensor(env->compilation, graph_source(g, OP_constant, (Shape){1, {width}}, 0, NULL, NULL, env->origin), span);
}

/* Filters that look at eight neighbors on a circle, between four pixels each. */
static void neighbor_filters(double radius, int side, double *filters) {
    for (int i = 0; i < 8; i++) {
        double angle = 2 * 3.14159265358979323846 * i / 8, x = radius * cos(angle), y = -radius * sin(angle);
        x = round(x * 1e5) / 1e5, y = round(y * 1e5) / 1e5;        /* on a pixel, not beside it */
        int left = (int)floor(x), top = (int)floor(y);
        for (int k = 0; k < 4; k++) {
            int column = left + k % 2, row = top + k / 2;
            double share = (k % 2 ? x - left : 1 - x + left) * (k / 2 ? y - top : 1 - y + top);
            if (share > 0) filters[(i * side + row + side / 2) * side + column + side / 2] += share;
        }
    }
}

/* Which of its eight neighbors each pixel is not brighter than: [8, places], 0 or 1. Equal but for rounding counts as equal. */
static Node *neighbors_above(Environment *env, Node *gray, double radius) {
    int side = 2 * (int)ceil(radius) + 1;
    int64_t height = gray->shape.dim[0], width = gray->shape.dim[1];
    double *filters = arena_array(&env->compilation->arena, double, 8 * side * side);
    neighbor_filters(radius, side, filters);
    double attributes[GRAPH_ATTRIBUTES] = {1, side / 2, 1, 1, -INFINITY, INFINITY};
    Node *picture = graph_reshape(env->graph, gray, (Shape){4, {1, 1, height, width}}, env->origin);
    Node *around = operation(env, OP_conv, picture, graph_constant(env->graph, (Shape){4, {8, 1, side, side}}, filters, env->origin), attributes);
    Node *lifted = operation(env, OP_add, around, constants(env, (const double[]){1e-5}, (Shape){0}), NULL);
    Node *above = operation(env, OP_ge, lifted, picture, NULL);
    return graph_reshape(env->graph, above, (Shape){2, {8, height * width}}, env->origin);
}

/* Where they change at most twice around the circle, how many there are, 0 to 8; else 9. Then the share of each. */
Value *builtin_local_binary_patterns(Environment *env, Span span) {
    double radius = real_parameter(env, "radius");
    if (!(radius >= 1 && radius <= 32)) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_broken_condition, parameter(env, "radius")->span, "neighbors lie 1 to 32 pixels away");
        diag_help(d, "for instance radius = 2px");
        return poison(env, span);
    }
    double next[64] = {0}, labels[10];
    for (int i = 0; i < 8; i++) next[8 * i + i] = 1, next[8 * i + (i + 1) % 8] = -1;
    for (int i = 0; i < 10; i++) labels[i] = i;
    const double first = 1, last = 2;
    Node *above = neighbors_above(env, image_gray(env, span)->node, radius);
    Node *steps = operation(env, OP_matmul, constants(env, next, (Shape){2, {8, 8}}), above, NULL);
    Node *changes = operation(env, OP_sum, operation(env, OP_abs, steps, NULL, NULL), NULL, &first);
    Node *few = operation(env, OP_le, changes, constants(env, (const double[]){2}, (Shape){0}), NULL);
    Node *choice[] = {few, operation(env, OP_sum, above, NULL, &first), constants(env, (const double[]){9}, (Shape){0})};
    const char *why;
    Node *label = graph_add(env->graph, OP_select, choice, 3, NULL, env->origin, &why);
    Node *shares = operation(env, OP_mean, operation(env, OP_eq, label, constants(env, labels, (Shape){2, {10, 1}}), NULL), NULL, &last);
    return value_tensor(env->compilation, graph_reshape(env->graph, shares, (Shape){1, {10}}, env->origin), span);
}

Value *builtin_spot_sizes(Environment *env, Span span) {
    int bins;
    return bins_of(env, &bins) ? later(env, bins, span) : poison(env, span);
}
