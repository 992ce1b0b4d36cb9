/* check_views.c: how a network is shown pictures, held against how it was raised and against what the animals are.
 *
 *   dataset jaguars { pattern asymmetric }   train learner { view strong }   embed features { network learner, view [plain, mirrored] }
 *
 * A look is one view of one record. Of all looks that share a cause, one message is made: it names every choice that the cause spoils. */
#include "compiler.h"

#include <string.h>

typedef struct {
    const View *view;
    const TrainPlan *train; const EmbedPlan *embed;       /* whose view it is: one of the two */
    const Graph *graph;                   /* of the network behind it; NULL: there is none yet */
    const Scope *scope; Span record;
} Look;
typedef struct { DiagCode check; Span at; } Told;
typedef struct { Compilation *c; LIST(Look) looks; LIST(Told) told; } Views;

static bool same_span(Span a, Span b) { return a.start == b.start && a.end == b.end; }

static bool was_told(const Views *views, DiagCode check, Span at) {
    for (int i = 0; i < views->told.count; i++)
        if (views->told.at[i].check == check && same_span(views->told.at[i].at, at)) return true;
    return false;
}

/* Another look has told it, or the document has accepted it. */
static bool silent(Views *views, const Look *look, DiagCode check, Span at) {
    if (overruled(views->c, look->scope, check, at, look->record) || was_told(views, check, at)) return true;
    list_add(&views->c->arena, &views->told, ((Told){check, at}));
    return false;
}

static void gather_looks(Views *views) {
    const Plan *plan = views->c->plan;
    for (int i = 0; i < plan->trains.count; i++) {
        const TrainPlan *train = plan->trains.at[i];
        for (int k = 0; k < train->views.count; k++)
            list_add(&views->c->arena, &views->looks, ((Look){train->views.at[k], train, NULL, train->graph, train->scope, train->span}));
    }
    for (int i = 0; i < plan->embeds.count; i++) {
        const EmbedPlan *embed = plan->embeds.at[i];
        for (int k = 0; k < embed->views.count; k++)
            list_add(&views->c->arena, &views->looks, ((Look){embed->views.at[k], NULL, embed, embed->program ? embed->program->graph : NULL, embed->scope, embed->span}));
    }
}

/* ---- colors: twice ------------------------------------------------------------------------------------------------------- */

static const ViewStep *normalization(const View *view, bool second) {
    const ViewStep *first = NULL;
    for (int i = 0; i < view->steps.count; i++) {
        const ViewStep *step = &view->steps.at[i];
        if (step->kind != VIEW_NORMALIZE) continue;
        if (!second || first) return step;
        first = step;
    }
    return NULL;
}

/* Does nothing but `|>` stand between them? */
static bool piped(Compilation *c, const ViewStep *before, const ViewStep *step) {
    Span between = {before->span.end, step->span.start};
    if (between.end <= between.start || source_of(c->jre, before->span) != source_of(c->jre, step->span)) return false;
    const char *text = span_text(c->jre, between), *sign = text + strspn(text, " \t\r\n");
    return !strncmp(sign, "|>", 2) && sign[2 + strspn(sign + 2, " \t\r\n")] == 0;
}

/* A step and the sign before or behind it. */
static bool step_in_pipe(Compilation *c, const View *view, const ViewStep *step, Span *place) {
    int at = (int)(step - view->steps.at);
    if (at > 0 && piped(c, step - 1, step)) *place = (Span){step[-1].span.end, step->span.end};
    else if (at + 1 < view->steps.count && piped(c, step, step + 1)) *place = (Span){step->span.start, step[1].span.start};
    else return false;
    return in_the_document(c, *place);
}

/* The first network behind it that says what it was raised on. */
static const Stats *raised_on(const Graph *g) {
    for (int i = 0; g && i < g->nodes.count; i++) {
        const WeightScope *weights = g->nodes.at[i]->weights;
        if (weights && weights->has_stats && !weights->reported) return &weights->stats;
    }
    return NULL;
}

