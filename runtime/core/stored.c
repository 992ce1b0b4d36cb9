/* stored.c: parts of the store that prove themselves, and files that are only written when they change.
 *
 * Contract: what comes back from the store is what was put there: its hash stands in about.json, which is written last. A
 * part that is damaged, half-written or gone counts as absent, is computed again, and costs no message. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <string.h>

/* about.json of a key as a tree, to be freed; NULL if the key is not complete. */
static cJSON *about_of(Session *session, const char *key) {
    char *bytes, why[256];
    size_t length;
    if (!store_has(&session->store, key) || !file_load(session->jre, store_path(&session->store, key, "about.json"), &bytes, &length, why)) return NULL;
    cJSON *about = json_parse(session->jre, bytes, length);
    jre_release(bytes);
    return about;
}

bool stored_number(Session *session, const char *key, const char *name, double *number) {
    cJSON *about = about_of(session, key);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(about, name);
    bool found = cJSON_IsNumber(item);
    if (found) *number = item->valuedouble;
    json_free(session->jre, about);
    return found;
}

const char *stored_text(Session *session, const char *key, const char *name) {
    cJSON *about = about_of(session, key);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(about, name);
    const char *text = cJSON_IsString(item) ? intern(session->jre, item->valuestring) : NULL;
    json_free(session->jre, about);
    return text;
}

bool stored_part(Session *session, const char *key, const char *part, char **bytes, size_t *length) {
    *bytes = NULL;
    char why[256];
    const char *checksum = stored_text(session, key, "checksum");
    if (!checksum || !file_load(session->jre, store_path(&session->store, key, part), bytes, length, why)) return false;
    if (hash_bytes(session->jre, *bytes, *length) == checksum) return true;
    jre_release(*bytes);
    *bytes = NULL;
    return false;
}

bool store_part(Session *session, const KeyTree *tree, const char *part, const void *bytes, size_t length, Span asked_at) {
    Text about = {.jre = session->jre};
    json_origin(&about, session, tree);
    text_add(&about, ", \"part\": ");
    json_text(&about, part);
    text_add(&about, ", \"checksum\": \"%s\"", hash_bytes(session->jre, bytes, length));
    bool kept = file_write(session->jre, store_path(&session->store, tree->hash, part), asked_at, bytes, length) && store_tree(session, tree, asked_at) &&
                store_finish(&session->store, tree->hash, about.at, asked_at);
    text_free(&about);
    return kept;
}

bool file_update(Session *session, const char *path, Span asked_at, const void *bytes, size_t length, bool *written) {
    char *old, why[256];
    size_t old_length;
    *written = false;
    if (file_exists(path) && file_load(session->jre, path, &old, &old_length, why)) {
        bool same = old_length == length && memcmp(old, bytes, length) == 0;
        jre_release(old);
        if (same) return true;
    }
    return *written = file_write(session->jre, path, asked_at, bytes, length);
}
