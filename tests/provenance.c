/* provenance.c: which pictures made a value what it is: the influences on every kind of value, what two parts have in common by the plan and by
 * the pictures themselves, and that the edits which are offered as safe leave nothing to find. */
#include "trial.h"

#include "../runtime/runtime.h"

/* ---- documents ------------------------------------------------------------------------------------------------------------ */

static const char animals[] =
    "use heads\n"
    "dataset animals { table \"animals.csv\"\n image \"{file}\"\n identity \"{name}\" }\n"
    "dataset strangers { table \"strangers.csv\"\n image \"{file}\"\n identity \"{name}\" }\n"
    "split folds { data animals\n folds 3\n identities shared\n validate 20%\n seed 7 }\n"
    "split parts { data animals\n shares [train = 60%, validate = 20%, test = 20%]\n identities shared }\n"
    "split again { data animals\n shares [80%, 20%]\n identities shared\n seed 3 }\n"
    "split inner { data parts.train\n shares [80%, 20%]\n identities shared }\n"
    "augment plain(x: Image) -> Image[8px, 8px] { x |> fit(8px) }\n"
    "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, 4] { x |> average_pool |> linear(4) |> unit }\n"
    "network Plain(x: Tensor[N, C, H, W]) -> Embedding[N, C] { x |> average_pool |> unit }\n"
    "embed untaught { network Plain\n view plain }\n";

static const char *with_animals(Trial *trial, const char *rest) { return arena_print(&trial->jre->forever, "%s%s", animals, rest); }

static const char *learner_on(Trial *trial, const char *name, const char *data, const char *more) {
    return arena_print(&trial->jre->forever, "train %s { network Eye\n loss Softmax\n data %s\n view plain\n epochs 3\n %s }\nembed seen_by_%s { network %s\n view plain }\n", name, data, more, name, name);
}

/* "council < judge: folds.others", one a line, the nearest first. */
static void assert_influences(Trial *trial, PlanValue value, const char *expected) {
    static const char *const kinds[] = {"learns", "stops", "keeps", "judges", "fits"};
    Arena *arena = &trial->jre->forever;
    InfluenceList found = {0};
    const char *text = "";
    influences_on(&trial->c, value, &found);
    for (int i = 0; i < found.count; i++) {
        const Influence *influence = &found.at[i];
        const PartPlan *part = influence->pictures;
        for (int k = 0; k < influence->way.count; k++) text = arena_print(arena, "%s%s%s", text, k ? " < " : "", influence->way.at[k]);
        text = arena_print(arena, "%s %s %s%s%s\n", text, kinds[influence->kind], part->split ? part->split->name : part->dataset->name, part->split ? "." : "", part->split ? part->part : "");
    }
    assert_string_equal(text, expected);
}

static const SimilarityPlan *score_of(const Trial *trial, const char *evaluation) {
    for (int i = 0; i < trial->c.plan->evaluations.count; i++)
        if (!strcmp(trial->c.plan->evaluations.at[i]->name, evaluation)) return trial->c.plan->evaluations.at[i]->similarity;
    fail_msg("no evaluation is called %s", evaluation);
    return NULL;
}

static void a_training_knows_its_pictures_and_those_that_are_watched(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_sound(trial, with_animals(trial, learner_on(trial, "learner", "folds.train", "stop when(folds.validate, map, patience = 3)\n keep best(folds.validate, by = map)")));
    const Plan *plan = trial->c.plan;
    assert_influences(trial, (PlanValue){.train = plan->trains.at[0]}, "learner learns folds.train\nlearner stops folds.validate\nlearner keeps folds.validate\n");
    assert_influences(trial, (PlanValue){.embed = plan->embeds.at[0]}, "");
    assert_influences(trial, (PlanValue){.embed = plan->embeds.at[1]},
                      "seen_by_learner < learner learns folds.train\nseen_by_learner < learner stops folds.validate\nseen_by_learner < learner keeps folds.validate\n");
    trial_free(trial);
}

