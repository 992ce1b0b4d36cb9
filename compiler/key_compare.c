/* key_compare.c: what differs between two keys, for `jre why`.
 *
 * Trees are walked together from the root; parts of equal hash are passed over, so the way down is as long as the reason is deep. Leaves
 * are held against each other by name, in order: one that only one side has was added or taken away. A graph follows from the rest
 * of its tree, so it is asked only where nothing else differs, and for the first node only: all behind it is renumbered. */
#include "compiler.h"

#include <string.h>

typedef struct {
    Jre *jre; Arena *arena;
    const KeySource *source;
    KeyDifferences *found;
    NameList path;
    int depth;
} Walk;

enum { DEEPEST = 200 };                                           /* of what a damaged store may say */

const char *key_place(Jre *jre, Arena *arena, const KeyLeaf *leaf) {
    Place place = place_of(jre, leaf->span.start);
    if (leaf->place || !leaf->span.end || !place.source) return leaf->place;
    return place.source->path ? arena_print(arena, "%s:%d", place.source->name, place.line) : place.source->name;      /* --set */
}

static void add(Walk *walk, const char *name, const char *old, const char *now, const KeyLeaf *written) {
    KeyDifference difference = {.name = name, .old = old, .now = now, .place = written ? key_place(walk->jre, walk->arena, written) : NULL};
    for (int i = 0; i < walk->path.count; i++) list_add(walk->arena, &difference.path, walk->path.at[i]);
    list_add(walk->arena, walk->found, difference);
}

static bool same_leaf(const KeyLeaf *a, const KeyLeaf *b) { return !strcmp(a->name, b->name) && !strcmp(a->value, b->value); }

typedef struct { const KeyLeaf *at, *end; } Leaves;

static bool holds_name(Leaves leaves, const char *name) {
    for (; leaves.at < leaves.end; leaves.at++)
        if (!strcmp(leaves.at->name, name)) return true;
    return false;
}

/* Which side's leaf the other has not: -1 the old one's, 1 the new one's, 0 they stand for each other. A leaf that is followed by what the
 * other side has here came or went: a row more in a table is one difference. */
static int lacking(Leaves old, Leaves now) {
    if (old.at == old.end) return 1;
    if (now.at == now.end) return -1;
    if (strcmp(old.at->name, now.at->name) != 0) return holds_name(now, old.at->name) ? 1 : -1;
    if (same_leaf(old.at, now.at)) return 0;
    if (old.at + 1 < old.end && same_leaf(old.at + 1, now.at)) return -1;
    return now.at + 1 < now.end && same_leaf(old.at, now.at + 1) ? 1 : 0;
}

static void compare_leaves(Walk *walk, Leaves old, Leaves now) {
    while (old.at < old.end || now.at < now.end) {
        int side = lacking(old, now);
        if (side < 0) add(walk, old.at->name, old.at->value, NULL, NULL);
        else if (side > 0) add(walk, now.at->name, NULL, now.at->value, now.at);
        else if (!same_leaf(old.at, now.at)) add(walk, now.at->name, old.at->value, now.at->value, now.at);
        old.at += side <= 0;
        now.at += side >= 0;
    }
}

/* The part of `old` that stands where this one stands now: of equal content, of equal name, of equal kind; -1: none. */
static int counterpart(const KeyTree *old, const KeyTree *part, const bool *taken) {
    size_t kind = strcspn(part->name, " ");
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < old->parts.count; i++) {
            const KeyTree *other = old->parts.at[i];
            bool same = round == 0 ? !strcmp(other->hash, part->hash) : round == 1 ? !strcmp(other->name, part->name)
                        : strcspn(other->name, " ") == kind && !strncmp(other->name, part->name, kind);
            if (same && !taken[i]) return i;
        }
    return -1;
}

static void compare_trees(Walk *walk, const KeyTree *old, const KeyTree *now);

static void compare_parts(Walk *walk, const KeyTree *old, const KeyTree *now, bool graphs) {
    bool *taken = arena_array(walk->arena, bool, old->parts.count + 1);
    for (int i = 0; i < now->parts.count; i++) {
        const KeyTree *part = now->parts.at[i];
        int other = counterpart(old, part, taken);
        if (other >= 0) taken[other] = true;
        if ((!strcmp(part->name, "graph") != graphs) || (other >= 0 && !strcmp(old->parts.at[other]->hash, part->hash))) continue;
        if (other < 0) add(walk, part->name, NULL, part->hash, NULL);
        else compare_trees(walk, old->parts.at[other], part);
    }
    for (int i = 0; i < old->parts.count; i++)
        if (!taken[i] && !strcmp(old->parts.at[i]->name, "graph") == graphs) add(walk, old->parts.at[i]->name, old->parts.at[i]->hash, NULL, NULL);
}

static void compare_trees(Walk *walk, const KeyTree *old, const KeyTree *now) {
    const KeyTree *opened = old->folded ? walk->source->find(walk->source->context, old->hash) : old;
    int before = walk->found->count;
    if (walk->depth == DEEPEST) return;
    list_add(walk->arena, &walk->path, now->name);
    walk->depth++;
    if (!opened || opened->folded) {
        add(walk, now->name, old->hash, now->hash, NULL);          /* what the old one was made of is gone */
    } else {
        compare_leaves(walk, (Leaves){opened->told.at, opened->told.at + opened->told.count}, (Leaves){now->told.at, now->told.at + now->told.count});
        compare_leaves(walk, (Leaves){opened->leaves.at, opened->leaves.at + opened->leaves.count}, (Leaves){now->leaves.at, now->leaves.at + now->leaves.count});
        compare_parts(walk, opened, now, false);
        if (walk->found->count == before) compare_parts(walk, opened, now, true);
        if (!strcmp(now->name, "graph") && walk->found->count > before + 1) {
            walk->found->at[before].further = walk->found->count - before - 1;
            walk->found->count = before + 1;
        }
    }
    walk->depth--;
    walk->path.count--;
}

void key_compare(Jre *jre, Arena *arena, const KeyTree *old, const KeyTree *now, const KeySource *source, KeyDifferences *differences) {
    Walk walk = {.jre = jre, .arena = arena, .source = source, .found = differences};
    if (strcmp(old->hash, now->hash) != 0) compare_trees(&walk, old, now);
}
