/* npy.c: NumPy's file of one array, versions 1 to 3, and its archives of several (.npz).
 *
 * A file is "\x93NUMPY", a version, the length of a header, the header (a Python dictionary of descr, fortran_order and shape) and the numbers.
 * The header is read by a small parser that knows just that dictionary; every length is checked against the file's before memory is taken.
 * Numbers become f32, stored column by column or not; written is version 1, f4. */
#include "../runtime.h"

#include <ctype.h>
#include <string.h>

enum { MAGIC_BYTES = 6, ALIGNMENT = 64, WORD_BYTES = 64 };
static const char magic[] = "\x93NUMPY";

typedef struct {
    Jre *jre; const char *path; Span asked_at;
    const char *at, *end;                 /* within the header */
    char type[WORD_BYTES]; bool columns_first;
    WeightTensor tensor; bool has_type, has_order, has_shape;
} NpyReader;

/* Files the message; `why` says what was expected and what was found. */
static bool refuse(const NpyReader *reader, const char *why, const char *help) {
    Diagnostic *d = diag(reader->jre, DIAG_file_corrupt, reader->asked_at, "`%s` cannot be read as a NumPy array", reader->path);
    diag_fact(d, "%s", why);
    diag_help(d, "%s", help);
    return false;
}

static const char write_again[] = "write it again with numpy.save(path, array)";

static bool header_damaged(const NpyReader *reader, const char *expected) {
    Arena scratch = { .jre = reader->jre };
    const char *why = arena_print(&scratch, "I expected %s in its header, %s", expected,
                                  reader->at < reader->end ? "I found something else" : "but the header ends");
    refuse(reader, why, write_again);
    arena_free(&scratch);
    return false;
}

/* ---- the header ---------------------------------------------------------------------------------------------------------------------- */

static void skip_blanks(NpyReader *reader) {
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t'))
        reader->at++;
}

