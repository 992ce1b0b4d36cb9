/* types.c: does a value fit its place? Units, sizes, words; and how values are called in messages. */
#include "compiler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers and units ------------------------------------------------------------------------------------------------ */

/* In the base unit a number is number * factor / parts: 70% is 0.7 to the last bit, which 70 * 0.01 is not. */
typedef struct { Unit unit; const char *type; double factor, parts; } UnitRow;
static const UnitRow unit_rows[] = {
    {UNIT_px, "Length", 1, 1}, {UNIT_deg, "Angle", 3.14159265358979323846 / 180, 1}, {UNIT_rad, "Angle", 1, 1}, {UNIT_percent, "Share", 1, 100},
    {UNIT_ms, "Time", 1, 1000}, {UNIT_s, "Time", 1, 1}, {UNIT_min, "Time", 60, 1}, {UNIT_h, "Time", 3600, 1},
    {UNIT_KiB, "Bytes", 1024, 1}, {UNIT_MiB, "Bytes", 1048576, 1}, {UNIT_GiB, "Bytes", 1073741824, 1},
};

static const UnitRow *row_of(Unit unit) {
    for (size_t i = 0; i < sizeof unit_rows / sizeof *unit_rows; i++)
        if (unit_rows[i].unit == unit) return &unit_rows[i];
    return NULL;
}

/* A bare number takes a unit's value (0.5rad is 0.5); a place with a unit never takes a bare number, but a share may be written
 * as a fraction. */
double number_in(const Value *v, const char *wanted, bool *ok) {
    const UnitRow *row = row_of(v->unit);
    double number = row ? v->number * row->factor / row->parts : v->number;
    bool bare = !strcmp(wanted, "bare") || !strcmp(wanted, "Real") || !strcmp(wanted, "Int") || !strcmp(wanted, "Number");
    if (v->kind != VALUE_NUMBER || v->batch) *ok = false;
    else if (bare) *ok = *ok && (strcmp(wanted, "Int") != 0 || (v->draw ? v->whole : number == floor(number)));
    else if (!row) *ok = *ok && !strcmp(wanted, "Share");
    else *ok = *ok && !strcmp(row->type, wanted);
    return number;
}

bool unit_fits(Unit a, Unit b) {
    const UnitRow *first = row_of(a), *second = row_of(b);
    return a == b || (first && second && !strcmp(first->type, second->type));
}

bool value_is_numeric(const Value *v) { return v->kind == VALUE_NUMBER || v->kind == VALUE_METRIC; }

double value_bare(const Value *v) {
    bool ok = true;
    return v->kind == VALUE_METRIC ? v->number : number_in(v, "bare", &ok);
}

static bool is_number_type(const char *type) {
    static const char *const types[] = {"Int", "Real", "Number", "Angle", "Length", "Share", "Time", "Bytes"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i], type)) return true;
    return false;
}

/* ---- statistics of colors -------------------------------------------------------------------------------------------------- */

bool stats_by_word(const char *word, Stats *stats) {
    static const struct { const char *word; Stats stats; } known[] = {
        {"imagenet", {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, "imagenet", {0, 0}}},
        {"half", {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, "half", {0, 0}}},
        {"clip", {{0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}, "clip", {0, 0}}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].word, word)) {
            *stats = known[i].stats;
            return true;
        }
    return false;
}

bool stats_from_text(const char *text, Stats *stats) {
    if (stats_by_word(text, stats)) return true;
    double numbers[6];
    for (int i = 0; i < 6; i++) {
        char *end;
        numbers[i] = strtod(text, &end);
        if (end == text) return false;
        text = end + strspn(end, " ,");
    }
    for (int i = 0; i < 3; i++) {
        stats->mean[i] = numbers[i];
        stats->spread[i] = numbers[3 + i];
        if (!(stats->spread[i] > 0)) return false;
    }
    return true;
}

bool stats_equal(const Stats *a, const Stats *b) {
    for (int i = 0; i < 3; i++)
        if (fabs(a->mean[i] - b->mean[i]) > 5e-4 || fabs(a->spread[i] - b->spread[i]) > 5e-4) return false;
    return true;
}

