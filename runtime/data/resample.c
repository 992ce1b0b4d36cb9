/* resample.c: Pillow's resize, convert("L") and paste with a mask, to the last bit (DEFINITIONS 5.9).
 *
 * A resize is two passes, across and down, each skipped when its size stays; between them pixels are rounded to 8 bits, so their order
 * shows: across comes first, but since Pillow 13 not where the height shrinks by more than twice what the width does. A pass gives every
 * output pixel a window of input pixels with weights of 22 binary places, computed once for all rows.
 *
 * Version ladder (1000 x 1000 RGB to 224 x 224, bilinear, one core): plain loops 3.6 ms; 8 pixels at once by AVX2 0.7 ms: rows are
 * blended as they lie, columns in stripes of 8 rows that are turned first, so that the 8 pixels of one column lie side by side. */
#include "../runtime.h"

#include <math.h>
#include <string.h>

/* ---- filters: DEFINITIONS 5.9 ----------------------------------------------------------------------------------------------------- */

static const double pi = 3.14159265358979323846;

static double sinc(double x) {
    return x == 0 ? 1 : sin(x * pi) / (x * pi);
}

static double filter_weight(ResampleFilter filter, double x) {
    double distance = fabs(x);
    switch (filter) {
    case FILTER_BOX:
        return x > -0.5 && x <= 0.5 ? 1 : 0;
    case FILTER_BILINEAR:
        return distance < 1 ? 1 - distance : 0;
    case FILTER_HAMMING:                  /* Pillow's two constants are single precision */
        if (distance == 0)
            return 1;
        return distance < 1 ? sin(distance * pi) / (distance * pi) * ((double)0.54f + (double)0.46f * cos(distance * pi)) : 0;
    case FILTER_BICUBIC: {
        const double a = -0.5;
        if (distance < 1)
            return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
        return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * a : 0;
    }
    case FILTER_LANCZOS:
        return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    case FILTER_NEAREST:
        break;
    }
    return 0;
}

static double filter_support(ResampleFilter filter) {
    switch (filter) {
    case FILTER_BILINEAR: case FILTER_HAMMING: return 1;
    case FILTER_BICUBIC: return 2;
    case FILTER_LANCZOS: return 3;
    case FILTER_BOX: case FILTER_NEAREST: break;
    }
    return 0.5;
}

/* ---- windows: which pixels, how much of each ------------------------------------------------------------------------------------------ */

enum { WEIGHT_BITS = 22, HALF = 1 << (WEIGHT_BITS - 1) };

typedef struct { int first, count; } Window;
typedef struct { int size, most; Window *windows; int32_t *weights; } Pass;    /* weights of output i begin at i * most */

static int32_t fixed_point(double weight) {
    return (int32_t)(weight * (1 << WEIGHT_BITS) + (weight < 0 ? -0.5 : 0.5));
}

static void place_window(Pass *pass, int output, int from, double scale, ResampleFilter filter, double *exact) {
    double stretch = scale > 1 ? scale : 1, shrink = 1 / stretch, support = filter_support(filter) * stretch;
    double center = (output + 0.5) * scale, sum = 0;
    int first = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    end = end > from ? from : end;
    for (int i = 0; i < end - first; i++) {
        exact[i] = filter_weight(filter, (i + first - center + 0.5) * shrink);
        sum += exact[i];
    }
    int32_t *weights = pass->weights + (size_t)output * (size_t)pass->most;
    for (int i = 0; i < end - first; i++)
        weights[i] = fixed_point(sum != 0 ? exact[i] / sum : exact[i]);
    pass->windows[output] = (Window){ first, end - first };
}

static Pass pass_new(Jre *jre, int from, int to, ResampleFilter filter) {
    double scale = (double)from / to, support = filter_support(filter) * (scale > 1 ? scale : 1);
    Pass pass = { .size = to, .most = (int)ceil(support) * 2 + 1 };
    pass.windows = jre_allocate(jre, sizeof(Window) * (size_t)to);
    pass.weights = jre_allocate(jre, sizeof(int32_t) * (size_t)to * (size_t)pass.most);
    double *exact = jre_allocate(jre, sizeof(double) * (size_t)pass.most);
    for (int i = 0; i < to; i++)
        place_window(&pass, i, from, scale, filter, exact);
    jre_release(exact);
    return pass;
}

static void pass_free(Pass *pass) {
    jre_release(pass->windows);
    jre_release(pass->weights);
}

/* ---- blending: any machine ----------------------------------------------------------------------------------------------------------------- */

enum { LANES = 8 };                       /* rows of a stripe, pixels of a vector */

