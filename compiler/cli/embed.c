/* embed.c: `jre embed`: any pictures, or numbers that stand for them, through a network of a document, into one array for other programs.
 *
 * In: an embed of the document, and pictures (or an array [N, 3, H, W], which goes past the view). Out: an array with a row for each, in
 * the order given, and beside it a table that says which row is which picture. A picture that cannot be read has no row; the others have
 * theirs, also where the work is interrupted, and the exit code tells. Nothing goes into the store. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, LARGEST_SIDE = 4096 };

typedef struct {
    Jre *jre; const Options *options; Work work;
    const EmbedPlan *embed; const char *name;
    Program *program; Executor *executor;
    int asked, done; int64_t width;       /* rows; numbers in one */
    float *values; int room;
    NameList files;                       /* of the rows that are done */
    double first_seconds;                 /* until the first numbers were there */
} Embedding;

/* ---- what is to be computed --------------------------------------------------------------------------------------------------- */

static bool arguments_are_sound(Jre *jre, const Options *options) {
    static const char *const help = "for instance: jre embed pipelines/v01.jre features photos/*.jpg -o features.npy";
    int pictures = options->names.count - 1;
    const char *wrong = NULL;
    if (options->names.count < 1) wrong = "the name of an embed was expected behind the document";
    else if (!pictures && !options->tensor) wrong = "no pictures are named";
    else if (pictures && options->tensor) wrong = "pictures or a --tensor can be embedded, not both at once";
    else if (!options->out) wrong = "where should the numbers go? An -o is missing";
    else if (strlen(options->out) < 5 || strcmp(options->out + strlen(options->out) - 4, ".npy") != 0) wrong = "the numbers are written as a NumPy array, so the name behind -o ends in .npy";
    if (wrong) diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "%s", wrong), "%s", help);
    return !wrong;
}

/* Nobody has its weights yet, or a step of its view is not computed yet. */
static bool can_run(const Embedding *e) {
    const Compilation *c = &e->work.c;
    const char *what = e->embed->train ? "networks that are trained" : NULL;
    for (int i = 0; i < c->plan->later.count && !what; i++)
        if (!strcmp(c->plan->later.at[i].name, e->embed->name)) what = c->plan->later.at[i].what;
    if (!e->embed->later && !what) return true;
    Diagnostic *d = diag(e->jre, DIAG_not_yet, e->embed->span, "`%s` needs %s, which this version checks and does not run yet", e->embed->name, what ? what : "something");
    diag_help(d, "name an embed of a network whose weights come from a file");
    return false;
}

/* More than pixels is wanted of a picture: the document has a mask for each, a file by itself has none. */
static bool view_needs_pixels_only(const Embedding *e) {
    const View *view = e->embed->view;
    if (!view->roles.count || e->options->tensor) return true;
    Diagnostic *d = diag(e->jre, DIAG_wrong_argument, view->roles.at[0].span, "the view `%s` also wants a %s of each picture, which only a dataset has", view->name, view->roles.at[0].type);
    diag_help(d, "give the network its input by --tensor, or name an embed whose view looks at pixels alone");
    return false;
}

static const char *size_text(Arena *arena, const Array *array) {
    const char *text = "[";
    for (int i = 0; i < array->rank; i++) text = arena_print(arena, "%s%s%lld", text, i ? ", " : "", (long long)array->dim[i]);
    return arena_print(arena, "%s]", text);
}

static bool tensor_is_sound(Embedding *e, const Array *tensor) {
    const View *view = e->embed->view;
    bool sound = tensor->rank == 4 && tensor->dim[0] >= 1 && tensor->dim[0] <= INT32_MAX && tensor->dim[1] == 3 && tensor->dim[2] >= 1 && tensor->dim[2] <= LARGEST_SIDE && tensor->dim[3] >= 1 &&
                 tensor->dim[3] <= LARGEST_SIDE;
    if (sound) return true;
    Diagnostic *d = diag(e->jre, DIAG_shape_mismatch, NOWHERE, "I expected an array [N, 3, height, width] of one picture at least, `%s` is %s", e->options->tensor, size_text(&e->work.session->arena, tensor));
    diag_fact(d, "through the view `%s` this network sees [N, 3, %d, %d]", view->name, view->height, view->width);
    diag_help(d, "in NumPy: array.transpose(0, 3, 1, 2) brings the colors of [N, height, width, 3] to their place");
    return false;
}

