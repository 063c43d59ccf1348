/* CUBIC (RFC 9438): after a loss the window follows W(t) = C (t-K)^3 + W_max, in which K is when it is back at W_max, and
 * is never below what Reno would have. Slow start ends early when the round trip grows (HyStart++, RFC 9406).
 *
 * Fixed point: windows in 1/1024 packets where they are fractions, time in ms. C = 0.4, beta = 0.7. */
#include "netd/tcp/conn.h"

#define BETA_NUM 717u         /* of 1024 */
#define ONE 1024u
#define ALPHA 542u            /* 3 (1-beta) / (1+beta), of 1024 */

#define HY_MIN_SAMPLES 8u
#define HY_MIN_THRESH_US 4000u
#define HY_MAX_THRESH_US 16000u
#define HY_CSS_DIVISOR 4u
#define HY_CSS_ROUNDS 5u
#define NO_RTT UINT32_MAX

struct cubic {
	uint32_t w_max;           /* packets at the last reduction */
	uint32_t w_last_max;
	uint32_t k_ms;
	uint32_t origin;          /* the plateau */
	uint64_t epoch_us;        /* begin of this epoch, 0: none */
	uint64_t w_est;           /* Reno's window, in 1/1024 */
	uint32_t cwnd_at_epoch;
	/* HyStart++ */
	uint32_t round_end;       /* sequence number */
	uint32_t last_min_us, cur_min_us, samples;
	uint32_t css_base_us;     /* 0: not in conservative slow start */
	uint32_t css_rounds, css_cnt;
	uint32_t lsnd_ms;
};
_Static_assert(sizeof(struct cubic) <= sizeof(((struct tcp_sock *)0)->ca_priv), "cubic's state fits");

static struct cubic *cubic_of(struct tcp_sock *tp)
{
	return (struct cubic *)tp->ca_priv;
}

static void round_begin(struct tcp_sock *tp)
{
	struct cubic *c = cubic_of(tp);

	c->round_end = tp->snd_nxt;
	c->last_min_us = c->cur_min_us;
	c->cur_min_us = NO_RTT;
	c->samples = 0;
}

static void hystart_reset(struct tcp_sock *tp)
{
	struct cubic *c = cubic_of(tp);

	c->cur_min_us = NO_RTT;
	round_begin(tp);
	c->css_base_us = c->css_rounds = c->css_cnt = 0;
}

static void cubic_init(struct tcp_sock *tp)
{
	memset(tp->ca_priv, 0, sizeof(tp->ca_priv));
	hystart_reset(tp);
}

static uint32_t cube_root(uint64_t a)
{
	uint64_t x = 0;

	/* Digit by digit, in base two: 21 steps for 63 bits. */
	for (int s = 63; s >= 0; s -= 3) {
		uint64_t b;

		x <<= 1;
		b = 3 * x * (x + 1) + 1;
		if ((a >> s) >= b) {
			a -= b << s;
			x++;
		}
	}
	return (uint32_t)x;
}

static uint32_t cubic_ssthresh(struct tcp_sock *tp)
{
	struct cubic *c = cubic_of(tp);

	c->epoch_us = 0;
	/* Fast convergence: a plateau below the last one says that others need room. */
	if (tp->snd_cwnd < c->w_last_max)
		c->w_max = (uint32_t)((uint64_t)tp->snd_cwnd * (ONE + BETA_NUM) / (2 * ONE));
	else
		c->w_max = tp->snd_cwnd;
	c->w_last_max = c->w_max;
	return MAX((uint32_t)((uint64_t)tp->snd_cwnd * BETA_NUM / ONE), 2u);
}

static void epoch_begin(struct tcp_sock *tp, uint64_t now)
{
	struct cubic *c = cubic_of(tp);

	c->epoch_us = now;
	c->cwnd_at_epoch = tp->snd_cwnd;
	c->w_est = (uint64_t)tp->snd_cwnd * ONE;
	if (c->w_max <= tp->snd_cwnd) {
		c->k_ms = 0;
		c->origin = tp->snd_cwnd;
	} else {
		/* K = cbrt((W_max - cwnd) / C) s: the cube of its milliseconds is the difference times 2.5e9. */
		c->k_ms = cube_root(MIN((uint64_t)(c->w_max - tp->snd_cwnd), 3000000000ull) * 2500000000ull);
		c->origin = c->w_max;
	}
	tp->cwnd_cnt = 0;
}