/* 8 rows, `stride` apart, become 8 narrower or wider ones. turned, blended: room for 8 rows of either kind. */
typedef struct { const uint8_t *from; size_t stride, bytes; uint8_t *turned, *blended, *to; size_t to_stride; } Stripe;

static uint8_t rounded(int32_t sum) {
    int32_t value = sum >> WEIGHT_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void stripe_anywhere(const Stripe *stripe, const Pass *pass, int channels) {
    for (int row = 0; row < LANES; row++) {
        uint8_t *to = stripe->to + (size_t)row * stripe->to_stride;
        for (int x = 0; x < pass->size; x++) {
            const int32_t *weights = pass->weights + (size_t)x * (size_t)pass->most;
            const uint8_t *from = stripe->from + (size_t)row * stripe->stride + (size_t)pass->windows[x].first * (size_t)channels;
            for (int channel = 0; channel < channels; channel++) {
                int32_t sum = HALF;
                for (int k = 0; k < pass->windows[x].count; k++)
                    sum += from[k * channels + channel] * weights[k];
                *to++ = rounded(sum);
            }
        }
    }
}

/* Bytes at .. bytes-1 of one output row from `count` rows that begin at `from`. */
static void rest_of_row(const uint8_t *from, size_t stride, const int32_t *weights, int count, size_t at, size_t bytes, uint8_t *to) {
    for (; at < bytes; at++) {
        int32_t sum = HALF;
        for (int k = 0; k < count; k++)
            sum += from[(size_t)k * stride + at] * weights[k];
        to[at] = rounded(sum);
    }
}

static void row_anywhere(const uint8_t *from, size_t stride, const int32_t *weights, int count, size_t bytes, uint8_t *to) {
    rest_of_row(from, stride, weights, count, 0, bytes, to);
}

typedef struct {
    void (*stripe)(const Stripe *stripe, const Pass *pass, int channels);
    void (*row)(const uint8_t *from, size_t stride, const int32_t *weights, int count, size_t bytes, uint8_t *to);
} Blender;

/* ---- blending: AVX2, the same integers ------------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i sums_plus(__m256i sums, const uint8_t *pixels, __m256i weight) {
    __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)pixels));
    return _mm256_add_epi32(sums, _mm256_mullo_epi32(wide, weight));
}

/* After the shift a sum is within +-1024, so packing to 16 bits changes nothing and packing to 8 clamps. */
AVX2 static inline void store_8(__m256i sums, uint8_t *to) {
    __m256i value = _mm256_srai_epi32(sums, WEIGHT_BITS);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(words, words));
}

AVX2 static inline void blend_turned(const uint8_t *turned, const Pass *pass, int channels, uint8_t *to) {
    size_t step = (size_t)channels * LANES;
    for (int x = 0; x < pass->size; x++) {
        const int32_t *weights = pass->weights + (size_t)x * (size_t)pass->most;
        const uint8_t *from = turned + (size_t)pass->windows[x].first * step;
        for (int channel = 0; channel < channels; channel++, to += LANES) {
            __m256i sums = _mm256_set1_epi32(HALF);
            const uint8_t *pixels = from + channel * LANES;
            for (int k = 0; k < pass->windows[x].count; k++, pixels += step)
                sums = sums_plus(sums, pixels, _mm256_set1_epi32(weights[k]));
            store_8(sums, to);
        }
    }
}

AVX2 static inline __m128i load_8(const uint8_t *from) {
    return _mm_loadl_epi64((const __m128i *)(const void *)from);
}

AVX2 static inline void store_two(__m128i both, uint8_t *to, size_t step) {
    _mm_storel_epi64((__m128i *)(void *)to, both);
    _mm_storel_epi64((__m128i *)(void *)(to + step), _mm_unpackhi_epi64(both, both));
}

/* An 8 x 8 block of bytes, mirrored at its diagonal: its lines lie from_step apart, and to_step apart afterwards. */
AVX2 static inline void turn_block(const uint8_t *from, size_t from_step, uint8_t *to, size_t to_step) {
    __m128i rows[4], evens[2], odds[2];
    for (int i = 0; i < 4; i++)
        rows[i] = _mm_unpacklo_epi8(load_8(from + (size_t)i * from_step), load_8(from + (size_t)(i + 4) * from_step));
    evens[0] = _mm_unpacklo_epi8(rows[0], rows[2]);
    evens[1] = _mm_unpackhi_epi8(rows[0], rows[2]);
    odds[0] = _mm_unpacklo_epi8(rows[1], rows[3]);
    odds[1] = _mm_unpackhi_epi8(rows[1], rows[3]);
    for (int i = 0; i < 2; i++) {
        store_two(_mm_unpacklo_epi8(evens[i], odds[i]), to + (size_t)(4 * i) * to_step, to_step);
        store_two(_mm_unpackhi_epi8(evens[i], odds[i]), to + (size_t)(4 * i + 2) * to_step, to_step);
    }
}

