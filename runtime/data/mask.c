/* mask.c: where the animal is (DEFINITIONS 5.11).
 *
 * In: a cell of a table, a PNG, or the picture's own transparency. Out: one channel of the picture's size, 255 where the animal is, 0
 * elsewhere (of a transparency: as much as there is). A cell holds COCO's run lengths, {"size": [h, w], "counts": ...}, written as JSON
 * or as Python prints a dict, or a list of rows. Runs go down the columns, beginning with one outside; the compressed string holds five
 * bits a character, and from the fourth run on what a run differs by from the second before it.
 *
 * Cells are hostile: they are read, never evaluated; the size they claim is held against the picture's before anything is laid out;
 * the work is one look at each character and one at each pixel. */
#include "../runtime.h"

#include <ctype.h>
#include <string.h>

enum { WHY_BYTES = 256 };

static const uint8_t inside_value = 255;

/* ---- reading ------------------------------------------------------------------------------------------------------------------------ */

typedef struct { const char *start, *at; int width, height; char *why; } Reader;

static void skip_blanks(Reader *reader) {
    while (*reader->at && isspace((unsigned char)*reader->at)) reader->at++;
}

/* The sign, if it stands here. */
static bool take(Reader *reader, char sign) {
    skip_blanks(reader);
    if (*reader->at != sign) return false;
    reader->at++;
    return true;
}

/* Says what stands here instead of what was expected. */
static bool expected(Reader *reader, const char *what) {
    skip_blanks(reader);
    int length = 0;
    while (length < 16 && reader->at[length] && (unsigned char)reader->at[length] >= ' ') length++;
    if (!*reader->at) snprintf(reader->why, WHY_BYTES, "I expected %s, and the mask ends there", what);
    else snprintf(reader->why, WHY_BYTES, "I expected %s at character %td, I found `%.*s`", what, reader->at - reader->start + 1, length, reader->at);
    return false;
}

static bool read_number(Reader *reader, int64_t *number) {
    static const int64_t most = INT64_C(1) << 40;
    bool negative = take(reader, '-');
    if (!isdigit((unsigned char)*reader->at)) return expected(reader, "a whole number");
    for (*number = 0; isdigit((unsigned char)*reader->at); reader->at++)
        if (*number < most) *number = 10 * *number + (*reader->at - '0');
    if (*reader->at == '.' || *reader->at == 'e' || *reader->at == 'E') return expected(reader, "a whole number to end");
    if (negative) *number = -*number;
    return true;
}

static bool take_word(Reader *reader, const char *word) {
    size_t length = strlen(word);
    skip_blanks(reader);
    if (strncmp(reader->at, word, length) != 0 || isalnum((unsigned char)reader->at[length])) return false;
    reader->at += length;
    return true;
}

/* A text of JSON or Python: its inside as it stands, and behind it. */
typedef struct { const char *from, *end; } Quoted;

static bool read_text(Reader *reader, Quoted *text) {
    skip_blanks(reader);
    if (*reader->at == 'b' && (reader->at[1] == '\'' || reader->at[1] == '"')) reader->at++;
    char quote = *reader->at;
    if (quote != '"' && quote != '\'') return expected(reader, "a text in quotes");
    text->from = ++reader->at;
    while (*reader->at && *reader->at != quote) reader->at += reader->at[0] == '\\' && reader->at[1] ? 2 : 1;
    if (!*reader->at) return expected(reader, "the quote that closes a text");
    text->end = reader->at++;
    return true;
}

static bool text_is(const Quoted *text, const char *word) { return (size_t)(text->end - text->from) == strlen(word) && !memcmp(text->from, word, strlen(word)); }

/* Over a value of no interest: a number, a word, a text, a list of such. */
static bool skip_value(Reader *reader) {
    int open = 0;
    Quoted text;
    do {
        skip_blanks(reader);
        char sign = *reader->at;
        if (!sign) return expected(reader, "a value");
        if (sign == '[' || sign == '(' || sign == '{') open++;
        if (sign == ']' || sign == ')' || sign == '}') open--;
        if (sign == '"' || sign == '\'') {
            if (!read_text(reader, &text)) return false;
        } else {
            reader->at++;
        }
        skip_blanks(reader);
    } while (open > 0 || (*reader->at != ',' && *reader->at != '}'));
    return open == 0 || expected(reader, "a value");
}

/* ---- run lengths -------------------------------------------------------------------------------------------------------------------- */

/* Where the runs have come to. */
typedef struct { Image *mask; int64_t at, total, inside; int runs; } Runs;

