/* Capabilities: what prctl(2) has of them. */
#ifndef SYSD_TASK_CAPS_H
#define SYSD_TASK_CAPS_H
#include <stdint.h>
struct task;
/* The options on the bounding and ambient sets, securebits and keepcaps; -ENOSYS: another one. */
long caps_prctl(struct task *t, const uint64_t a[6]);
#endif
