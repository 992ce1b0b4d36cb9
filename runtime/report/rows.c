/* rows.c: what an evaluation found, as rows of tables that are kept.
 *
 * In: an EvaluationReport. Out: a row of the record and its _ext neighbor, the table of individuals. Contract: every file follows
 * from the report alone, so files that are missing or outdated are written again from the store. Nothing here ranks rows; who does
 * must not mix those whose protocol_key differs. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what rows say of a report --------------------------------------------------------------------------------------------- */

/* A place in per_identity, or NULL where there is none (every query was lonely). */
const IdentityScore *individual_at(const EvaluationReport *report, int place) {
    return place >= 0 && place < report->numbers.identities ? &report->numbers.per_identity[place] : NULL;
}

const char *individual_name(const EvaluationReport *report, int place) { return individual_at(report, place) ? report->individuals[place] : ""; }
double individual_score(const EvaluationReport *report, int place) {
    const IdentityScore *score = individual_at(report, place);
    return score ? score->average_precision : NAN;
}

const char *backbone_of(const EvaluatePlan *plan) {
    const EmbedPlan *embed = plan->similarity->embed;
    return embed->backbone && *embed->backbone ? embed->backbone : embed->name;
}

const char *augmentation_of(const EvaluatePlan *plan) {
    const View *view = plan->similarity->embed->view;
    return view && view->name ? view->name : "";
}

double seconds_per_image(const EvaluationReport *report) { return report->embed_pictures > 0 ? report->embed_seconds / (double)report->embed_pictures : 0; }

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* Letters, digits, dot and dash stay; anything else could mean something to a shell or a file system. */
static void add_file_name(Text *out, const char *text) {
    for (const char *at = text; *at; at++) {
        bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '-' || (*at == '.' && at != text);
        text_add(out, "%c", plain ? *at : '_');
    }
}

const char *choice_name(Arena *arena, const MemberName *member, bool for_file) {
    Text name = {.jre = arena->jre};
    for (int i = 0; i < member->count; i++) {
        if (i) text_add(&name, "%s", for_file ? "_" : ", ");
        if (for_file) add_file_name(&name, member->at[i].choice);
        else text_add(&name, "%s", member->at[i].choice);
    }
    const char *result = name.length ? arena_copy(arena, name.at, name.length) : "";
    text_free(&name);
    return result;
}

const char *file_name(Arena *arena, const char *text) {
    Text name = {.jre = arena->jre};
    add_file_name(&name, text);
    const char *result = name.length ? arena_copy(arena, name.at, name.length) : "";
    text_free(&name);
    return result;
}

/* ---- tables --------------------------------------------------------------------------------------------------------------- */

static const char *six(Arena *arena, double number) { return isfinite(number) ? arena_print(arena, "%.6f", number) : ""; }

/* The document's words, choices that no other column shows, then what the command line changed. */
static const char *notes_of(Arena *arena, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    Text notes = {.jre = arena->jre};
    if (plan->notes) text_add(&notes, "%s", plan->notes);
    for (int i = 0; i < plan->member.count; i++) {
        const MemberChoice *choice = &plan->member.at[i];
        if (strcmp(choice->choice, backbone_of(plan)) == 0 || strcmp(choice->choice, augmentation_of(plan)) == 0) continue;
        text_add(&notes, "%s%s = %s", notes.length ? "; " : "", choice->axis, choice->choice);
    }
    for (int i = 0; report->changes && i < report->changes->count; i++) text_add(&notes, "%s%s", notes.length ? "; " : "", report->changes->at[i]);
    const char *result = notes.length ? arena_copy(arena, notes.at, notes.length) : "";
    text_free(&notes);
    return result;
}

