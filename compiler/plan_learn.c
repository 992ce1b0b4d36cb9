/* plan_learn.c: what is fitted: networks that train, forests that judge pairs, ensembles that weigh scores.
 *
 * All of a training is checked here: its network is called with a batch of pictures of the view's size, its loss with what comes out and
 * with labels. Nothing of it runs in this version: plan->later says so, once, when a run is asked for. */
#include "compiler.h"

#include <string.h>

/* Individuals, where only the data would know: a number that no other size is likely to be. */
enum { CLASSES_MADE_UP = 31 };

/* ---- training ------------------------------------------------------------------------------------------------------------ */

static int64_t batch_of(const Value *batches) {
    const Value *identities = batches ? option_argument(batches, "identities") : NULL, *images = batches ? option_argument(batches, "images") : NULL;
    const Value *size = batches ? option_argument(batches, "size") : NULL;
    if (identities && images) return (int64_t)(value_bare(identities) * value_bare(images));
    return size ? (int64_t)value_bare(size) : 64;
}

/* A column of the batch: who is on its pictures, or another that the loss asks for by its type. */
static Value *labels(Environment *env, const TrainPlan *train, const Param *param, Span span) {
    Node *node = graph_source(env->graph, OP_input, (Shape){1, {train->batch}}, 0, param->name, NULL, env->origin);
    Value *v = value_tensor(env->compilation, node, span);
    v->type = param->type.name;
    v->classes = !strcmp(v->type, "Flank") ? 2 : train->classes;
    return v;
}

/* CrossEntropy as a loss: it wants a score for each individual, which a head makes of an embedding. */
static bool fits_individuals(Compilation *c, const TrainPlan *train, const Value *made, Span span) {
    const Statement *head = train->loss->decl->statement;
    const Type *numbers = NULL, *who = NULL;
    for (int i = 0; i < head->params.count; i++) {
        const Type *type = &head->params.at[i].type;
        if (type->dims.count != 2 || type->dims.at[1].rest || type->dims.at[1].size->kind != EXPR_NAME || !strcmp(type->dims.at[1].size->name, "_")) continue;
        if (!strcmp(type->name, "Identity") && !who) who = type;
        else if (!numbers && (!strcmp(type->name, "Tensor") || !strcmp(type->name, "Embedding"))) numbers = type;
    }
    const bool one_letter = numbers && who && numbers->dims.at[1].size->name == who->dims.at[1].size->name;
    if (!one_letter || made->kind != VALUE_TENSOR || made->node->shape.rank != 2 || made->node->shape.dim[1] == train->classes) return true;
    Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, span, "`%s` wants a score for each individual", train->loss_name);
    diag_also(d, setting_span(train->decl, "network"), "this gives %lld numbers a picture", (long long)made->node->shape.dim[1]);
    diag_note(d, "how many individuals there are is decided by the labels of `data`. A head makes as many scores of any embedding, and is thrown away after training.");
    diag_help(d, "take a loss with a head, of the module `heads`");
    diag_edit(d, span, false, "Softmax");
    diag_help(d, "or one that also draws the pictures of an individual together");
    diag_edit(d, span, false, "ArcFace(margin = 0.5rad, scale = 30)");
    return false;
}

/* The data of a loss by its types: what the network gives, then who is on the pictures, then other columns by their names. */
static Value *call_loss(Environment *env, const TrainPlan *train, Value *made, Span span) {
    const Statement *head = train->loss->decl->statement;
    LIST(Bound) data = {0};
    bool given = false;
    for (int i = 0; i < head->params.count; i++) {
        const Param *param = &head->params.at[i];
        if (!is_data_type(param->type.name) || param->fallback) continue;
        bool numbers = !strcmp(param->type.name, "Embedding") || !strcmp(param->type.name, "Tensor");
        Bound bound = {param->name, numbers && !given ? made : labels(env, train, param, span), span};
        given |= numbers;
        list_add(&env->compilation->arena, &data, bound);
    }
    return call_with_data(env, train->loss, data.at, data.count, span);
}

