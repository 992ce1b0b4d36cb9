/* fields.c: what stands behind a dot, and in brackets behind what is no tensor.
 *
 *   folds.train   folds[1].held_out   backbone.stats   eye.layer3   v02.cv.map   cv[head = ArcFace].best.ap   best(cv, by = map).head */
#include "compiler.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* ---- messages ------------------------------------------------------------------------------------------------------- */

static const char *joined(Compilation *c, const NameList *names) {
    const char *all = "";
    for (int i = 0; i < names->count; i++) all = arena_print(&c->arena, "%s %s", all, names->at[i]);
    return all;
}

static Value *unknown_field(Environment *env, const Expr *e, const Value *target, const NameList *known) {
    Compilation *c = env->compilation;
    if (target->kind == VALUE_TABLE) {
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->focus, "a table is shown whole: nothing of it has a name");
        diag_help(d, "take `.%s` out, and show it: probe %s", e->name, span_text(c->jre, e->target->span));
        return poison(env, e->span);
    }
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->focus, "%s has nothing called `%s`", value_kind_text(target), e->name);
    if (target->kind == VALUE_FORMULA) diag_fact(d, "a network has: stats, and the names of its stages once it is given a picture");
    if (known->count) diag_fact(d, "%s has:%s", value_kind_text(target), joined(c, known));
    if (!diag_did_you_mean(d, e->focus, e->name, known, true))
        diag_help(d, known->count || target->kind == VALUE_FORMULA ? "name one of these" : "take `.%s` out", e->name);
    return poison(env, e->span);
}

Value *undecided(Environment *env, const Decl *axis, Span span) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_undecided_choice, span, "`%s` has several values, one is needed here", axis->name);
    diag_also(d, axis->each_span, "chosen from here");
    diag_help(d, "name one: %s = ..., or let `best(.., by = map)` choose", axis->name);
    return poison(env, span);
}

/* ---- networks and tensors --------------------------------------------------------------------------------------------- */

static Value *stats_of(Environment *env, const Expr *e, Value *network) {
    Compilation *c = env->compilation;
    if (!network->has_stats && !(network->weights && network->weights->has_stats)) {
        if (network->weights && network->weights->reported) return poison(env, e->span);
        const char *mark = network->weights ? arena_print(&c->arena, "stats of %s", network->weights->path) : NULL;
        if (mark && map_get(&c->unknown_names, mark)) return poison(env, e->span);        /* one file is one mistake, however many views follow it */
        if (mark) map_set(&c->unknown_names, &c->arena, mark, c);
        Diagnostic *d = diag(c->jre, DIAG_wrong_normalization, e->span, "nobody says what colors this network was raised on");
        if (network->weights) diag_also(d, network->weights->span, "this file does not");
        diag_note(d, "a network sees best through the mean and spread of the pictures that it was trained on");
        diag_help(d, "say it in the call, for instance: %s(..., stats = imagenet)", network->text);
        return poison(env, e->span);
    }
    Value *v = value_new(c, VALUE_STATS, e->span);
    v->stats = network->weights && network->weights->has_stats ? network->weights->stats : network->stats;
    return v;
}

/* An equation of the network, else a stage, outermost first. */
static Value *inside_of(const Value *tensor, const char *name) {
    if (!tensor->inside) return NULL;
    Value *found = map_get(&tensor->inside->values, name);
    return found ? found : map_get(&tensor->inside->stages, name);
}

/* All that is called so at one depth: equations, else stages. A path is a name, then what is inside: "layer3.0". */
typedef LIST(const Value *) InnerList;
static void find_inside(Compilation *c, const Value *tensor, const char *path, InnerList *found) {
    const Value *whole = inside_of(tensor, path);
    if (whole && whole->kind == VALUE_TENSOR) {
        list_add(&c->arena, found, whole);
        return;
    }
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        const Value *first = inside_of(tensor, intern_length(c->jre, path, (size_t)(dot - path)));
        if (first && first->kind == VALUE_TENSOR) find_inside(c, first, dot + 1, found);
    }
}

