/* walk.c: one loop nest over several strided operands.
 *
 * Contract: walk_start with a shape, walk_operand once an operand (operand 0, the output, decides the order), then
 * walk_finish. Positions are numbered in the order of operand 0's memory, so a range of positions is a range of its
 * memory when it is contiguous.
 *
 *   out [2,3,4,5] channels last, bias [1,3,1,1] stretched:  dims (n,h,w) join for both -> 40 rows of 3 */
#include "kernels.h"

void walk_start(Walk *walk, int rank, const int64_t *dim) {
    walk->rank = rank;
    walk->operands = 0;
    for (int i = 0; i < rank; i++) walk->dim[i] = dim[i];
}

void walk_operand(Walk *walk, const int64_t *stride) {
    for (int i = 0; i < walk->rank; i++) walk->stride[walk->operands][i] = stride[i];
    walk->operands++;
}

static void move_dimension(Walk *walk, int to, int from) {
    walk->dim[to] = walk->dim[from];
    for (int k = 0; k < walk->operands; k++) walk->stride[k][to] = walk->stride[k][from];
}

static void drop_single(Walk *walk) {
    int kept = 0;
    for (int i = 0; i < walk->rank; i++)
        if (walk->dim[i] != 1) move_dimension(walk, kept++, i);
    walk->rank = kept;
}

/* Insertion sort, stable: equal strides keep the order of the language. */
static void sort_by_memory(Walk *walk) {
    for (int i = 1; i < walk->rank; i++) {
        for (int j = i; j > 0 && walk->stride[0][j - 1] < walk->stride[0][j]; j--) {
            int64_t dim = walk->dim[j];
            walk->dim[j] = walk->dim[j - 1];
            walk->dim[j - 1] = dim;
            for (int k = 0; k < walk->operands; k++) {
                int64_t stride = walk->stride[k][j];
                walk->stride[k][j] = walk->stride[k][j - 1];
                walk->stride[k][j - 1] = stride;
            }
        }
    }
}

static bool joins(const Walk *walk, int outer, int inner) {
    for (int k = 0; k < walk->operands; k++)
        if (walk->stride[k][outer] != walk->stride[k][inner] * walk->dim[inner]) return false;
    return true;
}

static void join_contiguous(Walk *walk) {
    int last = 0;
    for (int i = 1; i < walk->rank; i++) {
        if (joins(walk, last, i)) {
            int64_t joined = walk->dim[last] * walk->dim[i];
            move_dimension(walk, last, i);
            walk->dim[last] = joined;
        } else {
            move_dimension(walk, ++last, i);
        }
    }
    walk->rank = last + 1;
}

void walk_join(Walk *walk) {
    drop_single(walk);
    if (walk->rank == 0) {                                 /* one element: a row of one */
        walk->rank = 1;
        walk->dim[0] = 1;
        for (int k = 0; k < walk->operands; k++) walk->stride[k][0] = 1;
        return;
    }
    join_contiguous(walk);
}

void walk_finish(Walk *walk) {
    sort_by_memory(walk);
    walk_join(walk);
}

void walk_seek(WalkPlace *place, const Walk *walk, int64_t first, int64_t end) {
    int64_t elements = 1;
    for (int i = 0; i < walk->rank; i++) elements *= walk->dim[i];
    if (end > elements) end = elements;
    *place = (WalkPlace){.walk = walk, .left = end > first ? end - first : 0};
    if (place->left == 0) return;
    for (int i = walk->rank - 1; i >= 0; i--) {
        place->index[i] = first % walk->dim[i];
        first /= walk->dim[i];
        for (int k = 0; k < walk->operands; k++) place->offset[k] += place->index[i] * walk->stride[k][i];
    }
}

/* Goes past the piece that was just done: to the end of its row, then as an odometer. */
static void advance(WalkPlace *place) {
    const Walk *walk = place->walk;
    int64_t by = place->length;
    for (int i = walk->rank - 1; i >= 0; i--) {
        place->index[i] += by;
        for (int k = 0; k < walk->operands; k++) place->offset[k] += by * walk->stride[k][i];
        if (place->index[i] < walk->dim[i]) return;
        place->index[i] = 0;
        for (int k = 0; k < walk->operands; k++) place->offset[k] -= walk->dim[i] * walk->stride[k][i];
        by = 1;
    }
}

bool walk_next(WalkPlace *place) {
    if (place->length > 0) advance(place);
    if (place->left == 0) return false;
    const Walk *walk = place->walk;
    int64_t row = walk->dim[walk->rank - 1] - place->index[walk->rank - 1];
    place->length = row < place->left ? row : place->left;
    place->left -= place->length;
    return true;
}
