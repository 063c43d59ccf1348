/* prctl(2): what is the task's own. Securebits and ambient capabilities: caps.c; filters: seccomp.c. */
#include <linux/capability.h>
#include <sys/mman.h>
#include "common/base/util.h"
#include "services/sysd/abi/prctl.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/caps.h"
#include "services/sysd/task/internal.h"

long prctl_set_seccomp(struct task *t, uint64_t mode, uint64_t uprog) __attribute__((weak));

static long set_name(struct task *t, uint64_t uname)
{
	char name[TASK_COMM_SIZE] = {0};
	ssize_t ret = user_read_str(t, name, uname, sizeof(name));

	if (ret < 0 && ret != -ENAMETOOLONG)
		return ret;
	if (ret == -ENAMETOOLONG) {
		if (user_read(t, name, uname, sizeof(name) - 1))
			return -EFAULT;
		ret = sizeof(name) - 1;
	}
	memset(name + ret, 0, sizeof(name) - (size_t)ret);
	memcpy(t->comm, name, sizeof(name));
	return 0;
}

static long set_no_new_privs(struct task *t)
{
	struct cred *c;

	if (t->cred->no_new_privs)
		return 0;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	c->no_new_privs = true;
	task_set_cred(t, c);
	return 0;
}

/* prctl(PR_SET_MM): a checkpoint tool moves what /proc shows of the address space. */
static long set_mm(struct task *t, uint64_t what, uint64_t value)
{
	struct mm *mm = t->mm;

	if (!capable(t, CAP_SYS_RESOURCE))
		return -EPERM;
	if (value >> 47)
		return -EINVAL;
	switch (what) {
	case PR_SET_MM_START_CODE:
		mm->start_code = value;
		return 0;
	case PR_SET_MM_END_CODE:
		mm->end_code = value;
		return 0;
	case PR_SET_MM_START_DATA:
		mm->start_data = value;
		return 0;
	case PR_SET_MM_END_DATA:
		mm->end_data = value;
		return 0;
	case PR_SET_MM_START_STACK:
		mm->start_stack = value;
		return 0;
	case PR_SET_MM_ARG_START:
		mm->arg_start = value;
		return 0;
	case PR_SET_MM_ARG_END:
		mm->arg_end = value;
		return 0;
	case PR_SET_MM_ENV_START:
		mm->env_start = value;
		return 0;
	case PR_SET_MM_ENV_END:
		mm->env_end = value;
		return 0;
	default:
		return -EINVAL;
	}
}

static long get_auxv(struct task *t, uint64_t ubuf, uint64_t size)
{
	size_t have = MIN((size_t)t->mm->auxv_count * 8, sizeof(t->mm->auxv));

	if (user_write(t, ubuf, t->mm->auxv, MIN(have, size)))
		return -EFAULT;
	return (long)have;
}

/* PR_SET_VMA_ANON_NAME: the host knows the mapping, the name is checked as Linux does. */
static long set_vma(struct task *t, const uint64_t a[6])
{
	char name[80];
	ssize_t size;

	if (a[1] != PR_SET_VMA_ANON_NAME)
		return -EINVAL;
	if (a[2] & (SBX_PAGE_SIZE - 1))
		return -EINVAL;
	if (a[4]) {
		size = user_read_str(t, name, a[4], sizeof(name));
		if (size == -ENAMETOOLONG)
			return -EINVAL;
		if (size < 0)
			return size;
		for (ssize_t i = 0; i < size; i++)
			if (name[i] < 0x20 || name[i] > 0x7e || strchr("\\`$[]", name[i]))
				return -EINVAL;
	}
	/* as a kernel without CONFIG_ANON_VMA_NAME says, which every user of it expects */
	return -EINVAL;
}

static long signal_option(uint64_t sig, uint32_t *ret)
{
	if (sig > SIG_COUNT)
		return -EINVAL;
	*ret = (uint32_t)sig;
	return 0;
}

