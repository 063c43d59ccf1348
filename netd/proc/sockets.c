/* /proc/net/{tcp,udp,udplite,raw,icmp}[6], packet, sockstat, protocols. */
#include <arpa/inet.h>
#include <linux/packet_diag.h>
#include <netinet/in.h>

#include "common/base/util.h"
#include "netd/core/stack.h"
#include "netd/proc/private.h"
#include "netd/sock/sock.h"
#include "netd/tcp/tcp.h"

#define LISTEN 10
#define TIME_WAIT 6
#define TICKS(ms) ((unsigned long)((ms) / 10)) /* USER_HZ */

struct table {
	struct text *out;
	int family;
	unsigned line;
};

/* An address and port as the kernel prints them: words of the host's byte order, in hexadecimal. */
static void put_name(struct text *t, const struct nsock_name *n, int family)
{
	uint32_t w[4] = {0};

	if (family == AF_INET) {
		text_printf(t, " %08X:%04X", n->addr.family == AF_INET ? n->addr.v4 : 0, ntohs(n->port));
		return;
	}
	if (n->addr.family == AF_INET6) {
		memcpy(w, n->addr.v6, sizeof(w));
	} else if (n->addr.family == AF_INET && n->addr.v4) {
		w[2] = htonl(0xffff);
		w[3] = n->addr.v4;
	}
	text_printf(t, " %08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3], ntohs(n->port));
}

static bool tcp_row(void *arg, const struct tcp_row *r)
{
	struct table *tb = arg;
	size_t from = tb->out->size;
	int state = r->state == TCP_ROW_NEW_SYN_RECV ? 3 : r->state;

	if (r->family != tb->family)
		return true;
	text_printf(tb->out, "%4u:", tb->line++);
	put_name(tb->out, &r->local, tb->family);
	put_name(tb->out, &r->peer, tb->family);
	if (!r->s) {
		bool request = state != TIME_WAIT;

		text_printf(tb->out, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %d %d %016d", state, 0, 0,
			    request ? 1 : 3, TICKS(r->timer_ms), request ? r->retransmits : 0, request ? r->uid : 0, 0,
			    0, request ? 0 : 3, 0);
	} else {
		text_printf(tb->out, " %02X %08X:%08X %02X:%08lX %08X %5u %8u %lu %d %016d %lu %lu %u %u %d", state,
			    state == LISTEN ? 0 : r->tx_queue, r->rx_queue, r->timer, TICKS(r->timer_ms),
			    r->retransmits, r->uid, r->probes, (unsigned long)r->inode, r->refs, 0, TICKS(r->rto_ms),
			    TICKS(r->ato_ms), (unsigned)r->quickack << 1, r->snd_cwnd, r->ssthresh);
	}
	text_line_end(tb->out, from, tb->family == AF_INET ? 149 : 0);
	return true;
}

static const char heading6[] = "  sl  local_address                         remote_address                        "
			       "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

void show_tcp(struct netstack *st, struct text *out)
{
	struct table tb = {out, AF_INET, 0};

	text_printf(out, "%-149s\n", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
				     "uid  timeout inode");
	tcp_dump(st, tcp_row, &tb);
}

void show_tcp6(struct netstack *st, struct text *out)
{
	struct table tb = {out, AF_INET6, 0};

	text_printf(out, "%s\n", heading6);
	tcp_dump(st, tcp_row, &tb);
}

static void dgram_rows(struct netstack *st, struct text *out, enum nsock_kind kind, int family, int protocol)
{
	unsigned line = 0;
	bool padded = kind == NSOCK_UDP && family == AF_INET;

	for (struct nsock *s = nsock_next(st, kind, NULL); s; s = nsock_next(st, kind, s)) {
		struct nsock_name local = s->local;
		size_t from = out->size;

		if (s->family != family || (kind == NSOCK_UDP && (s->protocol != protocol || !local.port)))
			continue;
		if (kind == NSOCK_RAW)
			local.port = htons((uint16_t)s->protocol);
		/* the kernel's number is the slot of its table, which for raw sockets is the protocol */
		text_printf(out, padded ? "%5u:" : kind == NSOCK_UDP ? "%5u:" : "%4u:",
			    kind == NSOCK_RAW ? (unsigned)s->protocol : line);
		line++;
		put_name(out, &local, family);
		put_name(out, &s->peer, family);
		text_printf(out, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %lu %d %016d %u", s->peer.addr.family ? 1 : 7, 0, 0,
			    0, 0ul, 0, s->opt.uid, 0, (unsigned long)s->opt.inode, 2, 0, 0);
		text_line_end(out, from, padded ? 127 : 0);
	}
}

static void dgrams(struct netstack *st, struct text *out, enum nsock_kind kind, int family, int protocol)
{
	if (family == AF_INET6)
		text_printf(out, "%s ref pointer drops\n", heading6);
	else if (kind == NSOCK_UDP)
		text_printf(out, "%-127s\n", "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
					     "retrnsmt   uid  timeout inode ref pointer drops");
	else
		text_printf(out, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
				 "timeout inode ref pointer drops\n");
	dgram_rows(st, out, kind, family, protocol);
}

void show_udp(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_UDP, AF_INET, IPPROTO_UDP);
}

