/* kill, tkill, tgkill and the calls that queue a signal with a value; who may signal whom. */
#include <linux/capability.h>
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/internal.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"

static bool cred_may_kill(const struct task *t, const struct cred *to)
{
	const struct cred *c = t->cred;

	return c->euid == to->suid || c->euid == to->uid || c->uid == to->suid || c->uid == to->uid ||
	       capable(t, CAP_KILL);
}

static int may_send(struct task *t, struct task *to, int signo)
{
	if (to->signal == t->signal || cred_may_kill(t, to->cred))
		return 0;
	if (signo == SIGCONT && to->signal->sid == t->signal->sid)
		return 0;
	return -EPERM;
}

int signal_may_send(struct task *t, struct signal *to, int signo)
{
	return to->leader ? may_send(t, to->leader, signo) : -ESRCH;
}

static int send_group(struct task *t, struct signal *to, int signo, const struct abi_siginfo *info)
{
	int ret = signal_may_send(t, to, signo);

	if (ret < 0 || !signo)
		return ret;
	return signal_send_group(to, signo, info);
}

int signal_kill_pgrp(struct task *t, uint32_t pgid, int signo, const struct abi_siginfo *info)
{
	struct signal *sig;
	int ret = -ESRCH;
	bool done = false;

	LIST_FOR_EACH (sig, signal_all(), all_node) {
		if (sig->pgid != pgid || sig->reaped)
			continue;
		ret = send_group(t, sig, signo, info);
		done |= !ret;
	}
	return done ? 0 : ret;
}

static long kill_everyone(struct task *t, int signo, const struct abi_siginfo *info)
{
	struct signal *sig;
	int count = 0;
	long ret = 0;

	LIST_FOR_EACH (sig, signal_all(), all_node) {
		int err;

		if (sig->pid == 1 || sig == t->signal || sig->reaped)
			continue;
		err = send_group(t, sig, signo, info);
		count++;
		if (err != -EPERM)
			ret = err;
	}
	return count ? ret : -ESRCH;
}

SYS_HANDLER(kill)
{
	int32_t pid = (int32_t)a[0];
	int signo = (int)a[1];
	struct abi_siginfo info;
	struct signal *sig;
	struct task *thread;

	if (signo < 0 || signo > SIG_COUNT)
		return -EINVAL;
	siginfo_user(&info, t, signo, ABI_SI_USER);
	if (pid == 0)
		return signal_kill_pgrp(t, t->signal->pgid, signo, &info);
	if (pid == -1)
		return kill_everyone(t, signo, &info);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid < 0)
		return signal_kill_pgrp(t, (uint32_t)-pid, signo, &info);
	sig = pids_find_group(t, pid);
	if (!sig) {
		/* as Linux does, the id of any thread names its group */
		thread = pids_find_task(t, pid);
		sig = thread ? thread->signal : NULL;
	}
	return sig ? send_group(t, sig, signo, &info) : -ESRCH;
}

static long send_thread(struct task *t, int32_t tgid, int32_t tid, int signo, struct abi_siginfo *info)
{
	struct task *to = pids_find_task(t, tid);
	int ret;

	if (!to || (tgid > 0 && pids_pid_of(t, to->signal) != (uint32_t)tgid))
		return -ESRCH;
	if (signo < 0 || signo > SIG_COUNT)
		return -EINVAL;
	ret = info->si_code < 0 && info->si_code != ABI_SI_TKILL && to->signal == t->signal
		      ? 0
		      : may_send(t, to, signo);
	if (ret < 0 || !signo)
		return ret;
	return signal_send_task(to, signo, info);
}

SYS_HANDLER(tgkill)
{
	struct abi_siginfo info;

	if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
		return -EINVAL;
	siginfo_user(&info, t, (int)a[2], ABI_SI_TKILL);
	return send_thread(t, (int32_t)a[0], (int32_t)a[1], (int)a[2], &info);
}

SYS_HANDLER(tkill)
{
	struct abi_siginfo info;

	if ((int32_t)a[0] <= 0)
		return -EINVAL;
	siginfo_user(&info, t, (int)a[1], ABI_SI_TKILL);
	return send_thread(t, 0, (int32_t)a[0], (int)a[1], &info);
}

/* Nobody may pretend that the kernel or kill(2) sent it, but to himself. */
static bool forged(const struct abi_siginfo *info)
{
	return info->si_code >= 0 || info->si_code == ABI_SI_TKILL;
}

SYS_HANDLER(rt_sigqueueinfo)
{
	struct abi_siginfo info;
	struct signal *sig;

	if (user_get(t, info, a[2]))
		return -EFAULT;
	info.si_signo = (int)a[1];
	if (forged(&info) && (uint32_t)a[0] != pids_tid_of(t, t))
		return -EPERM;
	if ((int)a[1] < 0 || (int)a[1] > SIG_COUNT)
		return -EINVAL;
	sig = pids_find_group(t, (int32_t)a[0]);
	if (!sig) {
		struct task *thread = pids_find_task(t, (int32_t)a[0]);

		sig = thread ? thread->signal : NULL;
	}
	return sig ? send_group(t, sig, (int)a[1], &info) : -ESRCH;
}

SYS_HANDLER(rt_tgsigqueueinfo)
{
	struct abi_siginfo info;

	if (user_get(t, info, a[3]))
		return -EFAULT;
	if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
		return -EINVAL;
	info.si_signo = (int)a[2];
	if (forged(&info) && (uint32_t)a[1] != pids_tid_of(t, t))
		return -EPERM;
	return send_thread(t, (int32_t)a[0], (int32_t)a[1], (int)a[2], &info);
}
