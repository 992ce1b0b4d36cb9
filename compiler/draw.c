/* draw.c: what a `~` line of an augment draws anew for each picture.
 *
 *   angle ~ uniform(-12deg, 12deg)
 *
 * While compiling a draw is a number with a unit that knows how it is drawn; arithmetic keeps that. It may steer steps of
 * views and nothing else: all else is settled before the first picture is seen. */
#include "compiler.h"

#include <math.h>
#include <string.h>

const Draw *draw_of(Compilation *c, const char *function, const Value *const *operands, int count) {
    Draw *draw = arena_new(&c->arena, Draw);
    *draw = (Draw){.function = function, .low = -INFINITY, .high = INFINITY};
    for (int i = 0; i < count; i++) list_add(&c->arena, &draw->operands, operands[i]);
    return draw;
}

const char *draw_text(Arena *arena, const Draw *draw) {
    const char *text = draw->name ? arena_print(arena, "%s ~ %s(", draw->name, draw->function) : arena_print(arena, "%s(", draw->function);
    for (int i = 0; i < draw->operands.count; i++) text = arena_print(arena, "%s%s%s", text, i ? ", " : "", value_canonical(arena, draw->operands.at[i]));
    return arena_print(arena, "%s)", text);
}

/* ---- where numbers are drawn from ---------------------------------------------------------------------------------- */

/* A draw whose middle is `number`, named by the line it stands in. */
static Value *drawn(Environment *env, const char *function, const Value *const *operands, int count, double low, double high, Span span) {
    Compilation *c = env->compilation;
    if (!env->caller || !env->caller->drawing) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, span, "`%s` draws at random, and nothing here says for what", function);
        diag_help(d, "draw on a line of its own in an augment: angle ~ %s(..)", function);
        return poison(env, span);
    }
    Value *v = value_number(c, (low + high) / 2, span);
    Draw *draw = arena_new(&c->arena, Draw);
    *draw = *draw_of(c, function, operands, count);
    draw->name = env->caller->drawing;
    draw->low = low;
    draw->high = high;
    v->draw = draw;
    v->unit = UNIT_NONE;
    return v;
}

/* Numbers of one unit, in that of the first. False: told. */
static bool one_unit(Environment *env, const Value *const *values, int count, double *numbers) {
    for (int i = 0; i < count; i++) {
        const Value *v = values[i];
        Unit unit = values[0]->unit;
        bool number = v->kind == VALUE_NUMBER && !v->draw && !v->batch;
        if (!number || !unit_fits(v->unit, unit)) {
            Diagnostic *d = diag(env->compilation->jre, number ? DIAG_wrong_unit : DIAG_wrong_type, v->span,
                                 number ? "%s is of another unit than %s" : "a number was expected, this is %s",
                                 number ? value_text(env->compilation, v) : value_kind_text(v), value_text(env->compilation, values[0]));
            diag_help(d, number ? "write all in the same unit" : "write numbers, for instance -12deg");
            return false;
        }
        bool ok = true;
        Value one = {.kind = VALUE_NUMBER, .number = 1, .unit = unit};
        numbers[i] = v->unit == unit ? v->number : number_in(v, "bare", &ok) / number_in(&one, "bare", &ok);
    }
    return true;
}

bool low_first(Environment *env, const Value *low, const Value *high, const double *numbers) {
    if (numbers[0] <= numbers[1]) return true;
    Diagnostic *d = diag(env->compilation->jre, DIAG_broken_condition, high->span, "the high end lies below the low end");
    diag_also(d, low->span, "the low end");
    diag_help(d, "write the smaller number first");
    return false;
}

static Value *between(Environment *env, const char *function, bool whole, Span span) {
    const Value *ends[] = {parameter(env, "low"), parameter(env, "high")};
    double numbers[2];
    if (!one_unit(env, ends, 2, numbers) || !low_first(env, ends[0], ends[1], numbers)) return poison(env, span);
    Value *v = drawn(env, function, ends, 2, numbers[0], numbers[1], span);
    v->unit = ends[0]->unit;
    v->whole = whole;
    return v;
}
Value *drawn_uniform(Environment *env, Span span) { return between(env, "uniform", false, span); }
Value *builtin_integers(Environment *env, Span span) { return between(env, "integers", true, span); }

Value *drawn_normal(Environment *env, Span span) {
    const Value *shape[] = {parameter(env, "mean"), parameter(env, "spread")};
    double numbers[2];
    if (!one_unit(env, shape, 2, numbers)) return poison(env, span);
    Value *v = drawn(env, "normal", shape, 2, -INFINITY, INFINITY, span);
    v->number = numbers[0];
    v->unit = shape[0]->unit;
    v->whole = false;
    return v;
}

Value *builtin_choose(Environment *env, Span span) {
    const Value *list = parameter(env, "items");
    int count = list->items.count;
    if (!count) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, list->span, "there is nothing to choose from");
        diag_help(d, "for instance [0deg, 90deg, 180deg, 270deg]");
        return poison(env, span);
    }
    const Value **items = arena_array(&env->compilation->arena, const Value *, count);
    double *numbers = arena_array(&env->compilation->arena, double, count), low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++) items[i] = list->items.at[i];
    if (!one_unit(env, items, count, numbers)) return poison(env, span);
    bool whole = true;
    for (int i = 0; i < count; i++) {
        low = fmin(low, numbers[i]);
        high = fmax(high, numbers[i]);
        whole &= items[i]->whole;
    }
    Value *v = drawn(env, "choose", items, count, low, high, span);
    v->unit = items[0]->unit;
    v->whole = whole;
    return v;
}

/* ---- the line ------------------------------------------------------------------------------------------------------- */

Value *draw_line(Environment *env, const Line *line) {
    Compilation *c = env->compilation;
    if (env->formula->statement->formula != FORMULA_augment) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, line->span, "only an augment draws at random");
        diag_note(d, "a network gives the same numbers for the same picture; what differs from look to look is the view of it");
        diag_help(d, "draw it in the augment, and take part in the step of the view that uses it");
        return poison(env, line->span);
    }
    const char *before = env->drawing;
    env->drawing = line->name;
    Value *v = evaluate(env, line->value);
    env->drawing = before;
    if (v->kind == VALUE_NONE || (v->kind == VALUE_NUMBER && v->draw)) return v;
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, line->value->span, "behind `~` stands what is drawn from, this is %s", value_kind_text(v));
    diag_help(d, "draw it: %s ~ uniform(low, high), or define it: %s = ..", line->name, line->name);
    return poison(env, line->span);
}
