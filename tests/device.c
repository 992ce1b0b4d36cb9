/* device.c: small networks on the processor and on a device of another kind: the same numbers, for any batch and any number
 * of threads, and failures that name the user's line. */
#include <math.h>

#include "test.h"

#include "../runtime/runtime.h"
#include "fake_device.h"

enum { BATCH = 5, ROOM = 1 << 16 };

typedef struct {
    Jre *jre;
    Compilation compilation;
    Graph *graph;
    WeightLibrary *weights;
    WeightScope scope;
    Origin user, library;
} Bench;

/* ---- weights every test may use ----------------------------------------------------------------------------------------- */

typedef struct { const char *name; int rank; int64_t dim[4]; } Given;
static const Given given[] = {
    {"scale", 3, {3, 1, 1}},       {"conv.weight", 4, {8, 3, 3, 3}}, {"conv.bias", 1, {8}},      {"point.weight", 4, {8, 3, 1, 1}},
    {"norm.weight", 1, {8}},       {"norm.bias", 1, {8}},            {"norm.mean", 1, {8}},      {"norm.variance", 1, {8}},
    {"dense.weight", 2, {60, 10}}, {"dense.bias", 1, {10}},          {"broken", 3, {3, 1, 1}},   {"deep.weight", 4, {8, 1, 3, 3}},
};
enum { GIVEN = sizeof given / sizeof *given };
static char folder[64], weight_path[128];

/* Numbers between -1 and 1 that depend on the place and a name only. */
static float number(const char *name, int64_t i) {
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 16777619u;
    h = (h ^ (uint32_t)i) * 2654435761u;
    h = (h ^ (h >> 15)) * 2246822519u;
    return (float)((double)(h >> 8) / 8388608.0 - 1.0);
}

static float weight(const char *name, int64_t i) {
    if (!strcmp(name, "norm.variance")) return fabsf(number(name, i)) + 0.5f;
    return !strcmp(name, "broken") && i == 1 ? NAN : number(name, i);
}

static int write_weights(void **state) {
    (void)state;
    Jre *jre = jre_new();
    const char *names[GIVEN];
    Array arrays[GIVEN];
    for (int i = 0; i < GIVEN; i++) {
        int64_t count = 1;
        names[i] = given[i].name;
        arrays[i] = (Array){.rank = given[i].rank};
        for (int d = 0; d < given[i].rank; d++) count *= arrays[i].dim[d] = given[i].dim[d];
        arrays[i].values = jre_allocate(jre, (size_t)count * sizeof(float));
        for (int64_t k = 0; k < count; k++) arrays[i].values[k] = weight(names[i], k);
    }
    snprintf(weight_path, sizeof weight_path, "%s/given.safetensors", test_folder(folder));
    bool written = safetensors_write(jre, weight_path, NOWHERE, GIVEN, names, arrays);
    for (int i = 0; i < GIVEN; i++) jre_release(arrays[i].values);
    jre_free(jre);
    return written ? 0 : 1;
}

static int remove_weights(void **state) {
    (void)state;
    test_folder_gone(folder);
    return 0;
}

static int open_bench(void **state) {
    static const char text[] = "image |> network\nlayer(x)\nweights = \"given.safetensors\"\n";
    Bench *bench = calloc(1, sizeof *bench);
    if (!bench) return 1;
    bench->jre = jre_new();
    bench->compilation = (Compilation){.jre = bench->jre, .arena = {.jre = bench->jre}};
    bench->graph = graph_new(&bench->compilation);
    bench->weights = weight_library_new(bench->jre);
    uint32_t base = source_from_text(bench->jre, "tried.jre", text, sizeof text - 1)->base;
    bench->user = (Origin){{base, base + 16}, NULL, false};
    bench->library = (Origin){{base + 17, base + 25}, &bench->user, true};
    bench->scope = (WeightScope){.path = weight_path, .hash = "given", .span = {base + 26, base + 55}};
    *state = bench;
    return 0;
}

static int close_bench(void **state) {
    Bench *bench = *state;
    compilation_free(&bench->compilation);
    weight_library_free(bench->weights);
    jre_free(bench->jre);
    free(bench);
    return 0;
}

/* ---- building ------------------------------------------------------------------------------------------------------------ */

static Node *input_of(Bench *b, Shape shape) {
    return b->graph->input = graph_source(b->graph, OP_input, shape, 0, "x", NULL, &b->user);
}

