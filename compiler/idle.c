/* idle.c: unused_name: what a document wrote and nothing uses: a `learn`, a `~` draw, an equation or a parameter of a formula, a view.
 *
 * A use is any mention, also behind a dot anywhere in the chain (`eye.layer3`). Nothing is said of what other places may ask for:
 * parameters of a formula that is handed on as a value, data that a training or a view is offered, views of a document without records. */
#include "compiler.h"

#include <string.h>

typedef struct {
    Compilation *c;
    Map fields, values, names;            /* in the whole program: behind a dot; not called at once; any */
} Uses;

/* ---- mentions -------------------------------------------------------------------------------------------------------- */

static void note(Uses *uses, Map *map, const char *name) { map_set(map, &uses->c->arena, name, uses); }

static void mention(Uses *uses, Map *names, const Expr *e, bool called) {
    if (!e) return;
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

static void mention_statement(Uses *uses, Map *names, const Statement *s) {
    mention(uses, names, s->value, false);
    mention(uses, names, s->like, false);
    for (int i = 0; i < s->settings.count; i++) mention(uses, names, s->settings.at[i].value, false);
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

/* As it was written, and as it is after every change. */
static void mention_program(Uses *uses) {
    const Scope *scope = uses->c->scope;
    for (int i = 0; i < scope->names.count; i++) {
        const Decl *decl = scope->names.entries[i].value;
        if (!decl) continue;
        mention(uses, &uses->names, decl->value, false);
        for (int k = 0; k < decl->settings.count; k++) mention(uses, &uses->names, decl->settings.at[k].value, false);
        mention_statement(uses, &uses->names, decl->statement);
    }
    for (const Module *m = uses->c->document; m; m = m->parent) {
        for (int i = 0; i < m->document->chunks.count; i++)
            for (int k = 0; k < m->document->chunks.at[i]->statements.count; k++) mention_statement(uses, &uses->names, m->document->chunks.at[i]->statements.at[k]);
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
    if (!d || line->kind != LINE_LEARN) return;
    if (dims_build(decl->sizes ? decl->sizes : &none, &line->type, NULL, &shape, &why)) {
        int64_t count = shape_elements(shape, 1);
        diag_note(d, "%lld number%s would be stored and never change", (long long)count, count == 1 ? "" : "s");
    } else {
        diag_note(d, "its numbers would be stored and never change");
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
        idle(uses, param->span, arena_print(&uses->c->arena, "`%s` takes this, and no line uses it", s->name), "use it, or take it out");
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

void check_unused_names(Compilation *c) {
    const Document *document = c->document->document;
    Uses uses = {.c = c};
    mention_program(&uses);
    for (int i = 0; i < c->scope->names.count; i++) {
        const Decl *decl = c->scope->names.entries[i].value;
        if (!decl || decl->library || decl->kind != STATEMENT_FORMULA || source_of(c->jre, decl->statement->span) != document->source) continue;
        look_into(&uses, decl);
        bool view = decl->statement->formula == FORMULA_augment && has_records(document);
        if (view && !map_get(&uses.names, decl->name) && !map_get(&uses.fields, decl->name))
            idle(&uses, decl->statement->name_span, "nothing looks through this view", "use it, or take it out");
    }
}
