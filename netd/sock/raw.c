#include "netd/sock/raw.h"
#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/ip/ip_priv.h"
#include "netd/ip/v4.h"
#include "netd/ip/v6.h"
#include "netd/sock/mcast.h"
bool raw_deliver(struct netstack *st, const struct pkt *p, const struct ip_rx *rx) { return false; }
void raw_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *quoted, uint32_t size, uint32_t hlen, const struct ip_error *e) {}
void ping_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx) { pkt_free(p); }
void ping_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size, const struct ip_error *err) {}
int raw_init(struct netstack *st) { return 0; }
void raw_done(struct netstack *st) {}
int igmp_init(struct netif *nif) { return 0; }
void igmp_done(struct netif *nif) {}
void igmp_up(struct netif *nif) {}
void igmp_down(struct netif *nif) {}
void igmp_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx) { pkt_free(p); }
bool ip_mc_joined(const struct netif *nif, const struct ip_addr *g) { return true; }
int frag_init(struct netstack *st) { return 0; }
void frag_done(struct netstack *st) {}
struct pkt *frag4_input(struct netstack *st, struct pkt *p) { pkt_free(p); return NULL; }
void frag_flush_netif(struct netif *nif) {}
int nsock_mcast_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size) { return -ENOPROTOOPT; }
int nsock_mcast_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size) { return -ENOPROTOOPT; }
bool nsock_mcast_wants(const struct nsock *s, const struct ip_addr *group, const struct ip_addr *src, int iif) { return true; }
void nsock_mcast_drop_all(struct nsock *s) {}
void nsock_mcast_netif_gone(struct netif *nif) {}
int ip6_init(struct netstack *st) { return 0; }
void ip6_done(struct netstack *st) {}
int ip6_netif_added(struct netif *nif) { return 0; }
void ip6_netif_removed(struct netif *nif) {}
void ip6_netif_up(struct netif *nif) {}
void ip6_netif_down(struct netif *nif) {}
void ip6_addr_start(struct netif *nif, struct netif_addr *a) { ip_addr_local(nif, a, true); }
void ip6_addr_stop(struct netif *nif, struct netif_addr *a) {}
void nd_solicit(struct neigh *n, bool unicast) {}
void icmp6_error(struct netstack *st, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info) {}
void icmp6_addr_unreachable(struct netstack *st, const struct pkt *p) {}
void ip6_input(struct netif *nif, struct pkt *p) { pkt_free(p); }
int ip6_output(struct netstack *st, struct pkt *p, const struct ip_tx *tx) { pkt_free(p); return -ENETUNREACH; }
