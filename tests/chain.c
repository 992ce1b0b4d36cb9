/* chain.c: documents and names: what a chain of documents, its overlays and its modules make of a name. Nothing is planned here. */
#include "trial.h"

static void beside(Trial *trial, const char *name, const char *chunk) { trial_file(trial, name, arena_print(&trial->jre->forever, "# A\n\n```jre\n%s\n```\n", chunk)); }

/* The last document of a chain, resolved. */
static bool resolved(Trial *trial, const char *name, const char *chunk) {
    beside(trial, name, chunk);
    trial->request.path = trial->written.at[trial->written.count - 1];
    compilation_free(&trial->c);
    trial->c = (Compilation){.jre = trial->jre, .arena = {.jre = trial->jre}};
    return trial->good = resolve_program(&trial->c, &trial->request);
}

static void sound(Trial *trial, const char *name, const char *chunk) {
    if (resolved(trial, name, chunk)) return;
    char *text = test_messages(trial->jre);
    fail_msg("%s\n%s", chunk, text);
}

static Scope *quoted(Trial *trial, const Scope *from, const char *name) { return scope_named(&trial->c, from, intern(trial->jre, name)); }

static Decl *declared(Trial *trial, const Scope *scope, const char *name) { return map_get(&scope->names, intern(trial->jre, name)); }

/* What an equation says, in a scope's own names; "" if there is none. */
static const char *says(Trial *trial, const Scope *scope, const char *name) {
    const Decl *decl = declared(trial, scope, name);
    return decl ? expr_text(trial->jre, decl->value) : "";
}

/* The setting's value as written; "" without one. */
static const char *set(Trial *trial, const Scope *scope, const char *name, const char *key) {
    const Decl *decl = declared(trial, scope, name);
    for (int i = 0; decl && i < decl->settings.count; i++)
        if (!strcmp(decl->settings.at[i].key, key)) return expr_text(trial->jre, decl->settings.at[i].value);
    return "";
}

static const char split[] = "split folds {\n  data animals\n  folds 2\n  identities shared\n}\n";

/* ---- ancestors -------------------------------------------------------------------------------------------------- */

static void an_ancestor_is_a_flat_program_of_its_own(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", "side = 8px\nwide = side * 2");
    beside(trial, "v02.jre", "extends \"v01.jre\"\nchange side = 16px\nnew = 3\nremove wide");
    sound(trial, "v03.jre", "extends \"v02.jre\"\nchange side = 32px\nremove new");
    Scope *own = trial->c.scope, *second = quoted(trial, own, "v02"), *first = quoted(trial, own, "v01");
    assert_string_equal(says(trial, own, "side"), "32px");
    assert_string_equal(says(trial, second, "side"), "16px");
    assert_string_equal(says(trial, first, "side"), "8px");
    assert_string_equal(says(trial, second, "new"), "3");
    assert_string_equal(says(trial, second, "wide"), "");
    assert_string_equal(says(trial, first, "wide"), "side * 2");
    assert_ptr_equal(declared(trial, first, "wide")->scope, first);
    assert_ptr_not_equal(declared(trial, first, "side"), declared(trial, second, "side"));
    assert_ptr_equal(quoted(trial, own, "v02"), second);          /* made once */
    assert_ptr_equal(quoted(trial, second, "v01"), first);
    assert_ptr_equal(quoted(trial, own, "v03"), own);
    assert_null(quoted(trial, second, "v03"));                    /* no ancestor of v02 */
    assert_null(quoted(trial, own, "v04"));
    trial_free(trial);
}

