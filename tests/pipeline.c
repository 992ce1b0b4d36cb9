/* pipeline.c: documents from their text to their scores, as `jre run` does it, on real and on painted pictures. */
#include "test.h"

#include "../runtime/runtime.h"

#include <cjson/cJSON.h>
#include <math.h>

/* ---- running ------------------------------------------------------------------------------------------------------- */

typedef struct { Jre *jre; Session *session; Compilation c; char *output; size_t length; int status; } Run;

static void exhausted(Jre *jre) {
    (void)jre;
    fail_msg("no memory is left");
}

static void open_run(Run *run, const char *into, int threads) {
    memset(run, 0, sizeof *run);
    run->jre = jre_new();
    run->jre->on_exhaustion = exhausted;
    RunOptions options = {.out = open_memstream(&run->output, &run->length), .into = into, .threads = threads};
    run->session = session_open(run->jre, &options);
    assert_non_null(run->session);
}

static bool compile_run(Run *run, const char *path, const char *with, const char *const *set) {
    CompileRequest request = {.path = path};
    if (with) list_add(&run->jre->forever, &request.with, with);
    for (; set && *set; set++) list_add(&run->jre->forever, &request.set, *set);
    Facts facts = session_facts(run->session);
    return compile(&run->c, run->jre, &request, &facts, true);
}

static void close_run(Run *run) {
    FILE *out = run->session->options.out;
    session_close(run->session);
    fclose(out);
    compilation_free(&run->c);
    jre_free(run->jre);
    free(run->output);
}

/* Compiles and runs; the messages must be none but notes. */
static void run_document(Run *run, const char *path, const char *with, const char *const *set, const char *into, int threads) {
    open_run(run, into, threads);
    bool good = compile_run(run, path, with, set);
    run->status = good ? session_run(run->session, &run->c) : 1;
    if (!good || diag_any_error(run->jre)) {
        char *text = test_messages(run->jre);
        fail_msg("%s", text);
    }
    fflush(run->session->options.out);
}

static void write_text(const char *folder, const char *name, const char *text) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- ten cutouts ------------------------------------------------------------------------------------------------------ */

static const char ten_cutouts[] =
    "# Ten cutouts\n\n```jre\nuse squeezenet\n\n"
    "dataset animals {\n  table    \"ten.csv\"\n  image    \"{filename}\"\n  identity \"{ground_truth}\"\n}\n\n"
    "backbone = squeezenet1_1(weights = \"squeezenet1_1.safetensors\", stats = imagenet)\n\n"
    "augment plain(x: Image) -> Image[224px, 224px] {\n  x |> stretch(224px, fill = black) |> normalize(backbone.stats)\n}\n\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {\n  x |> backbone |> average_pool |> unit\n}\n\n"
    "embed features {\n  network Eye\n  view    plain\n}\n\n"
    "evaluate few {\n  similarity cosine(features)\n  on         animals\n  metrics    [map, rank1]\n  average    identity\n}\n```\n";

/* The first five training pictures of nyala_125 and of nyala_106, beside the document. */
static void write_ten(const char *folder, const char *cutouts) {
    Jre *jre = jre_new();
    jre->on_exhaustion = exhausted;
    Table table;
    char path[1200], csv[2048] = "filename,ground_truth\n";
    snprintf(path, sizeof path, "%s/train.csv", cutouts);
    assert_true(table_read(jre, path, NOWHERE, &table));
    static const char *const animals[] = {"nyala_125", "nyala_106"};
    for (int a = 0; a < 2; a++)
        for (int row = 0, taken = 0; row < table.rows && taken < 5; row++) {
            if (strcmp(table.cells[row * 2 + 1], animals[a]) != 0) continue;
            taken++;
            snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "%s/train/train/%s,%s\n", cutouts, table.cells[row * 2], animals[a]);
        }
    write_text(folder, "ten.csv", csv);
    write_text(folder, "ten.jre", ten_cutouts);
    jre_free(jre);
}

static void squeezenet_on_ten_cutouts_gives_the_exact_map(void **state) {
    (void)state;
    char where[1024], folder[64], document[128], absolute[4096];
    if (!test_data("data/nyala/jaguar_like", where) || !realpath(where, absolute)) skip();
    test_folder(folder);
    write_ten(folder, absolute);
    snprintf(document, sizeof document, "%s/ten.jre", folder);
    Run run;
    run_document(&run, document, NULL, NULL, folder, 2);
    assert_int_equal(run.status, 0);
    const EvaluatePlan *plan = run.c.plan->evaluations.at[0];
    assert_int_equal(plan->similarity->embed->width, 512);
    char path[200];
    snprintf(path, sizeof path, "%s/.jre/store", folder);
    assert_non_null(strstr(run.output, "0.8106"));                  /* computed apart, with torch and scikit-learn */
    close_run(&run);
    test_folder_gone(folder);
}

