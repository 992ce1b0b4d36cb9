/* commands.c: the table of subcommands, and the small ones: help, version, show. */
#include "cli.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const Command commands[] = {
    {"run", "FILE [options]", "computes what a document asks for: scores, tables, submissions",
     "  jre run pipelines/v01.jre\n  jre run pipelines/v01.jre --with examples/jaguars/sample.jre --into build/demo\n",
     TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_RUN | TAKES_LATENCY | TAKES_MEMORY | TAKES_DUMP | TAKES_JSON, run_command},
    {"check", "FILE [options]", "looks for mistakes, in the document and in its data, and runs nothing",
     "  jre check pipelines/v01.jre\n  jre check pipelines/v01.jre --no-data\n  jre check pipelines/v01.jre --pairs pairs.csv\n",
     TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_DUMP | TAKES_JSON | TAKES_NO_DATA | TAKES_PAIRS | TAKES_INTO, check_command},
    {"embed", "FILE NAME PICTURE... -o FILE.npy [options]", "turns any pictures into numbers with an embed of a document, for other programs",
     "  jre embed pipelines/v01.jre features photos/*.jpg -o features.npy\n"
     "  jre embed pipelines/v01.jre features --tensor input.npy -o features.npy\n"
     "  jre embed pipelines/v01.jre features one.png --tap layer3 -o layer3.npy\n"
     "  jre embed v04.jre 'features[backbone = resnet18]' one.png -o one.npy\n",
     TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_NAMES | TAKES_DEVICE | TAKES_LATENCY | TAKES_MEMORY | TAKES_EMBED | TAKES_JSON, embed_command},
    {"bench", "[NETWORK] [options]", "times a network of the library with made-up weights; without a name it lists them",
     "  jre bench\n  jre bench resnet50\n  jre bench mobilenetv2_100 --batch 1 --threads 2 --json\n", TAKES_NAMES | TAKES_BENCH | TAKES_LATENCY | TAKES_THREADS | TAKES_JSON, bench_command},
    {"test", "FILE[:LINE] ...", "runs the `test` and `wrong` chunks of documents and modules, or the one that holds a line",
     "  jre test stdlib/resnet.jre\n  jre test stdlib/*.jre\n  jre test pipelines/v01.jre:40 --json\n", TAKES_NAMES | TAKES_JSON, test_command},
    {"explain", "FILE [EXPRESSION ...] [options]", "shows the plan, its kernels with their limits, and memory; or the type of an expression and where it comes from",
     "  jre explain pipelines/v01.jre\n  jre explain pipelines/v01.jre --measure --threads 1\n  jre explain pipelines/v01.jre --dump fuse\n  jre explain pipelines/v01.jre likeness backbone.stats\n",
     TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_DUMP | TAKES_NAMES | TAKES_LATENCY | TAKES_MEMORY | TAKES_MEASURE | TAKES_THREADS | TAKES_JSON, explain_command},
    {"show", "FILE [options]", "prints the flat program: all that is inherited, changed and laid over it, resolved",
     "  jre show pipelines/v01.jre --set folds.seed=8\n", TAKES_DOCUMENT | TAKES_OVERLAYS, show_command},
    {"diff", "FILE [FILE]", "compares two documents by what they mean, or one with the document that it extends; exit code 1 if they differ",
     "  jre diff pipelines/v02.jre pipelines/v03.jre\n  jre diff pipelines/v03.jre\n", TAKES_DOCUMENT | TAKES_NAMES | TAKES_OVERLAYS | TAKES_JSON, diff_command},
    {"why", "FILE [NAME ...] [options]", "says whether a result is in the store, and if not, what differs from the nearest that is",
     "  jre why pipelines/v01.jre cv\n  jre why pipelines/v01.jre features --set folds.seed=8 --json\n",
     TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_NAMES | TAKES_JSON | TAKES_INTO | TAKES_LATENCY, why_command},
    {"key", "FILE [NAME ...] [options]", "prints the keys of results, and what they are made of",
     "  jre key pipelines/v01.jre\n  jre key pipelines/v01.jre cv --tree\n", TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_NAMES | TAKES_INTO | TAKES_TREE | TAKES_LATENCY, key_command},
    {"fmt", "FILE... [options]", "puts documents in the one style; `-` is the standard input",
     "  jre fmt pipelines/v01.jre\n  jre fmt --check pipelines/*.jre\n  jre fmt - < draft.jre\n", TAKES_NAMES | TAKES_FORMAT, format_command},
    {"fix", "FILE [options]", "shows the safe changes that messages offer, and makes them if you say so",
     "  jre fix pipelines/v01.jre\n  jre fix pipelines/v01.jre --yes\n", TAKES_DOCUMENT | TAKES_OVERLAYS | TAKES_FIX, fix_command},
    {"doc", "[NAME]", "the manual: its contents, a chapter, or what it says of a check, a kind, a key, a word, an operator, a name of the library",
     "  jre doc\n  jre doc 1\n  jre doc leaking_burst\n  jre doc split.together\n  jre doc average_pool\n", TAKES_NAMES | TAKES_MAN, doc_command},
    {"version", "", "prints the version, the processor's level and the libraries", "  jre version\n", 0, version_command},
    {"help", "[SUBCOMMAND]", "explains a subcommand", "  jre help run\n", TAKES_NAMES, help_command},
};
const int command_count = (int)(sizeof commands / sizeof *commands);