static void overlays_lie_over_ancestors_where_the_name_exists(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "over.jre", "change side = 1px\nchange late = 2px\nremove gone\nfresh = 5\nchange folds { seed 4\n folds 6 }");
    trial_with(trial, trial->written.at[0]);
    trial_set(trial, "side=9px");
    trial_set(trial, "folds.seed=8");
    trial_set(trial, "late=7px");
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "side = 8px\ngone = 1\n%s", split));
    beside(trial, "v02.jre", "extends \"v01.jre\"\nlate = 8px\nremove gone");
    sound(trial, "v03.jre", "extends \"v02.jre\"\nremove folds\nchange side = 3px");
    Scope *own = trial->c.scope, *second = quoted(trial, own, "v02"), *first = quoted(trial, own, "v01");
    assert_string_equal(says(trial, own, "side"), "9px");         /* --set beats --with beats the chain */
    assert_string_equal(says(trial, first, "side"), "9px");
    assert_string_equal(says(trial, second, "late"), "7px");
    assert_string_equal(says(trial, first, "late"), "");
    assert_string_equal(says(trial, first, "gone"), "");
    assert_string_equal(says(trial, first, "fresh"), "5");
    assert_string_equal(set(trial, first, "folds", "seed"), "8");
    assert_string_equal(set(trial, second, "folds", "folds"), "6");
    trial_free(trial);
}

static void what_no_document_of_the_chain_has_cannot_be_changed(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "over.jre", "change sides = 1px");
    trial_with(trial, trial->written.at[0]);
    beside(trial, "v01.jre", "side = 8px");
    assert_false(resolved(trial, "v02.jre", "extends \"v01.jre\"\nwide = 3"));
    quoted(trial, trial->c.scope, "v01");
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);   /* told once, though v01 has the same overlay */
    test_message_says(trial->jre, "unknown_name", "did you mean `side`", NULL);
    trial_free(trial);
}

static void a_mistake_of_an_ancestor_is_told_once(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", "side = 8px\nside = 9px\nremove nobody\nsplit folds { folds 2\n sed 3 }");
    assert_false(resolved(trial, "v02.jre", "extends \"v01.jre\"\nwide = 3"));
    int findings = diag_count(trial->jre, SEVERITY_NOTE);
    assert_non_null(quoted(trial, trial->c.scope, "v01"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), findings);
    test_message_says(trial->jre, "unknown_key", NULL);
    trial_free(trial);
}

static void before_a_dot_a_module_wins_then_what_is_declared_then_an_ancestor(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "eyes.jre", "small = 1");
    beside(trial, "folds.jre", "views = 1");
    beside(trial, "side.jre", "extends \"folds.jre\"\nuse eyes");
    sound(trial, "v03.jre", arena_print(&trial->jre->forever, "extends \"side.jre\"\n%s\neyes = 3", split));
    Scope *own = trial->c.scope, *module = quoted(trial, own, "eyes");
    assert_non_null(module);
    assert_null(module->document);
    assert_string_equal(says(trial, module, "small"), "1");
    assert_null(quoted(trial, own, "folds"));                     /* the split, not the document of this name */
    assert_ptr_equal(quoted(trial, own, "side")->document->parent, trial->c.document->parent->parent);
    assert_null(quoted(trial, own, "views"));                     /* core's own modules are no names */
    assert_null(quoted(trial, module, "side"));                   /* a module sees no document */
    trial_free(trial);
}

/* ---- change, remove ------------------------------------------------------------------------------------------------ */

/* v02 over a v01 that declares `side`, `head` and a split: the one mistake it makes. */
static void refused(const char *chunk, const char *code, const char *words) {
    Trial *trial = trial_new();
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "side = 8px\nhead = 1\n%s", split));
    if (resolved(trial, "v02.jre", arena_print(&trial->jre->forever, "extends \"v01.jre\"\n%s", chunk))) fail_msg("nothing was found wrong with:\n%s", chunk);
    if (diag_count(trial->jre, SEVERITY_ERROR) != 1) {
        char *text = test_messages(trial->jre);
        fail_msg("%s\n%s", chunk, text);
    }
    test_message_says(trial->jre, code, words, NULL);
    trial_free(trial);
}

static void a_document_changes_each_thing_once_and_only_what_it_inherits(void **state) {
    (void)state;
    refused("change side = 1px\nchange side = 2px", "already_named", "here first");
    refused("change folds { seed 1 }\nchange folds { folds 3 }\nchange folds { seed 2 }", "already_named", "`seed` is set a second time");
    refused("change folds { seed default }\nchange folds { seed 2 }", "already_named", "`seed` is set a second time");
    refused("change new = 3\nnew = 2", "already_named", "`new` is declared in this document");
    refused("remove side\nside = 1px\nchange side = 2px", "already_named", "`side` is declared in this document");
    refused("remove side\nchange side = 2px", "unknown_name", "removed by this document itself");
    refused("remove side\nremove side", "already_named", "a second time");
    refused("new = 2\nremove new", "already_named", "take out the declaration");
    refused("side = 9px", "already_named", "comes from");
    refused("new = 9px\nsplit new {\n  data animals\n  identities shared\n}", "already_named", "one of the two");
    refused("remove relu", "unknown_name", "belongs to a library");
}

