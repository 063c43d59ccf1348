/* ptrace's access rule (ptrace(2), "Ptrace access mode checking"). */
#include <linux/capability.h>
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"

bool ptrace_may_access(struct task *t, struct task *of)
{
	const struct cred *c = t->cred, *to = of->cred;

	if (t->signal == of->signal || capable(t, CAP_SYS_PTRACE))
		return true;
	if (c->fsuid != to->euid || c->fsuid != to->suid || c->fsuid != to->uid ||
	    c->fsgid != to->egid || c->fsgid != to->sgid || c->fsgid != to->gid)
		return false;
	return of->signal->dumpable && !(to->cap_permitted & ~c->cap_permitted);
}
