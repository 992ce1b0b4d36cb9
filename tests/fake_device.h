/* fake_device.h: a second device for tests, as unlike a processor as can be had on one.
 *
 * Its memory handles are addresses in a reserved region that nobody may touch, so an executor that looks behind a handle
 * crashes at once; its commands wait in a queue for a thread of its own, so an executor that trusts in order without asking for it
 * reads old numbers. It runs the processor's kernels up to `level` (0: the plain ones). */
#ifndef JRE_TESTS_FAKE_DEVICE_H
#define JRE_TESTS_FAKE_DEVICE_H

#include "../runtime/runtime.h"

/* `limit`: bytes it has in all. */
Device *fake_device_open(Jre *jre, int level, size_t limit);
/* Commands that named memory outside any buffer, or a tensor that reaches out of its buffer. Waits for the queue. */
int fake_device_faults(Device *device);
/* Buffers that were not given back. */
int fake_device_buffers(Device *device);
int fake_device_launches(Device *device);

#endif