static void the_order_of_a_document_does_not_matter(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "side = 8px\n%s", split));
    sound(trial, "v02.jre", "side = new\nnew = 2px\nchange folds { seed 3 }\nremove side\nextends \"v01.jre\"\nchange folds { folds 5 }");
    const Scope *own = trial->c.scope;
    assert_string_equal(says(trial, own, "side"), "new");
    assert_string_equal(set(trial, own, "folds", "folds"), "5");
    assert_string_equal(set(trial, own, "folds", "seed"), "3");
    trial_free(trial);
}

/* ---- like -------------------------------------------------------------------------------------------------------------- */

static void like_copies_as_the_document_leaves_the_original(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", split);
    beside(trial, "v02.jre", "extends \"v01.jre\"\nsplit third like second { seed 4 }\nsplit second like folds { folds 7 }\nchange folds { seed 2 }\n"
                             "split old like v01.folds { data others }\nothers = animals");
    sound(trial, "v03.jre", "extends \"v02.jre\"\nchange folds { seed 9 }\nsplit fourth like v02.folds { folds 3 }");
    const Scope *own = trial->c.scope;
    assert_string_equal(set(trial, own, "second", "seed"), "2");  /* v02's change reaches its copies, v03's does not */
    assert_string_equal(set(trial, own, "second", "folds"), "7");
    assert_string_equal(set(trial, own, "third", "folds"), "7");
    assert_string_equal(set(trial, own, "third", "seed"), "4");
    assert_string_equal(set(trial, own, "old", "seed"), "");
    assert_string_equal(set(trial, own, "old", "data"), "others");
    assert_string_equal(set(trial, own, "fourth", "seed"), "2");
    assert_string_equal(set(trial, own, "fourth", "folds"), "3");
    trial_free(trial);
}

static void like_needs_a_record_of_its_kind_that_is_not_itself(void **state) {
    (void)state;
    refused("split b like side { folds 3 }", "wrong_type", "this is no `split`");
    refused("split b like nobody { folds 3 }", "unknown_name", "no `split` of this name");
    refused("split b like v07.folds { folds 3 }", "unknown_name", "no `split` of this name");
    refused("split b like v01.folds.train { folds 3 }", "unknown_name", "no `split` of this name");
    refused("split a like b { folds 3 }\nsplit b like c { }\nsplit c like a { }", "circular", "leads back to `a`");
    refused("remove folds\nsplit folds like folds { folds 3 }", "circular", "leads back to `folds`");
}

static void long_chains_of_copies_end(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text text = {.jre = trial->jre};
    for (int i = 0; i < 20000; i++) text_add(&text, "split s%d like s%d { seed %d }\n", i, i + 1, i);
    text_add(&text, "split s20000 {\n  data animals\n  identities shared\n}\n");
    sound(trial, "v01.jre", text.at);
    assert_string_equal(set(trial, trial->c.scope, "s0", "data"), "animals");
    text_free(&text);
    trial_free(trial);
}

/* ---- accept ------------------------------------------------------------------------------------------------------------ */

static void an_accept_is_inherited_until_its_declaration_changes(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "%ssplit b like folds { seed 3 }\nsplit d like folds { seed 3 }\naccept leaking_burst for folds because \"few\"\n"
                                                               "accept leaking_burst for b because \"few\"\naccept leaking_burst for d because \"few\"\n", split));
    sound(trial, "v02.jre", "extends \"v01.jre\"\naccept leaking_identity for folds because \"I know\"\nchange folds { seed 2 }\nremove d");
    assert_int_equal(trial->c.scope->accepts.count, 2);
    assert_string_equal(trial->c.scope->accepts.at[0]->subject, "b");
    assert_string_equal(trial->c.scope->accepts.at[1]->name, "leaking_identity");
    trial_free(trial);
}

