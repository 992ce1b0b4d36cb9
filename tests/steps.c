/* steps.c: steps of views, draws and functions of one picture, as the compiler knows them; what views do to pixels is in view.c. */
#include <math.h>

#include "trial.h"

#include "../kernels/kernels.h"
#include "../runtime/runtime.h"

/* ---- room ---------------------------------------------------------------------------------------------------------------- */

static void take_library(Trial *trial, const char *chunk) {
    trial_chunk(trial, chunk);                                     /* some of these views have names for nothing */
    for (int i = 0; i < trial->jre->diagnostics.count; i++) assert_int_equal(trial->jre->diagnostics.at[i]->code, DIAG_unused_name);
    diag_forget(trial->jre);
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
        {"x |> resize(40px) |> center(32px)", 32, false, NULL}, {"x |> fit(8px) |> center(8px)", 8, false, NULL},
        {"x |> center(8px)", 8, false, NULL}, {"x |> fit(9px) |> corner(8px, at = top_left)", 8, false, NULL},
        {"x |> fit(9px) |> crop(8px)", 8, true, "crop"}, {"x |> fit(9px) |> crop(16px, scale = 0.8 to 1.0)", 16, true, "crop"},
        {"x |> crop(8px, scale = 80% to 1, ratio = 1 to 1)", 8, true, "crop"}, {"x |> crop(8px, scale = none)", 8, true, "crop"},
        {"x |> fit(8px) |> rotate(10deg)", 8, false, NULL}, {"x |> fit(8px) |> rotate(angle = -0.5rad, fill = gray)", 8, false, NULL},
        {"x |> fit(8px) |> affine(right = -15%, scale = 1.15)", 8, false, NULL}, {"x |> fit(8px) |> perspective()", 8, true, "perspective"},
        {"x |> fit(8px) |> perspective(distortion = 0%)", 8, true, "perspective"}, {"x |> fit(8px) |> perspective(distortion = 0%, chance = 1)", 8, false, "perspective"},
        {"x |> fit(8px) |> flip()", 8, true, "flip"}, {"x |> fit(8px) |> flip(as = new_identity, chance = 100%)", 8, false, "flip"},
        {"x |> fit(8px) |> flip(chance = 0)", 8, false, NULL}, {"x |> fit(8px) |> flip(chance = 1)", 8, false, NULL}, {"x |> fit(8px) |> jitter()", 8, false, "jitter"},
        {"x |> fit(8px) |> jitter(brightness = 0.2, contrast = 20%)", 8, true, "jitter"}, {"x |> fit(8px) |> gray", 8, false, NULL}, {"x |> normalize(half) |> fit(8px)", 8, false, "fit"},
        {"x |> fit(8px) |> gray(chance = 10%)", 8, true, "gray"}, {"x |> fit(8px) |> blur(2px)", 8, false, "blur"},
        {"x |> fit(8px) |> noise()", 8, true, "noise"}, {"x |> fit(8px) |> noise(spread = 0)", 8, false, "noise"}, {"x |> jpeg(quality = 30) |> fit(8px)", 8, false, "jpeg"},
        {"x |> fit(8px) |> erase(probability = 25%, area = 2% to 15%)", 8, true, "erase"}, {"x |> fit(8px) |> erase(probability = 0)", 8, false, NULL},
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
        {"x |> fit(8px) |> erase(area = 2% to 120%)", "broken_condition", "between 0% and 100%"}, {"x |> fit(8px) |> erase(area = 2px to 3px)", "wrong_unit", "is to be a Share"},
        {"x |> fit(8px) |> erase(area = 2px to 20%)", "wrong_unit", "not of one unit"}, {"x |> fit(8px) |> erase(area = 20%)", "wrong_type", "is to be Range"},
        {"x |> fit(8px) |> crop(8px, scale = some)", "unknown_name", "some"}, {"x |> crop(8px, scale = 0 to 1)", "broken_condition", "0.1%"},
        {"x |> crop(8px, ratio = 3px to 4px)", "wrong_unit", "is to be a Real"}, {"x |> fit(8px) |> grid_mask(period = 1px to 9px)", "broken_condition", "2px"},
        {"x |> fit(8px) |> grid_mask(period = 2 to 9)", "wrong_unit", "96px to 224px"}, {"x |> fit(8px) |> randaugment(magnitude = 11)", "broken_condition", "between 0 and 10"},
        {"x |> fit(8px) |> randaugment(count = 0)", "broken_condition", "count"}, {"x |> fit(8px) |> crop(4px, scale = \"a\" to 1)", "wrong_type", "a range goes from number to number"},
        {"x |> fit(8px) |> affine(shear = 89deg)", "broken_condition", "shear"}, {"x |> fit(8px) |> affine(down = 110%)", "broken_condition", "-100%"},
        {"x |> fit(8px) |> affine(scale = 0)", "broken_condition", "scale"}, {"x |> fit(8px) |> noise(spread = 2)", "broken_condition", "spread"},
        {"x |> fit(8px) |> perspective(distortion = 2)", "broken_condition", "distortion"}, {"x |> fit(8px) |> rotate(10deg, fill = pink)", "unknown_name", "white black gray"},
        {"3 |> fit(8px)", "wrong_type", "is to be Image"}, {"3 |> blur(8px)", "wrong_type", "a picture or a tensor was expected"}, {"x |> fit(8px) |> relu", "wrong_type", "is to be Tensor[S...], this is a picture"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused_view(cases[i].steps, cases[i].code, cases[i].words);
}

/* ---- draws -------------------------------------------------------------------------------------------------------------------- */

static void draws_steer_steps(void **state) {
    (void)state;
    static const struct { const char *steps, *canonical; } cases[] = {
        {"angle ~ uniform(-0.5rad, 0.5rad)\nx |> fit(8px) |> rotate(angle)", "rotate angle=angle ~ uniform(-0.5, 0.5) fill=white"},
        {"k ~ normal(1, 0.25)\nx |> fit(8px) |> affine(scale = 2 * k)", "scale=*(2, k ~ normal(1, 0.25))"},
        {"k ~ integers(30, 90)\nx |> fit(8px) |> jpeg(k)", "quality=k ~ integers(30, 90)"},
        {"k ~ choose([1px, 2px])\nx |> fit(8px) |> blur(-(-k))", "sigma=-(-(k ~ choose(1, 2)))"},
        {"k ~ uniform(0, 1)\nx |> fit(8px) |> noise(spread = max(k, 0.5))", "spread=max(k ~ uniform(0, 1), 0.5)"},
        {"k ~ choose([1px, 2px])\nx |> fit(8px) |> cutout(k)", "size=k ~ choose(1, 2)"},
        {"k ~ uniform(1deg, 0.5rad) / 2\nhalf = k / 2\nx |> fit(8px) |> rotate(half)", "rotate angle=/(/(k ~ uniform("},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        const View *view = view_of_steps(trial, cases[i].steps);
        if (!view) {
            char *text = test_messages(trial->jre);
            fail_msg("%s", text);
        }
        const char *canonical = view_canonical(&trial->jre->forever, view);
        if (!strstr(canonical, cases[i].canonical)) fail_msg("%s", canonical);
        assert_true(view->random);
        trial_free(trial);
    }
}

static void a_draw_that_steers_anything_else_is_refused(void **state) {
    (void)state;
    static const struct { const char *steps, *code, *words; } cases[] = {
        {"k ~ uniform(4px, 8px)\nx |> fit(k)", "wrong_type", "a picture's size is drawn"}, {"k ~ uniform(4px, 8px)\nx |> fit(8px) |> crop(k)", "wrong_type", "all of one size"},
        {"k ~ uniform(0, 1)\nif k > 0.5 then x |> fit(8px) else x |> fit(8px) |> flip()", "wrong_type", "holds for some pictures and not for others"},
        {"k ~ uniform(0.1, 0.2)\nx |> fit(8px) |> erase(area = k to 0.5)", "wrong_type", "this is a number drawn at random"},
        {"k ~ uniform(0.5, 0.1)\nx |> fit(8px)", "broken_condition", "below the low end"}, {"k ~ uniform(1deg, 2px)\nx |> fit(8px)", "wrong_unit", "another unit"},
        {"k ~ normal(0, -1)\nx |> fit(8px)", "broken_condition", "`normal` asks that spread >= 0"}, {"k ~ choose([])\nx |> fit(8px)", "wrong_argument", "nothing to choose from"},
        {"k ~ choose([1, \"a\"])\nx |> fit(8px)", "wrong_type", "a number was expected, this is a text"}, {"k ~ integers(0.5, 2)\nx |> fit(8px)", "wrong_unit", "whole number"},
        {"k ~ 3\nx |> fit(8px)", "wrong_type", "behind `~` stands what is drawn from"}, {"k = integers(1, 2)\nx |> fit(8px)", "wrong_type", "draws at random, and nothing here says for what"},
        {"k = uniform(1, 2)\nx |> fit(8px) |> noise(spread = k)", "wrong_type", "is to be Real"},
        {"k ~ uniform(0, 1)\nx |> fit(8px) |> rotate(k)", "wrong_unit", "an angle, but in what?"}, {"k ~ uniform(0, 100)\nx |> fit(8px) |> jpeg(k)", "wrong_unit", "whole number"},
        {"k ~ uniform(0, 1)\nx |> fit(8px) |> jitter(hue = k)", "broken_condition", "between 0 and 0.5"}, {"k ~ integers(1, 2)\nj ~ integers(1, k)\nx |> fit(8px)", "wrong_type", "cannot be drawn"},
        {"k ~ integers(1, 2)\nx |> fit(8px) |> rotate([1deg, 2deg][k])", "wrong_argument", "2 items"}, {"k ~ uniform(0, 1)\nk ~ uniform(0, 1)\nx |> fit(8px)", "already_named", "meaning in this formula already"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused_view(cases[i].steps, cases[i].code, cases[i].words);
}

/* ---- whole views -------------------------------------------------------------------------------------------------------------- */

static void data_of_a_view_comes_by_type(void **state) {
    (void)state;
    Trial *trial = trial_new();
    take_library(trial, "augment seen(x: Image, mask: Mask, side: Flank, turn: Angle = 5deg) -> Image[8px, 8px] {\n"
                        "x |> cover(mask, fill = gray) |> fit(8px) |> tilted(turn) |> flip(as = new_identity) |> normalize(half) }\n"
                        "augment tilted(x: Image[H, W], turn: Angle) -> Image[H, W] { x |> rotate(turn) }");
    const View *view = view_named(trial, "seen");
    assert_non_null(view);
    assert_int_equal(view->roles.count, 2);
    assert_string_equal(view->roles.at[0].type, "Mask");
    assert_string_equal(view->roles.at[1].name, "side");
    assert_string_equal(view->later, "flip");
    assert_true(view_wants(view, "Mask"));
    assert_false(view_wants(view, "Label"));
    assert_string_equal(step_parameter(view_step(view, "flip"), "as")->text, "new_identity");
    assert_string_equal(step_parameter(view_step(view, "cover"), "mask")->type, "Mask");
    assert_null(view_step(view, "crop"));
    assert_true(view_stats(view)->mean[0] == 0.5);
    trial_free(trial);
}

static void parameters_hand_words_and_statistics_on(void **state) {
    (void)state;
    Trial *trial = trial_new();
    take_library(trial, "augment framed(x: Image, shade: Color = black, raised: Stats = half) -> Image { x |> fit(8px, fill = shade) |> normalize(raised) }\n"
                        "augment seen(x: Image) -> Image { x |> framed(shade = gray, raised = clip) }");
    const View *view = view_named(trial, "seen"), *plain = view_named(trial, "framed");
    assert_int_equal(view->steps.at[0].fill[0], 128);
    assert_true(fabs(view_stats(view)->mean[0] - 0.48145466) < 1e-9);
    assert_int_equal(plain->steps.at[0].fill[0], 0);
    assert_true(view_stats(plain)->mean[0] == 0.5);
    trial_free(trial);
}

static void what_is_no_view_is_refused(void **state) {
    (void)state;
    static const struct { const char *head, *code, *words; } cases[] = {
        {"(x: Image, y: Image) -> Image { x |> fit(8px) }", "wrong_type", "a view has one picture"}, {"(x: Image, t: Tensor[N]) -> Image { x |> fit(8px) }", "wrong_type", "it has no Tensor"},
        {"(m: Mask) -> Image { m }", "wrong_argument", "begins with a picture"}, {"(x: Image, m: Flank) -> Image { x |> cover(m) |> fit(8px) }", "wrong_type", "is to be Mask, this is Flank"},
        {"(x: Image) -> Image { 3 }", "wrong_type", "gives no picture, but a number"}, {"(x: Image[H, W]) -> Image { x |> fit(8px) }", "shape_mismatch", "no step said how large"},
        {"(x: Image) -> Image { x |> fit(8px) |> small }\naugment small(x: Image[4px, W]) -> Image { x }", "shape_mismatch", "I found Image[8px, 8px]"},
        {"(x: Image) -> Image { x |> cover(3) |> fit(8px) }", "wrong_type", "is to be Mask"}, {"(x: Image) -> Image { mean(x) }", "wrong_type", "is to be Tensor[S...], this is a picture"},
        {"(x: Image, k: Real) -> Image { x |> fit(8px) }", "wrong_argument", "still needs its `k`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        take_library(trial, arena_print(&trial->jre->forever, "augment seen%s", cases[i].head));
        if (view_named(trial, "seen")) fail_msg("nothing was found wrong with seen%s", cases[i].head);
        test_message_says(trial->jre, cases[i].code, cases[i].words, NULL);
        trial_free(trial);
    }
}

/* ---- functions of one picture ----------------------------------------------------------------------------------------------------- */

enum { WIDE = 9 };

static Lowered lowered_function(Trial *trial, const char *type, const char *lines) {
    take_library(trial, arena_print(&trial->jre->forever, "augment seen(x: Image) -> Image { x |> fit(%dpx) }\nfunction coat(x: Image[H, W]) -> %s {\n%s\n}", WIDE, type, lines));
    Value *coat = evaluate_name(environment_new(&trial->c, trial->c.scope, NULL), intern(trial->jre, "coat"), NOWHERE);
    return lower_network(&trial->c, NULL, coat, view_named(trial, "seen"), NULL, NOWHERE);
}

static void functions_of_a_picture_are_networks(void **state) {
    (void)state;
    static const struct { const char *type, *lines, *later; int width; } cases[] = {
        {"Tensor[1]", "dark = gray(x) < blur(gray(x), sigma = 8px)\nmean(dark)", NULL, 1}, {"Scalar", "sum(x)", NULL, 1}, {"Tensor[_]", "color_histogram(x)", NULL, 48},
        {"Tensor[_]", "concat([color_histogram(x, bins = 2), mean(blur(x, 1px)), local_binary_patterns(x, radius = 2px), spot_sizes(x)])", "spot_sizes", 25},
        {"Tensor[W]", "r[w] = mean over h of gray(x)[h, w]\nr", NULL, WIDE}, {"Tensor[3]", "r[c] = max over h, w of x[c, h, w]\nr", NULL, 3},
        {"Tensor[1]", "y = 2 * x\nmean(y)", NULL, 1}, {"Tensor[1]", "mean(gray(brighter(x)))\n}\nfunction brighter(x: Image[H, W]) -> Image[H, W] { blur(x, 2px)", NULL, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        const Lowered lowered = lowered_function(trial, cases[i].type, cases[i].lines);
        if (lowered.width != cases[i].width) {
            char *text = test_messages(trial->jre);
            fail_msg("%s: %d numbers\n%s", cases[i].lines, lowered.width, text);
        }
        assert_true((lowered.program == NULL) == (cases[i].later != NULL));
        if (cases[i].later) assert_string_equal(lowered.later, cases[i].later);
        assert_string_equal(lowered.backbone, "coat");
        if (lowered.program) assert_int_equal(lowered.program->max_batch, 1);
        trial_free(trial);
    }
}

static void what_a_function_of_a_picture_cannot_do_is_refused(void **state) {
    (void)state;
    static const struct { const char *type, *lines, *code, *words; } cases[] = {
        {"Tensor[_]", "gray(x)", "shape_mismatch", "promises Tensor[_]"}, {"Tensor[H, W]", "gray(x)", "shape_mismatch", "one list of numbers is wanted"},
        {"Tensor[_]", "x |> flip()", "wrong_type", "only a view draws"}, {"Tensor[_]", "x |> rotate(3deg)", "wrong_type", "a picture is numbers already"},
        {"Tensor[_]", "gray(x, chance = 50%)", "wrong_type", "only a view draws at random"}, {"Tensor[1]", "k ~ uniform(0, 1)\nmean(x)", "wrong_type", "only an augment draws"},
        {"Tensor[_]", "color_histogram(x, bins = 0)", "broken_condition", "1 to 256 bins"}, {"Tensor[_]", "color_histogram(gray(x))", "wrong_type", "is to be Image"},
        {"Tensor[_]", "local_binary_patterns(x, radius = 0.5px)", "broken_condition", "1 to 32 pixels"}, {"Tensor[_]", "spot_sizes(x, bins = 300)", "broken_condition", "256"},
        {"Tensor[1]", "mean(x[c, h, w])", "shape_mismatch", "letters are reduced by name"}, {"Tensor[1]", "mean(blur(mean(x), 1px))", "shape_mismatch", "a blur wants"},
        {"Tensor[1]", "mean(blur(x, 0px))", "shape_mismatch", "over 0"}, {"Image", "gray(x)", "shape_mismatch", "promises Image"}, {"Tensor[_]", "concat([x, 3])", "wrong_type", "a tensor was expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        if (lowered_function(trial, cases[i].type, cases[i].lines).width) fail_msg("nothing was found wrong with:\n%s", cases[i].lines);
        if (diag_count(trial->jre, SEVERITY_ERROR) != 1) fail_msg("%d messages for:\n%s", diag_count(trial->jre, SEVERITY_ERROR), cases[i].lines);
        test_message_says(trial->jre, cases[i].code, cases[i].words, NULL);
        trial_free(trial);
    }
}

/* ---- and compute ------------------------------------------------------------------------------------------------------------------- */

enum { PICTURES = 3, PLACES = WIDE * WIDE };

/* 8-bit shades, as pictures have them. */
static void paint_shades(float *pixels) {
    uint32_t state = 7;
    for (int i = 0; i < PICTURES * 3 * PLACES; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (float)(state >> 24 & (i < 3 * PLACES ? 0x80 : 0xff)) / 255.0f;
    }
}

static void run_function(Trial *trial, const char *lines, const float *pixels, float *numbers) {
    const Lowered lowered = lowered_function(trial, "Tensor[_]", lines);
    if (!lowered.program) {
        char *text = test_messages(trial->jre);
        fail_msg("%s", text);
    }
    WeightLibrary *weights = weight_library_new(trial->jre);
    Pool *pool = pool_new(trial->jre, 1);
    Device *device = device_open_cpu(trial->jre, pool, kernel_level(NULL));
    Executor *executor = executor_new(trial->jre, lowered.program, device, weights);
    assert_non_null(executor);
    assert_true(executor_run(executor, pixels, PICTURES, numbers));
    executor_free(executor);
    device->close(device);
    pool_free(pool);
    weight_library_free(weights);
}

static double shade(const float *picture, int row, int column) {
    if (row < 0 || column < 0 || row >= WIDE || column >= WIDE) return 0;
    const float *at = picture + row * WIDE + column;
    return 0.299 * (double)at[0] + 0.587 * (double)at[PLACES] + 0.114 * (double)at[2 * PLACES];
}

static void gray_and_means_are_what_they_say(void **state) {
    (void)state;
    Trial *trial = trial_new();
    float pixels[PICTURES * 3 * PLACES], numbers[PICTURES * 2];
    paint_shades(pixels);
    run_function(trial, "concat([mean(gray(x)), sum(x > 0.5)])", pixels, numbers);
    for (int p = 0; p < PICTURES; p++) {
        const float *picture = pixels + p * 3 * PLACES;
        double mean = 0, bright = 0;
        for (int i = 0; i < PLACES; i++) mean += shade(picture, i / WIDE, i % WIDE) / PLACES;
        for (int i = 0; i < 3 * PLACES; i++) bright += picture[i] > 0.5f;
        assert_true(fabs(mean - (double)numbers[2 * p]) < 1e-6);
        assert_true(fabs(bright - (double)numbers[2 * p + 1]) < 1e-3);
    }
    trial_free(trial);
}

static void histograms_count_every_pixel_once(void **state) {
    (void)state;
    Trial *trial = trial_new();
    float pixels[PICTURES * 3 * PLACES], numbers[PICTURES * 12];
    paint_shades(pixels);
    pixels[0] = 1, pixels[1] = 0, pixels[2] = 0.25f;
    run_function(trial, "color_histogram(x, bins = 4)", pixels, numbers);
    for (int p = 0; p < PICTURES; p++) {
        double expected[12] = {0}, all = 0;
        for (int i = 0; i < 3 * PLACES; i++) {
            int bin = (int)(4 * pixels[p * 3 * PLACES + i]);
            expected[i / PLACES * 4 + (bin > 3 ? 3 : bin)] += 1.0 / (3 * PLACES);
        }
        for (int i = 0; i < 12; i++) all += (double)numbers[12 * p + i];
        for (int i = 0; i < 12; i++) assert_true(fabs(expected[i] - (double)numbers[12 * p + i]) < 1e-6);
        assert_true(fabs(all - 1) < 1e-6);
    }
    trial_free(trial);
}

/* The definition, neighbor by neighbor; outside the picture it is black. */
static void patterns_of(const float *picture, double radius, double *shares) {
    for (int i = 0; i < PLACES; i++) {
        bool above[8];
        int count = 0, changes = 0;
        for (int k = 0; k < 8; k++) {
            double turn = acos(-1.0) * k / 4, x = i % WIDE + radius * cos(turn), y = i / WIDE - radius * sin(turn);
            int left = (int)floor(x + 1e-6), top = (int)floor(y + 1e-6);
            double right = x - left, down = y - top, seen = 0;
            for (int corner = 0; corner < 4; corner++)
                seen += shade(picture, top + corner / 2, left + corner % 2) * (corner % 2 ? right : 1 - right) * (corner / 2 ? down : 1 - down);
            above[k] = seen + 1e-5 >= shade(picture, i / WIDE, i % WIDE);
            count += above[k];
        }
        for (int k = 0; k < 8; k++) changes += above[k] != above[(k + 1) % 8];
        shares[changes <= 2 ? count : 9] += 1.0 / PLACES;
    }
}

static void binary_patterns_are_the_definitions(void **state) {
    (void)state;
    Trial *trial = trial_new();
    float pixels[PICTURES * 3 * PLACES], numbers[PICTURES * 10];
    static const double radii[] = {1, 2, 2.5};
    paint_shades(pixels);
    for (int i = 0; i < 3 * PLACES; i++) pixels[i] = 0.6f;         /* a flat one: rounding is no texture */
    for (int r = 0; r < 3; r++) {
        Trial *one = trial_new();
        run_function(one, arena_print(&one->jre->forever, "local_binary_patterns(x, radius = %gpx)", radii[r]), pixels, numbers);
        for (int p = 0; p < PICTURES; p++) {
            double expected[10] = {0};
            patterns_of(pixels + p * 3 * PLACES, radii[r], expected);
            for (int i = 0; i < 10; i++)
                if (fabs(expected[i] - (double)numbers[10 * p + i]) > 1e-6) fail_msg("radius %g, picture %d, pattern %d: %g, not %g", radii[r], p, i, (double)numbers[10 * p + i], expected[i]);
        }
        trial_free(one);
    }
    trial_free(trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_checked_and_says_whether_it_draws),
        cmocka_unit_test(what_a_step_cannot_take_is_refused),
        cmocka_unit_test(draws_steer_steps),
        cmocka_unit_test(a_draw_that_steers_anything_else_is_refused),
        cmocka_unit_test(data_of_a_view_comes_by_type),
        cmocka_unit_test(parameters_hand_words_and_statistics_on),
        cmocka_unit_test(what_is_no_view_is_refused),
        cmocka_unit_test(functions_of_a_picture_are_networks),
        cmocka_unit_test(what_a_function_of_a_picture_cannot_do_is_refused),
        cmocka_unit_test(gray_and_means_are_what_they_say),
        cmocka_unit_test(histograms_count_every_pixel_once),
        cmocka_unit_test(binary_patterns_are_the_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
