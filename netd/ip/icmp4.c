/* ICMP (RFC 792, 1122 3.2.2): answers to echo and timestamp, errors to others and from others. */
#include <net/if.h> /* before linux/icmp.h, which has it again */
#include <linux/icmp.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>

#include "netd/ip/icmp.h"
#include "netd/ip/v4.h"
#include "netd/sock/raw.h"

#define QUOTE_MAX 576u /* an error's whole size (RFC 1812 4.3.2.3) */

static void count_type(struct netstack *st, uint8_t type, bool out)
{
	static const uint16_t in_mib[19] = {
		[ICMP_ECHOREPLY] = MIB_Icmp_InEchoReps, [ICMP_DEST_UNREACH] = MIB_Icmp_InDestUnreachs,
		[ICMP_SOURCE_QUENCH] = MIB_Icmp_InSrcQuenchs, [ICMP_REDIRECT] = MIB_Icmp_InRedirects,
		[ICMP_ECHO] = MIB_Icmp_InEchos, [ICMP_TIME_EXCEEDED] = MIB_Icmp_InTimeExcds,
		[ICMP_PARAMETERPROB] = MIB_Icmp_InParmProbs, [ICMP_TIMESTAMP] = MIB_Icmp_InTimestamps,
		[ICMP_TIMESTAMPREPLY] = MIB_Icmp_InTimestampReps, [ICMP_ADDRESS] = MIB_Icmp_InAddrMasks,
		[ICMP_ADDRESSREPLY] = MIB_Icmp_InAddrMaskReps,
	};
	static const uint16_t in_type[19] = {
		[ICMP_ECHOREPLY] = MIB_IcmpMsg_InType0, [ICMP_DEST_UNREACH] = MIB_IcmpMsg_InType3,
		[ICMP_SOURCE_QUENCH] = MIB_IcmpMsg_InType4, [ICMP_REDIRECT] = MIB_IcmpMsg_InType5,
		[ICMP_ECHO] = MIB_IcmpMsg_InType8, [ICMP_TIME_EXCEEDED] = MIB_IcmpMsg_InType11,
		[ICMP_PARAMETERPROB] = MIB_IcmpMsg_InType12, [ICMP_TIMESTAMP] = MIB_IcmpMsg_InType13,
		[ICMP_TIMESTAMPREPLY] = MIB_IcmpMsg_InType14, [ICMP_ADDRESS] = MIB_IcmpMsg_InType17,
		[ICMP_ADDRESSREPLY] = MIB_IcmpMsg_InType18,
	};
	/* The counters of both ways stand in the same order in mib.def. */
	uint16_t mib = type < 19 ? in_mib[type] : 0, msg = type < 19 ? in_type[type] : 0;

	net_count(st, out ? MIB_Icmp_OutMsgs : MIB_Icmp_InMsgs);
	if (!mib)
		return;
	net_count(st, (enum net_mib)(out ? mib - MIB_Icmp_InDestUnreachs + MIB_Icmp_OutDestUnreachs : mib));
	net_count(st, (enum net_mib)(out ? msg - MIB_IcmpMsg_InType0 + MIB_IcmpMsg_OutType0 : msg));
}

/* Sends an ICMP message (p->data at its header, the checksum not yet made). Consumes p. */
static void icmp_out(struct netstack *st, struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst, uint8_t tos)
{
	struct ip_flow f = {.src = *src, .dst = *dst, .tos = tos, .protocol = IPPROTO_ICMP};
	struct icmp_hdr *h = (void *)p->data;
	struct ip_route r;
	struct ip_tx tx;

	if (ip_route_lookup(st, &f, &r) < 0) {
		net_count(st, MIB_Icmp_OutErrors);
		pkt_free(p);
		return;
	}
	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, p->len, 0));
	p->csum = PKT_CSUM_NONE;
	count_type(st, h->type, true);
	tx = (struct ip_tx){.route = &r, .src = src->family ? *src : r.src, .dst = *dst, .protocol = IPPROTO_ICMP,
			    .tos = tos};
	(void)ip_output(st, p, &tx);
}

