/* plan.c: what `jre run` walks.
 *
 * Each record of the flat program is evaluated into a typed struct (plan_data.c, plan_learn.c, plan_score.c). A record that depends on
 * an `each` becomes a family: one member for each choice. A member is planned once, whoever asks for it first: the program itself, a
 * record that needs it, or an expectation that quotes an ancestor's. What is sound but runs in a later version is gathered in plan->later. */
#include "compiler.h"

#include <string.h>

const char *const metric_names[] = {"chance", "low", "high", "spread", "queries", "lonely", "ties", "individuals", "best.ap", "worst.ap", "best.identity", "worst.identity",
                                    "seconds_per_image", NULL};

/* In the order in which they are planned: what others need comes first. */
static const struct { RecordKind kind; void *(*plan)(Compilation *c, Decl *decl, const Member *member); } kinds[] = {
    {KIND_dataset, plan_dataset}, {KIND_split, plan_split}, {KIND_train, plan_train}, {KIND_embed, plan_embed}, {KIND_boost, plan_boost},
    {KIND_ensemble, plan_ensemble}, {KIND_evaluate, plan_evaluation}, {KIND_figure, plan_figure}, {KIND_submit, plan_submission},
};

enum { MOST_TOLD = 40 };                   /* of what one message lists */

/* ---- members ------------------------------------------------------------------------------------------------------------ */

enum { DEEPEST_RECORDS = 200 };

typedef enum { MAKING, MADE, FAILED } MadeState;
typedef struct { MadeState state; void *plan; } Made;

/* The choices that a declaration depends on, of all that were made, in its own order. */
static Member member_for(Compilation *c, Decl *decl, const Choice *choices) {
    AxisList axes = {0};
    Member member = {0};
    axes_of_decl(c, decl, &axes);
    for (int i = axes.count - 1; i >= 0; i--) {
        int index = choice_of(choices, axes.at[i]);
        if (index < 0) continue;
        Choice *choice = arena_new(&c->arena, Choice);
        *choice = (Choice){axes.at[i], index, member.choices};
        member.choices = choice;
    }
    for (const Choice *choice = member.choices; choice; choice = choice->next) {
        MemberChoice named = {choice->axis->name, axis_choice(c, choice->axis, choice->index)};
        list_add(&c->arena, &member.name, named);
    }
    return member;
}

static void *circle(Compilation *c, const Decl *decl) {
    Diagnostic *d = diag(c->jre, DIAG_already_named, decl->statement->name_span, "`%s` is made of itself", decl->name);
    diag_help(d, "it may use others of its kind, and what they are made of, not itself");
    return NULL;
}

static void *too_far(Compilation *c, const Decl *decl) {
    Diagnostic *d = diag(c->jre, DIAG_too_deep, decl->statement->name_span, "%d records are made of each other here, one inside the other", DEEPEST_RECORDS);
    diag_help(d, "let fewer stand in one line");
    return NULL;
}

/* Each setting is held against its type, also those that nothing reads yet. */
static bool settings_are_sound(Compilation *c, const Decl *decl, const Choice *choices) {
    bool sound = true;
    for (int i = 0; i < schema_key_count; i++) {
        const Value *v = schema_keys[i].kind == decl->record ? setting_value(c, decl, schema_keys[i].name, choices) : NULL;
        if (v && v->kind == VALUE_NONE) sound = false;
    }
    return sound;
}

/* A kind that has rows in the schema and no plan is checked by them, and waits. */
static void *plan_by_kind(Compilation *c, Decl *decl, const Member *member) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == decl->record) return kinds[i].plan(c, decl, member);
    plan_later(c, kind_sentence(decl->record), decl->name, decl->statement->name_span);
    return decl;
}

void *plan_of_record(Compilation *c, Decl *decl, const Choice *choices) {
    if (decl->poisoned || decl->kind != STATEMENT_RECORD) return NULL;
    if (!c->plan) c->plan = arena_new(&c->arena, Plan);
    Member member = member_for(c, decl, choices);
    const char *key = arena_print(&c->arena, "%p", (void *)decl);
    for (const Choice *choice = member.choices; choice; choice = choice->next) key = arena_print(&c->arena, "%s %p %d", key, (const void *)choice->axis, choice->index);
    Made *made = map_get(&c->plan->made, key);
    if (made) return made->state == MAKING ? circle(c, decl) : made->plan;
    if (c->planning >= DEEPEST_RECORDS) return too_far(c, decl);
    made = arena_new(&c->arena, Made);
    map_set(&c->plan->made, &c->arena, key, made);
    int64_t steps = c->steps;
    c->steps = 0;
    c->planning++;
    if (settings_are_sound(c, decl, member.choices)) made->plan = plan_by_kind(c, decl, &member);
    c->planning--;
    c->steps = steps;
    made->state = made->plan ? MADE : FAILED;
    if (!made->plan) c->poisoned = true;
    return made->plan;
}

