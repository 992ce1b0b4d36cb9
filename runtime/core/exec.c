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
#include <string.h>

#include "../runtime.h"

enum { LINE = 64 };

typedef struct {
    const Node *node;
    const Kernel *kernel;
    const Kernel *behind;                 /* runs the chain that the node carries, where `kernel` does not; or NULL */
    size_t packed_offset;                 /* into `packed` */
    bool packed_once;                     /* in[1] stays loaded, so it was packed when the executor was made */
} Launch;

struct Executor {
    Jre *jre;
    const Program *program;
    Device *device;
    Arena arena;
    Launch *load, *steps;
    const Chain **chain;                  /* by node: what it carries, or NULL */
    const Kernel *to_input, *from_output; /* between the host's layout and the graph's; NULL where they agree */
    DeviceMemory slab, loaded, packed, staging;
    size_t packed_bytes, staging_bytes;
    int asked;                            /* pictures of the call in the making */
    bool sketch;                          /* slab and loaded are nobody's memory: that it is there is all that choosing asks */
    double *clock;                        /* seconds of each step are added here; NULL: nobody wants to know */
    const char *const *files;             /* what they are called; NULL: nothing */
};

/* ---- views: where a node's numbers lie ---------------------------------------------------------------------------- */

static DeviceMemory memory_of(const Executor *executor, const Node *node) {
    const Placement *place = &executor->program->place[node->id];
    return (place->kind == PLACE_LOADED ? executor->loaded : executor->slab) + place->offset;
}

static TensorView view_of(const Executor *executor, const Node *node, int n) {
    TensorView view = row_major_view(node->shape, n, memory_of(executor, node));
    if (executor->program->place[node->id].channels_last && view.rank == 4) lay_channels_last(&view);
    return view;
}

static KernelCall call_of(const Executor *executor, const Node *node, int n) {
    TensorView in[GRAPH_INPUTS] = {{0}};
    for (int i = 0; i < node->inputs; i++)
        if (node->in[i]) in[i] = view_of(executor, node->in[i], n);
    KernelCall call = node_call(node, executor->chain[node->id], view_of(executor, node, n), in);
    call.latency = executor->program->latency;
    return call;
}

/* Between the host's row-major numbers and a node that lies channels last. */
static KernelCall call_of_staging(const Executor *executor, const Node *node, int n, bool inward) {
    TensorView staged = row_major_view(node->shape, n, executor->staging), placed = view_of(executor, node, n);
    return (KernelCall){.out = inward ? placed : staged, .in = {inward ? staged : placed}, .inputs = 1};
}

/* ---- failures ----------------------------------------------------------------------------------------------------------- */

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
        if (kernel && call.chain && node->op != OP_chain && !kernel->chains) {
            KernelCall behind = chain_behind(&call);
            launches[i].behind = kernel_of(executor, "chain", &behind);
            if (!launches[i].behind) kernel = NULL;
        }
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