const Command *command_find(const char *name) {
    for (int i = 0; i < command_count; i++)
        if (!strcmp(commands[i].name, name)) return &commands[i];
    return NULL;
}

int help_command(Jre *jre, Options *options) {
    if (options->names.count > 1) {
        diag(jre, DIAG_wrong_argument, NOWHERE, "one subcommand is explained, `%s` is one too many", options->names.at[1]);
        return report_findings(jre, options);
    }
    if (options->names.count) {
        const Command *command = command_find(options->names.at[0]);
        if (command) {
            options_print(jre, command, stdout);
            return 0;
        }
        const char *names[32];
        for (int i = 0; i < command_count; i++) names[i] = commands[i].name;
        const char *near = nearest_name(options->names.at[0], names, command_count);
        Diagnostic *d = diag(jre, DIAG_unknown_name, NOWHERE, "no subcommand is called `%s`", options->names.at[0]);
        diag_help(d, near ? "did you mean `%s`?" : "`jre help` lists them%s", near ? near : "");
        return report_findings(jre, options);
    }
    puts("jre, the Jaguar Re-ID Engine: from photographs of animals to who is who\n\nusage: jre SUBCOMMAND ...\n");
    commands_print(jre, stdout);
    puts("\n`jre help SUBCOMMAND` shows options and examples. Exit codes:\n0 well, 1 your mistake, 2 a limit of ours, 3 an `expect` failed, 70 our bug,\n130 interrupted by ^C, 143 asked to end.");
    return 0;
}

/* What the C library knows of a core's caches; on some machines nothing, and of the shared one it tells all that the socket has. */
static void print_caches(void) {
    const long first = sysconf(_SC_LEVEL1_DCACHE_SIZE), second = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (first > 0 && second > 0) printf(", caches of %ld KiB and %ld KiB a core", first >> 10, second >> 10);
    puts("");
}

int version_command(Jre *jre, Options *options) {
    int level = processor_level(jre);
    if (level < 0) return report_findings(jre, options);
    printf("jre 0.1, kernels %s\n", kernel_library_version());
    const int threads = processors_allowed("");
    printf("processor: instruction level %s, vectors of %d numbers, %d thread%s", kernel_level_name(level) ? kernel_level_name(level) : "unknown", kernel_level_lanes(level), threads,
           threads == 1 ? "" : "s");
    print_caches();
    printf("library of the language: %s\n", jre->stdlib ? jre->stdlib : "not found: set JRE_STDLIB");
    printf("libpng %s\n", PNG_LIBPNG_VER_STRING);
    puts("devices: cpu; this build has no CUDA");
    return 0;
}

int show_command(Jre *jre, Options *options) {
    Compilation c = {.jre = jre, .arena = {.jre = jre}};
    if (resolve_program(&c, &options->request)) {
        Text text = {.jre = jre};
        print_flat_program(&c, &text);
        fputs(text.at, stdout);
        text_free(&text);
    }
    int status = report_findings(jre, options);
    compilation_free(&c);
    return status;
}
