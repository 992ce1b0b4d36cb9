/* check_spaces.c: what may stand beside what: numbers of one network, and scores of one protocol (LANGUAGE 3.6, the fold rules of 3.10).
 *
 *   mixed_spaces     numbers of two networks are compared, pooled or shown together; a network that is trained by folds is one for each fold
 *   other_protocol   scores are compared whose pictures, gallery or average differ
 *
 * A score is compared across versions in `expect`, and anywhere in compare(..) and ladder(..). All is read from the plan. */
#include "compiler.h"

#include <string.h>

/* ---- mixed_spaces -------------------------------------------------------------------------------------------------------------- */

/* Points of several folds on one map. */
static void check_map(Compilation *c, const FigurePlan *figure) {
    const Value *show = setting_value(c, figure->decl, "show", figure->choices), *features = show ? option_argument(show, "features") : NULL;
    const EmbedPlan *embed = features && features->kind == VALUE_RECORD ? plan_of_record(c, features->decl, features->choices) : NULL;
    const Span on = setting_span(figure->decl, "on");
    PartPlan part;
    if (!embed || !embed->folds || !plan_has(figure->decl, "on")) return;
    if (!part_from_value(c, setting_value(c, figure->decl, "on", figure->choices), on, &part)) return;
    const int met = fold_met(c, &part, embed->folds);
    if ((met != EACH_FOLD && met != SOME_FOLD) || overruled_anywhere(c, DIAG_mixed_spaces, on, figure->span)) return;
    const char *number = number_word(&c->arena, embed->folds->folds), *name = embed->folds->name;
    Diagnostic *d = diag(c->jre, DIAG_mixed_spaces, on, "%s folds, %s networks: their numbers cannot share one map", number, number);
    diag_help(d, "show one fold");
    diag_edit(d, on, true, "%s[1].%s", name, met == EACH_FOLD ? part.part : "held_out");
}

/* A whole dataset that a network learned by folds: no one network has not met it. fits: its scores are fitted on, not reported. */
static void check_part(Compilation *c, const Decl *decl, const PartPlan *part, const char *key, const SplitPlan *folds, bool fits) {
    const Span at = setting_span(decl, key);
    if (!folds || !part->dataset || fold_met(c, part, folds) != SOME_FOLD || overruled_anywhere(c, DIAG_mixed_spaces, at, decl->statement->name_span)) return;
    const char *number = number_word(&c->arena, folds->folds);
    Diagnostic *d = diag(c->jre, DIAG_mixed_spaces, at, "%s folds, %s networks: a picture of one cannot be compared with one of another", number, number);
    diag_also(d, folds->span, "each picture is held out by one of these, and learned by the others");
    diag_help(d, fits ? "fit on the other folds, each picture seen by the network that has not learned it" : "let each fold examine the pictures that it holds out");
    diag_edit(d, at, !part->split && part->dataset == folds->data, fits ? "%s.others" : "%s.held_out", folds->name);
}

/* What is fitted on the pictures that it is examined on was told, and is mended by the same words. */
static void check_fit(Compilation *c, const Decl *decl, const PartPlan *fit_on, const SplitPlan *folds) {
    for (int i = 0; i < c->jre->diagnostics.count; i++) {
        const Diagnostic *d = c->jre->diagnostics.at[i];
        if (d->code == DIAG_tuned_on_the_yardstick && d->span.start == fit_on->span.start && d->span.end == fit_on->span.end) return;
    }
    check_part(c, decl, fit_on, "fit_on", folds, true);
}

