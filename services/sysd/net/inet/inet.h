/* Sockets of the Internet families and packet sockets: the inside.
 *
 * A socket has no endpoint in netd until something needs one (bind, connect, listen, the first datagram). Options set
 * before are kept here and travel with the request that makes the endpoint.
 *
 * The bytes of a connection lie in the two rings of its control block (ring.c), or, when both its ends are in this sandbox,
 * in a queue of its own (pair.c): then sysd moves them without netd, which keeps only the state. Datagrams lie in
 * the rings as records (dgram.c).
 *
 * netd's death may happen at any sleep: whoever slept looks again at `attached` before touching ctl or rings. */
#ifndef SYSD_NET_INET_INET_H
#define SYSD_NET_INET_INET_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "common/chan/netshm.h"
#include "common/ipc/msg_net.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/net/inet/byteq.h"
#include "services/sysd/net/inet/opttab.h"
#include "services/sysd/net/socket.h"

struct netd_reply;

/* An entry of the error queue (MSG_ERRQUEUE). */
struct inet_error {
	struct list node;
	uint32_t err, info;
	uint8_t origin, type, code;
	struct net_name offender, to;
	uint32_t size;
	uint8_t data[];
};
#define INET_ERRORS_MAX 64
#define INET_ERROR_DATA_MAX 2048u

#define ROUTE_CACHE 16
struct inet_route {          /* netd said that datagrams may go there */
	struct net_name to;
	uint32_t generation, epoch;
	bool broadcast;
};

struct inet_sock {
	struct socket s; /* first */
	/* the endpoint in netd */
	struct list revive;      /* while it waits for the next netd */
	struct kmutex lock;      /* one request that makes or names it at a time */
	bool attached;
	uint32_t index;
	struct net_ctl *ctl;
	struct bytering tx, rx;
	uint32_t seen_err, seen_grant, seen_urgent, ready;
	uint64_t seen_tail;      /* of rx, when readers were woken last */
	uint64_t consumed;       /* of rx, since netd was told */
	struct net_name local, peer; /* family 0: none */
	bool bound, dead;        /* dead: a connection that was reset or is over on both sides */
	enum { REPORT_NOTHING, REPORT_CONNECTED, REPORT_FAILED } report; /* what the next connect(2) says */
	int backlog;
	/* a listener */
	struct list accept_queue, accept_node;
	unsigned accept_count;
	/* a pair */
	struct inet_sock *pair;  /* the other end, no reference: it clears this when it goes; NULL: gone or none */
	bool paired;             /* bytes are moved here */
	uint32_t pair_index;     /* whose reply has still to come before the other end is known, or none */
	bool rx_end;             /* the other end will send no more */
	struct byteq q;          /* what the other end sent */
	uint64_t held;           /* the last bytes of q, which the other end holds back (MSG_MORE, TCP_CORK) */
	struct ktimer hold;      /* of this end, while it holds some back in the other's q */
	uint64_t pair_sent, pair_received, pair_told;
	bool wants_room;         /* somebody waits to send */
	/* urgent data: position of the byte in the received stream */
	uint64_t urgent_pos;
	bool urgent_valid, urgent_read, urgent_byte_valid;
	uint8_t urgent_byte;
	uint32_t urgent_sent;
	/* datagrams */
	struct list errors;
	unsigned error_count;
	struct inet_route routes[ROUTE_CACHE];
	uint8_t *pending;        /* MSG_MORE, UDP_CORK: the datagram that is being built */
	uint32_t pending_size, pending_room;
	uint32_t record_size;    /* of the one looked at last, before a filter cut it */
	uint64_t last_rx_ns;     /* SIOCGSTAMP */
	/* options */
	int32_t opt[INET_OPT_COUNT];
	uint64_t opt_set[(INET_OPT_COUNT + 63) / 64];
	char device[16];         /* SO_BINDTODEVICE */
	bool sndbuf_set, rcvbuf_set;
	struct inet_filter *filter; /* NULL: none */
};

static inline struct inet_sock *inet_sk(struct socket *s)
{
	return (struct inet_sock *)s;
}

/* af_inet.c */
extern const struct socket_ops inet_stream_ops, inet_dgram_ops;
struct inet_sock *inet_alloc(struct task *t, struct net_ns *ns, const struct socket_ops *ops, int family, int type,
			     int protocol);
int inet_getname(struct socket *s, bool peer, struct sock_addr *ret);
void inet_free(struct socket *s);
int inet_option_changed(struct socket *s, int name);
uint64_t inet_inode(const struct inet_sock *k);

/* attach.c: the endpoint in netd */
/* One round trip: makes the endpoint if there is none, with all options, and does what flags say (NET_DO_*). */
int inet_do(struct inet_sock *k, unsigned flags, const struct net_name *local, const struct net_name *remote,
	    int backlog, struct netd_reply *ret);
