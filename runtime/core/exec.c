/* exec.c: walks a schedule.
 *
 * An executor owns the memory that memory.c planned: the slab, what stays loaded, and weights as the kernels want them
 * packed. It chooses a kernel for each step once; a run only fills in sizes for its batch and launches. Memory of a
 * device is touched through the device's functions alone, so the same walk serves a processor and a queue far away.
 *
 *   executor_new:  choose kernels -> copy weights and constants in -> load steps -> pack
 *   executor_run:  copy in -> steps -> copy out -> look for numbers that are not finite
 *
 * Every failure is charged to the user's line that led to the step, with the library's line beside it. */
#include <math.h>
#include <string.h>

#include "../runtime.h"

enum { LINE = 64 };

typedef struct {
    const Node *node;
    const Kernel *kernel;
    size_t packed_offset;                 /* into `packed` */
    bool packed_once;                     /* in[1] stays loaded, so it was packed when the executor was made */
} Launch;

struct Executor {
    Jre *jre;
    const Program *program;
    Device *device;
    Arena arena;
    Launch *load, *steps;
    const Kernel *to_input, *from_output; /* between the host's layout and the graph's; NULL where they agree */
    DeviceMemory slab, loaded, packed, staging;
    size_t packed_bytes, staging_bytes;
    int64_t first; int asked;             /* of the call in the making: the first picture of the tile, how many in all */
};

/* ---- views: where a node's numbers lie ---------------------------------------------------------------------------- */

_Static_assert((int)KERNEL_RANK == (int)GRAPH_RANK && (int)KERNEL_INPUTS == (int)GRAPH_INPUTS &&
               (int)KERNEL_ATTRIBUTES == (int)GRAPH_ATTRIBUTES, "a node fits a kernel's call");

void lay_row_major(TensorView *view) {
    int64_t stride = 1;
    for (int i = view->rank - 1; i >= 0; i--) {
        view->stride[i] = stride;
        stride *= view->dim[i];
    }
}

static void lay_channels_last(TensorView *view) {
    const int64_t channels = view->dim[1], height = view->dim[2], width = view->dim[3];
    view->stride[0] = channels * height * width;
    view->stride[1] = 1;
    view->stride[2] = channels * width;
    view->stride[3] = channels;
}

static TensorView row_major_view(Shape shape, int n, DeviceMemory memory) {
    TensorView view = {.data = (void *)memory, .type = KERNEL_F32, .rank = shape.rank};
    for (int i = 0; i < shape.rank; i++) view.dim[i] = shape.dim[i] == DIM_BATCH ? n : shape.dim[i];
    lay_row_major(&view);
    return view;
}

static DeviceMemory memory_of(const Executor *executor, const Node *node) {
    const Placement *place = &executor->program->place[node->id];
    return (place->kind == PLACE_LOADED ? executor->loaded : executor->slab) + place->offset;
}

static TensorView view_of(const Executor *executor, const Node *node, int n) {
    TensorView view = row_major_view(node->shape, n, memory_of(executor, node));
    if (executor->program->place[node->id].channels_last && view.rank == 4) lay_channels_last(&view);
    return view;
}

/* An operand as large as the result: sizes align from the right, and what is missing or 1 is stretched. */
static TensorView stretched(const TensorView *operand, const TensorView *out) {
    TensorView view = *out;
    view.data = operand->data;
    int missing = out->rank - operand->rank;
    for (int i = 0; i < out->rank; i++)
        view.stride[i] = i < missing || (operand->dim[i - missing] == 1 && out->dim[i] != 1) ? 0 : operand->stride[i - missing];
    return view;
}

static TensorView transposed(const TensorView *x, const Node *node) {
    TensorView view = *x;
    for (int i = 0; i < x->rank; i++) {
        int old = (int)node->attribute[i];
        view.dim[i] = x->dim[old];
        view.stride[i] = x->stride[old];
    }
    return view;
}

/* A reshape keeps the order of the language, so where one side lies in that order it may be seen with the other's sizes:
 * then both have equal sizes, which the copy kernels do best. Two channels-last sides keep their own. */
static void align_reshape(TensorView *in, TensorView *out) {
    TensorView *plain = view_row_major(in) ? in : view_row_major(out) ? out : NULL;
    if (!plain) return;
    const TensorView *other = plain == in ? out : in;
    plain->rank = other->rank;
    memcpy(plain->dim, other->dim, sizeof plain->dim);
    lay_row_major(plain);
}

