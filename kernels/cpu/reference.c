/* reference.c: every op, plainly. The oracle that the other kernels are held against, and the kernel of last resort.
 *
 * Each op is one function that computes one element of the output from its place [n, c, h, w, ...], in double, from
 * operands of either type with any strides. A unit is one element, in the order of the language. Nothing here is fast. */
#include "../kernels.h"

#include <math.h>
#include <string.h>

typedef double Element(const KernelCall *call, const int64_t *place);

static double get(const TensorView *view, int64_t offset) {
    if (view->type == KERNEL_F64) return ((const double *)view->data)[offset];
    return (double)((const float *)view->data)[offset];
}

static int64_t offset_of(const TensorView *view, const int64_t *place) {
    int64_t offset = 0;
    for (int i = 0; i < view->rank; i++) offset += place[i] * view->stride[i];
    return offset;
}

static double get_at(const TensorView *view, const int64_t *place) { return get(view, offset_of(view, place)); }

/* Place of the element `position` in the order of the language, last dimension fastest. */
static void place_of(const TensorView *view, int64_t position, int64_t *place) {
    for (int i = view->rank - 1; i >= 0; i--) {
        place[i] = position % view->dim[i];
        position /= view->dim[i];
    }
}

static int64_t position_of(const TensorView *view, const int64_t *place) {
    int64_t position = 0;
    for (int i = 0; i < view->rank; i++) position = position * view->dim[i] + place[i];
    return position;
}

static int64_t reference_units(const KernelCall *call) { return units_of(view_elements(&call->out), 1); }

/* ---- chains: behind any op, or by themselves ------------------------------------------------------------------------- */

static double clamped(double x, double low, double high) {
    x = x < low ? low : x;                                 /* a comparison with NaN is false: NaN goes through */
    return x > high ? high : x;
}

static double step_value(const ChainStep *step, double x, double y, double z) {
    switch (step->op) {
    case CHAIN_number: return step->attribute[0];
    case CHAIN_neg: return -x;
    case CHAIN_abs: return fabs(x);
    case CHAIN_exp: return exp(x);
    case CHAIN_log: return log(x);
    case CHAIN_sqrt: return sqrt(x);
    case CHAIN_sin: return sin(x);
    case CHAIN_cos: return cos(x);
    case CHAIN_tanh: return tanh(x);
    case CHAIN_sigmoid: return 1.0 / (1.0 + exp(-x));
    case CHAIN_erf: return erf(x);
    case CHAIN_clamp: return clamped(x, step->attribute[CLAMP_low], step->attribute[CLAMP_high]);
    case CHAIN_add: return x + y;
    case CHAIN_sub: return x - y;
    case CHAIN_mul: return x * y;
    case CHAIN_div: return x / y;
    case CHAIN_max: return x > y || isnan(x) ? x : y;
    case CHAIN_min: return x < y || isnan(x) ? x : y;
    case CHAIN_pow: return pow(x, y);
    case CHAIN_lt: return x < y ? 1.0 : 0.0;
    case CHAIN_le: return x <= y ? 1.0 : 0.0;
    case CHAIN_gt: return x > y ? 1.0 : 0.0;
    case CHAIN_ge: return x >= y ? 1.0 : 0.0;
    case CHAIN_eq: return x == y ? 1.0 : 0.0;
    case CHAIN_ne: return x != y ? 1.0 : 0.0;
    case CHAIN_select: return x != 0.0 ? y : z;
    case CHAIN_OP_COUNT: break;
    }
    return NAN;
}

/* value[0 ..] are the sources. */
static double run_steps(const Chain *chain, double *value) {
    for (int s = 0; s < chain->steps; s++) {
        const ChainStep *step = &chain->step[s];
        double operand[3] = {0};
        for (int k = 0; k < chain_operands(step->op); k++) operand[k] = value[step->operand[k]];
        value[chain->sources + s] = step_value(step, operand[0], operand[1], operand[2]);
    }
    return value[chain->sources + chain->steps - 1];
}

static double chained(const KernelCall *call, const int64_t *place, double own) {
    double value[KERNEL_INPUTS + 1 + CHAIN_STEPS] = {own};
    for (int i = 1; i < call->chain->sources; i++) value[i] = get_at(&call->in[call->chain_first + i - 1], place);
    return run_steps(call->chain, value);
}