/* ---- networks against torch --------------------------------------------------------------------------------------------- */

static const char one_network[] =
    "# One network\n\n```jre\nuse squeezenet\nuse mobilenetv2\nuse resnet\n\n"
    "dataset none { image \"*.png\" }\n\n"
    "backbone = %s\n\n"
    "augment plain(x: Image) -> Image { x |> stretch(%dpx) |> normalize(imagenet) }\n\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {\n  x |> backbone |> average_pool\n}\n\n"
    "embed features {\n  network Eye\n  view    plain\n}\n```\n";

typedef struct { Run run; char folder[64]; Executor *executor; const Program *program; } Network;

static void open_network(Network *network, const char *call, int size, int threads) {
    char text[2048], document[128];
    test_folder(network->folder);
    snprintf(text, sizeof text, one_network, call, size);
    write_text(network->folder, "one.jre", text);
    snprintf(document, sizeof document, "%s/one.jre", network->folder);
    open_run(&network->run, network->folder, threads);
    bool good = compile_run(&network->run, document, NULL, NULL);
    if (!good) fail_msg("%s", test_messages(network->run.jre));
    network->program = network->run.c.plan->embeds.at[0]->program;
    network->executor = executor_new(network->run.jre, network->program, network->run.session->device, network->run.session->weights);
    if (!network->executor) fail_msg("%s", test_messages(network->run.jre));
}

static void close_network(Network *network) {
    executor_free(network->executor);
    close_run(&network->run);
    test_folder_gone(network->folder);
}

/* Three pictures of the reference, as torchvision normalizes them. */
static float *reference_input(Jre *jre) {
    char where[1024];
    Array pixels;
    assert_true(npy_read(jre, test_data("weights/expected/input_u8_3x224x224x3.npy", where), NOWHERE, &pixels));
    static const float mean[] = {0.485f, 0.456f, 0.406f}, spread[] = {0.229f, 0.224f, 0.225f};
    enum { SIDE = 224 * 224 };
    float *input = malloc(3 * 3 * SIDE * sizeof *input);
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < SIDE; i++)
            for (int c = 0; c < 3; c++) input[(n * 3 + c) * SIDE + i] = (pixels.values[(n * SIDE + i) * 3 + c] / 255 - mean[c]) / spread[c];
    jre_release(pixels.values);
    return input;
}

static void agrees(const char *call, const char *features) {
    char weights[1024], where[1024], path[200];
    if (!test_data("weights", weights)) skip();
    setenv("JRE_WEIGHTS", weights, 1);
    Network network;
    open_network(&network, call, 224, 2);
    float *input = reference_input(network.run.jre);
    int width = (int)network.program->output.dim[1];
    float *together = malloc((size_t)width * 3 * sizeof(float)), *alone = malloc((size_t)width * sizeof(float));
    assert_true(executor_run(network.executor, input, 3, together));
    Array expected;
    snprintf(path, sizeof path, "weights/expected/%s", features);
    assert_true(npy_read(network.run.jre, test_data(path, where), NOWHERE, &expected));
    assert_int_equal(expected.dim[1], width);
    for (int n = 0; n < 3; n++) {
        double difference = 0, length = 0;
        for (int i = 0; i < width; i++) {
            double d = (double)together[n * width + i] - expected.values[n * width + i];
            difference += d * d;
            length += (double)expected.values[n * width + i] * expected.values[n * width + i];
        }
        assert_true(sqrt(difference / length) < 1e-5);
        assert_true(executor_run(network.executor, input + n * 3 * 224 * 224, 1, alone));
        assert_memory_equal(alone, together + n * width, (size_t)width * sizeof(float));   /* company changes no bit */
    }
    jre_release(expected.values);
    free(alone);
    close_network(&network);
    open_network(&network, call, 224, 3);
    float *by_three = malloc((size_t)width * 3 * sizeof(float));
    assert_true(executor_run(network.executor, input, 3, by_three));
    assert_memory_equal(by_three, together, (size_t)width * 3 * sizeof(float));            /* nor does the number of threads */
    close_network(&network);
    free(by_three);
    free(together);
    free(input);
}

static void squeezenet_agrees_with_torch(void **state) {
    (void)state;
    agrees("squeezenet1_1(weights = \"squeezenet1_1.safetensors\", stats = imagenet)", "squeezenet1_1_features.npy");
}

static void mobilenet_agrees_with_torch(void **state) {
    (void)state;
    agrees("mobilenetv2_100(weights = \"mobilenetv2_100.safetensors\", stats = imagenet)", "mobilenetv2_100_features.npy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squeezenet_on_ten_cutouts_gives_the_exact_map),
        cmocka_unit_test(squeezenet_agrees_with_torch),
        cmocka_unit_test(mobilenet_agrees_with_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
