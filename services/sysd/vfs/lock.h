/* File locks: POSIX records, open file description locks, flock(2), leases (fcntl(2), flock(2)). They
 * hang on the inode; most inodes have none. */
#ifndef SYSD_VFS_LOCK_H
#define SYSD_VFS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"
#include "services/sysd/core/waitq.h"

struct fdtable;
struct file;
struct inode;
struct task;

enum lock_kind { LOCK_KIND_POSIX, LOCK_KIND_OFD, LOCK_KIND_FLOCK, LOCK_KIND_LEASE };

struct file_lock {
	struct list node;     /* in the context's list */
	enum lock_kind kind;
	int type;             /* F_RDLCK, F_WRLCK */
	int64_t start, end;   /* the last byte, INT64_MAX: to the end */
	const void *owner;    /* struct fdtable (POSIX) or struct file (the others) */
	uint32_t pid;         /* -1 for OFD */
	bool breaking;        /* a lease somebody waits for */
	int break_to;         /* F_RDLCK or F_UNLCK */
	uint64_t break_deadline_ns;
};

struct file_lock_context {
	struct list posix;    /* POSIX and OFD, by owner and start */
	struct list flock;
	struct list leases;
	struct waitq wait;    /* who waits for any of them */
	const struct inode *inode;
	struct list all_node; /* of all contexts */
};

/* For /proc/locks: calls fn for each lock of the sandbox. */
void locks_for_each(void (*fn)(const struct inode *inode, const struct file_lock *l, void *arg), void *arg);

/* close(2) of a descriptor: the POSIX locks of this table on the inode go. */
void locks_remove_posix(struct file *f, struct fdtable *ft);
/* The description's last reference: OFD, flock and leases go. */
void locks_remove_file(struct file *f);
void locks_free_inode(struct inode *inode);
/* An open that conflicts with a lease breaks it. 0, -EWOULDBLOCK, -ERESTARTSYS. May sleep. */
int locks_break_lease(struct inode *inode, bool write, bool nonblock);

/* fcntl F_GETLK, F_SETLK, F_SETLKW and the OFD commands; F_SETLEASE, F_GETLEASE. */
long fcntl_lock(struct task *t, struct file *f, int fd, int cmd, uint64_t arg);
int lease_set(struct task *t, struct file *f, int type);
int lease_get(struct file *f);

#endif
