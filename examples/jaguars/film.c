/*
 * From samples to the cut-out picture: background behind, grass in front, blur, noise, and a mask that is not quite right.
 *
 * The mask is what a segmenter would give: all or nothing, a little too wide or too narrow, ragged, with grass cut out of it or left on
 * it. Where it is 0 the color is 0 too.
 */
#include "jaguars.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MEADOW_SHARE 0.08            /* of meetings where tall grass hides the legs altogether */
#define BLADES_SHARE 0.30            /* where single blades stand in front */
#define MOTION_SHARE 0.15
#define BLUR_MOST 0.4               /* pixels, deviation */
#define NOISE_MOST 0.016
enum { BLADES_MOST = 16, BLADE_STEPS = 24 };

/* Four planes: red, green, blue, cover. */
typedef struct {
    int width, height;
    float *planes[4], *spare;
} Film;

static size_t film_size(const Film *film) {
    return (size_t)film->width * (size_t)film->height;
}

static bool film_load(Film *film, int width, int height) {
    *film = (Film){width, height, {NULL, NULL, NULL, NULL}, NULL};
    float *memory = calloc(film_size(film) * 5, sizeof *memory);
    if (!memory)
        return false;
    for (int i = 0; i < 4; i++)
        film->planes[i] = memory + film_size(film) * (size_t)i;
    film->spare = memory + film_size(film) * 4;
    return true;
}

static void film_free(Film *film) {
    free(film->planes[0]);
}

static const double grounds[6][3] = {
    {0.36, 0.40, 0.20}, {0.58, 0.52, 0.34}, {0.42, 0.33, 0.24}, {0.20, 0.24, 0.14}, {0.62, 0.60, 0.52}, {0.30, 0.36, 0.34},
};

/* Averages the samples of each pixel over a background of uneven color. */
static void film_expose(Film *film, const Canvas *canvas, Chance *chance) {
    const double *ground = grounds[chance_below(chance, 6)];
    uint64_t noise = chance_bits(chance);
    for (int y = 0; y < film->height; y++) {
        for (int x = 0; x < film->width; x++) {
            double sum[4] = {0, 0, 0, 0};
            for (int i = 0; i < SAMPLING * SAMPLING; i++) {
                size_t row = (size_t)(y * SAMPLING + i / SAMPLING);
                const Sample *sample = &canvas->samples[row * (size_t)canvas->width + (size_t)(x * SAMPLING + i % SAMPLING)];
                sum[0] += (double)sample->red;
                sum[1] += (double)sample->green;
                sum[2] += (double)sample->blue;
                sum[3] += (double)sample->cover;
            }
            double share = 1.0 / (SAMPLING * SAMPLING), open = 1.0 - sum[3] * share;
            double uneven = 0.8 + 0.25 * smooth_noise(noise, x * 0.15, y * 0.15);
            size_t at = (size_t)y * (size_t)film->width + (size_t)x;
            for (int i = 0; i < 3; i++)
                film->planes[i][at] = (float)(sum[i] * share + open * uneven * ground[i]);
            film->planes[3][at] = (float)(sum[3] * share);
        }
    }
}

/* ---- grass ---- */

typedef struct {
    double x, y, lean, bow, length, width;
    double color[3];
    bool kept;                       /* left on the animal by the segmenter */
} Blade;

static void blade_dot(Film *film, const Blade *blade, double cx, double cy, double radius) {
    int x0 = (int)clamp(cx - radius, 0.0, film->width - 1.0), x1 = (int)clamp(cx + radius, 0.0, film->width - 1.0);
    int y0 = (int)clamp(cy - radius, 0.0, film->height - 1.0), y1 = (int)clamp(cy + radius, 0.0, film->height - 1.0);
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            double dx = x - cx, dy = y - cy;
            if (dx * dx + dy * dy > radius * radius)
                continue;
            size_t at = (size_t)y * (size_t)film->width + (size_t)x;
            for (int i = 0; i < 3; i++)
                film->planes[i][at] = (float)blade->color[i];
            if (!blade->kept)
                film->planes[3][at] = 0.0f;
        }
    }
}

