/* augment.c: a view makes a picture ready for a network.
 *
 * In: gray, RGB or RGBA pixels of any size, and the mask that belongs to them if the view wants one. Out: RGB of the view's size, then
 * [3, height, width] f32. Contract: every step works on 8-bit pixels with Pillow's and torchvision's own roundings, so its results are
 * theirs to the last bit; transparency lies on the fill of the first step that has one; the mask goes through the same steps
 * without being smoothed. The step to floating point is torchvision's: (v / 255 - mean) / spread, each operation rounded to f32. */
#include "../runtime.h"

#include <string.h>

enum { WHY_BYTES = 256, SIDE_MOST = 16384 };

static const uint8_t white[3] = {255, 255, 255};

static ResampleFilter filter_named(const char *name) {
    static const char *const names[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};
    for (int i = 0; name && i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(name, names[i]) == 0) return (ResampleFilter)i;
    return FILTER_BICUBIC;
}

/* ---- layers: the picture so far, its mask so far -------------------------------------------------------------------------------- */

typedef struct { Image image; bool owned; } Layer;

static void replace_layer(Layer *layer, Image next) {
    if (layer->owned) image_free(&layer->image);
    *layer = (Layer){next, true};
}

/* RGB from whatever it is: alpha over `fill`, gray three times. */
static void make_rgb(Jre *jre, Layer *layer, const uint8_t fill[3]) {
    if (layer->image.channels == 3) return;
    Image rgb;
    image_composite(jre, &layer->image, fill, &rgb);
    replace_layer(layer, rgb);
}

/* A picture that becomes its window of width x height at (left, top), which may lie outside: there is `fill`. */
static void cut(Jre *jre, Layer *layer, int left, int top, int width, int height, const uint8_t fill[4]) {
    const Image *from = &layer->image;
    if (!left && !top && width == from->width && height == from->height) return;
    int channels = from->channels;
    Image to = image_new(jre, width, height, channels);
    size_t row = (size_t)width * (size_t)channels;
    for (size_t i = 0; i < row * (size_t)height; i++) to.pixels[i] = fill[i % (size_t)channels];
    int first_x = left > 0 ? left : 0, end_x = left + width < from->width ? left + width : from->width;
    int first_y = top > 0 ? top : 0, end_y = top + height < from->height ? top + height : from->height;
    for (int y = first_y; y < end_y && first_x < end_x; y++)
        memcpy(to.pixels + (size_t)(y - top) * row + (size_t)(first_x - left) * (size_t)channels,
               from->pixels + ((size_t)y * (size_t)from->width + (size_t)first_x) * (size_t)channels, (size_t)(end_x - first_x) * (size_t)channels);
    replace_layer(layer, to);
}

static void resize(Jre *jre, Layer *layer, int width, int height, ResampleFilter filter) {
    if (layer->image.width == width && layer->image.height == height) return;
    Image resized;
    image_resize(jre, &layer->image, width, height, filter, &resized);
    replace_layer(layer, resized);
}

/* ---- where pixels lie --------------------------------------------------------------------------------------------------------------- */

/* length * to / from, halves rounded up, at least 1. */
static int scaled(int length, int to, int from) {
    int64_t rounded = (2 * (int64_t)length * to + from) / (2 * (int64_t)from);
    return rounded < 1 ? 1 : (int)rounded;
}

/* 640 x 480 into 224 x 224: resized to 224 x 168, 28 rows of `fill` above and below. */
static void fit(Jre *jre, Layer *layer, const ViewStep *step, ResampleFilter filter, const uint8_t fill[4]) {
    const Image *now = &layer->image;
    bool wide = (int64_t)now->width * step->height >= (int64_t)now->height * step->width;
    int width = wide ? step->width : scaled(now->width, step->height, now->height);
    int height = wide ? scaled(now->height, step->width, now->width) : step->height;
    if (width > step->width) width = step->width;
    if (height > step->height) height = step->height;
    resize(jre, layer, width, height, filter);
    cut(jre, layer, -((step->width - width) / 2), -((step->height - height) / 2), step->width, step->height, fill);
}

