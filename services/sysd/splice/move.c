/* The three ways between pipes and files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/fs/pipe/pipe.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/splice/splice.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define RUN_MAX 65536u /* bytes moved at once */

bool splice_files(struct task *t, int in_fd, int out_fd, struct file **ret_in, struct file **ret_out)
{
	struct file *in = fd_get(t, in_fd), *out = in ? fd_get(t, out_fd) : NULL;

	if (!out) {
		file_unref(in);
		return false;
	}
	*ret_in = in;
	*ret_out = out;
	return true;
}

bool splice_can(const struct file *f)
{
	return f->path.mnt || S_ISREG(f->inode->mode) || socket_of_file(f) || pipe_of_file(f);
}

int splice_get_off(struct task *t, uint64_t uaddr, int64_t *ret)
{
	if (user_get(t, *ret, uaddr))
		return -EFAULT;
	return *ret < 0 ? -EINVAL : 0;
}

static ssize_t read_file(struct file *in, void *buf, size_t size, int64_t *pos, bool nonblock)
{
	struct uio u;

	uio_init_kernel(&u, buf, size);
	if (socket_of_file(in))
		return socket_recv_uio(in, &u, nonblock ? MSG_DONTWAIT : 0);
	return vfs_read(in, &u, pos);
}

ssize_t splice_file_to_pipe(struct task *t, struct file *in, struct pipe *p, int64_t *pos, size_t size,
			    bool nonblock)
{
	struct pipe_block *b;
	ssize_t n;
	int err;

	if (!splice_can(in) || !in->op->read)
		return -EINVAL;
	err = pipe_wait_writable(t, p, nonblock);
	if (err)
		return err;
	size = MIN(size, (size_t)(p->slots - pipe_used(p)) * PIPE_BUF_SIZE);
	size = MIN(size, (size_t)RUN_MAX);
	b = pipe_block_new(ALIGN_UP((uint32_t)size, PIPE_BUF_SIZE));
	if (!b)
		return -ENOMEM;
	n = read_file(in, b->data, size, pos, nonblock);
	for (ssize_t off = 0; off < n; off += PIPE_BUF_SIZE) {
		/* the read may have slept, and others written */
		err = WAIT_EVENT_FLAGS(&p->wr_wait, !pipe_full(p) || !p->readers, WAIT_KILLABLE, KTIMER_NEVER);
		if (pipe_full(p)) {
			n = off ? off : err ? -EINTR : -EPIPE;
			break;
		}
		pipe_push(p, pipe_block_ref(b), b->data + off, PIPE_BUF_SIZE,
			  (uint32_t)MIN(n - off, (ssize_t)PIPE_BUF_SIZE), 0);
	}
	pipe_block_unref(b);
	if (n > 0)
		pipe_wake_readers(p);
	return n;
}

static ssize_t write_file(struct file *out, void *buf, size_t size, int64_t *pos, bool more)
{
	struct uio u;

	uio_init_kernel(&u, buf, size);
	if (socket_of_file(out))
		return socket_send_uio(out, &u, more ? MSG_MORE : 0);
	return vfs_write(out, &u, pos);
}

ssize_t splice_pipe_to_file(struct pipe *p, struct file *out, int64_t *pos, size_t size, bool nonblock,
			    bool more)
{
	ssize_t done = 0;

	if (!splice_can(out) || !out->op->write)
		return -EINVAL;
	while ((size_t)done < size) {
		struct pipe_buf *buf, was;
		unsigned tail;
		ssize_t n;

		if (pipe_empty(p)) {
			n = done ? 1 : pipe_wait_readable(p, nonblock);
			if (n)
				return n < 0 ? n : done;
		}
		/* The write may sleep, and another reader take the buffer meanwhile: hold its storage, and
		 * consume only what is still there. */
		tail = p->tail;
		was = *pipe_slot(p, tail);
		pipe_block_ref(was.block);
		n = write_file(out, was.room + was.off, MIN((size_t)was.size, size - (size_t)done), pos,
			       more || (size_t)done + was.size < size);
		buf = pipe_slot(p, tail);
		if (n > 0) {
			done += n;
			if (p->tail == tail && !pipe_empty(p) && buf->block == was.block && buf->off == was.off) {
				bool was_full = pipe_full(p);

				pipe_consume(p, (uint32_t)n);
				if (was_full && !pipe_full(p))
					pipe_wake_writers(p);
			}
		}
		pipe_block_unref(was.block);
		if (n <= 0)
			return done ? done : n;
	}
	return done;
}

ssize_t splice_pipe_to_pipe(struct task *t, struct pipe *in, struct pipe *out, size_t size, bool nonblock)
{
	ssize_t done = 0;
	int err;

	do { /* both conditions at once: the second wait may undo the first */
		err = pipe_wait_readable(in, nonblock);
		if (err)
			return err < 0 ? err : 0;
		err = pipe_wait_writable(t, out, nonblock);
		if (err)
			return err;
	} while (pipe_empty(in));
	while (size && !pipe_empty(in) && !pipe_full(out)) {
		struct pipe_buf *buf = pipe_slot(in, in->tail);

		if (buf->size <= size) {
			size -= buf->size;
			done += buf->size;
			buf->flags &= ~PIPE_BUF_MERGE;
			*pipe_slot(out, out->head++) = *buf;
			in->tail++;
			continue;
		}
		pipe_push(out, pipe_block_ref(buf->block), buf->room + buf->off, (uint32_t)size, (uint32_t)size,
			  buf->flags & ~PIPE_BUF_MERGE);
		buf->off += (uint32_t)size;
		buf->size -= (uint32_t)size;
		done += (ssize_t)size;
		size = 0;
	}
	if (done) {
		pipe_wake_readers(out);
		pipe_wake_writers(in);
	}
	return done;
}
