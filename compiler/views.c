/* views.c: how a picture is made ready: what `builtin` means in views.jre.
 *
 * Each step takes the picture so far and adds itself behind it, with all its parameters. One function serves them all: words,
 * bounds and sizes are held against the tables here; what a step does to pixels is the runtime's affair. */
#include "compiler.h"

#include <math.h>
#include <string.h>

/* ---- parameters within their bounds -------------------------------------------------------------------------------- */

static const struct { const char *step, *parameter, *type; double low, high; } bounds[] = {      /* step NULL: of any; angles in radians */
    {NULL, "chance", "Share", 0, 1}, {NULL, "probability", "Share", 0, 1}, {"crop", "scale", "Share", 0.001, 1}, {NULL, "area", "Share", 0, 1},
    {NULL, "ratio", "Real", 0.1, 10}, {NULL, "angle", "Angle", -6.2832, 6.2832}, {NULL, "shear", "Angle", -1.4, 1.4},
    {NULL, "right", "Share", -1, 1}, {NULL, "down", "Share", -1, 1}, {"affine", "scale", "Real", 0.01, 100}, {NULL, "distortion", "Share", 0, 1},
    {NULL, "brightness", "Real", 0, 1}, {NULL, "contrast", "Real", 0, 1}, {NULL, "saturation", "Real", 0, 1}, {NULL, "hue", "Real", 0, 0.5},
    {NULL, "sigma", "Length", 0.01, 100}, {"noise", "spread", "Real", 0, 1}, {NULL, "quality", "Int", 1, 100}, {NULL, "count", "Int", 1, 100},
    {NULL, "period", "Length", 2, 4096}, {NULL, "keep", "Share", 0.01, 1}, {NULL, "magnitude", "Real", 0, 10}, {"randaugment", "spread", "Real", 0, 10},
};

static const char *in_unit(Compilation *c, const char *type, double number) {
    if (!strcmp(type, "Share")) return arena_print(&c->arena, "%g%%", 100 * number);
    if (!strcmp(type, "Angle")) return arena_print(&c->arena, "%.4gdeg", number * 180 / 3.14159265358979323846);
    return arena_print(&c->arena, "%g%s", number, !strcmp(type, "Length") ? "px" : "");
}

/* Its lowest and highest bare number; unbounded draws are the runtime's to clip. */
static bool inside(const Value *v, double low, double high) {
    bool ok = true;
    Value ends[2] = {*v, *v};
    if (v->draw) ends[0].number = v->draw->low, ends[1].number = v->draw->high;
    for (int i = 0; i < 2; i++) {
        double number = number_in(&ends[i], "bare", &ok);
        if (!isinf(number) && (number < low - 1e-9 || number > high + 1e-9)) return false;
    }
    return true;
}

static bool wrong_end(Environment *env, const char *name, const Value *end, const char *type) {
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_unit, end->span, "each end of `%s` is to be a %s", name, type);
    diag_help(d, !strcmp(type, "Length") ? "for instance 96px to 224px" : !strcmp(type, "Share") ? "for instance 2%% to 20%%" : "for instance 0.75 to 1.33");
    return false;
}

static bool within_bounds(Environment *env, const char *step, const char *name, const Value *v) {
    Compilation *c = env->compilation;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (strcmp(bounds[i].parameter, name) != 0 || (bounds[i].step && strcmp(bounds[i].step, step) != 0)) continue;
        bool range = v->kind == VALUE_RANGE;
        for (int k = 0; k < (range ? v->items.count : 1); k++) {
            const Value *one = range ? v->items.at[k] : v;
            bool ok = true;
            if (one->kind != VALUE_NUMBER) continue;
            if (range) number_in(one, bounds[i].type, &ok);
            if (!strcmp(bounds[i].type, "Real") && one->unit && one->unit != UNIT_percent) ok = false;
            if (!ok) return wrong_end(env, name, one, bounds[i].type);
            if (inside(one, bounds[i].low, bounds[i].high)) continue;
            Diagnostic *d = diag(c->jre, DIAG_broken_condition, one->span, "`%s` of `%s` lies between %s and %s", name, step,
                                 in_unit(c, bounds[i].type, bounds[i].low), in_unit(c, bounds[i].type, bounds[i].high));
            diag_help(d, "write one that does");
            return false;
        }
        return true;
    }
    return true;
}

