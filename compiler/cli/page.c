/* page.c: blocks of the manual as text for a terminal, and all of them as a page of man(1).
 *
 * The messages of the chunks `wrong` stand nowhere: where one is shown, jre is asked. */
#include "cli.h"

#include <string.h>

static int length_of(const Block *block) { return (int)(block->end - block->begin); }

/* A chunk that must be refused: the check, or NULL. */
static const char *refused_with(const Block *block) { return block->kind == BLOCK_CODE && !strncmp(block->fence, "jre wrong ", 10) ? block->fence + 10 : NULL; }

/* ---- what jre says of a chunk -------------------------------------------------------------------------------------- */

static const Chunk *chunk_at(const Document *document, uint32_t offset) {
    for (int i = 0; i < document->chunks.count; i++) {
        Span span = document->chunks.at[i]->span;
        if (span.start <= document->source->base + offset && document->source->base + offset < span.end) return document->chunks.at[i];
    }
    return NULL;
}

/* What is found in the manual is no mistake of whoever reads it. */
static void print_refusal(Jre *jre, const Options *options, const Block *block) {
    Session *session = session_open(jre, &options->run);
    const Module *chapter = session ? module_load(jre, block->chapter->path) : NULL;
    const Chunk *chunk = chapter ? chunk_at(chapter->document, (uint32_t)(block->opened - block->chapter->bytes)) : NULL;
    TestResult result = {0};
    if (chunk) {
        const Facts facts = session_facts(session);
        for (int i = 0; i < jre->sources.count; i++) {                 /* of the manual its file says enough, wherever it lies */
            Source *source = jre->sources.at[i];
            if (!strcmp(source->folder, block->chapter->folder)) source->name = intern(jre, arena_print(&jre->forever, "%s.jre", source->stem));
        }
        test_chunk(jre, chapter, chunk, block->chapter->path, &facts, &result);
    }
    jre->diagnostics.count = 0;
    for (int i = 0; i < result.findings.count; i++) list_add(&jre->forever, &jre->diagnostics, result.findings.at[i]);
    diag_print_all(jre, stdout, false, options->run.colors);
    if (session) session_close(session);
}

/* ---- on a terminal --------------------------------------------------------------------------------------------------- */

static void print_lines(const char *at, const char *end, const char *indent) {
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        if (stop > at) printf("%s%.*s", indent, (int)(stop - at), at);
        puts("");
        at = stop + 1;
    }
}

/* Words as wide as a terminal, however they are broken in the document. */
static void print_words(Jre *jre, const Block *block, const char *mark, int indent) {
    Text text = {.jre = jre};
    text_add(&text, "%s", mark);
    for (const char *at = block->begin; at < block->end; at++) {
        const bool broken = *at == '\n';
        if (broken) at += strspn(at, "\n ") - 1;
        text_add(&text, "%c", broken ? ' ' : *at);
    }
    text_fold(&text, 0, indent);
    puts(text.at);
    text_free(&text);
}

static void print_code(Jre *jre, const Options *options, const Block *block) {
    const char *check = refused_with(block);
    print_lines(block->begin, block->end, "      ");
    if (!check) return;
    printf("\n  is refused:\n\n");
    print_refusal(jre, options, block);
}

static void print_block(Jre *jre, const Options *options, const Block *block) {
    switch (block->kind) {
    case BLOCK_HEADING: printf("%.*s\n", length_of(block), block->begin); break;
    case BLOCK_ITEM: print_words(jre, block, "  - ", 4); break;
    case BLOCK_ROW: print_words(jre, block, "  | ", 6); break;
    case BLOCK_CODE: print_code(jre, options, block); break;
    default: print_words(jre, block, "  ", 2); break;
    }
}

/* Rows of one table, and items of one list, stand together. */
static bool belongs_behind(const Block *before, const Block *block) { return before->kind == block->kind && (block->kind == BLOCK_ROW || block->kind == BLOCK_ITEM); }

void print_place(Jre *jre, const Options *options, const Manual *manual, int place) {
    const int end = manual_place_end(manual, place);
    for (int i = place; i < end; i++) {
        if (i > place && !belongs_behind(&manual->blocks.at[i - 1], &manual->blocks.at[i])) puts("");
        print_block(jre, options, &manual->blocks.at[i]);
    }
}

