/* split.c: which pictures are judged together, and which never may be on two sides (LANGUAGE 3.10, Splits).
 *
 * Individuals come by falling count, then by name; the units of each by falling size, then by a draw; each unit goes whole to
 * the part where a/A + b/B is least, then to the lowest (a, b: pictures there of the individual, of all; A, B: the part's
 * share times their number). A unit that several individuals have in common is placed with the first of them.
 *
 * By shares a part other than that for training takes a unit only where this brings it nearer to its share of the pictures met so far:
 * an individual of three units would otherwise give one to each of [80%, 10%, 10%], and small parts would grow to twice their size. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>

/* ---- what belongs together -------------------------------------------------------------------------------------------------------- */

static int root_of(int *parent, int i) {
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

void ties_start(int *parent, int n) {
    for (int i = 0; i < n; i++)
        parent[i] = i;
}

void ties_join(int *parent, int a, int b) {
    int first = root_of(parent, a), second = root_of(parent, b);
    if (first < second)
        parent[second] = first;
    else
        parent[first] = second;
}

int ties_units(int *parent, int n, int *unit) {
    int units = 0;
    for (int i = 0; i < n; i++)           /* the root is the first picture of its unit, so it has its number already */
        unit[i] = parent[i] == i ? units++ : unit[root_of(parent, i)];
    return units;
}

int near_duplicate_units(Jre *jre, const uint64_t *hash, int n, int within, int *unit) {
    Arena scratch = { .jre = jre };
    int *parent = arena_array(&scratch, int, n + 1), *near = arena_array(&scratch, int, n + 1);
    ties_start(parent, n);
    for (int i = 0; i < n; i++)
        for (int k = near_after(hash, n, i, within, near) - 1; k >= 0; k--)
            ties_join(parent, i, near[k]);
    int units = ties_units(parent, n, unit);
    arena_free(&scratch);
    return units;
}

/* ---- splits --------------------------------------------------------------------------------------------------------------------- */

enum { NOT_PLACED = -2 };

/* Pictures of one individual in one unit; sorted by individual, then unit. */
typedef struct { int identity, unit, pictures; } Holding;
typedef struct { int identity, pictures, first, end; } Individual;       /* first .. end: its holdings */
typedef struct { int unit, pictures; uint32_t draw; } Turn;

typedef struct {
    Arena scratch;
    const SplitTask *task;
    Holding *holdings; int holding_count;
    int *by_unit, *unit_first;            /* holdings of unit u: by_unit[unit_first[u] .. unit_first[u + 1]-1] */
    Individual *individuals; int individual_count;
    int *part_of_unit;
    int *there;                           /* [part]: pictures of all */
    int *own_there;                       /* [identity * parts + part] */
    int movable, met;                     /* pictures of individuals that are not for training as a whole; .. of those met so far */
} Split;

static int compare_holdings(const void *a, const void *b) {
    const Holding *x = a, *y = b;
    if (x->identity != y->identity)
        return x->identity < y->identity ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static int compare_individuals(const void *a, const void *b) {
    const Individual *x = a, *y = b;
    if (x->pictures != y->pictures)
        return x->pictures > y->pictures ? -1 : 1;
    return (x->identity > y->identity) - (x->identity < y->identity);
}

static int compare_turns(const void *a, const void *b) {
    const Turn *x = a, *y = b;
    if (x->pictures != y->pictures)
        return x->pictures > y->pictures ? -1 : 1;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

/* Pictures without an individual are taken as those of one more. */
static void find_holdings(Split *s, int n, const int *identity, int identities, const int *unit) {
    Holding *each = arena_array(&s->scratch, Holding, n + 1);
    for (int i = 0; i < n; i++)
        each[i] = (Holding){
            .identity = identity[i] < 0 || identity[i] >= identities ? identities : identity[i], .unit = unit[i], .pictures = 1
        };
    qsort(each, (size_t)n, sizeof *each, compare_holdings);
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (count && compare_holdings(&each[count - 1], &each[i]) == 0)
            each[count - 1].pictures++;
        else
            each[count++] = each[i];
    }
    s->holdings = each;
    s->holding_count = count;
}

static void find_individuals(Split *s) {
    s->individuals = arena_array(&s->scratch, Individual, s->holding_count + 1);
    for (int h = 0; h < s->holding_count; h++) {
        const Holding *holding = &s->holdings[h];
        Individual *last = s->individual_count ? &s->individuals[s->individual_count - 1] : NULL;
        if (!last || last->identity != holding->identity) {
            last = &s->individuals[s->individual_count++];
            *last = (Individual){ .identity = holding->identity, .first = h };
        }
        last->pictures += holding->pictures;
        last->end = h + 1;
    }
    qsort(s->individuals, (size_t)s->individual_count, sizeof *s->individuals, compare_individuals);
}

static void list_by_unit(Split *s, int units) {
    s->unit_first = arena_array(&s->scratch, int, units + 2);
    s->by_unit = arena_array(&s->scratch, int, s->holding_count + 1);
    for (int h = 0; h < s->holding_count; h++)
        s->unit_first[s->holdings[h].unit + 2]++;
    for (int u = 1; u <= units; u++)
        s->unit_first[u + 1] += s->unit_first[u];
    for (int h = 0; h < s->holding_count; h++)            /* the counts move up by one place and become the starts */
        s->by_unit[s->unit_first[s->holdings[h].unit + 1]++] = h;
}

static int unit_pictures(const Split *s, int unit) {
    int pictures = 0;
    for (int k = s->unit_first[unit]; k < s->unit_first[unit + 1]; k++)
        pictures += s->holdings[s->by_unit[k]].pictures;
    return pictures;
}

static int *own_there(const Split *s, int identity) {
    return s->own_there + (size_t)identity * (size_t)s->task->parts;
}

/* By shares: is a part nearer to its share with these pictures than without? What is for training takes all that is left. */
static bool has_room(const Split *s, int part, int pictures) {
    const SplitTask *task = s->task;
    if (task->way == SPLIT_BY_FOLDS || part == task->training)
        return true;
    return s->there[part] + pictures / 2.0 <= task->share[part] * task->n * s->met / s->movable;
}

static int least_full(const Split *s, const Individual *individual, int pictures) {
    const SplitTask *task = s->task;
    int best = task->way == SPLIT_BY_FOLDS ? 0 : task->training;
    double least = INFINITY;
    for (int part = 0; part < task->parts; part++) {
        double own = task->share[part] * individual->pictures, all = task->share[part] * task->n;
        if (!(own > 0) || !has_room(s, part, pictures))
            continue;                     /* a part without a share gets nothing */
        double filled = own_there(s, individual->identity)[part] / own + s->there[part] / all;
        if (filled < least) {
            least = filled;
            best = part;
        }
    }
    return best;
}

static void place_unit(Split *s, int unit, int part) {
    s->part_of_unit[unit] = part;
    for (int k = s->unit_first[unit]; part >= 0 && k < s->unit_first[unit + 1]; k++) {
        const Holding *holding = &s->holdings[s->by_unit[k]];
        own_there(s, holding->identity)[part] += holding->pictures;
        s->there[part] += holding->pictures;
    }
}

/* Only units come first, so that no individual with many units places one that is all another has. */
static void place_only_units(Split *s) {
    const SplitTask *task = s->task;
    for (int i = 0; i < s->individual_count; i++) {
        const Individual *individual = &s->individuals[i];
        int unit = s->holdings[individual->first].unit;
        bool trains = task->shared && individual->end - individual->first == 1;
        s->movable += trains ? 0 : individual->pictures;
        if (trains && s->part_of_unit[unit] == NOT_PLACED)
            place_unit(s, unit, task->way == SPLIT_BY_FOLDS ? ALWAYS_TRAINING : task->training);
    }
}

static void place_individual(Split *s, const Individual *individual, Turn *turns) {
    const SplitTask *task = s->task;
    Random random = random_stream(task->seed, "split", "", (uint64_t)individual->identity);
    int count = 0;
    for (int h = individual->first; h < individual->end; h++) {
        const Holding *holding = &s->holdings[h];
        uint32_t draw = random_word(&random);
        if (s->part_of_unit[holding->unit] == NOT_PLACED)
            turns[count++] = (Turn){ .unit = holding->unit, .pictures = unit_pictures(s, holding->unit), .draw = draw };
    }
    qsort(turns, (size_t)count, sizeof *turns, compare_turns);
    bool trains = task->shared && task->way == SPLIT_BY_SHARES && !own_there(s, individual->identity)[task->training];
    for (int t = 0; t < count; t++)
        place_unit(s, turns[t].unit, trains && t == 0 ? task->training : least_full(s, individual, turns[t].pictures));
}

void split_assign(Jre *jre, const SplitTask *task, int *part_of) {
    Split s = { .scratch = { .jre = jre }, .task = task };
    find_holdings(&s, task->n, task->identity, task->identities, task->unit);
    find_individuals(&s);
    list_by_unit(&s, task->units);
    s.there = arena_array(&s.scratch, int, task->parts + 1);
    s.own_there = arena_array(&s.scratch, int, ((size_t)task->identities + 1) * (size_t)task->parts);
    s.part_of_unit = arena_array(&s.scratch, int, task->units + 1);
    for (int u = 0; u < task->units; u++)
        s.part_of_unit[u] = NOT_PLACED;
    place_only_units(&s);
    Turn *turns = arena_array(&s.scratch, Turn, s.holding_count + 1);
    for (int i = 0; i < s.individual_count; i++) {
        const Individual *individual = &s.individuals[i];
        if (!task->shared || individual->end - individual->first > 1)
            s.met += individual->pictures;
        place_individual(&s, individual, turns);
    }
    for (int i = 0; i < task->n; i++)
        part_of[i] = s.part_of_unit[task->unit[i]];
    arena_free(&s.scratch);
}
