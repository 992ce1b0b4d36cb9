/* plan.c: what `jre run` walks.
 *
 * Each record of the flat program is evaluated into a typed struct. A record that depends on an `each` becomes a family: one
 * member for each choice, called by its text if that is a name or a literal, else by the name it calls. Records that
 * later versions run say so in one message. */
#include "compiler.h"

#include <string.h>

const char *const metric_names[] = {"map", "rank1", "rank5", "chance", "low", "high", "spread", "queries", "individuals",
                                    "best.ap", "worst.ap", "best.identity", "worst.identity", "seconds_per_image", NULL};

/* ---- settings -------------------------------------------------------------------------------------------------------- */

static const Setting *setting(const Decl *decl, const char *key) {
    for (int i = 0; i < decl->settings.count; i++)
        if (!strcmp(decl->settings.at[i].key, key)) return &decl->settings.at[i];
    return NULL;
}

Span setting_span(const Decl *decl, const char *key) {
    const Setting *s = setting(decl, key);
    return s && s->value ? s->value->span : decl->statement->name_span;
}

static void *wrong_setting(Compilation *c, const Setting *s, const char *wanted, const char *example) {
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->value->span, "%s was expected", wanted);
    diag_help(d, "for instance: %s %s", s->key, example);
    return NULL;
}

/* Text of a setting, or NULL if it is absent (or wrong: diagnosed). */
static const char *text_setting(Compilation *c, const Decl *decl, const char *key) {
    const Setting *s = setting(decl, key);
    if (!s || !s->value) return NULL;
    return s->value->kind == EXPR_TEXT ? s->value->name : wrong_setting(c, s, "a text in quotes", "\"...\"");
}

/* One word of a few. */
static const char *word_setting(Compilation *c, const Decl *decl, const char *key, const char *const *words, const char *fallback) {
    const Setting *s = setting(decl, key);
    if (!s || !s->value) return fallback;
    const char *known = "";
    int count = 0;
    for (; words[count]; count++) {
        if (s->value->kind == EXPR_NAME && !strcmp(s->value->name, words[count])) return words[count];
        known = arena_print(&c->arena, "%s%s%s", known, count ? ", " : "", words[count]);
    }
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->value->span, "`%s` is one of: %s", key, known);
    const char *near = s->value->kind == EXPR_NAME ? nearest_name(s->value->name, words, count) : NULL;
    diag_help(d, near ? "did you mean `%s`?" : "for instance `%s`", near ? near : words[0]);
    return fallback;
}

static bool whole_setting(Compilation *c, const Decl *decl, const char *key, double low, double high, double *number) {
    const Setting *s = setting(decl, key);
    if (!s || !s->value) return false;
    Value *v = evaluate(environment_new(c, decl->scope, NULL), s->value);
    if (v->kind == VALUE_NONE) return false;
    if (v->kind == VALUE_NUMBER && v->whole && !v->unit && v->number >= low && v->number <= high) {
        *number = v->number;
        return true;
    }
    wrong_setting(c, s, arena_print(&c->arena, "a whole number from %.0f to %.0f", low, high), arena_print(&c->arena, "%.0f", low < 5 ? 5 : low));
    return false;
}

static void come_later(Compilation *c, const Decl *decl, const char *const *keys) {
    for (int i = 0; keys[i]; i++) {
        const Setting *s = setting(decl, keys[i]);
        if (s) diag(c->jre, DIAG_not_yet, s->span, "`%s` of a %s comes with a later version", keys[i], kind_name(decl->record));
    }
}

/* A path belongs to the folder of the document that wrote it. */
static const char *beside_document(Compilation *c, Span written, const char *path) {
    const Source *source = source_of(c->jre, written);
    if (path[0] == '/' || !source || !strcmp(source->folder, ".")) return path;
    return arena_print(&c->arena, "%s/%s", source->folder, path);
}

/* ---- datasets and splits ---------------------------------------------------------------------------------------------- */

