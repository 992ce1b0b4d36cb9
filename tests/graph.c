/* graph.c: tensor graphs as text: read, written, refused; passes and rules, each a file of tests/graph; what the checks of graphs ask.
 *
 * A case of tests/graph: a line `# passes: simplify fuse`, a graph, a line `----`, the graph that the passes make of it. RULE.graph shows
 * a rule of rules.def at work, RULE_not*.graph where it has to leave a graph alone. */
#include "trial.h"

#include <dirent.h>
#include <math.h>

enum { MOST_CASES = 200 };
static char case_names[MOST_CASES][260];
static int64_t case_hits[MOST_CASES][64];
static int case_count;

typedef struct { Trial *trial; Compilation c; } Bench;

static Bench *bench_new(void) {
    Bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->trial = trial_new();
    b->c = (Compilation){.jre = b->trial->jre, .arena = {.jre = b->trial->jre}};
    return b;
}

static void bench_free(Bench *b) {
    compilation_free(&b->c);
    trial_free(b->trial);
    free(b);
}

static Graph *graph_of(Bench *b, const char *text) {
    Graph *g = graph_read(&b->c, source_from_text(b->trial->jre, "a graph", text, strlen(text)));
    if (g) return g;
    char *messages = test_messages(b->trial->jre);
    fprintf(stderr, "%s\n%s\n", text, messages);
    free(messages);
    fail();
    return NULL;
}

static const char *text_of(Bench *b, const Graph *g, bool canonical) {
    Text text = {.jre = b->trial->jre};
    graph_print(g, &text, canonical);
    const char *copy = arena_copy(&b->c.arena, text.at, text.length);
    text_free(&text);
    return copy;
}

/* ---- cases ------------------------------------------------------------------------------------------------------------- */

static const char *content_of(Bench *b, const char *path) {
    static char bytes[1 << 16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    return arena_copy(&b->c.arena, bytes, length);
}

static void run_passes(Graph *g, const char *names) {
    char line[200];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(names, "\n"), names);
    for (char *name = strtok(line, " "); name; name = strtok(NULL, " ")) {
        int pass = 0;
        while (pass < graph_pass_count && strcmp(graph_passes[pass].name, name) != 0) pass++;
        if (pass == graph_pass_count) fail_msg("no pass is called %s", name);
        graph_passes[pass].run(g);
        assert_true(graph_verify(g, name));
    }
}

static void passes_make_what_the_case_says(void **state) {
    int number = *(const int *)*state;
    Bench *b = bench_new();
    const char *text = content_of(b, arena_print(&b->c.arena, "tests/graph/%s", case_names[number])), *cut = strstr(text, "\n----\n");
    static const char first[] = "# passes: ";
    assert_non_null(cut);
    assert_int_equal(strncmp(text, first, strlen(first)), 0);
    Graph *g = graph_of(b, arena_copy(&b->c.arena, text, (size_t)(cut + 1 - text)));
    run_passes(g, text + strlen(first));
    const char *wanted = text_of(b, graph_of(b, cut + strlen("\n----\n")), true), *made = text_of(b, g, true);
    if (strcmp(made, wanted) != 0) fail_msg("%s: expected\n%s\nfound\n%s", case_names[number], wanted, made);
    for (int r = 0; r < rule_count && b->c.rule_hits; r++) case_hits[number][r] = b->c.rule_hits[r];
    bench_free(b);
}

static void every_rule_has_cases_where_it_applies_and_where_not(void **state) {
    (void)state;
    assert_true(rule_count <= 64);
    for (int r = 0; r < rule_count; r++) {
        int applied = 0, guarded = 0;
        size_t length = strlen(rules[r].name);
        for (int i = 0; i < case_count; i++) {
            if (strncmp(case_names[i], rules[r].name, length) != 0 || !strchr("._", case_names[i][length])) continue;
            bool guard = !strncmp(case_names[i] + length, "_not", 4);
            if (guard ? case_hits[i][r] != 0 : case_hits[i][r] == 0) fail_msg("%s: %s was applied %d times", case_names[i], rules[r].name, (int)case_hits[i][r]);
            guard ? guarded++ : applied++;
        }
        if (!applied || !guarded) fail_msg("%s: %d cases and %d where it does not apply", rules[r].name, applied, guarded);
    }
}