bool load_weight(Jre *jre, const Node *node, WeightLibrary *weights, float *values) {
    const WeightScope *scope = node->weights;
    double gain;
    if (scope->facts && scope->facts->made_up && weight_library_makes_up(weights, &gain)) {
        made_up_weight(node->name, gain, node->shape, values);
        return true;
    }
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

static bool load_sources(Executor *executor, WeightLibrary *weights) {
    const Graph *graph = executor->program->graph;
    Unsound unsound = {0};
    bool sound = true;
    for (int i = 0; i < graph->nodes.count; i++) {
        const Node *node = graph->nodes.at[i];
        if (executor->jre->interrupted) return false;
        if ((node->op == OP_weight || node->op == OP_constant) && !load_source(executor, node, weights, &unsound)) sound = false;
    }
    return tell_unsound(executor->jre, &unsound) && sound;
}

/* ---- running ----------------------------------------------------------------------------------------------------------------- */

static void launch(const Executor *executor, const Launch *step, int n) {
    Device *device = executor->device;
    double started = executor->clock ? seconds_now() : 0;
    KernelCall call = call_of(executor, step->node, n);
    if (step->kernel->packed_bytes) {
        DeviceMemory packed = executor->packed + step->packed_offset;
        if (!step->packed_once) device->pack(device, step->kernel, &call, packed);
        call.packed = (const void *)packed;
    }
    device->launch(device, step->kernel, &call);
    if (step->behind && call.chain) {
        KernelCall behind = chain_behind(&call);
        device->launch(device, step->behind, &behind);
    }
    if (!executor->clock) return;
    device->synchronize(device);
    executor->clock[step - executor->steps] += seconds_now() - started;
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

static Executor *executor_begin(Jre *jre, const Program *program, Device *device) {
    Executor *executor = jre_allocate(jre, sizeof *executor);
    *executor = (Executor){.jre = jre, .program = program, .device = device, .arena = {.jre = jre}};
    executor->load = arena_array(&executor->arena, Launch, program->load_steps + 1);
    executor->steps = arena_array(&executor->arena, Launch, program->step_count + 1);
    executor->chain = arena_array(&executor->arena, const Chain *, program->graph->nodes.count + 1);
    for (int i = 0; i < program->graph->nodes.count; i++) executor->chain[i] = node_chain(&executor->arena, program->graph->nodes.at[i]);
    return executor;
}

static bool choose_all(Executor *executor) {
    const Program *program = executor->program;
    bool loads = choose_kernels(executor, program->load, program->load_steps, true, executor->load);
    bool runs = choose_kernels(executor, program->steps, program->step_count, false, executor->steps);
    return loads && runs && choose_staging(executor, program->graph->input, true, &executor->to_input) &&
           choose_staging(executor, program->graph->output, false, &executor->from_output);
}

Executor *executor_sketch(Jre *jre, const Program *program, Device *device) {
    Executor *executor = executor_begin(jre, program, device);
    executor->sketch = true;
    executor->slab = executor->loaded = LINE;
    if (places_are_sound(executor) && choose_all(executor)) return executor;
    executor_free(executor);
    return NULL;
}

Executor *executor_new(Jre *jre, const Program *program, Device *device, WeightLibrary *weights) {
    Executor *executor = executor_begin(jre, program, device);
    bool sound = places_are_sound(executor) && reserve(executor, &executor->slab, "what is computed", program->slab_bytes) &&
                 reserve(executor, &executor->loaded, "weights", program->loaded_bytes) && choose_all(executor);
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
        if (owned[i] && !executor->sketch) executor->device->release(executor->device, owned[i]);
    arena_free(&executor->arena);
    jre_release(executor);
}

StepAtWork executor_step(const Executor *executor, int which, int n) {
    const Launch *step = &executor->steps[which];
    StepAtWork work = {.node = step->node, .kernel = step->kernel, .call = call_of(executor, step->node, n)};
    if (step->kernel->packed_bytes) work.packed_bytes = step->kernel->packed_bytes(&work.call);
    return work;
}

bool executor_run_timed(Executor *executor, const float *input, int n, float *output, double *seconds) {
    executor->clock = seconds;
    bool sound = executor_run(executor, input, n, output);
    executor->clock = NULL;
    return sound;
}

size_t executor_bytes(const Executor *executor) {
    return executor->program->slab_bytes + executor->program->loaded_bytes + executor->packed_bytes + executor->staging_bytes;
}

/* ---- numbers that are not finite ------------------------------------------------------------------------------------------------- */

static Finiteness look_at_node(Executor *executor, const Node *node, int n) {
    int64_t count = shape_elements(node->shape, n), where;
    float *values = jre_allocate(executor->jre, (size_t)(count ? count : 1) * sizeof *values);
    executor->device->copy_out(executor->device, values, memory_of(executor, node), (size_t)count * sizeof *values);
    Finiteness found = finiteness(values, count, &where);
    jre_release(values);
    return found;
}

/* Of a node that carries a chain, what shows `wanted` first: the node with ever more of its links tells. The steps up to it run again each
 * time, for its operands may lie where its result does. */
static Node part_of(Executor *executor, const Launch *steps, int at, const float *input, int n, Finiteness wanted) {
    Node part = *steps[at].node;
    const Chain *whole = executor->chain[part.id];
    if (!whole) return part;
    Chain some = *whole;
    int links = part.op == OP_chain ? 1 : 0;
    for (bool found = false; links < whole->steps && !found; links += !found) {
        some.steps = links;
        executor->chain[part.id] = links ? &some : NULL;
        if (input) put_input(executor, input, n);
        for (int i = 0; i <= at; i++) launch(executor, &steps[i], n);
        found = look_at_node(executor, steps[at].node, n) >= wanted;
    }
    executor->chain[part.id] = whole;
    if (!links) return part;
    const Link *link = &part.links->link[links - 1];
    part.op = link->op;
    part.origin = link->origin;
    if (link->stage || links < whole->steps) part.stage = link->stage;
    return part;
}

/* The result holds `wanted`: walks once more with the picture that shows it alone, which gives the same bits, looks behind every
 * step, and charges the first that shows it too. */
static void charge_culprit(Executor *executor, const float *input, int64_t picture, Finiteness wanted) {
    const Program *program = executor->program;
    const char *file = executor->files ? executor->files[picture] : NULL;
    int64_t place;
    executor->clock = NULL;
    if (finiteness(input, shape_elements(program->input, 1), &place) >= wanted) {
        charge_input(executor->jre, origin_user_span(program->graph->output->origin), wanted, picture, executor->asked, file);
        return;
    }
    Node culprit = *program->graph->output;
    bool found = false;
    for (int i = 0; i < program->load_steps && !found; i++) {
        found = look_at_node(executor, executor->load[i].node, program->max_batch) >= wanted;
        if (found) culprit = part_of(executor, executor->load, i, NULL, program->max_batch, wanted);
    }
    put_input(executor, input, 1);
    for (int i = 0; i < program->step_count && !found; i++) {
        launch(executor, &executor->steps[i], 1);
        found = look_at_node(executor, executor->steps[i].node, 1) >= wanted;
        if (found) culprit = part_of(executor, executor->steps, i, input, 1, wanted);
    }
    charge_node(executor->jre, &culprit, wanted, picture, executor->asked, file);
}

/* At most as many pictures as the slab was planned for. */
static bool run_tile(Executor *executor, const float *input, int64_t first, int n, float *output) {
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
    int64_t picture = where / shape_elements(program->output, 1);
    charge_culprit(executor, input + picture * shape_elements(program->input, 1), first + picture, found);
    return false;
}

void executor_names(Executor *executor, const char *const *files) { executor->files = files; }

bool executor_run(Executor *executor, const float *input, int n, float *output) {
    const Program *program = executor->program;
    executor->asked = n;
    int64_t pixels = shape_elements(program->input, 1), width = shape_elements(program->output, 1);
    for (int64_t first = 0; first < n; first += program->max_batch) {
        int count = n - first < program->max_batch ? (int)(n - first) : program->max_batch;
        if (!run_tile(executor, input + first * pixels, first, count, output + first * width)) return false;
    }
    return true;
}
