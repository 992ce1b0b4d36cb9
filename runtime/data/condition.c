/* condition.c: conditions at work: of one picture (`only`), of a query and a candidate (`gallery`).
 *
 * In: the expression that compiler/conditions.c has checked, and a dataset. Out: true or false for a picture, or a rule for pairs: what needs
 * the candidate alone is decided once for each candidate, what pairs have in common becomes codes that are compared, so that asking all
 * pairs costs a few instructions each. Contract: a missing value makes a comparison false, and `same` too; nothing else is guessed. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

/* ---- operands ----------------------------------------------------------------------------------------------------------------- */

typedef enum { OPERAND_MISSING, OPERAND_TEXT, OPERAND_NUMBER, OPERAND_TIME, OPERAND_TRUTH } OperandKind;
typedef struct { OperandKind kind; bool cell; const char *text; double number; } Operand;     /* truth and time are numbers too */
/* arena NULL: nobody asks what is wrong. */
typedef struct { const Dataset *dataset; int picture; Arena *arena; const char *trouble; } Asking;

static const char *const operand_words[] = {"nothing", "a text", "a number", "a time", "true or false"};

static const char *quoted_column(const Expr *e, size_t *length) {
    *length = e->kind == EXPR_TEXT ? strlen(e->name) : 0;
    bool column = *length > 2 && e->name[0] == '{' && strcspn(e->name + 1, "{}") == *length - 2 && e->name[*length - 1] == '}';
    *length -= column ? 2 : 0;
    return column ? e->name + 1 : NULL;
}

static int column_place(const Dataset *dataset, const char *name, size_t length) {
    for (int i = 0; i < dataset->columns.count; i++)
        if (!strncmp(dataset->columns.at[i], name, length) && !dataset->columns.at[i][length]) return i;
    return -1;
}

static const char *cell_at(const Dataset *dataset, int picture, int column) {
    const char *const *cells = dataset->pictures[picture].cells;
    return cells && column >= 0 && *cells[column] ? cells[column] : NULL;
}

const char *picture_cell(const Dataset *dataset, int picture, const char *column) {
    return cell_at(dataset, picture, column_place(dataset, column, strlen(column)));
}

