/* files.c: reading and writing that loses nothing.
 *
 * A file is written whole without a name (where the system has no such files, under a temporary one beside its place), flushed
 * to the disk and moved into place: whoever looks sees the old content or the new one, also after a power cut. What cannot be
 * read or written says which path, what was tried, what the system answered and what to do. JRE_FAIL_READ=n and
 * JRE_FAIL_WRITE=n make the n-th attempt fail, for tests. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- small things -------------------------------------------------------------------------------------------------- */

/* Folder part of a path, "." if there is none. */
static const char *folder_of(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : arena_copy(arena, path, (size_t)(slash - path));
}

bool folder_exists(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool file_exists(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode);
}

static void explain_missing(Jre *jre, const char *path, Span asked_at) {
    Diagnostic *d = diag(jre, DIAG_file_missing, asked_at, "there is no file `%s`", path);
    Arena scratch = { .jre = jre };
    const char *folder = folder_of(&scratch, path);
    if (folder_exists(folder))
        diag_fact(d, "the folder `%s` is there, but nothing of that name is in it", folder);
    else
        diag_fact(d, "its folder `%s` is not there either", folder);
    diag_help(d, "check the spelling, capital letters too; a name begins at the folder of the document, those of a dataset and of its pairs at its `root`");
    arena_free(&scratch);
}

static void explain_unreadable(Jre *jre, const char *path, Span asked_at, int error) {
    Diagnostic *d = diag(jre, DIAG_file_unreadable, asked_at, "I wanted to read `%s`, the system says: %s", path, strerror(error));
    if (error == EACCES || error == EPERM)
        diag_help(d, "give yourself the right to read it: chmod u+r '%s'", path);
    else if (error == EISDIR)
        diag_help(d, "name a file inside that folder");
    else if (error == EMFILE || error == ENFILE)
        diag_help(d, "too many files are open at once: raise the limit with `ulimit -n`");
    else
        diag_help(d, "see whether another program can read it; if not, the disk or the network folder has a fault");
}

void file_explain(Jre *jre, const char *path, Span asked_at, int error) {
    if (error == ENOENT || error == ENOTDIR)
        explain_missing(jre, path, asked_at);
    else
        explain_unreadable(jre, path, asked_at, error);
}

const char *path_below(Jre *jre, const char *folder, const char *path) {
    if (path[0] == '/' || !folder || !*folder || strcmp(folder, ".") == 0) return intern(jre, path);
    Text joined = {.jre = jre};
    bool slash = folder[strlen(folder) - 1] == '/';
    text_add(&joined, "%s%s%s", folder, slash ? "" : "/", path);
    const char *result = intern_length(jre, joined.at, joined.length);
    text_free(&joined);
    return result;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* A descriptor and the length, or -1 with the system's error number. Folders are refused. */
static int open_to_read(Jre *jre, const char *path, size_t *length, int *error) {
    if (jre_fails_now(&jre_faults(jre)->fail_read_after)) {
        *error = EIO;
        return -1;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) != 0) {
        *error = errno;
    } else if (S_ISDIR(facts.st_mode)) {
        *error = EISDIR;
    } else {
        *length = facts.st_size > 0 ? (size_t)facts.st_size : 0;
        return file;
    }
    if (file >= 0)
        close(file);
    return -1;
}

int file_open(Jre *jre, const char *path, Span asked_at, size_t *length) {
    int error = 0, file = open_to_read(jre, path, length, &error);
    if (file < 0)
        file_explain(jre, path, asked_at, error);
    return file;
}

/* Fills up to `room` bytes; fewer only at the end of the file. -1: error. */
static ssize_t read_fully(int file, char *to, size_t room) {
    size_t filled = 0;
    while (filled < room) {
        ssize_t got = read(file, to + filled, room - filled);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        filled += (size_t)got;
    }
    return (ssize_t)filled;
}

/* Pipes and growing files do not know their length beforehand, so reading goes on until the end. */
static bool read_everything(Jre *jre, int file, size_t expected, char **bytes, size_t *length, int *error) {
    size_t room = expected + 1, filled = 0;
    char *buffer = jre_allocate(jre, room + 1);
    for (;;) {
        ssize_t got = read_fully(file, buffer + filled, room - filled);
        if (got < 0) {
            *error = errno;
            jre_release(buffer);
            return false;
        }
        filled += (size_t)got;
        if (filled < room)
            break;
        room = room * 2 + 4096;
        buffer = jre_grow(jre, buffer, room + 1);
    }
    buffer[filled] = '\0';
    *bytes = buffer;
    *length = filled;
    return true;
}

