/* Interfaces: the list, their addresses, and the way of a frame in and out. What an interface's coming, going, and
 * addresses mean for IP is asked of the Internet layers (layers.h). */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>

#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/core/sysctl.h"
#include "netd/core/wire.h"

#define IFF_LOWER_UP_ 0x10000u /* net/if.h has it not */

/* conf.def names the files of conf/default, of which sysctl.def has the limits and the defaults. */
static const struct {
	const char *file;
	int family;
	enum net_sysctl init;
} conf_names[NETIF_CONF_COUNT] = {
#define CONF(fam, name, text) [NETIF_CONF_V##fam##_##name] = {#text, fam, NET_SYSCTL_CONF##fam##_DEFAULT_##name},
#include "netd/core/conf.def"
#undef CONF
};

int netif_conf_find(int family, const char *file)
{
	int v = family == AF_INET6 ? 6 : 4;

	for (unsigned i = 0; i < NETIF_CONF_COUNT; i++) {
		if (conf_names[i].family == v && !strcmp(conf_names[i].file, file))
			return (int)i;
	}
	return -ENOENT;
}

int netif_conf_set(struct netif *nif, enum netif_conf id, int64_t value)
{
	const struct net_sysctl_info *info;

	if ((unsigned)id >= NETIF_CONF_COUNT)
		return -EINVAL;
	info = net_sysctl_info(conf_names[id].init);
	if (value < info->min || value > info->max)
		return -EINVAL;
	if (nif->conf[id] == value)
		return 0;
	nif->conf[id] = value;
	netstack_bump(nif->st);
	ip_conf_changed(nif, id);
	return 0;
}

int netif_add(struct netstack *st, struct netif *nif)
{
	struct netif *at;
	struct list *before = &st->netifs;
	int ret;

	if (netif_by_name(st, nif->name) || (nif->index && netif_by_index(st, nif->index)))
		return -EEXIST;
	while (!nif->index || netif_by_index(st, nif->index))
		nif->index = st->next_index++;
	st->next_index = MAX(st->next_index, nif->index + 1);
	nif->st = st;
	list_init(&nif->addrs);
	nif->arp = nif->nd = nif->igmp = nif->mld = NULL;
	for (unsigned i = 0; i < NETIF_CONF_COUNT; i++)
		nif->conf[i] = st->sysctl[conf_names[i].init];
	LIST_FOR_EACH(at, &st->netifs, node) {
		if (at->index > nif->index) {
			before = &at->node;
			break;
		}
	}
	list_add_tail(before, &nif->node);
	ret = ip_netif_added(nif);
	if (ret < 0) {
		list_del(&nif->node);
		return ret;
	}
	netstack_bump(st);
	net_event(st, NET_EV_LINK, false, nif);
	return 0;
}

void netif_remove(struct netif *nif)
{
	struct netstack *st = nif->st;
	struct pkt *p, *tmp;

	netif_set_up(nif, false);
	while (!list_empty(&nif->addrs)) {
		struct netif_addr *a = LIST_FIRST(&nif->addrs, struct netif_addr, node);
		struct ip_addr addr = a->addr;

		netif_addr_del(nif, &addr, a->prefix);
	}
	ip_netif_removed(nif);
	LIST_FOR_EACH_SAFE(p, tmp, &st->lo_queue, node) {
		if (p->netif == nif) {
			list_del(&p->node);
			st->lo_queued--;
			pkt_free(p);
		}
	}
	list_del(&nif->node);
	if (st->loopback == nif)
		st->loopback = NULL;
	netstack_bump(st);
	net_event(st, NET_EV_LINK, true, nif);
	nif->ops->free(nif);
}

struct netif *netif_by_index(struct netstack *st, int index)
{
	struct netif *nif;

	LIST_FOR_EACH(nif, &st->netifs, node) {
		if (nif->index == index)
			return nif;
	}
	return NULL;
}

struct netif *netif_by_name(struct netstack *st, const char *name)
{
	struct netif *nif;

	LIST_FOR_EACH(nif, &st->netifs, node) {
		if (!strncmp(nif->name, name, sizeof(nif->name)))
			return nif;
	}
	return NULL;
}

struct netif *netif_next(struct netstack *st, struct netif *nif)
{
	struct list *n = nif ? nif->node.next : st->netifs.next;

	return n == &st->netifs ? NULL : LIST_ENTRY(n, struct netif, node);
}

