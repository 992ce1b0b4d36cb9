/* results.h: from numbers to results: ranking and judging, the session and its runs, tables and records. A part of runtime.h, which
 * includes it where its types are known; nobody else does. */
#ifndef JRE_RESULTS_H
#define JRE_RESULTS_H

/* ---- retrieval/tiles.c: who streams over all pairs ------------------------------------------------------------------------------------ */

enum { TILE_CANDIDATES = 240, TILE_STEP = 16 };           /* queries of a block and candidates of a tile are multiples of the step */
/* Scores of `candidates` rows against `queries` rows. Both counts are fixed, so every score is made by the same arithmetic. */
typedef struct {
    const Kernel *kernel; KernelCall call;
    int candidates, queries, width;
    size_t packed_bytes, workspace_bytes;
    int64_t units;
} TileShape;
/* What one thread needs to fill a tile. */
typedef struct {
    float *query;                         /* [queries, width] */
    float *candidate;                     /* [candidates, width]: rows from all over the gallery */
    float *scores;                        /* [candidates, queries] */
    float *by_query;                      /* the same, [queries, candidates] */
    void *packed, *workspace;
} Tile;
/* Cuts pieces off one allocation; with base NULL it only adds up. */
typedef struct { char *base; size_t used; } Carver;
void *tile_piece(Carver *carver, size_t count, size_t element);
bool tile_shape(Jre *jre, int level, int candidates, int queries, int width, TileShape *shape);      /* False: diagnosed */
void tile_carve(Tile *tile, const TileShape *shape, Carver *carver);
const float *tile_row(const float *rows, int row, int width);
/* Makes rows[which[0]], rows[which[1]], ... the queries of the tile; the places behind `count` become zeros. */
void tile_queries(const Tile *tile, const TileShape *shape, const float *rows, const int *which, int count);
void tile_clear(const Tile *tile, const TileShape *shape, int first);          /* candidates from `first` on become zeros */
void tile_run(const Tile *tile, const TileShape *shape, const float *candidates);
/* Gallery rows first .. end-1, one tile at most; where the gallery ends, zeros follow. */
void tile_run_rows(const Tile *tile, const TileShape *shape, const float *gallery, int first, int end);
void tile_transpose(const Tile *tile, const TileShape *shape);                 /* fills by_query */
/* mask[i]: -1 where candidate first + i may answer the query, else 0; i < count. The mask has room for pair_rule_depth(rule) tiles. */
int pair_rule_depth(const PairRule *rule);
void pair_rule_tile(const PairRule *rule, int query, int first, int count, int32_t *mask);
/* Scores where the mask is 0 become NaN; how many are left. */
int pair_rule_leave_out(const int32_t *mask, int count, float *scores);
/* Scores of one query against every gallery row, as rank_queries sees them. */
void query_scores(Jre *jre, int level, const float *query, const float *gallery, int candidates, int width, float *scores);

/* ---- retrieval/stream.c, neighbors.c, similarity.c -------------------------------------------------------------------------------------------------------- */

/* What one query got (DEFINITIONS 5.1 to 5.3; order: score falling, then row; what has no score comes last). R: how many are relevant. */
typedef struct {
    int positives;                        /* R: relevant pictures among its candidates; 0: lonely */
    int candidates;                       /* that may answer: not itself, nor whom the rule leaves out */
    int unscored;                         /* of them, those whose score is no number */
    double average_precision;
    double best_order, worst_order, expected_order;       /* average precision if equal scores stood in other orders */
    double map_at_r;                      /* average precision within the first R */
    int first_rank, last_rank;            /* of the relevant ones, from 1; 0 if lonely */
    int hits;                             /* relevant ones among the first R */
    int ties;                             /* candidates, not relevant ones, whose score equals that of some positive */
    int best; float best_score;           /* gallery row ranked first and its score; -1 and NaN if there is no candidate */
    int answer;                           /* its individual; -1 if there is none */
} QueryResult;

/* Streams tiles of scores; nothing of size queries x gallery is kept. query, gallery: [rows, width] f32 row-major (unit rows).
 * label: individual of each row. self[i]: the gallery row that is query i itself, left out; -1 if none. rule: who may answer whom,
 * or NULL. Bits do not depend on the number of threads. */