static void only_checks_of_meaning_can_be_accepted(void **state) {
    (void)state;
    refused("accept shape_mismatch for folds because \"no\"", "wrong_argument", "cannot be overruled");
    refused("accept unknown_name for folds because \"no\"", "wrong_argument", "cannot be overruled");
    refused("accept leaking_bursts for folds because \"no\"", "unknown_name", "did you mean `leaking_burst`");
    refused("accept nonsense for folds because \"no\"", "unknown_name", "no check is called");
    refused("accept leaking_burst for fold because \"no\"", "unknown_name", "did you mean `folds`");
    refused("accept leaking_burst for folds because \"no\"\nremove folds\naccept mirrored_flank for side because \"yes\"", "unknown_name", "nothing here is called `folds`");
}

/* ---- names of modules ---------------------------------------------------------------------------------------------------- */

static void a_document_takes_a_name_of_the_library_only_where_nobody_used_that(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", "side = 8px\nlikeness = cosine(features)\naugment plain(x: Image) -> Image { x |> fit(side, fill = gray) }");
    sound(trial, "v02.jre", "extends \"v01.jre\"\ngray = 3\nfunction relu(x: Tensor[N]) -> Tensor[N] { x }\nrelued = relu");
    assert_false(resolved(trial, "v03.jre", "extends \"v02.jre\"\ncosine = 3\nfunction relu6(x: Tensor[N]) -> Tensor[N] { x }\n"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    test_message_says(trial->jre, "already_named", "v01.jre:5", "v03.jre:5", "scores.jre", NULL);
    trial_free(trial);
    trial = trial_new();
    beside(trial, "over.jre", "fit = 3");
    trial_with(trial, trial->written.at[0]);
    assert_false(resolved(trial, "v01.jre", "augment plain(x: Image) -> Image { x |> fit(8px) }"));
    test_message_says(trial->jre, "already_named", "over.jre:4", NULL);
    trial_free(trial);
}

static void a_name_of_two_modules_is_written_with_its_module(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "eyes.jre", "small = 1\nonly = 2");
    beside(trial, "ears.jre", "small = 3\nother = 4");
    beside(trial, "v01.jre", "use eyes\nwide = small + only");
    assert_false(resolved(trial, "v02.jre", "extends \"v01.jre\"\nuse ears\nthin = other + eyes.small"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    test_message_says(trial->jre, "already_named", "two modules have a `small`", "eyes.small", "(safe)", NULL);
    assert_false(resolved(trial, "v03.jre", "use ears\nuse eyes\nthin = small"));
    assert_int_equal(diag_count(trial->jre, SEVERITY_NOTE), 1);
    char *text = test_messages(trial->jre);
    assert_null(strstr(text, "(safe)"));
    free(text);
    sound(trial, "v04.jre", "use ears\nuse eyes\nsmall = 5\nthin = small");
    sound(trial, "v05.jre", "use ears\nuse eyes\nfunction f(x: Tensor[N], small: Int = 2) -> Tensor[N] { x * small }");
    trial_free(trial);
}

static void a_module_sees_itself_its_own_uses_and_core(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "inner.jre", "deep = 1");
    beside(trial, "eyes.jre", "use inner\nsmall = deep + side");
    sound(trial, "v01.jre", "use eyes\nside = 8px\ndeep = 2");
    const Scope *own = trial->c.scope, *eyes = quoted(trial, own, "eyes");
    assert_non_null(scope_find(own, intern(trial->jre, "small")));
    assert_null(scope_find(eyes, intern(trial->jre, "side")));
    assert_string_equal(expr_text(trial->jre, scope_find(eyes, intern(trial->jre, "deep"))->value), "1");
    assert_non_null(scope_find(eyes, intern(trial->jre, "relu")));
    assert_null(quoted(trial, own, "inner"));
    assert_non_null(quoted(trial, eyes, "inner"));
    trial_free(trial);
}

/* ---- jre show ---------------------------------------------------------------------------------------------------------------- */

/* What is printed, read in another folder and printed again, is the same text. */
static void flat_is_flat(Trial *trial, const char *const *words) {
    Text text = {.jre = trial->jre}, second = {.jre = trial->jre};
    print_flat_program(&trial->c, &text);
    for (int i = 0; words[i]; i++)
        if (!strstr(text.at, words[i])) fail_msg("`%s` is not in:\n%s", words[i], text.at);
    assert_null(strstr(text.at, "extends"));
    print_flat_program(&trial->c, &second);
    assert_string_equal(text.at, second.at);
    text_free(&second);
    second = (Text){.jre = trial->jre};
    Trial *again = trial_new();
    again->request.path = trial_file(again, arena_print(&again->jre->forever, "%s.jre", trial->c.version), text.at);
    again->c = (Compilation){.jre = again->jre, .arena = {.jre = again->jre}};
    if (!resolve_program(&again->c, &again->request)) {
        char *messages = test_messages(again->jre);
        fail_msg("%s\n%s", text.at, messages);
    }
    print_flat_program(&again->c, &second);
    assert_string_equal(text.at, second.at);
    text_free(&text);
    text_free(&second);
    trial_free(again);
}

static void a_flat_program_is_a_fixed_point(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "use resnet\nside = 8px\nfile = resnet18(weights = \"here.safetensors\")\ngone = resnet50(weights = \"gone.safetensors\")\n"
                                                               "dataset animals { image \"*.png\" }\n%saccept leaking_burst for folds because \"few\"\nexpect side > 3px", split));
    trial_file(trial, "here.safetensors", "");
    sound(trial, "v02.jre", "extends \"v01.jre\"\nchange side = 9px\nsplit more like folds { seed 3 }\nexpect side < 10px because \"it is\"\nprobe side");
    flat_is_flat(trial, (const char *const[]){"use resnet", "side = 9px", "split more {", arena_print(&trial->jre->forever, "root  \"%s\"", trial->folder),
                                              arena_print(&trial->jre->forever, "\"%s/here.safetensors\"", trial->folder), "\"gone.safetensors\"", "accept leaking_burst for folds",
                                              "expect side < 10px because \"it is\"", "probe side", NULL});
    trial_free(trial);
}