/* The tensors one step further in, each once. */
static void step_inward(Compilation *c, const Value *tensor, Seen *seen, InnerList *next) {
    const Map *const names[] = {&tensor->inside->values, &tensor->inside->stages};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < names[k]->count; i++) {
            const Value *v = names[k]->entries[i].value;
            if (v->kind == VALUE_TENSOR && v->inside && seen_first(seen, &c->arena, v->inside)) list_add(&c->arena, next, v);
        }
}

const Value *inner_value(Compilation *c, const Value *tensor, const char *path, int *count) {
    InnerList level = {0};
    Seen seen = {0};
    *count = 0;
    if (tensor->inside) list_add(&c->arena, &level, tensor);
    while (level.count) {
        InnerList found = {0}, next = {0};
        for (int i = 0; i < level.count; i++) find_inside(c, level.at[i], path, &found);
        const Value *first = found.count ? found.at[0] : NULL;
        for (int i = 0; i < found.count; i++) *count += i == 0 || found.at[i]->node != first->node;
        if (first) return first;
        for (int i = 0; i < level.count; i++) step_inward(c, level.at[i], &seen, &next);
        level = next;
    }
    return NULL;
}

void inner_names(Compilation *c, const Value *tensor, NameList *names) {
    InnerList level = {0};
    Seen seen = {0};
    Map told = {0};
    if (tensor->inside) list_add(&c->arena, &level, tensor);
    for (int i = 0; i < level.count; i++) {
        const Map *const maps[] = {&level.at[i]->inside->values, &level.at[i]->inside->stages};
        for (int k = 0; k < 2; k++)
            for (int n = 0; n < maps[k]->count; n++) {
                const MapEntry *entry = &maps[k]->entries[n];
                if (((const Value *)entry->value)->kind != VALUE_TENSOR || map_get(&told, entry->key)) continue;
                map_set(&told, &c->arena, entry->key, entry->value);
                list_add(&c->arena, names, entry->key);
            }
        step_inward(c, level.at[i], &seen, &level);
    }
}

/* ---- parts of splits --------------------------------------------------------------------------------------------------- */

static bool has_setting(const Decl *decl, const char *key) {
    for (int i = 0; i < decl->settings.count; i++)
        if (!strcmp(decl->settings.at[i].key, key)) return true;
    return false;
}

/* Of a split by a column each of its values is a part, and who says two ways is told elsewhere: false, for any name may be one. */
static bool parts_of_split(Compilation *c, const Value *target, NameList *parts) {
    const Decl *split = target->decl;
    bool by_shares = has_setting(split, "shares");
    if (has_setting(split, "column") || (by_shares && has_setting(split, "folds"))) return false;
    if (by_shares) {
        const Value *shares = setting_value(c, split, "shares", target->choices);
        for (int i = 0; shares && shares->kind == VALUE_LIST && i < shares->items.count; i++) list_add(&c->arena, parts, shares->items.at[i]->text);
        return true;
    }
    if (has_setting(split, "by")) {
        list_add(&c->arena, parts, "train");
        list_add(&c->arena, parts, "test");
        return true;
    }
    static const char *const names[] = {"train", "held_out", "others"};
    for (int i = 0; i < 3; i++) list_add(&c->arena, parts, names[i]);
    if (has_setting(split, "validate")) list_add(&c->arena, parts, "validate");
    return true;
}

static Value *nothing_to_watch(Environment *env, const Expr *e, const Value *target) {
    const Statement *split = target->decl->statement;
    Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, e->focus, "`%s` carves no part out to watch while training", split->name);
    diag_also(d, split->name_span, "add to this split: validate 10%%");
    diag_help(d, "`validate` is a share of the training part of each fold, which `stop` and `keep` may look at");
    return poison(env, e->span);
}

static Value *part_of_split(Environment *env, const Expr *e, const Value *target) {
    NameList parts = {0};
    Value *v = value_new(env->compilation, VALUE_PART, e->span);
    v->decl = target->decl;
    v->part = e->name;
    v->fold = target->fold;
    v->choices = target->choices;
    if (!parts_of_split(env->compilation, target, &parts)) return v;
    for (int i = 0; i < parts.count; i++)
        if (!strcmp(parts.at[i], e->name)) return v;
    if (!strcmp(e->name, "validate") && has_setting(target->decl, "folds")) return nothing_to_watch(env, e, target);
    return parts.count ? unknown_field(env, e, target, &parts) : poison(env, e->span);
}

