/* gradient.c: between which numbers a formula must lie, where its slopes end, and how many weights a training reaches. */
#include <math.h>

#include "trial.h"

#include "../runtime/runtime.h"

/* ---- ranges ------------------------------------------------------------------------------------------------------------- */

/* Of an expression over `x` [3, 4] and `w` [5, 4], of which nothing is known; of its result, between these numbers. */
static void lies(const char *expression, double low, double high) {
    Trial *trial = trial_new();
    trial_sound(trial, "use heads");
    const char *text = arena_print(&trial->jre->forever, "probe %s", expression);
    Chunk *parsed = parse_chunk(trial->jre, source_from_text(trial->jre, "expression", text, strlen(text)));
    Environment *env = environment_new(&trial->c, trial->c.scope, NULL);
    Graph *g = env->graph = graph_new(&trial->c);
    static const struct { const char *name; int64_t rows; } data[] = {{"x", 3}, {"w", 5}};
    for (int i = 0; i < 2; i++) {
        Node *node = graph_source(g, OP_input, (Shape){2, {data[i].rows, 4}}, 0, data[i].name, NULL, NULL);
        map_set(&env->values, &trial->c.arena, intern(trial->jre, data[i].name), value_tensor(&trial->c, node, NOWHERE));
    }
    const Value *v = evaluate_line(env, parsed->statements.at[0]->value);
    if (v->kind != VALUE_TENSOR) fail_msg("%s\n%s", expression, test_messages(trial->jre));
    g->output = v->node;
    graph_sweep(g);
    const NumberRange found = graph_ranges(g)[g->output->id];
    bool same = (found.low == low || fabs(found.low - low) <= 1e-12) && (found.high == high || fabs(found.high - high) <= 1e-12);
    if (!same) fail_msg("%s: %g to %g, expected %g to %g", expression, found.low, found.high, low, high);
    trial_free(trial);
}

static void functions_have_their_ranges(void **state) {
    (void)state;
    lies("x", -INFINITY, INFINITY);
    lies("sigmoid(x)", 0, 1);
    lies("tanh(x)", -1, 1);
    lies("erf(2 * x)", -1, 1);
    lies("cos(x) + 3 * sin(x)", -4, 4);
    lies("exp(x)", 0, INFINITY);
    lies("log(sigmoid(x))", -INFINITY, 0);
    lies("sqrt(4 * sigmoid(x))", 0, 2);
    lies("relu6(x)", 0, 6);
    lies("-abs(x)", -INFINITY, 0);
    lies("x > 0", 0, 1);
    lies("sigmoid(x) > 2", 0, 0);
    lies("sigmoid(x) >= 0", 1, 1);
    lies("if sigmoid(x) < 2 then tanh(x) else x", -1, 1);
    lies("if x > 0 then sigmoid(x) else 3", 0, 3);
}

static void arithmetic_keeps_them(void **state) {
    (void)state;
    lies("1 - sigmoid(x) * 4", -3, 1);
    lies("tanh(x) * tanh(x)", 0, 1);
    lies("tanh(x) ^ 2", 0, 1);
    lies("tanh(x) ^ 3", -1, 1);
    lies("x ^ 0", 1, 1);
    lies("0 * x", 0, 0);
    lies("tanh(x) / 4", -0.25, 0.25);
    lies("tanh(x) / (sigmoid(x) - 2)", -1, 1);
    lies("tanh(x) / sigmoid(x)", -INFINITY, INFINITY);
    lies("mean over i, j of tanh(x)[i, j]", -1, 1);
    lies("sum over j of tanh(x)[1, j]", -4, 4);
    lies("max over j of tanh(x)[1, j]", -1, 1);
    lies("concat([sigmoid(x), -sigmoid(x)])", -1, 1);
}

/* m * a + (1 - m) * b lies between a and b: a margin for the true class, none for the others. */
static void a_mixture_lies_between(void **state) {
    (void)state;
    lies("sigmoid(x) * tanh(x) + (1 - sigmoid(x)) * tanh(2 * x)", -1, 1);
    lies("(1 - sigmoid(x)) * 5 + sigmoid(x) * -2", -2, 5);
    lies("sigmoid(x) * tanh(x) + sigmoid(x) * tanh(x)", -2, 2);
    lies("x * 5 + (1 - x) * 2", -INFINITY, INFINITY);
}