/* "{column}" alone is that column. */
static const char *column_of(Compilation *c, const Decl *decl, const char *key) {
    const Setting *s = setting(decl, key);
    const char *text = text_setting(c, decl, key);
    if (!text) return NULL;
    size_t length = strlen(text);
    bool alone = length > 2 && text[0] == '{' && text[length - 1] == '}' && strcspn(text + 1, "{}") == length - 2;
    if (alone) return arena_copy(&c->arena, text + 1, length - 2);
    Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->value->span, "one column of the table was expected");
    diag_help(d, "write its name in braces: \"{ground_truth}\"");
    return NULL;
}

/* A word that is neither known nor one that later versions know. */
static void no_such_word(Compilation *c, const Expr *e, const char *const *known, int count, const char *const *later, const char *what) {
    const char *name = e->kind == EXPR_CALL && e->target->kind == EXPR_NAME ? e->target->name : e->kind == EXPR_NAME ? e->name : NULL;
    for (int i = 0; name && later[i]; i++)
        if (!strcmp(name, later[i])) {
            diag(c->jre, DIAG_not_yet, e->span, "`%s` comes with a later version", name);
            return;
        }
    const char *list = "";
    for (int i = 0; i < count; i++) list = arena_print(&c->arena, "%s %s", list, known[i]);
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, e->span, "no %s is called so", what);
    diag_fact(d, "known are:%s", list);
    const char *near = name ? nearest_name(name, known, count) : NULL;
    if (near) diag_help(d, "did you mean `%s`?", near);
    else diag_help(d, "write one of these");
}

static void read_burst(Compilation *c, const Decl *decl, DatasetPlan *dataset) {
    const Setting *s = setting(decl, "burst");
    dataset->within = 8;
    dataset->burst_span = s ? s->span : decl->statement->name_span;
    if (!s) return;
    if (s->value->kind == EXPR_TEXT) {
        dataset->burst_column = column_of(c, decl, "burst");
        dataset->within = -1;
        return;
    }
    const Expr *e = s->value;
    bool likeness = e->kind == EXPR_CALL && e->target->kind == EXPR_NAME && !strcmp(e->target->name, "near_duplicates");
    if (likeness && e->arguments.count == 0) return;
    const Argument *within = likeness && e->arguments.count == 1 ? &e->arguments.at[0] : NULL;
    bool named = within && within->name && !strcmp(within->name, "within") && within->value->kind == EXPR_NUMBER && !within->value->unit;
    if (named && within->value->number <= 20 && within->value->number == (int)within->value->number) {
        dataset->within = (int)within->value->number;
        return;
    }
    if (!likeness) {
        no_such_word(c, e, (const char *const[]){"near_duplicates"}, 1, (const char *const[]){"within", NULL}, "way to find bursts");
        return;
    }
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, e->span, "a distance of 0 to 20 bits was expected");
    diag_help(d, "near_duplicates(within = 8), or a column: \"{encounter}\"");
}

static void plan_dataset(Compilation *c, Decl *decl) {
    DatasetPlan *dataset = arena_new(&c->arena, DatasetPlan);
    *dataset = (DatasetPlan){.name = decl->name, .span = decl->statement->name_span};
    const char *root = text_setting(c, decl, "root");
    const Source *source = source_of(c->jre, decl->statement->span);
    dataset->root = root ? beside_document(c, setting_span(decl, "root"), root) : source ? source->folder : ".";
    dataset->table = text_setting(c, decl, "table");
    dataset->image = text_setting(c, decl, "image");
    dataset->identity = column_of(c, decl, "identity");
    dataset->flank = column_of(c, decl, "flank");
    dataset->table_span = setting_span(decl, "table");
    dataset->image_span = setting_span(decl, "image");
    dataset->identity_span = setting_span(decl, "identity");
    read_burst(c, decl, dataset);
    word_setting(c, decl, "pattern", (const char *const[]){"asymmetric", "symmetric", NULL}, "asymmetric");
    dataset->skip_missing = !strcmp(word_setting(c, decl, "missing", (const char *const[]){"refuse", "skip", NULL}, "refuse"), "skip");
    word_setting(c, decl, "exif", (const char *const[]){"ignore", NULL}, "ignore");
    come_later(c, decl, (const char *const[]){"label", "mask", "taken", "keep", "only", NULL});
    if (!dataset->image) return;
    if ((setting(decl, "table") && !dataset->table) || (setting(decl, "identity") && !dataset->identity)) return;
    if (!dataset->table && strchr(dataset->image, '{')) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, dataset->image_span, "a column is named, but there is no table");
        diag_help(d, "add: table \"train.csv\", or name the pictures by a pattern: \"pictures/*.png\"");
        return;
    }
    list_add(&c->arena, &c->plan->datasets, dataset);
}

