/* submission.c: a contest's entry.
 *
 * In: a table of pairs (row_id, query_image, gallery_image) and an embed. Out: row_id,similarity in the order of the pairs,
 * (cosine + 1) / 2 of each. Contract: cosines are made by the same arithmetic as the evaluations'. The finished file is kept
 * in the store under all it depends on, and written again from there when it is missing or was changed. */
#include "../runtime.h"

#include <string.h>

enum { NAMED = 10 };

typedef struct { const Table *table; int row_id, query, gallery; int *query_of, *gallery_of; int count; } Pairs;

static int pair_column(Session *session, const SubmitPlan *plan, const Table *table, const char *name) {
    int column = table_column(table, name);
    if (column >= 0) return column;
    const char *near;
    Diagnostic *d = table_lacks(session->jre, table, name, plan->pairs_span, &near);
    diag_fact(d, "a table of pairs has the columns row_id, query_image and gallery_image");
    return -1;
}

static const char *pair_cell(const Pairs *pairs, int row, int column) {
    return pairs->table->cells[(size_t)row * (size_t)pairs->table->columns.count + (size_t)column];
}

static bool read_pairs(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, const char *path, Pairs *pairs) {
    pairs->table = session_table(session, path, plan->pairs_span);
    if (!pairs->table) return false;
    pairs->row_id = pair_column(session, plan, pairs->table, "row_id");
    pairs->query = pair_column(session, plan, pairs->table, "query_image");
    pairs->gallery = pair_column(session, plan, pairs->table, "gallery_image");
    if (pairs->row_id < 0 || pairs->query < 0 || pairs->gallery < 0) return false;
    Map place = {0};
    for (int i = 0; i < dataset->count; i++) map_set(&place, scratch, dataset->pictures[i].file, (void *)(intptr_t)(i + 1));
    pairs->count = pairs->table->rows;
    pairs->query_of = arena_array(scratch, int, pairs->count + 1);
    pairs->gallery_of = arena_array(scratch, int, pairs->count + 1);
    LIST(const char *) unknown = {0};
    for (int row = 0; row < pairs->count; row++) {
        const char *names[] = {pair_cell(pairs, row, pairs->query), pair_cell(pairs, row, pairs->gallery)};
        int *to[] = {&pairs->query_of[row], &pairs->gallery_of[row]};
        for (int side = 0; side < 2; side++) {
            *to[side] = (int)(intptr_t)map_get(&place, names[side]) - 1;
            if (*to[side] < 0) list_add(scratch, &unknown, arena_print(scratch, "line %d: `%s`", pairs->table->lines[row], names[side]));
        }
    }
    if (!unknown.count) return true;
    Diagnostic *d = diag(session->jre, DIAG_wrong_table, plan->pairs_span, "`%s` asks about pictures that `%s` does not have", path, dataset->plan->name);
    for (int i = 0; i < unknown.count && i < NAMED; i++) diag_fact(d, "%s", unknown.at[i]);
    if (unknown.count > NAMED) diag_fact(d, "and %d more", unknown.count - NAMED);
    if (dataset->count) diag_note(d, "its %d pictures are called like `%s`", dataset->count, dataset->pictures[0].file);
    return false;
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

/* Pictures that some pair names, numbered by first appearance. */
typedef struct { int *which, *place; int count; } Needed;

static Needed needed_pictures(Arena *scratch, const Pairs *pairs, int pictures) {
    Needed needed = {arena_array(scratch, int, pictures + 1), arena_array(scratch, int, pictures + 1), 0};
    for (int i = 0; i < pictures; i++) needed.place[i] = -1;
    for (int row = 0; row < pairs->count; row++) {
        int both[] = {pairs->query_of[row], pairs->gallery_of[row]};
        for (int side = 0; side < 2; side++)
            if (needed.place[both[side]] < 0) {
                needed.place[both[side]] = needed.count;
                needed.which[needed.count++] = both[side];
            }
    }
    return needed;
}

/* Rows of the table by query: row_of[start[q] .. start[q + 1]-1], in order. */
static void group_by_query(Arena *scratch, const Pairs *pairs, const Needed *needed, int **start, int **row_of) {
    *start = arena_array(scratch, int, needed->count + 2);
    *row_of = arena_array(scratch, int, pairs->count + 1);
    for (int row = 0; row < pairs->count; row++) (*start)[needed->place[pairs->query_of[row]] + 2]++;
    for (int q = 1; q <= needed->count + 1; q++) (*start)[q] += (*start)[q - 1];
    for (int row = 0; row < pairs->count; row++) (*row_of)[(*start)[needed->place[pairs->query_of[row]] + 1]++] = row;
}

/* One query against everything if most of it is asked for, else against its own candidates, copied together. */
static void score_query(Session *session, const Pairs *pairs, const Needed *needed, const float *rows, int width, int q, const int *row_of, int count,
                        float *gathered, float *scores, float *similarity) {
    const float *query = rows + (size_t)q * (size_t)width;
    if (2 * (int64_t)count >= needed->count) {
        query_scores(session->jre, session->level, query, rows, needed->count, width, scores);
        for (int i = 0; i < count; i++) similarity[row_of[i]] = scores[needed->place[pairs->gallery_of[row_of[i]]]];
        return;
    }
    for (int i = 0; i < count; i++)
        memcpy(gathered + (size_t)i * (size_t)width, rows + (size_t)needed->place[pairs->gallery_of[row_of[i]]] * (size_t)width, (size_t)width * sizeof(float));
    query_scores(session->jre, session->level, query, gathered, count, width, scores);
    for (int i = 0; i < count; i++) similarity[row_of[i]] = scores[i];
}

static bool score_pairs(Session *session, Arena *scratch, const EmbedPlan *embed, const Dataset *dataset, const Pairs *pairs, float *similarity, int *embedded) {
    Needed needed = needed_pictures(scratch, pairs, dataset->count);
    int width = embed->width, errors = diag_count(session->jre, SEVERITY_ERROR);
    const EmbeddingTable *table = session_embeddings(session, embed, dataset, needed.which, needed.count, embedded);
    if (!table) return false;
    size_t row_floats = (size_t)width, half = (size_t)needed.count / 2 + 1;
    float *rows = jre_allocate(session->jre, ((size_t)needed.count + 1) * row_floats * sizeof(float));
    float *gathered = jre_allocate(session->jre, half * row_floats * sizeof(float));
    float *scores = jre_allocate(session->jre, ((size_t)needed.count + 1) * sizeof(float));
    bool sound = embedding_unit_rows(session, embed, table, dataset, needed.which, needed.count, rows);
    int *start, *row_of;
    group_by_query(scratch, pairs, &needed, &start, &row_of);
    for (int q = 0; q < needed.count && sound && !session->jre->interrupted; q++)
        if (start[q + 1] > start[q])
            score_query(session, pairs, &needed, rows, width, q, row_of + start[q], start[q + 1] - start[q], gathered, scores, similarity);
    jre_release(rows);
    jre_release(gathered);
    jre_release(scores);
    return sound && !session->jre->interrupted && diag_count(session->jre, SEVERITY_ERROR) == errors;
}

/* ---- the file --------------------------------------------------------------------------------------------------------------- */

static void print_pairs(const Pairs *pairs, const float *similarity, Text *out) {
    text_add(out, "row_id,similarity\n");
    for (int row = 0; row < pairs->count; row++) {
        double share = ((double)similarity[row] + 1.0) / 2.0;
        csv_cell(out, pair_cell(pairs, row, pairs->row_id));
        text_add(out, ",%.7f\n", share < 0 ? 0.0 : share > 1 ? 1.0 : share);
    }
}

/* Pairs are asked for by the names of files, so here these are content. */
static const KeyTree *named_pictures(Session *session, const Dataset *dataset) {
    KeyTree *tree = key_open(&session->arena, "files %s", dataset->plan->name);
    key_leaf(tree, "pictures", dataset->plan->span, "%d", dataset->count);
    for (int i = 0; i < dataset->count; i++) key_leaf(tree, "picture", NOWHERE, "%s %s", dataset->pictures[i].content_hash, dataset->pictures[i].file);
    key_close(tree);
    return tree;
}

KeyTree *submission_tree(Session *session, const SubmitPlan *plan, const Dataset *dataset) {
    const char *pairs = hash_file(session->jre, path_below(session->jre, plan->on.dataset->root, plan->pairs), plan->pairs_span);
    if (!pairs) return NULL;
    KeyTree *tree = key_reopen(&session->arena, plan->key);
    key_leaf(tree, "pairs", plan->pairs_span, "%s", pairs);
    key_machine(session, tree);
    key_part(tree, named_pictures(session, dataset));
    key_close(tree);
    return tree;
}

static bool compute_submission(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, const char *pairs_path, SubmissionReport *report, Text *out) {
    Pairs pairs = {0};
    if (!read_pairs(session, scratch, plan, dataset, pairs_path, &pairs)) return false;
    float *similarity = arena_array(scratch, float, pairs.count + 1);
    if (!score_pairs(session, scratch, plan->similarity->embed, dataset, &pairs, similarity, &report->embedded)) return false;
    print_pairs(&pairs, similarity, out);
    store_part(session, report->tree, "submission.csv", out->at, out->length, plan->span);
    return true;
}

static int count_rows(const char *bytes, size_t length) {
    int lines = 0;
    for (size_t i = 0; i < length; i++) lines += bytes[i] == '\n';
    return lines > 0 ? lines - 1 : 0;
}

bool submission_make(Session *session, const SubmitPlan *plan, SubmissionReport *report) {
    *report = (SubmissionReport){.plan = plan, .file = path_below(session->jre, session->base, plan->file)};
    const Dataset *dataset = session_dataset(session, plan->on.dataset);
    if (!dataset) return false;
    if (!plan->pairs) {
        Diagnostic *d = diag(session->jre, DIAG_not_yet, plan->span, "without `pairs` nothing says which similarities are asked for");
        diag_help(d, "`pairs \"test.csv\"`, a table with row_id, query_image and gallery_image");
        return false;
    }
    const char *pairs_path = path_below(session->jre, plan->on.dataset->root, plan->pairs);
    report->tree = submission_tree(session, plan, dataset);
    if (!report->tree) return false;
    report->key = report->tree->hash;
    Arena scratch = {.jre = session->jre};
    Text table = {.jre = session->jre};
    char *stored = NULL;
    size_t length = 0;
    report->cached = stored_part(session, report->key, "submission.csv", &stored, &length);
    bool sound = report->cached || compute_submission(session, &scratch, plan, dataset, pairs_path, report, &table);
    const char *bytes = stored ? stored : table.at;
    if (!stored) length = table.length;
    if (sound) {
        report->rows = count_rows(bytes, length);
        sound = file_update(session, report->file, plan->file_span, bytes, length, &report->written);
    }
    jre_release(stored);
    text_free(&table);
    arena_free(&scratch);
    return report->done = sound;
}
