/* settings.c: the value of a setting, held against its type in schema.def.
 *
 *   epochs  30                                     a number within a range
 *   pattern asymmetric                             one word of a few
 *   batches balanced(identities = 16, images = 4)  a word of places.def with its arguments
 *   only    width >= 50px                          a condition (conditions.c)
 *
 * A setting is read once for each combination of choices, so each mistake is told once. Where a word is wanted a bare name is looked up among
 * the words of that place first; then an equation may stand for what it names, so `each` works on every setting. */
#include "compiler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 1000 };               /* equations that stand for equations */

typedef Value *Read(Environment *env, const Wanted *wanted, const Expr *e);

/* ---- what is refused --------------------------------------------------------------------------------------------------- */

/* Told where the value is used, and where it was written; once, however many places want the same of it: NULL from then on. */
static Diagnostic *refusal(Environment *env, const Wanted *wanted, const Expr *e, const Value *found, const char *expected) {
    Compilation *c = env->compilation;
    const bool through = wanted->used.end, elsewhere = through || (found && found->span.end && !span_holds(e->span, found->span));
    const Span use = through ? wanted->used : e->span, written = found && found->span.end ? found->span : e->span;
    const char *mark = arena_print(&c->arena, "%u is no %s", written.start, wanted->type);
    if (elsewhere && map_get(&c->unknown_names, mark)) return NULL;
    if (elsewhere) map_set(&c->unknown_names, &c->arena, mark, c);
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, use, found && !elsewhere ? "%s was expected, this is %s" : "%s was expected", expected, found ? value_kind_text(found) : "");
    const char *is = found ? value_kind_text(found) : e->kind == EXPR_NUMBER ? "a number" : "something else";
    if (elsewhere) diag_also(d, written, "this is %s", is);
    return d;
}

static Value *refuse(Environment *env, const Wanted *wanted, const Expr *e, const Value *found, const char *expected) {
    Diagnostic *d = refusal(env, wanted, e, found, expected);
    if (d) diag_help(d, wanted->argument ? "for instance: %s = %s" : "for instance: %s %s", wanted->key, wanted->example);
    return poison(env, e->span);
}

static void known_are(Compilation *c, Diagnostic *d, const NameList *names) {
    const char *known = "";
    for (int i = 0; i < names->count; i++) known = arena_print(&c->arena, "%s %s", known, names->at[i]);
    diag_fact(d, "known are:%s", known);
}

/* ---- texts --------------------------------------------------------------------------------------------------------------- */

static Value *text_value(Environment *env, const char *text, Span span) {
    Value *v = value_new(env->compilation, VALUE_TEXT, span);
    v->text = intern(env->compilation->jre, text);
    return v;
}

static Value *read_text(Environment *env, const Wanted *wanted, const Expr *e) {
    if (e->kind == EXPR_TEXT) return text_value(env, e->name, e->span);
    if (e->kind != EXPR_NAME || scope_find(env->scope, e->name)) {
        Value *v = evaluate(env, e);
        return v->kind == VALUE_NONE || v->kind == VALUE_TEXT ? v : refuse(env, wanted, e, v, "a text in quotes");
    }
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->span, "a text in quotes was expected");
    diag_help(d, "put it in quotes");
    diag_edit(d, e->span, !may_mean_a_name(env->compilation, env->scope, e->name), "\"%s\"", e->name);
    return poison(env, e->span);
}

/* Braces in pairs, with something in them. */
static Value *read_template(Environment *env, const Wanted *wanted, const Expr *e) {
    Value *v = read_text(env, wanted, e);
    if (v->kind == VALUE_NONE) return v;
    for (const char *at = v->text; *(at += strcspn(at, "{}")); at++) {
        size_t inside = *at == '{' ? strcspn(at + 1, "{}") : 0;
        if (inside && at[inside + 1] == '}') {
            at += inside + 1;
            continue;
        }
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, v->span, *at == '}' ? "a `}` without its `{`" : at[1] == '}' ? "no name stands in these braces" : "a `{` without its `}`");
        diag_help(d, "for instance: %s %s", wanted->key, wanted->example);
        return poison(env, e->span);
    }
    return v;
}

