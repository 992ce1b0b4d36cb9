/* profile.c: the arithmetic of limits and shares, with limits of no machine, and what a step of a network is said to do. Nothing here takes time. */
#include "trial.h"

#include "../runtime/runtime.h"

#include <math.h>

static const Limits limits = {.threads = 2, .one_flops = 100e9, .flops = 200e9, .near = 50e9, .memory = 10e9, .start = 1e-6, .cache = 1 << 20};

static StepProfile predicted(double flops, double bytes, double weight_bytes, bool near_slab, bool near_weights) {
    StepProfile step = {.flops = flops, .bytes = bytes, .weight_bytes = weight_bytes};
    step_predict(&step, &limits, near_slab, near_weights);
    return step;
}

static void assert_near(double a, double b) { assert_true(fabs(a - b) < 1e-9 * fabs(b)); }

static void much_arithmetic_is_bound_by_it(void **state) {
    (void)state;
    StepProfile step = predicted(2e9, 1e6, 1e6, true, true);
    assert_int_equal(step.bound, BOUND_ARITHMETIC);
    assert_near(step.ideal, 0.01);
    assert_near(step.predicted, 0.010001);
    assert_string_equal(bound_text(step.bound), "arithmetic");
}

static void many_bytes_are_bound_by_where_they_lie(void **state) {
    (void)state;
    StepProfile near = predicted(1e6, 1e8, 0, true, true), far = predicted(1e6, 1e8, 0, false, true), weights = predicted(1e6, 1e8, 1e8, true, false);
    assert_int_equal(near.bound, BOUND_MEMORY);
    assert_near(near.ideal, 0.002);
    assert_near(far.ideal, 0.01);
    assert_near(weights.ideal, 0.012);
}

static void next_to_nothing_is_bound_by_its_start(void **state) {
    (void)state;
    StepProfile step = predicted(1000, 70000, 0, true, true), alone = predicted(100, 100, 0, true, true);
    StepProfile slow = step;
    Limits waking = limits;
    waking.start = 1e-3;
    step_predict(&slow, &waking, true, true);
    assert_int_equal(slow.bound, BOUND_START);
    assert_near(slow.predicted, 1e-3 + 1.4e-6);
    assert_int_equal(alone.bound, BOUND_START);
    step_predict(&slow, &limits, true, true);
    assert_int_equal(slow.bound, BOUND_MEMORY);
    assert_true(alone.predicted < limits.start);                   /* so little wakes no other thread */
}

/* Winograd's transforms do less than the definition says: above 1 stays above 1. */
static void a_share_is_what_the_limits_allow_of_what_was_measured(void **state) {
    (void)state;
    StepProfile step = predicted(2e9, 1e6, 0, true, true);
    assert_true(step_share(&step) == 0);
    step.seconds = 0.02;
    assert_near(step_share(&step), 0.5);
    step.seconds = 0.005;
    assert_near(step_share(&step), 2);
}

