/* loader.c: batches in order, whatever the threads do; errors charged to their batch; an end at any moment. */
#include "test.h"

#include "../runtime/runtime.h"

enum { PICTURES = 23, SIDE = 6 };

typedef struct { Jre *jre; Arena arena; Pool *pool; char folder[64]; View view; const char *paths[PICTURES]; PictureLook looks[PICTURES]; } Album;

/* Picture i is a square of value i. */
static void album_open(Album *album) {
    *album = (Album){.jre = jre_new()};
    album->arena.jre = album->jre;
    album->pool = pool_new(album->jre, 3);
    test_folder(album->folder);
    for (int i = 0; i < PICTURES; i++) {
        uint8_t pixels[3 * SIDE * SIDE];
        memset(pixels, i, sizeof pixels);
        Image image = {SIDE, SIDE, 3, pixels};
        album->paths[i] = arena_print(&album->arena, "%s/%02d.png", album->folder, i);
        assert_true(image_write_png(album->jre, album->paths[i], NOWHERE, &image));
        album->looks[i] = (PictureLook){.path = album->paths[i], .hash = album->paths[i]};     /* any name does */
    }
    ViewStep step = {.kind = VIEW_FIT, .width = SIDE, .height = SIDE, .filter = "bicubic"};
    list_add(&album->arena, &album->view.steps, step);
    album->view.width = album->view.height = SIDE;
}

static void album_close(Album *album) {
    assert_int_equal(diag_count(album->jre, SEVERITY_NOTE), 0);
    test_folder_gone(album->folder);
    arena_free(&album->arena);
    pool_free(album->pool);
    jre_free(album->jre);
}

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void batches_come_in_order(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 7}, batches[] = {1, 4, 23, 100};
    Album album;
    album_open(&album);
    for (size_t t = 0; t < 3; t++) {
        Pool *pool = pool_new(album.jre, threads[t]);
        for (size_t b = 0; b < 4; b++) {
            Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, batches[b], pool, NULL);
            const float *pixels;
            int seen = 0, got;
            while ((got = loader_next(loader, &pixels)) > 0)
                for (int i = 0; i < got; i++, seen++)
                    for (int v = 0; v < 3 * SIDE * SIDE; v++) assert_true(pixels[i * 3 * SIDE * SIDE + v] == (float)seen / 255.0f);
            assert_int_equal(got, 0);
            assert_int_equal(seen, PICTURES);
            assert_int_equal(loader_next(loader, &pixels), 0);
            loader_free(loader);
        }
        pool_free(pool);
    }
    album_close(&album);
}

static void a_bad_picture_costs_its_batch_and_no_other(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    write_text(album.paths[5], "not a picture");
    Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, 4, album.pool, NULL);
    const float *pixels;
    assert_int_equal(loader_next(loader, &pixels), 4);
    assert_int_equal(loader_next(loader, &pixels), -1);
    assert_null(pixels);
    test_message_says(album.jre, "file_corrupt", "05.png", NULL);
    assert_int_equal(loader_next(loader, &pixels), 4);
    assert_true(pixels[0] == 8 / 255.0f);
    loader_free(loader);
    album_close(&album);
}

static void missing_pictures_are_named_ten_times_at_most(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    for (int i = 0; i < PICTURES; i++) assert_int_equal(unlink(album.paths[i]), 0);
    Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, 5, album.pool, NULL);
    const float *pixels;
    int got;
    while ((got = loader_next(loader, &pixels)) != 0) assert_int_equal(got, -1);
    assert_int_equal(diag_count(album.jre, SEVERITY_ERROR), 11);
    test_message_says(album.jre, "file_missing", "00.png", "10.png", NULL);
    loader_free(loader);
    album_close(&album);
}

/* Else the numbers of one picture would be kept under the name of another. */
static void a_picture_with_other_bytes_than_promised_is_refused(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    for (int i = 0; i < PICTURES; i++) album.looks[i].content_hash = i == 6 ? NULL : hash_file(album.jre, album.paths[i], NOWHERE);
    assert_int_equal(rename(album.paths[9], album.paths[5]), 0);
    assert_int_equal(rename(album.paths[10], album.paths[6]), 0);
    Loader *loader = loader_new(album.jre, &album.view, album.looks, 8, 4, album.pool, NULL);
    const float *pixels;
    assert_int_equal(loader_next(loader, &pixels), 4);
    assert_int_equal(loader_next(loader, &pixels), -1);
    assert_int_equal(diag_count(album.jre, SEVERITY_ERROR), 1);
    test_message_says(album.jre, "file_unreadable", "05.png", "changed", NULL);
    assert_int_equal(loader_next(loader, &pixels), 0);
    loader_free(loader);
    album_close(&album);
}

