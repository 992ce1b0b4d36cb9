/* manual.c: the manual, a list of blocks, and where in it each name has its place.
 *
 * Its chapters are the documents of examples/manual in the order of their names; installed, they lie beside the library. A name has its
 * place where a block begins with it in code font, alone or with others:
 *
 *   ## `split`: who is on which side     a section, up to the next heading of its level
 *   `folds`, `shares`: how many ..       a paragraph, and the code directly below it; an item of a list; a row of a table
 *
 * The text behind a name in the same code, its arguments, does not count: `balanced(identities, images)`. */
#include "cli.h"

#include <string.h>

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

typedef struct { const char *begin, *end; int indent; } TextLine;

/* Without its newline; `indent`: blanks in front. */
static TextLine line_at(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    TextLine line = {at, newline ? newline : end, 0};
    while (line.begin + line.indent < line.end && line.begin[line.indent] == ' ') line.indent++;
    return line;
}

static const char *next_line(const TextLine *line, const char *end) { return line->end < end ? line->end + 1 : end; }

/* Backticks that open or close a fence; 0 if these are not at least three. */
static int fence_ticks(const TextLine *line) {
    int ticks = 0;
    for (const char *at = line->begin + line->indent; at < line->end && *at == '`'; at++) ticks++;
    return line->indent < 4 && ticks >= 3 ? ticks : 0;
}

/* What a line begins; anything else is a paragraph, or goes on with one. */
static BlockKind kind_of(const TextLine *line, int *level) {
    const char *at = line->begin + line->indent, *end = line->end;
    *level = 0;
    if (at == end) return BLOCK_COUNT;
    if (fence_ticks(line)) return BLOCK_CODE;
    while (at + *level < end && at[*level] == '#') ++*level;
    if (*level && at + *level < end && at[*level] == ' ') return BLOCK_HEADING;
    if (*at == '|') return BLOCK_ROW;
    return (*at == '-' || *at == '*') && at + 1 < end && at[1] == ' ' ? BLOCK_ITEM : BLOCK_PARAGRAPH;
}