void trainings_in(Compilation *c, const Graph *g, TrainList *found) {
    for (int i = 0; i < g->nodes.count; i++) {
        const WeightScope *weights = g->nodes.at[i]->weights;
        bool before = !weights || !weights->train;
        for (int k = 0; k < found->count && !before; k++) before = found->at[k] == weights->train;
        if (!before) list_add(&c->arena, found, weights->train);
    }
}

/* The text of a graph does not say which of its weights stay as they are. */
static void key_frozen(KeyTree *key, const Graph *g, Span span) {
    for (int i = 0; i < g->nodes.count; i++)
        if (g->nodes.at[i]->frozen) key_leaf(key, "frozen", span, "%s", g->nodes.at[i]->name);
}

static bool is_scalar(Compilation *c, const Value *v, const TrainPlan *train, Span span) {
    if (v->kind == VALUE_TENSOR && shape_elements(v->node->shape, 1) == 1 && v->node->shape.rank <= 1) return true;
    Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, span, "a loss ends in one number, `%s` gives %s", train->loss_name, value_text(c, v));
    diag_help(d, "end it with a mean over the batch: mean over n of ..");
    return false;
}

static bool lower_training(Compilation *c, Decl *decl, TrainPlan *train, const Choice *choices) {
    Environment *env = environment_new(c, c->scope, choices);
    env->graph = graph_new(c);
    env->weights = weights_made_up(c, setting_span(decl, "network"));
    Shape shape = {4, {train->batch, 3, train->view->height, train->view->width}};
    env->graph->input = graph_source(env->graph, OP_input, shape, 0, NULL, NULL, NULL);
    c->backbone = NULL;
    c->trail.count = 0;
    Span span = setting_span(decl, "network");
    Value *made = evaluate_call(env, train->network, NULL, value_tensor(c, env->graph->input, span), span, NULL);
    train->backbone = c->backbone ? c->backbone : train->network->text;
    if (made->kind == VALUE_NONE) return false;
    env->path = "loss";
    if (!fits_individuals(c, train, made, setting_span(decl, "loss"))) return false;
    Value *loss = call_loss(env, train, made, setting_span(decl, "loss"));
    if (loss->kind == VALUE_NONE || !is_scalar(c, loss, train, setting_span(decl, "loss"))) return false;
    train->graph = env->graph;
    env->graph->output = loss->node;
    graph_sweep(env->graph);
    if (!graph_verify(env->graph, "lower")) return false;
    count_learned(c, train);
    if (train->weights && !plan_has(decl, "start")) check_frozen(c, env->graph, env->weights, span);
    train->key = key_record(c, decl, choices, &train->member);
    key_graph(train->key, env->graph);
    key_frozen(train->key, env->graph, span);
    for (int i = 0; i < train->views.count; i++) key_view(train->key, train->views.at[i]);
    return true;
}

/* ---- settings beside each other -------------------------------------------------------------------------------------------- */

static void mentioned_in(Compilation *c, const Expr *e, NameList *names) {
    if (!e) return;
    if (e->name) list_add(&c->arena, names, e->name);
    mentioned_in(c, e->target, names);
    mentioned_in(c, e->left, names);
    mentioned_in(c, e->right, names);
    mentioned_in(c, e->condition, names);
    for (int i = 0; i < e->arguments.count; i++) mentioned_in(c, e->arguments.at[i].value, names);
}

