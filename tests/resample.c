/* resample.c, phash.c: the same bits as Pillow and imagehash. Hashes of expected pixels come from Pillow 13.0 and imagehash 4.3.2. */
#include "test.h"

#include "../runtime/runtime.h"

static int enter(void **state) {
    *state = jre_new();
    return 0;
}

static int leave(void **state) {
    jre_free(*state);
    return 0;
}

/* A picture that is smooth in one corner and busy in the other. */
static Image painted(Jre *jre, int width, int height, int channels) {
    Image image = { width, height, channels, jre_allocate(jre, (size_t)(width * height * channels)) };
    uint8_t *at = image.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int channel = 0; channel < channels; channel++)
                *at++ = (uint8_t)((x * x * 3 + y * 7 + x * y * (channel + 1) + 40 * channel) >> 2);
    return image;
}

static void expect_pixels(Jre *jre, const Image *image, const char *hash) {
    size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    assert_string_equal(hash_bytes(jre, image->pixels, bytes), hash);
}

static void every_filter_gives_the_bits_of_pillow(void **state) {
    Jre *jre = *state;
    static const struct { ResampleFilter filter; int width, height; const char *hash; } rows[] = {
        {FILTER_NEAREST, 20, 15, "96880cafb14bb516e8227a708b0d4304"},
        {FILTER_NEAREST, 61, 9, "83945d0ce9e7aa5e501da3a53d94ca0b"},
        {FILTER_NEAREST, 100, 80, "8655835a1ca4d96a4e9f38a4d7f1ae87"},
        {FILTER_NEAREST, 61, 100, "506e8df1181c8cc11640c8465df6c6f4"},
        {FILTER_NEAREST, 7, 47, "1f052342da25c2837c2cb8a0c1a43843"},
        {FILTER_NEAREST, 58, 11, "5ce8c68a5ec958a97ec0bae3b9f94a65"},
        {FILTER_BOX, 20, 15, "276de839e5351ee52f434b1adf85dba2"},
        {FILTER_BOX, 61, 9, "7f0e260832000d182fa846690c84dd31"},
        {FILTER_BOX, 100, 80, "8655835a1ca4d96a4e9f38a4d7f1ae87"},
        {FILTER_BOX, 61, 100, "506e8df1181c8cc11640c8465df6c6f4"},
        {FILTER_BOX, 7, 47, "3901089060d2ea43647da37393126638"},
        {FILTER_BOX, 58, 11, "1101a9785b4012f3f618b6ae43f20888"},
        {FILTER_BILINEAR, 20, 15, "5b9fd55149124fcc8bd174690d728e3a"},
        {FILTER_BILINEAR, 61, 9, "1de7bc5b6a13d0fc893d2d22b3647675"},
        {FILTER_BILINEAR, 100, 80, "346a9f64dd1ee3944ca9bf47e768dd73"},
        {FILTER_BILINEAR, 61, 100, "1b588f261c6eca9ec60aa68c97dc5810"},
        {FILTER_BILINEAR, 7, 47, "a2ea7b1821364790c826a94a1d297b75"},
        {FILTER_BILINEAR, 58, 11, "eb3db90208cd065f42bc4d20b6330895"},
        {FILTER_HAMMING, 20, 15, "23ed53e48a841268b70018814fca2a7e"},
        {FILTER_HAMMING, 61, 9, "acc084ac4f3914a27cc19c6fdc16c43b"},
        {FILTER_HAMMING, 100, 80, "f60a6763cd523fd4fe602f7b3c620790"},
        {FILTER_HAMMING, 61, 100, "46f82cbe61f20c199781ad92ba460057"},
        {FILTER_HAMMING, 7, 47, "aebb602a1633069d42d1b3280d92ef3e"},
        {FILTER_HAMMING, 58, 11, "89094a816fadf008b63f3262fbb8bcb5"},
        {FILTER_BICUBIC, 20, 15, "99f41aa5a7e06f46c8dd183785cc373c"},
        {FILTER_BICUBIC, 61, 9, "1c26538b2c7b7a443cf1e810f6ccfcd2"},
        {FILTER_BICUBIC, 100, 80, "2ea1e9b9208001e6739bde535ce437c1"},
        {FILTER_BICUBIC, 61, 100, "a3a2ecac106934cd6b3c184ce906eeea"},
        {FILTER_BICUBIC, 7, 47, "9f806fc8aeafaf611652a9115eaa177f"},
        {FILTER_BICUBIC, 58, 11, "bf3ea467586c4f97e925d35ecb44cdd7"},
        {FILTER_LANCZOS, 20, 15, "c9c893a0c94349a6956610d8bd8762b5"},
        {FILTER_LANCZOS, 61, 9, "cd835642cf091a68c11fa1a0d0f761e1"},
        {FILTER_LANCZOS, 100, 80, "e98e80de32d90eea65086141cc4d0366"},
        {FILTER_LANCZOS, 61, 100, "97407af430cc4d8b2e33cfafa2cd19e0"},
        {FILTER_LANCZOS, 7, 47, "ba9f7c97832aff88fbfd3b9fe2758e07"},
        {FILTER_LANCZOS, 58, 11, "98ae85a51960f09f0e68382cfb3281d5"},
    };
    Image source = painted(jre, 61, 47, 3);
    expect_pixels(jre, &source, "8eb6ffd7a542d18f388e5671dd619068");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Image resized;
        image_resize(jre, &source, rows[i].width, rows[i].height, rows[i].filter, &resized);
        expect_pixels(jre, &resized, rows[i].hash);
        image_free(&resized);
    }
    image_free(&source);
}