static inline int inet_attach(struct inet_sock *k)
{
	return k->attached ? 0 : inet_do(k, 0, NULL, NULL, 0, NULL);
}
void inet_adopt_rings(struct inet_sock *k, uint32_t index, const struct net_place *tx, const struct net_place *rx);
/* Gives the endpoint up. reset: abort. */
void inet_detach(struct inet_sock *k, bool reset);
void inet_kick(struct inet_sock *k, bool urgent);
/* From netd's client, on the executor's stack. */
void inet_sock_event(struct inet_sock *k);
void inet_sock_dead(struct inet_sock *k);
/* A netd is there: what listened or had a name before gets it again. */
void inet_revive(void);
void inet_child(const struct net_msg *m);
void inet_error_entry(const struct net_msg *m);

/* addr.c */
/* What bind, connect and sendto get. -EINVAL (too short), -EAFNOSUPPORT. An AF_INET6 socket's IPv4 names are mapped. */
int inet_addr_in(const struct inet_sock *k, const struct sock_addr *a, struct net_name *ret);
void inet_addr_out(const struct inet_sock *k, const struct net_name *n, struct sock_addr *ret);
bool inet_name_any(const struct net_name *n);
bool inet_name_equal(const struct net_name *a, const struct net_name *b);
bool inet_name_v4(const struct net_name *n, uint32_t *ret); /* IPv4, or mapped */

/* connect.c */
int inet_bind(struct socket *s, struct task *t, const struct sock_addr *addr);
int inet_stream_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock);
int inet_dgram_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock);
int inet_listen(struct socket *s, struct task *t, int backlog);
int inet_accept(struct socket *s, struct task *t, bool nonblock, struct socket **ret);
void inet_installed(struct socket *s);
int inet_wait_connect(struct inet_sock *k, uint64_t deadline_ns);

/* stream.c */
ssize_t inet_stream_send(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
ssize_t inet_stream_recv(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
int inet_stream_shutdown(struct socket *s, unsigned how);
uint32_t inet_stream_poll(struct socket *s, struct poll_table *pt);
void inet_stream_release(struct socket *s);
/* Bytes to read, up to the urgent mark if it lies ahead; and in all. */
uint64_t inet_stream_avail(struct inet_sock *k);
uint64_t inet_stream_unread(struct inet_sock *k);
uint64_t inet_stream_unsent(struct inet_sock *k);
uint64_t inet_stream_pos(const struct inet_sock *k);
bool inet_stream_writable(struct inet_sock *k);

/* pair.c */
void inet_pair_init(struct inet_sock *k);
void inet_pair(struct inet_sock *a, struct inet_sock *b);
uint64_t inet_pair_room(const struct inet_sock *k);
/* Bytes were put into the other end's queue, or may go at last: shows them to it. more: all but full segments wait. */
void inet_pair_push(struct inet_sock *k, bool more);
void inet_pair_shutdown(struct inet_sock *k);
void inet_pair_close(struct inet_sock *k, bool reset);
void inet_pair_tell(struct inet_sock *k, unsigned flags);

/* dgram.c */
ssize_t inet_dgram_send(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
ssize_t inet_dgram_recv(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
int inet_dgram_shutdown(struct socket *s, unsigned how);
uint32_t inet_dgram_poll(struct socket *s, struct poll_table *pt);
void inet_dgram_release(struct socket *s);
int64_t inet_dgram_next_size(struct inet_sock *k); /* -1: none */

/* cmsg.c */
struct inet_send_ctl {       /* control messages of a sender */
	int ifindex;
	struct net_name from;
	int ttl, tos;            /* -1: none */
	uint16_t gso_size;
};
int inet_cmsg_parse(struct inet_sock *k, const struct sock_msg *m, struct inet_send_ctl *ret);
void inet_cmsg_put(struct inet_sock *k, struct sock_msg *m, const struct net_dgram *d);
void inet_cmsg_put_time(struct inet_sock *k, struct sock_msg *m, uint64_t rx_ns);
ssize_t inet_recv_error(struct inet_sock *k, struct sock_msg *m, unsigned flags);
void inet_drop_errors(struct inet_sock *k);

/* sockopt.c */
int inet_setsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size);
int inet_getsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint64_t usize);
/* Fills in the options that a new endpoint needs; `store` holds their values as long as the message is used. */
void inet_options_collect(struct inet_sock *k, struct net_msg *m, int32_t store[NET_OPTS_MAX]);
void inet_options_inherit(struct inet_sock *k, const struct inet_sock *listener);
void inet_options_init(struct inet_sock *k);
static inline int32_t inet_opt(const struct inet_sock *k, enum inet_opt_id id)
{
	return k->opt[id];
}

/* ioctl.c */
long inet_ioctl(struct socket *s, struct task *t, unsigned cmd, uint64_t arg);
/* Requests about interfaces, on a socket of any family. -ENOTTY: none of them. Sleeps. */
long inet_dev_ioctl(struct net_ns *in, struct task *t, unsigned cmd, uint64_t arg);

#endif
