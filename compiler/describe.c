/* describe.c: what the compiler believes of a value: its type, what it carries besides a shape, and where it comes from.
 *
 *   likeness   Similarity[Q, G]   cosine(features), not calibrated      v01.jre:67
 *   features   Embedding[N, 2048]   of backbone resnet50, view plain (224 x 224, the same each time)      v01.jre:60 */
#include "compiler.h"

#include <string.h>

/* ---- places ------------------------------------------------------------------------------------------------------------ */

static const char *place_text(Compilation *c, Span span) {
    if (!span.end) return "";
    Place place = place_of(c->jre, span.start);
    return place.source ? arena_print(&c->arena, "%s:%d", place.source->name, place.line) : "";
}

/* Where it is declared, and where the last `change` of an equation stands. */
static void print_origin(Compilation *c, const Scope *scope, const Expr *e, Text *out) {
    Decl *decl = e->kind == EXPR_NAME ? scope_find(scope, e->name) : NULL;
    if (!decl) return;
    const char *declared = place_text(c, decl->statement->name_span);
    text_add(out, "      %s", declared);
    const char *value = decl->kind == STATEMENT_EQUATION && decl->value ? place_text(c, decl->value->span) : declared;
    if (strcmp(value, declared) != 0) text_add(out, ", changed in %s", value);
    for (int i = 0; i < decl->settings.count; i++) {
        const char *set = place_text(c, decl->settings.at[i].key_span);
        Place own = place_of(c->jre, decl->statement->span.start), other = place_of(c->jre, decl->settings.at[i].key_span.start);
        if (other.source && own.source != other.source) text_add(out, ", `%s` in %s", decl->settings.at[i].key, set);
    }
}

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

static const char *number_type(const Value *v) {
    switch (v->unit) {
    case UNIT_NONE: return v->whole ? "Int" : "Real";
    case UNIT_px: return "Length";
    case UNIT_deg: case UNIT_rad: return "Angle";
    case UNIT_percent: return "Share";
    case UNIT_ms: case UNIT_s: case UNIT_min: case UNIT_h: return "Time";
    case UNIT_KiB: case UNIT_MiB: case UNIT_GiB: return "Bytes";
    }
    return "Real";
}

static void describe_formula(Compilation *c, const Value *v, Text *out) {
    static const char *const types[] = {[FORMULA_function] = "Function", [FORMULA_augment] = "Augment", [FORMULA_network] = "Network", [FORMULA_loss] = "Loss"};
    const Statement *head = v->decl->statement;
    text_add(out, "%s   %s(", types[head->formula], v->decl->name);
    for (int i = 0, shown = 0; i < v->bound.count; i++)
        text_add(out, "%s%s = %s", shown++ ? ", " : "", v->bound.at[i].name, value_text(c, v->bound.at[i].value));
    text_add(out, ")");
    const char *open = "";
    for (int i = 0; i < head->params.count; i++) {
        bool given = false;
        for (int k = 0; k < v->bound.count; k++) given |= v->bound.at[k].name == head->params.at[i].name;
        if (!given) open = arena_print(&c->arena, "%s%s%s: %s", open, *open ? ", " : "", head->params.at[i].name, type_as_text(&c->arena, &head->params.at[i].type));
    }
    text_add(out, " waits for %s -> %s", open, type_as_text(&c->arena, &head->result));
    if (head->formula != FORMULA_network) return;
    if (!v->weights) text_add(out, ", no weights of its own");
    else text_add(out, ", weights %s%s%s", v->weights->path, v->weights->has_stats ? ", raised on " : "", v->weights->has_stats ? stats_text(c, &v->weights->stats) : "");
}

