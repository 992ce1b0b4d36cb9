/* main.c: the program `jre`. Finds the subcommand, catches an interrupt and the end of memory, and is the only file that ends
 * the process. Exit codes: 0 well, 1 your mistake, 2 our limit, 3 an expectation failed, 70 our bug, 128 and its number for a signal: 130 after ^C, 143 when asked to end. */
#include "cli.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile int *interrupted;
static jmp_buf out_of_memory;

/* A second signal ends it at once; what is stored stays whole. */
static void on_interrupt(int number) {
    if (interrupted) *interrupted = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

static void on_exhaustion(Jre *jre) {
    (void)jre;
    longjmp(out_of_memory, 1);
}

static int end_exhausted(Jre *jre) {
    fflush(stdout);
    fprintf(stderr, "error: out_of_memory\n  no memory is left, %zu bytes more were wanted; what was finished is kept, and the same command goes on from there\n"
                    "help: close other programs, or run with fewer --threads\n", jre->exhausted_by);
    interrupted = NULL;
    jre_free(jre);
    return 2;
}

static const Command *chosen(int count, char **arguments) {
    if (count < 2 || !strcmp(arguments[1], "--help") || !strcmp(arguments[1], "-h")) return command_find("help");
    if (!strcmp(arguments[1], "--version")) return command_find("version");
    return command_find(arguments[1]);
}

static int unknown_command(const char *name) {
    const char *names[32];
    for (int i = 0; i < command_count; i++) names[i] = commands[i].name;
    const char *near = nearest_name(name, names, command_count);
    fprintf(stderr, "jre has no subcommand `%s`%s%s%s\nhelp: `jre help` lists them\n", name, near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    return 1;
}

static int run(Jre *jre, const Command *command, int count, char **arguments) {
    Options options = {.run = {.out = stdout}};
    for (int i = 2; i < count; i++)
        if (!strcmp(arguments[i], "--help") || !strcmp(arguments[i], "-h")) {
            options_print(jre, command, stdout);
            return 0;
        }
    options.run.colors = wants_colors(stdout);
    if (!options_parse(jre, command, count > 2 ? count - 2 : 0, arguments + 2, &options)) return report_findings(jre, &options);
    return command->run(jre, &options);
}

int main(int count, char **arguments) {
    const Command *command = chosen(count, arguments);
    if (!command) return unknown_command(arguments[1]);
    Jre *jre = jre_new();
    if (!jre) {
        fputs("jre: no memory is left to start with\n", stderr);
        return 2;
    }
    interrupted = &jre->interrupted;
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);                                      /* what may not grow says so where it is written */
    if (setjmp(out_of_memory)) return end_exhausted(jre);
    jre->on_exhaustion = on_exhaustion;
    int status = run(jre, command, count, arguments);
    if (jre->interrupted) {
        status = EXIT_BY_SIGNAL + jre->interrupted;
        fputs("interrupted: what was finished is kept, the same command goes on from there\n", stderr);
    }
    if (fflush(stdout) != 0 && status == 0) status = 1;
    interrupted = NULL;
    jre_free(jre);
    return status;
}