/* ---- the text ------------------------------------------------------------------------------------------------------------- */

static void constants_places_and_diagonals_are_read_too(void **state) {
    (void)state;
    Bench *b = bench_new();
    static const char text[] =
        "%0 = constant() values=1,-0.5,inf,0.25 : [2, 2]\n"
        "%1 = constant() value=1 step=1 : [2, 2]\n"
        "%2 = add(%0, %1) : [2, 2]\n"
        "%3 = diagonal(%2) : [2]\n"
        "%4 = take(%3) place=1 : []\n"
        "-> %4\n";
    Graph *g = graph_of(b, text);
    assert_string_equal(text_of(b, g, true), text);
    assert_true(constant_value(g->nodes.at[0], 1) == -0.5 && constant_value(g->nodes.at[1], 3) == 4);
    assert_true(graph_verify(g, "read"));
    bench_free(b);
}

static void what_is_written_is_read_and_written_again(void **state) {
    (void)state;
    Bench *b = bench_new();
    static const char text[] =
        "%0 = input() : [N, 3, 8, 8]\n"
        "%1 = weight() \"layer1.0 conv.weight\" of abc : [4, 3, 3, 3]\n"
        "%2 = weight() \"b\" of 0123456789abcdef : [4]\n"
        "%3 = conv(%0, %1, _, _) stride=2 pad=1 low=0 high=6.5 : [N, 4, 4, 4]\n"
        "%4 = transpose(%3) order=0,2,3,1 : [N, 4, 4, 4]\n"
        "%5 = add(%4, %2) : [N, 4, 4, 4]\n"
        "%6 = constant() value=-1.0000000000000001e-05 : []\n"
        "%7 = max(%5, %6) : [N, 4, 4, 4]\n"
        "%8 = max(%5, %6) : [N, 4, 4, 4]\n"
        "%9 = concat(%7, %8, %7) axis=3 : [N, 4, 4, 12]\n"
        "%10 = sum(%9) axes=14 : [N, 1, 1, 1]\n"
        "%11 = reshape(%10) : [N]\n"
        "-> %11\n";
    Graph *g = graph_of(b, text);
    assert_string_equal(text_of(b, g, true), text);
    assert_ptr_equal(g->input, g->nodes.at[0]);
    assert_ptr_equal(g->output, g->nodes.at[11]);
    assert_true(g->nodes.at[3]->attribute[4] == 0 && g->nodes.at[3]->attribute[5] == 6.5);
    assert_string_equal(g->nodes.at[1]->weights->hash, "abc");
    assert_ptr_not_equal(g->nodes.at[1]->weights, g->nodes.at[2]->weights);
    assert_true(graph_verify(g, "read"));
    const char *told = text_of(b, g, false);                       /* with places: they are comments to the reader */
    assert_non_null(strstr(told, "#   a graph:4"));
    assert_string_equal(text_of(b, graph_of(b, told), true), text);
    bench_free(b);
}

static void whole_networks_are_read_again_after_every_pass(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_mobilenetv2(&trial->files);
    trial_sound(trial, "use mobilenetv2\naugment seen(x: Image) -> Image { x |> fit(96px) }\nbackbone = mobilenetv2_100(weights = \"some.safetensors\")\n"
                       "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] { x |> backbone |> average_pool |> unit }\nembed features { network Eye\n view seen }\n");
    Bench *b = bench_new();
    const Graph *g = trial->c.plan->embeds.at[0]->program->graph;
    const char *text = text_of(b, g, true);
    assert_string_equal(text_of(b, graph_of(b, text), true), text);
    assert_string_equal(text_of(b, graph_of(b, text_of(b, g, false)), true), text);
    bench_free(b);
    trial_free(trial);
}

