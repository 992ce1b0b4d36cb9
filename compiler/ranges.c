/* ranges.c: between which numbers the results of a graph must lie, whatever the pictures and the weights are.
 *
 *   exp(z - top) / sum over k of exp(z - top)     0 to 1
 *   unit(e) @ unit(W)'                            -1 to 1: rows of length 1 against rows of length 1
 *
 * One walk forward. Besides its lowest and highest number a tensor may know how long its rows are as vectors, which is what bounds a
 * cosine. What no rule bounds may be any number; what is never a number (0 / 0) is not thought of. */
#include "compiler.h"

#include <math.h>

static const NumberRange anything = {-INFINITY, INFINITY, 0, INFINITY};

static NumberRange between(double low, double high) { return (NumberRange){low, high, 0, INFINITY}; }
static double size_of(NumberRange r) { return fmax(fabs(r.low), fabs(r.high)); }
static bool is_only(NumberRange r, double number) { return r.low == number && r.high == number; }
static NumberRange hull(NumberRange a, NumberRange b) { return between(fmin(a.low, b.low), fmax(a.high, b.high)); }

static const Node *plain(const Node *node) {
    while (node->op == OP_reshape) node = node->in[0];
    return node;
}

/* ---- rows ----------------------------------------------------------------------------------------------------------------- */

/* The axes of an operand as those of a result that it stretches to; 0 where it stretches along one of them. */
static unsigned aligned(const Node *from, const Node *to, unsigned axes) {
    int shift = to->shape.rank - from->shape.rank;
    for (int d = 0; d < from->shape.rank; d++)
        if (axes >> d & 1 && from->shape.dim[d] != to->shape.dim[d + shift]) return 0;
    return axes << shift;
}

/* The axes after a reshape that only takes dimensions of size 1 out or puts them in; 0 after any other. */
static unsigned reshaped(const Node *node, unsigned axes) {
    const Shape *from = &node->in[0]->shape, *to = &node->shape;
    unsigned result = 0;
    int d = 0, e = 0;
    for (; d < from->rank || e < to->rank; d++, e++) {
        while (d < from->rank && from->dim[d] == 1) d++;
        while (e < to->rank && to->dim[e] == 1) e++;
        if (d == from->rank && e == to->rank) break;
        if (d == from->rank || e == to->rank || from->dim[d] != to->dim[e]) return 0;
        result |= (axes >> d & 1) << e;
    }
    return result;
}

static unsigned transposed(const Node *node, unsigned axes) {
    unsigned result = 0;
    for (int d = 0; d < node->shape.rank; d++) result |= (axes >> (int)node->attribute[d] & 1) << d;
    return result;
}

/* What is left of a row when one place of a dimension is taken is no longer than it. */
static unsigned taken(const Node *node, unsigned axes) {
    unsigned axis = (unsigned)node->attribute[0], below = (1u << axis) - 1;
    return (axes & below) | (axes >> (axis + 1) << axis);
}

static bool is_number(const NumberRange *ranges, const Node *node, double number) { return is_only(ranges[node->id], number); }

static bool squares(const NumberRange *ranges, const Node *node, const Node *x) {
    if (node->op == OP_mul) return node->in[0] == x && node->in[1] == x;
    return node->op == OP_pow && node->in[0] == x && is_number(ranges, node->in[1], 2);
}

/* What bounds a quotient x / by: by its terms, each looked at once, and once more below a root. Behind so many nobody looks any further. */
enum { MOST_TERMS = 1000 };
typedef struct { const NumberRange *ranges; const Node *x; const Shape *stands; Arena scratch; Seen seen[2]; } Cover;

/* Is `by` at least the length of each row of x (`squared`: its square), or the sum of a row that is never negative? It stands against x
 * in this shape. The axes of such a row; 0: no. */
