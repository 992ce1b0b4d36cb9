/* plan_score.c: from a network to a score: embeds, similarities, evaluations, figures, submissions.
 *
 * A similarity is a tree: cosines of embeds at the leaves, forests and ensembles and their arithmetic above. What an embed or a
 * similarity learned by folds stands once for each fold; `folds` says of which split. */
#include "compiler.h"

#include <math.h>
#include <string.h>

/* ---- embeds --------------------------------------------------------------------------------------------------------------- */

/* One network sees them all. */
static bool same_sizes(Compilation *c, const ViewList *views) {
    for (int i = 1; i < views->count; i++) {
        const View *first = views->at[0], *other = views->at[i];
        if (first->width == other->width && first->height == other->height) continue;
        Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, other->span, "this view makes pictures of %d x %d", other->width, other->height);
        diag_also(d, first->span, "and this one of %d x %d", first->width, first->height);
        diag_help(d, "let all views of a list end in the same size");
        return false;
    }
    return true;
}

bool views_of(Compilation *c, const Decl *decl, const Choice *choices, ViewList *views) {
    const Value *v = setting_value(c, decl, "view", choices);
    if (!v || v->kind == VALUE_NONE) return false;
    int count = v->kind == VALUE_LIST ? v->items.count : 1;
    for (int i = 0; i < count; i++) {
        Value *formula = v->kind == VALUE_LIST ? v->items.at[i] : (Value *)v;
        View *view = evaluate_view(c, choices, formula, formula->span);
        if (!view) return false;
        list_add(&c->arena, views, view);
    }
    if (!count) diag_help(diag(c->jre, DIAG_wrong_argument, v->span, "the list of views is empty"), "name at least one augment");
    return count && same_sizes(c, views);
}

/* "filter bank", but "resnet50": what learned nothing is called by the words of its name. */
static const char *backbone_words(Compilation *c, const char *name, const Program *program) {
    if (program->weights || !name) return name ? name : "none";
    char *words = arena_copy(&c->arena, name, strlen(name));
    for (char *at = words; *at; at++)
        if (*at == '_') *at = ' ';
    return words;
}

/* The network of an embed: a formula, or what a training makes of one. */
static Value *network_of(Compilation *c, const Decl *decl, const Choice *choices, EmbedPlan *embed) {
    Value *v = setting_value(c, decl, "network", choices);
    if (!v || v->kind == VALUE_NONE) return NULL;
    if (v->kind != VALUE_RECORD) return v;
    embed->train = plan_of_record(c, v->decl, v->choices);
    return embed->train ? embed->train->network : NULL;
}

/* In a fold each of them is that of the fold. */
static bool read_trainings(Compilation *c, const Decl *decl, const Graph *graph, EmbedPlan *embed) {
    if (embed->train) list_add(&c->arena, &embed->from, embed->train);
    trainings_in(c, graph, &embed->from);
    for (int i = 0; i < embed->from.count; i++)
        if (!folds_meet(c, &embed->folds, embed->from.at[i]->folds, setting_span(decl, "network"))) return false;
    return true;
}

/* What keeps an embed from being computed by this version. */
static void mark_later(Compilation *c, EmbedPlan *embed) {
    embed->later = embed->train != NULL;
    for (int i = 0; i < embed->views.count; i++) {
        const View *view = embed->views.at[i];
        if (!view->later) continue;
        plan_later(c, arena_print(&c->arena, "the step `%s` of a view", view->later), embed->name, view->later_span);
        embed->later = true;
    }
    if (embed->views.count > 1) {
        plan_later(c, "several views of one picture", embed->name, embed->view->span);
        embed->later = true;
    }
    if (!embed->program) embed->later = true;
}

static void embed_key(Compilation *c, const Decl *decl, const Choice *choices, const Value *network, const Graph *graph, EmbedPlan *embed) {
    KeyTree *key = embed->tree = key_open(&c->arena, "embed %s", embed->name);
    key_leaf(key, "arithmetic", setting_span(decl, "arithmetic"), "%s", plan_text(c, decl, "arithmetic", choices));
    key_told(c, key, "network", network);
    key_graph(key, graph);
    for (int i = 0; i < embed->views.count; i++) key_view(key, embed->views.at[i]);
    if (embed->views.count > 1) key_leaf(key, "pool", setting_span(decl, "pool"), "%s", plan_text(c, decl, "pool", choices));
    if (embed->train) key_part(key, embed->train->key);
    embed->key = key_close(key);
}

