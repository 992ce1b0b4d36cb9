/* idle.c: unused_name: what a document wrote and nothing uses: a `learn`, a `~` draw, an equation or a parameter of a formula, a view, an
 * equation of the document, a column that a dataset keeps.
 *
 * A use is any mention, also behind a dot anywhere in the chain (`eye.layer3`) or in the braces of a text. Nothing is said of what other
 * places may ask for: parameters of a formula that is handed on as a value, data that a training or a view is offered, views of a document
 * without records, equations and columns of one that shows no result yet. Where a use lies near, the message asks whether it was meant. */
#include "compiler.h"

#include <string.h>

typedef struct {
    Compilation *c;
    Map fields, values, names;            /* in the whole program: behind a dot; not called at once; any */
    Map outside, params;                  /* any, but for datasets; parameters of all formulas, the library's too */
} Uses;

/* ---- mentions -------------------------------------------------------------------------------------------------------- */

static void note(Uses *uses, Map *map, const char *name) { map_set(map, &uses->c->arena, name, uses); }

/* "submissions/{version}-{head}.csv" */
static void mention_braces(Uses *uses, Map *names, const char *text) {
    for (const char *at = text, *close; (at = strchr(at, '{')) && (close = strchr(at, '}')); at = close)
        note(uses, names, intern_length(uses->c->jre, at + 1, (size_t)(close - at - 1)));
}

static void mention(Uses *uses, Map *names, const Expr *e, bool called) {
    if (!e) return;
    if (e->kind == EXPR_TEXT) mention_braces(uses, names, e->name);
    if (e->kind == EXPR_NAME) {
        note(uses, names, e->name);
        if (!called) note(uses, &uses->values, e->name);
    }
    if (e->kind == EXPR_FIELD) note(uses, &uses->fields, e->name);
    if (e->kind == EXPR_REDUCE) note(uses, names, e->name);
    mention(uses, names, e->target, e->kind == EXPR_CALL);
    mention(uses, names, e->left, false);
    mention(uses, names, e->right, e->kind == EXPR_PIPE);
    mention(uses, names, e->condition, false);
    for (int i = 0; i < e->arguments.count; i++) mention(uses, names, e->arguments.at[i].value, false);
}

static void mention_type(Uses *uses, Map *names, const Type *type) {
    for (int i = 0; i < type->dims.count; i++) mention(uses, names, type->dims.at[i].size, false);
}

/* What the lines and conditions of a formula mention. */
static void mention_body(Uses *uses, Map *names, const Statement *s) {
    for (int i = 0; i < s->where.count; i++) mention(uses, names, s->where.at[i], false);
    for (int i = 0; i < s->lines.count; i++) {
        mention(uses, names, s->lines.at[i].value, false);
        mention_type(uses, names, &s->lines.at[i].type);
    }
}

/* The columns that a dataset keeps are declared by that: no use. */
static bool keeps_columns(const Setting *setting) { return !strcmp(setting->key, "keep") && setting->value && setting->value->kind == EXPR_LIST; }

static void mention_settings(Uses *uses, Map *names, const SettingList *settings) {
    for (int i = 0; i < settings->count; i++)
        if (!keeps_columns(&settings->at[i])) mention(uses, names, settings->at[i].value, false);
}

static void mention_statement(Uses *uses, Map *names, const Statement *s) {
    mention(uses, names, s->value, false);
    mention(uses, names, s->like, false);
    mention_settings(uses, names, &s->settings);
    for (int i = 0; i < s->params.count; i++) {
        mention(uses, names, s->params.at[i].fallback, false);
        mention_type(uses, names, &s->params.at[i].type);
    }
    mention_type(uses, names, &s->result);
    mention_body(uses, names, s);
}

void mentioned_names(Compilation *c, const Statement *s, Map *names) {
    Uses uses = {.c = c};
    mention_statement(&uses, names, s);
}

