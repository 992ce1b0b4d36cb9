/* document.c: a libFuzzer target: any text as a document, through scanner, parser, formatter, resolution, plan, lowering and its passes,
 * checks, types of its names, the flat program and the chunks `test`, with facts made up. Built and run by fuzz.sh.
 *
 * The length of the text says how it is met: alone, as a child of pipelines/v01.jre, or laid over it. What finds no crash must still keep
 * promises: no finding is a bug of ours, formatted text is its own format, a flat program is a document. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/runtime.h"
#include "../fake_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* ---- files -------------------------------------------------------------------------------------------------------------------- */

static char folder[64];
static const char child[] = "```jre\nextends \"v01.jre\"\n```\n";

static const char *file_of(Jre *jre, const char *name, const char *before, const uint8_t *bytes, size_t length) {
    const char *path = arena_print(&jre->forever, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t head = (ssize_t)strlen(before);
    if (file < 0 || write(file, before, (size_t)head) != head || write(file, bytes, length) != (ssize_t)length) abort();
    close(file);
    return path;
}

/* The documents that others extend and use, as tests/documents.c lays them out. */
static void begin(void) {
    snprintf(folder, sizeof folder, "/dev/shm/jre-fuzz-%d", (int)getpid());
    mkdir(folder, 0700);
    char command[512];
    snprintf(command, sizeof command, "cp tests/documents/*.jre %s; cp \"$JRE_FUZZ_CHAIN\"/*.jre %s 2>/dev/null; cp pipelines/v01.jre %s", folder, folder, folder);
    if (system(command) != 0) abort();
}

/* ---- facts made up --------------------------------------------------------------------------------------------------------------- */

static const WeightFacts *any_weights(void *context, const char *path, Span asked_at) {
    (void)asked_at;
    FakeFiles *files = context;
    WeightFacts *facts = arena_new(&files->jre->forever, WeightFacts);
    *facts = (WeightFacts){.path = path, .made_up = true, .stats = strstr(path, "half") ? "half" : strstr(path, "none") ? NULL : "imagenet"};
    return facts;
}

static const TableFacts *any_table(void *context, const char *path, Span asked_at) {
    (void)path, (void)asked_at;
    static const char *const columns[] = {"filename", "file", "name", "ground_truth", "individual", "site", "time", "width", "height"};
    FakeFiles *files = context;
    TableFacts *facts = arena_new(&files->jre->forever, TableFacts);
    facts->rows = 40;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) list_add(&files->jre->forever, &facts->columns, intern(files->jre, columns[i]));
    return facts;
}

static bool any_part(void *context, const PartPlan *part, PartFacts *facts) {
    (void)context, (void)part;
    *facts = (PartFacts){.pictures = 40, .individuals = 5, .smallest = 1, .largest = 20, .singletons = 1, .bursts = 3, .in_bursts = 9};
    return true;
}

static bool any_leaks(void *context, const struct SplitPlan *split, LeakFacts *facts) {
    (void)context, (void)split;
    *facts = (LeakFacts){.alike = {.pairs = 7, .example = {{"a.png", "Ann", NULL, 1}, {"b.png", "Ann", NULL, 1}, 2, NULL}, .parts = {{.torn = 5, .of = 40}}, .part_count = 1}, .within = 8};
    return true;
}

/* Small ones only: speed is not the question here. */
static bool compute_small(void *context, const Graph *graph, double **numbers) {
    FakeFiles *files = context;
    int64_t total = 0;
    for (int i = 0; i < graph->nodes.count; i++) total += shape_elements(graph->nodes.at[i]->shape, 1);
    if (total < 100000) return compute_graph(files->jre, graph, 1, NULL, NULL, numbers);
    diag(files->jre, DIAG_no_memory, NOWHERE, "too much for a fuzzer");
    return false;
}

/* ---- what is done with a text ------------------------------------------------------------------------------------------------------ */

static void expect(Jre *jre, bool holds, const char *what) {
    if (holds) return;
    diag_print_all(jre, stderr, false, false);
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

static void format_twice(Jre *jre, const Document *document) {
    Text once = {.jre = jre}, twice = {.jre = jre};
    expect(jre, format_document(jre, document, &once), "a sound document can be formatted");
    Document *again = parse_document(jre, source_from_text(jre, "formatted", once.at ? once.at : "", once.length));
    expect(jre, !diag_any_error(jre), "a formatted document is sound");
    expect(jre, format_document(jre, again, &twice), "a formatted document can be formatted");
    expect(jre, once.length == twice.length && (!once.length || !memcmp(once.at, twice.at, once.length)), "a formatted document stays as it is");
    text_free(&once);
    text_free(&twice);
}

static void ask_everything(Compilation *c, const Facts *facts, const char *path, bool sound) {
    Text text = {.jre = c->jre};
    if (c->plan) plan_print(c, &text, NULL, NULL);
    if (sound) report_later(c);
    print_flat_program(c, &text);
    for (int i = 0, asked = 0; i < c->scope->names.count && asked < 8; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        if (decl && !decl->library && asked++ < 8) describe_expression(c, decl->name, &text);
    }
    describe_expression(c, "cv.map > chance(cv)", &text);
    const Document *document = c->document->document;
    for (int i = 0; i < document->chunks.count && i < 4; i++) {
        const Chunk *chunk = document->chunks.at[i];
        TestResult result;
        if (chunk->kind == CHUNK_TEST || chunk->kind == CHUNK_WRONG) test_chunk(c->jre, c->document, chunk, path, facts, &result);
    }
    text_free(&text);
}

/* `jre show` of a sound document is a document. */
static void read_flat_program(Compilation *c) {
    Text text = {.jre = c->jre};
    print_flat_program(c, &text);
    parse_document(c->jre, source_from_text(c->jre, "flat", text.at ? text.at : "", text.length));
    expect(c->jre, !diag_any_error(c->jre), "a flat program parses");
    text_free(&text);
}

static void compile_all(Jre *jre, const char *path, const char *over) {
    FakeFiles files = {.jre = jre};
    Facts facts = fake_facts(&files);
    facts.weights = any_weights, facts.table = any_table, facts.part = any_part, facts.leaks = any_leaks, facts.compute = compute_small;
    Compilation c = {.jre = jre, .arena = {.jre = jre}};
    CompileRequest request = {.path = path};
    if (over) list_add(&jre->forever, &request.with, over);
    bool sound = compile(&c, jre, &request, &facts, true);
    expect(jre, sound || diag_any_error(jre), "what is refused is told");
    if (sound) read_flat_program(&c);
    if (c.scope && !c.gaps && c.document) ask_everything(&c, &facts, path, sound);
    compilation_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static FILE *nowhere;
    if (!nowhere) {
        nowhere = fopen("/dev/null", "w");
        begin();
    }
    Jre *jre = jre_new();
    Document *document = parse_document(jre, source_from_text(jre, "text", (const char *)bytes, length));
    if (!diag_any_error(jre)) format_twice(jre, document);
    diag_forget(jre);
    const char *path = file_of(jre, "text.jre", length % 3 == 1 ? child : "", bytes, length);
    const char *base = arena_print(&jre->forever, "%s/v01.jre", folder);
    length % 3 == 2 ? compile_all(jre, base, path) : compile_all(jre, path, NULL);
    expect(jre, diag_exit_code(jre) != 70, "no finding is a bug of ours");
    diag_print_all(jre, nowhere, length % 2, length % 5 == 0);
    jre_free(jre);
    return 0;
}
