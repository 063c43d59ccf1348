/* Queues, masks, delivery and permission of signals, on tasks without a host thread. */
#include "tests/unit/kernel/harness.h"

#include <string.h>
#include "common/base/util.h"
#include "common/slot/slot.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/signal/internal.h"
#include "services/sysd/task/internal.h"

/* A thread group around the harness's task, with a host thread whose slot is plain memory. */
struct world {
	struct hprocess hp;
	struct hthread ht;
	struct signal *sig;
};

static void build(struct world *w, struct task *t)
{
	struct cred *c = calloc(1, sizeof(*c));

	memset(w, 0, sizeof(*w));
	w->hp.slots = calloc(1, SBX_SLOT_STRIDE);
	w->hp.refs = 1;
	w->ht.hp = &w->hp;
	w->ht.where = HT_KERNEL;
	w->ht.task = t;
	c->refs = 1;
	w->sig = signal_alloc();
	w->sig->leader = t;
	w->sig->live = 1;
	w->sig->pid = t->tid = 77;
	for (int i = 0; i < RLIM_NLIMITS; i++)
		w->sig->rlim[i] = (struct rlimit64){RLIM64_INFINITY, RLIM64_INFINITY};
	list_add(&w->sig->threads, &t->thread_node);
	list_init(&t->ptraced);
	t->signal = w->sig;
	t->sighand = sighand_new();
	t->cred = c;
	t->ucount = ucount_get(0);
	t->ht = &w->ht;
}

static void destroy(struct world *w, struct task *t)
{
	sigpending_flush(&t->pending);
	sigpending_flush(&w->sig->shared_pending);
	assert_int_equal(t->ucount->sigpending, 0);
	list_del(&t->thread_node);
	t->signal = NULL;
	signal_unref(w->sig);
	sighand_unref(t->sighand);
	cred_unref(t->cred);
	ucount_unref(t->ucount);
	free(w->hp.slots);
	t->ht = NULL;
}

static struct abi_siginfo queued(int signo, uint64_t value)
{
	return (struct abi_siginfo){.si_signo = signo, .si_code = ABI_SI_QUEUE, .rt.value = value};
}

static void set_handler(struct task *t, int signo, uint64_t handler, uint64_t flags)
{
	t->sighand->action[signo - 1] = (struct abi_sigaction){.handler = handler, .flags = flags};
}

static void order_(struct task *t, void *arg)
{
	struct world w;
	struct abi_siginfo i1 = queued(40, 1), i2 = queued(40, 2), i3 = queued(35, 3), got;

	build(&w, t);
	t->blocked = ~0ull & ~SIG_UNBLOCKABLE;
	assert_int_equal(signal_send_task(t, 40, &i1), 0);
	assert_int_equal(signal_send_group(w.sig, 40, &i2), 0);
	assert_int_equal(signal_send_group(w.sig, 35, &i3), 0);
	assert_int_equal(signal_send_task(t, SIGUSR1, NULL), 0);
	assert_int_equal(signal_send_task(t, SIGUSR1, NULL), 0);
	assert_false(signal_pending(t));
	assert_int_equal(hthread_slot(&w.ht)->sigpending, 1);
	assert_int_equal(signal_dequeue(t, ~0ull, &got), SIGUSR1);
	/* the thread's own queue comes before the group's */
	assert_int_equal(signal_dequeue(t, ~0ull, &got), 40);
	assert_int_equal(got.rt.value, 1);
	assert_int_equal(signal_dequeue(t, ~0ull, &got), 35);
	assert_int_equal(signal_dequeue(t, ~0ull, &got), 40);
	assert_int_equal(got.rt.value, 2);
	assert_int_equal(signal_dequeue(t, ~0ull, &got), 0);
	assert_int_equal(hthread_slot(&w.ht)->sigpending, 0);
	destroy(&w, t);
}

