/*
 * Files in the layout of the contest: train.csv, test.csv, sample_submission.csv, train/train/train_0001.png, test/test/test_0001.png;
 * besides these solution.csv (who is on the test pictures) and facts.csv (what the painter knows), which no contest would hand out.
 * train.csv is written last: where it stands, everything else does.
 */
#include "jaguars.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096 };

static bool folder_make(const char *folder, const char *inside) {
    char path[PATH_ROOM];
    if (snprintf(path, sizeof path, "%s%s", folder, inside) >= PATH_ROOM)
        return false;
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return false;
    errno = 0;                            /* a folder that was there is no mistake to be told of later */
    return true;
}

bool write_folders(const char *folder) {
    return folder_make(folder, "") && folder_make(folder, "/train") && folder_make(folder, "/train/train") &&
           folder_make(folder, "/test") && folder_make(folder, "/test/test");
}

static void shot_name(char *name, size_t room, const Shot *shot) {
    snprintf(name, room, "%s_%04d.png", shot->test ? "test" : "train", shot->file);
}

static bool png_rows(png_structp png, png_infop info, FILE *file, const Picture *picture) {
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_init_io(png, file);
    png_set_compression_level(png, 3);
    png_set_filter(png, 0, PNG_FILTER_SUB);
    png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8, PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < picture->height; y++)
        png_write_row(png, &picture->pixels[(size_t)y * (size_t)picture->width * 4]);
    png_write_end(png, info);
    return true;
}

bool write_picture(const char *folder, const Plan *plan, int shot, const Picture *picture) {
    char name[32], path[PATH_ROOM];
    shot_name(name, sizeof name, &plan->shots[shot]);
    const char *split = plan->shots[shot].test ? "test/test" : "train/train";
    if (snprintf(path, sizeof path, "%s/%s/%s", folder, split, name) >= PATH_ROOM)
        return false;
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool written = info && png_rows(png, info, file, picture);
    png_destroy_write_struct(&png, &info);
    return fclose(file) == 0 && written;
}

/* ---- tables ---- */

static FILE *table_open(const char *folder, const char *name) {
    char path[PATH_ROOM];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < PATH_ROOM ? fopen(path, "wb") : NULL;
}

static bool table_close(FILE *table) {
    bool clean = !ferror(table);
    return fclose(table) == 0 && clean;
}

static bool write_identities(const char *folder, const char *name, const Plan *plan, bool test, int most) {
    FILE *table = table_open(folder, name);
    if (!table)
        return false;
    fputs("filename,ground_truth\n", table);
    for (int i = 0; i < PICTURES; i++) {
        char file[32];
        shot_name(file, sizeof file, &plan->shots[i]);
        if (plan->shots[i].test == test && plan->shots[i].file <= most)
            fprintf(table, "%s,%s\n", file, individual_names[plan->shots[i].individual]);
    }
    return table_close(table);
}

/* All ordered pairs of test pictures, none with itself; the sample submission says nothing about any of them. */
static bool write_pairs(const char *folder, int pictures) {
    FILE *pairs = table_open(folder, "test.csv"), *submission = table_open(folder, "sample_submission.csv");
    if (pairs && submission) {
        fputs("row_id,query_image,gallery_image\n", pairs);
        fputs("row_id,similarity\n", submission);
        int row = 0;
        for (int query = 1; query <= pictures; query++) {
            for (int gallery = 1; gallery <= pictures; gallery++) {
                if (query == gallery)
                    continue;
                fprintf(pairs, "%d,test_%04d.png,test_%04d.png\n", row, query, gallery);
                fprintf(submission, "%d,0.0\n", row++);
            }
        }
    }
    bool pairs_done = pairs && table_close(pairs), submission_done = submission && table_close(submission);
    return pairs_done && submission_done;
}

static bool write_facts(const char *folder, const Plan *plan, int most) {
    FILE *table = table_open(folder, "facts.csv");
    if (!table)
        return false;
    fputs("filename,ground_truth,flank,burst,frame,view\n", table);
    for (int i = 0; i < PICTURES; i++) {
        const Shot *shot = &plan->shots[i];
        if (shot->file > most)
            continue;
        char file[32];
        shot_name(file, sizeof file, shot);
        fprintf(table, "%s,%s,%s,%d,%d,%s\n", file, individual_names[shot->individual], shot->flank ? "right" : "left", shot->burst,
                shot->frame, view_names[shot->view]);
    }
    return table_close(table);
}

bool write_tables(const char *folder, const Plan *plan, int only) {
    int most = only ? only : PICTURES;
    return write_facts(folder, plan, most) && write_pairs(folder, most < TEST_PICTURES ? most : TEST_PICTURES) &&
           write_identities(folder, "solution.csv", plan, true, most) && write_identities(folder, "train.csv", plan, false, most);
}
