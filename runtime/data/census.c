/* census.c: what there is to say of pictures before anything is computed from them.
 *
 * In: a dataset, rows of it, a split of it. Out: counts, sizes, copies, and pairs of pictures that are nearly alike: how many, in how many
 * clusters, which are of two individuals, which lie around the threshold. Contract: all pairs are compared once, whatever is asked of them. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>

/* ---- counts ------------------------------------------------------------------------------------------------------------------------ */

/* The pictures of each individual that has any among the rows; `who` are their numbers. */
typedef struct { int *pictures, *who; int count; } Holders;

static Holders count_individuals(Arena *arena, const Dataset *dataset, const PictureRows *rows) {
    int *of = arena_array(arena, int, dataset->identity_count + 1);
    Holders holders = {.pictures = arena_array(arena, int, dataset->identity_count + 1), .who = arena_array(arena, int, dataset->identity_count + 1)};
    for (int i = 0; i < rows->count; i++) {
        int identity = dataset->pictures[rows->which[i]].identity_number;
        if (identity >= 0) of[identity]++;
    }
    for (int identity = 0; identity < dataset->identity_count; identity++) {
        if (!of[identity]) continue;
        holders.pictures[holders.count] = of[identity];
        holders.who[holders.count++] = identity;
    }
    return holders;
}

static void count_bursts(Arena *scratch, const Dataset *dataset, const PictureRows *rows, PartFacts *facts) {
    int *in_unit = arena_array(scratch, int, dataset->units + 1);
    for (int i = 0; i < rows->count; i++) in_unit[dataset->pictures[rows->which[i]].unit]++;
    for (int unit = 0; unit < dataset->units; unit++) {
        facts->bursts += in_unit[unit] > 1;
        facts->in_bursts += in_unit[unit] > 1 ? in_unit[unit] : 0;
    }
}

void count_pictures(Jre *jre, Arena *arena, const Dataset *dataset, const PictureRows *rows, PartFacts *facts) {
    Arena scratch = {.jre = jre};
    Holders holders = count_individuals(arena, dataset, rows);
    Map seen = {0};
    *facts = (PartFacts){.pictures = rows->count, .individuals = holders.count, .of_each = holders.pictures};
    for (int i = 0; i < holders.count; i++) {
        if (!i || holders.pictures[i] < facts->smallest) facts->smallest = holders.pictures[i];
        if (holders.pictures[i] > facts->largest) facts->largest = holders.pictures[i];
        facts->singletons += holders.pictures[i] == 1;
    }
    count_bursts(&scratch, dataset, rows, facts);
    for (int i = 0; i < rows->count; i++) {
        const char *hash = dataset->pictures[rows->which[i]].content_hash;
        facts->copies += map_get(&seen, hash) != NULL;
        map_set(&seen, &scratch, hash, facts);
    }
    arena_free(&scratch);
}

/* Each value once, in the order of the rows. */
typedef struct { const char *value; int times; } Valued;

static int by_times(const void *a, const void *b) {
    const Valued *x = a, *y = b;
    return x->times != y->times ? y->times - x->times : strcmp(x->value, y->value);
}

void count_values(Jre *jre, const Dataset *dataset, const char *name, ColumnFacts *facts) {
    Arena scratch = {.jre = jre};
    Map place = {0};
    Valued *valued = arena_array(&scratch, Valued, dataset->count + 1);
    *facts = (ColumnFacts){.rows = dataset->count};
    for (int i = 0; i < dataset->count; i++) {
        const char *value = picture_value(dataset, i, name);
        intptr_t known = value ? (intptr_t)map_get(&place, value) : 0;
        facts->empty += !value;
        if (!value) continue;
        if (!known) {
            known = ++facts->distinct;
            map_set(&place, &scratch, value, (void *)known);
            valued[known - 1].value = value;
        }
        valued[known - 1].times++;
    }
    qsort(valued, (size_t)facts->distinct, sizeof *valued, by_times);
    for (int i = 0; i < facts->distinct; i++) facts->sides += names_side(&scratch, valued[i].value);
    for (; facts->told < MOST_VALUES && facts->told < facts->distinct; facts->told++) {
        facts->value[facts->told] = valued[facts->told].value;
        facts->times[facts->told] = valued[facts->told].times;
    }
    arena_free(&scratch);
}

