/* zip.c, pickle.c, checkpoint.c, npy.c's archives: files that torch.save and numpy.savez wrote (tests/checkpoints), and hostile ones. */
#include "room.h"

#include <math.h>
#include <zlib.h>

/* ---- what PyTorch wrote --------------------------------------------------------------------------------------------------------- */

static WeightFile *opened(Room *room, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "tests/checkpoints/%s", name);
    WeightFile *file = weight_file_open(room->jre, path, NOWHERE);
    if (!file) fail_msg("%s", test_messages(room->jre));
    return file;
}

/* The tensor has this type, these sizes ("2x3", "" for none) and values. */
static void assert_tensor(const WeightFile *file, const char *name, const char *type, const char *sizes, int count, const double *expected) {
    const WeightTensor *tensor = map_get(&file->by_name, name);
    if (!tensor) fail_msg("%s has no %s", file->path, name);
    char found[64] = "";
    for (int i = 0; i < tensor->rank; i++) snprintf(found + strlen(found), sizeof found - strlen(found), "%s%lld", i ? "x" : "", (long long)tensor->dim[i]);
    assert_string_equal(tensor->type->name, type);
    assert_string_equal(found, sizes);
    float values[32];
    assert_in_range(count, 0, 32);
    assert_int_equal(tensor->bytes, (uint64_t)count * tensor->type->bytes);
    tensor_values(tensor, values);
    for (int i = 0; i < count; i++)
        if ((double)values[i] != expected[i]) fail_msg("%s: %s[%d] is %g, not %g", file->path, name, i, (double)values[i], expected[i]);
}
#define VALUES(...) (int)(sizeof(double[]){__VA_ARGS__} / sizeof(double)), (double[]){__VA_ARGS__}

static void assert_small_network(Room *room, const char *name, const char *prefix, bool counted) {
    WeightFile *file = opened(room, name);
    char key[64];
    assert_int_equal(file->count, 6);
    snprintf(key, sizeof key, "%sconv.weight", prefix);
    assert_tensor(file, key, "F32", "2x3x1x1", VALUES(-1, -0.75, -0.5, -0.25, 0, 0.25));
    snprintf(key, sizeof key, "%snorm.running_var", prefix);
    assert_tensor(file, key, "F32", "2", VALUES(1, 1));
    snprintf(key, sizeof key, "%snorm.num_batches_tracked", prefix);
    assert_tensor(file, key, "I64", "", VALUES(counted ? 8 : 7));
    weight_file_close(file);
}

static void tables_of_tensors_are_read(void **state) {
    assert_small_network(*state, "zip.pth", "", false);
    assert_small_network(*state, "legacy.pth", "", false);
}

/* model, objective, optimizer, scheduler, scaler, epoch: only the first is wanted. */
static void of_a_training_the_network_is_taken(void **state) {
    assert_small_network(*state, "training.pth", "module.", true);
    assert_small_network(*state, "training_legacy.pth", "module.", true);
}

static void views_and_all_kinds_of_numbers_are_read_as_they_look(void **state) {
    Room *room = *state;
    static const char *const names[] = {"views.pth", "views_legacy.pth"};
    for (int i = 0; i < 2; i++) {
        WeightFile *file = opened(room, names[i]);
        assert_tensor(file, "rows", "F32", "2x6", VALUES(0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25));
        assert_tensor(file, "columns", "F32", "4x2", VALUES(-0.5, -0.25, 1, 1.25, 2.5, 2.75, 4, 4.25));
        assert_tensor(file, "turned", "F32", "6x4", VALUES(-1, 0.5, 2, 3.5, -0.75, 0.75, 2.25, 3.75, -0.5, 1, 2.5, 4, -0.25, 1.25, 2.75, 4.25, 0, 1.5, 3, 4.5, 0.25, 1.75, 3.25, 4.75));
        assert_tensor(file, "flat", "F32", "2", VALUES(0.25, 0.5));
        assert_tensor(file, "repeated", "F32", "2x3", VALUES(3.5, 3.5, 3.5, 3.5, 3.5, 3.5));
        assert_tensor(file, "scalar", "F32", "", VALUES(2.5));
        assert_tensor(file, "empty", "F32", "0x3", 0, NULL);
        assert_tensor(file, "half", "F16", "3", VALUES(-1, -0.75, -0.5));
        assert_tensor(file, "brain", "BF16", "3", VALUES(-1, -0.75, -0.5));
        assert_tensor(file, "double", "F64", "3", VALUES(-1, -0.75, -0.5));
        assert_tensor(file, "long", "I64", "2", VALUES(-2, 3));
        assert_tensor(file, "int", "I32", "2", VALUES(-2, 3));
        assert_tensor(file, "short", "I16", "2", VALUES(-2, 3));
        assert_tensor(file, "char", "I8", "2", VALUES(-2, 3));
        assert_tensor(file, "byte", "U8", "2", VALUES(200, 3));
        assert_tensor(file, "bool", "BOOL", "2", VALUES(1, 0));
        assert_tensor(file, "parameter", "F32", "2", VALUES(-1, -0.75));
        if (i == 0) assert_tensor(file, "wide", "U16", "2", VALUES(65535, 3));
        weight_file_close(file);
    }
}

