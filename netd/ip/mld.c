/* Multicast listener discovery (RFC 2710, 3810): the messages. */
#include <net/if.h> /* before linux/icmpv6.h */
#include <linux/icmpv6.h>

#include "netd/ip/mcgroup.h"
#include "netd/ip/v6_priv.h"

#define MLD2_REPORT 143

static void mld_send(struct netif *nif, struct pkt *p, const struct ip_addr *dst)
{
	struct ip_addr src = {.family = AF_INET6};
	struct netif_addr *a;

	/* From the link-local address, or from nobody while there is none (RFC 3810 5.2.13). */
	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (a->addr.family == AF_INET6 && ip_addr_linklocal(&a->addr) &&
		    fib_local_type(nif->st, &a->addr, NULL) == RTN_LOCAL) {
			src = a->addr;
			break;
		}
	}
	icmp6_out(nif->st, p, &src, dst, nif, 1, 0, true);
}

void mld_send_report(struct netif *nif, struct pkt *p, unsigned records)
{
	struct ip_addr all = {.family = AF_INET6, .v6 = {0xff, 2, [15] = 0x16}};

	p->data[0] = MLD2_REPORT;
	put_be16(p->data + 6, (uint16_t)records);
	mld_send(nif, p, &all);
}

void mld_send_old(struct netif *nif, const struct ip_addr *group, bool leave)
{
	struct ip_addr routers = ip6_all_routers();
	struct pkt *p = pkt_alloc(24);

	if (!p)
		return;
	memset(p->data, 0, 8);
	p->data[0] = leave ? ICMPV6_MGM_REDUCTION : ICMPV6_MGM_REPORT;
	memcpy(p->data + 8, group->v6, 16);
	p->len = 24;
	mld_send(nif, p, leave ? &routers : group);
}

/* RFC 3810 5.1.3. */
static uint32_t code_ms(uint16_t code)
{
	return code < 32768 ? code : (uint32_t)((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}

void mld_input(struct netstack *st, const struct pkt *p, const struct ip_rx *rx)
{
	struct netif *nif = netif_by_index(st, rx->iif);
	struct ip_addr group;
	unsigned version;
	uint16_t code;

	/* From a link-local address of the link, or it is forged (RFC 3810 5.1.14, 6.2). */
	if (!nif || !nif->mld || p->len < 24 || rx->ttl != 1 || rx->local)
		return;
	group = ip_addr_v6(p->data + 8);
	if (p->data[0] != ICMPV6_MGM_QUERY) {
		if (p->data[0] == ICMPV6_MGM_REPORT)
			mc_heard(nif->mld, &group);
		return;
	}
	if (!ip_addr_linklocal(&rx->src) || (p->len > 24 && p->len < 28))
		return;
	version = p->len == 24 ? 1 : 2;
	if (version == 2 && p->len < 28u + 16u * get_be16(p->data + 26))
		return;
	code = get_be16(p->data + 4);
	if (ip_addr_any(&group))
		group.family = AF_UNSPEC;
	else if (!ip_addr_multicast(&group))
		return;
	mc_query(nif->mld, version, version == 1 ? code : code_ms(code), &group);
}

void mld_addr(struct netif *nif, const struct ip_addr *a, bool join)
{
	struct ip_addr node = ip6_solicited_node(a);

	if (nif->mld)
		mc_own(nif->mld, &node, join);
}

int mld_init(struct netif *nif)
{
	nif->mld = mc_new(nif, AF_INET6, 2);
	return nif->mld ? 0 : -ENOMEM;
}

void mld_done(struct netif *nif)
{
	mc_free(nif->mld);
	nif->mld = NULL;
}

void mld_up(struct netif *nif)
{
	mc_up(nif->mld);
}

void mld_down(struct netif *nif)
{
	mc_down(nif->mld);
}
