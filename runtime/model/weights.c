/* weights.c: every file of weights that a program names, opened once.
 *
 * The compiler asks for names and shapes (WeightFacts), the executor for the values (WeightFile); both come from the
 * same opened file and use the same names. Wrappers that training scripts put before names are dropped: a tensor is found by its
 * whole name and, where no other is called so, by what is behind its wrappers. Statistics of the pictures a network was raised on come
 * from the file's metadata, else from a JSON of the same stem beside it. Facts and names live until weight_library_free. */
#include "../runtime.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

typedef struct { WeightFile *file; WeightFacts facts; } OpenedWeights;

struct WeightLibrary { Jre *jre; Arena arena; Map opened; double gain; };       /* gain: of what is made up; 0: nothing is */

static const char *const wrappers[] = {"state_dict.", "model.", "module.", "backbone.", "_orig_mod."};
enum { WRAPPERS = sizeof wrappers / sizeof *wrappers };

WeightLibrary *weight_library_new(Jre *jre) {
    WeightLibrary *library = jre_allocate(jre, sizeof *library);
    *library = (WeightLibrary){.jre = jre, .arena = {.jre = jre}};
    return library;
}

void weight_library_free(WeightLibrary *library) {
    if (!library) return;
    for (int i = 0; i < library->opened.count; i++)
        weight_file_close(((OpenedWeights *)library->opened.entries[i].value)->file);
    arena_free(&library->arena);
    jre_release(library);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool all_begin_with(const WeightFile *file, size_t skip, const char *wrapper) {
    size_t length = strlen(wrapper);
    for (int i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name + skip;
        if (strncmp(name, wrapper, length) != 0 || name[length] == 0) return false;
    }
    return file->count > 0;
}

/* How many leading characters all names share because they were wrapped, once or several times ("model.module."). */
static size_t wrapped_length(const WeightFile *file) {
    size_t skip = 0;
    for (int i = 0; i < WRAPPERS; i++)
        if (all_begin_with(file, skip, wrappers[i])) {
            skip += strlen(wrappers[i]);
            i = -1;
        }
    return skip;
}

static const char *behind_wrapper(const char *name) {
    for (int i = 0; i < WRAPPERS; i++) {
        size_t length = strlen(wrappers[i]);
        if (strncmp(name, wrappers[i], length) == 0 && name[length]) return name + length;
    }
    return NULL;
}

enum { DEEPEST_WRAPPER = 8 };            /* a hostile name may be nothing but wrappers: looking each up would cost its length squared */

/* By what is behind its wrappers a tensor is found too, unless another has that name, or is found by it. */
static void add_short_names(WeightLibrary *library, OpenedWeights *opened) {
    WeightFile *file = opened->file;
    Map asked = {0};
    LIST(const char *) twice = {0};
    for (int i = 0; i < file->count; i++) {
        const char *name = behind_wrapper(file->tensors[i].name);
        for (int depth = 0; name && depth < DEEPEST_WRAPPER; depth++, name = behind_wrapper(name)) {
            if (map_get(&asked, name)) list_add(&library->arena, &twice, name);
            map_set(&asked, &library->arena, name, &file->tensors[i]);
        }
    }
    for (int i = 0; i < twice.count; i++) map_set(&asked, &library->arena, twice.at[i], NULL);
    for (int i = 0; i < asked.count; i++) {
        WeightTensor *tensor = asked.entries[i].value;
        if (!tensor || map_get(&file->by_name, asked.entries[i].key)) continue;
        map_set(&file->by_name, &library->jre->forever, asked.entries[i].key, tensor);
        map_set(&opened->facts.by_name, &library->arena, asked.entries[i].key, &opened->facts.tensors[tensor - file->tensors]);
    }
}

static void describe_tensors(WeightLibrary *library, OpenedWeights *opened) {
    WeightFile *file = opened->file;
    WeightFacts *facts = &opened->facts;
    size_t skip = wrapped_length(file);
    facts->count = file->count;
    facts->tensors = arena_array(&library->arena, WeightShape, file->count ? file->count : 1);
    for (int i = 0; i < file->count; i++) {
        WeightTensor *tensor = &file->tensors[i];
        WeightShape *shape = &facts->tensors[i];
        *shape = (WeightShape){.name = intern(library->jre, tensor->name + skip), .dtype = tensor->type->name, .rank = tensor->rank};
        memcpy(shape->dim, tensor->dim, sizeof shape->dim);
        map_set(&facts->by_name, &library->arena, tensor->name, shape);
    }
    add_short_names(library, opened);
}

/* ---- statistics and license ------------------------------------------------------------------------------------------------------- */

static bool three_numbers(const cJSON *array, double out[3]) {
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != 3) return false;
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(array, i);
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) return false;
        out[i] = item->valuedouble;
    }
    return true;
}