static void drop_dimension(TensorView *view, int axis) {
    view->rank--;
    for (int i = axis; i < view->rank; i++) {
        view->dim[i] = view->dim[i + 1];
        view->stride[i] = view->stride[i + 1];
    }
}

static TensorView taken(const TensorView *x, const Node *node) {
    TensorView view = *x;
    int axis = (int)node->attribute[0];
    int64_t offset = (int64_t)node->attribute[1] * x->stride[axis];
    view.data = (char *)x->data + offset * (int64_t)(x->type == KERNEL_F64 ? sizeof(double) : sizeof(float));
    drop_dimension(&view, axis);
    return view;
}

static TensorView diagonal_of(const TensorView *x, const Node *node) {
    TensorView view = *x;
    int first = (int)node->attribute[0], second = (int)node->attribute[1];
    view.stride[first] += x->stride[second];
    drop_dimension(&view, second);
    return view;
}

KernelCall node_call(const Node *node, TensorView out, const TensorView *in) {
    KernelCall call = {.out = out, .inputs = node->inputs};
    memcpy(call.attribute, node->attribute, sizeof call.attribute);
    for (int i = 0; i < node->inputs; i++) {
        if (!node->in[i]) continue;
        call.in[i] = op_row(node->op)->flags & OP_ELEMENTWISE ? stretched(&in[i], &call.out) : in[i];
    }
    if (node->op == OP_transpose) call.in[0] = transposed(&in[0], node);
    if (node->op == OP_take) call.in[0] = taken(&in[0], node);
    if (node->op == OP_diagonal) call.in[0] = diagonal_of(&in[0], node);
    if (node->op == OP_reshape) align_reshape(&call.in[0], &call.out);
    return call;
}

const char *node_kernel(const Node *node) {
    bool moves = node->op == OP_reshape || node->op == OP_transpose || node->op == OP_take || node->op == OP_diagonal;
    return moves ? "copy" : op_row(node->op)->name;
}

static KernelCall call_of(const Executor *executor, const Node *node, int n) {
    TensorView in[GRAPH_INPUTS] = {{0}};
    for (int i = 0; i < node->inputs; i++)
        if (node->in[i]) in[i] = view_of(executor, node->in[i], n);
    return node_call(node, view_of(executor, node, n), in);
}

/* Between the host's row-major numbers and a node that lies channels last. */
static KernelCall call_of_staging(const Executor *executor, const Node *node, int n, bool inward) {
    TensorView staged = row_major_view(node->shape, n, executor->staging), placed = view_of(executor, node, n);
    return (KernelCall){.out = inward ? placed : staged, .in = {inward ? staged : placed}, .inputs = 1};
}

/* ---- failures ----------------------------------------------------------------------------------------------------------- */

/* Adds the library's line, where it is another than the user's. */
static Diagnostic *with_library_line(Diagnostic *d, const Node *node, Span user) {
    Span inner = node->origin ? node->origin->span : NOWHERE;
    if (inner.start != user.start || inner.end != user.end) diag_also(d, inner, "which comes to this line");
    return d;
}

static bool no_kernel(const Executor *executor, const Node *node) {
    Span user = origin_user_span(node->origin);
    Diagnostic *d = diag(executor->jre, DIAG_not_yet, user, "`%s` with these sizes does not run on %s yet",
                         op_row(node->op)->name, executor->device->name);
    with_library_line(d, node, user);
    return false;
}

static bool no_memory(const Executor *executor, const char *what, size_t bytes) {
    const Program *program = executor->program;
    diag_note(diag(executor->jre, DIAG_no_memory, origin_user_span(program->graph->output->origin),
                   "%.1f MiB for %s do not fit into the memory of %s", (double)bytes / 1048576, what, executor->device->name),
              "batches of %d pictures need %.1f MiB, weights %.1f MiB", program->max_batch, (double)program->slab_bytes / 1048576,
              (double)(program->loaded_bytes + executor->packed_bytes) / 1048576);
    return false;
}

/* ---- making one ------------------------------------------------------------------------------------------------------------ */

static size_t bytes_of(Shape shape, int n) { return (size_t)shape_elements(shape, n) * sizeof(float); }