/* One row for each result: the same result again is the same row, another (other data, settings, kernels) one more. */
static bool put_record(Session *session, Arena *arena, const EvaluationReport *report) {
    static const char *const columns[] = {"version", "backbone", "loss", "embedding_dim", "augmentation", "cv_map", "best_identity_ap", "worst_identity_ap", "train_time_min", "notes"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    const EvaluatePlan *plan = report->plan;
    const Evaluation *numbers = &report->numbers;
    const char *cells[COLUMNS] = {
        report->version, backbone_of(plan), "none", arena_print(arena, "%d", plan->similarity->embed->width), augmentation_of(plan), six(arena, numbers->score[METRIC_map].value),
        six(arena, individual_score(report, numbers->best)), six(arena, individual_score(report, numbers->worst)), six(arena, 0.0), notes_of(arena, report)};
    return table_put_row(session->jre, path_below(session->jre, session->base, plan->record), plan->record_span,
                         &(TableRow){.columns = columns, .cells = cells, .count = COLUMNS, .key_columns = COLUMNS});
}

static const char *ext_path(Session *session, const char *record) {
    size_t length = strlen(record), stem = length > 4 && strcmp(record + length - 4, ".csv") == 0 ? length - 4 : length;
    return path_below(session->jre, session->base, arena_print(&session->arena, "%.*s_ext.csv", (int)stem, record));
}

/* A row of _ext: its columns and cells. */
typedef struct { Arena *arena; LIST(const char *) columns; LIST(const char *) cells; } Wide;

static void wide_add(Wide *row, const char *column, const char *cell) {
    list_add(row->arena, &row->columns, column);
    list_add(row->arena, &row->cells, cell);
}

static void wide_count(Wide *row, const char *column, int64_t count) { wide_add(row, column, arena_print(row->arena, "%lld", (long long)count)); }

const char *metric_text(Arena *arena, const MetricPlan *metric) {
    const char *word = metric_rows[metric->metric].word;
    return isnan(metric->at) ? word : arena_print(arena, "%s(at = %.6g)", word, metric->at);
}

/* Those that the document asks for, each with its interval. */
static void add_metrics(Wide *row, const EvaluationReport *report) {
    for (int i = 0; i < report->plan->metrics.count; i++) {
        const char *name = metric_text(row->arena, &report->plan->metrics.at[i]);
        const Score *score = &report->numbers.score[report->plan->metrics.at[i].metric];
        wide_add(row, name, six(row->arena, score->value));
        wide_add(row, arena_print(row->arena, "%s_low", name), six(row->arena, score->low));
        wide_add(row, arena_print(row->arena, "%s_high", name), six(row->arena, score->high));
        if (report->folds > 1) wide_add(row, arena_print(row->arena, "%s_spread", name), six(row->arena, score->spread));
    }
}

static void add_individuals(Wide *row, const EvaluationReport *report) {
    const Evaluation *n = &report->numbers;
    wide_count(row, "individuals", n->identities);
    wide_add(row, "best", individual_name(report, n->best));
    wide_add(row, "best_identity_ap", six(row->arena, individual_score(report, n->best)));
    wide_add(row, "worst", individual_name(report, n->worst));
    wide_add(row, "worst_identity_ap", six(row->arena, individual_score(report, n->worst)));
}

/* Everything a run knows of a row; named by version, evaluation, choice and key, so it is one row however often it is run. */
static bool put_ext(Session *session, Arena *arena, const EvaluationReport *report) {
    enum { NAME_COLUMNS = 4 };
    const Evaluation *n = &report->numbers;
    Wide row = {.arena = arena};
    wide_add(&row, "version", report->version);
    wide_add(&row, "evaluation", report->plan->name);
    wide_add(&row, "choice", report->choice);
    wide_add(&row, "key", report->key);
    wide_add(&row, "protocol_key", report->protocol_key);
    wide_add(&row, "protocol", protocol_text(arena, report->plan));
    wide_add(&row, "backbone", backbone_of(report->plan));
    wide_count(&row, "queries", n->queries);
    wide_count(&row, "lonely", n->lonely);
    wide_count(&row, "ties", n->ties);
    wide_count(&row, "pictures", report->pictures);
    wide_count(&row, "candidates", report->candidates);
    add_individuals(&row, report);
    wide_add(&row, "chance", six(arena, n->chance));
    wide_add(&row, "seconds", arena_print(arena, "%.3f", report->seconds));
    wide_add(&row, "embed_seconds", arena_print(arena, "%.3f", report->embed_seconds));
    wide_count(&row, "embed_pictures", report->embed_pictures);
    wide_add(&row, "seconds_per_image", six(arena, seconds_per_image(report)));
    wide_add(&row, "embed_key", report->embed_key);
    wide_add(&row, "dataset_key", report->dataset_key);
    wide_add(&row, "run_id", report->run_id);
    add_metrics(&row, report);
    return table_put_row(session->jre, ext_path(session, report->plan->record), report->plan->record_span,
                         &(TableRow){.columns = row.columns.at, .cells = row.cells.at, .count = row.columns.count, .key_columns = NAME_COLUMNS, .grows = true});
}

typedef struct { const char *name; const IdentityScore *score; } NamedScore;

static int worst_first(const void *a, const void *b) {
    const NamedScore *left = a, *right = b;
    double x = left->score->average_precision, y = right->score->average_precision;
    return x < y ? -1 : x > y ? 1 : strcmp(left->name, right->name);
}

static bool put_individuals(Session *session, Arena *arena, const EvaluationReport *report) {
    int count = report->numbers.identities;
    NamedScore *rows = arena_array(arena, NamedScore, count + 1);
    for (int i = 0; i < count; i++) rows[i] = (NamedScore){report->individuals[i], &report->numbers.per_identity[i]};
    qsort(rows, (size_t)count, sizeof *rows, worst_first);
    Text table = {.jre = session->jre}, name = {.jre = session->jre};
    text_add(&table, "identity,queries,folds,average_precision,low,high\n");
    for (int i = 0; i < count; i++) {
        csv_cell(&table, rows[i].name);
        text_add(&table, ",%d,%d,%s,%s,%s\n", rows[i].score->queries, rows[i].score->folds, six(arena, rows[i].score->average_precision), six(arena, rows[i].score->low),
                 six(arena, rows[i].score->high));
    }
    text_add(&name, "results/");
    add_file_name(&name, report->version);
    text_add(&name, "_");
    add_file_name(&name, report->plan->name);
    const char *choice = choice_name(arena, &report->plan->member, true);
    text_add(&name, "%s%s_identities.csv", *choice ? "_" : "", choice);
    bool written, sound = file_update(session, path_below(session->jre, session->base, name.at), report->plan->span, table.at, table.length, &written);
    text_free(&table);
    text_free(&name);
    return sound;
}

bool report_tables(Session *session, const EvaluationReport *report) {
    Arena scratch = {.jre = session->jre};
    bool sound = put_individuals(session, &scratch, report);
    if (report->plan->record) {
        sound = put_record(session, &scratch, report) && sound;
        sound = put_ext(session, &scratch, report) && sound;
    }
    arena_free(&scratch);
    return sound;
}