static const char *const colors[] = {"white", "black", "gray"};
static const uint8_t shades[] = {255, 0, 128};

static bool words_known(Environment *env, const char *name) {
    static const char *const filters[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
    static const char *const kinds[] = {"same", "new_identity"};
    static const char *const corners[] = {"top_left", "top_right", "bottom_left", "bottom_right"};
    if (!strcmp(name, "fill")) return known_word(env, name, colors, 3);
    if (!strcmp(name, "filter")) return known_word(env, name, filters, 6);
    if (!strcmp(name, "as")) return known_word(env, name, kinds, 2);
    if (!strcmp(name, "at")) return known_word(env, name, corners, 4);
    return true;
}

static const Param *param_at(Environment *env, int i) { return &env->formula->statement->params.at[i]; }

static bool parameters_sound(Environment *env, ViewStep *step) {
    for (int i = 1; i < env->formula->statement->params.count; i++) {
        const char *name = param_at(env, i)->name;
        const Value *v = parameter(env, name);
        if (v->kind == VALUE_WORD && !words_known(env, name)) return false;
        if (!within_bounds(env, step->name, name, v)) return false;
        StepParameter parameter = {name, v};
        list_add(&env->compilation->arena, &step->parameters, parameter);
    }
    return true;
}

/* ---- sizes -------------------------------------------------------------------------------------------------------------- */

static bool whole_size(Environment *env, const Value *size, int *pixels) {
    bool ok = true;
    double number = number_in(size, "bare", &ok);
    Compilation *c = env->compilation;
    if (size->draw) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, size->span, "a picture's size is drawn");
        diag_note(d, "the pictures of a batch lie side by side and are all of one size");
        diag_help(d, "write one size, and draw what part of the picture is seen: crop(224px, scale = 0.8 to 1.0)");
        return false;
    }
    if (number < 1 || number > 4096 || number != floor(number)) {
        Diagnostic *d = diag(c->jre, DIAG_broken_condition, size->span, "a picture is made 1 to 4096 whole pixels wide");
        diag_help(d, "for instance 224px");
        return false;
    }
    *pixels = (int)number;
    return true;
}

static bool window_fits(Environment *env, const View *before, const ViewStep *step, int size) {
    bool known = before->width > 0, too_large = known ? size > before->width || size > before->height : before->least && size > before->least;
    if (!too_large) return true;
    const ViewStep *last = before->steps.count ? &before->steps.at[before->steps.count - 1] : NULL;
    Diagnostic *d = diag(env->compilation->jre, DIAG_shape_mismatch, step->span, "a window of %d x %d pixels, cut out of a picture of %s%d x %d", size, size,
                         known ? "" : "maybe only ", known ? before->width : before->least, known ? before->height : before->least);
    for (int i = before->steps.count - 1; i >= 0 && last; i--)
        if (before->steps.at[i].width) {
            diag_also(d, before->steps.at[i].span, "made so large here");
            break;
        }
    diag_help(d, "make the picture larger before it, or the window smaller");
    return false;
}

/* What a step makes of the picture's size. False: diagnosed. */
static bool settle_size(Environment *env, const View *before, View *view, ViewStep *step) {
    static const char *const square[] = {"fit", "stretch", "center", "crop", "corner"};
    const Value *size = parameter(env, "size"), *scale = step_parameter(step, "scale");
    int pixels = 0;
    if (!size) return true;
    if (!strcmp(step->name, "cutout") && size->draw) return true;
    if (!whole_size(env, size, &pixels)) return false;
    bool resizes = !strcmp(step->name, "fit") || !strcmp(step->name, "stretch") || !strcmp(step->name, "resize");
    bool rescaled = !strcmp(step->name, "crop") && scale->kind == VALUE_RANGE;
    if (!resizes && !rescaled && !window_fits(env, before, step, pixels)) return false;
    for (size_t i = 0; i < sizeof square / sizeof *square; i++)
        if (!strcmp(step->name, square[i])) view->width = view->height = step->width = step->height = pixels;
    if (!strcmp(step->name, "resize")) view->width = view->height = 0, view->least = step->width = step->height = pixels;
    return true;
}

