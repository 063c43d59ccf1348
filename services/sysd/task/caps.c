/* capget(2), capset(2), and the capability options of prctl(2). */
#include "services/sysd/task/caps.h"
#include <linux/capability.h>
#include "services/sysd/abi/prctl.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/cred_internal.h"
#include "services/sysd/task/task.h"

struct cap_header {
	uint32_t version;
	int32_t pid;
};
struct cap_data {
	uint32_t effective, permitted, inheritable;
};

/* 0, or -EINVAL with the version we prefer written back. */
static int check_header(struct task *t, uint64_t uheader, struct cap_header *h, unsigned *ret_words)
{
	if (user_get(t, *h, uheader))
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*ret_words = 1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*ret_words = 2;
		return 0;
	default: {
		uint32_t version = _LINUX_CAPABILITY_VERSION_3;

		return user_put(t, version, uheader) ? -EFAULT : -EINVAL;
	}
	}
}

SYS_HANDLER(capget)
{
	struct cap_data data[2] = {{0}};
	struct cap_header h;
	const struct cred *c;
	struct task *of;
	unsigned words;
	int ret = check_header(t, a[0], &h, &words);

	if (ret == -EINVAL && !a[1])
		return 0;
	if (ret < 0)
		return ret;
	if (h.pid < 0)
		return -EINVAL;
	of = pids_find_or_self(t, h.pid);
	if (!of)
		return -ESRCH;
	c = of->cred;
	for (unsigned i = 0; i < words; i++) {
		data[i].effective = (uint32_t)(c->cap_effective >> 32 * i);
		data[i].permitted = (uint32_t)(c->cap_permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(c->cap_inheritable >> 32 * i);
	}
	return a[1] ? user_write(t, a[1], data, words * sizeof(data[0])) : 0;
}

SYS_HANDLER(capset)
{
	struct cap_data data[2] = {{0}};
	uint64_t e = 0, p = 0, i = 0;
	const struct cred *old = t->cred;
	struct cap_header h;
	struct cred *c;
	unsigned words;
	int ret = check_header(t, a[0], &h, &words);

	if (ret < 0)
		return ret;
	if (h.pid && (uint32_t)h.pid != pids_tid_of(t, t))
		return -EPERM;
	if (user_read(t, data, a[1], words * sizeof(data[0])))
		return -EFAULT;
	for (unsigned w = 0; w < words; w++) {
		e |= (uint64_t)data[w].effective << 32 * w;
		p |= (uint64_t)data[w].permitted << 32 * w;
		i |= (uint64_t)data[w].inheritable << 32 * w;
	}
	e &= CAP_ALL;
	p &= CAP_ALL;
	i &= CAP_ALL;
	if (!capable(t, CAP_SETPCAP) && i & ~(old->cap_inheritable | old->cap_permitted))
		return -EPERM;
	if (i & ~(old->cap_inheritable | old->cap_bset))
		return -EPERM;
	if (p & ~old->cap_permitted || e & ~p)
		return -EPERM;
	c = cred_dup(old);
	if (!c)
		return -ENOMEM;
	c->cap_effective = e;
	c->cap_permitted = p;
	c->cap_inheritable = i;
	c->cap_ambient &= p & i;
	task_set_cred(t, c);
	return 0;
}

static long ambient(struct task *t, const uint64_t a[6])
{
	const struct cred *old = t->cred;
	struct cred *c;
	uint64_t bit;

	if (a[1] == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (a[2] || a[3] || a[4])
			return -EINVAL;
		c = cred_dup(old);
		if (!c)
			return -ENOMEM;
		c->cap_ambient = 0;
		task_set_cred(t, c);
		return 0;
	}
	if (a[3] || a[4] || a[2] > CAP_LAST)
		return -EINVAL;
	bit = CAP_BIT(a[2]);
	if (a[1] == PR_CAP_AMBIENT_IS_SET)
		return !!(old->cap_ambient & bit);
	if (a[1] != PR_CAP_AMBIENT_RAISE && a[1] != PR_CAP_AMBIENT_LOWER)
		return -EINVAL;
	if (a[1] == PR_CAP_AMBIENT_RAISE &&
	    (!(old->cap_permitted & bit) || !(old->cap_inheritable & bit) ||
	     old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE_))
		return -EPERM;
	c = cred_dup(old);
	if (!c)
		return -ENOMEM;
	if (a[1] == PR_CAP_AMBIENT_RAISE)
		c->cap_ambient |= bit;
	else
		c->cap_ambient &= ~bit;
	task_set_cred(t, c);
	return 0;
}

static long drop_bounding(struct task *t, uint64_t cap)
{
	struct cred *c;

	if (!capable(t, CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST)
		return -EINVAL;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	c->cap_bset &= ~CAP_BIT(cap);
	task_set_cred(t, c);
	return 0;
}

#define SECURE_BITS_ 0x55u
#define SECURE_LOCKS_ 0xaau

static long set_securebits(struct task *t, uint64_t bits)
{
	uint32_t old = t->cred->securebits;
	struct cred *c;

	/* locked bits keep their value, locks are not taken back, and it needs CAP_SETPCAP */
	if ((old & SECURE_LOCKS_) >> 1 & (old ^ (uint32_t)bits) || old & SECURE_LOCKS_ & ~(uint32_t)bits ||
	    bits & ~(uint64_t)(SECURE_BITS_ | SECURE_LOCKS_) || !capable(t, CAP_SETPCAP))
		return -EPERM;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	c->securebits = (uint32_t)bits;
	task_set_cred(t, c);
	return 0;
}

static long set_keepcaps(struct task *t, uint64_t on)
{
	struct cred *c;

	if (on > 1)
		return -EINVAL;
	if (t->cred->securebits & SECBIT_KEEP_CAPS_ << 1)
		return -EPERM;
	c = cred_dup(t->cred);
	if (!c)
		return -ENOMEM;
	if (on)
		c->securebits |= SECBIT_KEEP_CAPS_;
	else
		c->securebits &= ~SECBIT_KEEP_CAPS_;
	task_set_cred(t, c);
	return 0;
}

long caps_prctl(struct task *t, const uint64_t a[6])
{
	switch ((int)a[0]) {
	case PR_CAPBSET_READ:
		return a[1] > CAP_LAST ? -EINVAL : !!(t->cred->cap_bset & CAP_BIT(a[1]));
	case PR_CAPBSET_DROP:
		return drop_bounding(t, a[1]);
	case PR_CAP_AMBIENT:
		return ambient(t, a);
	case PR_GET_SECUREBITS:
		return (long)t->cred->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(t, a[1]);
	case PR_GET_KEEPCAPS:
		return !!(t->cred->securebits & SECBIT_KEEP_CAPS_);
	case PR_SET_KEEPCAPS:
		return set_keepcaps(t, a[1]);
	default:
		return -ENOSYS;
	}
}
