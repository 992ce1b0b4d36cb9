/* vectors.c: the functions of vector.h, held against the C library in 64 bits over all floats; and chains, held against their ops one
 * after the other.
 *
 * A walk takes every STRIDE-th bit pattern, so all signs, exponents, infinities, denormals and NaN are met. The largest errors that
 * vector.h states are the limits here. */
#include "../kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STRIDE = 1009, ROW = 4099, MARGIN = 2 };

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

typedef struct { const char *op; double (*precise)(double), ulp; } Function;
static const Function functions[] = {
    {"exp", exp, 1.0}, {"log", log, 0.9}, {"tanh", tanh, 1.4}, {"sigmoid", sigmoid, 2.4}, {"erf", erf, 1.4}, {"sin", sin, 0.57}, {"cos", cos, 0.57},
};

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* In units of the last place of the nearest float; of a float that is right in kind (NaN, infinity, the sign of a zero) 0. */
static double error_of(float got, double want) {
    const float nearest = (float)want;
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    const bool largest = got == copysignf(0x1.fffffep127f, nearest) && fabs(want) < 0x1.000002p128;      /* next to what is infinity by a hair */
    if (isinf(nearest)) return got == nearest || largest ? 0 : INFINITY;
    if (want == 0) return got == 0 && !signbit(got) == !signbit(want) ? 0 : INFINITY;
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

static void run_op(const char *op, int level, int count, float *out, const float *a, const float *b) {
    KernelCall call = {.inputs = b ? 2 : 1};
    call.out = (TensorView){.data = out, .rank = 1, .dim = {count}, .stride = {1}};
    call.in[0] = call.in[1] = call.out;
    call.in[0].data = (void *)a;
    call.in[1].data = (void *)b;
    const Kernel *kernel = kernel_find(op, "cpu", "vector", level, &call);
    assert_non_null(kernel);
    kernel->run(&call, 0, kernel->units(&call));
}

static int lowest_level(void) { return kernel_level(NULL) ? 2 : 0; }

static void a_function_is_as_exact_as_stated(void **state) {
    const Function *function = *state;
    static float x[ROW], y[ROW];
    static double want[ROW];
    double worst[5] = {0};
    float at[5] = {0};
    const char *every = getenv("JRE_TEST_EVERY");         /* a share of the rows, where a machine is emulated */
    const uint64_t step = (uint64_t)ROW * STRIDE * (uint64_t)(every && atoi(every) > 0 ? atoi(every) : 1);
    for (uint64_t first = 0; first < (uint64_t)1 << 32; first += step) {
        int count = 0;
        for (uint64_t bits = first; bits < (uint64_t)1 << 32 && count < ROW; bits += STRIDE) x[count++] = float_of((uint32_t)bits);
        for (int i = 0; i < count; i++) want[i] = function->precise((double)x[i]);
        for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
            run_op(function->op, level, count, y, x, NULL);
            for (int i = 0; i < count; i++) {
                const double error = error_of(y[i], want[i]);
                if (error > worst[level]) worst[level] = error, at[level] = x[i];
            }
        }
    }
    for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
        printf("# %s level %d: %.4f ulp at %.9g\n", function->op, level, worst[level], (double)at[level]);
        if (worst[level] > function->ulp) fail_msg("%s, level %d: %.4f units of the last place at %.9g (%a)", function->op, level, worst[level], (double)at[level], (double)at[level]);
    }
}

static const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, 2.0f, 0.5f, -0.5f, 3.0f, -3.0f, 1e-45f, -1e-45f, 1e-38f, -1e-38f, 0x1p-126f, 0x1.fffffep127f, -0x1.fffffep127f,
                                88.0f, 89.0f, 88.7228394f, -87.4f, -103.97f, -104.0f, 1e30f, -1e30f, 0x1p20f, 1048577.0f, 16777217.0f, INFINITY, -INFINITY, NAN, -NAN, 0.1f};
enum { SPECIALS = sizeof special / sizeof *special };

static void special_values_come_out_as_the_c_library_has_them(void **state) {
    (void)state;
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++)
        for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
            float out[SPECIALS];
            run_op(functions[f].op, level, SPECIALS, out, special, NULL);
            for (int i = 0; i < SPECIALS; i++)
                if (error_of(out[i], functions[f].precise((double)special[i])) > MARGIN)
                    fail_msg("%s(%g), level %d: %.9g", functions[f].op, (double)special[i], level, (double)out[i]);
        }
}

static uint64_t next_word(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 32;
}

