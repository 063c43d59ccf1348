/* membarrier(2): the caller's host thread asks the host, whose tasks are the ones to be ordered. The
 * registrations are the host process's. */
#include <sys/syscall.h>
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define OFFERED 0x7f /* GLOBAL to REGISTER_PRIVATE_EXPEDITED_SYNC_CORE */

SYS_HANDLER(membarrier)
{
	int64_t ret;

	/* rseq's and what came after Linux 6.1 are not offered */
	if ((int)a[0] & ~OFFERED)
		return -EINVAL;
	ret = hthread_syscall(t, SYS_membarrier, a[0], a[1], a[2], 0, 0, 0);
	return !(int)a[0] && ret > 0 ? ret & OFFERED : ret;
}
