/* accept.c: checks that a document overrules: for one declaration, as long as that is as it was, and never in vain. */
#include "trial.h"

static const char split[] = "dataset animals { image \"*.png\"\n table \"t.csv\"\n identity \"{who}\" }\n"
                            "split folds {\n data animals\n folds 2\n identities shared\n}\nsplit others like folds { seed 3 }\n";

static const TableFacts *any_table(void *context, const char *path, Span asked_at) {
    (void)path, (void)asked_at;
    FakeFiles *files = context;
    TableFacts *facts = arena_new(&files->jre->forever, TableFacts);
    list_add(&files->jre->forever, &facts->columns, intern(files->jre, "who"));
    return facts;
}

/* Every split leaks that keeps no bursts together. */
static bool any_leaks(void *context, const SplitPlan *plan, LeakFacts *facts) {
    (void)context;
    *facts = (LeakFacts){.within = 8};
    if (plan->together_burst) return true;
    facts->alike = (TornPairs){.pairs = 7, .example = {{"a.png", "Ann", NULL, 1}, {"b.png", "Bo", NULL, 1}, 2, NULL}, .parts = {{.torn = 5, .of = 40}}, .part_count = 1};
    return true;
}

/* A document beside what was written before. */
static bool document(Trial *trial, const char *name, const char *chunk, bool with_data) {
    trial->request.path = trial_file(trial, name, arena_print(&trial->jre->forever, "# Trial\n\n```jre\n%s\n```\n", chunk));
    compilation_free(&trial->c);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    Facts facts = fake_facts(&trial->files);
    facts.table = any_table;
    facts.leaks = any_leaks;
    return compile(&trial->c, trial->jre, &trial->request, &facts, with_data);
}

static void sound(Trial *trial, const char *name, const char *chunk, int accepted) {
    if (!document(trial, name, chunk, true)) fail_msg("%s\n%s", chunk, test_messages(trial->jre));
    assert_int_equal(trial->c.accepted.count, accepted);
}

static void refused(Trial *trial, const char *name, const char *chunk, int findings, const char *code, const char *words) {
    if (document(trial, name, chunk, true)) fail_msg("nothing was found wrong with:\n%s", chunk);
    if (diag_count(trial->jre, SEVERITY_ERROR) != findings) fail_msg("%s", test_messages(trial->jre));
    test_message_says(trial->jre, code, words, NULL);
}

static const char *with_split(Trial *trial, const char *more) { return arena_print(&trial->jre->forever, "%s%s", split, more); }

static void one_check_is_silenced_for_one_declaration(void **state) {
    (void)state;
    Trial *trial = trial_new();
    refused(trial, "v01.jre", with_split(trial, ""), 2, "leaking_burst", "7 pairs of pictures at most 8 bits apart");
    refused(trial, "v02.jre", with_split(trial, "accept leaking_burst for folds because \"so\""), 1, "leaking_burst", "split others");
    sound(trial, "v03.jre", with_split(trial, "accept leaking_burst for folds because \"so\"\naccept leaking_burst for others because \"too\""), 2);
    assert_string_equal(trial->c.accepted.at[1]->text, "too");
    trial_free(trial);
}

static const char tied[] = "dataset animals { image \"*.png\"\n table \"t.csv\"\n identity \"{who}\" }\nsplit folds {\n data animals\n folds 2\n identities shared\n together burst\n}\n";

static void an_accept_in_vain_is_told(void **state) {
    (void)state;
    Trial *trial = trial_new();
    const char *chunk = arena_print(&trial->jre->forever, "%saccept leaking_burst for folds because \"so\"", tied);
    refused(trial, "v01.jre", chunk, 1, "unused_name", "`leaking_burst` finds nothing wrong here");
    refused(trial, "v02.jre", with_split(trial, "accept leaking_burst for folds because \"so\"\naccept leaking_burst for others because \"so\"\n"
                                                "accept leaking_burst for animals because \"so\""), 1, "unused_name", "nothing is overruled by this");
    trial_free(trial);
}

static void pictures_that_nobody_looked_at_leave_it_open(void **state) {
    (void)state;
    Trial *trial = trial_new();
    const char *chunk = arena_print(&trial->jre->forever, "%saccept leaking_burst for folds because \"so\"\naccept hollow_triplets for folds because \"a later check\"", tied);
    if (!document(trial, "v01.jre", chunk, false)) fail_msg("%s", test_messages(trial->jre));
    assert_int_equal(trial->c.accepted.count, 0);
    trial_free(trial);
}

/* The same document on other data, or changed by the command line: the author could not know. */
static void an_overlay_makes_no_accept_idle(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_set(trial, "others.together=burst");
    sound(trial, "v01.jre", with_split(trial, "accept leaking_burst for folds because \"so\"\naccept leaking_burst for others because \"so\""), 1);
    trial_free(trial);
}

