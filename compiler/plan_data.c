/* plan_data.c: datasets, splits, and the parts of them that other records name. */
#include "compiler.h"

#include <string.h>

/* ---- settings as plain C ------------------------------------------------------------------------------------------------ */

const char *plan_text(Compilation *c, const Decl *decl, const char *key, const Choice *choices) {
    const Value *v = setting_value(c, decl, key, choices);
    return v && (v->kind == VALUE_TEXT || v->kind == VALUE_WORD) ? v->text : NULL;
}

double plan_number(Compilation *c, const Decl *decl, const char *key, const Choice *choices, double otherwise) {
    const Value *v = setting_value(c, decl, key, choices);
    return v && v->kind == VALUE_NUMBER ? value_bare(v) : otherwise;
}

bool plan_says(Compilation *c, const Decl *decl, const char *key, const char *word, const Choice *choices) {
    const char *text = plan_text(c, decl, key, choices);
    return text && !strcmp(text, word);
}

const Setting *plan_setting(const Decl *decl, const char *key) {
    for (int i = 0; i < decl->settings.count; i++)
        if (!strcmp(decl->settings.at[i].key, key) && decl->settings.at[i].value) return &decl->settings.at[i];
    return NULL;
}

bool plan_has(const Decl *decl, const char *key) { return plan_setting(decl, key) != NULL; }

/* ---- datasets ------------------------------------------------------------------------------------------------------------- */

/* NULL: absent, or wrong: diagnosed, and then *sound is false. */
static const char *column_of(Compilation *c, const Decl *decl, const char *key, const Choice *choices, bool *sound) {
    const Value *v = setting_value(c, decl, key, choices);
    if (v && v->kind == VALUE_NONE) *sound = false;
    return v && v->kind == VALUE_TEXT ? v->text : NULL;
}

/* Bursts go by likeness, by a column or by time; near-duplicates are asked for in any case, where a split keeps bursts together. */
static void read_burst(Compilation *c, const Decl *decl, const Choice *choices, DatasetPlan *dataset) {
    const Value *v = setting_value(c, decl, "burst", choices);
    dataset->within = NEAR_DUPLICATES;
    dataset->burst_span = setting_span(decl, "burst");
    dataset->burst_written = plan_has(decl, "burst");
    if (!v || v->kind == VALUE_NONE) return;
    if (v->kind == VALUE_TEXT) {
        dataset->burst = BURST_COLUMN;
        dataset->burst_column = v->text;
        return;
    }
    const Value *within = option_argument(v, "within"), *column = option_argument(v, "column"), *time = option_argument(v, "time");
    if (within && within->kind == VALUE_NUMBER) dataset->within = (int)within->number;
    if (!column || !column->text || !time) return;
    dataset->burst = BURST_TIME;
    dataset->burst_column = column->kind == VALUE_WORD && !strcmp(column->text, "taken") ? dataset->taken : column->text;
    dataset->burst_seconds = value_bare(time);
}

static void read_mask(Compilation *c, const Decl *decl, const Choice *choices, DatasetPlan *dataset) {
    const Value *v = setting_value(c, decl, "mask", choices);
    dataset->mask_span = setting_span(decl, "mask");
    if (!v || v->kind == VALUE_NONE) return;
    size_t length;
    bool column = v->kind == VALUE_TEXT && column_alone(v->text, &length);
    dataset->mask_kind = v->kind == VALUE_WORD ? MASK_ALPHA : column ? MASK_COLUMN : MASK_FILES;
    dataset->mask = column ? intern_length(c->jre, v->text + 1, length - 2) : v->kind == VALUE_TEXT ? v->text : NULL;
}

static void read_rows(Compilation *c, const Decl *decl, const Choice *choices, DatasetPlan *dataset) {
    const Value *keep = setting_value(c, decl, "keep", choices), *only = setting_value(c, decl, "only", choices);
    for (int i = 0; keep && keep->kind == VALUE_LIST && i < keep->items.count; i++) list_add(&c->arena, &dataset->keep, keep->items.at[i]->text);
    dataset->keep_span = setting_span(decl, "keep");
    dataset->only_span = setting_span(decl, "only");
    if (only && only->kind == VALUE_CONDITION) dataset->only = only->condition;
}

