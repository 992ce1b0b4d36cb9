/* runtime.h: run it. Pictures in, numbers out, results kept.
 *
 * Sections in the order of the folders: core (files, patterns, store, progress, processor, pool, device, executor), data (tables, pictures, masks,
 * datasets, splits, views, loader), model (weights of any origin); in results.h: retrieval (ranking, metrics), report, and last what
 * stands on all of them: the session, its runs and their results. Functions that can fail return false or NULL after filing a
 * diagnostic at the span they were given. */
#ifndef JRE_RUNTIME_H
#define JRE_RUNTIME_H

#include "../compiler/compiler.h"
#include "../kernels/kernels.h"

/* ---- core/random.c: Philox4x32-10 (Salmon et al., 2011) ------------------------------------------------------ */

/* A stream is a pure function of its key words; draw n of it needs no draw before it. */
typedef struct { uint32_t key[2]; uint32_t counter[4]; uint32_t block[4]; int left; } Random;
/* seed, purpose ("split", "interval", ...), and any further words that name the stream (a picture's hash, an epoch). */
Random random_stream(uint64_t seed, const char *purpose, const char *name, uint64_t extra);
uint32_t random_word(Random *random);
double random_unit(Random *random);                       /* in [0, 1), 53 bits */
uint64_t random_below(Random *random, uint64_t bound);    /* unbiased; bound > 0 */
void random_permutation(Random *random, int *order, int count);   /* Fisher-Yates of 0 .. count-1 */
void philox_block(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);   /* the known-answer test's door */

/* ---- core/files.c: reading and writing that loses nothing ------------------------------------------------------ */

/* Whole file into jre_allocate'd memory (NUL behind it); honors JRE_FAIL_READ. Errors: file_missing, file_unreadable. */
bool file_read(Jre *jre, const char *path, Span asked_at, char **bytes, size_t *length);
/* The same for threads: fills `why` (a sentence) instead of filing a diagnostic. */
bool file_load(Jre *jre, const char *path, char **bytes, size_t *length, char why[256]);
/* Written to a temporary name in the same folder, flushed, renamed; folders are made. Honors JRE_FAIL_WRITE. Error: cannot_write. */
bool file_write(Jre *jre, const char *path, Span asked_at, const void *bytes, size_t length);
/* A descriptor for reading and the file's length; -1: diagnosed. Honors JRE_FAIL_READ. */
int file_open(Jre *jre, const char *path, Span asked_at, size_t *length);
const char *path_below(Jre *jre, const char *folder, const char *path);        /* absolute paths stay */
/* False for a folder. */
bool file_exists(const char *path);
bool folder_exists(const char *path);
/* Trees of JSON by the library for it; given back also where memory runs out. NULL: it is none. rest: what is behind it. */
struct cJSON;
struct cJSON *json_parse(Jre *jre, const char *bytes, size_t length);
struct cJSON *json_parse_begin(Jre *jre, const char *bytes, size_t length, const char **rest);
void json_free(Jre *jre, struct cJSON *json);
bool folder_make(Jre *jre, const char *path, Span asked_at);      /* with its parents */
/* Waits until no other process holds the lock of a folder that is there, for changes that read first. It ends with the process. Network
 * folders that know no locks give -1, and unlocking that does nothing: there the last of two runs at once wins. */
int folder_lock(const char *folder);
void folder_unlock(int lock);
/* 128-bit XXH3 of bytes or of a file's content, as 32 hex digits (interned). NULL: diagnosed. */
const char *hash_bytes(Jre *jre, const void *bytes, size_t length);
void content_hash_of(const void *bytes, size_t length, char hex[33]);          /* the same on any thread */
const char *hash_file(Jre *jre, const char *path, Span asked_at);
/* Why a path cannot be read, from the system's error number. */
void file_explain(Jre *jre, const char *path, Span asked_at, int error);

/* ---- core/patterns.c: the files that a pattern names --------------------------------------------------------------------------------------- */

/* `*` stands for any run of characters within one part of a path, `{name}` for one of at least one, which is told: said[i] is that of names[i].
 * Files come in the order of their paths' bytes, joined to root. False: diagnosed. */
typedef struct { const char *path; const char **said; } FileMatch;
typedef struct { NameList names; LIST(FileMatch) files; } FileMatches;
bool files_matching(Jre *jre, Arena *arena, const char *root, const char *pattern, Span asked_at, FileMatches *matches);

/* ---- core/store.c: content-addressed results ------------------------------------------------------------------- */

/* <base>/.jre/store/<key>/ holds the parts of one result and about.json, which is written last: a folder without it
 * does not count. */
typedef struct { Jre *jre; const char *folder; bool disabled; } Store;
Store store_open(Jre *jre, const char *base_folder, bool disabled);
bool key_is_hex(const char *key);                         /* a key becomes part of a path, so it may hold nothing else */
bool store_has(const Store *store, const char *key);
/* Path of a part inside a key's folder (interned); the folder need not exist. */
const char *store_path(const Store *store, const char *key, const char *part);
int store_lock(const Store *store, const char *key);      /* folder_lock of a key's folder; to be given to folder_unlock */
/* Marks a key complete. `about` is a JSON object's inside, e.g. "\"what\": \"embed features\"". */
bool store_finish(const Store *store, const char *key, const char *about, Span asked_at);

/* ---- core/progress.c ---------------------------------------------------------------------------------------------- */