static DatasetPlan *dataset_named(const Compilation *c, const char *name) {
    for (int i = 0; i < c->plan->datasets.count; i++)
        if (!strcmp(c->plan->datasets.at[i]->name, name)) return c->plan->datasets.at[i];
    return NULL;
}

static SplitPlan *split_named(const Compilation *c, const char *name) {
    for (int i = 0; i < c->plan->splits.count; i++)
        if (!strcmp(c->plan->splits.at[i]->name, name)) return c->plan->splits.at[i];
    return NULL;
}

static void plan_split(Compilation *c, Decl *decl) {
    SplitPlan *split = arena_new(&c->arena, SplitPlan);
    *split = (SplitPlan){.name = decl->name, .span = decl->statement->name_span, .identities_span = setting_span(decl, "identities")};
    split->disjoint = !strcmp(word_setting(c, decl, "identities", (const char *const[]){"shared", "disjoint", NULL}, "shared"), "disjoint");
    split->together_burst = word_setting(c, decl, "together", (const char *const[]){"burst", NULL}, NULL) != NULL;
    come_later(c, decl, (const char *const[]){"shares", "column", "validate", NULL});
    double number = 0;
    if (whole_setting(c, decl, "seed", 0, 9e15, &number)) split->seed = (uint64_t)number;
    if (whole_setting(c, decl, "folds", 2, 100, &number)) split->folds = (int)number;
    const Setting *data = setting(decl, "data");
    Value *v = data ? evaluate(environment_new(c, decl->scope, NULL), data->value) : NULL;
    if (!v || v->kind == VALUE_NONE) return;
    split->data = v->kind == VALUE_RECORD && v->decl->record == KIND_dataset ? dataset_named(c, v->decl->name) : NULL;
    if (!split->data) {
        if (v->kind == VALUE_PART) diag(c->jre, DIAG_not_yet, data->value->span, "a split of a part comes with a later version");
        else if (v->kind != VALUE_RECORD || v->decl->record != KIND_dataset) wrong_setting(c, data, "a dataset", "jaguars");
        return;
    }
    if (!split->folds) {
        if (!setting(decl, "folds") && !setting(decl, "shares") && !setting(decl, "column")) {
            Diagnostic *d = diag(c->jre, DIAG_missing_key, decl->statement->name_span, "`split` does not say how to split");
            diag_help(d, "add: folds 5");
        }
        return;
    }
    if (!split->data->identity) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, data->value->span, "`%s` does not say who is on its pictures", split->data->name);
        diag_help(d, "add to the dataset: identity \"{column}\"");
        return;
    }
    list_add(&c->arena, &c->plan->splits, split);
}

/* ---- embeds and similarities ------------------------------------------------------------------------------------------------ */

static View *view_of(Compilation *c, const Choice *choices, const Decl *decl) {
    const Setting *s = setting(decl, "view");
    if (!s) return NULL;
    Environment *env = environment_new(c, decl->scope, choices);
    if (s->value->kind == EXPR_LIST) {
        diag(c->jre, DIAG_not_yet, s->value->span, "several views of one picture come with a later version");
        return NULL;
    }
    Value *v = evaluate(env, s->value);
    if (v->kind == VALUE_NONE) return NULL;
    if (v->kind != VALUE_FORMULA || v->decl->statement->formula != FORMULA_augment) return wrong_setting(c, s, "an augment", "plain");
    return evaluate_view(c, choices, v, s->value->span);
}

