/* dataset.c: tables and patterns to pictures with names; what is wrong is said together; what is known is not read again. */
#include "test.h"

#include <fcntl.h>

#include "../runtime/runtime.h"

enum { SIDE = 24 };

typedef struct { Jre *jre; Arena arena; char folder[64]; Pool *pool; Store store; DatasetPlan plan; } Camp;

static const char *inside(Camp *camp, const char *name) { return arena_print(&camp->arena, "%s/%s", camp->folder, name); }

static void put_text(Camp *camp, const char *name, const char *text) {
    assert_true(file_write(camp->jre, inside(camp, name), NOWHERE, text, strlen(text)));
}

/* Pictures of one seed are equal, of different seeds far apart. Times lie in the past, so that they can be believed. */
static void put_picture(Camp *camp, const char *name, unsigned seed) {
    uint8_t pixels[4 * SIDE * SIDE];
    for (size_t i = 0; i < sizeof pixels; i++) {
        seed = seed * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(seed >> 24);
    }
    Image image = {SIDE, SIDE, 4, pixels};
    const char *path = inside(camp, name), *slash = strrchr(path, '/');
    assert_true(folder_make(camp->jre, arena_copy(&camp->arena, path, (size_t)(slash - path)), NOWHERE));
    assert_true(image_write_png(camp->jre, path, NOWHERE, &image));
    const struct timespec past[2] = {{1700000000, 5}, {1700000000, 5}};
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
}

static void camp_open(Camp *camp) {
    *camp = (Camp){.jre = jre_new()};
    camp->arena.jre = camp->jre;
    test_folder(camp->folder);
    camp->pool = pool_new(camp->jre, 2);
    camp->store = store_open(camp->jre, camp->folder, false);
    camp->plan = (DatasetPlan){.name = intern(camp->jre, "jaguars"), .root = camp->folder, .table = "train.csv", .image = "train/train/{filename}",
                                .identity = "ground_truth", .within = 8};
}

static void camp_close(Camp *camp) {
    assert_int_equal(diag_count(camp->jre, SEVERITY_NOTE), 0);
    pool_free(camp->pool);
    test_folder_gone(camp->folder);
    arena_free(&camp->arena);
    jre_free(camp->jre);
}

static Dataset *load(Camp *camp) { return dataset_load(camp->jre, camp->pool, &camp->store, NULL, &camp->plan); }

static const Expr *condition(Camp *camp, const char *text) {
    const char *equation = arena_print(&camp->arena, "c = %s", text);
    return parse_chunk(camp->jre, source_from_text(camp->jre, "condition", equation, strlen(equation)))->statements.at[0]->value;
}

static void put_contest(Camp *camp) {
    put_text(camp, "train.csv", "filename,ground_truth,side,series\r\nb.png,Ousado,left,7\r\na.png,Medrosa,right,\r\nc.png,Medrosa,,7\r\nd.png,Ousado,left,\r\n");
    put_picture(camp, "train/train/a.png", 1);
    put_picture(camp, "train/train/b.png", 2);
    put_picture(camp, "train/train/c.png", 3);
    put_picture(camp, "train/train/d.png", 2);
}

static void rows_become_pictures_in_order(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.flank = "side";
    Dataset *dataset = load(&camp);
    assert_non_null(dataset);
    assert_int_equal(dataset->count, 4);
    assert_string_equal(dataset->pictures[0].file, "b.png");
    assert_string_equal(dataset->pictures[0].path, inside(&camp, "train/train/b.png"));
    assert_string_equal(dataset->pictures[0].content_hash, hash_file(camp.jre, inside(&camp, "train/train/b.png"), NOWHERE));
    assert_int_equal(dataset->identity_count, 2);
    assert_string_equal(dataset->identities[0], "Medrosa");
    assert_int_equal(dataset->pictures[0].identity_number, 1);
    assert_int_equal(dataset->pictures[1].identity_number, 0);
    assert_string_equal(dataset->pictures[1].flank, "right");
    assert_null(dataset->pictures[2].flank);
    camp_close(&camp);
}

