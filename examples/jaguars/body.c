/*
 * The cat: one surface for all individuals.
 *
 * At rest the body is the smooth union of rounded cones and balls (torso, shoulders, haunches, neck, head, ears, legs, tail). Its
 * surface is taken once from a grid (surface nets), each vertex remembers where it lies at rest, which is what coat and
 * markings are painted by, and which bones move it. A pose turns the bones; the surface follows by linear blending.
 *
 * x points to the head, y up, z to the animal's right; the unit is about a meter, the ground at y = 0.
 */
#include "jaguars.h"

#include <math.h>
#include <stdlib.h>

/* A cone with rounded ends from `a` to `b`; `flat` narrows it across the body; `mirrored` ones exist left and right. */
typedef struct {
    Vector a, b;
    double radius_a, radius_b, flat, blend;
    int bone;
    bool mirrored;
} Limb;

static const Limb limbs[] = {
    /* torso */
    {{-0.440, 0.535, 0.000}, {-0.120, 0.545, 0.000}, 0.158, 0.158, 1.18, 0.060, BONE_LOIN, false},
    {{-0.120, 0.545, 0.000}, {0.120, 0.520, 0.000}, 0.158, 0.186, 1.15, 0.060, BONE_LOIN, false},
    {{0.120, 0.520, 0.000}, {0.360, 0.530, 0.000}, 0.186, 0.182, 1.18, 0.060, BONE_CHEST, false},
    {{0.340, 0.635, 0.000}, {0.240, 0.600, 0.000}, 0.085, 0.070, 1.00, 0.060, BONE_CHEST, false},
    {{-0.140, 0.455, 0.000}, {0.140, 0.440, 0.000}, 0.105, 0.120, 1.00, 0.060, BONE_LOIN, false},
    {{0.400, 0.440, 0.000}, {0.460, 0.500, 0.000}, 0.110, 0.100, 1.00, 0.050, BONE_CHEST, false},
    /* neck and head */
    {{0.440, 0.575, 0.000}, {0.660, 0.672, 0.000}, 0.150, 0.112, 1.12, 0.060, BONE_NECK, false},
    {{0.747, 0.710, 0.000}, {0.793, 0.716, 0.000}, 0.125, 0.114, 1.00, 0.046, BONE_HEAD, false},
    {{0.822, 0.683, 0.000}, {0.944, 0.658, 0.000}, 0.086, 0.063, 0.92, 0.041, BONE_HEAD, false},
    {{0.799, 0.634, 0.000}, {0.929, 0.614, 0.000}, 0.077, 0.046, 1.00, 0.035, BONE_HEAD, false},
    {{0.706, 0.663, 0.058}, {0.793, 0.663, 0.067}, 0.081, 0.067, 1.00, 0.046, BONE_HEAD, true},
    {{0.724, 0.814, 0.086}, {0.712, 0.846, 0.095}, 0.039, 0.030, 1.00, 0.021, BONE_HEAD, true},
    /* forelegs */
    {{0.360, 0.600, 0.085}, {0.430, 0.450, 0.095}, 0.080, 0.095, 1.00, 0.050, BONE_ARM, true},
    {{0.430, 0.450, 0.095}, {0.345, 0.355, 0.100}, 0.092, 0.078, 1.00, 0.050, BONE_ARM, true},
    {{0.345, 0.355, 0.100}, {0.375, 0.115, 0.098}, 0.074, 0.047, 1.00, 0.030, BONE_FOREARM, true},
    {{0.375, 0.115, 0.098}, {0.395, 0.050, 0.098}, 0.047, 0.045, 1.00, 0.030, BONE_PAW, true},
    {{0.395, 0.046, 0.098}, {0.450, 0.036, 0.098}, 0.046, 0.036, 0.85, 0.020, BONE_PAW, true},
    /* hind legs */
    {{-0.420, 0.510, 0.070}, {-0.295, 0.335, 0.100}, 0.140, 0.096, 1.15, 0.050, BONE_THIGH, true},
    {{-0.295, 0.335, 0.100}, {-0.500, 0.205, 0.095}, 0.088, 0.045, 1.00, 0.040, BONE_SHIN, true},
    {{-0.500, 0.205, 0.095}, {-0.480, 0.055, 0.095}, 0.045, 0.038, 1.00, 0.020, BONE_HOCK, true},
    {{-0.480, 0.044, 0.095}, {-0.395, 0.036, 0.095}, 0.040, 0.036, 0.85, 0.020, BONE_FOOT, true},
    /* tail */
    {{-0.540, 0.575, 0.000}, {-0.680, 0.490, 0.000}, 0.060, 0.042, 1.00, 0.050, BONE_TAIL, false},
    {{-0.680, 0.490, 0.000}, {-0.770, 0.360, 0.000}, 0.042, 0.038, 1.00, 0.020, BONE_TAIL + 1, false},
    {{-0.770, 0.360, 0.000}, {-0.840, 0.230, 0.000}, 0.038, 0.035, 1.00, 0.020, BONE_TAIL + 2, false},
    {{-0.840, 0.230, 0.000}, {-0.950, 0.150, 0.000}, 0.035, 0.033, 1.00, 0.020, BONE_TAIL + 3, false},
    {{-0.950, 0.150, 0.000}, {-1.090, 0.150, 0.000}, 0.033, 0.027, 1.00, 0.020, BONE_TAIL + 4, false},
};
enum { LIMBS = sizeof limbs / sizeof limbs[0] };

