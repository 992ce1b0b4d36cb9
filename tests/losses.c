/* losses.c: index equations and losses, computed in 64 bits through the compiler, held against published numbers and plain loops. */
#include <math.h>

#include <cjson/cJSON.h>

#include "trial.h"

#include "../runtime/runtime.h"

/* ---- an expression, as a test chunk computes it ------------------------------------------------------------------------ */

typedef struct { Environment *env; Value *value; const double *numbers; int64_t count; } Computed;

static bool compute(void *context, const Graph *graph, double **numbers) { return compute_graph(context, graph, 1, NULL, NULL, numbers); }

/* The expression may use the modules and formulas of `chunk`, and `input`, where that is a shape. */
static Computed evaluated(Trial *trial, const char *chunk, const char *expression, const Shape *input) {
    trial_sound(trial, chunk);
    trial->c.facts.context = trial->jre;
    trial->c.facts.compute = compute;
    const char *text = arena_print(&trial->jre->forever, "probe %s", expression);
    Chunk *parsed = parse_chunk(trial->jre, source_from_text(trial->jre, "expression", text, strlen(text)));
    assert_int_equal(parsed->statements.count, 1);
    Computed made = {.env = environment_new(&trial->c, trial->c.scope, NULL)};
    Graph *g = made.env->graph = graph_new(&trial->c);
    if (input) {
        g->input = graph_source(g, OP_input, *input, 0, NULL, NULL, NULL);
        map_set(&made.env->values, &trial->c.arena, intern(trial->jre, "input"), value_tensor(&trial->c, g->input, NOWHERE));
    }
    made.value = evaluate(made.env, parsed->statements.at[0]->value);
    return made;
}

static Computed computed(Trial *trial, const char *chunk, const char *expression) {
    Computed made = evaluated(trial, chunk, expression, NULL);
    double *numbers = NULL;
    if (made.value->kind == VALUE_TENSOR && tensor_numbers(made.env, made.value, &numbers)) made.count = shape_elements(made.value->node->shape, 1);
    made.numbers = numbers;
    return made;
}

/* A table as the language writes it. */
static const char *table(Trial *trial, const double *numbers, int rows, int columns) {
    Text text = {.jre = trial->jre};
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++)
            text_add(&text, "%s%s%.17g%s", k ? ", " : i ? ", [" : "[[", "", numbers[i * columns + k], k == columns - 1 ? "]" : "");
    text_add(&text, "]");
    const char *kept = arena_copy(&trial->jre->forever, text.at, text.length);
    text_free(&text);
    return kept;
}

static const char *labels(Trial *trial, const int *label, int count) {
    Text text = {.jre = trial->jre};
    for (int i = 0; i < count; i++) text_add(&text, "%s%d", i ? ", " : "[", label[i] + 1);
    text_add(&text, "]");
    const char *kept = arena_copy(&trial->jre->forever, text.at, text.length);
    text_free(&text);
    return kept;
}

static void gives(const char *chunk, const char *expression, double wanted, double tolerance) {
    Trial *trial = trial_new();
    Computed found = computed(trial, chunk, expression);
    if (!found.numbers || found.count != 1 || !(fabs(found.numbers[0] - wanted) <= tolerance * fmax(1, fabs(wanted)))) {
        char *text = test_messages(trial->jre);
        fail_msg("%s: %.15g, expected %.15g\n%s", expression, found.numbers ? found.numbers[0] : NAN, wanted, text);
    }
    trial_free(trial);
}

