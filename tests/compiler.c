/* compiler.c: sizes, operators, tensor graphs, their rewrites, checks and memory; whole programs are in program.c. */
#include "trial.h"

#include <math.h>

#include "../kernels/kernels.h"

/* ---- sizes --------------------------------------------------------------------------------------------------------------- */

static const Statement *formula(Trial *trial, const char *head) {
    const char *text = arena_print(&trial->jre->forever, "function f%s { builtin }", head);
    Chunk *chunk = parse_chunk(trial->jre, source_from_text(trial->jre, "head", text, strlen(text)));
    assert_int_equal(chunk->statements.count, 1);
    return chunk->statements.at[0];
}

static const Expr *expression(Trial *trial, const char *text) {
    Chunk *chunk = parse_chunk(trial->jre, source_from_text(trial->jre, "size", text, strlen(text)));
    assert_int_equal(chunk->statements.count, 1);
    return chunk->statements.at[0]->value;
}

static void sizes_round_down_and_stay_exact(void **state) {
    (void)state;
    Trial *trial = trial_new();
    DimTable table = {.arena = &trial->jre->forever};
    dim_bind(&table, intern(trial->jre, "H"), 7);
    static const struct { const char *text; int64_t value; } cases[] = {
        {"H / 2", 3}, {"(0 - H) / 2", -4}, {"-H / 2", -4}, {"(H + 2 * 1 - 3) / 2 + 1", 4}, {"if H > 5 then 2 else 3", 2}, {"3 divides H", 0}, {"7 divides H", 1},
        {"H == 7 and not 2 divides H", 1}, {"0 divides H", 0}, {"4503599627370496 * 2", 9007199254740992},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = -1;
        const char *why = NULL;
        if (!dim_evaluate(&table, expression(trial, cases[i].text), &value, &why)) fail_msg("%s: %s", cases[i].text, why);
        if (value != cases[i].value) fail_msg("%s is %lld", cases[i].text, (long long)value);
    }
    trial_free(trial);
}

static void sizes_that_are_none_say_why(void **state) {
    (void)state;
    Trial *trial = trial_new();
    DimTable table = {.arena = &trial->jre->forever};
    dim_bind(&table, intern(trial->jre, "N"), DIM_BATCH);
    dim_bind(&table, intern(trial->jre, "B"), (int64_t)9e15);
    static const struct { const char *text, *why; } cases[] = {
        {"1 / 0", "divided by 0"}, {"B * B", "too large"}, {"N + 1", "batch"}, {"0 - N", "batch"}, {"K", "no size known"}, {"0.5", "whole number"}, {"2 ^ 3", "no size"},
        {"0 - 1024 * 1024 * 1024", "too large"}, {"1e300", "whole number"}, {"\"text\"", "size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value;
        const char *why = NULL;
        assert_false(dim_evaluate(&table, expression(trial, cases[i].text), &value, &why));
        if (!strstr(why, cases[i].why)) fail_msg("%s: %s", cases[i].text, why);
    }
    int64_t same = 0;
    const char *why = NULL;
    assert_true(dim_evaluate(&table, expression(trial, "N == N"), &same, &why));
    assert_int_equal(same, 1);
    trial_free(trial);
}

static void letters_are_bound_where_they_are_first_met(void **state) {
    (void)state;
    Trial *trial = trial_new();
    DimTable table = {.arena = &trial->jre->forever};
    const Statement *f = formula(trial, "(x: Tensor[N, C, S...], y: Tensor[C, _], z: Tensor[S...]) -> Tensor[N, 2 * C, S..., _]");
    const char *why = NULL;
    assert_true(dims_match(&table, &f->params.at[0].type, (Shape){4, {DIM_BATCH, 3, 5, 7}}, &why));
    assert_true(dims_match(&table, &f->params.at[1].type, (Shape){2, {3, 11}}, &why));
    assert_false(dims_match(&table, &f->params.at[1].type, (Shape){2, {4, 11}}, &why));
    assert_non_null(strstr(why, "3 was expected where 4 is"));
    assert_false(dims_match(&table, &f->params.at[1].type, (Shape){1, {3}}, &why));
    assert_false(dims_match(&table, &f->params.at[1].type, (Shape){2, {DIM_BATCH, 1}}, &why));
    assert_true(dims_match(&table, &f->params.at[2].type, (Shape){2, {5, 7}}, &why));
    assert_false(dims_match(&table, &f->params.at[2].type, (Shape){2, {7, 5}}, &why));
    Shape shape, found = {5, {0, 0, 0, 0, 13}};
    assert_true(dims_build(&table, &f->result, &found, &shape, &why));
    assert_string_equal(shape_text(&trial->jre->forever, shape), "[N, 6, 5, 7, 13]");
    assert_false(dims_build(&table, &f->result, NULL, &shape, &why));
    trial_free(trial);
}

/* ---- operators ---------------------------------------------------------------------------------------------------------------- */

static void every_signature_parses_and_has_a_cost(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Compilation c = {.jre = trial->jre, .arena = {.jre = trial->jre}};
    for (int op = 0; op < OP_COUNT; op++) {
        const OpSignature *signature = op_signature(&c, (Op)op);
        assert_string_equal(signature->head->name, op_row((Op)op)->name);
        assert_non_null(signature->flops);
        assert_true(signature->needed <= signature->data && signature->data <= GRAPH_INPUTS && signature->attributes <= GRAPH_ATTRIBUTES);
        assert_int_equal(op_find(op_row((Op)op)->name), op);
    }
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 0);
    assert_int_equal(op_find("no such thing"), OP_COUNT);
    compilation_free(&c);
    trial_free(trial);
}

