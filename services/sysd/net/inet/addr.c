/* Socket addresses between the guest's form and netd's. */
#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/net/inet/inet.h"

#define IN6_MIN_SIZE 24 /* SIN6_LEN_RFC2133: without the scope */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static void map_v4(struct net_name *n)
{
	uint8_t v4[4];

	memcpy(v4, n->addr, 4);
	memcpy(n->addr, mapped_prefix, sizeof(mapped_prefix));
	memcpy(n->addr + 12, v4, 4);
	n->family = AF_INET6;
}

static int packet_in(const struct sock_addr *a, struct net_name *ret)
{
	struct sockaddr_ll ll;

	if (a->size < offsetof(struct sockaddr_ll, sll_addr))
		return -EINVAL;
	if (a->family != AF_PACKET)
		return -EINVAL;
	memcpy(&ll, a->raw, sizeof(ll));
	*ret = (struct net_name){.family = AF_PACKET, .port = ll.sll_protocol, .scope = (uint32_t)ll.sll_ifindex};
	return 0;
}

int inet_addr_in(const struct inet_sock *k, const struct sock_addr *a, struct net_name *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (k->s.family == AF_PACKET)
		return packet_in(a, ret);
	if (a->size < sizeof(uint16_t))
		return -EINVAL;
	if (a->family == AF_INET) {
		if (a->size < sizeof(in))
			return -EINVAL;
		memcpy(&in, a->raw, sizeof(in));
		*ret = (struct net_name){.family = AF_INET, .port = in.sin_port};
		memcpy(ret->addr, &in.sin_addr, 4);
		if (k->s.family == AF_INET6)
			map_v4(ret);
		return 0;
	}
	if (a->family != AF_INET6 || k->s.family != AF_INET6)
		return a->size < sizeof(in) ? -EINVAL : -EAFNOSUPPORT;
	if (a->size < IN6_MIN_SIZE)
		return -EINVAL;
	memset(&in6, 0, sizeof(in6));
	memcpy(&in6, a->raw, MIN((size_t)a->size, sizeof(in6)));
	*ret = (struct net_name){.family = AF_INET6, .port = in6.sin6_port, .flowinfo = in6.sin6_flowinfo};
	memcpy(ret->addr, &in6.sin6_addr, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&in6.sin6_addr) ||
	    IN6_IS_ADDR_MC_NODELOCAL(&in6.sin6_addr))
		ret->scope = in6.sin6_scope_id;
	return 0;
}

void inet_addr_out(const struct inet_sock *k, const struct net_name *n, struct sock_addr *ret)
{
	memset(ret->raw, 0, sizeof(ret->raw));
	if (k->s.family == AF_PACKET) {
		struct sockaddr_ll ll = {.sll_family = AF_PACKET,
					 .sll_protocol = n->port,
					 .sll_ifindex = (int)n->scope};

		memcpy(ret->raw, &ll, sizeof(ll));
		ret->size = sizeof(ll);
	} else if (k->s.family == AF_INET) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = n->port};

		memcpy(&in.sin_addr, n->family == AF_INET6 ? n->addr + 12 : n->addr, 4);
		memcpy(ret->raw, &in, sizeof(in));
		ret->size = sizeof(in);
	} else {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = n->port};
		struct net_name v6 = *n;

		if (v6.family == AF_INET) {
			static const uint8_t none[4];

			/* The wildcard of an unbound socket is "::". */
			if (memcmp(v6.addr, none, 4))
				map_v4(&v6);
			else
				memset(v6.addr, 0, sizeof(v6.addr));
		}
		memcpy(&in6.sin6_addr, v6.addr, 16);
		in6.sin6_scope_id = v6.scope;
		in6.sin6_flowinfo = inet_opt(k, OPT_IPV6_FLOWINFO_SEND) ? v6.flowinfo : 0;
		memcpy(ret->raw, &in6, sizeof(in6));
		ret->size = sizeof(in6);
	}
}

bool inet_name_v4(const struct net_name *n, uint32_t *ret)
{
	if (n->family == AF_INET) {
		memcpy(ret, n->addr, 4);
		return true;
	}
	if (n->family == AF_INET6 && !memcmp(n->addr, mapped_prefix, sizeof(mapped_prefix))) {
		memcpy(ret, n->addr + 12, 4);
		return true;
	}
	return false;
}

bool inet_name_any(const struct net_name *n)
{
	static const uint8_t none[16];
	uint32_t v4;

	if (inet_name_v4(n, &v4))
		return v4 == 0;
	return !memcmp(n->addr, none, sizeof(none));
}

bool inet_name_equal(const struct net_name *a, const struct net_name *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}
