/* view.c: a picture through a view, against Pillow's and torchvision's results in ../shared/oracle and ../shared/weights. */
#include "test.h"

#include "../runtime/runtime.h"

static const uint8_t black[3] = {0, 0, 0}, gray[3] = {128, 128, 128};

typedef struct { Jre *jre; Arena arena; View view; } Case;

static void case_open(Case *c) {
    *c = (Case){.jre = jre_new()};
    c->arena.jre = c->jre;
}

static void case_close(Case *c) {
    assert_int_equal(diag_count(c->jre, SEVERITY_NOTE), 0);
    arena_free(&c->arena);
    jre_free(c->jre);
}

/* Leaves the test: the shared data is not there. */
static void case_skip(Case *c) {
    arena_free(&c->arena);
    jre_free(c->jre);
    skip();
}

static void add_step(Case *c, ViewStepKind kind, int width, int height, const uint8_t fill[3], const char *filter) {
    ViewStep step = {.kind = kind, .width = width, .height = height, .filter = filter};
    memcpy(step.fill, fill, 3);
    list_add(&c->arena, &c->view.steps, step);
    c->view.width = width;
    c->view.height = height;
}

static void add_imagenet(Case *c) {
    ViewStep step = {.kind = VIEW_NORMALIZE, .stats = {.mean = {0.485, 0.456, 0.406}, .spread = {0.229, 0.224, 0.225}}};
    list_add(&c->arena, &c->view.steps, step);
}

static float *apply_masked(Case *c, const Image *picture, const Image *mask) {
    float *out = arena_array(&c->arena, float, 3 * c->view.width * c->view.height);
    char why[256];
    Image seen;
    if (!view_pixels(c->jre, &c->view, picture, mask, &seen, why)) fail_msg("%s", why);
    assert_int_equal(seen.width, c->view.width);
    assert_int_equal(seen.height, c->view.height);
    view_numbers(&c->view, seen.pixels, out);
    image_free(&seen);
    return out;
}

static float *apply(Case *c, const Image *picture) { return apply_masked(c, picture, NULL); }

static void read_picture(Case *c, const char *name, Image *picture) {
    char path[1024];
    if (!test_data(name, path)) case_skip(c);
    assert_true(image_read(c->jre, path, NOWHERE, picture));
}

static void read_array(Case *c, const char *name, Array *array) {
    char path[1024];
    if (!test_data(name, path)) case_skip(c);
    assert_true(npy_read(c->jre, path, NOWHERE, array));
}

/* `values` of a view without normalization against 8-bit pixels [height, width, 3]. */
static void assert_pixels(const Case *c, const float *values, const float *pixels) {
    size_t plane = (size_t)c->view.width * (size_t)c->view.height;
    for (size_t i = 0; i < plane; i++)
        for (size_t channel = 0; channel < 3; channel++)
            if (values[channel * plane + i] != pixels[3 * i + channel] / 255.0f)
                fail_msg("pixel %zu of channel %zu is %g, Pillow has %g", i, channel, (double)values[channel * plane + i] * 255, (double)pixels[3 * i + channel]);
}

static void check_against(Case *c, const char *picture_name, const char *array_name, int64_t frame) {
    Image picture = {0};
    Array expected = {0};
    read_picture(c, picture_name, &picture);
    read_array(c, array_name, &expected);
    assert_pixels(c, apply(c, &picture), expected.values + frame * 3 * c->view.width * c->view.height);
    image_free(&picture);
    jre_release(expected.values);
}

static void fit_is_pillows_pad(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    add_step(&c, VIEW_FIT, 72, 72, black, "bicubic");
    check_against(&c, "oracle/image/src.png", "oracle/image/pad_letterbox_72.npy", 0);
    case_close(&c);
}

static void stretch_is_pillows_resize_with_every_filter(void **state) {
    (void)state;
    static const char *const filters[] = {"nearest", "box", "bilinear", "bicubic", "lanczos"};
    static const int sizes[3][2] = {{20, 33}, {32, 24}, {96, 72}};
    for (size_t i = 0; i < 3 * sizeof filters / sizeof *filters; i++) {
        Case c;
        char name[128];
        int width = sizes[i % 3][0], height = sizes[i % 3][1];
        case_open(&c);
        add_step(&c, VIEW_STRETCH, width, height, black, filters[i / 3]);
        snprintf(name, sizeof name, "oracle/image/pil_resize_%s_%dx%d.npy", filters[i / 3], height, width);
        check_against(&c, "oracle/image/src.png", name, 0);
        case_close(&c);
    }
}

