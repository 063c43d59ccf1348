/* Options of the TCP header, both ways. */
#include "netd/tcp/conn.h"

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
	return p + 4;
}

static void parse_sack(const uint8_t *v, unsigned size, struct tcp_opts *ret)
{
	if (!size || size % 8)
		return;
	ret->sack_count = 0;
	for (unsigned i = 0; i < size / 8 && i < TCP_MAX_SACKS; i++) {
		ret->sack[i].start = get32(v + 8 * i);
		ret->sack[i].end = get32(v + 8 * i + 4);
		ret->sack_count++;
	}
}

void tcp_opts_parse(const uint8_t *opt, unsigned size, bool syn, struct tcp_opts *ret)
{
	memset(ret, 0, sizeof(*ret));
	/* The only form that established connections send when nothing is missing. */
	if (size == 12 && get32(opt) == 0x0101080au) {
		ret->ts_ok = true;
		ret->tsval = get32(opt + 4);
		ret->tsecr = get32(opt + 8);
		return;
	}
	while (size) {
		uint8_t kind = opt[0], len;

		if (kind == TCP_OPT_EOL)
			return;
		if (kind == TCP_OPT_NOP) {
			opt++;
			size--;
			continue;
		}
		if (size < 2)
			return;
		len = opt[1];
		if (len < 2 || len > size)
			return;
		switch (kind) {
		case TCP_OPT_MSS:
			if (len == 4 && syn && get16(opt + 2)) {
				ret->mss = get16(opt + 2);
				ret->mss_ok = true;
			}
			break;
		case TCP_OPT_WSCALE:
			if (len == 3 && syn) {
				ret->wscale_ok = true;
				ret->wscale = MIN(opt[2], TCP_MAX_WSCALE);
			}
			break;
		case TCP_OPT_SACK_PERM:
			if (len == 2 && syn)
				ret->sack_perm = true;
			break;
		case TCP_OPT_SACK:
			parse_sack(opt + 2, len - 2u, ret);
			break;
		case TCP_OPT_TS:
			if (len == 10) {
				ret->ts_ok = true;
				ret->tsval = get32(opt + 2);
				ret->tsecr = get32(opt + 6);
			}
			break;
		default:
			break;
		}
		opt += len;
		size -= len;
	}
}

unsigned tcp_opts_syn(uint8_t *out, const struct tcp_syn_opts *o)
{
	uint8_t *p = put32(out, (uint32_t)TCP_OPT_MSS << 24 | 4u << 16 | o->mss);

	if (o->ts) {
		p = put32(p, o->sack ? 0x0402080au : 0x0101080au);
		p = put32(p, o->tsval);
		p = put32(p, o->tsecr);
	} else if (o->sack) {
		p = put32(p, 0x01010402u);
	}
	if (o->wscale_on)
		p = put32(p, 0x01030300u | o->wscale);
	return (unsigned)(p - out);
}

static unsigned sack_blocks(const struct tcp_sock *tp)
{
	unsigned most = tp->ts_ok ? 3 : 4;

	return MIN(most, tp->sack_count + (unsigned)tp->dsack_set);
}

unsigned tcp_opts_est_size(const struct tcp_sock *tp)
{
	unsigned blocks = tp->sack_ok && !tp->no_sack ? sack_blocks(tp) : 0;

	return (tp->ts_ok ? 12u : 0u) + (blocks ? 4 + 8 * blocks : 0);
}

unsigned tcp_opts_est(struct tcp_sock *tp, uint8_t *out)
{
	uint8_t *p = out;
	unsigned blocks = tp->sack_ok && !tp->no_sack ? sack_blocks(tp) : 0, i = 0;

	if (tp->ts_ok) {
		p = put32(p, 0x0101080au);
		p = put32(p, tcp_ts_now(tp->s.st) + tp->ts_off);
		p = put32(p, tp->ts_recent);
	}
	if (!blocks)
		return (unsigned)(p - out);
	p = put32(p, 0x01010500u | (2 + 8 * blocks));
	if (tp->dsack_set) {
		/* RFC 2883: a duplicate is reported first, and once. */
		p = put32(p, tp->dsack.start);
		p = put32(p, tp->dsack.end);
		tp->dsack_set = false;
		i = 1;
	}
	for (unsigned k = 0; i < blocks; i++, k++) {
		p = put32(p, tp->sacks[k].start);
		p = put32(p, tp->sacks[k].end);
	}
	return (unsigned)(p - out);
}

uint8_t tcp_choose_wscale(struct netstack *st, uint32_t space)
{
	uint8_t scale = 0;

	if (!net_sysctl(st, NET_SYSCTL_TCP_WINDOW_SCALING))
		return 0;
	space = (uint32_t)MAX((int64_t)space, net_sysctl(st, NET_SYSCTL_TCP_RMEM_MAX));
	for (; space > 65535 && scale < TCP_MAX_WSCALE; scale++)
		space >>= 1;
	return scale;
}
