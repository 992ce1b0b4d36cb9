/* settings.c: every type of a setting: what it takes, and what it says of the rest; words with arguments; conditions. */
#include "trial.h"

/* All that the examples of the schema name. */
static const char world[] =
    "dataset jaguars {\n  table \"train.csv\"\n  image \"train/{filename}\"\n  identity \"{individual}\"\n  taken \"{time}\"\n  keep [sex, \"{camera-id}\"]\n}\n"
    "dataset strangers { image \"*.png\" }\n"
    "split folds { data jaguars\n folds 5\n identities shared\n validate 10% }\n"
    "augment plain(x: Image) -> Image[8px, 8px] { x |> fit(8px) }\n"
    "network resnet50(x: Tensor[N, C, H, W]) -> Embedding[N, C] { x |> average_pool |> unit }\n"
    "function coat(x: Image) -> Tensor[1] { 1 }\n"
    "loss ArcFace(e: Embedding[N, d], margin: Angle, scale: Real) -> Tensor[N] { scale }\n"
    "embed features { network resnet50\n view plain }\n"
    "embed coats { network coat\n view plain }\n"
    "train learner { network resnet50\n loss ArcFace(margin = 1rad, scale = 3)\n data folds.train\n view plain\n epochs 3 }\n"
    "boost judge { evidence [cosine(features)]\n target same(identity)\n fit_on folds.others }\n"
    "evaluate cv { similarity cosine(features)\n on folds.held_out\n metrics [map] }\n";

static const TableFacts *fake_table(void *context, const char *path, Span asked_at) {
    (void)context, (void)asked_at;
    static const char *columns[] = {"filename", "individual", "time", "sex", "camera-id", "age"};
    static TableFacts facts = {.columns = {.at = columns, .count = 6}, .rows = 3};
    assert_non_null(strstr(path, "train.csv"));
    return &facts;
}

/* Names of figures stand apart. */
static const Decl *x_of(const Trial *trial, RecordKind kind) { return map_get(&trial->c.scope->names, kind == KIND_figure ? "figure x" : "x"); }

/* `key value` of a record called x, with all that its kind needs besides; NULL as value: not written. */
static Trial *trial_setting(RecordKind kind, const char *key, const char *value, const char *more, Value **found) {
    Trial *trial = trial_new();
    Arena *arena = &trial->jre->forever;
    const char *record = arena_print(arena, "%s x {", kind_name(kind));
    for (int i = 0; i < schema_key_count; i++)
        if (schema_keys[i].kind == kind && schema_keys[i].needed && strcmp(schema_keys[i].name, key) != 0)
            record = arena_print(arena, "%s\n  %s %s", record, schema_keys[i].name, schema_example(&schema_keys[i]));
    if (kind == KIND_dataset && strcmp(key, "table") != 0) record = arena_print(arena, "%s\n  table \"train.csv\"", record);
    if (value) record = arena_print(arena, "%s\n  %s %s", record, key, value);
    trial->request.path = trial_file(trial, "v01.jre", arena_print(arena, "# Trial\n\n```jre\n%s%s\n}\n%s\n```\n", world, record, more));
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}, .facts = fake_facts(&trial->files), .with_data = true};
    trial->c.facts.table = fake_table;
    if (!resolve_program(&trial->c, &trial->request)) fail_msg("%s\n%s", record, test_messages(trial->jre));
    const Decl *decl = x_of(trial, kind);
    *found = setting_value(&trial->c, decl, key, NULL);
    assert_ptr_equal(setting_value(&trial->c, decl, key, NULL), *found);
    return trial;
}

static Value *taken(Trial **trial, RecordKind kind, const char *key, const char *value, const char *more) {
    Value *v = NULL;
    *trial = trial_setting(kind, key, value, more, &v);
    if (diag_any_error((*trial)->jre)) fail_msg("%s %s:\n%s", key, value ? value : "", test_messages((*trial)->jre));
    if (v) assert_int_not_equal(v->kind, VALUE_NONE);
    return v;
}

