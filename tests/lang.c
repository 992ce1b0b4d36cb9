/* lang.c: tests of the room lang: memory, sources, messages, parser, printer and modules. */
#include "test.h"

/* ---- helpers ---------------------------------------------------------------------------------------------------------- */

static Document *parsed(Jre *jre, const char *name, const char *text)
{
    return parse_document(jre, source_from_text(jre, name, text, strlen(text)));
}

static Chunk *chunk_of(Jre *jre, const char *text)
{
    return parse_chunk(jre, source_from_text(jre, "input 1", text, strlen(text)));
}

static void expect_no_message(Jre *jre, const char *what)
{
    if (jre->diagnostics.count) {
        char *messages = test_messages(jre);
        fail_msg("%s should have no message, but:\n%s", what, messages);
    }
}

/* The text, in a chunk of a document called v01.jre, gives exactly these messages. */
static void expect_messages(const char *program, const char *expected)
{
    Jre *jre = jre_new();
    Text text = { .jre = jre };
    text_add(&text, "```jre\n%s```\n", program);
    parsed(jre, "v01.jre", text.at);
    char *messages = test_messages(jre);
    assert_string_equal(messages, expected);
    free(messages);
    text_free(&text);
    jre_free(jre);
}

/* The codes of all messages, by place, in one text: "unknown_unit:3 unfinished_line:4". */
static void expect_findings(const char *program, const char *expected)
{
    Jre *jre = jre_new();
    Text text = { .jre = jre }, found = { .jre = jre };
    text_add(&text, "```jre\n%s```\n", program);
    parsed(jre, "v01.jre", text.at);
    text_add(&found, "%s", "");
    for (int i = 0; i < jre->diagnostics.count; i++) {
        const Diagnostic *d = jre->diagnostics.at[i];
        text_add(&found, "%s%s:%d", i ? " " : "", diag_rows[d->code].name, place_of(jre, d->span.start).line);
    }
    if (strcmp(found.at, expected) != 0) {
        char *messages = test_messages(jre);
        fail_msg("expected %s, found %s\n%s", expected, found.at, messages);
    }
    text_free(&found);
    text_free(&text);
    jre_free(jre);
}

