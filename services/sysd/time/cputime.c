/* Processor time of thread groups and threads, from the host's clocks. See cputime.h. */
#include <sys/syscall.h>
#include <time.h>
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/time/hostself.h"
#include "services/sysd/time/posix_timer.h"

#define MAXRSS_WORTH_NS 10000000ull
/* Below this the sampled clocks say nothing yet, and asking them costs a call each. */
#define SAMPLED_WORTH_NS 4000000ull

static uint64_t host_clock(pid_t host_pid, enum cputime_kind kind)
{
	struct timespec ts;
	clockid_t id = (clockid_t)((~(unsigned)host_pid << 3) | (unsigned)kind);

	if (clock_gettime(id, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void host_clocks(pid_t host_pid, uint64_t ret[3])
{
	memset(ret, 0, 3 * sizeof(*ret));
	if (!host_pid)
		return;
	ret[CPUTIME_SCHED] = host_clock(host_pid, CPUTIME_SCHED);
	if (ret[CPUTIME_SCHED] < SAMPLED_WORTH_NS)
		return;
	ret[CPUTIME_VIRT] = host_clock(host_pid, CPUTIME_VIRT);
	ret[CPUTIME_PROF] = host_clock(host_pid, CPUTIME_PROF);
}

static struct mm *group_mm(const struct signal *sig)
{
	struct task *t;

	if (sig->leader && sig->leader->mm)
		return sig->leader->mm;
	/* the leader may have exited before its threads */
	LIST_FOR_EACH (t, &sig->threads, thread_node)
		if (t->mm)
			return t->mm;
	return NULL;
}

static pid_t mm_host_pid(const struct mm *mm)
{
	return mm && mm->hp && !mm->hp->dead ? mm->hp->host_pid : 0;
}

uint64_t cputime_clock(struct signal *sig, enum cputime_kind kind)
{
	pid_t pid;
	uint64_t now;
	int64_t sum;

	if (sig->cpu_frozen)
		return kind == CPUTIME_VIRT ? sig->utime_ns : sig->utime_ns + sig->stime_ns;
	pid = mm_host_pid(group_mm(sig));
	now = pid ? host_clock(pid, kind) : 0;
	sum = (int64_t)now + sig->cpu_offset_ns[kind];
	return sum > 0 && now ? (uint64_t)sum : 0;
}

/* The exact total, split by the ratio of the sampled clocks, as Linux does (cputime_adjust). */
static void split(uint64_t total, uint64_t user, uint64_t both, uint64_t *ret_u, uint64_t *ret_s)
{
	uint64_t u;

	if (!both || user >= both)
		u = user || !both ? total : 0;
	else
		u = (uint64_t)((double)total * ((double)user / (double)both));
	*ret_u = u;
	*ret_s = total - u;
}

void cputime_group(struct signal *sig, uint64_t *ret_utime_ns, uint64_t *ret_stime_ns)
{
	uint64_t u, s;

	if (sig->cpu_frozen) {
		*ret_utime_ns = sig->utime_ns;
		*ret_stime_ns = sig->stime_ns;
		return;
	}
	u = cputime_clock(sig, CPUTIME_SCHED);
	s = 0;
	if (u >= SAMPLED_WORTH_NS)
		split(u, cputime_clock(sig, CPUTIME_VIRT), cputime_clock(sig, CPUTIME_PROF), &u, &s);
	/* neither figure goes back */
	if (u < sig->utime_ns) {
		uint64_t d = sig->utime_ns - u;

		u = sig->utime_ns;
		s = s > d ? s - d : 0;
	}
	if (s < sig->stime_ns) {
		uint64_t d = sig->stime_ns - s;

		s = sig->stime_ns;
		u = u > d + sig->utime_ns ? u - d : sig->utime_ns;
	}
	sig->utime_ns = u;
	sig->stime_ns = s;
	*ret_utime_ns = u;
	*ret_stime_ns = s;
}

void cputime_thread(struct task *t, uint64_t *ret_utime_ns, uint64_t *ret_stime_ns)
{
	struct signal *sig = t->signal;

	if (!sig->cpu_frozen && sig->live <= 1 && sig->threads.next == sig->threads.prev &&
	    sig->leader == t) {
		cputime_group(sig, ret_utime_ns, ret_stime_ns);
		return;
	}
	if (t == current_task() && t->ht && !t->exiting) {
		struct abi_rusage ru;
		uint64_t total = 0;

		if (host_self_cputime(t, &total) == 0) {
			uint64_t u = 0, s = 0;

			if (host_self_rusage(t, ABI_RUSAGE_THREAD, &ru) == 0) {
				u = (uint64_t)ru.utime.sec * NSEC_PER_SEC + (uint64_t)ru.utime.usec * 1000;
				s = (uint64_t)ru.stime.sec * NSEC_PER_SEC + (uint64_t)ru.stime.usec * 1000;
			}
			split(total, u, u + s, &u, &s);
			t->utime_ns = MAX(t->utime_ns, u);
			t->stime_ns = MAX(t->stime_ns, s);
		}
	}
	*ret_utime_ns = t->utime_ns;
	*ret_stime_ns = t->stime_ns;
}

void cputime_fork(struct signal *child)
{
	pid_t pid = mm_host_pid(group_mm(child));

	uint64_t now[3];

	host_clocks(pid, now);
	for (int k = 0; k < 3; k++)
		child->cpu_offset_ns[k] = -(int64_t)now[k];
	child->cpu_frozen = false;
	cputime_limit_changed(child);
}

void cputime_exec(struct signal *sig, struct mm *new_mm)
{
	pid_t pid = mm_host_pid(new_mm);

	uint64_t now[3], used[3] = {0};

	used[CPUTIME_SCHED] = cputime_clock(sig, CPUTIME_SCHED);
	if (used[CPUTIME_SCHED] >= SAMPLED_WORTH_NS) {
		used[CPUTIME_VIRT] = cputime_clock(sig, CPUTIME_VIRT);
		used[CPUTIME_PROF] = cputime_clock(sig, CPUTIME_PROF);
	}
	host_clocks(pid, now);
	for (int k = 0; k < 3; k++)
		sig->cpu_offset_ns[k] = (int64_t)used[k] - (int64_t)now[k];
}

void cputime_exit(struct signal *sig)
{
	uint64_t u, s;
	struct mm_usage use;
	struct mm *mm = group_mm(sig);

	if (sig->cpu_frozen)
		return;
	cputime_group(sig, &u, &s);
	/* Asking the host costs more than a short program's whole end, and its figure is that of any small
	 * program: the peak is kept for those that did some work. */
	if (u + s >= MAXRSS_WORTH_NS && mm && !mm->hp->dead && mm_usage(mm, &use) == 0)
		sig->maxrss = MAX(sig->maxrss, use.peak_rss);
	sig->cpu_frozen = true;
	itimers_exit(sig);
	cpulimit_exit(sig);
	posix_timers_delete_all(sig);
}
