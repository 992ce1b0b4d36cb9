/* weights.c: the weights that a network asks for, held against the file that it is given, or against that there is none.
 *
 * A weight that is missing or has another shape is noted, and the network goes on with one of the shape that it wants; when all of it has been
 * built, one message tells every weight that did not fit, and what the file has besides. */
#include "compiler.h"

#include <string.h>

enum { NAMED = 10 };                        /* of each list in a message */

/* A weight where there can be none. NULL: diagnosed. */
static Node *untrained(Environment *env, const char *name, Shape shape) {
    Diagnostic *d = diag_at_call(env, DIAG_untrained_layer, "%lld numbers of `%s` that nobody has trained", (long long)shape_elements(shape, 1), name);
    diag_note(d, "a layer that was never trained gives numbers without meaning, and others in every run");
    diag_help(d, "give the network its weights: weights = \"file.safetensors\"");
    return NULL;
}

/* Weights in 8 bits stand for others by a scale that lies elsewhere; read as they are they would mean something else. */
static bool whole_numbers(const char *dtype) { return strchr("IU", *dtype) || !strcmp(dtype, "BOOL"); }

static Fit fit_of(const WeightShape *there, Shape wanted, Shape *found) {
    if (!there) return UNFIT_MISSING;
    found->rank = there->rank > GRAPH_RANK ? GRAPH_RANK : there->rank;
    for (int i = 0; i < found->rank; i++) found->dim[i] = there->dim[i];
    if (there->rank > GRAPH_RANK || !shape_equal(*found, wanted)) return UNFIT_SHAPE;
    return whole_numbers(there->dtype) ? UNFIT_NUMBERS : FIT;
}

Node *weight_from_file(Environment *env, const char *name, Shape shape) {
    Compilation *c = env->compilation;
    WeightScope *scope = env->weights;
    const char *path = *env->path ? arena_print(&c->arena, "%s.%s", env->path, name) : name;
    if (!scope) return untrained(env, path, shape);
    if (scope->nobodys) {
        UnfitWeight unfit = {.name = path, .fit = UNFIT_MISSING, .wanted = shape, .needed_at = env->origin->span, .asked_at = origin_user_span(env->origin)};
        list_add(&c->arena, &scope->unfit, unfit);
    }
    if (scope->drawn && !env->graph->later) env->graph->later = "weights that are drawn", env->graph->later_span = scope->span;
    if (!scope->facts->made_up) {
        const WeightShape *there = map_get(&scope->facts->by_name, path);
        UnfitWeight unfit = {.name = path, .dtype = there ? there->dtype : NULL, .wanted = shape, .needed_at = env->origin->span};
        unfit.fit = fit_of(there, shape, &unfit.found);
        if (there) map_set(&scope->used, &c->arena, there->name, (void *)(uintptr_t)there);
        if (unfit.fit != FIT) list_add(&c->arena, &scope->unfit, unfit);
    }
    int before = env->graph->nodes.count;
    Node *node = graph_source(env->graph, OP_weight, shape, 0, path, scope, env->origin);
    bool again = env->graph->nodes.count == before;
    node->frozen = env->frozen && (node->frozen || !again);
    return node;
}

/* ---- what does not fit ---------------------------------------------------------------------------------------------------- */

static bool counts_batches(const char *name) {
    const char *last = strrchr(name, '.');
    return !strcmp(last ? last + 1 : name, "num_batches_tracked");
}

void weights_left_over(Compilation *c, const WeightScope *scope, NameList *names) {
    for (int i = 0; i < scope->facts->count; i++) {
        const char *name = scope->facts->tensors[i].name;
        if (!map_get(&scope->used, name) && !counts_batches(name)) list_add(&c->arena, names, name);
    }
}

const char *names_listed(Arena *arena, const NameList *names, int most) {
    const char *text = "";
    for (int i = 0; i < names->count && i < most; i++) text = arena_print(arena, "%s%s`%s`", text, i ? ", " : "", names->at[i]);
    return names->count > most ? arena_print(arena, "%s and %d more", text, names->count - most) : text;
}

