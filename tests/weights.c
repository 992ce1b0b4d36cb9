/* weights.c: the library of weights: names without wrappers, statistics, formats it does not read. */
#include "test.h"

#include "../runtime/runtime.h"

#include <unistd.h>

typedef struct { Jre *jre; WeightLibrary *library; char folder[64], path[128], text[256]; } Bench;

static int open_bench(void **state) {
    Bench *bench = calloc(1, sizeof *bench);
    if (!bench) return 1;
    bench->jre = jre_new();
    bench->library = weight_library_new(bench->jre);
    test_folder(bench->folder);
    *state = bench;
    return 0;
}

static int close_bench(void **state) {
    Bench *bench = *state;
    weight_library_free(bench->library);
    jre_free(bench->jre);
    test_folder_gone(bench->folder);
    free(bench);
    return 0;
}

static const char *inside(Bench *b, const char *name) {
    snprintf(b->path, sizeof b->path, "%s/%s", b->folder, name);
    return b->path;
}

/* Tensors of two numbers each: i and i + 0.5. */
static void write_names(Bench *b, const char *file, int count, const char *const *names) {
    float values[8][2];
    Array arrays[8];
    assert_in_range(count, 1, 8);
    for (int i = 0; i < count; i++) {
        values[i][0] = (float)i;
        values[i][1] = (float)i + 0.5f;
        arrays[i] = (Array){.rank = 1, .dim = {2}, .values = values[i]};
    }
    assert_true(safetensors_write(b->jre, inside(b, file), NOWHERE, count, names, arrays));
}

static void write_text(Bench *b, const char *file, const char *text) {
    assert_true(file_write(b->jre, inside(b, file), NOWHERE, text, strlen(text)));
}

/* The one shape and the one value behind a name, through both doors. */
static void assert_has(Bench *b, const char *file, const char *name, float first) {
    const WeightFacts *facts = weight_library_facts(b->library, inside(b, file), NOWHERE);
    WeightFile *opened = weight_library_file(b->library, inside(b, file), NOWHERE);
    if (!facts || !opened) fail_msg("%s", test_messages(b->jre));
    const WeightShape *shape = map_get(&facts->by_name, name);
    const WeightTensor *tensor = map_get(&opened->by_name, name);
    assert_non_null(shape);
    assert_non_null(tensor);
    assert_ptr_equal(shape - facts->tensors, tensor - opened->tensors);
    assert_int_equal(shape->rank, 1);
    assert_int_equal(shape->dim[0], 2);
    float values[2];
    tensor_values(tensor, values);
    assert_true(values[0] == first && values[1] == first + 0.5f);
}

static void names_are_what_the_file_says(void **state) {
    Bench *b = *state;
    write_names(b, "plain.safetensors", 2, (const char *[]){"model.conv1.weight", "fc.bias"});
    assert_has(b, "plain.safetensors", "model.conv1.weight", 0);
    assert_has(b, "plain.safetensors", "fc.bias", 1);
    const WeightFacts *facts = weight_library_facts(b->library, inside(b, "plain.safetensors"), NOWHERE);
    assert_int_equal(facts->count, 2);
    assert_string_equal(facts->path, inside(b, "plain.safetensors"));
    assert_null(facts->stats);
}

static void wrappers_that_all_names_share_are_dropped(void **state) {
    Bench *b = *state;
    write_names(b, "wrapped.safetensors", 2, (const char *[]){"state_dict.module.conv1.weight", "state_dict.module.fc.bias"});
    assert_has(b, "wrapped.safetensors", "conv1.weight", 0);
    assert_has(b, "wrapped.safetensors", "fc.bias", 1);
    write_names(b, "named.safetensors", 2, (const char *[]){"model.", "model.weight"});      /* nothing would be left of one */
    assert_has(b, "named.safetensors", "model.", 0);
}

