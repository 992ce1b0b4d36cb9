/* picture.c: one picture file, on any thread.
 *
 * In: a task that names a picture and says what is wanted of it: its content hash, its perceptual hash, its pixels through a
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
    char *bytes, *mask_bytes;
    size_t length, mask_length;
    Image image, rgb, gray, mask, seen;
} Workspace;

static void task_exhausted(Jre *jre) {
    Workspace *space = (Workspace *)(void *)jre;
    longjmp(space->exhausted, 1);
}

static bool failed(PictureTask *task, DiagCode code) {
    task->code = code;
    return false;
}

static bool load(Workspace *space, PictureTask *task, const char *path, char **bytes, size_t *length) {
    return file_load(&space->jre, path, bytes, length, task->why) || failed(task, file_exists(path) ? DIAG_file_unreadable : DIAG_file_missing);
}

static const char changed[] = "it has changed since it was looked at; run again, and if that says the same, `touch` the file first";

/* The mask is what cannot be used: names it, and its line in the table, before `why`. */
static bool blame_mask(PictureTask *task, DiagCode code) {
    const PictureLook *look = task->look;
    char why[sizeof task->why], place[96] = "";
    memcpy(why, task->why, sizeof why);
    size_t length = look->mask_kind == MASK_FILES ? strlen(look->mask) : 0, table = look->table ? strlen(look->table) : 0;
    if (length) snprintf(place, sizeof place, " `%s%s`", length > 60 ? ".." : "", look->mask + (length > 60 ? length - 60 : 0));
    else if (table) snprintf(place, sizeof place, " in line %d of `%s%s`", look->line, table > 50 ? ".." : "", look->table + (table > 50 ? table - 50 : 0));
    snprintf(task->why, sizeof task->why, "its mask%s cannot be used: %.130s", place, why);
    return failed(task, code);
}

static bool load_mask_picture(Workspace *space, PictureTask *task) {
    const PictureLook *look = task->look;
    char hash[33];
    if (!load(space, task, look->mask, &space->mask_bytes, &space->mask_length)) return blame_mask(task, task->code);
    content_hash_of(space->mask_bytes, space->mask_length, hash);
    if (look->mask_hash && strcmp(hash, look->mask_hash) != 0) {
        snprintf(task->why, sizeof task->why, "%s", changed);
        return blame_mask(task, DIAG_file_unreadable);
    }
    const Image *picture = &space->image;
    return mask_from_png(&space->jre, (const uint8_t *)space->mask_bytes, space->mask_length, picture->width, picture->height, &space->mask, task->why) ||
           blame_mask(task, DIAG_wrong_mask);
}

static bool load_mask(Workspace *space, PictureTask *task) {
    const PictureLook *look = task->look;
    const Image *picture = &space->image;
    switch (look->mask_kind) {
    case MASK_NONE: return true;
    case MASK_ALPHA: return mask_from_alpha(&space->jre, picture, &space->mask, task->why) || failed(task, DIAG_wrong_mask);
    case MASK_COLUMN: return mask_from_text(&space->jre, look->mask, picture->width, picture->height, &space->mask, task->why) || blame_mask(task, DIAG_wrong_mask);
    case MASK_FILES: return load_mask_picture(space, task);
    }
    return true;
}

static void turn(Workspace *space, Image *image, int orientation) {
    Image turned;
    if (!image->pixels || orientation == 1) return;
    image_turn(&space->jre, image, orientation, &turned);
    image_free(image);
    *image = turned;
}

/* Picture and mask as they are to be seen: the mask belongs to the picture as it is stored, so both are turned. */
static bool decode(Workspace *space, PictureTask *task) {
    const uint8_t *bytes = (const uint8_t *)space->bytes;
    if (!image_decode(&space->jre, bytes, space->length, &space->image, task->why)) return failed(task, DIAG_file_corrupt);
    if (task->view && !load_mask(space, task)) return false;
    int orientation = task->look->exif_apply ? exif_orientation(bytes, space->length) : 1;
    turn(space, &space->image, orientation);
    turn(space, &space->mask, orientation);
    return true;
}

static bool see(Workspace *space, PictureTask *task) {
    const Image *mask = space->mask.pixels ? &space->mask : NULL;
    if (!view_pixels(&space->jre, task->view, &space->image, mask, &space->seen, task->why)) return failed(task, DIAG_file_corrupt);
    memcpy(task->out, space->seen.pixels, 3 * (size_t)space->seen.width * (size_t)space->seen.height);
    return true;
}

static bool run_task(Workspace *space, PictureTask *task) {
    if (setjmp(space->exhausted)) {
        snprintf(task->why, sizeof task->why, "no memory is left for it");
        return failed(task, DIAG_out_of_memory);
    }
    if (task->fail_read) {
        snprintf(task->why, sizeof task->why, "the disk reports an error");
        return failed(task, DIAG_file_unreadable);
    }
    const PictureLook *look = task->look;
    if (!load(space, task, look->path, &space->bytes, &space->length)) return false;
    if (task->want_hash || look->content_hash) content_hash_of(space->bytes, space->length, task->content_hash);
    if (look->content_hash && strcmp(look->content_hash, task->content_hash) != 0) {
        snprintf(task->why, sizeof task->why, "%s", changed);
        return failed(task, DIAG_file_unreadable);
    }
    if (!task->want_phash && !task->view) return true;
    if (!decode(space, task)) return false;
    if (task->view && !see(space, task)) return false;
    if (task->want_phash) {
        /* A cutout lies on middle gray: on black or white a dark or bright coat would vanish into the ground. */
        static const uint8_t ground[3] = {128, 128, 128};
        bool cutout = space->image.channels % 2 == 0;
        if (cutout) image_composite(&space->jre, &space->image, ground, &space->rgb);
        image_to_gray(&space->jre, cutout ? &space->rgb : &space->image, &space->gray);
        task->phash = image_phash(&space->jre, &space->gray);
        task->dhash = image_dhash(&space->jre, &space->gray);
    }
    return true;
}

