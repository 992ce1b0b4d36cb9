/* store.c: results under the name of what they were computed from.
 *
 * <base>/.jre/store/<key>/ holds the parts of one result; about.json, written last, makes the folder count. Every part is
 * written by file_write, so a killed run leaves whole parts and no about.json, and the next run computes that result again.
 * A disabled store never claims to have anything, yet takes results: later steps of the same run read them. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { KEY_DIGITS_MOST = 128 };

bool key_is_hex(const char *key) {
    size_t length = key ? strlen(key) : 0;
    return length > 0 && length <= KEY_DIGITS_MOST && strspn(key, "0123456789abcdef") == length;
}

Store store_open(Jre *jre, const char *base_folder, bool disabled) {
    Arena scratch = { .jre = jre };
    bool here = !base_folder || !*base_folder || strcmp(base_folder, ".") == 0;
    const char *folder = here ? ".jre/store" : arena_print(&scratch, "%s/.jre/store", base_folder);
    Store store = { .jre = jre, .folder = intern(jre, folder), .disabled = disabled };
    arena_free(&scratch);
    return store;
}

const char *store_path(const Store *store, const char *key, const char *part) {
    Arena scratch = { .jre = store->jre };
    const char *path = intern(store->jre, arena_print(&scratch, "%s/%s/%s", store->folder, key, part));
    arena_free(&scratch);
    return path;
}

bool store_has(const Store *store, const char *key) {
    return !store->disabled && key_is_hex(key) && file_exists(store_path(store, key, "about.json"));
}

int store_lock(const Store *store, const char *key) {
    /* Made in a context of its own: whoever writes next says why it is not there. */
    Jre *aside = jre_aside(store->jre);
    const char *folder = arena_print(&aside->forever, "%s/%s", store->folder, key);
    int lock = folder_make(aside, folder, NOWHERE) ? folder_lock(folder) : -1;
    jre_free(aside);
    return lock;
}

bool store_finish(const Store *store, const char *key, const char *about, Span asked_at) {
    Jre *jre = store->jre;
    if (!key_is_hex(key)) {
        diag(jre, DIAG_bug, asked_at, "a result was to be kept under the key `%s`; keys are hex digits", key ? key : "");
        return false;
    }
    Arena scratch = { .jre = jre };
    bool more = about && *about;
    const char *text = arena_print(&scratch, "{\"key\": \"%s\"%s%s}\n", key, more ? ", " : "", more ? about : "");
    cJSON *parsed = json_parse(jre, text, strlen(text));
    bool done = false;
    if (parsed)
        done = file_write(jre, store_path(store, key, "about.json"), asked_at, text, strlen(text));
    else
        diag(jre, DIAG_bug, asked_at, "the description of result `%s` is not JSON: %s", key, text);
    json_free(jre, parsed);
    arena_free(&scratch);
    return done;
}