static void tell_twice(Views *views, const Look *look, const ViewStep *first, const ViewStep *second) {
    Compilation *c = views->c;
    if (silent(views, look, DIAG_wrong_normalization, second->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_wrong_normalization, second->span, "the colors are normalized a second time");
    diag_also(d, first->span, "here first");
    const Stats *raised = raised_on(look->graph);
    bool alike = stats_equal(&first->stats, &second->stats), keep_second = raised && stats_equal(raised, &second->stats);
    bool known = alike || keep_second || (raised && stats_equal(raised, &first->stats));
    const ViewStep *wrong = alike || !keep_second ? second : first;
    Span place;
    diag_help(d, "take one of the two out");
    if (known && step_in_pipe(c, look->view, wrong, &place)) diag_edit(d, place, true, "%s", "");
}

/* ---- colors: others than the network was raised on ----------------------------------------------------------------- */

/* Weights, and the program that names them: that of an ancestor may call others so. */
typedef struct { const WeightScope *weights; const Scope *scope; } Named;
typedef LIST(Named) WeightsList;
typedef struct { const Look *look; WeightsList other, same; } Colors;          /* look: the first that is shown other ones */

/* Where a view gets its colors; one that leaves them as they are, as a whole. */
static Span cause_of_colors(const View *view) {
    const ViewStep *step = normalization(view, false);
    if (step) return step->span;
    return view->decl && !view->decl->statement->builtin ? view->decl->statement->span : view->span;
}

static void add_weights(Compilation *c, WeightsList *list, Named named) {
    for (int i = 0; i < list->count; i++) {
        const Named *before = &list->at[i];
        if (before->scope == named.scope && same_span(before->weights->span, named.weights->span) && !strcmp(before->weights->path, named.weights->path)) return;
    }
    list_add(&c->arena, list, named);
}

static void look_at_weights(Compilation *c, const Look *look, Colors *colors) {
    const ViewStep *step = normalization(look->view, false);
    for (int i = 0; look->graph && i < look->graph->nodes.count; i++) {
        const WeightScope *weights = look->graph->nodes.at[i]->weights;
        if (!weights || !weights->has_stats || weights->reported) continue;
        add_weights(c, step && stats_equal(&step->stats, &weights->stats) ? &colors->same : &colors->other, (Named){weights, look->scope});
    }
}

/* The `each` in which these weights are a choice, and what that is called. NULL: they are none. */
static Decl *axis_around(Compilation *c, const Named *named, const char **choice) {
    for (int i = 0; i < named->scope->names.count; i++) {
        Decl *decl = named->scope->names.entries[i].value;
        if (!decl || !decl->each || !decl->value) continue;
        for (int k = 0; k < decl->value->arguments.count; k++) {
            if (!span_holds(decl->value->arguments.at[k].value->span, named->weights->span)) continue;
            *choice = axis_choice(c, decl, k);
            return decl;
        }
    }
    return NULL;
}

/* "a, b and c": the choices of this axis among the weights; without one, the files that one place names by turns. How many there are. */
static int choices_listed(Compilation *c, const Decl *axis, Span place, const WeightsList *list, const char **text) {
    NameList names = {0};
    for (int i = 0; i < list->count; i++) {
        const Named *named = &list->at[i];
        const char *choice = NULL, *slash = strrchr(named->weights->path, '/');
        if (axis_around(c, named, &choice) != axis || (!axis && !same_span(named->weights->span, place))) continue;
        list_add(&c->arena, &names, axis ? choice : slash ? slash + 1 : named->weights->path);
    }
    *text = "";
    for (int i = 0; i < names.count; i++) *text = arena_print(&c->arena, "%s%s%s", *text, !i ? "" : i + 1 == names.count ? " and " : ", ", names.at[i]);
    return names.count;
}

/* Which choices it spoils, if the network is one of several: then the last of them is shown, else each network. */
static void tell_networks(Compilation *c, Diagnostic *d, const Colors *colors) {
    enum { MOST_SHOWN = 3 };
    const char *choice, *spoiled, *fine;
    const WeightsList *other = &colors->other;
    const Decl *axis = axis_around(c, &other->at[0], &choice);
    const Span place = other->at[0].weights->span;
    int agree = choices_listed(c, axis, place, &colors->same, &fine);
    bool family = choices_listed(c, axis, place, other, &spoiled) == other->count && (axis || other->count + agree > 1);
    for (int i = family ? other->count - 1 : 0; i < other->count && (family || i < MOST_SHOWN); i++) {
        const WeightScope *weights = other->at[i].weights;
        diag_also(d, weights->stats.span.end ? weights->stats.span : weights->span, "raised on %s", stats_text(c, &weights->stats));
    }
    if (!family) return;
    diag_fact(d, "for %s%s%s.", axis ? arena_print(&c->arena, "%s = ", axis->name) : "", spoiled, !agree ? "" : arena_print(&c->arena, "; %s agree%s", fine, agree == 1 ? "s" : ""));
}

/* The word for these statistics; NULL: they have none. */
static const char *stats_word(const Stats *stats) {
    static const char *const words[] = {"imagenet", "half", "clip"};
    Stats known;
    for (int i = 0; i < 3; i++)
        if (stats_by_word(words[i], &known) && stats_equal(&known, stats)) return words[i];
    return NULL;
}

/* How a text asks for the statistics of these weights: by the equation that names the network, else, if they have one, by their own name. */
static const char *stats_expression(Compilation *c, const Named *named, const Decl **network) {
    *network = NULL;
    for (int i = 0; i < named->scope->names.count; i++) {
        const Decl *decl = named->scope->names.entries[i].value;
        if (!decl || decl->kind != STATEMENT_EQUATION || !decl->value || !span_holds(decl->value->span, named->weights->span)) continue;
        if (decl->value->kind == EXPR_LIST && !decl->each) continue;
        *network = decl;
        return arena_print(&c->arena, "%s.stats", decl->name);
    }
    return stats_word(&named->weights->stats);
}

/* The same expression serves every network that is seen through this view. */
static bool serves_all(Compilation *c, const Colors *colors, const Decl *network) {
    const WeightsList *lists[] = {&colors->other, &colors->same};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < lists[k]->count; i++) {
            const Decl *own;
            bool told = stats_expression(c, &lists[k]->at[i], &own) != NULL;
            if (network ? !own || own->name != network->name : own || !told || !stats_equal(&lists[k]->at[i].weights->stats, &colors->other.at[0].weights->stats)) return false;
        }
    return true;
}

