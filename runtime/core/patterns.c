/* patterns.c: the files that a pattern names: "test/x*.png", "photos/{individual}/0*.jpg".
 *
 * `*` stands for any run of characters within one part of a path, `{name}` for a run of at least one that is told. Contract: files come in
 * the order of their paths' bytes; a path whose names could be read in two ways is refused, since one of them would be a guess. Work grows
 * with the entries of the folders that are walked, and with a name's length times the pattern's. */
#include "../runtime.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 10, LONGEST_NAME = 255 };

/* One character of a part of the pattern, or a star, or a name in braces (its place among the names). */
typedef enum { TOKEN_CHARACTER, TOKEN_STAR, TOKEN_NAME } TokenKind;
typedef struct { TokenKind kind; int value; } Token;
typedef struct { LIST(Token) tokens; const char *text; int length; bool wild; } Part;

typedef struct {
    Jre *jre;
    Arena *arena;
    Span asked_at;
    FileMatches *matches;
    LIST(Part) parts; int literal;        /* how many parts come before the first that is wild */
    const char **said;                    /* by name, on the way down */
    LIST(const char *) unclear;
} Walker;

/* ---- the pattern -------------------------------------------------------------------------------------------------------------- */

static Diagnostic *refuse(Walker *walker, const char *pattern, const char *what) {
    Diagnostic *d = diag(walker->jre, DIAG_wrong_table, walker->asked_at, "%s: \"%s\"", what, pattern);
    diag_fact(d, "`*` stands for any characters within one part of a path, `{name}` for some that are a column");
    diag_help(d, "for instance \"photos/{individual}/*.jpg\"");
    return d;
}

/* Where the brace is closed; NULL: refused. */
static const char *read_name(Walker *walker, const char *pattern, const char *open, Part *part) {
    NameList *names = &walker->matches->names;
    const char *close = open + strcspn(open, "}/");
    if (*close != '}' || close == open + 1) {
        refuse(walker, pattern, *close == '}' ? "a name is missing in `{}`" : "a `{` is never closed");
        return NULL;
    }
    const char *name = intern_length(walker->jre, open + 1, (size_t)(close - open - 1));
    for (int i = 0; i < names->count; i++)
        if (names->at[i] == name) {
            refuse(walker, pattern, arena_print(walker->arena, "`{%s}` stands twice", name));
            return NULL;
        }
    Token token = { TOKEN_NAME, names->count };
    list_add(walker->arena, names, name);
    list_add(walker->arena, &part->tokens, token);
    part->wild = true;
    return close + 1;
}

static bool read_part(Walker *walker, const char *pattern, const char **at) {
    Part part = { .text = *at };
    while (**at && **at != '/') {
        if (!strncmp(*at, "**", 2)) {
            refuse(walker, pattern, "`**` is not known");
            return false;
        }
        if (**at == '{') {
            if (!(*at = read_name(walker, pattern, *at, &part)))
                return false;
            continue;
        }
        Token token = { **at == '*' ? TOKEN_STAR : TOKEN_CHARACTER, (uint8_t)**at };
        part.wild |= token.kind == TOKEN_STAR;
        list_add(walker->arena, &part.tokens, token);
        ++*at;
    }
    part.length = (int)(*at - part.text);
    list_add(walker->arena, &walker->parts, part);
    return true;
}

static bool read_pattern(Walker *walker, const char *pattern) {
    const char *at = pattern;
    while (*at) {
        at += strspn(at, "/");
        if (*at && !read_part(walker, pattern, &at))
            return false;
    }
    return true;
}

/* ---- one name -------------------------------------------------------------------------------------------------------------------- */

/* can[t]: which ends of the name the tokens from t on can match, as a set of beginnings. */
typedef struct { uint64_t begins[LONGEST_NAME / 64 + 1]; } Places;

static bool has(const Places *places, int at) {
    return places->begins[at / 64] >> (at % 64) & 1;
}

static void put(Places *places, int at) {
    places->begins[at / 64] |= UINT64_C(1) << (at % 64);
}

/* Reads the name from the left, each run as long (or as short) as what follows allows. */
static void read_runs(const Walker *walker, const Part *part, const Places *can, const char *name, int length, bool longest, const char **said) {
    int at = 0;
    for (int t = 0; t < part->tokens.count; t++) {
        const Token *token = &part->tokens.at[t];
        int first = at + (token->kind != TOKEN_STAR), end = token->kind == TOKEN_CHARACTER ? at + 1 : longest ? length : first;
        while (!has(&can[t + 1], end))
            end += longest ? -1 : 1;
        if (token->kind == TOKEN_NAME)
            said[token->value] = intern_length(walker->jre, name + at, (size_t)(end - at));
        at = end;
    }
}

typedef enum { NAME_OTHER, NAME_MATCHES, NAME_UNCLEAR } NameMatch;

