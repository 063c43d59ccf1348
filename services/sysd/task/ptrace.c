/* Tracing: links between tracer and tracee, the stops, and how wait(2) sees them (ptrace(2)). */
#include <linux/capability.h>
#include "services/sysd/abi/clone.h"
#include "services/sysd/abi/wait.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/ptrace_internal.h"
#include "services/sysd/task/waiting.h"

#define EVENT_CODE(event) (SIGTRAP | (event) << 8)
#define EFLAGS_TF 0x100u

uint32_t ptrace_tracer_tid(const struct task *t)
{
	return t->ptrace ? t->ptrace->tracer->tid : 0;
}

bool ptrace_tracer_capable(const struct task *t)
{
	return capable(t->ptrace->tracer, CAP_SYS_PTRACE);
}

int ptrace_link(struct task *tracee, struct task *tracer, bool seized, uint32_t options)
{
	struct ptrace *p;

	if (tracee->ptrace)
		return -EPERM;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->tracee = tracee;
	p->tracer = tracer;
	p->seized = seized;
	p->options = options;
	list_add_tail(&tracer->ptraced, &p->tracer_node);
	tracee->ptrace = p;
	/* every call of it comes here from now on */
	if (tracee->ht && tracee->ht->task == tracee)
		hthread_slot(tracee->ht)->trace = 1;
	return 0;
}

void ptrace_unlink(struct task *t)
{
	ptrace_unlink_with(t, 0);
}

void ptrace_resume_listening(struct task *t)
{
	t->ptrace->listening = false;
	t->ptrace->interrupt = true;
	t->ptrace->stopped = false;
	sched_wake(&t->strand);
}

void ptrace_group_continued(struct task *t)
{
	struct ptrace *p = t->ptrace;

	if (!p->seized)
		return;
	/* its tracer hears of it now, or when it lets go of the present stop */
	p->notify = p->stopped;
	if (p->listening)
		ptrace_resume_listening(t);
}

void ptrace_unlink_with(struct task *t, int signo)
{
	struct ptrace *p = t->ptrace;

	if (!p)
		return;
	t->detach_signal = signo;
	/* a stop of the group holds for it again */
	t->stop_taken = false;
	t->ptrace = NULL;
	list_del(&p->tracer_node);
	if (t->ht && t->ht->task == t)
		hthread_slot(t->ht)->trace = strace_enabled || (t->seccomp_mode && task_seccomp_sees_all(t));
	if (p->single_step && t->ht && t->ht->task == t)
		t->ht->regs.eflags &= ~(uint64_t)EFLAGS_TF;
	free(p);
	if (t->strand.state == STRAND_PARKED)
		sched_wake(&t->strand);
}

void ptrace_tracer_exit(struct task *tracer)
{
	while (!list_empty(&tracer->ptraced)) {
		struct ptrace *p = LIST_FIRST(&tracer->ptraced, struct ptrace, tracer_node);
		struct task *t = p->tracee;
		bool kill = p->options & ABI_PTRACE_O_EXITKILL;

		ptrace_unlink(t);
		if (t->state == TASK_ZOMBIE) {
			ptrace_zombie_freed(t);
			continue;
		}
		if (kill)
			signal_group_exit(t->signal, SIGKILL);
	}
}

static void tell_tracer(struct task *t, int code, int status)
{
	struct signal *to = t->ptrace->tracer->signal;
	struct abi_siginfo info = {.si_signo = SIGCHLD, .si_code = code};

	info.chld.pid = (int32_t)t->tid;
	info.chld.uid = t->cred->uid;
	info.chld.status = status;
	if (to->leader) {
		const struct abi_sigaction *act = sig_action(to->leader, SIGCHLD);

		if (act->handler != ABI_SIG_IGN && !(act->flags & ABI_SA_NOCLDSTOP))
			signal_send_group(to, SIGCHLD, &info);
	}
	waitq_wake_all(&to->child_wait);
}

static bool must_die(const struct task *t)
{
	const struct signal *sig = t->signal;

	if (t->ptrace && t->ptrace->exit_stop)
		return sig->killed || t->dethreaded || (sig->group_exit && sig->group_exit_code == SIGKILL);
	return signal_fatal_pending(t);
}

