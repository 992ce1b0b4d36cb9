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

static void copy_document(Trial *trial, const char *folder, const char *name) {
    Arena *arena = &trial->jre->forever;
    Source *source = source_read(trial->jre, arena_print(arena, "%s/%s.jre", folder, name), NOWHERE);
    assert_non_null(source);
    trial_file(trial, arena_print(arena, "%s.jre", name), source->bytes);
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
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) copy_document(trial, "tests/documents", modules[i]);
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

static void nyala_is_sound(void **state) {
    (void)state;
    Trial *trial = trial_new();
    copy_document(trial, "pipelines", "nyala");
    if (!check_document(trial, "nyala")) fail_msg("nyala.jre:\n%s", test_messages(trial->jre));
    assert_int_equal(trial->c.expects.count, 9 + 18 + 24);         /* a number of the reference each */
    trial_free(trial);
}

/* It shows what an `accept` looks like, of a view that mirrors nothing. */
static void the_tour_accepts_in_vain(void **state) {
    (void)state;
    Trial *trial = all_documents();
    if (!trial) skip();
    check_document(trial, "tour");
    if (diag_count(trial->jre, SEVERITY_NOTE) != 1) fail_msg("%s", test_messages(trial->jre));
    test_message_says(trial->jre, "unused_name", "accept mirrored_flank for gentle", "nothing is overruled by this", NULL);
    trial_free(trial);
}
static void printed_networks_are_sound(void **state) { (void)state; is_sound("resnet", NULL); }
static void printed_losses_are_sound(void **state) { (void)state; is_sound("heads", NULL); }

/* The whole story on other data, from our own v01 on, with a backbone that has learned nothing. */
static void the_story_is_sound_on_the_sample(void **state) {
    (void)state;
    static const char *const story[] = {"v01", "v02", "v03", "v04", "v05", "v06", "v07"};
    for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
        Trial *trial = all_documents();
        if (!trial) skip();
        copy_document(trial, "pipelines", "v01");
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
static void deer_is_sound(void **state) { (void)state; is_sound("deer", "training"); }
static void lynx_is_sound(void **state) { (void)state; is_sound("lynx", "matches of key points"); }

/* ---- what the description says of them when they are wrong --------------------------------------------------------------------------- */

/* One printed document with a text in place of another, and what is told of it then, in one message. */
static void told(const char *edited, const char *old, const char *new, const char *document, const char *check, const char *const *words) {
    Trial *trial = all_documents();
    if (!trial) skip();
    Source *source = source_read(trial->jre, arena_print(&trial->jre->forever, "%s/%s.jre", trial->folder, edited), NOWHERE);
    assert_non_null(source);
    const char *at = strstr(source->bytes, old);
    assert_non_null(at);
    trial_file(trial, arena_print(&trial->jre->forever, "%s.jre", edited),
               arena_print(&trial->jre->forever, "%.*s%s%s", (int)(at - source->bytes), source->bytes, new, at + strlen(old)));
    check_document(trial, document);
    if (diag_count(trial->jre, SEVERITY_NOTE) != 1) fail_msg("%s", test_messages(trial->jre));
    char *message = test_messages(trial->jre), *to = message;
    for (const char *from = message; *from; from++) {             /* lines are broken where a terminal ends */
        bool gap = *from == ' ' || *from == '\n';
        if (*from == '\n' && from[1 + strspn(from + 1, " ")] == '|') from += 1 + strspn(from + 1, " ");
        if (!gap || to == message || to[-1] != ' ') *to++ = gap ? ' ' : *from;
    }
    *to = 0;
    if (!strstr(message, arena_print(&trial->jre->forever, "error: %s ", check))) fail_msg("%s", message);
    for (int i = 0; words[i]; i++)
        if (!strstr(message, words[i])) fail_msg("not said: %s\n%s", words[i], message);
    free(message);
    trial_free(trial);
}

static void other_colors_are_told_as_printed(void **state) {
    (void)state;
    told("v01", "normalize(backbone.stats)", "normalize(imagenet)", "v04", "wrong_normalization",
         (const char *const[]){"mean 0.485 0.456 0.406, spread 0.229 0.224 0.225", "vit_small(weights = \"vit-small-16-imagenet.safetensors\") ",
                               "raised on mean 0.5 0.5 0.5, spread 0.5 0.5 0.5", "= for backbone = tf_efficientnetv2_s and vit_small; convnext_tiny agrees.",
                               "= note: nothing would crash. The network would see other colors than it was raised on.", "help: follow the backbone, whichever it is (safe)",
                               "x |> fit(224px, fill = gray) |> normalize(backbone.stats)", NULL});
}

static void a_mirror_that_keeps_the_name_is_told_as_printed(void **state) {
    (void)state;
    told("v05", "flip(as = new_identity)", "flip()", "v05", "mirrored_flank",
         (const char *const[]){" |> flip() ", "the mirrored picture keeps the animal's name", " pattern asymmetric ", "but you say that left and right differ",
                               "help: let each mirrored animal be an individual of its own", " |> flip(as = new_identity) help", 
                               "described pattern symmetric", NULL});
}

static void a_picture_averaged_with_its_mirror_is_told_as_printed(void **state) {
    (void)state;
    told("v05", "change features { view [plain, near] }",
         "augment mirrored(x: Image) -> Image[224px, 224px] {\n  x |> near |> flip(chance = 100%)\n}\nchange features { view [plain, mirrored] }", "v05", "inconsistent_views",
         (const char *const[]){"change features { view [plain, mirrored] }", "a picture and its mirror are averaged here", " |> flip(as = new_identity) ",
                               "but training was told that they are different individuals", "= note: the network has learned to push the two apart; their average is neither.",
                               "help: leave mirrors out of the view", "change features { view [plain] }", NULL});
}

static void a_council_fitted_on_its_yardstick_is_told_as_printed(void **state) {
    (void)state;
    told("v07", "folds.others", "folds.held_out", "v07", "tuned_on_the_yardstick",
         (const char *const[]){"v07.jre:14:11 ", " fit_on folds.held_out ", "the three weights are fitted on these pictures", "v01.jre:73:14 ", " on folds.held_out ",
                               "and `cv` reports its score on the same ones = note", "= note: a score tuned on its own yardstick is too good, and v07 could not be compared with v06.",
                               "help: fit on the other folds (safe)", "fit_on folds.others", NULL});
}

/* ---- one token taken out ----------------------------------------------------------------------------------------------------------- */

enum { DELETIONS = 80 };                  /* of each document */

/* The next token in program text, from `at` on; its length. 0: there is none. */
static size_t next_token(const char *text, size_t *at) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    bool program = false;
    for (size_t line = 0, end; text[line]; line = end) {
        end = line + strcspn(text + line, "\n");
        end += text[end] == '\n';
        if (!strncmp(text + line, "```", 3)) {
            program = !program && !strncmp(text + line, "```jre", 6);
            continue;
        }
        if (!program || end <= *at) continue;
        if (*at < line) *at = line;
        *at += strspn(text + *at, " ");
        if (*at >= end || strchr("\n#", text[*at])) continue;
        size_t word = strspn(text + *at, letters);
        return word ? word : 1;
    }
    return 0;
}

