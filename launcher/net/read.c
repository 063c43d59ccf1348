/* The network of the caller's namespace, as rtnetlink tells it. Everything that is about an interface which is
 * taken is also kept as the message that it came in, for the way back. */
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <net/if_arp.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <sys/socket.h>
#include "common/base/util.h"
#include "launcher/net/rtnl.h"
#include "launcher/net/take.h"
#include "launcher/net/undo.h"

/* One more place in an array of the configuration. NULL: no memory, or too many. */
static void *grow(void **array, size_t *count, size_t size, size_t max)
{
	void *bigger;

	if (*count >= max)
		return NULL;
	bigger = realloc(*array, (*count + 1) * size);
	if (!bigger)
		return NULL;
	*array = bigger;
	memset((char *)bigger + *count * size, 0, size);
	return (char *)bigger + (*count)++ * size;
}
#define GROW(c, what, max) \
	((__typeof__((c)->what##s))grow((void **)&(c)->what##s, &(c)->what##_count, sizeof(*(c)->what##s), max))

static struct link_ip ip_of(uint8_t family, const struct rtattr *a)
{
	struct link_ip ip = {0};
	size_t size = family == AF_INET ? 4 : 16;

	if (!a || rtnl_size(a) < size)
		return ip;
	ip.family = family;
	memcpy(ip.bytes, rtnl_data(a), size);
	return ip;
}

static struct link_if *find(struct link_config *c, uint32_t index)
{
	for (size_t i = 0; i < c->link_count; i++)
		if (c->links[i].index == index)
			return &c->links[i];
	return NULL;
}

static int keep(const struct net_taken *t, const struct nlmsghdr *h)
{
	return t->undo < 0 ? 0 : undo_add(t->undo, UNDO_ROUTE, h, h->nlmsg_len);
}

static bool ipv6_on(const char *name)
{
	char path[96], value = '1';

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &value, 1) == 1 && value == '0';
}

static int on_link(const struct nlmsghdr *h, void *arg)
{
	struct net_taken *t = arg;
	const struct ifinfomsg *ifi = NLMSG_DATA(h);
	const struct rtattr *tb[IFLA_MAX + 1];
	struct link_if *l;

	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	rtnl_parse(h, sizeof(*ifi), tb, IFLA_MAX);
	/* ports of a bridge belong to the bridge, and what is no Ethernet cannot be spoken to yet */
	if (ifi->ifi_type != ARPHRD_ETHER || tb[IFLA_MASTER] || !tb[IFLA_IFNAME] || !tb[IFLA_ADDRESS] ||
	    rtnl_size(tb[IFLA_ADDRESS]) != 6)
		return 0;
	l = GROW(&t->config, link, LINK_LINKS_MAX);
	if (!l)
		return -ENOMEM;
	l->index = (uint32_t)ifi->ifi_index;
	snprintf(l->name, sizeof(l->name), "%s", (const char *)rtnl_data(tb[IFLA_IFNAME]));
	l->type = ifi->ifi_type;
	memcpy(l->mac, rtnl_data(tb[IFLA_ADDRESS]), 6);
	l->mtu = MIN(rtnl_u32(tb[IFLA_MTU]), 65535u);
	l->flags = ifi->ifi_flags;
	l->txqlen = rtnl_u32(tb[IFLA_TXQLEN]);
	l->ipv6 = ipv6_on(l->name);
	l->offload = true;
	return 0;
}

static int on_addr(const struct nlmsghdr *h, void *arg)
{
	struct net_taken *t = arg;
	const struct ifaddrmsg *ifa = NLMSG_DATA(h);
	const struct rtattr *tb[IFA_MAX + 1];
	struct link_addr *a;

	if (h->nlmsg_type != RTM_NEWADDR || !find(&t->config, ifa->ifa_index) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return 0;
	rtnl_parse(h, sizeof(*ifa), tb, IFA_MAX);
	a = GROW(&t->config, addr, LINK_ITEMS_MAX);
	if (!a)
		return -ENOMEM;
	a->index = ifa->ifa_index;
	a->addr = ip_of(ifa->ifa_family, tb[tb[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS]);
	if (!a->addr.family) {
		t->config.addr_count--;
		return 0;
	}
	if (tb[IFA_LOCAL] && tb[IFA_ADDRESS] && rtnl_size(tb[IFA_LOCAL]) == rtnl_size(tb[IFA_ADDRESS]) &&
	    memcmp(rtnl_data(tb[IFA_LOCAL]), rtnl_data(tb[IFA_ADDRESS]), rtnl_size(tb[IFA_LOCAL])) != 0)
		a->peer = ip_of(ifa->ifa_family, tb[IFA_ADDRESS]);
	if (ifa->ifa_family == AF_INET)
		a->broadcast = ip_of(AF_INET, tb[IFA_BROADCAST]);
	a->prefix = ifa->ifa_prefixlen;
	a->scope = ifa->ifa_scope;
	a->flags = tb[IFA_FLAGS] ? rtnl_u32(tb[IFA_FLAGS]) : ifa->ifa_flags;
	if (tb[IFA_LABEL])
		snprintf(a->label, sizeof(a->label), "%s", (const char *)rtnl_data(tb[IFA_LABEL]));
	a->preferred_s = a->valid_s = UINT32_MAX;
	if (tb[IFA_CACHEINFO] && rtnl_size(tb[IFA_CACHEINFO]) >= sizeof(struct ifa_cacheinfo)) {
		const struct ifa_cacheinfo *ci = rtnl_data(tb[IFA_CACHEINFO]);

		a->preferred_s = ci->ifa_prefered;
		a->valid_s = ci->ifa_valid;
	}
	return keep(t, h);
}

static int on_route(const struct nlmsghdr *h, void *arg)
{
	struct net_taken *t = arg;
	const struct rtmsg *rtm = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
	struct link_route *r;
	uint32_t table, oif;

	if (h->nlmsg_type != RTM_NEWROUTE || (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    (rtm->rtm_flags & RTM_F_CLONED))
		return 0;
	rtnl_parse(h, sizeof(*rtm), tb, RTA_MAX);
	rtnl_parse_nested(tb[RTA_METRICS], metrics, RTAX_MAX);
	table = tb[RTA_TABLE] ? rtnl_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	oif = rtnl_u32(tb[RTA_OIF]);
	/* the local table and prefixes of addresses follow from the addresses */
	if (table == RT_TABLE_LOCAL || rtm->rtm_type == RTN_LOCAL || rtm->rtm_type == RTN_ANYCAST ||
	    rtm->rtm_type == RTN_MULTICAST || rtm->rtm_type == RTN_BROADCAST)
		return 0;
	if (rtm->rtm_protocol == RTPROT_KERNEL || (oif && !find(&t->config, oif)))
		return 0;
	if (tb[RTA_MULTIPATH] || tb[RTA_VIA] || tb[RTA_ENCAP])
		return keep(t, h); /* not for our stack, but to be there again afterwards */
	r = GROW(&t->config, route, LINK_ITEMS_MAX);
	if (!r)
		return -ENOMEM;
	r->dst = ip_of(rtm->rtm_family, tb[RTA_DST]);
	r->dst.family = rtm->rtm_family;
	r->dst_len = rtm->rtm_dst_len;
	r->gateway = ip_of(rtm->rtm_family, tb[RTA_GATEWAY]);
	r->prefsrc = ip_of(rtm->rtm_family, tb[RTA_PREFSRC]);
	r->protocol = rtm->rtm_protocol;
	r->scope = rtm->rtm_scope;
	r->type = rtm->rtm_type;
	r->table = table;
	r->oif = oif;
	r->metric = rtnl_u32(tb[RTA_PRIORITY]);
	r->mtu = MIN(rtnl_u32(metrics[RTAX_MTU]), 65535u);
	r->advmss = MIN(rtnl_u32(metrics[RTAX_ADVMSS]), 65535u);
	r->window = rtnl_u32(metrics[RTAX_WINDOW]);
	r->initcwnd = MIN(rtnl_u32(metrics[RTAX_INITCWND]), 65535u);
	r->flags = rtm->rtm_flags & RTNH_F_ONLINK;
	return keep(t, h);
}

static int on_rule(const struct nlmsghdr *h, void *arg)
{
	struct net_taken *t = arg;
	const struct fib_rule_hdr *frh = NLMSG_DATA(h);
	const struct rtattr *tb[FRA_MAX + 1];
	struct link_rule *r;
	uint32_t priority;

	if (h->nlmsg_type != RTM_NEWRULE || (frh->family != AF_INET && frh->family != AF_INET6))
		return 0;
	rtnl_parse(h, sizeof(*frh), tb, FRA_MAX);
	priority = rtnl_u32(tb[FRA_PRIORITY]);
	if (priority == 0 || priority >= 32766) /* those that are always there */
		return 0;
	r = GROW(&t->config, rule, LINK_ITEMS_MAX);
	if (!r)
		return -ENOMEM;
	r->family = frh->family;
	r->action = frh->action;
	r->src_len = frh->src_len;
	r->dst_len = frh->dst_len;
	r->priority = priority;
	r->table = tb[FRA_TABLE] ? rtnl_u32(tb[FRA_TABLE]) : frh->table;
	r->mark = rtnl_u32(tb[FRA_FWMARK]);
	r->mask = rtnl_u32(tb[FRA_FWMASK]);
	r->flags = frh->flags;
	r->src = ip_of(frh->family, tb[FRA_SRC]);
	r->dst = ip_of(frh->family, tb[FRA_DST]);
	return 0; /* rules are not about interfaces: they stay on the host */
}

static int on_neigh(const struct nlmsghdr *h, void *arg)
{
	struct net_taken *t = arg;
	const struct ndmsg *ndm = NLMSG_DATA(h);
	const struct rtattr *tb[NDA_MAX + 1];
	struct link_neigh *n;

	/* what was set by hand; the rest is found again when it is needed */
	if (h->nlmsg_type != RTM_NEWNEIGH || !(ndm->ndm_state & NUD_PERMANENT) ||
	    !find(&t->config, (uint32_t)ndm->ndm_ifindex) ||
	    (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6))
		return 0;
	rtnl_parse(h, sizeof(*ndm), tb, NDA_MAX);
	if (!tb[NDA_DST] || !tb[NDA_LLADDR] || rtnl_size(tb[NDA_LLADDR]) != 6)
		return 0;
	n = GROW(&t->config, neigh, LINK_ITEMS_MAX);
	if (!n)
		return -ENOMEM;
	n->index = (uint32_t)ndm->ndm_ifindex;
	n->addr = ip_of(ndm->ndm_family, tb[NDA_DST]);
	memcpy(n->mac, rtnl_data(tb[NDA_LLADDR]), 6);
	n->state = NUD_PERMANENT;
	n->flags = ndm->ndm_flags;
	if (!n->addr.family)
		t->config.neigh_count--;
	return 0;
}

int net_read(struct net_taken *t, struct err *e)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct ifinfomsg ifi = {0};
	const struct ifaddrmsg ifa = {0};
	const struct ndmsg ndm = {0};
	CLEANUP_CLOSE int sock = rtnl_open();
	struct rtnl_msg m;
	int r;

	if (sock < 0)
		return err_sys(e, -sock, "a netlink socket");
	rtnl_init(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	r = rtnl_dump(sock, &m, on_link, t);
	if (r < 0)
		return err_sys(e, -r, "reading the container's interfaces");
	rtnl_init(&m, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	r = rtnl_dump(sock, &m, on_addr, t);
	if (r < 0)
		return err_sys(e, -r, "reading the container's addresses");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct rtmsg rtm = {.rtm_family = families[i]};
		const struct fib_rule_hdr frh = {.family = families[i]};

		rtnl_init(&m, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
		r = rtnl_dump(sock, &m, on_route, t);
		if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
			return err_sys(e, -r, "reading the container's routes");
		rtnl_init(&m, RTM_GETRULE, 0, &frh, sizeof(frh));
		r = rtnl_dump(sock, &m, on_rule, t);
		if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
			return err_sys(e, -r, "reading the container's routing rules");
	}
	rtnl_init(&m, RTM_GETNEIGH, 0, &ndm, sizeof(ndm));
	r = rtnl_dump(sock, &m, on_neigh, t);
	return r < 0 ? err_sys(e, -r, "reading the container's neighbours") : 0;
}
