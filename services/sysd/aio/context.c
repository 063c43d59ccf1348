/* io_setup(2), io_destroy(2), and the life of a context; see private.h. */
#include "services/sysd/aio/private.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/util.h"
#include "services/sysd/aio/aio.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/event/eventfd.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define AIO_EVENTS_LEAST 16u      /* Linux's room for few events, too, is more than was asked for */
#define AIO_EVENTS_MOST 0x10000000u
#define AIO_RING_SIZE 4096u

struct aio_ctx *aio_ctx_find(struct task *t, uint64_t id)
{
	struct aio_ctx *ctx;

	LIST_FOR_EACH(ctx, &t->mm->aio_contexts, mm_node) {
		if (ctx->id == id) {
			ctx->refs++;
			return ctx;
		}
	}
	return NULL;
}

void aio_ctx_unref(struct aio_ctx *ctx)
{
	if (!--ctx->refs)
		free(ctx);
}

void aio_post(struct aio_ctx *ctx, uint64_t data, uint64_t obj, int64_t res, struct file *resfd)
{
	struct abi_io_event *e = &ctx->events[(ctx->head + ctx->count) % ctx->size];

	ctx->pending--;
	ctx->count++;
	*e = (struct abi_io_event){.data = data, .obj = obj, .res = res};
	if (resfd)
		eventfd_signal(resfd);
	waitq_wake_all(&ctx->wait);
}

/* No call finds it any more, sleepers return, what is pending posts nothing. May sleep. */
static void ctx_kill(struct aio_ctx *ctx)
{
	ctx->dead = true;
	list_del(&ctx->mm_node);
	list_init(&ctx->mm_node);
	sysctl_aio_nr -= ctx->wanted;
	waitq_wake_all(&ctx->wait);
	aio_poll_drop_all(ctx);
	aio_ctx_unref(ctx);
}

void aio_mm_done(struct mm *mm)
{
	while (!list_empty(&mm->aio_contexts))
		ctx_kill(LIST_FIRST(&mm->aio_contexts, struct aio_ctx, mm_node));
}

static int ctx_new(unsigned wanted, struct aio_ctx **ret)
{
	unsigned size = MAX(wanted, AIO_EVENTS_LEAST / 2) * 2;
	struct aio_ctx *ctx;

	if (wanted > AIO_EVENTS_MOST)
		return -EINVAL;
	if (wanted > (uint64_t)sysctl_aio_max_nr || sysctl_aio_nr + (int64_t)wanted > sysctl_aio_max_nr)
		return -EAGAIN;
	ctx = calloc(1, sizeof(*ctx) + size * sizeof(ctx->events[0]));
	if (!ctx)
		return -ENOMEM;
	ctx->refs = 1;
	ctx->wanted = wanted;
	ctx->size = size;
	list_init(&ctx->mm_node);
	list_init(&ctx->polls);
	waitq_init(&ctx->wait);
	*ret = ctx;
	return 0;
}

SYS_HANDLER(io_setup)
{
	struct aio_ctx *ctx;
	uint64_t id;
	int64_t at;
	int ret;

	if (user_get(t, id, a[1]))
		return -EFAULT;
	if (id || !(unsigned)a[0])
		return -EINVAL;
	ret = ctx_new((unsigned)a[0], &ctx);
	if (ret)
		return ret;
	sysctl_aio_nr += ctx->wanted; /* before it sleeps */
	at = mm_map_anonymous(t, AIO_RING_SIZE, PROT_READ | PROT_WRITE);
	if (at < 0) {
		sysctl_aio_nr -= ctx->wanted;
		aio_ctx_unref(ctx);
		return at == -ENOMEM ? -ENOMEM : -EAGAIN;
	}
	ctx->id = (uint64_t)at;
	list_add_tail(&t->mm->aio_contexts, &ctx->mm_node);
	if (user_put(t, ctx->id, a[1])) {
		ctx_kill(ctx);
		mm_unmap(t, (uint64_t)at, AIO_RING_SIZE);
		return -EFAULT;
	}
	return 0;
}

SYS_HANDLER(io_destroy)
{
	struct aio_ctx *ctx = aio_ctx_find(t, a[0]);

	if (!ctx)
		return -EINVAL;
	ctx_kill(ctx);
	mm_unmap(t, ctx->id, AIO_RING_SIZE);
	aio_ctx_unref(ctx);
	return 0;
}
