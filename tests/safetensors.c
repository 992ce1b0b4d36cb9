/* safetensors.c, npy.c: files of numbers, good ones and hostile ones. */
#include "room.h"

#include <math.h>

static void put_bytes(Room *room, const void *bytes, size_t length) {
    FILE *file = fopen(room->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* ---- safetensors ------------------------------------------------------------------------------------------------------------ */

/* A file of the header and `data_bytes` bytes 0, 1, 2, ... */
static void put_weights(Room *room, const char *header, size_t data_bytes) {
    size_t length = strlen(header);
    uint8_t *bytes = calloc(1, 8 + length + data_bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(length >> (8 * i));
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_bytes; i++)
        bytes[8 + length + i] = (uint8_t)i;
    put_bytes(room, bytes, 8 + length + data_bytes);
    free(bytes);
}

static void weights_are_written_and_read_back(void **state) {
    Room *room = *state;
    float first[6] = { 1, -2, 3.5f, 0, 1e-30f, 7 }, scalar = 4;
    Array arrays[] = { { .rank = 2, .dim = {2, 3}, .values = first }, { .rank = 0, .values = &scalar }, { .rank = 1, .dim = {0} } };
    const char *const names[] = { "layer.0.weight", "a \"quoted\\name\"\n", "empty" };
    assert_true(safetensors_write(room->jre, room->path, NOWHERE, 3, names, arrays));
    WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
    assert_non_null(file);
    assert_int_equal(file->count, 3);
    assert_null(file->stats);
    assert_int_equal((uintptr_t)file->data % 8, 0);
    for (int i = 0; i < 3; i++) {
        const WeightTensor *tensor = map_get(&file->by_name, names[i]);
        assert_non_null(tensor);
        assert_int_equal(tensor->rank, arrays[i].rank);
        assert_memory_equal(tensor->dim, arrays[i].dim, sizeof tensor->dim);
        assert_string_equal(tensor->type->name, "F32");
    }
    float read[6];
    tensor_values(map_get(&file->by_name, "layer.0.weight"), read);
    assert_memory_equal(read, first, sizeof first);
    tensor_values(map_get(&file->by_name, names[1]), read);
    assert_true(read[0] == 4);
    weight_file_close(file);
    weight_file_close(NULL);
}

typedef struct { const char *dtype; int count; uint8_t bytes[32]; double expected[4]; } Conversion;

static void every_dtype_becomes_f32(void **state) {
    Room *room = *state;
    static const Conversion rows[] = {
        {"F16", 4, {0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b}, {1, -2, 0x1p-24, 65504}},
        {"F16", 4, {0xff, 0x03, 0x00, 0x04, 0x55, 0x35, 0x00, 0x80}, {0x3ffp-24, 0x1p-14, 0x1.554p-2, -0.0}},
        {"BF16", 3, {0x80, 0x3f, 0x49, 0x40, 0x80, 0xff}, {1, 3.140625, -INFINITY}},
        {"F64", 2, {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0xbf}, {1, (double)-0.1f}},
        {"I64", 1, {0xfe, 255, 255, 255, 255, 255, 255, 255}, {-2}}, {"I32", 2, {0, 0, 0, 0x80, 5}, {-0x1p31, 5}},
        {"I16", 2, {0xff, 0xff, 0, 1}, {-1, 256}}, {"I8", 3, {0x80, 0x7f, 0}, {-128, 127, 0}},
        {"U64", 1, {0, 0, 0, 0, 0, 0, 0, 0x80}, {0x1p63}}, {"U32", 1, {255, 255, 255, 255}, {0x1p32}},
        {"U16", 1, {0xff, 0xff}, {65535}}, {"U8", 2, {200, 1}, {200, 1}}, {"BOOL", 2, {1, 0}, {1, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const Conversion *row = &rows[i];
        size_t size = strstr(row->dtype, "64") ? 8 : strstr(row->dtype, "32") ? 4 : strstr(row->dtype, "16") ? 2 : 1;
        size_t data = size * (size_t)row->count;
        char header[160];
        snprintf(header, sizeof header, "{\"odd\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}", row->dtype, row->count, data);
        put_weights(room, header, data);
        FILE *patch = fopen(room->path, "r+b");
        fseek(patch, (long)(8 + strlen(header)), SEEK_SET);
        assert_int_equal(fwrite(row->bytes, 1, data, patch), data);
        fclose(patch);
        WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
        assert_non_null(file);
        float values[4];
        tensor_values(&file->tensors[0], values);
        for (int k = 0; k < row->count; k++) {
            assert_true((double)values[k] == row->expected[k]);
            assert_int_equal(signbit(values[k]) != 0, signbit(row->expected[k]) != 0);
        }
        weight_file_close(file);
    }
}

static void halves_keep_infinities_and_what_is_no_number(void **state) {
    Room *room = *state;
    put_weights(room, "{\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4);
    FILE *patch = fopen(room->path, "r+b");
    fseek(patch, -4, SEEK_END);
    assert_int_equal(fwrite("\x00\xfc\x01\x7e", 1, 4, patch), 4);
    fclose(patch);
    WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
    float values[2];
    tensor_values(&file->tensors[0], values);
    assert_true(isinf(values[0]) && values[0] < 0);
    assert_true(isnan(values[1]));
    weight_file_close(file);
}

static void statistics_are_six_numbers_or_somebody_elses(void **state) {
    Room *room = *state;
    static const struct { const char *stats; bool ours, good; } rows[] = {
        {"0.485 0.456 0.406 0.229 0.224 0.225", true, true}, {"[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]", true, true},
        {"imagenet", false, true}, {"0.5 0.5", false, false}, {"0.5 0.5 0.5 0.5 0.5 x", false, false}, {"1 2 3 4 5 6 7", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char header[200];
        snprintf(header, sizeof header, "{\"__metadata__\":{\"stats\":\"%s\"}}", rows[i].stats);
        put_weights(room, header, 0);
        WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
        assert_int_equal(file != NULL, rows[i].good);
        if (rows[i].ours)
            assert_string_equal(file->stats, rows[i].stats);
        else if (file)
            assert_null(file->stats);
        else
            test_message_says(room->jre, "wrong_weights", room->path, rows[i].stats, "help", NULL);
        weight_file_close(file);
    }
}

static void a_license_is_a_text_in_either_spelling(void **state) {
    Room *room = *state;
    static const struct { const char *metadata, *license; } rows[] = {
        {"\"license\":\"CC-BY-NC-4.0\"", "CC-BY-NC-4.0"}, {"\"licence\":\"MIT\"", "MIT"}, {"\"License\":\"MIT\"", "MIT"}, {"\"license\":\"\"", NULL}, {"\"license\":[1]", NULL}, {"\"a\":\"b\"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char header[200];
        snprintf(header, sizeof header, "{\"__metadata__\":{%s}}", rows[i].metadata);
        put_weights(room, header, 0);
        WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
        assert_non_null(file);
        if (rows[i].license)
            assert_string_equal(file->license, rows[i].license);
        else
            assert_null(file->license);
        weight_file_close(file);
    }
}

static void lies_in_a_header_are_found(void **state) {
    Room *room = *state;
    static const struct { const char *header; size_t data; const char *word; } rows[] = {
        {"", 0, "no header"}, {"{", 1, "JSON"}, {"[]  ", 0, "JSON"}, {"{}{}", 0, "byte 10"}, {"{}  ", 4, "I found 4"},
        {"{\"a\":3}", 0, "`a`"}, {"{\"a\":{}}", 0, "dtype"},
        {"{\"a\":{\"dtype\":\"F8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "`F8`"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "needs 4 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "of which there are 7"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "bytes 8 to 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8, "begins and ends"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0.5,8.5]}}", 16, "begins and ends"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "begins and ends"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", 8, "begins and ends"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":\"2\",\"data_offsets\":[0,8]}}", 8, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],\"data_offsets\":[0,0]}}", 0, "shape"},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[9007199254740992,1024],\"data_offsets\":[0,0]}}", 0, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,8]}}", 8, "shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "twice"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, "share"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}", 3, "nothing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_weights(room, rows[i].header, rows[i].data);
        assert_null(weight_file_open(room->jre, room->path, NOWHERE));
        test_message_says(room->jre, "file_corrupt", room->path, rows[i].word, "help", NULL);
    }
}

static void lengths_beyond_the_file_are_found(void **state) {
    Room *room = *state;
    static const struct { const char *bytes; size_t length; const char *word; } rows[] = {
        {"", 0, "empty"}, {"\2\0\0\0\0\0\0\0{", 9, "9 bytes"}, {"\3\0\0\0\0\0\0\0{}", 10, "10 in all"},
        {"\1\341\365\5\0\0\0\0{}", 10, "100,000,000"}, {"\377\377\377\377\377\377\377\377{}", 10, "100,000,000"}, {"\3\0\0\0\0\0\0\0{\0}", 11, "zero"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_bytes(room, rows[i].bytes, rows[i].length);
        assert_null(weight_file_open(room->jre, room->path, NOWHERE));
        test_message_says(room->jre, "file_corrupt", room->path, rows[i].word, NULL);
    }
    room->jre->fail_read_after = 1;
    assert_null(weight_file_open(room->jre, room->path, NOWHERE));
    test_message_says(room->jre, "file_unreadable", room->path, NULL);
    assert_null(weight_file_open(room->jre, "/nowhere/w.safetensors", NOWHERE));
    test_message_says(room->jre, "file_missing", "/nowhere/w.safetensors", NULL);
}

/* Either the file opens and every value can be read, or there is a message. */
static void try_weights(Room *room) {
    WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
    assert_int_equal(file != NULL, diag_count(room->jre, SEVERITY_ERROR) == 0);
    for (int i = 0; file && i < file->count; i++) {
        float *values = malloc(file->tensors[i].bytes * 4 + 4);
        tensor_values(&file->tensors[i], values);
        free(values);
    }
    weight_file_close(file);
    diag_forget(room->jre);
}

static void damaged_weights_give_a_message_or_numbers(void **state) {
    Room *room = *state;
    const char *header = "{\"__metadata__\":{\"k\":\"v\"},\"a.weight\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
                         "\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[12,20]}}";
    size_t length = 8 + strlen(header) + 20;
    put_weights(room, header, 20);
    uint8_t good[400], bad[400];
    FILE *file = fopen(room->path, "rb");
    assert_int_equal(fread(good, 1, sizeof good, file), length);
    fclose(file);
    for (size_t cut = 0; cut < length; cut++) {
        put_bytes(room, good, cut);
        try_weights(room);
    }
    Random random = random_stream(1, "damage", "", 0);
    for (int i = 0; i < 1500; i++) {
        memcpy(bad, good, length);
        for (int flips = 0; flips <= i % 3; flips++)
            bad[random_below(&random, length)] = (uint8_t)random_word(&random);
        put_bytes(room, bad, length);
        try_weights(room);
    }
}

static void the_shared_weights_are_read(void **state) {
    Room *room = *state;
    char path[1024];
    if (!test_data("weights/mobilenetv2_100.safetensors", path))
        skip();
    WeightFile *file = weight_file_open(room->jre, path, NOWHERE);
    assert_non_null(file);
    const WeightTensor *stem = map_get(&file->by_name, "conv_stem.weight");
    assert_non_null(stem);
    assert_int_equal(stem->rank, 4);
    assert_int_equal(stem->dim[0] * stem->dim[1] * stem->dim[2] * stem->dim[3], 32 * 27);
    int64_t values = 0;
    for (int i = 0; i < file->count; i++)
        values += (int64_t)file->tensors[i].bytes / 4;
    assert_int_equal(values, 2257984);
    weight_file_close(file);
    static const char *const others[] = { "weights/resnet50v2_stage3_fp16.safetensors", "weights/alike_t.safetensors", "weights/xfeat_bnfolded.safetensors" };
    for (int i = 0; i < 3; i++) {
        assert_non_null(test_data(others[i], path));
        file = weight_file_open(room->jre, path, NOWHERE);
        assert_non_null(file);
        for (int k = 0; k < file->count; k++) {
            size_t count = 1;
            for (int d = 0; d < file->tensors[k].rank; d++)
                count *= (size_t)file->tensors[k].dim[d];
            float *numbers = malloc((count + 1) * sizeof(float));
            tensor_values(&file->tensors[k], numbers);
            for (size_t n = 0; n < count; n++)
                assert_true(fabsf(numbers[n]) < 1e6f);
            free(numbers);
        }
        weight_file_close(file);
    }
}

/* ---- npy ---------------------------------------------------------------------------------------------------------------------- */

/* A file of version `version`, a minor one 256 times, with this dictionary and `data_bytes` bytes 1, 2, 3, ... */
static void put_array(Room *room, int version, const char *dictionary, size_t data_bytes) {
    uint8_t bytes[2048] = { 0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)version, (uint8_t)(version >> 8) };
    size_t at = (version & 255) == 1 ? 10 : 12, length = strlen(dictionary);
    bytes[8] = (uint8_t)length;
    bytes[9] = (uint8_t)(length >> 8);
    memcpy(bytes + at, dictionary, length);
    for (size_t i = 0; i < data_bytes; i++)
        bytes[at + length + i] = (uint8_t)(i + 1);
    put_bytes(room, bytes, at + length + data_bytes);
}

static void arrays_are_written_and_read_back(void **state) {
    Room *room = *state;
    float values[24];
    for (int i = 0; i < 24; i++)
        values[i] = (float)i / 7;
    static const struct { int rank; int64_t dim[4]; } shapes[] = { {1, {24}}, {2, {4, 6}}, {4, {2, 3, 2, 2}}, {0, {0}}, {2, {0, 5}} };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        assert_true(npy_write(room->jre, room->path, NOWHERE, values, shapes[i].rank, shapes[i].dim));
        char *bytes;
        size_t length;
        assert_true(file_read(room->jre, room->path, NOWHERE, &bytes, &length));
        int64_t count = 1;
        for (int k = 0; k < shapes[i].rank; k++)
            count *= shapes[i].dim[k];
        assert_int_equal((int64_t)length, 128 + count * 4);
        jre_release(bytes);
        Array array;
        assert_true(npy_read(room->jre, room->path, NOWHERE, &array));
        assert_int_equal(array.rank, shapes[i].rank);
        for (int k = 0; k < array.rank; k++)
            assert_int_equal(array.dim[k], shapes[i].dim[k]);
        assert_memory_equal(array.values, values, (size_t)count * sizeof(float));
        jre_release(array.values);
    }
}

static void every_version_and_number_is_read(void **state) {
    Room *room = *state;
    static const struct { int version; const char *dictionary; size_t data; float first; } rows[] = {
        {1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", 6, 1},
        {2, "{\"shape\":(3,),\"fortran_order\":True,\"descr\":\"u1\"}", 3, 1},
        {3, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}   ", 8, 0x1.00c08p26f},
        {1, "{'descr': '<i8', 'fortran_order': False, 'shape': ()}", 8, 0x1.00e0c0ap59f},
        {1, "{'descr': '=f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1), }", 4, 0x1.0604p-119f},
        {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 7), }", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_array(room, rows[i].version, rows[i].dictionary, rows[i].data);
        Array array;
        assert_true(npy_read(room->jre, room->path, NOWHERE, &array));
        if (rows[i].data > 0)
            assert_true(fabsf(array.values[0] - rows[i].first) <= 0.001f * fabsf(rows[i].first));
        jre_release(array.values);
    }
}

/* The same bytes, row by row as 2 x 3 and column by column as 3 x 2: one is the other turned. */
static void columns_first_is_read_as_rows(void **state) {
    Room *room = *state;
    Array rows, columns;
    put_array(room, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24);
    assert_true(npy_read(room->jre, room->path, NOWHERE, &rows));
    put_array(room, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", 24);
    assert_true(npy_read(room->jre, room->path, NOWHERE, &columns));
    assert_int_equal(columns.dim[0], 3);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) assert_true(rows.values[i * 3 + j] == columns.values[j * 2 + i]);
    jre_release(rows.values);
    jre_release(columns.values);
}

static void lies_in_an_array_are_found(void **state) {
    Room *room = *state;
    static const struct { int version; const char *dictionary; size_t data; const char *word; } rows[] = {
        {4, "{}", 0, "version"}, {1, "", 0, "`{`"}, {1, "{}", 0, "once"}, {1, "{'shape': (1,)}", 4, "once"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "asks for 8 bytes of numbers, I found 7"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, "I found 9"},
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, "highest byte first"},
        {1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "<c8"},
        {1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "|O"},
        {1, "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,), }", 8, "True or False"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8, "header"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", 8, "whole number"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2 2)}", 16, "comma"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8, "whole number"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4)}", 8, "more elements"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", 8, "whole number"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}", 4, "8 dimensions"},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "once"},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "type"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } +", 4, "nothing but blanks"},
        {257, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4, "version"},
        {1, "{'other': 1, 'fortran_order': False, 'shape': (1,)}", 4, "once"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Array array;
        put_array(room, rows[i].version, rows[i].dictionary, rows[i].data);
        assert_false(npy_read(room->jre, room->path, NOWHERE, &array));
        test_message_says(room->jre, "file_corrupt", room->path, rows[i].word, "help", NULL);
    }
}

