/* edges.c: kernels where calls meet their ends: over the memory of an operand, one picture alone and among others, no picture
 * at all, and numbers that are none. */
#include "../kernels/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float drawn(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / 0x1p23 - 1.0);
}

static void run(const Kernel *kernel, KernelCall *call) {
    void *workspace = NULL, *packed = NULL;
    if (kernel->workspace_bytes) assert_int_equal(posix_memalign(&workspace, 64, kernel->workspace_bytes(call) + 64), 0);
    if (kernel->pack) assert_int_equal(posix_memalign(&packed, 64, kernel->packed_bytes(call) + 64), 0);
    if (kernel->pack) kernel->pack(call, packed);
    call->workspace = workspace;
    call->packed = packed;
    kernel->run(call, 0, kernel->units(call));
    free(workspace);
    free(packed);
}

/* Every kernel of the op that this machine runs and that takes the call. */
#define EACH_KERNEL(kernel, name, call)                                                                                  \
    for (int row = 0; row < kernel_count(); row++)                                                                       \
        for (const Kernel *kernel = kernel_at(row); kernel; kernel = NULL)                                               \
            if (!strcmp(kernel->op, name) && kernel->type == KERNEL_F32 && kernel->level <= kernel_level(NULL) && (!kernel->fits || kernel->fits(call)))

static TensorView channels_last(float *data, int64_t n, int64_t c, int64_t h, int64_t w, int64_t pixel) {
    return (TensorView){.data = data, .rank = 4, .dim = {n, c, h, w}, .stride = {h * w * pixel, 1, w * pixel, pixel}};
}

static TensorView line(float *data, int64_t count) { return (TensorView){.data = data, .rank = 1, .dim = {count}, .stride = {1}}; }

/* ---- a picture alone and among others ------------------------------------------------------------------------------------ */

/* Numbers unlike in size that cancel out: what is left is the rounding of one order of summation. */
static void a_sum_is_the_same_alone_and_among_others(void **state) {
    (void)state;
    enum { N = 3, H = 6, W = 9, GAP = 3 };
    static float x[N * H * W * GAP];
    uint64_t draws = 1;
    const char *const ops[] = {"sum", "mean"};
    for (int i = 0; i < 4; i++) {
        const int64_t pixel = i % 2 ? GAP : 1;
        float all[N], one;
        for (int64_t n = 0; n < N; n++)
            for (int64_t k = 0; k < H * W / 2; k++) {
                float *picture = x + n * H * W * pixel;
                picture[k * pixel] = ldexpf(drawn(&draws), (int)((drawn(&draws) + 1) * 50));
                picture[(H * W - 1 - k * 5 % (H * W / 2)) * pixel] = -picture[k * pixel];
            }
        KernelCall call = {.inputs = 1, .attribute = {[REDUCE_axes] = 0xe}};
        call.in[0] = channels_last(x, N, 1, H, W, pixel);
        call.out = channels_last(all, N, 1, 1, 1, 1);
        EACH_KERNEL(kernel, ops[i / 2], &call) {
            run(kernel, &call);
            for (int n = 0; n < N; n++) {
                KernelCall alone = call;
                alone.in[0].data = x + n * call.in[0].stride[0];
                alone.in[0].dim[0] = alone.out.dim[0] = 1;
                alone.out.data = &one;
                run(kernel, &alone);
                if (memcmp(&one, &all[n], sizeof one)) fail_msg("%s level %d, %lld apart: %.9g alone, %.9g among others", kernel->op, kernel->level, (long long)pixel, (double)one, (double)all[n]);
            }
        }
    }
}

/* ---- over the memory of an operand ------------------------------------------------------------------------------------------ */

