/* Round-trip times and what follows from them: the retransmission time-out (RFC 6298, with Linux's floor under the
 * variance instead of under the whole) and the smallest time lately. */
#include "netd/tcp/conn.h"

#define MIN_RTT_WINDOW_US (300ull * 1000000)

void tcp_rtt_sample(struct tcp_sock *tp, int64_t rtt_us)
{
	int64_t m = MAX(rtt_us, (int64_t)1), srtt = tp->srtt_us;

	if (m > 100000000)
		m = 100000000;
	if (!srtt) {
		tp->srtt_us = (uint32_t)(m << 3);
		tp->mdev_us = (uint32_t)(m << 1);
		tp->rttvar_us = MAX(tp->mdev_us, TCP_RTO_MIN_MS * 1000);
		tp->mdev_max_us = tp->rttvar_us;
		tp->rtt_seq = tp->snd_nxt;
		return;
	}
	m -= srtt >> 3; /* the error of the estimate */
	srtt += m;
	if (m < 0) {
		m = -m;
		m -= tp->mdev_us >> 2;
		/* A fall of the round trip is no reason to become more patient: it counts an eighth. */
		if (m > 0)
			m >>= 3;
	} else {
		m -= tp->mdev_us >> 2;
	}
	tp->mdev_us = (uint32_t)((int64_t)tp->mdev_us + m);
	if (tp->mdev_us > tp->mdev_max_us) {
		tp->mdev_max_us = tp->mdev_us;
		if (tp->mdev_max_us > tp->rttvar_us)
			tp->rttvar_us = tp->mdev_max_us;
	}
	if (seq_after(tp->snd_una, tp->rtt_seq)) {
		/* Once in a round trip the variance may sink. */
		if (tp->mdev_max_us < tp->rttvar_us)
			tp->rttvar_us -= (tp->rttvar_us - tp->mdev_max_us) >> 2;
		tp->rtt_seq = tp->snd_nxt;
		tp->mdev_max_us = TCP_RTO_MIN_MS * 1000;
	}
	tp->srtt_us = (uint32_t)MAX(srtt, (int64_t)1);
}

void tcp_set_rto(struct tcp_sock *tp)
{
	uint32_t us = (tp->srtt_us >> 3) + tp->rttvar_us;

	tp->rto_ms = MIN((us + 999) / 1000, TCP_RTO_MAX_MS);
}

void tcp_min_rtt(struct tcp_sock *tp, uint32_t rtt_us)
{
	uint64_t now = tcp_us(tp);

	rtt_us = MAX(rtt_us, 1u);
	if (!tp->min_rtt_us || rtt_us <= tp->min_rtt_us || now - tp->min_rtt_stamp > MIN_RTT_WINDOW_US) {
		tp->min_rtt_us = rtt_us;
		tp->min_rtt_stamp = now;
	}
}
