/* check_questions.c: what an evaluation asks of its pictures, and whether there is anything to ask.
 *
 *   answering_burst      the frame of one second later may answer, and no evaluation asks without it
 *   hollow_evaluation    nobody has another picture to find, or nobody else could be found instead
 *   empty_part           a part that nothing lies in
 *
 * Only the pictures know: all of it comes through the facts. A split with `together burst` is asked as it is (LANGUAGE 2, decision 3). */
#include "compiler.h"

#include <ctype.h>
#include <string.h>

typedef struct { Compilation *c; const EvaluatePlan *plan; AskFacts facts; bool sound, burst_told; } Question;
typedef LIST(Question) QuestionList;

/* ---- the words ------------------------------------------------------------------------------------------------------------------ */

static const PartPlan *answers_of(const EvaluatePlan *plan) { return plan->against.dataset ? &plan->against : &plan->on; }

static bool same_pairs(Jre *jre, const EvaluatePlan *a, const EvaluatePlan *b) { return same_pictures(jre, &a->on, &b->on) && same_pictures(jre, answers_of(a), answers_of(b)); }

/* "1 picture", "1,900 pictures" */
static const char *counted(Arena *arena, int count, const char *one, const char *many) { return arena_print(arena, "%s %s", grouped_text(arena, count), count == 1 ? one : many); }

/* "left (208), right (220)" */
static const char *values_text(Arena *arena, const ColumnFacts *column) {
    const char *text = "";
    for (int i = 0; i < column->told; i++) text = arena_print(arena, "%s%s%s (%d)", text, i ? ", " : "", column->value[i], column->times[i]);
    if (column->distinct > column->told) text = arena_print(arena, "%s and %d more", text, column->distinct - column->told);
    if (column->empty) text = arena_print(arena, "%s%s%d empty", text, column->told ? ", " : "", column->empty);
    return *text ? text : "nothing";
}

/* In a statement of this document about the evaluation itself: what it copied by `like` stands elsewhere, and others read it too. */
static bool own_setting(const Compilation *c, const EvaluatePlan *plan, const char *key) {
    const Statement *around = plan_has(plan->decl, key) ? statement_around(c, setting_span(plan->decl, key)) : NULL;
    return around && around->name == plan->decl->statement->name;
}

/* ---- pictures of one burst answer each other ---------------------------------------------------------------------------------------- */

static bool kept_together(const PartPlan *part) {
    for (; part->split; part = &part->split->of)
        if (part->split->together_burst) return true;
    return false;
}

/* Both numbers stand side by side where another evaluation asks the same pictures without their bursts. */
static bool asked_without(const QuestionList *questions, const Question *q) {
    for (int i = 0; i < questions->count; i++) {
        const Question *other = &questions->at[i];
        bool without = other->sound && other->plan->gallery && other->facts.answered && other->facts.doubtful && !other->facts.burst;
        if (without && same_pairs(q->c->jre, other->plan, q->plan)) return true;
    }
    return false;
}

/* One message, or one `accept`, is enough for the same pairs. */
static bool burst_told(const QuestionList *questions, const Question *q) {
    for (int i = 0; i < questions->count; i++)
        if (questions->at[i].burst_told && same_pairs(q->c->jre, questions->at[i].plan, q->plan)) return true;
    return false;
}

static bool answers_by_burst(const QuestionList *questions, const Question *q) {
    const PartPlan *on = &q->plan->on;
    return q->sound && q->facts.doubtful && q->facts.burst && on->dataset->burst_written && !kept_together(on) && !asked_without(questions, q);
}

