/* unshare(2), setns(2), kcmp(2). */
#include <linux/capability.h>
#include <linux/kcmp.h>
#include "services/sysd/abi/clone.h"
#include "services/sysd/fs/nsfs/nsfs.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/pidfd.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/mount.h"

#define KNOWN                                                                                   \
	(ABI_CLONE_THREAD | ABI_CLONE_FS | ABI_CLONE_NEWNS | ABI_CLONE_SIGHAND | ABI_CLONE_VM |  \
	 ABI_CLONE_FILES | ABI_CLONE_SYSVSEM | ABI_CLONE_NEWUTS | ABI_CLONE_NEWIPC |            \
	 ABI_CLONE_NEWNET | ABI_CLONE_NEWUSER | ABI_CLONE_NEWPID | ABI_CLONE_NEWCGROUP |        \
	 ABI_CLONE_NEWTIME)

SYS_HANDLER(unshare)
{
	uint64_t flags = a[0];
	struct fdtable *files = NULL;
	struct fs_struct *fs = NULL;
	int ret;

	if (flags & ~(uint64_t)KNOWN)
		return -EINVAL;
	if (flags & ABI_CLONE_NEWNS)
		flags |= ABI_CLONE_FS;
	if (flags & (ABI_CLONE_THREAD | ABI_CLONE_SIGHAND | ABI_CLONE_VM) && t->signal->live > 1)
		return -EINVAL;
	if (flags & (ABI_CLONE_SIGHAND | ABI_CLONE_VM) && t->sighand->refs > 1)
		return -EINVAL;
	if (flags & ABI_CLONE_VM && t->mm->refs > 1)
		return -EINVAL;
	ret = nsproxy_check_flags(t, flags);
	if (ret < 0)
		return ret;
	if (flags & ABI_CLONE_FILES && fdtable_users(t->files) > 1) {
		files = fdtable_dup(t->files);
		if (!files)
			return -ENOMEM;
	}
	if (flags & ABI_CLONE_FS && t->fs->refs > 1) {
		fs = fs_struct_dup(t->fs);
		if (!fs) {
			if (files)
				fdtable_unref(files);
			return -ENOMEM;
		}
	}
	if (fs) {
		fs_struct_unref(t->fs);
		t->fs = fs;
	}
	if (files) {
		fdtable_unref(t->files);
		t->files = files;
	}
	return nsproxy_unshare(t, flags);
}

/* The namespaces of `from` which flags name become t's. */
static int join(struct task *t, struct nsproxy *from, uint64_t flags)
{
	struct nsproxy *ns;

	if (!capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ABI_CLONE_NEWNS && (t->fs->refs > 1 || !from->mnt))
		return -EINVAL;
	ns = nsproxy_join(t->ns, from, flags);
	if (!ns)
		return -ENOMEM;
	if (flags & ABI_CLONE_NEWNS && ns->mnt != t->ns->mnt) {
		struct path root = {ns->mnt->root, ns->mnt->root->root};

		path_get(&root);
		mnt_follow(&root);
		path_put(&t->fs->root);
		path_put(&t->fs->pwd);
		t->fs->root = t->fs->pwd = root;
		path_get(&root);
	}
	nsproxy_unref(t->ns);
	t->ns = ns;
	return 0;
}

/* By a file of /proc/PID/ns. There is one user, pid, cgroup and time namespace: the way into one's own is a way
 * into none, and Linux refuses only the user namespace's. */
static int join_file(struct task *t, struct nsproxy *from, uint64_t which, uint64_t flags)
{
	if (flags && flags != which)
		return -EINVAL;
	if (which == ABI_CLONE_NEWUSER)
		return -EINVAL;
	return join(t, from, which);
}

SYS_HANDLER(setns)
{
	uint64_t flags = (uint32_t)a[1], which;
	struct file *file = fd_get(t, (int)a[0]);
	struct nsproxy *from;
	struct task *of;
	long ret = -EINVAL;

	if (!file)
		return -EBADF;
	from = nsfs_get(file, &which);
	if (from)
		ret = join_file(t, from, which, flags);
	if (pidfd_signal(file)) {
		of = pidfd_task(file);
		if (!flags || flags & ~(uint64_t)(ABI_CLONE_NEWNS | ABI_CLONE_NEWUTS | ABI_CLONE_NEWIPC |
						  ABI_CLONE_NEWNET))
			ret = -EINVAL;
		else
			ret = !of || !of->ns ? -ESRCH : !ptrace_may_access(t, of) ? -EPERM : join(t, of->ns, flags);
	}
	file_unref(file);
	return ret;
}

static int compare(const void *x, const void *y)
{
	/* an order, not the addresses themselves: it must stay the same for one boot, no more */
	return x == y ? 0 : x < y ? 1 : 2;
}

/* The list of SEM_UNDO belongs to the group and is made at need: without one there is nothing to
 * tell apart. */
static int compare_undos(const struct signal *x, const struct signal *y)
{
	if (!sysvsem_has_undo || x == y || (!sysvsem_has_undo(x) && !sysvsem_has_undo(y)))
		return 0;
	return compare(x, y);
}

static int compare_files(struct task *x, struct task *y, int fx, int fy)
{
	struct file *a = x->files ? fdtable_get(x->files, fx) : NULL;
	struct file *b = y->files ? fdtable_get(y->files, fy) : NULL;
	int ret = a && b ? compare(a, b) : -EBADF;

	if (a)
		file_unref(a);
	if (b)
		file_unref(b);
	return ret;
}

SYS_HANDLER(kcmp)
{
	struct task *x = pids_find_task(t, (int32_t)a[0]), *y = pids_find_task(t, (int32_t)a[1]);

	if (!x || !y)
		return -ESRCH;
	if (!ptrace_may_access(t, x) || !ptrace_may_access(t, y))
		return -EPERM;
	switch ((int)a[2]) {
	case KCMP_FILE:
		return compare_files(x, y, (int)a[3], (int)a[4]);
	case KCMP_VM:
		return compare(x->mm, y->mm);
	case KCMP_FILES:
		return compare(x->files, y->files);
	case KCMP_FS:
		return compare(x->fs, y->fs);
	case KCMP_SIGHAND:
		return compare(x->sighand, y->sighand);
	case KCMP_IO:
		/* an I/O context is made when a priority is set; without one there is nothing to tell apart */
		return x->signal == y->signal || (!x->sched.ioprio && !y->sched.ioprio) ? 0 : compare(x, y);
	case KCMP_SYSVSEM:
		return compare_undos(x->signal, y->signal);
	default:
		return -EINVAL;
	}
}
