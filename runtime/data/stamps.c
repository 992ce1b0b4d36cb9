/* stamps.c: what is known of picture files without reading them.
 *
 * One table in the store, pictures.csv: check,content_hash,phash,dhash,size,modified,inode,path; check is of the rest of the row. Contract: a row is believed for a
 * path only while size, time of change and inode are what they were; a file that was changed within the last two seconds before
 * pictures were looked at, or since, is never believed, since a second change could hide behind the clock's grain. Rows that are not as
 * they were written are forgotten: the table only saves work. Paths are kept absolute. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STAMPS_PART "pictures.csv"
static const char heading[] = "check,content_hash,phash,dhash,size,modified,inode,path";
enum { CLOCK_GRAIN_SECONDS = 2, CHECK_DIGITS = 16 };

static const char *absolute(Stamps *stamps, const char *path) {
    if (path[0] == '/') return path;
    char here[4096];
    return getcwd(here, sizeof here) ? arena_print(&stamps->arena, "%s/%s", here, path) : path;
}

static bool hex_digits(const char *text, int count) {
    for (int i = 0; i < count; i++)
        if (!strchr("0123456789abcdef", text[i]) || !text[i]) return false;
    return true;
}

/* The number up to a comma; moves behind it. */
static bool number_field(char **at, int64_t *number) {
    char *end;
    *number = strtoll(*at, &end, 10);
    if (end == *at || *end != ',') return false;
    *at = end + 1;
    return true;
}

/* Sixteen hex digits up to a comma; moves behind it. */
static bool hash_field(char **at, uint64_t *hash) {
    if (!hex_digits(*at, 16) || (*at)[16] != ',') return false;
    *hash = strtoull(*at, NULL, 16);
    *at += 17;
    return true;
}

static void unquote(char *cell) {
    if (*cell != '"') return;
    char *to = cell;
    for (char *from = cell + 1; *from; from++) {
        if (*from == '"' && *++from != '"') break;
        *to++ = *from;
    }
    *to = '\0';
}

static bool parse_stamp(char *line, Stamp *stamp) {
    if (strlen(line) < 34 || !hex_digits(line, 32) || line[32] != ',') return false;
    memcpy(stamp->content_hash, line, 32);
    char *at = line + 33;
    stamp->has_phash = *at != ',';
    if (stamp->has_phash ? !hash_field(&at, &stamp->phash) || !hash_field(&at, &stamp->dhash) : strncmp(at, ",,", 2) != 0) return false;
    if (!stamp->has_phash) at += 2;
    if (!number_field(&at, &stamp->size) || !number_field(&at, &stamp->modified) || !number_field(&at, &stamp->inode)) return false;
    unquote(at);
    stamp->path = at;
    return *at != '\0';
}

/* The row behind its check, or NULL if a bit of it is another than it was. */
static char *checked_row(char *line) {
    char hex[33];
    if (strnlen(line, CHECK_DIGITS + 1) <= CHECK_DIGITS || line[CHECK_DIGITS] != ',') return NULL;
    char *row = line + CHECK_DIGITS + 1;
    content_hash_of(row, strlen(row), hex);
    return memcmp(line, hex, CHECK_DIGITS) == 0 ? row : NULL;
}

static void remember(Stamps *stamps, const Stamp *stamp) {
    Stamp *kept = arena_new(&stamps->arena, Stamp);
    *kept = *stamp;
    kept->path = arena_copy(&stamps->arena, stamp->path, strlen(stamp->path));
    map_set(&stamps->by_path, &stamps->arena, kept->path, kept);
    if (kept->has_phash) map_set(&stamps->by_content, &stamps->arena, kept->content_hash, kept);
}

/* What stands in the store, for paths that nothing is known of yet. */
static void read_stamps(Stamps *stamps) {
    char *bytes, why[256];
    size_t length;
    if (!store_has(stamps->store, stamps->key) || !file_load(stamps->jre, store_path(stamps->store, stamps->key, STAMPS_PART), &bytes, &length, why)) return;
    for (char *line = bytes, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        Stamp stamp = {0};
        char *row = checked_row(line);
        if (row && parse_stamp(row, &stamp) && !map_get(&stamps->by_path, stamp.path)) remember(stamps, &stamp);
    }
    jre_release(bytes);
}

void stamps_load(Stamps *stamps, Jre *jre, const Store *store, bool exif_apply) {
    memset(stamps, 0, sizeof *stamps);
    stamps->jre = jre;
    stamps->store = store;
    stamps->arena.jre = jre;
    stamps->began = (int64_t)time(NULL);
    const char *what = exif_apply ? "picture files, turned as their EXIF says" : "picture files";
    stamps->key = hash_bytes(jre, what, strlen(what));
    if (store) read_stamps(stamps);
}

const Stamp *stamps_find(Stamps *stamps, const char *path, int64_t size, int64_t modified, int64_t inode) {
    const Stamp *stamp = map_get(&stamps->by_path, absolute(stamps, path));
    return stamp && stamp->size == size && stamp->modified == modified && stamp->inode == inode ? stamp : NULL;
}

const Stamp *stamps_content(const Stamps *stamps, const char *content_hash) { return map_get(&stamps->by_content, content_hash); }

void stamps_put(Stamps *stamps, const Stamp *stamp) {
    Stamp kept = *stamp;
    kept.path = absolute(stamps, stamp->path);
    if (kept.modified / 1000000000 > stamps->began - CLOCK_GRAIN_SECONDS) kept.size = -1;
    remember(stamps, &kept);
    stamps->changed = true;
}

static void print_stamp(const Stamp *stamp, Text *row, Text *table) {
    char hex[33];
    row->length = 0;
    text_add(row, "%s,", stamp->content_hash);
    if (stamp->has_phash) text_add(row, "%016llx,%016llx", (unsigned long long)stamp->phash, (unsigned long long)stamp->dhash);
    else text_add(row, ",");
    text_add(row, ",%lld,%lld,%lld,", (long long)stamp->size, (long long)stamp->modified, (long long)stamp->inode);
    csv_cell(row, stamp->path);
    content_hash_of(row->at, row->length, hex);
    text_add(table, "%.*s,%s\n", CHECK_DIGITS, hex, row->at);
}

static void write_stamps(Stamps *stamps) {
    Text table = {.jre = stamps->jre}, row = {.jre = stamps->jre};
    text_add(&table, "%s\n", heading);
    for (int i = 0; i < stamps->by_path.count; i++) {
        const Stamp *stamp = stamps->by_path.entries[i].value;
        if (!strpbrk(stamp->path, "\r\n")) print_stamp(stamp, &row, &table);
    }
    text_free(&row);
    /* Written in a context of its own: a folder that takes no notes costs time, it is nobody's mistake. */
    Jre *aside = jre_aside(stamps->store->jre);
    Store store = *stamps->store;
    store.jre = aside;
    if (file_write(aside, store_path(&store, stamps->key, STAMPS_PART), NOWHERE, table.at, table.length))
        store_finish(&store, stamps->key, "\"what\": \"content and perceptual hashes of picture files\"", NOWHERE);
    jre_free(aside);
    text_free(&table);
}

/* With what another run noted meanwhile. */
void stamps_save(Stamps *stamps) {
    if (!stamps->changed || !stamps->store || stamps->store->disabled) return;
    int lock = store_lock(stamps->store, stamps->key);
    read_stamps(stamps);
    write_stamps(stamps);
    folder_unlock(lock);
    stamps->changed = false;
}

void stamps_free(Stamps *stamps) { arena_free(&stamps->arena); }
