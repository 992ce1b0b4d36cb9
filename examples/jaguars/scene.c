/*
 * From a shot of the plan to samples: the cat strikes a pose, a camera looks at it, the coat is laid on, light falls.
 *
 * What belongs to the meeting (pose, camera, light) is drawn from the burst's chance; a tremor from the picture's own. Nothing here
 * knows the individual except the coat: outline, color and light tell nothing about who it is.
 */
#include "jaguars.h"

#include <math.h>
#include <stdlib.h>

#define DEGREE (PI / 180.0)

/* Strength of what hides the individual; frozen after measuring (table in paint.c). */
#define YAW_SPREAD 8.0               /* degrees off the profile, deviation */
#define YAW_FAR_SHARE 0.05           /* of meetings seen much more from ahead or behind */
#define YAW_FAR 58.0
#define PITCH_LOW (-4.0)
#define PITCH_HIGH 12.0
#define SHORT_SIDE_LOW 80.0          /* pixels */
#define SHORT_SIDE_HIGH 160.0
#define LONG_SIDE_MOST 330.0

/* Where on the coat the body lies: cells of the coat per unit of the body. */
#define COAT_CELLS 116.0
#define SPOT_SCALE 1.45              /* solid spots on legs are smaller than rosettes by this */
#define FACE_SCALE 2.3

typedef struct {
    double yaw, pitch, roll, distance;
    double window[4];                /* left, top, right, bottom, in units on the plane of the picture */
    double scale;                    /* samples per unit */
    bool mirrored_depth;
} Camera;

typedef struct {
    Vector sun;
    double ambient, direct, exposure, contrast, warmth, dapple, dapple_size;
    uint64_t dapple_noise, fur_noise;
} Light;

typedef struct {
    Vector *places, *normals;        /* posed, in the camera's axes: x right, y up, z toward the camera */
    double *screen;                  /* x, y in samples and depth, three for each vertex */
} Stage;

/* ---- pose ---- */

static void pose_leg_pair(Pose *pose, Chance *chance, double phase, double stride, double crouch) {
    static const double offsets[4] = {0.25, 0.75, 0.0, 0.5};        /* left fore, right fore, left hind, right hind */
    for (int side = 0; side < 2; side++) {
        double fore = 2.0 * PI * (phase + offsets[side]), hind = 2.0 * PI * (phase + offsets[2 + side]);
        double lift_fore = clamp(cosine(fore), 0.0, 1.0) * stride, lift_hind = clamp(cosine(hind), 0.0, 1.0) * stride;
        double loose = chance_normal(chance) * 3.0;
        pose->pitch[BONE_ARM + side] = (stride * 20.0 * sine(fore) - 20.0 * crouch + loose) * DEGREE;
        pose->pitch[BONE_FOREARM + side] = (30.0 * lift_fore + 42.0 * crouch + 4.0 * stride * sine(fore)) * DEGREE;
        pose->pitch[BONE_PAW + side] = (-42.0 * lift_fore - 22.0 * crouch - 8.0 * stride * sine(fore)) * DEGREE;
        pose->pitch[BONE_THIGH + side] = (stride * 20.0 * sine(hind) + 26.0 * crouch + 4.0 + loose) * DEGREE;
        pose->pitch[BONE_SHIN + side] = (-26.0 * lift_hind - 48.0 * crouch - 6.0) * DEGREE;
        pose->pitch[BONE_HOCK + side] = (20.0 * lift_hind + 36.0 * crouch - 6.0 * stride * sine(hind)) * DEGREE;
        pose->pitch[BONE_FOOT + side] = (-18.0 * lift_hind - 14.0 * crouch - 4.0 * stride * sine(hind)) * DEGREE;
    }
}

