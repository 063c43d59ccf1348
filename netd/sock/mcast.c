/* See mcast.h. The structures of the options are the guest's: netinet/in.h has them as Linux does. */
#include "netd/sock/mcast.h"

#include <net/if.h>
#include <netinet/in.h>

#include "netd/ip/mcgroup.h"
#include "netd/sock/sock.h"

struct membership {
	struct list node;
	struct ip_addr group;
	int ifindex;
	struct mc_member m;
};

static struct list *memberships(struct nsock *s, bool make)
{
	if (!s->mcast && make) {
		s->mcast = malloc(sizeof(struct list));
		if (s->mcast)
			list_init(s->mcast);
	}
	return s->mcast;
}

static struct membership *find(struct nsock *s, const struct ip_addr *group, int ifindex)
{
	struct list *l = memberships(s, false);
	struct membership *m;

	if (!l)
		return NULL;
	LIST_FOR_EACH(m, l, node) {
		if (ip_addr_equal(&m->group, group) && (m->ifindex == ifindex || ifindex == 0))
			return m;
	}
	return NULL;
}

static int join(struct nsock *s, const struct ip_addr *group, struct netif *nif, bool exclude, struct membership **ret)
{
	struct list *l = memberships(s, true);
	struct membership *m;
	int64_t max = s->st->sysctl[NET_SYSCTL_IGMP_MAX_MEMBERSHIPS];
	int count = 0, err;

	if (!l)
		return -ENOMEM;
	LIST_FOR_EACH(m, l, node)
		count += m->group.family == AF_INET;
	if (group->family == AF_INET && count >= max)
		return -ENOBUFS;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->group = *group;
	m->ifindex = nif->index;
	m->m.exclude = exclude;
	err = mc_join(nif, group, &m->m);
	if (err < 0) {
		free(m);
		return err;
	}
	list_add_tail(l, &m->node);
	*ret = m;
	return 0;
}

static void leave(struct nsock *s, struct membership *m)
{
	struct netif *nif = netif_by_index(s->st, m->ifindex);

	if (nif)
		mc_leave(nif, &m->group, &m->m);
	else
		list_del(&m->m.node);
	list_del(&m->node);
	free(m);
}

void nsock_mcast_drop_all(struct nsock *s)
{
	struct list *l = memberships(s, false);

	if (!l)
		return;
	while (!list_empty(l))
		leave(s, LIST_FIRST(l, struct membership, node));
	free(l);
	s->mcast = NULL;
}

bool nsock_mcast_wants(const struct nsock *s, const struct ip_addr *group, const struct ip_addr *src, int iif)
{
	const struct list *l = s->mcast;
	bool all = group->family == AF_INET6 ? s->opt.mc_all6 : s->opt.mc_all;
	const struct membership *m;

	if (!l)
		return all;
	LIST_FOR_EACH(m, (struct list *)(uintptr_t)l, node) {
		bool listed = false;

		if (m->ifindex != iif || !ip_addr_equal(&m->group, group))
			continue;
		for (unsigned i = 0; i < m->m.count && !listed; i++)
			listed = ip_addr_equal(&m->m.src[i], src);
		return listed != m->m.exclude;
	}
	return all;
}

/* The interface that was meant: by number, by address, or where the group's route leads. */
static struct netif *choose(struct nsock *s, int ifindex, const struct ip_addr *local, const struct ip_addr *group)
{
	struct ip_flow f = {.dst = *group};
	struct netif *nif;
	struct ip_route r;

	if (ifindex)
		return netif_by_index(s->st, ifindex);
	if (local && !ip_addr_any(local))
		return netif_of_addr(s->st, local);
	if (ip_route_lookup(s->st, &f, &r) == 0)
		return r.out;
	LIST_FOR_EACH(nif, &s->st->netifs, node) {
		if ((nif->flags & IFF_UP) && (nif->flags & IFF_MULTICAST))
			return nif;
	}
	return NULL;
}

