/* tryout.c: formulas that nothing uses are tried on made-up sizes, so that a mistake in them does not wait for its first use.
 *
 *   network Half(x: Tensor[N, C, H, W]) -> Tensor[N, C, H / 2, W / 2] where 2 divides H, 2 divides W {..}
 *       is called with C = 3, H = 134, W = 142, then with two other sets of primes or multiples of primes
 *
 * A letter is a prime where the formula's `where` allows it, else the first number that does. What a called formula asks of its sizes
 * may need more: then all are multiples of 2, 4, .. 64. Where no sizes are found nothing is said: nobody is helped by our failure. */
#include "compiler.h"

#include <string.h>

enum { MOST_LETTERS = 12, TRIES = 3, MOST_ROUNDS = 40, PAIRED = 40 };

typedef enum { LETTER_SIZE, LETTER_SIDE, LETTER_INT, LETTER_BATCH } LetterKind;
typedef struct { const char *name; LetterKind kind; int64_t value; } Letter;
typedef struct {
    Compilation *c;
    const Decl *decl; const Value *formula; const Statement *head;
    Letter letters[MOST_LETTERS]; int count;
    int turn, scale;                      /* which set of numbers; all sizes are multiples of the scale */
    int depth;                            /* of defaults that name each other */
} Trial;

/* ---- letters ----------------------------------------------------------------------------------------------------------- */

static Letter *letter_of(Trial *t, const char *name) {
    for (int i = 0; i < t->count; i++)
        if (t->letters[i].name == name) return &t->letters[i];
    return NULL;
}

static void add_letter(Trial *t, const char *name, LetterKind kind) {
    if (!letter_of(t, name) && t->count < MOST_LETTERS) t->letters[t->count++] = (Letter){name, kind, 0};
}

static bool is_parameter(const Statement *head, const char *name) {
    for (int i = 0; i < head->params.count; i++)
        if (head->params.at[i].name == name) return true;
    return false;
}

static void letters_of_size(Trial *t, const Expr *e, LetterKind kind) {
    if (!e) return;
    if (e->kind == EXPR_NAME && strcmp(e->name, "_") != 0 && !is_parameter(t->head, e->name)) add_letter(t, e->name, kind);
    const Expr *below[] = {e->target, e->left, e->right, e->condition};
    for (int i = 0; i < 4; i++) letters_of_size(t, below[i], kind);
}

static bool is_one_of(const char *word, const char *const *words) {
    while (*words && strcmp(*words, word) != 0) words++;
    return *words;
}
static const char *const tensor_types[] = {"Tensor", "Embedding", NULL};
static const char *const number_types[] = {"Int", "Real", "Angle", "Length", "Share", "Bool", NULL};

/* By the call, or by the head itself. */
static bool given(const Trial *t, const Param *param) {
    for (int i = 0; i < t->formula->bound.count; i++)
        if (t->formula->bound.at[i].name == param->name) return true;
    return param->fallback && !is_data_type(param->type.name);
}

/* The letters of the data, and the numbers that the formula wants besides. False: it wants what cannot be made up. */
static bool collect_letters(Trial *t) {
    bool data = false, learns = t->head->formula == FORMULA_network;
    for (int i = 0; i < t->head->params.count; i++) {
        const Param *param = &t->head->params.at[i];
        const char *type = param->type.name;
        if (given(t, param)) continue;
        if (!is_data_type(type)) {
            if (!is_one_of(type, number_types)) return false;
            if (!strcmp(type, "Int")) add_letter(t, param->name, LETTER_INT);
            continue;
        }
        if ((!is_label_type(type) && !is_one_of(type, tensor_types)) || !param->type.has_dims) return false;
        for (int k = 0; k < param->type.dims.count; k++) {
            LetterKind kind = !data && k == 0 && learns ? LETTER_BATCH : param->type.dims.count == 4 && k >= 2 ? LETTER_SIDE : LETTER_SIZE;
            if (!param->type.dims.at[k].rest) letters_of_size(t, param->type.dims.at[k].size, kind);
        }
        data = true;
    }
    return data;
}

/* ---- numbers that satisfy `where` ---------------------------------------------------------------------------------------- */

static const int64_t primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59};
static const int64_t side_primes[] = {67, 71, 73, 79, 83, 89, 97, 101, 103, 107};
static const int64_t scales[] = {1, 2, 4, 8, 16, 32, 64};
enum { PRIMES = sizeof primes / sizeof *primes, SIDE_PRIMES = sizeof side_primes / sizeof *side_primes, SCALES = sizeof scales / sizeof *scales };
enum { CANDIDATES = SCALES * PRIMES + 40 };

/* The numbers that a letter may be, the preferred first; how many. Sides are large enough for filters and pools. */
static int candidates_of(const Trial *t, LetterKind kind, int64_t *numbers) {
    int count = 0;
    for (int s = kind == LETTER_INT ? 0 : t->scale; s < SCALES; s++) {
        bool side = kind == LETTER_SIDE && scales[s] < 4;
        int of = side ? SIDE_PRIMES : PRIMES, least = kind == LETTER_SIDE && !side ? 64 : 0;
        for (int i = 0; i < of; i++) {
            int64_t number = scales[s] * (side ? side_primes : primes)[(i + t->turn * 2) % of];
            if (number >= least) numbers[count++] = number;
        }
        if (kind == LETTER_INT) break;
    }
    for (int64_t small = 1; small <= 32; small++) numbers[count++] = small;
    return count;
}

