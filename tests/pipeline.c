/* pipeline.c: documents from their text to their scores, as `jre run` does it, on real and on painted pictures. */
#include "test.h"

#include "../runtime/runtime.h"
#include "fake_device.h"
#include "reference.h"

#include <glob.h>
#include <math.h>

/* ---- running ------------------------------------------------------------------------------------------------------- */

typedef struct { Jre *jre; Session *session; Compilation c; char *output; size_t length; int status; } Run;

static void exhausted(Jre *jre) {
    (void)jre;
    fail_msg("no memory is left");
}

static void open_run(Run *run, const char *into, int threads) {
    memset(run, 0, sizeof *run);
    run->jre = jre_new();
    run->jre->on_exhaustion = exhausted;
    RunOptions options = {.out = open_memstream(&run->output, &run->length), .into = into, .threads = threads};
    run->session = session_open(run->jre, &options);
    assert_non_null(run->session);
}

static bool compile_run(Run *run, const char *path, const char *with, const char *const *set) {
    CompileRequest request = {.path = path};
    if (with) list_add(&run->jre->forever, &request.with, with);
    for (; set && *set; set++) list_add(&run->jre->forever, &request.set, *set);
    Facts facts = session_facts(run->session);
    return compile(&run->c, run->jre, &request, &facts, true);
}

static void close_run(Run *run) {
    FILE *out = run->session->options.out;
    session_close(run->session);
    fclose(out);
    compilation_free(&run->c);
    jre_free(run->jre);
    free(run->output);
}

/* Compiles and runs; the messages must be none but notes. */
static void run_document(Run *run, const char *path, const char *with, const char *const *set, const char *into, int threads) {
    open_run(run, into, threads);
    bool good = compile_run(run, path, with, set);
    run->status = good ? session_run(run->session, &run->c) : 1;
    if (!good || diag_any_error(run->jre)) {
        char *text = test_messages(run->jre);
        fail_msg("%s", text);
    }
    fflush(run->session->options.out);
}

static void write_text(const char *folder, const char *name, const char *text) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- ten cutouts ------------------------------------------------------------------------------------------------------ */

static const char ten_cutouts[] =
    "# Ten cutouts\n\n```jre\nuse squeezenet\n\n"
    "dataset animals {\n  root     \"%s\"\n  table    \"%s/ten.csv\"\n  image    \"train/train/{filename}\"\n  identity \"{ground_truth}\"\n}\n\n"
    "backbone = squeezenet1_1(weights = \"squeezenet1_1.safetensors\", stats = imagenet)\n\n"
    "augment plain(x: Image) -> Image[224px, 224px] {\n  x |> stretch(224px, fill = black) |> normalize(backbone.stats)\n}\n\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {\n  x |> backbone |> average_pool |> unit\n}\n\n"
    "embed features {\n  network Eye\n  view    plain\n}\n\n"
    "evaluate few {\n  similarity cosine(features)\n  on         animals\n  metrics    [map, rank1]\n  average    identity\n"
    "  record     \"results/ten.csv\"\n}\n```\n";

/* The first five training pictures of nyala_125 and of nyala_106, beside the document. */
static void write_ten(const char *folder, const char *cutouts) {
    Jre *jre = jre_new();
    jre->on_exhaustion = exhausted;
    Table table;
    Text csv = {.jre = jre};
    text_add(&csv, "filename,ground_truth\n");
    assert_true(table_read(jre, arena_print(&jre->forever, "%s/train.csv", cutouts), NOWHERE, &table));
    static const char *const animals[] = {"nyala_125", "nyala_106"};
    for (int a = 0; a < 2; a++)
        for (int row = 0, taken = 0; row < table.rows && taken < 5; row++) {
            if (strcmp(table.cells[row * 2 + 1], animals[a]) != 0) continue;
            taken++;
            text_add(&csv, "%s,%s\n", table.cells[row * 2], animals[a]);
        }
    write_text(folder, "ten.csv", csv.at);
    write_text(folder, "ten.jre", arena_print(&jre->forever, ten_cutouts, cutouts, folder));
    text_free(&csv);
    jre_free(jre);
}

