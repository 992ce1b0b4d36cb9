/* loader.c: pictures for the network.
 *
 * In: looks and a view. Out: batches in the order of the looks. Contract: loader_next decodes a round of pictures, one batch or several small
 * ones, on all threads of the session's pool, which then computes them; each picture has a place of its own, so it changes no bit
 * which thread decodes which: they take one after the other, as pictures differ in size and a fixed share would let threads wait.
 * What the next round reads is asked of the disk meanwhile. The threads touch no Jre; what goes wrong is kept beside the picture and
 * filed when its batch is handed over. A file whose bytes are not the ones that were promised is a failure too: its numbers would be
 * kept under the name of others. loader_free may be called at any moment.
 *
 * Tried, pictures a second through mobilenetv2 on two threads, of the painted sample and of photographs of 384 x 288: threads of the
 * loader's own beside the pool, three batches ahead of the network, 141 and 138; rounds of 96 pictures 138 and 140, of 48 136 and 140,
 * of 16 143 and 140. So the least memory, and no more threads than were asked for. From a disk that gives 100 files a second all of
 * them come to 99. */
#include "../runtime.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { ROUND = 16, NAMED_FAILURES = 10 };                 /* pictures that are decoded at once, if a batch has no more */

typedef struct { bool failed, kept; DiagCode code; char why[256]; } Failure;      /* kept: the cache has had its pixels */

struct Loader {
    Jre *jre;
    const View *view;
    const PictureLook *looks;
    Pool *pool;
    PictureCache *cache; CacheKey *keys;  /* of each look; NULL without a cache */
    int count, batch, room;               /* room: pictures of a round, whole batches */
    size_t picture_values;
    int fail_at;                          /* the picture whose reading fails by order of a test; -1: none */
    int reported;
    float *pixels; uint8_t *seen; Failure *failures;      /* of the round; seen: pixels in 8 bits */
    int first, end;                       /* the pictures that they are of */
    int handed;                           /* pictures given out */
    atomic_int claimed;                   /* the next picture that a thread takes */
};

/* The kernel begins to read the file and nobody waits. */
static void ask_for_file(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return;
    posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);
    close(file);
}

static void ask_for(const Loader *loader, int picture) {
    if (picture >= loader->count || (loader->cache && cache_knows(loader->cache, &loader->keys[picture]))) return;
    const PictureLook *look = &loader->looks[picture];
    ask_for_file(look->path);
    if (look->mask_kind == MASK_FILES) ask_for_file(look->mask);
}

static void process(Loader *loader, int picture) {
    size_t place = (size_t)(picture - loader->first), values = loader->picture_values;
    PictureTask task = {.look = &loader->looks[picture], .fail_read = picture == loader->fail_at, .faults = jre_faults(loader->jre), .view = loader->view, .out = loader->seen + place * values};
    Failure *failure = &loader->failures[place];
    const uint8_t *known = loader->cache && !task.fail_read ? cache_find(loader->cache, &loader->keys[picture], values) : NULL;
    failure->kept = known != NULL;
    failure->failed = !known && !picture_process(&task);
    if (!failure->failed) {
        view_numbers(loader->view, known ? known : task.out, loader->pixels + place * values);
        return;
    }
    failure->code = task.code;
    memcpy(failure->why, task.why, sizeof failure->why);
}

static void decode_share(void *context, int part, int parts) {
    (void)part, (void)parts;
    Loader *loader = context;
    for (int picture; !loader->jre->interrupted && (picture = atomic_fetch_add(&loader->claimed, 1)) < loader->end;) {
        ask_for(loader, picture + loader->room);
        process(loader, picture);
    }
}

/* The first round is one batch, so that the first numbers come soon. */
static void decode_round(Loader *loader) {
    int rest = loader->count - loader->handed, size = loader->handed ? loader->room : loader->batch;
    loader->first = loader->handed;
    loader->end = loader->handed + (rest < size ? rest : size);
    atomic_store(&loader->claimed, loader->first);
    pool_run(loader->pool, decode_share, loader);
}

Loader *loader_new(Jre *jre, const View *view, const PictureLook *looks, int count, int batch, Pool *pool, PictureCache *cache) {
    Loader *loader = jre_allocate(jre, sizeof *loader);
    *loader = (Loader){.jre = jre, .view = view, .looks = looks, .pool = pool, .cache = cache, .count = count < 0 ? 0 : count};
    loader->batch = batch < 1 ? 1 : batch > loader->count && loader->count > 0 ? loader->count : batch;
    loader->room = loader->batch < ROUND ? ROUND / loader->batch * loader->batch : loader->batch;
    if (loader->room > loader->count) loader->room = loader->count;
    loader->keys = cache ? jre_allocate(jre, (size_t)(loader->count + 1) * sizeof(CacheKey)) : NULL;
    for (int i = 0; cache && i < loader->count; i++) cache_key(jre, view, looks[i].hash, &loader->keys[i]);
    loader->picture_values = 3 * (size_t)view->width * (size_t)view->height;
    loader->fail_at = injected_read_failure(jre, loader->count);
    size_t room = (size_t)loader->room;
    loader->pixels = jre_allocate_aligned(jre, room * loader->picture_values * sizeof(float) + 1, 64);
    loader->seen = jre_allocate(jre, room * loader->picture_values + 1);
    loader->failures = jre_allocate(jre, (room + 1) * sizeof(Failure));
    for (int i = 0; i < loader->room; i++) ask_for(loader, i);
    return loader;
}

/* Files the failures of the next `size` pictures, at most ten for all batches. False if there are any. */
static bool file_failures(Loader *loader, int size) {
    bool sound = true;
    for (int picture = loader->handed; picture < loader->handed + size; picture++) {
        const Failure *failure = &loader->failures[picture - loader->first];
        if (!failure->failed) continue;
        sound = false;
        const char *path = loader->looks[picture].path;
        if (loader->reported < NAMED_FAILURES) diag(loader->jre, failure->code, NOWHERE, "`%s`: %s", path, failure->why);
        else if (loader->reported == NAMED_FAILURES) diag(loader->jre, failure->code, NOWHERE, "`%s` and maybe others cannot be read either", path);
        loader->reported++;
    }
    return sound;
}

/* What was decoded for the next `size` pictures need not be decoded again. */
static void keep_pixels(Loader *loader, int size) {
    for (int picture = loader->handed; loader->cache && picture < loader->handed + size; picture++) {
        int place = picture - loader->first;
        if (!loader->failures[place].failed && !loader->failures[place].kept)
            cache_add(loader->cache, &loader->keys[picture], loader->seen + (size_t)place * loader->picture_values, loader->picture_values);
    }
}

int loader_next(Loader *loader, const float **pixels) {
    *pixels = NULL;
    if (loader->handed == loader->count) return 0;
    if (loader->handed == loader->end) decode_round(loader);
    if (loader->jre->interrupted) return 0;                       /* of this round some may be missing */
    int size = loader->end - loader->handed < loader->batch ? loader->end - loader->handed : loader->batch;
    keep_pixels(loader, size);
    bool sound = file_failures(loader, size);
    if (sound) *pixels = loader->pixels + (size_t)(loader->handed - loader->first) * loader->picture_values;
    loader->handed += size;
    return sound ? size : -1;
}

void loader_free(Loader *loader) {
    if (!loader) return;
    jre_release(loader->pixels);
    jre_release(loader->seen);
    jre_release(loader->failures);
    jre_release(loader->keys);
    jre_release(loader);
}
