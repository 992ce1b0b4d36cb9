/* finite.c: numbers that are not finite, and whose line they are charged to. */
#include <math.h>

#include "../runtime.h"

/* Adds the library's line, where it is another than the user's. */
Diagnostic *with_library_line(Diagnostic *d, const Node *node, Span user) {
    Span inner = node->origin ? node->origin->span : NOWHERE;
    if (inner.start != user.start || inner.end != user.end) diag_also(d, inner, "which comes to this line");
    return d;
}

/* The worst there is; *where is the first of that kind. */
Finiteness finiteness(const float *values, int64_t count, int64_t *where) {
    Finiteness worst = ALL_FINITE;
    *where = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(values[i])) continue;
        Finiteness found = isnan(values[i]) ? SOME_NAN : SOME_INFINITE;
        if (found <= worst) continue;
        worst = found;
        *where = i;
        if (worst == SOME_NAN) break;
    }
    return worst;
}

const char *finiteness_text(Finiteness found) { return found == SOME_NAN ? "NaN" : "infinite values"; }

/* Told before anything is computed: a maximum may swallow a NaN, and the result would be wrong and look right. */
bool tell_unsound(Jre *jre, const Unsound *unsound) {
    const Node *first = unsound->first;
    if (!first) return true;
    Diagnostic *d = diag(jre, DIAG_not_a_number, first->weights->span, "`%s` in `%s` holds %s", first->name, first->weights->path, finiteness_text(unsound->worst));
    if (unsound->names.count > 1) diag_fact(d, "so do others: %s", names_listed(&jre->forever, &unsound->names, 10));
    diag_help(d, "the training that wrote this file went astray, or the file is damaged: take another");
    return false;
}

static void tell_picture(Diagnostic *d, int64_t picture, int asked, const char *file) {
    if (file) diag_fact(d, "first in the picture `%s`", file);
    else diag_fact(d, "first in picture %lld of a batch of %d", (long long)picture + 1, asked);
}

void charge_input(Jre *jre, Span span, Finiteness found, int64_t picture, int asked, const char *file) {
    tell_picture(diag(jre, DIAG_not_a_number, span, "the numbers that came into the network already hold %s", finiteness_text(found)), picture, asked, file);
}

void charge_node(Jre *jre, const Node *node, Finiteness found, int64_t picture, int asked, const char *file) {
    Span user = origin_user_span(node->origin);
    Diagnostic *d = diag(jre, DIAG_not_a_number, user, "`%s` gives %s here, the first in the network to do so",
                         op_row(node->op)->name, finiteness_text(found));
    with_library_line(d, node, user);
    if (node->stage) diag_fact(d, "in stage `%s`", node->stage);
    if (node->shape.rank && node->shape.dim[0] == DIM_BATCH) tell_picture(d, picture, asked, file);
}
