/* parsing.h: what the tests of the room lang share: texts parsed, and the demand that nothing was found fault with. */
#ifndef JRE_TEST_PARSING_H
#define JRE_TEST_PARSING_H

#include "test.h"

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

static jmp_buf out_of_memory;
static inline void jump_out(Jre *jre) {
    (void)jre;
    longjmp(out_of_memory, 1);
}

#endif