static void read_pattern(Compilation *c, const Decl *decl, const Choice *choices, DatasetPlan *dataset) {
    const Setting *written = plan_setting(decl, "pattern");
    if (!written) return;
    dataset->pattern = plan_says(c, decl, "pattern", "asymmetric", choices) ? PATTERN_ASYMMETRIC : PATTERN_SYMMETRIC;
    dataset->pattern_span = written->span;
}

/* Without a table, and without names in braces that paths are read by, nothing can say a column. */
static bool no_column_named(Compilation *c, const DatasetPlan *dataset) {
    const struct { const char *name; Span span; } columns[] = {{dataset->identity, dataset->identity_span}, {dataset->flank, dataset->flank_span}, {dataset->label, dataset->label_span},
                                                               {dataset->taken, dataset->taken_span}, {dataset->burst_column, dataset->burst_span},
                                                               {dataset->mask_kind == MASK_COLUMN ? dataset->mask : NULL, dataset->mask_span}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (!columns[i].name) continue;
        Diagnostic *d = diag(c->jre, DIAG_missing_key, columns[i].span, "a column is named, but there is no table");
        if (strstr(dataset->image, "**")) diag_note(d, "`**` is not known in a path: each `*` stands within one name of it");
        diag_help(d, "add: table \"train.csv\", or let the paths say it: image \"photos/{%s}/*.jpg\"", columns[i].name);
        return false;
    }
    return true;
}

void *plan_dataset(Compilation *c, Decl *decl, const Member *member) {
    const Choice *choices = member->choices;
    DatasetPlan *dataset = arena_new(&c->arena, DatasetPlan);
    *dataset = (DatasetPlan){.name = decl->name, .span = decl->statement->name_span, .quoted = decl->scope != c->scope};
    bool sound = true;
    const char *root = plan_text(c, decl, "root", choices);
    const Source *source = source_of(c->jre, decl->statement->span);
    dataset->root = root ? path_as_written(c, setting_span(decl, "root"), root) : source ? source->folder : ".";
    dataset->table = plan_text(c, decl, "table", choices);
    dataset->image = plan_text(c, decl, "image", choices);
    dataset->identity = column_of(c, decl, "identity", choices, &sound);
    dataset->flank = column_of(c, decl, "flank", choices, &sound);
    dataset->label = column_of(c, decl, "label", choices, &sound);
    dataset->taken = column_of(c, decl, "taken", choices, &sound);
    dataset->table_span = setting_span(decl, "table");
    dataset->image_span = setting_span(decl, "image");
    dataset->identity_span = setting_span(decl, "identity");
    dataset->flank_span = setting_span(decl, "flank");
    dataset->label_span = setting_span(decl, "label");
    dataset->taken_span = setting_span(decl, "taken");
    read_pattern(c, decl, choices, dataset);
    read_burst(c, decl, choices, dataset);
    read_mask(c, decl, choices, dataset);
    read_rows(c, decl, choices, dataset);
    dataset->skip_missing = plan_says(c, decl, "missing", "skip", choices);
    dataset->exif_apply = plan_says(c, decl, "exif", "apply", choices);
    if (!dataset->image || !sound || (plan_has(decl, "table") && !dataset->table)) return NULL;
    if (!dataset->table && !strchr(dataset->image, '{') && !no_column_named(c, dataset)) return NULL;
    list_add(&c->arena, &c->plan->datasets, dataset);
    return dataset;
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------ */

bool part_from_value(Compilation *c, const Value *v, Span span, PartPlan *part) {
    *part = (PartPlan){.span = span};
    if (!v || v->kind == VALUE_NONE) return false;
    if (v->kind == VALUE_RECORD && v->decl->record == KIND_dataset) {
        part->dataset = plan_of_record(c, v->decl, v->choices);
        return part->dataset != NULL;
    }
    if (v->kind != VALUE_PART) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_type, span, "a dataset or a part of a split was expected, this is %s", value_kind_text(v));
        diag_help(d, "for instance folds.held_out");
        return false;
    }
    part->split = plan_of_record(c, v->decl, v->choices);
    if (!part->split) return false;
    part->dataset = part->split->data;
    part->part = v->part;
    part->fold = v->fold;
    return true;
}

