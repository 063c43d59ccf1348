/* membarrier(2): the caller's host thread asks the host, whose tasks are the ones to be ordered. The
 * registrations are the host process's. */
#include <sys/syscall.h>
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

SYS_HANDLER(membarrier)
{
	return hthread_syscall(t, SYS_membarrier, a[0], a[1], a[2], 0, 0, 0);
}