static void limits_can_be_stated(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Limits stated = {0};
    assert_true(limits_stated(jre, "100,200,60,20,5", &stated));
    assert_near(stated.one_flops, 100e9);
    assert_near(stated.flops, 200e9);
    assert_near(stated.near, 60e9);
    assert_near(stated.memory, 20e9);
    assert_near(stated.start, 5e-6);
    static const char *const wrong[] = {"", "100", "100,200,60,20", "100,200,60,20,0", "100,200,60,20,nan", "100,200,60,20,5x", "fast"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(limits_stated(jre, wrong[i], &stated));
    test_message_says(jre, "JRE_LIMITS is `fast`", "five numbers", "microseconds", NULL);
    jre_free(jre);
}

static void the_loops_are_those_of_the_level(void **state) {
    (void)state;
    int level = kernel_level(NULL);
    const KernelLimit *loops = kernel_limit(level);
    assert_non_null(loops);
    assert_int_equal(loops->level, level);
    float numbers[1000];
    for (int i = 0; i < 1000; i++) numbers[i] = (float)i;
    for (int count = 0; count <= 1000; count += 37) assert_true(loops->read(numbers, count) == (float)(count * (count - 1) / 2));
    assert_true(isfinite(loops->multiply(1000)));
}

/* A convolution of 3 to 8 channels, 3 x 3, over 16 x 16, then its mean: counted by hand. */
static void a_network_is_counted_step_by_step(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Compilation c = {.jre = jre, .arena = {.jre = jre}};
    WeightFacts facts = {.path = "made up", .made_up = true};
    WeightScope scope = {.path = "made up", .facts = &facts};
    Graph *g = graph_new(&c);
    const char *why;
    g->input = graph_source(g, OP_input, (Shape){4, {DIM_BATCH, 3, 16, 16}}, 0, NULL, NULL, NULL);
    Node *w = graph_source(g, OP_weight, (Shape){4, {8, 3, 3, 3}}, 0, "conv.weight", &scope, NULL);
    double same[] = {1, 1, 1, 1, -INFINITY, INFINITY}, axes[] = {12};
    Node *conv = graph_add(g, OP_conv, (Node *[]){g->input, w}, 2, same, NULL, &why);
    g->output = graph_add(g, OP_mean, &conv, 1, axes, NULL, &why);
    Program *program = compile_graph(&c, g, 4);
    assert_int_equal(program->step_count, 2);
    Pool *pool = pool_new(jre, 1);
    Device *device = device_open_cpu(jre, pool, 0);
    Executor *sketch = executor_sketch(jre, program, device);
    assert_non_null(sketch);
    Profile profile = profile_predict(&c.arena, sketch, program, &limits);
    assert_int_equal(profile.pictures, program->max_batch);
    double n = program->max_batch;
    assert_true(profile.steps[0].flops == n * 2 * 27 * 8 * 256);
    assert_true(profile.steps[0].bytes == n * 4 * (3 + 8) * 256);
    assert_true(profile.steps[0].weight_bytes >= 4.0 * 8 * 27);
    assert_true(profile.steps[1].bytes == n * 4 * (8 * 256 + 8));
    assert_true(profile.total.flops == profile.steps[0].flops + profile.steps[1].flops);
    assert_false(profile.measured);
    executor_free(sketch);

    /* A picture at a time, each reads the weights again. */
    const double once = profile.steps[0].weight_bytes, started = profile.steps[0].predicted - profile.steps[0].ideal;
    one_segment(program, program->max_batch, 1);
    memory_plan(program);
    sketch = executor_sketch(jre, program, device);
    assert_non_null(sketch);
    Profile tiled = profile_predict(&c.arena, sketch, program, &limits);
    assert_true(n > 1 && tiled.steps[0].runs == program->max_batch && tiled.steps[0].weight_bytes == n * once);
    assert_true(tiled.steps[0].bytes == profile.steps[0].bytes && tiled.steps[0].flops == profile.steps[0].flops);
    assert_near(tiled.steps[0].predicted - tiled.steps[0].ideal, n * started);
    executor_free(sketch);
    plan_batch(program, program->max_batch);

    WeightLibrary *weights = weight_library_new(jre);
    weight_library_make_up(weights, 1.5);
    Executor *executor = executor_new(jre, program, device, weights);
    assert_non_null(executor);
    assert_true(executor_bytes(executor) == profile.memory);
    assert_true(profile_measure(jre, &profile, executor, program, 0));
    assert_true(profile.measured && profile.total.seconds == profile.steps[0].seconds + profile.steps[1].seconds);
    executor_free(executor);
    weight_library_free(weights);
    device->close(device);
    pool_free(pool);
    compilation_free(&c);
    jre_free(jre);
}

static void a_batch_that_does_not_come_first_is_counted_too(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Compilation c = {.jre = jre, .arena = {.jre = jre}};
    Graph *g = graph_new(&c);
    const char *why;
    g->input = graph_source(g, OP_input, (Shape){4, {DIM_BATCH, 3, 16, 16}}, 0, NULL, NULL, NULL);
    const int order[] = {1, 0, 2, 3};
    Node *turned = graph_transpose(g, g->input, order, NULL), *sines = graph_add(g, OP_sin, &turned, 1, NULL, NULL, &why);
    Node *back = graph_transpose(g, sines, order, NULL);
    g->output = graph_add(g, OP_mean, &back, 1, (double[]){12}, NULL, &why);
    Program *program = compile_graph(&c, g, 4);
    Pool *pool = pool_new(jre, 1);
    Device *device = device_open_cpu(jre, pool, 0);
    Executor *sketch = executor_sketch(jre, program, device);
    assert_non_null(sketch);
    Profile profile = profile_predict(&c.arena, sketch, program, &limits);
    assert_true(program->flops > 3 * 256 && profile.total.flops == 4 * program->flops);
    executor_free(sketch);
    device->close(device);
    pool_free(pool);
    compilation_free(&c);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_arithmetic_is_bound_by_it),
        cmocka_unit_test(many_bytes_are_bound_by_where_they_lie),
        cmocka_unit_test(next_to_nothing_is_bound_by_its_start),
        cmocka_unit_test(a_share_is_what_the_limits_allow_of_what_was_measured),
        cmocka_unit_test(limits_can_be_stated),
        cmocka_unit_test(the_loops_are_those_of_the_level),
        cmocka_unit_test(a_network_is_counted_step_by_step),
        cmocka_unit_test(a_batch_that_does_not_come_first_is_counted_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