/* ---- chance ---------------------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Steps that come by chance, steps that draw whenever they come, and steps that draw by an amount above 0. */
static bool step_draws(const ViewStep *step) {
    static const char *const always[] = {"crop", "erase", "cutout", "grid_mask", "randaugment"};
    static const char *const amounts[] = {"brightness", "contrast", "saturation", "hue", "distortion"};
    bool draws = is_one_of(step->name, always, 5), amount = false;
    for (int i = 0; i < step->parameters.count; i++) {
        const StepParameter *p = &step->parameters.at[i];
        if (p->value->draw) return true;
        bool chance = !strcmp(p->name, "chance") || !strcmp(p->name, "probability");
        if (chance && p->value->number <= 0) return false;
        if (chance && value_bare(p->value) < 1) draws = true;
        amount |= is_one_of(p->name, amounts, 5) && p->value->number > 0;
    }
    return draws || amount || (!strcmp(step->name, "noise") && step_parameter(step, "spread")->number > 0);
}

/* ---- a step ------------------------------------------------------------------------------------------------------------------ */

static double number_of(const ViewStep *step, const char *name) {
    const Value *v = step_parameter(step, name);
    return v ? value_bare(v) : 0;
}

/* flip(as = new_identity): the mirrored animal is another. */
static bool makes_another(const ViewStep *step) {
    const Value *as = step_parameter(step, "as");
    return as && as->text && !strcmp(as->text, "new_identity");
}

/* What the runtime does at this step: what draws nothing, on 8-bit pixels. A flip that makes another animal is a training's affair. */
static ViewStepKind executed_kind(const View *before, const ViewStep *step) {
    static const struct { const char *name; ViewStepKind kind; } executed[] = {
        {"fit", VIEW_FIT}, {"stretch", VIEW_STRETCH}, {"resize", VIEW_RESIZE}, {"center", VIEW_CENTER}, {"corner", VIEW_CORNER}, {"flip", VIEW_FLIP},
        {"rotate", VIEW_ROTATE}, {"affine", VIEW_AFFINE}, {"gray", VIEW_GRAY}, {"cover", VIEW_COVER}, {"normalize", VIEW_NORMALIZE},
    };
    const Value *chance = step_parameter(step, "chance");
    if (!chance) chance = step_parameter(step, "probability");
    if (step->draws || makes_another(step)) return VIEW_LATER;
    if (chance && value_bare(chance) <= 0) return VIEW_NOTHING;
    if (view_stats(before) && strcmp(step->name, "normalize") != 0) return VIEW_LATER;     /* 8 bits are behind it */
    for (size_t i = 0; i < sizeof executed / sizeof *executed; i++)
        if (!strcmp(executed[i].name, step->name)) return executed[i].kind;
    return VIEW_LATER;
}

static bool read_stats(Environment *env, ViewStep *step) {
    const Value *stats = step_parameter(step, "stats");
    step->stats = stats->stats;
    if (stats->kind != VALUE_WORD || stats_by_word(stats->text, &step->stats)) return true;
    Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, stats->span, "no statistics of this name");
    diag_help(d, "follow the network: normalize(backbone.stats), or write imagenet, half or clip");
    return false;
}

/* The words and numbers that the runtime reads of a step that it executes. False: diagnosed. */
static bool executed_step(Environment *env, const View *before, ViewStep *step) {
    const Value *filter = step_parameter(step, "filter"), *fill = step_parameter(step, "fill"), *at = step_parameter(step, "at");
    step->kind = executed_kind(before, step);
    if (!strcmp(step->name, "normalize")) return read_stats(env, step);
    if (step->kind == VIEW_LATER || step->kind == VIEW_NOTHING) return true;
    step->filter = filter ? filter->text : NULL;
    step->corner = at ? at->text : NULL;
    memset(step->fill, 255, 3);
    for (int i = 0; i < 3 && fill; i++)
        if (!strcmp(colors[i], fill->text)) memset(step->fill, shades[i], 3);
    step->angle = number_of(step, "angle");
    if (step->kind != VIEW_AFFINE) return true;
    step->right = number_of(step, "right");
    step->down = number_of(step, "down");
    step->scale = number_of(step, "scale");
    step->shear = number_of(step, "shear");
    return true;
}