static bool add_run(Reader *reader, Runs *runs, int64_t length) {
    if (length < 0) {
        snprintf(reader->why, WHY_BYTES, "its run %d is %lld pixels long, and a length is at least 0", runs->runs + 1, (long long)length);
        return false;
    }
    if (length > runs->total - runs->at) {
        snprintf(reader->why, WHY_BYTES, "its runs are longer than the %lld pixels of %d x %d; run %d is one too many", (long long)runs->total, reader->width, reader->height,
                 runs->runs + 1);
        return false;
    }
    if (runs->runs & 1) {
        for (int64_t i = runs->at; i < runs->at + length && runs->mask; i++)
            runs->mask->pixels[i % reader->height * reader->width + i / reader->height] = inside_value;
        runs->inside += length;
    }
    runs->at += length;
    runs->runs++;
    return true;
}

static bool read_plain_counts(Reader *reader, Runs *runs) {
    int64_t length;
    if (!take(reader, '[')) return expected(reader, "a list of run lengths");
    if (take(reader, ']')) return true;
    do {
        if (!read_number(reader, &length) || !add_run(reader, runs, length)) return false;
    } while (take(reader, ','));
    return take(reader, ']') || expected(reader, "a comma or the end of the list");
}

/* The next character of a quoted text. False: it is escaped in a way that no mask has. */
static bool next_character(const char **at, const Quoted *text, char *character) {
    *character = *(*at)++;
    if (*character != '\\') return true;
    if (*at == text->end || !strchr("\\\"'/", **at)) return false;
    *character = *(*at)++;
    return true;
}

/* One number: five bits a character, lowest first, and a sign. */
static bool read_compressed_number(Reader *reader, const Quoted *text, const char **at, int run, int64_t *number) {
    enum { FIVE_BITS = 0x1f, GOES_ON = 0x20, NEGATIVE = 0x10, FIRST = '0', LAST = FIRST + 63, MOST_BITS = 40 };
    char character = 0;
    int bits = 0;
    *number = 0;
    do {
        if (*at == text->end) {
            snprintf(reader->why, WHY_BYTES, "its compressed run %d is cut off", run);
            return false;
        }
        if (!next_character(at, text, &character) || character < FIRST || character > LAST || bits >= MOST_BITS) {
            snprintf(reader->why, WHY_BYTES, "character %td of its compressed runs, `%.1s`, cannot stand there", *at - text->from, *at - 1);
            return false;
        }
        *number |= (int64_t)((character - FIRST) & FIVE_BITS) << bits;
        bits += 5;
    } while ((character - FIRST) & GOES_ON);
    if ((character - FIRST) & NEGATIVE) *number -= INT64_C(1) << bits;
    return true;
}

static bool read_compressed_counts(Reader *reader, Runs *runs) {
    Quoted text;
    if (!read_text(reader, &text)) return false;
    int64_t before = 0, second_before = 0;
    for (const char *at = text.from; at < text.end;) {
        int64_t length;
        if (!read_compressed_number(reader, &text, &at, runs->runs + 1, &length)) return false;
        if (runs->runs > 2) length += second_before;
        if (!add_run(reader, runs, length)) return false;
        second_before = before;
        before = length;
    }
    return true;
}

/* ---- what a cell may hold ---------------------------------------------------------------------------------------------------------- */

static bool read_size(Reader *reader) {
    int64_t height, width;
    bool open = take(reader, '[') || take(reader, '(');
    if (!open) return expected(reader, "the size as [height, width]");
    if (!read_number(reader, &height)) return false;
    if (!take(reader, ',')) return expected(reader, "a comma and the width");
    if (!read_number(reader, &width)) return false;
    if (!take(reader, ']') && !take(reader, ')')) return expected(reader, "the end of the size");
    if (width == reader->width && height == reader->height) return true;
    snprintf(reader->why, WHY_BYTES, "its size is [%lld, %lld], height first; the picture's is [%d, %d]", (long long)height, (long long)width, reader->height, reader->width);
    return false;
}

/* {"size": [h, w], "counts": ...} in either order; other entries are of no interest. */
static bool read_run_lengths(Reader *reader, Runs *runs) {
    const char *counts = NULL;
    bool sized = false;
    while (!take(reader, '}')) {
        Quoted key;
        if (!read_text(reader, &key)) return false;
        if (!take(reader, ':')) return expected(reader, "a colon behind the name of an entry");
        bool size = text_is(&key, "size"), count = text_is(&key, "counts");
        if ((size && sized) || (count && counts)) {
            snprintf(reader->why, WHY_BYTES, "it has two entries `%s`", size ? "size" : "counts");
            return false;
        }
        skip_blanks(reader);
        if (count) counts = reader->at;
        if (!(size ? read_size(reader) : skip_value(reader))) return false;
        sized |= size;
        if (!take(reader, ',') && *reader->at != '}') return expected(reader, "a comma or the closing brace");
    }
    if (!sized || !counts) {
        snprintf(reader->why, WHY_BYTES, "it has no entry `%s`; run lengths are written as {\"size\": [height, width], \"counts\": ..}", sized ? "counts" : "size");
        return false;
    }
    const char *behind = reader->at;
    reader->at = counts;
    bool sound = *counts == '[' ? read_plain_counts(reader, runs) : read_compressed_counts(reader, runs);
    if (!sound) return false;
    reader->at = behind;
    if (runs->at == runs->total) return true;
    snprintf(reader->why, WHY_BYTES, "its %d runs cover %lld pixels, and %d x %d are %lld", runs->runs, (long long)runs->at, reader->width, reader->height, (long long)runs->total);
    return false;
}

