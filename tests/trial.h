/* trial.h: a document compiled from a text, with facts from memory. Trials begin with trial_new and end with trial_free. */
#ifndef JRE_TRIAL_H
#define JRE_TRIAL_H

#include "fake_facts.h"
#include "test.h"

typedef struct {
    Jre *jre;
    FakeFiles files;
    Compilation c;
    CompileRequest request;
    char folder[64];
    NameList written;
    bool good;
} Trial;

static inline Trial *trial_new(void) {
    Trial *trial = calloc(1, sizeof *trial);
    assert_non_null(trial);
    trial->jre = jre_new();
    assert_non_null(trial->jre);
    trial->files.jre = trial->jre;
    test_folder(trial->folder);
    return trial;
}

static inline void trial_free(Trial *trial) {
    compilation_free(&trial->c);
    for (int i = 0; i < trial->written.count; i++) unlink(trial->written.at[i]);
    rmdir(trial->folder);
    jre_free(trial->jre);
    free(trial);
}

/* A file beside the document; its path. */
static inline const char *trial_file(Trial *trial, const char *name, const char *text) {
    const char *path = arena_print(&trial->jre->forever, "%s/%s", trial->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
    list_add(&trial->jre->forever, &trial->written, path);
    return path;
}

static inline void trial_set(Trial *trial, const char *set) { list_add(&trial->jre->forever, &trial->request.set, set); }
static inline void trial_with(Trial *trial, const char *path) { list_add(&trial->jre->forever, &trial->request.with, path); }

/* Compiles a whole document; true if it is sound. */
static inline bool trial_document(Trial *trial, const char *name, const char *document) {
    trial->request.path = trial_file(trial, name, document);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    Facts facts = fake_facts(&trial->files);
    return trial->good = compile(&trial->c, trial->jre, &trial->request, &facts, true);
}

/* The same for the text of one chunk. */
static inline bool trial_chunk(Trial *trial, const char *chunk) {
    return trial_document(trial, "v01.jre", arena_print(&trial->jre->forever, "# Trial\n\n```jre\n%s\n```\n", chunk));
}

/* What must be sound says why it is not. */
static inline void trial_sound(Trial *trial, const char *chunk) {
    if (trial_chunk(trial, chunk)) return;
    char *text = test_messages(trial->jre);
    fprintf(stderr, "%s\n%s\n", chunk, text);
    free(text);
    fail();
}

/* Refused, and the message holds the words. */
static inline void trial_refused(const char *chunk, const char *code, const char *words) {
    Trial *trial = trial_new();
    if (trial_chunk(trial, chunk)) fail_msg("nothing was found wrong with:\n%s", chunk);
    assert_int_equal(diag_count(trial->jre, SEVERITY_ERROR), 1);
    test_message_says(trial->jre, code, words, NULL);
    trial_free(trial);
}

/* The program of an embed that looks through `view` and computes `network` (a pipe from x). */
static inline const Program *trial_network(Trial *trial, const char *modules, int side, const char *network) {
    trial_sound(trial, arena_print(&trial->jre->forever,
                                   "%s\naugment seen(x: Image) -> Image { x |> fit(%dpx) }\nnetwork Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n%s\n}\n"
                                   "embed features { network Eye(weights = \"some.safetensors\")\n view seen }\n",
                                   modules, side, network));
    assert_int_equal(trial->c.plan->embeds.count, 1);
    return trial->c.plan->embeds.at[0]->program;
}

static inline int steps_of(const Program *program, Op op) {
    int count = 0;
    for (int i = 0; i < program->step_count; i++) count += program->steps[i].node->op == op;
    return count;
}

#endif