static void weights_to_begin_with_and_networks_inside_carry_their_pictures_on(void **state) {
    (void)state;
    Trial *trial = trial_new();
    const char *rest = arena_print(&trial->jre->forever, "%s%s%s", learner_on(trial, "first", "strangers", ""), learner_on(trial, "second", "folds.train", "start first"),
                                   "network Both(x: Tensor[N, C, H, W]) -> Embedding[N, _] { concat([x |> first, x |> second]) |> unit }\nembed both { network Both\n view plain }\n");
    trial_sound(trial, with_animals(trial, rest));
    const Plan *plan = trial->c.plan;
    const EmbedPlan *both = plan->embeds.at[plan->embeds.count - 1];
    assert_influences(trial, (PlanValue){.train = plan->trains.at[1]}, "second learns folds.train\nsecond < first learns strangers\n");
    assert_influences(trial, (PlanValue){.embed = both}, "both < first learns strangers\nboth < second learns folds.train\n");
    assert_ptr_equal(both->folds, plan->splits.at[0]);             /* a network in it is trained once for each fold: so is it */
    trial_free(trial);
}

static void judges_and_councils_add_what_they_are_fitted_on(void **state) {
    (void)state;
    Trial *trial = trial_new();
    const char *rest = arena_print(&trial->jre->forever, "%s%s", learner_on(trial, "learner", "folds.train", ""),
                                   "boost judge { evidence [cosine(seen_by_learner), cosine(untaught)]\n target same(identity)\n fit_on folds.others }\n"
                                   "ensemble even { members [judge, cosine(untaught)]\n combine rank_average }\n"
                                   "ensemble council { members [cosine(untaught), judge]\n combine rank_average\n weights learned\n fit_on folds.others\n shortlist cosine(seen_by_learner) }\n"
                                   "dataset test { image \"*.png\" }\n"
                                   "evaluate plainly { similarity cosine(untaught)\n on folds.held_out\n metrics [map] }\n"
                                   "evaluate evenly { similarity even\n on folds.held_out\n metrics [map] }\n"
                                   "submit entry { similarity council\n on test\n file \"entry.csv\" }\n");
    trial_sound(trial, with_animals(trial, rest));
    const Plan *plan = trial->c.plan;
    assert_influences(trial, (PlanValue){.score = score_of(trial, "plainly")}, "");
    assert_influences(trial, (PlanValue){.boost = plan->boosts.at[0]}, "judge judges folds.others\njudge < seen_by_learner < learner learns folds.train\n");
    assert_influences(trial, (PlanValue){.score = score_of(trial, "evenly")}, "even < judge judges folds.others\neven < judge < seen_by_learner < learner learns folds.train\n");
    /* By way of the shortlist it is nearer than by way of the judge. */
    const char *council = "council fits folds.others\ncouncil < judge judges folds.others\ncouncil < seen_by_learner < learner learns folds.train\n";
    assert_influences(trial, (PlanValue){.ensemble = plan->ensembles.at[1]}, council);
    assert_influences(trial, (PlanValue){.score = plan->submissions.at[0]->similarity}, council);
    Text text = {.jre = trial->jre};
    print_influences(&trial->c, "entry", plan->submissions.at[0]->similarity, &text);
    assert_string_equal(text.at, "         entry <- council <- folds.others\n"
                                 "         entry <- council <- judge <- folds.others\n"
                                 "         entry <- council <- seen_by_learner <- learner <- folds.train\n");
    text_free(&text);
    trial_free(trial);
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------- */

static PartPlan part_called(const Trial *trial, const char *name, int fold) {
    const Plan *plan = trial->c.plan;
    const char *dot = strchr(name, '.');
    for (int i = 0; !dot && i < plan->datasets.count; i++)
        if (!strcmp(plan->datasets.at[i]->name, name)) return (PartPlan){.dataset = plan->datasets.at[i]};
    for (int i = 0; dot && i < plan->splits.count; i++)
        if (!strncmp(plan->splits.at[i]->name, name, (size_t)(dot - name)) && !plan->splits.at[i]->name[dot - name])
            return (PartPlan){.dataset = plan->splits.at[i]->data, .split = plan->splits.at[i], .part = dot + 1, .fold = fold};
    fail_msg("there is no %s", name);
    return (PartPlan){0};
}

static void the_plan_knows_which_parts_have_pictures_in_common(void **state) {
    (void)state;
    static const struct { const char *a; int fold_a; const char *b; int fold_b; PartsRelation relation; } cases[] = {
        {"folds.train", 0, "folds.held_out", 0, PARTS_APART}, {"folds.validate", 0, "folds.held_out", 0, PARTS_APART}, {"folds.others", 0, "folds.held_out", 0, PARTS_APART},
        {"folds.train", 0, "folds.validate", 0, PARTS_APART}, {"folds.others", 0, "folds.train", 0, PARTS_SHARE}, {"folds.others", 0, "folds.validate", 0, PARTS_UNKNOWN},
        {"folds.held_out", 0, "folds.held_out", 0, PARTS_SAME}, {"folds.train", 0, "folds.train", 0, PARTS_SAME},
        {"folds.held_out", 1, "folds.held_out", 0, PARTS_APART}, {"folds.held_out", 2, "folds.held_out", 0, PARTS_SAME}, {"folds.train", 1, "folds.held_out", 0, PARTS_SHARE},
        {"folds.others", 1, "folds.held_out", 0, PARTS_SHARE}, {"folds.validate", 1, "folds.held_out", 0, PARTS_UNKNOWN}, {"folds.train", 1, "folds.train", 3, PARTS_SHARE},
        {"animals", 0, "folds.held_out", 0, PARTS_SHARE}, {"animals", 0, "animals", 0, PARTS_SAME}, {"strangers", 0, "animals", 0, PARTS_UNKNOWN},
        {"parts.train", 0, "parts.test", 0, PARTS_APART}, {"parts.test", 0, "parts.test", 0, PARTS_SAME}, {"parts.train", 0, "folds.held_out", 0, PARTS_UNKNOWN},
        {"parts.train", 0, "again.test", 0, PARTS_UNKNOWN}, {"inner.train", 0, "parts.test", 0, PARTS_APART}, {"inner.test", 0, "parts.train", 0, PARTS_SHARE},
        {"inner.train", 0, "inner.test", 0, PARTS_APART}, {"inner.train", 0, "animals", 0, PARTS_SHARE}, {"inner.train", 0, "again.test", 0, PARTS_UNKNOWN},
    };
    Trial *trial = trial_new();
    trial_sound(trial, animals);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const PartPlan a = part_called(trial, cases[i].a, cases[i].fold_a), b = part_called(trial, cases[i].b, cases[i].fold_b);
        if (parts_relation(&trial->c, &a, &b, 2) != cases[i].relation || parts_relation(&trial->c, &b, &a, 2) != cases[i].relation)
            fail_msg("%s of fold %d and %s of fold %d", cases[i].a, cases[i].fold_a, cases[i].b, cases[i].fold_b);
    }
    trial_free(trial);
}