static void each_channel_is_resized_by_itself(void **state) {
    Jre *jre = *state;
    for (int channels = 1; channels <= 4; channels++) {
        Image source = painted(jre, 37, 29, channels), resized;
        image_resize(jre, &source, 23, 31, FILTER_BICUBIC, &resized);
        for (int channel = 0; channel < channels; channel++) {
            Image one = { 37, 29, 1, jre_allocate(jre, 37 * 29) }, expected;
            for (int i = 0; i < 37 * 29; i++)
                one.pixels[i] = source.pixels[i * channels + channel];
            image_resize(jre, &one, 23, 31, FILTER_BICUBIC, &expected);
            for (int i = 0; i < 23 * 31; i++)
                assert_int_equal(resized.pixels[i * channels + channel], expected.pixels[i]);
            image_free(&one);
            image_free(&expected);
        }
        image_free(&source);
        image_free(&resized);
    }
}

static void the_smallest_pictures_are_resized(void **state) {
    Jre *jre = *state;
    for (int width = 1; width <= 9; width += 4)
        for (int height = 1; height <= 9; height += 4)
            for (int to = 1; to <= 33; to += 8)
                for (int filter = FILTER_NEAREST; filter <= FILTER_LANCZOS; filter++) {
                    Image source = painted(jre, width, height, 3), resized;
                    memset(source.pixels, 77, (size_t)(width * height * 3));
                    image_resize(jre, &source, to, 34 - to, (ResampleFilter)filter, &resized);
                    for (int i = 0; i < to * (34 - to) * 3; i++)
                        assert_int_equal(resized.pixels[i], 77);
                    image_free(&source);
                    image_free(&resized);
                }
}

static void an_equal_size_is_a_copy(void **state) {
    Jre *jre = *state;
    Image source = painted(jre, 61, 47, 3), resized;
    image_resize(jre, &source, 61, 47, FILTER_LANCZOS, &resized);
    expect_pixels(jre, &resized, "8eb6ffd7a542d18f388e5671dd619068");
    image_free(&source);
    image_free(&resized);
}

static void gray_is_that_of_pillow(void **state) {
    Jre *jre = *state;
    Image source = painted(jre, 61, 47, 3), gray, again;
    image_to_gray(jre, &source, &gray);
    assert_int_equal(gray.channels, 1);
    expect_pixels(jre, &gray, "24724841430abf0104da1f3f516c786c");
    image_to_gray(jre, &gray, &again);
    expect_pixels(jre, &again, "24724841430abf0104da1f3f516c786c");
    image_free(&source);
    image_free(&gray);
    image_free(&again);
}

