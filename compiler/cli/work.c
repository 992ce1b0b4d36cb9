/* work.c: a session and a compiled document; run. */
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
    if (options->time_passes && work->session && work->session->planned)
        fprintf(stderr, "memory     %8.1f MiB planned, %.1f MiB taken at most\n", mebibytes(work->session->planned), mebibytes(memory_taken(true)));
    if (work->session) session_close(work->session);
    compilation_free(&work->c);
}

void find_mistakes(Jre *jre, Options *options) {
    Work work;
    work_begin(&work, jre, options, true);
    work_end(&work, options);
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
    if (findings) status = jre->interrupted ? status : findings;
    work_end(&work, options);
    return status;
}
