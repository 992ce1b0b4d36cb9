/* embed.c: `jre embed`: pictures and arrays through a network of a document, values inside it, and what is wrong with a call. */
#include "room.h"

#include "../compiler/cli/cli.h"

#include <math.h>

/* ---- room -------------------------------------------------------------------------------------------------------------------- */

enum { SIDE = 8, PICTURES = 20 };

/* Channels of `conv` are red + 2 green and blue - 1; those of `next` their sum and difference. */
static void write_weights(Room *room) {
    float conv[] = {1, 2, 0, 0, 0, 1}, bias[] = {0, -1}, next[] = {1, 1, 1, -1}, none[] = {0, 0};
    const char *const names[] = {"body.conv.weight", "body.conv.bias", "next.weight", "next.bias"};
    const Array arrays[] = {{.rank = 4, .dim = {2, 3, 1, 1}, .values = conv}, {.rank = 1, .dim = {2}, .values = bias}, {.rank = 4, .dim = {2, 2, 1, 1}, .values = next}, {.rank = 1, .dim = {2}, .values = none}};
    char path[128];
    snprintf(path, sizeof path, "%s/small.safetensors", room->folder);
    assert_true(safetensors_write(room->jre, path, NOWHERE, 4, names, arrays));
}

static const char document[] =
    "# Small\n\n```jre\n"
    "network Body(x: Tensor[N, C, H, W]) -> Tensor[N, 2, H, W] { x |> conv(2, 1, bias = true) as conv }\n"
    "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n  deep = x |> Body as body\n  deep |> conv(2, 1, bias = true) as next |> average_pool\n}\n"
    "augment seen(x: Image) -> Image { x |> stretch(8px) }\n"
    "embed features {\n  network Eye(weights = \"small.safetensors\")\n  view seen\n}\n"
    "side = each [4px, 8px]\naugment either(x: Image) -> Image { x |> stretch(side) }\n"
    "embed family {\n  network Eye(weights = \"small.safetensors\")\n  view either\n}\n```\n";

static int enter_with_document(void **state) {
    enter(state);
    Room *room = *state;
    write_weights(room);
    snprintf(room->path, sizeof room->path, "%s/small.jre", room->folder);
    assert_true(file_write(room->jre, room->path, NOWHERE, document, sizeof document - 1));
    for (int i = 0; i < PICTURES; i++) {
        char path[128];
        uint8_t pixels[SIDE * SIDE * 3];
        for (int k = 0; k < SIDE * SIDE; k++) pixels[3 * k] = 255, pixels[3 * k + 1] = (uint8_t)(51 * (i % 6)), pixels[3 * k + 2] = 0;
        snprintf(path, sizeof path, "%s/p%02d.png", room->folder, i);
        assert_true(image_write_png(room->jre, path, NOWHERE, &(Image){SIDE, SIDE, 3, pixels}));
    }
    return 0;
}

static const char *inside(Room *room, const char *name) { return arena_print(&room->jre->forever, "%s/%s", room->folder, name); }

static char said[8192];                    /* by the last call */

static void assert_said(const char *words) {
    if (!test_says(said, words)) fail_msg("the message does not say `%s`:\n%s", words, said);
}

/* The call in the room's folder. */
static int embed(Room *room, Options *options, const char *name, int pictures, const char *const *files) {
    options->request.path = room->path;
    options->run.quiet = true;
    options->run.out = stdout;
    options->run.into = room->folder;
    if (!options->out) options->out = inside(room, "out.npy");
    if (name) list_add(&room->jre->forever, &options->names, name);
    for (int i = 0; i < pictures; i++) list_add(&room->jre->forever, &options->names, files ? files[i] : inside(room, arena_print(&room->jre->forever, "p%02d.png", i)));
    FILE *kept = stderr;
    memset(said, 0, sizeof said);
    stderr = fmemopen(said, sizeof said - 1, "w");
    int status = embed_command(room->jre, options);
    fclose(stderr);
    stderr = kept;
    return status;
}

