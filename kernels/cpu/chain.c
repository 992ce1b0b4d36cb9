/* chain.c: elementwise ops, one or many in a row, over tiles that stay in the first-level cache.
 *
 * Ladder, nanoseconds a number for gelu(x * scale + bias) over 25,088 numbers and over 3.2 million, one core at level 4:
 *   reference, an index at a time                                            43      105
 *   each op a pass over memory                                               1.20    5.4
 *   a machine over rows: a step's result is a row of TILE numbers that
 *   the next step finds in the cache                                         0.97    3.6
 *   short rows (a bias of 3 channels) many to a tile instead of one by one   6.8 to 2.3 for a single addition
 *
 * Operands are seen as the walk has them: one that runs along with the output is read where it lies, one that stands still
 * is a single number, any other (strided, or stretched along short rows) is gathered into a row first. Where rows are short, as
 * three channels with a bias, a tile holds many of them.
 * Contract: `out` and the operands have any strides; in place (an operand with out's data and strides) is allowed. A unit is
 * A_UNIT positions of out's memory. An op by itself is a chain of one step. */
#include "../kernels.h"

enum { A_UNIT = 16384, TILE = 512, SHORT_ROW = 129, MOST_VALUES = KERNEL_INPUTS + 1 + CHAIN_STEPS, SLOTS = CHAIN_STEPS + KERNEL_INPUTS + 5 };

/* An operand runs along with the positions of a tile, stands still, or is gathered into a slot. */
typedef enum { RUNS, STANDS, GATHERED } Way;
typedef struct { float at[TILE]; } Slot;
typedef struct { const float *at; bool still; } Value;

/* A chain made ready for one shape. */
typedef struct {
    const Chain *chain;
    Walk walk;                            /* operand 0: out; then the sources */
    float *out;
    const float *source[KERNEL_INPUTS + 1];
    Way way[WALK_OPERANDS];
    int gathered[WALK_OPERANDS];          /* the slot of an operand that is gathered */
    int result[CHAIN_STEPS];              /* the slot of a step's result */
    int spread;                           /* the first of three slots for numbers that select wants as rows */
    bool joined;                          /* a tile holds many rows */
    int64_t tile;                         /* positions at once */
    float attribute[CHAIN_STEPS][2];
} Machine;

/* ---- making one ready --------------------------------------------------------------------------------------------- */

/* Does the operand lie without gaps over all positions, or stand still over all? */
static bool lies(const Walk *walk, int operand, bool still) {
    int64_t stride = 1;
    for (int i = walk->rank - 1; i >= 0; i--) {
        if (walk->stride[operand][i] != (still ? 0 : stride)) return false;
        stride *= walk->dim[i];
    }
    return true;
}

static Way way_of(const Machine *m, int operand) {
    const int64_t step = walk_step(&m->walk, operand);
    const bool runs = m->joined ? lies(&m->walk, operand, false) : step == 1;
    const bool stands = operand > 0 && (m->joined ? lies(&m->walk, operand, true) : step == 0);
    return runs ? RUNS : stands ? STANDS : GATHERED;
}

/* A result's slot is free again once its last reader is done; that one may write where it reads. */
static int give_results(Machine *m) {
    const Chain *chain = m->chain;
    int last_use[MOST_VALUES] = {0}, unused[CHAIN_STEPS], unused_count = 0, slots = 0;
    for (int s = 0; s < chain->steps; s++)
        for (int k = 0; k < chain_operands(chain->step[s].op); k++) last_use[chain->step[s].operand[k]] = s;
    for (int s = 0; s < chain->steps; s++) {
        for (int before = 0; before < s; before++)
            if (last_use[chain->sources + before] == s) unused[unused_count++] = m->result[before];
        m->result[s] = unused_count ? unused[--unused_count] : slots++;
    }
    return slots;
}

/* The walk is finished, and out and the sources are set. */
static void make_ready(Machine *m, const Chain *chain) {
    m->chain = chain;
    m->joined = m->walk.rank > 1 && m->walk.dim[m->walk.rank - 1] < SHORT_ROW;
    int slots = give_results(m);
    m->tile = chain->steps == 1 && chain->step[0].op != CHAIN_select ? INT64_MAX : TILE;
    for (int i = 0; i <= chain->sources; i++) {
        m->way[i] = way_of(m, i);
        m->gathered[i] = m->way[i] == GATHERED ? slots++ : 0;
        if (m->way[i] == GATHERED) m->tile = TILE;
    }
    m->spread = slots;
    for (int s = 0; s < chain->steps; s++)
        for (int k = 0; k < 2; k++) m->attribute[s][k] = (float)chain->step[s].attribute[k];
}

/* ---- a tile -------------------------------------------------------------------------------------------------------- */

static void fill_row(float *out, float value, int64_t count) {
    for (int64_t i = 0; i < count; i++) out[i] = value;
}

