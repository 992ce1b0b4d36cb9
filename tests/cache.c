/* cache.c: resized pictures, kept: found again, never wrong, whatever became of the file; several at once; full. */
#include "test.h"

#include "../runtime/runtime.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { BYTES = 1000, RECORD = 64 + 1024 };

typedef struct { Jre *jre; Store store; char folder[64], path[128]; } Room;

static int enter(void **state) {
    Room *room = calloc(1, sizeof *room);
    room->jre = jre_new();
    test_folder(room->folder);
    room->store = store_open(room->jre, room->folder, false);
    snprintf(room->path, sizeof room->path, "%s/.jre/store/pictures.cache", room->folder);
    *state = room;
    return 0;
}

static int leave(void **state) {
    Room *room = *state;
    assert_int_equal(diag_count(room->jre, SEVERITY_NOTE), 0);
    test_folder_gone(room->folder);
    jre_free(room->jre);
    free(room);
    return 0;
}

static CacheKey key_of(int picture) { return (CacheKey){(uint64_t)picture * 77 + 1, 5}; }

static void paint(int picture, uint8_t pixels[BYTES]) {
    for (int i = 0; i < BYTES; i++) pixels[i] = (uint8_t)(picture * 31 + i);
}

static void add(PictureCache *cache, int picture) {
    uint8_t pixels[BYTES];
    CacheKey key = key_of(picture);
    paint(picture, pixels);
    cache_add(cache, &key, pixels, BYTES);
}

/* Right, or not there. */
static bool found(PictureCache *cache, int picture) {
    uint8_t pixels[BYTES];
    CacheKey key = key_of(picture);
    const uint8_t *kept = cache_find(cache, &key, BYTES);
    paint(picture, pixels);
    if (kept) assert_memory_equal(kept, pixels, BYTES);
    return kept != NULL;
}

static PictureCache *reopened(Room *room, PictureCache *cache) {
    cache_close(cache);
    cache = cache_open(room->jre, &room->store, 1 << 22);
    assert_non_null(cache);
    return cache;
}

static void what_was_put_there_is_found_by_later_runs(void **state) {
    Room *room = *state;
    PictureCache *cache = reopened(room, NULL);
    CacheKey key = key_of(0);
    assert_false(found(cache, 0));
    for (int i = 0; i < 1500; i++) add(cache, i);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 1500; i++) assert_true(found(cache, i));
        assert_false(found(cache, 1500));
        assert_null(cache_find(cache, &key, BYTES - 1));            /* of another size it is another picture */
        cache = reopened(room, cache);
    }
    cache_close(cache);
}

static void set_byte(Room *room, long at, int value) {
    FILE *file = fopen(room->path, "r+b");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    fputc(value, file);
    fclose(file);
}

static void damage_costs_time_and_nothing_else(void **state) {
    Room *room = *state;
    static const int places[] = {0, 3, 64, 64 + 8, 64 + 17, 64 + 40, 64 + 60, 64 + 64, 64 + 1063, 64 + RECORD + 70, 64 + 2 * RECORD + 2};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        PictureCache *cache = reopened(room, NULL);
        for (int picture = 0; picture < 3; picture++) add(cache, picture);
        cache_close(cache);
        set_byte(room, places[i], 0x99);
        cache = reopened(room, NULL);
        for (int picture = 0; picture < 3; picture++) {
            found(cache, picture);
            add(cache, picture);
            assert_true(found(cache, picture));
        }
        cache = reopened(room, cache);
        for (int picture = 0; picture < 3; picture++) assert_true(found(cache, picture));
        cache_close(cache);
        unlink(room->path);
    }
}

static void a_file_cut_anywhere_is_whole_again_after_the_next_run(void **state) {
    Room *room = *state;
    PictureCache *cache = reopened(room, NULL);
    for (int picture = 0; picture < 3; picture++) add(cache, picture);
    for (long length = 3 * RECORD + 64; length >= 0; length -= 97) {
        assert_int_equal(truncate(room->path, length), 0);
        for (int picture = 0; picture < 3; picture++) assert_int_equal(found(cache, picture), 64 + (picture + 1) * RECORD - 24 <= length);    /* by the process that has it open */
        cache = reopened(room, cache);
        for (int picture = 0; picture < 3; picture++) {
            add(cache, picture);
            assert_true(found(cache, picture));
        }
    }
    cache_close(cache);
}

