/* doc.c: `jre doc NAME`: a check, a kind, a key (kind.key), a word of the language or of a setting, an operator, a module of the library or a
 * name that it declares, with its source; then what the manual says of it. Whatever is called so is printed; what is not called at all has its
 * nearest. */
#include "cli.h"

#include <string.h>

/* ---- what stands in tables ------------------------------------------------------------------------------------------------ */

/* A blank line between two answers. */
static void begin_answer(int *answers) {
    if ((*answers)++) puts("");
}

/* A sentence as wide as a terminal. */
static void print_sentence(Jre *jre, const char *sentence, int indent) {
    Text text = {.jre = jre};
    text_add(&text, "%*s%s", indent, "", sentence);
    text_fold(&text, 0, indent);
    puts(text.at);
    text_free(&text);
}

static void doc_check(Jre *jre, const char *name, int *answers) {
    DiagCode code = diag_find(name);
    if (code == DIAG_COUNT) return;
    begin_answer(answers);
    static const char *const severities[] = {"note", "warning", "error"};
    printf("%s  (%s)\n\n", name, severities[diag_rows[code].severity]);
    print_sentence(jre, diag_rows[code].explanation, 2);
}

/* The default, or what an empty one means. */
static const char *default_text(const SchemaKey *key) { return key->needed ? "needed" : *key->fallback ? key->fallback : "-"; }

static void doc_kind(const char *name, int *answers) {
    RecordKind kind = kind_find(name);
    if (kind == KIND_NONE) return;
    begin_answer(answers);
    printf("%s  %s\n\n  %-14s %-14s %-11s %s\n", name, kind_sentence(kind), "setting", "type", "unit", "default");
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        if (key->kind != kind) continue;
        printf("  %-14s %-14s %-11s %s\n  %-14s %s\n", key->name, key->type, *key->unit ? key->unit : "-", default_text(key), "", key->sentence);
    }
}

static bool place_of_key(const SchemaKey *key, const char *type) {
    return !strcmp(key->type, type) || (!strcmp(key->type, "Metrics") && !strcmp(type, "Metric"));
}

static void print_place_word(Jre *jre, const PlaceWord *word) {
    print_sentence(jre, arena_print(&jre->forever, "%s%s", word->word, strcmp(word->parameters, "()") ? word->parameters : ""), 4);
    print_sentence(jre, word->sentence, 8);
}

static void print_type_of(Jre *jre, const SchemaKey *key) {
    const char *dots = strstr(key->allowed, "..");
    printf("  type     %s\n", key->type);
    for (int i = 0; i < word_row_count; i++)
        if (!strcmp(word_rows[i].role, "type") && !strcmp(word_rows[i].word, key->type)) print_sentence(jre, word_rows[i].sentence, 11);
    if (dots) printf("  range    %s%.*s to %s%s\n", *key->allowed == '>' ? "above " : "", (int)(dots - key->allowed) - (*key->allowed == '>'), key->allowed + (*key->allowed == '>'),
                     dots[2] == '<' ? "below " : "", dots + 2 + (dots[2] == '<'));
    else if (*key->allowed) printf("  words    %s\n", key->allowed);
    if (*key->unit) printf("  unit     %s\n", key->unit);
    for (int i = 0, first = 1; i < place_word_count; i++) {
        if (!place_of_key(key, place_words[i].type)) continue;
        if (first) puts("  words");
        print_place_word(jre, &place_words[i]);
        first = 0;
    }
}

/* "split.together", or "together" wherever it stands. */
static void doc_key(Jre *jre, const char *name, int *answers) {
    const char *dot = strchr(name, '.');
    for (int i = 0; i < schema_key_count; i++) {
        const SchemaKey *key = &schema_keys[i];
        if (strcmp(key->name, dot ? dot + 1 : name) != 0) continue;
        const char *kind = kind_name(key->kind);
        if (dot && (strncmp(kind, name, (size_t)(dot - name)) != 0 || kind[dot - name])) continue;
        begin_answer(answers);
        printf("%s of %s\n\n  %s\n\n", key->name, kind, key->sentence);
        print_type_of(jre, key);
        printf("  default  %s\n  example  %s %s\n", key->needed ? "none, it must be written" : *key->fallback ? key->fallback : "none", key->name, schema_example(key));
        printf("  %s\n", key->in_cache_key ? "another value computes anew what depends on it" : "another value computes nothing anew");
    }
}

static bool among_words(const char *words, const char *name) {
    size_t length = strlen(name);
    for (const char *at = words; (at = strstr(at, name)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' ')) return !strstr(words, "..");
    return false;
}