/* One source more or less in the filter of a membership. */
static int change_source(struct membership *m, const struct ip_addr *src, bool add, unsigned max)
{
	unsigned i;

	for (i = 0; i < m->m.count; i++) {
		if (ip_addr_equal(&m->m.src[i], src))
			break;
	}
	if (add) {
		if (i < m->m.count)
			return -EADDRNOTAVAIL;
		if (m->m.count >= MIN(max, MC_SOURCES_MAX))
			return -ENOBUFS;
		m->m.src[m->m.count++] = *src;
		return 0;
	}
	if (i == m->m.count)
		return -EADDRNOTAVAIL;
	m->m.src[i] = m->m.src[--m->m.count];
	return 0;
}

enum what { JOIN, LEAVE, JOIN_SOURCE, LEAVE_SOURCE, BLOCK, UNBLOCK };

static int change(struct nsock *s, enum what what, struct netif *nif, int ifindex, const struct ip_addr *group,
		  const struct ip_addr *src)
{
	unsigned max = (unsigned)s->st->sysctl[group->family == AF_INET ? NET_SYSCTL_IGMP_MAX_MSF : NET_SYSCTL_IPV6_MLD_MAX_MSF];
	struct membership *m;
	int ret;

	if (!ip_addr_multicast(group))
		return -EINVAL;
	if (!nif && what != LEAVE)
		return -ENODEV;
	m = find(s, group, nif ? nif->index : ifindex);
	switch (what) {
	case JOIN:
		return m ? -EADDRINUSE : join(s, group, nif, true, &m);
	case LEAVE:
		if (!m)
			return -EADDRNOTAVAIL;
		leave(s, m);
		return 0;
	case JOIN_SOURCE:
		if (m && m->m.exclude)
			return -EINVAL;
		if (!m) {
			ret = join(s, group, nif, false, &m);
			if (ret < 0)
				return ret;
		}
		ret = change_source(m, src, true, max);
		break;
	case LEAVE_SOURCE:
		if (!m)
			return -EADDRNOTAVAIL;
		if (m->m.exclude)
			return -EINVAL;
		ret = change_source(m, src, false, max);
		if (ret == 0 && m->m.count == 0) {
			leave(s, m);
			return 0;
		}
		break;
	default:
		if (!m || (!m->m.exclude && m->m.count == 0))
			return -EINVAL;
		if (!m->m.exclude)
			return -EINVAL;
		ret = change_source(m, src, what == BLOCK, max);
		break;
	}
	if (ret == 0)
		mc_changed(nif, group);
	return ret;
}

/* struct sockaddr_storage of a group request. */
static bool addr_from(const struct sockaddr_storage *ss, int family, struct ip_addr *ret)
{
	*ret = (struct ip_addr){.family = (uint16_t)family};
	if (ss->ss_family != family)
		return false;
	if (family == AF_INET)
		ret->v4 = ((const struct sockaddr_in *)(const void *)ss)->sin_addr.s_addr;
	else
		memcpy(ret->v6, &((const struct sockaddr_in6 *)(const void *)ss)->sin6_addr, 16);
	return true;
}

static int group_req(struct nsock *s, int family, enum what what, const void *val, uint32_t size)
{
	struct ip_addr group, src;
	struct group_source_req r;

	memset(&r, 0, sizeof(r));
	if (what == JOIN || what == LEAVE) {
		struct group_req g;

		if (size < sizeof(g))
			return -EINVAL;
		memcpy(&g, val, sizeof(g));
		r.gsr_interface = g.gr_interface;
		r.gsr_group = g.gr_group;
	} else {
		if (size < sizeof(r))
			return -EINVAL;
		memcpy(&r, val, sizeof(r));
		if (!addr_from(&r.gsr_source, family, &src))
			return -EADDRNOTAVAIL;
	}
	if (!addr_from(&r.gsr_group, family, &group))
		return -EINVAL;
	return change(s, what, choose(s, (int)r.gsr_interface, NULL, &group), (int)r.gsr_interface, &group, &src);
}

