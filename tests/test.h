/* test.h: what several test programs share. Tests start in the project's root. */
#ifndef JRE_TEST_H
#define JRE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lang/lang.h"

/* A path inside the shared data (JRE_TEST_DATA, else ../shared). NULL when it is not there: the test skips itself. */
static inline const char *test_data(const char *path, char buffer[1024]) {
    const char *root = getenv("JRE_TEST_DATA");
    struct stat facts;
    snprintf(buffer, 1024, "%s/%s", root && *root ? root : "../shared", path);
    return stat(buffer, &facts) == 0 ? buffer : NULL;
}

/* A new folder that lives until test_folder_gone; in memory where the system offers that, as file_write waits for disks. */
static inline char *test_folder(char buffer[64]) {
    snprintf(buffer, 64, "%s/jre-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(buffer));
    return buffer;
}

static inline void test_folder_gone(const char *folder) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* Every filed message as one text (free it); the messages are forgotten. */
static inline char *test_messages(Jre *jre) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    diag_print_all(jre, out, false, false);
    fclose(out);
    return text;
}

/* Does a message hold these words, where a blank may be a place at which its line was broken? */
static inline bool test_says(const char *text, const char *words) {
    for (; *text; text++) {
        const char *at = text, *word = words;
        for (; *word && *at; word++) {
            bool broken = *word == ' ' && *at == '\n';
            if (broken) at += strspn(at, "\n ");
            if (broken && *at == '|') at += 1 + strspn(at + 1, " ");
            if (!broken && *at++ != *word) break;
        }
        if (!*word) return true;
    }
    return false;
}

/* There is a message, and it holds each of the words up to NULL. */
static inline void test_message_says(Jre *jre, ...) {
    char *text = test_messages(jre);
    va_list words;
    va_start(words, jre);
    for (const char *word; (word = va_arg(words, const char *)) != NULL;)
        if (!test_says(text, word))
            fail_msg("the message does not say `%s`:\n%s", word, text);
    va_end(words);
    free(text);
}

#endif