static int count_tokens(const char *text) {
    int count = 0;
    size_t at = 0;
    for (size_t length; (length = next_token(text, &at)); at += length) count++;
    return count;
}

static void without_a_token(const char *name, const char *whole, size_t at, size_t length) {
    Trial *trial = all_documents();
    char *cut = arena_copy(&trial->jre->forever, whole, strlen(whole));
    memmove(cut + at, cut + at + length, strlen(cut + at + length) + 1);
    trial_file(trial, arena_print(&trial->jre->forever, "%s.jre", name), cut);
    const bool sound = check_document(trial, name);
    const int findings = diag_count(trial->jre, SEVERITY_NOTE);
    if (findings > 2 || (!sound && !findings) || diag_exit_code(trial->jre) == 70)
        fail_msg("%s: %d messages without `%.*s` at %zu:\n%s", name, findings, (int)length, whole + at, at, test_messages(trial->jre));
    trial_free(trial);
}

/* Whatever one deletes from a document, the compiler goes on to the end and says little. */
static void a_token_taken_out_is_told_in_two_messages(const char *name) {
    Trial *trial = all_documents();
    if (!trial) skip();
    Source *source = source_read(trial->jre, arena_print(&trial->jre->forever, "%s/%s.jre", trial->folder, name), NOWHERE);
    assert_non_null(source);
    const int tokens = count_tokens(source->bytes);
    int number = 0, deleted = 0;
    size_t at = 0;
    for (size_t length; (length = next_token(source->bytes, &at)); at += length, number++) {
        if (number * DELETIONS / tokens < deleted) continue;
        deleted++;
        without_a_token(name, source->bytes, at, length);
    }
    assert_int_equal(deleted, tokens < DELETIONS ? tokens : DELETIONS);
    trial_free(trial);
}

static void a_token_taken_out_of_v03(void **state) { (void)state; a_token_taken_out_is_told_in_two_messages("v03"); }
static void a_token_taken_out_of_v06(void **state) { (void)state; a_token_taken_out_is_told_in_two_messages("v06"); }
static void a_token_taken_out_of_v07(void **state) { (void)state; a_token_taken_out_is_told_in_two_messages("v07"); }
static void a_token_taken_out_of_deer(void **state) { (void)state; a_token_taken_out_is_told_in_two_messages("deer"); }
static void a_token_taken_out_of_lynx(void **state) { (void)state; a_token_taken_out_is_told_in_two_messages("lynx"); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tour_accepts_in_vain), cmocka_unit_test(printed_networks_are_sound), cmocka_unit_test(printed_losses_are_sound),
        cmocka_unit_test(the_story_is_sound_on_the_sample), cmocka_unit_test(flat_programs_are_sound),
        cmocka_unit_test(nyala_is_sound), cmocka_unit_test(v01_is_sound), cmocka_unit_test(v02_is_sound), cmocka_unit_test(v03_is_sound), cmocka_unit_test(v04_is_sound),
        cmocka_unit_test(v05_is_sound), cmocka_unit_test(v06_is_sound), cmocka_unit_test(v07_is_sound), cmocka_unit_test(deer_is_sound),
        cmocka_unit_test(lynx_is_sound), cmocka_unit_test(other_colors_are_told_as_printed), cmocka_unit_test(a_council_fitted_on_its_yardstick_is_told_as_printed),
        cmocka_unit_test(a_mirror_that_keeps_the_name_is_told_as_printed),
        cmocka_unit_test(a_picture_averaged_with_its_mirror_is_told_as_printed), cmocka_unit_test(a_token_taken_out_of_v03), cmocka_unit_test(a_token_taken_out_of_v06),
        cmocka_unit_test(a_token_taken_out_of_v07), cmocka_unit_test(a_token_taken_out_of_deer), cmocka_unit_test(a_token_taken_out_of_lynx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
