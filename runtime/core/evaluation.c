/* evaluation.c: one evaluation: who asks, who may answer, in which order they come, and what that is worth.
 *
 * In: an evaluation of the plan. Out: its report, from the store where it is there, else computed and kept. Contract: queries are the
 * pictures of `on`, candidates those of `against` (else of `on` again) of the same fold; folds never mix, not even in an average; the
 * picture itself never answers; individuals of two datasets are the same where their names are. */
#include "../runtime.h"

#include <string.h>

/* ---- who asks whom ------------------------------------------------------------------------------------------------------- */

/* One member for each fold; `against` is `on` where nothing else is named. */
typedef struct {
    Session *session; Arena *scratch;
    const EvaluatePlan *plan;
    const Dataset *on, *against;
    int members; PictureRows *queries, *candidates;
    int *individual;                      /* of `against`: its number in `on`, by name; who is not there is numbered behind */
    const EmbeddingTable *table;
    PairScores *pairs;                    /* of each member, where every metric is asked for; else NULL */
    Text *neighbors;                      /* the table of the best candidates */
    int embedded;
} Examination;

static const PartPlan *against_part(const EvaluatePlan *plan) { return plan->against.dataset ? &plan->against : &plan->on; }

static bool choose_pictures(Examination *e) {
    const PartPlan *on = &e->plan->on, *against = against_part(e->plan);
    int asking = part_members(on), answering = part_members(against);
    e->members = asking > answering ? asking : answering;
    e->queries = arena_array(e->scratch, PictureRows, e->members + 1);
    e->candidates = arena_array(e->scratch, PictureRows, e->members + 1);
    for (int member = 0; member < e->members; member++) {
        if (!part_pictures(e->session->jre, e->on, on, asking > 1 ? member + 1 : 1, e->scratch, &e->queries[member])) return false;
        e->candidates[member] = e->queries[member];
        if (against != on && !part_pictures(e->session->jre, e->against, against, answering > 1 ? member + 1 : 1, e->scratch, &e->candidates[member])) return false;
    }
    return true;
}

static void match_individuals(Examination *e) {
    Map number = {0};
    for (int i = 0; i < e->on->identity_count; i++) map_set(&number, e->scratch, e->on->identities[i], (void *)(intptr_t)(i + 1));
    e->individual = arena_array(e->scratch, int, e->against->identity_count + 1);
    for (int i = 0; i < e->against->identity_count; i++) {
        intptr_t known = (intptr_t)map_get(&number, e->against->identities[i]);
        e->individual[i] = known ? (int)known - 1 : e->on->identity_count + i;
    }
}

/* The pictures of a dataset that some member needs, each once, in row order. */
static PictureRows needed_of(Examination *e, const Dataset *dataset) {
    bool *needed = arena_array(e->scratch, bool, dataset->count + 1);
    PictureRows rows = {arena_array(e->scratch, int, dataset->count + 1), 0};
    for (int member = 0; member < e->members; member++) {
        for (int i = 0; dataset == e->on && i < e->queries[member].count; i++) needed[e->queries[member].which[i]] = true;
        for (int i = 0; dataset == e->against && i < e->candidates[member].count; i++) needed[e->candidates[member].which[i]] = true;
    }
    for (int i = 0; i < dataset->count; i++)
        if (needed[i]) rows.which[rows.count++] = i;
    return rows;
}

static bool embed_pictures(Examination *e) {
    const Dataset *datasets[] = {e->on, e->against};
    for (int i = 0; i < (e->on == e->against ? 1 : 2); i++) {
        PictureRows needed = needed_of(e, datasets[i]);
        int computed = 0;
        e->table = session_embeddings(e->session, e->plan->similarity->embed, datasets[i], needed.which, needed.count, &computed);
        e->embedded += computed;
        if (!e->table) return false;
    }
    return true;
}

/* ---- one fold ---------------------------------------------------------------------------------------------------------------- */

/* The candidate that is the query itself: the same row; in another dataset the same file, else the same content. */
static void find_selves(const Examination *e, const PictureRows *queries, const PictureRows *candidates, int *self) {
    Map place = {0}, content = {0};
    bool same = e->on == e->against;
    int *row = arena_array(e->scratch, int, e->against->count + 1);
    for (int i = candidates->count - 1; i >= 0; i--) {
        const Picture *picture = &e->against->pictures[candidates->which[i]];
        row[candidates->which[i]] = i + 1;
        if (same) continue;
        map_set(&place, e->scratch, picture->path, (void *)(intptr_t)(i + 1));
        map_set(&content, e->scratch, picture->content_hash, (void *)(intptr_t)(i + 1));
    }
    for (int i = 0; i < queries->count; i++) {
        const Picture *picture = &e->on->pictures[queries->which[i]];
        intptr_t found = same ? row[queries->which[i]] : (intptr_t)map_get(&place, picture->path);
        if (!same && !found) found = (intptr_t)map_get(&content, picture->content_hash);
        self[i] = (int)found - 1;
    }
}