/* ---- what the data are asked ------------------------------------------------------------------------------------------------------ */

static int asked;
static MetFacts answer;

static bool count_met(void *context, const PartPlan *learned, const PartPlan *examined, int fold, MetFacts *facts) {
    (void)context, (void)learned, (void)examined, (void)fold;
    asked++;
    *facts = answer;
    return true;
}

static bool no_copies(void *context, const PartPlan *part, int fold, CopyFacts *facts) {
    (void)context, (void)part, (void)fold;
    *facts = (CopyFacts){0};
    return true;
}

/* Checked with pictures of which `answer` is said; each text is a file of its own, as a file is read once. */
static bool checked(Trial *trial, const char *chunk, bool with_data) {
    Arena *arena = &trial->jre->forever;
    trial->request.path = trial_file(trial, arena_print(arena, "v%02d.jre", trial->written.count), arena_print(arena, "# Trial\n\n```jre\n%s\n```\n", chunk));
    compilation_free(&trial->c);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    Facts facts = fake_facts(&trial->files);
    facts.met = count_met;
    facts.copies = no_copies;
    asked = 0;
    return compile(&trial->c, trial->jre, &trial->request, &facts, with_data);
}

static const char *evaluated_on(Trial *trial, const char *learned, const char *on) {
    return with_animals(trial, arena_print(&trial->jre->forever, "%sevaluate cv { similarity cosine(seen_by_learner)\n on %s\n metrics [map] }\n", learner_on(trial, "learner", learned, ""), on));
}

