/* trees.c: what a stored result was made of, kept beside it, for `jre why`.
 *
 * <base>/.jre/store/<key>/key.json is the tree of that key: its leaves with the places they were written at, and its parts, those with many
 * leaves (graphs, pictures) by their hash only, in a folder of their own. No result depends on these files: one that is missing or
 * damaged costs an explanation. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <string.h>

enum { NESTED_LEAVES = 32, DEEPEST = 100 };

/* ---- what every result is made of ------------------------------------------------------------------------------------------ */

void key_machine(const Session *session, KeyTree *tree) {
    key_leaf(tree, "kernels", NOWHERE, "%s", kernel_library_version());
    key_leaf(tree, "device", NOWHERE, "%s", session->device->name);
    key_leaf(tree, "level", NOWHERE, "%d", session->level);
    key_leaf(tree, "latency", NOWHERE, "%s", session->options.latency ? "on" : "off");
}

/* ---- written ------------------------------------------------------------------------------------------------------------ */

static void json_leaves(Session *session, Text *out, const char *name, const KeyLeaf *leaves, int count) {
    text_add(out, ",\n\"%s\": [", name);
    for (int i = 0; i < count; i++) {
        const char *place = key_place(session->jre, &session->arena, &leaves[i]);
        text_add(out, "%s\n[", i ? "," : "");
        json_text(out, leaves[i].name);
        text_add(out, ", ");
        json_text(out, leaves[i].value);
        if (place) {
            text_add(out, ", ");
            json_text(out, place);
        }
        text_add(out, "]");
    }
    text_add(out, "]");
}

static bool keep_part(Session *session, const KeyTree *tree, Span asked_at);

static bool json_tree(Session *session, Text *out, const KeyTree *tree, Span asked_at) {
    bool sound = true;
    text_add(out, "{\"name\": ");
    json_text(out, tree->name);
    text_add(out, ", \"hash\": \"%s\"", tree->hash);
    json_leaves(session, out, "told", tree->told.at, tree->told.count);
    json_leaves(session, out, "leaves", tree->leaves.at, tree->leaves.count);
    text_add(out, ",\n\"parts\": [");
    for (int i = 0; i < tree->parts.count; i++) {
        const KeyTree *part = tree->parts.at[i];
        text_add(out, "%s", i ? ",\n" : "");
        if (part->leaves.count <= NESTED_LEAVES) {
            sound = json_tree(session, out, part, asked_at) && sound;
            continue;
        }
        text_add(out, "{\"name\": ");
        json_text(out, part->name);
        text_add(out, ", \"hash\": \"%s\"}", part->hash);
        sound = keep_part(session, part, asked_at) && sound;
    }
    text_add(out, "]}");
    return sound;
}

/* Equal keys have equal trees: what is there stays. */
static bool keep_part(Session *session, const KeyTree *tree, Span asked_at) {
    const char *path = store_path(&session->store, tree->hash, "key.json");
    if (file_exists(path)) return true;
    Text json = {.jre = session->jre};
    bool sound = json_tree(session, &json, tree, asked_at);
    text_add(&json, "\n");
    sound = sound && file_write(session->jre, path, asked_at, json.at, json.length);
    text_free(&json);
    return sound;
}

bool store_tree(Session *session, const KeyTree *tree, Span asked_at) { return keep_part(session, tree, asked_at); }

void json_origin(Text *out, const Session *session, const KeyTree *tree) {
    text_add(out, "\"what\": ");
    json_text(out, tree->name);
    text_add(out, ", \"version\": ");
    json_text(out, session->version ? session->version : "");
    text_add(out, ", \"made\": %lld", (long long)seconds_since_epoch());
}

/* ---- read back ------------------------------------------------------------------------------------------------------------ */

