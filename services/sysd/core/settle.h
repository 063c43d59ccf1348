/* What the guest changed may reach the host a moment later (fs/gofer/later.c). Before something of the guest
 * becomes visible outside that an observer could take as "it is done" (output, the end of a process), whoever
 * lets it out calls settle(). */
#ifndef SYSD_CORE_SETTLE_H
#define SYSD_CORE_SETTLE_H

#include <stdbool.h>

struct settle_ops {
	bool (*pending)(void);
	void (*wait)(void); /* sleeps: needs a strand */
};

/* One file system has such changes; it says so once. */
void settle_set_ops(const struct settle_ops *ops);
bool settle_pending(void);
/* Sleeps; does nothing on the executor's own stack. */
void settle(void);

#endif