static void suggest_gallery(const Question *q, Diagnostic *d) {
    const EvaluatePlan *plan = q->plan;
    const Expr *gallery = plan->gallery;
    const char *written = gallery ? beside_and(q->c->jre, span_text(q->c->jre, gallery->span)) : "";
    const char *whole = gallery ? arena_print(&q->c->arena, "%s and not same(burst)", written) : "not same(burst)";
    const uint32_t on = setting_span(plan->decl, "on").end, end = plan->decl->statement->span.end;
    const Statement *around = statement_around(q->c, plan->decl->statement->span);
    diag_help(d, around || own_setting(q->c, plan, "gallery") ? "ask without it" : "ask without it: gallery %s", whole);
    if (own_setting(q->c, plan, "gallery")) diag_edit(d, gallery->span, false, "%s", whole);
    else if (!gallery && own_setting(q->c, plan, "on")) diag_edit(d, (Span){on, on}, false, "\n  gallery    not same(burst)");
    else if (around) diag_edit(d, (Span){end, end}, false, "\n\nevaluate %s_apart like %s { gallery %s }", plan->name, plan->name, whole);
}

static void tell_bursts(Question *q) {
    const EvaluatePlan *plan = q->plan;
    Arena *arena = &q->c->arena;
    const bool one = q->facts.queries == 1;
    const char *who = one ? "the one query has" : arena_print(arena, "%s of the %s queries %s", grouped_text(arena, q->facts.burst), grouped_text(arena, q->facts.queries), q->facts.burst == 1 ? "has" : "have");
    Diagnostic *d = diag(q->c->jre, DIAG_answering_burst, plan->span, "a picture of the query's own burst may answer");
    diag_also(d, plan->on.dataset->burst_span, "this says which pictures are a burst");
    diag_fact(d, "%s a picture of %s own burst, of the same individual, among %s candidates. The first: %s, and %s.", who, one ? "its" : "their", one ? "its" : "their", q->facts.query, q->facts.frame);
    if (q->facts.apart) diag_fact(d, "without such pictures %s still %s one to find.", counted(arena, q->facts.apart, "query", "queries"), q->facts.apart == 1 ? "has" : "have");
    else diag_fact(d, "without such pictures no query has one to find.");
    diag_note(d, "to find the frame of one second later is no art, and says nothing of who is met again on another day");
    if (q->facts.apart) suggest_gallery(q, d);
    else diag_help(d, "add pictures of other days; until then this is a score of bursts, not of individuals");
    q->burst_told = true;
}

/* First what is accepted: it speaks for all that ask the same. */
static void check_bursts(Compilation *c, const QuestionList *questions) {
    for (int i = 0; i < questions->count; i++) {
        Question *q = &questions->at[i];
        q->burst_told = answers_by_burst(questions, q) && overruled_anywhere(c, DIAG_answering_burst, q->plan->span, q->plan->span);
    }
    for (int i = 0; i < questions->count; i++)
        if (answers_by_burst(questions, &questions->at[i]) && !burst_told(questions, &questions->at[i])) tell_bursts(&questions->at[i]);
}

/* ---- nothing to ask ------------------------------------------------------------------------------------------------------------------- */

static Diagnostic *hollow(const Question *q, Span at, const char *words) { return diag(q->c->jre, DIAG_hollow_evaluation, at, "%s", words); }

static void note_on_nobody(const Question *q, Diagnostic *d) {
    diag_note(d, q->plan->lonely_zero ? "every query would count 0, whatever the network sees" : "every query would be left out, and no score would be left");
}

/* The columns that the gallery compares, each with what it holds: a value that nobody has lets nobody answer. */
static void tell_compared(const Question *q, Diagnostic *d, const Expr *e) {
    if (!e) return;
    const Expr *name = e->kind == EXPR_BINARY && e->op >= BINARY_eq && e->op <= BINARY_ge ? e->left->kind == EXPR_NAME ? e->left : e->right : NULL;
    const DatasetPlan *dataset = answers_of(q->plan)->dataset;
    ColumnFacts column;
    if (!name) {
        tell_compared(q, d, e->left);
        tell_compared(q, d, e->right);
    } else if (name->kind == EXPR_NAME && !is_measure(name) && q->c->facts.column && q->c->facts.column(q->c->facts.context, dataset, name->name, &column)) {
        diag_fact(d, "`%s` holds: %s.", name->name, values_text(&q->c->arena, &column));
    }
}