/* A bar with time left on a terminal, one plain line a step elsewhere. Nothing is shown for work under a second. */
typedef struct { FILE *out; bool terminal, colors, quiet; const char *what; int64_t done, total; double started, shown; } Progress;
Progress progress_start(FILE *out, bool quiet, const char *what, int64_t total);
void progress_step(Progress *progress, int64_t done);
void progress_end(Progress *progress);
double seconds_now(void);                                 /* monotonic */
int64_t seconds_since_epoch(void);

/* ---- core/processor.c: what of the machine this process may use --------------------------------------------------------- */

/* The instruction level that JRE_CPU asks for, else the highest. -1: diagnosed. */
int processor_level(Jre *jre);
/* How many processors: at least 1. system: "", or where a test keeps the files that Linux shows of control groups. */
int processors_allowed(const char *system);
size_t memory_allowed(const char *system);                /* bytes of the machine, or what the control groups leave of it */
size_t memory_taken(bool at_most);                        /* bytes of this process now, or at most so far; 0 where the system does not say */

/* ---- core/pool.c: one pthread pool ---------------------------------------------------------------------------------- */

typedef struct Pool Pool;
Pool *pool_new(Jre *jre, int threads);                    /* threads >= 1; with 1 everything runs on the caller */
void pool_free(Pool *pool);
int pool_threads(const Pool *pool);
/* Calls work(context, part, parts) for part = 0 .. parts-1, one part a thread (parts == pool_threads); returns when all did. */
void pool_run(Pool *pool, void (*work)(void *context, int part, int parts), void *context);

/* ---- core/device.c: where graphs run ---------------------------------------------------------------------------------- */

/* Memory of a device is a handle: only the device's own kernels may look behind it. On the CPU it happens to be a
 * pointer; the tests' device `fake` has an address space of its own and works behind a queue. */
typedef struct Device Device;
typedef uintptr_t DeviceMemory;
struct Device {
    const char *name;                     /* "cpu", "fake" */
    const char *kernels;                  /* whose kernels it runs: the `device` of registry rows */
    int level;
    void *state;
    DeviceMemory (*allocate)(Device *device, size_t bytes);                   /* 64-byte aligned; 0: no memory */
    void (*release)(Device *device, DeviceMemory memory);
    void (*copy_in)(Device *device, DeviceMemory to, const void *from, size_t bytes);     /* queued; `from` is read before it returns */
    void (*copy_out)(Device *device, void *to, DeviceMemory from, size_t bytes);          /* waits for all before it */
    void (*pack)(Device *device, const Kernel *kernel, const KernelCall *call, DeviceMemory packed);   /* queued, in order; call is copied */
    void (*launch)(Device *device, const Kernel *kernel, const KernelCall *call);         /* queued, in order; call is copied */
    void (*synchronize)(Device *device);
    void (*close)(Device *device);
};
/* Waking threads costs some microseconds: below this many numbers read and written the caller is sooner done alone. */
enum { WORTH_SHARING = 16384 };
Device *device_open_cpu(Jre *jre, Pool *pool, int level);

/* ---- core/layout.c: where the numbers of a node lie --------------------------------------------------------------------- */

void lay_row_major(TensorView *view);
void lay_channels_last(TensorView *view);
TensorView row_major_view(Shape shape, int n, DeviceMemory memory);
/* The call that a node makes of its result and the views of its operands, and the op of the kernel for it. */
KernelCall node_call(const Node *node, const Chain *chain, TensorView out, const TensorView *in);
const char *node_kernel(const Node *node);
const Chain *node_chain(Arena *arena, const Node *node);                      /* the chain it carries, as kernels want it; or NULL */
KernelCall chain_behind(const KernelCall *call);                              /* the op `chain`, in place behind a kernel that runs none */

/* ---- core/finite.c: numbers that are not finite ---------------------------------------------------------------------------- */

typedef enum { ALL_FINITE, SOME_INFINITE, SOME_NAN } Finiteness;
typedef struct { const Node *first; Finiteness worst; NameList names; } Unsound;          /* weights that hold such */
Finiteness finiteness(const float *values, int64_t count, int64_t *where);     /* the worst there is; *where is the first of that kind */
const char *finiteness_text(Finiteness found);
bool tell_unsound(Jre *jre, const Unsound *unsound);
/* Of the first that gives such. picture: from 0, of so many that were asked for; file: what it is called, or NULL. */
void charge_node(Jre *jre, const Node *node, Finiteness found, int64_t picture, int asked, const char *file);
void charge_input(Jre *jre, Span span, Finiteness found, int64_t picture, int asked, const char *file);
Diagnostic *with_library_line(Diagnostic *d, const Node *node, Span user);     /* adds it, where it is another than the user's */

/* ---- core/exec.c: walks a schedule --------------------------------------------------------------------------------------- */

typedef struct Executor Executor;
typedef struct WeightLibrary WeightLibrary;               /* model/weights.c */
/* Chooses kernels, loads weights from the files their scopes name and packs them, reserves the slab that memory.c planned. `weights` may be
 * NULL if the program has none; program and device must outlive the executor. NULL: diagnosed. */
Executor *executor_new(Jre *jre, const Program *program, Device *device, WeightLibrary *weights);
/* input: [n, ...] row-major f32 of the program's input; output likewise; any n, walked in tiles of program->max_batch. False: diagnosed (also where
 * the output holds NaN or infinite values), or interrupted. */