static void refused(RecordKind kind, const char *key, const char *value, const char *more, const char *code, const char *words) {
    Value *v = NULL;
    Trial *trial = trial_setting(kind, key, value, more, &v);
    assert_non_null(v);
    if (v->kind != VALUE_NONE || diag_count(trial->jre, SEVERITY_ERROR) != 1) fail_msg("%s %s gave:\n%s", key, value, test_messages(trial->jre));
    test_message_says(trial->jre, code, words, NULL);
    trial_free(trial);
}

/* ---- the schema ------------------------------------------------------------------------------------------------------------- */

static void every_example_and_every_default_passes_its_own_check(void **state) {
    (void)state;
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        Trial *trial;
        assert_true(*key->sentence && *schema_example(key));
        assert_non_null(taken(&trial, key->kind, key->name, schema_example(key), ""));
        trial_free(trial);
        if (key->needed) continue;
        Value *v = taken(&trial, key->kind, key->name, key->kind == KIND_dataset && !strcmp(key->name, "table") ? "\"train.csv\"" : NULL, "");
        if (strcmp(key->name, "table") != 0) assert_int_equal(v != NULL, *key->fallback != 0);
        if (v && *key->fallback) assert_int_equal(v->span.start, x_of(trial, key->kind)->statement->name_span.start);
        trial_free(trial);
    }
}

static void every_word_of_a_place_is_read_by_the_parser(void **state) {
    (void)state;
    for (int i = 0; i < place_word_count; i++) {
        const PlaceWord *word = &place_words[i];
        Jre *jre = jre_new();
        const char *text = arena_print(&jre->forever, "function %s%s -> %s%s%s { builtin }", word->word, word->parameters, word->type, *word->where ? " where " : "", word->where);
        Chunk *chunk = parse_chunk(jre, source_from_text(jre, word->word, text, strlen(text)));
        if (diag_any_error(jre) || chunk->statements.count != 1) fail_msg("%s:\n%s", text, test_messages(jre));
        assert_non_null(place_find(word->type));
        assert_ptr_equal(place_word(word->type, word->word), word);
        assert_true(*word->sentence);
        jre_free(jre);
    }
}

static bool is_told(const char *word, const char *role) {
    for (int i = 0; i < word_row_count; i++)
        if (!strcmp(word_rows[i].word, word) && (!role || !strcmp(word_rows[i].role, role))) return true;
    return false;
}

static void every_type_and_every_word_of_the_schema_is_explained(void **state) {
    (void)state;
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        if (!place_find(key->type) && !is_told(key->type, "type")) fail_msg("no sentence says what a %s is", key->type);
        if (strstr(key->allowed, "..")) continue;
        char word[64];
        for (const char *at = key->allowed; *at; at += strspn(at, " ")) {
            snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " "), at);
            if (!is_told(word, NULL) && kind_find(word) == KIND_NONE && !schema_find(KIND_dataset, word)) fail_msg("no sentence says what `%s` is", word);
            at += strlen(word);
        }
    }
}

/* ---- one type after the other -------------------------------------------------------------------------------------------------- */

static void words_are_among_those_of_their_place(void **state) {
    (void)state;
    Trial *trial;
    assert_string_equal(taken(&trial, KIND_split, "identities", "disjoint", "")->text, "disjoint");
    trial_free(trial);
    assert_string_equal(taken(&trial, KIND_split, "identities", "disjoint", "disjoint = 3")->text, "disjoint");
    trial_free(trial);
    assert_string_equal(taken(&trial, KIND_split, "identities", "how", "how = shared")->text, "shared");
    trial_free(trial);
    refused(KIND_split, "identities", "disjiont", "", "wrong_type", "did you mean `disjoint`?  (safe)");
    refused(KIND_split, "identities", "3", "", "wrong_type", "`identities` is one of: shared, disjoint");
    refused(KIND_split, "identities", "how", "how = each [shared, disjoint]", "undecided_choice", "several values");
    refused(KIND_split, "identities", "how", "how = how", "already_named", "made of itself");
    refused(KIND_split, "together", "bursts", "", "wrong_type", "`together` is: burst");
}

