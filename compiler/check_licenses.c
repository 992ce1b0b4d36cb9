/* check_licenses.c: what weights and pictures may be used for, where their files say it.
 *
 *   "license": "CC-BY-NC-4.0"        in the metadata of a file of weights, or in the JSON beside it; for pictures, a file LICENSE in their folder
 *
 * A document does not name its use, so this is a note: it is for people to judge, and `accept license` keeps what they found. */
#include "compiler.h"

#include <string.h>

enum { HEAD = 400, SHOWN = 60 };          /* of a text of a license, where it says which one it is; of its first line */

/* title: only where a license is called by its name alone; made_of: forbids only what training does. */
static const struct { const char *sign, *words; bool title, made_of; } restrictions[] = {
    {"-nc-", "not for commercial use", false, false}, {"-noncommercial-", "not for commercial use", false, false},
    {"-non-commercial-", "not for commercial use", false, false}, {"-research-", "for research only", true, false},
    {"-academic-", "for research only", true, false}, {"-research-purposes-only-", "for research only", false, false},
    {"-proprietary-", "for nobody without being asked", true, false}, {"-all-rights-reserved-", "for nobody without being asked", true, false},
    {"-nd-", "not to be passed on changed, and training changes them", true, true},
};

/* "CC BY-NC 4.0" as "-cc-by-nc-4-0-". */
static const char *signs_of(Arena *arena, const char *license) {
    char *signs = arena_print(arena, "-%.*s-", HEAD, license), *to = signs;
    for (const char *at = signs; *at; at++) {
        bool capital = *at >= 'A' && *at <= 'Z', sign = capital || (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        if (sign) *to++ = (char)(capital ? *at - 'A' + 'a' : *at);
        else if (to == signs || to[-1] != '-') *to++ = '-';
    }
    *to = 0;
    return signs;
}

/* What it forbids; NULL: nothing that is known here. */
static const char *forbidden(Arena *arena, const char *license, bool title, bool trains) {
    const char *signs = signs_of(arena, license);
    for (size_t i = 0; i < sizeof restrictions / sizeof *restrictions; i++)
        if ((title || !restrictions[i].title) && (trains || !restrictions[i].made_of) && strstr(signs, restrictions[i].sign)) return restrictions[i].words;
    return NULL;
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

static void note(Compilation *c, const Scope *scope, Span span, const char *what, const char *words, const char *said) {
    Diagnostic *d = diag(c->jre, DIAG_license, span, "%s are %s", what, words);
    diag_fact(d, "%s", said);
    diag_note(d, "what its result is for a document does not say, so this is no mistake.");
    const Decl *decl = decl_around(scope, span);
    const Span whole = decl ? decl->statement->span : NOWHERE;
    if (!decl) return;
    diag_help(d, "if your use is allowed, say why: every report repeats it");
    if (whole.start <= span.start && span.end <= whole.end)
        diag_edit(d, (Span){whole.end, whole.end}, false, "\n\naccept license for %s because \"this is research, nothing is sold\"", decl->name);
}

/* told: weights by place and path, each once. */
static void look_at_weights(Compilation *c, const Graph *g, const Scope *scope, Span record, bool trains, Map *told) {
    for (int i = 0; g && i < g->nodes.count; i++) {
        const WeightScope *weights = g->nodes.at[i]->weights;
        const char *license = weights && weights->facts ? weights->facts->license : NULL, *words = license ? forbidden(&c->arena, license, true, trains) : NULL;
        const char *place = words ? arena_print(&c->arena, "%u %s", weights->span.start, weights->path) : NULL;
        if (!words || map_get(told, place)) continue;
        map_set(told, &c->arena, place, c);
        if (overruled(c, scope, DIAG_license, weights->span, record)) continue;
        note(c, scope, weights->span, "these weights", words, arena_print(&c->arena, "their file says: %.*s", SHOWN, license));
    }
}

static void look_at_pictures(Compilation *c, const DatasetPlan *dataset) {
    const char *file = NULL, *text = c->facts.license ? c->facts.license(c->facts.context, dataset->root, &file) : NULL;
    const char *words = text ? forbidden(&c->arena, text, false, false) : NULL;
    if (!words || overruled(c, c->scope, DIAG_license, dataset->span, dataset->span)) return;
    text += strspn(text, " \t\r\n");
    int length = (int)strcspn(text, "\r\n");
    note(c, c->scope, dataset->span, "these pictures", words, arena_print(&c->arena, "%s begins: %.*s", file, length < SHOWN ? length : SHOWN, text));
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
