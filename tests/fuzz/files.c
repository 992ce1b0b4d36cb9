/* files.c: a libFuzzer target: any bytes as a picture, a table and what a store says of a result. Built and run by fuzz.sh. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *file_of(const uint8_t *bytes, size_t length) {
    static char path[64];
    if (!*path) snprintf(path, sizeof path, "/dev/shm/jre-fuzz-%d.bin", (int)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length) abort();
    close(file);
    return path;
}

static void as_picture(Jre *jre, const uint8_t *bytes, size_t length) {
    Image image = {0};
    char why[256];
    if (image_decode(jre, bytes, length, &image, why)) image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    Jre *jre = jre_new();
    as_picture(jre, bytes, length);
    const char *path = file_of(bytes, length);
    Table table = {0};
    if (table_read(jre, path, NOWHERE, &table) && table.rows && table.columns.count) table_column(&table, "filename");
    Arena scratch = {.jre = jre};
    tree_parse(&scratch, (const char *)bytes, length);
    arena_free(&scratch);
    diag_print_all(jre, nowhere, length % 2, length % 3);
    jre_free(jre);
    return 0;
}
