/* bench/kernels.c: GFLOP/s of the convolutions of resnet18, resnet50 and mobilenetv2, of layers that other networks have (resnext,
 * convnext, vit, dilated), of pools and products, on one thread.
 *
 *   kernels [LEVEL [BATCH [PATTERN]]]     e.g. kernels v4 16 resnet50
 *
 * Best of several runs, since the machine may have company. The last line of a network is its whole sum of layers. */
#include "../../kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { const char *network; int channels, filters, size, kernel, stride, groups, repeats; bool residual; int dilation; } Layer;

static const Layer layers[] = {
    {"resnet18", 3, 64, 224, 7, 2, 1, 1, false, 1},
    {"resnet18", 64, 64, 56, 3, 1, 1, 4, true, 1},
    {"resnet18", 64, 128, 56, 3, 2, 1, 1, false, 1},
    {"resnet18", 64, 128, 56, 1, 2, 1, 1, false, 1},
    {"resnet18", 128, 128, 28, 3, 1, 1, 3, true, 1},
    {"resnet18", 128, 256, 28, 3, 2, 1, 1, false, 1},
    {"resnet18", 128, 256, 28, 1, 2, 1, 1, false, 1},
    {"resnet18", 256, 256, 14, 3, 1, 1, 3, true, 1},
    {"resnet18", 256, 512, 14, 3, 2, 1, 1, false, 1},
    {"resnet18", 256, 512, 14, 1, 2, 1, 1, false, 1},
    {"resnet18", 512, 512, 7, 3, 1, 1, 3, true, 1},
    {"resnet50", 3, 64, 224, 7, 2, 1, 1, false, 1},
    {"resnet50", 64, 64, 56, 1, 1, 1, 1, false, 1},
    {"resnet50", 64, 64, 56, 3, 1, 1, 3, false, 1},
    {"resnet50", 64, 256, 56, 1, 1, 1, 4, true, 1},
    {"resnet50", 256, 64, 56, 1, 1, 1, 2, false, 1},
    {"resnet50", 256, 128, 56, 1, 1, 1, 1, false, 1},
    {"resnet50", 128, 128, 56, 3, 2, 1, 1, false, 1},
    {"resnet50", 256, 512, 56, 1, 2, 1, 1, false, 1},
    {"resnet50", 128, 512, 28, 1, 1, 1, 4, true, 1},
    {"resnet50", 512, 128, 28, 1, 1, 1, 3, false, 1},
    {"resnet50", 128, 128, 28, 3, 1, 1, 3, false, 1},
    {"resnet50", 512, 256, 28, 1, 1, 1, 1, false, 1},
    {"resnet50", 256, 256, 28, 3, 2, 1, 1, false, 1},
    {"resnet50", 512, 1024, 28, 1, 2, 1, 1, false, 1},
    {"resnet50", 256, 1024, 14, 1, 1, 1, 6, true, 1},
    {"resnet50", 1024, 256, 14, 1, 1, 1, 5, false, 1},
    {"resnet50", 256, 256, 14, 3, 1, 1, 5, false, 1},
    {"resnet50", 1024, 512, 14, 1, 1, 1, 1, false, 1},
    {"resnet50", 512, 512, 14, 3, 2, 1, 1, false, 1},
    {"resnet50", 1024, 2048, 14, 1, 2, 1, 1, false, 1},
    {"resnet50", 512, 2048, 7, 1, 1, 1, 3, true, 1},
    {"resnet50", 2048, 512, 7, 1, 1, 1, 2, false, 1},
    {"resnet50", 512, 512, 7, 3, 1, 1, 2, false, 1},
    {"mobilenetv2", 3, 32, 224, 3, 2, 1, 1, false, 1},
    {"mobilenetv2", 32, 32, 112, 3, 1, 32, 1, false, 1},
    {"mobilenetv2", 32, 16, 112, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 16, 96, 112, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 96, 96, 112, 3, 2, 96, 1, false, 1},
    {"mobilenetv2", 96, 24, 56, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 24, 144, 56, 1, 1, 1, 2, false, 1},
    {"mobilenetv2", 144, 144, 56, 3, 1, 144, 1, false, 1},
    {"mobilenetv2", 144, 24, 56, 1, 1, 1, 1, true, 1},
    {"mobilenetv2", 144, 144, 56, 3, 2, 144, 1, false, 1},
    {"mobilenetv2", 144, 32, 28, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 32, 192, 28, 1, 1, 1, 3, false, 1},
    {"mobilenetv2", 192, 192, 28, 3, 1, 192, 2, false, 1},
    {"mobilenetv2", 192, 32, 28, 1, 1, 1, 2, true, 1},
    {"mobilenetv2", 192, 192, 28, 3, 2, 192, 1, false, 1},
    {"mobilenetv2", 192, 64, 14, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 64, 384, 14, 1, 1, 1, 4, false, 1},
    {"mobilenetv2", 384, 384, 14, 3, 1, 384, 4, false, 1},
    {"mobilenetv2", 384, 64, 14, 1, 1, 1, 3, true, 1},
    {"mobilenetv2", 384, 96, 14, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 96, 576, 14, 1, 1, 1, 3, false, 1},
    {"mobilenetv2", 576, 576, 14, 3, 1, 576, 2, false, 1},
    {"mobilenetv2", 576, 96, 14, 1, 1, 1, 2, true, 1},
    {"mobilenetv2", 576, 576, 14, 3, 2, 576, 1, false, 1},
    {"mobilenetv2", 576, 160, 7, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 160, 960, 7, 1, 1, 1, 3, false, 1},
    {"mobilenetv2", 960, 960, 7, 3, 1, 960, 3, false, 1},
    {"mobilenetv2", 960, 160, 7, 1, 1, 1, 2, true, 1},
    {"mobilenetv2", 960, 320, 7, 1, 1, 1, 1, false, 1},
    {"mobilenetv2", 320, 1280, 7, 1, 1, 1, 1, false, 1},
    {"others", 128, 128, 56, 3, 1, 32, 1, false, 1},          /* resnext50 32x4d */
    {"others", 256, 256, 28, 3, 1, 32, 1, false, 1},
    {"others", 256, 256, 56, 3, 2, 32, 1, false, 1},
    {"others", 512, 512, 14, 3, 1, 32, 1, false, 1},
    {"others", 1024, 1024, 7, 3, 1, 32, 1, false, 1},
    {"others", 32, 64, 56, 3, 1, 32, 1, false, 1},            /* two filters a channel */
    {"others", 96, 96, 56, 7, 1, 96, 1, false, 1},            /* convnext */
    {"others", 384, 384, 14, 7, 1, 384, 1, false, 1},
    {"others", 768, 768, 7, 7, 1, 768, 1, false, 1},
    {"others", 240, 240, 28, 5, 1, 240, 1, false, 1},         /* efficientnet */
    {"others", 240, 240, 28, 3, 1, 240, 1, false, 2},
    {"others", 256, 256, 28, 3, 1, 1, 1, false, 2},
    {"others", 3, 96, 224, 4, 4, 1, 1, false, 1},             /* patches: convnext, vit */
    {"others", 3, 768, 224, 16, 16, 1, 1, false, 1},
    {"others", 3, 32, 224, 3, 2, 1, 1, false, 1},
    {"others", 16, 64, 56, 3, 1, 1, 1, false, 1},             /* squeezenet */
    {"others", 24, 24, 112, 3, 1, 1, 1, false, 1},
};

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *memory(size_t bytes) {
    void *at = NULL;
    if (posix_memalign(&at, 64, bytes ? bytes : 64) != 0) return NULL;
    memset(at, 0, bytes);
    return at;
}