/* After how many acknowledged packets the window grows by one. */
static uint32_t ack_step(struct tcp_sock *tp, uint32_t acked)
{
	struct cubic *c = cubic_of(tp);
	uint64_t now = tcp_us(tp), t, d, target, alpha;
	int64_t w;
	uint32_t cwnd = MAX(tp->snd_cwnd, 1u), step;

	if (!c->epoch_us)
		epoch_begin(tp, now);
	/* Where the curve will be one round trip from now. */
	t = (now - c->epoch_us + tp->min_rtt_us) / 1000;
	d = t > c->k_ms ? t - c->k_ms : c->k_ms - t;
	d = MIN(d, (uint64_t)1500000);
	w = (int64_t)(d * d * d / 2500000000ull);
	w = t > c->k_ms ? (int64_t)c->origin + w : (int64_t)c->origin - w;
	target = (uint64_t)MAX(w, (int64_t)1);
	/* RFC 9438 4.2: not below the window, and not beyond half as much again in one round trip. */
	target = MIN(target, (uint64_t)cwnd + cwnd / 2);
	step = target > cwnd ? (uint32_t)(cwnd / (target - cwnd)) : 100 * cwnd;
	if (!c->w_last_max && step > 20)
		step = 20; /* nothing is known of this path yet */
	/* The Reno-friendly region. */
	alpha = c->w_est >= (uint64_t)c->w_max * ONE ? ONE : ALPHA;
	c->w_est += alpha * acked / cwnd + (alpha * acked % cwnd * 2 >= cwnd);
	if (c->w_est / ONE > cwnd) {
		uint64_t delta = c->w_est / ONE - cwnd;

		step = (uint32_t)MIN((uint64_t)step, cwnd / delta);
	}
	return MAX(step, 2u);
}

static void cubic_avoid(struct tcp_sock *tp, uint32_t ack, uint32_t acked)
{
	struct cubic *c = cubic_of(tp);

	if (!tcp_is_cwnd_limited(tp))
		return;
	if (tcp_in_slow_start(tp)) {
		if (seq_after(ack, c->round_end)) {
			if (c->css_base_us && ++c->css_rounds >= HY_CSS_ROUNDS) {
				tp->ssthresh = tp->snd_cwnd;
				net_count(tp->s.st, MIB_TcpExt_TCPHystartDelayDetect);
				net_count_add(tp->s.st, MIB_TcpExt_TCPHystartDelayCwnd, tp->snd_cwnd);
			}
			round_begin(tp);
		}
		if (c->css_base_us && tcp_in_slow_start(tp)) {
			c->css_cnt += acked;
			acked = c->css_cnt / HY_CSS_DIVISOR;
			c->css_cnt %= HY_CSS_DIVISOR;
		}
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	tcp_cong_ai(tp, ack_step(tp, acked), acked);
}

static void cubic_acked(struct tcp_sock *tp, int64_t rtt_us)
{
	struct cubic *c = cubic_of(tp);
	uint32_t rtt, thresh;

	if (rtt_us < 0 || !tcp_in_slow_start(tp))
		return;
	rtt = (uint32_t)MAX(rtt_us, (int64_t)1);
	c->cur_min_us = MIN(c->cur_min_us, rtt);
	if (++c->samples < HY_MIN_SAMPLES || c->last_min_us == NO_RTT || tp->snd_cwnd < 16)
		return;
	if (!c->css_base_us) {
		thresh = MIN(MAX(c->last_min_us / 8, HY_MIN_THRESH_US), HY_MAX_THRESH_US);
		if (c->cur_min_us >= c->last_min_us + thresh) {
			c->css_base_us = c->cur_min_us;
			c->css_rounds = c->css_cnt = 0;
		}
	} else if (c->cur_min_us < c->css_base_us) {
		c->css_base_us = 0; /* a false alarm */
	}
}

static void cubic_lost(struct tcp_sock *tp)
{
	struct cubic *c = cubic_of(tp);

	c->epoch_us = 0;
	hystart_reset(tp);
}

/* Time without data to send is no time of growth. */
static void cubic_restart(struct tcp_sock *tp)
{
	struct cubic *c = cubic_of(tp);
	uint64_t idle = (uint64_t)(tcp_ms(tp) - tp->lsndtime_ms) * 1000;

	if (c->epoch_us && (int32_t)(tcp_ms(tp) - tp->lsndtime_ms) > 0)
		c->epoch_us = MIN(c->epoch_us + idle, tcp_us(tp));
}

const struct tcp_cong tcp_cong_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.avoid = cubic_avoid,
	.undo = tcp_reno_undo,
	.acked = cubic_acked,
	.lost = cubic_lost,
	.restart = cubic_restart,
};
