/* POSIX timers: timer_create and its family. A timer has at most one signal in a queue; what expires
 * while it stands there is counted, and the next period is armed when the signal is taken
 * (posix_timer_dequeued), so that a timer nobody listens to costs nothing. */
#include <signal.h>
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/posix_timer.h"
#include "services/sysd/time/timespec.h"

#define POSIX_TIMERS_MAX 10000 /* of a group; RLIMIT_SIGPENDING bounds it further */

struct posix_timer {
	struct list node;        /* in sig->posix_timers, by id */
	struct signal *sig;
	int32_t id;
	int32_t clock_id;
	int notify, signo;
	uint64_t value;
	uint32_t target_tid;     /* SIGEV_THREAD_ID */
	bool armed;
	uint64_t expires_ns;     /* in the timer's own clock */
	uint64_t interval_ns;
	int32_t overrun;         /* as timer_getoverrun reports it */
	struct ktimer kt;        /* host clocks */
	struct cputimer ct;      /* CPU clocks */
};

static void timer_arm(struct posix_timer *pt);

static bool clock_of(const struct posix_timer *pt, struct clock_ref *ret)
{
	struct task *leader = pt->sig->leader;

	return leader && clock_decode(leader, pt->clock_id, ret) == 0;
}

/* A thread's clock is followed through its group's: exact for groups of one thread. */
static void clock_to_group(struct clock_ref *c)
{
	if (c->cpu && c->thread) {
		c->group = c->thread->signal;
		c->thread = NULL;
	}
}

static uint64_t timer_now(const struct posix_timer *pt)
{
	struct clock_ref c;

	if (!clock_of(pt, &c))
		return 0;
	clock_to_group(&c);
	return clock_ref_now(&c);
}

static bool in_queue(const struct sigpending *p, const struct posix_timer *pt)
{
	struct sigqueue *q;

	if (!(p->set & SIG_BIT(pt->signo)))
		return false;
	LIST_FOR_EACH (q, &p->queue, link)
		if (q->info.si_signo == pt->signo && q->info.si_code == ABI_SI_TIMER &&
		    q->info.timer.tid == pt->id)
			return true;
	return false;
}

static struct task *target_of(const struct posix_timer *pt)
{
	struct task *t;

	LIST_FOR_EACH (t, &pt->sig->threads, thread_node)
		if (t->tid == pt->target_tid)
			return t;
	return NULL;
}

/* Periods that passed up to now beyond the one that expired; moves expires_ns past now. */
static int64_t skip_periods(struct posix_timer *pt, uint64_t now)
{
	uint64_t n;

	if (!pt->interval_ns || now < pt->expires_ns)
		return 0;
	n = (now - pt->expires_ns) / pt->interval_ns;
	pt->expires_ns += (n + 1) * pt->interval_ns;
	return (int64_t)MIN(n, (uint64_t)INT32_MAX);
}

static void timer_expired(struct posix_timer *pt)
{
	struct abi_siginfo info = {.si_signo = pt->signo, .si_code = ABI_SI_TIMER};
	struct task *target = NULL;

	pt->armed = false;
	if (pt->notify == ABI_SIGEV_NONE)
		return;
	info.timer.tid = pt->id;
	info.timer.value = pt->value;
	if (pt->notify & ABI_SIGEV_THREAD_ID) {
		target = target_of(pt);
		if (!target)
			return;
		if (!in_queue(&target->pending, pt))
			signal_send_task(target, pt->signo, &info);
	} else if (!in_queue(&pt->sig->shared_pending, pt)) {
		signal_send_group(pt->sig, pt->signo, &info);
	}
	/* An ignored signal is never taken: go on without it. */
	if (pt->interval_ns &&
	    !in_queue(target ? &target->pending : &pt->sig->shared_pending, pt)) {
		uint64_t now = timer_now(pt);

		skip_periods(pt, now);
		if (pt->expires_ns < now + 1000000)
			pt->expires_ns = now + 1000000;
		timer_arm(pt);
	}
}

static void kt_expired(struct ktimer *kt)
{
	struct posix_timer *pt = CONTAINER_OF(kt, struct posix_timer, kt);

	/* the clock may have been set back, or run apart from CLOCK_MONOTONIC */
	if (timer_now(pt) < pt->expires_ns)
		timer_arm(pt);
	else
		timer_expired(pt);
}