/* Where each bone turns and which bone carries it. */
typedef struct {
    int parent;
    Vector pivot;
} Joint;

static const Joint joints[BONES] = {
    [BONE_LOIN] = {-1, {-0.06, 0.55, 0}},
    [BONE_CHEST] = {BONE_LOIN, {0.06, 0.55, 0}},
    [BONE_NECK] = {BONE_CHEST, {0.44, 0.57, 0}},
    [BONE_HEAD] = {BONE_NECK, {0.66, 0.675, 0}},
    [BONE_ARM] = {BONE_CHEST, {0.40, 0.53, -0.09}},
    [BONE_ARM + 1] = {BONE_CHEST, {0.40, 0.53, 0.09}},
    [BONE_FOREARM] = {BONE_ARM, {0.345, 0.355, -0.10}},
    [BONE_FOREARM + 1] = {BONE_ARM + 1, {0.345, 0.355, 0.10}},
    [BONE_PAW] = {BONE_FOREARM, {0.375, 0.115, -0.098}},
    [BONE_PAW + 1] = {BONE_FOREARM + 1, {0.375, 0.115, 0.098}},
    [BONE_THIGH] = {BONE_LOIN, {-0.400, 0.530, -0.080}},
    [BONE_THIGH + 1] = {BONE_LOIN, {-0.400, 0.530, 0.080}},
    [BONE_SHIN] = {BONE_THIGH, {-0.295, 0.335, -0.100}},
    [BONE_SHIN + 1] = {BONE_THIGH + 1, {-0.295, 0.335, 0.100}},
    [BONE_HOCK] = {BONE_SHIN, {-0.500, 0.205, -0.095}},
    [BONE_HOCK + 1] = {BONE_SHIN + 1, {-0.500, 0.205, 0.095}},
    [BONE_FOOT] = {BONE_HOCK, {-0.480, 0.055, -0.095}},
    [BONE_FOOT + 1] = {BONE_HOCK + 1, {-0.480, 0.055, 0.095}},
    [BONE_TAIL] = {BONE_LOIN, {-0.540, 0.575, 0.000}},
    [BONE_TAIL + 1] = {BONE_TAIL, {-0.680, 0.490, 0.000}},
    [BONE_TAIL + 2] = {BONE_TAIL + 1, {-0.770, 0.360, 0.000}},
    [BONE_TAIL + 3] = {BONE_TAIL + 2, {-0.840, 0.230, 0.000}},
    [BONE_TAIL + 4] = {BONE_TAIL + 3, {-0.950, 0.150, 0.000}},
};

/* Distance to a limb, roughly: exact along the axis, a little off where radius changes fast. */
static double limb_distance(const Limb *limb, Vector a, Vector b, Vector place) {
    Vector along = vector_subtract(b, a), from = vector_subtract(place, a);
    double share = clamp(vector_dot(from, along) / vector_dot(along, along), 0.0, 1.0);
    Vector off = vector_subtract(from, vector_scale(along, share));
    off.z *= limb->flat;
    return sqrt(vector_dot(off, off)) - mix(limb->radius_a, limb->radius_b, share);
}

/* Distances to all limbs, the mirrored ones on the left (z < 0) after those on the right; returns how many. */
static int limb_distances(Vector place, double *distances, int *bones, double *blends) {
    int count = 0;
    for (int i = 0; i < LIMBS; i++) {
        for (int side = 1; side >= (limbs[i].mirrored ? -1 : 1); side -= 2) {
            Vector a = limbs[i].a, b = limbs[i].b;
            a.z *= side;
            b.z *= side;
            distances[count] = limb_distance(&limbs[i], a, b, place);
            blends[count] = limbs[i].blend;
            bones[count++] = limbs[i].bone + (limbs[i].bone >= BONE_ARM && limbs[i].mirrored && side > 0);
        }
    }
    return count;
}