const char *path_in_root(Compilation *c, const char *root, const char *path) {
    return path[0] == '/' || !strcmp(root, ".") ? path : arena_print(&c->arena, "%s/%s", root, path);
}

static void add_field(Text *text, const char *field) {
    if (field) text_add(text, "%zu:%s|", strlen(field), field);
    else text_add(text, "-|");
}

const char *dataset_identity(Jre *jre, const DatasetPlan *plan, bool columns) {
    Text text = {.jre = jre};
    const char *pictures[] = {plan->root, plan->table, plan->image, plan->identity, plan->burst_column, plan->only ? expr_text(jre, plan->only) : NULL};
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) add_field(&text, pictures[i]);
    text_add(&text, "%d %.17g %d %d %d|", plan->burst, plan->burst_seconds, plan->within, plan->skip_missing, plan->exif_apply);
    if (columns || plan->only) {                                   /* `only` may name roles: which column fills one decides who is there */
        const char *said[] = {plan->flank, plan->label, plan->taken, plan->mask};
        for (size_t i = 0; i < sizeof said / sizeof *said; i++) add_field(&text, said[i]);
        text_add(&text, "%d|", plan->mask_kind);
    }
    if (columns) {
        for (int i = 0; i < plan->keep.count; i++) add_field(&text, plan->keep.at[i]);
        text_add(&text, "|");
        for (int i = 0; i < plan->used.count; i++) add_field(&text, plan->used.at[i]);
    }
    const char *identity = intern_length(jre, text.at, text.length);
    text_free(&text);
    return identity;
}

/* ---- splits ------------------------------------------------------------------------------------------------------------------ */

const char *part_text(Arena *arena, const PartPlan *part) {
    if (!part->split) return part->dataset->name;
    if (part->fold) return arena_print(arena, "%s[%d].%s", part->split->name, part->fold, part->part);
    return arena_print(arena, "%s.%s", part->split->name, part->part);
}

SplitPlan *folds_of_part(const PartPlan *part) {
    for (; part->split; part = &part->split->of)
        if (part->split->folds && !part->fold) return part->split;
    return NULL;
}

static bool rule_holds(Compilation *c, const Value *v, const PublishedRule *rule) {
    bool asks = rule->kind == RULE_OPEN_SET || rule->kind == RULE_DISJOINT_SET || rule->kind == RULE_TIME_PROPORTION_OPEN_SET, by_share = rule->has_unseen;
    if (asks && by_share == (rule->individuals >= 0)) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, v->span, by_share ? "`unseen` and `individuals` say the same in two ways" : "nothing says which individuals are on one side only");
        diag_help(d, "give one of the two: a share of the pictures, unseen = 20%%, or a number, individuals = 10");
        return false;
    }
    const char *wrong = rule->train < 0 || rule->train > 1 ? "train" : by_share && (rule->unseen < 0 || rule->unseen > 1) ? "unseen" : NULL;
    if (!wrong) return true;
    const Value *given = option_argument(v, wrong);
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, given->span, "`%s` is a share of the pictures, from 0%% to 100%%", wrong);
    diag_help(d, "for instance: %s = 20%%", wrong);
    return false;
}

/* "closed_set(train = 80%)" as plain C. False: diagnosed. */
static bool read_rule(Compilation *c, const Value *v, PublishedRule *rule) {
    static const struct { const char *name; PublishedKind kind; } kinds[] = {
        {"closed_set", RULE_CLOSED_SET}, {"open_set", RULE_OPEN_SET}, {"disjoint_set", RULE_DISJOINT_SET}, {"time_proportion", RULE_TIME_PROPORTION},
        {"time_proportion_open_set", RULE_TIME_PROPORTION_OPEN_SET}, {"time_cutoff", RULE_TIME_CUTOFF}, {"random_proportion", RULE_RANDOM_PROPORTION}};
    if (!v || v->kind != VALUE_OPTION) return false;
    *rule = (PublishedRule){.name = value_canonical(&c->arena, v), .individuals = -1, .in_test = true, .one_year = true};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(v->text, kinds[i].name)) rule->kind = kinds[i].kind;
    for (int i = 0; i < v->bound.count; i++) {
        const char *name = v->bound.at[i].name;
        const Value *given = v->bound.at[i].value;
        if (!strcmp(name, "in_test")) rule->in_test = given->truth;
        if (!strcmp(name, "one_year")) rule->one_year = given->truth;
        if (given->kind != VALUE_NUMBER) continue;
        if (!strcmp(name, "train")) rule->train = value_bare(given);
        if (!strcmp(name, "unseen")) rule->unseen = value_bare(given), rule->has_unseen = true;
        if (!strcmp(name, "individuals")) rule->individuals = (int64_t)given->number;
        if (!strcmp(name, "year")) rule->year = (int64_t)given->number;
        if (!strcmp(name, "seed")) rule->seed = (uint64_t)given->number;
    }
    return rule_holds(c, v, rule);
}

