/* provenance.c: which pictures made a value of the plan what it is: those that a network learned from, that said when to stop and which weights
 * to keep, that a forest, a calibration or weights were fitted on.
 *
 * In: the plan. Out: the influences on a value, each with the shortest way to it, and what follows of them: scores that are tuned on the pictures they
 * are reported on, pictures whose doubles were learned from, judges that saw a picture paired with itself. Contract: pictures are compared, not names:
 * by the plan where it knows (`folds.train` and `folds.held_out` of one fold have none in common), else by what the data say. */
#include "compiler.h"

#include <string.h>

/* ---- the way from a value to pictures ----------------------------------------------------------------------------------- */

/* "learner", of an ancestor that is quoted "v03.learner". */
static const char *name_of(Compilation *c, PlanValue made) {
    const char *name = made.train ? made.train->name : made.embed ? made.embed->name : made.boost ? made.boost->name : made.ensemble->name;
    const Scope *scope = made.train ? made.train->scope : made.embed ? made.embed->scope : made.boost ? made.boost->decl->scope : made.ensemble->decl->scope;
    return scope == c->scope ? name : arena_print(&c->arena, "%s.%s", scope->name, name);
}

static void note_influence(Compilation *c, const ScoreWalk *walk, int at, InfluenceKind kind, const PartPlan *pictures, const Scope *scope, InfluenceList *found) {
    Influence influence = {.kind = kind, .by = walk->reached.at[at].made, .pictures = pictures, .scope = scope};
    int steps = 0;
    if (!pictures->dataset) return;
    for (int i = at; i >= 0; i = walk->reached.at[i].from) steps++;
    influence.way = (NameList){arena_array(&c->arena, const char *, steps), steps, steps};
    for (int i = at; i >= 0; i = walk->reached.at[i].from) influence.way.at[--steps] = name_of(c, walk->reached.at[i].made);
    list_add(&c->arena, found, influence);
}

void influences_on(Compilation *c, PlanValue made, InfluenceList *found) {
    ScoreWalk walk = {.arena = &c->arena};
    score_walk(&walk, made);
    for (int i = 0; i < walk.reached.count; i++) {
        const PlanValue at = walk.reached.at[i].made;
        if (at.train) {
            note_influence(c, &walk, i, BY_TRAINING, &at.train->data, at.train->scope, found);
            note_influence(c, &walk, i, BY_STOPPING, &at.train->stop, at.train->scope, found);
            note_influence(c, &walk, i, BY_KEEPING, &at.train->keep, at.train->scope, found);
        }
        if (at.boost) note_influence(c, &walk, i, BY_JUDGING, &at.boost->fit_on, at.boost->decl->scope, found);
        if (at.ensemble && (at.ensemble->learned || at.ensemble->calibrate)) note_influence(c, &walk, i, BY_FITTING, &at.ensemble->fit_on, at.ensemble->decl->scope, found);
    }
}

/* ---- pictures in common --------------------------------------------------------------------------------------------------- */

static bool is_part(const PartPlan *part, const char *name) { return !strcmp(part->part, name); }

static PartsRelation in_one_split(const PartPlan *a, const PartPlan *b, int fold) {
    const int x = a->fold ? a->fold : fold, y = b->fold ? b->fold : fold;
    const bool same = !strcmp(a->part, b->part), held_out = is_part(a, "held_out") || is_part(b, "held_out"), watched = is_part(a, "validate") || is_part(b, "validate");
    if (!a->split->folds) return same ? PARTS_SAME : PARTS_APART;
    if (x == y && same) return PARTS_SAME;
    if (held_out && (x == y || same)) return PARTS_APART;
    if (x == y && watched) return is_part(a, "others") || is_part(b, "others") ? PARTS_UNKNOWN : PARTS_APART;
    return watched || (a->split->folds == 2 && x != y && !held_out) ? PARTS_UNKNOWN : PARTS_SHARE;
}

