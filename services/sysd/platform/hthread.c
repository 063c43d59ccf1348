/* Host processes and threads; see hthread.h. This file has their life and the exchange over a slot;
 * poll.c has the executor's side: which slots are watched and when the executor sleeps. */
#include "services/sysd/platform/hthread.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "common/slot/stub.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/platform/poll.h"
#include "services/sysd/platform/slots.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

static struct list processes = LIST_INIT(processes), byes = LIST_INIT(byes);

#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

int hprocess_new(pid_t host_pid, uint64_t id, struct slots *set, struct hprocess **ret_hp)
{
	struct hprocess *hp = calloc(1, sizeof(*hp));

	if (!hp)
		return -ENOMEM;
	hp->refs = 1;
	hp->host_pid = host_pid;
	hp->id = id;
	hp->set = set;
	hp->slots = slots_memory(set);
	list_init(&hp->threads);
	list_init(&hp->end_node);
	list_init(&hp->bye_node);
	list_add_tail(&processes, &hp->all_node);
	*ret_hp = hp;
	return 0;
}

struct hprocess *hprocess_ref(struct hprocess *hp)
{
	hp->refs++;
	return hp;
}

void hprocess_unref(struct hprocess *hp)
{
	if (!hp || --hp->refs)
		return;
	list_del(&hp->all_node);
	list_del(&hp->end_node);
	slots_put(hp->set, hp->slots_free, hp->first_index, hp->slots_size);
	free(hp);
}

struct hprocess *hprocess_find(uint64_t id)
{
	struct hprocess *hp;

	LIST_FOR_EACH(hp, &processes, all_node)
		if (hp->id == id)
			return hp;
	return NULL;
}

static void wake_waiter(struct hthread *ht)
{
	if (ht->waiter)
		sched_wake(ht->waiter);
}

void hprocess_mark_dead(struct hprocess *hp)
{
	struct hthread *ht;

	hp->dead = true;
	LIST_FOR_EACH(ht, &hp->threads, node) {
		poll_remove(ht);
		ht->where = HT_GONE;
		wake_waiter(ht);
	}
}

int hthread_new_at(struct hprocess *hp, uint32_t index, struct hthread **ret_ht)
{
	struct hthread *ht;

	if (index >= SBX_THREADS_MAX || hp->slot_used[index / 64] & 1ull << index % 64)
		return -EAGAIN;
	ht = calloc(1, sizeof(*ht));
	if (!ht)
		return -ENOMEM;
	ht->hp = hprocess_ref(hp);
	ht->index = index;
	if (list_empty(&hp->threads))
		hp->first_index = index;
	ht->where = HT_NEW;
	hp->slot_used[index / 64] |= 1ull << index % 64;
	list_init(&ht->poll_node);
	list_add_tail(&hp->threads, &ht->node);
	poll_add(ht);
	*ret_ht = ht;
	return 0;
}

int hthread_new(struct hprocess *hp, struct hthread **ret_ht)
{
	for (uint32_t w = 0; w < ARRAY_SIZE(hp->slot_used); w++) {
		uint32_t index;
		int ret;

		if (hp->slot_used[w] == UINT64_MAX)
			continue;
		for (index = w * 64; index < (w + 1) * 64; index++) {
			struct sbx_slot *s = (struct sbx_slot *)((char *)hp->slots + index * SBX_SLOT_STRIDE);

			/* The host zeroes host_tid when a thread is gone for good; before that its end
			 * would still write to the new thread's slot and stack. */
			if (!(hp->slot_used[w] & 1ull << index % 64) &&
			    !__atomic_load_n(&s->host_tid, __ATOMIC_ACQUIRE))
				break;
		}
		if (index == (w + 1) * 64)
			continue;
		memset((char *)hp->slots + index * SBX_SLOT_STRIDE, 0, sizeof(struct sbx_slot));
		ret = hthread_new_at(hp, index, ret_ht);
		return ret;
	}
	return -EAGAIN;
}

int hthread_new_forked(struct hprocess *hp, const struct hthread *parent, uint32_t cookie, struct hthread **ret_ht)
{
	struct hthread *ht;
	int ret = hthread_new_at(hp, parent->index, &ht);

	if (ret)
		return ret;
	poll_remove(ht);
	ht->unmet = true;
	ht->cookie = cookie;
	/* They share a CPU to begin with, and pollers are not to wait for it on another. */
	hthread_slot(ht)->guest_cpu = hthread_slot(parent)->guest_cpu;
	*ret_ht = ht;
	return 0;
}

void hprocess_met(struct hprocess *hp)
{
	struct hthread *ht;

	LIST_FOR_EACH(ht, &hp->threads, node) {
		ht->unmet = false;
		ht->host_tid = hp->host_pid;
		if (ht->kick_due) {
			ht->kick_due = false;
			hthread_kick(ht);
		}
	}
}

