/* weights.c: the weights that a network asks for, held against the file that it is given.
 *
 * A weight that is missing or has another shape is noted, and the network goes on with one of the shape that it wants; when all of it has been
 * built, one message tells every weight that did not fit, and what the file has besides. */
#include "compiler.h"

#include <string.h>

enum { NAMED = 10 };                        /* of each list in a message */

/* A weight that nobody has. NULL: diagnosed, or told before. */
static Node *untrained(Environment *env, const char *name, Shape shape) {
    Diagnostic *d = diag_at_call(env, DIAG_untrained_layer, "%lld numbers of `%s` that nobody has trained", (long long)shape_elements(shape, 1), name);
    diag_note(d, "a layer that was never trained gives numbers without meaning, and others in every run");
    diag_help(d, "give the network its weights: weights = \"file.safetensors\"");
    return NULL;
}

Node *weight_from_file(Environment *env, const char *name, Shape shape) {
    Compilation *c = env->compilation;
    WeightScope *scope = env->weights;
    const char *path = *env->path ? arena_print(&c->arena, "%s.%s", env->path, name) : name;
    if (!scope) return untrained(env, path, shape);
    if (!scope->facts->made_up) {
        const WeightShape *there = map_get(&scope->facts->by_name, path);
        UnfitWeight unfit = {.name = path, .wanted = shape, .missing = !there, .needed_at = env->origin->span};
        if (there) {
            map_set(&scope->used, &c->arena, there->name, (void *)(uintptr_t)there);
            unfit.found.rank = there->rank > GRAPH_RANK ? GRAPH_RANK : there->rank;
            for (int i = 0; i < unfit.found.rank; i++) unfit.found.dim[i] = there->dim[i];
        }
        if (!there || there->rank > GRAPH_RANK || !shape_equal(unfit.found, shape)) list_add(&c->arena, &scope->unfit, unfit);
    }
    return graph_source(env->graph, OP_weight, shape, 0, path, scope, env->origin);
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

static Diagnostic *headline(Compilation *c, const WeightScope *scope, const char *network, int missing, int reshaped) {
    const UnfitWeight *first = &scope->unfit.at[0];
    if (missing == 1 && !reshaped) return diag(c->jre, DIAG_wrong_weights, scope->span, "this file has no `%s`", first->name);
    if (reshaped == 1 && !missing) return diag(c->jre, DIAG_wrong_weights, scope->span, "`%s` has the shape %s in this file", first->name, shape_text(&c->arena, first->found));
    if (!reshaped) return diag(c->jre, DIAG_wrong_weights, scope->span, "this file lacks %d weights of `%s`", missing, network);
    if (!missing) return diag(c->jre, DIAG_wrong_weights, scope->span, "%d weights of `%s` have another shape in this file", reshaped, network);
    return diag(c->jre, DIAG_wrong_weights, scope->span, "this file lacks %d weight%s of `%s`, and %d ha%s another shape", missing, missing == 1 ? "" : "s", network, reshaped,
                reshaped == 1 ? "s" : "ve");
}

/* Every one by its name, up to NAMED of each kind. */
static void list_unfit(Compilation *c, const WeightScope *scope, Diagnostic *d, bool missing, int count) {
    const char *text = "";
    for (int i = 0, named = 0; i < scope->unfit.count && named < NAMED; i++) {
        const UnfitWeight *unfit = &scope->unfit.at[i];
        if (unfit->missing != missing) continue;
        text = arena_print(&c->arena, "%s%s`%s` %s", text, named++ ? ", " : "", unfit->name, shape_text(&c->arena, missing ? unfit->wanted : unfit->found));
        if (!missing) text = arena_print(&c->arena, "%s for %s", text, shape_text(&c->arena, unfit->wanted));
    }
    if (count > NAMED) text = arena_print(&c->arena, "%s and %d more", text, count - NAMED);
    if (count) diag_fact(d, missing ? "missing: %s" : "of another shape: %s", text);
}

static void tell_unfit(Compilation *c, const WeightScope *scope, const char *network) {
    int missing = 0;
    const UnfitWeight *first = &scope->unfit.at[0], *lost = NULL;
    for (int i = 0; i < scope->unfit.count; i++) {
        missing += scope->unfit.at[i].missing;
        if (scope->unfit.at[i].missing && !lost) lost = &scope->unfit.at[i];
    }
    NameList rest = {0};
    weights_left_over(c, scope, &rest);
    Diagnostic *d = headline(c, scope, network, missing, scope->unfit.count - missing);
    if (first->missing) diag_also(d, first->needed_at, "needed here, of shape %s", shape_text(&c->arena, first->wanted));
    else diag_also(d, first->needed_at, "%s is needed here", shape_text(&c->arena, first->wanted));
    if (scope->unfit.count > 1) {
        list_unfit(c, scope, d, true, missing);
        list_unfit(c, scope, d, false, scope->unfit.count - missing);
    }
    const char *near = lost ? nearest_name(lost->name, rest.at, rest.count) : NULL;
    if (near && rest.count > 1) diag_fact(d, "of those that nobody asks for the nearest to `%s` is `%s`", lost->name, near);
    if (rest.count) diag_fact(d, "left over in the file: %s", names_listed(&c->arena, &rest, NAMED));
    diag_help(d, "is it the file of this very network?");
}

bool weights_fit(Compilation *c, WeightScope *scope, const char *network) {
    if (!scope->unfit.count) return true;
    if (!scope->reported) tell_unfit(c, scope, network);
    scope->reported = true;
    scope->unfit.count = 0;
    c->poisoned = true;
    return false;
}
