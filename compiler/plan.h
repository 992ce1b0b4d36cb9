/* plan.h: what `jre run` walks: content keys, the plan of each record, expectations. A part of compiler.h, which includes it where its
 * types are known; nobody else does. */
#ifndef JRE_PLAN_H
#define JRE_PLAN_H

/* ---- key.c: content keys, and what they are made of ------------------------------------------------------------------------------- */

/* A key remembers what it is made of, so that `jre why` can name what differs. Leaves, then parts are hashed, in order. What is told is not:
 * it says in the document's words what leaves of a graph hold. */
typedef struct { const char *name, *value; Span span; const char *place; } KeyLeaf;   /* where the value was written, or a file; else NOWHERE, NULL */
typedef struct KeyTree {
    Arena *arena;
    const char *name;                     /* "embed features": a kind, which is content, and what people call it, which is not */
    const char *hash;                     /* 32 hex digits, set by key_close */
    LIST(KeyLeaf) leaves, told;
    LIST(const struct KeyTree *) parts;
    bool folded;                          /* read back from a store as part of another tree: name and hash only */
} KeyTree;
KeyTree *key_open(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void key_leaf(KeyTree *tree, const char *name, Span span, const char *format, ...) __attribute__((format(printf, 4, 5)));
void key_part(KeyTree *tree, const KeyTree *part);
const char *key_close(KeyTree *tree);
KeyTree *key_reopen(Arena *arena, const KeyTree *tree);                       /* a copy that takes more */
/* Leaves that are not hashed: a formula and the arguments it has ("loss.margin  0.5rad"). */
void key_told(Compilation *c, KeyTree *tree, const char *name, const Value *formula);
/* Parts: a leaf for each node, for each step. */
void key_graph(KeyTree *tree, const Graph *g);
void key_view(KeyTree *tree, const View *view);
/* A record with a leaf for each setting that the schema marks; what other keys hold (parts, networks, scores, files) is left to them. */
KeyTree *key_record(Compilation *c, const Decl *decl, const Choice *choices, const MemberName *member);
/* Which part of which split; the pictures themselves come on top. */
struct PartPlan;
void key_pictures(KeyTree *tree, const char *name, const struct PartPlan *pictures);

/* key_compare.c. What differs between two trees. A part that was read back folded is asked for by its hash; NULL: it is no longer known. */
typedef struct {
    NameList path;                        /* from the root downward */
    const char *name, *old, *now, *place; /* old or now NULL: not there */
    int further;                          /* nodes behind it that differ too */
} KeyDifference;
typedef LIST(KeyDifference) KeyDifferences;
typedef struct { void *context; const KeyTree *(*find)(void *context, const char *hash); } KeySource;
void key_compare(Jre *jre, Arena *arena, const KeyTree *old, const KeyTree *now, const KeySource *source, KeyDifferences *differences);
const char *key_place(Jre *jre, Arena *arena, const KeyLeaf *leaf);           /* "v03.jre:10"; NULL for none */

/* ---- plan.c: what `jre run` walks -------------------------------------------------------------------------------------------------------- */

enum { NEAR_DUPLICATES = 8 };
typedef enum { BURST_LIKENESS, BURST_COLUMN, BURST_TIME } BurstKind;
typedef enum { MASK_NONE, MASK_ALPHA, MASK_COLUMN, MASK_FILES } MaskKind;
typedef enum { PATTERN_UNSAID, PATTERN_ASYMMETRIC, PATTERN_SYMMETRIC } Pattern;
typedef struct DatasetPlan {
    const char *name; Span span;
    const char *root;                     /* folder, joined to the document's */
    const char *table;                    /* path or NULL; relative to root, as are images */
    const char *image;                    /* template or pattern */
    const char *identity, *flank, *label, *taken;         /* column names or NULL */
    MaskKind mask_kind; const char *mask;                 /* COLUMN: its name; FILES: a template of pictures */
    BurstKind burst; const char *burst_column;            /* COLUMN: equal values; TIME: the column of times */
    double burst_seconds;                 /* TIME */
    int within;                           /* bits that near-duplicates differ in, NEAR_DUPLICATES unless `burst` says otherwise; -1: nobody asks by likeness */
    NameList keep, used;                  /* columns that conditions elsewhere may name; that splits go by */
    const Expr *only;                     /* a condition on each row, or NULL */
    Span table_span, image_span, identity_span, flank_span, label_span, taken_span, mask_span, burst_span, keep_span, only_span;
    bool skip_missing, exif_apply;
    Pattern pattern; Span pattern_span;   /* the whole setting */
    bool quoted;                          /* of an ancestor */
    bool burst_written;
} DatasetPlan;

typedef struct SplitPlan SplitPlan;
/* Pictures: a dataset, or a part of a split; of a split by folds the part of one fold (from 1), or of each (0). */
typedef struct PartPlan { DatasetPlan *dataset; SplitPlan *split; const char *part; int fold; Span span; } PartPlan;

/* A split of wildlife-datasets (DEFINITIONS 5.5). unseen: the share of pictures of individuals on one side only; without it their number is given. */
typedef enum {
    RULE_NONE, RULE_CLOSED_SET, RULE_OPEN_SET, RULE_DISJOINT_SET, RULE_TIME_PROPORTION, RULE_TIME_PROPORTION_OPEN_SET, RULE_TIME_CUTOFF, RULE_RANDOM_PROPORTION
} PublishedKind;
typedef struct { PublishedKind kind; const char *name; double train, unseen; int64_t individuals, year; bool has_unseen, in_test, one_year; uint64_t seed; } PublishedRule;

struct SplitPlan {
    const char *name; Span span, identities_span;
    const Decl *decl; Span way_span;      /* where it says how to split */
    DatasetPlan *data; PartPlan of;       /* data: all its pictures come from there; of.split: .. through a part of another split */
    int folds; bool disjoint, together_burst; uint64_t seed;
    KeyTree *key;                         /* of its settings; the pictures come on top */
    LIST(const char *) parts; LIST(double) shares;        /* by shares: their names and fractions; else empty */
    const char *column;                   /* by a column: a part for each of its values; else NULL */
    PublishedRule rule;                   /* by a published rule: train and test; else RULE_NONE */
    double validate;                      /* the share of the training part to watch; 0: none */
};

struct TrainPlan;
typedef LIST(const struct TrainPlan *) TrainList;
typedef struct TrainPlan {
    const char *name; Span span; MemberName member; const Scope *scope;
    const Decl *decl; const Choice *choices;
    Value *network, *loss;                /* formulas */
    const char *backbone, *loss_name;
    PartPlan data; View *view; ViewList views;            /* view: the first */
    PartPlan stop, keep;                  /* what these settings look at; dataset NULL: at nothing */
    TrainList from;                       /* trainings whose weights it begins with, or that its network calls */
    SplitPlan *folds;                     /* one training for each fold of it, or NULL */
    int64_t batch, classes;               /* pictures a step; individuals (made up where only the data knows) */
    int64_t weights, reached;             /* numbers that it learns; those of them that a slope of the loss reaches */
    bool mirrored;                        /* each individual and its mirror are two */
    bool passed_over;                     /* an embed asks its network as it was before: told */
    Graph *graph;                         /* of one step: from pictures and labels to the loss */
    KeyTree *key;
} TrainPlan;

typedef struct EmbedPlan {
    const char *name; Span span; const Scope *scope;
    const char *backbone;                 /* for tables: resnet50, filter bank */
    View *view; Program *program; int width, points;      /* points: key points of a picture, 0: the picture itself */
    const Graph *graph;                   /* of the network, also where there is no program yet */
    Value *network;
    ViewList views; TrainPlan *train; /* of several views; of a network that is trained here */
    TrainList from;                       /* that one, and those that the network calls */
    SplitPlan *folds;                     /* one for each fold of it (it was trained so), or NULL */
    bool later;                           /* cannot run yet, told by plan->later */
    const char *key;                      /* of network, weights, view and arithmetic; pictures come on top */
    KeyTree *tree;
} EmbedPlan;

typedef enum { SCORE_COSINE, SCORE_GAP, SCORE_MATCHES, SCORE_BOOST, SCORE_ENSEMBLE, SCORE_MIX, SCORE_WITHIN_SAME } ScoreKind;
typedef struct BoostPlan BoostPlan;
typedef struct EnsemblePlan EnsemblePlan;
/* How alike two pictures are: a tree of scores. */
typedef struct SimilarityPlan {
    ScoreKind kind; Span span;
    EmbedPlan *embed;                     /* COSINE, GAP, MATCHES */
    BoostPlan *boost; EnsemblePlan *ensemble;
    LIST(struct SimilarityPlan *) parts; LIST(double) weights; double constant;   /* MIX: the sum of weight * part, plus a constant; WITHIN_SAME: of one */
    const char *column;                   /* WITHIN_SAME */
    int top; Span shortlist_span;         /* MATCHES: candidates, and where it is said who chooses them; parts: the shortlist's score */
    SplitPlan *folds;                     /* a score for each fold of it, or NULL */
    bool calibrated;
    KeyTree *key;
} SimilarityPlan;

struct BoostPlan { const char *name; Span span; const Decl *decl; LIST(SimilarityPlan *) evidence; PartPlan fit_on; SplitPlan *folds; KeyTree *key; };
struct EnsemblePlan {
    const char *name; Span span; const Decl *decl; LIST(SimilarityPlan *) members;
    const char *combine, *calibrate; bool learned;        /* learned: its weights are */
    PartPlan fit_on; SimilarityPlan *shortlist; SplitPlan *folds; KeyTree *key;      /* fit_on.dataset NULL: nothing is fitted */
};

typedef struct { Metric metric; double at; Span span; } MetricPlan;           /* assigned(at = 0.4); at: NaN where the metric has none */
typedef struct EvaluatePlan {
    const char *name; Span span; MemberName member;
    Decl *decl; const Choice *choices;
    SimilarityPlan *similarity;
    PartPlan on, against;                 /* against.dataset NULL: the same pictures */
    const Expr *gallery;                  /* a condition on pairs, or NULL */
    LIST(MetricPlan) metrics; bool average_identity, lonely_zero;
    const char *record, *notes;           /* path as written, or NULL */
    KeyTree *key;                         /* of its settings and its similarity; pictures and kernels come on top */
    Span record_span;
    bool quoted;                          /* of an ancestor: computed, kept in the store, written nowhere else */
} EvaluatePlan;

typedef struct SubmitPlan {
    const char *name; Span span; MemberName member; const Decl *decl;
    SimilarityPlan *similarity; PartPlan on; const Expr *gallery;
    const char *pairs; Span pairs_span;   /* relative to the dataset's root */
    const char *file; Span file_span;     /* template filled in */
    KeyTree *key;                         /* as of an evaluation */
} SubmitPlan;

typedef struct { const char *name; Span span; const Decl *decl; const Choice *choices; } FigurePlan;
/* What is checked and cannot run yet: "training", once for each declaration that asks for it. */
typedef struct { const char *what, *name; Span span; } LaterPlan;

typedef struct Plan {
    LIST(DatasetPlan *) datasets; LIST(SplitPlan *) splits; LIST(TrainPlan *) trains; LIST(EmbedPlan *) embeds;
    LIST(BoostPlan *) boosts; LIST(EnsemblePlan *) ensembles;
    LIST(EvaluatePlan *) evaluations; LIST(SubmitPlan *) submissions; LIST(FigurePlan) figures;
    LIST(LaterPlan) later;
    Map made;                             /* records by declaration and the choices they depend on */
    Map met;                              /* MetFacts by the content of two parts, and the fold */
} Plan;

/* plan.c. The plan of a record for the choices of one member: planned once. NULL: diagnosed, or its record kind is another. */
void *plan_of_record(Compilation *c, Decl *decl, const Choice *choices);
/* What somebody wrote on the command line: an expression, or an embed with its choices (`features[head = ArcFace]`). NULL: diagnosed. */
const Statement *expression_of_text(Compilation *c, const char *text);
EmbedPlan *embed_named(Compilation *c, const char *text, const Choice **choices);
void plan_later(Compilation *c, const char *what, const char *name, Span span);
/* One diagnostic for all that this version cannot run yet; false if there is nothing of that kind. */
bool report_later(Compilation *c);
/* plan_data.c, plan_learn.c, plan_score.c: plans of one member, for plan.c's table. */
void *plan_dataset(Compilation *c, Decl *decl, const Member *member);
void *plan_split(Compilation *c, Decl *decl, const Member *member);
void *plan_train(Compilation *c, Decl *decl, const Member *member);
void *plan_boost(Compilation *c, Decl *decl, const Member *member);
void *plan_ensemble(Compilation *c, Decl *decl, const Member *member);
void *plan_embed(Compilation *c, Decl *decl, const Member *member);
void *plan_evaluation(Compilation *c, Decl *decl, const Member *member);
void *plan_figure(Compilation *c, Decl *decl, const Member *member);
void *plan_submission(Compilation *c, Decl *decl, const Member *member);
/* Plans of equal content are one dataset, whichever compilation they come from: then these interned texts are one. Without `columns` it is
 * asked only which pictures there are, and which belong together. */
const char *dataset_identity(Jre *jre, const DatasetPlan *plan, bool columns);
/* plan_data.c: settings as plain C: NULL, `otherwise` or false if they are absent or wrong (diagnosed). */
const char *plan_text(Compilation *c, const Decl *decl, const char *key, const Choice *choices);
double plan_number(Compilation *c, const Decl *decl, const char *key, const Choice *choices, double otherwise);
bool plan_says(Compilation *c, const Decl *decl, const char *key, const char *word, const Choice *choices);
const Setting *plan_setting(const Decl *decl, const char *key);                /* as it is written; NULL: it is not */
bool plan_has(const Decl *decl, const char *key);
bool views_of(Compilation *c, const Decl *decl, const Choice *choices, ViewList *views);     /* plan_score.c: all views of a record, evaluated; false: diagnosed */
bool part_from_value(Compilation *c, const Value *v, Span span, PartPlan *part);       /* false: diagnosed */
const char *path_in_root(Compilation *c, const char *root, const char *path);  /* absolute paths stay */
const char *part_text(Arena *arena, const PartPlan *part);                    /* "folds[2].train" */
bool same_split(Jre *jre, const SplitPlan *a, const SplitPlan *b);            /* their parts hold the same pictures */
bool same_pictures(Jre *jre, const PartPlan *a, const PartPlan *b);
SplitPlan *folds_of_part(const PartPlan *part);           /* the split for each of whose folds it stands once, or NULL */
void trainings_in(Compilation *c, const Graph *g, TrainList *found);  /* plan_learn.c: whose weights the graph has */
/* A similarity from a value: a cosine, a judge, a council, or arithmetic of them. NULL: diagnosed. */
bool is_score(const Value *v);                            /* a similarity, or a judge or council, which stands for its score */
SimilarityPlan *similarity_from_value(Compilation *c, Value *v);
SimilarityPlan *similarity_new(Compilation *c, ScoreKind kind, Span span);
Value *value_similarity(Compilation *c, SimilarityPlan *similarity, Span span);
Value *similarity_arithmetic(Environment *env, const Expr *e, Value *a, Value *b);     /* + - * / of scores and numbers */
/* Of two fold axes that meet the one; a message if they are not the same. */
bool folds_meet(Compilation *c, SplitPlan **folds, SplitPlan *more, Span span);

bool plan_program(Compilation *c);
void check_unused(Compilation *c);                                           /* unused.c: names in what no record leads to */
void check_unused_names(Compilation *c);                                     /* idle.c: what the document wrote and nothing uses */
void mentioned_names(Compilation *c, const Statement *s, Map *names);            /* idle.c: every name in a statement, as a key of `names` */
/* tryout.c: a formula that nothing uses, called with made-up data. `decl` is what gave it its name. */
void try_formula(Compilation *c, const Decl *decl, const Value *formula, const struct Choice *choices);
/* check_gradient.c: unreachable_gradient and squashed_twice. */
void check_gradients(Compilation *c, bool with_data);
void count_learned(Compilation *c, TrainPlan *train);                         /* its `weights` and `reached`, of its graph */
void protocol_check(Compilation *c, bool with_data);                          /* protocol.c: the checks of LANGUAGE 3.6 */
void note_on_bursts(Diagnostic *d);
/* score_walk.c: what a value of the plan is made of, each once, the nearest first. A value is one of these, the others are NULL. */
typedef struct PlanValue { const TrainPlan *train; const EmbedPlan *embed; const BoostPlan *boost; const EnsemblePlan *ensemble; const SimilarityPlan *score; } PlanValue;
typedef struct { PlanValue made; int from; } Reached;                         /* from: what it is a part of, in `reached`; -1: it was asked about */
typedef struct ScoreWalk {
    Arena *arena;
    LIST(Reached) reached; int opened;    /* what has a name: all but scores; of so many it was looked what they are made of */
    LIST(const SimilarityPlan *) scores;  /* .. and scores */
    bool (*enters)(struct ScoreWalk *walk, const SimilarityPlan *score); void *context;      /* does it go into this score? NULL: into every one */
    Seen seen;
} ScoreWalk;
void score_walk(ScoreWalk *walk, PlanValue made);                             /* what a walk has met already it passes by */
bool score_speaks_of(Jre *jre, const SimilarityPlan *score, const void *what);      /* an embed, say, or a score that it is made of */
/* provenance.c: which pictures made a value of the plan what it is. */
typedef enum { BY_TRAINING, BY_STOPPING, BY_KEEPING, BY_JUDGING, BY_FITTING } InfluenceKind;      /* BY_FITTING: weights, a calibration */
/* way: names, from the value that was asked about down to `by`, which looks at the pictures. */
typedef struct Influence { InfluenceKind kind; PlanValue by; const PartPlan *pictures; const Scope *scope; NameList way; } Influence;
typedef LIST(Influence) InfluenceList;
/* The shortest way to each, the nearest first. The members of other folds in `fit_on folds.others` are none (LANGUAGE 3.10). */
void influences_on(Compilation *c, PlanValue made, InfluenceList *found);
/* Have two parts pictures in common, in so far as the plan says it? fold: whose part is meant where one stands once for each. */
typedef enum { PARTS_APART, PARTS_SHARE, PARTS_SAME, PARTS_UNKNOWN } PartsRelation;
PartsRelation parts_relation(Compilation *c, const PartPlan *a, const PartPlan *b, int fold);
/* In which fold a part meets what was learned by folds: 1 and up: in that one. SOME_FOLD: in one or another, and nothing says in which. */
enum { EACH_FOLD = 0, NO_FOLD = -1, SOME_FOLD = -2 };
int fold_met(Compilation *c, const PartPlan *part, const SplitPlan *folds);
/* How the second picture of a pair came into a score that is examined on the first: "cv <- features <- learner <- folds.train <- a2.png"; NULL: it did not. */
const char *way_across(Compilation *c, const SplitPlan *split, const TornPair *pair);
bool names_side(Arena *arena, const char *value);                             /* check_questions.c: left or right, as people write it */
const Statement *statement_around(const Compilation *c, Span span);           /* provenance.c: of this document; NULL: the place is in another */
void print_influences(Compilation *c, const char *name, const SimilarityPlan *score, Text *out);      /* jre explain: a line each, the way to it */
void check_provenance(Compilation *c, bool with_data);
void check_views(Compilation *c);                                             /* check_views.c: those of colors, mirrors and draws */
void check_licenses(Compilation *c);                                          /* check_licenses.c: of weights and pictures, noted where they forbid a use */
void check_scores(Compilation *c);                                           /* check_scores.c: mixed_scores, reversed_score, filtered_index, metric_needs, bare_threshold */
void check_spaces(Compilation *c);                                           /* check_spaces.c: mixed_spaces, other_protocol */
void check_batches(Compilation *c, bool with_data);                           /* check_batches.c: hollow_triplets */
void check_questions(Compilation *c);                                         /* check_questions.c: hollow_evaluation, answering_burst, empty_part */
void check_columns(Compilation *c);                                           /* wrong_flank, mixed_burst, and hollow_evaluation of a column */
/* network: what there is to tell of an embed that has a program; NULL: program_print's lines. */
void plan_print(Compilation *c, Text *out, void (*network)(void *context, const EmbedPlan *embed, Text *out), void *context);
const char *similarity_text(Arena *arena, const SimilarityPlan *similarity);  /* "0.6 cosine(deep) + 0.4 cosine(quick)" */
/* describe.c: the type of an expression over the flat program, what it carries, where it comes from: a line for each choice. False: diagnosed. */
bool describe_expression(Compilation *c, const char *expression, Text *out);

/* After the run: numbers of an evaluation by field ("map", "rank1", "chance", ...). */
typedef struct ResultSource {
    void *context;
    bool (*metric)(void *context, const EvaluatePlan *evaluation, const char *field, double *number);
    const char *(*individual)(void *context, const EvaluatePlan *evaluation, const char *field);      /* "best.identity"; NULL: not known */
} ResultSource;
/* expect.c. open: a number that it speaks of is not there (yet). compared: left and right are its two numbers. */
typedef struct {
    bool holds, open, compared; const char *text; double left, right; Span span; const char *reason;
    const char *found;                    /* of a test: both sides, in words */
} Outcome;
/* An expectation is asked once, and once for each choice of what an overlay opened: the document itself could not have named one. */
void members_opened(Compilation *c, const Expr *e, MemberList *members);
/* results NULL: before the run, for its mistakes only. False: diagnosed. */
bool check_expectation(Compilation *c, const Statement *expect, const Member *member, const ResultSource *results, Outcome *outcome);
/* A probe is shown once for each choice: its text, and its value unless a table shows it (NULL). */
void members_probed(Compilation *c, const Statement *probe, MemberList *members);
const char *probe_value(Compilation *c, const Statement *probe, const Member *member, const ResultSource *results, const char **name);
/* What an evaluation tells besides its metrics; ends in NULL. */
extern const char *const metric_names[];

#endif
