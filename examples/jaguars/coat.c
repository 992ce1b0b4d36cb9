/*
 * Coats: what tells one jaguar from another.
 *
 * Two stages, as the animal's own rosettes are thought to form. First an activator and an inhibitor (FitzHugh-Nagumo kinetics,
 * the inhibitor spreading faster) settle into coarse spots. Then a second pair of half the wavelength grows where the first
 * left the rims of those spots: rings that break into arcs, dots inside the large ones, clear lanes between.
 * Every coat has the same parameters; only the chance it starts from differs. The parameters drift slowly over the coat by
 * smooth noise, so a stretch of flank may be dense or sparse: that too is the individual's, and alike in statistics for all.
 */
#include "jaguars.h"

#include <stdlib.h>
#include <string.h>

enum { COARSE_WIDTH = COAT_WIDTH / 2, COARSE_HEIGHT = COAT_HEIGHT / 2, PAD = 4 };

/* Measured by eye on contact sheets, then frozen (see the table in paint.c). */
#define COARSE_SPREAD_ACTIVATOR 0.40f
#define COARSE_SPREAD_INHIBITOR 2.20f
#define COARSE_STEP 0.05f
#define COARSE_STEPS 700
#define COARSE_BIAS (-0.064f)
#define COARSE_BIAS_DRIFT 0.030f
#define FINE_SPREAD_ACTIVATOR 0.22f
#define FINE_SPREAD_INHIBITOR 1.00f
#define FINE_STEP 0.08f
#define FINE_STEPS 260
#define SLOWNESS 0.6f                /* of the inhibitor */
#define RIM_LEVEL (-0.25f)
#define RIM_WIDTH 0.45f
#define RIM_PUSH 0.22f
#define RIM_PUSH_DENSE 0.055f         /* added where the drift is high */
#define RIM_PUSH_SPARSE 0.22f        /* taken away where it is low */
#define RIM_BREAK 0.075f             /* rings open where a fine noise is low */
#define BREAK_SIZE 7.0
#define DOT_PUSH 0.28f               /* dots inside, where another is high */
#define DOT_SIZE 4.0
#define FINE_BIAS (-0.15f)
#define LANE_PENALTY 0.10f
#define DRIFT_SIZE 44.0              /* cells of the fine grid */
#define DRIFT_GAIN 2.3

typedef struct {
    float activator[COAT_HEIGHT + 2][COAT_WIDTH + 2 * PAD];
    float inhibitor[COAT_HEIGHT + 2][COAT_WIDTH + 2 * PAD];
    float next_activator[COAT_HEIGHT + 2][COAT_WIDTH + 2 * PAD];
    float next_inhibitor[COAT_HEIGHT + 2][COAT_WIDTH + 2 * PAD];
    float bias[COAT_HEIGHT][COAT_WIDTH];
    float drift[COAT_HEIGHT][COAT_WIDTH];
} Skin;

/* The coat is a torus: margins repeat the opposite edge. */
static void wrap(float field[][COAT_WIDTH + 2 * PAD], int width, int height) {
    for (int y = 1; y <= height; y++) {
        field[y][PAD - 1] = field[y][PAD + width - 1];
        field[y][PAD + width] = field[y][PAD];
    }
    memcpy(&field[0][PAD], &field[height][PAD], (size_t)width * sizeof(float));
    memcpy(&field[height + 1][PAD], &field[1][PAD], (size_t)width * sizeof(float));
}

typedef struct {
    float spread_activator, spread_inhibitor, step;
} Kinetics;

static void react_row(const float *restrict a, const float *restrict a_up, const float *restrict a_down, const float *restrict b,
                      const float *restrict b_up, const float *restrict b_down, const float *restrict bias,
                      float *restrict next_a, float *restrict next_b, int width, Kinetics kinetics) {
    float slow_step = kinetics.step / SLOWNESS;
    for (int x = 0; x < width; x++) {
        float spread_a = a[x - 1] + a[x + 1] + a_up[x] + a_down[x] - 4.0f * a[x];
        float spread_b = b[x - 1] + b[x + 1] + b_up[x] + b_down[x] - 4.0f * b[x];
        next_a[x] = a[x] + kinetics.step * (kinetics.spread_activator * spread_a + a[x] - a[x] * a[x] * a[x] - b[x] + bias[x]);
        next_b[x] = b[x] + slow_step * (kinetics.spread_inhibitor * spread_b + a[x] - b[x]);
    }
}

static void react_into(float a[][COAT_WIDTH + 2 * PAD], float b[][COAT_WIDTH + 2 * PAD], float next_a[][COAT_WIDTH + 2 * PAD],
                       float next_b[][COAT_WIDTH + 2 * PAD], float bias[][COAT_WIDTH], int width, int height, Kinetics kinetics) {
    wrap(a, width, height);
    wrap(b, width, height);
    for (int y = 1; y <= height; y++)
        react_row(&a[y][PAD], &a[y - 1][PAD], &a[y + 1][PAD], &b[y][PAD], &b[y - 1][PAD], &b[y + 1][PAD], bias[y - 1],
                  &next_a[y][PAD], &next_b[y][PAD], width, kinetics);
}

/* `steps` is even: the result ends where it began. */
static void react(Skin *skin, int width, int height, int steps, Kinetics kinetics) {
    for (int step = 0; step < steps; step += 2) {
        react_into(skin->activator, skin->inhibitor, skin->next_activator, skin->next_inhibitor, skin->bias, width, height, kinetics);
        react_into(skin->next_activator, skin->next_inhibitor, skin->activator, skin->inhibitor, skin->bias, width, height, kinetics);
    }
}

