/* picture.c: one picture file, on any thread.
 *
 * In: a task that names a file and says what is wanted of it: its content hash, its perceptual hash, its numbers through a
 * view. Out: what was asked for, or a diagnostic's code and a sentence that the caller's thread files later. Contract: a
 * task touches no memory but its own, so any number of them may run at once. Memory comes from a Jre of the task's own, whose
 * exhaustion jumps back to the task and not into another thread's stack. */
#include "../runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { LARGEST_PICTURE_FILE = 1 << 30 };

/* The Jre comes first, so that its address is the workspace's. */
typedef struct {
    Jre jre;
    jmp_buf exhausted;
    uint8_t *bytes;
    size_t length;
    Image image, rgb;
} Workspace;

static void task_exhausted(Jre *jre) {
    Workspace *space = (Workspace *)(void *)jre;
    longjmp(space->exhausted, 1);
}

static bool read_failed(int file, DiagCode reason, const char *sentence, DiagCode *code, char why[256]) {
    if (file >= 0) close(file);
    *code = reason;
    snprintf(why, 256, "%s", sentence);
    return false;
}

/* strerror has one buffer for all threads; these are the reasons that people meet. */
static const char *reason_of(int error) {
    switch (error) {
    case EACCES:
    case EPERM: return "no permission to read it";
    case EISDIR: return "it is a folder";
    case EIO: return "the disk reports an error";
    case EMFILE:
    case ENFILE: return "too many files are open";
    case ELOOP: return "its links lead in a circle";
    case ENAMETOOLONG: return "its name is too long";
    default: return "the system cannot read it";
    }
}

bool file_read_quietly(Jre *memory, const char *path, uint8_t **bytes, size_t *length, DiagCode *code, char why[256]) {
    *bytes = NULL;
    *length = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        return read_failed(file, absent ? DIAG_file_missing : DIAG_file_unreadable, absent ? "it is not there" : reason_of(errno), code, why);
    }
    struct stat status;
    if (fstat(file, &status) != 0) return read_failed(file, DIAG_file_unreadable, reason_of(errno), code, why);
    if (!S_ISREG(status.st_mode)) return read_failed(file, DIAG_file_unreadable, S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a file", code, why);
    if (status.st_size > LARGEST_PICTURE_FILE) return read_failed(file, DIAG_file_unreadable, "it is larger than 1 GiB", code, why);
    size_t size = (size_t)status.st_size, got = 0;
    *bytes = jre_allocate(memory, size + 1);
    while (got < size) {
        ssize_t more = read(file, *bytes + got, size - got);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) break;
        got += (size_t)more;
    }
    if (got < size) {
        jre_release(*bytes);
        *bytes = NULL;
        return read_failed(file, DIAG_file_unreadable, "it ends early, or the disk reports an error", code, why);
    }
    close(file);
    (*bytes)[size] = 0;
    *length = size;
    return true;
}

void content_hash_of(const void *bytes, size_t length, char hex[33]) {
    XXH128_hash_t hash = XXH3_128bits(bytes, length);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

static bool run_task(Workspace *space, PictureTask *task) {
    if (setjmp(space->exhausted)) {
        task->code = DIAG_file_unreadable;
        snprintf(task->why, sizeof task->why, "there is not enough memory for it");
        return false;
    }
    if (task->fail_read) {
        task->code = DIAG_file_unreadable;
        snprintf(task->why, sizeof task->why, "the disk reports an error");
        return false;
    }
    if (!file_read_quietly(&space->jre, task->path, &space->bytes, &space->length, &task->code, task->why)) return false;
    if (task->want_hash) content_hash_of(space->bytes, space->length, task->content_hash);
    if (!task->want_phash && !task->view) return true;
    if (!image_decode(&space->jre, space->bytes, space->length, &space->image, task->why)) {
        task->code = DIAG_file_corrupt;
        return false;
    }
    if (task->view) view_apply(&space->jre, task->view, &space->image, task->out);
    if (task->want_phash) {
        /* A cutout lies on middle gray: on black or white a dark or bright coat would vanish into the ground. */
        static const uint8_t gray[3] = {128, 128, 128};
        image_composite(&space->jre, &space->image, gray, &space->rgb);
        task->phash = image_phash(&space->jre, &space->rgb);
    }
    return true;
}

bool picture_process(PictureTask *task) {
    Workspace space;
    memset(&space, 0, sizeof space);
    space.jre.on_exhaustion = task_exhausted;
    bool sound = run_task(&space, task);
    jre_release(space.bytes);
    if (space.image.pixels) image_free(&space.image);
    if (space.rgb.pixels) image_free(&space.rgb);
    return sound;
}

int injected_read_failure(Jre *jre, int reads) {
    if (jre->fail_read_after <= 0) return -1;
    if (jre->fail_read_after > reads) {
        jre->fail_read_after -= reads;
        return -1;
    }
    int which = (int)jre->fail_read_after - 1;
    jre->fail_read_after = 0;
    return which;
}