static double chain_element(const KernelCall *call, const int64_t *place) {
    double value[KERNEL_INPUTS + 1 + CHAIN_STEPS];
    for (int i = 0; i < call->chain->sources; i++) value[i] = get_at(&call->in[i], place);
    return run_steps(call->chain, value);
}

static void reference(const KernelCall *call, int64_t first, int64_t end, Element *element) {
    int64_t elements = view_elements(&call->out);
    for (int64_t i = first; i < end && i < elements; i++) {
        int64_t place[KERNEL_RANK];
        place_of(&call->out, i, place);
        int64_t offset = offset_of(&call->out, place);
        double value = element(call, place);
        if (call->chain && element != chain_element) value = chained(call, place, value);
        if (call->out.type == KERNEL_F64) ((double *)call->out.data)[offset] = value;
        else ((float *)call->out.data)[offset] = (float)value;
    }
}

#define REFERENCE(name)                                                                                              \
    static void name##_run(const KernelCall *call, int64_t first, int64_t end) {                                     \
        reference(call, first, end, name##_element);                                                                 \
    }                                                                                                                \
    KERNEL(name##_reference_f32, .op = #name, .device = "cpu", .variant = "reference", .type = KERNEL_F32,           \
           .units = reference_units, .run = name##_run, .chains = true)                                              \
    KERNEL(name##_reference_f64, .op = #name, .device = "cpu", .variant = "reference", .type = KERNEL_F64,           \
           .units = reference_units, .run = name##_run, .chains = true)

/* ---- elementwise ------------------------------------------------------------------------------------------------ */

/* An op by itself is a chain of one step. */
#define ELEMENTWISE(name)                                                                                            \
    static double name##_element(const KernelCall *call, const int64_t *place) {                                     \
        const ChainStep step = {CHAIN_##name, {0}, {call->attribute[0], call->attribute[1]}};                        \
        double x[3] = {0};                                                                                           \
        for (int i = 0; i < call->inputs && i < 3; i++) x[i] = get_at(&call->in[i], place);                          \
        return step_value(&step, x[0], x[1], x[2]);                                                                  \
    }                                                                                                                \
    REFERENCE(name)

ELEMENTWISE(neg)
ELEMENTWISE(abs)
ELEMENTWISE(exp)
ELEMENTWISE(log)
ELEMENTWISE(sqrt)
ELEMENTWISE(sin)
ELEMENTWISE(cos)
ELEMENTWISE(tanh)
ELEMENTWISE(sigmoid)
ELEMENTWISE(erf)
ELEMENTWISE(clamp)
ELEMENTWISE(add)
ELEMENTWISE(sub)
ELEMENTWISE(mul)
ELEMENTWISE(div)
ELEMENTWISE(pow)
ELEMENTWISE(max)
ELEMENTWISE(min)
ELEMENTWISE(lt)
ELEMENTWISE(le)
ELEMENTWISE(gt)
ELEMENTWISE(ge)
ELEMENTWISE(eq)
ELEMENTWISE(ne)
ELEMENTWISE(select)
REFERENCE(chain)

/* ---- reductions --------------------------------------------------------------------------------------------------- */

typedef enum { SUM, MAXIMUM, MINIMUM, SQUARES, EXPONENTIALS } Reduction;          /* the last two about a center */

/* Over all places that agree with `place` outside the reduced dimensions, in the order of the language. */
static double reduced_about(const KernelCall *call, const int64_t *place, Reduction reduction, double center, int64_t *count) {
    const TensorView *x = &call->in[0];
    unsigned axes = (unsigned)call->attribute[REDUCE_axes];
    TensorView part = {.rank = x->rank};                   /* the reduced dimensions alone */
    for (int i = 0; i < x->rank; i++) part.dim[i] = axes >> i & 1u ? x->dim[i] : 1;
    *count = view_elements(&part);
    double result = reduction == MAXIMUM ? -INFINITY : reduction == MINIMUM ? INFINITY : 0.0;
    for (int64_t k = 0; k < *count; k++) {
        int64_t at[KERNEL_RANK];
        place_of(&part, k, at);
        for (int i = 0; i < x->rank; i++) at[i] += axes >> i & 1u ? 0 : place[i];
        double value = get_at(x, at);
        if (reduction == SUM) result += value;
        else if (reduction == SQUARES) result += (value - center) * (value - center);
        else if (reduction == EXPONENTIALS) result += exp(value - center);
        else if (isnan(value) || (reduction == MAXIMUM ? value > result : value < result)) result = value;
        if (isnan(result)) break;
    }
    return result;
}

static double reduced(const KernelCall *call, const int64_t *place, Reduction reduction, int64_t *count) {
    return reduced_about(call, place, reduction, 0.0, count);
}

static double sum_element(const KernelCall *call, const int64_t *place) {
    int64_t count;
    return reduced(call, place, SUM, &count);
}
REFERENCE(sum)

static double mean_element(const KernelCall *call, const int64_t *place) {
    int64_t count;
    double sum = reduced(call, place, SUM, &count);
    return sum / (double)count;
}
REFERENCE(mean)

static double max_over_element(const KernelCall *call, const int64_t *place) {
    int64_t count;
    return reduced(call, place, MAXIMUM, &count);
}
REFERENCE(max_over)

static double min_over_element(const KernelCall *call, const int64_t *place) {
    int64_t count;
    return reduced(call, place, MINIMUM, &count);
}
REFERENCE(min_over)

/* ---- products ------------------------------------------------------------------------------------------------------ */

/* Where the matrix of an operand begins: leading sizes align from the right, and 1 stretches. */
static int64_t matrix_offset(const TensorView *view, int rank, const int64_t *place) {
    int64_t offset = 0;
    for (int i = 0; i < view->rank - 2; i++)
        if (view->dim[i] != 1) offset += place[i + rank - view->rank] * view->stride[i];
    return offset;
}

static double matmul_element(const KernelCall *call, const int64_t *place) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    int rank = call->out.rank, m = a->rank - 2, p = b->rank - 1;
    int64_t row = matrix_offset(a, rank, place) + place[rank - 2] * a->stride[m];
    int64_t column = matrix_offset(b, rank, place) + place[rank - 1] * b->stride[p];
    double sum = 0.0;
    for (int64_t k = 0; k < a->dim[m + 1]; k++) sum += get(a, row + k * a->stride[m + 1]) * get(b, column + k * b->stride[p - 1]);
    return sum;
}
REFERENCE(matmul)

static double cosine_scores_element(const KernelCall *call, const int64_t *place) {
    const TensorView *a = &call->in[0], *b = &call->in[1];
    double sum = 0.0;
    for (int64_t k = 0; k < a->dim[1]; k++)
        sum += get(a, place[0] * a->stride[0] + k * a->stride[1]) * get(b, place[1] * b->stride[0] + k * b->stride[1]);
    return sum;
}
REFERENCE(cosine_scores)

static double rank_counts_element(const KernelCall *call, const int64_t *place) {
    const TensorView *scores = &call->in[0], *thresholds = &call->in[1];
    const int64_t count = thresholds->dim[0];
    double found = 0.0;
    for (int64_t i = 0; i < scores->dim[0]; i++) {
        const double score = get(scores, i * scores->stride[0]);
        int64_t below = 0, equal = 0;
        for (int64_t k = 0; k < count; k++) {
            const double threshold = get(thresholds, k * thresholds->stride[0]);
            below += threshold < score;
            equal += threshold == score;
        }
        if (place[0] == count) found += equal > 0;
        else found += below == place[0] && score >= get(thresholds, 0);
    }
    return found;
}
REFERENCE(rank_counts)

/* ---- convolution ----------------------------------------------------------------------------------------------------- */

static double conv_element(const KernelCall *call, const int64_t *place) {
    const TensorView *x = &call->in[0], *w = &call->in[1];
    int64_t stride = (int64_t)call->attribute[CONV_stride], pad = (int64_t)call->attribute[CONV_pad];
    int64_t dilation = (int64_t)call->attribute[CONV_dilation], groups = (int64_t)call->attribute[CONV_groups];
    int64_t first_channel = place[1] / (call->out.dim[1] / groups) * w->dim[1];
    double sum = 0.0;
    for (int64_t i = 0; i < w->dim[2]; i++) {
        int64_t h = place[2] * stride - pad + i * dilation;
        if (h < 0 || h >= x->dim[2]) continue;
        for (int64_t j = 0; j < w->dim[3]; j++) {
            int64_t column = place[3] * stride - pad + j * dilation;
            if (column < 0 || column >= x->dim[3]) continue;
            for (int64_t c = 0; c < w->dim[1]; c++) {
                const int64_t from[4] = {place[0], first_channel + c, h, column}, weight[4] = {place[1], c, i, j};
                sum += get_at(x, from) * get_at(w, weight);
            }
        }
    }
    if (call->inputs > 2 && call->in[2].data) sum += get(&call->in[2], place[1] * call->in[2].stride[0]);
    if (call->inputs > 3 && call->in[3].data) sum += get_at(&call->in[3], place);
    return clamped(sum, call->attribute[CONV_low], call->attribute[CONV_high]);
}
REFERENCE(conv)

/* ---- normalization, pooling, blur -------------------------------------------------------------------------------------- */

static double batchnorm_element(const KernelCall *call, const int64_t *place) {
    double parameter[4];                                   /* weight, bias, mean, variance */
    for (int i = 0; i < 4; i++) parameter[i] = get(&call->in[i + 1], place[1] * call->in[i + 1].stride[0]);
    double deviation = sqrt(parameter[3] + call->attribute[NORM_epsilon]);
    return (get_at(&call->in[0], place) - parameter[2]) / deviation * parameter[0] + parameter[1];
}
REFERENCE(batchnorm)

static double softmax_element(const KernelCall *call, const int64_t *place) {
    int64_t count;
    double top = reduced(call, place, MAXIMUM, &count);
    return exp(get_at(&call->in[0], place) - top) / reduced_about(call, place, EXPONENTIALS, top, &count);
}
REFERENCE(softmax)

/* Parameters run along the first dimension in `axes`. */
static double layer_norm_element(const KernelCall *call, const int64_t *place) {
    int axis = 0;
    while (axis < call->out.rank - 1 && !((unsigned)call->attribute[LAYER_NORM_axes] >> axis & 1u)) axis++;
    int64_t count;
    double mean = reduced(call, place, SUM, &count);
    mean /= (double)count;
    double variance = reduced_about(call, place, SQUARES, mean, &count) / (double)count;
    double value = (get_at(&call->in[0], place) - mean) / sqrt(variance + call->attribute[LAYER_NORM_epsilon]);
    if (call->inputs > 1 && call->in[1].data) value *= get(&call->in[1], place[axis] * call->in[1].stride[0]);
    if (call->inputs > 2 && call->in[2].data) value += get(&call->in[2], place[axis] * call->in[2].stride[0]);
    return value;
}
REFERENCE(layer_norm)

static double unit_element(const KernelCall *call, const int64_t *place) {
    int64_t count;
    double root = sqrt(reduced_about(call, place, SQUARES, 0.0, &count));
    return get_at(&call->in[0], place) / (root < call->attribute[UNIT_least] ? call->attribute[UNIT_least] : root);
}
REFERENCE(unit)

/* The score of query place[rank - 2] and a key. */
static double attention_score(const KernelCall *call, const int64_t *place, int64_t key) {
    const TensorView *q = &call->in[0], *k = &call->in[1], *added = &call->in[3];
    int rank = call->out.rank;
    int64_t query = matrix_offset(q, rank, place) + place[rank - 2] * q->stride[rank - 2], row = matrix_offset(k, rank, place) + key * k->stride[rank - 2];
    double sum = 0.0;
    for (int64_t d = 0; d < q->dim[rank - 1]; d++) sum += get(q, query + d * q->stride[rank - 1]) * get(k, row + d * k->stride[rank - 1]);
    sum *= call->attribute[ATTENTION_scale];
    if (call->inputs < 4 || !added->data) return sum;
    int64_t at = matrix_offset(added, rank, place);
    if (added->rank > 1 && added->dim[added->rank - 2] != 1) at += place[rank - 2] * added->stride[added->rank - 2];
    if (added->rank > 0 && added->dim[added->rank - 1] != 1) at += key * added->stride[added->rank - 1];
    return sum + get(added, at);
}

static double attention_element(const KernelCall *call, const int64_t *place) {
    const TensorView *v = &call->in[2];
    int rank = call->out.rank;
    int64_t keys = v->dim[rank - 2], column = matrix_offset(v, rank, place) + place[rank - 1] * v->stride[rank - 1];
    double top = -INFINITY, sum = 0.0, total = 0.0;
    for (int64_t key = 0; key < keys; key++) {
        double score = attention_score(call, place, key);
        if (score > top || isnan(score)) top = score;
    }
    for (int64_t key = 0; key < keys; key++) {
        double share = exp(attention_score(call, place, key) - top);
        sum += share;
        total += share * get(v, column + key * v->stride[rank - 2]);
    }
    return total / sum;
}
REFERENCE(attention)

static double pooled(const KernelCall *call, const int64_t *place, Reduction reduction) {
    const TensorView *x = &call->in[0];
    int64_t size = (int64_t)call->attribute[POOL_size], stride = (int64_t)call->attribute[POOL_stride];
    int64_t pad = (int64_t)call->attribute[POOL_pad];
    double result = reduction == MAXIMUM ? -INFINITY : 0.0;
    for (int64_t h = place[2] * stride - pad; h < place[2] * stride - pad + size; h++) {
        for (int64_t w = place[3] * stride - pad; w < place[3] * stride - pad + size; w++) {
            if (h < 0 || h >= x->dim[2] || w < 0 || w >= x->dim[3]) continue;
            const int64_t from[4] = {place[0], place[1], h, w};
            double value = get_at(x, from);
            if (reduction == SUM) result += value;
            else if (value > result || isnan(value)) result = value;
        }
    }
    return reduction == SUM ? result / (double)(size * size) : result;
}

static double max_pool_element(const KernelCall *call, const int64_t *place) { return pooled(call, place, MAXIMUM); }
REFERENCE(max_pool)

static double mean_pool_element(const KernelCall *call, const int64_t *place) { return pooled(call, place, SUM); }
REFERENCE(mean_pool)

static int64_t within(int64_t i, int64_t count) { return i < 0 ? 0 : i >= count ? count - 1 : i; }

/* Both passes at once: the weight of (i, j) is the product of two Gaussian values. No or a strange sigma blurs nothing. */
static double blur_element(const KernelCall *call, const int64_t *place) {
    const TensorView *x = &call->in[0];
    double sigma = call->attribute[BLUR_sigma];
    if (!(sigma > 0.0 && sigma < 1e6)) return get_at(x, place);
    int64_t radius = (int64_t)ceil(3.0 * sigma);
    double sum = 0.0, total = 0.0;
    for (int64_t i = -radius; i <= radius; i++) {
        for (int64_t j = -radius; j <= radius; j++) {
            double weight = exp(-0.5 * (double)(i * i) / (sigma * sigma)) * exp(-0.5 * (double)(j * j) / (sigma * sigma));
            const int64_t from[4] = {place[0], place[1], within(place[2] + i, x->dim[2]), within(place[3] + j, x->dim[3])};
            sum += weight * get_at(x, from);
            total += weight;
        }
    }
    return sum / total;
}
REFERENCE(blur)

/* ---- moving ---------------------------------------------------------------------------------------------------------------- */

static double concat_element(const KernelCall *call, const int64_t *place) {
    int axis = (int)call->attribute[CONCAT_axis], operand = 0;
    int64_t at[KERNEL_RANK];
    memcpy(at, place, sizeof at);
    while (operand < call->inputs - 1 && at[axis] >= call->in[operand].dim[axis]) at[axis] -= call->in[operand++].dim[axis];
    return get_at(&call->in[operand], at);
}
REFERENCE(concat)

static double copy_element(const KernelCall *call, const int64_t *place) {
    int64_t from[KERNEL_RANK];
    place_of(&call->in[0], position_of(&call->out, place), from);
    return get_at(&call->in[0], from);
}
REFERENCE(copy)
