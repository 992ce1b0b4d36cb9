/* testing.c: the chunks `test` and `wrong` of a document, and the words that only they need.
 *
 *   expect kernels(resnet50).fused == 53        expect near(norm([[3, 4]]), [5], 1e-12)
 *
 * Each chunk is laid over its document alone, as an overlay is, and adds nothing to the program. The tensors of its expectations are
 * computed in 64 bits; the structure of a network is that of its graph on made-up weights, after every pass. */
#include "compiler.h"

#include <math.h>
#include <string.h>

/* ---- networks on made-up weights ------------------------------------------------------------------------------------ */

enum { LARGEST_SIDE = 1024, LARGEST_ASKED = 16384, USUAL_CHANNELS = 3, USUAL_SIDE = 32 };

static const Value *bound_value(const Value *v, const char *name) {
    for (int i = 0; i < v->bound.count; i++)
        if (!strcmp(v->bound.at[i].name, name)) return v->bound.at[i].value;
    return NULL;
}

/* The parameter that takes the data; NULL if all of them are given. */
static const Param *data_param(const Value *formula) {
    const Statement *s = formula->decl->statement;
    for (int i = 0; i < s->params.count; i++)
        if (is_data_type(s->params.at[i].type.name) && !bound_value(formula, s->params.at[i].name)) return &s->params.at[i];
    return NULL;
}

/* Numbers of the call and defaults, which are made of earlier ones: what sizes and conditions may speak of. */
typedef struct { const Value *formula; const DimTable *table; int before; } Given;

static bool given_size(void *context, const char *name, int64_t *value) {
    Given *given = context;
    const Value *bound = bound_value(given->formula, name);
    const Statement *s = given->formula->decl->statement;
    const int before = given->before;
    const char *why;
    bool known = false;
    if (bound) {
        *value = bound->kind == VALUE_NUMBER && bound->whole ? (int64_t)bound->number : 0;
        return bound->kind == VALUE_NUMBER && bound->whole && !bound->batch;
    }
    for (int i = 0; i < before; i++) {
        if (s->params.at[i].name != name || !s->params.at[i].fallback) continue;
        given->before = i;
        known = dim_evaluate(given->table, s->params.at[i].fallback, value, &why);
        given->before = before;
    }
    return known;
}

static DimTable *table_of(Compilation *c, const Value *formula) {
    DimTable *table = arena_new(&c->arena, DimTable);
    Given *given = arena_new(&c->arena, Given);
    *given = (Given){formula, table, formula->decl->statement->params.count};
    *table = (DimTable){.arena = &c->arena, .outside = given_size, .context = given};
    return table;
}

/* The sizes that a type says, with `channels` and `side` for its letters. False: it leaves the number of dimensions open. */
static bool sizes_of_type(const Type *type, int64_t channels, int64_t side, DimTable *table, Shape *shape) {
    const char *why;
    *shape = (Shape){.rank = type->dims.count};
    if (!type->has_dims || shape->rank < 1 || shape->rank > GRAPH_RANK) return false;
    for (int i = 0; i < shape->rank; i++) {
        const Expr *size = type->dims.at[i].size;
        int64_t usual = i == 0 ? DIM_BATCH : i == 1 ? channels : side;
        if (type->dims.at[i].rest) return false;
        if (dim_evaluate(table, size, &shape->dim[i], &why)) continue;
        if (size->kind != EXPR_NAME) return false;
        shape->dim[i] = usual;
        if (strcmp(size->name, "_") != 0) dim_bind(table, size->name, usual);
    }
    return true;
}

/* What cannot be told from sizes alone is left to the call. */
static bool conditions_hold(const DimTable *table, const Statement *s) {
    for (int i = 0; i < s->result.dims.count; i++) {
        int64_t size = 1;
        const char *why;
        if (!s->result.dims.at[i].rest && dim_evaluate(table, s->result.dims.at[i].size, &size, &why) && size < 1 && size != DIM_BATCH) return false;
    }
    for (int i = 0; i < s->where.count; i++) {
        int64_t holds = 1;
        const char *why;
        if (dim_evaluate(table, s->where.at[i], &holds, &why) && !holds) return false;
    }
    return true;
}

