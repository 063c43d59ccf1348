/* epoll(7): what the rest of the kernel must know of it. */
#ifndef SYSD_EVENT_EPOLL_H
#define SYSD_EVENT_EPOLL_H

struct file;

/* For file_unref: the last reference of f is gone and f->epoll_items is not empty. Before
 * file_ops.release. */
void eventpoll_release(struct file *f);

#endif
