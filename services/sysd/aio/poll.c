/* IOCB_CMD_POLL: a request that waits in a file's queues and posts its event from the waker. */
#include "services/sysd/aio/private.h"

#include <stdlib.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/vfs/file.h"

#define AIO_POLL_QUEUES 4u /* no kind of file wakes more of them */

struct aio_poll {
	struct poll_table pt;
	struct list node;     /* ctx->polls while it waits */
	struct aio_ctx *ctx;  /* a reference */
	struct file *file, *resfd; /* references */
	uint64_t data, obj;
	uint32_t events;
	bool done;
	unsigned count;
	struct waitq_entry entry[AIO_POLL_QUEUES];
};

static void poll_free(struct aio_poll *p)
{
	for (unsigned i = 0; i < p->count; i++)
		waitq_del(&p->entry[i]);
	if (p->resfd)
		file_unref(p->resfd);
	file_unref(p->file);
	aio_ctx_unref(p->ctx);
	free(p);
}

static void poll_free_strand(void *arg)
{
	poll_free(arg);
}

/* A waker may leave only the queue it stands in, and may not sleep: the rest is for a strand. */
static void poll_finish(struct aio_poll *p, uint32_t mask)
{
	p->done = true;
	aio_post(p->ctx, p->data, p->obj, (int64_t)mask, p->resfd);
	list_del(&p->node);
	list_init(&p->node);
	if (sched_spawn(poll_free_strand, p))
		list_add_tail(&p->ctx->polls, &p->node); /* with the context, then */
}

static bool poll_woken(struct waitq_entry *e, uint32_t events)
{
	struct aio_poll *p = e->priv;
	uint32_t mask;

	if (p->done || (events && !(events & p->events)))
		return false;
	mask = vfs_poll(p->file, NULL) & p->events;
	if (!mask)
		return false;
	poll_finish(p, mask);
	return true;
}

static void poll_queue(struct poll_table *pt, struct waitq *q)
{
	struct aio_poll *p = CONTAINER_OF(pt, struct aio_poll, pt);
	struct waitq_entry *e;

	if (p->count == AIO_POLL_QUEUES)
		return;
	e = &p->entry[p->count++];
	e->func = poll_woken;
	e->priv = p;
	waitq_add(q, e);
}

int aio_poll_start(struct aio_ctx *ctx, struct file *f, struct file *resfd, const struct abi_iocb *cb,
		   uint64_t obj)
{
	struct aio_poll *p;
	uint32_t mask;

	if (cb->buf > UINT16_MAX || cb->offset || cb->size || cb->rw_flags || !f->op->poll)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->pt.queue = poll_queue;
	p->ctx = ctx;
	ctx->refs++;
	p->file = file_ref(f);
	p->resfd = resfd ? file_ref(resfd) : NULL;
	p->data = cb->data;
	p->obj = obj;
	p->events = (uint32_t)cb->buf | EPOLLERR | EPOLLHUP;
	list_init(&p->node);
	mask = vfs_poll(f, &p->pt) & p->events;
	if (mask) {
		p->done = true; /* the eventfd that is signalled may be the file itself */
		aio_post(ctx, p->data, obj, (int64_t)mask, resfd);
		poll_free(p);
	} else {
		list_add_tail(&ctx->polls, &p->node);
	}
	return 0;
}

bool aio_poll_cancel(struct aio_ctx *ctx, uint64_t obj)
{
	struct aio_poll *p;

	LIST_FOR_EACH(p, &ctx->polls, node) {
		if (p->obj != obj || p->done)
			continue;
		p->done = true;
		list_del(&p->node);
		aio_post(ctx, p->data, p->obj, 0, p->resfd);
		poll_free(p);
		return true;
	}
	return false;
}

void aio_poll_drop_all(struct aio_ctx *ctx)
{
	while (!list_empty(&ctx->polls)) {
		struct aio_poll *p = LIST_FIRST(&ctx->polls, struct aio_poll, node);

		if (!p->done)
			aio_give_back(ctx);
		p->done = true;
		list_del(&p->node);
		poll_free(p);
	}
}
