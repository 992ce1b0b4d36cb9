/* check_batches.c: hollow_triplets: a loss that compares pictures of one animal, and batches that do not bring two of them together.
 *
 *   batches shuffled(64)                           of 64 pictures drawn at random most are the only one of their animal
 *   batches balanced(identities = 16, images = 1)  one of each is none to compare
 *
 * How many would be alone is computed from the pictures of each individual in the part: the expected number, over all batches that
 * could be drawn. */
#include "compiler.h"

#include <math.h>
#include <string.h>

/* ---- does a loss compare pictures of one animal? ------------------------------------------------------------------------------ */

typedef struct { Compilation *c; const Decl *loss; Seen seen; } Look;

static bool compares_pairs(Look *look, const Decl *loss);

/* who[i], of labels that the loss is given. */
static bool is_label(const Statement *loss, const Expr *e) {
    if (!e || e->kind != EXPR_INDEX || e->target->kind != EXPR_NAME || e->arguments.count != 1) return false;
    for (int i = 0; i < loss->params.count; i++)
        if (loss->params.at[i].name == e->target->name) return !strcmp(loss->params.at[i].type.name, "Identity");
    return false;
}

/* who[i] == who[j], also within another formula that is called. */
static bool pairs_in(Look *look, const Expr *e) {
    if (!e) return false;
    const Statement *loss = look->loss->statement;
    if (e->kind == EXPR_BINARY && e->op == BINARY_eq && is_label(loss, e->left) && is_label(loss, e->right) && !expr_equal(e->left->arguments.at[0].value, e->right->arguments.at[0].value))
        return true;
    const Expr *callee = e->kind == EXPR_CALL ? e->target : NULL;
    const Decl *called = callee && callee->kind == EXPR_NAME ? scope_find(look->loss->scope, callee->name) : NULL;
    if (called && called->kind == STATEMENT_FORMULA) {
        Look inner = {.c = look->c, .loss = called, .seen = look->seen};
        const bool pairs = compares_pairs(&inner, called);
        look->seen = inner.seen;
        if (pairs) return true;
    }
    if (pairs_in(look, e->target) || pairs_in(look, e->left) || pairs_in(look, e->right) || pairs_in(look, e->condition)) return true;
    for (int i = 0; i < e->arguments.count; i++)
        if (pairs_in(look, e->arguments.at[i].value)) return true;
    return false;
}

static bool compares_pairs(Look *look, const Decl *loss) {
    if (!seen_first(&look->seen, &look->c->arena, loss)) return false;
    for (int i = 0; i < loss->statement->lines.count; i++)
        if (pairs_in(look, loss->statement->lines.at[i].value)) return true;
    return false;
}

/* ---- how many would be alone? ---------------------------------------------------------------------------------------------------- */

static double log_choose(double n, double k) { return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1); }

/* That none of the `others` of a picture's animal is among the `drawn` that share a batch with it, of `rest` pictures. One that is there does
 * not count with the chance `missed`: the view mirrors one of the two into another animal. */
static double chance_alone(int others, int drawn, int rest, double missed) {
    double chance = 0;
    for (int k = 0; k <= others && k <= drawn; k++) {
        if (drawn - k > rest - others || (k && missed <= 0)) continue;
        chance += pow(missed, k) * exp(log_choose(others, k) + log_choose(rest - others, drawn - k) - log_choose(rest, drawn));
    }
    return chance;
}

static double alone_when_shuffled(const PartFacts *facts, int batch, double missed) {
    double alone = 0;
    for (int i = 0; i < facts->individuals; i++)
        alone += (double)batch * facts->of_each[i] / facts->pictures * chance_alone(facts->of_each[i] - 1, batch - 1, facts->pictures - 1, missed);
    return alone;
}

/* With replacement, each individual as often as any other; the same picture again is none to compare. */
static double alone_when_evened(const PartFacts *facts, int batch, double missed) {
    double alone = 0;
    for (int i = 0; i < facts->individuals; i++)
        alone += pow(1 - (1 - missed) * (1 - 1.0 / facts->of_each[i]) / facts->individuals, batch - 1);
    return batch * alone / facts->individuals;
}

