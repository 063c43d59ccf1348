/* ICMPv6 (RFC 4443): echo, errors to others and from others; neighbour discovery and MLD are in files of their own. */
#include <net/if.h> /* before linux/icmpv6.h */
#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>

#include "netd/ip/icmp.h"
#include "netd/ip/v6_priv.h"
#include "netd/sock/raw.h"

static void count_type(struct netstack *st, uint8_t type, bool out)
{
	/* In and out, and the Type counters, 0: has none. The named ones stand in one order for both ways in mib.def. */
	static const struct {
		uint8_t type;
		uint16_t in, in_type;
	} map[] = {
		{1, MIB_Icmp6_InDestUnreachs, MIB_Icmp6_InType1},
		{2, MIB_Icmp6_InPktTooBigs, MIB_Icmp6_InType2},
		{3, MIB_Icmp6_InTimeExcds, MIB_Icmp6_InType3},
		{4, MIB_Icmp6_InParmProblems, MIB_Icmp6_InType4},
		{128, MIB_Icmp6_InEchos, MIB_Icmp6_InType128},
		{129, MIB_Icmp6_InEchoReplies, MIB_Icmp6_InType129},
		{130, MIB_Icmp6_InGroupMembQueries, MIB_Icmp6_InType130},
		{131, MIB_Icmp6_InGroupMembResponses, MIB_Icmp6_InType131},
		{132, MIB_Icmp6_InGroupMembReductions, MIB_Icmp6_InType132},
		{133, MIB_Icmp6_InRouterSolicits, MIB_Icmp6_InType133},
		{134, MIB_Icmp6_InRouterAdvertisements, MIB_Icmp6_InType134},
		{135, MIB_Icmp6_InNeighborSolicits, MIB_Icmp6_InType135},
		{136, MIB_Icmp6_InNeighborAdvertisements, MIB_Icmp6_InType136},
		{137, MIB_Icmp6_InRedirects, MIB_Icmp6_InType137},
		{143, MIB_Icmp6_InMLDv2Reports, MIB_Icmp6_InType143},
	};

	net_count(st, out ? MIB_Icmp6_OutMsgs : MIB_Icmp6_InMsgs);
	for (unsigned i = 0; i < ARRAY_SIZE(map); i++) {
		if (map[i].type != type)
			continue;
		net_count(st, (enum net_mib)(map[i].in + (out ? MIB_Icmp6_OutDestUnreachs - MIB_Icmp6_InDestUnreachs : 0)));
		net_count(st, (enum net_mib)(map[i].in_type + (out ? MIB_Icmp6_OutType1 - MIB_Icmp6_InType1 : 0)));
	}
}

void icmp6_out(struct netstack *st, struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst,
	       struct netif *nif, uint8_t hops, uint8_t tclass, bool router_alert)
{
	static const uint8_t alert[8] = {0, 0, 5, 2, 0, 0, 1, 0};
	struct ip_flow f = {.dst = *dst, .protocol = IPPROTO_ICMPV6, .tos = tclass, .oif = nif ? nif->index : 0,
			    .any_src = true};
	struct icmp_hdr *h = (void *)p->data;
	struct ip_route r;
	struct ip_tx tx;
	int ret;

	if (src)
		f.src = *src;
	if (nif && src && ip_addr_any(src)) {
		/* From nobody (duplicate address detection): there is nothing to choose. */
		r = (struct ip_route){.out = nif, .mtu = nif->mtu, .multicast = ip_addr_multicast(dst)};
		ret = 0;
	} else {
		ret = ip_route_lookup(st, &f, &r);
	}
	if (ret < 0) {
		net_count(st, MIB_Icmp6_OutErrors);
		pkt_free(p);
		return;
	}
	tx = (struct ip_tx){.route = &r, .src = src ? *src : r.src, .dst = *dst, .protocol = IPPROTO_ICMPV6, .ttl = hops,
			    .tos = tclass};
	if (router_alert) {
		tx.options = alert;
		tx.options_size = sizeof(alert);
		tx.options_next = IPPROTO_HOPOPTS;
	}
	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, p->len, csum_pseudo(&tx.src, &tx.dst, IPPROTO_ICMPV6, p->len)));
	p->csum = PKT_CSUM_NONE;
	count_type(st, h->type, true);
	(void)ip_output(st, p, &tx);
}