static Pose pose_draw(Chance *chance) {
    Pose pose = {0};
    double kind = chance_uniform(chance);
    double stride = kind < 0.60 ? chance_between(chance, 0.35, 0.7) : chance_between(chance, 0.1, 0.4);
    double crouch = kind > 0.93 ? chance_between(chance, 0.3, 0.85) : chance_between(chance, -0.05, 0.1);
    pose_leg_pair(&pose, chance, chance_uniform(chance), stride, crouch);
    double head = chance_between(chance, -9.0, 8.0) - 8.0 * crouch;
    pose.pitch[BONE_LOIN] = chance_normal(chance) * 2.0 * DEGREE;
    pose.pitch[BONE_CHEST] = (chance_normal(chance) * 3.0 - 3.0 * crouch) * DEGREE;
    pose.pitch[BONE_NECK] = head * 0.8 * DEGREE;
    pose.pitch[BONE_HEAD] = (-head * 0.55 + chance_normal(chance) * 6.0 - 4.0) * DEGREE;
    double turn = chance_normal(chance) * 10.0;
    pose.yaw[BONE_NECK] = turn * 0.5 * DEGREE;
    pose.yaw[BONE_HEAD] = (turn * 0.9 + chance_normal(chance) * 8.0) * DEGREE;
    double bend = chance_normal(chance) * 4.0;
    pose.yaw[BONE_LOIN] = bend * -0.5 * DEGREE;
    pose.yaw[BONE_CHEST] = bend * DEGREE;
    double hang = chance_between(chance, -46.0, -26.0), curl = chance_between(chance, -3.0, 4.0), sway = chance_normal(chance) * 5.0;
    for (int i = 0; i < TAIL_BONES; i++) {
        pose.pitch[BONE_TAIL + i] = (i == 0 ? -hang : curl) * DEGREE;
        pose.yaw[BONE_TAIL + i] = sway * DEGREE;
    }
    return pose;
}

static void pose_tremble(Pose *pose, Chance *chance) {
    for (int bone = 0; bone < BONES; bone++) {
        pose->pitch[bone] += chance_normal(chance) * 1.3 * DEGREE;
        pose->yaw[bone] += chance_normal(chance) * 0.8 * DEGREE;
    }
}

/* ---- camera ---- */

static Camera camera_draw(Chance *chance, int flank) {
    Camera camera = {0};
    bool far = chance_uniform(chance) < YAW_FAR_SHARE;
    double off = chance_normal(chance) * YAW_SPREAD;
    if (far)
        off = (off > 0.0 ? 1.0 : -1.0) * (YAW_FAR + chance_normal(chance) * 7.0);
    camera.yaw = off * DEGREE + (flank == 0 ? PI : 0.0);
    camera.pitch = chance_between(chance, PITCH_LOW, PITCH_HIGH) * DEGREE;
    camera.roll = chance_normal(chance) * 4.0 * DEGREE;
    camera.distance = chance_between(chance, 4.0, 12.0);
    return camera;
}

static Vector camera_turn(const Camera *camera, Vector v) {
    double c = cosine(camera->yaw), s = sine(camera->yaw);
    Vector turned = {v.x * c - v.z * s, v.y, v.x * s + v.z * c};
    double d = cosine(camera->pitch), t = sine(camera->pitch);
    Vector tipped = {turned.x, turned.y * d - turned.z * t, turned.y * t + turned.z * d};
    double e = cosine(camera->roll), u = sine(camera->roll);
    return (Vector){tipped.x * e - tipped.y * u, tipped.x * u + tipped.y * e, tipped.z};
}

static bool in_view(View view, Vector rest) {
    switch (view) {
    case VIEW_FRONT:
        return rest.x > 0.0;
    case VIEW_FLANK:
        return rest.x > -0.46 && rest.x < 0.42 && rest.y > 0.36;
    case VIEW_REAR:
        return rest.x < 0.16 && rest.x > -0.72;
    default:
        return true;
    }
}

/* Turns the posed surface to the camera and finds the window that the view asks for. */
static void camera_aim(Camera *camera, Stage *stage, const Body *body, View view) {
    double box[4] = {1e9, 1e9, -1e9, -1e9};
    Vector center = {0.0, 0.4, 0.0};
    for (int i = 0; i < body->vertex_count; i++) {
        Vector place = camera_turn(camera, vector_subtract(stage->places[i], center));
        double nearer = camera->distance / (camera->distance - place.z);
        stage->places[i] = (Vector){place.x * nearer, -place.y * nearer, place.z};
        stage->normals[i] = camera_turn(camera, stage->normals[i]);
        if (!in_view(view, body->vertices[i].rest))
            continue;
        Vector on_plane = stage->places[i];
        box[0] = on_plane.x < box[0] ? on_plane.x : box[0];
        box[1] = on_plane.y < box[1] ? on_plane.y : box[1];
        box[2] = on_plane.x > box[2] ? on_plane.x : box[2];
        box[3] = on_plane.y > box[3] ? on_plane.y : box[3];
    }
    for (int i = 0; i < 4; i++)
        camera->window[i] = box[i];
}

