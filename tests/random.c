/* random.c: the generator against its authors' vectors; streams, ranges, permutations; the thread pool. */
#include "test.h"

#include "../runtime/runtime.h"

/* kat_vectors of Random123 1.09, philox4x32 10. */
static void philox_gives_the_known_answers(void **state) {
    (void)state;
    static const struct { uint32_t counter[4], key[2], expected[4]; } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t out[4];
        philox_block(rows[i].key, rows[i].counter, out);
        assert_memory_equal(out, rows[i].expected, sizeof out);
    }
}

static void every_word_of_a_stream_name_matters(void **state) {
    (void)state;
    Random streams[] = {
        random_stream(1, "split", "", 0), random_stream(2, "split", "", 0), random_stream(1, "interval", "", 0),
        random_stream(1, "split", "a", 0), random_stream(1, "split", "", 1), random_stream(1, "spli", "t", 0),
        random_stream(1, "", "split", 0), random_stream(UINT64_C(1) << 40, "split", "", 0),
    };
    enum { COUNT = sizeof streams / sizeof streams[0] };
    uint32_t first[COUNT];
    for (int i = 0; i < COUNT; i++) {
        first[i] = random_word(&streams[i]);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(first[i], first[j]);
    }
    Random again = random_stream(1, "split", NULL, 0);
    assert_int_equal(random_word(&again), first[0]);
}

/* The numbers are part of the promise that a seed means the same in every version. */
static void a_stream_is_the_same_in_every_version(void **state) {
    (void)state;
    Random random = random_stream(31, "split", "individual 7", 3);
    static const uint32_t expected[6] = { 0x9923419a, 0xd95add12, 0xfd29b0c0, 0xdfef1992, 0xff00fe5f, 0x49d2f758 };
    for (int i = 0; i < 6; i++)
        assert_int_equal(random_word(&random), expected[i]);
}

static void words_are_the_blocks_of_the_counter(void **state) {
    (void)state;
    Random random = random_stream(5, "order", "", 0);
    random.counter[0] = ~0u;              /* the carry into the next counter word */
    Random start = random;
    uint32_t block[4];
    for (int i = 0; i < 8; i++) {
        if (i == 4) {
            start.counter[0] = 0;
            start.counter[1]++;
        }
        philox_block(start.key, start.counter, block);
        assert_int_equal(random_word(&random), block[i % 4]);
    }
}

static void units_are_even_in_their_range(void **state) {
    (void)state;
    Random random = random_stream(1, "unit", "", 0);
    double sum = 0;
    int tenth[10] = {0};
    for (int i = 0; i < 100000; i++) {
        double unit = random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
        tenth[(int)(unit * 10)]++;
    }
    assert_true(sum > 49500 && sum < 50500);
    for (int i = 0; i < 10; i++)
        assert_in_range(tenth[i], 9600, 10400);
}

static void draws_below_a_bound_are_even(void **state) {
    (void)state;
    Random random = random_stream(1, "below", "", 0);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++)
        seen[random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400);
    assert_int_equal(random_below(&random, 1), 0);
    uint64_t bound = (UINT64_C(1) << 63) + 1;             /* half of all words are left out */
    for (int i = 0; i < 100; i++)
        assert_true(random_below(&random, bound) < bound);
}

static void permutations_are_even_and_whole(void **state) {
    (void)state;
    int counts[6] = {0};
    for (uint64_t i = 0; i < 6000; i++) {
        Random random = random_stream(9, "permutation", "", i);
        int order[3];
        random_permutation(&random, order, 3);
        assert_int_equal(1 << order[0] | 1 << order[1] | 1 << order[2], 7);
        counts[order[0] * 2 + (order[1] > order[2])]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 850, 1150);
    Random random = random_stream(9, "permutation", "", 0);
    int none;
    random_permutation(&random, &none, 0);
}

/* ---- pool.c -------------------------------------------------------------------------------------------------------------- */

typedef struct { int *touched; int count; long sums[16]; } Loop;

