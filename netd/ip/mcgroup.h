/* The multicast groups of an interface: who wants them, from which sources, and telling the routers (RFC 3376, 3810,
 * with their older versions). One logic for both families; igmp.c and mld.c know the messages. */
#ifndef NETD_IP_MCGROUP_H
#define NETD_IP_MCGROUP_H

#include "netd/ip/ip_priv.h"

#define MC_SOURCES_MAX 64u

/* One member of a group: a socket. `count` sources, that are the only wanted ones or (exclude) the unwanted. */
struct mc_member {
	struct list node;
	bool exclude;
	unsigned count;
	struct ip_addr src[MC_SOURCES_MAX];
};

enum mc_record_type { MC_IS_IN = 1, MC_IS_EX, MC_TO_IN, MC_TO_EX, MC_ALLOW, MC_BLOCK };

struct mc_filter {
	bool exclude;
	unsigned count;
	struct ip_addr src[MC_SOURCES_MAX];
};
struct mc_change {
	uint8_t type;            /* enum mc_record_type, 0: none */
	unsigned count;
	struct ip_addr src[MC_SOURCES_MAX];
};
struct mc_group {
	struct list node;
	struct mc_if *on;
	struct ip_addr addr;
	struct list members;
	unsigned own;            /* users that are no sockets: addresses of ours */
	struct mc_filter now;    /* of all members together */
	struct net_timer answer; /* to a query */
	struct net_timer again;  /* of a change */
	unsigned left;           /* how many times more it is told */
	struct mc_change change[2];
};
struct mc_if {
	struct netif *nif;
	int family;
	bool up;
	struct list groups;
	struct net_timer general; /* the answer to a general query */
	unsigned version;         /* 1..3 (IGMP), 1..2 (MLD): the newest that all queriers speak */
	unsigned newest;
	uint64_t older_until_ms;
};

struct mc_if *mc_new(struct netif *nif, int family, unsigned newest);
void mc_free(struct mc_if *m);
void mc_up(struct mc_if *m);
void mc_down(struct mc_if *m);
struct mc_if *mc_of(const struct netif *nif, int family);
struct mc_group *mc_find(struct mc_if *m, const struct ip_addr *group);
/* A socket joins, changed its filter, leaves. -ENOMEM. */
int mc_join(struct netif *nif, const struct ip_addr *group, struct mc_member *member);
void mc_changed(struct netif *nif, const struct ip_addr *group);
void mc_leave(struct netif *nif, const struct ip_addr *group, struct mc_member *member);
void mc_own(struct mc_if *m, const struct ip_addr *group, bool join);

/* A query was heard: of this version, with at most max_ms to answer; group family 0: general. */
void mc_query(struct mc_if *m, unsigned version, uint32_t max_ms, const struct ip_addr *group);
/* Somebody else reported the group: in the older versions that is enough. */
void mc_heard(struct mc_if *m, const struct ip_addr *group);

/* The message of the newest version: `records` of them lie behind the 8 bytes of header in p, p->len covers all. */
void igmp_send_report(struct netif *nif, struct pkt *p, unsigned records);
void mld_send_report(struct netif *nif, struct pkt *p, unsigned records);
/* The older ones. */
void igmp_send_old(struct netif *nif, unsigned version, const struct ip_addr *group, bool leave);
void mld_send_old(struct netif *nif, const struct ip_addr *group, bool leave);

#endif
