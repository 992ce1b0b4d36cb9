/*
 * Who is photographed, from which side, in which burst.
 *
 * The counts are the contest's: 31 individuals, 13 to 183 training pictures each, 2 to 30 test pictures. An individual is met again
 * and again; a meeting is a burst of one to five frames of one flank. Bursts lie wholly in training or wholly in the test. File
 * numbers are shuffled, so a name says nothing.
 */
#include "jaguars.h"

const char *const individual_names[INDIVIDUALS] = {
    "Bernard", "Ipepo",   "Tuiuiu",  "Jurema",  "Camalote", "Sereno",  "Iracema", "Marrua",
    "Piuva",   "Caiana",  "Juba",    "Yara",    "Taruma",   "Bento",   "Anhuma",  "Corixo",
    "Lobinha", "Pocone",  "Aguape",  "Manduvi", "Jatoba",   "Vitoria", "Ximbica", "Acuri",
    "Cambara", "Bagual",  "Paiagua", "Taiama",  "Marcela",  "Ousado",  "Medrosa",
};

const int train_counts[INDIVIDUALS] = {
    13, 13, 17, 21, 24, 26, 28, 30, 32, 34, 37, 39, 42, 44, 47, 49, 52, 55, 58, 62, 66, 70, 75, 81, 88, 96, 105, 118, 135, 155, 183,
};

const int test_counts[INDIVIDUALS] = {
    2, 2, 3, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 13, 14, 16, 17, 18, 20, 22, 24, 27, 30, 30,
};

const char *const view_names[VIEWS] = {"full", "front", "flank", "rear"};

/* Shares of the views, and how often a burst goes on for another frame; the test holds few bursts. */
#define SHARE_FULL 0.82
#define SHARE_FRONT 0.06
#define SHARE_FLANK 0.08
#define TRAIN_GOES_ON 0.45
#define TEST_GOES_ON 0.06
enum { LONGEST_BURST = 5 };

static View view_draw(Chance *chance) {
    double draw = chance_uniform(chance);
    if (draw < SHARE_FULL)
        return VIEW_FULL;
    if (draw < SHARE_FULL + SHARE_FRONT)
        return VIEW_FRONT;
    return draw < SHARE_FULL + SHARE_FRONT + SHARE_FLANK ? VIEW_FLANK : VIEW_REAR;
}

/* Fills one split with bursts, individual after individual. */
static void plan_meetings(Plan *plan, Shot *shots, const int *counts, double goes_on, bool test, Chance *chance) {
    int next = 0;
    for (int individual = 0; individual < INDIVIDUALS; individual++) {
        int left = counts[individual];
        while (left > 0) {
            int length = 1, burst = plan->bursts++;
            while (length < LONGEST_BURST && chance_uniform(chance) < goes_on)
                length++;
            length = length < left ? length : left;
            Shot shot = {.individual = individual, .flank = chance_below(chance, FLANKS), .burst = burst, .test = test};
            shot.view = view_draw(chance);
            for (int frame = 0; frame < length; frame++) {
                shot.frame = frame;
                shots[next++] = shot;
            }
            left -= length;
        }
    }
}

static void shuffle(Shot *shots, int count, Chance *chance) {
    for (int i = count - 1; i > 0; i--) {
        int j = chance_below(chance, i + 1);
        Shot held = shots[i];
        shots[i] = shots[j];
        shots[j] = held;
    }
    for (int i = 0; i < count; i++)
        shots[i].file = i + 1;
}

void plan_make(Plan *plan, uint64_t seed) {
    Chance chance = chance_of(seed, 2, 0);
    plan->seed = seed;
    plan->bursts = 0;
    plan_meetings(plan, plan->shots, train_counts, TRAIN_GOES_ON, false, &chance);
    plan_meetings(plan, plan->shots + TRAIN_PICTURES, test_counts, TEST_GOES_ON, true, &chance);
    shuffle(plan->shots, TRAIN_PICTURES, &chance);
    shuffle(plan->shots + TRAIN_PICTURES, TEST_PICTURES, &chance);
}
