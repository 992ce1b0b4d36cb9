/* dims.c: sizes are letters.
 *
 * One small integer evaluator serves the types of formulas (LANGUAGE 3.4) and the signatures of ops.def. A letter is bound
 * where it is first met; every later size is computed and compared with exact integers. The batch is the one size
 * without a number: it may be compared with itself and nothing else. */
#include "compiler.h"

#include <string.h>

static const DimBinding *find(const DimTable *table, const char *name) {
    for (int i = 0; i < table->bound.count; i++)
        if (table->bound.at[i].name == name) return &table->bound.at[i];
    return NULL;
}

void dim_bind(DimTable *table, const char *name, int64_t value) {
    DimBinding binding = {.name = name, .value = value};
    list_add(table->arena, &table->bound, binding);
}

static bool fail(const DimTable *table, const char **why, const char *format, const char *name) {
    *why = arena_print(table->arena, format, name);
    return false;
}

/* Rounds toward minus infinity, as sizes do. */
static int64_t floor_divide(int64_t a, int64_t b) {
    if (b == -1) return -a;                                        /* a is no smaller than -INT64_MAX: see below */
    int64_t q = a / b;
    return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

static bool arithmetic(const DimTable *table, BinaryOperator op, int64_t a, int64_t b, int64_t *value, const char **why) {
    bool comparison = op == BINARY_eq || op == BINARY_ne;
    if ((a == DIM_BATCH || b == DIM_BATCH) && !comparison)
        return fail(table, why, "%s", "the number of pictures in a batch is not known while compiling, so nothing may be computed from it");
    bool overflow = false;
    switch (op) {
    case BINARY_add: overflow = __builtin_add_overflow(a, b, value); break;
    case BINARY_sub: overflow = __builtin_sub_overflow(a, b, value); break;
    case BINARY_mul: overflow = __builtin_mul_overflow(a, b, value); break;
    case BINARY_div:
        if (b == 0) return fail(table, why, "%s", "a size is divided by 0");
        *value = floor_divide(a, b);
        break;
    case BINARY_eq: *value = a == b; break;
    case BINARY_ne: *value = a != b; break;
    case BINARY_lt: *value = a < b; break;
    case BINARY_gt: *value = a > b; break;
    case BINARY_le: *value = a <= b; break;
    case BINARY_ge: *value = a >= b; break;
    case BINARY_and: *value = a && b; break;
    case BINARY_or: *value = a || b; break;
    case BINARY_divides: *value = a == -1 || (a != 0 && b % a == 0); break;
    default: return fail(table, why, "`%s` makes no size", binary_text(op));
    }
    overflow |= *value == INT64_MIN || *value == DIM_BATCH;
    if (overflow) return fail(table, why, "%s", "this size is too large to count");
    return true;
}

bool dim_evaluate(const DimTable *table, const Expr *e, int64_t *value, const char **why) {
    switch (e->kind) {
    case EXPR_NUMBER:
        if (e->number < -9e15 || e->number > 9e15 || e->number != (double)(int64_t)e->number)
            return fail(table, why, "%s", "a size is a whole number");
        *value = (int64_t)e->number;
        return true;
    case EXPR_TRUTH:
        *value = e->truth;
        return true;
    case EXPR_NAME: {
        const DimBinding *binding = find(table, e->name);
        if (binding && !binding->is_rest) { *value = binding->value; return true; }
        if (table->outside && table->outside(table->context, e->name, value)) return true;
        return fail(table, why, "`%s` is no size known here", e->name);
    }
    case EXPR_NEGATE: {
        int64_t operand;
        if (!dim_evaluate(table, e->left, &operand, why)) return false;
        return arithmetic(table, BINARY_sub, 0, operand, value, why);
    }
    case EXPR_NOT:
        if (!dim_evaluate(table, e->left, value, why)) return false;
        *value = !*value;
        return true;
    case EXPR_IF: {
        int64_t test;
        if (!dim_evaluate(table, e->condition, &test, why)) return false;
        return dim_evaluate(table, test ? e->left : e->right, value, why);
    }
    case EXPR_BINARY: {
        int64_t a, b;
        if (!dim_evaluate(table, e->left, &a, why) || !dim_evaluate(table, e->right, &b, why)) return false;
        return arithmetic(table, e->op, a, b, value, why);
    }
    default:
        return fail(table, why, "%s", "a size is written with numbers, letters, + - * / and if");
    }
}

static bool match_one(DimTable *table, const Expr *size, int64_t found, const char **why) {
    if (size->kind == EXPR_NAME) {
        if (!strcmp(size->name, "_")) return true;
        int64_t known;
        if (!find(table, size->name) && !(table->outside && table->outside(table->context, size->name, &known))) {
            dim_bind(table, size->name, found);
            return true;
        }
    }
    int64_t wanted;
    if (!dim_evaluate(table, size, &wanted, why)) return false;
    if (wanted == found) return true;
    const char *number = found == DIM_BATCH ? "the batch" : arena_print(table->arena, "%lld", (long long)found);
    *why = wanted == DIM_BATCH ? arena_print(table->arena, "a batch was expected where %s is", number)
                               : arena_print(table->arena, "%lld was expected where %s is", (long long)wanted, number);
    return false;
}

bool dims_match(DimTable *table, const Type *type, Shape shape, const char **why) {
    *why = NULL;
    if (!type->has_dims) return true;
    int rest = -1;
    for (int i = 0; i < type->dims.count; i++)
        if (type->dims.at[i].rest) rest = i;
    int fixed = type->dims.count - (rest >= 0);
    if (rest < 0 ? shape.rank != fixed : shape.rank < fixed) {
        *why = arena_print(table->arena, "%d dimensions were expected, %d are there", fixed, shape.rank);
        return false;
    }
    int run = shape.rank - fixed;
    for (int i = 0, at = 0; i < type->dims.count; i++) {
        const Expr *size = type->dims.at[i].size;
        if (i != rest) {
            if (!match_one(table, size, shape.dim[at++], why)) return false;
            continue;
        }
        DimBinding binding = {.name = size->name, .is_rest = true, .rest = {.rank = run}};
        memcpy(binding.rest.dim, shape.dim + at, sizeof *shape.dim * (size_t)run);
        at += run;
        const DimBinding *before = find(table, size->name);
        if (!before) list_add(table->arena, &table->bound, binding);
        else if (!shape_equal(before->rest, binding.rest)) return fail(table, why, "`%s...` stands for other sizes elsewhere", size->name);
    }
    return true;
}

bool dims_build(const DimTable *table, const Type *type, const Shape *found, Shape *shape, const char **why) {
    *why = NULL;
    shape->rank = 0;
    for (int i = 0; i < type->dims.count; i++) {
        const Expr *size = type->dims.at[i].size;
        const DimBinding *rest = type->dims.at[i].rest ? find(table, size->name) : NULL;
        int run = rest ? rest->rest.rank : 1;
        if (shape->rank + run > GRAPH_RANK) return fail(table, why, "%s", "more dimensions than jre computes with (6)");
        if (rest) {
            memcpy(shape->dim + shape->rank, rest->rest.dim, sizeof *shape->dim * (size_t)run);
        } else if (size->kind == EXPR_NAME && !strcmp(size->name, "_")) {
            if (!found || found->rank <= shape->rank) return fail(table, why, "%s", "`_` has nothing to be inferred from");
            shape->dim[shape->rank] = found->dim[shape->rank];
        } else if (!dim_evaluate(table, size, &shape->dim[shape->rank], why)) {
            return false;
        }
        shape->rank += run;
    }
    return true;
}

const char *type_as_text(Arena *arena, const Type *type) {
    Text text = {.jre = arena->jre};
    print_type(&text, type);
    const char *copy = arena_copy(arena, text.at ? text.at : "", text.length);
    text_free(&text);
    return copy;
}
