/* See ipopt.h. */
#include "netd/sock/ipopt.h"

#include <netinet/in.h>

#include "netd/ip/ip_priv.h"
#include "netd/sock/mcast.h"
#include "netd/sock/sock.h"

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
	return nsock_mcast_setopt(s, level, name, val, size);
}

int ip_sock_getopt(struct nsock *s, int level, int name, const struct ip_route *r, void *val, uint32_t *size)
{
	struct ip_route now;
	int v;

	if ((level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU)) {
		struct ip_flow f = {.dst = s->peer.addr, .src = s->local.addr, .oif = s->opt.bound_if};

		if (!r)
			return -ENOTCONN;
		if (!ip_route_ok(s->st, r)) {
			if (ip_route_lookup(s->st, &f, &now) < 0)
				return -ENOTCONN;
			r = &now;
		}
		v = (int)r->mtu;
		*size = MIN(*size, (uint32_t)sizeof(v));
		memcpy(val, &v, *size);
		return 0;
	}
	return nsock_mcast_getopt(s, level, name, val, size);
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