static void *values(const TensorView *view) {
    int64_t count = view_elements(view);
    float *at = memory((size_t)count * sizeof(float));
    for (int64_t i = 0; at && i < count; i++) at[i] = (float)(i * 2654435761u % 1000u) / 1000.0f - 0.5f;
    return at;
}

static TensorView channels_last(int64_t n, int64_t c, int64_t h, int64_t w) {
    return (TensorView){.rank = 4, .dim = {n, c, h, w}, .stride = {c * h * w, 1, w * c, c}};
}

/* Best time of one pass over all units; at least five passes, until a twentieth of a second is spent. */
static double best_time(const Kernel *kernel, KernelCall *call) {
    call->workspace = memory(kernel->workspace_bytes ? kernel->workspace_bytes(call) : 0);
    void *packed = memory(kernel->packed_bytes ? kernel->packed_bytes(call) : 0);
    if (kernel->pack) kernel->pack(call, packed);
    call->packed = packed;
    double best = 1e9, started = seconds();
    for (int i = 0; i < 5 || seconds() - started < 0.05; i++) {
        double from = seconds();
        kernel->run(call, 0, kernel->units(call));
        double took = seconds() - from;
        if (took < best) best = took;
    }
    free(call->workspace);
    free(packed);
    return best;
}

static void release(KernelCall *call) {
    free(call->out.data);
    for (int i = 0; i < call->inputs; i++) free(call->in[i].data);
}

