/* check_licenses.c: what weights and pictures may be used for, where their files say it.
 *
 *   "license": "CC-BY-NC-4.0"        in the metadata of a file of weights, or in the JSON beside it; for pictures, a file LICENSE in their folder
 *
 * A document does not name its use, so this is a note: it is for people to judge, and `accept license` keeps what they found. */
#include "compiler.h"

#include <ctype.h>
#include <string.h>

enum { HEAD = 400, TITLE = 120, SHOWN = 60 };         /* of a text of a license, where it says which one it is; of a name alone; of what is quoted */

/* Who may use it, and what somebody who may would say. */
typedef enum { FREE_USE, RESEARCH, NOBODY, NO_CHANGE } Allowed;
static const struct { const char *words, *reason; } allowed[] = {
    [FREE_USE] = {"not for commercial use", "this is research, nothing is sold"},
    [RESEARCH] = {"for research only", "this is research, nothing is sold"},
    [NOBODY] = {"for nobody without being asked", "the owner was asked, and agreed"},
    [NO_CHANGE] = {"not to be passed on changed, and training changes them", "what is trained is not passed on"},
};

/* `~` is whatever stands between two words, `-` a hyphen. */
typedef struct { const char *sign; Allowed allowed; } Sign;
static const Sign anywhere[] = {
    {"~by-nc~", FREE_USE}, {"~cc~by~nc~", FREE_USE}, {"~noncommercial~", FREE_USE}, {"~non~commercial~", FREE_USE}, {"~research~purposes~only~", RESEARCH},
    {"~by-nd~", NO_CHANGE}, {"~cc~by~nd~", NO_CHANGE}, {"~noderivatives~", NO_CHANGE}, {"~noderivs~", NO_CHANGE},
};
/* Only where a license is called by its name alone, and by none of a free one, whose text may say such things too. */
static const Sign in_titles[] = {
    {"~research~only~", RESEARCH}, {"~research~use~", RESEARCH}, {"~research~license~", RESEARCH}, {"~for~research~", RESEARCH}, {"~academic~only~", RESEARCH}, {"~academic~use~", RESEARCH},
    {"~academic~license~", RESEARCH}, {"~for~academic~", RESEARCH}, {"~proprietary~", NOBODY}, {"~all~rights~reserved~", NOBODY},
};
static const char *const free_ones[] = {"~mit~", "~bsd~", "~apache~", "~afl~", "~academic~free~", "~cc~", "~cc0~", "~creative~commons~", "~gpl~", "~public~domain~"};

/* "CC BY-NC 4.0" as " cc by-nc 4 0 ": between words a blank, or a hyphen that stands alone there. */
static const char *words_of(Arena *arena, const char *license) {
    char *words = arena_print(arena, " %.*s ", HEAD, license), *to = words;
    for (const char *at = words; *at;) {
        const char *word = at;
        while (isalnum((unsigned char)*at)) *to++ = (char)tolower((unsigned char)*at++);
        if (at > word) continue;
        while (*at && !isalnum((unsigned char)*at)) at++;
        *to++ = at - word == 1 && *word == '-' ? '-' : ' ';
    }
    *to = 0;
    return words;
}

static bool begins_with(const char *words, const char *sign) {
    for (; *sign; words++, sign++)
        if (*sign == '~' ? *words != ' ' && *words != '-' : *words != *sign) return false;
    return true;
}

/* "commercial or non-commercial": it allows the one as well as the other. */
static bool either_way(const char *words, const char *at, const char *sign) {
    static const char *const before[] = {" commercial or", " commercial and", " commercial and or"}, *const behind[] = {" or commercial ", " and commercial ", " and or commercial "};
    bool either = false;
    for (int i = 0; i < 3; i++) {
        const size_t length = strlen(before[i]);
        either |= ((size_t)(at - words) >= length && !strncmp(at - length, before[i], length)) || begins_with(at + strlen(sign) - 1, behind[i]);
    }
    return either;
}

static bool has_sign(const char *words, const char *sign) {
    for (const char *at = words; *at; at++)
        if (begins_with(at, sign) && !either_way(words, at, sign)) return true;
    return false;
}

static const char *beyond_blanks(const char *text) { return text + strspn(text, " \t\r\n"); }

/* A line that is all there is. */
static bool is_title(const char *license, const char *words) {
    const char *line = beyond_blanks(license), *end = line + strcspn(line, "\n");
    bool title = end - line <= TITLE && !*beyond_blanks(end);
    for (size_t i = 0; i < sizeof free_ones / sizeof *free_ones && title; i++) title = !has_sign(words, free_ones[i]);
    return title;
}

