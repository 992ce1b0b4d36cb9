/* Tables that are kept: one row changes, every other byte stays. */
#include "test.h"

#include "../runtime/runtime.h"

#include <sys/wait.h>
#include <unistd.h>

typedef struct { Jre *jre; char folder[64], path[128]; } Desk;

static void desk_open(Desk *desk) {
    desk->jre = jre_new();
    test_folder(desk->folder);
    snprintf(desk->path, sizeof desk->path, "%s/results/table.csv", desk->folder);
}

static void desk_close(Desk *desk) {
    test_folder_gone(desk->folder);
    jre_free(desk->jre);
}

static void write_table(Desk *desk, const char *text) {
    assert_true(file_write(desk->jre, desk->path, NOWHERE, text, strlen(text)));
}

static void assert_table(Desk *desk, const char *wanted) {
    char *bytes;
    size_t length;
    assert_true(file_read(desk->jre, desk->path, NOWHERE, &bytes, &length));
    assert_string_equal(bytes, wanted);
    jre_release(bytes);
}

static const char *const columns[] = { "version", "backbone", "map" };

static bool put(Desk *desk, const char *version, const char *backbone, const char *map) {
    const char *cells[] = { version, backbone, map };
    return table_put_row(desk->jre, desk->path, NOWHERE, &(TableRow){ .columns = columns, .cells = cells, .count = 3, .key_columns = 2 });
}

static void assert_cell(const char *cell, const char *wanted) {
    Jre *jre = jre_new();
    Text text = { .jre = jre };
    csv_cell(&text, cell);
    assert_string_equal(text.at ? text.at : "", wanted);
    text_free(&text);
    jre_free(jre);
}

static void cells_are_quoted_where_they_must_be(void **state) {
    (void)state;
    assert_cell("plain", "plain");
    assert_cell("", "");
    assert_cell(NULL, "");
    assert_cell("two words; 3.5", "two words; 3.5");
    assert_cell("a,b", "\"a,b\"");
    assert_cell("say \"so\"", "\"say \"\"so\"\"\"");
    assert_cell("two\nlines", "\"two\nlines\"");
    assert_cell("\r", "\"\r\"");
    assert_cell("Jaguar Köln", "Jaguar Köln");
}

static void a_new_table_gets_its_header(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    assert_true(put(&desk, "v01", "resnet18", "0.5"));
    assert_table(&desk, "version,backbone,map\nv01,resnet18,0.5\n");
    assert_true(put(&desk, "v02", "a, \"b\"", "0.6"));
    assert_table(&desk, "version,backbone,map\nv01,resnet18,0.5\nv02,\"a, \"\"b\"\"\",0.6\n");
    desk_close(&desk);
}

static void the_row_of_the_same_key_is_replaced(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    write_table(&desk, "version,backbone,map\nv01 ,x,1\n\"v01\",\"a, b\",0.1\nv02,  y,\"0.2\"\n\nv01,other,3,more\n");
    assert_true(put(&desk, "v01", "a, b", "0.9"));
    assert_table(&desk, "version,backbone,map\nv01 ,x,1\nv01,\"a, b\",0.9\nv02,  y,\"0.2\"\n\nv01,other,3,more\n");
    assert_true(put(&desk, "v01", "other", "4"));
    assert_table(&desk, "version,backbone,map\nv01 ,x,1\nv01,\"a, b\",0.9\nv02,  y,\"0.2\"\n\nv01,other,4\n");
    desk_close(&desk);
}

static void other_rows_keep_every_byte(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    write_table(&desk, "\xEF\xBB\xBF\"version\",backbone,map\r\nv01,\"two\r\nlines\",1\r\nv02,y,2");
    assert_true(put(&desk, "v03", "z", "3"));
    assert_table(&desk, "\xEF\xBB\xBF\"version\",backbone,map\r\nv01,\"two\r\nlines\",1\r\nv02,y,2\r\nv03,z,3\r\n");
    assert_true(put(&desk, "v01", "two\r\nlines", "7"));
    assert_table(&desk, "\xEF\xBB\xBF\"version\",backbone,map\r\nv01,\"two\r\nlines\",7\r\nv02,y,2\r\nv03,z,3\r\n");
    desk_close(&desk);
}

static void without_keys_every_row_is_new(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    const char *cells[] = { "v01", "x", "1" };
    for (int i = 0; i < 2; i++)
        assert_true(table_put_row(desk.jre, desk.path, NOWHERE, &(TableRow){ .columns = columns, .cells = cells, .count = 3 }));
    assert_table(&desk, "version,backbone,map\nv01,x,1\nv01,x,1\n");
    desk_close(&desk);
}

static void another_header_is_refused(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    static const char *const others[] = { "version,map\nv01,1\n", "version,backbone,map,notes\n", "version,backbone,Map\n", "\n", "\xEF\xBB\xBF" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        write_table(&desk, others[i]);
        assert_false(put(&desk, "v01", "x", "1"));
        test_message_says(desk.jre, "wrong_table", "table.csv", "version,backbone,map", NULL);
        assert_table(&desk, others[i]);
    }
    desk_close(&desk);
}

