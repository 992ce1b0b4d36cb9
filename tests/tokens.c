/* tokens.c: a block of a vision transformer, written in the language: what is recognized in it, and its numbers in 32 and 64 bits, held
 * against PyTorch's for the same weights (functions of their names), computed there once in 64 bits. */
#include "../runtime/runtime.h"
#include "room.h"

#include <math.h>

enum { HEIGHT = 12, WIDTH = 8, FEATURES = 16, PICTURES = 2 };

static const char block[] =
    "```jre\n"
    "augment seen(x: Image) -> Image { x |> stretch(8px) }\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, 16] {\n"
    "  t = x |> conv(16, size = 2, stride = 2, pad = 0, bias = true) as patch |> tokens\n"
    "  y = t |> layer_norm as norm1\n"
    "  q = y |> token_linear(16) as q |> split_heads(4)\n"
    "  k = y |> token_linear(16) as k |> split_heads(4)\n"
    "  v = y |> token_linear(16) as v |> split_heads(4)\n"
    "  u = t + (attention(q, k, v) |> join_heads |> token_linear(16) as proj)\n"
    "  z = u + (u |> layer_norm as norm2 |> token_linear(64) as fc1 |> gelu |> token_linear(16) as fc2)\n"
    "  m = z |> layer_norm as norm\n"
    "  e[n, c] = mean over i of m[n, i, c]\n"
    "  e\n"
    "}\n"
    "embed features {\n  network Eye(weights = \"made up\")\n  view seen\n}\n```\n";

static const double from_torch[PICTURES * FEATURES] = {
    -0.088091846, 0.607265923, -0.177041952, -0.138077451, 0.049426345, 0.210259998, -0.163661787, -0.418802811,
    -0.017235808, 0.368572941, 0.223698821, -0.403351247, 0.064486062, 0.040517160, -0.064824243, -0.034353832,
    -0.226938742, 0.209525597, -0.299543304, -0.093648330, -0.095407821, 0.190577879, -0.114861289, -0.250242564,
    0.272908259, 0.416622993, 0.405251237, -0.213444957, -0.080225040, 0.092407653, -0.086182223, -0.083320347,
};

typedef struct { Session *session; Compilation c; Program *program; } Network;

static void open_network(Room *room, Network *network) {
    memset(network, 0, sizeof *network);
    RunOptions options = {.out = stdout, .threads = 2, .quiet = true, .into = room->folder};
    network->session = session_open(room->jre, &options);
    Facts facts = made_up_facts(network->session);
    assert_true(file_write(room->jre, room->path, NOWHERE, block, strlen(block)));
    CompileRequest request = {.path = room->path};
    if (!compile(&network->c, room->jre, &request, &facts, false)) fail_msg("%s", test_messages(room->jre));
    const EmbedPlan *embed = network->c.plan->embeds.at[0];
    View view = *embed->view;
    view.height = HEIGHT, view.width = WIDTH;
    network->program = lower_inside(&network->c, NULL, embed->network, &view, NULL, NOWHERE).program;
    assert_non_null(network->program);
    weight_library_make_up(network->session->weights, 2);
}

static void close_network(Network *network) {
    session_close(network->session);
    compilation_free(&network->c);
}

static int steps_of(const Program *program, Op op) {
    int count = 0;
    for (int i = 0; i < program->step_count; i++) count += program->steps[i].node->op == op;
    return count;
}

static void formulas_of_the_library_are_recognized(void **state) {
    Network network;
    open_network(*state, &network);
    assert_int_equal(steps_of(network.program, OP_attention), 1);
    assert_int_equal(steps_of(network.program, OP_layer_norm), 3);
    assert_int_equal(steps_of(network.program, OP_matmul), 6);
    assert_int_equal(steps_of(network.program, OP_erf) + steps_of(network.program, OP_chain), 0);       /* products carry gelu and the additions */
    assert_int_equal(steps_of(network.program, OP_softmax) + steps_of(network.program, OP_exp) + steps_of(network.program, OP_sqrt), 0);
    close_network(&network);
}

static void the_block_agrees_with_torch_in_32_bits(void **state) {
    Room *room = *state;
    Network network;
    float input[PICTURES * 3 * HEIGHT * WIDTH], found[PICTURES * FEATURES];
    open_network(room, &network);
    Executor *executor = executor_new(room->jre, network.program, network.session->device, network.session->weights);
    if (!executor) fail_msg("%s", test_messages(room->jre));
    made_up_input(input, sizeof input / sizeof *input);
    if (!executor_run(executor, input, PICTURES, found)) fail_msg("%s", test_messages(room->jre));
    for (int i = 0; i < PICTURES * FEATURES; i++) assert_float_equal(found[i], (float)from_torch[i], 2e-6f);
    executor_free(executor);
    close_network(&network);
}

static void the_block_agrees_with_torch_in_64_bits(void **state) {
    Room *room = *state;
    Network network;
    Map given = {0};
    double *found;
    float input[PICTURES * 3 * HEIGHT * WIDTH];
    open_network(room, &network);
    const Graph *g = network.program->graph;
    made_up_input(input, sizeof input / sizeof *input);
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        if (node->op != OP_weight && node != g->input) continue;
        int64_t count = shape_elements(node->shape, PICTURES);
        float *values = node->op == OP_weight ? arena_array(g->arena, float, count) : input;
        double *numbers = arena_array(g->arena, double, count);
        if (node->op == OP_weight) made_up_weight(node->name, 2, node->shape, values);
        for (int64_t k = 0; k < count; k++) numbers[k] = (double)values[k];
        map_set(&given, g->arena, node->op == OP_weight ? node->name : "input", numbers);
    }
    if (!compute_graph(room->jre, g, PICTURES, &given, NULL, &found)) fail_msg("%s", test_messages(room->jre));
    for (int i = 0; i < PICTURES * FEATURES; i++)
        if (!(fabs(found[i] - from_torch[i]) < 2e-9)) fail_msg("feature %d is %.9f, not %.9f", i, found[i], from_torch[i]);
    close_network(&network);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(formulas_of_the_library_are_recognized),
        CASE(the_block_agrees_with_torch_in_32_bits),
        CASE(the_block_agrees_with_torch_in_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