static void ct_expired(struct cputimer *ct)
{
	timer_expired(CONTAINER_OF(ct, struct posix_timer, ct));
}

static void timer_disarm(struct posix_timer *pt)
{
	ktimer_cancel(&pt->kt);
	cputimer_cancel(&pt->ct);
	pt->armed = false;
}

static void timer_arm(struct posix_timer *pt)
{
	struct clock_ref c;

	if (!clock_of(pt, &c))
		return;
	clock_to_group(&c);
	pt->armed = true;
	/* without a signal there is nothing to do at the expiry: gettime computes */
	if (pt->notify == ABI_SIGEV_NONE)
		return;
	if (c.cpu)
		cputimer_start(&pt->ct, c.group, c.kind, pt->expires_ns);
	else
		ktimer_start(&pt->kt, clock_to_mono(c.host_id, pt->expires_ns));
}

static struct posix_timer *timer_find(struct signal *sig, int32_t id)
{
	struct posix_timer *pt;

	LIST_FOR_EACH (pt, &sig->posix_timers, node)
		if (pt->id == id)
			return pt;
	return NULL;
}

static void timer_free(struct posix_timer *pt)
{
	timer_disarm(pt);
	list_del(&pt->node);
	free(pt);
}

void posix_timer_dequeued(struct task *t, struct abi_siginfo *info)
{
	struct posix_timer *pt = timer_find(t->signal, info->timer.tid);

	if (!pt || pt->signo != info->si_signo || pt->value != info->timer.value)
		return;
	pt->overrun = 0;
	if (pt->interval_ns && !pt->armed) {
		pt->overrun = (int32_t)skip_periods(pt, timer_now(pt));
		timer_arm(pt);
	}
	info->timer.overrun = pt->overrun;
}

void posix_timers_delete_all(struct signal *sig)
{
	struct posix_timer *pt, *tmp;

	if (!sig->posix_timers.next)
		return;
	LIST_FOR_EACH_SAFE (pt, tmp, &sig->posix_timers, node)
		timer_free(pt);
}

int posix_timers_show(struct signal *sig, char *buf, unsigned long size)
{
	static const char *const how[] = {"signal", "none", "thread"};
	struct posix_timer *pt;
	int len = 0;

	LIST_FOR_EACH (pt, &sig->posix_timers, node) {
		bool tid = pt->notify & ABI_SIGEV_THREAD_ID;
		int n = snprintf(buf + len, size - (size_t)len,
				 "ID: %d\nsignal: %d/%016llx\nnotify: %s/%s.%u\nClockID: %d\n", pt->id,
				 pt->signo, (unsigned long long)pt->value,
				 how[(pt->notify & 3) % 3], tid ? "tid" : "pid",
				 tid ? pt->target_tid : sig->pid, pt->clock_id);

		if (n < 0 || (size_t)(len + n) >= size)
			break;
		len += n;
	}
	return len;
}

/* The list is kept in the order of ids; the lowest free one is taken. */
static int add_timer(struct signal *sig, struct posix_timer *pt)
{
	struct posix_timer *pos;
	struct list *before = &sig->posix_timers;
	int32_t id = 0;

	LIST_FOR_EACH (pos, &sig->posix_timers, node) {
		if (pos->id != id) {
			before = &pos->node;
			break;
		}
		if (++id >= POSIX_TIMERS_MAX)
			return -EAGAIN;
	}
	pt->id = id;
	list_add_tail(before, &pt->node);
	return 0;
}

