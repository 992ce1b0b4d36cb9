/* cli.h: the program `jre`: one row and one file a subcommand. */
#ifndef JRE_CLI_H
#define JRE_CLI_H

#include "../../runtime/runtime.h"

typedef struct {
    CompileRequest request;               /* the document and what is laid over it */
    RunOptions run;
    const char *pairs;                    /* check: where the list of pairs nearly alike goes, or NULL */
    const char *dump; bool time_passes, no_data, tree;
    const char *out, *tensor, *tap;       /* of embed */
    int batch, input; const char *arithmetic, *train;     /* of bench; 0, NULL: not said */
    bool measure;                         /* explain: how long each kernel takes here */
    bool only_check, to_stdout, yes;      /* of those that write documents: fmt, fix */
    NameList names;                       /* arguments that are no options */
} Options;

/* What a subcommand accepts: letters of the groups below; anything else is refused with the nearest name. */
enum { TAKES_DOCUMENT = 1, TAKES_OVERLAYS = 2, TAKES_RUN = 4, TAKES_DUMP = 8, TAKES_NAMES = 16, TAKES_JSON = 32, TAKES_FORMAT = 64, TAKES_FIX = 128, TAKES_NO_DATA = 256,
       TAKES_INTO = 512, TAKES_TREE = 1024, TAKES_PAIRS = 2048, TAKES_DEVICE = 4096, TAKES_EMBED = 8192, TAKES_LATENCY = 16384,
       TAKES_BENCH = 65536, TAKES_MEASURE = 131072, TAKES_THREADS = 262144, TAKES_MEMORY = 524288 };
typedef struct {
    const char *name, *arguments, *summary, *examples;
    int takes;
    int (*run)(Jre *jre, Options *options);
} Command;
extern const Command commands[]; extern const int command_count;
const Command *command_find(const char *name);

bool options_parse(Jre *jre, const Command *command, int count, char **arguments, Options *options);
void options_print(const Command *command, FILE *out);
/* Prints what was found, to stderr (or stdout as JSON), and gives the exit code. */
int report_findings(Jre *jre, const Options *options);
bool wants_colors(FILE *out);
/* Compiles for the sake of what is found on the way. */
void find_mistakes(Jre *jre, Options *options);

/* work.c: a session and a compiled document, for the subcommands that need both. False: diagnosed. */
typedef struct { Compilation c; Session *session; bool good; } Work;
bool work_begin(Work *work, Jre *jre, Options *options, bool with_data);
void work_end(Work *work, const Options *options);

int run_command(Jre *jre, Options *options);
int embed_command(Jre *jre, Options *options);
int bench_command(Jre *jre, Options *options);
int check_command(Jre *jre, Options *options);
int test_command(Jre *jre, Options *options);
int explain_command(Jre *jre, Options *options);
int show_command(Jre *jre, Options *options);
int diff_command(Jre *jre, Options *options);
int why_command(Jre *jre, Options *options);
int key_command(Jre *jre, Options *options);
int doc_command(Jre *jre, Options *options);
int format_command(Jre *jre, Options *options);
int fix_command(Jre *jre, Options *options);
int version_command(Jre *jre, Options *options);
int help_command(Jre *jre, Options *options);

#endif