static Node *constant(Bench *b, double value) {
    return graph_source(b->graph, OP_constant, (Shape){0}, value, NULL, NULL, &b->user);
}

static Node *weight_node(Bench *b, const char *name) {
    Shape shape = {0};
    for (int i = 0; i < GIVEN; i++)
        if (!strcmp(given[i].name, name)) {
            shape.rank = given[i].rank;
            memcpy(shape.dim, given[i].dim, sizeof given[i].dim);
        }
    return graph_source(b->graph, OP_weight, shape, 0, name, &b->scope, &b->library);
}

static Node *add_node(Bench *b, Op op, const double *attributes, int inputs, Node *const *in) {
    const char *why = "";
    Node *node = graph_add(b->graph, op, in, inputs, attributes, &b->library, &why);
    if (!node) fail_msg("%s: %s", op_row(op)->name, why);
    return node;
}
#define IN(...) (int)(sizeof(Node *[]){__VA_ARGS__} / sizeof(Node *)), (Node *[]){__VA_ARGS__}
#define WITH(...) (double[GRAPH_ATTRIBUTES]){__VA_ARGS__}

static const Program *compiled(Bench *b, Node *output) {
    b->graph->output = output;
    const Program *program = compile_graph(&b->compilation, b->graph, BATCH);
    if (!program) test_message_says(b->jre, "compiles", NULL);
    return program;
}

/* ---- running -------------------------------------------------------------------------------------------------------------- */

static float picture[ROOM], result[ROOM], other[ROOM];

static void draw_pictures(const Program *program) {
    int64_t count = shape_elements(program->input, BATCH);
    assert_in_range(count, 1, ROOM);
    assert_in_range(shape_elements(program->output, BATCH), 1, ROOM);
    for (int64_t i = 0; i < count; i++) picture[i] = number("picture", i);
}

static void run_on(Bench *b, const Program *program, Device *device, int n, float *output) {
    Executor *executor = executor_new(b->jre, program, device, b->weights);
    if (!executor) test_message_says(b->jre, "runs", NULL);
    assert_true(executor_bytes(executor) >= program->slab_bytes);
    Executor *sketch = executor_sketch(b->jre, program, device);
    assert_non_null(sketch);
    assert_int_equal(executor_bytes(sketch), executor_bytes(executor));     /* what is planned is what is taken */
    executor_free(sketch);
    if (n < BATCH) assert_true(executor_run(executor, picture, BATCH, output));   /* leaves other numbers behind */
    if (!executor_run(executor, picture, n, output)) test_message_says(b->jre, "runs", NULL);
    executor_free(executor);
}

static void run_on_processor(Bench *b, const Program *program, int threads, int n, float *output) {
    Pool *pool = pool_new(b->jre, threads);
    Device *device = device_open_cpu(b->jre, pool, kernel_level(NULL));
    run_on(b, program, device, n, output);
    device->close(device);
    pool_free(pool);
}

static void run_on_fake(Bench *b, const Program *program, int level, int n, float *output) {
    Device *device = fake_device_open(b->jre, level, (size_t)1 << 24);
    assert_non_null(device);
    run_on(b, program, device, n, output);
    assert_int_equal(fake_device_faults(device), 0);
    assert_int_equal(fake_device_buffers(device), 0);
    device->close(device);
}

static void assert_close(const float *found, const float *wanted, int64_t count, double tolerance) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - (double)wanted[i]) <= tolerance * (1 + fabs((double)wanted[i]))))
            fail_msg("number %lld is %.8g, should be %.8g", (long long)i, (double)found[i], (double)wanted[i]);
}

/* Leaves the result of the whole batch in `result`. */
static const Program *same_everywhere(Bench *b, Node *output, bool independent) {
    const Program *program = compiled(b, output);
    draw_pictures(program);
    int64_t all = shape_elements(program->output, BATCH);
    run_on_processor(b, program, 1, BATCH, result);
    run_on_processor(b, program, 3, BATCH, other);
    assert_memory_equal(other, result, (size_t)all * sizeof(float));
    run_on_fake(b, program, kernel_level(NULL), BATCH, other);
    assert_memory_equal(other, result, (size_t)all * sizeof(float));
    run_on_fake(b, program, 0, BATCH, other);
    assert_close(other, result, all, 1e-5);
    for (int n = 1; independent && n < BATCH; n += 2) {
        int64_t some = shape_elements(program->output, n);
        run_on_processor(b, program, 2, n, other);
        assert_memory_equal(other, result, (size_t)some * sizeof(float));
        run_on_fake(b, program, kernel_level(NULL), n, other);
        assert_memory_equal(other, result, (size_t)some * sizeof(float));
    }
    if (diag_count(b->jre, SEVERITY_NOTE)) test_message_says(b->jre, "nothing", NULL);
    return program;
}