typedef struct { double work, time; } Total;

static void time_layer(const Layer *layer, int level, int batch, Total *total) {
    const int dilation = layer->dilation ? layer->dilation : 1, span = (layer->kernel - 1) * dilation + 1;
    const int pad = layer->kernel == layer->stride ? 0 : span / 2, out_size = (layer->size + 2 * pad - span) / layer->stride + 1;
    KernelCall call = {.inputs = 4};
    call.out = channels_last(batch, layer->filters, out_size, out_size);
    call.in[0] = channels_last(batch, layer->channels, layer->size, layer->size);
    int64_t k = layer->kernel, c = layer->channels / layer->groups;
    call.in[1] = (TensorView){.rank = 4, .dim = {layer->filters, c, k, k}, .stride = {c * k * k, k * k, k, 1}};
    call.in[2] = (TensorView){.rank = 1, .dim = {layer->filters}, .stride = {1}};
    call.in[3] = call.out;
    call.out.data = values(&call.out);
    for (int i = 0; i < 4; i++) call.in[i].data = i < 3 || layer->residual ? values(&call.in[i]) : NULL;
    double attribute[] = {layer->stride, pad, dilation, layer->groups, 0, INFINITY};
    memcpy(call.attribute, attribute, sizeof attribute);
    const Kernel *kernel = kernel_find("conv", "cpu", NULL, level, &call);
    double time = best_time(kernel, &call);
    double work = 2.0 * (double)view_elements(&call.out) * (double)(c * k * k);
    total->work += work * layer->repeats;
    total->time += time * layer->repeats;
    printf("%-12s %4d -> %4d  %3d px  %dx%d/%d %-5s %-10s %8.3f ms  %6.1f GFLOP/s\n", layer->network, layer->channels, layer->filters,
           layer->size, layer->kernel, layer->kernel, layer->stride, layer->groups == layer->channels ? "dw" : layer->groups > 1 ? "group" : dilation > 1 ? "wide" : "",
           kernel->variant, time * 1e3,
           work / time * 1e-9);
    release(&call);
}