/* Where a network is used, every stage has numbers for sizes: those of its own body, and one level further in. */
static void describe_stages(Compilation *c, Value *network, const Choice *choices, Text *out) {
    const EmbedPlan *user = NULL;
    for (int i = 0; i < c->plan->embeds.count && !user; i++)
        if (c->plan->embeds.at[i]->network->decl == network->decl) user = c->plan->embeds.at[i];
    if (!user) return;
    lower_network(c, choices, network, user->view, weights_made_up(c, user->span), user->span);
    for (int i = 0; i < c->trail.count; i++) {
        const TrailStop *stop = c->trail.at[i];
        int depth = 0;
        for (const Environment *env = stop->where; env && env->caller; env = env->caller) depth++;
        if (depth < 1 || depth > 2) continue;
        text_add(out, "\n    %*s%-*s %-24s %s", depth == 1 ? 0 : 2, "", depth == 1 ? 22 : 20, stop->name, shape_text(&c->arena, stop->shape), place_text(c, stop->span));
    }
}

/* Its size, whether it draws, and the colors behind it. */
static void describe_view(Compilation *c, const View *view, Text *out) {
    const Stats *colors = view_stats(view);
    text_add(out, "view %s (%d x %d, %s, colors %s)", view->name, view->width, view->height, view->random ? "drawn anew at each look" : "the same at each look",
             colors ? stats_text(c, colors) : "raw, 0 to 1");
}

/* An augment is looked through: what becomes of a picture. */
static void describe_augment(Compilation *c, Value *augment, Text *out) {
    View *view = evaluate_view(c, augment->choices, augment, augment->span);
    if (!view) return;
    text_add(out, ": ");
    describe_view(c, view, out);
}

static void describe_embed(Compilation *c, const EmbedPlan *embed, Text *out) {
    text_add(out, "Embedding[N, %d]   of %s, ", embed->width, embed->backbone);
    for (int i = 0; i < embed->views.count; i++) {
        if (i) text_add(out, " and ");
        describe_view(c, embed->views.at[i], out);
    }
    if (embed->train) text_add(out, ", trained by %s%s", embed->train->name, embed->folds ? ", a space for each fold" : "");
    else text_add(out, ", %s", embed->program && !embed->program->weights ? "nothing learned" : "as its files have it");
    text_add(out, "; space %.12s", embed->key);
}

static void describe_score(Compilation *c, const SimilarityPlan *score, Text *out) {
    bool ranks = score->ensemble && score->ensemble->combine && !strcmp(score->ensemble->combine, "rank_average");
    text_add(out, "%s[Q, G]   %s, %s%s", ranks ? "Ranking" : "Similarity", similarity_text(&c->arena, score), score->calibrated ? "calibrated" : "not calibrated", score->folds ? ", one for each fold" : "");
}

static void describe_part(Compilation *c, const PartPlan *part, const char *text, Text *out) {
    text_add(out, "Part   %s", text);
    if (part->fold) text_add(out, ", fold %d", part->fold);
    text_add(out, " of %s", part->dataset->name);
    if (part->split) text_add(out, ", individuals %s%s", part->split->disjoint ? "disjoint" : "shared", part->split->together_burst ? ", bursts together" : "");
    (void)c;
}

static void describe_split(const SplitPlan *split, Text *out) {
    text_add(out, "Split   of %s, ", split->data->name);
    if (split->folds) text_add(out, "%d folds: train, held_out, others%s", split->folds, split->validate > 0 ? ", validate" : "");
    for (int i = 0; i < split->parts.count; i++) text_add(out, "%s%s %g %%", i ? ", " : "", split->parts.at[i], 100 * split->shares.at[i]);
    if (split->column) text_add(out, "parts by the column `%s`", split->column);
    if (split->rule.kind) text_add(out, "train and test by the rule %s", split->rule.name);
    text_add(out, ", individuals %s", split->disjoint ? "disjoint" : "shared");
}

static void describe_evaluation(Compilation *c, const EvaluatePlan *e, Text *out) {
    text_add(out, "Evaluation   %s on %s%s%s:", similarity_text(&c->arena, e->similarity), e->on.split ? e->on.split->name : e->on.dataset->name, e->on.split ? "." : "", e->on.split ? e->on.part : "");
    for (int i = 0; i < e->metrics.count; i++) text_add(out, " %s", metric_rows[e->metrics.at[i].metric].word);
    text_add(out, ", average over %s", e->average_identity ? "individuals" : "queries");
}

