/* work.c: the subcommands that compile: check, explain, run. */
#include "cli.h"

#include <string.h>

typedef struct { Compilation c; Session *session; bool good; } Work;

static bool begin(Work *work, Jre *jre, Options *options, bool with_data) {
    memset(work, 0, sizeof *work);
    work->session = session_open(jre, &options->run);
    if (!work->session) return false;
    Facts facts = session_facts(work->session);
    if (options->dump) work->c.dump = stdout, work->c.dump_pass = options->dump;
    work->good = compile(&work->c, jre, &options->request, &facts, with_data);
    return work->good;
}

static void end(Work *work, const Options *options) {
    if (options->time_passes) print_time_passes(&work->c, stderr);
    if (work->session) session_close(work->session);
    compilation_free(&work->c);
}

void print_time_passes(const Compilation *c, FILE *out) {
    for (int i = 0; i < c->time_count; i++) fprintf(out, "%-10s %8.2f ms\n", c->times[i].name, c->times[i].seconds * 1e3);
    for (int i = 0; i < rule_count && c->rule_hits; i++) fprintf(out, "rule %-18s %6lld   %s\n", rules[i].name, (long long)c->rule_hits[i], rules[i].reason);
}

static void print_data(Work *work) {
    Facts facts = session_facts(work->session);
    const Plan *plan = work->c.plan;
    for (int i = 0; i < plan->datasets.count; i++) {
        DatasetFacts found = {0};
        if (!facts.dataset(facts.context, plan->datasets.at[i], &found)) continue;
        printf("  %-10s %d pictures", plan->datasets.at[i]->name, found.pictures);
        if (found.individuals) printf(", %d individuals with %d to %d", found.individuals, found.smallest, found.largest);
        if (found.bursts) printf(", %d bursts of %d pictures", found.bursts, found.in_bursts);
        if (found.pictures) printf(", %d x %d to %d x %d", found.least_width, found.least_height, found.most_width, found.most_height);
        printf("\n");
    }
}

int check_command(Jre *jre, Options *options) {
    Work work;
    double started = seconds_now();
    bool good = begin(&work, jre, options, true);
    if (good && !options->run.json) {
        const Plan *plan = work.c.plan;
        printf("%s.jre", work.c.version);
        for (const Module *m = work.c.document->parent; m; m = m->parent) printf("%s%s", m == work.c.document->parent ? "   extends " : " < ", m->document->source->stem);
        printf("\n  %d declarations, %d evaluation%s, %d submission%s     shapes ok\n", work.c.scope->names.count, plan->evaluations.count, plan->evaluations.count == 1 ? "" : "s",
               plan->submissions.count, plan->submissions.count == 1 ? "" : "s");
        print_data(&work);
    }
    int status = report_findings(jre, options);
    if (good && status == 0 && !options->run.json) printf("  no mistake found     %.2f s\n", seconds_now() - started);
    end(&work, options);
    return status;
}

int explain_command(Jre *jre, Options *options) {
    Work work;
    if (begin(&work, jre, options, false) && !options->dump) {
        Text text = {.jre = jre};
        plan_print(&work.c, &text);
        fputs(text.at ? text.at : "", stdout);
        text_free(&text);
    }
    int status = report_findings(jre, options);
    end(&work, options);
    return status;
}

int run_command(Jre *jre, Options *options) {
    Work work;
    int status = 0;
    if (begin(&work, jre, options, true)) status = session_run(work.session, &work.c);
    int findings = report_findings(jre, options);
    if (findings) status = status == 130 ? status : findings;
    end(&work, options);
    return status;
}
