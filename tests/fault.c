/* fault.c: runs in which something fails: memory, a file, the disk, the process itself.
 *
 * A run of the program is repeated with JRE_FAIL_ALLOC, JRE_FAIL_READ, JRE_FAIL_WRITE = 1, 2, 3, ... until nothing fails any more, and killed at
 * instants drawn from a fixed seed. Each time: it ends by itself with 1 or 2 and says why in words, or it did not mind and ends as ever; nothing
 * half-written is left; and a run after it ends with the same bytes as one that nothing disturbed. Leaks are found by the sanitizers' build.
 * Small pictures and a sample of the numbers, or (make fault) every number, also for v01 on painted jaguars. */
#include "site.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { WORDS = 24, SOUND_AT_LAST = 30, ALL_UP_TO = 60, STRIDE = 11, KILLS_SHORT = 10, KILLS_LONG = 50, NPY_HEADER = 128 };

/* What is run, what nothing disturbed ends with. */
typedef struct {
    Site site;
    const char *command[WORDS]; int words;
    int status;
    char *results;
    double seconds;
} Scene;

static bool long_form(void) {
    const char *asked = getenv("JRE_FAULT");
    return asked && strcmp(asked, "all") == 0;
}

static const char *build_folder(void) {
    const char *build = getenv("JRE_BUILD");
    return build ? build : "build";
}

/* ---- a run of the program -------------------------------------------------------------------------------------------------------- */

typedef struct { const char *variable; long n; const char *into, *log; long largest_file; } Attempt;

static pid_t start(const Scene *scene, const Attempt *attempt) {
    pid_t child = fork();
    if (child) return child;
    char number[32];
    const char *words[WORDS + 4];
    int log = open(attempt->log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    snprintf(number, sizeof number, "%ld", attempt->n);
    if (attempt->variable) setenv(attempt->variable, number, 1);
    struct rlimit largest = {(rlim_t)attempt->largest_file, (rlim_t)attempt->largest_file};
    if (attempt->largest_file) setrlimit(RLIMIT_FSIZE, &largest);
    setenv("ASAN_OPTIONS", "exitcode=99", 1);
    memcpy(words, scene->command, sizeof scene->command);
    words[scene->words] = "--into";
    words[scene->words + 1] = attempt->into;
    words[scene->words + 2] = NULL;
    execv(words[0], (char *const *)(uintptr_t)words);
    _exit(127);
}

static int finish(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) continue;
    return status;
}

static int run_once(const Scene *scene, const Attempt *attempt) { return finish(start(scene, attempt)); }

static bool ended_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

/* ---- what it leaves ---------------------------------------------------------------------------------------------------------------- */

static void add_file(Text *out, const char *path) {
    char *bytes, why[256];
    size_t length;
    if (!file_load(out->jre, path, &bytes, &length, why)) return;
    size_t numbers = strstr(path, ".npy") && length > NPY_HEADER ? NPY_HEADER : 0;          /* its blanks are no numbers, and no checksum is of them */
    text_add(out, "%s %s\n", strrchr(path, '/') + 1, hash_bytes(out->jre, bytes + numbers, length - numbers));
    jre_release(bytes);
}