void hthread_free(struct hthread *ht)
{
	if (!ht)
		return;
	poll_remove(ht);
	list_del(&ht->node);
	ht->hp->slot_used[ht->index / 64] &= ~(1ull << ht->index % 64);
	hprocess_unref(ht->hp);
	free(ht);
}

void hthread_publish_ids(struct task *t)
{
	struct sbx_slot *s;

	if (!t->ht || t->ht->task != t)
		return;
	s = hthread_slot(t->ht);
	s->tid = t->tid;
	if (t->signal) {
		s->pid = t->signal->pid;
		s->ppid = t->signal->parent ? t->signal->parent->pid : 0;
	}
	if (t->cred) {
		s->uid = t->cred->uid;
		s->euid = t->cred->euid;
		s->gid = t->cred->gid;
		s->egid = t->cred->egid;
	}
}

void hthread_refresh(struct task *t)
{
	if (!t->ht || t->ht->task != t)
		return;
	t->robust_list_head = hthread_slot(t->ht)->robust_list;
	t->clear_child_tid = hthread_slot(t->ht)->clear_tid;
}

void hthread_publish_exit(struct task *t)
{
	if (!t->ht || t->ht->task != t)
		return;
	hthread_slot(t->ht)->robust_list = t->robust_list_head;
	hthread_slot(t->ht)->clear_tid = t->clear_child_tid;
}

void hthread_bind(struct hthread *ht, struct task *t)
{
	struct sbx_slot *s = hthread_slot(ht);

	ht->task = t;
	if (!t)
		return;
	t->ht = ht;
	s->sigmask = t->blocked;
	s->trace = strace_enabled || t->ptrace || (t->seccomp_mode && task_seccomp_sees_all(t));
	hthread_publish_ids(t);
	hthread_publish_exit(t);
}

/* It has left guest code, and its strand can take the request. */
static void arrived(struct hthread *ht)
{
	ht->where = HT_KERNEL;
	ht->request_ready = true;
	poll_remove(ht);
	wake_waiter(ht);
}

/* The first reply of a forked child, as long as the child has not come for it. It is as if the kick had caught it at
 * its first instruction; what the reply was to write goes with the next. */