/* ---- the same numbers everywhere ---------------------------------------------------------------------------------------------- */

static void elementwise_operands_stretch_to_the_result(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 5, 7}});
    Node *y = add_node(b, OP_mul, NULL, IN(x, weight_node(b, "scale")));
    y = add_node(b, OP_sigmoid, NULL, IN(add_node(b, OP_sub, NULL, IN(constant(b, 0.5), y))));
    Node *below = add_node(b, OP_lt, NULL, IN(x, constant(b, 0)));
    Node *z = add_node(b, OP_select, NULL, IN(below, add_node(b, OP_neg, NULL, IN(x)), y));
    same_everywhere(b, add_node(b, OP_clamp, WITH(-INFINITY, 0.75), IN(z)), true);
    for (int i = 0; i < BATCH * 3 * 5 * 7; i++) {
        double v = (double)picture[i], s = (double)weight("scale", i / 35 % 3);
        other[i] = (float)fmin(v < 0 ? -v : 1 / (1 + exp(v * s - 0.5)), 0.75);
    }
    assert_close(result, other, BATCH * 3 * 5 * 7, 1e-6);
}

/* Scheduled before any pass, and after all of them: the arithmetic is the same, and so are the bits. */
static const Program *same_apart(Bench *b, Node *output) {
    static float apart[ROOM];
    b->graph->output = output;
    graph_sweep(b->graph);
    const Program *program = schedule_graph(b->graph, BATCH);
    draw_pictures(program);
    run_on_processor(b, program, 2, BATCH, apart);
    program = same_everywhere(b, output, true);
    assert_memory_equal(apart, result, (size_t)shape_elements(program->output, BATCH) * sizeof(float));
    return program;
}

static void a_chain_gives_the_bits_of_its_operations(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 17, 13}});
    Node *gate = add_node(b, OP_sigmoid, NULL, IN(add_node(b, OP_mean, WITH(12), IN(x))));
    Node *y = add_node(b, OP_add, NULL, IN(add_node(b, OP_mul, NULL, IN(x, gate)), weight_node(b, "scale")));
    y = add_node(b, OP_mul, NULL, IN(y, add_node(b, OP_sigmoid, NULL, IN(y))));
    y = add_node(b, OP_select, NULL, IN(add_node(b, OP_lt, NULL, IN(y, constant(b, 0.25))), add_node(b, OP_exp, NULL, IN(y)), y));
    const Program *program = same_apart(b, add_node(b, OP_div, NULL, IN(constant(b, 1), y)));
    assert_int_equal(program->step_count, 3);              /* mean, sigmoid, and all the rest */
}

static void a_chain_behind_a_convolution_gives_the_bits_of_its_operations(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 17, 13}});
    Node *y = add_node(b, OP_conv, WITH(1, 1, 1, 1, -INFINITY, INFINITY), IN(x, weight_node(b, "conv.weight"), weight_node(b, "conv.bias")));
    y = add_node(b, OP_mul, NULL, IN(y, add_node(b, OP_sigmoid, NULL, IN(y))));
    Node *deep = add_node(b, OP_conv, WITH(1, 1, 1, 8, 0, 6), IN(y, weight_node(b, "deep.weight")));
    deep = add_node(b, OP_mul, NULL, IN(add_node(b, OP_tanh, NULL, IN(deep)), add_node(b, OP_mean, WITH(12), IN(y))));
    Node *half = add_node(b, OP_mul, NULL, IN(deep, constant(b, 0.5)));
    const Program *program = same_apart(b, add_node(b, OP_sub, NULL, IN(half, y)));
    assert_int_equal(program->step_count, 3);              /* two convolutions and the mean between them */
}

