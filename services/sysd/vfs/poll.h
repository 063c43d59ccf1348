/* How poll, select and epoll learn of readiness. A file's poll callback reports the events that hold
 * now and, when it gets a table, calls poll_wait for each queue that will be woken on a change. */
#ifndef SYSD_VFS_POLL_H
#define SYSD_VFS_POLL_H

#include <stdint.h>
#include <sys/epoll.h>

struct waitq;
struct file;
struct poll_table {
	void (*queue)(struct poll_table *pt, struct waitq *q);
};
static inline void poll_wait(struct poll_table *pt, struct waitq *q)
{
	if (pt && pt->queue)
		pt->queue(pt, q);
}
/* The file's events now; files without a poll callback are always readable and writable. */
uint32_t vfs_poll(struct file *f, struct poll_table *pt);
#define POLL_DEFAULT_MASK (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM)
#endif