static void near_pictures_are_one_unit(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    Dataset *dataset = load(&camp);
    assert_true(dataset->hashed);
    assert_int_equal(dataset->units, 3);
    assert_int_equal(dataset->pictures[0].unit, dataset->pictures[3].unit);
    camp_close(&camp);
}

static void a_column_can_name_the_burst(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.burst = BURST_COLUMN, camp.plan.burst_column = "series";
    camp.plan.within = -1;
    Dataset *dataset = load(&camp);
    assert_false(dataset->hashed);
    assert_int_equal(dataset->units, 3);
    assert_int_equal(dataset->pictures[0].unit, dataset->pictures[2].unit);
    assert_true(dataset->pictures[1].unit != dataset->pictures[3].unit);
    assert_true(dataset_hash_pictures(camp.jre, camp.pool, &camp.store, NULL, dataset));
    assert_int_equal(hash_distance(dataset->pictures[0].phash, dataset->pictures[3].phash), 0);
    camp_close(&camp);
}

static void a_pattern_gives_files_by_name(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_picture(&camp, "test/test/2.png", 2);
    put_picture(&camp, "test/test/1.png", 1);
    put_text(&camp, "test/test/readme.txt", "no picture");
    camp.plan.table = camp.plan.identity = NULL;
    camp.plan.image = "test/test/*.png";
    Dataset *dataset = load(&camp);
    assert_int_equal(dataset->count, 2);
    assert_string_equal(dataset->pictures[0].file, "1.png");
    assert_int_equal(dataset->pictures[0].identity_number, -1);
    assert_int_equal(dataset->units, 2);
    assert_false(dataset->hashed);
    camp_close(&camp);
}

static void what_fills_a_template_of_two_columns_names_the_picture(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_text(&camp, "train.csv", "folder,name,ground_truth\nx,1,A\ny,1,B\n");
    put_picture(&camp, "p/x/1.png", 1);
    put_picture(&camp, "p/y/1.png", 2);
    camp.plan.image = "p/{folder}/{name}.png";
    Dataset *dataset = load(&camp);
    assert_string_equal(dataset->pictures[0].file, "x/1");
    assert_string_equal(dataset->pictures[1].file, "y/1");
    camp_close(&camp);
}

static void the_key_follows_content_and_names(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    const char *key = load(&camp)->key;
    assert_string_equal(load(&camp)->key, key);
    put_picture(&camp, "train/train/a.png", 9);
    const char *repainted = load(&camp)->key;
    assert_true(repainted != key);
    put_picture(&camp, "train/train/a.png", 1);
    put_text(&camp, "train.csv", "filename,ground_truth\nb.png,Ousado\na.png,Ousado\nc.png,Medrosa\nd.png,Ousado\n");
    assert_true(load(&camp)->key != key);
    camp_close(&camp);
}

static void a_file_that_did_not_move_is_not_read_again(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    Dataset *first = load(&camp);
    const char *path = inside(&camp, "train/train/a.png");
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    /* Other bytes under the same size, time and inode: nobody would do so, but it shows what was looked at. */
    FILE *file = fopen(path, "r+");
    fputc('x', file);
    fclose(file);
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    Dataset *second = load(&camp);
    assert_non_null(second);
    assert_string_equal(first->key, second->key);
    assert_true(first->pictures[1].phash == second->pictures[1].phash);
    camp.store.disabled = true;
    assert_null(load(&camp));
    test_message_says(camp.jre, "file_corrupt", "a.png", NULL);
    camp_close(&camp);
}