static bool take_back(struct hthread *ht)
{
	uint32_t reply = SBX_SLOT_REPLY;

	if (ht->last_act != SBX_ACT_RESUME ||
	    !__atomic_compare_exchange_n(&hthread_slot(ht)->state, &reply, SBX_SLOT_IDLE, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return false;
	ht->req = SBX_REQ_KICKED;
	ht->regs.orig_rax = (uint64_t)-1;
	ht->sigmask = ht->task ? ht->task->blocked : 0;
	ht->in_count = 0;
	ht->taken_back = true;
	arrived(ht);
	return true;
}

void hthread_kick(struct hthread *ht)
{
	if (ht->where != HT_USER || ht->kick_sent || ht->hp->dead)
		return;
	if (unlikely(ht->unmet)) {
		ht->kick_due = !take_back(ht);
		return;
	}
	if (ht->host_tid <= 0)
		return;
	ht->kick_sent = true;
	syscall(SYS_tgkill, ht->hp->host_pid, ht->host_tid, SBX_SIGKICK);
}

/* Reads the request out of the slot, once. Called by the poller with state == REQUEST. */
void hthread_take_request(struct hthread *ht)
{
	struct sbx_slot *s = hthread_slot(ht);
	uint32_t count = s->in_count, off = s->in_off;

	ht->req = s->req;
	ht->nr = s->nr;
	memcpy(ht->args, s->args, sizeof(ht->args));
	if (ht->req == SBX_REQ_HELLO) {
		/* Its registers are what its task is to start with. */
		ht->host_tid = (pid_t)s->host_tid;
		ht->in_count = ht->out_count = ht->out_off = 0;
	} else if (ht->req != SBX_REQ_HOSTOPS_DONE) {
		memcpy(&ht->regs, &s->regs, sizeof(ht->regs));
		ht->sigmask = s->sigmask;
		ht->in_count = 0;
		for (uint32_t i = 0; i < count && i < SBX_SEGS_MAX; i++) {
			struct sbx_seg seg = s->in[i];

			__asm__ volatile("" ::: "memory"); /* what is checked is what is kept: not read again */
			if (seg.off > SBX_SLOT_WINDOW || seg.size > SBX_SLOT_WINDOW - seg.off)
				continue;
			ht->in[ht->in_count++] = seg;
		}
		ht->out_count = 0;
		ht->out_off = MIN(ALIGN_UP(off & 0xfffff, 16u), (uint32_t)SBX_SLOT_WINDOW);
		if (ht->req == SBX_REQ_FAULT) {
			ht->fault_signo = s->fault_signo;
			ht->fault_code = s->fault_code;
			ht->fault_addr = s->fault_addr;
			ht->fault_err = s->fault_err;
			ht->fault_trapno = s->fault_trapno;
		}
	}
	ht->kick_sent = ht->kick_due = ht->taken_back = false;
	ht->stat_requests++;
	arrived(ht);
}

static int wait_request(struct hthread *ht, uint64_t deadline_ns)
{
	struct waitq q;
	int ret = 0;

	waitq_init(&q);
	while (!ht->request_ready) {
		struct waiter w;

		if (ht->hp->dead || ht->where == HT_GONE)
			return -ESRCH;
		ht->waiter = sched_current();
		if (deadline_ns == KTIMER_NEVER) {
			sched_park();
		} else {
			wait_prepare(&w, &q, 0);
			ret = wait_sleep(&w, 0, deadline_ns);
			wait_finish(&w);
		}
		ht->waiter = NULL;
		if (ret < 0 && !ht->request_ready)
			return ret;
	}
	ht->request_ready = false;
	return (int)ht->req;
}

int hthread_next_request(struct task *t)
{
	struct hthread *ht = t->ht;
	int req = wait_request(ht, KTIMER_NEVER);

	if (req < 0)
		return req;
	t->blocked = ht->sigmask & ~UNBLOCKABLE;
	hthread_refresh(t);
	if (req == SBX_REQ_SYSCALL) {
		t->nr = (int64_t)ht->nr;
		memcpy(t->args, ht->args, sizeof(t->args));
	}
	return req;
}

/* Publishes a reply that stands in the slot. True: the guest side went to sleep and is to be woken. */
static bool publish_only(struct hthread *ht, enum sbx_act act)
{
	struct sbx_slot *s = hthread_slot(ht);

	s->act = ht->last_act = act;
	ht->where = HT_USER;
	poll_add(ht);
	__atomic_store_n(&s->state, SBX_SLOT_REPLY, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&s->guest_waits, __ATOMIC_SEQ_CST);
}

static void wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void publish(struct hthread *ht, enum sbx_act act)
{
	if (publish_only(ht, act))
		wake(&hthread_slot(ht)->state);
}

static void put_out_segments(struct hthread *ht)
{
	struct sbx_slot *s = hthread_slot(ht);

	s->out_count = ht->out_count;
	if (ht->out_count)
		memcpy(s->out, ht->out, ht->out_count * sizeof(ht->out[0]));
}

void hthread_reply_return(struct task *t, int64_t ret)
{
	hthread_slot(t->ht)->ret = ret;
	put_out_segments(t->ht);
	publish(t->ht, SBX_ACT_RETURN);
}

void hthread_reply_resume(struct task *t)
{
	memcpy(&hthread_slot(t->ht)->regs, &t->ht->regs, sizeof(t->ht->regs));
	put_out_segments(t->ht);
	publish(t->ht, SBX_ACT_RESUME);
}

void hthread_reply_signal(struct task *t, int64_t ret, bool has_ret, const struct sbx_sigframe_req *req)
{
	struct sbx_slot *s = hthread_slot(t->ht);

	memcpy(&s->regs, &t->ht->regs, sizeof(s->regs));
	s->sig = *req;
	s->sig.has_ret = has_ret;
	s->ret = ret;
	put_out_segments(t->ht);
	publish(t->ht, SBX_ACT_SIGNAL);
}

struct sbx_hostop hthread_clone_op(const struct hthread *child, uint32_t flags)
{
	return (struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS,
				   .flags = flags,
				   .args = {child->cookie, 1, SBX_FD_SET(slots_id(child->hp->set))}};
}

void hthread_reply_fork(struct task *t, const struct hthread *child, int64_t ret)
{
	struct sbx_slot *s = hthread_slot(t->ht);

	s->ops[0] = hthread_clone_op(child, SBX_HOP_RETURN);
	s->op_count = 1;
	s->ret = ret;
	put_out_segments(t->ht);
	publish(t->ht, SBX_ACT_HOSTOPS);
}

int64_t hthread_op_ret(const struct hthread *ht)
{
	return __atomic_load_n(&hthread_slot(ht)->ops[0].ret, __ATOMIC_RELAXED);
}

void hthread_reply_exit(struct task *t, bool group)
{
	hthread_slot(t->ht)->out_count = 0;
	if (!group) {
		publish(t->ht, SBX_ACT_EXIT_THREAD);
	} else {
		struct hprocess *hp = t->ht->hp;

		hp->leaving = true;
		if (publish_only(t->ht, SBX_ACT_EXIT_GROUP) && list_empty(&hp->bye_node)) {
			hp->bye_word = &hthread_slot(t->ht)->state;
			list_add_tail(&byes, &hprocess_ref(hp)->bye_node);
		}
	}
	poll_remove(t->ht);
	t->ht->where = HT_GONE;
}

/* How long a host thread may take to carry out ops. A live task can be killed while it waits; one that exits
 * cannot, nor one that waits for another's host thread (ptrace), and its runtime may be in hostile hands. */
#define EXIT_PATIENCE_NS NSEC_PER_SEC
#define POKE_PATIENCE_NS (10 * NSEC_PER_SEC)

static uint64_t ops_deadline(const struct hthread *ht)
{
	const struct task *t = ht->task;

	if (!t || (!t->exiting && !t->poked))
		return KTIMER_NEVER;
	return clock_mono_ns() + (t->exiting ? EXIT_PATIENCE_NS : POKE_PATIENCE_NS);
}

void hthread_say_byes(void)
{
	while (!list_empty(&byes)) {
		struct hprocess *hp = LIST_FIRST(&byes, struct hprocess, bye_node);

		list_del(&hp->bye_node);
		wake(hp->bye_word);
		hprocess_unref(hp);
	}
}

static int run_batch(struct hthread *ht, struct sbx_hostop *ops, unsigned count)
{
	struct sbx_slot *s = hthread_slot(ht);
	int ret;

	memcpy(s->ops, ops, count * sizeof(*ops));
	s->op_count = count;
	publish(ht, SBX_ACT_HOSTOPS);
	ret = wait_request(ht, ops_deadline(ht));
	if (ret < 0) {
		poll_remove(ht);
		ht->where = HT_GONE;
		return -ESRCH;
	}
	if (ret != SBX_REQ_HOSTOPS_DONE)
		return -ESRCH; /* the runtime was tampered with; the caller ends the task */
	for (unsigned i = 0; i < count; i++)
		ops[i].ret = s->ops[i].ret;
	return 0;
}

int hthread_run_ops_on(struct hthread *ht, struct sbx_hostop *ops, unsigned count)
{
	for (unsigned i = 0; i < count; i += SBX_HOPS_MAX) {
		int ret;

		if (ht->hp->dead || ht->where != HT_KERNEL)
			return -ESRCH;
		ret = run_batch(ht, ops + i, MIN(count - i, (unsigned)SBX_HOPS_MAX));
		if (ret < 0)
			return ret;
		for (unsigned k = i; k < count && k < i + SBX_HOPS_MAX; k++) {
			if (ops[k].ret < 0 && ops[k].ret > -4096 && ops[k].flags & SBX_HOP_STOP_ON_ERROR) {
				for (unsigned rest = i + SBX_HOPS_MAX; rest < count; rest++)
					ops[rest].ret = -ECANCELED;
				return 0;
			}
		}
	}
	return 0;
}

int hthread_run_ops(struct task *t, struct sbx_hostop *ops, unsigned count)
{
	return hthread_run_ops_on(t->ht, ops, count);
}

int64_t hthread_syscall(struct task *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
			uint64_t a4, uint64_t a5)
{
	struct sbx_hostop op = {.kind = SBX_HOP_SYSCALL, .nr = (uint64_t)nr, .args = {a0, a1, a2, a3, a4, a5}};
	int ret = hthread_run_ops(t, &op, 1);

	return ret < 0 ? ret : op.ret;
}

int hthread_wait_hello(struct hthread *ht)
{
	int req = wait_request(ht, clock_mono_ns() + 10 * NSEC_PER_SEC);

	if (req < 0)
		return req;
	return req == SBX_REQ_HELLO ? 0 : -ESRCH;
}

int hthread_first_hello(struct hthread *ht)
{
	int req;

	ht->hello_due = false;
	req = wait_request(ht, KTIMER_NEVER);
	return req == SBX_REQ_HELLO ? 0 : -ESRCH;
}

void *hthread_window_alloc(struct hthread *ht, uint32_t size, uint32_t *ret_off)
{
	uint32_t off = ht->out_off;

	if (size > SBX_SLOT_WINDOW - off)
		return NULL;
	ht->out_off = MIN(ALIGN_UP(off + size, 16u), (uint32_t)SBX_SLOT_WINDOW);
	*ret_off = off;
	return hthread_window(ht) + off;
}

void hthread_announce_sleep(struct hthread *ht)
{
	if (ht && ht->where == HT_KERNEL)
		__atomic_store_n(&hthread_slot(ht)->state, SBX_SLOT_SLEEPING, __ATOMIC_RELEASE);
}
