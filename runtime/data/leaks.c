/* leaks.c: pictures that belong together and that a split puts on two sides, or that two parts have in common.
 *
 * In: a dataset with perceptual hashes, a split of it. Out: LeakFacts: for pictures of one burst (by a column or by time) and for
 * pictures nearly alike, how many of one side have one on another, and an example; individuals on two sides. Every picture lies on
 * one side; what is held out is examined with all other sides as its training. Bursts cost a sort, near-duplicates a count of bits a pair. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>

/* Of more sides (a column with a value for each picture) only totals are told. */
enum { MOST_SIDES = 64 };

typedef struct {
    const Dataset *dataset;
    Arena scratch;
    int *side_of;                         /* [picture]; -1: takes no part */
    NameList names;                       /* of the sides; by folds: empty */
    int folds, sides;                     /* by folds the last side is in training always */
    int *size;                            /* [side]: pictures */
} Sides;

/* What is counted for one kind of tie. */
typedef struct {
    const Sides *sides;
    int64_t pairs;
    int *torn;                            /* [side * sides + other]: pictures of `side` that have one in `other`; NULL: too many sides */
    bool *any;                            /* [picture]: it has one on some other side */
} Tally;

/* ---- sides ---------------------------------------------------------------------------------------------------------------------- */

static bool sides_of(Sides *sides, Jre *jre, const SplitPlan *split, int member) {
    const Dataset *dataset = sides->dataset;
    const SplitParts *parts = dataset_parts(jre, dataset, split, member);
    if (!parts) return false;
    sides->folds = split->folds;
    sides->names = parts->names;
    sides->sides = split->folds ? split->folds + 1 : parts->names.count;
    sides->side_of = arena_array(&sides->scratch, int, dataset->count + 1);
    sides->size = arena_array(&sides->scratch, int, sides->sides + 1);
    for (int i = 0; i < dataset->count; i++) {
        int part = parts->part_of[i];
        sides->side_of[i] = part == IN_NO_PART ? -1 : part == ALWAYS_TRAINING ? split->folds : part;
        if (sides->side_of[i] >= 0) sides->size[sides->side_of[i]]++;
    }
    return true;
}

static bool on_two_sides(const Sides *sides, int a, int b) {
    return sides->side_of[a] != sides->side_of[b] && sides->side_of[a] >= 0 && sides->side_of[b] >= 0;
}

static Tally tally_new(Sides *sides) {
    Tally tally = {.sides = sides, .any = arena_array(&sides->scratch, bool, sides->dataset->count + 1)};
    if (sides->sides <= MOST_SIDES) tally.torn = arena_array(&sides->scratch, int, sides->sides * sides->sides);
    return tally;
}

/* ---- what is told of a tally ---------------------------------------------------------------------------------------------- */

static void keep_parts(TornPairs *told, TornParts parts) {
    int place = told->part_count < MOST_PARTS_TOLD ? told->part_count++ : MOST_PARTS_TOLD;
    for (; place > 0; place--) {
        const TornParts *before = &told->parts[place - 1];
        if ((int64_t)before->torn * parts.of >= (int64_t)parts.torn * before->of) break;
        if (place < MOST_PARTS_TOLD) told->parts[place] = *before;
    }
    if (place < MOST_PARTS_TOLD) told->parts[place] = parts;
}

static bool is_training(const char *name) { return !strcmp(name, "train"); }

/* Of two sides the one that is examined with help of the other: not `train`, else that of which more are helped. The worst first. */
static void tell_sides(const Tally *tally, TornPairs *told) {
    const Sides *sides = tally->sides;
    for (int a = 0; a < sides->sides; a++)
        for (int b = 0; b < a; b++) {
            TornParts one = {sides->names.at[a], sides->names.at[b], tally->torn[a * sides->sides + b], sides->size[a], false};
            TornParts other = {sides->names.at[b], sides->names.at[a], tally->torn[b * sides->sides + a], sides->size[b], false};
            bool first = is_training(other.part) || (!is_training(one.part) && (int64_t)one.torn * other.of > (int64_t)other.torn * one.of);
            if (one.torn) keep_parts(told, first ? one : other);
        }
}