/* A blade is a bowed stroke, thick at the foot and thin at the tip. */
static void blade_draw(Film *film, const Blade *blade) {
    for (int step = 0; step <= BLADE_STEPS * 4; step++) {
        double share = step / (BLADE_STEPS * 4.0);
        double x = blade->x + blade->length * share * (blade->lean + blade->bow * share), y = blade->y - blade->length * share;
        blade_dot(film, blade, x, y, 0.5 + blade->width * (1.0 - share));
    }
}

static void grass_blades(Film *film, Chance *chance, double bright) {
    int count = 3 + chance_below(chance, BLADES_MOST - 3);
    double kept = chance_uniform(chance);
    for (int i = 0; i < count; i++) {
        Blade blade = {.x = chance_between(chance, 0.0, film->width), .y = film->height * chance_between(chance, 0.9, 1.15)};
        blade.lean = chance_normal(chance) * 0.35;
        blade.bow = chance_normal(chance) * 0.35;
        blade.length = film->height * chance_between(chance, 0.3, 1.0);
        blade.width = film->height * chance_between(chance, 0.002, 0.010);
        blade.kept = chance_uniform(chance) < kept;
        double dry = chance_uniform(chance);
        blade.color[0] = bright * mix(0.30, 0.78, dry);
        blade.color[1] = bright * mix(0.42, 0.70, dry);
        blade.color[2] = bright * mix(0.16, 0.42, dry);
        blade_draw(film, &blade);
    }
}

/* Below a ragged line the animal stands hidden in the meadow. */
static void grass_meadow(Film *film, Chance *chance) {
    double line = film->height * chance_between(chance, 0.52, 0.88), slope = chance_normal(chance) * 0.06;
    double tuft = film->height * chance_between(chance, 0.03, 0.12);
    uint64_t noise = chance_bits(chance);
    double thin = chance_between(chance, 1.5, 4.0), broad = film->width * 0.2;
    for (int x = 0; x < film->width; x++) {
        double edge = line + slope * (x - film->width * 0.5) + tuft * (smooth_noise(noise, x / thin, 0.5) + smooth_noise(noise, x / broad, 9.5));
        for (int y = 0; y < film->height; y++)
            if (y > edge)
                film->planes[3][(size_t)y * (size_t)film->width + (size_t)x] = 0.0f;
    }
}

/* ---- blur ---- */

/* One pass along x or y with the edge repeated; `weights` has `reach` to each side of the middle. */
static void blur_pass(const float *from, float *to, int width, int height, bool down, const double *weights, int reach) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double sum = 0.0;
            for (int i = -reach; i <= reach; i++) {
                int column = down ? x : x + i, row = down ? y + i : y;
                column = column < 0 ? 0 : column >= width ? width - 1 : column;
                row = row < 0 ? 0 : row >= height ? height - 1 : row;
                sum += weights[i + reach] * (double)from[(size_t)row * (size_t)width + (size_t)column];
            }
            to[(size_t)y * (size_t)width + (size_t)x] = (float)sum;
        }
    }
}

enum { REACH_MOST = 5 };

static int bell(double *weights, double deviation) {
    int reach = (int)clamp(3.0 * deviation + 0.5, 0.0, REACH_MOST);
    double sum = 0.0;
    for (int i = -reach; i <= reach; i++)
        sum += weights[i + reach] = exponential(-0.5 * i * i / (deviation * deviation));
    for (int i = 0; i <= 2 * reach; i++)
        weights[i] /= sum;
    return reach;
}

static void blur_plane(Film *film, int plane, double across, double down) {
    double weights[2 * REACH_MOST + 1];
    int reach = bell(weights, across);
    blur_pass(film->planes[plane], film->spare, film->width, film->height, false, weights, reach);
    reach = bell(weights, down);
    blur_pass(film->spare, film->planes[plane], film->width, film->height, true, weights, reach);
}

/* ---- mask and output ---- */

static void film_mask(Film *film, Chance *chance) {
    double level = clamp(0.5 + chance_normal(chance) * 0.13, 0.3, 0.75), rough = chance_between(chance, 0.02, 0.22), size = chance_between(chance, 1.5, 6.0);
    uint64_t noise = chance_bits(chance);
    blur_plane(film, 3, 0.9, 0.9);
    for (int y = 0; y < film->height; y++) {
        for (int x = 0; x < film->width; x++) {
            size_t at = (size_t)y * (size_t)film->width + (size_t)x;
            double cover = (double)film->planes[3][at] + rough * smooth_noise(noise, x / size, y / size);
            film->planes[3][at] = cover > level ? 1.0f : 0.0f;
        }
    }
}