static void tell_gallery(const Question *q) {
    const AskFacts *facts = &q->facts;
    Span at = q->plan->gallery->span;
    Diagnostic *d = hollow(q, at, facts->alone == facts->queries ? "this lets nobody answer" : "this lets no picture of the query's own individual answer");
    Arena *arena = &q->c->arena;
    const char *one = facts->queries == 1 ? "it" : "they", *most = counted(arena, facts->most, "candidate", "candidates");
    const char *kept = facts->alone == facts->queries ? facts->queries == 1 ? "it keeps no candidate" : "none of them keeps a candidate"
                       : facts->least == facts->most  ? arena_print(arena, "%s keep%s %s, all of other individuals", one, facts->queries == 1 ? "s" : "", most)
                                                      : arena_print(arena, "%s keep %s to %s, all of other individuals", one, grouped_text(arena, facts->least), most);
    diag_also(d, q->plan->on.span, "%s %s", counted(arena, facts->queries, "picture", "pictures"), facts->queries == 1 ? "asks" : "ask");
    diag_fact(d, "%s. Without the condition %s a picture to find.", kept,
              facts->queries == 1 ? "it has" : arena_print(arena, "%s of them %s", grouped_text(arena, facts->known), facts->known == 1 ? "has" : "have"));
    tell_compared(q, d, q->plan->gallery);
    note_on_nobody(q, d);
    diag_help(d, "loosen the condition, or ask pictures that it leaves an answer");
}

/* Which columns could name an individual: their values repeat. */
static void tell_repeating(Compilation *c, Diagnostic *d, const DatasetPlan *dataset) {
    enum { MOST_TOLD = 5 };
    const char *path = dataset->table ? path_in_root(c, dataset->root, dataset->table) : NULL, *text = "";
    const TableFacts *table = path && c->facts.table ? c->facts.table(c->facts.context, path, dataset->table_span) : NULL;
    int told = 0;
    for (int i = 0; table && i < table->columns.count && told < MOST_TOLD; i++) {
        ColumnFacts column;
        const char *name = table->columns.at[i];
        if (!c->facts.column || !c->facts.column(c->facts.context, dataset, name, &column) || column.distinct < 2 || 2 * column.distinct > column.rows) continue;
        text = arena_print(&c->arena, "%s%s`%s` has %d", text, told++ ? ", " : "", name, column.distinct);
    }
    if (told) diag_fact(d, "columns with values that repeat: %s.", text);
}

/* Of all pictures of a dataset that answers its own: does each have a name of its own, or do all have one? */
static void check_identity(Compilation *c, const EvaluatePlan *plan, Map *told) {
    const DatasetPlan *dataset = plan->on.dataset;
    const char *place = arena_print(&c->arena, "%u", dataset->identity_span.start);
    ColumnFacts column;
    if (plan->quoted || (plan->against.dataset && plan->against.dataset != dataset) || map_get(told, place)) return;
    map_set(told, &c->arena, place, c);
    if (!c->facts.column || !c->facts.column(c->facts.context, dataset, "identity", &column) || column.rows < 2) return;
    bool own = column.distinct == column.rows;
    if ((!own && column.distinct != 1) || overruled_anywhere(c, DIAG_hollow_evaluation, plan->span, plan->span)) return;
    const char *words = own ? "each of %d pictures has a name of its own" : "all %d pictures have one name";
    Diagnostic *d = diag(c->jre, DIAG_hollow_evaluation, dataset->identity_span, words, column.rows);
    diag_also(d, plan->span, own ? "no query has a picture to find" : "every answer would be right");
    diag_fact(d, "`%s` holds: %s.", dataset->identity, values_text(&c->arena, &column));
    tell_repeating(c, d, dataset);
    diag_help(d, "name the column that says which individual is on a picture");
}

static void tell_unknown(const Question *q) {
    const EvaluatePlan *plan = q->plan;
    bool against = plan->against.dataset;
    Arena *arena = &q->c->arena;
    const char *words = q->facts.queries == 1 ? "this one picture has no other of its individual to find"
                                              : arena_print(arena, "none of these %s pictures has another of its individual to find", grouped_text(arena, q->facts.queries));
    Diagnostic *d = hollow(q, plan->on.span, words);
    if (against) diag_also(d, plan->against.span, q->facts.candidates == 1 ? "this one is of another" : "not among these %s", grouped_text(arena, q->facts.candidates));
    else if (plan->on.split) diag_also(d, plan->on.split->way_span, "so the pictures are divided");
    note_on_nobody(q, d);
    if (against) diag_help(d, "let pictures of the same individuals answer");
    else diag_help(d, "ask a part with several pictures of an individual, or let others answer: `against` names them");
}

