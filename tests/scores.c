/* scores.c: check_spaces.c, check_scores.c and check_batches.c: what is told and what is not, by how much, and that each edit mends it. */
#include "trial.h"

#include <math.h>

static const char world[] =
    "use heads\n"
    "dataset animals {\n table \"t.csv\"\n image \"{file}\"\n identity \"{who}\"\n keep [sex]\n}\n"
    "dataset elsewhere {\n table \"e.csv\"\n image \"{file}\"\n identity \"{who}\"\n keep [sex]\n}\n"
    "split folds {\n data animals\n folds 5\n identities shared\n together burst\n}\n"
    "split parts {\n data animals\n shares [80%, 10%, 10%]\n identities shared\n together burst\n}\n"
    "split inner {\n data parts.train\n folds 3\n identities shared\n together burst\n}\n"
    "augment plain(x: Image) -> Image { x |> fit(8px) }\n"
    "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, C] { x |> average_pool |> unit }\n"
    "network Dots(x: Tensor[N, C, H, W]) -> Tensor[N, H, C] {\n p[n, k, d] = mean over w of x[n, d, k, w]\n p\n}\n"
    "network Near(x: Tensor[N, K, d]) -> Tensor[N, K, d] { x }\n"
    "network Learner(x: Tensor[N, C, H, W]) -> Embedding[N, 4] { x |> average_pool |> linear(4) |> unit }\n"
    "embed features {\n network Eye\n view plain\n}\n"
    "embed local {\n network Dots\n view plain\n}\n"
    "train learner {\n network Learner\n loss Softmax\n data folds.train\n view plain\n epochs 3\n}\n"
    "embed learned {\n network learner\n view plain\n}\n"
    "train deeper {\n network Learner\n loss Softmax\n data inner.train\n view plain\n epochs 3\n}\n"
    "embed deep {\n network deeper\n view plain\n}\n"
    "points = matches(local, by = Near, shortlist = cosine(features), top = 50)\n"
    "boost judge {\n evidence [cosine(features), gap(features)]\n target same(identity)\n fit_on folds.others\n}\n"
    "ensemble vote {\n members [cosine(features), points]\n combine rank_average\n}\n"
    "ensemble council {\n members [cosine(features), points]\n calibrate isotonic\n fit_on folds.others\n}\n";

static const int *of_each;
static int individuals;

static bool some_part(void *context, const PartPlan *part, PartFacts *facts) {
    (void)context, (void)part;
    *facts = (PartFacts){.individuals = individuals, .of_each = of_each};
    for (int i = 0; i < individuals; i++) {
        facts->pictures += of_each[i];
        facts->singletons += of_each[i] == 1;
    }
    return true;
}

/* No two files are alike. */
static const char *name_as_hash(void *context, const char *path, Span asked_at) {
    (void)context, (void)asked_at;
    return path;
}

/* Compiles a file beside those that were written before. */
static void document(Trial *trial, const char *name, const char *text) {
    trial->request.path = trial_file(trial, name, text);
    compilation_free(&trial->c);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    Facts facts = fake_facts(&trial->files);
    facts.content_hash = name_as_hash;
    facts.part = of_each ? some_part : NULL;
    trial->good = compile(&trial->c, trial->jre, &trial->request, &facts, true);
}

static const char *page(Trial *trial, const char *first, const char *more) { return arena_print(&trial->jre->forever, "# Trial\n\n```jre\n%s%s\n```\n", first, more); }

static const char in_the_world[] = "extends \"world.jre\"\n";

/* The document above all; what nothing uses there is told of it, not of those that extend it. */
static Trial *trial_in_the_world(void) {
    Trial *trial = trial_new();
    trial_file(trial, "world.jre", page(trial, world, ""));
    return trial;
}

static int told(const Trial *trial, const char *code) {
    int count = 0;
    for (int i = 0; i < trial->jre->diagnostics.count; i++) count += !strcmp(diag_rows[trial->jre->diagnostics.at[i]->code].name, code);
    return count;
}

