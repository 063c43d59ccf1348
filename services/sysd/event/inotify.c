/* inotify(7): watches, and events from the VFS. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "common/base/util.h"
#include "services/sysd/abi/inotify.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/event/inotify_private.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/namei.h"

static unsigned watch_total;

#define OPTION_BITS                                                                                \
	(IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT |      \
	 ABI_IN_MASK_CREATE)
#define ALL_BITS (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | OPTION_BITS)

void inotify_watch_end(struct inotify_watch *w)
{
	struct inode *inode = w->inode;

	if (inotify_watches_outside(inode))
		inode->sb->op->unwatch(inode);
	inotify_queue(w->in, w->wd, IN_IGNORED, 0, NULL);
	list_del(&w->inode_node);
	list_del(&w->node);
	w->in->watch_count--;
	watch_total--;
	free(w);
	inode_unref(inode);
}

void fsnotify(struct inode *inode, const char *name, uint32_t mask, uint32_t cookie)
{
	struct inotify_watch *w, *next;
	uint32_t event = mask & IN_ALL_EVENTS;

	LIST_FOR_EACH_SAFE(w, next, &inode->watches, inode_node) {
		/* IN_EXCL_UNLINK in an event: the entry was unlinked already. */
		if ((mask & IN_EXCL_UNLINK) && (w->mask & IN_EXCL_UNLINK))
			continue;
		if (!(w->mask & event) && !(mask & IN_UNMOUNT))
			continue;
		inotify_queue(w->in, w->wd, mask & (IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT), cookie, name);
		if (w->mask & IN_ONESHOT)
			inotify_watch_end(w);
	}
}

void fsnotify_inode_gone(struct inode *inode)
{
	struct inotify_watch *w, *next;

	LIST_FOR_EACH_SAFE(w, next, &inode->watches, inode_node)
		inotify_watch_end(w);
}

static long do_init(struct task *t, unsigned flags)
{
	struct file *f;
	int ret;

	if (flags & ~(unsigned)(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	ret = inotify_new_file(t->cred->uid, flags, &f);
	if (ret)
		return ret;
	ret = fd_install(t, f, 0, flags & IN_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}

SYS_HANDLER(inotify_init)
{
	(void)a;
	return do_init(t, 0);
}

SYS_HANDLER(inotify_init1)
{
	return do_init(t, (unsigned)a[0]);
}

static int get_inotify(struct task *t, int fd, struct file **ret_f)
{
	struct file *f = fd_get(t, fd);

	if (!f)
		return -EBADF;
	if (f->op != &inotify_fops) {
		file_unref(f);
		return -EINVAL;
	}
	*ret_f = f;
	return 0;
}

/* A number that is free: they rise, and start over only past INT_MAX. */
static int32_t next_wd(struct inotify *in)
{
	struct inotify_watch *w;
	bool used;

	do {
		in->last_wd = in->last_wd == INT_MAX ? 1 : in->last_wd + 1;
		used = false;
		if (in->watch_count && in->last_wd <= LIST_ENTRY(in->watches.prev, struct inotify_watch, node)->wd) {
			LIST_FOR_EACH(w, &in->watches, node)
				used |= w->wd == in->last_wd;
		}
	} while (used);
	return in->last_wd;
}

static long add_watch(struct inotify *in, struct inode *inode, uint32_t mask)
{
	uint32_t keep = mask & (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK);
	struct inotify_watch *w;

	LIST_FOR_EACH(w, &inode->watches, inode_node) {
		if (w->in != in)
			continue;
		if (mask & ABI_IN_MASK_CREATE)
			return -EEXIST;
		w->mask = mask & IN_MASK_ADD ? w->mask | keep : keep;
		return w->wd;
	}
	if (watch_total >= sysctl_inotify_max_watches)
		return -ENOSPC;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->in = in;
	w->inode = inode_ref(inode);
	w->mask = keep;
	w->wd = next_wd(in);
	list_add_tail(&inode->watches, &w->inode_node);
	list_add_tail(&in->watches, &w->node);
	in->watch_count++;
	watch_total++;
	return w->wd;
}

/* The file system watches first, so that nothing is missed. Sleeps. */
static long add_outside(struct inotify *in, struct inode *inode, uint32_t mask)
{
	bool outside = inotify_watches_outside(inode);
	unsigned before;
	long ret = outside ? inode->sb->op->watch(inode) : 0;

	if (ret < 0)
		return ret;
	before = in->watch_count;
	ret = add_watch(in, inode, mask);
	if (outside && in->watch_count == before) /* refused, or one that was there */
		inode->sb->op->unwatch(inode);
	return ret;
}

SYS_HANDLER(inotify_add_watch)
{
	uint32_t mask = (uint32_t)a[2];
	unsigned lookup = 0;
	struct path path;
	struct file *f;
	long ret;

	/* bits of the future are not looked at, but nothing at all is a mistake */
	if (!(mask & ALL_BITS))
		return -EINVAL;
	f = fd_get(t, (int)a[0]);
	if (!f)
		return -EBADF;
	file_unref(f);
	if ((mask & IN_MASK_ADD) && (mask & ABI_IN_MASK_CREATE))
		return -EINVAL;
	ret = get_inotify(t, (int)a[0], &f);
	if (ret)
		return ret;
	if (!(mask & IN_DONT_FOLLOW))
		lookup |= LOOKUP_FOLLOW;
	if (mask & IN_ONLYDIR)
		lookup |= LOOKUP_DIRECTORY;
	ret = user_path_lookup(t, AT_FDCWD, a[1], lookup, &path);
	if (!ret) {
		ret = inode_permission(path.dentry->inode, t, MAY_READ);
		if (!ret)
			ret = add_outside(f->priv, path.dentry->inode, mask);
		path_put(&path);
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(inotify_rm_watch)
{
	struct inotify_watch *w, *found = NULL;
	struct file *f;
	int ret = get_inotify(t, (int)a[0], &f);

	if (ret)
		return ret;
	LIST_FOR_EACH(w, &((struct inotify *)f->priv)->watches, node) {
		if (w->wd == (int32_t)a[1])
			found = w;
	}
	if (found)
		inotify_watch_end(found);
	file_unref(f);
	return found ? 0 : -EINVAL;
}
