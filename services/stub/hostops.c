/* Host calls and small memory operations that sysd orders while it serves a request. */
#include "services/stub/stub.h"

#define MAP_SHARED 1
#define MAP_FIXED 0x10
#define PROT_RW 3
#define MADV_DONTFORK 10
#define FUTEX_WAKE 1

/* A call that stops for memd's approval. A signal that comes before memd has taken the notification ends it with EINTR
 * (seccomp_unotify(2)), which neither mmap nor clone knows of itself: nothing has happened, so it begins again. */
static long approved6(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	long ret;

	do {
		ret = host6(nr, a, b, c, d, e, f);
	} while (ret == -EINTR);
	return ret;
}

static long clone_thread(struct sbx_thread *t, uint64_t index)
{
	struct sbx_thread *n;

	if (index >= SBX_THREADS_MAX)
		return -EINVAL;
	n = (struct sbx_thread *)(t->base + SBX_R_THREADS + index * SBX_THREAD_STRIDE);
	rt_thread_init(n, t->base, (uint32_t)index);
	n->regs = t->regs;
	n->guest_gs = t->guest_gs;
	n->gs_virtual = t->gs_virtual;
	n->exit_slow = t->gs_virtual;
	rt_data(t)->threads_made = 1;
	return rt_clone_thread(SBX_CLONE_THREAD_FLAGS, n->stack_top, &n->slot->host_tid);
}

/* In the child: its slots are not mapped yet. */
static uint32_t child_start(struct sbx_thread *t, uint64_t cookie, uint32_t set_fd, bool await)
{
	uint64_t slots = t->base + SBX_R_SLOTS;
	struct rt_data *d = rt_data(t);
	long r;

	t->kicked = 0;
	t->slots_kept = 0;
	/* A page that is not written to is not copied. */
	if (d->threads_made)
		d->threads_made = 0;
	if (d->lock)
		d->lock = 0;
	r = approved6(NR_mmap, slots, SBX_SLOTS_SIZE, PROT_RW, MAP_SHARED | MAP_FIXED, cookie << 32 | set_fd, 0);
	if (r == 0) {
		/* The answer was memd's: the descriptor. */
		r = host6(NR_mmap, slots, SBX_SLOTS_SIZE, PROT_RW, MAP_SHARED | MAP_FIXED, SBX_FD_SLOTS, 0);
		host1(NR_close, SBX_FD_SLOTS);
	}
	if (r < 0)
		host1(NR_exit_group, 127);
	t->slot->host_tid = (uint32_t)host1(NR_set_tid_address, &t->slot->host_tid);
	if (await)
		return RT_OPS_AWAIT;
	t->slot->regs = t->regs;
	return SBX_REQ_HELLO;
}

uint32_t rt_run_ops(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;
	uint32_t count = slot->op_count;
	bool stop = false;

	for (uint32_t i = 0; i < count && i < SBX_HOPS_MAX; i++) {
		struct sbx_hostop *op = &slot->ops[i];
		const uint64_t *a = op->args;
		uint32_t seen;
		long ret;

		if (stop) {
			op->ret = -ECANCELED;
			continue;
		}
		switch (op->kind) {
		case SBX_HOP_SYSCALL:
			ret = op->nr == NR_mmap ? approved6(NR_mmap, a[0], a[1], a[2], a[3], a[4], a[5])
						: host6((long)op->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
			break;
		case SBX_HOP_CLONE_THREAD:
			ret = clone_thread(t, a[0]);
			break;
		case SBX_HOP_CLONE_PROCESS: {
			uint64_t cookie = a[0];
			bool await = a[1] == 1;
			uint32_t set_fd = (uint32_t)a[2];

			if (!t->slots_kept) {
				host3(NR_madvise, t->base + SBX_R_SLOTS, SBX_SLOTS_SIZE, MADV_DONTFORK);
				t->slots_kept = 1;
			}
			/* Our slots are not inherited: nothing of them may be used in the child. */
			ret = approved6(NR_clone, SBX_CLONE_PROCESS_FLAGS, 0, 0, 0, cookie, 0);
			if (ret == 0)
				return child_start(t, cookie, set_fd, await);
			break;
		}
		case SBX_HOP_ZERO:
			ret = rt_zero((void *)a[0], a[1]) ? -EFAULT : 0;
			break;
		case SBX_HOP_COPY:
			ret = -EINVAL;
			if (a[2] <= SBX_SLOT_WINDOW && a[1] <= SBX_SLOT_WINDOW - a[2])
				ret = rt_copy((void *)a[0], rt_window(t) + a[2], a[1]) ? -EFAULT : 0;
			break;
		case SBX_HOP_CMPXCHG32:
			ret = rt_cmpxchg32((uint32_t *)a[0], (uint32_t)a[1], (uint32_t)a[2], &seen);
			if (!ret)
				ret = seen;
			break;
		case SBX_HOP_RESET:
			rt_patch_reset(t);
			ret = 0;
			break;
		case SBX_HOP_FUTEX_WAKE:
			ret = host3(NR_futex, a[0], FUTEX_WAKE, a[1]);
			break;
		default:
			ret = -ENOSYS;
			break;
		}
		op->ret = ret;
		if (ret < 0 && (op->flags & SBX_HOP_STOP_ON_ERROR))
			stop = true;
		if (ret >= 0 && op->flags & SBX_HOP_RETURN)
			return RT_OPS_RETURN;
	}
	return SBX_REQ_HOSTOPS_DONE;
}
