/* schema.c: the tables of record kinds and their keys, and the small tables of words (units, operators, formulas).
 *
 * Everything here is read from schema.def, places.def, words.def and synonyms.def, or is a list beside an enum of lang.h; nothing depends on a context. */
#include "lang.h"

#include <string.h>

static const struct { const char *name, *sentence; } kinds[KIND_COUNT] = {
#define KIND(name, sentence) { #name, sentence },
#define KEY(kind, name, type, needed, fallback, in_key, unit, allowed, sentence)
#include "schema.def"
#undef KIND
#undef KEY
};

const SchemaKey schema_keys[] = {
#define KIND(name, sentence)
#define KEY(kind, name, type, needed, fallback, in_key, unit, allowed, sentence) \
    { KIND_##kind, #name, #type, needed, in_key, fallback, unit, allowed, sentence },
#include "schema.def"
#undef KIND
#undef KEY
};
const int schema_key_count = (int)(sizeof schema_keys / sizeof *schema_keys);

const PlaceRow place_rows[] = {
#define PLACE(type, noun) { #type, noun },
#define OPTION(type, word, parameters, where, sentence)
#include "places.def"
#undef PLACE
#undef OPTION
};
const int place_row_count = (int)(sizeof place_rows / sizeof *place_rows);

const PlaceWord place_words[] = {
#define PLACE(type, noun)
#define OPTION(type, word, parameters, where, sentence) { #type, #word, parameters, where, sentence },
#include "places.def"
#undef PLACE
#undef OPTION
};
const int place_word_count = (int)(sizeof place_words / sizeof *place_words);

const MetricRow metric_rows[METRIC_COUNT] = {
#undef METRIC
#define PLACE(type, noun)
#define OPTION(type, word, parameters, where, sentence)
#define METRIC(word, parameters, sentence) [METRIC_##word] = { #word, parameters },
#include "places.def"
#undef PLACE
#undef OPTION
#undef METRIC
};

const WordRow word_rows[] = {
#define RESERVED(word, token, role, sentence) { #word, role, sentence },
#define WORD(word, role, sentence) { word, role, sentence },
#include "words.def"
#undef RESERVED
#undef WORD
};
const int word_row_count = (int)(sizeof word_rows / sizeof *word_rows);

const SynonymRow synonym_rows[] = {
#define SYNONYM(theirs, ours, section, example) { theirs, ours, section, example },
#include "synonyms.def"
#undef SYNONYM
};
const int synonym_row_count = (int)(sizeof synonym_rows / sizeof *synonym_rows);

const SynonymRow *synonym_find(const char *theirs) {
    for (int i = 0; i < synonym_row_count; i++)
        if (strcmp(synonym_rows[i].theirs, theirs) == 0)
            return &synonym_rows[i];
    return NULL;
}

const char *kind_name(RecordKind kind) {
    return (unsigned)kind < KIND_COUNT ? kinds[kind].name : "";
}

const char *kind_sentence(RecordKind kind) {
    return (unsigned)kind < KIND_COUNT ? kinds[kind].sentence : "";
}

RecordKind kind_find(const char *name) {
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (strcmp(kinds[kind].name, name) == 0)
            return (RecordKind)kind;
    return KIND_NONE;
}

const SchemaKey *schema_find(RecordKind kind, const char *key) {
    for (int i = 0; i < schema_key_count; i++)
        if (schema_keys[i].kind == kind && strcmp(schema_keys[i].name, key) == 0)
            return &schema_keys[i];
    return NULL;
}

const PlaceRow *place_find(const char *type) {
    for (int i = 0; i < place_row_count; i++)
        if (strcmp(place_rows[i].type, type) == 0)
            return &place_rows[i];
    return NULL;
}

const PlaceWord *place_word(const char *type, const char *word) {
    for (int i = 0; i < place_word_count; i++)
        if (strcmp(place_words[i].type, type) == 0 && strcmp(place_words[i].word, word) == 0)
            return &place_words[i];
    return NULL;
}

Metric metric_find(const char *word) {
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        if (strcmp(metric_rows[metric].word, word) == 0)
            return (Metric)metric;
    return METRIC_NONE;
}

/* ---- examples: what stands in a help where a value is missing --------------------------------------------------- */

typedef struct { const char *word, *value; } Example;

static const char *look_up(const Example *examples, size_t count, const char *word) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(examples[i].word, word) == 0)
            return examples[i].value;
    return NULL;
}

