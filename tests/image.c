/* image.c: every kind of PNG, JPEGs as Pillow 13.0 decodes them, and what is damaged. */
#include "test.h"

#include "../runtime/runtime.h"

#include <png.h>

typedef struct { Jre *jre; char folder[64], path[128]; Text bytes; } Room;

static int enter(void **state) {
    Room *room = calloc(1, sizeof *room);
    room->jre = jre_new();
    room->bytes.jre = room->jre;
    test_folder(room->folder);
    snprintf(room->path, sizeof room->path, "%s/picture", room->folder);
    *state = room;
    return 0;
}

static int leave(void **state) {
    Room *room = *state;
    text_free(&room->bytes);
    jre_free(room->jre);
    test_folder_gone(room->folder);
    free(room);
    return 0;
}

/* ---- PNGs of every kind ------------------------------------------------------------------------------------------------------------ */

enum { WIDTH = 21, HEIGHT = 13, GRAY = 0, RGB = 2, PALETTE = 3, GRAY_ALPHA = 4, RGBA = 6 };

static void add_bytes(png_structp png, png_bytep bytes, png_size_t count) {
    text_add_bytes(png_get_io_ptr(png), (const char *)bytes, count);
}

static void flush_nothing(png_structp png) {
    (void)png;
}

/* Sample of `depth` bits. */
static unsigned sample(int x, int y, int channel, int depth) {
    return ((unsigned)(x * 2654435 + y * 40503 + channel * 977 + x * y * 31) >> 3) & ((1u << depth) - 1);
}

static int channels_of(int kind) {
    return kind == RGB ? 3 : kind == GRAY_ALPHA ? 2 : kind == RGBA ? 4 : 1;
}

static void put_samples(uint8_t *row, int y, int kind, int depth) {
    int channels = channels_of(kind);
    memset(row, 0, WIDTH * 8);
    for (int i = 0; i < WIDTH * channels; i++) {
        unsigned value = sample(i / channels, y, i % channels, depth);
        if (depth == 16) {
            row[2 * i] = (uint8_t)(value >> 8);
            row[2 * i + 1] = (uint8_t)value;
        } else {
            int bit = i * depth;
            row[bit / 8] |= (uint8_t)(value << (8 - depth - bit % 8));
        }
    }
}

static const png_color_16 transparent = { .gray = 1, .red = 5, .green = 6, .blue = 7 };

/* `seen_through`: with a transparent color, or half the palette's entries half transparent. */
static void put_png(Room *room, int kind, int depth, bool interlaced, bool seen_through) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color palette[256];
    uint8_t alphas[256], rows[HEIGHT][WIDTH * 8], *pointers[HEIGHT];
    room->bytes.length = 0;
    png_set_write_fn(png, &room->bytes, add_bytes, flush_nothing);
    png_set_IHDR(png, info, WIDTH, HEIGHT, depth, kind, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; i++) {
        palette[i] = (png_color){ (uint8_t)(i * 3), (uint8_t)(255 - i), (uint8_t)(i * 7) };
        alphas[i] = (uint8_t)(i * 5);
    }
    if (kind == PALETTE)
        png_set_PLTE(png, info, palette, 1 << depth);
    if (seen_through)
        png_set_tRNS(png, info, kind == PALETTE ? alphas : NULL, kind == PALETTE ? (1 << depth) / 2 : 1, kind == PALETTE ? NULL : &transparent);
    png_set_gAMA(png, info, 1.0);         /* ignored, as Pillow does */
    for (int y = 0; y < HEIGHT; y++) {
        put_samples(rows[y], y, kind, depth);
        pointers[y] = rows[y];
    }
    png_write_info(png, info);
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* What the pixel becomes: RGBA in 8 bits. */
static void expected_pixel(int x, int y, int kind, int depth, bool seen_through, uint8_t pixel[4]) {
    unsigned values[4];
    int channels = channels_of(kind);
    for (int i = 0; i < channels; i++)
        values[i] = sample(x, y, i, depth);
    if (kind == PALETTE) {
        unsigned entry = values[0];
        pixel[0] = (uint8_t)(entry * 3);
        pixel[1] = (uint8_t)(255 - entry);
        pixel[2] = (uint8_t)(entry * 7);
        pixel[3] = seen_through && entry < (1u << depth) / 2 ? (uint8_t)(entry * 5) : 255;
        return;
    }
    bool gray = kind == GRAY || kind == GRAY_ALPHA;
    for (int i = 0; i < 3; i++) {
        unsigned value = values[gray ? 0 : i];
        bool cut = kind == GRAY && depth == 16;           /* as Pillow does */
        pixel[i] = (uint8_t)(cut ? (value > 255 ? 255 : value) : depth == 16 ? value >> 8 : value * 255 / ((1u << depth) - 1));
    }
    pixel[3] = 255;
    if (kind == GRAY_ALPHA || kind == RGBA)
        pixel[3] = (uint8_t)(depth == 16 ? values[channels - 1] >> 8 : values[channels - 1]);
    else if (seen_through)
        pixel[3] = gray ? (pixel[0] == (depth == 1 ? 255 : 1) ? 0 : 255) : (pixel[0] == 5 && pixel[1] == 6 && pixel[2] == 7 ? 0 : 255);
}

