/* copy.c: concat and copy: bytes that only move.
 *
 * Ladder: reference -> rows of a walk, memcpy where both sides are contiguous; where the input runs along another
 * dimension than the output (channels last <-> row-major), squares of TILE x TILE, so that both sides use whole cache
 * lines. A reshape is the same walk once both shapes are cut into common factors.
 * Contract: any strides of f32. A unit is A_UNIT positions of out's memory; for concat of one operand's part of it. */
#include "../kernels.h"

#include <string.h>

enum { A_UNIT = 16384, TILE = 16 };

/* ---- a shape that both sides can be cut into -------------------------------------------------------------------- */

typedef struct { int64_t size, stride; } Axis;

/* Cuts both shapes into common dimensions: [6,4] and [6,2,2] become [6,2,2]. False for [2,3] and [3,2]. */
static bool common_shape(const TensorView *out, const TensorView *in, Walk *walk) {
    int64_t dim[WALK_RANK], out_stride[WALK_RANK], in_stride[WALK_RANK];
    Axis a = {1, 0}, b = {1, 0};                           /* what is left of the current dimensions, from the last on */
    int i = out->rank, j = in->rank, rank = 0;
    while (true) {
        for (; a.size == 1 && i > 0; i--) a = (Axis){out->dim[i - 1], out->stride[i - 1]};
        for (; b.size == 1 && j > 0; j--) b = (Axis){in->dim[j - 1], in->stride[j - 1]};
        if (a.size == 1 || b.size == 1) break;
        int64_t size = a.size < b.size ? a.size : b.size;
        if (size < 1 || a.size % size != 0 || b.size % size != 0 || rank == WALK_RANK) return false;
        dim[rank] = size;
        out_stride[rank] = a.stride;
        in_stride[rank++] = b.stride;
        a = (Axis){a.size / size, a.stride * size};
        b = (Axis){b.size / size, b.stride * size};
    }
    if (a.size != b.size) return false;
    walk_start(walk, rank, dim);
    walk_operand(walk, out_stride);
    walk_operand(walk, in_stride);
    walk_finish(walk);
    return true;
}

/* ---- copying -------------------------------------------------------------------------------------------------------- */

static void copy_row(float *out, int64_t out_step, const float *in, int64_t in_step, int64_t count) {
    if (out_step == 1 && in_step == 1) {
        memcpy(out, in, (size_t)count * sizeof(float));
    } else {
        for (int64_t i = 0; i < count; i++) out[i * out_step] = in[i * in_step];
    }
}

/* The dimension along which the input is contiguous, if that is not the output's own; -1: none. */
static int crossing(const Walk *walk) {
    if (walk_step(walk, 1) == 1 || walk->dim[walk->rank - 1] < TILE / 2) return -1;
    for (int i = 0; i < walk->rank - 1; i++)
        if (walk->stride[1][i] == 1 && walk->dim[i] > 1) return i;
    return -1;
}

/* Moves the crossing dimension beside the last one, so that a unit holds whole planes of both. */
static void bring_together(Walk *walk, int crossed) {
    int to = walk->rank - 2;
    Walk old = *walk;
    for (int i = crossed; i <= to; i++) {
        int from = i == to ? crossed : i + 1;
        walk->dim[i] = old.dim[from];
        for (int k = 0; k < walk->operands; k++) walk->stride[k][i] = old.stride[k][from];
    }
}

/* A whole square whose rows lie contiguous on both sides, in vectors (0.07 ns a number at level 4, 0.29 in the loops below). */
static void turn_square(float *out, int64_t out_row, const float *in, int64_t in_step) {
    for (int64_t r = 0; r < TILE; r += KERNEL_LANES) {
        for (int64_t i = 0; i < TILE; i += KERNEL_LANES) {
            Vec square[KERNEL_LANES];
            KERNEL_UNROLL(16)
            for (int k = 0; k < KERNEL_LANES; k++) square[k] = vec_load(in + r + (i + k) * in_step);
            vec_transpose(square);
            KERNEL_UNROLL(16)
            for (int k = 0; k < KERNEL_LANES; k++) vec_store(out + (r + k) * out_row + i, square[k]);
        }
    }
}

static void copy_square(float *out, int64_t out_row, int64_t out_step, const float *in, int64_t in_step, int64_t rows,
                        int64_t count) {
    if (rows == TILE && count == TILE && out_step == 1) {
        turn_square(out, out_row, in, in_step);
        return;
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < count; i++) out[r * out_row + i * out_step] = in[r + i * in_step];
}

/* `count` positions of the last dimension, each with its column of the crossing dimension. */
static void copy_plane(const Walk *walk, float *out, const float *in, int64_t count) {
    int crossed = walk->rank - 2;
    int64_t rows = walk->dim[crossed], out_row = walk->stride[0][crossed];
    int64_t out_step = walk_step(walk, 0), in_step = walk_step(walk, 1);
    for (int64_t i = 0; i < count; i += TILE) {
        int64_t width = count - i < TILE ? count - i : TILE;
        for (int64_t r = 0; r < rows; r += TILE) {
            int64_t height = rows - r < TILE ? rows - r : TILE;
            copy_square(out + r * out_row + i * out_step, out_row, out_step, in + r + i * in_step, in_step, height, width);
        }
    }
}

