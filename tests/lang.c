/* lang.c: tests of what carries the room lang: memory, sources, messages, schema tables and modules. */
#include "parsing.h"

/* ---- base.c ------------------------------------------------------------------------------------------------------------- */

static void arenas_give_zeroed_aligned_memory(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Arena arena = { .jre = jre };
    for (size_t bytes = 0; bytes < 20000; bytes += 37) {
        unsigned char *memory = arena_new_bytes(&arena, bytes);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xFF, bytes);
    }
    assert_string_equal(arena_print(&arena, "%d apples", 3), "3 apples");
    assert_string_equal(arena_copy(&arena, "apple pie", 5), "apple");
    arena_free(&arena);
    arena_free(&arena);
    jre_free(jre);
}

static void equal_names_are_one_pointer_and_lists_grow(void **state) {
    (void)state;
    Jre *jre = jre_new();
    LIST(const char *) names = { 0 };
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof name, "name%d", i);
        list_add(&jre->forever, &names, intern(jre, name));
    }
    assert_int_equal(names.count, 1000);
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof name, "name%d, and more", i);
        assert_ptr_equal(names.at[i], intern_length(jre, name, strcspn(name, ",")));
    }
    jre_free(jre);
}

static void maps_replace_and_keep_their_order(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Map map = { 0 };
    int values[200];
    assert_null(map_get(&map, "a"));
    for (int i = 0; i < 200; i++)
        map_set(&map, &jre->forever, intern(jre, arena_print(&jre->forever, "key%d", i % 100)), &values[i]);
    assert_int_equal(map.count, 100);
    for (int i = 0; i < 100; i++) {
        assert_string_equal(map.entries[i].key, arena_print(&jre->forever, "key%d", i));
        assert_ptr_equal(map_get(&map, map.entries[i].key), &values[i + 100]);
    }
    jre_free(jre);
}

static void a_near_name_is_found_and_a_far_one_is_not(void **state) {
    (void)state;
    static const char *const keys[] = { "network", "loss", "data", "optimizer", "epochs", "seed" };
    assert_string_equal(nearest_name("optimiser", keys, 6), "optimizer");
    assert_string_equal(nearest_name("netwrok", keys, 6), "network");
    assert_string_equal(nearest_name("sed", keys, 6), "seed");
    assert_string_equal(nearest_name("DATA", keys, 6), "data");
    assert_null(nearest_name("brightness", keys, 6));
    assert_null(nearest_name("xy", keys, 6));
    assert_null(nearest_name("", keys, 6));
}

