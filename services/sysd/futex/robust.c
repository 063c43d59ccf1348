/* Robust futexes: the list a thread registers, and its walk when the thread dies (Linux:
 * Documentation/locking/robust-futex-ABI). */
#include "common/base/util.h"
#include "services/sysd/abi/futex.h"
#include "services/sysd/futex/futex.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"

SYS_HANDLER(set_robust_list)
{
	if (a[1] != sizeof(struct abi_robust_list_head))
		return -EINVAL;
	t->robust_list_head = a[0];
	hthread_publish_exit(t);
	return 0;
}

SYS_HANDLER(get_robust_list)
{
	struct task *of = pids_find_or_self(t, (int32_t)a[0]);
	uint64_t head, size = sizeof(struct abi_robust_list_head);

	if (!of)
		return -ESRCH;
	if (!ptrace_may_access(t, of))
		return -EPERM;
	hthread_refresh(of);
	head = of->robust_list_head;
	if (user_put(t, size, a[2]))
		return -EFAULT;
	return user_put(t, head, a[1]);
}

/* Is the dying thread's host thread still there to do atomic operations and wakes? */
static bool host_alive(const struct task *t)
{
	return t->ht && t->ht->task == t && t->ht->where == HT_KERNEL && !t->ht->hp->dead;
}

static int exchange(struct task *t, uint64_t uaddr, uint32_t from, uint32_t to, uint32_t *ret_old)
{
	if (host_alive(t) && futex_cmpxchg(t, uaddr, from, to, ret_old) == 0)
		return 0;
	/* nobody but the dead owner changes a word that holds its id, save to add FUTEX_WAITERS */
	if (mm_read(t->mm, ret_old, uaddr, 4) != 4)
		return -EFAULT;
	if (*ret_old == from && mm_write(t->mm, uaddr, &to, 4) != 4)
		return -EFAULT;
	return 0;
}

/* Wakes a waiter of a word. Without a host thread in the process, all who wait on any futex of the
 * sandbox are made to look at their word again. */
static void wake(struct task *t, uint64_t uaddr)
{
	struct sbx_hostop op = {.kind = SBX_HOP_FUTEX_WAKE, .args = {uaddr, 1}};
	struct task *other;

	if (host_alive(t) && hthread_run_ops(t, &op, 1) == 0)
		return;
	LIST_FOR_EACH (other, task_all(), all_node)
		if (other != t && other->ht && other->ht->task == other && other->ht->where == HT_USER &&
		    hthread_slot(other->ht)->t0_wait)
			hthread_kick(other->ht);
}

static bool one_died(struct task *t, uint64_t uaddr, bool pi, bool pending)
{
	uint32_t cur, old, next;

	if (uaddr & 3 || mm_read(t->mm, &cur, uaddr, 4) != 4)
		return false;
	for (;;) {
		if (pending && !pi && !cur) {
			/* it died between unlocking and waking */
			wake(t, uaddr);
			return true;
		}
		if ((cur & ABI_FUTEX_TID_MASK) != t->tid)
			return true;
		next = (cur & ABI_FUTEX_WAITERS) | ABI_FUTEX_OWNER_DIED;
		if (exchange(t, uaddr, cur, next, &old))
			return false;
		if (old == cur)
			break;
		cur = old;
	}
	if (!pi && cur & ABI_FUTEX_WAITERS)
		wake(t, uaddr);
	return true;
}

static void walk(struct task *t)
{
	struct abi_robust_list_head head;
	uint64_t base = t->robust_list_head, entry, pending;
	int limit = ABI_ROBUST_LIST_LIMIT;

	if (!base || mm_read(t->mm, &head, base, sizeof(head)) != (ssize_t)sizeof(head))
		return;
	pending = head.list_op_pending;
	entry = head.next;
	while ((entry & ~1ull) != base && limit--) {
		bool pi = entry & 1;
		uint64_t next;
		bool more;

		entry &= ~1ull;
		more = mm_read(t->mm, &next, entry, 8) == 8;
		/* the pending one is done last */
		if (entry != (pending & ~1ull) &&
		    !one_died(t, entry + (uint64_t)head.futex_offset, pi, false))
			return;
		if (!more)
			return;
		entry = next;
	}
	if (pending)
		one_died(t, (pending & ~1ull) + (uint64_t)head.futex_offset, pending & 1, true);
}

void futex_exit_robust(struct task *t)
{
	if (!t->mm)
		return;
	walk(t);
	t->robust_list_head = 0;
	futex_pi_owner_died(t);
}
