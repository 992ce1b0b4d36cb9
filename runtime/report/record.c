/* record.c: the folder of one run: results/<run_id>/.
 *
 * config.snapshot.jre is the flat program; result.json says what came out, under which protocol, of which inputs, on which
 * machine; <embed>.npy and <embed>.csv hold the numbers of every picture that was compared, row by row; <evaluation>_neighbors.csv
 * names the best candidates of every query. Contract: the folder is complete in itself, and no other run writes into it. What the
 * store holds in the same order is linked, not copied. result.json is written last: a run that was killed before leaves results in the
 * store without a record, and the next run, which finds them there, writes it under the name that they bear. */
#include "../runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- its name ------------------------------------------------------------------------------------------------------------- */

static const char *folder_of_run(Session *session, const char *run_id) {
    return path_below(session->jre, session->base, arena_print(&session->arena, "results/%s", run_id));
}

static bool recorded(Session *session, const char *run_id) {
    return file_exists(path_below(session->jre, folder_of_run(session, run_id), "result.json"));
}

/* The system forgets a lock when its process is gone, however that ended: nothing is left of a name that was not used. */
static int open_claims(Session *session) {
    Jre *aside = jre_aside(session->jre);                          /* who cannot write there is told so by what it writes */
    const char *path = path_below(aside, session->base, ".jre/runs");
    int file = folder_make(aside, path_below(aside, session->base, ".jre"), NOWHERE) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    jre_free(aside);
    return file;
}