/* Fills in what the part's names stand for. Hidden files want a pattern that begins with a dot. */
static NameMatch match_name(const Walker *walker, const Part *part, const char *name) {
    int length = (int)strlen(name), count = part->tokens.count;
    if (length > LONGEST_NAME || (*name == '.' && *part->text != '.'))
        return NAME_OTHER;
    Arena scratch = { .jre = walker->jre };
    Places *can = arena_array(&scratch, Places, count + 1);
    const char **shortest = arena_array(&scratch, const char *, walker->matches->names.count + 1);
    put(&can[count], length);
    for (int t = count - 1; t >= 0; t--) {
        const Token *token = &part->tokens.at[t];
        bool behind = false;              /* some end behind `at` matches the rest */
        for (int at = length; at >= 0; at--) {
            if (token->kind == TOKEN_CHARACTER ? at < length && (uint8_t)name[at] == token->value && has(&can[t + 1], at + 1)
                                               : behind || (token->kind == TOKEN_STAR && has(&can[t + 1], at)))
                put(&can[t], at);
            behind |= has(&can[t + 1], at);
        }
    }
    NameMatch match = has(&can[0], 0) ? NAME_MATCHES : NAME_OTHER;
    if (match == NAME_MATCHES) {
        read_runs(walker, part, can, name, length, true, walker->said);
        read_runs(walker, part, can, name, length, false, shortest);
        for (int i = 0; i < walker->matches->names.count; i++)
            if (shortest[i] && shortest[i] != walker->said[i])
                match = NAME_UNCLEAR;
    }
    arena_free(&scratch);
    return match;
}

/* ---- folders ------------------------------------------------------------------------------------------------------------------------- */

static void add_file(Walker *walker, const char *path) {
    int names = walker->matches->names.count;
    FileMatch match = { path, arena_array(walker->arena, const char *, names + 1) };
    for (int i = 0; i < names; i++)
        match.said[i] = walker->said[i];
    list_add(walker->arena, &walker->matches->files, match);
}

static bool walk(Walker *walker, const char *folder, int place);

static bool go_on(Walker *walker, const char *path, int place) {
    bool last = place == walker->parts.count - 1;
    if (!last)
        return (place >= walker->literal && !folder_exists(path)) || walk(walker, path, place + 1);
    if (file_exists(path))
        add_file(walker, path);
    return true;
}

static const char *inside(Walker *walker, const char *folder, const char *name, int length) {
    size_t end = strlen(folder);
    return arena_print(walker->arena, end == 0 || folder[end - 1] == '/' ? "%s%.*s" : "%s/%.*s", folder, length, name);
}

static bool walk(Walker *walker, const char *folder, int place) {
    const Part *part = &walker->parts.at[place];
    if (!part->wild)
        return go_on(walker, inside(walker, folder, part->text, part->length), place);
    NameList names = { 0 };
    if (!folder_names(walker->arena, *folder ? folder : ".", &names)) {
        file_explain(walker->jre, folder, walker->asked_at, errno);
        return false;
    }
    bool good = true;
    for (int i = 0; good && i < names.count; i++) {
        NameMatch match = match_name(walker, part, names.at[i]);
        if (match == NAME_OTHER)
            continue;
        const char *path = inside(walker, folder, names.at[i], (int)strlen(names.at[i]));
        if (match == NAME_UNCLEAR)
            list_add(walker->arena, &walker->unclear, path);
        else
            good = go_on(walker, path, place);
    }
    return good;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(((const FileMatch *)a)->path, ((const FileMatch *)b)->path);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool all_clear(Walker *walker, const char *pattern) {
    int count = walker->unclear.count;
    if (!count)
        return true;
    qsort(walker->unclear.at, (size_t)count, sizeof *walker->unclear.at, by_text);
    Diagnostic *d = diag(walker->jre, DIAG_wrong_table, walker->asked_at, "\"%s\" can be read in more than one way in %d path%s", pattern, count, plural(count));
    for (int i = 0; i < count && i < NAMED; i++)
        diag_fact(d, "%s", walker->unclear.at[i]);
    if (count > NAMED)
        diag_fact(d, "and %d more", count - NAMED);
    diag_help(d, "put between two names what stands in neither of them, or give the individuals by a table");
    return false;
}

bool files_matching(Jre *jre, Arena *arena, const char *root, const char *pattern, Span asked_at, FileMatches *matches) {
    *matches = (FileMatches){0};
    Walker walker = { .jre = jre, .arena = arena, .asked_at = asked_at, .matches = matches };
    if (!read_pattern(&walker, pattern))
        return false;
    if (!walker.parts.count)
        return true;
    while (walker.literal < walker.parts.count && !walker.parts.at[walker.literal].wild)
        walker.literal++;
    walker.said = arena_array(arena, const char *, matches->names.count + 1);
    bool here = !root || !*root || strcmp(root, ".") == 0;
    if (!walk(&walker, *pattern == '/' ? "/" : here ? "" : root, 0) || !all_clear(&walker, pattern))
        return false;
    if (matches->files.count > 1)
        qsort(matches->files.at, (size_t)matches->files.count, sizeof *matches->files.at, by_bytes);
    return true;
}