static void attributes_lie_where_kernels_look_for_them(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Compilation c = {.jre = trial->jre, .arena = {.jre = trial->jre}};
#define AGREES(family, name) assert_int_equal(op_attribute(&c, op, #name), family##_##name);
    Op op = OP_conv;
    CONV_ATTRIBUTES(AGREES)
    assert_int_equal(op_signature(&c, op)->attributes, 6);
    op = OP_max_pool;
    POOL_ATTRIBUTES(AGREES)
    op = OP_mean_pool;
    POOL_ATTRIBUTES(AGREES)
    op = OP_batchnorm;
    NORM_ATTRIBUTES(AGREES)
    op = OP_clamp;
    CLAMP_ATTRIBUTES(AGREES)
    op = OP_blur;
    BLUR_ATTRIBUTES(AGREES)
    op = OP_concat;
    CONCAT_ATTRIBUTES(AGREES)
    op = OP_softmax;
    SOFTMAX_ATTRIBUTES(AGREES)
    op = OP_layer_norm;
    LAYER_NORM_ATTRIBUTES(AGREES)
    op = OP_unit;
    UNIT_ATTRIBUTES(AGREES)
    op = OP_attention;
    ATTENTION_ATTRIBUTES(AGREES)
    assert_true((int)SOFTMAX_axes == (int)LAYER_NORM_axes && (int)SOFTMAX_axes == (int)UNIT_axes);
    static const Op reductions[] = {OP_sum, OP_mean, OP_max_over, OP_min_over};
    for (int i = 0; i < 4; i++) {
        op = reductions[i];
        REDUCE_ATTRIBUTES(AGREES)
    }
    assert_int_equal(op_attribute(&c, OP_conv, "no such thing"), -1);
    assert_true(op_signature(&c, OP_conv)->attribute_default[CONV_high] == INFINITY && op_signature(&c, OP_conv)->attribute_default[CONV_low] == -INFINITY);
    compilation_free(&c);
    trial_free(trial);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------------------------- */

typedef struct { Trial *trial; Compilation c; Graph *g; WeightScope file; } Bench;

static Bench *bench_new(void) {
    Bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->trial = trial_new();
    b->c = (Compilation){.jre = b->trial->jre, .arena = {.jre = b->trial->jre}};
    b->g = graph_new(&b->c);
    b->file = (WeightScope){.path = "some.safetensors", .hash = "abc"};
    b->g->input = graph_source(b->g, OP_input, (Shape){4, {DIM_BATCH, 3, 8, 8}}, 0, NULL, NULL, NULL);
    return b;
}

static void bench_free(Bench *b) {
    compilation_free(&b->c);
    trial_free(b->trial);
    free(b);
}

static Node *weight_of(Bench *b, const char *name, Shape shape) { return graph_source(b->g, OP_weight, shape, 0, name, &b->file, NULL); }
static Node *number_of(Bench *b, double value) { return graph_source(b->g, OP_constant, (Shape){0}, value, NULL, NULL, NULL); }

static Node *add_node(Bench *b, Op op, const double *attributes, Node *first, Node *second) {
    const char *why = NULL;
    Node *node = graph_add(b->g, op, (Node *[]){first, second}, second ? 2 : 1, attributes, NULL, &why);
    if (!node) fail_msg("%s: %s", op_row(op)->name, why);
    return node;
}

static void equal_nodes_are_one_node(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = b->g->input;
    Node *once = add_node(b, OP_add, NULL, x, number_of(b, 2));
    assert_ptr_equal(once, add_node(b, OP_add, NULL, x, number_of(b, 2)));
    assert_ptr_not_equal(once, add_node(b, OP_add, NULL, x, number_of(b, 3)));
    assert_ptr_not_equal(once, add_node(b, OP_sub, NULL, x, number_of(b, 2)));
    assert_ptr_equal(weight_of(b, "w", (Shape){1, {3}}), weight_of(b, "w", (Shape){1, {3}}));
    assert_ptr_not_equal(weight_of(b, "w", (Shape){1, {3}}), weight_of(b, "v", (Shape){1, {3}}));
    assert_ptr_equal(graph_reshape(b->g, x, x->shape, NULL), x);
    assert_ptr_equal(graph_transpose(b->g, x, (int[]){0, 1, 2, 3}, NULL), x);
    b->g->output = once;
    graph_sweep(b->g);
    assert_int_equal(b->g->nodes.count, 3);
    Text text = {.jre = b->trial->jre};
    graph_print(b->g, &text, true);
    assert_string_equal(text.at, "%0 = input() : [N, 3, 8, 8]\n%1 = constant() value=2 : []\n%2 = add(%0, %1) : [N, 3, 8, 8]\n-> %2\n");
    text_free(&text);
    bench_free(b);
}

static void shapes_that_do_not_fit_are_refused_in_plain_words(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = b->g->input, *w = weight_of(b, "w", (Shape){4, {4, 3, 9, 9}}), *row = weight_of(b, "row", (Shape){1, {5}});
    const char *why = NULL;
    assert_null(graph_add(b->g, OP_conv, (Node *[]){x, w}, 2, NULL, NULL, &why));
    assert_non_null(strstr(why, "size 0"));
    Node *five = weight_of(b, "v", (Shape){4, {4, 5, 3, 3}});
    assert_null(graph_add(b->g, OP_conv, (Node *[]){x, five}, 2, NULL, NULL, &why));
    assert_non_null(strstr(why, "groups * D == C"));
    assert_null(graph_add(b->g, OP_add, (Node *[]){x, row}, 2, NULL, NULL, &why));
    assert_non_null(strstr(why, "do not align"));
    assert_null(graph_add(b->g, OP_concat, (Node *[]){x, row}, 2, NULL, NULL, &why));
    Node *column = weight_of(b, "column", (Shape){3, {1 << 20, 1, 1}}), *across = weight_of(b, "across", (Shape){3, {1, 1 << 20, 1 << 10}});
    assert_null(graph_add(b->g, OP_mul, (Node *[]){column, across}, 2, NULL, NULL, &why));
    assert_non_null(strstr(why, "more numbers a picture"));
    bench_free(b);
}

static void numbers_of_elements_do_not_overflow(void **state) {
    (void)state;
    assert_int_equal(shape_elements((Shape){3, {DIM_BATCH, 3, 4}}, 16), 192);
    assert_true(shape_elements((Shape){6, {1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30}}, 1) == INT64_MAX);
}

static void the_checks_of_graphs_find_what_is_broken(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = b->g->input, *sum = add_node(b, OP_add, NULL, x, number_of(b, 2));
    b->g->output = sum;
    assert_true(graph_verify(b->g, "sound"));
    struct { const char *what; int64_t *place; int64_t wrong; } cases[] = {{"shape", &sum->shape.dim[3], 9}, {"batch", &sum->shape.dim[0], 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t right = *cases[i].place;
        *cases[i].place = cases[i].wrong;
        assert_false(graph_verify(b->g, cases[i].what));
        test_message_says(b->trial->jre, "bug", cases[i].what, "add", NULL);
        *cases[i].place = right;
    }
    Node *first = sum->in[0];
    sum->in[0] = sum;
    assert_false(graph_verify(b->g, "circle"));
    test_message_says(b->trial->jre, "an operand comes after it", NULL);
    sum->in[0] = NULL;
    assert_false(graph_verify(b->g, "hole"));
    test_message_says(b->trial->jre, "left out", NULL);
    sum->in[0] = first;
    sum->attribute[3] = NAN;
    assert_false(graph_verify(b->g, "nan"));
    sum->attribute[3] = 0;
    sum->id = 77;
    assert_false(graph_verify(b->g, "place"));
    sum->id = 2;
    b->g->output = NULL;
    assert_false(graph_verify(b->g, "output"));
    assert_int_equal(diag_exit_code(b->trial->jre), 70);
    diag_forget(b->trial->jre);
    bench_free(b);
}

/* ---- rewrites ------------------------------------------------------------------------------------------------------------------------- */

static int nodes_of(const Graph *g, Op op) {
    int count = 0;
    for (int i = 0; i < g->nodes.count; i++) count += g->nodes.at[i]->op == op;
    return count;
}

static void finish(Bench *b, Node *output, RulePhase phase) {
    b->g->output = output;
    graph_sweep(b->g);
    rewrite_graph(b->g, phase);
    assert_true(graph_verify(b->g, "rewrite"));
}

static void clamps_in_a_row_are_one_unless_the_first_is_inverted(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = add_node(b, OP_min, NULL, add_node(b, OP_max, NULL, b->g->input, number_of(b, 0)), number_of(b, 6));
    finish(b, add_node(b, OP_max, NULL, number_of(b, 1), x), PHASE_SIMPLIFY);
    assert_int_equal(nodes_of(b->g, OP_clamp), 1);
    assert_true(b->g->output->attribute[CLAMP_low] == 1 && b->g->output->attribute[CLAMP_high] == 6);
    assert_int_equal(b->g->nodes.count, 2);
    bench_free(b);

    b = bench_new();
    x = add_node(b, OP_clamp, (double[]){0, 1}, b->g->input, NULL);
    finish(b, add_node(b, OP_clamp, (double[]){5, 6}, x, NULL), PHASE_SIMPLIFY);
    assert_int_equal(nodes_of(b->g, OP_clamp), 2);
    bench_free(b);
}

static void what_is_used_twice_is_not_swallowed(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *once = add_node(b, OP_clamp, (double[]){0, 9}, b->g->input, NULL);
    Node *twice = add_node(b, OP_clamp, (double[]){1, 6}, once, NULL);
    finish(b, add_node(b, OP_add, NULL, once, twice), PHASE_SIMPLIFY);
    assert_int_equal(nodes_of(b->g, OP_clamp), 2);
    bench_free(b);
}

static void squares_are_products_and_joins_are_flat(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = b->g->input, *joined = add_node(b, OP_pow, NULL, x, number_of(b, 2));
    for (int i = 0; i < 5; i++) joined = add_node(b, OP_concat, (double[]){1}, joined, add_node(b, OP_sin, NULL, x, NULL));
    finish(b, joined, PHASE_SIMPLIFY);
    assert_int_equal(nodes_of(b->g, OP_pow), 0);
    assert_int_equal(nodes_of(b->g, OP_mul), 1);
    assert_int_equal(nodes_of(b->g, OP_concat), 1);
    assert_int_equal(b->g->output->inputs, 6);
    assert_int_equal(b->g->output->shape.dim[1], 18);
    bench_free(b);
}

static void reshapes_and_transposes_that_do_nothing_go(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = graph_reshape(b->g, b->g->input, (Shape){2, {DIM_BATCH, 192}}, NULL);
    x = graph_reshape(b->g, x, (Shape){3, {DIM_BATCH, 12, 16}}, NULL);
    finish(b, graph_reshape(b->g, x, b->g->input->shape, NULL), PHASE_SIMPLIFY);
    assert_ptr_equal(b->g->output, b->g->input);
    bench_free(b);
}

static void many_clamps_take_no_time(void **state) {
    (void)state;
    Bench *b = bench_new();
    Node *x = b->g->input;
    for (int i = 0; i < 5000; i++) x = add_node(b, OP_clamp, (double[]){0, 1e9 - i}, x, NULL);
    finish(b, x, PHASE_SIMPLIFY);
    assert_int_equal(b->g->nodes.count, 2);
    bench_free(b);
}

/* ---- whole networks ------------------------------------------------------------------------------------------------------------------- */

/* The program of a library's network with its own file of weights, pooled. */
static const Program *library_network(Trial *trial, const char *module, const char *name, int side) {
    trial_sound(trial, arena_print(&trial->jre->forever,
                                   "use %s\naugment seen(x: Image) -> Image { x |> fit(%dpx) }\nbackbone = %s(weights = \"some.safetensors\")\n"
                                   "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> backbone |> average_pool |> unit }\n"
                                   "embed features { network Eye\n view seen }\n", module, side, name));
    return trial->c.plan->embeds.at[0]->program;
}

static void resnet50_is_53_convolutions(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_resnet(&trial->files, (int[]){3, 4, 6, 3}, true);
    const Program *program = library_network(trial, "resnet", "resnet50", 224);
    assert_int_equal(steps_of(program, OP_conv), 53);
    assert_int_equal(steps_of(program, OP_batchnorm), 0);
    assert_int_equal(steps_of(program, OP_add), 0);
    assert_int_equal(steps_of(program, OP_clamp), 0);
    assert_int_equal(steps_of(program, OP_chain), 0);
    assert_int_equal(steps_of(program, OP_unit), 1);
    assert_int_equal(steps_of(program, OP_max_pool), 1);
    assert_int_equal(trial->c.plan->embeds.at[0]->width, 2048);
    assert_int_equal(program->weights, 23508032 + 26560 * 2);     /* timm counts no running statistics among its parameters */
    assert_true(program->flops > 8.1e9 && program->flops < 8.4e9);
    assert_string_equal(trial->c.plan->embeds.at[0]->backbone, "resnet50");
    trial_free(trial);
}

/* A layer of the library is no backbone: a network of one's own is called by its name. */
static void a_layer_gives_no_name(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_sound(trial, "augment seen(x: Image) -> Image { x |> fit(16px) }\n"
                       "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> tokens |> layer_norm(weight = [1, 1, 1], bias = [0, 0, 0]) |> split_heads(1) |> average_pool |> unit }\n"
                       "embed features { network Eye\n view seen }\n");
    assert_string_equal(trial->c.plan->embeds.at[0]->backbone, "Eye");
    trial_free(trial);
}

/* Weights in 8 bits mean something only by their scales. */
static void whole_numbers_are_no_weights(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_resnet(&trial->files, (int[]){2, 2, 2, 2}, false);
    trial->files.tensors.at[0].dtype = "I8";
    trial->files.tensors.at[1].dtype = "BF16";
    trial->files.tensors.at[2].dtype = "U8";
    assert_false(trial_chunk(trial, "use resnet\naugment seen(x: Image) -> Image { x |> fit(64px) }\n"
                                    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> resnet18(weights = \"some.safetensors\") |> average_pool |> unit }\n"
                                    "embed features { network Eye\n view seen }\n"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_ERROR), 1);
    test_message_says(trial->jre, "of the weights of `resnet18` this file has 2 in whole numbers", "whole numbers: `conv1.weight` I8, `bn1.bias` U8", "not quantized", NULL);
    trial_free(trial);
}

/* What the file has and the network does not ask for is listed; how many batches a norm has seen is nobody's weight. */
static void what_is_left_over_in_a_file_is_listed(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_resnet(&trial->files, (int[]){2, 2, 2, 2}, false);
    fake_weight(&trial->files, "fc.weight", 2, (int64_t[]){1000, 512});
    fake_weight(&trial->files, "fc.bias", 1, (int64_t[]){1000});
    fake_weight(&trial->files, "bn1.num_batches_tracked", 0, NULL);
    const Program *program = library_network(trial, "resnet", "resnet18", 64);
    Text out = {.jre = trial->jre};
    program_print(program, &out);
    assert_non_null(strstr(out.at, "left over in "));
    assert_non_null(strstr(out.at, "some.safetensors: `fc.weight`, `fc.bias`\n"));
    text_free(&out);
    trial_free(trial);
}

static void resnet18_is_20_convolutions(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_resnet(&trial->files, (int[]){2, 2, 2, 2}, false);
    const Program *program = library_network(trial, "resnet", "resnet18", 64);
    assert_int_equal(steps_of(program, OP_conv), 20);
    assert_int_equal(steps_of(program, OP_batchnorm) + steps_of(program, OP_add), 0);
    int residuals = 0;
    for (int i = 0; i < program->step_count; i++) residuals += program->steps[i].node->op == OP_conv && program->steps[i].node->inputs == 4;
    assert_int_equal(residuals, 8);
    trial_free(trial);
}

static void mobilenetv2_is_52_convolutions_and_squeezenet_25(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_mobilenetv2(&trial->files);
    const Program *program = library_network(trial, "mobilenetv2", "mobilenetv2_100", 96);
    assert_int_equal(steps_of(program, OP_conv), 52);
    assert_int_equal(steps_of(program, OP_batchnorm) + steps_of(program, OP_add), 0);
    trial_free(trial);

    trial = trial_new();
    fake_squeezenet(&trial->files);
    program = library_network(trial, "squeezenet", "squeezenet1_1", 96);
    assert_int_equal(steps_of(program, OP_conv), 25);
    assert_int_equal(steps_of(program, OP_concat), 0);              /* branches are computed where the joined result lies */
    assert_int_equal(steps_of(program, OP_max_pool), 3);
    trial_free(trial);
}

/* ---- index equations ------------------------------------------------------------------------------------------------------------------- */

static void index_equations_lower_to_the_right_shapes(void **state) {
    (void)state;
    static const struct { const char *network; int width; } cases[] = {
        {"x |> average_pool |> unit", 3},
        {"x |> flatten |> softmax", 3 * 64},
        {"p[n, c] = max over h, w of x[n, c, h, w]\nq[n, c] = min over w, h of x[n, c, h, w]\nconcat([p, q])", 6},
        {"r[n, h] = sum over c, w of x[n, c, h, w]\nr", 8},
        {"y[n, w, h] = sum over c of x[n, c, h, w] * x[n, c, h, w]\nz[n, h] = max over w of y[n, w, h]\nz", 8},
        {"a = x |> average_pool\nd[n, i, j] = a[n, i] * a[n, j]\nt[n, i] = sum over j of d[n, i, j] ^ 2\nt", 3},
        {"p = x |> average_pool\nif 2 divides H then p else p + 1", 3},
        {"p = x |> average_pool\nq = if p > 0.5 then p else -p\nq * (not p == 0)", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        trial_network(trial, "", 8, cases[i].network);
        assert_int_equal(trial->c.plan->embeds.at[0]->width, cases[i].width);
        assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 0);
        trial_free(trial);
    }
}

static void refused_network(const char *network, const char *code, const char *words) {
    char chunk[2000];
    snprintf(chunk, sizeof chunk, "augment seen(x: Image) -> Image { x |> fit(8px) }\nnetwork Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n%s\n}\nembed features { network Eye\n view seen }\n", network);
    trial_refused(chunk, code, words);
}

static void index_equations_that_mean_nothing_are_refused_once(void **state) {
    (void)state;
    refused_network("p[n, c] = mean over h of x[n, c, h, w]\np", "shape_mismatch", "left over");
    refused_network("p[n, n] = mean over h, w of x[n, c, h, w]\np", "shape_mismatch", "left over");
    refused_network("p[n, c] = mean over k of x[n, c, h, w]\np", "unknown_name", "`k`");
    refused_network("p[n, c] = mean over h, w of x[n, c]\np", "shape_mismatch", "2 dimensions are named, there are 4");
    refused_network("p[n] = x[n, n, h, w]\np", "shape_mismatch", "`n` names a dimension of 3 here");
    refused_network("p[n, c] = mean over h, w of x[n, c, h, w] + x\np", "shape_mismatch", "letters");
    refused_network("p = x |> average_pool\nd[n, m] = sum over k of p[n, k] * p[m, k]\nd", "shape_mismatch", "mixes the pictures");
    refused_network("p = x |> average_pool\np @ (p' @ p)", "shape_mismatch", "mixes the pictures");
    refused_network("p = x |> average_pool\nm[c] = mean over n of p[n, c]\np - m", "shape_mismatch", "mixes the pictures");
    refused_network("y[h, c, n, w] = x[n, c, h, w]\nz[n, c, h, w] = blur(y, 1px)[h, c, n, w]\nz |> average_pool", "shape_mismatch", "blurred into each other");
    refused_network("p[a] = 3\nx |> average_pool", "shape_mismatch", "left over");
    refused_network("a = x |> flatten\nb[n, i, j, k] = a[n, i] * a[n, j] * a[n, k]\nc[n, i, j, k, l, m] = b[n, i, j, k] * a[n, l] * a[n, m]\nd[n, i] = sum over j, k, l, m of c[n, i, j, k, l, m]\nd",
                    "shape_mismatch", "more numbers a picture");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_round_down_and_stay_exact),
        cmocka_unit_test(sizes_that_are_none_say_why),
        cmocka_unit_test(letters_are_bound_where_they_are_first_met),
        cmocka_unit_test(every_signature_parses_and_has_a_cost),
        cmocka_unit_test(attributes_lie_where_kernels_look_for_them),
        cmocka_unit_test(equal_nodes_are_one_node),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused_in_plain_words),
        cmocka_unit_test(numbers_of_elements_do_not_overflow),
        cmocka_unit_test(the_checks_of_graphs_find_what_is_broken),
        cmocka_unit_test(clamps_in_a_row_are_one_unless_the_first_is_inverted),
        cmocka_unit_test(what_is_used_twice_is_not_swallowed),
        cmocka_unit_test(squares_are_products_and_joins_are_flat),
        cmocka_unit_test(reshapes_and_transposes_that_do_nothing_go),
        cmocka_unit_test(many_clamps_take_no_time),
        cmocka_unit_test(resnet50_is_53_convolutions),
        cmocka_unit_test(a_layer_gives_no_name),
        cmocka_unit_test(whole_numbers_are_no_weights),
        cmocka_unit_test(what_is_left_over_in_a_file_is_listed),
        cmocka_unit_test(resnet18_is_20_convolutions),
        cmocka_unit_test(mobilenetv2_is_52_convolutions_and_squeezenet_25),
        cmocka_unit_test(index_equations_lower_to_the_right_shapes),
        cmocka_unit_test(index_equations_that_mean_nothing_are_refused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
