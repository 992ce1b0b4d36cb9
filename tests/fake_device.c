/* fake_device.c: see fake_device.h. Handles are translated when a command is done, not when it is given. */
#include "fake_device.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, BUFFERS = 1024 };
static const size_t region_bytes = (size_t)1 << 33;

typedef struct { DeviceMemory handle; size_t bytes; char *real; } Buffer;
typedef enum { COMMAND_COPY_IN, COMMAND_COPY_OUT, COMMAND_PACK, COMMAND_LAUNCH } CommandKind;
typedef struct Command {
    CommandKind kind;
    DeviceMemory memory; size_t bytes;
    void *host;                           /* COPY_IN: an own copy; COPY_OUT: the caller's */
    const Kernel *kernel; KernelCall call;
    struct Command *next;
} Command;

typedef struct {
    Jre *jre;
    char *region; size_t used, held, limit;
    Buffer buffers[BUFFERS];
    int faults, launches;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t given, done;
    Command *first, *last;
    bool busy, closing;
} Fake;

/* ---- behind the handles, on the device's thread --------------------------------------------------------------------- */

/* NULL: [memory, memory + bytes) is in no buffer. */
static void *behind(Fake *fake, DeviceMemory memory, size_t bytes) {
    for (int i = 0; i < BUFFERS; i++) {
        Buffer *b = &fake->buffers[i];
        if (b->handle && memory >= b->handle && memory - b->handle <= b->bytes && bytes <= b->bytes - (memory - b->handle))
            return b->real + (memory - b->handle);
    }
    fake->faults++;
    return NULL;
}

static bool translate_view(Fake *fake, TensorView *view) {
    if (!view->data) return true;
    size_t reach = 1;
    for (int i = 0; i < view->rank; i++) reach += (size_t)((view->dim[i] - 1) * view->stride[i]);
    view->data = behind(fake, (DeviceMemory)view->data, reach * sizeof(float));
    return view->data;
}

static bool translate_call(Fake *fake, const Kernel *kernel, KernelCall *call) {
    bool sound = translate_view(fake, &call->out);
    for (int i = 0; i < KERNEL_INPUTS; i++) sound = translate_view(fake, &call->in[i]) && sound;
    if (!sound || !call->packed) return sound;
    call->packed = behind(fake, (DeviceMemory)call->packed, kernel->packed_bytes(call));
    return call->packed;
}

static void run_kernel(Fake *fake, const Kernel *kernel, KernelCall *call) {
    fake->launches++;
    size_t bytes = kernel->workspace_bytes ? kernel->workspace_bytes(call) : 0;
    void *workspace = NULL;
    if (bytes && posix_memalign(&workspace, 64, bytes) != 0) return;
    call->workspace = workspace;
    int64_t units = kernel->units(call);
    for (int64_t i = units; i > 0; i--) kernel->run(call, i - 1, i);       /* backwards: order must not matter */
    free(workspace);
}

static void perform(Fake *fake, Command *command) {
    void *memory;
    switch (command->kind) {
    case COMMAND_COPY_IN:
        if ((memory = behind(fake, command->memory, command->bytes))) memcpy(memory, command->host, command->bytes);
        break;
    case COMMAND_COPY_OUT:
        if ((memory = behind(fake, command->memory, command->bytes))) memcpy(command->host, memory, command->bytes);
        break;
    case COMMAND_PACK:
        memory = behind(fake, command->memory, command->kernel->packed_bytes(&command->call));
        if (memory && translate_call(fake, command->kernel, &command->call)) command->kernel->pack(&command->call, memory);
        break;
    case COMMAND_LAUNCH:
        if (translate_call(fake, command->kernel, &command->call)) run_kernel(fake, command->kernel, &command->call);
        break;
    }
}

static void *work(void *context) {
    Fake *fake = context;
    pthread_mutex_lock(&fake->lock);
    for (;;) {
        while (!fake->first && !fake->closing) pthread_cond_wait(&fake->given, &fake->lock);
        Command *command = fake->first;
        if (!command) break;
        fake->first = command->next;
        if (!fake->first) fake->last = NULL;
        fake->busy = true;
        pthread_mutex_unlock(&fake->lock);
        perform(fake, command);
        if (command->kind == COMMAND_COPY_IN) free(command->host);
        free(command);
        pthread_mutex_lock(&fake->lock);
        fake->busy = false;
        if (!fake->first) pthread_cond_broadcast(&fake->done);
    }
    pthread_mutex_unlock(&fake->lock);
    return NULL;
}

/* ---- the queue -------------------------------------------------------------------------------------------------------- */

