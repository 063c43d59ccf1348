/* Interval timers: ITIMER_REAL on the kernel's timers, ITIMER_VIRTUAL and ITIMER_PROF on the CPU
 * clocks of the group; alarm(2). They survive exec and are not inherited by fork. */
#include <signal.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/time/posix_timer.h"
#include "services/sysd/time/timespec.h"

struct cpu_itimer {
	struct cputimer timer;
	struct signal *sig;
	enum cputime_kind kind;
	uint64_t interval_ns;
};
struct itimers {
	struct cpu_itimer virt, prof;
};

/* The period that follows an expiry at `at`: the first one after now. A signal that nobody takes
 * must not keep the executor busy. */
static uint64_t next_period(uint64_t at, uint64_t interval, uint64_t now, bool pending)
{
	if (pending && interval < 1000000)
		return now + 1000000;
	if (at + interval > now)
		return at + interval;
	return at + ((now - at) / interval + 1) * interval;
}

static void real_expired(struct ktimer *kt)
{
	struct signal *sig = CONTAINER_OF(kt, struct signal, real_timer);
	bool pending = sig->shared_pending.set & SIG_BIT(SIGALRM);

	if (sig->real_interval_ns)
		ktimer_start(kt, next_period(kt->expires_ns, sig->real_interval_ns, clock_mono_ns(),
					     pending));
	else
		kt->expires_ns = 0;
	signal_send_group(sig, SIGALRM, NULL);
}

static bool real_armed(const struct signal *sig)
{
	return sig->real_timer.fn == real_expired && sig->real_timer.heap_index >= 0;
}

static void real_get(struct signal *sig, uint64_t *ret_value, uint64_t *ret_interval)
{
	uint64_t now = clock_mono_ns();

	*ret_value = 0;
	*ret_interval = sig->real_interval_ns;
	if (real_armed(sig))
		/* one that is due but has not fired yet still is not zero */
		*ret_value = sig->real_timer.expires_ns > now ? sig->real_timer.expires_ns - now : 1000;
}

static int real_set(struct signal *sig, uint64_t value, uint64_t interval)
{
	if (real_armed(sig))
		ktimer_cancel(&sig->real_timer);
	ktimer_init(&sig->real_timer, real_expired);
	sig->real_interval_ns = value ? interval : 0;
	return value ? ktimer_start(&sig->real_timer, deadline_after(value)) : 0;
}

static void cpu_expired(struct cputimer *ct)
{
	struct cpu_itimer *it = CONTAINER_OF(ct, struct cpu_itimer, timer);
	struct signal *sig = it->sig;
	int signo = it->kind == CPUTIME_VIRT ? SIGVTALRM : SIGPROF;
	bool pending = sig->shared_pending.set & SIG_BIT(signo);

	if (it->interval_ns)
		cputimer_start(ct, sig, it->kind,
			       next_period(ct->expires_ns, it->interval_ns,
					   cputime_clock(sig, it->kind), pending));
	signal_send_group(sig, signo, NULL);
}

static struct cpu_itimer *cpu_itimer(struct signal *sig, int which, bool make)
{
	if (!sig->itimers && make) {
		struct itimers *its = calloc(1, sizeof(*its));

		if (!its)
			return NULL;
		its->virt = (struct cpu_itimer){.sig = sig, .kind = CPUTIME_VIRT};
		its->prof = (struct cpu_itimer){.sig = sig, .kind = CPUTIME_PROF};
		cputimer_init(&its->virt.timer, cpu_expired);
		cputimer_init(&its->prof.timer, cpu_expired);
		sig->itimers = its;
	}
	if (!sig->itimers)
		return NULL;
	return which == ABI_ITIMER_VIRTUAL ? &sig->itimers->virt : &sig->itimers->prof;
}

static void itimer_get(struct signal *sig, int which, uint64_t *ret_value, uint64_t *ret_interval)
{
	struct cpu_itimer *it;

	*ret_value = *ret_interval = 0;
	if (which == ABI_ITIMER_REAL) {
		real_get(sig, ret_value, ret_interval);
		return;
	}
	it = cpu_itimer(sig, which, false);
	if (!it)
		return;
	*ret_interval = it->interval_ns;
	if (!list_empty(&it->timer.link)) {
		uint64_t now = cputime_clock(sig, it->kind);

		*ret_value = it->timer.expires_ns > now ? it->timer.expires_ns - now : 1000;
	}
}

static int itimer_set(struct signal *sig, int which, uint64_t value, uint64_t interval)
{
	struct cpu_itimer *it;

	if (which == ABI_ITIMER_REAL)
		return real_set(sig, value, interval);
	it = cpu_itimer(sig, which, value != 0);
	if (!it)
		return value ? -ENOMEM : 0;
	cputimer_cancel(&it->timer);
	it->interval_ns = interval;
	return value ? cputimer_start(&it->timer, sig, it->kind,
				      cputime_clock(sig, it->kind) + MIN(value, TIME_NS_MAX / 4))
		     : 0;
}

void itimers_exit(struct signal *sig)
{
	if (real_armed(sig))
		ktimer_cancel(&sig->real_timer);
	sig->real_interval_ns = 0;
	if (sig->itimers) {
		cputimer_cancel(&sig->itimers->virt.timer);
		cputimer_cancel(&sig->itimers->prof.timer);
		free(sig->itimers);
		sig->itimers = NULL;
	}
}

SYS_HANDLER(getitimer)
{
	struct abi_itimerval itv;
	uint64_t value, interval;

	if ((uint32_t)a[0] > ABI_ITIMER_PROF)
		return -EINVAL;
	itimer_get(t->signal, (int)a[0], &value, &interval);
	itv.value = ns_timeval(value);
	itv.interval = ns_timeval(interval);
	return user_put(t, itv, a[1]);
}

SYS_HANDLER(setitimer)
{
	struct abi_itimerval itv = {0}, old;
	uint64_t value, interval;
	int err;

	if (a[1]) {
		if (user_get(t, itv, a[1]))
			return -EFAULT;
		if (!timeval_valid(&itv.value) || !timeval_valid(&itv.interval))
			return -EINVAL;
	}
	if ((uint32_t)a[0] > ABI_ITIMER_PROF)
		return -EINVAL;
	itimer_get(t->signal, (int)a[0], &value, &interval);
	err = itimer_set(t->signal, (int)a[0], timeval_ns(&itv.value), timeval_ns(&itv.interval));
	if (err)
		return err;
	if (a[2]) {
		old.value = ns_timeval(value);
		old.interval = ns_timeval(interval);
		return user_put(t, old, a[2]);
	}
	return 0;
}

SYS_HANDLER(alarm)
{
	uint64_t value, interval, sec;
	int err;

	real_get(t->signal, &value, &interval);
	err = real_set(t->signal, (uint64_t)MIN((uint32_t)a[0], (uint32_t)INT32_MAX) * NSEC_PER_SEC, 0);
	if (err)
		return err;
	/* rounded, but what is armed is never 0 (alarm(2)) */
	sec = value / NSEC_PER_SEC;
	if (value % NSEC_PER_SEC >= NSEC_PER_SEC / 2 || (value && !sec))
		sec++;
	return (long)sec;
}
