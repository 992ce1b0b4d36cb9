/* bench.c: `jre bench`: how fast a network of the library runs here, with weights that nobody trained, and without any file.
 *
 * The module that declares the network is the document; over it is laid a chunk that pools what the network makes, as an embed would. It is
 * compiled, scheduled and executed as `jre run` does it; only its weights are made up, which changes no speed. The limits of the machine
 * are measured last, so that their memory does not count. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { LEAST_ROUNDS = 5, MOST_ROUNDS = 1000, MOST_NETWORKS = 256 };
static const double SECONDS = 1, GAIN = 0.6;            /* the gain keeps 150 layers of a residual network finite */

typedef struct {
    Jre *jre; Options *options; Session *session; Compilation c;
    const char *name;
    const Program *program; Executor *executor;
    double *seconds; int rounds;
    double first_seconds; size_t peak;
    Limits limits;
} Bench;

/* ---- networks of the library --------------------------------------------------------------------------------------------------- */

static bool takes_pictures(const Statement *head) {
    const Param *x = head->params.count ? &head->params.at[0] : NULL;
    if (!x || strcmp(x->type.name, "Tensor") != 0 || x->type.dims.count != 4) return false;
    const Expr *colors = x->type.dims.at[1].size;
    return colors && colors->kind == EXPR_NUMBER && colors->number == 3;
}

/* The formula behind a name of the module: its own, or one that an equation gives arguments. */
static const Statement *formula_of(const Document *module, const Statement *s) {
    const Expr *value = s->kind == STATEMENT_EQUATION ? s->value : NULL;
    if (value && value->kind == EXPR_CALL && value->target && value->target->kind == EXPR_NAME) s = declared_in(module, value->target->name);
    return s && s->kind == STATEMENT_FORMULA && s->formula == FORMULA_network ? s : NULL;
}

static bool is_network(const Document *module, const Statement *s) {
    const Statement *formula = formula_of(module, s);
    if (!formula || !takes_pictures(formula)) return false;
    for (int i = 1; s == formula && i < formula->params.count; i++)
        if (!formula->params.at[i].fallback) return false;
    return true;
}

/* Of programs that are no tests, in the order of modules. */
static void list_networks(Jre *jre, NameList *names) {
    int modules;
    Document *const *library = library_documents(jre, &modules);
    for (int m = 0; m < modules; m++)
        for (int i = 0; i < library[m]->chunks.count; i++) {
            const Chunk *chunk = library[m]->chunks.at[i];
            for (int k = 0; k < chunk->statements.count && chunk->kind == CHUNK_PROGRAM; k++)
                if (is_network(library[m], chunk->statements.at[k])) list_add(&jre->forever, names, chunk->statements.at[k]->name);
        }
}

static const char *names_in_a_line(Jre *jre, const NameList *names) {
    const char *text = "";
    for (int i = 0; i < names->count; i++) text = arena_print(&jre->forever, "%s %s", text, names->at[i]);
    return text;
}

static bool no_such_network(Bench *b) {
    NameList names = {0};
    list_networks(b->jre, &names);
    const char *near = nearest_name(b->name, names.at, names.count);
    Diagnostic *d = diag(b->jre, DIAG_unknown_name, NOWHERE, "the library has no network `%s`", b->name);
    diag_fact(d, "it has:%s", names_in_a_line(b->jre, &names));
    if (near) diag_help(d, "did you mean `%s`?", near);
    else diag_help(d, "name one of these");
    return false;
}

/* ---- from a name to an executor ---------------------------------------------------------------------------------------------------- */

/* The network, pooled unless it makes lists of numbers itself, as a chunk over its module. */
static Module *pooled(Bench *b, const char *path, bool ends_in_numbers) {
    const char *text = arena_print(&b->jre->forever, "network Bench(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> %s(weights = \"made up\")%s }", b->name,
                                   ends_in_numbers ? "" : " |> average_pool");
    Module *module = module_load(b->jre, path);
    return module ? module_of_chunk(b->jre, module, parse_chunk(b->jre, source_from_text(b->jre, "bench", text, strlen(text)))) : NULL;
}

