/* evaluation.c: one evaluation: in which order its candidates come, and what that is worth.
 *
 * In: an evaluation of the plan. Out: its report, from the store where it is there, else computed and kept. Contract: who asks whom is
 * said by data/asked.c; folds never mix, not even in an average. */
#include "../runtime.h"

#include <string.h>

/* ---- pictures -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    Session *session; Arena *scratch;
    const EvaluatePlan *plan;
    AskedPictures asked;
    int *individual;                      /* of `against`: its number in `on`, by name; who is not there is numbered behind */
    const EmbeddingTable *table;
    PairScores *pairs;                    /* of each member, where every metric is asked for; else NULL */
    Text *neighbors;                      /* the table of the best candidates */
    int embedded;
} Examination;

/* The pictures of a dataset that some member needs, each once, in row order. */
static PictureRows needed_of(Examination *e, const Dataset *dataset) {
    bool *needed = arena_array(e->scratch, bool, dataset->count + 1);
    PictureRows rows = {arena_array(e->scratch, int, dataset->count + 1), 0};
    for (int member = 0; member < e->asked.members; member++) {
        for (int i = 0; dataset == e->asked.on && i < e->asked.queries[member].count; i++) needed[e->asked.queries[member].which[i]] = true;
        for (int i = 0; dataset == e->asked.against && i < e->asked.candidates[member].count; i++) needed[e->asked.candidates[member].which[i]] = true;
    }
    for (int i = 0; i < dataset->count; i++)
        if (needed[i]) rows.which[rows.count++] = i;
    return rows;
}

static bool embed_pictures(Examination *e) {
    const Dataset *datasets[] = {e->asked.on, e->asked.against};
    for (int i = 0; i < (e->asked.on == e->asked.against ? 1 : 2); i++) {
        PictureRows needed = needed_of(e, datasets[i]);
        int computed = 0;
        e->table = session_embeddings(e->session, e->plan->similarity->embed, datasets[i], needed.which, needed.count, &computed);
        e->embedded += computed;
        if (!e->table) return false;
    }
    return true;
}

/* ---- one fold ---------------------------------------------------------------------------------------------------------------- */

static bool unit_rows(const Examination *e, const Dataset *dataset, const PictureRows *pictures, float **rows) {
    size_t floats = ((size_t)pictures->count + 1) * (size_t)e->table->width;
    *rows = jre_allocate_aligned(e->session->jre, floats * sizeof(float), 64);
    return embedding_unit_rows(e->session, e->plan->similarity->embed, e->table, dataset, pictures->which, pictures->count, *rows);
}

/* A row for each of the best candidates of each query, the members in order, the queries in row order. */
static void list_neighbors(const Examination *e, int member, const Neighbor *nearest, const int *asking, const int *answering) {
    const PictureRows *queries = &e->asked.queries[member], *candidates = &e->asked.candidates[member];
    Text *out = e->neighbors;
    for (int i = 0; i < queries->count * NEIGHBORS; i++) {
        const Neighbor *neighbor = &nearest[i];
        if (neighbor->row < 0) continue;
        const int query = i / NEIGHBORS;
        const Picture *asks = &e->asked.on->pictures[queries->which[query]], *answers = &e->asked.against->pictures[candidates->which[neighbor->row]];
        csv_cell(out, asks->file);
        text_add(out, ",");
        csv_cell(out, asks->identity);
        text_add(out, ",%d,%d,", member + 1, i % NEIGHBORS + 1);
        csv_cell(out, answers->file);
        text_add(out, ",");
        csv_cell(out, answers->identity);
        text_add(out, ",%.9g,%d\n", (double)neighbor->score, asking[query] >= 0 && asking[query] == answering[neighbor->row]);
    }
}

