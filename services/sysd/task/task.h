/* Tasks: what clone(2) makes. The split of state follows Linux: a struct task is a thread; what a
 * thread group shares is in struct signal; what CLONE_FILES, CLONE_FS, CLONE_SIGHAND and CLONE_VM
 * share has a counted object each.
 *
 * Nothing here names a host id: the host process and thread are reached through hthread and mm. */
#ifndef SYSD_TASK_TASK_H
#define SYSD_TASK_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include "common/base/list.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/signal/sigtypes.h"

struct fdtable;   /* vfs/fdtable.h */
struct fs_struct; /* vfs/fs_struct.h: cwd, root, umask */
struct mm;        /* mm/mm.h */
struct hprocess;  /* platform/hthread.h */
struct hthread;   /* platform/hthread.h */
struct pid_ns;
struct nsproxy;
struct tty;
struct dentry;
struct ptrace;
struct seccomp_filter;
struct ucount;
struct sbx_regs;

#define TASK_COMM_SIZE 16

enum task_state {
	TASK_RUNNING,     /* runs guest code or a system call */
	TASK_SLEEPING,    /* interruptible sleep in a call (the S of ps) */
	TASK_UNINT,       /* uninterruptible (D) */
	TASK_STOPPED,     /* job control (T) */
	TASK_TRACED,      /* ptrace stop (t) */
	TASK_ZOMBIE,      /* waits to be reaped (Z) */
	TASK_DEAD,
};

struct task {
	struct strand strand;        /* must be first */
	uint32_t tid;                /* in the root pid namespace */
	enum task_state state;
	struct signal *signal;       /* thread group: pid, children, timers, limits */
	struct list thread_node;     /* in signal->threads */
	struct sighand *sighand;
	struct cred *cred;
	struct fdtable *files;
	struct fs_struct *fs;
	struct mm *mm;
	struct nsproxy *ns;          /* task/nsproxy.h */
	struct hthread *ht;          /* host thread that runs it; NULL while moving or dead */

	/* the current system call */
	int64_t nr;                  /* -1 outside of a call */
	uint64_t args[6];
	const char *wchan;           /* what it sleeps on, for /proc and debug */

	/* signals: signal/signal.h */
	sigset64_t blocked;          /* a copy of slot.sigmask, taken at each request */
	sigset64_t saved_mask;       /* sigsuspend, ppoll...: restored when no handler ran */
	bool restore_mask;
	sigset64_t real_blocked;     /* sigtimedwait: what was blocked before */
	struct sigpending pending;
	struct altstack altstack;
	bool sigpending_flag;        /* a deliverable signal or another reason to leave a sleep */
	struct restart_block {
		long (*fn)(struct task *t, struct restart_block *r);
		uint64_t arg[6];
	} restart;
	bool regs_replaced;          /* the handler set the whole register state (exec, sigreturn) */

	uint64_t set_child_tid, clear_child_tid;
	uint64_t robust_list_head;
	char comm[TASK_COMM_SIZE];
	int32_t exit_code;           /* as wait4 reports it */
	uint32_t exit_signal;        /* to the parent, of the group leader */
	uint32_t pdeath_signal;
	bool exiting;
	bool vfork_borrowed;         /* runs on its parent's host thread until exec or exit */
	struct task *vfork_parent;   /* waits in vfork for us; NULL otherwise */
	struct waitq vfork_done;
	struct task *forking;        /* the child that its host thread was told to make, and has not said of (fork.c) */
	int64_t fork_nr;             /* the call that this was */
	bool replied;                /* that call's reply stands */
	bool unborn;                 /* its host process could not be made: it ends as if it had never been */
	struct ptrace *ptrace;
	int nice, sched_policy, sched_priority;
	struct task_sched {          /* as the calls of sys/sched.c recorded it; clone copies it whole */
		uint64_t cpus[16];   /* allowed CPUs; all zero: every one */
		uint64_t dl_runtime, dl_deadline, dl_period; /* of SCHED_DEADLINE */
		uint16_t ioprio;
		bool reset_on_fork;
	} sched;
	uint64_t timer_slack_ns, default_slack_ns; /* the default is what the creator had */
	uint64_t start_mono_ns, start_boot_ns;
	uint64_t utime_ns, stime_ns; /* as last asked of the host: time/cputime.h */
	uint32_t login;             /* 1 + /proc/PID/loginuid, 0: not set */
	uint32_t session;           /* 1 + /proc/PID/sessionid, 0: not set */
	uint32_t personality;
	struct list all_node;        /* in all tasks */

