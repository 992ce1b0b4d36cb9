/* why.c: `jre why` and `jre key`: under which key a result is kept, and what would have it computed again.
 *
 * Nothing is computed: keys need the document, and of files what they hold. A result that is not in the store is held against the nearest one
 * that is: of the same declaration and choices, of the same version, with the fewest differences, the newest. */
#include "cli.h"

#include <string.h>
#include <time.h>

enum { SHORT_KEY = 8, SHOWN = 6 };

/* What is known of an item: its own result, or the nearest with what differs. */
typedef struct { bool cached, near; StoredResult result; KeyDifferences differences; } Reason;
typedef struct { Work work; ItemList items; NameList names; StoredResults results; } Question;

/* ---- which declarations ---------------------------------------------------------------------------------------------------- */

/* Pictures that cannot be read were told of: what needs them is left out. */
static void find_items(Question *question, const Options *options) {
    Session *session = question->work.session;
    ItemList all = {0};
    result_items(session, question->work.c.plan, &options->names, &all);
    for (int i = 0; i < all.count; i++) {
        bool asked = !options->names.count;
        list_add(&session->arena, &question->names, all.at[i].name);
        for (int k = 0; k < options->names.count && !asked; k++) asked = !strcmp(options->names.at[k], all.at[i].name);
        if (asked && all.at[i].tree) list_add(&session->arena, &question->items, all.at[i]);
    }
}

static void refuse_unknown(const Question *question, Jre *jre, const Options *options) {
    for (int i = 0; i < options->names.count; i++) {
        bool known = false;
        for (int k = 0; k < question->names.count; k++) known |= !strcmp(question->names.at[k], options->names.at[i]);
        if (known) continue;
        Diagnostic *d = diag(jre, DIAG_unknown_name, NOWHERE, "`%s`: no declaration with a result of its own is called so", options->names.at[i]);
        const char *near = nearest_name(options->names.at[i], question->names.at, question->names.count);
        if (near) diag_help(d, "did you mean `%s`?", near);
        else if (question->names.count) diag_help(d, "an embed, an evaluate or a submit, for instance `%s`", question->names.at[0]);
    }
}

/* ---- why ---------------------------------------------------------------------------------------------------------------------- */

/* 0: the same member of the same version, 1: of another, 2: another member; -1: another declaration. */
static int distance_of(const Session *session, const KeyTree *tree, const StoredResult *result) {
    size_t declared = strcspn(tree->name, "[");
    if (strncmp(tree->name, result->what, declared) != 0 || (result->what[declared] && result->what[declared] != '[')) return -1;
    if (strcmp(tree->name, result->what) != 0) return 2;
    return session->version && strcmp(session->version, result->version) == 0 ? 0 : 1;
}

static Reason reason_of(Question *question, const KeyTree *tree) {
    Session *session = question->work.session;
    Reason reason = {.cached = store_has(&session->store, tree->hash)};
    if (reason.cached) {
        stored_origin(session, tree->hash, &reason.result);
        return reason;
    }
    int nearest = -1;
    const KeySource source = {session, stored_tree};
    for (int i = 0; i < question->results.count; i++) {
        const StoredResult *result = &question->results.at[i];
        int distance = distance_of(session, tree, result);
        const KeyTree *old = distance >= 0 && (!reason.near || distance <= nearest) ? stored_tree(session, result->key) : NULL;
        if (!old) continue;
        KeyDifferences differences = {0};
        key_compare(session->jre, &session->arena, old, tree, &source, &differences);
        bool nearer = !reason.near || distance < nearest || differences.count < reason.differences.count ||
                      (differences.count == reason.differences.count && result->made > reason.result.made);
        if (!nearer) continue;
        nearest = distance;
        reason = (Reason){.near = true, .result = *result, .differences = differences};
    }
    return reason;
}

static const char *date_text(Arena *arena, double made) {
    time_t when = (time_t)made;
    struct tm utc;
    char text[64] = "";
    if (gmtime_r(&when, &utc)) strftime(text, sizeof text, "%Y-%m-%d %H:%M", &utc);
    return arena_print(arena, "%s", text);
}

/* "evaluate cv[..]" as evaluate.cv[..]. */
static void print_name(const char *name) {
    size_t kind = strcspn(name, " ");
    printf("%.*s%s%s", (int)kind, name, name[kind] ? "." : "", name[kind] ? name + kind + 1 : "");
}

static const char *shortened(Arena *arena, const char *value) {
    enum { MOST = 60 };
    return !value ? "(none)" : strlen(value) <= MOST ? value : arena_print(arena, "%.*s..", MOST, value);
}

static bool same_path(const KeyDifference *a, const KeyDifference *b) {
    if (a->path.count != b->path.count) return false;
    for (int i = 0; i < a->path.count; i++)
        if (strcmp(a->path.at[i], b->path.at[i]) != 0) return false;
    return true;
}

/* The way down, once for all leaves of one tree; the first name is the declaration's own. */
static int print_path(const KeyDifference *difference) {
    for (int i = 1; i < difference->path.count; i++) printf("%s%s", i == 1 ? "  because " : ": ", difference->path.at[i]);
    if (difference->path.count > 1) puts(" differs");
    return difference->path.count > 1 ? 4 : 2;
}