static void what_a_flat_program_quotes_comes_along_under_other_names(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "side = 8px\naugment seen(x: Image) -> Image { x |> fit(side, fill = gray) }\nlikeness = seen\ngray = 3\nfolds_of_v02 = 2\n"
                                                               "evaluate cv {\n  similarity likeness\n  on folds.held_out\n  metrics [map]\n  record \"r.csv\"\n}\n%s"
                                                               "dataset animals { image \"*.png\" }\naccept leaking_burst for folds because \"few\"", split));
    beside(trial, "v02.jre", "extends \"v01.jre\"\nhead = each [3, gray]\nchange side = 9px * head\nonly = 1");
    sound(trial, "v03.jre", "extends \"v02.jre\"\nchange head = 4\nremove only\nensemble council { members [likeness, v02.likeness[head = gray]] }\n"
                            "oldest = v01.side\nexpect cv.map >= best(v02.cv, by = map).map\nexpect best(v02.cv, by = map).head == head\nkept = v02.only");
    flat_is_flat(trial, (const char *const[]){"members [likeness, v02_likeness[v02_head = v02_gray]]", "oldest = v01_side", "v01_side = 8px", "v02_head = each [3, v02_gray]",
                                              "v02_side = 9px * v02_head", "fit(v02_side, fill = gray)", "evaluate v02_cv {", "on         v02_folds.held_out", "v02_animals {",
                                              "best(v02_cv, by = map).v02_head == head", "kept = only", "accept leaking_burst for v02_folds", NULL});
    trial_free(trial);
}