/* One cell of a CSV below the folder; the rows are counted from 0. */
static double cell(Jre *jre, const char *folder, const char *file, int row, const char *column) {
    Table table;
    if (!table_read(jre, arena_print(&jre->forever, "%s/%s", folder, file), NOWHERE, &table)) fail_msg("%s", test_messages(jre));
    int at = table_column(&table, column);
    assert_true(at >= 0 && row < table.rows);
    return atof(table.cells[row * table.columns.count + at]);
}

static void find_weights(void) {
    char where[1024];
    if (!test_data("weights", where)) skip();
    setenv("JRE_WEIGHTS", where, 1);
}

static void squeezenet_on_ten_cutouts_gives_the_exact_map(void **state) {
    (void)state;
    char where[1024], folder[64], document[128], absolute[4096];
    find_weights();
    if (!test_data("data/nyala/jaguar_like", where) || !realpath(where, absolute)) skip();
    test_folder(folder);
    write_ten(folder, absolute);
    snprintf(document, sizeof document, "%s/ten.jre", folder);
    Run run;
    run_document(&run, document, NULL, NULL, folder, 2);
    assert_int_equal(run.status, 0);
    assert_int_equal(run.c.plan->evaluations.at[0]->similarity->embed->width, 512);
    /* Computed apart: onnxruntime for the network, Pillow for the pictures, scikit-learn for average precision. */
    assert_true(fabs(cell(run.jre, folder, "results/ten.csv", 0, "cv_map") - 0.751130952) < 1e-6);
    assert_true(fabs(cell(run.jre, folder, "results/ten.csv", 0, "best_identity_ap") - 0.8075) < 1e-6);
    close_run(&run);
    test_folder_gone(folder);
}

/* ---- networks against torch --------------------------------------------------------------------------------------------- */

static const char one_network[] =
    "# One network\n\n```jre\nuse squeezenet\nuse mobilenetv2\nuse resnet\nuse resnetv2\n\n"
    "dataset none { image \"*.png\" }\n\n"
    "backbone = %s\n\n"
    "augment plain(x: Image) -> Image { x |> stretch(%dpx) |> normalize(imagenet) }\n\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {\n  x |> backbone |> average_pool\n}\n\n"
    "embed features {\n  network Eye\n  view    plain\n}\n```\n";

typedef struct { Run run; char folder[64]; Executor *executor; const Program *program; } Network;

static void open_network(Network *network, const char *call, int size, int threads) {
    char text[3072], document[128];
    test_folder(network->folder);
    snprintf(text, sizeof text, one_network, call, size);
    write_text(network->folder, "one.jre", text);
    snprintf(document, sizeof document, "%s/one.jre", network->folder);
    open_run(&network->run, network->folder, threads);
    bool good = compile_run(&network->run, document, NULL, NULL);
    if (!good) fail_msg("%s", test_messages(network->run.jre));
    network->program = network->run.c.plan->embeds.at[0]->program;
    network->executor = executor_new(network->run.jre, network->program, network->run.session->device, network->run.session->weights);
    if (!network->executor) fail_msg("%s", test_messages(network->run.jre));
}

static void close_network(Network *network) {
    executor_free(network->executor);
    close_run(&network->run);
    test_folder_gone(network->folder);
}

/* Three pictures of the reference, as torchvision normalizes them. */
static float *reference_input(Jre *jre) {
    char where[1024];
    Array pixels;
    assert_true(npy_read(jre, test_data("weights/expected/input_u8_3x224x224x3.npy", where), NOWHERE, &pixels));
    static const float mean[] = {0.485f, 0.456f, 0.406f}, spread[] = {0.229f, 0.224f, 0.225f};
    enum { SIDE = 224 * 224 };
    float *input = malloc(3 * 3 * SIDE * sizeof *input);
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < SIDE; i++)
            for (int c = 0; c < 3; c++) input[(n * 3 + c) * SIDE + i] = (pixels.values[(n * SIDE + i) * 3 + c] / 255 - mean[c]) / spread[c];
    jre_release(pixels.values);
    return input;
}