/* ---- findings ----------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    Compilation *c; const TrainPlan *train;
    const Value *way;                     /* of drawing batches */
    Span at, loss;
    PartFacts facts; PartPlan part;       /* of the fold that is worst off */
    bool pairs;
} Batches;

static int argument(const Batches *b, const char *name) {
    const Value *v = option_argument(b->way, name);
    return v ? (int)value_bare(v) : 0;
}

enum { USUAL = 16 };                      /* animals of a batch */

/* A mirrored one is another. */
static int animals(const Batches *b) { return b->facts.individuals * (b->train->mirrored ? 2 : 1); }

static bool accepted(const Batches *b) { return overruled_anywhere(b->c, DIAG_hollow_triplets, b->at, b->train->span); }

static Diagnostic *hollow(const Batches *b, const char *words) {
    const bool written = plan_has(b->train->decl, "batches");
    Diagnostic *d = diag(b->c->jre, DIAG_hollow_triplets, b->at, written ? "%s" : "it draws shuffled(64), as nothing else is said: %s", words);
    if (b->pairs) diag_also(d, b->loss, "needs a second picture of the same animal");
    return d;
}

static void edit_batches(const Batches *b, Diagnostic *d, bool safe, int identities, int images) {
    const char *way = arena_print(&b->c->arena, "balanced(identities = %d, images = %d)", identities, images);
    const uint32_t end = setting_span(b->train->decl, "loss").end;
    if (plan_has(b->train->decl, "batches")) diag_edit(d, b->at, safe, "%s", way);
    else diag_edit(d, (Span){end, end}, safe, "\n  batches   %s", way);
}

/* So many pictures as most animals have, from 2 to `limit`: a batch that asks for more would fill up with copies. */
static int pictures_of_each(const Batches *b, int limit) {
    for (int count = limit; count > 2; count--) {
        int have = 0;
        for (int i = 0; i < b->facts.individuals; i++) have += b->facts.of_each[i] >= count;
        if (2 * have > b->facts.individuals) return count;
    }
    return 2;
}

/* A picture that must be drawn twice has only itself beside it. */
static bool copies_teach(const Batches *b) { return b->train->view->random || !b->facts.singletons; }

static void tell_lonely(const Batches *b, int batch, double alone) {
    Diagnostic *d = hollow(b, "most pictures would be the only one of their animal in the batch");
    int identities = batch / 4 < 2 ? 2 : batch / 4;
    if (identities > animals(b)) identities = animals(b);
    diag_fact(d, "of %d pictures drawn from `%s`, about %.0f would be alone.", batch, part_text(&b->c->arena, &b->part), alone);
    diag_note(d, "where an animal is alone its term is 0: the loss falls and little is learned.");
    diag_help(d, "draw several pictures of each animal");
    if (identities >= 2) edit_batches(b, d, copies_teach(b), identities, pictures_of_each(b, 4));
}

static void tell_few(const Batches *b, int identities, int images) {
    Diagnostic *d = hollow(b, arena_print(&b->c->arena, "a batch wants %d animals", identities));
    const char *data = part_text(&b->c->arena, &b->part);
    diag_also(d, b->train->data.span, b->train->mirrored ? "`%s` has %d, %d of them mirrored" : "`%s` has %d", data, animals(b), b->facts.individuals);
    diag_note(d, "no batch could be filled.");
    const int all = animals(b), most = all > USUAL && all * images > b->facts.pictures ? USUAL : all;      /* a batch is no epoch */
    const int each = pictures_of_each(b, most < all ? images : identities * images / most);
    diag_help(d, each > images ? "draw fewer animals, and more pictures of each" : "draw fewer animals");
    if (most >= 2) edit_batches(b, d, false, most, b->pairs ? each : images);
}

static void tell_single(const Batches *b, int identities) {
    Diagnostic *d = hollow(b, "each picture would be the only one of its animal in the batch");
    diag_note(d, "where an animal is alone its term is 0: the loss falls and nothing is learned.");
    diag_help(d, "draw several pictures of each animal");
    edit_batches(b, d, true, identities / 4 < 2 ? 2 : identities / 4, 4);
}

