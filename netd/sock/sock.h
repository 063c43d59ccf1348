/* Transport endpoints inside netd: what the server of sysd's requests (api/) and the tests use, and what
 * TCP, UDP, raw, ping and packet sockets implement. No blocking anywhere: a call answers at once, -EAGAIN and
 * -EINPROGRESS included, and an upcall says when to look again.
 *
 * Data of a stream lies in two byte rings (common/chan/bytering.h) that the owner provides: `tx` is the send
 * buffer (the transport consumes it up to what the peer acknowledged), `rx` the receive buffer (the transport
 * produces). The receive window is rx's free room. Datagrams are handed over one by one.
 *
 * Life: *_create gives one reference to the owner. nsock_close says that the owner is gone; the endpoint lives on by
 * itself until its protocol is done with it (TIME_WAIT included). */
#ifndef NETD_SOCK_SOCK_H
#define NETD_SOCK_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include "common/base/list.h"
#include "netd/core/addr.h"
#include "netd/ip/ip.h"

struct bytering;
struct netstack;
struct nsock;

/* Readiness, as poll(2) has it; what nsock_poll returns and event upcalls carry. */
#define NSOCK_IN 0x001u
#define NSOCK_PRI 0x002u   /* urgent data */
#define NSOCK_OUT 0x004u
#define NSOCK_ERR 0x008u   /* so_error or the error queue has something */
#define NSOCK_HUP 0x010u   /* both directions are closed */
#define NSOCK_RDHUP 0x2000u

struct nsock_name {
	struct ip_addr addr;
	uint16_t port;           /* network order */
	uint32_t flowinfo;       /* network order */
};

/* What a datagram carries beside its bytes; both ways. */
struct nsock_meta {
	struct nsock_name from;  /* in: the sender. out: family 0, or the source to use (IP_PKTINFO) */
	struct nsock_name to;    /* in: the destination (PKTINFO). out: family 0: the connected peer */
	int ifindex;             /* in: arrival. out: IP_PKTINFO's, 0: none */
	uint8_t ttl, tos;        /* out: 0 is the socket's own; tos with NSOCK_META_TOS */
	uint32_t flow_label;
	uint64_t rx_ns;          /* CLOCK_REALTIME */
	uint16_t gso_size;       /* UDP_SEGMENT / UDP_GRO */
	uint16_t flags;
	/* packet sockets */
	uint16_t protocol;       /* EtherType, network order */
	uint16_t hatype;
	uint8_t pkttype, halen, hwaddr[8];
	uint32_t orig_len;       /* before a cut */
	/* error queue */
	const struct ip_error *error;
};
#define NSOCK_META_TOS 1u
#define NSOCK_META_TTL 2u
#define NSOCK_META_BROADCAST 4u /* arrived as link broadcast / multicast */
#define NSOCK_META_CONFIRM 8u   /* MSG_CONFIRM */
#define NSOCK_META_DONTROUTE 16u
#define NSOCK_META_CSUM_PENDING 32u /* packet sockets: TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID */
#define NSOCK_META_CSUM_VALID 64u

/* The owner's side. Called from within the stack; must not call back into the same socket except nsock_poll and
 * ring functions, must not free it. */
struct nsock_up {
	/* Readiness may have changed; `mask` are the bits that rose. */
	void (*event)(struct nsock *s, uint32_t mask);
	/* A datagram came (UDP, raw, ping, packet) or an entry of the error queue (meta->error). True: taken. False: no
	 * room, counted as dropped. */
	bool (*deliver)(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count);
	/* TCP: a connection to this machine itself is established with nothing under way in either direction. When the
	 * owner returns true it moves the data itself from now on (what one end writes appears in the other's rx); the
	 * transport then only keeps state, and the owner tells it by nsock_pair_*. */
	bool (*paired)(struct nsock *a, struct nsock *b);
	/* TCP: a listener wants rings for a connection that is complete. Returns the child's owner data, or NULL: refuse
	 * (the backlog counts are the transport's business). *ret_tx, *ret_rx stay valid until nsock_close. */
	void *(*adopt)(struct nsock *listener, struct nsock *child, struct bytering **ret_tx,
		       struct bytering **ret_rx);
	/* TCP, may be NULL: with this throughput and round trip a buffer of `size` bytes (tx: send, else receive) would
	 * be of use. The owner may let the ring grow (bytering_grow, or only its limit), now or later, or not at all; not
	 * asked when the size was set by an option. */
	void (*grow)(struct nsock *s, bool tx, uint64_t size);
	/* After nsock_close: the rings and s itself are no more the transport's; s is not valid after the call. */
	void (*done)(struct nsock *s);
};

/* HOST: of the host's kernel (netd/host/), whatever its type. */
enum nsock_kind { NSOCK_TCP, NSOCK_UDP, NSOCK_RAW, NSOCK_PING, NSOCK_PACKET, NSOCK_HOST };

