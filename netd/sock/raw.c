/* Raw sockets of both families (raw(7), RFC 3542). */
#include "netd/sock/raw.h"

#include <linux/icmp.h>
#include <netinet/in.h>

#include "netd/core/layers.h"
#include "netd/ip/ip_priv.h"
#include "netd/sock/ipopt.h"
#include "netd/sock/mcast.h"
#include "netd/sock/raw_priv.h"

#define SOL_RAW_ 255
#define ICMP_FILTER_ 1
#define ICMP6_FILTER_ 1
#define IPV6_HDRINCL_ 36

static struct raw_sock *raw_of(struct nsock *s)
{
	return CONTAINER_OF(s, struct raw_sock, s);
}

/* ---- shared with ping sockets ---- */

void raw_fill_meta(struct nsock_meta *m, const struct pkt *p, const struct ip_rx *rx)
{
	*m = (struct nsock_meta){.from = {.addr = rx->src}, .to = {.addr = rx->dst}, .ifindex = rx->iif, .ttl = rx->ttl,
				 .tos = rx->tos, .flow_label = rx->flow_label, .rx_ns = p->rx_ns,
				 .flags = NSOCK_META_TOS | NSOCK_META_TTL};
	if (rx->broadcast || rx->multicast)
		m->flags |= NSOCK_META_BROADCAST;
	if (rx->src.family == AF_INET6 && ip_addr_linklocal(&rx->src))
		m->from.addr.scope = (uint32_t)rx->iif;
}

int raw_route(struct nsock *s, const struct nsock_meta *meta, const struct nsock_name *to, bool any_src,
	      struct ip_route *r, struct ip_tx *tx)
{
	bool v6 = to->addr.family == AF_INET6;
	uint8_t disc = v6 ? s->opt.pmtudisc6 : s->opt.pmtudisc;
	struct ip_flow f = ip_sock_flow(s, meta, to);
	int ret;

	f.any_src |= any_src;
	ret = ip_route_lookup(s->st, &f, r);
	if (ret == 0)
		ret = ip_sock_route_allowed(s, meta, r);
	if (ret < 0)
		return ret;
	*tx = (struct ip_tx){.route = r, .src = r->src, .dst = f.dst, .protocol = (uint8_t)s->protocol, .tos = f.tos,
			     .flow_label = meta->flow_label};
	if (meta->ttl)
		tx->ttl = meta->ttl;
	else if (v6)
		tx->ttl = r->multicast ? s->opt.mc_hops : s->opt.hops;
	else
		tx->ttl = r->multicast ? s->opt.mc_ttl : s->opt.ttl;
	if (disc == IP_PMTUDISC_DO || disc == IP_PMTUDISC_PROBE || (v6 && s->opt.dontfrag6))
		tx->flags |= IP_TX_DF;
	if (v6 ? s->opt.mc_loop6 : s->opt.mc_loop)
		tx->flags |= IP_TX_MC_LOOP;
	return 0;
}

int raw_connect_route(struct nsock *s, const struct nsock_name *n, bool addr_fixed, struct nsock_name *ret_peer)
{
	struct ip_flow f = {.dst = n->addr, .oif = s->opt.bound_if, .protocol = (uint8_t)s->protocol, .mark = s->opt.mark};
	struct nsock_name peer = *n;
	struct ip_route r;
	int ret;

	if (n->addr.family != s->family)
		return s->family == AF_INET6 && n->addr.family == AF_INET ? -EINVAL : -EAFNOSUPPORT;
	if (ip_addr_any(&peer.addr)) {
		if (peer.addr.family == AF_INET6)
			peer.addr.v6[15] = 1;
		else
			peer.addr.v4 = be32(INADDR_LOOPBACK);
	}
	f.dst = peer.addr;
	if (!f.oif && ip_addr_multicast(&peer.addr))
		f.oif = peer.addr.family == AF_INET6 ? s->opt.mc_if6 : s->opt.mc_if;
	if (addr_fixed)
		f.src = s->local.addr;
	ret = ip_route_lookup(s->st, &f, &r);
	if (ret < 0)
		return ret;
	if (r.broadcast && !s->opt.broadcast)
		return -EACCES;
	if (!addr_fixed)
		s->local.addr = r.src;
	*ret_peer = peer;
	return 0;
}

