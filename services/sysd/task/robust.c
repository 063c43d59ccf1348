/* set_robust_list(2), get_robust_list(2): the list itself is walked by the futex code. */
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"

#define ROBUST_HEAD_SIZE 24

SYS_HANDLER(set_robust_list)
{
	if (a[1] != ROBUST_HEAD_SIZE)
		return -EINVAL;
	t->robust_list_head = a[0];
	t->robust_list_size = a[1];
	return 0;
}

SYS_HANDLER(get_robust_list)
{
	struct task *of = pids_find_or_self(t, (int32_t)a[0]);
	uint64_t size = ROBUST_HEAD_SIZE;

	if (!of)
		return -ESRCH;
	if (!ptrace_may_access(t, of))
		return -EPERM;
	return user_put(t, size, a[2]) || user_put(t, of->robust_list_head, a[1]) ? -EFAULT : 0;
}
