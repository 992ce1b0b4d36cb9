/* architectures.c: library networks with weights that are functions of their names, against what timm and torchvision compute with the
 * same weights: pooled features of two inputs in 64 bits, from the shared oracle, or from tests/architectures (made by the oracle's
 * make_reference.py with timm 1.0.31, squeezenet with torchvision 0.29.2; the gain of the filters stands in each file). */
#include "../runtime/runtime.h"
#include "reference.h"
#include "room.h"

#include <math.h>

/* ---- the hash ------------------------------------------------------------------------------------------------------------------ */

static uint32_t turn(uint32_t x, int by) { return x >> by | x << (32 - by); }

/* The first 32 bits behind the point: SHA-256 takes its constants from roots of the first primes. */
static uint32_t behind_point(long double root) { return (uint32_t)(uint64_t)((root - floorl(root)) * 0x1p32L); }

static void sha_block(const uint32_t constant[64], uint32_t state[8], const uint8_t *block) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++) w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + constant[i] + w[i];
        uint32_t two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

/* Of a multiple of 64 bytes. */
static void sha256(const uint8_t *bytes, size_t length, char hex[65]) {
    uint32_t constant[64], state[8];
    for (int prime = 2, found = 0; found < 64; prime++) {
        bool divided = false;
        for (int d = 2; d * d <= prime; d++) divided |= prime % d == 0;
        if (divided) continue;
        if (found < 8) state[found] = behind_point(sqrtl(prime));
        constant[found++] = behind_point(cbrtl(prime));
    }
    for (size_t at = 0; at < length; at += 64) sha_block(constant, state, bytes + at);
    uint8_t last[64] = {0x80};
    for (int i = 0; i < 8; i++) last[63 - i] = (uint8_t)(8 * (uint64_t)length >> 8 * i);
    sha_block(constant, state, last);
    for (int i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", state[i]);
}

static void weights_are_made_alike_to_the_last_bit(void **state) {
    (void)state;
    char where[1024], hex[65];
    if (!test_data("oracle/arch/hash_probe.json", where)) skip();
    cJSON *probe = reference_json(where);
    const cJSON *item, *bases = cJSON_GetObjectItem(probe, "fnv1a64"), *units = cJSON_GetObjectItem(probe, "unit");
    cJSON_ArrayForEach(item, bases) {
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)made_up_base(item->string, 0));
        assert_string_equal(hex, item->valuestring);
    }
    cJSON_ArrayForEach(item, units)
        for (int i = 0; i < cJSON_GetArraySize(item); i++) assert_true((double)made_up_unit(made_up_base(item->string, 1), (uint64_t)i) == cJSON_GetArrayItem(item, i)->valuedouble);
    static float values[64 * 3 * 7 * 7];
    made_up_weight("conv1.weight", 2, (Shape){4, {64, 3, 7, 7}}, values);
    sha256((const uint8_t *)values, sizeof values, hex);
    assert_string_equal(hex, cJSON_GetObjectItem(probe, "conv1.weight(64,3,7,7)_G2_sha256_of_le_float32_bytes")->valuestring);
    cJSON_Delete(probe);
}

/* ---- networks --------------------------------------------------------------------------------------------------------------------- */

typedef struct { Session *session; Compilation c; Program *program; Executor *executor; } Network;

/* Pooled, for pictures of this size, with made-up weights. */
static void open_network(Room *room, Network *network, const char *name, int height, int width, double gain) {
    memset(network, 0, sizeof *network);
    RunOptions options = {.out = stdout, .threads = 2, .quiet = true, .into = room->folder};
    network->session = session_open(room->jre, &options);
    Facts facts = made_up_facts(network->session);
    const char *text = arena_print(&room->jre->forever,
                                   "```jre\nuse resnet\nuse squeezenet\nuse mobilenetv2\naugment seen(x: Image) -> Image { x |> stretch(64px) }\n"
                                   "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> %s(weights = \"made up\") |> average_pool }\n"
                                   "embed features {\n  network Eye\n  view seen\n}\n```\n", name);
    assert_true(file_write(room->jre, room->path, NOWHERE, text, strlen(text)));
    CompileRequest request = {.path = room->path};
    if (!compile(&network->c, room->jre, &request, &facts, false)) fail_msg("%s", test_messages(room->jre));
    const EmbedPlan *embed = network->c.plan->embeds.at[0];
    View view = *embed->view;
    view.height = height, view.width = width;
    network->program = lower_inside(&network->c, NULL, embed->network, &view, NULL, NOWHERE).program;
    assert_non_null(network->program);
    weight_library_make_up(network->session->weights, gain);
    network->executor = executor_new(room->jre, network->program, network->session->device, network->session->weights);
    if (!network->executor) fail_msg("%s", test_messages(room->jre));
}

static void close_network(Network *network) {
    executor_free(network->executor);
    session_close(network->session);
    compilation_free(&network->c);
}

