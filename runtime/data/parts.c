/* parts.c: the pictures of a part (LANGUAGE 3.10, Splits).
 *
 * In: a dataset and a split, by folds, by shares, by a column or by a published rule, of all its pictures or of a part of another split. Out: the part of
 * each picture, computed once for each split, and the rows of any part that a document can name: folds.train, folds[3].held_out,
 * past.validate, time_closed.test. Contract: equal settings and pictures give equal parts, on every machine. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD = 10 };

/* ---- the pictures a split is made of ------------------------------------------------------------------------------------------- */

typedef struct { PictureRows rows; int *unit, *identity; int units; } Tied;

static void every_picture(const Dataset *dataset, Arena *arena, PictureRows *rows) {
    rows->count = dataset->count;
    rows->which = arena_array(arena, int, dataset->count + 1);
    for (int i = 0; i < dataset->count; i++)
        rows->which[i] = i;
}

/* Joins pictures of one value; `first` is room for the first picture of each, kept as place + 1. */
static void join_equal(int *parent, const Dataset *dataset, const PictureRows *rows, bool bursts, int *first) {
    for (int i = 0; i < rows->count; i++) {
        const Picture *picture = &dataset->pictures[rows->which[i]];
        int value = bursts ? picture->unit : picture->identity_number;
        if (value < 0)
            continue;
        if (first[value])
            ties_join(parent, first[value] - 1, i);
        else
            first[value] = i + 1;
    }
}

/* Bursts by likeness are near-duplicates already; other bursts are joined by likeness on top. */
static void join_near(Jre *jre, Arena *scratch, int *parent, const Dataset *dataset, const PictureRows *rows) {
    if (!dataset->hashed || dataset->plan->within < 0 || dataset->plan->burst == BURST_LIKENESS)
        return;
    uint64_t *hash = arena_array(scratch, uint64_t, rows->count + 1);
    int *near = arena_array(scratch, int, rows->count + 1), *first = arena_array(scratch, int, rows->count + 1);
    for (int i = 0; i < rows->count; i++)
        hash[i] = dataset->pictures[rows->which[i]].phash;
    near_duplicate_units(jre, hash, rows->count, dataset->plan->within, near);
    for (int i = 0; i < rows->count; i++) {
        if (first[near[i]])
            ties_join(parent, first[near[i]] - 1, i);
        else
            first[near[i]] = i + 1;
    }
}

static void tie(Jre *jre, Arena *scratch, const Dataset *dataset, const SplitPlan *split, const PictureRows *rows, Tied *tied) {
    *tied = (Tied){ .rows = *rows, .unit = arena_array(scratch, int, rows->count + 1), .identity = arena_array(scratch, int, rows->count + 1) };
    int *parent = arena_array(scratch, int, rows->count + 1);
    ties_start(parent, rows->count);
    if (split->together_burst) {
        join_equal(parent, dataset, rows, true, arena_array(scratch, int, dataset->count + 1));
        join_near(jre, scratch, parent, dataset, rows);
    }
    if (split->disjoint)
        join_equal(parent, dataset, rows, false, arena_array(scratch, int, dataset->count + 1));
    tied->units = ties_units(parent, rows->count, tied->unit);
    for (int i = 0; i < rows->count; i++)
        tied->identity[i] = dataset->pictures[rows->which[i]].identity_number;
}

/* ---- ways to split --------------------------------------------------------------------------------------------------------------- */

static SplitTask task_of(const Dataset *dataset, const SplitPlan *split, const Tied *tied) {
    return (SplitTask){
        .n = tied->rows.count, .identity = tied->identity, .identities = dataset->identity_count, .unit = tied->unit, .units = tied->units,
        .shared = !split->disjoint, .seed = split->seed
    };
}

static bool by_folds(Jre *jre, Arena *scratch, const Dataset *dataset, const SplitPlan *split, const PictureRows *rows, SplitParts *parts) {
    if (split->folds < 2 || split->folds > rows->count) {
        diag(jre, DIAG_wrong_argument, split->span, "%d pictures cannot be divided into %d folds", rows->count, split->folds);
        return false;
    }
    Tied tied;
    tie(jre, scratch, dataset, split, rows, &tied);
    double *share = arena_array(scratch, double, split->folds);
    for (int part = 0; part < split->folds; part++)
        share[part] = 1.0 / split->folds;
    SplitTask task = task_of(dataset, split, &tied);
    task.way = SPLIT_BY_FOLDS;
    task.share = share;
    task.parts = split->folds;
    int *part_of = arena_array(scratch, int, rows->count + 1);
    split_assign(jre, &task, part_of);
    for (int i = 0; i < rows->count; i++)
        parts->part_of[rows->which[i]] = part_of[i];
    return true;
}