/* What this version checks and does not compute, in an embed that is asked for. */
static EmbedPlan *embed_later(Compilation *c, const char *what, Span span) {
    diag(c->jre, DIAG_not_yet, span, "`%s` is in the language, this version does not compute it yet", what);
    return NULL;
}

/* "filter bank", but "resnet50": what learned nothing is called by the words of its name. */
static const char *backbone_words(Compilation *c, const char *name, const Program *program) {
    if (program->weights || !name) return name ? name : "none";
    char *words = arena_copy(&c->arena, name, strlen(name));
    for (char *at = words; *at; at++)
        if (*at == '_') *at = ' ';
    return words;
}

static EmbedPlan *new_embed(Compilation *c, Decl *decl, const Choice *choices) {
    const Setting *network = setting(decl, "network");
    if (!network || decl->poisoned) return NULL;
    come_later(c, decl, (const char *const[]){"pool", NULL});
    word_setting(c, decl, "arithmetic", (const char *const[]){"f32", NULL}, "f32");
    View *view = view_of(c, choices, decl);
    Value *v = evaluate(environment_new(c, decl->scope, choices), network->value);
    if (!view || v->kind == VALUE_NONE) return NULL;
    if (v->kind == VALUE_RECORD && v->decl->record == KIND_train) {
        Diagnostic *d = diag(c->jre, DIAG_not_yet, network->value->span, "this network is to be trained, and training comes with a later version");
        diag_also(d, v->decl->statement->name_span, "declared here");
        return NULL;
    }
    if (v->kind != VALUE_FORMULA || v->decl->statement->formula == FORMULA_loss) return wrong_setting(c, network, "a network", "Eye");
    EmbedPlan *embed = arena_new(&c->arena, EmbedPlan);
    *embed = (EmbedPlan){.name = decl->name, .span = decl->statement->name_span, .view = view};
    Lowered lowered = lower_network(c, choices, v, view, network->value->span);
    if (lowered.later) return embed_later(c, lowered.later, lowered.later_span);
    if (!lowered.program) return NULL;
    if (view->later) return embed_later(c, view->later, view->later_span);
    embed->program = lowered.program;
    embed->backbone = backbone_words(c, lowered.backbone, embed->program);
    embed->width = lowered.width;
    embed->key = key_of_text(c, arena_print(&c->arena, "embed f32\n%s\n%s", embed->program->key, view_canonical(&c->arena, view)));
    for (int i = 0; i < c->plan->embeds.count; i++)                /* members of equal keys are computed once */
        if (!strcmp(c->plan->embeds.at[i]->key, embed->key)) return c->plan->embeds.at[i];
    list_add(&c->arena, &c->plan->embeds, embed);
    return embed;
}

/* An embed is compiled once for the choices that it depends on, however many records use it. NULL: diagnosed. */
static EmbedPlan *plan_embed(Compilation *c, Decl *decl, const Choice *choices) {
    AxisList axes = {0};
    axes_of_decl(c, decl, &axes);
    const char *key = arena_print(&c->arena, "%p", (void *)decl);
    for (const Choice *choice = choices; choice; choice = choice->next)
        for (int i = 0; i < axes.count; i++)
            if (axes.at[i] == choice->axis) key = arena_print(&c->arena, "%s %p %d", key, (const void *)choice->axis, choice->index);
    void *known = map_get(&c->embeds, key);
    EmbedPlan *embed = known == c ? NULL : known;
    if (!known) {
        embed = new_embed(c, decl, choices);
        map_set(&c->embeds, &c->arena, key, embed ? (void *)embed : c);          /* c itself: tried, and diagnosed */
    }
    return embed;
}

