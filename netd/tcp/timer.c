/* The timers of a connection: retransmission (with RACK's, TLP's and the zero-window probe's, of which one at most is
 * due) and delayed ACK; keepalive.c has the third. */
#include "netd/tcp/conn.h"

void tcp_set_timer(struct tcp_sock *tp, enum tcp_pending what, uint32_t delay_ms)
{
	tp->pending = (uint8_t)what;
	net_timer_arm(tp->s.st, &tp->rtx_timer, MIN(delay_ms, TCP_RTO_MAX_MS));
}

void tcp_clear_timer(struct tcp_sock *tp)
{
	tp->pending = PENDING_NONE;
	net_timer_cancel(&tp->rtx_timer);
}

/* Microseconds until the time-out of the oldest segment; may be negative. */
int64_t tcp_rto_delta_us(const struct tcp_sock *tp)
{
	const struct tcp_sent *head = tcp_rtx_head(tp);

	if (!head)
		return (int64_t)tp->rto_ms * 1000;
	return (int64_t)(head->sent_us + (uint64_t)tp->rto_ms * 1000) - (int64_t)tcp_us(tp);
}

void tcp_rearm_rto(struct tcp_sock *tp)
{
	uint32_t rto = tp->rto_ms;

	if (!tp->packets_out) {
		if (tp->pending != PENDING_PROBE)
			tcp_clear_timer(tp);
		return;
	}
	/* The time since the oldest was sent has passed already. */
	if (tp->pending == PENDING_REO || tp->pending == PENDING_TLP) {
		int64_t left = tcp_rto_delta_us(tp);

		rto = left > 0 ? (uint32_t)MAX(left / 1000, (int64_t)1) : 1;
	}
	tcp_set_timer(tp, PENDING_RETRANS, rto);
}

uint32_t tcp_fin_time_ms(const struct tcp_sock *tp)
{
	uint32_t ms = tp->linger2_ms > 0 ? (uint32_t)tp->linger2_ms
					 : (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_FIN_TIMEOUT) * 1000;
	uint32_t least = (tp->rto_ms << 2) - (tp->rto_ms >> 1);

	return MAX(ms, least);
}

uint32_t tcp_probe0_base(const struct tcp_sock *tp)
{
	return MAX(tp->rto_ms, TCP_RTO_MIN_MS);
}

uint32_t tcp_probe0_when(const struct tcp_sock *tp)
{
	uint64_t when = (uint64_t)tcp_probe0_base(tp) << MIN(tp->backoff, 16u);

	return (uint32_t)MIN(when, (uint64_t)TCP_RTO_MAX_MS);
}

static uint32_t clamp_to_user(const struct tcp_sock *tp, uint32_t since_ms, uint32_t when_ms)
{
	uint32_t elapsed;

	if (!tp->user_timeout_ms || !since_ms)
		return when_ms;
	elapsed = tcp_ms(tp) - since_ms;
	if (elapsed >= tp->user_timeout_ms)
		return 1;
	return MIN(when_ms, MAX(tp->user_timeout_ms - elapsed, 1u));
}

uint32_t tcp_clamp_user_timeout(const struct tcp_sock *tp, uint32_t when_ms)
{
	return clamp_to_user(tp, tp->probes_stamp_ms, when_ms);
}

/* How long `boundary` doublings of the smallest time-out take. */
static uint32_t model_timeout(uint32_t boundary, uint32_t base_ms)
{
	uint32_t thresh = 31 - (uint32_t)__builtin_clz(TCP_RTO_MAX_MS / base_ms);

	if (boundary <= thresh)
		return ((2u << boundary) - 1) * base_ms;
	return ((2u << thresh) - 1) * base_ms + (boundary - thresh) * TCP_RTO_MAX_MS;
}

static bool timed_out(const struct tcp_sock *tp, uint32_t boundary, uint32_t timeout_ms)
{
	if (!tp->retransmits || !tp->retrans_stamp_ms)
		return false;
	if (!timeout_ms)
		timeout_ms = model_timeout(boundary, TCP_RTO_MIN_MS);
	return (int32_t)(tcp_ms(tp) - tp->retrans_stamp_ms - timeout_ms) >= 0;
}

void tcp_write_error(struct tcp_sock *tp)
{
	net_count(tp->s.st, MIB_TcpExt_TCPAbortOnTimeout);
	tcp_fail(tp, tp->err_soft ? tp->err_soft : ETIMEDOUT);
}

static uint32_t orphan_retries(const struct tcp_sock *tp, bool alive)
{
	uint32_t n = (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_ORPHAN_RETRIES);

	if (tp->err_soft && !alive)
		n = 0;
	return !n && alive ? 8 : n;
}