static void gives_all(const char *chunk, const char *expression, int count, const double *wanted) {
    Trial *trial = trial_new();
    Computed found = computed(trial, chunk, expression);
    if (found.count != count) {
        char *text = test_messages(trial->jre);
        fail_msg("%s: %lld numbers, expected %d\n%s", expression, (long long)found.count, count, text);
    }
    for (int i = 0; i < count; i++)
        if (!(found.numbers[i] == wanted[i] || fabs(found.numbers[i] - wanted[i]) <= 1e-12))
            fail_msg("%s: %.15g at %d, expected %.15g", expression, found.numbers[i], i, wanted[i]);
    trial_free(trial);
}
#define GIVES_ALL(chunk, expression, ...) \
    gives_all((chunk), (expression), (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

/* A function of x [3, 3] and who (1 2 1), applied. */
static const char *body_of(Trial *trial, const char *lines) {
    return arena_print(&trial->jre->forever, "function f(x: Tensor[N, N], who: Identity[N, K]) -> Tensor[R...] where N > 0, K > 0 {\n%s\n}\n", lines);
}
static const char applied[] = "f([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [1, 2, 1])";

static void line_gives(const char *lines, int count, const double *wanted) {
    Trial *trial = trial_new();
    gives_all(body_of(trial, lines), applied, count, wanted);
    trial_free(trial);
}
#define LINE_GIVES(lines, ...) line_gives((lines), (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

/* ---- index equations ------------------------------------------------------------------------------------------------------ */

static void reductions_filter_first(void **state) {
    (void)state;
    LINE_GIVES("r[i] = sum over j of x[i, j] where x[i, j] > 2\nr", 3, 15, 24);
    LINE_GIVES("r[i] = mean over j of x[i, j] where x[i, j] > 2 and x[i, j] != 5\nr", 3, 5, 8);
    LINE_GIVES("r[i] = max over j of x[i, j] where who[i] == who[j]\nr", 3, 5, 9);
    LINE_GIVES("r[i] = min over j of x[i, j] where who[i] == who[j] and i != j\nr", 3, INFINITY, 7);
    LINE_GIVES("r[i, j] = min over k of x[k, k] where x[i, j] < x[k, k]\nr", 5, 5, 5, 5, 9, 9, 9, 9, INFINITY);
}

static void over_nothing(void **state) {
    (void)state;
    LINE_GIVES("r[i] = sum over j of x[i, j] where x[i, j] > 99\nr", 0, 0, 0);
    LINE_GIVES("r[i] = mean over j of x[i, j] where x[i, j] > 99\nr", 0, 0, 0);
    LINE_GIVES("r[i] = max over j of x[i, j] where false\nr", -INFINITY, -INFINITY, -INFINITY);
    LINE_GIVES("r[i] = min over j of x[i, j] where x[i, j] > 99\nr", INFINITY, INFINITY, INFINITY);
}

/* The letter that the test lacks counts each of its places. */
static void a_filtered_mean_counts_what_it_kept(void **state) {
    (void)state;
    LINE_GIVES("mean over i, j of x[i, j] where who[i] == 1", 5);
    LINE_GIVES("mean over i, j of x[i, j] where x[i, j] > 4 or i == j", (1 + 5 + 6 + 7 + 8 + 9) / 6.0);
    LINE_GIVES("mean over i, j of x[i, j] where true", 5);
}

static void letters_by_themselves_are_positions(void **state) {
    (void)state;
    LINE_GIVES("sum over i, j of x[i, j] where i < j", 2 + 3 + 6);
    LINE_GIVES("sum over i, j of (i == j) * x[i, j]", 15);
    LINE_GIVES("r[i] = i + 0 * x[i, 1]\nr", 1, 2, 3);
    LINE_GIVES("r[n] = sum over k of x[n, k] where who[n] == k\nr", 1, 5, 7);
    LINE_GIVES("(max over i of x[i, 1]) + (max over i of i * x[i, 2])", 7 + 24);
}

static void brackets_take_places_and_diagonals(void **state) {
    (void)state;
    LINE_GIVES("r[i] = x[i, i]\nr", 1, 5, 9);
    LINE_GIVES("r[i] = x[i, 2]\nr", 2, 5, 8);
    LINE_GIVES("r[j] = x[(N - 1), j]\nr", 4, 5, 6);
    LINE_GIVES("x[3, 1]", 7);
    LINE_GIVES("k = 2\nr[n] = x[n, (k)] - x[n, (k - 1)]\nr", 1, 1, 1);
    LINE_GIVES("z[a, b, c] = x[a, b] * x[b, c]\nr[a, b] = z[a, b, a]\nr", 1, 8, 21, 8, 25, 48, 21, 48, 81);
    LINE_GIVES("z[a, b, c] = x[a, b] * x[b, c]\nr[b] = z[2, b, 1]\nr", 4, 20, 42);
}

static void tests_count_0_or_1(void **state) {
    (void)state;
    LINE_GIVES("2 * (x > 4) + (1 == 1)", 1, 1, 1, 1, 3, 3, 3, 3, 3);
    LINE_GIVES("m = x > 2 and not x > 7\nm", 0, 0, 1, 1, 1, 1, 1, 0, 0);
    LINE_GIVES("if x == 1 or x > 8 then x else 0", 1, 0, 0, 0, 0, 0, 0, 0, 9);
    LINE_GIVES("true and x > 8", 0, 0, 0, 0, 0, 0, 0, 0, 1);
    LINE_GIVES("onehot(who)", 1, 0, 0, 1, 1, 0);
}

static void one_number_is_a_table_of_one(void **state) {
    (void)state;
    gives("loss small(e: Embedding[1, d]) -> Scalar { norm(e) }", "small([[3, 4]])", 5, 1e-15);
    gives("function one(s: Scalar) -> Tensor[1] { 2 * s }\nfunction two(t: Tensor[1]) -> Scalar { r = mean over i of t[i]\n r + 1 }", "two(one([7, 8][1]))", 15, 1e-15);
    gives("function two(t: Tensor[1]) -> Scalar { t }", "two(norm([[3, 4]]))", 5, 1e-15);
}

static void what_cannot_be_computed_says_why(void **state) {
    (void)state;
    static const struct { const char *chunk, *expression, *code, *words; } cases[] = {
        {"use heads", "BatchHardTriplet([[1, 2], [3, 4]], [1, 2])", "broken_condition", "N >= 4"},
        {"use heads", "CrossEntropy([[1, 2], [3, 4]], [1, 3])", "shape_mismatch", "Identity[N, K]"},
        {"use heads", "CrossEntropy([[1, 2], [3, 4]], [1, 2, 1])", "shape_mismatch", "Identity[N, K]"},
        {"use heads", "CrossEntropy([[1, 2], [3, 4]], 3)", "wrong_type", "Identity[N, K]"},
        {"use heads", "CosFace([[1, 2], [3, 4]], [1, 2])", "not_yet", "`W`"},
        {"use heads", "CosFace([[1, 2], [3, 4]], [1, 2], w = [[1, 2], [3, 4]])", "wrong_argument", "did you mean `W`"},
        {"function many(x: Tensor[N, d]) -> Tensor[R...] { r[a, b, i, j] = x[i, a] * x[j, b] * i\n s[a, b, c, i, j, k] = r[a, b, i, j] * x[k, c]\n s }\n"
         "row = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]\n"
         "x = [row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row, row]",
         "many(x)", "no_memory", "134217728 numbers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        Computed made = computed(trial, cases[i].chunk, cases[i].expression);
        assert_null(made.numbers);
        test_message_says(trial->jre, cases[i].code, cases[i].words, NULL);
        trial_free(trial);
    }
}

/* Training, tryouts and tests make weights up: the node says how they begin, and compute_graph takes them by name. */
static void learned_weights_know_how_they_begin(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Computed made = evaluated(trial, "use heads\nloss Both(e: Embedding[N, d], who: Identity[N, K]) -> Scalar {\n  learn w: Tensor[1] ~ ones()\n  w + Softmax(e, who) + Softmax(e, who)\n}", "0", NULL);
    const WeightFacts facts = {.path = "made up", .made_up = true};
    WeightScope scope = {.path = "made up", .hash = "0", .facts = &facts};
    made.env->weights = &scope;
    Chunk *parsed = parse_chunk(trial->jre, source_from_text(trial->jre, "again", "probe Both([[1, 2], [3, 4]], [1, 2])", 36));
    Value *loss = evaluate(made.env, parsed->statements.at[0]->value);
    assert_int_equal(loss->kind, VALUE_TENSOR);
    static const struct { const char *name, *how; double b; } wanted[] = {
        {"w", "ones", 0}, {"Softmax1.W", "normal", 0.01}, {"Softmax1.b", "zeros", 0}, {"Softmax2.W", "normal", 0.01}, {"Softmax2.b", "zeros", 0}};
    Graph *g = made.env->graph;
    int found = 0;
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        if (node->op != OP_weight) continue;
        assert_string_equal(node->name, wanted[found].name);
        assert_string_equal(node->start->how, wanted[found].how);
        assert_true(node->start->b == wanted[found].b);
        found++;
    }
    assert_int_equal(found, 5);
    double *numbers, zeros[4] = {0}, one = 1;
    g->output = loss->node;
    assert_false(compute_graph(trial->jre, g, 1, NULL, NULL, &numbers));
    test_message_says(trial->jre, "untrained_layer", "`w` is learned", NULL);
    Map given = {0};
    map_set(&given, &trial->jre->forever, "w", &one);
    for (int i = 1; i < 5; i++) map_set(&given, &trial->jre->forever, wanted[i].name, zeros);
    assert_true(compute_graph(trial->jre, g, 1, &given, NULL, &numbers));
    assert_true(fabs(*numbers - (1 + 2 * log(2))) < 1e-15);
    trial_free(trial);
}

/* ---- core's own definitions --------------------------------------------------------------------------------------------------- */

static void norm_unit_and_softmax(void **state) {
    (void)state;
    GIVES_ALL("", "norm([[3, 4], [0, 2]])", 5, 2);
    GIVES_ALL("", "unit([[3, 4], [0, 2]])", 0.6, 0.8, 0, 1);
    GIVES_ALL("", "unit([[0, 0]])", 0, 0);
    double sum = exp(1.0) + exp(2.0) + exp(3.0);
    GIVES_ALL("", "softmax([[1, 2, 3], [1001, 1002, 1003]])", exp(1.0) / sum, exp(2.0) / sum, exp(3.0) / sum, exp(1.0) / sum, exp(2.0) / sum, exp(3.0) / sum);
    GIVES_ALL("", "average_pool([[[[1, 2], [3, 6]], [[0, 0], [0, 1]]]])", 3, 0.25);
    GIVES_ALL("", "[[1, 2], [3, 4]] |> norm", sqrt(5), 5);
}

/* ---- DEFINITIONS 5.12 ---------------------------------------------------------------------------------------------------------- */

enum { N = 12, D = 8, K = 4 };
typedef struct { Trial *trial; const char *e, *who, *w; float x[N * D]; } Golden;

static Golden golden_new(void) {
    double x[N * D], w[K * D];
    int label[N];
    for (int i = 0; i < N; i++) {
        label[i] = i % K;
        for (int d = 0; d < D; d++)
            x[i * D + d] = sin(.37 * (i + 1) * (d + 1)) + .25 * cos(1.7 * i + .9 * d * d) + .55 * cos(.53 * (label[i] + 1) * (d + 2));
    }
    for (int k = 0; k < K; k++)
        for (int d = 0; d < D; d++) w[k * D + d] = sin(.71 * (d + 1) + 1.3 * k);
    assert_true(fabs(x[0] - .88049508) < 1e-8 && fabs(x[1] - .81912903) < 1e-8 && fabs(x[2] - .38440459) < 1e-8);
    Golden golden = {.trial = trial_new()};
    for (int i = 0; i < N * D; i++) golden.x[i] = (float)x[i];
    golden.e = table(golden.trial, x, N, D);
    golden.who = labels(golden.trial, label, N);
    golden.w = table(golden.trial, w, K, D);
    return golden;
}

static void heads_give(const char *call, double wanted) {
    Golden golden = golden_new();
    const char *lines = arena_print(&golden.trial->jre->forever, "use heads\ne = %s\nwho = %s\nW = %s\n", golden.e, golden.who, golden.w);
    gives(lines, call, wanted, 1e-10);
    trial_free(golden.trial);
}

static void heads_agree_with_the_published_numbers(void **state) {
    (void)state;
    heads_give("ArcFace(e, who, margin = 28.6deg, scale = 64, W = W)", 51.187983435314);
    heads_give("ArcFace(e, who, margin = 28.65deg, W = W)", 24.089339233984);
    heads_give("ArcFace(e, who, W = W)", 24.088414803386);
    heads_give("CosFace(e, who, scale = 64, W = W)", 44.192420754827);
    heads_give("CosFace(e, who, W = W)", 20.788335856872);
    heads_give("BatchHardTriplet(unit(e), who)", .445951453743);
}

static void plain_classification_and_animals_alone(void **state) {
    (void)state;
    double sum = exp(1.0) + exp(2.0) + exp(3.0);
    gives("use heads", "CrossEntropy([[1, 2, 3], [3, 1, 2]], [3, 1])", log(sum) - 3, 1e-15);
    gives("use heads", "CrossEntropy([[1001, 1002, 1003]], [3])", log(sum) - 3, 1e-12);
    gives("use heads", "Softmax([[1, 0], [0, 1]], [3, 1], W = [[0, 2], [1, 0], [2, 0]], b = [1, 1, 1])",
          ((log(exp(1.0) + exp(2.0) + exp(3.0)) - 3) + (log(exp(3.0) + exp(1.0) + exp(1.0)) - 3)) / 2, 1e-15);
    gives("use heads", "BatchHardTriplet([[0, 0], [1, 0], [0, 0.5], [5, 0]], [1, 1, 2, 3])", (0.8 + 1.3 - sqrt(1.25)) / 4, 1e-15);      /* two have no positive */
    gives("use heads", "BatchHardTriplet([[0, 0], [1, 0], [0, 2], [5, 0]], [1, 1, 1, 1])", 0, 1e-15);                                   /* nobody has a negative */
}

/* ---- in 32 bits, through every pass ------------------------------------------------------------------------------------------------ */

/* What the executor makes of `input` [rows, columns]; the graph must not hold a tensor of more than `most` numbers. */
static void runs_to(const char *chunk, const char *expression, int rows, int columns, const float *input, int64_t most, int count, const double *wanted) {
    Trial *trial = trial_new();
    Computed made = evaluated(trial, chunk, expression, &(Shape){2, {rows, columns}});
    if (made.value->kind != VALUE_TENSOR) fail_msg("%s\n%s", expression, test_messages(trial->jre));
    Graph *g = made.env->graph;
    g->output = made.value->node;
    const Program *program = compile_graph(&trial->c, g, 1);
    assert_non_null(program);
    for (int i = 0; i < g->nodes.count; i++) assert_true(shape_elements(g->nodes.at[i]->shape, 1) <= most);
    Device *device = device_open_cpu(trial->jre, NULL, kernel_level(NULL));
    Executor *executor = executor_new(trial->jre, program, device, NULL);
    float found[256];
    assert_non_null(executor);
    assert_int_equal(shape_elements(program->output, 1), count);
    assert_true(executor_run(executor, input, 1, found));
    for (int i = 0; i < count; i++)
        if (!(fabs((double)found[i] - wanted[i]) <= 1e-5 * fmax(1, fabs(wanted[i])))) fail_msg("%s: %.9g at %d, expected %.15g", expression, (double)found[i], i, wanted[i]);
    executor_free(executor);
    device->close(device);
    trial_free(trial);
}

static void all_pairs_of_rows_make_no_third_dimension(void **state) {
    (void)state;
    enum { ROWS = 12, LENGTH = 40 };
    float x[ROWS * LENGTH];
    double squares[ROWS * ROWS], products[ROWS * ROWS];
    for (int i = 0; i < ROWS * LENGTH; i++) x[i] = (float)sin(0.7 * i * i);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++) {
            double square = 0, product = 0;
            for (int k = 0; k < LENGTH; k++) {
                double a = (double)x[i * LENGTH + k], b = (double)x[j * LENGTH + k];
                square += (a - b) * (a - b);
                product += a * b;
            }
            squares[i * ROWS + j] = square;
            products[i * ROWS + j] = product;
        }
    static const char chunk[] = "function distances(e: Tensor[N, d]) -> Tensor[N, N] {\n  D[i, j] = sum over k of (e[i, k] - e[j, k]) ^ 2\n  D\n}\n"
                                "function likeness(e: Tensor[N, d]) -> Tensor[N, N] {\n  S[j, i] = sum over k of e[i, k] * e[j, k]\n  S\n}\n";
    runs_to(chunk, "distances(input)", ROWS, LENGTH, x, ROWS * LENGTH, ROWS * ROWS, squares);
    runs_to(chunk, "likeness(input)", ROWS, LENGTH, x, ROWS * LENGTH, ROWS * ROWS, products);
}

static void places_and_diagonals_in_32_bits(void **state) {
    (void)state;
    static const char chunk[] = "function cube(x: Tensor[N, M]) -> Tensor[N, M, N, M] {\n  y[i, j, k, l] = x[i, j] * x[k, l]\n  y\n}\n"
                                "function place(x: Tensor[N, M]) -> Tensor[R...] {\n  y = relu(cube(x))\n  r[i, l] = y[i, 2, (N), l]\n  r\n}\n"
                                "function diagonal(x: Tensor[N, M]) -> Tensor[R...] {\n  y = relu(cube(x))\n  r[j, k] = y[1, j, k, j]\n  r\n}\n"
                                "function all(x: Tensor[N, M], y: Tensor[N, M]) -> Tensor[N, M] { x + y }";
    const float x[] = {1, 2, 3, 4, 5, 6};
    runs_to(chunk, "place(input)", 2, 3, x, 36, 6, (double[]){8, 10, 12, 20, 25, 30});
    runs_to(chunk, "diagonal(input)", 2, 3, x, 36, 6, (double[]){1, 4, 4, 10, 9, 18});
    runs_to(chunk, "all(input, [[10, 20, 30], [40, 50, 60]])", 2, 3, x, 6, 6, (double[]){11, 22, 33, 44, 55, 66});
}

static void heads_agree_in_32_bits(void **state) {
    (void)state;
    static const struct { const char *call; double wanted; } cases[] = {
        {"ArcFace(input, who, margin = 28.6deg, scale = 64, W = W)", 51.187983435314}, {"CosFace(input, who, W = W)", 20.788335856872},
        {"BatchHardTriplet(unit(input), who)", .445951453743},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Golden golden = golden_new();
        const char *lines = arena_print(&golden.trial->jre->forever, "use heads\nwho = %s\nW = %s\n", golden.who, golden.w);
        runs_to(lines, cases[i].call, N, D, golden.x, N * N, 1, &cases[i].wanted);
        trial_free(golden.trial);
    }
}

/* ---- numbers of PyTorch --------------------------------------------------------------------------------------------------------- */

static const char *json_table(Trial *trial, const cJSON *rows) {
    char *text = cJSON_PrintUnformatted(rows);
    const char *kept = arena_print(&trial->jre->forever, "%s", text);
    cJSON_free(text);
    return kept;
}

static double wanted_of(const cJSON *losses, const char *name) {
    return cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(losses, name), "value"));
}

