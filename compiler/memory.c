/* memory.c: where buffers lie: lifetimes to offsets in one slab.
 *
 * A buffer lives from the step that writes it to the last that reads it; buffers whose lives do not meet may share bytes. The
 * largest are placed first, each at the lowest offset where it touches no living neighbor. Offsets are planned for the
 * largest batch; smaller ones use the front of each buffer. What stays loaded is laid end to end. */
#include "compiler.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

static size_t aligned(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static void find_lifetimes(Program *p) {
    for (int i = 0; i < p->graph->nodes.count; i++) p->place[i].first_step = p->place[i].last_step = -1;
    for (int s = 0; s < p->step_count; s++) {
        const Node *node = p->steps[s].node;
        p->place[node->id].first_step = p->place[node->id].last_step = s;
        for (int k = 0; k < node->inputs; k++)
            if (node->in[k]) p->place[node->in[k]->id].last_step = s;
    }
    p->place[p->graph->output->id].last_step = p->step_count;
    p->place[p->graph->input->id].first_step = 0;
}

static int larger_first(const void *a, const void *b) {
    const Placement *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes) return (*x)->bytes < (*y)->bytes ? 1 : -1;
    return (*x)->first_step - (*y)->first_step;
}

static bool meet(const Placement *a, const Placement *b) { return a->first_step <= b->last_step && b->first_step <= a->last_step; }

/* The lowest offset where `wanted` overlaps none of the placed ones it lives beside. */
static size_t lowest_gap(const Placement *wanted, Placement *const *placed, int count) {
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < count; i++) {
            const Placement *other = placed[i];
            bool overlap = offset < other->offset + aligned(other->bytes) && other->offset < offset + aligned(wanted->bytes);
            if (!overlap || !meet(wanted, other)) continue;
            offset = other->offset + aligned(other->bytes);
            moved = true;
        }
    }
    return offset;
}

void memory_plan(Program *p) {
    Graph *g = p->graph;
    find_lifetimes(p);
    p->slab_bytes = p->loaded_bytes = p->sum_bytes = 0;
    Placement **slab = arena_array(g->arena, Placement *, g->nodes.count + 1);
    int count = 0;
    for (int i = 0; i < g->nodes.count; i++) {
        Placement *place = &p->place[i];
        if (place->kind == PLACE_LOADED) {
            place->offset = p->loaded_bytes;
            p->loaded_bytes += aligned(place->bytes);
        } else {
            slab[count++] = place;
            p->sum_bytes += aligned(place->bytes);
        }
    }
    qsort(slab, (size_t)count, sizeof *slab, larger_first);
    for (int i = 0; i < count; i++) {
        slab[i]->offset = lowest_gap(slab[i], slab, i);
        size_t end = slab[i]->offset + aligned(slab[i]->bytes);
        if (end > p->slab_bytes) p->slab_bytes = end;
    }
}
