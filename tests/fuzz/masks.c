/* masks.c: a libFuzzer target: any text as the mask of a picture whose size the first two bytes tell; what is laid out must be what is only looked
 * at. Built and run by fuzz.sh. */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length < 2) return 0;
    Jre *jre = jre_new();
    int width = bytes[0] % 16 + 1, height = bytes[1] % 16 + 1;
    char *text = malloc(length - 1), why[256] = "", other[256] = "";
    if (!text) abort();
    memcpy(text, bytes + 2, length - 2);
    text[length - 2] = '\0';
    Image mask;
    bool sound = mask_from_text(jre, text, width, height, &mask, why), fits = mask_from_text(jre, text, width, height, NULL, other);
    if (sound != fits || strcmp(why, other) != 0 || sound != !*why) abort();
    if (sound && (mask.width != width || mask.height != height || !memchr(mask.pixels, 255, (size_t)(width * height)))) abort();
    image_free(&mask);
    free(text);
    jre_free(jre);
    return 0;
}