/* The part called `train`, else the first. */
static int training_part(const char *const *names, int count) {
    for (int part = 0; part < count; part++)
        if (!strcmp(names[part], "train"))
            return part;
    return 0;
}

static void by_shares(Jre *jre, Arena *scratch, const Dataset *dataset, const SplitPlan *split, const PictureRows *rows, SplitParts *parts) {
    Tied tied;
    tie(jre, scratch, dataset, split, rows, &tied);
    SplitTask task = task_of(dataset, split, &tied);
    task.way = SPLIT_BY_SHARES;
    task.share = split->shares.at;
    task.parts = split->shares.count;
    task.training = training_part(split->parts.at, split->parts.count);
    int *part_of = arena_array(scratch, int, rows->count + 1);
    split_assign(jre, &task, part_of);
    for (int i = 0; i < rows->count; i++)
        parts->part_of[rows->which[i]] = part_of[i];
    for (int part = 0; part < split->parts.count; part++)
        list_add(&jre->forever, &parts->names, intern(jre, split->parts.at[part]));
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* -1: there is none, diagnosed. */
static int wanted_column(Jre *jre, const Dataset *dataset, const SplitPlan *split) {
    for (int i = 0; i < dataset->columns.count; i++)
        if (!strcmp(dataset->columns.at[i], split->column))
            return i;
    Diagnostic *d = diag(jre, DIAG_wrong_table, split->way_span, "`%s` has no column `%s`", dataset->plan->name, split->column);
    Text known = { .jre = jre };
    for (int i = 0; i < dataset->columns.count; i++)
        text_add(&known, "%s%s", i ? ", " : "", dataset->columns.at[i]);
    diag_fact(d, "its columns are: %s", known.length ? known.at : "none");
    text_free(&known);
    const char *near = nearest_name(split->column, dataset->columns.at, dataset->columns.count);
    if (near) {
        diag_help(d, "did you mean `%s`?", near);
        diag_edit(d, split->way_span, false, "\"{%s}\"", near);
    }
    return -1;
}

/* A part for each value, in order of name; a picture without one is in no part. */
static bool by_column(Jre *jre, Arena *scratch, const Dataset *dataset, const SplitPlan *split, const PictureRows *rows, SplitParts *parts) {
    int column = wanted_column(jre, dataset, split);
    if (column < 0)
        return false;
    const char **value = arena_array(scratch, const char *, rows->count + 1), **sorted = arena_array(scratch, const char *, rows->count + 1);
    Map places = {0};
    int values = 0;
    for (int i = 0; i < rows->count; i++) {
        const char *const *cells = dataset->pictures[rows->which[i]].cells;
        value[i] = cells && cells[column] && *cells[column] ? cells[column] : NULL;
        if (!value[i] || map_get(&places, value[i]))
            continue;
        map_set(&places, scratch, value[i], (void *)1);
        sorted[values++] = value[i];
    }
    qsort(sorted, (size_t)values, sizeof *sorted, compare_names);
    for (int i = 0; i < values; i++) {
        map_set(&places, scratch, sorted[i], (void *)(intptr_t)(i + 1));
        list_add(&jre->forever, &parts->names, intern(jre, sorted[i]));
    }
    for (int i = 0; i < rows->count; i++)
        if (value[i])
            parts->part_of[rows->which[i]] = (int)(intptr_t)map_get(&places, value[i]) - 1;
    return true;
}

/* A table of whole numbers is sorted by number, as it would be read by that library. */
static bool whole_number(const char *name, int64_t *number) {
    char *end;
    size_t digits = strspn(name + (*name == '-'), "0123456789");
    *number = strtoll(name, &end, 10);
    return digits > 0 && digits < 19 && !*end;
}

typedef struct { int64_t number; int identity; } Numbered;

static int by_number(const void *a, const void *b) {
    const Numbered *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->identity > y->identity) - (x->identity < y->identity);
}

/* The place of each individual in the order of visits. */
static const int *visiting_order(Arena *scratch, const Dataset *dataset) {
    int count = dataset->identity_count, *place = arena_array(scratch, int, count + 1);
    Numbered *order = arena_array(scratch, Numbered, count + 1);
    bool numbers = true;
    for (int k = 0; k < count; k++) {
        order[k].identity = place[k] = k;
        numbers = numbers && whole_number(dataset->identities[k], &order[k].number);
    }
    if (!numbers)
        return place;
    qsort(order, (size_t)count, sizeof *order, by_number);
    for (int k = 0; k < count; k++)
        place[order[k].identity] = k;
    return place;
}

