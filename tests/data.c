/* table.c: every corner of RFC 4180, and words for whatever is no table. */
#include "room.h"

static bool read_bytes(Room *room, const char *bytes, size_t length) {
    const char *path = arena_print(&room->jre->forever, "%s/train.csv", room->folder);
    FILE *file = fopen(path, "wb");       /* not file_write, which waits for the disk */
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    return table_read(room->jre, path, NOWHERE, &room->table);
}

static bool read_text(Room *room, const char *text) {
    return read_bytes(room, text, strlen(text));
}

static void expect_cell(Room *room, int row, int column, const char *expected) {
    assert_true(row < room->table.rows);
    assert_string_equal(room->table.cells[row * room->table.columns.count + column], expected);
}

static void expect_wrong(Room *room, const char *text, const char *place, const char *word) {
    assert_false(read_text(room, text));
    test_message_says(room->jre, "wrong_table", "train.csv", place, word, "help", NULL);
}

static void a_plain_table_has_columns_rows_and_lines(void **state) {
    Room *room = *state;
    assert_true(read_text(room, "filename,ground_truth\na.png,Medrosa\nb.png,\n"));
    assert_int_equal(room->table.columns.count, 2);
    assert_int_equal(room->table.rows, 2);
    assert_int_equal(table_column(&room->table, "ground_truth"), 1);
    assert_int_equal(table_column(&room->table, "truth"), -1);
    assert_ptr_equal(room->table.columns.at[0], intern(room->jre, "filename"));
    expect_cell(room, 0, 0, "a.png");
    expect_cell(room, 0, 1, "Medrosa");
    expect_cell(room, 1, 1, "");
    assert_int_equal(room->table.lines[1], 3);
    assert_int_equal(diag_count(room->jre, SEVERITY_NOTE), 0);
}

static void every_way_to_end_a_line_is_known(void **state) {
    Room *room = *state;
    static const char *const texts[] = { "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "\357\273\277a,b\r\n1,2\n3,4\n\n\r\n\n" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(read_text(room, texts[i]));
        assert_int_equal(room->table.rows, 2);
        assert_int_equal(table_column(&room->table, "a"), 0);
        expect_cell(room, 1, 1, "4");
        assert_int_equal(room->table.lines[1], 3);
    }
    assert_true(read_text(room, "a,b"));
    assert_int_equal(room->table.rows, 0);
}

static void quotes_hold_commas_lines_and_quotes(void **state) {
    Room *room = *state;
    assert_true(read_text(room, "\"a\",\"b,c\"\r\n\"x \"\"y\"\" z\",\"1\n2\r\n3\"\n\"\",plain \"word\"\n\"\"\"\",last"));
    assert_int_equal(table_column(&room->table, "b,c"), 1);
    assert_int_equal(room->table.rows, 3);
    expect_cell(room, 0, 0, "x \"y\" z");
    expect_cell(room, 0, 1, "1\n2\r\n3");
    expect_cell(room, 1, 0, "");
    expect_cell(room, 1, 1, "plain \"word\"");
    expect_cell(room, 2, 0, "\"");
    assert_int_equal(room->table.lines[0], 2);
    assert_int_equal(room->table.lines[1], 5);
    assert_int_equal(room->table.lines[2], 6);
}

static void a_blank_line_is_a_cell_of_a_single_column(void **state) {
    Room *room = *state;
    assert_true(read_text(room, "name\nx\n\ny\n\n\n"));
    assert_int_equal(room->table.rows, 3);
    expect_cell(room, 1, 0, "");
    expect_cell(room, 2, 0, "y");
    expect_wrong(room, "a,b\n1,2\n\n3,4\n", ":3:", "found 1");
}

static void columns_without_a_name_may_repeat(void **state) {
    Room *room = *state;
    assert_true(read_text(room, ",a,\n1,2,3\n"));
    assert_int_equal(room->table.columns.count, 3);
    expect_cell(room, 0, 2, "3");
}

static void identities_stay_the_texts_they_are(void **state) {
    Room *room = *state;
    static const char *const names[] = { "NA", "nan", "007", " Ousado ", "Zo\xc3\xab", "null", "1e3", "\xf0\x9f\x90\x86" };
    Text text = { .jre = room->jre };
    text_add(&text, "name\n");
    for (int i = 0; i < 8; i++)
        text_add(&text, "%s\n", names[i]);
    assert_true(read_text(room, text.at));
    for (int i = 0; i < 8; i++)
        expect_cell(room, i, 0, names[i]);
    text_free(&text);
}