bool executor_run(Executor *executor, const float *input, int n, float *output);
void executor_names(Executor *executor, const char *const *files);            /* what the pictures of the next runs are called; NULL: nothing */
void executor_free(Executor *executor);
size_t executor_bytes(const Executor *executor);          /* slab and weights on the device */
/* The parts of it. loading: of weights, at most while they are read and packed; workspace: of each thread. */
typedef struct { size_t slab, weights, loading, staging, workspace; } ExecutorMemory;
ExecutorMemory executor_memory(const Executor *executor);
/* For profile.c. A sketch has chosen its kernels and holds no numbers: it tells of its steps and its bytes, and cannot run. NULL: diagnosed. */
Executor *executor_sketch(Jre *jre, const Program *program, Device *device);
typedef struct { const Node *node; const Kernel *kernel; KernelCall call; size_t packed_bytes; } StepAtWork;     /* the call's numbers are not to be looked at */
StepAtWork executor_step(const Executor *executor, int which, int n);          /* of the program's steps, for n pictures at once */
/* As executor_run; what each step took is added to its place in `seconds`. */
bool executor_run_timed(Executor *executor, const float *input, int n, float *output, double *seconds);
bool load_weight(Jre *jre, const Node *node, WeightLibrary *weights, float *values);     /* the numbers of a weight from its file; false: diagnosed */

/* ---- core/compute.c: a graph in 64 bits ------------------------------------------------------------------------------------ */

/* Walks a graph node by node with the reference kernels: what losses and test chunks are held against. `batch` pictures; `given` holds
 * double arrays by the names of inputs and weights (the graph's own input is called "input"), NULL for none; other weights come from
 * their files. The output's numbers lie in the graph's arena. False: diagnosed, or interrupted. */
bool compute_graph(Jre *jre, const Graph *g, int batch, const Map *given, WeightLibrary *weights, double **numbers);

/* ---- data/table.c: CSV (RFC 4180) -------------------------------------------------------------------------------------------- */

typedef struct { const char *path; Span asked_at; NameList columns; int rows; const char **cells; int *lines; } Table;
/* cells[row * columns.count + column] live as long as `jre` (not interned: compare them with strcmp); columns are interned;
 * lines[row]: line in the file. BOM, CRLF, quotes, newlines in quotes, semicolons or tabs for commas. Errors: wrong_table naming path and line. */
bool table_read(Jre *jre, const char *path, Span asked_at, Table *table);
int table_column(const Table *table, const char *name);   /* -1 if absent */
/* Says that a column is missing, which there are, and which of them may be meant (*near, or NULL). */
Diagnostic *table_lacks(Jre *jre, const Table *table, const char *name, Span span, const char **near);
/* What a cell means where a number, a truth or a time is asked for; false: it is none. Truth: true false yes no 1 0. Times are ISO 8601
 * ("2020-05-17 06:03:11", a day alone, with a zone or in UTC, also as EXIF writes it), 17.05.2020 06:03 or plain seconds; they come as seconds since 1970. */
bool cell_number(const char *cell, double *number);
bool cell_truth(const char *cell, bool *truth);
bool cell_time(const char *cell, double *seconds);

/* ---- data/image.c: PNG, JPEG ------------------------------------------------------------------------------------------------- */

/* 8-bit pixels, row-major, 1 (gray), 3 (RGB) or 4 (RGBA) channels. */
typedef struct { int width, height, channels; uint8_t *pixels; } Image;
/* Any PNG or JPEG becomes RGB or RGBA as Pillow's convert does. At most 16384 x 16384. Errors: file_corrupt etc., naming path.
 * Thread-safe form: fills `why` (a sentence) instead of filing a diagnostic. */
bool image_decode(Jre *jre, const uint8_t *bytes, size_t length, Image *image, char why[256]);
bool image_read(Jre *jre, const char *path, Span asked_at, Image *image);
/* A PNG as one channel: 255 where a pixel (of a palette: the number of its entry) is not 0 and not transparent, else 0. */
bool image_decode_marks(Jre *jre, const uint8_t *bytes, size_t length, Image *image, char why[256]);
Image image_new(Jre *jre, int width, int height, int channels);
void image_free(Image *image);
bool image_write_png(Jre *jre, const char *path, Span asked_at, const Image *image);
/* Width and height from the header alone; exif_apply: as its EXIF says it is to be seen (for that the file is read). */
bool image_size(Jre *jre, const char *path, Span asked_at, bool exif_apply, int *width, int *height);

/* ---- data/exif.c: which way up a camera was held ------------------------------------------------------------------------------------- */

/* Of a JPEG or PNG, 1 (as stored) to 8. 1 too where nothing is said, or nonsense. */
int exif_orientation(const uint8_t *bytes, size_t length);

/* ---- data/resample.c: bit-exact with Pillow (DEFINITIONS 5.9) ------------------------------------------------------------------- */

typedef enum { FILTER_NEAREST, FILTER_BOX, FILTER_BILINEAR, FILTER_HAMMING, FILTER_BICUBIC, FILTER_LANCZOS } ResampleFilter;
/* 1 to 4 channels, each by itself (RGBA: composite first). `to->pixels` is allocated. */
void image_resize(Jre *jre, const Image *from, int width, int height, ResampleFilter filter, Image *to);
void image_to_gray(Jre *jre, const Image *from, Image *gray);                 /* Pillow convert("L") */
/* RGBA over one color (Pillow's paste with the alpha as mask); RGB is copied. */
void image_composite(Jre *jre, const Image *from, const uint8_t color[3], Image *rgb);

/* ---- data/warp.c: turned and sheared --------------------------------------------------------------------------------------------- */

