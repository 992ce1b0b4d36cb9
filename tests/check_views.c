/* check_views.c: colors, mirrors and draws of views: each help that edits is made, and the check it came from has nothing more to say. */
#include "trial.h"

static const char *license_said;             /* by weights that are called so, and beside the pictures */

static const WeightFacts *weights_by_name(void *context, const char *path, Span asked_at) {
    (void)asked_at;
    FakeFiles *files = context;
    WeightFacts *facts = arena_new(&files->jre->forever, WeightFacts);
    *facts = (WeightFacts){.path = path, .made_up = true, .stats = strstr(path, "/imagenet") ? "imagenet" : strstr(path, "/half") ? "half" : "0.1 0.2 0.3 0.4 0.5 0.6"};
    if (strstr(path, "-nc.safetensors")) facts->license = "CC BY-NC 4.0";
    if (strstr(path, "-nd.safetensors")) facts->license = "cc-by-nd-4.0";
    if (strstr(path, "-free.safetensors")) facts->license = "MIT license, an ncnn port";
    if (strstr(path, "-said.safetensors")) facts->license = license_said;
    return facts;
}

static const char *hash_by_name(void *context, const char *path, Span asked_at) {
    (void)context, (void)asked_at;
    return path;
}

static const char *license_beside(void *context, const char *folder, const char **file) {
    (void)context, (void)folder;
    *file = "LICENSE";
    return license_said;
}

static bool compiled(Trial *trial, const char *text) {
    trial->request.path = trial_file(trial, "v01.jre", text);
    compilation_free(&trial->c);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    Facts facts = fake_facts(&trial->files);
    facts.weights = weights_by_name;
    facts.content_hash = hash_by_name;
    facts.license = license_beside;
    return compile(&trial->c, trial->jre, &trial->request, &facts, true);
}

static char *with_edit(const char *text, const Source *source, const DiagHelp *help) {
    char *changed = calloc(1, strlen(text) + strlen(help->replacement) + 1);
    size_t start = help->edit.start - source->base, end = help->edit.end - source->base;
    memcpy(changed, text, start);
    strcat(changed, help->replacement);
    strcat(changed, text + end);
    return changed;
}

/* Each help of the only finding, made alone: a text that parses, without that finding; if it is safe, without any. Returns how many there are. */
static int edits_mend(const char *text) {
    int edits = 0;
    for (int help = 0, helps = 1; help < helps; help++) {
        Trial *trial = trial_new(), *again = trial_new();
        compiled(trial, text);
        assert_int_equal(trial->jre->diagnostics.count, 1);
        const Diagnostic *found = trial->jre->diagnostics.at[0];
        helps = found->helps.count;
        const Source *source = found->helps.at[help].has_edit ? source_of(trial->jre, found->helps.at[help].edit) : NULL;
        if (source && !strcmp(source->stem, "v01")) {
            char *changed = with_edit(text, source, &found->helps.at[help]);
            compiled(again, changed);
            for (int i = 0; i < again->jre->diagnostics.count; i++)
                if (found->helps.at[help].safe || again->jre->diagnostics.at[i]->code == found->code || again->jre->diagnostics.at[i]->code < DIAG_unknown_key)
                    fail_msg("%s\n%s", changed, test_messages(again->jre));
            edits++;
            free(changed);
        }
        trial_free(again);
        trial_free(trial);
    }
    return edits;
}

/* What is asked of a text: its only finding, the words in it, and how many of its helps are edits; without a check, that it is sound. */
typedef struct { const char *text, *check, *first, *second; int edits; } Case;

static void holds(const Case *one, const char *begin) {
    Trial *trial = trial_new();
    const char *text = arena_print(&trial->jre->forever, "# Trial\n\n```jre\n%s%s\n```\n", begin, one->text);
    bool sound = compiled(trial, text);
    if (!one->check && (!sound || trial->jre->diagnostics.count)) fail_msg("%s\n%s", text, test_messages(trial->jre));
    if (one->check) {
        if (trial->jre->diagnostics.count != 1) fail_msg("%s\n%s", text, test_messages(trial->jre));
        test_message_says(trial->jre, one->check, one->first, one->second, NULL);
        if (edits_mend(text) != one->edits) fail_msg("%s\nedits: %d", text, edits_mend(text));
    }
    trial_free(trial);
}

