/* fcntl(F_NOTIFY): a signal when something happens to what is in a directory. A mark belongs to the
 * descriptor's file and table, hangs on the directory's inode, and goes with a close of the descriptor. */
#include "services/sysd/vfs/dnotify.h"

#include "services/sysd/abi/fcntl.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/internal.h"

struct dnotify_mark {
	struct dnotify_mark *next; /* of the inode */
	struct file *file;         /* no reference: removed when it is closed */
	const void *owner;         /* the descriptor table */
	uint32_t mask;             /* DN_* */
};

static uint32_t to_dn(uint32_t in)
{
	return (in & IN_ACCESS ? DN_ACCESS : 0) | (in & IN_MODIFY ? DN_MODIFY : 0) |
	       (in & (IN_CREATE | IN_MOVED_TO) ? DN_CREATE : 0) | (in & (IN_DELETE | IN_MOVED_FROM) ? DN_DELETE : 0) |
	       (in & DNOTIFY_RENAME ? DN_RENAME : 0) | (in & IN_ATTRIB ? DN_ATTRIB : 0);
}

void dnotify_event(struct inode *dir, uint32_t mask)
{
	struct dnotify_mark **p = &dir->dnotify, *m;
	uint32_t dn = to_dn(mask);

	while ((m = *p)) {
		if (!(m->mask & dn)) {
			p = &m->next;
			continue;
		}
		file_sigio_force(m->file);
		if (m->mask & DN_MULTISHOT) {
			p = &m->next;
		} else {
			*p = m->next;
			free(m);
		}
	}
}

void dnotify_remove(struct file *f, const void *owner)
{
	struct dnotify_mark **p = &f->inode->dnotify, *m;

	while ((m = *p)) {
		if (m->file == f && (!owner || m->owner == owner)) {
			*p = m->next;
			free(m);
		} else {
			p = &m->next;
		}
	}
}

int dnotify_set(struct task *t, struct file *f, int fd, uint32_t mask)
{
	struct dnotify_mark *m;
	int err;

	if (!sysctl_dir_notify_enable)
		return -EINVAL;
	if (!(mask & ~(uint32_t)DN_MULTISHOT)) {
		dnotify_remove(f, t->files);
		return 0;
	}
	if (!S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	err = inode_permission(f->inode, t, MAY_READ);
	if (err < 0)
		return err;
	for (m = f->inode->dnotify; m && (m->file != f || m->owner != t->files); m = m->next)
		;
	if (!m) {
		m = calloc(1, sizeof(*m));
		if (!m)
			return -ENOMEM;
		m->file = f;
		m->owner = t->files;
		m->next = f->inode->dnotify;
		f->inode->dnotify = m;
	}
	m->mask |= mask;
	if (!f->owner_pid)
		file_set_owner(f, t, ABI_F_OWNER_PID, (int32_t)(t->signal ? t->signal->pid : t->tid));
	f->owner_fd = fd;
	return 0;
}
