/* embed.c: pictures to numbers, each once.
 *
 * In: an embed of the plan and the pictures that somebody needs. Out: a table with a row for each, by the hash of its look. Contract:
 * the table of an embed only ever grows, and rows keep their places. embeddings.npy and rows.csv may therefore run ahead of
 * about.json: its `rows` and `checksum` say how many of the first rows count, so a run that is killed at any instant
 * leaves a table that is right. What is finished is kept every few seconds, of a large table
 * more rarely, at the end, and when the run is interrupted. */
#include "../runtime.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { LOADER_BATCH = 16 };                /* pictures that the loader hands over at once */

/* Seconds between two keepings, and how many times longer than the last keeping they are at least: nobody waits for the disk. */
static const double kept_every = 3.0, longer_than_keeping = 30.0;

KeyTree *embedding_tree(Session *session, const EmbedPlan *embed) {
    KeyTree *tree = key_reopen(&session->arena, embed->tree);
    key_machine(session, tree);
    key_close(tree);
    return tree;
}

/* ---- the stored table --------------------------------------------------------------------------------------------------- */

/* Of the first `rows` rows: numbers and what they belong to. */
static const char *table_checksum(Session *session, const EmbeddingTable *table, int rows) {
    Text text = {.jre = session->jre};
    text_add(&text, "%s\n", hash_bytes(session->jre, table->values, (size_t)rows * (size_t)table->width * sizeof(float)));
    for (int i = 0; i < rows; i++) text_add(&text, "%s\n", table->content.at[i]);
    const char *checksum = hash_bytes(session->jre, text.at, text.length);
    text_free(&text);
    return checksum;
}

static void add_row(Session *session, EmbeddingTable *table, const char *content, const char *file) {
    list_add(&session->arena, &table->content, intern(session->jre, content));
    list_add(&session->arena, &table->file, intern(session->jre, file));
    map_set(&table->row, &session->arena, table->content.at[table->count], (void *)(intptr_t)(table->count + 1));
    table->count++;
}

static void forget_rows(EmbeddingTable *table) {
    jre_release(table->values);
    *table = (EmbeddingTable){.key = table->key, .tree = table->tree, .width = table->width};
}

/* Parts are read in a context of their own: what is wrong with them is nobody's business, it is computed again. */
static void load_rows(Session *session, EmbeddingTable *table, int rows, const char *checksum) {
    Jre *aside = jre_aside(session->jre);
    Array array = {0};
    Table listed = {0};
    const Store *store = &session->store;
    bool sound = table_read(aside, store_path(store, table->key, "rows.csv"), NOWHERE, &listed) && listed.columns.count == 2 && listed.rows >= rows &&
                 npy_read(aside, store_path(store, table->key, "embeddings.npy"), NOWHERE, &array) && array.rank == 2 && array.dim[0] >= rows &&
                 array.dim[1] == table->width;
    if (sound) {
        table->values = array.values;
        table->room = rows;
        array.values = NULL;
        for (int i = 0; i < rows; i++) add_row(session, table, listed.cells[2 * i], listed.cells[2 * i + 1]);
        if (table_checksum(session, table, rows) != checksum) forget_rows(table);
    }
    jre_release(array.values);
    jre_free(aside);
}

/* A table that is empty becomes what the store holds. */
static void load_table(Session *session, EmbeddingTable *table) {
    double rows = 0, computed = 0;
    const char *checksum = stored_text(session, table->key, "checksum");
    if (!checksum || !stored_number(session, table->key, "rows", &rows) || !(rows >= 1 && rows < 1e9)) return;
    load_rows(session, table, (int)rows, checksum);
    if (!table->count) return;
    table->checksum = checksum;
    stored_number(session, table->key, "seconds", &table->seconds);
    if (stored_number(session, table->key, "computed", &computed) && computed >= 0 && computed < 1e15) table->computed = (int64_t)computed;
}

/* A picture that has its row keeps it. */
static void append_row(Session *session, EmbeddingTable *table, const float *values, const char *content, const char *file) {
    size_t row = (size_t)table->width * sizeof(float);
    if (map_get(&table->row, content)) return;
    if (table->count == table->room) {
        table->room = 2 * table->room + 16;
        table->values = jre_grow(session->jre, table->values, (size_t)table->room * row);
    }
    memcpy(table->values + (size_t)table->count * (size_t)table->width, values, row);
    add_row(session, table, content, file);
}

