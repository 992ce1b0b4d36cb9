/* call.c: calls of formulas.
 *
 *   x |> conv(64, 7, stride = 2) as conv1        data, then design; the stage names the weights: conv1.weight
 *   block(width = 64)                            no data: a network still waiting for its picture
 *
 * A call without its data names its arguments and gives a formula with more of them bound; one with data counts from the data.
 * Every call of a network is new weights, called by the stages around it. */
#include "compiler.h"

#include <string.h>

enum { DEEPEST_CALL = 100 };

bool is_data_type(const char *type) {
    static const char *const types[] = {"Tensor", "Image", "Identity", "Embedding", "Mask", "Flank", "Label", "Keypoints",
                                        "Scalar", "Embed", "Evaluate", "Similarity", "Boost"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i], type)) return true;
    return false;
}

bool role_type(const char *type) {
    static const char *const types[] = {"Mask", "Flank", "Label", "Keypoints"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i], type)) return true;
    return false;
}

bool word_type(const char *type) { return !strcmp(type, "Word") || !strcmp(type, "Color") || !strcmp(type, "Stats"); }

Bound *argument_of(const Value *formula, const char *name) {
    for (int i = 0; i < formula->bound.count; i++)
        if (formula->bound.at[i].name == name) return &formula->bound.at[i];
    return NULL;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

/* rotate(uniform(-12deg, 12deg)) in a view: a draw has a name, by which it is repeated. */
static bool draws_without_name(Environment *env, const Param *param, const Expr *e) {
    static const char *const draws[] = {"uniform", "normal", "integers", "choose"};
    const bool view = env->formula && env->formula->statement->formula == FORMULA_augment && !env->formula->library && !env->drawing;
    if (!view || e->kind != EXPR_CALL || e->target->kind != EXPR_NAME || map_get(&env->values, e->target->name)) return false;
    const Decl *called = scope_find(env->scope, e->target->name);
    bool draw = false;
    for (int i = 0; i < 4; i++) draw |= !strcmp(draws[i], e->target->name);
    if (!draw || !called || !called->scope->core) return false;
    Compilation *c = env->compilation;
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, "what is drawn has a name, and a line of its own");
    diag_note(d, "the draw of a picture depends on this name, so that it can be repeated");
    for (int i = 0; i < env->formula->statement->lines.count; i++) {
        const Line *line = &env->formula->statement->lines.at[i];
        if (!span_holds(line->span, e->span)) continue;
        diag_help(d, "draw it in front");
        diag_edit(d, (Span){line->span.start, e->span.end}, false, "%s ~ %s\n  %s%s", param->name, expr_text(c->jre, e),
                  span_text(c->jre, (Span){line->span.start, e->span.start}), param->name);
    }
    return true;
}

/* cover(mask): a view is given what it says that it takes. */
static bool column_not_taken(Environment *env, const Param *param, const Expr *e) {
    const bool view = env->formula && env->formula->statement->formula == FORMULA_augment && !env->formula->library;
    if (!view || !role_type(param->type.name) || e->kind != EXPR_NAME || map_get(&env->values, e->name) || scope_find(env->scope, e->name)) return false;
    const Statement *head = env->formula->statement;
    Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, e->span, "`%s` takes no `%s`, so there is none here", head->name, e->name);
    diag_also(d, head->name_span, "a view is given a picture, and the columns that it names");
    diag_help(d, "take it as a second parameter");
    const Param *last = head->params.count ? &head->params.at[head->params.count - 1] : NULL;
    const uint32_t end = !last ? 0 : last->fallback ? last->fallback->span.end : last->type.span.end;
    if (end) diag_edit(d, (Span){end, end}, false, ", %s: %s", e->name, param->type.name);
    return true;
}

