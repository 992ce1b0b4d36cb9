/* loader.c: pictures ahead of the network.
 *
 * In: looks and a view. Out: batches in the order of the looks. Contract: threads of the loader's own claim one picture after
 * another and write each into its place in a ring of batches; a picture is claimed only when its batch has a slot, so at most
 * RING batches are in memory. Threads touch no Jre; what goes wrong is kept beside the picture and filed by the thread that
 * asks for the batch. A file whose bytes are not the ones that were promised is a failure too: its numbers would be kept
 * under the name of others. loader_free may be called at any moment. */
#include "../runtime.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { RING = 3, NAMED_FAILURES = 10, MOST_THREADS = 64 };

typedef struct { bool failed, kept; DiagCode code; char why[256]; } Failure;      /* kept: the cache has had its pixels */
typedef struct { float *pixels; uint8_t *seen; Failure *failures; int done; } Slot;      /* seen: pixels in 8 bits */

struct Loader {
    Jre *jre;
    const View *view;
    const PictureLook *looks;
    PictureCache *cache; CacheKey *keys;  /* of each look; NULL without a cache */
    int count, batch, threads;
    size_t picture_values;
    int fail_at;                          /* the picture whose reading fails by order of a test; -1: none */
    int reported;
    Slot slot[RING];
    pthread_mutex_t lock;
    pthread_cond_t room, ready;
    int claimed;                          /* pictures taken by threads so far */
    int handed, released;                 /* batches given out; batches whose slot is free again */
    bool stop;
    pthread_t id[MOST_THREADS];
};

static int batch_size(const Loader *loader, int batch) {
    int rest = loader->count - batch * loader->batch;
    return rest < loader->batch ? rest : loader->batch;
}

static void process(Loader *loader, int picture) {
    Slot *slot = &loader->slot[picture / loader->batch % RING];
    size_t place = (size_t)(picture % loader->batch), values = loader->picture_values;
    PictureTask task = {.look = &loader->looks[picture], .fail_read = picture == loader->fail_at, .faults = jre_faults(loader->jre), .view = loader->view, .out = slot->seen + place * values};
    Failure *failure = &slot->failures[place];
    const uint8_t *known = loader->cache && !task.fail_read ? cache_find(loader->cache, &loader->keys[picture], values) : NULL;
    failure->kept = known != NULL;
    failure->failed = !known && !picture_process(&task);
    if (!failure->failed) {
        view_numbers(loader->view, known ? known : task.out, slot->pixels + place * values);
        return;
    }
    failure->code = task.code;
    memcpy(failure->why, task.why, sizeof failure->why);
}

static bool may_claim(const Loader *loader) {
    return loader->claimed < loader->count && loader->claimed / loader->batch < loader->released + RING;
}

static void *decode_ahead(void *context) {
    Loader *loader = context;
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop && loader->claimed < loader->count) {
        if (!may_claim(loader)) {
            pthread_cond_wait(&loader->room, &loader->lock);
            continue;
        }
        int picture = loader->claimed++, batch = picture / loader->batch;
        pthread_mutex_unlock(&loader->lock);
        process(loader, picture);
        pthread_mutex_lock(&loader->lock);
        if (++loader->slot[batch % RING].done == batch_size(loader, batch)) pthread_cond_signal(&loader->ready);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

static void give_back(void *loader) { loader_free(loader); }

Loader *loader_new(Jre *jre, const View *view, const PictureLook *looks, int count, int batch, int threads, PictureCache *cache) {
    Loader *loader = jre_allocate(jre, sizeof *loader);
    memset(loader, 0, sizeof *loader);
    loader->jre = jre;
    loader->view = view;
    loader->looks = looks;
    loader->count = count < 0 ? 0 : count;
    loader->batch = batch < 1 ? 1 : batch > loader->count && loader->count > 0 ? loader->count : batch;
    loader->cache = cache;
    loader->keys = cache ? jre_allocate(jre, (size_t)(loader->count + 1) * sizeof(CacheKey)) : NULL;
    for (int i = 0; cache && i < loader->count; i++) cache_key(jre, view, looks[i].hash, &loader->keys[i]);
    loader->picture_values = 3 * (size_t)view->width * (size_t)view->height;
    loader->fail_at = injected_read_failure(jre, loader->count);
    for (int i = 0; i < RING; i++) {
        loader->slot[i].pixels = jre_allocate_aligned(jre, (size_t)loader->batch * loader->picture_values * sizeof(float), 64);
        loader->slot[i].seen = jre_allocate(jre, (size_t)loader->batch * loader->picture_values);
        loader->slot[i].failures = jre_allocate(jre, (size_t)loader->batch * sizeof(Failure));
    }
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->room, NULL);
    pthread_cond_init(&loader->ready, NULL);
    jre_own(jre, loader, give_back);
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (threads > loader->count) threads = loader->count;
    if (threads < 1) threads = 1;
    /* Threads that the system refuses are missed by nobody: with none, loader_next decodes by itself. */
    int started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);          /* signals are for the main thread */
    while (started < threads && pthread_create(&loader->id[started], NULL, decode_ahead, loader) == 0) started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loader->threads = started;
    return loader;
}

