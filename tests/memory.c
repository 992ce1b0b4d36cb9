/* memory.c: plans of memory: order, what lies in whose bytes, segments and their tiles. A plan is walked with names in the place of numbers
 * and nobody may read a name that it did not expect; then it is run, and no number may depend on it. */
#include <math.h>

#include "trial.h"

#include "../kernels/kernels.h"
#include "../runtime/runtime.h"

/* ---- a plan walked with names ----------------------------------------------------------------------------------------------------- */

typedef struct { const Program *p; bool *computed; uint64_t *slab; size_t numbers; int first, count; } Walker;

static int64_t size_at(const Walker *w, const Node *node, int i) { return node->shape.dim[i] == DIM_BATCH ? w->count : node->shape.dim[i]; }

static int64_t elements(const Walker *w, const Node *node) { return shape_elements(node->shape, w->count); }

static void split(const Walker *w, const Node *node, int64_t element, int64_t *index) {
    for (int i = node->shape.rank - 1; i >= 0; i--) {
        index[i] = element % size_at(w, node, i);
        element /= size_at(w, node, i);
    }
}

static int64_t joined(const Walker *w, const Node *node, const int64_t *index) {
    int64_t element = 0;
    for (int i = 0; i < node->shape.rank; i++) element = element * size_at(w, node, i) + index[i];
    return element;
}

/* What the number at `element` of a node is called: by who computed it, and which of all pictures it belongs to. */
static uint64_t name_of(const Walker *w, const Node *node, int64_t element) {
    int64_t index[GRAPH_RANK + 1], inner[GRAPH_RANK + 1];
    while (!w->computed[node->id]) {
        const Node *in = node->in[0];
        split(w, node, element, index);
        if (node->op == OP_transpose) {
            for (int i = 0; i < in->shape.rank; i++) inner[(int)node->attribute[i]] = index[i];
            element = joined(w, in, inner);
        } else if (node->op == OP_take) {
            int axis = (int)node->attribute[0];
            for (int i = 0; i < in->shape.rank; i++) inner[i] = i < axis ? index[i] : i == axis ? (int64_t)node->attribute[1] : index[i - 1];
            element = joined(w, in, inner);
        } else if (node->op == OP_concat) {
            int axis = (int)node->attribute[0], part = 0;
            for (; index[axis] >= node->in[part]->shape.dim[axis]; part++) index[axis] -= node->in[part]->shape.dim[axis];
            in = node->in[part];
            element = joined(w, in, index);
        } else {
            assert_int_equal(node->op, OP_reshape);
        }
        node = in;
    }
    return ((uint64_t)node->id + 1) << 40 | (uint64_t)(element + w->first * (elements(w, node) / w->count));
}

/* Reads (or writes) the names of a node where the plan says that its numbers lie. */
static void visit(Walker *w, const Node *node, bool writes, const Node *by) {
    const Placement *place = &w->p->place[node->id];
    if (place->kind == PLACE_LOADED) return;
    int64_t stride[GRAPH_RANK], index[GRAPH_RANK + 1];
    node_strides(place->laid_as, place->channels_last, w->count, stride);
    for (int64_t element = 0; element < elements(w, node); element++) {
        split(w, node, element, index);
        int64_t at = (int64_t)(place->offset / sizeof(float)) + (place->whole ? w->first * stride[0] : 0);
        for (int i = 0; i < node->shape.rank; i++) at += index[i] * stride[i];
        assert_in_range(at, 0, w->numbers - 1);
        if (writes) w->slab[at] = name_of(w, node, element);
        else if (w->slab[at] != name_of(w, node, element))
            fail_msg("node %d reads number %lld of node %d, and finds what node %d left there", by ? by->id : -1, (long long)element, node->id, (int)(w->slab[at] >> 40) - 1);
    }
}