static int mreq(struct nsock *s, enum what what, const void *val, uint32_t size)
{
	struct ip_addr group, local;
	struct ip_mreqn m = {0};

	if (size < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(&m, val, MIN(size, (uint32_t)sizeof(m)));
	group = ip_addr_v4(m.imr_multiaddr.s_addr);
	local = ip_addr_v4(m.imr_address.s_addr);
	return change(s, what, choose(s, m.imr_ifindex, &local, &group), m.imr_ifindex, &group, NULL);
}

static int mreq_source(struct nsock *s, enum what what, const void *val, uint32_t size)
{
	struct ip_addr group, local, src;
	struct ip_mreq_source m;

	if (size < sizeof(m))
		return -EINVAL;
	memcpy(&m, val, sizeof(m));
	group = ip_addr_v4(m.imr_multiaddr.s_addr);
	local = ip_addr_v4(m.imr_interface.s_addr);
	src = ip_addr_v4(m.imr_sourceaddr.s_addr);
	return change(s, what, choose(s, 0, &local, &group), 0, &group, &src);
}

static int mreq6(struct nsock *s, enum what what, const void *val, uint32_t size)
{
	struct ip_addr group = {.family = AF_INET6};
	struct ipv6_mreq m;

	if (size < sizeof(m))
		return -EINVAL;
	memcpy(&m, val, sizeof(m));
	memcpy(group.v6, &m.ipv6mr_multiaddr, 16);
	return change(s, what, choose(s, (int)m.ipv6mr_interface, NULL, &group), (int)m.ipv6mr_interface, &group, NULL);
}

/* A whole filter at once (IP_MSFILTER, MCAST_MSFILTER). */
static int set_filter(struct nsock *s, struct netif *nif, const struct ip_addr *group, bool exclude,
		      const struct ip_addr *src, unsigned count)
{
	struct membership *m;

	if (!ip_addr_multicast(group))
		return -EINVAL;
	if (!nif)
		return -ENODEV;
	m = find(s, group, nif->index);
	if (!exclude && count == 0) {
		if (!m)
			return -EADDRNOTAVAIL;
		leave(s, m);
		return 0;
	}
	if (!m)
		return -EINVAL;
	m->m.exclude = exclude;
	m->m.count = count;
	memcpy(m->m.src, src, count * sizeof(*src));
	mc_changed(nif, group);
	return 0;
}

static int ip_msfilter(struct nsock *s, const void *val, uint32_t size)
{
	struct ip_addr src[MC_SOURCES_MAX], group, local;
	const uint8_t *d = val;
	uint32_t mode, count;

	if (size < 16)
		return -EINVAL;
	group = ip_addr_v4(get_raw32(d));
	local = ip_addr_v4(get_raw32(d + 4));
	memcpy(&mode, d + 8, 4);
	memcpy(&count, d + 12, 4);
	if (mode > MCAST_INCLUDE || count > (size - 16) / 4)
		return -EINVAL;
	if (count > MIN((uint32_t)s->st->sysctl[NET_SYSCTL_IGMP_MAX_MSF], MC_SOURCES_MAX))
		return -ENOBUFS;
	for (uint32_t i = 0; i < count; i++)
		src[i] = ip_addr_v4(get_raw32(d + 16 + 4 * i));
	return set_filter(s, choose(s, 0, &local, &group), &group, mode == MCAST_EXCLUDE, src, count);
}

static int mcast_msfilter(struct nsock *s, int family, const void *val, uint32_t size)
{
	struct ip_addr src[MC_SOURCES_MAX], group;
	struct group_filter f;
	const uint8_t *d = val;
	const uint32_t head = (uint32_t)offsetof(struct group_filter, gf_slist);

	if (size < head)
		return -EINVAL;
	memset(&f, 0, sizeof(f));
	memcpy(&f, d, head);
	if (f.gf_fmode > MCAST_INCLUDE || f.gf_numsrc > (size - head) / sizeof(struct sockaddr_storage))
		return -EINVAL;
	if (f.gf_numsrc > MC_SOURCES_MAX)
		return -ENOBUFS;
	if (!addr_from(&f.gf_group, family, &group))
		return -EADDRNOTAVAIL;
	for (uint32_t i = 0; i < f.gf_numsrc; i++) {
		struct sockaddr_storage ss;

		memcpy(&ss, d + head + i * sizeof(ss), sizeof(ss));
		if (!addr_from(&ss, family, &src[i]))
			return -EADDRNOTAVAIL;
	}
	return set_filter(s, choose(s, (int)f.gf_interface, NULL, &group), &group, f.gf_fmode == MCAST_EXCLUDE, src,
			  f.gf_numsrc);
}

int nsock_mcast_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	int family = level == IPPROTO_IP ? AF_INET : AF_INET6;

	if (level != IPPROTO_IP && level != IPPROTO_IPV6)
		return -ENOPROTOOPT;
	switch (name) {
	case MCAST_JOIN_GROUP: return group_req(s, family, JOIN, val, size);
	case MCAST_LEAVE_GROUP: return group_req(s, family, LEAVE, val, size);
	case MCAST_JOIN_SOURCE_GROUP: return group_req(s, family, JOIN_SOURCE, val, size);
	case MCAST_LEAVE_SOURCE_GROUP: return group_req(s, family, LEAVE_SOURCE, val, size);
	case MCAST_BLOCK_SOURCE: return group_req(s, family, BLOCK, val, size);
	case MCAST_UNBLOCK_SOURCE: return group_req(s, family, UNBLOCK, val, size);
	case MCAST_MSFILTER: return mcast_msfilter(s, family, val, size);
	}
	if (level == IPPROTO_IPV6) {
		switch (name) {
		case IPV6_JOIN_GROUP: return mreq6(s, JOIN, val, size);
		case IPV6_LEAVE_GROUP: return mreq6(s, LEAVE, val, size);
		}
		return -ENOPROTOOPT;
	}
	switch (name) {
	case IP_ADD_MEMBERSHIP: return mreq(s, JOIN, val, size);
	case IP_DROP_MEMBERSHIP: return mreq(s, LEAVE, val, size);
	case IP_ADD_SOURCE_MEMBERSHIP: return mreq_source(s, JOIN_SOURCE, val, size);
	case IP_DROP_SOURCE_MEMBERSHIP: return mreq_source(s, LEAVE_SOURCE, val, size);
	case IP_BLOCK_SOURCE: return mreq_source(s, BLOCK, val, size);
	case IP_UNBLOCK_SOURCE: return mreq_source(s, UNBLOCK, val, size);
	case IP_MSFILTER: return ip_msfilter(s, val, size);
	}
	return -ENOPROTOOPT;
}

int nsock_mcast_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	struct ip_addr group, local;
	struct membership *m;
	uint8_t *d = val;
	uint32_t mode, want;
	struct netif *nif;

	if (level != IPPROTO_IP || name != IP_MSFILTER)
		return -ENOPROTOOPT;
	if (*size < 16)
		return -EINVAL;
	group = ip_addr_v4(get_raw32(d));
	local = ip_addr_v4(get_raw32(d + 4));
	if (!ip_addr_multicast(&group))
		return -EINVAL;
	nif = choose(s, 0, &local, &group);
	m = nif ? find(s, &group, nif->index) : NULL;
	if (!m)
		return nif ? -EADDRNOTAVAIL : -ENODEV;
	memcpy(&want, d + 12, 4);
	mode = m->m.exclude ? MCAST_EXCLUDE : MCAST_INCLUDE;
	want = MIN(MIN(want, m->m.count), (*size - 16) / 4);
	memcpy(d + 8, &mode, 4);
	memcpy(d + 12, &m->m.count, 4);
	for (uint32_t i = 0; i < want; i++)
		memcpy(d + 16 + 4 * i, &m->m.src[i].v4, 4);
	*size = 16 + 4 * want;
	return 0;
}
