/* AF_NETLINK: making, naming and ending sockets, and where what is sent goes. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/ipc/msg_net.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/family.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/netlink/netlink.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/poll.h"

#define SEND_MAX NET_DATA_MAX

static struct netlink_sock *find_port(const struct net_ns *ns, int protocol, uint32_t port)
{
	struct netlink_sock *k;

	LIST_FOR_EACH (k, netlink_all(), all)
		if (k->s.ns == ns && k->s.protocol == protocol && k->port == port)
			return k;
	return NULL;
}

/* The process id if it is free, else a negative number, as the kernel has it. */
static void autobind(struct netlink_sock *k, struct task *t)
{
	static uint32_t rover = (uint32_t)-4097;
	uint32_t port = (uint32_t)pids_pid_of(t, t->signal);

	if (k->port)
		return;
	while (!port || find_port(k->s.ns, k->s.protocol, port))
		port = rover--;
	k->port = port;
}

static int read_name(const struct sock_addr *addr, struct abi_sockaddr_nl *ret)
{
	if (addr->size < sizeof(*ret) || addr->family != AF_NETLINK)
		return -EINVAL;
	memcpy(ret, addr->raw, sizeof(*ret));
	return 0;
}

static int netlink_bind(struct socket *s, struct task *t, const struct sock_addr *addr)
{
	struct netlink_sock *k = netlink_sk(s);
	struct abi_sockaddr_nl nl;
	int ret = read_name(addr, &nl);

	if (!ret && nl.groups)
		ret = netlink_may_listen(s->protocol, t);
	if (ret)
		return ret;
	if (k->port && nl.pid != k->port)
		return -EINVAL;
	if (!k->port && nl.pid) {
		if (find_port(s->ns, s->protocol, nl.pid))
			return -EADDRINUSE;
		k->port = nl.pid;
	}
	autobind(k, t);
	if (nl.groups || (uint32_t)k->groups) {
		k->groups = (k->groups & ~0xffffffffull) | nl.groups;
		netlink_groups_changed(k);
	}
	return 0;
}

static int netlink_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock)
{
	struct netlink_sock *k = netlink_sk(s);
	struct abi_sockaddr_nl nl;
	int ret;

	(void)nonblock;
	if (addr->size >= sizeof(uint16_t) && addr->family == AF_UNSPEC) {
		k->dst_port = k->dst_groups = 0;
		s->state = SS_UNCONNECTED;
		return 0;
	}
	ret = read_name(addr, &nl);
	if (ret)
		return ret;
	if ((nl.groups || nl.pid) && !capable(t, CAP_NET_ADMIN))
		return -EPERM;
	autobind(k, t);
	k->dst_port = nl.pid;
	k->dst_groups = nl.groups;
	s->state = SS_ESTABLISHED;
	return 0;
}

static int netlink_getname(struct socket *s, bool peer, struct sock_addr *ret)
{
	struct netlink_sock *k = netlink_sk(s);
	struct abi_sockaddr_nl nl = {.family = AF_NETLINK};

	nl.pid = peer ? k->dst_port : k->port;
	nl.groups = peer ? k->dst_groups : (uint32_t)k->groups;
	ret->size = sizeof(nl);
	memcpy(ret->raw, &nl, sizeof(nl));
	return 0;
}

/* netd's number of the socket's namespace. */
static int space_of(struct netlink_sock *k, uint32_t *ret)
{
	int err = netd_ready();

	return err ? err : netd_ns(k->s.ns, ret);
}

int netlink_to_netd(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size)
{
	struct net_msg *m;
	uint32_t ns;
	int ret = space_of(k, &ns);

	if (ret)
		return ret == -EINTR ? ret : -ECONNREFUSED;
	m = netd_msg(NET_NETLINK);
	m->ns = ns;
	m->sock = k->number;
	m->protocol = (uint32_t)k->s.protocol;
	m->value = k->port;
	m->flags = (capable(t, CAP_NET_ADMIN) ? NET_CAP_ADMIN : 0) | (k->ext_ack ? NET_NL_EXT_ACK : 0) |
		   (k->cap_ack ? NET_NL_CAP_ACK : 0) | (k->strict ? NET_NL_STRICT : 0);
	m->data = data;
	m->data_size = (uint32_t)size;
	ret = netd_call(m, NULL);
	return ret == -ENETDOWN || ret == -ECONNRESET ? -ECONNREFUSED : ret;
}

void netlink_groups_changed(struct netlink_sock *k)
{
	struct netlink_sock *other;
	struct net_msg *m;
	uint64_t groups = 0;
	uint32_t ns;

	if (k->s.protocol != ABI_NETLINK_ROUTE || space_of(k, &ns))
		return;
	k->space = ns;
	LIST_FOR_EACH (other, netlink_all(), all)
		if (other->s.ns == k->s.ns && other->s.protocol == ABI_NETLINK_ROUTE)
			groups |= other->groups;
	m = netd_msg(NET_NLGROUPS);
	m->ns = ns;
	m->sock = k->number;
	m->protocol = ABI_NETLINK_ROUTE;
	m->value = groups;
	netd_tell(m, true);
}