/* Where a Word is wanted, a bare name is a word though something else may be called so; where an Int is, `/` rounds down. */
static Value *evaluate_argument(Environment *env, const Param *param, const Expr *e) {
    if (draws_without_name(env, param, e) || column_not_taken(env, param, e)) return poison(env, e->span);
    if (place_type(param->type.name)) {
        const Wanted wanted = {.type = param->type.name, .key = param->name, .argument = true};
        return typed_value(env, &wanted, e);
    }
    bool none = e->kind == EXPR_NAME && !strcmp(e->name, "none") && param->fallback && param->fallback->kind == EXPR_NAME && param->fallback->name == e->name;
    if (e->kind == EXPR_NAME && (none || word_type(param->type.name))) {
        Value *own = map_get(&env->values, e->name);               /* a parameter that hands a word on */
        if (own && (own->kind == VALUE_WORD || own->kind == VALUE_STATS)) return own;
        Value *word = value_new(env->compilation, VALUE_WORD, e->span);
        word->text = e->name;
        return word;
    }
    bool before = env->sizes;
    env->sizes = !strcmp(param->type.name, "Int");
    Value *v = evaluate(env, e);
    env->sizes = before;
    return v;
}

static const char *params_of(Compilation *c, const Decl *decl, NameList *names) {
    const char *text = "";
    for (int i = 0; i < decl->statement->params.count; i++) {
        list_add(&c->arena, names, decl->statement->params.at[i].name);
        text = arena_print(&c->arena, "%s %s", text, decl->statement->params.at[i].name);
    }
    for (int i = 0; i < decl->statement->lines.count; i++) {
        const Line *line = &decl->statement->lines.at[i];
        if (line->kind != LINE_LEARN) continue;
        list_add(&c->arena, names, line->name);
        text = arena_print(&c->arena, "%s %s", text, line->name);
    }
    return text;
}

static bool wrong_name(Environment *env, const Decl *decl, const Argument *argument) {
    Compilation *c = env->compilation;
    NameList names = {0};
    const char *known = params_of(c, decl, &names);
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, argument->name_span, "`%s` takes no `%s`", decl->name, argument->name);
    diag_fact(d, "`%s` takes:%s%s", decl->name, known, decl->statement->formula == FORMULA_network ? " weights stats frozen" : "");
    if (!diag_did_you_mean(d, argument->name_span, argument->name, &names, decl->library)) diag_help(d, "take it out, or name one of these");
    return false;
}

static bool given_twice(Environment *env, const Argument *argument, Span span, const char *name, const Bound *before) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, argument ? argument->value->span : span, "`%s` is given a second time", name);
    diag_also(d, before->span, "here first");
    diag_help(d, "keep one of the two");
    return false;
}

/* Looks for a weight file where LANGUAGE decision 6 says, and tells all places if it is nowhere. */
static const char *find_weights(Environment *env, const char *name, Span span) {
    Compilation *c = env->compilation;
    const Source *source = source_of(c->jre, span);
    const char *folder = source ? source->folder : ".";
    NameList places = {0};
    if (name[0] == '/') list_add(&c->arena, &places, name);
    else {
        list_add(&c->arena, &places, arena_print(&c->arena, "%s/%s", folder, name));
        list_add(&c->arena, &places, arena_print(&c->arena, "%s/weights/%s", folder, name));
        for (const char *at = c->jre->weights_path; at && *at;) {
            size_t length = strcspn(at, ":");
            if (length) list_add(&c->arena, &places, arena_print(&c->arena, "%.*s/%s", (int)length, at, name));
            at += length + (at[length] == ':');
        }
        if (c->jre->stdlib) list_add(&c->arena, &places, arena_print(&c->arena, "%s/weights/%s", c->jre->stdlib, name));
    }
    const char *looked = "looked for it at:";
    for (int i = 0; i < places.count; i++) {
        if (c->facts.file_exists(c->facts.context, places.at[i])) return places.at[i];
        looked = arena_print(&c->arena, "%s\n    %s", looked, places.at[i]);
    }
    Diagnostic *d = diag(c->jre, DIAG_file_missing, span, "this file of weights is nowhere");
    diag_fact(d, "%s", looked);
    diag_note(d, "timm and torchvision publish such weights; .safetensors, .pth and .npz are read");
    diag_help(d, "put it in one of these places, or name its folder in JRE_WEIGHTS");
    return NULL;
}

WeightScope *weights_made_up(Compilation *c, Span span) {
    WeightFacts *facts = arena_new(&c->arena, WeightFacts);
    *facts = (WeightFacts){.path = "", .made_up = true};
    WeightScope *scope = arena_new(&c->arena, WeightScope);
    *scope = (WeightScope){.path = "", .hash = "none_yet", .facts = facts, .span = span};
    return scope;
}