/* Pixel (x, y) of the result looks at (a x + b y + c, d x + e y + f); `fill` is what it sees outside. smooth: bilinear, else nearest. */
void image_warp(Jre *jre, const Image *from, const double matrix[6], bool smooth, const uint8_t fill[4], Image *to);
void warp_rotation(double angle, int width, int height, double matrix[6]);     /* counterclockwise, around the middle */
void warp_affine(const ViewStep *step, int width, int height, double matrix[6]);
/* Lays a picture as its EXIF orientation says, 1 to 8 (2: mirrored left to right). */
void image_turn(Jre *jre, const Image *from, int orientation, Image *to);

/* ---- data/phash.c ---------------------------------------------------------------------------------------------------------------- */

uint64_t image_phash(Jre *jre, const Image *rgb_or_gray);                      /* imagehash.phash, DEFINITIONS 5.10 */
uint64_t image_dhash(Jre *jre, const Image *rgb_or_gray);                      /* imagehash.dhash */
/* The places i < j < n whose hashes differ from that of i in at most `within` bits, in order; near has room for n. Returns how many. */
int near_after(const uint64_t *hash, int n, int i, int within, int *near);
static inline int hash_distance(uint64_t a, uint64_t b) { return __builtin_popcountll(a ^ b); }

/* ---- data/split.c (LANGUAGE 3.10, Splits) -------------------------------------------------------------------------------------------- */

enum { ALWAYS_TRAINING = -1, IN_NO_PART = -2 };
/* n pictures into parts 0 .. parts-1. unit[i]: pictures with equal numbers stay together (0 .. units-1). identity[i]: 0 .. identities-1, ordered by
 * name. share[p]: of the pictures, they sum to 1. shared: the same individuals are in several parts; an only unit is then for training. */
typedef enum { SPLIT_BY_FOLDS, SPLIT_BY_SHARES } SplitWay;
typedef struct {
    int n; const int *identity; int identities; const int *unit; int units;
    const double *share; int parts;
    SplitWay way; bool shared;
    int training;                         /* by shares: the part that an individual's first unit goes to */
    uint64_t seed;
} SplitTask;
/* part_of[i]: a part, or by folds ALWAYS_TRAINING. */
void split_assign(Jre *jre, const SplitTask *task, int *part_of);
/* Pictures that belong together, in a forest: `parent` has room for n, and a root is the first picture of its unit. */
void ties_start(int *parent, int n);
void ties_join(int *parent, int a, int b);
int ties_units(int *parent, int n, int *unit);            /* numbers the units by first picture; how many there are */
/* Joins pictures at most `within` bits apart; fills unit (numbered by first picture). Returns the number of units. */
int near_duplicate_units(Jre *jre, const uint64_t *hash, int n, int within, int *unit);

/* ---- model/numbers.c, npy.c, zip.c, pickle.c, checkpoint.c, safetensors.c, weight_file.c: numbers in files ------------------------------ */

enum { TENSOR_RANK = 8 };
/* A kind of number, as safetensors (F16), NumPy (f2), PyTorch's storages (Half) and PyTorch itself (float16) call it. */
typedef enum { NAMED_AS_SAFETENSORS, NAMED_AS_NUMPY, NAMED_AS_STORAGE, NAMED_AS_TORCH } NumberNaming;
typedef struct { const char *name, *numpy, *storage, *torch; uint64_t bytes; } NumberType;
const NumberType *number_type(NumberNaming naming, const char *name);          /* NULL: nobody's, or none that is read */
/* Numbers in a file: the first lies at `at`, neighbors along a dimension lie `stride` numbers apart. bytes: those of a row-major copy. */
typedef struct { const char *name; const NumberType *type; int rank; int64_t dim[TENSOR_RANK], stride[TENSOR_RANK]; uint64_t bytes; const uint8_t *at; } WeightTensor;
bool tensor_lay(WeightTensor *tensor);                    /* row-major strides and bytes of its shape; false: beyond all files */
void tensor_values(const WeightTensor *tensor, float *out);                    /* row-major f32; room for the product of the shape */

typedef struct { int rank; int64_t dim[TENSOR_RANK]; float *values; bool whole; } Array;      /* row-major, jre_allocate'd; whole: written as I64 */
bool npy_read(Jre *jre, const char *path, Span asked_at, Array *array);
bool npy_write(Jre *jre, const char *path, Span asked_at, const float *values, int rank, const int64_t *dim);

typedef struct WeightFile {
    Jre *jre;
    const char *path, *format; Span asked_at;             /* format: "a safetensors file" */
    WeightTensor *tensors; int count; Map by_name;
    const char *stats;                    /* metadata "stats" if any: six numbers, mean then spread; else NULL */
    const char *license;                  /* metadata "license" if any; else NULL */
    const uint8_t *mapped; size_t mapped_bytes; const uint8_t *data; size_t data_bytes;       /* data: the part of a safetensors file that is numbers */
    LIST(uint8_t *) unpacked; uint64_t unpacked_bytes;    /* entries that were deflated */
} WeightFile;
/* Maps the file, finds out who wrote it, and checks every place of a number against the file's length. NULL: diagnosed. */
WeightFile *weight_file_open(Jre *jre, const char *path, Span asked_at);
void weight_file_close(WeightFile *file);
void weight_file_read(const WeightFile *file, const WeightTensor *tensor);      /* its numbers have been taken: its pages need not stay */
/* For the readers below. False, after filing what is wrong (and what to do, if that is not to fetch it again). */
bool weights_refuse(Jre *jre, const WeightFile *file, const char *help, const char *format, ...) __attribute__((format(printf, 4, 5)));
bool weight_file_add(Jre *jre, WeightFile *file, const WeightTensor *tensor);  /* into `tensors`, which has room; false: twice, diagnosed */
bool safetensors_read(Jre *jre, WeightFile *file);
bool npy_read_single(Jre *jre, WeightFile *file);         /* one array, called as its file */

