/* manual.c: everything that can be written, and everything that can be said of it, has its place in the manual; and what a place looks like. */
#include "room.h"

#include "../compiler/cli/cli.h"

/* What is missing, a line each: one failure tells all of it. */
typedef struct { Room *room; const Manual *manual; Text missing; } Search;

static Search search_of(void **state) {
    Room *room = *state;
    return (Search){room, manual_read(room->jre), {.jre = room->jre}};
}

static void end_search(Search *search) {
    if (search->missing.length) fail_msg("no place in examples/manual:\n%s", search->missing.at);
    text_free(&search->missing);
}

static const Block *demand(Search *search, const char *section, const char *name, const char *what) {
    int place = manual_place(search->manual, section, name, 0);
    if (place >= 0) return &search->manual->blocks.at[place];
    text_add(&search->missing, "  %s `%s%s%s`\n", what, section ? section : "", section ? "." : "", name);
    return NULL;
}

static void demand_words(Search *search, const Block *block, const char *words, const char *of) {
    if (!block || !*words || strstr(arena_copy(&search->room->jre->forever, block->begin, (size_t)(block->end - block->begin)), words)) return;
    text_add(&search->missing, "  the words `%s` where `%s` is told\n", words, of);
}

/* These come from the machine, from files, from numbers on their way, or from a look at every mask, which a chunk is too small for; every
 * other one is shown by a chunk that is refused with it. */
static const char *const by_no_chunk[] = {"no_program", "unclosed_chunk", "file_unreadable", "cannot_write", "not_a_number", "out_of_memory", "no_memory",
                                          "lonely_queries", "not_yet", "comes_later", "wrong_graph", "many_findings", "wrong_mask", "bug"};

static void every_message_is_shown(void **state) {
    Search search = search_of(state);
    for (int i = 0; i < DIAG_COUNT; i++) {
        bool shown = manual_refusal(search.manual, diag_rows[i].name) != NULL;
        for (size_t k = 0; k < sizeof by_no_chunk / sizeof *by_no_chunk; k++) shown = shown || !strcmp(by_no_chunk[k], diag_rows[i].name);
        demand(&search, NULL, diag_rows[i].name, "the message");
        if (!shown) text_add(&search.missing, "  a chunk `wrong %s`\n", diag_rows[i].name);
    }
    end_search(&search);
}

static void every_kind_has_a_section_and_every_key_its_place_there(void **state) {
    Search search = search_of(state);
    for (int kind = 0; kind < KIND_COUNT; kind++) demand(&search, NULL, kind_name((RecordKind)kind), "the kind");
    for (int kind = 0; kind < 4; kind++) demand(&search, NULL, formula_name((FormulaKind)kind), "the kind");
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        const Block *block = demand(&search, kind_name(key->kind), key->name, "the key");
        demand_words(&search, block, strcmp(key->fallback, "[]") ? key->fallback : "", key->name);
        demand_words(&search, block, key->needed ? "needed" : "", key->name);
    }
    end_search(&search);
}

static void every_word_has_a_place(void **state) {
    Search search = search_of(state);
    for (int i = 0; i < word_row_count; i++) demand(&search, NULL, word_rows[i].word, "the word");
    for (int i = 0; i < place_row_count; i++) demand(&search, NULL, place_rows[i].type, "the type");
    for (int op = BINARY_or; op <= BINARY_pow; op++) demand(&search, NULL, binary_text((BinaryOperator)op), "the sign");
    end_search(&search);
}

/* "(identities: Int, images: Int)": each of these names. */
static void demand_parameters(Search *search, const Block *block, const PlaceWord *word) {
    for (const char *at = word->parameters; *at; at++) {
        const char *colon = strchr(at, ':');
        if (!colon) return;
        while (strchr("(, ", *at)) at++;
        demand_words(search, block, arena_copy(&search->room->jre->forever, at, (size_t)(colon - at)), word->word);
        int depth = 0;
        for (at = colon; at[1] && (depth || *at != ','); at++) depth += (*at == '(') - (*at == ')');
    }
}

/* The first kind with a setting that takes it; a list takes what its elements are. */
static const char *kind_with(const PlaceWord *word) {
    size_t length = strlen(word->type);
    for (int i = 0; i < schema_key_count; i++)
        if (!strncmp(schema_keys[i].type, word->type, length) && (!schema_keys[i].type[length] || !strcmp(schema_keys[i].type + length, "s"))) return kind_name(schema_keys[i].kind);
    fail_msg("no setting takes a %s", word->type);
    return NULL;
}

static void every_word_with_arguments_has_a_place_where_it_is_taken(void **state) {
    Search search = search_of(state);
    for (int i = 0; i < place_word_count; i++)
        demand_parameters(&search, demand(&search, kind_with(&place_words[i]), place_words[i].word, "the word"), &place_words[i]);
    end_search(&search);
}

/* "best.ap" is told at `best`. */
static void every_number_of_a_result_has_a_place(void **state) {
    Search search = search_of(state);
    for (int i = 0; metric_names[i]; i++)
        demand(&search, kind_name(KIND_evaluate), intern_length(search.room->jre, metric_names[i], strcspn(metric_names[i], ".")), "the number");
    end_search(&search);
}

