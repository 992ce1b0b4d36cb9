/* items.c: the results that a document asks for, each with the tree of its key: what `why`, `key` and `check` speak of. */
#include "cli.h"

#include <string.h>

typedef struct { Session *session; const NameList *only; ItemList *items; } Listing;

static bool asked_for(const Listing *listing, const char *name) {
    for (int i = 0; i < listing->only->count; i++)
        if (!strcmp(listing->only->at[i], name)) return true;
    return !listing->only->count;
}

static void add_item(Listing *listing, const char *name, const KeyTree *tree, const SplitPlan *folds) {
    list_add(&listing->session->arena, listing->items, ((Item){name, tree, folds ? folds->folds : 0}));
}

/* Those that are trained, fitted or embedded: their keys need no pictures. */
static void list_learned(Listing *listing, const Plan *plan) {
    for (int i = 0; i < plan->trains.count; i++) add_item(listing, plan->trains.at[i]->name, plan->trains.at[i]->key, plan->trains.at[i]->folds);
    for (int i = 0; i < plan->embeds.count; i++) add_item(listing, plan->embeds.at[i]->name, embedding_tree(listing->session, plan->embeds.at[i]), plan->embeds.at[i]->folds);
    for (int i = 0; i < plan->boosts.count; i++) add_item(listing, plan->boosts.at[i]->name, plan->boosts.at[i]->key, plan->boosts.at[i]->folds);
    for (int i = 0; i < plan->ensembles.count; i++) add_item(listing, plan->ensembles.at[i]->name, plan->ensembles.at[i]->key, plan->ensembles.at[i]->folds);
}

void result_items(Session *session, const Plan *plan, const NameList *only, ItemList *items) {
    Listing listing = {session, only, items};
    list_learned(&listing, plan);
    for (int i = 0; i < plan->evaluations.count; i++) {
        const EvaluatePlan *evaluation = plan->evaluations.at[i];
        if (!evaluation->quoted) add_item(&listing, evaluation->name, asked_for(&listing, evaluation->name) ? evaluation_tree(session, evaluation) : NULL, NULL);
    }
    for (int i = 0; i < plan->submissions.count; i++) {
        const SubmitPlan *submission = plan->submissions.at[i];
        add_item(&listing, submission->name, submission->similarity->embed && asked_for(&listing, submission->name) ? submission_tree(session, submission) : NULL, NULL);
    }
}