/* The nanoseconds of such a time do not fit into 64 bits. */
/* However long a run looks at pictures: what was changed since it began may have been changed twice. */
static void what_changes_while_it_is_looked_at_is_not_believed(void **state) {
    (void)state;
    enum { LONG_RUN = 100, SECOND = 1000000000 };
    Jre *jre = jre_new();
    Stamps stamps;
    stamps_load(&stamps, jre, NULL, false);
    int64_t began = stamps.began -= LONG_RUN;
    const struct { int64_t changed; bool believed; } rows[] = {{began - 10, true}, {began - 1, false}, {began + LONG_RUN / 2, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Stamp stamp = {.content_hash = "0123456789abcdef0123456789abcdef", .size = 1, .modified = rows[i].changed * SECOND, .inode = 2, .path = "/picture.png"};
        stamps_put(&stamps, &stamp);
        assert_int_equal(stamps_find(&stamps, stamp.path, stamp.size, stamp.modified, stamp.inode) != NULL, rows[i].believed);
    }
    stamps_free(&stamps);
    jre_free(jre);
}

static void a_picture_from_a_far_year_is_a_picture(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    const char *key = load(&camp)->key;
    static const int64_t seconds[] = {INT64_C(13569465600), -INT64_C(13569465600)};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        const struct timespec far[2] = {{seconds[i], 7}, {seconds[i], 7}};
        assert_int_equal(utimensat(AT_FDCWD, inside(&camp, "train/train/a.png"), far, 0), 0);
        for (int again = 0; again < 2; again++) assert_string_equal(load(&camp)->key, key);
    }
    camp_close(&camp);
}

static void a_damaged_table_of_hashes_only_costs_time(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    const char *key = load(&camp)->key, *stamps = hash_bytes(camp.jre, "picture files", strlen("picture files"));
    const char *path = store_path(&camp.store, stamps, "pictures.csv");
    assert_true(file_exists(path));
    static const char *const damages[] = {"", "\n\n\n", "content_hash,phash\nxx", "0123456789abcdef0123456789abcdef,zz,1,1,1,/a\n",
                                          "0123456789abcdef0123456789abcdef,,9999999999999999999999,1,1,\n", "0123456789abcdef0123456789abcdef,0123456789abcdef,1,1"};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        assert_true(file_write(camp.jre, path, NOWHERE, damages[i], strlen(damages[i])));
        assert_string_equal(load(&camp)->key, key);
    }
    camp_close(&camp);
}

static void a_folder_for_each_individual_needs_no_table(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    static const char *const names[] = {"photos/north/NA/1.png", "photos/north/007/1.png", "photos/south/NA/2.png", "photos/south/Zo\xc3\xab b/1.png"};
    for (size_t i = 0; i < 4; i++) put_picture(&camp, names[i], (unsigned)i + 1);
    camp.plan.table = NULL, camp.plan.image = "photos/{site}/{individual}/*.png", camp.plan.identity = "individual", camp.plan.flank = "site";
    Dataset *dataset = load(&camp);
    assert_int_equal(dataset->count, 4);
    assert_int_equal(dataset->identity_count, 3);
    assert_string_equal(dataset->identities[0], "007");
    assert_string_equal(dataset->identities[1], "NA");
    assert_string_equal(dataset->identities[2], "Zo\xc3\xab b");
    assert_string_equal(dataset->pictures[0].path, inside(&camp, "photos/north/007/1.png"));
    assert_string_equal(dataset->pictures[0].file, "north/007/1.png");
    assert_string_equal(dataset->pictures[2].flank, "south");
    assert_string_equal(picture_cell(dataset, 1, "site"), "north");
    camp.plan.identity = "indvidual";
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "has no column `indvidual`", "its columns are: site, individual", "did you mean `individual`?", NULL);
    camp.plan.identity = "individual";
    camp.plan.only = condition(&camp, "site == \"south\"");
    assert_int_equal(load(&camp)->count, 2);
    camp.plan.only = NULL;
    camp.plan.image = "photos/{site}/{individual}/{number}.png", camp.plan.mask_kind = MASK_FILES, camp.plan.mask = "photos/{site}/{individual}/{number}.png";
    assert_string_equal(load(&camp)->pictures[3].mask, inside(&camp, "photos/south/Zo\xc3\xab b/1.png"));
    camp_close(&camp);
}

static void an_unknown_column_is_answered_with_the_known_ones(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.identity = "grund_truth";
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "grund_truth", "filename, ground_truth, side, series", "did you mean `ground_truth`?", NULL);
    camp_close(&camp);
}

