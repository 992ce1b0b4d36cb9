/* safetensors.c: files of weights as Hugging Face writes them.
 *
 * A file is the length of its header (8 bytes, lowest first), the header (JSON: name -> dtype, shape, data_offsets; "__metadata__": texts) and
 * the numbers. Before anything is believed: the header's length, every name once, every dtype known, every shape's product in bytes equal
 * to its range, and the ranges lying end to end from the first to the last byte. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, DATA_ALIGNMENT = 8 };
static const uint64_t header_most = 100000000;

/* ---- the header ------------------------------------------------------------------------------------------------------------------------- */

/* A whole number from 0 to 2^53, exactly as JSON can carry it. */
static bool whole_number(const cJSON *item, uint64_t *number) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53) || floor(item->valuedouble) != item->valuedouble)
        return false;
    *number = (uint64_t)item->valuedouble;
    return true;
}

/* False if the product is beyond all files. */
static bool read_shape(const cJSON *shape, WeightTensor *tensor) {
    const cJSON *item;
    if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > TENSOR_RANK)
        return false;
    cJSON_ArrayForEach(item, shape) {
        uint64_t size;
        if (!whole_number(item, &size))
            return false;
        tensor->dim[tensor->rank++] = (int64_t)size;
    }
    return tensor_lay(tensor);
}

static bool read_tensor(Jre *jre, WeightFile *file, const cJSON *entry) {
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(entry, "dtype"), *range = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    WeightTensor tensor = { .name = intern(jre, entry->string) };
    uint64_t begin, end;
    if (!cJSON_IsObject(entry) || !cJSON_IsString(type))
        return weights_refuse(jre, file, NULL, "its header gives no dtype for `%.200s`", tensor.name);
    const NumberType *dtype = number_type(NAMED_AS_SAFETENSORS, type->valuestring);
    if (!dtype)
        return weights_refuse(jre, file, NULL, "`%.200s` has numbers of dtype `%.40s`; I know F32 F16 BF16 F64 I64 I32 I16 I8 U64 U32 U16 U8 BOOL", tensor.name,
                      type->valuestring);
    tensor.type = dtype;
    if (!read_shape(cJSON_GetObjectItemCaseSensitive(entry, "shape"), &tensor))
        return weights_refuse(jre, file, NULL, "the shape of `%.200s` is not a list of at most %d sizes", tensor.name, TENSOR_RANK);
    if (!cJSON_IsArray(range) || cJSON_GetArraySize(range) != 2 || !whole_number(range->child, &begin) || !whole_number(range->child->next, &end))
        return weights_refuse(jre, file, NULL, "its header does not say where `%.200s` begins and ends", tensor.name);
    if (begin > end || end > file->data_bytes)
        return weights_refuse(jre, file, NULL, "`%.200s` lies at bytes %llu to %llu of the numbers, of which there are %zu", tensor.name, (unsigned long long)begin,
                      (unsigned long long)end, file->data_bytes);
    if (end - begin != tensor.bytes)
        return weights_refuse(jre, file, NULL, "`%.200s` needs %llu bytes for its shape, the header gives it %llu", tensor.name, (unsigned long long)tensor.bytes,
                      (unsigned long long)(end - begin));
    tensor.at = file->data + begin;
    return weight_file_add(jre, file, &tensor);
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

/* "license", or as the British spell it. */
static bool read_metadata(Jre *jre, WeightFile *file, const cJSON *metadata) {
    const cJSON *license = cJSON_GetObjectItem(metadata, "license");
    if (!license)
        license = cJSON_GetObjectItem(metadata, "licence");
    if (cJSON_IsString(license) && *license->valuestring)
        file->license = intern(jre, license->valuestring);
    return read_stats(jre, file, metadata);
}

static int by_offset(const void *a, const void *b) {
    const WeightTensor *first = *(const WeightTensor *const *)a, *second = *(const WeightTensor *const *)b;
    if (first->at != second->at)
        return first->at < second->at ? -1 : 1;
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
        uint64_t begin = (uint64_t)(sorted[i]->at - file->data);
        if (begin < at)
            good = weights_refuse(jre, file, NULL, "`%.200s` and `%.200s` share bytes", sorted[i - 1]->name, sorted[i]->name);
        else if (begin > at)
            good = weights_refuse(jre, file, NULL, "bytes %llu to %llu of the numbers, before `%.200s`, belong to nothing", (unsigned long long)at,
                          (unsigned long long)begin, sorted[i]->name);
        at = begin + sorted[i]->bytes;
    }
    if (good && at != file->data_bytes)
        good = weights_refuse(jre, file, NULL, "its header describes %llu bytes of numbers, I found %zu", (unsigned long long)at, file->data_bytes);
    arena_free(&scratch);
    return good;
}

