/* sysinfo(2) and getcpu(2). */
#include "common/base/util.h"
#include "services/sysd/abi/sys.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

SYS_HANDLER(sysinfo)
{
	struct abi_sysinfo si = {.mem_unit = 1};
	struct kinfo_mem mem;
	unsigned running, total;

	kinfo_mem(&mem);
	kinfo_load(si.loads, &running, &total);
	si.uptime = (int64_t)((clock_ns(ABI_CLOCK_BOOTTIME) + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
	si.totalram = mem.total;
	si.freeram = mem.free;
	si.sharedram = mem.shared;
	si.procs = (uint16_t)MIN(total, 65535u);
	return user_put(t, si, a[0]);
}

SYS_HANDLER(getcpu)
{
	/* what the runtime wrote when it posted this call; the caller may only lie to itself */
	uint32_t cpu = t->ht ? hthread_slot(t->ht)->guest_cpu : 0, node = 0;

	if (cpu >= kinfo_host.cpu_count)
		cpu = 0;
	if (a[0] && user_put(t, cpu, a[0]))
		return -EFAULT;
	if (a[1] && user_put(t, node, a[1]))
		return -EFAULT;
	return 0;
}
