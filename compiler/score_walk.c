/* score_walk.c: what a score is made of: parts, the evidence of forests, the members of ensembles and who chooses for them, the embeds that all
 * these compare, and the trainings behind those.
 *
 * In: values of the plan. Out: each of what they are made of, once, the nearest first, with what it is a part of. Contract: it costs what there is,
 * not how often it is spoken of: forty ensembles, each with the one before as both its members, are a trillion ways to forty things. */
#include "compiler.h"

/* Of all but a score, which has no name. */
static const void *plan_of(PlanValue made) {
    const void *found = made.train ? (const void *)made.train : made.embed;
    return found ? found : made.boost ? (const void *)made.boost : made.ensemble;
}

static void reach(ScoreWalk *walk, PlanValue made, int from) {
    Reached reached = {made, from};
    if (plan_of(made) && seen_first(&walk->seen, walk->arena, plan_of(made))) list_add(walk->arena, &walk->reached, reached);
}

/* Its parts are as near as it is. */
static void reach_score(ScoreWalk *walk, const SimilarityPlan *score, int from) {
    if (!score || !seen_first(&walk->seen, walk->arena, score) || (walk->enters && !walk->enters(walk, score))) return;
    list_add(walk->arena, &walk->scores, score);
    reach(walk, (PlanValue){.embed = score->embed}, from);
    reach(walk, (PlanValue){.boost = score->boost}, from);
    reach(walk, (PlanValue){.ensemble = score->ensemble}, from);
    for (int i = 0; i < score->parts.count; i++) reach_score(walk, score->parts.at[i], from);
}

static void reach_parts(ScoreWalk *walk, int from) {
    const PlanValue made = walk->reached.at[from].made;
    const TrainList *trainings = made.embed ? &made.embed->from : made.train ? &made.train->from : NULL;
    for (int i = 0; trainings && i < trainings->count; i++) reach(walk, (PlanValue){.train = trainings->at[i]}, from);
    for (int i = 0; made.boost && i < made.boost->evidence.count; i++) reach_score(walk, made.boost->evidence.at[i], from);
    for (int i = 0; made.ensemble && i < made.ensemble->members.count; i++) reach_score(walk, made.ensemble->members.at[i], from);
    if (made.ensemble) reach_score(walk, made.ensemble->shortlist, from);
}

void score_walk(ScoreWalk *walk, PlanValue made) {
    if (made.score) reach_score(walk, made.score, -1);
    else reach(walk, made, -1);
    for (; walk->opened < walk->reached.count; walk->opened++) reach_parts(walk, walk->opened);
}

bool score_speaks_of(Jre *jre, const SimilarityPlan *score, const void *what) {
    Arena scratch = {.jre = jre};
    ScoreWalk walk = {.arena = &scratch};
    score_walk(&walk, (PlanValue){.score = score});
    const bool found = !seen_first(&walk.seen, &scratch, what);
    arena_free(&scratch);
    return found;
}