static void what_is_no_table_is_said_with_its_line(void **state) {
    Room *room = *state;
    expect_wrong(room, "", ":1:", "empty");
    expect_wrong(room, "\n\r\n", ":1:", "empty");
    expect_wrong(room, "\xef\xbb\xbf", ":1:", "empty");
    expect_wrong(room, "a,b\n1,2\n3\n", ":3:", "expected 2 cells, I found 1");
    expect_wrong(room, "a,b\n1,2,\n3,4\n", ":2:", "expected 2 cells, I found 3");
    expect_wrong(room, "a,b,a\n1,2,3\n", ":1:", "`a`");
    expect_wrong(room, "a,b\n1,\"2\n3,4\n", ":2:", "quote");
    expect_wrong(room, "a,b\n1,2\n\"3\"x,4\n", ":3:", "x,4");
    expect_wrong(room, "\"a", ":1:", "quote");
    expect_wrong(room, "\xff\xfe" "a", ":1:", "UTF-16");
    assert_false(read_bytes(room, "a,b\n1,\0002\n", 10));
    test_message_says(room->jre, "wrong_table", "train.csv:2:", "zero", "byte 6", NULL);
    assert_false(read_bytes(room, "a,b\r1,\0002\r", 9));
    test_message_says(room->jre, "wrong_table", "train.csv:2:", "zero", NULL);
    expect_wrong(room, "a,b\r\n1,2\nZo\xeb,4\n", ":3:", "another code than UTF-8");
    expect_wrong(room, "a,b\n1,\xed\xa0\x80\n", ":2:", "UTF-8");
    expect_wrong(room, "a,b\n1,\xc3", ":2:", "behind `1,`");
    expect_wrong(room, "a\nééééééééééééa\xeb\n", ":2:", "behind `éééééééééa`");      /* no half of a letter */
    assert_false(table_read(room->jre, "/nowhere/at/all.csv", NOWHERE, &room->table));
    test_message_says(room->jre, "file_missing", "/nowhere/at/all.csv", NULL);
}

static void any_bytes_give_a_table_or_a_message(void **state) {
    Room *room = *state;
    Random random = random_stream(1, "table", "", 0);
    static const char letters[] = "a,b\"\"\n\r,\n1";
    for (int i = 0; i < 3000; i++) {
        char text[64];
        size_t length = random_below(&random, sizeof text);
        for (size_t k = 0; k < length; k++)
            text[k] = letters[random_below(&random, sizeof letters)];
        bool read = read_bytes(room, text, length);
        assert_int_equal(read, diag_count(room->jre, SEVERITY_ERROR) == 0);
        for (int cell = 0; read && cell < room->table.rows * room->table.columns.count; cell++)
            assert_true(strlen(room->table.cells[cell]) < sizeof text);
        diag_forget(room->jre);
    }
}

static double seconds_to_read(Room *room, const char *line, size_t bytes) {
    Text text = { .jre = room->jre };
    text_add(&text, "name,other,third\n");
    while (text.length < bytes)
        text_add_bytes(&text, line, strlen(line));
    const char *path = arena_print(&room->jre->forever, "%s/large.csv", room->folder);
    assert_true(file_write(room->jre, path, NOWHERE, text.at, text.length));
    text_free(&text);
    double started = seconds_now();
    assert_true(table_read(room->jre, path, NOWHERE, &room->table));
    assert_true(room->table.rows > 1000);
    return seconds_now() - started;
}

/* A generous bound: a reader of quadratic time would need hours. */
static void large_tables_take_linear_time(void **state) {
    Room *room = *state;
    assert_true(seconds_to_read(room, "train_0412.png,\"Medrosa, the \"\"old\"\" one\",0.25\n", 4 << 20) < 2);
    assert_true(seconds_to_read(room, "\"\n\n\n\n\n\n\n\n\n\n\n\",,\n", 4 << 20) < 2);
    Text blank = { .jre = room->jre };
    text_add(&blank, "one\n");
    for (int i = 0; i < 1 << 20; i++)
        text_add_bytes(&blank, "\n", 1);
    text_add(&blank, "x");
    double started = seconds_now();
    assert_true(read_bytes(room, blank.at, blank.length));
    assert_int_equal(room->table.rows, (1 << 20) + 1);
    assert_true(seconds_now() - started < 2);
    text_free(&blank);
}

static void the_shared_tables_are_read(void **state) {
    Room *room = *state;
    char path[1024];
    if (!test_data("data/nyala/metadata.csv", path))
        skip();
    assert_true(table_read(room->jre, path, NOWHERE, &room->table));
    assert_int_equal(room->table.rows, 1942);
    assert_int_equal(table_column(&room->table, "identity"), 1);
    assert_non_null(test_data("data/nyala/masks.csv", path));
    assert_true(table_read(room->jre, path, NOWHERE, &room->table));
    assert_int_equal(room->table.rows, 60);
    const char *mask = room->table.cells[table_column(&room->table, "mask")];
    assert_memory_equal(mask, "{\"size\":[288,344]", 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_plain_table_has_columns_rows_and_lines, enter, leave),
        cmocka_unit_test_setup_teardown(every_way_to_end_a_line_is_known, enter, leave),
        cmocka_unit_test_setup_teardown(quotes_hold_commas_lines_and_quotes, enter, leave),
        cmocka_unit_test_setup_teardown(a_blank_line_is_a_cell_of_a_single_column, enter, leave),
        cmocka_unit_test_setup_teardown(columns_without_a_name_may_repeat, enter, leave),
        cmocka_unit_test_setup_teardown(identities_stay_the_texts_they_are, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_no_table_is_said_with_its_line, enter, leave),
        cmocka_unit_test_setup_teardown(any_bytes_give_a_table_or_a_message, enter, leave),
        cmocka_unit_test_setup_teardown(large_tables_take_linear_time, enter, leave),
        cmocka_unit_test_setup_teardown(the_shared_tables_are_read, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