/* Those rules leave out whoever is called `unknown`. Days are those of the time as it counts seconds, without time zones. */
static PublishedTask rows_by_time(Arena *scratch, const Dataset *dataset, const PictureRows *rows) {
    const int *place = visiting_order(scratch, dataset);
    int *identity = arena_array(scratch, int, rows->count + 1);
    int64_t *day = arena_array(scratch, int64_t, rows->count + 1);
    for (int i = 0; i < rows->count; i++) {
        const Picture *picture = &dataset->pictures[rows->which[i]];
        bool known = picture->identity_number >= 0 && strcmp(dataset->identities[picture->identity_number], "unknown") != 0;
        bool dated = fabs(picture->seconds) < 1e15;
        identity[i] = known ? place[picture->identity_number] : -1;
        day[i] = dated ? (int64_t)floor(picture->seconds / 86400) : DAY_UNKNOWN;
    }
    return (PublishedTask){ .n = rows->count, .identity = identity, .identities = dataset->identity_count, .day = day };
}

static void by_rule(Jre *jre, Arena *scratch, const Dataset *dataset, const SplitPlan *split, const PictureRows *rows, SplitParts *parts) {
    PublishedTask task = rows_by_time(scratch, dataset, rows);
    task.rule = split->rule;
    int *part_of = arena_array(scratch, int, rows->count + 1);
    published_split(jre, &task, part_of);
    for (int i = 0; i < rows->count; i++)
        parts->part_of[rows->which[i]] = part_of[i];
    list_add(&jre->forever, &parts->names, "train");
    list_add(&jre->forever, &parts->names, "test");
}

static bool split_rows(Jre *jre, Arena *scratch, const Dataset *dataset, const SplitPlan *split, int member, SplitParts *parts) {
    PictureRows rows;
    for (int i = 0; i < dataset->count; i++)
        parts->part_of[i] = IN_NO_PART;
    if (!split->of.split)
        every_picture(dataset, scratch, &rows);
    else if (!part_pictures(jre, dataset, &split->of, member, scratch, &rows))
        return false;
    if (split->column)
        return by_column(jre, scratch, dataset, split, &rows, parts);
    if (split->rule.kind)
        by_rule(jre, scratch, dataset, split, &rows, parts);
    else if (split->shares.count)
        by_shares(jre, scratch, dataset, split, &rows, parts);
    else
        return by_folds(jre, scratch, dataset, split, &rows, parts);
    return true;
}