static void a_text_that_is_no_graph_is_refused_at_its_place(void **state) {
    (void)state;
    static const struct { const char *line, *words, *place; } cases[] = {
        {"%2 = ad(%0, %1) : [N, 4]", "no operator is called so", "3:6"}, {"%2 = rehsape(%0) : [N, 4]", "did you mean `reshape`", "3:6"},
        {"%2 = (%0, %1) : [N, 4]", "no operator is called so", "3:6"}, {"%3 = abs(%0) : [N, 4]", "this is node 2", "3:1"},
        {"%2 = abs(%2) : [N, 4]", "no node above is called %2", "3:10"}, {"%2 = abs(%99999999999999999999) : [N, 4]", "too large", "3:11"},
        {"%2 = add(%0) : [N, 4]", "an operand is missing", "3:6"}, {"%2 = abs(%0, %1) : [N, 4]", "too many operands", "3:6"},
        {"%2 = add(%0, _) : [N, 4]", "a needed operand is left out", "3:6"}, {"%2 = concat(%0, %0, %0, %0, %0, %0, %0, %0, %0) : [N, 4]", "one operand too many", "3:44"},
        {"%2 = add(%0, %1) : [N, 5]", "it makes [N, 4]", "3:20"}, {"%2 = add(%0, %1) : [N, 0]", "not what its operands make", "3:20"},
        {"%2 = add(%0 %1) : [N, 4]", "`,` was expected", "3:13"}, {"%2 = clamp(%0) lov=2 : [N, 4]", "did you mean `low`", "3:16"},
        {"%2 = clamp(%0) zzzzzz=2 : [N, 4]", "jre doc clamp", "3:16"}, {"%2 = clamp(%0) low=1 low=2 : [N, 4]", "a second time", "3:22"},
        {"%2 = constant() values=1 values=2 : [1]", "a second time", "3:26"}, {"%2 = constant() values=1, : [1]", "a number was expected", "3:26"},
        {"%2 = constant() values=1,2 : [3]", "2 values stand", "3:30"}, {"%2 = constant() values=1,2 : [N, 2]", "2 values stand", "3:30"},
        {"%2 = take(%0) axis=1 place=4 : [N]", "no such place", "3:6"}, {"%2 = take(%0) place=0 : [4]", "no such place", "3:6"},
        {"%2 = take(%0) axis=-1 : [4]", "no such place", "3:6"}, {"%2 = take(%0) axis=7 : [4]", "no such place", "3:6"},
        {"%2 = diagonal(%0) : [N]", "no such diagonal", "3:6"}, {"%2 = diagonal(%0) second=6 : [N]", "no such diagonal", "3:6"},
        {"%2 = clamp(%0) low=nan : [N, 4]", "nan is no number", "3:20"}, {"%2 = clamp(%0) low= : [N, 4]", "a number was expected", "3:20"},
        {"%2 = sum(%0) axes=1.5 : [N, 4]", "no whole number", "3:6"}, {"%2 = sum(%0) axes=4 : [N, 4]", "not there", "3:6"},
        {"%2 = concat(%0, %0) axis=1e300 : [N, 8]", "no whole number", "3:6"}, {"%2 = concat(%0, %0) axis=7 : [N, 8]", "cannot be joined", "3:6"},
        {"%2 = transpose(%0) order=1,1 : [4, N]", "no order of its dimensions", "3:6"}, {"%2 = transpose(%0) order=0,1,2,3,4,5,6 : [4, N]", "one dimension too many", "3:38"},
        {"%2 = reshape(%0) : [N, 5]", "changes the number of elements", "3:6"}, {"%2 = reshape(%0) : [N, 1, 1, 1, 1, 1, 4]", "one dimension too many", "3:38"},
        {"%2 = weight() : [4]", "without a name", "3:6"}, {"%2 = weight() \"w : [4]", "no end", "3:15"}, {"%2 = weight() \"w\" : [4]", "`of` was expected", "3:19"},
        {"%2 = weight() \"w\" of : [4]", "hash is missing", "3:22"}, {"%2 = abs(%0) \"w\" of abc : [N, 4]", "only a weight has a name", "3:14"},
        {"%2 = weight() \"w\" of abc : [4294967296, 4294967296]", "more numbers", "3:6"}, {"%2 = weight() \"w\" of abc : [0]", "the size 0", "3:6"},
        {"%2 = abs(%0) : [N, 4] x", "goes on", "3:23"}, {"%2 = abs(%0) & : [N, 4]", "`:` was expected", "3:14"}, {"%2 = abs(%0)", "`:` was expected", "3:13"},
        {"abs(%0)", "`%` was expected", "3:1"}, {"-> %7", "no node above", "3:4"}, {"-> %1 x", "goes on", "3:7"}, {"-> %1\n-> %1", "nothing follows", "4:1"},
        {"# nothing", "has no result", ""}, {"%2 = input(%0) : [N, 4]", "too many operands", "3:6"},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bench *b = bench_new();
        Jre *jre = b->trial->jre;
        const char *text = arena_print(&b->c.arena, "%%0 = input() : [N, 4]\n%%1 = abs(%%0) : [N, 4]\n%s\n", cases[i].line);
        if (graph_read(&b->c, source_from_text(jre, "some.graph", text, strlen(text)))) fail_msg("nothing was found wrong with %s", cases[i].line);
        assert_int_equal(diag_count(jre, SEVERITY_NOTE), 1);
        char *message = test_messages(jre);
        if (!test_says(message, cases[i].words) || !strstr(message, cases[i].place) || !strstr(message, "wrong_graph") || !strstr(message, "help:"))
            fprintf(stderr, "%s: expected `%s` at %s:\n%s", cases[i].line, cases[i].words, cases[i].place, message), wrong++;
        free(message);
        bench_free(b);
    }
    assert_int_equal(wrong, 0);
}

