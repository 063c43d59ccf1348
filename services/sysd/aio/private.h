/* A context of asynchronous I/O.
 *
 * Reads, writes and syncs are done within io_submit(2), which is what Linux does with files that do not
 * bypass the page cache: the event is there when the call returns. Only IOCB_CMD_POLL is pending for a
 * while; its request waits in the queues of the file and posts the event from the waker.
 *
 * The context's name is the address of a mapping in the guest, as on Linux, where libaio looks for a ring of events;
 * ours holds no ring (its magic is 0), so that libaio asks io_getevents(2) for every event. Nothing is ever read from
 * that memory. */
#ifndef SYSD_AIO_PRIVATE_H
#define SYSD_AIO_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/abi/aio.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/poll.h"

struct file;
struct task;

struct aio_ctx {
	unsigned refs;              /* the address space's list, sleepers, pending requests */
	struct list mm_node;        /* mm.aio_contexts; self-linked once dead */
	uint64_t id;                /* the address in the guest */
	bool dead;
	unsigned wanted;            /* as asked for: counts against aio-max-nr */
	unsigned size, head, count; /* the ring of finished events */
	unsigned pending;           /* requests that will post an event: count + pending <= size */
	struct list polls;          /* struct aio_poll that wait */
	struct waitq wait;          /* io_getevents */
	struct abi_io_event events[];
};

struct aio_ctx *aio_ctx_find(struct task *t, uint64_t id); /* a reference, or NULL */
void aio_ctx_unref(struct aio_ctx *ctx);
/* A place for a further event, or false. Each one that was reserved is posted or given back. */
static inline bool aio_reserve(struct aio_ctx *ctx)
{
	if (ctx->count + ctx->pending >= ctx->size)
		return false;
	ctx->pending++;
	return true;
}
static inline void aio_give_back(struct aio_ctx *ctx)
{
	ctx->pending--;
}
/* Posts the event of a reserved place and signals `resfd` (an eventfd, or NULL). Never sleeps. */
void aio_post(struct aio_ctx *ctx, uint64_t data, uint64_t obj, int64_t res, struct file *resfd);

/* Starts IOCB_CMD_POLL on f; takes no reference of the caller's. 0 or -errno. */
int aio_poll_start(struct aio_ctx *ctx, struct file *f, struct file *resfd, const struct abi_iocb *cb,
		   uint64_t obj);
/* Takes the request with this iocb out; false: there is none. */
bool aio_poll_cancel(struct aio_ctx *ctx, uint64_t obj);
/* Ends all of them without events. May sleep. */
void aio_poll_drop_all(struct aio_ctx *ctx);

#endif