enum { N = 2, SIZE = 9, MOST = 40, NUMBERS = N * MOST * SIZE * SIZE };
typedef struct { int64_t channels, filters, kernel, groups, pixel; } Shape;
static const Shape shapes[] = {{32, 32, 3, 1, 32}, {17, 37, 1, 1, 37}, {20, 37, 1, 1, 40}, {3, 21, 3, 1, 21}, {37, 37, 3, 37, 37}, {32, 32, 3, 8, 36}, {18, 20, 3, 1, 40}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static KernelCall residual_call(Shape s, float *out, float *x, float *w, float *residual) {
    KernelCall call = {.inputs = 4};
    call.out = channels_last(out, N, s.filters, SIZE, SIZE, s.pixel);
    call.in[0] = channels_last(x, N, s.channels, SIZE, SIZE, s.channels);
    const int64_t each = s.channels / s.groups, window = s.kernel * s.kernel;
    call.in[1] = (TensorView){.data = w, .rank = 4, .dim = {s.filters, each, s.kernel, s.kernel}, .stride = {each * window, window, s.kernel, 1}};
    call.in[3] = call.out;
    call.in[3].data = residual;
    const double attribute[] = {[CONV_stride] = 1, [CONV_pad] = (double)(s.kernel / 2), [CONV_dilation] = 1, [CONV_groups] = (double)s.groups,
                                [CONV_low] = 0, [CONV_high] = INFINITY};
    memcpy(call.attribute, attribute, sizeof attribute);
    return call;
}

static void a_convolution_may_write_over_its_residual(void **state) {
    (void)state;
    static float x[NUMBERS], w[MOST * MOST * 9], residual[NUMBERS], out[NUMBERS], over[NUMBERS];
    uint64_t draws = 2;
    for (int i = 0; i < NUMBERS; i++) x[i] = drawn(&draws), residual[i] = drawn(&draws);
    for (int i = 0; i < MOST * MOST * 9; i++) w[i] = drawn(&draws);
    for (size_t i = 0; i < SHAPES; i++) {
        KernelCall apart = residual_call(shapes[i], out, x, w, residual), in_place = residual_call(shapes[i], over, x, w, over);
        EACH_KERNEL(kernel, "conv", &apart) {
            memcpy(out, residual, sizeof out);                     /* what lies in gaps stays */
            memcpy(over, residual, sizeof over);
            run(kernel, &apart);
            run(kernel, &in_place);
            if (memcmp(out, over, sizeof out)) fail_msg("%s level %d, shape %zu: other bits over the residual", kernel->variant, kernel->level, i);
        }
    }
}

/* ---- no picture at all --------------------------------------------------------------------------------------------------------- */

static void without_pictures_nothing_is_written(void **state) {
    (void)state;
    const char *const ops[] = {"conv", "max_pool", "mean_pool", "blur", "neg", "add", "concat", "sum"};
    static float x[NUMBERS], w[MOST * MOST * 9], out[NUMBERS];
    for (size_t i = 0; i < SHAPES; i++)
        for (size_t op = 0; op < sizeof ops / sizeof ops[0]; op++) {
            KernelCall call = residual_call(shapes[i], out, x, w, x);
            call.out.dim[0] = call.in[0].dim[0] = call.in[3].dim[0] = 0;
            if (op > 0) {
                memset(call.attribute, 0, sizeof call.attribute);
                call.inputs = op == 5 || op == 6 ? 2 : 1;
                call.out = call.in[1] = call.in[0];
                call.out.data = out;
                call.attribute[POOL_size] = call.attribute[POOL_stride] = 1;      /* of concat: axis 1, of blur: a sigma */
                if (op == 6) call.out.dim[1] *= 2;
                if (op == 7) call.attribute[REDUCE_axes] = 2, call.out.dim[1] = 1;
            }
            EACH_KERNEL(kernel, ops[op], &call) {
                run(kernel, &call);
                for (int k = 0; k < NUMBERS; k++) assert_true(out[k] == 0.0f);
            }
        }
}

/* ---- NaN and infinity ------------------------------------------------------------------------------------------------------------ */

/* max and min of a pair: NaN if either is. A row of 40 reaches the vector loops. */
static void nan_goes_through_clamp_max_and_min(void **state) {
    (void)state;
    enum { COUNT = 40 };
    const char *const ops[] = {"max", "min", "clamp"};
    float a[COUNT], b[COUNT], out[COUNT];
    for (int j = 0; j < COUNT; j++) a[j] = j % 3 == 0 ? NAN : 1.0f, b[j] = j % 5 == 0 ? NAN : 2.0f;
    for (int i = 0; i < 3; i++) {
        KernelCall call = {.inputs = i == 2 ? 1 : 2, .attribute = {[CLAMP_high] = 0.5}};
        call.in[0] = line(a, COUNT), call.in[1] = line(b, COUNT), call.out = line(out, COUNT);
        EACH_KERNEL(kernel, ops[i], &call) {
            run(kernel, &call);
            for (int j = 0; j < COUNT; j++) {
                const bool either = j % 3 == 0 || (i != 2 && j % 5 == 0);
                if (either) assert_true(isnan(out[j]));
                else assert_true(out[j] == (i == 0 ? 2.0f : i == 1 ? 1.0f : 0.5f));
            }
        }
    }
}

static void nan_goes_through_pools_and_reductions(void **state) {
    (void)state;
    enum { CHANNELS = 20 };
    const char *const ops[] = {"max_pool", "mean_pool", "max_over", "min_over", "sum"};
    float x[4 * CHANNELS], out[CHANNELS];
    for (int j = 0; j < 4 * CHANNELS; j++) x[j] = (float)j;
    x[CHANNELS + 7] = NAN;
    for (int i = 0; i < 5; i++) {
        KernelCall call = {.inputs = 1};
        call.out = channels_last(out, 1, CHANNELS, 1, 1, CHANNELS);
        call.in[0] = channels_last(x, 1, CHANNELS, 2, 2, CHANNELS);
        if (i < 2) call.attribute[POOL_size] = 2, call.attribute[POOL_stride] = 1;
        else call.attribute[REDUCE_axes] = 0xc;
        EACH_KERNEL(kernel, ops[i], &call) {
            run(kernel, &call);
            for (int j = 0; j < CHANNELS; j++) assert_int_equal(isnan(out[j]) != 0, j == 7);
        }
    }
}

static void a_clamp_at_the_end_of_a_convolution_keeps_nan(void **state) {
    (void)state;
    static float x[NUMBERS], w[MOST * MOST * 9], residual[NUMBERS], out[NUMBERS];
    uint64_t draws = 3;
    for (int i = 0; i < MOST * MOST * 9; i++) w[i] = drawn(&draws);
    for (size_t i = 0; i < SHAPES; i++) {
        for (int k = 0; k < NUMBERS; k++) x[k] = k < shapes[i].channels ? NAN : 1.0f;      /* the first pixel */
        KernelCall call = residual_call(shapes[i], out, x, w, residual);
        EACH_KERNEL(kernel, "conv", &call) {
            memset(out, 0, sizeof out);
            run(kernel, &call);
            for (int k = 0; k < shapes[i].filters; k++) assert_true(isnan(out[k]));
            const float *second = out + call.out.stride[0];                               /* the other picture has none */
            for (int k = 0; k < call.out.stride[0]; k++) assert_false(isnan(second[k]));
        }
    }
}

/* A row of one number repeated has no variance; a row with -inf has no share there. */
static void flat_rows_and_masked_rows_stay_finite(void **state) {
    (void)state;
    enum { COUNT = 37 };
    float x[COUNT], out[COUNT];
    KernelCall call = {.inputs = 1, .attribute = {[LAYER_NORM_axes] = 1, [LAYER_NORM_epsilon] = 1e-5}};
    call.in[0] = line(x, COUNT), call.out = line(out, COUNT);
    for (int i = 0; i < COUNT; i++) x[i] = 1234.567f;
    EACH_KERNEL(kernel, "layer_norm", &call) {
        run(kernel, &call);
        for (int i = 0; i < COUNT; i++) assert_true(fabsf(out[i]) < 0.1f);
    }
    for (int i = 0; i < COUNT; i++) x[i] = i % 2 ? -INFINITY : 88.0f;
    EACH_KERNEL(kernel, "softmax", &call) {
        run(kernel, &call);
        for (int i = 0; i < COUNT; i++) assert_true(i % 2 ? out[i] == 0.0f : fabsf(out[i] - 1.0f / 19) < 1e-6f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_is_the_same_alone_and_among_others),
        cmocka_unit_test(a_convolution_may_write_over_its_residual),
        cmocka_unit_test(without_pictures_nothing_is_written),
        cmocka_unit_test(nan_goes_through_clamp_max_and_min),
        cmocka_unit_test(nan_goes_through_pools_and_reductions),
        cmocka_unit_test(a_clamp_at_the_end_of_a_convolution_keeps_nan),
        cmocka_unit_test(flat_rows_and_masked_rows_stay_finite),
    };
    return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