/* Whatever is cut off, doubled or changed: a graph that is sound, or one message. */
static void broken_texts_do_no_harm(void **state) {
    (void)state;
    Bench *b = bench_new();
    Jre *jre = b->trial->jre;
    const char *text = content_of(b, "tests/graph/conv_clamp.graph");
    size_t length = (size_t)(strstr(text, "----") - text);
    static const char signs[] = "%0_,()[]:=-.#\"\n N9e";
    for (size_t at = 0; at < length; at++)
        for (size_t k = 0; k < sizeof signs; k++) {
            char *changed = arena_copy(&b->c.arena, text, length);
            changed[at] = signs[k];
            Graph *g = graph_read(&b->c, source_from_text(jre, "changed", changed, k ? length : at));
            assert_int_equal(diag_count(jre, SEVERITY_NOTE), g ? 0 : 1);
            if (g) assert_true(graph_verify(g, "changed"));
            diag_forget(jre);
        }
    bench_free(b);
}

/* ---- the checks -------------------------------------------------------------------------------------------------------------- */

static const char sound_graph[] =
    "%0 = input() : [N, 4, 2, 2]\n"
    "%1 = weight() \"w\" of abc : [4, 4, 1, 1]\n"
    "%2 = conv(%0, %1) : [N, 4, 2, 2]\n"
    "%3 = sum(%2) axes=12 : [N, 4, 1, 1]\n"
    "%4 = reshape(%3) : [N, 4]\n"
    "%5 = transpose(%4) order=1,0 : [4, N]\n"
    "%6 = add(%5, %5) : [4, N]\n"
    "-> %6\n";