static void tell_copies(const Batches *b) {
    const int alone = b->facts.singletons;
    Diagnostic *d = hollow(b, arena_print(&b->c->arena, "%d of the %d animals ha%s one picture only, which is drawn again and again", alone, b->facts.individuals, alone == 1 ? "s" : "ve"));
    diag_also(d, b->train->view->span, "and looks the same each time");
    diag_fact(d, "in `%s`, of %d pictures.", part_text(&b->c->arena, &b->part), b->facts.pictures);
    diag_note(d, "a picture is no distance away from its copy: there is nothing to pull together.");
    diag_help(d, "let the view draw, so that no two looks are the same: |> crop(%dpx, scale = 0.8 to 1.0)", b->train->view->width);
    diag_help(d, "if these few do not matter, say why: every report repeats it");
    const uint32_t end = b->train->decl->statement->span.end;
    diag_edit(d, (Span){end, end}, false, "\n\naccept hollow_triplets for %s because \"they are few\"", b->train->name);
}

/* How badly off the batches from these pictures are: pictures that would be alone, of a batch; of a balanced one, individuals with a single
 * picture, infinite if it cannot be filled. */
static double hollowness(const Batches *b, int batch) {
    const PartFacts *facts = &b->facts;
    const double missed = b->train->mirrored ? 0.5 : 0;
    if (!facts->of_each || !facts->pictures) return 0;
    if (batch > facts->pictures) batch = facts->pictures;
    if (!strcmp(b->way->text, "shuffled")) return alone_when_shuffled(facts, batch, missed);
    if (!strcmp(b->way->text, "inverse_frequency")) return alone_when_evened(facts, batch, missed);
    if (argument(b, "identities") > animals(b)) return INFINITY;
    return facts->singletons;
}

static bool look_at_pictures(Batches *b) {
    const PartPlan *data = &b->train->data;
    const int folds = data->split && !data->fold ? data->split->folds : 0;
    double worst = -1;
    for (int fold = folds ? 1 : 0; fold <= folds; fold++) {
        Batches here = *b;
        here.part = *data;
        if (fold) here.part.fold = fold;
        if (!b->c->facts.part(b->c->facts.context, &here.part, &here.facts)) return false;
        const double hollow = hollowness(&here, (int)b->train->batch);
        if (hollow <= worst) continue;
        worst = hollow;
        *b = here;
    }
    return true;
}

static void check_training(Compilation *c, const TrainPlan *train, bool with_data) {
    Look look = {.c = c, .loss = train->loss->decl};
    Batches b = {.c = c, .train = train, .way = setting_value(c, train->decl, "batches", train->choices), .at = setting_span(train->decl, "batches"),
                 .loss = setting_span(train->decl, "loss"), .pairs = compares_pairs(&look, train->loss->decl)};
    if (!b.way || b.way->kind != VALUE_OPTION) return;
    const bool balanced = !strcmp(b.way->text, "balanced");
    const int identities = argument(&b, "identities"), images = argument(&b, "images");
    if (balanced && b.pairs && images == 1) {
        if (!accepted(&b)) tell_single(&b, identities);
        return;
    }
    if (!with_data || !c->facts.part || (!balanced && !b.pairs) || !look_at_pictures(&b) || !b.facts.of_each) return;
    const int batch = train->batch > b.facts.pictures ? b.facts.pictures : (int)train->batch;
    const double alone = hollowness(&b, batch);
    const bool few = balanced && isinf(alone), copies = balanced && !few && b.pairs && !copies_teach(&b), lonely = !balanced && 2 * alone > batch;
    if (!(few || copies || lonely) || accepted(&b)) return;
    if (few) tell_few(&b, identities, images);
    else if (copies) tell_copies(&b);
    else tell_lonely(&b, batch, alone);
}

void check_batches(Compilation *c, bool with_data) {
    for (int i = 0; i < c->plan->trains.count; i++) check_training(c, c->plan->trains.at[i], with_data);
}