static bool compile_network(Bench *b) {
    const char *stem = module_that_declares(b->jre, b->name);
    int modules;
    Document *const *library = library_documents(b->jre, &modules);
    const Document *module = NULL;
    for (int i = 0; stem && i < modules; i++)
        if (!strcmp(library[i]->source->stem, stem)) module = library[i];
    const Statement *declared = module ? declared_in(module, b->name) : NULL;
    if (!declared || !is_network(module, declared)) return no_such_network(b);
    const char *path = arena_print(&b->jre->forever, "%s/%s.jre", b->jre->stdlib, stem);
    CompileRequest request = {.path = path, .above = pooled(b, path, !strcmp(formula_of(module, declared)->result.name, "Embedding"))};
    b->c = (Compilation){.jre = b->jre, .arena = {.jre = b->jre}, .facts = made_up_facts(b->session), .latency = b->options->run.latency};
    if (!request.above || !resolve_program(&b->c, &request)) return false;
    Value *network = evaluate_name(environment_new(&b->c, b->c.scope, NULL), "Bench", NOWHERE);
    const View view = {.name = "bench", .width = b->options->input, .height = b->options->input};
    if (network->kind == VALUE_FORMULA) b->program = lower_network(&b->c, NULL, network, &view, NULL, declared->name_span).program;
    return b->program != NULL;
}

/* ---- the measurement ------------------------------------------------------------------------------------------------------------------ */

static int shorter_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* At least five rounds, and no more than a second allows. */
static bool run_rounds(Bench *b, const float *input, float *output, double started) {
    int batch = b->options->batch;
    bool sound = executor_run(b->executor, input, batch, output);
    double begun = seconds_now();
    b->first_seconds = begun - started;
    b->seconds = arena_array(&b->jre->forever, double, MOST_ROUNDS);
    while (sound && b->rounds < MOST_ROUNDS && (b->rounds < LEAST_ROUNDS || seconds_now() - begun < SECONDS)) {
        double from = seconds_now();
        sound = executor_run(b->executor, input, batch, output);
        b->seconds[b->rounds++] = seconds_now() - from;
    }
    if (b->rounds) qsort(b->seconds, (size_t)b->rounds, sizeof *b->seconds, shorter_first);
    return sound && !b->jre->interrupted;
}

static bool measure(Bench *b, double started) {
    int batch = b->options->batch;
    weight_library_make_up(b->session->weights, GAIN);
    b->executor = executor_new(b->jre, b->program, b->session->device, b->session->weights);
    if (!b->executor) return false;
    size_t pixels = (size_t)shape_elements(b->program->input, batch);
    float *input = jre_allocate(b->jre, pixels * sizeof *input), *output = jre_allocate(b->jre, (size_t)shape_elements(b->program->output, batch) * sizeof *output);
    made_up_input(input, pixels);
    bool sound = run_rounds(b, input, output, started);
    jre_release(output);
    jre_release(input);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) b->peak = (size_t)usage.ru_maxrss * 1024;
    return sound && session_limits(b->session, &b->limits);
}

/* ---- what is told ------------------------------------------------------------------------------------------------------------------------- */

static double rate(const Bench *b, int round) { return b->options->batch / b->seconds[round]; }

static void tell(const Bench *b) {
    const Options *o = b->options;
    double flops = b->program->flops * rate(b, 0);
    printf("%s  batch %d, %d x %d, %d thread%s, f32%s, instruction level %d\n", b->name, o->batch, o->input, o->input, pool_threads(b->session->pool), plural(pool_threads(b->session->pool)),
           o->run.latency ? ", for one picture at a time" : "", b->session->level);
    printf("  pictures a second  %.1f, median %.1f of %d rounds\n", rate(b, 0), rate(b, b->rounds / 2), b->rounds);
    printf("  arithmetic         %.1f GFLOP/s, %.0f %% of the %.1f that multiply-adds reach here; %.2f GFLOP a picture\n", flops / 1e9, 100 * flops / b->limits.flops, b->limits.flops / 1e9,
           b->program->flops / 1e9);
    printf("  memory             %.0f MiB at most, %.0f MiB of it planned\n", mebibytes(b->peak), mebibytes(executor_bytes(b->executor)));
    printf("  first result       after %.2f s\n", b->first_seconds);
}