static void tell_tally(const Tally *tally, TornPairs *told) {
    const Sides *sides = tally->sides;
    told->pairs = tally->pairs;
    if (!tally->pairs) return;
    if (!sides->folds && tally->torn) {
        tell_sides(tally, told);
        return;
    }
    TornParts all = {.elsewhere = !sides->folds};
    for (int i = 0; i < sides->dataset->count; i++) {
        bool examined = sides->side_of[i] >= 0 && (!sides->folds || sides->side_of[i] < sides->folds);
        all.of += examined;
        all.torn += examined && tally->any[i];
    }
    told->parts[told->part_count++] = all;
}

static TornPicture torn_picture(const Sides *sides, int picture, int fold) {
    const Picture *p = &sides->dataset->pictures[picture];
    return (TornPicture){.file = p->file, .individual = p->identity, .part = sides->folds ? NULL : sides->names.at[sides->side_of[picture]], .fold = fold};
}

/* First the picture that is examined. */
static TornPair torn_pair(const Sides *sides, int a, int b) {
    bool turned = sides->folds ? sides->side_of[a] == sides->folds : is_training(sides->names.at[sides->side_of[a]]);
    int first = turned ? b : a, second = turned ? a : b, fold = sides->folds ? sides->side_of[first] + 1 : 0;
    return (TornPair){.first = torn_picture(sides, first, fold), .second = torn_picture(sides, second, fold)};
}

/* ---- bursts by a column or by time ------------------------------------------------------------------------------------------- */

typedef struct { int burst, side, picture; } Frame;

static int by_burst(const void *a, const void *b) {
    const Frame *x = a, *y = b;
    if (x->burst != y->burst) return x->burst < y->burst ? -1 : 1;
    if (x->side != y->side) return x->side < y->side ? -1 : 1;
    return (x->picture > y->picture) - (x->picture < y->picture);
}

/* Bursts numbered by their first picture; a picture without a value is none. */
static int list_frames(Sides *sides, const DatasetPlan *plan, Frame *frames) {
    Map numbers = {0};
    int count = 0;
    for (int i = 0; i < sides->dataset->count; i++) {
        const Picture *picture = &sides->dataset->pictures[i];
        if (sides->side_of[i] < 0 || (plan->burst == BURST_COLUMN && !picture->burst)) continue;
        intptr_t number = plan->burst == BURST_COLUMN ? (intptr_t)map_get(&numbers, picture->burst) : picture->unit + 1;
        if (!number) map_set(&numbers, &sides->scratch, picture->burst, (void *)(number = i + 1));
        frames[count++] = (Frame){(int)number, sides->side_of[i], i};
    }
    qsort(frames, (size_t)count, sizeof *frames, by_burst);
    return count;
}

/* The frames of one burst, sorted by side. */
static void count_burst(Tally *tally, const Frame *frames, int count) {
    int sides = tally->sides->sides;
    for (int i = 0, end; i < count; i = end) {
        for (end = i; end < count && frames[end].side == frames[i].side;) tally->any[frames[end++].picture] = true;
        tally->pairs += (int64_t)(end - i) * i;
        for (int k = 0; tally->torn && k < count; k++)
            if (frames[k].side != frames[i].side && (!k || frames[k].side != frames[k - 1].side)) tally->torn[frames[i].side * sides + frames[k].side] += end - i;
    }
}

static void find_bursts(Sides *sides, const DatasetPlan *plan, TornPairs *told) {
    Frame *frames = arena_array(&sides->scratch, Frame, sides->dataset->count + 1);
    int count = list_frames(sides, plan, frames), first = -1, second = -1;
    Tally tally = tally_new(sides);
    for (int i = 0, end; i < count; i = end) {
        for (end = i; end < count && frames[end].burst == frames[i].burst;) end++;
        if (frames[i].side == frames[end - 1].side) continue;
        count_burst(&tally, frames + i, end - i);
        if (first >= 0 && frames[first].picture < frames[i].picture) continue;
        first = i;
        second = end - 1;
    }
    tell_tally(&tally, told);
    if (first < 0) return;
    told->example = torn_pair(sides, frames[first].picture, frames[second].picture);
    told->example.value = sides->dataset->pictures[frames[first].picture].burst;
}