static bool rank_member(const Examination *e, int member, FoldResults *fold) {
    const PictureRows *queries = &e->asked.queries[member], *candidates = &e->asked.candidates[member];
    QueryResult *results = arena_array(e->scratch, QueryResult, queries->count + 1);
    int *asking = arena_array(e->scratch, int, queries->count + 1), *answering = arena_array(e->scratch, int, candidates->count + 1);
    Neighbor *nearest = arena_array(e->scratch, Neighbor, queries->count * NEIGHBORS + 1);
    for (int i = 0; i < queries->count; i++) asking[i] = e->asked.on->pictures[queries->which[i]].identity_number;
    for (int i = 0; i < candidates->count; i++) answering[i] = e->individual[e->asked.against->pictures[candidates->which[i]].identity_number];
    int *self = asked_selves(e->scratch, &e->asked, member);
    *fold = (FoldResults){results, asking, queries->count};
    if (!queries->count) return !e->pairs || judge_pairs(e->session->jre, e->session->pool, e->session->level, &(RankingTask){0}, false, &e->pairs[member]);
    float *query = NULL, *gallery = NULL;
    bool shared = queries->which == candidates->which, sound = unit_rows(e, e->asked.on, queries, &query) && (shared || unit_rows(e, e->asked.against, candidates, &gallery));
    RankingTask task = {.query = query, .queries = queries->count, .query_label = asking, .self = self, .gallery = shared ? query : gallery,
                        .candidates = candidates->count, .gallery_label = answering, .width = e->table->width,
                        .rule = pair_rule(e->scratch, e->plan->gallery, e->asked.on, queries->which, queries->count, e->asked.against, candidates->which, candidates->count)};
    sound = sound && pair_rule_decided(e->session->jre, task.rule, e->plan->gallery) &&
            rank_nearest(e->session->jre, e->session->pool, e->session->level, &task, results, NEIGHBORS, nearest);
    /* What is asked of the candidate alone may let one picture answer another, and not the other way round. */
    const bool once = shared && !(task.rule && task.rule->facts);
    if (sound && e->pairs) sound = judge_pairs(e->session->jre, e->session->pool, e->session->level, &task, once, &e->pairs[member]);
    if (sound) list_neighbors(e, member, nearest, asking, answering);
    jre_release(query);
    jre_release(gallery);
    return sound;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------------- */

static bool compute_evaluation(Examination *e, EvaluationReport *report) {
    const EvaluatePlan *plan = e->plan;
    if (!evaluation_pictures(e->session->jre, e->scratch, plan, e->asked.on, e->asked.against, &e->asked)) return false;
    e->individual = asked_individuals(e->scratch, &e->asked);
    if (!embed_pictures(e)) return false;
    double started = seconds_now();
    FoldResults *folds = arena_array(e->scratch, FoldResults, e->asked.members + 1);
    if (e->session->options.all_metrics) e->pairs = arena_array(&e->session->arena, PairScores, e->asked.members + 1);
    for (int member = 0; member < e->asked.members; member++) {
        if (e->session->jre->interrupted || !rank_member(e, member, &folds[member])) return false;
        report->candidates += e->asked.candidates[member].count;
    }
    Evaluation *numbers = &report->numbers;
    const Judging judging = judging_of(plan);
    evaluate_folds(e->session->jre, &e->session->arena, folds, e->asked.members, e->asked.on->identity_count, &judging, numbers);
    report->individuals = arena_array(&e->session->arena, const char *, numbers->identities + 1);
    for (int i = 0; i < numbers->identities; i++) report->individuals[i] = e->asked.on->identities[numbers->per_identity[i].identity];
    report->pairs = e->pairs;
    if (e->pairs) conventions_of(e->session->jre, &e->session->arena, folds, e->asked.members, e->asked.on->identity_count + e->asked.against->identity_count, e->pairs, &report->conventions);
    report->folds = e->asked.members;
    report->pictures = e->asked.on->count;
    report->seconds = seconds_now() - started;
    report->embed_seconds = e->table->seconds;
    report->embed_pictures = e->table->computed;
    return true;
}

/* ---- kept ------------------------------------------------------------------------------------------------------------------------ */

KeyTree *evaluation_tree(Session *session, const EvaluatePlan *plan) {
    const Dataset *on = session_dataset(session, plan->on.dataset), *against = session_dataset(session, against_part(plan)->dataset);
    if (!on || !against) return NULL;
    KeyTree *tree = key_reopen(&session->arena, plan->key);
    key_machine(session, tree);
    key_part(tree, on->tree);
    if (against != on) key_part(tree, against->tree);
    key_close(tree);
    return tree;
}

/* What other tools would have said is not kept: it is told when it is asked for. The table comes first: the report names its hash. */
static void keep_evaluation(Session *session, const EvaluationReport *report, const Text *neighbors) {
    Text json = {.jre = session->jre};
    if (!file_write(session->jre, store_path(&session->store, report->key, NEIGHBORS_PART), report->plan->span, neighbors->at, neighbors->length)) return;
    EvaluationReport kept = *report;
    kept.pairs = NULL;
    report_json(&json, &kept);
    text_add(&json, "\n");
    store_part(session, report->tree, "result.json", json.at, json.length, report->plan->span);
    text_free(&json);
}

static bool stored_neighbors(Session *session, const EvaluationReport *report) {
    char *bytes, why[256];
    size_t length;
    if (!file_load(session->jre, store_path(&session->store, report->key, NEIGHBORS_PART), &bytes, &length, why)) return false;
    const bool sound = hash_bytes(session->jre, bytes, length) == report->neighbors_hash;
    jre_release(bytes);
    return sound;
}

/* Names come from the dataset, which the key stands for: JSON cannot hold all that a table can. */
static bool stored_evaluation(Session *session, const Dataset *dataset, EvaluationReport *report) {
    char *bytes;
    size_t length;
    if (!stored_part(session, report->key, "result.json", &bytes, &length)) return false;
    EvaluationReport stored = *report;
    bool sound = report_parse(session->jre, &session->arena, bytes, length, &stored);
    jre_release(bytes);
    for (int i = 0; sound && i < stored.numbers.identities; i++) {
        int identity = stored.numbers.per_identity[i].identity;
        sound = identity >= 0 && identity < dataset->identity_count;
        if (sound) stored.individuals[i] = dataset->identities[identity];
    }
    sound = sound && stored_neighbors(session, &stored);
    if (sound) *report = stored;
    return sound;
}

static bool examine(Session *session, const EvaluatePlan *plan, Text *neighbors, EvaluationReport *report) {
    Arena scratch = {.jre = session->jre};
    const Dataset *on = session_asked(session, plan->on.dataset, plan->gallery), *against = session_asked(session, against_part(plan)->dataset, plan->gallery);
    Examination e = {.session = session, .scratch = &scratch, .plan = plan, .asked = {.on = on, .against = against}, .neighbors = neighbors};
    bool sound = on && against && compute_evaluation(&e, report);
    report->embedded = e.embedded;
    arena_free(&scratch);
    return sound;
}

bool evaluation_make(Session *session, const Compilation *c, EvaluationReport *report) {
    const EvaluatePlan *plan = report->plan;
    report->version = c->version;
    report->changes = &c->changes;
    report->choice = choice_name(&session->arena, &plan->member, false);
    report->tree = evaluation_tree(session, plan);
    if (!report->tree) return false;
    const Dataset *on = session_dataset(session, plan->on.dataset);
    report->embed_key = embedding_tree(session, plan->similarity->embed)->hash;
    report->dataset_key = on->key;
    report->protocol_key = protocol_key(session, plan);
    report->key = report->tree->hash;
    report->cached = !session->options.all_metrics && stored_evaluation(session, on, report);
    if (!report->cached) {
        Text neighbors = {.jre = session->jre};
        text_add(&neighbors, "file,identity,fold,rank,candidate,candidate_identity,score,correct\n");
        report->done = examine(session, plan, &neighbors, report);
        if (report->done) {
            report->neighbors_hash = hash_bytes(session->jre, neighbors.at, neighbors.length);
            keep_evaluation(session, report, &neighbors);
        }
        text_free(&neighbors);
        return report->done;
    }
    return report->done = true;
}
