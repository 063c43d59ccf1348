/* Options of IPPROTO_TCP, and what a change of SOL_SOCKET's means to a connection. */
#include "netd/tcp/conn.h"

/* Options that are newer than some C libraries' headers. */
#define OPT_INQ 36
#define OPT_TX_DELAY 37
#define OPT_CC_INFO 26
#define OPT_ULP 31
#define OPT_FASTOPEN_CONNECT 30
#define OPT_FASTOPEN_KEY 33
#define OPT_FASTOPEN_NO_COOKIE 34
#define OPT_SAVE_SYN 27
#define OPT_SAVED_SYN 28
#define OPT_THIN_LINEAR 16
#define OPT_THIN_DUPACK 17
#define OPT_REPAIR 19
#define OPT_TIMESTAMP 24
#define OPT_NOTSENT_LOWAT 25
#define OPT_RTO_MAX_MS 44

/* Seconds to the number of time-outs that take at least so long, and back (TCP_DEFER_ACCEPT). */
static int32_t defer_round(int32_t seconds)
{
	int32_t sum = 0, step = 1;

	while (seconds > 0 && sum < seconds) {
		sum += step;
		step = MIN(step * 2, (int32_t)TCP_RTO_MAX_MS / 1000);
	}
	return sum;
}

static int set_congestion(struct tcp_sock *tp, const void *val, uint32_t size)
{
	const struct tcp_cong *ca = tcp_cong_find(val, MIN(size, 16u));

	if (!ca)
		return -ENOENT;
	if (ca == tp->ca)
		return 0;
	tp->ca = ca;
	if (tcp_synced(tp->state))
		ca->init(tp);
	return 0;
}

static void set_nagle(struct tcp_sock *tp, uint8_t flag, bool on)
{
	tp->nonagle = (uint8_t)(on ? tp->nonagle | flag : tp->nonagle & ~flag);
	if (!tcp_synced(tp->state) || tp->paired)
		return;
	/* Uncorking pushes what waits, and so does NODELAY, even what a cork holds (tcp(7)). */
	if (on == (flag == NAGLE_OFF) && tcp_write_xmit(tp, tcp_current_mss(tp), NAGLE_OFF, 0))
		tcp_check_probe_timer(tp);
}

static void set_quickack(struct tcp_sock *tp, int v)
{
	if (!v) {
		tp->ack.pingpong = 1;
		return;
	}
	tp->ack.pingpong = 0;
	if (((1u << tp->state) & (1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT)) && (tp->ack.pending & ACK_SCHED)) {
		tp->ack.pending |= ACK_PUSHED;
		tcp_send_ack(tp);
		if (!(v & 1))
			tp->ack.pingpong = 1;
	}
}

static int set_window_clamp(struct tcp_sock *tp, int v)
{
	if (!v) {
		if (tp->state != TCP_CLOSE)
			return -EINVAL;
		tp->window_clamp = UINT32_MAX;
		return 0;
	}
	tp->window_clamp = (uint32_t)MAX(v, 2304 / 2);
	return 0;
}

static void set_keepidle(struct tcp_sock *tp, int v)
{
	uint32_t elapsed;

	tp->keep_time_ms = (uint32_t)v * 1000;
	if (!tp->s.opt.keepalive || tp->state == TCP_CLOSE || tp->state == TCP_LISTEN)
		return;
	elapsed = MIN(tcp_ms(tp) - tp->rcv_tstamp_ms, tcp_ms(tp) - tp->ack.lrcv_ms);
	tcp_keepalive_arm(tp, tp->keep_time_ms > elapsed ? tp->keep_time_ms - elapsed : 0);
}

