/* ptrace's access rule (ptrace(2), "Ptrace access mode checking"). */
#include <linux/capability.h>
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"

static bool may_access(const struct task *t, const struct task *of, uint32_t uid, uint32_t gid)
{
	const struct cred *to = of->cred;

	if (t->signal == of->signal || capable(t, CAP_SYS_PTRACE))
		return true;
	if (uid != to->euid || uid != to->suid || uid != to->uid || gid != to->egid || gid != to->sgid ||
	    gid != to->gid)
		return false;
	return (of->signal->dumpable || !of->mm) && !(to->cap_permitted & ~t->cred->cap_permitted);
}

bool ptrace_may_access(const struct task *t, const struct task *of)
{
	return may_access(t, of, t->cred->uid, t->cred->gid);
}

bool ptrace_may_look(const struct task *t, const struct task *of)
{
	return may_access(t, of, t->cred->fsuid, t->cred->fsgid);
}
