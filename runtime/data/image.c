/* image.c: PNG and JPEG become 8-bit RGB or RGBA, as Pillow's open() and convert() make them.
 *
 * PNG: every depth, palettes, gray, interlacing; transparency of any form gives RGBA. Gamma and color profiles are ignored, as Pillow does.
 * 16 bits become 8 by dropping the low byte, but gray without alpha is cut off at 255: so does Pillow. A transparent color is compared, by
 * its low byte, with what has become of a pixel in 8 bits (of one bit: 0 or 255): so does Pillow too.
 * JPEG: the accurate integer transform and smooth upsampling, which are Pillow's defaults too; CMYK and YCCK with Adobe's inverted inks.
 * EXIF orientation is not applied to pixels here (exif.c, warp.c).
 *
 * Bytes are hostile: sizes are checked before memory is taken, also against the length of the file, and damage or a cut end is an error
 * where other programs show half a picture. The decoders leave by longjmp into run_png and run_jpeg and nowhere else. */
#include "../runtime.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

enum { SIDE_MOST = 16384, WHY_BYTES = 256, SCANS_MOST = 500, COMPRESSION = 6 };
static const int64_t pixels_most = INT64_C(256) << 20;

void image_free(Image *image) {
    jre_release(image->pixels);
    *image = (Image){0};
}

/* ---- what a file is ------------------------------------------------------------------------------------------------------------- */

typedef enum { FORMAT_OTHER, FORMAT_PNG, FORMAT_JPEG } Format;

static const uint8_t png_signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

static Format format_of(const uint8_t *bytes, size_t length) {
    if (length >= sizeof png_signature && memcmp(bytes, png_signature, sizeof png_signature) == 0)
        return FORMAT_PNG;
    if (length >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff)
        return FORMAT_JPEG;
    return FORMAT_OTHER;
}

/* Says what a file that is neither looks like. */
static void explain_other(const uint8_t *bytes, size_t length, char why[WHY_BYTES]) {
    static const struct { size_t at; const char *mark, *what; } looks[] = {
        {0, "GIF8", "a GIF"}, {0, "BM", "a BMP"}, {0, "II*", "a TIFF"}, {0, "MM", "a TIFF"}, {8, "WEBP", "a WebP"},
        {4, "ftyp", "a HEIC, AVIF or video file"}, {0, "%PDF", "a PDF"}, {0, "PK", "a zip archive"}, {0, "<", "a web page or XML"},
        {0, "version https://git-lfs", "a pointer of Git LFS: run `git lfs pull` to fetch the picture itself"},
    };
    const char *found = length == 0 ? "an empty file" : "something else";
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        size_t marked = strlen(looks[i].mark);
        if (length >= looks[i].at + marked && memcmp(bytes + looks[i].at, looks[i].mark, marked) == 0)
            found = looks[i].what;
    }
    snprintf(why, WHY_BYTES, "I expected a PNG or a JPEG, I found %s", found);
}

static bool size_allowed(int64_t width, int64_t height, char why[WHY_BYTES]) {
    if (width <= 0 || height <= 0)
        snprintf(why, WHY_BYTES, "it says that it is %lld x %lld pixels, which is no picture", (long long)width, (long long)height);
    else if (width > SIDE_MOST || height > SIDE_MOST || width * height > pixels_most)
        snprintf(why, WHY_BYTES, "it is %lld x %lld pixels; at most %d x %d can be read", (long long)width, (long long)height, SIDE_MOST, SIDE_MOST);
    else
        return true;
    return false;
}

/* A few bytes cannot hold many pixels: a wrong size in the header must not cost a gigabyte. */
static bool length_plausible(int64_t unpacked, int64_t most_per_byte, size_t length, int64_t width, int64_t height, char why[WHY_BYTES]) {
    if (unpacked / most_per_byte <= (int64_t)length)
        return true;
    snprintf(why, WHY_BYTES, "it says that it is %lld x %lld pixels, and its %zu bytes are too few for that", (long long)width, (long long)height, length);
    return false;
}

