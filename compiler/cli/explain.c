/* explain.c: `jre explain`: the plan, and for each network its kernels: what each has to do, what the machine would allow, what it takes.
 *
 * Nothing runs but the loops that find the machine's limits (some tens of milliseconds); with --measure each network runs a few times on
 * made-up pictures, with made-up weights where its own are not there: that changes no time. What was predicted is a limit, not a promise: no
 * kernel is below it, and the share says how near one comes (runtime/core/profile.c).
 *
 * 80 columns: kernels stand under the lines that they come from. A wider terminal has a line for each kernel, place included. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NARROW = 80, WIDE = 130, FURTHER = 4 };       /* FURTHER: where a line goes on that 80 columns do not hold */

typedef struct {
    Jre *jre; Work *work; const Options *options;
    bool wide, asked;                     /* asked: limits are known, or could not be had */
    Limits limits; bool limited;
    Span user, library;                   /* narrow: the lines above the kernels that come next */
    int networks;                         /* told so far */
} Explain;

static int columns_of(FILE *out) {
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : NARROW;
}

/* ---- numbers of three digits ------------------------------------------------------------------------------------------------------ */

static const char *digits(Arena *arena, double number, const char *unit) {
    int places = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    return arena_print(arena, "%.*f%s", places, number, unit);
}

static const char *count_text(Arena *arena, double number) {
    if (number < 1) return "-";
    if (number < 999.5) return arena_print(arena, "%.0f", number);
    return number < 999.5e3 ? digits(arena, number / 1e3, "k") : number < 999.5e6 ? digits(arena, number / 1e6, "M") : digits(arena, number / 1e9, "G");
}

static const char *bytes_text(Arena *arena, double bytes) {
    return bytes < 1024 ? arena_print(arena, "%.0fB", bytes) : bytes < 1023.5 * 1024 ? digits(arena, bytes / 1024, "K") : digits(arena, bytes / 1048576, "M");
}

static const char *time_text(Arena *arena, double seconds) {
    return seconds < 999.5e-6 ? digits(arena, seconds * 1e6, "us") : seconds < 0.9995 ? digits(arena, seconds * 1e3, "ms") : digits(arena, seconds, "s");
}

static const char *result_text(Arena *arena, Shape shape) {
    const char *text = "";
    for (int i = 0; i < shape.rank; i++) {
        const char *size = shape.dim[i] == DIM_BATCH ? "N" : arena_print(arena, "%lld", (long long)shape.dim[i]);
        text = arena_print(arena, "%s%s%s", text, i ? "x" : "", size);
    }
    return shape.rank ? text : "1";
}

/* ---- where a kernel comes from -------------------------------------------------------------------------------------------------------- */

static const char *place_text(const Explain *e, Span span) {
    Place place = place_of(e->jre, span.start);
    return place.source ? arena_print(&e->work->c.arena, "%s:%d", place.source->name, place.line) : "";
}

static bool same_line(const Explain *e, Span a, Span b) {
    Place one = place_of(e->jre, a.start), two = place_of(e->jre, b.start);
    return one.source == two.source && one.line == two.line;
}

/* The document's line, then the library's if that is another. */
static void find_lines(const Explain *e, const Node *node, Span *user, Span *library) {
    *user = origin_user_span(node->origin);
    *library = node->origin ? node->origin->span : NOWHERE;
    if (same_line(e, *user, *library)) *library = NOWHERE;
}

static void print_lines(Explain *e, const Node *node, Text *out) {
    Span user, library;
    find_lines(e, node, &user, &library);
    if (same_line(e, user, e->user) && same_line(e, library, e->library)) return;
    e->user = user, e->library = library;
    text_add(out, "  %s%s%s\n", place_text(e, user), library.start ? ", " : "", library.start ? place_text(e, library) : "");
}

/* ---- the table -------------------------------------------------------------------------------------------------------------------------- */

static const char *cut(Arena *arena, const char *text, size_t most) {
    return strlen(text) <= most ? text : arena_print(arena, "%.*s..", (int)most - 2, text);
}

static const char *short_bound(BoundBy bound) { return bound == BOUND_ARITHMETIC ? "arith." : bound_text(bound); }

