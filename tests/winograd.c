/* winograd.c: what Winograd's convolution costs in exactness, and that its choice looks at the layer and the mode alone. */
#include "../kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include "test.h"

typedef struct { int64_t batch, channels, filters, size; bool latency; } Layer3;

static TensorView channels_last(int64_t n, int64_t c, int64_t h, int64_t w) {
    return (TensorView){.rank = 4, .dim = {n, c, h, w}, .stride = {c * h * w, 1, w * c, c}};
}

static KernelCall call_of(Layer3 layer) {
    KernelCall call = {.inputs = 2, .latency = layer.latency};
    call.out = channels_last(layer.batch, layer.filters, layer.size, layer.size);
    call.in[0] = channels_last(layer.batch, layer.channels, layer.size, layer.size);
    call.in[1] = (TensorView){.rank = 4, .dim = {layer.filters, layer.channels, 3, 3}, .stride = {layer.channels * 9, 9, 3, 1}};
    const double attribute[] = {[CONV_stride] = 1, [CONV_pad] = 1, [CONV_dilation] = 1, [CONV_groups] = 1, [CONV_low] = -INFINITY, [CONV_high] = INFINITY};
    memcpy(call.attribute, attribute, sizeof attribute);
    return call;
}

/* ---- exactness -------------------------------------------------------------------------------------------------------- */

static void *draw(TensorView *view, KernelType type, uint64_t state) {
    const int64_t count = view_elements(view);
    float *floats = calloc((size_t)count, sizeof *floats);
    double *doubles = calloc((size_t)count, sizeof *doubles);
    assert_true(floats && doubles);
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        floats[i] = (float)((double)(state >> 40) / 0x1p23 - 1.0);
        doubles[i] = (double)floats[i];
    }
    view->type = type;
    view->data = type == KERNEL_F32 ? (void *)floats : (void *)doubles;
    free(type == KERNEL_F32 ? (void *)doubles : (void *)floats);
    return view->data;
}

static void run(const Kernel *kernel, KernelCall *call) {
    void *workspace = NULL, *packed = NULL;
    if (kernel->workspace_bytes) assert_int_equal(posix_memalign(&workspace, 64, kernel->workspace_bytes(call)), 0);
    if (kernel->packed_bytes) assert_int_equal(posix_memalign(&packed, 64, kernel->packed_bytes(call)), 0);
    if (kernel->pack) kernel->pack(call, packed);
    call->packed = packed;
    call->workspace = workspace;
    kernel->run(call, 0, kernel->units(call));
    free(workspace);
    free(packed);
}

/* The largest difference to the reference in f64, over the square root of the channels: the size of a sum's own rounding. */
static double error_of(const char *variant, int level, Layer3 layer) {
    KernelCall call = call_of(layer), wide = call;
    for (int i = 0; i < 2; i++) {
        draw(&call.in[i], KERNEL_F32, (uint64_t)i + 7);
        draw(&wide.in[i], KERNEL_F64, (uint64_t)i + 7);
    }
    const float *got = draw(&call.out, KERNEL_F32, 1);
    const double *want = draw(&wide.out, KERNEL_F64, 1);
    const Kernel *kernel = kernel_find("conv", "cpu", variant, level, &call);
    assert_non_null(kernel);
    run(kernel, &call);
    run(kernel_find("conv", "cpu", "reference", 0, &wide), &wide);
    double worst = 0.0;
    for (int64_t i = 0; i < view_elements(&call.out); i++) worst = fmax(worst, fabs((double)got[i] - want[i]));
    free(call.out.data);
    free(wide.out.data);
    for (int i = 0; i < 2; i++) {
        free(call.in[i].data);
        free(wide.in[i].data);
    }
    return worst / sqrt((double)layer.channels);
}

