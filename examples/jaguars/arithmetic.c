/*
 * Chance and the few functions of analysis the painter needs, from + - * / and sqrt alone.
 *
 * The C library's sin and exp differ in the last bit between versions, and compilers fold them at different precision; these do not.
 */
#include "jaguars.h"

#include <math.h>

uint64_t hash_of(uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

Chance chance_of(uint64_t seed, uint64_t purpose, uint64_t number) {
    return (Chance){hash_of(hash_of(hash_of(seed) + purpose) + number)};
}

uint64_t chance_bits(Chance *chance) {
    chance->state += 0x9e3779b97f4a7c15u;
    return hash_of(chance->state);
}

double chance_uniform(Chance *chance) {
    return (double)(chance_bits(chance) >> 11) * (1.0 / 9007199254740992.0);
}

double chance_between(Chance *chance, double low, double high) {
    return low + (high - low) * chance_uniform(chance);
}

/* The sum of four uniform numbers: close enough to a bell, and exact everywhere. */
double chance_normal(Chance *chance) {
    double sum = chance_uniform(chance);
    sum += chance_uniform(chance);
    sum += chance_uniform(chance);
    sum += chance_uniform(chance);
    return (sum - 2.0) * 1.7320508075688772;
}

int chance_below(Chance *chance, int count) {
    return (int)(chance_bits(chance) % (uint64_t)count);
}

/* Folded into a quarter turn, then Taylor to the 13th power: error below 1e-9. */
double sine(double angle) {
    double turns = angle / (2.0 * PI);
    turns -= (double)(int64_t)turns;
    if (turns < 0.0)
        turns += 1.0;
    double folded = turns < 0.25 ? turns : turns < 0.75 ? 0.5 - turns : turns - 1.0;
    double x = folded * (2.0 * PI), square = x * x;
    double series = 1.0 - square / 156.0;
    series = 1.0 - square / 110.0 * series;
    series = 1.0 - square / 72.0 * series;
    series = 1.0 - square / 42.0 * series;
    series = 1.0 - square / 20.0 * series;
    return x * (1.0 - square / 6.0 * series);
}

double cosine(double angle) {
    return sine(angle + PI / 2.0);
}

/* Taylor of value/1024, squared ten times. */
double exponential(double value) {
    double x = clamp(value, -40.0, 40.0) / 1024.0;
    double result = 1.0 + x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0))));
    for (int i = 0; i < 10; i++)
        result *= result;
    return result;
}

double clamp(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

double smoothstep(double low, double high, double value) {
    double share = clamp((value - low) / (high - low), 0.0, 1.0);
    return share * share * (3.0 - 2.0 * share);
}

double mix(double from, double to, double share) {
    return from + (to - from) * share;
}

static double lattice(uint64_t seed, int64_t x, int64_t y) {
    uint64_t bits = hash_of(seed + (uint64_t)x * 0x8da6b343u + (uint64_t)y * 0xd8163841u);
    return (double)(bits >> 11) * (2.0 / 9007199254740992.0) - 1.0;
}

double smooth_noise(uint64_t seed, double x, double y) {
    int64_t column = (int64_t)x, row = (int64_t)y;
    column -= x < (double)column;
    row -= y < (double)row;
    double across = smoothstep(0.0, 1.0, x - (double)column), down = smoothstep(0.0, 1.0, y - (double)row);
    double top = mix(lattice(seed, column, row), lattice(seed, column + 1, row), across);
    double bottom = mix(lattice(seed, column, row + 1), lattice(seed, column + 1, row + 1), across);
    return mix(top, bottom, down);
}

Vector vector_add(Vector a, Vector b) {
    return (Vector){a.x + b.x, a.y + b.y, a.z + b.z};
}

Vector vector_subtract(Vector a, Vector b) {
    return (Vector){a.x - b.x, a.y - b.y, a.z - b.z};
}

Vector vector_scale(Vector a, double factor) {
    return (Vector){a.x * factor, a.y * factor, a.z * factor};
}

double vector_dot(Vector a, Vector b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

Vector vector_normalized(Vector a) {
    double length = sqrt(vector_dot(a, a));
    return length > 0.0 ? vector_scale(a, 1.0 / length) : (Vector){0.0, 1.0, 0.0};
}
