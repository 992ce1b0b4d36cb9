/* document.c: a libFuzzer target: any text as a document, through scanner, parser, resolution, plan, lowering and its passes, with facts
 * from memory. Built and run by fuzz.sh. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include "../fake_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *document(const uint8_t *bytes, size_t length) {
    static char path[64];
    if (!*path) snprintf(path, sizeof path, "/dev/shm/jre-fuzz-%d.jre", (int)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length) abort();
    close(file);
    return path;
}

static void compile_all(Jre *jre, const char *path) {
    FakeFiles files = {.jre = jre, .stats = "imagenet"};
    fake_resnet(&files, (int[]){2, 2, 2, 2}, false);
    fake_weight(&files, "conv2.weight", 4, (int64_t[]){8, 4, 3, 3});
    fake_weight(&files, "linear1.weight", 2, (int64_t[]){8, 512});
    fake_weight(&files, "w", 1, (int64_t[]){8});
    Facts facts = fake_facts(&files);
    Compilation c = {.jre = jre, .arena = {.jre = jre}};
    CompileRequest request = {.path = path};
    if (compile(&c, jre, &request, &facts, true) && c.plan) {
        Text text = {.jre = jre};
        plan_print(&c, &text);
        print_flat_program(&c, &text);
        text_free(&text);
    }
    compilation_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    Jre *jre = jre_new();
    compile_all(jre, document(bytes, length));
    diag_print_all(jre, nowhere, length % 2, length % 3);
    jre_free(jre);
    return 0;
}