static void limit_(struct task *t, void *arg)
{
	struct world w;
	struct abi_siginfo i = queued(40, 1), got;

	build(&w, t);
	t->blocked = SIG_BIT(40) | SIG_BIT(SIGUSR1);
	w.sig->rlim[RLIMIT_SIGPENDING].rlim_cur = 2;
	assert_int_equal(signal_send_task(t, 40, &i), 0);
	assert_int_equal(signal_send_task(t, 40, &i), 0);
	assert_int_equal(signal_send_task(t, 40, &i), -EAGAIN);
	/* the kernel's own and kill(2) are sent nevertheless */
	assert_int_equal(signal_send_task(t, SIGUSR1, NULL), 0);
	assert_int_equal(signal_dequeue(t, SIG_BIT(SIGUSR1), &got), SIGUSR1);
	destroy(&w, t);
}

static void stop_cont_(struct task *t, void *arg)
{
	struct world w;

	build(&w, t);
	t->blocked = SIG_BIT(SIGTSTP) | SIG_BIT(SIGCONT);
	signal_send_task(t, SIGTSTP, NULL);
	assert_true(t->pending.set & SIG_BIT(SIGTSTP));
	signal_send_group(w.sig, SIGCONT, NULL);
	assert_false(t->pending.set & SIG_BIT(SIGTSTP));
	assert_true(w.sig->shared_pending.set & SIG_BIT(SIGCONT));
	signal_send_task(t, SIGTSTP, NULL);
	assert_false(w.sig->shared_pending.set & SIG_BIT(SIGCONT));
	destroy(&w, t);
}

static void stopped_(struct task *t, void *arg)
{
	struct world w;

	build(&w, t);
	w.sig->stopping = w.sig->stopped = true;
	t->state = TASK_STOPPED;
	signal_send_group(w.sig, SIGTERM, NULL);
	assert_false(w.sig->group_exit);
	assert_true(w.sig->shared_pending.set & SIG_BIT(SIGTERM));
	signal_send_group(w.sig, SIGKILL, NULL);
	assert_true(w.sig->group_exit);
	destroy(&w, t);
}

static void ignored_(struct task *t, void *arg)
{
	struct world w;

	build(&w, t);
	signal_send_task(t, SIGCHLD, NULL);
	set_handler(t, SIGUSR1, ABI_SIG_IGN, 0);
	signal_send_task(t, SIGUSR1, NULL);
	assert_int_equal(t->pending.set, 0);
	/* a blocked one waits: its action may change */
	t->blocked = SIG_BIT(SIGUSR1);
	signal_send_task(t, SIGUSR1, NULL);
	assert_int_equal(t->pending.set, SIG_BIT(SIGUSR1));
	sigpending_flush(&t->pending);
	/* pid 1 takes nothing it has no handler for, not even SIGKILL from inside */
	w.sig->unkillable = true;
	t->blocked = 0;
	{
		struct abi_siginfo user = {.si_code = ABI_SI_USER};

		signal_send_group(w.sig, SIGTERM, &user);
		signal_send_group(w.sig, SIGKILL, &user);
	}
	assert_int_equal(w.sig->shared_pending.set, 0);
	assert_false(w.sig->group_exit);
	signal_send_group(w.sig, SIGKILL, NULL);
	assert_true(w.sig->group_exit);
	assert_int_equal(w.sig->group_exit_code, SIGKILL);
	destroy(&w, t);
}

static void deliver_(struct task *t, void *arg)
{
	struct world w;
	struct sbx_sigframe_req req;
	int64_t ret = -ERESTARTSYS;

	build(&w, t);
	set_handler(t, SIGUSR1, 0x1000, ABI_SA_RESTART | ABI_SA_SIGINFO);
	t->sighand->action[SIGUSR1 - 1].mask = SIG_BIT(SIGTERM);
	w.ht.regs.rip = 0x4002;
	t->nr = 0;
	signal_send_task(t, SIGUSR1, NULL);
	assert_true(signal_pending(t));
	assert_true(signal_deliver(t, &ret, &req));
	assert_int_equal(req.handler, 0x1000);
	assert_int_equal(req.signo, SIGUSR1);
	assert_int_equal(req.old_mask, 0);
	assert_int_equal(req.new_mask, SIG_BIT(SIGUSR1) | SIG_BIT(SIGTERM));
	/* the call runs again after the handler */
	assert_int_equal(w.ht.regs.rip, 0x4000);
	assert_int_equal(w.ht.regs.rax, 0);
	assert_true(t->regs_replaced);
	assert_int_equal(hthread_slot(&w.ht)->sigmask, req.new_mask);

	/* without SA_RESTART: EINTR */
	signal_set_blocked(t, 0);
	t->regs_replaced = false;
	set_handler(t, SIGUSR1, 0x1000, ABI_SA_RESETHAND | ABI_SA_NODEFER);
	signal_send_task(t, SIGUSR1, NULL);
	ret = -ERESTARTSYS;
	assert_true(signal_deliver(t, &ret, &req));
	assert_int_equal(ret, -EINTR);
	assert_int_equal(req.new_mask, 0);
	assert_int_equal(t->sighand->action[SIGUSR1 - 1].handler, ABI_SIG_DFL);
	destroy(&w, t);
}