/* ---- in ---- */

static bool filtered(const struct raw_sock *r, const struct pkt *p, const struct ip_rx *rx)
{
	if (!p->len)
		return false;
	if (r->s.family == AF_INET && rx->protocol == IPPROTO_ICMP)
		return p->data[0] < 32 && (r->icmp_filter & 1u << p->data[0]);
	if (r->s.family == AF_INET6 && rx->protocol == IPPROTO_ICMPV6)
		return r->icmp6_filter[p->data[0] / 32] & 1u << p->data[0] % 32;
	return false;
}

static bool matches(const struct raw_sock *r, const struct ip_addr *local, const struct ip_addr *peer, int iif)
{
	const struct nsock *s = &r->s;

	return s->family == local->family && (ip_addr_any(&s->local.addr) || ip_addr_equal(&s->local.addr, local)) &&
	       (!r->connected || ip_addr_equal(&s->peer.addr, peer)) && (!s->opt.bound_if || s->opt.bound_if == iif);
}

static bool checksum_bad(const struct raw_sock *r, const struct pkt *p, const struct ip_rx *rx)
{
	return r->csum_offset >= 0 && p->csum == PKT_CSUM_NONE &&
	       csum_fold(csum_partial(p->data, p->len, csum_pseudo(&rx->src, &rx->dst, rx->protocol, p->len))) != 0;
}

bool raw_deliver(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	struct list *b;
	struct raw_sock *r, *tmp;
	bool any = false;

	if (!st->raw)
		return false;
	b = &st->raw->bucket[rx->protocol % RAW_BUCKETS];
	if (likely(list_empty(b)))
		return false;
	pkt_gather(p);
	LIST_FOR_EACH_SAFE(r, tmp, b, node) {
		struct nsock *s = &r->s;
		struct nsock_meta meta;
		struct iovec iov;

		if (s->protocol != rx->protocol || !matches(r, &rx->dst, &rx->src, rx->iif) || s->closed)
			continue;
		if (rx->multicast && !nsock_mcast_wants(s, &rx->dst, &rx->src, rx->iif))
			continue;
		any = true;
		if (r->rd_shut || filtered(r, p, rx) || (s->family == AF_INET6 && checksum_bad(r, p, rx)))
			continue;
		raw_fill_meta(&meta, p, rx);
		/* IPv4 comes with its header, IPv6 without. */
		if (s->family == AF_INET)
			iov = (struct iovec){(void *)(uintptr_t)rx->header, rx->header_size + p->len};
		else
			iov = (struct iovec){p->data, p->len};
		meta.orig_len = (uint32_t)iov.iov_len;
		(void)s->up->deliver(s, &meta, &iov, 1);
	}
	return any;
}

void raw_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *quoted, uint32_t size, uint32_t hlen,
	       const struct ip_error *e)
{
	struct nsock_name to = {.addr = flow->dst};
	struct raw_sock *r, *tmp;

	if (!st->raw)
		return;
	LIST_FOR_EACH_SAFE(r, tmp, &st->raw->bucket[flow->protocol % RAW_BUCKETS], node) {
		bool whole = r->s.family == AF_INET ? r->s.opt.hdrincl : r->hdrincl6;

		if (r->s.protocol != flow->protocol || !matches(r, &flow->src, &flow->dst, flow->oif))
			continue;
		ip_sock_report(&r->s, r->connected, flow, &to, whole ? quoted : quoted + hlen, whole ? size : size - hlen, e);
	}
}

/* ---- out ---- */

