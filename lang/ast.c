/* ast.c: the tree as text, and trees compared.
 *
 * Contract: what is printed parses to an equal tree. Parentheses stand where precedence needs them and where they were
 * written. The levels below are the grammar's nonterminals, loosest first. */
#include "lang.h"

#include <stdlib.h>
#include <string.h>

typedef enum {
    LEVEL_expr, LEVEL_pipe, LEVEL_or, LEVEL_and, LEVEL_not, LEVEL_compare, LEVEL_range, LEVEL_sum, LEVEL_product,
    LEVEL_signed, LEVEL_power, LEVEL_postfix
} Level;

/* ---- numbers and words ----------------------------------------------------------------------------------------------- */

/* The shortest decimal that reads back as the same number: 3e-4, not 0.00029999999999999997. */
static void print_number(Text *out, double number) {
    char digits[40];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    char *exponent = strchr(digits, 'e');
    if (!exponent) {
        text_add(out, "%s", digits);
        return;
    }
    int power = atoi(exponent + 1);
    *exponent = 0;
    if (power > 0 && power < 16)
        text_add(out, "%.0f", number);          /* 10 to the 6 is 1000000 */
    else
        text_add(out, "%se%d", digits, power);
}

/* Strings have no escapes: a quote inside, which only a program could have put there, becomes another sign. */
static void print_text(Text *out, const char *text) {
    text_add(out, "\"");
    for (; *text; text++)
        text_add_bytes(out, *text == '"' ? "'" : *text == '\n' ? " " : text, 1);
    text_add(out, "\"");
}

static bool is_word(const char *text) {
    static const char *const reserved[] = {
        "extends", "use", "change", "remove", "like", "probe", "expect", "accept", "for", "because", "learn", "each", "if",
        "then", "else", "over", "of", "where", "to", "divides", "and", "or", "not", "as", "true", "false",
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i], text) == 0)
            return false;
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return length && !text[length] && !(text[0] >= '0' && text[0] <= '9');
}

static void print_names(Text *out, const NameList *names) {
    for (int i = 0; i < names->count; i++)
        text_add(out, "%s%s", i ? ", " : "", names->at[i]);
}

/* ---- expressions --------------------------------------------------------------------------------------------------------- */

static Level level_of_operator(BinaryOperator op) {
    switch (op) {
    case BINARY_or: return LEVEL_or;
    case BINARY_and: return LEVEL_and;
    case BINARY_eq: case BINARY_ne: case BINARY_lt: case BINARY_gt: case BINARY_le: case BINARY_ge: case BINARY_divides:
        return LEVEL_compare;
    case BINARY_to: return LEVEL_range;
    case BINARY_add: case BINARY_sub: return LEVEL_sum;
    case BINARY_mul: case BINARY_div: case BINARY_matmul: return LEVEL_product;
    case BINARY_pow: return LEVEL_power;
    }
    return LEVEL_power;
}

static Level level_of(const Expr *e) {
    switch (e->kind) {
    case EXPR_IF: case EXPR_REDUCE: return LEVEL_expr;
    case EXPR_PIPE: return LEVEL_pipe;
    case EXPR_BINARY: return level_of_operator(e->op);
    case EXPR_NOT: return LEVEL_not;
    case EXPR_NEGATE: return LEVEL_signed;
    case EXPR_NUMBER: return e->number < 0 ? LEVEL_signed : LEVEL_postfix;
    default: return LEVEL_postfix;
    }
}

static void print_at(Text *out, const Expr *e, Level level);

static void print_arguments(Text *out, const Expr *e, const char *open, const char *close) {
    text_add(out, "%s", open);
    for (int i = 0; i < e->arguments.count; i++) {
        const Argument *argument = &e->arguments.at[i];
        text_add(out, "%s", i ? ", " : "");
        if (argument->name)
            text_add(out, "%s = ", argument->name);
        print_at(out, argument->value, LEVEL_expr);
    }
    text_add(out, "%s", close);
}

