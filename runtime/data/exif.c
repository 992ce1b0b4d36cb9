/* exif.c: which way up a camera was held.
 *
 * In: the bytes of a JPEG or PNG. Out: the orientation that its EXIF notes, 1 (as stored) to 8; 1 also where there is none or what there is
 * makes no sense. The note is tag 0x112 of the first directory of a small TIFF: in a JPEG in a part APP1 before the pixels, in a PNG in the
 * chunk eXIf. Every length is held against the bytes that are there; a directory is walked once. */
#include "../runtime.h"

#include <string.h>

enum { AS_STORED = 1, ORIENTATION = 0x112, SHORT = 3, LONG = 4 };

typedef struct { const uint8_t *at; size_t length; bool little; } Tiff;

/* `bytes` bytes at `offset` as a number; 0 beyond the end. */
static uint32_t number_at(const Tiff *tiff, size_t offset, size_t bytes) {
    uint32_t number = 0;
    if (offset > tiff->length || bytes > tiff->length - offset) return 0;
    for (size_t i = 0; i < bytes; i++) number |= (uint32_t)tiff->at[offset + i] << 8 * (tiff->little ? i : bytes - 1 - i);
    return number;
}

static int tiff_orientation(const uint8_t *bytes, size_t length) {
    enum { HEADER = 8, ENTRY = 12 };
    if (length < HEADER || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0)) return AS_STORED;
    const Tiff tiff = {bytes, length, bytes[0] == 'I'};
    size_t directory = number_at(&tiff, 4, 4), entries = number_at(&tiff, directory, 2);
    for (size_t i = 0; i < entries && directory + 2 + (i + 1) * ENTRY <= length; i++) {
        size_t entry = directory + 2 + i * ENTRY;
        if (number_at(&tiff, entry, 2) != ORIENTATION) continue;
        uint32_t type = number_at(&tiff, entry + 2, 2), value = number_at(&tiff, entry + 8, type == SHORT ? 2 : 4);
        bool sound = (type == SHORT || type == LONG) && number_at(&tiff, entry + 4, 4) == 1 && value >= 1 && value <= 8;
        return sound ? (int)value : AS_STORED;
    }
    return AS_STORED;
}

static size_t length_at(const uint8_t *at, int bytes) {
    size_t length = 0;
    for (int i = 0; i < bytes; i++) length = length << 8 | at[i];
    return length;
}

static int jpeg_orientation(const uint8_t *bytes, size_t length) {
    static const char mark[6] = "Exif\0";
    size_t at = 2;
    while (at + 4 <= length && bytes[at] == 0xff) {
        int part = bytes[at + 1];
        if (part == 0xff) {
            at++;                         /* any number of them may stand before a part */
            continue;
        }
        if (part == 0xda || part == 0xd9) break;
        size_t size = length_at(bytes + at + 2, 2);
        if (size < 2 || size > length - at - 2) break;
        const uint8_t *inside = bytes + at + 4;
        if (part == 0xe1 && size >= 2 + sizeof mark && memcmp(inside, mark, sizeof mark) == 0) return tiff_orientation(inside + sizeof mark, size - 2 - sizeof mark);
        at += 2 + size;
    }
    return AS_STORED;
}

static int png_orientation(const uint8_t *bytes, size_t length) {
    enum { SIGNATURE = 8, AROUND = 12 };
    for (size_t at = SIGNATURE; length >= AROUND && at <= length - AROUND;) {
        size_t size = length_at(bytes + at, 4);
        if (size > length - at - AROUND) break;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0) return tiff_orientation(bytes + at + 8, size);
        at += AROUND + size;
    }
    return AS_STORED;
}

int exif_orientation(const uint8_t *bytes, size_t length) {
    if (length >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return png_orientation(bytes, length);
    return length >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8 ? jpeg_orientation(bytes, length) : AS_STORED;
}
