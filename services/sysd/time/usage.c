/* times(2) and getrusage(2); struct rusage for wait4. */
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/time/hostself.h"
#include "services/sysd/time/timespec.h"

static int64_t ticks(uint64_t ns)
{
	return (int64_t)(ns / (NSEC_PER_SEC / ABI_USER_HZ));
}

SYS_HANDLER(times)
{
	struct abi_tms tms;
	uint64_t u, s;

	if (a[0]) {
		cputime_group(t->signal, &u, &s);
		tms.utime = ticks(u);
		tms.stime = ticks(s);
		tms.cutime = ticks(t->signal->cutime_ns);
		tms.cstime = ticks(t->signal->cstime_ns);
		if (user_put(t, tms, a[0]))
			return -EFAULT;
	}
	return ticks(clock_ns(ABI_CLOCK_BOOTTIME));
}

/* host_kb: what the group's host process said of itself just now, or 0. */
static void group_maxrss(struct signal *sig, int64_t host_kb, uint64_t *rss)
{
	struct mm_usage use;

	*rss = MAX(*rss, sig->maxrss);
	if (host_kb > 0)
		*rss = MAX(*rss, (uint64_t)host_kb * 1024);
	else if (!sig->cpu_frozen && sig->leader && sig->leader->mm &&
	    mm_usage(sig->leader->mm, &use) == 0)
		*rss = MAX(*rss, use.peak_rss);
}

void rusage_fill(struct task *t, struct signal *sig, int who, struct abi_rusage *ret)
{
	struct abi_rusage ru = {0};
	uint64_t u = 0, s = 0, cu, cs, rss = 0;
	bool self = t && t == current_task() && t->signal == sig && !t->exiting && t->ht;

	/* faults and switches are the host's figures of the present process */
	if (self && who != ABI_RUSAGE_CHILDREN)
		host_self_rusage(t, who == ABI_RUSAGE_THREAD ? who : ABI_RUSAGE_SELF, &ru);
	switch (who) {
	case ABI_RUSAGE_THREAD:
		cputime_thread(t, &u, &s);
		group_maxrss(sig, ru.maxrss, &rss);
		break;
	case ABI_RUSAGE_SELF:
	case ABI_RUSAGE_BOTH:
		cputime_group(sig, &u, &s);
		group_maxrss(sig, ru.maxrss, &rss);
		if (who == ABI_RUSAGE_SELF)
			break;
		/* fall through */
	case ABI_RUSAGE_CHILDREN:
		cu = sig->cutime_ns;
		cs = sig->cstime_ns;
		u += cu;
		s += cs;
		rss = MAX(rss, sig->cmaxrss);
		break;
	}
	ru.utime = ns_timeval(u);
	ru.stime = ns_timeval(s);
	ru.maxrss = (int64_t)(rss / 1024);
	*ret = ru;
}

SYS_HANDLER(getrusage)
{
	struct abi_rusage ru;
	int who = (int)a[0];

	if (who != ABI_RUSAGE_SELF && who != ABI_RUSAGE_CHILDREN && who != ABI_RUSAGE_THREAD)
		return -EINVAL;
	rusage_fill(t, t->signal, who, &ru);
	return user_put(t, ru, a[1]);
}
