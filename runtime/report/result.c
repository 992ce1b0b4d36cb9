/* result.c: what an evaluation found, for people, for tables, for other programs, and back from the store.
 *
 * In: an EvaluationReport. Out: JSON (read back by report_parse), a row of the record and its _ext neighbor, the table of
 * individuals, a table on the terminal. Contract: every file follows from the report alone, so files that are missing or
 * outdated are written again from the store; numbers in JSON read back to the same bits. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

void json_number(Text *out, double number) {
    char digits[40];
    if (!isfinite(number)) {
        text_add(out, "null");
        return;
    }
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) break;
    }
    text_add(out, "%s", digits);
}

static void json_field(Text *out, const char *name, double number) {
    text_add(out, ", \"%s\": ", name);
    json_number(out, number);
}

static void json_words(Text *out, const char *name, const char *words) {
    text_add(out, ", \"%s\": ", name);
    json_text(out, words);
}

/* A place in per_identity, or NULL where there is none (every query was lonely). */
static const IdentityScore *individual_at(const EvaluationReport *report, int place) {
    return place >= 0 && place < report->numbers.identities ? &report->numbers.per_identity[place] : NULL;
}

static const char *individual_name(const EvaluationReport *report, int place) { return individual_at(report, place) ? report->individuals[place] : ""; }
static double individual_score(const EvaluationReport *report, int place) {
    const IdentityScore *score = individual_at(report, place);
    return score ? score->average_precision : NAN;
}

static const char *backbone_of(const EvaluatePlan *plan) {
    const EmbedPlan *embed = plan->similarity->embed;
    return embed->backbone && *embed->backbone ? embed->backbone : embed->name;
}

static const char *view_of(const EvaluatePlan *plan) {
    const View *view = plan->similarity->embed->view;
    return view && view->name ? view->name : "";
}

static void json_protocol(Text *out, const EvaluatePlan *plan) {
    text_add(out, ", \"protocol\": {\"average\": \"%s\", \"lonely\": \"%s\"", plan->average_identity ? "identity" : "query", plan->lonely_zero ? "zero" : "skip");
    if (plan->on.split)
        text_add(out, ", \"folds\": %d, \"identities\": \"%s\", \"together_burst\": %s, \"seed\": %llu", plan->on.split->folds,
                 plan->on.split->disjoint ? "disjoint" : "shared", plan->on.split->together_burst ? "true" : "false", (unsigned long long)plan->on.split->seed);
    text_add(out, "}");
}

/* Every metric with its interval over individuals and its spread over folds. */
static void json_scores(Text *out, const Evaluation *numbers) {
    text_add(out, ", \"metrics\": {");
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        const Score *score = &numbers->score[metric];
        text_add(out, "%s\"%s\": {\"value\": ", metric ? ", " : "", metric_rows[metric].word);
        json_number(out, score->value);
        json_field(out, "low", score->low);
        json_field(out, "high", score->high);
        json_field(out, "spread", score->spread);
        text_add(out, "}");
    }
    text_add(out, "}");
}

