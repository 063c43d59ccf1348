/* IPC namespaces: System V objects by id and key, and POSIX message queues. */
#ifndef SYSD_IPC_IPC_NS_H
#define SYSD_IPC_IPC_NS_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/abi/ipc.h"

struct super_block;
struct seqbuf;
struct task;
struct signal;

/* What the three kinds of objects begin with. An object is counted: a sleeper holds it past IPC_RMID,
 * which sets `deleted` and takes it out of the table. */
struct ipc_perm {
	unsigned refs;
	bool deleted;
	int32_t id, key;
	uint32_t uid, gid, cuid, cgid, mode;
	void (*free)(struct ipc_perm *p);
};

struct ipc_ids {
	struct ipc_perm **slot;
	uint16_t *seq;       /* of the next object in a slot: makes stale ids invalid */
	unsigned count, used;
};

enum ipc_kind { IPC_SHM, IPC_SEM, IPC_MSG, IPC_KINDS };
struct ipc_ns {
	unsigned refs;
	struct ipc_ids ids[IPC_KINDS];
	struct super_block *mq_sb; /* mqueue: made on demand; a reference */
	struct list mqueues;       /* struct mqueue.node */
	unsigned mq_count;
};
/* The namespace of a task's calls. */
struct ipc_ns *ipc_ns_of(struct task *t);

#define IPC_ID_SLOTS 32768
/* Gives p an id; *p is owned by the table then. 0 or -ENOSPC, -ENOMEM. */
int ipc_add(struct ipc_ids *ids, struct ipc_perm *p, int32_t key, uint32_t mode, struct task *t,
	    unsigned max);
/* No references; valid until the caller sleeps. NULL: -EINVAL. */
struct ipc_perm *ipc_find(struct ipc_ids *ids, int32_t id);
struct ipc_perm *ipc_find_key(struct ipc_ids *ids, int32_t key);
/* By slot, for *_STAT: NULL when empty. */
struct ipc_perm *ipc_at(struct ipc_ids *ids, int slot);
int ipc_highest(const struct ipc_ids *ids); /* the highest used slot, 0 when none */
void ipc_remove(struct ipc_ids *ids, struct ipc_perm *p);
struct ipc_perm *ipc_get(struct ipc_perm *p);
void ipc_put(struct ipc_perm *p);
/* The common part of shmget, semget and msgget: 0 with *ret, or -errno; 1: make a new one. */
int ipc_get_common(struct ipc_ids *ids, struct task *t, int32_t key, int flags, struct ipc_perm **ret);
/* mode: 0444 to read, 0222 to alter. */
bool ipc_permitted(struct task *t, const struct ipc_perm *p, int mode);
/* IPC_SET and IPC_RMID: owner, creator or CAP_SYS_ADMIN. */
bool ipc_owner(struct task *t, const struct ipc_perm *p);
void ipc_perm_out(const struct ipc_perm *p, struct abi_ipc64_perm *ret);
void ipc_perm_set(struct ipc_perm *p, const struct abi_ipc64_perm *in);
/* What stands in front of each line of /proc/sysvipc. */
int64_t ipc_time(void);

/* exit of a thread group: SEM_UNDO is applied. */
void sysvsem_exit(struct signal *sig);

/* mqueue.c */
void mqueue_init(void);
void mqueue_ns_free(struct ipc_ns *ns);

#endif