/* The smallest pictures that a network's head allows: three channels if it does not say how many, else the next number that does. */
static bool smallest_input(Compilation *c, const Value *network, Shape *shape) {
    static const int64_t channels[] = {USUAL_CHANNELS, 4, 8, 12, 16, 32, 64, 128, 256};
    const Param *data = data_param(network);
    *shape = (Shape){4, {DIM_BATCH, USUAL_CHANNELS, USUAL_SIDE, USUAL_SIDE}};
    if (takes_image(network)) *shape = (Shape){3, {3, USUAL_SIDE, USUAL_SIDE}};
    if (!data || shape->rank == 3) return data;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int64_t side = 1; side <= LARGEST_SIDE; side++) {
            DimTable *table = table_of(c, network);
            Shape found;
            if (!sizes_of_type(&data->type, channels[i], side, table, &found)) return true;
            *shape = found;
            if (conditions_hold(table, network->decl->statement)) return true;
        }
    return false;
}

static bool holds_tensor(const Value *v) {
    bool found = v->kind == VALUE_TENSOR;
    for (int i = 0; i < v->items.count && !found; i++) found = holds_tensor(v->items.at[i]);
    for (int i = 0; i < v->bound.count && !found; i++) found = holds_tensor(v->bound.at[i].value);
    return found;
}

static Value *not_measured(Environment *env, const Value *network, const char *why) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, network->span, "%s", why);
    diag_help(d, "name a network that still waits for its picture: kernels(resnet50)");
    return NULL;
}

/* The network called with `shape`, in a graph of its own; the graph of the test is none of its business. NULL: diagnosed. */
static Value *call_measured(Environment *env, Value *network, Shape shape, Graph **graph, Span span) {
    Compilation *c = env->compilation;
    Graph *stated = c->stated, *g = graph_new(c);
    Environment *own = environment_new(c, env->scope, env->choices);
    Origin *origin = arena_new(&c->arena, Origin);
    *origin = (Origin){.span = span};
    own->graph = g;
    own->origin = origin;
    own->weights = weights_made_up(c, span);
    g->input = graph_source(g, OP_input, shape, 0, NULL, NULL, origin);
    c->stated = NULL;
    Value *picture = value_tensor(c, g->input, span);
    picture->image = takes_image(network);
    Value *made = evaluate_call(own, network, NULL, picture, span, NULL);
    c->stated = stated;
    if (made->kind == VALUE_NONE) return NULL;
    if (made->kind != VALUE_TENSOR || made->letters.count) return not_measured(env, network, "this gives no tensor that could be measured");
    g->output = made->node;
    *graph = g;
    return made;
}

/* The same at the smallest size that it allows. */
static Value *call_smallest(Environment *env, const char *name, Graph **graph, Span span) {
    Value *network = parameter(env, name);
    Shape shape;
    if (holds_tensor(network)) return not_measured(env, network, "the structure of a network does not depend on tensors");
    if (!data_param(network)) return not_measured(env, network, "nothing is left that a picture could be given to");
    if (smallest_input(env->compilation, network, &shape)) return call_measured(env, network, shape, graph, span);
    Diagnostic *d = diag(env->compilation->jre, DIAG_broken_condition, network->span, "no picture of up to %d x %d pixels is allowed here", LARGEST_SIDE, LARGEST_SIDE);
    diag_also(d, network->decl->statement->name_span, "its `where` refuses them all");
    diag_help(d, "ask for less");
    return NULL;
}

/* ---- kernels, weights, shape ---------------------------------------------------------------------------------------------- */

static bool is_fused(const Node *node) {
    bool clamped = node->attribute[4] > -INFINITY || node->attribute[5] < INFINITY;
    return (node->links && node->op != OP_chain) || (node->op == OP_conv && (clamped || (node->inputs > 2 && node->in[2]) || (node->inputs > 3 && node->in[3])));
}

static void add_count(Environment *env, Value *counts, const char *name, int count) {
    Bound bound = {intern(env->compilation->jre, name), value_number(env->compilation, count, counts->span), counts->span};
    list_add(&env->compilation->arena, &counts->bound, bound);
}

Value *builtin_kernels(Environment *env, Span span) {
    Graph *g;
    if (!call_smallest(env, "network", &g, span)) return poison(env, span);
    const Program *program = compile_graph(env->compilation, g, 1);
    if (!program) return poison(env, span);
    int of_op[OP_COUNT] = {0}, fused = 0;
    for (int i = 0; i < program->step_count; i++) {
        of_op[program->steps[i].node->op]++;
        fused += is_fused(program->steps[i].node);
    }
    Value *counts = value_new(env->compilation, VALUE_OPTION, span);
    counts->text = "kernels";
    counts->type = "Kernels";
    add_count(env, counts, "all", program->step_count);
    add_count(env, counts, "fused", fused);
    for (int op = 0; op < OP_COUNT; op++)
        if (!(op_row((Op)op)->flags & OP_SOURCE)) add_count(env, counts, op_row((Op)op)->name, of_op[op]);
    return counts;
}