static unsigned covers(Cover *cover, const Node *by, bool squared) {
    const NumberRange *ranges = cover->ranges;
    by = plain(by);
    if (by->op == OP_sqrt && !squared) return covers(cover, by->in[0], true);
    if (by->op == OP_max || by->op == OP_add) {
        unsigned axes = 0;
        if (cover->seen[squared].count > MOST_TERMS || !seen_first(&cover->seen[squared], &cover->scratch, by)) return 0;
        for (int i = 0; i < 2 && !axes; i++)
            if (by->op == OP_max || ranges[by->in[1 - i]->id].low >= 0) axes = covers(cover, by->in[i], squared);
        return axes;
    }
    bool whole = shape_elements(by->shape, 2) == 1 && shape_elements(*cover->stands, 2) == 1;
    if (by->op != OP_sum || !(whole || shape_equal(by->shape, *cover->stands))) return 0;
    bool sums = squared ? squares(ranges, by->in[0], cover->x) : by->in[0] == cover->x && ranges[cover->x->id].low >= 0;
    return sums ? (unsigned)by->attribute[0] : 0;
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------------------- */

/* 0 times anything is 0: a bound that is infinite is never reached. */
static double times(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

NumberRange range_product(NumberRange a, NumberRange b) {
    double corner[] = {times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)};
    NumberRange r = between(corner[0], corner[0]);
    for (int i = 1; i < 4; i++) r = hull(r, between(corner[i], corner[i]));
    return r;
}

/* m * a + (1 - m) * b with m between 0 and 1 lies between a and b. */
static bool is_mixture(const NumberRange *ranges, const Node *one, const Node *other, NumberRange *range) {
    if (one->op != OP_mul || other->op != OP_mul) return false;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            const Node *m = one->in[i], *rest = other->in[k];
            if (rest->op != OP_sub || rest->in[1] != m || !is_number(ranges, rest->in[0], 1) || ranges[m->id].low < 0 || ranges[m->id].high > 1) continue;
            *range = hull(ranges[one->in[1 - i]->id], ranges[other->in[1 - k]->id]);
            return true;
        }
    return false;
}

static NumberRange added(const Node *node, const NumberRange *ranges) {
    const Node *const *in = (const Node *const *)node->in;
    NumberRange a = ranges[in[0]->id], b = ranges[in[1]->id], r;
    if (node->op == OP_add && (is_mixture(ranges, in[0], in[1], &r) || is_mixture(ranges, in[1], in[0], &r))) return r;
    r = node->op == OP_add ? between(a.low + b.low, a.high + b.high) : between(a.low - b.high, a.high - b.low);
    unsigned axes = aligned(in[0], node, a.axes);
    if (axes && axes == aligned(in[1], node, b.axes)) r.axes = axes, r.length = a.length + b.length;
    return r;
}

static NumberRange multiplied(const Node *node, const NumberRange *ranges) {
    NumberRange a = ranges[node->in[0]->id], b = ranges[node->in[1]->id], r = range_product(a, b);
    if (node->in[0] == node->in[1]) r.low = a.low > 0 ? a.low * a.low : a.high < 0 ? a.high * a.high : 0;
    for (int i = 0; i < 2 && !r.axes; i++) {
        NumberRange own = i ? b : a, other = i ? a : b;
        unsigned axes = aligned(node->in[i], node, own.axes);
        if (axes && isfinite(size_of(other))) r.axes = axes, r.length = own.length * size_of(other);
    }
    return r;
}

static NumberRange divided(const Node *node, const NumberRange *ranges, Jre *jre) {
    const Node *x = node->in[0], *by = node->in[1];
    NumberRange a = ranges[x->id], b = ranges[by->id], r = anything;
    if (b.low > 0 || b.high < 0) r = range_product(a, between(1 / b.high, 1 / b.low));
    Cover cover = {.ranges = ranges, .x = x, .stands = &by->shape, .scratch = {.jre = jre}};
    unsigned axes = covers(&cover, by, false);
    arena_free(&cover.scratch);
    if (axes) return (NumberRange){a.low >= 0 ? 0 : -1, a.high <= 0 ? 0 : 1, axes, 1};
    axes = aligned(x, node, a.axes);
    double least = fmin(fabs(b.low), fabs(b.high));
    if (axes && (b.low > 0 || b.high < 0)) r.axes = axes, r.length = a.length / least;
    return r;
}

