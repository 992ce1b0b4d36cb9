/* run.c: walks the plan.
 *
 * In: a compiled document. Out: scores, tables, submissions, the state of its expectations, an exit code (DESIGN 6).
 * Contract: what is in the store is not computed again, what one declaration lacks does not cost another its result, and
 * whatever is finished is on disk before the next begins, so that an interrupt loses only what was in the making. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_EXPECTATION = 3, EXIT_INTERRUPTED = 130 };

typedef struct { Outcome outcome; bool sound, checked; const char *text; } ExpectationReport;   /* sound: a comparison; checked: with numbers */

typedef struct {
    Session *session;
    Compilation *compilation;
    Plan *plan;
    EvaluationReport *evaluations;
    SubmissionReport *submissions;
    ExpectationReport *expectations; int expectation_count;
    int computed;                         /* pictures embedded, evaluations and submissions made: 0 means all was in the store */
    int walked, done;                     /* evaluations and submissions that were asked for; of these have a result */
    const char *run_id;
} Run;

/* ---- one evaluation ------------------------------------------------------------------------------------------------------ */

/* The pictures of each fold, one after another; fold f is which[start[f] .. start[f + 1]-1]. */
typedef struct { int *which, *start; int folds, total; } FoldPictures;

/* All pictures of a dataset, or those that each fold holds out: the compiler lets no other part through. */
static bool choose_pictures(Session *session, Arena *scratch, const EvaluatePlan *plan, const Dataset *dataset, FoldPictures *chosen) {
    *chosen = (FoldPictures){.folds = part_members(&plan->on)};
    chosen->which = arena_array(scratch, int, dataset->count + 1);
    chosen->start = arena_array(scratch, int, chosen->folds + 1);
    for (int fold = 0; fold < chosen->folds; fold++) {
        PictureRows rows;
        if (!part_pictures(session->jre, dataset, &plan->on, fold + 1, scratch, &rows)) return false;
        for (int i = 0; i < rows.count; i++) chosen->which[chosen->total++] = rows.which[i];
        chosen->start[fold + 1] = chosen->total;
    }
    return true;
}

/* Ranks one fold: its pictures ask, and answer each other. */
static bool rank_fold(Session *session, Arena *scratch, const EvaluatePlan *plan, const EmbeddingTable *table, const Dataset *dataset, const int *which, int count, FoldResults *fold) {
    QueryResult *results = arena_array(scratch, QueryResult, count + 1);
    int *identity = arena_array(scratch, int, count + 1), *self = arena_array(scratch, int, count + 1);
    for (int i = 0; i < count; i++) {
        identity[i] = dataset->pictures[which[i]].identity_number;
        self[i] = i;
    }
    *fold = (FoldResults){results, identity, count};
    if (!count) return true;
    size_t floats = (size_t)count * (size_t)table->width;
    float *rows = jre_allocate_aligned(session->jre, floats * sizeof(float), 64);
    RankingTask task = {.query = rows, .queries = count, .query_label = identity, .self = self, .gallery = rows, .candidates = count,
                        .gallery_label = identity, .width = table->width};
    bool sound = embedding_unit_rows(session, plan->similarity->embed, table, dataset, which, count, rows) &&
                 rank_queries(session->jre, session->pool, session->level, &task, results);
    jre_release(rows);
    return sound;
}

