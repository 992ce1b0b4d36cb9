/* augment.c: a view makes a picture ready for a network.
 *
 * In: RGB or RGBA pixels of any size. Out: [3, height, width] f32. Contract: everything before the last step works on 8-bit
 * pixels with Pillow's own roundings, so its results are bit-exact with Pillow; transparency is filled before resizing; the
 * step to floating point is torchvision's: (v / 255 - mean) / spread, each operation rounded to f32. */
#include "../runtime.h"

#include <string.h>

static const uint8_t white[3] = {255, 255, 255};

static ResampleFilter filter_named(const char *name) {
    static const char *const names[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
    for (int i = 0; name && i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(name, names[i]) == 0) return (ResampleFilter)i;
    return FILTER_BICUBIC;
}

static void replace_image(Image *now, bool *owned, Image next) {
    if (*owned) image_free(now);
    *now = next;
    *owned = true;
}

/* RGB from whatever it is: alpha over `fill`, gray three times. */
static void make_rgb(Jre *jre, Image *now, bool *owned, const uint8_t fill[3]) {
    if (now->channels == 3) return;
    Image rgb = {0};
    if (now->channels == 4) {
        image_composite(jre, now, fill, &rgb);
    } else {
        size_t pixels = (size_t)now->width * (size_t)now->height;
        rgb = (Image){now->width, now->height, 3, jre_allocate(jre, 3 * pixels)};
        for (size_t i = 0; i < 3 * pixels; i++) rgb.pixels[i] = now->pixels[i / 3 * (size_t)now->channels];
    }
    replace_image(now, owned, rgb);
}

static void stretch(Jre *jre, Image *now, bool *owned, int width, int height, const char *filter) {
    if (now->width == width && now->height == height) return;
    Image resized = {0};
    image_resize(jre, now, width, height, filter_named(filter), &resized);
    replace_image(now, owned, resized);
}

/* length * to / from, halves rounded up, at least 1. */
static int scaled(int length, int to, int from) {
    int64_t rounded = (2 * (int64_t)length * to + from) / (2 * (int64_t)from);
    return rounded < 1 ? 1 : (int)rounded;
}

/* 640 x 480 into 224 x 224: resized to 224 x 168, 28 rows of `fill` above and below. */
static void fit(Jre *jre, Image *now, bool *owned, const ViewStep *step) {
    bool wide = (int64_t)now->width * step->height >= (int64_t)now->height * step->width;
    int width = wide ? step->width : scaled(now->width, step->height, now->height);
    int height = wide ? scaled(now->height, step->width, now->width) : step->height;
    if (width > step->width) width = step->width;
    if (height > step->height) height = step->height;
    stretch(jre, now, owned, width, height, step->filter);
    if (width == step->width && height == step->height) return;
    size_t row = 3 * (size_t)step->width, total = row * (size_t)step->height;
    Image canvas = {step->width, step->height, 3, jre_allocate(jre, total)};
    for (size_t i = 0; i < total; i++) canvas.pixels[i] = step->fill[i % 3];
    size_t left = (size_t)(step->width - width) / 2, top = (size_t)(step->height - height) / 2;
    for (size_t y = 0; y < (size_t)height; y++)
        memcpy(canvas.pixels + (top + y) * row + 3 * left, now->pixels + y * 3 * (size_t)width, 3 * (size_t)width);
    replace_image(now, owned, canvas);
}

/* All 256 values of each channel, through every normalization of the view in turn. */
static void value_table(const View *view, float table[3][256]) {
    for (int channel = 0; channel < 3; channel++)
        for (int v = 0; v < 256; v++) table[channel][v] = (float)v / 255.0f;
    for (int i = 0; i < view->steps.count; i++) {
        const ViewStep *step = &view->steps.at[i];
        if (step->kind != VIEW_NORMALIZE) continue;
        for (int channel = 0; channel < 3; channel++) {
            float mean = (float)step->stats.mean[channel], spread = (float)step->stats.spread[channel];
            for (int v = 0; v < 256; v++) table[channel][v] = (table[channel][v] - mean) / spread;
        }
    }
}

void view_apply(Jre *jre, const View *view, const Image *picture, float *out) {
    Image now = *picture;
    bool owned = false;
    for (int i = 0; i < view->steps.count; i++) {
        const ViewStep *step = &view->steps.at[i];
        if (step->kind != VIEW_FIT && step->kind != VIEW_STRETCH) continue;
        make_rgb(jre, &now, &owned, step->fill);
        if (step->kind == VIEW_FIT) fit(jre, &now, &owned, step);
        else stretch(jre, &now, &owned, step->width, step->height, step->filter);
    }
    /* A view without a size step leaves pictures as they are; `out` has room for the view's size and no other. */
    make_rgb(jre, &now, &owned, white);
    stretch(jre, &now, &owned, view->width, view->height, NULL);
    float table[3][256];
    value_table(view, table);
    size_t plane = (size_t)view->width * (size_t)view->height;
    for (size_t i = 0; i < plane; i++)
        for (size_t channel = 0; channel < 3; channel++) out[channel * plane + i] = table[channel][now.pixels[3 * i + channel]];
    if (owned) image_free(&now);
}
