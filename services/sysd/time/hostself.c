/* Host calls of a guest thread about itself. See hostself.h. */
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/hostself.h"

int64_t host_self_call(struct task *t, long nr, const uint64_t args[6], int ptr_arg, void *buf,
		       uint32_t size)
{
	uint64_t a[6];
	uint32_t off;
	void *room;
	int64_t ret;

	if (!t->ht)
		return -ESRCH;
	room = hthread_window_alloc(t->ht, size, &off);
	if (!room)
		return -ENOMEM;
	memcpy(a, args, sizeof(a));
	memcpy(room, buf, size);
	a[ptr_arg] = platform_ctl()->base + SBX_R_SLOTS + t->ht->index * SBX_SLOT_STRIDE + 4096 + off;
	ret = hthread_syscall(t, nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (ret >= 0)
		memcpy(buf, room, size);
	return ret;
}

int host_self_rusage(struct task *t, int who, struct abi_rusage *ret)
{
	struct abi_rusage ru = {0};
	uint64_t a[6] = {(uint64_t)(int64_t)who};
	int64_t err = host_self_call(t, SYS_getrusage, a, 1, &ru, sizeof(ru));

	if (err)
		return err < 0 ? (int)err : -EIO;
	*ret = ru;
	return 0;
}

int host_self_cputime(struct task *t, uint64_t *ret_ns)
{
	struct abi_timespec ts = {0};
	uint64_t a[6] = {ABI_CLOCK_THREAD_CPUTIME_ID};
	int64_t err = host_self_call(t, SYS_clock_gettime, a, 1, &ts, sizeof(ts));

	if (err)
		return err < 0 ? (int)err : -EIO;
	if (ts.sec < 0 || ts.sec > INT32_MAX || ts.nsec < 0 || ts.nsec >= (int64_t)NSEC_PER_SEC)
		return -EIO;
	*ret_ns = (uint64_t)ts.sec * NSEC_PER_SEC + (uint64_t)ts.nsec;
	return 0;
}