static void print_differences(Arena *arena, const KeyDifferences *differences) {
    int shown = differences->count < SHOWN ? differences->count : SHOWN, indent = 2;
    for (int i = 0; i < shown; i++) {
        const KeyDifference *difference = &differences->at[i];
        if (!i || !same_path(difference, difference - 1)) indent = print_path(difference);
        printf("%*s%s   %s  ->  %s", indent, "", difference->name, shortened(arena, difference->old), shortened(arena, difference->now));
        if (difference->place) printf("        (%s)", difference->place);
        puts("");
        if (difference->further) printf("%*s   and %d node%s behind it\n", indent, "", difference->further, plural(difference->further));
    }
    if (differences->count > shown) printf("  and %d more\n", differences->count - shown);
    else puts("  nothing else differs");
}

static void print_reason(Arena *arena, const Item *item, const Reason *reason) {
    print_name(item->tree->name);
    if (reason->cached) {
        printf("  cached under %.*s..", SHORT_KEY, item->tree->hash);
        if (reason->result.made > 0) printf(", made on %s%s%s", date_text(arena, reason->result.made), *reason->result.version ? " by " : "", reason->result.version);
        puts("");
    } else if (reason->near) {
        printf("  cached under %.*s..%s%s, now %.*s..\n", SHORT_KEY, reason->result.key, *reason->result.version ? " by " : "", reason->result.version, SHORT_KEY, item->tree->hash);
        print_differences(arena, &reason->differences);
    } else {
        printf("  never computed, now %.*s..\n", SHORT_KEY, item->tree->hash);
    }
}

/* ---- for machines ---------------------------------------------------------------------------------------------------------------- */

static void json_or_null(Text *out, const char *name, const char *text) {
    text_add(out, ", \"%s\": ", name);
    if (text) json_text(out, text);
    else text_add(out, "null");
}

static void json_reason(Text *out, const Item *item, const Reason *reason) {
    text_add(out, "{\"name\": ");
    json_text(out, item->tree->name);
    text_add(out, ", \"key\": \"%s\", \"cached\": %s", item->tree->hash, reason->cached ? "true" : "false");
    if (reason->cached) text_add(out, ", \"made\": %.0f", reason->result.made);
    json_or_null(out, "nearest", reason->near ? reason->result.key : NULL);
    text_add(out, ", \"differences\": [");
    for (int i = 0; i < reason->differences.count; i++) {
        const KeyDifference *difference = &reason->differences.at[i];
        text_add(out, "%s{\"path\": [", i ? ", " : "");
        for (int k = 1; k < difference->path.count; k++) {
            if (k > 1) text_add(out, ", ");
            json_text(out, difference->path.at[k]);
        }
        text_add(out, "]");
        json_or_null(out, "leaf", difference->name);
        json_or_null(out, "old", difference->old);
        json_or_null(out, "new", difference->now);
        json_or_null(out, "place", difference->place);
        text_add(out, ", \"further\": %d}", difference->further);
    }
    text_add(out, "]}");
}

static void print_json(Question *question, Jre *jre) {
    Text text = {.jre = jre};
    for (int i = 0; i < question->items.count; i++) {
        Reason reason = reason_of(question, question->items.at[i].tree);
        if (i) text_add(&text, ", ");
        json_reason(&text, &question->items.at[i], &reason);
    }
    printf("{\"why\": [%s], \"findings\": ", text.at ? text.at : "");
    diag_print_all(jre, stdout, true, false);
    puts("}");
    text_free(&text);
}

/* ---- the subcommands --------------------------------------------------------------------------------------------------------------- */

static bool ask(Question *question, Jre *jre, Options *options) {
    memset(question, 0, sizeof *question);
    options->run.quiet = true;
    if (!work_begin(&question->work, jre, options, false)) return false;
    question->work.session->version = question->work.c.version;
    find_items(question, options);
    refuse_unknown(question, jre, options);
    return true;
}

int why_command(Jre *jre, Options *options) {
    Question question;
    bool sound = ask(&question, jre, options);
    int status = diag_exit_code(jre);
    if (sound) stored_results(question.work.session, &question.results);
    if (options->run.json) print_json(&question, jre);
    for (int i = 0; sound && !options->run.json && i < question.items.count; i++) {
        Reason reason = reason_of(&question, question.items.at[i].tree);
        print_reason(&question.work.session->arena, &question.items.at[i], &reason);
    }
    if (!options->run.json) status = report_findings(jre, options);
    work_end(&question.work, options);
    return status;
}

static void print_tree(Jre *jre, Arena *arena, const KeyTree *tree, int depth) {
    printf("%*s%.*s  ", 2 * depth, "", SHORT_KEY, tree->hash);
    puts(tree->name);
    for (int i = 0; i < tree->leaves.count; i++) {
        const KeyLeaf *leaf = &tree->leaves.at[i];
        const char *place = key_place(jre, arena, leaf);
        printf("%*s%-12s %s%s%s%s\n", 2 * depth + 2, "", leaf->name, leaf->value, place ? "   (" : "", place ? place : "", place ? ")" : "");
    }
    for (int i = 0; i < tree->parts.count; i++) print_tree(jre, arena, tree->parts.at[i], depth + 1);
}

int key_command(Jre *jre, Options *options) {
    Question question;
    bool sound = ask(&question, jre, options);
    for (int i = 0; sound && i < question.items.count; i++) {
        const KeyTree *tree = question.items.at[i].tree;
        if (options->tree) {
            print_tree(jre, &question.work.session->arena, tree, 0);
            continue;
        }
        printf("%s  ", tree->hash);
        print_name(tree->name);
        puts("");
    }
    int status = report_findings(jre, options);
    work_end(&question.work, options);
    return status;
}