/* |---|---| */
static bool is_rule(const TextLine *line) {
    for (const char *at = line->begin; at < line->end; at++)
        if (!strchr("|-: ", *at)) return false;
    return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* `a(..)`, `b` and `c`: those with which a block begins. */
static void read_names(Jre *jre, Block *block) {
    const char *at = block->begin, *end = block->end;
    while (at < end && *at == '`') {
        const char *close = memchr(at + 1, '`', (size_t)(end - at - 1));
        if (!close) return;
        size_t length = strcspn(at + 1, " ([{`"), all = (size_t)(close - at - 1);
        if (!length || length > all) length = all;
        list_add(&jre->forever, &block->names, intern_length(jre, at + 1, length));
        static const char *const joints[] = {", ", ",\n", " and ", " or "};
        at = close + 1;
        for (int i = 0; i < 4; i++) {
            size_t joint = strlen(joints[i]);
            if ((size_t)(end - at) <= joint || strncmp(at, joints[i], joint) != 0) continue;
            at += joint;
            break;
        }
    }
}

bool block_names(const Block *block, const char *name) {
    for (int i = 0; i < block->names.count; i++)
        if (!strcmp(block->names.at[i], name)) return true;
    return false;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------ */

static void add_block(Jre *jre, Manual *manual, const Source *chapter, Block block) {
    block.chapter = chapter;
    if (block.kind == BLOCK_HEADING) block.begin += strspn(block.begin, "#");
    if (block.kind == BLOCK_ITEM || block.kind == BLOCK_ROW) block.begin++;
    if (block.kind != BLOCK_CODE) {
        while (block.begin < block.end && *block.begin == ' ') block.begin++;
        read_names(jre, &block);
    }
    list_add(&jre->forever, &manual->blocks, block);
}

/* Up to the fence that closes it; what stands behind the backticks that opened it is its `fence`. */
static const char *read_code(Jre *jre, Manual *manual, const Source *chapter, TextLine open, const char *end) {
    const int ticks = fence_ticks(&open);
    const char *word = open.begin + open.indent + ticks, *begin = next_line(&open, end);
    TextLine line = {begin, begin, 0};
    for (const char *at = begin; at < end; at = next_line(&line, end)) {
        line = line_at(at, end);
        if (fence_ticks(&line) >= ticks) break;
    }
    add_block(jre, manual, chapter, (Block){.kind = BLOCK_CODE, .begin = begin, .end = line.begin, .opened = open.begin, .fence = intern_length(jre, word, (size_t)(open.end - word))});
    return next_line(&line, end);
}

/* The lines that go on with a paragraph or an item. */
static const char *end_of_block(TextLine line, BlockKind kind, const char *end) {
    int level;
    for (const char *at = next_line(&line, end); at < end && kind != BLOCK_HEADING && kind != BLOCK_ROW; at = next_line(&line, end)) {
        TextLine next = line_at(at, end);
        if (kind_of(&next, &level) != BLOCK_PARAGRAPH) break;
        line = next;
    }
    return line.end;
}

static void read_chapter(Jre *jre, Manual *manual, const Source *chapter) {
    const char *end = chapter->bytes + chapter->length;
    for (const char *at = chapter->bytes; at < end;) {
        TextLine line = line_at(at, end);
        int level;
        BlockKind kind = kind_of(&line, &level);
        if (kind == BLOCK_CODE) {
            at = read_code(jre, manual, chapter, line, end);
            continue;
        }
        Block block = {.kind = kind, .level = level, .begin = line.begin + line.indent};
        block.end = kind == BLOCK_COUNT ? line.end : end_of_block(line, kind, end);
        bool rule = kind == BLOCK_ROW && is_rule(&line);
        if (rule && manual->blocks.count) manual->blocks.at[manual->blocks.count - 1].head = true;
        if (kind != BLOCK_COUNT && !rule) add_block(jre, manual, chapter, block);
        at = block.end < end ? block.end + 1 : end;
    }
}

static bool read_folder(Jre *jre, Manual *manual, const char *folder) {
    NameList names = {0};
    if (!folder_names(&jre->forever, folder, &names)) return false;
    const int findings = jre->diagnostics.count;
    for (int i = 0; i < names.count; i++) {
        size_t length = strlen(names.at[i]);
        if (length < 5 || strcmp(names.at[i] + length - 4, ".jre") != 0) continue;
        const Source *chapter = source_read(jre, arena_print(&jre->forever, "%s/%s", folder, names.at[i]), NOWHERE);
        if (chapter) read_chapter(jre, manual, chapter);
    }
    jre->diagnostics.count = findings;
    return manual->blocks.count > 0;
}

const Manual *manual_read(Jre *jre) {
    static const char *const places[] = {"../examples/manual", "../manual"};
    Manual *manual = arena_new(&jre->forever, Manual);
    for (int i = 0; i < 2 && jre->stdlib; i++)
        if (read_folder(jre, manual, arena_print(&jre->forever, "%s/%s", jre->stdlib, places[i]))) break;
    return manual;
}

/* ---- places ------------------------------------------------------------------------------------------------------------- */

int manual_section_end(const Manual *manual, int heading) {
    const Block *first = &manual->blocks.at[heading];
    for (int i = heading + 1; i < manual->blocks.count; i++) {
        const Block *block = &manual->blocks.at[i];
        if (block->chapter != first->chapter || (block->kind == BLOCK_HEADING && block->level <= first->level)) return i;
    }
    return manual->blocks.count;
}

int manual_place(const Manual *manual, const char *section, const char *name, int from) {
    int end = -1;                                             /* of the section that is being gone through */
    for (int i = 0; i < manual->blocks.count; i++) {
        const Block *block = &manual->blocks.at[i];
        if (section && block->kind == BLOCK_HEADING && i >= end && block_names(block, section)) end = manual_section_end(manual, i);
        else if (i >= from && (!section || i < end) && block_names(block, name)) return i;
    }
    return -1;
}

int manual_place_end(const Manual *manual, int place) {
    const Block *block = &manual->blocks.at[place];
    if (block->kind == BLOCK_HEADING) return manual_section_end(manual, place);
    int end = place + 1;
    while (block->kind == BLOCK_PARAGRAPH && end < manual->blocks.count && manual->blocks.at[end].kind == BLOCK_CODE && manual->blocks.at[end].chapter == block->chapter) end++;
    return end;
}

const Block *manual_refusal(const Manual *manual, const char *check) {
    for (int i = 0; i < manual->blocks.count; i++) {
        const Block *block = &manual->blocks.at[i];
        if (block->kind == BLOCK_CODE && !strncmp(block->fence, "jre wrong ", 10) && !strcmp(block->fence + 10, check)) return block;
    }
    return NULL;
}