SYS_HANDLER(timer_create)
{
	struct abi_sigevent ev = {.notify = ABI_SIGEV_SIGNAL, .signo = SIGALRM};
	struct posix_timer *pt;
	struct clock_ref c;
	int32_t clock_id = (int32_t)a[0];
	int err;

	if (a[1] && user_get(t, ev, a[1]))
		return -EFAULT;
	err = clock_decode(t, clock_id, &c);
	if (err)
		return err;
	if (clock_id == ABI_CLOCK_MONOTONIC_RAW || clock_id == ABI_CLOCK_REALTIME_COARSE ||
	    clock_id == ABI_CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if ((clock_id == ABI_CLOCK_REALTIME_ALARM || clock_id == ABI_CLOCK_BOOTTIME_ALARM) &&
	    !capable(t, 35 /* CAP_WAKE_ALARM */))
		return -EPERM;
	switch (ev.notify) {
	case ABI_SIGEV_SIGNAL:
	case ABI_SIGEV_THREAD:
	case ABI_SIGEV_SIGNAL | ABI_SIGEV_THREAD_ID:
		if (ev.signo <= 0 || ev.signo > SIG_COUNT)
			return -EINVAL;
		break;
	case ABI_SIGEV_NONE:
		break;
	default:
		return -EINVAL;
	}
	pt = calloc(1, sizeof(*pt));
	if (!pt)
		return -EAGAIN;
	list_init(&pt->node);
	ktimer_init(&pt->kt, kt_expired);
	cputimer_init(&pt->ct, ct_expired);
	pt->sig = t->signal;
	pt->clock_id = clock_id;
	pt->notify = ev.notify;
	pt->signo = ev.signo;
	if (ev.notify & ABI_SIGEV_THREAD_ID) {
		struct task *target = pids_find_task(t, ev.tid);

		if (!target || target->signal != t->signal) {
			free(pt);
			return -EINVAL;
		}
		pt->target_tid = target->tid;
	}
	err = add_timer(t->signal, pt);
	if (err) {
		free(pt);
		return err;
	}
	pt->value = a[1] ? ev.value : (uint64_t)(uint32_t)pt->id;
	if (user_put(t, pt->id, a[2])) {
		timer_free(pt);
		return -EFAULT;
	}
	return 0;
}

static void timer_read(struct posix_timer *pt, struct abi_itimerspec *ret)
{
	uint64_t now = timer_now(pt), left = 0;
	bool queued = !pt->armed && pt->interval_ns && pt->expires_ns;

	if (pt->armed || queued) {
		if (pt->interval_ns && now >= pt->expires_ns) {
			uint64_t n = (now - pt->expires_ns) / pt->interval_ns + 1;

			left = pt->expires_ns + n * pt->interval_ns - now;
		} else if (now < pt->expires_ns) {
			left = pt->expires_ns - now;
		} else {
			/* due, its signal is on the way: not 0, which says disarmed */
			left = pt->notify == ABI_SIGEV_NONE ? 0 : 1;
		}
	}
	ret->value = ns_timespec(left);
	ret->interval = ns_timespec(pt->interval_ns);
}

SYS_HANDLER(timer_settime)
{
	struct abi_itimerspec its, old;
	struct posix_timer *pt;
	uint64_t now, value;

	if (!a[2])
		return -EINVAL;
	if (user_get(t, its, a[2]))
		return -EFAULT;
	if (!timespec_valid(&its.value) || !timespec_valid(&its.interval))
		return -EINVAL;
	pt = timer_find(t->signal, (int32_t)a[0]);
	if (!pt)
		return -EINVAL;
	timer_read(pt, &old);
	timer_disarm(pt);
	pt->interval_ns = timespec_ns(&its.interval);
	pt->overrun = 0;
	pt->expires_ns = 0;
	value = timespec_ns(&its.value);
	if (value) {
		bool absolute = a[1] & ABI_TIMER_ABSTIME;

		now = absolute ? 0 : timer_now(pt);
		pt->expires_ns = value > TIME_NS_MAX - now ? TIME_NS_MAX : value + now;
		timer_arm(pt);
	}
	return a[3] ? user_put(t, old, a[3]) : 0;
}

SYS_HANDLER(timer_gettime)
{
	struct posix_timer *pt = timer_find(t->signal, (int32_t)a[0]);
	struct abi_itimerspec its;

	if (!pt)
		return -EINVAL;
	timer_read(pt, &its);
	return user_put(t, its, a[1]);
}

SYS_HANDLER(timer_getoverrun)
{
	struct posix_timer *pt = timer_find(t->signal, (int32_t)a[0]);

	return pt ? pt->overrun : -EINVAL;
}

SYS_HANDLER(timer_delete)
{
	struct posix_timer *pt = timer_find(t->signal, (int32_t)a[0]);

	if (!pt)
		return -EINVAL;
	timer_free(pt);
	return 0;
}