/* Each burst is told by the first of its pictures and the first of another individual. */
void count_mixed_bursts(Jre *jre, const Dataset *dataset, MixedFacts *facts) {
    Arena scratch = {.jre = jre};
    Map first = {0};
    bool *mixed = arena_array(&scratch, bool, dataset->count + 1);
    *facts = (MixedFacts){0};
    for (int i = 0; i < dataset->count; i++) {
        const Picture *picture = &dataset->pictures[i], *before = picture->burst ? map_get(&first, picture->burst) : NULL;
        if (!picture->burst || picture->identity_number < 0) continue;
        if (!before) map_set(&first, &scratch, picture->burst, (void *)(uintptr_t)picture);
        facts->bursts += !before;
        if (!before || before->identity_number == picture->identity_number || mixed[before - dataset->pictures]) continue;
        mixed[before - dataset->pictures] = true;
        if (!facts->mixed++) facts->example = (TornPair){.first = {.file = before->file, .individual = before->identity}, .second = {.file = picture->file, .individual = picture->identity}, .value = picture->burst};
    }
    arena_free(&scratch);
}

static int by_size(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void describe_individuals(Arena *scratch, const Dataset *dataset, const PictureRows *rows, Census *census) {
    Holders holders = count_individuals(scratch, dataset, rows);
    for (int i = 0; i < holders.count; i++) {
        int pictures = holders.pictures[i], class = 0;
        while (class < SIZE_CLASSES - 1 && pictures >> (class + 1)) class++;
        census->of_size[class]++;
        if (pictures == census->counts.smallest && !census->smallest) census->smallest = dataset->identities[holders.who[i]];
        if (pictures == census->counts.largest && !census->largest) census->largest = dataset->identities[holders.who[i]];
    }
    if (!holders.count) return;
    qsort(holders.pictures, (size_t)holders.count, sizeof(int), by_size);
    census->median = 0.5 * (holders.pictures[(holders.count - 1) / 2] + holders.pictures[holders.count / 2]);
}

static void measure(const Dataset *dataset, Census *census) {
    for (int i = 0; i < dataset->count; i++) {
        const Picture *picture = &dataset->pictures[i];
        double aspect = picture->height > 0 ? (double)picture->width / picture->height : 1;
        if (!i || picture->width < census->least_width) census->least_width = picture->width;
        if (!i || picture->height < census->least_height) census->least_height = picture->height;
        if (!i || aspect < census->narrowest) census->narrowest = aspect;
        if (picture->width > census->most_width) census->most_width = picture->width;
        if (picture->height > census->most_height) census->most_height = picture->height;
        if (aspect > census->widest) census->widest = aspect;
    }
}

/* ---- pictures nearly alike --------------------------------------------------------------------------------------------------------- */

/* Keeps the `most` pairs that come first: by `key`, then in the order in which they are offered. */
static void keep_first(NearPair *kept, int *count, int most, NearPair pair, int sign) {
    int place = *count;
    while (place > 0 && sign * kept[place - 1].bits > sign * pair.bits) place--;
    if (place >= most) return;
    int end = *count < most ? (*count)++ : most - 1;
    for (int i = end; i > place; i--) kept[i] = kept[i - 1];
    kept[place] = pair;
}

static bool two_individuals(const Dataset *dataset, const NearPair *pair) {
    int first = dataset->pictures[pair->first].identity_number, second = dataset->pictures[pair->second].identity_number;
    return first >= 0 && second >= 0 && first != second;
}

static const uint64_t *hashes_of(Arena *scratch, const Dataset *dataset) {
    uint64_t *hash = arena_array(scratch, uint64_t, dataset->count + 1);
    for (int i = 0; i < dataset->count; i++) hash[i] = dataset->pictures[i].phash;
    return hash;
}

static void compare_all(Arena *scratch, const Dataset *dataset, Census *census, int *parent) {
    const uint64_t *hash = hashes_of(scratch, dataset);
    int within = census->within, *near = arena_array(scratch, int, dataset->count + 1);
    for (int i = 0; i < dataset->count; i++)
        for (int k = 0, count = near_after(hash, dataset->count, i, within + REACH, near); k < count; k++) {
            int j = near[k];
            NearPair pair = {i, j, hash_distance(hash[i], hash[j])};
            if (pair.bits > within) {
                keep_first(census->above, &census->above_count, PAIRS_ASIDE, pair, 1);
                continue;
            }
            keep_first(census->below, &census->below_count, PAIRS_ASIDE, pair, -1);
            ties_join(parent, i, j);
            census->near++;
            if (!two_individuals(dataset, &pair)) continue;
            census->conflicts++;
            keep_first(census->conflict, &census->conflict_count, MOST_CONFLICTS, pair, 1);
        }
}

/* What chains of likeness tie together; its ends may be far apart. */
static void describe_clusters(Arena *scratch, const Dataset *dataset, Census *census, int *parent) {
    int n = dataset->count, *unit = arena_array(scratch, int, n + 1), units = ties_units(parent, n, unit);
    int *start = arena_array(scratch, int, units + 2), *member = arena_array(scratch, int, n + 1);
    for (int i = 0; i < n; i++) start[unit[i] + 2]++;
    for (int u = 1; u <= units; u++) start[u + 1] += start[u];
    for (int i = 0; i < n; i++) member[start[unit[i] + 1]++] = i;          /* the counts move up by one place and become the starts */
    for (int u = 0; u < units; u++) {
        int size = start[u + 1] - start[u];
        if (size < 2) continue;
        census->clusters++;
        census->in_clusters += size;
        if (size > census->largest_cluster) census->largest_cluster = size;
        for (int a = start[u]; a < start[u + 1]; a++)
            for (int b = a + 1; b < start[u + 1]; b++) {
                int bits = hash_distance(dataset->pictures[member[a]].phash, dataset->pictures[member[b]].phash);
                if (bits > census->farthest) census->farthest = bits;
            }
    }
}

static PictureRows all_rows(Arena *scratch, const Dataset *dataset) {
    PictureRows rows = {arena_array(scratch, int, dataset->count + 1), dataset->count};
    for (int i = 0; i < dataset->count; i++) rows.which[i] = i;
    return rows;
}

int near_within(const Dataset *dataset) { return dataset->plan->within >= 0 ? dataset->plan->within : NEAR_DUPLICATES; }

bool take_census(Jre *jre, Dataset *dataset, Census *census) {
    *census = (Census){.within = near_within(dataset)};
    if (!dataset_measure(jre, dataset) || !dataset_masks_fit(jre, dataset)) return false;
    Arena scratch = {.jre = jre};
    PictureRows rows = all_rows(&scratch, dataset);
    int *parent = arena_array(&scratch, int, dataset->count + 1);
    count_pictures(jre, &scratch, dataset, &rows, &census->counts);
    census->counts.of_each = NULL;                                  /* it ends with this function */
    describe_individuals(&scratch, dataset, &rows, census);
    measure(dataset, census);
    ties_start(parent, dataset->count);
    compare_all(&scratch, dataset, census, parent);
    describe_clusters(&scratch, dataset, census, parent);
    arena_free(&scratch);
    return true;
}

/* ---- the list of pairs --------------------------------------------------------------------------------------------------------------- */

enum { MOST_LISTED = 1000000, HASH_BITS = 64 };

/* Counted by distance first, then each put in its place; beyond the last place they are left out. */
static int list_pairs(Arena *scratch, const Dataset *dataset, NearPair **pairs) {
    int n = dataset->count, reach = near_within(dataset) + REACH;
    const uint64_t *hash = hashes_of(scratch, dataset);
    int *near = arena_array(scratch, int, n + 1);
    int64_t place[HASH_BITS + 2] = {0};
    for (int i = 0; i < n; i++)
        for (int k = near_after(hash, n, i, reach, near) - 1; k >= 0; k--) place[hash_distance(hash[i], hash[near[k]]) + 1]++;
    for (int bits = 0; bits <= HASH_BITS; bits++) place[bits + 1] += place[bits];
    int count = place[HASH_BITS + 1] < MOST_LISTED ? (int)place[HASH_BITS + 1] : MOST_LISTED;
    *pairs = arena_array(scratch, NearPair, count + 1);
    for (int i = 0; i < n; i++)
        for (int k = 0, found = near_after(hash, n, i, reach, near); k < found; k++) {
            int j = near[k], bits = hash_distance(hash[i], hash[j]);
            if (place[bits] < count) (*pairs)[place[bits]++] = (NearPair){i, j, bits};
        }
    return count;
}

static void put_pair(Text *table, const Dataset *dataset, const NearPair *pair) {
    const Picture *first = &dataset->pictures[pair->first], *second = &dataset->pictures[pair->second];
    const char *names[] = {dataset->plan->name, first->file, second->file}, *individuals[] = {first->identity, second->identity};
    for (int i = 0; i < 3; i++) {
        csv_cell(table, names[i]);
        text_add(table, ",");
    }
    text_add(table, "%d,%d,%d", pair->bits, hash_distance(first->dhash, second->dhash), pair->bits <= near_within(dataset));
    for (int i = 0; i < 2; i++) {
        text_add(table, ",");
        csv_cell(table, individuals[i] ? individuals[i] : "");
    }
    text_add(table, "\n");
}

bool write_near_pairs(Jre *jre, const char *path, const Dataset *const *datasets, int count) {
    Text table = {.jre = jre};
    text_add(&table, "dataset,first,second,bits,dhash_bits,near,first_individual,second_individual\n");
    for (int d = 0; d < count; d++) {
        Arena scratch = {.jre = jre};
        NearPair *pairs;
        int listed = list_pairs(&scratch, datasets[d], &pairs);
        for (int i = 0; i < listed; i++) put_pair(&table, datasets[d], &pairs[i]);
        arena_free(&scratch);
    }
    bool sound = file_write(jre, path, NOWHERE, table.at, table.length);
    text_free(&table);
    return sound;
}

/* ---- splits -------------------------------------------------------------------------------------------------------------------------------- */

/* An individual in a part; part ALWAYS_TRAINING counts as a place where nobody is examined. */
typedef struct { int identity, part; } Presence;

static int by_individual(const void *a, const void *b) {
    const Presence *x = a, *y = b;
    if (x->identity != y->identity) return x->identity < y->identity ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

static void count_presences(const Presence *present, int count, SplitCensus *census) {
    for (int i = 0, end; i < count; i = end) {
        int in_parts = 0;
        for (end = i; end < count && present[end].identity == present[i].identity; end++) {
            bool again = end > i && present[end].part == present[end - 1].part;
            if (again || present[end].part < 0) continue;
            census->parts.at[present[end].part].individuals++;
            in_parts++;
        }
        census->individuals++;
        census->absent += in_parts < census->parts.count;
        census->never += !in_parts;
    }
}

static void count_parts(Arena *scratch, const Dataset *dataset, const SplitParts *parts, SplitCensus *census) {
    Presence *present = arena_array(scratch, Presence, dataset->count + 1);
    int count = 0;
    for (int i = 0; i < dataset->count; i++) {
        int part = parts->part_of[i], identity = dataset->pictures[i].identity_number;
        if (part == IN_NO_PART) continue;
        census->pictures++;
        if (part == ALWAYS_TRAINING) census->always++;
        else census->parts.at[part].pictures++;
        if (identity >= 0) present[count++] = (Presence){identity, part};
    }
    qsort(present, (size_t)count, sizeof *present, by_individual);
    count_presences(present, count, census);
}

bool count_split(Jre *jre, Arena *arena, const Dataset *dataset, const SplitPlan *split, SplitCensus *census) {
    *census = (SplitCensus){0};
    const SplitParts *parts = dataset_parts(jre, dataset, split, 1);
    if (!parts) return false;
    Arena scratch = {.jre = jre};
    int count = split->folds ? split->folds : parts->names.count;
    for (int part = 0; part < count; part++) list_add(arena, &census->parts, ((PartCount){split->folds ? NULL : parts->names.at[part], 0, 0}));
    count_parts(&scratch, dataset, parts, census);
    arena_free(&scratch);
    return true;
}
