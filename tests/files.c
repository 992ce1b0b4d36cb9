/* files.c, store.c, progress.c: nothing is lost, everything that goes wrong is said. */
#include "room.h"

#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char *in(Room *room, const char *name) {
    return arena_print(&room->jre->forever, "%s/%s", room->folder, name);
}

static void expect_content(Room *room, const char *name, const char *expected) {
    char *bytes;
    size_t length;
    assert_true(file_read(room->jre, in(room, name), NOWHERE, &bytes, &length));
    assert_int_equal(length, strlen(expected));
    assert_string_equal(bytes, expected);
    jre_release(bytes);
}

static int files_in(Room *room, const char *pattern) {
    Arena arena = { .jre = room->jre };
    FileMatches matches;
    assert_true(files_matching(room->jre, &arena, room->folder, pattern, NOWHERE, &matches));
    int count = matches.files.count;
    arena_free(&arena);
    return count;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static void what_is_written_is_read_back(void **state) {
    Room *room = *state;
    assert_true(file_write(room->jre, in(room, "a/b/c.txt"), NOWHERE, "first", 5));
    expect_content(room, "a/b/c.txt", "first");
    assert_true(file_write(room->jre, in(room, "a/b/c.txt"), NOWHERE, "", 0));
    expect_content(room, "a/b/c.txt", "");
    size_t length = 3000000;
    char *many = malloc(length), *bytes;
    for (size_t i = 0; i < length; i++)
        many[i] = (char)(i * 7 >> 3);
    assert_true(file_write(room->jre, in(room, "many"), NOWHERE, many, length));
    assert_true(file_read(room->jre, in(room, "many"), NOWHERE, &bytes, &length));
    assert_int_equal(length, 3000000);
    assert_memory_equal(many, bytes, length);
    jre_release(bytes);
    free(many);
    assert_int_equal(files_in(room, ".jre-*"), 0);
}

/* Between the name beside it and the rename a process may die. */
static void what_a_dying_process_left_is_taken_away(void **state) {
    Room *room = *state;
    char hash[33];
    content_hash_of("half.txt", strlen("half.txt"), hash);
    const char *left = in(room, arena_print(&room->jre->forever, ".jre-%s.part", hash));
    FILE *file = fopen(left, "w");
    fputs("complete, and never renamed", file);
    fclose(file);
    assert_true(file_write(room->jre, in(room, "half.txt"), NOWHERE, "whole", 5));
    expect_content(room, "half.txt", "whole");
    assert_int_equal(files_in(room, ".jre-*"), 0);
}

static void a_failed_write_leaves_the_old_file(void **state) {
    Room *room = *state;
    const char *path = in(room, "kept.txt");
    assert_true(file_write(room->jre, path, NOWHERE, "old", 3));
    room->jre->fail_write_after = 2;
    assert_true(file_write(room->jre, in(room, "other.txt"), NOWHERE, "x", 1));
    assert_false(file_write(room->jre, path, NOWHERE, "newer", 5));
    test_message_says(room->jre, "cannot_write", path, "help", NULL);
    expect_content(room, "kept.txt", "old");
    assert_int_equal(files_in(room, ".jre-*"), 0);
    assert_true(file_write(room->jre, path, NOWHERE, "newer", 5));        /* only the n-th fails */
    expect_content(room, "kept.txt", "newer");
}

/* The system ends the child in the middle of a write, as a kill would. */
static void a_writer_that_is_killed_leaves_nothing_behind(void **state) {
    Room *room = *state;
    enum { LENGTH = 1 << 16 };
    int probe = open(room->folder, O_WRONLY | O_TMPFILE, 0600);
    if (probe < 0)
        skip();
    close(probe);
    char *many = calloc(LENGTH, 1);
    assert_true(file_write(room->jre, in(room, "a"), NOWHERE, "old", 3));
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = { 0, 0 }, small = { 4096, 4096 };
        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_FSIZE, &small);
        file_write(room->jre, in(room, "a"), NOWHERE, many, LENGTH);
        _exit(0);
    }
    int status, files = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    DIR *listing = opendir(room->folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));)
        files += entry->d_type == DT_REG;
    closedir(listing);
    assert_int_equal(files, 1);
    assert_true(file_exists(in(room, "a")));
    free(many);
}