/* What a rate may be for: each stage on the way to a weight, and each name that the network's own lines mention. */
static void parts_of_network(Compilation *c, const TrainPlan *train, NameList *parts) {
    for (int i = 0; i < train->graph->nodes.count; i++) {
        const Node *node = train->graph->nodes.at[i];
        for (const char *at = node->op == OP_weight ? node->name : ""; *at; at += strcspn(at, ".") + (at[strcspn(at, ".")] == '.'))
            list_add(&c->arena, parts, intern_length(c->jre, at, strcspn(at, ".")));
    }
    const Statement *head = train->network->decl->statement;
    for (int i = 0; i < head->lines.count; i++) {
        if (head->lines.at[i].name) list_add(&c->arena, parts, head->lines.at[i].name);
        mentioned_in(c, head->lines.at[i].value, parts);
    }
    list_add(&c->arena, parts, intern(c->jre, "loss"));
    list_add(&c->arena, parts, train->network->decl->name);
}

static Span name_of_rate(const Decl *decl, const Value *rates, int i) {
    for (int k = 0; k < decl->settings.count; k++) {
        const Expr *e = decl->settings.at[k].value;
        if (!strcmp(decl->settings.at[k].key, "rates") && e && e->kind == EXPR_LIST && i < e->arguments.count) return e->arguments.at[i].name_span;
    }
    return rates->items.at[i]->span;
}

static bool rates_known(Compilation *c, const Decl *decl, const TrainPlan *train, const Choice *choices) {
    const Value *rates = setting_value(c, decl, "rates", choices);
    NameList parts = {0};
    if (!rates || rates->kind != VALUE_LIST) return true;
    parts_of_network(c, train, &parts);
    for (int i = 0; i < rates->items.count; i++) {
        const char *name = rates->items.at[i]->text;
        const Span at = name_of_rate(decl, rates, i);
        for (int k = 0; k < i; k++) {
            if (rates->items.at[k]->text != name) continue;
            Diagnostic *d = diag(c->jre, DIAG_already_named, at, "`%s` has a rate already", name);
            diag_also(d, name_of_rate(decl, rates, k), "here first");
            diag_help(d, "keep one of the two");
            return false;
        }
        bool known = false;
        for (int k = 0; k < parts.count && !known; k++) known = parts.at[k] == name;
        if (known) continue;
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, at, "no part of `%s` is called so", train->network->text ? train->network->text : train->network->decl->name);
        const char *near = nearest_name(name, parts.at, parts.count);
        diag_help(d, near ? "did you mean `%s`?" : "name a stage of the network, as in `|> linear(6) as head`, or `loss`", near);
        if (near) diag_edit(d, at, false, "%s", near);
        return false;
    }
    return true;
}

/* What a training makes of itself only at an epoch that never comes. A shorter run for a try, by --set or --with, is no mistake. */
static bool epochs_suffice(Compilation *c, const Decl *decl, const Choice *choices) {
    static const struct { const char *key, *argument; bool last; const char *words; } waits[] = {
        {"keep", "epochs", true, "a training of %g epoch%s never comes so far"}, {"schedule", "warmup", false, "a training of %g epoch%s never ends its rising"},
    };
    const Value *epochs = setting_value(c, decl, "epochs", choices);
    if (!epochs || epochs->kind != VALUE_NUMBER || c->overlays.count || c->sets.count) return true;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        const Value *option = setting_value(c, decl, waits[i].key, choices);
        const Value *number = option && option->kind == VALUE_OPTION ? option_argument(option, waits[i].argument) : NULL;
        if (!number || number->kind != VALUE_NUMBER || (waits[i].last ? number->number <= epochs->number : number->number < epochs->number)) continue;
        const char *plural = epochs->number == 1 ? "" : "s";
        Diagnostic *d = diag(c->jre, DIAG_broken_condition, number->span, waits[i].words, epochs->number, plural);
        diag_also(d, setting_span(decl, "epochs"), "%g epoch%s", epochs->number, plural);
        const int fewer = (int)epochs->number / 4 > 0 ? (int)epochs->number / 4 : 1;
        const bool mends = waits[i].last ? fewer <= epochs->number : fewer < epochs->number;
        diag_help(d, mends ? "for instance %s = %d" : "train for more epochs, or take `%s` out", waits[i].argument, fewer);
        if (mends && is_literal(c->jre, number)) diag_edit(d, number->span, false, "%d", fewer);
        return false;
    }
    return true;
}

