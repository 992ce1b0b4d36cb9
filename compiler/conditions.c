/* conditions.c: what is asked of pictures and of pairs, and the names that may stand there.
 *
 *   only    width >= 50px and sex != "unknown"     of each row of a dataset
 *   gallery not same(burst) and same(flank)        of a query and a candidate
 *
 * A name is a role (identity, flank, ...), else width or height of the picture file, else a column: never an equation. Within a dataset
 * its table is asked for the column; elsewhere the dataset must have kept it. */
#include "compiler.h"

#include <string.h>

static const char *const roles[] = {"identity", "flank", "burst", "label", "mask", "taken"};
enum { ROLES = (int)(sizeof roles / sizeof *roles), MOST_SPLITS = 100 };       /* splits of splits of splits */

typedef struct { Environment *env; const Wanted *wanted; bool pairs; } Test;

/* ---- the dataset behind a record ------------------------------------------------------------------------------------------ */

static const Decl *dataset_behind(Compilation *c, const Decl *decl, const Choice *choices) {
    static const char *const keys[KIND_COUNT] = {
        [KIND_split] = "data", [KIND_train] = "data", [KIND_boost] = "fit_on", [KIND_ensemble] = "fit_on",
        [KIND_evaluate] = "on", [KIND_figure] = "on", [KIND_submit] = "on",
    };
    for (int i = 0; decl && decl->record != KIND_NONE && i < MOST_SPLITS; i++) {
        if (decl->record == KIND_dataset) return decl->poisoned ? NULL : decl;
        const Value *data = keys[decl->record] ? setting_value(c, decl, keys[decl->record], choices) : NULL;
        decl = data && (data->kind == VALUE_RECORD || data->kind == VALUE_PART) ? data->decl : NULL;
    }
    return NULL;
}

/* Of an evaluation, where the candidates come from another; else NULL. */
static const Decl *candidates_behind(Compilation *c, const Decl *decl, const Choice *choices) {
    const Value *against = decl->record == KIND_evaluate ? setting_value(c, decl, "against", choices) : NULL;
    return against && (against->kind == VALUE_RECORD || against->kind == VALUE_PART) ? dataset_behind(c, against->decl, choices) : NULL;
}

const char *path_as_written(Compilation *c, Span written, const char *path) {
    const Source *source = source_of(c->jre, written);
    if (path[0] == '/' || !source || !strcmp(source->folder, ".")) return path;
    return arena_print(&c->arena, "%s/%s", source->folder, path);
}

/* Without a table, names in braces are read from paths: they are all the columns there are. */
static const NameList *path_columns(Compilation *c, const Value *image) {
    NameList *names = arena_new(&c->arena, NameList);
    for (const char *at = image->text, *close; (at = strchr(at, '{')) && (close = strchr(at, '}')); at = close)
        list_add(&c->arena, names, intern_length(c->jre, at + 1, (size_t)(close - at - 1)));
    return names;
}