static void the_data_are_asked_only_where_the_plan_cannot_say(void **state) {
    (void)state;
    answer = (MetFacts){.of = 10};
    Trial *trial = trial_new();
    assert_true(checked(trial, evaluated_on(trial, "folds.train", "folds.held_out"), true));
    assert_int_equal(asked, 0);
    assert_true(checked(trial, evaluated_on(trial, "parts.train", "parts.test"), true));
    assert_int_equal(asked, 0);
    assert_true(checked(trial, evaluated_on(trial, "parts.train", "folds.held_out"), true));
    assert_int_equal(asked, 3);                                    /* once in each fold */
    assert_true(checked(trial, evaluated_on(trial, "parts.train", "folds.held_out"), false));
    assert_true(checked(trial, evaluated_on(trial, "strangers", "folds[2].held_out"), true));
    assert_int_equal(asked, 1);
    assert_true(checked(trial, evaluated_on(trial, "folds.train", "strangers"), true));
    assert_int_equal(asked, 1);                                    /* outside of the split one network serves, which learned from every picture */
    trial_free(trial);
}

/* Evaluations of one part, and trainings on one, whatever they are called. */
static void the_data_are_asked_once_about_the_same_pictures(void **state) {
    (void)state;
    answer = (MetFacts){.of = 10};
    Trial *trial = trial_new();
    Arena *arena = &trial->jre->forever;
    const char *twenty = arena_print(arena, "%s%sembed twin { network second\n view plain }\n", learner_on(trial, "learner", "parts.train", ""), "train second like learner { seed 8 }\n");
    for (int i = 0; i < 20; i++) twenty = arena_print(arena, "%sevaluate cv%d { similarity cosine(%s)\n on folds.held_out\n metrics [map] }\n", twenty, i, i % 2 ? "twin" : "seen_by_learner");
    if (!checked(trial, with_animals(trial, twenty), true)) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(asked, 3);                                    /* once in each fold */
    trial_free(trial);
}

static void what_is_found(const char *learned, const char *on, MetFacts met, const char *code, const char *words) {
    Trial *trial = trial_new();
    answer = met;
    assert_false(checked(trial, evaluated_on(trial, learned, on), true));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    test_message_says(trial->jre, code, words, NULL);
    trial_free(trial);
}

static void what_they_answer_is_told_with_the_way(void **state) {
    (void)state;
    const TornPair pair = {.first = {.file = "q.png", .individual = "Ana"}, .second = {.file = "a.png", .individual = "Ana"}, .bits = 3};
    what_is_found("strangers", "folds.held_out", (MetFacts){.of = 10, .same = 4, .same_pair = pair}, "tuned_on_the_yardstick", "cv <- seen_by_learner <- learner <- strangers <- a.png");
    what_is_found("strangers", "folds.held_out", (MetFacts){.of = 10, .alike = 4, .within = 8, .alike_pair = pair}, "leaking_burst", "cv <- seen_by_learner <- learner <- strangers <- a.png");
    what_is_found("folds.train", "strangers", (MetFacts){.of = 10, .alike = 1, .within = 8, .alike_pair = pair}, "leaking_burst", "1 of these pictures has a double that was learned from");
    what_is_found("folds.held_out", "folds.held_out", (MetFacts){.of = 10, .same = 10, .same_pair = pair}, "tuned_on_the_yardstick", "10 of the 10 pictures that `cv` examines in fold 1 are in both");
}

/* ---- edits ------------------------------------------------------------------------------------------------------------------------ */

