/* futex_waitv(2) of a traced task; others wait on the host by themselves (services/stub/futex.c). In slices, as
 * futex.c has it. */
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/abi/futex.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/time/hostself.h"
#include "services/sysd/time/timespec.h"

#define WAITERS_MAX 128
#define SLICE_NS 20000000ull

/* The host reads the words' addresses in the guest's memory itself; only the end of the slice is ours. */
static int64_t wait_slice(struct task *t, uint64_t uwaiters, uint64_t count, uint64_t end_ns)
{
	struct abi_timespec ts = ns_timespec(end_ns);
	uint64_t a[6] = {uwaiters, count, 0, 0, ABI_CLOCK_MONOTONIC, 0};

	return host_self_call(t, SYS_futex_waitv, a, 3, &ts, sizeof(ts));
}

SYS_HANDLER(futex_waitv)
{
	uint64_t deadline = KTIMER_NEVER;
	struct abi_timespec ts;
	bool first = true;

	if ((uint32_t)a[2] || !(uint32_t)a[1] || (uint32_t)a[1] > WAITERS_MAX || !a[0])
		return -EINVAL;
	if (a[3]) {
		int32_t clock = (int32_t)a[4];
		int err;

		if (clock != ABI_CLOCK_MONOTONIC && clock != ABI_CLOCK_REALTIME)
			return -EINVAL;
		err = user_timespec(t, &ts, a[3]);
		if (err)
			return err;
		deadline = clock_to_mono(clock, timespec_ns(&ts));
	}
	for (;;) {
		uint64_t end = MIN(deadline, clock_mono_ns() + SLICE_NS);
		int64_t ret = wait_slice(t, a[0], (uint32_t)a[1], end);

		/* a wake between two slices shows as a changed word, which of them the caller looks for itself */
		if (ret == -EAGAIN && !first)
			return 0;
		if (ret != -ETIMEDOUT && ret != -EINTR)
			return (long)ret;
		if (ret == -ETIMEDOUT && end >= deadline)
			return -ETIMEDOUT;
		if (signal_pending(t))
			return -ERESTARTSYS;
		first = false;
	}
}