static Value *one_fold(Environment *env, const Expr *e, const Value *split) {
    Compilation *c = env->compilation;
    const Value *folds = setting_value(c, split->decl, "folds", split->choices), *place = evaluate(env, e->arguments.at[0].value);
    if (place->kind == VALUE_NONE || (folds && folds->kind == VALUE_NONE)) return poison(env, e->span);
    if (!folds) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, e->span, "`%s` has no folds to count", split->decl->name);
        diag_also(d, split->decl->statement->name_span, "it is not split by folds");
        diag_help(d, "name a part of it: %s.train", split->decl->name);
        return poison(env, e->span);
    }
    if (place->kind != VALUE_NUMBER || !place->whole || place->unit || place->number < 1 || place->number > folds->number) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, e->arguments.at[0].value->span, "`%s` has %.0f folds, counted from 1", split->decl->name, folds->number);
        diag_help(d, "write a whole number from 1 to %.0f", folds->number);
        return poison(env, e->span);
    }
    Value *v = value_new(c, VALUE_RECORD, e->span);
    *v = *split;
    v->fold = (int)place->number;
    return v;
}

/* ---- results -------------------------------------------------------------------------------------------------------------- */

static bool has_parameters(Metric metric) { return strcmp(metric_rows[metric].parameters, "()") != 0; }

/* Every number of an evaluation, and those that its own metrics add: assigned(at = 0.4) is cv.assigned. */
static void metrics_of(Compilation *c, const Value *evaluation, NameList *names) {
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        if (!has_parameters((Metric)metric)) list_add(&c->arena, names, metric_rows[metric].word);
    for (int i = 0; metric_names[i]; i++) list_add(&c->arena, names, metric_names[i]);
    const Value *own = setting_value(c, evaluation->decl, "metrics", evaluation->choices);
    for (int i = 0; own && own->kind == VALUE_LIST && i < own->items.count; i++) {
        Metric metric = own->items.at[i]->text ? metric_find(own->items.at[i]->text) : METRIC_NONE;
        if (metric != METRIC_NONE && has_parameters(metric)) list_add(&c->arena, names, metric_rows[metric].word);
    }
}

static bool is_metric(const NameList *names, const char *path) {
    size_t length = strlen(path);
    for (int i = 0; i < names->count; i++)
        if (!strncmp(names->at[i], path, length) && (!names->at[i][length] || names->at[i][length] == '.')) return true;
    return false;
}

static Decl *open_axis(const AxisList *axes, const Choice *choices) {
    for (int i = 0; i < axes->count; i++)
        if (choice_of(choices, axes->at[i]) < 0) return axes->at[i];
    return NULL;
}

static const Choice *with_choice(Compilation *c, Decl *axis, int index, const Choice *next) {
    Choice *choice = arena_new(&c->arena, Choice);
    *choice = (Choice){axis, index, next};
    return choice;
}

/* The members that best(..) chooses among: what is open, in the order of the choices. */
static void open_members(Compilation *c, const Value *evaluation, MemberList *members) {
    AxisList axes = {0}, open = {0};
    axes_of_decl(c, evaluation->decl, &axes);
    for (int i = 0; i < axes.count; i++)
        if (choice_of(evaluation->choices, axes.at[i]) < 0) list_add(&c->arena, &open, axes.at[i]);
    members_of_axes(c, &open, evaluation->span, members);
    for (int i = 0; i < members->count; i++) {
        const Choice *all = members->at[i].choices;
        for (const Choice *given = evaluation->choices; given; given = given->next) all = with_choice(c, given->axis, given->index, all);
        members->at[i].choices = all;
    }
}

/* The choices of the best member; the first declared wins a tie. False: no number is known yet. Where nobody was there to be found,
 * all numbers are NaN, and so is the highest. */