void netlink_netd_up(void *arg)
{
	struct netlink_sock *k, *found;
	uint64_t done = 0; /* cookies rise in the order of the list */

	(void)arg;
	do {
		found = NULL;
		LIST_FOR_EACH (k, netlink_all(), all) {
			if (k->s.cookie > done && k->groups) {
				found = k;
				break;
			}
		}
		if (found) {
			done = found->s.cookie;
			socket_ref(&found->s);
			netlink_groups_changed(found);
			socket_unref(&found->s);
		}
	} while (found);
}

/* From netd: answers (group 0) to the socket with the number, news for the members of a group of a namespace. */
void netlink_input(uint32_t ns, uint32_t number, uint32_t group, const uint8_t *data, uint32_t size)
{
	struct netlink_sock *k;

	LIST_FOR_EACH (k, netlink_all(), all) {
		if (!group && k->number == number) {
			netlink_queue(k, 0, 0, data, size);
			return;
		}
		if (group && group <= NETLINK_GROUPS_MAX && k->s.protocol == ABI_NETLINK_ROUTE && k->space == ns &&
		    k->groups >> (group - 1) & 1)
			netlink_queue(k, group, 0, data, size);
	}
}

static int to_kernel(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size)
{
	switch (k->s.protocol) {
	case ABI_NETLINK_ROUTE:
		return netlink_to_netd(k, t, data, size);
	case ABI_NETLINK_SOCK_DIAG:
		return netlink_diag(k, t, data, size);
	case ABI_NETLINK_GENERIC:
		return netlink_generic(k, t, data, size);
	case ABI_NETLINK_AUDIT:
		return netlink_audit(k, t, data, size);
	default:
		return -ECONNREFUSED;
	}
}

static ssize_t netlink_sendmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	struct netlink_sock *k = netlink_sk(s), *peer;
	uint32_t port = k->dst_port, groups = k->dst_groups;
	CLEANUP_FREE uint8_t *data = NULL;
	size_t size = m->u.resid;
	ssize_t n;
	int ret;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name.size) {
		struct abi_sockaddr_nl nl;

		ret = read_name(&m->name, &nl);
		if (ret)
			return ret;
		port = nl.pid;
		groups = nl.groups;
	}
	if ((port || groups) && !capable(t, CAP_NET_ADMIN))
		return -EPERM;
	if (size > (size_t)s->sndbuf - 32 || size > SEND_MAX)
		return -EMSGSIZE;
	autobind(k, t);
	data = malloc(size + 8);
	if (!data)
		return -ENOBUFS;
	n = uio_copy_from(&m->u, data, size);
	if (n < 0)
		return n;
	size = (size_t)n;
	if (port) {
		peer = find_port(s->ns, s->protocol, port);
		if (!peer)
			return -ECONNREFUSED;
		netlink_queue(peer, 0, k->port, data, size);
		return n;
	}
	socket_ref(s);
	ret = to_kernel(k, t, data, size);
	socket_unref(s);
	return ret ? ret : n;
}

static uint32_t netlink_poll(struct socket *s, struct poll_table *pt)
{
	struct netlink_sock *k = netlink_sk(s);
	uint32_t events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

	poll_wait(pt, &s->wait);
	if (!list_empty(&k->queue))
		events |= EPOLLIN | EPOLLRDNORM;
	if (k->overrun || s->err)
		events |= EPOLLERR;
	return events;
}

static void netlink_release(struct socket *s)
{
	struct netlink_sock *k = netlink_sk(s);
	bool listened = k->groups;

	s->state = SS_DEAD;
	list_del(&k->all);
	netlink_queue_free(k);
	k->groups = 0;
	socket_wake_state(s, EPOLLIN | EPOLLHUP);
	if (listened)
		netlink_groups_changed(k);
}

static void netlink_free(struct socket *s)
{
	netlink_queue_free(netlink_sk(s));
	free(netlink_sk(s));
}

static const struct socket_ops netlink_ops = {
	.bind = netlink_bind,
	.connect = netlink_connect,
	.getname = netlink_getname,
	.sendmsg = netlink_sendmsg,
	.recvmsg = netlink_recvmsg,
	.poll = netlink_poll,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
	.release = netlink_release,
	.free = netlink_free,
};

static int netlink_create(struct task *t, struct net_ns *ns, int type, int protocol, struct socket **ret)
{
	static uint32_t last_number;
	struct netlink_sock *k;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	switch (protocol) {
	case ABI_NETLINK_ROUTE:
	case ABI_NETLINK_SOCK_DIAG:
	case ABI_NETLINK_AUDIT:
	case ABI_NETLINK_KOBJECT_UEVENT:
	case ABI_NETLINK_GENERIC:
		break;
	default:
		return -EPROTONOSUPPORT;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	socket_init(&k->s, &netlink_ops, t, ns, AF_NETLINK, type, protocol);
	list_init(&k->queue);
	k->number = ++last_number;
	list_add_tail(netlink_all(), &k->all);
	*ret = &k->s;
	return 0;
}

static const struct net_family netlink_family = {.family = AF_NETLINK, .create = netlink_create};

__attribute__((constructor)) static void netlink_register(void)
{
	net_family_register(&netlink_family);
}
