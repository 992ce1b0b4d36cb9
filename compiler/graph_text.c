/* graph_text.c: the text of a tensor graph, written and read.
 *
 *   %7 = conv(%3, %4, %6) stride=2 pad=1 : [N, 32, 112, 112]     # features.0  squeezenet.jre:31
 *   %8 = conv(%7, %5, _, _, %0) pad=1 { $2 = sigmoid($0); $3 = mul($2, $1) } : [N, 32, 112, 112]
 *   -> %8
 *
 * One node a line: its number, its operator, its operands (`_`: left out), attributes other than the defaults, of a weight its name and the
 * file's hash, in braces the chain it carries ($0: its own number, or of a chain the first operand), its shape. What stands behind # is for people. The last line is the result. What graph_print writes graph_read reads, and
 * writes again the same; a text from elsewhere is held against everything verify.c asks. */
#include "compiler.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static void print_attributes(const Graph *g, const Node *node, Text *out) {
    if (node->op == OP_transpose) {
        text_add(out, " order=");
        for (int i = 0; i < node->shape.rank; i++) text_add(out, "%s%d", i ? "," : "", (int)node->attribute[i]);
        return;
    }
    const OpSignature *signature = op_signature(g->compilation, node->op);
    if (node->values) {
        graph_print_values(node, "%.17g", out);
        return;
    }
    for (int i = 0; i < signature->attributes; i++)
        if (node->attribute[i] != signature->attribute_default[i] || (node->op == OP_constant && i == 0))
            text_add(out, " %s=%.17g", signature->attribute_name[i], node->attribute[i]);
}

void graph_print(const Graph *g, Text *out, bool canonical) {
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *node = g->nodes.at[i];
        text_add(out, "%%%d = %s(", node->id, op_row(node->op)->name);
        for (int k = 0; k < node->inputs; k++)
            node->in[k] ? text_add(out, "%s%%%d", k ? ", " : "", node->in[k]->id) : text_add(out, "%s_", k ? ", " : "");
        text_add(out, ")");
        print_attributes(g, node, out);
        graph_print_links(g, node, "%.17g", out);
        if (node->name) text_add(out, " \"%s\" of %s", node->name, node->weights ? node->weights->hash : "nothing");
        text_add(out, " : %s", shape_text(g->arena, node->shape));
        if (!canonical && node->origin) {
            Place place = place_of(g->compilation->jre, node->origin->span.start);
            text_add(out, "    # %s  %s:%d", node->stage ? node->stage : "", place.source ? place.source->name : "", place.line);
        }
        text_add(out, "\n");
    }
    text_add(out, "-> %%%d\n", g->output->id);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* One text being read. A mistake is told once and ends the reading. */
typedef struct { Graph *g; const Source *source; const char *at, *end; Map files; bool wrong; LIST(double) values; } Reader;

static Span span_between(const Reader *r, const char *begin, const char *end) {
    uint32_t start = r->source->base + (uint32_t)(begin - r->source->bytes);
    return (Span){start, end > begin ? start + (uint32_t)(end - begin) : start + 1};
}

static bool mistake(Reader *r, const char *begin, const char *end, const char *message, const char *help) {
    r->wrong = true;
    Diagnostic *d = diag(r->g->compilation->jre, DIAG_wrong_graph, span_between(r, begin, end), "%s", message);
    diag_help(d, "%s", help);
    return false;
}

static void skip_blanks(Reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool line_ends(Reader *r) {
    skip_blanks(r);
    if (r->at < r->end && *r->at == '#') r->at = memchr(r->at, '\n', (size_t)(r->end - r->at));
    if (!r->at) r->at = r->end;
    return r->at == r->end || *r->at == '\n';
}

static bool next_is(Reader *r, char sign) {
    skip_blanks(r);
    return r->at < r->end && *r->at == sign;
}

static bool take(Reader *r, const char *sign) {
    size_t length = strlen(sign);
    skip_blanks(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, sign, length) != 0) return false;
    r->at += length;
    return true;
}

static bool expect(Reader *r, const char *sign, const char *help) {
    if (take(r, sign)) return true;
    return mistake(r, r->at, r->at, arena_print(r->g->arena, "`%s` was expected here", sign), help);
}

/* A name of letters, digits and _; empty if there is none. */
static const char *take_word(Reader *r, const char **begin) {
    skip_blanks(r);
    *begin = r->at;
    while (r->at < r->end && (isalnum((unsigned char)*r->at) || *r->at == '_')) r->at++;
    return intern_length(r->g->compilation->jre, *begin, (size_t)(r->at - *begin));
}