/* Sizes the canvas: the shorter side is drawn, the longer follows unless it would grow too large. */
static void camera_frame(Camera *camera, Canvas *canvas, Chance *chance, Chance *tremor, View view) {
    double width = camera->window[2] - camera->window[0], height = camera->window[3] - camera->window[1];
    double cut = view == VIEW_FULL ? 0.0 : 0.07;
    for (int i = 0; i < 4; i++) {
        double shift = cut * chance_normal(chance) + (view == VIEW_FULL ? 0.0 : 0.012 * chance_normal(tremor));
        camera->window[i] += shift * (i & 1 ? height : width) + (i < 2 ? -0.015 : 0.015);
    }
    width = camera->window[2] - camera->window[0];
    height = camera->window[3] - camera->window[1];
    double draw = chance_uniform(chance), side = mix(SHORT_SIDE_LOW, SHORT_SIDE_HIGH, draw * draw);
    double scale = side / (width < height ? width : height);
    double most = LONG_SIDE_MOST / (width > height ? width : height);
    scale = (scale < most ? scale : most) * (1.0 + 0.02 * chance_normal(tremor));
    camera->scale = scale * SAMPLING;
    canvas->width = (int)(width * scale) * SAMPLING + SAMPLING;
    canvas->height = (int)(height * scale) * SAMPLING + SAMPLING;
}

/* ---- light ---- */

static Light light_draw(Chance *chance) {
    Light light = {0};
    double side = chance_between(chance, -1.0, 1.0), height = chance_between(chance, 0.35, 1.2);
    light.sun = vector_normalized((Vector){side, height, chance_between(chance, 0.1, 0.9)});
    light.direct = chance_between(chance, 0.1, 0.3);
    light.ambient = 1.0 - 0.55 * light.direct;
    light.exposure = chance_between(chance, 0.88, 1.10);
    light.contrast = chance_between(chance, 0.9, 1.12);
    light.warmth = chance_normal(chance) * 0.07;
    light.dapple = chance_uniform(chance) < 0.2 ? chance_between(chance, 0.1, 0.3) : 0.0;
    light.dapple_size = chance_between(chance, 0.07, 0.2);
    light.dapple_noise = chance_bits(chance);
    light.fur_noise = chance_bits(chance);
    return light;
}

/* ---- coat on the body ---- */

/* Marks of the face are placed on a head of size 1; the body's is larger, about where the neck carries it. */
#define HEAD_SIZE 1.16

static Vector face_place(Vector rest) {
    return (Vector){0.66 + (rest.x - 0.66) / HEAD_SIZE, 0.675 + (rest.y - 0.675) / HEAD_SIZE, rest.z / HEAD_SIZE};
}

typedef struct {
    double red, green, blue;
} Color;

static Color color_mix(Color from, Color to, double share) {
    return (Color){mix(from.red, to.red, share), mix(from.green, to.green, share), mix(from.blue, to.blue, share)};
}

static const Color gold = {0.88, 0.71, 0.45}, back_gold = {0.82, 0.62, 0.36}, heart = {0.72, 0.52, 0.29};
static const Color pale = {0.93, 0.88, 0.77}, ink = {0.115, 0.085, 0.07}, amber = {0.80, 0.62, 0.18}, nose = {0.45, 0.27, 0.22};

static double distance_to(Vector rest, double x, double y, double z) {
    double across = rest.z < 0.0 ? -rest.z : rest.z;
    Vector off = {rest.x - x, rest.y - y, across - z};
    return sqrt(vector_dot(off, off));
}

