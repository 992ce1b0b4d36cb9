/* exif.c, warp.c: which way up a camera was held: eight ways, two byte orders, JPEG and PNG; nonsense and every cut. Pillow 13.0's exif_transpose
 * agrees with all that is expected here. */
#include "test.h"

#include "../runtime/runtime.h"

typedef struct { uint8_t at[512]; size_t length; } Bytes;

static void put(Bytes *bytes, const void *more, size_t length) {
    assert_true(bytes->length + length <= sizeof bytes->at);
    memcpy(bytes->at + bytes->length, more, length);
    bytes->length += length;
}

static void put_number(Bytes *bytes, bool little, uint32_t number, int count) {
    for (int i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)(number >> 8 * (little ? i : count - 1 - i));
        put(bytes, &byte, 1);
    }
}

typedef struct { bool little; int before, type; uint32_t count, value; } Note;

/* A TIFF with `before` other entries, then the orientation. */
static Bytes tiff_of(const Note *note) {
    Bytes tiff = {.length = 0};
    put(&tiff, note->little ? "II*\0" : "MM\0*", 4);
    put_number(&tiff, note->little, 8, 4);
    put_number(&tiff, note->little, (uint32_t)note->before + 1, 2);
    for (int i = 0; i <= note->before; i++) {
        bool last = i == note->before;
        put_number(&tiff, note->little, last ? 0x112 : 0x100 + (uint32_t)i, 2);
        put_number(&tiff, note->little, last ? (uint32_t)note->type : 4, 2);
        put_number(&tiff, note->little, last ? note->count : 1, 4);
        put_number(&tiff, note->little, last ? note->value : 6, last && note->type == 3 ? 2 : 4);
        if (last && note->type == 3) put_number(&tiff, note->little, 0, 2);
    }
    put_number(&tiff, note->little, 0, 4);
    return tiff;
}

static Bytes jpeg_of(const Bytes *tiff) {
    Bytes jpeg = {.length = 0};
    put(&jpeg, "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", 20);
    put(&jpeg, "\xff\xff\xe1", 3);
    put_number(&jpeg, false, (uint32_t)tiff->length + 8, 2);
    put(&jpeg, "Exif\0\0", 6);
    put(&jpeg, tiff->at, tiff->length);
    put(&jpeg, "\xff\xda\0\2", 4);
    return jpeg;
}

static Bytes png_of(const Bytes *tiff) {
    Bytes png = {.length = 0};
    put(&png, "\x89PNG\r\n\x1a\n\0\0\0\1tEXt.....", 21);
    put_number(&png, false, (uint32_t)tiff->length, 4);
    put(&png, "eXIf", 4);
    put(&png, tiff->at, tiff->length);
    put_number(&png, false, 0, 4);
    return png;
}

static void both_formats_and_byte_orders_are_read(void **state) {
    (void)state;
    for (int value = 1; value <= 8; value++)
        for (int form = 0; form < 4; form++) {
            const Note note = {form & 1, value % 3, form & 2 ? 3 : 4, 1, (uint32_t)value};
            Bytes tiff = tiff_of(&note), jpeg = jpeg_of(&tiff), png = png_of(&tiff);
            assert_int_equal(exif_orientation(jpeg.at, jpeg.length), value);
            assert_int_equal(exif_orientation(png.at, png.length), value);
        }
}

static void nonsense_leaves_a_picture_as_it_is(void **state) {
    (void)state;
    static const Note notes[] = {{true, 0, 3, 1, 0}, {true, 0, 3, 1, 9}, {false, 0, 4, 1, 0x60000}, {false, 0, 1, 1, 6}, {true, 0, 3, 2, 6}, {true, 0, 3, 0, 6}};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        Bytes tiff = tiff_of(&notes[i]), jpeg = jpeg_of(&tiff), png = png_of(&tiff);
        assert_int_equal(exif_orientation(jpeg.at, jpeg.length), 1);
        assert_int_equal(exif_orientation(png.at, png.length), 1);
    }
    const Note good = {true, 2, 3, 1, 6};
    Bytes tiff = tiff_of(&good);
    memcpy(tiff.at + 4, "\xff\xff\xff\xff", 4);                     /* the directory lies outside */
    Bytes jpeg = jpeg_of(&tiff);
    assert_int_equal(exif_orientation(jpeg.at, jpeg.length), 1);
    assert_int_equal(exif_orientation((const uint8_t *)"GIF89a", 6), 1);
    assert_int_equal(exif_orientation(NULL, 0), 1);
}