static uint8_t *pixels_new(Jre *jre, const Image *image) {
    return jre_allocate(jre, (size_t)image->width * (size_t)image->height * (size_t)image->channels);
}

static int two_bytes(const uint8_t *at) {
    return at[0] << 8 | at[1];
}

static int64_t four_bytes(const uint8_t *at) {
    return (int64_t)two_bytes(at) << 16 | two_bytes(at + 2);
}

/* ---- PNG --------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    Jre *jre; const uint8_t *bytes; size_t length, at;
    Image *image; char *why;
    png_structp png; png_infop info;
    uint8_t *samples;                     /* of what libpng does not bring to 8 bits as Pillow does */
    bool cut_off, marks;                  /* marks: pixels are 255 where there is anything but 0 */
} PngReader;

static _Noreturn void png_failed(png_structp png, png_const_charp message) {
    PngReader *reader = png_get_error_ptr(png);
    if (reader->cut_off)
        snprintf(reader->why, WHY_BYTES, "it is cut off: the PNG goes on behind its last byte, %zu", reader->length);
    else
        snprintf(reader->why, WHY_BYTES, "the PNG is damaged near byte %zu (the decoder says: %.100s)", reader->at, message);
    png_longjmp(png, 1);
}

static void png_warned(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/* libpng and its zlib have their memory from the context, so where that runs out nothing of theirs is lost. */
static png_voidp png_memory(png_structp png, png_alloc_size_t bytes) { return jre_allocate(png_get_mem_ptr(png), bytes); }

static void png_release(png_structp png, png_voidp memory) {
    (void)png;
    jre_release(memory);
}

static void png_wants(png_structp png, png_bytep to, png_size_t count) {
    PngReader *reader = png_get_io_ptr(png);
    if (count > reader->length - reader->at) {
        reader->cut_off = true;
        png_error(png, "cut off");
    }
    memcpy(to, reader->bytes + reader->at, count);
    reader->at += count;
}

/* The size stands at one place in every PNG. */
static bool png_size(const uint8_t *bytes, size_t length, int64_t *width, int64_t *height) {
    if (length < 24 || memcmp(bytes + 12, "IHDR", 4) != 0)
        return false;
    *width = four_bytes(bytes + 16);
    *height = four_bytes(bytes + 20);
    return true;
}

/* All rows, `stride` bytes each. */
static void read_png_pixels(PngReader *reader, uint8_t *rows, size_t stride) {
    png_structp png = reader->png;
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    if (png_get_rowbytes(png, reader->info) != stride)
        png_error(png, "unknown kind of pixels");
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < reader->image->height; y++)
            png_read_row(png, rows + (size_t)y * stride, NULL);
    png_read_end(png, NULL);
}

/* Gray of 16 bits, cut off at 255, in each of three or four channels. */
static void read_deep_gray(PngReader *reader) {
    Image *image = reader->image;
    size_t count = (size_t)image->width * (size_t)image->height;
    reader->samples = jre_allocate(reader->jre, 2 * count);
    read_png_pixels(reader, reader->samples, 2 * (size_t)image->width);
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = image->pixels + i * (size_t)image->channels;
        memset(pixel, reader->samples[2 * i] ? 255 : reader->samples[2 * i + 1], (size_t)image->channels);
        if (image->channels == 4)
            pixel[3] = 255;
    }
}

static void clear_transparent_color(Image *image, const png_color_16 *color, bool gray, int depth) {
    uint8_t level = depth == 1 && color->gray ? 255 : (uint8_t)color->gray;
    const uint8_t clear[3] = { gray ? level : (uint8_t)color->red, gray ? level : (uint8_t)color->green, gray ? level : (uint8_t)color->blue };
    uint8_t *pixel = image->pixels;
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++, pixel += 4)
        if (memcmp(pixel, clear, 3) == 0)
            pixel[3] = 0;
}