static void numbers_have_a_unit_and_a_range(void **state) {
    (void)state;
    Trial *trial;
    assert_true(taken(&trial, KIND_train, "epochs", "many / 2", "many = 61")->number == 30);
    trial_free(trial);
    assert_true(value_bare(taken(&trial, KIND_split, "validate", "70%", "")) == 0.7);      /* which 70 * 0.01 is not */
    trial_free(trial);
    refused(KIND_train, "epochs", "0", "", "wrong_type", "a whole number from 1 to 1000000 was expected");
    refused(KIND_train, "epochs", "2.5", "", "wrong_type", "a whole number from 1");
    refused(KIND_train, "epochs", "30s", "", "wrong_unit", "`epochs` of `train` is an Int");
    refused(KIND_train, "epochs", "\"30\"", "", "wrong_type", "this is a text");
    refused(KIND_split, "validate", "100%", "", "wrong_type", "a share from 1% to 90% was expected");
    refused(KIND_split, "validate", "8px", "", "wrong_unit", "a share is written in %");
    refused(KIND_figure, "width", "800", "", "wrong_unit", "a length, but in what?");
    refused(KIND_figure, "width", "8px", "", "wrong_type", "a length from 16px to 16384px");
    refused(KIND_train, "clip", "1s", "", "wrong_unit", "a number was expected");
    refused(KIND_train, "epochs", "nowhere", "", "unknown_name", "nothing here is called `nowhere`");
}

static void texts_templates_and_columns(void **state) {
    (void)state;
    Trial *trial;
    assert_string_equal(taken(&trial, KIND_evaluate, "notes", "words", "words = \"first\"")->text, "first");
    trial_free(trial);
    assert_string_equal(taken(&trial, KIND_dataset, "image", "\"a/{b}/{c}.png\"", "")->text, "a/{b}/{c}.png");
    trial_free(trial);
    assert_string_equal(taken(&trial, KIND_dataset, "identity", "\"{camera-id}\"", "")->text, "camera-id");
    trial_free(trial);
    Value *alpha = taken(&trial, KIND_dataset, "mask", "alpha", "");
    assert_int_equal(alpha->kind, VALUE_WORD);
    trial_free(trial);
    refused(KIND_evaluate, "notes", "words", "", "wrong_type", "notes \"words\"");
    refused(KIND_evaluate, "notes", "cv", "", "wrong_type", "a text in quotes was expected, this is an evaluation");
    refused(KIND_dataset, "image", "\"a/{b.png\"", "", "wrong_type", "a `{` without its `}`");
    refused(KIND_dataset, "image", "\"a/b}.png\"", "", "wrong_type", "a `}` without its `{`");
    refused(KIND_dataset, "image", "\"a/{}.png\"", "", "wrong_type", "no name stands in these braces");
    refused(KIND_dataset, "identity", "\"sex\"", "", "wrong_type", "identity \"{sex}\"");
    refused(KIND_dataset, "identity", "\"{a}-{b}\"", "", "wrong_type", "one column of the table was expected");
    refused(KIND_dataset, "mask", "gamma", "", "wrong_type", "a text in quotes was expected");
}