bool column_alone(const char *text, size_t *length) {
    *length = strlen(text);
    return *length > 2 && text[0] == '{' && text[*length - 1] == '}' && strcspn(text + 1, "{}") == *length - 2;
}

/* "{column}" alone is that column; as an argument a bare name is a role or a column. */
static Value *read_column(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    size_t length;
    if (wanted->argument) return column_value(env, wanted, e);
    if (e->kind == EXPR_TEXT && column_alone(e->name, &length)) return text_value(env, arena_copy(&c->arena, e->name + 1, length - 2), e->span);
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, "one column of the table was expected");
    const char *name = e->kind == EXPR_NAME || (e->kind == EXPR_TEXT && !strpbrk(e->name, "{}/") && *e->name) ? e->name : NULL;
    const NameList *columns = name && env->record && env->record->record == KIND_dataset ? table_columns(c, env->record, env->choices) : NULL;
    if (columns) {
        const char *known = "";
        bool there = false;
        for (int i = 0; i < columns->count; i++) {
            known = arena_print(&c->arena, "%s %s", known, columns->at[i]);
            there |= !strcmp(columns->at[i], name);
        }
        diag_fact(d, "its columns are:%s", columns->count ? known : " none");
        if (!there) name = nearest_name(name, columns->at, columns->count);
    }
    diag_help(d, columns && !name ? "name one of these in braces%s" : "write its name in braces%s", name || columns ? "" : ": \"{ground_truth}\"");
    if (name) diag_edit(d, e->span, false, "\"{%s}\"", name);
    return poison(env, e->span);
}

static Value *word_value(Environment *env, const char *word, Span span) {
    Value *v = value_new(env->compilation, VALUE_WORD, span);
    v->text = intern(env->compilation->jre, word);
    return v;
}

static Value *read_mask(Environment *env, const Wanted *wanted, const Expr *e) {
    bool alpha = e->kind == EXPR_NAME && !strcmp(e->name, "alpha");
    return alpha ? word_value(env, e->name, e->span) : read_template(env, wanted, e);
}

/* ---- words, with and without arguments -------------------------------------------------------------------------------------- */

static void words_of(Compilation *c, const char *allowed, NameList *words) {
    for (const char *at = allowed; *at;) {
        size_t length = strcspn(at, " ");
        list_add(&c->arena, words, intern_length(c->jre, at, length));
        at += length + (at[length] == ' ');
    }
}

static Value *read_word(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    NameList words = {0};
    words_of(c, wanted->allowed, &words);
    const char *known = "";
    for (int i = 0; i < words.count; i++) {
        if (e->kind == EXPR_NAME && e->name == words.at[i]) return word_value(env, e->name, e->span);
        known = arena_print(&c->arena, "%s%s%s", known, i ? ", " : "", words.at[i]);
    }
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, words.count > 1 ? "`%s` is one of: %s" : "`%s` is: %s", wanted->key, known);
    if (e->kind != EXPR_NAME || !diag_did_you_mean(d, e->span, e->name, &words, true)) diag_help(d, "for instance `%s`", words.at[0]);
    return poison(env, e->span);
}

/* The head of a row of places.def, read by the language's own parser. */
Decl *option_decl(Compilation *c, const PlaceWord *row) {
    if (!c->options) c->options = arena_array(&c->arena, Decl *, place_word_count);
    Decl **known = &c->options[row - place_words];
    if (*known) return *known;
    const char *text = arena_print(&c->arena, "function %s%s -> %s%s%s { builtin }", row->word, row->parameters, row->type, *row->where ? " where " : "", row->where);
    Chunk *chunk = parse_chunk(c->jre, source_from_text(c->jre, arena_print(&c->arena, "the word %s", row->word), text, strlen(text)));
    const Statement *head = chunk->statements.at[0];
    Decl *decl = arena_new(&c->arena, Decl);
    *decl = (Decl){.name = head->name, .kind = STATEMENT_FORMULA, .statement = head, .scope = c->scope, .record = KIND_NONE, .library = true};
    return *known = decl;
}

