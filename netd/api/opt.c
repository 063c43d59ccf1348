/* Socket options as sysd passes them on: level, name and bytes of setsockopt(2), already checked for rights and (where it
 * knows them) for range. What all transports share is kept in struct nsock_opt; the rest is the transport's. */
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "netd/api/api.h"
#include "netd/core/netif.h"
#include "netd/ip/ip.h"
#include "netd/sock/sock.h"

enum opt_type { T_BOOL, T_U8, T_U32, T_INT };

/* Options that are a field of struct nsock_opt. */
static const struct opt_field {
	int level, name;
	enum opt_type type;
	size_t off;
} option_fields[] = {
#define FIELD(level, name, type, field) {level, name, type, offsetof(struct nsock_opt, field)}
	FIELD(SOL_SOCKET, SO_REUSEADDR, T_BOOL, reuseaddr),
	FIELD(SOL_SOCKET, SO_REUSEPORT, T_BOOL, reuseport),
	FIELD(SOL_SOCKET, SO_BROADCAST, T_BOOL, broadcast),
	FIELD(SOL_SOCKET, SO_KEEPALIVE, T_BOOL, keepalive),
	FIELD(SOL_SOCKET, SO_DONTROUTE, T_BOOL, dontroute),
	FIELD(SOL_SOCKET, SO_NO_CHECK, T_BOOL, no_check),
	FIELD(SOL_SOCKET, SO_MARK, T_U32, mark),
	FIELD(SOL_SOCKET, SO_PRIORITY, T_U32, priority),
	FIELD(SOL_IP, IP_TOS, T_U8, tos),
	FIELD(SOL_IP, IP_TTL, T_U8, ttl),
	FIELD(SOL_IP, IP_MULTICAST_TTL, T_U8, mc_ttl),
	FIELD(SOL_IP, IP_MULTICAST_LOOP, T_BOOL, mc_loop),
	FIELD(SOL_IP, IP_MULTICAST_ALL, T_BOOL, mc_all),
	FIELD(SOL_IP, IP_MTU_DISCOVER, T_U8, pmtudisc),
	FIELD(SOL_IP, IP_RECVERR, T_BOOL, recverr),
	FIELD(SOL_IP, IP_HDRINCL, T_BOOL, hdrincl),
	FIELD(SOL_IP, IP_NODEFRAG, T_BOOL, nodefrag),
	FIELD(SOL_IP, IP_FREEBIND, T_BOOL, freebind),
	FIELD(SOL_IP, IP_TRANSPARENT, T_BOOL, transparent),
	FIELD(SOL_IP, IP_MINTTL, T_U8, minttl),
	FIELD(SOL_IPV6, IPV6_V6ONLY, T_BOOL, v6only),
	FIELD(SOL_IPV6, IPV6_UNICAST_HOPS, T_U8, hops),
	FIELD(SOL_IPV6, IPV6_MULTICAST_HOPS, T_U8, mc_hops),
	FIELD(SOL_IPV6, IPV6_MULTICAST_LOOP, T_BOOL, mc_loop6),
	FIELD(SOL_IPV6, IPV6_MULTICAST_IF, T_INT, mc_if6),
	FIELD(SOL_IPV6, IPV6_TCLASS, T_U8, tclass),
	FIELD(SOL_IPV6, IPV6_MTU_DISCOVER, T_U8, pmtudisc6),
	FIELD(SOL_IPV6, IPV6_RECVERR, T_BOOL, recverr6),
	FIELD(SOL_IPV6, IPV6_FREEBIND, T_BOOL, freebind),
	FIELD(SOL_IPV6, IPV6_TRANSPARENT, T_BOOL, transparent),
#undef FIELD
};

static int get_int(const uint8_t *val, uint32_t size, int *ret)
{
	if (size >= sizeof(int))
		memcpy(ret, val, sizeof(int));
	else if (size >= 1)
		*ret = val[0];
	else
		return -EINVAL;
	return 0;
}

static int bind_to_device(struct api_sock *k, const uint8_t *val, uint32_t size)
{
	char name[16] = "";
	struct netif *nif;

	memcpy(name, val, MIN(size, (uint32_t)sizeof(name) - 1));
	if (!name[0]) {
		k->s->opt.bound_if = 0;
		return 0;
	}
	nif = netif_by_name(k->s->st, name);
	if (!nif)
		return -ENODEV;
	k->s->opt.bound_if = nif->index;
	return 0;
}

static int set_buffer(struct api_sock *k, int name, int value)
{
	struct nsock_opt *o = &k->s->opt;

	if (name == SO_SNDBUF) {
		o->sndbuf = value;
		o->sndbuf_locked = true;
	} else {
		o->rcvbuf = value;
		o->rcvbuf_locked = true;
	}
	api_sock_buffers(k);
	return 0;
}