/* What another run kept since this one last looked comes first: rows that count keep their places on disk. */
static void take_rows_of_others(Session *session, EmbeddingTable *table) {
    const char *checksum = stored_text(session, table->key, "checksum");
    if (!checksum || checksum == table->checksum) return;
    EmbeddingTable merged = {.key = table->key, .tree = table->tree, .width = table->width};
    load_table(session, &merged);
    if (!merged.count) return;
    for (int i = 0; i < table->count; i++) append_row(session, &merged, table->values + (size_t)i * (size_t)table->width, table->content.at[i], table->file.at[i]);
    merged.seconds = table->seconds;
    merged.computed = table->computed;
    merged.told = table->told;
    jre_release(table->values);
    *table = merged;
}

static bool write_table(Session *session, const EmbedPlan *embed, EmbeddingTable *table) {
    Text rows = {.jre = session->jre}, about = {.jre = session->jre};
    text_add(&rows, "content_hash,file\n");
    for (int i = 0; i < table->count; i++) {
        text_add(&rows, "%s,", table->content.at[i]);
        csv_cell(&rows, table->file.at[i]);
        text_add(&rows, "\n");
    }
    const char *checksum = table_checksum(session, table, table->count);
    json_origin(&about, session, table->tree);
    text_add(&about, ", \"backbone\": ");
    json_text(&about, embed->backbone ? embed->backbone : "");
    text_add(&about, ", \"rows\": %d, \"width\": %d, \"checksum\": \"%s\", \"computed\": %lld, \"seconds\": ", table->count, table->width, checksum,
             (long long)table->computed);
    json_number(&about, table->seconds);
    const int64_t shape[] = {table->count, table->width};
    const Store *store = &session->store;
    bool kept = npy_write(session->jre, store_path(store, table->key, "embeddings.npy"), embed->span, table->values, 2, shape) &&
                file_write(session->jre, store_path(store, table->key, "rows.csv"), embed->span, rows.at, rows.length) &&
                store_tree(session, table->tree, embed->span) && store_finish(store, table->key, about.at, embed->span);
    if (kept) table->checksum = checksum;
    text_free(&rows);
    text_free(&about);
    return kept;
}

static bool keep_table(Session *session, const EmbedPlan *embed, EmbeddingTable *table) {
    if (session->store.disabled) return true;
    int lock = store_lock(&session->store, table->key);
    take_rows_of_others(session, table);
    bool kept = write_table(session, embed, table);
    folder_unlock(lock);
    return kept;
}

EmbeddingTable *embedding_table(Session *session, const EmbedPlan *embed) {
    const KeyTree *tree = embedding_tree(session, embed);
    EmbeddingTable *table = map_get(&session->embeddings, tree->hash);
    if (table) return table;
    table = arena_new(&session->arena, EmbeddingTable);
    table->key = tree->hash;
    table->tree = tree;
    table->width = embed->width;
    map_set(&session->embeddings, &session->arena, table->key, table);
    load_table(session, table);
    return table;
}

/* The store writes whole files and renames them, so what is linked stays as it is. */
bool embedding_link(Session *session, const EmbeddingTable *table, const char *path) {
    if (session->store.disabled || !table->checksum) return false;
    int lock = store_lock(&session->store, table->key);
    bool current = stored_text(session, table->key, "checksum") == table->checksum && table_checksum(session, table, table->count) == table->checksum;
    bool linked = current && link(store_path(&session->store, table->key, "embeddings.npy"), path) == 0;
    folder_unlock(lock);
    return linked;
}

/* ---- growing it ------------------------------------------------------------------------------------------------------------ */

/* The pictures that a table lacks, each look once. */
typedef struct { const Picture **pictures; PictureLook *looks; int count; } Missing;

typedef struct {
    Session *session;
    const EmbedPlan *embed;
    EmbeddingTable *table;
    Missing missing;
    double since, kept, pause;            /* when the clock was last read, when the table was last kept, how long until it is again */
    int unkept, done;
    bool cannot_keep;                     /* diagnosed once; the run goes on in memory */
} Growth;