static SimilarityPlan *similarity_of(Compilation *c, Decl *decl, const Choice *choices) {
    const Setting *s = setting(decl, "similarity");
    if (!s) return NULL;
    Value *v = evaluate(environment_new(c, decl->scope, choices), s->value);
    if (v->kind == VALUE_NONE) return NULL;
    if (v->kind == VALUE_RECORD && (v->decl->record == KIND_boost || v->decl->record == KIND_ensemble)) {
        diag(c->jre, DIAG_not_yet, s->value->span, "a %s comes with a later version", kind_name(v->decl->record));
        return NULL;
    }
    if (v->kind != VALUE_SIMILARITY) {                             /* told once, where it was written, however many records use it */
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, v->span, "a similarity was expected, this is %s", value_kind_text(v));
        diag_also(d, s->value->span, "used here");
        diag_help(d, "for instance: similarity cosine(features)");
        return NULL;
    }
    SimilarityPlan *similarity = arena_new(&c->arena, SimilarityPlan);
    similarity->span = s->value->span;
    similarity->embed = plan_embed(c, v->decl, choices);
    if (!similarity->embed) return NULL;
    return similarity;
}

/* ---- evaluations and submissions ---------------------------------------------------------------------------------------------- */

static bool part_of(Compilation *c, Decl *decl, DatasetPlan **dataset, SplitPlan **split, const char **part) {
    const Setting *s = setting(decl, "on");
    if (!s) return false;
    Value *v = evaluate(environment_new(c, decl->scope, NULL), s->value);
    if (v->kind == VALUE_NONE) return false;
    if (v->kind == VALUE_RECORD && v->decl->record == KIND_dataset) {
        *dataset = dataset_named(c, v->decl->name);
        return *dataset != NULL;
    }
    if (v->kind != VALUE_PART) return wrong_setting(c, s, "a dataset, or a part of a split", "folds.held_out") != NULL;
    *split = split_named(c, v->decl->name);
    *part = v->part;
    if (!*split) return false;
    *dataset = (*split)->data;
    if (!strcmp(v->part, "held_out")) return true;
    diag(c->jre, DIAG_not_yet, s->value->span, "this version examines `%s.held_out` or a whole dataset", v->decl->name);
    return false;
}

static void read_metrics(Compilation *c, const Decl *decl, EvaluatePlan *evaluation) {
    static const char *const known[] = {"map", "rank1", "rank5"};
    const Setting *s = setting(decl, "metrics");
    if (!s) return;
    if (s->value->kind != EXPR_LIST) {
        wrong_setting(c, s, "a list", "[map, rank1, rank5]");
        return;
    }
    for (int i = 0; i < s->value->arguments.count; i++) {
        const Expr *metric = s->value->arguments.at[i].value;
        const char *found = NULL;
        for (int k = 0; k < 3; k++)
            if (metric->kind == EXPR_NAME && !strcmp(metric->name, known[k])) found = known[k];
        if (found) {
            list_add(&c->arena, &evaluation->metrics, found);
            continue;
        }
        no_such_word(c, metric, known, 3, (const char *const[]){"accuracy", "assigned", "false_matches", "rank10", NULL}, "metric");
    }
}

static void plan_evaluation(Compilation *c, Decl *decl, const Member *member) {
    EvaluatePlan *evaluation = arena_new(&c->arena, EvaluatePlan);
    *evaluation = (EvaluatePlan){.name = decl->name, .span = decl->statement->name_span, .member = member->name, .choices = member->choices};
    bool placed = part_of(c, decl, &evaluation->dataset, &evaluation->split, &evaluation->part);
    come_later(c, decl, (const char *const[]){"against", "gallery", NULL});
    read_metrics(c, decl, evaluation);
    evaluation->average_identity = !strcmp(word_setting(c, decl, "average", (const char *const[]){"identity", "query", NULL}, "identity"), "identity");
    evaluation->lonely_zero = !strcmp(word_setting(c, decl, "lonely", (const char *const[]){"skip", "zero", NULL}, "skip"), "zero");
    evaluation->record = text_setting(c, decl, "record");
    evaluation->record_span = setting_span(decl, "record");
    evaluation->notes = text_setting(c, decl, "notes");
    evaluation->similarity = similarity_of(c, decl, member->choices);
    if (!placed || !evaluation->similarity) return;
    if (!evaluation->dataset->identity) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, setting_span(decl, "on"), "`%s` does not say who is on its pictures", evaluation->dataset->name);
        diag_help(d, "add to the dataset: identity \"{column}\"");
        return;
    }
    list_add(&c->arena, &c->plan->evaluations, evaluation);
}