/* Words of a place stay what they are, though the ancestor has declared things of these names. */
static void words_of_a_place_are_no_names(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", "count = 4\nlast = 3\nmean = 5\nmap = 6\nwhole = 7\ntrain learner {\n  network Eye\n  batches balanced(identities = count, images = 2)\n  keep last\n}\n"
                             "embed features {\n  network learner\n  pool mean\n}\nevaluate cv {\n  similarity cosine(features)\n  metrics [map, rank1]\n  gallery not same(whole)\n}\n"
                             "function f(x: Tensor[N]) -> Tensor[N] {\n  y[last] = x[last] * count\n  sum over map of y[map] * whole where map != count\n}\nspare = f");
    assert_false(resolved(trial, "v02.jre", "extends \"v01.jre\"\nremove count\nremove whole\nquoted = [v01.cv, v01.spare]"));      /* needed settings are left out for short */
    Text text = {.jre = trial->jre};
    print_flat_program(&trial->c, &text);
    static const char *const words[] = {"balanced(identities = count, images = 2)", "keep    last", "pool    mean", "[map, rank1]", "not same(whole)",
                                        "y[last] = x[last] * count", "where map != count", "count = 4"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(text.at, words[i])) fail_msg("`%s` is not in:\n%s", words[i], text.at);
    assert_null(strstr(text.at, "v01_last"));
    assert_null(strstr(text.at, "v01_mean"));
    assert_null(strstr(text.at, "v01_map"));
    text_free(&text);
    trial_free(trial);
}

static void modules_beside_a_document_come_along_too(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "inner.jre", "use resnet\nfunction half(x: Tensor[N]) -> Tensor[N] { x / divisor }\ndivisor = 2\nspare = stage");
    beside(trial, "eyes.jre", "use inner\nfunction small(x: Tensor[N]) -> Tensor[N] { x |> half }\ntwice = inner.divisor\nunneeded = 3");
    sound(trial, "v01.jre", "use eyes\ndivisor = 7\nhalved = small\nmore = eyes.twice");
    flat_is_flat(trial, (const char *const[]){"divisor = 7", "halved = small", "x |> half", "x / inner_divisor", "inner_divisor = 2", "more = twice", NULL});
    trial_free(trial);
    trial = trial_new();
    beside(trial, "inner.jre", "use resnet\nspare = stage");
    sound(trial, "v01.jre", "use inner\nstage = 7\nmine = spare");
    flat_is_flat(trial, (const char *const[]){"use resnet", "stage = 7", "spare = resnet.stage", NULL});
    trial_free(trial);
}

/* ---- figures ------------------------------------------------------------------------------------------------------------- */

static const char embed_and_figure[] = "embed coats {\n network Eye\n view plain\n}\nfigure coats {\n show bars(cv)\n on coats\n}\n";

static void a_figure_may_have_the_name_of_a_value(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", arena_print(&trial->jre->forever, "%saccept mixed_spaces for coats because \"one\"", embed_and_figure));
    sound(trial, "v02.jre", "extends \"v01.jre\"\nchange coats { caption \"Spots.\" }\nfigure more like coats { caption \"More.\" }\nsecond = coats");
    const Scope *own = trial->c.scope;
    assert_string_equal(set(trial, own, "figure coats", "caption"), "\"Spots.\"");               /* an embed has no caption */
    assert_string_equal(set(trial, own, "coats", "network"), "Eye");
    assert_string_equal(set(trial, own, "figure more", "show"), "bars(cv)");
    flat_is_flat(trial, (const char *const[]){"embed coats {", "figure coats {\n  show    bars(cv)\n  on      coats\n  caption \"Spots.\"\n}", "figure more {", "second = coats\n", NULL});
    Text text = {.jre = trial->jre};
    print_flat_program(&trial->c, &text);
    const char *first = strstr(text.at, "accept mixed_spaces for coats");
    assert_non_null(first);
    assert_null(strstr(first + 1, "accept"));
    assert_null(strstr(text.at, "v02_coats"));
    text_free(&text);
    sound(trial, "v03.jre", "extends \"v02.jre\"\nchange coats { network Other }\nremove second");
    assert_string_equal(set(trial, trial->c.scope, "coats", "network"), "Other");
    assert_int_equal(trial->c.scope->accepts.count, 0);
    sound(trial, "v04.jre", "extends \"v03.jre\"\nremove coats\nremove coats");           /* the value, then the figure */
    assert_null(declared(trial, trial->c.scope, "coats"));
    assert_null(declared(trial, trial->c.scope, "figure coats"));
    trial_free(trial);
}

