/* The end of host threads. The last task of an address space lets memd kill the host process; a
 * thread that leaves others behind exits by itself, and its index is free for a new one once the host
 * kernel has cleared slot.host_tid. A thread that shall die but runs guest code is not waited for when
 * its whole address space dies with it; otherwise it is kicked, and after a second its process is
 * killed. */
#include <signal.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/poll.h"
#include "services/sysd/task/internal.h"

#define KICK_PATIENCE_NS NSEC_PER_SEC

struct retired {
	struct list node;
	struct hthread *ht;
};
static struct list retired = LIST_INIT(retired);

void host_threads_sweep(void)
{
	struct retired *r, *tmp;

	LIST_FOR_EACH_SAFE (r, tmp, &retired, node) {
		uint32_t tid = __atomic_load_n(&hthread_slot(r->ht)->host_tid, __ATOMIC_ACQUIRE);

		if (tid && !r->ht->hp->dead && r->ht->hp->mm)
			continue;
		list_del(&r->node);
		hthread_free(r->ht);
		free(r);
	}
}

static void retire(struct hthread *ht)
{
	struct retired *r = malloc(sizeof(*r));

	ht->task = NULL;
	if (!r)
		return; /* its index stays taken as long as the process lives */
	r->ht = ht;
	list_add_tail(&retired, &r->node);
}

/* CLONE_CHILD_CLEARTID: the word is cleared and one waiter woken, as the thread's last deed. */
static void clear_child_tid(struct task *t, bool alive)
{
	uint64_t addr = t->clear_child_tid;
	uint32_t zero = 0;
	struct sbx_hostop ops[2] = {
		{.kind = SBX_HOP_ZERO, .flags = SBX_HOP_STOP_ON_ERROR, .args = {addr, sizeof(zero)}},
		{.kind = SBX_HOP_FUTEX_WAKE, .args = {addr, 1}},
	};

	t->clear_child_tid = 0;
	if (!addr)
		return;
	if (!alive || hthread_run_ops(t, ops, 2) < 0)
		mm_write(t->mm, addr, &zero, sizeof(zero));
}

/* The task has done its last call: leaves its address space and its host thread. */
void host_thread_end(struct task *t)
{
	struct hthread *ht = t->ht;
	struct mm *mm = t->mm;
	bool own = ht && ht->task == t;
	bool alive = own && ht->where == HT_KERNEL && !ht->hp->dead;

	hthread_refresh(t);
	if (mm && mm->refs > 1 && !mm->hp->dead) {
		if (futex_exit_robust)
			futex_exit_robust(t);
		clear_child_tid(t, alive);
		alive = alive && ht->where == HT_KERNEL && !ht->hp->dead;
	} else if (mm && futex_exit_robust && t->robust_list_head && !mm->hp->dead) {
		/* robust mutexes may stand in shared memory */
		futex_exit_robust(t);
		alive = alive && ht->where == HT_KERNEL && !ht->hp->dead;
	}
	if (t->vfork_parent)
		vfork_release(t);
	ht = t->ht; /* NULL when it was the parent's */
	own = ht && ht->task == t;
	if (own && mm && mm->refs > 1) {
		if (alive)
			hthread_reply_exit(t, false);
		retire(ht);
	} else if (own) {
		ht->task = NULL;
		/* Its last word takes its process along: it need not be killed. */
		if (alive && mm)
			hthread_reply_exit(t, true);
		hthread_free(ht);
	}
	t->ht = NULL;
	t->mm = NULL;
	mm_unref(mm);
	host_threads_sweep();
}

void host_thread_discard(struct task *t)
{
	struct hthread *ht = t->ht;

	t->ht = NULL;
	if (!ht)
		return;
	if (ht->where == HT_KERNEL && !ht->hp->dead) {
		struct task only = {.ht = ht};

		hthread_reply_exit(&only, false);
	}
	retire(ht);
}

static void forsake(struct hthread *ht)
{
	poll_remove(ht);
	ht->where = HT_GONE;
	if (ht->waiter)
		sched_wake(ht->waiter);
}

/* Does everybody who uses the address space belong to this group? */
static bool owns_mm(const struct signal *sig, const struct mm *mm)
{
	struct task *t;
	unsigned users = 0;

	LIST_FOR_EACH (t, &sig->threads, thread_node)
		users += t->mm == mm;
	return users == mm->refs;
}

/* Is it the host thread's turn to say something? */
static bool may_be_silent(const struct hthread *ht)
{
	return ht->where == HT_USER || ht->where == HT_NEW;
}

static void patience_ended(struct ktimer *kt)
{
	struct signal *sig = CONTAINER_OF(kt, struct signal, kill_timer);
	struct task *t;

	LIST_FOR_EACH (t, &sig->threads, thread_node) {
		struct hthread *ht = t->ht;

		if (t->exiting || !ht || ht->task != t || !may_be_silent(ht))
			continue;
		/* Others who share the process go with it: it belongs to hostile code. */
		if (!owns_mm(sig, t->mm)) {
			log_warn("a thread of process %u does not answer: killing its host process", sig->pid);
			syscall(SYS_tgkill, ht->hp->host_pid, ht->hp->host_pid, SIGKILL);
		}
		forsake(ht);
	}
}

void host_thread_kill(struct task *t)
{
	struct hthread *ht = t->ht;
	struct signal *sig = t->signal;

	signal_wake_task(t, true);
	if (!ht || ht->task != t || !may_be_silent(ht))
		return;
	if (t->nr < 0 && !t->vfork_parent && t->mm && owns_mm(sig, t->mm)) {
		forsake(ht);
		return;
	}
	if (sig->kill_timer.heap_index < 0) {
		ktimer_init(&sig->kill_timer, patience_ended);
		ktimer_start(&sig->kill_timer, clock_mono_ns() + KICK_PATIENCE_NS);
	}
}