static void describe_record(Compilation *c, Value *v, Text *out) {
    if (v->best_by) {
        text_add(out, "Evaluation   the best choice by `%s`, known after the run", v->best_by);
        return;
    }
    void *plan = plan_of_record(c, v->decl, v->choices);
    if (!plan) return;
    switch (v->decl->record) {
    case KIND_dataset: {
        const DatasetPlan *dataset = plan;
        text_add(out, "Dataset   %s/%s, individuals by %s", dataset->root, dataset->table ? dataset->table : dataset->image, dataset->identity ? dataset->identity : "nothing");
        break;
    }
    case KIND_split: describe_split(plan, out); break;
    case KIND_embed: describe_embed(c, plan, out); break;
    case KIND_train: {
        const TrainPlan *train = plan;
        text_add(out, "Network, trained   %s, loss %s, batches of %lld, %lld numbers to learn%s", train->backbone, train->loss_name, (long long)train->batch, (long long)train->weights,
                 train->folds ? ", once for each fold" : "");
        break;
    }
    case KIND_boost: case KIND_ensemble: describe_score(c, similarity_from_value(c, v), out); break;
    case KIND_evaluate: describe_evaluation(c, plan, out); break;
    default: text_add(out, "%s", value_kind_text(v));
    }
}

static void describe_value(Compilation *c, Value *v, Text *out) {
    PartPlan part;
    switch (v->kind) {
    case VALUE_NONE: break;
    case VALUE_NUMBER: text_add(out, "%s   %s", number_type(v), value_text(c, v)); break;
    case VALUE_TEXT: text_add(out, "Text   %s", value_text(c, v)); break;
    case VALUE_WORD: text_add(out, "Word   %s", v->text); break;
    case VALUE_TRUTH: text_add(out, "Bool   %s", v->open ? "known after the run" : v->truth ? "true" : "false"); break;
    case VALUE_LIST: text_add(out, "List   of %d", v->items.count); break;
    case VALUE_RANGE: text_add(out, "Range   %s to %s", value_text(c, v->items.at[0]), value_text(c, v->items.at[1])); break;
    case VALUE_STATS: text_add(out, "Stats   %s", stats_text(c, &v->stats)); break;
    case VALUE_FORMULA:
        describe_formula(c, v, out);
        if (v->decl->statement->formula == FORMULA_augment && !v->decl->library) describe_augment(c, v, out);
        break;
    case VALUE_RECORD: describe_record(c, v, out); break;
    case VALUE_SIMILARITY: describe_score(c, v->similarity, out); break;
    case VALUE_PART:
        if (part_from_value(c, v, v->span, &part)) describe_part(c, &part, v->part, out);
        break;
    case VALUE_METRIC:
        if (v->decl && v->decl->record != KIND_evaluate) text_add(out, "Int   `%s`, counted once the pictures are looked at", v->text);
        else text_add(out, v->axis ? "Choice   of `%s`, known after the run" : "Real   `%s`, known after the run", v->text);
        break;
    default: text_add(out, "%s", value_kind_text(v));
    }
}

bool describe_expression(Compilation *c, const char *text, Text *out) {
    const Statement *s = expression_of_text(c, text);
    if (!s) return false;
    AxisList axes = {0};
    MemberList members = {0};
    axes_of_expr(c, c->scope, s->value, &axes);
    members_of_axes(c, &axes, s->span, &members);
    for (int i = 0; i < members.count; i++) {
        c->steps = 0;
        Value *v = evaluate(environment_new(c, c->scope, members.at[i].choices), s->value);
        if (v->kind == VALUE_NONE) return false;
        text_add(out, "%s", text);
        for (int k = 0; k < members.at[i].name.count; k++) text_add(out, "[%s = %s]", members.at[i].name.at[k].axis, members.at[i].name.at[k].choice);
        text_add(out, "   ");
        describe_value(c, v, out);
        print_origin(c, c->scope, s->value, out);
        if (v->kind == VALUE_FORMULA && v->decl->statement->formula == FORMULA_network) describe_stages(c, v, members.at[i].choices, out);
        text_add(out, "\n");
    }
    return true;
}
