/* See ipopt.h. */
#include "netd/sock/ipopt.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "netd/ip/ip_priv.h"
#include "netd/sock/mcast.h"
#include "netd/sock/sock.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

int ip_sock_bind_check(struct nsock *s, const struct nsock_name *n)
{
	struct netif *nif;
	uint8_t type;

	if (n->addr.family != AF_INET && n->addr.family != AF_INET6)
		return -EAFNOSUPPORT;
	if (s->family == AF_INET && n->addr.family != AF_INET)
		return -EAFNOSUPPORT;
	/* A mapped address on a socket that is for IPv6 alone. */
	if (s->family == AF_INET6 && n->addr.family == AF_INET && s->opt.v6only)
		return -EINVAL;
	if (ip_addr_any(&n->addr) || ip_addr_multicast(&n->addr) || s->opt.freebind || s->opt.transparent)
		return 0;
	if (n->addr.family == AF_INET) {
		if (s->st->sysctl[NET_SYSCTL_IP_NONLOCAL_BIND])
			return 0;
		type = fib_local_type(s->st, &n->addr, NULL);
		return type == RTN_LOCAL || type == RTN_BROADCAST || n->addr.v4 == UINT32_MAX ? 0 : -EADDRNOTAVAIL;
	}
	if (ip_addr_linklocal(&n->addr)) {
		if (!n->addr.scope && !s->opt.bound_if)
			return -EINVAL;
		if (n->addr.scope && !netif_by_index(s->st, (int)n->addr.scope))
			return -ENODEV;
	}
	if (s->st->sysctl[NET_SYSCTL_IPV6_IP_NONLOCAL_BIND])
		return 0;
	nif = netif_of_addr(s->st, &n->addr);
	if (!nif || (s->opt.bound_if && ip_addr_linklocal(&n->addr) && s->opt.bound_if != nif->index))
		return -EADDRNOTAVAIL;
	return 0;
}

int ip_sock_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	int v = 0;

	if (level == IPPROTO_IPV6 && (name == IPV6_MULTICAST_ALL || name == IPV6_DONTFRAG || name == IPV6_MINHOPCOUNT)) {
		if (size < sizeof(v))
			return -EINVAL;
		memcpy(&v, val, sizeof(v));
		if (name == IPV6_MULTICAST_ALL)
			s->opt.mc_all6 = v;
		else if (name == IPV6_DONTFRAG)
			s->opt.dontfrag6 = v;
		else if (v < 0 || v > 255)
			return -EINVAL;
		else
			s->opt.minhops6 = (uint8_t)v;
		return 0;
	}
	/* Nothing is forwarded, so nobody's alerts come by; the filter's lock is its owner's. */
	if ((level == IPPROTO_IP && name == IP_ROUTER_ALERT) || (level == SOL_SOCKET && name == SO_LOCK_FILTER))
		return 0;
	return nsock_mcast_setopt(s, level, name, val, size);
}

int ip_sock_getopt(struct nsock *s, int level, int name, const struct ip_route *r, void *val, uint32_t *size)
{
	struct ip_route now;

	if ((level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU)) {
		struct ip_flow f = {.dst = s->peer.addr, .src = s->local.addr, .oif = s->opt.bound_if};

		if (!r)
			return -ENOTCONN;
		if (!ip_route_ok(s->st, r)) {
			if (ip_route_lookup(s->st, &f, &now) < 0)
				return -ENOTCONN;
			r = &now;
		}
		return ip_sock_put_int((int)r->mtu, val, size);
	}
	if (level == IPPROTO_IPV6 && name == IPV6_MULTICAST_ALL)
		return ip_sock_put_int(s->opt.mc_all6, val, size);
	if (level == IPPROTO_IPV6 && name == IPV6_DONTFRAG)
		return ip_sock_put_int(s->opt.dontfrag6, val, size);
	if (level == IPPROTO_IPV6 && name == IPV6_MINHOPCOUNT)
		return ip_sock_put_int(s->opt.minhops6, val, size);
	return nsock_mcast_getopt(s, level, name, val, size);
}

int ip_sock_put_int(int v, void *val, uint32_t *size)
{
	*size = MIN(*size, (uint32_t)sizeof(v));
	memcpy(val, &v, *size);
	return 0;
}

