/* protocol.c: the checks of LANGUAGE 3.6: what ruins a re-identification study and crashes nothing.
 *
 * wrong_normalization needs the document and the metadata of weight files; leaking_burst needs the pictures. */
#include "compiler.h"

#include <string.h>

static const ViewStep *normalization(Compilation *c, const View *view) {
    const ViewStep *found = NULL;
    for (int i = 0; i < view->steps.count; i++) {
        const ViewStep *step = &view->steps.at[i];
        if (step->kind != VIEW_NORMALIZE) continue;
        if (found) {
            Diagnostic *d = diag(c->jre, DIAG_wrong_normalization, step->span, "the colors are normalized a second time");
            diag_also(d, found->span, "here first");
            diag_help(d, "take one of the two out");
        }
        found = step;
    }
    return found;
}

/* How the document can ask for the statistics of these weights: by the equation that names the network, else by their own name. */
static const char *stats_expression(Compilation *c, const WeightScope *weights) {
    for (int i = 0; i < c->scope->names.count; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        if (!decl || decl->kind != STATEMENT_EQUATION || !decl->value) continue;
        if (decl->value->span.start <= weights->span.start && weights->span.end <= decl->value->span.end)
            return arena_print(&c->arena, "%s.stats", decl->name);
    }
    static const char *const words[] = {"imagenet", "half", "clip"};
    Stats known;
    for (int i = 0; i < 3; i++)
        if (stats_by_word(words[i], &known) && stats_equal(&known, &weights->stats)) return words[i];
    return "NETWORK.stats";
}

static void compare_stats(Compilation *c, const View *view, const ViewStep *step, const WeightScope *weights) {
    if (!step) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_normalization, view->span, "this view leaves the colors as they are, 0 to 1");
        diag_also(d, weights->span, "raised on %s", stats_text(c, &weights->stats));
        diag_note(d, "nothing would crash. The network would see other colors than it was raised on.");
        diag_help(d, "end the view with: |> normalize(%s)", stats_expression(c, weights));
        return;
    }
    if (stats_equal(&step->stats, &weights->stats)) return;
    Diagnostic *d = diag(c->jre, DIAG_wrong_normalization, step->span, "%s", stats_text(c, &step->stats));
    diag_also(d, weights->stats.span.end ? weights->stats.span : weights->span, "raised on %s", stats_text(c, &weights->stats));
    diag_note(d, "nothing would crash. The network would see other colors than it was raised on.");
    diag_help(d, "follow the network, whichever it is");
    diag_edit(d, step->span, true, "normalize(%s)", stats_expression(c, weights));
}

/* Every file of weights that the network reads, against the view in front of it. */
static void check_normalization(Compilation *c, const View *view, const Graph *g) {
    const ViewStep *step = normalization(c, view);
    LIST(const WeightScope *) seen = {0};
    for (int i = 0; g && i < g->nodes.count; i++) {
        const WeightScope *weights = g->nodes.at[i]->weights;
        bool before = !weights || !weights->has_stats || weights->reported;
        for (int k = 0; k < seen.count && !before; k++) before = seen.at[k] == weights;
        if (before) continue;
        list_add(&c->arena, &seen, weights);
        compare_stats(c, view, step, weights);
    }
}

static void check_views(Compilation *c) {
    const Plan *plan = c->plan;
    for (int i = 0; i < plan->trains.count; i++) check_normalization(c, plan->trains.at[i]->view, plan->trains.at[i]->graph);
    for (int i = 0; i < plan->embeds.count; i++)
        for (int k = 0; k < plan->embeds.at[i]->views.count; k++)
            check_normalization(c, plan->embeds.at[i]->views.at[k], plan->embeds.at[i]->program ? plan->embeds.at[i]->program->graph : NULL);
}

static bool accepted(const Compilation *c, const char *check, const char *name) {
    for (int i = 0; i < c->accepts.count; i++)
        if (!strcmp(c->accepts.at[i]->name, check) && !strcmp(c->accepts.at[i]->subject, name)) return true;
    return false;
}

static void check_leaks(Compilation *c, const SplitPlan *split) {
    LeakFacts leak = {0};
    if (accepted(c, "leaking_burst", split->name)) return;
    if (!c->facts.leaks || !c->facts.leaks(c->facts.context, split, &leak) || !leak.pairs) return;
    Diagnostic *d = diag(c->jre, DIAG_leaking_burst, split->span, "two frames of one burst fall on both sides");
    if (!split->disjoint) diag_also(d, split->identities_span, "the same animals on both sides: that is what you want");
    diag_fact(d, "I found %d pair%s of pictures nearly alike, one in training, the other held out. The closest:\n"
                 "    %s   held out in fold %d     %s\n    %s   training in fold %d     %s     %d bit%s apart",
              leak.pairs, leak.pairs == 1 ? "" : "s", leak.first, leak.fold, leak.first_individual, leak.second, leak.fold, leak.second_individual, leak.bits, leak.bits == 1 ? "" : "s");
    diag_note(d, "a burst is nearly one picture. A network that memorizes the first finds the second\n"
                 "for free: the score would measure memory, not recognition.");
    diag_help(d, "keep each burst on one side");
    uint32_t end = split->identities_span.end;
    diag_edit(d, (Span){end, end}, true, "\n  together   burst");
}

/* The table of pairs is asked for before anything is embedded. */
static void check_pairs(Compilation *c, const SubmitPlan *submission) {
    if (!submission->pairs) return;
    static const char *const columns[] = {"row_id", "query_image", "gallery_image"};
    const char *root = submission->on.dataset->root;
    const char *path = submission->pairs[0] == '/' || !strcmp(root, ".") ? submission->pairs : arena_print(&c->arena, "%s/%s", root, submission->pairs);
    const TableFacts *table = c->facts.table ? c->facts.table(c->facts.context, path, submission->pairs_span) : NULL;
    if (!table) return;
    for (int i = 0; i < 3; i++) {
        bool there = false;
        for (int k = 0; k < table->columns.count; k++) there |= !strcmp(table->columns.at[k], columns[i]);
        if (there) continue;
        Diagnostic *d = diag(c->jre, DIAG_wrong_table, submission->pairs_span, "this table has no column `%s`", columns[i]);
        const char *known = "";
        for (int k = 0; k < table->columns.count; k++) known = arena_print(&c->arena, "%s %s", known, table->columns.at[k]);
        diag_fact(d, "%s has the columns:%s", path, known);
        diag_help(d, "a table of pairs has the columns row_id, query_image and gallery_image");
        return;
    }
}

void protocol_check(Compilation *c, bool with_data) {
    if (!c->plan) return;
    check_views(c);
    if (!with_data) return;
    for (int i = 0; i < c->plan->splits.count; i++)
        if (c->plan->splits.at[i]->folds && !c->plan->splits.at[i]->of.split && !c->plan->splits.at[i]->together_burst) check_leaks(c, c->plan->splits.at[i]);
    for (int i = 0; i < c->plan->submissions.count; i++) check_pairs(c, c->plan->submissions.at[i]);
}