static bool read_shares(Compilation *c, const Value *shares, SplitPlan *split) {
    for (int i = 0; shares && shares->kind == VALUE_LIST && i < shares->items.count; i++) {
        list_add(&c->arena, &split->parts, shares->items.at[i]->text);
        list_add(&c->arena, &split->shares, value_bare(shares->items.at[i]));
    }
    return split->shares.count > 0;
}

/* By folds, by shares, by a column or by a published rule: one of the four. */
static bool read_way(Compilation *c, const Decl *decl, const Choice *choices, SplitPlan *split) {
    static const char *const ways[] = {"folds", "shares", "column", "by"};
    const char *first = NULL;
    for (int i = 0; i < 4; i++) {
        if (!plan_has(decl, ways[i])) continue;
        if (first) {
            Diagnostic *d = diag(c->jre, DIAG_already_named, setting_span(decl, ways[i]), "a split goes by folds, by shares, by a column or by a published rule");
            diag_also(d, setting_span(decl, first), "and it has `%s` already", first);
            diag_help(d, "keep one of the two; a second split can go the other way");
            return false;
        }
        first = ways[i];
        split->way_span = setting_span(decl, first);
    }
    if (!first) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, decl->statement->name_span, "`split` does not say how to split");
        diag_help(d, "add: folds 5");
        return false;
    }
    bool sound = true;
    if (!strcmp(first, "folds")) return (split->folds = (int)plan_number(c, decl, "folds", choices, 0)) > 0;
    if (!strcmp(first, "shares")) return read_shares(c, setting_value(c, decl, "shares", choices), split);
    if (!strcmp(first, "by")) return read_rule(c, setting_value(c, decl, "by", choices), &split->rule);
    split->column = column_of(c, decl, "column", choices, &sound);
    return sound && split->column;
}

/* Told of a key that this way to split has no use for. */
static Diagnostic *no_use(Compilation *c, const Decl *decl, const SplitPlan *split, const char *key, const char *words) {
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, setting_span(decl, key), "%s", words);
    diag_also(d, split->way_span, split->column ? "this column says where a picture is" : split->rule.kind ? "this rule says where a picture is" : "it is split so");
    return d;
}

/* Keys that fit some ways to split only. */
static bool keys_fit(Compilation *c, const Decl *decl, const SplitPlan *split) {
    bool given = split->column || split->rule.kind;
    if (given && split->together_burst) {
        Diagnostic *d = no_use(c, decl, split, "together", "no picture can be moved to keep its burst together");
        diag_note(d, "where it tears bursts apart, `leaking_burst` says so");
        diag_help(d, "take `together burst` out");
        return false;
    }
    if (given && plan_has(decl, "seed")) {
        Diagnostic *d = no_use(c, decl, split, "seed", "nothing is drawn with this seed");
        if (split->rule.kind) diag_help(d, "a rule that draws has a seed of its own: closed_set(train = 80%%, seed = 666)");
        else diag_help(d, "take `seed` out");
        return false;
    }
    if (split->validate > 0 && !split->folds) {
        Diagnostic *d = no_use(c, decl, split, "validate", "only a split by folds carves a part to watch out of its training part");
        if (split->shares.count) diag_help(d, "name a part of it so: shares [train = 80%%, validate = 10%%, test = 10%%]");
        else diag_help(d, "split the training part again: data %s.train, shares [train = 90%%, validate = 10%%]", decl->name);
        return false;
    }
    return true;
}

