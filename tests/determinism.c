/* determinism.c: the same bits for any number of threads and any batch, at each instruction level of this machine and in both modes; what
 * levels differ in is rounding.
 *
 * Library networks in small pictures, with weights that nobody trained, and with trained ones where the shared data has them; v01 as a whole
 * on painted jaguars. Under sanitizers, which are slow, the highest level stands for all, and the heaviest networks have one mode. */
#include "room.h"

#include <glob.h>
#include <math.h>

enum { PICTURES = 17, SIDE = 64, MOST_NUMBERS = 2048 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif
enum { LEVELS = 3 };

/* The levels that this processor has, highest first. */
static int levels(int level[LEVELS], int most) {
    int count = 0;
    for (int each = kernel_level(NULL); each >= 0 && count < most; each--)
        if (kernel_level_name(each)) level[count++] = each;
    return count;
}

/* ---- networks -------------------------------------------------------------------------------------------------------------- */

/* Pictures first .. first+count-1 on so many threads. Every batch and every number of threads that is promised occurs. */
typedef struct { int threads, first, count; } Share;
static const Share all_pictures = {1, 0, PICTURES};
static const Share shares[] = {{2, 0, 17}, {3, 0, 1}, {4, 3, 2}, {5, 1, 5}, {6, 14, 3}, {7, 0, 16}, {8, 0, 17}};

/* The heaviest are run in fewer ways: their layers are alike. */
typedef struct { const char *call; bool heavy; } Case;

static const char document[] =
    "# One\n\n```jre\nuse filters\nuse resnet\nuse resnetv2\nuse squeezenet\nuse mobilenetv2\n"
    "augment seen(x: Image) -> Image { x |> stretch(64px) |> normalize(imagenet) }\n"
    "network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] where 32 divides H, 32 divides W { x |> %s |> average_pool }\n"
    "embed features {\n  network Eye\n  view seen\n}\n```\n";

typedef struct { Session *session; Compilation c; const Program *program; float *input; int width; } Network;

static void open_network(Room *room, Network *network, const char *call, bool latency, float *input) {
    *network = (Network){.input = input};
    RunOptions options = {.out = stdout, .threads = 1, .quiet = true, .into = room->folder, .latency = latency};
    network->session = session_open(room->jre, &options);
    assert_non_null(network->session);
    bool trained = strstr(call, ".safetensors") != NULL;
    Facts facts = trained ? session_facts(network->session) : made_up_facts(network->session);
    if (!trained) weight_library_make_up(network->session->weights, 1.5);
    const char *text = arena_print(&room->jre->forever, document, call);
    assert_true(file_write(room->jre, room->path, NOWHERE, text, strlen(text)));
    CompileRequest request = {.path = room->path};
    if (!compile(&network->c, room->jre, &request, &facts, false)) fail_msg("%s", test_messages(room->jre));
    network->program = network->c.plan->embeds.at[0]->program;
    network->width = (int)shape_elements(network->program->output, 1);
    assert_in_range(network->width, 1, MOST_NUMBERS);
}

static void close_network(Network *network) {
    session_close(network->session);
    compilation_free(&network->c);
}

/* An executor packs its weights once and is then given other threads: `device` stands for one that was opened with them. */
static void compute(Room *room, const Network *network, Device *device, Executor *executor, Share share, float *output) {
    Pool *pool = pool_new(room->jre, share.threads);
    Device *threads = device_open_cpu(room->jre, pool, device->level), before = *device;
    *device = *threads;
    if (!executor_run(executor, network->input + (size_t)share.first * 3 * SIDE * SIDE, share.count, output)) fail_msg("%s", test_messages(room->jre));
    *device = before;
    threads->close(threads);
    pool_free(pool);
}

static void assert_same_bits(const Network *network, const Case *each, int level, bool latency, Share share, const float *wanted, const float *found) {
    const float *from = wanted + (size_t)share.first * (size_t)network->width;
    for (int i = 0; i < share.count * network->width; i++)
        if (memcmp(&found[i], &from[i], sizeof *found) != 0)
            fail_msg("%s, level %d%s: %d pictures on %d threads: number %d of picture %d is %.9g, in a batch of %d on one thread %.9g", each->call, level, latency ? ", latency" : "",
                     share.count, share.threads, i % network->width, share.first + i / network->width, (double)found[i], PICTURES, (double)from[i]);
}

/* By the length of each picture's numbers. */
static void assert_near(const Network *network, const Case *each, int level, const float *wanted, const float *found) {
    for (int n = 0; n < PICTURES; n++) {
        double squares = 0, off = 0;
        for (int i = n * network->width; i < (n + 1) * network->width; i++) {
            squares += (double)wanted[i] * (double)wanted[i];
            off += ((double)found[i] - (double)wanted[i]) * ((double)found[i] - (double)wanted[i]);
        }
        if (!(sqrt(off) <= 1e-4 * sqrt(squares))) fail_msg("%s: picture %d is %.3g off at level %d, of %.3g", each->call, n, sqrt(off), level, sqrt(squares));
    }
}

static void the_bits_are_the_same(Room *room, const Case *each, bool latency, float *input, float *highest) {
    int level[LEVELS], count = levels(level, SLOW ? 1 : LEVELS);
    size_t numbers = (size_t)PICTURES * MOST_NUMBERS;
    float *wanted = malloc(numbers * sizeof *wanted), *found = malloc(numbers * sizeof *found);
    Network network;
    open_network(room, &network, each->call, latency, input);
    for (int l = 0; l < count; l++) {
        Device *device = device_open_cpu(room->jre, NULL, level[l]);
        Executor *executor = executor_new(room->jre, network.program, device, network.session->weights);
        if (!executor) fail_msg("%s", test_messages(room->jre));
        compute(room, &network, device, executor, all_pictures, wanted);
        for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
            if (each->heavy && s % 3 != (size_t)l) continue;
            compute(room, &network, device, executor, shares[s], found);
            assert_same_bits(&network, each, level[l], latency, shares[s], wanted, found);
        }
        if (!l && !latency) memcpy(highest, wanted, numbers * sizeof *wanted);
        assert_near(&network, each, level[l], highest, wanted);
        executor_free(executor);
        device->close(device);
    }
    close_network(&network);
    free(wanted);
    free(found);
}

