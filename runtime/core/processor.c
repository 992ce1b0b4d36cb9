/* processor.c: what of the machine this process may use.
 *
 * Out: how many processors, by the scheduler's mask and by the share of time that the control groups above it leave; which instruction
 * level, by what the processor has and by JRE_CPU; how much memory, by the machine and the same groups, and how much is taken. A container
 * on two processors of sixty-four starts two threads, not sixty-four. */
#include "../runtime.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int processor_level(Jre *jre) {
    const char *forced = getenv("JRE_CPU");
    int level = kernel_level(forced && *forced ? forced : NULL);
    if (level >= 0) return level;
    Text known = {.jre = jre};
    int highest = kernel_level(NULL);
    for (int each = 0; each <= highest; each++)
        if (kernel_level_name(each)) text_add(&known, "%s%s", !known.length ? "" : each == highest ? " and " : ", ", kernel_level_name(each));
    Diagnostic *d = diag(jre, DIAG_wrong_argument, NOWHERE, "JRE_CPU is `%s`, which this processor is not", forced);
    if (known.length) diag_help(d, "here it may be %s; without it the highest is taken", known.at);
    else diag_help(d, "leave it out: no levels are known for this kind of processor");
    text_free(&known);
    return -1;
}

/* Processors of the mask; more of them than a mask holds are all counted. */
static int processors_in_mask(void) {
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0 && CPU_COUNT(&mask) > 0) return CPU_COUNT(&mask);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

static bool read_line(const char *path, const char *starts, char line[512]) {
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file && !found && fgets(line, 512, file)) found = strncmp(line, starts, strlen(starts)) == 0;
    if (file) fclose(file);
    if (found) line[strcspn(line, "\n")] = '\0';
    return found;
}

/* Tells the first line of `file` in the own group of the second version of Linux's control groups, and in each above it up to the root. */
static void each_group(const char *system, const char *file, void (*tell)(void *limit, const char *line), void *limit) {
    char line[512], group[512], path[2048];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", system);
    if (!read_line(path, "0::/", line)) return;
    snprintf(group, sizeof group, "%s", line + strlen("0::"));
    for (char *end = group; end;) {
        snprintf(path, sizeof path, "%s/sys/fs/cgroup%s/%s", system, group, file);
        if (read_line(path, "", line)) tell(limit, line);
        end = strrchr(group, '/');
        if (end) *end = '\0';
    }
}

/* "150000 100000" is one and a half, rounded up; "max 100000" is no limit. The tightest counts. */
static void limit_processors(void *limit, const char *line) {
    int *allowed = limit;
    double time, period;
    if (sscanf(line, "%lf %lf", &time, &period) != 2 || !(time > 0) || !(period > 0)) return;
    double share = time / period;
    int whole = share < *allowed ? (int)share : *allowed;
    *allowed = whole < share && whole < *allowed ? whole + 1 : whole;
}

int processors_allowed(const char *system) {
    int allowed = processors_in_mask();
    each_group(system, "cpu.max", limit_processors, &allowed);
    return allowed;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

/* "1073741824"; "max" is no limit. */
static void limit_memory(void *limit, const char *line) {
    size_t *allowed = limit;
    unsigned long long bytes;
    if (sscanf(line, "%llu", &bytes) == 1 && bytes < *allowed) *allowed = (size_t)bytes;
}

size_t memory_allowed(const char *system) {
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    size_t allowed = pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : SIZE_MAX;
    each_group(system, "memory.max", limit_memory, &allowed);
    return allowed;
}

size_t memory_taken(bool at_most) {
    char line[512];
    unsigned long long kilobytes;
    const char *row = at_most ? "VmHWM:" : "VmRSS:";
    return read_line("/proc/self/status", row, line) && sscanf(line + strlen(row), "%llu", &kilobytes) == 1 ? (size_t)kilobytes << 10 : 0;
}
