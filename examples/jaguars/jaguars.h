/*
 * The painter of jaguars: what its files share.
 *
 *   arithmetic.c  chance, sine, exponential, smooth noise: the same bits under every compiler
 *   plan.c        who is photographed, from which side, in which burst, for training or for the test
 *   coat.c        two coats for each individual, grown by reaction and diffusion
 *   body.c        one cat for all: surface at rest, bones, poses
 *   scene.c       a pose, a camera, a light; the coat on the body, in samples
 *   film.c        grass, blur, noise, a rough cut-out: from samples to a picture
 *   write.c       PNG and CSV files in the layout of the contest
 *   paint.c       the command line, threads, the story
 *
 * Contract: a picture is a pure function of (seed, number). Only + - * / and sqrt touch floating point, no contraction to
 * fused operations (build with -ffp-contract=off), so gcc and clang paint the same bytes.
 */
#ifndef JAGUARS_H
#define JAGUARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The frozen facts of the contest (REQUIREMENTS D1, D2). */
enum {
    INDIVIDUALS = 31,
    TRAIN_PICTURES = 1895,
    TEST_PICTURES = 371,
    PICTURES = TRAIN_PICTURES + TEST_PICTURES,
    FLANKS = 2,                      /* 0 left, 1 right */
    FROZEN_SEED = 31
};

/* arithmetic.c */
#define PI 3.14159265358979323846

typedef struct {
    double x, y, z;
} Vector;

typedef struct {
    uint64_t state;
} Chance;

Chance chance_of(uint64_t seed, uint64_t purpose, uint64_t number);
uint64_t chance_bits(Chance *chance);
double chance_uniform(Chance *chance);                              /* [0, 1) */
double chance_between(Chance *chance, double low, double high);
double chance_normal(Chance *chance);                               /* mean 0, deviation 1, bounded by 3.5 */
int chance_below(Chance *chance, int count);                        /* 0 .. count-1 */
uint64_t hash_of(uint64_t value);
double sine(double angle);
double cosine(double angle);
double exponential(double value);                                   /* for |value| < 40 */
double clamp(double value, double low, double high);
double smoothstep(double low, double high, double value);
double mix(double from, double to, double share);
double smooth_noise(uint64_t seed, double x, double y);             /* value noise, [-1, 1], features of size 1 */
Vector vector_add(Vector a, Vector b);
Vector vector_subtract(Vector a, Vector b);
Vector vector_scale(Vector a, double factor);
double vector_dot(Vector a, Vector b);
Vector vector_normalized(Vector a);

/* plan.c */
typedef enum { VIEW_FULL, VIEW_FRONT, VIEW_FLANK, VIEW_REAR, VIEWS } View;

typedef struct {
    int individual;
    int flank;
    int burst;                       /* pictures of one burst share pose, light and camera but for a tremor */
    int frame;                       /* place inside the burst */
    View view;
    bool test;
    int file;                        /* 1-based number in the file's name */
} Shot;

typedef struct {
    uint64_t seed;
    Shot shots[PICTURES];            /* in the order of the files: training first */
    int bursts;
} Plan;

extern const char *const individual_names[INDIVIDUALS];
extern const int train_counts[INDIVIDUALS];
extern const int test_counts[INDIVIDUALS];
extern const char *const view_names[VIEWS];
void plan_make(Plan *plan, uint64_t seed);

/* coat.c */
enum { COAT_WIDTH = 256, COAT_HEIGHT = 128 };

typedef struct {
    float spots[COAT_HEIGHT][COAT_WIDTH];       /* where a rosette or spot lies: > 0 inside */
    float ink[COAT_HEIGHT][COAT_WIDTH];         /* the dark broken rings: > 0 dark */
} Coat;

bool coat_grow(Coat *coat, uint64_t seed, int individual, int flank);
double coat_spots(const Coat *coat, double column, double row);     /* bilinear, wraps around */
double coat_ink(const Coat *coat, double column, double row);

/* body.c */
enum {
    BONE_LOIN, BONE_CHEST, BONE_NECK, BONE_HEAD,
    BONE_ARM, BONE_FOREARM = BONE_ARM + 2, BONE_PAW = BONE_FOREARM + 2,        /* left, then right */
    BONE_THIGH = BONE_PAW + 2, BONE_SHIN = BONE_THIGH + 2, BONE_HOCK = BONE_SHIN + 2, BONE_FOOT = BONE_HOCK + 2,
    BONE_TAIL = BONE_FOOT + 2, TAIL_BONES = 5, BONES = BONE_TAIL + TAIL_BONES,
    VERTEX_BONES = 4
};

typedef struct {
    Vector rest, normal;
    int bones[VERTEX_BONES];
    double weights[VERTEX_BONES];
} Vertex;

typedef struct {
    Vertex *vertices;
    int (*triangles)[3];
    int vertex_count, triangle_count;
} Body;

typedef struct {
    double pitch[BONES];             /* about the axis across the body: positive swings a leg forward */
    double yaw[BONES];               /* about the upright axis */
} Pose;

bool body_make(Body *body);
void body_free(Body *body);
void body_pose(const Body *body, const Pose *pose, Vector *places, Vector *normals);

/* scene.c: the samples of a picture before it is cut out */
typedef struct {
    float red, green, blue;
    float cover;                     /* 1 on the animal, 0 beside it */
} Sample;

typedef struct {
    int width, height;               /* in samples, SAMPLING to a pixel on each axis */
    Sample *samples;
} Canvas;

enum { SAMPLING = 2 };

bool scene_paint(Canvas *canvas, const Body *body, const Coat *coat, const Plan *plan, int shot);

/* film.c */
typedef struct {
    int width, height;
    uint8_t *pixels;                 /* RGBA, RGB 0 where alpha is 0 */
} Picture;

bool film_develop(Picture *picture, const Canvas *canvas, const Plan *plan, int shot);
bool picture_paint(Picture *picture, const Body *body, const Coat *coat, const Plan *plan, int shot);
uint32_t picture_checksum(const Picture *picture);                  /* CRC-32 of size and pixels */

/* write.c */
bool write_picture(const char *folder, const Plan *plan, int shot, const Picture *picture);
bool write_folders(const char *folder);
bool write_tables(const char *folder, const Plan *plan, int only);     /* only: the first so many of training and of the test; 0: all */

#endif