/* An edit may be called safe only where one name alone can be meant. */
static void a_name_is_sure_where_one_alone_is_a_slip_of_the_pen_away(void **state) {
    (void)state;
    static const char *const names[] = { "rank1", "rank5", "rank10", "start", "stop", "step", "optimizer", "asymmetric", "symmetric", "rank1" };
    static const struct { const char *text, *nearest; int count; bool sure; } cases[] = {
        { "optimiser", "optimizer", 1, true }, { "OPTIMIZER", "optimizer", 1, true }, { "asymetric", "asymmetric", 1, true },
        { "rank_1", "rank1", 1, true }, { "rank2", "rank1", 3, false }, { "rank", "rank1", 3, false }, { "rnak1", "rank1", 1, true },
        { "stap", "stop", 2, false }, { "shart", "start", 1, false }, { "optimisers", "optimizer", 1, false },
        { "hsymmetric", "asymmetric", 2, false }, { "brightness", NULL, 0, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        NearNames near = near_names(cases[i].text, names, 10);
        if (near.count != cases[i].count || near.sure != cases[i].sure || (near.count && strcmp(near.at[0], cases[i].nearest) != 0))
            fail_msg("%s: %d near, the first %s, %s", cases[i].text, near.count, near.count ? near.at[0] : "none", near.sure ? "sure" : "not sure");
    }
}

static void every_failing_allocation_reaches_the_handler(void **state) {
    (void)state;
    for (volatile long nth = 1; nth < 60; nth++) {
        Jre *jre = jre_new();
        jre->on_exhaustion = jump_out;
        jre->fail_allocation_after = nth;
        if (setjmp(out_of_memory) == 0) {
            void *memory = jre_allocate(jre, 10);
            jre_release(memory);
            memory = jre_allocate_aligned(jre, 100, 64);
            assert_int_equal((uintptr_t)memory % 64, 0);
            jre_release(memory);
            for (int i = 0; i < 10; i++)
                arena_new_bytes(&jre->forever, 100000);
        }
        jre_free(jre);
    }
    Jre *jre = jre_new();
    jre->on_exhaustion = jump_out;
    if (setjmp(out_of_memory) == 0) {
        jre_allocate(jre, (size_t)-5);
        fail_msg("a size nobody has was given");
    }
    jre_free(jre);
}

typedef struct { int ended[4], count; } Endings;
typedef struct { Endings *endings; int name; } Thing;

static void end_thing(void *context) {
    Thing *thing = context;
    thing->endings->ended[thing->endings->count++] = thing->name;
}

static void what_was_under_way_when_memory_ran_out_is_given_back(void **state) {
    (void)state;
    Endings endings = { .count = 0 };
    Thing things[] = { { &endings, 1 }, { &endings, 2 }, { &endings, 3 }, { &endings, 4 } };
    Jre *jre = jre_new(), *volatile aside = NULL;
    jre->on_exhaustion = jump_out;
    if (setjmp(out_of_memory) == 0) {
        jre_own(jre, &things[0], end_thing);
        jre_own(jre, &things[1], end_thing);
        aside = jre_aside(jre);                                     /* its memory is that of the context it stands beside */
        Text text = { .jre = aside };
        text_add(&text, "a text that nobody frees");
        jre_own(aside, &things[2], end_thing);
        jre_disown(jre, &things[1]);
        jre->fail_allocation_after = 1;
        jre_own(aside, &things[3], end_thing);                      /* no memory to note it: it ends at once */
        fail_msg("nothing failed");
    }
    assert_int_equal(jre->exhausted_by > 0, 1);
    jre_free(jre);
    assert_int_equal(endings.count, 3);
    assert_int_equal(endings.ended[0], 4);
    assert_int_equal(endings.ended[1], 3);                          /* the youngest first */
    assert_int_equal(endings.ended[2], 1);
}

static void memory_outlives_its_context_where_it_was_handed_out(void **state) {
    (void)state;
    Jre *jre = jre_new(), *aside = jre_aside(jre);
    char *first = jre_allocate(aside, 10), *second = jre_allocate(jre, 10);
    jre_free(aside);
    jre_free(jre);
    second = jre_grow(NULL, second, 100000);
    memset(second, 1, 100000);
    jre_release(first);
    jre_release(second);
}

/* ---- source.c ------------------------------------------------------------------------------------------------------------- */

static void places_count_characters_and_lines(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Source *first = source_from_text(jre, "dir/a.b.jre", "x\n\xC3\xA9\ty\n", 7), *second = source_from_text(jre, "input 2", "z", 1);
    assert_string_equal(first->stem, "a.b");
    Place place = place_of(jre, first->base + 5);
    assert_ptr_equal(place.source, first);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 3);
    assert_int_equal(place_of(jre, first->base + 7).line, 3);
    assert_ptr_equal(source_of(jre, (Span){ second->base + 1, second->base + 1 }), second);
    assert_null(source_of(jre, NOWHERE));
    assert_null(place_of(jre, 4000000000u).source);
    assert_string_equal(span_text(jre, (Span){ first->base + 2, first->base + 4 }), "\xC3\xA9");
    assert_string_equal(span_text(jre, NOWHERE), "");
    jre_free(jre);
}

static void files_that_cannot_be_read_are_told_of(void **state) {
    (void)state;
    char folder[64];
    Jre *jre = jre_new();
    test_folder(folder);
    const char *path = arena_print(&jre->forever, "%s/v01.jre", folder);
    FILE *file = fopen(path, "w");
    fputs("# Title\n", file);
    fclose(file);
    assert_null(source_read(jre, folder, NOWHERE));
    test_message_says(jre, "file_unreadable", "is a folder", NULL);
    assert_null(source_read(jre, arena_print(&jre->forever, "%s/v10.jre", folder), NOWHERE));
    test_message_says(jre, "file_missing", "v10.jre", "did you mean `v01.jre`?", NULL);
    jre->fail_read_after = 1;
    assert_null(source_read(jre, path, NOWHERE));
    test_message_says(jre, "file_unreadable", NULL);
    Source *source = source_read(jre, path, NOWHERE);
    assert_non_null(source);
    assert_string_equal(source->stem, "v01");
    assert_string_equal(source->folder, folder);
    test_folder_gone(folder);
    jre_free(jre);
}