static void tell_certain(const Question *q) {
    const EvaluatePlan *plan = q->plan;
    Diagnostic *d = hollow(q, plan->gallery ? plan->gallery->span : plan->on.span, "nobody but the query's own individual may answer");
    Arena *arena = &q->c->arena;
    diag_fact(d, "%s, %s in `%s`.", counted(arena, q->facts.queries, "query", "queries"), counted(arena, q->facts.candidates, "candidate", "candidates"), part_text(arena, answers_of(plan)));
    diag_note(d, "every answer would be right, whatever the network sees");
    diag_help(d, "let pictures of other individuals answer too");
}

static void check_hollow(const Question *q) {
    const EvaluatePlan *plan = q->plan;
    bool unanswered = !q->facts.answered;
    if (!q->facts.queries || !q->facts.candidates || (!unanswered && q->facts.doubtful)) return;
    if (overruled_anywhere(q->c, DIAG_hollow_evaluation, plan->span, plan->span)) return;
    if (unanswered && q->facts.known) tell_gallery(q);
    else if (unanswered) tell_unknown(q);
    else tell_certain(q);
}

static bool asked_before(const QuestionList *questions, const EvaluatePlan *plan, Jre *jre) {
    for (int i = 0; i < questions->count; i++) {
        const EvaluatePlan *earlier = questions->at[i].plan;
        bool condition = earlier->gallery == plan->gallery || (earlier->gallery && plan->gallery && expr_equal(earlier->gallery, plan->gallery));
        if (earlier->span.start == plan->span.start && condition && same_pairs(jre, earlier, plan)) return true;
    }
    return false;
}

static void check_evaluations(Compilation *c) {
    QuestionList questions = {0};
    for (int i = 0; i < c->plan->evaluations.count; i++) {
        const EvaluatePlan *plan = c->plan->evaluations.at[i];
        if (plan->quoted || asked_before(&questions, plan, c->jre)) continue;
        Question q = {.c = c, .plan = plan};
        q.sound = c->facts.asked(c->facts.context, plan, &q.facts);
        list_add(&c->arena, &questions, q);
    }
    for (int i = 0; i < questions.count; i++) {
        Question *q = &questions.at[i];
        if (!q->sound) continue;
        check_hollow(q);
    }
    check_bursts(c, &questions);
}

/* ---- parts that nothing lies in --------------------------------------------------------------------------------------------------------- */

static bool count_part(Compilation *c, const PartPlan *part, PartFacts *facts) { return c->facts.part(c->facts.context, part, facts); }

static const char *size_text(Compilation *c, const PartPlan *part, const char *name, const char *before) {
    PartFacts facts;
    PartPlan other = *part;
    other.part = name;
    return count_part(c, &other, &facts) ? arena_print(&c->arena, "%s%s%s %s", before, *before ? ", " : "", name, grouped_text(&c->arena, facts.pictures)) : before;
}

/* "train 51, validate 9, test 0" */
static const char *sizes_text(Compilation *c, const PartPlan *part) {
    const SplitPlan *split = part->split;
    const char *text = "";
    for (int i = 0; i < split->parts.count; i++) text = size_text(c, part, split->parts.at[i], text);
    if (!split->rule.kind) return text;
    text = size_text(c, part, "train", text);
    if (split->validate > 0) text = size_text(c, part, "validate", text);
    return size_text(c, part, "test", text);
}

