/* fcntl(2) and ioctl(2). */
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <linux/capability.h>
#include <sys/ioctl.h>

#include "services/sysd/abi/fcntl.h"
#include "services/sysd/fs/memfd/backing.h"
#include "services/sysd/fs/pipe/pipe.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/dnotify.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/lock.h"

long pipe_fcntl(struct task *t, struct file *f, int cmd, uint64_t arg) __attribute__((weak));
struct backing *backing_of_file(struct file *f) __attribute__((weak));

#define SETFL_MASK ((unsigned)(O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME))

static long set_flags(struct task *t, struct file *f, unsigned arg)
{
	unsigned next = (f->flags & ~SETFL_MASK) | (arg & SETFL_MASK);
	int err;

	if ((next & O_NOATIME) && !(f->flags & O_NOATIME) && !inode_owner_or_capable(f->inode, t))
		return -EPERM;
	if ((f->flags & O_APPEND) && !(next & O_APPEND) && (f->inode->iflags & FS_APPEND_FL))
		return -EPERM;
	if ((next & O_DIRECT) && !S_ISREG(f->inode->mode) && !S_ISFIFO(f->inode->mode) && !S_ISBLK(f->inode->mode))
		return -EINVAL;
	if (f->op->setfl) {
		err = f->op->setfl(f, next);
		if (err < 0)
			return err;
	} else if (next & O_ASYNC) {
		next &= ~(unsigned)O_ASYNC; /* nothing to signal about */
	}
	f->flags = next;
	f->async = next & O_ASYNC;
	return 0;
}

static bool owner_exists(int type, int32_t pid)
{
	struct signal *sig;

	if (!pid)
		return true;
	if (type == ABI_F_OWNER_TID)
		return task_find((uint32_t)pid);
	if (type == ABI_F_OWNER_PID)
		return signal_find((uint32_t)pid);
	LIST_FOR_EACH (sig, signal_all(), all_node) {
		if (sig->pgid == (uint32_t)pid)
			return true;
	}
	return false;
}

static long set_owner(struct task *t, struct file *f, int fd, int type, int32_t pid)
{
	if (!owner_exists(type, pid))
		return -ESRCH;
	file_set_owner(f, t, type, pid);
	f->owner_fd = fd;
	return 0;
}

static long get_owner(const struct file *f, int32_t *ret_pid)
{
	*ret_pid = f->owner_pid && owner_exists(f->owner_type, f->owner_pid) ? f->owner_pid : 0;
	return 0;
}

static long owner_ex(struct task *t, struct file *f, int fd, int cmd, uint64_t arg)
{
	struct abi_f_owner_ex o;

	if (cmd == F_GETOWN_EX) {
		o.type = f->owner_pid ? f->owner_type : ABI_F_OWNER_PID;
		get_owner(f, &o.pid);
		return user_put(t, o, arg);
	}
	if (user_get(t, o, arg) < 0)
		return -EFAULT;
	if (o.type != ABI_F_OWNER_TID && o.type != ABI_F_OWNER_PID && o.type != ABI_F_OWNER_PGRP)
		return -EINVAL;
	if (o.pid < 0)
		return -EINVAL;
	return set_owner(t, f, fd, o.type, o.pid);
}

static long rw_hint(struct task *t, struct file *f, int cmd, uint64_t arg)
{
	uint64_t hint = 0;

	switch (cmd) {
	case F_GET_RW_HINT:
		hint = f->inode->rw_hint;
		return user_put(t, hint, arg);
	case F_GET_FILE_RW_HINT:
		return -EINVAL; /* gone since Linux 5.17 */
	case F_SET_FILE_RW_HINT:
		return -EINVAL;
	}
	if (user_get(t, hint, arg) < 0)
		return -EFAULT;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	if (!inode_owner_or_capable(f->inode, t))
		return -EPERM;
	f->inode->rw_hint = (uint8_t)hint;
	return 0;
}

static long seals(struct file *f, int cmd, uint64_t arg)
{
	struct backing *b = backing_of_file ? backing_of_file(f) : NULL;

	if (!b)
		return -EINVAL;
	if (cmd == F_GET_SEALS)
		return b->sealable ? b->seals : F_SEAL_SEAL;
	if (!f->writable)
		return -EPERM;
	return backing_add_seals(b, (uint32_t)arg);
}

static bool path_fd_cmd(int cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == ABI_F_DUPFD_QUERY || cmd == F_GETFD ||
	       cmd == F_SETFD || cmd == F_GETFL;
}

static long dup_min(struct task *t, struct file *f, uint64_t min, bool cloexec)
{
	int ret;

	if (min >= t_rlimit(t, RLIMIT_NOFILE) || min > INT32_MAX)
		return -EINVAL;
	ret = fd_install(t, file_ref(f), (int)min, cloexec);
	if (ret < 0)
		file_unref(f);
	return ret;
}