static void powers_are_as_exact_as_stated(void **state) {
    (void)state;
    static float x[ROW], y[ROW], out[ROW];
    uint64_t draws = 6;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < ROW; i++) {
            x[i] = round ? float_of((uint32_t)next_word(&draws)) : special[i % SPECIALS];
            y[i] = round ? (float)(next_word(&draws) % 4001) * 0.01f - 20.0f : special[i / SPECIALS % SPECIALS];
            if (round % 3 == 1) x[i] = 0.5f + (float)(next_word(&draws) % 100000) * 1e-5f;
        }
        for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
            run_op("pow", level, ROW, out, x, y);
            for (int i = 0; i < ROW; i++) {
                const double error = error_of(out[i], pow((double)x[i], (double)y[i]));
                if (error > (x[i] < 0 ? 1 : 0.51)) fail_msg("%a ^ %a, level %d: %.9g, off by %g", (double)x[i], (double)y[i], level, (double)out[i], error);
            }
        }
    }
}

static void a_number_is_the_same_wherever_it_lies(void **state) {
    (void)state;
    static float x[ROW], y[ROW], out[ROW], shifted[ROW];
    uint64_t draws = 7;
    for (int i = 0; i < ROW; i++) x[i] = (float)(next_word(&draws) % 20001) * 1e-3f - 10.0f, y[i] = (float)(next_word(&draws) % 401) * 0.01f;
    x[5] = 1e9f;
    for (size_t f = 0; f <= sizeof functions / sizeof *functions; f++) {
        const bool power = f == sizeof functions / sizeof *functions;
        const char *op = power ? "pow" : functions[f].op;
        for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
            run_op(op, level, ROW, out, x, power ? y : NULL);
            for (int shift = 1; shift < 20; shift++) {
                run_op(op, level, 100 - shift, shifted, x + shift, power ? y + shift : NULL);
                assert_memory_equal(shifted, out + shift, (size_t)(100 - shift) * sizeof *out);
            }
        }
    }
}

/* ---- chains ------------------------------------------------------------------------------------------------------------------ */

/* gelu(x * scale + bias) of x [3, 70, 5, 4] channels last, scale [3, 70, 1, 1] and bias [70] stretched. */
enum { N = 3, C = 70, H = 5, W = 4, PIXELS = N * H * W, NUMBERS = PIXELS * C };
static const Chain gelu = {.sources = 3, .steps = 8, .step = {
    {CHAIN_mul, {0, 1}, {0}}, {CHAIN_add, {3, 2}, {0}}, {CHAIN_number, {0}, {0.70710678118654752}}, {CHAIN_mul, {4, 5}, {0}},
    {CHAIN_erf, {6}, {0}}, {CHAIN_number, {0}, {1}}, {CHAIN_add, {7, 8}, {0}}, {CHAIN_mul, {4, 9}, {0}}}};

static KernelCall gelu_call(float *out, const float *x, const float *scale, const float *bias) {
    KernelCall call = {.inputs = 3, .chain = &gelu};
    call.out = (TensorView){.data = out, .rank = 4, .dim = {N, C, H, W}, .stride = {C * H * W, 1, C * W, C}};
    call.in[0] = call.in[1] = call.in[2] = call.out;
    call.in[0].data = (void *)x;
    call.in[1].data = (void *)scale;
    call.in[2].data = (void *)bias;
    memcpy(call.in[1].stride, (int64_t[]){C, 1, 0, 0}, 4 * sizeof(int64_t));
    memcpy(call.in[2].stride, (int64_t[]){0, 1, 0, 0}, 4 * sizeof(int64_t));
    return call;
}

static void draw_gelu(float *x, float *scale, float *bias) {
    uint64_t draws = 8;
    for (int i = 0; i < NUMBERS; i++) x[i] = (float)(next_word(&draws) % 8001) * 1e-3f - 4.0f;
    for (int i = 0; i < N * C; i++) scale[i] = (float)(next_word(&draws) % 2001) * 1e-3f;
    for (int i = 0; i < C; i++) bias[i] = (float)(next_word(&draws) % 2001) * 1e-3f - 1.0f;
}

