/* check.c: `jre check`: what a document asks for, and what there is to say of its pictures before anything runs.
 *
 * A few lines a dataset and a line a split, for people; the same and more as one JSON object for machines. */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_EXPECTATION = 3, MOST_PARTS_SHOWN = 6, INDENT = 13, FURTHER = 4 };      /* FURTHER: how much deeper a line goes on that is too long */

typedef struct { Work *work; Text people, machines; int shown; } Report;
typedef struct { const char *individuals, *times; } Recognized;               /* what wildlife-datasets would call a split */

/* ---- the program ------------------------------------------------------------------------------------------------------------------ */

/* "3 choices of backbone, 2 of head", each `each` that is still open. */
static void describe_choices(const Work *work, Report *report) {
    int shown = 0;
    for (int i = 0; i < work->c.scope->names.count; i++) {
        const Decl *decl = work->c.scope->names.entries[i].value;
        if (!decl || decl->library || !decl->each || !decl->value || decl->value->kind != EXPR_LIST) continue;
        int count = decl->value->arguments.count;
        text_add(&report->people, shown ? ", %d of %s" : count == 1 ? ", %d choice of %s" : ", %d choices of %s", count, decl->name);
        text_add(&report->machines, "%s{\"name\": ", shown++ ? ", " : "");
        json_text(&report->machines, decl->name);
        text_add(&report->machines, ", \"choices\": %d}", count);
    }
    if (!shown) text_add(&report->people, ", no choice");
}

/* What the language has and this version does not run, each once. */
static void describe_later(const Work *work, Report *report) {
    const Plan *plan = work->c.plan;
    NameList told = {0};
    for (int i = 0; i < plan->later.count; i++) {
        bool before = false;
        for (int k = 0; k < told.count; k++) before |= !strcmp(told.at[k], plan->later.at[i].what);
        if (before) continue;
        text_add(&report->people, "%s%s", told.count ? ", " : "  checked, and run by a later version: ", plan->later.at[i].what);
        text_add(&report->machines, "%s", told.count ? ", " : "");
        json_text(&report->machines, plan->later.at[i].what);
        list_add(&work->session->arena, &told, plan->later.at[i].what);
    }
    if (told.count) text_add(&report->people, "\n");
}

/* Of each training the first member: the others are choices in its place. */
static void describe_gradients(const Work *work, Report *report) {
    int64_t weights = 0, reached = 0;
    for (int i = 0; i < work->c.plan->trains.count; i++) {
        const TrainPlan *train = work->c.plan->trains.at[i];
        bool member = i && train->name == work->c.plan->trains.at[i - 1]->name;
        if (member) continue;
        weights += train->weights;
        reached += train->reached;
    }
    if (weights) text_add(&report->people, "  gradients reach %s of %s weights\n", grouped_text(&work->session->arena, reached), grouped_text(&work->session->arena, weights));
    text_add(&report->machines, ", \"weights\": %lld, \"reached\": %lld", (long long)weights, (long long)reached);
}

static void describe_program(Work *work, Report *report) {
    const Plan *plan = work->c.plan;
    const Module *document = work->c.document;
    Text *people = &report->people, *machines = &report->machines;
    int declarations = work->c.scope->names.count, evaluations = 0, submissions = plan->submissions.count, folds = 0;
    for (int i = 0; i < plan->evaluations.count; i++) evaluations += !plan->evaluations.at[i]->quoted;
    for (int i = 0; i < plan->splits.count; i++) folds = plan->splits.at[i]->folds > folds ? plan->splits.at[i]->folds : folds;
    const size_t from = people->length;
    text_add(people, "%s", document->document->source->name);
    for (const Module *m = document->parent; m; m = m->parent) text_add(people, "%s%s", m == document->parent ? "   extends " : " < ", m->document->source->stem);
    text_add(people, "\n  %d declarations", declarations);
    text_add(machines, "{\"version\": ");
    json_text(machines, work->c.version);
    text_add(machines, ", \"declarations\": %d, \"evaluations\": %d, \"submissions\": %d, \"folds\": %d, \"choices\": [", declarations, evaluations, submissions, folds);
    describe_choices(work, report);
    if (evaluations) text_add(people, ", %d evaluation%s", evaluations, plural(evaluations));
    if (submissions) text_add(people, ", %d submission%s", submissions, plural(submissions));
    if (folds) text_add(people, ", %d folds", folds);
    text_add(people, "     shapes ok\n");
    text_add(machines, "]");
    describe_gradients(work, report);
    text_add(machines, ", \"later\": [");
    describe_later(work, report);
    text_fold(people, from, FURTHER);
    text_add(machines, "]");
}

