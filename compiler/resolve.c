/* resolve.c: one flat program.
 *
 *   v01 <- v02 <- v03, then --with and --set     ->     one scope of declarations, every change applied
 *
 * Every `change` and `remove` is applied before any name is looked up, so what v01 wrote follows what v04 changed. Each document is a
 * layer over what it extends, and within a layer order does not exist: what it removes goes first, then it declares, changes and copies.
 * An ancestor that is quoted (`v01.cv`) is the chain up to it with the same overlays. */
#include "compiler.h"

#include <string.h>

typedef LIST(Statement *) StatementList;

/* ---- checks of a record's own text ----------------------------------------------------------------------------------- */

static const char *keys_of(Compilation *c, RecordKind kind, NameList *names) {
    const char *text = "";
    for (int i = 0; i < schema_key_count; i++) {
        if (schema_keys[i].kind != kind) continue;
        list_add(&c->arena, names, schema_keys[i].name);
        text = arena_print(&c->arena, "%s %s", text, schema_keys[i].name);
    }
    return text;
}

static bool known_key(Compilation *c, RecordKind kind, const Setting *setting, const SettingList *beside) {
    if (schema_find(kind, setting->key)) return true;
    NameList names = {0};
    const char *known = keys_of(c, kind, &names);
    Diagnostic *d = diag(c->jre, DIAG_unknown_key, setting->key_span, "`%s` has no setting of this name", kind_name(kind));
    diag_fact(d, "`%s` knows:%s", kind_name(kind), known);
    if (diag_did_you_mean(d, setting->key_span, setting->key, &names, true)) {
        NameList taken = {0};
        for (int i = 0; i < beside->count; i++) list_add(&c->arena, &taken, beside->at[i].key);
        diag_not_twice(d, &taken);
        return false;
    }
    const bool elsewhere = diag_said_elsewhere(d, setting->key);
    diag_help(d, elsewhere ? "take the line out, and write it where it belongs" : "take the line out, or write one of these");
    return false;
}

static Setting *setting_of(SettingList *settings, const char *key) {
    for (int i = 0; i < settings->count; i++)
        if (settings->at[i].key == key) return &settings->at[i];
    return NULL;
}

static void twice(Compilation *c, const char *what, Span again, Span before) {
    Diagnostic *d = diag(c->jre, DIAG_already_named, again, "`%s` is set a second time", what);
    diag_also(d, before, "here first");
    diag_help(d, "keep one of the two lines");
}

/* Copies checked settings; the first of two equal keys stays. */
static bool take_settings(Compilation *c, RecordKind kind, const SettingList *from, SettingList *to) {
    bool sound = true;
    for (int i = 0; i < from->count; i++) {
        const Setting *setting = &from->at[i];
        Setting *before = setting_of(to, setting->key);
        bool known = known_key(c, kind, setting, from);
        if (known && before) twice(c, setting->key, setting->key_span, before->key_span);
        if (!known || before) sound = false;
        else list_add(&c->arena, to, *setting);
    }
    return sound;
}

static void check_needed(Compilation *c, Decl *decl) {
    bool poisoned = false;
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        if (key->kind != decl->record || !key->needed) continue;
        bool there = false;
        for (int k = 0; k < decl->settings.count; k++)
            if (!strcmp(decl->settings.at[k].key, key->name)) there = true;
        if (there) continue;
        Diagnostic *d = diag(c->jre, DIAG_missing_key, decl->statement->name_span, "`%s` needs the setting `%s`", kind_name(decl->record), key->name);
        diag_fact(d, "`%s` is %s", key->name, key->sentence);
        diag_help(d, "add a line that begins with `%s`", key->name);
        poisoned = true;
    }
    decl->poisoned = poisoned;
}

/* ---- one layer: a document, an overlay, a module ------------------------------------------------------------------------ */

typedef struct {
    Compilation *c; Scope *scope; LayerKind kind;
    const Module *module;                 /* NULL for --set */
    Map own, removed;                     /* Statements that declare here, the first of a name; that remove */
    Map changed, changed_settings;        /* places: of names, of "name key" */
    LIST(Decl *) copies;                  /* with a `like` that is still to be followed */
} Layer;

static bool inherits(const Layer *layer, const char *slot) {
    const Decl *decl = map_get(&layer->scope->names, slot);
    return decl && decl->statement != map_get(&layer->own, slot);
}