/* What it allows, where that is not all. */
static const Sign *restriction(Arena *arena, const char *license, bool trains) {
    const char *words = words_of(arena, license);
    for (size_t i = 0; i < sizeof anywhere / sizeof *anywhere; i++)
        if ((trains || anywhere[i].allowed != NO_CHANGE) && has_sign(words, anywhere[i].sign)) return &anywhere[i];
    for (size_t i = 0; i < sizeof in_titles / sizeof *in_titles && is_title(license, words); i++)
        if (has_sign(words, in_titles[i].sign)) return &in_titles[i];
    return NULL;
}

/* Its first line, up to a blank if it is long. */
static const char *beginning(Arena *arena, const char *license) {
    const char *line = beyond_blanks(license);
    int whole = (int)strcspn(line, "\r\n"), length = whole > SHOWN ? SHOWN : whole;
    while (length && length < whole && line[length] != ' ') length--;
    if (!length && whole) return arena_print(arena, "%.*s", (int)strcspn(line, " \r\n"), line);       /* a word that long */
    return arena_print(arena, "%.*s%s", length, line, length < whole ? " .." : "");
}

/* The declaration in whose text, or in a change of it, something stands. */
static const Decl *decl_around(const Scope *scope, Span part) {
    for (int i = 0; i < scope->names.count; i++) {
        const Decl *decl = scope->names.entries[i].value;
        if (!decl || decl->library) continue;
        const Span own = decl->statement->span, value = decl->value ? decl->value->span : own;
        if ((own.start <= part.start && part.end <= own.end) || (value.start <= part.start && part.end <= value.end)) return decl;
    }
    return NULL;
}

static void note(Compilation *c, const Scope *scope, Span span, const char *what, Allowed use, const char *said) {
    Diagnostic *d = diag(c->jre, DIAG_license, span, "%s are %s", what, allowed[use].words);
    diag_fact(d, "%s", said);
    diag_note(d, "what its result is for a document does not say, so this is no mistake.");
    const Decl *decl = decl_around(scope, span);
    const Span whole = decl ? decl->statement->span : NOWHERE;
    if (!decl) return;
    diag_help(d, "if your use is allowed, say why: every report repeats it");
    if (whole.start <= span.start && span.end <= whole.end)
        diag_edit(d, (Span){whole.end, whole.end}, false, "\n\naccept license for %s because \"%s\"", decl->name, allowed[use].reason);
}

/* told: weights by place and path, each once. */
static void look_at_weights(Compilation *c, const Graph *g, const Scope *scope, Span record, bool trains, Map *told) {
    for (int i = 0; g && i < g->nodes.count; i++) {
        const WeightScope *weights = g->nodes.at[i]->weights;
        const char *license = weights && weights->facts ? weights->facts->license : NULL;
        const Sign *sign = license ? restriction(&c->arena, license, trains) : NULL;
        const char *place = sign ? arena_print(&c->arena, "%u %s", weights->span.start, weights->path) : NULL;
        if (!sign || map_get(told, place)) continue;
        map_set(told, &c->arena, place, c);
        if (overruled(c, scope, DIAG_license, weights->span, record)) continue;
        note(c, scope, weights->span, "these weights", sign->allowed, arena_print(&c->arena, "their file says: %s", beginning(&c->arena, license)));
    }
}

static void look_at_pictures(Compilation *c, const DatasetPlan *dataset) {
    const char *file = NULL, *text = c->facts.license ? c->facts.license(c->facts.context, dataset->root, &file) : NULL;
    const Sign *sign = text ? restriction(&c->arena, text, false) : NULL;
    if (!sign || overruled(c, c->scope, DIAG_license, dataset->span, dataset->span)) return;
    note(c, c->scope, dataset->span, "these pictures", sign->allowed, arena_print(&c->arena, "%s begins: %s", file, beginning(&c->arena, text)));
}

void check_licenses(Compilation *c) {
    Map told = {0};
    for (int i = 0; i < c->plan->trains.count; i++) {
        const TrainPlan *train = c->plan->trains.at[i];
        look_at_weights(c, train->graph, train->scope, train->span, true, &told);
    }
    for (int i = 0; i < c->plan->embeds.count; i++) {
        const EmbedPlan *embed = c->plan->embeds.at[i];
        look_at_weights(c, embed->graph, embed->scope, embed->span, false, &told);
    }
    for (int i = 0; i < c->plan->datasets.count; i++)
        if (!c->plan->datasets.at[i]->quoted) look_at_pictures(c, c->plan->datasets.at[i]);
}