static void a_chain_behind_a_product_gives_the_bits_of_its_operations(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}});
    Node *y = add_node(b, OP_matmul, NULL, IN(graph_reshape(b->graph, x, (Shape){2, {DIM_BATCH, 60}}, &b->library), weight_node(b, "dense.weight")));
    y = add_node(b, OP_add, NULL, IN(y, weight_node(b, "dense.bias")));
    Node *bell = add_node(b, OP_erf, NULL, IN(add_node(b, OP_mul, NULL, IN(y, constant(b, 0.70710678118654752)))));
    const Program *program = same_apart(b, add_node(b, OP_mul, NULL, IN(y, add_node(b, OP_add, NULL, IN(bell, constant(b, 1))))));
    assert_int_equal(program->step_count, 2);              /* the reshape and the product */
}

static double conv_by_hand(int n, int k, int h, int w) {
    double sum = (double)weight("conv.bias", k);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                int y = h + i - 1, x = w + j - 1;
                if (y < 0 || y >= 9 || x < 0 || x >= 11) continue;
                sum += (double)picture[((n * 3 + c) * 9 + y) * 11 + x] * (double)weight("conv.weight", ((k * 3 + c) * 3 + i) * 3 + j);
            }
    double deviation = sqrt((double)weight("norm.variance", k) + 1e-5);
    sum = (sum - (double)weight("norm.mean", k)) / deviation * (double)weight("norm.weight", k) + (double)weight("norm.bias", k);
    for (int c = 0; c < 3; c++)
        sum += (double)picture[((n * 3 + c) * 9 + h) * 11 + w] * (double)weight("point.weight", k * 3 + c);
    return fmax(sum, 0);
}

static void convolutions_take_in_norm_bias_residual_and_clamp(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 9, 11}});
    Node *y = add_node(b, OP_conv, WITH(1, 1, 1, 1, -INFINITY, INFINITY), IN(x, weight_node(b, "conv.weight"), weight_node(b, "conv.bias")));
    y = add_node(b, OP_batchnorm, WITH(1e-5), IN(y, weight_node(b, "norm.weight"), weight_node(b, "norm.bias"),
                 weight_node(b, "norm.mean"), weight_node(b, "norm.variance")));
    Node *shortcut = add_node(b, OP_conv, NULL, IN(x, weight_node(b, "point.weight")));
    y = add_node(b, OP_clamp, WITH(0, INFINITY), IN(add_node(b, OP_add, NULL, IN(shortcut, y))));
    const Program *program = same_everywhere(b, y, true);
    assert_int_equal(program->step_count, 2);             /* the rest is inside the two convolutions */
    for (int i = 0; i < BATCH * 8 * 99; i++) other[i] = (float)conv_by_hand(i / 792, i / 99 % 8, i / 11 % 9, i % 11);
    assert_close(result, other, BATCH * 8 * 99, 2e-5);
}

static void strided_and_depthwise_convolutions_agree(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 17, 13}});
    Node *y = add_node(b, OP_conv, WITH(2, 1, 1, 1, -INFINITY, INFINITY), IN(x, weight_node(b, "conv.weight")));
    same_everywhere(b, add_node(b, OP_conv, WITH(1, 2, 2, 8, 0, 6), IN(y, weight_node(b, "deep.weight"), weight_node(b, "conv.bias"))), true);
}

static void pools_reductions_and_concat_agree(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 9, 11}});
    Node *y = add_node(b, OP_concat, WITH(1), IN(add_node(b, OP_max_pool, WITH(3, 2, 1), IN(x)), add_node(b, OP_mean_pool, WITH(3, 2, 1), IN(x))));
    y = add_node(b, OP_sub, NULL, IN(y, add_node(b, OP_min_over, WITH(8), IN(y))));        /* over columns */
    y = add_node(b, OP_blur, WITH(0.8), IN(y));
    Node *top = add_node(b, OP_max_over, WITH(12), IN(y)), *middle = add_node(b, OP_mean, WITH(12), IN(y));
    y = graph_reshape(b->graph, add_node(b, OP_concat, WITH(1), IN(top, middle)), (Shape){2, {DIM_BATCH, 12}}, &b->library);
    Node *length = add_node(b, OP_sqrt, NULL, IN(add_node(b, OP_sum, WITH(2), IN(add_node(b, OP_mul, NULL, IN(y, y))))));
    same_everywhere(b, add_node(b, OP_div, NULL, IN(y, length)), true);
    for (int n = 0; n < BATCH; n++) {
        double squares = 0;
        for (int i = 0; i < 12; i++) squares += (double)result[n * 12 + i] * (double)result[n * 12 + i];
        assert_float_equal((float)squares, 1, 1e-5);
    }
}

