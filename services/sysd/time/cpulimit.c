/* RLIMIT_CPU: SIGXCPU at the soft limit and again each second after it, SIGKILL at the hard one (getrlimit(2)). A
 * timer on the group's clock stands at whichever comes next; a group without the limit has none. */
#include <signal.h>
#include <sys/resource.h>
#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/time/posix_timer.h"

struct cpulimit {
	struct cputimer timer;
	struct signal *sig;
};

static void arm(struct cpulimit *cl);

static void expired(struct cputimer *ct)
{
	struct cpulimit *cl = CONTAINER_OF(ct, struct cpulimit, timer);
	struct rlimit64 *limit = &cl->sig->rlim[RLIMIT_CPU];
	uint64_t now = cputime_clock(cl->sig, CPUTIME_PROF) / NSEC_PER_SEC;

	if (now >= limit->rlim_max) {
		signal_send_group(cl->sig, SIGKILL, NULL);
		return;
	}
	if (now >= limit->rlim_cur) {
		signal_send_group(cl->sig, SIGXCPU, NULL);
		limit->rlim_cur = MIN(now + 1, limit->rlim_max); /* Linux counts it up, too */
	}
	arm(cl);
}

static void arm(struct cpulimit *cl)
{
	const struct rlimit64 *limit = &cl->sig->rlim[RLIMIT_CPU];
	uint64_t at = MIN(limit->rlim_cur, limit->rlim_max);

	cputimer_cancel(&cl->timer);
	if (at <= (uint64_t)INT64_MAX / NSEC_PER_SEC)
		cputimer_start(&cl->timer, cl->sig, CPUTIME_PROF, MAX(at, 1ul) * NSEC_PER_SEC);
}

void cputime_limit_changed(struct signal *sig)
{
	struct cpulimit *cl = sig->cpulimit;

	if (sig->cpu_frozen)
		return;
	if (!cl) {
		if (sig->rlim[RLIMIT_CPU].rlim_cur == RLIM_INFINITY && sig->rlim[RLIMIT_CPU].rlim_max == RLIM_INFINITY)
			return;
		cl = sig->cpulimit = calloc(1, sizeof(*cl));
		if (!cl)
			return;
		cl->sig = sig;
		cputimer_init(&cl->timer, expired);
	}
	arm(cl);
}

void cpulimit_exit(struct signal *sig)
{
	if (!sig->cpulimit)
		return;
	cputimer_cancel(&sig->cpulimit->timer);
	free(sig->cpulimit);
	sig->cpulimit = NULL;
}
