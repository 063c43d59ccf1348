/* Netlink sockets: the inside. A socket has a queue of datagrams; what a program sends goes to whoever answers its
 * protocol: netd (routes, sockets of the Internet), or a function here. Answers are queued before the send
 * returns, as with the kernel. */
#ifndef SYSD_NET_NETLINK_NETLINK_H
#define SYSD_NET_NETLINK_NETLINK_H

#include "common/base/list.h"
#include "services/sysd/abi/netlink.h"
#include "services/sysd/net/socket.h"

#define NETLINK_GROUPS_MAX 64u

struct netlink_packet {
	struct list node;
	uint32_t size, group, from;
	uint8_t data[];
};

struct netlink_sock {
	struct socket s;         /* first */
	struct list all;         /* of all netlink sockets */
	uint32_t number;         /* what netd knows it by */
	uint32_t space;          /* netd's number of its namespace, once it listens to a group */
	uint32_t port;           /* nl_pid; 0: not bound */
	uint32_t dst_port, dst_groups;
	uint64_t groups;         /* bit n - 1: group n */
	struct list queue;
	size_t queue_bytes;
	bool pktinfo, cap_ack, ext_ack, strict, no_enobufs, broadcast_error, overrun;
};

static inline struct netlink_sock *netlink_sk(struct socket *s)
{
	return (struct netlink_sock *)s;
}

/* queue.c */
/* Queues a datagram; one that does not fit is lost, and the socket told so (ENOBUFS). */
void netlink_queue(struct netlink_sock *k, uint32_t group, uint32_t from, const void *data, size_t size);
void netlink_queue_free(struct netlink_sock *k);
ssize_t netlink_recvmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
/* To all members of a group of a protocol in a namespace. */
void netlink_multicast(struct net_ns *ns, int protocol, uint32_t group, const void *data, size_t size);
struct list *netlink_all(void);

/* options.c */
int netlink_setsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size);
int netlink_getsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint64_t usize);
/* The namespace's members of groups of NETLINK_ROUTE changed: netd is told what is listened to. May sleep. */
void netlink_groups_changed(struct netlink_sock *k);
/* May this task be a member of groups of the protocol? */
int netlink_may_listen(int protocol, struct task *t);

/* Requests, by protocol: data holds whole datagrams of the program. 0 or -errno of the send. May sleep. */
int netlink_to_netd(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size);
int netlink_diag(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size);
int netlink_generic(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size);
int netlink_audit(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size);

/* reply.c: answers made here. Walks the messages of a datagram. */
const struct abi_nlmsghdr *netlink_next(const uint8_t *data, size_t size, size_t *pos);
void netlink_ack(struct netlink_sock *k, const struct abi_nlmsghdr *req, int error);
void netlink_done(struct netlink_sock *k, const struct abi_nlmsghdr *req, int error);

#endif