bool picture_process(PictureTask *task) {
    Workspace space;
    memset(&space, 0, sizeof space);
    space.jre.on_exhaustion = task_exhausted;
    space.jre.faults = task->faults;
    bool sound = run_task(&space, task);
    jre_reclaim(&space.jre);
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

/* ---- looks ---------------------------------------------------------------------------------------------------------------------- */

enum { NAMED = 10 };

/* What a look of this picture is called: by its content, and by what else a view sees of it. */
static const char *name_look(Jre *jre, const PictureLook *look) {
    bool masked = look->mask_kind == MASK_COLUMN || look->mask_kind == MASK_FILES;
    if (!look->exif_apply && !masked) return look->content_hash;
    Text text = {.jre = jre};
    text_add(&text, "%s\n", look->content_hash);
    if (look->exif_apply) text_add(&text, "exif apply\n");
    if (masked) text_add(&text, "mask %s\n", look->mask_hash);
    const char *hash = hash_bytes(jre, text.at, text.length);
    text_free(&text);
    return hash;
}

PictureLook picture_look(Jre *jre, const Dataset *dataset, const View *view, int which) {
    const DatasetPlan *plan = dataset->plan;
    const Picture *picture = &dataset->pictures[which];
    PictureLook look = {.path = picture->path, .content_hash = picture->content_hash, .exif_apply = plan->exif_apply};
    if (view_wants(view, "Mask")) {
        look.mask_kind = plan->mask_kind;
        look.mask = picture->mask;
        look.mask_hash = picture->mask_hash;
        look.table = plan->table;
        look.line = picture->line;
    }
    if (look.mask_hash || (look.mask_kind != MASK_COLUMN && look.mask_kind != MASK_FILES)) look.hash = name_look(jre, &look);
    return look;
}

bool picture_looks(Jre *jre, const Dataset *dataset, const View *view, const int *which, int count, PictureLook *looks) {
    const DatasetPlan *plan = dataset->plan;
    Diagnostic *d = NULL;
    int without = 0;
    for (int i = 0; i < count; i++) {
        const Picture *picture = &dataset->pictures[which[i]];
        looks[i] = picture_look(jre, dataset, view, which[i]);
        if (looks[i].hash) continue;
        if (!without++) d = diag(jre, DIAG_wrong_mask, plan->mask_span, "of some pictures of `%s` the mask is not there, and the view `%s` wants it", plan->name, view->name ? view->name : "");
        if (without <= NAMED) diag_fact(d, "%s   %s%s", picture->path, picture->mask ? picture->mask : "the cell of its mask is empty", picture->mask ? " cannot be read" : "");
    }
    if (!without) return true;
    if (without > NAMED) diag_fact(d, "and %d more", without - NAMED);
    diag_help(d, "leave such pictures out by `only`, or use a view without `cover`");
    return false;
}

/* ---- masks before anything is computed ------------------------------------------------------------------------------------------ */

/* The size in a picture's header; `aside` takes the message about it. */
static bool stored_size(Jre *aside, const char *path, int *width, int *height) {
    bool sound = image_size(aside, path, NOWHERE, false, width, height);
    diag_forget(aside);
    return sound;
}

/* False: `why` says why not. A picture that has no size is told of elsewhere. */
static bool mask_fits(Jre *aside, const DatasetPlan *plan, const Picture *picture, char why[256]) {
    int width, height, mask_width, mask_height;
    if (!picture->mask || !stored_size(aside, picture->path, &width, &height)) return true;
    if (plan->mask_kind == MASK_COLUMN) return mask_from_text(aside, picture->mask, width, height, NULL, why);
    bool sized = stored_size(aside, picture->mask, &mask_width, &mask_height);
    if (!sized) snprintf(why, 256, "it %s", file_exists(picture->mask) ? "is no picture that can be read" : "is not there");
    else if (mask_width != width || mask_height != height) snprintf(why, 256, "it is %d x %d pixels, the picture is %d x %d", mask_width, mask_height, width, height);
    return sized && mask_width == width && mask_height == height;
}

bool dataset_masks_fit(Jre *jre, const Dataset *dataset) {
    const DatasetPlan *plan = dataset->plan;
    if (plan->mask_kind != MASK_COLUMN && plan->mask_kind != MASK_FILES) return true;
    Jre *aside = jre_aside(jre);
    Arena scratch = {.jre = jre};
    LIST(const char *) findings = {0};
    for (int i = 0; i < dataset->count && !jre->interrupted; i++) {
        const Picture *picture = &dataset->pictures[i];
        char why[256];
        if (mask_fits(aside, plan, picture, why)) continue;
        const char *whose = plan->mask_kind == MASK_FILES ? picture->mask : picture->path;
        const char *line = picture->line ? arena_print(&scratch, "line %d   ", picture->line) : "";
        list_add(&scratch, &findings, arena_print(&scratch, "%s%s   %s", line, whose, why));
    }
    jre_free(aside);
    if (findings.count) {
        Diagnostic *d = diag(jre, DIAG_wrong_mask, plan->mask_span, "%d of %d masks do not fit their pictures", findings.count, dataset->count);
        for (int i = 0; i < findings.count && i < NAMED; i++) diag_fact(d, "%s", findings.at[i]);
        if (findings.count > NAMED) diag_fact(d, "and %d more", findings.count - NAMED);
        diag_help(d, "make these masks again from the pictures as they are, or leave the rows out by `only`");
    }
    arena_free(&scratch);
    return !findings.count;
}