/* What a batchnorm has measured, its mean and variance, is not learned. */
static double learned_numbers(const Graph *g) {
    bool *measured = arena_array(g->arena, bool, g->nodes.count + 1);
    double count = 0;
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        if (node->op == OP_batchnorm) measured[node->in[3]->id] = measured[node->in[4]->id] = true;
    }
    for (int i = 0; i < g->nodes.count; i++)
        if (g->nodes.at[i]->op == OP_weight && !measured[i]) count += (double)shape_elements(g->nodes.at[i]->shape, 1);
    return count;
}

Value *builtin_weights(Environment *env, Span span) {
    Graph *g;
    if (!call_smallest(env, "network", &g, span)) return poison(env, span);
    graph_sweep(g);
    return value_number(env->compilation, learned_numbers(g), span);
}

static Value *list_of_sizes(Environment *env, const int64_t *dim, int count, Span span) {
    Value *sizes = value_new(env->compilation, VALUE_LIST, span);
    for (int i = 0; i < count; i++) list_add(&env->compilation->arena, &sizes->items, value_number(env->compilation, (double)dim[i], span));
    return sizes;
}

static Value *shape_of_view(Environment *env, Value *view, Span span) {
    Compilation *c = env->compilation;
    Value *picture = value_new(c, VALUE_PICTURE, span);
    picture->view = arena_new(&c->arena, View);
    *picture->view = (View){.name = view->text, .span = span};
    Value *seen = evaluate_call(environment_new(c, env->scope, env->choices), view, NULL, picture, span, NULL);
    if (seen->kind == VALUE_PICTURE) return list_of_sizes(env, (int64_t[]){seen->view->height, seen->view->width}, 2, span);
    if (seen->kind != VALUE_NONE) not_measured(env, view, "this gives no picture");
    return poison(env, span);
}

Value *builtin_shape(Environment *env, Span span) {
    Value *network = parameter(env, "network");
    const Param *data = data_param(network);
    Graph *g;
    if (!data || holds_tensor(network)) return not_measured(env, network, "nothing is left that a picture could be given to"), poison(env, span);
    const bool image = takes_image(network);
    if (!strcmp(data->type.name, "Image") && !image) return shape_of_view(env, network, span);
    const int64_t height = (int64_t)real_parameter(env, "height"), width = (int64_t)real_parameter(env, "width");
    Shape shape = image ? (Shape){3, {USUAL_CHANNELS, height, width}} : (Shape){4, {DIM_BATCH, USUAL_CHANNELS, height, width}};
    Shape said;
    if (!image && sizes_of_type(&data->type, USUAL_CHANNELS, USUAL_SIDE, table_of(env->compilation, network), &said) && said.rank == 4) shape.dim[1] = said.dim[1];
    if (height < 1 || width < 1 || height > LARGEST_ASKED || width > LARGEST_ASKED)
        return not_measured(env, network, "pictures are 1 to 16384 pixels wide and high"), poison(env, span);
    Value *made = call_measured(env, network, shape, &g, span);
    if (!made) return poison(env, span);
    const int batch = made->node->shape.rank && made->node->shape.dim[0] == DIM_BATCH;
    return list_of_sizes(env, made->node->shape.dim + batch, made->node->shape.rank - batch, span);
}

/* ---- near ------------------------------------------------------------------------------------------------------------------------ */

/* Numbers of a value while it is compared: one, or those of a tensor. */
typedef struct { double one; double *numbers; Shape shape; } Numbers;

static double number_at(const Numbers *all, int64_t i) { return all->numbers ? all->numbers[i] : all->one; }

static bool numbers_of(Environment *env, const Value *v, Numbers *all) {
    *all = (Numbers){0};
    if (v->kind != VALUE_TENSOR) {
        all->one = value_bare(v);
        return true;
    }
    all->shape = v->node->shape;
    return tensor_numbers(env, v, &all->numbers);
}

static const char *place_text(Arena *arena, Shape shape, int64_t place) {
    const char *text = "";
    for (int d = shape.rank - 1; d >= 0; d--) {
        text = arena_print(arena, "%lld%s%s", (long long)(place % shape.dim[d]) + 1, *text ? ", " : "", text);
        place /= shape.dim[d];
    }
    return *text ? arena_print(arena, " at [%s]", text) : "";
}