static int set_int(struct tcp_sock *tp, int name, int v)
{
	switch (name) {
	case TCP_NODELAY:
		set_nagle(tp, NAGLE_OFF, v);
		return 0;
	case TCP_CORK:
		set_nagle(tp, NAGLE_CORK, v);
		return 0;
	case TCP_MAXSEG:
		if (v && (v < 88 || v > 32767))
			return -EINVAL;
		tp->user_mss = (uint16_t)v;
		return 0;
	case TCP_KEEPIDLE:
		if (v < 1 || v > 32767)
			return -EINVAL;
		set_keepidle(tp, v);
		return 0;
	case TCP_KEEPINTVL:
		if (v < 1 || v > 32767)
			return -EINVAL;
		tp->keep_intvl_ms = (uint32_t)v * 1000;
		return 0;
	case TCP_KEEPCNT:
		if (v < 1 || v > 127)
			return -EINVAL;
		tp->keep_probes = (uint8_t)v;
		return 0;
	case TCP_SYNCNT:
		if (v < 1 || v > 127)
			return -EINVAL;
		tp->syn_retries = (uint8_t)v;
		return 0;
	case TCP_LINGER2:
		if (v < 0)
			tp->linger2_ms = -1;
		else if (v > 120)
			tp->linger2_ms = 120 * 1000;
		else
			tp->linger2_ms = v * 1000;
		return 0;
	case TCP_DEFER_ACCEPT:
		tp->defer_s = defer_round(MIN(v, 100000));
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(tp, v);
	case TCP_QUICKACK:
		set_quickack(tp, v);
		return 0;
	case TCP_USER_TIMEOUT:
		if (v < 0)
			return -EINVAL;
		tp->user_timeout_ms = (uint32_t)v;
		return 0;
	case OPT_NOTSENT_LOWAT:
		tp->notsent_lowat = (uint32_t)v;
		tcp_write_space(tp);
		return 0;
	case OPT_THIN_LINEAR:
	case OPT_THIN_DUPACK:
	case OPT_SAVE_SYN:
		return v < 0 || v > 1 ? -EINVAL : 0;
	case OPT_TIMESTAMP:
	case OPT_REPAIR:
		return -EPERM;
	case TCP_FASTOPEN:
	case OPT_FASTOPEN_CONNECT:
	case OPT_FASTOPEN_NO_COOKIE:
		/* Without cookies every connection takes the ordinary way (RFC 7413 4.1.3), as it may on Linux. */
		return v < 0 ? -EINVAL : 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size)
{
	struct tcp_sock *tp = tcp_sk(s);
	int v, ret;

	if (level != IPPROTO_TCP)
		return -ENOPROTOOPT;
	if (name == TCP_CONGESTION)
		return size ? set_congestion(tp, val, size) : -EINVAL;
	if (name == OPT_ULP)
		return -ENOENT;
	if (size < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	nsock_ref(s);
	ret = set_int(tp, name, v);
	nsock_unref(s);
	return ret;
}

static int get_int(struct tcp_sock *tp, int name, int *ret)
{
	struct netstack *st = tp->s.st;

	switch (name) {
	case TCP_NODELAY:
		*ret = !!(tp->nonagle & NAGLE_OFF);
		return 0;
	case TCP_CORK:
		*ret = !!(tp->nonagle & NAGLE_CORK);
		return 0;
	case TCP_MAXSEG:
		*ret = tp->mss_cache;
		if (tp->user_mss && (tp->state == TCP_CLOSE || tp->state == TCP_LISTEN))
			*ret = tp->user_mss;
		return 0;
	case TCP_KEEPIDLE:
		*ret = (int)(tcp_keep_time_ms(tp) / 1000);
		return 0;
	case TCP_KEEPINTVL:
		*ret = tp->keep_intvl_ms ? (int)(tp->keep_intvl_ms / 1000)
					 : (int)net_sysctl(st, NET_SYSCTL_TCP_KEEPALIVE_INTVL);
		return 0;
	case TCP_KEEPCNT:
		*ret = tp->keep_probes ? tp->keep_probes : (int)net_sysctl(st, NET_SYSCTL_TCP_KEEPALIVE_PROBES);
		return 0;
	case TCP_SYNCNT:
		*ret = tp->syn_retries ? tp->syn_retries : (int)net_sysctl(st, NET_SYSCTL_TCP_SYN_RETRIES);
		return 0;
	case TCP_LINGER2:
		*ret = tp->linger2_ms < 0 ? -1
		       : tp->linger2_ms   ? tp->linger2_ms / 1000
					  : (int)net_sysctl(st, NET_SYSCTL_TCP_FIN_TIMEOUT);
		return 0;
	case TCP_DEFER_ACCEPT:
		*ret = tp->defer_s;
		return 0;
	case TCP_WINDOW_CLAMP:
		*ret = (int)(tp->window_clamp == UINT32_MAX ? 0 : tp->window_clamp);
		return 0;
	case TCP_QUICKACK:
		*ret = !tp->ack.pingpong;
		return 0;
	case TCP_USER_TIMEOUT:
		*ret = (int)tp->user_timeout_ms;
		return 0;
	case OPT_NOTSENT_LOWAT:
		*ret = (int)tp->notsent_lowat;
		return 0;
	case OPT_TIMESTAMP:
		*ret = (int)(tcp_ts_now(st) + tp->ts_off);
		return 0;
	case OPT_INQ:
		*ret = (int)tcp_rx_queued(tp);
		return 0;
	case OPT_THIN_LINEAR:
	case OPT_THIN_DUPACK:
	case OPT_SAVE_SYN:
	case OPT_REPAIR:
	case OPT_TX_DELAY:
	case TCP_FASTOPEN:
	case OPT_FASTOPEN_CONNECT:
	case OPT_FASTOPEN_NO_COOKIE:
		*ret = 0;
		return 0;
	case OPT_RTO_MAX_MS:
		*ret = (int)TCP_RTO_MAX_MS;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size)
{
	struct tcp_sock *tp = tcp_sk(s);
	char ca[16] = {0};
	int v, ret;

	if (level != IPPROTO_TCP)
		return -ENOPROTOOPT;
	switch (name) {
	case TCP_INFO:
		*size = tcp_info_fill(tp, val, *size);
		return 0;
	case TCP_CONGESTION:
		memcpy(ca, tp->ca->name, MIN(strlen(tp->ca->name), sizeof(ca) - 1));
		*size = MIN(*size, (uint32_t)sizeof(ca));
		memcpy(val, ca, *size);
		return 0;
	case OPT_ULP:
	case OPT_CC_INFO:
	case OPT_SAVED_SYN:
	case OPT_FASTOPEN_KEY:
		*size = 0;
		return 0;
	default:
		break;
	}
	ret = get_int(tp, name, &v);
	if (ret < 0)
		return ret;
	*size = MIN(*size, (uint32_t)sizeof(v));
	memcpy(val, &v, *size);
	return 0;
}

void tcp_opt_changed(struct nsock *s)
{
	struct tcp_sock *tp = tcp_sk(s);

	if (tp->state == TCP_CLOSE || tp->state == TCP_LISTEN)
		return;
	/* A path for other marks, interfaces or service classes may be another one. */
	if (tp->route.out)
		tp->route.generation--;
	if (s->opt.keepalive && !net_timer_armed(&tp->keep_timer) && !tp->orphan)
		tcp_keepalive_arm(tp, tcp_keep_time_ms(tp));
	else if (!s->opt.keepalive && !tp->orphan)
		net_timer_cancel(&tp->keep_timer);
}
