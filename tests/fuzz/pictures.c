/* pictures.c: a libFuzzer target: a JPEG as it comes, or a PNG that is put together from the bytes, so that its checksums hold and what is behind
 * them is reached; then its EXIF, the picture as a mask, and a view with every step. Built and run by fuzz.sh. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { SIDE = 24 };

static void put_chunk(Text *png, const char *name, const uint8_t *inside, size_t length) {
    uint8_t frame[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
    text_add_bytes(png, (const char *)frame, 4);
    size_t from = png->length;
    text_add_bytes(png, name, 4);
    text_add_bytes(png, (const char *)inside, length);
    uLong sum = crc32(0, (const Bytef *)png->at + from, (uInt)(png->length - from));
    for (int i = 0; i < 4; i++) frame[i] = (uint8_t)(sum >> (24 - 8 * i));
    text_add_bytes(png, (const char *)frame, 4);
}

/* Size, depth, kind and interlacing from five bytes, chunks from the others: a kind, a length, its inside; the last is the pixels, packed here. */
static void put_png(Text *png, const uint8_t *bytes, size_t length) {
    static const char *const names[] = {"PLTE", "tRNS", "eXIf", "gAMA", "iCCP", "sRGB", "zTXt", "IDAT"};
    text_add_bytes(png, "\x89PNG\r\n\x1a\n", 8);
    if (length < 5) return;
    const uint8_t head[13] = {0, 0, bytes[0] >> 6, bytes[0], 0, 0, bytes[1] >> 6, bytes[1], bytes[2], bytes[3], 0, 0, bytes[4]};
    put_chunk(png, "IHDR", head, sizeof head);
    size_t at = 5;
    while (at + 2 < length && (bytes[at] & 8)) {
        size_t size = bytes[at + 1];
        if (size > length - at - 2) size = length - at - 2;
        put_chunk(png, names[bytes[at] & 7], bytes + at + 2, size);
        at += 2 + size;
    }
    uLong packed = compressBound((uLong)(length - at));
    Bytef *pixels = malloc(packed);
    if (!pixels || compress2(pixels, &packed, bytes + at, (uLong)(length - at), 1) != Z_OK) abort();
    put_chunk(png, "IDAT", pixels, packed);
    free(pixels);
    put_chunk(png, "IEND", bytes, 0);
}

/* Through all that draws nothing. */
static void look_at(Jre *jre, const Image *image, const Image *mask) {
    static const ViewStepKind kinds[] = {VIEW_FLIP, VIEW_COVER, VIEW_CORNER, VIEW_RESIZE, VIEW_CENTER, VIEW_ROTATE, VIEW_AFFINE, VIEW_GRAY, VIEW_FIT};
    Arena scratch = {.jre = jre};
    View view = {.width = SIDE, .height = SIDE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ViewStep step = {.kind = kinds[i], .width = SIDE, .height = SIDE, .angle = 0.3, .right = 0.1, .scale = 1.2, .shear = 0.1, .filter = "bilinear", .corner = "bottom_right"};
        list_add(&scratch, &view.steps, step);
    }
    Image seen;
    char why[256];
    if (view_pixels(jre, &view, image, mask, &seen, why)) image_free(&seen);
    arena_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    Jre *jre = jre_new();
    Text png = {.jre = jre};
    Image image, marks, alpha;
    char why[256] = "";
    if (length < 2 || bytes[0] != 0xff || bytes[1] != 0xd8) {
        put_png(&png, bytes, length);
        bytes = (const uint8_t *)png.at;
        length = png.length;
    }
    int orientation = exif_orientation(bytes, length);
    if (image_decode_marks(jre, bytes, length, &marks, why)) image_free(&marks);
    bool sound = image_decode(jre, bytes, length, &image, why);
    if (sound && image.width <= 512 && image.height <= 512) {
        Image turned;
        image_turn(jre, &image, orientation, &turned);
        bool masked = mask_from_alpha(jre, &turned, &alpha, why);
        look_at(jre, &turned, masked ? &alpha : NULL);
        if (masked) image_free(&alpha);
        image_free(&turned);
    }
    if (sound) image_free(&image);
    text_free(&png);
    jre_free(jre);
    return 0;
}