/* The key whose place has this word, if it is another one: `schedule adamw(..)`. */
static const char *key_with_word(const char *word) {
    for (int i = 0; i < schema_key_count; i++)
        if (place_word(schema_keys[i].type, word)) return schema_keys[i].name;
    return NULL;
}

static Value *no_such_word(Environment *env, const PlaceRow *place, const Expr *callee) {
    Compilation *c = env->compilation;
    NameList words = {0};
    for (int i = 0; i < place_word_count; i++)
        if (!strcmp(place_words[i].type, place->type)) list_add(&c->arena, &words, place_words[i].word);
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, callee->span, "no %s is called so", place->noun);
    known_are(c, d, &words);
    if (diag_did_you_mean(d, callee->span, callee->name, &words, true)) return poison(env, callee->span);
    const bool burst = !strcmp(place->type, "Burst") && env->record && env->record->record == KIND_dataset;
    const NameList *columns = burst ? table_columns(c, env->record, env->choices) : NULL;
    for (int i = 0; columns && i < columns->count; i++) {
        if (strcmp(columns->at[i], callee->name) != 0) continue;
        diag_help(d, "a column of that name stands in braces");
        diag_edit(d, callee->span, false, "\"{%s}\"", callee->name);
        return poison(env, callee->span);
    }
    const char *key = key_with_word(callee->name);
    if (key) diag_note(d, "`%s` is a word of `%s`", callee->name, key);
    diag_help(d, "write one of these");
    return poison(env, callee->span);
}

static Value *read_option(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    const PlaceRow *place = place_find(wanted->type);
    const Expr *callee = e->kind == EXPR_CALL ? e->target : e;
    if (callee->kind != EXPR_NAME) return refuse(env, wanted, e, NULL, arena_print(&c->arena, "a %s", place->noun));
    const PlaceWord *row = place_word(wanted->type, callee->name);
    if (!row) return no_such_word(env, place, callee);
    Value *option = value_new(c, VALUE_OPTION, e->span);
    option->text = callee->name;
    option->type = row->type;
    option->decl = option_decl(c, row);
    return bind_option(env, option, e->kind == EXPR_CALL ? &e->arguments : NULL, e->span) ? option : poison(env, e->span);
}

Value *option_argument(const Value *option, const char *name) {
    for (int i = 0; i < option->bound.count; i++)
        if (!strcmp(option->bound.at[i].name, name)) return option->bound.at[i].value;
    return NULL;
}