struct netif *netif_loopback(struct netstack *st)
{
	return st->loopback;
}

int netif_set_up(struct netif *nif, bool up)
{
	bool was = nif->flags & IFF_UP;

	if (up == was)
		return 0;
	if (up) {
		nif->flags |= IFF_UP | IFF_RUNNING | IFF_LOWER_UP_;
		netstack_bump(nif->st);
		ip_netif_up(nif);
	} else {
		ip_netif_down(nif);
		nif->flags &= ~(uint32_t)(IFF_UP | IFF_RUNNING | IFF_LOWER_UP_);
		netstack_bump(nif->st);
	}
	net_event(nif->st, NET_EV_LINK, false, nif);
	return 0;
}

void netif_changed(struct netif *nif)
{
	ip_mtu_changed(nif);
	netstack_bump(nif->st);
	net_event(nif->st, NET_EV_LINK, false, nif);
}

static struct netif_addr *addr_find(struct netif *nif, const struct ip_addr *addr, uint8_t prefix)
{
	struct netif_addr *a;

	LIST_FOR_EACH(a, &nif->addrs, node) {
		if (ip_addr_equal(&a->addr, addr) && (a->prefix == prefix || addr->family == AF_INET6))
			return a;
	}
	return NULL;
}

static uint8_t default_scope(const struct ip_addr *a)
{
	if (ip_addr_loopback(a))
		return RT_SCOPE_HOST;
	return a->family == AF_INET6 && ip_addr_linklocal(a) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

int netif_addr_add(struct netif *nif, const struct netif_addr *from)
{
	bool v6 = from->addr.family == AF_INET6;
	struct netif_addr *a, *other;

	if ((!v6 && from->addr.family != AF_INET) || from->prefix > (v6 ? 128 : 32) ||
	    ip_addr_multicast(&from->addr) || (v6 && ip_addr_any(&from->addr)))
		return -EINVAL;
	if (addr_find(nif, &from->addr, from->prefix))
		return -EEXIST;
	a = malloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = *from;
	a->netif = nif;
	a->addr.scope = 0;
	if (v6 || a->scope == 0)
		a->scope = default_scope(&a->addr);
	if (!a->valid_until_ms)
		a->valid_until_ms = a->preferred_until_ms = UINT64_MAX;
	if (a->valid_until_ms == UINT64_MAX)
		a->flags |= IFA_F_PERMANENT;
	a->created_ms = a->updated_ms = nif->st->now_ms;
	if (!a->label[0])
		memcpy(a->label, nif->name, sizeof(a->label));
	LIST_FOR_EACH(other, &nif->addrs, node) {
		if (!v6 && other->addr.family == AF_INET && !(other->flags & IFA_F_SECONDARY) &&
		    other->prefix == a->prefix && ip_addr_prefix_equal(&other->addr, &a->addr, a->prefix))
			a->flags |= IFA_F_SECONDARY;
	}
	list_add_tail(&nif->addrs, &a->node);
	netstack_bump(nif->st);
	ip_addr_added(nif, a);
	net_event(nif->st, NET_EV_ADDR, false, a);
	return 0;
}

static void addr_drop(struct netif *nif, struct netif_addr *a)
{
	list_del(&a->node);
	netstack_bump(nif->st);
	ip_addr_removed(nif, a);
	net_event(nif->st, NET_EV_ADDR, true, a);
	free(a);
}

int netif_addr_del(struct netif *nif, const struct ip_addr *addr, uint8_t prefix)
{
	struct netif_addr *a = addr_find(nif, addr, prefix), *other, *tmp, *heir = NULL;
	struct ip_addr net;
	bool primary;

	if (!a)
		return -EADDRNOTAVAIL;
	primary = addr->family == AF_INET && !(a->flags & IFA_F_SECONDARY);
	net = a->addr;
	prefix = a->prefix;
	addr_drop(nif, a);
	if (!primary)
		return 0;
	/* With the first address of a subnet go the others, or one of them follows it (promote_secondaries). */
	LIST_FOR_EACH_SAFE(other, tmp, &nif->addrs, node) {
		if (!(other->flags & IFA_F_SECONDARY) || other->prefix != prefix ||
		    !ip_addr_prefix_equal(&other->addr, &net, prefix))
			continue;
		if (!nif->conf[NETIF_CONF_V4_PROMOTE_SECONDARIES]) {
			addr_drop(nif, other);
		} else if (!heir) {
			heir = other;
			heir->flags &= ~(uint32_t)IFA_F_SECONDARY;
			ip_addr_added(nif, heir);
		}
	}
	return 0;
}

void netif_input(struct netif *nif, struct pkt *p)
{
	p->netif = nif;
	if (!(nif->flags & IFF_UP)) {
		nif->stats.rx_dropped++;
		pkt_free(p);
		return;
	}
	nif->stats.rx_packets++;
	nif->stats.rx_bytes += p->len;
	if (!p->rx_ns)
		p->rx_ns = netstack_real_ns(nif->st);
	if (nif->type == ARPHRD_ETHER) {
		ether_input(nif, p);
		return;
	}
	if (unlikely(netif_tapped(nif))) {
		pkt_gather(p);
		netif_tap_show(nif, p, false);
	}
	ip_input(nif, p);
}

uint32_t netif_place(struct netif *nif, const uint8_t *head, uint32_t have, uint32_t total, struct iovec iov[2])
{
	const struct eth_hdr *h = (const void *)head;
	uint32_t size;

	if (nif->type != ARPHRD_ETHER || have < sizeof(*h) || netif_tapped(nif))
		return 0;
	size = ip_place(nif, be16(h->type), head + sizeof(*h), have - (uint32_t)sizeof(*h), total - (uint32_t)sizeof(*h), iov);
	return size ? size + (uint32_t)sizeof(*h) : 0;
}

/* A super-segment for a link without segmentation, cut to what the link takes. */
static int output_cut(struct netif *nif, struct pkt *p)
{
	struct list cut = LIST_INIT(cut);
	int ret = pkt_segment(p, &cut);

	if (ret < 0)
		nif->stats.tx_dropped++;
	while (!list_empty(&cut)) {
		struct pkt *q = LIST_FIRST(&cut, struct pkt, node);
		uint32_t size = q->len;

		list_del(&q->node);
		if (!(nif->features & NETIF_F_CSUM))
			pkt_csum_complete(q);
		ret = nif->ops->xmit(nif, q);
		if (ret < 0) {
			nif->stats.tx_dropped++;
			continue;
		}
		nif->stats.tx_packets++;
		nif->stats.tx_bytes += size;
	}
	return ret;
}

int netif_output(struct netif *nif, struct pkt *p)
{
	uint32_t size = pkt_total(p), need = p->gso == PKT_GSO_UDP ? NETIF_F_USO : NETIF_F_TSO;
	int ret;

	if (!(nif->flags & IFF_UP)) {
		pkt_free(p);
		return -ENETDOWN;
	}
	if (unlikely(netif_tapped(nif)) && nif->type != ARPHRD_LOOPBACK)
		netif_tap_show(nif, p, true);
	if (p->gso != PKT_GSO_NONE && !(nif->features & need))
		return output_cut(nif, p);
	if (p->csum == PKT_CSUM_PARTIAL && !(nif->features & NETIF_F_CSUM))
		pkt_csum_complete(p);
	ret = nif->ops->xmit(nif, p);
	if (ret < 0) {
		nif->stats.tx_dropped++;
		return ret;
	}
	nif->stats.tx_packets++;
	nif->stats.tx_bytes += size;
	return 0;
}

void netif_tap_add(struct netstack *st, struct netif_tap *tap)
{
	list_add_tail(&st->taps, &tap->node);
}

void netif_tap_remove(struct netif_tap *tap)
{
	list_del(&tap->node);
}

bool netif_tapped(const struct netif *nif)
{
	return !list_empty(&nif->st->taps);
}

void netif_tap_show(struct netif *nif, const struct pkt *p, bool out)
{
	struct netif_tap *tap, *tmp;

	LIST_FOR_EACH_SAFE(tap, tmp, &nif->st->taps, node) {
		if (!tap->index || tap->index == nif->index)
			tap->fn(tap, nif, p, out);
	}
}

void net_listener_add(struct netstack *st, struct net_listener *l)
{
	list_add_tail(&st->listeners, &l->node);
}

void net_listener_remove(struct net_listener *l)
{
	list_del(&l->node);
}

void net_event(struct netstack *st, enum net_event ev, bool deleted, const void *what)
{
	struct net_listener *l, *tmp;

	LIST_FOR_EACH_SAFE(l, tmp, &st->listeners, node)
		l->fn(l, ev, deleted, what);
}