void report_json(Text *out, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    const Evaluation *numbers = &report->numbers;
    text_add(out, "{\"evaluation\": ");
    json_text(out, plan->name);
    text_add(out, ", \"choices\": {");
    for (int i = 0; i < plan->member.count; i++) {
        if (i) text_add(out, ", ");
        json_text(out, plan->member.at[i].axis);
        text_add(out, ": ");
        json_text(out, plan->member.at[i].choice);
    }
    text_add(out, "}");
    json_words(out, "version", report->version);
    json_words(out, "backbone", backbone_of(plan));
    json_words(out, "augmentation", view_of(plan));
    json_field(out, "embedding_dim", plan->similarity->embed->width);
    json_protocol(out, plan);
    json_scores(out, numbers);
    json_field(out, "chance", numbers->chance);
    json_field(out, "map_best_order", numbers->map_best_order);
    json_field(out, "map_worst_order", numbers->map_worst_order);
    json_field(out, "map_expected_order", numbers->map_expected_order);
    json_field(out, "queries", numbers->queries);
    json_field(out, "lonely", numbers->lonely);
    json_field(out, "ties", (double)numbers->ties);
    json_field(out, "unscored", (double)numbers->unscored);
    json_field(out, "folds", report->folds);
    json_field(out, "pictures", report->pictures);
    json_field(out, "best", numbers->best);
    json_field(out, "worst", numbers->worst);
    text_add(out, ", \"individuals\": [");
    for (int i = 0; i < numbers->identities; i++) {
        text_add(out, "%s{\"identity\": ", i ? ", " : "");
        json_text(out, report->individuals[i]);
        json_field(out, "number", numbers->per_identity[i].identity);
        json_field(out, "average_precision", numbers->per_identity[i].average_precision);
        json_field(out, "low", numbers->per_identity[i].low);
        json_field(out, "high", numbers->per_identity[i].high);
        json_field(out, "queries", numbers->per_identity[i].queries);
        json_field(out, "folds", numbers->per_identity[i].folds);
        text_add(out, "}");
    }
    text_add(out, "]");
    json_field(out, "seconds", report->seconds);
    json_field(out, "embed_seconds", report->embed_seconds);
    json_field(out, "embed_pictures", (double)report->embed_pictures);
    json_words(out, "embed_key", report->embed_key);
    json_words(out, "dataset_key", report->dataset_key);
    json_words(out, "key", report->key);
    json_words(out, "run_id", report->run_id);
    text_add(out, "}");
}

/* ---- back from JSON -------------------------------------------------------------------------------------------------- */

/* null is a number that was not finite. */
static bool read_number(const cJSON *object, const char *name, double *number) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) && !cJSON_IsNull(item)) return false;
    *number = cJSON_IsNull(item) ? NAN : item->valuedouble;
    return true;
}

static bool read_count(const cJSON *object, const char *name, int *count) {
    double number;
    if (!read_number(object, name, &number) || !(number >= -1 && number < 2147483647.0)) return false;
    *count = (int)number;
    return true;
}

static bool read_individuals(Jre *jre, Arena *arena, const cJSON *list, EvaluationReport *report) {
    if (!cJSON_IsArray(list)) return false;
    int count = cJSON_GetArraySize(list), place = 0;
    Evaluation *numbers = &report->numbers;
    numbers->per_identity = arena_array(arena, IdentityScore, count + 1);
    report->individuals = arena_array(arena, const char *, count + 1);
    for (const cJSON *item = list->child; item && place < count; item = item->next, place++) {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "identity");
        IdentityScore *score = &numbers->per_identity[place];
        if (!cJSON_IsString(name) || !read_count(item, "number", &score->identity) || !read_number(item, "average_precision", &score->average_precision) ||
            !read_number(item, "low", &score->low) || !read_number(item, "high", &score->high) || !read_count(item, "queries", &score->queries) ||
            !read_count(item, "folds", &score->folds))
            return false;
        report->individuals[place] = intern(jre, name->valuestring);
    }
    numbers->identities = count;
    return numbers->best < count && numbers->worst < count;
}

static bool read_scores(const cJSON *metrics, Evaluation *numbers) {
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(metrics, metric_rows[metric].word);
        Score *score = &numbers->score[metric];
        if (!read_number(item, "value", &score->value) || !read_number(item, "low", &score->low) || !read_number(item, "high", &score->high) ||
            !read_number(item, "spread", &score->spread))
            return false;
    }
    return true;
}

