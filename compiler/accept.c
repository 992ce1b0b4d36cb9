/* accept.c: checks that a document overrules, each for one declaration and with a reason.
 *
 *   accept leaking_burst for published because "the published split is kept, so that the score can be compared"
 *
 * A check asks here before it speaks (`overruled`). What silences nothing is told in turn: it may be a slip, and would hide what comes later. */
#include "compiler.h"

#include <string.h>

/* Those of LANGUAGE 3.6 and decisions 10 and 11 that have more than one reading; `data`: they look at the pictures. */
static const struct { const char *name; bool data; } acceptable[] = {
    {"leaking_burst", true}, {"leaking_identity", true}, {"tuned_on_the_yardstick", true}, {"other_protocol", false}, {"mirrored_flank", false},
    {"inconsistent_views", false}, {"wrong_normalization", false}, {"mixed_spaces", false}, {"unreachable_gradient", false}, {"unused_name", false},
    {"metric_needs", false}, {"hollow_triplets", true}, {"squashed_twice", false}, {"untrained_layer", false}, {"mixed_scores", false},
    {"self_pairs", true}, {"random_view_in_evaluation", false}, {"stale_space", false}, {"filtered_index", false}, {"license", false},
    {"bare_threshold", false}, {"answering_burst", true}, {"hollow_evaluation", true}, {"wrong_flank", true}, {"mixed_burst", true},
    {"reversed_score", false}};
enum { ACCEPTABLE = sizeof acceptable / sizeof *acceptable };

const char *accepted_slot(Compilation *c, const Scope *scope, const Statement *accept) {
    const char *value = accept->subject, *figure = declared_as(c, KIND_figure, value);
    bool named = map_get(&scope->names, value) || map_get(&c->declared, value);
    return !named && (map_get(&scope->names, figure) || map_get(&c->declared, figure)) ? figure : value;
}

static void check_accepted_name(Compilation *c, const Statement *accept) {
    NameList names = {0};
    for (int i = 0; i < ACCEPTABLE; i++) {
        list_add(&c->arena, &names, acceptable[i].name);
        if (strcmp(acceptable[i].name, accept->name) != 0) continue;
        if (diag_find(accept->name) != DIAG_COUNT) return;
        Diagnostic *d = diag(c->jre, DIAG_not_yet, accept->name_span, "`%s` is in the language, this version does not check it yet", accept->name);
        diag_help(d, "take this line out until a version of jre makes the check");
        return;
    }
    if (diag_find(accept->name) != DIAG_COUNT) {
        Diagnostic *d = diag(c->jre, DIAG_wrong_argument, accept->name_span, "`%s` cannot be overruled: what it tells of has no other reading", accept->name);
        diag_help(d, "mend what it tells of, and take this line out");
        return;
    }
    Diagnostic *d = diag(c->jre, DIAG_unknown_name, accept->name_span, "no check is called `%s`", accept->name);
    if (!diag_did_you_mean(d, accept->name_span, accept->name, &names, true))
        diag_help(d, "name the check whose message is to be overruled, as the message does");
}

static void check_accepted_reason(Compilation *c, const Statement *accept) {
    if (accept->text[strspn(accept->text, " \t")]) return;
    Diagnostic *d = diag(c->jre, DIAG_wrong_argument, accept->text_span, "no reason is given");
    diag_also(d, accept->name_span, "and this is overruled by it");
    diag_help(d, "say why the message does not matter here: every report repeats it");
}

void check_accepts(Compilation *c) {
    for (int i = 0; i < c->scope->accepts.count; i++) {
        const Statement *accept = c->scope->accepts.at[i];
        check_accepted_name(c, accept);
        check_accepted_reason(c, accept);
        if (map_get(&c->scope->names, accepted_slot(c, c->scope, accept)) || c->gaps) continue;
        report_unknown_declaration(c, c->scope, accept->subject, accept->subject_span);
    }
}

/* ---- at work ---------------------------------------------------------------------------------------------------------- */

/* In its own text, or in that of a `change`. */
static bool stands_in(const Decl *decl, Span at) {
    if (span_holds(decl->statement->span, at) || (decl->value && span_holds(decl->value->span, at))) return true;
    for (int i = 0; i < decl->settings.count; i++)
        if (span_holds(decl->settings.at[i].span, at)) return true;
    return false;
}

/* Of a module that the document uses, where nobody could write an `accept` for a study. */
static bool in_a_module(const Compilation *c, Span at) {
    const Source *source = source_of(c->jre, at);
    for (const Module *m = c->document; m; m = m->parent)
        if (m->document->source == source) return false;
    for (int i = 0; i < c->overlays.count; i++)
        if (c->overlays.at[i]->document->source == source) return false;
    return source != NULL;
}

bool overruled(Compilation *c, const Scope *scope, DiagCode check, Span at, Span behalf) {
    for (int i = 0; i < scope->accepts.count; i++) {
        const Statement *accept = scope->accepts.at[i];
        if (strcmp(accept->name, diag_rows[check].name) != 0) continue;
        const Decl *decl = map_get(&scope->names, accepted_slot(c, scope, accept));
        if (!decl || !(stands_in(decl, at) || (in_a_module(c, at) && stands_in(decl, behalf)))) continue;
        for (int k = 0; k < c->accepted.count; k++)
            if (c->accepted.at[k] == accept) return true;
        list_add(&c->arena, &c->accepted, accept);
        return true;
    }
    return false;
}

bool overruled_anywhere(Compilation *c, DiagCode check, Span at, Span behalf) {
    bool found = overruled(c, c->scope, check, at, behalf);
    for (int i = 0; i < c->document_scopes.count && !found; i++) found = overruled(c, c->document_scopes.entries[i].value, check, at, behalf);
    return found;
}

/* Of pictures that were not looked at nothing can be judged. */
static bool was_checked(const Compilation *c, const char *check, bool with_data) {
    for (int i = 0; i < ACCEPTABLE; i++)
        if (!strcmp(acceptable[i].name, check)) return !acceptable[i].data || (with_data && c->facts.leaks);
    return false;
}

/* Only what the document itself wrote: what it inherited may be about other settings, and an overlay brings other data. */
void check_idle_accepts(Compilation *c, bool with_data) {
    if (c->overlays.count || c->sets.count) return;
    for (int i = 0; i < c->scope->accepts.count; i++) {
        const Statement *accept = c->scope->accepts.at[i];
        bool idle = source_of(c->jre, accept->span) == c->document->document->source && was_checked(c, accept->name, with_data);
        for (int k = 0; k < c->accepted.count && idle; k++) idle = c->accepted.at[k] != accept;
        if (!idle) continue;
        const Decl *decl = map_get(&c->scope->names, accepted_slot(c, c->scope, accept));
        Diagnostic *d = diag(c->jre, DIAG_unused_name, accept->name_span, "nothing is overruled by this");
        diag_also(d, decl->statement->name_span, "`%s` finds nothing wrong here", accept->name);
        diag_note(d, "an `accept` that silences nothing would one day silence what nobody has seen");
        diag_help(d, "take the line out");
    }
}