static void products_with_loaded_weights_agree(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}});
    Node *row = graph_reshape(b->graph, x, (Shape){2, {DIM_BATCH, 60}}, &b->library);
    Node *y = add_node(b, OP_matmul, NULL, IN(row, weight_node(b, "dense.weight")));
    same_everywhere(b, add_node(b, OP_tanh, NULL, IN(add_node(b, OP_add, NULL, IN(y, weight_node(b, "dense.bias"))))), true);
    for (int i = 0; i < BATCH * 10; i++) {
        double sum = (double)weight("dense.bias", i % 10);
        for (int k = 0; k < 60; k++) sum += (double)picture[i / 10 * 60 + k] * (double)weight("dense.weight", k * 10 + i % 10);
        other[i] = (float)tanh(sum);
    }
    assert_close(result, other, BATCH * 10, 1e-5);
}

static void products_of_two_computed_tensors_agree(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){2, {DIM_BATCH, 60}});
    Node *total = graph_transpose(b->graph, add_node(b, OP_sum, WITH(1), IN(x)), (int[]){1, 0}, &b->library);
    same_everywhere(b, add_node(b, OP_matmul, NULL, IN(x, total)), false);
    for (int n = 0; n < BATCH; n++) {
        double sum = 0;
        for (int m = 0; m < BATCH; m++)
            for (int k = 0; k < 60; k++) sum += (double)picture[n * 60 + k] * (double)picture[m * 60 + k];
        other[n] = (float)sum;
    }
    assert_close(result, other, BATCH, 1e-5);
}

/* Wherever numbers lie, a reshape keeps their order and a transpose their names. */
static void reshapes_and_transposes_keep_the_order_of_the_language(void **state) {
    Bench *b = *state;
    Graph *g = b->graph;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}});
    Node *y = add_node(b, OP_neg, NULL, IN(x));
    y = graph_reshape(g, y, (Shape){4, {DIM_BATCH, 10, 2, 3}}, &b->library);                 /* channels last to channels last */
    y = graph_transpose(g, add_node(b, OP_neg, NULL, IN(y)), (int[]){0, 2, 3, 1}, &b->library);      /* [N, 2, 3, 10] */
    y = graph_reshape(g, add_node(b, OP_neg, NULL, IN(y)), (Shape){3, {DIM_BATCH, 6, 10}}, &b->library);
    y = graph_transpose(g, add_node(b, OP_neg, NULL, IN(y)), (int[]){0, 2, 1}, &b->library);         /* [N, 10, 6] */
    Node *tail = graph_reshape(g, x, (Shape){3, {DIM_BATCH, 10, 6}}, &b->library);
    same_everywhere(b, add_node(b, OP_concat, WITH(2), IN(y, tail, y)), true);
    for (int i = 0; i < BATCH * 10 * 18; i++) other[i] = picture[i / 18 * 6 + i % 6];
    assert_memory_equal(result, other, BATCH * 10 * 18 * sizeof(float));
}

static void a_batch_turned_inward_comes_back(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){3, {DIM_BATCH, 4, 6}});
    Node *y = graph_transpose(b->graph, x, (int[]){2, 0, 1}, &b->library);                   /* [6, N, 4] */
    y = graph_transpose(b->graph, add_node(b, OP_neg, NULL, IN(y)), (int[]){1, 2, 0}, &b->library);
    same_everywhere(b, y, true);
    for (int i = 0; i < BATCH * 24; i++) assert_true(result[i] == -picture[i]);
}

static void work_for_many_threads_gives_the_same_bits(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 40, 40}});
    Node *y = add_node(b, OP_conv, WITH(1, 1, 1, 1, 0, INFINITY), IN(x, weight_node(b, "conv.weight"), weight_node(b, "conv.bias")));
    same_everywhere(b, add_node(b, OP_max_pool, WITH(2, 2, 0), IN(y)), true);
}

static void nothing_to_do_is_done_at_once(void **state) {
    Bench *b = *state;
    const Program *program = compiled(b, input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}}));
    draw_pictures(program);
    run_on_fake(b, program, 0, BATCH, result);
    assert_memory_equal(result, picture, BATCH * 60 * sizeof(float));
    run_on_processor(b, program, 1, 0, result);
}

/* ---- failures ------------------------------------------------------------------------------------------------------------------- */