bool are_drawn(const Expr *weights) { return weights->kind == EXPR_CALL && weights->target->kind == EXPR_NAME && !strcmp(weights->target->name, "random"); }

/* weights = random(seed = 1): left to chance on purpose, and the same in every run. */
static bool take_random(Environment *env, Value *formula, const Expr *e) {
    Compilation *c = env->compilation;
    bool one = e->arguments.count == 1 && e->arguments.at[0].name && !strcmp(e->arguments.at[0].name, "seed");
    const Value *seed = one ? evaluate(env, e->arguments.at[0].value) : NULL;
    if (seed && seed->kind == VALUE_NONE) return false;
    if (!seed || seed->kind != VALUE_NUMBER || !seed->whole || seed->unit || seed->number < 0) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, e->span, "weights that are drawn have a seed, a whole number");
        diag_help(d, "write it so");
        diag_edit(d, e->span, false, "random(seed = 1)");
        return false;
    }
    formula->weights = weights_made_up(c, e->span);
    formula->weights->drawn = true;
    formula->weights->hash = arena_print(&c->arena, "random %.0f", seed->number);
    return true;
}

static bool take_weights(Environment *env, Value *formula, const Argument *argument) {
    Compilation *c = env->compilation;
    const Expr *e = argument->value;
    if (are_drawn(e)) return take_random(env, formula, e);
    Value *name = evaluate(env, argument->value);
    if (name->kind == VALUE_NONE) return false;
    if (name->kind != VALUE_TEXT) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, argument->value->span, "the name of a file was expected, this is %s", value_kind_text(name));
        diag_help(d, "for instance weights = \"resnet50.safetensors\"");
        return false;
    }
    const char *path = find_weights(env, name->text, argument->value->span);
    if (!path) {                                                  /* told; the rest of the document is checked all the same */
        formula->weights = weights_made_up(c, argument->value->span);
        formula->weights->reported = formula->weights->has_stats = stats_by_word("imagenet", &formula->weights->stats);
        return true;
    }
    WeightScope *scope = arena_new(&c->arena, WeightScope);
    *scope = (WeightScope){.path = path, .span = argument->value->span};
    scope->facts = c->facts.weights(c->facts.context, path, scope->span);
    scope->hash = scope->facts ? c->facts.content_hash(c->facts.context, path, scope->span) : NULL;
    if (!scope->hash) return false;
    if (scope->facts->stats) scope->has_stats = stats_from_text(scope->facts->stats, &scope->stats);
    scope->stats.said_by = path;
    scope->stats.span = scope->span;
    formula->weights = scope;
    return true;
}

static bool take_stats(Environment *env, Value *formula, const Argument *argument) {
    const Param as_stats = {.type = {.name = "Stats"}};
    Value *said = evaluate_argument(env, &as_stats, argument->value);
    if (said->kind == VALUE_NONE) return false;
    if (said->kind == VALUE_STATS) formula->stats = said->stats;
    else if (said->kind != VALUE_WORD || !stats_by_word(said->text, &formula->stats)) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, argument->value->span, "no statistics of this name");
        diag_help(d, "known are: imagenet half clip");
        return false;
    }
    formula->has_stats = true;
    formula->stats.span = argument->value->span;
    return true;
}

/* A file that says its statistics is believed; the call speaks where the file is silent, and may not contradict it. */
static bool settle_stats(Environment *env, Value *formula) {
    WeightScope *weights = formula->weights;
    if (!weights || !formula->has_stats) return true;
    if (!weights->has_stats || weights->reported) {               /* a file that is nowhere says nothing */
        weights->stats = formula->stats;
        weights->has_stats = true;
        return true;
    }
    if (stats_equal(&weights->stats, &formula->stats)) return true;
    if (overruled(env->compilation, env->compilation->scope, DIAG_wrong_normalization, formula->stats.span, formula->stats.span)) {
        weights->stats = formula->stats;
        return true;
    }
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_normalization, formula->stats.span, "the call says %s", stats_text(env->compilation, &formula->stats));
    diag_also(d, weights->span, "the file says %s", stats_text(env->compilation, &weights->stats));
    diag_help(d, "take `stats` out of the call: the file knows");
    return false;
}

