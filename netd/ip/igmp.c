/* IGMP (RFC 1112, 2236, 3376): the messages. */
#include <net/if.h>
#include <netinet/igmp.h>

#include "netd/ip/mcgroup.h"
#include "netd/ip/v4.h"

#define V3_REPORT 0x22

static void igmp_send(struct netif *nif, struct pkt *p, const struct ip_addr *dst)
{
	static const uint8_t alert[4] = {148, 4, 0, 0}; /* RFC 2113 */
	struct ip_route r = {.out = nif, .mtu = nif->mtu, .multicast = true, .generation = nif->st->generation};
	struct ip_tx tx = {.route = &r, .dst = *dst, .protocol = IPPROTO_IGMP, .ttl = 1, .tos = 0xc0, .flags = IP_TX_DF,
			   .options = alert, .options_size = sizeof(alert)};
	uint16_t sum;

	if (!ip_select_source(nif->st, nif, dst, NULL, &tx.src))
		tx.src = ip_addr_v4(0);
	memset(p->data + 2, 0, 2);
	sum = csum_fold(csum_partial(p->data, p->len, 0));
	memcpy(p->data + 2, &sum, 2);
	(void)ip_output(nif->st, p, &tx);
}

void igmp_send_report(struct netif *nif, struct pkt *p, unsigned records)
{
	struct ip_addr all = ip_addr_v4(be32(0xe0000016)); /* 224.0.0.22 */

	p->data[0] = V3_REPORT;
	put_be16(p->data + 6, (uint16_t)records);
	igmp_send(nif, p, &all);
}

void igmp_send_old(struct netif *nif, unsigned version, const struct ip_addr *group, bool leave)
{
	struct ip_addr dst = leave ? ip_addr_v4(be32(0xe0000002)) : *group; /* all routers */
	struct pkt *p;

	/* Version 1 leaves in silence. */
	if (leave && version == 1)
		return;
	p = pkt_alloc(8);
	if (!p)
		return;
	memset(p->data, 0, 8);
	p->data[0] = leave ? IGMP_V2_LEAVE_GROUP : version == 1 ? IGMP_V1_MEMBERSHIP_REPORT : IGMP_V2_MEMBERSHIP_REPORT;
	memcpy(p->data + 4, &group->v4, 4);
	p->len = 8;
	igmp_send(nif, p, &dst);
}

/* RFC 3376 4.1.1: times of 128 and more are a small floating point number. */
static uint32_t code_ms(uint8_t code)
{
	uint32_t tenths = code < 128 ? code : (uint32_t)((code & 15) | 16) << ((code >> 4 & 7) + 3);

	return tenths * 100;
}

static void query(struct mc_if *m, const struct pkt *p, const struct ip_rx *rx)
{
	struct ip_addr group = ip_addr_v4(get_raw32(p->data + 4));
	unsigned version = p->len >= 12 ? 3 : p->data[1] == 0 ? 1 : 2;
	uint32_t max_ms = version == 1 ? 10000 : version == 2 ? p->data[1] * 100u : code_ms(p->data[1]);

	if (version == 3 && p->len < 12u + 4u * get_be16(p->data + 10))
		return;
	/* Queries come from the link, to all or to the group asked about. */
	if (rx->ttl != 1 || (!rx->multicast && version < 3))
		return;
	if (!group.v4)
		group.family = AF_UNSPEC;
	else if (!ip_addr_multicast(&group))
		return;
	mc_query(m, version, max_ms, &group);
}

void igmp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx)
{
	struct netif *nif = netif_by_index(st, rx->iif);
	struct ip_addr group;

	if (rx->dst.family != AF_INET || !nif || !nif->igmp || p->len < 8 || csum_fold(csum_partial(p->data, p->len, 0)))
		goto drop;
	group = ip_addr_v4(get_raw32(p->data + 4));
	switch (p->data[0]) {
	case IGMP_MEMBERSHIP_QUERY:
		query(nif->igmp, p, rx);
		break;
	case IGMP_V1_MEMBERSHIP_REPORT:
	case IGMP_V2_MEMBERSHIP_REPORT:
		if (!rx->local)
			mc_heard(nif->igmp, &group);
		break;
	}
drop:
	pkt_free(p);
}

int igmp_init(struct netif *nif)
{
	nif->igmp = mc_new(nif, AF_INET, 3);
	return nif->igmp ? 0 : -ENOMEM;
}

void igmp_done(struct netif *nif)
{
	mc_free(nif->igmp);
	nif->igmp = NULL;
}

void igmp_up(struct netif *nif)
{
	mc_up(nif->igmp);
}

void igmp_down(struct netif *nif)
{
	mc_down(nif->igmp);
}