static bool of_a_dataset(const Uses *uses, const Statement *s) {
    const Decl *decl = s->kind == STATEMENT_RECORD || s->kind == STATEMENT_CHANGE_SETTINGS ? map_get(&uses->c->scope->names, s->name) : NULL;
    return decl && decl->kind == STATEMENT_RECORD && decl->record == KIND_dataset;
}

static void mention_everywhere(Uses *uses, const Statement *s) {
    mention_statement(uses, &uses->names, s);
    if (!of_a_dataset(uses, s)) mention_statement(uses, &uses->outside, s);
}

static void mention_decl(Uses *uses, const Decl *decl) {
    mention(uses, &uses->names, decl->value, false);
    mention_settings(uses, &uses->names, &decl->settings);
    mention(uses, &uses->outside, decl->value, false);
    if (decl->kind != STATEMENT_RECORD || decl->record != KIND_dataset) mention_settings(uses, &uses->outside, &decl->settings);
    mention_everywhere(uses, decl->statement);
}

/* As it was written, and as it is after every change. */
static void mention_program(Uses *uses) {
    const Scope *scope = uses->c->scope;
    for (int i = 0; i < scope->names.count; i++)
        if (scope->names.entries[i].value) mention_decl(uses, scope->names.entries[i].value);
    for (const Module *m = uses->c->document; m; m = m->parent) {
        for (int i = 0; i < m->document->chunks.count; i++)
            for (int k = 0; k < m->document->chunks.at[i]->statements.count; k++) mention_everywhere(uses, m->document->chunks.at[i]->statements.at[k]);
        for (int i = 0; i < m->document->quotes.count; i++) mention(uses, &uses->names, m->document->quotes.at[i], false);
    }
}

/* ---- findings ---------------------------------------------------------------------------------------------------------- */

/* NULL: the document has accepted it. */
static Diagnostic *idle(Uses *uses, Span span, const char *words, const char *help) {
    if (overruled(uses->c, uses->c->scope, DIAG_unused_name, span, span)) return NULL;
    Diagnostic *d = diag(uses->c->jre, DIAG_unused_name, span, "%s", words);
    diag_help(d, "%s", help);
    return d;
}

/* ---- what may have been meant ------------------------------------------------------------------------------------------------ */

typedef struct { bool (*fits)(const Expr *e, const void *wanted); const void *wanted; const Expr *but; } Search;

static const Expr *first_in(const Search *search, const Expr *e) {
    if (!e || e == search->but) return NULL;
    if (search->fits(e, search->wanted)) return e;
    const Expr *const below[] = {e->target, e->left, e->right, e->condition}, *found = NULL;
    for (int i = 0; i < 4 && !found; i++) found = first_in(search, below[i]);
    for (int i = 0; i < e->arguments.count && !found; i++) found = first_in(search, e->arguments.at[i].value);
    return found;
}

static const Expr *first_in_lines(const Search *search, const Statement *s) {
    const Expr *found = NULL;
    for (int i = 0; i < s->lines.count && !found; i++)
        if (s->lines.at[i].kind != LINE_LEARN) found = first_in(search, s->lines.at[i].value);
    return found;
}

typedef struct { const Statement *formula; const Expr *size; } Bias;

/* A product whose rows are as long as the bias: e @ W' with W of [K, d]. */
static bool makes_rows(const Expr *e, const void *wanted) {
    const Bias *bias = wanted;
    if (e->kind != EXPR_BINARY || e->op != BINARY_matmul) return false;
    bool turned = e->right->kind == EXPR_TRANSPOSE;
    const Expr *right = turned ? e->right->target : e->right;
    for (int i = 0; right->kind == EXPR_NAME && i < bias->formula->lines.count; i++) {
        const Line *line = &bias->formula->lines.at[i];
        if (line->kind == LINE_LEARN && line->name == right->name && line->type.dims.count == 2) return expr_equal(line->type.dims.at[turned ? 0 : 1].size, bias->size);
    }
    return false;
}