static bool error_type(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* RFC 1122 3.2.2: about what no error is sent. */
static bool may_complain(struct netstack *st, const struct pkt *p, const struct ip4_hdr *h, uint32_t avail)
{
	struct ip_addr src = ip_addr_v4(h->src), dst = ip_addr_v4(h->dst);
	uint32_t hlen = ip4_hlen(h);

	if (p->pkttype == PACKET_BROADCAST || p->pkttype == PACKET_MULTICAST || p->pkttype == PACKET_LOOPBACK)
		return false;
	if (be16(h->off) & IP4_OFFMASK)
		return false;
	if (ip_addr_any(&src) || ip_addr_multicast(&src) || h->src == UINT32_MAX || ip_addr_multicast(&dst) ||
	    h->dst == UINT32_MAX || fib_local_type(st, &dst, NULL) == RTN_BROADCAST ||
	    fib_local_type(st, &src, NULL) == RTN_BROADCAST)
		return false;
	if (h->protocol == IPPROTO_ICMP && (avail <= hlen || error_type(((const uint8_t *)h)[hlen])))
		return false;
	return true;
}

void icmp4_error(struct netstack *st, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info)
{
	const struct ip4_hdr *h = (const void *)p->net;
	uint32_t avail = (uint32_t)(p->data + p->len - p->net), quote;
	bool lo = !p->netif || p->netif == st->loopback; /* none: what we could not send ourselves */
	struct ip_addr to, from = {0};
	struct icmp_hdr *ih;
	struct pkt *e;

	if (p->data < p->net || avail < sizeof(*h) || ip4_hlen(h) > avail || !may_complain(st, p, h, avail))
		return;
	to = ip_addr_v4(h->src);
	if (!icmp_allowed(st, &to, lo))
		return;
	quote = MIN(avail, QUOTE_MAX - (uint32_t)sizeof(*h) - (uint32_t)sizeof(*ih));
	e = pkt_alloc(sizeof(*ih) + quote);
	if (!e)
		return;
	ih = (void *)e->data;
	ih->type = type;
	ih->code = code;
	ih->word = be32(info);
	memcpy(ih + 1, h, quote);
	e->len = (uint32_t)sizeof(*ih) + quote;
	if (fib_local_type(st, &(struct ip_addr){.family = AF_INET, .v4 = h->dst}, NULL) == RTN_LOCAL)
		from = ip_addr_v4(h->dst);
	icmp_out(st, e, &from, &to, (uint8_t)((h->tos & 0x1e) | 0xc0));
}

void icmp4_host_unreachable(struct netstack *st, const struct pkt *p)
{
	icmp4_error(st, p, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
}

static void echo(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	struct icmp_hdr *h = (void *)p->data;
	struct ip_addr from = rx->dst, to = rx->src;
	struct pkt *q;

	if (st->sysctl[NET_SYSCTL_ICMP_ECHO_IGNORE_ALL])
		goto drop;
	if (rx->broadcast || rx->multicast) {
		if (st->sysctl[NET_SYSCTL_ICMP_ECHO_IGNORE_BROADCASTS])
			goto drop;
		from.family = AF_UNSPEC;
	}
	/* A packet of our own: what came in may have its buffer used up to the first byte. */
	q = pkt_alloc(p->len);
	if (!q)
		goto drop;
	memcpy(q->data, h, p->len);
	q->len = p->len;
	((struct icmp_hdr *)(void *)q->data)->type = ICMP_ECHOREPLY;
	icmp_out(st, q, &from, &to, rx->tos);
drop:
	pkt_free(p);
}

static void timestamp(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	struct pkt *q;

	if (p->len >= 20 && !rx->broadcast && !rx->multicast && (q = pkt_alloc(20))) {
		uint32_t ms = (uint32_t)(netstack_real_ns(st) / 1000000 % 86400000);

		memcpy(q->data, p->data, 12);
		q->data[0] = ICMP_TIMESTAMPREPLY;
		put_be32(q->data + 12, ms);
		put_be32(q->data + 16, ms);
		q->len = 20;
		icmp_out(st, q, &rx->dst, &rx->src, rx->tos);
	}
	pkt_free(p);
}

/* RFC 1191 section 7.1: what the path may take, from a router that does not say. */
static uint32_t plateau_below(uint32_t size)
{
	static const uint16_t plateau[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

	for (unsigned i = 0; i < ARRAY_SIZE(plateau); i++) {
		if (plateau[i] < size)
			return plateau[i];
	}
	return 68;
}

static bool translate(const struct icmp_hdr *h, const struct ip4_hdr *inner, struct ip_error *e)
{
	static const struct {
		int err;
		bool hard;
	} unreach[] = {{ENETUNREACH, false}, {EHOSTUNREACH, false}, {ENOPROTOOPT, true}, {ECONNREFUSED, true},
		       {EMSGSIZE, false}, {EOPNOTSUPP, false}, {ENETUNREACH, true}, {EHOSTDOWN, true}, {ENONET, true},
		       {ENETUNREACH, true}, {EHOSTUNREACH, true}, {ENETUNREACH, false}, {EHOSTUNREACH, false},
		       {EHOSTUNREACH, true}, {EHOSTUNREACH, true}, {EHOSTUNREACH, true}};

	*e = (struct ip_error){.origin = SO_EE_ORIGIN_ICMP, .type = h->type, .code = h->code};
	switch (h->type) {
	case ICMP_DEST_UNREACH:
		if (h->code >= ARRAY_SIZE(unreach))
			return false;
		e->err = unreach[h->code].err;
		e->hard = unreach[h->code].hard;
		if (h->code == ICMP_FRAG_NEEDED) {
			e->info = be16(h->frag.mtu);
			if (e->info < 68)
				e->info = plateau_below(be16(inner->len));
		}
		return true;
	case ICMP_PARAMETERPROB:
		e->err = EPROTO;
		e->hard = true;
		e->info = be32(h->word) >> 24;
		return true;
	case ICMP_TIME_EXCEEDED:
		e->err = EHOSTUNREACH;
		return true;
	case ICMP_SOURCE_QUENCH:
		return false; /* RFC 6633: ignored */
	}
	return false;
}

static void error_in(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	const struct icmp_hdr *h = (const void *)p->data;
	const struct ip4_hdr *inner = (const void *)(h + 1);
	uint32_t size = p->len - (uint32_t)sizeof(*h), hlen;
	struct ip_flow flow;
	struct ip_error e;

	if (size < sizeof(*inner) || inner->vhl >> 4 != 4)
		goto bad;
	hlen = ip4_hlen(inner);
	if (hlen < sizeof(*inner) || size < hlen + 8)
		goto bad;
	flow = (struct ip_flow){.src = ip_addr_v4(inner->src), .dst = ip_addr_v4(inner->dst),
				.protocol = inner->protocol, .oif = rx->iif, .tos = inner->tos};
	/* It must be about a packet that we could have sent, and whoever complains must be one. */
	if (rx->broadcast || rx->multicast || fib_local_type(st, &flow.src, NULL) != RTN_LOCAL || !translate(h, inner, &e))
		goto done;
	e.offender = rx->src;
	raw_error(st, &flow, (const uint8_t *)inner, size, hlen, &e);
	/* Only the first fragment has a transport header. */
	if (!(be16(inner->off) & IP4_OFFMASK) && st->ip->protocols[inner->protocol] &&
	    st->ip->protocols[inner->protocol]->error)
		st->ip->protocols[inner->protocol]->error(st, &flow, (const uint8_t *)inner + hlen, size - hlen, &e);
done:
	pkt_free(p);
	return;
bad:
	net_count(st, MIB_Icmp_InErrors);
	pkt_free(p);
}

static void icmp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	const struct icmp_hdr *h = (const void *)p->data;

	if (rx->dst.family != AF_INET) {
		pkt_free(p);
		return;
	}
	if (p->len < sizeof(*h)) {
		net_count(st, MIB_Icmp_InMsgs);
		net_count(st, MIB_Icmp_InErrors);
		pkt_free(p);
		return;
	}
	if (p->csum == PKT_CSUM_NONE && csum_fold(csum_partial(h, p->len, 0)) != 0) {
		net_count(st, MIB_Icmp_InMsgs);
		net_count(st, MIB_Icmp_InCsumErrors);
		net_count(st, MIB_Icmp_InErrors);
		pkt_free(p);
		return;
	}
	count_type(st, h->type, false);
	switch (h->type) {
	case ICMP_ECHO:
		echo(st, p, rx);
		return;
	case ICMP_ECHOREPLY:
		ping_input(st, p, rx);
		return;
	case ICMP_TIMESTAMP:
		timestamp(st, p, rx);
		return;
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
	case ICMP_SOURCE_QUENCH:
		error_in(st, p, rx);
		return;
	default:
		/* Redirects too: routes are the administrator's. */
		pkt_free(p);
	}
}

/* An error about a message of our own: an echo request of a ping socket. */
static void icmp_quoted(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
			const struct ip_error *err)
{
	if (data[0] == ICMP_ECHO)
		ping_error(st, flow, data, size, err);
}

int icmp4_init(struct netstack *st)
{
	static const struct ip_protocol proto = {.input = icmp_input, .error = icmp_quoted};
	static const struct ip_protocol group = {.input = igmp_input};

	ip_protocol_register(st, IPPROTO_ICMP, &proto);
	ip_protocol_register(st, IPPROTO_IGMP, &group);
	return icmp_limits_init(st);
}

void icmp4_done(struct netstack *st)
{
	icmp_limits_done(st);
}
