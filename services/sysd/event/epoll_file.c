/* The epoll file: it can be polled and watched itself, so sets may nest, within limits. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/util.h"
#include "services/sysd/event/epoll_private.h"
#include "services/sysd/event/seek.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

static void ep_release(struct file *f)
{
	struct eventpoll *ep = f->priv;

	for (unsigned i = 0; i < ep->hash_size; i++) {
		while (ep->hash[i])
			ep_remove(ep->hash[i]);
	}
	free(ep->hash);
	free(ep);
}

/* Readable when any ready item still is; the others leave the list. Sets below are asked in turn: the
 * depth is bounded at EPOLL_CTL_ADD. */
static uint32_t ep_poll(struct file *f, struct poll_table *pt)
{
	struct eventpoll *ep = f->priv;
	struct epitem *epi, *next;

	poll_wait(pt, &ep->poll_wait);
	LIST_FOR_EACH_SAFE(epi, next, &ep->ready, ready_node) {
		if (ep_item_poll(epi, NULL))
			return EPOLLIN | EPOLLRDNORM;
		list_del(&epi->ready_node);
	}
	return 0;
}

static int ep_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct eventpoll *ep = f->priv;
	size_t done = 0;

	for (unsigned i = 0; i < ep->hash_size; i++) {
		for (struct epitem *epi = ep->hash[i]; epi && done < size; epi = epi->hash_next)
			done += (size_t)snprintf(buf + done, size - done,
						 "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx "
						 "sdev:%x\n",
						 epi->fd, epi->events, (unsigned long long)epi->data,
						 (long long)epi->file->pos,
						 (unsigned long long)epi->file->inode->ino, 0);
	}
	return (int)MIN(done, size);
}

static const struct file_ops eventpoll_fops = {
	.release = ep_release,
	.llseek = noop_llseek,
	.poll = ep_poll,
	.show_fdinfo = ep_show_fdinfo,
};

struct eventpoll *eventpoll_of_file(const struct file *f)
{
	return f->op == &eventpoll_fops ? f->priv : NULL;
}

int eventpoll_new_file(struct file **ret)
{
	struct eventpoll *ep = calloc(1, sizeof(*ep));
	int err;

	if (!ep)
		return -ENOMEM;
	waitq_init(&ep->wait);
	waitq_init(&ep->poll_wait);
	list_init(&ep->ready);
	err = file_new_anon("anon_inode:[eventpoll]", 0600, &eventpoll_fops, O_RDWR, ep, &ep->file);
	if (err) {
		free(ep);
		return err;
	}
	*ret = ep->file;
	return 0;
}

/* How deep the sets below ep nest; more than EP_MAX_NESTS when `stop` is among them. */
static int depth_below(struct eventpoll *ep, struct eventpoll *stop, uint64_t visit, int level)
{
	int deepest = 0;

	if (ep == stop || level > EP_MAX_NESTS)
		return EP_MAX_NESTS + 1;
	ep->visit = visit;
	for (unsigned i = 0; i < ep->hash_size; i++) {
		for (struct epitem *epi = ep->hash[i]; epi; epi = epi->hash_next) {
			struct eventpoll *below = eventpoll_of_file(epi->file);
			int d;

			if (!below || (below->visit == visit && below != stop))
				continue;
			d = 1 + depth_below(below, stop, visit, level + 1);
			deepest = MAX(deepest, d);
		}
	}
	return deepest;
}

static int depth_above(struct eventpoll *ep, int level)
{
	struct epitem *epi;
	int highest = 0;

	if (level > EP_MAX_NESTS)
		return level;
	LIST_FOR_EACH(epi, &ep->file->epoll_items, file_node) {
		int d = 1 + depth_above(epi->ep, level + 1);

		highest = MAX(highest, d);
		if (highest > EP_MAX_NESTS)
			break;
	}
	return highest;
}

int ep_loop_check(struct eventpoll *ep, struct eventpoll *target)
{
	static uint64_t visit;
	int depth = depth_below(target, ep, ++visit, 0);

	if (depth > EP_MAX_NESTS || depth + 1 + depth_above(ep, 0) > EP_MAX_NESTS)
		return -ELOOP;
	return 0;
}
