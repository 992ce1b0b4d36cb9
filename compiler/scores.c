/* scores.c: what `builtin` means in scores.jre: how alike two pictures are, and what is asked of results. */
#include "compiler.h"

Value *builtin_cosine(Environment *env, Span span) {
    Value *v = value_new(env->compilation, VALUE_SIMILARITY, span);
    v->decl = parameter(env, "e")->decl;
    return v;
}

/* chance(cv) is another way to write cv.chance. */
Value *builtin_chance(Environment *env, Span span) {
    Expr evaluation = {.kind = EXPR_NAME, .span = span, .name = intern(env->compilation->jre, "cv")};
    Expr field = {.kind = EXPR_FIELD, .span = span, .focus = span, .name = intern(env->compilation->jre, "chance"), .target = &evaluation};
    return evaluate(env, &field);
}