static bool compute_evaluation(Run *run, Arena *scratch, const Dataset *dataset, EvaluationReport *report) {
    Session *session = run->session;
    const EvaluatePlan *plan = report->plan;
    FoldPictures chosen;
    if (!choose_pictures(session, scratch, plan, dataset, &chosen)) return false;
    int computed = 0;
    const EmbeddingTable *table = session_embeddings(session, plan->similarity->embed, dataset, chosen.which, chosen.total, &computed);
    run->computed += computed;
    if (!table) return false;
    double started = seconds_now();
    FoldResults *folds = arena_array(scratch, FoldResults, chosen.folds);
    for (int fold = 0; fold < chosen.folds; fold++) {
        const int *which = chosen.which + chosen.start[fold];
        if (session->jre->interrupted || !rank_fold(session, scratch, plan, table, dataset, which, chosen.start[fold + 1] - chosen.start[fold], &folds[fold])) return false;
    }
    Evaluation *numbers = &report->numbers;
    const Judging judging = judging_of(plan);
    evaluate_folds(session->jre, &session->arena, folds, chosen.folds, dataset->identity_count, &judging, numbers);
    report->individuals = arena_array(&session->arena, const char *, numbers->identities + 1);
    for (int i = 0; i < numbers->identities; i++) report->individuals[i] = dataset->identities[numbers->per_identity[i].identity];
    report->folds = chosen.folds;
    report->pictures = dataset->count;
    report->seconds = seconds_now() - started;
    report->embed_seconds = table->seconds;
    report->embed_pictures = table->computed;
    run->computed++;
    return true;
}

void key_machine(const Session *session, KeyTree *tree) {
    key_leaf(tree, "kernels", NOWHERE, "%s", kernel_library_version());
    key_leaf(tree, "device", NOWHERE, "%s", session->device->name);
    key_leaf(tree, "level", NOWHERE, "%d", session->level);
}

KeyTree *evaluation_tree(Session *session, const EvaluatePlan *plan, const Dataset *dataset) {
    KeyTree *tree = key_reopen(&session->arena, plan->key);
    key_machine(session, tree);
    key_part(tree, dataset->tree);
    key_close(tree);
    return tree;
}

static void keep_evaluation(Session *session, const EvaluationReport *report) {
    Text json = {.jre = session->jre};
    report_json(&json, report);
    text_add(&json, "\n");
    store_part(session, report->tree, "result.json", json.at, json.length, report->plan->span);
    text_free(&json);
}

/* Names come from the dataset, which the key stands for: JSON cannot hold all that a table can. */
static bool stored_evaluation(Session *session, const Dataset *dataset, EvaluationReport *report) {
    char *bytes;
    size_t length;
    if (!stored_part(session, report->key, "result.json", &bytes, &length)) return false;
    EvaluationReport stored = *report;
    bool sound = report_parse(session->jre, &session->arena, bytes, length, &stored);
    jre_release(bytes);
    for (int i = 0; sound && i < stored.numbers.identities; i++) {
        int identity = stored.numbers.per_identity[i].identity;
        sound = identity >= 0 && identity < dataset->identity_count;
        if (sound) stored.individuals[i] = dataset->identities[identity];
    }
    if (sound) *report = stored;
    return sound;
}

/* Once for each evaluation: its members ask the same pictures. */
static void warn_of_lonely(const Run *run, const EvaluationReport *report) {
    Session *session = run->session;
    const Evaluation *numbers = &report->numbers;
    if (!numbers->lonely) return;
    for (const EvaluationReport *earlier = run->evaluations; earlier < report; earlier++)
        if (earlier->done && strcmp(earlier->plan->name, report->plan->name) == 0) return;
    Diagnostic *d = diag(session->jre, DIAG_lonely_queries, report->plan->span, "%d of %d queries have no other picture of their individual to find",
                         numbers->lonely, numbers->queries);
    if (report->plan->lonely_zero) diag_note(d, "`lonely zero` counts each of them as 0");
    else diag_note(d, "they are left out; `lonely zero` would count each of them as 0");
}

static void run_evaluation(Run *run, EvaluationReport *report) {
    Session *session = run->session;
    const EvaluatePlan *plan = report->plan;
    const Dataset *dataset = session_dataset(session, plan->on.dataset);
    if (!dataset) return;
    if (!dataset->identity_count) {
        diag(session->jre, DIAG_missing_key, dataset->plan->span, "`%s` judges by individuals, but no `identity` of `%s` says which column names them", plan->name, plan->on.dataset->name);
        return;
    }
    report->version = run->compilation->version;
    report->changes = &run->compilation->changes;
    report->choice = choice_name(&session->arena, &plan->member, false);
    report->embed_key = embedding_tree(session, plan->similarity->embed)->hash;
    report->dataset_key = dataset->key;
    report->tree = evaluation_tree(session, plan, dataset);
    report->key = report->tree->hash;
    report->run_id = run->run_id;
    report->cached = stored_evaluation(session, dataset, report);
    if (!report->cached) {
        Arena scratch = {.jre = session->jre};
        bool sound = compute_evaluation(run, &scratch, dataset, report);
        arena_free(&scratch);
        if (!sound) return;
        keep_evaluation(session, report);
    }
    report->done = true;
    if (plan->quoted) return;                                      /* an ancestor's: its own run writes its files */
    warn_of_lonely(run, report);
    report_tables(session, report);
}