/* The one finding of a document, its first edit applied: it is safe, and leaves nothing to find. */
static void mended(const char *chunk_before, const char *part, const char *chunk_behind, const char *instead) {
    Trial *trial = trial_new();
    const char *chunk = with_animals(trial, arena_print(&trial->jre->forever, "%s%s%s", chunk_before, part, chunk_behind));
    answer = (MetFacts){0};
    assert_false(checked(trial, chunk, true));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    const Diagnostic *d = trial->jre->diagnostics.at[0];
    assert_int_equal(d->code, DIAG_tuned_on_the_yardstick);
    assert_true(d->helps.at[0].safe);
    assert_string_equal(span_text(trial->jre, d->helps.at[0].edit), part);
    assert_string_equal(d->helps.at[0].replacement, instead);
    diag_forget(trial->jre);
    assert_true(checked(trial, with_animals(trial, arena_print(&trial->jre->forever, "%s%s%s", chunk_before, instead, chunk_behind)), true));
    trial_free(trial);
}

static void safe_edits_leave_nothing_to_find(void **state) {
    (void)state;
    static const char train[] = "train learner { network Eye\n loss Softmax\n view plain\n epochs 3\n data ", seen[] = " }\nembed seen { network learner\n view plain }\nevaluate cv { similarity cosine(seen)\n on ";
    static const char boost[] = "boost judge { evidence [cosine(untaught)]\n target same(identity)\n fit_on ";
    static const char on_folds[] = "folds.held_out\n metrics [map] }\n", on_parts[] = "parts.test\n metrics [map] }\n", judged[] = " }\nevaluate cv { similarity judge\n on ";
    Trial *trial = trial_new();                                    /* for its memory */
    Arena *arena = &trial->jre->forever;
    mended(train, "animals", arena_print(arena, "%s%s", seen, on_folds), "folds.train");
    mended(train, "folds.held_out", arena_print(arena, "%s%s", seen, on_folds), "folds.train");
    mended(train, "animals", arena_print(arena, "%s%s", seen, on_parts), "parts.train");
    mended(boost, "animals", arena_print(arena, "%s%s", judged, on_folds), "folds.others");
    mended(boost, "parts.test", arena_print(arena, "%s%s", judged, on_parts), "parts.validate");
    mended(arena_print(arena, "%sfolds.train\n keep best(", train), "folds.held_out", arena_print(arena, ")%s%s", seen, on_folds), "folds.validate");
    mended(arena_print(arena, "%sparts.train\n stop when(", train), "parts.test", arena_print(arena, ", map, patience = 2)%s%s", seen, on_parts), "parts.validate");
    trial_free(trial);
}

/* ---- the pictures themselves ------------------------------------------------------------------------------------------------------- */

enum { MOST = 16 };
typedef struct { Dataset dataset; DatasetPlan plan; Picture pictures[MOST]; int which[MOST]; PictureRows rows; } Shelf;

static Shelf *shelf_new(Arena *arena) {
    Shelf *shelf = arena_new(arena, Shelf);
    shelf->plan.within = 8;
    shelf->dataset = (Dataset){.plan = &shelf->plan, .pictures = shelf->pictures, .hashed = true};
    shelf->rows.which = shelf->which;
    return shelf;
}

static Picture *put(Shelf *shelf, const char *file, const char *bytes, uint64_t likeness, int burst) {
    const int row = shelf->dataset.count++;
    shelf->pictures[row] = (Picture){.file = file, .content_hash = bytes, .identity = "Ana", .phash = likeness, .dhash = likeness * UINT64_C(0x0101010101010101), .unit = burst};
    shelf->which[shelf->rows.count++] = row;
    return &shelf->pictures[row];
}

static RowsOf rows_on(const Shelf *shelf) { return (RowsOf){&shelf->dataset, &shelf->rows}; }

static void equal_bytes_are_one_picture_and_few_bits_a_double(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Arena arena = {.jre = jre};
    Shelf *learned = shelf_new(&arena), *examined = shelf_new(&arena);
    put(learned, "a.png", "1", 0, 0), put(learned, "b.png", "2", UINT64_C(0xffffffff), 1), put(learned, "copy of a.png", "1", 0, 0);
    put(examined, "c.png", "3", UINT64_C(0xffffffffffff0000), 0), put(examined, "d.png", "4", 7, 1), put(examined, "e.png", "1", 0, 2), put(examined, "f.png", "5", 1, 3);
    MetFacts met;
    find_met(jre, rows_on(learned), rows_on(examined), &met);
    assert_int_equal(met.of, 4);
    assert_int_equal(met.same, 1);
    assert_string_equal(met.same_pair.first.file, "e.png");
    assert_string_equal(met.same_pair.second.file, "a.png");
    assert_int_equal(met.alike, 2);
    assert_string_equal(met.alike_pair.first.file, "f.png");       /* the closest */
    assert_int_equal(met.alike_pair.bits, 1);
    assert_int_equal(met.within, 8);
    arena_free(&arena);
    jre_free(jre);
}

