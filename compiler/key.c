/* key.c: content keys, and what they are made of.
 *
 * In: leaves (a name, its canonical value, where that was written) and parts (finished trees of what it depends on). Out: 128 bits of XXH3
 * over all of it, as 32 hex digits. Contract: equal content gives equal keys. Of a tree's own name only the first word, its kind, is
 * content ("embed features"): what people call a thing changes no key, and neither does where it was written. Lengths stand
 * before texts, so that no value can look like the end of another. */
#include "compiler.h"

#include <string.h>
#include <xxhash.h>

/* Counts up when what trees are made of changes its meaning: results of before are not found again. */
static const char schema[] = "jre key 1";

/* ---- trees ------------------------------------------------------------------------------------------------------------------ */

KeyTree *key_open(Arena *arena, const char *format, ...) {
    KeyTree *tree = arena_new(arena, KeyTree);
    va_list arguments;
    va_start(arguments, format);
    *tree = (KeyTree){.arena = arena, .name = arena_vprint(arena, format, arguments)};
    va_end(arguments);
    return tree;
}

void key_leaf(KeyTree *tree, const char *name, Span span, const char *format, ...) {
    KeyLeaf leaf = {.name = name, .span = span};
    va_list arguments;
    va_start(arguments, format);
    leaf.value = arena_vprint(tree->arena, format, arguments);
    va_end(arguments);
    list_add(tree->arena, &tree->leaves, leaf);
}

void key_part(KeyTree *tree, const KeyTree *part) { list_add(tree->arena, &tree->parts, part); }

const char *key_close(KeyTree *tree) {
    Text text = {.jre = tree->arena->jre};
    text_add(&text, "%s %.*s %d %d\n", schema, (int)strcspn(tree->name, " "), tree->name, tree->leaves.count, tree->parts.count);
    for (int i = 0; i < tree->leaves.count; i++) {
        const KeyLeaf *leaf = &tree->leaves.at[i];
        text_add(&text, "%zu %zu ", strlen(leaf->name), strlen(leaf->value));
        text_add(&text, "%s %s\n", leaf->name, leaf->value);
    }
    for (int i = 0; i < tree->parts.count; i++) text_add(&text, "%s\n", tree->parts.at[i]->hash);
    XXH128_hash_t hash = XXH3_128bits(text.at, text.length);
    tree->hash = arena_print(tree->arena, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
    text_free(&text);
    return tree->hash;
}

KeyTree *key_reopen(Arena *arena, const KeyTree *tree) {
    KeyTree *copy = key_open(arena, "%s", tree->name);
    for (int i = 0; i < tree->leaves.count; i++) list_add(arena, &copy->leaves, tree->leaves.at[i]);
    for (int i = 0; i < tree->told.count; i++) list_add(arena, &copy->told, tree->told.at[i]);
    for (int i = 0; i < tree->parts.count; i++) key_part(copy, tree->parts.at[i]);
    return copy;
}

/* ---- what they are made of ---------------------------------------------------------------------------------------------------- */

void key_told(Compilation *c, KeyTree *tree, const char *name, const Value *formula) {
    Arena *arena = tree->arena;
    if (!formula || formula->kind != VALUE_FORMULA) return;
    KeyLeaf called = {.name = name, .value = formula->text ? formula->text : "", .span = formula->span};
    list_add(arena, &tree->told, called);
    for (int i = 0; i < formula->bound.count; i++) {
        const Bound *bound = &formula->bound.at[i];
        if (!bound->value) continue;
        KeyLeaf leaf = {.name = arena_print(arena, "%s.%s", name, bound->name), .value = value_text(c, bound->value), .span = bound->value->span};
        list_add(arena, &tree->told, leaf);
    }
}

void key_graph(KeyTree *tree, const Graph *g) {
    KeyTree *part = key_open(tree->arena, "graph");
    Text text = {.jre = tree->arena->jre};
    graph_print(g, &text, true);
    int line = 0;
    for (const char *at = text.at, *end; at && *at; at = *end ? end + 1 : end, line++) {
        end = at + strcspn(at, "\n");
        const Node *node = line < g->nodes.count ? g->nodes.at[line] : NULL;
        key_leaf(part, node ? op_row(node->op)->name : "output", node ? origin_user_span(node->origin) : NOWHERE, "%.*s", (int)(end - at), at);
    }
    text_free(&text);
    key_close(part);
    key_part(tree, part);
}

void key_view(KeyTree *tree, const View *view) {
    KeyTree *part = key_open(tree->arena, "view %s", view->name ? view->name : "");
    const char *text = view_canonical(tree->arena, view);
    int step = 0;
    text += strcspn(text, ";");                                    /* what stands before the first step is none */
    for (const char *at = *text ? text + 2 : NULL, *end; at; at = end ? end + 2 : NULL, step++) {
        end = strstr(at, "; ");
        int length = end ? (int)(end - at) : (int)strlen(at), word = (int)strcspn(at, " ;");
        int behind = word < length ? word + 1 : length;
        key_leaf(part, arena_copy(tree->arena, at, (size_t)word), step < view->steps.count ? view->steps.at[step].span : view->span, "%.*s", length - behind, at + behind);
    }
    key_close(part);
    key_part(tree, part);
}

KeyTree *key_record(Compilation *c, const Decl *decl, const Choice *choices, const MemberName *member) {
    const char *name = arena_print(&c->arena, "%s %s", kind_name(decl->record), decl->name);
    for (int i = 0; member && i < member->count; i++)
        name = arena_print(&c->arena, "%s%s%s = %s%s", name, i ? ", " : "[", member->at[i].axis, member->at[i].choice, i + 1 == member->count ? "]" : "");
    KeyTree *tree = key_open(&c->arena, "%s", name);
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *row = &schema_keys[i];
        if (row->kind != decl->record || !row->in_cache_key || !strcmp(row->type, "Path")) continue;
        const Value *v = setting_value(c, decl, row->name, choices);
        const char *canonical = v ? value_canonical(&c->arena, v) : NULL;
        if (canonical) key_leaf(tree, row->name, v->span, "%s", canonical);
        if (v) key_told(c, tree, row->name, v);
    }
    return tree;
}

void key_pictures(KeyTree *tree, const char *name, const PartPlan *pictures) {
    if (!pictures->split) return;
    if (pictures->fold) key_leaf(tree, name, pictures->span, "%s of fold %d", pictures->part, pictures->fold);
    else key_leaf(tree, name, pictures->span, "%s", pictures->part);
    key_part(tree, pictures->split->key);
}
