/* wait4(2) and waitid(2): zombies, stops and continuations of children, and of tasks we trace. */
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/abi/wait.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/pidfd.h"
#include "services/sysd/task/waiting.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fdtable.h"

bool wait_matches(const struct wait_request *w, const struct task *c)
{
	const struct signal *sig = c->signal;
	bool clone_child = c->exit_signal != SIGCHLD;

	switch (w->which) {
	case ABI_P_PID:
		if (c->tid != w->id)
			return false;
		break;
	case ABI_P_PGID:
		if (sig->pgid != w->id)
			return false;
		break;
	case ABI_P_PIDFD:
		if (sig != w->sig)
			return false;
		break;
	}
	if (c->ptrace || w->options & ABI_WALL)
		return true;
	return clone_child == !!(w->options & ABI_WCLONE);
}

static void fill(struct wait_request *w, struct task *c, int code, int status)
{
	w->pid = w->task ? pids_tid_of(w->task, c) : c->tid;
	w->uid = c->cred->uid;
	w->code = code;
	w->status = status;
}

static void take_usage(struct wait_request *w, struct signal *sig)
{
	if (w->want_rusage)
		rusage_fill(NULL, sig, ABI_RUSAGE_BOTH, &w->rusage);
}

static void add_usage(struct signal *to, struct signal *sig)
{
	uint64_t u = 0, s = 0;

	cputime_group(sig, &u, &s);
	to->cutime_ns += u + sig->cutime_ns;
	to->cstime_ns += s + sig->cstime_ns;
	to->cmaxrss = MAX(to->cmaxrss, MAX(sig->maxrss, sig->cmaxrss));
}

/* A child that has ended: *w is filled, and unless WNOWAIT it is gone. */
static bool take_zombie(struct wait_request *w, struct signal *sig)
{
	struct task *c = sig->leader;
	int32_t code;

	if (!(w->options & ABI_WEXITED) || c->state != TASK_ZOMBIE || !c->exit_notified)
		return false;
	if (c->ptrace)
		return false; /* its tracer is asked first */
	code = c->exit_code;
	take_usage(w, sig);
	w->wait_status = code;
	if (!(code & 0x7f))
		fill(w, c, ABI_CLD_EXITED, code >> 8);
	else
		fill(w, c, code & 0x80 ? ABI_CLD_DUMPED : ABI_CLD_KILLED, code & 0x7f);
	if (w->options & ABI_WNOWAIT)
		return true;
	if (w->task)
		add_usage(w->task->signal, sig);
	task_release(c);
	return true;
}

static bool take_stop(struct wait_request *w, struct signal *sig)
{
	if (w->options & ABI_WSTOPPED && sig->stopped && !sig->stop_reported && sig->live) {
		fill(w, sig->leader, ABI_CLD_STOPPED, sig->stop_signo);
		w->wait_status = sig->stop_signo << 8 | 0x7f;
		take_usage(w, sig);
		if (!(w->options & ABI_WNOWAIT))
			sig->stop_reported = true;
		return true;
	}
	if (w->options & ABI_WCONTINUED && sig->continued && sig->live) {
		fill(w, sig->leader, ABI_CLD_CONTINUED, SIGCONT);
		w->wait_status = 0xffff;
		take_usage(w, sig);
		if (!(w->options & ABI_WNOWAIT))
			sig->continued = false;
		return true;
	}
	return false;
}

/* 1: *w says what; 0: there are children to wait for; -ECHILD. */
static int scan(struct task *t, struct wait_request *w)
{
	struct signal *sig, *tmp;
	bool any = false;

	LIST_FOR_EACH_SAFE (sig, tmp, &t->signal->children, sibling) {
		if (!sig->leader || !wait_matches(w, sig->leader))
			continue;
		any = true;
		if (take_zombie(w, sig) || (!sig->leader->ptrace && take_stop(w, sig)))
			return 1;
	}
	if (ptrace_wait) {
		int ret = ptrace_wait(t, w);

		if (ret > 0)
			return ret;
		any |= ret == 0;
	}
	return any ? 0 : -ECHILD;
}

