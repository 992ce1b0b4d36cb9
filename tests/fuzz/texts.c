/* texts.c: a libFuzzer target: any text as a tensor graph, read, verified, run through every pass and printed; and as what a store says of
 * a result, read and compared. Built and run by fuzz.sh. */
#include <stdlib.h>

#include "../../runtime/runtime.h"
#include "../fake_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void expect(Jre *jre, bool holds, const char *what) {
    if (holds) return;
    diag_print_all(jre, stderr, false, false);
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

/* ---- graphs ------------------------------------------------------------------------------------------------------------------------ */

static void print_and_read(Compilation *c, const Graph *g) {
    Text text = {.jre = c->jre};
    graph_print(g, &text, false);
    Graph *again = graph_read(c, source_from_text(c->jre, "printed", text.at, text.length));
    expect(c->jre, again && graph_verify(again, "read"), "a graph that is printed can be read");
    text_free(&text);
    graph_print(g, &text, true);
    text_free(&text);
}

static void as_graph(Jre *jre, const uint8_t *bytes, size_t length) {
    FakeFiles files = {.jre = jre};
    Compilation c = {.jre = jre, .arena = {.jre = jre}, .facts = fake_facts(&files)};
    c.rule_hits = arena_array(&c.arena, int64_t, rule_count);
    Graph *g = graph_read(&c, source_from_text(jre, "text", (const char *)bytes, length));
    if (!g) {
        expect(jre, diag_any_error(jre), "what is refused is told");
    } else {
        expect(jre, graph_verify(g, "read"), "what is read is sound");
        print_and_read(&c, g);
        Program *program = compile_graph(&c, g, 4);
        Text text = {.jre = jre};
        if (program) {
            print_and_read(&c, g);
            program_print(program, &text);
        }
        text_free(&text);
    }
    expect(jre, diag_exit_code(jre) != 70, "no finding is a bug of ours");
    compilation_free(&c);
}

/* ---- what results were made of ------------------------------------------------------------------------------------------------------ */

static const KeyTree *nothing_else(void *context, const char *hash) {
    (void)hash;
    return context;
}

static void as_tree(Jre *jre, const uint8_t *bytes, size_t length) {
    Arena arena = {.jre = jre};
    const KeyTree *tree = tree_parse(&arena, (const char *)bytes, length);
    const KeyTree *half = tree_parse(&arena, (const char *)bytes, length / 2);
    KeySource source = {.context = (void *)tree, .find = nothing_else};
    KeyDifferences differences = {0};
    if (tree) key_compare(jre, &arena, half ? half : tree, tree, &source, &differences);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    Jre *jre = jre_new();
    as_graph(jre, bytes, length);
    as_tree(jre, bytes, length);
    diag_print_all(jre, nowhere, length % 2, length % 3);
    jre_free(jre);
    return 0;
}