static Value *read_burst(Environment *env, const Wanted *wanted, const Expr *e) {
    return e->kind == EXPR_TEXT ? read_column(env, wanted, e) : read_option(env, wanted, e);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------------ */

static const char *number_text(Compilation *c, const char *type, double number) {
    bool share = !strcmp(type, "Share");
    return arena_print(&c->arena, "%.15g%s", share ? 100 * number : number, share ? "%" : !strcmp(type, "Length") ? "px" : "");
}

/* 1..100, or with an end that is left out: >0..1, 0..<1. */
typedef struct { double low, high; bool above, below; } Allowed;

static Allowed allowed_numbers(const char *range) {
    const char *to = strstr(range, "..");
    if (!to) return (Allowed){.low = -1e300, .high = 1e300};
    Allowed a = {.above = *range == '>', .below = to[2] == '<'};
    a.low = strtod(range + a.above, NULL);
    a.high = strtod(to + 2 + a.below, NULL);
    return a;
}

static bool is_allowed(const Allowed *a, double number, bool whole) {
    const bool low = a->above ? number > a->low : number >= a->low, high = a->below ? number < a->high : number <= a->high;
    return low && high && (!whole || number == floor(number));
}

static const char *allowed_text(Compilation *c, const Wanted *wanted, const Allowed *a, const char *noun) {
    const char *low = number_text(c, wanted->type, a->low), *high = number_text(c, wanted->type, a->high);
    if (a->above) return arena_print(&c->arena, "%s above %s, up to %s,", noun, low, high);
    return arena_print(&c->arena, a->below ? "%s from %s to below %s" : "%s from %s to %s", noun, low, high);
}

/* Told with what was probably meant: the number without its minus, as a percentage, or else the example. */
static Value *out_of_range(Environment *env, const Wanted *wanted, const Expr *e, const Value *v, const Allowed *a, const char *noun) {
    Compilation *c = env->compilation;
    const bool whole = !strcmp(wanted->type, "Int"), share = !strcmp(wanted->type, "Share") && !v->unit;
    const double number = value_bare(v);
    const char *meant = NULL, *example = wanted->example;
    if (number < 0 && is_allowed(a, -number, whole)) meant = number_text(c, wanted->type, -number);
    else if (share && is_allowed(a, number / 100, false)) meant = number_text(c, wanted->type, number / 100);
    Diagnostic *d = refusal(env, wanted, e, NULL, noun);
    if (!d) return poison(env, e->span);
    if (meant) diag_help(d, "did you mean %s?", meant);
    else diag_help(d, "for instance: %s %s", wanted->key, example);
    if (!meant && *example >= '0' && *example <= '9') meant = example;
    if (meant && is_literal(c->jre, v)) diag_edit(d, v->span, false, "%s", meant);
    return poison(env, e->span);
}

static Value *read_number(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    bool before = env->sizes, whole = !strcmp(wanted->type, "Int");
    env->sizes = whole;
    Value *v = evaluate(env, e);
    env->sizes = before;
    if (v->kind == VALUE_NONE) return v;
    const Allowed allowed = allowed_numbers(wanted->allowed);
    const char *noun = whole ? "a whole number" : !strcmp(wanted->type, "Share") ? "a share" : !strcmp(wanted->type, "Length") ? "a length" : "a number";
    if (*wanted->allowed) noun = allowed_text(c, wanted, &allowed, noun);
    if (v->kind != VALUE_NUMBER || v->batch) return refuse(env, wanted, e, v, noun);
    if (!number_fits(v, wanted->type) && (v->unit || !whole)) {
        wrong_unit(c, wanted->type, wanted->key, wanted->of, v, e->span);
        return poison(env, e->span);
    }
    return is_allowed(&allowed, value_bare(v), whole) ? v : out_of_range(env, wanted, e, v, &allowed, noun);
}

/* ---- lists --------------------------------------------------------------------------------------------------------------------- */

/* Each item of a list as written, read as `item`; a name in front of one (train = 90%) is its `text`. */
static Value *read_items(Environment *env, const Wanted *wanted, const Expr *e, const Wanted *item, const char *expected) {
    Value *list = value_new(env->compilation, VALUE_LIST, e->span);
    if (e->kind != EXPR_LIST) return refuse(env, wanted, e, NULL, expected);
    for (int i = 0; i < e->arguments.count; i++) {
        const Argument *argument = &e->arguments.at[i];
        Value *v = typed_value(env, item, argument->value);
        if (v->kind == VALUE_NONE) list->kind = VALUE_NONE;                     /* the others are read all the same */
        if (v->kind == VALUE_NUMBER) {
            Value *named = value_new(env->compilation, VALUE_NUMBER, v->span);
            *named = *v;
            named->text = argument->name;
            v = named;
        } else if (argument->name && v->kind != VALUE_NONE) {
            Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, argument->name_span, "what stands in `%s` has no names", wanted->key);
            diag_help(d, "take `%s =` out", argument->name);
            list->kind = VALUE_NONE;
        }
        list_add(&env->compilation->arena, &list->items, v);
    }
    return list->kind == VALUE_NONE ? poison(env, e->span) : list;
}

static Wanted item_of(const Wanted *wanted, const char *type, const char *allowed, const char *example) {
    Wanted item = *wanted;
    item.type = type, item.allowed = allowed, item.example = example;
    return item;
}