const char *stats_text(Compilation *c, const Stats *s) {
    return arena_print(&c->arena, "mean %.3g %.3g %.3g, spread %.3g %.3g %.3g", s->mean[0], s->mean[1], s->mean[2], s->spread[0], s->spread[1], s->spread[2]);
}

/* ---- how values are called ---------------------------------------------------------------------------------------------------- */

static const char *const record_words[KIND_COUNT] = {
    [KIND_dataset] = "a dataset", [KIND_split] = "a split", [KIND_train] = "a training", [KIND_boost] = "a forest", [KIND_embed] = "an embed",
    [KIND_evaluate] = "an evaluation", [KIND_ensemble] = "an ensemble", [KIND_figure] = "a figure", [KIND_submit] = "a submission",
};

const char *value_kind_text(const Value *v) {
    switch (v->kind) {
    case VALUE_NONE: return "something that went wrong before";
    case VALUE_NUMBER: return v->batch ? "the size of a batch" : v->draw ? "a number drawn at random" : "a number";
    case VALUE_TEXT: return "a text";
    case VALUE_TRUTH: return "true or false";
    case VALUE_LIST: return "a list";
    case VALUE_RANGE: return "a range";
    case VALUE_WORD: return "a word";
    case VALUE_STATS: return "statistics of colors";
    case VALUE_FORMULA:
        switch (v->decl->statement->formula) {
        case FORMULA_network: return "a network";
        case FORMULA_augment: return "an augment";
        case FORMULA_loss: return "a loss";
        case FORMULA_function: return "a function";
        }
        return "a formula";
    case VALUE_TENSOR: return v->classes ? "a column of labels" : v->embedding ? "an embedding" : v->image ? "an image" : "a tensor";
    case VALUE_ROLE: return v->type;
    case VALUE_PICTURE: return "a picture";
    case VALUE_RECORD: return record_words[v->decl->record];
    case VALUE_PART: return "a part of a split";
    case VALUE_SIMILARITY: return "a similarity";
    case VALUE_OPTION: return "a word with arguments";
    case VALUE_CONDITION: return "a condition";
    case VALUE_TABLE: return "a table, known after the run";
    case VALUE_METRIC: return "a metric";
    }
    return "a value";
}

const char *value_text(Compilation *c, const Value *v) {
    Arena *arena = &c->arena;
    switch (v->kind) {
    case VALUE_NUMBER: return v->batch ? "N" : v->draw ? value_kind_text(v) : arena_print(arena, "%.6g%s", v->number, unit_text(v->unit));
    case VALUE_TEXT: return arena_print(arena, "\"%s\"", v->text);
    case VALUE_WORD: return v->text;
    case VALUE_TRUTH: return v->truth ? "true" : "false";
    case VALUE_TENSOR: {
        const char *text = v->classes ? arena_print(arena, "%s[", v->type) : v->embedding ? "Embedding[" : "Tensor[";
        for (int i = 0; i < v->node->shape.rank; i++) {
            const char *letter = i < v->letters.count ? arena_print(arena, "%s = ", v->letters.at[i]) : "";
            const char *size = v->node->shape.dim[i] == DIM_BATCH ? "N" : arena_print(arena, "%lld", (long long)v->node->shape.dim[i]);
            text = arena_print(arena, "%s%s%s%s", text, i ? ", " : "", letter, size);
        }
        if (v->classes && strcmp(v->type, "Flank") != 0) return arena_print(arena, "%s, %lld]", text, (long long)v->classes);
        return arena_print(arena, "%s]", text);
    }
    default: return value_kind_text(v);
    }
}

static const char *canonical_items(Arena *arena, const Value *v, const char *open, const char *close) {
    const char *text = open;
    for (int i = 0; i < v->items.count; i++) {
        const char *item = value_canonical(arena, v->items.at[i]);
        if (!item) return NULL;
        text = arena_print(arena, "%s%s%s", text, i ? ", " : "", item);
    }
    return arena_print(arena, "%s%s", text, close);
}

