/* Clock ids as the guest names them. */
#ifndef SYSD_TIME_CLOCKID_H
#define SYSD_TIME_CLOCKID_H
#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/time/cputime.h"

struct task;
struct signal;

/* A clock, decoded: a host clock, or CPU time of a group or a thread. */
struct clock_ref {
	bool cpu;
	int host_id;            /* !cpu: the host's clock of the same meaning */
	enum cputime_kind kind; /* cpu */
	struct signal *group;   /* cpu: of a process */
	struct task *thread;    /* cpu: of one thread */
};
/* 0 or -EINVAL. The pointers are valid until the caller sleeps. */
int clock_decode(struct task *t, int32_t id, struct clock_ref *ret);
/* May sleep (CPU time of the calling thread). */
uint64_t clock_ref_now(const struct clock_ref *c);
/* Absolute time of a host clock as a CLOCK_MONOTONIC deadline, for ktimers. */
uint64_t clock_to_mono(int host_id, uint64_t abs_ns);
#endif