/* IP_MULTICAST_IF: an address, or struct ip_mreqn. */
static int multicast_if(struct api_sock *k, const uint8_t *val, uint32_t size)
{
	struct nsock_opt *o = &k->s->opt;
	struct in_addr addr;
	struct ip_mreqn m;
	struct netif *nif;

	if (size >= sizeof(m)) {
		memcpy(&m, val, sizeof(m));
	} else if (size >= sizeof(struct ip_mreq)) {
		m = (struct ip_mreqn){0};
		memcpy(&m.imr_address, val + 4, 4);
	} else if (size >= sizeof(addr)) {
		m = (struct ip_mreqn){0};
		memcpy(&m.imr_address, val, 4);
	} else {
		return -EINVAL;
	}
	if (m.imr_ifindex) {
		if (!netif_by_index(k->s->st, m.imr_ifindex))
			return -EADDRNOTAVAIL;
		o->mc_if = m.imr_ifindex;
		o->mc_addr = ip_addr_v4(m.imr_address.s_addr);
	} else if (!m.imr_address.s_addr) {
		o->mc_if = 0;
		o->mc_addr = (struct ip_addr){0};
	} else {
		struct ip_addr a = ip_addr_v4(m.imr_address.s_addr);

		nif = netif_of_addr(k->s->st, &a);
		if (!nif)
			return -EADDRNOTAVAIL;
		o->mc_if = nif->index;
		o->mc_addr = a;
	}
	return 0;
}

/* IP_MTU, IPV6_MTU: of the path to the connected peer. */
static int path_mtu(struct api_sock *k, uint8_t *val, uint32_t *size)
{
	struct nsock *s = k->s;
	struct ip_flow f = {.dst = s->peer.addr, .oif = s->opt.bound_if, .tos = s->opt.tos,
			    .protocol = (uint8_t)s->protocol, .mark = s->opt.mark};
	struct ip_route r;
	int mtu, ret;

	if (!s->peer.addr.family)
		return -ENOTCONN;
	ret = ip_route_lookup(s->st, &f, &r);
	if (ret)
		return ret;
	mtu = (int)MIN(r.mtu, 65535u);
	*size = MIN(*size, (uint32_t)sizeof(mtu));
	memcpy(val, &mtu, *size);
	return 0;
}

static const struct opt_field *find_field(int level, int name)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_fields); i++)
		if (option_fields[i].level == level && option_fields[i].name == name)
			return &option_fields[i];
	return NULL;
}

static int changed(struct api_sock *k, int ret)
{
	if (!ret && k->s->ops->opt_changed)
		k->s->ops->opt_changed(k->s);
	return ret;
}

int api_setopt(struct api_sock *k, int level, int name, const uint8_t *val, uint32_t size)
{
	const struct opt_field *f = find_field(level, name);
	struct nsock_opt *o = &k->s->opt;
	int value = 0;

	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return changed(k, bind_to_device(k, val, size));
	if (level == SOL_IP && name == IP_MULTICAST_IF)
		return changed(k, multicast_if(k, val, size));
	if (!f && level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF))
		return get_int(val, size, &value) ? -EINVAL : changed(k, set_buffer(k, name, value));
	if (level == SOL_SOCKET && name == SO_LINGER && size >= sizeof(struct linger)) {
		struct linger l;

		memcpy(&l, val, sizeof(l));
		o->linger_on = l.l_onoff;
		o->linger_s = (uint32_t)l.l_linger;
		return changed(k, 0);
	}
	if (!f)
		return k->s->ops->setopt ? k->s->ops->setopt(k->s, level, name, val, size) : -ENOPROTOOPT;
	if (get_int(val, size, &value))
		return -EINVAL;
	switch (f->type) {
	case T_BOOL: *(bool *)((char *)o + f->off) = value != 0; break;
	/* -1: the default, which 0 stands for */
	case T_U8: *((uint8_t *)o + f->off) = value < 0 ? 0 : (uint8_t)value; break;
	case T_U32: *(uint32_t *)((char *)o + f->off) = (uint32_t)value; break;
	case T_INT: *(int *)((char *)o + f->off) = value; break;
	}
	if (level == SOL_IP && name == IP_MINTTL)
		o->minttl_set = value != 0;
	return changed(k, 0);
}

int api_getopt(struct api_sock *k, int level, int name, uint8_t *val, uint32_t *size)
{
	const struct opt_field *f = find_field(level, name);
	struct nsock_opt *o = &k->s->opt;
	int value = 0;

	if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
		struct netif *nif = o->bound_if ? netif_by_index(k->s->st, o->bound_if) : NULL;

		if (nif && *size < sizeof(nif->name))
			return -EINVAL;
		if (nif)
			memcpy(val, nif->name, sizeof(nif->name));
		*size = nif ? sizeof(nif->name) : 0;
		return 0;
	}
	if (level == SOL_IP && name == IP_MULTICAST_IF) {
		uint32_t v4 = o->mc_addr.family == AF_INET ? o->mc_addr.v4 : 0;

		*size = MIN(*size, (uint32_t)sizeof(v4));
		memcpy(val, &v4, *size);
		return 0;
	}
	if ((level == SOL_IP && name == IP_MTU) || (level == SOL_IPV6 && name == IPV6_MTU))
		return path_mtu(k, val, size);
	if (!f)
		return k->s->ops->getopt ? k->s->ops->getopt(k->s, level, name, val, size) : -ENOPROTOOPT;
	switch (f->type) {
	case T_BOOL: value = *(bool *)((char *)o + f->off); break;
	case T_U8: value = *((uint8_t *)o + f->off); break;
	case T_U32: value = (int)*(uint32_t *)((char *)o + f->off); break;
	case T_INT: value = *(int *)((char *)o + f->off); break;
	}
	*size = MIN(*size, (uint32_t)sizeof(value));
	memcpy(val, &value, *size);
	return 0;
}
