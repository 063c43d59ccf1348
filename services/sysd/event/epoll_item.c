/* Items of an epoll set: entering, waking, polling, removing. A file's wait queues call back when
 * something changed; the item then joins the ready list, and the file is asked what really holds only
 * when epoll_wait collects it. */
#include <errno.h>
#include <stdlib.h>

#include "common/base/util.h"
#include "services/sysd/event/epoll.h"
#include "services/sysd/event/epoll_private.h"
#include "services/sysd/vfs/file.h"

#define USER_WATCHES_MAX (1u << 20)
static unsigned watch_count;

static unsigned hash_of(const struct file *f, int fd)
{
	uint64_t x = ((uint64_t)(uintptr_t)f >> 5) * 0x9e3779b97f4a7c15ull + (unsigned)fd * 0x85ebca6bull;

	return (unsigned)(x >> 20);
}

struct epitem *ep_find(struct eventpoll *ep, struct file *f, int fd)
{
	struct epitem *epi;

	if (!ep->hash)
		return NULL;
	for (epi = ep->hash[hash_of(f, fd) & (ep->hash_size - 1)]; epi; epi = epi->hash_next) {
		if (epi->file == f && epi->fd == fd)
			return epi;
	}
	return NULL;
}

static int hash_room(struct eventpoll *ep)
{
	unsigned size = ep->hash_size ? ep->hash_size * 2 : 8;
	struct epitem **hash;

	if (ep->count < ep->hash_size)
		return 0;
	hash = calloc(size, sizeof(*hash));
	if (!hash)
		return ep->hash_size ? 0 : -ENOMEM; /* longer chains will do */
	for (unsigned i = 0; i < ep->hash_size; i++) {
		struct epitem *epi, *next;

		for (epi = ep->hash[i]; epi; epi = next) {
			struct epitem **slot = &hash[hash_of(epi->file, epi->fd) & (size - 1)];

			next = epi->hash_next;
			epi->hash_next = *slot;
			*slot = epi;
		}
	}
	free(ep->hash);
	ep->hash = hash;
	ep->hash_size = size;
	return 0;
}

void ep_wake(struct eventpoll *ep)
{
	waitq_wake(&ep->wait, 1, 0);
	if (waitq_active(&ep->poll_wait))
		waitq_wake(&ep->poll_wait, INT32_MAX, EPOLLIN | EPOLLRDNORM);
}

/* Does an exclusive wake count as taken: only when somebody sleeps for exactly this. */
static bool takes_exclusive(const struct epitem *epi, uint32_t events)
{
	uint32_t inout = events & (EPOLLIN | EPOLLOUT);

	if (!waitq_active(&epi->ep->wait))
		return false;
	if (inout == EPOLLIN || inout == EPOLLOUT)
		return epi->events & inout;
	return !inout;
}

static bool ep_callback(struct waitq_entry *e, uint32_t events)
{
	struct epitem *epi = CONTAINER_OF(e, struct ep_wait, entry)->item;
	bool taken = true;

	if (!(epi->events & ~EP_PRIVATE_BITS))
		return false;
	if (events && !(events & epi->events))
		return false;
	if (epi->events & EPOLLEXCLUSIVE)
		taken = takes_exclusive(epi, events);
	if (list_empty(&epi->ready_node))
		list_add_tail(&epi->ep->ready, &epi->ready_node);
	ep_wake(epi->ep);
	return taken;
}

struct ep_table {
	struct poll_table pt;
	struct epitem *item;
	int error;
};

static void ep_queue(struct poll_table *pt, struct waitq *q)
{
	struct ep_table *tab = CONTAINER_OF(pt, struct ep_table, pt);
	struct epitem *epi = tab->item;
	struct ep_wait *w;

	if (epi->inline_used < ARRAY_SIZE(epi->inline_waits)) {
		w = &epi->inline_waits[epi->inline_used++];
	} else {
		w = malloc(sizeof(*w));
		if (!w) {
			tab->error = -ENOMEM;
			return;
		}
		w->next = epi->waits;
		epi->waits = w;
	}
	w->item = epi;
	w->entry.func = ep_callback;
	if (epi->events & EPOLLEXCLUSIVE)
		waitq_add_exclusive(q, &w->entry);
	else
		waitq_add(q, &w->entry);
}

uint32_t ep_item_poll(struct epitem *epi, struct poll_table *pt)
{
	return vfs_poll(epi->file, pt) & epi->events;
}

static void leave_queues(struct epitem *epi)
{
	struct ep_wait *w;

	for (unsigned i = 0; i < epi->inline_used; i++)
		waitq_del(&epi->inline_waits[i].entry);
	while ((w = epi->waits)) {
		epi->waits = w->next;
		waitq_del(&w->entry);
		free(w);
	}
	epi->inline_used = 0;
}

void ep_remove(struct epitem *epi)
{
	struct eventpoll *ep = epi->ep;
	struct epitem **slot = &ep->hash[hash_of(epi->file, epi->fd) & (ep->hash_size - 1)];

	leave_queues(epi);
	list_del(&epi->ready_node);
	list_del(&epi->file_node);
	while (*slot != epi)
		slot = &(*slot)->hash_next;
	*slot = epi->hash_next;
	ep->count--;
	watch_count--;
	free(epi);
}

int ep_insert(struct eventpoll *ep, struct file *f, int fd, uint32_t events, uint64_t data)
{
	struct ep_table tab = {.pt.queue = ep_queue};
	struct epitem *epi, **slot;

	if (watch_count >= USER_WATCHES_MAX)
		return -ENOSPC;
	if (hash_room(ep) < 0)
		return -ENOMEM;
	epi = calloc(1, sizeof(*epi));
	if (!epi)
		return -ENOMEM;
	epi->ep = ep;
	epi->file = f;
	epi->fd = fd;
	epi->events = events;
	epi->data = data;
	list_init(&epi->ready_node);
	list_add_tail(&f->epoll_items, &epi->file_node);
	slot = &ep->hash[hash_of(f, fd) & (ep->hash_size - 1)];
	epi->hash_next = *slot;
	*slot = epi;
	ep->count++;
	watch_count++;

	tab.item = epi;
	if (ep_item_poll(epi, &tab.pt) && list_empty(&epi->ready_node)) {
		list_add_tail(&ep->ready, &epi->ready_node);
		ep_wake(ep);
	}
	if (tab.error) {
		ep_remove(epi);
		return tab.error;
	}
	return 0;
}

void ep_modify(struct epitem *epi, uint32_t events, uint64_t data)
{
	epi->events = events;
	epi->data = data;
	if (ep_item_poll(epi, NULL) && list_empty(&epi->ready_node)) {
		list_add_tail(&epi->ep->ready, &epi->ready_node);
		ep_wake(epi->ep);
	}
}

void eventpoll_release(struct file *f)
{
	while (!list_empty(&f->epoll_items))
		ep_remove(LIST_FIRST(&f->epoll_items, struct epitem, file_node));
}