static void plan_family(Compilation *c, Decl *decl) {
    AxisList axes = {0};
    MemberList members = {0};
    axes_of_decl(c, decl, &axes);
    members_of_axes(c, &axes, decl->statement->name_span, &members);
    for (int i = 0; i < members.count; i++) plan_of_record(c, decl, members.at[i].choices);
}

/* ---- records called by people ------------------------------------------------------------------------------------------------ */

const Statement *expression_of_text(Compilation *c, const char *text) {
    const Chunk *chunk = parse_chunk(c->jre, source_from_text(c->jre, "expression", text, strlen(text)));
    const Statement *s = chunk->statements.count == 1 ? chunk->statements.at[0] : NULL;
    if (s && s->kind == STATEMENT_EXPR) return s;
    if (s) diag_help(diag(c->jre, DIAG_wrong_argument, s->span, "an expression was expected"), "for instance `likeness`, or `cv[head = ArcFace].map`");
    return NULL;
}

/* All members of a family are named, as one of them is wanted. */
static void refuse_family(Compilation *c, const char *text, const MemberList *members, Span span) {
    Diagnostic *d = diag(c->jre, DIAG_undecided_choice, span, "`%s` has %d choices, one is needed here", text, members->count);
    const char *all = "";
    for (int i = 0; i < members->count && i < MOST_TOLD; i++) {
        const char *name = text;
        for (int k = 0; k < members->at[i].name.count; k++) name = arena_print(&c->arena, "%s[%s = %s]", name, members->at[i].name.at[k].axis, members->at[i].name.at[k].choice);
        all = arena_print(&c->arena, "%s\n    %s", all, name);
    }
    diag_fact(d, "they are:%s", all);
    diag_help(d, "name one of them, in quotes for the shell, or choose by --set");
}

EmbedPlan *embed_named(Compilation *c, const char *text, const Choice **choices) {
    const Statement *s = expression_of_text(c, text);
    AxisList axes = {0};
    MemberList members = {0};
    if (!s) return NULL;
    axes_of_expr(c, c->scope, s->value, &axes);
    members_of_axes(c, &axes, s->span, &members);
    if (members.count > 1) refuse_family(c, text, &members, s->span);
    if (members.count != 1) return NULL;
    c->steps = 0;
    const Value *v = evaluate(environment_new(c, c->scope, members.at[0].choices), s->value);
    if (v->kind == VALUE_NONE) return NULL;
    if (v->kind != VALUE_RECORD || v->decl->record != KIND_embed) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, s->span, "an embed was expected, this is %s", value_kind_text(v));
        for (int i = 0; i < c->plan->embeds.count; i++)
            if (i == 0 || c->plan->embeds.at[i]->name != c->plan->embeds.at[i - 1]->name) diag_fact(d, "the document has `embed %s`", c->plan->embeds.at[i]->name);
        diag_help(d, c->plan->embeds.count ? "name an embed of the document" : "declare one: embed features { ... }");
        return NULL;
    }
    *choices = v->choices;
    return plan_of_record(c, v->decl, v->choices);
}

/* ---- what comes later ------------------------------------------------------------------------------------------------------ */

void plan_later(Compilation *c, const char *what, const char *name, Span span) {
    if (!c->plan) c->plan = arena_new(&c->arena, Plan);
    for (int i = 0; i < c->plan->later.count; i++) {
        const LaterPlan *before = &c->plan->later.at[i];
        if (!strcmp(before->what, what) && !strcmp(before->name, name) && before->span.start == span.start) return;
    }
    LaterPlan later = {what, name, span};
    list_add(&c->arena, &c->plan->later, later);
}

bool report_later(Compilation *c) {
    const Plan *plan = c->plan;
    if (!plan->later.count) return false;
    const LaterPlan *first = &plan->later.at[0];
    Diagnostic *d = diag(c->jre, DIAG_not_yet, first->span, "this version checks %s, it does not run it yet", first->what);
    Text rest = {.jre = c->jre};
    for (int i = 1; i < plan->later.count && i <= MOST_TOLD; i++) {
        Place place = place_of(c->jre, plan->later.at[i].span.start);
        text_add(&rest, "\n    %-16s %s, %s:%d", plan->later.at[i].what, plan->later.at[i].name, place.source ? place.source->name : "", place.line);
    }
    if (plan->later.count - 1 > MOST_TOLD) text_add(&rest, "\n    and %d more", plan->later.count - 1 - MOST_TOLD);
    if (rest.length) diag_fact(d, "nor does it run:%s", rest.at);
    text_free(&rest);
    diag_note(d, "the document is sound as far as `jre check` can say; nothing was computed");
    diag_help(d, "run a document that asks for none of this, or a later version of jre");
    return true;
}