static const char *canonical_option(Arena *arena, const Value *v) {
    const char *text = arena_print(arena, "%s(", v->text);
    for (int i = 0; i < v->bound.count; i++) {
        const char *argument = value_canonical(arena, v->bound.at[i].value);
        text = arena_print(arena, "%s%s%s = %s", text, i ? ", " : "", v->bound.at[i].name, argument ? argument : "..");
    }
    return arena_print(arena, "%s)", text);
}

/* In bare numbers: 60% and 0.6 are one, and the place says what is measured. */
const char *value_canonical(Arena *arena, const Value *v) {
    switch (v->kind) {
    case VALUE_NUMBER: {
        if (v->draw) return draw_text(arena, v->draw);
        const UnitRow *row = row_of(v->unit);
        return arena_print(arena, "%.17g", row ? v->number * row->factor / row->parts : v->number);
    }
    case VALUE_TEXT: return arena_print(arena, "\"%s\"", v->text);
    case VALUE_WORD: return v->text;
    case VALUE_TRUTH: return v->truth ? "true" : "false";
    case VALUE_ROLE: return v->type;
    case VALUE_LIST: return canonical_items(arena, v, "[", "]");
    case VALUE_RANGE: return canonical_items(arena, v, "(", ")");
    case VALUE_OPTION: return canonical_option(arena, v);
    case VALUE_CONDITION: return v->condition ? expr_text(arena->jre, v->condition) : NULL;
    default: return NULL;
    }
}

/* ---- fitting ------------------------------------------------------------------------------------------------------------------------ */

Diagnostic *diag_at_call(Environment *env, DiagCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_vprint(&env->compilation->arena, format, arguments);
    va_end(arguments);
    Span inner = env->origin ? env->origin->span : NOWHERE, user = origin_user_span(env->origin);
    Diagnostic *d = diag(env->compilation->jre, code, user, "%s", text);
    if (inner.start != user.start || inner.end != user.end) diag_also(d, inner, "on the way through here");
    return d;
}

/* The stages passed in the formula that called this one, with their sizes. */
static void tell_the_way(Environment *env, Diagnostic *d) {
    Compilation *c = env->compilation;
    Text way = {.jre = c->jre};
    int first = c->trail.count > 40 ? c->trail.count - 40 : 0;
    for (int i = first; i < c->trail.count; i++) {
        const TrailStop *stop = c->trail.at[i];
        if (stop->where != env->caller) continue;
        Place place = place_of(c->jre, stop->span.start);
        const char *folder = strrchr(place.source->name, '/');
        text_add(&way, "\n    %-14s %-24s %s:%d", stop->name, shape_text(&c->arena, stop->shape), folder ? folder + 1 : place.source->name, place.line);
    }
    if (way.length) diag_fact(d, "the way to this line:%s", way.at);
    text_free(&way);
}

/* Where an argument is given; if that is in another file, as of resnet50 in the library, the call. */
static Span span_of_argument(const Environment *env, const Param *param, const Value *v) {
    const Jre *jre = env->compilation->jre;
    const Bound *given = env->called ? argument_of(env->called, param->name) : NULL;
    const Span span = given && given->span.end ? given->span : v->span;
    return !env->origin || (span.end && source_of(jre, span) == source_of(jre, env->origin->span)) ? span : env->origin->span;
}

static const struct { const char *type, *example; } examples[] = {
    {"Length", "224px"}, {"Angle", "0.5rad or 28.6deg"}, {"Time", "2min"}, {"Share", "60%"}, {"Int", "3"}, {"Real", "0.5"}, {"Range", "0.8 to 1"},
    {"Bool", "true"}, {"List", "[3, 4, 6, 3]"}, {"Text", "\"a text\""}, {"Embed", "the name of an `embed`"},
};

/* `x |> f(..)`: another stage can be put in front. */
static bool is_piped(Jre *jre, Span span) {
    const Source *source = source_of(jre, span);
    if (!source || span.start < source->base) return false;
    const char *at = source->bytes + (span.start - source->base);
    while (at > source->bytes && strchr(" \t\r\n", at[-1]) && at[-1]) at--;
    return at - source->bytes > 2 && at[-1] == '>' && at[-2] == '|';
}