static void a_chain_gives_the_bits_of_its_ops_one_after_the_other(void **state) {
    (void)state;
    static float x[NUMBERS], scale[N * C], bias[C], out[NUMBERS], scaled[NUMBERS], inner[NUMBERS], half[NUMBERS];
    draw_gelu(x, scale, bias);
    for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
        KernelCall call = gelu_call(out, x, scale, bias);
        const Kernel *kernel = kernel_find("chain", "cpu", "tiles", level, &call);
        kernel->run(&call, 0, kernel->units(&call));
        for (int i = 0; i < NUMBERS; i++) {
            const volatile float product = x[i] * scale[i / (C * H * W) * C + i % C];
            scaled[i] = product + bias[i % C];
            half[i] = scaled[i] * 0.70710678f;
        }
        run_op("erf", level, NUMBERS, inner, half, NULL);
        for (int i = 0; i < NUMBERS; i++) {
            const volatile float more = inner[i] + 1.0f;
            inner[i] = scaled[i] * more;
        }
        assert_memory_equal(out, inner, sizeof out);
        call.in[0].data = call.out.data = x;                       /* in place */
        kernel->run(&call, 0, kernel->units(&call));
        assert_memory_equal(x, inner, sizeof x);
        draw_gelu(x, scale, bias);
    }
}

#define EACH_LEVEL(A) A(0) A(2) A(3) A(4)
#define ROWS_OF(level) extern __attribute__((weak)) void chain_rows_v##level(const KernelCall *, int64_t, int64_t, int64_t, int64_t);
EACH_LEVEL(ROWS_OF)
#define ROWS_AT(level) [level] = chain_rows_v##level,
static void (*const rows_of_level[])(const KernelCall *, int64_t, int64_t, int64_t, int64_t) = {EACH_LEVEL(ROWS_AT)};

/* Behind another kernel the same chain runs in place over blocks of rows and columns. */
static void blocks_of_rows_give_the_same_bits(void **state) {
    (void)state;
    static float x[NUMBERS], scale[N * C], bias[C], out[NUMBERS];
    for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
        draw_gelu(x, scale, bias);
        KernelCall whole = gelu_call(out, x, scale, bias), behind = gelu_call(x, x, scale, bias);
        const Kernel *kernel = kernel_find("chain", "cpu", "tiles", level, &whole);
        kernel->run(&whole, 0, kernel->units(&whole));
        behind.chain_first = 1;
        for (int64_t row = 0; row < PIXELS; row += 7)
            for (int64_t column = 0; column < C; column += 32)
                rows_of_level[level](&behind, row, PIXELS - row < 7 ? PIXELS - row : 7, column, C - column < 32 ? C - column : 32);
        assert_memory_equal(out, x, sizeof out);
    }
}

/* A table [60, 70] with a number a row and a number a column. */
static void rows_of_a_table_are_those_of_its_last_dimension(void **state) {
    (void)state;
    static float x[NUMBERS], scale[N * C], bias[C], out[NUMBERS];
    for (int level = lowest_level(); level <= kernel_level(NULL); level++) {
        draw_gelu(x, scale, bias);
        KernelCall whole = gelu_call(out, x, scale, bias);
        for (int i = -1; i < 3; i++) {
            TensorView *view = i < 0 ? &whole.out : &whole.in[i];
            view->rank = 2;
            memcpy(view->dim, (int64_t[]){PIXELS, C}, 2 * sizeof(int64_t));
            memcpy(view->stride, i == 1 ? (int64_t[]){1, 0} : i == 2 ? (int64_t[]){0, 1} : (int64_t[]){C, 1}, 2 * sizeof(int64_t));
        }
        KernelCall behind = whole;
        behind.out.data = x;
        behind.chain_first = 1;
        const Kernel *kernel = kernel_find("chain", "cpu", "tiles", level, &whole);
        kernel->run(&whole, 0, kernel->units(&whole));
        rows_of_level[level](&behind, 0, 11, 0, C);
        rows_of_level[level](&behind, 11, PIXELS - 11, 0, 33);
        rows_of_level[level](&behind, 11, PIXELS - 11, 33, C - 33);
        assert_memory_equal(out, x, sizeof out);
    }
}

int main(void) {
    enum { FUNCTIONS = sizeof functions / sizeof *functions };
    static Function row[FUNCTIONS];
    struct CMUnitTest tests[FUNCTIONS + 6] = {
        cmocka_unit_test(special_values_come_out_as_the_c_library_has_them),
        cmocka_unit_test(powers_are_as_exact_as_stated),
        cmocka_unit_test(a_number_is_the_same_wherever_it_lies),
        cmocka_unit_test(a_chain_gives_the_bits_of_its_ops_one_after_the_other),
        cmocka_unit_test(blocks_of_rows_give_the_same_bits),
        cmocka_unit_test(rows_of_a_table_are_those_of_its_last_dimension),
    };
    for (int i = 0; i < FUNCTIONS; i++) {
        row[i] = functions[i];
        tests[6 + i] = (struct CMUnitTest){.name = functions[i].op, .test_func = a_function_is_as_exact_as_stated, .initial_state = &row[i]};
    }
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