static void describe_accepted(const Compilation *c, Text *out) {
    const size_t from = out->length;
    for (int i = 0; i < c->accepted.count; i++)
        text_add(out, "  accepted   %s for %s   because %s\n", c->accepted.at[i]->name, c->accepted.at[i]->subject, c->accepted.at[i]->text);
    text_fold(out, from, FURTHER);
}

/* ---- a dataset, for people ----------------------------------------------------------------------------------------------------------- */

/* As people write that they do not know who it is. */
static bool names_nobody(const char *name) {
    static const char *const words[] = {"unknown", "unidentified", "unnamed", "unbekannt", "inconnu", "inconnue", "desconocido", "desconocida", "desconhecido", "?", "??", "???", "n/a", "na", "nan", "none", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t at = 0;
        while (name[at] && tolower((unsigned char)name[at]) == words[i][at]) at++;
        if (!name[at] && !words[i][at]) return true;
    }
    return false;
}

static void describe_nobody(const Dataset *dataset, Text *out) {
    for (int i = 0; i < dataset->identity_count; i++) {
        const size_t from = out->length;
        int pictures = 0;
        if (!names_nobody(dataset->identities[i])) continue;
        for (int k = 0; k < dataset->count; k++) pictures += dataset->pictures[k].identity_number == i;
        text_add(out, "%*s`%s` counts as one individual, with %d picture%s: if these are strangers, `only` leaves them out\n", INDENT, "", dataset->identities[i], pictures, plural(pictures));
        text_fold(out, from, INDENT);
    }
}

static void describe_individuals(const Dataset *dataset, const Census *census, Text *out) {
    const PartFacts *counts = &census->counts;
    text_add(out, "%d picture%s", counts->pictures, plural(counts->pictures));
    if (dataset->left_out) text_add(out, " (`only` leaves out %d)", dataset->left_out);
    if (!counts->individuals) {
        text_add(out, "\n");
        return;
    }
    text_add(out, " of %d individual%s", counts->individuals, plural(counts->individuals));
    if (counts->smallest == counts->largest) text_add(out, ", %d each\n", counts->largest);
    else text_add(out, ": %d (%s) to %d (%s), median %g\n", counts->smallest, census->smallest, counts->largest, census->largest, census->median);
    int last = SIZE_CLASSES - 1, first = 0, shown = 0;
    while (last > 0 && !census->of_size[last]) last--;
    while (first < last && !census->of_size[first]) first++;
    if (first == last) return;
    text_add(out, "%*sindividuals by pictures:", INDENT, "");
    for (int class = first; class <= last; class++) {
        text_add(out, "%s ", shown++ ? "," : "");
        if (!class) text_add(out, "1: %d", census->of_size[class]);
        else if (class == SIZE_CLASSES - 1) text_add(out, "%d or more: %d", 1 << class, census->of_size[class]);
        else text_add(out, "%d-%d: %d", 1 << class, (2 << class) - 1, census->of_size[class]);
    }
    text_add(out, "\n");
}

static void describe_sizes(const Census *census, Text *out) {
    text_add(out, "%*s%d x %d", INDENT, "", census->least_width, census->least_height);
    if (census->most_width > census->least_width || census->most_height > census->least_height) text_add(out, " to %d x %d", census->most_width, census->most_height);
    text_add(out, " pixels");
    if (census->widest > census->narrowest) text_add(out, ", width / height %.3g to %.3g", census->narrowest, census->widest);
}

static void describe_pair(const Dataset *dataset, const NearPair *pair, Text *out) {
    const Picture *first = &dataset->pictures[pair->first], *second = &dataset->pictures[pair->second];
    text_add(out, "%*s%2d bit%s   %s   %s", INDENT + 2, "", pair->bits, pair->bits == 1 ? " " : "s", first->file, second->file);
    if (first->identity && second->identity) text_add(out, strcmp(first->identity, second->identity) ? "   %s, %s" : "   %s", first->identity, second->identity);
    text_add(out, "\n");
}

