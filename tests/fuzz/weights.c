/* weights.c: a libFuzzer target: any bytes as a file of weights (safetensors, a checkpoint of PyTorch, NumPy's arrays), each of its numbers read, and as an
 * array by itself. Built and run by fuzz.sh. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST_BYTES = 1 << 20 };             /* a tensor may say one number a million times */

static const char *file_of(const uint8_t *bytes, size_t length) {
    static char path[64];
    if (!*path) snprintf(path, sizeof path, "/dev/shm/jre-fuzz-%d.bin", (int)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length) abort();
    close(file);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    Jre *jre = jre_new();
    WeightLibrary *library = weight_library_new(jre);
    const char *path = file_of(bytes, length);
    const WeightFacts *facts = weight_library_facts(library, path, NOWHERE);
    const WeightFile *file = facts ? weight_library_file(library, path, NOWHERE) : NULL;
    if (!facts != (diag_count(jre, SEVERITY_ERROR) == 1)) abort();
    for (int i = 0; file && i < file->count; i++) {
        const WeightTensor *tensor = &file->tensors[i];
        if (tensor->bytes > MOST_BYTES) continue;
        float *values = jre_allocate(jre, tensor->bytes / tensor->type->bytes * sizeof(float) + 1);
        tensor_values(tensor, values);
        jre_release(values);
    }
    weight_library_free(library);
    Array array = {0};
    if (npy_read(jre, path, NOWHERE, &array)) jre_release(array.values);
    diag_print_all(jre, nowhere, length % 2, length % 3);
    jre_free(jre);
    return 0;
}