static void a_network_gives_the_same_bits(void **state) {
    const Case *each = *state;
    Room *room;
    char where[4096];
    const char *file = strstr(each->call, "weights/");
    if (file) {
        char path[256];
        snprintf(path, sizeof path, "%.*s", (int)strcspn(file, "\""), file);
        char found[1024];
        if (!test_data(path, found)) skip();
        assert_non_null(realpath(found, where));
    }
    enter((void **)&room);
    Case filled = *each;
    if (file) filled.call = arena_print(&room->jre->forever, "%.*s%s%s", (int)(file - each->call), each->call, where, strchr(file, '"'));
    size_t count = (size_t)PICTURES * 3 * SIDE * SIDE;
    float *input = malloc(count * sizeof *input), *highest = malloc((size_t)PICTURES * MOST_NUMBERS * sizeof *highest);
    made_up_input(input, count);
    the_bits_are_the_same(room, &filled, false, input, highest);
    if (!SLOW || !each->heavy) the_bits_are_the_same(room, &filled, true, input, highest);
    free(input);
    free(highest);
    leave((void **)&room);
}

/* ---- v01 -------------------------------------------------------------------------------------------------------------------- */

static void run_v01(const char *folder, const char *into, int threads, const char *level) {
    char command[1024];
    const char *build = getenv("JRE_BUILD");
    snprintf(command, sizeof command,
             "JRE_CPU=%s %s/jre run pipelines/v01.jre --with examples/jaguars/sample.jre --set 'jaguars.root=\"%s\"' --set 'unseen.root=\"%s\"' --into %s/%s --threads %d --quiet > %s/said 2>&1",
             level ? level : "", build ? build : "build", folder, folder, folder, into, threads, folder);
    int status = system(command);
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3) fail_msg("status %d: %s, see %s/said", WEXITSTATUS(status), command, folder);
}

/* Takes out what a clock says: seconds, the run's name, when files were looked at. */
static void forget_time(const char *folder, const char *into) {
    char command[1024];
    snprintf(command, sizeof command,
             "cd %s/%s && rm -r results && find .jre \\( -name about.json -o -name pictures.csv \\) -delete && find .jre -name result.json -exec sed -i -E 's/\"[a-z_]*seconds[a-z_]*\": [^,]*,//g; s/\"run_id\": \"[^\"]*\"//' {} +", folder, into);
    assert_int_equal(system(command), 0);
}