static const char *share_text(Arena *arena, const StepProfile *step) { return arena_print(arena, "%.0f%%", 100 * step_share(step)); }

static void print_row(const Explain *e, const Profile *profile, const StepProfile *step, const char *what, const char *variant, const char *result, const char *bound, const char *place, Text *out) {
    Arena *arena = &e->work->c.arena;
    text_add(out, "  %-27s %-9s %-12s %6s", cut(arena, what, 27), cut(arena, variant, 9), cut(arena, result, 12), count_text(arena, step->flops));
    if (e->wide || !profile->measured) text_add(out, " %6s %6s", bytes_text(arena, step->bytes + step->weight_bytes), time_text(arena, step->predicted));
    if (profile->measured) text_add(out, " %6s %5s", time_text(arena, step->seconds), share_text(arena, step));
    text_add(out, e->wide && *place ? " %-6s  %s\n" : *bound ? " %s\n" : "\n", bound, place);
}

static void print_heads(const Explain *e, const Profile *profile, Text *out) {
    text_add(out, "  %-27s %-9s %-12s %6s", "kernel", "variant", "result", "FLOP");
    if (e->wide || !profile->measured) text_add(out, " %6s %6s", "bytes", "limit");
    if (profile->measured) text_add(out, " %6s %5s", "time", "share");
    text_add(out, " bound%s\n", e->wide ? "   from" : "");
}

static void print_steps(Explain *e, const Profile *profile, Text *out) {
    Arena *arena = &e->work->c.arena;
    e->user = e->library = NOWHERE;
    print_heads(e, profile, out);
    for (int i = 0; i < profile->count; i++) {
        const StepProfile *step = &profile->steps[i];
        Span user, library;
        find_lines(e, step->node, &user, &library);
        const char *place = arena_print(arena, "%s%s%s", place_text(e, user), library.start ? ", " : "", library.start ? place_text(e, library) : "");
        if (!e->wide) print_lines(e, step->node, out);
        print_row(e, profile, step, step_text(arena, step->node), step->kernel->variant, result_text(arena, step->node->shape), short_bound(step->bound), place, out);
    }
    print_row(e, profile, &profile->total, arena_print(arena, "all, a batch of %d", profile->pictures), "", "", "", "", out);
}

static void print_limits(const Explain *e, Text *out) {
    const Limits *l = &e->limits;
    const size_t from = out->length;
    text_add(out, "  limits%s: %.0f GFLOP/s; %.1f GB/s near, %.1f GB/s far; %s to start\n", l->stated ? " as stated" : arena_print(&e->work->c.arena, " of %d thread%s", l->threads, plural(l->threads)),
             l->flops / 1e9, l->near / 1e9, l->memory / 1e9, time_text(&e->work->c.arena, l->start));
    text_fold(out, from, FURTHER);
}

/* ---- how long for the data at hand -------------------------------------------------------------------------------------------------------- */

typedef LIST(DatasetPlan *) DatasetList;
static void add_dataset(Explain *e, DatasetList *list, DatasetPlan *dataset) {
    for (int i = 0; i < list->count; i++)
        if (list->at[i] == dataset) return;
    if (dataset) list_add(&e->work->c.arena, list, dataset);
}

/* What is known of the pictures that an embed makes into numbers; reading: seconds a picture, 0 where nobody measured. */
typedef struct { int count; NameList some; double reading; } AtHand;

/* Rows of its table, or files of its pattern. False: its data is not here. */
static bool count_pictures_of(Explain *e, const DatasetPlan *plan, AtHand *hand) {
    enum { SOME = 8 };
    const char *table = plan->table ? path_below(e->jre, plan->root, plan->table) : NULL;
    Dataset dataset = {.plan = plan};
    if (!folder_exists(plan->root) || (table && !file_exists(table)) || !dataset_rows(e->jre, &dataset)) return false;
    for (int i = 0; i < dataset.count && hand->some.count < SOME; i++)
        if (file_exists(dataset.pictures[i].path)) list_add(&e->work->c.arena, &hand->some, dataset.pictures[i].path);
    hand->count += dataset.count;
    return true;
}