static bool read_report(Jre *jre, Arena *arena, const cJSON *json, EvaluationReport *report) {
    Evaluation *numbers = &report->numbers;
    const struct { const char *name; double *to; } fields[] = {
        {"chance", &numbers->chance}, {"map_best_order", &numbers->map_best_order}, {"map_worst_order", &numbers->map_worst_order},
        {"map_expected_order", &numbers->map_expected_order}, {"seconds", &report->seconds}, {"embed_seconds", &report->embed_seconds}};
    const struct { const char *name; int *to; } counts[] = {
        {"queries", &numbers->queries}, {"lonely", &numbers->lonely}, {"folds", &report->folds}, {"pictures", &report->pictures},
        {"best", &numbers->best}, {"worst", &numbers->worst}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!read_number(json, fields[i].name, fields[i].to)) return false;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (!read_count(json, counts[i].name, counts[i].to)) return false;
    if (!read_scores(cJSON_GetObjectItemCaseSensitive(json, "metrics"), numbers)) return false;
    double ties, unscored, pictures;
    if (!read_number(json, "ties", &ties) || !read_number(json, "unscored", &unscored) || !(unscored >= 0 && unscored < 9e15) || !read_number(json, "embed_pictures", &pictures)) return false;
    if (!(ties >= 0 && ties < 9e15) || !(pictures >= 0 && pictures < 9e15)) return false;
    numbers->ties = (int64_t)ties;
    numbers->unscored = (int64_t)unscored;
    report->embed_pictures = (int64_t)pictures;
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(json, "run_id");
    report->run_id = cJSON_IsString(run) ? intern(jre, run->valuestring) : "";
    return read_individuals(jre, arena, cJSON_GetObjectItemCaseSensitive(json, "individuals"), report);
}

bool report_parse(Jre *jre, Arena *arena, const char *bytes, size_t length, EvaluationReport *report) {
    cJSON *json = cJSON_ParseWithLength(bytes, length);
    bool sound = json && read_report(jre, arena, json, report);
    cJSON_Delete(json);
    return sound;
}

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

/* ---- tables --------------------------------------------------------------------------------------------------------------- */

static const char *six(Arena *arena, double number) { return isfinite(number) ? arena_print(arena, "%.6f", number) : ""; }

/* The document's words, choices that no other column shows, then what the command line changed. */
static const char *notes_of(Arena *arena, const EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    Text notes = {.jre = arena->jre};
    if (plan->notes) text_add(&notes, "%s", plan->notes);
    for (int i = 0; i < plan->member.count; i++) {
        const MemberChoice *choice = &plan->member.at[i];
        if (strcmp(choice->choice, backbone_of(plan)) == 0 || strcmp(choice->choice, view_of(plan)) == 0) continue;
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
        report->version, backbone_of(plan), "none", arena_print(arena, "%d", plan->similarity->embed->width), view_of(plan), six(arena, numbers->score[METRIC_map].value),
        six(arena, individual_score(report, numbers->best)), six(arena, individual_score(report, numbers->worst)), six(arena, 0.0), notes_of(arena, report)};
    return table_put_row(session->jre, path_below(session->jre, session->base, plan->record), plan->record_span,
                         &(TableRow){.columns = columns, .cells = cells, .count = COLUMNS, .key_columns = COLUMNS});
}

static const char *ext_path(Session *session, const char *record) {
    size_t length = strlen(record), stem = length > 4 && strcmp(record + length - 4, ".csv") == 0 ? length - 4 : length;
    return path_below(session->jre, session->base, arena_print(&session->arena, "%.*s_ext.csv", (int)stem, record));
}

static const char *protocol_text(Arena *arena, const EvaluatePlan *plan) {
    const char *average = plan->average_identity ? "average identity" : "average query", *lonely = plan->lonely_zero ? "lonely zero" : "lonely skip";
    if (!plan->on.split) return arena_print(arena, "all pictures, %s, %s", average, lonely);
    return arena_print(arena, "%d folds, identities %s%s, seed %llu, %s, %s", plan->on.split->folds, plan->on.split->disjoint ? "disjoint" : "shared",
                       plan->on.split->together_burst ? ", together burst" : "", (unsigned long long)plan->on.split->seed, average, lonely);
}