/* A part may be of a part of another split. */
PartsRelation parts_relation(Compilation *c, const PartPlan *a, const PartPlan *b, int fold) {
    for (const PartPlan *x = a; x->split; x = &x->split->of)
        for (const PartPlan *y = b; y->split; y = &y->split->of) {
            if (!same_split(c->jre, x->split, y->split)) continue;
            const PartsRelation relation = in_one_split(x, y, fold);
            if (relation == PARTS_APART || (x == a && y == b)) return relation;
            return relation == PARTS_SAME && (x == a || y == b) ? PARTS_SHARE : PARTS_UNKNOWN;
        }
    if ((a->split && b->split) || dataset_identity(c->jre, a->dataset, false) != dataset_identity(c->jre, b->dataset, false)) return PARTS_UNKNOWN;
    return a->split || b->split ? PARTS_SHARE : PARTS_SAME;
}

int fold_met(Compilation *c, const PartPlan *part, const SplitPlan *folds) {
    for (const PartPlan *x = part; x->split; x = &x->split->of)
        if (same_split(c->jre, x->split, folds)) return x->fold;
    const bool other = dataset_identity(c->jre, part->dataset, false) != dataset_identity(c->jre, folds->data, false);
    return other || parts_relation(c, part, &folds->of, 1) == PARTS_APART ? NO_FOLD : SOME_FOLD;
}

typedef struct {
    const EvaluatePlan *evaluation; const Influence *influence;
    int fold;                             /* in which they meet; 0: there are none */
    PartsRelation relation; MetFacts met; bool counted;            /* counted: by the data */
} Meeting;

static const char *content_of(Compilation *c, const PartPlan *part) {
    const SplitPlan *split = part->split;
    const char *dataset = dataset_identity(c->jre, split ? split->data : part->dataset, false);
    return split ? arena_print(&c->arena, "%s %s %d %s", split->key->hash, part->part, part->fold, dataset) : dataset;
}

/* As the data say it; fifty evaluations of one part ask them once. False: they cannot say. */
static bool count_met(Compilation *c, const PartPlan *learned, const PartPlan *examined, int fold, MetFacts *met) {
    const char *asked = arena_print(&c->arena, "%d %s | %s", fold, content_of(c, learned), content_of(c, examined));
    MetFacts *known = map_get(&c->plan->met, asked);
    if (!known) {
        known = arena_new(&c->arena, MetFacts);
        if (!c->facts.met(c->facts.context, learned, examined, fold, known)) return false;
        map_set(&c->plan->met, &c->arena, asked, known);
    }
    *met = *known;
    return true;
}

/* Did what is examined in this fold have a say? Outside a split its `folds.train` is every picture. */
static bool meet_in(Compilation *c, Meeting *meeting, int fold, bool with_data) {
    const PartPlan *on = &meeting->evaluation->on, *pictures = meeting->influence->pictures;
    const SplitPlan *folds = folds_of_part(pictures);
    const int met = folds ? fold_met(c, on, folds) : EACH_FOLD, member = met == EACH_FOLD || folds_of_part(on) ? fold : met == NO_FOLD ? 0 : met;
    if (member < 0) return false;                                  /* mixed_spaces tells it */
    if (!member) pictures = &folds->of;
    meeting->fold = folds_of_part(on) ? fold : 0;
    meeting->relation = parts_relation(c, pictures, on, member ? member : 1);
    if (meeting->relation == PARTS_APART) return false;
    const bool plain = meeting->relation == PARTS_SAME && meeting->influence->way.count == 1;      /* both settings name the pictures: there is no more to say */
    meeting->counted = !plain && with_data && c->facts.met && count_met(c, pictures, on, member ? member : 1, &meeting->met);
    meeting->counted = meeting->counted && meeting->met.of;        /* a part without a picture has none to compare, whatever its name promises */
    if (meeting->counted) return meeting->met.same || meeting->met.alike;
    return meeting->relation != PARTS_UNKNOWN;
}

/* ---- in words ------------------------------------------------------------------------------------------------------------------- */

/* "cv <- features <- learner <- folds.train <- a2.png". file: NULL where nobody looked. */
static const char *way_text(Compilation *c, const char *value, const Influence *influence, const char *file) {
    const char *text = value;
    for (int i = 0; i < influence->way.count; i++) text = arena_print(&c->arena, "%s <- %s", text, influence->way.at[i]);
    text = arena_print(&c->arena, "%s <- %s", text, part_text(&c->arena, influence->pictures));
    return file ? arena_print(&c->arena, "%s <- %s", text, file) : text;
}