/* True if the name is a role; its value may be missing. */
static bool role_value(const Picture *picture, const char *name, const char **value) {
    const struct { const char *role, *value; } roles[] = {{"identity", picture->identity}, {"flank", picture->flank}, {"burst", picture->burst},
                                                          {"label", picture->label},       {"taken", picture->taken}, {"mask", picture->mask}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (!strcmp(roles[i].role, name)) {
            *value = roles[i].value;
            return true;
        }
    return false;
}

const char *picture_value(const Dataset *dataset, int picture, const char *name) {
    const char *value;
    return role_value(&dataset->pictures[picture], name, &value) ? value : picture_cell(dataset, picture, name);
}

static Operand of_text(const char *text) { return text ? (Operand){OPERAND_TEXT, true, text, 0} : (Operand){OPERAND_MISSING, true, NULL, 0}; }

static void tell(Asking *asking, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(Asking *asking, const char *format, ...) {
    if (!asking->arena || asking->trouble) return;
    va_list arguments;
    va_start(arguments, format);
    asking->trouble = arena_vprint(asking->arena, format, arguments);
    va_end(arguments);
}

/* Some unquoted names are no texts: measures of the file, and the time. A time that cannot be read is not one that is missing. */
static Operand of_name(Asking *asking, const char *name) {
    const Picture *picture = &asking->dataset->pictures[asking->picture];
    bool width = !strcmp(name, "width");
    if (width || !strcmp(name, "height")) {
        int pixels = width ? picture->width : picture->height;
        return (Operand){pixels > 0 ? OPERAND_NUMBER : OPERAND_MISSING, false, name, pixels};
    }
    if (!strcmp(name, "taken")) {
        bool read = picture->taken && !isnan(picture->seconds);
        if (picture->taken && !read) tell(asking, "`taken` is \"%.40s\", which is not %s", picture->taken, operand_words[OPERAND_TIME]);
        return (Operand){read ? OPERAND_TIME : OPERAND_MISSING, false, name, picture->seconds};
    }
    return of_text(picture_value(asking->dataset, asking->picture, name));
}

static double bare_number(const Expr *e) {
    if (e->kind == EXPR_NEGATE) return -bare_number(e->left);
    const Value v = {.kind = VALUE_NUMBER, .number = e->number, .unit = e->unit};
    return value_bare(&v);
}

static Operand operand(Asking *asking, const Expr *e) {
    size_t length;
    const char *column = quoted_column(e, &length);
    if (column) return of_text(cell_at(asking->dataset, asking->picture, column_place(asking->dataset, column, length)));
    if (e->kind == EXPR_NAME) return of_name(asking, e->name);
    if (e->kind == EXPR_TEXT) return (Operand){OPERAND_TEXT, false, e->name, 0};
    if (e->kind == EXPR_TRUTH) return (Operand){OPERAND_TRUTH, false, e->truth ? "true" : "false", e->truth};
    return (Operand){OPERAND_NUMBER, false, "a number", bare_number(e)};
}

/* ---- one picture ---------------------------------------------------------------------------------------------------------------- */

/* A text as what the other side is. */
static bool become(Asking *asking, const Expr *e, Operand *operand, OperandKind wanted) {
    bool truth = false, good = operand->kind == wanted || (operand->kind == OPERAND_NUMBER && wanted == OPERAND_TIME);
    if (operand->kind == OPERAND_TEXT) {
        good = wanted == OPERAND_TIME ? cell_time(operand->text, &operand->number)
                                      : wanted == OPERAND_NUMBER ? cell_number(operand->text, &operand->number) : cell_truth(operand->text, &truth);
        if (wanted == OPERAND_TRUTH) operand->number = truth;
    }
    if (!good) {
        size_t length;
        const char *column = quoted_column(e, &length), *name = column ? column : e->name;
        if (operand->cell) tell(asking, "`%.*s` is \"%.40s\", which is not %s", column ? (int)length : (int)strlen(name), name, operand->text, operand_words[wanted]);
        else tell(asking, "\"%.40s\" is not %s", operand->text, operand_words[wanted]);
    }
    return good;
}

static bool compared(BinaryOperator op, double order) {
    switch (op) {
    case BINARY_eq: return order == 0;
    case BINARY_ne: return order != 0;
    case BINARY_lt: return order < 0;
    case BINARY_le: return order <= 0;
    case BINARY_gt: return order > 0;
    default: return order >= 0;
    }
}

static bool comparison_holds(Asking *asking, const Expr *e) {
    Operand left = operand(asking, e->left), right = operand(asking, e->right);
    double number;
    if (left.kind == OPERAND_MISSING || right.kind == OPERAND_MISSING) return false;
    OperandKind wanted = left.kind > right.kind ? left.kind : right.kind;
    if (left.cell && right.cell && cell_number(left.text, &number) && cell_number(right.text, &number)) wanted = OPERAND_NUMBER;
    if (wanted == OPERAND_TEXT) return compared(e->op, strcmp(left.text, right.text));
    bool good = become(asking, e->left, &left, wanted);
    good = become(asking, e->right, &right, wanted) && good;
    return good && compared(e->op, (left.number > right.number) - (left.number < right.number));
}

/* What stands behind a false `and` or a true `or` is not asked: `age != "unknown" and age > 3`. */
static bool holds(Asking *asking, const Expr *e) {
    if (e->kind == EXPR_NOT) return !holds(asking, e->left);
    if (e->kind == EXPR_TRUTH) return e->truth;
    if (e->kind == EXPR_BINARY && e->op == BINARY_and) return holds(asking, e->left) && holds(asking, e->right);
    if (e->kind == EXPR_BINARY && e->op == BINARY_or) return holds(asking, e->left) || holds(asking, e->right);
    if (e->kind == EXPR_BINARY) return comparison_holds(asking, e);
    Operand truth = operand(asking, e);
    return truth.kind != OPERAND_MISSING && become(asking, e, &truth, OPERAND_TRUTH) && truth.number != 0;
}

bool condition_holds(const Dataset *dataset, int picture, const Expr *condition) {
    Asking asking = {dataset, picture, NULL, NULL};
    return holds(&asking, condition);
}

bool condition_needs_files(const Expr *e) {
    if (!e || e->kind == EXPR_NAME) return e && (!strcmp(e->name, "width") || !strcmp(e->name, "height"));
    for (int i = 0; i < e->arguments.count; i++)
        if (condition_needs_files(e->arguments.at[i].value)) return true;
    return condition_needs_files(e->left) || condition_needs_files(e->right);
}

const char *condition_trouble(Arena *arena, const Dataset *dataset, int picture, const Expr *condition) {
    Asking asking = {dataset, picture, arena, NULL};
    holds(&asking, condition);
    return asking.trouble;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------------------------ */

enum { MOST_DEPTH = 256 };                /* a tree has at most 200 levels, so a rule never holds more answers at a time */

typedef struct { const Dataset *dataset; const int *rows; int count; } Side;
typedef struct { Arena *arena; PairRule *rule; Side asking, answering; LIST(PairStep) steps; LIST(const Expr *) columns; LIST(const Expr *) facts; } RuleMaker;

static bool speaks_of_pairs(const Expr *e) {
    if (e->kind == EXPR_CALL) return true;
    if (e->kind == EXPR_NOT) return speaks_of_pairs(e->left);
    return e->kind == EXPR_BINARY && (e->op == BINARY_and || e->op == BINARY_or) && (speaks_of_pairs(e->left) || speaks_of_pairs(e->right));
}

static void add_step(RuleMaker *maker, PairOp op, int which) {
    PairStep step = {op, which};
    list_add(maker->arena, &maker->steps, step);
}

static void add_same(RuleMaker *maker, const Expr *column) {
    int which = 0;
    while (which < maker->columns.count && !expr_equal(maker->columns.at[which], column)) which++;
    if (which == maker->columns.count) list_add(maker->arena, &maker->columns, column);
    add_step(maker, PAIR_SAME, which);
}

static void make_steps(RuleMaker *maker, const Expr *e) {
    if (!speaks_of_pairs(e)) {
        add_step(maker, PAIR_FACT, maker->facts.count);
        list_add(maker->arena, &maker->facts, e);
    } else if (e->kind == EXPR_CALL) {
        add_same(maker, e->arguments.at[0].value);
    } else if (e->kind == EXPR_NOT) {
        make_steps(maker, e->left);
        add_step(maker, PAIR_NOT, 0);
    } else {
        make_steps(maker, e->left);
        make_steps(maker, e->right);
        add_step(maker, e->op == BINARY_and ? PAIR_AND : PAIR_OR, 0);
    }
}

/* What makes two pictures agree in a column, as a text; NULL: missing. */
static const char *common_value(const RuleMaker *maker, const Side *side, int row, const Expr *column) {
    Asking asking = {side->dataset, side->rows[row], NULL, NULL};
    bool burst = column->kind == EXPR_NAME && !strcmp(column->name, "burst");
    if (burst && side->dataset->plan->burst != BURST_COLUMN)
        return maker->asking.dataset == maker->answering.dataset ? arena_print(maker->arena, "%d", side->dataset->pictures[asking.picture].unit) : NULL;
    Operand value = operand(&asking, column);
    if (value.kind == OPERAND_MISSING) return NULL;
    return value.kind == OPERAND_TEXT ? value.text : arena_print(maker->arena, "%.17g", value.number);
}

static int *codes_of(const RuleMaker *maker, const Side *side, const Expr *column, Map *known) {
    int *codes = arena_array(maker->arena, int, side->count);
    for (int row = 0; row < side->count; row++) {
        const char *value = common_value(maker, side, row, column);
        intptr_t code = value ? (intptr_t)map_get(known, value) : 0;
        if (value && !code) map_set(known, maker->arena, value, (void *)(code = known->count + 1));
        codes[row] = (int)code - 1;
    }
    return codes;
}

static uint8_t *answers_of(const RuleMaker *maker, const Expr *fact) {
    const Side *side = &maker->answering;
    uint8_t *answers = arena_array(maker->arena, uint8_t, side->count);
    for (int row = 0; row < side->count; row++) {
        Asking asking = {side->dataset, side->rows[row], maker->arena, NULL};
        answers[row] = holds(&asking, fact);
        if (asking.trouble) list_add(maker->arena, &maker->rule->troubles, arena_print(maker->arena, "%s: %s", side->dataset->pictures[asking.picture].file, asking.trouble));
    }
    return answers;
}

PairRule *pair_rule(Arena *arena, const Expr *gallery, const Dataset *asking, const int *queries, int query_count, const Dataset *answering, const int *candidates, int candidate_count) {
    PairRule *rule = arena_new(arena, PairRule);
    RuleMaker maker = {.arena = arena, .rule = rule, .asking = {asking, queries, query_count}, .answering = {answering, candidates, candidate_count}};
    if (gallery) make_steps(&maker, gallery);
    rule->steps = maker.steps.at, rule->step_count = maker.steps.count;
    rule->columns = maker.columns.count, rule->facts = maker.facts.count;
    rule->query_code = arena_array(arena, int *, rule->columns);
    rule->candidate_code = arena_array(arena, int *, rule->columns);
    rule->fact = arena_array(arena, uint8_t *, rule->facts);
    for (int i = 0; i < rule->columns; i++) {
        Map known = {0};
        rule->query_code[i] = codes_of(&maker, &maker.asking, maker.columns.at[i], &known);
        rule->candidate_code[i] = codes_of(&maker, &maker.answering, maker.columns.at[i], &known);
    }
    for (int i = 0; i < rule->facts; i++) rule->fact[i] = answers_of(&maker, maker.facts.at[i]);
    return rule;
}

bool pair_rule_decided(Jre *jre, const PairRule *rule, const Expr *gallery) {
    enum { NAMED = 10 };
    if (!rule->troubles.count) return true;
    Diagnostic *d = diag(jre, DIAG_wrong_table, gallery->span, "of %d candidates it cannot be said whether they may answer", rule->troubles.count);
    for (int i = 0; i < rule->troubles.count && i < NAMED; i++) diag_fact(d, "%s", rule->troubles.at[i]);
    if (rule->troubles.count > NAMED) diag_fact(d, "and %d more", rule->troubles.count - NAMED);
    diag_help(d, "mend or empty these cells: a comparison with an empty cell is false");
    return false;
}

bool pair_allowed(const PairRule *rule, int query, int candidate) {
    bool answer[MOST_DEPTH];
    int top = -1;
    if (!rule || !rule->step_count) return true;
    for (int i = 0; i < rule->step_count; i++) {
        const PairStep *step = &rule->steps[i];
        switch (step->op) {
        case PAIR_SAME: {
            int code = rule->query_code[step->which][query];
            answer[++top] = code >= 0 && code == rule->candidate_code[step->which][candidate];
            break;
        }
        case PAIR_FACT: answer[++top] = rule->fact[step->which][candidate]; break;
        case PAIR_NOT: answer[top] = !answer[top]; break;
        case PAIR_AND: top--, answer[top] = answer[top] && answer[top + 1]; break;
        case PAIR_OR: top--, answer[top] = answer[top] || answer[top + 1]; break;
        }
    }
    return answer[0];
}
