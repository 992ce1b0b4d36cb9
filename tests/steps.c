/* steps.c: steps of views, draws and functions of one picture, as the compiler knows them; what views do to pixels is in view.c. */
#include "trial.h"

#include <math.h>

/* ---- room ---------------------------------------------------------------------------------------------------------------- */

static void take_library(Trial *trial, const char *chunk) {
    trial_sound(trial, arena_print(&trial->jre->forever, "dataset animals { image \"*.png\" }\n%s", chunk));
}

/* The view of an augment that nothing uses yet. NULL: diagnosed. */
static View *view_named(Trial *trial, const char *name) {
    Decl *decl = scope_find(trial->c.scope, intern(trial->jre, name));
    assert_non_null(decl);
    Value *formula = evaluate_name(environment_new(&trial->c, trial->c.scope, NULL), decl->name, NOWHERE);
    return evaluate_view(&trial->c, NULL, formula, decl->statement->name_span);
}

static View *view_of_steps(Trial *trial, const char *steps) {
    take_library(trial, arena_print(&trial->jre->forever, "augment seen(x: Image) -> Image {\n%s\n}", steps));
    return view_named(trial, "seen");
}

static void sound_view(const char *steps, int side, bool random, const char *later) {
    Trial *trial = trial_new();
    const View *view = view_of_steps(trial, steps);
    if (!view) {
        char *text = test_messages(trial->jre);
        fail_msg("%s\n%s", steps, text);
    }
    assert_int_equal(view->width, side);
    assert_int_equal(view->height, side);
    if (view->random != random) fail_msg("%s: random is %d", steps, view->random);
    if ((view->later != NULL) != (later != NULL) || (later && strcmp(later, view->later) != 0)) fail_msg("%s: later is %s", steps, view->later ? view->later : "nothing");
    trial_free(trial);
}