static void tell_machines(const Bench *b) {
    const Options *o = b->options;
    double flops = b->program->flops * rate(b, 0);
    Text out = {.jre = b->jre};
    text_add(&out, "{\"network\": ");
    json_text(&out, b->name);
    text_add(&out, ", \"batch\": %d, \"input\": %d, \"threads\": %d, \"arithmetic\": \"f32\", \"latency\": %s, \"level\": %d, \"rounds\": %d, \"best\": ", o->batch, o->input, pool_threads(b->session->pool),
             o->run.latency ? "true" : "false", b->session->level, b->rounds);
    json_number(&out, rate(b, 0));
    text_add(&out, ", \"median\": ");
    json_number(&out, rate(b, b->rounds / 2));
    text_add(&out, ", \"flop_a_picture\": %.0f, \"flops\": %.0f, \"limit\": %.0f, \"share\": %.4f, \"peak_bytes\": %zu, \"planned_bytes\": %zu, \"first_seconds\": %.4f}", b->program->flops, flops,
             b->limits.flops, flops / b->limits.flops, b->peak, executor_bytes(b->executor), b->first_seconds);
    fputs(out.at, stdout);
    text_free(&out);
}

/* ---- the command ---------------------------------------------------------------------------------------------------------------------------- */

/* What is not there yet is told, not ignored. */
static bool arguments_are_sound(Jre *jre, const Options *options) {
    if (options->names.count > 1) {
        diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "one network is timed, `%s` is one too many", options->names.at[1]), "`jre help bench` shows examples");
        return false;
    }
    if (options->arithmetic && !strcmp(options->arithmetic, "bf16")) {
        diag_help(diag(jre, DIAG_not_yet, NOWHERE, "this version computes in f32; bf16 comes with a later one"), "leave --arithmetic out");
        return false;
    }
    if (options->arithmetic && strcmp(options->arithmetic, "f32") != 0) {
        diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "no arithmetic is called `%s`", options->arithmetic), "write f32");
        return false;
    }
    if (!options->train) return true;
    diag_help(diag(jre, DIAG_not_yet, NOWHERE, "this version does not train, so there is no step of `%s` to time", options->train), "leave --train out: then the network alone is timed");
    return false;
}

static void list_what_there_is(Jre *jre, bool json) {
    NameList names = {0};
    list_networks(jre, &names);
    Text out = {.jre = jre};
    if (json) text_add(&out, "{\"networks\": [");
    for (int i = 0; i < names.count; i++) {
        if (!json) text_add(&out, "%s\n", names.at[i]);
        else text_add(&out, "%s", i ? ", " : ""), json_text(&out, names.at[i]);
    }
    if (json) text_add(&out, "]}");
    fputs(out.at ? out.at : "", stdout);
    text_free(&out);
}

static bool bench(Bench *b, double started) {
    if (!arguments_are_sound(b->jre, b->options)) return false;
    if (!b->options->names.count) {
        list_what_there_is(b->jre, b->options->run.json);
        return true;
    }
    b->name = b->options->names.at[0];
    if (!b->options->batch) b->options->batch = 16;
    if (!b->options->input) b->options->input = 224;
    if (!b->options->run.threads) b->options->run.threads = 1;
    b->session = session_open(b->jre, &b->options->run);
    if (!b->session || !compile_network(b) || !measure(b, started)) return false;
    if (b->options->run.json) tell_machines(b);
    else tell(b);
    return true;
}

int bench_command(Jre *jre, Options *options) {
    Bench b = {.jre = jre, .options = options};
    double started = seconds_now();
    if (options->run.json) fputs("{\"bench\": ", stdout);
    bool done = bench(&b, started);
    if (options->run.json) fputs(done ? ", \"findings\": " : "null, \"findings\": ", stdout);
    int status = report_findings(jre, options);
    if (options->run.json) puts("}");
    if (b.executor) executor_free(b.executor);
    if (b.session) session_close(b.session);
    compilation_free(&b.c);
    return status;
}
