/* protocol.c: under which rules a score came about, in words, for machines, and as a key.
 *
 * Two scores may be compared if their protocols are one: the same pictures asked, the same could answer, and the average is the same.
 * Neither the names of declarations nor what was examined (network, view, score) are part of it. */
#include "../runtime.h"

#include <string.h>

static const char *average_of(const EvaluatePlan *plan) { return plan->average_identity ? "identity" : "query"; }
static const char *lonely_of(const EvaluatePlan *plan) { return plan->lonely_zero ? "zero" : "skip"; }

/* "5 folds, identities shared, together burst, seed 7", "column wildlife_split". */
static const char *way_text(Arena *arena, const SplitPlan *split) {
    if (split->column) return arena_print(arena, "by column %s", split->column);
    if (split->rule.kind != RULE_NONE) return arena_print(arena, "by %s", split->rule.name);
    const char *way = split->folds ? arena_print(arena, "%d folds", split->folds) : "by shares";
    for (int i = 0; i < split->shares.count; i++) way = arena_print(arena, "%s %.6g", way, split->shares.at[i]);
    return arena_print(arena, "%s, identities %s%s, seed %llu", way, split->disjoint ? "disjoint" : "shared", split->together_burst ? ", together burst" : "",
                       (unsigned long long)split->seed);
}

static bool each_fold(const PartPlan *part) { return part->split && part->split->folds && !part->fold && strcmp(part->part, "held_out") == 0; }

const char *protocol_text(Arena *arena, const EvaluatePlan *plan) {
    const PartPlan *on = &plan->on, *against = &plan->against;
    const char *text = !on->split ? "all pictures" : each_fold(on) ? way_text(arena, on->split) : arena_print(arena, "%s (%s)", part_text(arena, on), way_text(arena, on->split));
    if (against->dataset) {
        text = arena_print(arena, "%s, against %s", text, part_text(arena, against));
        if (against->split && against->split != on->split) text = arena_print(arena, "%s (%s)", text, way_text(arena, against->split));
    }
    if (plan->gallery) text = arena_print(arena, "%s, gallery %s", text, expr_text(arena->jre, plan->gallery));
    return arena_print(arena, "%s, average %s, lonely %s", text, average_of(plan), lonely_of(plan));
}

const char *protocol_key(Session *session, const EvaluatePlan *plan) {
    const PartPlan *against = plan->against.dataset ? &plan->against : &plan->on;
    const Dataset *on = session_dataset(session, plan->on.dataset), *others = session_dataset(session, against->dataset);
    KeyTree *tree = key_open(&session->arena, "protocol");
    key_pictures(tree, "on", &plan->on);
    key_pictures(tree, "against", against);
    if (on) key_part(tree, on->tree);
    if (others && others != on) key_part(tree, others->tree);
    key_leaf(tree, "gallery", NOWHERE, "%s", plan->gallery ? expr_text(session->jre, plan->gallery) : "");
    key_leaf(tree, "average", NOWHERE, "%s", average_of(plan));
    key_leaf(tree, "lonely", NOWHERE, "%s", lonely_of(plan));
    return key_close(tree);
}

void json_protocol(Text *out, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    Arena scratch = {.jre = out->jre};
    text_add(out, "{\"average\": \"%s\", \"lonely\": \"%s\"", average_of(plan), lonely_of(plan));
    json_member(out, "on", part_text(&scratch, &plan->on));
    if (plan->against.dataset) json_member(out, "against", part_text(&scratch, &plan->against));
    if (plan->gallery) json_member(out, "gallery", expr_text(out->jre, plan->gallery));
    if (plan->on.split)
        text_add(out, ", \"folds\": %d, \"identities\": \"%s\", \"together_burst\": %s, \"seed\": %llu", plan->on.split->folds,
                 plan->on.split->disjoint ? "disjoint" : "shared", plan->on.split->together_burst ? "true" : "false", (unsigned long long)plan->on.split->seed);
    json_member(out, "text", protocol_text(&scratch, plan));
    json_member(out, "key", report->protocol_key);
    text_add(out, "}");
    arena_free(&scratch);
}