/* Bytes read and written once, a second. */
static void time_pools(int level, int batch) {
    const struct { const char *op; int channels, size, window, stride, pad; } pools[] = {
        {"max_pool", 64, 112, 3, 2, 1}, {"max_pool", 96, 55, 3, 2, 0}, {"mean_pool", 256, 14, 2, 2, 0}, {"mean_pool", 64, 56, 3, 1, 1},
    };
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        const int size = pools[i].size, out = (size + 2 * pools[i].pad - pools[i].window) / pools[i].stride + 1;
        KernelCall call = {.inputs = 1, .attribute = {[POOL_size] = pools[i].window, [POOL_stride] = pools[i].stride, [POOL_pad] = pools[i].pad}};
        call.out = channels_last(batch, pools[i].channels, out, out);
        call.in[0] = channels_last(batch, pools[i].channels, size, size);
        call.out.data = values(&call.out);
        call.in[0].data = values(&call.in[0]);
        const Kernel *kernel = kernel_find(pools[i].op, "cpu", NULL, level, &call);
        const double time = best_time(kernel, &call), bytes = 4.0 * (double)(view_elements(&call.out) + view_elements(&call.in[0]));
        printf("%-12s %4d channels  %3d px  %dx%d/%d  %-10s %8.3f ms  %6.1f GB/s\n", pools[i].op, pools[i].channels, size, pools[i].window,
               pools[i].window, pools[i].stride, kernel->variant, time * 1e3, bytes / time * 1e-9);
        release(&call);
    }
}

static void time_products(int level) {
    const struct { const char *op; int64_t m, n, k; bool transposed; } products[] = {
        {"matmul", 1, 1000, 2048, true}, {"matmul", 16, 1000, 2048, true}, {"matmul", 12, 1536, 384, false},
        {"matmul", 196, 512, 512, true}, {"matmul", 196, 512, 512, false}, {"matmul", 197, 1152, 384, false}, {"matmul", 197, 384, 1536, false},
        {"cosine_scores", 256, 1024, 512, true}, {"cosine_scores", 1, 5000, 512, true},
    };
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        int64_t m = products[i].m, n = products[i].n, k = products[i].k;
        bool cosine = strcmp(products[i].op, "matmul") != 0;
        KernelCall call = {.inputs = 2};
        call.out = (TensorView){.rank = 2, .dim = {m, n}, .stride = {n, 1}};
        call.in[0] = (TensorView){.rank = 2, .dim = {m, k}, .stride = {k, 1}};
        call.in[1] = (TensorView){.rank = 2, .dim = {k, n}, .stride = {n, 1}};
        if (products[i].transposed) call.in[1].stride[0] = 1, call.in[1].stride[1] = k;
        if (cosine) call.in[1] = (TensorView){.rank = 2, .dim = {n, k}, .stride = {k, 1}};
        call.out.data = values(&call.out);
        for (int j = 0; j < 2; j++) call.in[j].data = values(&call.in[j]);
        const Kernel *kernel = kernel_find(products[i].op, "cpu", NULL, level, &call);
        double time = best_time(kernel, &call);
        printf("%-14s [%lld,%lld] x [%lld,%lld]  %-8s %8.3f ms  %6.1f GFLOP/s\n", products[i].op, (long long)m, (long long)k, (long long)k,
               (long long)n, kernel->variant, time * 1e3, 2.0 * (double)(m * n * k) / time * 1e-9);
        release(&call);
    }
}

/* What a vision transformer asks of a picture besides, and reductions of pooled features: of `batch` pictures. */
typedef struct { const char *op; int64_t out[4], in[3][4]; double attribute[2], flops; bool channels_last; } Other;

static const Other asked[] = {
    {"matmul", {6, 197, 197}, {{6, 197, 64}, {6, 64, 197}}, {0}, 128, false},
    {"attention", {6, 197, 64}, {{6, 197, 64}, {6, 197, 64}, {6, 197, 64}}, {0.125}, 4 * 197, false},
    {"attention", {12, 577, 64}, {{12, 577, 64}, {12, 577, 64}, {12, 577, 64}}, {0.125}, 4 * 577, false},
    {"softmax", {6, 197, 197}, {{6, 197, 197}}, {8}, 0, false},
    {"layer_norm", {1, 197, 384}, {{1, 197, 384}}, {8, 1e-6}, 0, false},
    {"layer_norm", {96, 56, 56}, {{96, 56, 56}}, {2, 1e-6}, 0, true},
    {"unit", {1, 1, 2048}, {{1, 1, 2048}}, {8, 1e-12}, 0, false},
    {"mean", {2048, 1, 1}, {{2048, 7, 7}}, {12}, 0, true},
    {"max_over", {2048, 1, 1}, {{2048, 7, 7}}, {12}, 0, true},
    {"mean", {1, 197, 1}, {{1, 197, 768}}, {8}, 0, false},
    {"sum", {1, 1, 768}, {{1, 197, 768}}, {4}, 0, false},
};

