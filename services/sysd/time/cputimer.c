/* Timers on the CPU clocks of thread groups: a host timer on the clock of the group's present host
 * process, whose signal a signalfd takes to the executor. One row of a table for each. */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include "services/sysd/core/clock.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"

#define CPUTIMER_SIGNAL (SIGRTMIN + 4)
#define CPUTIMER_MAX 1024

struct host_timer {
	bool used;
	int id;               /* the host kernel's */
	uint32_t generation;  /* a late signal of an earlier user is told by it */
	struct cputimer *ct;
};
static struct host_timer table[CPUTIMER_MAX];
static struct list armed = LIST_INIT(armed);
static int signal_fd = -1;
static struct host_watch watch;

void cputimer_init(struct cputimer *ct, void (*fn)(struct cputimer *))
{
	*ct = (struct cputimer){.fn = fn, .slot = -1};
	list_init(&ct->link);
}

static void row_free(int slot)
{
	syscall(SYS_timer_delete, table[slot].id);
	table[slot].used = false;
	table[slot].ct = NULL;
	table[slot].generation++;
}

static pid_t group_host_pid(struct signal *sig)
{
	struct task *t = sig->leader;

	return t && t->mm && t->mm->hp && !t->mm->hp->dead ? t->mm->hp->host_pid : 0;
}

static int host_arm(struct cputimer *ct)
{
	pid_t pid = group_host_pid(ct->sig);
	int slot;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = CPUTIMER_SIGNAL};
	int64_t at = (int64_t)ct->expires_ns - ct->sig->cpu_offset_ns[ct->kind];
	struct itimerspec its = {0};
	clockid_t clock = (clockid_t)((~(unsigned)pid << 3) | (unsigned)ct->kind);

	if (!pid || signal_fd < 0)
		return -EAGAIN;
	for (slot = 0; slot < CPUTIMER_MAX && table[slot].used; slot++)
		;
	if (slot == CPUTIMER_MAX)
		return -EAGAIN;
	ev.sigev_value.sival_int = (int)((table[slot].generation << 16) | (unsigned)slot);
	if (syscall(SYS_timer_create, clock, &ev, &table[slot].id))
		return -EAGAIN;
	if (at < 1)
		at = 1;
	its.it_value.tv_sec = at / (int64_t)NSEC_PER_SEC;
	its.it_value.tv_nsec = at % (int64_t)NSEC_PER_SEC;
	table[slot].used = true;
	table[slot].ct = ct;
	ct->slot = slot;
	if (syscall(SYS_timer_settime, table[slot].id, TIMER_ABSTIME, &its, NULL)) {
		row_free(slot);
		ct->slot = -1;
		return -EAGAIN;
	}
	return 0;
}

int cputimer_start(struct cputimer *ct, struct signal *sig, enum cputime_kind kind,
		   uint64_t expires_ns)
{
	int err;

	cputimer_cancel(ct);
	ct->sig = sig;
	ct->kind = kind;
	ct->expires_ns = MIN(expires_ns, (uint64_t)INT64_MAX / 2);
	err = host_arm(ct);
	if (err)
		return err;
	list_add_tail(&armed, &ct->link);
	return 0;
}

bool cputimer_cancel(struct cputimer *ct)
{
	if (list_empty(&ct->link))
		return false;
	list_del(&ct->link);
	if (ct->slot >= 0)
		row_free(ct->slot);
	ct->slot = -1;
	return true;
}

/* After exec the group's time goes on in another host process. */
void cputimer_rebind(struct signal *sig)
{
	struct cputimer *ct;

	LIST_FOR_EACH (ct, &armed, link) {
		if (ct->sig != sig)
			continue;
		if (ct->slot >= 0)
			row_free(ct->slot);
		ct->slot = -1;
		host_arm(ct);
	}
	if (!sig->cpulimit)
		cputime_limit_changed(sig); /* of a first process, whose limits stand in the bundle */
}

static void on_signal(void *arg, uint32_t revents)
{
	struct signalfd_siginfo si;

	while (read(signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		unsigned slot = (unsigned)si.ssi_int & 0xffff;
		struct cputimer *ct;

		if (slot >= CPUTIMER_MAX || !table[slot].used ||
		    (uint16_t)table[slot].generation != (uint16_t)((unsigned)si.ssi_int >> 16))
			continue;
		ct = table[slot].ct;
		cputimer_cancel(ct);
		ct->fn(ct);
	}
	host_watch_arm(&watch, EPOLLIN);
}

static int init_host(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, CPUTIMER_SIGNAL);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL))
		return -EINVAL;
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return signal_fd < 0 ? -errno : 0;
}

static int start_host(void)
{
	int err = host_watch_add(&watch, signal_fd, on_signal, NULL);

	return err ? err : host_watch_arm(&watch, EPOLLIN);
}

/* Without them CPU timers cannot be armed (EAGAIN); all else works. */
void time_host_init(void)
{
	if (init_host() < 0)
		close_fd(&signal_fd);
}

void time_init(void)
{
	if (signal_fd >= 0 && start_host() < 0)
		close_fd(&signal_fd);
}