static void describe_likeness(const Dataset *dataset, const Census *census, Text *out) {
    if (census->counts.copies) text_add(out, "%*s%d cop%s, byte for byte, of another picture\n", INDENT, "", census->counts.copies, census->counts.copies == 1 ? "y" : "ies");
    text_add(out, "%*s%lld pair%s at most %d bits apart", INDENT, "", (long long)census->near, plural(census->near), census->within);
    if (census->clusters) text_add(out, ": %d cluster%s of up to %d, %d bits wide", census->clusters, plural(census->clusters), census->largest_cluster, census->farthest);
    text_add(out, "\n");
    if (census->below_count + census->above_count) text_add(out, "%*saround the threshold:\n", INDENT, "");
    for (int i = census->below_count - 1; i >= 0; i--) describe_pair(dataset, &census->below[i], out);
    for (int i = 0; i < census->above_count; i++) describe_pair(dataset, &census->above[i], out);
    if (census->conflicts) text_add(out, "%*s%lld of these pairs show%s two individuals; is one misnamed?\n", INDENT, "", (long long)census->conflicts, census->conflicts == 1 ? "s" : "");
    for (int i = 0; i < census->conflict_count; i++) describe_pair(dataset, &census->conflict[i], out);
}

static void describe_dataset(const Dataset *dataset, const Census *census, Text *out) {
    const PartFacts *counts = &census->counts;
    const size_t from = out->length;
    text_add(out, "  %-10s ", dataset->plan->name);
    describe_individuals(dataset, census, out);
    describe_nobody(dataset, out);
    describe_sizes(census, out);
    if (counts->bursts) text_add(out, "; %d burst%s of %d pictures", counts->bursts, plural(counts->bursts), counts->in_bursts);
    if (counts->bursts && dataset->plan->burst_column) text_add(out, " by `%s`", dataset->plan->burst_column);
    text_add(out, "\n");
    dataset_tell_skipped(dataset, INDENT, out);
    describe_likeness(dataset, census, out);
    text_fold(out, from, INDENT);
}

static void describe_parts(const SplitPlan *split, const SplitCensus *census, Text *out) {
    if (split->folds) {
        int least = 0, most = 0;
        for (int i = 0; i < census->parts.count; i++) {
            int pictures = census->parts.at[i].pictures;
            if (!i || pictures < least) least = pictures;
            if (pictures > most) most = pictures;
        }
        text_add(out, "%d folds hold out %d", split->folds, least);
        if (most > least) text_add(out, " to %d", most);
        text_add(out, " picture%s", plural(most));
        if (census->always) text_add(out, ", %d are in training always", census->always);
        if (!split->disjoint && census->absent) text_add(out, "; %d of %d individuals absent from some fold, %d from all", census->absent, census->individuals, census->never);
        return;
    }
    for (int i = 0; i < census->parts.count && i < MOST_PARTS_SHOWN; i++) {
        const PartCount *part = &census->parts.at[i];
        text_add(out, "%s%s %d picture%s of %d individual%s", i ? ", " : "", part->name, part->pictures, plural(part->pictures), part->individuals, plural(part->individuals));
    }
    if (census->parts.count > MOST_PARTS_SHOWN) text_add(out, " and %d parts more", census->parts.count - MOST_PARTS_SHOWN);
    if (!split->disjoint && census->absent) text_add(out, "; %d of %d not in every part", census->absent, census->individuals);
}

static void describe_split(const SplitPlan *split, const SplitCensus *census, const Recognized *recognized, bool torn, Text *out) {
    const size_t from = out->length;
    text_add(out, "  %-10s ", split->name);
    describe_parts(split, census, out);
    if (census->individuals) text_add(out, "; %s", recognized->individuals);
    if (census->individuals && strcmp(recognized->times, "time-unaware") != 0) text_add(out, ", %s", recognized->times);
    text_add(out, "%s\n", torn ? "" : "; no burst is split");
    text_fold(out, from, INDENT);
}

/* ---- the same for machines --------------------------------------------------------------------------------------------------------------- */

static void json_pairs(const Dataset *dataset, const char *name, const NearPair *pairs, int count, Text *out) {
    text_add(out, ", \"%s\": [", name);
    for (int i = 0; i < count; i++) {
        text_add(out, "%s{", i ? ", " : "");
        json_member(out, "first", dataset->pictures[pairs[i].first].file);
        json_member(out, "second", dataset->pictures[pairs[i].second].file);
        text_add(out, ", \"bits\": %d}", pairs[i].bits);
    }
    text_add(out, "]");
}

static void json_name(Text *out, const char *key, const char *name) {
    if (name) json_member(out, key, name);
    else text_add(out, ", \"%s\": null", key);
}

