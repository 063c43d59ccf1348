/* A task that stands in a fresh tmpfs: for tests of the VFS and of what lives in it. */
#ifndef TESTS_UNIT_KERNEL_VFS_ENV_H
#define TESTS_UNIT_KERNEL_VFS_ENV_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/kernel/harness.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"

void tmpfs_init(void);
void anon_inode_init(void);

static struct mnt_ns *env_ns;
static struct nsproxy env_nsproxy;

static inline void env_enter(struct task *t)
{
	static struct signal sig;
	struct path root;

	if (!env_ns) {
		struct super_block *sb;
		struct vfsmount *m;
		struct fs_type *type;

		anon_inode_init();
		tmpfs_init();
		type = fs_type_find("tmpfs");
		assert_int_equal(type->mount(type, "none", "mode=755", 0, &sb), 0);
		m = mnt_new(sb, sb->root, 0, "none");
		assert_non_null(m);
		super_unref(sb);
		env_ns = mnt_ns_new(m);
		env_nsproxy.refs = 1;
		env_nsproxy.mnt = env_ns;
		for (int i = 0; i < RLIM_NLIMITS; i++)
			sig.rlim[i].rlim_cur = sig.rlim[i].rlim_max = RLIM_INFINITY;
		sig.rlim[RLIMIT_NOFILE].rlim_cur = 1024;
		sig.refs = 1;
		list_init(&sig.threads);
	}
	sig.pid = 1;
	sig.leader = t;
	t->signal = &sig;
	root = (struct path){env_ns->root, env_ns->root->root};
	t->fs = fs_struct_new(&root, &root);
	t->fs->umask = 022;
	t->files = fdtable_new();
	t->ns = &env_nsproxy;
	t->cred = calloc(1, sizeof(*t->cred));
	t->cred->refs = 1;
	t->cred->cap_effective = t->cred->cap_permitted = ~0ull;
}

static inline void env_leave(struct task *t)
{
	fdtable_unref(t->files);
	fs_struct_unref(t->fs);
	cred_unref(t->cred);
	t->files = NULL;
	t->fs = NULL;
	t->cred = NULL;
}

/* An unprivileged user from here on. */
static inline void env_become(struct task *t, uint32_t uid, uint32_t gid)
{
	struct cred *c = cred_dup(t->cred);

	c->uid = c->euid = c->suid = c->fsuid = uid;
	c->gid = c->egid = c->sgid = c->fsgid = gid;
	c->cap_effective = c->cap_permitted = uid ? 0 : ~0ull;
	cred_unref(t->cred);
	t->cred = c;
}

#define S(name, ...) ktest_sys(t, sys_##name, __VA_ARGS__)
#define P(path) U(path)

#endif