/* ---- diag.c ---------------------------------------------------------------------------------------------------------------- */

static void a_message_shows_its_places_facts_and_edits(void **state) {
    (void)state;
    Jre *jre = jre_new();
    const char text[] = "split folds {\n  data jaguars\n  folds 5\n\tidentities shared\n}\n";
    Source *source = source_from_text(jre, "v01.jre", text, strlen(text));
    uint32_t base = source->base, shared = base + (uint32_t)(strstr(text, "identities") - text);
    Diagnostic *d = diag(jre, DIAG_leaking_burst, (Span){ base, base + 11 }, "two frames of one burst fall on both sides");
    diag_also(d, (Span){ shared, shared + 17 }, "the same jaguars on both sides");
    diag_fact(d, "I found 212 pairs. The closest:\n    a.png\n    b.png");
    diag_note(d, "a burst is nearly one picture.");
    diag_help(d, "keep each burst on one side");
    diag_edit(d, (Span){ shared + 18, shared + 18 }, true, "  together   burst\n");
    diag_help(d, "or fewer folds");
    diag_edit(d, (Span){ base + 37, base + 38 }, false, "2");
    diag(jre, DIAG_leaking_burst, (Span){ base, base + 11 }, "said twice");
    diag(jre, DIAG_comes_later, NOWHERE, "figures come later");
    assert_int_equal(diag_count(jre, SEVERITY_ERROR), 1);
    assert_int_equal(diag_exit_code(jre), 1);
    char *messages = test_messages(jre);
    assert_string_equal(messages,
        "error: leaking_burst\n"
        "  v01.jre:1:1\n"
        "   |\n"
        " 1 | split folds {\n"
        "   | ^^^^^^^^^^^ two frames of one burst fall on both sides\n"
        "   :\n"
        " 4 |  identities shared\n"
        "   |  ----------------- the same jaguars on both sides\n"
        "   |\n"
        "   = I found 212 pairs. The closest:\n"
        "           a.png\n"
        "           b.png\n"
        "   = note: a burst is nearly one picture.\n"
        "help: keep each burst on one side  (safe)\n"
        "   +   together   burst\n"
        "help: or fewer folds\n"
        "   |   folds 2\n"
        "\n"
        "note: comes_later\n"
        "  figures come later\n");
    free(messages);
    assert_int_equal(diag_count(jre, SEVERITY_NOTE), 0);
    jre_free(jre);
}

static void places_far_apart_have_frames_of_their_own(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Source *one = source_from_text(jre, "v05.jre", "\n  flip()\n", 10), *two = source_from_text(jre, "v01.jre", "pattern asymmetric", 18);
    Diagnostic *d = diag(jre, DIAG_wrong_type, (Span){ one->base + 3, one->base + 9 }, "the mirrored picture keeps its name");
    diag_also(d, (Span){ two->base, two->base + 18 }, "but the sides differ");
    diag_help(d, "take it out");
    char *messages = test_messages(jre);
    assert_string_equal(messages,
        "error: wrong_type\n"
        "  v05.jre:2:3\n"
        "   |\n"
        " 2 |   flip()\n"
        "   |   ^^^^^^ the mirrored picture keeps its name\n"
        "  v01.jre:1:1\n"
        "   |\n"
        " 1 | pattern asymmetric\n"
        "   | ------------------ but the sides differ\n"
        "   |\n"
        "help: take it out\n");
    free(messages);
    jre_free(jre);
}

static char *printed(Jre *jre, bool colors) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    diag_print_all(jre, out, false, colors);
    fclose(out);
    return text;
}

static void file_wide_message(Jre *jre, const Source *source) {
    Span call = { source->base + 60, source->base + 67 };
    Diagnostic *d = diag(jre, DIAG_wrong_type, (Span){ source->base, source->base + 8 }, "what is said here is longer than what is left of the line, and goes on below");
    diag_also(d, call, "no room for much beside this");
    diag_also(d, (Span){ source->base + 9, source->base + 24 }, "a word of code like `jre check pipelines/v01.jre --no-data` stays whole");
    diag_fact(d, "I found these pictures, one of them in training and the other held out;\nthey are nearly one. The closest:\n    train_0005.png   held out in fold 1   Pocone\n"
                 "    train_1450.png   training in fold 1   Pocone   as alike as no two pictures ever were\nand 12 more");
    diag_note(d, "Tensor[64, 2048, 7, 7] has a grid of positions, and nobody asks where it is, Tensor[64, 2048, 7, 7] or elsewhere");
    diag_help(d, "an edit that is safe is called so, also where the words just fill the line ..");
    diag_edit(d, call, true, "mirror");
}