/* Positions are planes x last dimension here: each stands for a whole column of the crossing dimension. */
static void copy_crossing(Walk *walk, int crossed, float *out, const float *in, int64_t first, int64_t end) {
    bring_together(walk, crossed);
    Walk columns = *walk;
    int64_t rows = walk->dim[walk->rank - 2];
    columns.dim[walk->rank - 2] = 1;
    WalkPlace place;
    walk_seek(&place, &columns, (first + rows - 1) / rows, (end + rows - 1) / rows);
    while (walk_next(&place)) copy_plane(walk, out + place.offset[0], in + place.offset[1], place.length);
}

/* Rows of a few numbers that lie far apart in the input, where each lies beside that of the next row: planes become pixels of three. */
static bool few_abreast(const Walk *walk) {
    const int last = walk->rank - 1;
    return last > 0 && walk->dim[last] < TILE / 2 && walk->stride[0][last] == 1 && walk->stride[1][last - 1] == 1;
}

/* A plane after the other, SOME rows at a time so that they stay near (a picture of 224 x 224: 0.3 ns a number, 2.3 a row at a time). */
static void copy_few(const Walk *walk, float *out, const float *in, int64_t first, int64_t end) {
    enum { SOME = 512 };
    const int last = walk->rank - 1;
    const int64_t few = walk->dim[last], apart = walk->stride[1][last], step = walk->stride[0][last - 1];
    Walk rows = *walk;
    rows.rank = last;
    WalkPlace place;
    walk_seek(&place, &rows, (first + few - 1) / few, (end + few - 1) / few);
    while (walk_next(&place)) {
        for (int64_t i = 0; i < place.length; i += SOME) {
            const int64_t count = place.length - i < SOME ? place.length - i : SOME;
            for (int64_t k = 0; k < few; k++) copy_row(out + place.offset[0] + i * step + k, step, in + place.offset[1] + i + k * apart, 1, count);
        }
    }
}

static void copy_walk(Walk *walk, float *out, const float *in, int64_t first, int64_t end) {
    int crossed = crossing(walk);
    if (crossed >= 0) {
        copy_crossing(walk, crossed, out, in, first, end);
        return;
    }
    if (few_abreast(walk)) {
        copy_few(walk, out, in, first, end);
        return;
    }
    WalkPlace place;
    walk_seek(&place, walk, first, end);
    while (walk_next(&place))
        copy_row(out + place.offset[0], walk_step(walk, 0), in + place.offset[1], walk_step(walk, 1), place.length);
}

static bool copy_fits(const KernelCall *call) {
    Walk walk;
    return call->inputs == 1 && call->in[0].type == KERNEL_F32 && view_elements(&call->out) > 0 &&
           view_elements(&call->out) == view_elements(&call->in[0]) && common_shape(&call->out, &call->in[0], &walk);
}

static int64_t copy_units(const KernelCall *call) { return units_of(view_elements(&call->out), A_UNIT); }

static void copy_run(const KernelCall *call, int64_t first, int64_t end) {
    Walk walk;
    if (!common_shape(&call->out, &call->in[0], &walk)) return;
    int64_t elements = view_elements(&call->out), to = end * A_UNIT;
    copy_walk(&walk, call->out.data, call->in[0].data, first * A_UNIT, to < elements ? to : elements);
}
KERNEL(copy_vector, .op = "copy", .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,
       .fits = copy_fits, .units = copy_units, .run = copy_run)

/* ---- concat --------------------------------------------------------------------------------------------------------- */

static bool concat_fits(const KernelCall *call) {
    int axis = (int)call->attribute[CONCAT_axis];
    if (call->inputs < 1 || axis < 0 || axis >= call->out.rank) return false;
    for (int i = 0; i < call->inputs; i++)
        if (call->in[i].type != KERNEL_F32 || call->in[i].rank != call->out.rank) return false;
    return true;
}

static int64_t concat_units(const KernelCall *call) {
    int64_t units = 0;
    for (int i = 0; i < call->inputs; i++) units += units_of(view_elements(&call->in[i]), A_UNIT);
    return units;
}

static void concat_run(const KernelCall *call, int64_t first, int64_t end) {
    int axis = (int)call->attribute[CONCAT_axis];
    float *out = call->out.data;
    for (int i = 0; i < call->inputs; i++) {
        const TensorView *in = &call->in[i];
        int64_t elements = view_elements(in), units = units_of(elements, A_UNIT);
        int64_t from = first > 0 ? first : 0, to = end < units ? end : units;
        if (from < to && elements > 0) {
            Walk walk;
            walk_start(&walk, in->rank, in->dim);
            walk_operand(&walk, call->out.stride);
            walk_operand(&walk, in->stride);
            walk_finish(&walk);
            copy_walk(&walk, out, in->data, from * A_UNIT, to * A_UNIT < elements ? to * A_UNIT : elements);
        }
        out += in->dim[axis] * call->out.stride[axis];
        first -= units;
        end -= units;
    }
}
KERNEL(concat_vector, .op = "concat", .device = "cpu", .variant = "vector", .type = KERNEL_F32, .preference = 10,
       .fits = concat_fits, .units = concat_units, .run = concat_run)
