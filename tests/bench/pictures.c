/* bench/pictures.c: pictures a second from files to numbers, and from the cache to numbers.
 *
 *   pictures [ROOT [ROUNDS]]       build/sample 3 if not given
 *
 * What is timed is the loader alone, one thread, with the view and the pictures of pictures.jre: reading, decoding, filling, resizing and
 * normalizing; then the same once more from the pictures that were kept. Best of several rounds; each begins with an empty store. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/runtime.h"

enum { BATCH = 16 };

typedef struct { Session *session; const View *view; PictureLook *looks; int count; } Album;

/* Every picture once; 0: one could not be read. */
static double pictures_a_second(const Album *album, PictureCache *cache) {
    const double started = seconds_now();
    Loader *loader = loader_new(album->session->jre, album->view, album->looks, album->count, BATCH, album->session->pool, cache);
    const float *pixels;
    int done = 0, got;
    while ((got = loader_next(loader, &pixels)) > 0)
        done += got;
    loader_free(loader);
    return done == album->count ? done / (seconds_now() - started) : 0;
}

static bool open_album(Jre *jre, const char *root, const char *into, Compilation *c, Album *album) {
    RunOptions options = { .out = stdout, .quiet = true, .threads = 1, .into = into };
    album->session = session_open(jre, &options);
    if (!album->session)
        return false;
    Facts facts = session_facts(album->session);
    CompileRequest request = { .path = "tests/bench/pictures.jre" };
    const char *set = arena_print(&jre->forever, "pictures.root=\"%s\"", root);
    list_add(&jre->forever, &request.set, set);
    if (!compile(c, jre, &request, &facts, false))
        return false;
    album->view = c->plan->embeds.at[0]->view;
    const Dataset *dataset = session_dataset(album->session, c->plan->datasets.at[0]);
    if (!dataset)
        return false;
    int *which = arena_array(&jre->forever, int, dataset->count);
    for (int i = 0; i < dataset->count; i++)
        which[i] = i;
    album->looks = arena_array(&jre->forever, PictureLook, dataset->count);
    album->count = dataset->count;
    return picture_looks(jre, dataset, album->view, which, dataset->count, album->looks);
}

int main(int count, char **arguments) {
    const char *root = count > 1 ? arguments[1] : "build/sample";
    const int rounds = count > 2 ? atoi(arguments[2]) : 3;
    double cold = 0, cached = 0;
    int pictures = 0;
    for (int round = 0; round < rounds; round++) {
        char folder[] = "/tmp/jre-bench-XXXXXX";
        if (!mkdtemp(folder))
            return 1;
        Jre *jre = jre_new();
        Compilation c = {0};
        Album album = {0};
        char absolute[4096];
        const bool sound = realpath(root, absolute) && open_album(jre, absolute, folder, &c, &album);
        if (sound) {
            PictureCache *cache = cache_open(jre, &album.session->store, 0);
            pictures = album.count;
            cold = fmax(cold, pictures_a_second(&album, NULL));
            pictures_a_second(&album, cache);
            cached = fmax(cached, pictures_a_second(&album, cache));
            cache_close(cache);
        } else {
            diag_print_all(jre, stderr, false, false);
        }
        compilation_free(&c);
        if (album.session)
            session_close(album.session);
        jre_free(jre);
        char command[64];
        snprintf(command, sizeof command, "rm -rf %s", folder);
        if (system(command) != 0 || !sound)
            return 1;
    }
    printf("%d pictures, one thread: cold %.1f a second, cached %.1f a second\n", pictures, cold, cached);
    return 0;
}
