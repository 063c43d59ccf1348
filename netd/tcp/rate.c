/* How fast data is delivered: a sample with each ACK, for TCP_INFO (tcpi_delivery_rate). */
#include "netd/tcp/conn.h"

/* r was delivered. The most recently sent one of an ACK makes the sample. */
void tcp_rate_delivered(struct tcp_sock *tp, const struct tcp_sent *r, struct tcp_ack_ctx *cx)
{
	if (!r->delivered_us || (cx->prior_us && r->delivered < cx->prior_delivered))
		return;
	cx->prior_us = r->delivered_us;
	cx->prior_delivered = r->delivered;
	cx->app_limited = r->app_limited;
	cx->snd_interval_us = r->sent_us - r->first_tx_us;
	tp->first_tx_us = r->sent_us;
}