static Value *read_metrics(Environment *env, const Wanted *wanted, const Expr *e) {
    const Wanted item = item_of(wanted, "Metric", "", "[map, rank1]");
    return read_items(env, wanted, e, &item, "a list");
}

static Value *read_similarities(Environment *env, const Wanted *wanted, const Expr *e) {
    const Wanted item = item_of(wanted, "Similarity", "", "[cosine(features)]");
    return read_items(env, wanted, e, &item, "a list of similarities");
}

static Value *read_evaluations(Environment *env, const Wanted *wanted, const Expr *e) {
    const Wanted item = item_of(wanted, "Evaluate", "", "[cv]");
    return read_items(env, wanted, e, &item, "a list of evaluations");
}

/* [sex, "{camera-id}"]: columns to carry along. */
static Value *read_names(Environment *env, const Wanted *wanted, const Expr *e) {
    Wanted item = item_of(wanted, "Column", "", "[sex]");
    item.argument = true;
    Value *list = read_items(env, wanted, e, &item, "a list of columns");
    for (int i = 0; i < list->items.count; i++) list->items.at[i] = text_value(env, list->items.at[i]->text, list->items.at[i]->span);
    return list;
}

/* [head = 1e-3, backbone = 1e-5]: parts of the network by their names. */
static Value *read_rates(Environment *env, const Wanted *wanted, const Expr *e) {
    const Wanted item = item_of(wanted, "Real", "0..1e6", "[backbone = 1e-5]");
    Value *list = read_items(env, wanted, e, &item, "a list of rates");
    for (int i = 0; i < list->items.count; i++) {
        if (list->items.at[i]->text) continue;
        Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_argument, list->items.at[i]->span, "nobody says which part of the network this rate is for");
        diag_help(d, "name it: backbone = 1e-5");
        return poison(env, e->span);
    }
    return list;
}

static Value *read_weights(Environment *env, const Wanted *wanted, const Expr *e) {
    const Wanted item = item_of(wanted, "Real", "0..1e6", "[0.6, 0.4]");
    return e->kind == EXPR_LIST ? read_items(env, wanted, e, &item, "a list of numbers") : read_option(env, wanted, e);
}

static bool name_shares(Environment *env, Value *list, Span span) {
    static const char *const two[] = {"train", "test"}, *const three[] = {"train", "validate", "test"};
    Compilation *c = env->compilation;
    int named = 0;
    for (int i = 0; i < list->items.count; i++) {
        named += list->items.at[i]->text != NULL;
        for (int k = 0; k < i; k++) {
            if (!list->items.at[i]->text || list->items.at[k]->text != list->items.at[i]->text) continue;
            Diagnostic *d = diag(c->jre, DIAG_already_named, list->items.at[i]->span, "a second part is called `%s`", list->items.at[i]->text);
            diag_also(d, list->items.at[k]->span, "here first");
            diag_help(d, "choose another name");
            return false;
        }
    }
    if (named == list->items.count) return true;
    const char *const *names = list->items.count == 2 ? two : list->items.count == 3 ? three : NULL;
    for (int i = 0; names && !named && i < list->items.count; i++) list->items.at[i]->text = intern(c->jre, names[i]);
    if (names && !named) return true;
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, span, named ? "some of these parts have no name" : "these parts have no names");
    diag_note(d, "two parts without names are `train` and `test`, three are `train`, `validate` and `test`");
    diag_help(d, "name each: [train = 90%%, validate = 10%%]");
    return false;
}

static Value *read_shares(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    const Wanted item = item_of(wanted, "Share", "0..1", "[80%, 20%]");
    Value *list = read_items(env, wanted, e, &item, "a list of shares");
    if (list->kind == VALUE_NONE) return list;
    double sum = 0;
    for (int i = 0; i < list->items.count; i++) sum += value_bare(list->items.at[i]);
    if (list->items.count < 2) return refuse(env, wanted, e, NULL, "a list of at least two shares");
    if (fabs(sum - 1) > 1e-9) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, "these shares add up to %.6g%%", 100 * sum);
        diag_help(d, "let them add up to 100%%");
        return poison(env, e->span);
    }
    return name_shares(env, list, e->span) ? list : poison(env, e->span);
}