/* Where it may stand: the settings that have it among their words. */
static void print_settings_with(const char *name) {
    int count = 0;
    for (int i = 0; i < schema_key_count; i++)
        if (among_words(schema_keys[i].allowed, name)) printf("%s %s.%s", count++ ? "," : "\n  a word of", kind_name(schema_keys[i].kind), schema_keys[i].name);
    if (count) puts("");
}

static void doc_word(Jre *jre, const char *name, int *answers) {
    for (int i = 0; i < word_row_count; i++) {
        if (strcmp(word_rows[i].word, name) != 0) continue;
        begin_answer(answers);
        printf("%s  (%s)\n\n", name, word_rows[i].role);
        print_sentence(jre, word_rows[i].sentence, 2);
        print_settings_with(name);
    }
}

/* "Batches": all words of the place. */
static void doc_place(Jre *jre, const char *name, int *answers) {
    const PlaceRow *place = place_find(name);
    if (!place) return;
    begin_answer(answers);
    printf("%s  (type)\n\n  A %s:\n", name, place->noun);
    for (int i = 0; i < place_word_count; i++)
        if (!strcmp(place_words[i].type, name)) print_place_word(jre, &place_words[i]);
}

/* A word with arguments, in each of the places that know it. */
static void doc_place_word(const char *name, int *answers) {
    for (int i = 0; i < place_word_count; i++) {
        const PlaceWord *word = &place_words[i];
        if (strcmp(word->word, name) != 0) continue;
        begin_answer(answers);
        printf("%s%s  (%s:", word->word, strcmp(word->parameters, "()") ? word->parameters : "", place_find(word->type)->noun);
        for (int k = 0; k < schema_key_count; k++)
            if (place_of_key(&schema_keys[k], word->type)) printf(" %s.%s", kind_name(schema_keys[k].kind), schema_keys[k].name);
        printf(")\n\n  %s\n", word->sentence);
        if (*word->where) printf("  where %s\n", word->where);
    }
}

static void doc_operator(const char *name, int *answers) {
    Op op = op_find(name);
    if (op == OP_COUNT || (op_row(op)->flags & OP_SOURCE)) return;
    begin_answer(answers);
    printf("%s  (operator of tensor graphs)\n\n  %s\n", name, op_row(op)->signature);
}

/* ---- what stands in the library ---------------------------------------------------------------------------------------------- */

/* The comment lines directly above a statement; `end` is behind the last. False if there are none. */
static bool comment_above(const Document *document, const Statement *s, const char **begin, const char **end) {
    const char *bytes = document->source->bytes, *line = bytes + (s->span.start - document->source->base);
    while (line > bytes && line[-1] != '\n') line--;
    *begin = *end = line;
    for (;;) {
        const char *above = *begin;
        if (above == bytes) break;
        for (above--; above > bytes && above[-1] != '\n';) above--;
        if (above[strspn(above, " \t")] != '#') break;
        *begin = above;
    }
    return *begin < *end;
}

/* Lines without the `#` and the blanks before their words; paragraphs stay apart. False if there is no word. */
static bool print_lines(const char *at, const char *end) {
    bool printed = false, gap = false;
    for (const char *next; at < end; at = next) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        next = newline ? newline + 1 : end;
        while (at < stop && (*at == '#' || *at == ' ' || *at == '\t')) at++;
        if (at < stop) printf("%s  %.*s\n", gap ? "\n" : "", (int)(stop - at), at);
        gap = at == stop && printed;
        printed = printed || at < stop;
    }
    return printed;
}

/* The prose that ends at `offset`: what stands behind its last heading, or, of a document's beginning, what stands before the second. */
static bool print_prose(const Document *document, uint32_t offset, bool beginning) {
    const char *bytes = document->source->bytes - document->source->base, *begin = NULL, *end = NULL;
    for (int i = 0; i < document->prose.count && !end; i++)
        if (document->prose.at[i].end == offset) begin = bytes + document->prose.at[i].start, end = bytes + offset;
    const char *first = begin, *stop = end;
    for (const char *at = begin; at && at < end; at = memchr(at, '\n', (size_t)(end - at)), at = at ? at + 1 : NULL) {
        if (*at != '#') continue;
        if (at > begin && stop == end) stop = at;
        first = at;
    }
    if (beginning) return begin && print_lines(begin, stop);
    const char *behind = first && first < end && *first == '#' ? memchr(first, '\n', (size_t)(end - first)) : first;
    return behind && print_lines(behind, end);
}

static const Chunk *chunk_around(const Document *document, const Statement *s) {
    for (int i = 0; i < document->chunks.count; i++)
        if (document->chunks.at[i]->span.start <= s->span.start && s->span.start < document->chunks.at[i]->span.end) return document->chunks.at[i];
    return NULL;
}