static int do_wait(struct task *t, struct wait_request *w)
{
	struct waiter wait;
	int ret;

	w->task = t;
	ret = scan(t, w);
	if (ret)
		return ret;
	if (w->options & ABI_WNOHANG)
		return 0;
	t->wchan = "do_wait";
	wait_prepare(&wait, &t->signal->child_wait, 0);
	for (;;) {
		ret = scan(t, w);
		if (ret)
			break;
		ret = wait_sleep(&wait, WAIT_INTERRUPTIBLE, KTIMER_NEVER);
		if (ret) {
			/* what came together with the signal is still reported */
			int found = scan(t, w);

			if (found)
				ret = found;
			break;
		}
	}
	wait_finish(&wait);
	t->wchan = NULL;
	return ret;
}

SYS_HANDLER(wait4)
{
	uint32_t options = (uint32_t)a[2];
	int32_t pid = (int32_t)a[0];
	struct wait_request w = {.options = options | ABI_WEXITED, .want_rusage = a[3] != 0};
	int ret;

	if (options & ~(ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED | ABI_WNOTHREAD | ABI_WCLONE | ABI_WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		w.which = ABI_P_PID;
		w.id = (uint32_t)pid;
	} else if (pid != -1) {
		w.which = ABI_P_PGID;
		w.id = pid ? (uint32_t)-pid : t->signal->pgid;
	}
	ret = do_wait(t, &w);
	if (ret <= 0)
		return ret;
	if (a[1] && user_put(t, w.wait_status, a[1]))
		return -EFAULT;
	if (a[3] && user_put(t, w.rusage, a[3]))
		return -EFAULT;
	return (long)w.pid;
}

static int waitid_target(struct task *t, int which, int32_t id, struct wait_request *w, struct signal **ret_ref)
{
	struct file *file;
	struct signal *sig;

	w->which = which;
	switch (which) {
	case ABI_P_ALL:
		return 0;
	case ABI_P_PID:
		w->id = (uint32_t)id;
		return id > 0 ? 0 : -EINVAL;
	case ABI_P_PGID:
		w->id = id ? (uint32_t)id : t->signal->pgid;
		return id >= 0 ? 0 : -EINVAL;
	case ABI_P_PIDFD:
		if (id < 0)
			return -EINVAL;
		file = fd_get(t, id);
		if (!file)
			return -EBADF;
		sig = pidfd_signal(file);
		if (sig) {
			*ret_ref = w->sig = signal_ref(sig);
			if (file->flags & ABI_PIDFD_NONBLOCK)
				w->nonblock = true;
		}
		file_unref(file);
		return sig ? 0 : -EBADF;
	default:
		return -EINVAL;
	}
}

SYS_HANDLER(waitid)
{
	uint32_t options = (uint32_t)a[3];
	struct wait_request w = {.options = options, .want_rusage = a[4] != 0};
	struct signal *ref = NULL;
	int ret;

	if (options & ~(ABI_WNOHANG | ABI_WNOWAIT | ABI_WEXITED | ABI_WSTOPPED | ABI_WCONTINUED |
			ABI_WNOTHREAD | ABI_WCLONE | ABI_WALL))
		return -EINVAL;
	if (!(options & (ABI_WEXITED | ABI_WSTOPPED | ABI_WCONTINUED)))
		return -EINVAL;
	ret = waitid_target(t, (int)a[0], (int32_t)a[1], &w, &ref);
	if (ret < 0)
		return ret;
	if (w.nonblock)
		w.options |= ABI_WNOHANG;
	ret = do_wait(t, &w);
	if (!ret && w.nonblock && !(options & ABI_WNOHANG))
		ret = -EAGAIN;
	signal_unref(ref);
	if (ret < 0)
		return ret;
	if (ret > 0 && a[4] && user_put(t, w.rusage, a[4]))
		return -EFAULT;
	if (a[2]) {
		/* only the fields that wait sets, all zero when nothing was found */
		struct {
			int32_t signo, err, code, pad, pid;
			uint32_t uid;
			int32_t status;
		} out = {0};

		if (ret > 0) {
			out.signo = SIGCHLD;
			out.code = w.code;
			out.pid = (int32_t)w.pid;
			out.uid = w.uid;
			out.status = w.status;
		}
		if (user_write(t, a[2], &out, 12) || user_write(t, a[2] + 16, &out.pid, 12))
			return -EFAULT;
	}
	return 0;
}
