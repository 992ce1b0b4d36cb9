/* compiler.h: what does the program mean, and in which order does it run.
 *
 * Sections in the order of the files: facts from outside, the flat program (resolve.c), values and types (types.c,
 * evaluate.c), the tensor graph (ops.def, ops.c, graph.c, graph_text.c, verify.c, lower.c, ranges.c, rules.def, rewrite.c, recognize.c, schedule.c, order.c, place.c, segments.c, memory.c), the plan (plan.h: plan.c,
 * score_walk.c, protocol.c, provenance.c, check_gradient.c, key.c, key_compare.c), and the list of passes (passes.c), which is the place to start reading. */
#ifndef JRE_COMPILER_H
#define JRE_COMPILER_H

#include "../lang/lang.h"

/* ---- facts: all the compiler may know of files, pulled when needed, filled by the runtime, faked in tests -------- */

typedef struct { const char *name, *dtype; int rank; int64_t dim[8]; } WeightShape;
typedef struct {
    const char *path;                     /* where it was found */
    WeightShape *tensors; int count;
    Map by_name;
    bool made_up;                         /* for benchmarks: every weight is there, in the shape that is asked for */
    const char *stats, *license;          /* from the file's metadata or the JSON beside it: "m m m s s s", "CC-BY-NC-4.0"; NULL if neither says */
} WeightFacts;
typedef struct { NameList columns; int rows; } TableFacts;
/* Numbers of a dataset or of a part of a split, as fields: jaguars.pictures. */
typedef struct {
    int pictures, individuals;
    int smallest, largest, singletons;    /* pictures of an individual; individuals with a single one */
    int bursts, in_bursts;                /* of two pictures or more; how many pictures are in them */
    int copies;                           /* pictures whose bytes an earlier one has */
    const int *of_each;                   /* pictures of each individual that has any */
} PartFacts;
/* Pictures that a split puts on two sides though they belong together. */
enum { MOST_NAMED = 5, MOST_PARTS_TOLD = 4 };
typedef struct { const char *file, *individual, *part; int fold; } TornPicture;          /* fold: from 1; 0: part is its name */
typedef struct { TornPicture first, second; int bits; const char *value; } TornPair;     /* value: of the column of bursts */
/* Of the `of` pictures in `part`, `torn` have one in `other`. Without names: of all that are held out one in training, or, `elsewhere`, of all one in another part. */
typedef struct { const char *part, *other; int torn, of; bool elsewhere; } TornParts;
typedef struct { int64_t pairs; TornPair example; TornParts parts[MOST_PARTS_TOLD]; int part_count; } TornPairs;
typedef struct {
    TornPairs burst, alike; int within;                   /* by column or time; at most `within` bits apart */
    int shared; const char *shared_names[MOST_NAMED], *shared_part, *shared_other;       /* individuals on two sides */
} LeakFacts;
/* Of the `of` pictures of a part that is examined, `same` are of another part too (bytes are compared, not names), and `alike` are not, but
 * one of that part is of their burst, or at most `within` bits apart and of their individual, or so in two hashes. Pairs: first the picture
 * that is examined; the closest. */
typedef struct { int of, same, alike, within; TornPair same_pair, alike_pair; } MetFacts;
/* Rows of a part whose pictures are one, byte for byte, in pairs, and the first such pair. */
typedef struct { int64_t pairs; TornPair example; } CopyFacts;

/* Of an evaluation's queries: `known`, but for `gallery`, have a picture of their individual among the candidates; `answered`: one that may
 * answer; `burst`: .. of their own burst (the first such query and frame); `apart`: .. of another. doubtful: somewhere a wrong answer is possible.
 * Where nobody is answered: how many candidates a query keeps, and how many queries keep none. */
typedef struct { int queries, candidates, known, answered, burst, apart; const char *query, *frame; bool doubtful; int least, most, alone; } AskFacts;
/* What a role or column holds: how many values, of them names of a side, and the most frequent; texts of the dataset. */
enum { MOST_VALUES = 8 };
typedef struct { int rows, empty, distinct, sides, told; const char *value[MOST_VALUES]; int times[MOST_VALUES]; } ColumnFacts;
/* Bursts by a column that hold two individuals, of all bursts; two such pictures. */
typedef struct { int bursts, mixed; TornPair example; } MixedFacts;

struct PartPlan;
struct SplitPlan;
struct DatasetPlan;
struct EvaluatePlan;
struct Graph;
typedef struct Facts {
    void *context;
    bool (*file_exists)(void *context, const char *path);
    const char *(*content_hash)(void *context, const char *path, Span asked_at);         /* NULL: diagnosed */
    const WeightFacts *(*weights)(void *context, const char *path, Span asked_at);       /* NULL: diagnosed */
    const TableFacts *(*table)(void *context, const char *path, Span asked_at);          /* NULL: diagnosed */
    const char *(*license)(void *context, const char *folder, const char **file);        /* how its file LICENSE begins, and that file's path; NULL: it has none */
    /* Reads the pictures (seconds, cached). False: diagnosed. */
    bool (*part)(void *context, const struct PartPlan *part, PartFacts *facts);
    bool (*leaks)(void *context, const struct SplitPlan *split, LeakFacts *facts);
    /* fold: whose parts are meant where a part stands once for each; else 1. */
    bool (*met)(void *context, const struct PartPlan *learned, const struct PartPlan *examined, int fold, MetFacts *facts);
    bool (*copies)(void *context, const struct PartPlan *part, int fold, CopyFacts *facts);
    bool (*asked)(void *context, const struct EvaluatePlan *evaluation, AskFacts *facts);
    bool (*column)(void *context, const struct DatasetPlan *dataset, const char *name, ColumnFacts *facts);
    bool (*mixed)(void *context, const struct DatasetPlan *dataset, MixedFacts *facts);
    /* The numbers of a graph's output, in 64 bits, row-major, in the graph's arena; the graph needs no picture. False: diagnosed. */
    bool (*compute)(void *context, const struct Graph *graph, double **numbers);
    bool latency;                         /* --latency: kernels are chosen for one picture at a time */
} Facts;