static void numbers_that_are_not_finite_are_charged_to_their_line(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}});
    Node *y = add_node(b, OP_exp, NULL, IN(add_node(b, OP_log, NULL, IN(add_node(b, OP_abs, NULL, IN(x))))));
    y = add_node(b, OP_sqrt, NULL, IN(add_node(b, OP_sub, NULL, IN(y, constant(b, 0.5)))));
    y->stage = "root";
    const Program *program = compiled(b, add_node(b, OP_neg, NULL, IN(y)));
    draw_pictures(program);
    for (int i = 0; i < 3 * 60; i++) picture[i] = 1;
    picture[2 * 60 + 5] = 0.25f;
    Device *device = fake_device_open(b->jre, kernel_level(NULL), (size_t)1 << 24);
    Executor *executor = executor_new(b->jre, program, device, b->weights);
    assert_non_null(executor);
    assert_false(executor_run(executor, picture, 3, result));
    test_message_says(b->jre, "`sqrt` gives NaN", "tried.jre:1", "image |> network", "layer(x)", "stage `root`", "picture 3 of a batch of 3", NULL);
    picture[2 * 60 + 5] = NAN;
    assert_false(executor_run(executor, picture, 3, result));
    test_message_says(b->jre, "came into the network already hold NaN", "picture 3 of a batch of 3", NULL);
    executor_names(executor, (const char *const[]){"a.png", "b.png", "c.png"});
    assert_false(executor_run(executor, picture, 3, result));
    test_message_says(b->jre, "first in the picture `c.png`", NULL);
    executor_names(executor, NULL);
    picture[2 * 60 + 5] = 0.75f;
    assert_true(executor_run(executor, picture, 3, result));
    executor_free(executor);
    device->close(device);
}

/* Operations that run behind another's kernel are looked at one by one. */
static void a_link_of_a_chain_is_charged_to_its_own_line(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}});
    Node *y = add_node(b, OP_conv, NULL, IN(x, weight_node(b, "point.weight")));
    y = add_node(b, OP_exp, NULL, IN(y));
    Node *root = add_node(b, OP_log, NULL, IN(add_node(b, OP_sub, NULL, IN(y, constant(b, 1)))));
    const Origin line = {b->scope.span, NULL, false};              /* the third line, where the others are of the second */
    root->origin = &line;
    const Program *program = compiled(b, add_node(b, OP_neg, NULL, IN(add_node(b, OP_abs, NULL, IN(root)))));
    assert_int_equal(program->step_count, 1);
    draw_pictures(program);
    Device *device = fake_device_open(b->jre, kernel_level(NULL), (size_t)1 << 24);
    Executor *executor = executor_new(b->jre, program, device, b->weights);
    assert_non_null(executor);
    assert_false(executor_run(executor, picture, 3, result));
    test_message_says(b->jre, "`log` gives NaN", "tried.jre:3", "first in picture 1 of a batch of 3", NULL);
    executor_free(executor);
    device->close(device);
}

static void weights_that_are_not_finite_are_charged_to_their_file(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 4, 5}});
    const Program *program = compiled(b, add_node(b, OP_add, NULL, IN(x, weight_node(b, "broken"))));
    Device *device = device_open_cpu(b->jre, NULL, 0);
    assert_null(executor_new(b->jre, program, device, b->weights));
    test_message_says(b->jre, "not_a_number", "`broken` in", "holds NaN", "tried.jre:3", NULL);
    device->close(device);
}

/* The compiler has looked at names and shapes; this is for a file that was exchanged in between. */
static void assert_refused(Bench *b, const char *name, const char *says, const char *also) {
    b->graph = graph_new(&b->compilation);
    Node *x = input_of(b, (Shape){2, {DIM_BATCH, 3}});
    Node *w = graph_source(b->graph, OP_weight, (Shape){1, {3}}, 0, name, &b->scope, &b->library);
    const Program *program = compiled(b, add_node(b, OP_mul, NULL, IN(x, w)));
    Device *device = device_open_cpu(b->jre, NULL, 0);
    assert_null(executor_new(b->jre, program, device, b->weights));
    test_message_says(b->jre, "tried.jre:3", "given.safetensors", says, also, NULL);
    device->close(device);
}

static void files_that_changed_since_compiling_are_refused(void **state) {
    Bench *b = *state;
    assert_refused(b, "gone", "has no `gone`", NULL);
    assert_refused(b, "scale", "`scale` is [3, 1, 1] in", "wants [3]");
}

