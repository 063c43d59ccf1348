/* Host processes and threads that carry guest tasks, their slots, and the executor's polling of
 * them. The only place in sysd that knows host ids. */
#ifndef SYSD_PLATFORM_HTHREAD_H
#define SYSD_PLATFORM_HTHREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/base/list.h"
#include "common/slot/slot.h"

struct task;
struct mm;
struct slots;

/* A host process. memd made it; it holds exactly one guest address space. */
struct hprocess {
	unsigned refs;
	pid_t host_pid;        /* in the pid namespace that sysd, memd and the guests share; 0: not known yet */
	uint64_t id;           /* memd's name for it; never reused; 0: not known yet (memd_wait_started) */
	struct slots *set;
	struct sbx_slot *slots;/* SBX_SLOTS_SIZE bytes; slot i at i * SBX_SLOT_STRIDE */
	struct mm *mm;
	uint64_t slot_used[SBX_THREADS_MAX / 64];
	struct list threads;   /* struct hthread.node */
	bool dead;
	bool leaving;          /* its runtime was told to end it */
	bool slots_free;       /* memd says that nobody else has its slots mapped, */
	uint64_t slots_size;   /* and how much memory they hold */
	uint32_t first_index;  /* of its first thread */
	struct list all_node, end_node;
	struct list bye_node;  /* its last reply stands and its thread is to be woken for it */
	uint32_t *bye_word;
};

enum hthread_where {
	HT_NEW,     /* its HELLO has not come yet, or a forked child's first reply has not been made */
	HT_USER,    /* guest code may run: poll its slot */
	HT_KERNEL,  /* a request is being served */
	HT_GONE,
};

/* A host thread of it: thread index `index`. */
struct hthread {
	struct hprocess *hp;
	struct list node, poll_node;
	uint32_t index;
	pid_t host_tid;        /* as the slot said at HELLO, or as memd said; only used with tgkill(host_pid, ...) */
	enum hthread_where where;
	struct task *task;
	struct strand *waiter; /* parked until the next request of this thread */
	bool kick_sent;        /* since the last request */
	bool request_ready;    /* a request was copied out and nobody took it yet */
	bool hello_due;        /* its task starts with waiting for its HELLO */
	bool unmet;            /* a fork's: memd has not said yet which host process it is in */
	bool kick_due;         /* kick it when memd does */
	bool taken_back;       /* its first reply was, before it came: it has not asked for anything itself */
	uint32_t cookie;       /* of the clone that is to make it */
	/* the request, copied out of the slot once */
	struct sbx_regs regs;
	uint32_t req;
	uint64_t nr, args[6];
	uint64_t sigmask;
	uint32_t fault_signo;
	int32_t fault_code;
	uint64_t fault_addr, fault_err, fault_trapno;
	uint32_t in_count;
	struct sbx_seg in[SBX_SEGS_MAX];
	/* the reply under construction */
	enum sbx_act last_act;
	uint32_t out_count;
	uint32_t out_off;
	struct sbx_seg out[SBX_SEGS_MAX];
	uint64_t stat_requests;
};

static inline struct sbx_slot *hthread_slot(const struct hthread *ht)
{
	return (struct sbx_slot *)((char *)ht->hp->slots + ht->index * SBX_SLOT_STRIDE);
}
static inline uint8_t *hthread_window(const struct hthread *ht)
{
	return (uint8_t *)hthread_slot(ht) + 4096;
}

/* A process that memd made, or is going to make: takes over its slots when it succeeds. */
int hprocess_new(pid_t host_pid, uint64_t id, struct slots *set, struct hprocess **ret_hp);
struct hprocess *hprocess_ref(struct hprocess *hp);
void hprocess_unref(struct hprocess *hp);
/* The host process is gone (memd said so): its threads get -ESRCH wherever they wait. */
void hprocess_mark_dead(struct hprocess *hp);
struct hprocess *hprocess_find(uint64_t id);
/* A fresh thread index in hp with its slot cleared; -EAGAIN when all are used. */
int hthread_new(struct hprocess *hp, struct hthread **ret_ht);
/* At a given index, without clearing the slot (a forked child keeps the index of the thread that
 * forked; a blank process waits with its HELLO posted in slot 0). */
