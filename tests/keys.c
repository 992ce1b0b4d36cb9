/* keys.c: what changes a key and what does not (LANGUAGE 5, "Caching"). */
#include "trial.h"

/* ---- trees ------------------------------------------------------------------------------------------------------------- */

typedef struct { Jre *jre; Compilation c; } Grove;

static void grove_open(Grove *grove) {
    memset(grove, 0, sizeof *grove);
    grove->jre = jre_new();
    grove->c.jre = grove->c.arena.jre = grove->jre;
}

static void grove_close(Grove *grove) {
    compilation_free(&grove->c);
    jre_free(grove->jre);
}

static KeyTree *tree(Grove *grove, const char *name, const char *leaf, const char *value, const KeyTree *part) {
    KeyTree *made = key_open(&grove->c, "%s", name);
    if (leaf) key_leaf(&grove->c, made, leaf, NOWHERE, "%s", value);
    if (part) key_part(&grove->c, made, part);
    key_close(&grove->c, made);
    return made;
}

static void a_key_is_of_its_content(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    const KeyTree *first = tree(&grove, "embed features", "view", "224", NULL);
    assert_int_equal(strlen(first->hash), 32);
    assert_string_equal(tree(&grove, "embed features", "view", "224", NULL)->hash, first->hash);
    assert_string_equal(tree(&grove, "embed eyes", "view", "224", NULL)->hash, first->hash);     /* a name is not content */
    assert_string_not_equal(tree(&grove, "train features", "view", "224", NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", "view", "192", NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", "views", "224", NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", NULL, NULL, NULL)->hash, first->hash);
    assert_string_not_equal(tree(&grove, "embed features", "view", "224", first)->hash, first->hash);
    grove_close(&grove);
}

static void a_part_counts_by_its_key(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    const KeyTree *one = tree(&grove, "embed a", "x", "1", NULL), *same = tree(&grove, "embed b", "x", "1", NULL), *other = tree(&grove, "embed a", "x", "2", NULL);
    const char *key = tree(&grove, "cosine", NULL, NULL, one)->hash;
    assert_string_equal(tree(&grove, "cosine", NULL, NULL, same)->hash, key);
    assert_string_not_equal(tree(&grove, "cosine", NULL, NULL, other)->hash, key);
    grove_close(&grove);
}

static void no_value_looks_like_the_end_of_another(void **state) {
    (void)state;
    Grove grove;
    grove_open(&grove);
    KeyTree *two = key_open(&grove.c, "split");
    key_leaf(&grove.c, two, "a", NOWHERE, "1");
    key_leaf(&grove.c, two, "b", NOWHERE, "2");
    const char *key = key_close(&grove.c, two);
    static const char *const forged[] = {"1\n1 1 b 2", "1\n1 1 b 2\n", "1\nb 2", "1 2"};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) assert_string_not_equal(tree(&grove, "split", "a", forged[i], NULL)->hash, key);
    KeyTree *turned = key_open(&grove.c, "split");
    key_leaf(&grove.c, turned, "b", NOWHERE, "2");
    key_leaf(&grove.c, turned, "a", NOWHERE, "1");
    assert_string_not_equal(key_close(&grove.c, turned), key);
    grove_close(&grove);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_of_its_content),
        cmocka_unit_test(a_part_counts_by_its_key),
        cmocka_unit_test(no_value_looks_like_the_end_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
