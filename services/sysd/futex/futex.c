/* futex(2) as it reaches sysd: priority inheritance, and the plain operations of traced tasks. */
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/abi/futex.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/futex/futex.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/hostself.h"
#include "services/sysd/time/timespec.h"

/* A traced task's wait is done by its host thread in slices, with a look for signals between two: a
 * host thread that serves sysd is not kicked. Each slice compares the word again, so that a wake that
 * falls between two is seen by the change it announces. */
#define SLICE_NS 20000000ull

static long wait_sliced(struct task *t, uint64_t uaddr, uint32_t op, uint32_t val, uint64_t deadline,
			uint32_t bitset)
{
	bool first = true;

	for (;;) {
		uint64_t now = clock_mono_ns(), left = deadline > now ? deadline - now : 0;
		struct abi_timespec ts = ns_timespec(MIN(left, SLICE_NS));
		uint64_t a[6] = {uaddr, ABI_FUTEX_WAIT_BITSET | (op & ABI_FUTEX_PRIVATE_FLAG), val, 0, 0,
				 bitset};
		uint64_t end = now + MIN(left, SLICE_NS);
		int64_t ret;

		ts = ns_timespec(end); /* WAIT_BITSET takes an absolute time */
		ret = host_self_call(t, SYS_futex, a, 3, &ts, sizeof(ts));
		if (ret == -EAGAIN && !first)
			return 0; /* changed meanwhile: woken */
		if (ret != -ETIMEDOUT && ret != -EINTR)
			return (long)ret;
		if (ret == -ETIMEDOUT && end >= deadline)
			return -ETIMEDOUT;
		if (signal_pending(t))
			return -ERESTARTSYS;
		first = false;
	}
}

static long wait_restart(struct task *t, struct restart_block *r)
{
	long ret = wait_sliced(t, r->arg[0], (uint32_t)r->arg[1], (uint32_t)r->arg[2], r->arg[3],
			       (uint32_t)r->arg[4]);

	return ret == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : ret;
}

static long do_wait(struct task *t, uint64_t uaddr, uint32_t op, uint32_t val, uint64_t utime,
		    uint32_t bitset)
{
	bool relative = (op & 127) == ABI_FUTEX_WAIT;
	uint64_t deadline = KTIMER_NEVER;
	struct abi_timespec ts;
	long ret;

	if (!bitset)
		return -EINVAL;
	if (utime) {
		int err = user_timespec(t, &ts, utime);

		if (err)
			return err;
		deadline = relative ? deadline_after(timespec_ns(&ts))
				    : clock_to_mono(op & ABI_FUTEX_CLOCK_REALTIME ? ABI_CLOCK_REALTIME
										  : ABI_CLOCK_MONOTONIC,
						    timespec_ns(&ts));
	}
	t->wchan = "futex_wait_queue";
	ret = wait_sliced(t, uaddr, op, val, deadline, bitset);
	t->wchan = NULL;
	if (ret == -ERESTARTSYS && utime) {
		if (!relative)
			return ret; /* the same arguments mean the same deadline */
		t->restart.fn = wait_restart;
		t->restart.arg[0] = uaddr;
		t->restart.arg[1] = op;
		t->restart.arg[2] = val;
		t->restart.arg[3] = deadline;
		t->restart.arg[4] = bitset;
		return -ERESTART_RESTARTBLOCK;
	}
	return ret;
}

SYS_HANDLER(futex)
{
	uint32_t op = (uint32_t)a[1], cmd = op & 127, val = (uint32_t)a[2];
	bool shared = !(op & ABI_FUTEX_PRIVATE_FLAG), realtime = op & ABI_FUTEX_CLOCK_REALTIME;

	if (op & ~(uint32_t)(127 | ABI_FUTEX_PRIVATE_FLAG | ABI_FUTEX_CLOCK_REALTIME))
		return -ENOSYS;
	if (realtime && cmd != ABI_FUTEX_WAIT_BITSET && cmd != ABI_FUTEX_WAIT_REQUEUE_PI &&
	    cmd != ABI_FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (a[0] & 3 && cmd <= ABI_FUTEX_LOCK_PI2)
		return -EINVAL;
	switch (cmd) {
	case ABI_FUTEX_WAIT:
		return do_wait(t, a[0], op, val, a[3], UINT32_MAX);
	case ABI_FUTEX_WAIT_BITSET:
		return do_wait(t, a[0], op, val, a[3], (uint32_t)a[5]);
	case ABI_FUTEX_WAKE:
	case ABI_FUTEX_WAKE_BITSET:
	case ABI_FUTEX_REQUEUE:
	case ABI_FUTEX_CMP_REQUEUE:
	case ABI_FUTEX_WAKE_OP:
		return (long)hthread_syscall(t, SYS_futex, a[0], op, a[2], a[3], a[4], a[5]);
	case ABI_FUTEX_LOCK_PI:
		return futex_lock_pi(t, a[0], a[3], shared, true, false);
	case ABI_FUTEX_LOCK_PI2:
		return futex_lock_pi(t, a[0], a[3], shared, realtime, false);
	case ABI_FUTEX_TRYLOCK_PI:
		return futex_lock_pi(t, a[0], 0, shared, true, true);
	case ABI_FUTEX_UNLOCK_PI:
		return futex_unlock_pi(t, a[0], shared);
	case ABI_FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(t, a[0], val, a[3], a[4], shared, realtime);
	case ABI_FUTEX_CMP_REQUEUE_PI:
		return futex_cmp_requeue_pi(t, a[0], val, (uint32_t)a[3], a[4], (uint32_t)a[5], shared);
	}
	return -ENOSYS;
}
