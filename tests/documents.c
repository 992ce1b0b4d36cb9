/* documents.c: every document that the language's description prints is checked whole: names, types, sizes, families, plans.
 *
 * Backbones that the library does not have yet are stand-ins of the same sizes (tests/documents); weight files hold whatever is asked of
 * them. Nothing runs; what running would meet is asked too. */
#include "trial.h"

static const char *const modules[] = {"convnext", "efficientnet", "vit", "swin", "keypoints"};

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static const WeightFacts *any_weights(void *context, const char *path, Span asked_at) {
    (void)asked_at;
    FakeFiles *files = context;
    WeightFacts *facts = arena_new(&files->jre->forever, WeightFacts);
    bool half = strstr(path, "efficientnetv2") || strstr(path, "vit-small");
    *facts = (WeightFacts){.path = path, .made_up = true, .stats = half ? "half" : "imagenet"};
    return facts;
}

static void copy_module(Trial *trial, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "tests/documents/%s.jre", name);
    Source *source = source_read(trial->jre, path, NOWHERE);
    assert_non_null(source);
    trial_file(trial, arena_print(&trial->jre->forever, "%s.jre", name), source->bytes);
}

/* Writes each document of the description beside the others, under the name printed above it. Returns how many. */
static int write_documents(Trial *trial, const char *text) {
    static const char opening[] = "\n````markdown\n", closing[] = "\n````\n";
    int count = 0;
    for (const char *at = text; (at = strstr(at, opening)); count++) {
        const char *name_end = at, *begin = at + strlen(opening), *end = strstr(begin, closing);
        assert_non_null(end);
        while (strncmp(name_end, ".jre**", 6) != 0 && name_end > text) name_end--;
        const char *name = name_end;
        while (name > text && name[-1] != '*') name--;
        bool story = at - name_end < 12 && name_end - name < 20;
        const char *file = story ? arena_print(&trial->jre->forever, "%.*s.jre", (int)(name_end - name), name) : "tour.jre";
        char *document = arena_copy(&trial->jre->forever, begin, (size_t)(end + 1 - begin));
        if (strcmp(file, "core.jre") != 0) trial_file(trial, file, document);          /* an excerpt of ours */
        at = end;
    }
    return count;
}

static Trial *all_documents(void) {
    char path[1024];
    if (!test_data("LANGUAGE.md", path)) return NULL;
    Trial *trial = trial_new();
    Source *source = source_read(trial->jre, path, NOWHERE);
    assert_non_null(source);
    assert_true(write_documents(trial, source->bytes) >= 12);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) copy_module(trial, modules[i]);
    return trial;
}

static bool check_document(Trial *trial, const char *name) {
    trial->request.path = arena_print(&trial->jre->forever, "%s/%s.jre", trial->folder, name);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    Facts facts = fake_facts(&trial->files);
    facts.weights = any_weights;
    return compile(&trial->c, trial->jre, &trial->request, &facts, false);
}

static void is_sound(const char *name, const char *later) {
    Trial *trial = all_documents();
    if (!trial) skip();
    bool sound = check_document(trial, name);
    char *messages = test_messages(trial->jre);
    if (!sound || strstr(messages, "error")) fail_msg("%s.jre is not sound:\n%s", name, messages);
    free(messages);
    assert_int_equal(report_later(&trial->c), later != NULL);
    if (later) test_message_says(trial->jre, "not_yet", later, NULL);
    trial_free(trial);
}

/* ---- the story, and two others ------------------------------------------------------------------------------------------------ */

/* What `jre show` prints is a sound document of its own. */
static void flat_programs_are_sound(void **state) {
    (void)state;
    static const char *const names[] = {"v01", "v03", "v05", "v07", "deer", "lynx"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Trial *trial = all_documents(), *second = all_documents();
        if (!trial) skip();
        assert_true(check_document(trial, names[i]));
        Text text = {.jre = trial->jre};
        print_flat_program(&trial->c, &text);
        trial_file(second, "flat.jre", text.at);
        if (!check_document(second, "flat")) fail_msg("%s.jre, flat:\n%s", names[i], test_messages(second->jre));
        text_free(&text);
        trial_free(second);
        trial_free(trial);
    }
}

static void the_tour_is_sound(void **state) { (void)state; is_sound("tour", "training"); }
static void printed_networks_are_sound(void **state) { (void)state; is_sound("resnet", NULL); }
static void printed_losses_are_sound(void **state) { (void)state; is_sound("heads", NULL); }

/* The whole story on other data, with a backbone that has learned nothing. */
static void the_story_is_sound_on_the_sample(void **state) {
    (void)state;
    static const char *const story[] = {"v01", "v02", "v03", "v04", "v05", "v06", "v07"};
    for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
        Trial *trial = all_documents();
        if (!trial) skip();
        trial_with(trial, "examples/jaguars/sample.jre");
        if (!check_document(trial, story[i])) fail_msg("%s.jre on the sample:\n%s", story[i], test_messages(trial->jre));
        trial_free(trial);
    }
}

static void v01_is_sound(void **state) { (void)state; is_sound("v01", NULL); }
static void v02_is_sound(void **state) { (void)state; is_sound("v02", "training"); }
static void v03_is_sound(void **state) { (void)state; is_sound("v03", "training"); }
static void v04_is_sound(void **state) { (void)state; is_sound("v04", "training"); }
static void v05_is_sound(void **state) { (void)state; is_sound("v05", "several views"); }
static void v06_is_sound(void **state) { (void)state; is_sound("v06", "boosting"); }
static void v07_is_sound(void **state) { (void)state; is_sound("v07", "ensembles"); }
static void deer_is_sound(void **state) { (void)state; is_sound("deer", "splits by shares"); }
static void lynx_is_sound(void **state) { (void)state; is_sound("lynx", "matches of key points"); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tour_is_sound), cmocka_unit_test(printed_networks_are_sound), cmocka_unit_test(printed_losses_are_sound),
        cmocka_unit_test(the_story_is_sound_on_the_sample), cmocka_unit_test(flat_programs_are_sound),
        cmocka_unit_test(v01_is_sound), cmocka_unit_test(v02_is_sound), cmocka_unit_test(v03_is_sound), cmocka_unit_test(v04_is_sound),
        cmocka_unit_test(v05_is_sound), cmocka_unit_test(v06_is_sound), cmocka_unit_test(v07_is_sound), cmocka_unit_test(deer_is_sound),
        cmocka_unit_test(lynx_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
