/* safetensors.c: files of weights.
 *
 * A file is the length of its header (8 bytes, lowest first), the header (JSON: name -> dtype, shape, data_offsets; "__metadata__": texts) and
 * the numbers. It is mapped, not read, so only what a network uses comes from the disk. Before anything is believed: the header's length, every
 * name once, every dtype known, every shape's product in bytes equal to its range, and the ranges lying end to end from the first to the last byte.
 * A file that another program shortens while it is mapped cannot be guarded against. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RANK_MOST = 8, LENGTH_BYTES = 8, DATA_ALIGNMENT = 8 };
static const uint64_t header_most = 100000000;

typedef enum { KIND_FLOAT, KIND_BRAIN, KIND_SIGNED, KIND_UNSIGNED } NumberKind;
typedef struct { const char *name; NumberKind kind; uint64_t bytes; } Dtype;
static const Dtype dtypes[] = {
    {"F32", KIND_FLOAT, 4}, {"F16", KIND_FLOAT, 2}, {"BF16", KIND_BRAIN, 2}, {"F64", KIND_FLOAT, 8},
    {"I64", KIND_SIGNED, 8}, {"I32", KIND_SIGNED, 4}, {"I16", KIND_SIGNED, 2}, {"I8", KIND_SIGNED, 1},
    {"U64", KIND_UNSIGNED, 8}, {"U32", KIND_UNSIGNED, 4}, {"U16", KIND_UNSIGNED, 2}, {"U8", KIND_UNSIGNED, 1}, {"BOOL", KIND_UNSIGNED, 1},
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

static const Dtype *dtype_find(const char *name) {
    for (int i = 0; i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}

/* ---- messages -------------------------------------------------------------------------------------------------------------------------- */

static const char fetch_again[] = "fetch or write the file again; a copy that was cut off looks like this";

static bool refuse(Jre *jre, const WeightFile *file, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(Jre *jre, const WeightFile *file, const char *format, ...) {
    Arena scratch = { .jre = jre };
    va_list arguments;
    va_start(arguments, format);
    const char *why = arena_vprint(&scratch, format, arguments);
    va_end(arguments);
    Diagnostic *d = diag(jre, DIAG_file_corrupt, file->asked_at, "`%s` cannot be read as a safetensors file", file->path);
    diag_fact(d, "%s", why);
    diag_help(d, "%s", fetch_again);
    arena_free(&scratch);
    return false;
}

/* ---- the header ------------------------------------------------------------------------------------------------------------------------- */

/* A whole number from 0 to 2^53, exactly as JSON can carry it. */
static bool whole_number(const cJSON *item, uint64_t *number) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53) || floor(item->valuedouble) != item->valuedouble)
        return false;
    *number = (uint64_t)item->valuedouble;
    return true;
}

/* Bytes of the shape; false if the product is beyond all files. */
static bool read_shape(const cJSON *shape, WeightTensor *tensor, uint64_t *bytes) {
    const cJSON *item;
    if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > RANK_MOST)
        return false;
    cJSON_ArrayForEach(item, shape) {
        uint64_t size;
        if (!whole_number(item, &size) || __builtin_mul_overflow(*bytes, size, bytes))
            return false;
        tensor->dim[tensor->rank++] = (int64_t)size;
    }
    return true;
}

static bool read_tensor(Jre *jre, WeightFile *file, const cJSON *entry) {
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(entry, "dtype"), *range = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    WeightTensor tensor = { .name = intern(jre, entry->string) };
    uint64_t begin, end;
    if (!cJSON_IsObject(entry) || !cJSON_IsString(type))
        return refuse(jre, file, "its header gives no dtype for `%.200s`", tensor.name);
    const Dtype *dtype = dtype_find(type->valuestring);
    if (!dtype)
        return refuse(jre, file, "`%.200s` has numbers of dtype `%.40s`; I know F32 F16 BF16 F64 I64 I32 I16 I8 U64 U32 U16 U8 BOOL", tensor.name,
                      type->valuestring);
    tensor.dtype = dtype->name;
    tensor.bytes = dtype->bytes;
    if (!read_shape(cJSON_GetObjectItemCaseSensitive(entry, "shape"), &tensor, &tensor.bytes))
        return refuse(jre, file, "the shape of `%.200s` is not a list of at most %d sizes", tensor.name, RANK_MOST);
    if (!cJSON_IsArray(range) || cJSON_GetArraySize(range) != 2 || !whole_number(range->child, &begin) || !whole_number(range->child->next, &end))
        return refuse(jre, file, "its header does not say where `%.200s` begins and ends", tensor.name);
    if (begin > end || end > file->data_bytes)
        return refuse(jre, file, "`%.200s` lies at bytes %llu to %llu of the numbers, of which there are %zu", tensor.name, (unsigned long long)begin,
                      (unsigned long long)end, file->data_bytes);
    if (end - begin != tensor.bytes)
        return refuse(jre, file, "`%.200s` needs %llu bytes for its shape, the header gives it %llu", tensor.name, (unsigned long long)tensor.bytes,
                      (unsigned long long)(end - begin));
    if (map_get(&file->by_name, tensor.name))
        return refuse(jre, file, "its header has `%.200s` twice", tensor.name);
    tensor.offset = begin;
    file->tensors[file->count] = tensor;
    map_set(&file->by_name, &jre->forever, tensor.name, &file->tensors[file->count]);
    file->count++;
    return true;
}

