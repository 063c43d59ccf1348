/* SYN cookies: under a flood the request is not kept but put into our initial sequence number (a keyed hash over the
 * addresses and the minute, and the MSS class), and what else the SYN offered into the low bits of our timestamp. */
#include "netd/tcp/conn.h"

#define PERIOD_MS 64000u
#define MAX_AGE 2u           /* periods */
#define COOKIE_BITS 24u
#define COOKIE_MASK ((1u << COOKIE_BITS) - 1)

static const uint16_t mss4[] = {536, 1300, 1440, 1460};
static const uint16_t mss6[] = {1220, 1420, 1440, 8960};

#define TS_WSCALE 0xfu       /* 0xf: none */
#define TS_SACK 0x10u
#define TS_ECN 0x20u
#define TS_BITS 6u

static uint32_t hash(struct netstack *st, const struct tcp_node *n, uint32_t period, uint8_t which)
{
	uint8_t key[42] = {3, which};

	memcpy(key + 2, n->laddr.v6, n->laddr.family == AF_INET ? 4 : 16);
	memcpy(key + 18, n->raddr.v6, n->raddr.family == AF_INET ? 4 : 16);
	memcpy(key + 34, &n->lport, 2);
	memcpy(key + 36, &n->rport, 2);
	memcpy(key + 38, &period, 4);
	return (uint32_t)netstack_hash(st, key, sizeof(key));
}

static uint32_t period_now(struct netstack *st)
{
	return (uint32_t)(netstack_now_ms(st) / PERIOD_MS);
}

uint32_t tcp_cookie_make(struct netstack *st, const struct tcp_req *req, uint16_t *mss)
{
	const uint16_t *table = req->node.laddr.family == AF_INET ? mss4 : mss6;
	uint32_t period = period_now(st), i = 3;

	while (i && *mss < table[i])
		i--;
	*mss = table[i];
	return hash(st, &req->node, 0, 0) + req->irs + (period << COOKIE_BITS) +
	       ((hash(st, &req->node, period, 1) + i) & COOKIE_MASK);
}

uint16_t tcp_cookie_check(struct netstack *st, const struct tcp_node *n, uint32_t cookie, uint32_t irs)
{
	const uint16_t *table = n->laddr.family == AF_INET ? mss4 : mss6;
	uint32_t period = period_now(st), age, i;

	cookie -= hash(st, n, 0, 0) + irs;
	age = (period - (cookie >> COOKIE_BITS)) & (UINT32_MAX >> COOKIE_BITS);
	if (age >= MAX_AGE)
		return 0;
	i = (cookie - hash(st, n, period - age, 1)) & COOKIE_MASK;
	return i < 4 ? table[i] : 0;
}

uint32_t tcp_cookie_ts(struct netstack *st, const struct tcp_req *req)
{
	uint32_t now = tcp_ts_now(st), opts, ts;

	opts = req->wscale_ok ? req->snd_wscale : TS_WSCALE;
	opts |= (req->sack_ok ? TS_SACK : 0) | (req->ecn_ok ? TS_ECN : 0);
	ts = (now & ~((1u << TS_BITS) - 1)) | opts;
	/* Never of the future: the clock must not seem to run backwards later. */
	if (ts > now)
		ts -= 1u << TS_BITS;
	return ts + req->ts_off;
}

bool tcp_cookie_ts_read(struct netstack *st, uint32_t tsecr, struct tcp_req *req)
{
	uint32_t opts = tsecr & ((1u << TS_BITS) - 1);

	if (!tsecr)
		return true;
	req->sack_ok = opts & TS_SACK;
	req->ecn_ok = (opts & TS_ECN) && net_sysctl(st, NET_SYSCTL_TCP_ECN);
	if (req->sack_ok && !net_sysctl(st, NET_SYSCTL_TCP_SACK))
		return false;
	if ((opts & TS_WSCALE) == TS_WSCALE)
		return true;
	req->wscale_ok = true;
	req->snd_wscale = MIN((uint8_t)(opts & TS_WSCALE), TCP_MAX_WSCALE);
	return net_sysctl(st, NET_SYSCTL_TCP_WINDOW_SCALING);
}