static Diagnostic *headline(Compilation *c, const WeightScope *scope, const char *network, const int count[FITS]) {
    const UnfitWeight *first = &scope->unfit.at[0];
    if (scope->unfit.count == 1 && first->fit == UNFIT_MISSING) return diag(c->jre, DIAG_wrong_weights, scope->span, "this file has no `%s`", first->name);
    if (scope->unfit.count == 1 && first->fit == UNFIT_SHAPE)
        return diag(c->jre, DIAG_wrong_weights, scope->span, "`%s` has the shape %s in this file", first->name, shape_text(&c->arena, first->found));
    static const char *const before[FITS] = {[UNFIT_MISSING] = "lacks", [UNFIT_SHAPE] = "has", [UNFIT_NUMBERS] = "has"};
    static const char *const behind[FITS] = {[UNFIT_MISSING] = "", [UNFIT_SHAPE] = " in another shape", [UNFIT_NUMBERS] = " in whole numbers"};
    const char *text = "";
    for (Fit kind = UNFIT_MISSING; kind < FITS; kind++)
        if (count[kind]) text = arena_print(&c->arena, "%s%s%s %d%s", text, *text ? ", " : "", before[kind], count[kind], behind[kind]);
    return diag(c->jre, DIAG_wrong_weights, scope->span, "of the weights of `%s` this file %s", network, text);
}

/* Every one by its name, up to NAMED of each kind. */
static void list_unfit(Compilation *c, const WeightScope *scope, Diagnostic *d, Fit kind, int count) {
    static const char *const titles[FITS] = {[UNFIT_MISSING] = "missing", [UNFIT_SHAPE] = "of another shape", [UNFIT_NUMBERS] = "whole numbers"};
    const char *text = "";
    for (int i = 0, named = 0; i < scope->unfit.count && named < NAMED; i++) {
        const UnfitWeight *unfit = &scope->unfit.at[i];
        if (unfit->fit != kind) continue;
        const char *wanted = shape_text(&c->arena, unfit->wanted);
        text = arena_print(&c->arena, "%s%s`%s` ", text, named++ ? ", " : "", unfit->name);
        if (kind == UNFIT_SHAPE) text = arena_print(&c->arena, "%s%s for %s", text, shape_text(&c->arena, unfit->found), wanted);
        else text = arena_print(&c->arena, "%s%s", text, kind == UNFIT_MISSING ? wanted : unfit->dtype);
    }
    if (count > NAMED) text = arena_print(&c->arena, "%s and %d more", text, count - NAMED);
    if (count) diag_fact(d, "%s: %s", titles[kind], text);
}

static void tell_unfit(Compilation *c, const WeightScope *scope, const char *network) {
    int count[FITS] = {0};
    const UnfitWeight *first = &scope->unfit.at[0], *lost = NULL;
    for (int i = 0; i < scope->unfit.count; i++) {
        count[scope->unfit.at[i].fit]++;
        if (scope->unfit.at[i].fit == UNFIT_MISSING && !lost) lost = &scope->unfit.at[i];
    }
    NameList rest = {0};
    weights_left_over(c, scope, &rest);
    Diagnostic *d = headline(c, scope, network, count);
    diag_also(d, first->needed_at, first->fit == UNFIT_MISSING ? "needed here, of shape %s" : "%s is needed here", shape_text(&c->arena, first->wanted));
    for (Fit kind = UNFIT_MISSING; kind < FITS; kind++)
        if (scope->unfit.count > 1 || kind == UNFIT_NUMBERS) list_unfit(c, scope, d, kind, count[kind]);
    const char *near = lost ? nearest_name(lost->name, rest.at, rest.count) : NULL;
    if (near && rest.count > 1) diag_fact(d, "of those that nobody asks for the nearest to `%s` is `%s`", lost->name, near);
    if (rest.count) diag_fact(d, "left over in the file: %s", names_listed(&c->arena, &rest, NAMED));
    if (count[UNFIT_NUMBERS]) diag_help(d, "take the weights that were not quantized: F32, F16, BF16 and F64 are read");
    else diag_help(d, "is it the file of this very network?");
}

