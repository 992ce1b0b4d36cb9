/* phash.c: imagehash.phash and dhash (DEFINITIONS 5.10), 64 bits that stay nearly the same when a picture nearly does.
 *
 * phash: gray, 32 x 32 by Lanczos, discrete cosine transform (DCT-II, not normalized) of columns and then rows, the 8 x 8 lowest frequencies with
 * the constant one; a bit is set where a value is above the median of the 64. The first bit (row 0, column 0) is the highest of the number, so
 * it prints as imagehash prints it. dhash: gray, 9 x 8 by Lanczos; a bit is set where a pixel is brighter than the one to its left. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 32, LOW = 8 };

/* cos(pi k (2n + 1) / 2N) for odd k, at [N / 2][k / 2][n]: all that the forty transforms of a picture need. */
typedef struct { double of[SIDE / 2 + 1][LOW / 2][SIDE / 2]; } Cosines;

static void take_cosines(Cosines *cosines) {
    static const double pi = 3.14159265358979323846;
    for (int length = SIDE; length > 1; length /= 2)
        for (int k = 1; k < LOW; k += 2)
            for (int n = 0; n < length / 2; n++)
                cosines->of[length / 2][k / 2][n] = cos(pi * k * (2 * n + 1) / (2 * length));
}

/* y[k] = 2 sum of x[n] cos(pi k (2n + 1) / 2N) for k < LOW. The halves of x are folded on each other first: odd k see only their difference, even k
 * only their sum, as a transform of half the length. What is alike on both sides then cancels exactly, and a plain picture gives plain zeros
 * where a sum over all terms would leave rounding noise for the median to sort. */
static void cosine_transform(const Cosines *cosines, const double *x, int length, int count, double *y, int step) {
    if (length == 1) {
        y[0] = 2 * x[0];
        return;
    }
    double folded[SIDE / 2];
    int half = length / 2;
    for (int n = 0; n < half; n++)
        folded[n] = x[n] - x[length - 1 - n];
    for (int k = 1; k < count; k += 2) {
        double sum = 0;
        for (int n = 0; n < half; n++)
            sum += folded[n] * cosines->of[half][k / 2][n];
        y[k * step] = 2 * sum;
    }
    for (int n = 0; n < half; n++)
        folded[n] = x[n] + x[length - 1 - n];
    cosine_transform(cosines, folded, half, (count + 1) / 2, y, step * 2);
}

static int by_size(const void *a, const void *b) {
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static double median(const double values[LOW * LOW]) {
    double sorted[LOW * LOW];
    for (int i = 0; i < LOW * LOW; i++)
        sorted[i] = values[i];
    qsort(sorted, LOW * LOW, sizeof *sorted, by_size);
    return (sorted[LOW * LOW / 2 - 1] + sorted[LOW * LOW / 2]) / 2;
}

static uint64_t hash_of(const uint8_t pixels[SIDE * SIDE]) {
    double columns[LOW * SIDE], low[LOW * LOW], line[SIDE];
    Cosines cosines;
    take_cosines(&cosines);
    for (int x = 0; x < SIDE; x++) {
        for (int y = 0; y < SIDE; y++)
            line[y] = pixels[y * SIDE + x];
        cosine_transform(&cosines, line, SIDE, LOW, columns + x, SIDE);
    }
    for (int row = 0; row < LOW; row++)
        cosine_transform(&cosines, columns + row * SIDE, SIDE, LOW, low + row * LOW, 1);
    double middle = median(low);
    uint64_t hash = 0;
    for (int i = 0; i < LOW * LOW; i++)
        hash = hash << 1 | (low[i] > middle);
    return hash;
}

/* `made` is to be freed. */
static const Image *gray_of(Jre *jre, const Image *from, Image *made) {
    *made = (Image){0};
    if (from->channels == 1)
        return from;
    image_to_gray(jre, from, made);
    return made;
}

uint64_t image_phash(Jre *jre, const Image *rgb_or_gray) {
    Image gray, small;
    image_resize(jre, gray_of(jre, rgb_or_gray, &gray), SIDE, SIDE, FILTER_LANCZOS, &small);
    uint64_t hash = hash_of(small.pixels);
    image_free(&small);
    image_free(&gray);
    return hash;
}

uint64_t image_dhash(Jre *jre, const Image *rgb_or_gray) {
    enum { WIDE = LOW + 1 };
    Image gray, small;
    image_resize(jre, gray_of(jre, rgb_or_gray, &gray), WIDE, LOW, FILTER_LANCZOS, &small);
    uint64_t hash = 0;
    for (int y = 0; y < LOW; y++)
        for (int x = 1; x < WIDE; x++)
            hash = hash << 1 | (small.pixels[y * WIDE + x] > small.pixels[y * WIDE + x - 1]);
    image_free(&small);
    image_free(&gray);
    return hash;
}

/* ---- all pairs -------------------------------------------------------------------------------------------------------------------- */

/* Counting bits is one instruction where the processor has it, a dozen else: 50,000 pictures are 1.25 thousand million pairs. */
static inline __attribute__((always_inline)) int scan(const uint64_t *hash, int n, int i, int within, int *near) {
    int count = 0;
    for (int j = i + 1; j < n; j++)
        if (__builtin_popcountll(hash[i] ^ hash[j]) <= within)
            near[count++] = j;
    return count;
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static int scan_by_instruction(const uint64_t *hash, int n, int i, int within, int *near) {
    return scan(hash, n, i, within, near);
}
#endif

int near_after(const uint64_t *hash, int n, int i, int within, int *near) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("popcnt"))
        return scan_by_instruction(hash, n, i, within, near);
#endif
    return scan(hash, n, i, within, near);
}
