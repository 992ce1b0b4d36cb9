/* warp.c: pictures turned and sheared, to the last bit as Pillow does it.
 *
 * A warp is told by the matrix that leads back: pixel (x, y) of the result looks at (a x + b y + c, d x + e y + f) in the picture, both at
 * the pixels' middles. What it sees outside the picture is the fill. Between pixels it blends in double precision and drops the
 * fraction; across an edge the pixel at the edge goes on. */
#include "../runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* ---- matrices ---------------------------------------------------------------------------------------------------------------------- */

/* To 15 places behind the point, as Python's round(x, 15): a quarter turn is exact. */
static double fifteen_places(double x) {
    char text[64];
    snprintf(text, sizeof text, "%.15f", x);
    return strtod(text, NULL);
}

/* Moves the matrix so that (x, y) of the result looks at (to_x, to_y). */
static void fix_point(double matrix[6], double x, double y, double to_x, double to_y) {
    double across = matrix[0] * -x + matrix[1] * -y + matrix[2], down = matrix[3] * -x + matrix[4] * -y + matrix[5];
    matrix[2] = across + to_x;
    matrix[5] = down + to_y;
}

/* Counterclockwise, around the middle: Pillow's rotate, which first brings the degrees between 0 and 360. */
void warp_rotation(double angle, int width, int height, double matrix[6]) {
    double degrees = fmod(round(angle * 180 / pi * 1e9) / 1e9, 360), back = -((degrees < 0 ? degrees + 360 : degrees) * (pi / 180));
    double cosine = fifteen_places(cos(back)), sine = fifteen_places(sin(back));
    const double start[6] = {cosine, sine, 0, fifteen_places(-sin(back)), cosine, 0};
    memcpy(matrix, start, sizeof start);
    fix_point(matrix, width / 2.0, height / 2.0, width / 2.0, height / 2.0);
}

/* Turned counterclockwise, moved by shares of the sides, scaled, sheared: torchvision's affine, whose angle is clockwise. */
void warp_affine(const ViewStep *step, int width, int height, double matrix[6]) {
    double turn = -step->angle, shear = step->shear, center_x = width * 0.5, center_y = height * 0.5;
    double a = cos(turn), b = -cos(turn) * tan(shear) - sin(turn), c = sin(turn), d = -sin(turn) * tan(shear) + cos(turn);
    const double back[6] = {d / step->scale, -b / step->scale, 0, -c / step->scale, a / step->scale, 0};
    memcpy(matrix, back, sizeof back);
    fix_point(matrix, center_x + step->right * width, center_y + step->down * height, center_x, center_y);
}

/* ---- pixels ----------------------------------------------------------------------------------------------------------------------------- */

static double mixed(double a, double b, double share) { return a + (b - a) * share; }

static const uint8_t *pixel_at(const Image *image, int x, int y) {
    x = x < 0 ? 0 : x >= image->width ? image->width - 1 : x;
    y = y < 0 ? 0 : y >= image->height ? image->height - 1 : y;
    return image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * (size_t)image->channels;
}

static void blend_at(const Image *from, double x, double y, uint8_t *to) {
    double left = floor(x - 0.5), top = floor(y - 0.5), across = x - 0.5 - left, down = y - 0.5 - top;
    int column = (int)left, row = (int)top;
    const uint8_t *a = pixel_at(from, column, row), *b = pixel_at(from, column + 1, row);
    const uint8_t *c = pixel_at(from, column, row + 1), *d = pixel_at(from, column + 1, row + 1);
    for (int channel = 0; channel < from->channels; channel++)
        to[channel] = (uint8_t)mixed(mixed(a[channel], b[channel], across), mixed(c[channel], d[channel], across), down);
}

void image_warp(Jre *jre, const Image *from, const double matrix[6], bool smooth, const uint8_t fill[4], Image *to) {
    *to = image_new(jre, from->width, from->height, from->channels);
    size_t channels = (size_t)from->channels;
    uint8_t *out = to->pixels;
    for (int row = 0; row < to->height; row++)
        for (int column = 0; column < to->width; column++, out += channels) {
            double middle_x = column + 0.5, middle_y = row + 0.5;
            double x = matrix[0] * middle_x + matrix[1] * middle_y + matrix[2], y = matrix[3] * middle_x + matrix[4] * middle_y + matrix[5];
            bool inside = x >= 0 && x < from->width && y >= 0 && y < from->height;
            if (!inside) memcpy(out, fill, channels);
            else if (smooth) blend_at(from, x, y, out);
            else memcpy(out, pixel_at(from, (int)x, (int)y), channels);
        }
}

/* ---- the eight ways to lay a picture ------------------------------------------------------------------------------------------------------- */

void image_turn(Jre *jre, const Image *from, int orientation, Image *to) {
    bool lying = orientation >= 5, from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    *to = image_new(jre, lying ? from->height : from->width, lying ? from->width : from->height, from->channels);
    uint8_t *out = to->pixels;
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++, out += from->channels) {
            int column = lying ? y : x, row = lying ? x : y;
            memcpy(out, pixel_at(from, from_right ? from->width - 1 - column : column, from_below ? from->height - 1 - row : row), (size_t)from->channels);
        }
}