/* Can a text there name the equation: is it declared in the document of that text, or in one that this extends? */
static bool names_it(const Compilation *c, Span text, const Decl *decl) {
    const Source *there = source_of(c->jre, text), *declared = source_of(c->jre, decl->statement->span);
    bool met = false;
    for (const Module *m = c->document; m; m = m->parent) {
        met |= m->document->source == there;
        if (m->document->source == declared) return met;
    }
    return false;
}

static bool view_in_view(Compilation *c, const Scope *scope, const Decl *decl) {
    for (int i = 0; i < scope->names.count; i++) {
        const Decl *other = scope->names.entries[i].value;
        Map names = {0};
        if (!other || other == decl || other->kind != STATEMENT_FORMULA) continue;
        mentioned_names(c, other->statement, &names);
        if (map_get(&names, decl->name)) return true;
    }
    return false;
}

/* Where the colors are said; without a step, the end of the view, unless another view begins with this one. False: no text can be put there. */
static bool place_of_colors(Compilation *c, const Look *look, const ViewStep *step, Span *place) {
    const Decl *decl = look->view->decl;
    if (step) {
        *place = step_parameter(step, "stats")->span;
        return in_the_document(c, *place);
    }
    if (!decl || decl->statement->builtin || !decl->statement->lines.count || view_in_view(c, look->scope, decl)) return false;
    const Expr *result = decl->statement->lines.at[decl->statement->lines.count - 1].value;
    *place = (Span){result->span.end, result->span.end};
    return in_the_document(c, *place) && (result->kind == EXPR_PIPE || result->kind == EXPR_NAME || result->kind == EXPR_CALL);
}