/* ---- resolve.c, scopes.c, accept.c, names.c, flat.c, compare.c: one flat program ------------------------------------------------------------------------------------ */

typedef struct Decl Decl;
typedef LIST(Decl *) AxisList;
typedef LIST(const Statement *) AcceptList;
struct Decl {
    const char *name;
    StatementKind kind;                   /* EQUATION, RECORD or FORMULA */
    const Statement *statement;           /* as declared; values and settings below are after every change */
    struct Scope *scope;                  /* where its names are looked up */
    Expr *value; bool each; Span each_span;
    RecordKind record; SettingList settings;
    bool library;                         /* of a module, not of the document's chain */
    bool called;                          /* a formula: with its data */
    const struct DimTable *sizes;         /* a formula: of its last call; NULL if it was only tried */
    bool poisoned;                        /* a mistake in its own text was told: it is left out, and stays quiet */
    const char *flat_name;                /* in the flat program that is printed */
    int state;                            /* of resolution: guards against cycles */
    AxisList *axes;                 /* family.c: the open axes it depends on, once they were looked for */
    const char **choice_names;            /* family.c: an axis: what its choices are called, once they were asked for */
    struct Value *last; const struct Choice *last_choices;        /* an equation's value, for the choices it was last asked for */
};

typedef struct Scope {
    const char *name;                     /* file stem: resnet.stage, v02.cv */
    Map names;                            /* to Decl */
    LIST(struct Scope *) uses;            /* in order; core and what it uses last */
    bool core;                            /* core.jre and the modules it uses: the only places where `builtin` means something */
    bool shipped;                         /* a module of the library, not one beside a document */
    Module *document;                     /* of a document's flat program: the document; NULL for modules */
    AcceptList accepts;                   /* .. those that stand in it */
    Map removed;                          /* by a document of the chain: to the Statement */
} Scope;

typedef struct {
    Jre *jre;
    Arena arena;                          /* lives as long as the compilation */
    Facts facts;
    Module *document;
    const char *version;                  /* the document's stem */
    Scope *scope;                         /* the chain's names */
    Map library_scopes, document_scopes;  /* by the file's path: of modules; of the document and of the ancestors it quotes */
    Map declared;                         /* names that any document of the chain declares, also those removed later */
    LIST(Module *) overlays; LIST(Chunk *) sets;           /* --with, --set */
    LIST(const Statement *) probes, expects;               /* of the document itself */
    AcceptList accepted;                  /* what silenced a check, each once */
    Map unknown_names; bool lost_chunk;   /* told already, by scope and name; .. that they stand in a chunk that is none */
    NameList changes;                     /* printed in records: "with FILE", "folds.seed=8" */
    struct Plan *plan;
    int depth, nested; int64_t steps;     /* calls and expressions inside each other, and expressions in all, while evaluating */
    int planning;                         /* records that are planned inside each other */
    const char *backbone;                 /* the first library network called while lowering, for tables */
    LIST(struct TrailStop *) trail;        /* stages passed while lowering, for messages about sizes */
    const struct ResultSource *results;   /* NULL before the run */
    struct Graph *stated;                 /* where the tensors of a test's expectation are; NULL elsewhere */
    bool poisoned;                        /* something was diagnosed while evaluating the current declaration */
    bool trying;                          /* sizes are made up */
    bool gaps;                            /* texts or files that could not be read: what is missing may be declared there */
    FILE *dump; const char *dump_pass;    /* --dump=NAME */
    struct OpSignature *signatures;           /* by Op, parsed at first use */
    Decl **options;                       /* by row of places.def, parsed at first use */
    Map setting_values;                   /* to Value, by declaration, key and choices; and the trees of defaults */
    bool with_data;                       /* tables may be read */
    bool latency;                         /* --latency */
    int64_t *rule_hits;                   /* by rule */
    struct PassTime { const char *name; double seconds; int64_t hits; } times[24]; int time_count;
} Compilation;

typedef struct {
    const char *path;
    LIST(const char *) set; LIST(const char *) with;
    Module *above;                        /* a chunk `test` or `wrong`, laid over the document; or NULL */
} CompileRequest;
/* Loads, resolves, checks and plans. False if anything was wrong (diagnosed); the plan may still hold the sound rest. */
bool compile(Compilation *compilation, Jre *jre, const CompileRequest *request, const Facts *facts, bool with_data);
void compilation_free(Compilation *compilation);

bool resolve_program(Compilation *c, const CompileRequest *request);
Scope *document_scope(Compilation *c, Module *document);                      /* its own flat program, made once */
typedef enum { LAYER_DOCUMENT, LAYER_OVERLAY, LAYER_LIBRARY } LayerKind;
void lay_document(Compilation *c, Scope *scope, const Module *module, LayerKind kind);        /* its statements, over what is in the scope */
void scope_use(Compilation *c, Scope *scope, const Module *module);           /* scopes.c: the modules that it uses */
void scope_use_core(Compilation *c, Scope *scope);                            /* core, and what core uses; last */
bool is_core(Compilation *c, const Module *module);                           /* core, or a module that it uses */
/* Under what a declaration stands in Scope.names: a figure is no value, so `figure coats` and `embed coats` are two things. */
const char *declared_as(Compilation *c, RecordKind kind, const char *name);
Decl *scope_find(const Scope *scope, const char *name);
void expect_unknown_name(Compilation *c, const Scope *scope, const char *name);
void report_unknown_name(Compilation *c, const Scope *scope, const NameList *inside, const char *name, Span span);      /* inside: names of the formula, or NULL */
bool may_mean_a_name(Compilation *c, const Scope *scope, const char *name);  /* one that is declared is a slip of the pen away */
/* .. of what a document declares, a figure too: changed, removed, accepted for. */
void report_unknown_declaration(Compilation *c, const Scope *scope, const char *name, Span span);
/* What may stand before a dot: a module that `from` uses ("resnet"), else an ancestor of its document, the nearest first ("v02": that
 * document's own flat program, made at first need). NULL: neither. */