/* Of all datasets together; none if one of them is not here. */
static AtHand pictures_for(Explain *e, const EmbedPlan *embed) {
    const Plan *plan = e->work->c.plan;
    DatasetList list = {0};
    AtHand hand = {0};
    for (int i = 0; i < plan->evaluations.count; i++) {
        const EvaluatePlan *evaluation = plan->evaluations.at[i];
        if (!score_speaks_of(e->jre, evaluation->similarity, embed)) continue;
        add_dataset(e, &list, evaluation->on.dataset);
        add_dataset(e, &list, evaluation->against.dataset);
    }
    for (int i = 0; i < plan->submissions.count; i++)
        if (score_speaks_of(e->jre, plan->submissions.at[i]->similarity, embed)) add_dataset(e, &list, plan->submissions.at[i]->on.dataset);
    for (int i = 0; i < list.count; i++)
        if (!count_pictures_of(e, list.at[i], &hand)) return (AtHand){0};
    return hand;
}

/* A few are read, decoded and brought to the view's size, as the loader does it. A view that wants a mask waits for the run. */
static void measure_reading(Explain *e, const View *view, AtHand *hand) {
    const int count = hand->some.count;
    if (!count || view->roles.count || view->later) return;
    PictureLook *looks = arena_array(&e->work->c.arena, PictureLook, count);
    for (int i = 0; i < count; i++) looks[i] = (PictureLook){.path = hand->some.at[i], .mask_kind = MASK_NONE};
    double started = seconds_now();
    Loader *loader = loader_new(e->jre, view, looks, count, 1, e->work->session->pool, NULL);
    const float *pixels;
    int read = 0;
    while (read < count && loader_next(loader, &pixels) > 0) read++;
    loader_free(loader);
    if (read == count) hand->reading = (seconds_now() - started) / count;
}

static bool beats_its_arithmetic(const Profile *profile) {
    for (int i = 0; i < profile->count; i++)
        if (profile->steps[i].bound == BOUND_ARITHMETIC && step_share(&profile->steps[i]) > 1.005) return true;
    return false;
}

static double seconds_a_picture(const Profile *profile) { return (profile->measured ? profile->total.seconds : profile->total.predicted) / profile->pictures; }

static void print_total(Explain *e, const Profile *profile, const AtHand *hand, Text *out) {
    Arena *arena = &e->work->c.arena;
    double each = seconds_a_picture(profile);
    const size_t from = out->length;
    text_add(out, "  %s a picture%s: %s a second; %.1f MiB stay allocated\n", time_text(arena, each), profile->measured ? "" : " at best", digits(arena, 1 / each, ""), mebibytes(profile->memory));
    if (beats_its_arithmetic(profile)) text_add(out, "  FLOP is what the definition says; a share above 100%% multiplies less often\n");
    if (!hand->count) return;
    text_add(out, "  %d picture%s: %s %s", hand->count, plural(hand->count), profile->measured ? "about" : "at least", time_text(arena, (each + hand->reading) * hand->count));
    if (hand->reading > 0) text_add(out, ", %s of it to read them; those in the store cost nothing\n", time_text(arena, hand->reading * hand->count));
    else text_add(out, ", and reading them; those in the store cost nothing\n");
    text_fold(out, from, FURTHER);
}

static void print_budget(const Budget *b, Text *out) {
    const size_t from = out->length;
    text_add(out, "  at most %.1f MiB: %.1f the program, %.1f weights, %.1f computing, %.1f pictures; %.0f MiB are allowed\n", mebibytes(b->all), mebibytes(b->process), mebibytes(b->weights),
             mebibytes(b->slab + b->workspace), mebibytes(b->pictures), mebibytes(b->limit));
    text_fold(out, from, FURTHER);
}

/* ---- for machines ------------------------------------------------------------------------------------------------------------------------------- */

static void member(Text *out, const char *name, const char *text) {
    text_add(out, ", \"%s\": ", name);
    if (text) json_text(out, text);
    else text_add(out, "null");
}

static void seconds_member(Text *out, const char *name, double seconds, bool known) {
    text_add(out, ", \"%s\": ", name);
    if (known) json_number(out, seconds);
    else text_add(out, "null");
}