static void a_full_file_grows_no_more_and_says_so_once(void **state) {
    Room *room = *state;
    PictureCache *cache = cache_open(room->jre, &room->store, 64 + 2 * RECORD);
    uint64_t bytes = 0;
    int refusal = -1;
    for (int picture = 0; picture < 2; picture++) add(cache, picture);
    assert_null(cache_filled(cache, &bytes, &refusal));
    for (int picture = 2; picture < 5; picture++) add(cache, picture);
    assert_string_equal(cache_filled(cache, &bytes, &refusal), room->path);
    assert_int_equal(bytes, 64 + 2 * RECORD);
    assert_int_equal(refusal, 0);
    assert_null(cache_filled(cache, &bytes, &refusal));
    assert_true(found(cache, 0) && found(cache, 1) && !found(cache, 2));
    cache_close(cache);
    assert_null(cache_filled(NULL, &bytes, &refusal));
}

static void a_disk_that_takes_no_more_is_told_of_as_such(void **state) {
    Room *room = *state;
    struct rlimit before, small = {64 + RECORD + RECORD / 2, 0};
    uint64_t bytes = 0;
    int refusal = 0;
    PictureCache *cache = cache_open(room->jre, &room->store, 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int picture = 0; picture < 3; picture++) add(cache, picture);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_string_equal(cache_filled(cache, &bytes, &refusal), room->path);
    assert_true(refusal != 0);
    assert_true(found(cache, 0) && !found(cache, 1));
    cache = reopened(room, cache);                                  /* once there is room, what was torn is written over */
    for (int picture = 0; picture < 3; picture++) add(cache, picture);
    for (int picture = 0; picture < 3; picture++) assert_true(found(cache, picture));
    cache_close(cache);
}

static void a_disabled_store_has_no_cache(void **state) {
    Room *room = *state;
    Store disabled = store_open(room->jre, room->folder, true);
    assert_null(cache_open(room->jre, &disabled, 0));
    assert_int_equal(access(room->path, F_OK), -1);
    Store nowhere = store_open(room->jre, "/proc/nowhere", false);
    assert_null(cache_open(room->jre, &nowhere, 0));
    cache_close(NULL);
}

/* Four processes add the same pictures; some are killed in between. */
static void processes_share_it_and_may_be_killed(void **state) {
    Room *room = *state;
    pid_t workers[4];
    for (int i = 0; i < 4; i++) {
        workers[i] = fork();
        if (workers[i]) continue;
        PictureCache *cache = cache_open(room->jre, &room->store, 1 << 22);
        for (int round = 0; round < 400 && cache; round++) add(cache, (round * (i + 1)) % 500);
        _exit(0);
    }
    usleep(3000);
    for (int i = 0; i < 2; i++) kill(workers[i], SIGKILL);
    for (int i = 0; i < 4; i++) waitpid(workers[i], NULL, 0);
    PictureCache *cache = reopened(room, NULL);
    int kept = 0;
    for (int picture = 0; picture < 500; picture++) kept += found(cache, picture);
    assert_true(kept >= 100);                                       /* what the two survivors put there */
    for (int picture = 0; picture < 500; picture++) add(cache, picture);
    for (int picture = 0; picture < 500; picture++) assert_true(found(cache, picture));
    cache_close(cache);
    struct stat facts;
    assert_int_equal(stat(room->path, &facts), 0);
    assert_true(facts.st_size <= 64 + 504 * RECORD);                /* at most the four records that a kill has torn twice */
}

static void keys_are_of_looks_and_pixels_not_of_numbers(void **state) {
    Room *room = *state;
    Arena arena = {.jre = room->jre};
    View view = {.width = 8, .height = 8};
    ViewStep fit = {.kind = VIEW_FIT, .name = "fit", .width = 8, .height = 8, .filter = "bicubic"}, normalize = {.kind = VIEW_NORMALIZE, .name = "normalize"};
    list_add(&arena, &view.steps, fit);
    CacheKey plain, numbers, other, larger;
    cache_key(room->jre, &view, "look", &plain);
    list_add(&arena, &view.steps, normalize);
    cache_key(room->jre, &view, "look", &numbers);
    assert_memory_equal(&plain, &numbers, sizeof plain);
    cache_key(room->jre, &view, "another", &other);
    assert_memory_not_equal(&plain, &other, sizeof plain);
    view.steps.at[0].fill[0] = 1;
    cache_key(room->jre, &view, "look", &larger);
    assert_memory_not_equal(&plain, &larger, sizeof plain);
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_there_is_found_by_later_runs, enter, leave),
        cmocka_unit_test_setup_teardown(damage_costs_time_and_nothing_else, enter, leave),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_is_whole_again_after_the_next_run, enter, leave),
        cmocka_unit_test_setup_teardown(a_full_file_grows_no_more_and_says_so_once, enter, leave),
        cmocka_unit_test_setup_teardown(a_disk_that_takes_no_more_is_told_of_as_such, enter, leave),
        cmocka_unit_test_setup_teardown(a_disabled_store_has_no_cache, enter, leave),
        cmocka_unit_test_setup_teardown(processes_share_it_and_may_be_killed, enter, leave),
        cmocka_unit_test_setup_teardown(keys_are_of_looks_and_pixels_not_of_numbers, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