/* The pictures that `stop` and `keep` look at. False: diagnosed. */
static bool read_watched(Compilation *c, const Decl *decl, const char *setting, const Choice *choices, KeyTree *key, PartPlan *part) {
    const Value *option = setting_value(c, decl, setting, choices), *pictures = option ? option_argument(option, "part") : NULL;
    if (!pictures) return true;
    if (!part_from_value(c, pictures, pictures->span, part)) return false;
    key_pictures(key, setting, part);
    return true;
}

/* Of the same fold as this one, all of them. */
static bool read_predecessors(Compilation *c, const Decl *decl, const Choice *choices, TrainPlan *train) {
    const Value *start = setting_value(c, decl, "start", choices);
    if (start && start->kind == VALUE_RECORD) {
        const TrainPlan *before = plan_of_record(c, start->decl, start->choices);
        if (!before) return false;
        key_part(train->key, before->key);
        list_add(&c->arena, &train->from, before);
    }
    trainings_in(c, train->graph, &train->from);
    for (int i = 0; i < train->from.count; i++)
        if (!folds_meet(c, &train->folds, train->from.at[i]->folds, setting_span(decl, "data"))) return false;
    return true;
}

void *plan_train(Compilation *c, Decl *decl, const Member *member) {
    const Choice *choices = member->choices;
    TrainPlan *train = arena_new(&c->arena, TrainPlan);
    *train = (TrainPlan){.name = decl->name, .span = decl->statement->name_span, .member = member->name, .scope = decl->scope, .decl = decl, .choices = choices, .classes = CLASSES_MADE_UP};
    train->network = setting_value(c, decl, "network", choices);
    train->loss = setting_value(c, decl, "loss", choices);
    if (!train->network || train->network->kind != VALUE_FORMULA || !train->loss) return NULL;
    train->loss_name = train->loss->text;
    train->batch = batch_of(setting_value(c, decl, "batches", choices));
    bool seen = views_of(c, decl, choices, &train->views);
    bool placed = part_from_value(c, setting_value(c, decl, "data", choices), setting_span(decl, "data"), &train->data);
    if (!seen || !placed) return NULL;
    train->view = train->views.at[0];
    train->mirrored = view_flip(train->view, true) != NULL;
    if (train->mirrored) train->classes *= 2;
    train->folds = folds_of_part(&train->data);
    if (!lower_training(c, decl, train, choices) || !rates_known(c, decl, train, choices) || !epochs_suffice(c, decl, choices)) return NULL;
    key_pictures(train->key, "data", &train->data);
    if (!read_watched(c, decl, "stop", choices, train->key, &train->stop) || !read_watched(c, decl, "keep", choices, train->key, &train->keep)) return NULL;
    if (!read_predecessors(c, decl, choices, train)) return NULL;
    key_close(train->key);
    plan_later(c, "training", decl->name, train->span);
    list_add(&c->arena, &c->plan->trains, train);
    return train;
}

/* ---- forests and ensembles ------------------------------------------------------------------------------------------------ */

/* The scores of a list, each with its key. False: diagnosed. */
static bool scores_of(Compilation *c, const Decl *decl, const char *setting, const Choice *choices, SplitPlan **folds, KeyTree *key, SimilarityPlan ***scores, int *count) {
    const Value *list = setting_value(c, decl, setting, choices);
    LIST(SimilarityPlan *) found = {0};
    if (!list || list->kind != VALUE_LIST) return false;
    for (int i = 0; i < list->items.count; i++) {
        SimilarityPlan *score = similarity_from_value(c, list->items.at[i]);
        if (!score || !folds_meet(c, folds, score->folds, score->span)) return false;
        list_add(&c->arena, &found, score);
        key_part(key, score->key);
    }
    if (!found.count) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, list->span, "the list is empty: `%s` has nothing to look at", decl->name);
        diag_help(d, "name at least one score: [cosine(features)]");
    }
    *scores = found.at;
    *count = found.count;
    return found.count > 0;
}