	/* ---- private to task/ and signal/ ---- */
	unsigned refs;               /* the registry and the strand hold one each */
	struct list hash_node;       /* by tid */
	struct task *vfork_child;    /* whose exec or exit we wait for */
	struct sbx_regs *vfork_regs; /* ours while it has our host thread */
	bool reply_exit;             /* its host thread is to end by itself (others share the process) */
	bool dethreaded;             /* ends because another thread of the group runs exec */
	bool exit_notified;          /* the parent has been told */
	bool stop_taken;             /* traced: the present stop of the group was reported */
	int detach_signal;           /* what PTRACE_DETACH gave */
	unsigned poked;              /* its tracer works on its host thread: it does not leave its stop, though killed */
	bool in_exec;                /* between the choice of its credentials and their coming true */
	bool exec_event;             /* exec has just happened: the tracer is to be told */
	uint32_t exec_old_tid;
	struct seccomp_filter *seccomp; /* task/seccomp.c */
	uint8_t seccomp_mode;
	struct list ptraced;         /* tasks it traces: struct ptrace.tracer_node */
	struct ucount *ucount;       /* processes and queued signals of its real user */
};

/* Shared by a thread group (Linux: signal_struct). */
struct signal {
	unsigned refs;
	uint32_t pid;                /* tgid */
	struct task *leader;
	struct list threads;         /* task.thread_node */
	unsigned live;               /* threads not exited */
	struct signal *parent;       /* whose child this is; NULL for init */
	struct list children, sibling;
	uint32_t pgid, sid;
	struct tty *tty;             /* controlling terminal, of the session */
	struct waitq child_wait;     /* wait4 of the group's threads */
	struct sigpending shared_pending;
	bool group_exit;
	int32_t group_exit_code;
	bool stopped, continued, stop_reported, did_exec, is_subreaper;
	int32_t stop_signo;
	struct rlimit64 rlim[RLIM_NLIMITS];
	struct ktimer real_timer;    /* ITIMER_REAL */
	uint64_t real_interval_ns;
	struct list posix_timers;    /* time/posix_timer.h */
	struct cpulimit *cpulimit;   /* RLIMIT_CPU, made on demand: time/cpulimit.c */
	struct itimers *itimers;     /* ITIMER_VIRTUAL and _PROF, made on demand: time/itimer.c */
	int64_t cpu_offset_ns[3];    /* time/cputime.h */
	bool cpu_frozen;
	uint64_t cutime_ns, cstime_ns, cmaxrss;
	uint64_t utime_ns, stime_ns, maxrss; /* of threads gone */
	int oom_score_adj;
	int oom_score_adj_min;       /* what it may be lowered to without CAP_SYS_RESOURCE */
	bool dumpable;
	struct dentry *exe;          /* reference; the path of the program */
	struct vfsmount *exe_mnt;
	struct list all_node;        /* in all thread groups */

	/* ---- private to task/ and signal/ ---- */
	bool stopping;               /* job control stop ordered: each thread stops at its way out */
	bool unkillable;             /* pid 1: only the handlers it has */
	bool foreign;                /* its end is reported by task_on_reap */
	bool reaped;
	bool killed;                 /* SIGKILL came while the group was already ending */
	bool group_ended;            /* only the leader is left, as a zombie */
	struct task *exec_task;      /* the thread that ends all others */
	struct waitq exec_wait;      /* until the others are gone */
	struct waitq pidfd_wait;     /* woken at the end of the last thread */
	struct ktimer kill_timer;    /* escalation when a host thread does not answer a kick */
	struct ucount *ucount;
};

/* The task of the current strand. */
static inline struct task *current_task(void)
{
	struct strand *s = sched_current();

	return s ? s->task : NULL;
}

struct list *task_all(void);         /* struct task.all_node */
struct list *signal_all(void);       /* struct signal.all_node */
struct task *task_find(uint32_t tid);  /* no reference: valid until the caller sleeps */
struct signal *signal_find(uint32_t pid);

/* Makes the first task of the sandbox: pid 1 with the given credentials, an empty file table and
 * no memory yet; the caller sets files, fs, and runs exec_task on it. */
struct task *task_create_init(struct cred *cred);
/* Makes a further process for `exec` of the control plane: a child of nobody (its reaper is the
 * supervisor), own session. */
struct task *task_create_foreign(struct cred *cred);
/* Starts the strand of a task that has memory and a host thread. */
int task_start(struct task *t);
/* Ends the current task; does not return. */
void task_exit(struct task *t, int32_t exit_code) __attribute__((noreturn));
/* The whole thread group ends with this code (wait4 form); the caller's own task too, at its way out. */
void signal_group_exit(struct signal *sig, int32_t exit_code);
/* Whether its filters want calls that the runtime would answer alone (only with a seccomp_mode). */
bool task_seccomp_sees_all(const struct task *t);
/* Called by the platform when a host process died although nobody ordered it: every task of the
 * mm ends with `signo`. */
void task_host_died(struct mm *mm, int signo);
/* Its host process is known now: what is asked of the host about it can be. */
void task_host_met(struct hprocess *hp);
/* Called (once) when pid 1 or a foreign process has ended: the control plane reports it. */
extern void (*task_on_reap)(uint32_t pid, int32_t exit_code);

#endif
