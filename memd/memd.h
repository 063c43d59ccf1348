/* memd's inside: one thread, one struct memd. See README.md for what it trusts and promises. */
#ifndef MEMD_MEMD_H
#define MEMD_MEMD_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/seccomp.h>
#include <sys/types.h>
#include "common/base/list.h"
#include "common/base/util.h"
#include "common/chan/ring.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/msg_memd.h"
#include "common/ipc/startup.h"
#include "common/slot/slot.h"
#include "common/slot/stub.h"

enum proc_kind { PROC_ZYGOTE, PROC_BLANK, PROC_GUEST };

/* A process of the sandbox. memd is the parent of them all, so a pid stays this process's until memd
 * reaps it. */
struct proc {
	struct list node;       /* memd.procs */
	struct list pid_node;   /* hash by pid */
	struct list id_node;    /* hash by id */
	uint64_t id;            /* never reused */
	pid_t pid;
	enum proc_kind kind;
	bool kill_ordered;
	bool forked;            /* its slots may be mapped in children of its own */
	struct slots *slots;    /* its own */
	/* Ids of the sets that memd put at SBX_FD_SETS..., 0: nothing or not known. The process may have closed them. */
	uint64_t sets[SBX_FD_SETS_END - SBX_FD_SETS];
	struct list orders;     /* struct map_order.proc_node */
	unsigned order_count;
};

/* "This process may map this." */
struct map_order {
	struct list node;       /* memd.map_orders, oldest first */
	struct list proc_node;
	struct proc *proc;
	uint64_t args[6];
	uint64_t object;        /* a cached descriptor, or 0: fd */
	int fd;
	bool writable;
	uint64_t deadline_ns;
};

/* "This process may make a child, which will say this cookie." */
struct fork_order {
	struct list node;       /* memd.fork_orders */
	uint64_t parent_id;
	uint32_t cookie;
	pid_t cloned_by;        /* the thread, */
	unsigned clones;        /* and how often it began: CLONES_MAX */
	bool cloned;            /* its clone has passed */
	bool child_came;        /* and the child has asked for its slots */
	bool awaited;           /* sysd waits for it */
	bool blank;             /* memd's own order to the zygote */
	bool cancelled;         /* its clone had passed already: the child is ended when it comes */
	struct slots *slots;    /* the child's */
	uint64_t deadline_ns;
};

/* A memfd of slots, mapped by sysd and by one process. */
struct slots {
	struct list node;       /* memd.granted or memd.given */
	uint64_t id;
	int fd;
	bool at_sysd;           /* sysd has its descriptor */
};

/* A cached descriptor that sysd named. */
struct object {
	struct list node;       /* hash */
	uint64_t id;
	int fd;
	int ro_fd;              /* -1: not reopened (yet) */
	int access;             /* O_ACCMODE of fd */
	bool ro_tried;
};

#define PROC_HASH 256
#define OBJECT_HASH 256
#define OBJECT_MAX 768
#define MAP_ORDERS_PER_PROC 64
#define CLONES_MAX 64 /* of one order, begun again by signals */
#define FORK_ORDERS_MAX 512
#define ORDER_TIMEOUT_NS (10 * 1000000000ull)
#define BLANKS_MAX 8

struct memd {
	struct ring ring;
	struct fdpass_inbox inbox;
	int pass_sock;
	int launch_sock;        /* -1: none */
	int wake_fd;            /* eventfd: sysd has written to the ring and wants an answer */
	int signal_fd;
	uint64_t hush_until_ns; /* until then the end of a child alone wakes neither memd... */
	bool untold;            /* ...nor sysd, which was told of one without a wake-up */
	int listener;           /* -1 until the zygote stands */
	int proc_fd;            /* /proc of this pid namespace, O_PATH; -1: none */
	bool stop;

	uint64_t base;          /* R */
	uint64_t vdso, vdso_size;
	uint64_t stub_size;
	int ctl_fd, bell_fd;

	struct list procs, by_pid[PROC_HASH], by_id[PROC_HASH];
	uint64_t next_id;
	unsigned proc_count;

	struct proc *zygote;
	int zygote_slots_fd;
	struct sbx_slot *zygote_slot;
	bool zygote_busy;
	unsigned pool_size;     /* wanted blanks */
	unsigned blank_count;   /* ready and not taken */
	unsigned blank_pending; /* ordered from the zygote */
	uint64_t refill_at_ns;  /* 0: not planned */
	bool strays;            /* there may be children that nobody knows */

	/* Sets of slots without a process: those that sysd may name in a fork order, and those that it gave
	 * back for blanks. */
	struct list granted, given;
	unsigned granted_count;
	uint64_t next_slots_id;

	struct list map_orders, fork_orders;
	unsigned fork_order_count;
	uint32_t called_off[32]; /* cookies of late that sysd took back: their clones are refused without ado */
	unsigned called_off_count;
	struct list objects[OBJECT_HASH];
	unsigned object_count;
	uint64_t next_ticket;

	struct seccomp_notif *notif;
	struct seccomp_notif_resp *resp;
	size_t notif_size, resp_size;

	uint64_t log_second;    /* what hostile processes make us say is bounded: see memd_may_log */
	unsigned log_count, log_dropped;
	struct {
		uint64_t notifications, maps, forks, denied, blanks, deaths;
	} stat;
};