static void expect_png(Room *room, int kind, int depth, bool interlaced, bool seen_through) {
    Image image;
    char why[256] = "";
    put_png(room, kind, depth, interlaced, seen_through);
    if (!image_decode(room->jre, (const uint8_t *)room->bytes.at, room->bytes.length, &image, why))
        fail_msg("kind %d, depth %d: %s", kind, depth, why);
    bool alpha = seen_through || kind == GRAY_ALPHA || kind == RGBA;
    assert_int_equal(image.channels, alpha ? 4 : 3);
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    const uint8_t *pixel = image.pixels;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++, pixel += image.channels) {
            uint8_t expected[4];
            expected_pixel(x, y, kind, depth, seen_through, expected);
            assert_memory_equal(pixel, expected, (size_t)image.channels);
        }
    image_free(&image);
}

static void every_kind_of_png_becomes_rgb_or_rgba(void **state) {
    Room *room = *state;
    static const int kinds[] = { GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA };
    for (int i = 0; i < 5; i++)
        for (int depth = 1; depth <= 16; depth *= 2) {
            bool allowed = kinds[i] == GRAY || (kinds[i] == PALETTE ? depth <= 8 : depth >= 8);
            for (int form = 0; allowed && form < 4; form++)
                if (form < 2 || (kinds[i] & 4) == 0)
                    expect_png(room, kinds[i], depth, form & 1, form & 2);
        }
}

/* A row of `count` pixels; `clear`: the transparent color, or NULL. */
static void put_row(Room *room, int kind, int depth, const uint8_t *samples, int count, const png_color_16 *clear) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    room->bytes.length = 0;
    png_set_write_fn(png, &room->bytes, add_bytes, flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)count, 1, depth, kind, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (clear)
        png_set_tRNS(png, info, NULL, 0, clear);
    png_write_info(png, info);
    png_write_row(png, samples);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* What Pillow 13.0's convert("RGBA") gives where one could think otherwise; without a transparent color the last of four is 255. */