static bool claim_second(int claims, time_t second) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = second, .l_len = 1};
    return claims < 0 || fcntl(claims, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* Two runs in one second: the later takes the next free one. */
void run_claim(RunReport *run) {
    enum { ATTEMPTS = 1000 };
    char name[64];
    time_t now = time(NULL);
    struct tm utc;
    run->claims = open_claims(run->session);
    for (int attempt = 0;; attempt++, now++) {
        gmtime_r(&now, &utc);
        strftime(name, sizeof name, "run_%Y%m%d_%H%M%S", &utc);
        if (attempt == ATTEMPTS || (claim_second(run->claims, now) && !folder_exists(folder_of_run(run->session, name)))) break;
    }
    run->run_id = intern(run->session->jre, name);
}

void run_unclaim(const RunReport *run) {
    if (run->claims >= 0) close(run->claims);
}

bool run_unrecorded(RunReport *run) {
    for (int i = 0; i < run->plan->evaluations.count; i++) {
        const EvaluationReport *report = &run->evaluations[i];
        if (!report->done || report->plan->quoted || !*report->run_id || recorded(run->session, report->run_id)) continue;
        run->run_id = report->run_id;
        return true;
    }
    return false;
}

/* ---- the embeddings ----------------------------------------------------------------------------------------------------------- */

/* What a run compared by one embed. split: whose folds held the pictures out, or NULL. */
typedef struct { const Dataset *dataset; SplitPlan *split; } Compared;
typedef struct { const EmbedPlan *embed; const EmbeddingTable *table; LIST(Compared) compared; const char *name; int rows; } KeptEmbedding;
typedef LIST(KeptEmbedding) KeptEmbeddings;

static void note_compared(RunReport *run, KeptEmbeddings *kept, const EmbedPlan *embed, const PartPlan *part) {
    Arena *arena = &run->session->arena;
    const Dataset *dataset = part->dataset ? session_dataset(run->session, part->dataset) : NULL;
    SplitPlan *split = part->split && part->split->folds ? part->split : NULL;
    KeptEmbedding *own = NULL;
    if (!dataset) return;
    for (int i = 0; i < kept->count; i++)
        if (kept->at[i].embed == embed) own = &kept->at[i];
    if (!own) {
        KeptEmbedding new = {.embed = embed, .table = embedding_table(run->session, embed)};
        list_add(arena, kept, new);
        own = &kept->at[kept->count - 1];
    }
    for (int i = 0; i < own->compared.count; i++) {
        Compared *known = &own->compared.at[i];
        if (known->dataset != dataset) continue;
        if (!known->split) known->split = split;
        return;
    }
    Compared compared = {dataset, split};
    list_add(arena, &own->compared, compared);
}

static void find_compared(RunReport *run, KeptEmbeddings *kept) {
    for (int i = 0; i < run->plan->evaluations.count; i++) {
        const EvaluatePlan *plan = run->plan->evaluations.at[i];
        if (!run->evaluations[i].done || plan->quoted) continue;
        note_compared(run, kept, plan->similarity->embed, &plan->on);
        note_compared(run, kept, plan->similarity->embed, &plan->against);
    }
    for (int i = 0; i < run->plan->submissions.count; i++)
        if (run->submissions[i].done) note_compared(run, kept, run->plan->submissions.at[i]->similarity->embed, &run->plan->submissions.at[i]->on);
}

/* features, or features-resnet18 and features-resnet50 where one run has both. */
static void name_embeddings(const RunReport *run, KeptEmbeddings *kept) {
    Arena *arena = &run->session->arena;
    for (int i = 0; i < kept->count; i++) {
        const EmbedPlan *embed = kept->at[i].embed;
        int of_name = 0, of_backbone = 0;
        for (int k = 0; k < kept->count; k++) {
            bool same = strcmp(kept->at[k].embed->name, embed->name) == 0;
            of_name += same;
            of_backbone += same && embed->backbone && kept->at[k].embed->backbone && strcmp(kept->at[k].embed->backbone, embed->backbone) == 0;
        }
        const char *more = of_name == 1 ? "" : of_backbone == 1 ? embed->backbone : arena_print(arena, "%.8s", kept->at[i].table->key);
        kept->at[i].name = file_name(arena, arena_print(arena, "%s%s%s", embed->name, *more ? "-" : "", more));
    }
}

/* The fold that holds each picture out, from 1; 0: none does. */
static bool fold_of_pictures(const RunReport *run, Arena *scratch, const Compared *compared, int *fold) {
    if (!compared->split) return true;
    PartPlan part = {.dataset = compared->split->data, .split = compared->split, .part = intern(run->session->jre, "held_out")};
    for (int member = 1; member <= part_members(&part); member++) {
        PictureRows rows;
        if (!part_pictures(run->session->jre, compared->dataset, &part, member, scratch, &rows)) return false;
        for (int i = 0; i < rows.count; i++) fold[rows.which[i]] = member;
    }
    return true;
}

/* place[i]: the row of the table that is row i of the file. */
typedef struct { int *place, count; Text table; } Listed;

static bool list_pictures(const RunReport *run, Arena *scratch, const KeptEmbedding *kept, Listed *listed) {
    int room = 1;
    for (int i = 0; i < kept->compared.count; i++) room += kept->compared.at[i].dataset->count;
    listed->place = arena_array(scratch, int, room);
    text_add(&listed->table, "file,identity,fold,content_hash,dataset\n");
    for (int i = 0; i < kept->compared.count; i++) {
        const Dataset *dataset = kept->compared.at[i].dataset;
        int *fold = arena_array(scratch, int, dataset->count + 1);
        if (!fold_of_pictures(run, scratch, &kept->compared.at[i], fold)) return false;
        for (int k = 0; k < dataset->count; k++) {
            const Picture *picture = &dataset->pictures[k];
            const char *look = picture_look(run->session->jre, dataset, kept->embed->view, k).hash;
            intptr_t row = look ? (intptr_t)map_get(&kept->table->row, look) : 0;
            if (!row) continue;
            listed->place[listed->count++] = (int)row - 1;
            csv_cell(&listed->table, picture->file);
            text_add(&listed->table, ",");
            csv_cell(&listed->table, picture->identity);
            if (fold[k]) text_add(&listed->table, ",%d,%s,", fold[k], picture->content_hash);
            else text_add(&listed->table, ",,%s,", picture->content_hash);
            csv_cell(&listed->table, dataset->plan->name);
            text_add(&listed->table, "\n");
        }
    }
    return true;
}

/* As the store has them: the same rows in the same order. */
static bool as_stored(const Listed *listed, const EmbeddingTable *table) {
    bool same = listed->count == table->count;
    for (int i = 0; i < listed->count && same; i++) same = listed->place[i] == i;
    return same;
}

static bool write_rows(Session *session, const EmbeddingTable *table, const Listed *listed, const char *path, Span span) {
    size_t width = (size_t)table->width;
    float *rows = jre_allocate(session->jre, ((size_t)listed->count + 1) * width * sizeof(float));
    for (int i = 0; i < listed->count; i++) memcpy(rows + (size_t)i * width, table->values + (size_t)listed->place[i] * width, width * sizeof(float));
    const int64_t shape[] = {listed->count, table->width};
    bool written = npy_write(session->jre, path, span, rows, 2, shape);
    jre_release(rows);
    return written;
}

static bool keep_embedding(const RunReport *run, KeptEmbedding *kept, const char *folder) {
    Session *session = run->session;
    Arena scratch = {.jre = session->jre};
    Listed listed = {.table = {.jre = session->jre}};
    const char *numbers = path_below(session->jre, folder, arena_print(&scratch, "%s.npy", kept->name));
    bool sound = list_pictures(run, &scratch, kept, &listed);
    kept->rows = listed.count;
    if (sound && listed.count)
        sound = ((as_stored(&listed, kept->table) && embedding_link(session, kept->table, numbers)) || write_rows(session, kept->table, &listed, numbers, kept->embed->span)) &&
                file_write(session->jre, path_below(session->jre, folder, arena_print(&scratch, "%s.csv", kept->name)), kept->embed->span, listed.table.at, listed.table.length);
    text_free(&listed.table);
    arena_free(&scratch);
    return sound;
}

/* ---- the best candidates -------------------------------------------------------------------------------------------------------- */

/* <evaluation>_neighbors.csv, with the choices of a family's member behind the name. */
static bool keep_neighbors(const RunReport *run, EvaluationReport *report, const char *folder) {
    Session *session = run->session;
    Arena *arena = &session->arena;
    const char *choice = choice_name(arena, &report->plan->member, true), *stored = store_path(&session->store, report->key, NEIGHBORS_PART);
    report->neighbors = arena_print(arena, "%s%s%s_neighbors.csv", file_name(arena, report->plan->name), *choice ? "_" : "", choice);
    const char *path = path_below(session->jre, folder, report->neighbors);
    if (link(stored, path) == 0) return true;
    char *bytes, why[256];
    size_t length;
    if (!file_load(session->jre, stored, &bytes, &length, why)) {
        report->neighbors = NULL;         /* the store could not take it, and has said so */
        return true;
    }
    const bool written = file_write(session->jre, path, report->plan->span, bytes, length);
    jre_release(bytes);
    return written;
}

/* ---- result.json ----------------------------------------------------------------------------------------------------------------- */

static void json_outcome(Text *out, const ExpectationReport *report) {
    text_add(out, "{");
    json_member(out, "expect", report->text);
    text_add(out, ", \"holds\": %s", !report->checked ? "null" : report->outcome.holds ? "true" : "false");
    if (report->checked && report->outcome.compared) {
        text_add(out, ", \"left\": ");
        json_number(out, report->outcome.left);
        text_add(out, ", \"right\": ");
        json_number(out, report->outcome.right);
    }
    if (report->outcome.reason) json_member(out, "because", report->outcome.reason);
    text_add(out, "}");
}

static void json_submission(Text *out, const SubmissionReport *report) {
    text_add(out, "{");
    json_member(out, "submission", report->plan->name);
    json_member(out, "file", report->file);
    text_add(out, ", \"rows\": %d, \"cached\": %s, \"key\": \"%s\"}", report->rows, report->cached ? "true" : "false", report->key);
}

static void json_machine(Text *out, const RunReport *run) {
    const Session *session = run->session;
    json_member(out, "version", run->compilation->version);
    json_member(out, "run_id", run->recorded ? run->run_id : "");
    text_add(out, ", \"device\": \"%s\", \"level\": %d, \"threads\": %d", session->device->name, session->level, pool_threads(session->pool));
    json_member(out, "kernels", kernel_library_version());
    text_add(out, ", \"changed\": [");
    for (int i = 0; i < run->compilation->changes.count; i++) {
        if (i) text_add(out, ", ");
        json_text(out, run->compilation->changes.at[i]);
    }
    text_add(out, "]");
}

static void json_document(Text *out, const RunReport *run, const Module *module, int *shown) {
    const Source *source = module->document->source;
    text_add(out, "%s{", (*shown)++ ? ", " : "");
    json_member(out, "path", source->path ? source->path : source->name);
    json_member(out, "hash", hash_bytes(run->session->jre, source->bytes, source->length));
    text_add(out, "}");
}

static void json_weights(Text *out, const RunReport *run) {
    Map told = {0};
    Arena scratch = {.jre = run->session->jre};
    for (int i = 0; i < run->plan->embeds.count; i++) {
        const Program *program = run->plan->embeds.at[i]->program;
        for (int k = 0; program && k < program->graph->nodes.count; k++) {
            const WeightScope *weights = program->graph->nodes.at[k]->weights;
            if (!weights || !weights->path || map_get(&told, weights->path)) continue;
            text_add(out, "%s{", told.count ? ", " : "");
            map_set(&told, &scratch, weights->path, (void *)(uintptr_t)weights);
            json_member(out, "path", weights->path);
            json_member(out, "hash", weights->hash);
            text_add(out, "}");
        }
    }
    arena_free(&scratch);
}

static void json_dataset(Text *out, const RunReport *run, const Dataset *dataset) {
    const DatasetPlan *plan = dataset->plan;
    json_member(out, "dataset", plan->name);
    json_member(out, "signature", dataset->key);
    text_add(out, ", \"pictures\": %d, \"individuals\": %d, \"skipped\": %d", dataset->count, dataset->identity_count, dataset->skipped);
    if (dataset->skipped) {
        text_add(out, ", \"skipped_files\": [");
        for (int i = 0; i < dataset->skipped_files.count; i++) {
            if (i) text_add(out, ", ");
            json_text(out, dataset->skipped_files.at[i]);
        }
        text_add(out, "]");
    }
    if (plan->table) {
        const char *path = path_below(run->session->jre, plan->root, plan->table);
        json_member(out, "table", path);
        json_member(out, "table_hash", run->facts.content_hash(run->facts.context, path, plan->table_span));
    }
}

void json_accepted(Text *out, const AcceptList *accepted) {
    text_add(out, "\"accepted\": [");
    for (int i = 0; i < accepted->count; i++) {
        text_add(out, "%s{", i ? ", " : "");
        json_member(out, "check", accepted->at[i]->name);
        json_member(out, "for", accepted->at[i]->subject);
        json_member(out, "because", accepted->at[i]->text);
        text_add(out, "}");
    }
    text_add(out, "]");
}

/* All that was read: documents, tables and pictures, weights. */
static void json_inputs(Text *out, const RunReport *run) {
    const Compilation *c = run->compilation;
    int shown = 0;
    text_add(out, ", \"inputs\": {\"documents\": [");
    for (const Module *module = c->document; module; module = module->parent) json_document(out, run, module, &shown);
    for (int i = 0; i < c->overlays.count; i++) json_document(out, run, c->overlays.at[i], &shown);
    text_add(out, "], \"weights\": [");
    json_weights(out, run);
    text_add(out, "], \"datasets\": [");
    for (int i = 0; i < run->used.count; i++) {
        text_add(out, "%s{", i ? ", " : "");
        json_dataset(out, run, run->used.at[i]);
        text_add(out, "}");
    }
    text_add(out, "]}, ");
    json_accepted(out, &c->accepted);
}

static void json_embeddings(Text *out, const KeptEmbeddings *kept) {
    text_add(out, ", \"embeddings\": [");
    for (int i = 0; i < kept->count; i++) {
        const KeptEmbedding *own = &kept->at[i];
        text_add(out, "%s{", i ? ", " : "");
        json_member(out, "embed", own->embed->name);
        json_member(out, "backbone", own->embed->backbone);
        text_add(out, ", \"embedding_dim\": %d, \"rows\": %d", own->embed->width, own->rows);
        json_member(out, "file", own->rows ? own->name : "");
        json_member(out, "key", own->table->key);
        text_add(out, ", \"seconds_per_image\": ");
        json_number(out, own->table->computed > 0 ? own->table->seconds / (double)own->table->computed : 0);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void json_results(Text *out, const RunReport *run) {
    int shown = 0;
    text_add(out, ", \"evaluations\": [");
    for (int i = 0; i < run->plan->evaluations.count; i++) {
        if (!run->evaluations[i].done || run->evaluations[i].plan->quoted) continue;
        if (shown++) text_add(out, ", ");
        report_json(out, &run->evaluations[i]);
    }
    text_add(out, "], \"submissions\": [");
    shown = 0;
    for (int i = 0; i < run->plan->submissions.count; i++) {
        if (!run->submissions[i].done) continue;
        if (shown++) text_add(out, ", ");
        json_submission(out, &run->submissions[i]);
    }
    text_add(out, "], \"expectations\": [");
    for (int i = 0; i < run->expectation_count; i++) {
        if (i) text_add(out, ", ");
        json_outcome(out, &run->expectations[i]);
    }
    text_add(out, "], \"figures_later\": [");
    for (int i = 0; i < run->plan->figures.count; i++) {
        if (i) text_add(out, ", ");
        json_text(out, run->plan->figures.at[i].name);
    }
    text_add(out, "]");
}

static void json_run(Text *out, const RunReport *run, const KeptEmbeddings *kept, int exit_code) {
    text_add(out, "{");
    json_machine(out, run);
    json_inputs(out, run);
    json_results(out, run);
    if (kept) json_embeddings(out, kept);
    text_add(out, ", \"computed\": %d, \"exit_code\": %d}\n", run->computed, exit_code);
}

void run_json(Text *out, const RunReport *run, int exit_code) { json_run(out, run, NULL, exit_code); }

void run_record(RunReport *run, int exit_code) {
    Session *session = run->session;
    const char *folder = folder_of_run(session, run->run_id);
    KeptEmbeddings kept = {0};
    Text json = {.jre = session->jre}, program = {.jre = session->jre};
    find_compared(run, &kept);
    name_embeddings(run, &kept);
    bool sound = folder_make(session->jre, folder, NOWHERE);
    for (int i = 0; i < kept.count && sound; i++) sound = keep_embedding(run, &kept.at[i], folder);
    for (int i = 0; i < run->plan->evaluations.count && sound; i++)
        if (run->evaluations[i].done && !run->evaluations[i].plan->quoted) sound = keep_neighbors(run, &run->evaluations[i], folder);
    json_run(&json, run, &kept, exit_code);
    print_flat_program(run->compilation, &program);
    if (sound && file_write(session->jre, path_below(session->jre, folder, "config.snapshot.jre"), NOWHERE, program.at ? program.at : "", program.length) &&
        file_write(session->jre, path_below(session->jre, folder, "result.json"), NOWHERE, json.at, json.length))
        session_say(session, "recorded in %s", folder);
    text_free(&json);
    text_free(&program);
}