static bool best_member(Compilation *c, const Value *evaluation, const Choice **choices, double *highest) {
    MemberList members = {0};
    double number;
    bool any = false;
    open_members(c, evaluation, &members);
    for (int i = 0; i < members.count; i++) {
        const EvaluatePlan *plan = plan_of_record(c, evaluation->decl, members.at[i].choices);
        if (!plan || !c->results || !c->results->metric(c->results->context, plan, evaluation->best_by, &number)) continue;
        if (any && !(number > *highest) && !isnan(*highest)) continue;
        if (any && isnan(number)) continue;
        any = true;
        *highest = number;
        *choices = members.at[i].choices;
    }
    return any;
}

/* `cv.mpa`, `cv.worst.map`, `best(cv, by = map).heads`: what could have stood there. */
static Value *unknown_metric(Environment *env, const Expr *e, const Value *target, const char *path, const NameList *names) {
    Compilation *c = env->compilation;
    NameList known = {0};
    AxisList axes = {0};
    const char *dot = strrchr(path, '.');
    size_t before = dot ? (size_t)(dot + 1 - path) : 0;
    for (int i = 0; i < names->count; i++)
        if (!strncmp(names->at[i], path, before)) list_add(&c->arena, &known, intern(c->jre, names->at[i] + before));
    if (target->best_by) axes_of_decl(c, target->decl, &axes);
    for (int i = 0; i < axes.count; i++) list_add(&c->arena, &known, axes.at[i]->name);
    return unknown_field(env, e, target, &known);
}

/* cv.map.low: an interval is of the evaluation, and belongs to its map. */
static Value *number_of_evaluation(Environment *env, const Expr *e, const char *path) {
    Compilation *c = env->compilation;
    const Expr *metric = e->target;
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->focus, "`%s` is a number of the whole evaluation", e->name);
    const bool of_map = !strncmp(path, "map.", 4);
    if (!of_map) diag_note(d, "the interval is that of `map`");
    diag_help(d, of_map ? "take `.%s` out" : "name the evaluation, without `.%s`", metric->name);
    if (metric->kind == EXPR_FIELD) diag_edit(d, e->span, false, "%s.%s", span_text(c->jre, metric->target->span), e->name);
    return poison(env, e->span);
}

static Value *metric_value(Environment *env, const Expr *e, const Value *target, const char *path) {
    Compilation *c = env->compilation;
    NameList names = {0};
    metrics_of(c, target, &names);
    const bool interval = !strcmp(e->name, "low") || !strcmp(e->name, "high") || !strcmp(e->name, "spread");
    if (strchr(path, '.') && !is_metric(&names, path) && interval) return number_of_evaluation(env, e, path);
    if (!is_metric(&names, path)) return unknown_metric(env, e, target, path, &names);
    Value *v = value_new(c, VALUE_METRIC, e->span);
    v->decl = target->decl;
    v->text = path;
    v->choices = target->choices;
    v->best_by = target->best_by;
    v->known = false;
    const Choice *choices = target->choices;
    double highest;
    if (target->best_by && !best_member(c, target, &choices, &highest)) return v;
    AxisList axes = {0};
    axes_of_decl(c, target->decl, &axes);
    const Decl *open = open_axis(&axes, choices);
    if (open) return undecided(env, open, e->span);
    const EvaluatePlan *plan = plan_of_record(c, target->decl, choices);
    if (!plan || !c->results) return v;
    const char *individual = c->results->individual ? c->results->individual(c->results->context, plan, path) : NULL;
    if (individual) {
        v->kind = VALUE_TEXT;
        v->text = individual;
    } else {
        v->known = c->results->metric(c->results->context, plan, path, &v->number);
    }
    return v;
}

/* best(cv, by = map).head: a choice, known after the run; then it is what the choice is. */
static Value *best_choice(Environment *env, const Expr *e, const Value *target, Decl *axis) {
    Compilation *c = env->compilation;
    const Choice *choices = NULL;
    double highest;
    if (best_member(c, target, &choices, &highest) && !isnan(highest)) {
        int index = choice_of(choices, axis);
        Value *chosen = index < 0 ? NULL : evaluate(environment_new(c, axis->scope, choices), axis->value->arguments.at[index].value);
        if (chosen) return chosen;
    }
    Value *v = value_new(c, VALUE_METRIC, e->span);
    v->decl = target->decl;
    v->text = e->name;
    v->axis = axis;
    v->known = false;
    return v;
}