static void a_file_is_opened_once(void **state) {
    Bench *b = *state;
    write_names(b, "once.safetensors", 1, (const char *[]){"w"});
    const WeightFacts *first = weight_library_facts(b->library, inside(b, "once.safetensors"), NOWHERE);
    assert_ptr_equal(weight_library_facts(b->library, inside(b, "once.safetensors"), NOWHERE), first);
}

static const char *stats_beside(Bench *b, const char *json) {
    WeightLibrary *fresh = weight_library_new(b->jre);
    write_names(b, "net.v2.safetensors", 1, (const char *[]){"w"});
    write_text(b, "net.v2.json", json);
    const WeightFacts *facts = weight_library_facts(fresh, inside(b, "net.v2.safetensors"), NOWHERE);
    snprintf(b->text, sizeof b->text, "%s", !facts ? "refused" : facts->stats ? facts->stats : "none");
    weight_library_free(fresh);
    return b->text;
}

static void statistics_come_from_a_json_beside_the_file(void **state) {
    Bench *b = *state;
    assert_string_equal(stats_beside(b, "{\"mean\": [0.5, 0.25, 0.125], \"std\": [1, 2, 3]}"), "0.5 0.25 0.125 1 2 3");
    assert_string_equal(stats_beside(b, "{\"pretrained_cfg\": {\"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, 0.225]}}"),
                        "0.485 0.456 0.406 0.229 0.224 0.225");
    assert_string_equal(stats_beside(b, "{\"author\": \"somebody\"}"), "none");
    assert_string_equal(stats_beside(b, "[]"), "none");
    assert_int_equal(diag_count(b->jre, SEVERITY_NOTE), 0);
}

static void a_license_is_said_by_the_json_or_by_nobody(void **state) {
    Bench *b = *state;
    static const struct { const char *json, *license; } rows[] = {
        {"{\"license\": \"cc-by-nc-4.0\"}", "cc-by-nc-4.0"}, {"{\"pretrained_cfg\": {\"license\": \"mit\"}}", "mit"}, {"{\"license\": 3}", NULL}, {"{\"license\": \"\"}", NULL}, {"[1]", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WeightLibrary *fresh = weight_library_new(b->jre);
        write_names(b, "net.v2.safetensors", 1, (const char *[]){"w"});
        write_text(b, "net.v2.json", rows[i].json);
        const WeightFacts *facts = weight_library_facts(fresh, inside(b, "net.v2.safetensors"), NOWHERE);
        assert_non_null(facts);
        if (rows[i].license) assert_string_equal(facts->license, rows[i].license);
        else assert_null(facts->license);
        weight_library_free(fresh);
    }
}

static void unsound_statistics_are_refused(void **state) {
    Bench *b = *state;
    static const char *const unsound[] = {
        "{\"mean\": [0, 0, 0]}", "{\"mean\": [0, 0], \"std\": [1, 1]}", "{\"mean\": [0, 0, 0], \"std\": [1, 0, 1]}",
        "{\"mean\": [0, 0, 1e999], \"std\": [1, 1, 1]}", "{\"mean\": \"imagenet\", \"std\": [1, 1, 1]}",
    };
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        assert_string_equal(stats_beside(b, unsound[i]), "refused");
        test_message_says(b->jre, "net.v2.json", "three numbers", NULL);
    }
    assert_string_equal(stats_beside(b, "{\"mean\": ["), "refused");
    test_message_says(b->jre, "net.v2.json", "is not JSON", NULL);
    assert_string_equal(stats_beside(b, ""), "refused");
    test_message_says(b->jre, "is not JSON", NULL);
}