static void read_png_rows(PngReader *reader) {
    png_structp png = reader->png;
    Image *image = reader->image;
    int kind = png_get_color_type(png, reader->info), depth = png_get_bit_depth(png, reader->info);
    bool gray = !(kind & PNG_COLOR_MASK_COLOR), palette = kind == PNG_COLOR_TYPE_PALETTE, alpha = kind & PNG_COLOR_MASK_ALPHA;
    png_color_16p color = NULL;
    bool clear = png_get_valid(png, reader->info, PNG_INFO_tRNS) != 0;
    png_get_tRNS(png, reader->info, NULL, NULL, &color);
    image->channels = alpha || clear ? 4 : 3;
    image->pixels = pixels_new(reader->jre, image);
    if (gray && !alpha && depth == 16) {
        read_deep_gray(reader);
    } else {
        png_set_strip_16(png);
        if (palette)
            png_set_expand(png);          /* with the transparency of its entries */
        else if (gray)
            png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
        if (clear && !palette)
            png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
        read_png_pixels(reader, image->pixels, (size_t)image->width * (size_t)image->channels);
    }
    if (clear && !palette)
        clear_transparent_color(image, color, gray, depth);
}

/* One channel: 255 where a sample is not 0 (an entry of a palette: by its number) and nothing is transparent, else 0. */
static void read_png_marks(PngReader *reader) {
    png_structp png = reader->png;
    Image *image = reader->image;
    int channels = png_get_channels(png, reader->info), bytes = png_get_bit_depth(png, reader->info) == 16 ? 2 : 1;
    bool alpha = png_get_color_type(png, reader->info) & PNG_COLOR_MASK_ALPHA;
    size_t width = (size_t)(channels * bytes), seen = width - (alpha ? (size_t)bytes : 0), count = (size_t)image->width * (size_t)image->height;
    png_set_packing(png);                 /* a byte a sample */
    image->channels = 1;
    image->pixels = pixels_new(reader->jre, image);
    reader->samples = jre_allocate(reader->jre, width * count);
    read_png_pixels(reader, reader->samples, width * (size_t)image->width);
    for (size_t i = 0; i < count; i++) {
        static const uint8_t none[8];
        const uint8_t *sample = reader->samples + i * width;
        bool marked = memcmp(sample, none, seen) != 0 && (!alpha || memcmp(sample + seen, none, (size_t)bytes) != 0);
        image->pixels[i] = marked ? 255 : 0;
    }
}

static bool run_png(PngReader *reader) {
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_read_fn(png, reader, png_wants);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);   /* all but size, palette, transparency, pixels */
    png_read_info(png, reader->info);
    int64_t width = png_get_image_width(png, reader->info), height = png_get_image_height(png, reader->info);
    int64_t packed = (int64_t)png_get_rowbytes(png, reader->info) * height;
    /* deflate makes at most 1032 bytes of one */
    if (!length_plausible(packed, 1032, reader->length, width, height, reader->why))
        return false;
    reader->image->width = (int)width;
    reader->image->height = (int)height;
    if (reader->marks)
        read_png_marks(reader);
    else
        read_png_rows(reader);
    return true;
}

static bool decode_png(Jre *jre, const uint8_t *bytes, size_t length, bool marks, Image *image, char why[WHY_BYTES]) {
    PngReader reader = { .jre = jre, .bytes = bytes, .length = length, .image = image, .why = why, .marks = marks };
    int64_t width, height;
    if (png_size(bytes, length, &width, &height) && !size_allowed(width, height, why))
        return false;
    reader.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &reader, png_failed, png_warned, jre, png_memory, png_release);
    if (reader.png)
        reader.info = png_create_info_struct(reader.png);
    bool done = reader.info && run_png(&reader);
    if (!reader.info)
        snprintf(why, WHY_BYTES, "there is not enough memory to decode it");
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    jre_release(reader.samples);
    return done;
}