/* RFC 4443 2.4(e): about what no error is sent. */
static bool may_complain(const struct pkt *p, const struct ip6_hdr_ *h, uint32_t avail, uint8_t type, uint8_t code)
{
	bool group_ok = type == ICMPV6_PKT_TOOBIG || (type == ICMPV6_PARAMPROB && code == ICMPV6_UNK_OPTION);
	struct ip_addr src = ip_addr_v6(h->src);
	uint32_t off = sizeof(*h);
	uint8_t next = h->next;

	if (ip_addr_any(&src) || ip_addr_multicast(&src))
		return false;
	if (!group_ok && (h->dst[0] == 0xff || p->pkttype == PACKET_BROADCAST || p->pkttype == PACKET_MULTICAST ||
			  p->pkttype == PACKET_LOOPBACK))
		return false;
	for (unsigned i = 0; i < IP6_EXT_MAX && off + 8 <= avail; i++) {
		const uint8_t *e = (const uint8_t *)h + off;

		if (next == IPPROTO_ICMPV6)
			return e[0] >= 128 && e[0] != 137;
		if (next == IPPROTO_FRAGMENT) {
			/* What is behind a later piece's header is data: only its name says what it is of. */
			if (get_be16(e + 2) & 0xfff8)
				return e[0] != IPPROTO_ICMPV6;
			next = e[0];
			off += 8;
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_ROUTING) {
			next = e[0];
			off += 8u + e[1] * 8u;
		} else {
			return true;
		}
	}
	return next != IPPROTO_ICMPV6;
}

void icmp6_error(struct netstack *st, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info)
{
	const struct ip6_hdr_ *h = (const void *)p->net;
	uint32_t avail = (uint32_t)(p->data + p->len - p->net), quote;
	struct ip_addr to, from;
	struct icmp_hdr *ih;
	struct pkt *e;
	bool ours;

	if (p->data < p->net || avail < sizeof(*h) || !may_complain(p, h, avail, type, code))
		return;
	to = ip_addr_v6_on(h->src, p->netif ? p->netif->index : 0);
	from = ip_addr_v6(h->dst);
	/* Without an interface: what we could not send ourselves. */
	if (!icmp_allowed(st, &to, !p->netif || p->netif == st->loopback))
		return;
	quote = MIN(avail, IP6_MIN_MTU - (uint32_t)sizeof(*h) - (uint32_t)sizeof(*ih));
	e = pkt_alloc(sizeof(*ih) + quote);
	if (!e)
		return;
	ih = (void *)e->data;
	ih->type = type;
	ih->code = code;
	ih->word = be32(info);
	memcpy(ih + 1, h, quote);
	e->len = (uint32_t)sizeof(*ih) + quote;
	ours = !ip_addr_multicast(&from) && fib_local_type(st, &from, NULL) == RTN_LOCAL;
	icmp6_out(st, e, ours ? &from : NULL, &to, ip_addr_linklocal(&to) ? p->netif : NULL, 0, 0, false);
}