static bool take_count(Reader *r, int64_t *count) {
    skip_blanks(r);
    const char *begin = r->at;
    bool fits = true;
    for (*count = 0; r->at < r->end && isdigit((unsigned char)*r->at); r->at++)
        if (__builtin_mul_overflow(*count, 10, count) || __builtin_add_overflow(*count, *r->at - '0', count)) fits = false;
    if (r->at == begin) return mistake(r, begin, begin, "a whole number was expected here", "write digits");
    return fits || mistake(r, begin, r->at, "this number is too large", "numbers go up to 9,223,372,036,854,775,807");
}

static bool take_number(Reader *r, double *number) {
    const char *begin = r->at;
    bool starts = r->at < r->end && (isalnum((unsigned char)*r->at) || strchr("+-.", *r->at));
    char *end = NULL;
    if (starts) *number = strtod(begin, &end);
    if (!starts || end == begin) return mistake(r, begin, begin, "a number was expected here", "for instance 2, 1e-05 or -inf");
    r->at = end;
    return !isnan(*number) || mistake(r, begin, end, "nan is no number", "for instance 2, 1e-05 or -inf");
}

/* `%4`, a node that stands above. */
static bool take_node(Reader *r, Node **node) {
    skip_blanks(r);
    const char *begin = r->at;
    int64_t id;
    if (!expect(r, "%", "nodes are called %0, %1, and so on") || !take_count(r, &id)) return false;
    if (id >= r->g->nodes.count)
        return mistake(r, begin, r->at, arena_print(r->g->arena, "no node above is called %%%lld", (long long)id), "operands come before what is made of them");
    *node = r->g->nodes.at[id];
    return true;
}

static bool read_operands(Reader *r, Node *node) {
    if (!expect(r, "(", "operands stand in parentheses: add(%0, %1)")) return false;
    while (!take(r, ")")) {
        if (node->inputs && !expect(r, ",", "operands are parted by commas, and end with a parenthesis")) return false;
        if (node->inputs == GRAPH_INPUTS) return mistake(r, r->at, r->at, "one operand too many", arena_print(r->g->arena, "there are at most %d", GRAPH_INPUTS));
        if (!take(r, "_") && !take_node(r, &node->in[node->inputs])) return false;
        node->inputs++;
    }
    return true;
}

static bool read_order(Reader *r, Node *node) {
    for (int i = 0; i < GRAPH_RANK; i++) {
        int64_t from;
        if (!take_count(r, &from)) return false;
        node->attribute[i] = (double)from;
        if (!next_is(r, ',')) return true;
        r->at++;
    }
    return mistake(r, r->at, r->at, "one dimension too many", arena_print(r->g->arena, "there are at most %d", GRAPH_RANK));
}

/* values=1,0.5,2: all numbers of a constant, row-major. */
static bool read_values(Reader *r, Node *node, const char *begin) {
    if (node->values) return mistake(r, begin, r->at, "this attribute is given a second time", "keep one of the two");
    if (!expect(r, "=", "values are written values=1,2,3")) return false;
    do {
        double number;
        if (!take_number(r, &number)) return false;
        list_add(r->g->arena, &r->values, number);
    } while (take(r, ","));
    node->values = r->values.at;
    return true;
}

static bool unknown_attribute(Reader *r, Op which, const char *name, const char *begin) {
    Arena *arena = r->g->arena;
    const OpSignature *signature = op_signature(r->g->compilation, which);
    const char *op = op_row(which)->name, *near = nearest_name(name, signature->attribute_name, signature->attributes);
    return mistake(r, begin, r->at, arena_print(arena, "`%s` has no attribute of this name", op),
                   near ? arena_print(arena, "did you mean `%s`?", near) : arena_print(arena, "`jre doc %s` shows what it has", op));
}

static bool read_attribute(Reader *r, Node *node, unsigned *given) {
    const char *begin;
    const char *name = take_word(r, &begin);
    if (node->op == OP_constant && !strcmp(name, "values")) return read_values(r, node, begin);
    bool order = node->op == OP_transpose && !strcmp(name, "order");
    int place = order ? 0 : op_attribute(r->g->compilation, node->op, name);
    if (place < 0) return unknown_attribute(r, node->op, name, begin);
    if (*given >> place & 1) return mistake(r, begin, r->at, "this attribute is given a second time", "keep one of the two");
    *given |= 1u << place;
    if (!expect(r, "=", "attributes are written name=number")) return false;
    return order ? read_order(r, node) : take_number(r, &node->attribute[place]);
}