static void wrong_rows_are_named_together(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    put_text(&camp, "train.csv", "filename,ground_truth\na.png,A\n,A\na.png,B\nb.png,\n");
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "3 of 4 rows", "line 3: the cell of `filename` is empty", "line 4: `train/train/a.png` again, which line 2 has named",
                      "line 5: the cell of `ground_truth` is empty", NULL);
    camp_close(&camp);
}

static void cells_that_lead_elsewhere_are_refused(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.image = "train/{filename}";
    put_text(&camp, "train.csv", "filename,ground_truth\ntrain/a.png,A\n../train/train/b.png,A\ntrain/../../x.png,B\n\"train/a\n.png\",B\ntrain/..,C\ntrain/..c.png,C\n");
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "4 of 6 rows", "line 3: `filename` is \"../train/train/b.png\", which leads out of the folder", "line 4", "line 5: the cell of `filename` holds the end of a line",
                      "line 7", NULL);
    camp.plan.image = "{filename}";
    put_text(&camp, "train.csv", arena_print(&camp.arena, "filename,ground_truth\n%s,A\n/etc/passwd,B\n", inside(&camp, "train/train/a.png")));
    assert_null(load(&camp));
    test_message_says(camp.jre, "1 of 2 rows", "line 3: `filename` is \"/etc/passwd\"", "`root`", NULL);
    camp_close(&camp);
}

/* The pictures that a condition leaves, by the first letter of their files. */
static void assert_left(Camp *camp, const char *only, const char *wanted) {
    char left[8] = "";
    camp->plan.only = condition(camp, only);
    Dataset *dataset = load(camp);
    if (!dataset) fail_msg("%s: %s", only, test_messages(camp->jre));
    for (int i = 0; i < dataset->count; i++) left[i] = dataset->pictures[i].file[0];
    if (strcmp(left, wanted)) fail_msg("%s leaves %s, not %s", only, left, wanted);
    assert_int_equal(dataset->left_out + dataset->count, 4);
}

static void a_condition_leaves_rows_out(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.flank = "side";
    assert_left(&camp, "identity == \"Ousado\"", "bd");
    assert_left(&camp, "flank != \"left\" or series == 7", "bac");
    assert_left(&camp, "width >= 24px", "bacd");
    Image wide = {2, 1, 1, (uint8_t[]){1, 2}};
    assert_true(image_write_png(camp.jre, inside(&camp, "train/train/c.png"), NOWHERE, &wide));
    assert_left(&camp, "width > 1px and height < 2px", "c");
    const char *key = load(&camp)->key;
    assert_left(&camp, "width == 24px", "bad");
    assert_true(load(&camp)->key != key);
    camp.plan.only = condition(&camp, "identity == \"ousado\"");
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "none of 4 pictures is left", NULL);
    camp.plan.only = condition(&camp, "height > 5000px");
    assert_null(load(&camp));
    test_message_says(camp.jre, "none of 4 pictures is left", NULL);
    camp.plan.only = condition(&camp, "side == 3");
    assert_null(load(&camp));
    test_message_says(camp.jre, "3 of 4 rows", "line 2: `side` is \"left\", which is not a number", "line 3", "line 5", NULL);
    camp_close(&camp);
}

/* What a condition leaves out may be as wrong as it likes. */
static void a_row_that_is_left_out_is_asked_nothing(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    put_text(&camp, "train.csv", "filename,ground_truth,known\nb.png,Ousado,yes\n,Ousado,no\nb.png,Medrosa,no\ngone.png,,no\n../x.png,A,no\na.png,Medrosa,yes\n");
    camp.plan.only = condition(&camp, "known");
    Dataset *dataset = load(&camp);
    assert_int_equal(dataset->count, 2);
    assert_int_equal(dataset->left_out, 4);
    camp_close(&camp);
}

