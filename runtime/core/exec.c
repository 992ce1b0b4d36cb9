/* exec.c: walks a schedule.
 *
 * An executor owns the slab that memory.c planned, what stays loaded, each in memory of its own, and weights as the kernels want
 * them packed. It chooses a kernel for each step once; a run only fills in sizes for its batch and launches. Memory of a
 * device is touched through the device's functions alone, so the same walk serves a processor and a queue far away.
 *
 *   executor_new:  choose kernels -> node by node: copy weights in, compute what depends on them alone, pack, drop what is only packed
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

/* Pictures first .. first + count - 1 of a batch. */
typedef struct { int first, count; } Pictures;

struct Executor {
    Jre *jre;
    const Program *program;
    Device *device;
    Arena arena;
    Launch *load, *steps;
    const Chain **chain;                  /* by node: what it carries, or NULL */
    const Kernel *to_input, *from_output; /* between the host's layout and the graph's; NULL where they agree */
    DeviceMemory slab, packed, staging;
    DeviceMemory *loaded;                 /* by node; 0: not there (yet, or any more) */
    size_t packed_bytes, staging_bytes, loaded_bytes, most_loaded, workspace_bytes;      /* loaded: now, and at most */
    Node *culprit[SOME_NAN + 1];          /* the first that is computed while loading with a result as bad as this; or NULL */
    int asked;                            /* pictures of the call in the making */
    bool sketch;                          /* the slab is nobody's memory: that it is there is all that choosing asks */
    double *clock;                        /* seconds of each step are added here; NULL: nobody wants to know */
    const char *const *files;             /* what they are called; NULL: nothing */
};

/* ---- views: where a node's numbers lie ---------------------------------------------------------------------------- */

/* A node's pictures from `first` of the batch on. Only buffers that hold the whole batch know more than one tile. */
static TensorView view_of(const Executor *executor, const Node *node, Pictures tile) {
    const Placement *place = &executor->program->place[node->id];
    DeviceMemory memory = executor->slab + place->offset;
    if (place->kind == PLACE_LOADED) memory = executor->loaded[node->id] ? executor->loaded[node->id] : LINE;       /* none yet: that it will be there is all that counts */
    TensorView view = row_major_view(node->shape, tile.count, memory);
    if (place->kind == PLACE_LOADED) return view;
    node_strides(place->laid_as, place->channels_last, tile.count, view.stride);
    if (place->whole) view.data = (char *)view.data + (int64_t)tile.first * view.stride[0] * (int64_t)sizeof(float);
    return view;
}

static KernelCall call_of(const Executor *executor, const Node *node, Pictures tile) {
    TensorView in[GRAPH_INPUTS] = {{0}};
    for (int i = 0; i < node->inputs; i++)
        if (node->in[i]) in[i] = view_of(executor, node->in[i], tile);
    KernelCall call = node_call(node, executor->chain[node->id], view_of(executor, node, tile), in);
    call.latency = executor->program->latency;
    return call;
}

/* Between the host's row-major numbers and a node that lies channels last. */
static KernelCall call_of_staging(const Executor *executor, const Node *node, Pictures tile, bool inward) {
    TensorView staged = row_major_view(node->shape, tile.count, executor->staging), placed = view_of(executor, node, tile);
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
                   "%.1f MiB for %s do not fit into the memory of %s", mebibytes(bytes), what, executor->device->name),
              "batches of %d pictures need %.1f MiB, weights %.1f MiB", program->max_batch, mebibytes(program->slab_bytes),
              mebibytes(executor->loaded_bytes + executor->packed_bytes));
    return false;
}

/* ---- making one ------------------------------------------------------------------------------------------------------------ */

static size_t bytes_of(Shape shape, int n) { return (size_t)shape_elements(shape, n) * sizeof(float); }