static void alpha_over_a_color_is_that_of_pillow(void **state) {
    Jre *jre = *state;
    static const uint8_t color[3] = { 124, 116, 104 };
    Image source = painted(jre, 61, 47, 4), rgb, again;
    image_composite(jre, &source, color, &rgb);
    expect_pixels(jre, &rgb, "2ffcd2644230960b490bf420f4a63c15");
    image_composite(jre, &rgb, color, &again);
    expect_pixels(jre, &again, "2ffcd2644230960b490bf420f4a63c15");
    image_free(&source);
    image_free(&rgb);
    image_free(&again);
}

/* ---- hashes of pictures --------------------------------------------------------------------------------------------------------- */

static void the_hash_is_that_of_imagehash(void **state) {
    Jre *jre = *state;
    static const struct { int width, height, channels; uint64_t phash, dhash; } rows[] = {
        {61, 47, 3, 0x800107079f0fbfbf, 0xd59aabadb2bba329}, {61, 47, 1, 0x80010f273faeb7cd, 0xd5d29aada2aaabaa},
        {200, 150, 3, 0xd800000036ffffff, 0xa581422614245049}, {200, 150, 1, 0x80000002fbdfffff, 0x9482465a4d269195},
        {32, 32, 3, 0x820e3839ab2bbbb9, 0xf5e5eceacacad2d3}, {32, 32, 1, 0x861cb91bbb399a29, 0xf5f5f5e5eaeaeacb},
        {9, 200, 3, 0x8c3f003f7c437669, 0xfff8c38c336cdbb6}, {9, 200, 1, 0x8f310f3b644b56a9, 0xfffff8c38e3cf3e6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Image source = painted(jre, rows[i].width, rows[i].height, rows[i].channels);
        assert_int_equal(image_phash(jre, &source), rows[i].phash);
        assert_int_equal(image_dhash(jre, &source), rows[i].dhash);
        image_free(&source);
    }
}

static void a_plain_picture_has_a_plain_hash(void **state) {
    Jre *jre = *state;
    Image source = painted(jre, 50, 40, 3);
    memset(source.pixels, 128, 50 * 40 * 3);
    assert_int_equal(image_phash(jre, &source), 0x8000000000000000);
    memset(source.pixels, 0, 50 * 40 * 3);
    assert_int_equal(image_phash(jre, &source), 0);
    image_free(&source);
    assert_int_equal(hash_distance(0xff, 0x0f), 4);
}

/* Every pair of photographs that their table calls a copy is one by both hashes. */
static void copies_among_photographs_are_found(void **state) {
    Jre *jre = *state;
    char path[1024], picture[64];
    Table table;
    if (!test_data("data/nyala/near_duplicates.csv", path))
        skip();
    assert_true(table_read(jre, path, NOWHERE, &table));
    int exact = table_column(&table, "exact"), copies = 0;
    for (int row = 0; row < table.rows; row++) {
        const char **cells = table.cells + row * table.columns.count;
        uint64_t phash[2], dhash[2];
        for (int side = 0; side < 2; side++) {
            Image image;
            snprintf(picture, sizeof picture, "data/nyala/images/%04ld.jpg", strtol(cells[side], NULL, 10));
            assert_true(image_read(jre, test_data(picture, path), NOWHERE, &image));
            phash[side] = image_phash(jre, &image);
            dhash[side] = image_dhash(jre, &image);
            image_free(&image);
        }
        copies += cells[exact][0] == '1' && phash[0] == phash[1] && dhash[0] == dhash[1];
    }
    assert_int_equal(copies, 8);
}

/* The tables of the shared photographs hold hashes without the first bit, taken before the photographs were made smaller. */
static void photographs_have_the_hashes_of_their_table(void **state) {
    Jre *jre = *state;
    char path[1024], picture[64];
    Table table;
    if (!test_data("data/nyala/metadata_extra.csv", path))
        skip();
    assert_true(table_read(jre, path, NOWHERE, &table));
    int distance = 0, column = table_column(&table, "phash63");
    for (int row = 0; row < 100; row += 5) {
        const char **cells = table.cells + row * table.columns.count;
        Image image;
        snprintf(picture, sizeof picture, "data/nyala/images/%s.jpg", cells[0]);
        assert_true(image_read(jre, test_data(picture, path), NOWHERE, &image));
        distance += hash_distance(image_phash(jre, &image) & 0x7fffffffffffffff, strtoull(cells[column], NULL, 16));
        image_free(&image);
    }
    assert_in_range(distance, 0, 20);
}

/* ---- the oracle's pictures --------------------------------------------------------------------------------------------------------- */

static void expect_array(Jre *jre, const Image *image, const char *name) {
    char path[1024], file[128];
    Array array;
    snprintf(file, sizeof file, "oracle/image/%s.npy", name);
    assert_true(npy_read(jre, test_data(file, path), NOWHERE, &array));
    assert_int_equal(array.dim[0], image->height);
    assert_int_equal(array.dim[1], image->width);
    for (int i = 0; i < image->width * image->height * image->channels; i++)
        assert_int_equal(image->pixels[i], (int)array.values[i]);
    jre_release(array.values);
}

static void resized_pictures_are_those_of_the_oracle(void **state) {
    Jre *jre = *state;
    static const char *const filters[] = { "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos" };
    static const struct { int width, height; } sizes[] = { {32, 24}, {96, 72}, {20, 33} };
    char path[1024], name[64];
    Image source, resized;
    if (!test_data("oracle/image/src.png", path))
        skip();
    assert_true(image_read(jre, path, NOWHERE, &source));
    for (int filter = FILTER_NEAREST; filter <= FILTER_LANCZOS; filter++)
        for (int i = 0; i < 3 && filter != FILTER_HAMMING; i++) {
            image_resize(jre, &source, sizes[i].width, sizes[i].height, (ResampleFilter)filter, &resized);
            snprintf(name, sizeof name, "pil_resize_%s_%dx%d", filters[filter], sizes[i].height, sizes[i].width);
            expect_array(jre, &resized, name);
            image_free(&resized);
        }
    Image gray;
    image_to_gray(jre, &source, &gray);
    expect_array(jre, &gray, "pil_grayscale");
    image_free(&gray);
    image_free(&source);
}

static void cutouts_over_a_color_are_those_of_the_oracle(void **state) {
    Jre *jre = *state;
    static const uint8_t black[3] = { 0, 0, 0 }, mean[3] = { 124, 116, 104 };
    char path[1024];
    Image source, rgb;
    if (!test_data("oracle/image/src_rgba.png", path))
        skip();
    assert_true(image_read(jre, path, NOWHERE, &source));
    assert_int_equal(source.channels, 4);
    image_composite(jre, &source, black, &rgb);
    expect_array(jre, &rgb, "pil_composite_black");
    image_free(&rgb);
    image_composite(jre, &source, mean, &rgb);
    expect_array(jre, &rgb, "pil_composite_imagenet_mean");
    image_free(&rgb);
    image_free(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_filter_gives_the_bits_of_pillow, enter, leave),
        cmocka_unit_test_setup_teardown(each_channel_is_resized_by_itself, enter, leave),
        cmocka_unit_test_setup_teardown(the_smallest_pictures_are_resized, enter, leave),
        cmocka_unit_test_setup_teardown(an_equal_size_is_a_copy, enter, leave),
        cmocka_unit_test_setup_teardown(gray_is_that_of_pillow, enter, leave),
        cmocka_unit_test_setup_teardown(alpha_over_a_color_is_that_of_pillow, enter, leave),
        cmocka_unit_test_setup_teardown(the_hash_is_that_of_imagehash, enter, leave),
        cmocka_unit_test_setup_teardown(a_plain_picture_has_a_plain_hash, enter, leave),
        cmocka_unit_test_setup_teardown(photographs_have_the_hashes_of_their_table, enter, leave),
        cmocka_unit_test_setup_teardown(copies_among_photographs_are_found, enter, leave),
        cmocka_unit_test_setup_teardown(resized_pictures_are_those_of_the_oracle, enter, leave),
        cmocka_unit_test_setup_teardown(cutouts_over_a_color_are_those_of_the_oracle, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
