/* check_gradient.c: what a training could never learn.
 *
 *   unreachable_gradient   a weight from which no slope leads to the loss: behind a comparison, times 0, on the side that is never taken
 *   squashed_twice         a cross entropy of numbers that cannot spread: it makes shares of shares, or of bare cosines
 *
 * Both look at the graph of one step of a training, from pictures and labels to the loss: the first walks from the loss backwards over the
 * operands in which each op has a slope (ops.def), the second asks between which numbers the classes must lie (ranges.c). */
#include "compiler.h"

#include <math.h>
#include <string.h>

enum { FROM_PICTURES = 1, FROM_WEIGHTS = 2, FROM_LABELS = 4 };
enum { MOST_BESIDE = 3, SOME_INDIVIDUALS = 100, USUAL_SCALE = 30 };

typedef struct {
    Compilation *c; const TrainPlan *train; const Graph *g;
    const NumberRange *ranges;            /* by node, as the others */
    bool *reached, *running;              /* by a slope from the loss; a value that is counted, not learned */
    int *from;                            /* what it depends on */
    bool with_data;
} Look;

static bool accepted(const Look *look, DiagCode check, Span at) { return overruled(look->c, look->train->scope, check, at, look->train->span); }

/* ---- the expression of a span ------------------------------------------------------------------------------------------- */

typedef struct { const Expr *expr, *around; } Found;

static bool find_in(const Expr *e, const Expr *around, Span span, Found *found) {
    if (!e || span.start < e->span.start || span.end > e->span.end) return false;
    const Expr *const below[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++)
        if (find_in(below[i], e, span, found)) return true;
    for (int i = 0; i < e->arguments.count; i++)
        if (find_in(e->arguments.at[i].value, e, span, found)) return true;
    if (e->span.start != span.start || e->span.end != span.end) return false;
    *found = (Found){e, around};
    return true;
}

/* What the document's program has there, and the expression that it is a part of. */
static Found expression_at(const Compilation *c, Span span) {
    Found found = {0};
    for (int i = 0; i < c->scope->names.count; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        if (!decl) continue;
        if (find_in(decl->value, NULL, span, &found)) return found;
        for (int k = 0; k < decl->settings.count; k++)
            if (find_in(decl->settings.at[k].value, NULL, span, &found)) return found;
        for (int k = 0; k < decl->statement->lines.count; k++)
            if (find_in(decl->statement->lines.at[k].value, NULL, span, &found)) return found;
    }
    return found;
}

/* Would it fall apart beside an operator? */
static bool is_compound(const Expr *e) { return !e->parenthesized && (e->kind == EXPR_BINARY || e->kind == EXPR_NEGATE || e->kind == EXPR_IF || e->kind == EXPR_REDUCE || e->kind == EXPR_PIPE); }

/* ---- slopes ------------------------------------------------------------------------------------------------------------------ */

static bool is_only(NumberRange r, double number) { return r.low == number && r.high == number; }

/* Not where it is always the other side that counts, or where it counts 0 times. */
static bool has_slope(const Look *look, const Node *node, int operand) {
    if (!op_has_slope(node->op, operand)) return false;
    NumberRange own = look->ranges[node->in[operand]->id];
    NumberRange other = node->inputs == 2 && node->in[1 - operand] ? look->ranges[node->in[1 - operand]->id] : own;
    switch (node->op) {
    case OP_mul: return node->in[0] == node->in[1] || !is_only(other, 0);
    case OP_div: return operand == 0 || !is_only(other, 0);
    case OP_pow: return operand == 1 || !is_only(other, 0);
    case OP_max: return node->in[0] == node->in[1] || own.high > other.low;
    case OP_min: return node->in[0] == node->in[1] || own.low < other.high;
    case OP_clamp: return own.high > node->attribute[0] && own.low < node->attribute[1];
    case OP_select: return !is_only(look->ranges[node->in[0]->id], operand == 1 ? 0 : 1);
    default: return true;
    }
}

static bool is_learned(const Look *look, const Node *node) { return node->op == OP_weight && !node->frozen && !look->running[node->id]; }

static int64_t numbers_in(const Node *weight) { return shape_elements(weight->shape, 1); }

/* ---- unreachable_gradient -------------------------------------------------------------------------------------------------------- */