static bool read_entries(Jre *jre, WeightFile *file, const cJSON *header) {
    const cJSON *entry;
    if (!cJSON_IsObject(header))
        return weights_refuse(jre, file, NULL, "its header is not the JSON of a list of names");
    file->tensors = arena_array(&jre->forever, WeightTensor, cJSON_GetArraySize(header) + 1);
    cJSON_ArrayForEach(entry, header)
        if (!(strcmp(entry->string, "__metadata__") == 0 ? read_metadata(jre, file, entry) : read_tensor(jre, file, entry)))
            return false;
    return check_ranges(jre, file);
}

bool safetensors_read(Jre *jre, WeightFile *file) {
    uint64_t length = 0;
    file->format = "a safetensors file";
    if (file->mapped_bytes < LENGTH_BYTES + 2)
        return weights_refuse(jre, file, NULL, "it has %zu bytes, which is no header", file->mapped_bytes);
    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)file->mapped[i] << (8 * i);
    if (length > header_most)
        return weights_refuse(jre, file, NULL, "it is no safetensors file: such a file begins with the length of its header, at most 100,000,000, and this one with %llu",
                      (unsigned long long)length);
    if (length > file->mapped_bytes - LENGTH_BYTES)
        return weights_refuse(jre, file, NULL, "its header is to have %llu bytes, the file has %zu in all", (unsigned long long)length, file->mapped_bytes);
    const char *json = (const char *)file->mapped + LENGTH_BYTES;
    file->data = file->mapped + LENGTH_BYTES + length;
    file->data_bytes = file->mapped_bytes - LENGTH_BYTES - (size_t)length;
    if (memchr(json, '\0', (size_t)length))
        return weights_refuse(jre, file, NULL, "its header holds a byte of zero");
    const char *rest = json;
    cJSON *header = json_parse_begin(jre, json, (size_t)length, &rest);
    size_t parsed = (size_t)(rest - json);
    while (header && parsed < length && strchr(" \n\r\t", json[parsed]))
        parsed++;
    bool good = header && parsed < length ? weights_refuse(jre, file, NULL, "its header goes on behind its last `}`, at byte %zu", LENGTH_BYTES + parsed)
                                          : read_entries(jre, file, header);
    json_free(jre, header);
    return good;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t array_count(const Array *array) {
    uint64_t count = 1;
    for (int i = 0; i < array->rank; i++)
        count *= (uint64_t)array->dim[i];
    return count;
}

static uint64_t array_bytes(const Array *array) { return array_count(array) * (array->whole ? sizeof(int64_t) : sizeof(float)); }

static void add_numbers(Text *out, const Array *array) {
    if (!array->whole && array_count(array) > 0)
        text_add_bytes(out, (const char *)array->values, array_bytes(array));
    for (uint64_t i = 0; array->whole && i < array_count(array); i++) {
        int64_t number = (int64_t)array->values[i];
        text_add_bytes(out, (const char *)&number, sizeof number);
    }
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
        text_add(&out, ":{\"dtype\":\"%s\",\"shape\":[", arrays[i].whole ? "I64" : "F32");
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
        add_numbers(&out, &arrays[i]);
    bool done = file_write(jre, path, asked_at, out.at, out.length);
    text_free(&out);
    return done;
}
