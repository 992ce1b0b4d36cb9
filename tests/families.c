/* families.c: what an `each` does to values: choices named, the best chosen, ancestors quoted, with numbers as if a run had found them. */
#include "trial.h"

#include <math.h>

/* The score of a member is what stands here behind its choice; an ancestor's is 0.5. */
static bool score_by_choice(void *context, const EvaluatePlan *plan, const char *field, double *number) {
    (void)context;
    static const struct { const char *choice; double map; } scores[] = {{"8px", 0.25}, {"16px", 0.75}, {"24px", 0.75}};
    if (strcmp(field, "map") != 0) return false;
    *number = 0.5;
    for (size_t i = 0; i < sizeof scores / sizeof *scores && plan->member.count; i++)
        if (!strcmp(plan->member.at[0].choice, scores[i].choice)) *number = scores[i].map;
    return true;
}

static const char animals[] = "dataset animals {\n  image \"{file}\"\n  table \"a.csv\"\n  identity \"{who}\"\n}\n"
                              "split halves {\n  data animals\n  folds 2\n  identities shared\n}\n"
                              "side = 8px\naugment plain(x: Image) -> Image { x |> fit(side) }\n"
                              "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, C] { x |> average_pool |> unit }\n"
                              "embed features {\n  network Eye\n  view plain\n}\nlikeness = cosine(features)\n"
                              "evaluate cv {\n  similarity likeness\n  on halves.held_out\n  metrics [map]\n}\n";

/* The document v02 over v01 (the animals), compiled. */
static Trial *story(const char *program) {
    Trial *trial = trial_new();
    Arena *arena = &trial->jre->forever;
    trial_file(trial, "v01.jre", arena_print(arena, "# One\n\n```jre\n%s```\n", animals));
    trial_document(trial, "v02.jre", arena_print(arena, "# Two\n\n```jre\nextends \"v01.jre\"\n%s\n```\n", program));
    return trial;
}

static void holds(const char *program, const char *expectation, bool wanted) {
    char text[2000];
    snprintf(text, sizeof text, "%s\nexpect %s", program, expectation);
    Trial *trial = story(text);
    if (!trial->good) fail_msg("%s:\n%s", expectation, test_messages(trial->jre));
    ResultSource source = {.metric = score_by_choice};
    Outcome outcome;
    assert_true(check_expectation(&trial->c, trial->c.expects.at[0], &(Member){0}, &source, &outcome));
    if (outcome.open || outcome.holds != wanted) fail_msg("%s: open %d, holds %d", expectation, outcome.open, outcome.holds);
    trial_free(trial);
}

static const char three[] = "change side = each [8px, 16px, 24px]";

static void a_choice_is_named_in_brackets(void **state) {
    (void)state;
    holds(three, "cv[side = 8px].map == 0.25", true);
    holds(three, "cv[side = 16px].map > cv[side = 8px].map", true);
    holds(three, "cv[side = 24px].map > cv[side = 16px].map", false);
}

static void the_best_is_the_first_of_the_highest(void **state) {
    (void)state;
    holds(three, "best(cv, by = map).map == 0.75", true);
    holds(three, "best(cv, by = map).side == 16px", true);
    holds(three, "best(cv).side == 24px", false);
}

static void an_ancestor_has_its_own_result(void **state) {
    (void)state;
    holds(three, "v01.cv.map == 0.5", true);
    holds(three, "best(cv, by = map).map > v01.cv.map", true);
    holds("change side = 16px", "cv.map == v01.cv.map", true);
}

static void a_score_may_be_near_a_number(void **state) {
    (void)state;
    holds("change side = 16px", "near(cv.map, 0.5, 1e-9)", true);
    holds("change side = 16px", "near(cv.map, 1 / 2 + 0.01, 1e-3)", false);
    holds("change side = 16px", "not near(v01.cv.map, 0.6, 1e-3)", true);
    Trial *trial = story("change side = 16px\nexpect sqrt(cv.map) == 1");          /* no other formula takes what is not known yet */
    assert_false(trial->good);
    test_message_says(trial->jre, "wrong_type", "a metric", NULL);
    trial_free(trial);
}

static bool was_not_run(void *context, const EvaluatePlan *plan, const char *field, double *number) {
    (void)context, (void)plan, (void)field, (void)number;
    return false;
}

static bool judged_nobody(void *context, const EvaluatePlan *plan, const char *field, double *number) {
    (void)context, (void)plan, (void)field;
    *number = NAN;
    return true;
}

