/* result.c: what an evaluation found, as JSON and back from it.
 *
 * In: an EvaluationReport. Out: an object of JSON, read back by report_parse. Contract: numbers read back to the same bits, so every
 * file that follows from a report is the same, whether it was computed or came from the store. */
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

static void json_points(Text *out, const char *name, const RocPoint *points) {
    text_add(out, ", \"%s\": [", name);
    for (int i = 0; i < PAIR_RATES; i++) {
        text_add(out, "%s{\"rate\": ", i ? ", " : "");
        json_number(out, points[i].rate);
        json_field(out, "share", points[i].share);
        json_field(out, "score", points[i].score);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void json_histogram(Text *out, const char *name, const int64_t *bins) {
    text_add(out, ", \"%s\": [", name);
    for (int i = 0; i < PAIR_BINS; i++) text_add(out, "%s%lld", i ? ", " : "", (long long)bins[i]);
    text_add(out, "]");
}

/* Scores of all pairs of each fold, and the same answers as other tools count them. */
static void json_everything(Text *out, const EvaluationReport *report) {
    text_add(out, ", \"pairs\": [");
    for (int fold = 0; fold < report->folds; fold++) {
        const PairScores *pairs = &report->pairs[fold];
        text_add(out, "%s{\"same\": %lld, \"different\": %lld", fold ? ", " : "", (long long)pairs->same, (long long)pairs->different);
        json_field(out, "auc", pairs->auc);
        json_field(out, "average_precision", pairs->average_precision);
        json_field(out, "equal_error", pairs->equal_error);
        json_field(out, "equal_error_score", pairs->equal_error_score);
        json_points(out, "found", pairs->found);
        json_points(out, "parted", pairs->parted);
        json_histogram(out, "different_scores", pairs->histogram[0]);
        json_histogram(out, "same_scores", pairs->histogram[1]);
        text_add(out, "}");
    }
    text_add(out, "], \"conventions\": [");
    for (int i = 0; i < report->conventions.count; i++) {
        const ConventionRow *row = &report->conventions.at[i];
        text_add(out, "%s{\"tool\": ", i ? ", " : "");
        json_text(out, row->tool);
        json_member(out, "metric", row->metric);
        json_member(out, "counts", row->counts);
        json_field(out, "value", row->value);
        json_field(out, "folds", row->folds);
        text_add(out, "}");
    }
    text_add(out, "]");
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
    json_member(out, "version", report->version);
    json_member(out, "backbone", backbone_of(plan));
    json_member(out, "augmentation", augmentation_of(plan));
    json_field(out, "embedding_dim", plan->similarity->embed->width);
    text_add(out, ", \"protocol\": ");
    json_protocol(out, report);
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
    json_field(out, "candidates", report->candidates);
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
    if (report->pairs) json_everything(out, report);
    json_field(out, "seconds", report->seconds);
    json_field(out, "embed_seconds", report->embed_seconds);
    json_field(out, "embed_pictures", (double)report->embed_pictures);
    json_field(out, "seconds_per_image", seconds_per_image(report));
    json_member(out, "neighbors", report->neighbors ? report->neighbors : "");
    json_member(out, "neighbors_hash", report->neighbors_hash);
    json_member(out, "embed_key", report->embed_key);
    json_member(out, "dataset_key", report->dataset_key);
    json_member(out, "key", report->key);
    json_member(out, "run_id", report->run_id);
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
        {"queries", &numbers->queries}, {"lonely", &numbers->lonely}, {"folds", &report->folds}, {"pictures", &report->pictures}, {"candidates", &report->candidates},
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
    const cJSON *neighbors = cJSON_GetObjectItemCaseSensitive(json, "neighbors_hash");
    if (!cJSON_IsString(neighbors)) return false;
    report->neighbors_hash = intern(jre, neighbors->valuestring);
    return read_individuals(jre, arena, cJSON_GetObjectItemCaseSensitive(json, "individuals"), report);
}

bool report_parse(Jre *jre, Arena *arena, const char *bytes, size_t length, EvaluationReport *report) {
    cJSON *json = json_parse(jre, bytes, length);
    bool sound = json && read_report(jre, arena, json, report);
    json_free(jre, json);
    return sound;
}