/* ---- values that are only shown or tested ------------------------------------------------------------------------------------ */

/* A number quoted in prose is one number; where an overlay opened a choice, each member has its own. */
static void plan_quote(Compilation *c, const Expr *quote) {
    MemberList members = {0};
    members_opened(c, quote, &members);
    for (int i = 0; i < members.count; i++) {
        c->steps = 0;
        const Value *v = evaluate(environment_new(c, c->scope, members.at[i].choices), quote);
        if (v->kind == VALUE_NONE) return;
        if (v->kind == VALUE_METRIC || v->kind == VALUE_NUMBER || v->kind == VALUE_TEXT || v->kind == VALUE_WORD || v->kind == VALUE_TRUTH) continue;
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, quote->span, "prose quotes a number or a word, this is %s", value_kind_text(v));
        diag_help(d, "quote one of its numbers: `= cv.map`");
        return;
    }
}

static void plan_probe(Compilation *c, const Statement *probe) {
    MemberList members = {0};
    const char *name;
    members_probed(c, probe, &members);
    for (int i = 0; i < members.count; i++) probe_value(c, probe, &members.at[i], NULL, &name);
}

/* What is wrong with one member is wrong with all. */
static void plan_expectation(Compilation *c, const Statement *expect) {
    MemberList members = {0};
    Outcome outcome;
    members_opened(c, expect->value, &members);
    if (members.count) check_expectation(c, expect, &members.at[0], NULL, &outcome);
}

static bool plans_kind(RecordKind kind) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind) return true;
    return false;
}

static void plan_kind(Compilation *c, RecordKind kind) {
    for (int i = 0; i < c->scope->names.count; i++) {
        Decl *decl = c->scope->names.entries[i].value;
        if (decl && decl->kind == STATEMENT_RECORD && !decl->poisoned && decl->record == kind) plan_family(c, decl);
    }
}

bool plan_program(Compilation *c) {
    c->plan = arena_new(&c->arena, Plan);
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) plan_kind(c, kinds[kind].kind);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (!plans_kind((RecordKind)kind)) plan_kind(c, (RecordKind)kind);
    for (int i = 0; i < c->probes.count; i++) plan_probe(c, c->probes.at[i]);
    for (int i = 0; i < c->document->document->quotes.count; i++) plan_quote(c, c->document->document->quotes.at[i]);
    for (int i = 0; i < c->expects.count; i++) plan_expectation(c, c->expects.at[i]);
    return !diag_any_error(c->jre);
}

/* ---- jre explain -------------------------------------------------------------------------------------------------------------- */

/* What is longer than anybody reads ends in dots. */
static void write_score(Text *out, const SimilarityPlan *s) {
    enum { MOST_READ = 300 };
    static const char *const words[] = {"cosine", "gap", "matches"};
    if (out->length > MOST_READ) text_add(out, "..");
    else if (s->embed) text_add(out, "%s(%s)", words[s->kind], s->embed->name);
    else if (s->boost || s->ensemble) text_add(out, "%s", s->boost ? s->boost->name : s->ensemble->name);
    if (out->length > MOST_READ || s->embed) return;
    for (int i = 0; i < s->parts.count && out->length <= MOST_READ; i++) {
        if (s->kind == SCORE_MIX) text_add(out, "%s%g ", i ? " + " : "", s->weights.at[i]);
        write_score(out, s->parts.at[i]);
    }
    if (s->kind == SCORE_WITHIN_SAME) text_add(out, " within the same %s", s->column);
}

const char *similarity_text(Arena *arena, const SimilarityPlan *similarity) {
    Text text = {.jre = arena->jre};
    write_score(&text, similarity);
    const char *copy = arena_copy(arena, text.at, text.length);
    text_free(&text);
    return copy;
}

static void print_choices(Text *out, const MemberName *member) {
    for (int k = 0; k < member->count; k++) text_add(out, "   %s %s", member->at[k].axis, member->at[k].choice);
    text_add(out, "\n");
}

