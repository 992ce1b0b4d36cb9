/* published.c: the splits of wildlife-datasets, to the last picture (DEFINITIONS 5.5).
 *
 * Individuals are visited in order of name, as a table grouped by them is; their pictures keep the order of the rows. Draws come from one linear
 * congruential generator, s <- (1103515245 s + 12345) mod 2^31; a permutation is the order of so many successive states. Counts
 * are rounded half to even. Contract: the same table gives the same parts as that library does. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>

typedef struct { uint32_t state; } Lcg;

static uint32_t lcg_next(Lcg *lcg) {
    lcg->state = (lcg->state * 1103515245u + 12345u) & 0x7FFFFFFFu;
    return lcg->state;
}

typedef struct { uint32_t state; int place; } State;

static int by_state(const void *a, const void *b) {
    const State *x = a, *y = b;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static void lcg_permutation(Lcg *lcg, State *draws, int count) {
    for (int i = 0; i < count; i++)
        draws[i] = (State){ lcg_next(lcg), i };
    qsort(draws, (size_t)count, sizeof *draws, by_state);
}

/* rows[first[k] .. first[k + 1]-1]: the pictures of individual k, in row order. */
typedef struct {
    Arena scratch;
    const PublishedTask *task;
    int *first, *rows, pictures, present;
    State *draws;
    bool *forced;                         /* [identity]: on one side only */
} Published;

/* Pictures that count for this rule: of a known individual and, where it goes by time, of a known day. */
static bool counts(const PublishedTask *task, int picture) {
    return task->identity[picture] >= 0 && (task->rule.kind < RULE_TIME_PROPORTION || task->day[picture] != DAY_UNKNOWN);
}

static void group(Published *p) {
    const PublishedTask *task = p->task;
    p->first = arena_array(&p->scratch, int, task->identities + 2);
    p->rows = arena_array(&p->scratch, int, task->n + 1);
    p->draws = arena_array(&p->scratch, State, (task->n > task->identities ? task->n : task->identities) + 1);
    p->forced = arena_array(&p->scratch, bool, task->identities + 1);
    for (int i = 0; i < task->n; i++)
        if (counts(task, i))
            p->first[task->identity[i] + 2]++;
    for (int k = 0; k < task->identities; k++) {
        p->present += p->first[k + 2] > 0;
        p->first[k + 2] += p->first[k + 1];
    }
    p->pictures = p->first[task->identities + 1];
    for (int i = 0; i < task->n; i++)     /* the starts move up by one place and become the ends */
        if (counts(task, i))
            p->rows[p->first[task->identity[i] + 1]++] = i;
}

static int pictures_of(const Published *p, int individual) {
    return p->first[individual + 1] - p->first[individual];
}

/* ---- individuals on one side only ------------------------------------------------------------------------------------------------ */

typedef struct { int individual, pictures, seen; } Count;                /* seen: row of its first picture */

static int by_falling_count(const void *a, const void *b) {
    const Count *x = a, *y = b;
    if (x->pictures != y->pictures)
        return x->pictures > y->pictures ? -1 : 1;
    return (x->seen > y->seen) - (x->seen < y->seen);
}

/* The first individuals of a permutation, until they have so many pictures or are so many. Returns how many pictures they have. */
static int force_individuals(Published *p) {
    const PublishedRule *rule = &p->task->rule;
    Count *order = arena_array(&p->scratch, Count, p->present + 1);
    int count = 0, pictures = 0, chosen = 0;
    for (int k = 0; k < p->task->identities; k++)
        if (pictures_of(p, k))
            order[count++] = (Count){ k, pictures_of(p, k), p->rows[p->first[k]] };
    qsort(order, (size_t)count, sizeof *order, by_falling_count);
    Lcg lcg = { (uint32_t)rule->seed };
    lcg_permutation(&lcg, p->draws, count);
    bool by_share = rule->has_unseen;
    double wanted = by_share ? rint(p->pictures * rule->unseen) : 0;
    while (chosen < count && (by_share ? !chosen || pictures < wanted : chosen < rule->individuals)) {
        const Count *next = &order[p->draws[chosen++].place];
        p->forced[next->individual] = true;
        pictures += next->pictures;
    }
    return pictures;
}

