/* random.c: numbers that depend on nothing but their name.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011) turns a key and a
 * counter into four random words; there is no state to carry. A stream's key and the upper half of its counter are the
 * 128-bit XXH3 of everything that names the stream, the lower half counts blocks: streams cannot overlap, and neither
 * the order in which they are used nor the number of threads changes a draw. */
#include "../runtime.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PHILOX_ROUNDS = 10 };

void philox_block(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t first = (uint64_t)c0 * 0xD2511F53u, second = (uint64_t)c2 * 0xCD9E8D57u;
        c0 = (uint32_t)(second >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)second;
        c2 = (uint32_t)(first >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)first;
        k0 += 0x9E3779B9u;                /* golden ratio */
        k1 += 0xBB67AE85u;                /* square root of 3, less 1 */
    }
    out[0] = c0; out[1] = c1; out[2] = c2; out[3] = c3;
}

/* Least byte first whatever the machine, so that a seed means the same everywhere. */
static void hash_number(XXH3_state_t *state, uint64_t number) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    XXH3_128bits_update(state, bytes, sizeof bytes);
}

/* The length goes first: ("ab", "c") and ("a", "bc") are two streams. */
static void hash_text(XXH3_state_t *state, const char *text) {
    size_t length = text ? strlen(text) : 0;
    hash_number(state, length);
    if (length)
        XXH3_128bits_update(state, text, length);
}

Random random_stream(uint64_t seed, const char *purpose, const char *name, uint64_t extra) {
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    hash_number(&state, seed);
    hash_text(&state, purpose);
    hash_text(&state, name);
    hash_number(&state, extra);
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    Random random = {0};
    random.key[0] = (uint32_t)hash.low64;
    random.key[1] = (uint32_t)(hash.low64 >> 32);
    random.counter[2] = (uint32_t)hash.high64;
    random.counter[3] = (uint32_t)(hash.high64 >> 32);
    return random;
}

uint32_t random_word(Random *random) {
    if (random->left == 0) {
        philox_block(random->key, random->counter, random->block);
        random->left = 4;
        if (++random->counter[0] == 0)
            random->counter[1]++;
    }
    return random->block[4 - random->left--];
}

static uint64_t random_double_word(Random *random) {
    uint64_t high = random_word(random);
    return high << 32 | random_word(random);
}

double random_unit(Random *random) {
    return (double)(random_double_word(random) >> 11) * 0x1p-53;
}

uint64_t random_below(Random *random, uint64_t bound) {
    if (bound <= 1)
        return 0;
    /* 2^64 is no multiple of most bounds: the first few words are left out, and each remainder is equally likely. */
    uint64_t left_out = (0 - bound) % bound, word;
    do
        word = random_double_word(random);
    while (word < left_out);
    return word % bound;
}

void random_permutation(Random *random, int *order, int count) {
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int other = (int)random_below(random, (uint64_t)i + 1);
        int kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}
