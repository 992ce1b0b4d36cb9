/* neighbors.c: the few best candidates of a query, from pieces of its scores in any order.
 *
 * Scores that reach the bar are put in a row; when it is full, the `most` best of it are chosen and the worst of them becomes the bar, so
 * that soon a piece is looked through TILE_STEP scores at a time for nothing. Tried: a heap of `most`, which costs 100 ns for each of
 * the 700 scores that the best 100 of 50,000 see come and go; a row of twice as many costs a sixth of that.
 * Contract: which candidates are kept is settled by score and row alone, so neither pieces nor threads change it. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>

static bool better(const Neighbor *a, const Neighbor *b) {
    return a->score != b->score ? a->score > b->score : a->row < b->row;
}

static void swap(Neighbor *a, Neighbor *b) {
    const Neighbor held = *a;
    *a = *b;
    *b = held;
}

/* The `most` best of from .. end-1 come first, in no order. No two are equal: rows differ. */
static void choose(Neighbor *at, int from, int end, int most) {
    while (end - from > 1) {
        const int middle = from + (end - from) / 2;
        if (better(&at[middle], &at[from]))
            swap(&at[middle], &at[from]);
        if (better(&at[end - 1], &at[from]))
            swap(&at[end - 1], &at[from]);
        if (better(&at[end - 1], &at[middle]))
            swap(&at[end - 1], &at[middle]);
        const Neighbor pivot = at[middle];
        int i = from, j = end - 1;
        while (i <= j) {
            while (better(&at[i], &pivot))
                i++;
            while (better(&pivot, &at[j]))
                j--;
            if (i <= j)
                swap(&at[i++], &at[j--]);
        }
        if (most <= j)
            end = j + 1;
        else if (most >= i)
            from = i;
        else
            return;
    }
}

static void keep_best(Neighbors *n) {
    if (n->count <= n->most)
        return;
    choose(n->at, 0, n->count, n->most);
    n->count = n->most;
    n->bar = INFINITY;
    for (int i = 0; i < n->count; i++)
        n->bar = n->at[i].score < n->bar ? n->at[i].score : n->bar;
}

int neighbors_room(int most) {
    return 2 * most + TILE_STEP;
}

void neighbors_meet(Neighbors *n, const float *scores, const int *row, int count) {
    for (int i = 0; i < count; i += TILE_STEP) {
        int any = 0;
        for (int j = 0; j < TILE_STEP; j++)
            any |= scores[i + j] >= n->bar;
        if (!any)
            continue;
        if (n->count + TILE_STEP > neighbors_room(n->most))
            keep_best(n);
        for (int j = 0; j < TILE_STEP; j++)
            if (scores[i + j] >= n->bar)
                n->at[n->count++] = (Neighbor){ scores[i + j], row[i + j] };
    }
}

static int by_rank(const void *a, const void *b) {
    return better(a, b) ? -1 : better(b, a);
}

void neighbors_finish(Neighbors *n) {
    keep_best(n);
    qsort(n->at, (size_t)n->count, sizeof *n->at, by_rank);
}