/* ---- expectations --------------------------------------------------------------------------------------------------------- */

static const EvaluationReport *report_of(const Run *run, const EvaluatePlan *plan) {
    for (int i = 0; i < run->plan->evaluations.count; i++)
        if (run->plan->evaluations.at[i] == plan && run->evaluations[i].done) return &run->evaluations[i];
    return NULL;
}

static bool result_metric(void *context, const EvaluatePlan *plan, const char *field, double *number) {
    const EvaluationReport *report = report_of(context, plan);
    if (!report) return false;
    const Evaluation *n = &report->numbers;
    const struct { const char *name; double value; } fields[] = {
        {"chance", n->chance}, {"low", n->score[METRIC_map].low}, {"high", n->score[METRIC_map].high}, {"spread", n->score[METRIC_map].spread}, {"queries", n->queries}, {"lonely", n->lonely}, {"ties", (double)n->ties}, {"individuals", n->identities},
        {"seconds_per_image", report->embed_pictures > 0 ? report->embed_seconds / (double)report->embed_pictures : 0}};
    const Metric metric = metric_find(field);
    if (metric != METRIC_NONE) {
        *number = n->score[metric].value;
        return true;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(field, fields[i].name) == 0) {
            *number = fields[i].value;
            return true;
        }
    bool best = strcmp(field, "best.ap") == 0 || strcmp(field, "best") == 0, worst = strcmp(field, "worst.ap") == 0 || strcmp(field, "worst") == 0;
    int place = best ? n->best : n->worst;
    if ((!best && !worst) || place < 0 || place >= n->identities) return false;
    *number = n->per_identity[place].average_precision;
    return true;
}

static const char *verdict(const ExpectationReport *report) { return !report->checked ? "open  " : report->outcome.holds ? "holds " : "FAILED"; }

static void print_expectation(Session *session, const ExpectationReport *report) {
    if (session->options.json) return;
    FILE *out = session->options.out;
    const Outcome *outcome = &report->outcome;
    const char *color = !session->options.colors || !report->checked ? "" : outcome->holds ? "\033[32m" : "\033[1;31m";
    fprintf(out, "%s%s%s  %s", color, verdict(report), *color ? "\033[0m" : "", report->text);
    if (!report->sound) fprintf(out, "   could not be decided, as said elsewhere");
    else if (!report->checked) fprintf(out, "   its evaluation has no result");
    else if (outcome->compared && (isnan(outcome->left) || isnan(outcome->right))) fprintf(out, "   there was nothing to judge");
    else if (outcome->compared) fprintf(out, "   %.6g and %.6g", outcome->left, outcome->right);
    if (outcome->reason) fprintf(out, "   because %s", outcome->reason);
    fputc('\n', out);
}

/* Returns how many failed. */
static int check_expectations(Run *run) {
    Compilation *c = run->compilation;
    ResultSource source = {.context = run, .metric = result_metric};
    MemberList *members = arena_array(&c->arena, MemberList, c->expects.count + 1);
    int failed = 0, total = 0;
    for (int i = 0; i < c->expects.count; i++) {
        members_opened(c, c->expects.at[i]->value, &members[i]);
        total += members[i].count;
    }
    run->expectations = arena_array(&run->session->arena, ExpectationReport, total + 1);
    for (int i = 0; i < c->expects.count; i++)
        for (int member = 0; member < members[i].count; member++) {
            ExpectationReport *report = &run->expectations[run->expectation_count++];
            report->sound = check_expectation(c, c->expects.at[i], &members[i].at[member], &source, &report->outcome);
            report->text = report->outcome.text;
            report->checked = report->sound && !report->outcome.open;
            failed += report->checked && !report->outcome.holds;
            if (run->expectation_count == 1 && !run->session->options.json) fputc('\n', run->session->options.out);
            print_expectation(run->session, report);
        }
    return failed;
}