/* The shorter side becomes the step's, the longer follows, rounded down. */
static bool resize_shorter(Jre *jre, Layer *layer, const ViewStep *step, ResampleFilter filter, char why[WHY_BYTES]) {
    const Image *now = &layer->image;
    bool tall = now->width <= now->height;
    int64_t least = tall ? now->width : now->height, most = tall ? now->height : now->width, longer = step->width * most / least;
    if (longer > SIDE_MOST) {
        snprintf(why, WHY_BYTES, "it is %d x %d pixels; with a shorter side of %d the longer one would be %lld, and at most %d can be held", now->width, now->height,
                 step->width, (long long)longer, SIDE_MOST);
        return false;
    }
    resize(jre, layer, tall ? step->width : (int)longer, tall ? (int)longer : step->width, filter);
    return true;
}

/* Where a window of `size` begins in `length`: halves go to the even place; in what is shorter the picture is the one to be centered. */
static int middle(int length, int size) {
    int spare = length - size;
    return spare < 0 ? -(-spare / 2) : spare / 2 + ((spare & 1) && (spare / 2 & 1));
}

static void cut_corner(Jre *jre, Layer *layer, const ViewStep *step, const uint8_t fill[4]) {
    bool right = step->corner && strstr(step->corner, "right"), bottom = step->corner && strstr(step->corner, "bottom");
    cut(jre, layer, right ? layer->image.width - step->width : 0, bottom ? layer->image.height - step->height : 0, step->width, step->height, fill);
}

static void warp(Jre *jre, Layer *layer, const ViewStep *step, bool smooth, const uint8_t fill[4]) {
    double matrix[6];
    Image warped;
    if (step->kind == VIEW_ROTATE) warp_rotation(step->angle, layer->image.width, layer->image.height, matrix);
    else warp_affine(step, layer->image.width, layer->image.height, matrix);
    image_warp(jre, &layer->image, matrix, smooth, fill, &warped);
    replace_layer(layer, warped);
}

/* One step on one layer. False: `why` says why not. */
static bool place(Jre *jre, Layer *layer, const ViewStep *step, ResampleFilter filter, const uint8_t fill[4], char why[WHY_BYTES]) {
    switch (step->kind) {
    case VIEW_FIT: fit(jre, layer, step, filter, fill); break;
    case VIEW_STRETCH: resize(jre, layer, step->width, step->height, filter); break;
    case VIEW_RESIZE: return resize_shorter(jre, layer, step, filter, why);
    case VIEW_CENTER:
        cut(jre, layer, middle(layer->image.width, step->width), middle(layer->image.height, step->height), step->width, step->height, fill);
        break;
    case VIEW_CORNER: cut_corner(jre, layer, step, fill); break;
    case VIEW_FLIP: {
        Image mirrored;
        image_turn(jre, &layer->image, 2, &mirrored);
        replace_layer(layer, mirrored);
        break;
    }
    case VIEW_ROTATE: case VIEW_AFFINE: warp(jre, layer, step, filter != FILTER_NEAREST, fill); break;
    default: break;
    }
    return true;
}

/* ---- what pixels are -------------------------------------------------------------------------------------------------------------------- */

/* Three equal channels; transparency stays. */
static void make_gray(Jre *jre, Layer *layer) {
    const Image *now = &layer->image;
    if (now->channels < 3) return;
    Image gray, to = image_new(jre, now->width, now->height, now->channels);
    image_to_gray(jre, now, &gray);
    size_t channels = (size_t)now->channels;
    for (size_t i = 0; i < (size_t)now->width * (size_t)now->height; i++) {
        memset(to.pixels + i * channels, gray.pixels[i], 3);
        if (channels == 4) to.pixels[4 * i + 3] = now->pixels[4 * i + 3];
    }
    image_free(&gray);
    replace_layer(layer, to);
}

