/* dataset.c: from a plan to pictures with names.
 *
 * In: a DatasetPlan: a table and a template ("train/{filename}"), or a pattern ("test/x*.png"). Out: pictures in the order of the
 * table (or of their names), with content hashes, individuals numbered by name, and the burst that each belongs to. Contract:
 * everything wrong with the files is found before anything is computed, and said together, at most ten by name. */
#include "../runtime.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMED = 10, CHUNK = 128 };
static const DiagCode not_looked_at = (DiagCode)(DIAG_COUNT + 1);          /* what a task says that ^C came before */

typedef LIST(const char *) Findings;

/* What is asked for, and what loading has found so far. */
typedef struct {
    Jre *jre;
    Pool *pool;
    Store *store;
    Progress *progress;
    const DatasetPlan *plan;
    Dataset *dataset;
    Arena scratch;
} Loading;

/* "14 of 1,895 rows ..." with ten of them below. */
static void name_findings(Diagnostic *d, const Findings *findings) {
    for (int i = 0; i < findings->count && i < NAMED; i++) diag_fact(d, "%s", findings->at[i]);
    if (findings->count > NAMED) diag_fact(d, "and %d more", findings->count - NAMED);
}

static void add_finding(Loading *loading, Findings *findings, const char *text) { list_add(&loading->scratch, findings, text); }

/* ---- files ------------------------------------------------------------------------------------------------------------- */

typedef struct { int64_t size, modified, inode; } FileState;

static bool file_state(const char *path, FileState *state) {
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return false;
    /* Only compared, never reckoned with: a year beyond 2262 may wrap around. */
    uint64_t modified = (uint64_t)status.st_mtim.tv_sec * 1000000000u + (uint64_t)status.st_mtim.tv_nsec;
    *state = (FileState){status.st_size, (int64_t)modified, (int64_t)status.st_ino};
    return true;
}

/* Behind links a file may lie outside all that the document names. A folder is looked at once. */
typedef struct { char *root, *named; Map folders; } Bounds;

static const char *folder_named(Arena *arena, const DatasetPlan *plan, Jre *jre) {
    const char *whole = path_below(jre, plan->root, plan->image), *slash = NULL;
    for (const char *at = whole; *at && !strchr("{*", *at); at++)
        if (*at == '/') slash = at;
    return slash ? arena_copy(arena, whole, (size_t)(slash - whole) + (slash == whole)) : ".";
}

static bool below(const char *real, const char *folder) {
    size_t length = folder ? strlen(folder) : 0;
    return length == 1 || (length && !strncmp(real, folder, length) && (real[length] == '/' || !real[length]));
}

static bool real_below(const Bounds *bounds, const char *path) {
    char buffer[PATH_MAX], *real = realpath(path, buffer);
    return !real || below(real, bounds->root) || below(real, bounds->named);             /* what is not there is told as missing */
}

static bool inside_bounds(Loading *loading, Bounds *bounds, const char *path) {
    static const char inside_mark, outside_mark;
    struct stat status;
    const char *slash = strrchr(path, '/'), *folder = slash ? arena_copy(&loading->scratch, path, (size_t)(slash - path) + (slash == path)) : ".";
    const void *known = map_get(&bounds->folders, folder);
    if (!known) map_set(&bounds->folders, &loading->scratch, folder, (void *)(uintptr_t)(known = real_below(bounds, folder) ? &inside_mark : &outside_mark));
    return known == &inside_mark && (lstat(path, &status) != 0 || !S_ISLNK(status.st_mode) || real_below(bounds, path));
}

static const char *at_line(Loading *loading, const char *path, int line) { return line ? arena_print(&loading->scratch, "%s   line %d of the table", path, line) : path; }

