/* Making and freeing sockets of AF_INET, AF_INET6 and AF_PACKET. */
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/net/family.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

struct inet_sock *inet_alloc(struct task *t, struct net_ns *ns, const struct socket_ops *ops, int family, int type,
			     int protocol)
{
	struct inet_sock *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	socket_init(&k->s, ops, t, ns, family, type, protocol);
	k->index = NET_SOCK_NONE;
	list_init(&k->accept_queue);
	list_init(&k->accept_node);
	list_init(&k->errors);
	list_init(&k->revive);
	kmutex_init(&k->lock);
	k->pair_index = NET_SOCK_NONE;
	inet_pair_init(k);
	inet_options_init(k);
	if (type == SOCK_STREAM) {
		k->s.sndbuf = 16384;
		k->s.rcvbuf = 131072;
	}
	return k;
}

/* May t make ICMP sockets without a privilege (net.ipv4.ping_group_range)? */
static bool ping_allowed(struct task *t)
{
	const struct cred *c = t->cred;
	int64_t low = sysctl_ping_group[0], high = sysctl_ping_group[1];

	if (c->egid >= low && c->egid <= high)
		return true;
	for (unsigned i = 0; c->groups && i < c->groups->count; i++)
		if (c->groups->gid[i] >= low && c->groups->gid[i] <= high)
			return true;
	return false;
}

/* The protocol that a type and a number mean; -errno. */
static int protocol_of(struct task *t, int family, int type, int protocol)
{
	int icmp = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	switch (type) {
	case SOCK_STREAM:
		return !protocol || protocol == IPPROTO_TCP ? IPPROTO_TCP : -EPROTONOSUPPORT;
	case SOCK_DGRAM:
		if (!protocol || protocol == IPPROTO_UDP)
			return IPPROTO_UDP;
		if (protocol == IPPROTO_UDPLITE)
			return protocol;
		if (protocol != icmp)
			return -EPROTONOSUPPORT;
		return ping_allowed(t) ? protocol : -EACCES;
	case SOCK_RAW:
		if (!protocol)
			return -EPROTONOSUPPORT;
		return capable(t, CAP_NET_RAW) ? protocol : -EPERM;
	default:
		return -ESOCKTNOSUPPORT;
	}
}

static int inet_create(struct task *t, struct net_ns *ns, int family, int type, int protocol, struct socket **ret)
{
	struct inet_sock *k;

	protocol = protocol_of(t, family, type, protocol);
	if (protocol < 0)
		return protocol;
	k = inet_alloc(t, ns, type == SOCK_STREAM ? &inet_stream_ops : &inet_dgram_ops, family, type, protocol);
	if (!k)
		return -ENOMEM;
	if (type == SOCK_RAW && protocol == IPPROTO_RAW)
		k->opt[OPT_IP_HDRINCL] = 1;
	*ret = &k->s;
	return 0;
}

static int create_v4(struct task *t, struct net_ns *ns, int type, int protocol, struct socket **ret)
{
	return inet_create(t, ns, AF_INET, type, protocol, ret);
}

static int create_v6(struct task *t, struct net_ns *ns, int type, int protocol, struct socket **ret)
{
	return inet_create(t, ns, AF_INET6, type, protocol, ret);
}

static int create_packet(struct task *t, struct net_ns *ns, int type, int protocol, struct socket **ret)
{
	struct inet_sock *k;
	int err;

	if (!capable(t, CAP_NET_RAW))
		return -EPERM;
	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	k = inet_alloc(t, ns, &inet_dgram_ops, AF_PACKET, type, protocol & 0xffff);
	if (!k)
		return -ENOMEM;
	/* It hears from now on, so it has to be there. */
	err = protocol ? inet_attach(k) : 0;
	if (err) {
		inet_dgram_release(&k->s);
		socket_unref(&k->s);
		return err;
	}
	*ret = &k->s;
	return 0;
}

static const struct net_family families[] = {
	{.family = AF_INET, .create = create_v4},
	{.family = AF_INET6, .create = create_v6},
	{.family = AF_PACKET, .create = create_packet},
};

__attribute__((constructor)) static void inet_register(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		net_family_register(&families[i]);
}

uint64_t inet_inode(const struct inet_sock *k)
{
	return k->s.file ? k->s.file->inode->ino : 0;
}

/* A crowd of sockets leaves a heap behind that the allocator keeps, with the files and inodes that went with them. */
#define TIDY_COUNT 1024u
#define TIDY_NS (5 * NSEC_PER_SEC)

static unsigned freed;

static void tidy(struct ktimer *t)
{
	freed = 0;
	byteq_trim();
	malloc_trim(0);
}

static struct ktimer tidy_timer = {.fn = tidy, .heap_index = -1};

static void count_free(void)
{
	if (++freed >= TIDY_COUNT && tidy_timer.heap_index < 0)
		ktimer_start(&tidy_timer, clock_mono_ns() + TIDY_NS);
}

void inet_free(struct socket *s)
{
	struct inet_sock *k = inet_sk(s);

	list_del(&k->revive);
	inet_detach(k, true);
	if (k->pair) /* whatever way it went: nobody may be left with a pointer to it */
		k->pair->pair = NULL;
	inet_drop_errors(k);
	byteq_clear(&k->q);
	ktimer_cancel(&k->hold);
	count_free();
	free(k->pending);
	free(k->filter);
	free(k);
}

int inet_getname(struct socket *s, bool peer, struct sock_addr *ret)
{
	struct inet_sock *k = inet_sk(s);

	if (!peer) {
		inet_addr_out(k, &k->local, ret);
		return 0;
	}
	if (s->family == AF_PACKET)
		return -EOPNOTSUPP;
	if (s->type == SOCK_STREAM ? s->state != SS_ESTABLISHED || k->dead : !k->peer.family)
		return -ENOTCONN;
	if (!k->peer.family)
		return -ENOTCONN;
	inet_addr_out(k, &k->peer, ret);
	return 0;
}

const struct socket_ops inet_stream_ops = {
	.bind = inet_bind,
	.connect = inet_stream_connect,
	.listen = inet_listen,
	.accept = inet_accept,
	.getname = inet_getname,
	.sendmsg = inet_stream_send,
	.recvmsg = inet_stream_recv,
	.shutdown = inet_stream_shutdown,
	.poll = inet_stream_poll,
	.ioctl = inet_ioctl,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.option_changed = inet_option_changed,
	.installed = inet_installed,
	.release = inet_stream_release,
	.free = inet_free,
};

const struct socket_ops inet_dgram_ops = {
	.bind = inet_bind,
	.connect = inet_dgram_connect,
	.getname = inet_getname,
	.sendmsg = inet_dgram_send,
	.recvmsg = inet_dgram_recv,
	.shutdown = inet_dgram_shutdown,
	.poll = inet_dgram_poll,
	.ioctl = inet_ioctl,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.option_changed = inet_option_changed,
	.release = inet_dgram_release,
	.free = inet_free,
};