static void damaged_arrays_give_a_message_or_numbers(void **state) {
    Room *room = *state;
    put_array(room, 2, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }        \n", 24);
    uint8_t good[256], bad[256];
    FILE *file = fopen(room->path, "rb");
    size_t length = fread(good, 1, sizeof good, file);
    fclose(file);
    Random random = random_stream(1, "damage", "", 0);
    for (size_t i = 0; i < 1500; i++) {
        size_t kept = i < length ? i : length;
        memcpy(bad, good, length);
        if (i >= length)
            bad[random_below(&random, length)] = (uint8_t)random_word(&random);
        put_bytes(room, bad, kept);
        Array array;
        bool read = npy_read(room->jre, room->path, NOWHERE, &array);
        assert_int_equal(read, diag_count(room->jre, SEVERITY_ERROR) == 0);
        jre_release(array.values);
        diag_forget(room->jre);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(weights_are_written_and_read_back, enter, leave),
        cmocka_unit_test_setup_teardown(every_dtype_becomes_f32, enter, leave),
        cmocka_unit_test_setup_teardown(halves_keep_infinities_and_what_is_no_number, enter, leave),
        cmocka_unit_test_setup_teardown(statistics_are_six_numbers_or_somebody_elses, enter, leave),
        cmocka_unit_test_setup_teardown(a_license_is_a_text_in_either_spelling, enter, leave),
        cmocka_unit_test_setup_teardown(lies_in_a_header_are_found, enter, leave),
        cmocka_unit_test_setup_teardown(lengths_beyond_the_file_are_found, enter, leave),
        cmocka_unit_test_setup_teardown(damaged_weights_give_a_message_or_numbers, enter, leave),
        cmocka_unit_test_setup_teardown(the_shared_weights_are_read, enter, leave),
        cmocka_unit_test_setup_teardown(arrays_are_written_and_read_back, enter, leave),
        cmocka_unit_test_setup_teardown(every_version_and_number_is_read, enter, leave),
        cmocka_unit_test_setup_teardown(columns_first_is_read_as_rows, enter, leave),
        cmocka_unit_test_setup_teardown(lies_in_an_array_are_found, enter, leave),
        cmocka_unit_test_setup_teardown(damaged_arrays_give_a_message_or_numbers, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
