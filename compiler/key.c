/* key.c: content keys: 128 bits of XXH3 over canonical text, as 32 hex digits. */
#include "compiler.h"

#include <string.h>
#include <xxhash.h>

const char *key_of_text(Compilation *c, const char *text) {
    XXH128_hash_t hash = XXH3_128bits(text, strlen(text));
    return arena_print(&c->arena, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}