/* "conv1.weight" of 0123abcd: files are told apart by their hash. */
static bool read_name(Reader *r, Node *node) {
    const char *begin = r->at++, *close = memchr(r->at, '"', (size_t)(r->end - r->at)), *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    if (!close || (newline && newline < close)) return mistake(r, begin, begin, "this name has no end", "a name ends with \" on its line");
    node->name = intern_length(r->g->compilation->jre, r->at, (size_t)(close - r->at));
    r->at = close + 1;
    if (node->op != OP_weight) return mistake(r, begin, r->at, "only a weight has a name", "take it out");
    if (!expect(r, "of", "behind the name stands the file's hash: \"conv1.weight\" of 0123abcd")) return false;
    const char *hash = take_word(r, &begin);
    if (!*hash) return mistake(r, begin, begin, "the file's hash is missing", "for instance \"conv1.weight\" of 0123abcd");
    node->weights = map_get(&r->files, hash);
    if (node->weights) return true;
    node->weights = arena_new(r->g->arena, WeightScope);
    *node->weights = (WeightScope){.path = hash, .hash = hash, .span = span_between(r, begin, r->at)};
    map_set(&r->files, r->g->arena, hash, node->weights);
    return true;
}

static bool unknown_operator(Reader *r, const char *name, const char *begin) {
    const char *names[OP_COUNT];
    for (int op = 0; op < OP_COUNT; op++) names[op] = op_row((Op)op)->name;
    const char *near = nearest_name(name, names, OP_COUNT);
    return mistake(r, begin, r->at, "no operator is called so", near ? arena_print(r->g->arena, "did you mean `%s`?", near) : "`jre doc` lists the operators");
}

/* `$3`, a value of the chain that stands before. */
static bool take_value(Reader *r, int below, int *value) {
    skip_blanks(r);
    const char *begin = r->at;
    int64_t number;
    if (!expect(r, "$", "values of a chain are called $0, $1, and so on") || !take_count(r, &number)) return false;
    if (number >= below) return mistake(r, begin, r->at, "this value is not made yet", "what comes in is counted first, then each link");
    *value = (int)number;
    return true;
}

static bool read_link_attributes(Reader *r, Link *link) {
    const OpSignature *signature = op_signature(r->g->compilation, link->op);
    for (int i = 0; i < signature->attributes && i < 2; i++) link->attribute[i] = signature->attribute_default[i];
    for (skip_blanks(r); r->at < r->end && isalpha((unsigned char)*r->at); skip_blanks(r)) {
        const char *begin;
        const char *name = take_word(r, &begin);
        int place = op_attribute(r->g->compilation, link->op, name);
        if (place < 0 || place > 1) return unknown_attribute(r, link->op, name, begin);
        if (!expect(r, "=", "attributes are written name=number") || !take_number(r, &link->attribute[place])) return false;
    }
    return true;
}

static bool read_link(Reader *r, Links *links) {
    const char *begin;
    if (links->count == GRAPH_LINKS)
        return mistake(r, r->at, r->at, "one link too many", arena_print(r->g->arena, "a chain has at most %d", GRAPH_LINKS));
    Link *link = &links->link[links->count];
    const char *name = take_word(r, &begin);
    link->op = op_find(name);
    if (link->op == OP_COUNT) return unknown_operator(r, name, begin);
    int operands = op_signature(r->g->compilation, link->op)->data;
    if (!expect(r, "(", "operands stand in parentheses: mul($0, $1)")) return false;
    for (int k = 0; k < operands && k < 3; k++) {
        if (k && !expect(r, ",", "operands are parted by commas")) return false;
        if (!take_value(r, links->sources + links->count, &link->operand[k])) return false;
    }
    if (!expect(r, ")", "operands end with a parenthesis") || !read_link_attributes(r, link)) return false;
    Origin *origin = arena_new(r->g->arena, Origin);
    origin->span = span_between(r, begin, r->at);
    link->origin = origin;
    links->count++;
    return true;
}

/* { $1 = sigmoid($0); $2 = mul($0, $1) }: the first number says how many values come in. */
static bool read_links(Reader *r, Node *node) {
    Links *links = arena_new(r->g->arena, Links);
    node->links = links;
    do {
        skip_blanks(r);
        const char *begin = r->at;
        int64_t made;
        if (!expect(r, "$", "values of a chain are called $0, $1, and so on") || !take_count(r, &made)) return false;
        if (!links->count) links->sources = made < node->inputs + 1 ? (int)made : node->inputs + 1;
        if (made != links->sources + links->count)
            return mistake(r, begin, r->at, arena_print(r->g->arena, "this is value $%d", links->sources + links->count), "what comes in is counted first, then each link");
        if (!expect(r, "=", "for instance $2 = mul($0, $1)") || !read_link(r, links)) return false;
    } while (take(r, ";"));
    links->first = node->op == OP_chain ? 0 : node->inputs - links->sources + 1;
    return expect(r, "}", "links are parted by semicolons, and end with a brace");
}