static bool places_are_sound(const Executor *executor) {
    const Program *program = executor->program;
    for (int i = 0; i < program->graph->nodes.count; i++) {
        const Node *node = program->graph->nodes.at[i];
        const Placement *place = &program->place[i];
        size_t room = place->kind == PLACE_LOADED ? program->loaded_bytes : program->slab_bytes;
        size_t bytes = bytes_of(node->shape, program->max_batch);
        if (place->offset % LINE == 0 && place->offset <= room && bytes <= room - place->offset) continue;
        diag(executor->jre, DIAG_bug, origin_user_span(node->origin), "the plan of memory has no room for this");
        return false;
    }
    return true;
}

static bool reserve(Executor *executor, DeviceMemory *memory, const char *what, size_t bytes) {
    *memory = executor->device->allocate(executor->device, bytes ? bytes : LINE);
    return *memory ? true : no_memory(executor, what, bytes);
}

static const Kernel *kernel_of(const Executor *executor, const char *op, const KernelCall *call) {
    return kernel_find(op, executor->device->kernels, NULL, executor->device->level, call);
}

static bool is_loaded(const Executor *executor, const Node *node) {
    return node && executor->program->place[node->id].kind == PLACE_LOADED;
}

/* Chooses a kernel for each step; `packed_bytes` grows by what its weights will take. All gaps are told together. */
static bool choose_kernels(Executor *executor, const Step *steps, int count, bool loading, Launch *launches) {
    bool complete = true;
    for (int i = 0; i < count; i++) {
        const Node *node = steps[i].node;
        KernelCall call = call_of(executor, node, executor->program->max_batch);
        const Kernel *kernel = kernel_of(executor, node_kernel(node), &call);
        launches[i] = (Launch){.node = node, .kernel = kernel};
        if (!kernel) complete = no_kernel(executor, node);
        if (!kernel || !kernel->packed_bytes) continue;
        launches[i].packed_offset = executor->packed_bytes;
        launches[i].packed_once = !loading && is_loaded(executor, node->in[1]);
        executor->packed_bytes += (kernel->packed_bytes(&call) + LINE - 1) / LINE * LINE;
    }
    return complete;
}

/* Does this node's layout differ from the host's? Then a kernel carries over, by way of `staging`. */
static bool choose_staging(Executor *executor, const Node *node, bool inward, const Kernel **kernel) {
    const Program *program = executor->program;
    TensorView view = view_of(executor, node, program->max_batch);
    *kernel = NULL;
    if (view_row_major(&view)) return true;
    size_t bytes = bytes_of(node->shape, program->max_batch);
    if (bytes > executor->staging_bytes) executor->staging_bytes = bytes;
    KernelCall call = call_of_staging(executor, node, program->max_batch, inward);
    *kernel = kernel_of(executor, "copy", &call);
    return *kernel ? true : no_kernel(executor, node);
}

typedef enum { ALL_FINITE, SOME_INFINITE, SOME_NAN } Finiteness;

/* The worst there is; *where is the first of that kind. */
static Finiteness finiteness(const float *values, int64_t count, int64_t *where) {
    Finiteness worst = ALL_FINITE;
    *where = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(values[i])) continue;
        Finiteness found = isnan(values[i]) ? SOME_NAN : SOME_INFINITE;
        if (found <= worst) continue;
        worst = found;
        *where = i;
        if (worst == SOME_NAN) break;
    }
    return worst;
}

static const char *finiteness_text(Finiteness found) { return found == SOME_NAN ? "NaN" : "infinite values"; }

bool load_weight(Jre *jre, const Node *node, WeightLibrary *weights, float *values) {
    const WeightScope *scope = node->weights;
    WeightFile *file = weight_library_file(weights, scope->path, scope->span);
    if (!file) return false;
    const WeightTensor *tensor = map_get(&file->by_name, node->name);
    if (!tensor) {
        diag(jre, DIAG_wrong_weights, scope->span, "`%s` has no `%s`", scope->path, node->name);
        return false;
    }
    Shape found = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank && i < GRAPH_RANK; i++) found.dim[i] = tensor->dim[i];
    if (tensor->rank > GRAPH_RANK || !shape_equal(found, node->shape)) {
        Diagnostic *d = diag(jre, DIAG_wrong_weights, scope->span, "`%s` is %s in `%s`", node->name, shape_text(&jre->forever, found), scope->path);
        diag_note(d, "the network wants %s", shape_text(&jre->forever, node->shape));
        return false;
    }
    tensor_values(tensor, values);
    return true;
}

/* Weights that hold what is no finite number. */
typedef struct { const Node *first; Finiteness worst; NameList names; } Unsound;

