/* submission.c: a contest's entry.
 *
 * In: an embed, the pictures of a part, and what is asked of them: a table of pairs (row_id, query_image, gallery_image), or nothing,
 * which asks for every picture against every other of its fold. Out: row_id,similarity in the order of the table; without one
 * row_id,query_image,gallery_image,similarity, a query's candidates in row order, counted from 0, those that `gallery` leaves out
 * left out. A similarity is (cosine + 1) / 2. Contract: cosines are made by the same arithmetic as the evaluations'. The finished
 * file is kept in the store under all it depends on, and written again from there when it is missing or was changed. */
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

static bool read_pairs(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, const PictureRows *asked, Pairs *pairs) {
    const char *path = path_below(session->jre, plan->on.dataset->root, plan->pairs);
    pairs->table = session_table(session, path, plan->pairs_span);
    if (!pairs->table) return false;
    if ((pairs->row_id = pair_column(session, plan, pairs->table, "row_id")) < 0 || (pairs->query = pair_column(session, plan, pairs->table, "query_image")) < 0
        || (pairs->gallery = pair_column(session, plan, pairs->table, "gallery_image")) < 0)
        return false;
    if (!pairs->table->rows) {
        diag_help(diag(session->jre, DIAG_wrong_table, plan->pairs_span, "`%s` has no rows below its columns", path), "write a row for each pair that is asked about");
        return false;
    }
    Map place = {0}, told = {0};
    for (int i = 0; i < asked->count; i++) map_set(&place, scratch, dataset->pictures[asked->which[i]].file, (void *)(intptr_t)(asked->which[i] + 1));
    pairs->count = pairs->table->rows;
    pairs->query_of = arena_array(scratch, int, pairs->count + 1);
    pairs->gallery_of = arena_array(scratch, int, pairs->count + 1);
    LIST(const char *) unknown = {0};
    for (int row = 0; row < pairs->count; row++) {
        const char *names[] = {pair_cell(pairs, row, pairs->query), pair_cell(pairs, row, pairs->gallery)};
        int *to[] = {&pairs->query_of[row], &pairs->gallery_of[row]};
        for (int side = 0; side < 2; side++) {
            *to[side] = (int)(intptr_t)map_get(&place, names[side]) - 1;
            if (*to[side] >= 0 || map_get(&told, names[side])) continue;
            map_set(&told, scratch, names[side], pairs);
            list_add(scratch, &unknown, arena_print(scratch, "line %d: `%s`", pairs->table->lines[row], names[side]));
        }
    }
    if (!unknown.count) return true;
    Diagnostic *d = diag(session->jre, DIAG_wrong_table, plan->pairs_span, "`%s` asks about pictures that `%s` does not have", path, part_text(scratch, &plan->on));
    for (int i = 0; i < unknown.count && i < NAMED; i++) diag_fact(d, "%s", unknown.at[i]);
    if (unknown.count > NAMED) diag_fact(d, "and %d more", unknown.count - NAMED);
    diag_help(d, "take these lines out, or let `on` be the pictures that the table means");
    if (asked->count) diag_note(d, "its %d pictures are called like `%s`", asked->count, dataset->pictures[asked->which[0]].file);
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

static double share_of(double cosine) {
    double share = (cosine + 1.0) / 2.0;
    return share < 0 ? 0.0 : share > 1 ? 1.0 : share;
}

static void print_pairs(const Pairs *pairs, const float *similarity, Text *out) {
    text_add(out, "row_id,similarity\n");
    for (int row = 0; row < pairs->count; row++) {
        csv_cell(out, pair_cell(pairs, row, pairs->row_id));
        text_add(out, ",%.7f\n", share_of((double)similarity[row]));
    }
}

/* What a table of pairs asks for. */
static bool answer_table(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, const PictureRows *asked, int *embedded, Text *out) {
    Pairs pairs = {0};
    if (!read_pairs(session, scratch, plan, dataset, asked, &pairs)) return false;
    float *similarity = arena_array(scratch, float, pairs.count + 1);
    if (!score_pairs(session, scratch, plan->similarity->embed, dataset, &pairs, similarity, embedded)) return false;
    print_pairs(&pairs, similarity, out);
    return true;
}

/* Every picture of one fold against every other. */
static bool answer_fold(Session *session, Arena *scratch, const SubmitPlan *plan, const EmbeddingTable *table, const Dataset *dataset, const PictureRows *asked, int64_t *row_id, Text *out) {
    int n = asked->count, width = table->width;
    float *rows = jre_allocate_aligned(session->jre, ((size_t)n + 1) * (size_t)width * sizeof(float), 64);
    float *scores = arena_array(scratch, float, n + 1);
    Text *cells = arena_array(scratch, Text, n + 1);
    const PairRule *rule = pair_rule(scratch, plan->gallery, dataset, asked->which, n, dataset, asked->which, n);
    bool sound = pair_rule_decided(session->jre, rule, plan->gallery) && embedding_unit_rows(session, plan->similarity->embed, table, dataset, asked->which, n, rows);
    for (int i = 0; i < n; i++) {
        cells[i].jre = session->jre;
        csv_cell(&cells[i], dataset->pictures[asked->which[i]].file);
    }
    for (int q = 0; q < n && sound && !session->jre->interrupted; q++) {
        query_scores(session->jre, session->level, rows + (size_t)q * (size_t)width, rows, n, width, scores);
        for (int g = 0; g < n; g++) {
            if (g == q || !pair_allowed(rule, q, g)) continue;
            text_add(out, "%lld,", (long long)(*row_id)++);
            text_add_bytes(out, cells[q].at, cells[q].length);
            text_add_bytes(out, ",", 1);
            text_add_bytes(out, cells[g].at, cells[g].length);
            text_add(out, ",%.7f\n", share_of((double)scores[g]));
        }
    }
    for (int i = 0; i < n; i++) text_free(&cells[i]);
    jre_release(rows);
    return sound && !session->jre->interrupted;
}

static bool answer_all(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, const PictureRows *folds, int members, const PictureRows *asked, int *embedded,
                       Text *out) {
    int64_t row_id = 0;
    const EmbeddingTable *table = session_embeddings(session, plan->similarity->embed, dataset, asked->which, asked->count, embedded);
    if (!table) return false;
    text_add(out, "row_id,query_image,gallery_image,similarity\n");
    for (int member = 0; member < members; member++)
        if (!answer_fold(session, scratch, plan, table, dataset, &folds[member], &row_id, out)) return false;
    return true;
}

/* The pictures of each fold, and of all of them. */
static bool asked_pictures(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, PictureRows *folds, int members, PictureRows *asked) {
    bool *needed = arena_array(scratch, bool, dataset->count + 1);
    *asked = (PictureRows){arena_array(scratch, int, dataset->count + 1), 0};
    for (int member = 0; member < members; member++) {
        if (!part_pictures(session->jre, dataset, &plan->on, member + 1, scratch, &folds[member])) return false;
        for (int i = 0; i < folds[member].count; i++) needed[folds[member].which[i]] = true;
    }
    for (int i = 0; i < dataset->count; i++)
        if (needed[i]) asked->which[asked->count++] = i;
    return true;
}

bool submission_pairs(Session *session, const SubmitPlan *plan) {
    const Dataset *dataset = plan->pairs ? session_dataset(session, plan->on.dataset) : NULL;
    if (!dataset) return !plan->pairs;
    Arena scratch = {.jre = session->jre};
    int members = part_members(&plan->on);
    PictureRows *folds = arena_array(&scratch, PictureRows, members + 1), asked;
    Pairs pairs = {0};
    bool sound = asked_pictures(session, &scratch, plan, dataset, folds, members, &asked) && read_pairs(session, &scratch, plan, dataset, &asked, &pairs);
    arena_free(&scratch);
    return sound;
}

static bool compute_submission(Session *session, Arena *scratch, const SubmitPlan *plan, const Dataset *dataset, SubmissionReport *report, Text *out) {
    int members = part_members(&plan->on);
    PictureRows *folds = arena_array(scratch, PictureRows, members + 1), asked;
    if (!session_asked(session, plan->on.dataset, plan->gallery) || !asked_pictures(session, scratch, plan, dataset, folds, members, &asked)) return false;
    bool sound = plan->pairs ? answer_table(session, scratch, plan, dataset, &asked, &report->embedded, out)
                             : answer_all(session, scratch, plan, dataset, folds, members, &asked, &report->embedded, out);
    if (sound) store_part(session, report->tree, "submission.csv", out->at, out->length, plan->span);
    return sound;
}

/* ---- kept ------------------------------------------------------------------------------------------------------------------- */

/* Pairs name pictures by their files, so here these are content, and what the view sees of them. */
static const KeyTree *named_pictures(Session *session, const View *view, const Dataset *dataset) {
    KeyTree *tree = key_open(&session->arena, "files %s", dataset->plan->name);
    key_leaf(tree, "pictures", dataset->plan->span, "%d", dataset->count);
    for (int i = 0; i < dataset->count; i++) {
        const char *look = picture_look(session->jre, dataset, view, i).hash;
        key_leaf(tree, "picture", NOWHERE, "%s %s", look ? look : dataset->pictures[i].content_hash, dataset->pictures[i].file);
    }
    key_close(tree);
    return tree;
}

KeyTree *submission_tree(Session *session, const SubmitPlan *plan) {
    const Dataset *dataset = session_dataset(session, plan->on.dataset);
    const char *pairs = dataset && plan->pairs ? hash_file(session->jre, path_below(session->jre, plan->on.dataset->root, plan->pairs), plan->pairs_span) : NULL;
    if (!dataset || (plan->pairs && !pairs)) return NULL;
    KeyTree *tree = key_reopen(&session->arena, plan->key);
    if (pairs) key_leaf(tree, "pairs", plan->pairs_span, "%s", pairs);
    key_machine(session, tree);
    key_part(tree, named_pictures(session, plan->similarity->embed->view, dataset));
    if (plan->on.split || plan->gallery) key_part(tree, dataset->tree);        /* what parts and conditions are made of */
    key_close(tree);
    return tree;
}

/* Lines behind the first that are not inside a quoted cell. */
static int count_rows(const char *bytes, size_t length) {
    int lines = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        quoted ^= bytes[i] == '"';
        lines += bytes[i] == '\n' && !quoted;
    }
    return lines > 0 ? lines - 1 : 0;
}

bool submission_make(Session *session, const SubmitPlan *plan, SubmissionReport *report) {
    *report = (SubmissionReport){.plan = plan, .file = path_below(session->jre, session->base, plan->file)};
    report->tree = submission_tree(session, plan);
    if (!report->tree) return false;
    const Dataset *dataset = session_dataset(session, plan->on.dataset);
    report->key = report->tree->hash;
    Arena scratch = {.jre = session->jre};
    Text table = {.jre = session->jre};
    char *stored = NULL;
    size_t length = 0;
    report->cached = stored_part(session, report->key, "submission.csv", &stored, &length);
    bool sound = report->cached || compute_submission(session, &scratch, plan, dataset, report, &table);
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
