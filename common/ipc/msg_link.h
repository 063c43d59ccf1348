/* What the launcher tells netd of the network that it took over for the sandbox (section link of sbx.cddl):
 * interfaces, addresses, routes, rules and neighbours, as they were in the container's namespace.
 *
 * It travels in a sealed memfd over NETD_FD_LAUNCH_PASS, as the last of the descriptors that it speaks of; tickets
 * say what each one is. Everything is sent again to a netd that was started anew. */
#ifndef SBX_IPC_MSG_LINK_H
#define SBX_IPC_MSG_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tickets on NETD_FD_LAUNCH_PASS. */
#define LINK_TICKET_CONFIG 1u
#define LINK_TICKET_PCAP 2u            /* a file to record to */
#define LINK_TICKET_RESOLVER 3u        /* a UDP socket connected to config.resolver */
#define LINK_TICKET_RESOLVER_TCP(i) (4u + (i)) /* TCP sockets for it, not connected; none or all */
#define LINK_TICKET_LINK(i) (16u + (i)) /* of links[i] */

#define LINK_RESOLVER_LINES 8u
#define LINK_LINKS_MAX 64u
#define LINK_ITEMS_MAX 4096u           /* addresses, routes, rules, neighbours each */

struct link_ip {
	uint8_t family;          /* AF_INET, AF_INET6, 0: none */
	uint8_t bytes[16];       /* network order, 4 or 16 of them */
};

enum link_kind {
	LINK_PACKET,             /* AF_PACKET, SOCK_RAW with PACKET_VNET_HDR */
	LINK_TAP,                /* the far end of a TAP with IFF_NO_PI | IFF_VNET_HDR */
	LINK_HOST,               /* the host's own, with --network=host: to be seen, no descriptor, nothing crosses it */
};
struct link_if {
	uint32_t index;          /* as in the namespace; never 1, which is the loopback's */
	char name[16];
	uint32_t kind;
	uint16_t type;           /* ARPHRD_* */
	uint8_t mac[6];
	uint32_t mtu, flags, txqlen;
	bool ipv6;               /* not switched off for it */
	bool offload;            /* takes and gives super-segments and unfinished checksums */
};
struct link_addr {
	uint32_t index;
	struct link_ip addr, peer, broadcast;
	uint8_t prefix, scope;
	uint32_t flags;          /* IFA_F_* */
	char label[16];
	uint32_t preferred_s, valid_s; /* UINT32_MAX: for ever */
};
struct link_route {
	struct link_ip dst, gateway, prefsrc; /* dst family is never 0 */
	uint8_t dst_len, protocol, scope, type; /* RTPROT_*, RT_SCOPE_*, RTN_* */
	uint32_t table, oif, metric, mtu, advmss, window, initcwnd, flags; /* flags: RTNH_F_* */
};
struct link_rule {
	uint8_t family, action, src_len, dst_len;
	uint32_t priority, table, mark, mask, flags;
	struct link_ip src, dst;
};
struct link_neigh {
	uint32_t index;
	struct link_ip addr;
	uint8_t mac[6];
	uint16_t state;          /* NUD_* */
	uint8_t flags;           /* NTF_* */
};

struct link_config {
	bool none;               /* --network=none: nothing but the loopback interface */
	struct link_if *links;
	struct link_addr *addrs;
	struct link_route *routes;
	struct link_rule *rules;
	struct link_neigh *neighs;
	size_t link_count, addr_count, route_count, rule_count, neigh_count;
	struct link_ip resolver; /* a name server of the host at a loopback address; family 0: no relay */
};

/* Encodes into a fresh buffer. Its size or -ENOMEM, -E2BIG. */
long link_config_encode(const struct link_config *c, uint8_t **ret_buf);
/* Decodes; what it returns is consistent: prefixes fit their families, names are names, indexes are distinct
 * and named by links, enumerations are known. 0, -EPROTO or -ENOMEM. */
int link_config_decode(const void *buf, size_t size, struct link_config *ret);
void link_config_done(struct link_config *c);

#endif