const NameList *table_columns(Compilation *c, const Decl *dataset, const Choice *choices) {
    const Value *table = setting_value(c, dataset, "table", choices), *root = setting_value(c, dataset, "root", choices), *image = setting_value(c, dataset, "image", choices);
    if (!table && image && image->kind == VALUE_TEXT) return path_columns(c, image);
    if (!c->with_data || !c->facts.table || !table || table->kind != VALUE_TEXT || (root && root->kind != VALUE_TEXT)) return NULL;
    const Source *source = source_of(c->jre, dataset->statement->span);
    const char *folder = root ? path_as_written(c, root->span, root->text) : source ? source->folder : ".";
    const TableFacts *facts = c->facts.table(c->facts.context, path_in_root(c, folder, table->text), table->span);
    return facts ? &facts->columns : NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

static bool is_role(const char *name) {
    for (int i = 0; i < ROLES; i++)
        if (!strcmp(roles[i], name)) return true;
    return false;
}

static bool among(const NameList *names, const char *name) {
    for (int i = 0; names && i < names->count; i++)
        if (!strcmp(names->at[i], name)) return true;
    return false;
}

/* What needs no quotes. */
static bool is_word(const char *column) { return strspn(column, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(column); }

/* What was meant instead: a role, a measure or one of these columns. */
static void suggest(Compilation *c, Diagnostic *d, const NameList *columns, const char *name, Span span, const char *otherwise) {
    NameList all = {0};
    for (int i = 0; i < ROLES; i++) list_add(&c->arena, &all, roles[i]);
    list_add(&c->arena, &all, "width");
    list_add(&c->arena, &all, "height");
    for (int i = 0; columns && i < columns->count; i++) list_add(&c->arena, &all, columns->at[i]);
    const char *near = span.end ? nearest_name(name, all.at, all.count) : NULL;
    diag_help(d, near ? "did you mean `%s`?" : "%s", near ? near : otherwise);
    if (near && is_word(near)) diag_edit(d, span, false, "%s", near);
}

static bool no_column(Compilation *c, const Decl *dataset, const char *name, Span span, const NameList *columns) {
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, plan_has(dataset, "table") ? "the table of `%s` has no column `%s`" : "the paths of `%s` say no column `%s`", dataset->name, name);
    const char *known = columns->count ? "" : " none";
    for (int i = 0; i < columns->count; i++) known = arena_print(&c->arena, "%s %s", known, columns->at[i]);
    diag_fact(d, "its columns are:%s", known);
    suggest(c, d, columns, name, span, "name one of these, or identity, flank, burst, width or height");
    return false;
}

/* The role that this column fills: burst, where the dataset says `burst "{encounter}"`. NULL: none. */
static const Setting *role_of_column(const Decl *dataset, const char *name) {
    size_t length;
    for (int i = 0; i < dataset->settings.count; i++) {
        const Setting *s = &dataset->settings.at[i];
        if (!is_role(s->key) || !s->value || s->value->kind != EXPR_TEXT || !column_alone(s->value->name, &length)) continue;
        if (length - 2 == strlen(name) && !strncmp(s->value->name + 1, name, length - 2)) return s;
    }
    return NULL;
}

static bool not_kept(Compilation *c, const Decl *dataset, const char *name, Span span, const NameList *kept, const NameList *columns) {
    if (columns && !among(columns, name)) return no_column(c, dataset, name, span, columns);
    const Setting *role = role_of_column(dataset, name);
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, role ? "outside its dataset this column is called by its role" : "`%s` does not keep a column `%s`", dataset->name, name);
    if (role) {
        diag_also(d, role->span, "`%s` is the %s of `%s`", name, role->key, dataset->name);
        diag_help(d, "name the role");
        diag_edit(d, span, false, "%s", role->key);
        return false;
    }
    diag_also(d, dataset->statement->name_span, "declared here");
    diag_note(d, "outside its dataset a column is known if the dataset keeps it; identity, flank, burst and the like always are");
    suggest(c, d, kept, name, columns ? NOWHERE : span, arena_print(&c->arena, is_word(name) ? "add to the dataset: keep [%s]" : "add to the dataset: keep [\"{%s}\"]", name));
    return false;
}

static bool role_is_there(Compilation *c, const Decl *dataset, const Choice *choices, const char *role, Span span) {
    if (setting_value(c, dataset, role, choices)) return true;
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "`%s` does not say its `%s`", dataset->name, role);
    diag_also(d, dataset->statement->name_span, "declared here");
    diag_help(d, "add to the dataset: %s \"{column}\"", role);
    return false;
}

/* A column that a word has by default is told of where the word is written. */
static Span written_at(const Environment *env, Span span) {
    bool own = env->formula && env->origin && span.start >= env->formula->statement->span.start && span.end <= env->formula->statement->span.end;
    return own ? env->origin->span : span;
}

/* A role, a measure (unless the place wants to tell individuals and the like apart), or a column. */
static bool column_of_dataset(Environment *env, const Decl *dataset, const char *name, Span span, bool in_quotes) {
    Compilation *c = env->compilation;
    if (!in_quotes && is_role(name)) return role_is_there(c, dataset, env->choices, name, written_at(env, span));
    if (!in_quotes && (!strcmp(name, "width") || !strcmp(name, "height"))) return true;
    const NameList *columns = table_columns(c, dataset, env->choices);
    if (dataset == env->record) return !columns || among(columns, name) || no_column(c, dataset, name, span, columns);
    const Value *keep = setting_value(c, dataset, "keep", env->choices);
    if (!keep || keep->kind != VALUE_LIST) return true;
    NameList kept = {0};
    for (int i = 0; i < keep->items.count; i++) list_add(&c->arena, &kept, keep->items.at[i]->text);
    return among(&kept, name) || not_kept(c, dataset, name, span, &kept, columns);
}

/* Whose column it is: of the pictures that a record speaks of, of the candidates where these are others, or of both. NULL: nobody knows. */
typedef struct { const Decl *asking, *answering; } Owners;

static Owners owners_of(Environment *env) {
    const Decl *asking = env->record ? dataset_behind(env->compilation, env->record, env->choices) : NULL;
    const Decl *answering = env->record ? candidates_behind(env->compilation, env->record, env->choices) : NULL;
    return (Owners){asking, answering ? answering : asking};
}