SYS_HANDLER(prctl)
{
	struct signal *sig = t->signal;
	int32_t value;
	long ret;

	ret = caps_prctl(t, a);
	if (ret != -ENOSYS)
		return ret;
	switch ((int)a[0]) {
	case PR_SET_NAME:
		return set_name(t, a[1]);
	case PR_GET_NAME:
		return user_write(t, a[1], t->comm, sizeof(t->comm));
	case PR_SET_PDEATHSIG:
		return signal_option(a[1], &t->pdeath_signal);
	case PR_GET_PDEATHSIG:
		value = (int32_t)t->pdeath_signal;
		return user_put(t, value, a[1]);
	case PR_GET_DUMPABLE:
		return sig->dumpable;
	case PR_SET_DUMPABLE:
		if (a[1] > 1)
			return -EINVAL;
		sig->dumpable = a[1];
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a[1] != 1 || a[2] || a[3] || a[4])
			return -EINVAL;
		return set_no_new_privs(t);
	case PR_GET_NO_NEW_PRIVS:
		if (a[1] || a[2] || a[3] || a[4])
			return -EINVAL;
		return t->cred->no_new_privs;
	case PR_SET_CHILD_SUBREAPER:
		sig->is_subreaper = a[1];
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		value = sig->is_subreaper;
		return user_put(t, value, a[1]);
	case PR_SET_TIMERSLACK:
		t->timer_slack_ns = (int64_t)a[1] > 0 ? a[1] : t->default_slack_ns;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)MIN(t->timer_slack_ns, (uint64_t)INT64_MAX);
	case PR_GET_TID_ADDRESS:
		return user_put(t, t->clear_child_tid, a[1]);
	case PR_GET_SECCOMP:
		return t->seccomp_mode;
	case PR_SET_SECCOMP:
		return prctl_set_seccomp ? prctl_set_seccomp(t, a[1], a[2]) : -EINVAL;
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return a[1] == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_TSC:
		value = PR_TSC_ENABLE;
		return user_put(t, value, a[1]);
	case PR_SET_TSC:
		return a[1] == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_UNALIGN:
	case PR_SET_UNALIGN:
	case PR_GET_FPEMU:
	case PR_SET_FPEMU:
	case PR_GET_FPEXC:
	case PR_SET_FPEXC:
	case PR_GET_ENDIAN:
	case PR_SET_ENDIAN:
		return -EINVAL; /* not on this architecture */
	case PR_MCE_KILL:
		if (a[3] || a[4])
			return -EINVAL;
		if (a[1] == PR_MCE_KILL_CLEAR)
			return a[2] ? -EINVAL : 0;
		return a[1] == PR_MCE_KILL_SET && a[2] <= PR_MCE_KILL_DEFAULT ? 0 : -EINVAL;
	case PR_MCE_KILL_GET:
		return a[1] || a[2] || a[3] || a[4] ? -EINVAL : PR_MCE_KILL_DEFAULT;
	case PR_SET_MM:
		if (a[4] || (a[1] != PR_SET_MM_AUXV && a[1] != PR_SET_MM_MAP && a[3]))
			return -EINVAL;
		return set_mm(t, a[1], a[2]);
	case PR_GET_AUXV:
		return a[3] || a[4] ? -EINVAL : get_auxv(t, a[1], a[2]);
	case PR_SET_VMA:
		return set_vma(t, a);
	case PR_SET_THP_DISABLE:
	case PR_GET_THP_DISABLE:
		if ((int)a[0] == PR_GET_THP_DISABLE)
			return a[1] || a[2] || a[3] || a[4] ? -EINVAL : 0;
		return a[2] || a[3] || a[4] ? -EINVAL : a[1] ? -EINVAL : 0;
	case PR_GET_SPECULATION_CTRL:
		if (a[2] || a[3] || a[4])
			return -EINVAL;
		return a[1] <= PR_SPEC_INDIRECT_BRANCH ? PR_SPEC_NOT_AFFECTED : -ENODEV;
	case PR_SET_SPECULATION_CTRL:
		return a[3] || a[4] ? -EINVAL : a[1] <= PR_SPEC_INDIRECT_BRANCH ? -ENXIO : -ENODEV;
	case PR_SET_PTRACER:
		return 0; /* Yama's mode 0: everybody may anyway */
	case PR_GET_IO_FLUSHER:
		return capable(t, CAP_SYS_RESOURCE) ? 0 : -EPERM;
	default:
		return -EINVAL;
	}
}