/* ---- pictures nearly alike --------------------------------------------------------------------------------------------------------- */

/* Where the dataset says what a burst is: two frames of one are told as such, and two animals alike in outline are none. */
static bool told_by_bursts(const Dataset *dataset, int a, int b) {
    const Picture *one = &dataset->pictures[a], *other = &dataset->pictures[b];
    if (dataset->plan->burst == BURST_LIKENESS) return false;
    if (one->identity_number >= 0 && other->identity_number >= 0 && one->identity_number != other->identity_number) return true;
    if (dataset->plan->burst == BURST_TIME) return one->unit == other->unit;
    return one->burst && other->burst && !strcmp(one->burst, other->burst);
}

static void find_alike(Sides *sides, int within, TornPairs *told) {
    const Dataset *dataset = sides->dataset;
    Tally tally = tally_new(sides);
    int *seen = arena_array(&sides->scratch, int, sides->sides + 1), first = -1, second = -1, closest = within + 1;
    uint64_t *hash = arena_array(&sides->scratch, uint64_t, dataset->count + 1);
    for (int i = 0; i < dataset->count; i++) hash[i] = dataset->pictures[i].phash;
    for (int i = 0; i < dataset->count && !sides->scratch.jre->interrupted; i++)
        for (int j = 0; j < dataset->count; j++) {
            int bits = hash_distance(hash[i], hash[j]);
            if (bits > within || !on_two_sides(sides, i, j) || told_by_bursts(dataset, i, j)) continue;
            int side = sides->side_of[j];
            tally.any[i] = true;
            if (tally.torn && seen[side] != i + 1) tally.torn[sides->side_of[i] * sides->sides + side]++;
            seen[side] = i + 1;
            tally.pairs += i < j;
            if (bits >= closest) continue;
            closest = bits;
            first = i;
            second = j;
        }
    tell_tally(&tally, told);
    if (first < 0) return;
    told->example = torn_pair(sides, first, second);
    told->example.bits = closest;
}

/* ---- individuals -------------------------------------------------------------------------------------------------------------------- */

/* Each is told with the first two sides that it is on. */
static void find_shared(Sides *sides, Arena *arena, LeakFacts *facts) {
    const Dataset *dataset = sides->dataset;
    int *first = arena_array(&sides->scratch, int, dataset->identity_count + 1);
    bool *shared = arena_array(&sides->scratch, bool, dataset->identity_count + 1);
    for (int i = 0; i < dataset->count; i++) {
        int identity = dataset->pictures[i].identity_number, side = sides->side_of[i];
        if (identity < 0 || side < 0) continue;
        if (!first[identity]) first[identity] = side + 1;
        if (first[identity] == side + 1 || shared[identity]) continue;
        shared[identity] = true;
        if (facts->shared_part) continue;
        facts->shared_part = sides->folds ? arena_print(arena, "fold %d", first[identity]) : sides->names.at[first[identity] - 1];
        facts->shared_other = sides->folds ? arena_print(arena, "fold %d", side + 1) : sides->names.at[side];
    }
    for (int identity = 0; identity < dataset->identity_count; identity++) {
        if (!shared[identity]) continue;
        if (facts->shared < MOST_NAMED) facts->shared_names[facts->shared] = dataset->identities[identity];
        facts->shared++;
    }
}

static bool find_in_member(Jre *jre, Arena *arena, const Dataset *dataset, const SplitPlan *split, int member, LeakFacts *facts) {
    Sides sides = {.dataset = dataset, .scratch = {.jre = jre}};
    bool sound = sides_of(&sides, jre, split, member);
    if (sound) {
        if (dataset->plan->burst != BURST_LIKENESS) find_bursts(&sides, dataset->plan, &facts->burst);
        find_alike(&sides, facts->within, &facts->alike);
        find_shared(&sides, arena, facts);
    }
    arena_free(&sides.scratch);
    return sound;
}

