/* The supervisor's part in a fork: the parent's clone, which must be one that sysd ordered, and the child's first
 * call, which asks for the slots that were made for it. */
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/log/log.h"
#include "memd/memd.h"

#define HUSH_NS 10000000ull

/* Is that descriptor of a process the one of the set? Nobody but memd can put another one there. A host that does not
 * tell (kcmp(2)) says no. */
static bool has_set(pid_t pid, uint32_t at, const struct slots *s)
{
	return at >= SBX_FD_SETS && syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, s->fd, at) == 0;
}

/* The first call of a new process: it asks for the slots that were made for it. *ret_answered: that was the
 * answer already. */
int judge_slots_map(struct memd *m, const struct seccomp_notif *n, const uint64_t args[6], bool *ret_answered)
{
	struct fork_order *o = order_find_fork(m, (uint32_t)(args[4] >> 32));
	uint32_t at = (uint32_t)args[4];
	pid_t pid = (pid_t)n->pid;
	siginfo_t si;
	int ret;

	if (!o || !o->cloned || proc_by_pid(m, pid))
		return -EPERM;
	if (at != SBX_FD_SLOTS && at != SBX_FD_SET(o->slots->id))
		return -EPERM;
	if (args[0] != m->base + SBX_R_SLOTS || args[1] != SBX_SLOTS_SIZE ||
	    args[2] != (PROT_READ | PROT_WRITE) || args[3] != (MAP_SHARED | MAP_FIXED) || args[5] != 0)
		return -EPERM;
	/* A thread of a known process that says its child's cookie is no child of memd's; and one that is stays so
	 * until memd reaps it. */
	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -EPERM;
	if (o->cancelled) {
		o->child_came = true;
		order_free_fork(m, o);
		kill(pid, SIGKILL);
		return -ECANCELED; /* no news to anybody */
	}
	struct proc *p = proc_new(m, pid, o->blank ? PROC_BLANK : PROC_GUEST);

	if (!p)
		return -ENOMEM;
	o->child_came = true;
	p->slots = STEAL_PTR(o->slots);
	struct memd_msg msg = {.kind = o->blank ? MEMD_BLANK : MEMD_FORKED,
			       .cookie = o->cookie,
			       .id = p->id,
			       .pid = (uint32_t)pid,
			       .object = p->slots->id};

	ret = 0;
	if (!p->slots->at_sysd) {
		msg.ticket = memd_pass_fd(m, p->slots->fd);
		if (!msg.ticket)
			ret = -EAGAIN;
		else
			p->slots->at_sysd = true;
	}
	msg.error = ret;
	if (o->blank) {
		m->blank_pending -= m->blank_pending > 0;
		if (!ret) {
			m->blank_count++;
			m->stat.blanks++;
		}
	}
	/* Said before it is true: what the child says afterwards wakes sysd, and if it never comes that far it dies.
	 * For a blank a strand waits only while sysd has none. */
	if (o->blank ? !ret && m->blank_count == 1 : ret || o->awaited)
		memd_send(m, &msg);
	else if (!ret)
		memd_send_quiet(m, &msg);
	order_free_fork(m, o);
	if (ret) {
		if (p->kind == PROC_BLANK)
			slots_lose(m, STEAL_PTR(p->slots));
		else
			slots_free(STEAL_PTR(p->slots));
	} else if (!has_set(pid, at, p->slots)) {
		ret = notify_lend(m, n->id, p->slots->fd, SBX_FD_SLOTS, true);
		*ret_answered = !ret;
	}
	if (ret) {
		p->kill_ordered = true;
		kill(pid, SIGKILL);
	}
	return ret;
}

/* The child of o is to find its slots' descriptor in the table that it inherits; what it has there is looked at when it
 * asks (has_set), so that this need not be right, but mostly. */
static void leave_set(struct memd *m, const struct seccomp_notif *n, const struct fork_order *o, struct proc *parent)
{
	uint32_t at = SBX_FD_SET(o->slots->id);
	uint64_t *known = &parent->sets[at - SBX_FD_SETS];

	if (o->blank || *known == o->slots->id)
		return;
	*known = notify_lend(m, n->id, o->slots->fd, (int)at, false) ? 0 : o->slots->id;
}

/* A child that was killed before it was made: nothing is wrong with its parent. */
static bool was_called_off(const struct memd *m, uint64_t cookie)
{
	for (unsigned i = 0; i < ARRAY_SIZE(m->called_off); i++)
		if (cookie && m->called_off[i] == cookie)
			return true;
	return false;
}

int judge_clone(struct memd *m, const struct seccomp_notif *n)
{
	/* The cookie stands in the tls argument, which counts for nothing without CLONE_SETTLS. */
	struct fork_order *o = n->data.args[4] <= UINT32_MAX ?
				       order_find_fork(m, (uint32_t)n->data.args[4]) :
				       NULL;
	struct proc *parent = o ? proc_by_id(m, o->parent_id) : NULL;

	/* A signal that is pending makes the kernel begin a clone again (ERESTARTNOINTR, fork(2)), which stops here once
	 * more. Who says so to get a second child has it ended with the order: it knows no slots. */
	if (o && o->cloned && (o->cloned_by != (pid_t)n->pid || o->clones >= CLONES_MAX))
		return -EPERM;
	if (!o && was_called_off(m, n->data.args[4]))
		return -ECANCELED;
	if (!parent || !proc_has_thread(m, parent, (pid_t)n->pid) || !notify_sure(m, n, parent))
		return -EPERM;
	leave_set(m, n, o, parent);
	o->cloned = true;
	o->cloned_by = (pid_t)n->pid;
	o->clones++;
	parent->forked = true;
	m->stat.forks++;
	/* A child that ends soon is reaped on the occasion of the next fork, or a little later. */
	if (!o->blank)
		m->hush_until_ns = mono_ns() + HUSH_NS;
	return 0;
}