bool weights_fit(Compilation *c, WeightScope *scope, const char *network) {
    if (!scope->unfit.count) return true;
    if (!scope->reported) tell_unfit(c, scope, network);
    scope->reported = true;
    scope->unfit.count = 0;
    c->poisoned = true;
    return false;
}

/* ---- what nobody has trained ------------------------------------------------------------------------------------------------ */

/* A training of this very network, which was meant, maybe: none of the kind is blamed for having no embed. */
static const TrainPlan *training_of(const Compilation *c, const Value *network) {
    const TrainPlan *first = NULL;
    for (int i = c->plan->trains.count - 1; i >= 0; i--) {
        TrainPlan *train = c->plan->trains.at[i];
        if (train->network->decl != network->decl) continue;
        train->passed_over = true;
        first = train;
    }
    return first;
}

static Diagnostic *untrained_numbers(Compilation *c, Span at, int64_t count, const char *more) {
    return diag(c->jre, DIAG_untrained_layer, at, "%s number%s that nobody has trained%s", grouped_text(&c->arena, count), count == 1 ? "" : "s", more);
}

static void tell_untrained(Compilation *c, const WeightScope *nobodys, const Value *network, Span span) {
    enum { SHOWN = 4 };
    const UnfitWeight *first = &nobodys->unfit.at[0];
    const TrainPlan *train = training_of(c, network);
    NameList names = {0};
    int64_t here = 0, all = 0;
    for (int i = 0; i < nobodys->unfit.count; i++) {
        const UnfitWeight *weight = &nobodys->unfit.at[i];
        int64_t count = shape_elements(weight->wanted, 1);
        all += count;
        if (weight->asked_at.start == first->asked_at.start) here += count;
        list_add(&c->arena, &names, weight->name);
    }
    Diagnostic *d = untrained_numbers(c, first->asked_at, here, "");
    if (span.start != first->asked_at.start) diag_also(d, span, train ? "this is the network before its training" : "this network is asked as it is");
    diag_fact(d, here < all ? "%s; with layers further on %s numbers" : "%s", names_listed(&c->arena, &names, SHOWN), grouped_text(&c->arena, all));
    diag_note(d, "a layer that was never trained gives numbers without meaning, and others in every run.");
    if (train) {
        diag_help(d, "ask what came out of the training");
        diag_edit(d, span, false, "%s", train->name);
    }
    diag_help(d, "give it weights: weights = \"file.safetensors\"%s", train ? "" : ", or train it, and embed the training");
    diag_help(d, "or leave it to chance on purpose: weights = random(seed = 1)");
}

bool weights_trained(Compilation *c, WeightScope *nobodys, const Value *network, Graph *g, Span span) {
    if (!nobodys->unfit.count) return true;
    if (overruled(c, c->scope, DIAG_untrained_layer, nobodys->unfit.at[0].asked_at, span)) {
        if (!g->later) g->later = "weights that are drawn", g->later_span = span;
        return true;
    }
    if (!nobodys->reported) tell_untrained(c, nobodys, network, span);
    nobodys->reported = c->poisoned = true;
    return false;
}

void check_frozen(Compilation *c, const Graph *g, const WeightScope *own, Span span) {
    const Node *first = NULL;
    int64_t count = 0;
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        if (node->op != OP_weight || !node->frozen || node->weights != own) continue;
        if (!first) first = node;
        count += shape_elements(node->shape, 1);
    }
    const Span at = first ? origin_user_span(first->origin) : NOWHERE;
    if (!first || overruled(c, c->scope, DIAG_untrained_layer, at, span)) return;
    Diagnostic *d = untrained_numbers(c, at, count, ", and `frozen` keeps it so");
    if (span.start != at.start) diag_also(d, span, "this training leaves them as they were drawn");
    diag_note(d, "a layer that was never trained gives numbers without meaning.");
    diag_help(d, "let them learn: take `frozen` out, or give them weights: weights = \"file.safetensors\"");
    diag_help(d, "or leave it to chance on purpose: weights = random(seed = 1)");
}
