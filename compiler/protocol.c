/* protocol.c: the checks of LANGUAGE 3.6: what ruins a re-identification study and crashes nothing.
 *
 * Those of views (check_views.c) and of licenses (check_licenses.c) need the document and what files say of themselves; leaking_burst and
 * leaking_identity need the pictures. What follows from who learned from which pictures is in provenance.c. */
#include "compiler.h"

#include <string.h>

/* ---- what a split tears apart ------------------------------------------------------------------------------------------- */

static int wider(int width, const char *text) { return (int)strlen(text) > width ? (int)strlen(text) : width; }

/* "train_0412.png   held out in fold 2   Medrosa", in columns. */
static const char *torn_lines(Compilation *c, const TornPair *pair, const char *tie) {
    const char *cells[2][3], *text = "";
    int width[3] = {0};
    for (int i = 0; i < 2; i++) {
        const TornPicture *picture = i ? &pair->second : &pair->first;
        const char *what = i ? "training" : "held out";
        cells[i][0] = picture->file;
        cells[i][1] = picture->fold ? arena_print(&c->arena, "%s in fold %d", what, picture->fold) : picture->part;
        cells[i][2] = picture->individual ? picture->individual : "";
        for (int k = 0; k < 3; k++) width[k] = wider(width[k], cells[i][k]);
    }
    for (int i = 0; i < 2; i++)
        text = arena_print(&c->arena, "%s\n    %-*s   %-*s   %-*s", text, width[0], cells[i][0], width[1], cells[i][1], width[2], cells[i][2]);
    return arena_print(&c->arena, "%s   %s", text, tie);
}

/* How many are examined with help: "378 of the 428 pictures of `test` have another of their own `encounter` in `train`". */
static const char *torn_counts(Compilation *c, const TornPairs *torn, const char *other) {
    const char *text = "";
    for (int i = 0; i < torn->part_count; i++) {
        const TornParts *parts = &torn->parts[i];
        const char *from = parts->part ? arena_print(&c->arena, " of `%s`", parts->part) : parts->elsewhere ? "" : " held out";
        const char *to = parts->other ? arena_print(&c->arena, "in `%s`", parts->other) : parts->elsewhere ? "in another part" : "in training then";
        text = arena_print(&c->arena, "%s%s%d of the %d pictures%s %s %s %s", text, i ? ",\n" : "", parts->torn, parts->of, from, parts->torn == 1 ? "has" : "have", other, to);
    }
    return text;
}

static void tell_bursts(Compilation *c, Diagnostic *d, const DatasetPlan *data, const TornPairs *torn) {
    bool column = data->burst == BURST_COLUMN;
    const char *what = column ? arena_print(&c->arena, "`%s`", data->burst_column) : "burst";
    const char *tie = column ? arena_print(&c->arena, "%s %s", what, torn->example.value) : "one burst";
    const char *first = torn->pairs == 1 ? "The pair" : arena_print(&c->arena, "The first of %lld such pairs", (long long)torn->pairs);
    diag_fact(d, "%s.\n%s:%s", torn_counts(c, torn, arena_print(&c->arena, "another of their own %s", what)), first, torn_lines(c, &torn->example, tie));
}

static void tell_alike(Compilation *c, Diagnostic *d, const LeakFacts *leak) {
    const TornPairs *torn = &leak->alike;
    int bits = torn->example.bits;
    const char *counts = torn_counts(c, torn, "one nearly like it"), *tie = arena_print(&c->arena, "%d bit%s apart", bits, bits == 1 ? "" : "s");
    if (torn->example.first.fold) counts = arena_print(&c->arena, "one picture in training, the other\nheld out; %d of the %d held out have one. ", torn->parts[0].torn, torn->parts[0].of);
    else counts = arena_print(&c->arena, "on two sides:\n%s. ", counts);
    diag_fact(d, "I found %lld pair%s of pictures at most %d bits apart, %sThe closest:%s", (long long)torn->pairs, torn->pairs == 1 ? "" : "s", leak->within, counts,
              torn_lines(c, &torn->example, tie));
}

void note_on_bursts(Diagnostic *d) {
    diag_note(d, "a burst is nearly one picture. A network that memorizes the first finds the second\n"
                 "for free: the score would measure memory, not recognition.");
}

static bool is_of(Compilation *c, const PartPlan *part, const SplitPlan *split) {
    for (; part->split; part = &part->split->of)
        if (same_split(c->jre, part->split, split)) return true;
    return false;
}

static bool learned_of(Compilation *c, const SimilarityPlan *score, const DatasetPlan *data) {
    InfluenceList found = {0};
    influences_on(c, (PlanValue){.score = score}, &found);
    for (int i = 0; i < found.count; i++)
        if (dataset_identity(c->jre, found.at[i].pictures->dataset, false) == dataset_identity(c->jre, data, false)) return true;
    return false;
}

/* Takes out the pairs that come into no score: every evaluation of these parts leaves a query's own burst out, and nothing was learned from any of
 * the pictures. What a column of bursts does not know of may still answer where a part is asked against another. Returns whether own bursts are out. */
