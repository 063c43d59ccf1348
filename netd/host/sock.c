/* The host's sockets: their set, and what streams and datagrams share. */
#include <errno.h>
#include <unistd.h>

#include "common/log/log.h"
#include "netd/host/private.h"

#define EVENTS 64

static void event(struct host_sock *k, uint32_t events)
{
	if (k->s.type == SOCK_STREAM)
		host_stream_event(k, events);
	else
		host_dgram_event(k, events);
}

static unsigned host_rx(struct link_source *l, unsigned budget)
{
	struct host_net *h = CONTAINER_OF(l, struct host_net, source);
	struct epoll_event events[EVENTS];
	struct list turn = LIST_INIT(turn);
	unsigned done = 0;
	int n;

	/* Who joins the list meanwhile has its turn in the next round. */
	while (!list_empty(&h->again)) {
		struct list *first = h->again.next;

		list_del(first);
		list_add_tail(&turn, first);
	}
	while (!list_empty(&turn)) {
		struct host_sock *k = LIST_FIRST(&turn, struct host_sock, again);

		list_del(&k->again);
		event(k, 0);
		done++;
	}
	n = epoll_wait(l->fd, events, EVENTS, 0);
	h->events = events;
	h->event_count = MAX(n, 0);
	for (h->event_next = 0; h->event_next < h->event_count;) {
		struct epoll_event *e = &events[h->event_next++];

		if (e->data.ptr)
			event(e->data.ptr, e->events);
		done++;
	}
	h->event_count = 0;
	h->events = NULL;
	return list_empty(&h->again) && n < EVENTS ? MIN(done, budget - 1) : budget;
}

static void net_free(struct link_source *l)
{
	struct host_net *h = CONTAINER_OF(l, struct host_net, source);

	close_fd(&l->fd);
	free(h);
}

int host_net_new(struct link_set *set, struct host_net **ret)
{
	struct host_net *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->source = (struct link_source){.fd = epoll_create1(EPOLL_CLOEXEC), .rx = host_rx, .free = net_free};
	if (h->source.fd < 0) {
		int err = -errno;

		free(h);
		return err;
	}
	list_init(&h->again);
	list_add_tail(&set->sources, &h->source.node);
	*ret = h;
	return 0;
}

struct host_sock *host_sock_wrap(struct host_net *h, struct netstack *st, int family, int type, int protocol, int fd,
				 const struct nsock_up *up, void *owner)
{
	struct host_sock *k = calloc(1, sizeof(*k));
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = k};

	if (!k || epoll_ctl(h->source.fd, EPOLL_CTL_ADD, fd, &e) < 0) {
		close(fd);
		free(k);
		return NULL;
	}
	nsock_init(&k->s, st, type == SOCK_STREAM ? &host_stream_ops : &host_dgram_ops, NSOCK_HOST, family, type, protocol,
		   up, owner);
	k->s.local.addr.family = (uint16_t)family;
	k->applied = k->s.opt;
	k->h = h;
	k->fd = fd;
	list_init(&k->again);
	return k;
}

int host_sock_create(struct host_net *h, struct netstack *st, int family, int type, int protocol,
		     const struct nsock_up *up, void *owner, struct nsock **ret)
{
	struct host_sock *k;
	int fd;

	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return -EPERM;
	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	k = host_sock_wrap(h, st, family, type, protocol, fd, up, owner);
	if (!k)
		return -ENOMEM;
	if (type == SOCK_DGRAM)
		host_dgram_prepare(k);
	*ret = &k->s;
	return 0;
}

void host_sock_names(struct host_sock *k, bool peer)
{
	struct sockaddr_storage ss;
	socklen_t size = sizeof(ss);

	if (getsockname(k->fd, (struct sockaddr *)&ss, &size) == 0)
		host_name_in(&ss, &k->s.local);
	size = sizeof(ss);
	if (!peer || getpeername(k->fd, (struct sockaddr *)&ss, &size) < 0)
		k->s.peer = (struct nsock_name){0};
	else
		host_name_in(&ss, &k->s.peer);
}

int host_bind(struct nsock *s, const struct nsock_name *n)
{
	struct host_sock *k = host_of(s);
	struct sockaddr_storage ss;
	socklen_t size = host_name_out(s->family, n, &ss);

	if (bind(k->fd, (struct sockaddr *)&ss, size) < 0)
		return -errno;
	host_sock_names(k, false);
	return 0;
}

int host_getname(struct nsock *s, bool peer, struct nsock_name *ret)
{
	if (peer && !s->peer.addr.family)
		return -ENOTCONN;
	*ret = peer ? s->peer : s->local;
	return 0;
}

int host_sock_error(struct host_sock *k)
{
	socklen_t size = sizeof(int);
	int err = 0;

	getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return err;
}

void host_sock_hang_up(struct host_sock *k)
{
	list_del(&k->again);
	close_fd(&k->fd);
}

void host_sock_free(struct nsock *s)
{
	struct host_sock *k = host_of(s);
	struct host_net *h = k->h;

	for (int i = h->event_next; i < h->event_count; i++)
		if (h->events[i].data.ptr == k)
			h->events[i].data.ptr = NULL;
	host_sock_hang_up(k);
	free(k);
}