static bool load(Jre *jre, const char *path, char **bytes, size_t *length, int *error) {
    size_t expected = 0;
    int file = open_to_read(jre, path, &expected, error);
    if (file < 0)
        return false;
    bool read = read_everything(jre, file, expected, bytes, length, error);
    close(file);
    return read;
}

bool file_read(Jre *jre, const char *path, Span asked_at, char **bytes, size_t *length) {
    int error = 0;
    if (load(jre, path, bytes, length, &error))
        return true;
    file_explain(jre, path, asked_at, error);
    return false;
}

bool file_load(Jre *jre, const char *path, char **bytes, size_t *length, char why[256]) {
    int error = 0;
    if (load(jre, path, bytes, length, &error))
        return true;
    snprintf(why, 256, "it cannot be read, the system says: %s", strerror(error));
    return false;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static void explain_write_error(Jre *jre, const char *path, Span asked_at, int error) {
    Diagnostic *d = diag(jre, DIAG_cannot_write, asked_at, "I wanted to write `%s`, the system says: %s", path, strerror(error));
    if (error == ENOSPC || error == EDQUOT)
        diag_help(d, "make room on that disk; what was there under this name is untouched");
    else if (error == EISDIR || error == ENOTDIR || error == EEXIST)
        diag_help(d, "a folder stands where a file is wanted, or a file where a folder is: move one of them away");
    else if (error == EACCES || error == EPERM || error == EROFS)
        diag_help(d, "choose a folder that you may write to, or give yourself the right to write there");
    else
        diag_help(d, "what was there under this name is untouched; try again, or choose another folder");
}

/* Makes `path` and its parents. 0, or the system's error number with the part at fault in *at. */
static int make_folders(Arena *arena, const char *path, const char **at) {
    char *partial = arena_copy(arena, path, strlen(path));
    *at = partial;
    for (char *end = partial + 1;; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        char kept = *end;
        *end = '\0';
        if (mkdir(partial, 0777) != 0 && !folder_exists(partial))
            return errno == EEXIST ? ENOTDIR : errno;
        *end = kept;
        if (kept == '\0')
            return 0;
    }
}

bool folder_make(Jre *jre, const char *path, Span asked_at) {
    if (folder_exists(path) || *path == '\0')
        return true;
    Arena scratch = { .jre = jre };
    const char *at = path;
    int error = make_folders(&scratch, path, &at);
    if (error)
        explain_write_error(jre, at, asked_at, error);
    arena_free(&scratch);
    return error == 0;
}

static int write_fully(int file, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t put = write(file, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        bytes += put;
        length -= (size_t)put;
    }
    return 0;
}

/* A new file with a name of its own in `folder`. */
static int create_temporary(Arena *arena, const char *folder, const char **name) {
    for (int attempt = 0; attempt < 1000; attempt++) {
        *name = arena_print(arena, "%s/.jre-%ld-%d.part", folder, (long)getpid(), attempt);
        int file = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

/* A file without a name, where the system has such: it is gone with the process, however that ends. Else one with a name. */
static int open_temporary(Arena *arena, const char *folder, const char **name) {
    *name = NULL;
    int file = access("/proc/self/fd", X_OK) == 0 ? open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666) : -1;
    return file >= 0 ? file : create_temporary(arena, folder, name);
}

/* Puts a file without a name in the place of `path`: at once where nothing is there yet. A link cannot replace, so else it gets a name
 * beside it for a moment, the same for everybody: a process that died in that moment leaves no more than the next one takes away.
 * Who lost the name to another writer of the same file begins again. 0, or the system's error number. */
static int put_in_place(Arena *arena, const char *folder, const char *path, int file) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char hash[33];
    content_hash_of(name, strlen(name), hash);
    const char *here = arena_print(arena, "/proc/self/fd/%d", file), *beside = arena_print(arena, "%s/.jre-%s.part", folder, hash);
    if (linkat(AT_FDCWD, here, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
        (void)unlink(beside);
        return 0;
    }
    for (int attempt = 0; attempt < 1000; attempt++) {
        if (linkat(AT_FDCWD, here, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) != 0) {
            if (errno != EEXIST)
                return errno;
            if (unlink(beside) != 0 && errno != ENOENT)
                return errno;
        } else if (rename(beside, path) == 0) {
            return 0;
        } else if (errno != ENOENT) {
            int error = errno;
            (void)unlink(beside);
            return error;
        }
    }
    return EBUSY;
}

/* The rename itself is on the disk only when its folder is. Some file systems cannot flush folders: not an error. */
static void flush_folder(const char *folder) {
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return;
    (void)fsync(file);
    close(file);
}

/* 0, or the system's error number; then nothing is left behind and the old file stands. */
static int replace_file(Arena *arena, const char *path, const struct stat *old, const void *bytes, size_t length, bool fail) {
    const char *folder = folder_of(arena, path), *temporary;
    int file = open_temporary(arena, folder, &temporary);
    if (file < 0)
        return errno;
    if (old)
        (void)fchmod(file, old->st_mode & 07777);         /* who may read it stays as it was */
    int error = write_fully(file, bytes, fail ? length / 2 : length);
    if (!error && fail)
        error = ENOSPC;
    if (!error && fsync(file) != 0)
        error = errno;
    if (!error && !temporary)
        error = put_in_place(arena, folder, path, file);
    if (close(file) != 0 && !error)
        error = errno;
    if (!error && temporary && rename(temporary, path) != 0)
        error = errno;
    if (error && temporary)
        (void)unlink(temporary);
    else if (!error)
        flush_folder(folder);
    return error;
}

/* Pipes and devices (/dev/stdout) cannot be replaced, they are written to. */
static int write_in_place(const char *path, const void *bytes, size_t length, bool fail) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    int error = fail ? ENOSPC : write_fully(file, bytes, length);
    if (close(file) != 0 && !error)
        error = errno;
    return error;
}

bool file_write(Jre *jre, const char *path, Span asked_at, const void *bytes, size_t length) {
    Arena scratch = { .jre = jre };
    bool done = false, fail = jre_fails_now(&jre_faults(jre)->fail_write_after);
    if (!folder_make(jre, folder_of(&scratch, path), asked_at))
        goto out;
    struct stat old;
    bool there = stat(path, &old) == 0;
    int error;
    if (there && S_ISDIR(old.st_mode)) {
        error = EISDIR;
    } else if (there && !S_ISREG(old.st_mode)) {
        error = write_in_place(path, bytes, length, fail);
    } else {
        /* A link stays a link: the file that it names is replaced. */
        char buffer[PATH_MAX], *real = there ? realpath(path, buffer) : NULL;
        error = replace_file(&scratch, real ? real : path, there ? &old : NULL, bytes, length, fail);
    }
    if (error)
        explain_write_error(jre, path, asked_at, error);
    done = error == 0;
out:
    arena_free(&scratch);
    return done;
}

/* ---- trees of JSON ---------------------------------------------------------------------------------------------------------- */

static void delete_json(void *json) { cJSON_Delete(json); }

cJSON *json_parse_begin(Jre *jre, const char *bytes, size_t length, const char **rest) {
    cJSON *json = cJSON_ParseWithLengthOpts(bytes, length, rest, false);
    if (json)
        jre_own(jre, json, delete_json);
    return json;
}

cJSON *json_parse(Jre *jre, const char *bytes, size_t length) { return json_parse_begin(jre, bytes, length, NULL); }

void json_free(Jre *jre, cJSON *json) {
    if (!json)
        return;
    jre_disown(jre, json);
    cJSON_Delete(json);
}

/* ---- one at a time -------------------------------------------------------------------------------------------------------- */

int folder_lock(const char *folder) {
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return -1;
    int result;
    do
        result = flock(file, LOCK_EX);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return file;
    close(file);
    return -1;
}

void folder_unlock(int lock) {
    if (lock >= 0)
        close(lock);
}

/* ---- hashes ----------------------------------------------------------------------------------------------------------------- */

static void hash_digits(XXH128_hash_t hash, char hex[33]) {
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

void content_hash_of(const void *bytes, size_t length, char hex[33]) {
    hash_digits(XXH3_128bits(bytes, length), hex);
}

const char *hash_bytes(Jre *jre, const void *bytes, size_t length) {
    char hex[33];
    content_hash_of(bytes, length, hex);
    return intern(jre, hex);
}

const char *hash_file(Jre *jre, const char *path, Span asked_at) {
    enum { PIECE = 1 << 18 };
    size_t expected;
    int file = file_open(jre, path, asked_at, &expected);
    if (file < 0)
        return NULL;
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    char *piece = jre_allocate(jre, PIECE);
    ssize_t got;
    while ((got = read_fully(file, piece, PIECE)) > 0)
        XXH3_128bits_update(&state, piece, (size_t)got);
    int error = errno;
    jre_release(piece);
    close(file);
    if (got < 0) {
        explain_unreadable(jre, path, asked_at, error);
        return NULL;
    }
    char hex[33];
    hash_digits(XXH3_128bits_digest(&state), hex);
    return intern(jre, hex);
}
