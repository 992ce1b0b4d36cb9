/* cache.c: resized pictures, kept from run to run in one memory-mapped file.
 *
 * <base>/.jre/store/pictures.cache: 64 bytes that say what it is, then records: 64 bytes of key, length and checksums, then pixels. A
 * record is only ever added behind the last whole one. Contract: what comes back is what was put there: a record whose checksum does
 * not fit counts as absent, whatever a killed process or a disk made of it, and is put there again. Several processes may share the
 * file: they add under a lock and see what others added. Pixels are found on any thread; all else is done by the thread that opened it.
 *
 * The file never grows beyond its bound: 2 GiB, or a tenth of what the disk has free. Then pictures are decoded as without it. */
#include "../runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

enum { ALIGNMENT = 64, FEWEST_PLACES = 1024 };

static const uint64_t most_bytes = UINT64_C(2) << 30, record_mark = UINT64_C(0x31656d616d726a70);
static const char heading[ALIGNMENT] = "jre: resized pictures, 1\n";

typedef struct { uint64_t mark, bytes; CacheKey key; XXH128_hash_t checksum; uint64_t reserved, check; } Record;    /* check: of all before it */
typedef struct { CacheKey key; uint64_t at; } Shelf;      /* at: of the record; 0: free */

struct PictureCache {
    Jre *jre;
    const char *path;
    int descriptor;
    const uint8_t *mapped; uint64_t bound;                /* the file's beginning; it is mapped up to its bound, wherever it ends */
    uint64_t end;                         /* of the last whole record */
    pthread_mutex_t lock;                 /* of the shelves */
    Shelf *shelves; size_t room, count;
    bool full, told;
    int refusal;                          /* why the system takes no more; 0: the bound is reached */
};