static Array written(Room *room, const char *name) {
    Array array;
    assert_true(npy_read(room->jre, inside(room, name), NOWHERE, &array));
    return array;
}

static void assert_near(float found, double expected) { assert_true(fabs((double)found - expected) < 1e-5); }

/* ---- what it gives --------------------------------------------------------------------------------------------------------------- */

static void rows_come_in_the_order_given(void **state) {
    Room *room = *state;
    Options options = {0};
    assert_int_equal(embed(room, &options, "features", PICTURES, NULL), 0);
    Array rows = written(room, "out.npy");
    assert_int_equal(rows.rank, 2);
    assert_int_equal(rows.dim[0], PICTURES);
    assert_int_equal(rows.dim[1], 2);
    for (int i = 0; i < PICTURES; i++) {
        double first = 1 + 2 * (i % 6) / 5.0, second = -1;
        assert_near(rows.values[2 * i], first + second);
        assert_near(rows.values[2 * i + 1], first - second);
    }
    jre_release(rows.values);
    Table table;
    assert_true(table_read(room->jre, inside(room, "out.csv"), NOWHERE, &table));
    assert_int_equal(table.rows, PICTURES);
    assert_string_equal(table.cells[2 * 3], "3");
    assert_string_equal(table.cells[2 * 3 + 1], inside(room, "p03.png"));
}

static void a_picture_that_is_missing_costs_itself_alone(void **state) {
    Room *room = *state;
    Options options = {0};
    const char *const files[] = {inside(room, "p00.png"), inside(room, "gone.png"), inside(room, "small.jre"), inside(room, "p05.png")};
    assert_int_equal(embed(room, &options, "features", 4, files), 1);
    assert_said("file_missing");
    assert_said("gone.png");
    assert_said("file_corrupt");
    Array rows = written(room, "out.npy");
    assert_int_equal(rows.dim[0], 2);
    assert_near(rows.values[2], 2);
    jre_release(rows.values);
    Table table;
    assert_true(table_read(room->jre, inside(room, "out.csv"), NOWHERE, &table));
    assert_string_equal(table.cells[3], files[3]);
    Options none = {.out = inside(room, "none.npy")};
    assert_int_equal(embed(room, &none, "features", 1, (const char *const[]){inside(room, "gone.png")}), 1);
    assert_false(file_exists(none.out));
}

/* Of another size than the view's, too. */
static void an_array_goes_past_the_view(void **state) {
    Room *room = *state;
    float numbers[2 * 3 * 4 * 6];
    for (int i = 0; i < 2 * 3 * 4 * 6; i++) numbers[i] = (float)(i / 24);
    assert_true(npy_write(room->jre, inside(room, "in.npy"), NOWHERE, numbers, 4, (int64_t[]){2, 3, 4, 6}));
    Options options = {.tensor = inside(room, "in.npy")};
    assert_int_equal(embed(room, &options, "features", 0, NULL), 0);
    Array rows = written(room, "out.npy");
    assert_int_equal(rows.dim[0], 2);
    assert_near(rows.values[0], (0 + 2 * 1) + (2 - 1));
    assert_near(rows.values[3], (3 + 2 * 4) - (5 - 1));
    jre_release(rows.values);
    assert_false(file_exists(inside(room, "out.csv")));
}

static void a_value_inside_is_given_as_it_is(void **state) {
    Room *room = *state;
    static const char *const names[] = {"deep", "body", "conv", "body.conv"};
    for (int i = 0; i < 4; i++) {
        Options options = {.tap = names[i]};
        assert_int_equal(embed(room, &options, "features", 2, NULL), 0);
        Array map = written(room, "out.npy");
        assert_int_equal(map.rank, 4);
        assert_int_equal(map.dim[1], 2);
        assert_int_equal(map.dim[3], SIDE);
        assert_near(map.values[0], 1);
        assert_near(map.values[3 * SIDE * SIDE - 1], 1.4);
        assert_near(map.values[3 * SIDE * SIDE], -1);
        jre_release(map.values);
    }
}

