/* facts.c: the session, and what it tells the compiler of files.
 *
 * In: options of a command. Out: pool, device, store, weights, and the Facts through which the compiler asks. Contract: a
 * table, a file's hash, a dataset is read once a session, however many declarations ask; an answer that failed was
 * diagnosed once and is not tried again. */
#include "../runtime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A map cannot tell "never asked" from "failed": a failure is remembered as this. */
static const char failed_mark;
#define FAILED ((void *)(uintptr_t)&failed_mark)

/* The nearest folder from here upward that holds .jre, else here. */
static const char *base_folder(Session *session) {
    char here[4096];
    if (session->options.into) return intern(session->jre, session->options.into);
    if (!getcwd(here, sizeof here)) return intern(session->jre, ".");
    Text path = {.jre = session->jre};
    const char *found = NULL;
    for (const char *slash = here; slash && !found; slash = strchr(slash + 1, '/')) {
        Text probe = {.jre = session->jre};
        text_add(&probe, "%s%s.jre", path.at ? path.at : "", path.length ? "/" : "");
        if (folder_exists(probe.at)) found = intern(session->jre, path.length ? path.at : ".");
        text_free(&probe);
        text_add(&path, "%s..", path.length ? "/" : "");
    }
    text_free(&path);
    return found ? found : intern(session->jre, ".");
}

static bool choose_device(Session *session) {
    const char *device = session->options.device;
    if (device && strcmp(device, "auto") != 0 && strcmp(device, "cpu") != 0) {
        Diagnostic *d = diag(session->jre, DIAG_not_yet, NOWHERE, "there is no device `%s` here", device);
        diag_help(d, "`--device cpu`, or `auto`, which takes the best there is");
        return false;
    }
    session->level = processor_level(session->jre);
    return session->level >= 0;
}

Session *session_open(Jre *jre, const RunOptions *options) {
    Session *session = jre_allocate(jre, sizeof *session);
    *session = (Session){.jre = jre, .options = *options, .arena = {.jre = jre}};
    if (!session->options.out) session->options.out = stdout;
    if (!choose_device(session)) {
        jre_release(session);
        return NULL;
    }
    int threads = options->threads > 0 ? options->threads : processors_allowed("");
    session->pool = pool_new(jre, threads > MOST_THREADS ? MOST_THREADS : threads);
    session->device = device_open_cpu(jre, session->pool, session->level);
    session->base = base_folder(session);
    session->store = store_open(jre, session->base, options->no_cache);
    session->weights = weight_library_new(jre);
    return session;
}

void session_close(Session *session) {
    if (!session) return;
    for (int i = 0; i < session->embeddings.count; i++) jre_release(((EmbeddingTable *)session->embeddings.entries[i].value)->values);
    cache_close(session->cache);
    weight_library_free(session->weights);
    if (session->device) session->device->close(session->device);
    pool_free(session->pool);
    arena_free(&session->arena);
    jre_release(session);
}

void session_say(Session *session, const char *format, ...) {
    if (session->options.quiet || session->options.json) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(session->options.out, format, arguments);
    va_end(arguments);
    fputc('\n', session->options.out);
    fflush(session->options.out);
}

/* ---- tables, hashes, datasets: once each -------------------------------------------------------------------------- */

const Table *session_table(Session *session, const char *path, Span asked_at) {
    void *known = map_get(&session->tables, path);
    if (known) return known == FAILED ? NULL : known;
    Table *table = arena_new(&session->arena, Table);
    bool sound = table_read(session->jre, path, asked_at, table);
    map_set(&session->tables, &session->arena, intern(session->jre, path), sound ? table : FAILED);
    return sound ? table : NULL;
}

static const char *session_hash(Session *session, const char *path, Span asked_at) {
    void *known = map_get(&session->hashes, path);
    if (known) return known == FAILED ? NULL : known;
    const char *hash = hash_file(session->jre, path, asked_at);
    map_set(&session->hashes, &session->arena, intern(session->jre, path), hash ? (void *)(uintptr_t)hash : FAILED);
    return hash;
}

Dataset *session_dataset(Session *session, const DatasetPlan *plan) {
    const char *identity = dataset_identity(session->jre, plan, true);
    void *known = map_get(&session->datasets, identity);
    if (known) return known == FAILED ? NULL : known;
    Progress progress = {.out = stderr, .quiet = session->options.quiet};
    Dataset *dataset = dataset_load(session->jre, session->pool, &session->store, &progress, plan);
    if (!dataset && session->jre->interrupted) return NULL;
    map_set(&session->datasets, &session->arena, identity, dataset ? (void *)dataset : FAILED);
    return dataset;
}

Dataset *session_asked(Session *session, const DatasetPlan *plan, const Expr *condition) {
    Dataset *dataset = session_dataset(session, plan);
    if (dataset && condition && condition_needs_files(condition) && !dataset_measure(session->jre, dataset)) return NULL;
    return dataset;
}

Dataset *session_hashed(Session *session, const DatasetPlan *plan) {
    Dataset *dataset = session_dataset(session, plan);
    Progress progress = {.out = stderr, .quiet = session->options.quiet};
    return dataset && dataset_hash_pictures(session->jre, session->pool, &session->store, &progress, dataset) ? dataset : NULL;
}

/* ---- facts --------------------------------------------------------------------------------------------------------------- */

static bool fact_file_exists(void *context, const char *path) {
    (void)context;
    return file_exists(path);
}

static const char *fact_content_hash(void *context, const char *path, Span asked_at) { return session_hash(context, path, asked_at); }

static const WeightFacts *fact_weights(void *context, const char *path, Span asked_at) {
    Session *session = context;
    return weight_library_facts(session->weights, path, asked_at);
}

