/* test.c: `jre test FILE[:LINE] ...`: each chunk `test` and `wrong` of a document or a module, or the one that holds a line.
 *
 *   ok      stdlib/resnet.jre:51   4 expectations
 *   FAILED  stdlib/resnet.jre:58   kernels(resnet18).fused == 21
 *           stdlib/resnet.jre:59:8   left 20, right 21 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct { const char *path; Jre *jre; Session *session; Text *json; int passed, failed, failed_expectations; bool as_json; } Run;

/* ---- what was asked for ------------------------------------------------------------------------------------------------- */

/* Splits off `:LINE`, unless a file is called so; 0 without one. */
static int line_of(Jre *jre, Run *run, const char *name) {
    Facts facts = session_facts(run->session);
    const char *colon = strrchr(name, ':');
    bool number = colon && colon > name && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) && strlen(colon) < 9;
    run->path = name;
    if (!number || facts.file_exists(facts.context, name)) return 0;
    run->path = intern_length(jre, name, (size_t)(colon - name));
    return atoi(colon + 1);
}

static bool is_tested(const Chunk *chunk) { return chunk->kind == CHUNK_TEST || chunk->kind == CHUNK_WRONG; }

static bool holds_line(Jre *jre, const Chunk *chunk, int line) {
    return !line || (place_of(jre, chunk->span.start).line <= line && line <= place_of(jre, chunk->span.end - 1).line);
}

static void no_such_chunk(Run *run, const Document *document, int line) {
    const char *lines = "";
    for (int i = 0; i < document->chunks.count; i++)
        if (is_tested(document->chunks.at[i])) lines = arena_print(&run->jre->forever, "%s %d", lines, place_of(run->jre, document->chunks.at[i]->span.start).line);
    Diagnostic *d = line ? diag(run->jre, DIAG_wrong_argument, NOWHERE, "%s: line %d is in no chunk `test` or `wrong`", run->path, line)
                         : diag(run->jre, DIAG_wrong_argument, NOWHERE, "%s: there is no chunk `test` or `wrong`", run->path);
    if (*lines) diag_help(d, "they begin at these lines:%s", lines);
    else diag_help(d, "a chunk that begins with ```jre test holds expectations");
}

/* ---- one chunk -------------------------------------------------------------------------------------------------------------- */

static void print_failed(const Run *run, const Outcome *outcome) {
    Place place = place_of(run->jre, outcome->span.start);
    printf("        %s:%d:%d   expect %s\n", run->path, place.line, place.column, outcome->text);
    if (outcome->found) printf("            %s\n", outcome->found);
    if (outcome->reason) printf("            because %s\n", outcome->reason);
}

static void print_refused(const TestResult *result) {
    if (!result->refused) printf("        `%s` was expected, and not found\n", result->chunk->wrong ? result->chunk->wrong : "");
    for (int i = 0; i < result->others.count; i++) printf("        `%s` was found, and not expected\n", result->others.at[i]);
}

static void print_result(const Run *run, const TestResult *result) {
    int line = place_of(run->jre, result->chunk->span.start).line;
    printf("%-7s %s:%d", result->passed ? "ok" : "FAILED", run->path, line);
    if (result->chunk->kind == CHUNK_WRONG) printf("   %s\n", result->chunk->wrong ? result->chunk->wrong : "");
    else if (result->mistaken) puts("   a mistake, told below");
    else printf("   %d expectation%s\n", result->expectations, result->expectations == 1 ? "" : "s");
    for (int i = 0; i < result->failed.count; i++) print_failed(run, &result->failed.at[i]);
    if (!result->mistaken) print_refused(result);
}

static void json_failed(Run *run, const Outcome *outcome, const char *comma) {
    Place place = place_of(run->jre, outcome->span.start);
    text_add(run->json, "%s{\"line\": %d, \"column\": %d, \"expect\": ", comma, place.line, place.column);
    json_text(run->json, outcome->text);
    text_add(run->json, ", \"found\": ");
    json_text(run->json, outcome->found ? outcome->found : "");
    text_add(run->json, "}");
}

static void json_result(Run *run, const TestResult *result) {
    bool wrong = result->chunk->kind == CHUNK_WRONG;
    text_add(run->json, "%s\n  {\"file\": ", run->json->length ? "," : "");
    json_text(run->json, run->path);
    text_add(run->json, ", \"line\": %d, \"kind\": \"%s\", \"passed\": %s", place_of(run->jre, result->chunk->span.start).line, wrong ? "wrong" : "test",
             result->passed ? "true" : "false");
    if (wrong) {
        text_add(run->json, ", \"check\": ");
        json_text(run->json, result->chunk->wrong ? result->chunk->wrong : "");
        text_add(run->json, ", \"refused\": %s, \"others\": [", result->refused ? "true" : "false");
        for (int i = 0; i < result->others.count; i++) text_add(run->json, "%s\"%s\"", i ? ", " : "", result->others.at[i]);
    } else {
        text_add(run->json, ", \"expectations\": %d, \"failed\": [", result->expectations);
        for (int i = 0; i < result->failed.count; i++) json_failed(run, &result->failed.at[i], i ? ", " : "");
    }
    text_add(run->json, "]}");
}

/* ---- a file ----------------------------------------------------------------------------------------------------------------- */

static void test_file(Run *run, int line) {
    const Facts facts = session_facts(run->session);
    const int errors = diag_count(run->jre, SEVERITY_ERROR);
    const Module *document = module_load(run->jre, run->path);
    bool any = false;
    if (!document || diag_count(run->jre, SEVERITY_ERROR) > errors) return;
    for (int i = 0; i < document->document->chunks.count && !run->jre->interrupted; i++) {
        const Chunk *chunk = document->document->chunks.at[i];
        if (!is_tested(chunk) || !holds_line(run->jre, chunk, line)) continue;
        TestResult result;
        test_chunk(run->jre, document, chunk, run->path, &facts, &result);
        any = true;
        result.passed ? run->passed++ : run->failed++;
        run->failed_expectations += !result.passed && !result.mistaken;
        run->as_json ? json_result(run, &result) : print_result(run, &result);
    }
    if (!any) no_such_chunk(run, document->document, line);
}

/* 1 for a mistake, else 3 for an expectation that failed. */
static int tell(Run *run, const Options *options) {
    int status = diag_exit_code(run->jre);
    if (run->as_json) {
        printf("{\"passed\": %d, \"failed\": %d, \"chunks\": [%s\n], \"findings\": ", run->passed, run->failed, run->json->at ? run->json->at : "");
        diag_print_all(run->jre, stdout, true, false);
        puts("}");
    } else {
        printf("%d passed, %d failed\n", run->passed, run->failed);
        report_findings(run->jre, options);
    }
    return status ? status : run->failed_expectations ? 3 : 0;
}

int test_command(Jre *jre, Options *options) {
    Text json = {.jre = jre};
    Run run = {.jre = jre, .json = &json, .as_json = options->run.json};
    run.session = session_open(jre, &options->run);
    if (!run.session) return report_findings(jre, options);
    if (!options->names.count) diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "a document was expected"), "for instance: jre test stdlib/resnet.jre");
    for (int i = 0; i < options->names.count; i++) test_file(&run, line_of(jre, &run, options->names.at[i]));
    int status = tell(&run, options);
    session_close(run.session);
    text_free(&json);
    return status;
}