/* ---- what is declared elsewhere --------------------------------------------------------------------------------------------------- */

static Value *read_part(Environment *env, const Wanted *wanted, const Expr *e) {
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_NONE || v->kind == VALUE_PART || (v->kind == VALUE_RECORD && v->decl->record == KIND_dataset)) return v;
    if (v->kind != VALUE_RECORD || v->decl->record != KIND_split) return refuse(env, wanted, e, v, "a dataset or a part of a split");
    Diagnostic *d = diag(env->compilation->jre, DIAG_wrong_type, e->span, "which part of `%s`?", v->decl->name);
    diag_help(d, "for instance: %s.train", v->decl->name);
    return poison(env, e->span);
}

/* A function of one Image serves as a network. */
static bool of_one_image(const Value *v) {
    const Statement *s = v->decl->statement;
    int images = 0, others = 0;
    for (int i = 0; i < s->params.count; i++) {
        const Param *param = &s->params.at[i];
        if (!is_data_type(param->type.name) || param->fallback) continue;
        if (!strcmp(param->type.name, "Image")) images++;
        else others++;
    }
    return s->formula == FORMULA_function && images == 1 && !others;
}

static Value *read_network(Environment *env, const Wanted *wanted, const Expr *e) {
    Value *v = evaluate(env, e);
    bool formula = v->kind == VALUE_FORMULA && (v->decl->statement->formula == FORMULA_network || of_one_image(v));
    if (v->kind == VALUE_NONE || formula || (v->kind == VALUE_RECORD && v->decl->record == KIND_train)) return v;
    return refuse(env, wanted, e, v, "a network");
}

static Value *read_loss(Environment *env, const Wanted *wanted, const Expr *e) {
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_NONE || (v->kind == VALUE_FORMULA && v->decl->statement->formula == FORMULA_loss)) return v;
    return refuse(env, wanted, e, v, "a loss");
}

static bool is_augment(const Value *v) { return v->kind == VALUE_FORMULA && v->decl->statement->formula == FORMULA_augment; }

static Value *read_views(Environment *env, const Wanted *wanted, const Expr *e) {
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_NONE || is_augment(v)) return v;
    if (v->kind != VALUE_LIST || !v->items.count) return refuse(env, wanted, e, v, "an augment, or a list of them");
    for (int i = 0; i < v->items.count; i++)
        if (!is_augment(v->items.at[i])) return refuse(env, wanted, e, v->items.at[i], "an augment");
    return v;
}

/* The differences of two embeddings, number by number, with whatever was done to them; NULL: a score. */
static const SimilarityPlan *gap_in(Compilation *c, const SimilarityPlan *s, Seen *seen) {
    const SimilarityPlan *found = s->kind == SCORE_GAP ? s : NULL;
    c->steps++;
    if (s->kind == SCORE_MATCHES || !seen_first(seen, &c->arena, s)) return found;
    for (int i = 0; i < s->parts.count && !found; i++) found = gap_in(c, s->parts.at[i], seen);
    return found;
}

static Value *read_similarity(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    Value *v = evaluate(env, e);
    Seen seen = {0};
    const SimilarityPlan *gap = v->kind == VALUE_SIMILARITY && strcmp(wanted->key, "evidence") != 0 ? gap_in(c, v->similarity, &seen) : NULL;
    if (gap) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, gap->span, "these are as many numbers as an embedding has; a score is one");
        diag_note(d, "`gap` is evidence, from which a `boost` learns to judge pairs");
        diag_help(d, "to compare embeddings as they are, take their cosine");
        const char *text = span_text(c->jre, gap->span);
        if (!strncmp(text, "gap(", 4)) diag_edit(d, gap->span, false, "cosine(%s", text + 4);
        return poison(env, e->span);
    }
    return v->kind == VALUE_NONE || is_score(v) ? v : refuse(env, wanted, e, v, "a similarity");
}