/* The same program on a device with an address space and a queue of its own, through the same kernels: the same bits. */
static void same_on_the_fake_device(Network *network, const float *input, const float *expected, size_t bytes) {
    Session *session = network->run.session;
    Device *fake = fake_device_open(network->run.jre, session->level, (size_t)1 << 30);
    Executor *executor = executor_new(network->run.jre, network->program, fake, session->weights);
    if (!executor) fail_msg("%s", test_messages(network->run.jre));
    float *output = malloc(bytes);
    assert_true(executor_run(executor, input, 3, output));
    assert_memory_equal(output, expected, bytes);
    assert_int_equal(fake_device_faults(fake), 0);
    assert_true(fake_device_launches(fake) > 20);
    executor_free(executor);
    assert_int_equal(fake_device_buffers(fake), 0);
    fake->close(fake);
    free(output);
}

static void agrees(const char *call, const char *features) {
    char where[1024], path[200];
    find_weights();
    Network network;
    open_network(&network, call, 224, 2);
    float *input = reference_input(network.run.jre);
    int width = (int)network.program->output.dim[1];
    float *together = malloc((size_t)width * 3 * sizeof(float)), *alone = malloc((size_t)width * sizeof(float));
    assert_true(executor_run(network.executor, input, 3, together));
    Array expected;
    snprintf(path, sizeof path, "weights/expected/%s", features);
    assert_true(npy_read(network.run.jre, test_data(path, where), NOWHERE, &expected));
    assert_int_equal(expected.dim[1], width);
    for (int n = 0; n < 3; n++) {
        double difference = 0, length = 0;
        for (int i = 0; i < width; i++) {
            double d = (double)together[n * width + i] - expected.values[n * width + i];
            difference += d * d;
            length += (double)expected.values[n * width + i] * expected.values[n * width + i];
        }
        assert_true(sqrt(difference / length) < 1e-5);
        assert_true(executor_run(network.executor, input + n * 3 * 224 * 224, 1, alone));
        assert_memory_equal(alone, together + n * width, (size_t)width * sizeof(float));   /* company changes no bit */
    }
    same_on_the_fake_device(&network, input, together, (size_t)width * 3 * sizeof(float));
    jre_release(expected.values);
    free(alone);
    close_network(&network);
    open_network(&network, call, 224, 3);
    float *by_three = malloc((size_t)width * 3 * sizeof(float));
    assert_true(executor_run(network.executor, input, 3, by_three));
    assert_memory_equal(by_three, together, (size_t)width * 3 * sizeof(float));            /* nor does the number of threads */
    close_network(&network);
    free(by_three);
    free(together);
    free(input);
}

static void squeezenet_agrees_with_torch(void **state) {
    (void)state;
    agrees("squeezenet1_1(weights = \"squeezenet1_1.safetensors\", stats = imagenet)", "squeezenet1_1_features.npy");
}

static void mobilenet_agrees_with_torch(void **state) {
    (void)state;
    agrees("mobilenetv2_100(weights = \"mobilenetv2_100.safetensors\", stats = imagenet)", "mobilenetv2_100_features.npy");
}

/* Weights in 16 bits; the file holds the network's numbers and no other. */
static void preactivated_resnet_agrees_with_torch(void **state) {
    (void)state;
    static const char *const call = "resnet50v2_stage3(weights = \"resnet50v2_stage3_fp16.safetensors\", stats = imagenet)";
    find_weights();
    Network network;
    open_network(&network, call, 224, 1);
    assert_int_equal(network.program->weights, 8566988);
    close_network(&network);
    agrees(call, "resnet50v2_stage3_fp16_features.npy");
}

/* ---- the contest on real cutouts ------------------------------------------------------------------------------------------ */

/* Who is on each test picture, by its number in the sorted list of files. */
typedef struct { int count, pictures; const char *name[256], *individual[256]; } Solution;

static int picture_number(const Solution *solution, const char *name) {
    for (int i = 0; i < solution->count; i++)
        if (!strcmp(solution->name[i], name)) return i;
    fail_msg("%s is not in the solution", name);
    return -1;
}

