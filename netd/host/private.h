/* The parts of host/ among themselves. */
#ifndef NETD_HOST_PRIVATE_H
#define NETD_HOST_PRIVATE_H

#include <netinet/in.h>
#include <sys/epoll.h>

#include "common/base/util.h"
#include "netd/host/host.h"
#include "netd/link/link.h"

struct host_net {
	struct link_source source;
	struct list again;           /* host_sock.again: more to do than one turn takes */
	struct epoll_event *events;  /* of the round that is under way, */
	int event_count, event_next; /* so that a socket that goes takes its own out */
};

struct host_sock {
	struct nsock s;
	struct host_net *h;
	int fd;
	struct list again;
	struct nsock_opt applied;    /* what the host's socket was told */
	bool readable, writable;     /* until EAGAIN */
	bool connecting, connected, listening;
	bool eof, dead;              /* the peer's end came; the connection is lost */
	bool shut_rd, want_fin, fin_sent;
	bool closing, more;
	int backlog;
	unsigned waiting;            /* connections that nobody accepted yet */
};

static inline struct host_sock *host_of(struct nsock *s)
{
	return CONTAINER_OF(s, struct host_sock, s);
}

/* sock.c */
extern const struct nsock_ops host_stream_ops, host_dgram_ops;
/* Wraps fd, which it takes, and watches it. NULL: no memory, fd is closed. */
struct host_sock *host_sock_wrap(struct host_net *h, struct netstack *st, int family, int type, int protocol, int fd,
				 const struct nsock_up *up, void *owner);
void host_sock_names(struct host_sock *k, bool peer);
int host_bind(struct nsock *s, const struct nsock_name *n);
int host_getname(struct nsock *s, bool peer, struct nsock_name *ret);
int host_sock_error(struct host_sock *k); /* SO_ERROR, taken */
void host_sock_hang_up(struct host_sock *k); /* closes the descriptor */
void host_sock_free(struct nsock *s);

/* name.c: a name as the host's kernel has it, for a socket of that family. */
socklen_t host_name_out(int family, const struct nsock_name *n, struct sockaddr_storage *ret);
void host_name_in(const struct sockaddr_storage *ss, struct nsock_name *ret);

/* stream.c, dgram.c: the host says that something happened. */
void host_stream_event(struct host_sock *k, uint32_t events);
void host_dgram_event(struct host_sock *k, uint32_t events);
void host_dgram_prepare(struct host_sock *k);

/* opt.c */
void host_opt_changed(struct nsock *s);
int host_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size);
int host_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size);

#endif
