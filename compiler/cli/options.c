/* options.c: the command line, as one table. A subcommand names the groups it takes; what it does not take is refused, never ignored. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { OPTION_SET, OPTION_WITH, OPTION_INTO, OPTION_ONLY, OPTION_METRICS, OPTION_NO_CACHE, OPTION_DEVICE, OPTION_THREADS, OPTION_JSON, OPTION_QUIET,
               OPTION_DUMP, OPTION_TIME_PASSES, OPTION_CHECK, OPTION_STDOUT, OPTION_YES, OPTION_NO_DATA, OPTION_TREE, OPTION_PAIRS, OPTION_OUT,
               OPTION_TENSOR, OPTION_TAP, OPTION_BATCH, OPTION_INPUT, OPTION_ARITHMETIC, OPTION_TRAIN, OPTION_MEASURE, OPTION_LATENCY, OPTION_MEMORY, OPTION_MAN } OptionKind;
typedef struct { OptionKind kind; const char *name, *value; int group; const char *sentence; } OptionRow;

static const OptionRow rows[] = {
    {OPTION_OUT, "-o", "FILE.npy", TAKES_EMBED, "where the numbers go, a row for each picture; FILE.csv beside it names the pictures"},
    {OPTION_TENSOR, "--tensor", "FILE.npy", TAKES_EMBED, "an array [N, 3, height, width] in the place of pictures: it goes past the view"},
    {OPTION_TAP, "--tap", "NAME", TAKES_EMBED, "a value inside the network, as it is: an equation or a stage, outermost first"},
    {OPTION_BATCH, "--batch", "N", TAKES_BENCH, "how many pictures at once, 16 unless said otherwise"},
    {OPTION_INPUT, "--input", "PIXELS", TAKES_BENCH, "the side of a picture, 224 unless said otherwise"},
    {OPTION_ARITHMETIC, "--arithmetic", "f32|bf16", TAKES_BENCH, "what is computed with; f32 so far"},
    {OPTION_TRAIN, "--train", "LOSS", TAKES_BENCH, "times a step of training; a later version does"},
    {OPTION_MEASURE, "--measure", NULL, TAKES_MEASURE, "runs each network on made-up pictures and tells how long each kernel takes"},
    {OPTION_SET, "--set", "NAME=VALUE", TAKES_OVERLAYS, "changes an equation, or a setting: --set folds.seed=8"},
    {OPTION_WITH, "--with", "FILE", TAKES_OVERLAYS, "lays a document of changes over this one and all it extends"},
    {OPTION_INTO, "--into", "FOLDER", TAKES_RUN | TAKES_INTO, "where results and the store go"},
    {OPTION_ONLY, "--only", "NAME", TAKES_RUN, "computes one evaluation or submission"},
    {OPTION_METRICS, "--metrics", "all", TAKES_RUN, "tells every metric, also as other tools count it"},
    {OPTION_NO_CACHE, "--no-cache", NULL, TAKES_RUN, "computes everything anew"},
    {OPTION_DEVICE, "--device", "auto|cpu", TAKES_RUN | TAKES_DEVICE, "where to compute"},
    {OPTION_THREADS, "--threads", "N", TAKES_RUN | TAKES_DEVICE | TAKES_THREADS, "how many threads: 1 for bench, else one a processor unless said otherwise; the result is the same"},
    {OPTION_MEMORY, "--memory", "SIZE", TAKES_MEMORY, "what a run may take, for instance 512MiB: fewer pictures at a time, values computed twice; no number changes"},
    {OPTION_LATENCY, "--latency", NULL, TAKES_LATENCY, "chooses kernels for one picture at a time; the numbers differ in their last digits, and so do keys"},
    {OPTION_QUIET, "--quiet", NULL, TAKES_RUN | TAKES_DEVICE, "prints findings only"},
    {OPTION_JSON, "--json", NULL, TAKES_JSON, "prints for machines"},
    {OPTION_NO_DATA, "--no-data", NULL, TAKES_NO_DATA, "looks at the document alone, not at its pictures and tables"},
    {OPTION_PAIRS, "--pairs", "FILE", TAKES_PAIRS, "writes a table of all pairs of pictures nearly alike, and of those a little beyond the threshold"},
    {OPTION_TREE, "--tree", NULL, TAKES_TREE, "prints all that each key is made of"},
    {OPTION_DUMP, "--dump", "PASS", TAKES_DUMP, "prints each graph after a pass: lower, simplify, recognize, fuse or chain"},
    {OPTION_TIME_PASSES, "--time-passes", NULL, TAKES_DUMP, "prints seconds of each pass and how often each rule was applied"},
    {OPTION_CHECK, "--check", NULL, TAKES_FORMAT, "writes nothing, names the files that would change; exit code 1 if there are any"},
    {OPTION_STDOUT, "--stdout", NULL, TAKES_FORMAT, "writes nothing, prints the text"},
    {OPTION_YES, "--yes", NULL, TAKES_FIX, "makes the safe changes without asking"},
    {OPTION_MAN, "--man", NULL, TAKES_MAN, "prints the whole manual as a page of man(1)"},
};
enum { ROWS = sizeof rows / sizeof *rows };

void option_names(Arena *arena, NameList *names) {
    for (int i = 0; i < ROWS; i++) list_add(arena, names, rows[i].name);
}

/* Folded to 80 columns, the rest of a sentence below its beginning. */
static void add_folded(Text *text, int indent, const char *line) {
    const size_t from = text->length;
    text_add(text, "%s\n", line);
    text_fold(text, from, indent);
}