/* `fit(16px)` in a view, whose picture is forgotten. */
static bool tell_unpiped(Environment *env, Diagnostic *d, const Param *param, const Decl *decl) {
    const Decl *around = env->caller ? env->caller->formula : NULL;
    const Statement *s = around ? around->statement : NULL;
    const Span call = env->origin ? env->origin->span : NOWHERE;
    const bool first = decl->statement->params.at == param && is_data_type(param->type.name) && call.end;
    if (!first || !s || !s->params.count || !span_holds(s->span, call) || strcmp(s->params.at[0].type.name, param->type.name) != 0 || is_piped(env->compilation->jre, call)) return false;
    diag_help(d, "begin with what comes in");
    diag_edit(d, (Span){call.start, call.start}, false, "%s |> ", s->params.at[0].name);
    return true;
}

static bool wrong_kind(Environment *env, const Param *param, const Value *v, const Decl *decl) {
    Compilation *c = env->compilation;
    const Span given = span_of_argument(env, param, v);
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, given, "`%s` of `%s` is to be %s, this is %s", param->name, decl->name,
                         type_as_text(&c->arena, &param->type), value_kind_text(v));
    if (v->span.end && !span_holds(given, v->span)) diag_also(d, v->span, "it is this");
    if (!decl->library) diag_also(d, param->span, "declared here");
    if (tell_unpiped(env, d, param, decl)) return false;
    const char *example = NULL;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (!strcmp(examples[i].type, param->type.name)) example = examples[i].example;
    if (example) diag_help(d, "for instance %s", example);
    else diag_help(d, "give it %s", type_as_text(&c->arena, &param->type));
    return false;
}

bool is_literal(Jre *jre, const Value *v) {
    const char *written = span_text(jre, v->span), *digits = written + (*written == '-'), *sign = strpbrk(digits, "+-");
    const bool sum = sign && sign[-1] != 'e' && sign[-1] != 'E';
    return v->kind == VALUE_NUMBER && !v->draw && !v->batch && *digits >= '0' && *digits <= '9' && !sum && !strpbrk(written, " \t\n*/^()[],");
}

/* The unit that a bare number most likely has. */
static const char *unit_meant(const char *type, const Value *v) {
    if (!strcmp(type, "Length")) return "px";
    if (!strcmp(type, "Time")) return "min";
    if (!strcmp(type, "Bytes")) return "GiB";
    if (!strcmp(type, "Share")) return "%";
    const bool radians = fabs(v->number) < 3.2 && v->number != floor(v->number);
    return !strcmp(type, "Angle") ? radians ? "rad" : "deg" : "";
}

/* The number, or the draw with its numbers, in another unit. */
static const char *in_other_unit(Compilation *c, const Value *v, const char *unit) {
    if (!v->draw) return arena_print(&c->arena, "%.10g%s", v->number, unit);
    const char *text = arena_print(&c->arena, "%s(", v->draw->function);
    for (int i = 0; i < v->draw->operands.count; i++) {
        const Value *operand = v->draw->operands.at[i];
        if (operand->kind != VALUE_NUMBER || operand->draw) return NULL;
        text = arena_print(&c->arena, "%s%s%.10g%s", text, i ? ", " : "", operand->number, unit);
    }
    return arena_print(&c->arena, "%s)", text);
}

static void write_with_unit(Compilation *c, Diagnostic *d, const char *type, const Value *v) {
    const bool whole = (strcmp(type, "Int") != 0 && strcmp(type, "Length") != 0) || v->number == floor(v->number);
    const char *unit = unit_meant(type, v), *text = whole && (v->draw || is_literal(c->jre, v)) ? in_other_unit(c, v, unit) : NULL;
    const bool named = (v->draw && strchr("+-*/^", *v->draw->function)) || (!*unit && v->unit == UNIT_deg);
    if (!text || named) {
        diag_help(d, *unit ? "give it the unit %s" : "write a number without a unit", unit);
        return;
    }
    if (!v->draw && !strcmp(unit, "rad")) diag_help(d, "%s is about %.3gdeg", text, v->number * 180 / 3.14159265358979323846);
    else diag_help(d, *unit ? "write it with its unit" : "write it without a unit");
    diag_edit(d, v->span, false, "%s", text);
}

