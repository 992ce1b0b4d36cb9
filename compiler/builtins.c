/* builtins.c: what `builtin` means in core.jre.
 *
 * One row a word: the elementwise ones name their op, the others have a function of their own here. Parameters have
 * been bound and checked by call.c and stand in env->values under the names that core.jre gives them. */
#include "compiler.h"

#include <math.h>
#include <string.h>

Value *parameter(Environment *env, const char *name) { return map_get(&env->values, intern(env->compilation->jre, name)); }

double real_parameter(Environment *env, const char *name) {
    bool ok = true;
    return number_in(parameter(env, name), "bare", &ok);
}

bool known_word(Environment *env, const char *name, const char *const *words, int count) {
    const Value *v = parameter(env, name);
    const char *known = "";
    NameList names = {0};
    for (int i = 0; i < count; i++) {
        if (!strcmp(words[i], v->text)) return true;
        list_add(&env->compilation->arena, &names, words[i]);
        known = arena_print(&env->compilation->arena, "%s %s", known, words[i]);
    }
    Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, v->span, "`%s` takes no word of this name", name);
    diag_fact(d, "known are:%s", known);
    if (!diag_did_you_mean(d, v->span, v->text, &names, true)) diag_help(d, "write one of these");
    return false;
}

static Value *finish(Environment *env, Node *node, const char *why, Span span) {
    if (node) return value_tensor(env->compilation, node, span);
    Diagnostic *d = diag_at_call(env, DIAG_shape_mismatch, "these sizes do not go together");
    diag_fact(d, "%s", why);
    diag_help(d, "change the sizes in the call, or the picture's");
    return poison(env, span);
}

/* ---- layers that learn ---------------------------------------------------------------------------------------------- */

Value *builtin_conv(Environment *env, Span span) {
    Node *x = parameter(env, "x")->node;
    int64_t out = (int64_t)real_parameter(env, "out"), size = (int64_t)real_parameter(env, "size"), groups = (int64_t)real_parameter(env, "groups");
    Node *w = weight_from_file(env, "weight", (Shape){4, {out, x->shape.dim[1] / groups, size, size}});
    Node *bias = w && parameter(env, "bias")->truth ? weight_from_file(env, "bias", (Shape){1, {out}}) : NULL;
    if (!w || (parameter(env, "bias")->truth && !bias)) return poison(env, span);
    double attributes[GRAPH_ATTRIBUTES] = {real_parameter(env, "stride"), real_parameter(env, "pad"), real_parameter(env, "dilation"), (double)groups, -INFINITY, INFINITY};
    const char *why;
    Node *made = graph_add(env->graph, OP_conv, (Node *[]){x, w, bias}, 3, attributes, env->origin, &why);
    return finish(env, made, why, span);
}

Value *builtin_batchnorm(Environment *env, Span span) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    Node *in[5] = {parameter(env, "x")->node};
    for (int i = 0; i < 4; i++)
        if (!(in[i + 1] = weight_from_file(env, names[i], (Shape){1, {in[0]->shape.dim[1]}}))) return poison(env, span);
    double epsilon = real_parameter(env, "epsilon");
    const char *why;
    Node *made = graph_add(env->graph, OP_batchnorm, in, 5, &epsilon, env->origin, &why);
    return finish(env, made, why, span);
}

Value *builtin_linear(Environment *env, Span span) {
    Graph *g = env->graph;
    Node *x = parameter(env, "x")->node;
    int64_t out = (int64_t)real_parameter(env, "out");
    bool biased = parameter(env, "bias")->truth;
    Node *w = weight_from_file(env, "weight", (Shape){2, {out, x->shape.dim[x->shape.rank - 1]}});
    Node *bias = w && biased ? weight_from_file(env, "bias", (Shape){1, {out}}) : NULL;
    if (!w || (biased && !bias)) return poison(env, span);
    const char *why;
    Node *node = graph_add(g, OP_matmul, (Node *[]){x, graph_transpose(g, w, (int[]){1, 0}, env->origin)}, 2, NULL, env->origin, &why);
    if (node && bias) node = graph_add(g, OP_add, (Node *[]){node, bias}, 2, NULL, env->origin, &why);
    return finish(env, node, why, span);
}

Value *builtin_token_linear(Environment *env, Span span) { return builtin_linear(env, span); }

Value *builtin_repeat(Environment *env, Span span) {
    Value *x = parameter(env, "x"), *block = parameter(env, "block");
    int count = (int)real_parameter(env, "count"), first = (int)real_parameter(env, "first");
    for (int i = 0; i < count && x->kind != VALUE_NONE; i++)
        x = evaluate_call(env, block, NULL, x, span, arena_print(&env->compilation->arena, "%d", first + i));
    return x;
}

/* ---- layers without weights ------------------------------------------------------------------------------------------- */

static Value *pool(Environment *env, Op op, Span span) {
    Node *x = parameter(env, "x")->node;
    double attributes[] = {real_parameter(env, "size"), real_parameter(env, "stride"), real_parameter(env, "pad")};
    const char *why;
    Node *made = graph_add(env->graph, op, &x, 1, attributes, env->origin, &why);
    return finish(env, made, why, span);
}
Value *builtin_max_pool(Environment *env, Span span) { return pool(env, OP_max_pool, span); }
Value *builtin_mean_pool(Environment *env, Span span) { return pool(env, OP_mean_pool, span); }