/* Of these codes `code` alone is told, or none where it is NULL. */
static void tells(const char *more, const char *const *codes, const char *code) {
    Trial *trial = trial_in_the_world();
    document(trial, "v01.jre", page(trial, in_the_world, more));
    for (; *codes; codes++)
        if ((told(trial, *codes) > 0) != (code && !strcmp(*codes, code))) fail_msg("%s\n%s", more, test_messages(trial->jre));
    if (!code && !trial->good) fail_msg("%s\n%s", more, test_messages(trial->jre));
    trial_free(trial);
}

/* ---- scales ------------------------------------------------------------------------------------------------------------------ */

static const char *evaluated(const char *similarity, const char *metrics) {
    static char text[1000];
    snprintf(text, sizeof text, "evaluate tried {\n similarity %s\n on folds.held_out\n metrics [%s]\n}", similarity, metrics);
    return text;
}

static void scores_of_one_scale_add_up(void **state) {
    (void)state;
    static const struct { const char *similarity; bool mixed; } cases[] = {
        {"cosine(features) + 0.5 * cosine(learned)", false}, {"(cosine(features) + 1) / 2", false}, {"points - 2 * points", false}, {"judge + judge", false},
        {"council + judge", false}, {"0.5 * cosine(features) + judge", true}, {"cosine(features) + points", true}, {"vote + cosine(features)", true},
        {"council + points", true}, {"within_same(cosine(features), sex) + judge", true}, {"within_same(cosine(features) + judge, sex)", true},
        {"within_same(cosine(features), sex) + cosine(learned)", false},
    };
    static const char *const codes[] = {"mixed_scores", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) tells(evaluated(cases[i].similarity, "map"), codes, cases[i].mixed ? "mixed_scores" : NULL);
}

static void members_are_calibrated_or_ranked_or_alike(void **state) {
    (void)state;
    static const struct { const char *settings; bool mixed; } cases[] = {
        {"members [cosine(features), points]", true}, {"members [judge, cosine(features)]\n combine mean\n weights [0.5, 0.5]", true}, {"members [points, cosine(features), points]", true},
        {"members [cosine(features), cosine(learned)]", false}, {"members [cosine(features), points]\n combine rank_average", false},
        {"members [cosine(features), points]\n calibrate logistic\n fit_on folds.others", false}, {"members [council, judge]", false}, {"members [council, vote]", true},
    };
    static const char *const codes[] = {"mixed_scores", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        snprintf(text, sizeof text, "ensemble mine {\n %s\n}", cases[i].settings);
        tells(text, codes, cases[i].mixed ? "mixed_scores" : NULL);
    }
}

static void a_threshold_needs_a_score_that_means_something(void **state) {
    (void)state;
    static const struct { const char *similarity, *metrics, *code; } cases[] = {
        {"cosine(features)", "map, rank1", NULL}, {"cosine(features)", "assigned(at = 0.4)", "bare_threshold"}, {"within_same(cosine(features), sex)", "assigned(at = 0.4)", "bare_threshold"},
        {"0.6 * cosine(features) + 0.4 * cosine(learned)", "map, false_matches(at = 0.4)", "bare_threshold"}, {"judge", "assigned(at = 0.4)", NULL}, {"council", "assigned(at = 0.4)", NULL},
        {"points", "assigned(at = 20)", NULL}, {"points + points", "assigned(at = 20)", NULL},         /* one count, twice as high */
        {"points + matches(local, by = Near, shortlist = cosine(features), top = 20)", "assigned(at = 20)", "metric_needs"}, {"vote", "false_matches(at = 0.4)", "metric_needs"}, {"vote", "map", NULL},
        {"within_same(2 * vote, sex)", "assigned(at = 0.4)", "metric_needs"}, {"cosine(features) + judge", "assigned(at = 0.4)", "mixed_scores"},
        {"within_same(points + judge, sex)", "assigned(at = 0.4)", "mixed_scores"}, {"0.5 * vote + 0.5 * cosine(features)", "assigned(at = 0.4)", "mixed_scores"},
    };
    static const char *const codes[] = {"bare_threshold", "metric_needs", "mixed_scores", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) tells(evaluated(cases[i].similarity, cases[i].metrics), codes, cases[i].code);
}