void *plan_embed(Compilation *c, Decl *decl, const Member *member) {
    EmbedPlan *embed = arena_new(&c->arena, EmbedPlan);
    *embed = (EmbedPlan){.name = decl->name, .span = decl->statement->name_span, .scope = decl->scope};
    const Choice *choices = member->choices;
    bool seen = views_of(c, decl, choices, &embed->views);
    embed->view = seen ? embed->views.at[0] : NULL;
    Value *network = embed->network = network_of(c, decl, choices, embed);
    const char *arithmetic = plan_text(c, decl, "arithmetic", choices);
    if (!seen || !network || !arithmetic) return NULL;
    Lowered lowered = lower_network(c, choices, network, embed->view, embed->train ? weights_made_up(c, setting_span(decl, "network")) : NULL, setting_span(decl, "network"));
    if (!lowered.program && !lowered.later) return NULL;
    embed->program = lowered.program;
    embed->graph = lowered.graph;
    if (lowered.later) plan_later(c, lowered.later, decl->name, lowered.later_span);
    embed->backbone = lowered.program ? backbone_words(c, lowered.backbone, lowered.program) : lowered.backbone;
    embed->width = lowered.width;
    embed->points = lowered.points;
    if (strcmp(arithmetic, "f32") != 0) plan_later(c, "arithmetic with 16 bits", decl->name, setting_span(decl, "arithmetic"));
    mark_later(c, embed);
    if (!read_trainings(c, decl, lowered.graph, embed)) return NULL;
    embed_key(c, decl, choices, network, lowered.graph, embed);
    for (int i = 0; i < c->plan->embeds.count; i++)                /* members of equal keys are computed once */
        if (!strcmp(c->plan->embeds.at[i]->key, embed->key)) return c->plan->embeds.at[i];
    list_add(&c->arena, &c->plan->embeds, embed);
    return embed;
}

/* ---- similarities ------------------------------------------------------------------------------------------------------------- */

SimilarityPlan *similarity_new(Compilation *c, ScoreKind kind, Span span) {
    SimilarityPlan *similarity = arena_new(&c->arena, SimilarityPlan);
    *similarity = (SimilarityPlan){.kind = kind, .span = span};
    return similarity;
}

static SimilarityPlan *of_boost(Compilation *c, const Value *v) {
    BoostPlan *boost = plan_of_record(c, v->decl, v->choices);
    if (!boost) return NULL;
    SimilarityPlan *similarity = similarity_new(c, SCORE_BOOST, v->span);
    similarity->boost = boost;
    similarity->folds = boost->folds;
    similarity->calibrated = true;                                 /* it tells how probable it is */
    similarity->key = boost->key;
    return similarity;
}

static SimilarityPlan *of_ensemble(Compilation *c, const Value *v) {
    EnsemblePlan *ensemble = plan_of_record(c, v->decl, v->choices);
    if (!ensemble) return NULL;
    SimilarityPlan *similarity = similarity_new(c, SCORE_ENSEMBLE, v->span);
    similarity->ensemble = ensemble;
    similarity->folds = ensemble->folds;
    similarity->calibrated = ensemble->calibrate != NULL;
    similarity->key = ensemble->key;
    return similarity;
}

bool is_score(const Value *v) {
    return v->kind == VALUE_SIMILARITY || (v->kind == VALUE_RECORD && (v->decl->record == KIND_boost || v->decl->record == KIND_ensemble));
}

SimilarityPlan *similarity_from_value(Compilation *c, Value *v) {
    if (!v || v->kind == VALUE_NONE) return NULL;
    if (v->kind == VALUE_SIMILARITY) return v->similarity;
    if (v->kind == VALUE_RECORD && v->decl->record == KIND_boost) return of_boost(c, v);
    if (v->kind == VALUE_RECORD && v->decl->record == KIND_ensemble) return of_ensemble(c, v);
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, v->span, "a similarity was expected, this is %s", value_kind_text(v));
    diag_help(d, "for instance: similarity cosine(features)");
    return NULL;
}