static void lists_are_read_item_by_item(void **state) {
    (void)state;
    Trial *trial;
    Value *v = taken(&trial, KIND_split, "shares", "[80%, 10%, 0.1]", "");
    assert_int_equal(v->items.count, 3);
    assert_string_equal(v->items.at[1]->text, "validate");
    trial_free(trial);
    v = taken(&trial, KIND_split, "shares", "parts", "parts = [past = 80%, future = 20%]");
    assert_string_equal(v->items.at[1]->text, "future");
    trial_free(trial);
    v = taken(&trial, KIND_train, "rates", "[head = 1e-3, backbone = 1e-5]", "");
    assert_string_equal(v->items.at[0]->text, "head");
    trial_free(trial);
    v = taken(&trial, KIND_dataset, "keep", "[sex, \"{camera-id}\"]", "");
    assert_string_equal(v->items.at[1]->text, "camera-id");
    trial_free(trial);
    assert_int_equal(taken(&trial, KIND_ensemble, "weights", "[0.6, 0.4]", "")->items.count, 2);
    trial_free(trial);
    refused(KIND_split, "shares", "[80%, 30%]", "", "wrong_type", "these shares add up to 110%");
    refused(KIND_split, "shares", "[100%]", "", "wrong_type", "at least two shares");
    refused(KIND_split, "shares", "80%", "", "wrong_type", "a list of shares was expected");
    refused(KIND_split, "shares", "[25%, 25%, 25%, 25%]", "", "wrong_argument", "these parts have no names");
    refused(KIND_split, "shares", "[a = 50%, 50%]", "", "wrong_argument", "some of these parts have no name");
    refused(KIND_split, "shares", "[a = 50%, a = 50%]", "", "already_named", "a second part is called `a`");
    refused(KIND_split, "shares", "[50%, 50px]", "", "wrong_unit", "a share is written in %");
    refused(KIND_train, "rates", "[1e-3]", "", "wrong_argument", "which part of the network");
    refused(KIND_dataset, "keep", "sex", "", "wrong_type", "a list of columns was expected");
    refused(KIND_dataset, "keep", "[sexx]", "", "unknown_name", "did you mean `sex`?");
    refused(KIND_ensemble, "weights", "learnt", "", "unknown_name", "did you mean `learned`?");
    refused(KIND_ensemble, "weights", "[0.6, \"0.4\"]", "", "wrong_type", "a number from 0");
    refused(KIND_evaluate, "metrics", "[first = map]", "", "wrong_argument", "has no names");
}

static void what_is_declared_elsewhere_is_of_the_kind_wanted(void **state) {
    (void)state;
    Trial *trial;
    assert_int_equal(taken(&trial, KIND_split, "data", "folds.train", "")->kind, VALUE_PART);
    trial_free(trial);
    assert_int_equal(taken(&trial, KIND_embed, "network", "learner", "")->kind, VALUE_RECORD);
    trial_free(trial);
    assert_int_equal(taken(&trial, KIND_embed, "network", "coat", "")->kind, VALUE_FORMULA);
    trial_free(trial);
    assert_int_equal(taken(&trial, KIND_embed, "view", "[plain, plain]", "")->items.count, 2);
    trial_free(trial);
    assert_int_equal(taken(&trial, KIND_evaluate, "similarity", "judge", "")->kind, VALUE_RECORD);
    trial_free(trial);
    assert_int_equal(taken(&trial, KIND_train, "start", "learner", "")->kind, VALUE_RECORD);
    trial_free(trial);
    refused(KIND_split, "data", "folds", "", "wrong_type", "for instance: folds.train");
    refused(KIND_split, "data", "3", "", "wrong_type", "a dataset or a part of a split was expected, this is a number");
    refused(KIND_embed, "network", "plain", "", "wrong_type", "a network was expected, this is an augment");
    refused(KIND_embed, "network", "average_pool", "", "wrong_type", "this is a function");
    refused(KIND_train, "loss", "cosine", "", "wrong_type", "a loss was expected, this is a function");
    refused(KIND_embed, "view", "[plain, 3]", "", "wrong_type", "an augment was expected, this is a number");
    refused(KIND_embed, "view", "[]", "", "wrong_type", "an augment, or a list of them was expected");
    refused(KIND_evaluate, "similarity", "alike", "alike = 3", "wrong_type", "- this is a number");
    refused(KIND_boost, "evidence", "[cosine(features), cv]", "", "wrong_type", "a similarity was expected, this is an evaluation");
    refused(KIND_train, "start", "cv", "", "wrong_type", "a file of weights, or a `train`");
}

/* ---- words with arguments ------------------------------------------------------------------------------------------------------------ */

