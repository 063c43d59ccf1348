/* Keep-alive (RFC 1122 4.2.3.6, with the options and settings of Linux), and the end of FIN_WAIT_2 without an owner. */
#include "netd/tcp/conn.h"

uint32_t tcp_keep_time_ms(const struct tcp_sock *tp)
{
	return tp->keep_time_ms ? tp->keep_time_ms
				: (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_KEEPALIVE_TIME) * 1000;
}

void tcp_keepalive_arm(struct tcp_sock *tp, uint32_t delay_ms)
{
	net_timer_arm(tp->s.st, &tp->keep_timer, delay_ms);
}

static void keepalive(struct tcp_sock *tp)
{
	uint32_t time = tcp_keep_time_ms(tp), elapsed, probes, next = time;

	if (tp->state == TCP_FIN_WAIT2 && tp->orphan) {
		if (tp->linger2_ms >= 0) {
			int32_t left = (int32_t)tcp_fin_time_ms(tp) - (int32_t)TCP_TIMEWAIT_MS;

			if (left > 0) {
				tcp_time_wait(tp, TCP_FIN_WAIT2, TCP_TIMEWAIT_MS);
				return;
			}
		}
		tcp_send_active_reset(tp);
		tcp_close_now(tp);
		return;
	}
	if (!tp->s.opt.keepalive || tp->paired || tp->state == TCP_CLOSE || tp->state == TCP_SYN_SENT ||
	    tp->state == TCP_LISTEN)
		return;
	if (tp->packets_out || tcp_send_pending(tp)) {
		tcp_keepalive_arm(tp, next);
		return;
	}
	elapsed = MIN(tcp_ms(tp) - tp->rcv_tstamp_ms, tcp_ms(tp) - tp->ack.lrcv_ms);
	if (elapsed < time) {
		tcp_keepalive_arm(tp, time - elapsed);
		return;
	}
	probes = tp->keep_probes ? tp->keep_probes : (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_KEEPALIVE_PROBES);
	if ((tp->user_timeout_ms && elapsed >= tp->user_timeout_ms && tp->probes_out > 0) ||
	    (!tp->user_timeout_ms && tp->probes_out >= probes)) {
		tcp_send_active_reset(tp);
		tcp_write_error(tp);
		return;
	}
	next = TCP_RESOURCE_PROBE_MS;
	if (tcp_write_wakeup(tp) <= 0) {
		net_count(tp->s.st, MIB_TcpExt_TCPKeepAlive);
		tp->probes_out++;
		next = tp->keep_intvl_ms ? tp->keep_intvl_ms
					 : (uint32_t)net_sysctl(tp->s.st, NET_SYSCTL_TCP_KEEPALIVE_INTVL) * 1000;
	}
	tcp_keepalive_arm(tp, next);
}

void tcp_keep_fire(struct net_timer *timer)
{
	struct tcp_sock *tp = CONTAINER_OF(timer, struct tcp_sock, keep_timer);

	nsock_ref(&tp->s);
	keepalive(tp);
	nsock_unref(&tp->s);
}