void options_print(Jre *jre, const Command *command, FILE *out) {
    enum { SENTENCE = 31 };
    Text text = {.jre = jre};
    text_add(&text, "jre %s %s\n\n", command->name, command->arguments);
    add_folded(&text, 2, arena_print(&jre->forever, "  %s", command->summary));
    bool any = false;
    for (int i = 0; i < ROWS; i++) {
        if (!(rows[i].group & command->takes)) continue;
        if (!any) text_add(&text, "\noptions\n");
        any = true;
        add_folded(&text, SENTENCE, arena_print(&jre->forever, "  %-15s %-11s  %s", rows[i].name, rows[i].value ? rows[i].value : "", rows[i].sentence));
    }
    text_add(&text, "\nexamples\n%s", command->examples);
    fputs(text.at, out);
    text_free(&text);
}

void commands_print(Jre *jre, FILE *out) {
    enum { SUMMARY = 11 };
    Text text = {.jre = jre};
    for (int i = 0; i < command_count; i++) add_folded(&text, SUMMARY, arena_print(&jre->forever, "  %-8s %s", commands[i].name, commands[i].summary));
    fputs(text.at, out);
    text_free(&text);
}

static bool refuse(Jre *jre, const Command *command, const char *format, const char *what, const char *help) {
    Diagnostic *d = diag(jre, DIAG_wrong_argument, NOWHERE, format, what);
    diag_help(d, help, command->name);
    return false;
}

static const OptionRow *row_of(Jre *jre, const Command *command, const char *name) {
    const char *names[ROWS];
    int count = 0;
    for (int i = 0; i < ROWS; i++) {
        if (!(rows[i].group & command->takes)) continue;
        if (!strcmp(rows[i].name, name)) return &rows[i];
        names[count++] = rows[i].name;
    }
    Diagnostic *d = diag(jre, DIAG_wrong_argument, NOWHERE, "`jre %s` has no option `%s`", command->name, name);
    const char *near = nearest_name(name, names, count);
    if (near) diag_help(d, "did you mean `%s`?", near);
    else diag_help(d, "`jre help %s` lists its options", command->name);
    return NULL;
}

static bool known_pass(Jre *jre, const char *name) {
    const char *names[16], *known = "";
    int count = 0;
    for (int i = 0; i < graph_pass_count && i < 16; i++) {
        names[count++] = graph_passes[i].name;
        known = arena_print(&jre->forever, "%s %s", known, graph_passes[i].name);
        if (!strcmp(graph_passes[i].name, name)) return true;
    }
    Diagnostic *d = diag(jre, DIAG_wrong_argument, NOWHERE, "no pass is called `%s`", name);
    const char *near = nearest_name(name, names, count);
    diag_fact(d, "the passes are:%s", known);
    if (near) diag_help(d, "did you mean `%s`?", near);
    else diag_help(d, "name one of these");
    return false;
}

static bool take_number(Jre *jre, const OptionRow *row, const char *value, int most, int example, int *number) {
    char *end;
    long found = strtol(value, &end, 10);
    *number = (int)found;
    if (!*end && end != value && found >= 1 && found <= most) return true;
    diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "%s %s: a number from 1 to %d was expected", row->name, value, most), "for instance %s %d", row->name, example);
    return false;
}

/* A number with KiB, MiB or GiB behind it. */
static bool take_size(Jre *jre, const OptionRow *row, const char *value, size_t *size) {
    static const struct { const char *name; double bytes; } units[] = {{"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    char *end;
    double number = strtod(value, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double bytes = number * units[i].bytes;
        if (end == value || strcmp(end, units[i].name) != 0 || !(bytes >= 1 && bytes < 1e18)) continue;
        *size = (size_t)bytes;
        return true;
    }
    diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "%s %s: an amount of memory was expected, with KiB, MiB or GiB", row->name, value), "for instance %s 4GiB", row->name);
    return false;
}