typedef struct {
    const float *query; int queries; const int *query_label; const int *self;
    const float *gallery; int candidates; const int *gallery_label;
    int width;
    const PairRule *rule;
} RankingTask;
bool rank_queries(Jre *jre, Pool *pool, int level, const RankingTask *task, QueryResult *results);

/* All scores, told piece by piece. query_row, candidate_row: the row of the task at each place; queries at places first .. end-1 are
 * asked for. mutual: queries and candidates are the same rows in the same order, all are asked for, and each score is computed once.
 * take: scores of candidates at places from .. from+count-1, which the caller may overwrite, and NaN up to the next multiple of
 * TILE_STEP; one thread at a time for each query, in no order of candidates. */
typedef struct {
    const RankingTask *task; const int *query_row, *candidate_row; int first, end; bool mutual;
    void (*take)(void *context, int part, int query, float *scores, int from, int count);
    void *context;
} PairStream;
bool stream_pairs(Jre *jre, Pool *pool, int level, const PairStream *stream);  /* false: diagnosed, or interrupted */

/* The best candidates of a query so far, and some that were once: room for neighbors_room(most). Of equal scores the lower row is better.
 * bar: who scores less is not among them; -infinity at first. */
typedef struct { float score; int row; } Neighbor;
typedef struct { Neighbor *at; int count, most; float bar; } Neighbors;
int neighbors_room(int most);
/* row[i] has scores[i]; what is no number is nobody's neighbor. count: a multiple of TILE_STEP, NaN fills up. */
void neighbors_meet(Neighbors *neighbors, const float *scores, const int *row, int count);
void neighbors_finish(Neighbors *neighbors);              /* the `most` best, best first */
/* The `most` best candidates of each query, best first: nearest[query * most ...], row -1 behind the last. With rank_nearest in one go
 * with the ranking. */
bool nearest_candidates(Jre *jre, Pool *pool, int level, const RankingTask *task, int most, Neighbor *nearest);
bool rank_nearest(Jre *jre, Pool *pool, int level, const RankingTask *task, QueryResult *results, int most, Neighbor *nearest);

/* `ties` others and `group` relevant ones have one score; `found` relevant ones and `before` others have a higher one. What the group's
 * relevant ones add to average precision, on average over all orders. */
double expected_precision(double found, double before, double group, double ties);

/* ---- retrieval/pairs.c ---------------------------------------------------------------------------------------------------------------- */

/* All pairs of a query and a candidate, [0] of two individuals and [1] of one; whose individual is not known is in none. */
enum { PAIR_BINS = 128, PAIR_RATES = 4 };                 /* bins of 1/64 from -1 to 1; what lies beyond is in the outermost */
typedef struct { double rate, share, score; } RocPoint;
typedef struct {
    int64_t same, different, unscored;    /* unscored: neither, as the score is no number */
    double auc, auc_within;               /* within: how far it may be off at most */
    double average_precision, average_precision_within;   /* equal scores as one threshold, as in scikit-learn */
    double equal_error, equal_error_score;                /* mean of the shares of errors of both kinds, at the score where they are nearest */
    RocPoint found[PAIR_RATES];           /* right pairs that score so high that at most `rate` of the wrong ones do: 1e-4 1e-3 1e-2 1e-1 */
    RocPoint parted[PAIR_RATES];          /* wrong pairs that score so low that about `rate` of the right ones do (fast-reid's) */
    int64_t histogram[2][PAIR_BINS];
} PairScores;
/* Numbers are NaN where there are not pairs of both kinds. once: where queries are rows of the gallery (self), each two pictures are one
 * pair. Streams twice. False: interrupted, or diagnosed. */
bool judge_pairs(Jre *jre, Pool *pool, int level, const RankingTask *task, bool once, PairScores *out);

/* ---- retrieval/metrics.c, statistics.c ----------------------------------------------------------------------------------------------- */

/* How an evaluation is asked. average_identity: over an individual's queries, the folds where it is present, the individuals; else over
 * all queries. lonely_zero: a query without an answer counts 0, else it is left out. */