static void json_costs(Text *out, const StepProfile *step, bool measured) {
    text_add(out, ", \"flops\": %.0f, \"bytes\": %.0f, \"weight_bytes\": %.0f", step->flops, step->bytes, step->weight_bytes);
    seconds_member(out, "predicted_seconds", step->predicted, true);
    seconds_member(out, "seconds", step->seconds, measured);
    seconds_member(out, "share", step_share(step), measured);
}

static void json_steps(const Explain *e, const Profile *profile, Text *out) {
    Arena *arena = &e->work->c.arena;
    for (int i = 0; i < profile->count; i++) {
        const StepProfile *step = &profile->steps[i];
        Span user, library;
        find_lines(e, step->node, &user, &library);
        text_add(out, "%s{\"op\": ", i ? ", " : "");
        json_text(out, op_row(step->node->op)->name);
        member(out, "text", step_text(arena, step->node));
        member(out, "variant", step->kernel->variant);
        text_add(out, ", \"level\": %d", step->kernel->level);
        member(out, "result", result_text(arena, step->node->shape));
        member(out, "place", place_text(e, user));
        member(out, "library", library.start ? place_text(e, library) : NULL);
        member(out, "stage", step->node->stage);
        json_costs(out, step, profile->measured);
        member(out, "bound", bound_text(step->bound));
        text_add(out, "}");
    }
}

static void json_network(Explain *e, const EmbedPlan *embed, const Profile *profile, const AtHand *hand, const Budget *budget, Text *out) {
    const Program *p = embed->program;
    text_add(out, "%s{\"embed\": ", e->networks++ ? ", " : "");
    json_text(out, embed->name);
    member(out, "backbone", embed->backbone);
    member(out, "key", embed->key);
    text_add(out, ", \"width\": %d, \"batch\": %d, \"flops_a_picture\": %.0f, \"weights\": %lld", embed->width, profile->pictures, p->flops, (long long)p->weights);
    text_add(out, ", \"memory\": {\"sum\": %zu, \"planned\": %zu, \"loaded\": %zu, \"all\": %zu, \"asked_batch\": %d, \"computed_twice\": %d", p->sum_bytes, p->slab_bytes, p->loaded_bytes, profile->memory,
             p->asked_batch ? p->asked_batch : p->max_batch, p->computed_again);
    if (e->limits.stated) text_add(out, ", \"peak\": null, \"limit\": null}, \"kernels\": [");           /* who states limits asks of another machine */
    else text_add(out, ", \"peak\": %zu, \"limit\": %zu}, \"kernels\": [", budget->all, budget->limit);
    json_steps(e, profile, out);
    text_add(out, "], \"total\": {\"batch\": %d", profile->pictures);
    json_costs(out, &profile->total, profile->measured);
    text_add(out, "}, \"pictures\": ");
    if (hand->count) text_add(out, "%d", hand->count);
    else text_add(out, "null");
    seconds_member(out, "reading_seconds", hand->reading, hand->reading > 0);
    text_add(out, "}");
}

static void json_limits(const Explain *e, Text *out) {
    const Limits *l = &e->limits;
    text_add(out, ", \"limits\": {\"stated\": %s, \"threads\": %d, \"level\": %d, \"flops_of_one\": %.0f, \"flops\": %.0f, \"near\": %.0f, \"memory\": %.0f, \"start_seconds\": ", l->stated ? "true" : "false",
             l->threads, l->level, l->one_flops, l->flops, l->near, l->memory);
    json_number(out, l->start);
    text_add(out, "}");
}

/* ---- one network -------------------------------------------------------------------------------------------------------------------------------- */

static bool has_limits(Explain *e) {
    if (!e->asked) e->limited = session_limits(e->work->session, &e->limits);
    e->asked = true;
    return e->limited;
}

static bool lacks_weights(const Program *program) {
    for (int i = 0; i < program->graph->nodes.count; i++) {
        const Node *node = program->graph->nodes.at[i];
        if (node->op == OP_weight && node->weights && node->weights->facts && node->weights->facts->made_up) return true;
    }
    return false;
}