/* Nothing but what is quoted is wider than 80 columns, and colors change no line. */
static void words_wrap_at_80_columns(void **state) {
    (void)state;
    Jre *jre = jre_new();
    const char line[] = "features = picture |> fit(32px, fill = gray) |> rotate() |> flipped() |> normalize(imagenet) |> twice\n";
    Source *source = source_from_text(jre, "v01.jre", line, strlen(line));
    file_wide_message(jre, source);
    char *plain = printed(jre, false), *to = NULL;
    assert_string_equal(plain,
        "error: wrong_type\n"
        "  v01.jre:1:1\n"
        "   |\n"
        " 1 | features = picture |> fit(32px, fill = gray) |> rotate() |> flipped() |> normalize(imagenet) |> twice\n"
        "   | ^^^^^^^^ what is said here is longer than what\n"
        "   |          is left of the line, and goes on below\n"
        "   |                                                             -------\n"
        "   |                                                no room for much beside this\n"
        "   |          --------------- a word of code like\n"
        "   |                          `jre check pipelines/v01.jre --no-data`\n"
        "   |                          stays whole\n"
        "   |\n"
        "   = I found these pictures, one of them in training and the other held out;\n"
        "       they are nearly one. The closest:\n"
        "           train_0005.png   held out in fold 1   Pocone\n"
        "           train_1450.png   training in fold 1   Pocone   as alike as no two\n"
        "               pictures ever were\n"
        "       and 12 more\n"
        "   = note: Tensor[64, 2048, 7, 7] has a grid of positions, and nobody asks where\n"
        "       it is, Tensor[64, 2048, 7, 7] or elsewhere\n"
        "help: an edit that is safe is called so, also where the words just fill the line\n"
        "      ..  (safe)\n"
        "   | features = picture |> fit(32px, fill = gray) |> rotate() |> mirror() |> normalize(imagenet) |> twice\n");
    file_wide_message(jre, source);
    char *colored = to = printed(jre, true);
    for (const char *at = colored; *at; at++) {
        if (*at == '\033') at = strchr(at, 'm');
        else *to++ = *at;
    }
    *to = 0;
    assert_string_equal(colored, plain);
    free(plain);
    free(colored);
    jre_free(jre);
}

static void messages_are_json_if_asked_and_never_move_the_cursor(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Source *source = source_from_text(jre, "a.jre", "x \033[2J\xFFy\n", 9);
    Diagnostic *d = diag(jre, DIAG_unknown_name, (Span){ source->base, source->base + 1 }, "a \"name\" \033[2J\xFF");
    diag_help(d, "write y");
    diag_edit(d, (Span){ source->base, source->base + 1 }, true, "y");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    diag_print_all(jre, out, true, false);
    fclose(out);
    assert_string_equal(text,
        "[{\"name\": \"unknown_name\", \"severity\": \"error\", \"file\": \"a.jre\", \"line\": 1, \"column\": 1, \"end_line\": 1, "
        "\"end_column\": 2, \"message\": \"a \\\"name\\\" \\u001b[2J\xEF\xBF\xBD\", \"also\": [], \"facts\": [], \"notes\": [], "
        "\"help\": [{\"text\": \"write y\", \"edit\": {\"start\": 0, \"end\": 1, \"text\": \"y\", \"file\": \"a.jre\", \"line\": 1, \"column\": 1, \"end_line\": 1, "
        "\"end_column\": 2}, \"safe\": true}]}]\n");
    free(text);
    diag(jre, DIAG_unknown_name, (Span){ source->base, source->base + 1 }, "%s", "\033[2J");
    text = test_messages(jre);
    assert_null(strchr(text, '\033'));
    free(text);
    jre_free(jre);
}

/* ---- schema.c ----------------------------------------------------------------------------------------------------------------- */