static void one_of_a_family_is_chosen(void **state) {
    Room *room = *state;
    Options open = {0}, chosen = {0}, set = {0};
    assert_int_equal(embed(room, &open, "family", 1, NULL), 1);
    assert_said("undecided_choice");
    assert_said("family[side = 8px]");
    assert_int_equal(embed(room, &chosen, "family[side = 4px]", 1, NULL), 0);
    list_add(&room->jre->forever, &set.request.set, "side=8px");
    assert_int_equal(embed(room, &set, "family", 1, NULL), 0);
}

/* A network's weights by whatever program wrote them: alone, in a checkpoint of a training, wrapped or not. */
static void weights_of_any_origin_give_the_same_rows(void **state) {
    Room *room = *state;
    static const char *const files[] = {"zip.pth", "legacy.pth", "training.pth", "training_legacy.pth"};
    for (int i = 0; i < 4; i++) {
        char where[4096];
        const char *text = arena_print(&room->jre->forever,
                                       "```jre\nnetwork Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] { x |> conv(2, 1) as conv |> batchnorm as norm |> average_pool }\n"
                                       "augment seen(x: Image) -> Image { x |> stretch(8px) }\nembed features {\n  network Eye(weights = \"%s\")\n  view seen\n}\n```\n",
                                       realpath(arena_print(&room->jre->forever, "tests/checkpoints/%s", files[i]), where));
        snprintf(room->path, sizeof room->path, "%s/of_%d.jre", room->folder, i);
        assert_true(file_write(room->jre, room->path, NOWHERE, text, strlen(text)));
        Options options = {0};
        if (embed(room, &options, "features", 6, NULL) != 0) fail_msg("%s", said);
        Array rows = written(room, "out.npy");
        const double scale = 1 / sqrt(1 + 1e-5);
        for (int k = 0; k < 6; k++) {
            assert_near(rows.values[2 * k], scale * (1 + 0.75 * k / 5) - 1);
            assert_near(rows.values[2 * k + 1], scale * 0.75 * 0.25 - 0.75);
        }
        jre_release(rows.values);
    }
}

/* ---- what it refuses --------------------------------------------------------------------------------------------------------------- */