static bool known_column(Environment *env, const char *name, Span span, bool in_quotes) {
    const Owners owners = owners_of(env);
    if (owners.asking && !column_of_dataset(env, owners.asking, name, span, in_quotes)) return false;
    return !owners.answering || owners.answering == owners.asking || column_of_dataset(env, owners.answering, name, span, in_quotes);
}

/* sex, burst, "{camera-id}". NULL: something else. */
static const char *named_column(Environment *env, const Expr *e, bool *in_quotes) {
    size_t length;
    *in_quotes = e->kind == EXPR_TEXT;
    if (e->kind == EXPR_NAME) return e->name;
    if (e->kind != EXPR_TEXT || !column_alone(e->name, &length)) return NULL;
    return intern_length(env->compilation->jre, e->name + 1, length - 2);
}

Value *column_value(Environment *env, const Wanted *wanted, const Expr *e) {
    Compilation *c = env->compilation;
    bool in_quotes;
    const char *name = named_column(env, e, &in_quotes);
    if (!name) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, e->span, "`%s` is a role or a column", wanted->key);
        diag_help(d, "for instance identity, burst, a column that the dataset keeps, or \"{camera-id}\"");
        return poison(env, e->span);
    }
    if (!known_column(env, name, e->span, in_quotes)) return poison(env, e->span);
    Value *v = value_new(c, in_quotes ? VALUE_TEXT : VALUE_WORD, e->span);
    v->text = name;
    return v;
}

/* ---- tests -------------------------------------------------------------------------------------------------------------------- */

static bool no_test(const Test *test, const Expr *e, const char *words) {
    Diagnostic *d = diag(test->env->compilation->jre, DIAG_wrong_type, e->span, "%s", words);
    diag_help(d, "for instance: %s %s", test->wanted->key, test->wanted->example);
    return false;
}

/* The role, or the column that fills it. */
static bool tells_who(Environment *env, const char *name, bool in_quotes) {
    if (!in_quotes && is_role(name)) return !strcmp(name, "identity");
    const Owners owners = owners_of(env);
    const Decl *const datasets[] = {owners.asking, owners.answering};
    for (int i = 0; i < 2; i++) {
        const Value *identity = datasets[i] ? setting_value(env->compilation, datasets[i], "identity", env->choices) : NULL;
        if (identity && identity->kind == VALUE_TEXT && !strcmp(identity->text, name)) return true;
    }
    return false;
}

/* The gallery may not know who is on its pictures: that is what is asked. */
static bool may_be_asked(const Test *test, const Expr *e, const char *name, bool in_quotes) {
    if (!test->pairs || !tells_who(test->env, name, in_quotes)) return true;
    Diagnostic *d = diag(test->env->compilation->jre, DIAG_wrong_type, e->span, "who is on a picture is what is asked: it cannot choose the answers");
    diag_note(d, "a gallery that knows the individuals would give every query the right answer");
    diag_help(d, "ask for what is known of a new picture too: burst, flank, a column");
    return false;
}

/* Only a column gives bursts names; of other bursts pictures share one or do not. */
static bool has_value(const Test *test, const Expr *e, const Decl *dataset, const char *name, bool in_quotes) {
    const Value *burst = dataset && !in_quotes && !strcmp(name, "burst") ? setting_value(test->env->compilation, dataset, "burst", test->env->choices) : NULL;
    if (!burst || burst->kind == VALUE_TEXT || burst->kind == VALUE_NONE) return true;
    return no_test(test, e, "bursts by likeness or by time have no names that could be compared");
}

/* What is compared is said of one picture: of pairs, the candidate. */
static bool column_in_test(const Test *test, const Expr *e, const char *name, bool in_quotes) {
    const Decl *dataset = owners_of(test->env).answering;
    if (!may_be_asked(test, e, name, in_quotes)) return false;
    return !dataset || (column_of_dataset(test->env, dataset, name, e->span, in_quotes) && has_value(test, e, dataset, name, in_quotes));
}

bool is_measure(const Expr *e) { return e->kind == EXPR_NAME && (!strcmp(e->name, "width") || !strcmp(e->name, "height")); }
static bool is_number(const Expr *e) { return e->kind == EXPR_NUMBER || (e->kind == EXPR_NEGATE && e->left->kind == EXPR_NUMBER); }

/* unique-name is a column to its author, and a difference to the language. */
static bool hyphened(const Test *test, const Expr *e) {
    Jre *jre = test->env->compilation->jre;
    if (e->kind != EXPR_BINARY || e->op != BINARY_sub) return false;
    const char *written = span_text(jre, e->span);
    if (strpbrk(written, " \t\n.()[]\"")) return false;
    Diagnostic *d = diag(jre, DIAG_wrong_type, e->span, "this takes one column from another; is one column called `%s`?", written);
    diag_help(d, "a column of that name stands in quotes");
    diag_edit(d, e->span, false, "\"{%s}\"", written);
    return true;
}