static void columns_come_along_and_are_content(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_text(&camp, "train.csv", "filename,ground_truth,taken,color,mask\na.png,A,2020-05-17 06:03:11,\"red, dark\",[1]\nb.png,B,,,\n");
    put_picture(&camp, "train/train/a.png", 1);
    put_picture(&camp, "train/train/b.png", 2);
    const char *plain = load(&camp)->key;
    camp.plan.label = "color", camp.plan.taken = "taken", camp.plan.mask_kind = MASK_COLUMN, camp.plan.mask = "mask";
    Dataset *dataset = load(&camp);
    assert_int_equal(dataset->columns.count, 5);
    assert_string_equal(dataset->pictures[0].label, "red, dark");
    assert_string_equal(dataset->pictures[0].mask, "[1]");
    assert_true(dataset->pictures[0].seconds == 1589695391);
    assert_int_equal(dataset->pictures[1].line, 3);
    assert_null(dataset->pictures[1].label);
    assert_null(dataset->pictures[1].taken);
    assert_true(dataset->pictures[1].seconds != dataset->pictures[1].seconds);
    assert_string_equal(picture_value(dataset, 0, "color"), "red, dark");
    assert_true(dataset->key != plain);
    camp.plan.label = camp.plan.taken = camp.plan.mask = NULL, camp.plan.mask_kind = MASK_NONE;
    assert_string_equal(load(&camp)->key, plain);
    list_add(&camp.arena, &camp.plan.keep, "color");
    assert_true(load(&camp)->key != plain);
    /* What a split goes by is content too. */
    camp.plan.keep.count = 0;
    list_add(&camp.arena, &camp.plan.used, "taken");
    const char *used = load(&camp)->key;
    assert_true(used != plain);
    put_text(&camp, "train.csv", "filename,ground_truth,taken,color,mask\na.png,A,2020-05-18,\"red, dark\",[1]\nb.png,B,,,\n");
    assert_true(load(&camp)->key != used);
    camp_close(&camp);
}

static void every_column_that_is_not_there_is_told(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.flank = "sides", camp.plan.label = "lable", camp.plan.taken = "when", camp.plan.mask_kind = MASK_COLUMN, camp.plan.mask = "masks";
    list_add(&camp.arena, &camp.plan.keep, "serie");
    assert_null(load(&camp));
    test_message_says(camp.jre, "no column `sides`", "did you mean `side`?", "no column `lable`", "no column `when`", "no column `masks`", "no column `serie`", "did you mean `series`?", NULL);
    camp_close(&camp);
}

static void a_time_that_cannot_be_read_is_told(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    put_text(&camp, "train.csv", "filename,ground_truth,at\nb.png,A,2020-05-17\na.png,B,5/17/2020\n");
    camp.plan.taken = "at";
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "line 3: `at` is \"5/17/2020\": a time was expected", NULL);
    camp.plan.only = condition(&camp, "taken >= \"2020-01-01\"");          /* nor is its row left out as if there were none */
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "1 of 2 rows", "line 3: `taken` is \"5/17/2020\", which is not a time", NULL);
    camp.plan.only = condition(&camp, "identity == \"A\" and taken >= \"2020-01-01\"");
    assert_int_equal(load(&camp)->left_out, 1);
    camp.plan.only = NULL;
    camp.plan.taken = NULL, camp.plan.burst = BURST_TIME, camp.plan.burst_column = "at";
    assert_null(load(&camp));
    test_message_says(camp.jre, "line 3: `at` is \"5/17/2020\": a time was expected", NULL);
    camp_close(&camp);
}

/* Each picture so soon after the last of its individual: a chain may be longer than the gap. */
static void times_make_bursts(void **state) {
    (void)state;
    static const struct { const char *name, *at; int unit; } frames[] = {
        {"A", "2020-05-17 06:00:00", 0}, {"A", "2020-05-17 06:03:50", 0}, {"A", "2020-05-17 06:02:00", 0}, {"A", "2020-05-17 06:05:51", 1},
        {"B", "2020-05-17 06:02:00", 2}, {"A", "", 3},                    {"A", "", 4},                    {"B", "2020-05-17T08:03:30+02:00", 2},
    };
    Camp camp;
    camp_open(&camp);
    Text table = {.jre = camp.jre};
    text_add(&table, "filename,ground_truth,at\n");
    for (int i = 0; i < 8; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/train/%d.png", i);
        put_picture(&camp, name, (unsigned)i + 1);
        text_add(&table, "%d.png,%s,%s\n", i, frames[i].name, frames[i].at);
    }
    put_text(&camp, "train.csv", table.at);
    text_free(&table);
    camp.plan.taken = "at", camp.plan.burst = BURST_TIME, camp.plan.burst_column = "at", camp.plan.burst_seconds = 120;
    Dataset *dataset = load(&camp);
    assert_int_equal(dataset->units, 5);
    for (int i = 0; i < 8; i++) assert_int_equal(dataset->pictures[i].unit, frames[i].unit);
    assert_true(dataset->hashed);
    const char *key = dataset->key;
    camp.plan.burst_seconds = 10;
    dataset = load(&camp);
    assert_int_equal(dataset->units, 8);
    assert_true(dataset->key != key);
    camp_close(&camp);
}

