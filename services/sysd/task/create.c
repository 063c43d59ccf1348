/* Making and freeing of tasks and thread groups; the first processes of a sandbox. */
#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/mount.h"

void (*task_on_reap)(uint32_t pid, int32_t exit_code);

static void strand_gone(struct strand *s)
{
	task_unref(CONTAINER_OF(s, struct task, strand));
}

struct task *task_alloc(void)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	t->strand.task = t;
	t->strand.on_exit = strand_gone;
	t->nr = -1;
	t->exit_signal = SIGCHLD;
	t->timer_slack_ns = t->default_slack_ns = 50000;
	t->start_mono_ns = clock_mono_ns();
	t->start_boot_ns = clock_ns(CLOCK_BOOTTIME);
	list_init(&t->thread_node);
	list_init(&t->all_node);
	list_init(&t->hash_node);
	list_init(&t->ptraced);
	sigpending_init(&t->pending);
	waitq_init(&t->vfork_done);
	return t;
}

void task_ref(struct task *t)
{
	t->refs++;
}

void task_unref(struct task *t)
{
	if (!t || --t->refs)
		return;
	sigpending_flush(&t->pending);
	if (task_seccomp_release)
		task_seccomp_release(t);
	sighand_unref(t->sighand);
	cred_unref(t->cred);
	ucount_unref(t->ucount);
	signal_unref(t->signal);
	free(t);
}

static void default_limits(struct signal *sig)
{
	static const struct {
		int which;
		uint64_t soft, hard;
	} limits[] = {
		{RLIMIT_STACK, 8ull << 20, RLIM_INFINITY}, {RLIMIT_CORE, 0, RLIM_INFINITY},
		{RLIMIT_NPROC, 63333, 63333},		   {RLIMIT_NOFILE, 1024, 1048576},
		{RLIMIT_MEMLOCK, 8ull << 20, 8ull << 20},  {RLIMIT_SIGPENDING, 63333, 63333},
		{RLIMIT_MSGQUEUE, 819200, 819200},	   {RLIMIT_NICE, 0, 0},
		{RLIMIT_RTPRIO, 0, 0},
	};

	for (int i = 0; i < RLIM_NLIMITS; i++)
		sig->rlim[i] = (struct rlimit64){RLIM_INFINITY, RLIM_INFINITY};
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		sig->rlim[limits[i].which] = (struct rlimit64){limits[i].soft, limits[i].hard};
}

struct signal *signal_alloc(void)
{
	struct signal *sig = calloc(1, sizeof(*sig));

	if (!sig)
		return NULL;
	sig->refs = 1;
	sig->dumpable = true;
	list_init(&sig->threads);
	list_init(&sig->children);
	list_init(&sig->sibling);
	list_init(&sig->posix_timers);
	list_init(&sig->all_node);
	sigpending_init(&sig->shared_pending);
	waitq_init(&sig->child_wait);
	waitq_init(&sig->exec_wait);
	waitq_init(&sig->pidfd_wait);
	ktimer_init(&sig->real_timer, NULL);
	ktimer_init(&sig->kill_timer, NULL);
	return sig;
}

struct signal *signal_ref(struct signal *sig)
{
	sig->refs++;
	return sig;
}

void signal_unref(struct signal *sig)
{
	if (!sig || --sig->refs)
		return;
	ktimer_cancel(&sig->kill_timer);
	sigpending_flush(&sig->shared_pending);
	free(sig);
}

static struct task *create_first(struct cred *cred, uint32_t want)
{
	struct task *t = task_alloc();
	struct signal *sig = signal_alloc();
	struct signal *init = init_signal();
	struct task *like = init ? init->leader : NULL;

	if (!t || !sig)
		goto fail;
	t->cred = cred_ref(cred);
	t->sighand = sighand_new();
	t->files = fdtable_new();
	t->ns = like && like->ns ? nsproxy_ref(like->ns) : nsproxy_new();
	t->ucount = ucount_get(cred->uid);
	if (!t->sighand || !t->files || !t->ns || !t->ucount)
		goto fail;
	if (like && like->fs) {
		t->fs = fs_struct_dup(like->fs);
		if (!t->fs)
			goto fail;
	}
	t->tid = tid_alloc(want);
	if (!t->tid)
		goto fail;
	default_limits(sig);
	sig->pid = sig->pgid = sig->sid = t->tid;
	sig->leader = t;
	sig->live = 1;
	sig->unkillable = want == 1;
	sig->foreign = true;
	t->signal = sig;
	t->ucount->processes++;
	list_add_tail(&sig->threads, &t->thread_node);
	registry_add_task(t);
	registry_add_signal(sig);
	return t;
fail:
	if (t) {
		if (t->files)
			fdtable_unref(t->files);
		if (t->fs)
			fs_struct_unref(t->fs);
		nsproxy_unref(t->ns);
		task_unref(t);
	}
	signal_unref(sig);
	return NULL;
}

struct task *task_create_init(struct cred *cred)
{
	return create_first(cred, 1);
}

struct task *task_create_foreign(struct cred *cred)
{
	return create_first(cred, 0);
}