/* What every network takes besides its own parameters. */
static bool take_common(Environment *env, Value *formula, const Argument *argument, bool *taken) {
    *taken = false;
    if (formula->decl->statement->formula != FORMULA_network) return true;
    *taken = true;
    if (!strcmp(argument->name, "weights")) return take_weights(env, formula, argument);
    if (!strcmp(argument->name, "stats")) return take_stats(env, formula, argument);
    if (!strcmp(argument->name, "frozen")) {
        Value *v = evaluate(env, argument->value);
        if (v->kind == VALUE_TRUTH) formula->frozen = v->truth;
        if (v->kind == VALUE_TRUTH || v->kind == VALUE_NONE) return v->kind == VALUE_TRUTH;
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, argument->value->span, "true or false was expected, this is %s", value_kind_text(v));
        diag_help(d, "write frozen = true, or leave it out");
        return false;
    }
    *taken = false;
    return true;
}

static const Param *next_open(const Decl *decl, Value *formula, int *place) {
    for (; *place < decl->statement->params.count; ++*place)
        if (!argument_of(formula, decl->statement->params.at[*place].name)) return &decl->statement->params.at[(*place)++];
    return NULL;
}

static const Param *param_named(const Decl *decl, const char *name) {
    for (int i = 0; i < decl->statement->params.count; i++)
        if (decl->statement->params.at[i].name == name) return &decl->statement->params.at[i];
    return NULL;
}

/* The line that learns a weight of this name, as a parameter. */
static const Param *learned_param(Compilation *c, const Decl *decl, const char *name) {
    for (int i = 0; i < decl->statement->lines.count; i++) {
        const Line *line = &decl->statement->lines.at[i];
        if (line->kind != LINE_LEARN || line->name != name) continue;
        Param *param = arena_new(&c->arena, Param);
        *param = (Param){.name = name, .span = line->name_span, .type = line->type};
        return param;
    }
    return NULL;
}

/* resnet50(frozen), sgd(0.1, nesterov): what is or is not so has a name and a value. */
static bool bare_flag(Environment *env, const Decl *decl, const Argument *argument) {
    const Expr *e = argument->value;
    if (argument->name || e->kind != EXPR_NAME || map_get(&env->values, e->name) || scope_find(env->scope, e->name)) return false;
    const Param *param = param_named(decl, e->name);
    const bool frozen = decl->statement->formula == FORMULA_network && !strcmp(e->name, "frozen");
    if (!frozen && !(param && !strcmp(param->type.name, "Bool"))) return false;
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, e->span, "`%s` is true or false", e->name);
    diag_help(d, "say which");
    diag_edit(d, e->span, false, "%s = true", e->name);
    return true;
}

static bool take_argument(Environment *env, Value *formula, const Argument *argument, int *place) {
    const Decl *decl = formula->decl;
    if (bare_flag(env, decl, argument)) return false;
    bool taken;
    const Param *param;
    if (argument->name) {
        param = param_named(decl, argument->name);
        if (!param) param = learned_param(env->compilation, decl, argument->name);
        if (!param) {
            if (!take_common(env, formula, argument, &taken)) return false;
            return taken || wrong_name(env, decl, argument);
        }
        Bound *before = argument_of(formula, param->name);
        if (before) return given_twice(env, argument, argument->value->span, param->name, before);
    } else {
        param = next_open(decl, formula, place);
        if (!param) {
            Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, argument->value->span, "`%s` takes no further argument", decl->name);
            diag_help(d, "take it out");
            return false;
        }
    }
    Bound bound = {param->name, evaluate_argument(env, param, argument->value), argument->value->span};
    if (bound.value->kind == VALUE_NONE) return false;
    list_add(&env->compilation->arena, &formula->bound, bound);
    return true;
}

/* ---- the body ------------------------------------------------------------------------------------------------------------ */

static const char *join_path(Arena *arena, const char *path, const char *name) {
    return *path ? arena_print(arena, "%s.%s", path, name) : name;
}

/* conv1, conv2, ...: kind and ordinal of a stage without a name. */
static const char *ordinal_name(Environment *env, const char *kind) {
    Arena *arena = &env->compilation->arena;
    if (!env->ordinals) env->ordinals = arena_new(arena, Map);
    int *count = map_get(env->ordinals, kind);
    if (!count) map_set(env->ordinals, arena, kind, count = arena_new(arena, int));
    return arena_print(arena, "%s%d", kind, ++*count);
}

