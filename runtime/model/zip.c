/* zip.c: the entries of a zip archive, in memory.
 *
 * The directory at the end of the file is believed, once each of its numbers has been held against the file's length; of an entry's own header
 * only its length counts. Stored entries are used where they lie. Deflated ones are unpacked to just the bytes that the directory
 * promises, with a bound on all of them together, so that a small file cannot fill the memory. Encrypted and split archives are refused. */
#include "../runtime.h"

#include <string.h>
#include <zlib.h>

enum { END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20, CENTRAL_BYTES = 46, LOCAL_BYTES = 30, COMMENT_MOST = 65535 };
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, FLAG_ENCRYPTED = 1, EXTRA_ZIP64 = 1 };
enum { UNPACKED_FREE = 64 << 20, UNPACKED_RATIO = 100 };   /* of weights, even half of them zero, little more than 2 is left to gain */

static uint64_t number_at(const uint8_t *at, int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++) number |= (uint64_t)at[i] << (8 * i);
    return number;
}

/* ---- the directory ------------------------------------------------------------------------------------------------------------- */

typedef struct { uint64_t begins, bytes, entries; } Directory;

/* The last record of the file: its comment reaches just to the end. */
static const uint8_t *find_end(const WeightFile *file) {
    for (size_t comment = 0; comment <= COMMENT_MOST && file->mapped_bytes >= END_BYTES + comment; comment++) {
        const uint8_t *at = file->mapped + file->mapped_bytes - END_BYTES - comment;
        if (memcmp(at, "PK\x05\x06", 4) == 0 && number_at(at + 20, 2) == comment) return at;
    }
    return NULL;
}

static bool find_directory(Jre *jre, const WeightFile *file, Directory *directory) {
    const uint8_t *end = find_end(file);
    if (!end) return weights_refuse(jre, file, NULL, "it begins as a zip archive, but the directory at its end is missing");
    *directory = (Directory){number_at(end + 16, 4), number_at(end + 12, 4), number_at(end + 10, 2)};
    const uint8_t *locator = end - file->mapped >= LOCATOR_BYTES ? end - LOCATOR_BYTES : NULL;
    if (locator && memcmp(locator, "PK\x06\x07", 4) == 0) {        /* sizes beyond 32 bits */
        uint64_t at = number_at(locator + 8, 8);
        if (file->mapped_bytes < END64_BYTES || at > file->mapped_bytes - END64_BYTES || memcmp(file->mapped + at, "PK\x06\x06", 4) != 0)
            return weights_refuse(jre, file, NULL, "its directory is said to be at byte %llu, where none is", (unsigned long long)at);
        const uint8_t *end64 = file->mapped + at;
        *directory = (Directory){number_at(end64 + 48, 8), number_at(end64 + 40, 8), number_at(end64 + 32, 8)};
    }
    if (directory->begins > file->mapped_bytes || directory->bytes > file->mapped_bytes - directory->begins)
        return weights_refuse(jre, file, NULL, "its directory of %llu bytes at byte %llu reaches beyond the end of the file", (unsigned long long)directory->bytes,
                              (unsigned long long)directory->begins);
    if (directory->entries > directory->bytes / CENTRAL_BYTES)
        return weights_refuse(jre, file, NULL, "its directory is said to have %llu entries, and has room for %llu", (unsigned long long)directory->entries,
                              (unsigned long long)(directory->bytes / CENTRAL_BYTES));
    return true;
}

/* Sizes that did not fit into 32 bits stand behind the name, in this order. */
static void take_wide(const uint8_t *extra, size_t length, uint64_t *const wide[3]) {
    for (size_t at = 0; at + 4 <= length;) {
        size_t bytes = (size_t)number_at(extra + at + 2, 2), next = at + 4 + bytes, from = at + 4;
        if (next > length) return;
        for (int i = 0; number_at(extra + at, 2) == EXTRA_ZIP64 && i < 3; i++) {
            if (*wide[i] != UINT32_MAX || from + 8 > next) continue;
            *wide[i] = number_at(extra + from, 8);
            from += 8;
        }
        at = next;
    }
}

/* The entry's bytes begin behind a header of its own. */
static bool find_bytes(Jre *jre, const WeightFile *file, ZipEntry *entry) {
    const uint64_t length = file->mapped_bytes;
    if (length < LOCAL_BYTES || entry->begins > length - LOCAL_BYTES || memcmp(file->mapped + entry->begins, "PK\x03\x04", 4) != 0)
        return weights_refuse(jre, file, NULL, "`%.200s` is said to begin at byte %llu, where no entry does", entry->name, (unsigned long long)entry->begins);
    const uint8_t *local = file->mapped + entry->begins;
    entry->begins += LOCAL_BYTES + number_at(local + 26, 2) + number_at(local + 28, 2);
    if (entry->begins > length || entry->packed > length - entry->begins)
        return weights_refuse(jre, file, NULL, "`%.200s` with its %llu bytes reaches beyond the end of the file", entry->name, (unsigned long long)entry->packed);
    return true;
}

