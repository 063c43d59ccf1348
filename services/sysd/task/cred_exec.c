/* Credentials over execve(2): setuid and setgid bits, file capabilities, the rule for root, ambient
 * capabilities (capabilities(7), "Transformation of capabilities during execve()"). */
#include <linux/capability.h>
#include <sys/stat.h>
#include "services/sysd/task/cred_internal.h"
#include "services/sysd/task/exec.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"

struct file_caps {
	uint64_t permitted, inheritable;
	bool effective;
	uint32_t rootid;
};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* security.capability, revisions 1 to 3 (struct vfs_cap_data). */
static bool read_file_caps(struct inode *inode, struct file_caps *ret)
{
	uint8_t raw[24];
	ssize_t size;
	uint32_t rev, magic;

	if (!inode->op || !inode->op->getxattr)
		return false;
	size = inode->op->getxattr(inode, "security.capability", raw, sizeof(raw));
	if (size < 12)
		return false;
	magic = le32(raw);
	rev = magic & 0xff000000;
	*ret = (struct file_caps){.effective = magic & 1};
	ret->permitted = le32(raw + 4);
	ret->inheritable = le32(raw + 8);
	if (rev == 0x01000000)
		return true;
	if ((rev != 0x02000000 && rev != 0x03000000) || size < 20)
		return false;
	ret->permitted |= (uint64_t)le32(raw + 12) << 32;
	ret->inheritable |= (uint64_t)le32(raw + 16) << 32;
	return rev == 0x02000000 || (size >= 24 && le32(raw + 20) == 0);
}

/* Would somebody with fewer rights have a hold on the program: a tracer, or a process that shares its working directory
 * and root? */
static bool watched(struct task *t)
{
	unsigned own = 0;
	struct task *other;

	if (t->ptrace && !ptrace_tracer_capable(t))
		return true;
	LIST_FOR_EACH (other, &t->signal->threads, thread_node)
		own += other->fs == t->fs;
	return t->fs && t->fs->refs > own && !capable(t, CAP_SETUID);
}

int exec_creds(struct task *t, struct file *prog, struct cred **ret_cred, bool *ret_secure)
{
	const struct cred *old = t->cred;
	struct inode *inode = prog->inode;
	struct file_caps fc = {0};
	struct cred *c = cred_dup(old);
	bool may_gain, has_caps = false, is_setid, effective;
	uint64_t fp, fi;

	if (!c)
		return -ENOMEM;
	may_gain = !old->no_new_privs && !(prog->path.mnt && prog->path.mnt->flags & MNT_NOSUID) && !watched(t);
	if (may_gain) {
		if (inode->mode & S_ISUID)
			c->euid = inode->uid;
		if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			c->egid = inode->gid;
		has_caps = read_file_caps(inode, &fc);
	}
	fp = fc.permitted;
	fi = fc.inheritable;
	effective = fc.effective;
	if (!(old->securebits & SECBIT_NOROOT_) && (c->euid == 0 || c->uid == 0) &&
	    !(has_caps && c->uid != 0 && c->euid == 0)) {
		/* root: as if the file had all capabilities */
		fp = fi = CAP_ALL;
		if (c->euid == 0)
			effective = true;
	}
	is_setid = c->euid != old->uid || c->egid != old->gid;
	c->cap_permitted = (fp & c->cap_bset) | (fi & c->cap_inheritable);
	if (has_caps && fc.effective && fc.permitted & ~c->cap_permitted && c->euid != 0) {
		cred_unref(c);
		return -EPERM;
	}
	if (has_caps || is_setid)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->securebits &= ~SECBIT_KEEP_CAPS_;
	*ret_secure = is_setid || (c->uid != 0 && (effective || c->cap_permitted & ~c->cap_ambient));
	*ret_cred = c;
	return 0;
}
