/* asked.c: who asks whom in an evaluation, and what there is to find, before anything is embedded.
 *
 * In: an evaluation of the plan, its datasets. Out: queries and candidates of each member, which candidate is the query itself, and counts:
 * for how many queries a picture of their individual may answer, one of their own burst, one of another individual. Contract: queries are the
 * pictures of `on`, candidates those of `against` (else of `on` again) of the same fold; the picture itself never answers; individuals of two
 * datasets are the same where their names are. */
#include "../runtime.h"

#include <string.h>

/* ---- who asks whom ------------------------------------------------------------------------------------------------------- */

const PartPlan *against_part(const EvaluatePlan *plan) { return plan->against.dataset ? &plan->against : &plan->on; }

bool evaluation_pictures(Jre *jre, Arena *arena, const EvaluatePlan *plan, const Dataset *on, const Dataset *against, AskedPictures *asked) {
    const PartPlan *answering = against_part(plan);
    int asks = part_members(&plan->on), answers = part_members(answering);
    *asked = (AskedPictures){.on = on, .against = against, .members = asks > answers ? asks : answers};
    asked->queries = arena_array(arena, PictureRows, asked->members + 1);
    asked->candidates = arena_array(arena, PictureRows, asked->members + 1);
    for (int member = 0; member < asked->members; member++) {
        if (!part_pictures(jre, on, &plan->on, asks > 1 ? member + 1 : 1, arena, &asked->queries[member])) return false;
        asked->candidates[member] = asked->queries[member];
        if (answering != &plan->on && !part_pictures(jre, against, answering, answers > 1 ? member + 1 : 1, arena, &asked->candidates[member])) return false;
    }
    return true;
}

int *asked_individuals(Arena *arena, const AskedPictures *asked) {
    Map number = {0};
    int *individual = arena_array(arena, int, asked->against->identity_count + 1);
    for (int i = 0; i < asked->on->identity_count; i++) map_set(&number, arena, asked->on->identities[i], (void *)(intptr_t)(i + 1));
    for (int i = 0; i < asked->against->identity_count; i++) {
        intptr_t known = (intptr_t)map_get(&number, asked->against->identities[i]);
        individual[i] = known ? (int)known - 1 : asked->on->identity_count + i;
    }
    return individual;
}

/* The same row; in another dataset the same file, else the same content. */
int *asked_selves(Arena *arena, const AskedPictures *asked, int member) {
    const PictureRows *queries = &asked->queries[member], *candidates = &asked->candidates[member];
    Map place = {0}, content = {0};
    bool same = asked->on == asked->against;
    int *row = arena_array(arena, int, asked->against->count + 1), *self = arena_array(arena, int, queries->count + 1);
    for (int i = candidates->count - 1; i >= 0; i--) {
        const Picture *picture = &asked->against->pictures[candidates->which[i]];
        row[candidates->which[i]] = i + 1;
        if (same) continue;
        map_set(&place, arena, picture->path, (void *)(intptr_t)(i + 1));
        map_set(&content, arena, picture->content_hash, (void *)(intptr_t)(i + 1));
    }
    for (int i = 0; i < queries->count; i++) {
        const Picture *picture = &asked->on->pictures[queries->which[i]];
        intptr_t found = same ? row[queries->which[i]] : (intptr_t)map_get(&place, picture->path);
        if (!same && !found) found = (intptr_t)map_get(&content, picture->content_hash);
        self[i] = (int)found - 1;
    }
    return self;
}

/* ---- what there is to find ------------------------------------------------------------------------------------------------- */

/* One member at work: candidates in the order of their individuals, those of one from start[k] to start[k + 1]. */
typedef struct { const AskedPictures *asked; int member, *self, *individual, *order, *start, numbers; const PairRule *rule; } Look;

static const Picture *query_picture(const Look *look, int query) { return &look->asked->on->pictures[look->asked->queries[look->member].which[query]]; }
static const Picture *candidate_picture(const Look *look, int candidate) { return &look->asked->against->pictures[look->asked->candidates[look->member].which[candidate]]; }

static int number_of(const Look *look, int candidate) {
    int number = candidate_picture(look, candidate)->identity_number;
    return number < 0 ? -1 : look->individual[number];
}

