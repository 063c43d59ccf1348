/* adjtimex and clock_adjtime: the host's figures can be read, not changed. */
#include <sys/timex.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/timespec.h"


static long do_adjtime(struct task *t, uint64_t uaddr)
{
	struct abi_timex in, out = {0};
	struct timex tx = {.modes = 0};
	int state;

	if (user_get(t, in, uaddr))
		return -EFAULT;
	if (in.modes & 0x8000 && !(in.modes & ADJ_OFFSET)) /* ADJ_ADJTIME takes an offset or reads it */
		return -EINVAL;
	/* ADJ_OFFSET_SS_READ is the one mode that needs no CAP_SYS_TIME */
	if (in.modes && in.modes != ADJ_OFFSET_SS_READ)
		return -EPERM;
	tx.modes = in.modes;
	state = adjtimex(&tx);
	if (state < 0)
		return -errno;
	out.modes = in.modes;
	out.offset = tx.offset;
	out.freq = tx.freq;
	out.maxerror = tx.maxerror;
	out.esterror = tx.esterror;
	out.status = tx.status;
	out.constant = tx.constant;
	out.precision = tx.precision;
	out.tolerance = tx.tolerance;
	out.time = (struct abi_timeval){tx.time.tv_sec, tx.time.tv_usec};
	out.tick = tx.tick;
	out.tai = tx.tai;
	if (user_put(t, out, uaddr))
		return -EFAULT;
	return state;
}

SYS_HANDLER(adjtimex)
{
	return do_adjtime(t, a[0]);
}

SYS_HANDLER(clock_adjtime)
{
	struct clock_ref c;
	int err = clock_decode(t, (int32_t)a[0], &c);

	if (err)
		return err;
	if ((int32_t)a[0] != ABI_CLOCK_REALTIME)
		return -EOPNOTSUPP;
	return do_adjtime(t, a[1]);
}