/* What is written over is written over number by number: both lie alike. */
static void assert_lies_alike(const Walker *w, const Node *node, const Node *over) {
    const Placement *a = &w->p->place[node->id], *b = &w->p->place[over->id];
    if (a->kind != PLACE_SLAB || b->kind == PLACE_LOADED || a->buffer != b->buffer || a->offset != b->offset) return;
    int64_t own[GRAPH_RANK], other[GRAPH_RANK];
    assert_true(shape_equal(node->shape, over->shape));
    node_strides(a->laid_as, a->channels_last, w->count, own);
    node_strides(b->laid_as, b->channels_last, w->count, other);
    for (int i = 0; i < node->shape.rank; i++) assert_int_equal(own[i], other[i]);
}

static void walk_tile(Walker *w, const Segment *segment, bool first, bool last) {
    if (first) visit(w, w->p->graph->input, true, NULL);
    for (int s = segment->first; s < segment->end; s++) {
        const Node *node = w->p->steps[s].node;
        for (int k = 0; k < node->inputs; k++)
            if (node->in[k]) visit(w, node->in[k], false, node), assert_lies_alike(w, node, node->in[k]);
        visit(w, node, true, NULL);
    }
    if (last) visit(w, w->p->graph->output, false, NULL);
}

static void assert_plan(const Program *p) {
    Walker w = {.p = p, .numbers = p->slab_bytes / sizeof(float)};
    w.slab = calloc(w.numbers + 1, sizeof *w.slab);
    w.computed = calloc((size_t)p->graph->nodes.count, sizeof *w.computed);
    assert_true(w.slab && w.computed);
    w.computed[p->graph->input->id] = true;
    for (int s = 0; s < p->step_count; s++) w.computed[p->steps[s].node->id] = true;
    const int batches[] = {p->max_batch, 1, (p->max_batch + 2) / 2};
    for (int b = 0; b < 3; b++)
        for (int i = 0; i < p->segment_count; i++) {
            const Segment *segment = &p->segments[i];
            for (w.first = 0; w.first < batches[b]; w.first += segment->tile) {
                w.count = batches[b] - w.first < segment->tile ? batches[b] - w.first : segment->tile;
                walk_tile(&w, segment, i == 0, i == p->segment_count - 1);
            }
        }
    assert_true(p->slab_bytes <= p->sum_bytes + 64);
    free(w.slab);
    free(w.computed);
}

/* ---- plans ---------------------------------------------------------------------------------------------------------------------------- */

static const char *const networks[] = {
    "filter_bank(x) |> average_pool |> unit",
    "a = x |> mean_pool(2)\nb = abs(a)\nc = sin(b) + a\nd = c * a + b\n(d |> average_pool) + (a |> average_pool) |> unit",
    "a = blur(x, 1px)\nb = blur(a, 2px)\nconcat([a, b, x, a - b, x - a]) |> mean_pool(8) |> flatten |> unit",
    "a = concat([x, blur(x, 1px)])\nb = a |> mean_pool(2)\nc = concat([sin(b), abs(b), concat([cos(b), b * b])])\n(c + 1 |> average_pool |> unit) * 2",
    "a = x |> mean_pool(4)\ny[n, w, h] = sum over c of a[n, c, h, w] * a[n, c, h, w]\nz[n, h] = max over w of y[n, w, h]\nz",
    "a = x |> flatten\nb = a * a\n(b + a) / 2 |> unit",
    "a = x |> mean_pool(4)\nt[n, c, h, w] = a[n, c, w, h]\ns = sin(t) + a\nconcat([s, t, a]) |> mean_pool(2) |> flatten |> unit",
    "a = x |> mean_pool(4)\nt[n, c, h, w] = a[n, c, w, h]\nb = a |> mean_pool(2)\n(t + a |> average_pool) + (b |> average_pool) |> unit",
    "a = x |> mean_pool(4)\nt[n, c, h, w] = a[n, c, w, h]\nconcat([t, a, blur(a, 1px)]) |> mean_pool(2) |> flatten |> unit",
};
enum { NETWORKS = sizeof networks / sizeof *networks, SIDE = 32 };