/* Paints once for both tests below, before the first and into the folder that is their state; what is in `one` both look at. */
static int enter_painted(void **state) {
    char command[512], *folder = *state;
    const char *build = getenv("JRE_BUILD");
    snprintf(command, sizeof command, "%s/paint %s --only 40 > /dev/null", build ? build : "build", test_folder(folder));
    if (system(command) != 0) return 1;
    run_v01(folder, "one", 1, NULL);
    forget_time(folder, "one");
    return 0;
}

static int leave_painted(void **state) {
    test_folder_gone(*state);
    return 0;
}

/* Every file of the store and of the entry. */
static void any_number_of_threads_leaves_the_same_files(void **state) {
    static const int threads[] = {3, 2, 8};
    const char *folder = *state;
    char command[512], into[32];
    snprintf(command, sizeof command, "cd %s/one && test -e submissions/v01.csv && test -e .jre/store/pictures.cache && ls .jre/store/*/embeddings.npy .jre/store/*/result.json > /dev/null", folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < (SLOW ? 1 : 3); i++) {
        snprintf(into, sizeof into, "other%d", i);
        run_v01(folder, into, threads[i], NULL);
        forget_time(folder, into);
        snprintf(command, sizeof command, "diff -rq %s/one %s/%s", folder, folder, into);
        if (system(command) != 0) fail_msg("%d threads leave other files than one", threads[i]);
    }
}

static Array embeddings_below(Jre *jre, const char *folder, const char *into) {
    glob_t found;
    Array array = {0};
    assert_int_equal(glob(arena_print(&jre->forever, "%s/%s/.jre/store/*/embeddings.npy", folder, into), 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    assert_true(npy_read(jre, found.gl_pathv[0], NOWHERE, &array));
    globfree(&found);
    return array;
}

/* Embeddings have length 1. */
static void levels_differ_by_rounding(void **state) {
    const char *folder = *state;
    int level[LEVELS], count = levels(level, SLOW ? 2 : LEVELS);
    Jre *jre = jre_new();
    Array highest = embeddings_below(jre, folder, "one");
    for (int l = 1; l < count; l++) {
        run_v01(folder, kernel_level_name(level[l]), 2, kernel_level_name(level[l]));
        Array each = embeddings_below(jre, folder, kernel_level_name(level[l]));
        assert_true(each.rank == 2 && each.dim[0] == highest.dim[0] && each.dim[1] == highest.dim[1]);
        for (int64_t i = 0; i < each.dim[0] * each.dim[1]; i++)
            if (!(fabsf(each.values[i] - highest.values[i]) <= 1e-5f)) fail_msg("number %lld: %g and %g", (long long)i, (double)highest.values[i], (double)each.values[i]);
        jre_release(each.values);
    }
    jre_release(highest.values);
    jre_free(jre);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

/* resnet34, 101 and 152 repeat the blocks of 18 and 50, resnet50v2 those of 50. */
static Case cases[] = {
    {"filter_bank(stats = imagenet)", false},
    {"resnet18(weights = \"made up\")", false},
    {"resnet50(weights = \"made up\")", true},
    {"mobilenetv2_100(weights = \"made up\")", false},
    {"squeezenet1_1(weights = \"made up\")", false},
    {"mobilenetv2_100(weights = \"weights/mobilenetv2_100.safetensors\", stats = imagenet)", false},
    {"squeezenet1_1(weights = \"weights/squeezenet1_1.safetensors\", stats = imagenet)", false},
    {"resnet50v2_stage3(weights = \"weights/resnet50v2_stage3_fp16.safetensors\", stats = imagenet)", true},
};
enum { CASES = sizeof cases / sizeof *cases, OTHERS = 2 };

int main(void) {
    char painted[64];
    struct CMUnitTest tests[OTHERS + CASES] = {
        {"any_number_of_threads_leaves_the_same_files", any_number_of_threads_leaves_the_same_files, enter_painted, NULL, painted},
        {"levels_differ_by_rounding", levels_differ_by_rounding, NULL, leave_painted, painted},
    };
    for (int i = 0; i < CASES; i++) tests[OTHERS + i] = (struct CMUnitTest){.name = cases[i].call, .test_func = a_network_gives_the_same_bits, .initial_state = &cases[i]};
    return cmocka_run_group_tests_name("determinism", tests, NULL, NULL);
}