static bool check_bounds(Loading *loading) {
    Dataset *dataset = loading->dataset;
    const char *root = loading->plan->root ? loading->plan->root : ".";
    char real[2][PATH_MAX];
    Bounds bounds = {.root = realpath(root, real[0]), .named = realpath(folder_named(&loading->scratch, loading->plan, loading->jre), real[1])};
    Findings outside = {0};
    for (int i = 0; i < dataset->count; i++) {
        const Picture *picture = &dataset->pictures[i];
        if (!inside_bounds(loading, &bounds, picture->path)) add_finding(loading, &outside, at_line(loading, picture->path, picture->line));
        else if (loading->plan->mask_kind == MASK_FILES && !inside_bounds(loading, &bounds, picture->mask)) add_finding(loading, &outside, at_line(loading, picture->mask, picture->line));
    }
    if (!outside.count) return true;
    Diagnostic *d = diag(loading->jre, DIAG_wrong_table, loading->plan->image_span, "%d of %d pictures lie behind links that lead out of `%s`", outside.count, dataset->count, root);
    name_findings(d, &outside);
    diag_help(d, "put the pictures themselves there, or let `root` be a folder that holds both; `root` itself may be a link");
    return false;
}

/* The file of a picture that is not there, or NULL. */
static const char *missing_file(const Loading *loading, const Picture *picture, FileState *state) {
    FileState mask;
    if (!file_state(picture->path, state)) return picture->path;
    return loading->plan->mask_kind == MASK_FILES && !file_state(picture->mask, &mask) ? picture->mask : NULL;
}

/* Looks at every file. Rows of missing ones are left out (`missing skip`) or refused together. */
static bool check_files(Loading *loading, FileState *states) {
    Dataset *dataset = loading->dataset;
    Findings missing = {0};
    int kept = 0, masks = 0;
    for (int i = 0; i < dataset->count; i++) {
        const char *path = missing_file(loading, &dataset->pictures[i], &states[kept]);
        masks += path && path == dataset->pictures[i].mask;
        if (path) add_finding(loading, &missing, at_line(loading, path, dataset->pictures[i].line));
        else dataset->pictures[kept++] = dataset->pictures[i];
    }
    if (!missing.count) return true;
    if (loading->plan->skip_missing && kept) {
        for (int i = 0; i < missing.count; i++) list_add(&loading->jre->forever, &dataset->skipped_files, intern(loading->jre, missing.at[i]));
        dataset->skipped = missing.count;
        dataset->count = kept;
        return true;
    }
    bool only_masks = masks == missing.count;
    Diagnostic *d = diag(loading->jre, DIAG_file_missing, only_masks ? loading->plan->mask_span : loading->plan->image_span, "%d of %d %s are not there", missing.count,
                         dataset->count, only_masks ? "masks" : masks ? "pictures or their masks" : "pictures");
    name_findings(d, &missing);
    if (kept) diag_help(d, "`missing skip` in the dataset leaves such rows out");
    else diag_help(d, "`root` in the dataset is the folder that `table` and `image` are relative to; now it is `%s`", loading->plan->root ? loading->plan->root : ".");
    return false;
}

void dataset_tell_skipped(const Dataset *dataset, int indent, Text *out) {
    if (!dataset->skipped) return;
    text_add(out, "%*s%d row%s skipped, as the picture is not there:\n", indent, "", dataset->skipped, plural(dataset->skipped));
    for (int i = 0; i < dataset->skipped_files.count && i < NAMED; i++) text_add(out, "%*s%s\n", indent + 2, "", dataset->skipped_files.at[i]);
    if (dataset->skipped > NAMED) text_add(out, "%*sand %d more\n", indent + 2, "", dataset->skipped - NAMED);
}

/* ---- measures, and what `only` leaves out by them ------------------------------------------------------------------------ */

bool dataset_measure(Jre *jre, Dataset *dataset) {
    int unknown = 0;
    for (int i = 0; i < dataset->count && unknown < NAMED; i++) {
        Picture *picture = &dataset->pictures[i];
        if (!picture->width && !image_size(jre, picture->path, dataset->plan->image_span, dataset->plan->exif_apply, &picture->width, &picture->height)) unknown++;
    }
    return !unknown;
}