/* A split of a part that stands once for each fold has members: the first that leaks is told. */
bool find_leaks(Jre *jre, Arena *arena, const Dataset *dataset, const SplitPlan *split, LeakFacts *facts) {
    int members = part_members(&split->of);
    for (int member = 1; member <= members; member++) {
        *facts = (LeakFacts){.within = near_within(dataset)};
        if (!find_in_member(jre, arena, dataset, split, member, facts)) return false;
        if (facts->burst.pairs || facts->alike.pairs || (split->disjoint && facts->shared)) break;
    }
    return true;
}

/* ---- two parts of whatever they are parts of -------------------------------------------------------------------------------------- */

static TornPair pair_of(const Picture *first, const Picture *second) {
    return (TornPair){.first = {.file = first->file, .individual = first->identity}, .second = {.file = second->file, .individual = second->identity},
                      .bits = hash_distance(first->phash, second->phash)};
}

/* Of 1.9 million pairs of nyalas 15 are by chance as near as the perceptual hash asks for: nobody would let that end a study of two datasets. None of
 * the 15 agrees in the name too, or in the other hash. */
static bool is_double(const Picture *a, const Picture *b, int within) {
    if (hash_distance(a->phash, b->phash) > within) return false;
    return (a->identity && b->identity && !strcmp(a->identity, b->identity)) || hash_distance(a->dhash, b->dhash) <= within;
}

/* The nearest of the rows to a picture that is none of them, else, where bursts are known, the first of its burst; NULL: there is none. */
static const Picture *double_of(const Picture *picture, RowsOf learned, bool bursts, int within) {
    const Picture *nearest = NULL, *mate = NULL;
    int closest = within + 1;
    for (int i = 0; i < learned.rows->count; i++) {
        const Picture *other = &learned.dataset->pictures[learned.rows->which[i]];
        if (bursts && !mate && other->unit == picture->unit) mate = other;
        const int bits = hash_distance(picture->phash, other->phash);
        if (bits >= closest || !is_double(picture, other, within)) continue;
        closest = bits;
        nearest = other;
    }
    return nearest ? nearest : mate;
}

void find_met(Jre *jre, RowsOf learned, RowsOf examined, MetFacts *facts) {
    Arena scratch = {.jre = jre};
    Map known = {0};
    const bool bursts = learned.dataset == examined.dataset && learned.dataset->plan->burst != BURST_LIKENESS;
    *facts = (MetFacts){.of = examined.rows->count, .within = near_within(examined.dataset)};
    for (int i = learned.rows->count - 1; i >= 0; i--) {           /* of copies the first row stays */
        Picture *picture = &learned.dataset->pictures[learned.rows->which[i]];
        map_set(&known, &scratch, picture->content_hash, picture);
    }
    for (int i = 0; i < examined.rows->count && !jre->interrupted; i++) {
        const Picture *picture = &examined.dataset->pictures[examined.rows->which[i]], *same = map_get(&known, picture->content_hash);
        const Picture *other = same ? same : double_of(picture, learned, bursts, facts->within);
        if (!other) continue;
        TornPair pair = pair_of(picture, other);
        if (same ? !facts->same : !facts->alike || pair.bits < facts->alike_pair.bits) *(same ? &facts->same_pair : &facts->alike_pair) = pair;
        facts->same += same != NULL;
        facts->alike += !same;
    }
    arena_free(&scratch);
}

void find_copies(Jre *jre, RowsOf part, CopyFacts *facts) {
    Arena scratch = {.jre = jre};
    Map first = {0};
    int *before = arena_array(&scratch, int, part.dataset->count + 1);
    *facts = (CopyFacts){0};
    for (int i = 0; i < part.rows->count; i++) {
        Picture *picture = &part.dataset->pictures[part.rows->which[i]], *same = map_get(&first, picture->content_hash);
        if (!same) map_set(&first, &scratch, picture->content_hash, picture);
        if (same && !facts->pairs) facts->example = pair_of(same, picture);
        facts->pairs += before[(same ? same : picture) - part.dataset->pictures]++;
    }
    arena_free(&scratch);
}