static void temp_mask_(struct task *t, void *arg)
{
	struct world w;
	struct sbx_sigframe_req req;
	int64_t ret = -ERESTARTNOHAND;

	build(&w, t);
	t->blocked = SIG_BIT(SIGUSR1);
	set_handler(t, SIGUSR1, 0x1000, 0);
	t->nr = 130;
	signal_set_temp_mask(t, 0);
	signal_send_task(t, SIGUSR1, NULL);
	assert_true(signal_deliver(t, &ret, &req));
	assert_int_equal(ret, -EINTR);
	assert_int_equal(req.old_mask, SIG_BIT(SIGUSR1));
	assert_false(t->restore_mask);
	/* nothing to deliver: the call is made again with the old mask */
	signal_set_blocked(t, SIG_BIT(SIGUSR2));
	signal_set_temp_mask(t, 0);
	ret = -ERESTARTNOHAND;
	w.ht.regs.rip = 0x102;
	t->regs_replaced = false;
	assert_false(signal_deliver(t, &ret, &req));
	assert_int_equal(t->blocked, SIG_BIT(SIGUSR2));
	assert_int_equal(w.ht.regs.rip, 0x100);
	destroy(&w, t);
}

static void altstack_(struct task *t, void *arg)
{
	struct world w;
	struct sbx_sigframe_req req;
	int64_t ret = 0;

	build(&w, t);
	t->altstack = (struct altstack){.sp = 0x10000, .size = 0x4000};
	set_handler(t, SIGUSR1, 0x1000, ABI_SA_ONSTACK);
	w.ht.regs.rsp = 0x7000000;
	signal_send_task(t, SIGUSR1, NULL);
	assert_true(signal_deliver(t, &ret, &req));
	assert_int_equal(req.sp, 0x14000);
	assert_int_equal(req.ss_sp, 0x10000);
	/* nested: it stays where it is */
	signal_set_blocked(t, 0);
	w.ht.regs.rsp = 0x13000;
	signal_send_task(t, SIGUSR1, NULL);
	assert_true(signal_deliver(t, &ret, &req));
	assert_int_equal(req.sp, 0);
	destroy(&w, t);
}

static void force_(struct task *t, void *arg)
{
	struct world w;
	struct abi_siginfo info = {.si_signo = SIGSEGV, .si_code = 1};

	build(&w, t);
	set_handler(t, SIGSEGV, 0x1000, 0);
	t->blocked = SIG_BIT(SIGSEGV);
	signal_force(t, SIGSEGV, &info);
	assert_int_equal(t->sighand->action[SIGSEGV - 1].handler, ABI_SIG_DFL);
	assert_false(t->blocked & SIG_BIT(SIGSEGV));
	assert_true(signal_pending(t));
	destroy(&w, t);
}

#define TEST(name)                          \
	static void name(void **state)      \
	{                                   \
		ktest_call(name##_, NULL);  \
	}
TEST(order)
TEST(limit)
TEST(stop_cont)
TEST(stopped)
TEST(ignored)
TEST(deliver)
TEST(temp_mask)
TEST(altstack)
TEST(force)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),   cmocka_unit_test(limit),	cmocka_unit_test(stop_cont),
		cmocka_unit_test(stopped), cmocka_unit_test(ignored), cmocka_unit_test(deliver),	cmocka_unit_test(temp_mask),
		cmocka_unit_test(altstack), cmocka_unit_test(force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