static void it_may_end_at_any_moment(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    for (int taken = 0; taken < 5; taken++) {
        Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, 3, album.pool, NULL);
        const float *pixels;
        for (int i = 0; i < taken; i++) assert_int_equal(loader_next(loader, &pixels), 3);
        loader_free(loader);
    }
    loader_free(NULL);
    album_close(&album);
}

/* Decoding is work of the pool: nobody else's threads beside it. */
static void it_starts_no_threads(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    struct stat before, during;
    assert_int_equal(stat("/proc/self/task", &before), 0);
    Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, 4, album.pool, NULL);
    const float *pixels;
    assert_int_equal(loader_next(loader, &pixels), 4);
    assert_int_equal(stat("/proc/self/task", &during), 0);
    assert_int_equal(during.st_nlink, before.st_nlink);           /* a folder for each thread */
    loader_free(loader);
    album_close(&album);
}

static void an_interrupt_is_heard_between_pictures(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, 4, album.pool, NULL);
    const float *pixels;
    assert_int_equal(loader_next(loader, &pixels), 4);
    album.jre->interrupted = 1;
    assert_int_equal(loader_next(loader, &pixels), 0);
    assert_null(pixels);
    loader_free(loader);
    album_close(&album);
}

static void no_pictures_are_no_batches(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    Loader *loader = loader_new(album.jre, &album.view, album.looks, 0, 4, album.pool, NULL);
    const float *pixels;
    assert_int_equal(loader_next(loader, &pixels), 0);
    loader_free(loader);
    album_close(&album);
}

static void an_ordered_failure_hits_the_picture_that_was_meant(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    album.jre->fail_read_after = 7;
    Loader *loader = loader_new(album.jre, &album.view, album.looks, PICTURES, 3, album.pool, NULL);
    const float *pixels;
    for (int batch = 0; batch < 8; batch++) assert_int_equal(loader_next(loader, &pixels), batch == 2 ? -1 : batch == 7 ? 2 : 3);
    test_message_says(album.jre, "file_unreadable", "06.png", NULL);
    loader_free(loader);
    album_close(&album);
}

/* Of decoding on a thread: libpng's memory and zlib's come from the same door. */
static void a_picture_without_memory_says_so_wherever_it_ran_out(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    for (int nth = 1; nth < 200; nth++) {
        PictureTask task = {.look = &album.looks[3], .want_hash = true, .want_phash = true, .faults = album.jre};
        album.jre->fail_allocation_after = nth;
        bool good = picture_process(&task);
        if (album.jre->fail_allocation_after > 0) {
            assert_true(good && nth > 5);
            break;
        }
        assert_false(good);
        assert_int_equal(task.code, DIAG_out_of_memory);
        assert_non_null(strstr(task.why, "no memory is left"));
    }
    assert_true(album.jre->fail_allocation_after > 0);
    album.jre->fail_allocation_after = 0;
    album_close(&album);
}

static void a_task_hashes_what_hash_bytes_would(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    PictureTask task = {.look = &album.looks[3], .want_hash = true, .want_phash = true};
    assert_true(picture_process(&task));
    assert_string_equal(task.content_hash, hash_file(album.jre, album.paths[3], NOWHERE));
    Image image = {0};
    assert_true(image_read(album.jre, album.paths[3], NOWHERE, &image));
    assert_true(task.phash == image_phash(album.jre, &image));
    image_free(&image);
    album_close(&album);
}

/* ---- looks and masks ----------------------------------------------------------------------------------------------------------- */

static void add_cover(Album *album) {
    ViewStep cover = {.kind = VIEW_COVER, .name = "cover"};
    ViewRole role = {"Mask", "mask", NOWHERE};
    list_add(&album->arena, &album->view.steps, cover);
    list_add(&album->arena, &album->view.roles, role);
}

