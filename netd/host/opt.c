/* Options of the host's sockets. What struct nsock_opt keeps is compared with what the socket was told; of the rest
 * only what stands in a table is passed on. */
#include <errno.h>
#include <netinet/tcp.h>

#include "netd/host/private.h"

#define MCAST_FIRST 42 /* MCAST_JOIN_GROUP to MCAST_LEAVE_SOURCE_GROUP */
#define MCAST_LAST 47
#define SO_BINDTOIFINDEX_ 62
#define IPV6_ADD_MEMBERSHIP_ 20
#define IPV6_DROP_MEMBERSHIP_ 21

static void tell(struct host_sock *k, int level, int name, int value)
{
	setsockopt(k->fd, level, name, &value, sizeof(value));
}

void host_opt_changed(struct nsock *s)
{
	struct host_sock *k = host_of(s);
	const struct nsock_opt now = s->opt, was = k->applied;
	bool v6 = s->family == AF_INET6;

	k->applied = now;
#define TELL(level, name, field) \
	if (now.field != was.field) \
	tell(k, level, name, (int)now.field)
	TELL(SOL_SOCKET, SO_REUSEADDR, reuseaddr);
	TELL(SOL_SOCKET, SO_REUSEPORT, reuseport);
	TELL(SOL_SOCKET, SO_BROADCAST, broadcast);
	TELL(SOL_SOCKET, SO_KEEPALIVE, keepalive);
	TELL(SOL_SOCKET, SO_DONTROUTE, dontroute);
	TELL(SOL_SOCKET, SO_PRIORITY, priority);
	TELL(SOL_SOCKET, SO_BINDTOIFINDEX_, bound_if);
	TELL(SOL_IP, IP_TOS, tos);
	TELL(SOL_IP, IP_MULTICAST_LOOP, mc_loop);
	TELL(SOL_IP, IP_MULTICAST_ALL, mc_all);
	TELL(SOL_IP, IP_MTU_DISCOVER, pmtudisc);
	TELL(SOL_IP, IP_FREEBIND, freebind);
#undef TELL
	/* 0 is the default, which the host's kernel calls -1; the option doubles what it is given */
	if (now.ttl != was.ttl)
		tell(k, SOL_IP, IP_TTL, now.ttl ? now.ttl : -1);
	if (now.mc_ttl != was.mc_ttl)
		tell(k, SOL_IP, IP_MULTICAST_TTL, now.mc_ttl ? now.mc_ttl : -1);
	if (now.sndbuf != was.sndbuf)
		tell(k, SOL_SOCKET, SO_SNDBUF, now.sndbuf / 2);
	if (now.rcvbuf != was.rcvbuf)
		tell(k, SOL_SOCKET, SO_RCVBUF, now.rcvbuf / 2);
	if (now.mc_if != was.mc_if || !ip_addr_equal(&now.mc_addr, &was.mc_addr)) {
		struct ip_mreqn m = {.imr_ifindex = now.mc_if};

		if (now.mc_addr.family == AF_INET)
			m.imr_address.s_addr = now.mc_addr.v4;
		setsockopt(k->fd, SOL_IP, IP_MULTICAST_IF, &m, sizeof(m));
	}
	if (!v6)
		return;
	if (now.v6only != was.v6only)
		tell(k, SOL_IPV6, IPV6_V6ONLY, now.v6only);
	if (now.hops != was.hops)
		tell(k, SOL_IPV6, IPV6_UNICAST_HOPS, now.hops ? now.hops : -1);
	if (now.mc_hops != was.mc_hops)
		tell(k, SOL_IPV6, IPV6_MULTICAST_HOPS, now.mc_hops ? now.mc_hops : -1);
	if (now.tclass != was.tclass)
		tell(k, SOL_IPV6, IPV6_TCLASS, now.tclass);
	if (now.mc_if6 != was.mc_if6)
		tell(k, SOL_IPV6, IPV6_MULTICAST_IF, now.mc_if6);
	if (now.mc_loop6 != was.mc_loop6)
		tell(k, SOL_IPV6, IPV6_MULTICAST_LOOP, now.mc_loop6);
}

static bool passes(int level, int name)
{
	static const struct {
		int level, name;
	} table[] = {
		{SOL_TCP, TCP_NODELAY}, {SOL_TCP, TCP_MAXSEG}, {SOL_TCP, TCP_CORK}, {SOL_TCP, TCP_KEEPIDLE},
		{SOL_TCP, TCP_KEEPINTVL}, {SOL_TCP, TCP_KEEPCNT}, {SOL_TCP, TCP_SYNCNT}, {SOL_TCP, TCP_LINGER2},
		{SOL_TCP, TCP_DEFER_ACCEPT}, {SOL_TCP, TCP_WINDOW_CLAMP}, {SOL_TCP, TCP_INFO}, {SOL_TCP, TCP_QUICKACK},
		{SOL_TCP, TCP_CONGESTION}, {SOL_TCP, TCP_USER_TIMEOUT}, {SOL_TCP, TCP_NOTSENT_LOWAT},
		{SOL_IP, IP_ADD_MEMBERSHIP}, {SOL_IP, IP_DROP_MEMBERSHIP}, {SOL_IP, IP_ADD_SOURCE_MEMBERSHIP},
		{SOL_IP, IP_DROP_SOURCE_MEMBERSHIP}, {SOL_IP, IP_BLOCK_SOURCE}, {SOL_IP, IP_UNBLOCK_SOURCE},
		{SOL_IPV6, IPV6_ADD_MEMBERSHIP_}, {SOL_IPV6, IPV6_DROP_MEMBERSHIP_},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].level == level && table[i].name == name)
			return true;
	return (level == SOL_IP || level == SOL_IPV6) && name >= MCAST_FIRST && name <= MCAST_LAST;
}

int host_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	if (!passes(level, name))
		return -ENOPROTOOPT;
	return setsockopt(host_of(s)->fd, level, name, val, size) < 0 ? -errno : 0;
}

int host_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	socklen_t n = *size;

	if (!passes(level, name))
		return -ENOPROTOOPT;
	if (getsockopt(host_of(s)->fd, level, name, val, &n) < 0)
		return -errno;
	*size = n;
	return 0;
}