Value *value_similarity(Compilation *c, SimilarityPlan *similarity, Span span) {
    Value *v = value_new(c, VALUE_SIMILARITY, span);
    v->similarity = similarity;
    return v;
}

/* A score that is in the sum already, of the first `known`, weighs more: 0.5 s + 0.5 s is 1 s. */
static void add_part(Compilation *c, SimilarityPlan *mix, SimilarityPlan *part, double weight, int known) {
    for (int i = 0; i < known; i++)
        if (mix->parts.at[i] == part || !strcmp(mix->parts.at[i]->key->hash, part->key->hash)) {
            mix->weights.at[i] += weight;
            return;
        }
    list_add(&c->arena, &mix->parts, part);
    list_add(&c->arena, &mix->weights, weight);
}

/* weight * score, added to what the mix holds: a sum of sums is one, whose parts differ. */
static bool add_score(Compilation *c, SimilarityPlan *mix, SimilarityPlan *score, double weight) {
    const int known = mix->parts.count;
    if (!folds_meet(c, &mix->folds, score->folds, score->span)) return false;
    if (score->kind != SCORE_MIX) add_part(c, mix, score, weight, known);
    else mix->constant += weight * score->constant;
    for (int i = 0; score->kind == SCORE_MIX && i < score->parts.count; i++) add_part(c, mix, score->parts.at[i], weight * score->weights.at[i], known);
    c->steps += score->parts.count;
    return true;
}

static void mix_key(Compilation *c, SimilarityPlan *mix) {
    mix->key = key_open(&c->arena, "mix");
    key_leaf(mix->key, "constant", mix->span, "%.17g", mix->constant);
    for (int i = 0; i < mix->parts.count; i++) {
        key_leaf(mix->key, "weight", mix->parts.at[i]->span, "%.17g", mix->weights.at[i]);
        key_part(mix->key, mix->parts.at[i]->key);
    }
    key_close(mix->key);
}

static Value *not_mixed(Environment *env, const Expr *e, const Value *a, const Value *b) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->focus, "`%s` cannot work on %s and %s", binary_text(e->op), value_kind_text(a), value_kind_text(b));
    diag_help(d, "scores are added to scores and multiplied by numbers: 0.6 * cosine(deep) + 0.4 * cosine(quick)");
    return poison(env, e->span);
}

static SimilarityPlan *score_in(Compilation *c, Value *v) { return is_score(v) ? similarity_from_value(c, v) : NULL; }

Value *similarity_arithmetic(Environment *env, const Expr *e, Value *a, Value *b) {
    Compilation *c = env->compilation;
    SimilarityPlan *left = score_in(c, a), *right = score_in(c, b);
    bool left_number = a->kind == VALUE_NUMBER && !a->batch, right_number = b->kind == VALUE_NUMBER && !b->batch;
    bool scales = (e->op == BINARY_mul && ((left && right_number) || (left_number && right))) || (e->op == BINARY_div && left && right_number && value_bare(b) != 0);
    bool adds = (e->op == BINARY_add || e->op == BINARY_sub) && (left || left_number) && (right || right_number);
    if (!scales && !adds) return not_mixed(env, e, a, b);
    SimilarityPlan *mix = similarity_new(c, SCORE_MIX, e->span);
    double sign = e->op == BINARY_sub ? -1 : 1;
    bool sound = true;
    if (scales && left) sound = add_score(c, mix, left, e->op == BINARY_div ? 1 / value_bare(b) : value_bare(b));
    else if (scales) sound = add_score(c, mix, right, value_bare(a));
    else {
        if (left) sound = add_score(c, mix, left, 1);
        else mix->constant += value_bare(a);
        if (sound && right) sound = add_score(c, mix, right, sign);
        else if (!right) mix->constant += sign * value_bare(b);
    }
    if (!sound) return poison(env, e->span);
    mix_key(c, mix);
    return value_similarity(c, mix, e->span);
}