static void a_look_is_called_by_the_content_unless_more_matters(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    Picture pictures[2] = {{.path = album.paths[0], .content_hash = "one"}, {.path = album.paths[1], .content_hash = "one", .mask = "[[1]]"}};
    DatasetPlan plan = {.name = "animals"};
    Dataset dataset = {.plan = &plan, .pictures = pictures, .count = 2};
    PictureLook looks[2];
    const int which[2] = {0, 1};
    assert_true(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    assert_string_equal(looks[0].hash, "one");
    plan.mask_kind = MASK_COLUMN;
    assert_true(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    assert_string_equal(looks[1].hash, "one");                     /* the view wants no mask */
    plan.exif_apply = true;
    assert_true(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    assert_string_equal(looks[1].hash, looks[0].hash);
    assert_string_not_equal(looks[1].hash, "one");
    plan.exif_apply = false;
    add_cover(&album);
    assert_false(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    test_message_says(album.jre, "wrong_mask", "00.png", "empty", NULL);
    pictures[0].mask = "[[0]]", pictures[0].mask_hash = "a";
    pictures[1].mask_hash = "b";
    assert_true(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    assert_string_not_equal(looks[0].hash, looks[1].hash);
    plan.mask_kind = MASK_ALPHA;
    assert_true(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    assert_string_equal(looks[0].hash, "one");
    plan.mask_kind = MASK_FILES;
    pictures[0].mask = album.paths[2], pictures[1].mask = "/nowhere/mask.png", pictures[1].mask_hash = NULL;
    assert_false(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    test_message_says(album.jre, "wrong_mask", "01.png", "/nowhere/mask.png", NULL);
    pictures[1].mask_hash = "c";
    assert_true(picture_looks(album.jre, &dataset, &album.view, which, 2, looks));
    assert_string_not_equal(looks[0].hash, looks[1].hash);
    album_close(&album);
}

static void masks_are_read_beside_their_pictures(void **state) {
    (void)state;
    Album album;
    album_open(&album);
    add_cover(&album);
    const char *right = "{'size': [6, 6], 'counts': [18, 18]}", *wrong = "{'size': [6, 5], 'counts': [15, 15]}";
    for (int i = 0; i < 4; i++) album.looks[i].mask_kind = MASK_COLUMN, album.looks[i].mask = right, album.looks[i].table = "masks.csv", album.looks[i].line = i + 2;
    album.looks[3].mask = wrong;
    album.looks[4].mask_kind = album.looks[5].mask_kind = MASK_FILES;
    album.looks[4].mask = album.paths[7];
    album.looks[5].mask = album.paths[0];
    Loader *loader = loader_new(album.jre, &album.view, album.looks, 6, 1, album.pool, NULL);
    const float *pixels;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(loader_next(loader, &pixels), 1);
        for (int at = 0; at < SIDE * SIDE; at++) assert_true(pixels[at] == (at % SIDE < 3 ? 0 : (float)i / 255.0f));
    }
    assert_int_equal(loader_next(loader, &pixels), -1);
    test_message_says(album.jre, "wrong_mask", "03.png", "its mask in line 5 of `masks.csv`", "its size is [6, 5], height first; the picture's is [6, 6]", NULL);
    assert_int_equal(loader_next(loader, &pixels), 1);
    assert_true(pixels[0] == 4 / 255.0f);
    assert_int_equal(loader_next(loader, &pixels), -1);
    test_message_says(album.jre, "wrong_mask", "05.png", "00.png", "it is empty", NULL);
    loader_free(loader);
    album_close(&album);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_in_order),
        cmocka_unit_test(a_bad_picture_costs_its_batch_and_no_other),
        cmocka_unit_test(missing_pictures_are_named_ten_times_at_most),
        cmocka_unit_test(a_picture_with_other_bytes_than_promised_is_refused),
        cmocka_unit_test(it_may_end_at_any_moment),
        cmocka_unit_test(it_starts_no_threads),
        cmocka_unit_test(an_interrupt_is_heard_between_pictures),
        cmocka_unit_test(no_pictures_are_no_batches),
        cmocka_unit_test(an_ordered_failure_hits_the_picture_that_was_meant),
        cmocka_unit_test(a_picture_without_memory_says_so_wherever_it_ran_out),
        cmocka_unit_test(a_task_hashes_what_hash_bytes_would),
        cmocka_unit_test(a_look_is_called_by_the_content_unless_more_matters),
        cmocka_unit_test(masks_are_read_beside_their_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