typedef struct { const char *name; int method; uint32_t checksum; uint64_t begins, packed, bytes; } ZipEntry;
typedef struct { ZipEntry *entries; int count; Map by_name; } ZipArchive;
bool zip_directory(Jre *jre, const WeightFile *file, ZipArchive *zip);
/* An entry's bytes, in the mapped file or unpacked; they live as long as the file is open. NULL: diagnosed. */
const uint8_t *zip_bytes(Jre *jre, WeightFile *file, const ZipEntry *entry);
bool npz_read(Jre *jre, WeightFile *file, const ZipArchive *zip);

/* What a pickle describes. Nothing of it is ever called: of the names it may ask for pickle.c has a list, all else is refused. */
typedef enum { OBJECT_NOTHING, OBJECT_NUMBER, OBJECT_TEXT, OBJECT_BYTES, OBJECT_LIST, OBJECT_TABLE, OBJECT_GLOBAL, OBJECT_STORAGE, OBJECT_TENSOR } ObjectKind;
typedef enum { ROLE_NOTHING, ROLE_TABLE, ROLE_LIST, ROLE_TENSOR, ROLE_TYPED_TENSOR, ROLE_PARAMETER, ROLE_STORAGE, ROLE_UNTYPED, ROLE_TYPE } GlobalRole;
typedef struct Object Object;
struct Object {
    ObjectKind kind;
    int64_t number;
    const char *text; size_t length;      /* TEXT, BYTES: within the file; GLOBAL: its name */
    GlobalRole role; const NumberType *type;              /* GLOBAL; TENSOR: type, if its storage does not know */
    LIST(Object *) items;                 /* LIST (and tuples); TABLE: key, value, key, value; STORAGE, TENSOR: as torch pickled them */
};
typedef struct { Jre *jre; Arena *arena; WeightFile *file; const uint8_t *start, *at, *end; int objects; LIST(Object *) storages; } Pickle;
Object *pickle_read(Pickle *pickle);                      /* the object up to the next STOP; NULL: diagnosed */
Object *object_at(const Object *table, const char *key);  /* NULL if absent, or if it is no table */
bool object_is_text(const Object *object, const char *text);
bool checkpoint_read_zip(Jre *jre, WeightFile *file, const ZipArchive *zip, const char *pickled);
bool checkpoint_read_legacy(Jre *jre, WeightFile *file);

/* Several tensors into a file (names, shapes, values). */
bool safetensors_write(Jre *jre, const char *path, Span asked_at, int count, const char *const *names, const Array *arrays);

/* ---- model/weights.c: what the compiler asks, what the executor loads ------------------------------------------------------------ */

/* Files opened so far, by path. Facts live until the library is freed. */
WeightLibrary *weight_library_new(Jre *jre);
void weight_library_free(WeightLibrary *library);
/* Names without the wrappers that all of a file's names share ("state_dict." "model." "module." "backbone." "_orig_mod."), in the facts and in
 * the file's by_name alike. Shapes and statistics: the file's metadata, else "<stem>.json" beside it ({"mean": [3], "std": [3]} or timm's "pretrained_cfg"). */
const WeightFacts *weight_library_facts(WeightLibrary *library, const char *path, Span asked_at);
WeightFile *weight_library_file(WeightLibrary *library, const char *path, Span asked_at);
/* From now on weights whose facts are made up have numbers too: made_up_weight's, with this gain of filters. */
void weight_library_make_up(WeightLibrary *library, double gain);
bool weight_library_makes_up(const WeightLibrary *library, double *gain);      /* library NULL: no */

/* ---- model/made_up.c: weights that nobody trained, pictures that nobody took ----------------------------------------------------------- */

/* In [-1, 1), a function of a name, a seed and a place alone, which programs in other languages can make too. */
uint64_t made_up_base(const char *name, uint64_t seed);
float made_up_unit(uint64_t base, uint64_t i);
void made_up_weight(const char *name, double gain, Shape shape, float *out);
void made_up_input(float *input, size_t count);

/* ---- data/mask.c: where the animal is (DEFINITIONS 5.11) ------------------------------------------------------------------------------ */

/* What a cell says: COCO RLE (an object of JSON or Python with size and counts, plain or compressed) or a list of rows, for a picture of this size.
 * mask: one channel, 0 or 255; NULL: it is only looked at. Nothing is evaluated, no memory is taken for another size. False: `why` is a sentence. */
bool mask_from_text(Jre *jre, const char *text, int width, int height, Image *mask, char why[256]);
/* A PNG whose pixels are not 0 where the animal is: gray of any depth, colors, or entries of a palette. */
bool mask_from_png(Jre *jre, const uint8_t *bytes, size_t length, int width, int height, Image *mask, char why[256]);
/* The transparency of a picture. */
bool mask_from_alpha(Jre *jre, const Image *picture, Image *mask, char why[256]);

/* ---- data/picture.c: one picture file, on any thread --------------------------------------------------------------------------------- */

/* One picture as a view sees it. */
typedef struct {
    const char *path;
    const char *content_hash;             /* what the file must hold; NULL: whatever it holds */
    bool exif_apply;
    MaskKind mask_kind; const char *mask; /* where the view wants one: a cell of the column, or the path of its picture */
    const char *mask_hash;                /* what that picture must hold, or NULL */
    const char *table; int line;          /* where it is said; NULL, 0 without a table */
    const char *hash;                     /* names all of this: the content's hash alone where nothing else matters */
} PictureLook;