static void the_filter_is_bicubic_unless_named(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    add_step(&c, VIEW_STRETCH, 96, 72, black, NULL);
    check_against(&c, "oracle/image/src.png", "oracle/image/pil_resize_bicubic_72x96.npy", 0);
    case_close(&c);
}

static void photographs_become_what_the_networks_were_shown(void **state) {
    (void)state;
    static const char *const photographs[] = {"data/nyala/images/0000.jpg", "data/nyala/images/0700.jpg"};
    for (int i = 0; i < 2; i++) {
        Case c;
        case_open(&c);
        add_step(&c, VIEW_STRETCH, 224, 224, black, "bicubic");
        check_against(&c, photographs[i], "weights/expected/input_u8_3x224x224x3.npy", i);
        case_close(&c);
    }
}

static void transparency_lies_on_the_fill(void **state) {
    (void)state;
    static const uint8_t mean[3] = {124, 116, 104};
    Case c;
    case_open(&c);
    add_step(&c, VIEW_STRETCH, 64, 48, black, "bicubic");
    check_against(&c, "oracle/image/src_rgba.png", "oracle/image/pil_composite_black.npy", 0);
    c.view.steps.count = 0;
    add_step(&c, VIEW_FIT, 64, 48, mean, "bicubic");
    check_against(&c, "oracle/image/src_rgba.png", "oracle/image/pil_composite_imagenet_mean.npy", 0);
    case_close(&c);
}

static void transparency_is_filled_before_resizing(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    Image cutout = {0}, over_gray = {0};
    read_picture(&c, "oracle/image/src_rgba.png", &cutout);
    image_composite(c.jre, &cutout, gray, &over_gray);
    add_step(&c, VIEW_FIT, 31, 31, gray, "bicubic");
    const float *from_cutout = apply(&c, &cutout), *from_rgb = apply(&c, &over_gray);
    assert_memory_equal(from_cutout, from_rgb, 3 * 31 * 31 * sizeof(float));
    image_free(&cutout);
    image_free(&over_gray);
    case_close(&c);
}

static void normalize_is_torchvisions_to_the_last_bit(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    add_step(&c, VIEW_STRETCH, 64, 48, black, "bicubic");
    add_imagenet(&c);
    Image picture = {0};
    Array expected = {0};
    read_picture(&c, "oracle/image/src.png", &picture);
    read_array(&c, "oracle/image/normalize_imagenet.npy", &expected);
    const float *values = apply(&c, &picture);
    for (int i = 0; i < 3 * 64 * 48; i++) assert_true(values[i] == expected.values[i]);
    image_free(&picture);
    jre_release(expected.values);
    case_close(&c);
}

/* ---- windows, turns, gray --------------------------------------------------------------------------------------------------- */

static ViewStep *last_step(Case *c) { return &c->view.steps.at[c->view.steps.count - 1]; }

static void windows_are_torchvisions(void **state) {
    (void)state;
    static const struct { int side; const char *expected; } windows[] = {{40, "oracle/image/center_crop_40x40.npy"}, {80, "oracle/image/center_crop_pad_80x80.npy"}};
    for (int i = 0; i < 2; i++) {
        Case c;
        case_open(&c);
        add_step(&c, VIEW_CENTER, windows[i].side, windows[i].side, black, NULL);
        check_against(&c, "oracle/image/src.png", windows[i].expected, 0);
        case_close(&c);
    }
}