static void links_that_lead_elsewhere_are_refused(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_text(&camp, "here/train.csv", "filename,ground_truth\na.png,A\nlinked/b.png,A\nc.png,B\nd.png,B\n");
    put_picture(&camp, "here/train/train/a.png", 1);
    put_picture(&camp, "there/b.png", 2);
    put_picture(&camp, "there/c.png", 3);
    assert_int_equal(symlink("../../../there", inside(&camp, "here/train/train/linked")), 0);
    assert_int_equal(symlink(inside(&camp, "there/c.png"), inside(&camp, "here/train/train/c.png")), 0);
    assert_int_equal(symlink("a.png", inside(&camp, "here/train/train/d.png")), 0);
    assert_int_equal(symlink("here", inside(&camp, "root")), 0);
    camp.plan.root = inside(&camp, "root");
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "2 of 4 pictures lie behind links that lead out of", "linked/b.png   line 3 of the table", "c.png   line 4 of the table", "`root` itself may be a link", NULL);
    put_text(&camp, "here/train.csv", "filename,ground_truth\na.png,A\nd.png,B\n");
    assert_non_null(load(&camp));
    /* The folder that the document itself names may be a link too. */
    assert_int_equal(symlink("../there", inside(&camp, "here/mine")), 0);
    camp.plan.image = "mine/{filename}";
    put_text(&camp, "here/train.csv", "filename,ground_truth\nb.png,A\nc.png,B\n");
    assert_non_null(load(&camp));
    camp_close(&camp);
}

static void masks_lie_beside_pictures(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.mask_kind = MASK_FILES, camp.plan.mask = "masks/{filename}";
    static const char *const names[] = {"a", "b", "d"};
    for (size_t i = 0; i < 3; i++) put_picture(&camp, arena_print(&camp.arena, "masks/%s.png", names[i]), 5);
    assert_null(load(&camp));
    test_message_says(camp.jre, "file_missing", "1 of 4", "masks/c.png   line 4 of the table", NULL);
    put_picture(&camp, "masks/c.png", 6);
    Dataset *dataset = load(&camp);
    assert_string_equal(dataset->pictures[2].mask, inside(&camp, "masks/c.png"));
    camp_close(&camp);
}

static void missing_pictures_are_named_together(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    Text table = {.jre = camp.jre};
    text_add(&table, "filename,ground_truth\na.png,A\n");
    for (int i = 0; i < 14; i++) text_add(&table, "gone%d.png,A\n", i);
    put_text(&camp, "train.csv", table.at);
    text_free(&table);
    assert_null(load(&camp));
    test_message_says(camp.jre, "file_missing", "14 of 15 pictures are not there", "gone0.png   line 3 of the table", "gone9.png", "and 4 more", "missing skip", NULL);
    camp.plan.skip_missing = true;
    Dataset *dataset = load(&camp);
    assert_int_equal(dataset->count, 1);
    assert_int_equal(dataset->skipped, 14);
    assert_int_equal(dataset->skipped_files.count, 14);
    assert_string_equal(dataset->skipped_files.at[1], arena_print(&camp.arena, "%s   line 4 of the table", inside(&camp, "train/train/gone1.png")));
    assert_string_equal(dataset->pictures[0].file, "a.png");
    camp_close(&camp);
}

