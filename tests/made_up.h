/* made_up.h: library networks with weights that nobody trained: each is a function of its name (hash_weights.h), so another program can make the same. */
#ifndef JRE_MADE_UP_H
#define JRE_MADE_UP_H

#include "../runtime/runtime.h"
#include "hash_weights.h"

static inline bool made_up_exists(void *context, const char *path) { (void)context; (void)path; return true; }
static inline const char *made_up_hash(void *context, const char *path, Span asked_at) { (void)context; (void)path; (void)asked_at; return "0"; }
static inline const WeightFacts *made_up_weights(void *context, const char *path, Span asked_at) {
    static const WeightFacts facts = {.path = "made up", .made_up = true};
    (void)context; (void)path; (void)asked_at;
    return &facts;
}

/* The session's facts, but every file of weights is there with whatever is asked of it. */
static inline Facts made_up_facts(Session *session) {
    Facts facts = session_facts(session);
    facts.file_exists = made_up_exists;
    facts.content_hash = made_up_hash;
    facts.weights = made_up_weights;
    return facts;
}

/* Values for every weight that the program asks for, in a file that its scopes then name. */
static inline bool made_up_write(Jre *jre, const Program *program, const char *path, double gain) {
    LIST(const char *) names = {0};
    LIST(Array) arrays = {0};
    for (int i = 0; i < program->graph->nodes.count; i++) {
        Node *node = program->graph->nodes.at[i];
        if (node->op != OP_weight) continue;
        Array array = {.rank = node->shape.rank, .values = arena_array(&jre->forever, float, shape_elements(node->shape, 1))};
        for (int d = 0; d < array.rank; d++) array.dim[d] = node->shape.dim[d];
        hash_fill(node->name, 1, gain, array.rank, array.dim, array.values);
        list_add(&jre->forever, &names, node->name);
        list_add(&jre->forever, &arrays, array);
        node->weights->path = path;
    }
    return safetensors_write(jre, path, NOWHERE, names.count, names.at, arrays.at);
}

static inline void made_up_input(float *input, size_t count) {
    uint64_t base = hash_base("input", 1);
    for (size_t i = 0; i < count; i++) input[i] = 2 * hash_unit(base, i);
}

#endif