/* Where the way from a weight to the loss ends: a node that has no slope in this operand. */
typedef struct { const Node *node; int operand; } Cut;

static Cut cut_of(const Look *look, const Node *weight) {
    const Graph *g = look->g;
    bool *behind = arena_array(g->arena, bool, g->nodes.count);
    behind[weight->id] = true;
    for (int i = weight->id + 1; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        for (int k = 0; k < node->inputs; k++) {
            if (!node->in[k] || !behind[node->in[k]->id]) continue;
            if (!has_slope(look, node, k)) return (Cut){node, k};
            behind[i] = true;
        }
    }
    return (Cut){0};
}

/* "level" of "loss.level". */
static const char *short_name(const Node *weight) {
    const char *dot = strrchr(weight->name, '.');
    return dot ? dot + 1 : weight->name;
}

static const char *cut_text(const Look *look, const Cut *cut, const char *what) {
    Arena *arena = &look->c->arena;
    switch (cut->node->op) {
    case OP_mul: case OP_div: return arena_print(arena, "this is 0 whatever comes in: no slope reaches %s", what);
    case OP_pow: return arena_print(arena, "anything to the power of 0 is 1: no slope reaches %s", what);
    case OP_select: return arena_print(arena, "this side is never taken: no slope reaches %s", what);
    case OP_max: case OP_min: case OP_clamp: return arena_print(arena, "always the other side here: no slope reaches %s", what);
    default: return arena_print(arena, "a comparison is a step, flat on both sides: no slope reaches %s", what);
    }
}

static const char *start_text(const Start *start) {
    if (!start) return "";
    if (!strcmp(start->how, "zeros")) return ", at 0";
    if (!strcmp(start->how, "ones")) return ", at 1";
    return ", as drawn";
}

/* What decides between two branches needs no slope itself: they can be mixed. */
static bool decides(const Look *look, const Node *test) {
    for (int i = test->id + 1; i < look->g->nodes.count; i++) {
        const Node *node = look->g->nodes.at[i];
        const Node *in = node->inputs ? node->in[0] : NULL;
        while (in && (op_row(in->op)->flags & OP_LAYOUT) && in != test) in = in->in[0];
        if (node->op == OP_select && in == test) return true;
    }
    return false;
}

static void help_over_a_step(const Look *look, Diagnostic *d, const Node *step, Span span) {
    Jre *jre = look->c->jre;
    const Expr *e = expression_at(look->c, span).expr;
    bool ordered = e && e->kind == EXPR_BINARY && e->op >= BINARY_lt && e->op <= BINARY_ge;
    if (!ordered) {
        diag_help(d, "measure how near the two are instead: exp(-(a - b) ^ 2) falls off smoothly");
        return;
    }
    bool above = e->op == BINARY_gt || e->op == BINARY_ge;
    const char *left = expr_text(jre, above ? e->left : e->right), *right = expr_text(jre, above ? e->right : e->left);
    const char *soft = arena_print(&look->c->arena, "sigmoid((%s - %s) / 0.1)", left, right);
    const Expr *bound = above ? e->right : e->left, *other = above ? e->left : e->right;
    if (bound->kind == EXPR_NUMBER && bound->number == 0) soft = arena_print(&look->c->arena, is_compound(other) ? "sigmoid((%s) / 0.1)" : "sigmoid(%s / 0.1)", left);
    if (decides(look, step)) {
        diag_help(d, "mix the two branches by a soft step: `s * a + (1 - s) * b` with `s = %s`", soft);
        return;
    }
    diag_help(d, "make the step soft");
    diag_edit(d, e->span, false, "%s", soft);
}

static void help_over(const Look *look, Diagnostic *d, const Cut *cut, Span span, const char *what) {
    if (op_row(cut->node->op)->flags & OP_STEP) help_over_a_step(look, d, cut->node, span);
    else diag_help(d, "let it count, or take %s out", what);
}