static void a_figure_alone_is_accepted_for_changed_and_removed(void **state) {
    (void)state;
    Trial *trial = trial_new();
    beside(trial, "v01.jre", "figure coats { show bars(cv) }\naccept mixed_spaces for coats because \"one\"");
    sound(trial, "v02.jre", "extends \"v01.jre\"");
    assert_int_equal(trial->c.scope->accepts.count, 1);
    sound(trial, "v03.jre", "extends \"v02.jre\"\nchange coats { show bars(ap) }");
    assert_int_equal(trial->c.scope->accepts.count, 0);
    sound(trial, "v04.jre", "extends \"v03.jre\"\nremove coats\ncoats = 3");
    beside(trial, "over.jre", "change coats { caption \"Spots.\" }");
    trial_with(trial, trial->written.at[trial->written.count - 1]);
    sound(trial, "v05.jre", "extends \"v03.jre\"\nremove coats");                             /* nothing there that an overlay would alter */
    trial_free(trial);
    refused("figure f { show bars(cv) }\nfigure f { show bars(cv) }", "already_named", "declared here");
    refused("figure coats { show bars(cv) }\naccept mixed_spaces for coat because \"one\"", "unknown_name", "did you mean `coats`");
}

/* ---- jre diff ---------------------------------------------------------------------------------------------------------------- */

/* One line a difference, of v01 and v02. */
static const char *differences(Trial *trial, const char *first, const char *second) {
    static const char signs[] = {[DIFFERENCE_ADDED] = '+', [DIFFERENCE_REMOVED] = '-', [DIFFERENCE_CHANGED] = '!', [DIFFERENCE_RENAMED] = '>'};
    Compilation old = {.jre = trial->jre, .arena = {.jre = trial->jre}};
    beside(trial, "v01.jre", first);
    const CompileRequest request = {.path = trial->written.at[trial->written.count - 1]};
    assert_true(resolve_program(&old, &request));
    sound(trial, "v02.jre", second);
    DifferenceList found = {0};
    compare_programs(&old, old.scope, &trial->c, trial->c.scope, &found);
    Text text = {.jre = trial->jre};
    text_add(&text, "%s", "");
    for (int i = 0; i < found.count; i++) {
        const Difference *d = &found.at[i];
        text_add(&text, "%c %s %s%s%s: %s | %s\n", signs[d->kind], d->what, d->name, d->part ? " " : "", d->part ? d->part : "", d->old ? d->old : "", d->new ? d->new : "");
    }
    const char *lines = intern(trial->jre, text.at);
    text_free(&text);
    compilation_free(&old);
    return lines;
}