static bool taken(const Trial *t, const Letter *letter, int64_t number) {
    for (int i = 0; i < t->count; i++)
        if (&t->letters[i] != letter && t->letters[i].value == number) return true;
    return false;
}

static void first_numbers(Trial *t) {
    for (int i = 0; i < t->count; i++) t->letters[i].value = 0;
    for (int i = 0; i < t->count; i++) {
        int64_t numbers[CANDIDATES];
        int count = candidates_of(t, t->letters[i].kind, numbers), k = 0;
        while (k < count - 1 && taken(t, &t->letters[i], numbers[k])) k++;
        t->letters[i].value = t->letters[i].kind == LETTER_BATCH ? DIM_BATCH : numbers[k];
    }
}

/* The value of a letter, or of a number that the head gives itself. */
static bool value_of_letter(void *context, const char *name, int64_t *value) {
    Trial *t = context;
    const Letter *letter = letter_of(t, name);
    const char *why;
    if (letter) *value = letter->value;
    if (letter) return true;
    for (int i = 0; i < t->head->params.count; i++) {
        const Param *param = &t->head->params.at[i];
        if (param->name != name || !param->fallback || strcmp(param->type.name, "Int") != 0 || t->depth > MOST_LETTERS) continue;
        const DimTable table = {.arena = &t->c->arena, .outside = value_of_letter, .context = t};
        t->depth++;
        bool found = dim_evaluate(&table, param->fallback, value, &why);
        t->depth--;
        return found;
    }
    return false;
}

static DimTable table_of(Trial *t) { return (DimTable){.arena = &t->c->arena, .outside = value_of_letter, .context = t}; }

/* A test that speaks of other things than sizes is left to the call. */
static bool holds(Trial *t, const Expr *test) {
    const DimTable table = table_of(t);
    int64_t truth;
    const char *why;
    return !dim_evaluate(&table, test, &truth, &why) || truth;
}

static bool speaks_of(const Expr *e, const char *name) {
    if (!e) return false;
    if (e->kind == EXPR_NAME && e->name == name) return true;
    return speaks_of(e->target, name) || speaks_of(e->left, name) || speaks_of(e->right, name) || speaks_of(e->condition, name);
}

/* Changes one letter so that the test holds; with `other` also that one. */
static bool repair(Trial *t, const Expr *test, Letter *letter, Letter *other) {
    int64_t numbers[CANDIDATES], before = letter->value;
    int count = candidates_of(t, letter->kind, numbers);
    if (other && count > PAIRED) count = PAIRED;
    for (int distinct = 1; distinct >= 0; distinct--)
        for (int k = 0; k < count; k++) {
            letter->value = numbers[k];
            if (distinct && taken(t, letter, numbers[k])) continue;
            if (other ? repair(t, test, other, NULL) : holds(t, test)) return true;
        }
    letter->value = before;
    return false;
}

static bool repair_any(Trial *t, const Expr *test) {
    for (int pairs = 0; pairs < 2; pairs++)
        for (int i = 0; i < t->count; i++) {
            Letter *letter = &t->letters[i];
            if (letter->kind == LETTER_BATCH || !speaks_of(test, letter->name)) continue;
            if (!pairs && repair(t, test, letter, NULL)) return true;
            for (int k = 0; pairs && k < i; k++)
                if (t->letters[k].kind != LETTER_BATCH && speaks_of(test, t->letters[k].name) && repair(t, test, letter, &t->letters[k])) return true;
        }
    return false;
}

static bool satisfy(Trial *t) {
    first_numbers(t);
    for (int round = 0; round < MOST_ROUNDS; round++) {
        const Expr *broken = NULL;
        for (int i = 0; i < t->head->where.count && !broken; i++)
            if (!holds(t, t->head->where.at[i])) broken = t->head->where.at[i];
        if (!broken) return true;
        if (!repair_any(t, broken)) return false;
    }
    return false;
}

/* ---- the call ----------------------------------------------------------------------------------------------------------------- */

static Value *made_up_data(Trial *t, Graph *g, WeightScope *weights, const Param *param) {
    Compilation *c = t->c;
    DimTable table = table_of(t);
    Shape any = {GRAPH_RANK, {61, 59, 53, 47, 43, 41}}, shape;
    const char *why;
    for (int i = 0; i < param->type.dims.count; i++) {
        DimBinding rest = {.name = param->type.dims.at[i].size->name, .is_rest = true, .rest = {1 + t->turn % 2, {primes[t->turn + 1], 10}}};
        if (param->type.dims.at[i].rest) list_add(table.arena, &table.bound, rest);
    }
    if (!dims_build(&table, &param->type, &any, &shape, &why)) return NULL;
    bool labels = is_label_type(param->type.name), classes = labels && strcmp(param->type.name, "Flank") != 0;
    if (classes && shape.rank != 2) return NULL;
    int64_t many = classes ? shape.dim[1] : 2;
    if (labels) shape.rank = 1;
    Value *v = value_tensor(c, graph_source(g, OP_weight, shape, 0, param->name, weights, NULL), param->span);
    v->embedding = !strcmp(param->type.name, "Embedding");
    if (labels) v->classes = many, v->type = param->type.name;
    return v;
}