/* ---- colors ------------------------------------------------------------------------------------------------------------------ */

#define EYE "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> backbone |> average_pool |> unit }\n" \
            "network Small(x: Tensor[N, C, H, W]) -> Tensor[N, 4, H, W] { x |> conv(4, 1) }\nnetwork Wide(x: Tensor[N, C, H, W]) -> Tensor[N, 4, H, W] { x |> conv(4, 3) }\n" \
            "embed features { network Eye\n view plain }\n"
#define FAMILY "backbone = each [Small(weights = \"half.safetensors\"), Wide(weights = \"imagenet.safetensors\")]\n" EYE
#define SINGLE "backbone = Small(weights = \"half.safetensors\")\n" EYE
#define VIEW(steps) "augment plain(x: Image) -> Image { x |> fit(8px)" steps " }\n"

static void colors_that_a_network_does_not_know_are_told_once(void **state) {
    (void)state;
    static const Case cases[] = {
        {FAMILY VIEW(" |> normalize(imagenet)"), "wrong_normalization", "for backbone = Small; Wide agrees.", "follow the backbone, whichever it is  (safe)", 1},
        {FAMILY VIEW(" |> normalize(clip)"), "wrong_normalization", "for backbone = Small and Wide.", "raised on mean 0.485", 1},
        {FAMILY VIEW(""), "wrong_normalization", "leaves the colors as they are", "x |> fit(8px) |> normalize(backbone.stats)", 1},
        {FAMILY VIEW(" |> normalize(backbone.stats)"), NULL, NULL, NULL, 0},
        {"files = each [\"half.safetensors\", \"imagenet.safetensors\"]\nbackbone = Small(weights = files)\n" EYE VIEW(" |> normalize(imagenet)"),
         "wrong_normalization", "for half.safetensors; imagenet.safetensors agrees.", "normalize(backbone.stats)", 1},
        {"width = each [8px, 9px]\nbackbone = Small(weights = \"half.safetensors\")\n" EYE "augment plain(x: Image) -> Image { x |> fit(width) |> normalize(imagenet) }\n",
         "wrong_normalization", "raised on mean 0.5", "normalize(backbone.stats)", 1},
        {SINGLE "augment plain(x: Image) -> Image { seen(x, imagenet) }\naugment seen(x: Image, colors: Stats) -> Image { x |> fit(8px) |> normalize(colors) }\n",
         "wrong_normalization", "raised on mean 0.5", "seen(x, backbone.stats)", 1},
        {SINGLE "augment plain(x: Image) -> Image { seen(x) }\naugment seen(x: Image) -> Image { x |> fit(8px) }\n", "wrong_normalization", "seen(x) |> normalize(backbone.stats)", NULL, 1},
        {SINGLE "augment plain(x: Image) -> Image { x |> fit(8px) }\naugment more(x: Image) -> Image { plain(x) |> normalize(half) }\nembed other { network Eye\n view more }\n",
         "wrong_normalization", "end the view with |> normalize(backbone.stats)", NULL, 0},
        {"network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> Small(weights = \"half.safetensors\") |> average_pool |> unit }\n"
         "network Small(x: Tensor[N, C, H, W]) -> Tensor[N, 4, H, W] { x |> conv(4, 1) }\nembed features { network Eye\n view plain }\n" VIEW(" |> normalize(clip)"),
         "wrong_normalization", "show it the colors that it was raised on  (safe)", "normalize(half)", 1},
        {"network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> Small(weights = \"own.safetensors\") |> average_pool |> unit }\n"
         "network Small(x: Tensor[N, C, H, W]) -> Tensor[N, 4, H, W] { x |> conv(4, 1) }\nembed features { network Eye\n view plain }\n" VIEW(" |> normalize(clip)"),
         "wrong_normalization", "let an equation name the network", "raised on mean 0.1 0.2 0.3", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) holds(&cases[i], "");
}

static void colors_are_normalized_once(void **state) {
    (void)state;
    static const Case cases[] = {
        {SINGLE VIEW(" |> normalize(half) |> normalize(half)"), "wrong_normalization", "a second time", "take one of the two out  (safe)", 1},
        {SINGLE VIEW(" |> normalize(imagenet) |> normalize(backbone.stats)"), "wrong_normalization", "a second time", "(safe)", 1},
        {SINGLE VIEW(" |> normalize(backbone.stats) |> normalize(imagenet)"), "wrong_normalization", "a second time", "(safe)", 1},
        {SINGLE VIEW(" |> normalize(clip) |> normalize(imagenet)"), "wrong_normalization", "a second time", NULL, 0},
        {SINGLE "augment plain(x: Image) -> Image { x |> normalize(half) |> fit(8px) |> normalize(half) }\n", "wrong_normalization", "a second time", "(safe)", 1},
        {SINGLE "augment plain(x: Image) -> Image { x |> seen |> normalize(half) }\naugment seen(x: Image) -> Image { x |> fit(8px) |> normalize(half) }\n", "wrong_normalization", "a second time", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) holds(&cases[i], "");
}

/* ---- mirrors, draws, and what training did ---------------------------------------------------------------------------------- */

#define DATA(more) "use heads\ndataset animals { image \"photos/{who}/*.png\"\n identity \"{who}\"" more "\n}\nsplit folds { data animals\n folds 2\n identities shared\n together burst\n validate 50% }\n"
#define TRAIN(steps, more) "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> average_pool |> unit }\n" \
    "train learner { network Eye\n loss Softmax\n data folds.train\n view strong\n epochs 2" more "\n}\naugment strong(x: Image) -> Image { x |> fit(8px)" steps " }\n"
#define JUDGED(views) "embed features { network learner\n view " views " }\nevaluate cv { similarity cosine(features)\n on folds.held_out\n metrics [map] }\n"
#define PLAIN "augment plain(x: Image) -> Image { x |> fit(8px) }\n"
#define MIRROR "augment mirror(x: Image) -> Image { x |> fit(8px) |> flip(chance = 100%) }\n"
#define NAMED "\n pattern asymmetric"

static void a_mirror_is_nobody(void **state) {
    (void)state;
    static const Case cases[] = {
        {DATA(NAMED) TRAIN(" |> flip()", "") PLAIN JUDGED("plain"), "mirrored_flank", "keeps the animal's name", "flip(as = new_identity)", 2},
        {DATA(NAMED) TRAIN(" |> flip", "") PLAIN JUDGED("plain"), "mirrored_flank", "left and right differ", "flip(as = new_identity)", 2},
        {DATA(NAMED) TRAIN(" |> flip(as = same, chance = 20%)", "") PLAIN JUDGED("plain"), "mirrored_flank", "pattern symmetric", "flip(as = new_identity, chance = 20%)", 2},
        {DATA(NAMED) TRAIN(" |> turned(same)", "") "augment turned(x: Image, how: Word) -> Image { x |> flip(as = how) }\n" PLAIN JUDGED("plain"), "mirrored_flank", "turned(new_identity)", NULL, 2},
        {DATA("\n flank \"{who}\"") TRAIN(" |> flip()", "") PLAIN JUDGED("plain"), "mirrored_flank", "this tells left from right", "pattern  symmetric", 2},
        {DATA("\n flank \"{who}\"\n pattern symmetric") TRAIN(" |> flip()", "") PLAIN JUDGED("plain"), NULL, NULL, NULL, 0},
        {DATA(NAMED) TRAIN(" |> flip(chance = 0%)", "") PLAIN JUDGED("plain"), NULL, NULL, NULL, 0},
        {DATA("") TRAIN(" |> flip()", "") PLAIN JUDGED("plain"), NULL, NULL, NULL, 0},
        {DATA(NAMED) TRAIN("", "") MIRROR PLAIN JUDGED("[plain, mirror]"), "mirrored_flank", "a picture and its mirror are averaged here", "view [plain]", 2},
        {DATA("") TRAIN("", "") MIRROR PLAIN JUDGED("[plain, mirror]"), NULL, NULL, NULL, 0},
        {DATA(NAMED) TRAIN("", "") MIRROR JUDGED("mirror"), NULL, NULL, NULL, 0},
        {DATA("") TRAIN(" |> flip(as = new_identity)", "") MIRROR PLAIN JUDGED("[mirror, plain]"), "inconsistent_views", "told that they are different individuals", "view [plain]", 1},
        {DATA(NAMED) TRAIN(" |> flip(as = new_identity)", "") PLAIN JUDGED("plain"), NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) holds(&cases[i], "");
}

static void a_view_that_judges_is_steady_and_as_in_training(void **state) {
    (void)state;
    static const Case cases[] = {
        {DATA("") TRAIN(" |> crop(8px)", "") JUDGED("strong"), "random_view_in_evaluation", "this view draws", "without those that draw", 0},
        {DATA("") TRAIN(" |> crop(8px)", "") PLAIN "embed still { network Eye(weights = random(seed = 1))\n view plain }\n" JUDGED("strong"), "random_view_in_evaluation", "this view draws", "view plain", 1},
        {DATA("") TRAIN(" |> crop(8px)", "\n keep best(folds.validate, by = map)"), "random_view_in_evaluation", "best(folds.validate, by = map)", "nothing embeds with it", 0},
        {DATA("") TRAIN(" |> crop(8px)", "\n stop when(folds.validate, map, patience = 2)"), "random_view_in_evaluation", "when(folds.validate", NULL, 0},
        {DATA("") TRAIN(" |> crop(8px)", "\n keep last"), NULL, NULL, NULL, 0},
        {DATA("") TRAIN(" |> crop(8px)", "\n keep best(folds.validate, by = map)") PLAIN JUDGED("plain"), NULL, NULL, NULL, 0},
        {DATA("") TRAIN("", "\n keep best(folds.validate, by = map)"), NULL, NULL, NULL, 0},
        {DATA("") TRAIN(" |> gray", "") PLAIN JUDGED("plain"), "inconsistent_views", "here pictures have colors", "|> gray", 0},
        {DATA("") TRAIN(" |> gray", "") PLAIN "train second like learner { view [strong, plain] }\nembed features { network second\n view plain }\n", NULL, NULL, NULL, 0},
        {DATA("") TRAIN(" |> gray(chance = 10%)", "") PLAIN JUDGED("plain"), NULL, NULL, NULL, 0},
        {DATA("") TRAIN(" |> blur(2px)", "") PLAIN JUDGED("plain"), "inconsistent_views", "here pictures are sharp", NULL, 0},
        {DATA("") TRAIN(" |> flip(chance = 100%)", "") PLAIN JUDGED("plain"), "inconsistent_views", "here pictures are not mirrored", NULL, 0},
        {DATA("") TRAIN(" |> normalize(half)", "") PLAIN JUDGED("plain"), "inconsistent_views", "leaves the colors as they are", "|> normalize(half)", 0},
        {DATA("") TRAIN("", "") "augment bright(x: Image) -> Image { x |> fit(8px) |> normalize(half) }\n" JUDGED("bright"), "inconsistent_views", "training saw them as they are", NULL, 0},
        {DATA("") TRAIN(" |> normalize(half)", "") "augment bright(x: Image) -> Image { x |> fit(8px) |> normalize(imagenet) }\n" JUDGED("bright"), "inconsistent_views", "but training saw mean 0.5", NULL, 0},
        {DATA("") TRAIN(" |> normalize(half)", "") "augment bright(x: Image) -> Image { x |> fit(8px) |> center(8px) |> normalize(half) }\n" JUDGED("bright"), NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) holds(&cases[i], "");
}

/* ---- weights ------------------------------------------------------------------------------------------------------------------ */

#define BACKBONE(name) "backbone = Small(weights = \"" name ".safetensors\")\nnetwork Small(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> average_pool |> unit }\n" \
    "augment follows(x: Image) -> Image { x |> fit(8px) |> normalize(backbone.stats) }\nembed features { network backbone\n view follows }\n"

static void a_license_that_forbids_is_noted(void **state) {
    (void)state;
    static const Case cases[] = {
        {BACKBONE("half-nc"), "license", "not for commercial use", "their file says: CC BY-NC 4.0", 1},
        {BACKBONE("half-free"), NULL, NULL, NULL, 0},
        {BACKBONE("half-nd"), NULL, NULL, NULL, 0},
        {BACKBONE("half-nd") DATA("") "train learner { network backbone\n loss Softmax\n data folds.train\n view follows\n epochs 2 }\n", "license", "training changes them", "accept license for backbone", 1},
        {BACKBONE("half-nc") "accept license for backbone because \"counts only\"\n", NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) holds(&cases[i], "");
}

static void a_license_is_known_by_its_name_or_by_how_it_begins(void **state) {
    (void)state;
    static const char commercial[] = "not for commercial use", research[] = "for research only", nobody[] = "for nobody without being asked";
    static const struct { const char *license, *forbids; } cases[] = {
        {"MIT", NULL}, {"Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files", NULL},
        {"BSD-3-Clause", NULL}, {"Copyright (c) 2021, Some One\nAll rights reserved.\n\nRedistribution and use in source and binary forms, with or without modification, are permitted", NULL},
        {"BSD 2-Clause. Copyright 2021 Some One, all rights reserved.", NULL}, {"Copyright 2021 Some One. All rights reserved.\n", nobody},
        {"                                 Apache License\n                           Version 2.0, January 2004\n", NULL}, {"apache-2.0", NULL},
        {"AFL-3.0", NULL}, {"Academic Free License v3.0", NULL}, {"Academic Free License (\"AFL\") v. 3.0\n\nThis Academic Free License (the \"License\") applies to any original work", NULL},
        {"academic use only", research}, {"for research purposes only", research}, {"Proprietary", nobody},
        {"This is free and unencumbered software released into the public domain. Anyone is free to copy it, for any purpose, commercial or non-commercial, and by any means.", NULL},
        {"free for commercial and non-commercial use", NULL}, {"cc-by-4.0", NULL}, {"Creative Commons Attribution 4.0 International", NULL}, {"CC BY-SA 4.0, for research and for everybody", NULL},
        {"CC-BY-NC-4.0", commercial}, {"CC BY-NC-SA 4.0", commercial}, {"cc_by_nc", commercial}, {"https://creativecommons.org/licenses/by-nc/4.0/", commercial},
        {"Attribution-NonCommercial 4.0 International\n\nCreative Commons Corporation is not a law firm", commercial}, {"Non-commercial use", commercial},
        {"Photographs taken by NC State University, Raleigh, NC. They may be used under CC BY 4.0.", NULL}, {"Wildlife Institute, Raleigh, NC: CC BY 4.0", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        license_said = cases[i].license;
        const char *forbids = cases[i].forbids, *check = forbids ? "license" : NULL;
        const int edits = forbids != NULL;
        holds(&(Case){BACKBONE("half-said"), check, forbids, "their file says: ", edits}, "");
        holds(&(Case){DATA("") PLAIN "network Bare(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> average_pool |> unit }\nembed features { network Bare\n view plain }\n", check, forbids, "LICENSE begins: ", edits}, "");
    }
    license_said = "Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International Public License";
    holds(&(Case){BACKBONE("half-said"), "license", "Creative Commons Attribution-NonCommercial-ShareAlike 4.0 ..", NULL, 1}, "");
    license_said = NULL;
}

#define ASKED(network) DATA("") TRAIN("", "") PLAIN "embed features { network " network "\n view plain }\n"

static void what_nobody_trained_is_told_in_one_message(void **state) {
    (void)state;
    static const Case cases[] = {
        {ASKED("Eye"), "untrained_layer", "12 numbers that nobody has trained", "ask what came out of the training", 1},
        {ASKED("learner"), NULL, NULL, NULL, 0},
        {ASKED("Other") "network Other(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> conv(6, 1) |> average_pool |> unit }\n", "untrained_layer",
         "`conv1.weight`, `conv2.weight`; with layers further on 36 numbers", "this network is asked as it is", 0},
        {ASKED("Other(weights = random(seed = 1))") "network Other(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> average_pool |> unit }\n", NULL, NULL, NULL, 0},
        {ASKED("Other(weights = random(seed = 1.5))") "network Other(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> average_pool |> unit }\n", "wrong_argument", "have a seed", NULL, 1},
        {ASKED("Other") "network Other(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(4, 1) |> average_pool |> unit }\naccept untrained_layer for Other because \"a floor\"\n", NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) holds(&cases[i], "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colors_that_a_network_does_not_know_are_told_once),
        cmocka_unit_test(colors_are_normalized_once),
        cmocka_unit_test(a_mirror_is_nobody),
        cmocka_unit_test(a_view_that_judges_is_steady_and_as_in_training),
        cmocka_unit_test(a_license_that_forbids_is_noted),
        cmocka_unit_test(a_license_is_known_by_its_name_or_by_how_it_begins),
        cmocka_unit_test(what_nobody_trained_is_told_in_one_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