void print_influences(Compilation *c, const char *name, const SimilarityPlan *score, Text *out) {
    InfluenceList found = {0};
    influences_on(c, (PlanValue){.score = score}, &found);
    for (int i = 0; i < found.count; i++) text_add(out, "         %s\n", way_text(c, name, &found.at[i], NULL));
}

/* "the three weights are fitted on". */
static const char *deed(Compilation *c, const Influence *influence) {
    const EnsemblePlan *ensemble = influence->by.ensemble;
    switch (influence->kind) {
    case BY_TRAINING: return "the network learns from";
    case BY_STOPPING: return "when to stop is decided on";
    case BY_KEEPING: return "the weights to keep are chosen on";
    case BY_JUDGING: return "the forest is fitted on";
    case BY_FITTING: break;
    }
    if (!ensemble->learned) return "the calibration is fitted on";
    if (ensemble->calibrate) return "the calibration and the weights are fitted on";
    if (ensemble->members.count == 1) return "the weight is fitted on";
    return arena_print(&c->arena, "the %s weights are fitted on", number_word(&c->arena, ensemble->members.count));
}

/* How many, and the way to the first; what two settings say in plain sight needs none. */
static void tell_way(Compilation *c, Diagnostic *d, const Meeting *meeting) {
    const MetFacts *met = &meeting->met;
    const char *name = meeting->evaluation->name, *fold = meeting->fold ? arena_print(&c->arena, " in fold %d", meeting->fold) : "";
    if (!meeting->counted && meeting->relation == PARTS_SAME && meeting->influence->way.count == 1) return;
    const char *way = way_text(c, name, meeting->influence, meeting->counted ? met->same_pair.second.file : NULL);
    if (meeting->counted) diag_fact(d, "%d of the %d pictures that `%s` examines%s %s in both:\n    %s", met->same, met->of, name, fold, met->same == 1 ? "is" : "are", way);
    else diag_fact(d, "the way from the score to these pictures:\n    %s", way);
}

/* ---- what can be done --------------------------------------------------------------------------------------------------------- */

static bool has_part(const SplitPlan *split, const char *part) {
    if (split->folds) return strcmp(part, "validate") != 0 || split->validate > 0;
    if (split->rule.kind) return !strcmp(part, "train") || !strcmp(part, "test");
    for (int i = 0; i < split->parts.count; i++)
        if (!strcmp(split->parts.at[i], part)) return true;
    return false;
}

static bool apart_in_all_folds(Compilation *c, const PartPlan *a, const PartPlan *b) {
    const SplitPlan *folds = folds_of_part(b) ? folds_of_part(b) : folds_of_part(a);
    for (int fold = 1; fold <= (folds ? folds->folds : 1); fold++)
        if (parts_relation(c, a, b, fold) != PARTS_APART) return false;
    return true;
}

/* Another part of its split, where it has no picture in common with `away`, as this scope would write it; else NULL. */
static const char *part_away(Compilation *c, const Scope *scope, const PartPlan *like, const char *part, const PartPlan *away) {
    const SplitPlan *split = like->split;
    if (!split || !has_part(split, part) || map_get(&scope->names, split->name) != split->decl) return NULL;
    const PartPlan other = {.dataset = like->dataset, .split = (SplitPlan *)split, .part = part, .fold = like->fold};
    return apart_in_all_folds(c, &other, away) ? part_text(&c->arena, &other) : NULL;
}

static bool looks_on(const Influence *influence) { return influence->kind == BY_STOPPING || influence->kind == BY_KEEPING; }

/* Offers the part of this split that is there for it. */
static bool help_by_split(Compilation *c, Diagnostic *d, const Meeting *meeting, const PartPlan *like) {
    const Influence *influence = meeting->influence;
    const bool folds = like->split && like->split->folds, trains = influence->kind == BY_TRAINING, watches = looks_on(influence);
    const char *part = part_away(c, influence->scope, like, trains ? "train" : watches || !folds ? "validate" : "others", &meeting->evaluation->on);
    if (!part) return false;
    if (trains) diag_help(d, folds ? "learn from the other folds" : "learn from the part for training");
    else if (watches) diag_help(d, "look at the part that is there to be watched");
    else diag_help(d, folds ? "fit on the other folds" : "fit on the part that is not examined");
    const PartPlan *now = influence->pictures;
    diag_edit(d, now->span, now->split ? now->split == like->split : now->dataset == like->dataset, "%s", part);
    return true;
}

