/* shown.c: evaluations on the terminal.
 *
 * In: the reports of a run. Out: a table for each evaluation and protocol, a row for each choice; above it the protocol and how many
 * pictures asked, below it what the reader must know to judge. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

typedef LIST(const char *) ShownRow;

/* Columns that a text takes: characters, not bytes. */
static int shown_width(const char *text) {
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static const char *three(Arena *arena, double number) { return isfinite(number) ? arena_print(arena, "%.3f", number) : "-"; }

static const char *with_interval(Arena *arena, const Score *score) {
    if (!isfinite(score->value)) return "-";
    if (!isfinite(score->low)) return three(arena, score->value);
    return arena_print(arena, "%s (%s to %s)", three(arena, score->value), three(arena, score->low), three(arena, score->high));
}

static bool asks_for(const EvaluatePlan *plan, Metric metric) {
    for (int i = 0; i < plan->metrics.count; i++)
        if (plan->metrics.at[i].metric == metric) return true;
    return false;
}

/* The axes of the first member head the columns; without a choice the backbone says which row it is. */
static ShownRow heading_row(Arena *arena, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    ShownRow row = {0};
    for (int i = 0; i < plan->member.count; i++) list_add(arena, &row, plan->member.at[i].axis);
    if (!plan->member.count) list_add(arena, &row, "backbone");
    for (int i = 0; i < plan->metrics.count; i++) list_add(arena, &row, metric_text(arena, &plan->metrics.at[i]));
    if (asks_for(plan, METRIC_map)) {
        if (report->folds > 1) list_add(arena, &row, "spread");
        list_add(arena, &row, "chance");
    }
    list_add(arena, &row, "best");
    list_add(arena, &row, "worst");
    return row;
}

/* In how many folds an individual can be. */
static int most_folds(const EvaluationReport *report) {
    const SplitPlan *split = report->plan->on.split;
    return split && split->disjoint && report->folds > 1 ? 1 : report->folds;
}

/* Whoever is missing from some folds is judged by the others. */
static const char *individual_text(Arena *arena, const EvaluationReport *report, int place) {
    const IdentityScore *score = individual_at(report, place);
    if (!score) return "-";
    const char *text = arena_print(arena, "%s %s", individual_name(report, place), three(arena, score->average_precision));
    return score->folds < most_folds(report) ? arena_print(arena, "%s in %d fold%s", text, score->folds, plural(score->folds)) : text;
}

static ShownRow result_row(Arena *arena, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    const Evaluation *n = &report->numbers;
    ShownRow row = {0};
    for (int i = 0; i < plan->member.count; i++) list_add(arena, &row, plan->member.at[i].choice);
    if (!plan->member.count) list_add(arena, &row, backbone_of(plan));
    for (int i = 0; i < plan->metrics.count; i++) list_add(arena, &row, with_interval(arena, &n->score[plan->metrics.at[i].metric]));
    if (asks_for(plan, METRIC_map)) {
        if (report->folds > 1) list_add(arena, &row, three(arena, n->score[METRIC_map].spread));
        list_add(arena, &row, three(arena, n->chance));
    }
    list_add(arena, &row, individual_text(arena, report, n->best));
    list_add(arena, &row, individual_text(arena, report, n->worst));
    return row;
}

enum { COLUMNS = 80, FURTHER = 4 };

/* A line of words, in as many as it takes. */
static void print_words(Session *session, Text *line, int indent) {
    text_fold(line, 0, indent);
    fprintf(session->options.out, "%s\n", line->at ? line->at : "");
    text_free(line);
}

static int width_of_column(const ShownRow *rows, int count, int column) {
    int width = 0;
    for (int i = 0; i < count; i++) {
        int needed = column < rows[i].count ? shown_width(rows[i].at[column]) : 0;
        if (needed > width) width = needed;
    }
    return width;
}

static void add_cell(Text *line, const char *cell, int width) {
    text_add(line, "  ");
    for (const char *at = cell, *end = cell + strlen(cell); at < end;) at += text_add_character(line, at, end);
    text_add(line, "%*s", width > shown_width(cell) ? width - shown_width(cell) : 0, "");
}

/* Columns that do not fit beside the others stand below, behind the first one again. In a table of `words` the last column is folded instead. */
static void print_rows(Session *session, const ShownRow *rows, int count, bool words) {
    const int columns = count ? rows[0].count : 0, first = width_of_column(rows, count, 0);
    for (int from = 1, until; from < columns || from == 1; from = until) {
        int width = 2 + first, last = 0;
        for (until = from; until < columns; until++) {
            const int more = 2 + width_of_column(rows, count, until);
            if (!words && until > from && width + more > COLUMNS) break;
            last = width + 2;
            width += more;
        }
        if (until == from) until++;
        for (int i = 0; i < count; i++) {
            Text line = {.jre = session->jre};
            add_cell(&line, rows[i].at[0], until > 1 && columns > 1 ? first : 0);
            for (int column = from; column < until && column < rows[i].count; column++)
                add_cell(&line, rows[i].at[column], column + 1 < until ? width_of_column(rows, count, column) : 0);
            print_words(session, &line, words ? last : FURTHER);
        }
    }
}

/* ---- what a reader must know to judge ------------------------------------------------------------------------------------------- */

/* Averages are over the folds where an individual is present. */
static void print_folds(Session *session, const EvaluationReport *report) {
    int fewer = 0;
    for (int i = 0; i < report->numbers.identities; i++) fewer += report->numbers.per_identity[i].folds < report->folds;
    int count = report->numbers.identities;
    if (most_folds(report) < 2 || !report->plan->average_identity || !count) return;
    if (fewer) fprintf(session->options.out, "  %d of %d individual%s in fewer than %d folds, judged by those\n", fewer, count, plural(count), report->folds);
    else fprintf(session->options.out, "  each individual is in all %d folds\n", report->folds);
}

/* Equal scores come in the order of rows. Where another order would have given another score in the digits shown, that is said. */
static void print_ties(Session *session, Arena *arena, const EvaluationReport *const *group, int count) {
    Text unseen = {.jre = session->jre};
    FILE *out = session->options.out;
    for (int i = 0; i < count; i++) {
        const Evaluation *n = &group[i]->numbers;
        const char *worst = three(arena, n->map_worst_order), *best = three(arena, n->map_best_order);
        if (n->ties && strcmp(worst, best) == 0) text_add(&unseen, "%s%lld", unseen.length ? ", " : "", (long long)n->ties);
        else if (n->ties)
            fprintf(out, "  %lld tie%s%s%s: map %s to %s in other orders, %s expected\n", (long long)n->ties, plural(n->ties), *group[i]->choice ? " of " : "", group[i]->choice, worst, best,
                    three(arena, n->map_expected_order));
        if (n->unscored) fprintf(out, "  %lld candidate%s without a score come last\n", (long long)n->unscored, plural(n->unscored));
    }
    if (unseen.length) fprintf(out, "  ties: %s; their order does not show in map\n", unseen.at);
    text_free(&unseen);
}

/* ---- all there is -------------------------------------------------------------------------------------------------------------- */

/* Every metric that needs no threshold, and those whose threshold the document names: a line each. */
static void print_every_metric(Session *session, Arena *arena, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    LIST(ShownRow) rows = {0};
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        ShownRow row = {0};
        MetricPlan plain = {(Metric)metric, NAN, NOWHERE};
        const MetricPlan *asked = &plain;
        for (int i = 0; i < plan->metrics.count; i++)
            if (plan->metrics.at[i].metric == (Metric)metric) asked = &plan->metrics.at[i];
        if (isnan(asked->at) && strcmp(metric_rows[metric].parameters, "()") != 0) continue;
        list_add(arena, &row, metric_text(arena, asked));
        list_add(arena, &row, with_interval(arena, &report->numbers.score[metric]));
        list_add(arena, &row, place_word("Metric", metric_rows[metric].word)->sentence);
        list_add(arena, &rows, row);
    }
    fprintf(session->options.out, "\n  every metric%s%s\n", *report->choice ? " of " : "", report->choice);
    print_rows(session, rows.at, rows.count, true);
}