Scope *scope_named(Compilation *c, const Scope *from, const char *name);
/* The same as an expression means it: an ancestor gives way to what the flat program calls so. */
Scope *scope_before_dot(Compilation *c, const Scope *from, const char *name);
/* accept.c: checks that the document overrules. The slot: where its declaration stands, a value, or the figure of that name. */
const char *accepted_slot(Compilation *c, const Scope *scope, const Statement *accept);
void check_accepts(Compilation *c);                                           /* is there such a check, and such a declaration? */
/* Does an `accept` of this scope silence the check at this place, which is in its declaration, or in a module on behalf of it? Then it is noted. */
bool overruled(Compilation *c, const Scope *scope, DiagCode check, Span at, Span behalf);
bool overruled_anywhere(Compilation *c, DiagCode check, Span at, Span behalf);        /* by the document, or by an ancestor that it quotes */
void check_idle_accepts(Compilation *c, bool with_data);                      /* those that silenced nothing; once all checks are done */
/* names.c: a walk over the names of a text that are looked up; it makes a copy of the text. */
typedef struct NameWalk {
    Compilation *c; const Scope *scope;
    /* For a copy of a NAME of `scope`, or of a FIELD that names `scope` and a declaration of it: what is to stand there. */
    Expr *(*visit)(struct NameWalk *walk, const Scope *scope, Expr *name);
    void *context;
    Map own;                              /* of the formula that is walked */
} NameWalk;
Expr *names_in(NameWalk *walk, const Expr *e);
Statement *flat_statement(NameWalk *walk, const Decl *decl);                  /* as declared and changed, walked */
void check_names(Compilation *c, const Scope *scope);                         /* names that two modules have, names taken from the library */
/* compare.c: how two flat programs differ (jre diff). part: the setting of a record; old, new: texts, NULL where there is none. */
typedef enum { DIFFERENCE_ADDED, DIFFERENCE_REMOVED, DIFFERENCE_CHANGED, DIFFERENCE_RENAMED } DifferenceKind;
typedef struct { DifferenceKind kind; const char *what, *name, *part, *old, *new; } Difference;
typedef LIST(Difference) DifferenceList;
void compare_programs(Compilation *old, const Scope *old_scope, Compilation *new, const Scope *new_scope, DifferenceList *found);
/* The flat program as parseable text (jre show). */
void print_flat_program(Compilation *c, Text *out);

/* ---- the tensor graph -------------------------------------------------------------------------------------------------- */

/* One size stands for the batch, the only one not known when a graph is compiled; no arithmetic of sizes may give it. */
enum { DIM_BATCH = -0x40000000, GRAPH_RANK = 6, GRAPH_INPUTS = 8, GRAPH_ATTRIBUTES = 10 };
typedef struct { int rank; int64_t dim[GRAPH_RANK]; } Shape;
bool shape_equal(Shape a, Shape b);
const char *shape_text(Arena *arena, Shape shape);                            /* "[N, 64, 112, 112]" */
int64_t shape_elements(Shape shape, int64_t batch);

typedef enum {
#define OP(name, flags, tolerance, flops, signature) OP_##name,
#include "ops.def"
#undef OP
    OP_COUNT
} Op;
enum {
    OP_SOURCE = 1,                        /* no inputs: input, weight, constant */
    OP_ELEMENTWISE = 2, OP_REDUCTION = 4,
    OP_LAYOUT = 8,                        /* moves numbers without changing them: reshape, transpose, concat */
    OP_CHAINS = 16,                       /* may carry a chain: elementwise ops run on its result while that is near */
    OP_STEP = 32,                         /* 0 or 1: flat wherever it is, so none of its operands has a slope */
    OP_PICKS = 64,                        /* its first operand only says which of the others counts */
    OP_RUNNING = 128                      /* its operands from the fourth on are counted while training, not learned */
};
typedef struct { const char *name; int flags; double tolerance; const char *flops, *signature; } OpRow;
/* A signature, parsed at first use by the language's own parser. */
typedef struct OpSignature {
    const Statement *head; const Expr *flops;
    int data, needed;                     /* operands: at most, at least */
    int attributes; const char *attribute_name[GRAPH_ATTRIBUTES]; double attribute_default[GRAPH_ATTRIBUTES];
} OpSignature;

/* How a learned weight begins: normal(0, 0.01), uniform(-1, 1), zeros(), ones(). */
typedef struct Start { const char *how; double a, b; } Start;

/* Where a node comes from: the innermost line first, then the call that led there, the last in a document. */
typedef struct Origin { Span span; const struct Origin *caller; bool library; } Origin;
Span origin_user_span(const Origin *origin);                                  /* the innermost that is in no library */

/* Elementwise ops in a row that are one node's work: all of it (OP_chain), or what happens to another op's result on its way out.
 * Values are numbered: 0 .. sources-1 come in, sources + i is what link i makes, of values before it; the last link's is the result.
 * The sources of OP_chain are its operands; behind another op source 0 is that op's own number, source i is operand first + i - 1, and
 * the op's own operands are those before `first`. A link OP_constant is a number, attribute[0]. */
enum { GRAPH_LINKS = 24 };
typedef struct Link { Op op; int operand[3]; double attribute[2]; const Origin *origin; const char *stage; } Link;
typedef struct Links { int sources, first, count; Link link[GRAPH_LINKS]; } Links;

typedef struct Node {
    int id;                               /* its place in graph->nodes: operands come first */
    Op op; Shape shape;
    struct Node *in[GRAPH_INPUTS]; int inputs;            /* NULL: an operand left out (a convolution's bias) */
    double attribute[GRAPH_ATTRIBUTES];
    const Links *links;                   /* the chain it carries, or NULL */
    bool varies;                          /* depends on the picture */
    const char *name;                     /* weight: its name in files */
    struct WeightScope *weights;          /* weight: the file it comes from */
    const Start *start;                   /* weight: how it begins where it is trained; NULL: from a file only */
    bool frozen;                          /* weight: of a network that was called so: no training changes it */
    const double *values;                 /* constant: its numbers, row-major; NULL: value + step * i at place i */
    const Origin *origin;
    const char *stage;                    /* the named stage it ends, for tables: "layer1.0" */
    int uses;                             /* set by graph_count_uses */
} Node;