/* Every cut, and every byte set to the ends of its range: no byte beyond the end is looked at (the sanitizers watch), a number from 1 to 8 comes. */
static void damage_is_harmless(void **state) {
    (void)state;
    const Note note = {false, 3, 3, 1, 6};
    Bytes tiff = tiff_of(&note), files[2] = {jpeg_of(&tiff), png_of(&tiff)};
    for (int file = 0; file < 2; file++)
        for (size_t at = 0; at < files[file].length; at++) {
            uint8_t *copy = malloc(files[file].length);
            memcpy(copy, files[file].at, files[file].length);
            for (int change = 0; change < 4; change++) {
                static const uint8_t ends[] = {0, 255, 128, 1};
                copy[at] = ends[change];
                int orientation = exif_orientation(copy, files[file].length);
                assert_true(orientation >= 1 && orientation <= 8);
            }
            free(copy);
            copy = malloc(at + 1);
            memcpy(copy, files[file].at, at);
            exif_orientation(copy, at);
            free(copy);
        }
}

/* The part APP1 behind the first two bytes of a JPEG file. */
static void put_note(Jre *jre, const char *from, const char *to, uint32_t orientation) {
    const Note note = {true, 0, 3, 1, orientation};
    Bytes tiff = tiff_of(&note), whole = jpeg_of(&tiff);
    char *bytes;
    size_t length;
    assert_true(file_read(jre, from, NOWHERE, &bytes, &length));
    Text text = {.jre = jre};
    text_add_bytes(&text, (const char *)whole.at, whole.length - 4);
    text_add_bytes(&text, bytes + 2, length - 2);
    assert_true(file_write(jre, to, NOWHERE, text.at, text.length));
    text_free(&text);
    jre_release(bytes);
}

static void pictures_are_turned_before_anything_sees_them(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Arena arena = {.jre = jre};
    char folder[64];
    test_folder(folder);
    const char *path = arena_print(&arena, "%s/turned.jpg", folder);
    Image stored, expected;
    assert_true(image_read(jre, "tests/pictures/color.jpg", NOWHERE, &stored));
    for (int orientation = 1; orientation <= 8; orientation++) {
        put_note(jre, "tests/pictures/color.jpg", path, (uint32_t)orientation);
        image_turn(jre, &stored, orientation, &expected);
        View view = {.width = expected.width, .height = expected.height};
        uint8_t *seen = arena_new_bytes(&arena, (size_t)(3 * stored.width * stored.height));
        for (int apply = 0; apply < 2; apply++) {
            PictureLook look = {.path = path, .exif_apply = apply};
            PictureTask task = {.look = &look, .want_phash = true, .view = apply ? &view : NULL, .out = seen};
            assert_true(picture_process(&task));
            assert_true(task.phash == image_phash(jre, apply ? &expected : &stored));
            int width, height;
            assert_true(image_size(jre, path, NOWHERE, apply, &width, &height));
            assert_int_equal(width, apply ? expected.width : stored.width);
            assert_int_equal(height, apply ? expected.height : stored.height);
        }
        assert_memory_equal(seen, expected.pixels, (size_t)(3 * stored.width * stored.height));
        image_free(&expected);
    }
    image_free(&stored);
    test_folder_gone(folder);
    arena_free(&arena);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats_and_byte_orders_are_read),
        cmocka_unit_test(nonsense_leaves_a_picture_as_it_is),
        cmocka_unit_test(damage_is_harmless),
        cmocka_unit_test(pictures_are_turned_before_anything_sees_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
