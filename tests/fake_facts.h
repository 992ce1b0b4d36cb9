/* fake_facts.h: all that the compiler asks about files, answered from memory, for tests that need no files: any weight file named
 * *.safetensors exists unless its name says `missing`, and holds the names and shapes of the networks added here. */
#ifndef JRE_FAKE_FACTS_H
#define JRE_FAKE_FACTS_H

#include <string.h>

#include "../compiler/compiler.h"

typedef struct {
    Jre *jre;
    LIST(WeightShape) tensors;
    const char *hash, *stats;
    WeightFacts facts;
} FakeFiles;

static inline void fake_weight(FakeFiles *files, const char *name, int rank, const int64_t *dim) {
    WeightShape shape = {.name = intern(files->jre, name), .dtype = "F32", .rank = rank};
    for (int i = 0; i < rank; i++) shape.dim[i] = dim[i];
    list_add(&files->jre->forever, &files->tensors, shape);
}

static inline const char *fake_name(FakeFiles *files, const char *place, const char *last) {
    return arena_print(&files->jre->forever, "%s.%s", place, last);
}

static inline void fake_conv(FakeFiles *files, const char *place, int64_t out, int64_t in, int64_t size, bool bias) {
    fake_weight(files, fake_name(files, place, "weight"), 4, (int64_t[]){out, in, size, size});
    if (bias) fake_weight(files, fake_name(files, place, "bias"), 1, &out);
}

static inline void fake_norm(FakeFiles *files, const char *place, int64_t channels) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++) fake_weight(files, fake_name(files, place, names[i]), 1, &channels);
}

static inline void fake_resnet(FakeFiles *files, const int *depths, bool bottleneck) {
    Arena *arena = &files->jre->forever;
    int64_t in = 64, expansion = bottleneck ? 4 : 1;
    fake_conv(files, "conv1", 64, 3, 7, false);
    fake_norm(files, "bn1", 64);
    for (int stage = 0; stage < 4; stage++) {
        int64_t width = 64 << stage;
        for (int b = 0; b < depths[stage]; b++) {
            const char *block = arena_print(arena, "layer%d.%d", stage + 1, b);
            int64_t between = in;
            for (int k = 0; k < (bottleneck ? 3 : 2); k++) {
                int64_t out = bottleneck && k == 2 ? 4 * width : width;
                fake_conv(files, arena_print(arena, "%s.conv%d", block, k + 1), out, between, bottleneck && k != 1 ? 1 : 3, false);
                fake_norm(files, arena_print(arena, "%s.bn%d", block, k + 1), out);
                between = out;
            }
            if (in != expansion * width || (b == 0 && stage)) {
                fake_conv(files, fake_name(files, block, "downsample.0"), expansion * width, in, 1, false);
                fake_norm(files, fake_name(files, block, "downsample.1"), expansion * width);
            }
            in = expansion * width;
        }
    }
}

static inline void fake_mobilenetv2(FakeFiles *files) {
    static const struct { int out, count; } stages[] = {{24, 2}, {32, 3}, {64, 4}, {96, 3}, {160, 3}, {320, 1}};
    Arena *arena = &files->jre->forever;
    fake_conv(files, "conv_stem", 32, 3, 3, false);
    fake_norm(files, "bn1", 32);
    fake_conv(files, "blocks.0.0.conv_dw", 32, 1, 3, false);
    fake_norm(files, "blocks.0.0.bn1", 32);
    fake_conv(files, "blocks.0.0.conv_pw", 16, 32, 1, false);
    fake_norm(files, "blocks.0.0.bn2", 16);
    int64_t in = 16;
    for (int s = 0; s < 6; s++)
        for (int b = 0; b < stages[s].count; b++, in = stages[s].out) {
            const char *block = arena_print(arena, "blocks.%d.%d", s + 1, b);
            fake_conv(files, fake_name(files, block, "conv_pw"), 6 * in, in, 1, false);
            fake_norm(files, fake_name(files, block, "bn1"), 6 * in);
            fake_conv(files, fake_name(files, block, "conv_dw"), 6 * in, 1, 3, false);
            fake_norm(files, fake_name(files, block, "bn2"), 6 * in);
            fake_conv(files, fake_name(files, block, "conv_pwl"), stages[s].out, 6 * in, 1, false);
            fake_norm(files, fake_name(files, block, "bn3"), stages[s].out);
        }
    fake_conv(files, "conv_head", 1280, 320, 1, false);
    fake_norm(files, "bn2", 1280);
}

static inline void fake_squeezenet(FakeFiles *files) {
    static const struct { int place, in, squeezed, expanded; } fires[] = {
        {3, 64, 16, 64}, {4, 128, 16, 64}, {6, 128, 32, 128}, {7, 256, 32, 128}, {9, 256, 48, 192}, {10, 384, 48, 192}, {11, 384, 64, 256}, {12, 512, 64, 256}};
    fake_conv(files, "features.0", 64, 3, 3, true);
    for (int i = 0; i < 8; i++) {
        const char *fire = arena_print(&files->jre->forever, "features.%d", fires[i].place);
        fake_conv(files, fake_name(files, fire, "squeeze"), fires[i].squeezed, fires[i].in, 1, true);
        fake_conv(files, fake_name(files, fire, "expand1x1"), fires[i].expanded, fires[i].squeezed, 1, true);
        fake_conv(files, fake_name(files, fire, "expand3x3"), fires[i].expanded, fires[i].squeezed, 3, true);
    }
}

static inline bool fake_file_exists(void *context, const char *path) {
    (void)context;
    const char *dot = strrchr(path, '.');
    return dot && !strcmp(dot, ".safetensors") && !strstr(path, "missing");
}

static inline const char *fake_content_hash(void *context, const char *path, Span asked_at) {
    (void)path, (void)asked_at;
    const FakeFiles *files = context;
    return files->hash ? files->hash : "0123456789abcdef0123456789abcdef";
}

static inline const WeightFacts *fake_weights(void *context, const char *path, Span asked_at) {
    (void)asked_at;
    FakeFiles *files = context;
    files->facts = (WeightFacts){.path = path, .tensors = files->tensors.at, .count = files->tensors.count, .stats = files->stats};
    for (int i = 0; i < files->tensors.count; i++) map_set(&files->facts.by_name, &files->jre->forever, files->tensors.at[i].name, &files->tensors.at[i]);
    return &files->facts;
}

static inline Facts fake_facts(FakeFiles *files) {
    return (Facts){.context = files, .file_exists = fake_file_exists, .content_hash = fake_content_hash, .weights = fake_weights};
}

#endif