static void add_up(void *context, int part, int parts) {
    Loop *loop = context;
    int from = (int)((int64_t)loop->count * part / parts), to = (int)((int64_t)loop->count * (part + 1) / parts);
    loop->sums[part] = 0;
    for (int i = from; i < to; i++) {
        loop->touched[i]++;
        loop->sums[part] += i;
    }
}

static void the_pool_runs_every_part_once(void **state) {
    (void)state;
    Jre *jre = jre_new();
    for (int threads = 0; threads <= 5; threads++) {
        Pool *pool = pool_new(jre, threads);
        assert_int_equal(pool_threads(pool), threads > 1 ? threads : 1);
        int touched[1000] = {0};
        Loop loop = { .touched = touched, .count = 1000 };
        for (int round = 0; round < 200; round++)
            pool_run(pool, add_up, &loop);
        long sum = 0;
        for (int part = 0; part < pool_threads(pool); part++)
            sum += loop.sums[part];
        assert_int_equal(sum, 499500);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(touched[i], 200);
        pool_free(pool);
    }
    pool_free(NULL);
    jre_free(jre);
}

static void an_idle_pool_goes_away(void **state) {
    (void)state;
    Jre *jre = jre_new();
    Pool *pool = pool_new(jre, 3);
    usleep(20000);                        /* the workers have gone to sleep */
    int touched[10] = {0};
    Loop loop = { .touched = touched, .count = 10 };
    pool_run(pool, add_up, &loop);
    usleep(20000);
    pool_free(pool);
    assert_int_equal(touched[9], 1);
    jre_free(jre);
}

/* ---- processor.c --------------------------------------------------------------------------------------------------------- */

static void put_line(const char *folder, const char *path, const char *line) {
    char command[512];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s/%s')\" && echo '%s' > '%s/%s'", folder, path, line, folder, path);
    assert_int_equal(system(command), 0);
}

/* The limit of any group above counts, and never gives more processors than the mask. */
static void control_groups_leave_fewer_processors(void **state) {
    (void)state;
    char folder[64];
    test_folder(folder);
    const int all = processors_allowed(folder);                   /* no files at all */
    assert_true(all >= 1);
    put_line(folder, "proc/self/cgroup", "0::/herd/pen");
    assert_int_equal(processors_allowed(folder), all);
    put_line(folder, "sys/fs/cgroup/herd/pen/cpu.max", "max 100000");
    assert_int_equal(processors_allowed(folder), all);
    put_line(folder, "sys/fs/cgroup/herd/cpu.max", "40000 100000");
    assert_int_equal(processors_allowed(folder), 1);
    put_line(folder, "sys/fs/cgroup/herd/cpu.max", "150000 100000");
    assert_int_equal(processors_allowed(folder), all < 2 ? all : 2);
    put_line(folder, "sys/fs/cgroup/cpu.max", "100000 100000");
    assert_int_equal(processors_allowed(folder), 1);
    put_line(folder, "sys/fs/cgroup/cpu.max", "9e9 1");
    put_line(folder, "sys/fs/cgroup/herd/cpu.max", "nonsense");
    assert_int_equal(processors_allowed(folder), all);
    const size_t memory = memory_allowed(folder);                 /* nobody says anything: what the machine has */
    assert_true(memory > 1 << 20);
    put_line(folder, "sys/fs/cgroup/herd/memory.max", "max");
    assert_true(memory_allowed(folder) == memory);
    put_line(folder, "sys/fs/cgroup/memory.max", "1048576");
    assert_true(memory_allowed(folder) == 1 << 20);
    assert_true(memory_taken(false) > 0 && memory_taken(false) <= memory_taken(true));
    test_folder_gone(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(every_word_of_a_stream_name_matters),
        cmocka_unit_test(a_stream_is_the_same_in_every_version),
        cmocka_unit_test(words_are_the_blocks_of_the_counter),
        cmocka_unit_test(units_are_even_in_their_range),
        cmocka_unit_test(draws_below_a_bound_are_even),
        cmocka_unit_test(permutations_are_even_and_whole),
        cmocka_unit_test(the_pool_runs_every_part_once),
        cmocka_unit_test(an_idle_pool_goes_away),
        cmocka_unit_test(control_groups_leave_fewer_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