/* Operators of one level lean to the left, but `^`; comparisons and ranges do not chain. */
static void print_binary(Text *out, const Expr *e) {
    Level level = level_of_operator(e->op), left = level, right = level + 1;
    if (level == LEVEL_compare || level == LEVEL_range)
        left = right;
    if (level == LEVEL_power)
        left = LEVEL_postfix, right = LEVEL_signed;
    print_at(out, e->left, left);
    text_add(out, " %s ", binary_text(e->op));
    print_at(out, e->right, right);
}

static void print_reduce(Text *out, const Expr *e) {
    text_add(out, "%s over ", e->name);
    print_names(out, &e->letters);
    text_add(out, " of ");
    print_at(out, e->left, LEVEL_pipe);
    if (e->condition) {
        text_add(out, " where ");
        print_at(out, e->condition, LEVEL_or);
    }
}

static void print_pipe(Text *out, const Expr *e) {
    print_at(out, e->left, LEVEL_pipe);
    text_add(out, " |> ");
    print_at(out, e->right, LEVEL_postfix);
    if (!e->label)
        return;
    text_add(out, " as ");
    if (is_word(e->label))
        text_add(out, "%s", e->label);
    else
        print_text(out, e->label);
}

static void print_bare(Text *out, const Expr *e) {
    switch (e->kind) {
    case EXPR_NAME: text_add(out, "%s", e->name); break;
    case EXPR_NUMBER: print_number(out, e->number); text_add(out, "%s", unit_text(e->unit)); break;
    case EXPR_TEXT: print_text(out, e->name); break;
    case EXPR_TRUTH: text_add(out, e->truth ? "true" : "false"); break;
    case EXPR_LIST: print_arguments(out, e, "[", "]"); break;
    case EXPR_CALL: print_at(out, e->target, LEVEL_postfix); print_arguments(out, e, "(", ")"); break;
    case EXPR_INDEX: print_at(out, e->target, LEVEL_postfix); print_arguments(out, e, "[", "]"); break;
    case EXPR_FIELD: print_at(out, e->target, LEVEL_postfix); text_add(out, ".%s", e->name); break;
    case EXPR_TRANSPOSE: print_at(out, e->target, LEVEL_postfix); text_add(out, "'"); break;
    case EXPR_NEGATE: text_add(out, "-"); print_at(out, e->left, LEVEL_signed); break;
    case EXPR_NOT: text_add(out, "not "); print_at(out, e->left, LEVEL_not); break;
    case EXPR_BINARY: print_binary(out, e); break;
    case EXPR_REDUCE: print_reduce(out, e); break;
    case EXPR_PIPE: print_pipe(out, e); break;
    case EXPR_IF:
        text_add(out, "if ");
        print_at(out, e->condition, LEVEL_or);
        text_add(out, " then ");
        print_at(out, e->left, LEVEL_expr);
        text_add(out, " else ");
        print_at(out, e->right, LEVEL_expr);
        break;
    }
}

static void print_at(Text *out, const Expr *e, Level level) {
    bool parentheses = e->parenthesized || level_of(e) < level;
    text_add(out, parentheses ? "(" : "");
    print_bare(out, e);
    text_add(out, parentheses ? ")" : "");
}

void print_expr(Text *out, const Expr *e) {
    print_at(out, e, LEVEL_expr);
}

const char *expr_text(Jre *jre, const Expr *e) {
    Text text = { .jre = jre };
    print_expr(&text, e);
    const char *words = intern(jre, text.at);
    text_free(&text);
    return words;
}

const char *beside_and(Jre *jre, const char *condition) {
    int depth = 0;
    char quote = 0;
    for (const char *at = condition; *at; at++) {
        if (quote) {
            quote = *at == quote ? 0 : quote;
            continue;
        }
        quote = *at == '"' ? *at : 0;
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
        if (depth == 0 && strncmp(at, " or ", 4) == 0) {
            Text text = { .jre = jre };
            text_add(&text, "(%s)", condition);
            const char *words = intern(jre, text.at);
            text_free(&text);
            return words;
        }
    }
    return condition;
}

/* ---- types and statements --------------------------------------------------------------------------------------------------- */

