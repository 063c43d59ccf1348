/* splice(2), tee(2) and vmsplice(2). */
#include "services/sysd/splice/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/fs/pipe/pipe.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

#define SPLICE_F_ALL (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static ssize_t from_pipe(struct task *t, struct pipe *ip, struct file *out, uint64_t uoff, size_t size,
			 unsigned flags)
{
	int64_t pos;
	ssize_t n;
	int err;

	if (uoff) {
		if (!out->op->llseek)
			return -EINVAL;
		err = splice_get_off(t, uoff, &pos);
		if (err)
			return err;
	}
	if (out->flags & O_APPEND)
		return -EINVAL;
	n = splice_pipe_to_file(ip, out, uoff ? &pos : NULL, size, flags & SPLICE_F_NONBLOCK,
				flags & SPLICE_F_MORE);
	if (n > 0 && uoff && user_put(t, pos, uoff))
		return -EFAULT;
	return n;
}

static ssize_t to_pipe(struct task *t, struct file *in, struct pipe *op, uint64_t uoff, size_t size,
		       unsigned flags)
{
	int64_t pos;
	ssize_t n;
	int err;

	if (uoff) {
		if (!in->op->llseek)
			return -EINVAL;
		err = splice_get_off(t, uoff, &pos);
		if (err)
			return err;
	}
	n = splice_file_to_pipe(t, in, op, uoff ? &pos : NULL, size, flags & SPLICE_F_NONBLOCK);
	if (n > 0 && uoff && user_put(t, pos, uoff))
		return -EFAULT;
	return n;
}

static ssize_t do_splice(struct task *t, struct file *in, uint64_t uoff_in, struct file *out,
			 uint64_t uoff_out, size_t size, unsigned flags)
{
	struct pipe *ip = pipe_of_file(in), *op = pipe_of_file(out);

	if (!in->readable || !out->writable)
		return -EBADF;
	if (ip && uoff_in)
		return -ESPIPE;
	if (op && uoff_out)
		return -ESPIPE;
	if (ip && op) {
		if (ip == op)
			return -EINVAL;
		if ((in->flags | out->flags) & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		return splice_pipe_to_pipe(t, ip, op, size, flags & SPLICE_F_NONBLOCK);
	}
	if (ip) {
		if (in->flags & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		return from_pipe(t, ip, out, uoff_out, size, flags);
	}
	if (op) {
		if (out->flags & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		return to_pipe(t, in, op, uoff_in, size, flags);
	}
	return -EINVAL;
}

SYS_HANDLER(splice)
{
	unsigned flags = (unsigned)a[5];
	struct file *in, *out;
	ssize_t n;

	if (!a[4])
		return 0;
	if (flags & ~(unsigned)SPLICE_F_ALL)
		return -EINVAL;
	if (!splice_files(t, (int)a[0], (int)a[2], &in, &out))
		return -EBADF;
	n = do_splice(t, in, a[1], out, a[3], MIN(a[4], SPLICE_MAX), flags);
	file_unref(out);
	file_unref(in);
	return n;
}

static ssize_t do_tee(struct task *t, struct pipe *in, struct pipe *out, size_t size, bool nonblock)
{
	ssize_t done = 0;
	int err;

	do {
		err = pipe_wait_readable(in, nonblock);
		if (err)
			return err < 0 ? err : 0;
		err = pipe_wait_writable(t, out, nonblock);
		if (err)
			return err;
	} while (pipe_empty(in));
	for (unsigned i = in->tail; i != in->head && size && !pipe_full(out); i++) {
		struct pipe_buf *buf = pipe_slot(in, i);
		uint32_t n = (uint32_t)MIN((size_t)buf->size, size);

		pipe_push(out, pipe_block_ref(buf->block), buf->room + buf->off, n, n,
			  buf->flags & ~PIPE_BUF_MERGE);
		size -= n;
		done += n;
	}
	if (done)
		pipe_wake_readers(out);
	return done;
}

SYS_HANDLER(tee)
{
	unsigned flags = (unsigned)a[3];
	struct file *in, *out;
	struct pipe *ip, *op;
	ssize_t n;

	if (flags & ~(unsigned)SPLICE_F_ALL)
		return -EINVAL;
	if (!a[2])
		return 0;
	if (!splice_files(t, (int)a[0], (int)a[1], &in, &out))
		return -EBADF;
	ip = pipe_of_file(in);
	op = pipe_of_file(out);
	if ((in->flags | out->flags) & O_NONBLOCK)
		flags |= SPLICE_F_NONBLOCK;
	if (!in->readable || !out->writable)
		n = -EBADF;
	else if (!ip || !op || ip == op)
		n = -EINVAL;
	else
		n = do_tee(t, ip, op, MIN(a[2], SPLICE_MAX), flags & SPLICE_F_NONBLOCK);
	file_unref(out);
	file_unref(in);
	return n;
}

static ssize_t vm_to_pipe(struct task *t, struct pipe *p, struct uio *u, bool nonblock)
{
	bool was_empty = pipe_empty(p);
	ssize_t n;
	int err = pipe_wait_writable(t, p, nonblock);

	if (err)
		return err;
	n = pipe_fill(p, u, u->resid, false);
	if (n > 0 && (was_empty || p->poll_usage))
		pipe_wake_readers(p);
	return n;
}

static ssize_t pipe_to_vm(struct pipe *p, struct uio *u, bool nonblock)
{
	ssize_t n;
	int err = pipe_wait_readable(p, nonblock);

	if (err)
		return err < 0 ? err : 0;
	n = pipe_drain(p, u, u->resid);
	if (n > 0)
		pipe_wake_writers(p);
	return n;
}

SYS_HANDLER(vmsplice)
{
	unsigned flags = (unsigned)a[3];
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	struct pipe *p;
	struct file *f;
	struct uio u;
	ssize_t n;

	if (flags & ~(unsigned)SPLICE_F_ALL)
		return -EINVAL;
	f = fd_get(t, (int)a[0]);
	if (!f)
		return -EBADF;
	p = pipe_of_file(f);
	if (!p) {
		file_unref(f);
		return -EBADF;
	}
	n = uio_init_iovec(&u, t, a[1], a[2]);
	if (!n) {
		if (u.resid)
			n = f->writable ? vm_to_pipe(t, p, &u, nonblock) : pipe_to_vm(p, &u, nonblock);
		uio_done(&u);
	}
	file_unref(f);
	return n;
}
