/* check_scores.c: what scores can be added, filtered, and held against a number (LANGUAGE 3.6, decisions 10 and 11).
 *
 *   mixed_scores     cosines, counts, probabilities and ranks added as they are
 *   reversed_score   a score that falls where pictures are more alike
 *   filtered_index   a shortlist that is made before the filter which it is to fill
 *   metric_needs     a metric that these pictures or this score cannot give
 *   bare_threshold   a threshold on a cosine: allowed, and told
 *
 * All of it is read from the plan; no picture is looked at. */
#include "compiler.h"

#include <string.h>

/* ---- scales --------------------------------------------------------------------------------------------------------------- */

typedef enum { SCALE_COSINE, SCALE_DISTANCE, SCALE_COUNT, SCALE_PROBABILITY, SCALE_RANK } Scale;

static bool takes_ranks(const EnsemblePlan *ensemble) { return ensemble->combine && !strcmp(ensemble->combine, "rank_average"); }

/* Of a sum that of its first score: where others differ, mixed_scores says so. */
static Scale scale_of(const SimilarityPlan *s) {
    for (;;) {
        switch (s->kind) {
        case SCORE_COSINE: return SCALE_COSINE;
        case SCORE_GAP: return SCALE_DISTANCE;
        case SCORE_MATCHES: return SCALE_COUNT;
        case SCORE_BOOST: return SCALE_PROBABILITY;
        case SCORE_ENSEMBLE:
            if (takes_ranks(s->ensemble)) return SCALE_RANK;
            if (s->ensemble->calibrate) return SCALE_PROBABILITY;
            s = s->ensemble->members.at[0];
            break;
        case SCORE_MIX: case SCORE_WITHIN_SAME: s = s->parts.at[0]; break;
        }
    }
}

/* What is left without a filter or a factor around it. */
static const SimilarityPlan *bare_score(const SimilarityPlan *s) {
    while (s->kind == SCORE_WITHIN_SAME || (s->kind == SCORE_MIX && s->parts.count == 1)) s = s->parts.at[0];
    return s;
}

static const char *scale_text(Compilation *c, const SimilarityPlan *s) {
    const SimilarityPlan *bare = bare_score(s);
    switch (scale_of(s)) {
    case SCALE_COSINE: return "a cosine, from -1 to 1";
    case SCALE_DISTANCE: return "a distance, 0 or more";
    case SCALE_COUNT:
        if (bare->kind == SCORE_MATCHES && bare->embed->points) return arena_print(&c->arena, "a count of key points, from 0 to %d", bare->embed->points);
        return "a count of key points, 0 or more";
    case SCALE_PROBABILITY: return "a probability, from 0 to 1";
    case SCALE_RANK: return "a rank among the candidates, from 0 to 1";
    }
    return "";
}

/* ---- pictures to calibrate on, and how to say so ---------------------------------------------------------------------------- */

/* A part that no evaluation of this score examines; NULL: the document has none. */
static const char *part_to_fit_on(Compilation *c, const SplitPlan *folds) {
    if (folds && folds->decl->scope == c->scope) return arena_print(&c->arena, "%s.others", folds->name);
    for (int i = 0; i < c->plan->evaluations.count; i++) {
        const SplitPlan *split = c->plan->evaluations.at[i]->on.split;
        if (!split || split->decl->scope != c->scope) continue;
        if (split->folds) return arena_print(&c->arena, "%s.others", split->name);
        for (int k = 0; k < split->parts.count; k++)
            if (!strcmp(split->parts.at[k], "validate")) return arena_print(&c->arena, "%s.validate", split->name);
    }
    return NULL;
}

static const char *calibrating(Compilation *c, const char *name, const char *members, const char *more, const char *part) {
    return arena_print(&c->arena, "ensemble %s {\n  members   [%s]\n  calibrate isotonic\n%s  fit_on    %s\n}", name, members, more, part);
}

/* ---- mixed_scores ------------------------------------------------------------------------------------------------------------- */

/* The equation of the document whose whole value is this sum; NULL if it stands elsewhere. */
static const Decl *equation_of(Compilation *c, Span value) {
    for (int i = 0; i < c->scope->names.count; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        bool whole = decl && decl->kind == STATEMENT_EQUATION && decl->value && !decl->each && decl->value->span.start == value.start && decl->value->span.end == value.end;
        if (whole && span_holds(decl->statement->span, value)) return decl;
    }
    return NULL;
}

