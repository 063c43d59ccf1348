/* The point of no return of execve: see exec.h. */
#include "services/sysd/task/exec.h"
#include "common/base/util.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/namei.h"

void cputimer_rebind(struct signal *sig) __attribute__((weak));

#define PER_CLEAR_ON_SETID 0x1240000u /* READ_IMPLIES_EXEC, ADDR_NO_RANDOMIZE, COMPAT_LAYOUT, MMAP_PAGE_ZERO */

void exec_begin(struct task *t)
{
	t->in_exec = true;
}

void exec_end(struct task *t)
{
	t->in_exec = false;
	waitq_wake_all(&t->signal->exec_wait);
}

int exec_wait_end(struct task *of)
{
	struct signal *sig = signal_ref(of->signal);
	int ret;

	task_ref(of);
	ret = WAIT_EVENT_INTR(&sig->exec_wait, !of->in_exec);
	task_unref(of);
	signal_unref(sig);
	return ret ? -ERESTARTNOINTR : 0;
}

static bool others_gone(const struct task *t)
{
	const struct task *other;

	LIST_FOR_EACH (other, &t->signal->threads, thread_node)
		if (other != t && !(other == t->signal->leader && other->state == TASK_ZOMBIE))
			return false;
	return true;
}

/* A thread that is not the leader takes the leader's place and id; the old leader, a zombie, goes. */
static void become_leader(struct task *t)
{
	struct task *old = t->signal->leader;

	if (old == t)
		return;
	registry_swap_ids(t, old);
	t->signal->leader = t;
	t->exit_signal = old->exit_signal;
	t->start_mono_ns = old->start_mono_ns;
	t->start_boot_ns = old->start_boot_ns;
	list_del(&t->thread_node);
	list_add(&t->signal->threads, &t->thread_node);
	task_release(old);
}

static int end_other_threads(struct task *t)
{
	struct signal *sig = t->signal;
	struct task *other;

	if (sig->group_exit || sig->exec_task)
		return -EAGAIN;
	if (others_gone(t) && sig->leader == t)
		return 0;
	sig->exec_task = t;
	LIST_FOR_EACH (other, &sig->threads, thread_node) {
		if (other == t || other->exiting)
			continue;
		other->dethreaded = true;
		host_thread_kill(other);
	}
	WAIT_EVENT_FLAGS(&sig->exec_wait, others_gone(t), WAIT_KILLABLE, KTIMER_NEVER);
	sig->exec_task = NULL;
	if (!others_gone(t))
		return -EAGAIN;
	become_leader(t);
	return 0;
}

static void reset_handlers(struct task *t)
{
	for (int i = 0; i < SIG_COUNT; i++) {
		struct abi_sigaction *act = &t->sighand->action[i];

		if (act->handler != ABI_SIG_IGN)
			act->handler = ABI_SIG_DFL;
		act->flags = act->mask = act->restorer = 0;
	}
	memset(&t->altstack, 0, sizeof(t->altstack));
}

static void set_comm(struct task *t, const char *name)
{
	const char *slash = strrchr(name, '/');

	memset(t->comm, 0, sizeof(t->comm));
	strncpy(t->comm, slash ? slash + 1 : name, sizeof(t->comm) - 1);
}

static void set_exe(struct signal *sig, struct file *prog)
{
	struct path old = {sig->exe_mnt, sig->exe}, path = prog->path;

	path_get(&path);
	sig->exe = path.dentry;
	sig->exe_mnt = path.mnt;
	if (old.dentry)
		path_put(&old);
}

/* readable: its user could have read what is in its memory now. */
static void new_credentials(struct task *t, struct cred *cred, bool readable)
{
	const struct cred *old = t->cred;
	bool changed = old->euid != cred->euid || old->egid != cred->egid;
	bool gained = cred->cap_permitted & ~old->cap_permitted;

	t->signal->dumpable = readable && !changed && !gained && cred->uid == cred->euid && cred->gid == cred->egid;
	if (changed || gained || cred->uid != cred->euid || cred->gid != cred->egid) {
		t->pdeath_signal = 0;
		t->personality &= ~PER_CLEAR_ON_SETID;
	}
	task_set_cred(t, cred);
}

int task_exec_commit(struct task *t, struct mm *mm, struct hthread *ht, struct cred *cred,
		     struct file *prog, const char *comm)
{
	struct signal *sig = t->signal;
	struct sighand *sighand = NULL;
	struct fdtable *files = NULL;
	uint32_t old_tid = t->tid;
	bool readable = inode_permission(prog->inode, t, MAY_READ) >= 0;
	int ret;

	/* whatever can fail comes first */
	if (t->sighand->refs > 1) {
		sighand = sighand_dup(t->sighand);
		if (!sighand)
			return -ENOMEM;
	}
	if (fdtable_users(t->files) > 1) {
		files = fdtable_dup(t->files);
		if (!files) {
			sighand_unref(sighand);
			return -ENOMEM;
		}
	}
	ret = end_other_threads(t);
	if (ret < 0) {
		sighand_unref(sighand);
		if (files)
			fdtable_unref(files);
		return ret;
	}
	if (sighand) {
		sighand_unref(t->sighand);
		t->sighand = sighand;
	}
	if (files) {
		fdtable_unref(t->files);
		t->files = files;
	}
	if (t->mm && cputime_exec)
		cputime_exec(sig, mm);
	host_thread_end(t);
	t->mm = mm;
	t->robust_list_head = 0;
	t->clear_child_tid = t->set_child_tid = 0;
	t->restart.fn = NULL;
	hthread_bind(ht, t);
	if (cputimer_rebind)
		cputimer_rebind(sig);
	if (posix_timers_delete_all)
		posix_timers_delete_all(sig);
	reset_handlers(t);
	new_credentials(t, cred, readable);
	set_comm(t, comm);
	set_exe(sig, prog);
	t->exit_signal = SIGCHLD;
	sig->did_exec = true;
	fdtable_close_on_exec(t->files, t);
	signal_recalc(t);
	hthread_publish_ids(t);
	t->exec_event = t->ptrace != NULL;
	t->exec_old_tid = old_tid;
	return 0;
}