static void rows_of_length_1_make_cosines(void **state) {
    (void)state;
    lies("unit(x)", -1, 1);
    lies("unit(x) @ unit(w)'", -1, 1);
    lies("30 * (unit(x) @ unit(w)')", -30, 30);
    lies("(2 * unit(x)) @ (unit(w) / 4)'", -0.5, 0.5);
    lies("sum over k of unit(x)[1, k] * unit(w)[1, k]", -1, 1);
    lies("sum over k of unit(x)[1, k] ^ 2", 0, 1);
    lies("sum over k of (unit(x)[1, k] - unit(w)[1, k]) ^ 2", 0, 4);
    lies("softmax(x)", 0, 1);
    lies("softmax(x) @ unit(w)'", -1, 1);
    lies("unit(x)' @ unit(x)", -3, 3);                            /* columns are not of length 1 */
    lies("unit(x) @ w'", -INFINITY, INFINITY);
    lies("unit(relu(x)) @ unit(relu(w))'", 0, 1);
}

/* A quotient is bounded where what it is divided by cannot be less, in the row that it divides. */
static void a_quotient_by_its_own_row_is_bounded(void **state) {
    (void)state;
    lies("(sum over k of x[1, k] / sqrt((sum over j of x[1, j] * x[1, j]) + 0.001))", -4, 4);
    lies("(sum over k of x[1, k] / max(sqrt(sum over j of x[1, j] ^ 2), 0.1))", -4, 4);
    lies("(sum over k of x[1, k] / sqrt(sum over j of w[1, j] ^ 2))", -INFINITY, INFINITY);
    lies("(sum over k of x[1, k] / (sum over j of x[1, j]))", -INFINITY, INFINITY);
}

/* ---- slopes ----------------------------------------------------------------------------------------------------------------- */

static void operators_say_where_they_have_a_slope(void **state) {
    (void)state;
    static const Op steps[] = {OP_lt, OP_le, OP_gt, OP_ge, OP_eq, OP_ne};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) assert_false(op_has_slope(steps[i], 0) || op_has_slope(steps[i], 1));
    assert_false(op_has_slope(OP_select, 0));
    assert_true(op_has_slope(OP_select, 1) && op_has_slope(OP_select, 2));
    for (int i = 0; i < 5; i++) assert_int_equal(op_has_slope(OP_batchnorm, i), i < 3);
    assert_true(op_has_slope(OP_conv, 2) && op_has_slope(OP_matmul, 1) && op_has_slope(OP_max_over, 0) && op_has_slope(OP_take, 0));
    assert_false(op_has_slope(OP_weight, 0));
}

static const char records[] = "use heads\ndataset animals { image \"*.png\"\n identity \"{who}\"\n table \"a.csv\" }\n"
                              "augment seen(x: Image) -> Image { x |> fit(8px) }\n";

/* A training of a network with this head and body. */
static const TrainPlan *training(Trial *trial, const char *network, const char *call, const char *loss) {
    const char *text = arena_print(&trial->jre->forever, "%s%s\ntrain learner { network %s\n loss %s\n data animals\n view seen\n epochs 1 }\n", records, network, call, loss);
    trial_sound(trial, text);
    return trial->c.plan->trains.at[0];
}

/* Running values of a batchnorm are counted, and frozen weights stay: neither is learned. What nothing needs is not there. */
static void a_training_counts_what_it_learns(void **state) {
    (void)state;
    static const char eye[] = "network Eye(x: Tensor[N, C, H, W]) -> Tensor[N, 5] { x |> conv(4, 1) |> batchnorm |> average_pool |> linear(5) }";
    const int64_t own = 3 * 4 + 2 * 4 + 4 * 5 + 5, head = 31 * 5 + 31;
    Trial *trial = trial_new();
    const TrainPlan *train = training(trial, eye, "Eye", "Softmax");
    assert_int_equal(train->weights, own + head);
    assert_int_equal(train->reached, own + head);
    trial_free(trial);
    trial = trial_new();
    train = training(trial, eye, "Eye(weights = random(seed = 1), frozen = true)", "Softmax");
    assert_int_equal(train->weights, head);
    trial_free(trial);
    trial = trial_new();
    train = training(trial, "network Eye(x: Tensor[N, C, H, W]) -> Tensor[N, 9] {\n first = x |> conv(4, 1) as first\n second = first |> conv(9, 1) as second\n second |> average_pool }\n"
                            "network Half(x: Tensor[N, C, H, W]) -> Tensor[N, 4] {\n eye = Eye(x)\n average_pool(eye.first) }", "Half", "BatchHardTriplet");
    assert_int_equal(train->weights, 3 * 4);
    trial_free(trial);
}