static void programs_are_compared_by_meaning(void **state) {
    (void)state;
    static const struct { const char *first, *second, *lines; } cases[] = {
        {"a = 1 + (2 * 3)\nb = 2", "b = 2   # two\na = (1) + 2 * 3", ""},
        {"split f {\n data d\n identities shared\n}", "split f {\n identities (shared)\n data d\n}", ""},
        {"a = 1\nb = a", "a = 2\nb = a", "! equation a: 1 | 2\n"},
        {"a = 1", "a = each [1]", "! equation a: 1 | each [1]\n"},
        {"a = 1\ngone = 4", "a = 1\nnew = 5", "- equation gone: gone = 4 | \n+ equation new:  | new = 5\n"},
        {"split f {\n data d\n identities shared\n seed 1\n}", "split f {\n data e\n identities shared\n folds 2\n}",
         "! split f data: d | e\n! split f folds:  | 2\n! split f seed: 1 | \n"},
        {"a = 4\nb = a + 1\nc = b", "x = 4\ny = (x + 1)\nz = y", "> equation x: a | x\n> equation y: b | y\n> equation z: c | z\n"},
        {"a = 4\nb = a + 1", "x = 4\nb = x + 1", "> equation x: a | x\n"},
        {"a = 4\nb = a + 1", "x = 4\nb = x + 2", "> equation x: a | x\n! equation b: x + 1 | x + 2\n"},
        {"embed e {\n network Eye\n view plain\n}\nfigure e { show bars(a) }", "embed e {\n network Ear\n view plain\n}\nfigure e { show bars(b) }", "! embed e network: Eye | Ear\n! figure e show: bars(a) | bars(b)\n"},
        {"embed e {\n network Eye\n view plain\n}\nfigure e { show bars(e) }", "embed d {\n network Eye\n view plain\n}\nfigure e { show bars(d) }", "> embed d: e | d\n"},
        {"figure e { show bars(a) }\ne = 2", "figure d { show bars(a) }\ne = 2", "> figure d: e | d\n"},
        {"a = 4", "network a(x: Tensor[N]) -> Tensor[N] { x }", "! network a: a = 4 | network a(x: Tensor[N]) -> Tensor[N] {\n  x\n}\n"},
        {"figure a {\n show x\n}", "figure a {\n show x\n}\nembed a {\n network n\n view v\n}", "+ embed a:  | embed a {\n  network n\n  view    v\n}\n"},
        {"a = 1\nb = 1", "c = 1\nd = 1", "> equation c: a | c\n> equation d: b | d\n"},
        {"function f(x: Tensor[N]) -> Tensor[N] { x[(i)] }", "function f(x: Tensor[N]) -> Tensor[N] { x[i] }",
         "! function f: function f(x: Tensor[N]) -> Tensor[N] {\n  x[(i)]\n} | function f(x: Tensor[N]) -> Tensor[N] {\n  x[i]\n}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Trial *trial = trial_new();
        assert_string_equal(differences(trial, cases[i].first, cases[i].second), cases[i].lines);
        trial_free(trial);
    }
}

static void large_programs_are_changed_shown_and_compared_in_no_time(void **state) {
    (void)state;
    Trial *trial = trial_new();
    Text first = {.jre = trial->jre}, second = {.jre = trial->jre}, shown = {.jre = trial->jre};
    text_add(&second, "extends \"v01.jre\"\n");
    for (int i = 0; i < 10000; i++) text_add(&first, "a%d = %d\n", i, i);
    for (int i = 0; i < 10000; i++) text_add(&second, i % 2 ? "change a%d = %d\n" : "remove a%d\nb%d = v01.a%d\n", i, i, i);
    const char *lines = differences(trial, first.at, second.at);
    assert_int_equal(strncmp(lines, "- equation a0", 13), 0);
    print_flat_program(&trial->c, &shown);
    assert_non_null(strstr(shown.at, "b9998 = a9998"));
    text_free(&first);
    text_free(&second);
    text_free(&shown);
    trial_free(trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ancestor_is_a_flat_program_of_its_own),
        cmocka_unit_test(overlays_lie_over_ancestors_where_the_name_exists),
        cmocka_unit_test(what_no_document_of_the_chain_has_cannot_be_changed),
        cmocka_unit_test(a_mistake_of_an_ancestor_is_told_once),
        cmocka_unit_test(before_a_dot_a_module_wins_then_what_is_declared_then_an_ancestor),
        cmocka_unit_test(a_document_changes_each_thing_once_and_only_what_it_inherits),
        cmocka_unit_test(the_order_of_a_document_does_not_matter),
        cmocka_unit_test(like_copies_as_the_document_leaves_the_original),
        cmocka_unit_test(like_needs_a_record_of_its_kind_that_is_not_itself),
        cmocka_unit_test(long_chains_of_copies_end),
        cmocka_unit_test(an_accept_is_inherited_until_its_declaration_changes),
        cmocka_unit_test(only_checks_of_meaning_can_be_accepted),
        cmocka_unit_test(a_document_takes_a_name_of_the_library_only_where_nobody_used_that),
        cmocka_unit_test(a_name_of_two_modules_is_written_with_its_module),
        cmocka_unit_test(a_module_sees_itself_its_own_uses_and_core),
        cmocka_unit_test(a_flat_program_is_a_fixed_point),
        cmocka_unit_test(what_a_flat_program_quotes_comes_along_under_other_names),
        cmocka_unit_test(words_of_a_place_are_no_names),
        cmocka_unit_test(modules_beside_a_document_come_along_too),
        cmocka_unit_test(a_figure_may_have_the_name_of_a_value),
        cmocka_unit_test(a_figure_alone_is_accepted_for_changed_and_removed),
        cmocka_unit_test(programs_are_compared_by_meaning),
        cmocka_unit_test(large_programs_are_changed_shown_and_compared_in_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