/* Inside a network a picture is numbers: there gray and blur compute, the other steps mean nothing. */
static Value *step_on_numbers(Environment *env, Span span) {
    const char *name = env->formula->name;
    for (int i = 1; i < env->formula->statement->params.count; i++) {
        const Value *v = parameter(env, param_at(env, i)->name);
        if (v->draw || (!strcmp(param_at(env, i)->name, "chance") && value_bare(v) < 1)) {
            Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, v->span, "only a view draws at random, this is computed from a picture");
            diag_help(d, "write one number");
            return poison(env, span);
        }
    }
    if (!strcmp(name, "gray")) return image_gray(env, span);
    if (!strcmp(name, "blur")) return image_blur(env, span);
    Diagnostic *d = diag_at_call(env, DIAG_wrong_type, "`%s` is a step of a view, here a picture is numbers already", name);
    diag_help(d, "take the step in an augment");
    return poison(env, span);
}

Value *builtin_view_step(Environment *env, Span span) {
    Compilation *c = env->compilation;
    const Value *picture = parameter(env, param_at(env, 0)->name);
    if (picture->kind != VALUE_PICTURE) return step_on_numbers(env, span);
    const View *before = picture->view;
    View *view = arena_new(&c->arena, View);
    *view = *before;
    view->steps.at = NULL, view->steps.count = view->steps.room = 0;
    for (int i = 0; i < before->steps.count; i++) list_add(&c->arena, &view->steps, before->steps.at[i]);
    ViewStep step = {.name = env->formula->name, .formula = env->formula, .span = span};
    if (!parameters_sound(env, &step)) return poison(env, span);
    step.draws = step_draws(&step);
    if (!executed_step(env, before, &step) || !settle_size(env, before, view, &step)) return poison(env, span);
    if (step.draws && !view->random) view->random = true, view->random_span = span;
    if (step.kind == VIEW_LATER && !view->later) view->later = step.name, view->later_span = span;
    list_add(&c->arena, &view->steps, step);
    Value *v = value_new(c, VALUE_PICTURE, span);
    v->view = view;
    return v;
}

/* ---- a whole view ------------------------------------------------------------------------------------------------------------- */

const Value *step_parameter(const ViewStep *step, const char *name) {
    for (int i = 0; i < step->parameters.count; i++)
        if (!strcmp(step->parameters.at[i].name, name)) return step->parameters.at[i].value;
    return NULL;
}

const ViewStep *view_step(const View *view, const char *name) {
    for (int i = 0; i < view->steps.count; i++)
        if (view->steps.at[i].name && !strcmp(view->steps.at[i].name, name)) return &view->steps.at[i];
    return NULL;
}

const ViewStep *view_flip(const View *view, bool another) {
    for (int i = 0; i < view->steps.count; i++) {
        const ViewStep *step = &view->steps.at[i];
        if (step->name && !strcmp(step->name, "flip") && step->kind != VIEW_NOTHING && makes_another(step) == another) return step;
    }
    return NULL;
}

bool view_wants(const View *view, const char *type) {
    for (int i = 0; i < view->roles.count; i++)
        if (!strcmp(view->roles.at[i].type, type)) return true;
    return false;
}

const Stats *view_stats(const View *view) {
    for (int i = view->steps.count - 1; i >= 0; i--)
        if (view->steps.at[i].kind == VIEW_NORMALIZE) return &view->steps.at[i].stats;
    return NULL;
}