/* ---- JPEG ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    struct jpeg_error_mgr errors;         /* first: the decoder knows its address */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct decoder;
    jmp_buf escape;
    Jre *jre; const uint8_t *bytes; size_t length;
    Image *image; uint8_t *inks; char *why;
} JpegReader;

static _Noreturn void jpeg_failed(j_common_ptr decoder) {
    JpegReader *reader = (JpegReader *)(void *)decoder->err;
    char message[JMSG_LENGTH_MAX];
    decoder->err->format_message(decoder, message);
    int code = decoder->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JERR_INPUT_EOF || code == JERR_INPUT_EMPTY)
        snprintf(reader->why, WHY_BYTES, "it is cut off: the JPEG goes on behind its last byte, %zu", reader->length);
    else
        snprintf(reader->why, WHY_BYTES, "the JPEG is damaged (the decoder says: %.100s)", message);
    longjmp(reader->escape, 1);
}

/* Level -1 is a warning. Stray bytes between parts and the like lose no pixel; all other warnings do. */
static void jpeg_warned(j_common_ptr decoder, int level) {
    if (level >= 0)
        return;
    switch (decoder->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA: case JWRN_ADOBE_XFORM: case JWRN_TOO_MUCH_DATA: case JWRN_NOT_SEQUENTIAL:
        return;
    default:
        jpeg_failed(decoder);
    }
}

/* A hostile file may ask for thousands of passes over one picture. */
static void jpeg_advanced(j_common_ptr decoder) {
    JpegReader *reader = (JpegReader *)(void *)decoder->err;
    if (reader->decoder.input_scan_number <= SCANS_MOST)
        return;
    snprintf(reader->why, WHY_BYTES, "the JPEG has over %d scans", SCANS_MOST);
    longjmp(reader->escape, 1);
}