static void print_accepted(const Run *run) {
    const AcceptList *accepted = &run->compilation->accepted;
    for (int i = 0; i < accepted->count; i++)
        session_say(run->session, "%saccepted  %s for %s   because %s", i ? "" : "\n", accepted->at[i]->name, accepted->at[i]->subject, accepted->at[i]->text);
}

/* Values that are neither in the tables above nor tested below. */
static void show_probes(Run *run) {
    Compilation *c = run->compilation;
    ResultSource source = {.context = run, .metric = result_metric};
    int shown = 0;
    if (run->session->options.json) return;
    for (int i = 0; i < c->probes.count; i++) {
        MemberList members = {0};
        members_probed(c, c->probes.at[i], &members);
        for (int k = 0; k < members.count; k++) {
            const char *name, *value = probe_value(c, c->probes.at[i], &members.at[k], &source, &name);
            if (value) fprintf(run->session->options.out, "%s%s   %s\n", shown++ ? "" : "\n", name, value);
        }
    }
}

/* ---- the record of a run --------------------------------------------------------------------------------------------------- */

static const char *choose_run_id(Session *session) {
    char name[64];
    time_t now = time(NULL);
    struct tm utc;
    /* Two runs in one second: the later takes the next free one. */
    for (int attempt = 0;; attempt++, now++) {
        gmtime_r(&now, &utc);
        strftime(name, sizeof name, "run_%Y%m%d_%H%M%S", &utc);
        const char *record = path_below(session->jre, session->base, arena_print(&session->arena, "results/%s/result.json", name));
        if (!file_exists(record) || attempt == 1000) return intern(session->jre, name);
    }
}

static void json_outcome(Text *out, const ExpectationReport *report) {
    text_add(out, "{\"expect\": ");
    json_text(out, report->text);
    text_add(out, ", \"holds\": %s", !report->checked ? "null" : report->outcome.holds ? "true" : "false");
    if (report->checked && report->outcome.compared) {
        text_add(out, ", \"left\": ");
        json_number(out, report->outcome.left);
        text_add(out, ", \"right\": ");
        json_number(out, report->outcome.right);
    }
    if (report->outcome.reason) {
        text_add(out, ", \"because\": ");
        json_text(out, report->outcome.reason);
    }
    text_add(out, "}");
}

static void json_submission(Text *out, const SubmissionReport *report) {
    text_add(out, "{\"submission\": ");
    json_text(out, report->plan->name);
    text_add(out, ", \"file\": ");
    json_text(out, report->file);
    text_add(out, ", \"rows\": %d, \"cached\": %s, \"key\": \"%s\"}", report->rows, report->cached ? "true" : "false", report->key);
}

