/* Inside of inotify. */
#ifndef SYSD_EVENT_INOTIFY_PRIVATE_H
#define SYSD_EVENT_INOTIFY_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/event/fasync.h"
#include "services/sysd/vfs/inode.h"

struct file;

struct in_event {
	struct list node;
	int32_t wd;
	uint32_t mask, cookie;
	uint32_t name_size; /* without NUL; 0: none */
	char name[];
};
struct inotify_watch {
	struct list inode_node; /* in inode->watches */
	struct list node;       /* in inotify.watches, by rising wd */
	struct inotify *in;
	struct inode *inode;    /* a reference: a watched inode stays */
	int32_t wd;
	uint32_t mask;
};
struct inotify {
	struct list watches, events;
	unsigned watch_count, event_count;
	bool overflowed;        /* the IN_Q_OVERFLOW event is in the queue */
	int32_t last_wd;
	uint32_t uid;
	struct waitq wait;
	struct fasync async;
	struct list all_node;
};

extern const struct file_ops inotify_fops;
int inotify_new_file(uint32_t uid, unsigned flags, struct file **ret);
void inotify_queue(struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie, const char *name);
/* The watches end where the file system is told: super_ops.unwatch. */
static inline bool inotify_watches_outside(const struct inode *inode)
{
	return inode->sb && inode->sb->op && inode->sb->op->watch;
}
/* Ends a watch with IN_IGNORED. May sleep when `inode` has no other holder. */
void inotify_watch_end(struct inotify_watch *w);

#endif