static void options_have_all_their_arguments(void **state) {
    (void)state;
    Trial *trial;
    Value *v = taken(&trial, KIND_train, "batches", "balanced(16, images = 4)", "");
    assert_string_equal(v->type, "Batches");
    assert_true(option_argument(v, "identities")->number == 16 && option_argument(v, "images")->number == 4 && !option_argument(v, "negatives"));
    trial_free(trial);
    v = taken(&trial, KIND_train, "optimizer", "pick", "pick = sgd(learning_rate = 1e-3)");
    assert_true(option_argument(v, "momentum")->number == 0 && option_argument(v, "learning_rate")->number == 1e-3);
    assert_false(option_argument(v, "nesterov")->truth);
    trial_free(trial);
    v = taken(&trial, KIND_train, "keep", "best(folds.validate)", "");
    assert_string_equal(option_argument(v, "by")->text, "map");
    assert_int_equal(option_argument(v, "part")->kind, VALUE_PART);
    trial_free(trial);
    v = taken(&trial, KIND_figure, "show", "neighbors(cv, top = 3)", "");
    assert_string_equal(option_argument(v, "lines")->text, "none");
    trial_free(trial);
    v = taken(&trial, KIND_figure, "show", "neighbors(cv, lines = cosine(features))", "");
    assert_int_equal(option_argument(v, "lines")->kind, VALUE_SIMILARITY);
    trial_free(trial);
    v = taken(&trial, KIND_figure, "show", "ladder([cv, cv])", "");
    assert_int_equal(option_argument(v, "results")->items.count, 2);
    trial_free(trial);
    v = taken(&trial, KIND_dataset, "burst", "within(time, 2min)", "");
    assert_string_equal(option_argument(v, "column")->text, "time");
    trial_free(trial);
    assert_string_equal(taken(&trial, KIND_dataset, "burst", "\"{sex}\"", "")->text, "sex");
    trial_free(trial);
}

static void options_are_refused_like_calls(void **state) {
    (void)state;
    refused(KIND_train, "batches", "balance(identities = 16, images = 4)", "", "unknown_name", "did you mean `balanced`?  (safe)");
    refused(KIND_train, "batches", "64", "", "wrong_type", "a way to draw batches was expected");
    refused(KIND_train, "schedule", "adamw", "", "unknown_name", "`adamw` is a word of `optimizer`");
    refused(KIND_train, "batches", "balanced(identites = 16, images = 4)", "", "wrong_argument", "did you mean `identities`?");
    refused(KIND_train, "batches", "balanced(identities = 16)", "", "wrong_argument", "`balanced` still needs its `images`");
    refused(KIND_train, "batches", "shuffled(64, size = 3)", "", "wrong_argument", "given a second time");
    refused(KIND_train, "batches", "shuffled(64, 3)", "", "wrong_argument", "takes no further argument");
    refused(KIND_train, "batches", "shuffled(size = 1.5)", "", "wrong_unit", "a whole number was expected");
    refused(KIND_train, "batches", "shuffled(size = \"x\")", "", "wrong_type", "`size` of `shuffled` is to be Int");
    refused(KIND_train, "batches", "shuffled(size = 0)", "", "broken_condition", "`shuffled` asks that size >= 1");
    refused(KIND_dataset, "burst", "near_duplicates(within = 80)", "", "broken_condition", "within <= 20");
    refused(KIND_dataset, "burst", "within(tiem, 2min)", "", "unknown_name", "did you mean `time`?");
    refused(KIND_dataset, "burst", "within(time, 2)", "", "wrong_unit", "a time, but in what?");
    refused(KIND_train, "stop", "when(learner, map, patience = 8)", "", "wrong_type", "a dataset or a part of a split was expected, this is a training");
    refused(KIND_train, "keep", "best(folds.validate, by = mapp)", "", "unknown_name", "no metric is called so");
    refused(KIND_figure, "show", "bars(features)", "", "wrong_type", "`result` of `bars`");
    refused(KIND_boost, "target", "same(3)", "", "wrong_type", "is a role or a column");
    refused(KIND_boost, "target", "same(flank)", "", "unknown_name", "`jaguars` does not say its `flank`");
}

static void words_named_through_thousands_of_names_end(void **state) {
    (void)state;
    char *more = malloc(200000), *at = more;
    assert_non_null(more);
    for (int i = 0; i < 5000; i++) at += sprintf(at, "a%d = a%d\n", i, i + 1);
    sprintf(at, "a5000 = shuffled(3)\n");
    refused(KIND_train, "batches", "a0", more, "too_deep", "other expressions");
    free(more);
}

/* ---- conditions ---------------------------------------------------------------------------------------------------------------------- */

