/* splits.c: what splits.py asks: splits by published rules, of pictures that no file holds.
 *
 * In, for each case, words apart by blanks: rule train has_unseen unseen individuals in_test year one_year seed, the number of pictures, and for each its individual
 * and its seconds since 1970 ("nan": unknown). Out: a line with a character for each picture: 0 train, 1 test, - in neither. */
#include "../../runtime/runtime.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_rule(PublishedRule *rule) {
    int kind, has_unseen, in_test, one_year;
    long long individuals, year;
    unsigned long long seed;
    *rule = (PublishedRule){0};
    if (scanf("%d %lf %d %lf %lld %d %lld %d %llu", &kind, &rule->train, &has_unseen, &rule->unseen, &individuals, &in_test, &year, &one_year, &seed) != 9)
        return false;
    rule->kind = (PublishedKind)kind;
    rule->has_unseen = has_unseen;
    rule->in_test = in_test;
    rule->one_year = one_year;
    rule->individuals = individuals;
    rule->year = year;
    rule->seed = seed;
    return true;
}

static bool read_pictures(Jre *jre, Dataset *dataset) {
    char name[64], seconds[64];
    if (scanf("%d", &dataset->count) != 1 || dataset->count < 0)
        return false;
    dataset->pictures = arena_array(&jre->forever, Picture, dataset->count + 1);
    dataset->identities = arena_array(&jre->forever, const char *, dataset->count + 1);
    Map known = {0};
    for (int i = 0; i < dataset->count; i++) {
        if (scanf("%63s %63s", name, seconds) != 2)
            return false;
        dataset->pictures[i] = (Picture){ .identity = intern(jre, name), .seconds = strtod(seconds, NULL) };
        if (map_get(&known, dataset->pictures[i].identity))
            continue;
        map_set(&known, &jre->forever, dataset->pictures[i].identity, dataset);
        dataset->identities[dataset->identity_count++] = dataset->pictures[i].identity;
    }
    qsort(dataset->identities, (size_t)dataset->identity_count, sizeof *dataset->identities, compare_names);
    for (int i = 0; i < dataset->count; i++)
        while (dataset->identities[dataset->pictures[i].identity_number] != dataset->pictures[i].identity)
            dataset->pictures[i].identity_number++;
    return true;
}

int main(void) {
    PublishedRule rule;
    while (read_rule(&rule)) {
        Jre *jre = jre_new();
        DatasetPlan plan = { .name = "animals" };
        Dataset dataset = { .plan = &plan };
        SplitPlan split = { .name = "published", .rule = rule };
        const SplitParts *parts = read_pictures(jre, &dataset) ? dataset_parts(jre, &dataset, &split, 1) : NULL;
        for (int i = 0; parts && i < dataset.count; i++)
            putchar(parts->part_of[i] < 0 ? '-' : '0' + parts->part_of[i]);
        putchar('\n');
        jre_free(jre);
    }
    return 0;
}