/* Rosettes on the trunk, solid spots on legs, neck and belly, small ones on the face. */
static Color spotted(Color fur, const Coat *coat, Vector rest, double belly) {
    double across = rest.z < 0.0 ? -rest.z : rest.z;
    double around = clamp(0.155 - across, 0.0, 0.155);      /* how far the surface has turned away from the flank */
    double column = (rest.x + 0.8 * around * clamp(rest.x / 0.3, -1.0, 1.0) + 1.0) * COAT_CELLS;
    double row = (rest.y + 0.8 * around * clamp((rest.y - 0.5) / 0.1, -1.0, 1.0)) * COAT_CELLS;
    double trunk = smoothstep(0.30, 0.40, rest.y) * smoothstep(-0.68, -0.56, rest.x) * (1.0 - smoothstep(0.46, 0.60, rest.x));
    trunk *= 1.0 - 0.8 * belly;
    double face = smoothstep(0.64, 0.74, rest.x);
    double shape = trunk > 0.0 ? coat_spots(coat, column, row) : 0.0;
    double dark = trunk > 0.0 ? smoothstep(-0.12, 0.22, coat_ink(coat, column, row)) : 0.0;
    double solid = 0.0;
    if (trunk < 1.0 && face < 1.0)
        solid = (1.0 - face) * smoothstep(0.35, 0.75, coat_spots(coat, column * SPOT_SCALE + 40.0, row * SPOT_SCALE + 30.0));
    if (face > 0.0)
        solid += face * smoothstep(0.55, 1.0, coat_spots(coat, column * FACE_SCALE + 90.0, row * FACE_SCALE + 10.0));
    solid *= 1.0 - 0.85 * smoothstep(0.89, 0.94, rest.x);
    fur = color_mix(fur, color_mix(heart, fur, 0.3 * belly), 0.6 * trunk * smoothstep(-0.25, 0.2, shape));
    double amount = mix(solid, dark, trunk);
    return color_mix(fur, ink, 0.96 * amount);
}

static Color face_marked(Color fur, Vector rest, Vector normal) {
    double eye = distance_to(rest, 0.838, 0.736, 0.068);
    fur = color_mix(fur, pale, 0.7 * (1.0 - smoothstep(0.020, 0.045, distance_to(rest, 0.835, 0.705, 0.075))));
    fur = color_mix(fur, pale, 0.6 * (1.0 - smoothstep(0.010, 0.028, distance_to(rest, 0.822, 0.772, 0.055))));
    fur = color_mix(fur, ink, 1.0 - smoothstep(0.018, 0.024, eye));
    fur = color_mix(fur, amber, 1.0 - smoothstep(0.011, 0.015, eye));
    fur = color_mix(fur, ink, 1.0 - smoothstep(0.004, 0.007, eye));
    double tip = distance_to(rest, 0.955, 0.685, 0.0);
    fur = color_mix(fur, nose, 1.0 - smoothstep(0.028, 0.036, tip));
    double mouth = rest.y - 0.636 - 0.25 * (rest.x - 0.90);
    mouth = mouth < 0.0 ? -mouth : mouth;
    fur = color_mix(fur, ink, 0.85 * smoothstep(0.845, 0.87, rest.x) * (1.0 - smoothstep(0.004, 0.010, mouth)));
    double ear = smoothstep(0.792, 0.808, rest.y) * (rest.x < 0.80 ? 1.0 : 0.0);
    Color lining = color_mix(heart, pale, 0.5);
    Color ear_color = normal.x > 0.35 ? lining : ink;
    return color_mix(fur, ear_color, ear * (normal.x > 0.35 ? 0.8 : 0.9));
}

/* What color the fur has at a place of the body at rest. */
static Color fur_color(const Coat *coats, Vector rest, Vector normal) {
    const Coat *coat = &coats[rest.z < 0.0 ? 0 : 1];
    double belly = smoothstep(0.25, 0.85, -normal.y) * smoothstep(-0.54, -0.37, rest.x);
    double inner = rest.y < 0.38 && normal.z * rest.z < 0.0 ? smoothstep(0.2, 0.8, normal.z * normal.z) : 0.0;
    double throat = smoothstep(0.45, 0.6, rest.x) * smoothstep(0.05, 0.7, -normal.y);
    double muzzle = smoothstep(0.88, 0.94, rest.x) * (1.0 - smoothstep(0.675, 0.70, rest.y));
    double light = clamp(belly + 0.7 * inner + throat + muzzle, 0.0, 1.0);
    Color fur = color_mix(gold, back_gold, smoothstep(0.5, 0.72, rest.y) * (1.0 - smoothstep(0.6, 0.75, rest.x)));
    fur = color_mix(fur, pale, 0.85 * light);
    fur = color_mix(fur, color_mix(gold, pale, 0.4), 0.5 * (1.0 - smoothstep(0.05, 0.3, rest.y)));
    fur = spotted(fur, coat, rest, belly);
    if (rest.x < -0.82) {
        double ring = sine((rest.x + 0.82) * 60.0);
        fur = color_mix(fur, ink, clamp(smoothstep(0.1, 0.6, ring) + smoothstep(1.02, 1.06, -rest.x), 0.0, 1.0));
    }
    if (rest.x > 0.6)
        fur = face_marked(fur, face_place(rest), normal);
    return fur;
}