static void every_key_has_a_sentence_and_an_example_that_parses(void **state) {
    (void)state;
    Jre *jre = jre_new();
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        assert_true(*key->sentence);
        assert_ptr_equal(schema_find(key->kind, key->name), key);
        if (!*schema_example(key))
            continue;
        const char *text = arena_print(&jre->forever, "%s x {\n  %s %s\n}", kind_name(key->kind), key->name, schema_example(key));
        Chunk *chunk = chunk_of(jre, text);
        expect_no_message(jre, text);
        assert_int_equal(chunk->statements.at[0]->settings.count, 1);
    }
    assert_int_equal(kind_find("submit"), KIND_submit);
    assert_int_equal(kind_find("loss"), KIND_NONE);
    assert_null(schema_find(KIND_train, "optimiser"));
    assert_string_equal(unit_text(UNIT_KiB), "KiB");
    assert_string_equal(binary_text(BINARY_pow), "^");
    jre_free(jre);
}

/* ---- module.c ------------------------------------------------------------------------------------------------------------------------ */

static const char *written(Jre *jre, const char *folder, const char *name, const char *program) {
    const char *path = arena_print(&jre->forever, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "# A document\n\n```jre\n%s```\n", program);
    fclose(file);
    return path;
}

static void a_chain_is_loaded_with_what_it_uses_each_file_once(void **state) {
    (void)state;
    char folder[64];
    test_folder(folder);
    Jre *jre = jre_new();
    jre->stdlib = arena_print(&jre->forever, "%s/library", folder);
    assert_int_equal(mkdir(jre->stdlib, 0700), 0);
    written(jre, jre->stdlib, "core.jre", "function relu(x: Tensor[S...]) -> Tensor[S...] { builtin }\n");
    written(jre, jre->stdlib, "heads.jre", "use layers\na = 1\n");
    written(jre, jre->stdlib, "layers.jre", "b = 1\n");
    written(jre, folder, "layers.jre", "b = 2\n");
    written(jre, folder, "v01.jre", "use heads\nuse layers\n");
    const char *path = written(jre, folder, "v02.jre", "extends \"../");
    FILE *file = fopen(path, "w");
    fprintf(file, "```jre\nextends \"v01.jre\"\nuse heads\nuse heads\n```\n");
    fclose(file);
    Module *module = module_load(jre, path), *core = module_core(jre);
    expect_no_message(jre, "the chain");
    assert_non_null(module->parent);
    assert_string_equal(module->parent->document->source->stem, "v01");
    assert_int_equal(module->uses.count, 1);
    assert_ptr_equal(module->uses.at[0], module->parent->uses.at[0]);
    assert_true(module->uses.at[0]->library);
    assert_ptr_not_equal(module->parent->uses.at[1], module->uses.at[0]->uses.at[0]);
    assert_true(core && core->core && core->document->chunks.at[0]->statements.at[0]->builtin);
    assert_ptr_equal(core, module_core(jre));
    assert_ptr_equal(module, module_load(jre, path));
    test_folder_gone(folder);
    jre_free(jre);
}

static void circles_and_missing_files_are_told_of(void **state) {
    (void)state;
    char folder[64];
    test_folder(folder);
    Jre *jre = jre_new();
    jre->stdlib = "/nowhere/stdlib";
    written(jre, folder, "a.jre", "extends \"b.jre\"\n");
    written(jre, folder, "b.jre", "extends \"c.jre\"\n");
    written(jre, folder, "c.jre", "extends \"a.jre\"\n");
    Module *module = module_load(jre, arena_print(&jre->forever, "%s/a.jre", folder));
    assert_non_null(module->parent->parent);
    assert_null(module->parent->parent->parent);
    assert_int_equal(jre->diagnostics.count, 1);
    test_message_says(jre, "circular", "c.jre:4:9", "this leads back to where it began", "a.jre` wants `", NULL);
    module_load(jre, written(jre, folder, "self.jre", "use self\nuse heads\nextends \"x.jre\"\nextends \"y.jre\"\n"));
    test_message_says(jre, "circular", "this is the file itself", "file_missing", "there is no module of this name", "self.jre",
                      "/nowhere/stdlib/heads.jre", "/x.jre`", "already_named", "a document extends one other", NULL);
    assert_null(module_load(jre, arena_print(&jre->forever, "%s/none.jre", folder)));
    test_message_says(jre, "file_missing", "none.jre", NULL);
    module_load_overlay(jre, written(jre, folder, "over.jre", "extends \"a.jre\"\nchange a = 1\n"));
    test_message_says(jre, "a file laid over others extends none of them", NULL);
    assert_null(module_core(jre));
    test_message_says(jre, "file_missing", "JRE_STDLIB", NULL);
    for (int i = 0; i < 120; i++)
        written(jre, folder, arena_print(&jre->forever, "n%d.jre", i), arena_print(&jre->forever, "extends \"n%d.jre\"\n", i + 1));
    module_load(jre, arena_print(&jre->forever, "%s/n0.jre", folder));
    assert_int_equal(jre->diagnostics.count, 1);
    test_message_says(jre, "too_deep", NULL);
    test_folder_gone(folder);
    jre_free(jre);
}