/* Identity-balanced mAP of a submission, straight from the definition: sort, look, average. */
static double score_submission(Jre *jre, const char *data, const char *submission) {
    Table solution_table, pairs, entry;
    assert_true(table_read(jre, arena_print(&jre->forever, "%s/solution.csv", data), NOWHERE, &solution_table));
    assert_true(table_read(jre, arena_print(&jre->forever, "%s/test.csv", data), NOWHERE, &pairs));
    assert_true(table_read(jre, submission, NOWHERE, &entry));
    assert_int_equal(pairs.rows, entry.rows);
    Solution solution = {.count = solution_table.rows};
    assert_true(solution.count <= 256);
    for (int i = 0; i < solution.count; i++) solution.name[i] = solution_table.cells[i * 2], solution.individual[i] = solution_table.cells[i * 2 + 1];
    double *score = arena_array(&jre->forever, double, 256 * 256);
    for (int row = 0; row < pairs.rows; row++) {
        assert_string_equal(pairs.cells[row * 3], entry.cells[row * 2]);
        double s = atof(entry.cells[row * 2 + 1]);
        assert_true(s >= 0 && s <= 1);
        score[picture_number(&solution, pairs.cells[row * 3 + 1]) * 256 + picture_number(&solution, pairs.cells[row * 3 + 2])] = s;
    }
    double total = 0;
    int individuals = 0;
    for (int first = 0; first < solution.count; first++) {
        bool seen = false;
        for (int i = 0; i < first; i++) seen |= !strcmp(solution.individual[i], solution.individual[first]);
        if (seen) continue;
        double sum = 0;
        int queries = 0;
        for (int q = 0; q < solution.count; q++) {
            if (strcmp(solution.individual[q], solution.individual[first]) != 0) continue;
            double precision = 0;
            int positives = 0;
            for (int g = 0; g < solution.count; g++) {
                if (g == q || strcmp(solution.individual[g], solution.individual[q]) != 0) continue;
                int better = 0, better_positives = 0;
                for (int k = 0; k < solution.count; k++) {
                    bool ahead = k == g || score[q * 256 + k] > score[q * 256 + g] || (score[q * 256 + k] == score[q * 256 + g] && k < g);
                    if (k == q || !ahead) continue;
                    better++;
                    better_positives += !strcmp(solution.individual[k], solution.individual[q]);
                }
                precision += (double)better_positives / better;
                positives++;
            }
            sum += precision / positives;
            queries++;
        }
        total += sum / queries;
        individuals++;
    }
    assert_int_equal(individuals, 31);
    return total / individuals;
}

static void v01_on_real_cutouts_agrees_with_the_reference(void **state) {
    (void)state;
    char where[1024], folder[64];
    find_weights();
    if (!test_data("data/nyala/jaguar_like/test.csv", where)) skip();
    test_data("data/nyala/jaguar_like", where);
    test_folder(folder);
    char absolute[4096], jaguars[4200], unseen[4200];
    assert_non_null(realpath(where, absolute));
    snprintf(jaguars, sizeof jaguars, "jaguars.root=\"%s\"", absolute);
    snprintf(unseen, sizeof unseen, "unseen.root=\"%s\"", absolute);
    Run run;
    run_document(&run, "pipelines/v01.jre", "tests/pipelines/jaguar_like.jre", (const char *const[]){jaguars, unseen, NULL}, folder, 2);
    assert_int_equal(run.status, 3);                                /* mobilenetv2 misses twice chance in the folds, squeezenet reaches it */
    assert_int_equal(run.c.plan->evaluations.count, 4);      /* in the folds and among strangers, by each network */
    cJSON *reference = reference_json(test_data("data/nyala/reference.json", where));
    static const char *const networks[][2] = {{"mobilenetv2_100", "mobilenetv2_100"}, {"squeezenet1_1", "squeezenet1_1"}};
    for (int i = 0; i < 2; i++) {
        cJSON *at = cJSON_GetObjectItem(cJSON_GetObjectItem(reference, "networks"), networks[i][0]);
        static const char *const way[] = {"jaguar_like_test_cutouts", "black", "all", "identity_balanced_map"};
        for (int k = 0; k < 4; k++) at = cJSON_GetObjectItem(at, way[k]);
        const char *file = arena_print(&run.jre->forever, "%s/submissions/v01-%s.csv", folder, networks[i][1]);
        assert_true(fabs(score_submission(run.jre, absolute, file) - at->valuedouble) < 1e-5);
        if (i == 0) assert_int_equal(remove(file), 0);
    }
    cJSON_Delete(reference);
    assert_null(strstr(run.output, "nothing to compute"));
    close_run(&run);

    run_document(&run, "pipelines/v01.jre", "tests/pipelines/jaguar_like.jre", (const char *const[]){jaguars, unseen, NULL}, folder, 1);
    assert_non_null(strstr(run.output, "nothing to compute"));
    assert_true(file_exists(arena_print(&run.jre->forever, "%s/submissions/v01-mobilenetv2_100.csv", folder)));   /* written from the store */
    assert_true(fabs(cell(run.jre, folder, "results/benchmarks.csv", 1, "cv_map") - 0.138928) < 2e-6);
    close_run(&run);
    test_folder_gone(folder);
}