/* The embed's own program, or one for a value inside it or for an input of another size. */
static bool choose_program(Embedding *e, const Choice *choices, const Array *tensor) {
    View view = *e->embed->view;
    e->program = e->embed->program;
    if (tensor) view.height = (int)tensor->dim[2], view.width = (int)tensor->dim[3];
    if (e->options->tap || view.height != e->embed->view->height || view.width != e->embed->view->width)
        e->program = lower_inside(&e->work.c, choices, e->embed->network, &view, e->options->tap, e->embed->span).program;
    if (!e->program) return false;
    e->width = shape_elements(e->program->output, 1);
    Budget budget;
    const size_t held = tensor ? 0 : BATCH * 3 * sizeof(float) * (size_t)view.width * (size_t)view.height;
    const Coming coming = {.view = tensor ? NULL : &view, .paths = e->options->names.at + 1, .count = e->options->names.count - 1, .held = held};
    if (!session_fit(e->work.session, e->program, &coming, e->name, e->embed->span, &budget)) return false;
    e->executor = executor_new(e->jre, e->program, e->work.session->device, e->work.session->weights);
    return e->executor != NULL;
}

/* ---- pictures to rows --------------------------------------------------------------------------------------------------------------- */

static bool run_rows(Embedding *e, const float *input, int count, double started) {
    if (!count) return true;
    if (e->done + count > e->room) {
        e->room = 2 * e->room + count;
        e->values = jre_grow(e->jre, e->values, (size_t)e->room * (size_t)e->width * sizeof(float));
    }
    executor_names(e->executor, e->options->tensor ? NULL : e->files.at + e->done);
    if (!executor_run(e->executor, input, count, e->values + (size_t)e->done * (size_t)e->width)) return false;
    if (!e->done) e->first_seconds = seconds_now() - started;
    e->done += count;
    return true;
}

static bool run_tensor(Embedding *e, const Array *tensor, double started) {
    const size_t pixels = (size_t)(3 * tensor->dim[2] * tensor->dim[3]);
    for (int at = 0; at < e->asked; at += BATCH) {
        int count = e->asked - at < BATCH ? e->asked - at : BATCH;
        if (!run_rows(e, tensor->values + (size_t)at * pixels, count, started)) return false;
    }
    return true;
}

/* Files that no dataset speaks of: as they are stored, their mask is their own transparency. */
static const PictureLook *looks_of(Embedding *e, const View *view) {
    PictureLook *looks = arena_array(&e->work.session->arena, PictureLook, e->asked + 1);
    for (int i = 0; i < e->asked; i++) looks[i] = (PictureLook){.path = e->options->names.at[i + 1], .mask_kind = view_wants(view, "Mask") ? MASK_ALPHA : MASK_NONE};
    return looks;
}

/* Pictures come one by one, so that one which cannot be read costs itself alone; they are computed together. The first goes
 * ahead: its numbers tell that all is well. */
static bool run_pictures(Embedding *e, double started) {
    const View *view = e->embed->view;
    const size_t pixels = 3 * (size_t)view->width * (size_t)view->height;
    Session *session = e->work.session;
    Loader *loader = loader_new(e->jre, view, looks_of(e, view), e->asked, 1, session->pool, NULL);
    Progress bar = progress_start(stderr, e->options->run.quiet || e->options->run.json, arena_print(&session->arena, "embed %s", e->name), e->asked);
    float *input = jre_allocate(e->jre, BATCH * pixels * sizeof(float));
    bool sound = true;
    int held = 0;
    for (int i = 0; i < e->asked && sound && !e->jre->interrupted; i++) {
        const float *picture;
        if (loader_next(loader, &picture) > 0) {
            memcpy(input + (size_t)held++ * pixels, picture, pixels * sizeof(float));
            list_add(&session->arena, &e->files, e->options->names.at[i + 1]);
        }
        if (held && (held == BATCH || !e->done || i + 1 == e->asked)) sound = run_rows(e, input, held, started), held = 0;
        progress_step(&bar, i + 1);
    }
    progress_end(&bar);
    jre_release(input);
    loader_free(loader);
    return sound;
}

/* ---- results ---------------------------------------------------------------------------------------------------------------------------- */