static void folders_and_files_in_the_way_are_named(void **state) {
    Room *room = *state;
    assert_true(folder_make(room->jre, in(room, "x/y/"), NOWHERE));
    assert_true(folder_make(room->jre, in(room, "x/y/z"), NOWHERE));
    assert_false(file_write(room->jre, in(room, "x/y"), NOWHERE, "1", 1));
    test_message_says(room->jre, "cannot_write", "x/y", "folder", NULL);
    assert_true(file_write(room->jre, in(room, "file"), NOWHERE, "1", 1));
    assert_false(file_write(room->jre, in(room, "file/below/it"), NOWHERE, "1", 1));
    test_message_says(room->jre, "cannot_write", "/file", NULL);
    assert_false(folder_make(room->jre, in(room, "file"), NOWHERE));
    test_message_says(room->jre, "cannot_write", "/file", NULL);
}

static void links_permissions_and_devices_stay_what_they_are(void **state) {
    Room *room = *state;
    const char *path = in(room, "target"), *way = in(room, "link");
    assert_true(file_write(room->jre, path, NOWHERE, "1", 1));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink("target", way), 0);
    assert_true(file_write(room->jre, way, NOWHERE, "22", 2));
    struct stat facts;
    assert_int_equal(lstat(way, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    expect_content(room, "target", "22");
    assert_true(file_write(room->jre, "/dev/null", NOWHERE, "22", 2));
    assert_int_equal(stat("/dev/null", &facts), 0);
    assert_true(S_ISCHR(facts.st_mode));
}

/* ---- reading -------------------------------------------------------------------------------------------------------------- */

static void what_cannot_be_read_is_explained(void **state) {
    Room *room = *state;
    char *bytes, why[256];
    size_t length;
    assert_false(file_read(room->jre, in(room, "nothing.csv"), NOWHERE, &bytes, &length));
    test_message_says(room->jre, "file_missing", "nothing.csv", room->folder, "help", NULL);
    assert_false(file_read(room->jre, in(room, "no/folder/x"), NOWHERE, &bytes, &length));
    test_message_says(room->jre, "file_missing", "not there either", NULL);
    assert_false(file_read(room->jre, room->folder, NOWHERE, &bytes, &length));
    test_message_says(room->jre, "file_unreadable", room->folder, "help", NULL);
    assert_false(file_load(room->jre, in(room, "nothing.csv"), &bytes, &length, why));
    assert_non_null(strstr(why, "cannot be read"));
    assert_null(hash_file(room->jre, in(room, "nothing.csv"), NOWHERE));
    test_message_says(room->jre, "file_missing", NULL);
    assert_false(file_exists(room->folder));
    assert_int_equal(diag_count(room->jre, SEVERITY_NOTE), 0);
}

static void the_nth_read_fails_on_demand(void **state) {
    Room *room = *state;
    char *bytes, why[256];
    size_t length;
    assert_true(file_write(room->jre, in(room, "a"), NOWHERE, "1", 1));
    room->jre->fail_read_after = 2;
    expect_content(room, "a", "1");
    assert_false(file_read(room->jre, in(room, "a"), NOWHERE, &bytes, &length));
    test_message_says(room->jre, "file_unreadable", "/a", "help", NULL);
    expect_content(room, "a", "1");
    room->jre->fail_read_after = 1;
    assert_false(file_load(room->jre, in(room, "a"), &bytes, &length, why));
    room->jre->fail_read_after = 1;
    assert_null(hash_file(room->jre, in(room, "a"), NOWHERE));
    test_message_says(room->jre, "file_unreadable", NULL);
}

static void a_pipe_is_read_to_its_end(void **state) {
    Room *room = *state;
    enum { LENGTH = 200000 };
    const char *path = in(room, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    char *many = malloc(LENGTH), *bytes;
    memset(many, 'p', LENGTH);
    pid_t child = fork();
    if (child == 0) {
        int writer = open(path, O_WRONLY);
        for (ssize_t at = 0, put; at < LENGTH && (put = write(writer, many + at, (size_t)(LENGTH - at))) > 0;)
            at += put;
        _exit(0);
    }
    size_t length;
    assert_true(file_read(room->jre, path, NOWHERE, &bytes, &length));
    assert_int_equal(length, LENGTH);
    assert_memory_equal(bytes, many, length);
    assert_int_equal(waitpid(child, NULL, 0), child);
    jre_release(bytes);
    free(many);
}

static void hashes_are_xxh3_of_the_content(void **state) {
    Room *room = *state;
    /* xxh128sum of nothing and of "abc" */
    assert_string_equal(hash_bytes(room->jre, "", 0), "99aa06d3014798d86001c324468d497f");
    assert_string_equal(hash_bytes(room->jre, "abc", 3), "06b05ab6733a618578af5f94892f3950");
    char *many = malloc(700001);
    for (int i = 0; i < 700001; i++)
        many[i] = (char)(i * 31 >> 2);
    assert_true(file_write(room->jre, in(room, "m"), NOWHERE, many, 700001));
    assert_string_equal(hash_file(room->jre, in(room, "m"), NOWHERE), hash_bytes(room->jre, many, 700001));
    assert_true(file_write(room->jre, in(room, "e"), NOWHERE, many, 0));
    assert_string_equal(hash_file(room->jre, in(room, "e"), NOWHERE), hash_bytes(room->jre, "", 0));
    free(many);
}

/* ---- patterns --------------------------------------------------------------------------------------------------------------- */

static void a_star_finds_files_in_the_order_of_bytes(void **state) {
    Room *room = *state;
    static const char *const made[] = { "p/b.png", "p/a.png", "p/Z.png", "p/a10.png", "p/.hidden.png", "p/a.jpg", "p/x.png/inside" };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        assert_true(file_write(room->jre, in(room, made[i]), NOWHERE, "", 0));
    Arena arena = { .jre = room->jre };
    FileMatches matches;
    assert_true(files_matching(room->jre, &arena, room->folder, "p/*.png", NOWHERE, &matches));
    static const char *const expected[] = { "p/Z.png", "p/a.png", "p/a10.png", "p/b.png" };
    assert_int_equal(matches.files.count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(matches.files.at[i].path, in(room, expected[i]));
    assert_true(files_matching(room->jre, &arena, in(room, "p"), "a*.png", NOWHERE, &matches));
    assert_int_equal(matches.files.count, 2);
    assert_true(files_matching(room->jre, &arena, "/elsewhere", in(room, "p/*g"), NOWHERE, &matches));
    assert_int_equal(matches.files.count, 5);
    assert_true(files_matching(room->jre, &arena, room->folder, "p/a.png*a.png", NOWHERE, &matches));
    assert_int_equal(matches.files.count, 0);     /* before and behind the star do not overlap */
    assert_true(files_matching(room->jre, &arena, room->folder, "p/a.png", NOWHERE, &matches));
    assert_int_equal(matches.files.count, 1);
    assert_true(files_matching(room->jre, &arena, room->folder, "p/none.png", NOWHERE, &matches));
    assert_int_equal(matches.files.count, 0);
    assert_false(files_matching(room->jre, &arena, room->folder, "absent/*.png", NOWHERE, &matches));
    test_message_says(room->jre, "file_missing", "absent", NULL);
    arena_free(&arena);
}

static void put_files(Room *room, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_true(file_write(room->jre, in(room, names[i]), NOWHERE, "", 0));
}

/* What a pattern finds: "path name name; ..", without the folder of the test. */
static void expect_matches(Room *room, const char *pattern, const char *wanted) {
    Arena arena = { .jre = room->jre };
    FileMatches matches;
    Text found = { .jre = room->jre };
    assert_true(files_matching(room->jre, &arena, room->folder, pattern, NOWHERE, &matches));
    for (int i = 0; i < matches.files.count; i++) {
        text_add(&found, "%s%s", i ? "; " : "", matches.files.at[i].path + strlen(room->folder) + 1);
        for (int k = 0; k < matches.names.count; k++)
            text_add(&found, " %s", matches.files.at[i].said[k]);
    }
    assert_string_equal(found.at ? found.at : "", wanted);
    text_free(&found);
    arena_free(&arena);
}

static void paths_say_names(Room *room) {
    expect_matches(room, "photos/{individual}/*.jpg", "photos/NA/1.jpg NA; photos/b c/2.jpg b c; photos/b c/3.jpg b c; photos/é/1.jpg é");
    expect_matches(room, "{kind}/{individual}/{number}.jpg", "photos/NA/1.jpg photos NA 1; photos/b c/2.jpg photos b c 2; photos/b c/3.jpg photos b c 3; photos/é/1.jpg photos é 1");
    expect_matches(room, "*/b*/*.*", "photos/b c/2.jpg; photos/b c/3.jpg; photos/b c/x.txt");
    expect_matches(room, "flat/{individual}_{day}.png", "flat/ann_7.png ann 7; flat/bob_12.png bob 12");
    expect_matches(room, "flat/{individual}*.txt", "");
    expect_matches(room, "flat/.{name}", "flat/.hidden hidden");
    expect_matches(room, "flat/b{rest}b_*.png", "flat/bob_12.png o");
    expect_matches(room, "photos/*/{a}{b}.jpg", "");
}

static void names_in_braces_are_read_from_paths(void **state) {
    static const char *const names[] = { "photos/NA/1.jpg", "photos/b c/3.jpg", "photos/b c/2.jpg", "photos/b c/x.txt", "photos/b c/deep/4.jpg", "photos/é/1.jpg", "photos/stray.jpg",
                                         "photos/.hidden/1.jpg", "flat/ann_7.png", "flat/bob_12.png", "flat/.hidden" };
    put_files(*state, names, sizeof names / sizeof names[0]);
    paths_say_names(*state);
}

static void a_path_with_two_readings_is_refused(void **state) {
    Room *room = *state;
    Arena arena = { .jre = room->jre };
    FileMatches matches;
    static const char *const names[] = { "flat/ann_7.png", "flat/big_bob_12.png" };
    put_files(room, names, 2);
    assert_false(files_matching(room->jre, &arena, room->folder, "flat/{individual}_{day}.png", NOWHERE, &matches));
    test_message_says(room->jre, "wrong_table", "in more than one way in 1 path", "big_bob_12.png", NULL);
    expect_matches(room, "flat/*_*_{day}.png", "flat/big_bob_12.png 12");
    arena_free(&arena);
}

static void patterns_that_say_nothing_are_refused_in_words(void **state) {
    Room *room = *state;
    Arena arena = { .jre = room->jre };
    FileMatches matches;
    static const struct { const char *pattern, *says; } refused[] = {
        { "**/a.png", "`**`" }, { "p/**", "`**`" }, { "p/{}.png", "a name is missing" }, { "p/{a", "never closed" }, { "p/{a/b}.png", "never closed" }, { "{a}/{a}.png", "`{a}` stands twice" }
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(files_matching(room->jre, &arena, room->folder, refused[i].pattern, NOWHERE, &matches));
        test_message_says(room->jre, "wrong_table", refused[i].pattern, refused[i].says, "help", NULL);
    }
    /* A name of 255 characters and as many stars: work stays within their product. */
    char name[256] = "", pattern[600] = "long/";
    for (int i = 0; i < 200; i++) {
        strcat(name, "a");
        strcat(pattern, "*a");
    }
    put_files(room, (const char *const[]){ arena_print(&arena, "long/%s", name) }, 1);
    assert_true(files_matching(room->jre, &arena, room->folder, pattern, NOWHERE, &matches));
    assert_int_equal(matches.files.count, 1);
    assert_true(files_matching(room->jre, &arena, room->folder, strcat(pattern, "*b"), NOWHERE, &matches));
    assert_int_equal(matches.files.count, 0);
    arena_free(&arena);
}

/* ---- store.c ------------------------------------------------------------------------------------------------------------------ */

static void a_result_counts_when_it_is_finished(void **state) {
    Room *room = *state;
    Store store = store_open(room->jre, room->folder, false);
    const char *key = "0123456789abcdef0123456789abcdef";
    assert_string_equal(store_path(&store, key, "rows.csv"), in(room, ".jre/store/0123456789abcdef0123456789abcdef/rows.csv"));
    assert_false(store_has(&store, key));
    assert_true(file_write(room->jre, store_path(&store, key, "rows.csv"), NOWHERE, "a\n", 2));
    assert_false(store_has(&store, key));
    assert_true(store_finish(&store, key, "\"what\": \"embed features\"", NOWHERE));
    assert_true(store_has(&store, key));
    expect_content(room, ".jre/store/0123456789abcdef0123456789abcdef/about.json",
                   "{\"key\": \"0123456789abcdef0123456789abcdef\", \"what\": \"embed features\"}\n");
    Store disabled = store_open(room->jre, room->folder, true);
    assert_false(store_has(&disabled, key));
    assert_string_equal(store_open(room->jre, ".", false).folder, ".jre/store");
}

static void an_unfinished_result_does_not_count(void **state) {
    Room *room = *state;
    Store store = store_open(room->jre, room->folder, false);
    room->jre->fail_write_after = 1;
    assert_false(store_finish(&store, "ab", "", NOWHERE));
    test_message_says(room->jre, "cannot_write", "about.json", NULL);
    assert_false(store_has(&store, "ab"));
}

static void keys_cannot_leave_the_store(void **state) {
    Room *room = *state;
    Store store = store_open(room->jre, room->folder, false);
    static const char *const keys[] = { "", "..", "../../etc", "AB", "a/b", "g" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_false(store_finish(&store, keys[i], "", NOWHERE));
        test_message_says(room->jre, "bug", NULL);
        assert_false(store_has(&store, keys[i]));
    }
    assert_false(store_finish(&store, "ab", "\"half", NOWHERE));
    test_message_says(room->jre, "bug", "JSON", NULL);
}

/* ---- progress.c ---------------------------------------------------------------------------------------------------------------- */

/* What a step that began `ago` seconds before leaves on `out`. */
static void run_step(FILE *out, bool quiet, double ago, int64_t total) {
    Progress progress = progress_start(out, quiet, "embed features", total);
    progress.started -= ago;
    progress_step(&progress, total / 2);
    progress_step(&progress, total + 5);
    progress_end(&progress);
    progress_end(&progress);
}

static char *plain_output(bool quiet, double ago, int64_t total, char text[512]) {
    FILE *out = tmpfile();
    run_step(out, quiet, ago, total);
    rewind(out);
    size_t length = fread(text, 1, 511, out);
    text[length] = '\0';
    fclose(out);
    return text;
}

static void a_long_step_leaves_one_plain_line(void **state) {
    (void)state;
    char text[512];
    assert_string_equal(plain_output(false, 0, 100, text), "");
    assert_string_equal(plain_output(true, 100, 100, text), "");
    /* The clock goes on meanwhile: tenths of a second are not asked for. */
    assert_non_null(strstr(plain_output(false, 12.1, 1895, text), "embed features   1,895 in 12."));
    assert_string_equal(text + strlen(text) - 3, " s\n");
    assert_string_equal(plain_output(false, 65.1, 1000000, text), "embed features   1,000,000 in 1 min 05 s\n");
    assert_string_equal(plain_output(false, 7500, 999, text), "embed features   999 in 2 h 05 min\n");
    assert_non_null(strstr(plain_output(false, 2.1, 0, text), "embed features   5 in 2."));
}

static void a_terminal_shows_a_bar_and_then_the_summary(void **state) {
    (void)state;
    int master, terminal;
    if (openpty(&master, &terminal, NULL, NULL, NULL) != 0)
        skip();
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    FILE *out = fdopen(terminal, "w");
    run_step(out, false, 100.1, 1000);
    char text[2048] = "";
    size_t length = 0;                    /* a terminal hands over what was written in pieces of its own */
    struct pollfd ready = { .fd = master, .events = POLLIN };
    while (length < sizeof text - 1 && !strstr(text, " in 1 min") && poll(&ready, 1, 5000) == 1) {
        ssize_t more = read(master, text + length, sizeof text - 1 - length);
        assert_true(more > 0);
        length += (size_t)more;
    }
    assert_non_null(strstr(text, "[############------------]  500 of 1,000   1 min 40 s left"));
    assert_non_null(strstr(text, "\r\033[Kembed features   1,000 in 1 min 40 s"));
    assert_null(strstr(text, "\033[2m"));
    fclose(out);
    close(master);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, enter, leave),
        cmocka_unit_test_setup_teardown(what_a_dying_process_left_is_taken_away, enter, leave),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_file, enter, leave),
        cmocka_unit_test_setup_teardown(a_writer_that_is_killed_leaves_nothing_behind, enter, leave),
        cmocka_unit_test_setup_teardown(folders_and_files_in_the_way_are_named, enter, leave),
        cmocka_unit_test_setup_teardown(links_permissions_and_devices_stay_what_they_are, enter, leave),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_explained, enter, leave),
        cmocka_unit_test_setup_teardown(the_nth_read_fails_on_demand, enter, leave),
        cmocka_unit_test_setup_teardown(a_pipe_is_read_to_its_end, enter, leave),
        cmocka_unit_test_setup_teardown(hashes_are_xxh3_of_the_content, enter, leave),
        cmocka_unit_test_setup_teardown(a_star_finds_files_in_the_order_of_bytes, enter, leave),
        cmocka_unit_test_setup_teardown(names_in_braces_are_read_from_paths, enter, leave),
        cmocka_unit_test_setup_teardown(a_path_with_two_readings_is_refused, enter, leave),
        cmocka_unit_test_setup_teardown(patterns_that_say_nothing_are_refused_in_words, enter, leave),
        cmocka_unit_test_setup_teardown(a_result_counts_when_it_is_finished, enter, leave),
        cmocka_unit_test_setup_teardown(an_unfinished_result_does_not_count, enter, leave),
        cmocka_unit_test_setup_teardown(keys_cannot_leave_the_store, enter, leave),
        cmocka_unit_test(a_long_step_leaves_one_plain_line),
        cmocka_unit_test(a_terminal_shows_a_bar_and_then_the_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
