/* weight_file.c: a file of weights, whoever wrote it: mapped, not read, so only what a network uses comes from the disk.
 *
 * What a file is its first bytes say, not its name: a zip is a checkpoint of PyTorch or NumPy's .npz, 0x80 begins a checkpoint of
 * PyTorch before 1.6, "\x93NUMPY" an array, a text is none of them, all else is held to be safetensors. A file that another program shortens while it is mapped
 * cannot be guarded against. */
#include "../runtime.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool weights_refuse(Jre *jre, const WeightFile *file, const char *help, const char *format, ...) {
    Arena scratch = {.jre = jre};
    va_list arguments;
    va_start(arguments, format);
    const char *why = arena_vprint(&scratch, format, arguments);
    va_end(arguments);
    Diagnostic *d = diag(jre, DIAG_file_corrupt, file->asked_at, "`%s` cannot be read as %s", file->path, file->format);
    diag_fact(d, "%s", why);
    diag_help(d, "%s", help ? help : "fetch or write the file again; a copy that was cut off looks like this");
    arena_free(&scratch);
    return false;
}

static void give_back(void *file) { weight_file_close(file); }

static WeightFile *map_file(Jre *jre, const char *path, Span asked_at) {
    size_t length;
    int descriptor = file_open(jre, path, asked_at, &length);
    if (descriptor < 0) return NULL;
    WeightFile *file = arena_new(&jre->forever, WeightFile);
    *file = (WeightFile){.path = intern(jre, path), .format = "a file of weights", .asked_at = asked_at};
    void *mapped = length > 0 ? mmap(NULL, length, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    close(descriptor);
    if (mapped == MAP_FAILED) {
        weights_refuse(jre, file, NULL, length > 0 ? "the system cannot map it into memory" : "it is empty");
        return NULL;
    }
    file->mapped = mapped;
    file->mapped_bytes = length;
    file->jre = jre;
    jre_own(jre, file, give_back);
    return file;
}

void weight_file_close(WeightFile *file) {
    if (!file || !file->mapped) return;
    jre_disown(file->jre, file);
    munmap((void *)(uintptr_t)file->mapped, file->mapped_bytes);
    file->mapped = NULL;
    for (int i = 0; i < file->unpacked.count; i++) jre_release(file->unpacked.at[i]);
    file->unpacked.count = 0;
}

/* The system may have the pages back that lie wholly within a tensor: nobody needs them again, and who does reads them anew. */
void weight_file_read(const WeightFile *file, const WeightTensor *tensor) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)tensor->at, end = begin + tensor->bytes, mapped = (uintptr_t)file->mapped;
    if (begin < mapped || end > mapped + file->mapped_bytes) return;
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
}

bool weight_file_add(Jre *jre, WeightFile *file, const WeightTensor *tensor) {
    if (map_get(&file->by_name, tensor->name)) return weights_refuse(jre, file, NULL, "it has `%.200s` twice", tensor->name);
    file->tensors[file->count] = *tensor;
    map_set(&file->by_name, &jre->forever, tensor->name, &file->tensors[file->count]);
    file->count++;
    return true;
}

/* ---- which program wrote it ------------------------------------------------------------------------------------------------ */

static bool begins_with(const WeightFile *file, size_t at, const char *bytes, size_t length) {
    return file->mapped_bytes >= at + length && memcmp(file->mapped + at, bytes, length) == 0;
}

static const char *const export_help = "save the weights alone: torch.save(model.state_dict(), \"weights.pth\"), or by safetensors.torch.save_file";

static bool ends_with(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && strcmp(name + length - tail, ending) == 0;
}

/* A zip is whichever of the two its entries make it. */
static bool read_archive(Jre *jre, WeightFile *file) {
    file->format = "an archive of weights";
    ZipArchive zip = {0};
    if (!zip_directory(jre, file, &zip)) return false;
    for (int i = 0; i < zip.count; i++)
        if (ends_with(zip.entries[i].name, "data.pkl")) return checkpoint_read_zip(jre, file, &zip, zip.entries[i].name);
    for (int i = 0; i < zip.count; i++)
        if (ends_with(zip.entries[i].name, ".npy")) return npz_read(jre, file, &zip);
    return weights_refuse(jre, file, export_help, "it is a zip with %d entr%s, and none is a `data.pkl`, as torch.save writes, or an array `.npy`, as numpy.savez writes", zip.count,
                          zip.count == 1 ? "y" : "ies");
}

/* What came in place of weights: a page that asks to sign in, the note that git keeps of a large file. */
static bool is_text(const WeightFile *file) {
    size_t length = file->mapped_bytes < 64 ? file->mapped_bytes : 64;
    for (size_t i = 0; i < length; i++)
        if ((file->mapped[i] < ' ' || file->mapped[i] > '~') && !memchr("\t\n\r", file->mapped[i], 3)) return false;
    return true;
}

static bool refuse_text(Jre *jre, const WeightFile *file) {
    static const char pointer[] = "version https://git-lfs";
    if (begins_with(file, 0, pointer, sizeof pointer - 1)) return weights_refuse(jre, file, "fetch the file itself: git lfs pull", "it is the note that git keeps in the place of a large file");
    int length = file->mapped_bytes < 40 ? (int)file->mapped_bytes : 40;
    for (int i = 0; i < length; i++)
        if (file->mapped[i] < ' ') length = i;
    return weights_refuse(jre, file, "fetch the file again; where a page was saved in its place, the address asks to sign in or is another one", "it is a text, which begins `%.*s`", length, (const char *)file->mapped);
}

static bool read_file(Jre *jre, WeightFile *file) {
    if (begins_with(file, 4, "\0\0\0\0{", 5)) return safetensors_read(jre, file);      /* the length in front may look like anything */
    if (begins_with(file, 0, "PK\x03\x04", 4) || begins_with(file, 0, "PK\x05\x06", 4)) return read_archive(jre, file);
    if (begins_with(file, 0, "\x80", 1) && file->mapped_bytes > 1 && file->mapped[1] >= 1 && file->mapped[1] <= 5) return checkpoint_read_legacy(jre, file);
    if (begins_with(file, 0, "\x93NUMPY", 6)) return npy_read_single(jre, file);
    if (begins_with(file, 0, "\x89HDF", 4)) return weights_refuse(jre, file, "convert it to safetensors", "it is an HDF5 file, as Keras writes");
    if (begins_with(file, 257, "ustar", 5)) return weights_refuse(jre, file, export_help, "it is a tar, as PyTorch wrote before version 0.1.10");
    if (ends_with(file->path, ".onnx")) return weights_refuse(jre, file, export_help, "it is called a model of ONNX, and those are not read as weights");
    return is_text(file) ? refuse_text(jre, file) : safetensors_read(jre, file);
}

WeightFile *weight_file_open(Jre *jre, const char *path, Span asked_at) {
    WeightFile *file = map_file(jre, path, asked_at);
    if (!file || read_file(jre, file)) return file;
    weight_file_close(file);
    return NULL;
}