/* Segments cut at random places, with tiles of any size. */
static void cut_at_random(Program *p, uint32_t *seed) {
    p->segment_count = 0;
    for (int at = 0; at < p->step_count;) {
        *seed = *seed * 1664525u + 1013904223u;
        int length = 1 + (int)(*seed >> 16) % 5, tile = 1 + (int)(*seed >> 24) % p->max_batch;
        if (at + length > p->step_count) length = p->step_count - at;
        p->segments[p->segment_count++] = (Segment){at, at + length, tile};
        at += length;
    }
    memory_plan(p);
}

static void nobody_reads_what_another_left(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (int i = 0; i < NETWORKS; i++) {
        Trial *trial = trial_new();
        const Program *program = trial_network(trial, "use filters", SIDE, networks[i]);
        assert_plan(program);
        assert_true(program->slab_bytes < program->sum_bytes);
        for (int k = 0; k < 4; k++) {
            cut_at_random(trial->c.plan->embeds.at[0]->program, &seed);
            assert_plan(program);
        }
        trial_free(trial);
    }
}

static void plans_of_library_networks_are_sound(void **state) {
    (void)state;
    static const char *const calls[] = {"use mobilenetv2", "x |> mobilenetv2_100(weights = \"some.safetensors\") |> average_pool",
                                        "use squeezenet", "x |> squeezenet1_1(weights = \"some.safetensors\") |> average_pool",
                                        "use resnet", "x |> resnet18(weights = \"some.safetensors\") |> average_pool"};
    for (int i = 0; i < 3; i++) {
        Trial *trial = trial_new();
        if (i == 0) fake_mobilenetv2(&trial->files);
        else if (i == 1) fake_squeezenet(&trial->files);
        else fake_resnet(&trial->files, (int[]){2, 2, 2, 2}, false);
        uint32_t seed = 5;
        assert_plan(trial_network(trial, calls[2 * i], 64, calls[2 * i + 1]));
        cut_at_random(trial->c.plan->embeds.at[0]->program, &seed);
        assert_plan(trial->c.plan->embeds.at[0]->program);
        trial_free(trial);
    }
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------------------- */

typedef struct { Trial *trial; Pool *pool; Device *device; } Room;

static Room room_new(void) {
    Room room = {.trial = trial_new()};
    room.pool = pool_new(room.trial->jre, 2);
    room.device = device_open_cpu(room.trial->jre, room.pool, kernel_level(NULL));
    return room;
}

static void room_free(Room *room) {
    room->device->close(room->device);
    pool_free(room->pool);
    trial_free(room->trial);
}

static void run(const Room *room, const Program *program, const float *pictures, int n, float *numbers) {
    Executor *executor = executor_new(room->trial->jre, program, room->device, NULL);
    if (!executor || !executor_run(executor, pictures, n, numbers)) {
        char *text = test_messages(room->trial->jre);
        fail_msg("%s", text);
    }
    executor_free(executor);
}

static void no_number_depends_on_the_batch_or_on_a_tile(void **state) {
    (void)state;
    enum { MOST = 17 };
    size_t pixels = 3 * SIDE * SIDE;
    float *pictures = calloc(MOST * pixels, sizeof *pictures);
    assert_non_null(pictures);
    uint32_t seed = 3;
    for (size_t i = 0; i < MOST * pixels; i++) {
        seed = seed * 1664525u + 1013904223u;
        pictures[i] = (float)(seed >> 8) / (float)(1 << 24) - 0.4f;
    }
    for (int i = 0; i < NETWORKS; i++) {
        Room room = room_new();
        const Program *program = trial_network(room.trial, "use filters", SIDE, networks[i]);
        size_t width = (size_t)shape_elements(program->output, 1);
        float *wanted = calloc(2 * MOST * width, sizeof *wanted), *found = wanted + MOST * width;
        assert_non_null(wanted);
        Executor *executor = executor_new(room.trial->jre, program, room.device, NULL);
        assert_non_null(executor);
        for (int n = 0; n < MOST; n++) assert_true(executor_run(executor, pictures + (size_t)n * pixels, 1, wanted + (size_t)n * width));
        for (int n = 1; n <= MOST; n++) {
            assert_true(executor_run(executor, pictures, n, found));
            assert_memory_equal(found, wanted, (size_t)n * width * sizeof *found);
        }
        executor_free(executor);
        for (int k = 0; k < 3; k++) {
            cut_at_random(room.trial->c.plan->embeds.at[0]->program, &seed);
            run(&room, program, pictures, MOST, found);
            assert_memory_equal(found, wanted, MOST * width * sizeof *found);
        }
        program_within(room.trial->c.plan->embeds.at[0]->program, 0);          /* the least there is */
        assert_int_equal(program->max_batch, 1);
        assert_plan(program);
        run(&room, program, pictures, MOST, found);
        assert_memory_equal(found, wanted, MOST * width * sizeof *found);
        free(wanted);
        room_free(&room);
    }
    free(pictures);
}

/* Pictures are not in the first dimension of what is turned, so no tile may be cut from it: its planned segments are run. */
static void turned_pictures_are_found_for_any_batch(void **state) {
    (void)state;
    enum { MOST = 9 };
    static const char *const turned[] = {
        "a = x |> mean_pool(8)\nt[c, n, h, w] = sin(a[n, c, h, w])\nu[n, h, w] = t[1, n, h, w] - t[2, n, h, w]\ny[n, h] = max over w of u[n, h, w]\ny",
        "a = x |> mean_pool(8)\nt[c, n, h, w] = sin(a[n, c, h, w])\nu = t + 1\ny[n, h] = sum over c, w of u[c, n, h, w]\ny |> unit",
        "a = x |> average_pool\nt[c, n] = a[n, c]\nu = sin(t)\ny[n] = mean over c of u[c, n]\nz[n, c] = a[n, c] * y[n]\nz",
        "a = x |> mean_pool(16)\nt[c, h, w, n] = a[n, c, h, w]\nu = sin(t)\ny[n, c] = sum over h, w of u[c, h, w, n]\ny",
    };
    const size_t pixels = 3 * SIDE * SIDE;
    float *pictures = calloc(MOST * pixels, sizeof *pictures);
    assert_non_null(pictures);
    for (size_t i = 0; i < MOST * pixels; i++) pictures[i] = (float)(i * 2654435761u % 1009u) / 1009.0f;
    for (size_t i = 0; i < sizeof turned / sizeof *turned; i++) {
        Room room = room_new();
        const Program *program = trial_network(room.trial, "", SIDE, turned[i]);
        const size_t width = (size_t)shape_elements(program->output, 1);
        float *wanted = calloc(2 * MOST * width, sizeof *wanted), *found = wanted + MOST * width;
        assert_non_null(wanted);
        for (int n = 0; n < MOST; n++) run(&room, program, pictures + (size_t)n * pixels, 1, wanted + (size_t)n * width);
        for (int n = 2; n <= MOST; n++) {
            run(&room, program, pictures, n, found);
            assert_memory_equal(found, wanted, (size_t)n * width * sizeof *found);
        }
        free(wanted);
        room_free(&room);
    }
    free(pictures);
}

/* ---- what is saved ------------------------------------------------------------------------------------------------------------------------ */

/* Slab of one picture, in pictures of the input, with the steps in one order or the other. */
static double pictures_in_slab(Program *p, bool by_memory) {
    bool *loaded = arena_array(p->graph->arena, bool, p->graph->nodes.count);
    for (int i = 0; i < p->graph->nodes.count; i++) loaded[i] = p->place[i].kind == PLACE_LOADED;
    p->step_count = order_steps(p->graph, loaded, by_memory, p->steps);
    place_nodes(p);
    one_segment(p, 1, 1);
    memory_plan(p);
    assert_plan(p);
    return (double)p->slab_bytes / (3 * SIDE * SIDE * sizeof(float));
}

static void the_branch_with_the_larger_peak_goes_first(void **state) {
    (void)state;
    Trial *trial = trial_new();
    /* The operands' own order keeps two blurred pictures beside what the other branch needs, which leaves a single number behind. */
    trial_network(trial, "", SIDE, "b = concat([x, x + 1, x + 2, x + 3]) |> blur(1px) |> average_pool\na = concat([x, x * 2]) |> blur(2px)\nm[n] = mean over c of b[n, c]\n"
                                   "y[n, c, h, w] = a[n, c, h, w] * m[n]\ny |> mean_pool(32) |> flatten |> unit");
    Program *p = trial->c.plan->embeds.at[0]->program;
    assert_true(fabs(pictures_in_slab(p, false) - 10) < 0.1);      /* two blurred pictures beside four and their blur */
    assert_true(fabs(pictures_in_slab(p, true) - 9) < 0.1);
    trial_free(trial);
}

static void what_only_renames_or_dies_takes_no_buffer(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_network(trial, "", SIDE, "sin(cos(x) + 1) |> abs |> mean_pool(2) |> flatten");
    double pictures = pictures_in_slab(trial->c.plan->embeds.at[0]->program, false);
    assert_true(fabs(pictures - 1.25) < 0.1);                      /* the picture, over which all is computed, and a quarter of it */
    trial_free(trial);
}

/* While four pictures are blurred, x and its sine wait. */
static const char long_skip[] = "s = sin(x)\nb = concat([s + 1, s + 2, s + 3, s + 4]) |> blur(1px) |> average_pool\nm[n] = mean over c of b[n, c]\n"
                                "y[n, c, h, w] = s[n, c, h, w] * m[n] + x[n, c, h, w]\ny |> mean_pool(32) |> flatten |> unit";

static void what_has_to_fit_takes_fewer_pictures_then_computes_twice(void **state) {
    (void)state;
    const size_t picture = 3 * SIDE * SIDE * sizeof(float);
    Trial *trial = trial_new();
    trial_network(trial, "", SIDE, long_skip);
    Program *p = trial->c.plan->embeds.at[0]->program;
    const size_t whole = p->slab_bytes;
    const int batch = p->max_batch;
    program_within(p, whole);
    assert_true(p->max_batch == batch && p->slab_bytes == whole && !p->computed_again);
    plan_batch(p, 1);
    const size_t alone = p->slab_bytes;
    plan_batch(p, batch);
    program_within(p, alone);
    assert_true(p->max_batch == 1 && p->asked_batch == batch && p->slab_bytes <= alone && !p->computed_again);
    program_within(p, alone - picture / 2);
    assert_int_equal(p->computed_again, 1);
    assert_true(p->slab_bytes <= alone - picture / 2);
    assert_true(graph_verify(p->graph, "fit"));
    assert_plan(p);
    trial_free(trial);
}

/* Whatever is allowed: what is refused cannot be had with fewer pictures, what is taken is within the limit. */
static void nothing_is_refused_while_fewer_pictures_would_fit(void **state) {
    (void)state;
    const size_t step = 24 << 10;
    Room room = room_new();
    trial_network(room.trial, "", SIDE, "x |> mean_pool(2) |> sin |> mean_pool(4) |> flatten");
    Program *p = room.trial->c.plan->embeds.at[0]->program;
    Session session = {.jre = room.trial->jre, .pool = room.pool, .device = room.device};
    const Coming coming = {0};
    const int batch = p->max_batch;
    Budget budget;
    session.options.memory = SIZE_MAX;
    assert_true(session_fit(&session, p, &coming, "eye", NOWHERE, &budget));
    assert_true(p->max_batch == batch && batch > 1);
    int taken = 0, refused = 0;
    for (size_t limit = budget.all + 4 * step; limit > budget.all - budget.slab - 4 * step; limit -= step) {
        Budget own;
        plan_batch(p, batch);
        session.options.memory = limit;
        if (session_fit(&session, p, &coming, "eye", NOWHERE, &own)) {
            assert_true(own.all <= limit);
            taken += p->max_batch < batch;
        } else {
            assert_int_equal(p->max_batch, 1);
            refused++;
        }
    }
    assert_true(taken > 0 && refused > 0);
    room_free(&room);
}

static void what_is_computed_twice_has_the_same_bits(void **state) {
    (void)state;
    enum { PICTURES = 3 };
    size_t pixels = 3 * SIDE * SIDE;
    float pictures[PICTURES * 3 * SIDE * SIDE], wanted[PICTURES * 3], found[PICTURES * 3];
    for (size_t i = 0; i < PICTURES * pixels; i++) pictures[i] = (float)(i * 2654435761u % 1009u) / 1009.0f;
    Room room = room_new();
    const Program *program = trial_network(room.trial, "", SIDE, long_skip);
    run(&room, program, pictures, PICTURES, wanted);
    program_within(room.trial->c.plan->embeds.at[0]->program, 0);
    assert_true(program->computed_again > 0);
    run(&room, program, pictures, PICTURES, found);
    assert_memory_equal(found, wanted, sizeof found);
    room_free(&room);
}

/* ---- the list of ops that take slices, held against the kernels ------------------------------------------------------------------------ */

static TensorView slice(int64_t channels, int64_t side, float *numbers) {
    TensorView view = {.data = numbers, .type = KERNEL_F32, .rank = 4, .dim = {2, channels, side, side}};
    const int64_t wide = channels + 24;
    view.stride[0] = wide * side * side, view.stride[1] = 1, view.stride[2] = wide * side, view.stride[3] = wide;
    return view;
}

static void ops_that_are_given_slices_have_fast_kernels_for_them(void **state) {
    (void)state;
    static const struct { const char *op; double attribute[KERNEL_ATTRIBUTES]; } cases[] = {
        {"conv", {1, 0, 1, 1, -1e30, 1e30}}, {"conv", {1, 0, 1, 16, -1e30, 1e30}}, {"max_pool", {1, 1, 0}}, {"mean_pool", {1, 1, 0}}, {"add", {0}}, {"neg", {0}}, {"clamp", {0, 1}},
        {"copy", {0}},
    };
    float some[1] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        KernelCall call = {.out = slice(16, 6, some), .in = {slice(16, 6, some)}, .inputs = 1};
        bool conv = !strcmp(cases[i].op, "conv");
        memcpy(call.attribute, cases[i].attribute, sizeof call.attribute);
        if (conv || !strcmp(cases[i].op, "add")) call.inputs = 2, call.in[1] = call.in[0];
        if (conv) {
            call.in[1] = (TensorView){.data = some, .type = KERNEL_F32, .rank = 4, .dim = {16, call.attribute[CONV_groups] > 1 ? 1 : 16, 1, 1}};
            lay_row_major(&call.in[1]);
        }
        const Kernel *kernel = kernel_find(cases[i].op, "cpu", NULL, kernel_level(NULL), &call);
        assert_non_null(kernel);
        if (!strcmp(kernel->variant, "reference")) fail_msg("%s has no fast kernel for a slice", cases[i].op);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_reads_what_another_left),
        cmocka_unit_test(plans_of_library_networks_are_sound),
        cmocka_unit_test(no_number_depends_on_the_batch_or_on_a_tile),
        cmocka_unit_test(turned_pictures_are_found_for_any_batch),
        cmocka_unit_test(the_branch_with_the_larger_peak_goes_first),
        cmocka_unit_test(what_only_renames_or_dies_takes_no_buffer),
        cmocka_unit_test(what_has_to_fit_takes_fewer_pictures_then_computes_twice),
        cmocka_unit_test(nothing_is_refused_while_fewer_pictures_would_fit),
        cmocka_unit_test(what_is_computed_twice_has_the_same_bits),
        cmocka_unit_test(ops_that_are_given_slices_have_fast_kernels_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