static void break_graph(Graph *g, int how) {
    Node **n = g->nodes.at;
    switch (how) {
    case 0: n[2]->id = 77; break;
    case 1: n[2]->in[0] = n[6]; break;
    case 2: n[6]->in[0] = NULL; break;
    case 3: n[6]->inputs = 1; break;
    case 4: n[4]->inputs = 2; n[4]->in[1] = n[0]; break;
    case 5: n[2]->attribute[0] = NAN; break;
    case 6: n[2]->attribute[0] = 1.5; break;
    case 7: n[3]->attribute[0] = 16; break;
    case 8: n[5]->attribute[0] = 0; break;
    case 9: n[1]->name = NULL; break;
    case 10: n[1]->weights = NULL; break;
    case 11: n[1]->shape.dim[0] = 0; break;
    case 12: n[4]->shape.dim[1] = 5; break;
    case 13: n[2]->shape.dim[1] = 5; break;
    case 14: n[2]->attribute[3] = 3; break;
    case 15: n[5]->shape = n[4]->shape; break;
    case 16: g->output = NULL; break;
    case 17: g->output = arena_new(g->arena, Node); break;
    case 18: g->input = arena_new(g->arena, Node); break;
    case 19: n[2]->in[0] = arena_new(g->arena, Node); n[2]->in[0]->id = 1; break;
    case 20: n[6]->inputs = GRAPH_INPUTS + 1; break;
    default: break;
    }
}

static void every_invariant_is_asked_after_every_pass(void **state) {
    (void)state;
    static const char *const words[] = {
        "its number is not its place", "an operand comes after it", "a needed operand is left out", "an operand is missing", "too many operands",
        "an attribute is not a number", "an attribute is no whole number", "reduces a dimension that is not there", "no order of its dimensions",
        "a weight without a name", "a weight without a name or a file", "the size 0", "changes the number of elements", "its shape is not what its operands make",
        "groups * D == C does not hold", "its shape is not what its operands make", "it has no output", "the output is in no place", "the input is in no place",
        "an operand is in no place", "too many operands",
    };
    for (int how = 0; how < (int)(sizeof words / sizeof *words); how++) {
        Bench *b = bench_new();
        Graph *g = graph_of(b, sound_graph);
        assert_true(graph_verify(g, "read"));
        break_graph(g, how);
        assert_false(graph_verify(g, "some_pass"));
        assert_int_equal(diag_exit_code(b->trial->jre), 70);
        test_message_says(b->trial->jre, "bug", "after `some_pass`", words[how], NULL);
        bench_free(b);
    }
}

/* ---- where nodes come from --------------------------------------------------------------------------------------------------- */

static int line_of(Jre *jre, uint32_t offset) { return place_of(jre, offset).line; }

/* A convolution that took in what three lines say stands for all three of them. */
static void a_fused_node_names_all_its_lines(void **state) {
    (void)state;
    Bench *b = bench_new();
    Graph *g = graph_of(b,
                        "%0 = input() : [N, 4, 2, 2]\n%1 = weight() \"w\" of abc : [4, 4, 1, 1]\n%2 = conv(%0, %1) : [N, 4, 2, 2]\n"
                        "%3 = add(%2, %0) : [N, 4, 2, 2]\n%4 = clamp(%3) low=0 high=6 : [N, 4, 2, 2]\n-> %4\n");
    rewrite_graph(g, PHASE_FUSE);
    assert_int_equal(g->output->op, OP_conv);
    assert_int_equal(line_of(b->trial->jre, g->output->origin->span.start), 3);
    assert_int_equal(line_of(b->trial->jre, g->output->origin->span.end), 5);
    bench_free(b);
}

/* relu is a formula of the library: its line there must hide neither of the two lines of the document. */
static void a_line_of_the_library_hides_none_of_the_document(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_conv(&trial->files, "conv1", 4, 3, 1, false);
    const Program *program = trial_network(trial, "", 8, "y = x |> conv(4, 1) as conv1\nz = relu(y)\nz |> average_pool");
    const Node *conv = NULL;
    for (int i = 0; i < program->step_count; i++)
        if (program->steps[i].node->op == OP_conv) conv = program->steps[i].node;
    assert_non_null(conv);
    assert_true(conv->attribute[4] == 0);
    Span span = origin_user_span(conv->origin);
    const char *text = span_text(trial->jre, span);
    if (!strstr(text, "conv(4, 1)") || !strstr(text, "relu(y)")) fail_msg("the node names only: %s", text);
    assert_int_equal(line_of(trial->jre, span.end), line_of(trial->jre, span.start) + 1);
    trial_free(trial);
}