static void turns_are_pillows(void **state) {
    (void)state;
    static const double degree = 3.14159265358979323846 / 180;
    static const struct { ViewStepKind kind; double angle; const char *expected; } turns[] = {
        {VIEW_ROTATE, 15, "oracle/image/pil_rotate_15_bilinear.npy"}, {VIEW_ROTATE, -30, "oracle/image/pil_rotate_-30_bilinear.npy"},
        {VIEW_AFFINE, -10, "oracle/image/pil_affine_bilinear.npy"}, {VIEW_FLIP, 0, "oracle/image/hflip.npy"},
    };
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        Case c;
        case_open(&c);
        add_step(&c, turns[i].kind, 64, 48, black, NULL);
        last_step(&c)->angle = turns[i].angle * degree;
        last_step(&c)->right = 3 / 64.0;
        last_step(&c)->down = -2 / 48.0;
        last_step(&c)->scale = 1.1;
        last_step(&c)->shear = 5 * degree;
        check_against(&c, "oracle/image/src.png", turns[i].expected, 0);
        case_close(&c);
    }
}

static void turns_by_the_nearest_pixel_are_pillows(void **state) {
    (void)state;
    static const struct { double angle; const char *expected; } turns[] = {{15, "oracle/image/pil_rotate_15_nearest.npy"}, {-30, "oracle/image/pil_rotate_-30_nearest.npy"}};
    for (int i = 0; i < 2; i++) {
        Case c;
        case_open(&c);
        Image picture = {0}, turned;
        Array expected = {0};
        double matrix[6];
        read_picture(&c, "oracle/image/src.png", &picture);
        read_array(&c, turns[i].expected, &expected);
        warp_rotation(turns[i].angle * 3.14159265358979323846 / 180, 64, 48, matrix);
        image_warp(c.jre, &picture, matrix, false, (const uint8_t[4]){0, 0, 0, 255}, &turned);
        for (int v = 0; v < 64 * 48 * 3; v++) assert_int_equal(turned.pixels[v], (int)expected.values[v]);
        image_free(&picture);
        image_free(&turned);
        jre_release(expected.values);
        case_close(&c);
    }
}

/* Orientations as EXIF numbers them, of a picture 0 1 2 / 3 4 5. */
static void pictures_are_laid_in_eight_ways(void **state) {
    (void)state;
    static const struct { int width; uint8_t pixels[6]; } laid[] = {
        {3, {0, 1, 2, 3, 4, 5}}, {3, {2, 1, 0, 5, 4, 3}}, {3, {5, 4, 3, 2, 1, 0}}, {3, {3, 4, 5, 0, 1, 2}},
        {2, {0, 3, 1, 4, 2, 5}}, {2, {3, 0, 4, 1, 5, 2}}, {2, {5, 2, 4, 1, 3, 0}}, {2, {2, 5, 1, 4, 0, 3}},
    };
    Case c;
    case_open(&c);
    uint8_t pixels[6] = {0, 1, 2, 3, 4, 5};
    const Image picture = {3, 2, 1, pixels};
    for (int i = 0; i < 8; i++) {
        Image turned;
        image_turn(c.jre, &picture, i + 1, &turned);
        assert_int_equal(turned.width, laid[i].width);
        assert_memory_equal(turned.pixels, laid[i].pixels, 6);
        image_free(&turned);
    }
    case_close(&c);
}

static void gray_is_pillows(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    Image picture = {0};
    Array expected = {0};
    add_step(&c, VIEW_GRAY, 64, 48, black, NULL);
    read_picture(&c, "oracle/image/src.png", &picture);
    read_array(&c, "oracle/image/pil_grayscale.npy", &expected);
    const float *values = apply(&c, &picture);
    for (int i = 0; i < 3 * 64 * 48; i++) assert_true(values[i] == expected.values[i % (64 * 48)] / 255.0f);
    image_free(&picture);
    jre_release(expected.values);
    case_close(&c);
}

static void the_view_of_most_networks_is_torchvisions(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    Image picture = {0};
    Array expected = {0};
    add_step(&c, VIEW_RESIZE, 40, 40, black, "bicubic");
    add_step(&c, VIEW_CENTER, 32, 32, black, NULL);
    add_imagenet(&c);
    read_picture(&c, "oracle/image/src.png", &picture);
    read_array(&c, "oracle/image/eval_pipeline.npy", &expected);
    const float *values = apply(&c, &picture);
    for (int i = 0; i < 3 * 32 * 32; i++) assert_true(values[i] == expected.values[i]);
    image_free(&picture);
    jre_release(expected.values);
    case_close(&c);
}

static Image plain(Case *c, int width, int height, int channels, uint8_t value) {
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    Image image = {width, height, channels, arena_new_bytes(&c->arena, bytes)};
    memset(image.pixels, value, bytes);
    return image;
}