/* What this version computes: the cosine of one embed that it can compute. */
static bool runs(const SimilarityPlan *similarity) { return similarity->kind == SCORE_COSINE && !similarity->embed->later; }

static void later_score(Compilation *c, const SimilarityPlan *similarity, const char *name) {
    static const char *const words[] = {NULL, "gaps", "matches of key points", "boosting", "ensembles", "sums of scores", "scores within a group"};
    if (words[similarity->kind] && similarity->kind != SCORE_BOOST && similarity->kind != SCORE_ENSEMBLE) plan_later(c, words[similarity->kind], name, similarity->span);
}

/* ---- evaluations ---------------------------------------------------------------------------------------------------------------- */

/* `cv.assigned` is one number: no metric stands twice. */
static bool read_metrics(Compilation *c, const Decl *decl, const Choice *choices, EvaluatePlan *evaluation) {
    const Value *metrics = setting_value(c, decl, "metrics", choices);
    if (!metrics || metrics->kind != VALUE_LIST) return false;
    bool sound = metrics->items.count > 0;
    if (!sound) diag_help(diag(c->jre, DIAG_wrong_argument, metrics->span, "the list of metrics is empty"), "name at least one: [map]");
    for (int i = 0; i < metrics->items.count; i++) {
        const Value *value = metrics->items.at[i], *at = option_argument(value, "at");
        MetricPlan metric = {value->text ? metric_find(value->text) : METRIC_NONE, at ? value_bare(at) : NAN, value->span};
        if (metric.metric == METRIC_NONE) return false;
        for (int k = 0; sound && k < evaluation->metrics.count; k++) {
            if (evaluation->metrics.at[k].metric != metric.metric) continue;
            Diagnostic *d = diag(c->jre, DIAG_wrong_argument, metric.span, "`%s` is asked for a second time", value->text);
            diag_also(d, evaluation->metrics.at[k].span, "here it is already");
            diag_help(d, "leave one away; another evaluation, with `like %s`, may ask for the other", evaluation->name);
            sound = false;
        }
        list_add(&c->arena, &evaluation->metrics, metric);
    }
    return sound;
}

/* A condition on pairs, or NULL where none is written. False: diagnosed. */
static bool read_gallery(Compilation *c, const Decl *decl, const Choice *choices, const Expr **gallery) {
    if (!plan_has(decl, "gallery")) return true;
    const Value *condition = setting_value(c, decl, "gallery", choices);
    if (!condition || condition->kind == VALUE_NONE) return false;
    *gallery = condition->condition;
    return true;
}

/* On what, against what: candidates are of the fold that asks. */
static bool read_parts(Compilation *c, const Decl *decl, const Choice *choices, EvaluatePlan *evaluation) {
    PartPlan *on = &evaluation->on, *against = &evaluation->against;
    if (!part_from_value(c, setting_value(c, decl, "on", choices), setting_span(decl, "on"), on)) return false;
    if (plan_has(decl, "against")) {
        if (!part_from_value(c, setting_value(c, decl, "against", choices), setting_span(decl, "against"), against)) return false;
        if (against->split && against->split == on->split && !against->fold) against->fold = on->fold;
    }
    return read_gallery(c, decl, choices, &evaluation->gallery);
}

/* Every metric holds answers against who is on the pictures. */
static bool names_individuals(Compilation *c, const EvaluatePlan *evaluation, const char *key, const DatasetPlan *dataset) {
    if (!dataset || dataset->identity) return true;
    Diagnostic *d = diag(c->jre, DIAG_metric_needs, evaluation->metrics.at[0].span, "an answer is right if it is of the same individual");
    diag_also(d, setting_span(evaluation->decl, key), "`%s` does not say who is on its pictures", dataset->name);
    diag_help(d, "say it where the pictures are described, by the column that names them");
    diag_edit(d, (Span){dataset->image_span.end, dataset->image_span.end}, false, "\n  identity \"{individual}\"");
    return false;
}