static void help_with_sum(Compilation *c, Diagnostic *d, const SimilarityPlan *sum) {
    const Decl *decl = equation_of(c, sum->span);
    const char *part = part_to_fit_on(c, sum->folds), *members = "", *weights = "";
    bool plain = sum->constant == 0;
    for (int i = 0; i < sum->parts.count; i++) {
        members = arena_print(&c->arena, "%s%s%s", members, i ? ", " : "", span_text(c->jre, sum->parts.at[i]->span));
        weights = arena_print(&c->arena, "%s%s%.9g", weights, i ? ", " : "", sum->weights.at[i]);
        plain &= sum->weights.at[i] > 0;
    }
    diag_help(d, "bring them to one scale first: an `ensemble` calibrates its members before it adds them");
    if (decl && part && plain)
        diag_edit(d, decl->statement->span, false, "%s", calibrating(c, decl->name, members, arena_print(&c->arena, "  weights   [%s]\n", weights), part));
}

static void help_with_ensemble(Compilation *c, Diagnostic *d, const EnsemblePlan *ensemble) {
    const uint32_t end = setting_span(ensemble->decl, "members").end;
    const char *part = ensemble->fit_on.dataset ? NULL : part_to_fit_on(c, ensemble->folds);
    if (ensemble->fit_on.dataset || part) {
        diag_help(d, "bring them to one scale first");
        diag_edit(d, (Span){end, end}, part == NULL, "\n  calibrate isotonic%s%s", part ? "\n  fit_on    " : "", part ? part : "");
    }
    diag_help(d, "or let them vote by rank, which needs no scale");
    if (plan_has(ensemble->decl, "combine")) diag_edit(d, setting_span(ensemble->decl, "combine"), false, "rank_average");
    else diag_edit(d, (Span){end, end}, false, "\n  combine   rank_average");
}

/* `at`: the sum, or the list of members. `first` and `other` are of two scales. */
static Diagnostic *mixed(Compilation *c, Span at, const SimilarityPlan *first, const SimilarityPlan *other, const char *verb) {
    const bool here = span_holds(at, first->span) && span_holds(at, other->span);
    Diagnostic *d = here ? diag(c->jre, DIAG_mixed_scores, other->span, "%s", scale_text(c, other))
                         : diag(c->jre, DIAG_mixed_scores, at, "scores of two scales are %s as they are", verb);
    diag_also(d, first->span, here ? "%s; the two are %s as they are" : "%s", scale_text(c, first), verb);
    if (!here) diag_also(d, other->span, "%s", scale_text(c, other));
    diag_note(d, "0.3 more of the one means something else than 0.3 more of the other. The score that\n"
                 "is spread widest decides nearly alone, whatever the weights say.");
    return d;
}

/* The first of them that is of another scale than the first of all; NULL: there is none. */
static const SimilarityPlan *unlike(SimilarityPlan *const *scores, int count) {
    for (int i = 1; i < count; i++)
        if (scale_of(scores[i]) != scale_of(scores[0])) return scores[i];
    return NULL;
}

static void check_sum(Compilation *c, const SimilarityPlan *sum) {
    const SimilarityPlan *other = unlike(sum->parts.at, sum->parts.count);
    if (other && !overruled_anywhere(c, DIAG_mixed_scores, sum->span, sum->span)) help_with_sum(c, mixed(c, sum->span, sum->parts.at[0], other, "added"), sum);
}

static void check_members(Compilation *c, const EnsemblePlan *ensemble) {
    const SimilarityPlan *other = ensemble->calibrate || takes_ranks(ensemble) ? NULL : unlike(ensemble->members.at, ensemble->members.count);
    const Span members = setting_span(ensemble->decl, "members");
    if (!other || overruled_anywhere(c, DIAG_mixed_scores, members, ensemble->span)) return;
    help_with_ensemble(c, mixed(c, members, ensemble->members.at[0], other, "averaged"), ensemble);
}

/* ---- reversed_score -------------------------------------------------------------------------------------------------------------- */

/* 1, -1; 0: some of its parts count for and some against. */
static int sign_of(const SimilarityPlan *mix) {
    int positive = 0, negative = 0;
    for (int i = 0; i < mix->parts.count; i++) {
        positive += mix->weights.at[i] > 0;
        negative += mix->weights.at[i] < 0;
    }
    return positive && !negative ? 1 : negative && !positive ? -1 : 0;
}