int ip_sock_getname(const struct nsock *s, bool connected, bool peer, struct nsock_name *ret)
{
	if (peer && !connected)
		return -ENOTCONN;
	*ret = peer ? s->peer : s->local;
	if (!ret->addr.family)
		ret->addr.family = (uint16_t)s->family;
	return 0;
}

struct ip_flow ip_sock_flow(const struct nsock *s, const struct nsock_meta *meta, const struct nsock_name *to)
{
	bool v6 = to->addr.family == AF_INET6, multicast = ip_addr_multicast(&to->addr);
	const struct ip_addr *local = &s->local.addr;
	struct ip_flow f = {.dst = to->addr, .oif = meta->ifindex ? meta->ifindex : s->opt.bound_if,
			    .protocol = (uint8_t)s->protocol,
			    .tos = meta->flags & NSOCK_META_TOS ? meta->tos : v6 ? s->opt.tclass : s->opt.tos,
			    .mark = s->opt.mark, .any_src = s->opt.transparent || s->opt.freebind};

	if (!f.oif && multicast)
		f.oif = v6 ? s->opt.mc_if6 : s->opt.mc_if;
	if (meta->from.addr.family == to->addr.family && !ip_addr_any(&meta->from.addr))
		f.src = meta->from.addr;
	else if (!ip_addr_any(local) && local->family == to->addr.family && !ip_addr_multicast(local) &&
		 fib_local_type(s->st, local, NULL) != RTN_BROADCAST)
		f.src = *local;
	else if (multicast && !v6 && s->opt.mc_addr.family == AF_INET)
		f.src = s->opt.mc_addr;
	if (ip_addr_any(&f.dst)) {
		/* To nobody: to ourselves. */
		if (v6)
			f.dst.v6[15] = 1;
		else
			f.dst.v4 = be32(INADDR_LOOPBACK);
	}
	return f;
}

int ip_sock_route_allowed(const struct nsock *s, const struct nsock_meta *meta, const struct ip_route *r)
{
	if (r->broadcast && !s->opt.broadcast)
		return -EACCES;
	if ((s->opt.dontroute || meta->flags & NSOCK_META_DONTROUTE) && r->gateway.family)
		return -ENETUNREACH;
	return 0;
}

void ip_sock_report(struct nsock *s, bool connected, const struct ip_flow *flow, const struct nsock_name *to,
		    const uint8_t *data, uint32_t size, const struct ip_error *e)
{
	bool v6 = flow->dst.family == AF_INET6, queue = v6 ? s->opt.recverr6 : s->opt.recverr;
	uint8_t disc = v6 ? s->opt.pmtudisc6 : s->opt.pmtudisc;
	bool hard = e->err == EMSGSIZE ? disc != IP_PMTUDISC_DONT : e->hard;

	if (s->closed || !s->up)
		return;
	if (e->err == EMSGSIZE && disc != IP_PMTUDISC_PROBE && disc != IP_PMTUDISC_INTERFACE)
		ip_pmtu_update(s->st, &flow->dst, e->info);
	if (queue) {
		struct nsock_meta meta = {.from = {.addr = e->offender}, .to = *to, .ifindex = flow->oif, .error = e};
		struct iovec iov = {(void *)(uintptr_t)data, size};

		(void)s->up->deliver(s, &meta, &iov, 1);
	} else if (!connected || !hard) {
		return;
	}
	s->err = e->err;
	nsock_raise(s, NSOCK_ERR);
}

int ip_sock_set_options(uint8_t kept[40], uint8_t *kept_size, const void *val, uint32_t size)
{
	const uint8_t *o = val;

	if (size > 40)
		return -EINVAL;
	for (uint32_t i = 0; i < size && o[i] != 0;) {
		uint32_t n = o[i] == 1 ? 1 : i + 1 < size ? o[i + 1] : 0;

		if (n == 0 || (o[i] != 1 && n < 2) || n > size - i)
			return -EINVAL;
		/* Source routes are a way around the routing that was set. */
		if (o[i] == 131 || o[i] == 137)
			return -EPERM;
		i += n;
	}
	memset(kept, 0, 40);
	memcpy(kept, o, size);
	*kept_size = (uint8_t)ALIGN_UP(size, 4u);
	return 0;
}