static void make_checksum(struct pkt *p, const struct raw_sock *r, const struct ip_tx *tx)
{
	uint16_t sum = 0;

	memcpy(p->data + r->csum_offset, &sum, 2);
	sum = csum_fold(csum_partial(p->data, p->len, csum_pseudo(&tx->src, &tx->dst, tx->protocol, p->len)));
	if (!sum && tx->protocol == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(p->data + r->csum_offset, &sum, 2);
}

static ssize_t raw_send(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct raw_sock *r = raw_of(s);
	const struct nsock_name *to = meta->to.addr.family ? &meta->to : &s->peer;
	bool v6 = s->family == AF_INET6, own = v6 ? r->hdrincl6 : s->opt.hdrincl, copy;
	struct ip_route route;
	struct ip_tx tx;
	size_t size = 0;
	struct pkt *p;
	int ret;

	if (r->wr_shut)
		return -EPIPE;
	if (!meta->to.addr.family && !r->connected)
		return -EDESTADDRREQ;
	if (to->addr.family != s->family)
		return s->family == AF_INET ? -EAFNOSUPPORT : -EINVAL;
	for (unsigned i = 0; i < count; i++)
		size += iov[i].iov_len;
	if (size > 65535)
		return -EMSGSIZE;
	ret = raw_route(s, meta, to, own, &route, &tx);
	if (ret < 0)
		return ret;
	if (own) {
		if (size > route.mtu)
			return -EMSGSIZE;
		tx.flags |= IP_TX_HDRINCL;
	} else if (!v6) {
		tx.options = r->ip_options;
		tx.options_size = r->ip_options_size;
		/* As datagrams: unfragmented packets say so while the path's MTU is being found. */
		if (s->opt.pmtudisc == IP_PMTUDISC_WANT && size + 20 <= route.mtu)
			tx.flags |= IP_TX_DF;
	}
	copy = own || count > 2 || (v6 && r->csum_offset >= 0);
	p = pkt_alloc(copy ? size : 0);
	if (!p)
		return -ENOBUFS;
	for (unsigned i = 0; i < count; i++) {
		if (copy) {
			memcpy(p->data + p->len, iov[i].iov_base, iov[i].iov_len);
			p->len += (uint32_t)iov[i].iov_len;
		} else if (iov[i].iov_len) {
			p->ext[p->ext_count++] = iov[i];
		}
	}
	if (v6 && !own && r->csum_offset >= 0) {
		if ((size_t)r->csum_offset + 2 > size) {
			pkt_free(p);
			return -EINVAL;
		}
		make_checksum(p, r, &tx);
	}
	ret = ip_output(s->st, p, &tx);
	return ret < 0 && ret != -ENOBUFS ? ret : (ssize_t)size;
}

/* ---- names and options ---- */

static int raw_bind(struct nsock *s, const struct nsock_name *n)
{
	int ret = n->addr.family == s->family ? ip_sock_bind_check(s, n) : -EINVAL;

	if (ret < 0)
		return ret;
	s->local.addr = n->addr;
	raw_of(s)->addr_fixed = !ip_addr_any(&n->addr);
	return 0;
}

static int raw_connect(struct nsock *s, const struct nsock_name *n)
{
	struct raw_sock *r = raw_of(s);
	int ret;

	if (!n) {
		r->connected = false;
		s->peer = (struct nsock_name){0};
		if (!r->addr_fixed)
			s->local.addr = (struct ip_addr){.family = (uint16_t)s->family};
		return 0;
	}
	ret = raw_connect_route(s, n, r->addr_fixed, &s->peer);
	if (ret == 0)
		r->connected = true;
	return ret;
}

static int raw_getname(struct nsock *s, bool peer, struct nsock_name *ret)
{
	int err = ip_sock_getname(s, raw_of(s)->connected, peer, ret);

	/* What netstat shows as the port. */
	if (err == 0 && !peer)
		ret->port = be16((uint16_t)s->protocol);
	return err;
}

static int raw_shutdown(struct nsock *s, bool rd, bool wr)
{
	struct raw_sock *r = raw_of(s);

	if (!r->connected)
		return -ENOTCONN;
	r->rd_shut |= rd;
	r->wr_shut |= wr;
	nsock_raise(s, rd ? NSOCK_IN | NSOCK_RDHUP : 0);
	return 0;
}

static uint32_t raw_poll(struct nsock *s)
{
	return NSOCK_OUT | (s->err ? NSOCK_ERR : 0) | (raw_of(s)->rd_shut ? NSOCK_IN | NSOCK_RDHUP : 0);
}

static int raw_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	struct raw_sock *r = raw_of(s);
	int v = 0;

	if (size >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	if (level == SOL_RAW_ && name == ICMP_FILTER_ && s->family == AF_INET) {
		if (s->protocol != IPPROTO_ICMP)
			return -EOPNOTSUPP;
		r->icmp_filter = 0;
		memcpy(&r->icmp_filter, val, MIN(size, (uint32_t)sizeof(r->icmp_filter)));
		return 0;
	}
	if (level == IPPROTO_ICMPV6 && name == ICMP6_FILTER_) {
		if (s->protocol != IPPROTO_ICMPV6)
			return -EOPNOTSUPP;
		memcpy(r->icmp6_filter, val, MIN(size, (uint32_t)sizeof(r->icmp6_filter)));
		return 0;
	}
	if ((level == SOL_RAW_ || level == IPPROTO_IPV6) && name == IPV6_CHECKSUM && s->family == AF_INET6) {
		if (size < sizeof(v))
			return -EINVAL;
		/* ICMPv6 has its checksum where it is (RFC 3542 3.1). */
		if (s->protocol == IPPROTO_ICMPV6)
			return level == IPPROTO_IPV6 || v != 2 ? -EINVAL : 0;
		if (v > 0 && (v & 1))
			return -EINVAL;
		r->csum_offset = v < 0 ? -1 : v;
		return 0;
	}
	if (level == IPPROTO_IPV6 && name == IPV6_HDRINCL_) {
		r->hdrincl6 = v;
		return 0;
	}
	if (level == IPPROTO_IP && name == IP_OPTIONS)
		return ip_sock_set_options(r->ip_options, &r->ip_options_size, val, size);
	return ip_sock_setopt(s, level, name, val, size);
}

static int raw_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	struct raw_sock *r = raw_of(s);
	int v;

	if (level == SOL_RAW_ && name == ICMP_FILTER_ && s->family == AF_INET) {
		if (s->protocol != IPPROTO_ICMP)
			return -EOPNOTSUPP;
		*size = MIN(*size, (uint32_t)sizeof(r->icmp_filter));
		memcpy(val, &r->icmp_filter, *size);
		return 0;
	}
	if (level == IPPROTO_ICMPV6 && name == ICMP6_FILTER_) {
		if (s->protocol != IPPROTO_ICMPV6)
			return -EOPNOTSUPP;
		*size = MIN(*size, (uint32_t)sizeof(r->icmp6_filter));
		memcpy(val, r->icmp6_filter, *size);
		return 0;
	}
	if ((level == SOL_RAW_ || level == IPPROTO_IPV6) && name == IPV6_CHECKSUM && s->family == AF_INET6)
		v = r->csum_offset;
	else if (level == IPPROTO_IPV6 && name == IPV6_HDRINCL_)
		v = r->hdrincl6;
	else
		return ip_sock_getopt(s, level, name, NULL, val, size);
	return ip_sock_put_int(v, val, size);
}