void print_type(Text *out, const Type *t) {
    text_add(out, "%s", t->name);
    if (!t->has_dims)
        return;
    text_add(out, "[");
    if (t->dtype)
        text_add(out, "%s; ", t->dtype);
    for (int i = 0; i < t->dims.count; i++) {
        text_add(out, "%s", i ? ", " : "");
        print_at(out, t->dims.at[i].size, LEVEL_sum);
        text_add(out, t->dims.at[i].rest ? "..." : "");
    }
    text_add(out, "]");
}

/* Values stand in one column, as `jre fmt` has them. */
static void print_settings(Text *out, const Statement *s) {
    if (!s->settings.count) {
        text_add(out, " { }");
        return;
    }
    int width = 0;
    for (int i = 0; i < s->settings.count; i++) {
        int length = (int)strlen(s->settings.at[i].key);
        if (length > width && length <= LONGEST_ALIGNED_KEY)
            width = length;
    }
    text_add(out, " {\n");
    for (int i = 0; i < s->settings.count; i++) {
        text_add(out, "  %-*s ", width, s->settings.at[i].key);
        print_expr(out, s->settings.at[i].value);
        text_add(out, "\n");
    }
    text_add(out, "}");
}

static void print_line(Text *out, const Line *line) {
    text_add(out, line->kind == LINE_LEARN ? "  learn " : "  ");
    if (line->kind != LINE_RESULT)
        text_add(out, "%s", line->name);
    if (line->kind == LINE_LEARN) {
        text_add(out, ": ");
        print_type(out, &line->type);
    }
    if (line->letters.count) {
        text_add(out, "[");
        print_names(out, &line->letters);
        text_add(out, "]");
    }
    if (line->kind != LINE_RESULT && line->value)
        text_add(out, line->kind == LINE_EQUATION ? " = " : " ~ ");
    if (line->value)
        print_expr(out, line->value);
    text_add(out, "\n");
}

static void print_formula(Text *out, const Statement *s) {
    text_add(out, "%s %s(", formula_name(s->formula), s->name);
    for (int i = 0; i < s->params.count; i++) {
        const Param *param = &s->params.at[i];
        text_add(out, "%s%s: ", i ? ", " : "", param->name);
        print_type(out, &param->type);
        if (param->fallback) {
            text_add(out, " = ");
            print_expr(out, param->fallback);
        }
    }
    text_add(out, ") -> ");
    print_type(out, &s->result);
    for (int i = 0; i < s->where.count; i++) {
        text_add(out, i ? ", " : "\n  where ");
        print_at(out, s->where.at[i], LEVEL_or);
    }
    if (s->builtin) {
        text_add(out, " { builtin }");
        return;
    }
    text_add(out, " {\n");
    for (int i = 0; i < s->lines.count; i++)
        print_line(out, &s->lines.at[i]);
    text_add(out, "}");
}

static void print_value(Text *out, const Statement *s) {
    text_add(out, s->each ? "each " : "");
    print_expr(out, s->value);
}

static void print_reason(Text *out, const Statement *s) {
    if (!s->text)
        return;
    text_add(out, " because ");
    print_text(out, s->text);
}

void print_statement(Text *out, const Statement *s) {
    switch (s->kind) {
    case STATEMENT_EXTENDS: text_add(out, "extends "); print_text(out, s->text); break;
    case STATEMENT_USE: text_add(out, "use %s", s->name); break;
    case STATEMENT_EQUATION: text_add(out, "%s = ", s->name); print_value(out, s); break;
    case STATEMENT_CHANGE_VALUE: text_add(out, "change %s = ", s->name); print_value(out, s); break;
    case STATEMENT_CHANGE_SETTINGS: text_add(out, "change %s", s->name); print_settings(out, s); break;
    case STATEMENT_REMOVE: text_add(out, "remove %s", s->name); break;
    case STATEMENT_PROBE: text_add(out, "probe "); print_value(out, s); break;
    case STATEMENT_EXPECT: text_add(out, "expect "); print_value(out, s); print_reason(out, s); break;
    case STATEMENT_ACCEPT: text_add(out, "accept %s for %s", s->name, s->subject); print_reason(out, s); break;
    case STATEMENT_EXPR: print_value(out, s); break;
    case STATEMENT_FORMULA: print_formula(out, s); break;
    case STATEMENT_RECORD:
        text_add(out, "%s %s", kind_name(s->record), s->name);
        if (s->like) {
            text_add(out, " like ");
            print_expr(out, s->like);
        }
        print_settings(out, s);
        break;
    }
}