/* Large segments vanish while small ones may pass: a router that drops without a word (RFC 2923 2.1, RFC 4821). */
static void blackhole(struct tcp_sock *tp)
{
	uint32_t base = (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_BASE_MSS), mss;

	if (!net_sysctl(tp->s.st, NET_SYSCTL_TCP_MTU_PROBING))
		return;
	if (!tp->mtup_blackhole) {
		tp->mtup_blackhole = true;
		mss = base;
	} else {
		mss = tp->mtup_low / 2u;
	}
	net_count(tp->s.st, MIB_TcpExt_TCPMTUPFail);
	tp->mtup_low = (uint16_t)MAX(MIN(mss, base), 68u - 40u + (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_MIN_SND_MSS) - 48u);
	tcp_sync_mss(tp, tp->pmtu);
}

/* Has this gone on for too long? True: the connection is gone. */
static bool write_timeout(struct tcp_sock *tp)
{
	struct netstack *st = tp->s.st;
	uint32_t until;
	bool expired = false;

	if (tp->state == TCP_SYN_SENT || tp->state == TCP_SYN_RECV) {
		until = tp->syn_retries ? tp->syn_retries : (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_SYN_RETRIES);
		if (tp->state == TCP_SYN_SENT)
			until += (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS);
		expired = tp->retransmits >= until;
		if (tp->user_timeout_ms && tp->retransmits)
			expired |= timed_out(tp, until, tp->user_timeout_ms);
	} else {
		if (timed_out(tp, (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_RETRIES1), 0)) {
			blackhole(tp);
			tp->route.out = NULL; /* another way may be open */
		}
		until = (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_RETRIES2);
		if (tp->orphan) {
			bool alive = tp->rto_ms < TCP_RTO_MAX_MS;

			until = orphan_retries(tp, alive);
			if (!alive && !timed_out(tp, until, 0))
				alive = true;
		}
		expired = timed_out(tp, until, tp->user_timeout_ms);
	}
	if (expired)
		tcp_write_error(tp);
	return expired;
}

static void retransmit_timer(struct tcp_sock *tp)
{
	struct netstack *st = tp->s.st;
	struct tcp_sent *head = tcp_rtx_head(tp);
	uint32_t rto;

	if (tp->state == TCP_SYN_SENT || tp->state == TCP_SYN_RECV) {
		if (write_timeout(tp))
			return;
		net_count(st, MIB_TcpExt_TCPTimeouts);
		net_count(st, MIB_TcpExt_TCPSynRetrans);
		net_count(st, MIB_Tcp_RetransSegs);
		/* RFC 3168 6.1.1.1: perhaps something on the way drops SYNs that speak of ECN. */
		if (tp->state == TCP_SYN_SENT && tp->total_rto >= 2 && net_sysctl(st, NET_SYSCTL_TCP_ECN_FALLBACK))
			tp->ecn = 0;
		if (!tp->retrans_stamp_ms)
			tp->retrans_stamp_ms = MAX(tcp_ms(tp), 1u);
		tp->total_retrans++;
		tcp_send_syn(tp, tp->state == TCP_SYN_RECV);
		tp->retransmits = (uint8_t)MIN(tp->retransmits + 1, 255);
		/* The first few of a SYN come at the same distance, as in Linux since 6.5. */
		if (tp->total_rto++ >= net_sysctl(st, NET_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS) ||
		    tp->state == TCP_SYN_RECV) {
			tp->backoff++;
			tp->rto_ms = MIN(tp->rto_ms << 1, TCP_RTO_MAX_MS);
		}
		tcp_set_timer(tp, PENDING_RETRANS, clamp_to_user(tp, tp->retrans_stamp_ms, tp->rto_ms));
		return;
	}
	if (!head)
		return;
	if (!tp->snd_wnd && !tp->orphan) {
		/* The peer shrank its window to nothing: probe, and give up only when it falls silent. */
		if (tcp_ms(tp) - tp->rcv_tstamp_ms > TCP_RTO_MAX_MS) {
			tcp_write_error(tp);
			return;
		}
		tcp_enter_loss(tp);
		tcp_retransmit(tp, head, 1);
		goto again;
	}
	net_count(st, MIB_TcpExt_TCPTimeouts);
	if (write_timeout(tp))
		return;
	if (!tp->retransmits) {
		if (tp->ca_state == CA_RECOVERY)
			net_count(st, tp->sack_ok ? MIB_TcpExt_TCPSackRecoveryFail : MIB_TcpExt_TCPRenoRecoveryFail);
		else if (tp->ca_state == CA_LOSS)
			net_count(st, MIB_TcpExt_TCPLossFailures);
		else if (tp->ca_state == CA_DISORDER || tp->sacked_out)
			net_count(st, tp->sack_ok ? MIB_TcpExt_TCPSackFailures : MIB_TcpExt_TCPRenoFailures);
	}
	tcp_enter_loss(tp);
	head = tcp_rtx_head(tp);
	tp->retransmits = (uint8_t)MIN(tp->retransmits + 1, 255);
	tp->total_rto = (uint8_t)MIN(tp->total_rto + 1, 255);
	if (tcp_retransmit(tp, head, 1) < 0) {
		/* No route, no memory: soon again. */
		if (!tp->retrans_stamp_ms)
			tp->retrans_stamp_ms = MAX(tcp_ms(tp), 1u);
		tcp_set_timer(tp, PENDING_RETRANS, TCP_RESOURCE_PROBE_MS);
		return;
	}
	if (head && tp->prr_out < UINT32_MAX)
		net_count(st, MIB_TcpExt_TCPSlowStartRetrans);
again:
	tp->backoff = (uint8_t)MIN(tp->backoff + 1, 255);
	tp->rto_ms = MIN(tp->rto_ms << 1, TCP_RTO_MAX_MS);
	rto = clamp_to_user(tp, tp->retrans_stamp_ms, tp->rto_ms);
	tcp_set_timer(tp, PENDING_RETRANS, rto);
	if (timed_out(tp, (uint32_t)net_sysctl(st, NET_SYSCTL_TCP_RETRIES1) + 1, 0))
		tp->route.out = NULL;
}

