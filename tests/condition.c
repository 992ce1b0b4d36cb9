/* condition.c: what a condition says of a picture and of pairs; what cells mean as numbers, times and truths. */
#include "test.h"

#include <math.h>

#include "../runtime/runtime.h"

typedef struct { Jre *jre; DatasetPlan plan; Dataset dataset; Arena arena; } Herd;

static const char *const columns[] = {"age", "weight", "camera-id", "night", "code", "width"};
static const char *const cells[][6] = {
    {"3", "12.5", "A", "yes", "007", "wide"},
    {"12", "9", "B", "no", "7", "narrow"},
    {"", "12.5", "", "", "", ""},
    {"old", "9", "A", "maybe", "7.0", "wide"},
};
enum { PICTURES = 4 };

static void herd_open(Herd *herd) {
    *herd = (Herd){.jre = jre_new()};
    herd->arena.jre = herd->jre;
    Dataset *dataset = &herd->dataset;
    dataset->plan = &herd->plan;
    for (int i = 0; i < 6; i++) list_add(&herd->arena, &dataset->columns, intern(herd->jre, columns[i]));
    dataset->pictures = arena_array(&herd->arena, Picture, PICTURES);
    dataset->count = PICTURES;
    static const Picture roles[] = {
        {.identity = "Ousado", .flank = "left", .burst = "b1", .taken = "2020-05-17 06:03:11", .width = 100, .height = 50, .unit = 0},
        {.identity = "NA", .flank = "right", .burst = "b2", .taken = "2020-05-17T06:04:00Z", .width = 200, .height = 150, .unit = 1},
        {.identity = "Ousado", .width = 60, .height = 40, .unit = 2},
        {.identity = "007", .flank = "left", .burst = "b1", .taken = "1589695391", .unit = 1},
    };
    for (int i = 0; i < PICTURES; i++) {
        Picture *picture = &dataset->pictures[i];
        *picture = roles[i];
        picture->cells = cells[i];
        picture->seconds = NAN;
        if (picture->taken) assert_true(cell_time(picture->taken, &picture->seconds));
    }
}

static void herd_close(Herd *herd) {
    arena_free(&herd->arena);
    jre_free(herd->jre);
}

static const Expr *condition(Herd *herd, const char *text) {
    const char *equation = arena_print(&herd->arena, "c = %s", text);
    Chunk *chunk = parse_chunk(herd->jre, source_from_text(herd->jre, "condition", equation, strlen(equation)));
    assert_int_equal(diag_count(herd->jre, SEVERITY_NOTE), 0);
    return chunk->statements.at[0]->value;
}

/* Which of the pictures a condition chooses, as digits: "02". */
static void assert_chosen(const char *text, const char *wanted) {
    Herd herd;
    herd_open(&herd);
    char chosen[PICTURES + 1] = "";
    const Expr *e = condition(&herd, text);
    for (int i = 0; i < PICTURES; i++)
        if (condition_holds(&herd.dataset, i, e)) chosen[strlen(chosen)] = (char)('0' + i);
    if (strcmp(chosen, wanted)) fail_msg("%s chooses \"%s\", not \"%s\"", text, chosen, wanted);
    herd_close(&herd);
}

static void comparisons_choose_pictures(void **state) {
    (void)state;
    assert_chosen("width >= 100px", "01");
    assert_chosen("width >= 60px and height < 50px", "2");
    assert_chosen("50px < height", "1");
    assert_chosen("identity == \"Ousado\"", "02");
    assert_chosen("identity != \"NA\"", "023");
    assert_chosen("\"{camera-id}\" == \"A\"", "03");
    assert_chosen("\"{width}\" == \"wide\"", "03");
    assert_chosen("age > 3", "1");
    assert_chosen("age == 3.0", "0");
    assert_chosen("weight <= 9", "13");
    assert_chosen("weight > -1", "0123");
    assert_chosen("age < weight", "0");
    assert_chosen("true", "0123");
    assert_chosen("not false", "0123");
}

static void numbers_are_numbers_and_texts_are_texts(void **state) {
    (void)state;
    assert_chosen("code == 7", "013");
    assert_chosen("code == \"7\"", "1");
    assert_chosen("code >= \"1\"", "13");
    assert_chosen("identity == \"007\"", "3");
    assert_chosen("identity == 7", "3");
    assert_chosen("identity < \"N\"", "3");
}

static void truths_are_read_from_cells(void **state) {
    (void)state;
    assert_chosen("night", "0");
    assert_chosen("not night", "123");
    assert_chosen("night == false", "1");
    assert_chosen("night != true", "1");
}