static void help_colors(Compilation *c, Diagnostic *d, const Colors *colors, const ViewStep *step) {
    const Decl *network;
    const char *text = stats_expression(c, &colors->other.at[0], &network);
    Span place;
    if (!text) {
        diag_help(d, "let an equation name the network, eye = resnet50(..), and follow it: normalize(eye.stats)");
        return;
    }
    if (!serves_all(c, colors, network)) {
        diag_help(d, "give each of these networks a view of its own");
        return;
    }
    bool edits = place_of_colors(c, colors->look, step, &place) && (!network || names_it(c, place, network));
    const WeightScope *weights = colors->other.at[0].weights;
    const Span said = weights->stats.span;                        /* where the file says it, the place of its name */
    const bool either = step && !network && said.end && !same_span(said, weights->span) && in_the_document(c, said);       /* two written lines contradict each other */
    const char *way = network ? arena_print(&c->arena, "follow the %s, whichever it is", network->name) : "show it the colors that it was raised on";
    if (edits) {
        diag_help(d, "%s", way);
        diag_edit(d, place, !either, step ? "%s" : " |> normalize(%s)", text);
    } else {
        diag_help(d, step ? "%s: normalize(%s)" : "%s: end the view with |> normalize(%s)", way, text);
    }
    const char *seen = either ? stats_word(&step->stats) : NULL;
    if (seen) {
        diag_help(d, "or, if the weights were raised on what the view says");
        diag_edit(d, said, false, "%s", seen);
    }
}

static void tell_colors(Views *views, const Colors *colors) {
    Compilation *c = views->c;
    const View *view = colors->look->view;
    const ViewStep *step = normalization(view, false);
    list_add(&c->arena, &views->told, ((Told){DIAG_wrong_normalization, cause_of_colors(view)}));
    Diagnostic *d = step ? diag(c->jre, DIAG_wrong_normalization, step->span, "%s", stats_text(c, &step->stats))
                         : diag(c->jre, DIAG_wrong_normalization, view->span, "this view leaves the colors as they are, 0 to 1");
    tell_networks(c, d, colors);
    diag_note(d, "nothing would crash. The network would see other colors than it was raised on.");
    help_colors(c, d, colors, step);
}

/* All looks from `first` on that get their colors at one place. */
static void check_colors(Views *views, int first) {
    Colors colors = {0};
    const Span cause = cause_of_colors(views->looks.at[first].view);
    for (int i = 0; i < views->looks.count; i++) {
        const Look *look = &views->looks.at[i];
        if (!same_span(cause_of_colors(look->view), cause)) continue;
        if (i < first) return;
        const ViewStep *step = normalization(look->view, false);
        Colors own = {0};
        look_at_weights(views->c, look, &own);
        if (own.other.count && overruled(views->c, look->scope, DIAG_wrong_normalization, step ? step->span : look->view->span, look->record)) continue;
        for (int k = 0; k < own.other.count; k++) add_weights(views->c, &colors.other, own.other.at[k]);
        for (int k = 0; k < own.same.count; k++) add_weights(views->c, &colors.same, own.same.at[k]);
        if (own.other.count && !colors.look) colors.look = look;
    }
    if (colors.look) tell_colors(views, &colors);
}

static void check_normalization(Views *views) {
    for (int i = 0; i < views->looks.count; i++) {
        const ViewStep *second = normalization(views->looks.at[i].view, true);
        if (second) tell_twice(views, &views->looks.at[i], normalization(views->looks.at[i].view, false), second);
        else check_colors(views, i);
    }
}

/* ---- mirrors ------------------------------------------------------------------------------------------------------------ */