static bool leave_out_unasked(Compilation *c, const SplitPlan *split, LeakFacts *leak) {
    int asked = 0, against = 0;
    bool learned = false;
    for (int i = 0; i < c->plan->submissions.count; i++)
        if (is_of(c, &c->plan->submissions.at[i]->on, split)) return false;
    for (int i = 0; i < c->plan->evaluations.count; i++) {
        const EvaluatePlan *plan = c->plan->evaluations.at[i];
        AskFacts facts;
        if (!is_of(c, &plan->on, split) && !is_of(c, &plan->against, split)) continue;
        if (!plan->gallery || !c->facts.asked || !c->facts.asked(c->facts.context, plan, &facts) || facts.burst) return false;
        learned |= learned_of(c, plan->similarity, split->data);
        against += plan->against.dataset != NULL;
        asked++;
    }
    if (!asked || learned) return asked > 0;
    leak->burst = (TornPairs){0};
    if (!against || split->data->burst == BURST_LIKENESS) leak->alike = (TornPairs){0};
    return true;
}

static void check_bursts(Compilation *c, const SplitPlan *split, const LeakFacts *leak, bool kept_out) {
    const bool bursts = leak->burst.pairs || split->data->burst == BURST_LIKENESS;
    if (!leak->burst.pairs && !leak->alike.pairs) return;
    if (overruled(c, split->decl->scope, DIAG_leaking_burst, split->span, split->span)) return;
    bool given = !split->folds && !split->shares.count;   /* a column or a published rule: it never moves */
    Diagnostic *d = diag(c->jre, DIAG_leaking_burst, split->span, bursts ? "two frames of one burst fall on both sides" : "two pictures nearly alike fall on both sides");
    if (given) diag_also(d, split->way_span, split->column ? "this column puts them there" : "this rule puts them there");
    else if (!split->disjoint) diag_also(d, split->identities_span, "the same animals on both sides: that is what you want");
    if (leak->burst.pairs) tell_bursts(c, d, split->data, &leak->burst);
    if (leak->alike.pairs) tell_alike(c, d, leak);
    const char *way = way_across(c, split, leak->alike.pairs ? &leak->alike.example : &leak->burst.example);
    if (way) diag_fact(d, "the way into the score:\n    %s", way);
    note_on_bursts(d);
    MixedFacts mixed = {0};
    if (split->data->burst == BURST_COLUMN && c->facts.mixed) c->facts.mixed(c->facts.context, split->data, &mixed);
    if (!given && !split->together_burst && mixed.mixed) {
        diag_help(d, "%d value%s of `%s` hold%s two individuals or more: name a finer column first, then keep each burst on one side", mixed.mixed, mixed.mixed == 1 ? "" : "s",
                  split->data->burst_column, mixed.mixed == 1 ? "s" : "");
        return;
    }
    if (!given && !split->together_burst) {
        uint32_t end = split->identities_span.end;
        diag_help(d, "keep each burst on one side");
        diag_edit(d, (Span){end, end}, true, "\n  together   burst");
        return;
    }
    uint32_t end = split->decl->statement->span.end;
    if (bursts && kept_out) diag_help(d, "own bursts do not answer, but were learned from: learn from other pictures, or let `folds` or `shares` divide them, with `together burst`");
    else if (bursts) diag_help(d, "keep such pairs out of the score: an evaluation on these parts may say `gallery not same(burst)`");
    else diag_help(d, "look at the pairs: jre check %s --pairs pairs.csv lists them; `not same(burst)` asks the column and lets them in", c->document->document->source->name);
    diag_help(d, "if the split must stay as it is, say why: every report repeats it");
    diag_edit(d, (Span){end, end}, false, "\n\naccept leaking_burst for %s because \"the split is published\"", split->name);
}

static void check_individuals(Compilation *c, const SplitPlan *split, const LeakFacts *leak) {
    if (!split->disjoint || !leak->shared || overruled(c, split->decl->scope, DIAG_leaking_identity, split->identities_span, split->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_leaking_identity, split->identities_span, "no individual is to be on two sides");
    diag_also(d, split->way_span, "but this puts %d of them there", leak->shared);
    const char *names = "";
    for (int i = 0; i < leak->shared && i < MOST_NAMED; i++) names = arena_print(&c->arena, "%s%s%s", names, i ? ", " : "", leak->shared_names[i]);
    diag_fact(d, "in `%s` and in `%s`: %s%s", leak->shared_part, leak->shared_other, names, leak->shared > MOST_NAMED ? arena_print(&c->arena, " and %d more", leak->shared - MOST_NAMED) : "");
    diag_note(d, "a score of individuals never met before would count some that were");
    diag_help(d, "if the parts are meant to share individuals, say so");
    diag_edit(d, split->identities_span, false, "shared");
}

static void check_split(Compilation *c, const SplitPlan *split) {
    LeakFacts leak = {0};
    if (!c->facts.leaks || !c->facts.leaks(c->facts.context, split, &leak)) return;
    const bool kept_out = (leak.burst.pairs || leak.alike.pairs) && leave_out_unasked(c, split, &leak);
    check_bursts(c, split, &leak, kept_out);
    check_individuals(c, split, &leak);
}

/* The table of pairs is asked for before anything is embedded. */
static void check_pairs(Compilation *c, const SubmitPlan *submission) {
    if (!submission->pairs) return;
    static const char *const columns[] = {"row_id", "query_image", "gallery_image"};
    const char *path = path_in_root(c, submission->on.dataset->root, submission->pairs);
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
    check_licenses(c);
    check_provenance(c, with_data);
    check_gradients(c, with_data);
    if (!with_data) return;
    for (int i = 0; i < c->plan->splits.count; i++) check_split(c, c->plan->splits.at[i]);
    for (int i = 0; i < c->plan->submissions.count; i++) check_pairs(c, c->plan->submissions.at[i]);
}
