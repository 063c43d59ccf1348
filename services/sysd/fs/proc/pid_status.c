/* /proc/PID/{stat,statm,status}. */
#include <signal.h>
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/sys/affinity.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/tty/tty.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fs_struct.h"

/* These parts may not be linked (unit tests). */
uint32_t ptrace_tracer_tid(const struct task *t) __attribute__((weak));
unsigned seccomp_filter_count(const struct task *t) __attribute__((weak));

const char *proc_task_state(const struct task *t)
{
	switch (t->state) {
	case TASK_RUNNING:
		/* a wait that the runtime does on its own looks like guest code from here */
		if (t->nr < 0 && t->ht && hthread_slot(t->ht)->t0_wait)
			return "S (sleeping)";
		return "R (running)";
	case TASK_SLEEPING:
		return "S (sleeping)";
	case TASK_UNINT:
		return "D (disk sleep)";
	case TASK_STOPPED:
		return "T (stopped)";
	case TASK_TRACED:
		return "t (tracing stop)";
	case TASK_ZOMBIE:
		return "Z (zombie)";
	default:
		return "X (dead)";
	}
}

struct sig_sets {
	uint64_t pending, shared, blocked, ignored, caught;
};

static void collect_sigs(const struct task *t, struct sig_sets *ret)
{
	*ret = (struct sig_sets){.pending = t->pending.set,
				 .shared = t->signal->shared_pending.set,
				 .blocked = t->blocked};
	/* the mask of a thread that runs guest code stands in its slot */
	if (t->ht && t->nr < 0)
		ret->blocked = hthread_slot(t->ht)->sigmask & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
	if (!t->sighand)
		return;
	for (int i = 0; i < SIG_COUNT; i++) {
		if (t->sighand->action[i].handler == 1)
			ret->ignored |= 1ull << i;
		else if (t->sighand->action[i].handler)
			ret->caught |= 1ull << i;
	}
}

static void usage_of(struct task *t, struct mm_usage *ret, struct mm **ret_mm)
{
	memset(ret, 0, sizeof(*ret));
	*ret_mm = t->mm && t->state != TASK_ZOMBIE ? mm_ref(t->mm) : NULL;
	if (*ret_mm)
		mm_usage(*ret_mm, ret);
}

PROC_SHOW(proc_show_statm)
{
	struct mm_usage u;
	struct mm *mm;

	usage_of(t, &u, &mm);
	seq_printf(s, "%llu %llu %llu %llu 0 %llu 0\n", (unsigned long long)(u.size / SBX_PAGE_SIZE),
		   (unsigned long long)(u.rss / SBX_PAGE_SIZE),
		   (unsigned long long)(u.shared / SBX_PAGE_SIZE),
		   (unsigned long long)(u.text / SBX_PAGE_SIZE),
		   (unsigned long long)((u.data + u.stack) / SBX_PAGE_SIZE));
	mm_unref(mm);
	return 0;
}

static uint64_t ticks(uint64_t ns)
{
	return ns / (NSEC_PER_SEC / ABI_USER_HZ);
}