/* (a * b) / 255, rounded, as Pillow does it */
static int scaled(int a, int b) {
    int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* Files hold 255 less the ink; `row` has width CMYK pixels. */
static void inks_to_rgb(const uint8_t *row, int width, uint8_t *rgb) {
    for (int x = 0; x < width; x++, row += 4, rgb += 3)
        for (int channel = 0; channel < 3; channel++)
            rgb[channel] = (uint8_t)(row[3] - scaled(255 - row[channel], row[3]));
}

static void read_jpeg_rows(JpegReader *reader) {
    j_decompress_ptr decoder = &reader->decoder;
    Image *image = reader->image;
    size_t stride = (size_t)image->width * 3;
    bool inks = decoder->num_components == 4;
    decoder->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    image->channels = 3;
    image->pixels = pixels_new(reader->jre, image);
    if (inks)
        reader->inks = jre_allocate(reader->jre, (size_t)image->width * 4);
    jpeg_start_decompress(decoder);
    while (decoder->output_scanline < decoder->output_height) {
        uint8_t *row = image->pixels + decoder->output_scanline * stride, *to = inks ? reader->inks : row;
        if (jpeg_read_scanlines(decoder, &to, 1) == 1 && inks)
            inks_to_rgb(reader->inks, image->width, row);
    }
}

static bool run_jpeg(JpegReader *reader) {
    j_decompress_ptr decoder = &reader->decoder;
    if (setjmp(reader->escape))
        return false;
    jpeg_create_decompress(decoder);
    decoder->progress = &reader->progress;
    jpeg_mem_src(decoder, reader->bytes, reader->length);
    jpeg_read_header(decoder, TRUE);
    int64_t width = decoder->image_width, height = decoder->image_height;
    /* A bit for a block is the least, 8 x 8 pixels are the least block: 1024 pixels a byte with the coarsest colors. */
    int64_t most = decoder->arith_code ? 1 << 20 : 2048;
    if (!size_allowed(width, height, reader->why) || !length_plausible(width * height, most, reader->length, width, height, reader->why))
        return false;
    if (decoder->num_components == 2 || decoder->num_components > 4) {
        snprintf(reader->why, WHY_BYTES, "it is a JPEG of %d color channels; 1, 3 or 4 are expected", decoder->num_components);
        return false;
    }
    reader->image->width = (int)width;
    reader->image->height = (int)height;
    read_jpeg_rows(reader);
    return true;
}

static void end_jpeg(void *reader) { jpeg_destroy_decompress(&((JpegReader *)reader)->decoder); }

static bool decode_jpeg(Jre *jre, const uint8_t *bytes, size_t length, Image *image, char why[WHY_BYTES]) {
    JpegReader *reader = jre_allocate(jre, sizeof *reader);
    memset(reader, 0, sizeof *reader);
    reader->jre = jre;
    reader->bytes = bytes;
    reader->length = length;
    reader->image = image;
    reader->why = why;
    reader->decoder.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = jpeg_failed;
    reader->errors.emit_message = jpeg_warned;
    reader->progress.progress_monitor = jpeg_advanced;
    jre_own(jre, reader, end_jpeg);
    bool done = run_jpeg(reader);
    jre_disown(jre, reader);
    jpeg_destroy_decompress(&reader->decoder);
    jre_release(reader->inks);
    jre_release(reader);
    return done;
}

/* ---- either ---------------------------------------------------------------------------------------------------------------------------- */

bool image_decode(Jre *jre, const uint8_t *bytes, size_t length, Image *image, char why[256]) {
    *image = (Image){0};
    bool done = false;
    switch (format_of(bytes, length)) {
    case FORMAT_PNG: done = decode_png(jre, bytes, length, false, image, why); break;
    case FORMAT_JPEG: done = decode_jpeg(jre, bytes, length, image, why); break;
    case FORMAT_OTHER: explain_other(bytes, length, why); break;
    }
    if (!done)
        image_free(image);
    return done;
}

bool image_decode_marks(Jre *jre, const uint8_t *bytes, size_t length, Image *image, char why[256]) {
    *image = (Image){0};
    Format format = format_of(bytes, length);
    bool done = format == FORMAT_PNG && decode_png(jre, bytes, length, true, image, why);
    if (format == FORMAT_OTHER)
        explain_other(bytes, length, why);
    if (format == FORMAT_JPEG)
        snprintf(why, WHY_BYTES, "it is a JPEG, which blurs the edge of a mask: save the mask as a PNG");
    if (!done)
        image_free(image);
    return done;
}

static void explain_picture(Jre *jre, const char *path, Span asked_at, const char *why) {
    Diagnostic *d = diag(jre, DIAG_file_corrupt, asked_at, "the picture `%s` cannot be used: %s", path, why);
    diag_help(d, "look at it in a picture viewer, then copy or export it again, or leave its row out of the table");
}

bool image_read(Jre *jre, const char *path, Span asked_at, Image *image) {
    char *bytes, why[WHY_BYTES];
    size_t length;
    *image = (Image){0};
    if (!file_read(jre, path, asked_at, &bytes, &length))
        return false;
    bool done = image_decode(jre, (const uint8_t *)bytes, length, image, why);
    jre_release(bytes);
    if (!done)
        explain_picture(jre, path, asked_at, why);
    return done;
}

/* ---- the size alone ------------------------------------------------------------------------------------------------------------------------ */

/* Walks the parts of a JPEG to the one that begins a picture (SOF). False: there is none. */
static bool jpeg_size(FILE *file, int64_t *width, int64_t *height) {
    if (fseek(file, 2, SEEK_SET) != 0)
        return false;
    for (;;) {
        uint8_t head[7];
        int marker = getc(file);
        if (marker != 0xff)
            return false;
        while (marker == 0xff)
            marker = getc(file);          /* any number of 0xff may stand before a part */
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7))
            continue;
        if (marker == EOF || marker == 0xd9 || marker == 0xda || fread(head, 1, 2, file) != 2)
            return false;
        bool picture = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (picture) {
            if (fread(head + 2, 1, 5, file) != 5)
                return false;
            *height = two_bytes(head + 3);
            *width = two_bytes(head + 5);
            return true;
        }
        if (two_bytes(head) < 2 || fseek(file, two_bytes(head) - 2, SEEK_CUR) != 0)
            return false;
    }
}