static Value *field_of_evaluation(Environment *env, const Expr *e, const Value *target) {
    AxisList axes = {0};
    axes_of_decl(env->compilation, target->decl, &axes);
    for (int i = 0; i < axes.count && target->best_by; i++)
        if (axes.at[i]->name == e->name) return best_choice(env, e, target, axes.at[i]);
    const Decl *single = target->best_by ? map_get(&target->decl->scope->names, e->name) : NULL;
    bool decided = single && single->kind == STATEMENT_EQUATION && !single->each;         /* a choice that was made for good */
    if (decided) return evaluate_name(environment_new(env->compilation, target->decl->scope, env->choices), e->name, e->span);
    return metric_value(env, e, target, e->name);
}

/* ---- numbers of pictures ----------------------------------------------------------------------------------------------------- */

static const struct { const char *name; size_t place; } part_fields[] = {
    {"pictures", offsetof(PartFacts, pictures)}, {"individuals", offsetof(PartFacts, individuals)}, {"smallest", offsetof(PartFacts, smallest)},
    {"largest", offsetof(PartFacts, largest)}, {"singletons", offsetof(PartFacts, singletons)}, {"bursts", offsetof(PartFacts, bursts)},
    {"in_bursts", offsetof(PartFacts, in_bursts)}, {"copies", offsetof(PartFacts, copies)},
};
enum { PART_FIELDS = sizeof part_fields / sizeof *part_fields };

bool part_field(const PartFacts *facts, const char *name, double *number) {
    for (int i = 0; i < PART_FIELDS; i++)
        if (!strcmp(part_fields[i].name, name)) {
            *number = *(const int *)(const void *)((const char *)facts + part_fields[i].place);
            return true;
        }
    return false;
}

/* jaguars.pictures, published.test.individuals: known where the pictures may be looked at, and only when results are asked for. */
static Value *field_of_part(Environment *env, const Expr *e, const Value *target) {
    Compilation *c = env->compilation;
    NameList known = {0};
    PartPlan part;
    PartFacts facts = {0};
    Value *v = value_new(c, VALUE_METRIC, e->span);
    for (int i = 0; i < PART_FIELDS; i++) list_add(&c->arena, &known, part_fields[i].name);
    if (!part_field(&facts, e->name, &v->number)) return unknown_field(env, e, target, &known);
    v->decl = target->decl;
    v->text = e->name;
    v->choices = target->choices;
    v->known = false;
    if (!part_from_value(c, target, e->target->span, &part)) return poison(env, e->span);
    if (part.split && part.split->folds && !part.fold) {
        Diagnostic *d = diag(c->jre, DIAG_undecided_choice, e->target->span, "it has other pictures in each of %d folds, one is needed here", part.split->folds);
        diag_help(d, "name one: %s[1].%s", part.split->name, part.part);
        return poison(env, e->span);
    }
    if (!c->results || !c->with_data || !c->facts.part) return v;
    if (!c->facts.part(c->facts.context, &part, &facts)) return poison(env, e->span);
    v->known = part_field(&facts, e->name, &v->number);
    return v;
}

static Value *field_of_record(Environment *env, const Expr *e, const Value *target) {
    NameList known = {0};
    switch (target->decl->record) {
    case KIND_dataset: return field_of_part(env, e, target);
    case KIND_split: return part_of_split(env, e, target);
    case KIND_evaluate: return field_of_evaluation(env, e, target);
    case KIND_ensemble: {
        if (!strcmp(e->name, "weights")) return value_new(env->compilation, VALUE_TABLE, e->span);
        list_add(&env->compilation->arena, &known, "weights");
        return unknown_field(env, e, target, &known);
    }
    default: return unknown_field(env, e, target, &known);
    }
}

/* ---- the dot ----------------------------------------------------------------------------------------------------------------- */

Scope *scope_before_dot(Compilation *c, const Scope *from, const char *name) {
    Scope *scope = scope_named(c, from, name);
    return scope && scope->document && scope_find(from, name) ? NULL : scope;
}