static bool read_row(Reader *reader, uint8_t *row, int *length, int64_t *inside) {
    *length = 0;
    if (!take(reader, '[')) return expected(reader, "a row as [0, 1, ..]");
    if (take(reader, ']')) return true;
    do {
        int64_t number;
        if (take_word(reader, "true") || take_word(reader, "True")) number = 1;
        else if (take_word(reader, "false") || take_word(reader, "False")) number = 0;
        else if (!read_number(reader, &number)) return false;
        if (*length < reader->width && row) row[*length] = number ? inside_value : 0;
        *inside += number != 0;
        ++*length;
    } while (take(reader, ','));
    return take(reader, ']') || expected(reader, "a comma or the end of the row");
}

static bool read_rows(Reader *reader, Runs *runs) {
    int rows = 0, length;
    if (!take(reader, ']')) {
        do {
            uint8_t *row = rows < reader->height && runs->mask ? runs->mask->pixels + (size_t)rows * (size_t)reader->width : NULL;
            if (!read_row(reader, row, &length, &runs->inside)) return false;
            if (length != reader->width) {
                snprintf(reader->why, WHY_BYTES, "its row %d has %d numbers; the picture is %d pixels wide", rows + 1, length, reader->width);
                return false;
            }
            rows++;
        } while (take(reader, ','));
        if (!take(reader, ']')) return expected(reader, "a comma or the end of the rows");
    }
    if (rows == reader->height) return true;
    snprintf(reader->why, WHY_BYTES, "it has %d rows; the picture is %d pixels high", rows, reader->height);
    return false;
}

static bool nothing_inside(char why[WHY_BYTES]) {
    snprintf(why, WHY_BYTES, "it is empty: no pixel of it is animal, so nothing would be left of the picture");
    return false;
}

bool mask_from_text(Jre *jre, const char *text, int width, int height, Image *mask, char why[WHY_BYTES]) {
    Reader reader = {text, text, width, height, why};
    Runs runs = {.mask = mask, .total = (int64_t)width * height};
    if (mask) {
        *mask = image_new(jre, width, height, 1);
        memset(mask->pixels, 0, (size_t)runs.total);
    }
    bool sound;
    if (take(&reader, '{')) sound = read_run_lengths(&reader, &runs);
    else if (take(&reader, '[')) sound = read_rows(&reader, &runs);
    else sound = expected(&reader, "{\"size\": [height, width], \"counts\": ..} or a list of rows");
    skip_blanks(&reader);
    if (sound && *reader.at) sound = expected(&reader, "the end of the mask");
    if (sound && !runs.inside) sound = nothing_inside(why);
    if (!sound && mask) image_free(mask);
    return sound;
}

/* ---- pictures of masks ------------------------------------------------------------------------------------------------------------------ */

bool mask_from_png(Jre *jre, const uint8_t *bytes, size_t length, int width, int height, Image *mask, char why[WHY_BYTES]) {
    if (!image_decode_marks(jre, bytes, length, mask, why)) return false;
    bool same = mask->width == width && mask->height == height;
    if (!same) snprintf(why, WHY_BYTES, "it is %d x %d pixels, the picture is %d x %d", mask->width, mask->height, width, height);
    bool sound = same && (memchr(mask->pixels, inside_value, (size_t)width * (size_t)height) || nothing_inside(why));
    if (!sound) image_free(mask);
    return sound;
}

bool mask_from_alpha(Jre *jre, const Image *picture, Image *mask, char why[WHY_BYTES]) {
    if (picture->channels != 4) {
        snprintf(why, WHY_BYTES, "it has no transparency, and `mask alpha` says that the animal is where the picture is not transparent");
        return false;
    }
    size_t count = (size_t)picture->width * (size_t)picture->height;
    bool any = false;
    *mask = image_new(jre, picture->width, picture->height, 1);
    for (size_t i = 0; i < count; i++) any |= (mask->pixels[i] = picture->pixels[4 * i + 3]) != 0;
    if (any) return true;
    image_free(mask);
    snprintf(why, WHY_BYTES, "it is transparent everywhere, so nothing would be left of the picture");
    return false;
}