/* "{version}-{backbone}.csv", filled; every open choice must stand in braces, or two members would write one file. */
static const char *fill_template(Compilation *c, const char *text, Span span, const MemberName *member) {
    const char *filled = "";
    bool *used = arena_array(&c->arena, bool, member->count + 1);
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "{");
        filled = arena_print(&c->arena, "%s%.*s", filled, (int)plain, at);
        at += plain;
        if (!*at) break;
        size_t length = strcspn(at, "}");
        const char *name = arena_copy(&c->arena, at + 1, length > 1 ? length - 1 : 0), *value = NULL;
        if (!strcmp(name, "version")) value = c->version;
        for (int i = 0; i < member->count; i++)
            if (!strcmp(name, member->at[i].axis)) value = member->at[i].choice, used[i] = true;
        if (!value || at[length] != '}') {
            Diagnostic *d = diag(c->jre, DIAG_unknown_name, span, "`{%s}` is neither the version nor an open choice", name);
            diag_help(d, "known are {version}%s%s%s", member->count ? " {" : "", member->count ? member->at[0].axis : "", member->count ? "}" : "");
            return NULL;
        }
        filled = arena_print(&c->arena, "%s%s", filled, value);
        at += length + 1;
    }
    for (int i = 0; i < member->count; i++) {
        if (used[i]) continue;
        Diagnostic *d = diag(c->jre, DIAG_undecided_choice, span, "every choice of `%s` would write this same file", member->at[i].axis);
        diag_help(d, "put the choice into the name: {%s}", member->at[i].axis);
        return NULL;
    }
    return filled;
}

static void plan_submission(Compilation *c, Decl *decl, const Member *member) {
    SubmitPlan *submission = arena_new(&c->arena, SubmitPlan);
    *submission = (SubmitPlan){.name = decl->name, .span = decl->statement->name_span, .member = member->name};
    SplitPlan *split = NULL;
    const char *part = NULL;
    bool placed = part_of(c, decl, &submission->dataset, &split, &part);
    if (split) diag(c->jre, DIAG_not_yet, setting_span(decl, "on"), "this version submits whole datasets");
    come_later(c, decl, (const char *const[]){"gallery", NULL});
    submission->pairs = text_setting(c, decl, "pairs");
    submission->pairs_span = setting_span(decl, "pairs");
    if (!submission->pairs && !setting(decl, "pairs"))
        diag(c->jre, DIAG_not_yet, decl->statement->name_span, "this version submits the pairs of a file: pairs \"test.csv\"");
    submission->similarity = similarity_of(c, decl, member->choices);
    if (!submission->similarity) return;
    const char *file = text_setting(c, decl, "file");
    submission->file_span = setting_span(decl, "file");
    submission->file = file ? fill_template(c, file, submission->file_span, &member->name) : NULL;
    if (placed && !split && submission->pairs && submission->file) list_add(&c->arena, &c->plan->submissions, submission);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------------------- */

static void plan_family(Compilation *c, Decl *decl, void (*plan_member)(Compilation *, Decl *, const Member *)) {
    AxisList axes = {0};
    MemberList members = {0};
    axes_of_decl(c, decl, &axes);
    members_of_axes(c, &axes, decl->statement->name_span, &members);
    for (int i = 0; i < members.count; i++) {
        c->steps = 0;
        plan_member(c, decl, &members.at[i]);
    }
}

static void plan_member_embed(Compilation *c, Decl *decl, const Member *member) { plan_embed(c, decl, member->choices); }

/* Formulas that nothing calls are still held against the names they use. */
static void plan_record(Compilation *c, Decl *decl) {
    switch (decl->record) {
    case KIND_embed: plan_family(c, decl, plan_member_embed); break;
    case KIND_evaluate: plan_family(c, decl, plan_evaluation); break;
    case KIND_submit: plan_family(c, decl, plan_submission); break;
    case KIND_figure: {
        FigurePlan figure = {decl->name, decl->statement->name_span};
        list_add(&c->arena, &c->plan->figures, figure);
        break;
    }
    case KIND_train: case KIND_boost: case KIND_ensemble:
        diag(c->jre, DIAG_not_yet, decl->statement->name_span, "a `%s` is part of the language, running it comes with a later version", kind_name(decl->record));
        break;
    default: break;
    }
}

bool plan_program(Compilation *c) {
    c->plan = arena_new(&c->arena, Plan);
    const Map *names = &c->scope->names;
    static const RecordKind first[] = {KIND_dataset, KIND_split};
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < names->count; i++) {
            Decl *decl = names->entries[i].value;
            if (!decl || decl->kind != STATEMENT_RECORD || decl->poisoned) continue;
            c->steps = 0;
            if (pass < 2 && decl->record == first[pass]) pass == 0 ? plan_dataset(c, decl) : plan_split(c, decl);
            if (pass == 2 && decl->record != KIND_dataset && decl->record != KIND_split) plan_record(c, decl);
        }
    for (int i = 0; i < c->expects.count; i++) {
        Outcome outcome;
        check_expectation(c, c->expects.at[i], 0, NULL, &outcome);
    }
    return !diag_any_error(c->jre);
}

