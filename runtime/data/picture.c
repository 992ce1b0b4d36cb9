/* picture.c: one picture file, on any thread.
 *
 * In: a task that names a file and says what is wanted of it: its content hash, its perceptual hash, its numbers through a
 * view. Out: what was asked for, or a diagnostic's code and a sentence that the caller's thread files later. Contract: a
 * task touches no memory but its own, so any number of them may run at once. Memory comes from a Jre of the task's own, whose
 * exhaustion jumps back to the task and not into another thread's stack. */
#include "../runtime.h"

#include <setjmp.h>
#include <string.h>

/* The Jre comes first, so that its address is the workspace's. */
typedef struct {
    Jre jre;
    jmp_buf exhausted;
    char *bytes;
    size_t length;
    Image image, rgb;
} Workspace;

static void task_exhausted(Jre *jre) {
    Workspace *space = (Workspace *)(void *)jre;
    longjmp(space->exhausted, 1);
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
    if (!file_load(&space->jre, task->path, &space->bytes, &space->length, task->why)) {
        task->code = file_exists(task->path) ? DIAG_file_unreadable : DIAG_file_missing;
        return false;
    }
    if (task->want_hash) content_hash_of(space->bytes, space->length, task->content_hash);
    if (!task->want_phash && !task->view) return true;
    if (!image_decode(&space->jre, (const uint8_t *)space->bytes, space->length, &space->image, task->why)) {
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