/* Only a figure knows the first of these settings. */
static bool of_a_figure(const Layer *layer, const Statement *s) {
    const Decl *decl = map_get(&layer->scope->names, s->name);
    const char *key = s->kind == STATEMENT_CHANGE_SETTINGS && s->settings.count ? s->settings.at[0].key : NULL;
    return key && decl && schema_find(KIND_figure, key) && (decl->record == KIND_NONE || !schema_find(decl->record, key));
}

/* Where the declaration stands that a statement makes or alters. Of a value and a figure of one name the value is altered, but by
 * settings that it does not have. */
static const char *slot_of(Layer *layer, const Statement *s) {
    if (s->kind == STATEMENT_RECORD) return declared_as(layer->c, s->record, s->name);
    if (s->kind != STATEMENT_CHANGE_SETTINGS && s->kind != STATEMENT_REMOVE) return s->name;
    const char *figure = declared_as(layer->c, KIND_figure, s->name);
    bool value = inherits(layer, s->name);
    if (inherits(layer, figure)) return !value || of_a_figure(layer, s) ? figure : s->name;
    bool only_figure = !map_get(&layer->own, s->name) && (map_get(&layer->own, figure) || map_get(&layer->c->declared, figure));
    return !value && only_figure ? figure : s->name;
}

static bool same_kind(const Statement *a, const Statement *b) { return a->kind == b->kind && (a->kind != STATEMENT_RECORD || a->record == b->record); }

static void named_before(Layer *layer, const Statement *s, const Decl *before) {
    Jre *jre = layer->c->jre;
    const Statement *first = before->statement;
    Place place = place_of(jre, first->name_span.start);
    Diagnostic *d = diag(jre, DIAG_already_named, s->name_span, "comes from %s:%d", place.source->name, place.line);
    diag_also(d, first->name_span, "declared here");
    bool inherited = map_get(&layer->own, slot_of(layer, s)) != first, changes = inherited && s->kind != STATEMENT_FORMULA && same_kind(s, first);
    if (!changes) {
        diag_help(d, inherited ? "choose another name, or free this one: remove %s" : "choose another name for one of the two", s->name);
        return;
    }
    diag_help(d, s->like ? "to alter the inherited one, write: change %s { key value }" : "to alter the inherited one, name only what differs", s->name);
    if (s->kind == STATEMENT_EQUATION) diag_edit(d, (Span){s->span.start, s->span.start}, true, "change ");
    else if (!s->like) diag_edit(d, (Span){s->span.start, s->name_span.end}, true, "change %s", s->name);
}

static void declare(Layer *layer, const Statement *s) {
    Compilation *c = layer->c;
    const Decl *before = map_get(&layer->scope->names, slot_of(layer, s));
    if (before) {
        named_before(layer, s, before);
        return;
    }
    Decl *decl = arena_new(&c->arena, Decl);
    *decl = (Decl){.name = s->name, .kind = s->kind, .statement = s, .scope = layer->scope, .library = layer->kind == LAYER_LIBRARY,
                   .value = s->value, .each = s->each, .each_span = s->each_span, .record = KIND_NONE};
    if (s->builtin && !layer->scope->core) {
        Diagnostic *d = diag(c->jre, DIAG_unknown_name, s->name_span, "`builtin` is for the words that jre is born with, `%s` is none of them", s->name);
        diag_help(d, "write what it computes, as equations and a result");
    }
    if (s->kind == STATEMENT_RECORD) {
        decl->record = s->record;
        decl->poisoned = !take_settings(c, s->record, &s->settings, &decl->settings) || s->broken;
        if (s->like) list_add(&c->arena, &layer->copies, decl);
    }
    map_set(&layer->scope->names, &c->arena, slot_of(layer, s), decl);
    if (layer->kind == LAYER_DOCUMENT && !map_get(&c->declared, slot_of(layer, s))) map_set(&c->declared, &c->arena, slot_of(layer, s), decl);
}

static void alters_its_own(Layer *layer, const Statement *s, const Statement *own) {
    bool removes = s->kind == STATEMENT_REMOVE;
    Diagnostic *d = diag(layer->c->jre, DIAG_already_named, s->name_span, "`%s` is declared in this document, `%s` is for what was inherited", s->name,
                         removes ? "remove" : "change");
    diag_also(d, own->name_span, "declared here");
    diag_help(d, removes ? "take out the declaration" : "write it into the declaration");
}