static void add_files(Text *out, const char *into, const char *pattern) {
    char whole[512];
    glob_t found;
    snprintf(whole, sizeof whole, "%s/%s", into, pattern);
    if (glob(whole, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) add_file(out, found.gl_pathv[i]);
    globfree(&found);
}

static int compare_lines(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The columns that no clock and no count of runs has a part in. Rows are in the order in which evaluations came to their end, and one that a
 * fault put off came later: here they are sorted. */
static void add_rows(Text *out, const char *path) {
    static const char *const changing[] = {"seconds", "embed_seconds", "embed_pictures", "seconds_per_image", "run_id"};
    Table table = {0};
    LIST(const char *) rows = {0};
    if (!file_exists(path) || !table_read(out->jre, path, NOWHERE, &table)) return;
    for (int row = 0; row < table.rows; row++) {
        const char *line = "";
        for (int i = 0; i < table.columns.count; i++) {
            bool steady = true;
            for (size_t k = 0; k < sizeof changing / sizeof *changing; k++) steady = steady && strcmp(table.columns.at[i], changing[k]) != 0;
            if (steady) line = arena_print(&out->jre->forever, "%s%s,", line, table.cells[row * table.columns.count + i]);
        }
        list_add(&out->jre->forever, &rows, line);
    }
    if (rows.count) qsort(rows.at, (size_t)rows.count, sizeof *rows.at, compare_lines);
    for (int i = 0; i < rows.count; i++) text_add(out, "%s\n", rows.at[i]);
}

/* Scores, rows of tables, the entry, and the record of the last run that has one. */
static char *results_of(const char *into) {
    char pattern[512], *text;
    glob_t runs;
    Jre *jre = jre_new();
    Text out = {.jre = jre};
    add_files(&out, into, "submissions/*");
    add_files(&out, into, "results/*_identities.csv");
    snprintf(pattern, sizeof pattern, "%s/results/benchmarks.csv", into);
    add_rows(&out, pattern);
    snprintf(pattern, sizeof pattern, "%s/results/benchmarks_ext.csv", into);
    add_rows(&out, pattern);
    snprintf(pattern, sizeof pattern, "%s/results/run_*/result.json", into);
    if (glob(pattern, 0, NULL, &runs) == 0) {
        char *folder = runs.gl_pathv[runs.gl_pathc - 1];
        *strrchr(folder, '/') = '\0';
        add_files(&out, folder, "*.npy");
        add_files(&out, folder, "*.csv");
        add_files(&out, folder, "*.jre");
    }
    globfree(&runs);
    text = strdup(out.at ? out.at : "");
    text_free(&out);
    jre_free(jre);
    return text;
}

/* The path of a half-written file, or where the end came in peace of a folder of a run with nothing in it; NULL: there is none. */
static char *debris_in(const char *folder, bool peace) {
    DIR *listing = opendir(folder);
    char *found = NULL;
    int entries = 0;
    if (!listing) return NULL;
    for (struct dirent *entry; !found && (entry = readdir(listing));) {
        char path[1024];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        entries++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strncmp(entry->d_name, ".jre-", 5) == 0 || strstr(entry->d_name, ".part")) found = strdup(path);
        else if (folder_exists(path)) found = debris_in(path, peace);
    }
    closedir(listing);
    if (!found && peace && !entries && strstr(folder, "/run_")) found = strdup(folder);
    return found;
}

/* ---- scenes ---------------------------------------------------------------------------------------------------------------------------- */

static void measure(Scene *scene) {
    const char *into = inside(&scene->site, "undisturbed");
    Attempt attempt = {.into = into, .log = inside(&scene->site, "undisturbed.log")};
    double started = seconds_now();
    int status = run_once(scene, &attempt);
    scene->seconds = seconds_now() - started;
    assert_true(WIFEXITED(status));
    scene->status = WEXITSTATUS(status);
    if (scene->status != 0 && scene->status != 3) fail_msg("an undisturbed run ends with %d\n%s", scene->status, contents(&scene->site, "undisturbed.log"));
    scene->results = results_of(into);
    assert_non_null(strstr(scene->results, ".npy"));
    assert_null(debris_in(into, true));
}

static void add_word(Scene *scene, const char *word) { scene->command[scene->words++] = word; }

static void begin(Scene *scene, const char *document) {
    memset(scene, 0, sizeof *scene);
    site_open(&scene->site);
    add_word(scene, inside(&scene->site, "jre"));
    assert_int_equal(symlink(arena_print(&scene->site.arena, "%s/%s/jre", getcwd((char[4096]){0}, 4096), build_folder()), scene->command[0]), 0);
    add_word(scene, "run");
    add_word(scene, document ? document : inside(&scene->site, "p01.jre"));
    add_word(scene, "--threads");
    add_word(scene, "2");
}

static void open_small(Scene *scene) {
    begin(scene, NULL);
    measure(scene);
}

static void open_painted(Scene *scene, int pictures) {
    begin(scene, "pipelines/v01.jre");
    const char *command = arena_print(&scene->site.arena, "%s/paint %s --only %d > /dev/null", build_folder(), inside(&scene->site, "painted"), pictures);
    assert_int_equal(system(command), 0);
    add_word(scene, "--with");
    add_word(scene, "examples/jaguars/sample.jre");
    add_word(scene, "--set");
    add_word(scene, arena_print(&scene->site.arena, "jaguars.root=\"%s\"", inside(&scene->site, "painted")));
    add_word(scene, "--set");
    add_word(scene, arena_print(&scene->site.arena, "unseen.root=\"%s\"", inside(&scene->site, "painted")));
    measure(scene);
}

static void close_scene(Scene *scene) {
    free(scene->results);
    site_close(&scene->site);
}

/* ---- one fault ------------------------------------------------------------------------------------------------------------------------------ */

/* A process of its own, which tells of what it finds in a file: cmocka belongs to the parent. */
typedef struct { const Scene *scene; const char *report, *into, *log, *again; int tried, struck; } Worker;

static void complain(const Worker *worker, const char *what, const char *log, const char *format, ...) {
    FILE *report = fopen(worker->report, "a"), *said = log ? fopen(log, "r") : NULL;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    fprintf(report, "%s: ", what);
    vfprintf(report, format, arguments);
    fputc('\n', report);
    va_end(arguments);
    for (int i = 0; said && i < 20 && fgets(line, sizeof line, said); i++) fprintf(report, "    %s", line);
    if (said) fclose(said);
    fclose(report);
}

/* Words that a person reads: no name of the source, no place in memory, no other program's report. */
static const char *unclear(const char *said) {
    static const char *const never[] = {"Sanitizer", "runtime error", "(null)", "0x", ".c:", "Assertion", "Segmentation", "please report", "nan,"};
    if (!strstr(said, "error")) return "it does not say what went wrong";
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(said, never[i])) return never[i];
    return NULL;
}

