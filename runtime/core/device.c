/* device.c: the processor as a device.
 *
 * Memory handles are plain pointers here, and every command is done when its function returns. A kernel's units are
 * cut into one contiguous range a thread, by arithmetic alone: which thread runs a unit never depends on timing, and by the
 * kernels' contract the cut does not change a bit of the result. Workspace belongs to the device and only grows; it is
 * made by the calling thread, since running out of memory unwinds, which no thread of the pool could do. */
#include <string.h>

#include "../runtime.h"

enum { LINE = 64 };

typedef struct {
    Jre *jre;
    Pool *pool;
    int threads;
    char *workspace;                      /* `workspace_each` bytes for each thread */
    size_t workspace_each;
} Cpu;

static DeviceMemory cpu_allocate(Device *device, size_t bytes) {
    Cpu *cpu = device->state;
    return (DeviceMemory)jre_allocate_aligned(cpu->jre, bytes ? bytes : LINE, LINE);
}

static void cpu_release(Device *device, DeviceMemory memory) {
    (void)device;
    if (memory) jre_release((void *)memory);
}

static void cpu_copy_in(Device *device, DeviceMemory to, const void *from, size_t bytes) {
    (void)device;
    if (bytes) memcpy((void *)to, from, bytes);
}

static void cpu_copy_out(Device *device, void *to, DeviceMemory from, size_t bytes) {
    (void)device;
    if (bytes) memcpy(to, (const void *)from, bytes);
}

static void cpu_pack(Device *device, const Kernel *kernel, const KernelCall *call, DeviceMemory packed) {
    (void)device;
    kernel->pack(call, (void *)packed);
}

static void make_workspace(Cpu *cpu, size_t bytes) {
    if (bytes <= cpu->workspace_each) return;
    size_t each = (bytes + LINE - 1) / LINE * LINE + LINE;         /* an unused line keeps threads off each other's */
    if (cpu->workspace) jre_release(cpu->workspace);
    cpu->workspace = NULL;
    cpu->workspace_each = 0;
    cpu->workspace = jre_allocate_aligned(cpu->jre, each * (size_t)cpu->threads, LINE);
    cpu->workspace_each = each;
}

static int64_t numbers_touched(const KernelCall *call) {
    int64_t count = view_elements(&call->out);
    for (int i = 0; i < call->inputs; i++)
        if (call->in[i].data) count += view_elements(&call->in[i]);
    return count;
}

typedef struct { const Cpu *cpu; const Kernel *kernel; const KernelCall *call; int64_t units; } Share;

static void run_share(void *context, int part, int parts) {
    const Share *share = context;
    KernelCall call = *share->call;
    call.workspace = share->cpu->workspace ? share->cpu->workspace + (size_t)part * share->cpu->workspace_each : NULL;
    int64_t first = share->units * part / parts, end = share->units * (part + 1) / parts;
    if (first < end) share->kernel->run(&call, first, end);
}

static void cpu_launch(Device *device, const Kernel *kernel, const KernelCall *call) {
    Cpu *cpu = device->state;
    make_workspace(cpu, kernel->workspace_bytes ? kernel->workspace_bytes(call) : 0);
    Share share = {.cpu = cpu, .kernel = kernel, .call = call, .units = kernel->units(call)};
    if (cpu->threads == 1 || share.units < 2 || numbers_touched(call) < WORTH_SHARING)
        run_share(&share, 0, 1);
    else
        pool_run(cpu->pool, run_share, &share);
}

static void cpu_synchronize(Device *device) { (void)device; }

static void cpu_close(Device *device) {
    Cpu *cpu = device->state;
    if (cpu->workspace) jre_release(cpu->workspace);
    jre_release(cpu);
    jre_release(device);
}

Device *device_open_cpu(Jre *jre, Pool *pool, int level) {
    Cpu *cpu = jre_allocate(jre, sizeof *cpu);
    *cpu = (Cpu){.jre = jre, .pool = pool, .threads = pool ? pool_threads(pool) : 1};
    Device *device = jre_allocate(jre, sizeof *device);
    *device = (Device){
        .name = "cpu", .kernels = "cpu", .level = level, .state = cpu,
        .allocate = cpu_allocate, .release = cpu_release, .copy_in = cpu_copy_in, .copy_out = cpu_copy_out,
        .pack = cpu_pack, .launch = cpu_launch, .synchronize = cpu_synchronize, .close = cpu_close,
    };
    return device;
}