void *plan_boost(Compilation *c, Decl *decl, const Member *member) {
    BoostPlan *boost = arena_new(&c->arena, BoostPlan);
    *boost = (BoostPlan){.name = decl->name, .span = decl->statement->name_span, .decl = decl, .key = key_record(c, decl, member->choices, &member->name)};
    SimilarityPlan **scores;
    int count;
    if (!scores_of(c, decl, "evidence", member->choices, &boost->folds, boost->key, &scores, &count)) return NULL;
    for (int i = 0; i < count; i++) list_add(&c->arena, &boost->evidence, scores[i]);
    if (!part_from_value(c, setting_value(c, decl, "fit_on", member->choices), setting_span(decl, "fit_on"), &boost->fit_on)) return NULL;
    SplitPlan *split = boost->fit_on.split;
    if (split && split->folds && !folds_meet(c, &boost->folds, split, boost->fit_on.span)) return NULL;
    key_pictures(boost->key, "fit_on", &boost->fit_on);
    key_close(boost->key);
    plan_later(c, "boosting", decl->name, boost->span);
    list_add(&c->arena, &c->plan->boosts, boost);
    return boost;
}

void *plan_ensemble(Compilation *c, Decl *decl, const Member *member) {
    EnsemblePlan *ensemble = arena_new(&c->arena, EnsemblePlan);
    *ensemble = (EnsemblePlan){.name = decl->name, .span = decl->statement->name_span, .decl = decl, .key = key_record(c, decl, member->choices, &member->name)};
    SimilarityPlan **scores;
    int count;
    if (!scores_of(c, decl, "members", member->choices, &ensemble->folds, ensemble->key, &scores, &count)) return NULL;
    for (int i = 0; i < count; i++) list_add(&c->arena, &ensemble->members, scores[i]);
    ensemble->combine = plan_text(c, decl, "combine", member->choices);
    ensemble->calibrate = plan_text(c, decl, "calibrate", member->choices);
    const Value *weights = setting_value(c, decl, "weights", member->choices), *shortlist = setting_value(c, decl, "shortlist", member->choices);
    ensemble->learned = weights && (weights->kind == VALUE_OPTION || weights->kind == VALUE_WORD);
    if (weights && weights->kind == VALUE_LIST && weights->items.count != count) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, weights->span, "%d weight%s for %d members", weights->items.count, weights->items.count == 1 ? "" : "s", count);
        diag_help(d, "write one number for each member, or `learned`");
        return NULL;
    }
    if (plan_has(decl, "shortlist") && !(ensemble->shortlist = similarity_from_value(c, (Value *)shortlist))) return NULL;
    if ((ensemble->learned || ensemble->calibrate) && !plan_has(decl, "fit_on")) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, setting_span(decl, ensemble->learned ? "weights" : "calibrate"), "this is fitted, and nothing says on which pictures");
        diag_help(d, "add: fit_on folds.others");
        return NULL;
    }
    if (plan_has(decl, "fit_on")) {
        if (!part_from_value(c, setting_value(c, decl, "fit_on", member->choices), setting_span(decl, "fit_on"), &ensemble->fit_on)) return NULL;
        SplitPlan *split = ensemble->fit_on.split;
        if (split && split->folds && !folds_meet(c, &ensemble->folds, split, ensemble->fit_on.span)) return NULL;
    }
    if (plan_has(decl, "fit_on")) key_pictures(ensemble->key, "fit_on", &ensemble->fit_on);
    if (ensemble->shortlist) key_part(ensemble->key, ensemble->shortlist->key);
    key_close(ensemble->key);
    plan_later(c, "ensembles", decl->name, ensemble->span);
    list_add(&c->arena, &c->plan->ensembles, ensemble);
    return ensemble;
}