static void doc_declared(Jre *jre, const Document *document, const char *name, int *answers) {
    const Statement *s = declared_in(document, name);
    if (!s) return;
    begin_answer(answers);
    const char *begin, *end;
    printf("%s, in %s\n\n", name, document->source->name);
    const Chunk *chunk = chunk_around(document, s);
    bool told = comment_above(document, s, &begin, &end) ? print_lines(begin, end) : chunk && print_prose(document, chunk->span.start, false);
    printf("%s%s\n", told ? "\n" : "", span_text(jre, s->span));
}

/* Tests add nothing to a module. */
static bool declares(const Chunk *chunk) { return chunk->kind != CHUNK_TEST && chunk->kind != CHUNK_WRONG; }

static const char *kind_of_statement(const Statement *s) {
    return s->kind == STATEMENT_FORMULA ? formula_name(s->formula) : s->kind == STATEMENT_RECORD ? kind_name(s->record) : s->kind == STATEMENT_EQUATION ? "value" : "";
}

/* A module: its heading and first prose, and its names, each with the first line of the comment above it. */
static void doc_module(const Document *document, const char *name, int *answers) {
    if (strcmp(document->source->stem, name) != 0) return;
    begin_answer(answers);
    printf("%s  (module of the library)\n\n", name);
    if (document->chunks.count && print_prose(document, document->chunks.at[0]->span.start, true)) puts("");
    for (int i = 0; i < document->chunks.count; i++)
        for (int k = 0; k < document->chunks.at[i]->statements.count && declares(document->chunks.at[i]); k++) {
            const Statement *s = document->chunks.at[i]->statements.at[k];
            const char *kind = kind_of_statement(s), *begin = "", *end;
            if (!*kind) continue;
            if (comment_above(document, s, &begin, &end)) begin += strspn(begin, "# \t");
            else begin = "";
            int length = (int)strcspn(begin, "\n");
            printf("  %-9s %s%*s%.*s\n", kind, s->name, length ? 17 - (int)strlen(s->name) : 0, "", length, begin);
        }
}

/* ---- what stands in the manual -------------------------------------------------------------------------------------------------- */

/* "03_splits", "splits" or "3". */
static bool is_chapter(const Source *chapter, const char *name) {
    const char *stem = chapter->stem, *digits = stem + strspn(stem, "0"), *word = stem + strspn(stem, "0123456789");
    size_t number = strspn(digits, "0123456789");
    return !strcmp(stem, name) || (*word == '_' && !strcmp(word + 1, name)) || (number && strlen(name) == number && !strncmp(digits, name, number));
}

static void print_told(Jre *jre, const Options *options, const Manual *manual, int place, int *answers) {
    begin_answer(answers);
    printf("in the manual, %s:\n\n", manual->blocks.at[place].chapter->stem);
    print_place(jre, options, manual, place);
}

static void doc_chapter(Jre *jre, const Options *options, const Manual *manual, const char *name, int *answers) {
    for (int i = 0; i < manual->blocks.count; i++)
        if (manual->blocks.at[i].level == 1 && is_chapter(manual->blocks.at[i].chapter, name)) print_told(jre, options, manual, i, answers);
}

/* All places of a name; of a key with its kind, "split.together", those in the section of the kind. */
static void doc_told(Jre *jre, const Options *options, const Manual *manual, const char *name, int *answers) {
    const char *dot = strchr(name, '.'), *key = dot && dot[1] ? dot + 1 : name;
    const char *kind = key != name ? intern_length(jre, name, (size_t)(dot - name)) : NULL;
    for (int place = manual_place(manual, kind, key, 0); place >= 0; place = manual_place(manual, kind, key, manual_place_end(manual, place)))
        print_told(jre, options, manual, place, answers);
}

/* ---- everything ---------------------------------------------------------------------------------------------------------------- */

static void doc_synonym(const char *name, const SynonymRow *synonym, int *answers) {
    begin_answer(answers);
    printf("%s  (a word of other programs)\n\n  here: %s\n", name, synonym->example);
}

static bool doc_name(Jre *jre, const Options *options, const Manual *manual, const char *name, int *answers) {
    int count, before = *answers;
    Document *const *library = library_documents(jre, &count);
    doc_check(jre, name, answers);
    doc_kind(name, answers);
    doc_key(jre, name, answers);
    doc_word(jre, name, answers);
    doc_place(jre, name, answers);
    doc_place_word(name, answers);
    for (int i = 0; i < count; i++) doc_module(library[i], name, answers);
    for (int i = 0; i < count; i++) doc_declared(jre, library[i], name, answers);
    doc_operator(name, answers);
    doc_chapter(jre, options, manual, name, answers);
    doc_told(jre, options, manual, name, answers);
    const SynonymRow *synonym = *answers == before ? synonym_find(name) : NULL;
    if (!synonym) return *answers > before;
    doc_synonym(name, synonym, answers);
    return doc_name(jre, options, manual, synonym->section, answers);
}