static void print_data(const Plan *plan, Text *out) {
    for (int i = 0; i < plan->datasets.count; i++) {
        const DatasetPlan *dataset = plan->datasets.at[i];
        if (dataset->quoted) continue;
        text_add(out, "dataset  %-12s %s/%s%s%s\n", dataset->name, dataset->root, dataset->table ? dataset->table : dataset->image, dataset->identity ? ", individuals by " : "",
                 dataset->identity ? dataset->identity : "");
    }
    for (int i = 0; i < plan->splits.count; i++) {
        const SplitPlan *split = plan->splits.at[i];
        if (split->data->quoted) continue;
        text_add(out, "split    %-12s ", split->name);
        if (split->folds) text_add(out, "%d folds", split->folds);
        else if (split->column) text_add(out, "by the column `%s`", split->column);
        else if (split->rule.kind) text_add(out, "by the rule %s", split->rule.name);
        for (int k = 0; k < split->parts.count; k++) text_add(out, "%s%s %g %%", k ? ", " : "", split->parts.at[k], 100 * split->shares.at[k]);
        text_add(out, " of %s%s%s, individuals %s%s, seed %llu\n", split->of.split ? split->of.split->name : split->data->name, split->of.split ? "." : "",
                 split->of.split ? split->of.part : "", split->disjoint ? "disjoint" : "shared", split->together_burst ? ", bursts together" : "", (unsigned long long)split->seed);
    }
}

static void print_trainings(const Plan *plan, Text *out) {
    for (int i = 0; i < plan->trains.count; i++) {
        const TrainPlan *train = plan->trains.at[i];
        text_add(out, "train    %-12s %s, loss %s, batches of %lld, view %s, %lld numbers to learn%s", train->name, train->backbone, train->loss_name, (long long)train->batch,
                 train->view->name, (long long)train->weights, train->folds ? ", once for each fold" : "");
        print_choices(out, &train->member);
    }
}

static void print_results(Compilation *c, Text *out) {
    const Plan *plan = c->plan;
    for (int i = 0; i < plan->boosts.count; i++) text_add(out, "boost    %-12s of %d scores\n", plan->boosts.at[i]->name, plan->boosts.at[i]->evidence.count);
    for (int i = 0; i < plan->ensembles.count; i++) text_add(out, "ensemble %-12s of %d scores, %s\n", plan->ensembles.at[i]->name, plan->ensembles.at[i]->members.count, plan->ensembles.at[i]->combine);
    for (int i = 0; i < plan->evaluations.count; i++) {
        const EvaluatePlan *e = plan->evaluations.at[i];
        text_add(out, "evaluate %-12s %s on %s%s%s, average over %s%s", e->name, similarity_text(&c->arena, e->similarity), e->on.split ? e->on.split->name : e->on.dataset->name, e->on.split ? "." : "",
                 e->on.split ? e->on.part : "", e->average_identity ? "individuals" : "queries", e->quoted ? ", quoted" : "");
        print_choices(out, &e->member);
        print_influences(c, e->name, e->similarity, out);
    }
    for (int i = 0; i < plan->submissions.count; i++) {
        const SubmitPlan *submission = plan->submissions.at[i];
        text_add(out, "submit   %-12s %s -> %s\n", submission->name, submission->pairs ? submission->pairs : "all pairs", submission->file);
        print_influences(c, submission->name, submission->similarity, out);
    }
    for (int i = 0; i < plan->figures.count; i++) text_add(out, "figure   %-12s drawn by a later version\n", plan->figures.at[i].name);
    for (int i = 0; i < plan->later.count; i++) text_add(out, "later    %-12s %s\n", plan->later.at[i].name, plan->later.at[i].what);
}

void plan_print(Compilation *c, Text *out, void (*network)(void *context, const EmbedPlan *embed, Text *out), void *context) {
    enum { BEHIND_THE_NAME = 22 };
    size_t from = out->length;
    print_data(c->plan, out);
    print_trainings(c->plan, out);
    text_fold(out, from, BEHIND_THE_NAME);
    for (int i = 0; i < c->plan->embeds.count; i++) {
        const EmbedPlan *embed = c->plan->embeds.at[i];
        from = out->length;
        text_add(out, "embed    %-12s %s, view %s (%d x %d), %d numbers a picture\n%*skey %.12s\n", embed->name, embed->backbone, embed->view->name, embed->view->width,
                 embed->view->height, embed->width, BEHIND_THE_NAME, "", embed->key);
        text_fold(out, from, BEHIND_THE_NAME);
        if (embed->program && network) network(context, embed, out);
        else if (embed->program) program_print(embed->program, out);
    }
    from = out->length;
    print_results(c, out);
    text_fold(out, from, BEHIND_THE_NAME);
}