AVX2 static void stripe_avx2(const Stripe *stripe, const Pass *pass, int channels) {
    for (size_t at = 0; at < stripe->bytes; at += LANES)
        turn_block(stripe->from + at, stripe->stride, stripe->turned + at * LANES, LANES);
    blend_turned(stripe->turned, pass, channels, stripe->blended);
    for (size_t at = 0; at < (size_t)pass->size * (size_t)channels; at += LANES)
        turn_block(stripe->blended + at * LANES, LANES, stripe->to + at, stripe->to_stride);
}

AVX2 static void row_avx2(const uint8_t *from, size_t stride, const int32_t *weights, int count, size_t bytes, uint8_t *to) {
    size_t at = 0;
    for (; at + 4 * LANES <= bytes; at += 4 * LANES) {
        __m256i sums[4];
        for (int i = 0; i < 4; i++)
            sums[i] = _mm256_set1_epi32(HALF);
        for (int k = 0; k < count; k++) {
            const uint8_t *pixels = from + (size_t)k * stride + at;
            __m256i weight = _mm256_set1_epi32(weights[k]);
            for (int i = 0; i < 4; i++)
                sums[i] = sums_plus(sums[i], pixels + i * LANES, weight);
        }
        for (int i = 0; i < 4; i++)
            store_8(sums[i], to + at + i * LANES);
    }
    rest_of_row(from, stride, weights, count, at, bytes, to);
}

static Blender blender(void) {
    if (__builtin_cpu_supports("avx2"))
        return (Blender){ stripe_avx2, row_avx2 };
    return (Blender){ stripe_anywhere, row_anywhere };
}
#else
static Blender blender(void) {
    return (Blender){ stripe_anywhere, row_anywhere };
}
#endif

/* ---- the two passes ---------------------------------------------------------------------------------------------------------------------------- */

static size_t padded(size_t bytes) {
    return (bytes + LANES - 1) / LANES * LANES;
}

/* Rows first .. end-1 of `from`, made as wide as `to`. */
static void resize_width(Jre *jre, const Image *from, int first, int end, ResampleFilter filter, Image *to) {
    Pass pass = pass_new(jre, from->width, to->width, filter);
    Blender blend = blender();
    size_t channels = (size_t)from->channels, in = (size_t)from->width * channels, out = (size_t)to->width * channels;
    size_t in_room = padded(in), out_room = padded(out);
    uint8_t *copied = jre_allocate(jre, in_room * LANES), *turned = jre_allocate(jre, in_room * LANES);
    uint8_t *blended = jre_allocate(jre, out_room * LANES), *done = jre_allocate(jre, out_room * LANES);
    memset(copied, 0, in_room * LANES);
    memset(blended, 0, out_room * LANES);
    for (int y = first; y < end; y += LANES) {
        int rows = end - y < LANES ? end - y : LANES;
        for (int i = 0; i < rows; i++)
            memcpy(copied + (size_t)i * in_room, from->pixels + (size_t)(y + i) * in, in);
        Stripe stripe = { copied, in_room, in, turned, blended, done, out_room };
        blend.stripe(&stripe, &pass, from->channels);
        for (int i = 0; i < rows; i++)
            memcpy(to->pixels + (size_t)(y - first + i) * out, done + (size_t)i * out_room, out);
    }
    jre_release(copied);
    jre_release(turned);
    jre_release(blended);
    jre_release(done);
    pass_free(&pass);
}

/* `from` holds the rows that the pass needs, beginning with row `first` of the picture. */
static void resize_height(const Image *from, int first, const Pass *pass, Image *to) {
    Blender blend = blender();
    size_t stride = (size_t)from->width * (size_t)from->channels;
    for (int y = 0; y < pass->size; y++) {
        Window window = pass->windows[y];
        blend.row(from->pixels + (size_t)(window.first - first) * stride, stride, pass->weights + (size_t)y * (size_t)pass->most, window.count, stride,
                  to->pixels + (size_t)y * stride);
    }
}

Image image_new(Jre *jre, int width, int height, int channels) {
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    return (Image){ .width = width, .height = height, .channels = channels, .pixels = jre_allocate(jre, bytes) };
}