static const TableFacts *fact_table(void *context, const char *path, Span asked_at) {
    Session *session = context;
    const Table *table = session_table(session, path, asked_at);
    if (!table) return NULL;
    TableFacts *facts = arena_new(&session->arena, TableFacts);
    *facts = (TableFacts){table->columns, table->rows};
    return facts;
}

static const char *fact_license(void *context, const char *folder, const char **file) {
    static const char *const names[] = {"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "LICENCE.md"};
    enum { BEGINNING = 4096 };
    Session *session = context;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *bytes, why[256];
        size_t length;
        *file = arena_print(&session->arena, "%s/%s", folder, names[i]);
        if (!file_exists(*file) || !file_load(session->jre, *file, &bytes, &length, why)) continue;
        const char *text = arena_copy(&session->arena, bytes, length < BEGINNING ? length : BEGINNING);
        jre_release(bytes);
        return text;
    }
    return NULL;
}

static bool fact_part(void *context, const PartPlan *part, PartFacts *facts) {
    Session *session = context;
    const Dataset *dataset = session_dataset(session, part->dataset);
    if (!dataset) return false;
    Arena scratch = {.jre = session->jre};
    PictureRows rows;
    bool sound = part_pictures(session->jre, dataset, part, 1, &scratch, &rows);
    if (sound) count_pictures(session->jre, &session->arena, dataset, &rows, facts);
    arena_free(&scratch);
    return sound;
}

static bool fact_leaks(void *context, const SplitPlan *split, LeakFacts *facts) {
    Session *session = context;
    Dataset *dataset = session_hashed(session, split->data);
    if (!dataset) return false;
    return find_leaks(session->jre, &session->arena, dataset, split, facts);
}

/* The rows of a part, of a dataset whose pictures are hashed. */
static bool hashed_rows(Session *session, const PartPlan *part, int fold, Arena *scratch, PictureRows *rows, RowsOf *found) {
    const Dataset *dataset = session_hashed(session, part->dataset);
    *found = (RowsOf){dataset, rows};
    return dataset && part_pictures(session->jre, dataset, part, part_members(part) > 1 ? fold : 1, scratch, rows);
}

static bool fact_met(void *context, const PartPlan *learned, const PartPlan *examined, int fold, MetFacts *facts) {
    Session *session = context;
    Arena scratch = {.jre = session->jre};
    PictureRows rows[2];
    RowsOf parts[2];
    bool sound = hashed_rows(session, learned, fold, &scratch, &rows[0], &parts[0]) && hashed_rows(session, examined, fold, &scratch, &rows[1], &parts[1]);
    if (sound) find_met(session->jre, parts[0], parts[1], facts);
    arena_free(&scratch);
    return sound;
}

static bool fact_copies(void *context, const PartPlan *part, int fold, CopyFacts *facts) {
    Session *session = context;
    Arena scratch = {.jre = session->jre};
    PictureRows rows;
    RowsOf found;
    bool sound = hashed_rows(session, part, fold, &scratch, &rows, &found);
    if (sound) find_copies(session->jre, found, facts);
    arena_free(&scratch);
    return sound;
}

static bool fact_asked(void *context, const EvaluatePlan *evaluation, AskFacts *facts) {
    Session *session = context;
    const Dataset *on = session_asked(session, evaluation->on.dataset, evaluation->gallery), *against = session_asked(session, against_part(evaluation)->dataset, evaluation->gallery);
    if (!on || !against) return false;
    Arena scratch = {.jre = session->jre};
    AskedPictures asked;
    bool sound = evaluation_pictures(session->jre, &scratch, evaluation, on, against, &asked) && count_asked(session->jre, &asked, evaluation->gallery, facts);
    arena_free(&scratch);
    return sound;
}

static bool fact_column(void *context, const DatasetPlan *plan, const char *name, ColumnFacts *facts) {
    Session *session = context;
    const Dataset *dataset = session_dataset(session, plan);
    if (dataset) count_values(session->jre, dataset, name, facts);
    return dataset != NULL;
}

static bool fact_mixed(void *context, const DatasetPlan *plan, MixedFacts *facts) {
    Session *session = context;
    const Dataset *dataset = session_dataset(session, plan);
    if (dataset) count_mixed_bursts(session->jre, dataset, facts);
    return dataset != NULL;
}

static bool fact_compute(void *context, const Graph *graph, double **numbers) {
    Session *session = context;
    return compute_graph(session->jre, graph, 1, NULL, session->weights, numbers);
}

Facts session_facts(Session *session) {
    return (Facts){.context = session, .file_exists = fact_file_exists, .content_hash = fact_content_hash, .weights = fact_weights,
                   .table = fact_table, .license = fact_license, .part = fact_part, .leaks = fact_leaks, .met = fact_met, .copies = fact_copies,
                   .asked = fact_asked, .column = fact_column, .mixed = fact_mixed, .compute = fact_compute,
                   .latency = session->options.latency};
}

/* ---- facts of a network that nobody trained ------------------------------------------------------------------------------- */

static bool every_file_exists(void *context, const char *path) {
    (void)context, (void)path;
    return true;
}

static const char *no_content(void *context, const char *path, Span asked_at) {
    (void)context, (void)path, (void)asked_at;
    return "0";
}

static const WeightFacts *any_weights(void *context, const char *path, Span asked_at) {
    static const WeightFacts facts = {.path = "made up", .made_up = true};
    (void)context, (void)path, (void)asked_at;
    return &facts;
}

Facts made_up_facts(Session *session) {
    Facts facts = session_facts(session);
    facts.file_exists = every_file_exists;
    facts.content_hash = no_content;
    facts.weights = any_weights;
    return facts;
}