static const char *number_text(Arena *arena, double number) { return isnan(number) ? "NaN" : arena_print(arena, "%.12g", number); }

/* What is no number is near nothing. */
static Value *nearest_of(Environment *env, const Numbers *a, const Numbers *b, double within, Span span) {
    Arena *arena = &env->compilation->arena;
    Shape shape = a->numbers ? a->shape : b->shape;
    double worst = -1;
    int64_t at = 0;
    for (int64_t i = 0; i < shape_elements(shape, 1); i++) {
        double difference = fabs(number_at(a, i) - number_at(b, i));
        if (isnan(difference)) difference = number_at(a, i) == number_at(b, i) ? 0 : INFINITY;
        if (difference > worst) worst = difference, at = i;
    }
    Value *v = value_new(env->compilation, VALUE_TRUTH, span);
    v->truth = worst <= within;
    v->text = arena_print(arena, "%s and %s%s differ by %.3g, more than %.3g", number_text(arena, number_at(a, at)), number_text(arena, number_at(b, at)),
                          place_text(arena, shape, at), worst, within);
    return v;
}

Value *builtin_near(Environment *env, Span span) {
    Value *a = parameter(env, "a"), *b = parameter(env, "b");
    Numbers left, right;
    if (!numbers_of(env, a, &left) || !numbers_of(env, b, &right)) return poison(env, span);
    if (!left.numbers || !right.numbers || shape_equal(left.shape, right.shape)) {
        Value *v = nearest_of(env, &left, &right, real_parameter(env, "within"), span);
        v->open = (a->kind == VALUE_METRIC && !a->known) || (b->kind == VALUE_METRIC && !b->known);
        return v;
    }
    Diagnostic *d = diag_at_call(env, DIAG_shape_mismatch, "two tensors of one shape are compared, here are two");
    diag_fact(d, "%s and %s", value_text(env->compilation, a), value_text(env->compilation, b));
    diag_help(d, "write as many numbers as there are");
    return poison(env, span);
}

/* ---- what an expectation of a test says ------------------------------------------------------------------------------------------ */

Value *stated_value(Environment *env, Value *v) {
    Compilation *c = env->compilation;
    double *numbers;
    if (!c->stated || v->kind != VALUE_TENSOR) return v;
    int64_t count = shape_elements(v->node->shape, 1);
    if (!v->truth && count != 1) return v;
    if (!tensor_numbers(env, v, &numbers)) return poison(env, v->span);
    if (!v->truth) return value_number(c, numbers[0], v->span);
    Value *all = value_new(c, VALUE_TRUTH, v->span);
    all->truth = true;
    for (int64_t i = 0; i < count; i++) all->truth &= numbers[i] != 0;
    return all;
}

/* A value as it would be written; long ones are cut. */
static const char *written(Environment *env, const Value *v) {
    enum { MOST_SHOWN = 12 };
    Arena *arena = &env->compilation->arena;
    if (value_is_numeric(v)) return arena_print(arena, "%.12g", value_bare(v));
    if (v->kind != VALUE_LIST) return value_text(env->compilation, v);
    const char *text = "[";
    for (int i = 0; i < v->items.count && i < MOST_SHOWN; i++) text = arena_print(arena, "%s%s%s", text, i ? ", " : "", written(env, v->items.at[i]));
    return arena_print(arena, v->items.count > MOST_SHOWN ? "%s, ..]" : "%s]", text);
}

const char *stated_sides(Environment *env, const Expr *e, const Value *found) {
    if (found->text) return found->text;
    if (e->kind != EXPR_BINARY || e->op < BINARY_eq || e->op > BINARY_ge) return NULL;
    const Value *left = stated_value(env, evaluate(env, e->left)), *right = stated_value(env, evaluate(env, e->right));
    return arena_print(&env->compilation->arena, "left %s, right %s", written(env, left), written(env, right));
}

/* ---- one chunk ---------------------------------------------------------------------------------------------------------------------- */

static void keep_failed(Jre *jre, TestResult *result, const Outcome *outcome, const char *found) {
    Outcome kept = *outcome;
    kept.text = intern(jre, outcome->text);
    kept.found = found ? intern(jre, found) : NULL;
    list_add(&jre->forever, &result->failed, kept);
}

