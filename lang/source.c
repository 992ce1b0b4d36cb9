/* source.c: the bytes of every file, kept for ever; places.
 *
 * All texts lie end to end in one space of 32-bit offsets, so a Span needs no file beside it. Between two texts two
 * offsets stay free: a place behind the last byte belongs to the text before it. Contract: bytes never move. */
#include "lang.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t longest_source = (size_t)64 << 20;

/* ---- taking in a text ------------------------------------------------------------------------------------------- */

static const char *stem_of(Jre *jre, const char *name) {
    const char *slash = strrchr(name, '/');
    const char *first = slash ? slash + 1 : name;
    const char *dot = strrchr(first, '.');
    return intern_length(jre, first, dot && dot > first ? (size_t)(dot - first) : strlen(first));
}

static const char *folder_of(Jre *jre, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? intern_length(jre, path, slash > path ? (size_t)(slash - path) : 1) : intern(jre, ".");
}

/* `bytes` must already live as long as the context, with a NUL behind the last. */
static Source *source_add(Jre *jre, const char *path, const char *name, const char *bytes, size_t length) {
    if (length > longest_source || length + 2 > UINT32_MAX - jre->next_base) {
        diag(jre, DIAG_file_unreadable, NOWHERE, "`%s` is too large: texts may have 64 MiB, and all of them together 4 GiB", name);
        return NULL;
    }
    Source *source = arena_new(&jre->forever, Source);
    *source = (Source){
        .path = path, .name = intern(jre, name), .stem = stem_of(jre, name),
        .folder = path ? folder_of(jre, path) : intern(jre, "."),
        .bytes = bytes, .length = (uint32_t)length, .base = jre->next_base,
    };
    jre->next_base += (uint32_t)length + 2;
    list_add(&jre->forever, &jre->sources, source);
    return source;
}

Source *source_from_text(Jre *jre, const char *name, const char *bytes, size_t length) {
    if (length > longest_source)
        return source_add(jre, NULL, name, "", length);
    return source_add(jre, NULL, name, arena_copy(&jre->forever, bytes, length), length);
}

/* ---- reading a file ------------------------------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void close_listing(void *listing) {
    closedir(listing);
}

bool folder_names(Arena *arena, const char *folder, NameList *names) {
    DIR *listing = opendir(folder);
    if (!listing)
        return false;
    jre_own(arena->jre, listing, close_listing);
    for (struct dirent *entry; (entry = readdir(listing));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            list_add(arena, names, arena_copy(arena, entry->d_name, strlen(entry->d_name)));
    jre_disown(arena->jre, listing);
    closedir(listing);
    if (names->count)
        qsort(names->at, (size_t)names->count, sizeof *names->at, by_bytes);
    return true;
}

/* A document of nearly this name in the same folder, or NULL. */
static const char *neighbor_like(Jre *jre, const char *path) {
    const char *folder = folder_of(jre, path), *slash = strrchr(path, '/');
    NameList found = { 0 }, names = { 0 };
    Arena scratch = { .jre = jre };
    folder_names(&scratch, folder, &found);
    for (int i = 0; i < found.count && names.count < 1000; i++) {
        size_t length = strlen(found.at[i]);
        if (length > 4 && strcmp(found.at[i] + length - 4, ".jre") == 0)
            list_add(&scratch, &names, found.at[i]);
    }
    const char *nearest = nearest_name(slash ? slash + 1 : path, names.at, names.count);
    nearest = nearest ? intern(jre, nearest) : NULL;
    arena_free(&scratch);
    return nearest;
}