/* ---- surface to samples ---- */

typedef struct {
    double depth;
    int triangle;
    float share_b, share_c;
} Hit;

static void raster_triangle(Hit *hits, const Canvas *canvas, const double *a, const double *b, const double *c, int triangle) {
    double area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    if (area > -1e-9 && area < 1e-9)
        return;
    double low_x = a[0] < b[0] ? a[0] : b[0], high_x = a[0] > b[0] ? a[0] : b[0];
    double low_y = a[1] < b[1] ? a[1] : b[1], high_y = a[1] > b[1] ? a[1] : b[1];
    low_x = c[0] < low_x ? c[0] : low_x;
    high_x = c[0] > high_x ? c[0] : high_x;
    low_y = c[1] < low_y ? c[1] : low_y;
    high_y = c[1] > high_y ? c[1] : high_y;
    if (high_x < 0.0 || high_y < 0.0 || low_x >= canvas->width || low_y >= canvas->height)
        return;
    int x0 = (int)clamp(low_x, 0.0, canvas->width - 1.0), x1 = (int)clamp(high_x, 0.0, canvas->width - 1.0);
    int y0 = (int)clamp(low_y, 0.0, canvas->height - 1.0), y1 = (int)clamp(high_y, 0.0, canvas->height - 1.0);
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            double px = x + 0.5 - a[0], py = y + 0.5 - a[1];
            double share_b = (px * (c[1] - a[1]) - py * (c[0] - a[0])) / area;
            double share_c = (py * (b[0] - a[0]) - px * (b[1] - a[1])) / area;
            if (share_b < 0.0 || share_c < 0.0 || share_b + share_c > 1.0)
                continue;
            double depth = a[2] + share_b * (b[2] - a[2]) + share_c * (c[2] - a[2]);
            Hit *hit = &hits[(size_t)y * (size_t)canvas->width + (size_t)x];
            if (depth > hit->depth)
                *hit = (Hit){depth, triangle, (float)share_b, (float)share_c};
        }
    }
}

static Vector blended(Vector a, Vector b, Vector c, double share_b, double share_c) {
    return vector_add(vector_scale(a, 1.0 - share_b - share_c), vector_add(vector_scale(b, share_b), vector_scale(c, share_c)));
}

static Sample shade(const Light *light, Color fur, Vector rest, Vector normal, double x, double y, bool near_side) {
    double lit = clamp(vector_dot(normal, light->sun), 0.0, 1.0);
    double dapple = light->dapple * smoothstep(-0.05, 0.2, smooth_noise(light->dapple_noise, x / light->dapple_size, y / light->dapple_size));
    double below = rest.y < 0.40 && !near_side ? 0.62 : 1.0;
    double sky = light->ambient * (0.74 + 0.26 * normal.y) * (0.80 + 0.20 * smoothstep(0.0, 0.5, normal.z));
    double grain = 1.0 + 0.07 * smooth_noise(light->fur_noise, rest.x * 55.0 + rest.z * 20.0, rest.y * 120.0);
    double bright = (sky + light->direct * lit) * (1.0 - dapple) * below * grain * light->exposure;
    Color color = {fur.red * bright * (1.0 + light->warmth), fur.green * bright, fur.blue * bright * (1.0 - light->warmth)};
    double *parts[3] = {&color.red, &color.green, &color.blue};
    for (int i = 0; i < 3; i++)
        *parts[i] = clamp(0.42 + (*parts[i] - 0.42) * light->contrast, 0.0, 1.0);
    return (Sample){(float)color.red, (float)color.green, (float)color.blue, 1.0f};
}

