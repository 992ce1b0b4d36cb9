/* lower.c: each network becomes a tensor graph.
 *
 *   network Eye + view of 224 x 224     ->     [N, 3, 224, 224] -> ... -> [N, 2048], through every pass, as a program
 *
 * The network is simply called with a tensor that stands for a batch of pictures; evaluate.c, call.c and builtins.c leave the
 * nodes behind. */
#include "compiler.h"

#include <string.h>

enum { LARGEST_BATCH = 16 };

static bool is_list_of_numbers(Compilation *c, const Value *made, bool image, Span span) {
    bool list = made->kind == VALUE_TENSOR && !made->letters.count;
    if (list && image && made->node->shape.rank <= 1) return true;
    if (list && !image && (made->node->shape.rank == 2 || made->node->shape.rank == 3) && made->node->shape.dim[0] == DIM_BATCH) return true;
    Diagnostic *d = diag(c->jre, DIAG_shape_mismatch, span, "this makes %s of a picture, one list of numbers is wanted", value_text(c, made));
    diag_help(d, image ? "end it with what gives Tensor[d], for instance a mean, or concat of several" : "end it with what gives Embedding[N, d], for instance: |> average_pool |> unit");
    return false;
}

bool takes_image(const Value *network) {
    const Statement *head = network->decl->statement;
    if (head->formula == FORMULA_augment) return false;
    for (int i = 0; i < head->params.count; i++) {
        const Param *param = &head->params.at[i];
        if (is_data_type(param->type.name) && !argument_of(network, param->name)) return !strcmp(param->type.name, "Image");
    }
    return false;
}

/* The network, called with pictures of the view's size. */
static Value *call_network(Compilation *c, Graph *g, const Choice *choices, Value *network, const View *view, WeightScope *trained, Span span) {
    bool image = takes_image(network);
    Environment *env = environment_new(c, c->scope, choices);
    WeightScope *nobodys = weights_made_up(c, span);
    nobodys->nobodys = true;
    env->graph = g;
    env->weights = trained ? trained : nobodys;
    const Shape shape = image ? (Shape){3, {3, view->height, view->width}} : (Shape){4, {DIM_BATCH, 3, view->height, view->width}};
    g->input = graph_source(g, OP_input, shape, 0, NULL, NULL, NULL);
    Value *pictures = value_tensor(c, g->input, span);
    pictures->image = image;
    c->backbone = NULL;
    c->trail.count = 0;
    c->steps = 0;
    Value *made = evaluate_call(env, network, NULL, pictures, span, NULL);
    return made->kind == VALUE_NONE || weights_trained(c, nobodys, network, g, span) ? made : poison(env, span);
}

/* Gives the graph its output, and compiles it unless something in it has to wait. */
static void finish_graph(Compilation *c, Graph *g, Node *output, bool image, Lowered *lowered) {
    g->output = output;
    lowered->graph = g;
    lowered->later = g->later;
    lowered->later_span = g->later_span;
    graph_sweep(g);
    if (!lowered->later) lowered->program = compile_graph(c, g, image ? 1 : LARGEST_BATCH);
}

Lowered lower_network(Compilation *c, const Choice *choices, Value *network, const View *view, WeightScope *trained, Span span) {
    Lowered lowered = {0};
    bool image = takes_image(network);
    Graph *g = graph_new(c);
    Value *made = call_network(c, g, choices, network, view, trained, span);
    lowered.backbone = c->backbone ? c->backbone : network->text;
    if (made->kind == VALUE_NONE || !is_list_of_numbers(c, made, image, span)) return lowered;
    Node *output = made->node->shape.rank ? made->node : graph_reshape(g, made->node, (Shape){1, {1}}, NULL);
    lowered.width = (int)output->shape.dim[output->shape.rank - 1];
    if (output->shape.rank == 3) {                                 /* so many key points of each picture, a list of numbers for each */
        lowered.points = (int)output->shape.dim[1];
        g->later = "key points", g->later_span = span;
    }
    finish_graph(c, g, output, image, &lowered);
    if (!lowered.program && !lowered.later) lowered.width = 0;
    return lowered;
}

/* ---- a value inside ---------------------------------------------------------------------------------------------------- */

static void refuse_inside(Compilation *c, const Value *made, const char *inside, int found, Span span) {
    NameList names = {0};
    if (found) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, span, "%d values inside this network are called `%s`", found, inside);
        diag_help(d, "name the stage around it too: stage.%s", inside);
        return;
    }
    inner_names(c, made, &names);
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "nothing inside this network is called `%s`", inside);
    const char *known = "";
    for (int i = 0; i < names.count && i < 20; i++) known = arena_print(&c->arena, "%s %s", known, names.at[i]);
    if (names.count) diag_fact(d, "there are:%s%s", known, names.count > 20 ? " .." : "");
    if (!diag_did_you_mean(d, NOWHERE, inside, &names, false)) diag_help(d, "name an equation or a stage of it; a stage inside another has both names: layer3.0");
}

