/* views.c: what `builtin` means in views.jre: each step of a view takes the picture so far and adds itself behind it. */
#include "compiler.h"

#include <math.h>
#include <string.h>

static Value *with_step(Environment *env, ViewStep step, Span span) {
    Compilation *c = env->compilation;
    const View *before = parameter(env, "x")->view;
    View *view = arena_new(&c->arena, View);
    view->name = before->name;
    view->span = before->span;
    view->width = step.width ? step.width : before->width;
    view->height = step.height ? step.height : before->height;
    for (int i = 0; i < before->steps.count; i++) list_add(&c->arena, &view->steps, before->steps.at[i]);
    step.span = span;
    list_add(&c->arena, &view->steps, step);
    Value *v = value_new(c, VALUE_PICTURE, span);
    v->view = view;
    return v;
}

static Value *resized(Environment *env, ViewStepKind kind, Span span) {
    static const char *const colors[] = {"white", "black", "gray"};
    static const uint8_t shades[] = {255, 0, 128};
    static const char *const filters[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
    if (!known_word(env, "fill", colors, 3) || !known_word(env, "filter", filters, 6)) return poison(env, span);
    double size = real_parameter(env, "size");
    if (size < 1 || size > 4096 || size != floor(size)) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_broken_condition, parameter(env, "size")->span, "a picture is made 1 to 4096 whole pixels wide");
        diag_help(d, "for instance 224px");
        return poison(env, span);
    }
    ViewStep step = {.kind = kind, .width = (int)size, .height = (int)size, .filter = parameter(env, "filter")->text};
    for (int i = 0; i < 3; i++)
        if (!strcmp(colors[i], parameter(env, "fill")->text)) memset(step.fill, shades[i], 3);
    return with_step(env, step, span);
}
Value *builtin_fit(Environment *env, Span span) { return resized(env, VIEW_FIT, span); }
Value *builtin_stretch(Environment *env, Span span) { return resized(env, VIEW_STRETCH, span); }

Value *builtin_normalize(Environment *env, Span span) {
    const Value *stats = parameter(env, "stats");
    ViewStep step = {.kind = VIEW_NORMALIZE, .stats = stats->stats};
    if (stats->kind == VALUE_WORD && !stats_by_word(stats->text, &step.stats)) {
        Diagnostic *d = diag(env->compilation->jre, DIAG_unknown_name, stats->span, "no statistics of this name");
        diag_help(d, "follow the network: normalize(backbone.stats), or write imagenet, half or clip");
        return poison(env, span);
    }
    return with_step(env, step, span);
}
