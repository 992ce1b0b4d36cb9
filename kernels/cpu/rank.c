/* rank.c: rank_counts, the counting behind exact ranking: between which of its relevant ones each score of a query falls.
 *
 * Ladder, nanoseconds a score at level 4, 480 scores among 322 thresholds of the same distribution, tables from the second cache:
 *   unfinished scores are listed without a branch and searched for afterwards                    2.0   twice the buckets: the same
 *   they are listed behind a branch that is seldom taken                                         1.9   1.4 with tables in the nearest cache
 * Level 3 takes 3.0. Tried without gain: whole-number keys instead of floats, counters of 32 bits, two comparisons, loops unrolled.
 * Packed is a table of even steps ("buckets") between the lowest and the highest finite threshold, with the number of thresholds in
 * lower buckets. A score's bucket leaves one comparison to do, without a branch; the few scores that are not done then (two
 * thresholds in a bucket, or one equal to the score) are listed and searched for. Whatever lies below all thresholds is dropped
 * KERNEL_LANES at a time.
 * Contract: scores lie side by side, fewer than 2^24 of them, so that counts are exact in f32. One unit. */
#include "../kernels.h"

enum { BUCKETS_EACH = 4, BUCKETS_MOST = 8192, AT_ONCE = 512, THRESHOLDS_MOST = 65535, SCORES_MOST = 1 << 24 };

typedef struct { float low, scale, last; int32_t buckets; uint16_t start[]; } Steps;

/* Never falls as the score rises: so a threshold in a lower bucket is lower. No number: the lowest. */
static inline int32_t bucket_of(float score, float low, float scale, float last) {
    float step = (score - low) * scale;
    step = step > 0.0f ? step : 0.0f;
    return (int32_t)(step < last ? step : last);
}

/* The table has 16 bits an entry, to stay in the nearest cache: more thresholds do without it. */
static int64_t buckets_of(int64_t thresholds) {
    if (thresholds > THRESHOLDS_MOST) return 1;
    return thresholds < BUCKETS_MOST / BUCKETS_EACH ? BUCKETS_EACH * thresholds + 1 : BUCKETS_MOST;
}

static bool side_by_side(const TensorView *view) {
    return view->type == KERNEL_F32 && view->rank == 1 && (view->stride[0] == 1 || view->dim[0] == 1);
}

static bool rank_fits(const KernelCall *call) {
    return call->inputs == 2 && side_by_side(&call->in[0]) && side_by_side(&call->in[1]) && side_by_side(&call->out) &&
           call->out.dim[0] == call->in[1].dim[0] + 1 && call->in[0].dim[0] < SCORES_MOST && call->in[1].dim[0] >= 1;
}

static int64_t rank_units(const KernelCall *call) {
    (void)call;
    return 1;
}

static size_t rank_packed_bytes(const KernelCall *call) {
    const int64_t thresholds = call->in[1].dim[0];         /* fewer of them never take more room */
    return sizeof(Steps) + (size_t)(buckets_of(thresholds < THRESHOLDS_MOST ? thresholds : THRESHOLDS_MOST) + 1) * sizeof(uint16_t);
}

static void rank_pack(const KernelCall *call, void *packed) {
    const float *threshold = call->in[1].data;
    const int64_t count = call->in[1].dim[0], finite = count - 1;
    Steps *steps = packed;
    steps->buckets = (int32_t)buckets_of(count);
    steps->last = (float)(steps->buckets - 1);
    steps->low = threshold[0];
    const float scale = finite ? steps->last / (threshold[finite - 1] - threshold[0]) : 0.0f;
    steps->scale = scale > 0.0f && scale < __builtin_inff() ? scale : 0.0f;        /* all equal or infinite: one bucket is all there is */
    if (steps->buckets == 1) return;
    for (int32_t b = 0; b <= steps->buckets; b++) steps->start[b] = 0;
    for (int64_t i = 0; i < finite; i++) steps->start[bucket_of(threshold[i], steps->low, steps->scale, steps->last) + 1]++;
    for (int32_t b = 0, before = 0; b <= steps->buckets; b++) steps->start[b] = (uint16_t)(before += steps->start[b]);
}