bool wrong_unit(Compilation *c, const char *type, const char *name, const char *of, const Value *v, Span used) {
    static const struct { const char *type, *what, *bare; } words[] = {
        {"Angle", "an angle was expected", "an angle, but in what?"}, {"Length", "a length was expected", "a length, but in what?"}, {"Time", "a time was expected", "a time, but in what?"},
        {"Bytes", "an amount of memory was expected", "an amount of memory, but in what?"}, {"Share", "a share is written in % or as a fraction", "a share is written in % or as a fraction"},
        {"Int", "a whole number was expected", "a whole number was expected"}, {"Real", "a number was expected", "a number was expected"},
    };
    const bool other = v->unit && *unit_meant(type, v) && strcmp(unit_text(v->unit), unit_meant(type, v)) != 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].type, type) != 0) continue;
        Diagnostic *d = other ? diag(c->jre, DIAG_wrong_unit, v->span, "%s, this is in `%s`", words[i].what, unit_text(v->unit))
                              : diag(c->jre, DIAG_wrong_unit, v->span, "%s", words[i].bare);
        if (!span_holds(used, v->span)) diag_also(d, used, "used here");
        diag_fact(d, "`%s` of `%s` is %s %s", name, of, type[0] == 'I' || type[0] == 'A' ? "an" : "a", type);
        if (other) diag_help(d, "give it the unit %s", unit_meant(type, v));
        else write_with_unit(c, d, type, v);
    }
    return false;
}

/* 30rad, where 30deg is meant: nobody turns a picture five times around. False: it is one turn at most, or in degrees. */
static bool many_turns(Compilation *c, const Value *v) {
    const double low = v->draw ? v->draw->low : v->number, high = v->draw ? v->draw->high : v->number, turn = 2 * 3.14159265358979323846;
    const double most = fmax(fabs(low), fabs(high));
    if (v->unit != UNIT_rad || isinf(most) || most <= turn) return false;
    Diagnostic *d = diag(c->jre, DIAG_wrong_unit, v->span, "%.10g radians are %.1f turns around", most, most / turn);
    const char *text = in_other_unit(c, v, "deg");
    diag_help(d, "were degrees meant?");
    if (text && !(v->draw && strchr("+-*/^", *v->draw->function))) diag_edit(d, v->span, false, "%s", text);
    return true;
}

static bool wrong_shape(Environment *env, const Type *type, const Value *v, const char *why) {
    Compilation *c = env->compilation;
    Diagnostic *d = diag_at_call(env, DIAG_shape_mismatch, "I expected %s here, I found %s", type_as_text(&c->arena, type), value_text(c, v));
    if (why) diag_fact(d, "%s", why);
    tell_the_way(env, d);
    if (v->node->shape.rank == 4 && type->dims.count == 2) {
        diag_note(d, "a grid of %lld x %lld positions is left over; `%s` wants one list of numbers a picture", (long long)v->node->shape.dim[2],
                  (long long)v->node->shape.dim[3], env->formula->name);
        diag_help(d, "average over the positions first");
        if (is_piped(c->jre, d->span)) diag_edit(d, (Span){d->span.start, d->span.start}, false, "average_pool |> ");
    } else {
        diag_help(d, "bring the picture, or what was made of it, to the size that is wanted");
    }
    return false;
}

static bool only_rest(const Type *type) { return type->has_dims && type->dims.count == 1 && type->dims.at[0].rest; }