/* A call of a network with `weights = "file"`: names inside are relative to it. */
typedef struct { double mean[3], spread[3]; const char *said_by; Span span; } Stats;
typedef enum { FIT, UNFIT_MISSING, UNFIT_SHAPE, UNFIT_NUMBERS, FITS } Fit;     /* NUMBERS: whole ones, which somebody would have to scale */
typedef struct { const char *name, *dtype; Shape wanted, found; Fit fit; Span needed_at, asked_at; } UnfitWeight;     /* asked_at: in a document */
typedef struct WeightScope {
    const char *path, *hash; const WeightFacts *facts; Span span;
    const struct TrainPlan *train;        /* that finds them; NULL: nobody here */
    Stats stats; bool has_stats;
    bool reported;                        /* one message a file */
    bool nobodys, drawn;                  /* there is no file: nobody has trained these; they are drawn, as `weights = random(seed = 1)` says */
    LIST(UnfitWeight) unfit; Map used;    /* weights.c: what was asked for: not there so; there, by the names of its facts */
} WeightScope;

typedef struct Graph {
    Compilation *compilation; Arena *arena;
    LIST(Node *) nodes;
    Map consed;                           /* equal nodes are one node */
    Node *input, *output;
    const char *later; Span later_span;   /* the first thing in it that this version cannot compute yet: types are checked, nothing runs */
} Graph;

Graph *graph_new(Compilation *c);
/* Checks shapes with the op's signature; a node of equal op, operands, attributes and name is returned instead of a new one. NULL: `why`
 * says in plain words what is wrong. attributes NULL: defaults. */
Node *graph_add(Graph *g, Op op, Node *const *in, int inputs, const double *attributes, const Origin *origin, const char **why);
Node *graph_source(Graph *g, Op op, Shape shape, double value, const char *name, WeightScope *weights, const Origin *origin);
Node *graph_constant(Graph *g, Shape shape, const double *values, const Origin *origin);     /* values live as long as the graph */
Node *graph_positions(Graph *g, Shape shape, const Origin *origin);            /* 1, 2, 3, ... row-major */
/* An anchor (NULL: OP_chain) that carries these links; `in` are their sources but for the anchor's own number. NULL: `why`. */
Node *graph_chain(Graph *g, const Node *anchor, Node *const *in, int inputs, const Links *links, const Origin *origin, const char **why);
double constant_value(const Node *node, int64_t place);
void graph_print_values(const Node *node, const char *format, Text *out);      /* of a constant that lists them: " values=1,2,3" */
void graph_print_links(const Graph *g, const Node *node, const char *format, Text *out);      /* " { $1 = sigmoid($0); $2 = mul($0, $1) }" */
Node *graph_reshape(Graph *g, Node *x, Shape shape, const Origin *origin);
Node *graph_transpose(Graph *g, Node *x, const int *order, const Origin *origin);   /* order[i]: the old place of new dimension i */
void graph_count_uses(Graph *g);
void graph_sweep(Graph *g);                                                   /* drops what the output does not need, renumbers, operands first */
/* Puts a node behind the others, even if an equal one is there. */
Node *graph_append(Graph *g, const Node *wanted);
bool graph_verify(Graph *g, const char *after_pass);                          /* false: a `bug` diagnostic was filed */
/* What verify.c asks of one node, its operands being sound. NULL, or what is wrong; if that is its shape, `made` is what it should be. */
const char *node_unsound(Graph *g, const Node *node, Shape *made);
bool shape_sound(Compilation *c, Shape shape, const char **why);              /* every size at least 1, and not too many numbers */
/* graph_text.c */
void graph_print(const Graph *g, Text *out, bool canonical);                  /* canonical: no spans, no stages: what keys are made of */
Graph *graph_read(Compilation *c, const Source *source);                      /* NULL: diagnosed. Nodes come from their lines in the text */
const OpRow *op_row(Op op);
Op op_find(const char *name);                                                 /* OP_COUNT if none */
const OpSignature *op_signature(Compilation *c, Op op);
int op_attribute(Compilation *c, Op op, const char *name);                    /* place, -1 if none */
bool op_infer_shape(Compilation *c, Op op, Node *const *in, int inputs, const double *attributes, Shape *shape, const char **why);
double op_flops(Compilation *c, const Node *node);                            /* for one picture */
bool op_has_slope(Op op, int operand);                                        /* does its result go up or down with that operand? */

/* ranges.c: between which numbers each result must lie, whatever pictures and weights are. length: of all that lies along `axes` (bits) of one
 * row, as a vector; infinite where nobody knows. By node. */
typedef struct { double low, high; unsigned axes; double length; } NumberRange;
const NumberRange *graph_ranges(const Graph *g);
NumberRange range_product(NumberRange a, NumberRange b);                      /* its lowest and highest number */

/* Rules: a pattern that ends in `node`, replaced by what is returned (NULL: does not match). rewrite.c joins the origins. */
typedef enum { PHASE_SIMPLIFY, PHASE_RECOGNIZE, PHASE_FUSE, PHASE_CHAIN } RulePhase;
typedef struct { const char *name; RulePhase phase; const char *reason; Node *(*apply)(Graph *g, Node *node); } Rule;
extern const Rule rules[]; extern const int rule_count;
int64_t rewrite_graph(Graph *g, RulePhase phase);                             /* to the end; returns hits, counted by rule in c->rule_hits */
#define RULE(name, phase, reason) Node *rule_##name(Graph *g, Node *node);
#include "rules.def"
#undef RULE

/* ---- dims.c: sizes are letters, bound at the first use --------------------------------------------------------------------- */

typedef struct { const char *name; int64_t value; Shape rest; bool is_rest; } DimBinding;
typedef struct DimTable {
    Arena *arena; LIST(DimBinding) bound;
    bool (*outside)(void *context, const char *name, int64_t *value); void *context;
} DimTable;
/* Whole-number value of a size or a test (1 or 0); `/` rounds down. False: *why says what is missing. */
bool dim_evaluate(const DimTable *table, const Expr *e, int64_t *value, const char **why);
void dim_bind(DimTable *table, const char *name, int64_t value);
/* Holds a shape against a type's dimensions, binding letters met for the first time. False: *why. */
bool dims_match(DimTable *table, const Type *type, Shape shape, const char **why);
/* The shape that a type says, once all its letters are bound; `_` becomes what `found` has there (NULL: not allowed). */
bool dims_build(const DimTable *table, const Type *type, const Shape *found, Shape *shape, const char **why);
const char *type_as_text(Arena *arena, const Type *type);