static Environment *enter(Environment *env, Value *formula, const char *label, Span span) {
    Compilation *c = env->compilation;
    const Decl *decl = formula->decl;
    Environment *inner = environment_new(c, decl->scope, env->choices);
    inner->graph = env->graph;
    inner->formula = decl;
    inner->caller = env;
    inner->called = formula;
    inner->weights = formula->weights ? formula->weights : env->weights;
    inner->frozen = formula->frozen || env->frozen;
    bool names_itself = !strcmp(decl->name, "repeat") && decl->statement->builtin;
    bool learns = decl->statement->formula == FORMULA_network || decl->statement->formula == FORMULA_loss;
    bool stage = label || (learns && !names_itself && env->formula);
    const char *name = label ? label : stage ? ordinal_name(env, decl->name) : NULL;
    inner->path = formula->weights ? "" : name ? join_path(&c->arena, env->path, name) : env->path;
    if (!stage) inner->ordinals = env->ordinals ? env->ordinals : (env->ordinals = arena_new(&c->arena, Map));
    Origin *origin = arena_new(&c->arena, Origin);
    *origin = (Origin){span, env->origin, env->formula && env->formula->library};
    inner->origin = origin;
    bool from_outside = !env->formula || !env->formula->library;
    if (!c->backbone && env->graph && from_outside && decl->library && !decl->scope->core && !decl->statement->builtin && decl->statement->formula == FORMULA_network)
        c->backbone = formula->text;
    return inner;
}

/* The parameter that this condition is about: its first name that was given a number in the call, or true or false. */
static Bound *parameter_in(const Environment *inner, const Expr *test) {
    if (!test || !inner->called) return NULL;
    Bound *given = test->kind == EXPR_NAME ? argument_of(inner->called, test->name) : NULL;
    if (given && (given->value->kind == VALUE_NUMBER || (given->value->kind == VALUE_TRUTH && !given->value->open))) return given;
    Bound *left = parameter_in(inner, test->left);
    return left ? left : parameter_in(inner, test->right);
}

static bool all_hold(Environment *inner, const Decl *decl) {
    for (int i = 0; i < decl->statement->where.count; i++) {
        const Value *v = evaluate(inner, decl->statement->where.at[i]);
        if (v->kind != VALUE_TRUTH || !v->truth) return false;
    }
    return true;
}

/* What was probably meant by a value that breaks a condition: the other of true and false; of numbers, it without its minus, as a percentage, in degrees, or else the default, or the
 * number it is compared with. NULL: none of these holds. */
static const Value *number_that_holds(Environment *inner, const Decl *decl, const Expr *test, const Bound *given) {
    Compilation *c = inner->compilation;
    const Param *param = NULL;
    for (int i = 0; i < decl->statement->params.count; i++)
        if (decl->statement->params.at[i].name == given->name) param = &decl->statement->params.at[i];
    const bool truth = given->value->kind == VALUE_TRUTH;
    Value tries[5] = {*given->value, *given->value, *given->value}, *before = map_get(&inner->values, given->name);
    tries[0].number = -tries[0].number;
    tries[0].truth = !tries[0].truth;
    if (!strcmp(param->type.name, "Share") && !tries[1].unit) tries[1].unit = UNIT_percent;
    if (tries[2].unit == UNIT_rad) tries[2].unit = UNIT_deg;
    int count = truth ? 1 : 3;
    if (!truth && param->fallback && param->fallback->kind == EXPR_NUMBER) tries[count++] = *evaluate_argument(inner, param, param->fallback);
    const bool alone = test->kind == EXPR_BINARY && test->left->kind == EXPR_NAME && test->left->name == given->name;
    if (!truth && alone && test->right->kind == EXPR_NUMBER) tries[count++] = *evaluate(inner, test->right);
    const Value *found = NULL;
    for (int i = 0; i < count && !found; i++) {
        map_set(&inner->values, &c->arena, given->name, &tries[i]);
        if (!all_hold(inner, decl)) continue;
        Value *kept = value_new(c, given->value->kind, given->span);
        *kept = tries[i];
        found = kept;
    }
    map_set(&inner->values, &c->arena, given->name, before);
    return found;
}