/* Every weight that the network asks for is called and shaped as in timm; what timm has besides belongs to the classifier, or counts batches. */
static void assert_names(Room *room, const Program *program, const char *network) {
    char where[1024], line[512];
    const char *path = test_data(arena_print(&room->jre->forever, "oracle/keys/%s.tsv", network), where);
    if (!path) return;
    Map keys = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        char name[256], type[32], shape[64];
        if (sscanf(line, "%255s %31s %63s", name, type, shape) != 3 || strcmp(type, "float32") != 0) continue;
        if (!strncmp(name, "fc.", 3) || !strncmp(name, "classifier.", 11)) continue;
        map_set(&keys, &room->jre->forever, intern(room->jre, name), (void *)(uintptr_t)intern(room->jre, shape));
    }
    fclose(file);
    int asked = 0;
    for (int i = 0; i < program->graph->nodes.count; i++) {
        const Node *node = program->graph->nodes.at[i];
        char shape[64] = "";
        if (node->op != OP_weight) continue;
        for (int d = 0; d < node->shape.rank; d++) snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%lld", d ? "x" : "", (long long)node->shape.dim[d]);
        const char *wanted = map_get(&keys, node->name);
        if (!wanted) fail_msg("%s has no `%s`", network, node->name);
        assert_string_equal(shape, wanted);
        asked++;
    }
    assert_int_equal(asked, keys.count);
}

static double number_of(const cJSON *json, const char *name) { return cJSON_GetObjectItem(json, name)->valuedouble; }

static void agrees(void **state, const char *folder, const char *name, int height, int width) {
    Room *room = *state;
    char where[1024];
    const char *path = arena_print(&room->jre->forever, "%s/%s_%dx%d_seed1.json", folder, name, height, width);
    if (!strncmp(path, "oracle", 6) && !(path = test_data(path, where))) skip();
    cJSON *expected = reference_json(path);
    Network network;
    open_network(room, &network, name, height, width, number_of(expected, "conv_gain"));
    assert_names(room, network.program, name);
    size_t count = 2 * 3 * (size_t)height * (size_t)width;
    int features = (int)number_of(expected, "feature_dim");
    assert_int_equal(network.program->output.dim[1], features);
    float *input = malloc(count * sizeof *input), *found = malloc(2 * (size_t)features * sizeof *found);
    made_up_input(input, count);
    if (!executor_run(network.executor, input, 2, found)) fail_msg("%s", test_messages(room->jre));
    double tolerance = fmax(20 * number_of(expected, "max_abs_diff_f32_vs_f64"), 1e-4 * number_of(expected, "absmax_f64"));
    for (int n = 0; n < 2; n++) {
        double squares = 0, sum = 0;
        for (int i = 0; i < features; i++) squares += (double)found[n * features + i] * (double)found[n * features + i], sum += (double)found[n * features + i];
        double length = cJSON_GetArrayItem(cJSON_GetObjectItem(expected, "l2_f64"), n)->valuedouble, mean = cJSON_GetArrayItem(cJSON_GetObjectItem(expected, "mean_f64"), n)->valuedouble;
        assert_true(fabs(sqrt(squares) - length) < 1e-4 * length);
        assert_true(fabs(sum / features - mean) < tolerance);
        for (int i = 0; i < 64; i++) {
            double wanted = cJSON_GetArrayItem(cJSON_GetArrayItem(cJSON_GetObjectItem(expected, "first64_f64"), n), i)->valuedouble, got = (double)found[n * features + i];
            if (!(fabs(got - wanted) < tolerance)) fail_msg("%s: feature %d of input %d is %g, not %g within %g", name, i, n, got, wanted, tolerance);
        }
    }
    close_network(&network);
    cJSON_Delete(expected);
    free(input);
    free(found);
}

static void resnet18_agrees_with_timm(void **state) { agrees(state, "oracle/arch", "resnet18", 64, 64); }
static void resnet34_agrees_with_timm(void **state) { agrees(state, "tests/architectures", "resnet34", 64, 64); }
static void resnet50_agrees_with_timm(void **state) { agrees(state, "oracle/arch", "resnet50", 64, 96); }
static void resnet101_agrees_with_timm(void **state) { agrees(state, "tests/architectures", "resnet101", 64, 64); }
static void resnet152_agrees_with_timm(void **state) { agrees(state, "tests/architectures", "resnet152", 64, 64); }
static void mobilenetv2_agrees_with_timm(void **state) { agrees(state, "oracle/arch", "mobilenetv2_100", 96, 96); }
static void squeezenet_agrees_with_torchvision(void **state) { agrees(state, "tests/architectures", "squeezenet1_1", 64, 64); }
static void resnet18_agrees_at_full_size(void **state) { agrees(state, "oracle/arch", "resnet18", 224, 224); }
static void resnet50_agrees_at_full_size(void **state) { agrees(state, "oracle/arch", "resnet50", 224, 224); }

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(weights_are_made_alike_to_the_last_bit),
        CASE(resnet18_agrees_with_timm),
        CASE(resnet34_agrees_with_timm),
        CASE(resnet50_agrees_with_timm),
        CASE(resnet101_agrees_with_timm),
        CASE(resnet152_agrees_with_timm),
        CASE(mobilenetv2_agrees_with_timm),
        CASE(squeezenet_agrees_with_torchvision),
        CASE(resnet18_agrees_at_full_size),
        CASE(resnet50_agrees_at_full_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