/* A picture in a view has the size that its steps gave it, or none yet; in a function it is an image [3, H, W]. */
static bool bind_image(Environment *env, DimTable *table, const Param *param, Value *v, const Decl *decl) {
    Compilation *c = env->compilation;
    const char *why = NULL;
    bool image = v->kind == VALUE_TENSOR && v->image;
    if (v->kind != VALUE_PICTURE && !image) return wrong_kind(env, param, v, decl);
    if (!image && strcmp(decl->statement->result.name, "Image") != 0) {
        Diagnostic *d = diag_at_call(env, DIAG_wrong_type, "`%s` measures a picture, and a view only says which steps it takes", decl->name);
        diag_help(d, "measure it in a network: embed .. { network %s .. }", decl->name);
        return false;
    }
    if (!param->type.has_dims) return true;
    const Shape size = image ? (Shape){2, {v->node->shape.dim[1], v->node->shape.dim[2]}} : (Shape){2, {v->view->height, v->view->width}};
    if (size.dim[0] && dims_match(table, &param->type, size, &why)) return true;
    Diagnostic *d = diag_at_call(env, DIAG_shape_mismatch, size.dim[0] ? "I expected %s here, I found Image[%lldpx, %lldpx]" : "I expected %s here, and no step said how large the picture is",
                                 type_as_text(&c->arena, &param->type), (long long)size.dim[0], (long long)size.dim[1]);
    if (why) diag_fact(d, "%s", why);
    diag_help(d, "bring the picture to that size first: x |> fit(224px)");
    return false;
}

static bool drawn_for_nothing(Environment *env, const Param *param, const Value *v, const Decl *decl) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, v->span, "`%s` of `%s` is settled before the first picture is seen, it cannot be drawn", param->name, decl->name);
    diag_help(d, "what is drawn steers the steps of views: rotate(angle), affine(scale = s), ...");
    return false;
}

static bool bind_tensor(Environment *env, DimTable *table, const Param *param, Value *v, const Decl *decl) {
    bool any_shape = decl->statement->builtin && only_rest(&param->type);          /* elementwise: the op itself aligns */
    if (any_shape && (v->kind == VALUE_NUMBER || v->kind == VALUE_TENSOR || (v->kind == VALUE_PICTURE && is_view_step(decl)))) return true;
    if (any_shape && v->kind == VALUE_METRIC && !v->axis && !strcmp(decl->statement->result.name, "Bool")) return true;      /* a test, open until it is known */
    if (v->kind != VALUE_TENSOR || v->classes) return wrong_kind(env, param, v, decl);
    const char *why = NULL;
    if (v->letters.count && !only_rest(&param->type)) return wrong_shape(env, &param->type, v, "call it with the whole tensor, and give letters to the result");
    return dims_match(table, &param->type, v->node->shape, &why) || wrong_shape(env, &param->type, v, why);
}

/* Identity[N, K]: the column's length, and how many individuals it tells apart. */
static bool bind_labels(Environment *env, DimTable *table, const Param *param, Value *v, const Decl *decl) {
    if (v->kind != VALUE_TENSOR || !v->classes || strcmp(v->type, param->type.name) != 0 || v->letters.count) return wrong_kind(env, param, v, decl);
    Shape shape = {strcmp(v->type, "Flank") != 0 ? 2 : 1, {v->node->shape.dim[0], v->classes}};
    const char *why = NULL;
    return dims_match(table, &param->type, shape, &why) || wrong_shape(env, &param->type, v, why);
}

bool number_fits(const Value *v, const char *type) {
    bool ok = true;
    number_in(v, type, &ok);
    if (!strcmp(type, "Int")) ok &= !v->unit;
    if (!strcmp(type, "Real")) ok &= !v->unit || v->unit == UNIT_percent;
    return ok;
}

/* `none` where it is the default: left out. */
static bool left_out(const Param *param, const Value *v) {
    return v->kind == VALUE_WORD && param->fallback && param->fallback->kind == EXPR_NAME && param->fallback->name == v->text && !strcmp(v->text, "none");
}