/* Outside the mask there is the fill. Where the mask is the transparency, that goes on the fill once. */
static bool cover(Jre *jre, Layer *layer, const Layer *mask, bool mask_is_alpha, const ViewStep *step, char why[WHY_BYTES]) {
    bool transparent = layer->image.channels == 4;
    make_rgb(jre, layer, step->fill);
    if (transparent && mask_is_alpha) return true;
    const Image *now = &layer->image, *shape = &mask->image;
    if (!shape->pixels || shape->width != now->width || shape->height != now->height) {
        snprintf(why, WHY_BYTES, "there is no mask of its size");
        return false;
    }
    Image masked = image_new(jre, now->width, now->height, 4);
    for (size_t i = 0; i < (size_t)now->width * (size_t)now->height; i++) {
        memcpy(masked.pixels + 4 * i, now->pixels + 3 * i, 3);
        masked.pixels[4 * i + 3] = shape->pixels[i];
    }
    replace_layer(layer, masked);
    make_rgb(jre, layer, step->fill);
    return true;
}

/* ---- a view ---------------------------------------------------------------------------------------------------------------------------------- */

typedef struct { Layer picture, mask; bool mask_is_alpha; } Scene;

/* The first step that has a fill puts it behind what is transparent. */
static bool fills(const ViewStep *step) { return step->kind >= VIEW_FIT && step->kind <= VIEW_AFFINE; }

static bool take_step(Jre *jre, Scene *scene, const ViewStep *step, char why[WHY_BYTES]) {
    static const uint8_t outside[4] = {0, 0, 0, 0};
    const uint8_t fill[4] = {step->fill[0], step->fill[1], step->fill[2], 255};
    if (step->kind == VIEW_COVER) return cover(jre, &scene->picture, &scene->mask, scene->mask_is_alpha, step, why);
    if (step->kind == VIEW_GRAY) make_gray(jre, &scene->picture);
    if (fills(step) || scene->picture.image.channels == 1) make_rgb(jre, &scene->picture, step->fill);
    if (scene->mask.image.pixels && !place(jre, &scene->mask, step, FILTER_NEAREST, outside, why)) return false;
    return place(jre, &scene->picture, step, filter_named(step->filter), fill, why);
}

bool view_pixels(Jre *jre, const View *view, const Image *picture, const Image *mask, Image *rgb, char why[WHY_BYTES]) {
    Scene scene = {.picture = {*picture, false}};
    if (mask) scene.mask.image = *mask;
    if (mask && picture->channels == 4) {
        scene.mask_is_alpha = true;
        for (size_t i = 0; i < (size_t)picture->width * (size_t)picture->height && scene.mask_is_alpha; i++) scene.mask_is_alpha = picture->pixels[4 * i + 3] == mask->pixels[i];
    }
    bool sound = true;
    for (int i = 0; i < view->steps.count && sound; i++) sound = take_step(jre, &scene, &view->steps.at[i], why);
    if (sound) {
        /* A view without a size step leaves pictures as they are; there is room for the view's size and no other. */
        make_rgb(jre, &scene.picture, white);
        resize(jre, &scene.picture, view->width, view->height, FILTER_BICUBIC);
        *rgb = scene.picture.owned ? scene.picture.image : (Image){0};
        if (!scene.picture.owned) {
            *rgb = image_new(jre, view->width, view->height, 3);
            memcpy(rgb->pixels, picture->pixels, 3 * (size_t)view->width * (size_t)view->height);
        }
    } else if (scene.picture.owned) {
        image_free(&scene.picture.image);
    }
    if (scene.mask.owned) image_free(&scene.mask.image);
    return sound;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------------------------------ */

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

void view_numbers(const View *view, const uint8_t *pixels, float *out) {
    float table[3][256];
    value_table(view, table);
    size_t plane = (size_t)view->width * (size_t)view->height;
    for (size_t i = 0; i < plane; i++, pixels += 3) {
        out[i] = table[0][pixels[0]];
        out[plane + i] = table[1][pixels[1]];
        out[2 * plane + i] = table[2][pixels[2]];
    }
}