static void a_filter_stands_before_the_shortlist(void **state) {
    (void)state;
    static const struct { const char *similarity; bool told; } cases[] = {
        {"within_same(points, sex)", true}, {"within_same(cosine(features), sex)", false}, {"points", false}, {"within_same(vote, sex)", true}, {"within_same(points + points, sex)", true},
        {"within_same(matches(local, by = Near, shortlist = within_same(cosine(features), sex)), sex)", false},
        {"within_same(matches(local, by = Near, shortlist = within_same(cosine(features), who)), sex)", true}, {"within_same(within_same(vote, sex), sex)", true},
        {"within_same(matches(local, by = Near, shortlist = cosine(features) |> within_same(sex) |> within_same(who)), sex)", false},
        {"matches(local, by = Near, shortlist = cosine(features) |> within_same(sex) |> within_same(who)) |> within_same(sex) |> within_same(who)", false},
        {"within_same(matches(local, by = Near, shortlist = 0.5 * within_same(cosine(features), sex) + cosine(learned)), sex)", false},
        {"within_same(matches(local, by = Near, shortlist = 0.5 * cosine(features) + cosine(learned)), sex)", true},
    };
    static const char *const codes[] = {"filtered_index", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) tells(evaluated(cases[i].similarity, "map"), codes, cases[i].told ? "filtered_index" : NULL);
}

/* Nobody is left out of a list with room for all: 50 places, and 54 or 50 pictures beside the query. */
static void a_list_with_room_for_all_may_be_filtered_late(void **state) {
    (void)state;
    static const int pictures[] = {30, 25}, fewer[] = {30, 21};
    static const struct { const char *score, *more; } cases[] = {{"within_same(points, sex)", ""}, {"all_of_them", "ensemble all_of_them {\n members [within_same(points, sex), points]\n}\n"}};
    for (int i = 0; i < 4; i++) {
        Trial *trial = trial_in_the_world();
        of_each = i & 1 ? fewer : pictures;
        individuals = 2;
        document(trial, "v01.jre", page(trial, in_the_world, arena_print(&trial->jre->forever, "%s%s", cases[i / 2].more, evaluated(cases[i / 2].score, "map"))));
        const bool found = told(trial, "filtered_index") > 0;
        char *messages = test_messages(trial->jre);
        if (found == (i & 1) || (found && !strstr(messages, "takes 50 of 54 candidates"))) fail_msg("%s", messages);
        free(messages);
        of_each = NULL;
        trial_free(trial);
    }
}

/* ---- spaces --------------------------------------------------------------------------------------------------------------------- */

/* Whether pictures of several folds meet; what was learned from them is another check's. */
static void spaces_meet(const char *more, bool mixed) {
    Trial *trial = trial_in_the_world();
    document(trial, "v01.jre", page(trial, in_the_world, more));
    if ((told(trial, "mixed_spaces") > 0) != mixed) fail_msg("%s\n%s", more, test_messages(trial->jre));
    trial_free(trial);
}

