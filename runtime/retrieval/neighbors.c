/* neighbors.c: the few best candidates of a query, from pieces of its scores in any order.
 *
 * Once a heap is full, a piece is looked through TILE_STEP scores at a time for one that reaches the worst it keeps, which soon is
 * seldom. Which candidates are kept is settled by score and row alone, so neither pieces nor threads change it. */
#include "../runtime.h"

#include <math.h>

static bool better(const Neighbor *a, const Neighbor *b) {
    return a->score != b->score ? a->score > b->score : a->row < b->row;
}

/* Puts `new` into the hole at `at`, below which all are worse than their parents' parents allow. */
static void sink(Neighbor *heap, int count, int at, Neighbor new) {
    for (int child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && better(&heap[child], &heap[child + 1]))
            child++;
        if (!better(&new, &heap[child]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = new;
}

static void rise(Neighbor *heap, int at, Neighbor new) {
    for (int parent; at > 0 && better(&heap[parent = (at - 1) / 2], &new); at = parent)
        heap[at] = heap[parent];
    heap[at] = new;
}

static void meet_one(Neighbors *n, Neighbor new) {
    if (n->count < n->most)
        rise(n->at, n->count++, new);
    else if (better(&new, &n->at[0]))
        sink(n->at, n->count, 0, new);
}

void neighbors_meet(Neighbors *n, const float *scores, const int *row, int count) {
    if (n->most < 1)
        return;
    for (int i = 0; i < count; i += TILE_STEP) {
        const float bar = n->count < n->most ? -INFINITY : n->at[0].score;
        int any = 0;
        for (int j = 0; j < TILE_STEP; j++)
            any |= scores[i + j] >= bar;
        for (int j = 0; any && j < TILE_STEP; j++)
            if (scores[i + j] >= bar)
                meet_one(n, (Neighbor){ scores[i + j], row[i + j] });
    }
}

/* From a heap with the worst first to a row with the best first: the worst goes last, again and again. */
void neighbors_sort(Neighbors *n) {
    for (int left = n->count - 1; left > 0; left--) {
        const Neighbor worst = n->at[0], last = n->at[left];
        sink(n->at, left, 0, last);
        n->at[left] = worst;
    }
}