/* ---- schedule.c, order.c, place.c, segments.c, memory.c: a program for the executor --------------------------------------------- */

/* Where a node's numbers lie: in the slab, or in what stays loaded. Offsets and sizes are bytes. */
typedef enum { PLACE_INPUT, PLACE_SLAB, PLACE_LOADED } PlaceKind;
typedef struct {
    PlaceKind kind;
    const Node *buffer; size_t behind;    /* place.c: in whose buffer it lies (its own: itself), and how far behind its beginning */
    const Node *laid_as; bool channels_last;      /* strides are those of this node: itself, or the concat that it is a part of */
    size_t offset, bytes;                 /* of its first picture; of the pictures of a tile, or of all of a batch where `whole` */
    bool whole;
    int first_step, last_step;            /* of its buffer: from the first that writes it to the last that reads it */
} Placement;
typedef struct { Node *node; } Step;
/* Steps first .. end-1, run for `tile` pictures after the other until the batch is through. */
typedef struct { int first, end, tile; } Segment;
typedef struct Program {
    Graph *graph;
    Step *load; int load_steps;           /* run once: what depends on weights and constants only (folded batchnorms) */
    Step *steps; int step_count;          /* run for each batch, in order; not the nodes that only see or join what is there (place.c) */
    Segment *segments; int segment_count;
    Placement *place;                     /* by node id */
    int max_batch;
    size_t slab_bytes, loaded_bytes, sum_bytes;           /* sum: what the slab would be without reuse */
    int64_t weights;                      /* numbers that come from files */
    double flops;                         /* of one picture */
    Shape input, output;                  /* with DIM_BATCH */
    bool latency;                         /* kernels are chosen for one picture at a time */
    int asked_batch, computed_again;      /* fit.c: pictures at a time before it had to fit (0: it did not have to); values that are computed twice */
} Program;
Program *schedule_graph(Graph *g, int largest_batch);
int order_steps(const Graph *g, const bool *loaded, bool by_memory, Step *steps);             /* loaded: by node, what no batch computes; returns how many */
void place_nodes(Program *program);
void node_strides(const Node *laid_as, bool channels_last, int64_t batch, int64_t *stride);
void one_segment(Program *program, int batch, int tile);
void choose_segments(Program *program, int largest_batch);
void memory_plan(Program *program);
void plan_batch(Program *program, int batch);                                 /* schedule.c: segments and memory for so many pictures at a time */
/* fit.c. Plans again for a slab of at most so many bytes, or the smallest there is (see slab_bytes): with fewer pictures at a time, then with
 * values computed twice, which the graph has twice then. */
void program_within(Program *program, size_t most);
void program_print(const Program *program, Text *out);                        /* jre explain: its work and memory in two lines, and weights left over */
const char *step_text(Arena *arena, const Node *node);                        /* "conv 3x3/2 bias relu" */

/* ---- values (evaluate.c): what an expression is while compiling ---------------------------------------------------------------- */

typedef enum {
    VALUE_NONE,                           /* poisoned: already diagnosed, stays quiet */
    VALUE_NUMBER, VALUE_TEXT, VALUE_TRUTH, VALUE_LIST, VALUE_RANGE, VALUE_WORD, VALUE_STATS,
    VALUE_FORMULA,                        /* a network, loss, augment or function waiting for arguments */
    VALUE_TENSOR,                         /* a node of the graph being built */
    VALUE_PICTURE,                        /* an Image on its way through a view */
    VALUE_ROLE,                           /* data that the dataset's roles supply for each picture: a Mask, a Flank; known when it runs */
    VALUE_RECORD,                         /* a dataset, split, embed, ... by name */
    VALUE_PART,                           /* folds.held_out, or a whole dataset */
    VALUE_SIMILARITY,
    VALUE_OPTION,                         /* a word of a setting's place with its arguments: balanced(identities = 16, images = 4) */
    VALUE_CONDITION,                      /* of pictures or pairs: width >= 50px, not same(burst) */
    VALUE_TABLE,                          /* known after the run and only shown: importance(judge), compare([..]) */
    VALUE_METRIC                          /* a number known after the run; `number` is it when `known` */
} ValueKind;

typedef struct Value Value;
/* How a number is drawn: uniform(-12deg, 12deg) on the line `angle ~ ..`, or arithmetic on such. */
typedef struct Draw {
    const char *name;                     /* of the `~` line; NULL for arithmetic */
    const char *function;                 /* uniform, normal, choose, integers; +, cos, ... */
    LIST(const Value *) operands;
    double low, high;                     /* bounds, in the unit of the value; infinite where nobody knows */
} Draw;
typedef struct Bound { const char *name; Value *value; Span span; } Bound;
struct Value {
    ValueKind kind; Span span;            /* where it was written */
    double number; Unit unit; bool whole, known, batch;   /* NUMBER; batch: the one size not known */
    const Draw *draw;                     /* NUMBER drawn for each picture: `number` is only its middle */
    const char *text;                     /* TEXT, WORD, OPTION; FORMULA: the name it was called by */
    const char *type;                     /* OPTION: of which place: "Batches"; TENSOR of labels: "Identity", "Label", "Flank"; of a letter's places: "position"; ROLE: "Mask" */
    const Expr *condition;                /* CONDITION, with its names known to be columns or roles */
    int64_t classes;                      /* TENSOR of labels, which count from 1: how many there are to tell apart; else 0 */
    bool truth, open;                     /* truth: also of a TENSOR of 0 and 1; open: compares a metric that is not known yet */
    LIST(Value *) items;                  /* LIST; RANGE has two */
    Stats stats;
    Decl *decl;                           /* FORMULA, RECORD */
    LIST(Bound) bound;                    /* FORMULA: arguments so far; OPTION: all parameters of its row, defaults filled in */
    WeightScope *weights; bool has_stats, frozen;         /* FORMULA: weights = .., stats = .., frozen = true */
    Node *node; NameList letters;         /* TENSOR; letters: names of its dimensions inside an index equation */
    bool embedding, image;                /* TENSOR; image: one picture, [3, H, W] */
    struct Environment *inside;           /* TENSOR made by a network: its equations and stages */
    struct View *view;                    /* PICTURE */
    const char *part;                     /* PART, of the split `decl` */
    const struct Choice *choices;         /* RECORD: the choices it was named with */
    int fold;                             /* RECORD of a split, PART: one fold, from 1; 0: all */
    const char *best_by;                  /* RECORD: best(.., by = map): its choices are known after the run */
    const Decl *axis;                     /* METRIC: which choice of this `each` is best */
    struct SimilarityPlan *similarity;    /* SIMILARITY */
};