static void check_stated(Compilation *c, const Statement *expect, TestResult *result) {
    MemberList members = {0};
    members_opened(c, expect->value, &members);
    for (int i = 0; i < members.count; i++) {
        Outcome outcome = {0};
        c->stated = graph_new(c);
        bool sound = check_expectation(c, expect, &members.at[i], NULL, &outcome);
        c->stated = NULL;
        result->expectations++;
        if (!sound) result->mistaken = true;
        else if (outcome.open) keep_failed(c->jre, result, &outcome, "it is known after a run, and a test runs nothing");
        else if (!outcome.holds) keep_failed(c->jre, result, &outcome, outcome.found);
    }
}

static void check_all_stated(Compilation *c, const Chunk *chunk, TestResult *result) {
    for (int i = 0; i < chunk->statements.count; i++) {
        const Statement *s = chunk->statements.at[i];
        if (s->kind == STATEMENT_EXPECT && !s->broken) check_stated(c, s, result);
    }
}

/* The equations, formulas and records of the chunk are names above the document's; each expectation has a graph of its own. */
static void run_stated(Compilation *c, const CompileRequest *request, const Chunk *chunk, TestResult *result) {
    c->plan = arena_new(&c->arena, Plan);
    result->mistaken = !resolve_program(c, request);
    if (!result->mistaken) check_all_stated(c, chunk, result);
    if (result->mistaken || result->expectations) return;
    Diagnostic *d = diag(c->jre, DIAG_unfinished_line, chunk->span, "this test expects nothing");
    diag_help(d, "add a line that begins with `expect`");
    result->mistaken = true;
}

typedef LIST(Diagnostic *) FindingList;

static void take_findings(Jre *jre, FindingList *into) {
    for (int i = 0; i < jre->diagnostics.count; i++) list_add(&jre->forever, into, jre->diagnostics.at[i]);
    jre->diagnostics.count = 0;
}

/* Those that are not among `known`. */
static void keep_findings(Jre *jre, const FindingList *found, const FindingList *known, FindingList *fresh) {
    for (int i = 0; i < found->count; i++) {
        bool before = false;
        for (int k = 0; k < known->count && !before; k++) before = same_finding(found->at[i], known->at[k]);
        if (!before) list_add(&jre->forever, fresh, found->at[i]);
    }
}

/* What the document is told without the chunk does not count; each other finding must be the one that the fence names. */
static void run_refused(Jre *jre, const CompileRequest *request, const Chunk *chunk, const Facts *facts, TestResult *result) {
    FindingList own = {0}, found = {0}, fresh = {0};
    Compilation alone = {0}, laid = {0};
    CompileRequest document = *request;
    document.above = NULL;
    compile(&alone, jre, &document, facts, true);
    take_findings(jre, &own);
    for (int i = 0; i < chunk->findings.count; i++) list_add(&jre->forever, &fresh, chunk->findings.at[i]);
    if (!fresh.count) compile(&laid, jre, request, facts, true);
    if (laid.plan) check_all_stated(&laid, chunk, result);
    take_findings(jre, &found);
    keep_findings(jre, &found, &own, &fresh);
    result->mistaken = result->refused = false;
    for (int i = 0; i < fresh.count; i++) {
        const DiagRow *row = &diag_rows[fresh.at[i]->code];
        list_add(&jre->forever, &result->findings, fresh.at[i]);
        bool meant = chunk->wrong && !strcmp(row->name, chunk->wrong);
        result->refused |= meant;
        if (!meant && row->severity != SEVERITY_NOTE) list_add(&jre->forever, &result->others, row->name);
    }
    compilation_free(&alone);
    compilation_free(&laid);
}

void test_chunk(Jre *jre, const Module *document, const Chunk *chunk, const char *path, const Facts *facts, TestResult *result) {
    FindingList before = {0}, found = {0}, fresh = {0};
    take_findings(jre, &before);
    *result = (TestResult){.chunk = chunk, .refused = true};
    CompileRequest request = {.path = path, .above = module_of_chunk(jre, document, chunk)};
    if (chunk->kind == CHUNK_WRONG) {
        run_refused(jre, &request, chunk, facts, result);
    } else {
        Compilation c = {.jre = jre, .arena = {.jre = jre}, .facts = *facts};
        run_stated(&c, &request, chunk, result);
        compilation_free(&c);
    }
    take_findings(jre, &found);
    keep_findings(jre, &found, &before, &fresh);
    for (int i = 0; i < before.count; i++) list_add(&jre->forever, &jre->diagnostics, before.at[i]);
    for (int i = 0; i < fresh.count; i++) list_add(&jre->forever, &jre->diagnostics, fresh.at[i]);
    result->passed = !result->mistaken && !result->failed.count && result->refused && !result->others.count;
}