/* The smooth union: each limb melts into what is there within its own blend. */
static double body_distance(Vector place) {
    double distances[2 * LIMBS], blends[2 * LIMBS];
    int bones[2 * LIMBS];
    int count = limb_distances(place, distances, bones, blends);
    double nearest = distances[0];
    for (int i = 1; i < count; i++) {
        double gap = nearest - distances[i];
        if (gap < 0.0)
            gap = -gap;
        double melt = clamp(blends[i] - gap, 0.0, blends[i]);
        nearest = (distances[i] < nearest ? distances[i] : nearest) - melt * melt / (4.0 * blends[i]);
    }
    return nearest;
}

static Vector body_gradient(Vector place) {
    const double step = 0.004;
    Vector gradient = {
        body_distance((Vector){place.x + step, place.y, place.z}) - body_distance((Vector){place.x - step, place.y, place.z}),
        body_distance((Vector){place.x, place.y + step, place.z}) - body_distance((Vector){place.x, place.y - step, place.z}),
        body_distance((Vector){place.x, place.y, place.z + step}) - body_distance((Vector){place.x, place.y, place.z - step}),
    };
    return vector_normalized(gradient);
}

/* A vertex follows the limbs it is closest to; the softer SKIN_SOFTNESS, the rounder the joints. */
#define SKIN_SOFTNESS 0.075

static void vertex_bind(Vertex *vertex) {
    double distances[2 * LIMBS], blends[2 * LIMBS], pull[BONES] = {0};
    int bones[2 * LIMBS];
    int count = limb_distances(vertex->rest, distances, bones, blends);
    double nearest = distances[0];
    for (int i = 1; i < count; i++)
        nearest = distances[i] < nearest ? distances[i] : nearest;
    for (int i = 0; i < count; i++) {
        double force = clamp(1.0 - (distances[i] - nearest) / SKIN_SOFTNESS, 0.0, 1.0);
        force *= force;
        if (force > pull[bones[i]])
            pull[bones[i]] = force;
    }
    double sum = 0.0;
    for (int slot = 0; slot < VERTEX_BONES; slot++) {
        int best = 0;
        for (int bone = 1; bone < BONES; bone++)
            best = pull[bone] > pull[best] ? bone : best;
        vertex->bones[slot] = best;
        vertex->weights[slot] = pull[best];
        sum += pull[best];
        pull[best] = 0.0;
    }
    for (int slot = 0; slot < VERTEX_BONES; slot++)
        vertex->weights[slot] /= sum;
}

/* The grid the surface is taken from. */
#define CELL 0.0165
enum { GRID_X = 146, GRID_Y = 60, GRID_Z = 34, GRID = GRID_X * GRID_Y * GRID_Z };
static const Vector grid_origin = {-1.20, -0.04, -0.2805};

static Vector grid_place(int x, int y, int z) {
    return (Vector){grid_origin.x + x * CELL, grid_origin.y + y * CELL, grid_origin.z + z * CELL};
}

static int grid_index(int x, int y, int z) {
    return (z * GRID_Y + y) * GRID_X + x;
}

/* One vertex in each cell the surface crosses, at the mean of the crossings of its edges, then pulled onto the surface. */
static bool cell_vertex(const double *field, int x, int y, int z, Vertex *vertex) {
    double corner[8];
    int inside = 0;
    for (int i = 0; i < 8; i++) {
        corner[i] = field[grid_index(x + (i & 1), y + (i >> 1 & 1), z + (i >> 2))];
        inside += corner[i] < 0.0;
    }
    if (inside == 0 || inside == 8)
        return false;
    Vector sum = {0, 0, 0};
    int crossings = 0;
    for (int i = 0; i < 8; i++) {
        for (int bit = 1; bit < 8; bit <<= 1) {
            int j = i | bit;
            if (j == i || (corner[i] < 0.0) == (corner[j] < 0.0))
                continue;
            double share = corner[i] / (corner[i] - corner[j]);
            Vector a = {i & 1, i >> 1 & 1, i >> 2}, b = {j & 1, j >> 1 & 1, j >> 2};
            sum = vector_add(sum, vector_add(a, vector_scale(vector_subtract(b, a), share)));
            crossings++;
        }
    }
    vertex->rest = vector_add(grid_place(x, y, z), vector_scale(sum, CELL / crossings));
    for (int pull = 0; pull < 2; pull++) {
        vertex->normal = body_gradient(vertex->rest);
        double away = clamp(body_distance(vertex->rest), -0.5 * CELL, 0.5 * CELL);
        vertex->rest = vector_subtract(vertex->rest, vector_scale(vertex->normal, away));
    }
    vertex->normal = body_gradient(vertex->rest);
    vertex_bind(vertex);
    return true;
}