/* The first line that is another. */
static void complain_of_difference(const Worker *worker, const char *what, const char *results) {
    const char *a = results, *b = worker->scene->results;
    while (*a && *b && strcspn(a, "\n") == strcspn(b, "\n") && strncmp(a, b, strcspn(a, "\n")) == 0) {
        a += strcspn(a, "\n") + (a[strcspn(a, "\n")] != '\0');
        b += strcspn(b, "\n") + (b[strcspn(b, "\n")] != '\0');
    }
    complain(worker, what, worker->again, "the run after it ends with\n    %.*s\ninstead of\n    %.*s", (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
}

static char *text_in(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);
    if (file && fread(text, 1, (1 << 16) - 1, file) == 0) text[0] = '\0';
    if (file) fclose(file);
    return text;
}

static void remove_files(const char *into, const char *pattern) {
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'/%s", into, pattern);
    if (system(command) != 0) _exit(1);
}

static void remove_all(const char *folder) {
    remove_files(folder, "");
}

static void check_debris(const Worker *worker, const char *what, bool peace) {
    char *debris = debris_in(worker->into, peace);
    if (debris) complain(worker, what, worker->log, "it leaves `%s`", debris);
    free(debris);
}

/* Nothing is half-written, and a run after it ends as if nothing had been. */
static void check_rest(Worker *worker, const char *what) {
    check_debris(worker, what, false);
    int status = run_once(worker->scene, &(Attempt){.into = worker->into, .log = worker->again});
    char *results = results_of(worker->into);
    if (!ended_with(status, worker->scene->status)) complain(worker, what, worker->again, "the run after it ends with status %#x", (unsigned)status);
    else if (strcmp(results, worker->scene->results) != 0) complain_of_difference(worker, what, results);
    free(results);
    check_debris(worker, what, true);
    remove_all(worker->into);
}

/* True: something failed. */
static bool check_attempt(Worker *worker, const char *what, const Attempt *attempt) {
    int status = run_once(worker->scene, attempt);
    bool sound = ended_with(status, worker->scene->status);
    worker->tried++;
    worker->struck += !sound;
    if (!sound && !ended_with(status, 1) && !ended_with(status, 2)) complain(worker, what, worker->log, "it ends with status %#x", (unsigned)status);
    if (!sound) {
        char *said = text_in(worker->log);
        const char *why = unclear(said);
        if (why) complain(worker, what, worker->log, "its message is not clear: %s", why);
        free(said);
    }
    check_rest(worker, what);
    return !sound;
}

static bool try_fault(Worker *worker, const char *variable, long n) {
    char what[64];
    snprintf(what, sizeof what, "%s=%ld", variable, n);
    return check_attempt(worker, what, &(Attempt){variable, n, worker->into, worker->log, 0});
}

static void try_faults(Worker *worker, const char *variable, int which, int workers) {
    int quiet = 0;
    for (long n = 1 + which; quiet < SOUND_AT_LAST; n += long_form() || n < ALL_UP_TO ? workers : workers * STRIDE) quiet = try_fault(worker, variable, n) ? 0 : quiet + 1;
}

/* A disk with room for small files only. */
static void try_limits(Worker *worker, int which, int workers) {
    static const long bytes[] = {1600, 2000, 2500, 3000, 5000, 40000};          /* less than the first would cut what the run says */
    for (int i = which; i < (int)(sizeof bytes / sizeof *bytes); i += workers) {
        char what[64];
        snprintf(what, sizeof what, "files of at most %ld bytes", bytes[i]);
        check_attempt(worker, what, &(Attempt){.into = worker->into, .log = worker->log, .largest_file = bytes[i]});
    }
}

static uint32_t next_of(uint32_t *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

/* Turns one bit of one file of the store, or cuts the file there. In a copy in its place: a record may be the same file by another name. */
static void damage(const char *into, uint32_t *seed, char what[512]) {
    char pattern[512], why[256], *bytes;
    size_t length;
    glob_t found = {0};
    Jre *jre = jre_new();
    snprintf(pattern, sizeof pattern, "%s/.jre/store/*/*", into);
    glob(pattern, 0, NULL, &found);
    snprintf(pattern, sizeof pattern, "%s/.jre/store/pictures.cache", into);
    glob(pattern, GLOB_APPEND, NULL, &found);
    const char *path = found.gl_pathv[next_of(seed) % found.gl_pathc];
    if (!file_load(jre, path, &bytes, &length, why)) _exit(1);
    size_t at = next_of(seed) % length;
    bool cut = next_of(seed) % 4 == 0;
    bytes[at] = (char)(bytes[at] ^ 1 << next_of(seed) % 8);
    if (!file_write(jre, path, NOWHERE, bytes, cut ? at : length)) _exit(1);
    snprintf(what, 512, "%s %s at byte %zu", path + strlen(into), cut ? "cut" : "damaged", at);
    jre_release(bytes);
    jre_free(jre);
    globfree(&found);
}

/* Checksums notice, or it does not matter, also where all answers are to be computed again; results that are gone come back. */
static void try_damages(Worker *worker, int which, int workers) {
    const int times = long_form() ? 400 : 24;
    for (int i = which; i < times; i += workers) {
        char what[512] = "without its results";
        uint32_t seed = 1000 * (uint32_t)i + 17;
        run_once(worker->scene, &(Attempt){.into = worker->into, .log = worker->log});
        if (i % 5 == 0) remove_files(worker->into, "results");
        else damage(worker->into, &seed, what);
        if (i % 5 > 2) remove_files(worker->into, ".jre/store/*/result.json"), remove_files(worker->into, ".jre/store/*/submission.csv");
        worker->tried++;
        check_rest(worker, what);
    }
}

static void check_farewell(const Worker *worker, const char *what) {
    char *said = text_in(worker->log);
    if (!strstr(said, "interrupted: what was finished is kept")) complain(worker, what, worker->log, "it does not say that it was interrupted");
    free(said);
}

static void try_kills(Worker *worker, int which, int workers) {
    int kills = long_form() ? KILLS_LONG : KILLS_SHORT;
    uint32_t seed = 7;
    for (int i = 0; i < kills; i++) {
        char what[64];
        double after = worker->scene->seconds * 1.1 * next_of(&seed) / (1 << 24);
        if (i % workers != which) continue;
        snprintf(what, sizeof what, "killed after %.1f ms", after * 1e3);
        pid_t child = start(worker->scene, &(Attempt){.into = worker->into, .log = worker->log});
        nanosleep(&(struct timespec){(time_t)after, (long)(1e9 * (after - (double)(time_t)after))}, NULL);
        kill(child, i % 5 == 4 ? SIGINT : i % 5 == 3 ? SIGTERM : SIGKILL);
        int status = finish(child);
        worker->tried++;
        worker->struck += !ended_with(status, worker->scene->status);
        bool asked = i % 5 >= 3, minded = ended_with(status, 128 + SIGINT) || ended_with(status, 128 + SIGTERM);
        if (minded) check_farewell(worker, what);
        if (asked && WIFEXITED(status) && !minded && !ended_with(status, worker->scene->status)) complain(worker, what, worker->log, "it ends with status %#x", (unsigned)status);
        check_rest(worker, what);
    }
}

static void fail_reads(Worker *worker, int which, int workers) { try_faults(worker, "JRE_FAIL_READ", which, workers); }
static void fail_writes(Worker *worker, int which, int workers) { try_faults(worker, "JRE_FAIL_WRITE", which, workers); }
static void fail_allocations(Worker *worker, int which, int workers) { try_faults(worker, "JRE_FAIL_ALLOC", which, workers); }

/* Workers side by side. */
static void try_all(const Scene *scene, const char *name, void (*try)(Worker *worker, int which, int workers)) {
    Arena arena = {.jre = scene->site.jre};
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int workers = online < 2 ? 2 : online > 8 ? 8 : (int)online;
    const char *report = arena_print(&arena, "%s/report", scene->site.folder), *tally = arena_print(&arena, "%s/tally", scene->site.folder);
    pid_t child[8];
    for (int i = 0; i < workers; i++) {
        if ((child[i] = fork())) continue;
        Worker worker = {.scene = scene, .report = report, .into = arena_print(&arena, "%s/into%d", scene->site.folder, i), .log = arena_print(&arena, "%s/log%d", scene->site.folder, i),
                         .again = arena_print(&arena, "%s/again%d", scene->site.folder, i)};
        try(&worker, i, workers);
        FILE *file = fopen(tally, "a");
        fprintf(file, "%d of %d struck\n", worker.struck, worker.tried);
        fclose(file);
        _exit(0);
    }
    for (int i = 0; i < workers; i++) assert_true(ended_with(finish(child[i]), 0));
    char *found = text_in(report), *counts = text_in(tally);
    print_message("%s: %s", name, counts);
    if (*found) fail_msg("%s", found);
    free(found);
    free(counts);
    unlink(tally);
    arena_free(&arena);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------------------------- */

static void every_fault_of(const Scene *scene) {
    try_all(scene, "a read fails", fail_reads);
    try_all(scene, "a write fails", fail_writes);
    try_all(scene, "an allocation fails", fail_allocations);
    try_all(scene, "small files only", try_limits);
}

static void whatever_fails_is_told_and_a_rerun_completes(void **state) {
    (void)state;
    Scene scene;
    open_small(&scene);
    every_fault_of(&scene);
    close_scene(&scene);
}

static void killed_at_any_instant_a_rerun_completes(void **state) {
    (void)state;
    Scene scene;
    open_small(&scene);
    try_all(&scene, "killed", try_kills);
    close_scene(&scene);
}

static void damage_in_the_store_costs_time_and_nothing_else(void **state) {
    (void)state;
    Scene scene;
    open_small(&scene);
    try_all(&scene, "damaged", try_damages);
    close_scene(&scene);
}

static void the_story_survives_every_fault(void **state) {
    (void)state;
    Scene scene;
    if (!long_form()) skip();
    open_painted(&scene, 12);
    every_fault_of(&scene);
    try_all(&scene, "killed", try_kills);
    close_scene(&scene);
    open_painted(&scene, 120);
    try_all(&scene, "killed", try_kills);
    close_scene(&scene);
}

int main(void) {
    const struct CMUnitTest quick[] = {
        cmocka_unit_test(whatever_fails_is_told_and_a_rerun_completes),
        cmocka_unit_test(killed_at_any_instant_a_rerun_completes),
        cmocka_unit_test(damage_in_the_store_costs_time_and_nothing_else),
    };
    const struct CMUnitTest thorough[] = {cmocka_unit_test(the_story_survives_every_fault)};
    int failed = cmocka_run_group_tests(quick, NULL, NULL);
    return long_form() ? failed + cmocka_run_group_tests(thorough, NULL, NULL) : failed;
}
