/* The two sides of a pty as files, and the devices that lead to them: /dev/ptmx, /dev/pts/N, /dev/tty,
 * /dev/console. */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/fs/dev/chrdev.h"
#include "services/sysd/fs/devpts/devpts.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/namei.h"
#include "services/sysd/vfs/poll.h"

static struct tty *console;

/* ---- the slave ---------------------------------------------------------------------------- */

static int slave_attach(struct tty *tty, struct file *file)
{
	struct task *t = current_task();

	if (!tty->master_open || tty->hung_up)
		return -EIO;
	if (tty->locked)
		return -EIO;
	if (tty->exclusive && t && !capable(t, CAP_SYS_ADMIN))
		return -EBUSY;
	file->op = &pty_slave_fops;
	file->priv = tty_ref(tty);
	tty->slave_count++;
	tty->slave_seen = true;
	if (t)
		tty_open_controlling(tty, t, file);
	return 0;
}

static int pts_open(struct inode *inode, struct file *file)
{
	struct tty *tty = devpts_find(inode);

	return tty ? slave_attach(tty, file) : -EIO;
}

static void slave_release(struct file *file)
{
	struct tty *tty = file->priv;

	if (!tty)
		return;
	if (--tty->slave_count == 0) {
		waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLIN | EPOLLHUP);
		tty->exclusive = false;
	}
	tty_unref(tty);
}

static ssize_t slave_read(struct file *file, struct uio *u, int64_t *pos)
{
	return n_tty_read(file->priv, file, u);
}

static ssize_t slave_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct tty *tty = file->priv;

	return tty->hung_up ? -EIO : n_tty_write(tty, file, u);
}

static uint32_t slave_poll(struct file *file, struct poll_table *pt)
{
	struct tty *tty = file->priv;
	uint32_t mask = 0;

	poll_wait(pt, &tty->read_wait);
	poll_wait(pt, &tty->write_wait);
	if (tty->hung_up)
		return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
	if (n_tty_input_available(tty, true))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!tty->master_open)
		mask |= EPOLLHUP;
	if (!tty->stopped && tty_out_room(tty, false) >= 256)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static long slave_ioctl(struct file *file, struct task *t, unsigned cmd, uint64_t arg)
{
	return tty_ioctl(file->priv, t, file, false, cmd, arg);
}

const struct file_ops pty_slave_fops = {
	.open = pts_open,
	.release = slave_release,
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.ioctl = slave_ioctl,
};

struct tty *tty_of_file(struct file *file)
{
	return file->op == &pty_slave_fops || file->op == &pty_master_fops ? file->priv : NULL;
}

/* ---- the master --------------------------------------------------------------------------- */

/* The devpts that belongs to a ptmx node: the one it lies in, or "pts" beside it. */
static int find_devpts(struct file *file, struct path *ret_root)
{
	struct task *t = current_task();
	struct path dir = {file->path.mnt, file->path.dentry->parent};

	if (devpts_of_sb(file->inode->sb)) {
		ret_root->mnt = file->path.mnt;
		ret_root->dentry = file->inode->sb->root;
		/* a bind of the node alone has no way back to the root: there is no peer to open then */
		path_get(ret_root);
		return 0;
	}
	if (!t)
		return -ENODEV;
	return path_lookup_at(t, &dir, "pts", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, ret_root);
}

static int ptmx_open(struct inode *inode, struct file *file)
{
	struct path root = {0};
	struct devpts *dp;
	struct tty *tty;
	int err = find_devpts(file, &root);

	if (err)
		return err == -ENOENT ? -ENODEV : err;
	dp = devpts_of_sb(root.dentry->sb);
	tty = dp ? tty_new() : NULL;
	err = !dp ? -ENODEV : !tty ? -ENOMEM : devpts_add(dp, tty);
	if (err) {
		tty_unref(tty);
		path_put(&root);
		return err;
	}
	tty->pts_root = root;
	file->op = &pty_master_fops;
	file->priv = tty;
	return 0;
}

static void master_release(struct file *file)
{
	struct tty *tty = file->priv;

	if (!tty)
		return;
	tty->master_open = false;
	waitq_wake(&tty->read_wait, INT32_MAX, EPOLLHUP);
	tty_hangup(tty);
	devpts_remove(tty);
	tty_unref(tty);
}