static void what_is_frozen_is_part_of_the_key(void **state) {
    (void)state;
    static const char eye[] = "network Eye(x: Tensor[N, C, H, W]) -> Tensor[N, 5] { x |> conv(4, 1) |> average_pool |> linear(5) }";
    Trial *trial = trial_new(), *other = trial_new();
    const char *learned = training(trial, eye, "Eye", "Softmax")->key->hash, *frozen = training(other, eye, "Eye(weights = random(seed = 1), frozen = true)", "Softmax")->key->hash;
    assert_string_not_equal(learned, frozen);
    trial_free(trial);
    trial_free(other);
}

/* ---- edits -------------------------------------------------------------------------------------------------------------------- */

/* The chunk of a trial after the one edit that its one finding proposes. */
static const char *edited(Trial *trial, const char *code) {
    assert_int_equal(diag_count(trial->jre, SEVERITY_ERROR), 1);
    const Diagnostic *d = trial->jre->diagnostics.at[0];
    assert_string_equal(diag_rows[d->code].name, code);
    const DiagHelp *help = &d->helps.at[d->helps.count - 1];
    assert_true(help->has_edit);
    const Source *source = source_of(trial->jre, help->edit);
    return arena_print(&trial->jre->forever, "%.*s%s%s", (int)(help->edit.start - source->base), source->bytes, help->replacement, source->bytes + (help->edit.end - source->base));
}

static void mends(const char *code, const char *network, const char *call, const char *loss) {
    Trial *trial = trial_new(), *again = trial_new();
    const char *text = arena_print(&trial->jre->forever, "%s%s\ntrain learner { network %s\n loss %s\n data animals\n view seen\n epochs 1 }\n", records, network, call, loss);
    if (trial_chunk(trial, text)) fail_msg("nothing was found wrong with:\n%s", text);
    const char *better = edited(trial, code);
    if (!trial_document(again, "v01.jre", better)) fail_msg("%s\n%s", better, test_messages(again->jre));
    trial_free(again);
    trial_free(trial);
}

static void the_edits_mend_what_was_found(void **state) {
    (void)state;
    static const char eye[] = "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, 4] { x |> conv(4, 1) |> average_pool }\n";
    static const struct { const char *numbers, *loss; } squashed[] = {
        {"unit(e) @ unit(W)'", "L"}, {"softmax(e @ W')", "L"}, {"sigmoid(e @ W' + 1)", "L"}, {"e @ W' |> softmax", "L"}, {"tanh(e @ W')", "L"}, {"-unit(e @ W')", "L"}, {"1 * unit(e @ W')", "L"},
    };
    for (size_t i = 0; i < sizeof squashed / sizeof *squashed; i++) {
        char formula[400];
        snprintf(formula, sizeof formula, "%sloss L(e: Embedding[N, d], who: Identity[N, K]) -> Scalar {\n learn W: Tensor[K, d] ~ normal(0, 1)\n CrossEntropy(%s, who)\n}", eye, squashed[i].numbers);
        mends("squashed_twice", formula, "Eye", squashed[i].loss);
    }
    mends("squashed_twice", eye, "Eye", "CosFace(scale = 1)");
    mends("squashed_twice", eye, "Eye", "ArcFace(margin = 0.4rad, scale = 0.5)");
    char uncounted[2000];                                          /* nobody counts the individuals here */
    snprintf(uncounted, sizeof uncounted, "%s%s\ntrain learner { network Eye\n loss CosFace(scale = 1)\n data animals\n view seen\n epochs 1 }\n", records, eye);
    trial_refused(uncounted, "squashed_twice", "the right one of 100, for instance, gets");
    static const char *const steps[] = {"y > level", "y - level >= 0", "level < y", "0 <= y + level"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char formula[400];
        snprintf(formula, sizeof formula, "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, 4] {\n learn level: Tensor[C] ~ zeros()\n y = average_pool(x)\n s = %s\n concat([y, s]) |> linear(4)\n}", steps[i]);
        mends("unreachable_gradient", formula, "Eye", "BatchHardTriplet");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_their_ranges),
        cmocka_unit_test(arithmetic_keeps_them),
        cmocka_unit_test(a_mixture_lies_between),
        cmocka_unit_test(rows_of_length_1_make_cosines),
        cmocka_unit_test(a_quotient_by_its_own_row_is_bounded),
        cmocka_unit_test(operators_say_where_they_have_a_slope),
        cmocka_unit_test(a_training_counts_what_it_learns),
        cmocka_unit_test(what_is_frozen_is_part_of_the_key),
        cmocka_unit_test(the_edits_mend_what_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