static void times_are_compared_as_times(void **state) {
    (void)state;
    assert_chosen("taken == 1589695391", "03");
    assert_chosen("taken > \"2020-05-17 06:03:11\"", "1");
    assert_chosen("taken < \"2020-05-17T08:03:30+02:00\"", "03");
    assert_chosen("taken >= \"2020-05-17\"", "013");
}

static void what_is_missing_compares_with_nothing(void **state) {
    (void)state;
    assert_chosen("flank == \"left\"", "03");
    assert_chosen("flank != \"left\"", "1");
    assert_chosen("not (flank == \"left\")", "12");
    assert_chosen("age != 5", "01");
    assert_chosen("width < 10px", "");
    assert_chosen("\"{camera-id}\" == \"A\" or \"{camera-id}\" != \"A\"", "013");
}

/* A cell that is no number is told, unless the condition has made sure of it. */
static void what_cannot_be_compared_is_told(void **state) {
    (void)state;
    Herd herd;
    herd_open(&herd);
    static const struct { const char *condition, *trouble; } cases[] = {
        {"age > 3", "`age` is \"old\", which is not a number"},
        {"night", "`night` is \"maybe\", which is not true or false"},
        {"taken > \"noon\"", "\"noon\" is not a time"},
        {"\"{night}\" == 1", "`night` is \"maybe\", which is not a number"},
        {"age != \"old\" and age > 3", NULL},
        {"age == \"old\" or age > 3", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = condition_trouble(&herd.arena, &herd.dataset, 3, condition(&herd, cases[i].condition));
        if (cases[i].trouble) assert_string_equal(found, cases[i].trouble);
        else assert_null(found);
    }
    assert_true(condition_needs_files(condition(&herd, "age > 3 and not (height < 5px)")));
    assert_true(condition_needs_files(condition(&herd, "not same(width)")));
    assert_false(condition_needs_files(condition(&herd, "same(burst) and age > 3")));
    assert_false(condition_needs_files(condition(&herd, "\"{width}\" == \"wide\"")));
    herd_close(&herd);
}

/* Which candidates may answer picture 0, then picture 1, ..: "3/./." */
static void assert_answers(BurstKind burst, const char *gallery, const char *wanted) {
    Herd herd;
    herd_open(&herd);
    herd.plan.burst = burst;
    static const int rows[] = {0, 1, 2, 3};
    PairRule *rule = pair_rule(&herd.arena, gallery ? condition(&herd, gallery) : NULL, &herd.dataset, rows, PICTURES, &herd.dataset, rows, PICTURES);
    Text found = {.jre = herd.jre};
    for (int query = 0; query < PICTURES; query++) {
        if (query) text_add(&found, "/");
        for (int candidate = 0; candidate < PICTURES; candidate++)
            if (pair_allowed(rule, query, candidate)) text_add(&found, "%d", candidate);
    }
    if (strcmp(found.at, wanted)) fail_msg("%s allows %s, not %s", gallery, found.at, wanted);
    text_free(&found);
    herd_close(&herd);
}

static void galleries_choose_answers(void **state) {
    (void)state;
    assert_answers(BURST_COLUMN, NULL, "0123/0123/0123/0123");
    assert_answers(BURST_COLUMN, "same(flank)", "03/1//03");
    assert_answers(BURST_COLUMN, "not same(burst)", "12/023/0123/12");
    assert_answers(BURST_COLUMN, "not same(burst) and same(flank)", "///");
    assert_answers(BURST_COLUMN, "same(flank) or flank == \"right\"", "013/1/1/013");
    assert_answers(BURST_COLUMN, "same(\"{camera-id}\") and not (age == 3)", "3/1//3");
    assert_answers(BURST_COLUMN, "width >= 100px", "01/01/01/01");
    assert_answers(BURST_COLUMN, "not (same(flank) or same(burst)) and (same(taken) or true)", "12/023/0123/12");
    assert_answers(BURST_COLUMN, "same(taken)", "03/1//03");
    assert_answers(BURST_COLUMN, "same(column = code)", "0/1//3");
    assert_answers(BURST_LIKENESS, "same(burst)", "0/13/2/13");
    assert_answers(BURST_TIME, "not same(burst)", "123/02/013/02");
    assert_true(pair_allowed(NULL, 0, 0));
}

/* Likeness is known within a dataset; a column is a column everywhere. */
static void two_datasets_share_columns_only(void **state) {
    (void)state;
    Herd asking, answering;
    herd_open(&asking);
    herd_open(&answering);
    static const int query[] = {3}, candidates[] = {1, 0};
    PairRule *rule = pair_rule(&asking.arena, condition(&asking, "same(burst)"), &asking.dataset, query, 1, &answering.dataset, candidates, 2);
    assert_false(pair_allowed(rule, 0, 0));
    assert_false(pair_allowed(rule, 0, 1));
    asking.plan.burst = answering.plan.burst = BURST_COLUMN;
    rule = pair_rule(&asking.arena, condition(&asking, "same(burst)"), &asking.dataset, query, 1, &answering.dataset, candidates, 2);
    assert_false(pair_allowed(rule, 0, 0));
    assert_true(pair_allowed(rule, 0, 1));
    herd_close(&asking);
    herd_close(&answering);
}

static void roles_come_before_columns(void **state) {
    (void)state;
    Herd herd;
    herd_open(&herd);
    assert_string_equal(picture_value(&herd.dataset, 0, "flank"), "left");
    assert_string_equal(picture_value(&herd.dataset, 0, "camera-id"), "A");
    assert_null(picture_value(&herd.dataset, 2, "camera-id"));
    assert_null(picture_value(&herd.dataset, 2, "flank"));
    assert_null(picture_value(&herd.dataset, 0, "camera"));
    assert_null(picture_cell(&herd.dataset, 0, "flank"));
    assert_string_equal(picture_cell(&herd.dataset, 0, "width"), "wide");
    herd_close(&herd);
}

static void times_are_read_as_written(void **state) {
    (void)state;
    static const struct { const char *cell; double seconds; } times[] = {
        {"1970-01-01", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2020-05-17 06:03:11", 1589695391},
        {"2020-05-17 06:03:11+00:00", 1589695391},
        {"2020-05-17T08:03:11.25+02:00", 1589695391.25},
        {"2020-05-17T02:33:11-0330", 1589695391},
        {"2020:05:17 06:03:11", 1589695391},
        {"2020/05/17 06:03", 1589695380},
        {"2000-02-29", 951782400},
        {"17.05.2020 06:03:11", 1589695391},
        {"7.5.2020", 1588809600},
        {"2021-12-31 24:00", 1640995200},
        {"1589695391.5", 1589695391.5},
        {"0001-01-01", -62135596800},
        {"-30", -30},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        double seconds = NAN;
        if (!cell_time(times[i].cell, &seconds) || seconds != times[i].seconds) fail_msg("%s is read as %.3f, not %.3f", times[i].cell, seconds, times[i].seconds);
    }
    static const char *const none[] = {"", " ", "yesterday", "2020-13-01", "2021-02-29", "1900-02-29", "2020-05-17 25:00", "2020-05-17 06:61", "2020-05-17 6:03", "17.05.20", "5/17/2020", "31.04.2020", "17..2020", "2020-05-17T",
                                       "2020-05-17 06:03:11 noon", "2020-05/17", "2020-05", "nan", "inf", "0x10", "1e999", "2020-05-17 06:03:11+2", "2020-05-17 06:03:11.", "-", "0000-01-01", "12:00"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        double seconds;
        if (cell_time(none[i], &seconds)) fail_msg("%s is read as a time", none[i]);
    }
}

/* Where a condition names a role, another column for that role leaves other pictures; without one it does not. */
static void what_a_condition_may_name_tells_datasets_apart(void **state) {
    (void)state;
    Herd herd;
    herd_open(&herd);
    DatasetPlan left = {.table = "a.csv", .image = "{f}", .flank = "side"}, right = left;
    right.flank = "view";
    assert_ptr_equal(dataset_identity(herd.jre, &left, false), dataset_identity(herd.jre, &right, false));
    assert_ptr_not_equal(dataset_identity(herd.jre, &left, true), dataset_identity(herd.jre, &right, true));
    left.only = right.only = condition(&herd, "flank == \"left\"");
    assert_ptr_not_equal(dataset_identity(herd.jre, &left, false), dataset_identity(herd.jre, &right, false));
    herd_close(&herd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_condition_may_name_tells_datasets_apart),
        cmocka_unit_test(comparisons_choose_pictures),
        cmocka_unit_test(numbers_are_numbers_and_texts_are_texts),
        cmocka_unit_test(truths_are_read_from_cells),
        cmocka_unit_test(times_are_compared_as_times),
        cmocka_unit_test(what_is_missing_compares_with_nothing),
        cmocka_unit_test(what_cannot_be_compared_is_told),
        cmocka_unit_test(galleries_choose_answers),
        cmocka_unit_test(two_datasets_share_columns_only),
        cmocka_unit_test(roles_come_before_columns),
        cmocka_unit_test(times_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