/* False: diagnosed. A JSON that says nothing of statistics is somebody else's and leaves them alone. */
static bool facts_from_json(WeightLibrary *library, const char *path, const cJSON *json, Span asked_at, WeightFacts *facts) {
    if (!json) {
        diag(library->jre, DIAG_file_corrupt, asked_at, "`%s`, looked into for the mean and spread of these weights, is not JSON", path);
        return false;
    }
    const cJSON *from = json, *inner = cJSON_GetObjectItemCaseSensitive(json, "pretrained_cfg");
    if (!cJSON_GetObjectItemCaseSensitive(json, "mean") && inner) from = inner;
    const cJSON *license = cJSON_GetObjectItemCaseSensitive(json, "license");
    if (!license) license = cJSON_GetObjectItemCaseSensitive(from, "license");
    if (!facts->license && cJSON_IsString(license) && *license->valuestring) facts->license = intern(library->jre, license->valuestring);
    const cJSON *mean_array = cJSON_GetObjectItemCaseSensitive(from, "mean"), *std_array = cJSON_GetObjectItemCaseSensitive(from, "std");
    if (!mean_array && !std_array) return true;
    double mean[3], spread[3];
    bool sound = three_numbers(mean_array, mean) && three_numbers(std_array, spread);
    if (!sound || spread[0] <= 0 || spread[1] <= 0 || spread[2] <= 0) {
        diag(library->jre, DIAG_file_corrupt, asked_at,
             "`mean` and `std` in `%s` should be three numbers each, and those of `std` above 0", path);
        return false;
    }
    facts->stats = arena_print(&library->arena, "%.9g %.9g %.9g %.9g %.9g %.9g", mean[0], mean[1], mean[2], spread[0], spread[1], spread[2]);
    return true;
}

/* "folder/name.json" for "folder/name.safetensors". */
static const char *path_beside(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    size_t length = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    return arena_print(arena, "%.*s.json", (int)length, path);
}

static bool find_said(WeightLibrary *library, OpenedWeights *opened, Span asked_at) {
    opened->facts.stats = opened->file->stats;
    opened->facts.license = opened->file->license;
    if (opened->facts.stats) return true;
    const char *path = path_beside(&library->arena, opened->facts.path);
    if (!file_exists(path)) return true;
    char *bytes;
    size_t length;
    if (!file_read(library->jre, path, asked_at, &bytes, &length)) return false;
    cJSON *json = json_parse(library->jre, bytes, length);
    bool sound = facts_from_json(library, path, json, asked_at, &opened->facts);
    json_free(library->jre, json);
    jre_release(bytes);
    return sound;
}

/* ---- the library --------------------------------------------------------------------------------------------------------- */

static OpenedWeights *open_weights(WeightLibrary *library, const char *path, Span asked_at) {
    OpenedWeights *opened = map_get(&library->opened, path);
    if (opened) return opened;
    WeightFile *file = weight_file_open(library->jre, path, asked_at);
    if (!file) return NULL;
    opened = arena_new(&library->arena, OpenedWeights);
    opened->file = file;
    opened->facts.path = intern(library->jre, path);
    describe_tensors(library, opened);
    if (!find_said(library, opened, asked_at)) {
        weight_file_close(file);
        return NULL;
    }
    map_set(&library->opened, &library->arena, opened->facts.path, opened);
    return opened;
}

const WeightFacts *weight_library_facts(WeightLibrary *library, const char *path, Span asked_at) {
    OpenedWeights *opened = open_weights(library, path, asked_at);
    return opened ? &opened->facts : NULL;
}

WeightFile *weight_library_file(WeightLibrary *library, const char *path, Span asked_at) {
    OpenedWeights *opened = open_weights(library, path, asked_at);
    return opened ? opened->file : NULL;
}

void weight_library_make_up(WeightLibrary *library, double gain) { library->gain = gain; }

bool weight_library_makes_up(const WeightLibrary *library, double *gain) {
    if (!library || !(library->gain > 0)) return false;
    *gain = library->gain;
    return true;
}
