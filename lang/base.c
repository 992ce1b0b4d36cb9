/* base.c: memory and names.
 *
 * Arenas by lifetime, interned strings, growing lists, maps that keep their order, growing bytes, and the context
 * that holds them. All memory of jre comes through jre_allocate, which can be told to fail (JRE_FAIL_ALLOC=n), so
 * that the paths for "no memory" are run by tests. Contract: no function here returns NULL for lack of memory; the
 * handler of the context is called instead and does not come back. Whatever was under way then is still on the lists of
 * its context: jre_free ends its threads and gives back its memory. */
#include "lang.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- the one door to malloc ------------------------------------------------------------------------------------ */

/* In front of every piece of memory: its place in the list of its context. `from` is what points here; NULL: in no list. */
typedef struct Block Block;
typedef struct Owned Owned;
struct Block { Block *next, **from; void *start; size_t unused; };
struct Owned { Owned *older; void *thing; void (*give_back)(void *thing); };

_Static_assert(sizeof(Block) % 16 == 0, "what follows is as aligned as the system's own");

/* A context beside another one has its memory there, and its handler. */
static Jre *root_of(Jre *jre) { return jre && jre->root ? jre->root : jre; }

Jre *jre_faults(Jre *jre) { return jre->faults ? jre->faults : jre; }

/* Without a handler, before main has set one, the process ends here. */
static _Noreturn void exhausted(Jre *jre, size_t bytes) {
    Jre *root = root_of(jre);
    if (root && root->on_exhaustion) {
        root->exhausted_by = bytes ? bytes : 1;
        root->on_exhaustion(root);
    }
    static const char words[] = "jre: there is not enough memory for this\n";
    ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);
    (void)ignored;
    _Exit(BLAME_LIMIT);
}

bool jre_fails_now(long *countdown) {
    if (__atomic_load_n(countdown, __ATOMIC_RELAXED) <= 0)
        return false;
    return __atomic_sub_fetch(countdown, 1, __ATOMIC_RELAXED) == 0;
}

/* A size nobody has is refused here: a negative count turned into size_t is one. */
static bool refused(Jre *jre, size_t bytes) {
    return bytes > SIZE_MAX / 4 || (jre && jre_fails_now(&jre_faults(jre)->fail_allocation_after));
}

static Block *block_of(void *memory) { return (Block *)memory - 1; }

static void enlist(Jre *jre, Block *block) {
    Jre *root = root_of(jre);
    block->from = root ? &root->blocks : NULL;
    block->next = root ? root->blocks : NULL;
    if (block->next)
        block->next->from = &block->next;
    if (root)
        root->blocks = block;
}

static void delist(Block *block) {
    if (block->from)
        *block->from = block->next;
    if (block->next)
        block->next->from = block->from;
}

/* NULL if there is none. The alignment is a power of two, no less than that of a Block. */
static void *memory_new(Jre *jre, size_t bytes, size_t alignment) {
    size_t front = sizeof(Block) > alignment ? sizeof(Block) : alignment;
    void *start = NULL;
    if (refused(jre, bytes) || posix_memalign(&start, alignment, front + (bytes ? bytes : 1)) != 0)
        return NULL;
    void *memory = (char *)start + front;
    *block_of(memory) = (Block){ .start = start };
    enlist(jre, block_of(memory));
    return memory;
}

void *jre_allocate(Jre *jre, size_t bytes) {
    return jre_allocate_aligned(jre, bytes, sizeof(void *));
}

void *jre_allocate_aligned(Jre *jre, size_t bytes, size_t alignment) {
    void *memory = memory_new(jre, bytes, alignment < 16 ? 16 : alignment);
    if (!memory)
        exhausted(jre, bytes);
    return memory;
}

void *jre_grow(Jre *jre, void *old, size_t bytes) {
    if (!old)
        return jre_allocate(jre, bytes);
    if (refused(jre, bytes))
        exhausted(jre, bytes);
    Block *block = block_of(old), **from = block->from;
    Block *moved = realloc(block->start, sizeof *block + (bytes ? bytes : 1));
    if (!moved)
        exhausted(jre, bytes);
    moved->start = moved;
    if (from)
        *from = moved;
    if (moved->next)
        moved->next->from = &moved->next;
    return moved + 1;
}

void jre_release(void *memory) {
    if (!memory)
        return;
    delist(block_of(memory));
    free(block_of(memory)->start);
}

/* ---- what is no memory --------------------------------------------------------------------------------------------- */