/* A tenth, or more where a tenth would be a few pictures. */
static int share_to_watch(const Compilation *c, const PartPlan *data) {
    PartFacts facts;
    PartPlan first = *data;
    int share = 10;
    if (folds_of_part(data)) first.fold = 1;
    if (!c->with_data || !c->facts.part || !c->facts.part(c->facts.context, &first, &facts)) return share;
    while (share < 40 && share * facts.pictures < 500) share += 10;
    return share;
}

const Statement *statement_around(const Compilation *c, Span span) {
    const Document *document = c->document->document;
    for (int i = 0; i < document->chunks.count; i++)
        for (int k = 0; k < document->chunks.at[i]->statements.count; k++)
            if (span_holds(document->chunks.at[i]->statements.at[k]->span, span)) return document->chunks.at[i]->statements.at[k];
    return NULL;
}

static bool changes(const Compilation *c, const char *name) {
    const Document *document = c->document->document;
    bool found = false;
    for (int i = 0; i < document->chunks.count; i++)
        for (int k = 0; k < document->chunks.at[i]->statements.count && !found; k++) {
            const Statement *s = document->chunks.at[i]->statements.at[k];
            found = s->kind == STATEMENT_CHANGE_SETTINGS && s->name == name;
        }
    return found;
}

/* The split is told to carve out a part, and the training to look at it: both in one edit, as one without the other mends nothing. */
static void edit_carved(Compilation *c, Diagnostic *d, const Influence *influence, const SplitPlan *split) {
    const Span looks = influence->pictures->span, way = split->way_span;
    const Source *own = c->document->document->source;
    const Statement *around = statement_around(c, looks);
    const char *part = arena_print(&c->arena, "%s.validate", split->name), *carved = arena_print(&c->arena, "validate   %d%%", share_to_watch(c, &influence->by.train->data));
    if (!around || source_of(c->jre, looks) != own || map_get(&c->scope->names, split->name) != split->decl) return;
    if (source_of(c->jre, way) != own) {
        if (!changes(c, split->name))
            diag_edit(d, (Span){looks.start, around->span.end}, false, "%s%s\n\nchange %s {\n  %s\n}", part, span_text(c->jre, (Span){looks.end, around->span.end}), split->name, carved);
    } else if (way.end <= looks.start) {
        diag_edit(d, (Span){way.end, looks.end}, false, "\n  %s%s%s", carved, span_text(c->jre, (Span){way.end, looks.start}), part);
    } else {
        diag_edit(d, (Span){looks.start, way.end}, false, "%s%s\n  %s", part, span_text(c->jre, (Span){looks.end, way.end}), carved);
    }
}

/* Of its own split, else of the one that the score goes by. */
static void help_fit(Compilation *c, Diagnostic *d, const Meeting *meeting) {
    const PartPlan *on = &meeting->evaluation->on, *pictures = meeting->influence->pictures;
    if (help_by_split(c, d, meeting, pictures) || help_by_split(c, d, meeting, on)) return;
    const SplitPlan *split = on->split;
    if (!looks_on(meeting->influence) || !split || !split->folds || split->validate) {
        diag_help(d, "take pictures that `%s` does not examine", meeting->evaluation->name);
        return;
    }
    diag_help(d, "let the split carve out a part to watch, and look at that: %s.validate", split->name);
    edit_carved(c, d, meeting->influence, split);
}

static void help_accept(Diagnostic *d, const EvaluatePlan *evaluation, const char *check, const char *reason) {
    const uint32_t end = evaluation->decl->statement->span.end;
    diag_help(d, "if it is meant so, say why: every report repeats it");
    diag_edit(d, (Span){end, end}, false, "\n\naccept %s for %s because \"%s\"", check, evaluation->name, reason);
}

static void help_examine(Compilation *c, Diagnostic *d, const Meeting *meeting) {
    const EvaluatePlan *evaluation = meeting->evaluation;
    const PartPlan *on = &evaluation->on, *pictures = meeting->influence->pictures, *like = on->split ? on : pictures;
    const char *part = part_away(c, evaluation->decl->scope, like, like->split && like->split->folds ? "held_out" : "test", pictures);
    diag_help(d, "examine a part that nothing is trained, fitted or chosen on");
    if (part) diag_edit(d, on->span, false, "%s", part);
    help_accept(d, evaluation, "tuned_on_the_yardstick", "it shows what was learned by heart");
}

