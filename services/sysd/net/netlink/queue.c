/* The queue of a socket: datagrams in, datagrams out. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/net/netlink/netlink.h"
#include "services/sysd/task/task.h"

static struct list all = LIST_INIT(all);

struct list *netlink_all(void)
{
	return &all;
}

void netlink_queue(struct netlink_sock *k, uint32_t group, uint32_t from, const void *data, size_t size)
{
	struct netlink_packet *p = NULL;

	if (k->s.state == SS_DEAD)
		return;
	if (k->queue_bytes + size <= (size_t)k->s.rcvbuf)
		p = malloc(sizeof(*p) + size);
	if (!p) {
		if (!k->no_enobufs)
			k->overrun = true;
		socket_wake_state(&k->s, EPOLLERR);
		return;
	}
	p->size = (uint32_t)size;
	p->group = group;
	p->from = from;
	memcpy(p->data, data, size);
	list_add_tail(&k->queue, &p->node);
	/* what a small message costs beside its bytes, about */
	k->queue_bytes += size + 256;
	socket_wake_read(&k->s);
}

static void packet_done(struct netlink_sock *k, struct netlink_packet *p)
{
	list_del(&p->node);
	k->queue_bytes -= MIN(k->queue_bytes, (size_t)p->size + 256);
	free(p);
}

void netlink_queue_free(struct netlink_sock *k)
{
	while (!list_empty(&k->queue))
		packet_done(k, LIST_FIRST(&k->queue, struct netlink_packet, node));
}

void netlink_multicast(struct net_ns *ns, int protocol, uint32_t group, const void *data, size_t size)
{
	struct netlink_sock *k;

	if (!group || group > NETLINK_GROUPS_MAX)
		return;
	LIST_FOR_EACH (k, &all, all)
		if (k->s.ns == ns && k->s.protocol == protocol && k->groups >> (group - 1) & 1)
			netlink_queue(k, group, 0, data, size);
}

static int wait_for_packet(struct netlink_sock *k, unsigned flags)
{
	uint64_t deadline = socket_rcv_deadline(&k->s, flags & MSG_DONTWAIT);
	int ret;

	if (k->overrun) {
		k->overrun = false;
		return -ENOBUFS;
	}
	if (!list_empty(&k->queue))
		return 0;
	if (k->s.err)
		return socket_error(&k->s);
	if (!deadline)
		return -EAGAIN;
	ret = WAIT_EVENT_INTR_TIMEOUT(&k->s.wait, !list_empty(&k->queue) || k->s.err || k->overrun, deadline);
	if (ret)
		return socket_wait_error(ret, deadline);
	if (k->overrun) {
		k->overrun = false;
		return -ENOBUFS;
	}
	return list_empty(&k->queue) ? socket_error(&k->s) : 0;
}

ssize_t netlink_recvmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	struct netlink_sock *k = netlink_sk(s);
	struct abi_sockaddr_nl from = {.family = AF_NETLINK};
	struct netlink_packet *p;
	ssize_t n, full;
	int ret;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	ret = wait_for_packet(k, flags);
	if (ret)
		return ret;
	p = LIST_FIRST(&k->queue, struct netlink_packet, node);
	full = p->size;
	n = uio_copy_to(&m->u, p->data, MIN((size_t)full, m->u.resid));
	if (n < 0)
		return n;
	if (n < full)
		m->out_flags |= MSG_TRUNC;
	from.pid = p->from;
	from.groups = p->group && p->group <= 32 ? 1u << (p->group - 1) : 0;
	m->name.size = sizeof(from);
	memcpy(m->name.raw, &from, sizeof(from));
	if (k->pktinfo) {
		uint32_t group = p->group;

		sock_put_cmsg(m, ABI_SOL_NETLINK, ABI_NETLINK_PKTINFO, &group, sizeof(group));
	}
	if (s->passcred) {
		const struct abi_ucred kernel = {0, 0, 0};

		sock_put_cmsg(m, ABI_SOL_SOCKET, ABI_SCM_CREDENTIALS, &kernel, sizeof(kernel));
	}
	if (!(flags & MSG_PEEK))
		packet_done(k, p);
	return flags & MSG_TRUNC ? full : n;
}
