/* mask.c: where the animal is: cells of tables, PNGs, transparency; and everything that is no mask. */
#include "test.h"

#include "../runtime/runtime.h"

static int enter(void **state) {
    *state = jre_new();
    return 0;
}

static int leave(void **state) {
    assert_int_equal(diag_count(*state, SEVERITY_NOTE), 0);
    jre_free(*state);
    return 0;
}

/* Row by row, `#` is animal. */
static void expect_mask(Jre *jre, const char *text, int width, int height, const char *pixels) {
    Image mask;
    char why[256];
    if (!mask_from_text(jre, text, width, height, &mask, why)) fail_msg("%s: %s", text, why);
    assert_int_equal(mask.width, width);
    assert_int_equal(mask.height, height);
    for (int i = 0; i < width * height; i++)
        if (mask.pixels[i] != (pixels[i] == '#' ? 255 : 0)) fail_msg("%s: pixel %d is %d", text, i, mask.pixels[i]);
    image_free(&mask);
}

static void a_cell_holds_runs_or_rows(void **state) {
    static const struct { const char *text; int width, height; const char *pixels; } cases[] = {
        {"{\"size\": [2, 3], \"counts\": [1, 2, 3]}", 3, 2, ".#.#.."},
        {"{\"size\":[2,3],\"counts\":\"123\"}", 3, 2, ".#.#.."},
        {" {'counts': [0, 1, 5], 'size': (2, 3), 'area': 1.5, 'bbox': [0, {'a': \"}\"}], 'iscrowd': True, 'note': None} ", 3, 2, "#....."},
        {"{'size': [2, 3], 'counts': b'123'}", 3, 2, ".#.#.."},
        {"{\"counts\": b\"06\", \"size\": [2, 3]}", 3, 2, "######"},
        {"{\"size\": [2, 3], \"counts\": [0, 0, 0, 2, 4]}", 3, 2, "#..#.."},
        /* From the fourth run on, what it has more than the second before: 1 1 2, 1 - 1, 2 + 3. */
        {"{\"size\": [1, 9], \"counts\": \"112O3\"}", 9, 1, ".#......."}, {"[[0,1,0],[true,False,1]]", 3, 2, ".#.#.#"}, {"[ [ 7 ] ]", 1, 1, "#"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_mask(*state, cases[i].text, cases[i].width, cases[i].height, cases[i].pixels);
}

static void what_is_no_mask_is_told(void **state) {
    static const struct { const char *text, *why; } cases[] = {
        {"", "I expected {\"size\": [height, width], \"counts\": ..} or a list of rows, and the mask ends there"}, {"masks/1.png", "at character 1, I found `masks/1.png`"},
        {"{\"size\": [3, 2], \"counts\": [6]}", "its size is [3, 2], height first; the picture's is [2, 3]"},
        {"{\"size\": [2, 3], \"counts\": [1, 2, 2]}", "its 3 runs cover 5 pixels, and 3 x 2 are 6"}, {"{\"size\": [2, 3], \"counts\": [1, 2, 4]}", "run 3 is one too many"},
        {"{\"size\": [2, 3], \"counts\": [1, -2, 7]}", "its run 2 is -2 pixels long"}, {"{\"size\": [2, 3], \"counts\": [1, 99999999999999999999999]}", "one too many"},
        {"{\"size\": [2, 3], \"counts\": [6]}", "it is empty"}, {"{\"size\": [2, 3], \"counts\": []}", "its 0 runs cover 0 pixels"}, {"[[0,0,0],[0,0,0]]", "it is empty"},
        {"{\"size\": [2, 3], \"counts\": \"\"}", "its 0 runs"}, {"{\"size\": [2, 3], \"counts\": \"1`\"}", "run 2 is cut off"}, {"{\"size\": [2, 3], \"counts\": \"1 \"}", "character 2 of its compressed runs"},
        {"{\"size\": [2, 3], \"counts\": \"1 3\"}", "character 2 of its compressed runs, ` `"}, {"{\"size\": [2, 3], \"counts\": \"ooooooooooooooooo0\"}", "cannot stand there"},
        {"{\"size\": [2, 3], \"counts\": \"1O\"}", "run 2 is -1 pixels long"}, {"{\"size\": [2, 3], \"counts\": \"1\\n\"}", "cannot stand there"},
        {"{\"size\": [2, 3], \"counts\": \"123}", "the quote that closes a text"}, {"{\"size\": [2, 3]}", "no entry `counts`"}, {"{\"counts\": [6]}", "no entry `size`"}, {"{}", "no entry `size`"},
        {"{\"size\": [2, 3], \"size\": [2, 3], \"counts\": [6]}", "two entries `size`"}, {"{\"size\": [2, 3], \"counts\": [1, 5]} 7", "the end of the mask at character 36"},
        {"{\"size\": [2.0, 3], \"counts\": [6]}", "a whole number to end at character 12, I found `.0, 3]"}, {"{\"size\": 6, \"counts\": [6]}", "[height, width]"},
        {"{\"size\": [2], \"counts\": [6]}", "a comma and the width"}, {"{\"size\": [2, 3, 1], \"counts\": [6]}", "the end of the size"}, {"{size: [2, 3]}", "a text in quotes"},
        {"{\"size\" [2, 3]}", "a colon"}, {"{\"size\": [2, 3] \"counts\": [6]}", "a comma or the closing brace"}, {"{\"size\": [2, 3], \"counts\": [1 5]}", "a comma or the end of the list"},
        {"{\"size\": [2, 3], \"counts\": __import__('os').system('x')}", "a text in quotes"}, {"{\"a\": ((((((", "a value"}, {"{\"a\": ]", "a value"},
        {"[[0,1,0]]", "it has 1 rows; the picture is 2 pixels high"}, {"[[0,1,0],[0,1,0],[1,1,1]]", "it has 3 rows"}, {"[[0,1],[0,1]]", "its row 1 has 2 numbers; the picture is 3 pixels wide"},
        {"[[0,1,0],[0,1,0,1]]", "its row 2 has 4"}, {"[0,1,0]", "a row as [0, 1, ..]"}, {"[[0,1,x]]", "a whole number"}, {"[[0,1,0", "a comma or the end of the row"}, {"[]", "it has 0 rows"}, {"[[0,1,0]", "end of the rows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Image mask;
        char why[256] = "";
        if (mask_from_text(*state, cases[i].text, 3, 2, &mask, why)) fail_msg("%s is taken for a mask", cases[i].text);
        assert_null(mask.pixels);
        if (!strstr(why, cases[i].why)) fail_msg("%s: %s", cases[i].text, why);
    }
}

/* Each byte of a good cell changed or cut: a reason or a mask. */
static void damaged_cells_give_a_reason_or_a_mask(void **state) {
    static const char *const cells[] = {"{'size': [2, 3], 'counts': b'123'}", "{\"counts\": [1, 2, 3], \"size\": [2, 3], \"more\": [{}, \"x\"]}", "[[0,1,0],[true,False,1]]"};
    static const char signs[] = "\\\"'[]{}(),:-9b \x80";
    for (int i = 0; i < 3; i++)
        for (size_t at = 0; at < strlen(cells[i]); at++)
            for (size_t sign = 0; sign < sizeof signs; sign++) {
                char text[80], why[256] = "";
                Image mask;
                strcpy(text, cells[i]);
                text[at] = signs[sign];
                bool sound = mask_from_text(*state, text, 3, 2, &mask, why);
                assert_int_equal(sound, why[0] == '\0');
                image_free(&mask);
            }
}

/* ---- PNGs ------------------------------------------------------------------------------------------------------------------------ */

static void a_png_is_animal_where_it_is_not_black(void **state) {
    Jre *jre = *state;
    char folder[64], path[128], why[256];
    test_folder(folder);
    snprintf(path, sizeof path, "%s/mask.png", folder);
    uint8_t gray[6] = {0, 1, 255, 0, 0, 7}, colors[18] = {0, 0, 0, 0, 0, 1, 9, 0, 0}, clear[24] = {0, 0, 0, 255, 1, 1, 1, 255, 1, 1, 1, 0, 0, 0, 0, 0, 0, 2, 0, 1};
    static const uint8_t expected[3][6] = {{0, 255, 255, 0, 0, 255}, {0, 255, 255, 0, 0, 0}, {0, 255, 0, 0, 255, 0}};
    const Image images[] = {{3, 2, 1, gray}, {3, 2, 3, colors}, {3, 2, 4, clear}};
    for (int i = 0; i < 3; i++) {
        char *bytes;
        size_t length;
        Image mask;
        assert_true(image_write_png(jre, path, NOWHERE, &images[i]));
        assert_true(file_read(jre, path, NOWHERE, &bytes, &length));
        assert_true(mask_from_png(jre, (const uint8_t *)bytes, length, 3, 2, &mask, why));
        assert_int_equal(mask.channels, 1);
        assert_memory_equal(mask.pixels, expected[i], 6);
        image_free(&mask);
        assert_false(mask_from_png(jre, (const uint8_t *)bytes, length, 2, 3, &mask, why));
        assert_string_equal(why, "it is 3 x 2 pixels, the picture is 2 x 3");
        jre_release(bytes);
    }
    static const struct { const char *bytes, *why; } others[] = {{"\xff\xd8\xff\xe0", "save the mask as a PNG"}, {"GIF89a", "I found a GIF"}, {"", "an empty file"}};
    for (int i = 0; i < 3; i++) {
        Image mask;
        assert_false(mask_from_png(jre, (const uint8_t *)others[i].bytes, strlen(others[i].bytes), 3, 2, &mask, why));
        assert_non_null(strstr(why, others[i].why));
    }
    test_folder_gone(folder);
}

static void transparency_is_a_mask_where_there_is_some(void **state) {
    Jre *jre = *state;
    uint8_t pixels[12] = {9, 9, 9, 0, 9, 9, 9, 128, 9, 9, 9, 255};
    Image picture = {3, 1, 4, pixels}, mask;
    char why[256];
    assert_true(mask_from_alpha(jre, &picture, &mask, why));
    assert_memory_equal(mask.pixels, ((uint8_t[]){0, 128, 255}), 3);
    image_free(&mask);
    memset(pixels, 0, sizeof pixels);
    assert_false(mask_from_alpha(jre, &picture, &mask, why));
    assert_non_null(strstr(why, "transparent everywhere"));
    picture.channels = 3;
    assert_false(mask_from_alpha(jre, &picture, &mask, why));
    assert_non_null(strstr(why, "no transparency"));
}

/* ---- the sixty masks of the nyalas: made by other programs -------------------------------------------------------------------------- */

typedef struct { int area, left, top, right, bottom; } Extent;

static Extent extent_of(const Image *mask) {
    Extent extent = {0, mask->width, mask->height, -1, -1};
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            if (!mask->pixels[y * mask->width + x]) continue;
            extent.area++;
            if (x < extent.left) extent.left = x;
            if (x > extent.right) extent.right = x;
            if (y < extent.top) extent.top = y;
            if (y > extent.bottom) extent.bottom = y;
        }
    return extent;
}

static void both_ways_to_write_a_mask_agree_with_its_area_box_and_cutout(void **state) {
    Jre *jre = *state;
    char path[1024], cutout[1024], why[256];
    if (!test_data("data/nyala/masks.csv", path)) skip();
    Table table;
    assert_true(table_read(jre, path, NOWHERE, &table));
    assert_int_equal(table.rows, 60);
    for (int row = 0; row < table.rows; row++) {
        const char **cells = table.cells + (size_t)row * (size_t)table.columns.count;
        int height = atoi(cells[table_column(&table, "height")]), width = atoi(cells[table_column(&table, "width")]);
        Image plain, compressed, alpha, picture;
        assert_true(mask_from_text(jre, cells[table_column(&table, "mask")], width, height, &plain, why));
        assert_true(mask_from_text(jre, cells[table_column(&table, "mask_compressed")], width, height, &compressed, why));
        assert_memory_equal(plain.pixels, compressed.pixels, (size_t)width * (size_t)height);
        char box[128];
        Extent extent = extent_of(&plain);
        assert_int_equal(extent.area, atoi(cells[table_column(&table, "area")]));
        snprintf(box, sizeof box, "[%d.0, %d.0, %d.0, %d.0]", extent.left, extent.top, extent.right - extent.left + 1, extent.bottom - extent.top + 1);
        assert_string_equal(box, cells[table_column(&table, "bbox_xywh")]);
        char name[256];
        snprintf(name, sizeof name, "data/nyala/%s", cells[table_column(&table, "cutout")]);
        assert_non_null(test_data(name, cutout));
        assert_true(image_read(jre, cutout, NOWHERE, &picture));
        assert_true(mask_from_alpha(jre, &picture, &alpha, why));
        int others = 0;                   /* cutouts have a soft edge, 16 steps wide */
        for (int i = 0; i < width * height; i++) others += plain.pixels[i] != (alpha.pixels[i] > 128 ? 255 : 0);
        assert_true(others <= width * height / 1000);
        image_free(&plain);
        image_free(&compressed);
        image_free(&alpha);
        image_free(&picture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cell_holds_runs_or_rows, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_no_mask_is_told, enter, leave),
        cmocka_unit_test_setup_teardown(damaged_cells_give_a_reason_or_a_mask, enter, leave),
        cmocka_unit_test_setup_teardown(a_png_is_animal_where_it_is_not_black, enter, leave),
        cmocka_unit_test_setup_teardown(transparency_is_a_mask_where_there_is_some, enter, leave),
        cmocka_unit_test_setup_teardown(both_ways_to_write_a_mask_agree_with_its_area_box_and_cutout, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