static void archives_of_arrays_are_read(void **state) {
    Room *room = *state;
    WeightFile *file = opened(room, "arrays.npz");
    assert_int_equal(file->count, 4);
    assert_tensor(file, "norm.weight", "F16", "2", VALUES(-1, -0.75));
    assert_tensor(file, "whole", "I64", "2", VALUES(1, -2));
    weight_file_close(file);
    static const char *const names[] = {"arrays.npz", "packed.npz"};
    for (int i = 0; i < 2; i++) {
        file = opened(room, names[i]);
        assert_tensor(file, "conv.weight", "F32", "2x3x1x1", VALUES(-1, -0.75, -0.5, -0.25, 0, 0.25));
        assert_tensor(file, "turned", "F32", "4x6", VALUES(-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4, 4.25, 4.5, 4.75));
        weight_file_close(file);
    }
}

static void an_array_is_called_as_its_file(void **state) {
    Room *room = *state;
    const float values[] = {1, 2};
    char path[128];
    snprintf(path, sizeof path, "%s/fc.bias.npy", room->folder);
    assert_true(npy_write(room->jre, path, NOWHERE, values, 1, (int64_t[]){2}));
    WeightFile *file = weight_file_open(room->jre, path, NOWHERE);
    assert_non_null(file);
    assert_tensor(file, "fc.bias", "F32", "2", VALUES(1, 2));
    weight_file_close(file);
}

static void what_is_no_tensor_is_named_and_refused(void **state) {
    Room *room = *state;
    assert_null(weight_file_open(room->jre, "tests/checkpoints/asks.pth", NOWHERE));
    test_message_says(room->jre, "file_corrupt", "asks.pth", "`argparse.Namespace`", "weights are data", "state_dict", "nothing of this file was run", NULL);
    assert_null(weight_file_open(room->jre, "tests/checkpoints/whole.pth", NOWHERE));
    test_message_says(room->jre, "whole.pth", "`torch.nn.modules.container.Sequential`", NULL);
}

/* ---- pickles made by hand ------------------------------------------------------------------------------------------------------------ */

