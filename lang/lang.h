/* lang.h: what did the user write, and where.
 *
 * The room's one header, in the order of its files: memory and names (base.c), sources (source.c), messages
 * (diag.def, diag.c), record kinds, keys and words (schema.def, places.def, words.def, schema.c), the syntax tree (lexer.l, grammar.y, parse.c,
 * mistake.c, ast.c), the one style (format.c) and modules (module.c). Nothing here knows what a program means. */
#ifndef JRE_LANG_H
#define JRE_LANG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Jre Jre;

/* ---- base.c: arenas, interned strings, arrays, maps ---------------------------------------------------- */

/* An arena gives memory that lives until arena_free. Memory comes zeroed, aligned to 16 bytes. When the system
 * has none left (or JRE_FAIL_ALLOC says so) the allocation jumps to the handler set by jre_on_exhaustion. */
typedef struct ArenaBlock ArenaBlock;
typedef struct { Jre *jre; ArenaBlock *newest; size_t used_in_total; } Arena;

void *arena_new_bytes(Arena *arena, size_t bytes);
char *arena_copy(Arena *arena, const char *text, size_t length);              /* ends in NUL */
char *arena_print(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
int columns_between(const char *at, const char *end);                           /* characters of UTF-8 */
const char *number_word(Arena *arena, int number);                              /* "five", as people write numbers that are small; "28" */
const char *grouped_text(Arena *arena, int64_t count);                          /* "28,245,088" */
char *arena_vprint(Arena *arena, const char *format, va_list arguments);
void arena_free(Arena *arena);
#define arena_new(arena, Type) ((Type *)arena_new_bytes((arena), sizeof(Type)))
#define arena_array(arena, Type, count) ((Type *)arena_new_bytes((arena), sizeof(Type) * (size_t)(count)))

/* The one door to malloc, outside arenas: for buffers that are given back early. NULL never comes back. */
void *jre_allocate(Jre *jre, size_t bytes);
void *jre_allocate_aligned(Jre *jre, size_t bytes, size_t alignment);         /* freed by jre_release too */
void *jre_grow(Jre *jre, void *old, size_t bytes);                            /* as realloc */
void jre_release(void *memory);
/* True once, at the n-th call after a countdown was set to n (JRE_FAIL_*). Threads may come here. */
bool jre_fails_now(long *countdown);
Jre *jre_faults(Jre *jre);                /* the context whose countdowns count for this one */
/* What is no memory (threads, what is mapped, a tree of another library) is given back by jre_free where memory ran out
 * on the way, the youngest first. Who ends it in peace disowns it; without memory for the note it is given back at once. */
void jre_own(Jre *jre, void *thing, void (*give_back)(void *thing));
void jre_disown(Jre *jre, void *thing);
void jre_reclaim(Jre *jre);               /* gives back all that a context owns; arenas and pointers into it are void then */

/* Growing arrays in an arena: LIST(Expr *) list = {0}; list_add(arena, &list, value); list.at[0 .. list.count-1] */
#define LIST(Type) struct { Type *at; int count, room; }
#define list_add(arena, list, value)                                                                          \
    (list_make_room((arena), (void **)(void *)&(list)->at, (list)->count, &(list)->room, sizeof *(list)->at), \
     (list)->at[(list)->count++] = (value))
typedef LIST(const char *) NameList;
void list_make_room(Arena *arena, void **at, int count, int *room, size_t element);

/* Equal texts are the same pointer for the life of the Jre: compare names with ==. */
const char *intern(Jre *jre, const char *text);
const char *intern_length(Jre *jre, const char *text, size_t length);

/* A map from text to pointer. Iteration is in the order of insertion. Keys are not copied: they must live as long. */
typedef struct { const char *key; void *value; } MapEntry;
typedef struct { Arena *arena; MapEntry *entries; int count, room; uint32_t *slots; uint32_t slot_count; } Map;
void *map_get(const Map *map, const char *key);                               /* NULL if absent */
void map_set(Map *map, Arena *arena, const char *key, void *value);           /* replaces */

/* What a walk has met, known by where it lies. */
typedef struct { const void **slots; uint32_t count, slot_count; } Seen;
bool seen_first(Seen *seen, Arena *arena, const void *thing);                 /* false: it was met before */

/* The candidate nearest to `text` by edit distance (at most 2 edits, and fewer than a third of its letters + 1),
 * or the one that differs in case only; NULL if none is near. */
const char *nearest_name(const char *text, const char *const *candidates, int count);
/* All that are as near; of names that differ in their digits alone, as rank1 and rank5 do, each of the kind. Sure is one alone, whose
 * digits are those of `text`, and which is a slip of the pen away. */
enum { NEAR_NAMES = 4 };
typedef struct { const char *at[NEAR_NAMES]; int count; bool sure; } NearNames;
NearNames near_names(const char *text, const char *const *candidates, int count);

/* Bytes that grow. */
typedef struct { char *at; size_t length, room; Jre *jre; } Text;
void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(Text *text, const char *bytes, size_t length);
void text_fold(Text *text, size_t from, int indent);      /* lines since `from` wider than 80 columns go on below, at `indent` */
/* Length of the well-formed UTF-8 character that begins here; 0 if none does. */
size_t utf8_length(const char *at, const char *end);
/* One character of someone else's text, tabs as a blank, and nothing that a terminal would obey; how long it was. */
size_t text_add_character(Text *out, const char *at, const char *end);
void json_text(Text *out, const char *text);              /* quoted, escaped; what is not UTF-8 becomes a replacement character; NULL is "" */
void json_member(Text *out, const char *name, const char *text);              /* of an object: "name": text, with a comma in front unless it is the first */
void text_free(Text *text);

/* ---- source.c: the bytes of every file, kept for ever; places --------------------------------------------- */

/* A place is two byte offsets into all sources laid end to end, so it needs no file beside it. {0,0}: nowhere. */
typedef struct { uint32_t start, end; } Span;
static inline bool span_holds(Span whole, Span part) { return whole.start <= part.start && part.end <= whole.end; }
#define NOWHERE ((Span){0, 0})

typedef struct Source {
    const char *path;             /* as the user may open it; NULL for a text */
    const char *name;             /* as messages print it: the path as given, or "input 6" */
    const char *stem;             /* "v03" of ".../v03.jre" */
    const char *folder;           /* "." if the path has none */
    const char *bytes;            /* NUL behind the last */
    uint32_t length, base;        /* base: the offset of byte 0 in the space of spans */
    uint32_t *line_starts;        /* offsets within the file, made at first need */
    int line_count;
} Source;

/* Reads a file (at most 64 MiB). NULL: a diagnostic file_missing/file_unreadable charged to `asked_at` is filed. */
Source *source_read(Jre *jre, const char *path, Span asked_at);
Source *source_from_text(Jre *jre, const char *name, const char *bytes, size_t length);   /* copies */
/* What lies in a folder, in the order of bytes. False: it cannot be read, errno says why. */
bool folder_names(Arena *arena, const char *folder, NameList *names);
Source *source_of(const Jre *jre, Span span);                                 /* NULL for NOWHERE */
/* Line and column count from 1; columns count characters (UTF-8), tabs as one. */
typedef struct { Source *source; int line, column; } Place;
Place place_of(Jre *jre, uint32_t offset);
Span span_join(Span a, Span b);                                               /* from the first to the last; either may be NOWHERE */
const char *span_text(Jre *jre, Span span);                                   /* interned copy of the source text */

/* ---- diag.def, diag.c: messages --------------------------------------------------------------------------- */

typedef enum { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR } Severity;

/* Whose mistake: decides the exit code (DESIGN 6). */
typedef enum { BLAME_USER = 1, BLAME_LIMIT = 2, BLAME_BUG = 70 } Blame;
enum { EXIT_BY_SIGNAL = 128 };            /* and its number: 130 after ^C, 143 where the system asks to end */

typedef enum {
#define DIAG(name, severity, blame, explanation) DIAG_##name,
#include "diag.def"
#undef DIAG
    DIAG_COUNT
} DiagCode;

typedef struct { const char *name; Severity severity; Blame blame; const char *explanation; } DiagRow;
extern const DiagRow diag_rows[DIAG_COUNT];

/* One finding. Build it with diag(), then add to it; it is printed, sorted by place, by diag_print_all. The fields are
 * for those who read findings: `jre fix`, editors, tests. */
typedef struct { Span span; const char *text; } DiagPlace;
typedef struct { bool note; const char *text; } DiagRemark;
typedef struct { const char *text; bool has_edit, safe; Span edit; const char *replacement; } DiagHelp;
typedef struct Diagnostic {
    Jre *jre;
    DiagCode code;
    Span span;
    const char *message;
    LIST(DiagPlace) also;
    LIST(DiagRemark) remarks;     /* facts and notes, in the order they were added */
    LIST(DiagHelp) helps;
} Diagnostic;

/* `format`: the words behind the carets at `span` (or, with NOWHERE, the sentence by itself). */
Diagnostic *diag(Jre *jre, DiagCode code, Span span, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "did you mean `optimizer`?" with the edit; of several that are as near, all of them, without one. False: none is near, and nothing is said.
 * Safe is the edit to a name that the language or its library knows in this place, where it is a slip of the pen. */
bool diag_did_you_mean(Diagnostic *d, Span span, const char *text, const NameList *known, bool of_language);
/* The edit of the last help is not safe where it writes one of these, which stand there already. */
void diag_not_twice(Diagnostic *d, const NameList *taken);
/* A second place, underlined with dashes. */
Diagnostic *diag_also(Diagnostic *d, Span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A block behind `=`. Words wrap by themselves; a line that begins with a blank is a row of a table, and stays one. */
Diagnostic *diag_fact(Diagnostic *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
Diagnostic *diag_note(Diagnostic *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
Diagnostic *diag_help(Diagnostic *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The edit of the last help: put `text` where `span` is (start == end: insert). Prints the changed line(s); whole lines
 * that are inserted (the text begins or ends with a newline) are printed behind a +. */
Diagnostic *diag_edit(Diagnostic *d, Span span, bool safe, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Where a word has its place that has none here: that of another program, or one of the language. False: nobody knows it. */
bool diag_said_elsewhere(Diagnostic *d, const char *word);

int diag_count(const Jre *jre, Severity at_least);
bool diag_any_error(const Jre *jre);
int diag_exit_code(const Jre *jre);                                           /* 0, or the gravest Blame among errors */
void diag_print_all(Jre *jre, FILE *out, bool as_json, bool colors);          /* and forgets them */
void diag_forget(Jre *jre);
DiagCode diag_find(const char *name);                                         /* DIAG_COUNT if none */

/* ---- schema.def, places.def, words.def, synonyms.def, schema.c: record kinds, their keys, words ---------------------------------------------------- */

typedef enum {
#define KIND(name, sentence) KIND_##name,
#define KEY(kind, name, type, needed, fallback, in_key, unit, allowed, sentence)
#include "schema.def"
#undef KIND
#undef KEY
    KIND_COUNT,
    KIND_NONE = KIND_COUNT
} RecordKind;

typedef struct {
    RecordKind kind;
    const char *name, *type;      /* type: as compiler/settings.c reads it: Text Template Condition Part Int Real Share ... */
    bool needed, in_cache_key;
    const char *fallback;         /* as it would be written; "" if there is none */
    const char *unit, *allowed;   /* "epochs"; of a Word its words, "shared disjoint", of a number its range, "2..100", else "" */
    const char *sentence;         /* what it is, for help: "how often the training pictures are gone through: a whole number" */
} SchemaKey;

extern const SchemaKey schema_keys[];
extern const int schema_key_count;
const char *kind_name(RecordKind kind);
const char *kind_sentence(RecordKind kind);
RecordKind kind_find(const char *name);                                       /* KIND_NONE if none */
const SchemaKey *schema_find(RecordKind kind, const char *key);               /* NULL if none */
const char *schema_example(const SchemaKey *key);                             /* a value as it might be written: "30", "folds.train" */

/* places.def: words with arguments that mean something in the places of one type only. */
typedef struct { const char *type, *noun; } PlaceRow;                         /* "Batches", "way to draw batches" */
typedef struct { const char *type, *word, *parameters, *where, *sentence; } PlaceWord;
extern const PlaceRow place_rows[];
extern const int place_row_count;
extern const PlaceWord place_words[];
extern const int place_word_count;
/* METRIC_map, METRIC_rank1, ... in the order of the table. */
typedef enum {
#define PLACE(type, noun)
#define OPTION(type, word, parameters, where, sentence)
#define METRIC(word, parameters, sentence) METRIC_##word,
#include "places.def"
#undef PLACE
#undef OPTION
#undef METRIC
    METRIC_COUNT,
    METRIC_NONE = METRIC_COUNT
} Metric;
typedef struct { const char *word, *parameters; } MetricRow;                  /* parameters: "()" or "(at: Real)" */
extern const MetricRow metric_rows[METRIC_COUNT];
Metric metric_find(const char *word);                                         /* METRIC_NONE if none */
const PlaceRow *place_find(const char *type);                                 /* NULL if values of the type are no words with arguments */
const PlaceWord *place_word(const char *type, const char *word);             /* NULL if the place has no such word */

/* words.def: what the other words mean, for help. */
typedef struct { const char *word, *role, *sentence; } WordRow;               /* role: "statement", "operator", "unit", "type", "word" .. */
extern const WordRow word_rows[];
extern const int word_row_count;

/* synonyms.def: how other programs call what jre has another word for. */
typedef struct { const char *theirs, *ours, *section, *example; } SynonymRow;  /* section: what `jre doc` opens */
extern const SynonymRow synonym_rows[];
extern const int synonym_row_count;
const SynonymRow *synonym_find(const char *theirs);                           /* NULL if none */

/* ---- the syntax tree (lexer.l, grammar.y, parse.c, mistake.c, ast.c) ----------------------------------------------------------- */

typedef enum {
    UNIT_NONE, UNIT_px, UNIT_deg, UNIT_rad, UNIT_percent, UNIT_ms, UNIT_s, UNIT_min, UNIT_h, UNIT_KiB, UNIT_MiB, UNIT_GiB
} Unit;
const char *unit_text(Unit unit);                                             /* "px", "%", "" */

typedef enum {
    EXPR_NAME, EXPR_NUMBER, EXPR_TEXT, EXPR_TRUTH, EXPR_LIST,
    EXPR_CALL,        /* target(arguments) */
    EXPR_INDEX,       /* target[arguments] */
    EXPR_FIELD,       /* target.name */
    EXPR_TRANSPOSE,   /* target' */
    EXPR_NEGATE, EXPR_NOT,
    EXPR_BINARY,      /* left operator right */
    EXPR_IF,          /* if condition then left else right */
    EXPR_REDUCE,      /* name over letters of left where condition */
    EXPR_PIPE         /* left |> right as label; right is a NAME, CALL, FIELD or INDEX */
} ExprKind;

typedef enum {
    BINARY_or, BINARY_and, BINARY_eq, BINARY_ne, BINARY_lt, BINARY_gt, BINARY_le, BINARY_ge, BINARY_divides,
    BINARY_to, BINARY_add, BINARY_sub, BINARY_mul, BINARY_div, BINARY_matmul, BINARY_pow
} BinaryOperator;
const char *binary_text(BinaryOperator op);

typedef struct Expr Expr;
typedef struct { const char *name; Span name_span; Expr *value; } Argument;   /* name NULL: by position */
typedef LIST(Argument) ArgumentList;

struct Expr {
    ExprKind kind;
    Span span;                    /* the whole expression */
    Span focus;                   /* the part a message points at: an operator, a field's word, a called name */
    const char *name;             /* NAME, FIELD, REDUCE's function, TEXT's characters; interned */
    double number; Unit unit;     /* NUMBER, as written: 60% is 60 with UNIT_percent */
    int depth;                    /* of the tree from here down; at most 200 in what was parsed */
    bool truth, parenthesized;
    BinaryOperator op;
    Expr *target, *left, *right, *condition;
    ArgumentList arguments;       /* CALL, INDEX, LIST (names only in shares: [train = 90%, validate = 10%]) */
    NameList letters;             /* REDUCE */
    const char *label; Span label_span;   /* PIPE: `as label`, or NULL */
};

/* A dimension is an ordinary expression; `S...` is a NAME with `rest`; `_` is a NAME called "_". */
typedef struct { Expr *size; bool rest; } Dim;
typedef struct { const char *name; Span span; const char *dtype; LIST(Dim) dims; bool has_dims; } Type;
typedef struct { const char *name; Span span; Type type; Expr *fallback; } Param;

typedef enum { LINE_LEARN, LINE_DRAW, LINE_EQUATION, LINE_RESULT } LineKind;
typedef struct {
    LineKind kind; Span span;
    const char *name; Span name_span;     /* LEARN, DRAW, EQUATION: what is defined */
    NameList letters;                     /* EQUATION: D[i, j] = ... */
    Type type;                            /* LEARN */
    Expr *value;                          /* NULL: a LEARN without a start */
} Line;

typedef struct { const char *key; Span key_span, span; Expr *value; } Setting;
typedef LIST(Setting) SettingList;

typedef enum { FORMULA_function, FORMULA_augment, FORMULA_network, FORMULA_loss } FormulaKind;
const char *formula_name(FormulaKind kind);

typedef enum {
    STATEMENT_EXTENDS, STATEMENT_USE, STATEMENT_EQUATION, STATEMENT_RECORD, STATEMENT_FORMULA,
    STATEMENT_CHANGE_VALUE, STATEMENT_CHANGE_SETTINGS, STATEMENT_REMOVE,
    STATEMENT_PROBE, STATEMENT_EXPECT, STATEMENT_ACCEPT, STATEMENT_EXPR
} StatementKind;

typedef struct Statement {
    StatementKind kind; Span span;
    bool broken;                          /* a part of it was a mistake, diagnosed and left out: ask no more of it */
    const char *name; Span name_span;     /* what is declared, changed, removed, used; ACCEPT: the check */
    RecordKind record;                    /* RECORD */
    Expr *like;                           /* RECORD: like path (NAME or FIELD), or NULL */
    SettingList settings;                 /* RECORD, CHANGE_SETTINGS */
    Expr *value;                          /* EQUATION, CHANGE_VALUE, PROBE, EXPECT, EXPR */
    bool each; Span each_span;            /* the value is `each [..]`; then value is the LIST */
    FormulaKind formula;                  /* FORMULA: */
    LIST(Param) params; Type result; LIST(Expr *) where; LIST(Line) lines; bool builtin;
    const char *text; Span text_span;     /* EXTENDS path, EXPECT/ACCEPT reason */
    const char *subject; Span subject_span; /* ACCEPT name FOR subject */
} Statement;

typedef enum { CHUNK_PROGRAM, CHUNK_FOLDED, CHUNK_WRONG, CHUNK_TEST } ChunkKind;
typedef struct {
    ChunkKind kind; const char *wrong;    /* wrong: the check it must be refused with */
    Span span;                            /* with its fences */
    LIST(Statement *) statements;
    LIST(Diagnostic *) findings;          /* of a `wrong` chunk: they are its purpose, not the document's mistakes */
    bool goes_on;                         /* the text ends where more must follow: an open bracket, an operator, `x =` */
} Chunk;
typedef struct { Source *source; LIST(Chunk *) chunks; LIST(Span) prose; LIST(Expr *) quotes; } Document;    /* quotes: `= cv.map` in prose */

/* Parses every chunk of a source; mistakes become diagnostics and the rest is kept. Never NULL. */
Document *parse_document(Jre *jre, Source *source);
/* Parses a text that is one chunk (a REPL input, a --set, a quoted expression, an operator's signature). */
Chunk *parse_chunk(Jre *jre, Source *source);

/* A longer key of a setting stands out of the column in which the values stand. */
enum { LONGEST_ALIGNED_KEY = 10 };
/* Prints parseable text: what it prints parses to an equal tree. */
void print_expr(Text *out, const Expr *e);
void print_type(Text *out, const Type *t);
void print_statement(Text *out, const Statement *s);
bool expr_equal(const Expr *a, const Expr *b);                                /* meaning as written; spans do not count */
bool statement_equal(const Statement *a, const Statement *b);
/* Text of `expr` on one line, interned. */
const char *expr_text(Jre *jre, const Expr *e);
/* The text of a condition, as it stands beside an `and`: in brackets if an `or` would come apart. */
const char *beside_and(Jre *jre, const char *condition);

/* ---- format.c: the one style ------------------------------------------------------------------------------------ */

/* The text of a document that was parsed without a mistake, in the one style. False: a bug of ours, which is diagnosed. */
bool format_document(Jre *jre, const Document *document, Text *out);

/* ---- module.c: files that a document brings along ------------------------------------------------------------ */

typedef struct Module {
    Document *document;
    struct Module *parent;                /* extends; NULL for the root of a chain and for libraries */
    LIST(struct Module *) uses;           /* in order of appearance */
    bool library, core;
    Span asked_at;
} Module;

/* Parses a document with its whole chain and all it uses, each file once; cycles and missing files are diagnosed.
 * NULL if the document itself could not be read. */
Module *module_load(Jre *jre, const char *path);
/* A file laid over a program: --with FILE. */
Module *module_load_overlay(Jre *jre, const char *path);
/* A chunk `test` or `wrong` as a file laid over its document. */
Module *module_of_chunk(Jre *jre, const Module *document, const Chunk *chunk);
Module *module_core(Jre *jre);            /* stdlib/core.jre, once */
/* The documents of the library in the order of their names, read in silence, once; used by those who only look. */
Document *const *library_documents(Jre *jre, int *count);
const Statement *declared_in(const Document *document, const char *name);     /* NULL if it is not */
/* The module of the library that declares a name, for "use resnet"; NULL if none does. core is no such module. */
const char *module_that_declares(Jre *jre, const char *name);

/* ---- the context ----------------------------------------------------------------------------------------------- */

struct Jre {
    Arena forever;                        /* sources, names, trees */
    Map *names;                           /* interned strings */
    LIST(Source *) sources; uint32_t next_base;
    LIST(Diagnostic *) diagnostics;
    Map *modules;                         /* by real path */
    Module *core;
    Document **library; int library_count;   /* module.c: what library_documents read */
    const char *stdlib;                   /* folder of the library */
    const char *weights_path;             /* JRE_WEIGHTS */
    long fail_allocation_after, fail_read_after, fail_write_after;   /* 0: never (JRE_FAIL_*) */
    void (*on_exhaustion)(Jre *jre);      /* does not return; main must set it: without it the process ends with status 2 */
    size_t exhausted_by;                  /* bytes that were not to be had; 0: memory never ran out */
    struct Block *blocks; struct Owned *owned;      /* all that is in use */
    Jre *root, *faults;                   /* whose memory and handler, whose countdowns are used; NULL: its own */
    volatile int interrupted;             /* the signal that asks to end (SIGINT, SIGTERM), or 0: stop soon, keep what is finished */
};
Jre *jre_new(void);                       /* NULL only if there is no memory at all */
/* A context for what may fail in silence: its messages are nobody's business. Its memory and what is to fail are those of `jre`. */
Jre *jre_aside(Jre *jre);
void jre_free(Jre *jre);

#endif
