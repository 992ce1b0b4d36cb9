/* dataset.c: from a plan to pictures with names.
 *
 * In: a DatasetPlan: a table and a template ("train/{filename}"), or a pattern ("test/x*.png"). Out: pictures in the order of the
 * table (or of their names), with content hashes, individuals numbered by name, and the burst that each belongs to. Contract:
 * everything wrong with the files is found before anything is computed, and said together, at most ten by name. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMED = 10, CHUNK = 128 };

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

const char *path_below(Jre *jre, const char *folder, const char *path) {
    if (path[0] == '/' || !folder || !*folder || strcmp(folder, ".") == 0) return intern(jre, path);
    Text joined = {.jre = jre};
    bool slash = folder[strlen(folder) - 1] == '/';
    text_add(&joined, "%s%s%s", folder, slash ? "" : "/", path);
    const char *result = intern_length(jre, joined.at, joined.length);
    text_free(&joined);
    return result;
}

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

/* Looks at every file. Rows of missing ones are left out (`missing skip`) or refused together. */
static bool check_files(Loading *loading, FileState *states) {
    Dataset *dataset = loading->dataset;
    Findings missing = {0};
    int kept = 0;
    for (int i = 0; i < dataset->count; i++) {
        if (file_state(dataset->pictures[i].path, &states[kept])) {
            dataset->pictures[kept] = dataset->pictures[i];
            kept++;
            continue;
        }
        const char *path = dataset->pictures[i].path;
        int line = dataset->pictures[i].line;
        add_finding(loading, &missing, line ? arena_print(&loading->scratch, "%s   line %d of the table", path, line) : path);
    }
    if (!missing.count) return true;
    if (loading->plan->skip_missing && kept) {
        dataset->skipped = missing.count;
        dataset->count = kept;
        return true;
    }
    Diagnostic *d = diag(loading->jre, DIAG_file_missing, loading->plan->image_span, "%d of %d pictures are not there", missing.count, dataset->count);
    name_findings(d, &missing);
    if (kept) diag_help(d, "`missing skip` in the dataset leaves such rows out");
    else diag_help(d, "`root` in the dataset is the folder that `table` and `image` are relative to; now it is `%s`", loading->plan->root ? loading->plan->root : ".");
    return false;
}

typedef struct { PictureTask *tasks; int count; } TaskList;

static void run_tasks(void *context, int part, int parts) {
    TaskList *list = context;
    for (int i = part; i < list->count; i += parts) list->tasks[i].code = picture_process(&list->tasks[i]) ? DIAG_COUNT : list->tasks[i].code;
}

/* Pictures whose hashes no stamp knows, in chunks, so that a bar moves and ^C is heard between them. */
typedef struct { int *which; int count; bool want_phash; FileState *states; Stamps *stamps; } Unread;

static void keep_hashes(Loading *loading, const Unread *unread, int picture, const PictureTask *task) {
    Picture *kept = &loading->dataset->pictures[picture];
    const FileState *state = &unread->states[picture];
    Stamp stamp = {.size = state->size, .modified = state->modified, .inode = state->inode, .path = kept->path};
    memcpy(stamp.content_hash, task->content_hash, sizeof stamp.content_hash);
    kept->content_hash = intern(loading->jre, task->content_hash);
    if (unread->want_phash) {
        kept->phash = stamp.phash = task->phash;
        stamp.has_phash = true;
    }
    stamps_put(unread->stamps, &stamp);
}

static void report_unreadable(Loading *loading, DiagCode code, const Findings *findings) {
    if (!findings->count) return;
    const char *what = code == DIAG_file_corrupt ? "cannot be decoded" : code == DIAG_file_missing ? "have gone away" : "cannot be read";
    Diagnostic *d = diag(loading->jre, code, loading->plan->image_span, "%d of %d pictures %s", findings->count, loading->dataset->count, what);
    name_findings(d, findings);
}