static bool take(Jre *jre, const Command *command, const OptionRow *row, const char *value, Options *options) {
    switch (row->kind) {
    case OPTION_SET: list_add(&jre->forever, &options->request.set, value); break;
    case OPTION_WITH: list_add(&jre->forever, &options->request.with, value); break;
    case OPTION_INTO: options->run.into = value; break;
    case OPTION_ONLY: options->run.only = value; break;
    case OPTION_METRICS:
        options->run.all_metrics = true;
        return !strcmp(value, "all") || refuse(jre, command, "--metrics %s: only `all` can be asked for here", value, "the document names those that are recorded; see `jre help %s`");
    case OPTION_NO_CACHE: options->run.no_cache = true; break;
    case OPTION_LATENCY: options->run.latency = true; break;
    case OPTION_MEMORY: return take_size(jre, row, value, &options->run.memory);
    case OPTION_QUIET: options->run.quiet = true; break;
    case OPTION_JSON: options->run.json = true; break;
    case OPTION_DUMP: options->dump = value; return known_pass(jre, value);
    case OPTION_PAIRS: options->pairs = value; break;
    case OPTION_OUT: options->out = value; break;
    case OPTION_TENSOR: options->tensor = value; break;
    case OPTION_TAP: options->tap = value; break;
    case OPTION_TREE: options->tree = true; break;
    case OPTION_NO_DATA: options->no_data = true; break;
    case OPTION_TIME_PASSES: options->time_passes = true; break;
    case OPTION_CHECK: options->only_check = true; break;
    case OPTION_STDOUT: options->to_stdout = true; break;
    case OPTION_YES: options->yes = true; break;
    case OPTION_MAN: options->man = true; break;
    case OPTION_DEVICE:
        options->run.device = value;
        if (!strcmp(value, "cuda")) return refuse(jre, command, "this build has no %s", value, "leave --device out, or write --device cpu");
        return !strcmp(value, "auto") || !strcmp(value, "cpu") || refuse(jre, command, "no device is called `%s`", value, "write auto or cpu");
    case OPTION_THREADS: return take_number(jre, row, value, MOST_THREADS, 2, &options->run.threads);
    case OPTION_BATCH: return take_number(jre, row, value, 4096, 16, &options->batch);
    case OPTION_INPUT: return take_number(jre, row, value, 4096, 224, &options->input);
    case OPTION_ARITHMETIC: options->arithmetic = value; break;
    case OPTION_TRAIN: options->train = value; break;
    case OPTION_MEASURE: options->measure = true; break;
    }
    return true;
}

/* Graphs are printed as they are made, and nothing else. */
static bool dumps_alone(Jre *jre, const Command *command, const Options *options) {
    const char *beside = !options->dump ? NULL : options->run.json ? "--json" : options->measure ? "--measure" : options->names.count ? options->names.at[0] : NULL;
    return !beside || refuse(jre, command, "--dump prints graphs alone, `%s` has no place beside it", beside, "leave out the one or the other, and see `jre help %s`");
}

bool options_parse(Jre *jre, const Command *command, int count, char **arguments, Options *options) {
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        if (argument[0] != '-' || !argument[1]) {
            bool document = (command->takes & TAKES_DOCUMENT) && !options->request.path;
            if (document) options->request.path = argument;
            else if (command->takes & TAKES_NAMES) list_add(&jre->forever, &options->names, argument);
            else return refuse(jre, command, "`%s` is one argument too many", argument, "`jre help %s` shows what it takes");
            continue;
        }
        const char *equals = strchr(argument, '=');
        const char *name = equals && strncmp(argument, "--", 2) == 0 ? intern_length(jre, argument, (size_t)(equals - argument)) : argument;
        const OptionRow *row = row_of(jre, command, name);
        if (!row) return false;
        const char *value = name != argument ? equals + 1 : row->value && i + 1 < count ? arguments[++i] : NULL;
        if (row->value && !value) return refuse(jre, command, "`%s` needs a value", row->name, "`jre help %s` shows an example");
        if (!row->value && value) return refuse(jre, command, "`%s` takes no value", row->name, "leave out what follows =, and see `jre help %s`");
        if (!take(jre, command, row, value, options)) return false;
    }
    if ((command->takes & TAKES_DOCUMENT) && !options->request.path)
        return refuse(jre, command, "%sa document was expected", "", "for instance: jre %s pipelines/v01.jre");
    return dumps_alone(jre, command, options);
}

bool wants_colors(FILE *out) {
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fileno(out)) && !(none && *none) && !(terminal && !strcmp(terminal, "dumb"));
}

int report_findings(Jre *jre, const Options *options) {
    int status = diag_exit_code(jre);
    FILE *out = options->run.json ? stdout : stderr;
    fflush(stdout);
    if (options->run.json || diag_count(jre, SEVERITY_NOTE)) diag_print_all(jre, out, options->run.json, wants_colors(out));
    return status;
}
