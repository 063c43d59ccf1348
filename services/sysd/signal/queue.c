/* Queues of pending signals: one entry for each queued siginfo, one bit for each number. A standard
 * signal is queued once; real-time signals queue in order, within RLIMIT_SIGPENDING. */
#include "services/sysd/signal/internal.h"
#include "services/sysd/task/ucount.h"

void sigpending_init(struct sigpending *p)
{
	list_init(&p->queue);
	p->set = 0;
}

static void sigqueue_free(struct sigqueue *q)
{
	list_del(&q->link);
	if (q->ucount) {
		q->ucount->sigpending--;
		ucount_unref(q->ucount);
	}
	free(q);
}

void sigpending_flush(struct sigpending *p)
{
	sigpending_remove(p, ~0ull);
}

void sigpending_remove(struct sigpending *p, sigset64_t set)
{
	struct sigqueue *q, *tmp;

	if (!(p->set & set))
		return;
	LIST_FOR_EACH_SAFE (q, tmp, &p->queue, link)
		if (SIG_BIT(q->info.si_signo) & set)
			sigqueue_free(q);
	p->set &= ~set;
}

bool sigpending_take(struct sigpending *p, int signo, struct abi_siginfo *info)
{
	struct sigqueue *q, *first = NULL;
	bool more = false;

	if (!(p->set & SIG_BIT(signo)))
		return false;
	LIST_FOR_EACH (q, &p->queue, link) {
		if (q->info.si_signo != signo)
			continue;
		if (first) {
			more = true;
			break;
		}
		first = q;
	}
	if (!more)
		p->set &= ~SIG_BIT(signo);
	if (first) {
		*info = first->info;
		sigqueue_free(first);
	} else {
		/* its siginfo found no room (RLIMIT_SIGPENDING) */
		memset(info, 0, sizeof(*info));
		info->si_signo = signo;
		info->si_code = ABI_SI_USER;
	}
	return true;
}

static struct sigqueue *sigqueue_new(struct task *t, bool override)
{
	struct ucount *u = t->ucount;
	struct sigqueue *q;

	if (u && !override && u->sigpending >= t->signal->rlim[RLIMIT_SIGPENDING].rlim_cur)
		return NULL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	list_init(&q->link);
	if (u) {
		q->ucount = ucount_ref(u);
		u->sigpending++;
	}
	return q;
}

/* t: whose limits count; the queue is t's own, or sig's when that is given. */
int signal_queue(struct task *t, struct signal *sig, int signo, const struct abi_siginfo *info)
{
	struct sigpending *p = sig ? &sig->shared_pending : &t->pending;
	bool rt = signo >= ABI_SIGRTMIN;
	struct sigqueue *q;

	if (!rt && p->set & SIG_BIT(signo))
		return 0;
	q = sigqueue_new(t, !rt && (!info || info->si_code >= 0));
	if (q) {
		if (info)
			q->info = *info;
		else
			q->info.si_code = ABI_SI_KERNEL;
		q->info.si_signo = signo;
		list_add_tail(&p->queue, &q->link);
	} else if (rt && info && info->si_code != ABI_SI_USER) {
		return -EAGAIN;
	}
	p->set |= SIG_BIT(signo);
	waitq_wake_all(&t->sighand->signalfd_wait);
	return 0;
}

void signal_flush(struct signal *sig, sigset64_t set)
{
	struct task *t;

	sigpending_remove(&sig->shared_pending, set);
	LIST_FOR_EACH (t, &sig->threads, thread_node)
		sigpending_remove(&t->pending, set);
}

static int next_signal(sigset64_t pending)
{
	if (pending & SIG_SYNCHRONOUS)
		pending &= SIG_SYNCHRONOUS;
	return pending ? __builtin_ctzll(pending) + 1 : 0;
}

int signal_dequeue(struct task *t, sigset64_t set, struct abi_siginfo *info)
{
	struct signal *sig = t->signal;
	int signo = next_signal(t->pending.set & set);

	if (signo) {
		sigpending_take(&t->pending, signo, info);
	} else {
		struct task *other;

		signo = next_signal(sig->shared_pending.set & set);
		if (!signo)
			return 0;
		sigpending_take(&sig->shared_pending, signo, info);
		if (!sig->shared_pending.set)
			LIST_FOR_EACH (other, &sig->threads, thread_node)
				signal_recalc(other);
	}
	signal_recalc(t);
	return signo;
}