/* Queries of one fold, candidates of another. */
static void check_folds(Compilation *c, const EvaluatePlan *e) {
    const SplitPlan *folds = e->similarity->folds;
    const Span at = setting_span(e->decl, "against");
    if (!folds || !e->against.dataset) return;
    const int asking = fold_met(c, &e->on, folds), answering = fold_met(c, &e->against, folds);
    if (asking < 0 || answering < 0 || asking == answering || overruled_anywhere(c, DIAG_mixed_spaces, at, e->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_mixed_spaces, at, answering ? arena_print(&c->arena, "the network of fold %d answers", answering) : "each fold's network answers");
    diag_also(d, setting_span(e->decl, "on"), asking ? arena_print(&c->arena, "the network of fold %d asks", asking) : "each fold's network asks");
    diag_help(d, "let the pictures of one fold answer it");
    diag_edit(d, at, !asking || !answering, asking ? arena_print(&c->arena, "%s[%d].%s", folds->name, asking, e->against.part) : arena_print(&c->arena, "%s.%s", folds->name, e->against.part));
}

/* The list without a gap, where it has the cosine of the same embeddings already; NULL: it has not. */
static const char *without_gap(Compilation *c, const BoostPlan *boost, const SimilarityPlan *gap) {
    const char *rest = "";
    bool cosine = false;
    for (int i = 0; i < boost->evidence.count; i++) {
        const SimilarityPlan *other = boost->evidence.at[i];
        cosine |= other->kind == SCORE_COSINE && other->embed == gap->embed;
        if (other != gap) rest = arena_print(&c->arena, "%s%s%s", rest, *rest ? ", " : "", span_text(c->jre, other->span));
    }
    return cosine ? rest : NULL;
}

/* A forest that learns from differences number by number, in spaces that it is not asked about. */
static void check_gaps(Compilation *c, const BoostPlan *boost) {
    for (int i = 0; i < boost->evidence.count; i++) {
        const SimilarityPlan *gap = boost->evidence.at[i];
        if (gap->kind != SCORE_GAP || !gap->folds || !boost->fit_on.split || !same_split(c->jre, boost->fit_on.split, gap->folds)) continue;
        if (!boost->fit_on.fold && strcmp(boost->fit_on.part, "others") != 0) continue;
        if (overruled_anywhere(c, DIAG_mixed_spaces, gap->span, boost->span)) continue;
        Diagnostic *d = diag(c->jre, DIAG_mixed_spaces, gap->span, "number by number, in a space that each fold has for itself");
        diag_also(d, boost->fit_on.span, "fitted in the spaces of other folds");
        diag_note(d, "each fold trains a network of its own: the seventh number of one means something else than\nthe seventh of another.");
        const char *text = span_text(c->jre, gap->span), *rest = without_gap(c, boost, gap);
        diag_help(d, rest ? "take it out: one number stands for the difference already" : "let one number stand for the difference");
        if (rest) diag_edit(d, setting_span(boost->decl, "evidence"), false, "[%s]", rest);
        else if (!strncmp(text, "gap(", 4)) diag_edit(d, gap->span, false, "cosine(%s", text + 4);
    }
}

/* Files of weights by content: equal ones are one space. */
typedef struct { const WeightScope *at[64]; int count; } Spaces;

static uint64_t space_of(Spaces *spaces, const WeightScope *weights) {
    if (!weights || !weights->path) return 0;
    for (int i = 0; i < spaces->count; i++)
        if (!strcmp(spaces->at[i]->path, weights->path) || (weights->hash && spaces->at[i]->hash && !strcmp(spaces->at[i]->hash, weights->hash))) return (uint64_t)1 << i;
    if (spaces->count == 64) return 0;
    spaces->at[spaces->count] = weights;
    return (uint64_t)1 << spaces->count++;
}

static const WeightScope *first_of(const Spaces *spaces, uint64_t set) {
    for (int i = 0; i < spaces->count; i++)
        if (set >> i & 1) return spaces->at[i];
    return NULL;
}

static void tell_added(Compilation *c, const EmbedPlan *embed, const Node *node, const WeightScope *first, const WeightScope *second) {
    const Span at = node->origin ? origin_user_span(node->origin) : embed->span;
    if (overruled_anywhere(c, DIAG_mixed_spaces, at, embed->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_mixed_spaces, at, "lists of numbers of two networks become one, number by number");
    diag_also(d, first->span, "one network");
    diag_also(d, second->span, "another");
    diag_note(d, "the two were never trained together: the seventh number of one means something else than\nthe seventh of the other.");
    diag_help(d, "let them stand side by side: concat([one, other])");
}

/* Inside a network that nobody trains any further. */
static void check_network(Compilation *c, const EmbedPlan *embed) {
    if (embed->train || !embed->program) return;
    const Graph *g = embed->program->graph;
    uint64_t *from = arena_array(&c->arena, uint64_t, g->nodes.count + 1);
    Spaces spaces = {.count = 0};
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        from[i] = space_of(&spaces, node->weights);
        for (int k = 0; k < node->inputs; k++) {
            const Node *operand = node->in[k];
            if (!operand) continue;
            for (int other = 0; other < k && node->op != OP_concat; other++) {
                const Node *before = node->in[other];
                const bool lists = before && before->varies && operand->varies && operand->shape.rank == 2 && shape_equal(before->shape, operand->shape);
                if (!lists || !from[before->id] || !from[operand->id] || (from[before->id] & from[operand->id])) continue;
                tell_added(c, embed, node, first_of(&spaces, from[before->id]), first_of(&spaces, from[operand->id]));
                return;
            }
            from[i] |= from[operand->id];
        }
    }
}

/* ---- other_protocol --------------------------------------------------------------------------------------------------------------- */

typedef struct { const EvaluatePlan *plan; Span span; } Mentioned;
typedef struct { Compilation *c; const Choice *choices; LIST(Mentioned) found; } Mentions;

static const char *called(Compilation *c, const EvaluatePlan *e) {
    const char *name = e->decl->scope == c->scope ? e->name : arena_print(&c->arena, "%s.%s", e->decl->scope->name, e->name);
    for (int i = 0; i < e->member.count; i++) name = arena_print(&c->arena, "%s[%s = %s]", name, e->member.at[i].axis, e->member.at[i].choice);
    return name;
}

static bool same_answers(Jre *jre, const PartPlan *a, const PartPlan *b) { return a->dataset && b->dataset ? same_pictures(jre, a, b) : !a->dataset && !b->dataset; }

/* The setting in which two protocols differ first; NULL: they are one. */
static const char *difference(Jre *jre, const EvaluatePlan *a, const EvaluatePlan *b) {
    if (!same_pictures(jre, &a->on, &b->on)) return "on";
    if (!same_answers(jre, &a->against, &b->against)) return "against";
    if (!a->gallery != !b->gallery || (a->gallery && !expr_equal(a->gallery, b->gallery))) return "gallery";
    if (a->average_identity != b->average_identity) return "average";
    return a->lonely_zero != b->lonely_zero ? "lonely" : NULL;
}

static const char *difference_text(const EvaluatePlan *e, const char *key) {
    if (!strcmp(key, "on")) return "asks about other pictures";
    if (!strcmp(key, "against")) return "lets other pictures answer";
    if (!strcmp(key, "gallery")) return e->gallery ? "lets fewer pictures answer" : "lets all pictures answer";
    if (!strcmp(key, "average")) return e->average_identity ? "counts every individual the same" : "counts every query the same";
    return e->lonely_zero ? "counts a query without an answer as 0" : "skips a query without an answer";
}

/* Where two splits of the same pictures were told different things: "`folds` has seed 8, there 7". */
static void tell_splits(Compilation *c, Diagnostic *d, const SplitPlan *here, const SplitPlan *there) {
    KeyDifferences differences = {0};
    key_compare(c->jre, &c->arena, there->key, here->key, NULL, &differences);
    for (int i = 0; i < differences.count && i < 3; i++) {
        const KeyDifference *found = &differences.at[i];
        if (found->old && found->now) diag_fact(d, "`%s` has %s %s here, and %s there.", here->name, found->name, found->now, found->old);
        else diag_fact(d, "`%s` says %s %s %s only.", here->name, found->name, found->now ? found->now : found->old, found->now ? "here" : "there");
    }
}

/* What the one says, for the other to say it too. */
static void help_to_agree(Compilation *c, Diagnostic *d, const EvaluatePlan *here, const EvaluatePlan *there, const char *key) {
    const bool said = plan_has(there->decl, key), chosen = !strcmp(key, "average") || !strcmp(key, "lonely");
    const char *wanted = said ? span_text(c->jre, setting_span(there->decl, key)) : chosen ? schema_find(KIND_evaluate, key)->fallback : NULL;
    const uint32_t end = setting_span(here->decl, "metrics").end;
    const bool parts = !strcmp(key, "on") || !strcmp(key, "against"), same_words = wanted && plan_has(here->decl, key) && !strcmp(wanted, span_text(c->jre, setting_span(here->decl, key)));
    if (same_words) diag_help(d, "let both versions split their pictures in the same way");
    else diag_help(d, "judge both in the same way");
    if (!wanted || parts) return;
    if (plan_has(here->decl, key)) diag_edit(d, setting_span(here->decl, key), false, "%s", wanted);
    else diag_edit(d, (Span){end, end}, false, "\n  %-10s %s", key, wanted);
}

/* Told in the declaration of the document itself, if one of the two is, else in the later one. */
static void hold_together(Compilation *c, const Mentioned *first, const Mentioned *second) {
    const char *key = difference(c->jre, first->plan, second->plan);
    const bool turned = first->plan->decl->scope == c->scope && second->plan->decl->scope != c->scope;
    const EvaluatePlan *here = turned ? first->plan : second->plan, *there = turned ? second->plan : first->plan;
    const Span at = key ? setting_span(here->decl, key) : NOWHERE, other = key ? setting_span(there->decl, key) : NOWHERE;
    if (!key || overruled_anywhere(c, DIAG_other_protocol, at, here->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_other_protocol, at, "`%s` %s", called(c, here), difference_text(here, key));
    if (other.start != at.start) diag_also(d, other, "`%s` %s", called(c, there), strcmp(key, "on") && strcmp(key, "against") ? difference_text(there, key) : "asks these");
    diag_also(d, turned ? second->span : first->span, "and `%s` is compared with it", called(c, there));
    if (!strcmp(key, "on") && here->on.split && there->on.split) tell_splits(c, d, here->on.split, there->on.split);
    diag_note(d, "the difference of the two scores would be that of the rules as well, and nobody could tell\nhow much of it.");
    help_to_agree(c, d, here, there, key);
}

static void compare_all(Compilation *c, const Mentions *mentions, bool versions_only) {
    for (int i = 1; i < mentions->found.count; i++)
        for (int k = 0; k < i; k++) {
            const Mentioned *first = &mentions->found.at[k], *second = &mentions->found.at[i];
            if (!versions_only || first->plan->decl->scope != second->plan->decl->scope) hold_together(c, first, second);
        }
}

/* Of best(cv, by = map) the first member stands for all: which one is best is known after the run. */
static const Choice *some_choices(Compilation *c, const Value *v, Span span) {
    AxisList axes = {0};
    MemberList members = {0};
    axes_of_decl(c, v->decl, &axes);
    members_of_axes(c, &axes, span, &members);
    return members.count ? members.at[0].choices : NULL;
}

static void mention_value(Mentions *mentions, const Value *v, Span span) {
    const bool result = (v->kind == VALUE_RECORD || v->kind == VALUE_METRIC) && v->decl && v->decl->record == KIND_evaluate && !v->axis;
    const Choice *choices = result && v->best_by ? some_choices(mentions->c, v, span) : v->choices;
    Mentioned found = {result ? plan_of_record(mentions->c, v->decl, choices) : NULL, span};
    if (found.plan) list_add(&mentions->c->arena, &mentions->found, found);
}

/* Evaluations that an expression names. Its names were evaluated before, and no mistake was found. */
static void mention(Mentions *mentions, const Expr *e) {
    Compilation *c = mentions->c;
    if (!e) return;
    const bool known = e->kind == EXPR_NAME && scope_find(c->scope, e->name) != NULL;
    const bool call = e->kind == EXPR_CALL && e->target->kind == EXPR_NAME, best = call && !strcmp(e->target->name, "best"), compare = call && !strcmp(e->target->name, "compare");
    if (known || e->kind == EXPR_FIELD || e->kind == EXPR_INDEX || best) {
        mention_value(mentions, evaluate(environment_new(c, c->scope, mentions->choices), e), e->span);
        return;
    }
    Mentions side_by_side = {.c = c, .choices = mentions->choices}, *into = compare ? &side_by_side : mentions;
    mention(mentions, e->left);
    mention(mentions, e->right);
    for (int i = 0; i < e->arguments.count; i++)
        if (!e->arguments.at[i].name) mention(into, e->arguments.at[i].value);
    if (compare) compare_all(c, &side_by_side, false);
}

/* Each comparison by itself. */
static void check_expected(Compilation *c, const Expr *e, const Choice *choices) {
    if (e->kind == EXPR_NOT || (e->kind == EXPR_BINARY && (e->op == BINARY_and || e->op == BINARY_or))) {
        check_expected(c, e->left, choices);
        if (e->right) check_expected(c, e->right, choices);
        return;
    }
    Mentions mentions = {.c = c, .choices = choices};
    mention(&mentions, e);
    compare_all(c, &mentions, true);
}

static void check_ladder(Compilation *c, const FigurePlan *figure) {
    const Value *show = setting_value(c, figure->decl, "show", figure->choices), *results = show ? option_argument(show, "results") : NULL;
    Mentions mentions = {.c = c, .choices = figure->choices};
    for (int i = 0; results && results->kind == VALUE_LIST && i < results->items.count; i++) mention_value(&mentions, results->items.at[i], results->items.at[i]->span);
    compare_all(c, &mentions, false);
}

static void check_comparisons(Compilation *c) {
    for (int i = 0; i < c->expects.count; i++) {
        MemberList members = {0};
        members_opened(c, c->expects.at[i]->value, &members);
        c->steps = 0;
        if (members.count) check_expected(c, c->expects.at[i]->value, members.at[0].choices);
    }
    for (int i = 0; i < c->probes.count; i++) {
        MemberList members = {0};
        members_probed(c, c->probes.at[i], &members);
        c->steps = 0;
        Mentions mentions = {.c = c, .choices = members.count ? members.at[0].choices : NULL};
        if (members.count) mention(&mentions, c->probes.at[i]->value);
    }
    for (int i = 0; i < c->plan->figures.count; i++) check_ladder(c, &c->plan->figures.at[i]);
}

void check_spaces(Compilation *c) {
    const Plan *plan = c->plan;
    for (int i = 0; i < plan->embeds.count; i++) check_network(c, plan->embeds.at[i]);
    for (int i = 0; i < plan->boosts.count; i++) {
        const BoostPlan *boost = plan->boosts.at[i];
        check_gaps(c, boost);
        check_fit(c, boost->decl, &boost->fit_on, boost->folds);
    }
    for (int i = 0; i < plan->ensembles.count; i++) check_fit(c, plan->ensembles.at[i]->decl, &plan->ensembles.at[i]->fit_on, plan->ensembles.at[i]->folds);
    for (int i = 0; i < plan->figures.count; i++) check_map(c, &plan->figures.at[i]);
    for (int i = 0; i < plan->submissions.count; i++) check_part(c, plan->submissions.at[i]->decl, &plan->submissions.at[i]->on, "on", plan->submissions.at[i]->similarity->folds, false);
    for (int i = 0; i < plan->evaluations.count; i++) {
        const EvaluatePlan *e = plan->evaluations.at[i];
        check_part(c, e->decl, &e->on, "on", e->similarity->folds, false);
        check_part(c, e->decl, &e->against, "against", e->similarity->folds, false);
        check_folds(c, e);
    }
    check_comparisons(c);
}
