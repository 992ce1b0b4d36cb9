/* registry.c: the kernels that this program was linked with, and the best one for a call.
 *
 * Kernels register themselves in the linker section `jre_kernels` (KERNEL in kernels.h), so no list is kept by hand.
 * The objects must be linked directly: from a static archive they would not be taken. */
#include "kernels.h"

#include <string.h>

extern const Kernel *const __start_jre_kernels[];
extern const Kernel *const __stop_jre_kernels[];

int kernel_count(void) { return (int)(__stop_jre_kernels - __start_jre_kernels); }

const Kernel *kernel_at(int index) {
    return index >= 0 && index < kernel_count() ? __start_jre_kernels[index] : NULL;
}

/* What the x86-64 psABI asks of each level, as far as the two compilers can name it: the others always come along. */
static int highest_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) return 0;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi") ||
        !__builtin_cpu_supports("bmi2"))
        return 2;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512cd") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return 3;
    return 4;
#else
    return 0;
#endif
}

int kernel_level(const char *forced) {
    int highest = highest_level();
    if (!forced) return highest;
    for (int level = 0; level <= highest; level++)
        if (kernel_level_name(level) && strcmp(kernel_level_name(level), forced) == 0) return level;
    return -1;
}

const char *kernel_level_name(int level) {
#if defined(__x86_64__)
    static const char *const names[] = {NULL, NULL, "v2", "v3", "v4"};
#elif defined(__aarch64__)
    static const char *const names[] = {"neon"};
#else
    static const char *const names[] = {NULL};
#endif
    return level >= 0 && level < (int)(sizeof names / sizeof *names) ? names[level] : NULL;
}

int kernel_level_lanes(int level) { return level == 4 ? 16 : level == 3 ? 8 : 4; }

static bool better(const Kernel *kernel, const Kernel *than) {
    if (!than) return true;
    bool plain = strcmp(kernel->variant, "reference") == 0, than_plain = strcmp(than->variant, "reference") == 0;
    if (plain != than_plain) return than_plain;
    if (kernel->level != than->level) return kernel->level > than->level;
    return kernel->preference > than->preference;
}

const Kernel *kernel_find(const char *op, const char *device, const char *variant, int level, const KernelCall *call) {
    const Kernel *best = NULL;
    for (int i = 0; i < kernel_count(); i++) {
        const Kernel *kernel = kernel_at(i);
        if (kernel->level > level || kernel->type != call->out.type) continue;
        if (strcmp(kernel->op, op) != 0 || strcmp(kernel->device, device) != 0) continue;
        if (variant && strcmp(kernel->variant, variant) != 0) continue;
        if (!better(kernel, best)) continue;
        if (kernel->fits && !kernel->fits(call)) continue;
        best = kernel;
    }
    return best;
}

extern const KernelLimit *const __start_jre_limits[];
extern const KernelLimit *const __stop_jre_limits[];

const KernelLimit *kernel_limit(int level) {
    const KernelLimit *best = NULL;
    for (const KernelLimit *const *row = __start_jre_limits; row < __stop_jre_limits; row++)
        if ((*row)->level <= level && (!best || (*row)->level > best->level)) best = *row;
    return best;
}

/* The number is raised by hand with any change of arithmetic; another compiler may contract or order differently too. */
#ifdef __clang__
const char *kernel_library_version(void) { return "2, " __VERSION__; }
#else
const char *kernel_library_version(void) { return "2, gcc " __VERSION__; }
#endif

bool view_row_major(const TensorView *view) {
    int64_t stride = 1;
    for (int i = view->rank - 1; i >= 0; i--) {
        if (view->dim[i] != 1 && view->stride[i] != stride) return false;
        stride *= view->dim[i];
    }
    return true;
}