static void conditions_name_roles_measures_and_columns(void **state) {
    (void)state;
    static const char *const of_pictures[] = {"width >= 50px and height >= 50px", "sex != \"unknown\"", "not (age < 3 or individual == \"Bernard\")", "\"{camera-id}\" == 7",
                                              "age", "-1 <= age", "true"};
    static const char *const of_pairs[] = {"not same(burst)", "same(sex) and width > 50px", "same(\"{camera-id}\")", "not same(burst) or sex == \"f\""};
    Trial *trial;
    for (size_t i = 0; i < sizeof of_pictures / sizeof *of_pictures; i++) {
        Value *v = taken(&trial, KIND_dataset, "only", of_pictures[i], "");
        assert_int_equal(v->kind, VALUE_CONDITION);
        assert_non_null(v->condition);
        trial_free(trial);
    }
    for (size_t i = 0; i < sizeof of_pairs / sizeof *of_pairs; i++) {
        assert_int_equal(taken(&trial, KIND_evaluate, "gallery", of_pairs[i], "")->kind, VALUE_CONDITION);
        trial_free(trial);
    }
}

static void conditions_of_other_things_are_refused(void **state) {
    (void)state;
    refused(KIND_dataset, "only", "width >= 50", "", "wrong_unit", "a length, but in what?");
    refused(KIND_dataset, "only", "50px", "", "wrong_type", "a condition was expected");
    refused(KIND_dataset, "only", "width", "", "wrong_type", "`width` is a length: compare it");
    refused(KIND_dataset, "only", "width == \"wide\"", "", "wrong_type", "`width` is compared with a length");
    refused(KIND_dataset, "only", "sxe == \"f\"", "", "unknown_name", "did you mean `sex`?");
    refused(KIND_dataset, "only", "weight > 3", "", "unknown_name", "its columns are: filename individual time sex camera-id age");
    refused(KIND_dataset, "only", "flank == \"left\"", "", "unknown_name", "`x` does not say its `flank`");
    refused(KIND_dataset, "only", "3 < 4", "", "wrong_type", "no column is compared here");
    refused(KIND_dataset, "only", "age + 1 > 4", "", "wrong_type", "a column, a number or a text was expected here");
    refused(KIND_dataset, "only", "same(sex)", "", "wrong_type", "`same` compares two pictures");
    refused(KIND_evaluate, "gallery", "sane(burst)", "", "unknown_name", "did you mean `same`?");
    refused(KIND_evaluate, "gallery", "largest(burst)", "", "unknown_name", "a condition calls only `same`");
    refused(KIND_evaluate, "gallery", "same(identity)", "", "wrong_type", "it cannot choose the answers");
    refused(KIND_evaluate, "gallery", "identity != \"Bernard\"", "", "wrong_type", "it cannot choose the answers");
    refused(KIND_evaluate, "gallery", "same(age)", "", "unknown_name", "`jaguars` does not keep a column `age`");
    refused(KIND_evaluate, "gallery", "same(sxe)", "", "unknown_name", "has no column `sxe`");
    refused(KIND_evaluate, "gallery", "same(flank)", "", "unknown_name", "does not say its `flank`");
    refused(KIND_evaluate, "gallery", "same(burst, sex)", "", "wrong_argument", "takes no further argument");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_and_every_default_passes_its_own_check),
        cmocka_unit_test(every_word_of_a_place_is_read_by_the_parser),
        cmocka_unit_test(every_type_and_every_word_of_the_schema_is_explained),
        cmocka_unit_test(words_are_among_those_of_their_place),
        cmocka_unit_test(numbers_have_a_unit_and_a_range),
        cmocka_unit_test(texts_templates_and_columns),
        cmocka_unit_test(lists_are_read_item_by_item),
        cmocka_unit_test(what_is_declared_elsewhere_is_of_the_kind_wanted),
        cmocka_unit_test(options_have_all_their_arguments),
        cmocka_unit_test(options_are_refused_like_calls),
        cmocka_unit_test(words_named_through_thousands_of_names_end),
        cmocka_unit_test(conditions_name_roles_measures_and_columns),
        cmocka_unit_test(conditions_of_other_things_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