const SplitParts *dataset_parts(Jre *jre, const Dataset *dataset, const SplitPlan *split, int member) {
    if (!dataset->identity_count) {
        diag(jre, DIAG_missing_key, dataset->plan->span, "`%s` is split, but no `identity` says which column names the individual", dataset->plan->name);
        return NULL;
    }
    Arena scratch = { .jre = jre };
    const char *mark = split->key && dataset->splits ? arena_print(&scratch, "%s of %d", split->key->hash, member) : NULL;
    SplitParts *parts = mark ? map_get(dataset->splits, mark) : NULL;
    if (!parts) {
        parts = arena_new(&jre->forever, SplitParts);
        parts->part_of = arena_array(&jre->forever, int, dataset->count + 1);
        if (!split_rows(jre, &scratch, dataset, split, member, parts))
            parts->part_of = NULL;        /* told once, and remembered */
        if (mark)
            map_set(dataset->splits, &jre->forever, intern(jre, mark), parts);
    }
    arena_free(&scratch);
    return parts->part_of ? parts : NULL;
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------------ */

int part_members(const PartPlan *part) {
    const SplitPlan *folds = folds_of_part(part);
    return folds ? folds->folds : 1;
}

static void add_row(PictureRows *rows, int row) {
    rows->which[rows->count++] = row;
}

/* The training part of a fold: what it is to watch (`watched`), and all else. */
static void carve(Jre *jre, const Dataset *dataset, const SplitPlan *split, const PictureRows *training, bool watched, PictureRows *rows) {
    Arena scratch = { .jre = jre };
    Tied tied;
    tie(jre, &scratch, dataset, split, training, &tied);
    const double share[] = { 1 - split->validate, split->validate };
    SplitTask task = task_of(dataset, split, &tied);
    task.way = SPLIT_BY_SHARES;
    task.share = share;
    task.parts = 2;
    int *part_of = arena_array(&scratch, int, training->count + 1);
    split_assign(jre, &task, part_of);
    for (int i = 0; i < training->count; i++)
        if ((part_of[i] == 1) == watched)
            add_row(rows, training->which[i]);
    arena_free(&scratch);
}

static void rows_of_fold(Jre *jre, const Dataset *dataset, const PartPlan *part, int fold, const int *part_of, Arena *arena, PictureRows *rows) {
    const SplitPlan *split = part->split;
    bool held_out = !strcmp(part->part, "held_out"), others = !strcmp(part->part, "others"), watched = !strcmp(part->part, "validate");
    bool carved = split->validate > 0 && !held_out && !others;
    PictureRows training = { .which = carved ? arena_array(arena, int, dataset->count + 1) : rows->which };
    for (int i = 0; i < dataset->count; i++) {
        bool inside = held_out ? part_of[i] == fold - 1 : part_of[i] != fold - 1 && part_of[i] >= (others ? 0 : ALWAYS_TRAINING);
        if (inside)
            add_row(&training, i);
    }
    if (carved)
        carve(jre, dataset, split, &training, watched, rows);
    else if (watched)
        rows->count = 0;
    else
        *rows = training;
}

/* Where the name of the part stands: behind the dot, if it was written so. */
static Span name_span(Jre *jre, const PartPlan *part) {
    const char *written = span_text(jre, part->span);
    size_t length = strlen(part->part), all = written ? strlen(written) : 0;
    bool behind = all > length && written[all - length - 1] == '.' && !strcmp(written + all - length, part->part);
    return behind ? (Span){ part->span.end - (uint32_t)length, part->span.end } : part->span;
}

static int part_called(Jre *jre, const SplitParts *parts, const PartPlan *part) {
    for (int i = 0; i < parts->names.count; i++)
        if (!strcmp(parts->names.at[i], part->part))
            return i;
    Span span = name_span(jre, part);
    Diagnostic *d = diag(jre, DIAG_unknown_name, span, "no picture is in a part `%s` of `%s`", part->part, part->split->name);
    if (part->split->column)
        diag_also(d, part->split->way_span, "a part is a value of this column");
    Text known = { .jre = jre };
    for (int i = 0; i < parts->names.count && i < TOLD; i++)
        text_add(&known, " %s", parts->names.at[i]);
    if (parts->names.count > TOLD)
        text_add(&known, " and %d more", parts->names.count - TOLD);
    diag_fact(d, "there are:%s", known.length ? known.at : " none");
    text_free(&known);
    if (!diag_did_you_mean(d, span, part->part, &parts->names, false))
        diag_help(d, "name one of these");
    return -1;
}

bool part_pictures(Jre *jre, const Dataset *dataset, const PartPlan *part, int member, Arena *arena, PictureRows *rows) {
    if (!part->split) {
        every_picture(dataset, arena, rows);
        return true;
    }
    bool each = part->split->folds && !part->fold;
    const SplitParts *parts = dataset_parts(jre, dataset, part->split, each ? 1 : member);
    if (!parts)
        return false;
    *rows = (PictureRows){ .which = arena_array(arena, int, dataset->count + 1) };
    if (part->split->folds) {
        rows_of_fold(jre, dataset, part, each ? member : part->fold, parts->part_of, arena, rows);
        return true;
    }
    int wanted = part_called(jre, parts, part);
    for (int i = 0; wanted >= 0 && i < dataset->count; i++)
        if (parts->part_of[i] == wanted)
            add_row(rows, i);
    return wanted >= 0;
}

bool split_recognized(Jre *jre, const Dataset *dataset, const SplitPlan *split, const char **individuals, const char **times) {
    const SplitParts *parts = dataset_parts(jre, dataset, split, 1);
    if (!parts)
        return false;
    Arena scratch = { .jre = jre };
    int n = dataset->count, training = training_part(parts->names.at, parts->names.count);
    int *identity = arena_array(&scratch, int, n + 1), *side = arena_array(&scratch, int, n + 1);
    double *seconds = arena_array(&scratch, double, n + 1);
    for (int i = 0; i < n; i++) {
        int part = parts->part_of[i];
        bool trains = split->folds ? part != 0 : part == training;
        side[i] = part == IN_NO_PART ? IN_NO_PART : trains ? PUBLISHED_TRAIN : PUBLISHED_TEST;
        identity[i] = dataset->pictures[i].identity_number;
        seconds[i] = dataset->pictures[i].seconds;
    }
    *individuals = recognized_individuals(jre, n, identity, dataset->identity_count, side);
    *times = recognized_times(jre, n, identity, dataset->identity_count, seconds, side);
    arena_free(&scratch);
    return true;
}