/* All weights whose way ends at one place: one message. The first is underlined, some others beside it. */
static void tell_cut(const Look *look, Node *const *weights, int count, const Cut *cut, bool any_learns) {
    Compilation *c = look->c;
    Span at = origin_user_span(weights[0]->origin), there = origin_user_span(cut->node->origin);
    if (accepted(look, DIAG_unreachable_gradient, at)) return;
    int64_t numbers = 0;
    for (int i = 0; i < count; i++) numbers += numbers_in(weights[i]);
    const char *many = grouped_text(&c->arena, numbers), *what = count > 1 ? "them" : arena_print(&c->arena, "`%s`", short_name(weights[0]));
    Diagnostic *d = count == 1 ? diag(c->jre, DIAG_unreachable_gradient, at, "%s number%s that can never learn", many, numbers == 1 ? "" : "s")
                               : diag(c->jre, DIAG_unreachable_gradient, at, "%s numbers in %d weights that can never learn", many, count);
    diag_also(d, there, "%s", cut_text(look, cut, what));
    for (int i = 1, told = 0; i < count && told < MOST_BESIDE; i++) {
        Span other = origin_user_span(weights[i]->origin), before = origin_user_span(weights[i - 1]->origin);
        if (other.start == before.start || other.start == at.start) continue;
        diag_also(d, other, "nor can this");
        told++;
    }
    if (!any_learns) diag_note(d, "training would run and nothing would be learned: no other weight is reached either.");
    else if (count > 1) diag_note(d, "training would run and the loss would fall, with these where they started.");
    else diag_note(d, "training would run and the loss would fall, with %s where it started%s.", what, start_text(weights[0]->start));
    help_over(look, d, cut, there, what);
}

static void tell_unreached(const Look *look, bool any_learns) {
    const Graph *g = look->g;
    Node **blocked = arena_array(g->arena, Node *, g->nodes.count), **together = arena_array(g->arena, Node *, g->nodes.count);
    Cut *cuts = arena_array(g->arena, Cut, g->nodes.count);
    int count = 0;
    for (int i = 0; i < g->nodes.count; i++) {
        Node *node = g->nodes.at[i];
        if (!is_learned(look, node) || look->reached[i]) continue;
        cuts[count] = cut_of(look, node);
        if (cuts[count].node) blocked[count++] = node;
    }
    for (int i = 0; i < count; i++) {
        const Cut cut = cuts[i];
        int of_it = 0;
        if (!cut.node) continue;
        for (int k = i; k < count; k++) {
            if (cuts[k].node != cut.node) continue;
            together[of_it++] = blocked[k];
            cuts[k].node = NULL;
        }
        tell_cut(look, together, of_it, &cut, any_learns);
    }
}

/* A loss that does not look at its pictures, a network without a weight that learns. False: told. */
static bool something_learns(const Look *look) {
    const TrainPlan *train = look->train;
    Span network = train->network->span, loss = train->loss->span;
    Diagnostic *d;
    if (!(look->from[look->g->output->id] & FROM_PICTURES)) {
        if (accepted(look, DIAG_unreachable_gradient, loss)) return false;
        d = diag(look->c->jre, DIAG_unreachable_gradient, loss, "this loss does not ask what the network makes of a picture");
        diag_also(d, network, "so nothing of this can learn");
        diag_note(d, "training would run and leave the network as it is.");
        diag_help(d, "compute the loss from its first parameter");
        return false;
    }
    if (train->weights) return true;
    if (accepted(look, DIAG_unreachable_gradient, network)) return false;
    d = diag(look->c->jre, DIAG_unreachable_gradient, network, "nothing learns here: every weight is frozen, or there is none");
    diag_also(d, loss, "and the loss has none of its own");
    diag_note(d, "training would run, and end where it began.");
    diag_help(d, "embed the network as it is, without training; or take `frozen = true` out");
    return false;
}

/* ---- squashed_twice ------------------------------------------------------------------------------------------------------------------ */

static const Node *plain(const Node *node) {
    while (node->op == OP_reshape || node->op == OP_transpose) node = node->in[0];
    return node;
}

/* The classes z of log(sum over k of exp(z - top)); NULL: the node is none. */
static const Node *classes_of(const Node *node) {
    if (node->op != OP_log) return NULL;
    const Node *sum = plain(node->in[0]);
    int axes = (int)sum->attribute[0];
    if (sum->op != OP_sum || (axes & (axes - 1)) || sum->in[0]->op != OP_exp) return NULL;
    const Node *z = sum->in[0]->in[0];
    if (z->op != OP_sub) return z;
    const Node *top = plain(z->in[1]);
    return top->op == OP_max_over && top->in[0] == z->in[0] ? z->in[0] : z;
}

