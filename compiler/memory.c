/* memory.c: where buffers lie: lifetimes to offsets in one slab.
 *
 * A buffer lives from the step that first writes into it to the last that reads it, whoever lies in it (place.c); buffers whose
 * lives do not meet may share bytes. A buffer that is read in a later segment than it is written in holds the whole batch, and lives
 * from the beginning of the one to the end of the other, since each runs once for each of its tiles. The largest are placed first, each
 * at the lowest offset where it touches no living neighbor. Smaller batches use the front of each buffer. What stays loaded is laid end to end. */
#include "compiler.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

static size_t aligned(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static size_t bytes_of(const Node *node, int pictures) { return (size_t)shape_elements(node->shape, pictures) * sizeof(float); }

static const Segment *segment_of(const Program *p, int step) {
    int i = 0;
    while (i + 1 < p->segment_count && p->segments[i].end <= step) i++;
    return &p->segments[i];
}

/* Step `step` writes or reads `node`. */
static void touch(Program *p, const Node *node, int step) {
    Placement *place = &p->place[p->place[node->id].buffer->id];
    if (place->first_step < 0 || step < place->first_step) place->first_step = step;
    if (step > place->last_step) place->last_step = step;
}

static void find_lifetimes(Program *p) {
    for (int i = 0; i < p->graph->nodes.count; i++) p->place[i].first_step = p->place[i].last_step = -1;
    touch(p, p->graph->input, 0);
    for (int s = 0; s < p->step_count; s++) {
        const Node *node = p->steps[s].node;
        touch(p, node, s);
        for (int k = 0; k < node->inputs; k++)
            if (node->in[k]) touch(p, node->in[k], s);
    }
    touch(p, p->graph->output, p->step_count);
}

/* How many pictures a buffer holds, and how long it is needed for all tiles. */
static void size_buffer(Program *p, const Node *node) {
    Placement *place = &p->place[node->id];
    const Segment *first = segment_of(p, place->first_step), *last = segment_of(p, place->last_step);
    place->whole = first != last;
    place->bytes = bytes_of(node, place->whole ? p->max_batch : first->tile);
    if (!place->whole) return;
    if (first->tile < p->max_batch) place->first_step = first->first;
    if (last->tile < p->max_batch && place->last_step < last->end) place->last_step = last->end - 1;
}

static int larger_first(const void *a, const void *b) {
    const Placement *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes) return (*x)->bytes < (*y)->bytes ? 1 : -1;
    return (*x)->first_step - (*y)->first_step;
}

static bool meet(const Placement *a, const Placement *b) { return a->first_step <= b->last_step && b->first_step <= a->last_step; }

/* Puts `wanted` among the placed ones, which are sorted by offset, at the lowest offset where it overlaps none it lives beside. */
static void place_lowest(Placement *wanted, Placement **placed, int count) {
    size_t offset = 0, bytes = aligned(wanted->bytes);
    for (int i = 0; i < count && placed[i]->offset < offset + bytes; i++) {
        size_t end = placed[i]->offset + aligned(placed[i]->bytes);
        if (end > offset && meet(wanted, placed[i])) offset = end;
    }
    wanted->offset = offset;
    int place = count;
    for (; place > 0 && placed[place - 1]->offset > offset; place--) placed[place] = placed[place - 1];
    placed[place] = wanted;
}

static void place_buffers(Program *p) {
    Arena scratch = {.jre = p->graph->compilation->jre};
    int nodes = p->graph->nodes.count, count = 0;
    Placement **buffers = arena_array(&scratch, Placement *, nodes + 1), **placed = arena_array(&scratch, Placement *, nodes + 1);
    for (int i = 0; i < nodes; i++) {
        const Node *node = p->graph->nodes.at[i];
        if (p->place[i].kind == PLACE_LOADED || p->place[i].buffer != node) continue;
        size_buffer(p, node);
        buffers[count++] = &p->place[i];
    }
    qsort(buffers, (size_t)count, sizeof *buffers, larger_first);
    for (int i = 0; i < count; i++) {
        place_lowest(buffers[i], placed, i);
        size_t end = buffers[i]->offset + aligned(buffers[i]->bytes);
        if (end > p->slab_bytes) p->slab_bytes = end;
    }
    arena_free(&scratch);
}

void memory_plan(Program *p) {
    p->slab_bytes = p->loaded_bytes = p->sum_bytes = 0;
    find_lifetimes(p);
    place_buffers(p);
    for (int i = 0; i < p->graph->nodes.count; i++) {
        const Node *node = p->graph->nodes.at[i];
        Placement *place = &p->place[i];
        const Placement *buffer = &p->place[place->buffer->id];
        if (place->kind == PLACE_LOADED) {
            place->bytes = bytes_of(node, p->max_batch);
            place->offset = p->loaded_bytes;
            p->loaded_bytes += aligned(place->bytes);
            continue;
        }
        place->whole = buffer->whole;
        if (place->buffer != node) {
            place->first_step = buffer->first_step;
            place->last_step = buffer->last_step;
            place->bytes = bytes_of(node, 1) * (buffer->bytes / bytes_of(place->buffer, 1));
            place->offset = buffer->offset + place->behind;
        }
        p->sum_bytes += aligned(place->bytes);
    }
}