bool bind_type(Environment *env, DimTable *table, const Param *param, Value *v, const Decl *decl) {
    const char *type = param->type.name;
    if (left_out(param, v)) return true;
    if (!strcmp(type, "Tensor") || !strcmp(type, "Embedding")) return bind_tensor(env, table, param, v, decl);
    if (!strcmp(type, "Image")) return bind_image(env, table, param, v, decl);
    if (role_type(type) && (v->kind == VALUE_ROLE || !is_label_type(type))) return (v->kind == VALUE_ROLE && !strcmp(v->type, type)) || wrong_kind(env, param, v, decl);
    if (is_label_type(type)) return bind_labels(env, table, param, v, decl);
    if (!strcmp(type, "Scalar")) return v->kind == VALUE_NUMBER || (v->kind == VALUE_TENSOR && !v->node->shape.rank) || wrong_kind(env, param, v, decl);
    if (is_number_type(type)) {
        if (v->kind != VALUE_NUMBER) return wrong_kind(env, param, v, decl);
        if (v->draw && decl->statement->builtin && !is_view_step(decl)) return drawn_for_nothing(env, param, v, decl);
        if (!strcmp(type, "Angle") && many_turns(env->compilation, v)) return false;
        bool ok = number_fits(v, type) && (strcmp(type, "Int") != 0 || fabs(v->number) <= 1e9);
        return ok || wrong_unit(env->compilation, type, param->name, decl->name, v, span_of_argument(env, param, v));
    }
    if (place_type(type)) return true;                             /* held against it where it was read */
    static const struct { const char *type; ValueKind kind, other; } kinds[] = {
        {"Bool", VALUE_TRUTH, VALUE_TRUTH}, {"Word", VALUE_WORD, VALUE_WORD}, {"Color", VALUE_WORD, VALUE_WORD},
        {"Stats", VALUE_STATS, VALUE_WORD}, {"Text", VALUE_TEXT, VALUE_TEXT}, {"List", VALUE_LIST, VALUE_LIST}, {"Range", VALUE_RANGE, VALUE_WORD},
        {"Network", VALUE_FORMULA, VALUE_FORMULA}, {"Loss", VALUE_FORMULA, VALUE_FORMULA}, {"Augment", VALUE_FORMULA, VALUE_FORMULA},
        {"Embed", VALUE_RECORD, VALUE_RECORD}, {"Evaluate", VALUE_RECORD, VALUE_RECORD}, {"Boost", VALUE_RECORD, VALUE_RECORD},
        {"Similarity", VALUE_SIMILARITY, VALUE_RECORD},
    };
    static const struct { const char *type; RecordKind record, other; } records[] = {
        {"Embed", KIND_embed, KIND_embed}, {"Evaluate", KIND_evaluate, KIND_evaluate}, {"Boost", KIND_boost, KIND_boost}, {"Similarity", KIND_boost, KIND_ensemble},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, type) != 0) continue;
        bool fits = v->kind == kinds[i].kind || v->kind == kinds[i].other;
        for (size_t k = 0; k < sizeof records / sizeof *records && v->kind == VALUE_RECORD; k++)
            if (!strcmp(records[k].type, type)) fits = v->decl->record == records[k].record || v->decl->record == records[k].other;
        return fits || wrong_kind(env, param, v, decl);
    }
    Diagnostic *d = diag(env->compilation->jre, DIAG_not_yet, param->span, "values of type %s come with a later version", type);
    diag_also(d, env->origin->span, "called here");
    return false;
}

static bool not_one_number(Environment *env, const Decl *decl, const Value *v) {
    const Line *last = decl->statement->lines.count ? &decl->statement->lines.at[decl->statement->lines.count - 1] : NULL;
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, last ? last->span : decl->statement->span, "a loss is one number, this is %s",
                         v->kind == VALUE_TENSOR ? value_text(env->compilation, v) : value_kind_text(v));
    diag_also(d, decl->statement->result.span, "write Scalar here");
    diag_help(d, "end it with a mean over all: mean over n of (..)");
    return false;
}

static const char *picture_of_open_size(Compilation *c, const View *view) {
    if (!view->least) return "a picture of the size that it had";
    return arena_print(&c->arena, "a picture whose shorter side is %dpx, the longer one as it comes", view->least);
}