static long do_fcntl(struct task *t, struct file *f, int fd, int cmd, uint64_t arg)
{
	struct file *other;
	int32_t pid;
	long ret;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_min(t, f, (uint32_t)arg, cmd == F_DUPFD_CLOEXEC);
	case ABI_F_DUPFD_QUERY:
		other = fd_get_any(t, (int)arg);
		ret = other == f;
		if (!other)
			return -EBADF;
		file_unref(other);
		return ret;
	case ABI_F_CREATED_QUERY:
		return f->created;
	case F_GETFD:
		return fd_cloexec(t, fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		return fd_set_cloexec(t, fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return f->flags;
	case F_SETFL:
		return set_flags(t, f, (unsigned)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(t, f, fd, cmd, arg);
	case F_GETOWN:
		get_owner(f, &pid);
		/* A negative group number is told from an error by the runtime library through F_GETOWN_EX. */
		return f->owner_type == ABI_F_OWNER_PGRP ? -pid : pid;
	case F_SETOWN:
		pid = (int32_t)arg;
		if (pid == INT32_MIN)
			return -EINVAL;
		return pid < 0 ? set_owner(t, f, fd, ABI_F_OWNER_PGRP, -pid)
			       : set_owner(t, f, fd, ABI_F_OWNER_PID, pid);
	case F_GETOWN_EX:
	case F_SETOWN_EX:
		return owner_ex(t, f, fd, cmd, arg);
	case F_GETSIG:
		return f->owner_sig;
	case F_SETSIG:
		if (arg > SIG_COUNT)
			return -EINVAL;
		f->owner_sig = (int)arg;
		return 0;
	case F_GETLEASE:
		return lease_get(f);
	case F_SETLEASE:
		return lease_set(t, f, (int)arg);
	case F_NOTIFY:
		return dnotify_set(t, f, fd, (uint32_t)arg);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl ? pipe_fcntl(t, f, cmd, arg) : -EBADF;
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return seals(f, cmd, arg);
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
	case F_GET_FILE_RW_HINT:
	case F_SET_FILE_RW_HINT:
		return rw_hint(t, f, cmd, arg);
	default:
		return -EINVAL;
	}
}

SYS_HANDLER(fcntl)
{
	int fd = (int)a[0], cmd = (int)a[1];
	struct file *f = fd_get_any(t, fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = (f->flags & O_PATH) && !path_fd_cmd(cmd) ? -EBADF : do_fcntl(t, f, fd, cmd, a[2]);
	file_unref(f);
	return ret;
}

/* ---- ioctl ---- */

#define FLAGS_SETTABLE (FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_SYNC_FL | FS_DIRSYNC_FL)

static long set_inode_flags(struct task *t, struct file *f, uint64_t arg)
{
	struct inode *inode = f->inode;
	uint32_t flags;
	int err;

	if (user_get(t, flags, arg) < 0)
		return -EFAULT;
	err = mnt_want_write(&f->path);
	if (err < 0)
		return err;
	if (!inode_owner_or_capable(inode, t))
		return -EPERM;
	if (flags & ~(uint32_t)FLAGS_SETTABLE)
		return -EOPNOTSUPP;
	if (((flags ^ inode->iflags) & (FS_APPEND_FL | FS_IMMUTABLE_FL)) && !t_capable(t, CAP_LINUX_IMMUTABLE))
		return -EPERM;
	inode->iflags = flags;
	inode_touch(inode, false, false, true);
	return 0;
}

static long file_ioctl(struct task *t, struct file *f, unsigned cmd, uint64_t arg)
{
	struct inode *inode = f->inode;
	int32_t n;

	switch (cmd) {
	case FIONREAD:
		if (!S_ISREG(inode->mode))
			break;
		n = (int32_t)((int64_t)inode->size - f->pos);
		return user_put(t, n, arg);
	case FIGETBSZ:
		if (!inode->sb->dev || !f->path.mnt)
			return -EINVAL;
		n = (int32_t)inode->blksize;
		return user_put(t, n, arg);
	case FS_IOC_GETFLAGS:
		/* Only what keeps the flags in memory answers for them. */
		if (!f->path.mnt || !inode->sb->type || strcmp(inode->sb->type->name, "tmpfs") ||
		    !(S_ISREG(inode->mode) || S_ISDIR(inode->mode)))
			break;
		return user_put(t, inode->iflags, arg);
	case FS_IOC_SETFLAGS:
		if (!f->path.mnt || !inode->sb->type || strcmp(inode->sb->type->name, "tmpfs") ||
		    !(S_ISREG(inode->mode) || S_ISDIR(inode->mode)))
			break;
		return set_inode_flags(t, f, arg);
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
		return S_ISDIR(inode->mode) ? -EISDIR : S_ISREG(inode->mode) ? -EOPNOTSUPP : -EINVAL;
	case FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	}
	return f->op->ioctl ? f->op->ioctl(f, t, cmd, arg) : -ENOTTY;
}

static long do_ioctl(struct task *t, struct file *f, int fd, unsigned cmd, uint64_t arg)
{
	unsigned flags;
	int32_t on;
	long ret;

	switch (cmd) {
	case FIOCLEX:
		return fd_set_cloexec(t, fd, true);
	case FIONCLEX:
		return fd_set_cloexec(t, fd, false);
	case FIONBIO:
	case FIOASYNC:
		if (user_get(t, on, arg) < 0)
			return -EFAULT;
		flags = cmd == FIONBIO ? O_NONBLOCK : O_ASYNC;
		if (cmd == FIOASYNC && !f->op->setfl)
			return on ? -ENOTTY : 0;
		return set_flags(t, f, on ? f->flags | flags : f->flags & ~flags);
	case FIOQSIZE:
		if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode) && !S_ISLNK(f->inode->mode))
			return -ENOTTY;
		return user_put(t, f->inode->size, arg);
	}
	ret = file_ioctl(t, f, cmd, arg);
	return ret == -ENOSYS ? -ENOTTY : ret;
}

SYS_HANDLER(ioctl)
{
	struct file *f = fd_get(t, (int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = do_ioctl(t, f, (int)a[0], (unsigned)a[1], a[2]);
	file_unref(f);
	return ret;
}