typedef struct {
    bool average_identity, lonely_zero; uint64_t seed;
    double at[METRIC_COUNT];              /* of assigned(at) and false_matches(at); NaN: not asked for */
} Judging;
Judging judging_of(const EvaluatePlan *plan);
typedef struct { double value, low, high, spread; } Score;                    /* low, high: 95 % bootstrap interval over individuals; spread: standard deviation (n - 1) of the folds' own values, 0 with one fold */
typedef struct { int identity; double average_precision, low, high; int queries, folds; } IdentityScore;     /* low, high: over its queries; NaN with one */
typedef struct {
    Score score[METRIC_COUNT];            /* averaged as asked; NaN where nothing was judged, or not asked for */
    double chance;                        /* expected map of random orders */
    double map_best_order, map_worst_order, map_expected_order;               /* map if equal scores stood in other orders; map if there are none */
    int queries, lonely; int64_t ties, unscored;          /* queries: all that asked, the lonely ones among them */
    IdentityScore *per_identity; int identities;          /* present ones, by identity number */
    int best, worst;                      /* places in per_identity; -1 if it is empty */
} Evaluation;
/* One fold's queries with their individuals; -1: nobody knows. */
typedef struct { const QueryResult *results; const int *identity; int count; } FoldResults;
void evaluate_folds(Jre *jre, Arena *arena, const FoldResults *folds, int fold_count, int identities, const Judging *judging, Evaluation *out);
/* Expected average precision of a random order: `positives` relevant among `candidates`. */
double chance_average_precision(int positives, int candidates);
double harmonic_number(double n);                         /* 1 + 1/2 + ... + 1/n */
/* 95 % percentile intervals by `rounds` resamplings, at most 10000 (Philox, purpose "interval"): one draw of individuals for all of
 * `ratios` numbers, each the sum of over[individual * ratios + r] by that of under. NaN where nothing was under. */
void bootstrap_intervals(Jre *jre, const double *over, const double *under, int individuals, int ratios, int rounds, uint64_t seed, double *low, double *high);


/* ---- retrieval/conventions.c ---------------------------------------------------------------------------------------------------------- */

/* The same answers as other tools count them: Kaggle, torchreid, fast-reid, pytorch-metric-learning, wildlife-datasets, the lynx probe. A tool
 * knows nothing of folds: it is asked once for each, and told is the mean over those (`folds` of them) for which it has a number. */
typedef struct { const char *tool, *metric, *counts; double value; int folds; } ConventionRow;
typedef LIST(ConventionRow) Conventions;
/* pairs: of each fold; NULL: the lines that need them are left out. */
void conventions_of(Jre *jre, Arena *arena, const FoldResults *folds, int fold_count, int identities, const PairScores *pairs, Conventions *out);

/* ---- report/tables.c ----------------------------------------------------------------------------------------------------------------------- */

/* Quotes a CSV cell where RFC 4180 asks for it. */
void csv_cell(Text *out, const char *cell);
/* One row: it replaces the one that agrees with it in the first key_columns, else it is appended. */
typedef struct {
    const char *const *columns, *const *cells; int count, key_columns;
    bool grows;                           /* columns that the file lacks are added to it; else its header must be this one */
} TableRow;
/* Writes the header if the file is new; the file's other rows are kept as they are. Two processes wait for each other. Errors: wrong_table
 * if its header differs. */
bool table_put_row(Jre *jre, const char *path, Span asked_at, const TableRow *row);

/* ---- core/facts.c, core/embed.c, core/run.c ------------------------------------------------------------------------------------------ */