/* Two triangles around each grid edge that the surface crosses. */
static void edge_triangles(Body *body, const double *field, const int *cells, int x, int y, int z) {
    bool inside = field[grid_index(x, y, z)] < 0.0;
    for (int axis = 0; axis < 3; axis++) {
        int step_x = axis == 0, step_y = axis == 1, step_z = axis == 2;
        if ((field[grid_index(x + step_x, y + step_y, z + step_z)] < 0.0) == inside)
            continue;
        int back_a = axis == 0 ? grid_index(0, 1, 0) : grid_index(1, 0, 0);
        int back_b = axis == 2 ? grid_index(0, 1, 0) : grid_index(0, 0, 1);
        int here = grid_index(x, y, z);
        int corners[4] = {cells[here], cells[here - back_a], cells[here - back_a - back_b], cells[here - back_b]};
        int *first = body->triangles[body->triangle_count++], *second = body->triangles[body->triangle_count++];
        for (int i = 0; i < 3; i++) {
            first[i] = corners[i];
            second[i] = corners[i == 0 ? 0 : i + 1];
        }
    }
}

bool body_make(Body *body) {
    enum { ROOM = 40000 };
    *body = (Body){0};
    double *field = malloc(GRID * sizeof *field);
    int *cells = malloc(GRID * sizeof *cells);
    body->vertices = malloc(ROOM * sizeof *body->vertices);
    body->triangles = malloc(3 * ROOM * sizeof *body->triangles);
    bool made = field && cells && body->vertices && body->triangles;
    for (int z = 0; made && z < GRID_Z; z++)
        for (int y = 0; y < GRID_Y; y++)
            for (int x = 0; x < GRID_X; x++)
                field[grid_index(x, y, z)] = body_distance(grid_place(x, y, z));
    for (int z = 0; made && z < GRID_Z - 1; z++)
        for (int y = 0; y < GRID_Y - 1; y++)
            for (int x = 0; x < GRID_X - 1 && body->vertex_count < ROOM; x++)
                if (cell_vertex(field, x, y, z, &body->vertices[body->vertex_count]))
                    cells[grid_index(x, y, z)] = body->vertex_count++;
    made = made && body->vertex_count < ROOM;
    for (int z = 1; made && z < GRID_Z - 1; z++)
        for (int y = 1; y < GRID_Y - 1; y++)
            for (int x = 1; x < GRID_X - 1 && body->triangle_count < 3 * ROOM - 6; x++)
                edge_triangles(body, field, cells, x, y, z);
    free(field);
    free(cells);
    if (!made)
        body_free(body);
    return made;
}

void body_free(Body *body) {
    free(body->vertices);
    free(body->triangles);
    *body = (Body){0};
}

/* A turn followed by a shift. */
typedef struct {
    Vector rows[3];
    Vector shift;
} Motion;

static Vector motion_turn(const Motion *motion, Vector v) {
    return (Vector){vector_dot(motion->rows[0], v), vector_dot(motion->rows[1], v), vector_dot(motion->rows[2], v)};
}

/* The turn of one joint: pitch about z, then yaw about y. */
static Motion joint_turn(double pitch, double yaw) {
    double c = cosine(pitch), s = sine(pitch), d = cosine(yaw), t = sine(yaw);
    return (Motion){{{d * c, -d * s, t}, {s, c, 0.0}, {-t * c, t * s, d}}, {0, 0, 0}};
}

static Motion motion_compose(const Motion *outer, const Motion *inner) {
    Motion result;
    for (int i = 0; i < 3; i++) {
        Vector row = outer->rows[i];
        result.rows[i] = vector_add(vector_add(vector_scale(inner->rows[0], row.x), vector_scale(inner->rows[1], row.y)),
                                    vector_scale(inner->rows[2], row.z));
    }
    result.shift = vector_add(motion_turn(outer, inner->shift), outer->shift);
    return result;
}

void body_pose(const Body *body, const Pose *pose, Vector *places, Vector *normals) {
    Motion motions[BONES];
    for (int bone = 0; bone < BONES; bone++) {
        Motion turn = joint_turn(pose->pitch[bone], pose->yaw[bone]);
        Vector pivot = joints[bone].pivot;
        turn.shift = vector_subtract(pivot, motion_turn(&turn, pivot));
        motions[bone] = joints[bone].parent < 0 ? turn : motion_compose(&motions[joints[bone].parent], &turn);
    }
    for (int i = 0; i < body->vertex_count; i++) {
        const Vertex *vertex = &body->vertices[i];
        Vector place = {0, 0, 0}, normal = {0, 0, 0};
        for (int slot = 0; slot < VERTEX_BONES && vertex->weights[slot] > 0.0; slot++) {
            const Motion *motion = &motions[vertex->bones[slot]];
            double weight = vertex->weights[slot];
            place = vector_add(place, vector_scale(vector_add(motion_turn(motion, vertex->rest), motion->shift), weight));
            normal = vector_add(normal, vector_scale(motion_turn(motion, vertex->normal), weight));
        }
        places[i] = place;
        normals[i] = vector_normalized(normal);
    }
}