static void a_fold_has_a_space_of_its_own(void **state) {
    (void)state;
    static const struct { const char *embed, *parts; bool mixed; } cases[] = {
        {"learned", "on folds.held_out", false}, {"learned", "on folds[2].held_out", false}, {"learned", "on elsewhere", false}, {"learned", "on animals", true},
        {"learned", "on parts.test", true}, {"features", "on animals", false}, {"learned", "on folds.held_out\n against folds.train", false},
        {"learned", "on folds[1].held_out\n against folds[2].train", true}, {"learned", "on folds[2].held_out\n against folds[2].train", false},
        {"features", "on folds[1].held_out\n against folds[2].train", false}, {"learned", "on folds[1].held_out\n against animals", true},
        {"deep", "on parts.test", false}, {"deep", "on inner.held_out", false}, {"deep", "on parts.train", true}, {"deep", "on animals", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        snprintf(text, sizeof text, "evaluate tried {\n similarity cosine(%s)\n %s\n metrics [map]\n}", cases[i].embed, cases[i].parts);
        spaces_meet(text, cases[i].mixed);
    }
}

static void a_map_shows_one_space(void **state) {
    (void)state;
    spaces_meet("figure f {\n show tsne(learned)\n on folds.held_out\n}", true);
    spaces_meet("figure f {\n show umap(learned)\n on animals\n}", true);
    spaces_meet("figure f {\n show tsne(learned)\n on folds[1].held_out\n}", false);
    spaces_meet("figure f {\n show tsne(features)\n on folds.held_out\n}", false);
    spaces_meet("figure f {\n show tsne(learned)\n on elsewhere\n}", false);
}

static void differences_number_by_number_stay_in_their_space(void **state) {
    (void)state;
    static const struct { const char *evidence, *fit_on; bool mixed; } cases[] = {
        {"gap(learned)", "folds.others", true}, {"gap(features)", "folds.others", false}, {"cosine(learned)", "folds.others", false}, {"gap(learned)", "folds.train", false},
        {"gap(learned)", "folds[1].held_out", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        snprintf(text, sizeof text, "boost mine {\n evidence [%s]\n target same(identity)\n fit_on %s\n}", cases[i].evidence, cases[i].fit_on);
        spaces_meet(text, cases[i].mixed);
    }
}

/* Of the networks of a score's folds, which one is to see the pictures that it is fitted on? */
static void what_is_fitted_is_seen_by_one_network(void **state) {
    (void)state;
    static const struct { const char *embed, *fit_on; bool mixed; } cases[] = {
        {"learned", "folds.others", false}, {"learned", "folds.train", false}, {"learned", "folds[2].held_out", false}, {"learned", "animals", true}, {"learned", "parts.train", true},
        {"learned", "elsewhere", false}, {"features", "animals", false}, {"deep", "parts.validate", false}, {"deep", "parts.train", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        snprintf(text, sizeof text, "boost mine {\n evidence [cosine(%s)]\n target same(identity)\n fit_on %s\n}", cases[i].embed, cases[i].fit_on);
        spaces_meet(text, cases[i].mixed);
        snprintf(text, sizeof text, "ensemble mine {\n members [cosine(features), cosine(%s)]\n calibrate isotonic\n fit_on %s\n}", cases[i].embed, cases[i].fit_on);
        spaces_meet(text, cases[i].mixed);
    }
}

/* Networks of two files, added, and side by side. */
static void networks_are_joined_and_not_added(void **state) {
    (void)state;
    static const struct { const char *result; bool mixed; } cases[] = {
        {"unit(a + b)", true}, {"unit(a - 0.5 * b)", true}, {"unit(max(a, b))", true}, {"unit(concat([a, b]))", false}, {"unit(a + c)", false}, {"unit(concat([a + c, b]))", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_in_the_world();
        fake_conv(&trial->files, "conv1", 4, 3, 1, false);
        document(trial, "v01.jre", page(trial, "augment plain(x: Image) -> Image { x |> fit(8px) |> normalize(half) }\n"
            "network One(x: Tensor[N, C, H, W]) -> Tensor[N, 4] { x |> conv(4, 1) as conv1 |> average_pool }\n",
            arena_print(&trial->jre->forever, "network Both(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n a = x |> One(weights = \"a.safetensors\", stats = half)\n"
                        " b = x |> One(weights = \"b.safetensors\", stats = half)\n c = x |> One(weights = \"a.safetensors\", stats = half)\n concat([%s, unit(b + b), unit(c)])\n}\n"
                        "embed e {\n network Both\n view plain\n}", cases[i].result)));
        if ((told(trial, "mixed_spaces") > 0) != cases[i].mixed) fail_msg("%s\n%s", cases[i].result, test_messages(trial->jre));
        trial_free(trial);
    }
}

/* ---- protocols of versions ---------------------------------------------------------------------------------------------------------- */

static const char judged[] = "evaluate cv {\n similarity cosine(features)\n on folds.held_out\n metrics [map]\n}\n";

static void versions_are_compared_by_one_protocol(void **state) {
    (void)state;
    static const struct { const char *change; bool other; } cases[] = {
        {"change cv { average query }", true}, {"change cv { lonely zero }", true}, {"change cv { gallery not same(burst) }", true}, {"change cv { against folds.train }", true},
        {"change cv { on folds[1].held_out }", true}, {"change folds { seed 3 }", true}, {"change animals { only width > 3px }", true}, {"change animals { identity \"{name}\" }", true},
        {"change cv { metrics [rank1, map] }", false}, {"change cv { similarity cosine(local2) }\nembed local2 like features { view other }\naugment other(x: Image) -> Image { x |> fit(9px) }", false},
        {"change cv { average identity }", false}, {"change animals { taken \"{time}\" }", false}, {"change parts { seed 3 }", false}, {"change folds { seed 0 }", false},
    };
    static const char *const questions[] = {"expect cv.map >= v01.cv.map", "expect cv.map - v01.cv.map >= 1% and cv.map > 10%", "probe compare([v01.cv, cv])",
                                            "figure f {\n show ladder([v01.cv, cv], by = map)\n}"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 4; k++) {
            Trial *trial = trial_in_the_world();
            document(trial, "v01.jre", page(trial, in_the_world, judged));
            document(trial, "v02.jre", page(trial, "extends \"v01.jre\"\n", arena_print(&trial->jre->forever, "%s\n%s", cases[i].change, questions[k])));
            if (told(trial, "other_protocol") != cases[i].other || trial->good == cases[i].other) fail_msg("%s\n%s\n%s", cases[i].change, questions[k], test_messages(trial->jre));
            trial_free(trial);
        }
}

static void what_only_stands_side_by_side_is_not_compared(void **state) {
    (void)state;
    static const char *const questions[] = {"expect cv.map >= 10% and v01.cv.map >= 10%", "expect not (cv.map < 10% or v01.cv.map < 10%)", "probe v01.cv", "probe cv.map"};
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        Trial *trial = trial_in_the_world();
        document(trial, "v01.jre", page(trial, in_the_world, judged));
        document(trial, "v02.jre", page(trial, "extends \"v01.jre\"\nchange cv { average query }\n", questions[i]));
        if (!trial->good) fail_msg("%s\n%s", questions[i], test_messages(trial->jre));
        trial_free(trial);
    }
}

/* What an ancestor overruled for itself is so for what is quoted of it. */
static void an_ancestor_has_accepted_what_is_quoted_of_it(void **state) {
    (void)state;
    Trial *trial = trial_in_the_world();
    document(trial, "v01.jre", page(trial, in_the_world, "evaluate cv {\n similarity cosine(features)\n on folds.held_out\n metrics [map, assigned(at = 0.4)]\n}\naccept bare_threshold for cv because \"of old\""));
    document(trial, "v02.jre", page(trial, "extends \"v01.jre\"\n", "change cv { metrics [map] }\nexpect cv.map >= v01.cv.map"));
    if (diag_count(trial->jre, SEVERITY_NOTE)) fail_msg("%s", test_messages(trial->jre));
    trial_free(trial);
}

/* ---- batches ----------------------------------------------------------------------------------------------------------------------- */

static const char pairs[] =
    "loss Pairs(e: Embedding[N, d], who: Identity[N, K]) -> Scalar {\n D[i, j] = sqrt(max(sum over k of (e[i, k] - e[j, k]) ^ 2, 1e-12))\n"
    " mean over i of (max over j of D[i, j] where who[i] == who[j] and i != j)\n}\n"
    "loss Both(e: Embedding[N, d], who: Identity[N, K]) -> Scalar { Pairs(e, who) + Softmax(e, who) }\n";

/* step: of the view, behind its size. */
static void train_with(Trial *trial, const int *pictures, int count, const char *loss, const char *step, const char *batches) {
    of_each = pictures;
    individuals = count;
    document(trial, "v01.jre", page(trial, in_the_world, arena_print(&trial->jre->forever, "%saugment seen(x: Image) -> Image { x |> fit(8px)%s }\ntrain second {\n network Learner\n loss %s\n data animals\n view seen\n batches %s\n epochs 3\n}",
                                                             pairs, step, loss, batches)));
    of_each = NULL;
}

static void a_loss_needs_pairs_if_it_asks_for_them(void **state) {
    (void)state;
    static const struct { const char *loss, *step, *batches; bool hollow; } cases[] = {
        {"Pairs", "", "shuffled(4)", true}, {"Both", "", "shuffled(4)", true}, {"BatchHardTriplet", "", "shuffled(4)", true}, {"Softmax", "", "shuffled(4)", false},
        {"ArcFace", "", "shuffled(4)", false}, {"Pairs", "", "balanced(identities = 4, images = 2)", false}, {"Pairs", "", "balanced(identities = 4, images = 1)", true},
        {"Softmax", "", "balanced(identities = 4, images = 1)", false}, {"Pairs", "", "balanced(identities = 9, images = 2)", true},
        {"Softmax", "", "balanced(identities = 9, images = 2)", true}, {"Softmax", " |> flip(as = new_identity)", "balanced(identities = 9, images = 2)", false}, {"Pairs", "", "shuffled(16)", false},
        {"Pairs", "", "inverse_frequency(4)", true}, {"Pairs", "", "inverse_frequency(40)", false},
    };
    static const int pictures[] = {2, 2, 2, 2, 2, 2, 2, 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_in_the_world();
        train_with(trial, pictures, 8, cases[i].loss, cases[i].step, cases[i].batches);
        if ((told(trial, "hollow_triplets") > 0) != cases[i].hollow) fail_msg("%s %s %s\n%s", cases[i].loss, cases[i].step, cases[i].batches, test_messages(trial->jre));
        trial_free(trial);
    }
}

static void one_picture_is_a_pair_only_where_the_view_draws(void **state) {
    (void)state;
    static const int pictures[] = {1, 5, 5, 5};
    static const struct { const char *loss, *step; bool hollow; } cases[] = {{"Pairs", "", true}, {"Pairs", " |> jitter(brightness = 0.2)", false}, {"Softmax", "", false}};
    for (int i = 0; i < 3; i++) {
        Trial *trial = trial_in_the_world();
        train_with(trial, pictures, 4, cases[i].loss, cases[i].step, "balanced(identities = 4, images = 4)");
        if ((told(trial, "hollow_triplets") > 0) != cases[i].hollow) fail_msg("%s %s\n%s", cases[i].loss, cases[i].step, test_messages(trial->jre));
        trial_free(trial);
    }
}

/* Of a hundred animals with three pictures each. */
static void a_proposed_batch_is_no_epoch(void **state) {
    (void)state;
    static const struct { const char *batches, *proposed; } cases[] = {
        {"balanced(identities = 200, images = 2)", "balanced(identities = 100, images = 3)"}, {"balanced(identities = 200, images = 4)", "balanced(identities = 16, images = 3)"}};
    int pictures[100];
    for (int i = 0; i < 100; i++) pictures[i] = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_in_the_world();
        train_with(trial, pictures, 100, "Pairs", "", cases[i].batches);
        char *messages = test_messages(trial->jre);
        if (!strstr(messages, cases[i].proposed)) fail_msg("%s\n%s", cases[i].proposed, messages);
        free(messages);
        trial_free(trial);
    }
}

/* "about 44 would be alone"; -1: nothing is told. */
static int told_alone(const Trial *trial) {
    for (int i = 0; i < trial->jre->diagnostics.count; i++) {
        const Diagnostic *d = trial->jre->diagnostics.at[i];
        const char *about = d->code == DIAG_hollow_triplets && d->remarks.count ? strstr(d->remarks.at[0].text, "about ") : NULL;
        if (about) return atoi(about + 6);
    }
    return -1;
}

/* That of the language's own example: 165 deer, 5,585 pictures in training, 64 in a batch. */
static void the_deer_of_the_example_are_alone(void **state) {
    (void)state;
    int pictures[165];
    for (int i = 0; i < 165; i++) pictures[i] = i < 140 ? 34 : 33;
    Trial *trial = trial_in_the_world();
    train_with(trial, pictures, 165, "BatchHardTriplet(margin = 0.3)", "", "shuffled(64)");
    assert_int_equal(told_alone(trial), 44);
    trial_free(trial);
}

enum { MOST = 16 };

/* Who is on each picture. */
static int spread(const int *pictures, int count, int *who) {
    int total = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < pictures[i]; k++) who[total++] = i;
    return total;
}

/* Over all batches that could be drawn, and all sides on which their pictures could be seen. */
static double counted_alone(const int *who, int total, int batch, bool mirrored) {
    double alone = 0, batches = 0;
    for (unsigned drawn = 0; drawn < 1u << total; drawn++) {
        if (__builtin_popcount(drawn) != batch) continue;
        for (unsigned side = 0; side < (mirrored ? 1u << total : 1u); side++) {
            if (side & ~drawn) continue;
            for (int i = 0; i < total; i++) {
                bool single = drawn >> i & 1;
                for (int k = 0; k < total && single; k++) single = k == i || !(drawn >> k & 1) || who[k] != who[i] || (side >> k & 1) != (side >> i & 1);
                alone += single;
            }
            batches++;
        }
    }
    return alone / batches;
}

static void the_expected_number_is_that_of_all_batches(void **state) {
    (void)state;
    static const int pictures[] = {1, 1, 1, 2, 2, 3, 1, 1, 2}, fewer[] = {3, 2, 1, 2, 1};
    int who[MOST];
    for (int batch = 2; batch <= 9; batch++) {
        Trial *trial = trial_in_the_world();
        const double expected = counted_alone(who, spread(pictures, 9, who), batch, false);
        train_with(trial, pictures, 9, "Pairs", "", arena_print(&trial->jre->forever, "shuffled(%d)", batch));
        assert_int_equal(told_alone(trial), 2 * expected > batch ? lround(expected) : -1);
        trial_free(trial);
    }
    for (int batch = 2; batch <= 8; batch++) {
        Trial *trial = trial_in_the_world();
        const double expected = counted_alone(who, spread(fewer, 5, who), batch, true);
        train_with(trial, fewer, 5, "Pairs", " |> flip(as = new_identity)", arena_print(&trial->jre->forever, "shuffled(%d)", batch));
        assert_int_equal(told_alone(trial), 2 * expected > batch ? lround(expected) : -1);
        trial_free(trial);
    }
}

/* ---- edits --------------------------------------------------------------------------------------------------------------------------- */

typedef struct { uint32_t start, end; const char *text; bool safe; } Edit;

/* Each edit that a message offers, made alone: what comes out is a document, and that message is gone. */
static void each_edit_mends(const char *code, const char *more) {
    Trial *trial = trial_in_the_world();
    static const int pictures[] = {2, 2, 2, 2, 2, 2, 2, 2};
    of_each = pictures;
    individuals = 8;
    const char *text = page(trial, in_the_world, more);
    document(trial, "v01.jre", text);
    const int before = told(trial, code);
    LIST(Edit) edits = {0};
    for (int i = 0; i < trial->jre->diagnostics.count; i++) {
        const Diagnostic *d = trial->jre->diagnostics.at[i];
        for (int k = 0; k < d->helps.count; k++) {
            const DiagHelp *help = &d->helps.at[k];
            const Source *source = help->has_edit ? source_of(trial->jre, help->edit) : NULL;
            const Edit edit = {source ? help->edit.start - source->base : 0, source ? help->edit.end - source->base : 0, help->replacement, help->safe};
            if (source && !strcmp(diag_rows[d->code].name, code)) list_add(&trial->jre->forever, &edits, edit);
        }
    }
    if (!before || !edits.count) fail_msg("nothing to mend in\n%s\n%s", more, test_messages(trial->jre));
    for (int i = 0; i < edits.count; i++) {
        const Edit *edit = &edits.at[i];
        const char *mended = arena_print(&trial->jre->forever, "%.*s%s%s", (int)edit->start, text, edit->text, text + edit->end);
        diag_forget(trial->jre);
        document(trial, arena_print(&trial->jre->forever, "m%d.jre", i), mended);
        if (told(trial, code) || !trial->good) fail_msg("%s\n%s", mended, test_messages(trial->jre));
    }
    of_each = NULL;
    trial_free(trial);
}

static void every_edit_mends(void **state) {
    (void)state;
    static const struct { const char *code, *more; } cases[] = {
        {"mixed_spaces", "figure f {\n show tsne(learned)\n on folds.held_out\n}"},
        {"mixed_spaces", "figure f {\n show tsne(learned)\n on animals\n}"},
        {"mixed_spaces", "evaluate tried {\n similarity cosine(learned)\n on folds[1].held_out\n against folds[2].held_out\n metrics [map]\n}"},
        {"mixed_spaces", "boost mine {\n evidence [gap(learned)]\n target same(identity)\n fit_on folds.others\n}"},
        {"mixed_spaces", "boost mine {\n evidence [cosine(learned)]\n target same(identity)\n fit_on animals\n}"},
        {"mixed_scores", "blend = 0.6 * cosine(features) + 0.4 * points\nevaluate tried {\n similarity blend\n on folds.held_out\n metrics [map]\n}"},
        {"mixed_scores", "ensemble mine {\n members [cosine(features), points]\n fit_on folds.others\n weights learned\n}\n"},
        {"mixed_scores", "ensemble mine {\n members [cosine(features), points]\n combine mean\n}\nevaluate tried {\n similarity mine\n on folds.held_out\n metrics [map]\n}"},
        {"metric_needs", "split unmet {\n data animals\n folds 2\n identities disjoint\n}\nevaluate tried {\n similarity cosine(features)\n on unmet.held_out\n metrics [balanced_accuracy, accuracy]\n}"},
        {"metric_needs", "ensemble mine {\n members [cosine(features), judge]\n combine rank_average\n}\nevaluate tried {\n similarity mine\n on folds.held_out\n metrics [assigned(at = 0.3)]\n}"},
        {"bare_threshold", "evaluate tried {\n similarity cosine(features)\n on folds.held_out\n metrics [assigned(at = 0.3)]\n}"},
        {"bare_threshold", "evaluate tried {\n similarity 0.5 * cosine(features) + 0.5 * cosine(features)\n on parts.test\n metrics [assigned(at = 0.3)]\n}"},
        {"filtered_index", "near = matches(local, by = Near, shortlist = cosine(features), top = 2)\nevaluate tried {\n similarity near |> within_same(sex)\n on folds.held_out\n metrics [map]\n}"},
        {"hollow_triplets", "train second {\n network Learner\n loss BatchHardTriplet\n data parts.train\n view plain\n batches shuffled(8)\n epochs 3\n}"},
        {"hollow_triplets", "train second {\n network Learner\n loss BatchHardTriplet\n data parts.train\n view plain\n batches balanced(identities = 16, images = 4)\n epochs 3\n}"},
        {"hollow_triplets", "train second {\n network Learner\n loss BatchHardTriplet\n data parts.train\n view plain\n batches balanced(identities = 8, images = 1)\n epochs 3\n}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) each_edit_mends(cases[i].code, cases[i].more);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_one_scale_add_up),
        cmocka_unit_test(members_are_calibrated_or_ranked_or_alike),
        cmocka_unit_test(a_threshold_needs_a_score_that_means_something),
        cmocka_unit_test(a_filter_stands_before_the_shortlist),
        cmocka_unit_test(a_list_with_room_for_all_may_be_filtered_late),
        cmocka_unit_test(a_fold_has_a_space_of_its_own),
        cmocka_unit_test(a_map_shows_one_space),
        cmocka_unit_test(differences_number_by_number_stay_in_their_space),
        cmocka_unit_test(what_is_fitted_is_seen_by_one_network),
        cmocka_unit_test(networks_are_joined_and_not_added),
        cmocka_unit_test(versions_are_compared_by_one_protocol),
        cmocka_unit_test(what_only_stands_side_by_side_is_not_compared),
        cmocka_unit_test(an_ancestor_has_accepted_what_is_quoted_of_it),
        cmocka_unit_test(a_loss_needs_pairs_if_it_asks_for_them),
        cmocka_unit_test(one_picture_is_a_pair_only_where_the_view_draws),
        cmocka_unit_test(a_proposed_batch_is_no_epoch),
        cmocka_unit_test(the_deer_of_the_example_are_alone),
        cmocka_unit_test(the_expected_number_is_that_of_all_batches),
        cmocka_unit_test(every_edit_mends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