void show_udp6(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_UDP, AF_INET6, IPPROTO_UDP);
}

void show_udplite(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_UDP, AF_INET, IPPROTO_UDPLITE);
}

void show_udplite6(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_UDP, AF_INET6, IPPROTO_UDPLITE);
}

void show_raw(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_RAW, AF_INET, 0);
}

void show_raw6(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_RAW, AF_INET6, 0);
}

void show_icmp(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_PING, AF_INET, 0);
}

void show_icmp6(struct netstack *st, struct text *out)
{
	dgrams(st, out, NSOCK_PING, AF_INET6, 0);
}

void show_packet(struct netstack *st, struct text *out)
{
	text_printf(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	for (struct nsock *s = nsock_next(st, NSOCK_PACKET, NULL); s; s = nsock_next(st, NSOCK_PACKET, s))
		text_printf(out, "%016d %-6d %-4d %04x   %-5d %1d %-6u %-6u %-6lu\n", 0, 3, s->type,
			    ntohs((uint16_t)s->protocol), s->opt.bound_if, 1, 0, s->opt.uid, (unsigned long)s->opt.inode);
}

static unsigned count(struct netstack *st, enum nsock_kind kind, int family, int protocol)
{
	unsigned n = 0;

	for (struct nsock *s = nsock_next(st, kind, NULL); s; s = nsock_next(st, kind, s))
		n += (!family || s->family == family) && (!protocol || s->protocol == protocol);
	return n;
}

static unsigned count_all(struct netstack *st)
{
	return count(st, NSOCK_TCP, 0, 0) + count(st, NSOCK_UDP, 0, 0) + count(st, NSOCK_RAW, 0, 0) +
	       count(st, NSOCK_PING, 0, 0) + count(st, NSOCK_PACKET, 0, 0);
}

void show_sockstat(struct netstack *st, struct text *out)
{
	struct tcp_counts c;

	tcp_count(st, &c);
	text_printf(out, "sockets: used %u\nTCP: inuse %u orphan %u tw %u alloc %u mem 0\nUDP: inuse %u mem 0\n"
			 "UDPLITE: inuse %u\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n",
		    count_all(st), count(st, NSOCK_TCP, AF_INET, 0), c.orphans, c.time_wait, c.allocated,
		    count(st, NSOCK_UDP, AF_INET, IPPROTO_UDP), count(st, NSOCK_UDP, AF_INET, IPPROTO_UDPLITE),
		    count(st, NSOCK_RAW, AF_INET, 0));
}

void show_sockstat6(struct netstack *st, struct text *out)
{
	text_printf(out, "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\nRAW6: inuse %u\nFRAG6: inuse 0 memory 0\n",
		    count(st, NSOCK_TCP, AF_INET6, 0), count(st, NSOCK_UDP, AF_INET6, IPPROTO_UDP),
		    count(st, NSOCK_UDP, AF_INET6, IPPROTO_UDPLITE), count(st, NSOCK_RAW, AF_INET6, 0));
}

void show_protocols(struct netstack *st, struct text *out)
{
	static const struct {
		const char *name;
		unsigned size;
		enum nsock_kind kind;
		int family, protocol, maxhdr;
	} rows[] = {
		{"PINGv6", 1280, NSOCK_PING, AF_INET6, 0, 0}, {"RAWv6", 1280, NSOCK_RAW, AF_INET6, 0, 0},
		{"UDPLITEv6", 1472, NSOCK_UDP, AF_INET6, IPPROTO_UDPLITE, 0},
		{"UDPv6", 1472, NSOCK_UDP, AF_INET6, IPPROTO_UDP, 0}, {"TCPv6", 2496, NSOCK_TCP, AF_INET6, 0, 320},
		{"PACKET", 1536, NSOCK_PACKET, 0, 0, 0}, {"PING", 1088, NSOCK_PING, AF_INET, 0, 0},
		{"RAW", 1088, NSOCK_RAW, AF_INET, 0, 0}, {"UDP-Lite", 1280, NSOCK_UDP, AF_INET, IPPROTO_UDPLITE, 0},
		{"UDP", 1280, NSOCK_UDP, AF_INET, IPPROTO_UDP, 0}, {"TCP", 2304, NSOCK_TCP, AF_INET, 0, 320},
	};

	text_printf(out, "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se "
			 "re bi br ha uh gp em\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		text_printf(out, "%-9s %4u %6u  %6ld   %-3s %6u   %-3s  %-10s "
				 " y  y  y  n  y  n  y  n  y  y  y  y  n  y  y  y  y  n\n",
			    rows[i].name, rows[i].size, count(st, rows[i].kind, rows[i].family, rows[i].protocol), 0l, "no",
			    (unsigned)rows[i].maxhdr, "yes", "kernel");
}
