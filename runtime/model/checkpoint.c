/* checkpoint.c: what torch.save writes (.pth, .pt, .ckpt, .bin).
 *
 * Since PyTorch 1.6 a zip: NAME/data.pkl describes tensors, NAME/data/KEY holds the numbers of each storage. Before, one file: four pickles
 * (a magic number, a version, how the machine writes numbers, the tensors), a fifth with the keys of the storages, and behind it, for
 * each key, how many numbers follow, and the numbers. A tensor is a view of a storage: a first number, sizes and steps, each held against
 * the storage before it is believed. Of a checkpoint of a training only the network's table of tensors is taken. */
#include "../runtime.h"

#include <string.h>

enum { DEEPEST_WRAPPER = 8, NAMED_KEYS = 10, LEGACY_VERSION = 1001 };

/* Where a storage's numbers lie. */
typedef struct { const uint8_t *at; uint64_t bytes; } Storage;
typedef struct {
    Jre *jre; WeightFile *file; Arena arena;
    const ZipArchive *zip; const char *folder;            /* of a zip: the entries' common beginning, "NAME/" */
    Map storages;                         /* key -> Storage */
} Checkpoint;

/* ---- the table of tensors ---------------------------------------------------------------------------------------------------------- */

/* What training scripts call the network's part of a checkpoint. */
static const char *const parts[] = {"state_dict", "model", "model_state_dict"};

static const char *text_of(Checkpoint *checkpoint, const Object *text) { return arena_copy(&checkpoint->arena, text->text, text->length); }

static int count_tensors(const Object *table) {
    int count = 0;
    for (int i = 0; i + 1 < table->items.count; i += 2) count += table->items.at[i + 1]->kind == OBJECT_TENSOR;
    return count;
}

static bool refuse_contents(Checkpoint *checkpoint, const Object *found) {
    static const char *const help = "save the network's weights: torch.save(model.state_dict(), \"weights.pth\")";
    const char *keys = "";
    int named = 0;
    for (int i = 0; found->kind == OBJECT_TABLE && i + 1 < found->items.count && named < NAMED_KEYS; i += 2)
        if (found->items.at[i]->kind == OBJECT_TEXT) keys = arena_print(&checkpoint->arena, "%s `%.60s`", keys, text_of(checkpoint, found->items.at[i])), named++;
    if (!named) return weights_refuse(checkpoint->jre, checkpoint->file, help, "I expected a table of names and tensors, and it holds none");
    return weights_refuse(checkpoint->jre, checkpoint->file, help, "I expected names and tensors, at the top or below `state_dict` or `model`; I found the keys%s%s", keys,
                          found->items.count / 2 > named ? " and more" : "");
}

/* The network's own table, inside however many others. NULL: diagnosed. */
static const Object *find_table(Checkpoint *checkpoint, const Object *top) {
    const Object *found = top;
    for (int depth = 0; depth < DEEPEST_WRAPPER; depth++) {
        const Object *inner = NULL;
        for (size_t i = 0; !inner && i < sizeof parts / sizeof *parts; i++) {
            inner = object_at(found, parts[i]);
            if (inner && inner->kind != OBJECT_TABLE) inner = NULL;
        }
        if (!inner) break;
        found = inner;
    }
    if (found->kind == OBJECT_TABLE && count_tensors(found)) return found;
    refuse_contents(checkpoint, found);
    return NULL;
}

/* ---- storages ------------------------------------------------------------------------------------------------------------------------- */

/* ('storage', torch.FloatStorage, key, where it was, how many numbers): the bytes of a number, 0 if it is none of these. */
static uint64_t storage_unit(const Object *storage) {
    const Object *kind = storage->items.at[1];
    if (kind->kind != OBJECT_GLOBAL) return 0;
    return kind->role == ROLE_STORAGE ? kind->type->bytes : kind->role == ROLE_UNTYPED ? 1 : 0;
}

static bool storage_bytes(const Object *storage, uint64_t *bytes) {
    const Object *count = storage->items.at[4];
    uint64_t unit = storage_unit(storage);
    return unit && storage->items.at[2]->kind == OBJECT_TEXT && count->kind == OBJECT_NUMBER && count->number >= 0 &&
           !__builtin_mul_overflow((uint64_t)count->number, unit, bytes);
}