int ptrace_stop(struct task *t, int32_t code, const struct abi_siginfo *info)
{
	struct ptrace *p = t->ptrace;
	int signo;

	if (must_die(t))
		return 0;
	p->stopped = true;
	p->reported = false;
	p->listening = false;
	p->stop_code = code;
	p->inject = 0;
	p->regs_set = false;
	p->has_info = info != NULL;
	if (info)
		p->info = *info;
	t->state = TASK_TRACED;
	tell_tracer(t, ABI_CLD_TRAPPED, code);
	jobctl_check_stopped(t->signal, t);
	/* unlinked: the tracer detached or died */
	while (t->ptrace && t->ptrace->stopped && !must_die(t))
		sched_park();
	while (t->poked) /* killed: that ends the poking, too */
		sched_park();
	t->state = TASK_RUNNING;
	p = t->ptrace;
	if (!p)
		return t->detach_signal;
	p->stopped = false;
	p->in_syscall_stop = p->in_seccomp_stop = false;
	signo = p->inject;
	if (t->ht && t->ht->task == t) {
		t->ht->in_count = 0; /* the tracer may have changed what the window holds */
		if (p->single_step)
			t->ht->regs.eflags |= EFLAGS_TF;
		else
			t->ht->regs.eflags &= ~(uint64_t)EFLAGS_TF;
	}
	signal_recalc(t);
	return signo;
}

void ptrace_resume(struct task *tracee, int signo)
{
	struct ptrace *p = tracee->ptrace;

	p->inject = signo;
	p->stopped = false;
	p->interrupt = p->notify;
	sched_wake(&tracee->strand);
}

static void event_stop(struct task *t, int event, uint64_t message)
{
	struct abi_siginfo info = {.si_signo = SIGTRAP, .si_code = EVENT_CODE(event)};

	t->ptrace->message = message;
	info.rt.pid = (int32_t)t->signal->pid;
	info.rt.uid = t->cred->uid;
	ptrace_stop(t, EVENT_CODE(event), &info);
}

/* ---- stops on the way in and out of a call ------------------------------------------------------ */

