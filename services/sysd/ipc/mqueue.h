/* POSIX message queues, between the calls (mqueue.c) and the file system (mqueue_fs.c). */
#ifndef SYSD_IPC_MQUEUE_H
#define SYSD_IPC_MQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

struct ipc_ns;
struct task;
struct ucount;

struct mqueue {
	unsigned refs;        /* the name, and open files */
	struct list node;     /* in ns->mqueues while it has a name */
	struct ipc_ns *ns;    /* NULL: unlinked */
	char *name;
	struct inode *inode;  /* in the mqueue file system: owner and mode. A reference while named */
	uint32_t mode, uid, gid;
	int64_t max_msgs, msg_size, count, bytes;
	struct list msgs;     /* by priority, then age */
	struct waitq readers, writers;
	unsigned waiting_readers;
	/* mq_notify: one registration */
	uint32_t notify_pid;  /* 0: none */
	int notify_how, notify_signo;
	uint64_t notify_value;
	struct ucount *owner; /* a reference */
	uint64_t charged;     /* of its mq_bytes */
};

struct mqueue *mqueue_find(struct ipc_ns *ns, const char *name);
/* attr may be NULL (defaults). 0, -EINVAL, -ENOSPC, -EMFILE or -ENOMEM; *ret without a reference. */
struct abi_mq_attr;
int mqueue_create(struct ipc_ns *ns, struct task *t, const char *name, uint32_t mode,
		  const struct abi_mq_attr *attr, struct mqueue **ret);
void mqueue_unlink(struct mqueue *q);
struct mqueue *mqueue_ref(struct mqueue *q);
void mqueue_unref(struct mqueue *q);
/* The inode of a queue's name, made on demand in the namespace's file system. No reference. */
struct inode *mqueue_inode(struct mqueue *q);
extern const struct file_ops mqueue_fops;

#endif