static bool load_source(Executor *executor, const Node *node, WeightLibrary *weights, Unsound *unsound) {
    int64_t count = shape_elements(node->shape, executor->program->max_batch), where;
    float *values = jre_allocate(executor->jre, (size_t)(count ? count : 1) * sizeof *values);
    bool sound = true;
    if (node->op == OP_weight)
        sound = load_weight(executor->jre, node, weights, values);
    else
        for (int64_t i = 0; i < count; i++) values[i] = (float)constant_value(node, i);
    Finiteness found = node->op == OP_weight && sound ? finiteness(values, count, &where) : ALL_FINITE;
    if (found != ALL_FINITE) {
        if (!unsound->names.count) unsound->first = node, unsound->worst = found;
        list_add(&executor->arena, &unsound->names, node->name);
    }
    if (sound) executor->device->copy_in(executor->device, memory_of(executor, node), values, (size_t)count * sizeof *values);
    jre_release(values);
    return sound;
}

/* Told before anything is computed: a maximum may swallow a NaN, and the result would be wrong and look right. */
static bool tell_unsound(Executor *executor, const Unsound *unsound) {
    const Node *first = unsound->first;
    if (!first) return true;
    Diagnostic *d = diag(executor->jre, DIAG_not_a_number, first->weights->span, "`%s` in `%s` holds %s", first->name, first->weights->path, finiteness_text(unsound->worst));
    if (unsound->names.count > 1) diag_fact(d, "so do others: %s", names_listed(&executor->arena, &unsound->names, 10));
    diag_help(d, "the training that wrote this file went astray, or the file is damaged: take another");
    return false;
}

static bool load_sources(Executor *executor, WeightLibrary *weights) {
    const Graph *graph = executor->program->graph;
    Unsound unsound = {0};
    bool sound = true;
    for (int i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.at[i];
        if ((node->op == OP_weight || node->op == OP_constant) && !load_source(executor, node, weights, &unsound)) sound = false;
    }
    return tell_unsound(executor, &unsound) && sound;
}

/* ---- running ----------------------------------------------------------------------------------------------------------------- */

static void launch(const Executor *executor, const Launch *step, int n) {
    Device *device = executor->device;
    KernelCall call = call_of(executor, step->node, n);
    if (step->kernel->packed_bytes) {
        DeviceMemory packed = executor->packed + step->packed_offset;
        if (!step->packed_once) device->pack(device, step->kernel, &call, packed);
        call.packed = (const void *)packed;
    }
    device->launch(device, step->kernel, &call);
}

static void put_input(const Executor *executor, const float *input, int n) {
    Device *device = executor->device;
    const Node *node = executor->program->graph->input;
    DeviceMemory to = executor->to_input ? executor->staging : memory_of(executor, node);
    device->copy_in(device, to, input, bytes_of(node->shape, n));
    if (!executor->to_input) return;
    KernelCall call = call_of_staging(executor, node, n, true);
    device->launch(device, executor->to_input, &call);
}

static void take_output(const Executor *executor, float *output, int n) {
    Device *device = executor->device;
    const Node *node = executor->program->graph->output;
    if (executor->from_output) {
        KernelCall call = call_of_staging(executor, node, n, false);
        device->launch(device, executor->from_output, &call);
    }
    device->copy_out(device, output, executor->from_output ? executor->staging : memory_of(executor, node), bytes_of(node->shape, n));
}

Executor *executor_new(Jre *jre, const Program *program, Device *device, WeightLibrary *weights) {
    Executor *executor = jre_allocate(jre, sizeof *executor);
    *executor = (Executor){.jre = jre, .program = program, .device = device, .arena = {.jre = jre}};
    executor->load = arena_array(&executor->arena, Launch, program->load_steps + 1);
    executor->steps = arena_array(&executor->arena, Launch, program->step_count + 1);
    bool sound = places_are_sound(executor) && reserve(executor, &executor->slab, "what is computed", program->slab_bytes) &&
                 reserve(executor, &executor->loaded, "weights", program->loaded_bytes);
    if (sound) {
        bool loads = choose_kernels(executor, program->load, program->load_steps, true, executor->load);
        bool runs = choose_kernels(executor, program->steps, program->step_count, false, executor->steps);
        sound = loads && runs && choose_staging(executor, program->graph->input, true, &executor->to_input) &&
                choose_staging(executor, program->graph->output, false, &executor->from_output);
    }
    sound = sound && reserve(executor, &executor->packed, "packed weights", executor->packed_bytes) &&
            reserve(executor, &executor->staging, "pictures on their way", executor->staging_bytes) && load_sources(executor, weights);
    if (!sound) {
        executor_free(executor);
        return NULL;
    }
    for (int i = 0; i < program->load_steps; i++) launch(executor, &executor->load[i], program->max_batch);
    for (int i = 0; i < program->step_count; i++) {
        const Launch *step = &executor->steps[i];
        if (!step->packed_once) continue;
        KernelCall call = call_of(executor, step->node, program->max_batch);
        device->pack(device, step->kernel, &call, executor->packed + step->packed_offset);
    }
    device->synchronize(device);
    return executor;
}

