/* parsing.h: what the tests of the room lang share: texts parsed, and the demand that nothing was found fault with. */
#ifndef JRE_TEST_PARSING_H
#define JRE_TEST_PARSING_H

#include "test.h"

#include <dirent.h>

static inline Document *parsed(Jre *jre, const char *name, const char *text) {
    return parse_document(jre, source_from_text(jre, name, text, strlen(text)));
}

static inline Chunk *chunk_of(Jre *jre, const char *text) {
    return parse_chunk(jre, source_from_text(jre, "input 1", text, strlen(text)));
}

static inline void expect_no_message(Jre *jre, const char *what) {
    if (jre->diagnostics.count) {
        char *messages = test_messages(jre);
        fail_msg("%s should have no message, but:\n%s", what, messages);
    }
}

/* Every document printed in LANGUAGE.md, in order. Calls `visit` with name, text and length. */
typedef void Visit(const char *name, const char *text, size_t length);

static inline int each_printed_document(Visit *visit) {
    char path[1024];
    if (!test_data("LANGUAGE.md", path))
        return 0;
    Jre *jre = jre_new();
    Source *manual = source_read(jre, path, NOWHERE);
    assert_non_null(manual);
    static const char opening[] = "\n````markdown\n", closing[] = "\n````\n";
    int count = 0;
    for (const char *at = manual->bytes; (at = strstr(at, opening));) {
        at += strlen(opening);
        const char *end = strstr(at, closing);
        assert_non_null(end);
        char name[32];
        snprintf(name, sizeof name, "document %d", ++count);
        visit(name, at, (size_t)(end + 1 - at));
        at = end;
    }
    jre_free(jre);
    return count;
}

/* The same for every document of a folder. */
static inline void each_document_of(const char *folder, Visit *visit) {
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".jre") != 0)
            continue;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        Jre *jre = jre_new();
        Source *source = source_read(jre, path, NOWHERE);
        assert_non_null(source);
        visit(path, source->bytes, source->length);
        jre_free(jre);
    }
    closedir(listing);
}

static const char small_document[] =
    "# A title\n\nProse.\n\n```jre\nuse heads\n\nwidth = 512\nmargin = each [0.2rad, 0.3rad]\n\n"
    "train student {\n  network Projector(d = width)\n  loss ArcFace(margin = margin)\n  data folds.train\n  view gentle\n  epochs 40\n}\n"
    "train patient like student { epochs 80 }\n```\n\nMore `= cv.map`.\n\n```jre folded\n"
    "loss Cosine(e: Embedding[N, d], who: Identity[N, K],    # typed\n            margin: Real = 0.35, scale: Real = 30) -> Scalar\n"
    "  where margin > 0 {\n  learn W: Tensor[K, d] ~ normal(0, 0.01)\n  t = unit(e) @ unit(W)'\n"
    "  D[i, j] = sqrt(sum over k of (e[i, k] - e[j, k]) ^ 2)\n  CrossEntropy(scale * (t - margin * onehot(who)), who)\n}\n\n"
    "change learner { epochs 60 }\nchange head = Cosine()\nremove lookalikes\nprobe cv\n"
    "expect cv.map >= 60% because \"the paper reports 58%\"\naccept mirrored_flank for gentle because \"whiskers\"\n```\n";

static inline char *repeated(const char *first, const char *part, int times, const char *last) {
    size_t length = strlen(part);
    char *text = malloc(strlen(first) + length * (size_t)times + strlen(last) + 1), *at = text + strlen(first);
    strcpy(text, first);
    for (int i = 0; i < times; i++, at += length)
        memcpy(at, part, length);
    strcpy(at, last);
    return text;
}

static jmp_buf out_of_memory;
static inline void jump_out(Jre *jre) {
    (void)jre;
    longjmp(out_of_memory, 1);
}

#endif