static void it_is_inherited_until_its_declaration_changes(void **state) {
    (void)state;
    Trial *trial = trial_new();
    sound(trial, "v01.jre", with_split(trial, "accept leaking_burst for folds because \"so\"\naccept leaking_burst for others because \"so\""), 2);
    sound(trial, "v02.jre", "extends \"v01.jre\"", 2);
    refused(trial, "v03.jre", "extends \"v01.jre\"\nchange folds { seed 5 }", 1, "leaking_burst", "v01.jre:7");
    sound(trial, "v04.jre", "extends \"v01.jre\"\nchange folds { seed 5 }\naccept leaking_burst for folds because \"again\"", 2);
    sound(trial, "v05.jre", "extends \"v01.jre\"\nchange folds { together burst }", 1);
    trial_free(trial);
}

static const char views[] = "augment plain(x: Image) -> Image { x |> fit(8px) |> normalize(imagenet) }\n"
                            "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) as conv1 |> average_pool |> unit }\n"
                            "embed features {\n network Eye(weights = \"some.safetensors\", stats = half)\n view plain\n}\n";

static void checks_of_the_document_alone_are_silenced_too(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_conv(&trial->files, "conv1", 4, 3, 1, true);
    const char *idle = "function f(x: Tensor[N, C], scale: Real) -> Tensor[N, C] { 2 * x }\n";
    refused(trial, "v01.jre", views, 1, "wrong_normalization", "mean 0.485 0.456 0.406");
    sound(trial, "v02.jre", arena_print(&trial->jre->forever, "%saccept wrong_normalization for plain because \"to see what it costs\"", views), 1);
    refused(trial, "v03.jre", arena_print(&trial->jre->forever, "%saccept wrong_normalization for features because \"not there\"", views), 1, "wrong_normalization", "raised on");
    refused(trial, "v04.jre", idle, 1, "unused_name", "no line uses it");
    sound(trial, "v05.jre", arena_print(&trial->jre->forever, "%saccept unused_name for f because \"its callers name it\"", idle), 1);
    refused(trial, "v06.jre", "function f(x: Tensor[N, C]) -> Tensor[N, C] { 2 * x }\naccept unused_name for f because \"no more\"", 1, "unused_name", "finds nothing wrong");
    trial_free(trial);
}

/* Nobody can write into a module what a study accepts: there the record that looks through its view stands for it. */
static void a_module_is_accepted_for_whoever_uses_it(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_conv(&trial->files, "conv1", 4, 3, 1, true);
    trial_file(trial, "eyes.jre", "# Eyes\n\n```jre\naugment bright(x: Image) -> Image { x |> fit(8px) |> normalize(imagenet) }\n```\n");
    const char *uses = "use eyes\nnetwork Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) as conv1 |> average_pool |> unit }\n"
                       "embed features {\n network Eye(weights = \"some.safetensors\", stats = half)\n view bright\n}\n";
    refused(trial, "v01.jre", uses, 1, "wrong_normalization", "eyes.jre:4");
    sound(trial, "v02.jre", arena_print(&trial->jre->forever, "%saccept wrong_normalization for features because \"to see what it costs\"", uses), 1);
    trial_free(trial);
}

/* The step of a module that mirrors is the training's affair, which may accept it; the data may not. */
static void a_flip_of_a_module_is_accepted_for_the_training(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_file(trial, "eyes.jre", "# Eyes\n\n```jre\naugment turned(x: Image) -> Image { x |> fit(8px) |> flip() }\n```\n");
    const char *study = "use eyes\nuse heads\ndataset animals { image \"*.png\"\n table \"t.csv\"\n identity \"{who}\"\n pattern asymmetric }\n"
                        "split folds { data animals\n folds 2\n identities shared\n together burst }\n"
                        "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> average_pool |> unit }\n"
                        "train learner { network Eye\n loss Softmax\n data folds.train\n view turned\n epochs 2 }\n";
    refused(trial, "v01.jre", study, 1, "mirrored_flank", "eyes.jre:4");
    sound(trial, "v02.jre", arena_print(&trial->jre->forever, "%saccept mirrored_flank for learner because \"whiskers\"", study), 1);
    refused(trial, "v03.jre", arena_print(&trial->jre->forever, "%saccept mirrored_flank for animals because \"whiskers\"", study), 1, "mirrored_flank", "eyes.jre:4");
    trial_free(trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_check_is_silenced_for_one_declaration),
        cmocka_unit_test(an_accept_in_vain_is_told),
        cmocka_unit_test(pictures_that_nobody_looked_at_leave_it_open),
        cmocka_unit_test(an_overlay_makes_no_accept_idle),
        cmocka_unit_test(it_is_inherited_until_its_declaration_changes),
        cmocka_unit_test(checks_of_the_document_alone_are_silenced_too),
        cmocka_unit_test(a_module_is_accepted_for_whoever_uses_it),
        cmocka_unit_test(a_flip_of_a_module_is_accepted_for_the_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