/* "0.485 0.456 0.406 0.229 0.224 0.225", with blanks or commas; other people's "stats" that begin with no number are left alone. */
static bool read_stats(Jre *jre, WeightFile *file, const cJSON *metadata) {
    const cJSON *stats = cJSON_GetObjectItemCaseSensitive(metadata, "stats");
    if (!cJSON_IsString(stats))
        return true;
    const char *at = stats->valuestring;
    int count = 0;
    for (char *end; at += strspn(at, " ,;\t\n[]"), *at != '\0'; at = end, count++) {
        double value = strtod(at, &end);
        if (end == at && count == 0)
            return true;
        if (end == at || !isfinite(value))
            break;
    }
    if (*at != '\0' || count != 6) {
        Diagnostic *d = diag(jre, DIAG_wrong_weights, file->asked_at, "the color statistics in `%s` are not six numbers", file->path);
        diag_fact(d, "I expected the mean of red, green and blue and then their spread, I found `%.100s`", stats->valuestring);
        diag_help(d, "write the file again with \"stats\": \"0.485 0.456 0.406 0.229 0.224 0.225\" among its metadata, or without it");
        return false;
    }
    file->stats = intern(jre, stats->valuestring);
    return true;
}

static int by_offset(const void *a, const void *b) {
    const WeightTensor *first = *(const WeightTensor *const *)a, *second = *(const WeightTensor *const *)b;
    if (first->offset != second->offset)
        return first->offset < second->offset ? -1 : 1;
    return (first->bytes > second->bytes) - (first->bytes < second->bytes);       /* empty ones first */
}

/* The format has neither overlaps nor gaps nor a rest: a file that does was damaged or put together by hand. */
static bool check_ranges(Jre *jre, const WeightFile *file) {
    Arena scratch = { .jre = jre };
    const WeightTensor **sorted = arena_array(&scratch, const WeightTensor *, file->count + 1);
    for (int i = 0; i < file->count; i++)
        sorted[i] = &file->tensors[i];
    qsort(sorted, (size_t)file->count, sizeof *sorted, by_offset);
    uint64_t at = 0;
    bool good = true;
    for (int i = 0; i < file->count && good; i++) {
        if (sorted[i]->offset < at)
            good = refuse(jre, file, "`%.200s` and `%.200s` share bytes", sorted[i - 1]->name, sorted[i]->name);
        else if (sorted[i]->offset > at)
            good = refuse(jre, file, "bytes %llu to %llu of the numbers, before `%.200s`, belong to nothing", (unsigned long long)at,
                          (unsigned long long)sorted[i]->offset, sorted[i]->name);
        at = sorted[i]->offset + sorted[i]->bytes;
    }
    if (good && at != file->data_bytes)
        good = refuse(jre, file, "its header describes %llu bytes of numbers, I found %zu", (unsigned long long)at, file->data_bytes);
    arena_free(&scratch);
    return good;
}

static bool read_entries(Jre *jre, WeightFile *file, const cJSON *header) {
    const cJSON *entry;
    if (!cJSON_IsObject(header))
        return refuse(jre, file, "its header is not the JSON of a list of names");
    file->tensors = arena_array(&jre->forever, WeightTensor, cJSON_GetArraySize(header) + 1);
    cJSON_ArrayForEach(entry, header)
        if (!(strcmp(entry->string, "__metadata__") == 0 ? read_stats(jre, file, entry) : read_tensor(jre, file, entry)))
            return false;
    return check_ranges(jre, file);
}

static bool read_header(Jre *jre, WeightFile *file) {
    uint64_t length = 0;
    if (file->mapped_bytes < LENGTH_BYTES + 2)
        return refuse(jre, file, "it has %zu bytes, which is no header", file->mapped_bytes);
    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)file->mapped[i] << (8 * i);
    if (length > header_most)
        return refuse(jre, file, "it is no safetensors file: such a file begins with the length of its header, at most 100,000,000, and this one with %llu",
                      (unsigned long long)length);
    if (length > file->mapped_bytes - LENGTH_BYTES)
        return refuse(jre, file, "its header is to have %llu bytes, the file has %zu in all", (unsigned long long)length, file->mapped_bytes);
    const char *json = (const char *)file->mapped + LENGTH_BYTES;
    file->data = file->mapped + LENGTH_BYTES + length;
    file->data_bytes = file->mapped_bytes - LENGTH_BYTES - (size_t)length;
    if (memchr(json, '\0', (size_t)length))
        return refuse(jre, file, "its header holds a byte of zero");
    const char *rest = json;
    cJSON *header = cJSON_ParseWithLengthOpts(json, (size_t)length, &rest, false);
    size_t parsed = (size_t)(rest - json);
    while (header && parsed < length && strchr(" \n\r\t", json[parsed]))
        parsed++;
    bool good = header && parsed < length ? refuse(jre, file, "its header goes on behind its last `}`, at byte %zu", LENGTH_BYTES + parsed)
                                          : read_entries(jre, file, header);
    cJSON_Delete(header);
    return good;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------------------------ */