PROC_SHOW(proc_show_stat)
{
	struct task *cur = current_task();
	bool group = pi->entry && pi->pid == pi->tid && t == t->signal->leader;
	bool peek = cur && ptrace_may_look(cur, t);
	struct mm_usage use;
	struct sig_sets sig;
	struct signal *g;
	struct mm *mm;
	uint64_t ut, st;
	int prio;

	usage_of(t, &use, &mm);
	t = proc_task(pi); /* that slept */
	if (!t) {
		mm_unref(mm);
		return -ESRCH;
	}
	g = t->signal;
	collect_sigs(t, &sig);
	if (group)
		cputime_group(g, &ut, &st);
	else
		cputime_thread(t, &ut, &st);
	prio = t->sched_policy == 1 || t->sched_policy == 2 ? -1 - t->sched_priority : 20 + t->nice;
	seq_printf(s, "%u (%.15s) %c %u %u %u %u %d %u 0 0 0 0 %llu %llu %lld %lld %d %d %u 0 %llu",
		   pids_tid_of(cur, t), t->comm, proc_task_state(t)[0],
		   g->parent ? pids_pid_of(cur, g->parent) : 0, g->pgid, g->sid,
		   g->tty ? tty_devnum(g->tty) : 0, g->tty ? tty_foreground_pgrp(g->tty) : -1,
		   g->did_exec ? 0x400000u : 0x400040u, (unsigned long long)ticks(ut),
		   (unsigned long long)ticks(st), (long long)ticks(g->cutime_ns),
		   (long long)ticks(g->cstime_ns), prio, t->nice, g->live,
		   (unsigned long long)ticks(t->start_boot_ns));
	seq_printf(s, " %llu %llu %llu", (unsigned long long)use.size,
		   (unsigned long long)(use.rss / SBX_PAGE_SIZE),
		   (unsigned long long)g->rlim[RLIMIT_RSS].rlim_cur);
	if (mm && peek)
		seq_printf(s, " %llu %llu %llu", (unsigned long long)mm->start_code,
			   (unsigned long long)mm->end_code, (unsigned long long)mm->start_stack);
	else
		seq_puts(s, mm ? " 1 1 0" : " 0 0 0");
	seq_printf(s, " 0 0 %llu %llu %llu %llu %d 0 0 %d %d %d %d 0 0 0",
		   (unsigned long long)(sig.pending & 0x7fffffff),
		   (unsigned long long)(sig.blocked & 0x7fffffff),
		   (unsigned long long)(sig.ignored & 0x7fffffff),
		   (unsigned long long)(sig.caught & 0x7fffffff), t->wchan ? 1 : 0,
		   (int)t->exit_signal, t->ht ? (int)(hthread_slot(t->ht)->guest_cpu % kinfo_host.cpu_count) : 0,
		   t->sched_policy == 1 || t->sched_policy == 2 ? t->sched_priority : 0,
		   t->sched_policy);
	if (mm && peek)
		seq_printf(s, " %llu %llu %llu %llu %llu %llu %llu", (unsigned long long)mm->start_data,
			   (unsigned long long)mm->end_data, (unsigned long long)mm->start_brk,
			   (unsigned long long)mm->arg_start, (unsigned long long)mm->arg_end,
			   (unsigned long long)mm->env_start, (unsigned long long)mm->env_end);
	else
		seq_puts(s, " 0 0 0 0 0 0 0");
	seq_printf(s, " %d\n", peek ? t->exit_code : 0);
	mm_unref(mm);
	return 0;
}