static NumberRange powered(const Node *node, const NumberRange *ranges) {
    NumberRange a = ranges[node->in[0]->id], e = ranges[node->in[1]->id];
    bool whole = e.low == e.high && e.low == floor(e.low) && e.low > 0, even = whole && fmod(e.low, 2) == 0;
    if (is_only(e, 0)) return between(1, 1);
    if (even) return between(a.low > 0 ? pow(a.low, e.low) : a.high < 0 ? pow(a.high, e.low) : 0, pow(size_of(a), e.low));
    if (whole || (e.low == e.high && e.low > 0 && a.low >= 0)) return between(pow(a.low, e.low), pow(a.high, e.low));
    return a.low >= 0 ? between(0, INFINITY) : anything;
}

static NumberRange compared(const Node *node, const NumberRange *ranges) {
    NumberRange a = ranges[node->in[0]->id], b = ranges[node->in[1]->id];
    bool below = a.high < b.low, above = a.low > b.high, at_most = a.high <= b.low, at_least = a.low >= b.high;
    bool always = node->op == OP_lt ? below : node->op == OP_le ? at_most : node->op == OP_gt ? above : node->op == OP_ge ? at_least : node->op == OP_ne && (below || above);
    bool never = node->op == OP_lt ? at_least : node->op == OP_le ? above : node->op == OP_gt ? at_most : node->op == OP_ge ? below : node->op == OP_eq && (below || above);
    return between(always, !never);
}

static NumberRange selected(const Node *node, const NumberRange *ranges) {
    NumberRange test = ranges[node->in[0]->id], a = ranges[node->in[1]->id], b = ranges[node->in[2]->id];
    return is_only(test, 1) ? a : is_only(test, 0) ? b : hull(a, b);
}

static NumberRange constant(const Node *node) {
    int64_t count = shape_elements(node->shape, 1);
    NumberRange r = between(constant_value(node, 0), constant_value(node, 0));
    if (!node->values) return hull(r, between(constant_value(node, count - 1), constant_value(node, count - 1)));
    for (int64_t i = 1; i < count; i++) r = hull(r, between(node->values[i], node->values[i]));
    return r;
}

/* ---- functions, reductions, products ------------------------------------------------------------------------------------------ */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double root(double x) { return x > 0 ? sqrt(x) : 0; }
static double logarithm(double x) { return x > 0 ? log(x) : -INFINITY; }

/* Of those that only rise. NULL: it is none. */
static double (*rising(Op op))(double x) {
    static const struct { Op op; double (*f)(double x); } known[] = {
        {OP_exp, exp}, {OP_log, logarithm}, {OP_sqrt, root}, {OP_tanh, tanh}, {OP_sigmoid, sigmoid}, {OP_erf, erf},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].op == op) return known[i].f;
    return NULL;
}

/* Rows against rows: at most the product of their lengths. */
static NumberRange summed(const Node *node, const NumberRange *ranges) {
    const Node *x = node->in[0];
    NumberRange a = ranges[x->id];
    double count = 1;
    for (int d = 0; d < x->shape.rank; d++)
        if ((int)node->attribute[0] >> d & 1) count *= x->shape.dim[d] == DIM_BATCH ? INFINITY : (double)x->shape.dim[d];
    NumberRange r = between(times(count, a.low), times(count, a.high));
    if (x->op != OP_mul && x->op != OP_pow) return r;
    const Node *p = x->in[0], *q = x->op == OP_pow && is_number(ranges, x->in[1], 2) ? p : x->in[1];
    unsigned axes = aligned(p, x, ranges[p->id].axes);
    if (!axes || axes != (unsigned)node->attribute[0] || axes != aligned(q, x, ranges[q->id].axes)) return r;
    double most = ranges[p->id].length * ranges[q->id].length;
    return between(fmax(r.low, -most), fmin(r.high, most));
}