static void suggest_bias(Uses *uses, Diagnostic *d, const Statement *s, const Line *line) {
    if (line->type.dims.count != 1) return;
    const Bias bias = {s, line->type.dims.at[0].size};
    const Expr *product = first_in_lines(&(Search){makes_rows, &bias, NULL}, s);
    if (product) diag_also(d, product->span, "did you mean `%s + %s`?", expr_text(uses->c->jre, product), line->name);
}

static bool is_same(const Expr *e, const void *wanted) { return expr_equal(e, wanted); }

/* The same words a second time, where the name could stand. */
static void suggest_instead(Diagnostic *d, const Statement *s, const Expr *value, const Expr *but, const char *name) {
    bool tells = value && !(value->kind == EXPR_NUMBER && (value->number == 0 || value->number == 1)) && value->kind != EXPR_NAME;
    const Expr *twin = tells ? first_in_lines(&(Search){is_same, value, but}, s) : NULL;
    if (!twin) return;
    diag_also(d, twin->span, "did you mean `%s`?", name);
    diag_edit(d, twin->span, false, "%s", name);
}

static bool labels_begin_so(const Expr *e, const char *name) {
    if (!e) return false;
    size_t length = strlen(name);
    if (e->kind == EXPR_PIPE && e->label && !strncmp(e->label, name, length) && (!e->label[length] || e->label[length] == '.')) return true;
    return labels_begin_so(e->left, name) || labels_begin_so(e->right, name) || labels_begin_so(e->target, name);
}

static void idle_line(Uses *uses, const Decl *decl, const Line *line) {
    static const char *const words[] = {
        [LINE_LEARN] = "learned, but no equation uses it", [LINE_DRAW] = "drawn, but nothing uses it", [LINE_EQUATION] = "nothing uses this equation",
    };
    const DimTable none = {.arena = &uses->c->arena};
    const char *why;
    Shape shape;
    Diagnostic *d = idle(uses, line->name_span, words[line->kind], "use it, or take out the line");
    if (d && line->kind == LINE_EQUATION && !line->letters.count) suggest_instead(d, decl->statement, line->value, line->value, line->name);
    if (!d || line->kind != LINE_LEARN) return;
    suggest_bias(uses, d, decl->statement, line);
    if (dims_build(decl->sizes ? decl->sizes : &none, &line->type, NULL, &shape, &why)) {
        int64_t count = shape_elements(shape, 1);
        diag_note(d, "%s number%s would be stored and never change.", grouped_text(&uses->c->arena, count), count == 1 ? "" : "s");
    } else {
        diag_note(d, "its numbers would be stored and never change.");
    }
}

/* What gives a size is used where the size is. */
static bool gives_a_size(const Param *param, const Map *body) {
    for (int i = 0; i < param->type.dims.count; i++) {
        const Expr *size = param->type.dims.at[i].size;
        if (size->kind == EXPR_NAME && map_get(body, size->name)) return true;
    }
    return false;
}

static void look_at_params(Uses *uses, const Statement *s, const Map *inside, const Map *body) {
    bool handed_on = map_get(&uses->values, s->name) != NULL;
    for (int i = 0; i < s->params.count; i++) {
        const Param *param = &s->params.at[i];
        bool data = is_data_type(param->type.name);
        if (map_get(inside, param->name) || gives_a_size(param, body)) continue;
        if (data ? s->formula == FORMULA_loss || s->formula == FORMULA_augment : handed_on) continue;
        Diagnostic *d = idle(uses, param->span, arena_print(&uses->c->arena, "`%s` takes this, and no line uses it", s->name), "use it, or take it out");
        if (d) suggest_instead(d, s, param->fallback, NULL, param->name);
    }
}