void icmp6_addr_unreachable(struct netstack *st, const struct pkt *p)
{
	icmp6_error(st, p, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
}

static void echo(struct netstack *st, const struct pkt *p, const struct ip_rx *rx)
{
	struct ip_addr from = rx->dst;
	struct pkt *q;

	if (st->sysctl[NET_SYSCTL_ICMP6_ECHO_IGNORE_ALL] ||
	    (rx->multicast && st->sysctl[NET_SYSCTL_ICMP6_ECHO_IGNORE_MULTICAST]))
		return;
	q = pkt_alloc(p->len);
	if (!q)
		return;
	memcpy(q->data, p->data, p->len);
	q->len = p->len;
	((struct icmp_hdr *)(void *)q->data)->type = ICMPV6_ECHO_REPLY;
	icmp6_out(st, q, rx->multicast ? NULL : &from, &rx->src,
		  ip_addr_linklocal(&rx->src) ? netif_by_index(st, rx->iif) : NULL, 0, rx->tos, false);
}

static bool translate(const struct icmp_hdr *h, struct ip_error *e)
{
	static const struct {
		int err;
		bool hard;
	} unreach[] = {{ENETUNREACH, false}, {EACCES, true}, {EHOSTUNREACH, false}, {EHOSTUNREACH, false},
		       {ECONNREFUSED, true}, {EACCES, true}, {EACCES, true}};

	*e = (struct ip_error){.origin = SO_EE_ORIGIN_ICMP6, .type = h->type, .code = h->code, .err = EPROTO};
	switch (h->type) {
	case ICMPV6_DEST_UNREACH:
		e->hard = true;
		if (h->code < ARRAY_SIZE(unreach)) {
			e->err = unreach[h->code].err;
			e->hard = unreach[h->code].hard;
		}
		return true;
	case ICMPV6_PKT_TOOBIG:
		e->err = EMSGSIZE;
		/* Less than the least is not obeyed (RFC 8201 4). */
		e->info = MAX(be32(h->word), IP6_MIN_MTU);
		return true;
	case ICMPV6_PARAMPROB:
		e->hard = true;
		e->info = be32(h->word);
		return true;
	case ICMPV6_TIME_EXCEED:
		e->err = EHOSTUNREACH;
		return true;
	}
	return false;
}

static void error_in(struct netstack *st, const struct pkt *p, const struct ip_rx *rx)
{
	const struct icmp_hdr *h = (const void *)p->data;
	const uint8_t *q = p->data + sizeof(*h);
	uint32_t size = p->len - (uint32_t)sizeof(*h), off = sizeof(struct ip6_hdr_);
	const struct ip6_hdr_ *inner = (const void *)q;
	struct ip_flow flow;
	struct ip_error e;
	uint8_t next;

	if (size < sizeof(*inner) || q[0] >> 4 != 6) {
		net_count(st, MIB_Icmp6_InErrors);
		return;
	}
	flow = (struct ip_flow){.src = ip_addr_v6_on(inner->src, rx->iif), .dst = ip_addr_v6_on(inner->dst, rx->iif),
				.oif = rx->iif};
	if (fib_local_type(st, &flow.src, NULL) != RTN_LOCAL || !translate(h, &e))
		return;
	/* To a group an error may come from any member; to one, only too big and parameter problems. */
	if (rx->multicast && h->type != ICMPV6_PKT_TOOBIG && h->type != ICMPV6_PARAMPROB)
		return;
	e.offender = rx->src;
	next = inner->next;
	for (unsigned i = 0; i < IP6_EXT_MAX; i++) {
		if (next == IPPROTO_FRAGMENT) {
			if (size < off + 8 || (get_be16(q + off + 2) & 0xfff8))
				return;
			next = q[off];
			off += 8;
		} else if (next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_ROUTING) {
			if (size < off + 8)
				return;
			next = q[off];
			off += 8u + q[off + 1] * 8u;
		} else {
			break;
		}
		if (off > size)
			return;
	}
	flow.protocol = next;
	raw_error(st, &flow, q, size, MIN(off, size), &e);
	if (size >= off + 8 && st->ip->protocols[next] && st->ip->protocols[next]->error)
		st->ip->protocols[next]->error(st, &flow, q + off, size - off, &e);
}

static void icmp6_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	const struct icmp_hdr *h = (const void *)p->data;

	if (rx->dst.family != AF_INET6)
		goto drop;
	if (p->len < sizeof(*h)) {
		net_count(st, MIB_Icmp6_InMsgs);
		net_count(st, MIB_Icmp6_InErrors);
		goto drop;
	}
	if (p->csum == PKT_CSUM_NONE &&
	    csum_fold(csum_partial(h, p->len, csum_pseudo(&rx->src, &rx->dst, IPPROTO_ICMPV6, p->len))) != 0) {
		net_count(st, MIB_Icmp6_InMsgs);
		net_count(st, MIB_Icmp6_InCsumErrors);
		net_count(st, MIB_Icmp6_InErrors);
		goto drop;
	}
	count_type(st, h->type, false);
	switch (h->type) {
	case ICMPV6_ECHO_REQUEST:
		echo(st, p, rx);
		break;
	case ICMPV6_ECHO_REPLY:
		ping_input(st, p, rx);
		return;
	case ICMPV6_DEST_UNREACH:
	case ICMPV6_PKT_TOOBIG:
	case ICMPV6_TIME_EXCEED:
	case ICMPV6_PARAMPROB:
		error_in(st, p, rx);
		break;
	case 133: case 134: case 135: case 136: case 137:
		nd_input(st, p, rx);
		break;
	case ICMPV6_MGM_QUERY:
	case ICMPV6_MGM_REPORT:
	case ICMPV6_MGM_REDUCTION:
		mld_input(st, p, rx);
		break;
	}
drop:
	pkt_free(p);
}

static void icmp6_quoted(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
			 const struct ip_error *err)
{
	if (data[0] == ICMPV6_ECHO_REQUEST)
		ping_error(st, flow, data, size, err);
}

int icmp6_init(struct netstack *st)
{
	static const struct ip_protocol proto = {.input = icmp6_input, .error = icmp6_quoted};

	ip_protocol_register(st, IPPROTO_ICMPV6, &proto);
	return 0;
}