void json_accepted(Text *out, const AcceptList *accepted) {
    text_add(out, "\"accepted\": [");
    for (int i = 0; i < accepted->count; i++) {
        text_add(out, "%s{\"check\": ", i ? ", " : "");
        json_text(out, accepted->at[i]->name);
        text_add(out, ", \"for\": ");
        json_text(out, accepted->at[i]->subject);
        text_add(out, ", \"because\": ");
        json_text(out, accepted->at[i]->text);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void json_machine(Text *out, const Run *run) {
    const Session *session = run->session;
    text_add(out, "\"version\": ");
    json_text(out, run->compilation->version);
    text_add(out, ", \"run_id\": ");
    json_text(out, run->computed ? run->run_id : "");
    text_add(out, ", \"device\": \"%s\", \"level\": %d, \"threads\": %d, \"kernels\": ", session->device->name, session->level, pool_threads(session->pool));
    json_text(out, kernel_library_version());
    text_add(out, ", \"changed\": [");
    for (int i = 0; i < run->compilation->changes.count; i++) {
        if (i) text_add(out, ", ");
        json_text(out, run->compilation->changes.at[i]);
    }
    text_add(out, "]");
}

static void json_run(Text *out, const Run *run, int exit_code) {
    int shown = 0;
    text_add(out, "{");
    json_machine(out, run);
    text_add(out, ", \"evaluations\": [");
    for (int i = 0; i < run->plan->evaluations.count; i++) {
        if (!run->evaluations[i].done || run->evaluations[i].plan->quoted) continue;
        if (shown++) text_add(out, ", ");
        report_json(out, &run->evaluations[i]);
    }
    text_add(out, "], \"submissions\": [");
    shown = 0;
    for (int i = 0; i < run->plan->submissions.count; i++) {
        if (!run->submissions[i].done) continue;
        if (shown++) text_add(out, ", ");
        json_submission(out, &run->submissions[i]);
    }
    text_add(out, "], \"expectations\": [");
    for (int i = 0; i < run->expectation_count; i++) {
        if (i) text_add(out, ", ");
        json_outcome(out, &run->expectations[i]);
    }
    text_add(out, "], ");
    json_accepted(out, &run->compilation->accepted);
    text_add(out, ", \"figures_later\": [");
    for (int i = 0; i < run->plan->figures.count; i++) {
        if (i) text_add(out, ", ");
        json_text(out, run->plan->figures.at[i].name);
    }
    text_add(out, "], \"computed\": %d, \"exit_code\": %d}\n", run->computed, exit_code);
}

/* results/<run_id>/: what came out, and the flat program that it came out of. */
static void keep_run(Run *run, int exit_code) {
    Session *session = run->session;
    Text json = {.jre = session->jre}, program = {.jre = session->jre};
    json_run(&json, run, exit_code);
    print_flat_program(run->compilation, &program);
    const char *folder = path_below(session->jre, session->base, arena_print(&session->arena, "results/%s", run->run_id));
    if (file_write(session->jre, path_below(session->jre, folder, "config.snapshot.jre"), NOWHERE, program.at ? program.at : "", program.length) &&
        file_write(session->jre, path_below(session->jre, folder, "result.json"), NOWHERE, json.at, json.length))
        session_say(session, "recorded in %s", folder);
    text_free(&json);
    text_free(&program);
}

/* ---- the walk ------------------------------------------------------------------------------------------------------------------ */

static bool wanted(const Session *session, const char *name) { return !session->options.only || strcmp(session->options.only, name) == 0; }

static bool only_is_known(const Run *run) {
    const char *only = run->session->options.only;
    NameList names = {0};
    Arena scratch = {.jre = run->session->jre};
    for (int i = 0; i < run->plan->evaluations.count; i++) list_add(&scratch, &names, run->plan->evaluations.at[i]->name);
    for (int i = 0; i < run->plan->submissions.count; i++) list_add(&scratch, &names, run->plan->submissions.at[i]->name);
    bool known = !only;
    for (int i = 0; i < names.count && !known; i++) known = strcmp(names.at[i], only) == 0;
    if (!known) {
        Diagnostic *d = diag(run->session->jre, DIAG_unknown_name, NOWHERE, "--only `%s`: no evaluation or submission is called so", only);
        const char *near = nearest_name(only, names.at, names.count);
        if (near) diag_help(d, "did you mean `%s`?", near);
    }
    arena_free(&scratch);
    return known;
}

static void announce_datasets(Run *run) {
    for (int i = 0; i < run->plan->datasets.count; i++) {
        const DatasetPlan *plan = run->plan->datasets.at[i];
        bool used = false;
        if (plan->quoted) continue;                                /* an ancestor's: nearly always the same pictures */
        for (int j = 0; j < run->plan->evaluations.count; j++) used = used || (run->plan->evaluations.at[j]->on.dataset == plan && wanted(run->session, run->plan->evaluations.at[j]->name));
        for (int j = 0; j < run->plan->submissions.count; j++) used = used || (run->plan->submissions.at[j]->on.dataset == plan && wanted(run->session, run->plan->submissions.at[j]->name));
        const Dataset *dataset = used && !run->session->jre->interrupted ? session_dataset(run->session, plan) : NULL;
        if (!dataset) continue;
        if (dataset->identity_count) session_say(run->session, "%s: %d picture%s of %d individual%s", plan->name, dataset->count, plural(dataset->count), dataset->identity_count, plural(dataset->identity_count));
        else session_say(run->session, "%s: %d picture%s", plan->name, dataset->count, plural(dataset->count));
        if (dataset->skipped) session_say(run->session, "   %d rows skipped: their pictures are not there", dataset->skipped);
    }
}

static void announce_figures(Run *run) {
    if (!run->plan->figures.count) return;
    Text names = {.jre = run->session->jre};
    for (int i = 0; i < run->plan->figures.count; i++) text_add(&names, "%s%s", i ? ", " : "", run->plan->figures.at[i].name);
    diag(run->session->jre, DIAG_comes_later, run->plan->figures.at[0].span, "figures are drawn by a later version of jre: %s", names.at);
    text_free(&names);
}

static void walk(Run *run) {
    Session *session = run->session;
    announce_datasets(run);
    for (int i = 0; i < run->plan->evaluations.count && !session->jre->interrupted; i++) {
        run->evaluations[i].plan = run->plan->evaluations.at[i];
        if (!wanted(session, run->evaluations[i].plan->name)) continue;
        run->walked++;
        run_evaluation(run, &run->evaluations[i]);
        run->done += run->evaluations[i].done;
    }
    for (int i = 0; i < run->plan->submissions.count && !session->jre->interrupted; i++) {
        const SubmitPlan *plan = run->plan->submissions.at[i];
        SubmissionReport *report = &run->submissions[i];
        if (!wanted(session, plan->name)) continue;
        run->walked++;
        bool made = submission_make(session, plan, report);
        run->computed += report->embedded;
        if (!made) continue;
        run->computed += !report->cached;
        run->done++;
        session_say(session, "%s: %s, %d rows%s", plan->name, report->file, report->rows, report->written ? "" : " (as it was)");
    }
}

static int exit_code_of(const Run *run, int failed) {
    Jre *jre = run->session->jre;
    if (jre->interrupted) return EXIT_INTERRUPTED;
    int code = diag_exit_code(jre);
    return code ? code : failed ? EXIT_EXPECTATION : 0;
}

int session_run(Session *session, Compilation *compilation) {
    Run run = {.session = session, .compilation = compilation, .plan = compilation->plan};
    session->version = compilation->version;
    if (!run.plan || !only_is_known(&run)) return diag_exit_code(session->jre);
    run.evaluations = arena_array(&session->arena, EvaluationReport, run.plan->evaluations.count + 1);
    run.submissions = arena_array(&session->arena, SubmissionReport, run.plan->submissions.count + 1);
    run.run_id = choose_run_id(session);
    walk(&run);
    report_print(session, run.evaluations, run.plan->evaluations.count);
    if (!session->jre->interrupted) show_probes(&run);
    print_accepted(&run);
    int failed = session->jre->interrupted ? 0 : check_expectations(&run);
    if (!session->options.only) announce_figures(&run);
    int code = exit_code_of(&run, failed);
    if (run.computed) keep_run(&run, code);
    else if (run.walked && run.done == run.walked) session_say(session, "nothing to compute: every result is in the store (%d of %d)", run.done, run.walked);
    if (session->jre->interrupted) session_say(session, "interrupted: what was finished is kept, the next run goes on from there");
    code = exit_code_of(&run, failed);
    if (session->options.json) {
        Text json = {.jre = session->jre};
        json_run(&json, &run, code);
        fwrite(json.at, 1, json.length, session->options.out);
        fflush(session->options.out);
        text_free(&json);
    }
    return code;
}