/* Left and right are two patterns there: it is said, or the flanks are told apart. */
static bool flanks_differ(const DatasetPlan *data) { return data->pattern == PATTERN_ASYMMETRIC || (data->flank && data->pattern == PATTERN_UNSAID); }

static void also_flanks(Diagnostic *d, const DatasetPlan *data) {
    if (data->pattern == PATTERN_ASYMMETRIC) diag_also(d, data->pattern_span, "but you say that left and right differ");
    else diag_also(d, data->flank_span, "but this tells left from right");
}

static void help_symmetric(Compilation *c, Diagnostic *d, const DatasetPlan *data) {
    diag_help(d, "if your animals are alike on both sides, say so where the data is described");
    if (data->pattern == PATTERN_ASYMMETRIC) {
        const char *line = span_text(c->jre, data->pattern_span);
        diag_edit(d, data->pattern_span, false, "%.*ssymmetric", (int)(strlen(line) - strlen("asymmetric")), line);
    } else {
        diag_edit(d, (Span){data->flank_span.end, data->flank_span.end}, false, "\n  pattern  symmetric");
    }
}

/* flip() with `as = new_identity` in its brackets, or in place of what it says of `as` already; NULL: its formula says it. */
static const char *as_another(Compilation *c, const ViewStep *flip) {
    const Span own = flip->span, as = step_parameter(flip, "as")->span;
    const char *text = span_text(c->jre, own), *bracket = strchr(text, '(');
    if (!span_holds(flip->formula->statement->span, as)) {
        if (!span_holds(own, as)) return NULL;
        return arena_print(&c->arena, "%.*snew_identity%s", (int)(as.start - own.start), text, text + (as.end - own.start));
    }
    if (!bracket) return arena_print(&c->arena, "%s(as = new_identity)", text);
    const bool empty = bracket[1 + strspn(bracket + 1, " ")] == ')';
    return arena_print(&c->arena, "%.*sas = new_identity%s%s", (int)(bracket + 1 - text), text, empty ? "" : ", ", bracket + 1);
}

static bool is_flip(const ViewStep *step) { return step->name && !strcmp(step->name, "flip") && step->kind != VIEW_NOTHING; }

/* One flip says whose the mirrored picture is: of several the first does, and the others are taken out of the pipe. flip: keeps the name. */
static void edit_flips(Compilation *c, Diagnostic *d, const View *view, const ViewStep *flip) {
    const ViewStep *end = view->steps.at + view->steps.count, *first = NULL, *last = flip;
    for (const ViewStep *step = view->steps.at; step < end; step++) {
        if (!is_flip(step)) continue;
        if (!first) first = step;
        last = step;
    }
    const char *text = first == flip ? as_another(c, flip) : span_text(c->jre, first->span);
    bool one_pipe = true;
    for (const ViewStep *step = first + 1; step <= last && text; step++) {
        one_pipe &= piped(c, step - 1, step);
        if (!is_flip(step)) text = arena_print(&c->arena, "%s |> %s", text, span_text(c->jre, step->span));
    }
    diag_help(d, "let %s mirrored animal be an individual of its own", first == last ? "each" : "one flip do it, and each");
    if (text && one_pipe) diag_edit(d, (Span){first->span.start, last->span.end}, false, "%s", text);
    else if (first == last) diag_edit(d, step_parameter(flip, "as")->span, false, "new_identity");
}

/* How many that would be. */
static void tell_mirrored(Compilation *c, Diagnostic *d, const TrainPlan *train, const ViewStep *flip) {
    PartFacts facts;
    const Value *chance = step_parameter(flip, "chance");
    if (!c->with_data || !c->facts.part || chance->draw || !c->facts.part(c->facts.context, &train->data, &facts)) return;
    const int mirrored = (int)(value_bare(chance) * facts.pictures + 0.5);
    diag_fact(d, "%s%d of the %d training pictures would be mirrored%s.", flip->draws ? "about " : "", mirrored, facts.pictures, train->folds ? " in the first fold" : "");
}