static void tell_empty(Compilation *c, const PartPlan *part) {
    const SplitPlan *split = part->split;
    const bool asked = part->span.start != split->way_span.start;
    const char *words = !asked ? arena_print(&c->arena, "this leaves `%s` empty", part->part) : part->fold ? arena_print(&c->arena, "in fold %d no picture is in this part", part->fold) : "no picture is in this part";
    Diagnostic *d = diag(c->jre, DIAG_empty_part, part->span, "%s", words);
    const char *sizes = sizes_text(c, part);
    if (asked) diag_also(d, split->way_span, split->rule.kind ? "this rule says where a picture is" : "so the pictures are divided");
    if (*sizes) diag_fact(d, "pictures: %s.", sizes);
    if (split->disjoint) diag_note(d, "an individual goes to one part with all its pictures: a small share may get nothing");
    else if (split->shares.count) diag_note(d, "what is tied together goes to one part whole, and of each individual the first goes to training: a small share may get nothing");
    else if (split->folds) diag_note(d, "what is tied together goes to one fold whole, and an individual whose pictures are all tied together is for training always");
    if (split->shares.count) diag_help(d, "give this part a larger share");
    else if (split->rule.kind == RULE_TIME_CUTOFF) diag_help(d, "name a year with pictures before it and from it on");
    else if (split->rule.kind) diag_help(d, "give the rule other numbers, or divide by another");
    else if (split->column) diag_help(d, "take a part that the column names, or another column");
    else diag_help(d, "divide the pictures into fewer folds, or differently");
}

/* Each place is looked at once; of a split by a column only the table knows the parts, and asking tells what is not there. */
static void check_part(Compilation *c, const PartPlan *part, Map *told) {
    const int folds = part->split && !part->fold ? part->split->folds : 0;
    const char *place = part->split ? arena_print(&c->arena, "%u %u %s", part->span.start, part->span.end, part_text(&c->arena, part)) : NULL;
    if (!place || map_get(told, place)) return;
    map_set(told, &c->arena, place, c);
    for (int fold = folds ? 1 : 0; fold <= folds; fold++) {
        PartFacts facts;
        PartPlan here = *part;
        if (fold) here.fold = fold;
        if (!count_part(c, &here, &facts)) return;
        if (facts.pictures) continue;
        tell_empty(c, &here);
        return;
    }
}

/* A rule that leaves training or test empty divides nothing, whichever of the two is asked. */
static void check_rules(Compilation *c, int before) {
    for (int i = 0; i < c->plan->splits.count && c->jre->diagnostics.count == before; i++) {
        SplitPlan *split = c->plan->splits.at[i];
        PartPlan part = {.dataset = split->data, .split = split, .part = "train", .span = split->way_span};
        PartFacts facts;
        if (!split->rule.kind || !count_part(c, &part, &facts)) continue;
        if (facts.pictures) part.part = "test";
        if (count_part(c, &part, &facts) && !facts.pictures) tell_empty(c, &part);
    }
}

static void check_parts(Compilation *c) {
    const Plan *plan = c->plan;
    const int before = c->jre->diagnostics.count;
    Map told = {0};
    for (int i = 0; i < plan->trains.count; i++) {
        check_part(c, &plan->trains.at[i]->data, &told);
        check_part(c, &plan->trains.at[i]->stop, &told);
        check_part(c, &plan->trains.at[i]->keep, &told);
    }
    for (int i = 0; i < plan->boosts.count; i++) check_part(c, &plan->boosts.at[i]->fit_on, &told);
    for (int i = 0; i < plan->ensembles.count; i++) check_part(c, &plan->ensembles.at[i]->fit_on, &told);
    for (int i = 0; i < plan->evaluations.count; i++) {
        check_part(c, &plan->evaluations.at[i]->on, &told);
        check_part(c, &plan->evaluations.at[i]->against, &told);
    }
    for (int i = 0; i < plan->submissions.count; i++) check_part(c, &plan->submissions.at[i]->on, &told);
    check_rules(c, before);
}

/* ---- columns that are not what they are taken for ------------------------------------------------------------------------------------ */

/* Where a word begins. */
static bool has_word(const char *text, const char *stem) {
    for (const char *at = text; (at = strstr(at, stem)); at++)
        if (at == text || strchr(" _-./", at[-1])) return true;
    return false;
}