static bool unit_rows(const Examination *e, const Dataset *dataset, const PictureRows *pictures, float **rows) {
    size_t floats = ((size_t)pictures->count + 1) * (size_t)e->table->width;
    *rows = jre_allocate_aligned(e->session->jre, floats * sizeof(float), 64);
    return embedding_unit_rows(e->session, e->plan->similarity->embed, e->table, dataset, pictures->which, pictures->count, *rows);
}

/* A row for each of the best candidates of each query, the members in order, the queries in row order. */
static void list_neighbors(const Examination *e, int member, const Neighbor *nearest, const int *asking, const int *answering) {
    const PictureRows *queries = &e->queries[member], *candidates = &e->candidates[member];
    Text *out = e->neighbors;
    for (int i = 0; i < queries->count * NEIGHBORS; i++) {
        const Neighbor *neighbor = &nearest[i];
        if (neighbor->row < 0) continue;
        const int query = i / NEIGHBORS;
        const Picture *asks = &e->on->pictures[queries->which[query]], *answers = &e->against->pictures[candidates->which[neighbor->row]];
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
    const PictureRows *queries = &e->queries[member], *candidates = &e->candidates[member];
    QueryResult *results = arena_array(e->scratch, QueryResult, queries->count + 1);
    int *asking = arena_array(e->scratch, int, queries->count + 1), *answering = arena_array(e->scratch, int, candidates->count + 1);
    int *self = arena_array(e->scratch, int, queries->count + 1);
    Neighbor *nearest = arena_array(e->scratch, Neighbor, queries->count * NEIGHBORS + 1);
    for (int i = 0; i < queries->count; i++) asking[i] = e->on->pictures[queries->which[i]].identity_number;
    for (int i = 0; i < candidates->count; i++) answering[i] = e->individual[e->against->pictures[candidates->which[i]].identity_number];
    find_selves(e, queries, candidates, self);
    *fold = (FoldResults){results, asking, queries->count};
    if (!queries->count) return !e->pairs || judge_pairs(e->session->jre, e->session->pool, e->session->level, &(RankingTask){0}, false, &e->pairs[member]);
    float *query = NULL, *gallery = NULL;
    bool shared = queries->which == candidates->which, sound = unit_rows(e, e->on, queries, &query) && (shared || unit_rows(e, e->against, candidates, &gallery));
    RankingTask task = {.query = query, .queries = queries->count, .query_label = asking, .self = self, .gallery = shared ? query : gallery,
                        .candidates = candidates->count, .gallery_label = answering, .width = e->table->width,
                        .rule = pair_rule(e->scratch, e->plan->gallery, e->on, queries->which, queries->count, e->against, candidates->which, candidates->count)};
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
    if (!choose_pictures(e)) return false;
    match_individuals(e);
    if (!embed_pictures(e)) return false;
    double started = seconds_now();
    FoldResults *folds = arena_array(e->scratch, FoldResults, e->members + 1);
    if (e->session->options.all_metrics) e->pairs = arena_array(&e->session->arena, PairScores, e->members + 1);
    for (int member = 0; member < e->members; member++) {
        if (e->session->jre->interrupted || !rank_member(e, member, &folds[member])) return false;
        report->candidates += e->candidates[member].count;
    }
    Evaluation *numbers = &report->numbers;
    const Judging judging = judging_of(plan);
    evaluate_folds(e->session->jre, &e->session->arena, folds, e->members, e->on->identity_count, &judging, numbers);
    report->individuals = arena_array(&e->session->arena, const char *, numbers->identities + 1);
    for (int i = 0; i < numbers->identities; i++) report->individuals[i] = e->on->identities[numbers->per_identity[i].identity];
    report->pairs = e->pairs;
    if (e->pairs) conventions_of(e->session->jre, &e->session->arena, folds, e->members, e->on->identity_count + e->against->identity_count, e->pairs, &report->conventions);
    report->folds = e->members;
    report->pictures = e->on->count;
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
    Examination e = {.session = session, .scratch = &scratch, .plan = plan, .on = session_asked(session, plan->on.dataset, plan->gallery),
                     .against = session_asked(session, against_part(plan)->dataset, plan->gallery), .neighbors = neighbors};
    bool sound = e.on && e.against && compute_evaluation(&e, report);
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