static void check_trained_flip(Views *views, const Look *look) {
    Compilation *c = views->c;
    const DatasetPlan *data = look->train->data.dataset;
    const ViewStep *flip = view_flip(look->view, false);
    if (!flip || !flanks_differ(data) || silent(views, look, DIAG_mirrored_flank, flip->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_mirrored_flank, flip->span, "the mirrored picture keeps the animal's name");
    also_flanks(d, data);
    tell_mirrored(c, d, look->train, flip);
    diag_note(d, "the pattern of a left flank, mirrored, is the pattern of no animal. "
                 "Training on it teaches the network to ignore what tells individuals apart.");
    edit_flips(c, d, look->view, flip);
    help_symmetric(c, d, data);
}

/* Every picture is mirrored there, and the animal stays the same. */
static bool mirrors_all(const View *view) {
    const ViewStep *flip = view_flip(view, false);
    return flip && !flip->draws;
}

/* The view of the list that mirrors what another of it shows as it is. NULL: there is none. */
static const View *mirrored_view(const EmbedPlan *embed) {
    const View *mirrored = NULL;
    bool plain = false;
    for (int i = 0; i < embed->views.count; i++) {
        if (!mirrors_all(embed->views.at[i])) plain = true;
        else if (!mirrored) mirrored = embed->views.at[i];
    }
    return plain ? mirrored : NULL;
}

static bool says(const Decl *decl, const char *key, const char *word) {
    const Setting *setting = decl ? plan_setting(decl, key) : NULL;
    return setting && setting->value->kind == EXPR_NAME && !strcmp(setting->value->name, word);
}

static const Decl *decl_of(const Scope *scope, const char *name) { return map_get(&scope->names, name); }

/* The view and its comma, in the list that it stands in. */
static void edit_out(Diagnostic *d, const EmbedPlan *embed, const View *view) {
    for (int i = 0; i < embed->views.count; i++) {
        if (embed->views.at[i] != view) continue;
        Span next = embed->views.at[i ? i - 1 : 1]->span;
        diag_edit(d, i ? (Span){next.end, view->span.end} : (Span){view->span.start, next.start}, false, "%s", "");
    }
}

static Diagnostic *picture_and_mirror(Views *views, const Look *look, DiagCode check, const View *mirrored, bool *best) {
    if (silent(views, look, check, mirrored->span)) return NULL;
    *best = says(decl_of(look->scope, look->embed->name), "pool", "max");
    return diag(views->c->jre, check, mirrored->span, *best ? "a picture may answer by its mirror here" : "a picture and its mirror are averaged here");
}

/* Where one of the trainings behind it told a picture and its mirror apart. */
static const ViewStep *told_apart(const EmbedPlan *embed) {
    for (int k = 0; k < embed->from.count; k++)
        for (int i = 0; i < embed->from.at[k]->views.count; i++)
            if (view_flip(embed->from.at[k]->views.at[i], true)) return view_flip(embed->from.at[k]->views.at[i], true);
    return NULL;
}

/* A dataset whose pictures ask and answer by this embed, and whose flanks differ. */
static const DatasetPlan *judged_by_flank(Jre *jre, const Plan *plan, const EmbedPlan *embed) {
    for (int i = 0; i < plan->evaluations.count; i++)
        if (flanks_differ(plan->evaluations.at[i]->on.dataset) && score_speaks_of(jre, plan->evaluations.at[i]->similarity, embed)) return plan->evaluations.at[i]->on.dataset;
    for (int i = 0; i < plan->submissions.count; i++)
        if (flanks_differ(plan->submissions.at[i]->on.dataset) && score_speaks_of(jre, plan->submissions.at[i]->similarity, embed)) return plan->submissions.at[i]->on.dataset;
    return NULL;
}

/* A picture and its mirror as one: what training told apart, or what nobody told apart and the animals' flanks do. */
static void check_mirrored_list(Views *views, const Look *look) {
    const View *mirrored = mirrored_view(look->embed);
    const ViewStep *apart = told_apart(look->embed);
    const DatasetPlan *data = mirrored && !apart ? judged_by_flank(views->c->jre, views->c->plan, look->embed) : NULL;
    bool best;
    Diagnostic *d = !mirrored || (!apart && !data) ? NULL : picture_and_mirror(views, look, apart ? DIAG_inconsistent_views : DIAG_mirrored_flank, mirrored, &best);
    if (!d) return;
    if (apart) {
        diag_also(d, apart->span, "but training was told that they are different individuals");
        diag_note(d, "the network has learned to push the two apart; %s.", best ? "one is no answer for the other" : "their average is neither");
    } else {
        also_flanks(d, data);
        diag_note(d, "the pattern of a left flank, mirrored, is the pattern of no animal%s", best ? "." : "; the average of the two is that of a stranger.");
    }
    diag_help(d, "leave mirrors out of the view");
    edit_out(d, look->embed, mirrored);
    if (!apart) help_symmetric(views->c, d, data);
}

/* ---- views that judge ---------------------------------------------------------------------------------------------------- */

/* A view of the plan that draws nothing, makes pictures as large, and is called by a name alone. */
static const View *steady_view(const Views *views, const Look *look) {
    for (int i = 0; i < views->looks.count; i++) {
        const View *other = views->looks.at[i].view;
        bool fits = !other->random && other->width == look->view->width && other->height == look->view->height && decl_of(look->scope, other->name) == other->decl;
        for (int k = 0; k < look->embed->views.count && fits; k++) fits = look->embed->views.at[k]->decl != other->decl;
        if (fits && views->looks.at[i].scope == look->scope && span_text(views->c->jre, other->span) == other->name) return other;
    }
    return NULL;
}

static void check_steady(Views *views, const Look *look) {
    const View *view = look->view;
    if (!view->random || silent(views, look, DIAG_random_view_in_evaluation, view->span)) return;
    Diagnostic *d = diag(views->c->jre, DIAG_random_view_in_evaluation, view->span, "this view draws: what it makes of a picture is chance");
    diag_also(d, view->random_span, "drawn here");
    diag_note(d, "a view that draws is for training. A score through it would change "
                 "with the seed, and say as much of the draws as of the animals.");
    const View *other = steady_view(views, look);
    diag_help(d, other ? "look through a view that draws nothing" : "look through a view of the same steps, without those that draw");
    if (other) diag_edit(d, view->span, false, "%s", other->name);
}

/* `stop` and `keep` judge in the view of the first embed of the training, else in its own. */
static void check_watching(Views *views, const Look *look) {
    static const char *const keys[] = {"stop", "keep"};
    const TrainPlan *train = look->train;
    const Decl *decl = decl_of(look->scope, train->name);
    for (int i = 0; i < views->c->plan->embeds.count; i++)
        if (views->c->plan->embeds.at[i]->train == train) return;
    for (int i = 0; i < 2 && decl && look->view->random && !train->passed_over; i++) {
        const Setting *setting = plan_setting(decl, keys[i]);
        if (!setting || says(decl, keys[i], "last") || silent(views, look, DIAG_random_view_in_evaluation, setting->value->span)) continue;
        Diagnostic *d = diag(views->c->jre, DIAG_random_view_in_evaluation, setting->value->span, "judged in the view of the training, as nothing embeds with it");
        diag_also(d, look->view->random_span, "and that draws");
        diag_note(d, "an epoch would be chosen for its luck, not for what it has learned.");
        diag_help(d, "embed with `%s`: epochs are then judged in the view of that embed", train->name);
        return;
    }
}

/* A mirror that is somebody else is one in training only. */
static void check_new_identities(Views *views, const Look *look) {
    const ViewStep *flip = view_flip(look->view, true);
    if (!flip || look->view->random || silent(views, look, DIAG_inconsistent_views, flip->span)) return;
    Diagnostic *d = diag(views->c->jre, DIAG_inconsistent_views, flip->span, "a mirrored animal is an individual of its own in training only");
    diag_also(d, look->view->span, "and nobody trains through this view");
    diag_note(d, "who is asked about is in the data, and no mirrored animal is.");
    diag_help(d, "leave the flip out of this view");
}

/* ---- what training did to every picture -------------------------------------------------------------------------------- */

static const struct { const char *step, *here, *there; } manners[] = {
    {"cover", "here the background stays in the picture", "but training hid it"},
    {"gray", "here pictures have colors", "but training took them away"},
    {"blur", "here pictures are sharp", "but training blurred them"},
    {"jpeg", "here pictures are not compressed", "but training compressed them"},
    {"flip", "here pictures are not mirrored", "but training mirrored them"},
};

/* The step by this name that every picture goes through. */
static const ViewStep *always(const View *view, const char *name) {
    const ViewStep *step = view_step(view, name);
    if (!step || step->draws || step->kind == VIEW_NOTHING) return NULL;
    return strcmp(name, "flip") != 0 || mirrors_all(view) ? step : NULL;
}

static void check_manners(Views *views, const Look *look, const TrainPlan *train) {
    Compilation *c = views->c;
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        const ViewStep *step = always(train->view, manners[i].step);
        for (int k = 1; k < train->views.count; k++)
            if (!always(train->views.at[k], manners[i].step)) step = NULL;
        if (!step || view_step(look->view, manners[i].step) || silent(views, look, DIAG_inconsistent_views, look->view->span)) continue;
        Diagnostic *d = diag(c->jre, DIAG_inconsistent_views, look->view->span, "%s", manners[i].here);
        diag_also(d, step->span, "%s", manners[i].there);
        diag_note(d, "the network has never seen a picture like these.");
        diag_help(d, "take the step into this view too: |> %s", span_text(c->jre, step->span));
        return;
    }
}