/* A value of the call that a condition does not allow is underlined where it stands. */
static void tell_number(Environment *inner, const Decl *decl, const Expr *test, const Bound *given) {
    Compilation *c = inner->compilation;
    Diagnostic *d = diag(c->jre, DIAG_broken_condition, given->span, "`%s` asks that %s", decl->name, expr_text(c->jre, test));
    if (!place_find(decl->statement->result.name)) diag_also(d, test->span, "asked for here");
    const Value *instead = number_that_holds(inner, decl, test, given);
    const char *text = instead ? value_text(c, instead) : NULL;
    diag_help(d, text ? "for instance %s = %s" : "give it another number", given->name, text);
    if (text && is_literal(c->jre, given->value)) diag_edit(d, given->value->span, false, "%s", text);
}

static bool check_where(Environment *inner, const Decl *decl) {
    Compilation *c = inner->compilation;
    for (int i = 0; i < decl->statement->where.count; i++) {
        const Expr *test = decl->statement->where.at[i];
        Value *v = evaluate(inner, test);
        if (v->kind == VALUE_NONE) return false;
        if (v->kind == VALUE_TRUTH && v->truth) continue;
        const Bound *given = parameter_in(inner, test);
        if (given && source_of(c->jre, given->span) == source_of(c->jre, origin_user_span(inner->origin))) {
            tell_number(inner, decl, test, given);
            return false;
        }
        Diagnostic *d = diag_at_call(inner, DIAG_broken_condition, "`%s` asks that %s", decl->name, expr_text(c->jre, test));
        if (!place_find(decl->statement->result.name)) diag_also(d, test->span, "asked for here");
        for (int k = 0; inner->dims && k < inner->dims->bound.count; k++) {
            const DimBinding *size = &inner->dims->bound.at[k];
            if (!size->is_rest && size->value != DIM_BATCH) diag_fact(d, "here %s = %lld", size->name, (long long)size->value);
        }
        diag_help(d, inner->dims && inner->dims->bound.count ? "give it another size" : "give it another number");
        return false;
    }
    return true;
}

static Value *run_lines(Environment *env, const Decl *decl) {
    Compilation *c = env->compilation;
    Value *result = NULL;
    for (int i = 0; i < decl->statement->lines.count; i++) {
        const Line *line = &decl->statement->lines.at[i];
        Value *v = line->kind == LINE_LEARN ? learned_weight(env, line) : line->kind == LINE_DRAW ? draw_line(env, line) : evaluate_line(env, line->value);
        if (v->kind == VALUE_NONE) return v;
        if (line->kind == LINE_EQUATION && line->letters.count) v = letters_in_order(env, v, &line->letters, line->span);
        if (v->kind == VALUE_NONE) return v;
        if (line->kind == LINE_RESULT) result = v;
        else if (map_get(&env->values, line->name)) {
            Diagnostic *d = diag(c->jre, DIAG_already_named, line->name_span, "`%s` has a meaning in this formula already", line->name);
            diag_help(d, "choose another name");
            return poison(env, line->span);
        } else {
            map_set(&env->values, &c->arena, line->name, v);
        }
    }
    if (result) return result;
    Diagnostic *d = diag(c->jre, DIAG_unfinished_line, decl->statement->span, "the formula ends without a result");
    diag_help(d, "its last line is what it gives: an expression without `=`");
    return poison(env, decl->statement->span);
}

/* Parameters become names: arguments, then defaults, which may use earlier ones. Letters of the types follow. */
static bool bind_parameters(Environment *inner, DimTable *table, Value *formula, Span span) {
    Compilation *c = inner->compilation;
    const Decl *decl = formula->decl;
    for (int i = 0; i < decl->statement->params.count; i++) {
        const Param *param = &decl->statement->params.at[i];
        Bound *given = argument_of(formula, param->name);
        Value *v = given ? given->value : param->fallback ? evaluate_argument(inner, param, param->fallback) : NULL;
        if (!v) {
            Diagnostic *d = diag(c->jre, DIAG_wrong_argument, span, "`%s` still needs its `%s`", decl->name, param->name);
            diag_also(d, param->span, "%s, without a default", type_as_text(&c->arena, &param->type));
            diag_help(d, "give it: %s = ...", param->name);
            return false;
        }
        if (v->kind != VALUE_NONE) v = as_data(inner, &param->type, v);
        if (v->kind == VALUE_NONE || !bind_type(inner, table, param, v, decl)) return false;
        map_set(&inner->values, &c->arena, param->name, v);
        for (int k = 0; k < table->bound.count; k++) {
            const DimBinding *size = &table->bound.at[k];
            if (size->is_rest || map_get(&inner->values, size->name)) continue;
            Value *letter = value_number(c, (double)size->value, param->span);
            letter->batch = size->value == DIM_BATCH;
            map_set(&inner->values, &c->arena, size->name, letter);
        }
    }
    return true;
}