static ssize_t master_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct tty *tty = file->priv;
	uint8_t buf[1024];
	ssize_t done = 0;

	if (!u->resid)
		return 0;
	while (!tty_out_count(tty) && !(tty->packet && tty->packet_status)) {
		int err;

		if (tty->hung_up || (tty->slave_seen && !tty->slave_count))
			return -EIO;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		err = WAIT_EVENT_INTR(&tty->mread_wait,
				      tty_out_count(tty) || (tty->packet && tty->packet_status) ||
					      tty->hung_up || (tty->slave_seen && !tty->slave_count));
		if (err)
			return err;
	}
	if (tty->packet) {
		uint8_t status = tty->packet_status;

		tty->packet_status = 0;
		if (uio_copy_to(u, &status, 1) != 1)
			return -EFAULT;
		if (status)
			return 1;
		done = 1;
	}
	while (u->resid && tty_out_count(tty)) {
		size_t n = tty_out_get(tty, buf, MIN(u->resid, sizeof(buf)));
		ssize_t r = uio_copy_to(u, buf, n);

		if (r <= 0)
			return done ? done : -EFAULT;
		done += r;
	}
	return done;
}

static ssize_t master_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct tty *tty = file->priv;
	uint8_t buf[1024];
	ssize_t done = 0;

	while (u->resid) {
		ssize_t got = uio_copy_from(u, buf, MIN(u->resid, sizeof(buf)));
		size_t off = 0;

		if (got <= 0)
			return done ? done : got;
		while (off < (size_t)got) {
			int err;

			if (tty->hung_up)
				return done ? done : -EIO;
			off += n_tty_receive(tty, buf + off, (size_t)got - off);
			if (off == (size_t)got)
				break;
			if (file->flags & O_NONBLOCK)
				err = -EAGAIN;
			else
				err = WAIT_EVENT_INTR(&tty->mwrite_wait, !tty->room_wanted || tty->hung_up);
			if (err)
				return done + (ssize_t)off ? done + (ssize_t)off : err;
		}
		done += got;
	}
	return done;
}

static uint32_t master_poll(struct file *file, struct poll_table *pt)
{
	struct tty *tty = file->priv;
	uint32_t mask = 0;

	poll_wait(pt, &tty->mread_wait);
	poll_wait(pt, &tty->mwrite_wait);
	if (tty_out_count(tty))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (tty->packet && tty->packet_status)
		mask |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
	if (tty->hung_up || (tty->slave_seen && !tty->slave_count))
		mask |= EPOLLHUP;
	if (!tty->room_wanted)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static long master_ioctl(struct file *file, struct task *t, unsigned cmd, uint64_t arg)
{
	return tty_ioctl(file->priv, t, file, true, cmd, arg);
}

const struct file_ops pty_master_fops = {
	.open = ptmx_open,
	.release = master_release,
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
};

int pty_open_slave(struct tty *tty, struct task *t, unsigned flags, struct file **ret)
{
	struct path path;
	char name[16];
	int err;

	if (!tty->pts_root.dentry || tty->index < 0)
		return -EIO;
	snprintf(name, sizeof(name), "%d", tty->index);
	err = path_lookup_at(t, &tty->pts_root, name, 0, &path);
	if (err)
		return err;
	err = file_open_path(&path, flags & (O_ACCMODE | O_NOCTTY | O_NONBLOCK), t->cred, ret);
	path_put(&path);
	return err;
}

/* ---- /dev/tty and /dev/console ------------------------------------------------------------- */

static int dev_tty_open(struct inode *inode, struct file *file)
{
	struct task *t = current_task();
	struct tty *tty = t ? tty_current(t) : NULL;
	unsigned flags = file->flags;
	bool locked;
	int err;

	if (!tty)
		return -ENXIO;
	locked = tty->locked;
	tty->locked = false; /* it is open already */
	file->flags |= O_NOCTTY;
	err = slave_attach(tty, file);
	file->flags = flags;
	tty->locked = locked;
	return err;
}

static int dev_console_open(struct inode *inode, struct file *file)
{
	bool noctty = file->flags & O_NOCTTY;
	int err;

	if (!console)
		return -EIO;
	file->flags |= O_NOCTTY; /* the console never becomes a controlling terminal by itself */
	err = slave_attach(console, file);
	if (!noctty)
		file->flags &= ~(unsigned)O_NOCTTY;
	return err;
}

void tty_set_console(struct tty *tty)
{
	struct tty *old = console;

	console = tty ? tty_ref(tty) : NULL;
	tty_unref(old);
}

static const struct file_ops dev_tty_fops = {.open = dev_tty_open};
static const struct file_ops dev_console_fops = {.open = dev_console_open};

void tty_init(void)
{
	chrdev_register(5, 0, &dev_tty_fops);
	chrdev_register(5, 1, &dev_console_fops);
	chrdev_register(5, 2, &pty_master_fops);
	chrdev_register(TTY_MAJOR_PTS, CHRDEV_ANY_MINOR, &pty_slave_fops);
}