static void complain(Jre *jre, const char *path, Span asked_at, int error) {
    if (error == ENOENT || error == ENOTDIR) {
        Diagnostic *d = diag(jre, DIAG_file_missing, asked_at, "there is no file `%s`", path);
        const char *near = neighbor_like(jre, path);
        if (near)
            diag_help(d, "did you mean `%s`?", near);
    } else if (error == EISDIR) {
        diag(jre, DIAG_file_unreadable, asked_at, "`%s` is a folder; I expected a file", path);
    } else if (error == EFBIG) {
        diag(jre, DIAG_file_unreadable, asked_at, "`%s` is larger than the 64 MiB that a text may have", path);
    } else {
        diag(jre, DIAG_file_unreadable, asked_at, "`%s` cannot be read: %s", path, strerror(error));
    }
}

/* All bytes of an open file into `text`; 0 or the system's error number. Pipes have no length, so it just reads on. */
static int read_all(Jre *jre, int file, Text *text) {
    struct stat facts;
    if (fstat(file, &facts) != 0)
        return errno;
    if (S_ISDIR(facts.st_mode))
        return EISDIR;
    for (;;) {
        char part[16384];
        ssize_t got = jre_fails_now(&jre->fail_read_after) ? (errno = EIO, -1) : read(file, part, sizeof part);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        text_add_bytes(text, part, (size_t)got);
        if (text->length > longest_source)
            return EFBIG;
    }
}

Source *source_read(Jre *jre, const char *path, Span asked_at) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    Text text = { .jre = jre };
    int error = file < 0 ? errno : read_all(jre, file, &text);
    if (file >= 0)
        close(file);
    if (error) {
        text_free(&text);
        complain(jre, path, asked_at, error);
        return NULL;
    }
    const char *bytes = arena_copy(&jre->forever, text.at, text.length);
    size_t length = text.length;
    text_free(&text);
    const char *kept = intern(jre, path);
    return source_add(jre, kept, kept, bytes, length);
}

/* ---- places ---------------------------------------------------------------------------------------------------------- */

static Source *source_at(const Jre *jre, uint32_t offset) {
    int low = 0, high = jre->sources.count;
    while (low < high) {                        /* the last source whose base is not behind the offset */
        int middle = low + (high - low) / 2;
        if (jre->sources.at[middle]->base <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || !offset)
        return NULL;
    Source *source = jre->sources.at[low - 1];
    return offset - source->base <= source->length + 1 ? source : NULL;
}

Source *source_of(const Jre *jre, Span span) {
    return span.start ? source_at(jre, span.start) : NULL;
}

static void find_lines(Jre *jre, Source *source) {
    int count = 1;
    const char *end = source->bytes + source->length, *at = source->bytes;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))))
        at++, count++;
    source->line_starts = arena_array(&jre->forever, uint32_t, count);
    source->line_count = 1;
    at = source->bytes;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))))
        source->line_starts[source->line_count++] = (uint32_t)(++at - source->bytes);
}

/* Every byte begins a character but those that go on one. */
static int characters(const char *bytes, uint32_t length) {
    int count = 0;
    for (uint32_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

Place place_of(Jre *jre, uint32_t offset) {
    Source *source = source_at(jre, offset);
    if (!source)
        return (Place){ 0 };
    if (!source->line_starts)
        find_lines(jre, source);
    uint32_t within = offset - source->base;
    if (within > source->length)
        within = source->length;
    int low = 0, high = source->line_count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= within)
            low = middle;
        else
            high = middle;
    }
    uint32_t start = source->line_starts[low];
    return (Place){ source, low + 1, characters(source->bytes + start, within - start) + 1 };
}

Span span_join(Span a, Span b) {
    if (!a.start)
        return b;
    if (!b.start)
        return a;
    return (Span){ a.start < b.start ? a.start : b.start, a.end > b.end ? a.end : b.end };
}

const char *span_text(Jre *jre, Span span) {
    Source *source = source_of(jre, span);
    if (!source || span.end <= span.start || span.start - source->base > source->length)
        return intern(jre, "");
    uint32_t start = span.start - source->base, end = span.end - source->base;
    return intern_length(jre, source->bytes + start, (end < source->length ? end : source->length) - start);
}