Value *builtin_concat(Environment *env, Span span) {
    Value *parts = parameter(env, "parts");
    Node *joined = NULL;
    const char *why = "there is nothing to join";
    for (int i = 0; i < parts->items.count; i++) {
        Value *part = parts->items.at[i];
        if (part->kind != VALUE_TENSOR || part->classes || part->letters.count) {
            diag(env->compilation->jre, DIAG_wrong_type, part->span, "a tensor was expected, this is %s", value_kind_text(part));
            return poison(env, span);
        }
        Node *node = part->node->shape.rank ? part->node : graph_reshape(env->graph, part->node, (Shape){1, {1}}, env->origin);
        double axis = node->shape.rank > 1;
        joined = !joined ? node : graph_add(env->graph, OP_concat, (Node *[]){joined, node}, 2, &axis, env->origin, &why);
        if (!joined) break;
    }
    return finish(env, joined, why, span);
}

Value *builtin_flatten(Environment *env, Span span) {
    Node *x = parameter(env, "x")->node;
    int64_t rest = 1;
    for (int i = 1; i < x->shape.rank; i++) rest *= x->shape.dim[i];
    return value_tensor(env->compilation, graph_reshape(env->graph, x, (Shape){2, {x->shape.dim[0], rest}}, env->origin), span);
}

/* [N, C, H, W] -> [N, H * W, C] */
Value *builtin_tokens(Environment *env, Span span) {
    Node *x = parameter(env, "x")->node;
    const int64_t *dim = x->shape.dim;
    Node *last = graph_transpose(env->graph, x, (int[]){0, 2, 3, 1}, env->origin);
    return value_tensor(env->compilation, graph_reshape(env->graph, last, (Shape){3, {dim[0], dim[2] * dim[3], dim[1]}}, env->origin), span);
}

/* [N, T, C] -> [N, count, T, C / count], and back. */
Value *builtin_split_heads(Environment *env, Span span) {
    Node *x = parameter(env, "x")->node;
    const int64_t *dim = x->shape.dim, count = (int64_t)real_parameter(env, "count");
    Node *apart = graph_reshape(env->graph, x, (Shape){4, {dim[0], dim[1], count, dim[2] / count}}, env->origin);
    return value_tensor(env->compilation, graph_transpose(env->graph, apart, (int[]){0, 2, 1, 3}, env->origin), span);
}

Value *builtin_join_heads(Environment *env, Span span) {
    Node *x = parameter(env, "x")->node;
    const int64_t *dim = x->shape.dim;
    Node *beside = graph_transpose(env->graph, x, (int[]){0, 2, 1, 3}, env->origin);
    return value_tensor(env->compilation, graph_reshape(env->graph, beside, (Shape){3, {dim[0], dim[2], dim[1] * dim[3]}}, env->origin), span);
}

/* ---- the table ----------------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; Value *(*make)(Environment *env, Span span); bool view_step; } builtins[] = {
#define BUILTIN(name) {#name, builtin_##name, false},
#define VIEW_STEP(name) {#name, builtin_view_step, true},
#include "builtins.def"
#undef BUILTIN
};

bool is_view_step(const Decl *decl) {
    for (size_t i = 0; decl->statement->builtin && i < sizeof builtins / sizeof *builtins; i++)
        if (!strcmp(builtins[i].name, decl->name)) return builtins[i].view_step;
    return false;
}

/* cos(0.5rad), max(3, 4): numbers stay numbers. */
static Value *of_numbers(Environment *env, Op op, const double *x, Span span) {
    double result;
    switch (op) {
    case OP_exp: result = exp(x[0]); break;
    case OP_log: result = log(x[0]); break;
    case OP_sqrt: result = sqrt(x[0]); break;
    case OP_sin: result = sin(x[0]); break;
    case OP_cos: result = cos(x[0]); break;
    case OP_tanh: result = tanh(x[0]); break;
    case OP_sigmoid: result = 1 / (1 + exp(-x[0])); break;
    case OP_erf: result = erf(x[0]); break;
    case OP_abs: result = fabs(x[0]); break;
    case OP_max: result = fmax(x[0], x[1]); break;
    case OP_min: result = fmin(x[0], x[1]); break;
    default: return NULL;
    }
    return value_number(env->compilation, result, span);
}

static Value *elementwise(Environment *env, Op op, const Decl *decl, Span span) {
    Value *operands[GRAPH_INPUTS];
    double numbers[GRAPH_INPUTS];
    int count = 0;
    bool all_numbers = true, ok = true, drawn = false;
    for (; count < decl->statement->params.count && count < GRAPH_INPUTS; count++) {
        operands[count] = parameter(env, decl->statement->params.at[count].name);
        all_numbers &= operands[count]->kind == VALUE_NUMBER;
        drawn |= operands[count]->draw != NULL;
        if (all_numbers) numbers[count] = number_in(operands[count], "bare", &ok);
    }
    Value *folded = all_numbers && ok ? of_numbers(env, op, numbers, span) : NULL;
    if (folded && drawn) folded->draw = draw_of(env->compilation, decl->name, (const Value *const *)operands, count);
    return folded ? folded : tensor_operation(env, op, operands, count, NULL, span);
}

Value *builtin_call(Environment *env, const Decl *decl, Span span) {
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (!strcmp(builtins[i].name, decl->name)) return builtins[i].make(env, span);
    Op op = op_find(decl->name);
    if (op != OP_COUNT && (op_row(op)->flags & OP_ELEMENTWISE)) return elementwise(env, op, decl, span);
    Diagnostic *d = diag(env->compilation->jre, DIAG_not_yet, span, "`%s` is in the language, this version does not compute it yet", decl->name);
    diag_also(d, decl->statement->name_span, "declared here");
    return poison(env, span);
}
