/* idle.c: unused_name: what a document wrote and nothing uses; and what must not be taken for that. */
#include "trial.h"

static const char records[] = "augment seen(x: Image) -> Image { x |> fit(8px) }\nembed features { network Eye(weights = \"some.safetensors\")\n view seen }\n";

static Trial *trial_with_eye(const char *eye) {
    Trial *trial = trial_new();
    fake_conv(&trial->files, "conv1", 4, 3, 1, false);
    fake_weight(&trial->files, "b", 1, (int64_t[]){3});
    fake_weight(&trial->files, "M", 2, (int64_t[]){3, 3});
    trial_chunk(trial, arena_print(&trial->jre->forever, "%s%s", records, eye));
    return trial;
}

static void sound(const char *eye) {
    Trial *trial = trial_with_eye(eye);
    if (!trial->good) {
        char *text = test_messages(trial->jre);
        fail_msg("%s\n%s", eye, text);
    }
    trial_free(trial);
}

static void unused(const char *eye, const char *name, const char *words) {
    Trial *trial = trial_with_eye(eye);
    if (trial->good) fail_msg("nothing was found wrong with:\n%s", eye);
    if (trial->jre->diagnostics.count != 1) {
        char *text = test_messages(trial->jre);
        fail_msg("one message was expected:\n%s\n%s", eye, text);
    }
    assert_string_equal(span_text(trial->jre, trial->jre->diagnostics.at[0]->span), name);
    test_message_says(trial->jre, "unused_name", words, "help: use it", NULL);
    trial_free(trial);
}

#define EYE "network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {\n"
#define POOLED EYE "p = x |> average_pool\np\n}\n"

static void what_nothing_uses_is_told_where_it_is_named(void **state) {
    (void)state;
    unused(EYE "learn b: Tensor[C] ~ zeros()\nx |> average_pool\n}", "b", "3 numbers would be stored");
    unused(EYE "learn M: Tensor[C, C]\nlearn b: Tensor[C]\n(x |> average_pool) @ M\n}", "b", "learned, but no equation uses it");
    unused(EYE "q = x |> conv(4, 1) as conv1\nx |> average_pool\n}", "q", "nothing uses this equation");
    unused(POOLED "network Other(x: Tensor[N, C]) -> Tensor[N, C] {\nlearn b: Tensor[C] ~ zeros()\nx\n}", "b", "its numbers would be stored");
    unused(POOLED "function f(x: Tensor[N, C], scale: Real) -> Tensor[N, C] { 2 * x }", "scale", "no line uses it");
    unused(POOLED "function f(x: Tensor[N, C], scale: Tensor[M, K]) -> Tensor[N, C] { 2 * x }", "scale", "no line uses it");
    unused(POOLED "augment other(x: Image) -> Image { x |> fit(16px) }", "other", "nothing looks through this view");
    unused(POOLED "augment shaky(x: Image) -> Image {\nangle ~ uniform(-5deg, 5deg)\nx |> fit(16px) }\nviews = [shaky]", "angle", "drawn, but nothing uses it");
}

static void what_may_be_asked_for_elsewhere_is_left_alone(void **state) {
    (void)state;
    sound(EYE "y = x |> conv(4, 1) as conv1\ny |> average_pool\n}");
    sound(POOLED "network Taps(x: Tensor[N, C, H, W]) -> Tensor[N, C, H, W] {\nhalf = x / 2\nx\n}\n"
                 "network Other(x: Tensor[N, C, H, W]) -> Tensor[N, C, H, W] {\ny = x |> Taps\ny.half\n}");
    sound(POOLED "network Same(x: Tensor[N, C, H, W], stride: Int = 1) -> Tensor[N, C, H, W] { x }\n"
                 "network Twice(x: Tensor[N, C, H, W]) -> Tensor[N, C, H, W] { x |> repeat(Same, 2) }");
    sound(POOLED "loss Zero(e: Embedding[N, d], who: Identity[N, K]) -> Scalar { mean over i, j of e[i, j] }");
    sound(POOLED "function f(x: Tensor[N, C], other: Tensor[M, K]) -> Tensor[N, C] { x * K }");
    sound(POOLED "function f(x: Tensor[N, C], n: Int = 3, m: Int = n) -> Tensor[N, C] { x + m }");
    sound(POOLED "function f(x: Tensor[N, C]) -> Tensor[N, C] {\nn = 2\nx[(n), 1] * x\n}");
    sound(POOLED "augment other(x: Image) -> Image { x |> fit(16px) }\nviews = [seen, other]");
}

/* A misspelled use is one mistake. */
static void a_mistake_elsewhere_comes_first(void **state) {
    (void)state;
    Trial *trial = trial_with_eye(EYE "learn b: Tensor[C] ~ zeros()\n(x |> average_pool) + bb\n}");
    assert_int_equal(diag_count(trial->jre, SEVERITY_ERROR), 1);
    test_message_says(trial->jre, "unknown_name", NULL);
    trial_free(trial);
}

static void only_the_document_itself_is_looked_at(void **state) {
    (void)state;
    Trial *trial = trial_new();
    trial_file(trial, "v00.jre", "# Parent\n\n```jre\nfunction f(x: Tensor[N, C], scale: Real = 2) -> Tensor[N, C] { 2 * x }\n```\n");
    assert_true(trial_chunk(trial, "extends \"v00.jre\"\nwidth = 3"));
    trial_free(trial);
}

/* The documents printed in LANGUAGE.md, under their names. */
static void the_documents_of_the_manual_use_all_they_say(void **state) {
    (void)state;
    char path[1024];
    if (!test_data("LANGUAGE.md", path)) skip();
    Trial *trial = trial_new();
    const Source *manual = source_read(trial->jre, path, NOWHERE);
    LIST(const char *) paths = {0};
    static const char opening[] = ".jre**\n\n````markdown\n";
    for (const char *at = manual->bytes; (at = strstr(at, opening));) {
        const char *name = at, *text = at + strlen(opening), *end = strstr(text, "\n````\n");
        while (name[-1] != '*') name--;
        const char *file = arena_print(&trial->jre->forever, "%.*s.jre", (int)(at - name), name);
        const char *written = trial_file(trial, file, arena_copy(&trial->jre->forever, text, (size_t)(end + 1 - text)));
        list_add(&trial->jre->forever, &paths, written);
        at = end;
    }
    assert_true(paths.count >= 9);
    for (int i = 0; i < paths.count; i++) {
        Compilation c = {.jre = trial->jre, .arena = {.jre = trial->jre}};
        const CompileRequest request = {.path = paths.at[i]};
        resolve_program(&c, &request);
        diag_forget(trial->jre);                                   /* modules that are not there yet */
        if (c.scope) check_unused_names(&c);
        if (trial->jre->diagnostics.count) {
            char *text = test_messages(trial->jre);
            fail_msg("%s:\n%s", paths.at[i], text);
        }
        compilation_free(&c);
    }
    trial_free(trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nothing_uses_is_told_where_it_is_named),
        cmocka_unit_test(what_may_be_asked_for_elsewhere_is_left_alone),
        cmocka_unit_test(a_mistake_elsewhere_comes_first),
        cmocka_unit_test(only_the_document_itself_is_looked_at),
        cmocka_unit_test(the_documents_of_the_manual_use_all_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