static void an_open_quote_is_found_with_its_line(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    const char *broken = "version,backbone,map\nv01,x,1\nv02,\"y,2\nv03,z,3\n";
    write_table(&desk, broken);
    assert_false(put(&desk, "v09", "x", "1"));
    test_message_says(desk.jre, "wrong_table", "table.csv", "line 3", NULL);
    assert_table(&desk, broken);
    desk_close(&desk);
}

static void what_cannot_be_read_or_written_is_said(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    assert_true(put(&desk, "v01", "x", "1"));
    desk.jre->fail_write_after = 1;
    assert_false(put(&desk, "v02", "x", "1"));
    test_message_says(desk.jre, "cannot_write", "table.csv", NULL);
    desk.jre->fail_read_after = 1;
    assert_false(put(&desk, "v02", "x", "1"));
    test_message_says(desk.jre, "file_unreadable", "table.csv", NULL);
    assert_table(&desk, "version,backbone,map\nv01,x,1\n");
    desk_close(&desk);
}

static void a_table_that_grows_takes_new_columns(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    static const char *const more[] = { "version", "rank1" }, *const first[] = { "v01", "0.5" }, *const second[] = { "v02", "0.6" };
    TableRow row = { .columns = more, .cells = first, .count = 2, .key_columns = 1, .grows = true };
    write_table(&desk, "mine,version,map\r\nkeep,v01,1\r\n\r\nx,\"v\r\n03\",2,more\r\ny");
    assert_true(table_put_row(desk.jre, desk.path, NOWHERE, &row));
    assert_table(&desk, "mine,version,map,rank1\r\nkeep,v01,1,0.5\r\n\r\nx,\"v\r\n03\",2,more\r\ny,,,\r\n");
    row.cells = second;
    assert_true(table_put_row(desk.jre, desk.path, NOWHERE, &row));
    assert_table(&desk, "mine,version,map,rank1\r\nkeep,v01,1,0.5\r\n\r\nx,\"v\r\n03\",2,more\r\ny,,,\r\n,v02,,0.6\r\n");
    /* Without the columns that name a row it is another table. */
    write_table(&desk, "name,map\nv01,1\n");
    assert_false(table_put_row(desk.jre, desk.path, NOWHERE, &row));
    test_message_says(desk.jre, "wrong_table", "name,map", "version,rank1", NULL);
    desk_close(&desk);
}

/* Two processes at once, each with rows of its own. */
static void two_runs_at_once_lose_no_row(void **state) {
    (void)state;
    enum { ROWS = 40 };
    Desk desk;
    desk_open(&desk);
    pid_t child = fork();
    assert_true(child >= 0);
    bool sound = true;
    for (int i = 0; i < ROWS; i++) {
        char version[32];
        snprintf(version, sizeof version, "%s%02d", child ? "parent" : "child", i);
        sound = put(&desk, version, "x", "1") && sound;
    }
    if (!child)
        _exit(sound ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(sound && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    Table table;
    assert_true(table_read(desk.jre, desk.path, NOWHERE, &table));
    assert_int_equal(table.rows, 2 * ROWS);
    desk_close(&desk);
}

/* Any bytes: the table is refused or grows by the row, nothing else happens. */
static void any_file_is_survived(void **state) {
    (void)state;
    Desk desk;
    desk_open(&desk);
    static const char pieces[] = ",\"\n\rv1\xEF\xBB";
    Random random = random_stream(1, "test", "tables", 0);
    for (int round = 0; round < 150; round++) {
        char text[96] = "version,backbone,map\n";
        size_t length = strlen(text) * (random_below(&random, 4) != 0), more = (size_t)random_below(&random, 40);
        for (size_t i = 0; i < more; i++)
            text[length++] = pieces[random_below(&random, sizeof pieces - 1)];
        text[length] = '\0';
        write_table(&desk, text);
        if (put(&desk, "v1", "x", "1")) {
            assert_true(put(&desk, "v1", "x", "2"));
            char *bytes;
            size_t got;
            assert_true(file_read(desk.jre, desk.path, NOWHERE, &bytes, &got));
            assert_non_null(strstr(bytes, "v1,x,2"));
            assert_null(strstr(bytes, "v1,x,1"));
            jre_release(bytes);
        } else {
            assert_table(&desk, text);
            diag_forget(desk.jre);
        }
    }
    desk_close(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_quoted_where_they_must_be),
        cmocka_unit_test(a_new_table_gets_its_header),
        cmocka_unit_test(the_row_of_the_same_key_is_replaced),
        cmocka_unit_test(other_rows_keep_every_byte),
        cmocka_unit_test(without_keys_every_row_is_new),
        cmocka_unit_test(another_header_is_refused),
        cmocka_unit_test(an_open_quote_is_found_with_its_line),
        cmocka_unit_test(what_cannot_be_read_or_written_is_said),
        cmocka_unit_test(a_table_that_grows_takes_new_columns),
        cmocka_unit_test(two_runs_at_once_lose_no_row),
        cmocka_unit_test(any_file_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