/* Scores that are not below every threshold, with their buckets; how many. */
static int64_t choose(const Steps *steps, const float *scores, int64_t count, float *chosen, int32_t *bucket) {
    const float low = steps->low, scale = steps->scale, last = steps->last;
    int64_t i = 0, places = 0;
#if KERNEL_LEVEL == 4
    for (; i + KERNEL_LANES <= count; i += KERNEL_LANES) {
        const __m512 score = _mm512_loadu_ps(scores + i);
        const __mmask16 some = _mm512_cmp_ps_mask(score, _mm512_set1_ps(low), _CMP_GE_OQ);
        if (!some) continue;
        __m512 step = _mm512_mul_ps(_mm512_sub_ps(score, _mm512_set1_ps(low)), _mm512_set1_ps(scale));
        step = _mm512_min_ps(_mm512_max_ps(step, _mm512_setzero_ps()), _mm512_set1_ps(last));
        _mm512_storeu_ps(chosen + places, _mm512_maskz_compress_ps(some, score));
        _mm512_storeu_si512(bucket + places, _mm512_maskz_compress_epi32(some, _mm512_cvttps_epi32(step)));
        places += __builtin_popcount(some);
    }
#else
    for (; i + KERNEL_LANES <= count; i += KERNEL_LANES) {
        int32_t own[KERNEL_LANES], any = 0;
        for (int j = 0; j < KERNEL_LANES; j++) any |= scores[i + j] >= low;
        if (!any) continue;
        for (int j = 0; j < KERNEL_LANES; j++) own[j] = bucket_of(scores[i + j], low, scale, last);
        for (int j = 0; j < KERNEL_LANES; j++) {           /* without a branch */
            chosen[places] = scores[i + j];
            bucket[places] = own[j];
            places += scores[i + j] >= low;
        }
    }
#endif
    for (; i < count; i++) {
        if (!(scores[i] >= low)) continue;
        chosen[places] = scores[i];
        bucket[places++] = bucket_of(scores[i], low, scale, last);
    }
    return places;
}

/* The first threshold from `at` to `end` that is not below the score. */
static int64_t search(const float *threshold, int64_t at, int64_t end, float score) {
    while (at < end) {
        const int64_t middle = at + (end - at) / 2;
        if (threshold[middle] < score) at = middle + 1;
        else end = middle;
    }
    return at;
}

static void rank_few(const Steps *steps, const float *threshold, int64_t finite, const float *scores, int64_t count, float *out) {
    float chosen[AT_ONCE + KERNEL_LANES];
    int32_t bucket[AT_ONCE + KERNEL_LANES];
    uint16_t left[AT_ONCE];
    int64_t lefts = 0;
    const int64_t places = choose(steps, scores, count, chosen, bucket);
    const uint16_t *start = steps->start;
    for (int64_t i = 0; i < places; i++) {
        const float score = chosen[i];
        uint32_t at = start[bucket[i]];
        at += threshold[at] < score;
        out[at] += 1.0f;
        if (__builtin_expect(threshold[at] <= score, 0)) left[lefts++] = (uint16_t)i;
    }
    for (int64_t i = 0; i < lefts; i++) {
        const float score = chosen[left[i]];
        const uint16_t *own = start + bucket[left[i]];
        const int64_t known = own[0] + (threshold[own[0]] < score), at = search(threshold, known, own[1], score);
        out[known] -= 1.0f;
        out[at] += 1.0f;
        out[finite + 1] += threshold[at] == score;
    }
}

static void rank_run(const KernelCall *call, int64_t first, int64_t end) {
    const float *scores = call->in[0].data, *threshold = call->in[1].data;
    const int64_t count = call->in[0].dim[0], finite = call->in[1].dim[0] - 1;
    const Steps *steps = call->packed;
    float *out = call->out.data;
    if (first >= end) return;
    for (int64_t k = 0; k < finite + 2; k++) out[k] = 0.0f;
    for (int64_t i = 0; i < count; i += AT_ONCE) {
        const int64_t few = count - i < AT_ONCE ? count - i : AT_ONCE;
        if (steps->buckets > 1) {
            rank_few(steps, threshold, finite, scores + i, few, out);
            continue;
        }
        for (int64_t j = i; j < i + few; j++) {
            if (!(scores[j] >= threshold[0])) continue;
            const int64_t at = search(threshold, 0, finite, scores[j]);
            out[at] += 1.0f;
            out[finite + 1] += threshold[at] == scores[j];
        }
    }
}
KERNEL(rank_counts_buckets, .op = "rank_counts", .device = "cpu", .variant = "buckets", .type = KERNEL_F32, .preference = 10,
       .fits = rank_fits, .units = rank_units, .run = rank_run, .packed_bytes = rank_packed_bytes, .pack = rank_pack)
