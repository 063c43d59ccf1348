/* The CPUs a task may use, as /proc/PID/status shows them. */
#ifndef SYSD_SYS_AFFINITY_H
#define SYSD_SYS_AFFINITY_H
#include <stdint.h>
struct task;
void affinity_get(const struct task *of, uint64_t mask[16]);
#endif