static void put_bytes(Room *room, const void *bytes, size_t length) {
    FILE *file = fopen(room->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define LITTLE "\x80\x02}U\x0dlittle_endian\x88s."

/* Old checkpoints need no directory, so most of what a pickle may do wrong is shown by them. */
static void put_legacy(Room *room, const char *head, const char *pickle, size_t length, const char *rest, size_t rest_length) {
    char bytes[4096];
    size_t at = strlen(head);
    memcpy(bytes, head, at);
    memcpy(bytes + at, pickle, length);
    memcpy(bytes + at + length, rest, rest_length);
    put_bytes(room, bytes, at + length + rest_length);
}

/* {'w': a tensor of `sizes` and `steps` from number `first` on, in the storage "0" of `count` floats}, and two floats. */
static void put_tensor(Room *room, const char *first, const char *sizes, const char *steps, const char *count) {
    char pickle[1024];
    int length = snprintf(pickle, sizeof pickle, "(X%c%c%c%cwctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x01" "0U\x03" "cpuI%s\ntQI%s\n(%st(%stI0\n}tRd.", 1, 0, 0, 0, count, first, sizes, steps);
    put_legacy(room, MAGIC VERSION LITTLE, pickle, (size_t)length, "\x80\x02]U\x01" "0a.\2\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40", 8 + 8 + 8);
}

static void a_tensor_stays_inside_its_storage(void **state) {
    Room *room = *state;
    put_tensor(room, "0", "I2\n", "I1\n", "2");
    WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
    if (!file) fail_msg("%s", test_messages(room->jre));
    assert_tensor(file, "w", "F32", "2", VALUES(1, 2));
    weight_file_close(file);
    static const struct { const char *first, *sizes, *steps, *count, *says; } rows[] = {
        {"1", "I2\n", "I1\n", "2", "beyond the 2 numbers"}, {"0", "I2\n", "I2\n", "2", "beyond the 2 numbers"}, {"0", "I3\n", "I1\n", "2", "beyond"},
        {"99999999999999999", "I2\n", "I1\n", "2", "beyond"}, {"0", "I2\n", "I99999999999999999\n", "2", "beyond"}, {"-1", "I2\n", "I1\n", "2", "no tensor"},
        {"0", "I-2\n", "I1\n", "2", "no tensor"}, {"0", "I2\n", "I-1\n", "2", "no tensor"}, {"0", "I2\n", "I1\nI1\n", "2", "no tensor"},
        {"0", "I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\n", "I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\n", "2", "at most 8"}, {"0", "I2\n", "I1\n", "3", "needs 12 bytes"},
        {"0", "I2\n", "I1\n", "-1", "storage"}, {"0", "I4000000000\nI4000000000\nI4000000000\n", "I0\nI0\nI0\n", "2", "more numbers than any file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_tensor(room, rows[i].first, rows[i].sizes, rows[i].steps, rows[i].count);
        assert_null(weight_file_open(room->jre, room->path, NOWHERE));
        test_message_says(room->jre, room->path, rows[i].says, NULL);
    }
}

/* As Python 2 wrote it: an OrderedDict of lists of two, things remembered from 1 on. */
static void tables_of_python_2_are_read(void **state) {
    Room *room = *state;
    static const char pickle[] = "\x80\x02" "ccollections\nOrderedDict\nq\1]q\2]q\3(U\1wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x01" "0U\x03" "cpuK\2tQ"
                                 "K\0K\2\x85K\1\x85\x89]tRea\x85Rq\4.";
    put_legacy(room, MAGIC VERSION LITTLE, pickle, sizeof pickle - 1, "\x80\x02]q\1U\x01" "0a.\2\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40", 10 + 8 + 8);
    WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
    if (!file) fail_msg("%s", test_messages(room->jre));
    assert_tensor(file, "w", "F32", "2", VALUES(1, 2));
    weight_file_close(file);
    static const char others[] = "ccollections\nOrderedDict\n]]K\1aa\x85R.";      /* of one, not two */
    put_legacy(room, MAGIC VERSION LITTLE, others, sizeof others - 1, "].", 2);
    assert_null(weight_file_open(room->jre, room->path, NOWHERE));
    test_message_says(room->jre, "it holds none", NULL);
}

#define BYTES(text) text, sizeof text - 1

static void a_pickle_calls_nothing(void **state) {
    Room *room = *state;
    static const struct { const char *pickle; size_t length; const char *says; } rows[] = {
        {BYTES("cos\nsystem\n(U\x04trueotR."), "`os.system`"}, {BYTES("cposix\nsystem\nU\x04true\x85R."), "`posix.system`"}, {BYTES("c__builtin__\neval\nU\x01" "1\x85R."), "`__builtin__.eval`"},
        {BYTES("\x8c\x02os\x8c\x06system\x93."), "`os.system`"}, {BYTES("(ios\nsystem\n."), "0x69"}, {BYTES("ctorch\nFloatStorage.jar\n."), "`torch.FloatStorage.jar`"},
        {BYTES("ctorch\nload\n."), "`torch.load`"}, {BYTES("."), "its stack is empty"}, {BYTES("0."), "its stack is empty"}, {BYTES("t."), "a mark is missing"}, {BYTES("u."), "a mark is missing"},
        {BYTES("(I1\nd."), "a key has no value"}, {BYTES("I1\nI2\na."), "no list"}, {BYTES("I1\nI2\nI3\ns."), "no table"}, {BYTES("I1\n}R."), "no function"}, {BYTES("}I1\nb0."), "its stack is empty"}, {BYTES("I1\nI2\nb."), "attributes"},
        {BYTES("I1\nQ."), "no storage"}, {BYTES("h\x05."), "not there before"}, {BYTES("}q\x05."), "not the next"}, {BYTES("X\xff\xff\xff\xff" "a"), "the file ends"}, {BYTES("}"), "the file ends"},
        {BYTES("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "the file ends"}, {BYTES("I12"), "no end"}, {BYTES("I1x\n."), "a number is none"}, {BYTES("\xff."), "0xff"}, {BYTES("(U\1aI1\nd."), "keys `a`"}, {BYTES("I5\n."), "it holds none"},
        {BYTES("ctorch._utils\n_rebuild_parameter\n(tR."), "no tensor"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_legacy(room, MAGIC VERSION LITTLE, rows[i].pickle, rows[i].length, "].", 2);
        if (weight_file_open(room->jre, room->path, NOWHERE)) fail_msg("row %zu was read", i);
        assert_int_equal(diag_count(room->jre, SEVERITY_ERROR), 1);
        char *text = test_messages(room->jre);
        if (!test_says(text, rows[i].says)) fail_msg("row %zu does not say `%s`:\n%s", i, rows[i].says, text);
        free(text);
    }
}

static void heads_of_other_pickles_are_told(void **state) {
    Room *room = *state;
    static const struct { const char *head, *says; } rows[] = {
        {"\x80\x02}.", "none that torch.save writes"}, {MAGIC "\x80\x02K\x05.", "the file ends"}, {MAGIC "\x80\x02K\x05." LITTLE "}.", "its version is 5"},
        {MAGIC VERSION "\x80\x02}U\x0dlittle_endian\x89s.}.", "highest byte first"}, {MAGIC VERSION LITTLE "}.}.", "list of its storages"},
        {MAGIC VERSION LITTLE "}.]U\1xa.", "`x` nothing says"}, {MAGIC VERSION LITTLE "}.]I1\na.", "is no text"}, {MAGIC VERSION LITTLE "}.].", "it holds none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_bytes(room, rows[i].head, strlen(rows[i].head));
        assert_null(weight_file_open(room->jre, room->path, NOWHERE));
        test_message_says(room->jre, room->path, rows[i].says, NULL);
    }
}

/* A table that holds itself, and lists of lists of lists, each twice the one before: nobody walks them. */
static void what_refers_to_itself_is_harmless(void **state) {
    Room *room = *state;
    static const char cycle[] = "}q\0U\5modelh\0s.";
    put_legacy(room, MAGIC VERSION LITTLE, cycle, sizeof cycle - 1, "].", 2);
    assert_null(weight_file_open(room->jre, room->path, NOWHERE));
    test_message_says(room->jre, "`model`", NULL);
    char laughs[2048];
    size_t length = 0;
    laughs[length++] = ']', laughs[length++] = 'q', laughs[length++] = 0;
    for (int i = 1; i < 200; i++) {
        const char level[] = {'h', (char)(i - 1), 'h', (char)(i - 1), (char)0x86, 'q', (char)i};
        memcpy(laughs + length, level, sizeof level);
        length += sizeof level;
    }
    laughs[length++] = '.';
    put_legacy(room, MAGIC VERSION LITTLE, laughs, length, "].", 2);
    assert_null(weight_file_open(room->jre, room->path, NOWHERE));
    test_message_says(room->jre, "it holds none", NULL);
}

/* ---- archives made by hand -------------------------------------------------------------------------------------------------------------- */

static void put_number(uint8_t *at, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++) at[i] = (uint8_t)(number >> (8 * i));
}

/* One entry: 30 + name + data, its row of the directory, the end. Returns the length. */
static size_t one_entry(uint8_t *out, const char *name, const void *data, size_t packed, int method, uint64_t bytes, uint32_t checksum) {
    size_t named = strlen(name), at = 30 + named + packed;
    memset(out, 0, at + 46 + named + 22);
    memcpy(out, "PK\3\4", 4);
    put_number(out + 26, named, 2);
    memcpy(out + 30, name, named);
    memcpy(out + 30 + named, data, packed);
    uint8_t *row = out + at, *end = row + 46 + named;
    memcpy(row, "PK\1\2", 4);
    put_number(row + 10, (uint64_t)method, 2);
    put_number(row + 16, checksum, 4);
    put_number(row + 20, packed, 4);
    put_number(row + 24, bytes, 4);
    put_number(row + 28, named, 2);
    memcpy(row + 46, name, named);
    memcpy(end, "PK\5\6", 4);
    put_number(end + 8, 1, 2);
    put_number(end + 10, 1, 2);
    put_number(end + 12, 46 + named, 4);
    put_number(end + 16, at, 4);
    return at + 46 + named + 22;
}

static void lies_in_a_directory_are_found(void **state) {
    Room *room = *state;
    uint8_t zip[512];
    size_t length = one_entry(zip, "a.npy", "1234", 4, 0, 4, 0);
    const size_t row = 30 + 5 + 4, end = row + 46 + 5;
    const struct { size_t place; uint64_t number; int bytes; const char *says; } rows[] = {
        {end, 0, 4, "directory at its end is missing"}, {end + 16, 4000, 4, "beyond the end"}, {end + 12, 4000, 4, "beyond the end"}, {end + 10, 2, 2, "has room for 1"},
        {row, 0, 4, "breaks off at entry 1"}, {row + 28, 600, 2, "breaks off"}, {row + 8, 1, 2, "encrypted"}, {row + 10, 9, 2, "method 9"}, {row + 24, 5, 4, "said to have 5"},
        {row + 42, 7, 4, "begin at byte 7"}, {row + 42, UINT32_MAX, 4, "begin at byte 4294967295"}, {row + 20, 4000, 4, "said to have 4"}, {26, 60000, 2, "beyond the end"}, {row + 46, 0, 1, "byte of zero"},
        {row + 48, 'x', 1, "none is a `data.pkl`"}, {30, 'b', 1, "NumPy array"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bad[512];
        memcpy(bad, zip, length);
        put_number(bad + rows[i].place, rows[i].number, rows[i].bytes);
        put_bytes(room, bad, length);
        assert_null(weight_file_open(room->jre, room->path, NOWHERE));
        test_message_says(room->jre, "file_corrupt", room->path, rows[i].says, NULL);
    }
    put_bytes(room, "PK\3\4", 4);
    assert_null(weight_file_open(room->jre, room->path, NOWHERE));
    test_message_says(room->jre, "is missing", NULL);
}

/* A small file that claims to unpack to gigabytes, and one whose bytes are others than promised. */
static void what_unpacks_is_bounded_and_checked(void **state) {
    Room *room = *state;
    uint8_t zip[512], packed[64];
    static const char text[] = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = sizeof text, .next_out = packed, .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t length = sizeof packed - stream.avail_out;
    deflateEnd(&stream);
    uint32_t checksum = (uint32_t)crc32(0, (const Bytef *)text, sizeof text);
    const struct { uint64_t bytes; uint32_t checksum; const char *says; } rows[] = {
        {sizeof text, checksum, "cannot be read as a NumPy array"}, {sizeof text, checksum + 1, "does not unpack"}, {sizeof text + 1, checksum, "does not unpack"},
        {sizeof text - 1, checksum, "does not unpack"}, {4000000000u, checksum, "no weights are so even"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_bytes(room, zip, one_entry(zip, "a.npy", packed, length, 8, rows[i].bytes, rows[i].checksum));
        assert_null(weight_file_open(room->jre, room->path, NOWHERE));
        test_message_says(room->jre, room->path, rows[i].says, NULL);
    }
}

/* ---- damage --------------------------------------------------------------------------------------------------------------------------------- */

/* Either the file opens and every value can be read, or there is one message. */
static void try_file(Room *room) {
    WeightFile *file = weight_file_open(room->jre, room->path, NOWHERE);
    assert_int_equal(file ? 0 : 1, diag_count(room->jre, SEVERITY_ERROR));
    for (int i = 0; file && i < file->count; i++) {
        const WeightTensor *tensor = &file->tensors[i];
        if (tensor->bytes > 1 << 20) continue;
        float *values = malloc(tensor->bytes / tensor->type->bytes * sizeof(float) + 4);
        tensor_values(tensor, values);
        free(values);
    }
    weight_file_close(file);
    diag_forget(room->jre);
}

static void damaged_files_give_a_message_or_numbers(void **state) {
    Room *room = *state;
    static const char *const names[] = {"zip.pth", "legacy.pth", "training_legacy.pth", "views.pth", "arrays.npz", "packed.npz"};
    Random random = random_stream(1, "damage", "", 0);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char path[128];
        uint8_t good[8192], bad[8192];
        snprintf(path, sizeof path, "tests/checkpoints/%s", names[k]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t length = fread(good, 1, sizeof good, file);
        fclose(file);
        for (size_t cut = 0; cut < length; cut += 13) {
            put_bytes(room, good, cut);
            try_file(room);
        }
        for (int i = 0; i < 600; i++) {
            memcpy(bad, good, length);
            for (int flips = 0; flips <= i % 3; flips++) bad[random_below(&random, length)] = (uint8_t)random_word(&random);
            put_bytes(room, bad, length);
            try_file(room);
        }
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(tables_of_tensors_are_read),
        CASE(of_a_training_the_network_is_taken),
        CASE(views_and_all_kinds_of_numbers_are_read_as_they_look),
        CASE(archives_of_arrays_are_read),
        CASE(an_array_is_called_as_its_file),
        CASE(what_is_no_tensor_is_named_and_refused),
        CASE(a_tensor_stays_inside_its_storage),
        CASE(tables_of_python_2_are_read),
        CASE(a_pickle_calls_nothing),
        CASE(heads_of_other_pickles_are_told),
        CASE(what_refers_to_itself_is_harmless),
        CASE(lies_in_a_directory_are_found),
        CASE(what_unpacks_is_bounded_and_checked),
        CASE(damaged_files_give_a_message_or_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