/* Cubic through four neighbors (Catmull-Rom) at a quarter and three quarters: doubles the coarse grid without corners. */
static double doubled(const float field[][COAT_WIDTH + 2 * PAD], int x, int y) {
    static const double near_quarter[4] = {-0.0703125, 0.8671875, 0.2265625, -0.0234375};
    int left = (x >> 1) - (x & 1 ? 0 : 1), top = (y >> 1) - (y & 1 ? 0 : 1);
    double sum = 0.0;
    for (int j = 0; j < 4; j++) {
        double weight_y = near_quarter[y & 1 ? j : 3 - j];
        int row = (top - 1 + j + COARSE_HEIGHT) % COARSE_HEIGHT;
        for (int i = 0; i < 4; i++) {
            int column = (left - 1 + i + COARSE_WIDTH) % COARSE_WIDTH;
            sum += weight_y * near_quarter[x & 1 ? i : 3 - i] * (double)field[row + 1][PAD + column];
        }
    }
    return sum;
}

static void grow_spots(Skin *skin, Coat *coat, Chance *chance) {
    uint64_t noise = chance_bits(chance);
    for (int y = 0; y < COARSE_HEIGHT; y++) {
        for (int x = 0; x < COARSE_WIDTH; x++) {
            skin->activator[y + 1][PAD + x] = (float)(0.3 * chance_normal(chance));
            skin->inhibitor[y + 1][PAD + x] = (float)(0.1 * chance_normal(chance));
            skin->bias[y][x] = COARSE_BIAS + COARSE_BIAS_DRIFT * (float)smooth_noise(noise, 2 * x / DRIFT_SIZE, 2 * y / DRIFT_SIZE);
        }
    }
    react(skin, COARSE_WIDTH, COARSE_HEIGHT, COARSE_STEPS, (Kinetics){COARSE_SPREAD_ACTIVATOR, COARSE_SPREAD_INHIBITOR, COARSE_STEP});
    for (int y = 0; y < COAT_HEIGHT; y++)
        for (int x = 0; x < COAT_WIDTH; x++)
            coat->spots[y][x] = (float)((doubled((const float (*)[COAT_WIDTH + 2 * PAD])skin->activator, x, y) + 0.36) / 0.40);
}

static void grow_ink(Skin *skin, Coat *coat, Chance *chance) {
    uint64_t noise = chance_bits(chance), breaks = chance_bits(chance), dots = chance_bits(chance);
    for (int y = 0; y < COAT_HEIGHT; y++) {
        for (int x = 0; x < COAT_WIDTH; x++) {
            double spot = (double)coat->spots[y][x], off = (spot - (double)RIM_LEVEL) / (double)RIM_WIDTH;
            float rim = (float)exponential(-off * off);
            float drift = (float)clamp(DRIFT_GAIN * smooth_noise(noise, x / DRIFT_SIZE, y / DRIFT_SIZE), -1.0, 1.0);
            float push = RIM_PUSH + (drift > 0.0f ? RIM_PUSH_DENSE : RIM_PUSH_SPARSE) * drift +
                         RIM_BREAK * (float)smooth_noise(breaks, x / BREAK_SIZE, y / BREAK_SIZE);
            float dot = (float)(smoothstep(0.9, 1.5, spot) * smoothstep(0.35, 0.6, smooth_noise(dots, x / DOT_SIZE, y / DOT_SIZE)));
            float lane = 1.0f - (float)smoothstep((double)RIM_LEVEL, (double)RIM_LEVEL + 0.4, spot);
            skin->bias[y][x] = FINE_BIAS + push * rim + DOT_PUSH * dot - LANE_PENALTY * lane;
            skin->activator[y + 1][PAD + x] = 0.8f * rim + 0.6f * dot - 0.4f + (float)(0.2 * chance_normal(chance));
            skin->inhibitor[y + 1][PAD + x] = 0.0f;
        }
    }
    react(skin, COAT_WIDTH, COAT_HEIGHT, FINE_STEPS, (Kinetics){FINE_SPREAD_ACTIVATOR, FINE_SPREAD_INHIBITOR, FINE_STEP});
    for (int y = 0; y < COAT_HEIGHT; y++)
        memcpy(coat->ink[y], &skin->activator[y + 1][PAD], sizeof coat->ink[y]);
}

bool coat_grow(Coat *coat, uint64_t seed, int individual, int flank) {
    Skin *skin = malloc(sizeof *skin);
    if (!skin)
        return false;
    Chance chance = chance_of(seed, 1, (uint64_t)(individual * FLANKS + flank));
    grow_spots(skin, coat, &chance);
    grow_ink(skin, coat, &chance);
    free(skin);
    return true;
}

static double sampled(const float field[COAT_HEIGHT][COAT_WIDTH], double column, double row) {
    column = clamp(column, -4096.0, 4096.0) + 4096.0;
    row = clamp(row, -4096.0, 4096.0) + 4096.0;
    int x = (int)column, y = (int)row;
    double across = column - x, down = row - y;
    int x0 = x % COAT_WIDTH, x1 = (x + 1) % COAT_WIDTH;
    const float *top = field[y % COAT_HEIGHT], *bottom = field[(y + 1) % COAT_HEIGHT];
    return mix(mix((double)top[x0], (double)top[x1], across), mix((double)bottom[x0], (double)bottom[x1], across), down);
}

double coat_spots(const Coat *coat, double column, double row) {
    return sampled(coat->spots, column, row);
}

double coat_ink(const Coat *coat, double column, double row) {
    return sampled(coat->ink, column, row);
}