/* In a document each thing is changed once; on the command line the last change wins. */
static bool changed_before(Layer *layer, Map *changed, const char *what, const char *name, Span *span) {
    const Span *before = map_get(changed, what);
    map_set(changed, &layer->c->arena, what, span);
    if (!before || layer->kind == LAYER_OVERLAY) return false;
    twice(layer->c, name, *span, *before);
    return true;
}

/* The inherited declaration that a statement alters. An overlay lies over documents that may lack the name: then it alters nothing there. */
static Decl *inherited(Layer *layer, const Statement *s) {
    Compilation *c = layer->c;
    Decl *decl = map_get(&layer->scope->names, slot_of(layer, s));
    const Statement *own = layer->kind == LAYER_DOCUMENT ? map_get(&layer->own, slot_of(layer, s)) : NULL;
    if (own && (!decl || decl->statement == own)) {
        alters_its_own(layer, s, own);
        return NULL;
    }
    if (decl) return decl;
    if (c->gaps || (layer->kind == LAYER_OVERLAY && map_get(&c->declared, slot_of(layer, s)))) return NULL;
    const Statement *removal = map_get(&layer->removed, slot_of(layer, s));
    if (removal) {
        diag_also(diag(c->jre, DIAG_unknown_name, s->name_span, "`%s` is removed by this document itself", s->name), removal->span, "here");
        return NULL;
    }
    if (!scope_find(layer->scope, s->name)) {
        report_unknown_declaration(c, layer->scope, s->name, s->name_span);
        return NULL;
    }
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, s->name_span, "`%s` belongs to a library, not to a document of this chain", s->name);
    diag_help(d, "declare one of your own under another name");
    return NULL;
}

static void change_value(Layer *layer, Statement *s) {
    Compilation *c = layer->c;
    Decl *decl = inherited(layer, s);
    if (!decl) return;
    if (decl->kind != STATEMENT_EQUATION) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->name_span, "`%s` is no equation, so it has no value to change", s->name);
        diag_also(d, decl->statement->name_span, "declared here");
        if (decl->kind == STATEMENT_RECORD) diag_help(d, "write: change %s { key value }", s->name);
        else diag_help(d, "replace it: remove %s, then declare it anew", s->name);
        return;
    }
    if (changed_before(layer, &layer->changed, slot_of(layer, s), s->name, &s->name_span)) return;
    decl->value = s->value;
    decl->each = s->each;
    decl->each_span = s->each_span;
}

static void change_settings(Layer *layer, Statement *s) {
    Compilation *c = layer->c;
    Decl *decl = inherited(layer, s);
    if (!decl) return;
    if (decl->kind != STATEMENT_RECORD) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->name_span, "`%s` has no settings", s->name);
        diag_also(d, decl->statement->name_span, "declared here");
        diag_help(d, decl->kind == STATEMENT_EQUATION ? "write: change %s = ..." : "replace it: remove %s, then declare it anew", s->name);
        return;
    }
    SettingList wanted = {0};
    if (!take_settings(c, decl->record, &s->settings, &wanted) || s->broken) decl->poisoned = true;
    map_set(&layer->changed, &c->arena, slot_of(layer, s), &s->name_span);
    for (int i = 0; i < wanted.count; i++) {
        Setting *setting = &wanted.at[i];
        if (changed_before(layer, &layer->changed_settings, arena_print(&c->arena, "%s %s", slot_of(layer, s), setting->key), setting->key, &setting->key_span)) continue;
        bool restore = setting->value && setting->value->kind == EXPR_NAME && !strcmp(setting->value->name, "default");
        Setting *old = setting_of(&decl->settings, setting->key);
        if (old && restore) *old = decl->settings.at[--decl->settings.count];
        else if (old) *old = *setting;
        else if (!restore) list_add(&c->arena, &decl->settings, *setting);
    }
}

static void remove_name(Layer *layer, Statement *s) {
    const Statement *before = map_get(&layer->removed, slot_of(layer, s));
    if (before && layer->kind == LAYER_DOCUMENT) {
        Diagnostic *d = diag(layer->c->jre, DIAG_already_named, s->span, "`%s` is removed a second time", s->name);
        diag_also(d, before->span, "here first");
        diag_help(d, "keep one of the two lines");
        return;
    }
    if (!inherited(layer, s)) return;
    const char *slot = slot_of(layer, s);
    map_set(&layer->scope->names, &layer->c->arena, slot, NULL);
    map_set(&layer->removed, &layer->c->arena, slot, s);
    map_set(&layer->scope->removed, &layer->c->arena, s->name, s);
}