/* What the pictures must have for it. */
static bool data_fits(Compilation *c, const Decl *decl, const SplitPlan *split) {
    const DatasetPlan *data = split->data;
    if (!data->identity) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, setting_span(decl, "data"), "`%s` does not say who is on its pictures", data->name);
        diag_help(d, "add to the dataset: identity \"{column}\"");
        return false;
    }
    if (split->rule.kind >= RULE_TIME_PROPORTION && !data->taken) {
        Diagnostic *d = diag(c->jre, DIAG_missing_key, split->way_span, "this rule goes by time, and `%s` does not say when its pictures were taken", data->name);
        diag_help(d, "add to the dataset: taken \"{column}\"");
        return false;
    }
    const SplitPlan *outer = folds_of_part(&split->of);
    if (!split->folds || !outer) return true;
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, split->way_span, "folds of what stands once for each fold already");
    diag_also(d, setting_span(decl, "data"), "a part of each fold of `%s`", outer->name);
    diag_help(d, "name one fold, %s[1].%s, or split by shares", split->of.split->name, split->of.part);
    return false;
}

void *plan_split(Compilation *c, Decl *decl, const Member *member) {
    const Choice *choices = member->choices;
    SplitPlan *split = arena_new(&c->arena, SplitPlan);
    *split = (SplitPlan){.name = decl->name, .span = decl->statement->name_span, .identities_span = setting_span(decl, "identities"), .decl = decl};
    split->disjoint = plan_says(c, decl, "identities", "disjoint", choices);
    split->together_burst = plan_says(c, decl, "together", "burst", choices);
    split->seed = (uint64_t)plan_number(c, decl, "seed", choices, 0);
    split->validate = plan_has(decl, "validate") ? plan_number(c, decl, "validate", choices, 0) : 0;
    bool sound = read_way(c, decl, choices, split) && keys_fit(c, decl, split);
    sound &= part_from_value(c, setting_value(c, decl, "data", choices), setting_span(decl, "data"), &split->of);
    split->data = split->of.dataset;
    if (!sound || !data_fits(c, decl, split)) return NULL;
    if (split->together_burst && split->data->within < 0) split->data->within = NEAR_DUPLICATES;
    if (split->column) list_add(&c->arena, &split->data->used, split->column);
    split->key = key_record(c, decl, choices, NULL);
    key_pictures(split->key, "data", &split->of);
    key_close(split->key);
    list_add(&c->arena, &c->plan->splits, split);
    return split;
}

bool same_split(Jre *jre, const SplitPlan *a, const SplitPlan *b) {
    return a == b || (!strcmp(a->key->hash, b->key->hash) && dataset_identity(jre, a->data, false) == dataset_identity(jre, b->data, false));
}

bool same_pictures(Jre *jre, const PartPlan *a, const PartPlan *b) {
    if (!a->split || !b->split) return a->split == b->split && dataset_identity(jre, a->dataset, false) == dataset_identity(jre, b->dataset, false);
    return a->fold == b->fold && !strcmp(a->part, b->part) && same_split(jre, a->split, b->split);
}

/* Where one has a fold that the other lacks, nothing can overrule it. */
bool folds_meet(Compilation *c, SplitPlan **folds, SplitPlan *more, Span span) {
    if (!more || *folds == more) return true;
    if (!*folds) {
        *folds = more;
        return true;
    }
    const SplitPlan *a = *folds, *b = more;
    bool same = a->folds == b->folds && a->seed == b->seed && a->disjoint == b->disjoint && a->together_burst == b->together_burst && a->validate == b->validate &&
                same_pictures(c->jre, &a->of, &b->of);
    if (same || (a->folds == b->folds && overruled(c, c->scope, DIAG_other_protocol, span, span))) return true;
    Diagnostic *d = diag(c->jre, DIAG_other_protocol, span, "two splits meet here, and their folds hold different pictures");
    diag_also(d, a->span, "the folds of `%s`", a->name);
    diag_also(d, b->span, "are not those of `%s`", b->name);
    diag_note(d, "what one has learned from a picture the other is examined on: no score would mean anything");
    diag_help(d, "split both in the same way");
    return false;
}