static void syscall_stop(struct task *t, bool entry)
{
	struct ptrace *p = t->ptrace;
	int code = SIGTRAP | (p->options & ABI_PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
	struct abi_siginfo info = {.si_signo = SIGTRAP, .si_code = code};
	int signo;

	info.rt.pid = (int32_t)t->signal->pid;
	info.rt.uid = t->cred->uid;
	p->in_syscall_stop = true;
	p->in_syscall_entry = entry;
	p->message = entry ? 1 : 2;
	signo = ptrace_stop(t, code, &info);
	/* a signal given here is sent as if by the tracer's kill(2) */
	if (signo && signo != code && t->ptrace)
		signal_send_task(t, signo, NULL);
}

/* The registers say which call it is: the tracer may have changed it. False: it is to be skipped, with
 * the result in rax. */
static bool call_from_regs(struct task *t)
{
	const struct sbx_regs *r = &t->ht->regs;

	t->args[0] = r->rdi;
	t->args[1] = r->rsi;
	t->args[2] = r->rdx;
	t->args[3] = r->r10;
	t->args[4] = r->r8;
	t->args[5] = r->r9;
	if ((int32_t)r->orig_rax < 0)
		return false;
	t->nr = (int64_t)(uint32_t)r->orig_rax;
	return true;
}

/* Before a call; false: it is not to run and *ret is its result. */
bool ptrace_syscall_enter(struct task *t, int64_t *ret)
{
	struct sbx_regs *r = &t->ht->regs;

	r->orig_rax = (uint64_t)t->nr;
	if (!t->ptrace->trace_syscalls)
		return true;
	r->rax = (uint64_t)-ENOSYS;
	syscall_stop(t, true);
	if (signal_fatal_pending(t) || !t->ht)
		return true;
	if (call_from_regs(t))
		return true;
	*ret = (int64_t)r->rax;
	t->nr = 0; /* still in a call, one that has its result */
	return false;
}

void ptrace_syscall_exit(struct task *t, int64_t *ret)
{
	struct ptrace *p = t->ptrace;

	if (t->exec_event) {
		t->exec_event = false;
		if (p->options & ABI_PTRACE_O_TRACEEXEC)
			event_stop(t, ABI_PTRACE_EVENT_EXEC, t->exec_old_tid);
		else if (!p->seized)
			signal_send_task(t, SIGTRAP, NULL);
		p = t->ptrace;
		if (!p)
			return;
	}
	if (!p->trace_syscalls && !p->single_step)
		return;
	if (!t->regs_replaced)
		t->ht->regs.rax = (uint64_t)*ret;
	if (p->trace_syscalls) {
		syscall_stop(t, false);
	} else {
		struct abi_siginfo info = {.si_signo = SIGTRAP, .si_code = ABI_TRAP_TRACE};

		info.fault.addr = t->ht->regs.rip;
		signal_force(t, SIGTRAP, &info);
	}
	if (t->ptrace && t->ht)
		ptrace_take_regs(t, ret);
}

/* Before the way out looks at signals: the registers a tracer would see. */
void ptrace_put_regs(struct task *t, int64_t ret)
{
	if (t->ht && t->nr >= 0 && !t->regs_replaced)
		t->ht->regs.rax = (uint64_t)ret;
}

/* After a stop: what the tracer wrote holds. */
void ptrace_take_regs(struct task *t, int64_t *ret)
{
	struct ptrace *p = t->ptrace;

	if (!p->regs_set)
		return;
	p->regs_set = false;
	p->reply_regs = true;
	if (t->nr < 0 || t->regs_replaced)
		return;
	if ((int64_t)t->ht->regs.orig_rax < 0)
		t->regs_replaced = true; /* gdb: no restart of the call */
	else
		*ret = (int64_t)t->ht->regs.rax;
}

bool ptrace_wants_all_regs(struct task *t)
{
	struct ptrace *p = t->ptrace;
	bool all = p->reply_regs || p->single_step;

	p->reply_regs = false;
	if (p->single_step && t->ht)
		t->ht->regs.eflags |= EFLAGS_TF;
	return all;
}

bool ptrace_event_seccomp(struct task *t, uint32_t data, int64_t *ret)
{
	struct ptrace *p = t->ptrace;

	if (!(p->options & ABI_PTRACE_O_TRACESECCOMP))
		return false;
	t->ht->regs.orig_rax = (uint64_t)t->nr;
	t->ht->regs.rax = (uint64_t)-ENOSYS;
	p->in_seccomp_stop = true;
	event_stop(t, ABI_PTRACE_EVENT_SECCOMP, data);
	if (signal_fatal_pending(t) || !t->ht)
		return false;
	if (call_from_regs(t))
		return true;
	*ret = (int64_t)t->ht->regs.rax;
	return false;
}

/* ---- signals ----------------------------------------------------------------------------------- */

bool ptrace_has_work(const struct task *t)
{
	/* once it has reported a stop of the group, its tracer decides when it runs */
	return !t->ptrace->stopped && (t->ptrace->interrupt || (t->signal->stopping && !t->stop_taken));
}

/* PTRACE_INTERRUPT, and group stops of traced tasks. */
void ptrace_stops(struct task *t, int64_t *ret)
{
	struct ptrace *p = t->ptrace;

	while (p && ptrace_has_work(t) && !signal_fatal_pending(t)) {
		bool group = t->signal->stopping;
		int signo = group ? t->signal->stop_signo : SIGTRAP;
		struct abi_siginfo info = {.si_signo = signo};

		p->interrupt = p->notify = false;
		t->stop_taken = group;
		if (p->seized) {
			info.si_code = ABI_PTRACE_EVENT_STOP << 8 | signo;
			ptrace_stop(t, ABI_PTRACE_EVENT_STOP << 8 | signo, &info);
		} else {
			ptrace_stop(t, signo, NULL);
		}
		p = t->ptrace;
		if (p)
			ptrace_take_regs(t, ret);
	}
}

int ptrace_signal(struct task *t, int signo, struct abi_siginfo *info, int64_t *ret)
{
	int given;

	given = ptrace_stop(t, signo, info);
	if (signal_fatal_pending(t) || !t->ptrace)
		return given;
	ptrace_take_regs(t, ret);
	if (!given)
		return 0;
	if (given != signo) {
		/* another signal: as the tracer's kill(2) */
		siginfo_user(info, t->ptrace->tracer, given, ABI_SI_USER);
	} else if (t->ptrace->has_info) {
		*info = t->ptrace->info;
	}
	if (SIG_BIT(given) & t->blocked) {
		signal_send_task(t, given, info);
		return 0;
	}
	return given;
}

/* ---- events of a task's life -------------------------------------------------------------------- */

/* The child exists and has not started: it may be traced from its first instruction. */
void ptrace_child_born(struct task *t, struct task *child, uint64_t flags)
{
	struct ptrace *p = t->ptrace;
	int event = ABI_PTRACE_EVENT_FORK;
	uint32_t wanted = ABI_PTRACE_O_TRACEFORK;

	if (flags & ABI_CLONE_VFORK) {
		event = ABI_PTRACE_EVENT_VFORK;
		wanted = ABI_PTRACE_O_TRACEVFORK;
	} else if (child->exit_signal != SIGCHLD || flags & ABI_CLONE_THREAD) {
		event = ABI_PTRACE_EVENT_CLONE;
		wanted = ABI_PTRACE_O_TRACECLONE;
	}
	t->ptrace->clone_event = 0;
	if (flags & ABI_CLONE_UNTRACED)
		return;
	if (p->options & wanted)
		t->ptrace->clone_event = event;
	if ((p->options & wanted || flags & ABI_CLONE_PTRACE) &&
	    ptrace_link(child, p->tracer, p->seized, p->options) == 0) {
		child->ptrace->attach_stop = true;
		if (!p->seized) {
			struct abi_siginfo info = {.si_signo = SIGSTOP};

			signal_queue(child, NULL, SIGSTOP, &info);
		}
	}
}

/* After the child runs. */
void ptrace_event_clone(struct task *t, uint32_t child_tid)
{
	int event = t->ptrace->clone_event;

	t->ptrace->clone_event = 0;
	if (event)
		event_stop(t, event, child_tid);
}

void ptrace_event_vfork_done(struct task *t, uint32_t pid)
{
	if (t->ptrace->options & ABI_PTRACE_O_TRACEVFORKDONE)
		event_stop(t, ABI_PTRACE_EVENT_VFORK_DONE, pid);
}

void ptrace_child_first(struct task *t)
{
	struct ptrace *p = t->ptrace;

	if (p->attach_stop && p->seized)
		p->interrupt = true;
	p->attach_stop = false;
}

void ptrace_event_exit(struct task *t)
{
	if (!(t->ptrace->options & ABI_PTRACE_O_TRACEEXIT))
		return;
	t->ptrace->exit_stop = true;
	event_stop(t, ABI_PTRACE_EVENT_EXIT, (uint32_t)t->exit_code);
}

/* A traced task became a zombie: does its tracer have to take notice before its parent does? */
bool ptrace_holds_zombie(struct task *t)
{
	struct ptrace *p = t->ptrace;

	if (!p)
		return false;
	if (t == t->signal->leader && p->tracer->signal == t->signal->parent) {
		ptrace_unlink(t);
		return false;
	}
	if (p->tracer->exiting) {
		ptrace_unlink(t);
		return false;
	}
	tell_tracer(t, t->exit_code & 0x7f ? ABI_CLD_KILLED : ABI_CLD_EXITED,
		    t->exit_code & 0x7f ? t->exit_code & 0x7f : t->exit_code >> 8);
	return true;
}

/* ---- wait --------------------------------------------------------------------------------------- */

static bool take_stop(struct wait_request *w, struct task *c)
{
	struct ptrace *p = c->ptrace;

	if (!p->stopped || p->reported || c->state != TASK_TRACED)
		return false;
	w->pid = c->tid;
	w->uid = c->cred->uid;
	w->code = ABI_CLD_TRAPPED;
	w->status = p->stop_code;
	w->wait_status = p->stop_code << 8 | 0x7f;
	if (!(w->options & ABI_WNOWAIT))
		p->reported = true;
	return true;
}

static bool take_zombie(struct wait_request *w, struct task *c)
{
	int32_t code = c->exit_code;

	if (c->state != TASK_ZOMBIE || !(w->options & ABI_WEXITED))
		return false;
	/* a leader is done when its group is */
	if (c == c->signal->leader && !c->signal->group_ended)
		return false;
	w->pid = c->tid;
	w->uid = c->cred->uid;
	w->wait_status = code;
	w->code = !(code & 0x7f) ? ABI_CLD_EXITED : code & 0x80 ? ABI_CLD_DUMPED : ABI_CLD_KILLED;
	w->status = code & 0x7f ? code & 0x7f : code >> 8;
	if (!(w->options & ABI_WNOWAIT)) {
		ptrace_unlink(c);
		ptrace_zombie_freed(c);
	}
	return true;
}

int ptrace_wait(struct task *t, struct wait_request *w)
{
	struct task *tracer;
	bool any = false;

	LIST_FOR_EACH (tracer, &t->signal->threads, thread_node) {
		struct ptrace *p;

		if (tracer != t && w->options & ABI_WNOTHREAD)
			continue;
		LIST_FOR_EACH (p, &tracer->ptraced, tracer_node) {
			if (!wait_matches(w, p->tracee))
				continue;
			any = true;
			if (take_zombie(w, p->tracee) || take_stop(w, p->tracee))
				return 1;
		}
	}
	return any ? 0 : -ECHILD;
}