static void paint_samples(Canvas *canvas, const Hit *hits, const Body *body, const Stage *stage, const Coat *coats, const Camera *camera,
                          const Light *light, int flank) {
    for (int y = 0; y < canvas->height; y++) {
        for (int x = 0; x < canvas->width; x++) {
            size_t at = (size_t)y * (size_t)canvas->width + (size_t)x;
            const Hit *hit = &hits[at];
            canvas->samples[at] = (Sample){0, 0, 0, 0};
            if (hit->triangle < 0)
                continue;
            const int *corner = body->triangles[hit->triangle];
            const Vertex *a = &body->vertices[corner[0]], *b = &body->vertices[corner[1]], *c = &body->vertices[corner[2]];
            double share_b = (double)hit->share_b, share_c = (double)hit->share_c;
            Vector rest = blended(a->rest, b->rest, c->rest, share_b, share_c);
            Vector own = vector_normalized(blended(a->normal, b->normal, c->normal, share_b, share_c));
            Vector normal = vector_normalized(
                blended(stage->normals[corner[0]], stage->normals[corner[1]], stage->normals[corner[2]], share_b, share_c));
            bool near_side = (rest.z > 0.0) == (flank == 1);
            Color fur = fur_color(coats, rest, own);
            canvas->samples[at] = shade(light, fur, rest, normal, x / camera->scale, y / camera->scale, near_side);
        }
    }
}

static bool paint_stage(Canvas *canvas, const Body *body, const Stage *stage, const Coat *coats, const Camera *camera, const Light *light,
                        int flank) {
    size_t count = (size_t)canvas->width * (size_t)canvas->height;
    Hit *hits = malloc(count * sizeof *hits);
    canvas->samples = malloc(count * sizeof *canvas->samples);
    if (!hits || !canvas->samples) {
        free(hits);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        hits[i] = (Hit){-1e9, -1, 0, 0};
    for (int i = 0; i < body->triangle_count; i++) {
        const int *corner = body->triangles[i];
        raster_triangle(hits, canvas, &stage->screen[3 * corner[0]], &stage->screen[3 * corner[1]], &stage->screen[3 * corner[2]], i);
    }
    paint_samples(canvas, hits, body, stage, coats, camera, light, flank);
    free(hits);
    return true;
}

/* `coats` are the two of the individual. On failure nothing is left allocated. */
bool scene_paint(Canvas *canvas, const Body *body, const Coat *coats, const Plan *plan, int number) {
    const Shot *shot = &plan->shots[number];
    Chance meeting = chance_of(plan->seed, 3, (uint64_t)shot->burst), tremor = chance_of(plan->seed, 4, (uint64_t)number);
    *canvas = (Canvas){0};
    Stage stage = {
        malloc((size_t)body->vertex_count * sizeof(Vector)),
        malloc((size_t)body->vertex_count * sizeof(Vector)),
        malloc((size_t)body->vertex_count * 3 * sizeof(double)),
    };
    bool painted = stage.places && stage.normals && stage.screen;
    if (painted) {
        Pose pose = pose_draw(&meeting);
        Camera camera = camera_draw(&meeting, shot->flank);
        Light light = light_draw(&meeting);
        pose_tremble(&pose, &tremor);
        camera.yaw += chance_normal(&tremor) * 1.5 * DEGREE;
        light.exposure *= 1.0 + 0.04 * chance_normal(&tremor);
        body_pose(body, &pose, stage.places, stage.normals);
        camera_aim(&camera, &stage, body, shot->view);
        camera_frame(&camera, canvas, &meeting, &tremor, shot->view);
        for (int i = 0; i < body->vertex_count; i++) {
            stage.screen[3 * i] = (stage.places[i].x - camera.window[0]) * camera.scale;
            stage.screen[3 * i + 1] = (stage.places[i].y - camera.window[1]) * camera.scale;
            stage.screen[3 * i + 2] = stage.places[i].z;
        }
        painted = paint_stage(canvas, body, &stage, coats, &camera, &light, shot->flank);
    }
    free(stage.places);
    free(stage.normals);
    free(stage.screen);
    if (!painted) {
        free(canvas->samples);
        *canvas = (Canvas){0};
    }
    return painted;
}