void print_contents(const Manual *manual) {
    for (int i = 0; i < manual->blocks.count; i++) {
        const Block *block = &manual->blocks.at[i];
        if (block->kind != BLOCK_HEADING || block->level > 2) continue;
        if (block->level == 1) printf("  %-24s %.*s\n", block->chapter->stem, length_of(block), block->begin);
        else printf("  %-24s   %.*s\n", "", length_of(block), block->begin);
    }
}

/* ---- for man(1) --------------------------------------------------------------------------------------------------------- */

typedef struct { bool code, bold, line_begins; } ManState;

static void man_letter(char letter, ManState *state) {
    if (state->line_begins && (letter == '.' || letter == '\'')) printf("\\&");
    if (letter == '\\') printf("\\e");
    else if (letter == '-' && state->code) printf("\\-");
    else putchar(letter);
    state->line_begins = letter == '\n';
}

/* `code` is bold, *stressed* is italic; of a [word](link) the word stays. */
static void man_words(const char *at, const char *end) {
    ManState state = {.line_begins = true};
    for (; at < end; at++) {
        const char *close = !state.code && *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;
        bool link = close && close + 1 < end && close[1] == '(' && memchr(close, ')', (size_t)(end - close));
        if (*at == '`') {
            state.code = !state.code;
            printf(state.code ? "\\fB" : "\\fP");
            state.line_begins = false;
        } else if (*at == '*' && !state.code) {
            while (at + 1 < end && at[1] == '*') at++;
            state.bold = !state.bold;
            printf(state.bold ? "\\fI" : "\\fP");
            state.line_begins = false;
        } else if (link) {
            for (at++; at < close; at++) man_letter(*at, &state);
            at = memchr(close, ')', (size_t)(end - close));
        } else if (!state.line_begins || *at != ' ') {
            man_letter(*at, &state);
        }
    }
    puts("");
}

static void man_code(const Block *block) {
    const char *check = refused_with(block);
    ManState state = {.code = true, .line_begins = true};
    if (check) printf(".PP\nRefused with \\fB%s\\fR:\n", check);
    puts(".PP\n.RS 4\n.nf");
    for (const char *at = block->begin; at < block->end; at++) man_letter(*at, &state);
    puts(".fi\n.RE");
}

/* The first cell is what is told of, the others tell it. */
static void man_row(const Block *block) {
    const char *at = block->begin;
    for (int cell = 0; at < block->end; cell++) {
        const char *bar = at;
        bool code = false;
        while (bar < block->end && (code || *bar != '|')) code ^= *bar++ == '`';
        const char *stop = bar;
        while (stop > at && stop[-1] == ' ') stop--;
        if (!cell) puts(".TP");
        if (stop > at) man_words(at, stop);
        at = bar + 1;
    }
}

static void man_block(const Block *block) {
    switch (block->kind) {
    case BLOCK_HEADING: puts(block->level == 1 ? ".SH" : block->level == 2 ? ".SS" : ".PP\n.B"); break;
    case BLOCK_ITEM: puts(".IP \\(bu 2"); break;
    case BLOCK_ROW:
        if (!block->head) man_row(block);
        return;
    case BLOCK_CODE: man_code(block); return;
    default: puts(".PP"); break;
    }
    man_words(block->begin, block->end);
}

void print_man_page(Jre *jre, const Manual *manual) {
    if (!manual->blocks.count) {
        Diagnostic *d = diag(jre, DIAG_file_missing, NOWHERE, "the manual is not beside the library, `%s`", jre->stdlib ? jre->stdlib : "");
        diag_help(d, "`make install` puts both where they are found");
        return;
    }
    puts(".TH JRE 1 \"\" \"jre\" \"the Jaguar Re-ID Engine\"\n.SH NAME\njre \\- from photographs of animals to who is who\n.SH SYNOPSIS");
    for (int i = 0; i < command_count; i++) {
        printf(".B jre %s\n", commands[i].name);
        if (*commands[i].arguments) man_words(commands[i].arguments, commands[i].arguments + strlen(commands[i].arguments));
        if (i + 1 < command_count) puts(".br");
    }
    for (int i = 0; i < manual->blocks.count; i++) man_block(&manual->blocks.at[i]);
}