static Value *read_record(Environment *env, const Wanted *wanted, const Expr *e) {
    RecordKind kind = wanted->type[0] == 'T' ? KIND_train : KIND_evaluate;
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_NONE || (v->kind == VALUE_RECORD && v->decl->record == kind)) return v;
    return refuse(env, wanted, e, v, kind == KIND_train ? "a `train`" : "an `evaluate`");
}

/* A file of weights, or the weights of another training. */
static Value *read_start(Environment *env, const Wanted *wanted, const Expr *e) {
    Value *v = evaluate(env, e);
    if (v->kind == VALUE_NONE || v->kind == VALUE_TEXT || (v->kind == VALUE_RECORD && v->decl->record == KIND_train)) return v;
    return refuse(env, wanted, e, v, "a file of weights, or a `train`");
}

static Value *read_condition(Environment *env, const Wanted *wanted, const Expr *e) { return condition_value(env, wanted, e); }

/* ---- the table of types ---------------------------------------------------------------------------------------------------------------- */

/* as_written: an equation stands for its own text, whose words would mean nothing elsewhere. */
typedef struct { const char *type; bool as_written; Read *read; const char *example; } Reader;
static const Reader readers[] = {
    {"Text", false, read_text, "\"words\""}, {"Path", false, read_text, "\"table.csv\""}, {"Folder", false, read_text, "\"folder\""},
    {"Template", false, read_template, "\"{column}\""}, {"Mask", true, read_mask, "\"{mask}\""}, {"Column", true, read_column, "identity"},
    {"Word", true, read_word, ""}, {"Burst", true, read_burst, ""}, {"Names", true, read_names, ""},
    {"Int", false, read_number, "3"}, {"Real", false, read_number, "0.5"}, {"Share", false, read_number, "10%"}, {"Length", false, read_number, "224px"},
    {"Shares", true, read_shares, ""}, {"Rates", true, read_rates, ""}, {"Weights", true, read_weights, ""}, {"Metrics", true, read_metrics, ""},
    {"Similarities", true, read_similarities, ""}, {"Evaluations", true, read_evaluations, "[cv]"},
    {"Dataset", false, read_part, ""}, {"Part", false, read_part, "folds.train"}, {"Network", false, read_network, ""}, {"Loss", false, read_loss, ""},
    {"Views", false, read_views, ""}, {"Similarity", false, read_similarity, ""}, {"Pretrained", false, read_start, ""}, {"Train", false, read_record, "learner"},
    {"Evaluate", false, read_record, "cv"}, {"Condition", false, read_condition, ""}, {"PairCondition", false, read_condition, ""},
};

static const Reader *reader_of(const char *type) {
    static const Reader option = {"", true, read_option, ""};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!strcmp(readers[i].type, type)) return &readers[i];
    return place_find(type) ? &option : NULL;
}

bool place_type(const char *type) {
    static const char *const types[] = {"Column", "Part", "Train", "Evaluations"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i], type)) return true;
    return place_find(type) != NULL;
}

bool word_comes_first(Compilation *c, const char *type, const char *allowed, const char *name) {
    NameList words = {0};
    if (word_type(type)) words_of(c, allowed, &words);
    for (int i = 0; i < words.count; i++)
        if (!strcmp(words.at[i], name)) return true;
    if (!strcmp(type, "Mask")) return !strcmp(name, "alpha");
    return place_word(type, name) != NULL;
}

/* What an equation is written as, read in this place. */
static Value *through_equation(Environment *env, const Wanted *wanted, const Expr *name, Decl *decl) {
    const Expr *e = decl->value;
    int index = decl->each ? choice_of(env->choices, decl) : 0;
    if (decl->state || env->compilation->nested > MOST_NAMES || index < 0 || (decl->each && index >= e->arguments.count)) return evaluate(env, name);        /* made of itself, too deep or undecided: told there */
    Environment *own = environment_new(env->compilation, decl->scope, env->choices);
    own->record = env->record;
    decl->state = 1;
    env->compilation->nested++;
    Wanted inside = *wanted;
    if (!inside.used.end) inside.used = name->span;
    Value *v = typed_value(own, &inside, decl->each ? e->arguments.at[index].value : e);
    env->compilation->nested--;
    decl->state = 0;
    decl->last = v;                                                /* it has been read: its words mean nothing outside this place */
    decl->last_choices = env->choices;
    return v;
}