/* What is wanted of a file, and what came of it. A task uses no memory but its own. */
typedef struct {
    const PictureLook *look;
    bool fail_read;                       /* by order of JRE_FAIL_READ */
    bool want_hash, want_phash;           /* the perceptual hash is of the picture as it is to be seen */
    const View *view; uint8_t *out;       /* NULL: no pixels wanted; else room for [height, width, 3] */
    char content_hash[33];
    uint64_t phash, dhash;                /* want_phash: of the picture over middle gray */
    DiagCode code; char why[256];         /* when picture_process gave false */
    Jre *faults;                          /* whose countdowns (JRE_FAIL_*) count for it; NULL: no failure is made */
} PictureTask;
bool picture_process(PictureTask *task);
/* Which of the next `reads` reads fails by order of JRE_FAIL_READ; -1: none. */
int injected_read_failure(Jre *jre, int reads);

/* ---- data/stamps.c: what is known of picture files without reading them --------------------------------------------------------------- */

/* One table a store: content hash and perceptual hash of each file, believed while size, time and inode stay; the perceptual
 * hash is found by content too, so a moved picture is not decoded again. */
typedef struct { char content_hash[33]; bool has_phash; uint64_t phash, dhash; int64_t size, modified, inode; const char *path; } Stamp;
typedef struct { Jre *jre; const Store *store; const char *key; Arena arena; Map by_path, by_content; int64_t began; bool changed; } Stamps;
/* exif_apply: pictures are turned before they are hashed, which makes another table. */
void stamps_load(Stamps *stamps, Jre *jre, const Store *store, bool exif_apply);
const Stamp *stamps_find(Stamps *stamps, const char *path, int64_t size, int64_t modified, int64_t inode);
const Stamp *stamps_content(const Stamps *stamps, const char *content_hash);   /* with a perceptual hash, or NULL */
void stamps_put(Stamps *stamps, const Stamp *stamp);
void stamps_save(Stamps *stamps);
void stamps_free(Stamps *stamps);

/* ---- data/dataset.c ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *path, *file;              /* path: where it lies; file: what filled the template, or the file's name for a * pattern */
    const char *content_hash;
    const char *identity, *flank, *burst, *label, *taken;         /* as the table says; NULL without */
    const char *mask;                     /* the cell of a mask column, or the path of its picture; NULL without */
    const char *mask_hash;                /* of that cell, or of what the picture holds; NULL without, or where it cannot be read */
    const char *const *cells;             /* its row of the table, by dataset->columns; NULL without a table */
    int line;                             /* of the table; 0 without one */
    double seconds, burst_seconds;        /* `taken`, and the time that bursts go by, since 1970; NAN without */
    int identity_number;                  /* by name; -1 without */
    int unit;                             /* pictures of one burst share it */
    uint64_t phash, dhash;                /* where dataset->hashed */
    int width, height;                    /* in pixels, as seen; 0 where nobody asked */
} Picture;
typedef struct {
    const DatasetPlan *plan;              /* a copy that lives as long as the dataset */
    Picture *pictures; int count;
    NameList columns;                     /* of its table, or what its image template reads from paths */
    const char **identities; int identity_count;          /* sorted by name */
    int units;
    int skipped, left_out;                /* rows left out by `missing skip`, by `only` */
    NameList skipped_files;               /* "train/a.png   line 7 of the table" */
    bool hashed;                          /* perceptual hashes are there */
    const char *key; const KeyTree *tree; /* of hashes, identities, columns in row order */
    Map *splits;                          /* parts.c: what splits of it were asked for; NULL: they are not kept */
} Dataset;
/* data/rows.c: fills pictures and columns from the plan's table or pattern: paths, cells, roles, times. False: diagnosed. */
bool dataset_rows(Jre *jre, Dataset *dataset);
/* Reads table and pictures (content hash; perceptual hash where individuals are named and bursts go by likeness, cached in the store by
 * content). Once for each plan. progress: whose `out` and `quiet` to use; NULL: none. NULL: diagnosed, all bad rows together (at most 10
 * named, the rest counted), or interrupted. */
Dataset *dataset_load(Jre *jre, Pool *pool, Store *store, Progress *progress, const DatasetPlan *plan);
/* What `missing skip` has left out: how many rows, and at most ten of their files, each on a line behind `indent` blanks. */
void dataset_tell_skipped(const Dataset *dataset, int indent, Text *out);
/* Width and height of every picture, as seen, from the headers. False: diagnosed. */
bool dataset_measure(Jre *jre, Dataset *dataset);
/* Perceptual hashes, if dataset_load had no need of them. */
bool dataset_hash_pictures(Jre *jre, Pool *pool, Store *store, Progress *progress, Dataset *dataset);
/* Whether masks are there and fit their pictures, by headers and cells alone (data/picture.c). False: diagnosed, all together. */
bool dataset_masks_fit(Jre *jre, const Dataset *dataset);
/* How a view sees a picture, `hash` NULL where its mask is not there (data/picture.c). */
PictureLook picture_look(Jre *jre, const Dataset *dataset, const View *view, int which);
/* How a view sees these pictures (data/picture.c). False: a mask is not there (diagnosed, all together). */
bool picture_looks(Jre *jre, const Dataset *dataset, const View *view, const int *which, int count, PictureLook *looks);
/* Of a picture, as text; NULL where it is missing: a role, else a column; a column only. */
const char *picture_value(const Dataset *dataset, int picture, const char *name);
const char *picture_cell(const Dataset *dataset, int picture, const char *column);