/* Sizes may name parameters: Tensor[N, 4 * width, ..]. */
static bool number_outside(void *context, const char *name, int64_t *value) {
    const Environment *env = context;
    const Value *v = map_get(&env->values, name);
    if (!v || v->kind != VALUE_NUMBER || !(v->batch || v->whole)) return false;
    *value = v->batch ? DIM_BATCH : (int64_t)v->number;
    return true;
}

static Value *apply(Environment *env, Value *formula, Span span, const char *label) {
    Compilation *c = env->compilation;
    const Decl *decl = formula->decl;
    if (c->depth >= DEEPEST_CALL && c->steps >= STEPS_QUIET) return poison(env, span);
    if (c->depth >= DEEPEST_CALL) {
        c->steps = STEPS_QUIET;
        Diagnostic *d = diag(c->jre, DIAG_too_deep, span, "`%s` is called inside itself, or formulas call each other %d deep", decl->name, DEEPEST_CALL);
        diag_help(d, "let each formula call only what is simpler than itself");
        return poison(env, span);
    }
    formula->decl->called = true;
    c->depth++;
    Environment *inner = enter(env, formula, label, span);
    DimTable *table = arena_new(&c->arena, DimTable);
    *table = (DimTable){.arena = &c->arena, .outside = number_outside, .context = inner};
    inner->dims = table;
    if (!c->trying) formula->decl->sizes = table;
    Value *result = NULL;
    if (formula->weights) formula->weights->unfit.count = 0;
    if (bind_parameters(inner, table, formula, span) && check_where(inner, decl))
        result = decl->statement->builtin ? builtin_call(inner, decl, span) : run_lines(inner, decl);
    if (result && result->kind != VALUE_NONE) result = as_data(inner, &decl->statement->result, result);
    if (result && result->kind != VALUE_NONE && !check_result(inner, table, decl, result)) result = NULL;
    if (result && result->kind != VALUE_NONE && formula->weights && !weights_fit(c, formula->weights, formula->text ? formula->text : decl->name)) result = NULL;
    c->depth--;
    if (!result) return poison(env, span);
    if (result->kind == VALUE_TENSOR) {
        Value *made = value_new(c, VALUE_TENSOR, span);
        *made = *result;
        made->inside = inner;
        made->embedding = !strcmp(decl->statement->result.name, "Embedding");
        if (label && !made->node->stage) made->node->stage = label;
        return made;
    }
    return result;
}

/* Two stages of one name would read the same weights. False: told. */
static bool labeled_once(Environment *env, const char *label, Span span) {
    Compilation *c = env->compilation;
    Span *before = map_get(&env->labels, label);
    if (before && before->start != span.start) {
        Diagnostic *d = diag(c->jre, DIAG_already_named, span, "a stage of this formula is called `%s` already", label);
        diag_also(d, *before, "here first");
        diag_note(d, "a stage is named for its weights: both would read, and train, the same ones");
        diag_help(d, "give this stage a name of its own, or take `as %s` out", label);
        return false;
    }
    if (before) return true;
    before = arena_new(&c->arena, Span);
    *before = span;
    map_set(&env->labels, &c->arena, label, before);
    return true;
}

static void remember_stage(Environment *env, const char *name, Value *result, Span span) {
    if (result->kind != VALUE_TENSOR) return;
    Compilation *c = env->compilation;
    if (!map_get(&env->stages, name)) map_set(&env->stages, &c->arena, name, result);
    TrailStop *stop = arena_new(&c->arena, TrailStop);
    *stop = (TrailStop){name, result->node->shape, span, env};
    list_add(&c->arena, &c->trail, stop);
}