/* ---- findings --------------------------------------------------------------------------------------------------------------- */

/* It is the evaluation where a part that is there to be learned from is examined. */
static bool evaluation_strayed(const PartPlan *pictures, const PartPlan *on) {
    const bool meant = pictures->split && (is_part(pictures, "train") || is_part(pictures, "validate") || is_part(pictures, "others"));
    return meant && !(on->split && (is_part(on, "held_out") || is_part(on, "test")));
}

static void tell_tuned(Compilation *c, const Meeting *meeting) {
    const EvaluatePlan *evaluation = meeting->evaluation;
    const Influence *influence = meeting->influence;
    const Span fit = influence->pictures->span, on = evaluation->on.span;
    const bool strayed = evaluation_strayed(influence->pictures, &evaluation->on), all = meeting->relation == PARTS_SAME || (meeting->counted && meeting->met.same == meeting->met.of);
    if (strayed ? overruled(c, evaluation->decl->scope, DIAG_tuned_on_the_yardstick, on, on) : overruled(c, influence->scope, DIAG_tuned_on_the_yardstick, fit, fit)) return;
    Diagnostic *d;
    if (strayed) {
        d = diag(c->jre, DIAG_tuned_on_the_yardstick, on, "`%s` reports its score on these pictures", evaluation->name);
        diag_also(d, fit, "and %s %s", deed(c, influence), all ? "the same ones" : "some of them");
    } else {
        d = diag(c->jre, DIAG_tuned_on_the_yardstick, fit, "%s these pictures", deed(c, influence));
        diag_also(d, on, "and `%s` reports its score on %s", evaluation->name, all ? "the same ones" : "some of them");
    }
    tell_way(c, d, meeting);
    const Module *parent = c->document->parent;
    diag_note(d, "a score tuned on its own yardstick is too good%s", parent ? arena_print(&c->arena, ", and %s could not be compared with %s.", c->version, parent->document->source->stem) : ".");
    if (strayed) help_examine(c, d, meeting);
    else help_fit(c, d, meeting);
}

static int wider(const char *a, const char *b) { return (int)(strlen(a) > strlen(b) ? strlen(a) : strlen(b)); }
static const char *individual_of(const TornPicture *picture) { return picture->individual ? picture->individual : ""; }

/* Pictures of two datasets, or of two splits, that are nearly one. What one split tears apart is told of the split. */
static void tell_doubles(Compilation *c, const Meeting *meeting) {
    const EvaluatePlan *evaluation = meeting->evaluation;
    const MetFacts *met = &meeting->met;
    const TornPicture *examined = &met->alike_pair.first, *learned = &met->alike_pair.second;
    const Span on = evaluation->on.span;
    if (overruled(c, evaluation->decl->scope, DIAG_leaking_burst, on, on)) return;
    Diagnostic *d = diag(c->jre, DIAG_leaking_burst, on, "%d of these pictures ha%s a double that was learned from", met->alike, met->alike == 1 ? "s" : "ve");
    diag_also(d, meeting->influence->pictures->span, "%s these", deed(c, meeting->influence));
    const int bits = met->alike_pair.bits, width = wider(examined->file, learned->file), names = wider(individual_of(examined), individual_of(learned));
    const char *tie = bits > met->within ? "one burst" : arena_print(&c->arena, "%d bit%s apart", bits, bits == 1 ? "" : "s");
    diag_fact(d, "of the %d that `%s` examines. The closest:\n    %-*s   examined       %s\n    %-*s   learned from   %-*s   %s", met->of, evaluation->name, width, examined->file,
              individual_of(examined), width, learned->file, names, individual_of(learned), tie);
    diag_fact(d, "the way from the score to it:\n    %s", way_text(c, evaluation->name, meeting->influence, learned->file));
    note_on_bursts(d);
    diag_help(d, "keep such pictures out of one of the two; one table with all of them, split with\n`together burst`, never puts them on two sides");
    help_accept(d, evaluation, "leaking_burst", "the two sets are published so");
}