/* ---- data/condition.c: conditions at work ------------------------------------------------------------------------------------------- */

/* A condition on one picture. A comparison with a value that is missing is false. Columns are compared as numbers where both sides are, as
 * times in seconds for `taken`, else as text, by bytes. */
bool condition_holds(const Dataset *dataset, int picture, const Expr *condition);
bool condition_needs_files(const Expr *condition);        /* it asks for width or height */
/* Why it cannot be decided, as a sentence in the arena: a cell is compared with a number and is none. NULL: it can. */
const char *condition_trouble(Arena *arena, const Dataset *dataset, int picture, const Expr *condition);
/* Which candidate may answer which query, in a form that streams: a program in postfix over what pairs have in common and what candidates
 * are. same(c) is false where a value is missing; a comparison speaks of the candidate. Bursts by likeness or time are known within a dataset. */
typedef enum { PAIR_SAME, PAIR_FACT, PAIR_NOT, PAIR_AND, PAIR_OR } PairOp;
typedef struct { PairOp op; int which; } PairStep;        /* which: a column of `same`, or a fact */
typedef struct {
    PairStep *steps; int step_count;      /* 0: every pair */
    int columns; int **query_code, **candidate_code;      /* [column][row]: equal codes are equal values; -1: missing */
    int facts; uint8_t **fact;            /* [fact][candidate] */
    NameList troubles;                    /* of candidates for which a fact cannot be decided */
} PairRule;
/* Rows are the pictures asking[queries[i]], answering[candidates[j]]. It lives in the arena. */
PairRule *pair_rule(Arena *arena, const Expr *gallery, const Dataset *asking, const int *queries, int query_count, const Dataset *answering, const int *candidates, int candidate_count);
/* False: a cell of a candidate is compared with what it is not. Diagnosed, at most ten of them by name. */
bool pair_rule_decided(Jre *jre, const PairRule *rule, const Expr *gallery);
bool pair_allowed(const PairRule *rule, int query, int candidate);             /* rule NULL: yes */

/* ---- data/published.c: splits of wildlife-datasets (DEFINITIONS 5.5) --------------------------------------------------------------------- */

enum { PUBLISHED_TRAIN = 0, PUBLISHED_TEST = 1 };
#define DAY_UNKNOWN INT64_MIN
/* n pictures in row order. identity[i]: 0 .. identities-1 in the order that individuals are visited in, -1: left out. day[i]: since 1970, or DAY_UNKNOWN. */
typedef struct { PublishedRule rule; int n; const int *identity; int identities; const int64_t *day; } PublishedTask;
/* part_of[i]: PUBLISHED_TRAIN, PUBLISHED_TEST or IN_NO_PART. */
void published_split(Jre *jre, const PublishedTask *task, int *part_of);
/* What a split into PUBLISHED_TRAIN and others is, whoever made it: "closed-set", "open-set" (someone new is examined) or "disjoint-set" (nobody is on both
 * sides); "time-cutoff" (all training pictures are older), "time-proportion" (so it is for each individual) or "time-unaware". seconds: NAN if unknown. */
const char *recognized_individuals(Jre *jre, int n, const int *identity, int identities, const int *part_of);
const char *recognized_times(Jre *jre, int n, const int *identity, int identities, const double *seconds, const int *part_of);

/* ---- data/parts.c: the pictures of a part --------------------------------------------------------------------------------------------- */

/* The part of each picture of the dataset: by folds 0 .. folds-1 or ALWAYS_TRAINING, else a place in `names`; IN_NO_PART where the split does not
 * speak of it. member: as of a part; 1 unless its data is a part that stands once for each fold. NULL: diagnosed. */
typedef struct { NameList names; int *part_of; } SplitParts;
const SplitParts *dataset_parts(Jre *jre, const Dataset *dataset, const SplitPlan *split, int member);
/* Both words for a split into a training part (called `train`, else the first; by folds that of fold 1) and all others. False: diagnosed. */
bool split_recognized(Jre *jre, const Dataset *dataset, const SplitPlan *split, const char **individuals, const char **times);
/* How often a part stands: once for each fold of its split, else once. */
int part_members(const PartPlan *part);
/* Rows of the part's dataset, in row order, in the arena. member: 1 .. part_members. False: diagnosed. */
typedef struct { int *which; int count; } PictureRows;
bool part_pictures(Jre *jre, const Dataset *dataset, const PartPlan *part, int member, Arena *arena, PictureRows *rows);

/* ---- data/asked.c: who asks whom, and what there is to find ------------------------------------------------------------------------------- */

/* A member for each fold. */
typedef struct { const Dataset *on, *against; int members; PictureRows *queries, *candidates; } AskedPictures;
const PartPlan *against_part(const EvaluatePlan *plan);   /* `on` where nothing else is named */
/* False: diagnosed. */
bool evaluation_pictures(Jre *jre, Arena *arena, const EvaluatePlan *plan, const Dataset *on, const Dataset *against, AskedPictures *asked);
int *asked_individuals(Arena *arena, const AskedPictures *asked);              /* of `against`: its number in `on`, by name; who is not there is numbered behind */
int *asked_selves(Arena *arena, const AskedPictures *asked, int member);       /* of each query: the candidate that is the query itself, or -1 */
/* False: of some candidates the gallery cannot be decided (diagnosed). */
bool count_asked(Jre *jre, const AskedPictures *asked, const Expr *gallery, AskFacts *facts);

/* ---- data/leaks.c: what belongs together and was put on two sides ---------------------------------------------------------------------- */