/* Crops to the mask; a mask that kept nothing counts as one that kept all. */
static bool film_cut(const Film *film, Picture *picture, Chance *chance, double grain) {
    int left = film->width, top = film->height, right = -1, bottom = -1;
    for (int y = 0; y < film->height; y++) {
        for (int x = 0; x < film->width; x++) {
            if (film->planes[3][(size_t)y * (size_t)film->width + (size_t)x] <= 0.0f)
                continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y;
        }
    }
    bool all = right < 0;
    if (all) {
        left = top = 0;
        right = film->width - 1;
        bottom = film->height - 1;
    }
    picture->width = right - left + 1;
    picture->height = bottom - top + 1;
    picture->pixels = calloc((size_t)picture->width * (size_t)picture->height, 4);
    if (!picture->pixels)
        return false;
    for (int y = 0; y < picture->height; y++) {
        for (int x = 0; x < picture->width; x++) {
            size_t from = (size_t)(y + top) * (size_t)film->width + (size_t)(x + left);
            uint8_t *pixel = &picture->pixels[4 * ((size_t)y * (size_t)picture->width + (size_t)x)];
            if (!all && film->planes[3][from] <= 0.0f)
                continue;
            double gray = grain * chance_normal(chance);
            for (int i = 0; i < 3; i++) {
                double value = (double)film->planes[i][from] + gray + 0.5 * grain * chance_normal(chance);
                pixel[i] = (uint8_t)(clamp(value, 0.0, 1.0) * 255.0 + 0.5);
            }
            pixel[3] = 255;
        }
    }
    return true;
}

bool film_develop(Picture *picture, const Canvas *canvas, const Plan *plan, int number) {
    const Shot *shot = &plan->shots[number];
    Chance meeting = chance_of(plan->seed, 5, (uint64_t)shot->burst), own = chance_of(plan->seed, 6, (uint64_t)number);
    Film film;
    *picture = (Picture){0};
    if (!film_load(&film, canvas->width / SAMPLING, canvas->height / SAMPLING))
        return false;
    film_expose(&film, canvas, &meeting);
    double place = chance_uniform(&meeting);
    bool upright = shot->view == VIEW_FULL || shot->view == VIEW_FRONT;
    if (place < MEADOW_SHARE && upright)
        grass_meadow(&film, &meeting);
    else if (place < MEADOW_SHARE + BLADES_SHARE)
        grass_blades(&film, &meeting, chance_between(&meeting, 0.5, 1.1));
    double soft = 0.30 + BLUR_MOST * chance_uniform(&meeting) * chance_uniform(&own);
    double streak = chance_uniform(&own) < MOTION_SHARE ? chance_between(&own, 0.4, 1.4) : 0.0;
    bool sideways = chance_uniform(&own) < 0.7;
    for (int i = 0; i < 3; i++)
        blur_plane(&film, i, soft + (sideways ? streak : 0.0), soft + (sideways ? 0.0 : streak));
    film_mask(&film, &own);
    bool cut = film_cut(&film, picture, &own, chance_between(&meeting, 0.004, NOISE_MOST));
    film_free(&film);
    return cut;
}

bool picture_paint(Picture *picture, const Body *body, const Coat *coats, const Plan *plan, int shot) {
    Canvas canvas;
    *picture = (Picture){0};
    if (!scene_paint(&canvas, body, coats, plan, shot))
        return false;
    bool developed = film_develop(picture, &canvas, plan, shot);
    free(canvas.samples);
    return developed;
}

uint32_t picture_checksum(const Picture *picture) {
    uint8_t size[4] = {(uint8_t)(picture->width & 255), (uint8_t)(picture->width >> 8 & 255), (uint8_t)(picture->height & 255),
                       (uint8_t)(picture->height >> 8 & 255)};
    uLong sum = crc32(0, size, sizeof size);
    return (uint32_t)crc32(sum, picture->pixels, (uInt)(4 * picture->width * picture->height));
}