/* An evaluation that was left out is another thing than one that found nobody to judge. */
static void a_probe_says_why_it_has_no_number(void **state) {
    (void)state;
    Trial *trial = story("change side = 16px\nprobe cv.map");
    assert_true(trial->good);
    static const struct { bool (*metric)(void *, const EvaluatePlan *, const char *, double *); const char *text; } cases[] = {
        {score_by_choice, "0.5"}, {was_not_run, "has no number: its evaluation has no result"}, {judged_nobody, "has no number: there was nothing to judge"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ResultSource source = {.metric = cases[i].metric};
        const char *name;
        assert_string_equal(probe_value(&trial->c, trial->c.probes.at[0], &(Member){0}, &source, &name), cases[i].text);
    }
    trial_free(trial);
}

static void equal_choices_are_equal_values(void **state) {
    (void)state;
    const char *networks = "network Small(x: Tensor[N, C, H, W], k: Int = 1) -> Embedding[N, C] where k > 0 { x |> average_pool |> unit }\n"
                           "eye = each [Small(k = 2), Small(k = 3)]\nchange features { network eye }\n";
    holds(networks, "best(cv, by = map).eye == Small(k = 2)", true);
    holds(networks, "best(cv, by = map).eye == Small(k = 3)", false);
    holds(networks, "cv[eye = Small(k = 3)].map == 0.5", true);
}

static void what_an_ancestor_quotes_is_planned_apart(void **state) {
    (void)state;
    Trial *trial = story("change side = 16px\nexpect cv.map >= v01.cv.map");
    assert_true(trial->good);
    assert_int_equal(trial->c.plan->evaluations.count, 2);
    int quoted = 0;
    for (int i = 0; i < 2; i++) quoted += trial->c.plan->evaluations.at[i]->quoted;
    assert_int_equal(quoted, 1);
    assert_int_equal(trial->c.plan->embeds.count, 2);
    trial_free(trial);
    trial = story("expect cv.map >= v01.cv.map");
    assert_int_equal(trial->c.plan->embeds.count, 1);              /* the same content is the same embed */
    trial_free(trial);
}

static void scores_are_sums_of_scores(void **state) {
    (void)state;
    Trial *trial = story("change likeness = (0.6 * cosine(features) + within_same(cosine(features), identity) / 2 - 1) - 0.1 * (2 * cosine(features))");
    assert_true(trial->good);
    const SimilarityPlan *mix = trial->c.plan->evaluations.at[0]->similarity;
    assert_int_equal(mix->kind, SCORE_MIX);
    assert_int_equal(mix->parts.count, 2);                         /* the same cosine is one part of a sum */
    assert_true(mix->weights.at[0] == 0.6 - 0.1 * 2 && mix->weights.at[1] == 0.5 && mix->constant == -1);
    assert_true(report_later(&trial->c));
    test_message_says(trial->jre, "not_yet", "sums of scores", NULL);
    trial_free(trial);
}

/* What an overlay decides is decided in the words of the document too. */
static void an_overlay_closes_a_choice(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Arena *arena = &trial->jre->forever;
    trial_file(trial, "v01.jre", arena_print(arena, "# One\n\n```jre\n%s```\n", animals));
    trial_with(trial, trial_file(trial, "small.jre", "# Small\n\n```jre\nchange side = 8px\n```\n"));
    bool good = trial_document(trial, "v02.jre", "# Two\n\n```jre\nextends \"v01.jre\"\nchange side = each [8px, 16px]\n"
        "submit entry {\n similarity likeness\n on animals\n pairs \"p.csv\"\n file \"{version}-{side}.csv\"\n}\n"
        "expect best(cv, by = map).side == side\nexpect cv[side = 16px].map <= v02.cv[side = 8px].map\n```\n");
    if (!good) fail_msg("%s", test_messages(trial->jre));
    assert_string_equal(trial->c.plan->submissions.at[0]->file, "v02-8px.csv");
    assert_int_equal(trial->c.plan->embeds.count, 1);
    trial_free(trial);
}

static void a_word_of_a_setting_opens_nothing(void **state) {
    (void)state;
    Trial *trial = story("shared = each [1, 2]\nwidth = each [8px, 16px]\nzero = each [3, 4]\nchange cv { lonely zero }\nchange animals { only width >= 50px }\nexpect cv.map > 10%");
    if (!trial->good) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(trial->c.plan->evaluations.count, 1);
    trial_free(trial);
}

static void a_training_that_is_called_is_its_network(void **state) {
    (void)state;
    Trial *trial = story("train learner { network Eye\n loss Far\n data halves.train\n view plain\n epochs 1 }\n"
                         "loss Far(e: Embedding[N, d]) -> Scalar {\n learn w: Tensor[d] ~ ones()\n mean over n, k of e[n, k] * w[k] }\n"
                         "network Twice(x: Tensor[N, C, H, W]) -> Embedding[N, _] { concat([x |> learner, learner(x)]) }\nchange features { network Twice }\n");
    if (!trial->good) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(trial->c.plan->embeds.at[0]->width, 6);
    assert_true(report_later(&trial->c));
    test_message_says(trial->jre, "not_yet", "training", "networks that are trained", NULL);
    trial_free(trial);
}

static void a_choice_may_be_a_split(void **state) {
    (void)state;
    Trial *trial = story("split strangers { data animals\n folds 3\n identities disjoint }\nprotocol = each [halves, strangers]\nchange cv { on protocol.held_out }\n"
                         "expect cv[protocol = strangers].map <= cv[protocol = halves].map");
    if (!trial->good) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(trial->c.plan->evaluations.count, 2);
    assert_string_equal(trial->c.plan->evaluations.at[1]->on.split->name, "strangers");
    trial_free(trial);
}

static void a_length_divided_by_a_length_is_a_number(void **state) {
    (void)state;
    holds("function next(k: Int) -> Int { k + 1 }", "next(224px / 32px) == 8", true);
    holds("function next(k: Int) -> Int { k + 1 }", "next(30deg / 10deg) == 4", true);
}

/* A thousand scores of which none is computed are not told one by one. */
static void what_comes_later_is_told_briefly(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    for (int i = 0; i < 1000; i++) text_add(&text, "evaluate e%d {\n  similarity 2 * cosine(features)\n  on halves.held_out\n  metrics [map]\n}\n", i);
    trial_file(trial, "v01.jre", arena_print(&trial->jre->forever, "# One\n\n```jre\n%s```\n", animals));
    assert_true(trial_document(trial, "v02.jre", arena_print(&trial->jre->forever, "# Two\n\n```jre\nextends \"v01.jre\"\n%s\n```\n", text.at)));
    assert_true(report_later(&trial->c));
    test_message_says(trial->jre, "not_yet", "and 959 more", NULL);
    text_free(&text);
    trial_free(trial);
}

static void a_dataset_may_be_of_several_tables(void **state) {
    (void)state;
    Trial *trial = story("tables = each [\"a.csv\", \"a.csv\"]\nchange animals { table tables\n only width > 5px\n burst \"{who}\" }\nchange cv { gallery not same(burst) }");
    if (!trial->good) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(trial->c.plan->evaluations.count, 2);
    trial_free(trial);
}

static void any_setting_may_be_a_choice(void **state) {
    (void)state;
    Trial *trial = story("draws = each [1, 2, 3]\nchange halves { seed draws }\ncounting = each [identity, query]\nchange cv { average counting }\n"
                         "expect cv[draws = 2, counting = query].map <= best(cv, by = map).map");
    if (!trial->good) fail_msg("%s", test_messages(trial->jre));
    const Plan *plan = trial->c.plan;
    assert_int_equal(plan->evaluations.count, 6);
    assert_int_equal(plan->splits.count, 3);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(plan->evaluations.at[i]->on.split->seed, 1 + i / 2);
        assert_int_equal(plan->evaluations.at[i]->average_identity, i % 2 == 0);
    }
    trial_free(trial);
}