Value *typed_value(Environment *env, const Wanted *wanted, const Expr *e) {
    const Reader *reader = reader_of(wanted->type);
    if (!reader) return evaluate(env, e);
    Wanted own = *wanted;
    if (!own.allowed) own.allowed = "";
    if (!own.example) own.example = reader->example;
    if (e->kind == EXPR_NAME && reader->as_written && !(own.argument && !strcmp(own.type, "Column")) && !word_comes_first(env->compilation, own.type, own.allowed, e->name)) {
        Value *given = map_get(&env->values, e->name);
        if (given) return given;                                   /* a parameter of the formula around */
        Decl *decl = scope_find(env->scope, e->name);
        if (decl && decl->kind == STATEMENT_EQUATION && decl->value) return through_equation(env, &own, e, decl);
    }
    return reader->read(env, &own, e);
}

/* ---- settings --------------------------------------------------------------------------------------------------------------------------- */

static const Setting *setting_of(const Decl *decl, const char *key) {
    for (int i = 0; i < decl->settings.count; i++)
        if (!strcmp(decl->settings.at[i].key, key)) return &decl->settings.at[i];
    return NULL;
}

static const Expr *default_of(Compilation *c, const SchemaKey *row) {
    if (!*row->fallback) return NULL;
    const char *mark = arena_print(&c->arena, "default of %s.%s", kind_name(row->kind), row->name);
    const Expr *known = map_get(&c->setting_values, mark);
    if (known) return known;
    Chunk *chunk = parse_chunk(c->jre, source_from_text(c->jre, mark, row->fallback, strlen(row->fallback)));
    map_set(&c->setting_values, &c->arena, mark, chunk->statements.at[0]->value);
    return chunk->statements.at[0]->value;
}

static Value *read_setting(Compilation *c, const Decl *decl, const SchemaKey *row, const Setting *s, const Choice *choices) {
    const Expr *e = s ? s->value : default_of(c, row);
    if (!e) return s ? value_new(c, VALUE_NONE, s->span) : NULL;   /* without its value: told when it was read */
    const Wanted wanted = {.type = row->type, .allowed = row->allowed, .key = row->name, .of = kind_name(row->kind), .example = schema_example(row)};
    Environment *env = environment_new(c, decl->scope, choices);
    env->record = decl;
    Value *v = typed_value(env, &wanted, e);
    if (s || v->kind == VALUE_NONE) return v;
    Value *own = value_new(c, v->kind, v->span);
    *own = *v;
    own->span = decl->statement->name_span;
    return own;
}

Value *setting_value(Compilation *c, const Decl *decl, const char *key, const Choice *choices) {
    const SchemaKey *row = schema_find(decl->record, key);
    if (!row) return NULL;
    const char *mark = arena_print(&c->arena, "%p.%s", (const void *)decl, key);
    for (const Choice *choice = choices; choice; choice = choice->next) mark = arena_print(&c->arena, "%s %p %d", mark, (const void *)choice->axis, choice->index);
    Value *known = c->results ? NULL : map_get(&c->setting_values, mark);
    if (known) return known;
    Value *v = read_setting(c, decl, row, setting_of(decl, key), choices);
    if (v && !c->results) map_set(&c->setting_values, &c->arena, mark, v);
    return v;
}

Span setting_span(const Decl *decl, const char *key) {
    for (int i = 0; i < decl->settings.count; i++)
        if (!strcmp(decl->settings.at[i].key, key) && decl->settings.at[i].value) return decl->settings.at[i].value->span;
    return decl->statement->name_span;
}