/* The same answers, counted as other tools count. */
static void print_conventions(Session *session, Arena *arena, const EvaluationReport *report) {
    LIST(ShownRow) rows = {0};
    for (int i = 0; i < report->conventions.count; i++) {
        const ConventionRow *line = &report->conventions.at[i];
        ShownRow row = {0};
        list_add(arena, &row, line->tool);
        list_add(arena, &row, line->metric);
        list_add(arena, &row, isfinite(line->value) ? arena_print(arena, "%.6f", line->value) : "-");
        list_add(arena, &row, line->folds < report->folds ? arena_print(arena, "%s; of %d folds", line->counts, line->folds) : line->counts);
        list_add(arena, &rows, row);
    }
    fprintf(session->options.out, "\n  as other tools count it%s%s\n", *report->choice ? ", " : "", report->choice);
    print_rows(session, rows.at, rows.count, true);
}

/* Of each fold: two pictures of one individual, or of two. */
static void print_pairs(Session *session, Arena *arena, const EvaluationReport *report) {
    for (int fold = 0; fold < report->folds; fold++) {
        const PairScores *pairs = &report->pairs[fold];
        Text line = {.jre = session->jre};
        text_add(&line, "%s  pairs%s: %lld of one individual, %lld of two; area under ROC %s, equal error %s; found at false alarms of", fold ? "" : "\n",
                report->folds > 1 ? arena_print(arena, " of fold %d", fold + 1) : "", (long long)pairs->same, (long long)pairs->different, three(arena, pairs->auc),
                three(arena, pairs->equal_error));
        for (int i = 0; i < PAIR_RATES; i++) text_add(&line, "%s %g: %s", i ? "," : "", pairs->found[i].rate, three(arena, pairs->found[i].share));
        print_words(session, &line, FURTHER);
    }
}

