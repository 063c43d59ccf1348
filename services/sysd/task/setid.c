/* The set*id family and the group list; what a change of identity does to capabilities. */
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/cred_internal.h"
#include "services/sysd/task/internal.h"

#define NO_ID UINT32_MAX
#define NGROUPS_MAX_ 65536

/* capabilities that go with fsuid */
#define CAP_FS_SET                                                                             \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_DAC_OVERRIDE) |                 \
	 CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |            \
	 CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MAC_OVERRIDE))

/* cap_emulate_setxuid */
static void fix_caps(struct cred *c, const struct cred *old)
{
	bool had_root = !old->uid || !old->euid || !old->suid;

	if (old->securebits & SECBIT_NO_SETUID_FIXUP_)
		return;
	if (had_root && c->uid && c->euid && c->suid) {
		if (!(old->securebits & SECBIT_KEEP_CAPS_))
			c->cap_permitted = c->cap_effective = 0;
		c->cap_ambient = 0;
	}
	if (!old->euid && c->euid)
		c->cap_effective = 0;
	if (old->euid && !c->euid)
		c->cap_effective = c->cap_permitted;
}

static long set_uids(struct task *t, uint32_t r, uint32_t e, uint32_t s)
{
	struct cred *c = cred_dup(t->cred);

	if (!c)
		return -ENOMEM;
	if (r != NO_ID)
		c->uid = r;
	if (e != NO_ID)
		c->euid = e;
	if (s != NO_ID)
		c->suid = s;
	c->fsuid = c->euid;
	fix_caps(c, t->cred);
	task_set_cred(t, c);
	return 0;
}

static long set_gids(struct task *t, uint32_t r, uint32_t e, uint32_t s)
{
	struct cred *c = cred_dup(t->cred);

	if (!c)
		return -ENOMEM;
	if (r != NO_ID)
		c->gid = r;
	if (e != NO_ID)
		c->egid = e;
	if (s != NO_ID)
		c->sgid = s;
	c->fsgid = c->egid;
	task_set_cred(t, c);
	return 0;
}

SYS_HANDLER(setuid)
{
	const struct cred *c = t->cred;
	uint32_t id = (uint32_t)a[0];

	if (id == NO_ID)
		return -EINVAL;
	if (capable(t, CAP_SETUID))
		return set_uids(t, id, id, id);
	if (id != c->uid && id != c->suid)
		return -EPERM;
	return set_uids(t, NO_ID, id, NO_ID);
}

SYS_HANDLER(setgid)
{
	const struct cred *c = t->cred;
	uint32_t id = (uint32_t)a[0];

	if (id == NO_ID)
		return -EINVAL;
	if (capable(t, CAP_SETGID))
		return set_gids(t, id, id, id);
	if (id != c->gid && id != c->sgid)
		return -EPERM;
	return set_gids(t, NO_ID, id, NO_ID);
}

SYS_HANDLER(setreuid)
{
	const struct cred *c = t->cred;
	uint32_t r = (uint32_t)a[0], e = (uint32_t)a[1], s = NO_ID;

	if (!capable(t, CAP_SETUID)) {
		if (r != NO_ID && r != c->uid && r != c->euid)
			return -EPERM;
		if (e != NO_ID && e != c->uid && e != c->euid && e != c->suid)
			return -EPERM;
	}
	if (r != NO_ID || (e != NO_ID && e != c->uid))
		s = e != NO_ID ? e : c->euid;
	return set_uids(t, r, e, s);
}

SYS_HANDLER(setregid)
{
	const struct cred *c = t->cred;
	uint32_t r = (uint32_t)a[0], e = (uint32_t)a[1], s = NO_ID;

	if (!capable(t, CAP_SETGID)) {
		if (r != NO_ID && r != c->gid && r != c->egid)
			return -EPERM;
		if (e != NO_ID && e != c->gid && e != c->egid && e != c->sgid)
			return -EPERM;
	}
	if (r != NO_ID || (e != NO_ID && e != c->gid))
		s = e != NO_ID ? e : c->egid;
	return set_gids(t, r, e, s);
}

static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == NO_ID || id == a || id == b || id == c;
}