/* "out.csv" for "out.npy". */
static const char *table_beside(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    size_t length = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    return arena_print(arena, "%.*s.csv", (int)length, path);
}

static bool write_rows(Embedding *e, const char *table) {
    Text rows = {.jre = e->jre};
    int64_t dim[TENSOR_RANK] = {e->done};
    const Shape *shape = &e->program->output;
    int rank = 1, first = shape->rank && shape->dim[0] == DIM_BATCH;
    for (int i = first; i < shape->rank; i++) dim[rank++] = shape->dim[i];
    text_add(&rows, "row,file\n");
    for (int i = 0; i < e->done && i < e->files.count; i++) {
        text_add(&rows, "%d,", i);
        csv_cell(&rows, e->files.at[i]);
        text_add(&rows, "\n");
    }
    bool written = npy_write(e->jre, e->options->out, NOWHERE, e->values, rank, dim) && (!table || file_write(e->jre, table, NOWHERE, rows.at, rows.length));
    text_free(&rows);
    return written;
}

static void say_written(const Embedding *e, const char *table, double seconds) {
    const Options *options = e->options;
    Text shape = {.jre = e->jre};
    text_add(&shape, "%d", e->done);
    for (int i = e->program->output.rank && e->program->output.dim[0] == DIM_BATCH; i < e->program->output.rank; i++) text_add(&shape, " x %lld", (long long)e->program->output.dim[i]);
    if (options->run.json) {
        Text out = {.jre = e->jre};
        text_add(&out, "{\"name\": ");
        json_text(&out, e->name);
        text_add(&out, ", \"asked\": %d, \"rows\": %d, \"width\": %lld, \"seconds\": %.6f, \"first_seconds\": %.6f, \"array\": ", e->asked, e->done, (long long)e->width, seconds, e->first_seconds);
        json_text(&out, options->out);
        text_add(&out, ", \"table\": ");
        if (table) json_text(&out, table);
        else text_add(&out, "null");
        text_add(&out, ", \"memory\": {\"planned\": %zu, \"taken\": %zu}}", e->work.session->planned, memory_taken(true));
        fputs(out.at, stdout);
        text_free(&out);
    } else if (!options->run.quiet) {
        printf("%s: %s numbers in %s", e->name, shape.at, options->out);
        if (table) printf(", their files in %s", table);
        printf("     %.2f s, the first after %.2f s\n", seconds, e->first_seconds);
        if (e->done < e->asked) printf("%d of %d pictures have no row\n", e->asked - e->done, e->asked);
    }
    text_free(&shape);
}

/* ---- the command ----------------------------------------------------------------------------------------------------------------------------- */

/* True: there are rows. */
static bool embed(Embedding *e, Array *tensor, double started) {
    const Options *options = e->options;
    const Choice *choices = NULL;
    e->name = options->names.at[0];
    e->embed = embed_named(&e->work.c, e->name, &choices);
    if (!e->embed || !can_run(e) || !view_needs_pixels_only(e)) return false;
    if (options->tensor && (!npy_read(e->jre, options->tensor, NOWHERE, tensor) || !tensor_is_sound(e, tensor))) return false;
    e->asked = options->tensor ? (int)tensor->dim[0] : options->names.count - 1;
    if (!choose_program(e, choices, options->tensor ? tensor : NULL)) return false;
    if (options->tensor) run_tensor(e, tensor, started);
    else run_pictures(e, started);
    if (!e->done) return false;
    const char *table = options->tensor ? NULL : table_beside(&e->work.session->arena, options->out);
    if (!write_rows(e, table)) return false;
    say_written(e, table, seconds_now() - started);
    return true;
}

int embed_command(Jre *jre, Options *options) {
    Embedding e = {.jre = jre, .options = options};
    Array tensor = {0};
    double started = seconds_now();
    if (options->run.json) fputs("{\"embed\": ", stdout);
    bool done = arguments_are_sound(jre, options) && work_begin(&e.work, jre, options, false) && embed(&e, &tensor, started);
    if (options->run.json) fputs(done ? ", \"findings\": " : "null, \"findings\": ", stdout);
    int status = report_findings(jre, options);
    if (options->run.json) puts("}");
    if (e.executor) executor_free(e.executor);
    jre_release(e.values);
    jre_release(tensor.values);
    work_end(&e.work, options);
    return status;
}