/* A condition that asks for no measure has left its rows out already. */
static bool leave_out(Loading *loading, FileState *states) {
    Dataset *dataset = loading->dataset;
    const Expr *only = loading->plan->only;
    int all = dataset->count + dataset->left_out, kept = 0;
    Findings findings = {0};
    if (only && condition_needs_files(only)) {
        if (!dataset_measure(loading->jre, dataset)) return false;
        for (int i = 0; i < dataset->count; i++) {
            const char *trouble = condition_trouble(&loading->scratch, dataset, i, only);
            if (trouble) add_finding(loading, &findings, arena_print(&loading->scratch, "%s: %s", at_line(loading, dataset->pictures[i].path, dataset->pictures[i].line), trouble));
            if (!condition_holds(dataset, i, only)) continue;
            states[kept] = states[i];
            dataset->pictures[kept++] = dataset->pictures[i];
        }
        dataset->left_out += dataset->count - kept;
        dataset->count = kept;
    }
    if (findings.count) {
        Diagnostic *d = diag(loading->jre, DIAG_wrong_table, loading->plan->only_span, "of %d pictures it cannot be said whether they count", findings.count);
        name_findings(d, &findings);
        return false;
    }
    if (dataset->count) return true;
    Diagnostic *d = diag(loading->jre, DIAG_wrong_table, loading->plan->only_span, "none of %d pictures is left", all);
    diag_help(d, "a text is compared to the letter, and a comparison with an empty cell holds for no row");
    return false;
}

typedef struct { PictureTask *tasks; int count; const volatile int *interrupted; } TaskList;

static void run_tasks(void *context, int part, int parts) {
    TaskList *list = context;
    for (int i = part; i < list->count && !*list->interrupted; i += parts) list->tasks[i].code = picture_process(&list->tasks[i]) ? DIAG_COUNT : list->tasks[i].code;
}

/* Pictures whose hashes no stamp knows, in chunks, so that a bar moves between them; ^C is heard between pictures. */
typedef struct { int *which; int count; bool want_phash; FileState *states; Stamps *stamps; } Unread;

static void keep_hashes(Loading *loading, const Unread *unread, int picture, const PictureTask *task) {
    Picture *kept = &loading->dataset->pictures[picture];
    const FileState *state = &unread->states[picture];
    Stamp stamp = {.size = state->size, .modified = state->modified, .inode = state->inode, .path = kept->path};
    memcpy(stamp.content_hash, task->content_hash, sizeof stamp.content_hash);
    kept->content_hash = intern(loading->jre, task->content_hash);
    if (unread->want_phash) {
        kept->phash = stamp.phash = task->phash;
        kept->dhash = stamp.dhash = task->dhash;
        stamp.has_phash = true;
    }
    stamps_put(unread->stamps, &stamp);
}

/* What may be wrong with a picture; the second is all else. */
static const struct { DiagCode code; const char *what; } reasons[] = {
    {DIAG_file_corrupt, "cannot be decoded"}, {DIAG_file_unreadable, "cannot be read"}, {DIAG_file_missing, "have gone away"}, {DIAG_out_of_memory, "found no memory to be decoded in"}};
enum { REASONS = sizeof reasons / sizeof *reasons };

static Findings *findings_of(Findings *all, DiagCode code) {
    for (int i = 0; i < REASONS; i++)
        if (reasons[i].code == code) return &all[i];
    return &all[1];
}

static void report_unreadable(Loading *loading, int reason, const Findings *findings) {
    if (!findings->count) return;
    Diagnostic *d = diag(loading->jre, reasons[reason].code, loading->plan->image_span, "%d of %d pictures %s", findings->count, loading->dataset->count, reasons[reason].what);
    name_findings(d, findings);
    if (reasons[reason].code == DIAG_out_of_memory) diag_help(d, "close other programs, or run with fewer --threads");
    if (reasons[reason].code == DIAG_file_corrupt) diag_help(d, loading->plan->table ? "fetch them again, or take their rows out of the table" : "fetch them again, or move them out of the folder");
}

