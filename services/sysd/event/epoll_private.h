/* Inside of epoll: sets, items and their wait entries. */
#ifndef SYSD_EVENT_EPOLL_PRIVATE_H
#define SYSD_EVENT_EPOLL_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/poll.h"

struct file;
struct epitem;
struct uio;

/* One queue that an item waits on. */
struct ep_wait {
	struct waitq_entry entry;
	struct epitem *item;
	struct ep_wait *next;
};

/* A watched (file, descriptor number) of a set. No reference to the file: its last close removes
 * the item. */
struct epitem {
	struct list ready_node; /* in eventpoll.ready, else self-linked */
	struct list file_node;  /* in file->epoll_items */
	struct epitem *hash_next;
	struct eventpoll *ep;
	struct file *file;
	int fd;
	uint32_t events; /* as the guest set them; only EP_PRIVATE_BITS: disarmed by EPOLLONESHOT */
	uint64_t data;
	struct ep_wait *waits;
	unsigned inline_used;
	struct ep_wait inline_waits[2];
};

struct eventpoll {
	struct waitq wait;      /* epoll_wait */
	struct waitq poll_wait; /* who polls the epoll file itself */
	struct list ready;
	struct file *file;
	struct epitem **hash;
	unsigned hash_size, count; /* hash_size: a power of two */
	uint64_t visit;            /* of the loop check */
};

#define EP_PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define EP_MAX_NESTS 4

struct eventpoll *eventpoll_of_file(const struct file *f); /* NULL: none */
int eventpoll_new_file(struct file **ret);
struct epitem *ep_find(struct eventpoll *ep, struct file *f, int fd);
int ep_insert(struct eventpoll *ep, struct file *f, int fd, uint32_t events, uint64_t data);
void ep_modify(struct epitem *epi, uint32_t events, uint64_t data);
void ep_remove(struct epitem *epi);
/* The item's events that hold now. */
uint32_t ep_item_poll(struct epitem *epi, struct poll_table *pt);
void ep_wake(struct eventpoll *ep);
/* 0, or -ELOOP when `target` in ep would close a circle or nest too deep. */
int ep_loop_check(struct eventpoll *ep, struct eventpoll *target);

#endif
