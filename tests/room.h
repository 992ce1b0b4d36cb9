/* room.h: a context and a folder of its own for each test: cmocka_unit_test_setup_teardown(test, enter, leave). */
#ifndef JRE_TESTS_ROOM_H
#define JRE_TESTS_ROOM_H

#include "test.h"

#include "../runtime/runtime.h"

typedef struct {
    Jre *jre;
    char folder[64], path[128];           /* path: a file in it, for tests that need one */
    Table table;                          /* for tests that read one */
} Room;

static inline int enter(void **state) {
    Room *room = calloc(1, sizeof *room);
    room->jre = jre_new();
    test_folder(room->folder);
    snprintf(room->path, sizeof room->path, "%s/numbers.file", room->folder);
    *state = room;
    return 0;
}

static inline int leave(void **state) {
    Room *room = *state;
    jre_free(room->jre);
    test_folder_gone(room->folder);
    free(room);
    return 0;
}

#endif