/* ---- equality ------------------------------------------------------------------------------------------------------------------ */

static bool same_name(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool arguments_equal(const Expr *a, const Expr *b) {
    if (a->arguments.count != b->arguments.count)
        return false;
    for (int i = 0; i < a->arguments.count; i++) {
        const Argument *x = &a->arguments.at[i], *y = &b->arguments.at[i];
        if (!same_name(x->name, y->name) || !expr_equal(x->value, y->value))
            return false;
        /* in brackets `i` is a letter and `(i)` a position */
        if (a->kind == EXPR_INDEX && x->value->kind == EXPR_NAME && x->value->parenthesized != y->value->parenthesized)
            return false;
    }
    return true;
}

bool expr_equal(const Expr *a, const Expr *b) {
    if (!a || !b)
        return a == b;
    if (a == b)
        return true;
    if (a->kind != b->kind || !same_name(a->name, b->name) || !same_name(a->label, b->label) || a->letters.count != b->letters.count)
        return false;
    if (a->kind == EXPR_NUMBER && (a->number != b->number || a->unit != b->unit))
        return false;
    if ((a->kind == EXPR_TRUTH && a->truth != b->truth) || (a->kind == EXPR_BINARY && a->op != b->op))
        return false;
    for (int i = 0; i < a->letters.count; i++)
        if (!same_name(a->letters.at[i], b->letters.at[i]))
            return false;
    return expr_equal(a->target, b->target) && expr_equal(a->left, b->left) && expr_equal(a->right, b->right)
           && expr_equal(a->condition, b->condition) && arguments_equal(a, b);
}

static bool types_equal(const Type *a, const Type *b) {
    bool same = same_name(a->name, b->name) && same_name(a->dtype, b->dtype) && a->has_dims == b->has_dims && a->dims.count == b->dims.count;
    for (int i = 0; same && i < a->dims.count; i++)
        same = a->dims.at[i].rest == b->dims.at[i].rest && expr_equal(a->dims.at[i].size, b->dims.at[i].size);
    return same;
}

static bool lines_equal(const Line *a, const Line *b) {
    bool same = a->kind == b->kind && same_name(a->name, b->name) && a->letters.count == b->letters.count
                && types_equal(&a->type, &b->type) && expr_equal(a->value, b->value);
    for (int i = 0; same && i < a->letters.count; i++)
        same = same_name(a->letters.at[i], b->letters.at[i]);
    return same;
}

static bool formulas_equal(const Statement *a, const Statement *b) {
    bool same = a->formula == b->formula && a->builtin == b->builtin && types_equal(&a->result, &b->result)
                && a->params.count == b->params.count && a->where.count == b->where.count && a->lines.count == b->lines.count;
    for (int i = 0; same && i < a->params.count; i++)
        same = same_name(a->params.at[i].name, b->params.at[i].name) && types_equal(&a->params.at[i].type, &b->params.at[i].type)
               && expr_equal(a->params.at[i].fallback, b->params.at[i].fallback);
    for (int i = 0; same && i < a->where.count; i++)
        same = expr_equal(a->where.at[i], b->where.at[i]);
    for (int i = 0; same && i < a->lines.count; i++)
        same = lines_equal(&a->lines.at[i], &b->lines.at[i]);
    return same;
}

bool statement_equal(const Statement *a, const Statement *b) {
    bool same = a->kind == b->kind && same_name(a->name, b->name) && a->record == b->record && a->each == b->each
                && same_name(a->text, b->text) && same_name(a->subject, b->subject) && expr_equal(a->value, b->value)
                && expr_equal(a->like, b->like) && a->settings.count == b->settings.count && formulas_equal(a, b);
    for (int i = 0; same && i < a->settings.count; i++)
        same = same_name(a->settings.at[i].key, b->settings.at[i].key) && expr_equal(a->settings.at[i].value, b->settings.at[i].value);
    return same;
}