/* Steps whose operands all stand still are computed for one place. */
static Value run_step(const Machine *m, int s, const Value *value, float *to, Slot *slot, int64_t count) {
    const ChainStep *step = &m->chain->step[s];
    const int operands = chain_operands(step->op);
    const float *in[3] = {NULL};
    unsigned still = 0, all = (1u << operands) - 1u;
    for (int k = 0; k < operands; k++) {
        in[k] = value[step->operand[k]].at;
        still |= (unsigned)value[step->operand[k]].still << k;
    }
    if (still == all) {
        float *one = slot[m->result[s]].at;
        KERNEL_LEVELED(chain_row)[step->op](one, in, 0, 1, m->attribute[s]);
        return (Value){one, true};
    }
    for (int k = 0; step->op == CHAIN_select && k < operands; k++) {
        if (!(still >> k & 1u)) continue;
        fill_row(slot[m->spread + k].at, *in[k], count);
        in[k] = slot[m->spread + k].at;
    }
    KERNEL_LEVELED(chain_row)[step->op](to, in, still, count, m->attribute[s]);
    return (Value){to, false};
}

/* value: the sources, with room for the results. */
static void run_tile(const Machine *m, Value *value, float *out, Slot *slot, int64_t count) {
    const int sources = m->chain->sources, last = m->chain->steps - 1;
    for (int s = 0; s <= last; s++)
        value[sources + s] = run_step(m, s, value, s == last ? out : slot[m->result[s]].at, slot, count);
    if (value[sources + last].still) fill_row(out, *value[sources + last].at, count);
}

/* The places of one operand alone: an odometer with one hand less to turn. */
static void seek_alone(WalkPlace *place, Walk *alone, const Machine *m, int operand, int64_t first, int64_t count) {
    walk_start(alone, m->walk.rank, m->walk.dim);
    walk_operand(alone, m->walk.stride[operand]);
    walk_seek(place, alone, first, first + count);
}

static void gather(const Machine *m, int operand, float *slot, int64_t first, int64_t count) {
    Walk alone;
    WalkPlace place;
    const int64_t step = walk_step(&m->walk, operand);
    for (seek_alone(&place, &alone, m, operand, first, count); walk_next(&place); slot += place.length) {
        const float *from = m->source[operand - 1] + place.offset[0];
        for (int64_t i = 0; i < place.length; i++) slot[i] = from[i * step];
    }
}

static void scatter(const Machine *m, const float *slot, int64_t first, int64_t count) {
    Walk alone;
    WalkPlace place;
    const int64_t step = walk_step(&m->walk, 0);
    for (seek_alone(&place, &alone, m, 0, first, count); walk_next(&place); slot += place.length) {
        float *to = m->out + place.offset[0];
        for (int64_t i = 0; i < place.length; i++) to[i * step] = slot[i];
    }
}

/* Positions first .. first+count-1, which start at these offsets. */
static void tile_at(const Machine *m, Slot *slot, int64_t first, const int64_t *offset, int64_t count) {
    Value value[MOST_VALUES];
    for (int i = 1; i <= m->chain->sources; i++) {
        value[i - 1] = (Value){m->source[i - 1] + offset[i], m->way[i] == STANDS};
        if (m->way[i] != GATHERED) continue;
        value[i - 1].at = slot[m->gathered[i]].at;
        gather(m, i, slot[m->gathered[i]].at, first, count);
    }
    float *out = m->way[0] == RUNS ? m->out + offset[0] : slot[m->gathered[0]].at;
    run_tile(m, value, out, slot, count);
    if (m->way[0] == GATHERED) scatter(m, out, first, count);
}

static void run_machine(const Machine *m, int64_t first, int64_t end) {
    Slot slot[SLOTS] __attribute__((aligned(64)));
    int64_t at = first, offset[WALK_OPERANDS] = {0};
    if (m->joined) {
        for (; at < end; at += TILE) {
            for (int i = 0; i <= m->chain->sources; i++) offset[i] = m->way[i] == RUNS ? at : 0;
            tile_at(m, slot, at, offset, end - at < TILE ? end - at : TILE);
        }
        return;
    }
    WalkPlace place;
    for (walk_seek(&place, &m->walk, first, end); walk_next(&place); at += place.length) {
        for (int64_t done = 0, count; done < place.length; done += count) {
            count = place.length - done < m->tile ? place.length - done : m->tile;
            for (int i = 0; i <= m->chain->sources; i++) offset[i] = place.offset[i] + done * walk_step(&m->walk, i);
            tile_at(m, slot, at + done, offset, count);
        }
    }
}

/* ---- behind another kernel ------------------------------------------------------------------------------------------- */