static void a_device_without_a_kernel_says_so(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){2, {DIM_BATCH, 3}});
    const Program *program = compiled(b, add_node(b, OP_exp, NULL, IN(x)));
    Device *device = device_open_cpu(b->jre, NULL, 0);
    device->kernels = "abacus";
    assert_null(executor_new(b->jre, program, device, b->weights));
    test_message_says(b->jre, "`exp` with these sizes does not run on cpu yet", "tried.jre:1", "layer(x)", NULL);
    device->close(device);
}

static void a_device_without_memory_says_how_much_was_wanted(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){4, {DIM_BATCH, 3, 40, 40}});
    const Program *program = compiled(b, add_node(b, OP_neg, NULL, IN(x)));
    Device *device = fake_device_open(b->jre, 0, 50000);
    assert_null(executor_new(b->jre, program, device, b->weights));
    test_message_says(b->jre, "no_memory", "do not fit into the memory of fake", "batches of 5 pictures", NULL);
    assert_int_equal(fake_device_buffers(device), 0);
    device->close(device);
}

static void more_pictures_than_planned_are_walked_in_tiles(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){2, {DIM_BATCH, 3}});
    const Program *program = compiled(b, add_node(b, OP_neg, NULL, IN(x)));
    Device *device = fake_device_open(b->jre, 0, (size_t)1 << 20);
    Executor *executor = executor_new(b->jre, program, device, NULL);
    enum { MANY = 3 * BATCH + 1 };
    float many[MANY * 3], negative[MANY * 3];
    for (int i = 0; i < MANY * 3; i++) many[i] = (float)i;
    assert_true(executor_run(executor, many, MANY, negative));
    for (int i = 0; i < MANY * 3; i++) assert_true(negative[i] == -(float)i);
    many[3 * (MANY - 1)] = NAN;
    assert_false(executor_run(executor, many, MANY, negative));
    test_message_says(b->jre, "not_a_number", NULL);
    executor_free(executor);
    device->close(device);
}

static void an_interrupt_stops_between_two_steps(void **state) {
    Bench *b = *state;
    Node *x = input_of(b, (Shape){2, {DIM_BATCH, 3}});
    const Program *program = compiled(b, add_node(b, OP_neg, NULL, IN(x)));
    draw_pictures(program);
    Device *device = fake_device_open(b->jre, 0, (size_t)1 << 20);
    Executor *executor = executor_new(b->jre, program, device, NULL);
    assert_non_null(executor);
    b->jre->interrupted = 1;
    assert_false(executor_run(executor, picture, BATCH, result));
    assert_int_equal(fake_device_launches(device), 0);
    assert_int_equal(diag_count(b->jre, SEVERITY_NOTE), 0);
    b->jre->interrupted = 0;
    assert_true(executor_run(executor, picture, BATCH, result));
    executor_free(executor);
    device->close(device);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(elementwise_operands_stretch_to_the_result),
        CASE(a_chain_gives_the_bits_of_its_operations),
        CASE(a_chain_behind_a_convolution_gives_the_bits_of_its_operations),
        CASE(a_chain_behind_a_product_gives_the_bits_of_its_operations),
        CASE(convolutions_take_in_norm_bias_residual_and_clamp),
        CASE(strided_and_depthwise_convolutions_agree),
        CASE(pools_reductions_and_concat_agree),
        CASE(products_with_loaded_weights_agree),
        CASE(products_of_two_computed_tensors_agree),
        CASE(reshapes_and_transposes_keep_the_order_of_the_language),
        CASE(a_batch_turned_inward_comes_back),
        CASE(work_for_many_threads_gives_the_same_bits),
        CASE(nothing_to_do_is_done_at_once),
        CASE(numbers_that_are_not_finite_are_charged_to_their_line),
        CASE(a_link_of_a_chain_is_charged_to_its_own_line),
        CASE(weights_that_are_not_finite_are_charged_to_their_file),
        CASE(files_that_changed_since_compiling_are_refused),
        CASE(a_device_without_a_kernel_says_so),
        CASE(a_device_without_memory_says_how_much_was_wanted),
        CASE(more_pictures_than_planned_are_walked_in_tiles),
        CASE(an_interrupt_stops_between_two_steps),
    };
    return cmocka_run_group_tests(tests, write_weights, remove_weights);
}
