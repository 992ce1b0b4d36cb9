/* progress.c: what takes long says so.
 *
 * On a terminal one line is redrawn in place, at most ten times a second, and replaced by a summary at the end.
 * Elsewhere a finished step that took over a second leaves one plain line. Nothing is shown for less, nothing when quiet.
 * One thread owns a Progress. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR_CELLS = 24, LINE_BYTES = 256 };
static const double shown_after = 1.0, redrawn_after = 0.1;

int64_t seconds_since_epoch(void) { return (int64_t)time(NULL); }

double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int terminal_width(FILE *out) {
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* 12,345: digits in groups of three. */
static const char *grouped(int64_t number, char buffer[32]) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number), at = 0;
    for (int i = 0; i < length; i++) {
        bool first = i == 0 || (i == 1 && digits[0] == '-');
        if (!first && (length - i) % 3 == 0)
            buffer[at++] = ',';
        buffer[at++] = digits[i];
    }
    buffer[at] = '\0';
    return buffer;
}

/* 7.3 s, 4 min 05 s, 2 h 13 min */
static const char *duration(double seconds, char buffer[32]) {
    if (!(seconds < 3.0e9))
        seconds = 3.0e9;
    long whole = (long)(seconds + 0.5);
    if (seconds < 59.95)
        snprintf(buffer, 32, "%.1f s", seconds);
    else if (whole < 3600)
        snprintf(buffer, 32, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(buffer, 32, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    return buffer;
}

Progress progress_start(FILE *out, bool quiet, const char *what, int64_t total) {
    Progress progress = { .out = out, .quiet = quiet || !out, .what = what ? what : "", .total = total, .started = seconds_now() };
    const char *kind = getenv("TERM"), *no_color = getenv("NO_COLOR");
    progress.terminal = !progress.quiet && isatty(fileno(out)) && !(kind && strcmp(kind, "dumb") == 0);
    progress.colors = progress.terminal && !(no_color && *no_color);
    return progress;
}

/* "embed features  [########----------------]  1,234 of 5,678   12.1 s left" */
static void draw(Progress *progress, double now) {
    char done[32], total[32], left[32], line[LINE_BYTES];
    double elapsed = now - progress->started;
    int length;
    if (progress->total > 0) {
        double share = (double)progress->done / (double)progress->total;
        char bar[BAR_CELLS + 1];
        int filled = (int)(share * BAR_CELLS);
        memset(bar, '#', (size_t)filled);
        memset(bar + filled, '-', (size_t)(BAR_CELLS - filled));
        bar[BAR_CELLS] = '\0';
        const char *rest = progress->done > 0 ? duration(elapsed * (1 - share) / share, left) : "?";
        length = snprintf(line, sizeof line, "%.80s  [%s]  %s of %s   %s left", progress->what, bar, grouped(progress->done, done),
                          grouped(progress->total, total), rest);
    } else {
        length = snprintf(line, sizeof line, "%.80s  %s   %s", progress->what, grouped(progress->done, done), duration(elapsed, left));
    }
    int room = terminal_width(progress->out) - 1;         /* a line that wraps could not be erased */
    if (length > room)
        line[room] = '\0';
    fprintf(progress->out, progress->colors ? "\r\033[K\033[2m%s\033[0m" : "\r\033[K%s", line);
    fflush(progress->out);
    progress->shown = now;
}

void progress_step(Progress *progress, int64_t done) {
    if (done < 0)
        done = 0;
    progress->done = progress->total > 0 && done > progress->total ? progress->total : done;
    if (progress->quiet || !progress->terminal)
        return;
    double now = seconds_now();
    if (now - progress->started >= shown_after && now - progress->shown >= redrawn_after)
        draw(progress, now);
}

void progress_end(Progress *progress) {
    double elapsed = seconds_now() - progress->started;
    if (progress->quiet)
        return;
    if (progress->shown > 0)
        fputs("\r\033[K", progress->out);
    if (elapsed >= shown_after) {
        char done[32], time[32];
        if (progress->done > 0)
            fprintf(progress->out, "%s   %s in %s\n", progress->what, grouped(progress->done, done), duration(elapsed, time));
        else
            fprintf(progress->out, "%s   %s\n", progress->what, duration(elapsed, time));
    }
    fflush(progress->out);
    progress->quiet = true;               /* a second call adds nothing */
}