/* A stage passed on the way: `layer1  [N, 256, 56, 56]`. */
typedef struct TrailStop { const char *name; Shape shape; Span span; const struct Environment *where; } TrailStop;

typedef struct Environment {
    Compilation *compilation;
    Graph *graph;                         /* NULL outside a network */
    const Decl *formula;
    Scope *scope;
    Map values, stages, labels;           /* equations and parameters; stages by name; places of names behind `as` */
    struct Environment *caller;           /* whose stage this is */
    const char *path;                     /* prefix of weight names: "layer1.0" */
    const Origin *origin;
    WeightScope *weights;
    bool frozen;                          /* of a network that was called so, or inside one */
    Map *ordinals;                        /* of unnamed stages, shared along a path */
    const DimTable *dims;                 /* letters of the formula's types */
    bool sizes;                           /* a size or an Int is wanted: `/` rounds down */
    const char *drawing;                  /* the `~` line that is being evaluated */
    const Decl *record;                   /* whose setting is read: columns of its dataset may be named; NULL outside settings */
    const struct Choice *choices;
    const Value *called;                  /* the formula with its arguments */
    struct Lettered *lettered;            /* the index equation being evaluated; NULL outside */
} Environment;

/* One choice of each open axis. */
typedef struct Choice { Decl *axis; int index; const struct Choice *next; } Choice;

Value *evaluate(Environment *env, const Expr *e);                             /* never NULL; VALUE_NONE once diagnosed */
Value *truth_or_complain(Environment *env, const Expr *e);                    /* true, false, or a tensor of 0 and 1 */
Value *evaluate_name(Environment *env, const char *name, Span span);
Value *value_new(Compilation *c, ValueKind kind, Span span);
Value *value_number(Compilation *c, double number, Span span);
Value *value_tensor(Compilation *c, Node *node, Span span);
enum { STEPS_QUIET = 1 << 30 };           /* c->steps of a declaration that was too deep: it has been told */
Value *poison(Environment *env, Span span);                                   /* VALUE_NONE; the mistake has been told */
Environment *environment_new(Compilation *c, Scope *scope, const struct Choice *choices);
/* call.c: calls of formulas. `piped` (or NULL) is the data in front of |>; label names the stage. */
Value *evaluate_call(Environment *env, Value *formula, const ArgumentList *arguments, Value *piped, Span span, const char *label);
/* Arguments onto the parameters of an option's row, held against their types, defaults filled in. False: diagnosed. */
bool bind_option(Environment *env, Value *option, const ArgumentList *arguments, Span span);
/* The same with values at hand: `data` by the names of parameters. */
Value *call_with_data(Environment *env, Value *formula, const Bound *data, int count, Span span);
/* Weights that nobody has yet: of every name, in the shape that is asked for. */
WeightScope *weights_made_up(Compilation *c, Span span);
bool is_data_type(const char *type);
bool role_type(const char *type);                                             /* of data that the dataset's roles supply: Mask, Flank, ... */
bool word_type(const char *type);                                             /* a bare name is a word there */
/* Of a dataset or of a part: they are there as soon as the pictures are. */
bool part_field(const PartFacts *facts, const char *name, double *number);    /* false: there is none of this name */
/* fields.c: what stands behind a dot, and in brackets behind what is no tensor. */
Value *evaluate_field(Environment *env, const Expr *e);
Value *evaluate_index(Environment *env, const Expr *e);
Value *undecided(Environment *env, const Decl *axis, Span span);
/* A tensor inside a network's result: an equation, else a stage, outermost first; with several names a path. count: how many at that depth. */
const Value *inner_value(Compilation *c, const Value *tensor, const char *path, int *count);
void inner_names(Compilation *c, const Value *tensor, NameList *names);
bool values_equal(const Value *a, const Value *b);                            /* words, texts, truths, formulas with their arguments */
/* settings.c: the value of a setting, held against its type in schema.def (and of words with arguments, in places.def). NULL: not
 * written, and without a default. VALUE_NONE: diagnosed, once. A default's span is the declaration's name. */
Value *setting_value(Compilation *c, const Decl *decl, const char *key, const struct Choice *choices);
Span setting_span(const Decl *decl, const char *key);                         /* of the value; of the declaration's name without one */
Value *option_argument(const Value *option, const char *name);                /* by the parameter's name; NULL if it has none */
Bound *argument_of(const Value *formula, const char *name);                   /* as given in a call; NULL if it was not */
/* tensor.c: tensors that come from no picture. */
bool is_label_type(const char *type);
/* What a type wants and is there in another form: a list for a tensor or labels, Tensor[1] and Scalar for each other; anything else as
 * it is. VALUE_NONE: diagnosed. */
