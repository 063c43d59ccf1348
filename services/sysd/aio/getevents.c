/* io_getevents(2) and io_pgetevents. */
#include "services/sysd/aio/private.h"

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/sleep.h"
#include "services/sysd/event/pollset.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"

/* Takes up to `max` events out. The count, or -EFAULT when not one could be written. */
static int64_t take(struct task *t, struct aio_ctx *ctx, uint64_t uevents, int64_t max)
{
	int64_t n = 0;

	while (n < max && ctx->count) {
		if (user_put(t, ctx->events[ctx->head], uevents + (uint64_t)n * sizeof(ctx->events[0])))
			return n ? n : -EFAULT;
		ctx->head = (ctx->head + 1) % ctx->size;
		ctx->count--;
		n++;
	}
	return n;
}

static int64_t read_events(struct task *t, struct aio_ctx *ctx, int64_t least, int64_t most,
			   uint64_t uevents, uint64_t deadline_ns)
{
	int64_t done = 0, n;
	int err;

	for (;;) {
		n = take(t, ctx, uevents + (uint64_t)done * sizeof(ctx->events[0]), most - done);
		if (n < 0)
			return done ? done : n;
		done += n;
		if (done >= least || !deadline_ns)
			return done;
		if (ctx->dead)
			return done ? done : -EINVAL;
		err = WAIT_EVENT_FLAGS(&ctx->wait, ctx->count || ctx->dead, WAIT_INTERRUPTIBLE, deadline_ns);
		if (err == -ETIMEDOUT)
			return done;
		if (err)
			return done ? done : -EINTR;
	}
}

static long get_events(struct task *t, const uint64_t a[6], uint64_t deadline_ns)
{
	int64_t least = (int64_t)a[1], most = (int64_t)a[2];
	struct aio_ctx *ctx = aio_ctx_find(t, a[0]);
	long ret;

	if (!ctx)
		return -EINVAL;
	ret = least <= most && least >= 0 ? read_events(t, ctx, least, most, a[3], deadline_ns) : -EINVAL;
	aio_ctx_unref(ctx);
	return ret;
}

static int read_timeout(struct task *t, uint64_t uts, uint64_t *ret_deadline_ns)
{
	struct abi_timespec ts;

	*ret_deadline_ns = KTIMER_NEVER;
	if (!uts)
		return 0;
	if (user_get(t, ts, uts))
		return -EFAULT;
	/* Linux checks no range here; a time in the past is over. */
	*ret_deadline_ns = timespec_valid(&ts) ? poll_deadline(timespec_ns(&ts)) : 0;
	return 0;
}

SYS_HANDLER(io_getevents)
{
	uint64_t deadline_ns;
	int ret = read_timeout(t, a[4], &deadline_ns);

	return ret ? ret : get_events(t, a, deadline_ns);
}

SYS_HANDLER(io_pgetevents)
{
	struct {
		uint64_t set, size;
	} sig = {0};
	uint64_t deadline_ns;
	long ret = read_timeout(t, a[4], &deadline_ns);

	if (ret)
		return ret;
	if (a[5] && user_get(t, sig, a[5]))
		return -EFAULT;
	ret = sigmask_swap(t, sig.set, sig.size);
	if (ret)
		return ret;
	ret = get_events(t, a, deadline_ns);
	if (ret == -EINTR)
		ret = -ERESTARTNOHAND;
	sigmask_swap_end(t, ret == -ERESTARTNOHAND);
	return ret;
}