static TensorView of_batch(const int64_t *dim, int batch, bool last) {
    if (last) return channels_last(batch, dim[0], dim[1], dim[2]);
    return (TensorView){.rank = 4, .dim = {batch, dim[0], dim[1], dim[2]}, .stride = {dim[0] * dim[1] * dim[2], dim[1] * dim[2], dim[2], 1}};
}

static void time_other(const Other *other, int level, int batch) {
    KernelCall call = {.out = of_batch(other->out, batch, other->channels_last)};
    call.out.data = values(&call.out);
    double bytes = 4.0 * (double)view_elements(&call.out), work = other->flops * (double)view_elements(&call.out);
    for (; call.inputs < 3 && other->in[call.inputs][0]; call.inputs++) {
        TensorView *in = &call.in[call.inputs];
        *in = of_batch(other->in[call.inputs], batch, other->channels_last);
        in->data = values(in);
        bytes += 4.0 * (double)view_elements(in);
    }
    memcpy(call.attribute, other->attribute, sizeof other->attribute);
    const Kernel *kernel = kernel_find(other->op, "cpu", NULL, level, &call);
    double time = best_time(kernel, &call), rate = (work > 0 ? work : bytes) / time * 1e-9;
    printf("%-14s [%d,%lld,%lld,%lld] of [%d,%lld,%lld,%lld]  %-8s %8.3f ms  %6.1f %s\n", other->op, batch, (long long)other->out[0],
           (long long)other->out[1], (long long)other->out[2], batch, (long long)other->in[0][0], (long long)other->in[0][1],
           (long long)other->in[0][2], kernel->variant, time * 1e3, rate, work > 0 ? "GFLOP/s" : "GB/s");
    release(&call);
}

/* What no layer can surpass. */
static void time_limit(int level) {
    enum { ROUNDS = 1000000 };
    const KernelLimit *limit = kernel_limit(level);
    volatile float kept;
    double best = 1e9;
    for (int i = 0; i < 10; i++) {
        double from = seconds();
        kept = limit->multiply(ROUNDS);
        double took = seconds() - from;
        if (took < best) best = took;
    }
    (void)kept;
    printf("multiply-adds in registers, level %d: %.1f GFLOP/s\n\n", limit->level, ROUNDS * limit->flops / best * 1e-9);
}

int main(int count, char **words) {
    int level = kernel_level(count > 1 && *words[1] ? words[1] : NULL), batch = count > 2 ? atoi(words[2]) : 1;
    const char *pattern = count > 3 ? words[3] : "";
    if (level < 0 || batch < 1) {
        fprintf(stderr, "usage: kernels [v2|v3|v4 [BATCH [PATTERN]]]\n");
        return 1;
    }
    time_limit(level);
    int layer_count = (int)(sizeof layers / sizeof layers[0]);
    Total total = {0, 0};
    for (int i = 0; i < layer_count; i++) {
        if (!strstr(layers[i].network, pattern)) continue;
        time_layer(&layers[i], level, batch, &total);
        if (i + 1 < layer_count && strcmp(layers[i].network, layers[i + 1].network) == 0) continue;
        printf("%-12s all convolutions: %.2f ms a picture, %.1f GFLOP/s\n\n", layers[i].network, total.time * 1e3 / batch,
               total.work / total.time * 1e-9);
        total = (Total){0, 0};
    }
    if (strstr("pools", pattern)) time_pools(level, batch);
    if (strstr("products", pattern)) time_products(level);
    for (size_t i = 0; strstr("products", pattern) && i < sizeof asked / sizeof *asked; i++) time_other(&asked[i], level, batch);
    return 0;
}