/* ---- like ------------------------------------------------------------------------------------------------------------------ */

enum { COPIED, BEING_COPIED, TO_BE_COPIED };                       /* of Decl.state, until all of a layer's copies are made */

/* `other`, or `v02.other`: a record of the same kind. NULL: diagnosed. */
static Decl *original_of(Layer *layer, const Decl *decl) {
    Compilation *c = layer->c;
    const Expr *like = decl->statement->like;
    bool dotted = like->kind == EXPR_FIELD && like->target->kind == EXPR_NAME;
    const Scope *scope = dotted ? scope_named(c, layer->scope, like->target->name) : like->kind == EXPR_NAME ? layer->scope : NULL;
    Decl *other = scope ? map_get(&scope->names, declared_as(c, decl->record, like->name)) : NULL;
    if (scope && !other) other = map_get(&scope->names, like->name);
    if (other && other->record == decl->record) return other;
    if (c->gaps) return NULL;
    const char *kind = kind_name(decl->record);
    if (other) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, like->span, "this is no `%s`: settings are copied from a record of the same kind", kind);
        diag_also(d, other->statement->name_span, "declared here");
        return NULL;
    }
    NameList names = {0};
    for (int i = 0; i < layer->scope->names.count; i++) {
        const Decl *near = layer->scope->names.entries[i].value;
        if (near && near != decl && near->record == decl->record) list_add(&c->arena, &names, near->name);
    }
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, like->span, "there is no `%s` of this name to copy from", kind);
    if (like->kind != EXPR_NAME || !diag_did_you_mean(d, like->span, like->name, &names, false))
        diag_help(d, "name one of this document, of one it extends, or of an ancestor: v02.%s", decl->name);
    return NULL;
}

static void copies_itself(Layer *layer, const Decl *decl) {
    Diagnostic *d = diag(layer->c->jre, DIAG_circular, decl->statement->like->span, "this leads back to `%s` itself", decl->name);
    diag_help(d, "one of them must write its settings out");
}

static void copy_settings(Compilation *c, Decl *decl, const Decl *other) {
    for (int i = 0; i < other->settings.count; i++)
        if (!setting_of(&decl->settings, other->settings.at[i].key)) list_add(&c->arena, &decl->settings, other->settings.at[i]);
    decl->poisoned |= other->poisoned;
}

/* `like other { .. }` has the other's settings as this layer leaves them, changed by it or not; what later documents change in the
 * other is not followed. A copy of a copy waits for the first. */
static void copy_likes(Layer *layer) {
    for (int i = 0; i < layer->copies.count; i++) layer->copies.at[i]->state = TO_BE_COPIED;
    for (int i = 0; i < layer->copies.count; i++) {
        LIST(Decl *) way = {0};
        Decl *at = layer->copies.at[i];
        while (at && at->state == TO_BE_COPIED) {
            at->state = BEING_COPIED;
            list_add(&layer->c->arena, &way, at);
            at = original_of(layer, at);
        }
        if (at && at->state == BEING_COPIED) {
            copies_itself(layer, at);
            at = NULL;
        }
        for (int k = way.count - 1; k >= 0; k--) {
            if (at) copy_settings(layer->c, way.at[k], at);
            else way.at[k]->poisoned = true;
            way.at[k]->state = COPIED;
            at = at ? way.at[k] : NULL;
        }
    }
}

/* ---- laying a layer ---------------------------------------------------------------------------------------------------------- */

static void declare_and_change(Layer *layer, Statement *s, int pass) {
    switch (s->kind) {
    case STATEMENT_REMOVE: if (pass == 0) remove_name(layer, s); break;
    case STATEMENT_EQUATION: case STATEMENT_RECORD: case STATEMENT_FORMULA: if (pass == 1) declare(layer, s); break;
    case STATEMENT_CHANGE_VALUE: if (pass == 2) change_value(layer, s); break;
    case STATEMENT_CHANGE_SETTINGS: if (pass == 2) change_settings(layer, s); break;
    default: break;
    }
}

