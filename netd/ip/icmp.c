/* What ICMP of both versions shares: how often an error may be sent. Tokens per destination and for all, as Linux has
 * them, so that we are neither an amplifier nor a scanner's fast answer. */
#include "netd/ip/icmp.h"

#define SLOTS 256u
#define BURST 6u /* of one destination */

struct limit_slot {
	struct ip_addr addr;
	uint64_t credit_ms, last_ms;
};

struct icmp_state {
	struct limit_slot slot[SLOTS];
	uint64_t global_last_ms;
	uint64_t global_tokens;  /* in thousandths */
};

static bool global_allowed(struct netstack *st)
{
	struct icmp_state *s = st->ip->icmp;
	uint64_t burst = 1000 * (uint64_t)st->sysctl[NET_SYSCTL_ICMP_MSGS_BURST];
	uint64_t rate = (uint64_t)st->sysctl[NET_SYSCTL_ICMP_MSGS_PER_SEC];
	uint64_t passed = MIN(st->now_ms - s->global_last_ms, UINT64_C(1000));

	s->global_tokens = MIN(s->global_tokens + passed * rate, burst);
	s->global_last_ms = st->now_ms;
	if (s->global_tokens < 1000)
		return false;

	s->global_tokens -= 1000;
	return true;
}

bool icmp_allowed(struct netstack *st, const struct ip_addr *to, bool loopback)
{
	bool v6 = to->family == AF_INET6;
	uint64_t every = (uint64_t)st->sysctl[v6 ? NET_SYSCTL_ICMP6_RATELIMIT : NET_SYSCTL_ICMP_RATELIMIT];
	struct limit_slot *slot;

	if (loopback || every == 0)
		return true;
	if (!global_allowed(st)) {
		if (!v6)
			net_count(st, MIB_Icmp_OutRateLimitGlobal);
		return false;
	}
	slot = &st->ip->icmp->slot[netstack_hash(st, to->v6, v6 ? 16 : 4) % SLOTS];
	if (!slot->addr.family || !ip_addr_equal(&slot->addr, to)) {
		slot->addr = *to;
		slot->credit_ms = BURST * every;
		slot->last_ms = st->now_ms;
	}
	slot->credit_ms = MIN(slot->credit_ms + (st->now_ms - slot->last_ms), BURST * every);
	slot->last_ms = st->now_ms;
	if (slot->credit_ms < every) {
		net_count(st, v6 ? MIB_Icmp6_OutRateLimitHost : MIB_Icmp_OutRateLimitHost);
		return false;
	}
	slot->credit_ms -= every;
	return true;
}

int icmp_limits_init(struct netstack *st)
{
	st->ip->icmp = calloc(1, sizeof(*st->ip->icmp));
	if (!st->ip->icmp)
		return -ENOMEM;
	st->ip->icmp->global_tokens = 1000 * (uint64_t)st->sysctl[NET_SYSCTL_ICMP_MSGS_BURST];
	st->ip->icmp->global_last_ms = st->now_ms;
	return 0;
}

void icmp_limits_done(struct netstack *st)
{
	free(st->ip->icmp);
	st->ip->icmp = NULL;
}