static void probe_timer(struct tcp_sock *tp)
{
	uint32_t most = (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_RETRIES2);

	if (tp->packets_out || !tcp_send_pending(tp)) {
		tp->probes_out = 0;
		tp->probes_stamp_ms = 0;
		return;
	}
	if (!tp->probes_stamp_ms)
		tp->probes_stamp_ms = MAX(tcp_ms(tp), 1u);
	else if (tp->user_timeout_ms && tcp_ms(tp) - tp->probes_stamp_ms >= tp->user_timeout_ms)
		goto abort;
	if (tp->orphan) {
		bool alive = tcp_probe0_when(tp) < TCP_RTO_MAX_MS;

		most = orphan_retries(tp, alive);
		if (!alive && tp->backoff >= most)
			goto abort;
	}
	if (tp->probes_out >= most)
		goto abort;
	tcp_send_probe0(tp);
	return;
abort:
	tcp_write_error(tp);
}

static void rtx_fire(struct net_timer *timer)
{
	struct tcp_sock *tp = CONTAINER_OF(timer, struct tcp_sock, rtx_timer);
	uint8_t what = tp->pending;

	nsock_ref(&tp->s);
	tp->pending = PENDING_NONE;
	if (tp->s.tx && tp->s.tx->broken && tcp_synced(tp->state)) {
		/* The owner's side of the ring lies: nothing can be sent in its name any more. */
		tcp_send_active_reset(tp);
		tcp_fail(tp, EIO);
		goto out;
	}
	switch (what) {
	case PENDING_RETRANS:
		retransmit_timer(tp);
		break;
	case PENDING_REO:
		tcp_rack_reo_timeout(tp);
		break;
	case PENDING_TLP:
		tcp_send_tlp(tp);
		break;
	case PENDING_PROBE:
		probe_timer(tp);
		break;
	default:
		break;
	}
	tcp_chrono(tp);
out:
	nsock_unref(&tp->s);
}

static void ack_fire(struct net_timer *timer)
{
	struct tcp_sock *tp = CONTAINER_OF(timer, struct tcp_sock, ack_timer);

	tp->ack.pending &= (uint8_t)~ACK_TIMER;
	if (!(tp->ack.pending & ACK_SCHED) || tp->state == TCP_CLOSE || tp->state == TCP_LISTEN)
		return;
	if (!tp->ack.pingpong)
		tp->ack.ato_ms = MIN(tp->ack.ato_ms << 1, tp->rto_ms);
	else {
		/* The expected answer did not come: no conversation. */
		tp->ack.pingpong = 0;
		tp->ack.ato_ms = TCP_ATO_MIN_MS;
	}
	nsock_ref(&tp->s);
	net_count(tp->s.st, MIB_TcpExt_DelayedACKs);
	tcp_send_ack(tp);
	nsock_unref(&tp->s);
}

static void ack_work(struct net_work *w)
{
	struct tcp_sock *tp = CONTAINER_OF(w, struct tcp_sock, ack_work);

	nsock_ref(&tp->s);
	if (tp->ack.pending & ACK_SCHED)
		tcp_send_ack(tp);
	nsock_unref(&tp->s);
}

void tcp_timers_init(struct tcp_sock *tp)
{
	net_timer_init(&tp->rtx_timer, rtx_fire);
	net_timer_init(&tp->ack_timer, ack_fire);
	net_timer_init(&tp->keep_timer, tcp_keep_fire);
	net_work_init(&tp->ack_work, ack_work);
}

void tcp_timers_stop(struct tcp_sock *tp)
{
	tp->pending = PENDING_NONE;
	net_timer_cancel(&tp->rtx_timer);
	net_timer_cancel(&tp->ack_timer);
	net_timer_cancel(&tp->keep_timer);
	net_work_cancel(&tp->ack_work);
}