/* Common options, read by the transports; the owner writes them through nsock_set. */
struct nsock_opt {
	int bound_if;            /* SO_BINDTODEVICE */
	uint32_t mark, priority;
	int sndbuf, rcvbuf;      /* bytes, as set (doubled, as Linux has them) */
	bool sndbuf_locked, rcvbuf_locked;
	bool reuseaddr, reuseport, broadcast, keepalive, dontroute, v6only, freebind, transparent;
	bool linger_on;
	uint32_t linger_s;
	uint8_t tos, tclass, ttl, hops, mc_ttl, mc_hops; /* ttl..mc_hops: 0 is the default */
	bool mc_loop, mc_loop6, mc_all, mc_all6;
	int mc_if, mc_if6;
	struct ip_addr mc_addr;
	uint8_t pmtudisc, pmtudisc6;  /* IP_PMTUDISC_* */
	bool recverr, recverr6, hdrincl, nodefrag, no_check;
	bool dontfrag6;          /* IPV6_DONTFRAG */
	uint8_t minhops6;        /* IPV6_MINHOPCOUNT, 0: any */
	bool minttl_set;
	uint8_t minttl;
	bool aside;              /* not the guest's own: its name is in nobody's way */
	uint32_t uid;            /* of its maker, for /proc/net and sock_diag */
	uint64_t inode;
};

struct nsock_ops {
	int (*bind)(struct nsock *s, const struct nsock_name *n);
	/* TCP: -EINPROGRESS, then NSOCK_OUT (or NSOCK_ERR). Others: sets the peer; n NULL dissolves it. */
	int (*connect)(struct nsock *s, const struct nsock_name *n);
	int (*listen)(struct nsock *s, int backlog);
	/* The next complete connection (its owner data was made by up->adopt), or -EAGAIN. */
	int (*accept)(struct nsock *s, struct nsock **ret);
	int (*getname)(struct nsock *s, bool peer, struct nsock_name *ret);
	int (*shutdown)(struct nsock *s, bool rd, bool wr);
	/* Datagrams: sends now. The count or -errno. Streams: NULL. */
	ssize_t (*send)(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count);
	/* Streams: the owner produced into tx / consumed from rx. more: MSG_MORE, do not push a partial segment. */
	void (*tx_ready)(struct nsock *s, bool more);
	void (*rx_consumed)(struct nsock *s);
	/* TCP: the byte before position `pos` of tx is urgent. */
	void (*tx_urgent)(struct nsock *s);
	uint32_t (*poll)(struct nsock *s);
	/* Options beyond struct nsock_opt, by level and name; -ENOPROTOOPT. get: *size in and out. */
	int (*setopt)(struct nsock *s, int level, int name, const void *val, uint32_t size);
	int (*getopt)(struct nsock *s, int level, int name, void *val, uint32_t *size);
	/* An option of struct nsock_opt was changed. */
	void (*opt_changed)(struct nsock *s);
	void (*close)(struct nsock *s, bool reset); /* reset: unread data or linger 0 */
	void (*free)(struct nsock *s);
};

struct nsock {
	const struct nsock_ops *ops;
	const struct nsock_up *up;   /* NULL after done */
	void *owner;                 /* the owner's data */
	struct netstack *st;
	struct list all;             /* of its kind, for dumps */
	unsigned refs;
	enum nsock_kind kind;
	int family, type, protocol;
	uint64_t cookie;
	struct nsock_name local, peer;
	struct nsock_opt opt;
	int err;                     /* SO_ERROR, positive; nsock_take_error */
	bool closed;
	/* streams */
	struct bytering *tx, *rx;
	/* the port that it holds, see port.h */
	void *port;
	/* its multicast memberships, see mcast.h */
	void *mcast;
};

/* -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EPERM is the caller's business, -ENOMEM. */
int tcp_create(struct netstack *st, int family, const struct nsock_up *up, void *owner, struct nsock **ret);
int udp_create(struct netstack *st, int family, bool lite, const struct nsock_up *up, void *owner,
	       struct nsock **ret);
int raw_create(struct netstack *st, int family, int protocol, const struct nsock_up *up, void *owner,
	       struct nsock **ret);
int ping_create(struct netstack *st, int family, const struct nsock_up *up, void *owner, struct nsock **ret);
int packet_create(struct netstack *st, int type, uint16_t protocol, const struct nsock_up *up, void *owner,
		  struct nsock **ret);
void nsock_init(struct nsock *s, struct netstack *st, const struct nsock_ops *ops, enum nsock_kind kind, int family,
		int type, int protocol, const struct nsock_up *up, void *owner);
void nsock_set_rings(struct nsock *s, struct bytering *tx, struct bytering *rx); /* TCP, before connect */
/* The owner is gone and its reference is given back: no upcall but `done` follows. Bytes in tx are still sent as the protocol allows (SO_LINGER's
 * waiting is the owner's business: it may keep the socket until `done`). The rings stay valid until `done`, which may
 * be called from within this function. reset: there was unread data, or linger 0: the connection is aborted. */
void nsock_close(struct nsock *s, bool reset);
static inline struct nsock *nsock_ref(struct nsock *s)
{
	s->refs++;
	return s;
}
void nsock_unref(struct nsock *s);
/* Takes the pending error: positive errno or 0. */
static inline int nsock_take_error(struct nsock *s)
{
	int err = s->err;

	s->err = 0;
	return err;
}
void nsock_raise(struct nsock *s, uint32_t mask); /* calls up->event when there is an owner */

/* Pairs (see nsock_up.paired). The owner says what happened on one end, after it moved the data. */
void nsock_pair_shutdown(struct nsock *s);             /* s will write no more: FIN, in state only */
void nsock_pair_reset(struct nsock *s);                /* closed with unread data */
void nsock_pair_account(struct nsock *s, uint64_t sent, uint64_t received); /* totals, for TCP_INFO and /proc */

/* All sockets of a kind, for dumps; NULL begins. */
struct nsock *nsock_next(struct netstack *st, enum nsock_kind kind, struct nsock *prev);

#endif