static Value *made_up_number(Trial *t, const Param *param) {
    static const struct { const char *type; double number; Unit unit; } numbers[] = {
        {"Real", 0.5, UNIT_NONE}, {"Angle", 0.5, UNIT_rad}, {"Length", 4, UNIT_px}, {"Share", 50, UNIT_percent},
    };
    Value *v = value_new(t->c, VALUE_TRUTH, param->span);
    v->truth = t->turn % 2;
    const Letter *letter = letter_of(t, param->name);
    if (letter) return value_number(t->c, (double)letter->value, param->span);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(numbers[i].type, param->type.name)) {
            v = value_number(t->c, numbers[i].number, param->span);
            v->unit = numbers[i].unit;
        }
    return v;
}

/* The formula with all that it lacks. NULL: what is made up does not go together. */
static Value *complete(Trial *t, Graph *g, WeightScope *weights) {
    Value *full = value_new(t->c, VALUE_FORMULA, t->formula->span);
    *full = *t->formula;
    full->bound.at = NULL, full->bound.count = full->bound.room = 0;
    for (int i = 0; i < t->formula->bound.count; i++) list_add(&t->c->arena, &full->bound, t->formula->bound.at[i]);
    for (int i = 0; i < t->head->params.count; i++) {
        const Param *param = &t->head->params.at[i];
        if (given(t, param)) continue;
        Value *v = is_data_type(param->type.name) ? made_up_data(t, g, weights, param) : made_up_number(t, param);
        if (!v) return NULL;
        Bound bound = {param->name, v, param->span};
        list_add(&t->c->arena, &full->bound, bound);
    }
    return full;
}

static const char *numbers_text(const Trial *t) {
    const char *text = "";
    for (int i = 0; i < t->count; i++)
        if (t->letters[i].kind != LETTER_BATCH)
            text = arena_print(&t->c->arena, "%s%s%s = %lld", text, *text ? ", " : "", t->letters[i].name, (long long)t->letters[i].value);
    return text;
}

typedef enum { TRY_SOUND, TRY_OTHER_SIZES, TRY_MISTAKE, TRY_NEVER } TryResult;

/* What was found from `first` on: a broken `where` only asks for other sizes; a limit of ours is no mistake. */
static TryResult judge(Trial *t, int first) {
    Jre *jre = t->c->jre;
    TryResult result = jre->diagnostics.count > first ? TRY_MISTAKE : TRY_SOUND;
    for (int i = first; i < jre->diagnostics.count; i++) {
        const Diagnostic *d = jre->diagnostics.at[i];
        if (diag_rows[d->code].blame == BLAME_LIMIT) return TRY_NEVER;
        if (d->code == DIAG_broken_condition) result = TRY_OTHER_SIZES;
    }
    if (result != TRY_MISTAKE) return result;
    const char *numbers = numbers_text(t);
    for (int i = first; i < jre->diagnostics.count; i++)
        if (jre->diagnostics.at[i]->code == DIAG_shape_mismatch && *numbers)
            diag_fact(jre->diagnostics.at[i], "nothing uses `%s` yet; it was tried with %s", t->decl->name, numbers);
    return result;
}

static TryResult try_once(Trial *t, const Choice *choices) {
    Compilation *c = t->c;
    int first = c->jre->diagnostics.count;
    bool poisoned = c->poisoned;
    Graph *g = graph_new(c);
    Environment *env = environment_new(c, t->decl->scope, choices);
    env->graph = g;
    env->weights = weights_made_up(c, t->decl->statement->name_span);
    c->trail.count = 0;
    c->steps = 0;
    Value *full = complete(t, g, env->weights);
    c->trying = true;
    if (full) evaluate_call(env, full, NULL, NULL, t->decl->statement->name_span, NULL);
    c->trying = false;
    TryResult result = full ? judge(t, first) : TRY_NEVER;
    if (result == TRY_MISTAKE) return result;
    c->jre->diagnostics.count = first;
    c->poisoned = poisoned;
    return result;
}

void try_formula(Compilation *c, const Decl *decl, const Value *formula, const Choice *choices) {
    Trial t = {.c = c, .decl = decl, .formula = formula, .head = formula->decl->statement};
    if (t.head->broken || t.head->builtin || t.head->formula == FORMULA_augment || !collect_letters(&t)) return;
    for (t.turn = 0; t.turn < TRIES; t.turn++) {
        TryResult result = TRY_OTHER_SIZES;
        for (; result == TRY_OTHER_SIZES && t.scale < SCALES; t.scale += result == TRY_OTHER_SIZES)
            if (satisfy(&t)) result = try_once(&t, choices);
        if (result != TRY_SOUND) return;
    }
}