static void look_into(Uses *uses, const Decl *decl) {
    const Statement *s = decl->statement;
    if (s->builtin || s->broken) return;
    Map inside = {0}, body = {0};
    mention_statement(uses, &inside, s);
    mention_body(uses, &body, s);
    for (int i = 0; i < s->lines.count; i++) {
        const Line *line = &s->lines.at[i];
        if (line->kind == LINE_RESULT || map_get(&inside, line->name) || map_get(&uses->fields, line->name)) continue;
        if (line->kind == LINE_EQUATION && labels_begin_so(line->value, line->name)) continue;
        idle_line(uses, decl, line);
    }
    look_at_params(uses, s, &inside, &body);
}

static bool has_records(const Document *document) {
    for (int i = 0; i < document->chunks.count; i++)
        for (int k = 0; k < document->chunks.at[i]->statements.count; k++)
            if (document->chunks.at[i]->statements.at[k]->kind == STATEMENT_RECORD) return true;
    return false;
}

/* ---- the document ------------------------------------------------------------------------------------------------------------ */

/* Is there a result that could have used more? */
static bool shows_results(const Compilation *c) {
    bool shows = c->probes.count || c->expects.count || c->document->document->quotes.count;
    for (int i = 0; i < c->scope->names.count && !shows; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        bool record = decl && !decl->library && decl->kind == STATEMENT_RECORD;
        shows = record && (decl->record == KIND_evaluate || decl->record == KIND_submit || decl->record == KIND_figure);
    }
    return shows;
}

/* A loss asks for a column by the name of a parameter. */
static void mention_params(Uses *uses, const Scope *scope) {
    for (int i = 0; i < scope->names.count; i++) {
        const Decl *decl = scope->names.entries[i].value;
        for (int k = 0; decl && k < decl->statement->params.count; k++) note(uses, &uses->params, decl->statement->params.at[k].name);
    }
}

static void look_at_columns(Uses *uses, const Decl *decl) {
    for (int i = 0; i < decl->settings.count; i++) {
        const Setting *setting = &decl->settings.at[i];
        if (!keeps_columns(setting) || source_of(uses->c->jre, setting->span) != uses->c->document->document->source) continue;
        for (int k = 0; k < setting->value->arguments.count; k++) {
            const Expr *column = setting->value->arguments.at[k].value;
            bool named = column->kind == EXPR_NAME || column->kind == EXPR_TEXT;
            size_t length;
            const char *name = column->kind == EXPR_TEXT && column_alone(column->name, &length) ? intern_length(uses->c->jre, column->name + 1, length - 2) : column->name;
            if (named && !map_get(&uses->outside, name) && !map_get(&uses->params, name)) idle(uses, column->span, "this column is kept, and nothing asks for it", "use it in a condition, or take it out of the list");
        }
    }
}

static void look_at_decl(Uses *uses, const Decl *decl, bool records, bool results) {
    const Statement *s = decl->statement;
    bool mentioned = map_get(&uses->names, decl->name) || map_get(&uses->fields, decl->name);
    if (decl->kind == STATEMENT_RECORD && decl->record == KIND_dataset && results) look_at_columns(uses, decl);
    if (source_of(uses->c->jre, s->span) != uses->c->document->document->source) return;
    if (decl->kind == STATEMENT_FORMULA) look_into(uses, decl);
    if (decl->kind == STATEMENT_FORMULA && s->formula == FORMULA_augment && records && !mentioned) idle(uses, s->name_span, "nothing looks through this view", "use it, or take it out");
    if (decl->kind == STATEMENT_EQUATION && results && !mentioned && !s->broken) idle(uses, s->name_span, "nothing uses this equation", "use it, or take out the line");
}

void check_unused_names(Compilation *c) {
    Uses uses = {.c = c};
    bool records = has_records(c->document->document), results = shows_results(c);
    mention_program(&uses);
    mention_params(&uses, c->scope);
    for (int i = 0; i < c->scope->uses.count; i++) mention_params(&uses, c->scope->uses.at[i]);
    for (int i = 0; i < c->scope->names.count; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        if (decl && !decl->library) look_at_decl(&uses, decl, records, results);
    }
}