/* Everything a run knows of a row; named by version, evaluation, choice and key, so it is one row however often it is run. */
static bool put_ext(Session *session, Arena *arena, const EvaluationReport *report) {
    static const char *const columns[] = {
        "version", "evaluation", "choice", "key", "backbone", "map", "low", "high", "fold_spread", "chance", "rank1", "rank5", "queries", "lonely", "ties", "pictures",
        "individuals", "best", "best_identity_ap", "worst", "worst_identity_ap", "protocol", "seconds", "embed_seconds", "embed_pictures", "embed_key", "dataset_key", "run_id"};
    enum { COLUMNS = sizeof columns / sizeof *columns, NAME_COLUMNS = 4 };
    const Evaluation *n = &report->numbers;
    const Score *map = &n->score[METRIC_map];
    const char *cells[COLUMNS] = {
        report->version, report->plan->name, report->choice, report->key, backbone_of(report->plan), six(arena, map->value), six(arena, map->low), six(arena, map->high),
        six(arena, map->spread), six(arena, n->chance), six(arena, n->score[METRIC_rank1].value), six(arena, n->score[METRIC_rank5].value), arena_print(arena, "%d", n->queries),
        arena_print(arena, "%d", n->lonely), arena_print(arena, "%lld", (long long)n->ties), arena_print(arena, "%d", report->pictures),
        arena_print(arena, "%d", n->identities), individual_name(report, n->best), six(arena, individual_score(report, n->best)),
        individual_name(report, n->worst), six(arena, individual_score(report, n->worst)), protocol_text(arena, report->plan),
        arena_print(arena, "%.3f", report->seconds), arena_print(arena, "%.3f", report->embed_seconds), arena_print(arena, "%lld", (long long)report->embed_pictures),
        report->embed_key, report->dataset_key, report->run_id};
    return table_put_row(session->jre, ext_path(session, report->plan->record), report->plan->record_span,
                         &(TableRow){.columns = columns, .cells = cells, .count = COLUMNS, .key_columns = NAME_COLUMNS, .grows = true});
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
    text_add(&table, "identity,queries,folds,average_precision\n");
    for (int i = 0; i < count; i++) {
        csv_cell(&table, rows[i].name);
        text_add(&table, ",%d,%d,%s\n", rows[i].score->queries, rows[i].score->folds, six(arena, rows[i].score->average_precision));
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

/* ---- on the terminal ------------------------------------------------------------------------------------------------------- */

enum { SHOWN_COLUMNS = 16 };
typedef struct { const char *cell[SHOWN_COLUMNS]; } ShownRow;

/* Columns that a text takes: characters, not bytes. */
static int shown_width(const char *text) {
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static const char *three(Arena *arena, double number) { return isfinite(number) ? arena_print(arena, "%.3f", number) : "-"; }

/* The axes of the first member head the columns; without a choice the backbone says which row it is. */
static int choice_columns(const EvaluationReport *report) {
    int count = report->plan->member.count;
    return count < 1 ? 1 : count > SHOWN_COLUMNS - 8 ? SHOWN_COLUMNS - 8 : count;
}

static ShownRow heading_row(const EvaluationReport *report) {
    static const char *const metrics[] = {"map", "95 % interval", "spread", "chance", "rank1", "rank5", "best", "worst"};
    ShownRow row = {{"backbone"}};
    int at = choice_columns(report);
    for (int i = 0; i < at && i < report->plan->member.count; i++) row.cell[i] = report->plan->member.at[i].axis;
    for (int i = 0; i < 8; i++) row.cell[at + i] = metrics[i];
    return row;
}

static const char *individual_text(Arena *arena, const EvaluationReport *report, int place) {
    if (!individual_at(report, place)) return "-";
    return arena_print(arena, "%s %s", individual_name(report, place), three(arena, individual_score(report, place)));
}

static ShownRow result_row(Arena *arena, const EvaluationReport *report) {
    const Evaluation *n = &report->numbers;
    ShownRow row = {{backbone_of(report->plan)}};
    int at = choice_columns(report);
    for (int i = 0; i < at && i < report->plan->member.count; i++) row.cell[i] = report->plan->member.at[i].choice;
    const Score *map = &n->score[METRIC_map];
    const char *cells[] = {three(arena, map->value), isfinite(map->low) ? arena_print(arena, "%s to %s", three(arena, map->low), three(arena, map->high)) : "-",
                           report->folds > 1 ? three(arena, map->spread) : "-", three(arena, n->chance), three(arena, n->score[METRIC_rank1].value), three(arena, n->score[METRIC_rank5].value),
                           individual_text(arena, report, n->best), individual_text(arena, report, n->worst)};
    for (int i = 0; i < 8; i++) row.cell[at + i] = cells[i];
    return row;
}

static void print_rows(Session *session, const ShownRow *rows, int count, int columns) {
    for (int i = 0; i < count; i++) {
        Text line = {.jre = session->jre};
        for (int column = 0; column < columns; column++) {
            int width = 0;
            for (int other = 0; other < count; other++) {
                int needed = shown_width(rows[other].cell[column] ? rows[other].cell[column] : "");
                if (needed > width) width = needed;
            }
            const char *cell = rows[i].cell[column] ? rows[i].cell[column] : "";
            text_add(&line, "  ");
            for (const char *at = cell, *end = cell + strlen(cell); at < end;) at += text_add_character(&line, at, end);
            if (column + 1 < columns) text_add(&line, "%*s", width - shown_width(cell), "");
        }
        fprintf(session->options.out, "%s\n", line.at);
        text_free(&line);
    }
}

/* Reports of one evaluation and one protocol lie side by side; the folds and pictures of the first are said once. */
static void print_group(Session *session, Arena *arena, const EvaluationReport *const *group, int count) {
    const EvaluationReport *first = group[0];
    fprintf(session->options.out, "\n%s   %s; %d picture%s, %d quer%s of %d individual%s", first->plan->name, protocol_text(arena, first->plan), first->pictures,
            plural(first->pictures), first->numbers.queries, first->numbers.queries == 1 ? "y" : "ies", first->numbers.identities, plural(first->numbers.identities));
    if (first->numbers.lonely) fprintf(session->options.out, ", %d lonely", first->numbers.lonely);
    if (first->numbers.ties) fprintf(session->options.out, ", %lld ties", (long long)first->numbers.ties);
    fputc('\n', session->options.out);
    ShownRow *rows = arena_array(arena, ShownRow, count + 1);
    rows[0] = heading_row(first);
    for (int i = 0; i < count; i++) rows[i + 1] = result_row(arena, group[i]);
    print_rows(session, rows, count + 1, choice_columns(first) + 8);
}

static bool side_by_side(const EvaluationReport *a, const EvaluationReport *b, const char *protocol, Arena *arena) {
    return b->done && !b->plan->quoted && b->plan->name == a->plan->name && b->plan->member.count == a->plan->member.count && !strcmp(protocol_text(arena, b->plan), protocol);
}

void report_print(Session *session, const EvaluationReport *reports, int count) {
    if (session->options.json) return;
    Arena scratch = {.jre = session->jre};
    const EvaluationReport **group = arena_array(&scratch, const EvaluationReport *, count + 1);
    bool *shown = arena_array(&scratch, bool, count + 1);
    for (int i = 0; i < count; i++) {
        if (shown[i]) continue;
        const char *protocol = protocol_text(&scratch, reports[i].plan);
        int members = 0;
        for (int j = i; j < count; j++)
            if (!shown[j] && side_by_side(&reports[i], &reports[j], protocol, &scratch)) {
                group[members++] = &reports[j];
                shown[j] = true;
            }
        if (members) print_group(session, &scratch, group, members);
    }
    arena_free(&scratch);
}