static void json_dataset(const Dataset *dataset, const Census *census, Text *out) {
    const PartFacts *counts = &census->counts;
    text_add(out, "{\"dataset\": ");
    json_text(out, dataset->plan->name);
    text_add(out, ", \"pictures\": %d, \"individuals\": %d, \"smallest\": %d, \"largest\": %d, \"singletons\": %d, \"median\": ", counts->pictures, counts->individuals, counts->smallest,
             counts->largest, counts->singletons);
    json_number(out, census->median);
    json_name(out, "smallest_is", census->smallest);
    json_name(out, "largest_is", census->largest);
    text_add(out, ", \"bursts\": %d, \"in_bursts\": %d, \"copies\": %d, \"left_out\": %d, \"skipped\": [", counts->bursts, counts->in_bursts, counts->copies, dataset->left_out);
    for (int i = 0; i < dataset->skipped_files.count; i++) {
        text_add(out, "%s", i ? ", " : "");
        json_text(out, dataset->skipped_files.at[i]);
    }
    text_add(out, "]");
    text_add(out, ", \"width\": [%d, %d], \"height\": [%d, %d], \"aspect\": [", census->least_width, census->most_width, census->least_height, census->most_height);
    json_number(out, census->narrowest);
    text_add(out, ", ");
    json_number(out, census->widest);
    text_add(out, "], \"within\": %d, \"near\": %lld, \"clusters\": %d, \"in_clusters\": %d, \"largest_cluster\": %d, \"farthest\": %d, \"of_two_individuals\": %lld", census->within,
             (long long)census->near, census->clusters, census->in_clusters, census->largest_cluster, census->farthest, (long long)census->conflicts);
    json_pairs(dataset, "below", census->below, census->below_count, out);
    json_pairs(dataset, "above", census->above, census->above_count, out);
    json_pairs(dataset, "conflicts", census->conflict, census->conflict_count, out);
    text_add(out, ", \"by_pictures\": [");
    for (int class = 0; class < SIZE_CLASSES; class++) text_add(out, "%s%d", class ? ", " : "", census->of_size[class]);
    text_add(out, "]}");
}