int hthread_new_at(struct hprocess *hp, uint32_t index, struct hthread **ret_ht);
/* The thread of a forked child in hp, at its parent's index. It comes up by itself and without a word: the first reply
 * is made when the child's task is ready, before or after that. cookie: of memd_fork_begin. */
int hthread_new_forked(struct hprocess *hp, const struct hthread *parent, uint32_t cookie, struct hthread **ret_ht);
/* memd has met hp, a fork: kicks that came too early are sent. */
void hprocess_met(struct hprocess *hp);
void hthread_free(struct hthread *ht);
/* From now on the host thread's requests are those of t (NULL: of nobody). Writes the T0 ids. */
void hthread_bind(struct hthread *ht, struct task *t);
/* The robust list and the id to clear, which the runtime sets alone: out of the slot of t's own host thread into
 * the task, and back after the task's have changed. */
void hthread_refresh(struct task *t);
void hthread_publish_exit(struct task *t);
/* Refreshes slot.tid/pid/ppid/uid... of a task. */
void hthread_publish_ids(struct task *t);
/* Takes the host thread out of guest code soon (SBX_SIGKICK); no-op when it is in the kernel. */
void hthread_kick(struct hthread *ht);

/* ---- for the strand of a task ------------------------------------------------------------ */

/* Waits for the next request of the task and copies it into t->ht; also sets t->blocked from the slot,
 * and for SBX_REQ_SYSCALL t->nr and t->args. Returns its SBX_REQ_*, or -ESRCH when the host process
 * died. */
int hthread_next_request(struct task *t);
/* Replies. The segments of user_write go with it. */
void hthread_reply_return(struct task *t, int64_t ret);
void hthread_reply_resume(struct task *t);   /* with t->ht->regs, all of them */
void hthread_reply_signal(struct task *t, int64_t ret, bool has_ret, const struct sbx_sigframe_req *req);
/* The op by which the parent's host thread makes the process of `child` (hthread_new_forked). */
struct sbx_hostop hthread_clone_op(const struct hthread *child, uint32_t flags);
/* The parent of a fork makes the child's process (hthread_new_forked) and goes on with `ret` and the segments of
 * user_write as after hthread_reply_return. Its next request says that this happened, unless it is
 * SBX_REQ_HOSTOPS_DONE: then hthread_op_ret has the error. */
void hthread_reply_fork(struct task *t, const struct hthread *child, int64_t ret);
/* The result of the first op of the list that was carried out last, as hostile code claims it. */
int64_t hthread_op_ret(const struct hthread *ht);
/* The end of a group is published at once, and a thread that sleeps woken when the executor has nothing else to
 * do: what the host takes down then may take the CPU of those who go on. */
void hthread_reply_exit(struct task *t, bool group);
/* Has the runtime carry out ops and waits for their results (in place). Callable inside a handler,
 * before its reply, any number of times. Returns 0, or -ESRCH when the process died meanwhile.
 * Results are what hostile code claims: check what matters. */
int hthread_run_ops(struct task *t, struct sbx_hostop *ops, unsigned count);
/* One SBX_HOP_SYSCALL; its result, or -ESRCH. */
int64_t hthread_syscall(struct task *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
			uint64_t a4, uint64_t a5);
/* Waits for the HELLO of a new host thread (after CLONE ops or on a blank process);
 * 0 or -ESRCH when it died first, -ETIMEDOUT after 10 s. */
int hthread_wait_hello(struct hthread *ht);
/* The same for the first step of a task whose host thread is new: no time limit, host_thread_kill ends it. */
int hthread_first_hello(struct hthread *ht);
/* As hthread_run_ops on a thread without a task (a blank process that exec fills). */
int hthread_run_ops_on(struct hthread *ht, struct sbx_hostop *ops, unsigned count);
/* A room of `size` bytes in the window for SBX_HOP_COPY; NULL when there is none left. Reset by the
 * next run of ops. */
void *hthread_window_alloc(struct hthread *ht, uint32_t size, uint32_t *ret_off);

/* The strand that serves this thread's call is about to sleep for long: the guest side stops spinning. */
void hthread_announce_sleep(struct hthread *ht);

/* The sandbox's shared control page and doorbell: memfds that memd maps into blank processes. */
int platform_init(void);
struct sbx_ctl *platform_ctl(void);
int platform_ctl_fd(void);
int platform_bell_fd(void);

#endif