/* ---- photographs of nyalas --------------------------------------------------------------------------------------------------- */

static const cJSON *member(const cJSON *object, const char *name) {
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!found) fail_msg("there is no `%s`", name);
    return found;
}

/* The result.json of the only run below a folder. */
static cJSON *only_result(const char *folder) {
    char pattern[128];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/results/run_*/result.json", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    cJSON *json = reference_json(found.gl_pathv[0]);
    globfree(&found);
    return json;
}

/* What the reference says of an evaluation of pipelines/nyala.jre, by its name and choices; the score that is meant. */
static double nyala_reference(const cJSON *network, const cJSON *evaluation, const char **score) {
    static const struct { const char *name, *part, *protocol; } all[] = {
        {"as_published", "published_split", "as_published"},
        {"honest", "published_split", "without_own_encounter"},
        {"one_flank", "published_split", "without_own_encounter_same_flank"},
        {"with_all", "leave_one_out", "all"},
        {"without_encounter", "leave_one_out", "without_own_encounter"},
        {"without_other_flank", "leave_one_out", "without_own_encounter_same_flank"},
        {"cut_out", "jaguar_like_test_cutouts", "all"},
        {"cut_out_honest", "jaguar_like_test_cutouts", "without_own_encounter"},
    };
    const char *name = member(evaluation, "evaluation")->valuestring;
    const cJSON *choices = member(evaluation, "choices");
    const cJSON *counting = cJSON_GetObjectItem(choices, "counting"), *ground = cJSON_GetObjectItem(choices, "ground");
    *score = counting ? "map" : "rank1";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].name, name) != 0) continue;
        const cJSON *at = member(network, all[i].part);
        if (ground) at = member(at, strcmp(ground->valuestring, "on_black") == 0 ? "black" : "white");
        at = member(at, all[i].protocol);
        if (!counting) return member(at, "top1_lonely_zero")->valuedouble;
        return member(at, strcmp(counting->valuestring, "query") == 0 ? "map" : "identity_balanced_map")->valuedouble;
    }
    fail_msg("the reference knows no `%s`", name);
    return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { WATCHED_PHOTOGRAPHS = 200 };                                 /* all of them take five minutes and show no more of the memory */
#else
enum { WATCHED_PHOTOGRAPHS = 0 };
#endif

/* A table with the first photographs alone. */
static void write_few(const char *table, const char *photographs, int count) {
    char path[4300], line[512];
    snprintf(path, sizeof path, "%s/metadata.csv", photographs);
    FILE *from = fopen(path, "r"), *to = fopen(table, "w");
    assert_non_null(from);
    assert_non_null(to);
    for (int row = 0; row <= count && fgets(line, sizeof line, from); row++) fputs(line, to);
    fclose(from);
    assert_int_equal(fclose(to), 0);
}

/* One network of the three, on all photographs; the other two are left to `make peers`, since they take minutes. Under sanitizers a
 * few photographs go all the way, and their numbers are nobody's reference. */
