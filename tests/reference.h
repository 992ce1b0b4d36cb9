/* reference.h: JSON of reference values. */
#ifndef JRE_REFERENCE_H
#define JRE_REFERENCE_H

#include "test.h"

#include "../runtime/runtime.h"

#include <cjson/cJSON.h>

static inline cJSON *reference_json(const char *path) {
    Jre *jre = jre_new();
    char *bytes;
    size_t length;
    assert_true(file_read(jre, path, NOWHERE, &bytes, &length));
    cJSON *json = cJSON_ParseWithLength(bytes, length);
    jre_release(bytes);
    jre_free(jre);
    assert_non_null(json);
    return json;
}

#endif