static void a_folder_that_vanishes_is_told(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.within = -1, camp.plan.skip_missing = true;
    Dataset *dataset = load(&camp);
    assert_int_equal(rename(inside(&camp, "train"), inside(&camp, "elsewhere")), 0);
    assert_false(dataset_hash_pictures(camp.jre, camp.pool, &camp.store, NULL, dataset));
    test_message_says(camp.jre, "file_missing", "4 of 4 pictures are not there", "a.png   line 3 of the table", "`root`", NULL);
    assert_int_equal(dataset->count, 4);
    camp_close(&camp);
}

static void corrupt_pictures_are_named_together(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    put_text(&camp, "train/train/a.png", "\x89PNG\r\n\x1a\n");
    put_text(&camp, "train/train/c.png", "");
    assert_null(load(&camp));
    test_message_says(camp.jre, "file_corrupt", "2 of 4 pictures cannot be decoded", "a.png", "c.png", NULL);
    camp_close(&camp);
}

static void hostile_templates_are_refused(void **state) {
    (void)state;
    static const struct { const char *image, *says; } cases[] = {
        {"train/{filename", "never closed"}, {"train/{}", "no column ``"}, {"train/a.png", "names no column"}, {"{nothing}{like}", "no column `like`"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Camp camp;
        camp_open(&camp);
        put_contest(&camp);
        camp.plan.image = cases[i].image;
        assert_null(load(&camp));
        test_message_says(camp.jre, "wrong_table", cases[i].says, NULL);
        camp_close(&camp);
    }
}

static void without_a_table_no_column_can_be_named(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_contest(&camp);
    camp.plan.table = NULL;
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "`train/train/{filename}` has no column `ground_truth`", "its columns are: filename", NULL);
    camp.plan.image = "train/train/*.png";
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "has no `table`", NULL);
    camp.plan.identity = NULL;
    camp.plan.image = "train/nowhere/*.png";
    assert_null(load(&camp));
    test_message_says(camp.jre, "file_missing", "nowhere", NULL);
    camp_close(&camp);
}

static void an_empty_table_is_refused(void **state) {
    (void)state;
    Camp camp;
    camp_open(&camp);
    put_text(&camp, "train.csv", "filename,ground_truth\n");
    assert_null(load(&camp));
    test_message_says(camp.jre, "wrong_table", "no rows", NULL);
    camp_close(&camp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_pictures_in_order),
        cmocka_unit_test(near_pictures_are_one_unit),
        cmocka_unit_test(a_column_can_name_the_burst),
        cmocka_unit_test(a_pattern_gives_files_by_name),
        cmocka_unit_test(what_fills_a_template_of_two_columns_names_the_picture),
        cmocka_unit_test(the_key_follows_content_and_names),
        cmocka_unit_test(a_file_that_did_not_move_is_not_read_again),
        cmocka_unit_test(what_changes_while_it_is_looked_at_is_not_believed),
        cmocka_unit_test(a_picture_from_a_far_year_is_a_picture),
        cmocka_unit_test(a_damaged_table_of_hashes_only_costs_time),
        cmocka_unit_test(a_folder_for_each_individual_needs_no_table),
        cmocka_unit_test(an_unknown_column_is_answered_with_the_known_ones),
        cmocka_unit_test(wrong_rows_are_named_together),
        cmocka_unit_test(cells_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_condition_leaves_rows_out),
        cmocka_unit_test(a_row_that_is_left_out_is_asked_nothing),
        cmocka_unit_test(columns_come_along_and_are_content),
        cmocka_unit_test(every_column_that_is_not_there_is_told),
        cmocka_unit_test(a_time_that_cannot_be_read_is_told),
        cmocka_unit_test(times_make_bursts),
        cmocka_unit_test(links_that_lead_elsewhere_are_refused),
        cmocka_unit_test(masks_lie_beside_pictures),
        cmocka_unit_test(missing_pictures_are_named_together),
        cmocka_unit_test(a_folder_that_vanishes_is_told),
        cmocka_unit_test(corrupt_pictures_are_named_together),
        cmocka_unit_test(hostile_templates_are_refused),
        cmocka_unit_test(without_a_table_no_column_can_be_named),
        cmocka_unit_test(an_empty_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
