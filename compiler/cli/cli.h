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
    bool man;                             /* of doc: the whole manual, for man(1) */
    NameList names;                       /* arguments that are no options */
} Options;

/* What a subcommand accepts: letters of the groups below; anything else is refused with the nearest name. */
enum { TAKES_DOCUMENT = 1, TAKES_OVERLAYS = 2, TAKES_RUN = 4, TAKES_DUMP = 8, TAKES_NAMES = 16, TAKES_JSON = 32, TAKES_FORMAT = 64, TAKES_FIX = 128, TAKES_NO_DATA = 256,
       TAKES_INTO = 512, TAKES_TREE = 1024, TAKES_PAIRS = 2048, TAKES_DEVICE = 4096, TAKES_EMBED = 8192, TAKES_LATENCY = 16384,
       TAKES_BENCH = 65536, TAKES_MEASURE = 131072, TAKES_THREADS = 262144, TAKES_MEMORY = 524288, TAKES_MAN = 1048576 };
typedef struct {
    const char *name, *arguments, *summary, *examples;
    int takes;
    int (*run)(Jre *jre, Options *options);
} Command;
extern const Command commands[]; extern const int command_count;
const Command *command_find(const char *name);

bool options_parse(Jre *jre, const Command *command, int count, char **arguments, Options *options);
void options_print(Jre *jre, const Command *command, FILE *out);
void commands_print(Jre *jre, FILE *out);
void option_names(Arena *arena, NameList *names);
/* Prints what was found, to stderr (or stdout as JSON), and gives the exit code. */
int report_findings(Jre *jre, const Options *options);
bool wants_colors(FILE *out);
/* Compiles for the sake of what is found on the way. */
void find_mistakes(Jre *jre, Options *options);

/* work.c: a session and a compiled document, for the subcommands that need both. False: diagnosed. */
typedef struct { Compilation c; Session *session; bool good; } Work;
bool work_begin(Work *work, Jre *jre, Options *options, bool with_data);
void work_end(Work *work, const Options *options);

/* manual.c: the manual. A name has its place where a block begins with it in code font. */
typedef enum { BLOCK_HEADING, BLOCK_PARAGRAPH, BLOCK_ITEM, BLOCK_ROW, BLOCK_CODE, BLOCK_COUNT } BlockKind;
typedef struct {
    BlockKind kind; int level;            /* of a heading: 1, 2, 3 */
    bool head;                            /* of a row: that of a table's head */
    const Source *chapter;
    const char *begin, *end;              /* its text, without #, - or the first |, and without the fences of code */
    const char *opened, *fence;           /* of code: where its fence stands, and what behind the backticks: "jre wrong leaking_burst" */
    NameList names;
} Block;
typedef struct { LIST(Block) blocks; } Manual;
const Manual *manual_read(Jre *jre);      /* without blocks if it is not installed */
bool block_names(const Block *block, const char *name);
/* The next place of a name at `from` or behind it, within the sections of a name unless that is NULL; -1: there is none. */
int manual_place(const Manual *manual, const char *section, const char *name, int from);
int manual_place_end(const Manual *manual, int place);                        /* behind the last block that is told there */
int manual_section_end(const Manual *manual, int heading);
const Block *manual_refusal(const Manual *manual, const char *check);         /* a chunk `wrong`; NULL if there is none */
/* page.c: as text for a terminal, and as a page of man(1). A chunk `wrong` is followed by what jre says of it. */
void print_place(Jre *jre, const Options *options, const Manual *manual, int place);
void print_contents(const Manual *manual);
void print_man_page(Jre *jre, const Manual *manual);

/* items.c. tree: NULL where pictures cannot be read, or, of an evaluation or a submission, where `only` names others; folds: 0, or in how many it is made. */
typedef struct { const char *name; const KeyTree *tree; int folds; } Item;
typedef LIST(Item) ItemList;
void result_items(Session *session, const Plan *plan, const NameList *only, ItemList *items);

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
