/* Resource limits (getrlimit(2), prlimit(2)). */
#include <linux/capability.h>
#include <sys/resource.h>
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"

void mm_limit_changed(struct mm *mm, unsigned resource, uint64_t soft, uint64_t hard) __attribute__((weak));
void cputime_limit_changed(struct signal *sig) __attribute__((weak));

static int set_limit(struct task *t, struct task *of, unsigned res, const struct rlimit64 *new)
{
	struct rlimit64 *old = &of->signal->rlim[res];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (res == RLIMIT_NOFILE && new->rlim_max > (uint64_t)sysctl_nr_open)
		return -EPERM;
	if (new->rlim_max > old->rlim_max && !capable(t, CAP_SYS_RESOURCE))
		return -EPERM;
	*old = *new;
	if (of->mm && mm_limit_changed)
		mm_limit_changed(of->mm, res, new->rlim_cur, new->rlim_max);
	if (res == RLIMIT_CPU && cputime_limit_changed)
		cputime_limit_changed(of->signal);
	return 0;
}

static int may_prlimit(struct task *t, struct task *of)
{
	const struct cred *c = t->cred, *to = of->cred;

	if (of->signal == t->signal || capable(t, CAP_SYS_RESOURCE))
		return 0;
	return c->uid == to->euid && c->uid == to->suid && c->uid == to->uid && c->gid == to->egid &&
			       c->gid == to->sgid && c->gid == to->gid
		       ? 0
		       : -EPERM;
}

SYS_HANDLER(prlimit64)
{
	unsigned res = (unsigned)a[1];
	struct rlimit64 new, old;
	struct task *of;
	int ret;

	if (a[2] && user_get(t, new, a[2]))
		return -EFAULT;
	of = pids_find_or_self(t, (int32_t)a[0]);
	if (!of)
		return -ESRCH;
	ret = may_prlimit(t, of);
	if (ret < 0)
		return ret;
	if (res >= RLIM_NLIMITS)
		return -EINVAL;
	old = of->signal->rlim[res];
	if (a[2]) {
		ret = set_limit(t, of, res, &new);
		if (ret < 0)
			return ret;
	}
	return a[3] ? user_put(t, old, a[3]) : 0;
}

SYS_HANDLER(getrlimit)
{
	if ((unsigned)a[0] >= RLIM_NLIMITS)
		return -EINVAL;
	return user_put(t, t->signal->rlim[(unsigned)a[0]], a[1]);
}

SYS_HANDLER(setrlimit)
{
	struct rlimit64 new;

	if (user_get(t, new, a[1]))
		return -EFAULT;
	if ((unsigned)a[0] >= RLIM_NLIMITS)
		return -EINVAL;
	return set_limit(t, t, (unsigned)a[0], &new);
}
