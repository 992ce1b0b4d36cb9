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

static jmp_buf out_of_memory;
static inline void jump_out(Jre *jre) {
    (void)jre;
    longjmp(out_of_memory, 1);
}

#endif
