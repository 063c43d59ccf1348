/* What the operator is shown: the sockets as ss(8) lists them ("sockets"), and figures in OpenMetrics text ("metrics"). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/proc/private.h"
#include "netd/sock/sock.h"
#include "netd/tcp/tcp.h"

static const char *const states[] = {
	"?", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT",
	"LAST-ACK", "LISTEN", "CLOSING", "SYN-RECV",
};

static void put_name(struct text *out, const struct nsock_name *n)
{
	char text[46], all[64];
	bool any = ip_addr_any(&n->addr);

	if (any)
		strcpy(text, "*");
	else
		ip_addr_text(&n->addr, text);
	if (n->port)
		snprintf(all, sizeof(all), n->addr.family == AF_INET6 && !any ? "[%s]:%u" : "%s:%u", text, ntohs(n->port));
	else
		snprintf(all, sizeof(all), "%s:*", text);
	text_printf(out, " %-28s", all);
}

static void put_row(struct text *out, const char *kind, const struct tcp_row *r)
{
	size_t from = out->size;

	text_printf(out, "%-5s %-10s %8u %8u", kind, (unsigned)r->state < ARRAY_SIZE(states) ? states[r->state] : "?",
		    r->rx_queue, r->tx_queue);
	put_name(out, &r->local);
	put_name(out, &r->peer);
	text_printf(out, " %5u %lu", r->uid, (unsigned long)r->inode);
	text_line_end(out, from, 0);
}

static bool on_tcp(void *arg, const struct tcp_row *r)
{
	put_row(arg, "tcp", r);
	return true;
}

void show_sockets(struct netstack *st, struct text *out)
{
	static const struct {
		enum nsock_kind kind;
		const char *name;
	} kinds[] = {{NSOCK_UDP, "udp"}, {NSOCK_RAW, "raw"}, {NSOCK_PING, "icmp"}, {NSOCK_PACKET, "p_raw"}};

	text_printf(out, "%-5s %-10s %8s %8s %-28s %-28s %5s %s\n", "NETID", "STATE", "RECV-Q", "SEND-Q", "LOCAL", "PEER",
		    "UID", "INODE");
	tcp_dump(st, on_tcp, out);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (struct nsock *s = nsock_next(st, kinds[i].kind, NULL); s; s = nsock_next(st, kinds[i].kind, s)) {
			const struct tcp_row r = {.state = s->peer.addr.family ? 1 : 7, .local = s->local, .peer = s->peer,
						  .uid = s->opt.uid, .inode = s->opt.inode};

			put_row(out, kinds[i].name, &r);
		}
	}
}

static void put_family(struct netstack *st, struct text *out, const char *name, const char *help, size_t field)
{
	text_printf(out, "# TYPE sbx_net_%s counter\n# HELP sbx_net_%s %s\n", name, name, help);
	for (struct netif *nif = netif_next(st, NULL); nif; nif = netif_next(st, nif)) {
		uint64_t v;

		memcpy(&v, (const uint8_t *)&nif->stats + field, sizeof(v));
		text_printf(out, "sbx_net_%s_total{interface=\"%s\"} %llu\n", name, nif->name, (unsigned long long)v);
	}
}

void show_metrics(struct netstack *st, struct text *out)
{
	static const struct {
		const char *name, *help;
		enum net_mib what;
	} totals[] = {
		{"tcp_active_opens", "connections asked for", MIB_Tcp_ActiveOpens},
		{"tcp_passive_opens", "connections accepted", MIB_Tcp_PassiveOpens},
		{"tcp_retransmitted_segments", "segments sent again", MIB_Tcp_RetransSegs},
		{"tcp_resets_sent", "connections reset", MIB_Tcp_OutRsts},
		{"udp_datagrams_received", "datagrams delivered", MIB_Udp_InDatagrams},
		{"udp_datagrams_sent", "datagrams sent", MIB_Udp_OutDatagrams},
		{"udp_receive_errors", "datagrams without room", MIB_Udp_RcvbufErrors},
	};
	struct tcp_counts c;

#define FIELD(f) offsetof(struct netif_stats, f)
	put_family(st, out, "received_bytes", "bytes that came in", FIELD(rx_bytes));
	put_family(st, out, "received_frames", "frames that came in", FIELD(rx_packets));
	put_family(st, out, "received_dropped_frames", "frames that were dropped on their way in", FIELD(rx_dropped));
	put_family(st, out, "sent_bytes", "bytes that went out", FIELD(tx_bytes));
	put_family(st, out, "sent_frames", "frames that went out", FIELD(tx_packets));
	put_family(st, out, "sent_dropped_frames", "frames that the link did not take", FIELD(tx_dropped));
#undef FIELD
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++)
		text_printf(out, "# TYPE sbx_net_%s counter\n# HELP sbx_net_%s %s\nsbx_net_%s_total %llu\n", totals[i].name,
			    totals[i].name, totals[i].help, totals[i].name,
			    (unsigned long long)net_counter(st, totals[i].what));
	tcp_count(st, &c);
	text_printf(out, "# TYPE sbx_net_tcp_sockets gauge\nsbx_net_tcp_sockets %u\n# TYPE sbx_net_tcp_time_wait gauge\n"
			 "sbx_net_tcp_time_wait %u\n", c.in_use, c.time_wait);
}
