/* The painter of the embedded sample: the contest's counts, and the same bytes under every compiler and thread. */
#include "test.h"

#include <pthread.h>

#include "../examples/jaguars/jaguars.h"

/* CRC-32 of pictures of the frozen seed. They change only when the sample is repainted, which needs a reason. */
static const struct {
    int shot;
    uint32_t checksum;
} frozen[] = {{0, 0x89f2ce78u}, {TRAIN_PICTURES, 0xf896ddffu}};
enum { FROZEN = sizeof frozen / sizeof frozen[0] };

static Plan *plan_new(void) {
    Plan *plan = malloc(sizeof *plan);
    assert_non_null(plan);
    plan_make(plan, FROZEN_SEED);
    return plan;
}

static void counts_are_those_of_the_contest(void **state) {
    (void)state;
    Plan *plan = plan_new();
    int train[INDIVIDUALS] = {0}, test[INDIVIDUALS] = {0}, rarest = 0, fewest = PICTURES, most = 0;
    for (int i = 0; i < PICTURES; i++)
        (plan->shots[i].test ? test : train)[plan->shots[i].individual]++;
    for (int i = 0; i < INDIVIDUALS; i++) {
        assert_int_equal(train[i], train_counts[i]);
        assert_int_equal(test[i], test_counts[i]);
        assert_in_range(test[i], 2, 30);
        rarest += train[i] == 13;
        fewest = train[i] < fewest ? train[i] : fewest;
        most = train[i] > most ? train[i] : most;
        for (int j = 0; j < i; j++)
            assert_string_not_equal(individual_names[i], individual_names[j]);
    }
    assert_int_equal(rarest, 2);
    assert_int_equal(fewest, 13);
    assert_int_equal(most, 183);
    free(plan);
}

static void bursts_keep_to_one_split_one_individual_and_one_flank(void **state) {
    (void)state;
    Plan *plan = plan_new();
    const Shot **first = calloc((size_t)plan->bursts, sizeof(Shot *));
    assert_non_null(first);
    for (int i = 0; i < PICTURES; i++) {
        const Shot *shot = &plan->shots[i], **known = &first[shot->burst];
        if (!*known)
            *known = shot;
        assert_int_equal(shot->test, (*known)->test);
        assert_int_equal(shot->individual, (*known)->individual);
        assert_int_equal(shot->flank, (*known)->flank);
        assert_int_equal(shot->test, i >= TRAIN_PICTURES);
        assert_int_equal(shot->file, shot->test ? i - TRAIN_PICTURES + 1 : i + 1);
    }
    free(first);
    free(plan);
}

static int lines_of(const char *folder, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    int lines = 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void tables_hold_every_picture_and_every_ordered_pair(void **state) {
    (void)state;
    char folder[64];
    Plan *plan = plan_new();
    test_folder(folder);
    assert_true(write_folders(folder));
    assert_true(write_tables(folder, plan, 0));
    assert_int_equal(lines_of(folder, "train.csv"), 1 + 1895);
    assert_int_equal(lines_of(folder, "solution.csv"), 1 + 371);
    assert_int_equal(lines_of(folder, "test.csv"), 1 + 137270);
    assert_int_equal(lines_of(folder, "sample_submission.csv"), 1 + 137270);
    assert_int_equal(lines_of(folder, "facts.csv"), 1 + 1895 + 371);
    test_folder_gone(folder);
    free(plan);
}

/* `make` takes train.csv for the whole sample. */
static void train_csv_stands_only_where_all_else_does(void **state) {
    (void)state;
    char folder[64], path[128];
    Plan *plan = plan_new();
    test_folder(folder);
    assert_true(write_folders(folder));
    snprintf(path, sizeof path, "%s/solution.csv", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_false(write_tables(folder, plan, 0));
    snprintf(path, sizeof path, "%s/train.csv", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    test_folder_gone(folder);
    free(plan);
}

/* ---- pictures ---- */

typedef struct {
    const Plan *plan;
    const Body *body;
    Picture pictures[FROZEN];
} Easel;

static void *paint_frozen(void *argument) {
    Easel *easel = argument;
    Coat *coats = malloc(FLANKS * sizeof *coats);
    for (int i = 0; coats && i < FROZEN; i++) {
        int individual = easel->plan->shots[frozen[i].shot].individual;
        bool grown = true;
        for (int flank = 0; flank < FLANKS; flank++)
            grown = grown && coat_grow(&coats[flank], FROZEN_SEED, individual, flank);
        if (grown && !picture_paint(&easel->pictures[i], easel->body, coats, easel->plan, frozen[i].shot))
            easel->pictures[i] = (Picture){0};
    }
    free(coats);
    return NULL;
}

static void check_cut_out(const Picture *picture) {
    assert_non_null(picture->pixels);
    assert_in_range(picture->width, 20, 400);
    assert_in_range(picture->height, 20, 400);
    int seen = 0;
    for (int i = 0; i < picture->width * picture->height; i++) {
        const uint8_t *pixel = &picture->pixels[4 * i];
        assert_true(pixel[3] == 0 || pixel[3] == 255);
        assert_true(pixel[3] == 255 || (pixel[0] == 0 && pixel[1] == 0 && pixel[2] == 0));
        seen += pixel[3] == 255;
    }
    assert_true(seen * 8 > picture->width * picture->height);
}

static void pictures_are_the_same_bytes_on_every_thread_and_compiler(void **state) {
    (void)state;
    Plan *plan = plan_new();
    Body body;
    assert_true(body_make(&body));
    Easel easels[2] = {{plan, &body, {{0}}}, {plan, &body, {{0}}}};
    pthread_t helper;
    assert_int_equal(pthread_create(&helper, NULL, paint_frozen, &easels[0]), 0);
    paint_frozen(&easels[1]);
    pthread_join(helper, NULL);
    for (int i = 0; i < FROZEN; i++) {
        for (int easel = 0; easel < 2; easel++) {
            check_cut_out(&easels[easel].pictures[i]);
            assert_int_equal(picture_checksum(&easels[easel].pictures[i]), frozen[i].checksum);
            free(easels[easel].pictures[i].pixels);
        }
    }
    body_free(&body);
    free(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_the_contest),
        cmocka_unit_test(bursts_keep_to_one_split_one_individual_and_one_flank),
        cmocka_unit_test(tables_hold_every_picture_and_every_ordered_pair),
        cmocka_unit_test(train_csv_stands_only_where_all_else_does),
        cmocka_unit_test(pictures_are_the_same_bytes_on_every_thread_and_compiler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