/* The sum whose sign turns all of a score around; NULL: it rises, or nobody can say. */
static const SimilarityPlan *turned_by(const SimilarityPlan *s) {
    const SimilarityPlan *turns = NULL;
    int sign = 1;
    while (s->kind == SCORE_MIX || s->kind == SCORE_WITHIN_SAME) {
        const int here = s->kind == SCORE_MIX ? sign_of(s) : 1;
        if (here < 0) turns = s;
        sign *= here;
        if (s->parts.count != 1) break;
        s = s->parts.at[0];
    }
    return sign < 0 ? turns : NULL;
}

/* With the signs turned; NULL: of a part that is piped into its filter only the filter is at hand. */
static const char *turned_back(Compilation *c, const SimilarityPlan *mix) {
    const char *text = "";
    for (int i = 0; i < mix->parts.count; i++) {
        const SimilarityPlan *part = mix->parts.at[i];
        if (part->kind == SCORE_WITHIN_SAME && !span_holds(part->span, part->parts.at[0]->span)) return NULL;
        const char *weight = mix->weights.at[i] == -1 ? "" : arena_print(&c->arena, "%.9g * ", -mix->weights.at[i]);
        if (mix->weights.at[i] != 0) text = arena_print(&c->arena, "%s%s%s%s", text, *text ? " + " : "", weight, span_text(c->jre, part->span));
    }
    return text;
}

/* Once for each place, however many ask by it. */
static void check_direction(Compilation *c, const SimilarityPlan *score, Span asked, const char *name, Seen *told) {
    const SimilarityPlan *mix = turned_by(score);
    if (!mix || overruled_anywhere(c, DIAG_reversed_score, mix->span, asked)) return;
    if (!seen_first(told, &c->arena, (const void *)(uintptr_t)(mix->span.start + 1))) return;
    Diagnostic *d = diag(c->jre, DIAG_reversed_score, mix->span, "this falls where two pictures are more alike");
    diag_also(d, asked, "`%s` puts the highest score first", name);
    diag_note(d, "the least alike would be found first: the better the network, the worse its score.");
    const char *back = turned_back(c, mix);
    diag_help(d, "a score rises with likeness%s", back ? "" : ": turn the sign");
    if (back) diag_edit(d, mix->span, false, "%s", back);
}

static void check_directions(Compilation *c) {
    const Plan *plan = c->plan;
    Seen told = {0};
    for (int i = 0; i < plan->evaluations.count; i++) check_direction(c, plan->evaluations.at[i]->similarity, plan->evaluations.at[i]->span, plan->evaluations.at[i]->name, &told);
    for (int i = 0; i < plan->submissions.count; i++) check_direction(c, plan->submissions.at[i]->similarity, plan->submissions.at[i]->span, plan->submissions.at[i]->name, &told);
}

/* ---- filtered_index ------------------------------------------------------------------------------------------------------------ */

typedef struct { const SimilarityPlan *chosen_by; Span span; int top; } Shortlist;      /* top: places on it; 0: nothing says how many */

/* Does this score put candidates that differ in the column behind all others? */
static bool asks_for(Compilation *c, const SimilarityPlan *s, const char *column, Seen *seen) {
    const bool filter = s->kind == SCORE_WITHIN_SAME;
    if (filter && !strcmp(s->column, column)) return true;
    if ((!filter && s->kind != SCORE_MIX) || !seen_first(seen, &c->arena, s)) return false;
    for (int i = 0; i < s->parts.count; i++)
        if (asks_for(c, s->parts.at[i], column, seen)) return true;
    return false;
}

static Shortlist shortlist_of(const SimilarityPlan *s) {
    const EnsemblePlan *ensemble = s->ensemble;
    if (s->kind == SCORE_MATCHES) return (Shortlist){s->parts.at[0], s->shortlist_span, s->top};
    if (!ensemble || !ensemble->shortlist) return (Shortlist){0};
    const Setting *budget = plan_setting(ensemble->decl, "budget");
    return (Shortlist){ensemble->shortlist, setting_span(ensemble->decl, "shortlist"), budget && budget->value->kind == EXPR_NUMBER ? (int)budget->value->number : 0};
}

typedef struct { Compilation *c; const char *column; Shortlist found; } Search;