/* Reports of one evaluation and one protocol lie side by side; the folds and pictures of the first are said once. */
static void print_group(Session *session, Arena *arena, const EvaluationReport *const *group, int count) {
    const EvaluationReport *first = group[0];
    Text head = {.jre = session->jre};
    text_add(&head, "\n%s   %s; %d picture%s, %d quer%s of %d individual%s", first->plan->name, protocol_text(arena, first->plan), first->pictures,
            plural(first->pictures), first->numbers.queries, first->numbers.queries == 1 ? "y" : "ies", first->numbers.identities, plural(first->numbers.identities));
    if (first->plan->against.dataset) text_add(&head, ", %d candidate%s", first->candidates, plural(first->candidates));
    if (first->numbers.lonely) text_add(&head, ", %d lonely", first->numbers.lonely);
    text_add(&head, "; 95 %% intervals over individuals");
    print_words(session, &head, FURTHER);
    ShownRow *rows = arena_array(arena, ShownRow, count + 1);
    rows[0] = heading_row(arena, first);
    for (int i = 0; i < count; i++) rows[i + 1] = result_row(arena, group[i]);
    print_rows(session, rows, count + 1, false);
    print_folds(session, first);
    print_ties(session, arena, group, count);
    for (int i = 0; i < count; i++) {
        if (!group[i]->pairs) continue;
        print_every_metric(session, arena, group[i]);
        print_pairs(session, arena, group[i]);
        print_conventions(session, arena, group[i]);
    }
}

/* Of one evaluation and one protocol: two datasets may be called the same in words. */
static bool side_by_side(const EvaluationReport *a, const EvaluationReport *b) {
    return b->done && !b->plan->quoted && b->plan->name == a->plan->name && b->plan->member.count == a->plan->member.count && !strcmp(a->protocol_key, b->protocol_key);
}

void report_print(Session *session, const EvaluationReport *reports, int count) {
    if (session->options.json) return;
    Arena scratch = {.jre = session->jre};
    const EvaluationReport **group = arena_array(&scratch, const EvaluationReport *, count + 1);
    bool *shown = arena_array(&scratch, bool, count + 1);
    for (int i = 0; i < count; i++) {
        if (shown[i] || !reports[i].done) continue;
        int members = 0;
        for (int j = i; j < count; j++)
            if (!shown[j] && side_by_side(&reports[i], &reports[j])) {
                group[members++] = &reports[j];
                shown[j] = true;
            }
        if (members) print_group(session, &scratch, group, members);
    }
    arena_free(&scratch);
}
