/* rewrite.c: any file of weights, as jre reads it, written as safetensors: what peers compare.
 *
 *   build/tests/peers/rewrite IN OUT.safetensors */
#include "../../runtime/runtime.h"

#include <string.h>

static bool is_whole(const NumberType *type) { return strchr("IUB", type->name[0]) && strcmp(type->name, "BF16") != 0; }

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: rewrite IN OUT.safetensors\n"), 1;
    Jre *jre = jre_new();
    WeightFile *file = weight_file_open(jre, arguments[1], NOWHERE);
    LIST(const char *) names = {0};
    LIST(Array) arrays = {0};
    for (int i = 0; file && i < file->count; i++) {
        const WeightTensor *tensor = &file->tensors[i];
        Array array = {.rank = tensor->rank, .whole = is_whole(tensor->type), .values = arena_array(&jre->forever, float, tensor->bytes / tensor->type->bytes + 1)};
        memcpy(array.dim, tensor->dim, sizeof array.dim);
        tensor_values(tensor, array.values);
        list_add(&jre->forever, &names, tensor->name);
        list_add(&jre->forever, &arrays, array);
    }
    bool written = file && safetensors_write(jre, arguments[2], NOWHERE, names.count, names.at, arrays.at);
    diag_print_all(jre, stderr, false, false);
    weight_file_close(file);
    jre_free(jre);
    return written ? 0 : 1;
}