/* `resize` keeps the shape of a picture: of one that is no square a window is cut out next, as large as promised. */
static void help_with_open_size(Diagnostic *d, const View *view, const Type *promised) {
    int64_t side = view->least ? view->least : 224;
    const Expr *size = promised->dims.count ? promised->dims.at[0].size : NULL;
    if (size && size->kind == EXPR_NUMBER && (!view->least || size->number <= view->least)) side = (int64_t)size->number;
    diag_note(d, "the pictures of a batch lie side by side and are all of one size");
    for (int i = view->steps.count - 1; i >= 0 && view->least; i--) {
        const ViewStep *step = &view->steps.at[i];
        if (strcmp(step->name, "resize") != 0) continue;
        diag_help(d, "cut a square out of the middle");
        diag_edit(d, (Span){step->span.end, step->span.end}, false, " |> center(%lldpx)", (long long)side);
        diag_help(d, "or keep all of the picture, and fill what is missing");
        diag_edit(d, step->span, false, "fit(%lldpx)", (long long)side);
        return;
    }
    diag_help(d, "bring it to one size first: x |> fit(%lldpx)", (long long)side);
}

/* The promise of the head, kept? */
bool check_result(Environment *env, DimTable *table, const Decl *decl, Value *v) {
    const Type *type = &decl->statement->result;
    Compilation *c = env->compilation;
    const char *why = NULL;
    if (is_view_step(decl)) return true;
    bool scalar = !strcmp(type->name, "Scalar"), one = v->kind == VALUE_NUMBER || (v->kind == VALUE_TENSOR && shape_elements(v->node->shape, 2) == 1);
    if (decl->statement->formula == FORMULA_loss && !one) return not_one_number(env, decl, v);
    bool list = v->kind == VALUE_TENSOR && !v->node->shape.rank && type->has_dims && type->dims.count == 1 && !type->dims.at[0].rest;
    if (list) v->node = graph_reshape(env->graph, v->node, (Shape){1, {1}}, env->origin);         /* a Scalar is a Tensor[1] */
    if (v->kind == VALUE_TENSOR && v->image && !strcmp(type->name, "Image")) {
        if (!type->has_dims || dims_match(table, type, (Shape){2, {v->node->shape.dim[1], v->node->shape.dim[2]}}, &why)) return true;
    } else if (v->kind == VALUE_TENSOR && (!strcmp(type->name, "Tensor") || !strcmp(type->name, "Embedding"))) {
        if (only_rest(type) || dims_match(table, type, v->node->shape, &why)) return true;
    } else if (v->kind == VALUE_PICTURE && !strcmp(type->name, "Image")) {
        Shape size = {2, {v->view->height, v->view->width}};
        if (!type->has_dims || dims_match(table, type, size, &why)) return true;
    } else if (scalar && one) {
        return true;
    } else if (!scalar && strcmp(type->name, "Tensor") != 0 && strcmp(type->name, "Image") != 0 && strcmp(type->name, "Embedding") != 0) {
        return true;
    } else if (v->kind == VALUE_NUMBER) {
        return true;                                               /* computed while compiling */
    }
    Diagnostic *d = diag(c->jre, v->kind == VALUE_TENSOR || v->kind == VALUE_PICTURE ? DIAG_shape_mismatch : DIAG_wrong_type, type->span, "`%s` promises %s",
                         decl->name, type_as_text(&c->arena, type));
    const Line *last = decl->statement->lines.count ? &decl->statement->lines.at[decl->statement->lines.count - 1] : NULL;
    const bool open = v->kind == VALUE_PICTURE && !v->view->width;
    const char *picture = open ? picture_of_open_size(c, v->view) : v->kind == VALUE_PICTURE ? arena_print(&c->arena, "Image[%dpx, %dpx]", v->view->height, v->view->width) : NULL;
    if (last) diag_also(d, last->span, "but gives %s", picture ? picture : value_text(c, v));
    if (open) {
        help_with_open_size(d, v->view, type);
        return false;
    }
    if (why) diag_fact(d, "%s", why);
    diag_help(d, "change the promise, or the last line");
    return false;
}