static void all_names(Jre *jre, NameList *names) {
    Arena *arena = &jre->forever;
    int count;
    Document *const *library = library_documents(jre, &count);
    for (int kind = 0; kind < KIND_COUNT; kind++) list_add(arena, names, kind_name((RecordKind)kind));
    for (int i = 0; i < schema_key_count; i++) list_add(arena, names, schema_keys[i].name);
    for (int i = 0; i < schema_key_count; i++) list_add(arena, names, arena_print(arena, "%s.%s", kind_name(schema_keys[i].kind), schema_keys[i].name));
    for (int i = 0; i < word_row_count; i++) list_add(arena, names, word_rows[i].word);
    for (int i = 0; i < place_row_count; i++) list_add(arena, names, place_rows[i].type);
    for (int i = 0; i < place_word_count; i++) list_add(arena, names, place_words[i].word);
    for (int i = 0; i < count; i++) {
        list_add(arena, names, library[i]->source->stem);
        for (int k = 0; k < library[i]->chunks.count; k++)
            for (int j = 0; j < library[i]->chunks.at[k]->statements.count && declares(library[i]->chunks.at[k]); j++)
                if (*kind_of_statement(library[i]->chunks.at[k]->statements.at[j])) list_add(arena, names, library[i]->chunks.at[k]->statements.at[j]->name);
    }
    for (int i = 0; i < DIAG_COUNT; i++) list_add(arena, names, diag_rows[i].name);
    for (int i = 0; i < synonym_row_count; i++) list_add(arena, names, synonym_rows[i].theirs);
    for (int op = 0; op < OP_COUNT; op++)
        if (!(op_row((Op)op)->flags & OP_SOURCE)) list_add(arena, names, op_row((Op)op)->name);
}

static void not_known(Jre *jre, const char *name) {
    int count;
    library_documents(jre, &count);
    if (!count && !module_core(jre)) return;              /* it may be called so: the library, which is missing, would say */
    NameList names = {0};
    all_names(jre, &names);
    Diagnostic *d = diag(jre, DIAG_unknown_name, NOWHERE, "nothing is called `%s`", name);
    const char *near = nearest_name(name, names.at, names.count);
    if (near) diag_help(d, "did you mean `%s`?", near);
    else diag_help(d, "`jre doc` lists what can be asked for");
}

/* Names in lines of at most 100 letters. */
static void list_name(int *column, const char *name) {
    int width = (int)strlen(name) + 1;
    if (*column + width > 100) *column = 0;
    printf("%s%s", *column ? " " : "\n  ", name);
    *column += width;
}

static void contents(Jre *jre, const Manual *manual) {
    if (manual->blocks.count) puts("the manual, in reading order (jre doc 1, jre doc splits):");
    print_contents(manual);
    puts("\nkinds, with their keys (jre doc split, jre doc split.together):");
    for (int kind = 0; kind < KIND_COUNT; kind++) printf("  %-10s %s\n", kind_name((RecordKind)kind), kind_sentence((RecordKind)kind));
    printf("\nwords of the language (jre doc expect):");
    int column = 0;
    for (int i = 0; i < word_row_count; i++) list_name(&column, word_rows[i].word);
    printf("\n\nwords of settings, with their arguments (jre doc balanced):");
    column = 0;
    for (int i = 0; i < place_word_count; i++) {
        bool before = false;
        for (int k = 0; k < i && !before; k++) before = !strcmp(place_words[k].word, place_words[i].word);
        if (!before) list_name(&column, place_words[i].word);
    }
    printf("\n\nchecks and messages (jre doc shape_mismatch):");
    column = 0;
    for (int i = 0; i < DIAG_COUNT; i++) list_name(&column, diag_rows[i].name);
    printf("\n\nmodules of the library, and the names in them (jre doc core, jre doc average_pool):");
    int count;
    Document *const *library = library_documents(jre, &count);
    column = 0;
    for (int i = 0; i < count; i++) list_name(&column, library[i]->source->stem);
    puts("");
    if (!count) module_core(jre);
}

int doc_command(Jre *jre, Options *options) {
    const Manual *manual = manual_read(jre);
    int answers = 0;
    if (options->man) print_man_page(jre, manual);
    else if (!options->names.count) contents(jre, manual);
    for (int i = 0; i < options->names.count; i++)
        if (!doc_name(jre, options, manual, options->names.at[i], &answers)) not_known(jre, options->names.at[i]);
    return report_findings(jre, options);
}