static uint64_t aligned(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static uint64_t header_check(const Record *record) { return XXH3_64bits(record, offsetof(Record, check)); }

/* ---- shelves by key ---------------------------------------------------------------------------------------------------------------------- */

static Shelf *shelf_of(Shelf *shelves, size_t room, const CacheKey *key) {
    size_t at = (size_t)key->low & (room - 1);
    while (shelves[at].at && (shelves[at].key.low != key->low || shelves[at].key.high != key->high)) at = (at + 1) & (room - 1);
    return &shelves[at];
}

/* Only one thread puts things on shelves, so it may look at them without the lock; where there is no memory it leaves with none held. */
static void make_room(PictureCache *cache) {
    if (2 * (cache->count + 1) <= cache->room) return;
    size_t room = cache->room ? 2 * cache->room : FEWEST_PLACES;
    Shelf *shelves = jre_allocate(cache->jre, room * sizeof *shelves), *before = cache->shelves;
    memset(shelves, 0, room * sizeof *shelves);
    for (size_t i = 0; i < cache->room; i++)
        if (before[i].at) *shelf_of(shelves, room, &before[i].key) = before[i];
    pthread_mutex_lock(&cache->lock);
    cache->shelves = shelves;
    cache->room = room;
    pthread_mutex_unlock(&cache->lock);
    jre_release(before);
}

static void remember(PictureCache *cache, const CacheKey *key, uint64_t at) {
    make_room(cache);
    pthread_mutex_lock(&cache->lock);
    Shelf *shelf = shelf_of(cache->shelves, cache->room, key);
    if (!shelf->at) cache->count++;
    *shelf = (Shelf){*key, at};
    pthread_mutex_unlock(&cache->lock);
}

/* ---- the file ------------------------------------------------------------------------------------------------------------------------------ */

static uint64_t file_length(const PictureCache *cache) {
    struct stat status;
    return fstat(cache->descriptor, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

/* Records behind the last known one, ours or another process's. Under the file's lock. */
static void scan(PictureCache *cache) {
    uint64_t length = file_length(cache);
    if (length > cache->bound) length = cache->bound;
    while (length > cache->end && length - cache->end >= sizeof(Record)) {
        Record record;
        memcpy(&record, cache->mapped + cache->end, sizeof record);
        bool whole = record.mark == record_mark && record.check == header_check(&record) && record.bytes <= length - cache->end - sizeof record;
        if (!whole) break;
        remember(cache, &record.key, cache->end);
        cache->end += sizeof record + aligned(record.bytes);
    }
}

static bool lock_file(const PictureCache *cache, bool take) { return flock(cache->descriptor, take ? LOCK_EX : LOCK_UN) == 0; }

/* What the file may grow to: it holds `held` bytes already. */
static uint64_t bound_of(const PictureCache *cache, uint64_t held, uint64_t asked) {
    struct statvfs disk;
    uint64_t bound = asked ? asked : most_bytes;
    if (!asked && fstatvfs(cache->descriptor, &disk) == 0) {
        uint64_t tenth = (uint64_t)disk.f_bavail * disk.f_frsize / 10 + held;
        if (tenth < bound) bound = tenth;
    }
    bound = aligned(bound > held ? bound : held);
    return bound > ALIGNMENT ? bound : ALIGNMENT;
}

static bool open_file(PictureCache *cache, uint64_t bound) {
    char found[ALIGNMENT] = "";
    cache->descriptor = open(cache->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (cache->descriptor < 0 || !lock_file(cache, true)) return false;
    bool ours = pread(cache->descriptor, found, sizeof found, 0) == (ssize_t)sizeof found && !memcmp(found, heading, sizeof found);
    /* What another version left is begun anew; a process of that version, if there is one, finds checksums that do not fit. */
    if (!ours && pwrite(cache->descriptor, heading, sizeof heading, 0) != (ssize_t)sizeof heading) return false;
    cache->bound = bound_of(cache, file_length(cache), bound);
    void *mapped = mmap(NULL, cache->bound, PROT_READ, MAP_SHARED, cache->descriptor, 0);
    cache->mapped = mapped == MAP_FAILED ? NULL : mapped;
    cache->end = sizeof heading;
    if (cache->mapped) scan(cache);
    return lock_file(cache, false) && cache->mapped;
}

static void give_back(void *cache) { cache_close(cache); }

PictureCache *cache_open(Jre *jre, const Store *store, uint64_t bound) {
    if (store->disabled) return NULL;
    /* A folder that takes no file costs time, it is nobody's mistake. */
    Jre *aside = jre_aside(jre);
    bool there = folder_make(aside, store->folder, NOWHERE);
    jre_free(aside);
    if (!there) return NULL;
    Arena scratch = {.jre = jre};
    PictureCache *cache = jre_allocate(jre, sizeof *cache);
    memset(cache, 0, sizeof *cache);
    cache->jre = jre;
    cache->path = intern(jre, arena_print(&scratch, "%s/pictures.cache", store->folder));
    arena_free(&scratch);
    cache->descriptor = -1;
    pthread_mutex_init(&cache->lock, NULL);
    jre_own(jre, cache, give_back);
    if (open_file(cache, bound)) return cache;
    cache_close(cache);
    return NULL;
}

void cache_close(PictureCache *cache) {
    if (!cache) return;
    jre_disown(cache->jre, cache);
    if (cache->mapped) munmap((void *)(uintptr_t)cache->mapped, cache->bound);
    if (cache->descriptor >= 0) close(cache->descriptor);
    pthread_mutex_destroy(&cache->lock);
    jre_release(cache->shelves);
    jre_release(cache);
}

/* ---- pixels ----------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t offset_of(PictureCache *cache, const CacheKey *key) {
    pthread_mutex_lock(&cache->lock);
    uint64_t at = cache->room ? shelf_of(cache->shelves, cache->room, key)->at : 0;
    pthread_mutex_unlock(&cache->lock);
    return at;
}

bool cache_knows(PictureCache *cache, const CacheKey *key) { return offset_of(cache, key) != 0; }

const uint8_t *cache_find(PictureCache *cache, const CacheKey *key, size_t bytes) {
    uint64_t at = offset_of(cache, key);
    /* A file that somebody cut short must not be looked at beyond its end. */
    if (!at || at + sizeof(Record) + bytes > file_length(cache)) return NULL;
    Record record;
    memcpy(&record, cache->mapped + at, sizeof record);
    const uint8_t *pixels = cache->mapped + at + sizeof record;
    bool sound = record.mark == record_mark && record.bytes == bytes && record.key.low == key->low && record.key.high == key->high && record.check == header_check(&record);
    return sound && XXH128_isEqual(XXH3_128bits(pixels, bytes), record.checksum) ? pixels : NULL;
}

static bool put_record(PictureCache *cache, const CacheKey *key, const uint8_t *pixels, size_t bytes) {
    static const uint8_t padding[ALIGNMENT];
    Record record = {.mark = record_mark, .bytes = bytes, .key = *key, .checksum = XXH3_128bits(pixels, bytes)};
    record.check = header_check(&record);
    struct iovec parts[] = {{&record, sizeof record}, {(void *)(uintptr_t)pixels, bytes}, {(void *)(uintptr_t)padding, aligned(bytes) - bytes}};
    ssize_t put = pwritev(cache->descriptor, parts, 3, (off_t)cache->end);
    bool whole = put == (ssize_t)(sizeof record + aligned(bytes));
    if (!whole) cache->refusal = put < 0 ? errno : ENOSPC;
    return whole;
}

void cache_add(PictureCache *cache, const CacheKey *key, const uint8_t *pixels, size_t bytes) {
    if (cache->full || !lock_file(cache, true)) return;
    scan(cache);
    uint64_t needed = sizeof(Record) + aligned(bytes);
    cache->full = needed > cache->bound || cache->end > cache->bound - needed;
    if (!cache->full && !cache_find(cache, key, bytes)) {
        if (put_record(cache, key, pixels, bytes)) {
            remember(cache, key, cache->end);
            cache->end += needed;
        } else {
            cache->full = true;
        }
    }
    lock_file(cache, false);
}

const char *cache_filled(PictureCache *cache, uint64_t *bytes, int *refusal) {
    if (!cache || !cache->full || cache->told) return NULL;
    cache->told = true;
    *bytes = cache->end;
    *refusal = cache->refusal;
    return cache->path;
}

/* What a view's 8-bit pixels of a look are called: every step but those that give numbers, and the rules of decoding and steps, whose number is
 * raised when other pixels come of them. */
void cache_key(Jre *jre, const View *view, const char *look, CacheKey *key) {
    Arena scratch = {.jre = jre};
    View steps = *view;
    steps.steps.at = NULL, steps.steps.count = steps.steps.room = 0;
    for (int i = 0; i < view->steps.count; i++)
        if (view->steps.at[i].kind != VIEW_NORMALIZE) list_add(&scratch, &steps.steps, view->steps.at[i]);
    const char *text = arena_print(&scratch, "rules 1\n%s\n%d %d\n%s", look, view->width, view->height, view_canonical(&scratch, &steps));
    XXH128_hash_t hash = XXH3_128bits(text, strlen(text));
    *key = (CacheKey){hash.low64, hash.high64};
    arena_free(&scratch);
}