static void grow_table(Growth *growth, int first, int count, const float *values) {
    EmbeddingTable *table = growth->table;
    for (int i = 0; i < count; i++)
        append_row(growth->session, table, values + (size_t)i * (size_t)table->width, growth->missing.looks[first + i].hash, growth->missing.pictures[first + i]->file);
    growth->done += count;
    double now = seconds_now();
    table->seconds += now - growth->since;
    table->computed += count;
    growth->since = now;
    growth->unkept += count;
    if (now - growth->kept < growth->pause || growth->cannot_keep) return;
    growth->cannot_keep = !keep_table(growth->session, growth->embed, table);
    growth->unkept = 0;
    growth->kept = growth->since = seconds_now();
    growth->pause = fmax(kept_every, longer_than_keeping * (growth->kept - now));
}

/* False: diagnosed. */
static bool find_missing(Session *session, Arena *scratch, const EmbedPlan *embed, const EmbeddingTable *table, const Dataset *dataset, const int *which, int count, Missing *missing) {
    PictureLook *looks = arena_array(scratch, PictureLook, count + 1);
    *missing = (Missing){arena_array(scratch, const Picture *, count + 1), looks, 0};
    if (!picture_looks(session->jre, dataset, embed->view, which, count, looks)) return false;
    Map asked = {0};
    for (int i = 0; i < count; i++) {
        const PictureLook *look = &looks[i];
        if (map_get(&table->row, look->hash) || map_get(&asked, look->hash)) continue;
        map_set(&asked, scratch, look->hash, missing);
        missing->pictures[missing->count] = &dataset->pictures[which[i]];
        missing->looks[missing->count++] = *look;
    }
    return true;
}

/* A batch with a picture that cannot be read is left out and the others go on: what is finished need not be done again. */
static bool stream_batches(Growth *growth, Executor *executor, Loader *loader) {
    Session *session = growth->session;
    const EmbedPlan *embed = growth->embed;
    int batch = LOADER_BATCH, count = growth->missing.count;
    float *values = jre_allocate(session->jre, (size_t)batch * (size_t)embed->width * sizeof(float));
    Progress bar = progress_start(stderr, session->options.quiet, arena_print(&session->arena, "embed %s", embed->name), count);
    bar.quiet |= !bar.terminal;                                    /* the line about it comes with more to say */
    bool sound = true;
    const float *pixels;
    const char **files = arena_array(&session->arena, const char *, batch);
    executor_names(executor, files);
    for (int first = 0; first < count && !session->jre->interrupted;) {
        int size = count - first < batch ? count - first : batch, got = loader_next(loader, &pixels);
        if (got > 0) {
            for (int i = 0; i < got; i++) files[i] = growth->missing.looks[first + i].path;
            if (!executor_run(executor, pixels, got, values)) {
                sound = false;
                break;
            }
            grow_table(growth, first, got, values);
        } else {
            sound = false;
        }
        first += size;
        progress_step(&bar, first);
    }
    progress_end(&bar);
    jre_release(values);
    return sound && !session->jre->interrupted;
}

static const char *const *paths_of(Session *session, const Missing *missing) {
    const char **paths = arena_array(&session->arena, const char *, missing->count + 1);
    for (int i = 0; i < missing->count; i++) paths[i] = missing->looks[i].path;
    return paths;
}

/* Pictures through the network, into the table. */
static bool embed_missing(Growth *growth) {
    Session *session = growth->session;
    const EmbedPlan *embed = growth->embed;
    const Missing *missing = &growth->missing;
    Program *program = embed->program;
    Budget budget;
    if (!missing->count) return true;
    if (program->max_batch < 1 || embed->width < 1 || shape_elements(program->output, 1) != embed->width ||
        shape_elements(program->input, 1) != 3 * (int64_t)embed->view->width * embed->view->height) {
        diag(session->jre, DIAG_bug, embed->span, "the view, the network and the width of `%s` do not fit together", embed->name);
        return false;
    }
    if (!session->cache) session->cache = cache_open(session->jre, &session->store, 0);
    const Coming coming = {.view = embed->view, .paths = paths_of(session, missing), .count = missing->count, .held = (size_t)missing->count * (size_t)embed->width * sizeof(float)};
    if (!session_fit(session, program, &coming, embed->name, embed->span, &budget)) return false;
    Executor *executor = executor_new(session->jre, program, session->device, session->weights);
    if (!executor) return false;
    Loader *loader = loader_new(session->jre, embed->view, missing->looks, missing->count, LOADER_BATCH, session->pool, session->cache);
    bool sound = stream_batches(growth, executor, loader);
    loader_free(loader);
    executor_free(executor);
    return sound;
}

