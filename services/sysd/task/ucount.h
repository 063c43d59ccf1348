/* What is counted for each user: processes (RLIMIT_NPROC) and queued signals (RLIMIT_SIGPENDING). */
#ifndef SYSD_TASK_UCOUNT_H
#define SYSD_TASK_UCOUNT_H

#include <stdint.h>
#include "common/base/list.h"

struct ucount {
	struct list node;
	unsigned refs;
	uint32_t uid;
	uint64_t processes;  /* tasks, as RLIMIT_NPROC counts them */
	uint64_t sigpending;
	uint64_t pipe_slots; /* of all pipes: fs/pipe */
	uint64_t mq_bytes;   /* of all message queues, as RLIMIT_MSGQUEUE counts them */
};
/* A reference; NULL when out of memory. */
struct ucount *ucount_get(uint32_t uid);
struct ucount *ucount_ref(struct ucount *u);
void ucount_unref(struct ucount *u);

#endif