/* Some names are wrapped, some are not: each is found by its whole name, and by its own part where that is nobody else's. */
static void a_wrapped_name_is_found_both_ways(void **state) {
    Bench *b = *state;
    write_names(b, "mixed.safetensors", 5, (const char *[]){"module.backbone.conv1.weight", "objective.W", "bn.weight", "module.bn.weight", "model.module.x"});
    assert_has(b, "mixed.safetensors", "module.backbone.conv1.weight", 0);
    assert_has(b, "mixed.safetensors", "backbone.conv1.weight", 0);
    assert_has(b, "mixed.safetensors", "conv1.weight", 0);
    assert_has(b, "mixed.safetensors", "objective.W", 1);
    assert_has(b, "mixed.safetensors", "bn.weight", 2);
    assert_has(b, "mixed.safetensors", "module.bn.weight", 3);
    assert_has(b, "mixed.safetensors", "x", 4);
    write_names(b, "unclear.safetensors", 3, (const char *[]){"model.w", "module.w", "fc.bias"});
    const WeightFacts *facts = weight_library_facts(b->library, inside(b, "unclear.safetensors"), NOWHERE);
    assert_non_null(facts);
    assert_null(map_get(&facts->by_name, "w"));
    assert_non_null(map_get(&facts->by_name, "model.w"));
}

/* A megabyte of wrappers, and one more name beside it, so that they are no common beginning: each tail is not looked up, which would take minutes. */
static void a_name_of_nothing_but_wrappers_costs_its_length(void **state) {
    Bench *b = *state;
    static const char wrapper[] = "model.";
    enum { WRAPPERS = 200000, LENGTH = WRAPPERS * (sizeof wrapper - 1) };
    char *name = malloc(LENGTH + 2);
    for (int i = 0; i < WRAPPERS; i++) memcpy(name + (size_t)i * (sizeof wrapper - 1), wrapper, sizeof wrapper - 1);
    memcpy(name + LENGTH, "w", 2);
    write_names(b, "deep.safetensors", 2, (const char *[]){name, "fc.bias"});
    alarm(20);
    assert_has(b, "deep.safetensors", name, 0);
    assert_has(b, "deep.safetensors", name + 6, 0);
    assert_null(map_get(&weight_library_facts(b->library, inside(b, "deep.safetensors"), NOWHERE)->by_name, "w"));
    alarm(0);
    free(name);
}

static void other_formats_are_told_apart_from_damaged_files(void **state) {
    Bench *b = *state;
    write_text(b, "net.onnx", "\x08\x07\x12 a model");
    assert_null(weight_library_file(b->library, inside(b, "net.onnx"), NOWHERE));
    test_message_says(b->jre, "net.onnx", "ONNX", "torch.save", NULL);
    write_text(b, "net.h5", "\x89HDF\r\n and more");
    assert_null(weight_library_file(b->library, inside(b, "net.h5"), NOWHERE));
    test_message_says(b->jre, "net.h5", "HDF5", NULL);
    assert_null(weight_library_file(b->library, inside(b, "absent.safetensors"), NOWHERE));
    test_message_says(b->jre, "absent.safetensors", NULL);
    write_text(b, "page.pth", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n");
    assert_null(weight_library_facts(b->library, inside(b, "page.pth"), NOWHERE));
    test_message_says(b->jre, "page.pth", "it is a text, which begins `<!DOCTYPE html>`", NULL);
    write_text(b, "large.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
    assert_null(weight_library_facts(b->library, inside(b, "large.safetensors"), NOWHERE));
    test_message_says(b->jre, "large.safetensors", "git lfs pull", NULL);
    write_text(b, "damaged.safetensors", "\x01 no file of weights at all");
    assert_null(weight_library_facts(b->library, inside(b, "damaged.safetensors"), NOWHERE));
    test_message_says(b->jre, "damaged.safetensors", "no safetensors file", NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(names_are_what_the_file_says),
        CASE(wrappers_that_all_names_share_are_dropped),
        CASE(a_wrapped_name_is_found_both_ways),
        CASE(a_file_is_opened_once),
        CASE(statistics_come_from_a_json_beside_the_file),
        CASE(unsound_statistics_are_refused),
        CASE(a_license_is_said_by_the_json_or_by_nobody),
        CASE(a_name_of_nothing_but_wrappers_costs_its_length),
        CASE(other_formats_are_told_apart_from_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