static void sixteen_bits_and_transparent_colors_are_pillows(void **state) {
    Room *room = *state;
    static const struct { int kind, depth, count; uint8_t samples[24]; bool clear; int color[3]; uint8_t pixels[32]; } rows[] = {
        {GRAY, 16, 5, {0, 5, 0, 255, 1, 0, 0x12, 0x34, 255, 255}, false, {0}, {5, 5, 5, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
        {GRAY, 16, 3, {0, 5, 0, 6, 1, 5}, true, {5}, {5, 5, 5, 0, 6, 6, 6, 255, 255, 255, 255, 255}},
        {GRAY, 16, 2, {0, 5, 1, 5}, true, {0x12ff}, {5, 5, 5, 255, 255, 255, 255, 0}},
        {GRAY_ALPHA, 16, 2, {0x12, 0x34, 0x80, 0xff, 0, 0xff, 1, 0}, false, {0}, {0x12, 0x12, 0x12, 0x80, 0, 0, 0, 1}},
        {RGB, 16, 2, {0x12, 0x34, 0x80, 0xff, 0, 0xff, 5, 0, 6, 0, 7, 0}, true, {5, 6, 7}, {0x12, 0x80, 0, 255, 5, 6, 7, 0}},
        {RGB, 16, 2, {0, 5, 0, 6, 0, 7, 5, 0, 6, 0, 7, 0}, true, {5 << 8, 6 << 8, 7 << 8}, {0, 0, 0, 0, 5, 6, 7, 255}},
        {RGBA, 16, 1, {0, 255, 1, 0, 0, 5, 0x7f, 0x80}, false, {0}, {0, 1, 0, 0x7f}},
        {RGB, 8, 2, {5, 6, 7, 9, 9, 9}, true, {0x105, 6, 7}, {5, 6, 7, 0, 9, 9, 9, 255}},
        {GRAY, 4, 4, {0x12, 0x3f}, true, {2}, {17, 17, 17, 255, 34, 34, 34, 255, 51, 51, 51, 255, 255, 255, 255, 255}},
        {GRAY, 4, 2, {0x01}, true, {17}, {0, 0, 0, 255, 17, 17, 17, 0}},
        {GRAY, 1, 2, {0x80}, true, {1}, {255, 255, 255, 0, 0, 0, 0, 255}}, {GRAY, 1, 2, {0x80}, true, {0}, {255, 255, 255, 255, 0, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const png_color_16 clear = { .gray = (png_uint_16)rows[i].color[0], .red = (png_uint_16)rows[i].color[0], .green = (png_uint_16)rows[i].color[1], .blue = (png_uint_16)rows[i].color[2] };
        put_row(room, rows[i].kind, rows[i].depth, rows[i].samples, rows[i].count, rows[i].clear ? &clear : NULL);
        Image image;
        char why[256] = "";
        if (!image_decode(room->jre, (const uint8_t *)room->bytes.at, room->bytes.length, &image, why))
            fail_msg("row %zu: %s", i, why);
        for (int pixel = 0; pixel < rows[i].count; pixel++)
            if (memcmp(image.pixels + pixel * image.channels, rows[i].pixels + 4 * pixel, (size_t)image.channels) != 0)
                fail_msg("row %zu: pixel %d is %d %d %d", i, pixel, image.pixels[pixel * image.channels], image.pixels[pixel * image.channels + 1], image.pixels[pixel * image.channels + 2]);
        image_free(&image);
    }
}

/* Masks count the entries of a palette, not their colors. */
static void marks_are_what_is_not_zero(void **state) {
    Room *room = *state;
    static const int kinds[] = { GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA };
    for (int i = 0; i < 5; i++)
        for (int depth = 1; depth <= 16; depth *= 2) {
            if (kinds[i] != GRAY && (kinds[i] == PALETTE ? depth > 8 : depth < 8))
                continue;
            Image image;
            char why[256];
            put_png(room, kinds[i], depth, depth & 2, false);
            assert_true(image_decode_marks(room->jre, (const uint8_t *)room->bytes.at, room->bytes.length, &image, why));
            assert_int_equal(image.channels, 1);
            int channels = channels_of(kinds[i]), colors = channels - (kinds[i] >= GRAY_ALPHA);
            for (int at = 0; at < WIDTH * HEIGHT; at++) {
                bool marked = false;
                for (int channel = 0; channel < colors; channel++)
                    marked |= sample(at % WIDTH, at / WIDTH, channel, depth) != 0;
                if (colors < channels)
                    marked &= sample(at % WIDTH, at / WIDTH, colors, depth) != 0;
                assert_int_equal(image.pixels[at], marked ? 255 : 0);
            }
            image_free(&image);
        }
}

static void what_is_written_is_read_back(void **state) {
    Room *room = *state;
    for (int channels = 1; channels <= 4; channels++) {
        Image image = { 33, 20, channels, jre_allocate(room->jre, 33 * 20 * 4) }, read;
        for (int i = 0; i < 33 * 20 * channels; i++)
            image.pixels[i] = (uint8_t)(i * 7 >> 1);
        assert_int_equal(image_write_png(room->jre, room->path, NOWHERE, &image), channels != 2);
        if (channels == 2) {
            test_message_says(room->jre, "cannot_write", room->path, NULL);
        } else {
            assert_true(image_read(room->jre, room->path, NOWHERE, &read));
            assert_int_equal(read.channels, channels == 1 ? 3 : channels);
            for (int i = 0; i < 33 * 20 * channels; i++)
                assert_int_equal(read.pixels[channels == 1 ? 3 * i : i], image.pixels[i]);
            image_free(&read);
        }
        image_free(&image);
    }
    Image image = { 1, 1, 3, jre_allocate(room->jre, 3) };
    memset(image.pixels, 128, 3);
    room->jre->fail_write_after = 1;
    assert_false(image_write_png(room->jre, room->path, NOWHERE, &image));
    test_message_says(room->jre, "cannot_write", room->path, NULL);
    image_free(&image);
}

/* ---- JPEG ---------------------------------------------------------------------------------------------------------------------------- */

static void jpegs_have_the_pixels_of_pillow(void **state) {
    Room *room = *state;
    static const struct { const char *path, *hash; } rows[] = {
        {"tests/pictures/color.jpg", "18b3dbb70b963311d6c11f1b1ff3bbd8"}, {"tests/pictures/progressive.jpg", "18b3dbb70b963311d6c11f1b1ff3bbd8"},
        {"tests/pictures/gray.jpg", "3207488fe5329b319016215d93e2cb46"}, {"tests/pictures/inks.jpg", "bbb7ffdb67117734e4abe6d6ac01c1b2"},
    };
    for (int i = 0; i < 4; i++) {
        Image image;
        int width, height;
        assert_true(image_read(room->jre, rows[i].path, NOWHERE, &image));
        assert_int_equal(image.channels, 3);
        assert_string_equal(hash_bytes(room->jre, image.pixels, (size_t)(image.width * image.height * 3)), rows[i].hash);
        assert_true(image_size(room->jre, rows[i].path, NOWHERE, false, &width, &height));
        assert_int_equal(width, image.width);
        assert_int_equal(height, image.height);
        image_free(&image);
    }
}

/* ---- what cannot be used ---------------------------------------------------------------------------------------------------------------- */

static void expect_refused(Room *room, const void *bytes, size_t length, const char *word) {
    Image image;
    int width, height;
    FILE *file = fopen(room->path, "wb");
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    assert_false(image_read(room->jre, room->path, NOWHERE, &image));
    assert_null(image.pixels);
    test_message_says(room->jre, "file_corrupt", room->path, word, "help", NULL);
    image_size(room->jre, room->path, NOWHERE, false, &width, &height);
    diag_forget(room->jre);
}

static void other_files_are_called_by_their_name(void **state) {
    Room *room = *state;
    static const struct { const char *bytes; const char *word; } rows[] = {
        {"", "empty"}, {"GIF89a...........", "a GIF"}, {"RIFF....WEBPVP8 ", "WebP"}, {"<!DOCTYPE html>", "web page"}, {"....ftypheic", "HEIC"},
        {"version https://git-lfs.github.com/spec/v1", "git lfs pull"}, {"no picture at all", "something else"}, {"\x89PN", "something else"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_refused(room, rows[i].bytes, strlen(rows[i].bytes), rows[i].word);
    Image image;
    int width, height;
    assert_false(image_read(room->jre, "/nowhere/a.png", NOWHERE, &image));
    test_message_says(room->jre, "file_missing", "/nowhere/a.png", NULL);
    assert_false(image_size(room->jre, "/nowhere/a.png", NOWHERE, false, &width, &height));
    test_message_says(room->jre, "file_missing", "/nowhere/a.png", NULL);
}

static uint32_t crc_of(const uint8_t *bytes, size_t length) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put_big_endian(uint8_t *at, uint32_t number) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void sizes_are_checked_before_memory_is_taken(void **state) {
    Room *room = *state;
    static const struct { uint32_t width, height; const char *word; } rows[] = {
        {16384, 16384, "too few"}, {16385, 1, "at most 16384 x 16384"}, {1, 70000, "at most 16384 x 16384"}, {2147483647, 2147483647, "at most"},
        {0, 5, ""}, {4294967295u, 1, ""}, {WIDTH, HEIGHT + 1, "damaged"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_png(room, RGB, 8, false, false);
        uint8_t *bytes = (uint8_t *)room->bytes.at;
        put_big_endian(bytes + 16, rows[i].width);
        put_big_endian(bytes + 20, rows[i].height);
        put_big_endian(bytes + 29, crc_of(bytes + 12, 17));
        expect_refused(room, bytes, room->bytes.length, rows[i].word);
    }
    char *bytes;
    size_t length;
    assert_true(file_read(room->jre, "tests/pictures/color.jpg", NOWHERE, &bytes, &length));
    for (size_t at = 0; at + 9 < length; at++)
        if ((uint8_t)bytes[at] == 0xff && (uint8_t)bytes[at + 1] == 0xc0) {
            memcpy(bytes + at + 5, "\x40\0\x40", 4);
            expect_refused(room, bytes, length, "16384 x 16384 pixels, and its 1427 bytes are too few");
            memcpy(bytes + at + 5, "\x7f\xff\x7f\xff", 4);
            expect_refused(room, bytes, length, "at most 16384 x 16384");
            break;
        }
    jre_release(bytes);
}

static void try_bytes(Room *room, const uint8_t *bytes, size_t length, bool must_fail) {
    Image image;
    char why[256] = "";
    bool read = image_decode(room->jre, bytes, length, &image, why);
    assert_int_equal(read, why[0] == '\0');
    assert_false(read && must_fail);
    if (read) {                           /* every pixel is there */
        uint64_t sum = 0;
        for (int i = 0; i < image.width * image.height * image.channels; i++)
            sum += image.pixels[i];
        assert_true(sum <= UINT64_C(255) * 16384 * 16384 * 4);
    }
    image_free(&image);
}

/* Cut at every 50th byte (and near the ends everywhere); single bits flipped in hundreds of places. */
static void try_damage(Room *room, const uint8_t *good, size_t length, bool cut_must_fail) {
    Random random = random_stream(1, "damage", "", 0);
    uint8_t *bad = malloc(length);
    for (size_t cut = 0; cut < length; cut += cut < 60 || cut + 60 > length ? 1 : 50) {
        memcpy(bad, good, cut);
        try_bytes(room, bad, cut, cut_must_fail);
    }
    for (int i = 0; i < 400; i++) {
        memcpy(bad, good, length);
        for (int flips = 0; flips <= i % 2; flips++)
            bad[random_below(&random, length)] ^= (uint8_t)(1 << random_below(&random, 8));
        try_bytes(room, bad, length, false);
    }
    free(bad);
}

static void damaged_pngs_give_a_reason_or_a_picture(void **state) {
    Room *room = *state;
    static const int kinds[] = { GRAY, RGB, PALETTE, RGBA };
    for (int i = 0; i < 4; i++) {
        put_png(room, kinds[i], kinds[i] == GRAY ? 2 : 8, i & 1, kinds[i] != RGBA);
        try_damage(room, (const uint8_t *)room->bytes.at, room->bytes.length, true);
    }
}

static void damaged_jpegs_give_a_reason_or_a_picture(void **state) {
    Room *room = *state;
    static const char *const paths[] = { "color", "progressive", "gray", "inks" };
    for (int i = 0; i < 4; i++) {
        char path[64], *bytes;
        size_t length;
        snprintf(path, sizeof path, "tests/pictures/%s.jpg", paths[i]);
        assert_true(file_read(room->jre, path, NOWHERE, &bytes, &length));
        try_damage(room, (const uint8_t *)bytes, length, false);
        try_bytes(room, (const uint8_t *)bytes, length * 9 / 10, true);
        jre_release(bytes);
    }
}

static void the_reason_tells_a_cut_end_from_damage(void **state) {
    Room *room = *state;
    char *bytes;
    size_t length;
    put_png(room, RGB, 8, false, false);
    expect_refused(room, room->bytes.at, room->bytes.length - 40, "cut off");
    room->bytes.at[60] ^= 1;
    expect_refused(room, room->bytes.at, room->bytes.length, "damaged near byte");
    assert_true(file_read(room->jre, "tests/pictures/color.jpg", NOWHERE, &bytes, &length));
    expect_refused(room, bytes, length - 300, "cut off");
    jre_release(bytes);
}

/* Colors, sizes, interlacing do not matter for the header. */
static void the_header_alone_tells_the_size(void **state) {
    Room *room = *state;
    int width, height;
    put_png(room, GRAY, 1, true, false);
    assert_true(file_write(room->jre, room->path, NOWHERE, room->bytes.at, 40));
    assert_true(image_size(room->jre, room->path, NOWHERE, false, &width, &height));
    assert_int_equal(width, WIDTH);
    assert_int_equal(height, HEIGHT);
    assert_true(file_write(room->jre, room->path, NOWHERE, room->bytes.at, 20));
    assert_false(image_size(room->jre, room->path, NOWHERE, false, &width, &height));
    test_message_says(room->jre, "file_corrupt", room->path, "header", NULL);
    room->jre->fail_read_after = 1;
    assert_false(image_size(room->jre, room->path, NOWHERE, false, &width, &height));
    test_message_says(room->jre, "file_unreadable", room->path, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_of_png_becomes_rgb_or_rgba, enter, leave),
        cmocka_unit_test_setup_teardown(sixteen_bits_and_transparent_colors_are_pillows, enter, leave),
        cmocka_unit_test_setup_teardown(marks_are_what_is_not_zero, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, enter, leave),
        cmocka_unit_test_setup_teardown(jpegs_have_the_pixels_of_pillow, enter, leave),
        cmocka_unit_test_setup_teardown(other_files_are_called_by_their_name, enter, leave),
        cmocka_unit_test_setup_teardown(sizes_are_checked_before_memory_is_taken, enter, leave),
        cmocka_unit_test_setup_teardown(damaged_pngs_give_a_reason_or_a_picture, enter, leave),
        cmocka_unit_test_setup_teardown(damaged_jpegs_give_a_reason_or_a_picture, enter, leave),
        cmocka_unit_test_setup_teardown(the_reason_tells_a_cut_end_from_damage, enter, leave),
        cmocka_unit_test_setup_teardown(the_header_alone_tells_the_size, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