void KERNEL_LEVELED(chain_rows)(const KernelCall *call, int64_t first, int64_t rows, int64_t column, int64_t columns) {
    const TensorView *out = &call->out;
    const int inner = out->rank == 4 ? 1 : out->rank - 1;
    const TensorView *view[KERNEL_INPUTS + 1] = {out};
    int64_t dim[KERNEL_RANK], stride[KERNEL_RANK];
    Machine m = {.out = (float *)out->data + column * out->stride[inner]};
    for (int i = 0, k = 0; i < out->rank; i++)
        if (i != inner) dim[k++] = out->dim[i];
    dim[out->rank - 1] = columns;
    walk_start(&m.walk, out->rank, dim);
    for (int i = 1; i < call->chain->sources; i++) view[i] = &call->in[call->chain_first + i - 1];
    for (int i = -1; i < call->chain->sources; i++) {      /* out, and once more as source 0 */
        const TensorView *of = view[i < 0 ? 0 : i];
        for (int d = 0, k = 0; d < of->rank; d++)
            if (d != inner) stride[k++] = of->stride[d];
        stride[out->rank - 1] = of->stride[inner];
        walk_operand(&m.walk, stride);
        if (i >= 0) m.source[i] = (const float *)of->data + column * of->stride[inner];
    }
    walk_join(&m.walk);
    make_ready(&m, call->chain);
    run_machine(&m, first * columns, (first + rows) * columns);
}

/* ---- by itself ----------------------------------------------------------------------------------------------------------- */

static bool same_shape(const KernelCall *call, const TensorView *view) {
    if (view->rank != call->out.rank || view->type != KERNEL_F32) return false;
    for (int i = 0; i < view->rank; i++)
        if (view->dim[i] != call->out.dim[i] && view->stride[i] != 0) return false;
    return true;
}

static bool elementwise_fits(const KernelCall *call) {
    for (int i = 0; i < call->inputs; i++)
        if (!same_shape(call, &call->in[i])) return false;
    return call->inputs > 0;
}

static bool chain_fits(const KernelCall *call) {
    return call->chain && call->chain_first == 0 && call->chain->sources <= call->inputs && elementwise_fits(call);
}

static int64_t chain_units(const KernelCall *call) { return units_of(view_elements(&call->out), A_UNIT); }

static void run_chain(const KernelCall *call, const Chain *chain, int64_t first, int64_t end) {
    Machine m = {.out = call->out.data};
    walk_start(&m.walk, call->out.rank, call->out.dim);
    walk_operand(&m.walk, call->out.stride);
    for (int i = 0; i < chain->sources; i++) {
        walk_operand(&m.walk, call->in[i].stride);
        m.source[i] = call->in[i].data;
    }
    walk_finish(&m.walk);
    make_ready(&m, chain);
    const int64_t elements = view_elements(&call->out);
    run_machine(&m, first * A_UNIT, end * A_UNIT < elements ? end * A_UNIT : elements);
}

static void chain_run(const KernelCall *call, int64_t first, int64_t end) { run_chain(call, call->chain, first, end); }
KERNEL(chain_tiles, .op = "chain", .device = "cpu", .variant = "tiles", .type = KERNEL_F32, .preference = 10,
       .fits = chain_fits, .units = chain_units, .run = chain_run)

#define ELEMENTWISE(name, operands)                                                                                   \
    static void name##_run(const KernelCall *call, int64_t first, int64_t end) {                                      \
        const ChainStep step = {CHAIN_##name, {0, 1, 2}, {call->attribute[0], call->attribute[1]}};                   \
        const Chain chain = {.sources = operands, .steps = 1, .step = {step}};                                        \
        run_chain(call, &chain, first, end);                                                                          \
    }                                                                                                                 \
    static bool name##_fits(const KernelCall *call) { return call->inputs == (operands) && elementwise_fits(call); }  \
    KERNEL(name##_vector, .op = #name, .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,    \
           .fits = name##_fits, .units = chain_units, .run = name##_run)
ELEMENTWISE(neg, 1)
ELEMENTWISE(abs, 1)
ELEMENTWISE(exp, 1)
ELEMENTWISE(log, 1)
ELEMENTWISE(sqrt, 1)
ELEMENTWISE(sin, 1)
ELEMENTWISE(cos, 1)
ELEMENTWISE(tanh, 1)
ELEMENTWISE(sigmoid, 1)
ELEMENTWISE(erf, 1)
ELEMENTWISE(clamp, 1)
ELEMENTWISE(add, 2)
ELEMENTWISE(sub, 2)
ELEMENTWISE(mul, 2)
ELEMENTWISE(div, 2)
ELEMENTWISE(max, 2)
ELEMENTWISE(min, 2)
ELEMENTWISE(pow, 2)
ELEMENTWISE(lt, 2)
ELEMENTWISE(le, 2)
ELEMENTWISE(gt, 2)
ELEMENTWISE(ge, 2)
ELEMENTWISE(eq, 2)
ELEMENTWISE(ne, 2)
ELEMENTWISE(select, 3)