static void sort_candidates(Look *look, Arena *arena) {
    int count = look->asked->candidates[look->member].count;
    look->numbers = look->asked->on->identity_count + look->asked->against->identity_count;
    look->start = arena_array(arena, int, look->numbers + 2);
    look->order = arena_array(arena, int, count + 1);
    for (int i = 0; i < count; i++)
        if (number_of(look, i) >= 0) look->start[number_of(look, i) + 2]++;
    for (int k = 1; k <= look->numbers; k++) look->start[k + 1] += look->start[k];
    for (int i = 0; i < count; i++)
        if (number_of(look, i) >= 0) look->order[look->start[number_of(look, i) + 1]++] = i;
}

/* Numbers of two columns have nothing to do with each other; of bursts by time or likeness only one dataset knows. */
static bool one_burst(const Look *look, const Picture *a, const Picture *b) {
    const DatasetPlan *asks = look->asked->on->plan, *answers = look->asked->against->plan;
    bool column = asks->burst == BURST_COLUMN && answers->burst == BURST_COLUMN;
    if (column && strcmp(asks->burst_column, answers->burst_column)) return false;
    if (column) return a->burst && b->burst && !strcmp(a->burst, b->burst);
    return look->asked->on == look->asked->against && a->unit == b->unit;
}

static void count_right(const Look *look, int query, AskFacts *facts) {
    const Picture *asks = query_picture(look, query);
    bool any = false, right = false, own = false, apart = false;
    if (asks->identity_number < 0) return;
    for (int k = look->start[asks->identity_number]; k < look->start[asks->identity_number + 1]; k++) {
        int candidate = look->order[k];
        if (candidate == look->self[query]) continue;
        const Picture *answers = candidate_picture(look, candidate);
        bool together = one_burst(look, asks, answers);
        any = true;
        if (!pair_allowed(look->rule, query, candidate)) continue;
        right = true;
        apart |= !together;
        if (together && !own && !facts->burst) facts->query = asks->file, facts->frame = answers->file;
        own |= together;
    }
    facts->known += any;
    facts->answered += right;
    facts->burst += own;
    facts->apart += apart;
}

/* All that may answer: asked only where something is wrong, as it takes every pair. */
static void count_candidates(const Look *look, int query, AskFacts *facts) {
    int count = look->asked->candidates[look->member].count, kept = 0;
    for (int i = 0; i < count; i++) kept += i != look->self[query] && pair_allowed(look->rule, query, i);
    if (!facts->least || kept + 1 < facts->least) facts->least = kept + 1;
    if (kept > facts->most) facts->most = kept;
    facts->alone += !kept;
}

static bool may_be_wrong(const Look *look, int query) {
    int count = look->asked->candidates[look->member].count, own = query_picture(look, query)->identity_number;
    for (int i = 0; i < count; i++)
        if (i != look->self[query] && number_of(look, i) != own && pair_allowed(look->rule, query, i)) return true;
    return false;
}

static Look look_at(Arena *arena, const AskedPictures *asked, int member, const Expr *gallery, int *individual) {
    const PictureRows *queries = &asked->queries[member], *candidates = &asked->candidates[member];
    Look look = {.asked = asked, .member = member, .individual = individual, .self = asked_selves(arena, asked, member)};
    look.rule = gallery ? pair_rule(arena, gallery, asked->on, queries->which, queries->count, asked->against, candidates->which, candidates->count) : NULL;
    sort_candidates(&look, arena);
    return look;
}

bool count_asked(Jre *jre, const AskedPictures *asked, const Expr *gallery, AskFacts *facts) {
    Arena scratch = {.jre = jre};
    int *individual = asked_individuals(&scratch, asked);
    Look *looks = arena_array(&scratch, Look, asked->members + 1);
    bool decided = true;
    *facts = (AskFacts){0};
    for (int member = 0; member < asked->members && decided; member++) {
        looks[member] = look_at(&scratch, asked, member, gallery, individual);
        decided = !gallery || pair_rule_decided(jre, looks[member].rule, gallery);
        facts->queries += asked->queries[member].count;
        facts->candidates += asked->candidates[member].count;
        for (int query = 0; query < asked->queries[member].count && !jre->interrupted; query++) {
            count_right(&looks[member], query, facts);
            facts->doubtful = facts->doubtful || may_be_wrong(&looks[member], query);
        }
    }
    for (int member = 0; member < asked->members && decided && !facts->answered; member++)
        for (int query = 0; query < asked->queries[member].count && !jre->interrupted; query++) count_candidates(&looks[member], query, facts);
    facts->least -= facts->least > 0;
    arena_free(&scratch);
    return decided && !jre->interrupted;
}