/* NULL: diagnosed. */
static const Storage *find_storage(Checkpoint *checkpoint, const char *tensor, const Object *described) {
    Jre *jre = checkpoint->jre;
    WeightFile *file = checkpoint->file;
    uint64_t bytes;
    if (!storage_bytes(described, &bytes)) {
        weights_refuse(jre, file, NULL, "the storage of `%.200s` has no key, kind or size that I could read", tensor);
        return NULL;
    }
    const char *key = text_of(checkpoint, described->items.at[2]);
    const Storage *known = map_get(&checkpoint->storages, key);
    if (!known && checkpoint->zip) {
        const ZipEntry *entry = map_get(&checkpoint->zip->by_name, arena_print(&checkpoint->arena, "%sdata/%s", checkpoint->folder, key));
        const uint8_t *at = entry ? zip_bytes(jre, file, entry) : NULL;
        if (entry && !at) return NULL;
        Storage *storage = arena_new(&checkpoint->arena, Storage);
        *storage = (Storage){at, entry ? entry->bytes : 0};
        if (entry) map_set(&checkpoint->storages, &checkpoint->arena, key, storage), known = storage;
    }
    if (known && known->bytes >= bytes) return known;
    if (!known) weights_refuse(jre, file, NULL, "the numbers of `%.200s`, under the key `%.60s`, are missing", tensor, key);
    else weights_refuse(jre, file, NULL, "`%.200s` needs %llu bytes, and `%.60s`, where they should be, has %llu", tensor, (unsigned long long)bytes, key, (unsigned long long)known->bytes);
    return NULL;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------------------------------- */

/* A list of numbers from 0 on. */
static bool take_sizes(const Object *list, int *count, int64_t sizes[TENSOR_RANK]) {
    if (list->kind != OBJECT_LIST || list->items.count > TENSOR_RANK) return false;
    *count = list->items.count;
    for (int i = 0; i < *count; i++) {
        if (list->items.at[i]->kind != OBJECT_NUMBER || list->items.at[i]->number < 0) return false;
        sizes[i] = list->items.at[i]->number;
    }
    return true;
}

/* How many numbers of the storage the tensor spans, from its first on. False: beyond all files. */
static bool tensor_span(const WeightTensor *tensor, uint64_t *numbers) {
    *numbers = tensor->bytes > 0;
    for (int i = 0; i < tensor->rank && tensor->bytes > 0; i++) {
        uint64_t reach;
        if (__builtin_mul_overflow((uint64_t)tensor->dim[i] - 1, (uint64_t)tensor->stride[i], &reach) || __builtin_add_overflow(*numbers, reach, numbers)) return false;
    }
    return true;
}

static bool add_tensor(Checkpoint *checkpoint, const Object *key, const Object *object) {
    Jre *jre = checkpoint->jre;
    WeightFile *file = checkpoint->file;
    if (memchr(key->text, '\0', key->length)) return weights_refuse(jre, file, NULL, "a name holds a byte of zero");
    WeightTensor tensor = {.name = intern_length(jre, key->text, key->length)};
    int64_t strides[TENSOR_RANK];
    int rank;
    if (object->items.count < 4 || object->items.at[0]->kind != OBJECT_STORAGE || object->items.at[1]->kind != OBJECT_NUMBER || object->items.at[1]->number < 0 ||
        !take_sizes(object->items.at[2], &tensor.rank, tensor.dim) || !take_sizes(object->items.at[3], &rank, strides) || rank != tensor.rank)
        return weights_refuse(jre, file, NULL, "`%.200s` is no tensor of at most %d sizes with a step for each", tensor.name, TENSOR_RANK);
    const Object *described = object->items.at[0];
    const Storage *storage = find_storage(checkpoint, tensor.name, described);
    if (!storage) return false;
    const Object *kind = described->items.at[1];
    tensor.type = object->type ? object->type : kind->type;
    if (!tensor.type) return weights_refuse(jre, file, NULL, "of `%.200s` nothing says what kind of numbers it has", tensor.name);
    uint64_t first, numbers, last;
    if (!tensor_lay(&tensor)) return weights_refuse(jre, file, NULL, "the shape of `%.200s` has more numbers than any file could hold", tensor.name);
    memcpy(tensor.stride, strides, sizeof tensor.stride);
    first = (uint64_t)object->items.at[1]->number;
    if (!tensor_span(&tensor, &numbers) || __builtin_add_overflow(first, numbers, &last) || last > storage->bytes / tensor.type->bytes)
        return weights_refuse(jre, file, NULL, "`%.200s` reaches beyond the %llu numbers of its storage", tensor.name, (unsigned long long)(storage->bytes / tensor.type->bytes));
    tensor.at = storage->at + first * tensor.type->bytes;
    return weight_file_add(jre, file, &tensor);
}

static bool add_tensors(Checkpoint *checkpoint, const Object *top) {
    const Object *table = find_table(checkpoint, top);
    if (!table) return false;
    checkpoint->file->tensors = arena_array(&checkpoint->jre->forever, WeightTensor, count_tensors(table));
    for (int i = 0; i + 1 < table->items.count; i += 2) {
        const Object *key = table->items.at[i], *value = table->items.at[i + 1];
        if (value->kind != OBJECT_TENSOR) continue;                /* versions of modules and the like */
        if (key->kind != OBJECT_TEXT) return weights_refuse(checkpoint->jre, checkpoint->file, NULL, "a tensor is called by something that is no text");
        if (!add_tensor(checkpoint, key, value)) return false;
    }
    return true;
}

/* ---- since PyTorch 1.6 ---------------------------------------------------------------------------------------------------------------------- */

static const char other_order[] = "write it again on a machine that puts the lowest byte first";

static bool read_zip(Checkpoint *checkpoint, const char *pickled) {
    Jre *jre = checkpoint->jre;
    WeightFile *file = checkpoint->file;
    checkpoint->folder = arena_copy(&checkpoint->arena, pickled, strlen(pickled) - strlen("data.pkl"));
    const ZipEntry *order = map_get(&checkpoint->zip->by_name, arena_print(&checkpoint->arena, "%sbyteorder", checkpoint->folder));
    const uint8_t *says = order ? zip_bytes(jre, file, order) : NULL;
    if (order && !says) return false;
    if (map_get(&checkpoint->zip->by_name, arena_print(&checkpoint->arena, "%sconstants.pkl", checkpoint->folder)))
        return weights_refuse(jre, file, "save the weights alone: torch.save(torch.jit.load(path).state_dict(), \"weights.pth\")",
                              "it is a program of TorchScript with its weights, and programs of others are not run here");
    if (says && (order->bytes != 6 || memcmp(says, "little", 6) != 0)) return weights_refuse(jre, file, other_order, "its numbers have their highest byte first");
    const ZipEntry *entry = map_get(&checkpoint->zip->by_name, pickled);
    const uint8_t *at = zip_bytes(jre, file, entry);
    if (!at) return false;
    Pickle pickle = {.jre = jre, .arena = &checkpoint->arena, .file = file, .start = at, .at = at, .end = at + entry->bytes};
    const Object *top = pickle_read(&pickle);
    return top && add_tensors(checkpoint, top);
}

bool checkpoint_read_zip(Jre *jre, WeightFile *file, const ZipArchive *zip, const char *pickled) {
    Checkpoint checkpoint = {.jre = jre, .file = file, .arena = {.jre = jre}, .zip = zip};
    file->format = "a checkpoint of PyTorch";
    bool sound = read_zip(&checkpoint, pickled);
    arena_free(&checkpoint.arena);
    return sound;
}

/* ---- before ------------------------------------------------------------------------------------------------------------------------------------ */

static const uint8_t legacy_magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

/* Bytes of one number in each storage, also of those that only an optimizer refers to. */
static bool note_units(Checkpoint *checkpoint, const Pickle *pickle, Map *units) {
    uint64_t bytes;
    for (int i = 0; i < pickle->storages.count; i++) {
        const Object *storage = pickle->storages.at[i];
        bool view = storage->items.count > 5 && storage->items.at[5]->kind != OBJECT_NOTHING;       /* of another storage: PyTorch before 0.4 */
        if (view || !storage_bytes(storage, &bytes)) return weights_refuse(checkpoint->jre, checkpoint->file, NULL, "a storage has no key, kind or size that I could read");
        map_set(units, &checkpoint->arena, text_of(checkpoint, storage->items.at[2]), (void *)(uintptr_t)storage_unit(storage));
    }
    return true;
}

/* For each key how many numbers follow, and the numbers. */
static bool take_storages(Checkpoint *checkpoint, const Pickle *pickle, const Object *keys, const Map *units) {
    Jre *jre = checkpoint->jre;
    WeightFile *file = checkpoint->file;
    const uint8_t *at = pickle->at;
    for (int i = 0; i < keys->items.count; i++) {
        uint64_t count = 0, bytes;
        if (keys->items.at[i]->kind != OBJECT_TEXT) return weights_refuse(jre, file, NULL, "the key of a storage is no text");
        const char *key = text_of(checkpoint, keys->items.at[i]);
        uint64_t unit = (uintptr_t)map_get(units, key);
        if (!unit) return weights_refuse(jre, file, NULL, "of the storage `%.60s` nothing says what kind of numbers it has", key);
        if (pickle->end - at < 8) return weights_refuse(jre, file, NULL, "the file ends before the storage `%.60s`", key);
        for (int k = 0; k < 8; k++) count |= (uint64_t)at[k] << (8 * k);
        at += 8;
        if (__builtin_mul_overflow(count, unit, &bytes) || bytes > (uint64_t)(pickle->end - at))
            return weights_refuse(jre, file, NULL, "the storage `%.60s` has %llu numbers, and the file ends before", key, (unsigned long long)count);
        Storage *storage = arena_new(&checkpoint->arena, Storage);
        *storage = (Storage){at, bytes};
        map_set(&checkpoint->storages, &checkpoint->arena, key, storage);
        at += bytes;
    }
    return true;
}

static bool read_legacy(Checkpoint *checkpoint) {
    Jre *jre = checkpoint->jre;
    WeightFile *file = checkpoint->file;
    Pickle pickle = {.jre = jre, .arena = &checkpoint->arena, .file = file, .start = file->mapped, .at = file->mapped, .end = file->mapped + file->mapped_bytes};
    const Object *magic = pickle_read(&pickle);
    if (!magic) return false;
    if (magic->kind != OBJECT_BYTES || magic->length != sizeof legacy_magic || memcmp(magic->text, legacy_magic, sizeof legacy_magic) != 0)
        return weights_refuse(jre, file, "save the network's weights: torch.save(model.state_dict(), \"weights.pth\")", "it is a pickle, but none that torch.save writes");
    const Object *version = pickle_read(&pickle), *machine = version ? pickle_read(&pickle) : NULL, *top = machine ? pickle_read(&pickle) : NULL;
    if (!top) return false;
    if (version->number != LEGACY_VERSION) return weights_refuse(jre, file, NULL, "its version is %lld, I know %d", (long long)version->number, LEGACY_VERSION);
    const Object *little = object_at(machine, "little_endian");
    if (little && little->kind == OBJECT_NUMBER && !little->number) return weights_refuse(jre, file, other_order, "its numbers have their highest byte first");
    Map units = {0};
    if (!note_units(checkpoint, &pickle, &units)) return false;
    const Object *keys = pickle_read(&pickle);
    if (!keys) return false;
    if (keys->kind != OBJECT_LIST) return weights_refuse(jre, file, NULL, "the list of its storages is missing");
    return take_storages(checkpoint, &pickle, keys, &units) && add_tensors(checkpoint, top);
}

bool checkpoint_read_legacy(Jre *jre, WeightFile *file) {
    Checkpoint checkpoint = {.jre = jre, .file = file, .arena = {.jre = jre}};
    file->format = "a checkpoint of PyTorch";
    bool sound = read_legacy(&checkpoint);
    arena_free(&checkpoint.arena);
    return sound;
}