/* Needs perceptual hashes. Texts live in the arena. False: diagnosed. */
bool find_leaks(Jre *jre, Arena *arena, const Dataset *dataset, const SplitPlan *split, LeakFacts *facts);
/* Rows of a dataset. Both need perceptual hashes. */
typedef struct { const Dataset *dataset; const PictureRows *rows; } RowsOf;
void find_met(Jre *jre, RowsOf learned, RowsOf examined, MetFacts *facts);
void find_copies(Jre *jre, RowsOf part, CopyFacts *facts);

/* ---- data/census.c: what there is to say of pictures before anything is computed from them --------------------------------------------- */

/* What the facts list lives in the arena. */
void count_pictures(Jre *jre, Arena *arena, const Dataset *dataset, const PictureRows *rows, PartFacts *facts);
void count_values(Jre *jre, const Dataset *dataset, const char *name, ColumnFacts *facts);
void count_mixed_bursts(Jre *jre, const Dataset *dataset, MixedFacts *facts);
/* Two pictures and how many bits of their perceptual hashes differ. */
typedef struct { int first, second, bits; } NearPair;
/* Individuals with 1, 2 to 3, 4 to 7, ... pictures; pairs shown of two individuals, and around the threshold. */
enum { SIZE_CLASSES = 16, MOST_CONFLICTS = 5, PAIRS_ASIDE = 3, REACH = 4 };
typedef struct {
    PartFacts counts;
    const char *smallest, *largest; double median;        /* who has the fewest and the most pictures; pictures of an individual */
    int of_size[SIZE_CLASSES];
    int least_width, most_width, least_height, most_height;       /* pixels; 0 without any */
    double narrowest, widest;             /* width / height */
    int within; int64_t near, conflicts;  /* pairs at most `within` bits apart; those of two individuals: mistaken names, or mistaken likeness */
    int clusters, in_clusters, largest_cluster, farthest;         /* farthest: bits between two pictures of one cluster */
    NearPair conflict[MOST_CONFLICTS], below[PAIRS_ASIDE], above[PAIRS_ASIDE]; int conflict_count, below_count, above_count;
} Census;
int near_within(const Dataset *dataset);                  /* bits that near-duplicates differ in: what `burst` says, else 8 */
/* Needs perceptual hashes. False: diagnosed. */
bool take_census(Jre *jre, Dataset *dataset, Census *census);
/* Pairs up to REACH bits beyond the threshold, the nearest first, as a table; of more than a million pairs those nearest. False: diagnosed. */
bool write_near_pairs(Jre *jre, const char *path, const Dataset *const *datasets, int count);
/* What became of the pictures of a split. */
typedef struct { const char *name; int pictures, individuals; } PartCount;
typedef struct {
    LIST(PartCount) parts;                /* by folds: what each holds out */
    int pictures, individuals, always;    /* always: by folds, in training always */
    int absent, never;                    /* individuals that some fold does not hold out, .. that none does */
} SplitCensus;
bool count_split(Jre *jre, Arena *arena, const Dataset *dataset, const SplitPlan *split, SplitCensus *census);        /* false: diagnosed */

/* ---- data/augment.c: from a picture to numbers -------------------------------------------------------------------------- */

/* A view's steps on pixels: picture (gray, RGB or RGBA) to RGB of the view's size. Bit-exact with Pillow where Pillow has the operation. mask: one
 * channel as large as the picture, 255 where the animal is; NULL if the view wants none. False: `why` is a sentence. */
bool view_pixels(Jre *jre, const View *view, const Image *picture, const Image *mask, Image *rgb, char why[256]);
/* Its numbers: pixels of the view's size to [3, height, width] f32. */
void view_numbers(const View *view, const uint8_t *pixels, float *out);

/* ---- data/cache.c: resized pictures, kept ------------------------------------------------------------------------------------------- */

typedef struct PictureCache PictureCache;
typedef struct { uint64_t low, high; } CacheKey;
/* The store's file of pictures. bound: of its bytes, 0 for the usual one. NULL: the store is disabled, or there can be no such file. */
PictureCache *cache_open(Jre *jre, const Store *store, uint64_t bound);
void cache_close(PictureCache *cache);
void cache_key(Jre *jre, const View *view, const char *look, CacheKey *key);
/* Pixels of exactly so many bytes, until the cache is closed; NULL: they are not there, or not sound. On any thread. */
const uint8_t *cache_find(PictureCache *cache, const CacheKey *key, size_t bytes);
bool cache_knows(PictureCache *cache, const CacheKey *key);                    /* pixels may be there; they were not looked at */
void cache_add(PictureCache *cache, const CacheKey *key, const uint8_t *pixels, size_t bytes);
/* The first time that it is asked of a cache that is full: its path and bytes, and the system's error number where it takes no more; else NULL. */
const char *cache_filled(PictureCache *cache, uint64_t *bytes, int *refusal);

/* ---- data/loader.c ------------------------------------------------------------------------------------------------------------------- */

/* Decodes on the pool, hands batches over in order. Looks, view and pool outlive it. cache: where pixels are looked for first, or NULL. */
typedef struct Loader Loader;
Loader *loader_new(Jre *jre, const View *view, const PictureLook *looks, int count, int batch, Pool *pool, PictureCache *cache);
/* The next batch [n, 3, height, width], until the next call; n, 0 at the end or when interrupted, -1 if a picture could not be read (diagnosed, all of the
 * batch; the batches behind it can still be had). */
int loader_next(Loader *loader, const float **pixels);
void loader_free(Loader *loader);

#include "results.h"

#endif