static Value *name_of_scope(Environment *env, Scope *scope, const Expr *e) {
    Compilation *c = env->compilation;
    if (map_get(&scope->names, e->name)) return evaluate_name(environment_new(c, scope, env->choices), e->name, e->span);
    report_unknown_name(c, scope, NULL, e->name, e->focus);
    return poison(env, e->span);
}

Value *evaluate_field(Environment *env, const Expr *e) {
    const Expr *before = e->target;
    Scope *scope = before->kind == EXPR_NAME && !map_get(&env->values, before->name) ? scope_before_dot(env->compilation, env->scope, before->name) : NULL;
    if (scope) return name_of_scope(env, scope, e);
    Value *target = evaluate(env, before);
    NameList none = {0};
    switch (target->kind) {
    case VALUE_NONE: return target;
    case VALUE_FORMULA:
        if (!strcmp(e->name, "stats")) return stats_of(env, e, target);
        break;
    case VALUE_TENSOR: {
        Value *inside = inside_of(target, e->name);
        if (inside) return inside;
        break;
    }
    case VALUE_RECORD: return field_of_record(env, e, target);
    case VALUE_PART: return field_of_part(env, e, target);
    case VALUE_OPTION: {                                           /* kernels(Eye).conv */
        Value *argument = option_argument(target, e->name);
        if (argument) return argument;
        for (int i = 0; i < target->bound.count; i++) list_add(&env->compilation->arena, &none, target->bound.at[i].name);
        break;
    }
    case VALUE_METRIC:
        if (!target->axis) return metric_value(env, e, target, arena_print(&env->compilation->arena, "%s.%s", target->text, e->name));
        break;
    default: break;
    }
    return unknown_field(env, e, target, &none);
}

/* ---- brackets ------------------------------------------------------------------------------------------------------------------ */

static int choice_called(Compilation *c, Decl *axis, const Expr *wanted) {
    const ArgumentList *choices = &axis->value->arguments;
    const char *text = wanted->kind == EXPR_TEXT ? wanted->name : expr_text(c->jre, wanted);
    for (int i = 0; i < choices->count; i++)
        if (!strcmp(axis_choice(c, axis, i), text) || expr_equal(choices->at[i].value, wanted)) return i;
    return -1;
}

/* What the target is a family of, with one choice more. False: diagnosed. */
static bool pin(Environment *env, const AxisList *axes, const Scope *scope, const Argument *argument, const Choice **choices) {
    Compilation *c = env->compilation;
    NameList known = {0};
    for (int i = 0; i < axes->count; i++) {
        Decl *axis = axes->at[i];
        list_add(&c->arena, &known, axis->name);
        if (axis->name != argument->name) continue;
        int index = choice_called(c, axis, argument->value);
        if (index >= 0) {
            *choices = with_choice(c, axis, index, *choices);
            return true;
        }
        NameList names = {0};
        for (int k = 0; k < axis->value->arguments.count; k++) list_add(&c->arena, &names, axis_choice(c, axis, k));
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, argument->value->span, "no choice of `%s` is called so", axis->name);
        diag_also(d, axis->each_span, "there are:%s", joined(c, &names));
        if (!diag_did_you_mean(d, argument->value->span, expr_text(c->jre, argument->value), &names, false)) diag_help(d, "name one of these");
        return false;
    }
    if (closed_by_overlay(c, scope, argument->name)) return true;
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, argument->name_span, "nothing that is open here is called `%s`", argument->name);
    if (known.count) diag_fact(d, "open are:%s", joined(c, &known));
    if (!diag_did_you_mean(d, argument->name_span, argument->name, &known, false)) diag_help(d, "an open choice is an equation of the form name = each [..]; its name stands here");
    return false;
}

/* The scope whose axes an expression is open in: v03's of v03.likeness. */
static const Scope *family_of(Environment *env, const Expr *e) {
    while (e->kind == EXPR_FIELD && e->target->kind != EXPR_NAME) e = e->target;
    Scope *scope = e->kind == EXPR_FIELD ? scope_before_dot(env->compilation, env->scope, e->target->name) : NULL;
    return scope ? scope : env->scope;
}