/* Do labels choose among these numbers somewhere? Then they stand for classes, and the whole is a cross entropy. */
static bool labels_choose(const Look *look, const Node *z) {
    for (int i = 0; i < look->g->nodes.count; i++) {
        const Node *node = look->g->nodes.at[i];
        if (node->op != OP_mul && node->op != OP_select && node->op != OP_matmul) continue;
        bool numbers = false, labels = false;
        for (int k = 0; k < node->inputs; k++) {
            numbers |= plain(node->in[k]) == plain(z);
            labels |= look->from[node->in[k]->id] == FROM_LABELS;
        }
        if (numbers && labels) return true;
    }
    return false;
}

/* A margin takes at most 1 from the numbers of -1 to 1. */
static bool is_squashed(NumberRange r) { return r.high <= 1 && r.low >= -2 && r.low < r.high; }

/* The last node on the way to z that made bounded numbers of others, and did not only add or multiply them. */
static const Node *squasher(const Look *look, const Node *z) {
    for (bool deeper = true; deeper;) {
        bool combines = z->op == OP_add || z->op == OP_sub || z->op == OP_mul || z->op == OP_neg || z->op == OP_select || z->op == OP_matmul || z->op == OP_sum;
        deeper = false;
        for (int k = 0; (combines || (op_row(z->op)->flags & OP_LAYOUT)) && k < z->inputs && !deeper; k++) {
            const Node *in = z->in[k];
            if (!in || !(look->from[in->id] & (FROM_PICTURES | FROM_WEIGHTS))) continue;
            NumberRange r = look->ranges[in->id];
            if (isfinite(r.low) && isfinite(r.high)) z = in, deeper = true;
        }
    }
    return z;
}

/* How many there are to tell apart, and in words; where nobody looked at the data a number for instance. */
static int individuals_of(const Look *look, const char **words) {
    Compilation *c = look->c;
    const bool mirrored = look->train->mirrored;
    PartFacts facts = {0};
    const bool counted = look->with_data && c->facts.part && c->facts.part(c->facts.context, &look->train->data, &facts) && facts.individuals >= (mirrored ? 1 : 2);
    const int count = counted ? facts.individuals * (mirrored ? 2 : 1) : SOME_INDIVIDUALS;
    *words = arena_print(&c->arena, "%s%s", grouped_text(&c->arena, count), !counted ? ", for instance," : mirrored ? " individuals, mirrored ones among them," : " individuals");
    return count;
}

/* Shares: take out what made them. */
static void help_without(const Look *look, Diagnostic *d, Span made) {
    Jre *jre = look->c->jre;
    const Found found = expression_at(look->c, made);
    const Expr *e = found.expr, *around = found.around;
    const char *name = e && e->kind == EXPR_CALL && e->target->kind == EXPR_NAME ? e->target->name : e && e->kind == EXPR_NAME ? e->name : NULL;
    if (!name) {
        diag_help(d, "give it the numbers before they are made into shares");
        return;
    }
    diag_help(d, "give it the numbers in front of `%s`", name);
    if (around && around->kind == EXPR_PIPE && around->right == e) {
        diag_edit(d, around->span, false, "%s", expr_text(jre, around->left));
    } else if (e->kind == EXPR_CALL && e->arguments.count == 1) {
        const Expr *inner = e->arguments.at[0].value;
        bool alone = !around || around->kind == EXPR_CALL;
        diag_edit(d, e->span, false, !alone && is_compound(inner) ? "(%s)" : "%s", expr_text(jre, inner));
    }
}

/* Cosines and the like: spread them. */
static void help_spread(const Look *look, Diagnostic *d, Span at) {
    Jre *jre = look->c->jre;
    const Expr *e = expression_at(look->c, at).expr;
    const Argument *scale = NULL;
    for (int i = 0; e && e->kind == EXPR_CALL && i < e->arguments.count; i++)
        if (e->arguments.at[i].name && !strcmp(e->arguments.at[i].name, "scale")) scale = &e->arguments.at[i];
    if (scale) {
        diag_help(d, "spread them further");
        diag_edit(d, scale->value->span, false, "%d", USUAL_SCALE);
        return;
    }
    diag_help(d, "spread them by a scale first, as CosFace and ArcFace do");
    bool entropy = e && e->kind == EXPR_CALL && e->target->kind == EXPR_NAME && !strcmp(e->target->name, "CrossEntropy") && e->arguments.count;
    if (!entropy || e->arguments.at[0].name) return;
    const Expr *numbers = e->arguments.at[0].value;
    diag_edit(d, numbers->span, false, is_compound(numbers) ? "%d * (%s)" : "%d * %s", USUAL_SCALE, expr_text(jre, numbers));
}