static void nyala_agrees_with_the_reference(void **state) {
    (void)state;
    char where[1024], absolute[4096], folder[64], few[128], nyalas[4200], cutouts[4200], table[256];
    find_weights();
    if (!test_data("data/nyala/metadata.csv", where)) skip();
    assert_non_null(realpath(test_data("data/nyala", where), absolute));
    snprintf(nyalas, sizeof nyalas, "nyalas.root=\"%s\"", absolute);
    snprintf(cutouts, sizeof cutouts, "cutouts.root=\"%s\"", absolute);
    test_folder(folder);
    snprintf(few, sizeof few, "%s/few.csv", folder);
    snprintf(table, sizeof table, "nyalas.table=\"%s\"", few);
    if (WATCHED_PHOTOGRAPHS) write_few(few, absolute, WATCHED_PHOTOGRAPHS);
    Run run;
    run_document(&run, "pipelines/nyala.jre", NULL, (const char *const[]){nyalas, cutouts, "backbone=mobilenetv2_100(weights = \"mobilenetv2_100.safetensors\", stats = imagenet)", WATCHED_PHOTOGRAPHS ? table : NULL, NULL},
                 folder, 2);
    assert_int_equal(run.status, 3);                                /* what is expected of the other two does not hold of this one */
    assert_non_null(strstr(run.output, "accepted"));
    close_run(&run);
    cJSON *reference = reference_json(test_data("data/nyala/reference.json", where)), *result = only_result(folder);
    const cJSON *network = member(member(reference, "networks"), "mobilenetv2_100"), *evaluation;
    int count = 0;
    cJSON_ArrayForEach(evaluation, member(result, "evaluations")) {
        const char *score;
        double expected = nyala_reference(network, evaluation, &score), found = member(member(member(evaluation, "metrics"), score), "value")->valuedouble;
        if (WATCHED_PHOTOGRAPHS && strncmp(member(evaluation, "evaluation")->valuestring, "cut_out", 7) != 0) assert_true(found >= 0);
        else if (!(fabs(found - expected) < (strcmp(score, "rank1") == 0 ? 1e-9 : 1e-3)))
            fail_msg("%s: %.9f, the reference says %.9f", member(evaluation, "evaluation")->valuestring, found, expected);
        count++;
    }
    assert_int_equal(count, 3 + 3 * 2 + 2 * 2 * 2);
    cJSON_Delete(reference);
    cJSON_Delete(result);
    test_folder_gone(folder);
}

/* ---- the contest on painted ones ------------------------------------------------------------------------------------------- */

static void v01_on_painted_jaguars(void **state) {
    (void)state;
    char folder[64], command[512], jaguars[256], unseen[256];
    const char *build = getenv("JRE_BUILD");
    test_folder(folder);
    snprintf(command, sizeof command, "%s/paint %s --only 60 > /dev/null", build ? build : "build", folder);
    assert_int_equal(system(command), 0);
    snprintf(jaguars, sizeof jaguars, "jaguars.root=\"%s\"", folder);
    snprintf(unseen, sizeof unseen, "unseen.root=\"%s\"", folder);
    const char *const set[] = {jaguars, unseen, NULL};
    char *rows[2];
    for (int i = 0; i < 2; i++) {
        char into[128], path[256];
        snprintf(into, sizeof into, "%s/results%d", folder, i);
        Run run;
        run_document(&run, "pipelines/v01.jre", "examples/jaguars/sample.jre", set, into, 1 + 2 * i);
        assert_true(run.status == 0 || run.status == 3);
        assert_non_null(strstr(run.output, "filter bank"));
        assert_null(strstr(run.output, "pretrained"));
        Facts facts = session_facts(run.session);
        PartFacts found;
        assert_true(facts.part(facts.context, &(PartPlan){.dataset = run.c.plan->datasets.at[0]}, &found));
        assert_int_equal(found.pictures, 60);
        snprintf(path, sizeof path, "%s/submissions/v01.csv", into);
        size_t length;
        assert_true(file_read(run.jre, path, NOWHERE, &rows[i], &length));
        close_run(&run);
    }
    assert_string_equal(rows[0], rows[1]);                          /* one thread or three: the same bytes */
    jre_release(rows[0]);
    jre_release(rows[1]);
    test_folder_gone(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squeezenet_on_ten_cutouts_gives_the_exact_map),
        cmocka_unit_test(squeezenet_agrees_with_torch),
        cmocka_unit_test(mobilenet_agrees_with_torch),
        cmocka_unit_test(preactivated_resnet_agrees_with_torch),
        cmocka_unit_test(v01_on_real_cutouts_agrees_with_the_reference),
        cmocka_unit_test(nyala_agrees_with_the_reference),
        cmocka_unit_test(v01_on_painted_jaguars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