/* What is left of the training part for those that are on both sides. */
static double remaining_share(const Published *p, int forced, bool in_training) {
    double share = p->task->rule.train;
    if (forced > 0 && forced < p->pictures)
        share = (p->pictures * share - (in_training ? forced : 0)) / (p->pictures - forced);
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

/* ---- individuals on both sides --------------------------------------------------------------------------------------------------- */

static void place_all(const Published *p, int individual, int part, int *part_of) {
    for (int k = p->first[individual]; k < p->first[individual + 1]; k++)
        part_of[p->rows[k]] = part;
}

static void by_draw(Published *p, Lcg *lcg, int individual, int training, int *part_of) {
    int count = pictures_of(p, individual);
    lcg_permutation(lcg, p->draws, count);
    for (int k = 0; k < count; k++)
        part_of[p->rows[p->first[individual] + p->draws[k].place]] = k < training ? PUBLISHED_TRAIN : PUBLISHED_TEST;
}

static int closed_count(double share, int pictures) {
    int training = (int)rint(share * pictures);
    if (training == pictures && training > 1)
        training--;
    return training ? training : 1;
}

static int compare_days(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The first day of the test part; one that never comes where all of an individual is for training. */
static int64_t first_test_day(Published *p, int individual, double share) {
    int count = pictures_of(p, individual), days = 0;
    int64_t *day = arena_array(&p->scratch, int64_t, count + 1);
    for (int k = 0; k < count; k++)
        day[k] = p->task->day[p->rows[p->first[individual] + k]];
    qsort(day, (size_t)count, sizeof *day, compare_days);
    for (int k = 0; k < count; k++)
        if (!k || day[k] != day[k - 1])
            day[days++] = day[k];
    double training = fmin(days - 1, rint(share * days));
    return days > 1 ? day[(int)training] : INT64_MAX;
}

static int by_days(Published *p, int individual, double share, int *part_of) {
    int64_t limit = first_test_day(p, individual, share);
    int training = 0;
    for (int k = p->first[individual]; k < p->first[individual + 1]; k++) {
        bool trains = p->task->day[p->rows[k]] < limit;
        part_of[p->rows[k]] = trains ? PUBLISHED_TRAIN : PUBLISHED_TEST;
        training += trains;
    }
    return training;
}

/* The year of a day since 1970, in the calendar that has always been (Gregorian). */
static int64_t year_of(int64_t day) {
    int64_t shifted = day + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097, of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    return year + era * 400 + (of_year >= 306);           /* years of this reckoning begin in March */
}

static void by_year(const Published *p, int *part_of) {
    const PublishedTask *task = p->task;
    for (int i = 0; i < task->n; i++) {
        if (!counts(task, i))
            continue;
        int64_t year = year_of(task->day[i]);
        bool tests = year == task->rule.year || (!task->rule.one_year && year > task->rule.year);
        part_of[i] = year < task->rule.year ? PUBLISHED_TRAIN : tests ? PUBLISHED_TEST : IN_NO_PART;
    }
}

void published_split(Jre *jre, const PublishedTask *task, int *part_of) {
    const PublishedRule *rule = &task->rule;
    Published p = { .scratch = { .jre = jre }, .task = task };
    for (int i = 0; i < task->n; i++)
        part_of[i] = IN_NO_PART;
    group(&p);
    bool opens = rule->kind == RULE_OPEN_SET || rule->kind == RULE_DISJOINT_SET || rule->kind == RULE_TIME_PROPORTION_OPEN_SET;
    bool in_training = rule->kind == RULE_OPEN_SET && !rule->in_test;
    double share = remaining_share(&p, opens ? force_individuals(&p) : 0, in_training);
    Lcg lcg = { (uint32_t)rule->seed };
    if (rule->kind == RULE_TIME_CUTOFF)
        by_year(&p, part_of);
    for (int k = 0; k < task->identities && rule->kind != RULE_TIME_CUTOFF; k++) {
        int count = pictures_of(&p, k);
        if (!count)
            continue;
        if (p.forced[k])
            place_all(&p, k, in_training ? PUBLISHED_TRAIN : PUBLISHED_TEST, part_of);
        else if (rule->kind == RULE_DISJOINT_SET)
            place_all(&p, k, PUBLISHED_TRAIN, part_of);
        else if (rule->kind == RULE_RANDOM_PROPORTION)
            by_draw(&p, &lcg, k, by_days(&p, k, share, part_of), part_of);
        else if (rule->kind >= RULE_TIME_PROPORTION)
            by_days(&p, k, share, part_of);
        else
            by_draw(&p, &lcg, k, closed_count(share, count), part_of);
    }
    arena_free(&p.scratch);
}

/* ---- what a split is ------------------------------------------------------------------------------------------------------------ */

typedef struct { bool trains, tests; double last, first; } Sides;        /* last of its training pictures, first of its others; seconds */

const char *recognized_individuals(Jre *jre, int n, const int *identity, int identities, const int *part_of) {
    Arena scratch = { .jre = jre };
    Sides *sides = arena_array(&scratch, Sides, identities + 1);
    bool common = false, new = false;
    for (int i = 0; i < n; i++) {
        if (identity[i] < 0 || part_of[i] < 0)
            continue;
        bool *side = part_of[i] == PUBLISHED_TRAIN ? &sides[identity[i]].trains : &sides[identity[i]].tests;
        *side = true;
    }
    for (int k = 0; k < identities; k++) {
        common |= sides[k].trains && sides[k].tests;
        new |= !sides[k].trains && sides[k].tests;
    }
    arena_free(&scratch);
    return !common ? "disjoint-set" : new ? "open-set" : "closed-set";
}

const char *recognized_times(Jre *jre, int n, const int *identity, int identities, const double *seconds, const int *part_of) {
    Arena scratch = { .jre = jre };
    Sides *sides = arena_array(&scratch, Sides, identities + 1), all = { .last = -INFINITY, .first = INFINITY };
    bool known = true, common = false, in_order = true;
    for (int k = 0; k < identities; k++)
        sides[k] = all;
    for (int i = 0; i < n; i++) {
        if (identity[i] < 0 || part_of[i] < 0)
            continue;
        Sides *own = &sides[identity[i]];
        known &= !isnan(seconds[i]);
        if (part_of[i] == PUBLISHED_TRAIN) {
            own->last = fmax(own->last, seconds[i]);
            all.last = fmax(all.last, seconds[i]);
        } else {
            own->first = fmin(own->first, seconds[i]);
            all.first = fmin(all.first, seconds[i]);
        }
    }
    for (int k = 0; k < identities; k++) {
        common |= sides[k].last > -INFINITY && sides[k].first < INFINITY;
        in_order &= sides[k].last <= sides[k].first;
    }
    arena_free(&scratch);
    return known && all.last <= all.first ? "time-cutoff" : known && common && in_order ? "time-proportion" : "time-unaware";
}