static bool read_pictures(Loading *loading, const Unread *unread) {
    Jre *jre = loading->jre;
    Progress bar = {0};
    if (loading->progress)
        bar = progress_start(loading->progress->out, loading->progress->quiet, arena_print(&jre->forever, "looking at %s", loading->plan->name), unread->count);
    int fail = injected_read_failure(jre, unread->count);
    Findings findings[REASONS] = {0};
    PictureTask *tasks = arena_array(&loading->scratch, PictureTask, CHUNK);
    PictureLook *looks = arena_array(&loading->scratch, PictureLook, unread->count + 1);
    for (int i = 0; i < unread->count; i++) looks[i] = (PictureLook){.path = loading->dataset->pictures[unread->which[i]].path, .exif_apply = loading->plan->exif_apply};
    int done = 0;
    bool whole = true;
    while (done < unread->count && !jre->interrupted) {
        TaskList list = {tasks, unread->count - done < CHUNK ? unread->count - done : CHUNK, &jre->interrupted};
        for (int i = 0; i < list.count; i++)
            tasks[i] = (PictureTask){.code = not_looked_at, .look = &looks[done + i], .fail_read = done + i == fail, .faults = jre_faults(jre), .want_hash = true, .want_phash = unread->want_phash};
        pool_run(loading->pool, run_tasks, &list);
        for (int i = 0; i < list.count; i++) {
            PictureTask *task = &tasks[i];
            if (task->code == DIAG_COUNT) {
                keep_hashes(loading, unread, unread->which[done + i], task);
                continue;
            }
            if (task->code == not_looked_at) {
                whole = false;
                continue;
            }
            add_finding(loading, findings_of(findings, task->code), arena_print(&loading->scratch, "%s   %s", task->look->path, task->why));
        }
        done += list.count;
        if (loading->progress) progress_step(&bar, done);
    }
    if (loading->progress) progress_end(&bar);
    bool sound = whole && done == unread->count;
    for (int i = 0; i < REASONS; i++) {
        report_unreadable(loading, i, &findings[i]);
        sound = sound && !findings[i].count;
    }
    return sound;
}

/* Content hashes, and perceptual ones if wanted: from stamps where they hold, else from the files. */
static bool hash_pictures(Loading *loading, FileState *states, bool want_phash) {
    Dataset *dataset = loading->dataset;
    Stamps stamps;
    stamps_load(&stamps, loading->jre, loading->store, loading->plan->exif_apply);
    Unread unread = {arena_array(&loading->scratch, int, dataset->count), 0, want_phash, states, &stamps};
    for (int i = 0; i < dataset->count; i++) {
        Picture *picture = &dataset->pictures[i];
        const Stamp *stamp = stamps_find(&stamps, picture->path, states[i].size, states[i].modified, states[i].inode);
        if (stamp && want_phash && !stamp->has_phash) stamp = stamps_content(&stamps, stamp->content_hash);
        if (stamp) {
            picture->content_hash = intern(loading->jre, stamp->content_hash);
            picture->phash = stamp->phash;
            picture->dhash = stamp->dhash;
        } else {
            unread.which[unread.count++] = i;
        }
    }
    bool sound = read_pictures(loading, &unread);
    stamps_save(&stamps);
    stamps_free(&stamps);
    if (sound) dataset->hashed = want_phash;
    return sound;
}

/* ---- individuals, bursts, key ----------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void number_individuals(Loading *loading) {
    Dataset *dataset = loading->dataset;
    if (!loading->plan->identity) return;
    Map places = {0};
    for (int i = 0; i < dataset->count; i++) map_set(&places, &loading->scratch, dataset->pictures[i].identity, (void *)1);
    dataset->identity_count = places.count;
    dataset->identities = arena_array(&loading->jre->forever, const char *, places.count);
    for (int i = 0; i < places.count; i++) dataset->identities[i] = places.entries[i].key;
    qsort(dataset->identities, (size_t)places.count, sizeof *dataset->identities, by_name);
    for (int i = 0; i < places.count; i++) map_set(&places, &loading->scratch, dataset->identities[i], (void *)(intptr_t)(i + 1));
    for (int i = 0; i < dataset->count; i++)
        dataset->pictures[i].identity_number = (int)(intptr_t)map_get(&places, dataset->pictures[i].identity) - 1;
}

/* ---- bursts -------------------------------------------------------------------------------------------------------------- */

static void tie_equal_bursts(Loading *loading, int *parent) {
    const Dataset *dataset = loading->dataset;
    Map bursts = {0};
    for (int i = 0; i < dataset->count; i++) {
        const char *burst = dataset->pictures[i].burst;
        intptr_t known = burst ? (intptr_t)map_get(&bursts, burst) : 0;
        if (known) ties_join(parent, (int)known - 1, i);
        else if (burst) map_set(&bursts, &loading->scratch, burst, (void *)(intptr_t)(i + 1));
    }
}