/* Into all but what asks for the column, until a shortlist turns up that does not. */
static bool looks_for_shortlist(ScoreWalk *walk, const SimilarityPlan *s) {
    Search *search = walk->context;
    const Shortlist here = shortlist_of(s);
    Seen filters = {0};
    if (here.chosen_by && !search->found.chosen_by && !asks_for(search->c, here.chosen_by, search->column, &filters)) search->found = here;
    return !here.chosen_by && !search->found.chosen_by && !(s->kind == SCORE_WITHIN_SAME && !strcmp(s->column, search->column));
}

/* The most pictures that a query finds beside itself, or in the part that answers; 0: nobody has counted them. */
static int candidates_in(const Compilation *c, const PartPlan *on, const PartPlan *against) {
    const bool itself = !against || !against->dataset;
    PartPlan part = itself ? *on : *against;
    const SplitPlan *folds = folds_of_part(&part);
    int most = 0;
    for (int fold = folds ? 1 : 0; fold <= (folds ? folds->folds : 0); fold++) {
        PartFacts facts;
        if (fold) part.fold = fold;
        if (!c->facts.part(c->facts.context, &part, &facts)) return 0;
        if (facts.pictures - itself > most) most = facts.pictures - itself;
    }
    return most;
}

/* .. where this score is asked. */
static int candidates(const Compilation *c, const SimilarityPlan *score) {
    const Plan *plan = c->plan;
    int most = 0;
    if (!c->with_data || !c->facts.part) return 0;
    for (int i = 0; i < plan->evaluations.count; i++) {
        const EvaluatePlan *e = plan->evaluations.at[i];
        const int there = score_speaks_of(c->jre, e->similarity, score) ? candidates_in(c, &e->on, &e->against) : 0;
        if (there > most) most = there;
    }
    for (int i = 0; i < plan->submissions.count; i++) {
        const SubmitPlan *submission = plan->submissions.at[i];
        const int there = score_speaks_of(c->jre, submission->similarity, score) ? candidates_in(c, &submission->on, NULL) : 0;
        if (there > most) most = there;
    }
    return most;
}

static void check_filter(Compilation *c, const SimilarityPlan *filter) {
    Search search = {.c = c, .column = filter->column};
    ScoreWalk walk = {.arena = &c->arena, .enters = looks_for_shortlist, .context = &search};
    score_walk(&walk, (PlanValue){.score = filter->parts.at[0]});
    const Shortlist shortlist = search.found;
    if (!shortlist.chosen_by || overruled_anywhere(c, DIAG_filtered_index, filter->span, filter->span)) return;
    const int all = candidates(c, filter);
    if (all && shortlist.top >= all) return;
    Diagnostic *d = diag(c->jre, DIAG_filtered_index, filter->span, "here only candidates of the same %s count", filter->column);
    diag_also(d, shortlist.span, "but the shortlist is made before, of all of them");
    const char *places = grouped_text(&c->arena, shortlist.top);
    if (all && shortlist.top) diag_fact(d, "the list of a query takes %s of %s candidates, and each of another %s leaves its place empty.", places, grouped_text(&c->arena, all), filter->column);
    else if (shortlist.top) diag_fact(d, "the list of a query takes %s candidate%s, and each of another %s leaves its place empty.", places, shortlist.top == 1 ? "" : "s", filter->column);
    diag_note(d, "the right answer may stand just behind the last place: it would never be looked at.");
    diag_help(d, "filter first, then make the list");
    diag_edit(d, (Span){shortlist.span.end, shortlist.span.end}, false, " |> within_same(%s)", filter->column);
}

/* ---- metric_needs and bare_threshold --------------------------------------------------------------------------------------------- */

/* The split that lets nobody whom it examines be met in training; NULL: there is none. Of splits of a part of another the innermost decides
 * who is met. */
static const SplitPlan *strangers_on(const PartPlan *part) {
    return part->split && part->split->disjoint && strcmp(part->part, "train") != 0 ? part->split : NULL;
}

static bool names_individuals(const MetricPlan *metric) { return metric->metric == METRIC_accuracy || metric->metric == METRIC_balanced_accuracy; }

static const char *words_of(Compilation *c, const char *name) {
    char *words = arena_copy(&c->arena, name, strlen(name));
    for (char *at = words; *at; at++)
        if (*at == '_') *at = ' ';
    return words;
}

