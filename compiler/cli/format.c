/* format.c: jre fmt: documents in the one style, in place. A file with a mistake in it is left alone. */
#include "cli.h"

#include <string.h>

/* ---- one file --------------------------------------------------------------------------------------------------------- */

typedef enum { FORMAT_same, FORMAT_changed, FORMAT_failed } Formatted;

static Formatted format_text(Jre *jre, const Source *source, const Document *document, Text *out) {
    if (!format_document(jre, document, out)) return FORMAT_failed;
    bool same = out->length == source->length && (!out->length || !memcmp(out->at, source->bytes, out->length));
    return same ? FORMAT_same : FORMAT_changed;
}

static Formatted format_file(Jre *jre, const Options *options, const char *path) {
    bool piped = !strcmp(path, "-");
    Text text = {.jre = jre};
    Source *source = source_read(jre, piped ? "/dev/stdin" : path, NOWHERE);
    if (!source) return FORMAT_failed;
    int before = diag_count(jre, SEVERITY_ERROR);
    const Document *document = parse_document(jre, source);
    Formatted result = diag_count(jre, SEVERITY_ERROR) == before ? format_text(jre, source, document, &text) : FORMAT_failed;
    if (result != FORMAT_failed && (piped || options->to_stdout) && !options->only_check)
        fwrite(text.at ? text.at : "", 1, text.length, stdout);
    else if (result == FORMAT_changed && options->only_check)
        printf("%s would change\n", path);
    else if (result == FORMAT_changed) {
        if (!file_write(jre, path, NOWHERE, text.at, text.length)) result = FORMAT_failed;
        else if (!options->run.quiet) printf("%s changed\n", path);
    }
    text_free(&text);
    return result;
}

/* ---- the subcommand ------------------------------------------------------------------------------------------------------ */

int format_command(Jre *jre, Options *options) {
    bool changed = false;
    if (!options->names.count) {
        Diagnostic *d = diag(jre, DIAG_wrong_argument, NOWHERE, "a document was expected");
        diag_help(d, "for instance: jre fmt pipelines/v01.jre; `jre fmt -` reads from the standard input");
    }
    for (int i = 0; i < options->names.count; i++) changed |= format_file(jre, options, options->names.at[i]) == FORMAT_changed;
    int status = report_findings(jre, options);
    return status ? status : options->only_check && changed;
}