static void tell_squashed(const Look *look, const Node *entropy, const Node *z) {
    Compilation *c = look->c;
    NumberRange r = look->ranges[z->id];
    const Node *made = squasher(look, z);
    Span at = origin_user_span(entropy->origin), there = origin_user_span(made->origin);
    if (accepted(look, DIAG_squashed_twice, at)) return;
    bool shares = r.low >= 0;
    Diagnostic *d = diag(c->jre, DIAG_squashed_twice, at, shares ? "these numbers are squashed already: %.3g to %.3g" : "these numbers cannot leave %.3g to %.3g", r.low, r.high);
    bool direction = made->op == OP_div && !shares;
    if (there.start != at.start || there.end != at.end) diag_also(d, there, direction ? "of length 1 from here on" : "squashed here");
    const char *among;
    int count = individuals_of(look, &among);
    double best = 1 / (1 + (count - 1) * exp(r.low - r.high));
    diag_note(d, "a cross entropy makes shares of numbers of any size. Of these the right one of %s gets %.2g %% at most: the loss stops falling at %.2f.", among, 100 * best, -log(best));
    if (shares) help_without(look, d, there);
    else help_spread(look, d, at);
}

static void check_squashed(const Look *look) {
    for (int i = 0; i < look->g->nodes.count; i++) {
        const Node *z = classes_of(look->g->nodes.at[i]);
        if (z && is_squashed(look->ranges[z->id]) && (look->from[z->id] & (FROM_PICTURES | FROM_WEIGHTS)) && labels_choose(look, z)) tell_squashed(look, look->g->nodes.at[i], z);
    }
}

/* ---- both ---------------------------------------------------------------------------------------------------------------------------------- */

static void look_forward(Look *look) {
    const Graph *g = look->g;
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        if (node->op == OP_input) look->from[i] = node == g->input ? FROM_PICTURES : FROM_LABELS;
        if (node->op == OP_weight) look->from[i] = FROM_WEIGHTS;
        for (int k = 0; k < node->inputs; k++) {
            if (!node->in[k]) continue;
            look->from[i] |= look->from[node->in[k]->id];
            if ((op_row(node->op)->flags & OP_RUNNING) && !op_has_slope(node->op, k)) look->running[node->in[k]->id] = true;
        }
    }
}

static void look_backward(Look *look) {
    const Graph *g = look->g;
    look->reached[g->output->id] = true;
    for (int i = g->nodes.count - 1; i >= 0; i--)
        for (int k = 0; look->reached[i] && k < g->nodes.at[i]->inputs; k++)
            if (g->nodes.at[i]->in[k] && has_slope(look, g->nodes.at[i], k)) look->reached[g->nodes.at[i]->in[k]->id] = true;
}

static Look look_at(Compilation *c, const TrainPlan *train, const Graph *g) {
    int count = g->nodes.count + 1;
    Look look = {.c = c, .train = train, .g = g, .ranges = graph_ranges(g)};
    look.reached = arena_array(g->arena, bool, count);
    look.running = arena_array(g->arena, bool, count);
    look.from = arena_array(g->arena, int, count);
    look_forward(&look);
    look_backward(&look);
    return look;
}

void count_learned(Compilation *c, TrainPlan *train) {
    const Look look = look_at(c, train, train->graph);
    train->weights = train->reached = 0;
    for (int i = 0; i < look.g->nodes.count; i++) {
        if (!is_learned(&look, look.g->nodes.at[i])) continue;
        train->weights += numbers_in(look.g->nodes.at[i]);
        if (look.reached[i]) train->reached += numbers_in(look.g->nodes.at[i]);
    }
}

void check_gradients(Compilation *c, bool with_data) {
    for (int i = 0; i < c->plan->trains.count; i++) {
        const TrainPlan *train = c->plan->trains.at[i];
        Look look = look_at(c, train, train->graph);
        look.with_data = with_data;
        if (something_learns(&look)) tell_unreached(&look, train->reached > 0);
        check_squashed(&look);
    }
}