void plan_print(const Compilation *c, Text *out) {
    const Plan *plan = c->plan;
    for (int i = 0; i < plan->datasets.count; i++) {
        const DatasetPlan *dataset = plan->datasets.at[i];
        text_add(out, "dataset  %-12s %s/%s%s%s\n", dataset->name, dataset->root, dataset->table ? dataset->table : dataset->image, dataset->identity ? ", individuals by " : "",
                 dataset->identity ? dataset->identity : "");
    }
    for (int i = 0; i < plan->splits.count; i++) {
        const SplitPlan *split = plan->splits.at[i];
        text_add(out, "split    %-12s %d folds of %s, individuals %s%s, seed %llu\n", split->name, split->folds, split->data->name, split->disjoint ? "disjoint" : "shared",
                 split->together_burst ? ", bursts together" : "", (unsigned long long)split->seed);
    }
    for (int i = 0; i < plan->embeds.count; i++) {
        const EmbedPlan *embed = plan->embeds.at[i];
        text_add(out, "embed    %-12s %s, view %s (%d x %d), %d numbers a picture, key %.12s\n", embed->name, embed->backbone, embed->view->name, embed->view->width,
                 embed->view->height, embed->width, embed->key);
        program_print(embed->program, out);
    }
    for (int i = 0; i < plan->evaluations.count; i++) {
        const EvaluatePlan *e = plan->evaluations.at[i];
        text_add(out, "evaluate %-12s %s on %s%s%s, average over %s", e->name, e->similarity->embed->backbone, e->split ? e->split->name : e->dataset->name, e->split ? "." : "",
                 e->split ? e->part : "", e->average_identity ? "individuals" : "queries");
        for (int k = 0; k < e->member.count; k++) text_add(out, "   %s %s", e->member.at[k].axis, e->member.at[k].choice);
        text_add(out, "\n");
    }
    for (int i = 0; i < plan->submissions.count; i++)
        text_add(out, "submit   %-12s %s -> %s\n", plan->submissions.at[i]->name, plan->submissions.at[i]->pairs, plan->submissions.at[i]->file);
    for (int i = 0; i < plan->figures.count; i++) text_add(out, "figure   %-12s drawn by a later version\n", plan->figures.at[i].name);
}
