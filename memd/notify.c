/* The supervisor: every file mapping and every process clone of a guest stops in the host kernel until
 * it has been compared here, register by register, with what sysd ordered.
 *
 * Nothing in guest memory is looked at: the arguments of both calls are registers, which the caller
 * cannot change any more (seccomp_unotify(2)). What can change meanwhile is the descriptor number's
 * content, and only memd puts anything there; so a descriptor is lent read-only unless its own order
 * was for a shared writable mapping. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "common/log/log.h"
#include "common/slot/stub.h"
#include "memd/memd.h"

/* Was the process that has been found by n->pid the caller's? memd reaps the processes, so the id of one that it
 * knows cannot be another's; the id of a further thread can, once the caller is gone. */
static bool sure(struct memd *m, const struct seccomp_notif *n, const struct proc *p)
{
	uint64_t id = n->id;

	return p->pid == (pid_t)n->pid || ioctl(m->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* answer: the caller's system call is over with that, its result is the number. */
static int lend(struct memd *m, uint64_t id, int fd, int at, bool answer)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD | (answer ? SECCOMP_ADDFD_FLAG_SEND : 0),
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)at,
	};

	return ioctl(m->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

/* The order that thread `tid` is about to carry out. */
static struct map_order *find_map(struct memd *m, pid_t tid, const uint64_t args[6])
{
	struct proc *p = proc_by_pid(m, tid);
	struct map_order *o;

	if (p)
		return order_find_map(p, args);
	LIST_FOR_EACH(o, &m->map_orders, node)
		if (!memcmp(o->args, args, sizeof(o->args)) && proc_has_thread(m, o->proc, tid))
			return o;
	return NULL;
}

static int judge_file_map(struct memd *m, const struct seccomp_notif *n, const uint64_t args[6])
{
	struct map_order *o = find_map(m, (pid_t)n->pid, args);
	int fd, ret;

	if (!o || !sure(m, n, o->proc))
		return -EPERM;
	if (o->object) {
		struct object *obj = object_find(m, o->object);

		fd = obj ? object_fd(m, obj, o->writable) : -EBADF;
	} else {
		fd = o->fd;
	}
	ret = fd < 0 ? fd : lend(m, n->id, fd, (int)(uint32_t)args[4], false);
	if (ret && memd_may_log(m))
		log_warn("process %d: cannot lend a descriptor for an ordered mapping: %s", o->proc->pid,
			 strerror(-ret));
	order_free_map(o);
	m->stat.maps++;
	return ret;
}

/* The first call of a new process: it asks for the slots that were made for it. *ret_answered: that was the
 * answer already. */
static int judge_slots_map(struct memd *m, const struct seccomp_notif *n, const uint64_t args[6],
			   bool *ret_answered)
{
	struct fork_order *o = order_find_fork(m, (uint32_t)(args[4] >> 32));
	pid_t pid = (pid_t)n->pid;
	siginfo_t si;
	int ret;

	if (!o || !o->cloned || proc_by_pid(m, pid))
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
	if (o->blank ? !ret && m->blank_count == 1 : ret)
		memd_send(m, &msg);
	else if (!ret)
		memd_send_quiet(m, &msg);
	order_free_fork(m, o);
	if (ret) {
		if (p->kind == PROC_BLANK)
			slots_lose(m, STEAL_PTR(p->slots));
		else
			slots_free(STEAL_PTR(p->slots));
	} else {
		ret = lend(m, n->id, p->slots->fd, SBX_FD_SLOTS, true);
		*ret_answered = !ret;
	}
	if (ret) {
		p->kill_ordered = true;
		kill(pid, SIGKILL);
	}
	return ret;
}

static int judge_clone(struct memd *m, const struct seccomp_notif *n)
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
	if (!parent || !proc_has_thread(m, parent, (pid_t)n->pid) || !sure(m, n, parent))
		return -EPERM;
	o->cloned = true;
	o->cloned_by = (pid_t)n->pid;
	o->clones++;
	parent->forked = true;
	m->stat.forks++;
	return 0;
}

bool notify_one(struct memd *m)
{
	struct seccomp_notif *n = m->notif;
	struct seccomp_notif_resp *resp = m->resp;
	bool answered = false;
	int ret = -EPERM;

	memset(n, 0, m->notif_size);
	if (ioctl(m->listener, SECCOMP_IOCTL_NOTIF_RECV, n) < 0)
		return false;
	m->stat.notifications++;
	/* The orders may have been written while we slept; nothing is judged before they are known. */
	serve_drain(m);

	uint64_t args[6];

	for (int i = 0; i < 6; i++)
		args[i] = n->data.args[i];
	if (n->data.nr == SYS_mmap) {
		if ((uint32_t)args[4] == SBX_FD_SLOTS)
			ret = judge_slots_map(m, n, args, &answered);
		else
			ret = judge_file_map(m, n, args);
	} else if (n->data.nr == SYS_clone) {
		ret = judge_clone(m, n);
	}
	if (ret && ret != -ECANCELED) {
		m->stat.denied++;
		if (memd_may_log(m))
			log_warn("denied system call %d (0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx) of guest "
				 "thread %u: %s", n->data.nr, n->data.args[0], n->data.args[1],
				 n->data.args[2], n->data.args[3], n->data.args[4], n->data.args[5], n->pid,
				 strerror(-ret));
	}
	if (answered)
		return true;
	memset(resp, 0, m->resp_size);
	resp->id = n->id;
	resp->error = ret;
	resp->flags = ret ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(m->listener, SECCOMP_IOCTL_NOTIF_SEND, resp);
	return true;
}
