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

/* memd reaps the processes, so the id of one that it knows cannot be another's; the id of a further thread can, once
 * the caller is gone. */
bool notify_sure(struct memd *m, const struct seccomp_notif *n, const struct proc *p)
{
	uint64_t id = n->id;

	return p->pid == (pid_t)n->pid || ioctl(m->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int notify_lend(struct memd *m, uint64_t id, int fd, int at, bool answer)
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

	if (!o || !notify_sure(m, n, o->proc))
		return -EPERM;
	if (o->object) {
		struct object *obj = object_find(m, o->object);

		fd = obj ? object_fd(m, obj, o->writable) : -EBADF;
	} else {
		fd = o->fd;
	}
	ret = fd < 0 ? fd : notify_lend(m, n->id, fd, (int)(uint32_t)args[4], false);
	if (ret && memd_may_log(m))
		log_warn("process %d: cannot lend a descriptor for an ordered mapping: %s", o->proc->pid,
			 strerror(-ret));
	order_free_map(o);
	m->stat.maps++;
	return ret;
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
		uint32_t at = (uint32_t)args[4];

		if (at == SBX_FD_SLOTS || (at >= SBX_FD_SETS && at < SBX_FD_SETS_END))
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