/* Pillow walks the centers of output pixels by adding the scale again and again; its rounding is part of the result. */
static void resize_nearest(Jre *jre, const Image *from, Image *to) {
    double across = (double)from->width / to->width, down = (double)from->height / to->height;
    size_t channels = (size_t)from->channels;
    int *column = jre_allocate(jre, sizeof(int) * (size_t)to->width);
    double at = across * 0.5;
    for (int x = 0; x < to->width; x++, at += across)
        column[x] = (int)at < from->width ? (int)at : from->width - 1;
    at = down * 0.5;
    uint8_t *out = to->pixels;
    for (int y = 0; y < to->height; y++, at += down) {
        int row = (int)at < from->height ? (int)at : from->height - 1;
        const uint8_t *in = from->pixels + (size_t)row * (size_t)from->width * channels;
        for (int x = 0; x < to->width; x++)
            for (size_t channel = 0; channel < channels; channel++)
                *out++ = in[(size_t)column[x] * channels + channel];
    }
    jre_release(column);
}

static bool height_first(const Image *from, const Image *to) {
    int lower = from->height - to->height, narrower = from->width - to->width;
    return lower > 0 && lower > 2 * narrower;
}

static void resize_both(Jre *jre, const Image *from, ResampleFilter filter, const Pass *down, Image *to) {
    Image between;
    if (height_first(from, to)) {
        between = image_new(jre, from->width, to->height, from->channels);
        resize_height(from, 0, down, &between);
        resize_width(jre, &between, 0, to->height, filter, to);
    } else {
        Window top = down->windows[0], bottom = down->windows[to->height - 1];
        int end = bottom.first + bottom.count;
        between = image_new(jre, to->width, end - top.first, from->channels);
        resize_width(jre, from, top.first, end, filter, &between);
        resize_height(&between, top.first, down, to);
    }
    image_free(&between);
}

static void resize_smooth(Jre *jre, const Image *from, ResampleFilter filter, Image *to) {
    bool width_changes = from->width != to->width, height_changes = from->height != to->height;
    if (!height_changes && !width_changes) {
        memcpy(to->pixels, from->pixels, (size_t)to->width * (size_t)to->height * (size_t)to->channels);
    } else if (!height_changes) {
        resize_width(jre, from, 0, from->height, filter, to);
    } else {
        Pass down = pass_new(jre, from->height, to->height, filter);
        if (width_changes)
            resize_both(jre, from, filter, &down, to);
        else
            resize_height(from, 0, &down, to);
        pass_free(&down);
    }
}

void image_resize(Jre *jre, const Image *from, int width, int height, ResampleFilter filter, Image *to) {
    *to = image_new(jre, width, height, from->channels);
    if (filter == FILTER_NEAREST)
        resize_nearest(jre, from, to);
    else
        resize_smooth(jre, from, filter, to);
}

/* ---- gray, and one picture over a color -------------------------------------------------------------------------------------------------------- */

/* Inlined with a constant number of channels: the pixels of every new picture come by here. */
static inline __attribute__((always_inline)) void luminances(const uint8_t *pixel, size_t count, int channels, uint8_t *to) {
    for (size_t i = 0; i < count; i++, pixel += channels)
        to[i] = (uint8_t)((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
}

void image_to_gray(Jre *jre, const Image *from, Image *gray) {
    size_t count = (size_t)from->width * (size_t)from->height;
    *gray = image_new(jre, from->width, from->height, 1);
    if (from->channels == 3)
        luminances(from->pixels, count, 3, gray->pixels);
    else if (from->channels == 4)
        luminances(from->pixels, count, 4, gray->pixels);
    else
        for (size_t i = 0; i < count; i++)
            gray->pixels[i] = from->pixels[i * (size_t)from->channels];
}

void image_composite(Jre *jre, const Image *from, const uint8_t color[3], Image *rgb) {
    size_t count = (size_t)from->width * (size_t)from->height;
    *rgb = image_new(jre, from->width, from->height, 3);
    const uint8_t *pixel = from->pixels;
    uint8_t *out = rgb->pixels;
    bool colored = from->channels >= 3;
    int alpha_at = from->channels == 4 ? 3 : from->channels == 2 ? 1 : -1;
    for (size_t i = 0; i < count; i++, pixel += from->channels, out += 3) {
        unsigned alpha = alpha_at < 0 ? 255 : pixel[alpha_at];
        for (int channel = 0; channel < 3; channel++) {
            unsigned sum = pixel[colored ? channel : 0] * alpha + color[channel] * (255 - alpha) + 128;
            out[channel] = (uint8_t)(((sum >> 8) + sum) >> 8);
        }
    }
}
