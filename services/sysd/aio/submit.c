/* io_submit(2) and io_cancel(2). */
#include "services/sysd/aio/private.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/event/eventfd.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/rw.h"

#define MAX_RW_COUNT 0x7ffff000ul

static int check_ioprio(struct task *t, unsigned prio)
{
	switch (IOPRIO_PRIO_CLASS(prio)) {
	case IOPRIO_CLASS_RT:
		if (!capable(t, CAP_SYS_ADMIN) && !capable(t, CAP_SYS_NICE))
			return -EPERM;
		/* fall through */
	case IOPRIO_CLASS_BE:
		return IOPRIO_PRIO_DATA(prio) < 8 ? 0 : -EINVAL;
	case IOPRIO_CLASS_IDLE:
		return 0;
	default:
		return IOPRIO_PRIO_DATA(prio) ? -EINVAL : 0;
	}
}

/* What is wrong with the request itself is the call's error; what the transfer comes to is the event's. */
static int do_rw(struct task *t, struct file *f, const struct abi_iocb *cb, bool write, bool vector,
		 int64_t *ret_res)
{
	bool stream = !f->op->llseek;
	int64_t pos = cb->offset;
	struct uio u;
	int ret;

	if (cb->flags & ABI_IOCB_FLAG_IOPRIO) {
		ret = check_ioprio(t, (uint16_t)cb->reqprio);
		if (ret)
			return ret;
	}
	ret = file_check_rwf(write, (unsigned)cb->rw_flags);
	if (ret)
		return ret;
	if (!(write ? f->writable : f->readable))
		return -EBADF;
	if (S_ISDIR(f->inode->mode) || !(write ? (void *)f->op->write : (void *)f->op->read))
		return -EINVAL;
	if (vector) {
		ret = uio_init_iovec(&u, t, cb->buf, cb->size);
		if (ret)
			return ret;
	} else {
		uio_init_user(&u, t, cb->buf, MIN(cb->size, MAX_RW_COUNT));
	}
	if (!stream && pos < 0)
		ret = -EINVAL;
	else
		*ret_res = file_rw_flags(f, &u, stream ? NULL : &pos, write, (unsigned)cb->rw_flags);
	if (vector)
		uio_done(&u);
	/* a request is not restarted: its place in the order is gone */
	if (!ret && (*ret_res == -ERESTARTSYS || *ret_res == -ERESTARTNOINTR ||
		     *ret_res == -ERESTARTNOHAND || *ret_res == -ERESTART_RESTARTBLOCK))
		*ret_res = -EINTR;
	return ret;
}

static int do_fsync(struct file *f, const struct abi_iocb *cb, int64_t *ret_res)
{
	if (cb->buf || cb->offset || cb->size || cb->rw_flags)
		return -EINVAL;
	if (!f->op->fsync)
		return -EINVAL;
	*ret_res = f->op->fsync(f, cb->opcode == ABI_IOCB_FDSYNC);
	return 0;
}

static int run(struct task *t, struct aio_ctx *ctx, struct file *f, struct file *resfd,
	       const struct abi_iocb *cb, uint64_t obj)
{
	int64_t res = 0;
	int ret;

	switch (cb->opcode) {
	case ABI_IOCB_PREAD:
	case ABI_IOCB_PREADV:
		ret = do_rw(t, f, cb, false, cb->opcode == ABI_IOCB_PREADV, &res);
		break;
	case ABI_IOCB_PWRITE:
	case ABI_IOCB_PWRITEV:
		ret = do_rw(t, f, cb, true, cb->opcode == ABI_IOCB_PWRITEV, &res);
		break;
	case ABI_IOCB_FSYNC:
	case ABI_IOCB_FDSYNC:
		ret = do_fsync(f, cb, &res);
		break;
	case ABI_IOCB_POLL:
		return aio_poll_start(ctx, f, resfd, cb, obj);
	default:
		return -EINVAL;
	}
	if (!ret)
		aio_post(ctx, cb->data, obj, res, resfd);
	return ret;
}

static int submit_one(struct task *t, struct aio_ctx *ctx, uint64_t ucb)
{
	struct file *f, *resfd = NULL;
	struct abi_iocb cb;
	uint32_t key = 0;
	int ret;

	if (user_get(t, cb, ucb))
		return -EFAULT;
	if (cb.reserved || (int64_t)cb.size < 0)
		return -EINVAL;
	if (!aio_reserve(ctx))
		return -EAGAIN;
	ret = -EBADF;
	f = fd_get(t, (int)cb.fd);
	if (!f)
		goto out;
	if (cb.flags & ABI_IOCB_FLAG_RESFD) {
		resfd = fd_get(t, (int)cb.resfd);
		if (!resfd)
			goto out;
		ret = -EINVAL;
		if (!file_is_eventfd(resfd))
			goto out;
	}
	ret = user_put(t, key, ucb + offsetof(struct abi_iocb, key));
	if (!ret)
		ret = run(t, ctx, f, resfd, &cb, ucb);
out:
	if (ret)
		aio_give_back(ctx);
	if (resfd)
		file_unref(resfd);
	if (f)
		file_unref(f);
	return ret;
}

SYS_HANDLER(io_submit)
{
	struct aio_ctx *ctx;
	int64_t count = (int64_t)a[1], i;
	int ret = 0;

	if (count < 0)
		return -EINVAL;
	ctx = aio_ctx_find(t, a[0]);
	if (!ctx)
		return -EINVAL;
	count = MIN(count, (int64_t)ctx->size);
	for (i = 0; i < count && !ret; i++) {
		uint64_t ucb;

		if (ctx->dead) /* destroyed while an earlier request slept */
			ret = -EINVAL;
		else if (user_get(t, ucb, a[2] + (uint64_t)i * sizeof(ucb)))
			ret = -EFAULT;
		else
			ret = submit_one(t, ctx, ucb);
		if (ret)
			break;
	}
	aio_ctx_unref(ctx);
	return i ? i : ret;
}

SYS_HANDLER(io_cancel)
{
	struct aio_ctx *ctx;
	uint32_t key;
	int ret;

	if (user_get(t, key, a[1] + offsetof(struct abi_iocb, key)))
		return -EFAULT;
	if (key)
		return -EINVAL;
	ctx = aio_ctx_find(t, a[0]);
	if (!ctx)
		return -EINVAL;
	/* Its event comes by io_getevents, so the answer is never 0. */
	ret = aio_poll_cancel(ctx, a[1]) ? -EINPROGRESS : -EINVAL;
	aio_ctx_unref(ctx);
	return ret;
}