typedef struct { int individual, row; double seconds; } Moment;

static int by_moment(const void *a, const void *b) {
    const Moment *x = a, *y = b;
    if (x->individual != y->individual) return x->individual < y->individual ? -1 : 1;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Each picture of an individual, taken so soon after the last, is of its burst. Who or when nobody knows is alone. */
static void tie_moments(Loading *loading, int *parent) {
    const Dataset *dataset = loading->dataset;
    Moment *moments = arena_array(&loading->scratch, Moment, dataset->count);
    int count = 0;
    for (int i = 0; i < dataset->count; i++) {
        const Picture *picture = &dataset->pictures[i];
        if (picture->identity_number >= 0 && !isnan(picture->burst_seconds)) moments[count++] = (Moment){picture->identity_number, i, picture->burst_seconds};
    }
    qsort(moments, (size_t)count, sizeof *moments, by_moment);
    for (int i = 1; i < count; i++)
        if (moments[i].individual == moments[i - 1].individual && moments[i].seconds - moments[i - 1].seconds <= loading->plan->burst_seconds)
            ties_join(parent, moments[i - 1].row, moments[i].row);
}

static void number_units(Loading *loading) {
    Dataset *dataset = loading->dataset;
    int n = dataset->count, *unit = arena_array(&loading->scratch, int, n), *parent = arena_array(&loading->scratch, int, n);
    if (loading->plan->burst == BURST_LIKENESS && dataset->hashed) {
        uint64_t *hashes = arena_array(&loading->scratch, uint64_t, n);
        for (int i = 0; i < n; i++) hashes[i] = dataset->pictures[i].phash;
        dataset->units = near_duplicate_units(loading->jre, hashes, n, loading->plan->within, unit);
    } else {
        ties_start(parent, n);
        if (loading->plan->burst == BURST_COLUMN) tie_equal_bursts(loading, parent);
        if (loading->plan->burst == BURST_TIME) tie_moments(loading, parent);
        dataset->units = ties_units(parent, n, unit);
    }
    for (int i = 0; i < n; i++) dataset->pictures[i].unit = unit[i];
}

/* ---- key ------------------------------------------------------------------------------------------------------------------ */

/* Lengths stand before texts, so no text can look like the end of another. */
static void add_text(Text *leaf, const char *name, const char *value) {
    if (value) text_add(leaf, " %s %zu:%s", name, strlen(value), value);
}

/* What the table says of a picture besides who it is and its flank: roles, and the columns that conditions elsewhere may name, or splits. */
static void add_columns(Text *leaf, const Dataset *dataset, int i) {
    const Picture *picture = &dataset->pictures[i];
    add_text(leaf, "label", picture->label);
    add_text(leaf, "taken", picture->taken);
    if (dataset->plan->mask_kind == MASK_COLUMN) add_text(leaf, "mask", picture->mask);
    const NameList *columns[] = {&dataset->plan->keep, &dataset->plan->used};
    for (int list = 0; list < 2; list++)
        for (int k = 0; k < columns[list]->count; k++) add_text(leaf, columns[list]->at[k], picture_cell(dataset, i, columns[list]->at[k]));
}

/* What masks say is part of what pictures are. */
static void hash_masks(Loading *loading) {
    Jre *jre = loading->jre;
    for (int i = 0; i < loading->dataset->count; i++) {
        Picture *picture = &loading->dataset->pictures[i];
        char *bytes, why[256];
        size_t length;
        if (!picture->mask) continue;
        if (loading->plan->mask_kind == MASK_COLUMN) {
            picture->mask_hash = hash_bytes(jre, picture->mask, strlen(picture->mask));
        } else if (file_load(jre, picture->mask, &bytes, &length, why)) {
            picture->mask_hash = hash_bytes(jre, bytes, length);
            jre_release(bytes);
        }
    }
}

/* What a picture is called by its file is not content, and told all the same. Of bursts counts who is in them: how many rows before this
 * one its first picture stands, so that a new picture changes few other rows. */
static void make_key(Loading *loading) {
    Dataset *dataset = loading->dataset;
    KeyTree *tree = key_open(&loading->jre->forever, "pictures %s", loading->plan->name);
    int *first = arena_array(&loading->scratch, int, dataset->units + 1);
    key_leaf(tree, "pictures", loading->plan->image_span, "%d", dataset->count);
    for (int i = dataset->count - 1; i >= 0; i--) first[dataset->pictures[i].unit] = i;
    for (int i = 0; i < dataset->count; i++) {
        const Picture *picture = &dataset->pictures[i];
        const char *identity = picture->identity ? picture->identity : "", *flank = picture->flank ? picture->flank : "";
        Text columns = {.jre = loading->jre};
        add_columns(&columns, dataset, i);
        if (loading->plan->mask_kind == MASK_FILES && picture->mask_hash) text_add(&columns, " mask %s", picture->mask_hash);
        key_leaf(tree, "picture", NOWHERE, "%s %zu:%s %zu:%s %d%s", picture->content_hash, strlen(identity), identity, strlen(flank), flank, i - first[picture->unit], columns.length ? columns.at : "");
        text_free(&columns);
        tree->leaves.at[i + 1].place = picture->file;
    }
    if (loading->plan->exif_apply) key_leaf(tree, "exif", loading->plan->span, "apply");
    dataset->key = key_close(tree);
    dataset->tree = tree;
}

static const char *kept_text(Jre *jre, const char *text) { return text ? intern(jre, text) : NULL; }

/* The plan's own memory may go before the dataset does. */
static const DatasetPlan *copy_plan(Jre *jre, const DatasetPlan *plan) {
    DatasetPlan *copy = arena_new(&jre->forever, DatasetPlan);
    *copy = *plan;
    const char **texts[] = {&copy->name, &copy->root, &copy->table, &copy->image, &copy->identity, &copy->flank, &copy->label, &copy->taken, &copy->mask, &copy->burst_column};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = kept_text(jre, *texts[i]);
    copy->keep = copy->used = (NameList){0};
    for (int i = 0; i < plan->keep.count; i++) list_add(&jre->forever, &copy->keep, intern(jre, plan->keep.at[i]));
    for (int i = 0; i < plan->used.count; i++) list_add(&jre->forever, &copy->used, intern(jre, plan->used.at[i]));
    return copy;
}

static bool load(Loading *loading) {
    const DatasetPlan *plan = loading->plan;
    if (!dataset_rows(loading->jre, loading->dataset)) return false;
    FileState *states = arena_array(&loading->scratch, FileState, loading->dataset->count);
    if (!check_bounds(loading) || !check_files(loading, states) || !leave_out(loading, states)) return false;
    /* Without individuals nothing is ever split, so nobody asks which pictures are nearly one. */
    bool want_phash = plan->identity && plan->within >= 0;
    if (!hash_pictures(loading, states, want_phash)) return false;
    number_individuals(loading);
    number_units(loading);
    hash_masks(loading);
    make_key(loading);
    return true;
}

Dataset *dataset_load(Jre *jre, Pool *pool, Store *store, Progress *progress, const DatasetPlan *plan) {
    plan = copy_plan(jre, plan);
    Loading loading = {.jre = jre, .pool = pool, .store = store, .progress = progress, .plan = plan, .scratch = {.jre = jre}};
    loading.dataset = arena_new(&jre->forever, Dataset);
    loading.dataset->plan = plan;
    loading.dataset->splits = arena_new(&jre->forever, Map);
    bool sound = load(&loading);
    arena_free(&loading.scratch);
    return sound ? loading.dataset : NULL;
}

bool dataset_hash_pictures(Jre *jre, Pool *pool, Store *store, Progress *progress, Dataset *dataset) {
    if (dataset->hashed) return true;
    DatasetPlan plan = *dataset->plan;
    plan.skip_missing = false;            /* the pictures are numbered already: none may go now */
    Loading loading = {.jre = jre, .pool = pool, .store = store, .progress = progress, .plan = &plan, .dataset = dataset, .scratch = {.jre = jre}};
    FileState *states = arena_array(&loading.scratch, FileState, dataset->count);
    bool sound = check_files(&loading, states) && hash_pictures(&loading, states, true);
    arena_free(&loading.scratch);
    return sound;
}