static void show_mm(struct seqbuf *s, const struct mm *mm, const struct mm_usage *u)
{
	const struct {
		const char *name;
		uint64_t bytes;
	} row[] = {
		{"VmPeak", MAX(u->peak_size, u->size)}, {"VmSize", u->size}, {"VmLck", u->locked},
		{"VmPin", 0}, {"VmHWM", MAX(u->peak_rss, u->rss)}, {"VmRSS", u->rss},
		{"RssAnon", u->rss - MIN(u->rss, u->shared)}, {"RssFile", u->shared}, {"RssShmem", 0},
		{"VmData", u->data}, {"VmStk", u->stack},
		{"VmExe", MIN(u->text, mm->end_code - mm->start_code)},
		{"VmLib", u->text - MIN(u->text, mm->end_code - mm->start_code)},
		{"VmPTE", ALIGN_UP(u->size / 512 + 4096, SBX_PAGE_SIZE)}, {"VmSwap", 0},
		{"HugetlbPages", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		seq_printf(s, "%s:\t%8llu kB\n", row[i].name, (unsigned long long)(row[i].bytes / 1024));
	seq_puts(s, "CoreDumping:\t0\nTHP_enabled:\t1\n");
}

static void show_cpus(struct seqbuf *s, const struct task *t)
{
	uint64_t mask[16] = {0};
	int words = (int)ALIGN_UP(kinfo_host.cpu_count, 32u) / 32;

	affinity_get(t, mask);
	seq_puts(s, "Cpus_allowed:\t");
	for (int w = words - 1; w >= 0; w--) {
		uint32_t v = (uint32_t)(mask[w / 2] >> (w % 2 * 32));

		if (w == words - 1 && kinfo_host.cpu_count % 32)
			seq_printf(s, "%0*x", (int)(kinfo_host.cpu_count % 32 + 3) / 4, v);
		else
			seq_printf(s, "%08x", v);
		seq_puts(s, w ? "," : "\n");
	}
	seq_puts(s, "Cpus_allowed_list:\t");
	seq_bits(s, mask, kinfo_host.cpu_count);
	seq_puts(s, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static void show_ids(struct seqbuf *s, struct task *cur, struct task *t)
{
	const struct cred *c = t->cred;
	struct signal *g = t->signal;
	uint32_t tid = pids_tid_of(cur, t), pid = pids_pid_of(cur, g);
	int fds = 0;

	for (int fd = t->files ? fdtable_next(t->files, 0) : -1; fd >= 0;
	     fd = fdtable_next(t->files, fd + 1))
		fds = fd + 1;
	seq_printf(s, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t%u\n", pid, tid,
		   g->parent ? pids_pid_of(cur, g->parent) : 0,
		   ptrace_tracer_tid ? ptrace_tracer_tid(t) : 0);
	seq_printf(s, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%d\nGroups:\t", c->uid,
		   c->euid, c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid,
		   t->files ? (int)MAX(64, ALIGN_UP(fds, 64)) : 0);
	for (size_t i = 0; c->groups && i < c->groups->count; i++)
		seq_printf(s, "%u ", c->groups->gid[i]);
	if (!c->groups || !c->groups->count)
		seq_putc(s, ' ');
	seq_printf(s, "\nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", pid, tid, g->pgid, g->sid);
}

PROC_SHOW(proc_show_status)
{
	struct task *cur = current_task();
	struct mm_usage use;
	struct sig_sets sig;
	struct sigqueue *q;
	struct mm *mm;
	unsigned queued = 0;
	const struct cred *c;

	usage_of(t, &use, &mm);
	t = proc_task(pi);
	if (!t) {
		mm_unref(mm);
		return -ESRCH;
	}
	c = t->cred;
	collect_sigs(t, &sig);
	seq_puts(s, "Name:\t");
	seq_escape(s, t->comm, "\n\\");
	seq_putc(s, '\n');
	if (t->fs)
		seq_printf(s, "Umask:\t%04o\n", t->fs->umask);
	seq_printf(s, "State:\t%s\n", proc_task_state(t));
	show_ids(s, cur, t);
	if (mm)
		show_mm(s, mm, &use);
	LIST_FOR_EACH (q, &t->pending.queue, link)
		queued++;
	LIST_FOR_EACH (q, &t->signal->shared_pending.queue, link)
		queued++;
	seq_printf(s, "Threads:\t%u\nSigQ:\t%u/%llu\n", t->signal->live, queued,
		   (unsigned long long)t->signal->rlim[RLIMIT_SIGPENDING].rlim_cur);
	seq_printf(s, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		   (unsigned long long)sig.pending, (unsigned long long)sig.shared,
		   (unsigned long long)sig.blocked, (unsigned long long)sig.ignored,
		   (unsigned long long)sig.caught);
	seq_printf(s, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
		   (unsigned long long)c->cap_inheritable, (unsigned long long)c->cap_permitted,
		   (unsigned long long)c->cap_effective, (unsigned long long)c->cap_bset,
		   (unsigned long long)c->cap_ambient);
	seq_printf(s, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n", c->no_new_privs,
		   t->seccomp_mode, seccomp_filter_count ? seccomp_filter_count(t) : 0);
	seq_puts(s, "Speculation_Store_Bypass:\tvulnerable\nSpeculationIndirectBranch:\tconditional enabled\n");
	show_cpus(s, t);
	seq_printf(s, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t0\n",
		   (unsigned long long)(t->ht ? t->ht->stat_requests : 0));
	mm_unref(mm);
	return 0;
}