static bool size_in_header(FILE *file, int64_t *width, int64_t *height, char why[WHY_BYTES]) {
    uint8_t head[32];
    size_t length = fread(head, 1, sizeof head, file);
    Format format = format_of(head, length);
    if (format == FORMAT_OTHER) {
        explain_other(head, length, why);
        return false;
    }
    bool found;
    if (format == FORMAT_PNG)
        found = png_size(head, length, width, height);
    else
        found = jpeg_size(file, width, height);
    if (!found)
        snprintf(why, WHY_BYTES, "its header is cut off or damaged, it does not say how large the picture is");
    return found && size_allowed(*width, *height, why);
}

/* A picture that lies on its side is seen as high as it is wide. */
static bool turn_size(Jre *jre, const char *path, Span asked_at, int *width, int *height) {
    char *bytes;
    size_t length;
    if (!file_read(jre, path, asked_at, &bytes, &length))
        return false;
    if (exif_orientation((const uint8_t *)bytes, length) >= 5) {
        int stored = *width;
        *width = *height;
        *height = stored;
    }
    jre_release(bytes);
    return true;
}

bool image_size(Jre *jre, const char *path, Span asked_at, bool exif_apply, int *width, int *height) {
    size_t length;
    int descriptor = file_open(jre, path, asked_at, &length);
    if (descriptor < 0)
        return false;
    char why[WHY_BYTES] = "there is not enough memory to open it";
    int64_t wide = 0, high = 0;
    FILE *file = fdopen(descriptor, "rb");
    bool done = file && size_in_header(file, &wide, &high, why);
    if (file)
        fclose(file);
    else
        close(descriptor);
    if (!done)
        explain_picture(jre, path, asked_at, why);
    *width = (int)wide;
    *height = (int)high;
    return done && (!exif_apply || turn_size(jre, path, asked_at, width, height));
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------------------- */

static _Noreturn void png_unwritable(png_structp png, png_const_charp message) {
    (void)message;
    png_longjmp(png, 1);
}

static void png_gives(png_structp png, png_bytep bytes, png_size_t count) {
    text_add_bytes(png_get_io_ptr(png), (const char *)bytes, count);
}

static void png_flushes(png_structp png) {
    (void)png;
}

static bool encode_png(png_structp png, png_infop info, const Image *image, Text *out) {
    if (setjmp(png_jmpbuf(png)))
        return false;
    int kind = image->channels == 1 ? PNG_COLOR_TYPE_GRAY : image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGBA;
    png_set_write_fn(png, out, png_gives, png_flushes);
    png_set_compression_level(png, COMPRESSION);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8, kind, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    size_t stride = (size_t)image->width * (size_t)image->channels;
    for (int y = 0; y < image->height; y++)
        png_write_row(png, image->pixels + (size_t)y * stride);
    png_write_end(png, info);
    return true;
}

bool image_write_png(Jre *jre, const char *path, Span asked_at, const Image *image) {
    bool kind_known = image->channels == 1 || image->channels == 3 || image->channels == 4;
    png_structp png = kind_known ? png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, png_unwritable, png_warned, jre, png_memory, png_release) : NULL;
    png_infop info = png ? png_create_info_struct(png) : NULL;
    Text out = { .jre = jre };
    bool done = info && encode_png(png, info, image, &out);
    png_destroy_write_struct(&png, &info);
    if (done)
        done = file_write(jre, path, asked_at, out.at, out.length);
    else
        diag(jre, DIAG_cannot_write, asked_at, "a picture of %d x %d pixels and %d channels cannot be written as the PNG `%s`", image->width,
             image->height, image->channels, path);
    text_free(&out);
    return done;
}