WeightFile *safetensors_open(Jre *jre, const char *path, Span asked_at) {
    size_t length;
    int descriptor = file_open(jre, path, asked_at, &length);
    if (descriptor < 0)
        return NULL;
    WeightFile *file = arena_new(&jre->forever, WeightFile);
    *file = (WeightFile){ .path = intern(jre, path), .asked_at = asked_at };
    void *mapped = length > 0 ? mmap(NULL, length, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    close(descriptor);
    if (mapped == MAP_FAILED) {
        refuse(jre, file, length > 0 ? "the system cannot map it into memory" : "it is empty");
        return NULL;
    }
    file->mapped = mapped;
    file->mapped_bytes = length;
    if (read_header(jre, file))
        return file;
    safetensors_close(file);
    return NULL;
}

void safetensors_close(WeightFile *file) {
    if (!file || !file->mapped)
        return;
    munmap((void *)(uintptr_t)file->mapped, file->mapped_bytes);
    file->mapped = file->data = NULL;
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------------------------- */

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Five bits of exponent, ten of fraction, every value exact in f32. */
static float float_of_half(uint32_t half) {
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent > 0)
        return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
}

static float one_value(const Dtype *dtype, const uint8_t *from) {
    uint64_t bits = 0;
    for (uint64_t i = 0; i < dtype->bytes; i++)
        bits |= (uint64_t)from[i] << (8 * i);
    double f64;
    int shift = (int)(64 - 8 * dtype->bytes);
    switch (dtype->kind) {
    case KIND_BRAIN: return float_of_bits((uint32_t)bits << 16);
    case KIND_SIGNED: return (float)((int64_t)(bits << shift) >> shift);
    case KIND_UNSIGNED: return (float)bits;
    case KIND_FLOAT: break;
    }
    if (dtype->bytes == 2)
        return float_of_half((uint32_t)bits);
    if (dtype->bytes == 4)
        return float_of_bits((uint32_t)bits);
    memcpy(&f64, &bits, sizeof f64);
    return (float)f64;
}

void safetensors_values(const WeightFile *file, const WeightTensor *tensor, float *out) {
    const Dtype *dtype = dtype_find(tensor->dtype);
    const uint8_t *from = file->data + tensor->offset;
    uint64_t count = tensor->bytes / dtype->bytes;
    if (dtype->kind == KIND_FLOAT && dtype->bytes == 4) {
        if (count > 0)
            memcpy(out, from, tensor->bytes);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        out[i] = one_value(dtype, from + i * dtype->bytes);
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t array_bytes(const Array *array) {
    uint64_t bytes = sizeof(float);
    for (int i = 0; i < array->rank; i++)
        bytes *= (uint64_t)array->dim[i];
    return bytes;
}

bool safetensors_write(Jre *jre, const char *path, Span asked_at, int count, const char *const *names, const Array *arrays) {
    Text out = { .jre = jre };
    uint64_t offset = 0;
    text_add_bytes(&out, "\0\0\0\0\0\0\0\0", LENGTH_BYTES);
    text_add(&out, "{\"__metadata__\":{\"format\":\"pt\"}");     /* what other readers of such files look for */
    for (int i = 0; i < count; i++) {
        uint64_t bytes = array_bytes(&arrays[i]);
        text_add(&out, ",");
        json_text(&out, names[i]);
        text_add(&out, ":{\"dtype\":\"F32\",\"shape\":[");
        for (int k = 0; k < arrays[i].rank; k++)
            text_add(&out, k == 0 ? "%lld" : ",%lld", (long long)arrays[i].dim[k]);
        text_add(&out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)offset, (unsigned long long)(offset + bytes));
        offset += bytes;
    }
    text_add(&out, "}");
    while (out.length % DATA_ALIGNMENT != 0)
        text_add_bytes(&out, " ", 1);
    for (int i = 0; i < LENGTH_BYTES; i++)
        out.at[i] = (char)((out.length - LENGTH_BYTES) >> (8 * i) & 255);
    for (int i = 0; i < count; i++)
        if (array_bytes(&arrays[i]) > 0)
            text_add_bytes(&out, (const char *)arrays[i].values, array_bytes(&arrays[i]));
    bool done = file_write(jre, path, asked_at, out.at, out.length);
    text_free(&out);
    return done;
}
