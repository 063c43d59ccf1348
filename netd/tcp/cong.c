/* The frame of congestion control: slow start, additive increase, validation of the window (RFC 7661 in spirit, as Linux
 * has it), restart after idleness, and the table of algorithms. */
#include "netd/tcp/conn.h"

static const struct tcp_cong *const algorithms[] = {&tcp_cong_cubic, &tcp_cong_reno};

const struct tcp_cong *tcp_cong_find(const char *name, uint32_t size)
{
	for (unsigned i = 0; i < ARRAY_SIZE(algorithms); i++) {
		uint32_t len = (uint32_t)strlen(algorithms[i]->name);

		if (len == strnlen(name, size) && !memcmp(name, algorithms[i]->name, len))
			return algorithms[i];
	}
	return NULL;
}

const struct tcp_cong *tcp_cong_default(struct netstack *st)
{
	return algorithms[net_sysctl(st, NET_SYSCTL_TCP_CONGESTION) ? 1 : 0];
}

uint32_t tcp_slow_start(struct tcp_sock *tp, uint32_t acked)
{
	uint32_t cwnd = MIN(tp->snd_cwnd + acked, tp->ssthresh);

	acked -= cwnd - tp->snd_cwnd;
	tp->snd_cwnd = MIN(cwnd, tp->cwnd_clamp);
	return acked;
}

/* One more packet for each w acknowledged. */
void tcp_cong_ai(struct tcp_sock *tp, uint32_t w, uint32_t acked)
{
	w = MAX(w, 1u);
	if (tp->cwnd_cnt >= w) {
		tp->cwnd_cnt = 0;
		tp->snd_cwnd++;
	}
	tp->cwnd_cnt += acked;
	if (tp->cwnd_cnt >= w) {
		uint32_t more = tp->cwnd_cnt / w;

		tp->cwnd_cnt -= more * w;
		tp->snd_cwnd += more;
	}
	tp->snd_cwnd = MIN(tp->snd_cwnd, tp->cwnd_clamp);
}

bool tcp_is_cwnd_limited(const struct tcp_sock *tp)
{
	if (tp->is_cwnd_limited)
		return true;
	/* In slow start the window may be twice what was used: the sender may just be short of data. */
	return tcp_in_slow_start(tp) && tp->snd_cwnd < 2 * tp->max_packets_out;
}

uint32_t tcp_init_cwnd(const struct tcp_sock *tp)
{
	uint32_t cwnd = tp->route.initcwnd ? tp->route.initcwnd : TCP_INIT_CWND;

	return MIN(cwnd, tp->cwnd_clamp);
}

void tcp_cwnd_restart(struct tcp_sock *tp, uint32_t idle_ms)
{
	uint32_t restart = MIN(tcp_init_cwnd(tp), tp->snd_cwnd), cwnd = tp->snd_cwnd, rto = MAX(tp->rto_ms, 1u);

	tp->ssthresh = tcp_current_ssthresh(tp);
	while (idle_ms > rto && cwnd > restart) {
		idle_ms -= rto;
		cwnd >>= 1;
	}
	tp->snd_cwnd = MAX(cwnd, restart);
	tp->cwnd_stamp_ms = tcp_ms(tp);
	tp->cwnd_used = 0;
}

/* A window that was not used for a time-out is no knowledge of the path. */
static void application_limited(struct tcp_sock *tp)
{
	if (tp->ca_state == CA_OPEN && tp->s.tx) {
		uint32_t used = MAX(tp->cwnd_used, tcp_init_cwnd(tp));

		if (used < tp->snd_cwnd) {
			tp->ssthresh = tcp_current_ssthresh(tp);
			tp->snd_cwnd = (tp->snd_cwnd + used) >> 1;
		}
		tp->cwnd_used = 0;
	}
	tp->cwnd_stamp_ms = tcp_ms(tp);
}

void tcp_cwnd_validate(struct tcp_sock *tp, bool limited)
{
	if (!seq_before(tp->snd_una, tp->cwnd_usage_seq) || limited ||
	    (!tp->is_cwnd_limited && tp->packets_out > tp->max_packets_out)) {
		tp->is_cwnd_limited = limited;
		tp->max_packets_out = tp->packets_out;
		tp->cwnd_usage_seq = tp->snd_nxt;
	}
	if (tcp_is_cwnd_limited(tp)) {
		tp->cwnd_used = 0;
		tp->cwnd_stamp_ms = tcp_ms(tp);
		return;
	}
	tp->cwnd_used = MAX(tp->cwnd_used, tp->packets_out);
	if (net_sysctl(tp->s.st, NET_SYSCTL_TCP_SLOW_START_AFTER_IDLE) && tp->rto_ms <= tcp_ms(tp) - tp->cwnd_stamp_ms)
		application_limited(tp);
	/* Sending stops for want of data, not of window. */
	if (!tcp_send_pending(tp))
		tp->app_limited = MAX(tp->delivered + tcp_in_flight(tp), 1u);
}

/* ---- Reno (RFC 5681) ---- */

uint32_t tcp_reno_ssthresh(struct tcp_sock *tp)
{
	return MAX(tp->snd_cwnd >> 1, 2u);
}

uint32_t tcp_reno_undo(struct tcp_sock *tp)
{
	return MAX(tp->snd_cwnd, tp->prior_cwnd);
}

static void reno_avoid(struct tcp_sock *tp, uint32_t ack, uint32_t acked)
{
	(void)ack;
	if (!tcp_is_cwnd_limited(tp))
		return;
	if (tcp_in_slow_start(tp)) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	tcp_cong_ai(tp, tp->snd_cwnd, acked);
}

static void reno_init(struct tcp_sock *tp)
{
	memset(tp->ca_priv, 0, sizeof(tp->ca_priv));
}

const struct tcp_cong tcp_cong_reno = {
	.name = "reno",
	.init = reno_init,
	.ssthresh = tcp_reno_ssthresh,
	.avoid = reno_avoid,
	.undo = tcp_reno_undo,
};
