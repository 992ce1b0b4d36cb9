/* scores.c: what `builtin` means in scores.jre: how alike two pictures are, and what is asked of results. */
#include "compiler.h"

#include <string.h>

/* ---- scores of embeds ------------------------------------------------------------------------------------------------- */

static Value *of_embed(Environment *env, ScoreKind kind, const char *what, Span span) {
    Compilation *c = env->compilation;
    const Value *v = parameter(env, "e");
    EmbedPlan *embed = plan_of_record(c, v->decl, v->choices);
    if (!embed) return poison(env, span);
    if ((embed->points > 0) != (kind == SCORE_MATCHES)) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, v->span, "`%s` makes %s of a picture", embed->name, embed->points ? "a list of key points" : "one list of numbers, no key points,");
        diag_help(d, embed->points ? "key points are compared by matches(.., by = .., shortlist = ..)" : "one list of numbers is compared by cosine(..)");
        return poison(env, span);
    }
    SimilarityPlan *similarity = similarity_new(c, kind, span);
    similarity->embed = embed;
    similarity->folds = embed->folds;
    similarity->key = key_open(&c->arena, "%s", what);
    key_part(similarity->key, embed->tree);
    return value_similarity(c, similarity, span);
}

Value *builtin_cosine(Environment *env, Span span) {
    Value *v = of_embed(env, SCORE_COSINE, "cosine", span);
    if (v->kind == VALUE_SIMILARITY) key_close(v->similarity->key);
    return v;
}

Value *builtin_gap(Environment *env, Span span) {
    Value *v = of_embed(env, SCORE_GAP, "gap", span);
    if (v->kind == VALUE_SIMILARITY) key_close(v->similarity->key);
    return v;
}

Value *builtin_matches(Environment *env, Span span) {
    Compilation *c = env->compilation;
    Value *v = of_embed(env, SCORE_MATCHES, "matches", span);
    SimilarityPlan *shortlist = similarity_from_value(c, parameter(env, "shortlist"));
    if (v->kind == VALUE_NONE || !shortlist) return poison(env, span);
    SimilarityPlan *similarity = v->similarity;
    similarity->top = (int)real_parameter(env, "top");
    const Bound *chooser = argument_of(env->called, intern(c->jre, "shortlist"));
    similarity->shortlist_span = chooser ? chooser->span : span;
    list_add(&c->arena, &similarity->parts, shortlist);
    key_leaf(similarity->key, "top", span, "%d", similarity->top);
    key_leaf(similarity->key, "by", span, "%s", parameter(env, "by")->text);
    key_part(similarity->key, shortlist->key);
    key_close(similarity->key);
    return folds_meet(c, &similarity->folds, shortlist->folds, span) ? v : poison(env, span);
}

Value *builtin_within_same(Environment *env, Span span) {
    Compilation *c = env->compilation;
    SimilarityPlan *inner = similarity_from_value(c, parameter(env, "score"));
    if (!inner) return poison(env, span);
    SimilarityPlan *similarity = similarity_new(c, SCORE_WITHIN_SAME, span);
    similarity->column = parameter(env, "column")->text;
    similarity->folds = inner->folds;
    similarity->calibrated = inner->calibrated;
    list_add(&c->arena, &similarity->parts, inner);
    similarity->key = key_open(&c->arena, "within_same");
    key_leaf(similarity->key, "column", span, "%s", similarity->column);
    key_part(similarity->key, inner->key);
    key_close(similarity->key);
    return value_similarity(c, similarity, span);
}

/* ---- questions about results --------------------------------------------------------------------------------------------- */

/* chance(cv) is another way to write cv.chance. */
Value *builtin_chance(Environment *env, Span span) {
    Expr evaluation = {.kind = EXPR_NAME, .span = span, .name = intern(env->compilation->jre, "cv")};
    Expr field = {.kind = EXPR_FIELD, .span = span, .focus = span, .name = intern(env->compilation->jre, "chance"), .target = &evaluation};
    return evaluate(env, &field);
}

Value *builtin_best(Environment *env, Span span) {
    Compilation *c = env->compilation;
    const Value *of = parameter(env, "cv"), *by = parameter(env, "by");
    static const char *const known[] = {"map", "rank1", "rank5", "low", "high"};
    if (!known_word(env, "by", known, 5)) return poison(env, span);
    Value *v = value_new(c, VALUE_RECORD, span);
    *v = *of;
    v->span = span;
    v->best_by = by->text;
    return v;
}

/* Shown after the run; every item must be an evaluation. */
Value *builtin_compare(Environment *env, Span span) {
    const Value *of = parameter(env, "scores");
    for (int i = 0; i < of->items.count; i++) {
        const Value *item = of->items.at[i];
        if (item->kind == VALUE_RECORD && item->decl->record == KIND_evaluate) continue;
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, item->span, "evaluations are compared, this is %s", value_kind_text(item));
        diag_help(d, "for instance: compare([v01.cv, cv])");
        return poison(env, span);
    }
    plan_later(env->compilation, "comparisons with a paired test", "compare", span);
    return value_new(env->compilation, VALUE_TABLE, span);
}

Value *builtin_importance(Environment *env, Span span) {
    const Value *judge = parameter(env, "judge");
    return plan_of_record(env->compilation, judge->decl, judge->choices) ? value_new(env->compilation, VALUE_TABLE, span) : poison(env, span);
}