static bool places_are_sound(const Executor *executor) {
    const Program *program = executor->program;
    for (int i = 0; i < program->graph->nodes.count; i++) {
        const Node *node = program->graph->nodes.at[i];
        const Placement *place = &program->place[i];
        size_t room = program->slab_bytes;
        if (place->kind == PLACE_LOADED) continue;
        if (place->offset % (place->buffer == node ? LINE : sizeof(float)) == 0 && place->offset <= room && place->bytes <= room - place->offset) continue;
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
static bool choose_kernels(Executor *executor, const Step *steps, Segment range, bool loading, Launch *launches) {
    bool complete = true;
    for (int i = range.first; i < range.end; i++) {
        const Node *node = steps[i].node;
        KernelCall call = call_of(executor, node, (Pictures){0, range.tile});
        const Kernel *kernel = kernel_of(executor, node_kernel(node), &call);
        launches[i] = (Launch){.node = node, .kernel = kernel};
        if (kernel && call.chain && node->op != OP_chain && !kernel->chains) {
            KernelCall behind = chain_behind(&call);
            launches[i].behind = kernel_of(executor, "chain", &behind);
            if (!launches[i].behind) kernel = NULL;
        }
        if (!kernel) complete = no_kernel(executor, node);
        size_t workspace = kernel && kernel->workspace_bytes ? kernel->workspace_bytes(&call) : 0;
        if (workspace > executor->workspace_bytes) executor->workspace_bytes = workspace;
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
    const Pictures tile = {0, program->segments[inward ? 0 : program->segment_count - 1].tile};
    TensorView view = view_of(executor, node, tile);
    *kernel = NULL;
    if (view_row_major(&view)) return true;
    size_t bytes = bytes_of(node->shape, tile.count);
    if (bytes > executor->staging_bytes) executor->staging_bytes = bytes;
    KernelCall call = call_of_staging(executor, node, tile, inward);
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
    weight_file_read(file, tensor);
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
    if (sound) executor->device->copy_in(executor->device, executor->loaded[node->id], values, (size_t)count * sizeof *values);
    jre_release(values);
    return sound;
}

/* ---- running ----------------------------------------------------------------------------------------------------------------- */

static void launch(const Executor *executor, const Launch *step, Pictures tile) {
    Device *device = executor->device;
    double started = executor->clock ? seconds_now() : 0;
    KernelCall call = call_of(executor, step->node, tile);
    if (step->kernel->packed_bytes) {
        DeviceMemory packed = executor->packed + step->packed_offset;
        if (step->packed_once) call.in[1].data = (void *)packed;     /* gone as it was: only its sizes are looked at */
        else device->pack(device, step->kernel, &call, packed);
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

static void put_input(const Executor *executor, const float *input, Pictures tile) {
    Device *device = executor->device;
    const Node *node = executor->program->graph->input;
    const float *from = input + tile.first * shape_elements(node->shape, 1);
    TensorView view = view_of(executor, node, tile);
    device->copy_in(device, executor->to_input ? executor->staging : (DeviceMemory)view.data, from, bytes_of(node->shape, tile.count));
    if (!executor->to_input) return;
    KernelCall call = call_of_staging(executor, node, tile, true);
    device->launch(device, executor->to_input, &call);
}

static void take_output(const Executor *executor, float *output, Pictures tile) {
    Device *device = executor->device;
    const Node *node = executor->program->graph->output;
    TensorView view = view_of(executor, node, tile);
    if (executor->from_output) {
        KernelCall call = call_of_staging(executor, node, tile, false);
        device->launch(device, executor->from_output, &call);
    }
    device->copy_out(device, output + tile.first * shape_elements(node->shape, 1), executor->from_output ? executor->staging : (DeviceMemory)view.data, bytes_of(node->shape, tile.count));
}

/* ---- what stays loaded ----------------------------------------------------------------------------------------------------------- */

/* How often each node is still wanted: by load steps, by kernels that pack it, and once more where a run reads it as it is. */
static int *count_wanted(Executor *executor) {
    const Program *program = executor->program;
    int *wanted = arena_array(&executor->arena, int, program->graph->nodes.count + 1);
    for (int i = 0; i < program->load_steps + program->step_count; i++) {
        const Launch *step = i < program->load_steps ? &executor->load[i] : &executor->steps[i - program->load_steps];
        for (int k = 0; k < step->node->inputs; k++)
            if (is_loaded(executor, step->node->in[k])) wanted[step->node->in[k]->id]++;
    }
    if (is_loaded(executor, program->graph->output)) wanted[program->graph->output->id]++;
    return wanted;
}

static bool add_loaded(Executor *executor, const Node *node) {
    size_t bytes = bytes_of(node->shape, executor->program->max_batch);
    executor->loaded_bytes += bytes;
    if (executor->loaded_bytes > executor->most_loaded) executor->most_loaded = executor->loaded_bytes;
    return executor->sketch || reserve(executor, &executor->loaded[node->id], "weights", bytes);
}

static void drop_loaded(Executor *executor, const Node *node, int *wanted) {
    if (!is_loaded(executor, node) || --wanted[node->id] > 0) return;
    executor->loaded_bytes -= bytes_of(node->shape, executor->program->max_batch);
    if (executor->sketch) return;
    executor->device->synchronize(executor->device);
    executor->device->release(executor->device, executor->loaded[node->id]);
    executor->loaded[node->id] = 0;
}

static Finiteness look_at_node(Executor *executor, const Node *node, Pictures tile);
static Node part_of(Executor *executor, const Launch *steps, int from, int at, const float *input, Pictures tile, Finiteness wanted);

/* The first result of each badness is remembered, in case a run's output turns out like it. */
static void run_load_step(Executor *executor, const Launch *step) {
    const Pictures all = {0, executor->program->max_batch};
    launch(executor, step, all);
    for (Finiteness found = look_at_node(executor, step->node, all); found > ALL_FINITE; found--) {
        if (executor->culprit[found]) continue;
        executor->culprit[found] = arena_new(&executor->arena, Node);
        *executor->culprit[found] = part_of(executor, step, 0, 0, NULL, all, found);
        launch(executor, step, all);
    }
}

/* `first` and `next` list the steps that pack a node's numbers. */
static void pack_node(Executor *executor, const Node *node, int first, const int *next, int *wanted) {
    for (int i = first; i >= 0; i = next[i]) {
        const Launch *step = &executor->steps[i];
        if (!executor->sketch) {
            KernelCall call = call_of(executor, step->node, (Pictures){0, 1});
            for (int k = 0; k < step->node->inputs; k++)
                if (k != 1) call.in[k].data = NULL;                  /* packing looks at the weights alone, and a bias may not be there yet */
            executor->device->pack(executor->device, step->kernel, &call, executor->packed + step->packed_offset);
        }
        drop_loaded(executor, node, wanted);
    }
}

/* Node by node, in the graph's order: what is only needed to compute or to pack others is gone as soon as they are there. A sketch
 * takes no memory and only counts. */
static bool load_nodes(Executor *executor, WeightLibrary *weights) {
    const Program *program = executor->program;
    int *wanted = count_wanted(executor), nodes = program->graph->nodes.count, load = 0;
    int *first = arena_array(&executor->arena, int, nodes + 1), *next = arena_array(&executor->arena, int, program->step_count + 1);
    for (int i = 0; i < nodes; i++) first[i] = -1;
    for (int i = 0; i < program->step_count; i++) {
        if (!executor->steps[i].packed_once) continue;
        int *list = &first[executor->steps[i].node->in[1]->id];
        next[i] = *list;
        *list = i;
    }
    Unsound unsound = {0};
    bool sound = true;
    for (int i = 0; i < nodes; i++) {
        const Node *node = program->graph->nodes.at[i];
        if (!is_loaded(executor, node)) continue;
        if (executor->jre->interrupted) return false;
        if (!add_loaded(executor, node)) return false;
        if (!executor->sketch && (op_row(node->op)->flags & OP_SOURCE) && !load_source(executor, node, weights, &unsound)) sound = false;
        if (!(op_row(node->op)->flags & OP_SOURCE)) {
            if (!executor->sketch && sound) run_load_step(executor, &executor->load[load]);
            for (int k = 0; k < node->inputs; k++) drop_loaded(executor, node->in[k], wanted);
            load++;
        }
        if (sound) pack_node(executor, node, first[i], next, wanted);
    }
    return executor->sketch || (tell_unsound(executor->jre, &unsound) && sound);
}

/* ---- making one, II -------------------------------------------------------------------------------------------------------------- */

static Executor *executor_begin(Jre *jre, const Program *program, Device *device) {
    Executor *executor = jre_allocate(jre, sizeof *executor);
    *executor = (Executor){.jre = jre, .program = program, .device = device, .arena = {.jre = jre}};
    executor->load = arena_array(&executor->arena, Launch, program->load_steps + 1);
    executor->steps = arena_array(&executor->arena, Launch, program->step_count + 1);
    executor->chain = arena_array(&executor->arena, const Chain *, program->graph->nodes.count + 1);
    for (int i = 0; i < program->graph->nodes.count; i++) executor->chain[i] = node_chain(&executor->arena, program->graph->nodes.at[i]);
    executor->loaded = arena_array(&executor->arena, DeviceMemory, program->graph->nodes.count + 1);
    return executor;
}

static bool choose_all(Executor *executor) {
    const Program *program = executor->program;
    bool found = choose_kernels(executor, program->load, (Segment){0, program->load_steps, program->max_batch}, true, executor->load);
    for (int i = 0; i < program->segment_count; i++)
        if (!choose_kernels(executor, program->steps, program->segments[i], false, executor->steps)) found = false;
    return found && choose_staging(executor, program->graph->input, true, &executor->to_input) &&
           choose_staging(executor, program->graph->output, false, &executor->from_output);
}

Executor *executor_sketch(Jre *jre, const Program *program, Device *device) {
    Executor *executor = executor_begin(jre, program, device);
    executor->sketch = true;
    executor->slab = LINE;
    if (places_are_sound(executor) && choose_all(executor) && load_nodes(executor, NULL)) return executor;
    executor_free(executor);
    return NULL;
}

Executor *executor_new(Jre *jre, const Program *program, Device *device, WeightLibrary *weights) {
    Executor *executor = executor_begin(jre, program, device);
    bool sound = places_are_sound(executor) && reserve(executor, &executor->slab, "what is computed", program->slab_bytes) && choose_all(executor) &&
                 reserve(executor, &executor->packed, "packed weights", executor->packed_bytes) &&
                 reserve(executor, &executor->staging, "pictures on their way", executor->staging_bytes) && load_nodes(executor, weights);
    if (!sound) {
        executor_free(executor);
        return NULL;
    }
    device->synchronize(device);
    return executor;
}

void executor_free(Executor *executor) {
    if (!executor) return;
    const DeviceMemory owned[] = {executor->slab, executor->packed, executor->staging};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        if (owned[i] && !executor->sketch) executor->device->release(executor->device, owned[i]);
    for (int i = 0; i < executor->program->graph->nodes.count; i++)
        if (executor->loaded[i]) executor->device->release(executor->device, executor->loaded[i]);
    arena_free(&executor->arena);
    jre_release(executor);
}

StepAtWork executor_step(const Executor *executor, int which, int n) {
    const Launch *step = &executor->steps[which];
    StepAtWork work = {.node = step->node, .kernel = step->kernel, .call = call_of(executor, step->node, (Pictures){0, n})};
    if (step->kernel->packed_bytes) work.packed_bytes = step->kernel->packed_bytes(&work.call);
    return work;
}

bool executor_run_timed(Executor *executor, const float *input, int n, float *output, double *seconds) {
    executor->clock = seconds;
    bool sound = executor_run(executor, input, n, output);
    executor->clock = NULL;
    return sound;
}

ExecutorMemory executor_memory(const Executor *executor) {
    return (ExecutorMemory){.slab = executor->program->slab_bytes, .weights = executor->loaded_bytes + executor->packed_bytes, .loading = executor->most_loaded + executor->packed_bytes,
                            .staging = executor->staging_bytes, .workspace = executor->workspace_bytes};
}

size_t executor_bytes(const Executor *executor) {
    return executor->program->slab_bytes + executor->loaded_bytes + executor->packed_bytes + executor->staging_bytes;
}

/* ---- numbers that are not finite ------------------------------------------------------------------------------------------------- */

/* What lies between the numbers of a slice is not looked at. */
static Finiteness finiteness_of_view(const TensorView *view, const float *values) {
    int64_t index[KERNEL_RANK] = {0}, where;
    Finiteness worst = ALL_FINITE;
    for (int64_t left = view_elements(view); left > 0; left--) {
        int64_t at = 0;
        for (int i = 0; i < view->rank; i++) at += index[i] * view->stride[i];
        Finiteness found = finiteness(values + at, 1, &where);
        if (found > worst) worst = found;
        for (int i = view->rank - 1; i >= 0 && ++index[i] == view->dim[i]; i--) index[i] = 0;
    }
    return worst;
}

static Finiteness look_at_node(Executor *executor, const Node *node, Pictures tile) {
    TensorView view = view_of(executor, node, tile);
    size_t numbers = 1;
    for (int i = 0; i < view.rank; i++) numbers += (size_t)((view.dim[i] - 1) * view.stride[i]);
    float *values = jre_allocate(executor->jre, numbers * sizeof *values);
    executor->device->copy_out(executor->device, values, (DeviceMemory)view.data, numbers * sizeof *values);
    Finiteness found = finiteness_of_view(&view, values);
    jre_release(values);
    return found;
}

/* Of a node that carries a chain, what shows `wanted` first: the node with ever more of its links tells. The steps from `from` up to it run
 * again each time, for its operands may lie where its result does. */
static Node part_of(Executor *executor, const Launch *steps, int from, int at, const float *input, Pictures tile, Finiteness wanted) {
    Node part = *steps[at].node;
    const Chain *whole = executor->chain[part.id];
    if (!whole) return part;
    Chain some = *whole;
    int links = part.op == OP_chain ? 1 : 0;
    for (bool found = false; links < whole->steps && !found; links += !found) {
        some.steps = links;
        executor->chain[part.id] = links ? &some : NULL;
        if (input) put_input(executor, input, tile);
        for (int i = from; i <= at; i++) launch(executor, &steps[i], tile);
        found = look_at_node(executor, steps[at].node, tile) >= wanted;
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
    bool found = executor->culprit[wanted] != NULL;
    Node culprit = found ? *executor->culprit[wanted] : *program->graph->output;
    const Pictures alone = {0, 1};
    put_input(executor, input, alone);
    for (int i = 0; i < program->step_count && !found; i++) {
        launch(executor, &executor->steps[i], alone);
        found = look_at_node(executor, executor->steps[i].node, alone) >= wanted;
        if (found) culprit = part_of(executor, executor->steps, 0, i, input, alone, wanted);
    }
    charge_node(executor->jre, &culprit, wanted, picture, executor->asked, file);
}

/* At most as many pictures as the slab was planned for: each segment over all of them, a tile at a time. */
static bool run_batch(Executor *executor, const float *input, int n, float *output) {
    const Program *program = executor->program;
    for (int i = 0; i < program->segment_count; i++) {
        const Segment *segment = &program->segments[i];
        for (int first = 0; first < n; first += segment->tile) {
            const Pictures tile = {first, n - first < segment->tile ? n - first : segment->tile};
            if (i == 0) put_input(executor, input, tile);
            for (int s = segment->first; s < segment->end; s++) {
                if (executor->jre->interrupted) return false;
                launch(executor, &executor->steps[s], tile);
            }
            if (i == program->segment_count - 1) take_output(executor, output, tile);
        }
    }
    return true;
}

void executor_names(Executor *executor, const char *const *files) { executor->files = files; }

bool executor_run(Executor *executor, const float *input, int n, float *output) {
    const Program *program = executor->program;
    executor->asked = n;
    int64_t pixels = shape_elements(program->input, 1), width = shape_elements(program->output, 1), where;
    for (int64_t first = 0; first < n; first += program->max_batch) {
        int count = n - first < program->max_batch ? (int)(n - first) : program->max_batch;
        if (!run_batch(executor, input + first * pixels, count, output + first * width)) return false;
        Finiteness found = finiteness(output + first * width, count * width, &where);
        if (found == ALL_FINITE) continue;
        int64_t picture = first + where / width;
        charge_culprit(executor, input + picture * pixels, picture, found);
        return false;
    }
    return true;
}