uint64_t mono_ns(void);
/* May a line be logged that a guest process can cause at will? At most 20 a second; how many were dropped
 * is said later. */
bool memd_may_log(struct memd *m);

/* memd.c: life */
/* proc_fd: /proc of its pid namespace, -1: the one in the file system. */
int memd_init(struct memd *m, int ring_fd, int pass_sock, int launch_sock, int proc_fd);
void memd_done(struct memd *m);
/* Waits for sysd's start message, makes the zygote, tells sysd. 0 or -errno. */
int memd_bring_up(struct memd *m);
/* Serves until sysd is gone. */
int memd_serve(struct memd *m);
/* One turn of the loop: waits up to timeout_ms (-1: as long as nothing is due). */
int memd_turn(struct memd *m, int timeout_ms);
int memd_send(struct memd *m, const struct memd_msg *msg);
/* The same without waking sysd: for what nobody waits for. */
int memd_send_quiet(struct memd *m, const struct memd_msg *msg);
/* Sends fd under a fresh ticket; returns it (0: failed). */
uint64_t memd_pass_fd(struct memd *m, int fd);

/* proc.c */
struct proc *proc_new(struct memd *m, pid_t pid, enum proc_kind kind);
void proc_free(struct memd *m, struct proc *p);
struct proc *proc_by_pid(struct memd *m, pid_t pid);
struct proc *proc_by_id(struct memd *m, uint64_t id);
/* The process that a host thread belongs to, of those that `match` accepts; NULL: none of ours. */
struct proc *proc_by_tid(struct memd *m, pid_t tid);
bool proc_has_thread(struct memd *m, const struct proc *p, pid_t tid);
/* Reaps what died and tells sysd. */
void proc_reap(struct memd *m);
void proc_kill_all(struct memd *m);
void proc_kill_strays(struct memd *m);
/* Opens a file of the process's /proc directory; -errno. */
int proc_open_file(struct memd *m, const struct proc *p, enum memd_open what);

/* order.c */
int order_add_map(struct memd *m, struct proc *p, const struct memd_msg *msg, int fd);
/* The oldest order of p with exactly these arguments, or NULL. */
struct map_order *order_find_map(struct proc *p, const uint64_t args[6]);
void order_free_map(struct map_order *o);
/* Takes slots when it succeeds. */
int order_add_fork(struct memd *m, struct proc *parent, uint32_t cookie, bool blank, struct slots *slots);
struct fork_order *order_find_fork(struct memd *m, uint32_t cookie);
void order_free_fork(struct memd *m, struct fork_order *o);
/* Drops what is due; the next deadline or UINT64_MAX. */
uint64_t order_expire(struct memd *m, uint64_t now_ns);

/* object.c */
int object_add(struct memd *m, uint64_t id, int fd); /* takes fd */
struct object *object_find(struct memd *m, uint64_t id);
void object_forget(struct memd *m, uint64_t id);
void object_forget_all(struct memd *m);
/* A descriptor with the wanted access, kept by the object; -errno. */
int object_fd(struct memd *m, struct object *o, bool writable);
/* A read-only descriptor of the same file, a new one; -errno. */
int reopen_read_only(struct memd *m, int fd);

/* fork.c: the two calls of a fork, see stub.h. 0: the call may pass; -errno. */
int judge_clone(struct memd *m, const struct seccomp_notif *n);
/* *ret_answered: it is over already. */
int judge_slots_map(struct memd *m, const struct seccomp_notif *n, const uint64_t args[6], bool *ret_answered);

/* notify.c */
/* Was the process that has been found by n->pid the caller's? */
bool notify_sure(struct memd *m, const struct seccomp_notif *n, const struct proc *p);
/* Puts fd into the caller's table. answer: the caller's system call is over with that, its result is the number. */
int notify_lend(struct memd *m, uint64_t id, int fd, int at, bool answer);
/* Receives and answers one notification; false when there is none. */
bool notify_one(struct memd *m);

/* serve.c: messages of sysd */
void serve_drain(struct memd *m);

/* slots.c */
int slots_memfd_new(void);
void slots_init(struct memd *m);
void slots_done(struct memd *m);
void slots_free(struct slots *s);
/* The same of slots for a blank that did not come to be: sysd, if it knows them, forgets them too. */
void slots_lose(struct memd *m, struct slots *s);
/* What sysd names in a fork order or gives back, out of those granted to it; NULL: not one of them. */
struct slots *slots_take_granted(struct memd *m, uint64_t id);
/* sysd may use it again: its process is reaped and nobody else can have it mapped. */
void slots_grant(struct memd *m, struct slots *s);
void slots_give(struct memd *m, struct slots *s);
/* For a blank; NULL: none can be made. */
struct slots *slots_for_blank(struct memd *m);
/* Makes one and tells sysd. 0 or -errno. */
int slots_announce(struct memd *m, bool quiet);
/* Bytes of memory that it holds. */
uint64_t slots_size(const struct slots *s);
/* When there is time: keeps some ready at sysd. */
void slots_prepare(struct memd *m);

/* zygote.c */
/* Makes the zygote; m->ctl_fd, bell_fd, proc_fd are set. Sets base, vdso, listener, zygote. */
int zygote_start(struct memd *m);
/* Orders another blank of the zygote when it is idle. 0, -EBUSY or -errno. */
int zygote_order_blank(struct memd *m);
/* Looks whether the zygote has finished its ops. */
void zygote_poll(struct memd *m);

#endif
