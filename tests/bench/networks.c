/* networks.c: pictures per second of library networks with made-up weights.
 *
 *   build/tests/bench/networks NETWORK BATCH THREADS      prints: best and median pictures a second, GFLOP/s
 *
 * The program is compiled as `jre run` compiles it; only its weights are invented. */
#include "../../runtime/runtime.h"

#include <stdlib.h>
#include <unistd.h>

static int slower_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(Executor *executor, const Program *program, int batch) {
    enum { ROUNDS = 15 };
    size_t pixels = (size_t)shape_elements(program->input, batch);
    float *input = malloc(pixels * sizeof *input), *output = malloc((size_t)shape_elements(program->output, batch) * sizeof *output);
    made_up_input(input, pixels);
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
    Facts facts = made_up_facts(session);
    char document[] = "/tmp/jre-bench-XXXXXX";
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
    Executor *executor = NULL;
    weight_library_make_up(session->weights, 1.5);
    if (good) executor = executor_new(jre, c.plan->embeds.at[0]->program, session->device, session->weights);
    if (executor) measure(executor, c.plan->embeds.at[0]->program, atoi(arguments[2]));
    diag_print_all(jre, stderr, false, false);
    if (executor) executor_free(executor);
    unlink(document);
    session_close(session);
    compilation_free(&c);
    jre_free(jre);
    return executor ? 0 : 1;
}