static bool read_pictures(Loading *loading, const Unread *unread) {
    Jre *jre = loading->jre;
    Progress bar = {0};
    if (loading->progress)
        bar = progress_start(loading->progress->out, loading->progress->quiet, arena_print(&jre->forever, "looking at %s", loading->plan->name), unread->count);
    int fail = injected_read_failure(jre, unread->count);
    Findings corrupt = {0}, unreadable = {0}, missing = {0};
    PictureTask *tasks = arena_array(&loading->scratch, PictureTask, CHUNK);
    int done = 0;
    while (done < unread->count && !jre->interrupted) {
        TaskList list = {tasks, unread->count - done < CHUNK ? unread->count - done : CHUNK};
        for (int i = 0; i < list.count; i++)
            tasks[i] = (PictureTask){.path = loading->dataset->pictures[unread->which[done + i]].path, .fail_read = done + i == fail,
                                     .want_hash = true, .want_phash = unread->want_phash};
        pool_run(loading->pool, run_tasks, &list);
        for (int i = 0; i < list.count; i++) {
            PictureTask *task = &tasks[i];
            if (task->code == DIAG_COUNT) {
                keep_hashes(loading, unread, unread->which[done + i], task);
                continue;
            }
            Findings *findings = task->code == DIAG_file_corrupt ? &corrupt : task->code == DIAG_file_missing ? &missing : &unreadable;
            add_finding(loading, findings, arena_print(&loading->scratch, "%s   %s", task->path, task->why));
        }
        done += list.count;
        if (loading->progress) progress_step(&bar, done);
    }
    if (loading->progress) progress_end(&bar);
    report_unreadable(loading, DIAG_file_corrupt, &corrupt);
    report_unreadable(loading, DIAG_file_unreadable, &unreadable);
    report_unreadable(loading, DIAG_file_missing, &missing);
    return done == unread->count && !corrupt.count && !unreadable.count && !missing.count;
}

/* Content hashes, and perceptual ones if wanted: from stamps where they hold, else from the files. */
static bool hash_pictures(Loading *loading, FileState *states, bool want_phash) {
    Dataset *dataset = loading->dataset;
    Stamps stamps;
    stamps_load(&stamps, loading->jre, loading->store);
    Unread unread = {arena_array(&loading->scratch, int, dataset->count), 0, want_phash, states, &stamps};
    for (int i = 0; i < dataset->count; i++) {
        Picture *picture = &dataset->pictures[i];
        const Stamp *stamp = stamps_find(&stamps, picture->path, states[i].size, states[i].modified, states[i].inode);
        if (stamp && want_phash && !stamp->has_phash) stamp = stamps_content(&stamps, stamp->content_hash);
        if (stamp) {
            picture->content_hash = intern(loading->jre, stamp->content_hash);
            picture->phash = stamp->phash;
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

static void number_units(Loading *loading) {
    Dataset *dataset = loading->dataset;
    int *unit = arena_array(&loading->scratch, int, dataset->count);
    Map bursts = {0};
    if (dataset->hashed) {
        uint64_t *hashes = arena_array(&loading->scratch, uint64_t, dataset->count);
        for (int i = 0; i < dataset->count; i++) hashes[i] = dataset->pictures[i].phash;
        dataset->units = near_duplicate_units(loading->jre, hashes, dataset->count, loading->plan->within, unit);
    } else {
        for (int i = 0; i < dataset->count; i++) {
            const char *burst = dataset->pictures[i].burst;
            intptr_t known = burst ? (intptr_t)map_get(&bursts, burst) : 0;
            unit[i] = known ? (int)known - 1 : dataset->units++;
            if (burst && !known) map_set(&bursts, &loading->scratch, burst, (void *)(intptr_t)dataset->units);
        }
    }
    for (int i = 0; i < dataset->count; i++) dataset->pictures[i].unit = unit[i];
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
        /* Lengths stand before names, so no name can look like the end of another. */
        const char *identity = picture->identity ? picture->identity : "", *flank = picture->flank ? picture->flank : "";
        key_leaf(tree, "picture", NOWHERE, "%s %zu:%s %zu:%s %d", picture->content_hash, strlen(identity), identity, strlen(flank), flank, i - first[picture->unit]);
        tree->leaves.at[i + 1].place = picture->file;
    }
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
    copy->keep = (NameList){0};
    for (int i = 0; i < plan->keep.count; i++) list_add(&jre->forever, &copy->keep, intern(jre, plan->keep.at[i]));
    return copy;
}

static bool load(Loading *loading) {
    const DatasetPlan *plan = loading->plan;
    if (!dataset_rows(loading->jre, loading->dataset)) return false;
    FileState *states = arena_array(&loading->scratch, FileState, loading->dataset->count);
    if (!check_files(loading, states)) return false;
    /* Without individuals nothing is ever split, so nobody asks which pictures are nearly one. */
    bool want_phash = plan->identity && plan->within >= 0 && !plan->burst_column;
    if (!hash_pictures(loading, states, want_phash)) return false;
    number_individuals(loading);
    number_units(loading);
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