static bool parse_leaves(Arena *arena, const cJSON *list, const char **names, const char **values, const char **places, int count) {
    int place = 0;
    for (const cJSON *item = list ? list->child : NULL; item && place < count; item = item->next, place++) {
        const cJSON *name = cJSON_GetArrayItem(item, 0), *value = cJSON_GetArrayItem(item, 1), *written = cJSON_GetArrayItem(item, 2);
        if (!cJSON_IsString(name) || !cJSON_IsString(value)) return false;
        names[place] = arena_print(arena, "%s", name->valuestring);
        values[place] = arena_print(arena, "%s", value->valuestring);
        places[place] = cJSON_IsString(written) ? arena_print(arena, "%s", written->valuestring) : NULL;
    }
    return true;
}

/* One list of leaves, behind those that are there. */
static bool parse_list(KeyTree *tree, const cJSON *json, const char *field) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, field);
    if (!cJSON_IsArray(list)) return false;
    int count = cJSON_GetArraySize(list);
    const char **texts = arena_array(tree->arena, const char *, 3 * (size_t)count + 1);
    if (!parse_leaves(tree->arena, list, texts, texts + count, texts + 2 * count, count)) return false;
    for (int i = 0; i < count; i++) {
        KeyLeaf leaf = {.name = texts[i], .value = texts[count + i], .place = texts[2 * count + i]};
        if (strcmp(field, "told") == 0) list_add(tree->arena, &tree->told, leaf);
        else list_add(tree->arena, &tree->leaves, leaf);
    }
    return true;
}

static KeyTree *parse_tree(Arena *arena, const cJSON *json, int depth) {
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "name"), *hash = cJSON_GetObjectItemCaseSensitive(json, "hash");
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(json, "parts");
    if (!cJSON_IsString(name) || !cJSON_IsString(hash) || depth > DEEPEST) return NULL;
    KeyTree *tree = key_open(arena, "%s", name->valuestring);
    tree->hash = arena_print(arena, "%s", hash->valuestring);
    tree->folded = !parts;
    if (tree->folded) return tree;
    if (!cJSON_IsArray(parts) || !parse_list(tree, json, "told") || !parse_list(tree, json, "leaves")) return NULL;
    for (const cJSON *item = parts->child; item; item = item->next) {
        const KeyTree *part = parse_tree(arena, item, depth + 1);
        if (!part) return NULL;
        key_part(tree, part);
    }
    return tree;
}

KeyTree *tree_parse(Arena *arena, const char *bytes, size_t length) {
    cJSON *json = json_parse(arena->jre, bytes, length);
    KeyTree *tree = json ? parse_tree(arena, json, 0) : NULL;
    json_free(arena->jre, json);
    return tree;
}

const KeyTree *stored_tree(void *context, const char *hash) {
    Session *session = context;
    char *bytes, why[256];
    size_t length;
    if (!key_is_hex(hash) || !file_load(session->jre, store_path(&session->store, hash, "key.json"), &bytes, &length, why)) return NULL;
    KeyTree *tree = tree_parse(&session->arena, bytes, length);
    jre_release(bytes);
    return tree && !tree->folded && strcmp(tree->hash, hash) == 0 ? tree : NULL;
}

/* ---- which results there are ------------------------------------------------------------------------------------------------ */

bool stored_origin(Session *session, const char *key, StoredResult *result) {
    *result = (StoredResult){.key = intern(session->jre, key), .what = stored_text(session, key, "what"), .version = stored_text(session, key, "version")};
    if (!result->version) result->version = "";
    if (!stored_number(session, key, "made", &result->made) || !(result->made >= 0 && result->made < 1e12)) result->made = 0;
    return result->what != NULL;
}

void stored_results(Session *session, StoredResults *results) {
    NameList names = {0};
    Arena scratch = {.jre = session->jre};
    folder_names(&scratch, session->store.folder, &names);
    for (int i = 0; i < names.count; i++) {
        StoredResult result;
        if (key_is_hex(names.at[i]) && stored_origin(session, names.at[i], &result)) list_add(&session->arena, results, result);
    }
    arena_free(&scratch);
}