static void everything_in_the_library_has_a_place(void **state) {
    Search search = search_of(state);
    int count;
    Document *const *library = library_documents(search.room->jre, &count);
    assert_true(count > 5);
    for (int i = 0; i < count; i++) {
        demand(&search, NULL, library[i]->source->stem, "the module");
        for (int k = 0; k < library[i]->chunks.count; k++) {
            const Chunk *chunk = library[i]->chunks.at[k];
            for (int j = 0; j < chunk->statements.count && chunk->kind == CHUNK_PROGRAM; j++) {
                const Statement *s = chunk->statements.at[j];
                if (s->kind == STATEMENT_FORMULA || s->kind == STATEMENT_EQUATION) demand(&search, NULL, s->name, "of the library");
            }
        }
    }
    end_search(&search);
}

static void every_operator_of_graphs_has_a_place(void **state) {
    Search search = search_of(state);
    for (int op = 0; op < OP_COUNT; op++) demand(&search, "--dump", op_row((Op)op)->name, "the operator");
    end_search(&search);
}

static void the_whole_command_line_has_a_place(void **state) {
    Search search = search_of(state);
    NameList options = {0};
    option_names(&search.room->jre->forever, &options);
    for (int i = 0; i < command_count; i++) demand(&search, NULL, commands[i].name, "the subcommand");
    for (int i = 0; i < options.count; i++) demand(&search, NULL, options.at[i], "the option");
    end_search(&search);
}

/* ---- what a place is ------------------------------------------------------------------------------------------------------ */

/* A library of one manual, in the folder of the test. */
static const Manual *manual_of(Room *room, const char *text) {
    Jre *jre = room->jre;
    jre->stdlib = arena_print(&jre->forever, "%s/library", room->folder);
    mkdir(jre->stdlib, 0700);
    const char *folder = arena_print(&jre->forever, "%s/manual", room->folder);
    mkdir(folder, 0700);
    FILE *file = fopen(arena_print(&jre->forever, "%s/1_one.jre", folder), "w");
    fputs(text, file);
    fclose(file);
    return manual_read(jre);
}

static void demand_text(const Manual *manual, const char *section, const char *name, const char *text) {
    int place = manual_place(manual, section, name, 0);
    assert_true(place >= 0);
    const Block *block = &manual->blocks.at[place];
    assert_int_equal(block->end - block->begin, strlen(text));
    assert_memory_equal(block->begin, text, strlen(text));
}

static void a_block_that_begins_with_a_name_is_its_place(void **state) {
    const Manual *manual = manual_of(*state, "# One\n\nOf `a` nothing is told here.\n\n## `a` and `b`: two\n\n`c(x, y)`, `d`,\n`e`: more\nlines.\n\n- `f`\n  goes on\n- `g`\n"
                                             "\n| name | |\n|---|---|\n| `h`, `==` | a row |\n\n```jre wrong unknown_name\n`i` is code\n```\n");
    demand_text(manual, NULL, "a", "`a` and `b`: two");
    demand_text(manual, NULL, "b", "`a` and `b`: two");
    demand_text(manual, NULL, "c", "`c(x, y)`, `d`,\n`e`: more\nlines.");
    demand_text(manual, NULL, "e", "`c(x, y)`, `d`,\n`e`: more\nlines.");
    demand_text(manual, NULL, "f", "`f`\n  goes on");
    demand_text(manual, NULL, "g", "`g`");
    demand_text(manual, NULL, "==", "`h`, `==` | a row |");
    assert_int_equal(manual_place(manual, NULL, "i", 0), -1);
    assert_int_equal(manual_place(manual, NULL, "name", 0), -1);
    assert_non_null(manual_refusal(manual, "unknown_name"));
    assert_null(manual_refusal(manual, "unknown_nam"));
}

static void a_key_has_its_place_in_the_section_of_its_kind(void **state) {
    const Manual *manual = manual_of(*state, "## `one`\n\n`seed`: of one\n\n### `inner`\n\n`more`: within\n\n## `two`\n\n`seed`: of two\n\n```text\ncode\n```\n\nThe end.\n");
    demand_text(manual, "one", "seed", "`seed`: of one");
    demand_text(manual, "one", "more", "`more`: within");
    demand_text(manual, "two", "seed", "`seed`: of two");
    assert_int_equal(manual_place(manual, "two", "more", 0), -1);
    int place = manual_place(manual, "two", "seed", 0), section = manual_place(manual, NULL, "one", 0);
    assert_int_equal(manual_place_end(manual, place), place + 2);
    assert_int_equal(manual_place_end(manual, section), manual_place(manual, NULL, "two", 0));
}

static void without_a_manual_there_are_no_blocks(void **state) {
    Room *room = *state;
    room->jre->stdlib = room->folder;
    assert_int_equal(manual_read(room->jre)->blocks.count, 0);
    assert_int_equal(room->jre->diagnostics.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_message_is_shown, enter, leave),
        cmocka_unit_test_setup_teardown(every_kind_has_a_section_and_every_key_its_place_there, enter, leave),
        cmocka_unit_test_setup_teardown(every_word_has_a_place, enter, leave),
        cmocka_unit_test_setup_teardown(every_word_with_arguments_has_a_place_where_it_is_taken, enter, leave),
        cmocka_unit_test_setup_teardown(every_number_of_a_result_has_a_place, enter, leave),
        cmocka_unit_test_setup_teardown(everything_in_the_library_has_a_place, enter, leave),
        cmocka_unit_test_setup_teardown(every_operator_of_graphs_has_a_place, enter, leave),
        cmocka_unit_test_setup_teardown(the_whole_command_line_has_a_place, enter, leave),
        cmocka_unit_test_setup_teardown(a_block_that_begins_with_a_name_is_its_place, enter, leave),
        cmocka_unit_test_setup_teardown(a_key_has_its_place_in_the_section_of_its_kind, enter, leave),
        cmocka_unit_test_setup_teardown(without_a_manual_there_are_no_blocks, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