/* What views want besides pixels is said by the dataset that they look at. */
static bool view_supplied(Compilation *c, const View *view, const DatasetPlan *dataset, Span span) {
    const struct { const char *type; bool there; const char *line; } roles[] = {
        {"Mask", dataset->mask_kind != MASK_NONE, "mask alpha, or: mask \"{column}\""}, {"Flank", dataset->flank != NULL, "flank \"{column}\""},
        {"Label", dataset->label != NULL, "label \"{column}\""},
    };
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++) {
        if (roles[k].there || !view_wants(view, roles[k].type)) continue;
        Diagnostic *d = diag(c->jre, DIAG_missing_key, span, "the view `%s` wants a %s, and `%s` has none", view->name ? view->name : "", roles[k].type, dataset->name);
        diag_also(d, dataset->span, "declared here");
        diag_help(d, "add to the dataset: %s", roles[k].line);
        return false;
    }
    return true;
}

static bool views_supplied(Compilation *c, const SimilarityPlan *similarity, const DatasetPlan *dataset, Span span) {
    ScoreWalk walk = {.arena = &c->arena};
    score_walk(&walk, (PlanValue){.score = similarity});
    for (int i = 0; i < walk.reached.count; i++) {
        const EmbedPlan *embed = walk.reached.at[i].made.embed;
        for (int k = 0; embed && k < embed->views.count; k++)
            if (!view_supplied(c, embed->views.at[k], dataset, span)) return false;
    }
    return true;
}

/* The score, told where it is used if it is none. */
static SimilarityPlan *similarity_of(Compilation *c, const Decl *decl, const Choice *choices) {
    SimilarityPlan *similarity = similarity_from_value(c, setting_value(c, decl, "similarity", choices));
    if (similarity && !runs(similarity)) later_score(c, similarity, decl->name);
    return similarity;
}

void *plan_evaluation(Compilation *c, Decl *decl, const Member *member) {
    EvaluatePlan *evaluation = arena_new(&c->arena, EvaluatePlan);
    *evaluation = (EvaluatePlan){.name = decl->name, .span = decl->statement->name_span, .member = member->name, .decl = decl, .choices = member->choices,
                                 .quoted = decl->scope != c->scope};
    bool sound = read_parts(c, decl, member->choices, evaluation);
    sound &= read_metrics(c, decl, member->choices, evaluation);
    evaluation->average_identity = plan_says(c, decl, "average", "identity", member->choices);
    evaluation->lonely_zero = plan_says(c, decl, "lonely", "zero", member->choices);
    evaluation->record = plan_text(c, decl, "record", member->choices);
    evaluation->record_span = setting_span(decl, "record");
    evaluation->notes = plan_text(c, decl, "notes", member->choices);
    evaluation->similarity = similarity_of(c, decl, member->choices);
    if (!sound || !evaluation->similarity || !names_individuals(c, evaluation, "on", evaluation->on.dataset) || !names_individuals(c, evaluation, "against", evaluation->against.dataset)) return NULL;
    if (!views_supplied(c, evaluation->similarity, evaluation->on.dataset, setting_span(decl, "on"))) return NULL;
    if (evaluation->against.dataset && !views_supplied(c, evaluation->similarity, evaluation->against.dataset, setting_span(decl, "against"))) return NULL;
    SplitPlan *folds = folds_of_part(&evaluation->on);
    if (!folds_meet(c, &folds, folds_of_part(&evaluation->against), setting_span(decl, "against"))) return NULL;
    if (folds && !folds_meet(c, &folds, evaluation->similarity->folds, setting_span(decl, "on"))) return NULL;
    evaluation->key = key_record(c, decl, member->choices, &member->name);
    key_pictures(evaluation->key, "on", &evaluation->on);
    if (evaluation->against.dataset) key_pictures(evaluation->key, "against", &evaluation->against);
    key_part(evaluation->key, evaluation->similarity->key);
    key_close(evaluation->key);
    list_add(&c->arena, &c->plan->evaluations, evaluation);
    return evaluation;
}

/* ---- figures and submissions ------------------------------------------------------------------------------------------------------ */