const char *view_canonical(Arena *arena, const View *view) {
    static const char *const kinds[] = {[VIEW_FIT] = "fit", [VIEW_STRETCH] = "stretch"};
    const char *text = "view";
    for (int i = 0; i < view->steps.count; i++) {
        const ViewStep *step = &view->steps.at[i];
        switch (step->kind) {
        case VIEW_NORMALIZE:
            text = arena_print(arena, "%s; normalize %.17g %.17g %.17g %.17g %.17g %.17g", text, step->stats.mean[0], step->stats.mean[1], step->stats.mean[2],
                               step->stats.spread[0], step->stats.spread[1], step->stats.spread[2]);
            break;
        case VIEW_FIT:
        case VIEW_STRETCH:
            text = arena_print(arena, "%s; %s %d %d on %d %d %d by %s", text, kinds[step->kind], step->width, step->height, step->fill[0], step->fill[1],
                               step->fill[2], step->filter);
            break;
        default:
            text = arena_print(arena, "%s; %s", text, step->name);
            for (int k = 0; k < step->parameters.count; k++)
                text = arena_print(arena, "%s %s=%s", text, step->parameters.at[k].name, value_canonical(arena, step->parameters.at[k].value));
            break;
        }
    }
    return text;
}

/* The picture and what else the dataset's roles supply stand for themselves. False: diagnosed. */
static bool bind_roles(Compilation *c, Value *formula, View *start, Span span) {
    const Statement *head = formula->decl->statement;
    bool pictured = false;
    for (int i = 0; i < head->params.count; i++) {
        const Param *param = &head->params.at[i];
        bool image = !strcmp(param->type.name, "Image");
        if (param->fallback || argument_of(formula, param->name) || !is_data_type(param->type.name)) continue;
        if ((image && pictured) || (!image && !role_type(param->type.name))) {
            Diagnostic *d = diag(c->jre, DIAG_wrong_type, param->span, image ? "a view has one picture" : "a view is made of a picture and its columns, it has no %s",
                                 param->type.name);
            diag_also(d, span, "used as a view here");
            diag_help(d, "take the parameter out, or give it a default");
            return false;
        }
        Value *v = value_new(c, image ? VALUE_PICTURE : VALUE_ROLE, span);
        v->type = param->type.name;
        v->view = start;
        pictured |= image;
        ViewRole role = {param->type.name, param->name, param->span};
        if (!image) list_add(&c->arena, &start->roles, role);
        Bound data = {param->name, v, span};
        list_add(&c->arena, &formula->bound, data);
    }
    if (pictured) return true;
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, head->name_span, "a view begins with a picture, `%s` takes none", formula->decl->name);
    diag_also(d, span, "used as a view here");
    diag_help(d, "let its first parameter be x: Image");
    return false;
}

View *evaluate_view(Compilation *c, const Choice *choices, Value *augment, Span span) {
    View *start = arena_new(&c->arena, View);
    start->name = augment->text;
    start->decl = augment->decl;
    start->span = span;
    Value *formula = value_new(c, VALUE_FORMULA, span);
    *formula = *augment;
    formula->bound.at = NULL, formula->bound.count = formula->bound.room = 0;
    for (int i = 0; i < augment->bound.count; i++) list_add(&c->arena, &formula->bound, augment->bound.at[i]);
    if (!bind_roles(c, formula, start, span)) return NULL;
    Value *seen = evaluate_call(environment_new(c, augment->decl->scope, choices), formula, NULL, NULL, span, NULL);
    if (seen->kind == VALUE_NONE) return NULL;
    if (seen->kind == VALUE_PICTURE && seen->view->width && seen->view->height) return seen->view;
    bool picture = seen->kind == VALUE_PICTURE;
    Diagnostic *d = diag(c->jre, picture ? DIAG_shape_mismatch : DIAG_wrong_type, span,
                         picture ? "this view does not say how large a picture becomes" : "this view gives no picture, but %s", value_kind_text(seen));
    if (picture && seen->view->least) diag_fact(d, "`resize` makes the shorter side %d pixels long, the longer one differs", seen->view->least);
    const char *sized = picture && seen->view->least ? "end it with: |> center(224px)" : "begin it with: x |> fit(224px)";
    diag_help(d, "%s", picture ? sized : "let its last line be the picture");
    return NULL;
}