static void two_names_are_doubles_if_both_hashes_say_so(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Arena arena = {.jre = jre};
    Shelf *learned = shelf_new(&arena), *examined = shelf_new(&arena);
    MetFacts met;
    put(learned, "a.png", "1", 0, 0);
    Picture *other = put(examined, "b.png", "2", 3, 0);
    find_met(jre, rows_on(learned), rows_on(examined), &met);
    assert_int_equal(met.alike, 1);
    other->identity = "Bo";
    find_met(jre, rows_on(learned), rows_on(examined), &met);
    assert_int_equal(met.alike, 0);                                /* by chance */
    other->dhash = 1;
    find_met(jre, rows_on(learned), rows_on(examined), &met);
    assert_int_equal(met.alike, 1);
    arena_free(&arena);
    jre_free(jre);
}

static void within_a_dataset_bursts_are_doubles_too(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Arena arena = {.jre = jre};
    Shelf *shelf = shelf_new(&arena);
    shelf->plan.burst = BURST_TIME;
    put(shelf, "a.png", "1", 0, 0), put(shelf, "b.png", "2", UINT64_C(0xffffffff), 0), put(shelf, "c.png", "3", UINT64_C(0xffffffff00000000), 1);
    int first[] = {0}, rest[] = {1, 2};
    PictureRows learned = {first, 1}, examined = {rest, 2};
    MetFacts met;
    find_met(jre, (RowsOf){&shelf->dataset, &learned}, (RowsOf){&shelf->dataset, &examined}, &met);
    assert_int_equal(met.same, 0);
    assert_int_equal(met.alike, 1);
    assert_string_equal(met.alike_pair.first.file, "b.png");
    assert_int_equal(met.alike_pair.bits, 32);
    arena_free(&arena);
    jre_free(jre);
}

static void copies_are_counted_in_pairs(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Arena arena = {.jre = jre};
    Shelf *shelf = shelf_new(&arena);
    CopyFacts copies;
    put(shelf, "a.png", "1", 0, 0), put(shelf, "b.png", "2", 1, 1);
    find_copies(jre, rows_on(shelf), &copies);
    assert_int_equal(copies.pairs, 0);
    put(shelf, "c.png", "2", 1, 2), put(shelf, "d.png", "1", 0, 3), put(shelf, "e.png", "1", 0, 4);
    find_copies(jre, rows_on(shelf), &copies);
    assert_int_equal(copies.pairs, 4);                             /* three of one picture, two of another */
    assert_string_equal(copies.example.first.file, "b.png");
    assert_string_equal(copies.example.second.file, "c.png");
    arena_free(&arena);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_training_knows_its_pictures_and_those_that_are_watched),
        cmocka_unit_test(weights_to_begin_with_and_networks_inside_carry_their_pictures_on),
        cmocka_unit_test(judges_and_councils_add_what_they_are_fitted_on),
        cmocka_unit_test(the_plan_knows_which_parts_have_pictures_in_common),
        cmocka_unit_test(the_data_are_asked_only_where_the_plan_cannot_say),
        cmocka_unit_test(the_data_are_asked_once_about_the_same_pictures),
        cmocka_unit_test(what_they_answer_is_told_with_the_way),
        cmocka_unit_test(safe_edits_leave_nothing_to_find),
        cmocka_unit_test(equal_bytes_are_one_picture_and_few_bits_a_double),
        cmocka_unit_test(two_names_are_doubles_if_both_hashes_say_so),
        cmocka_unit_test(within_a_dataset_bursts_are_doubles_too),
        cmocka_unit_test(copies_are_counted_in_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
