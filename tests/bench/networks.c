/* networks.c: pictures per second of library networks with made-up weights.
 *
 *   build/tests/bench/networks NETWORK BATCH THREADS      prints: best and median pictures a second, GFLOP/s
 *
 * The program is compiled as `jre run` compiles it; only the facts about its weights are invented, and their values written to a
 * file in /tmp that goes away. */
#include "../../runtime/runtime.h"
#include "../hash_weights.h"

#include <stdlib.h>
#include <unistd.h>

static const WeightFacts made_up = {.path = "made up", .made_up = true};
static bool exists(void *context, const char *path) { (void)context; (void)path; return true; }
static const char *hash(void *context, const char *path, Span asked_at) { (void)context; (void)path; (void)asked_at; return "0"; }
static const WeightFacts *weights(void *context, const char *path, Span asked_at) { (void)context; (void)path; (void)asked_at; return &made_up; }

/* Values for every weight the program asks for, in a file that its scopes then name. */
static bool write_weights(Jre *jre, const Program *program, const char *path) {
    LIST(const char *) names = {0};
    LIST(Array) arrays = {0};
    for (int i = 0; i < program->graph->nodes.count; i++) {
        Node *node = program->graph->nodes.at[i];
        if (node->op != OP_weight) continue;
        Array array = {.rank = node->shape.rank, .values = arena_array(&jre->forever, float, shape_elements(node->shape, 1))};
        for (int d = 0; d < array.rank; d++) array.dim[d] = node->shape.dim[d];
        hash_fill(node->name, 1, 1.5, array.rank, array.dim, array.values);
        list_add(&jre->forever, &names, node->name);
        list_add(&jre->forever, &arrays, array);
        node->weights->path = path;
    }
    return safetensors_write(jre, path, NOWHERE, names.count, names.at, arrays.at);
}

static int slower_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(Executor *executor, const Program *program, int batch) {
    enum { ROUNDS = 15 };
    size_t pixels = (size_t)shape_elements(program->input, batch);
    float *input = malloc(pixels * sizeof *input), *output = malloc((size_t)shape_elements(program->output, batch) * sizeof *output);
    uint64_t base = hash_base("input", 1);
    for (size_t i = 0; i < pixels; i++) input[i] = 2 * hash_unit(base, i);
    double seconds[ROUNDS];
    executor_run(executor, input, batch, output);
    for (int round = 0; round < ROUNDS; round++) {
        double started = seconds_now();
        executor_run(executor, input, batch, output);
        seconds[round] = seconds_now() - started;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, slower_first);
    printf("%.2f %.2f %.1f\n", batch / seconds[0], batch / seconds[ROUNDS / 2], program->flops * batch / seconds[0] / 1e9);
    free(input);
    free(output);
}

int main(int count, char **arguments) {
    if (count != 4) return fprintf(stderr, "usage: networks NETWORK BATCH THREADS\n"), 1;
    Jre *jre = jre_new();
    RunOptions options = {.out = stdout, .threads = atoi(arguments[3]), .quiet = true, .into = "/tmp"};
    Session *session = session_open(jre, &options);
    Facts facts = session_facts(session);
    facts.file_exists = exists;
    facts.content_hash = hash;
    facts.weights = weights;
    char document[] = "/tmp/jre-bench-XXXXXX", file[64];
    int descriptor = mkstemp(document);
    FILE *text = fdopen(descriptor, "w");
    fprintf(text, "```jre\nuse resnet\nuse squeezenet\nuse mobilenetv2\n"
                  "augment plain(x: Image) -> Image { x |> stretch(224px) }\n"
                  "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> %s(weights = \"made up\") |> average_pool }\n"
                  "embed features {\n  network Eye\n  view plain\n}\n```\n", arguments[1]);
    fclose(text);
    Compilation c = {0};
    CompileRequest request = {.path = document};
    bool good = compile(&c, jre, &request, &facts, false) && c.plan->embeds.count;
    snprintf(file, sizeof file, "%s.safetensors", document);
    Executor *executor = NULL;
    if (good && write_weights(jre, c.plan->embeds.at[0]->program, file)) executor = executor_new(jre, c.plan->embeds.at[0]->program, session->device, session->weights);
    if (executor) measure(executor, c.plan->embeds.at[0]->program, atoi(arguments[2]));
    diag_print_all(jre, stderr, false, false);
    if (executor) executor_free(executor);
    unlink(document);
    unlink(file);
    session_close(session);
    compilation_free(&c);
    jre_free(jre);
    return executor ? 0 : 1;
}