/* Each choice is called by its name once, not once for each other choice of each member. */
static void a_thousand_members_are_told_apart(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    for (int i = 0; i < 1000; i++) text_add(&text, "%s%d", i ? ", " : "", i);
    trial_file(trial, "v01.jre", arena_print(&trial->jre->forever, "# One\n\n```jre\n%s```\n", animals));
    const char *document = arena_print(&trial->jre->forever, "# Two\n\n```jre\nextends \"v01.jre\"\nk = each [%s]\nchange likeness = k * cosine(features)\nprobe cv\n```\n", text.at);
    if (!trial_document(trial, "v02.jre", document)) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(trial->c.plan->evaluations.count, 1000);
    assert_string_equal(trial->c.plan->evaluations.at[999]->member.at[0].choice, "999");
    assert_true(trial->c.arena.used_in_total < 100u << 20);            /* 20 MiB; 430 when each was called anew */
    text_free(&text);
    trial_free(trial);
}

static void a_line_of_a_thousand_councils_is_refused(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    for (int i = 1; i <= 1000; i++)
        text_add(&text, "ensemble c%d { members [%s] }\n", i, i < 1000 ? arena_print(&trial->jre->forever, "c%d", i + 1) : "likeness");
    trial_file(trial, "v01.jre", arena_print(&trial->jre->forever, "# One\n\n```jre\n%s```\n", animals));
    assert_false(trial_document(trial, "v02.jre", arena_print(&trial->jre->forever, "# Two\n\n```jre\nextends \"v01.jre\"\n%s\n```\n", text.at)));
    test_message_says(trial->jre, "too_deep", NULL);
    text_free(&text);
    trial_free(trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_is_named_in_brackets),
        cmocka_unit_test(the_best_is_the_first_of_the_highest),
        cmocka_unit_test(an_ancestor_has_its_own_result),
        cmocka_unit_test(a_score_may_be_near_a_number),
        cmocka_unit_test(a_probe_says_why_it_has_no_number),
        cmocka_unit_test(equal_choices_are_equal_values),
        cmocka_unit_test(what_an_ancestor_quotes_is_planned_apart),
        cmocka_unit_test(scores_are_sums_of_scores),
        cmocka_unit_test(an_overlay_closes_a_choice),
        cmocka_unit_test(a_word_of_a_setting_opens_nothing),
        cmocka_unit_test(a_training_that_is_called_is_its_network),
        cmocka_unit_test(a_choice_may_be_a_split),
        cmocka_unit_test(a_length_divided_by_a_length_is_a_number),
        cmocka_unit_test(what_comes_later_is_told_briefly),
        cmocka_unit_test(a_dataset_may_be_of_several_tables),
        cmocka_unit_test(any_setting_may_be_a_choice),
        cmocka_unit_test(a_thousand_members_are_told_apart),
        cmocka_unit_test(a_line_of_a_thousand_councils_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