bool bind_option(Environment *env, Value *option, const ArgumentList *arguments, Span span) {
    Compilation *c = env->compilation;
    const Decl *decl = option->decl;
    int place = 0;
    for (int i = 0; arguments && i < arguments->count; i++)
        if (!take_argument(env, option, &arguments->at[i], &place)) return false;
    Environment *inner = environment_new(c, decl->scope, env->choices);
    Origin *origin = arena_new(&c->arena, Origin);
    *origin = (Origin){.span = span};
    inner->formula = decl;
    inner->origin = origin;
    inner->record = env->record;
    inner->called = option;
    DimTable *table = arena_new(&c->arena, DimTable);
    table->arena = &c->arena;
    inner->dims = table;
    if (!bind_parameters(inner, table, option, span) || !check_where(inner, decl)) return false;
    for (int i = 0; i < decl->statement->params.count; i++) {
        const Param *param = &decl->statement->params.at[i];
        if (argument_of(option, param->name)) continue;
        Bound fallback = {param->name, map_get(&inner->values, param->name), span};
        list_add(&c->arena, &option->bound, fallback);
    }
    return true;
}

/* A training, called, is its network with the weights that it will have found. */
static Value *trained(Environment *env, Value *training, Span span) {
    Compilation *c = env->compilation;
    const TrainPlan *train = plan_of_record(c, training->decl, training->choices);
    if (!train) return poison(env, span);
    Value *network = value_new(c, VALUE_FORMULA, span);
    *network = *train->network;
    network->weights = weights_made_up(c, span);
    network->weights->hash = train->key->hash;
    network->weights->train = train;
    network->frozen = true;
    network->text = train->name;
    if (env->graph && !env->graph->later) env->graph->later = "networks that are trained", env->graph->later_span = span;
    return network;
}

Value *evaluate_call(Environment *env, Value *callee, const ArgumentList *arguments, Value *piped, Span span, const char *label) {
    Compilation *c = env->compilation;
    if (callee->kind == VALUE_RECORD && callee->decl->record == KIND_train) callee = trained(env, callee, span);
    if (callee->kind == VALUE_NONE) return callee;
    if (callee->kind != VALUE_FORMULA) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, span, "this is %s, it cannot be called", value_kind_text(callee));
        diag_help(d, "call a function, a network, a loss or an augment");
        return poison(env, span);
    }
    Value *formula = value_new(c, VALUE_FORMULA, span);
    *formula = *callee;
    formula->bound.at = NULL, formula->bound.count = formula->bound.room = 0;
    for (int i = 0; i < callee->bound.count; i++) list_add(&c->arena, &formula->bound, callee->bound.at[i]);
    int place = 0;
    if (piped) {
        const Param *param = next_open(formula->decl, formula, &place);
        if (!param) {
            diag(c->jre, DIAG_wrong_argument, span, "`%s` has all its arguments, nothing can be piped into it", formula->decl->name);
            return poison(env, span);
        }
        Bound data = {param->name, piped, piped->span};
        list_add(&c->arena, &formula->bound, data);
    }
    for (int i = 0; arguments && i < arguments->count; i++)
        if (!take_argument(env, formula, &arguments->at[i], &place)) return poison(env, span);
    if (!settle_stats(env, formula)) return poison(env, span);
    for (int i = 0; i < formula->decl->statement->params.count; i++) {
        const Param *param = &formula->decl->statement->params.at[i];
        if (is_data_type(param->type.name) && !param->fallback && !argument_of(formula, param->name)) return formula;
    }
    if (label && !labeled_once(env, label, span)) return poison(env, span);
    Value *result = apply(env, formula, span, label);
    remember_stage(env, label ? label : formula->decl->name, result, span);
    return result;
}

Value *call_with_data(Environment *env, Value *formula, const Bound *data, int count, Span span) {
    Compilation *c = env->compilation;
    Value *full = value_new(c, VALUE_FORMULA, span);
    *full = *formula;
    full->bound.at = NULL, full->bound.count = full->bound.room = 0;
    for (int i = 0; i < count; i++) list_add(&c->arena, &full->bound, data[i]);
    for (int i = 0; i < formula->bound.count; i++)
        if (!argument_of(full, formula->bound.at[i].name)) list_add(&c->arena, &full->bound, formula->bound.at[i]);
    return apply(env, full, span, NULL);
}