static void give(Fake *fake, Command wanted) {
    Command *command = malloc(sizeof *command);
    if (!command) return;
    *command = wanted;
    pthread_mutex_lock(&fake->lock);
    if (fake->last) fake->last->next = command;
    else fake->first = command;
    fake->last = command;
    pthread_cond_signal(&fake->given);
    pthread_mutex_unlock(&fake->lock);
}

static void fake_synchronize(Device *device) {
    Fake *fake = device->state;
    pthread_mutex_lock(&fake->lock);
    while (fake->first || fake->busy) pthread_cond_wait(&fake->done, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
}

static void fake_copy_in(Device *device, DeviceMemory to, const void *from, size_t bytes) {
    void *copy = malloc(bytes ? bytes : 1);
    if (!copy) return;
    memcpy(copy, from, bytes);
    give(device->state, (Command){.kind = COMMAND_COPY_IN, .memory = to, .bytes = bytes, .host = copy});
}

static void fake_copy_out(Device *device, void *to, DeviceMemory from, size_t bytes) {
    give(device->state, (Command){.kind = COMMAND_COPY_OUT, .memory = from, .bytes = bytes, .host = to});
    fake_synchronize(device);
}

static void fake_pack(Device *device, const Kernel *kernel, const KernelCall *call, DeviceMemory packed) {
    give(device->state, (Command){.kind = COMMAND_PACK, .memory = packed, .kernel = kernel, .call = *call});
}

static void fake_launch(Device *device, const Kernel *kernel, const KernelCall *call) {
    give(device->state, (Command){.kind = COMMAND_LAUNCH, .kernel = kernel, .call = *call});
}

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

/* Buffers lie a page apart, so a handle that runs out of one is in no other. Filled with NaN: nothing may count on zeros. */
static DeviceMemory fake_allocate(Device *device, size_t bytes) {
    Fake *fake = device->state;
    fake_synchronize(device);
    size_t room = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
    if (bytes > fake->limit || fake->held > fake->limit - bytes || room > region_bytes - fake->used) return 0;
    for (int i = 0; i < BUFFERS; i++) {
        if (fake->buffers[i].handle) continue;
        void *real = NULL;
        if (posix_memalign(&real, 64, bytes ? bytes : 64) != 0) return 0;
        memset(real, 0xff, bytes);
        fake->buffers[i] = (Buffer){.handle = (DeviceMemory)(fake->region + fake->used), .bytes = bytes, .real = real};
        fake->used += room;
        fake->held += bytes;
        return fake->buffers[i].handle;
    }
    return 0;
}

static void fake_release(Device *device, DeviceMemory memory) {
    Fake *fake = device->state;
    fake_synchronize(device);
    for (int i = 0; i < BUFFERS; i++)
        if (memory && fake->buffers[i].handle == memory) {
            fake->held -= fake->buffers[i].bytes;
            free(fake->buffers[i].real);
            fake->buffers[i] = (Buffer){0};
        }
}

static void fake_close(Device *device) {
    Fake *fake = device->state;
    pthread_mutex_lock(&fake->lock);
    fake->closing = true;
    pthread_cond_signal(&fake->given);
    pthread_mutex_unlock(&fake->lock);
    pthread_join(fake->thread, NULL);
    munmap(fake->region, region_bytes);
    for (int i = 0; i < BUFFERS; i++) free(fake->buffers[i].real);
    pthread_mutex_destroy(&fake->lock);
    pthread_cond_destroy(&fake->given);
    pthread_cond_destroy(&fake->done);
    free(fake);
    free(device);
}

Device *fake_device_open(Jre *jre, int level, size_t limit) {
    Fake *fake = calloc(1, sizeof *fake);
    Device *device = calloc(1, sizeof *device);
    void *region = mmap(NULL, region_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!fake || !device || region == MAP_FAILED) return NULL;
    fake->jre = jre;
    fake->limit = limit;
    fake->region = region;
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->given, NULL);
    pthread_cond_init(&fake->done, NULL);
    if (pthread_create(&fake->thread, NULL, work, fake) != 0) return NULL;
    *device = (Device){
        .name = "fake", .kernels = "cpu", .level = level, .state = fake,
        .allocate = fake_allocate, .release = fake_release, .copy_in = fake_copy_in, .copy_out = fake_copy_out,
        .pack = fake_pack, .launch = fake_launch, .synchronize = fake_synchronize, .close = fake_close,
    };
    return device;
}

int fake_device_faults(Device *device) {
    fake_synchronize(device);
    return ((Fake *)device->state)->faults;
}

int fake_device_buffers(Device *device) {
    int held = 0;
    for (int i = 0; i < BUFFERS; i++) held += ((Fake *)device->state)->buffers[i].handle != 0;
    return held;
}

int fake_device_launches(Device *device) {
    fake_synchronize(device);
    return ((Fake *)device->state)->launches;
}