/* `likeness == cosine(features)`, where nothing is called `likeness`. */
static bool compared_by_mistake(Layer *layer, const Expr *e) {
    Compilation *c = layer->c;
    bool compares = e->kind == EXPR_BINARY && e->op == BINARY_eq && e->left->kind == EXPR_NAME;
    if (!compares || map_get(&layer->own, e->left->name) || scope_find(layer->scope, e->left->name)) return false;
    Diagnostic *d = diag(c->jre, DIAG_unexpected_word, e->focus, "`==` compares two values; an equation has one `=`");
    diag_help(d, "write it so");
    diag_edit(d, e->focus, false, "=");
    expect_unknown_name(c, layer->scope, e->left->name);
    return true;
}

/* A text may be the name of an ancestor, whose names are missing then: nothing more is said of those. */
static void bare_value(Compilation *c, const Statement *s) {
    const char *text = s->value->kind == EXPR_TEXT ? s->value->name : NULL, *ending = text ? strrchr(text, '.') : NULL;
    const bool ancestor = ending && !strcmp(ending, ".jre");
    Diagnostic *d = diag(c->jre, DIAG_write_probe, s->span, "a value by itself says nothing in a document");
    diag_help(d, ancestor ? "to derive from that document, write `extends`" : "to show it, write `probe`");
    diag_edit(d, s->span, false, "%s %s", ancestor ? "extends" : "probe", expr_text(c->jre, s->value));
    c->gaps |= ancestor;
}

/* What is no declaration. Expectations and probes are those of the document itself. */
static void note_statement(Layer *layer, const Statement *s) {
    Compilation *c = layer->c;
    bool own = layer->module == c->document && layer->scope == c->scope;
    switch (s->kind) {
    case STATEMENT_PROBE: if (own) list_add(&c->arena, &c->probes, s); break;
    case STATEMENT_EXPECT: if (own) list_add(&c->arena, &c->expects, s); break;
    case STATEMENT_ACCEPT: list_add(&c->arena, &layer->scope->accepts, s); break;
    default: break;                                                /* module.c has followed `extends` and `use` */
    }
}

/* An `accept` is about a declaration as it was: it ends where that is changed. */
static void end_accepts(Layer *layer) {
    AcceptList *accepts = &layer->scope->accepts;
    int kept = 0;
    for (int i = 0; i < accepts->count; i++) {
        const char *slot = accepted_slot(layer->c, layer->scope, accepts->at[i]);
        if (!map_get(&layer->changed, slot) && !map_get(&layer->removed, slot)) accepts->at[kept++] = accepts->at[i];
    }
    accepts->count = kept;
}

static void lay(Layer *layer, const StatementList *statements) {
    for (int i = 0; i < statements->count; i++) {
        Statement *s = statements->at[i];
        if (s->kind == STATEMENT_EXPR && !compared_by_mistake(layer, s->value)) bare_value(layer->c, s);
        bool declares = s->kind == STATEMENT_EQUATION || s->kind == STATEMENT_RECORD || s->kind == STATEMENT_FORMULA;
        if (declares && !map_get(&layer->own, slot_of(layer, s))) map_set(&layer->own, &layer->c->arena, slot_of(layer, s), s);
    }
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < statements->count; i++) declare_and_change(layer, statements->at[i], pass);
    copy_likes(layer);
    end_accepts(layer);
    for (int i = 0; i < statements->count; i++) note_statement(layer, statements->at[i]);
}

static void add_statements(Compilation *c, StatementList *statements, const Chunk *chunk) {
    if (chunk->kind == CHUNK_WRONG || chunk->kind == CHUNK_TEST) return;
    for (int i = 0; i < chunk->statements.count; i++) list_add(&c->arena, statements, chunk->statements.at[i]);
}

void lay_document(Compilation *c, Scope *scope, const Module *module, LayerKind kind) {
    StatementList statements = {0};
    for (int i = 0; i < module->document->chunks.count; i++) add_statements(c, &statements, module->document->chunks.at[i]);
    Layer layer = {.c = c, .scope = scope, .kind = kind, .module = module};
    lay(&layer, &statements);
}

/* ---- overlays -------------------------------------------------------------------------------------------------------------- */

