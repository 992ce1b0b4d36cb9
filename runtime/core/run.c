/* run.c: walks the plan.
 *
 * In: a compiled document. Out: scores, tables, submissions, the state of its expectations, an exit code (DESIGN 6).
 * Contract: what is in the store is not computed again, what one declaration lacks does not cost another its result, and
 * whatever is finished is on disk before the next begins, so that an interrupt loses only what was in the making. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

enum { EXIT_EXPECTATION = 3, FURTHER = 4 };          /* FURTHER: how much deeper a line goes on that is too long */

/* ---- expectations --------------------------------------------------------------------------------------------------------- */

static const EvaluationReport *report_of(const RunReport *run, const EvaluatePlan *plan) {
    for (int i = 0; i < run->plan->evaluations.count; i++)
        if (run->plan->evaluations.at[i] == plan && run->evaluations[i].done) return &run->evaluations[i];
    return NULL;
}

static bool result_metric(void *context, const EvaluatePlan *plan, const char *field, double *number) {
    const EvaluationReport *report = report_of(context, plan);
    if (!report) return false;
    const Evaluation *n = &report->numbers;
    const Score *map = &n->score[METRIC_map];
    const Metric metric = metric_find(field);
    const struct { const char *name; double value; } fields[] = {
        {"chance", n->chance}, {"low", map->low}, {"high", map->high}, {"spread", map->spread}, {"queries", n->queries}, {"lonely", n->lonely}, {"ties", (double)n->ties},
        {"individuals", n->identities}, {"seconds_per_image", seconds_per_image(report)}};
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

static const char *result_individual(void *context, const EvaluatePlan *plan, const char *field) {
    const EvaluationReport *report = report_of(context, plan);
    bool best = strcmp(field, "best.identity") == 0;
    if (!report || (!best && strcmp(field, "worst.identity") != 0)) return NULL;
    int place = best ? report->numbers.best : report->numbers.worst;
    return individual_at(report, place) ? individual_name(report, place) : NULL;
}

static const char *verdict(const ExpectationReport *report) { return !report->checked ? "open  " : report->outcome.holds ? "holds " : "FAILED"; }

static void print_expectation(Session *session, const ExpectationReport *report) {
    if (session->options.json) return;
    FILE *out = session->options.out;
    const Outcome *outcome = &report->outcome;
    const char *color = !session->options.colors || !report->checked ? "" : outcome->holds ? "\033[32m" : "\033[1;31m";
    Text line = {.jre = session->jre};
    text_add(&line, "%s  %s", verdict(report), report->text);
    if (!report->sound) text_add(&line, "   could not be decided, as said elsewhere");
    else if (!report->checked) text_add(&line, "   its evaluation has no result");
    else if (outcome->compared && (isnan(outcome->left) || isnan(outcome->right))) text_add(&line, "   there was nothing to judge");
    else if (outcome->compared) text_add(&line, "   %.6g and %.6g", outcome->left, outcome->right);
    if (outcome->reason) text_add(&line, "   because %s", outcome->reason);
    text_fold(&line, 0, FURTHER);
    const int word = (int)strlen(verdict(report));
    fprintf(out, "%s%.*s%s%s\n", color, word, line.at, *color ? "\033[0m" : "", line.at + word);
    text_free(&line);
}

/* Returns how many failed. */
static int check_expectations(RunReport *run) {
    Compilation *c = run->compilation;
    ResultSource source = {.context = run, .metric = result_metric, .individual = result_individual};
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

static void print_accepted(const RunReport *run) {
    const AcceptList *accepted = &run->compilation->accepted;
    for (int i = 0; i < accepted->count; i++) {
        Text line = {.jre = run->session->jre};
        text_add(&line, "%saccepted  %s for %s   because %s", i ? "" : "\n", accepted->at[i]->name, accepted->at[i]->subject, accepted->at[i]->text);
        text_fold(&line, 0, FURTHER);
        session_say(run->session, "%s", line.at);
        text_free(&line);
    }
}

/* Values that are neither in the tables above nor tested below. */
static void show_probes(RunReport *run) {
    Compilation *c = run->compilation;
    ResultSource source = {.context = run, .metric = result_metric, .individual = result_individual};
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

/* ---- the walk ------------------------------------------------------------------------------------------------------------------ */

/* Once for each evaluation: its members ask the same pictures. */
static void warn_of_lonely(const RunReport *run, const EvaluationReport *report) {
    Session *session = run->session;
    const Evaluation *numbers = &report->numbers;
    if (!numbers->lonely) return;
    for (const EvaluationReport *earlier = run->evaluations; earlier < report; earlier++)
        if (earlier->done && strcmp(earlier->plan->name, report->plan->name) == 0) return;
    Diagnostic *d = diag(session->jre, DIAG_lonely_queries, report->plan->span, "%d of %d queries ha%s no other picture of the individual to find",
                         numbers->lonely, numbers->queries, numbers->lonely == 1 ? "s" : "ve");
    if (report->plan->lonely_zero) diag_note(d, "`lonely zero` counts each of them as 0");
    else diag_note(d, "they are left out; `lonely zero` would count each of them as 0");
}

static bool wanted(const Session *session, const char *name) { return !session->options.only || strcmp(session->options.only, name) == 0; }

static bool only_is_known(const RunReport *run) {
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

/* Of what was asked for; a part names its dataset. */
static void use_dataset(RunReport *run, const PartPlan *part) {
    const Dataset *dataset = part->dataset && !run->session->jre->interrupted ? session_dataset(run->session, part->dataset) : NULL;
    for (int i = 0; i < run->used.count; i++)
        if (run->used.at[i] == dataset) return;
    if (!dataset) return;
    list_add(&run->session->arena, &run->used, dataset);
    const char *name = dataset->plan->name;
    if (dataset->identity_count) session_say(run->session, "%s: %d picture%s of %d individual%s", name, dataset->count, plural(dataset->count), dataset->identity_count, plural(dataset->identity_count));
    else session_say(run->session, "%s: %d picture%s", name, dataset->count, plural(dataset->count));
    if (dataset->left_out) session_say(run->session, "   `only` leaves out %d row%s", dataset->left_out, plural(dataset->left_out));
    Text skipped = {.jre = run->session->jre};
    dataset_tell_skipped(dataset, 3, &skipped);
    if (skipped.length) session_say(run->session, "%.*s", (int)skipped.length - 1, skipped.at);
    text_free(&skipped);
}

static void announce_datasets(RunReport *run) {
    for (int i = 0; i < run->plan->evaluations.count; i++) {
        const EvaluatePlan *plan = run->plan->evaluations.at[i];
        if (plan->quoted || !wanted(run->session, plan->name)) continue;       /* an ancestor's: nearly always the same pictures */
        use_dataset(run, &plan->on);
        use_dataset(run, &plan->against);
    }
    for (int i = 0; i < run->plan->submissions.count; i++)
        if (wanted(run->session, run->plan->submissions.at[i]->name)) use_dataset(run, &run->plan->submissions.at[i]->on);
}

static void announce_figures(RunReport *run) {
    if (!run->plan->figures.count) return;
    Text names = {.jre = run->session->jre};
    for (int i = 0; i < run->plan->figures.count; i++) text_add(&names, "%s%s", i ? ", " : "", run->plan->figures.at[i].name);
    diag(run->session->jre, DIAG_comes_later, run->plan->figures.at[0].span, "figures are drawn by a later version of jre: %s", names.at);
    text_free(&names);
}

static void run_evaluation(RunReport *run, EvaluationReport *report) {
    report->run_id = run->run_id;
    bool made = evaluation_make(run->session, run->compilation, report);
    run->computed += report->embedded;
    if (!made) return;
    run->computed += !report->cached;
    run->done++;
    if (report->plan->quoted) return;                              /* an ancestor's: its own run writes its files */
    warn_of_lonely(run, report);
    report_tables(run->session, report);
}

static void walk(RunReport *run) {
    Session *session = run->session;
    announce_datasets(run);
    for (int i = 0; i < run->plan->evaluations.count && !session->jre->interrupted; i++) {
        run->evaluations[i].plan = run->plan->evaluations.at[i];
        if (!wanted(session, run->evaluations[i].plan->name)) continue;
        run->walked++;
        run_evaluation(run, &run->evaluations[i]);
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
        run->recorded |= report->written;
        run->done++;
        session_say(session, "%s: %s, %d rows%s", plan->name, report->file, report->rows, report->written ? "" : " (as it was)");
    }
}

static int exit_code_of(const RunReport *run, int failed) {
    Jre *jre = run->session->jre;
    if (jre->interrupted) return EXIT_BY_SIGNAL + jre->interrupted;
    int code = diag_exit_code(jre);
    return code ? code : failed ? EXIT_EXPECTATION : 0;
}

int session_run(Session *session, Compilation *compilation) {
    RunReport run = {.session = session, .compilation = compilation, .plan = compilation->plan, .facts = session_facts(session)};
    session->version = compilation->version;
    if (!run.plan || !only_is_known(&run)) return diag_exit_code(session->jre);
    run.evaluations = arena_array(&session->arena, EvaluationReport, run.plan->evaluations.count + 1);
    run.submissions = arena_array(&session->arena, SubmissionReport, run.plan->submissions.count + 1);
    run_claim(&run);
    walk(&run);
    report_print(session, run.evaluations, run.plan->evaluations.count);
    if (!session->jre->interrupted) show_probes(&run);
    print_accepted(&run);
    int failed = session->jre->interrupted ? 0 : check_expectations(&run);
    if (!session->options.only) announce_figures(&run);
    int code = exit_code_of(&run, failed);
    run.recorded = run.recorded || ((run.computed || run_unrecorded(&run)) && (run.done || !session->jre->interrupted));    /* interrupted before a first score: nothing to record */
    if (run.recorded) run_record(&run, code);
    run_unclaim(&run);
    if (!run.computed && run.walked && run.done == run.walked) session_say(session, "nothing to compute: every result is in the store (%d of %d)", run.done, run.walked);
    code = exit_code_of(&run, failed);
    if (session->options.json) {
        Text json = {.jre = session->jre};
        run_json(&json, &run, code);
        fwrite(json.at, 1, json.length, session->options.out);
        fflush(session->options.out);
        text_free(&json);
    }
    return code;
}