static bool check_entry(Jre *jre, const WeightFile *file, const ZipEntry *entry, uint64_t flags) {
    static const char *const pack_again = "pack it again without a password, stored or deflated";
    if (flags & FLAG_ENCRYPTED) return weights_refuse(jre, file, pack_again, "`%.200s` is encrypted", entry->name);
    if (entry->method != METHOD_STORED && entry->method != METHOD_DEFLATED)
        return weights_refuse(jre, file, pack_again, "`%.200s` is packed by method %d; I know 0 (stored) and 8 (deflated)", entry->name, entry->method);
    if (entry->method == METHOD_STORED && entry->packed != entry->bytes)
        return weights_refuse(jre, file, NULL, "`%.200s` is stored in %llu bytes and said to have %llu", entry->name, (unsigned long long)entry->packed,
                              (unsigned long long)entry->bytes);
    return true;
}

bool zip_directory(Jre *jre, const WeightFile *file, ZipArchive *zip) {
    Directory directory = {0};
    if (!find_directory(jre, file, &directory)) return false;
    const uint8_t *at = file->mapped + directory.begins, *end = at + directory.bytes;
    zip->entries = arena_array(&jre->forever, ZipEntry, directory.entries + 1);
    for (uint64_t i = 0; i < directory.entries; i++) {
        if (end - at < CENTRAL_BYTES || memcmp(at, "PK\x01\x02", 4) != 0) return weights_refuse(jre, file, NULL, "its directory breaks off at entry %llu", (unsigned long long)i + 1);
        size_t name = (size_t)number_at(at + 28, 2), extra = (size_t)number_at(at + 30, 2), comment = (size_t)number_at(at + 32, 2);
        if ((size_t)(end - at) < CENTRAL_BYTES + name + extra + comment) return weights_refuse(jre, file, NULL, "its directory breaks off at entry %llu", (unsigned long long)i + 1);
        if (memchr(at + CENTRAL_BYTES, '\0', name)) return weights_refuse(jre, file, NULL, "the name of entry %llu holds a byte of zero", (unsigned long long)i + 1);
        ZipEntry entry = {.name = intern_length(jre, (const char *)at + CENTRAL_BYTES, name), .method = (int)number_at(at + 10, 2), .checksum = (uint32_t)number_at(at + 16, 4),
                          .packed = number_at(at + 20, 4), .bytes = number_at(at + 24, 4), .begins = number_at(at + 42, 4)};
        take_wide(at + CENTRAL_BYTES + name, extra, (uint64_t *const[]){&entry.bytes, &entry.packed, &entry.begins});
        if (!check_entry(jre, file, &entry, number_at(at + 8, 2)) || !find_bytes(jre, file, &entry)) return false;
        if (map_get(&zip->by_name, entry.name)) return weights_refuse(jre, file, NULL, "it has `%.200s` twice", entry.name);
        zip->entries[zip->count] = entry;
        map_set(&zip->by_name, &jre->forever, entry.name, &zip->entries[zip->count++]);
        at += CENTRAL_BYTES + name + extra + comment;
    }
    return true;
}

/* ---- unpacking ------------------------------------------------------------------------------------------------------------------ */

/* zlib takes at most 4 GiB at once. */
static voidpf zlib_memory(voidpf jre, uInt count, uInt bytes) { return jre_allocate(jre, (size_t)count * bytes); }

static void zlib_release(voidpf jre, voidpf memory) {
    (void)jre;
    jre_release(memory);
}

static bool inflate_all(Jre *jre, const uint8_t *from, uint64_t packed, uint8_t *to, uint64_t bytes) {
    z_stream stream = {.zalloc = zlib_memory, .zfree = zlib_release, .opaque = jre};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
    int status = Z_OK;
    while (status == Z_OK) {
        uInt in = packed > 1u << 30 ? 1u << 30 : (uInt)packed, out = bytes > 1u << 30 ? 1u << 30 : (uInt)bytes;
        stream.next_in = (Bytef *)(uintptr_t)from;
        stream.next_out = to;
        stream.avail_in = in;
        stream.avail_out = out;
        status = inflate(&stream, Z_NO_FLUSH);
        uint64_t taken = in - stream.avail_in, made = out - stream.avail_out;
        from += taken, packed -= taken;
        to += made, bytes -= made;
        if (status == Z_OK && !taken && !made) status = Z_BUF_ERROR;
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END && bytes == 0;
}

static bool checksum_agrees(const ZipEntry *entry, const uint8_t *bytes) {
    return crc32_z(crc32_z(0, NULL, 0), bytes, (z_size_t)entry->bytes) == entry->checksum;
}

const uint8_t *zip_bytes(Jre *jre, WeightFile *file, const ZipEntry *entry) {
    const uint8_t *packed = file->mapped + entry->begins;
    if (entry->method == METHOD_STORED) return packed;
    if (entry->bytes > UNPACKED_FREE + (uint64_t)UNPACKED_RATIO * file->mapped_bytes - file->unpacked_bytes) {
        weights_refuse(jre, file, "if it is what it should be, write it again without compression", "a file of %zu bytes would unpack to over %llu: no weights are so even",
                       file->mapped_bytes, (unsigned long long)(file->unpacked_bytes + entry->bytes));
        return NULL;
    }
    uint8_t *bytes = jre_allocate(jre, (size_t)entry->bytes + 1);
    file->unpacked_bytes += entry->bytes;
    list_add(&jre->forever, &file->unpacked, bytes);
    if (inflate_all(jre, packed, entry->packed, bytes, entry->bytes) && checksum_agrees(entry, bytes)) return bytes;
    weights_refuse(jre, file, NULL, "`%.200s` does not unpack to the %llu bytes that it had", entry->name, (unsigned long long)entry->bytes);
    return NULL;
}