static void say_embedded(Session *session, const EmbedPlan *embed, int count, int absent, int done, double seconds) {
    const char *backbone = embed->backbone ? embed->backbone : "", *view = embed->view->name ? embed->view->name : "";
    if (!absent) session_say(session, "%s (%s, %s): %d pictures, all in the store", embed->name, backbone, view, count);
    else session_say(session, "%s (%s, %s): %d pictures embedded in %.1f s (%.1f a second), %d were in the store", embed->name, backbone, view, done, seconds,
                     seconds > 0 ? done / seconds : 0.0, count - absent);
}

static void say_cache_filled(Session *session) {
    uint64_t bytes;
    int refusal;
    const char *path = cache_filled(session->cache, &bytes, &refusal);
    if (path && refusal) session_say(session, "%s takes no more resized pictures, the system says: %s; pictures that it lacks are decoded each time", path, strerror(refusal));
    else if (path) session_say(session, "%s holds %.1f GiB of resized pictures and grows no more; pictures that it lacks are decoded each time, delete it to begin anew", path,
                               (double)bytes / (1 << 30));
}

EmbeddingTable *session_embeddings(Session *session, const EmbedPlan *embed, const Dataset *dataset, const int *which, int count, int *computed) {
    EmbeddingTable *table = embedding_table(session, embed);
    Arena scratch = {.jre = session->jre};
    double started = seconds_now();
    Growth growth = {.session = session, .embed = embed, .table = table, .since = started, .kept = started, .pause = kept_every};
    bool sound = find_missing(session, &scratch, embed, table, dataset, which, count, &growth.missing) && embed_missing(&growth);
    /* A disk that takes nothing was diagnosed; the numbers are there all the same. */
    if (growth.unkept && !growth.cannot_keep) keep_table(session, embed, table);
    *computed = growth.done;
    if (growth.missing.count || !table->told) say_embedded(session, embed, count, growth.missing.count, *computed, seconds_now() - started);
    table->told = true;
    say_cache_filled(session);
    arena_free(&scratch);
    return sound ? table : NULL;
}

static bool copy_unit_row(const EmbeddingTable *table, const char *look, float *out) {
    size_t width = (size_t)table->width;
    intptr_t row = (intptr_t)map_get(&table->row, look);
    const float *from = row ? table->values + (size_t)(row - 1) * width : NULL;
    double square = 0;
    for (size_t d = 0; from && d < width; d++) square += (double)from[d] * (double)from[d];
    if (!from || !isfinite(square)) return false;
    double length = sqrt(square) > 1e-12 ? sqrt(square) : 1e-12;
    for (size_t d = 0; d < width; d++) out[d] = (float)((double)from[d] / length);
    return true;
}

bool embedding_unit_rows(Session *session, const EmbedPlan *embed, const EmbeddingTable *table, const Dataset *dataset, const int *which, int count, float *out) {
    Arena scratch = {.jre = session->jre};
    PictureLook *looks = arena_array(&scratch, PictureLook, count + 1);
    bool sound = picture_looks(session->jre, dataset, embed->view, which, count, looks);
    for (int i = 0; i < count && sound; i++) {
        sound = copy_unit_row(table, looks[i].hash, out + (size_t)i * (size_t)table->width);
        if (!sound) diag(session->jre, DIAG_not_a_number, embed->span, "the numbers of `%s` are not all finite, so nothing can be compared with it", dataset->pictures[which[i]].file);
    }
    arena_free(&scratch);
    return sound;
}