static bool same_word(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_lists(const Statement *a, const Statement *b)
{
    if (a->settings.count != b->settings.count || a->params.count != b->params.count || a->where.count != b->where.count
        || a->lines.count != b->lines.count)
        return false;
    bool same = true;
    for (int i = 0; i < a->settings.count; i++)
        same = same && same_word(a->settings.at[i].key, b->settings.at[i].key)
               && expr_equal(a->settings.at[i].value, b->settings.at[i].value);
    for (int i = 0; i < a->params.count; i++)
        same = same && same_word(a->params.at[i].name, b->params.at[i].name)
               && expr_equal(a->params.at[i].fallback, b->params.at[i].fallback);
    for (int i = 0; i < a->where.count; i++)
        same = same && expr_equal(a->where.at[i], b->where.at[i]);
    for (int i = 0; i < a->lines.count; i++)
        same = same && a->lines.at[i].kind == b->lines.at[i].kind && same_word(a->lines.at[i].name, b->lines.at[i].name)
               && a->lines.at[i].letters.count == b->lines.at[i].letters.count && expr_equal(a->lines.at[i].value, b->lines.at[i].value);
    return same;
}

static bool same_statement(const Statement *a, const Statement *b)
{
    return a->kind == b->kind && same_word(a->name, b->name) && a->record == b->record && a->each == b->each
           && a->formula == b->formula && a->builtin == b->builtin && same_word(a->text, b->text)
           && same_word(a->subject, b->subject) && expr_equal(a->value, b->value) && expr_equal(a->like, b->like) && same_lists(a, b);
}

static void expect_round_trip(Jre *jre, const Statement *s)
{
    Text once = { .jre = jre }, twice = { .jre = jre };
    print_statement(&once, s);
    Chunk *chunk = chunk_of(jre, once.at);
    expect_no_message(jre, once.at);
    assert_int_equal(chunk->statements.count, 1);
    print_statement(&twice, chunk->statements.at[0]);
    assert_string_equal(once.at, twice.at);
    assert_true(same_statement(s, chunk->statements.at[0]));
    text_free(&once);
    text_free(&twice);
}

/* Every document printed in LANGUAGE.md, in order. Calls `visit` with name, text and length. */
typedef void Visit(const char *name, const char *text, size_t length);

static int each_printed_document(Visit *visit)
{
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

static const char small_document[] =
    "# A title\n\nProse.\n\n```jre\nuse heads\n\nwidth = 512\nmargin = each [0.2rad, 0.3rad]\n\n"
    "train student {\n  network Projector(d = width)\n  loss ArcFace(margin = margin)\n  data folds.train\n  view gentle\n  epochs 40\n}\n"
    "train patient like student { epochs 80 }\n```\n\nMore `= cv.map`.\n\n```jre folded\n"
    "loss Cosine(e: Embedding[N, d], who: Identity[N, K],    # typed\n            margin: Real = 0.35, scale: Real = 30) -> Scalar\n"
    "  where margin > 0 {\n  learn W: Tensor[K, d] ~ normal(0, 0.01)\n  t = unit(e) @ unit(W)'\n"
    "  D[i, j] = sqrt(sum over k of (e[i, k] - e[j, k]) ^ 2)\n  CrossEntropy(scale * (t - margin * onehot(who)), who)\n}\n\n"
    "change learner { epochs 60 }\nchange head = Cosine()\nremove lookalikes\nprobe cv\n"
    "expect cv.map >= 60% because \"the paper reports 58%\"\naccept mirrored_flank for gentle because \"whiskers\"\n```\n";

/* ---- base.c ------------------------------------------------------------------------------------------------------------- */

static void arenas_give_zeroed_aligned_memory(void **state)
{
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

static void equal_names_are_one_pointer_and_lists_grow(void **state)
{
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

static void maps_replace_and_keep_their_order(void **state)
{
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

static void a_near_name_is_found_and_a_far_one_is_not(void **state)
{
    (void)state;
    static const char *const keys[] = { "network", "loss", "data", "optimizer", "epochs", "seed" };
    assert_string_equal(nearest_name("optimiser", keys, 6), "optimizer");
    assert_string_equal(nearest_name("netwrok", keys, 6), "network");
    assert_string_equal(nearest_name("sed", keys, 6), "seed");
    assert_null(nearest_name("brightness", keys, 6));
    assert_null(nearest_name("xy", keys, 6));
    assert_null(nearest_name("", keys, 6));
}

static jmp_buf out_of_memory;
static void jump_out(Jre *jre)
{
    (void)jre;
    longjmp(out_of_memory, 1);
}

static void every_failing_allocation_reaches_the_handler(void **state)
{
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

/* ---- source.c ------------------------------------------------------------------------------------------------------------- */

static void places_count_characters_and_lines(void **state)
{
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

static void files_that_cannot_be_read_are_told_of(void **state)
{
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

static void a_message_shows_its_places_facts_and_edits(void **state)
{
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

static void places_far_apart_have_frames_of_their_own(void **state)
{
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

static void messages_are_json_if_asked_and_never_move_the_cursor(void **state)
{
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
        "\"help\": [{\"text\": \"write y\", \"edit\": {\"start\": 0, \"end\": 1, \"text\": \"y\", \"file\": \"a.jre\"}, \"safe\": true}]}]\n");
    free(text);
    diag(jre, DIAG_unknown_name, (Span){ source->base, source->base + 1 }, "%s", "\033[2J");
    text = test_messages(jre);
    assert_null(strchr(text, '\033'));
    free(text);
    jre_free(jre);
}

/* ---- schema.c ----------------------------------------------------------------------------------------------------------------- */

static void every_key_has_a_sentence_and_an_example_that_parses(void **state)
{
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

/* ---- the parser: what is understood -------------------------------------------------------------------------------------------- */

static void all_kinds_of_statements_are_understood(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "v03.jre", small_document);
    expect_no_message(jre, "the small document");
    assert_int_equal(document->chunks.count, 2);
    assert_int_equal(document->prose.count, 2);
    Chunk *first = document->chunks.at[0], *second = document->chunks.at[1];
    assert_int_equal(second->kind, CHUNK_FOLDED);
    assert_memory_equal(span_text(jre, first->span), "```jre\nuse heads", 16);
    static const StatementKind kinds[] = { STATEMENT_USE, STATEMENT_EQUATION, STATEMENT_EQUATION, STATEMENT_RECORD, STATEMENT_RECORD };
    assert_int_equal(first->statements.count, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(first->statements.at[i]->kind, kinds[i]);
    assert_true(first->statements.at[2]->each);
    assert_int_equal(first->statements.at[2]->value->arguments.count, 2);
    assert_int_equal(first->statements.at[3]->settings.count, 5);
    assert_string_equal(first->statements.at[3]->settings.at[1].key, "loss");
    assert_string_equal(first->statements.at[4]->like->name, "student");
    const Statement *loss = second->statements.at[0];
    assert_int_equal(loss->formula, FORMULA_loss);
    assert_int_equal(loss->params.count, 4);
    assert_int_equal(loss->where.count, 1);
    assert_int_equal(loss->lines.count, 4);
    assert_int_equal(loss->lines.at[0].kind, LINE_LEARN);
    assert_int_equal(loss->lines.at[2].letters.count, 2);
    assert_int_equal(loss->lines.at[3].kind, LINE_RESULT);
    static const StatementKind rest[] = { STATEMENT_CHANGE_SETTINGS, STATEMENT_CHANGE_VALUE, STATEMENT_REMOVE, STATEMENT_PROBE,
                                          STATEMENT_EXPECT, STATEMENT_ACCEPT };
    for (int i = 0; i < 6; i++)
        assert_int_equal(second->statements.at[i + 1]->kind, rest[i]);
    assert_string_equal(second->statements.at[5]->text, "the paper reports 58%");
    assert_string_equal(second->statements.at[6]->subject, "gentle");
    assert_string_equal(span_text(jre, second->statements.at[6]->name_span), "mirrored_flank");
    jre_free(jre);
}

static const Expr *expression(Jre *jre, const char *text)
{
    Chunk *chunk = chunk_of(jre, text);
    expect_no_message(jre, text);
    assert_int_equal(chunk->statements.count, 1);
    assert_int_equal(chunk->statements.at[0]->kind, STATEMENT_EXPR);
    return chunk->statements.at[0]->value;
}

static void pipes_labels_and_reductions_have_the_shape_that_is_promised(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    const Expr *e = expression(jre, "a + b |> conv(64, stride = 2) as conv1 |> f.g as \"0.x\"");
    assert_int_equal(e->kind, EXPR_PIPE);
    assert_string_equal(e->label, "0.x");
    assert_int_equal(e->right->kind, EXPR_FIELD);
    assert_string_equal(span_text(jre, e->focus), "g");
    assert_int_equal(e->left->kind, EXPR_PIPE);
    assert_string_equal(e->left->label, "conv1");
    assert_string_equal(e->left->right->arguments.at[1].name, "stride");
    assert_string_equal(span_text(jre, e->left->left->span), "a + b");
    e = expression(jre, "max over i, j of D[i, j] |> f where i != j and a");
    assert_int_equal(e->kind, EXPR_REDUCE);
    assert_int_equal(e->letters.count, 2);
    assert_int_equal(e->left->kind, EXPR_PIPE);
    assert_int_equal(e->condition->op, BINARY_and);
    e = expression(jre, "-a ^ -b' * 60%");
    assert_int_equal(e->op, BINARY_mul);
    assert_int_equal(e->left->kind, EXPR_NEGATE);
    assert_int_equal(e->left->left->op, BINARY_pow);
    assert_int_equal(e->right->unit, UNIT_percent);
    assert_true(e->right->number == 60);
    assert_string_equal(span_text(jre, e->focus), "*");
    e = expression(jre, "[train = 90%, validate = 10%]");
    assert_string_equal(e->arguments.at[0].name, "train");
    e = expression(jre, "if not a == b then x.loss else f(as = same).train[(i)]");
    assert_int_equal(e->kind, EXPR_IF);
    assert_int_equal(e->condition->kind, EXPR_NOT);
    jre_free(jre);
}

static void lines_go_on_where_the_manual_says_so(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    static const char *const same[][2] = {
        { "f(a, b)", "f(\n  a, # one\n\n  b\n)" },
        { "a + b", "a +   # more\n  b" },
        { "x |> f |> g", "x\n  # a comment\n  |> f\n\n  |> g" },
        { "if a then b else c", "if a\n  then b\n  else c" },
        { "sum over k of x where a", "sum over\n k of\n x where\n a" },
        { "32 divides H and b or c", "32 divides\nH and # so\nb or\nc" },
        { "0.8 to 1.0", "0.8 to\n 1.0" },
        { "[1, 2]", "[\n1,\r\n2\r\n]" },
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!expr_equal(expression(jre, same[i][0]), expression(jre, same[i][1])))
            fail_msg("not the same: %s", same[i][1]);
    assert_int_equal(chunk_of(jre, "a\nb\n\n\n# end\nc")->statements.count, 3);
    assert_int_equal(chunk_of(jre, "expect a\n  because \"b\"")->statements.count, 1);
    expect_no_message(jre, "three statements");
    jre_free(jre);
}

static void only_jre_fences_are_program(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "a.jre",
        "\xEF\xBB\xBF```jre\r\na = 1\r\n```\r\n\tProse \xE2\x82\xAC\n````markdown\n```jre\n) not program (\n```\n````\n"
        "```jrex\n(\n```\n~~~\n```jre\n(\n```\n~~~\n```jre test\nexpect a == 1\n```\n```jre wrong unknown_unit\nb = 1cubit\n```\n```\n");
    expect_no_message(jre, "a document with other fences");
    assert_int_equal(document->chunks.count, 3);
    assert_int_equal(document->chunks.at[1]->kind, CHUNK_TEST);
    assert_int_equal(document->chunks.at[2]->kind, CHUNK_WRONG);
    assert_string_equal(document->chunks.at[2]->wrong, "unknown_unit");
    assert_int_equal(document->chunks.at[2]->findings.count, 1);
    assert_int_equal(document->chunks.at[2]->findings.at[0]->code, DIAG_unknown_unit);
    jre_free(jre);
}

static void expect_clean(const char *name, const char *text, size_t length)
{
    Jre *jre = jre_new();
    Document *document = parse_document(jre, source_from_text(jre, name, text, length));
    expect_no_message(jre, name);
    assert_true(document->chunks.count > 0);
    for (int i = 0; i < document->chunks.count; i++)
        for (int j = 0; j < document->chunks.at[i]->statements.count; j++)
            expect_round_trip(jre, document->chunks.at[i]->statements.at[j]);
    jre_free(jre);
}

static void the_documents_of_the_manual_parse_and_print_back(void **state)
{
    (void)state;
    expect_clean("the small document", small_document, strlen(small_document));
    if (each_printed_document(expect_clean) == 0)
        skip();
}

/* A tree as only a program builds it, without parentheses. */
static Expr *random_tree(Jre *jre, uint32_t *seed, int depth)
{
    *seed = *seed * 1664525u + 1013904223u;
    uint32_t pick = *seed >> 16;
    Expr *e = arena_new(&jre->forever, Expr);
    static const ExprKind kinds[] = { EXPR_BINARY, EXPR_BINARY, EXPR_BINARY, EXPR_IF, EXPR_REDUCE, EXPR_PIPE, EXPR_NOT, EXPR_NEGATE,
                                      EXPR_TRANSPOSE, EXPR_CALL, EXPR_INDEX, EXPR_FIELD, EXPR_LIST };
    e->kind = depth ? kinds[pick % 13] : EXPR_NAME;
    e->name = e->kind == EXPR_NAME || e->kind == EXPR_FIELD || e->kind == EXPR_REDUCE ? intern(jre, "xyz") : NULL;
    if (e->kind == EXPR_BINARY)
        e->op = pick / 13 % (BINARY_pow + 1);
    if (e->kind == EXPR_REDUCE)
        list_add(&jre->forever, &e->letters, intern(jre, "k"));
    if (e->kind == EXPR_CALL || e->kind == EXPR_INDEX || e->kind == EXPR_LIST)
        list_add(&jre->forever, &e->arguments, ((Argument){ NULL, NOWHERE, random_tree(jre, seed, depth - 1) }));
    if (e->kind == EXPR_CALL || e->kind == EXPR_INDEX || e->kind == EXPR_FIELD || e->kind == EXPR_TRANSPOSE)
        e->target = random_tree(jre, seed, depth - 1);
    if (e->kind == EXPR_BINARY || e->kind == EXPR_IF || e->kind == EXPR_PIPE || e->kind == EXPR_REDUCE || e->kind == EXPR_NOT
        || e->kind == EXPR_NEGATE)
        e->left = random_tree(jre, seed, depth - 1);
    if (e->kind == EXPR_BINARY || e->kind == EXPR_IF)
        e->right = random_tree(jre, seed, depth - 1);
    if (e->kind == EXPR_PIPE)
        e->right = random_tree(jre, seed, 0);
    if (e->kind == EXPR_IF || (e->kind == EXPR_REDUCE && pick & 64))
        e->condition = random_tree(jre, seed, depth - 1);
    return e;
}

static void trees_built_by_a_program_print_with_the_parentheses_they_need(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    uint32_t seed = 1;
    for (int i = 0; i < 1500; i++) {
        Expr *e = random_tree(jre, &seed, 1 + i % 5);
        const char *text = expr_text(jre, e);
        if (!expr_equal(e, expression(jre, text)))
            fail_msg("not the same when read back: %s", text);
    }
    static const double numbers[] = { 0, 1, 30, 0.1, 3e-4, 1e-12, 1e6, 123456789, 1.7976931348623157e308, 5e-324, 1.0 / 3 };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        Expr e = { .kind = EXPR_NUMBER, .number = numbers[i], .unit = UNIT_px };
        assert_true(expr_equal(&e, expression(jre, expr_text(jre, &e))));
    }
    jre_free(jre);
}

/* ---- the parser: what is not understood ---------------------------------------------------------------------------------------- */

static void a_misspelled_kind_is_answered_with_the_right_one(void **state)
{
    (void)state;
    expect_messages("datset jaguars {\n  table \"train.csv\"\n  keep [sex]\n}\na = 1\n",
        "error: unknown_kind\n"
        "  v01.jre:2:1\n"
        "   |\n"
        " 2 | datset jaguars {\n"
        "   | ^^^^^^ there is no kind of this name\n"
        "   |\n"
        "   = the kinds are: dataset split train boost embed evaluate ensemble figure submit,\n"
        "       and with equations: function augment network loss\n"
        "help: did you mean `dataset`?  (safe)\n"
        "   | dataset jaguars {\n");
}

static void a_setting_without_a_value_is_answered_with_an_example(void **state)
{
    (void)state;
    expect_messages("train learner {\n  network   Eye\n  epochs\n  seed      7\n}\n",
        "error: unfinished_line\n"
        "  v01.jre:4:3\n"
        "   |\n"
        " 4 |   epochs\n"
        "   |   ^^^^^^ a setting is a key and a value; the value is missing\n"
        "   |\n"
        "   = `epochs` is how often the training pictures are gone through: a whole number\n"
        "help: for instance\n"
        "   |   epochs    30\n");
}

static void an_unknown_unit_is_answered_with_the_known_ones(void **state)
{
    (void)state;
    expect_messages("margin = 0.5furlong\nangle = 30degrees + 3px\n",
        "error: unknown_unit\n"
        "  v01.jre:2:13\n"
        "   |\n"
        " 2 | margin = 0.5furlong\n"
        "   |             ^^^^^^^ there is no unit of this name\n"
        "   |\n"
        "   = the units are: px deg rad % ms s min h KiB MiB GiB\n"
        "help: write the number in one of these units, or without any\n"
        "\n"
        "error: unknown_unit\n"
        "  v01.jre:3:11\n"
        "   |\n"
        " 3 | angle = 30degrees + 3px\n"
        "   |           ^^^^^^^ there is no unit of this name\n"
        "   |\n"
        "   = the units are: px deg rad % ms s min h KiB MiB GiB\n"
        "help: did you mean `deg`?\n"
        "   | angle = 30deg + 3px\n");
}

static void a_chunk_that_is_never_closed_has_one_message(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    parsed(jre, "v01.jre", "# Title\n\n```jre\na = 1\n\nProse, (that) isn't program.\n");
    char *messages = test_messages(jre);
    assert_string_equal(messages,
        "error: unclosed_chunk\n"
        "  v01.jre:3:1\n"
        "   |\n"
        " 3 | ```jre\n"
        "   | ^^^^^^ this chunk is never closed\n"
        "   |\n"
        "help: close it with a line of three backticks where the program ends\n"
        "   + ```\n");
    free(messages);
    Document *document = parsed(jre, "v02.jre", "```jre\na = 1\n\nProse.\n\n```jre\nb = 2\n```\n");
    assert_int_equal(document->chunks.count, 2);
    assert_int_equal(jre->diagnostics.count, 1);
    test_message_says(jre, "unclosed_chunk", "and here the next one begins", NULL);
    jre_free(jre);
}

static void a_mistake_has_one_message_and_the_next_has_its_own(void **state)
{
    (void)state;
    expect_findings("x =\nsplit folds {\n  data jaguars\n  folds = 5\n  seed\n}\ny =\nz = 3\nw = 0.5 rad\nprob cv\nv = 3 $ 4\n",
                    "unfinished_line:2 unexpected_word:5 unfinished_line:6 unfinished_line:8 unknown_unit:10 unexpected_word:11 unknown_character:12");
    expect_findings("u = [1, 2\nt = f(1, 2))\nfor = 3\nexpect cv.map = 3 because \"x\"\ns = \"abc\nok = 1\n",
                    "unexpected_word:2 unexpected_word:3 unexpected_word:4 unexpected_word:5 unfinished_line:6");
    expect_findings("dataset jaguars\n  table \"a.csv\"\n  keep [sex]\n}\nlikeness = cosine(features)\n", "unexpected_word:2");
    expect_findings("evaluate cv {\n  metrics [map]\n\nexpect cv.map > 1\nsplit a {\n folds 5\n}\n", "unexpected_word:5");
    expect_findings("loss L(e: Tensor -> Scalar\n  where a > 0 {\n  x = 3 # {\n  x\n}\nb = 3\n", "unexpected_word:2");
    expect_findings("train a {\n  loss\n    ArcFace(margin = 3)\n  epochs 3\n}\n", "unfinished_line:3");
    expect_findings("train a { network Eye { b } }\ntrain b { epochs }\n", "unexpected_word:2 unfinished_line:3");
    expect_findings("jaguars {\n  folds [3]\n}\nq = 3 |> (1 + 2)\n", "unknown_kind:2 unexpected_word:5");
    expect_findings("loss L(e: T) -> S {\n  e\n  t = 3\n}\nloss M(e: T) -> S {\n  2 = 3\n  f(x)[i] = 3\n  e\n}\n",
                    "unexpected_word:3 unexpected_word:7 unexpected_word:8");
    expect_findings("a = “b”\nc = 3 ≥ 2\n", "unknown_character:2 unknown_character:3");
    expect_findings("x = 1e999\n", "unexpected_word:2");
    expect_findings(") a\n= 3\n|> f\n  g\nb = 2 + loss\n", "unexpected_word:2 unexpected_word:3 unexpected_word:6");
}

static void what_is_broken_is_marked_and_the_rest_is_kept(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    Document *document = parsed(jre, "a.jre", "```jre\ntrain a {\n  network Eye\n  epochs\n  seed 7\n}\nb = )\nc = 3\n```\n");
    assert_int_equal(jre->diagnostics.count, 2);
    Chunk *chunk = document->chunks.at[0];
    assert_int_equal(chunk->statements.count, 2);
    assert_true(chunk->statements.at[0]->broken);
    assert_int_equal(chunk->statements.at[0]->settings.count, 2);
    assert_false(chunk->statements.at[1]->broken);
    diag_forget(jre);
    assert_true(chunk_of(jre, "train a {\n  epochs 3")->goes_on);
    assert_true(chunk_of(jre, "x =")->goes_on);
    assert_true(chunk_of(jre, "f(a,")->goes_on);
    assert_true(chunk_of(jre, "1 +")->goes_on);
    assert_false(chunk_of(jre, "f(a))")->goes_on);
    assert_false(chunk_of(jre, "a\n")->goes_on);
    jre_free(jre);
}

/* ---- hostile texts ---------------------------------------------------------------------------------------------------------------- */

static char *repeated(const char *first, const char *part, int times, const char *last)
{
    size_t length = strlen(part);
    char *text = malloc(strlen(first) + length * (size_t)times + strlen(last) + 1), *at = text + strlen(first);
    strcpy(text, first);
    for (int i = 0; i < times; i++, at += length)
        memcpy(at, part, length);
    strcpy(at, last);
    return text;
}

static void deep_nesting_is_refused_without_using_up_the_stack(void **state)
{
    (void)state;
    static const char *const parts[][2] = {
        { "(", "x" }, { "-", "x" }, { "not ", "x" }, { "f(", "x" }, { "[", "1" }, { "x[", "i" }, { "1 + ", "1" }, { "x ^ ", "x" },
        { "if a then b else ", "c" }, { "x |> ", "f" }, { "{", "" }, { "f(a, (", "" }, { "- (", "3" },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Jre *jre = jre_new();
        char *text = repeated("```jre\na = ", parts[i][0], 30000, parts[i][1]);
        char *document = repeated(text, "\n```\n```jre\nb = 2\n```\n", 1, "");
        Document *parsed_document = parsed(jre, "deep.jre", document);
        assert_int_equal(jre->diagnostics.count, 1);
        if (parts[i][0][0] != '{')
            assert_int_equal(jre->diagnostics.at[0]->code, DIAG_too_deep);
        assert_int_equal(parsed_document->chunks.count, 2);
        assert_int_equal(parsed_document->chunks.at[1]->statements.count, 1);
        free(document);
        free(text);
        jre_free(jre);
    }
    Jre *jre = jre_new();
    char *text = repeated("", "(", 190, "1");
    char *closed = repeated(text, ")", 190, "");
    chunk_of(jre, closed);
    expect_no_message(jre, "190 parentheses");
    free(text);
    free(closed);
    text = repeated("x", "'", 30000, "");
    chunk_of(jre, text);
    assert_int_equal(jre->diagnostics.count, 1);
    free(text);
    jre_free(jre);
}

static void ten_megabytes_of_prose_are_read_line_by_line(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    char *text = repeated("", "A line of prose, with `code` and ``` in it, and \xE2\x82\xAC.\n", 200000, "```jre\na = )\n```\n");
    parsed(jre, "long.jre", text);
    assert_int_equal(jre->diagnostics.count, 1);
    assert_int_equal(place_of(jre, jre->diagnostics.at[0]->span.start).line, 200002);
    free(text);
    diag_forget(jre);
    text = repeated("```jre\n", "# only a comment\n\n", 200000, "a = 1\n```\n");
    assert_int_equal(parsed(jre, "comments.jre", text)->chunks.at[0]->statements.count, 1);
    expect_no_message(jre, "a long chunk of comments");
    free(text);
    text = repeated("```jre\n", "$ ", 200000, "\n```\n");
    parsed(jre, "noise.jre", text);
    assert_true(jre->diagnostics.count < 200);
    free(text);
    text = repeated("```jre\n", "a = )\n", 5000, "\n```\n");
    parsed(jre, "mistakes.jre", text);
    assert_true(jre->diagnostics.count < 300);
    test_message_says(jre, "there may be more", NULL);
    free(text);
    jre_free(jre);
}

static void bytes_of_zero_do_no_harm(void **state)
{
    (void)state;
    Jre *jre = jre_new();
    const char text[] = "Pro\0se\n```jre\n# com\0ment\n  |> f\na = \"te\0xt\"\nb = 1\0 + 2\nc\0 = 3\n\0\n```\0\n\0";
    Document *document = parse_document(jre, source_from_text(jre, "zero.jre", text, sizeof text - 1));
    assert_int_equal(document->chunks.count, 1);
    test_message_says(jre, "unknown_character", "there is a byte 0 in this text", "a byte 0 is no character", NULL);
    for (size_t length = 0; length < sizeof text; length++)
        parse_document(jre, source_from_text(jre, "cut.jre", text, length));
    diag_forget(jre);
    jre_free(jre);
}

static void a_parse_without_memory_ends_in_the_handler(void **state)
{
    (void)state;
    for (volatile long nth = 1; nth < 200; nth++) {
        Jre *jre = jre_new();
        jre->on_exhaustion = jump_out;
        Source *source = source_from_text(jre, "v01.jre", small_document, strlen(small_document));
        jre->fail_allocation_after = nth;
        if (setjmp(out_of_memory) == 0) {
            parse_document(jre, source);
            nth = 200;
        }
        jre_free(jre);
    }
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* Takes out one word or sign of the program after another: of the first document each, of the others every ninth. */
static void delete_each_token(const char *name, const char *text, size_t length)
{
    bool inside = false;
    int stride = strcmp(name, "document 1") == 0 || strcmp(name, "the small document") == 0 ? 1 : 9, number = 0;
    for (size_t at = 0; at < length; at++) {
        bool fence = (at == 0 || text[at - 1] == '\n') && strncmp(text + at, "```", 3) == 0;
        size_t end = at + 1;
        if (fence)
            inside = !inside, end = at + strcspn(text + at, "\n");
        else if (text[at] == '"')
            end = at + 1 + strcspn(text + at + 1, "\"\n") + 1;
        else
            while (is_name_byte(text[at]) && is_name_byte(text[end]))
                end++;
        if (inside && !strchr(" \n", text[at]) && number++ % stride == 0) {
            Jre *jre = jre_new();
            char *changed = malloc(length);
            memcpy(changed, text, at);
            memcpy(changed + at, text + end, length - end);
            parse_document(jre, source_from_text(jre, name, changed, length - (end - at)));
            if (jre->diagnostics.count > 2) {
                char *messages = test_messages(jre);
                fail_msg("%s without `%.*s`:\n%s", name, (int)(end - at), text + at, messages);
            }
            free(changed);
            jre_free(jre);
        }
        at = end - 1;
    }
}

static void a_word_taken_out_gives_two_messages_at_most(void **state)
{
    (void)state;
    delete_each_token("the small document", small_document, strlen(small_document));
    each_printed_document(delete_each_token);
}

static void noise_in_a_document_never_crashes(void **state)
{
    (void)state;
    static const char *const pieces[] = { "{", "}", "(", ")", "[", "]", "\n", "\n\n", "\"", "```\n", "\n```jre\n", "=", "|>", " where ", " x ",
                                          " train ", " loss ", "expect ", "\xE2\x88\x80", "\xFF", "3px", ",", ":", " each ", "->", "#", " as ", "." };
    uint32_t seed = 7;
    for (int round = 0; round < 400; round++) {
        Jre *jre = jre_new();
        Text text = { .jre = jre };
        text_add(&text, "%s", small_document);
        for (int i = 0; i < 1 + round % 8; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *piece = pieces[(seed >> 8) % (sizeof pieces / sizeof *pieces)];
            size_t at = (seed >> 10) % text.length, tail = text.length - at;
            char *rest = malloc(tail + 1);
            memcpy(rest, text.at + at, tail + 1);
            text.length = at;
            text_add(&text, "%s", piece);
            text_add_bytes(&text, rest, tail);
            free(rest);
        }
        Document *document = parsed(jre, "noise.jre", text.at);
        for (int i = 0; i < document->chunks.count; i++)
            for (int j = 0; j < document->chunks.at[i]->statements.count; j++)
                if (!document->chunks.at[i]->statements.at[j]->broken && !jre->diagnostics.count)
                    expect_round_trip(jre, document->chunks.at[i]->statements.at[j]);
        char *messages = test_messages(jre);
        free(messages);
        text_free(&text);
        jre_free(jre);
    }
}

/* ---- module.c ------------------------------------------------------------------------------------------------------------------------ */

static const char *written(Jre *jre, const char *folder, const char *name, const char *program)
{
    const char *path = arena_print(&jre->forever, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "# A document\n\n```jre\n%s```\n", program);
    fclose(file);
    return path;
}

static void a_chain_is_loaded_with_what_it_uses_each_file_once(void **state)
{
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

static void circles_and_missing_files_are_told_of(void **state)
{
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arenas_give_zeroed_aligned_memory),
        cmocka_unit_test(equal_names_are_one_pointer_and_lists_grow),
        cmocka_unit_test(maps_replace_and_keep_their_order),
        cmocka_unit_test(a_near_name_is_found_and_a_far_one_is_not),
        cmocka_unit_test(every_failing_allocation_reaches_the_handler),
        cmocka_unit_test(places_count_characters_and_lines),
        cmocka_unit_test(files_that_cannot_be_read_are_told_of),
        cmocka_unit_test(a_message_shows_its_places_facts_and_edits),
        cmocka_unit_test(places_far_apart_have_frames_of_their_own),
        cmocka_unit_test(messages_are_json_if_asked_and_never_move_the_cursor),
        cmocka_unit_test(every_key_has_a_sentence_and_an_example_that_parses),
        cmocka_unit_test(all_kinds_of_statements_are_understood),
        cmocka_unit_test(pipes_labels_and_reductions_have_the_shape_that_is_promised),
        cmocka_unit_test(lines_go_on_where_the_manual_says_so),
        cmocka_unit_test(only_jre_fences_are_program),
        cmocka_unit_test(the_documents_of_the_manual_parse_and_print_back),
        cmocka_unit_test(trees_built_by_a_program_print_with_the_parentheses_they_need),
        cmocka_unit_test(a_misspelled_kind_is_answered_with_the_right_one),
        cmocka_unit_test(a_setting_without_a_value_is_answered_with_an_example),
        cmocka_unit_test(an_unknown_unit_is_answered_with_the_known_ones),
        cmocka_unit_test(a_chunk_that_is_never_closed_has_one_message),
        cmocka_unit_test(a_mistake_has_one_message_and_the_next_has_its_own),
        cmocka_unit_test(what_is_broken_is_marked_and_the_rest_is_kept),
        cmocka_unit_test(deep_nesting_is_refused_without_using_up_the_stack),
        cmocka_unit_test(ten_megabytes_of_prose_are_read_line_by_line),
        cmocka_unit_test(bytes_of_zero_do_no_harm),
        cmocka_unit_test(a_parse_without_memory_ends_in_the_handler),
        cmocka_unit_test(a_word_taken_out_gives_two_messages_at_most),
        cmocka_unit_test(noise_in_a_document_never_crashes),
        cmocka_unit_test(a_chain_is_loaded_with_what_it_uses_each_file_once),
        cmocka_unit_test(circles_and_missing_files_are_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