static void what_is_wrong_with_a_call_is_told(void **state) {
    Room *room = *state;
    assert_true(npy_write(room->jre, inside(room, "flat.npy"), NOWHERE, (float[]){1, 2, 3}, 1, (int64_t[]){3}));
    assert_true(npy_write(room->jre, inside(room, "empty.npy"), NOWHERE, (float[]){0}, 4, (int64_t[]){0, 3, 8, 8}));
    static const struct { const char *name, *tap, *tensor; int pictures; const char *code, *says; } rows[] = {
        {NULL, NULL, NULL, 0, "wrong_argument", "name of an embed"}, {"features", NULL, NULL, 0, "wrong_argument", "no pictures"},
        {"features", NULL, "flat.npy", 1, "wrong_argument", "not both"}, {"featurs", NULL, NULL, 1, "unknown_name", "did you mean `features`?"},
        {"seen", NULL, NULL, 1, "wrong_type", "`embed features`"}, {"features +", NULL, NULL, 1, "unexpected_word", "end of the input"},
        {"features", "depe", NULL, 1, "unknown_name", "did you mean `deep`?"}, {"features", "weight", NULL, 1, "unknown_name", "there are: x deep body next"},
        {"features", NULL, "flat.npy", 0, "shape_mismatch", "is [3]"}, {"features", NULL, "empty.npy", 0, "shape_mismatch", "is [0, 3, 8, 8]"}, {"features", NULL, "none.npy", 0, "file_missing", "none.npy"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Options options = {.tap = rows[i].tap, .tensor = rows[i].tensor ? inside(room, rows[i].tensor) : NULL};
        int status = embed(room, &options, rows[i].name, rows[i].pictures, NULL);
        if (status != 1) fail_msg("row %zu ended with %d:\n%s", i, status, said);
        assert_said(rows[i].code);
        assert_said(rows[i].says);
    }
}

/* ---- real networks -------------------------------------------------------------------------------------------------------------------- */

/* The reference's own input through `jre embed --tensor` gives the reference's features. */
static void tensors_give_the_features_of_torch(void **state) {
    Room *room = *state;
    static const struct { const char *module, *network, *file, *features; } rows[] = {
        {"mobilenetv2", "mobilenetv2_100", "mobilenetv2_100", "mobilenetv2_100_features"}, {"squeezenet", "squeezenet1_1", "squeezenet1_1", "squeezenet1_1_features"},
        {"resnetv2", "resnet50v2_stage3", "resnet50v2_stage3_fp16", "resnet50v2_stage3_fp16_features"},
    };
    char where[1024], data[1024];
    if (!test_data("weights/expected", where)) skip();
    Array pixels;
    assert_true(npy_read(room->jre, test_data("weights/expected/input_u8_3x224x224x3.npy", where), NOWHERE, &pixels));
    enum { PLANE = 224 * 224 };
    static const double mean[] = {0.485, 0.456, 0.406}, spread[] = {0.229, 0.224, 0.225};
    float *input = malloc(3 * 3 * PLANE * sizeof *input);
    for (int i = 0; i < 3 * 3 * PLANE; i++) input[i] = (float)((pixels.values[(i / (3 * PLANE) * PLANE + i % PLANE) * 3 + i / PLANE % 3] / 255 - mean[i / PLANE % 3]) / spread[i / PLANE % 3]);
    assert_true(npy_write(room->jre, inside(room, "in.npy"), NOWHERE, input, 4, (int64_t[]){3, 3, 224, 224}));
    jre_release(pixels.values);
    free(input);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = arena_print(&room->jre->forever,
                                       "# Eye\n\n```jre\nuse %s\neye = %s(weights = \"%s\", stats = imagenet)\n"
                                       "augment seen(x: Image) -> Image { x |> stretch(224px) |> normalize(eye.stats) }\n"
                                       "network Pooled(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> eye |> average_pool }\n"
                                       "embed features {\n  network Pooled\n  view seen\n}\n```\n",
                                       rows[i].module, rows[i].network, realpath(test_data(arena_print(&room->jre->forever, "weights/%s.safetensors", rows[i].file), where), data));
        snprintf(room->path, sizeof room->path, "%s/%s.jre", room->folder, rows[i].network);
        assert_true(file_write(room->jre, room->path, NOWHERE, text, strlen(text)));
        Options options = {.tensor = inside(room, "in.npy")};
        if (embed(room, &options, "features", 0, NULL) != 0) fail_msg("%s", said);
        Array found = written(room, "out.npy"), expected;
        assert_true(npy_read(room->jre, test_data(arena_print(&room->jre->forever, "weights/expected/%s.npy", rows[i].features), where), NOWHERE, &expected));
        assert_int_equal(found.dim[1], expected.dim[1]);
        double most = 0, largest = 0;
        for (int64_t k = 0; k < 3 * expected.dim[1]; k++) {
            most = fmax(most, fabs((double)found.values[k] - (double)expected.values[k]));
            largest = fmax(largest, fabs((double)expected.values[k]));
        }
        if (!(most < 1e-4 * largest)) fail_msg("%s is off by %g of %g", rows[i].network, most, largest);
        jre_release(found.values);
        jre_release(expected.values);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter_with_document, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rows_come_in_the_order_given),
        CASE(a_picture_that_is_missing_costs_itself_alone),
        CASE(an_array_goes_past_the_view),
        CASE(a_value_inside_is_given_as_it_is),
        CASE(one_of_a_family_is_chosen),
        CASE(weights_of_any_origin_give_the_same_rows),
        CASE(what_is_wrong_with_a_call_is_told),
        CASE(tensors_give_the_features_of_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
