/* Data as others keep it, painted here: folders without a table, a spreadsheet of another country, frames of videos. The documents under
 * tests/foreign are written as the owners of such data would write them, and are checked, with all pictures, without a word. */
#include "test.h"

#include "../runtime/runtime.h"

#include <math.h>

enum { WIDE = 48, HIGH = 36, WAVES = 8 };

typedef struct { Jre *jre; Arena arena; char folder[64]; Text table; Compilation c; Session *session; } Field;

static void field_open(Field *field) {
    memset(field, 0, sizeof *field);
    field->jre = field->arena.jre = field->table.jre = jre_new();
    test_folder(field->folder);
}

static void field_close(Field *field) {
    if (field->session) session_close(field->session);
    compilation_free(&field->c);
    text_free(&field->table);
    test_folder_gone(field->folder);
    arena_free(&field->arena);
    jre_free(field->jre);
}

static const char *inside(Field *field, const char *name) { return arena_print(&field->arena, "%s/%s", field->folder, name); }

static double drawn(unsigned *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) / 16777216.0;
}

/* A scene is a sum of waves of its own; the frames of one differ by grain. */
static void paint(Field *field, const char *name, unsigned scene, unsigned frame) {
    uint8_t pixels[3 * WIDE * HIGH];
    double wave[WAVES][4];
    unsigned seed = 7919 * scene + 1, grain = 104729 * scene + frame;
    for (int w = 0; w < WAVES; w++)
        for (int k = 0; k < 4; k++) wave[w][k] = drawn(&seed);
    for (int at = 0; at < WIDE * HIGH; at++) {
        double x = at % WIDE / (double)WIDE, y = at / WIDE / (double)HIGH, light = 128;
        for (int w = 0; w < WAVES; w++) light += 30 * wave[w][3] * sin(6.283 * (4 * wave[w][0] * x + 4 * wave[w][1] * y + wave[w][2]));
        for (int channel = 0; channel < 3; channel++) pixels[3 * at + channel] = (uint8_t)fmax(0, fmin(255, light + 10 * channel + 4 * drawn(&grain)));
    }
    Image image = {WIDE, HIGH, 3, pixels};
    assert_true(image_write_png(field->jre, inside(field, name), NOWHERE, &image));
}

static void put(Field *field, const char *name, const char *text) { assert_true(file_write(field->jre, inside(field, name), NOWHERE, text, strlen(text))); }

/* The document moves in beside its data, and everything is asked that `jre check` asks. */
static const Dataset *checked(Field *field, const char *document) {
    char *bytes;
    size_t length;
    assert_true(file_read(field->jre, arena_print(&field->arena, "tests/foreign/%s", document), NOWHERE, &bytes, &length));
    put(field, document, bytes);
    jre_release(bytes);
    field->session = session_open(field->jre, &(RunOptions){.threads = 2, .quiet = true, .into = field->folder});
    assert_non_null(field->session);
    Facts facts = session_facts(field->session);
    bool sound = compile(&field->c, field->jre, &(CompileRequest){.path = inside(field, document)}, &facts, true);
    const Dataset *dataset = sound ? session_hashed(field->session, field->c.plan->datasets.at[0]) : NULL;
    if (!dataset || diag_count(field->jre, SEVERITY_NOTE)) fail_msg("%s", test_messages(field->jre));
    return dataset;
}

/* ---- the three ------------------------------------------------------------------------------------------------------------- */

static void folders_without_a_table(void **state) {
    (void)state;
    Field field;
    static const char *const names[] = {"Große Rosi", "O'Brien", "Nr. 7", "ひかり", "Hirsch, alt"};
    field_open(&field);
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < (i == 2 ? 1 : 9); k++) paint(&field, arena_print(&field.arena, "Fotos 2024/%s/DSCF%04u.png", names[i], 17 * i + k), 10 * i + k / 3, k);
    put(&field, "Fotos 2024/Große Rosi/Thumbs.db", "not a picture");
    put(&field, "Fotos 2024/O'Brien/._DSCF0017.png", "what another system leaves beside a picture");
    put(&field, "Fotos 2024/Notizen.txt", "Rosi hat ein Kalb");
    const Dataset *deer = checked(&field, "deer.jre");
    assert_int_equal(deer->count, 37);
    assert_int_equal(deer->identity_count, 5);
    assert_int_equal(deer->units, 13);
    field_close(&field);
}

static void a_spreadsheet_of_another_country(void **state) {
    (void)state;
    Field field;
    static const char *const names[] = {"Bär \"\"Ürsli\"\"", "Zoë; die Zweite", "Łata", "M-12/a", "null"};
    field_open(&field);
    text_add(&field.table, "\xEF\xBB\xBF\"Datei\";\"Tier\";\"Datum\";\"Ort\";\"Gewicht (kg)\";\"Seite\";\"\"\r\n");
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 8; k++) {
            const char *file = arena_print(&field.arena, "%u/IMG %04u.PNG", i % 3, 10 * i + k);
            paint(&field, arena_print(&field.arena, "Kamera/%s", file), 100 + 10 * i + k / 2, k);
            text_add(&field.table, "%s;\"%s\";%u.0%u.2023 06:%02u;%s;%u,5;%s;\r\n", file, names[i], 2 + k / 2, 4 + i, k % 2, k / 4 ? "Oberer See" : "Straße, km 3", 17 + i, k % 4 < 2 ? "links" : "rechts");
        }
    paint(&field, "Kamera/9/leer.png", 900, 0);
    text_add(&field.table, "9/leer.png;;5.5.2023 12:00;Oberer See;;;\r\n9/leer.png;Łata;28.02.2023 23:59;Oberer See;;links;\r\n");
    put(&field, "Fänge 2023 (fertig).csv", field.table.at);
    const Dataset *lynx = checked(&field, "lynx.jre");
    assert_int_equal(lynx->count, 40);
    assert_int_equal(lynx->left_out, 2);
    assert_int_equal(lynx->units, 20);
    field_close(&field);
}

static void frames_of_videos(void **state) {
    (void)state;
    Field field;
    field_open(&field);
    text_add(&field.table, "video,frame,utc,camera,track,otter,box\n");
    for (unsigned i = 0; i < 7; i++)
        for (unsigned night = 0; night < 3; night++)
            for (unsigned k = 0; k < 4; k++) {
                const char *video = arena_print(&field.arena, "cam%u_2023-11-%02u", 1 + night % 2, 2 + night);
                const char *frame = arena_print(&field.arena, "%06u", 9000 * i + 10 * k);
                paint(&field, arena_print(&field.arena, "deployment_07/%s/frame_%s.png", video, frame), 300 + 10 * i + night, k);
                text_add(&field.table, "%s,%s,2023-11-%02uT2%u:0%u:0%u.120Z,%u,%u,otter_%u,\"[12, 30, 88, 97]\"\n", video, frame, 2 + night, night, i, 2 * k, 1 + night % 2, 10 * i + night, i);
            }
    text_add(&field.table, "cam2_2023-11-03,999990,2023-11-03T21:40:00.000Z,2,99,otter_3,\n");
    put(&field, "deployment_07/tracks.csv", field.table.at);
    const Dataset *otters = checked(&field, "otters.jre");
    assert_int_equal(otters->count, 84);
    assert_int_equal(otters->skipped_files.count, 1);
    assert_int_equal(otters->units, 21);
    field_close(&field);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_without_a_table),
        cmocka_unit_test(a_spreadsheet_of_another_country),
        cmocka_unit_test(frames_of_videos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