static bool read_shape(Reader *r, Node *node, const char **begin) {
    if (!expect(r, ":", "behind a node stands its shape: %2 = add(%0, %1) : [N, 3]")) return false;
    skip_blanks(r);
    *begin = r->at;
    if (!expect(r, "[", "a shape is written [N, 3, 224, 224]")) return false;
    while (!take(r, "]")) {
        if (node->shape.rank && !expect(r, ",", "sizes are parted by commas, and end with a bracket")) return false;
        if (node->shape.rank == GRAPH_RANK) return mistake(r, r->at, r->at, "one dimension too many", arena_print(r->g->arena, "there are at most %d", GRAPH_RANK));
        int64_t *size = &node->shape.dim[node->shape.rank++];
        if (take(r, "N")) *size = DIM_BATCH;
        else if (!take_count(r, size)) return false;
    }
    return true;
}

static bool read_operator(Reader *r, Node *node, const char **begin) {
    const char *name = take_word(r, begin);
    node->op = op_find(name);
    if (node->op == OP_COUNT) return unknown_operator(r, name, *begin);
    const OpSignature *signature = op_signature(r->g->compilation, node->op);
    for (int i = 0; i < signature->attributes; i++) node->attribute[i] = signature->attribute_default[i];
    return true;
}

/* What stands between the operands and the shape: attributes in any order, a weight's name, a chain. */
static bool read_rest(Reader *r, Node *node) {
    unsigned given = 0;
    for (;;) {
        skip_blanks(r);
        char next = r->at < r->end ? *r->at : 0;
        if (next == '"' && !node->name) {
            if (!read_name(r, node)) return false;
        } else if (isalpha((unsigned char)next)) {
            if (!read_attribute(r, node, &given)) return false;
        } else if (!node->links && take(r, "{")) {
            if (!read_links(r, node)) return false;
        } else {
            return true;
        }
    }
}

static bool read_node(Reader *r) {
    Graph *g = r->g;
    const char *line = r->at, *name, *shape;
    Node node = {0};
    int64_t id;
    if (!expect(r, "%", "a line is a node, %2 = add(%0, %1) : [N, 3], or at the end the result, -> %2") || !take_count(r, &id)) return false;
    if (id != g->nodes.count) return mistake(r, line, r->at, arena_print(g->arena, "this is node %d", g->nodes.count), "nodes are numbered as they stand");
    if (!expect(r, "=", "for instance %2 = add(%0, %1) : [N, 3]") || !read_operator(r, &node, &name)) return false;
    const char *behind_name = r->at;
    if (!read_operands(r, &node)) return false;
    memset(&r->values, 0, sizeof r->values);
    if (!read_rest(r, &node) || !read_shape(r, &node, &shape)) return false;
    const char *end = r->at;
    if (node.values && (shape_elements(node.shape, 0) != r->values.count))
        return mistake(r, shape, end, arena_print(g->arena, "%d values stand before this shape", r->values.count), "give as many values as the shape has places, and no batch");
    if (!line_ends(r)) return mistake(r, r->at, r->at, "the line goes on behind the shape", "only a comment may follow: # ...");
    Origin *origin = arena_new(g->arena, Origin);
    origin->span = span_between(r, line, end);
    node.origin = origin;
    Shape made;
    const char *why = node_unsound(g, &node, &made);
    if (!why) {
        Node *added = graph_append(g, &node);
        if (node.op == OP_input && !g->input) g->input = added;
        return true;
    }
    if (!shape_equal(made, node.shape)) return mistake(r, shape, end, why, arena_print(g->arena, "it makes %s", shape_text(g->arena, made)));
    return mistake(r, name, behind_name, why, arena_print(g->arena, "`jre doc %s` shows what it wants", op_row(node.op)->name));
}

static bool read_result(Reader *r) {
    if (!take_node(r, &r->g->output)) return false;
    return line_ends(r) || mistake(r, r->at, r->at, "the line goes on behind the result", "only a comment may follow: # ...");
}

Graph *graph_read(Compilation *c, const Source *source) {
    Reader r = {.g = graph_new(c), .source = source, .at = source->bytes, .end = source->bytes + source->length};
    while (r.at < r.end && !r.wrong) {
        if (line_ends(&r)) r.at += r.at < r.end;
        else if (r.g->output) mistake(&r, r.at, r.at, "behind the result nothing follows", "take it out");
        else if (take(&r, "->")) read_result(&r);
        else read_node(&r);
    }
    if (!r.wrong && !r.g->output) mistake(&r, r.end, r.end, "the graph has no result", "end it with -> and a node");
    return r.wrong ? NULL : r.g;
}