static NumberRange matrix_product(const Node *node, const NumberRange *ranges) {
    const Node *p = node->in[0], *q = node->in[1];
    NumberRange a = ranges[p->id], b = ranges[q->id];
    int64_t count = p->shape.dim[p->shape.rank - 1];
    double most = count == DIM_BATCH ? INFINITY : (double)count * times(size_of(a), size_of(b));
    if (a.axes == 1u << (p->shape.rank - 1) && b.axes == 1u << (q->shape.rank - 2)) most = fmin(most, a.length * b.length);
    return between(a.low >= 0 && b.low >= 0 ? 0 : -most, most);
}

static NumberRange moved(const Node *node, const NumberRange *ranges) {
    NumberRange r = ranges[node->in[0]->id];
    unsigned axes = node->op == OP_reshape ? reshaped(node, r.axes) : node->op == OP_transpose ? transposed(node, r.axes) : node->op == OP_take ? taken(node, r.axes) : 0;
    double length = axes ? r.length : INFINITY;
    for (int i = 1; i < node->inputs; i++) r = hull(r, ranges[node->in[i]->id]);
    r.axes = axes, r.length = length;
    return r;
}

static NumberRange range_of(const Node *node, const NumberRange *ranges, Jre *jre) {
    NumberRange a = node->inputs && node->in[0] ? ranges[node->in[0]->id] : anything, b = node->inputs > 1 && node->in[1] ? ranges[node->in[1]->id] : anything;
    double (*f)(double x) = rising(node->op);
    if (f) return between(f(a.low), f(a.high));
    if (op_row(node->op)->flags & OP_STEP) return compared(node, ranges);
    if (op_row(node->op)->flags & OP_LAYOUT) return moved(node, ranges);
    switch (node->op) {
    case OP_constant: return constant(node);
    case OP_neg: return (NumberRange){-a.high, -a.low, a.axes, a.length};
    case OP_abs: return between(a.low > 0 ? a.low : a.high < 0 ? -a.high : 0, size_of(a));
    case OP_sin: case OP_cos: return between(-1, 1);
    case OP_add: case OP_sub: return added(node, ranges);
    case OP_mul: return multiplied(node, ranges);
    case OP_div: return divided(node, ranges, jre);
    case OP_pow: return powered(node, ranges);
    case OP_max: return between(fmax(a.low, b.low), fmax(a.high, b.high));
    case OP_min: return between(fmin(a.low, b.low), fmin(a.high, b.high));
    case OP_clamp: return between(fmin(fmax(a.low, node->attribute[0]), node->attribute[1]), fmin(fmax(a.high, node->attribute[0]), node->attribute[1]));
    case OP_select: return selected(node, ranges);
    case OP_sum: return summed(node, ranges);
    case OP_mean: case OP_max_over: case OP_min_over: case OP_max_pool: case OP_blur: return between(a.low, a.high);
    case OP_mean_pool: return hull(between(a.low, a.high), between(0, 0));      /* it counts 0 outside of the picture */
    case OP_softmax: return (NumberRange){0, 1, (unsigned)node->attribute[0], 1};
    case OP_unit: return (NumberRange){-1, 1, (unsigned)node->attribute[0], 1};
    case OP_matmul: return matrix_product(node, ranges);
    default: return anything;
    }
}

const NumberRange *graph_ranges(const Graph *g) {
    NumberRange *ranges = arena_array(g->arena, NumberRange, g->nodes.count + 1);
    for (int i = 0; i < g->nodes.count; i++) {
        NumberRange r = g->nodes.at[i]->links ? anything : range_of(g->nodes.at[i], ranges, g->arena->jre);
        ranges[i] = r.low <= r.high ? r : anything;
    }
    return ranges;
}