static const Example by_key[] = {
    { "root", "\"photographs\"" }, { "table", "\"train.csv\"" }, { "image", "\"train/{filename}\"" },
    { "identity", "\"{individual}\"" }, { "flank", "\"{flank}\"" }, { "label", "\"{sex}\"" }, { "mask", "\"{mask}\"" },
    { "taken", "\"{timestamp}\"" }, { "pattern", "asymmetric" }, { "column", "\"{split}\"" }, { "folds", "5" }, { "validate", "10%" },
    { "by", "closed_set(train = 80%)" },
    { "identities", "shared" }, { "together", "burst" }, { "evidence", "[cosine(features), cosine(coats)]" },
    { "members", "[cosine(features), judge]" }, { "calibrate", "isotonic" }, { "record", "\"results/benchmarks.csv\"" },
    { "pairs", "\"test.csv\"" }, { "file", "\"submissions/{version}.csv\"" }, { "budget", "100" }, { "clip", "1.0" },
    { "average", "0.999" }, { "keep", "[sex]" }, { "caption", "\"One color a jaguar.\"" }, { "notes", "\"first try\"" },
};
static const Example by_type[] = {
    { "Int", "30" }, { "Real", "0.1" }, { "Share", "10%" }, { "Shares", "[80%, 20%]" }, { "Text", "\"words\"" },
    { "Path", "\"table.csv\"" }, { "Folder", "\"folder\"" }, { "Template", "\"{column}\"" }, { "Dataset", "jaguars" },
    { "Part", "folds.train" }, { "Network", "resnet50" }, { "Loss", "ArcFace(margin = 0.5rad, scale = 30)" },
    { "Views", "plain" }, { "Similarity", "cosine(features)" }, { "Metrics", "[map, rank1, rank5]" },
    { "Condition", "width >= 50px" }, { "PairCondition", "not same(burst)" }, { "Target", "same(identity)" },
    { "Stop", "when(folds.validate, map, patience = 8)" }, { "Pretrained", "\"weights.safetensors\"" },
    { "Weights", "learned" }, { "Rates", "[backbone = 1e-5]" }, { "Figure", "bars(cv, per = identity)" },
    { "Length", "800px" }, { "Names", "[sex]" }, { "Similarities", "[cosine(features), judge]" },
};

const char *schema_example(const SchemaKey *key) {
    if (key->needed || !*key->fallback || strcmp(key->fallback, "[]") == 0) {
        const char *value = look_up(by_key, sizeof by_key / sizeof *by_key, key->name);
        if (!value)
            value = look_up(by_type, sizeof by_type / sizeof *by_type, key->type);
        if (value)
            return value;
    }
    return key->fallback;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

const char *unit_text(Unit unit) {
    static const char *const words[] = { "", "px", "deg", "rad", "%", "ms", "s", "min", "h", "KiB", "MiB", "GiB" };
    return (unsigned)unit < sizeof words / sizeof *words ? words[unit] : "";
}

const char *binary_text(BinaryOperator op) {
    static const char *const words[] = {
        "or", "and", "==", "!=", "<", ">", "<=", ">=", "divides", "to", "+", "-", "*", "/", "@", "^",
    };
    return (unsigned)op < sizeof words / sizeof *words ? words[op] : "";
}

const char *formula_name(FormulaKind kind) {
    static const char *const words[] = { "function", "augment", "network", "loss" };
    return (unsigned)kind < sizeof words / sizeof *words ? words[kind] : "";
}