/* Values up to 1 in size. The head of kernels/cpu/winograd.c states this bound. */
static void the_error_stays_within_what_is_stated(void **state) {
    (void)state;
    const int64_t channels[] = {16, 64, 256};
    for (int level = kernel_level(NULL); level >= 0; level--) {
        for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
            const Layer3 layer = {1, channels[i], 32, 14, false};
            const KernelCall call = call_of(layer);
            if (!kernel_find("conv", "cpu", "winograd", level, &call)) continue;
            const double error = error_of("winograd", level, layer);
            if (error > 1e-5) fail_msg("%lld channels at level %d: %g", (long long)channels[i], level, error);
        }
    }
}

/* At row and column 5, which the second tile of each direction alone sees. */
static void an_infinity_makes_nan_of_its_tile_alone(void **state) {
    (void)state;
    enum { AT = 5, SIZE = 14 };
    const Layer3 layer = {2, 16, 32, SIZE, false};
    for (int level = kernel_level(NULL); level >= 0; level--) {
        KernelCall call = call_of(layer);
        const Kernel *kernel = kernel_find("conv", "cpu", "winograd", level, &call);
        if (!kernel) continue;
        float *x = draw(&call.in[0], KERNEL_F32, 7), *w = draw(&call.in[1], KERNEL_F32, 8), *wanted = draw(&call.out, KERNEL_F32, 1);
        run(kernel, &call);
        float *found = draw(&call.out, KERNEL_F32, 1);
        x[AT * call.in[0].stride[2] + AT * call.in[0].stride[3]] = INFINITY;
        run(kernel, &call);
        for (int64_t i = 0; i < view_elements(&call.out); i++) {
            const int64_t pixel = i / layer.filters, row = pixel / SIZE, column = pixel % SIZE;
            if (pixel < SIZE * SIZE && row / 4 == 1 && column / 4 == 1) assert_true(isnan(found[i]));
            else assert_true(found[i] == wanted[i]);
        }
        free(x), free(w), free(wanted), free(found);
    }
}

/* ---- the choice ----------------------------------------------------------------------------------------------------------- */

static const char *chosen(Layer3 layer) {
    const KernelCall call = call_of(layer);
    return kernel_find("conv", "cpu", NULL, kernel_level(NULL), &call)->variant;
}

static void large_layers_are_winograds_whatever_the_batch(void **state) {
    (void)state;
    const Layer3 layers[] = {{1, 64, 64, 56, false}, {1, 128, 128, 28, false}, {1, 256, 256, 14, false}, {1, 512, 512, 7, false}, {1, 16, 16, 8, false}};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        Layer3 layer = layers[i];
        for (layer.batch = 1; layer.batch <= 64; layer.batch *= 4) assert_string_equal(chosen(layer), "winograd");
    }
}

static void small_pictures_and_few_channels_are_direct(void **state) {
    (void)state;
    assert_string_equal(chosen((Layer3){8, 512, 512, 2, false}), "indirect");
    assert_string_equal(chosen((Layer3){8, 3, 64, 224, false}), "indirect");
    assert_string_equal(chosen((Layer3){8, 64, 8, 56, false}), "indirect");
}

/* 37 MB of transformed weights for four tiles would come from memory; the layers before have enough to compute. */
static void one_picture_at_a_time_does_not_stream_large_weights(void **state) {
    (void)state;
    assert_string_equal(chosen((Layer3){1, 512, 512, 7, true}), "indirect");
    assert_string_equal(chosen((Layer3){16, 512, 512, 7, true}), "indirect");
    assert_string_equal(chosen((Layer3){1, 256, 256, 14, true}), "winograd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_stays_within_what_is_stated),
        cmocka_unit_test(an_infinity_makes_nan_of_its_tile_alone),
        cmocka_unit_test(large_layers_are_winograds_whatever_the_batch),
        cmocka_unit_test(small_pictures_and_few_channels_are_direct),
        cmocka_unit_test(one_picture_at_a_time_does_not_stream_large_weights),
    };
    return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