/* Where no file says what colors the network knows, it knows those of its training. */
static void check_trained_colors(Views *views, const Look *look, const TrainPlan *train) {
    Compilation *c = views->c;
    const View *trained = train->view;
    const ViewStep *then = normalization(trained, false), *now = normalization(look->view, false);
    Span at = now ? now->span : look->view->span;
    for (int i = 0; i < train->views.count; i++) {
        const ViewStep *step = normalization(train->views.at[i], false);
        if (!step == !now && (!step || stats_equal(&step->stats, &now->stats))) return;
        if (was_told(views, DIAG_wrong_normalization, cause_of_colors(train->views.at[i]))) return;
    }
    if (was_told(views, DIAG_wrong_normalization, cause_of_colors(look->view))) return;
    if (silent(views, look, DIAG_inconsistent_views, at)) return;
    Diagnostic *d = diag(c->jre, DIAG_inconsistent_views, at, "%s", now ? stats_text(c, &now->stats) : "this view leaves the colors as they are, 0 to 1");
    if (then) diag_also(d, then->span, "but training saw %s", stats_text(c, &then->stats));
    else diag_also(d, trained->span, "but training saw them as they are, 0 to 1");
    diag_note(d, "nothing would crash. The network would see other colors than it has learned from.");
    const Value *stats = then ? step_parameter(then, "stats") : NULL;
    if (!stats) diag_help(d, "take `normalize` out, or into the view of the training too");
    else diag_help(d, "show it the colors of the training: |> normalize(%s)", span_text(c->jre, stats->span));
}

void check_views(Compilation *c) {
    Views views = {.c = c};
    gather_looks(&views);
    check_normalization(&views);
    for (int i = 0; i < views.looks.count; i++) {
        const Look *look = &views.looks.at[i];
        if (look->train) {
            check_trained_flip(&views, look);
            check_watching(&views, look);
            continue;
        }
        check_steady(&views, look);
        check_new_identities(&views, look);
        if (look->view == look->embed->views.at[0]) check_mirrored_list(&views, look);
        for (int k = 0; k < look->embed->from.count && !look->view->random; k++) {
            check_trained_colors(&views, look, look->embed->from.at[k]);
            check_manners(&views, look, look->embed->from.at[k]);
        }
    }
}
