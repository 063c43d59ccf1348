/* sendfile(2) and copy_file_range(2). */
#include "services/sysd/splice/splice.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/sleep.h"
#include "services/sysd/fs/pipe/pipe.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define CHUNK (128 * 1024ul)

static ssize_t write_some(struct file *out, void *buf, size_t size, int64_t *pos, bool more)
{
	struct uio u;

	uio_init_kernel(&u, buf, size);
	if (socket_of_file(out))
		return socket_send_uio(out, &u, more ? MSG_MORE : 0);
	return vfs_write(out, &u, pos);
}

/* Copies from in at *in_pos to out (out_pos NULL: its own position) by way of a buffer of ours. */
static ssize_t copy(struct task *t, struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
		    size_t size)
{
	CLEANUP_FREE uint8_t *buf = malloc(MIN(size, CHUNK));
	size_t done = 0;

	if (!buf)
		return -ENOMEM;
	while (done < size) {
		int64_t pos = *in_pos;
		ssize_t got, put = 0, n = 0;
		struct uio u;

		uio_init_kernel(&u, buf, MIN(size - done, CHUNK));
		got = vfs_read(in, &u, &pos);
		if (got <= 0)
			return done ? (ssize_t)done : got;
		while (put < got) {
			n = write_some(out, buf + put, (size_t)(got - put), out_pos,
				       done + (size_t)got < size);
			if (n <= 0)
				break;
			put += n;
		}
		*in_pos += put;
		done += (size_t)put;
		if (put < got)
			return done ? (ssize_t)done : n;
		if (sleep_signal_pending(t))
			break;
	}
	return (ssize_t)done;
}

static ssize_t send_to(struct task *t, struct file *out, struct file *in, int64_t *pos, size_t size)
{
	struct pipe *op = pipe_of_file(out);
	ssize_t n, done = 0;

	if (!in->op->llseek || S_ISDIR(in->inode->mode) || !splice_can(in) || !splice_can(out))
		return -EINVAL;
	if (!op)
		return copy(t, in, pos, out, NULL, size);
	while ((size_t)done < size) {
		n = splice_file_to_pipe(t, in, op, pos, size - (size_t)done,
					done || (out->flags & O_NONBLOCK));
		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

/* pos NULL: in's own position. */
static ssize_t do_sendfile(struct task *t, struct file *out, struct file *in, int64_t *pos, size_t size)
{
	int64_t own = in->pos;
	ssize_t n;

	if (!in->readable)
		return -EBADF;
	if (pos && !in->op->llseek)
		return -ESPIPE;
	if (pos && *pos < 0)
		return -EINVAL;
	if (!out->writable)
		return -EBADF;
	if (out->flags & O_APPEND)
		return -EINVAL;
	n = send_to(t, out, in, pos ? pos : &own, size);
	if (n > 0 && !pos)
		in->pos = own;
	return n;
}

SYS_HANDLER(sendfile)
{
	struct file *in, *out;
	int64_t pos;
	ssize_t n;

	if (a[2] && user_get(t, pos, a[2]))
		return -EFAULT;
	if (!splice_files(t, (int)a[1], (int)a[0], &in, &out))
		return -EBADF;
	n = do_sendfile(t, out, in, a[2] ? &pos : NULL, MIN(a[3], SPLICE_MAX));
	/* written back whatever came of it, as Linux does */
	if (a[2] && user_put(t, pos, a[2]))
		n = -EFAULT;
	file_unref(out);
	file_unref(in);
	return n;
}

static int range_check(struct file *in, int64_t pos_in, struct file *out, int64_t pos_out, size_t *size)
{
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!in->readable || !out->writable || (out->flags & O_APPEND))
		return -EBADF;
	/* unsigned sums, as Linux has them: a small negative offset overflows */
	if ((uint64_t)pos_in + *size < (uint64_t)pos_in || (uint64_t)pos_out + *size < (uint64_t)pos_out)
		return -EOVERFLOW;
	if (pos_in < 0 || pos_out < 0)
		return -EINVAL;
	if ((uint64_t)pos_in >= in->inode->size)
		*size = 0;
	else
		*size = MIN(*size, (size_t)(in->inode->size - (uint64_t)pos_in));
	if (in->inode == out->inode && (uint64_t)pos_out + *size > (uint64_t)pos_in &&
	    (uint64_t)pos_out < (uint64_t)pos_in + *size)
		return -EINVAL;
	return 0;
}

static ssize_t do_copy_range(struct task *t, struct file *in, uint64_t uin, struct file *out,
			     uint64_t uout, size_t size)
{
	int64_t pos_in = in->pos, pos_out = out->pos;
	ssize_t n;
	int err;

	if (uin && user_get(t, pos_in, uin))
		return -EFAULT;
	if (uout && user_get(t, pos_out, uout))
		return -EFAULT;
	err = range_check(in, pos_in, out, pos_out, &size);
	if (err || !size)
		return err;
	n = copy(t, in, &pos_in, out, &pos_out, MIN(size, SPLICE_MAX));
	if (n <= 0)
		return n;
	if (!uin)
		in->pos = pos_in;
	else if (user_put(t, pos_in, uin))
		return -EFAULT;
	if (!uout)
		out->pos = pos_out;
	else if (user_put(t, pos_out, uout))
		return -EFAULT;
	return n;
}

SYS_HANDLER(copy_file_range)
{
	struct file *in, *out;
	ssize_t n;

	if (!splice_files(t, (int)a[0], (int)a[2], &in, &out))
		return -EBADF;
	if ((unsigned)a[5])
		n = -EINVAL;
	else
		n = do_copy_range(t, in, a[1], out, a[3], a[4]);
	file_unref(out);
	file_unref(in);
	return n;
}