void jre_own(Jre *jre, void *thing, void (*give_back)(void *thing)) {
    Jre *root = root_of(jre);
    Owned *owned = memory_new(jre, sizeof *owned, 16);
    if (!owned) {
        give_back(thing);
        exhausted(jre, sizeof *owned);
    }
    *owned = (Owned){ root->owned, thing, give_back };
    root->owned = owned;
}

void jre_disown(Jre *jre, void *thing) {
    Owned **at = &root_of(jre)->owned;
    while (*at && (*at)->thing != thing)
        at = &(*at)->older;
    Owned *found = *at;
    if (!found)
        return;
    *at = found->older;
    jre_release(found);
}

/* Threads and the like first, the youngest before what it was made with; then memory, in which they were. */
void jre_reclaim(Jre *jre) {
    while (jre->owned) {
        Owned owned = *jre->owned;
        jre_release(jre->owned);
        jre->owned = owned.older;
        owned.give_back(owned.thing);
    }
    while (jre->blocks)
        jre_release(jre->blocks + 1);
}

/* ---- arenas ------------------------------------------------------------------------------------------------------ */

struct ArenaBlock { ArenaBlock *older; size_t size, used; };

enum { ALIGNMENT = 16, HEAD = (sizeof(ArenaBlock) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };
static const size_t smallest_block = 4096, largest_block = (size_t)1 << 20;

static size_t rounded_up(size_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Blocks double, so a thousand small things and a million small things cost few calls each. */
static ArenaBlock *arena_add_block(Arena *arena, size_t bytes) {
    size_t size = arena->newest ? arena->newest->size * 2 : smallest_block;
    if (size > largest_block)
        size = largest_block;
    bool own = bytes > size / 4;
    if (own)
        size = bytes;
    ArenaBlock *block = jre_allocate(arena->jre, HEAD + size);
    *block = (ArenaBlock){ .size = size };
    if (own && arena->newest) {          /* behind the newest: that one still has room for small things */
        block->older = arena->newest->older;
        arena->newest->older = block;
    } else {
        block->older = arena->newest;
        arena->newest = block;
    }
    return block;
}

void *arena_new_bytes(Arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX / 8)
        exhausted(arena->jre, bytes);
    size_t need = rounded_up(bytes ? bytes : 1);
    ArenaBlock *block = arena->newest;
    if (!block || block->size - block->used < need)
        block = arena_add_block(arena, need);
    char *memory = (char *)block + HEAD + block->used;
    block->used += need;
    arena->used_in_total += need;
    memset(memory, 0, need);
    return memory;
}

char *arena_copy(Arena *arena, const char *text, size_t length) {
    char *copy = arena_new_bytes(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

/* How long the printed text will be; 0 if it cannot be printed. */
static size_t printed_length(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = format ? vsnprintf(NULL, 0, format, again) : 0;
    va_end(again);
    return length > 0 ? (size_t)length : 0;
}

char *arena_vprint(Arena *arena, const char *format, va_list arguments) {
    size_t length = printed_length(format, arguments);
    char *text = arena_new_bytes(arena, length + 1);
    vsnprintf(text, length + 1, format, arguments);
    return text;
}

const char *number_word(Arena *arena, int number) {
    static const char *const words[] = {"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
    return number >= 0 && number <= 10 ? words[number] : arena_print(arena, "%d", number);
}

const char *grouped_text(Arena *arena, int64_t count) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)count), first = digits[0] == '-';
    const char *text = arena_print(arena, "%.*s", first + (length - first - 1) % 3 + 1, digits);
    for (int at = first + (length - first - 1) % 3 + 1; at < length; at += 3)
        text = arena_print(arena, "%s,%.3s", text, digits + at);
    return text;
}

char *arena_print(Arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprint(arena, format, arguments);
    va_end(arguments);
    return text;
}

void arena_free(Arena *arena) {
    ArenaBlock *block = arena->newest;
    arena->newest = NULL;
    arena->used_in_total = 0;
    while (block) {
        ArenaBlock *older = block->older;
        jre_release(block);
        block = older;
    }
}

/* `at` is the address of a typed pointer seen as void **: it is copied as bytes, so no rule of aliasing is broken. */
void list_make_room(Arena *arena, void **at, int count, int *room, size_t element) {
    if (count < *room)
        return;
    if (*room > INT_MAX / 2)
        exhausted(arena->jre, SIZE_MAX / 8);
    int wanted = *room ? *room * 2 : 4;
    void *old, *memory = arena_new_bytes(arena, element * (size_t)wanted);
    memcpy(&old, (const void *)at, sizeof old);
    if (count)
        memcpy(memory, old, element * (size_t)count);
    memcpy((void *)at, &memory, sizeof memory);
    *room = wanted;
}

/* ---- maps and interned strings ------------------------------------------------------------------------------------ */

static uint32_t hash_text(const char *text) {
    uint32_t hash = 2166136261u;          /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* The slot that holds the key, or the free one where it belongs. Slots hold an entry's number + 1. */
static uint32_t map_slot(const Map *map, const char *key) {
    uint32_t mask = map->slot_count - 1, slot = hash_text(key) & mask;
    while (map->slots[slot]) {
        const char *here = map->entries[map->slots[slot] - 1].key;
        if (here == key || strcmp(here, key) == 0)
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

void *map_get(const Map *map, const char *key) {
    if (!map || !map->slot_count)
        return NULL;
    uint32_t found = map->slots[map_slot(map, key)];
    return found ? map->entries[found - 1].value : NULL;
}

static void map_widen(Map *map) {
    uint32_t wanted = map->slot_count ? map->slot_count * 2 : 16;
    map->slots = arena_array(map->arena, uint32_t, wanted);
    map->slot_count = wanted;
    for (int i = 0; i < map->count; i++)
        map->slots[map_slot(map, map->entries[i].key)] = (uint32_t)i + 1;
}

void map_set(Map *map, Arena *arena, const char *key, void *value) {
    map->arena = arena;
    if ((uint32_t)map->count * 4 >= map->slot_count * 3)
        map_widen(map);
    uint32_t slot = map_slot(map, key);
    if (map->slots[slot]) {
        map->entries[map->slots[slot] - 1].value = value;
        return;
    }
    list_make_room(arena, (void **)(void *)&map->entries, map->count, &map->room, sizeof *map->entries);
    map->entries[map->count++] = (MapEntry){ key, value };
    map->slots[slot] = (uint32_t)map->count;
}

/* The slot that holds it, or the free one where it belongs. */
static const void **seen_slot(const Seen *seen, const void *thing) {
    uint32_t mask = seen->slot_count - 1, slot = (uint32_t)((uint64_t)(uintptr_t)thing * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (seen->slots[slot] && seen->slots[slot] != thing)
        slot = (slot + 1) & mask;
    return &seen->slots[slot];
}

static void seen_widen(Seen *seen, Arena *arena) {
    const Seen old = *seen;
    seen->slot_count = old.slot_count ? old.slot_count * 2 : 16;
    seen->slots = arena_array(arena, const void *, seen->slot_count);
    for (uint32_t i = 0; i < old.slot_count; i++)
        if (old.slots[i])
            *seen_slot(seen, old.slots[i]) = old.slots[i];
}

bool seen_first(Seen *seen, Arena *arena, const void *thing) {
    if (seen->count * 4 >= seen->slot_count * 3)
        seen_widen(seen, arena);
    const void **slot = seen_slot(seen, thing);
    if (*slot)
        return false;
    *slot = thing;
    seen->count++;
    return true;
}

const char *intern(Jre *jre, const char *text) {
    const char *known = map_get(jre->names, text);
    if (known)
        return known;
    char *copy = arena_copy(&jre->forever, text, strlen(text));
    map_set(jre->names, &jre->forever, copy, copy);
    return copy;
}

/* A text ends at its first NUL: two names that print alike are one name. */
const char *intern_length(Jre *jre, const char *text, size_t length) {
    char small[128];
    length = strnlen(text, length);
    if (length < sizeof small) {
        memcpy(small, text, length);
        small[length] = 0;
        return intern(jre, small);
    }
    char *large = jre_allocate(jre, length + 1);
    memcpy(large, text, length);
    large[length] = 0;
    const char *name = intern(jre, large);
    jre_release(large);
    return name;
}

/* ---- did you mean ------------------------------------------------------------------------------------------------- */

enum { LONGEST_GUESSED = 64 };

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* Edits from a to b, two letters swapped being one edit. Both are at most LONGEST_GUESSED long. */
static int edit_distance(const char *a, int a_length, const char *b, int b_length) {
    int rows[3][LONGEST_GUESSED + 1];
    int *before = rows[0], *last = rows[1], *now = rows[2];
    for (int j = 0; j <= b_length; j++)
        last[j] = j, before[j] = 0;
    for (int i = 1; i <= a_length; i++) {
        now[0] = i;
        for (int j = 1; j <= b_length; j++) {
            now[j] = smaller(last[j - 1] + (a[i - 1] != b[j - 1]), smaller(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_length];
}

/* FAR for what nobody would take for the other. */
enum { FAR = 3 };

static int distance_between(const char *text, const char *name) {
    size_t length = strlen(text), other = strlen(name);
    if (strcasecmp(text, name) == 0)
        return 0;
    if (length > LONGEST_GUESSED || other > LONGEST_GUESSED || other + FAR <= length || length + FAR <= other)
        return FAR;
    int distance = edit_distance(text, (int)length, name, (int)other);
    return distance < smaller(FAR, (int)length / 3 + 1) ? distance : FAR;
}

const char *nearest_name(const char *text, const char *const *candidates, int count) {
    int best = FAR;
    const char *nearest = NULL;
    for (int i = 0; i < count && best; i++) {
        int distance = distance_between(text, candidates[i]);
        if (distance >= best)
            continue;
        best = distance;
        nearest = candidates[i];
    }
    return nearest;
}

/* Do the digits of two names agree, or all but their digits? rank1 and rank5 are names of one thing each. */
static bool agree(const char *a, const char *b, bool in_digits) {
    for (;; a++, b++) {
        while (*a && !isdigit((unsigned char)*a) == in_digits)
            a++;
        while (*b && !isdigit((unsigned char)*b) == in_digits)
            b++;
        if (*a != *b)
            return false;
        if (!*a)
            return true;
    }
}

/* A letter too many, too few, or two swapped; in a word of some length also another letter. */
static bool slip_of_the_pen(const char *text, const char *name, int distance) {
    enum { SHORT = 4, LONG = 6 };
    size_t length = strlen(text), other = strlen(name);
    bool swapped = length == other;
    int counts[256] = { 0 };
    for (size_t i = 0; swapped && i < length; i++)
        counts[(unsigned char)text[i]]++, counts[(unsigned char)name[i]]--;
    for (int i = 0; i < 256; i++)
        swapped = swapped && !counts[i];
    return distance == 0 || (distance == 1 && (length > other ? length : other) >= (length != other || swapped ? SHORT : LONG));
}

NearNames near_names(const char *text, const char *const *candidates, int count) {
    NearNames near = { .count = 0 };
    const char *nearest = nearest_name(text, candidates, count);
    if (!nearest)
        return near;
    int best = distance_between(text, nearest);
    bool digits = agree(text, nearest, true), family = !digits && agree(text, nearest, false);
    for (int i = 0; i < count && near.count < NEAR_NAMES; i++) {
        bool listed = family ? agree(text, candidates[i], false) : distance_between(text, candidates[i]) == best;
        for (int k = 0; k < near.count; k++)
            listed = listed && strcmp(near.at[k], candidates[i]) != 0;
        if (listed)
            near.at[near.count++] = candidates[i];
    }
    near.sure = near.count == 1 && digits && slip_of_the_pen(text, nearest, best);
    return near;
}

/* ---- bytes that grow ------------------------------------------------------------------------------------------------ */

static void text_make_room(Text *text, size_t more) {
    if (more > SIZE_MAX / 8 || text->length > SIZE_MAX / 8)
        exhausted(text->jre, more);
    size_t need = text->length + more + 1;
    if (need <= text->room)
        return;
    size_t room = text->room * 2 > need ? text->room * 2 : need + 64;
    text->at = jre_grow(text->jre, text->at, room);
    text->room = room;
}

void text_add(Text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = printed_length(format, arguments);
    text_make_room(text, length);
    vsnprintf(text->at + text->length, length + 1, format, arguments);
    text->length += length;
    va_end(arguments);
}

void text_add_bytes(Text *text, const char *bytes, size_t length) {
    text_make_room(text, length);
    if (length)
        memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = 0;
}

int columns_between(const char *at, const char *end) {
    int columns = 0;
    for (; at < end; at++)
        columns += ((unsigned char)*at & 0xC0) != 0x80;
    return columns;
}

/* Blanks stay as they are, but for those at which a line is broken. */
void text_fold(Text *text, size_t from, int indent) {
    enum { COLUMNS = 80 };
    if (text->length <= from)
        return;
    Text lines = {.jre = text->jre};
    text_add_bytes(&lines, text->at + from, text->length - from);
    text->length = from;
    int column = 0;
    for (const char *at = lines.at; *at;) {
        const char *word = at + strspn(at, " "), *end = word + strcspn(word, " \n");
        const int width = columns_between(word, end);
        if (end > word && column > indent && column + (int)(word - at) + width > COLUMNS) {
            text_add(text, "\n%*s", indent, "");
            column = indent;
            at = word;
        }
        text_add_bytes(text, at, (size_t)(end - at));
        column += (int)(word - at) + width;
        at = end;
        if (*at != '\n')
            continue;
        text_add_bytes(text, at++, 1);
        column = 0;
    }
    text_free(&lines);
}

size_t utf8_length(const char *at, const char *end) {
    unsigned char first = (unsigned char)*at;
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (!length || (size_t)(end - at) < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)at[i] & 0xC0) != 0x80)
            return 0;
    unsigned char second = length > 1 ? (unsigned char)at[1] : 0;
    bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)      /* overlong; surrogates */
                 || (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return wrong ? 0 : length;
}

size_t text_add_character(Text *out, const char *at, const char *end) {
    size_t length = utf8_length(at, end);
    unsigned char byte = (unsigned char)*at;
    bool control = byte < 0x20 || byte == 0x7F || (byte == 0xC2 && length == 2 && (unsigned char)at[1] < 0xA0);
    if (byte == '\t')
        text_add_bytes(out, " ", 1);
    else if (!length || control)
        text_add_bytes(out, "?", 1);
    else
        text_add_bytes(out, at, length);
    return length ? length : 1;
}

void json_text(Text *out, const char *text) {
    text = text ? text : "";
    const char *end = text + strlen(text);
    text_add_bytes(out, "\"", 1);
    while (text < end) {
        size_t length = utf8_length(text, end);
        if (!length)
            text_add_bytes(out, "\xEF\xBF\xBD", 3);          /* the replacement character: JSON must be UTF-8 */
        else if (*text == '"' || *text == '\\')
            text_add(out, "\\%c", *text);
        else if (*text == '\n')
            text_add_bytes(out, "\\n", 2);
        else if ((unsigned char)*text < 0x20)
            text_add(out, "\\u%04x", (unsigned)*text);
        else
            text_add_bytes(out, text, length);
        text += length ? length : 1;
    }
    text_add_bytes(out, "\"", 1);
}

void json_member(Text *out, const char *name, const char *text) {
    const bool first = out->length && out->at[out->length - 1] == '{';
    text_add(out, "%s\"%s\": ", first ? "" : ", ", name);
    json_text(out, text);
}

void text_free(Text *text) {
    jre_release(text->at);
    *text = (Text){ .jre = text->jre };
}

/* ---- the context ------------------------------------------------------------------------------------------------------ */

static long countdown_of(const char *variable) {
    const char *text = getenv(variable);
    long count = text ? strtol(text, NULL, 10) : 0;
    return count > 0 ? count : 0;
}

/* The library lies beside the program, one or two folders up (a build folder), or where `make install` puts it. */
static const char *find_stdlib(Jre *jre) {
    const char *given = getenv("JRE_STDLIB");
    if (given && *given)
        return intern(jre, given);
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = 0;
    static const char *const places[] = { "stdlib", "../stdlib", "../../stdlib", "../share/jre/stdlib" };
    const char *first = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *folder = arena_print(&jre->forever, "%s/%s", program, places[i]);
        if (access(arena_print(&jre->forever, "%s/core.jre", folder), R_OK) == 0)
            return folder;
        first = first ? first : folder;
    }
    return first;
}

static void context_begin(Jre *jre) {
    jre->forever = (Arena){ .jre = jre };
    jre->names = arena_new(&jre->forever, Map);
    jre->modules = arena_new(&jre->forever, Map);
    jre->next_base = 1;                    /* place 0 is nowhere */
}

Jre *jre_new(void) {
    Jre *jre = calloc(1, sizeof *jre);
    if (!jre)
        return NULL;
    context_begin(jre);
    jre->stdlib = find_stdlib(jre);
    const char *weights = getenv("JRE_WEIGHTS");
    jre->weights_path = weights && *weights ? intern(jre, weights) : NULL;
    jre->fail_read_after = countdown_of("JRE_FAIL_READ");
    jre->fail_write_after = countdown_of("JRE_FAIL_WRITE");
    jre->fail_allocation_after = countdown_of("JRE_FAIL_ALLOC");   /* last: the caller sets a handler next */
    return jre;
}

Jre *jre_aside(Jre *jre) {
    Jre *aside = jre_allocate(jre, sizeof *aside);
    memset(aside, 0, sizeof *aside);
    aside->root = root_of(jre);
    aside->faults = jre_faults(jre);
    aside->stdlib = jre->stdlib;
    context_begin(aside);
    return aside;
}

void jre_free(Jre *jre) {
    if (!jre)
        return;
    if (jre->exhausted_by) {
        jre_reclaim(jre);
        jre->forever.newest = NULL;
    }
    arena_free(&jre->forever);
    for (Block *block = jre->blocks, *next; block; block = next) {     /* handed out for good: whoever has one gives it back */
        next = block->next;
        block->next = NULL;
        block->from = NULL;
    }
    if (jre->root)
        jre_release(jre);
    else
        free(jre);
}