static cJSON *read_losses(void) {
    char path[1024];
    if (!test_data("oracle/losses.json", path)) skip();
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    cJSON *json = cJSON_ParseWithLength(text, length);
    free(text);
    assert_non_null(json);
    return json;
}

static void heads_agree_with_pytorch(void **state) {
    (void)state;
    cJSON *json = read_losses(), *losses = cJSON_GetObjectItem(json, "losses");
    Trial *trial = trial_new();
    int label[16];
    for (int i = 0; i < 16; i++) label[i] = (int)cJSON_GetNumberValue(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "labels"), i));
    const cJSON *other = cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(losses, "arcface_beyond_pi_minus_m"), "params"), "W");
    const char *lines = arena_print(&trial->jre->forever, "use heads\ne = %s\nwho = %s\nW = %s\nb = %s\nother = %s\n", json_table(trial, cJSON_GetObjectItem(json, "embeddings")),
                                    labels(trial, label, 16), json_table(trial, cJSON_GetObjectItem(json, "W_classes_by_dim")),
                                    json_table(trial, cJSON_GetObjectItem(json, "linear_bias")), json_table(trial, other));
    gives(lines, "ArcFace(e, who, margin = 28.6deg, scale = 64, W = W)", wanted_of(losses, "arcface"), 1e-12);
    gives(lines, "ArcFace(e, who, margin = 28.6deg, scale = 8, W = other)", wanted_of(losses, "arcface_beyond_pi_minus_m"), 1e-12);
    gives(lines, "CosFace(e, who, scale = 64, W = W)", wanted_of(losses, "cosface"), 1e-12);
    gives(lines, "Softmax(e, who, W = W, b = b)", wanted_of(losses, "cross_entropy"), 1e-12);
    gives(lines, "BatchHardTriplet(unit(e), who, margin = 0.2)", wanted_of(losses, "triplet_batch_hard_mean"), 1e-12);
    trial_free(trial);
    cJSON_Delete(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions_filter_first),
        cmocka_unit_test(over_nothing),
        cmocka_unit_test(a_filtered_mean_counts_what_it_kept),
        cmocka_unit_test(letters_by_themselves_are_positions),
        cmocka_unit_test(brackets_take_places_and_diagonals),
        cmocka_unit_test(tests_count_0_or_1),
        cmocka_unit_test(norm_unit_and_softmax),
        cmocka_unit_test(heads_agree_with_the_published_numbers),
        cmocka_unit_test(heads_agree_with_pytorch),
        cmocka_unit_test(plain_classification_and_animals_alone),
        cmocka_unit_test(all_pairs_of_rows_make_no_third_dimension),
        cmocka_unit_test(heads_agree_in_32_bits),
        cmocka_unit_test(places_and_diagonals_in_32_bits),
        cmocka_unit_test(one_number_is_a_table_of_one),
        cmocka_unit_test(what_cannot_be_computed_says_why),
        cmocka_unit_test(learned_weights_know_how_they_begin),
    };
    return cmocka_run_group_tests_name("losses", tests, NULL, NULL);
}