static void fit_centers_and_rounds(void **state) {
    (void)state;
    /* width, height -> what a square of 10 holds: first and last column and row of the picture. */
    static const struct { int width, height, left, right, top, bottom; } cases[] = {
        {20, 10, 0, 9, 2, 6}, {10, 20, 2, 6, 0, 9}, {20, 9, 0, 9, 2, 6}, {10, 10, 0, 9, 0, 9}, {1000, 1, 0, 9, 4, 4}, {1, 1000, 4, 4, 0, 9}, {1, 1, 0, 9, 0, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Case c;
        case_open(&c);
        add_step(&c, VIEW_FIT, 10, 10, black, "bicubic");
        Image white_picture = plain(&c, cases[i].width, cases[i].height, 3, 255);
        const float *values = apply(&c, &white_picture);
        for (int y = 0; y < 10; y++)
            for (int x = 0; x < 10; x++) {
                bool inside = x >= cases[i].left && x <= cases[i].right && y >= cases[i].top && y <= cases[i].bottom;
                if (values[10 * y + x] != (inside ? 1.0f : 0.0f)) fail_msg("case %zu: %d, %d is %g", i, x, y, (double)values[10 * y + x]);
            }
        case_close(&c);
    }
}

static void gray_pictures_have_three_equal_channels(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    add_step(&c, VIEW_FIT, 8, 8, black, "bicubic");
    Image picture = plain(&c, 8, 8, 1, 51);
    const float *values = apply(&c, &picture);
    for (int i = 0; i < 3 * 64; i++) assert_true(values[i] == 51 / 255.0f);
    case_close(&c);
}

static void a_view_without_steps_still_has_its_size(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    c.view.width = 5;
    c.view.height = 3;
    Image picture = plain(&c, 9, 9, 4, 0);
    const float *values = apply(&c, &picture);
    for (int i = 0; i < 3 * 15; i++) assert_true(values[i] == 1.0f);
    case_close(&c);
}

/* Rows and columns by their own number, so that a window shows where it was cut. */
static Image numbered(Case *c, int width, int height) {
    Image image = plain(c, width, height, 3, 0);
    for (int i = 0; i < width * height; i++) {
        image.pixels[3 * i] = (uint8_t)(1 + i % width);
        image.pixels[3 * i + 1] = (uint8_t)(1 + i / width);
    }
    return image;
}

static void windows_lie_where_they_are_asked_for(void **state) {
    (void)state;
    /* The number of the first column and row of a window of 4; 255: fill. */
    static const struct { ViewStepKind kind; const char *corner; int width, height, left, top; } cases[] = {
        {VIEW_CENTER, NULL, 5, 7, 1, 3}, {VIEW_CENTER, NULL, 7, 9, 3, 3}, {VIEW_CENTER, NULL, 3, 8, 1, 3}, {VIEW_CENTER, NULL, 2, 2, 255, 255},
        {VIEW_CORNER, "top_left", 9, 9, 1, 1}, {VIEW_CORNER, "top_right", 9, 9, 6, 1}, {VIEW_CORNER, "bottom_left", 9, 8, 1, 5},
        {VIEW_CORNER, "bottom_right", 6, 5, 3, 2}, {VIEW_CORNER, "bottom_right", 3, 3, 255, 255}, {VIEW_CORNER, "top_left", 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Case c;
        case_open(&c);
        const uint8_t white[3] = {255, 255, 255};
        add_step(&c, cases[i].kind, 4, 4, white, NULL);
        last_step(&c)->corner = cases[i].corner;
        Image picture = numbered(&c, cases[i].width, cases[i].height);
        const float *values = apply(&c, &picture);
        if (values[0] != (float)cases[i].left / 255 || values[16] != (float)cases[i].top / 255)
            fail_msg("case %zu begins at %g, %g", i, (double)values[0] * 255, (double)values[16] * 255);
        case_close(&c);
    }
}

static void a_side_that_nothing_can_hold_is_told(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    add_step(&c, VIEW_RESIZE, 224, 224, black, "bicubic");
    Image strip = plain(&c, 1, 1000, 3, 9), seen;
    char why[256] = "";
    assert_false(view_pixels(c.jre, &c.view, &strip, NULL, &seen, why));
    assert_non_null(strstr(why, "the longer one would be 224000"));
    case_close(&c);
}

/* ---- masks -------------------------------------------------------------------------------------------------------------------- */

static void what_lies_outside_the_mask_is_filled_before_resizing(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    Image picture = plain(&c, 8, 8, 3, 200), mask = plain(&c, 8, 8, 1, 0), covered = plain(&c, 8, 8, 3, 200);
    for (int i = 0; i < 64; i++)
        if (i % 8 < 4) mask.pixels[i] = 255;
        else memset(covered.pixels + 3 * i, 128, 3);
    add_step(&c, VIEW_FIT, 5, 5, black, "bicubic");
    const float *expected = apply(&c, &covered);
    c.view.steps.count = 0;
    add_step(&c, VIEW_COVER, 0, 0, gray, NULL);
    add_step(&c, VIEW_FIT, 5, 5, black, "bicubic");
    assert_memory_equal(apply_masked(&c, &picture, &mask), expected, sizeof(float) * 3 * 25);
    case_close(&c);
}

static void a_mask_goes_through_the_steps_before_its_cover(void **state) {
    (void)state;
    Case c;
    case_open(&c);
    Image picture = plain(&c, 4, 8, 3, 200), mask = plain(&c, 4, 8, 1, 0);
    memset(mask.pixels, 255, 16);
    add_step(&c, VIEW_FIT, 4, 4, gray, "bicubic");
    add_step(&c, VIEW_FLIP, 4, 4, black, NULL);
    add_step(&c, VIEW_COVER, 4, 4, black, NULL);
    const float *values = apply_masked(&c, &picture, &mask);
    for (int i = 0; i < 16; i++) assert_true(values[i] == (i < 8 && (i % 4 == 1 || i % 4 == 2) ? 200 / 255.0f : 0));
    case_close(&c);
}

static void transparency_that_is_the_mask_is_filled_once(void **state) {
    (void)state;
    Case c;
    char why[256];
    case_open(&c);
    Image cutout = {0}, mask;
    read_picture(&c, "oracle/image/src_rgba.png", &cutout);
    assert_true(mask_from_alpha(c.jre, &cutout, &mask, why));
    add_step(&c, VIEW_FIT, 31, 31, gray, "bicubic");
    const float *filled = apply(&c, &cutout);
    c.view.steps.count = 0;
    add_step(&c, VIEW_COVER, 0, 0, gray, NULL);
    add_step(&c, VIEW_FIT, 31, 31, gray, "bicubic");
    assert_memory_equal(apply_masked(&c, &cutout, &mask), filled, sizeof(float) * 3 * 31 * 31);
    image_free(&cutout);
    image_free(&mask);
    case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_is_pillows_pad),
        cmocka_unit_test(stretch_is_pillows_resize_with_every_filter),
        cmocka_unit_test(the_filter_is_bicubic_unless_named),
        cmocka_unit_test(photographs_become_what_the_networks_were_shown),
        cmocka_unit_test(transparency_lies_on_the_fill),
        cmocka_unit_test(transparency_is_filled_before_resizing),
        cmocka_unit_test(normalize_is_torchvisions_to_the_last_bit),
        cmocka_unit_test(windows_are_torchvisions),
        cmocka_unit_test(turns_are_pillows),
        cmocka_unit_test(turns_by_the_nearest_pixel_are_pillows),
        cmocka_unit_test(pictures_are_laid_in_eight_ways),
        cmocka_unit_test(gray_is_pillows),
        cmocka_unit_test(the_view_of_most_networks_is_torchvisions),
        cmocka_unit_test(windows_lie_where_they_are_asked_for),
        cmocka_unit_test(a_side_that_nothing_can_hold_is_told),
        cmocka_unit_test(what_lies_outside_the_mask_is_filled_before_resizing),
        cmocka_unit_test(a_mask_goes_through_the_steps_before_its_cover),
        cmocka_unit_test(transparency_that_is_the_mask_is_filled_once),
        cmocka_unit_test(fit_centers_and_rounds),
        cmocka_unit_test(gray_pictures_have_three_equal_channels),
        cmocka_unit_test(a_view_without_steps_still_has_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