typedef struct {
    FILE *out;                            /* where people read; progress goes to stderr */
    bool quiet, json, no_cache, colors;
    bool all_metrics;                     /* every metric there is, also as other tools count it */
    const char *into;                     /* --into, or NULL */
    int threads;                          /* 0: as many as the machine has */
    const char *device;                   /* auto, cpu */
    const char *only;                     /* one evaluation or submission by name, or NULL */
    bool latency;                         /* kernels for one picture at a time: other bits, so other keys */
    size_t memory;                        /* bytes that a run may take; 0: 80 % of what the machine has */
} RunOptions;
/* Everything a command shares: pool, device, store, weights, datasets. */
typedef struct Session {
    Jre *jre; RunOptions options; Arena arena;
    const char *base;                     /* what is written goes below */
    const char *version;                  /* of the document that is run */
    Pool *pool; Device *device; int level; Store store; WeightLibrary *weights;
    PictureCache *cache;                  /* opened by the first embed; NULL: none */
    size_t planned;                       /* bytes, of the embed that takes most */
    Map datasets, tables, hashes, embeddings;             /* by content of the plan, path, path, key */
} Session;
enum { MOST_THREADS = 256 };
Session *session_open(Jre *jre, const RunOptions *options);    /* NULL: diagnosed */
void session_close(Session *session);
Facts session_facts(Session *session);
Facts made_up_facts(Session *session);                   /* .. but every file of weights is there, with whatever is asked of it */
/* core/budget.c: what a network takes while it runs, in bytes: the process as it stands, weights, what is computed, of all threads together,
 * pictures on their way. What does not fit is planned again. False: diagnosed. */