/* cv[head = ArcFace]: the same with a choice made. */
static Value *decided(Environment *env, const Expr *e) {
    Compilation *c = env->compilation;
    AxisList axes = {0};
    axes_of_expr(c, env->scope, e->target, &axes);
    Environment chosen = *env;
    for (int i = 0; i < e->arguments.count; i++) {
        const Argument *argument = &e->arguments.at[i];
        if (!argument->name) {
            Diagnostic *d = diag(c->jre, DIAG_wrong_argument, argument->value->span, "a choice is named, or a place counted, not both");
            diag_help(d, "for instance cv[head = ArcFace]");
            return poison(env, e->span);
        }
        if (!pin(env, &axes, family_of(env, e->target), argument, &chosen.choices)) return poison(env, e->span);
    }
    return evaluate(&chosen, e->target);
}

/* depths[2]: the second item, counted from 1. */
static Value *item_of(Environment *env, const Expr *e, const Value *list) {
    const Value *place = evaluate(env, e->arguments.at[0].value);
    if (place->kind == VALUE_NONE) return poison(env, e->span);
    if (place->kind == VALUE_NUMBER && place->whole && !place->draw && place->number >= 1 && place->number <= list->items.count)
        return list->items.at[(int)place->number - 1];
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, e->arguments.at[0].value->span, "the list has %d items, counted from 1", list->items.count);
    diag_help(d, "write a whole number from 1 to %d", list->items.count);
    return poison(env, e->span);
}

Value *evaluate_index(Environment *env, const Expr *e) {
    if (e->arguments.count && e->arguments.at[0].name) return decided(env, e);
    Value *target = tensor_looked_up(env, e);
    if (!target) target = evaluate(env, e->target);
    if (target->kind == VALUE_NONE) return target;
    if (target->kind == VALUE_TENSOR) return index_tensor(env, e, target);
    if (target->kind == VALUE_LIST && e->arguments.count == 1) return item_of(env, e, target);
    if (target->kind == VALUE_RECORD && target->decl->record == KIND_split && e->arguments.count == 1) return one_fold(env, e, target);
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->span, "%s has no places to count", value_kind_text(target));
    diag_help(d, "brackets stand behind lists (the second item: depths[2]), tensors (letters), splits (folds[1]) and families (cv[head = ArcFace])");
    return poison(env, e->span);
}

/* ---- equality -------------------------------------------------------------------------------------------------------------------- */

static bool same_formula(const Value *a, const Value *b) {
    if (a->decl->statement != b->decl->statement || a->bound.count != b->bound.count) return false;
    const char *first = a->weights ? a->weights->hash : NULL, *second = b->weights ? b->weights->hash : NULL;
    if (!first != !second || (first && strcmp(first, second) != 0)) return false;
    for (int i = 0; i < a->bound.count; i++) {
        const Bound *other = NULL;
        for (int k = 0; k < b->bound.count; k++)
            if (b->bound.at[k].name == a->bound.at[i].name) other = &b->bound.at[k];
        if (!other || !values_equal(a->bound.at[i].value, other->value)) return false;
    }
    return true;
}

bool values_equal(const Value *a, const Value *b) {
    bool words = (a->kind == VALUE_WORD || a->kind == VALUE_TEXT) && (b->kind == VALUE_WORD || b->kind == VALUE_TEXT);
    if (words) return !strcmp(a->text, b->text);
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case VALUE_NUMBER: return value_bare(a) == value_bare(b);
    case VALUE_TRUTH: return a->truth == b->truth;
    case VALUE_STATS: return stats_equal(&a->stats, &b->stats);
    case VALUE_FORMULA: return same_formula(a, b);
    case VALUE_RECORD: return a->decl->statement == b->decl->statement && a->fold == b->fold;
    case VALUE_LIST: case VALUE_RANGE:
        if (a->items.count != b->items.count) return false;
        for (int i = 0; i < a->items.count; i++)
            if (!values_equal(a->items.at[i], b->items.at[i])) return false;
        return true;
    default: return false;
    }
}