static void raw_close(struct nsock *s, bool reset)
{
	list_del(&raw_of(s)->node);
}

static void raw_free(struct nsock *s)
{
	free(raw_of(s));
}

static const struct nsock_ops raw_ops = {
	.bind = raw_bind,
	.connect = raw_connect,
	.getname = raw_getname,
	.shutdown = raw_shutdown,
	.send = raw_send,
	.poll = raw_poll,
	.setopt = raw_setopt,
	.getopt = raw_getopt,
	.close = raw_close,
	.free = raw_free,
};

int raw_create(struct netstack *st, int family, int protocol, const struct nsock_up *up, void *owner, struct nsock **ret)
{
	struct raw_sock *r;

	if (protocol <= 0 || protocol > 255)
		return -EPROTONOSUPPORT;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	nsock_init(&r->s, st, &raw_ops, NSOCK_RAW, family, SOCK_RAW, protocol, up, owner);
	r->s.local.addr.family = (uint16_t)family;
	r->csum_offset = family == AF_INET6 && protocol == IPPROTO_ICMPV6 ? 2 : -1;
	if (protocol == IPPROTO_RAW) {
		r->s.opt.hdrincl = family == AF_INET;
		r->hdrincl6 = family == AF_INET6;
	}
	list_add_tail(&st->raw->bucket[protocol % (int)RAW_BUCKETS], &r->node);
	*ret = &r->s;
	return 0;
}

int raw_init(struct netstack *st)
{
	st->raw = malloc(sizeof(*st->raw));
	if (!st->raw)
		return -ENOMEM;
	for (unsigned i = 0; i < RAW_BUCKETS; i++)
		list_init(&st->raw->bucket[i]);
	return 0;
}

void raw_done(struct netstack *st)
{
	free(st->raw);
	st->raw = NULL;
}