/* A document's dilation is the convolution's own. */
static void taps_lie_apart_as_the_document_says(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_conv(&trial->files, "conv1", 4, 3, 3, false);
    const Program *program = trial_network(trial, "", 9, "x |> conv(4, 3, dilation = 2, pad = 1, stride = 2) as conv1 |> average_pool");
    const Node *conv = program->steps[0].node;
    assert_int_equal(conv->op, OP_conv);
    assert_true(conv->attribute[0] == 2 && conv->attribute[1] == 1 && conv->attribute[2] == 2);
    assert_true(conv->shape.dim[2] == 4 && conv->shape.dim[3] == 4);
    trial_free(trial);
}

/* Both of one call of a network of the library: the lines there, and the line of the document that called it. */
static void lines_of_one_call_are_joined_in_the_library(void **state) {
    (void)state;
    Trial *trial = trial_new();
    fake_resnet(&trial->files, (int[]){2, 2, 2, 2}, false);
    trial_sound(trial, "use resnet\naugment seen(x: Image) -> Image { x |> fit(64px) }\nnetwork Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {\n"
                       "x |> resnet18(weights = \"some.safetensors\")\n|> average_pool |> unit }\nembed features { network Eye\n view seen }\n");
    const Program *program = trial->c.plan->embeds.at[0]->program;
    for (int i = 0; i < program->step_count; i++) {
        const Node *node = program->steps[i].node;
        if (node->op != OP_conv) continue;
        assert_string_equal(place_of(trial->jre, node->origin->span.start).source->stem, "resnet");
        Place user = place_of(trial->jre, origin_user_span(node->origin).start);
        assert_string_equal(user.source->stem, "v01");
        assert_int_equal(user.line, 7);
    }
    trial_free(trial);
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void find_cases(void) {
    DIR *folder = opendir("tests/graph");
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && !strcmp(dot, ".graph") && case_count < MOST_CASES) snprintf(case_names[case_count++], sizeof *case_names, "%s", entry->d_name);
    }
    if (folder) closedir(folder);
    qsort(case_names, (size_t)case_count, sizeof *case_names, by_name);
}

int main(void) {
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(every_rule_has_cases_where_it_applies_and_where_not),
        cmocka_unit_test(what_is_written_is_read_and_written_again),
        cmocka_unit_test(constants_places_and_diagonals_are_read_too),
        cmocka_unit_test(whole_networks_are_read_again_after_every_pass),
        cmocka_unit_test(a_text_that_is_no_graph_is_refused_at_its_place),
        cmocka_unit_test(broken_texts_do_no_harm),
        cmocka_unit_test(every_invariant_is_asked_after_every_pass),
        cmocka_unit_test(a_fused_node_names_all_its_lines),
        cmocka_unit_test(a_line_of_the_library_hides_none_of_the_document),
        cmocka_unit_test(taps_lie_apart_as_the_document_says),
        cmocka_unit_test(lines_of_one_call_are_joined_in_the_library),
    };
    static struct CMUnitTest tests[MOST_CASES + sizeof others / sizeof *others];
    static int numbers[MOST_CASES];
    size_t count = 0;
    find_cases();
    for (int i = 0; i < case_count; i++) {
        numbers[i] = i;
        tests[count++] = (struct CMUnitTest){case_names[i], passes_make_what_the_case_says, NULL, NULL, &numbers[i]};
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) tests[count++] = others[i];
    return _cmocka_run_group_tests("graph", tests, count, NULL, NULL);
}
