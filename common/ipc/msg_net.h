/* Messages between sysd and netd on their ring (the "net" section of sbx.cddl). One struct serves all kinds; which
 * fields count stands beside each. Bytes of connections and datagrams are not here: they lie in the arena
 * (common/chan/netshm.h).
 *
 * A request with req != 0 is answered by one NET_REPLY with the same number, in any order. A socket is made by the first
 * request that needs netd (bind, connect, listen, the first datagram) together with the options set so far, so
 * that a connect costs one round trip. */
#ifndef SBX_IPC_MSG_NET_H
#define SBX_IPC_MSG_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/chan/netshm.h"

enum net_msg_kind {
	/* sysd to netd */
	NET_DO = 1,       /* req, sock (NET_SOCK_NONE: make one of ns, family, type, protocol, uid, inode), opts, flags =
			   * NET_DO_*: bind to local, connect to remote, listen with value as backlog; in this order */
	NET_SETOPT = 2,   /* req (0: cannot fail), sock, opts (one) */
	NET_GETOPT = 3,   /* req, sock, level, name, value = room; the reply's data */
	NET_SHUTDOWN = 4, /* sock, flags = NET_SHUT_* */
	NET_CLOSE = 5,    /* req (0: no answer; else when the protocol is done with it), sock, flags = NET_CLOSE_* */
	NET_PAIR = 6,     /* sock, flags = NET_PAIR_*, value = bytes sent, value2 = bytes received: news of one
			   * end of a connection whose bytes sysd moves itself */
	NET_ROUTE = 7,    /* req, sock, local (family 0, or the source asked for), remote, value = interface: may a
			   * datagram go there? Binds a socket that is not. Reply: local name, flags = NET_ROUTE_* */
	NET_IOCTL = 8,    /* req, ns, value = command, flags (NET_CAP_*), data; the reply's data */
	NET_NETLINK = 9,  /* req, ns, sock = number of the netlink socket (sysd's), protocol, value = port id,
			   * flags (NET_CAP_*), data. The answers come as NET_NLMSG before the reply */
	NET_NLGROUPS = 10, /* ns, value = the groups 1 to 64 of NETLINK_ROUTE that anybody listens to, as bits */
	NET_PROC = 11,    /* req, ns, text = file below /proc/net, value = offset; the reply's data, value = whole size */
	NET_SYSCTL = 12,  /* req, ns, text = name below /proc/sys/net, data = new text or empty: read */
	NET_NS = 13,      /* req, ns, flags = NET_NS_* */
	NET_ACCEPTED = 14, /* sock = the child, inode: a guest has taken it out of its listener's queue */
	/* netd to sysd */
	NET_UP = 32,      /* ticket = the arena, ticket2 = a socket that wakes netd (a byte); value = its size */
	NET_REPLY = 33,   /* req, error, sock, peer, flags, value, local, remote, tx, rx, data */
	NET_CHILD = 34,   /* sock = listener, peer = the new one, pair = the socket it is paired with, local, remote,
			   * tx, rx */
	NET_NLMSG = 35,   /* ns, sock, value = group (0: an answer to sock), data: for netlink sockets */
	NET_ERROR = 36,   /* sock, value = errno, flags = origin | type << 8 | code << 16, value2 = info,
			   * local = offender, remote = where the packet went, data = its payload: error queue */
};

#define NET_SOCK_NONE UINT32_MAX

#define NET_DO_BIND 1u
#define NET_DO_CONNECT 2u
#define NET_DO_LISTEN 4u
#define NET_DO_DISCONNECT 8u
/* of the reply: the connection is there / is under way / sysd moves its bytes itself, the other end is `peer` */
#define NET_DID_CONNECT 1u
#define NET_DID_BEGIN 2u
#define NET_DID_PAIR 4u
#define NET_SHUT_RD 1u
#define NET_SHUT_WR 2u
#define NET_CLOSE_RESET 1u
#define NET_PAIR_FIN 1u
#define NET_PAIR_RESET 2u
#define NET_ROUTE_BROADCAST 1u
#define NET_ROUTE_LOCAL 2u
#define NET_CAP_ADMIN 1u
#define NET_CAP_RAW 2u
/* options of a netlink socket, which change how it is answered */
#define NET_NL_EXT_ACK 16u
#define NET_NL_CAP_ACK 32u
#define NET_NL_STRICT 64u
#define NET_NS_NEW 1u
#define NET_NS_FREE 2u

#define NET_OPTS_MAX 64
#define NET_OPT_SIZE_MAX 1024u
#define NET_DATA_MAX (96u * 1024)
#define NET_MSG_MAX (128u * 1024)

struct net_opt {
	int32_t level, name;
	uint32_t size;
	const uint8_t *data; /* a decoder's points into the message */
};
struct net_place { /* a region of the arena */
	uint64_t off, size;
};

struct net_msg {
	uint8_t kind;
	int32_t error;
	uint32_t req, ns, sock, peer, pair;
	uint32_t family, type, protocol, uid, flags;
	int32_t level, name;
	uint64_t inode, value, value2, ticket, ticket2;
	struct net_name local, remote;
	struct net_place tx, rx;
	uint32_t opt_count;
	struct net_opt opts[NET_OPTS_MAX];
	char text[128];
	uint32_t data_size;
	const uint8_t *data;
};

/* The size written, -EMSGSIZE, or -EINVAL (no such kind, too many options). */
long net_msg_encode(const struct net_msg *m, void *buf, size_t size);
/* 0 or -EPROTO. Unknown kinds, missing and surplus fields, and values out of range are refused. *ret is then
 * of no use; on success its pointers point into buf. */
int net_msg_decode(const void *buf, size_t size, struct net_msg *ret);

#endif