Lowered lower_inside(Compilation *c, const Choice *choices, Value *network, const View *view, const char *inside, Span span) {
    Lowered lowered = {0};
    int found = 0;
    Graph *g = graph_new(c);
    Value *made = call_network(c, g, choices, network, view, NULL, span);
    if (made->kind != VALUE_TENSOR) return lowered;
    const Value *inner = inside ? inner_value(c, made, inside, &found) : made;
    if (!inner || found > 1) refuse_inside(c, made, inside, found, span);
    else finish_graph(c, g, inner->node, takes_image(network), &lowered);
    return lowered;
}

/* ---- jre explain ----------------------------------------------------------------------------------------------------------- */

static const char *bytes_text(Arena *arena, size_t bytes) {
    return bytes >= 1u << 20 ? arena_print(arena, "%.1f MiB", (double)bytes / 1048576) : arena_print(arena, "%.1f KiB", (double)bytes / 1024);
}

/* "3x3/2", and how many channels see each other where not all do. */
static const char *window_text(Arena *arena, const Node *conv) {
    const Shape *w = &conv->in[1]->shape;
    const double stride = conv->attribute[0], groups = conv->attribute[3];
    const char *text = arena_print(arena, "%lldx%lld", (long long)w->dim[2], (long long)w->dim[3]);
    if (stride > 1) text = arena_print(arena, "%s/%g", text, stride);
    if (groups > 1) text = w->dim[1] == 1 ? arena_print(arena, "%s each", text) : arena_print(arena, "%s in %g", text, groups);
    return text;
}

static const char *conv_text(Arena *arena, const Node *node) {
    const double low = node->attribute[4], high = node->attribute[5];
    const char *text = arena_print(arena, "conv %s%s%s", window_text(arena, node), node->inputs > 2 && node->in[2] ? " bias" : "", node->inputs > 3 && node->in[3] ? " residual" : "");
    if (low <= -1e300 && high >= 1e300) return text;
    return low == 0 && high > 1e300 ? arena_print(arena, "%s relu", text) : arena_print(arena, "%s %g..%g", text, low, high);
}

const char *step_text(Arena *arena, const Node *node) {
    enum { MOST = 4 };
    const char *text = node->op == OP_conv ? conv_text(arena, node) : node->op == OP_chain ? "" : op_row(node->op)->name;
    int told = 0;
    for (int i = 0; node->links && i < node->links->count; i++) {
        if (node->links->link[i].op == OP_constant) continue;
        if (told++ == MOST) return arena_print(arena, "%s ..", text);
        text = arena_print(arena, "%s%s%s", text, *text ? " " : "", op_row(node->links->link[i].op)->name);
    }
    return text;
}

/* What the files of weights hold that this network does not ask for. */
static void print_left_over(const Program *p, Text *out) {
    Arena *arena = p->graph->arena;
    Map told = {0};
    for (int i = 0; i < p->graph->nodes.count; i++) {
        const WeightScope *scope = p->graph->nodes.at[i]->weights;
        NameList rest = {0};
        if (!scope || map_get(&told, scope->path)) continue;
        map_set(&told, arena, scope->path, (void *)(uintptr_t)scope);
        weights_left_over(p->graph->compilation, scope, &rest);
        if (rest.count) text_add(out, "  left over in %s: %s\n", scope->path, names_listed(arena, &rest, 10));
    }
}

void program_print(const Program *p, Text *out) {
    Arena *arena = p->graph->arena;
    const size_t from = out->length;
    text_add(out, "  %d steps a batch, %d once when loaded, %.3f GFLOP a picture, %lld weights\n", p->step_count, p->load_steps, p->flops / 1e9, (long long)p->weights);
    text_add(out, "  memory for a batch of %d: sum %s -> planned %s, %s\n", p->max_batch, bytes_text(arena, p->sum_bytes), bytes_text(arena, p->slab_bytes),
             p->loaded_bytes ? arena_print(arena, "weights %s", bytes_text(arena, p->loaded_bytes)) : "no weights");
    if (p->asked_batch > p->max_batch) text_add(out, "  to fit: batches of %d of %d\n", p->max_batch, p->asked_batch);
    if (p->computed_again) text_add(out, "  to fit: %d value%s computed twice\n", p->computed_again, p->computed_again == 1 ? "" : "s");
    if (p->latency) text_add(out, "  kernels for one picture at a time\n");
    print_left_over(p, out);
    text_fold(out, from, 4);
}
