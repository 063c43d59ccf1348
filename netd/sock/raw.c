#include "netd/sock/raw.h"
#include "netd/core/layers.h"
#include "netd/core/pkt_priv.h"
#include "netd/core/stack_priv.h"
#include "netd/ip/ip_priv.h"
#include "netd/ip/v4.h"
#include "netd/ip/v6.h"
bool raw_deliver(struct netstack *st, const struct pkt *p, const struct ip_rx *rx) { return false; }
void raw_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *quoted, uint32_t size, uint32_t hlen, const struct ip_error *e) {}
void ping_input(struct netstack *st, struct pkt *p, const struct ip_rx *rx) { pkt_free(p); }
void ping_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size, const struct ip_error *err) {}
int raw_init(struct netstack *st) { return 0; }
void raw_done(struct netstack *st) {}