/* Its kernels and their limits; what they take if somebody wants to know. False: diagnosed, or interrupted. */
static bool profile_of(Explain *e, const Program *program, Profile *profile) {
    static const double gain = 0.6, patience = 1;
    Session *session = e->work->session;
    if (e->options->measure && lacks_weights(program)) weight_library_make_up(session->weights, gain);
    Executor *executor = e->options->measure ? executor_new(e->jre, program, session->device, session->weights) : executor_sketch(e->jre, program, session->device);
    if (!executor) return false;
    *profile = profile_predict(&e->work->c.arena, executor, program, &e->limits);
    bool sound = !e->options->measure || profile_measure(e->jre, profile, executor, program, patience);
    executor_free(executor);
    return sound;
}

static void tell_network(void *context, const EmbedPlan *embed, Text *out) {
    Explain *e = context;
    Profile profile = {0};
    Budget budget = {0};
    AtHand hand = pictures_for(e, embed);
    const Coming coming = {.view = embed->view, .paths = hand.some.at, .count = hand.some.count, .held = (size_t)hand.count * (size_t)embed->width * sizeof(float)};
    bool json = e->options->run.json, fits = session_fit(e->work->session, embed->program, &coming, embed->name, embed->span, &budget);
    if (!json) program_print(embed->program, out);
    if (!fits || e->jre->interrupted || !has_limits(e) || !profile_of(e, embed->program, &profile)) return;
    if (profile.measured) measure_reading(e, embed->view, &hand);
    if (json) {
        json_network(e, embed, &profile, &hand, &budget, out);
        return;
    }
    print_limits(e, out);
    if (profile.measured && lacks_weights(embed->program)) text_add(out, "  measured with made-up weights: its own are not there\n");
    print_steps(e, &profile, out);
    print_total(e, &profile, &hand, out);
    if (e->options->measure || e->options->run.memory) print_budget(&budget, out);
}

/* ---- the command -------------------------------------------------------------------------------------------------------------------------------- */

/* A file that is not there keeps nobody from seeing what would run. */
static bool only_files_are_missing(Jre *jre) {
    for (int i = 0; i < jre->diagnostics.count; i++) {
        const Diagnostic *d = jre->diagnostics.at[i];
        if (diag_rows[d->code].severity == SEVERITY_ERROR && d->code != DIAG_file_missing) return false;
    }
    return true;
}

static void explain_plan(Explain *e, Text *out) {
    const Plan *plan = e->work->c.plan;
    if (!e->options->run.json) {
        plan_print(&e->work->c, out, tell_network, e);
        return;
    }
    text_add(out, "{\"embeds\": [");
    for (int i = 0; i < plan->embeds.count; i++)
        if (plan->embeds.at[i]->program) tell_network(e, plan->embeds.at[i], out);
    text_add(out, "]");
    if (e->limited) json_limits(e, out);
    text_add(out, "}");
}

static bool arguments_are_sound(Jre *jre, const Options *options) {
    const char *wrong = !options->names.count ? NULL : options->run.json ? "--json" : options->measure ? "--measure" : NULL;
    if (wrong) diag_help(diag(jre, DIAG_wrong_argument, NOWHERE, "%s is about kernels, an expression has none", wrong), "leave out the one or the other");
    return !wrong;
}

int explain_command(Jre *jre, Options *options) {
    Work work = {0};
    Explain e = {.jre = jre, .work = &work, .options = options, .wide = columns_of(stdout) >= WIDE};
    Text text = {.jre = jre};
    bool asked = arguments_are_sound(jre, options), sound = asked && work_begin(&work, jre, options, false);
    if (asked && !options->dump && work.session && work.c.plan && (sound || only_files_are_missing(jre))) {
        for (int i = 0; i < options->names.count && sound; i++) describe_expression(&work.c, options->names.at[i], &text);
        if (!options->names.count) explain_plan(&e, &text);
    }
    if (options->run.json) printf("{\"explain\": %s, \"findings\": ", text.length ? text.at : "null");
    else if (text.length) fputs(text.at, stdout);
    text_free(&text);
    int status = report_findings(jre, options);
    if (options->run.json) puts("}");
    work_end(&work, options);
    return status;
}