/* flank == left: no column is called so, a text was meant. */
static bool bare_text(const Test *test, const Expr *left, const Expr *right) {
    Environment *env = test->env;
    Compilation *c = env->compilation;
    const Decl *dataset = owners_of(env).answering;
    const NameList *columns = dataset && left->kind != EXPR_NUMBER && right->kind == EXPR_NAME ? table_columns(c, dataset, env->choices) : NULL;
    if (!columns || is_role(right->name) || is_measure(right) || among(columns, right->name) || nearest_name(right->name, columns->at, columns->count)) return false;
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, right->span, "no column of `%s` is called `%s`", dataset->name, right->name);
    diag_help(d, "a text stands in quotes");
    diag_edit(d, right->span, false, "\"%s\"", right->name);
    return true;
}

static bool operand(const Test *test, const Expr *e) {
    bool in_quotes;
    const char *name = named_column(test->env, e, &in_quotes);
    if (name) return column_in_test(test, e, name, in_quotes);
    if (is_number(e) || e->kind == EXPR_TEXT || e->kind == EXPR_TRUTH) return true;
    return hyphened(test, e) ? false : no_test(test, e, "a column, a number or a text was expected here");
}

/* width and height are lengths. */
static bool measure(const Test *test, const Expr *side, const Expr *other) {
    const Expr *number = other->kind == EXPR_NEGATE ? other->left : other;
    if (!is_measure(side) || is_measure(other) || (is_number(other) && number->unit == UNIT_px)) return true;
    if (!is_number(other)) return no_test(test, other, arena_print(&test->env->compilation->arena, "`%s` is compared with a length", side->name));
    Value v = {.kind = VALUE_NUMBER, .span = other->span, .number = number->number, .unit = number->unit};
    return wrong_unit(test->env->compilation, "Length", side->name, test->wanted->key, &v, other->span);
}

static bool comparison(const Test *test, const Expr *e) {
    bool left = operand(test, e->left), right = !bare_text(test, e->left, e->right) && operand(test, e->right), quoted;
    if (!left || !right) return false;
    if (!named_column(test->env, e->left, &quoted) && !named_column(test->env, e->right, &quoted)) return no_test(test, e, "no column is compared here");
    return measure(test, e->left, e->right) && measure(test, e->right, e->left);
}

static bool call(const Test *test, const Expr *e) {
    Compilation *c = test->env->compilation;
    if (e->target->kind != EXPR_NAME || strcmp(e->target->name, "same") != 0) {
        NameList same = {0};
        list_add(&c->arena, &same, "same");
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->target->span, "a condition calls only `same`");
        if (e->target->kind != EXPR_NAME || !diag_did_you_mean(d, e->target->span, e->target->name, &same, true)) diag_help(d, "compare columns with ==, <, and the like");
        return false;
    }
    if (!test->pairs) return no_test(test, e, "`same` compares two pictures, here is one");
    for (int i = 0; i < e->arguments.count; i++) {
        const Expr *column = e->arguments.at[i].value;
        bool in_quotes;
        const char *name = named_column(test->env, column, &in_quotes);
        if (name && !may_be_asked(test, column, name, in_quotes)) return false;
    }
    const Wanted wanted = {.type = "Target", .key = test->wanted->key, .of = test->wanted->of};
    return typed_value(test->env, &wanted, e)->kind != VALUE_NONE;
}

static bool holds_together(const Test *test, const Expr *e) {
    bool in_quotes, logic = e->kind == EXPR_BINARY && (e->op == BINARY_and || e->op == BINARY_or);
    if (logic) {
        bool left = holds_together(test, e->left), right = holds_together(test, e->right);
        return left && right;
    }
    if (e->kind == EXPR_NOT) return holds_together(test, e->left);
    if (e->kind == EXPR_BINARY && e->op >= BINARY_eq && e->op <= BINARY_ge) return comparison(test, e);
    if (e->kind == EXPR_CALL) return call(test, e);
    if (e->kind == EXPR_TRUTH) return true;
    const char *name = named_column(test->env, e, &in_quotes);
    if (name && is_measure(e)) return no_test(test, e, arena_print(&test->env->compilation->arena, "`%s` is a length: compare it", name));
    return name ? column_in_test(test, e, name, in_quotes) : no_test(test, e, "a condition was expected");
}

Value *condition_value(Environment *env, const Wanted *wanted, const Expr *e) {
    const Test test = {env, wanted, !strcmp(wanted->type, "PairCondition")};
    if (!holds_together(&test, e)) return poison(env, e->span);
    Value *v = value_new(env->compilation, VALUE_CONDITION, e->span);
    v->condition = e;
    return v;
}