static void json_split(const SplitPlan *split, const SplitCensus *census, const Recognized *recognized, bool torn, Text *out) {
    text_add(out, "{\"split\": ");
    json_text(out, split->name);
    json_name(out, "recognized", recognized->individuals);
    json_name(out, "times", recognized->times);
    text_add(out, ", \"pictures\": %d, \"individuals\": %d, \"always_training\": %d, \"absent_from_some\": %d, \"absent_from_all\": %d, \"burst_is_split\": %s, \"parts\": [", census->pictures, census->individuals,
             census->always, census->absent, census->never, torn ? "true" : "false");
    for (int i = 0; i < census->parts.count; i++) {
        const PartCount *part = &census->parts.at[i];
        text_add(out, "%s{\"part\": ", i ? ", " : "");
        if (part->name) json_text(out, part->name);
        else text_add(out, "%d", i + 1);
        text_add(out, ", \"pictures\": %d, \"individuals\": %d}", part->pictures, part->individuals);
    }
    text_add(out, "]}");
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------------------- */

static void report_datasets(Report *report) {
    Session *session = report->work->session;
    const Plan *plan = report->work->c.plan;
    int shown = 0;
    text_add(&report->machines, ", \"datasets\": [");
    for (int i = 0; i < plan->datasets.count; i++) {
        Census census;
        if (plan->datasets.at[i]->quoted) continue;
        Dataset *dataset = session_hashed(session, plan->datasets.at[i]);
        if (!dataset || !take_census(session->jre, dataset, &census)) continue;
        describe_dataset(dataset, &census, &report->people);
        text_add(&report->machines, "%s", shown++ ? ", " : "");
        json_dataset(dataset, &census, &report->machines);
    }
    text_add(&report->machines, "]");
}

/* A message may ask to look at the pairs: they are listed whatever is wrong, where the pictures could be read. */
static void list_pairs(const Work *work, const char *path) {
    Session *session = work->session;
    LIST(const Dataset *) listed = {0};
    for (int i = 0; i < work->c.plan->datasets.count; i++) {
        const DatasetPlan *plan = work->c.plan->datasets.at[i];
        Dataset *dataset = plan->quoted ? NULL : session_hashed(session, plan);
        if (dataset) list_add(&session->arena, &listed, dataset);
    }
    if (listed.count || work->good) write_near_pairs(session->jre, path, listed.at, listed.count);
}

static void report_splits(Report *report) {
    Session *session = report->work->session;
    const Plan *plan = report->work->c.plan;
    int shown = 0;
    text_add(&report->machines, ", \"splits\": [");
    for (int i = 0; i < plan->splits.count; i++) {
        const SplitPlan *split = plan->splits.at[i];
        SplitCensus census;
        Recognized recognized;
        const Dataset *dataset = split->data->quoted || split->decl->scope != report->work->c.scope ? NULL : session_dataset(session, split->data);
        if (!dataset || !count_split(session->jre, &session->arena, dataset, split, &census) ||
            !split_recognized(session->jre, dataset, split, &recognized.individuals, &recognized.times))
            continue;
        LeakFacts leaks = {0};
        bool torn = !dataset->hashed || !find_leaks(session->jre, &session->arena, dataset, split, &leaks) || leaks.burst.pairs || leaks.alike.pairs;
        describe_split(split, &census, &recognized, torn, &report->people);
        text_add(&report->machines, "%s", shown++ ? ", " : "");
        json_split(split, &census, &recognized, torn, &report->machines);
    }
    text_add(&report->machines, "]");
}

/* ---- queries that their own burst may answer: no mistake where a split keeps bursts whole, but to be known --------------------------------- */

static void report_questions(Report *report) {
    const Compilation *c = &report->work->c;
    const EvaluatePlan *before = NULL;
    int shown = 0;
    text_add(&report->machines, ", \"answered_by_burst\": [");
    for (int i = 0; i < c->plan->evaluations.count; i++) {
        const EvaluatePlan *plan = c->plan->evaluations.at[i];
        const bool member = before && before->name == plan->name;
        AskFacts facts;
        if (plan->quoted || member || !plan->on.dataset->burst_written || !c->facts.asked(c->facts.context, plan, &facts) || !facts.burst) continue;
        before = plan;
        const size_t from = report->people.length;
        text_add(&report->people, "  %-10s %d of %d quer%s a picture of %s own burst among the candidates\n", plan->name, facts.burst, facts.queries, facts.queries == 1 ? "y has" : "ies have",
                 facts.queries == 1 ? "its" : "their");
        text_fold(&report->people, from, INDENT);
        text_add(&report->machines, "%s{", shown++ ? ", " : "");
        json_member(&report->machines, "evaluation", plan->name);
        text_add(&report->machines, ", \"queries\": %d, \"by_burst\": %d}", facts.queries, facts.burst);
    }
    text_add(&report->machines, "]");
}

/* ---- what a run would compute ------------------------------------------------------------------------------------------------------------- */

/* The members of one declaration: "train.learner (5 folds)", "evaluate.cv (3 choices)". */
typedef struct { const char *kind, *name; int length, members, folds; } Pending;
typedef LIST(Pending) PendingList;

static void add_pending(Arena *arena, const Item *item, PendingList *pending) {
    int length = (int)strcspn(item->tree->name, " ");
    for (int i = 0; i < pending->count; i++)
        if (!strcmp(pending->at[i].name, item->name) && pending->at[i].length == length && !strncmp(pending->at[i].kind, item->tree->name, (size_t)length)) {
            pending->at[i].members++;
            return;
        }
    list_add(arena, pending, ((Pending){item->tree->name, item->name, length, 1, item->folds}));
}

static const char *pending_text(Arena *arena, const Pending *pending) {
    const char *text = arena_print(arena, "%.*s.%s", pending->length, pending->kind, pending->name);
    if (pending->members > 1) text = arena_print(arena, "%s (%d choices)", text, pending->members);
    return pending->folds ? arena_print(arena, "%s (%d folds)", text, pending->folds) : text;
}

/* Each name stays whole; lines are as long as those of messages. */
static void describe_pending(Arena *arena, const PendingList *pending, bool some_kept, Text *out) {
    enum { COLUMNS = 80 };
    size_t line = out->length;
    text_add(out, pending->count ? "  would compute:" : "  would compute nothing: every result is in the store");
    for (int i = 0; i < pending->count; i++) {
        const char *text = pending_text(arena, &pending->at[i]);
        bool last = i + 1 == pending->count, breaks = out->length - line + strlen(text) + 2 > COLUMNS;
        if (breaks) line = out->length + 1;
        text_add(out, breaks ? "\n%*s%s%s" : "%*s%s%s", breaks ? FURTHER : 1, "", text, last ? "" : ",");
    }
    static const char rest[] = "everything else is in the store";
    if (pending->count && some_kept) text_add(out, out->length - line + sizeof rest + 1 > COLUMNS ? ";\n    %s" : "; %s", rest);
    text_add(out, "\n");
}

static void report_pending(Report *report) {
    Session *session = report->work->session;
    ItemList items = {0};
    PendingList pending = {0};
    int kept = 0, shown = 0;
    result_items(session, report->work->c.plan, &(NameList){0}, &items);
    text_add(&report->machines, ", \"would_compute\": [");
    for (int i = 0; i < items.count; i++) {
        const KeyTree *tree = items.at[i].tree;
        bool has = tree && store_has(&session->store, tree->hash);
        kept += has;
        if (has || !tree) continue;
        add_pending(&session->arena, &items.at[i], &pending);
        text_add(&report->machines, "%s", shown++ ? ", " : "");
        json_text(&report->machines, tree->name);
    }
    text_add(&report->machines, "]");
    if (items.count) describe_pending(&session->arena, &pending, kept > 0, &report->people);
}

/* ---- what is expected of the pictures ----------------------------------------------------------------------------------------------------- */

static bool no_metric(void *context, const EvaluatePlan *evaluation, const char *field, double *number) {
    (void)context, (void)evaluation, (void)field, (void)number;
    return false;
}

static void report_outcome(Report *report, const Outcome *outcome) {
    const size_t from = report->people.length;
    text_add(&report->people, "  %s     %s", outcome->holds ? "holds " : "FAILED", outcome->text);
    if (outcome->compared) text_add(&report->people, "   %.6g and %.6g", outcome->left, outcome->right);
    if (outcome->reason) text_add(&report->people, "   because %s", outcome->reason);
    text_add(&report->people, "\n");
    text_fold(&report->people, from, FURTHER);
    text_add(&report->machines, "%s{\"expect\": ", report->shown++ ? ", " : "");
    json_text(&report->machines, outcome->text);
    text_add(&report->machines, ", \"holds\": %s}", outcome->holds ? "true" : "false");
}

/* Those that speak of results stay open. Returns how many failed. */
static int report_expectations(Report *report) {
    Compilation *c = &report->work->c;
    const ResultSource source = {.metric = no_metric};
    int failed = 0;
    text_add(&report->machines, ", \"expectations\": [");
    for (int i = 0; i < c->expects.count; i++) {
        MemberList members = {0};
        members_opened(c, c->expects.at[i]->value, &members);
        for (int member = 0; member < members.count; member++) {
            Outcome outcome;
            if (!check_expectation(c, c->expects.at[i], &members.at[member], &source, &outcome) || outcome.open) continue;
            report_outcome(report, &outcome);
            failed += !outcome.holds;
        }
    }
    text_add(&report->machines, "]");
    return failed;
}

/* ---- the command ---------------------------------------------------------------------------------------------------------------------------- */

static int print_report(Jre *jre, Options *options, const Report *report, int failed, double started) {
    bool sound = report->work->good && !diag_any_error(jre) && !jre->interrupted;
    if (options->run.json) {
        printf("{\"check\": %s, \"findings\": ", sound ? report->machines.at : "null");
        int status = report_findings(jre, options);
        puts("}");
        return status ? status : failed ? EXIT_EXPECTATION : 0;
    }
    if (sound) fputs(report->people.at, stdout);
    int status = report_findings(jre, options);
    if (sound && failed) printf("  %d expectation%s failed     %.2f s\n", failed, plural(failed), seconds_now() - started);
    else if (sound) printf("  no mistake found     %.2f s\n", seconds_now() - started);
    return status ? status : failed ? EXIT_EXPECTATION : 0;
}

int check_command(Jre *jre, Options *options) {
    Work work;
    double started = seconds_now();
    Report report = {.work = &work, .people = {.jre = jre}, .machines = {.jre = jre}};
    int failed = 0;
    if (work_begin(&work, jre, options, !options->no_data)) {
        describe_program(&work, &report);
        if (!options->no_data) {
            report_datasets(&report);
            report_splits(&report);
            report_questions(&report);
            for (int i = 0; i < work.c.plan->submissions.count; i++) submission_pairs(work.session, work.c.plan->submissions.at[i]);
        }
        describe_accepted(&work.c, &report.people);
        text_add(&report.machines, ", ");
        json_accepted(&report.machines, &work.c.accepted);
        failed = report_expectations(&report);
        if (!options->no_data) report_pending(&report);
        text_add(&report.machines, "}");
    }
    if (options->pairs && !options->no_data && work.session && work.c.plan) list_pairs(&work, options->pairs);
    int status = print_report(jre, options, &report, failed, started);
    text_free(&report.people);
    text_free(&report.machines);
    work_end(&work, options);
    return status;
}