/* Files the batch's failures, at most ten for all batches. False if there are any. */
static bool file_failures(Loader *loader, int batch) {
    bool sound = true;
    const Slot *slot = &loader->slot[batch % RING];
    for (int place = 0; place < batch_size(loader, batch); place++) {
        const Failure *failure = &slot->failures[place];
        if (!failure->failed) continue;
        sound = false;
        const char *path = loader->looks[batch * loader->batch + place].path;
        if (loader->reported < NAMED_FAILURES) diag(loader->jre, failure->code, NOWHERE, "`%s`: %s", path, failure->why);
        else if (loader->reported == NAMED_FAILURES) diag(loader->jre, failure->code, NOWHERE, "`%s` and maybe others cannot be read either", path);
        loader->reported++;
    }
    return sound;
}

/* What was decoded for the batch need not be decoded again. */
static void keep_pixels(Loader *loader, int batch) {
    const Slot *slot = &loader->slot[batch % RING];
    for (int place = 0; loader->cache && place < batch_size(loader, batch); place++)
        if (!slot->failures[place].failed && !slot->failures[place].kept)
            cache_add(loader->cache, &loader->keys[batch * loader->batch + place], slot->seen + (size_t)place * loader->picture_values, loader->picture_values);
}

int loader_next(Loader *loader, const float **pixels) {
    *pixels = NULL;
    pthread_mutex_lock(&loader->lock);
    if (loader->released < loader->handed) {
        loader->slot[loader->released % RING].done = 0;
        loader->released++;
        pthread_cond_broadcast(&loader->room);
    }
    int batch = loader->handed;
    if (batch * (int64_t)loader->batch >= loader->count) {
        pthread_mutex_unlock(&loader->lock);
        return 0;
    }
    int size = batch_size(loader, batch);
    Slot *slot = &loader->slot[batch % RING];
    while (slot->done < size) {
        if (loader->threads > 0) {
            pthread_cond_wait(&loader->ready, &loader->lock);
        } else {
            process(loader, loader->claimed++);
            slot->done++;
        }
    }
    loader->handed++;
    pthread_mutex_unlock(&loader->lock);
    keep_pixels(loader, batch);
    if (!file_failures(loader, batch)) return -1;
    *pixels = slot->pixels;
    return size;
}

void loader_free(Loader *loader) {
    if (!loader) return;
    jre_disown(loader->jre, loader);
    pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    pthread_cond_broadcast(&loader->room);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->threads; i++) pthread_join(loader->id[i], NULL);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->room);
    pthread_cond_destroy(&loader->ready);
    for (int i = 0; i < RING; i++) {
        jre_release(loader->slot[i].pixels);
        jre_release(loader->slot[i].seen);
        jre_release(loader->slot[i].failures);
    }
    jre_release(loader->keys);
    jre_release(loader);
}