static bool take(NpyReader *reader, char wanted) {
    skip_blanks(reader);
    if (reader->at >= reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

/* 'text' or "text", without escapes, which neither keys nor types have. */
static bool take_text(NpyReader *reader, char text[WORD_BYTES]) {
    skip_blanks(reader);
    if (reader->at >= reader->end || (*reader->at != '\'' && *reader->at != '"'))
        return false;
    char quote = *reader->at++;
    size_t length = 0;
    while (reader->at < reader->end && *reader->at != quote && length < WORD_BYTES - 1)
        text[length++] = *reader->at++;
    text[length] = '\0';
    if (reader->at >= reader->end || *reader->at != quote)
        return false;
    reader->at++;
    return true;
}

static bool take_word(NpyReader *reader, const char *word) {
    size_t length = strlen(word);
    skip_blanks(reader);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool take_number(NpyReader *reader, int64_t *number) {
    skip_blanks(reader);
    *number = 0;
    int digits = 0;
    for (; reader->at < reader->end && isdigit((unsigned char)*reader->at); reader->at++, digits++) {
        if (digits >= 18)
            return false;
        *number = *number * 10 + (*reader->at - '0');
    }
    return digits > 0;
}

/* (), (3,), (3, 4), (3, 4,) */
static bool take_shape(NpyReader *reader) {
    if (!take(reader, '('))
        return header_damaged(reader, "a shape such as (3, 4)");
    while (!take(reader, ')')) {
        if (reader->tensor.rank == TENSOR_RANK)
            return refuse(reader, "it has more than 8 dimensions", "reshape it before writing");
        if (!take_number(reader, &reader->tensor.dim[reader->tensor.rank]))
            return header_damaged(reader, "a size that is a whole number");
        reader->tensor.rank++;
        if (take(reader, ','))
            continue;
        if (!take(reader, ')'))
            return header_damaged(reader, "a comma or `)` behind a size");
        break;
    }
    reader->has_shape = true;
    return true;
}

static bool take_entry(NpyReader *reader) {
    char key[WORD_BYTES];
    if (!take_text(reader, key) || !take(reader, ':'))
        return header_damaged(reader, "a key such as 'shape':");
    if (strcmp(key, "shape") == 0 && !reader->has_shape)
        return take_shape(reader);
    if (strcmp(key, "descr") == 0 && !reader->has_type) {
        reader->has_type = take_text(reader, reader->type);
        return reader->has_type || header_damaged(reader, "a type such as '<f4'");
    }
    if (strcmp(key, "fortran_order") == 0 && !reader->has_order) {
        reader->columns_first = take_word(reader, "True");
        reader->has_order = reader->columns_first || take_word(reader, "False");
        return reader->has_order || header_damaged(reader, "True or False");
    }
    return header_damaged(reader, "each of the keys 'descr', 'fortran_order' and 'shape' once");
}

static bool read_dictionary(NpyReader *reader) {
    if (!take(reader, '{'))
        return header_damaged(reader, "`{`");
    while (!take(reader, '}')) {
        if (!take_entry(reader))
            return false;
        if (take(reader, ','))
            continue;
        if (!take(reader, '}'))
            return header_damaged(reader, "a comma or `}`");
        break;
    }
    if (!reader->has_type || !reader->has_order || !reader->has_shape)
        return header_damaged(reader, "each of the keys 'descr', 'fortran_order' and 'shape' once");
    skip_blanks(reader);
    return reader->at == reader->end || header_damaged(reader, "nothing but blanks behind the dictionary");
}

/* '<f4', '|u1', '=f8'; the other order of bytes, and other numbers, are refused. */
static bool check_type(NpyReader *reader) {
    Arena scratch = { .jre = reader->jre };
    const char *name = reader->type;
    bool swapped = *name == '>', good = false;
    if (*name && strchr("<>|=", *name))
        name++;
    const NumberType *type = reader->tensor.type = number_type(NAMED_AS_NUMPY, name);
    if (!type)
        refuse(reader, arena_print(&scratch, "I expected numbers of type f2, f4, f8, i1 to i8, u1 to u8 or b1, I found `%.40s`", reader->type),
               "convert it: numpy.save(path, array.astype('f4'))");
    else if (swapped && type->bytes > 1)
        refuse(reader, arena_print(&scratch, "its numbers have their highest byte first: `%.40s`", reader->type),
               "convert it: numpy.save(path, array.astype('f4'))");
    else
        good = true;
    arena_free(&scratch);
    return good;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------------------------ */

/* Finds the header; false if there is none. *data: where numbers begin. */
static bool find_header(NpyReader *reader, const char *bytes, size_t length, size_t *data) {
    const uint8_t *head = (const uint8_t *)bytes;
    if (length < 10 || memcmp(bytes, magic, MAGIC_BYTES) != 0)
        return refuse(reader, "it does not begin as such a file does", write_again);
    if (head[6] < 1 || head[6] > 3 || head[7] != 0)
        return refuse(reader, "its version is none of 1.0, 2.0 and 3.0", write_again);
    size_t start = head[6] == 1 ? 10 : 12;
    if (length < start)
        return refuse(reader, "it is cut off in its header", write_again);
    size_t header = (size_t)head[8] | (size_t)head[9] << 8;
    if (head[6] > 1)
        header |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    if (header > length - start)
        return refuse(reader, "it is cut off in its header", write_again);
    reader->at = bytes + start;
    reader->end = reader->at + header;
    *data = start + header;
    return true;
}

/* The shape fills `bytes` exactly. */
static bool lay_array(NpyReader *reader, size_t bytes) {
    WeightTensor *tensor = &reader->tensor;
    if (!tensor_lay(tensor))
        return refuse(reader, "its shape has more elements than any file could hold", write_again);
    if (tensor->bytes != bytes) {
        Arena scratch = { .jre = reader->jre };
        refuse(reader, arena_print(&scratch, "its shape asks for %llu bytes of numbers, I found %zu", (unsigned long long)tensor->bytes, bytes), write_again);
        arena_free(&scratch);
        return false;
    }
    int64_t step = 1;
    for (int i = 0; reader->columns_first && i < tensor->rank && bytes > 0; i++) {
        tensor->stride[i] = step;
        step *= tensor->dim[i];
    }
    return true;
}

/* The array in these bytes, which it points into. */
static bool parse(Jre *jre, const char *path, Span asked_at, const char *bytes, size_t length, WeightTensor *tensor) {
    NpyReader reader = { .jre = jre, .path = path, .asked_at = asked_at };
    size_t data = 0;
    if (!find_header(&reader, bytes, length, &data) || !read_dictionary(&reader) || !check_type(&reader) || !lay_array(&reader, length - data))
        return false;
    *tensor = reader.tensor;
    tensor->at = (const uint8_t *)bytes + data;
    return true;
}

bool npy_read(Jre *jre, const char *path, Span asked_at, Array *array) {
    char *bytes;
    size_t length;
    WeightTensor tensor;
    *array = (Array){0};
    if (!file_read(jre, path, asked_at, &bytes, &length))
        return false;
    bool good = parse(jre, path, asked_at, bytes, length, &tensor);
    if (good) {
        array->rank = tensor.rank;
        memcpy(array->dim, tensor.dim, sizeof array->dim);
        array->values = jre_allocate(jre, tensor.bytes / tensor.type->bytes * sizeof(float));
        tensor_values(&tensor, array->values);
    }
    jre_release(bytes);
    return good;
}

/* ---- as weights ------------------------------------------------------------------------------------------------------------------------------ */

/* "conv1.weight.npy" holds `conv1.weight`. */
static const char *without_ending(Jre *jre, const char *name) {
    size_t length = strlen(name), ending = strlen(".npy");
    return length > ending && strcmp(name + length - ending, ".npy") == 0 ? intern_length(jre, name, length - ending) : intern(jre, name);
}

bool npy_read_single(Jre *jre, WeightFile *file) {
    WeightTensor tensor;
    file->format = "a NumPy array";
    file->tensors = arena_new(&jre->forever, WeightTensor);
    if (!parse(jre, file->path, file->asked_at, (const char *)file->mapped, file->mapped_bytes, &tensor))
        return false;
    const char *slash = strrchr(file->path, '/');
    tensor.name = without_ending(jre, slash ? slash + 1 : file->path);
    return weight_file_add(jre, file, &tensor);
}

bool npz_read(Jre *jre, WeightFile *file, const ZipArchive *zip) {
    file->format = "an archive of NumPy arrays";
    file->tensors = arena_array(&jre->forever, WeightTensor, zip->count);
    for (int i = 0; i < zip->count; i++) {
        const ZipEntry *entry = &zip->entries[i];
        const uint8_t *bytes = zip_bytes(jre, file, entry);
        WeightTensor tensor;
        Arena scratch = { .jre = jre };
        bool good = bytes && parse(jre, arena_print(&scratch, "%s: %.200s", file->path, entry->name), file->asked_at, (const char *)bytes, (size_t)entry->bytes, &tensor);
        arena_free(&scratch);
        if (!good)
            return false;
        tensor.name = without_ending(jre, entry->name);
        if (!weight_file_add(jre, file, &tensor))
            return false;
    }
    return true;
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------------------- */

bool npy_write(Jre *jre, const char *path, Span asked_at, const float *values, int rank, const int64_t *dim) {
    Text out = { .jre = jre };
    size_t count = 1;
    text_add_bytes(&out, magic, MAGIC_BYTES);
    text_add_bytes(&out, "\x01\x00\x00\x00", 4);          /* version 1.0; the length of the header follows below */
    text_add(&out, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < rank; i++) {
        text_add(&out, rank == 1 ? "%lld," : i == 0 ? "%lld" : ", %lld", (long long)dim[i]);
        count *= (size_t)dim[i];
    }
    text_add(&out, "), }");
    while ((out.length + 1) % ALIGNMENT != 0)
        text_add_bytes(&out, " ", 1);
    text_add_bytes(&out, "\n", 1);
    size_t header = out.length - 10;
    out.at[8] = (char)(header & 255);
    out.at[9] = (char)(header >> 8);
    if (count > 0)
        text_add_bytes(&out, (const char *)values, count * sizeof(float));
    bool done = file_write(jre, path, asked_at, out.at, out.length);
    text_free(&out);
    return done;
}