/* The list without metrics that name individuals, and with rank1. */
static const char *without_names(Compilation *c, const EvaluatePlan *e) {
    const char *kept = "";
    bool ranked = false;
    for (int i = 0; i < e->metrics.count; i++) {
        if (names_individuals(&e->metrics.at[i])) continue;
        ranked |= e->metrics.at[i].metric == METRIC_rank1;
        kept = arena_print(&c->arena, "%s%s%s", kept, *kept ? ", " : "", span_text(c->jre, e->metrics.at[i].span));
    }
    return ranked ? kept : arena_print(&c->arena, "%s%srank1", kept, *kept ? ", " : "");
}

static void check_naming(Compilation *c, const EvaluatePlan *e) {
    const SplitPlan *split = strangers_on(&e->on);
    const MetricPlan *naming = NULL;
    for (int i = e->metrics.count - 1; i >= 0 && split; i--)
        if (names_individuals(&e->metrics.at[i])) naming = &e->metrics.at[i];
    if (!naming || overruled_anywhere(c, DIAG_metric_needs, naming->span, e->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_metric_needs, naming->span, "to name an individual, it must have been met in training");
    diag_also(d, split->identities_span, "here no animal of the %s part was", words_of(c, e->on.part));
    diag_note(d, "%s would be 0 for every network there is.", metric_rows[naming->metric].word);
    diag_help(d, "measure retrieval, which needs no names");
    diag_edit(d, setting_span(e->decl, "metrics"), false, "[%s]", without_names(c, e));
}

/* Is it, or what gives it its scale, of several scales? mixed_scores tells it. */
static bool is_mixed(const SimilarityPlan *s) {
    for (;;) {
        const EnsemblePlan *ensemble = s->ensemble && !s->ensemble->calibrate && !takes_ranks(s->ensemble) ? s->ensemble : NULL;
        if (!ensemble && s->kind != SCORE_MIX && s->kind != SCORE_WITHIN_SAME) return false;
        SimilarityPlan *const *parts = ensemble ? ensemble->members.at : s->parts.at;
        if (unlike(parts, ensemble ? ensemble->members.count : s->parts.count)) return true;
        s = parts[0];
    }
}

static bool is_mean(const SimilarityPlan *s) { return s->kind == SCORE_ENSEMBLE || (s->kind == SCORE_MIX && s->parts.count > 1); }

static void threshold_on_ranks(Compilation *c, const MetricPlan *metric, const SimilarityPlan *score) {
    const bool ranks = scale_of(score) == SCALE_RANK;
    const EnsemblePlan *ensemble = score->ensemble;
    Diagnostic *d = diag(c->jre, DIAG_metric_needs, metric->span, "a threshold asks how alike two pictures are");
    if (ensemble && plan_has(ensemble->decl, "combine")) diag_also(d, setting_span(ensemble->decl, "combine"), ranks ? "ranks say only who is more alike than the others" : "a mean of counts");
    else diag_also(d, score->span, ranks ? "ranks say only who is more alike than the others" : "a mean of counts");
    diag_note(d, ranks ? "the best of many strangers has the best rank too: every query would be assigned."
                       : "how many key points there are to count differs from picture to picture.");
    diag_help(d, "calibrate the score, and let its members give their mean: then `at` is a probability");
    const char *part = ensemble && !ensemble->fit_on.dataset ? part_to_fit_on(c, ensemble->folds) : NULL;
    if (!ensemble || !plan_has(ensemble->decl, "combine") || !(part || ensemble->fit_on.dataset)) return;
    diag_edit(d, setting_span(ensemble->decl, "combine"), false, "mean%s%s%s", ensemble->calibrate ? "" : "\n  calibrate isotonic", part ? "\n  fit_on    " : "", part ? part : "");
}

/* The evaluation with a calibrated score in front of it, if all of that stands in one place. */
static void help_with_threshold(Compilation *c, Diagnostic *d, const EvaluatePlan *e) {
    const Span whole = e->decl->statement->span, score = setting_span(e->decl, "similarity");
    const char *part = part_to_fit_on(c, e->similarity->folds);
    diag_help(d, "calibrate the score on pictures that are not examined: then `at` is a probability");
    const bool own = source_of(c->jre, whole) == c->document->document->source;
    if (!part || !own || !span_holds(whole, score) || scope_find(c->scope, intern(c->jre, "calibrated"))) return;
    diag_edit(d, (Span){whole.start, score.end}, false, "%s\n\n%scalibrated", calibrating(c, "calibrated", span_text(c->jre, score), "", part),
              span_text(c->jre, (Span){whole.start, score.start}));
}

static void threshold_on_cosine(Compilation *c, const EvaluatePlan *e, const MetricPlan *metric, const SimilarityPlan *score) {
    Diagnostic *d = diag(c->jre, DIAG_bare_threshold, metric->span, "nobody knows how many wrong answers a cosine of %g lets in", metric->at);
    diag_also(d, score->span, is_mean(score) ? "a weighted sum of cosines" : "a bare cosine");
    diag_note(d, "cosines of another network, or of other animals, lie elsewhere: the number holds for these\npictures only.");
    help_with_threshold(c, d, e);
}

/* at = 70 on a scale that ends at 1: percent were meant. False: it can be reached. */
static bool out_of_reach(Compilation *c, const MetricPlan *metric, Scale scale, const SimilarityPlan *score) {
    const double low = scale == SCALE_COSINE ? -1 : 0;
    while (score->kind == SCORE_WITHIN_SAME) score = score->parts.at[0];
    if (scale == SCALE_COUNT || scale == SCALE_DISTANCE || score->kind == SCORE_MIX || (metric->at >= low && metric->at <= 1)) return false;
    Diagnostic *d = diag(c->jre, DIAG_broken_condition, metric->span, "no score of this evaluation is %s %g", metric->at > 1 ? "as high as" : "as low as", metric->at);
    diag_also(d, score->span, "%s", scale_text(c, score));
    const bool share = metric->at >= 10 && metric->at <= 100;
    diag_help(d, share ? "was a share meant?" : "write a number of that range");
    if (share) diag_edit(d, metric->span, false, "%s(at = %g%%)", metric_rows[metric->metric].word, metric->at);
    return true;
}

/* Told once an evaluation, of its first threshold. */
static void check_threshold(Compilation *c, const EvaluatePlan *e) {
    const SimilarityPlan *score = bare_score(e->similarity);
    const Scale scale = scale_of(score);
    const bool unanswerable = scale == SCALE_RANK || (scale == SCALE_COUNT && is_mean(score));
    const MetricPlan *metric = NULL;
    for (int i = e->metrics.count - 1; i >= 0; i--)
        if (e->metrics.at[i].at == e->metrics.at[i].at) metric = &e->metrics.at[i];         /* NaN: it has no threshold */
    if (!metric || (!unanswerable && out_of_reach(c, metric, scale, e->similarity))) return;
    if ((!unanswerable && scale != SCALE_COSINE) || is_mixed(score)) return;
    if (overruled_anywhere(c, unanswerable ? DIAG_metric_needs : DIAG_bare_threshold, metric->span, e->span)) return;
    if (unanswerable) threshold_on_ranks(c, metric, score);
    else threshold_on_cosine(c, e, metric, score);
}

void check_scores(Compilation *c) {
    const Plan *plan = c->plan;
    ScoreWalk walk = {.arena = &c->arena};
    for (int i = 0; i < plan->boosts.count; i++) score_walk(&walk, (PlanValue){.boost = plan->boosts.at[i]});
    for (int i = 0; i < plan->ensembles.count; i++) score_walk(&walk, (PlanValue){.ensemble = plan->ensembles.at[i]});
    for (int i = 0; i < plan->submissions.count; i++) score_walk(&walk, (PlanValue){.score = plan->submissions.at[i]->similarity});
    for (int i = 0; i < plan->evaluations.count; i++) score_walk(&walk, (PlanValue){.score = plan->evaluations.at[i]->similarity});
    for (int i = 0; i < walk.scores.count; i++) {
        if (walk.scores.at[i]->kind == SCORE_MIX) check_sum(c, walk.scores.at[i]);
        if (walk.scores.at[i]->kind == SCORE_WITHIN_SAME) check_filter(c, walk.scores.at[i]);
    }
    check_directions(c);
    for (int i = 0; i < plan->ensembles.count; i++) check_members(c, plan->ensembles.at[i]);
    for (int i = 0; i < plan->evaluations.count; i++) {
        check_naming(c, plan->evaluations.at[i]);
        check_threshold(c, plan->evaluations.at[i]);
    }
}