SYS_HANDLER(setresuid)
{
	const struct cred *c = t->cred;

	if (!capable(t, CAP_SETUID))
		for (int i = 0; i < 3; i++)
			if (!one_of((uint32_t)a[i], c->uid, c->euid, c->suid))
				return -EPERM;
	return set_uids(t, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

SYS_HANDLER(setresgid)
{
	const struct cred *c = t->cred;

	if (!capable(t, CAP_SETGID))
		for (int i = 0; i < 3; i++)
			if (!one_of((uint32_t)a[i], c->gid, c->egid, c->sgid))
				return -EPERM;
	return set_gids(t, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

SYS_HANDLER(getresuid)
{
	const struct cred *c = t->cred;

	return user_put(t, c->uid, a[0]) || user_put(t, c->euid, a[1]) || user_put(t, c->suid, a[2])
		       ? -EFAULT
		       : 0;
}

SYS_HANDLER(getresgid)
{
	const struct cred *c = t->cred;

	return user_put(t, c->gid, a[0]) || user_put(t, c->egid, a[1]) || user_put(t, c->sgid, a[2])
		       ? -EFAULT
		       : 0;
}

SYS_HANDLER(setfsuid)
{
	const struct cred *old = t->cred;
	uint32_t id = (uint32_t)a[0], before = old->fsuid;
	struct cred *c;

	if (id == NO_ID || (id != old->uid && id != old->euid && id != old->suid && id != old->fsuid &&
			    !capable(t, CAP_SETUID)))
		return (long)before;
	if (id == before)
		return (long)before;
	c = cred_dup(old);
	if (!c)
		return (long)before;
	c->fsuid = id;
	if (!(old->securebits & SECBIT_NO_SETUID_FIXUP_)) {
		if (!before && id)
			c->cap_effective &= ~CAP_FS_SET;
		if (before && !id)
			c->cap_effective |= c->cap_permitted & CAP_FS_SET;
	}
	task_set_cred(t, c);
	return (long)before;
}

SYS_HANDLER(setfsgid)
{
	const struct cred *old = t->cred;
	uint32_t id = (uint32_t)a[0], before = old->fsgid;
	struct cred *c;

	if (id == NO_ID || id == before ||
	    (id != old->gid && id != old->egid && id != old->sgid && !capable(t, CAP_SETGID)))
		return (long)before;
	c = cred_dup(old);
	if (!c)
		return (long)before;
	c->fsgid = id;
	task_set_cred(t, c);
	return (long)before;
}

SYS_HANDLER(getgroups)
{
	const struct group_info *g = t->cred->groups;
	int size = (int)a[0];
	size_t count = g ? g->count : 0;

	if (size < 0)
		return -EINVAL;
	if (size) {
		if (count > (size_t)size)
			return -EINVAL;
		if (count && user_write(t, a[1], g->gid, count * sizeof(g->gid[0])))
			return -EFAULT;
	}
	return (long)count;
}

SYS_HANDLER(setgroups)
{
	uint32_t count = (uint32_t)a[0];
	struct group_info *g;
	struct cred *c;

	if (!capable(t, CAP_SETGID))
		return -EPERM;
	if (count > NGROUPS_MAX_)
		return -EINVAL;
	g = groups_new(count);
	if (!g)
		return -ENOMEM;
	if (count && user_read(t, g->gid, a[1], count * sizeof(g->gid[0]))) {
		groups_unref(g);
		return -EFAULT;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (g->gid[i] == NO_ID) {
			groups_unref(g);
			return -EINVAL;
		}
	}
	groups_sort(g);
	c = cred_dup(t->cred);
	if (!c) {
		groups_unref(g);
		return -ENOMEM;
	}
	groups_unref(c->groups);
	c->groups = g;
	task_set_cred(t, c);
	return 0;
}

/* T0 answers these as a rule. */
SYS_HANDLER(getuid)
{
	return (long)t->cred->uid;
}

SYS_HANDLER(geteuid)
{
	return (long)t->cred->euid;
}

SYS_HANDLER(getgid)
{
	return (long)t->cred->gid;
}

SYS_HANDLER(getegid)
{
	return (long)t->cred->egid;
}
