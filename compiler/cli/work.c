/* work.c: the subcommands that compile: check, explain, run. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Said at once, not after an hour of computing. */
static bool can_write_into(Jre *jre, const char *folder) {
    if (!folder) return true;
    if (!folder_make(jre, folder, NOWHERE)) return false;
    if (access(folder, W_OK) == 0) return true;
    Diagnostic *d = diag(jre, DIAG_cannot_write, NOWHERE, "%s: you may not write into this folder", folder);
    diag_help(d, "name another with --into");
    return false;
}

bool work_begin(Work *work, Jre *jre, Options *options, bool with_data) {
    memset(work, 0, sizeof *work);
    if (!can_write_into(jre, options->run.into)) return false;
    work->session = session_open(jre, &options->run);
    if (!work->session) return false;
    Facts facts = session_facts(work->session);
    if (options->dump) work->c.dump = stdout, work->c.dump_pass = options->dump;
    work->good = compile(&work->c, jre, &options->request, &facts, with_data);
    return work->good;
}

static void print_time_passes(const Compilation *c, FILE *out) {
    for (int i = 0; i < c->time_count; i++) fprintf(out, "%-10s %8.2f ms\n", c->times[i].name, c->times[i].seconds * 1e3);
    for (int i = 0; i < rule_count && c->rule_hits; i++) fprintf(out, "rule %-18s %6lld   %s\n", rules[i].name, (long long)c->rule_hits[i], rules[i].reason);
}

void work_end(Work *work, const Options *options) {
    if (options->time_passes) print_time_passes(&work->c, stderr);
    if (work->session) session_close(work->session);
    compilation_free(&work->c);
}

static void describe_data(Work *work, Text *out) {
    Facts facts = session_facts(work->session);
    const Plan *plan = work->c.plan;
    for (int i = 0; i < plan->datasets.count; i++) {
        DatasetFacts found = {0};
        if (plan->datasets.at[i]->quoted) continue;
        if (!facts.dataset(facts.context, plan->datasets.at[i], &found)) continue;
        text_add(out, "  %-10s %d pictures", plan->datasets.at[i]->name, found.pictures);
        if (found.individuals) text_add(out, ", %d individuals with %d to %d", found.individuals, found.smallest, found.largest);
        if (found.bursts) text_add(out, ", %d bursts of %d pictures", found.bursts, found.in_bursts);
        if (found.pictures) text_add(out, ", %d x %d to %d x %d", found.least_width, found.least_height, found.most_width, found.most_height);
        text_add(out, "\n");
    }
}

static void describe_accepted(const Compilation *c, Text *out) {
    for (int i = 0; i < c->accepted.count; i++)
        text_add(out, "  accepted   %s for %s   because %s\n", c->accepted.at[i]->name, c->accepted.at[i]->subject, c->accepted.at[i]->text);
}

static void describe_program(Work *work, Text *out) {
    const Plan *plan = work->c.plan;
    const Module *document = work->c.document;
    text_add(out, "%s", document->document->source->name);
    for (const Module *m = document->parent; m; m = m->parent) text_add(out, "%s%s", m == document->parent ? "   extends " : " < ", m->document->source->stem);
    int evaluations = 0, submissions = plan->submissions.count, folds = 0;
    for (int i = 0; i < plan->evaluations.count; i++) evaluations += !plan->evaluations.at[i]->quoted;
    for (int i = 0; i < plan->splits.count; i++) folds = plan->splits.at[i]->folds > folds ? plan->splits.at[i]->folds : folds;
    text_add(out, "\n  %d declarations, %d evaluation%s, %d submission%s", work->c.scope->names.count, evaluations, evaluations == 1 ? "" : "s", submissions, submissions == 1 ? "" : "s");
    if (folds) text_add(out, ", %d folds", folds);
    text_add(out, "     shapes ok\n");
    if (plan->later.count) text_add(out, "  checked, and run by a later version: ");
    NameList told = {0};
    for (int i = 0; i < plan->later.count; i++) {
        bool before = false;
        for (int k = 0; k < told.count; k++) before |= !strcmp(told.at[k], plan->later.at[i].what);
        if (before) continue;
        text_add(out, "%s%s", told.count ? ", " : "", plan->later.at[i].what);
        list_add(&work->c.arena, &told, plan->later.at[i].what);
    }
    if (plan->later.count) text_add(out, "\n");
}

void find_mistakes(Jre *jre, Options *options) {
    Work work;
    work_begin(&work, jre, options, true);
    work_end(&work, options);
}

int check_command(Jre *jre, Options *options) {
    Work work;
    double started = seconds_now();
    Text summary = {.jre = jre};
    if (work_begin(&work, jre, options, !options->no_data)) {
        describe_program(&work, &summary);
        if (!options->no_data) describe_data(&work, &summary);
        describe_accepted(&work.c, &summary);
    }
    bool sound = work.good && !diag_any_error(jre) && !options->run.json;
    if (sound) fputs(summary.at, stdout);
    int status = report_findings(jre, options);
    if (sound) printf("  no mistake found     %.2f s\n", seconds_now() - started);
    text_free(&summary);
    work_end(&work, options);
    return status;
}

int explain_command(Jre *jre, Options *options) {
    Work work;
    if (work_begin(&work, jre, options, false) && !options->dump) {
        Text text = {.jre = jre};
        for (int i = 0; i < options->names.count; i++) describe_expression(&work.c, options->names.at[i], &text);
        if (!options->names.count) plan_print(&work.c, &text);
        fputs(text.at ? text.at : "", stdout);
        text_free(&text);
    }
    int status = report_findings(jre, options);
    work_end(&work, options);
    return status;
}

/* One JSON object: what the run says (null if it never began), and what was found on the way. */
static int report_as_json(Jre *jre, const char *result, size_t length) {
    while (length && result[length - 1] == '\n') length--;
    int status = diag_exit_code(jre);
    printf("{\"run\": %.*s, \"findings\": ", length ? (int)length : 4, length ? result : "null");
    diag_print_all(jre, stdout, true, false);
    puts("}");
    return status;
}

int run_command(Jre *jre, Options *options) {
    Work work;
    char *result = NULL;
    size_t length = 0;
    if (options->run.json) options->run.out = open_memstream(&result, &length);
    int status = work_begin(&work, jre, options, true) && !report_later(&work.c) ? session_run(work.session, &work.c) : 0;
    if (options->run.json) fclose(options->run.out);
    int findings = options->run.json ? report_as_json(jre, result ? result : "", length) : report_findings(jre, options);
    free(result);
    if (findings) status = status == 130 ? status : findings;
    work_end(&work, options);
    return status;
}