void *plan_figure(Compilation *c, Decl *decl, const Member *member) {
    PartPlan part;
    const Value *show = setting_value(c, decl, "show", member->choices);
    bool sound = show && show->kind != VALUE_NONE;
    if (plan_has(decl, "on")) sound &= part_from_value(c, setting_value(c, decl, "on", member->choices), setting_span(decl, "on"), &part);
    if (!sound) return NULL;
    FigurePlan *figure = arena_new(&c->arena, FigurePlan);
    *figure = (FigurePlan){decl->name, decl->statement->name_span, decl, member->choices};
    for (int i = 0; i < c->plan->figures.count; i++)
        if (c->plan->figures.at[i].name == figure->name) return figure;
    list_add(&c->arena, &c->plan->figures, *figure);
    return figure;
}

/* "{version}-{backbone}.csv", filled; every open choice must stand in braces, or two members would write one file. */
static const char *fill_template(Compilation *c, const Scope *scope, const char *text, Span span, const MemberName *member) {
    const char *filled = "";
    bool *used = arena_array(&c->arena, bool, member->count + 1);
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "{");
        filled = arena_print(&c->arena, "%s%.*s", filled, (int)plain, at);
        at += plain;
        if (!*at) break;
        size_t length = strcspn(at, "}");
        const char *name = arena_copy(&c->arena, at + 1, length > 1 ? length - 1 : 0), *value = NULL;
        if (!strcmp(name, "version")) value = c->version;
        for (int i = 0; i < member->count; i++)
            if (!strcmp(name, member->at[i].axis)) value = member->at[i].choice, used[i] = true;
        const Decl *single = value ? NULL : map_get(&scope->names, name);
        if (single && single->kind == STATEMENT_EQUATION && single->value && !single->each) value = only_choice(c, single);    /* a choice that was made for good */
        if (!value || at[length] != '}') {
            Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "`{%s}` is neither the version nor a choice", name);
            diag_help(d, "known are {version}%s%s%s", member->count ? " {" : "", member->count ? member->at[0].axis : "", member->count ? "}" : "");
            return NULL;
        }
        filled = arena_print(&c->arena, "%s%s", filled, value);
        at += length + 1;
    }
    for (int i = 0; i < member->count; i++) {
        if (used[i]) continue;
        Diagnostic *d = diag(c->jre, DIAG_undecided_choice, span, "every choice of `%s` would write this same file", member->at[i].axis);
        diag_help(d, "put the choice into the name: {%s}", member->at[i].axis);
        return NULL;
    }
    return filled;
}

void *plan_submission(Compilation *c, Decl *decl, const Member *member) {
    SubmitPlan *submission = arena_new(&c->arena, SubmitPlan);
    *submission = (SubmitPlan){.name = decl->name, .span = decl->statement->name_span, .member = member->name, .decl = decl};
    PartPlan *on = &submission->on;
    bool placed = part_from_value(c, setting_value(c, decl, "on", member->choices), setting_span(decl, "on"), on);
    bool chosen = read_gallery(c, decl, member->choices, &submission->gallery);
    submission->pairs = plan_text(c, decl, "pairs", member->choices);
    submission->pairs_span = setting_span(decl, "pairs");
    if (submission->pairs && submission->gallery) {
        Diagnostic *d = diag(c->jre, DIAG_already_named, setting_span(decl, "gallery"), "which pairs are asked about is said twice");
        diag_also(d, submission->pairs_span, "by this table");
        diag_help(d, "keep one of the two");
        return NULL;
    }
    submission->similarity = similarity_of(c, decl, member->choices);
    const char *file = plan_text(c, decl, "file", member->choices);
    submission->file_span = setting_span(decl, "file");
    submission->file = file ? fill_template(c, decl->scope, file, submission->file_span, &member->name) : NULL;
    if (!submission->similarity || !placed || !chosen || !submission->file || (plan_has(decl, "pairs") && !submission->pairs)) return NULL;
    if (!views_supplied(c, submission->similarity, on->dataset, setting_span(decl, "on"))) return NULL;
    submission->key = key_record(c, decl, member->choices, &member->name);
    key_pictures(submission->key, "on", on);
    key_part(submission->key, submission->similarity->key);
    key_close(submission->key);
    list_add(&c->arena, &c->plan->submissions, submission);
    return submission;
}
