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

static const char *hash_text(Arena *arena, const char *text, size_t length) {
    XXH128_hash_t hash = XXH3_128bits(text, length);
    return arena_print(arena, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

const char *key_of_text(Compilation *c, const char *text) { return hash_text(&c->arena, text, strlen(text)); }

KeyTree *key_open(Compilation *c, const char *format, ...) {
    KeyTree *tree = arena_new(&c->arena, KeyTree);
    va_list arguments;
    va_start(arguments, format);
    tree->name = arena_vprint(&c->arena, format, arguments);
    va_end(arguments);
    return tree;
}

void key_leaf(Compilation *c, KeyTree *tree, const char *name, Span span, const char *format, ...) {
    KeyLeaf leaf = {.name = name, .span = span};
    va_list arguments;
    va_start(arguments, format);
    leaf.value = arena_vprint(&c->arena, format, arguments);
    va_end(arguments);
    list_add(&c->arena, &tree->leaves, leaf);
}

void key_part(Compilation *c, KeyTree *tree, const KeyTree *part) { list_add(&c->arena, &tree->parts, part); }

const char *key_close(Compilation *c, KeyTree *tree) {
    Text text = {.jre = c->jre};
    text_add(&text, "%s %.*s %d %d\n", schema, (int)strcspn(tree->name, " "), tree->name, tree->leaves.count, tree->parts.count);
    for (int i = 0; i < tree->leaves.count; i++) {
        const KeyLeaf *leaf = &tree->leaves.at[i];
        text_add(&text, "%zu %zu %s %s\n", strlen(leaf->name), strlen(leaf->value), leaf->name, leaf->value);
    }
    for (int i = 0; i < tree->parts.count; i++) text_add(&text, "%s\n", tree->parts.at[i]->hash);
    tree->hash = hash_text(&c->arena, text.at, text.length);
    text_free(&text);
    return tree->hash;
}