/* Also as others write it: an abbreviation, or how a word begins. */
bool names_side(Arena *arena, const char *value) {
    static const char *const abbreviations[] = {"l", "r", "li", "re", "lt", "rt", "lf", "rf", "ls", "rs", "lhs", "rhs", "g", "d", "e", "i", "s", "dx", "sx"};
    static const char *const stems[] = {"link", "recht", "gauch", "droit", "izq", "der", "esq", "dir", "sin", "des", "lev", "prav", "lew", "praw", "vas", "oik",
                                        "venst", "vänst", "hög", "høj", "høy", "лев", "прав", "左", "右", "kiri", "kanan", "kusho", "kulia"};
    size_t length = strlen(value);
    char *text = arena_copy(arena, value, length);
    for (size_t i = 0; i < length; i++) text[i] = (char)tolower((unsigned char)text[i]);
    for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++)
        if (!strcmp(text, abbreviations[i])) return true;
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
        if (has_word(text, stems[i])) return true;
    return strstr(text, "left") || strstr(text, "right");
}

static void check_flank(Compilation *c, const DatasetPlan *dataset) {
    ColumnFacts column;
    if (!dataset->flank || !c->facts.column || !c->facts.column(c->facts.context, dataset, "flank", &column)) return;
    if (column.sides || overruled_anywhere(c, DIAG_wrong_flank, dataset->flank_span, dataset->span)) return;
    Diagnostic *d = diag(c->jre, DIAG_wrong_flank, dataset->flank_span, column.told ? "no value of this column is a side" : "this column is empty");
    if (column.told) diag_fact(d, "`%s` holds: %s.", dataset->flank, values_text(&c->arena, &column));
    diag_note(d, "`same(flank)` takes it for the side that a picture shows, left or right");
    diag_help(d, "name the column that says left or right, or take the line out");
}

static void check_mixed_bursts(Compilation *c, const DatasetPlan *dataset) {
    MixedFacts mixed;
    if (dataset->burst != BURST_COLUMN || !dataset->identity || !c->facts.mixed || !c->facts.mixed(c->facts.context, dataset, &mixed) || !mixed.mixed) return;
    if (overruled_anywhere(c, DIAG_mixed_burst, dataset->burst_span, dataset->span)) return;
    const TornPair *pair = &mixed.example;
    Diagnostic *d = diag(c->jre, DIAG_mixed_burst, dataset->burst_span, "a burst is of one individual");
    diag_fact(d, "%s of %s of `%s` hold%s two individuals or more. The first, %s:\n    %s   %s\n    %s   %s", grouped_text(&c->arena, mixed.mixed),
              counted(&c->arena, mixed.bursts, "value", "values"), dataset->burst_column, mixed.mixed == 1 ? "s" : "", pair->value, pair->first.file,
              pair->first.individual, pair->second.file, pair->second.individual);
    diag_note(d, "`not same(burst)` would keep wrong answers out too, and the score would rise; or one of the two pictures has a wrong name");
    diag_help(d, "name a finer column; or by time, within(taken, 1min), which ties pictures of one individual only");
    diag_help(d, "if individuals are met together, say so: every report repeats it");
    const Statement *around = statement_around(c, dataset->burst_span);
    if (around) diag_edit(d, (Span){around->span.end, around->span.end}, false, "\n\naccept mixed_burst for %s because \"they are met together\"", dataset->name);
}

/* Whatever else is wrong: of a column that is not what it is taken for all other findings are only the consequence. */
void check_columns(Compilation *c) {
    for (int i = 0; i < c->plan->datasets.count; i++) {
        const DatasetPlan *dataset = c->plan->datasets.at[i];
        if (dataset->quoted) continue;
        check_flank(c, dataset);
        check_mixed_bursts(c, dataset);
    }
    Map told = {0};
    for (int i = 0; i < c->plan->evaluations.count; i++) check_identity(c, c->plan->evaluations.at[i], &told);
}

void check_questions(Compilation *c) {
    int before = c->jre->diagnostics.count;
    if (c->facts.part) check_parts(c);
    if (c->facts.asked && c->jre->diagnostics.count == before) check_evaluations(c);
}