static void the_library_knows_which_module_declares_a_name(void **state) {
    (void)state;
    Jre *jre = jre_new();
    jre->stdlib = "stdlib";
    assert_string_equal(module_that_declares(jre, "resnet50"), "resnet");
    assert_string_equal(module_that_declares(jre, "filter_bank"), "filters");
    assert_null(module_that_declares(jre, "relu"));
    assert_null(module_that_declares(jre, "resnet49"));
    expect_no_message(jre, "looking into the library");
    jre_free(jre);
    jre = jre_new();
    jre->stdlib = "/nowhere/stdlib";
    assert_null(module_that_declares(jre, "resnet50"));
    expect_no_message(jre, "a library that is not there");
    jre_free(jre);
}

static const WordRow *row_of_word(const char *word) {
    for (int i = 0; i < word_row_count; i++)
        if (strcmp(word_rows[i].word, word) == 0)
            return &word_rows[i];
    return NULL;
}

static void every_word_has_one_row_and_a_sentence(void **state) {
    (void)state;
    for (int i = 0; i < word_row_count; i++) {
        const WordRow *row = &word_rows[i];
        assert_true(*row->word && *row->role && strlen(row->sentence) > 3);
        assert_int_equal(row->sentence[strlen(row->sentence) - 1], '.');
        assert_true(kind_find(row->word) == KIND_NONE || strcmp(row->role, "part of a split") == 0);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(row->word, word_rows[k].word);
    }
    for (FormulaKind kind = FORMULA_function; kind <= FORMULA_loss; kind++)
        assert_non_null(row_of_word(formula_name(kind)));
    for (Unit unit = UNIT_px; unit <= UNIT_GiB; unit++)
        assert_string_equal(row_of_word(unit_text(unit))->role, "unit");
}

static void lines_are_folded_at_80_columns(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Text text = {.jre = jre};
    text_add(&text, "%085d stays\n", 0);
    const size_t from = text.length;
    text_add(&text, "  short   as it was\n\n  %-70s  seven\xC3\xA9 more\n%090d\n", "name", 0);
    text_fold(&text, from, 6);
    char wanted[400];
    snprintf(wanted, sizeof wanted, "%085d stays\n  short   as it was\n\n  %-70s  seven\xC3\xA9\n      more\n%090d\n", 0, "name", 0);
    assert_string_equal(text.at, wanted);
    text_fold(&text, text.length, 6);
    assert_string_equal(text.at, wanted);
    text_free(&text);
    jre_free(jre);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arenas_give_zeroed_aligned_memory),
        cmocka_unit_test(equal_names_are_one_pointer_and_lists_grow),
        cmocka_unit_test(maps_replace_and_keep_their_order),
        cmocka_unit_test(a_near_name_is_found_and_a_far_one_is_not),
        cmocka_unit_test(a_name_is_sure_where_one_alone_is_a_slip_of_the_pen_away),
        cmocka_unit_test(every_failing_allocation_reaches_the_handler),
        cmocka_unit_test(what_was_under_way_when_memory_ran_out_is_given_back),
        cmocka_unit_test(memory_outlives_its_context_where_it_was_handed_out),
        cmocka_unit_test(places_count_characters_and_lines),
        cmocka_unit_test(files_that_cannot_be_read_are_told_of),
        cmocka_unit_test(a_message_shows_its_places_facts_and_edits),
        cmocka_unit_test(places_far_apart_have_frames_of_their_own),
        cmocka_unit_test(words_wrap_at_80_columns),
        cmocka_unit_test(messages_are_json_if_asked_and_never_move_the_cursor),
        cmocka_unit_test(every_key_has_a_sentence_and_an_example_that_parses),
        cmocka_unit_test(every_word_has_one_row_and_a_sentence),
        cmocka_unit_test(a_chain_is_loaded_with_what_it_uses_each_file_once),
        cmocka_unit_test(circles_and_missing_files_are_told_of),
        cmocka_unit_test(lines_are_folded_at_80_columns),
        cmocka_unit_test(the_library_knows_which_module_declares_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