typedef struct { size_t process, weights, slab, workspace, pictures, all, limit; } Budget;
/* view NULL: no pictures are read. paths: of some, whose sizes stand for all; held: bytes that the caller keeps of them besides. */
typedef struct { const View *view; const char *const *paths; int count; size_t held; } Coming;
bool session_fit(Session *session, Program *program, const Coming *coming, const char *name, Span span, Budget *budget);
Dataset *session_dataset(Session *session, const DatasetPlan *plan);           /* NULL: diagnosed, or interrupted */
/* .. with what a condition asks of the files themselves: their width and height. condition NULL: nothing. */
Dataset *session_asked(Session *session, const DatasetPlan *plan, const Expr *condition);
Dataset *session_hashed(Session *session, const DatasetPlan *plan);            /* .. with perceptual hashes */
const Table *session_table(Session *session, const char *path, Span asked_at);
static inline double mebibytes(size_t bytes) { return (double)bytes / 1048576; }
static inline const char *plural(int64_t count) { return count == 1 ? "" : "s"; }
/* A line for people, unless quiet or JSON is asked for. */
void session_say(Session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Walks the plan: embeddings, scores, tables, submissions, expectations. Returns the exit code of DESIGN 6; diagnostics are left to be printed. */
int session_run(Session *session, Compilation *compilation);

/* ---- core/profile.c: where the time of a network goes, and what the machine would allow ------------------------------------------------ */

typedef struct {
    int threads, level;
    bool stated;                          /* by somebody, not measured */
    double one_flops, flops;              /* a second: of one thread, of all together */
    double near, memory;                  /* bytes a second that all threads read: of a few MiB in the caches, of what fits into none */
    double start;                         /* seconds of a launch that has nothing to do */
    double cache;                         /* bytes: what is larger lies in memory */
} Limits;
Limits limits_measure(Jre *jre, Pool *pool, int level);   /* some tens of milliseconds */
/* Of another machine, or of none: "100,200,60,20,5", GFLOP/s of one thread and of all, GB/s near and of memory, microseconds. False: diagnosed. */
bool limits_stated(Jre *jre, const char *text, Limits *limits);
bool session_limits(Session *session, Limits *limits);    /* those that JRE_LIMITS states, else measured. False: diagnosed */

typedef enum { BOUND_ARITHMETIC, BOUND_MEMORY, BOUND_START } BoundBy;
typedef struct {
    const Node *node; const Kernel *kernel;
    int runs;                             /* tiles that the pictures go through it in: each reads the weights and starts once */
    double flops, bytes, weight_bytes;    /* of all pictures together: numbers read and written, and weights */
    double ideal, predicted, seconds;     /* what the limits allow; with the start; the best that was measured, 0: nobody did */
    BoundBy bound;
} StepProfile;
/* From its flops and bytes: what it could take. near: what lies in the slab, the weights stay in the caches. */
void step_predict(StepProfile *step, const Limits *limits, bool near_slab, bool near_weights);
double step_share(const StepProfile *step);               /* of the limits: 1 could not be better; 0 where nobody measured */
const char *bound_text(BoundBy bound);
typedef struct { StepProfile *steps; int count, pictures; StepProfile total; bool measured; size_t memory; } Profile;   /* memory: bytes that stay allocated */
/* Of a tile of as many pictures as the program was planned for; the executor may be a sketch. */
Profile profile_predict(Arena *arena, const Executor *executor, const Program *program, const Limits *limits);
/* Runs it on made-up pictures, five times or for so long. False: diagnosed, or interrupted. */
bool profile_measure(Jre *jre, Profile *profile, Executor *executor, const Program *program, double seconds);

/* The stored embeddings of one embed: they grow by picture, and keep their order. */
typedef struct {
    const char *key; const KeyTree *tree; int width, count, room; float *values;
    LIST(const char *) content, file; Map row;            /* content: the hash of a look; row: number + 1 by it */
    double seconds; int64_t computed;                     /* spent on all of them, by whichever run */
    const char *checksum;                 /* of what the store held when it was last read or written; NULL: nothing */
    bool told;                            /* that all is in the store */
} EmbeddingTable;
/* What results are named by: what the plan knows of them, with pictures, kernels, device and level. */
KeyTree *embedding_tree(Session *session, const EmbedPlan *embed);
KeyTree *evaluation_tree(Session *session, const EvaluatePlan *plan);          /* NULL: diagnosed */
KeyTree *submission_tree(Session *session, const SubmitPlan *plan);            /* NULL: diagnosed */
EmbeddingTable *embedding_table(Session *session, const EmbedPlan *embed);     /* as the store has it, and what this session added */
/* A second name for the file of a table. False: the store's file is another one, or the disk knows no links. */
bool embedding_link(Session *session, const EmbeddingTable *table, const char *path);
/* The table of an embed with a row for each of the dataset's pictures named in `which`. NULL: diagnosed, or interrupted; what was finished
 * is stored. computed: how many were not there. */
EmbeddingTable *session_embeddings(Session *session, const EmbedPlan *embed, const Dataset *dataset, const int *which, int count, int *computed);
/* Copies the pictures' rows, each of unit length. False: a row is not a number (diagnosed). */
bool embedding_unit_rows(Session *session, const EmbedPlan *embed, const EmbeddingTable *table, const Dataset *dataset, const int *which, int count, float *out);

/* ---- core/stored.c --------------------------------------------------------------------------------------------------------------------------- */

/* Writes only if the file is missing or differs. */
bool file_update(Session *session, const char *path, Span asked_at, const void *bytes, size_t length, bool *written);
/* A part of the store that carries its checksum: damaged or half-written parts count as absent. */
bool stored_part(Session *session, const char *key, const char *part, char **bytes, size_t *length);
bool store_part(Session *session, const KeyTree *tree, const char *part, const void *bytes, size_t length, Span asked_at);
bool stored_number(Session *session, const char *key, const char *name, double *number);       /* of about.json */
const char *stored_text(Session *session, const char *key, const char *name);                  /* NULL if absent */

/* ---- core/trees.c: what stored results were made of ---------------------------------------------------------------------------------------- */

/* Kernels, device and instruction level: leaves of every result's tree. */
void key_machine(const Session *session, KeyTree *tree);
/* Keeps a key's tree beside its result. */
bool store_tree(Session *session, const KeyTree *tree, Span asked_at);
void json_origin(Text *out, const Session *session, const KeyTree *tree);      /* for about.json: what it is, which version made it, when */
KeyTree *tree_parse(Arena *arena, const char *bytes, size_t length);           /* NULL: damaged */
const KeyTree *stored_tree(void *session, const char *hash);                   /* NULL: not known; a KeySource's find */
/* Complete results in the store, in no order. made: seconds since 1970, 0 if nobody knows. */
typedef struct { const char *key, *what, *version; double made; } StoredResult;
typedef LIST(StoredResult) StoredResults;
bool stored_origin(Session *session, const char *key, StoredResult *result);
void stored_results(Session *session, StoredResults *results);

/* ---- report/result.c, protocol.c, rows.c, shown.c, submission.c ------------------------------------------------------------------------------------------------ */

typedef struct {
    const EvaluatePlan *plan;
    const char *version, *choice, *key, *embed_key, *dataset_key, *protocol_key, *run_id;
    const KeyTree *tree;
    const NameList *changes;              /* by the command line */
    bool done, cached;
    Evaluation numbers; const char **individuals;         /* names of numbers.per_identity */
    int folds, pictures, candidates;      /* folds: members that were examined; candidates: of all of them */
    int embedded;                         /* pictures that were not in the store */
    const char *neighbors, *neighbors_hash;               /* the table of the best candidates: its file in the run's folder; what it holds */
    PairScores *pairs; Conventions conventions;           /* --metrics all: of each fold; NULL: not asked for */
    double seconds, embed_seconds; int64_t embed_pictures;
} EvaluationReport;
enum { NEIGHBORS = 10 };                                  /* best candidates of a query that are told */
#define NEIGHBORS_PART "neighbors.csv"                    /* their table in the store */
void json_number(Text *out, double number);               /* shortest form that reads back; null if not finite */
void report_json(Text *out, const EvaluationReport *report);
void json_accepted(Text *out, const AcceptList *accepted);  /* "accepted": [{"check": .., "for": .., "because": ..}] */
/* Fills numbers and costs from what report_json wrote. False: damaged. */
bool report_parse(Jre *jre, Arena *arena, const char *bytes, size_t length, EvaluationReport *report);
/* Under which rules: in words, as JSON, and as a key that equal rules share. */
const char *protocol_text(Arena *arena, const EvaluatePlan *plan);
const char *protocol_key(Session *session, const EvaluatePlan *plan);
void json_protocol(Text *out, const EvaluationReport *report);
const IdentityScore *individual_at(const EvaluationReport *report, int place); /* of numbers.best or .worst; NULL where there is none */
const char *individual_name(const EvaluationReport *report, int place);
double individual_score(const EvaluationReport *report, int place);           /* NAN where there is none */
const char *backbone_of(const EvaluatePlan *plan);
const char *augmentation_of(const EvaluatePlan *plan);
double seconds_per_image(const EvaluationReport *report);
const char *metric_text(Arena *arena, const MetricPlan *metric);               /* assigned(at = 0.4) */
/* Record row, its _ext row and the table of individuals. */
bool report_tables(Session *session, const EvaluationReport *report);
void report_print(Session *session, const EvaluationReport *reports, int count);       /* a table for each evaluation */
const char *choice_name(Arena *arena, const MemberName *member, bool for_file);        /* "" if there is no choice */
typedef struct { const SubmitPlan *plan; const KeyTree *tree; const char *key, *file; int rows, embedded; bool done, cached, written; } SubmissionReport;
bool submission_pairs(Session *session, const SubmitPlan *plan);              /* asks only about pictures that are there. False: diagnosed */
bool submission_make(Session *session, const SubmitPlan *plan, SubmissionReport *report);
/* core/evaluation.c: the report of report->plan, from the store or computed. False: diagnosed, or interrupted. */
bool evaluation_make(Session *session, const Compilation *c, EvaluationReport *report);
const char *file_name(Arena *arena, const char *text);    /* what may stand in the name of a file, the rest as _ */

/* ---- report/record.c: results/<run_id>/ ----------------------------------------------------------------------------------------------------- */

typedef struct { Outcome outcome; bool sound, checked; const char *text; } ExpectationReport;   /* sound: a comparison; checked: with numbers */
typedef struct {
    Session *session;
    Compilation *compilation; Plan *plan; Facts facts;
    EvaluationReport *evaluations;
    SubmissionReport *submissions;
    ExpectationReport *expectations; int expectation_count;
    LIST(const Dataset *) used;           /* by what was asked for */
    int computed;                         /* pictures embedded, evaluations and submissions made: 0 means all was in the store */
    int walked, done;                     /* evaluations and submissions that were asked for; of these have a result */
    const char *run_id; int claims;       /* claims: an open file */
    bool recorded;                        /* there is something new to record */
} RunReport;
void run_claim(RunReport *run);           /* a name that no other run has, until run_unclaim */
void run_unclaim(const RunReport *run);
bool run_unrecorded(RunReport *run);      /* a result in the store lacks the record of the run that made it: that run's name is taken */
void run_json(Text *out, const RunReport *run, int exit_code);
void run_record(RunReport *run, int exit_code);                 /* embeddings, the flat program, result.json */

#endif