static void overlay_text(Compilation *c, const char *set) {
    const char *equals = strchr(set, '=');
    if (!equals || equals == set) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, NOWHERE, "--set %s: a name, =, and a value were expected", set);
        diag_help(d, "for instance --set backbone='resnet18()' or --set folds.seed=8");
        return;
    }
    const char *name = arena_copy(&c->arena, set, (size_t)(equals - set)), *dot = strchr(name, '.');
    const char *text = dot ? arena_print(&c->arena, "change %.*s { %s %s }", (int)(dot - name), name, dot + 1, equals + 1)
                           : arena_print(&c->arena, "change %s = %s", name, equals + 1);
    list_add(&c->arena, &c->sets, parse_chunk(c->jre, source_from_text(c->jre, "--set", text, strlen(text))));
}

/* Each is read once, and laid over the program and over each ancestor that is quoted. */
static void read_overlays(Compilation *c, const CompileRequest *request) {
    for (int i = 0; i < request->with.count; i++) {
        Module *overlay = module_load_overlay(c->jre, request->with.at[i]);
        if (overlay) list_add(&c->arena, &c->overlays, overlay);
        list_add(&c->arena, &c->changes, arena_print(&c->arena, "with %s", request->with.at[i]));
    }
    if (request->above) list_add(&c->arena, &c->overlays, request->above);
    c->gaps = diag_any_error(c->jre);
    for (int i = 0; i < request->set.count; i++) {
        overlay_text(c, request->set.at[i]);
        list_add(&c->arena, &c->changes, request->set.at[i]);
    }
}

/* ---- a document's flat program ----------------------------------------------------------------------------------------------- */

static void check_records(Compilation *c, const Scope *scope) {
    for (int i = 0; i < scope->names.count; i++) {
        Decl *decl = scope->names.entries[i].value;
        if (decl && decl->kind == STATEMENT_RECORD && !decl->poisoned) check_needed(c, decl);
    }
}

static void lay_chain(Compilation *c, Scope *scope) {
    LIST(const Module *) chain = {0};
    for (const Module *m = scope->document; m; m = m->parent) list_add(&c->arena, &chain, m);
    for (int i = chain.count - 1; i >= 0; i--) scope_use(c, scope, chain.at[i]);
    for (int i = 0; i < c->overlays.count; i++) scope_use(c, scope, c->overlays.at[i]);
    scope_use_core(c, scope);
    for (int i = chain.count - 1; i >= 0; i--) lay_document(c, scope, chain.at[i], LAYER_DOCUMENT);
    for (int i = 0; i < c->overlays.count; i++) lay_document(c, scope, c->overlays.at[i], LAYER_OVERLAY);
    for (int i = 0; i < c->sets.count; i++) {
        StatementList statements = {0};
        add_statements(c, &statements, c->sets.at[i]);
        Layer layer = {.c = c, .scope = scope, .kind = LAYER_OVERLAY};
        lay(&layer, &statements);
    }
}

/* What is wrong with the statements of an ancestor was told when the program itself went through them. */
Scope *document_scope(Compilation *c, Module *document) {
    const char *path = document->document->source->path;
    Scope *scope = map_get(&c->document_scopes, path);
    if (scope) return scope;
    scope = arena_new(&c->arena, Scope);
    scope->name = document->document->source->stem;
    scope->document = document;
    scope->core = is_core(c, document);
    map_set(&c->document_scopes, &c->arena, path, scope);
    bool itself = document == c->document;
    if (itself) c->scope = scope;
    int findings = c->jre->diagnostics.count;
    lay_chain(c, scope);
    if (!itself) c->jre->diagnostics.count = findings;
    check_records(c, scope);
    return scope;
}

static bool has_program(Compilation *c) {
    const Document *document = c->document->document;
    if (document->chunks.count) return true;
    Diagnostic *d = diag(c->jre, DIAG_no_program, NOWHERE, "%s: there is no ```jre chunk in this file", document->source->name);
    diag_help(d, "a document of jre is Markdown whose program stands between ```jre and ```; pipelines/v01.jre is one");
    return false;
}

bool resolve_program(Compilation *c, const CompileRequest *request) {
    c->document = module_load(c->jre, request->path);
    if (!c->document || !module_core(c->jre) || !has_program(c)) return false;
    c->version = c->document->document->source->stem;
    read_overlays(c, request);
    document_scope(c, c->document);
    check_accepts(c);
    check_names(c, c->scope);
    return !diag_any_error(c->jre);
}
