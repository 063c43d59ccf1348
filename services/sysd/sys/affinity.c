/* CPU affinity: recorded for every task; a caller that sets its own is moved by the host as well, so
 * that what it then reads from the processor agrees. */
#include <linux/capability.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/affinity.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/hostself.h"

#define MASK_WORDS ARRAY_SIZE(((struct task_sched *)0)->cpus)

_Static_assert(MASK_WORDS == ARRAY_SIZE(kinfo_host.cpus), "a bit for each CPU");

static size_t mask_size(void)
{
	return ALIGN_UP((size_t)kinfo_host.cpu_count, 64ul) / 8;
}

void affinity_get(const struct task *of, uint64_t mask[16])
{
	uint64_t any = 0;

	for (size_t i = 0; i < MASK_WORDS; i++) {
		mask[i] = of->sched.cpus[i] & kinfo_host.cpus[i];
		any |= mask[i];
	}
	if (!any)
		memcpy(mask, kinfo_host.cpus, sizeof(kinfo_host.cpus));
}

SYS_HANDLER(sched_getaffinity)
{
	struct task *of;
	uint64_t mask[MASK_WORDS];
	uint32_t size = (uint32_t)a[1];

	if ((uint64_t)size * 8 < kinfo_host.cpu_count || size & 7)
		return -EINVAL;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	affinity_get(of, mask);
	size = (uint32_t)MIN((size_t)size, mask_size());
	if (user_write(t, a[2], mask, size))
		return -EFAULT;
	return (long)size;
}

SYS_HANDLER(sched_setaffinity)
{
	struct task *of;
	uint64_t mask[MASK_WORDS] = {0}, any = 0;
	size_t size = MIN((size_t)(uint32_t)a[1], sizeof(mask));

	if (user_read(t, mask, a[2], size))
		return -EFAULT;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	if (!pids_same_owner(t, of) && !capable(t, CAP_SYS_NICE))
		return -EPERM;
	for (size_t i = 0; i < MASK_WORDS; i++) {
		mask[i] &= kinfo_host.cpus[i];
		any |= mask[i];
	}
	if (!any)
		return -EINVAL;
	memcpy(of->sched.cpus, mask, sizeof(mask));
	if (of == t) {
		uint64_t args[6] = {0, mask_size()};

		/* the record holds whether or not the host allows it */
		host_self_call(t, SYS_sched_setaffinity, args, 2, mask, (uint32_t)mask_size());
	}
	return 0;
}