void executor_free(Executor *executor) {
    if (!executor) return;
    const DeviceMemory owned[] = {executor->slab, executor->loaded, executor->packed, executor->staging};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        if (owned[i]) executor->device->release(executor->device, owned[i]);
    arena_free(&executor->arena);
    jre_release(executor);
}

size_t executor_bytes(const Executor *executor) {
    return executor->program->slab_bytes + executor->program->loaded_bytes + executor->packed_bytes + executor->staging_bytes;
}

/* ---- numbers that are not finite ------------------------------------------------------------------------------------------------- */

static Finiteness look_at_node(Executor *executor, const Node *node, int n, int64_t *where) {
    int64_t count = shape_elements(node->shape, n);
    float *values = jre_allocate(executor->jre, (size_t)(count ? count : 1) * sizeof *values);
    executor->device->copy_out(executor->device, values, memory_of(executor, node), (size_t)count * sizeof *values);
    Finiteness found = finiteness(values, count, where);
    jre_release(values);
    return found;
}

static void charge_node(const Executor *executor, const Node *node, Finiteness found, int64_t where) {
    Span user = origin_user_span(node->origin);
    Diagnostic *d = diag(executor->jre, DIAG_not_a_number, user, "`%s` gives %s here, the first in the network to do so",
                         op_row(node->op)->name, finiteness_text(found));
    with_library_line(d, node, user);
    if (node->stage) diag_fact(d, "in stage `%s`", node->stage);
    int64_t each = shape_elements(node->shape, 1);
    if (node->shape.rank && node->shape.dim[0] == DIM_BATCH && each)
        diag_fact(d, "first in picture %lld of a batch of %d", (long long)(executor->first + where / each + 1), executor->asked);
}

/* The result holds `wanted`: walks once more, looking behind every step, and charges the first that shows it. */
static void charge_culprit(Executor *executor, const float *input, int n, Finiteness wanted, int64_t where) {
    const Program *program = executor->program;
    int64_t place;
    if (finiteness(input, shape_elements(program->graph->input->shape, n), &place) >= wanted) {
        diag(executor->jre, DIAG_not_a_number, origin_user_span(program->graph->output->origin),
             "the numbers that came into the network already hold %s", finiteness_text(wanted));
        return;
    }
    put_input(executor, input, n);
    for (int i = 0; i < program->load_steps + program->step_count; i++) {
        bool loading = i < program->load_steps;
        const Launch *step = loading ? &executor->load[i] : &executor->steps[i - program->load_steps];
        if (!loading) launch(executor, step, n);
        Finiteness found = look_at_node(executor, step->node, loading ? program->max_batch : n, &place);
        if (found < wanted) continue;
        charge_node(executor, step->node, wanted, place);
        return;
    }
    charge_node(executor, program->graph->output, wanted, where);
}

/* At most as many pictures as the slab was planned for. */
static bool run_tile(Executor *executor, const float *input, int n, float *output) {
    const Program *program = executor->program;
    put_input(executor, input, n);
    for (int i = 0; i < program->step_count; i++) {
        if (executor->jre->interrupted) return false;
        launch(executor, &executor->steps[i], n);
    }
    take_output(executor, output, n);
    int64_t where;
    Finiteness found = finiteness(output, shape_elements(program->output, n), &where);
    if (found == ALL_FINITE) return true;
    charge_culprit(executor, input, n, found, where);
    return false;
}

bool executor_run(Executor *executor, const float *input, int n, float *output) {
    const Program *program = executor->program;
    executor->asked = n;
    int64_t pixels = shape_elements(program->input, 1), width = shape_elements(program->output, 1);
    for (int64_t first = 0; first < n; first += program->max_batch) {
        int count = n - first < program->max_batch ? (int)(n - first) : program->max_batch;
        executor->first = first;
        if (!run_tile(executor, input + first * pixels, count, output + first * width)) return false;
    }
    return true;
}
