/* table.c: a libFuzzer target: a condition on the first line, any bytes as a table below it, and the condition asked of every row and of pairs
 * of rows. Built and run by fuzz.sh. What finds no crash must still keep promises: a pair that is asked twice gets one answer. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *file_of(const uint8_t *bytes, size_t length) {
    static char path[64];
    if (!*path) snprintf(path, sizeof path, "/dev/shm/jre-fuzz-%d.csv", (int)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length) abort();
    close(file);
    return path;
}

/* What compiler/conditions.c lets through, as far as shapes of expressions go. */
static bool operand(const Expr *e) {
    if (e->kind == EXPR_NEGATE) return e->left->kind == EXPR_NUMBER;
    return e->kind == EXPR_NAME || e->kind == EXPR_NUMBER || e->kind == EXPR_TEXT || e->kind == EXPR_TRUTH;
}

static bool is_condition(const Expr *e, bool pairs) {
    if (!e) return false;
    if (e->kind == EXPR_NOT) return is_condition(e->left, pairs);
    if (e->kind == EXPR_BINARY && (e->op == BINARY_and || e->op == BINARY_or)) return is_condition(e->left, pairs) && is_condition(e->right, pairs);
    if (e->kind == EXPR_BINARY) return e->op >= BINARY_eq && e->op <= BINARY_ge && operand(e->left) && operand(e->right);
    if (e->kind == EXPR_CALL) return pairs && e->arguments.count == 1 && operand(e->arguments.at[0].value);
    return e->kind == EXPR_NAME || e->kind == EXPR_TEXT || e->kind == EXPR_TRUTH;
}

static void make_dataset(Jre *jre, const Table *table, Dataset *dataset) {
    int columns = table->columns.count;
    dataset->columns = table->columns;
    dataset->count = table->rows < 12 ? table->rows : 12;
    dataset->pictures = arena_array(&jre->forever, Picture, dataset->count + 1);
    for (int i = 0; i < dataset->count; i++) {
        Picture *picture = &dataset->pictures[i];
        const char *const *cells = &table->cells[(size_t)i * (size_t)columns];
        *picture = (Picture){.cells = cells, .identity = cells[0], .flank = *cells[columns - 1] ? cells[columns - 1] : NULL, .taken = cells[columns / 2], .width = i * 50, .height = 100, .unit = i / 2};
        if (!cell_time(picture->taken, &picture->seconds)) picture->taken = NULL;
    }
}

static void ask_pairs(Jre *jre, const Dataset *dataset, const Expr *condition) {
    int rows[12];
    for (int i = 0; i < dataset->count; i++) rows[i] = i;
    const PairRule *rule = pair_rule(&jre->forever, condition, dataset, rows, dataset->count, dataset, rows, dataset->count);
    for (int i = 0; i < dataset->count; i++)
        for (int j = 0; j < dataset->count; j++)
            if (pair_allowed(rule, i, j) != pair_allowed(rule, i, j)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    const uint8_t *end = length ? memchr(bytes, '\n', length) : NULL;
    if (!end) return 0;
    Jre *jre = jre_new();
    Table table;
    DatasetPlan plan = {.name = "any", .burst = length % 2 ? BURST_COLUMN : BURST_TIME};
    Dataset dataset = {.plan = &plan};
    size_t line = (size_t)(end - bytes);
    const char *equation = arena_print(&jre->forever, "c = %.*s", (int)line, (const char *)bytes);
    Chunk *chunk = parse_chunk(jre, source_from_text(jre, "condition", equation, strlen(equation)));
    const Expr *condition = chunk->statements.count && !diag_any_error(jre) ? chunk->statements.at[0]->value : NULL;
    if (table_read(jre, file_of(end + 1, length - line - 1), NOWHERE, &table)) {
        make_dataset(jre, &table, &dataset);
        for (int i = 0; i < dataset.count && is_condition(condition, false); i++) {
            bool holds = condition_holds(&dataset, i, condition);
            if (condition_trouble(&jre->forever, &dataset, i, condition) == NULL && holds != condition_holds(&dataset, i, condition)) abort();
        }
        if (is_condition(condition, true)) ask_pairs(jre, &dataset, condition);
    }
    diag_print_all(jre, nowhere, false, false);
    jre_free(jre);
    return 0;
}