static void check_evaluation(Compilation *c, const EvaluatePlan *evaluation, bool with_data) {
    InfluenceList found = {0};
    const SplitPlan *folds = folds_of_part(&evaluation->on);
    influences_on(c, (PlanValue){.score = evaluation->similarity}, &found);
    for (int i = 0; i < found.count; i++) {
        Meeting meeting = {.evaluation = evaluation, .influence = &found.at[i]};
        for (int fold = 1; fold <= (folds ? folds->folds : 1); fold++) {
            if (!meet_in(c, &meeting, fold, with_data)) continue;
            if (meeting.counted && !meeting.met.same) tell_doubles(c, &meeting);
            else tell_tuned(c, &meeting);
            break;
        }
    }
}

const char *way_across(Compilation *c, const SplitPlan *split, const TornPair *pair) {
    for (int e = 0; e < c->plan->evaluations.count; e++) {
        const EvaluatePlan *evaluation = c->plan->evaluations.at[e];
        const PartPlan *on = &evaluation->on;
        const int fold = pair->first.fold;
        InfluenceList found = {0};
        if (!on->split || !same_split(c->jre, on->split, split) || !is_part(on, fold ? "held_out" : pair->first.part) || (on->fold && on->fold != fold)) continue;
        influences_on(c, (PlanValue){.score = evaluation->similarity}, &found);
        for (int i = 0; i < found.count; i++) {
            const PartPlan *pictures = found.at[i].pictures;
            if (!pictures->split || !same_split(c->jre, pictures->split, split) || (pictures->fold && pictures->fold != fold)) continue;
            /* where a part to watch is carved out, the pair does not say on which side of it a picture is */
            if (is_part(pictures, fold ? "train" : pair->second.part) && !split->validate) return way_text(c, evaluation->name, &found.at[i], pair->second.file);
        }
    }
    return NULL;
}

/* ---- a picture paired with itself ------------------------------------------------------------------------------------------------ */

static void tell_self_pairs(Compilation *c, const PartPlan *fit_on, const Scope *scope, const CopyFacts *copies) {
    const DatasetPlan *data = fit_on->dataset;
    const TornPicture *first = &copies->example.first, *second = &copies->example.second;
    if (overruled(c, scope, DIAG_self_pairs, fit_on->span, fit_on->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_self_pairs, fit_on->span, "%lld pair%s of these pictures %s one picture and itself", (long long)copies->pairs, copies->pairs == 1 ? "" : "s",
                         copies->pairs == 1 ? "is" : "are");
    diag_also(d, data->table ? data->table_span : data->image_span, "it has the same picture twice");
    const int width = wider(first->file, second->file), names = wider(individual_of(first), individual_of(second));
    diag_fact(d, "%s\n    %-*s   %s\n    %-*s   %-*s   byte for byte the same", copies->pairs == 1 ? "it is:" : "the first:", width, first->file, individual_of(first), width, second->file, names,
              individual_of(second));
    diag_note(d, "a picture is as like itself as no two pictures are: what is fitted on such pairs\nlearns to trust scores that it will never see again.");
    diag_help(d, "let each picture be in `%s` once", data->name);
}

static void check_self_pairs(Compilation *c, const PartPlan *fit_on, const Scope *scope) {
    const SplitPlan *folds = folds_of_part(fit_on);
    for (int fold = 1; fold <= (folds ? folds->folds : 1); fold++) {
        CopyFacts copies;
        if (!c->facts.copies(c->facts.context, fit_on, fold, &copies)) return;
        if (!copies.pairs) continue;
        tell_self_pairs(c, fit_on, scope, &copies);
        return;
    }
}

void check_provenance(Compilation *c, bool with_data) {
    const Plan *plan = c->plan;
    for (int i = 0; i < plan->evaluations.count; i++) check_evaluation(c, plan->evaluations.at[i], with_data);
    if (!with_data || !c->facts.copies) return;
    for (int i = 0; i < plan->boosts.count; i++) check_self_pairs(c, &plan->boosts.at[i]->fit_on, plan->boosts.at[i]->decl->scope);
    for (int i = 0; i < plan->ensembles.count; i++) {
        const EnsemblePlan *ensemble = plan->ensembles.at[i];
        if (ensemble->learned || ensemble->calibrate) check_self_pairs(c, &ensemble->fit_on, ensemble->decl->scope);
    }
}