static void refused_view(const char *steps, const char *code, const char *words) {
    Trial *trial = trial_new();
    if (view_of_steps(trial, steps)) fail_msg("nothing was found wrong with:\n%s", steps);
    if (diag_count(trial->jre, SEVERITY_ERROR) != 1) fail_msg("%d messages for:\n%s", diag_count(trial->jre, SEVERITY_ERROR), steps);
    test_message_says(trial->jre, code, words, NULL);
    trial_free(trial);
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static void every_step_is_checked_and_says_whether_it_draws(void **state) {
    (void)state;
    static const struct { const char *steps; int side; bool random; const char *later; } cases[] = {
        {"x |> fit(8px)", 8, false, NULL}, {"x |> stretch(8px, filter = box) |> normalize(half)", 8, false, NULL},
        {"x |> resize(40px) |> center(32px)", 32, false, "resize"}, {"x |> fit(8px) |> center(8px)", 8, false, "center"},
        {"x |> center(8px)", 8, false, "center"}, {"x |> fit(9px) |> corner(8px, at = top_left)", 8, false, "corner"},
        {"x |> fit(9px) |> crop(8px)", 8, true, "crop"}, {"x |> fit(9px) |> crop(16px, scale = 0.8 to 1.0)", 16, true, "crop"},
        {"x |> crop(8px, scale = 80% to 1, ratio = 1 to 1)", 8, true, "crop"}, {"x |> crop(8px, scale = none)", 8, true, "crop"},
        {"x |> fit(8px) |> rotate(10deg)", 8, false, "rotate"}, {"x |> fit(8px) |> rotate(angle = -0.5rad, fill = gray)", 8, false, "rotate"},
        {"x |> fit(8px) |> affine(right = -15%, scale = 1.15)", 8, false, "affine"}, {"x |> fit(8px) |> perspective()", 8, true, "perspective"},
        {"x |> fit(8px) |> perspective(distortion = 0%)", 8, true, "perspective"}, {"x |> fit(8px) |> perspective(distortion = 0%, chance = 1)", 8, false, "perspective"},
        {"x |> fit(8px) |> flip()", 8, true, "flip"}, {"x |> fit(8px) |> flip(as = new_identity, chance = 100%)", 8, false, "flip"},
        {"x |> fit(8px) |> flip(chance = 0)", 8, false, "flip"}, {"x |> fit(8px) |> jitter()", 8, false, "jitter"},
        {"x |> fit(8px) |> jitter(brightness = 0.2, contrast = 20%)", 8, true, "jitter"}, {"x |> fit(8px) |> gray", 8, false, "gray"},
        {"x |> fit(8px) |> gray(chance = 10%)", 8, true, "gray"}, {"x |> fit(8px) |> blur(2px)", 8, false, "blur"},
        {"x |> fit(8px) |> noise()", 8, true, "noise"}, {"x |> fit(8px) |> noise(spread = 0)", 8, false, "noise"}, {"x |> jpeg(quality = 30) |> fit(8px)", 8, false, "jpeg"},
        {"x |> fit(8px) |> erase(probability = 25%, area = 2% to 15%)", 8, true, "erase"}, {"x |> fit(8px) |> erase(probability = 0)", 8, false, "erase"},
        {"x |> fit(8px) |> cutout(4px)", 8, true, "cutout"}, {"x |> fit(8px) |> cutout(4px, count = 3, fill = black, chance = 50%)", 8, true, "cutout"},
        {"x |> fit(8px) |> grid_mask(period = 2px to 4px)", 8, true, "grid_mask"}, {"x |> fit(8px) |> randaugment(count = 2, magnitude = 10, spread = 1)", 8, true, "randaugment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) sound_view(cases[i].steps, cases[i].side, cases[i].random, cases[i].later);
}

static void what_a_step_cannot_take_is_refused(void **state) {
    (void)state;
    static const struct { const char *steps, *code, *words; } cases[] = {
        {"x |> fit(0px)", "broken_condition", "1 to 4096 whole pixels"}, {"x |> center(8.5px)", "broken_condition", "whole pixels"}, {"x |> fit(8)", "wrong_unit", "a length"},
        {"x |> fit(8px) |> center(9px)", "shape_mismatch", "a window of 9 x 9 pixels, cut out of a picture of 8 x 8"},
        {"x |> fit(8px) |> crop(9px)", "shape_mismatch", "made so large here"}, {"x |> resize(8px) |> center(9px)", "shape_mismatch", "maybe only 8 x 8"},
        {"x |> fit(8px) |> cutout(9px)", "shape_mismatch", "9 x 9"}, {"x |> fit(8px) |> center(4px) |> corner(5px, at = top_left)", "shape_mismatch", "picture of 4 x 4"},
        {"x |> resize(8px)", "shape_mismatch", "shorter side 8 pixels"}, {"x |> flip()", "shape_mismatch", "how large"},
        {"x |> fit(8px) |> corner(4px, at = top_lfet)", "unknown_name", "did you mean `top_left`?"}, {"x |> fit(8px) |> corner(4px)", "wrong_argument", "still needs its `at`"},
        {"x |> fit(8px) |> flip(as = other)", "unknown_name", "same new_identity"}, {"x |> fit(8px) |> flip(chance = 150%)", "broken_condition", "between 0% and 100%"},
        {"x |> fit(8px) |> flip(chance = -1%)", "broken_condition", "chance"}, {"x |> fit(8px) |> flip(chance = 3px)", "wrong_unit", "share"},
        {"x |> fit(8px) |> rotate(0.5)", "wrong_unit", "an angle, but in what?"}, {"x |> fit(8px) |> rotate(400deg)", "broken_condition", "-360deg and 360deg"},
        {"x |> fit(8px) |> jitter(hue = 0.6)", "broken_condition", "between 0 and 0.5"}, {"x |> fit(8px) |> jitter(brightness = -0.1)", "broken_condition", "brightness"},
        {"x |> fit(8px) |> jitter(colour = 1)", "wrong_argument", "takes no `colour`"}, {"x |> fit(8px) |> blur(200px)", "broken_condition", "0.01px and 100px"},
        {"x |> fit(8px) |> blur(2)", "wrong_unit", "a length"}, {"x |> fit(8px) |> jpeg(quality = 0)", "broken_condition", "between 1 and 100"},
        {"x |> fit(8px) |> jpeg(quality = 7.5)", "wrong_unit", "whole number"}, {"x |> fit(8px) |> erase(area = 20% to 2%)", "broken_condition", "2% to 20%"},
        {"x |> fit(8px) |> erase(area = 2% to 120%)", "broken_condition", "between 0% and 100%"}, {"x |> fit(8px) |> erase(area = 2px to 3px)", "wrong_unit", "a Share each"},
        {"x |> fit(8px) |> erase(area = 2px to 20%)", "wrong_unit", "not of one unit"}, {"x |> fit(8px) |> erase(area = 20%)", "wrong_type", "is to be Range"},
        {"x |> fit(8px) |> crop(8px, scale = some)", "unknown_name", "some"}, {"x |> crop(8px, scale = 0 to 1)", "broken_condition", "0.1%"},
        {"x |> crop(8px, ratio = 3px to 4px)", "wrong_unit", "a Real each"}, {"x |> fit(8px) |> grid_mask(period = 1px to 9px)", "broken_condition", "2px"},
        {"x |> fit(8px) |> grid_mask(period = 2 to 9)", "wrong_unit", "96px to 224px"}, {"x |> fit(8px) |> randaugment(magnitude = 11)", "broken_condition", "between 0 and 10"},
        {"x |> fit(8px) |> randaugment(count = 0)", "broken_condition", "count"}, {"x |> fit(8px) |> crop(4px, scale = \"a\" to 1)", "wrong_type", "a range goes from number to number"},
        {"x |> fit(8px) |> affine(shear = 89deg)", "broken_condition", "shear"}, {"x |> fit(8px) |> affine(down = 110%)", "broken_condition", "-100%"},
        {"x |> fit(8px) |> affine(scale = 0)", "broken_condition", "scale"}, {"x |> fit(8px) |> noise(spread = 2)", "broken_condition", "spread"},
        {"x |> fit(8px) |> perspective(distortion = 2)", "broken_condition", "distortion"}, {"x |> fit(8px) |> rotate(10deg, fill = pink)", "unknown_name", "white black gray"},
        {"3 |> fit(8px)", "wrong_type", "is to be Image"}, {"3 |> blur(8px)", "wrong_type", "a picture or a tensor was expected"}, {"x |> fit(8px) |> relu", "wrong_type", "is to be Tensor[S...], this is a picture"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused_view(cases[i].steps, cases[i].code, cases[i].words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_checked_and_says_whether_it_draws),
        cmocka_unit_test(what_a_step_cannot_take_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