Value *as_data(Environment *env, const Type *type, Value *v);
Value *learned_weight(Environment *env, const Line *line);
/* All numbers of a TENSOR that depends on no picture, row-major, in 64 bits. False: diagnosed. */
bool tensor_numbers(Environment *env, const Value *v, double **numbers);
Value *no_tensor_here(Environment *env, Span span);                           /* diagnoses a tensor where no graph is being built */
/* What a place wants, and how messages call it: `key` of `of`. Of a parameter the type alone is needed. */
typedef struct { const char *type, *allowed, *key, *of, *example; bool argument; Span used; } Wanted;     /* used: the name, where its equation is read */
Value *typed_value(Environment *env, const Wanted *wanted, const Expr *e);
bool place_type(const char *type);                                            /* parameters of it are read by typed_value */
/* A word of this place, whatever else is called so. */
bool word_comes_first(Compilation *c, const char *type, const char *allowed, const char *name);
Decl *option_decl(Compilation *c, const PlaceWord *row);                      /* its head, as a formula */
/* The columns of the dataset's table or paths; NULL if nobody knows them now. */
const NameList *table_columns(Compilation *c, const Decl *dataset, const Choice *choices);
bool column_alone(const char *text, size_t *length);                          /* "{column}" and nothing else; length of the text */
const char *path_as_written(Compilation *c, Span written, const char *path);      /* a path belongs to the folder of the document that wrote it */
/* conditions.c: conditions, and the columns that may be named in them. */
bool is_measure(const Expr *e);                                               /* width or height of a picture */
Value *condition_value(Environment *env, const Wanted *wanted, const Expr *e);
Value *column_value(Environment *env, const Wanted *wanted, const Expr *e);
/* index.c: arithmetic of tensors, with or without letters on their dimensions. */
Value *tensor_operation(Environment *env, Op op, Value *const *operands, int count, const double *attributes, Span span);
Value *index_tensor(Environment *env, const Expr *e, Value *tensor);
Value *reduce_tensor(Environment *env, const Expr *e);
/* A letter by itself is the positions of its dimension, from 1; NULL: no tensor of this line has such a letter. */
Value *letter_value(Environment *env, const char *name, Span span);
/* The tensor of `e`, if a letter was looked up in it before; else NULL. */
Value *tensor_looked_up(const Environment *env, const Expr *e);
/* One line of a formula: its letters are its own. */
Value *evaluate_line(Environment *env, const Expr *e);
Value *letters_in_order(Environment *env, Value *tensor, const NameList *letters, Span span);
Node *tensor_of(Environment *env, const Value *v);                            /* a number becomes a constant; NULL if it is neither */
/* builtins.c, views.c, draw.c, features.c, scores.c: the body `builtin` of core.jre and the modules it uses; parameters are in env->values. */
Value *builtin_call(Environment *env, const Decl *formula, Span span);
Value *parameter(Environment *env, const char *name);
double real_parameter(Environment *env, const char *name);                    /* its bare number */
bool known_word(Environment *env, const char *name, const char *const *words, int count);     /* diagnoses any other */
bool is_view_step(const Decl *formula);                                       /* takes a picture on its way through a view */
Value *builtin_view_step(Environment *env, Span span);
Value *image_gray(Environment *env, Span span);                               /* gray and blur where a picture is numbers already */
Value *image_blur(Environment *env, Span span);
#define BUILTIN(name) Value *builtin_##name(Environment *env, Span span);
#include "builtins.def"
#undef BUILTIN
/* weights.c: a weight called by its place, held against the file of the network around it. NULL: nobody has one, diagnosed. */
Node *weight_from_file(Environment *env, const char *name, Shape shape);
/* Some of what a network asked for, which is asked as it is, nobody has trained. False: diagnosed. */
bool weights_trained(Compilation *c, WeightScope *nobodys, const Value *network, Graph *g, Span span);
bool are_drawn(const Expr *weights);                                          /* call.c: `weights = random(seed = 1)` */
/* Weights that a training freezes before anybody has trained them. own: those that have no file. */
void check_frozen(Compilation *c, const Graph *g, const WeightScope *own, Span span);
/* All that the network asked for was there in its shape; else one message tells everything that was not, once a file. */
bool weights_fit(Compilation *c, WeightScope *scope, const char *network);
void weights_left_over(Compilation *c, const WeightScope *scope, NameList *names);        /* what nobody asked for, but for counters of batches */
const char *names_listed(Arena *arena, const NameList *names, int most);
/* types.c */
bool bind_type(Environment *env, DimTable *table, const Param *param, Value *value, const Decl *formula);
/* A finding at the line of the document that led here; the library's own line, if that is another, second. */
Diagnostic *diag_at_call(Environment *env, DiagCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool number_fits(const Value *number, const char *type);
bool wrong_unit(Compilation *c, const char *type, const char *name, const char *of, const Value *found, Span used);             /* tells; false */
bool check_result(Environment *env, DimTable *table, const Decl *formula, Value *result);
const char *value_kind_text(const Value *v);                                  /* "a network", "a number" */
bool is_literal(Jre *jre, const Value *v);                                   /* a number that stands in the document as it is: an edit may replace it */
const char *value_text(Compilation *c, const Value *v);                       /* "Tensor[N, 64, 7, 7]", "0.5rad" */
double number_in(const Value *v, const char *wanted, bool *ok);   /* Int, Real, Angle (radians), Length (px), Share (fraction), Time (s), Bytes */
bool unit_fits(Unit a, Unit b);                                              /* both angles, both times, ..: one can be written as the other */
bool value_is_numeric(const Value *v);                                         /* a number, or a metric */
double value_bare(const Value *v);                            /* its number without a unit: 60% is 0.6 */
bool stats_from_text(const char *text, Stats *stats);
bool stats_equal(const Stats *a, const Stats *b);
const char *stats_text(Compilation *c, const Stats *stats);                    /* "mean .. , spread .." */
bool stats_by_word(const char *word, Stats *stats);                           /* imagenet, half, clip */

/* ---- draw.c: what a `~` line draws ---------------------------------------------------------------------------------------------------- */

Value *draw_line(Environment *env, const Line *line);
bool low_first(Environment *env, const Value *low, const Value *high, const double *numbers);       /* tells */
Value *drawn_uniform(Environment *env, Span span);                            /* uniform and normal behind ~ in an augment */
Value *drawn_normal(Environment *env, Span span);
const Draw *draw_of(Compilation *c, const char *function, const Value *const *operands, int count);
const char *draw_text(Arena *arena, const Draw *draw);                        /* "angle ~ uniform(-0.2, 0.2)" */

/* ---- views.c: how a picture is made ready --------------------------------------------------------------------------------------------- */

/* VIEW_LATER: types and sizes are checked, a later version executes it. VIEW_NOTHING: a chance of 0. */
typedef enum {
    VIEW_LATER, VIEW_NOTHING, VIEW_FIT, VIEW_STRETCH, VIEW_RESIZE, VIEW_CENTER, VIEW_CORNER, VIEW_ROTATE, VIEW_AFFINE, VIEW_FLIP, VIEW_GRAY, VIEW_COVER, VIEW_NORMALIZE
} ViewStepKind;
typedef struct { const char *name; const Value *value; } StepParameter;
typedef struct {
    ViewStepKind kind; const char *name; Span span;
    const Decl *formula;                  /* of the library, with its defaults */
    int width, height;                    /* of the picture behind it; 0: not known. RESIZE: both are the shorter side */
    uint8_t fill[3]; const char *filter;  /* fill: white where the step has none */
    const char *corner;                   /* CORNER: top_left, ... */
    double angle, right, down, scale, shear;              /* ROTATE: the first; AFFINE: all; angles in radians */
    Stats stats;                          /* NORMALIZE */
    LIST(StepParameter) parameters;       /* all but the picture, defaults filled in */
    bool draws;                           /* its result differs from look to look */
} ViewStep;
typedef struct { const char *type, *name; Span span; } ViewRole;              /* Mask mask: data of a picture besides its pixels */
typedef struct View {
    LIST(ViewStep) steps;
    int width, height;                    /* 0: not known yet */
    int least;                            /* of the shorter side while they are not; 0: not known */
    bool random; Span random_span;        /* a step draws: the first */
    const char *later; Span later_span;   /* the first step that this version does not execute */
    LIST(ViewRole) roles;
    const char *name; Span span;          /* span: where a record names it */
    const Decl *decl;                     /* the augment */
} View;
typedef LIST(View *) ViewList;
/* What an augment makes of a picture, with all the data that it wants besides: a view whose size is known. NULL: diagnosed. */
View *evaluate_view(Compilation *c, const struct Choice *choices, Value *formula, Span span);
const char *view_canonical(Arena *arena, const View *view);                   /* what keys are made of */
const char *value_canonical(Arena *arena, const Value *v);                    /* types.c: for keys; NULL: its content is in other keys (a part, a network) */
bool view_wants(const View *view, const char *type);                         /* data of this type: Mask, Flank, ... */
const ViewStep *view_step(const View *view, const char *name);                /* the first of that name: flip, cover, ...; NULL if there is none */
const ViewStep *view_flip(const View *view, bool another);                    /* its flip that keeps the animal; `another`: that makes it another one */
const Value *step_parameter(const ViewStep *step, const char *name);
const Stats *view_stats(const View *view);                                    /* of colors behind it; NULL: raw, 0 to 1 */

/* ---- family.c: what an `each` does to the declarations that depend on it -------------------------------------------- */

typedef struct { const char *axis, *choice; } MemberChoice;                   /* "backbone", and the choice's own name */
typedef LIST(MemberChoice) MemberName;
typedef struct { const Choice *choices; MemberName name; } Member;
typedef LIST(Member) MemberList;
void axes_of_decl(Compilation *c, Decl *decl, AxisList *axes);
void axes_of_expr(Compilation *c, const Scope *scope, const Expr *e, AxisList *axes);
/* One member for each combination of choices; with no axis, one without a name. */
void members_of_axes(Compilation *c, const AxisList *axes, Span asked_at, MemberList *members);
int choice_of(const Choice *choices, const Decl *axis);                       /* -1 if it is not chosen */
const char *axis_choice(Compilation *c, Decl *axis, int index);
bool in_the_document(const Compilation *c, Span span);                        /* written by the document or one that it extends, not by an overlay */
Decl *closed_by_overlay(const Compilation *c, const Scope *scope, const char *name);          /* NULL: open, or the document's own */
const char *only_choice(Compilation *c, const Decl *decl);                    /* what the value of such a one is called */

/* Its first open data is one Image: it is given one picture after the other, not a batch. Not so an augment. */
bool takes_image(const Value *network);
/* lower.c: a network over batches of pictures of the view's size, or a function of one picture. program NULL: diagnosed if `width` is 0;
 * else it is sound, `width` numbers a picture (or for each of its `points`), and `later` is the first thing in it that this version cannot compute.
 * trained: the scope of all weights that are not there yet, of a network that is to be trained; else NULL. */
typedef struct { Program *program; Graph *graph; int width, points; const char *backbone, *later; Span later_span; } Lowered;
Lowered lower_network(Compilation *c, const struct Choice *choices, Value *network, const View *view, WeightScope *trained, Span span);
/* The same for a value inside it, called so (NULL: the network itself), in whatever shape it has. No program: diagnosed, unless `later`. */
Lowered lower_inside(Compilation *c, const struct Choice *choices, Value *network, const View *view, const char *inside, Span span);

#include "plan.h"

/* ---- testing.c: chunks that are laid over their document alone ------------------------------------------------------------------------ */

typedef struct {
    const Chunk *chunk;
    bool passed, mistaken;                /* mistaken: diagnosed */
    int expectations; LIST(Outcome) failed;                /* of a chunk `test` */
    bool refused; NameList others;        /* of a chunk `wrong`: with the check that it names; checks that it does not name */
    LIST(Diagnostic *) findings;          /* what it was told, beyond what its document is told without it */
} TestResult;
/* What it says lasts as long as `jre`. */
void test_chunk(Jre *jre, const Module *document, const Chunk *chunk, const char *path, const Facts *facts, TestResult *result);
/* In a test a tensor of one number is that number, a comparison of tensors holds if it does everywhere; all else as it is. */
Value *stated_value(Environment *env, Value *v);
const char *stated_sides(Environment *env, const Expr *e, const Value *found);            /* what was compared; NULL if nothing was */

/* ---- passes.c: start here ------------------------------------------------------------------------------------------------------------------ */

typedef struct { const char *name, *contract; void (*run)(Graph *g); } GraphPass;
extern const GraphPass graph_passes[]; extern const int graph_pass_count;
Program *compile_graph(Compilation *c, Graph *g, int largest_batch);
bool same_finding(const Diagnostic *a, const Diagnostic *b);                  /* told twice */

#endif
