/* Sockets as ss(8) sees them: sock_diag(7) for the Internet families and packet sockets. */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "common/base/util.h"
#include "netd/core/stack.h"
#include "netd/netlink/diag_filter.h"
#include "netd/netlink/private.h"
#include "netd/sock/sock.h"
#include "netd/tcp/tcp.h"

#define ESTABLISHED 1
#define CLOSE 7

struct query {
	struct nl_ctx *c;
	struct inet_diag_req_v2 req;
	const uint8_t *filter;
	size_t filter_size;
	bool dump, found;
	struct nsock *match;     /* of SOCK_DESTROY */
};

static void put_name(const struct nsock_name *n, int family, __be32 addr[4], __be16 *port)
{
	*port = n->port;
	memset(addr, 0, 16);
	if (n->addr.family == AF_INET && family == AF_INET6) {
		if (n->addr.v4) {
			addr[2] = htonl(0xffff);
			addr[3] = n->addr.v4;
		}
	} else if (n->addr.family == AF_INET) {
		addr[0] = n->addr.v4;
	} else if (n->addr.family == AF_INET6) {
		memcpy(addr, n->addr.v6, 16);
	}
}

static void put_info(struct nl_ctx *c, struct nsock *s)
{
	uint8_t info[512];
	uint32_t size = sizeof(info);

	if (s->ops->getopt && s->ops->getopt(s, IPPROTO_TCP, TCP_INFO, info, &size) == 0)
		nl_put(c, INET_DIAG_INFO, info, size);
}

static void put_congestion(struct nl_ctx *c, struct nsock *s)
{
	char name[16] = "";
	uint32_t size = sizeof(name) - 1;

	if (s->ops->getopt && s->ops->getopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 && name[0])
		nl_put_text(c, INET_DIAG_CONG, name);
}

static void put_extensions(struct query *q, struct nsock *s, uint32_t rx, uint32_t tx)
{
	uint8_t ext = q->req.idiag_ext;
	struct nl_ctx *c = q->c;

	nl_put_u8(c, INET_DIAG_SHUTDOWN, 0);
	if (ext & 1 << (INET_DIAG_TOS - 1))
		nl_put_u8(c, INET_DIAG_TOS, s->opt.tos);
	if (s->family == AF_INET6) {
		if (ext & 1 << (INET_DIAG_TCLASS - 1))
			nl_put_u8(c, INET_DIAG_TCLASS, s->opt.tclass);
		nl_put_u8(c, INET_DIAG_SKV6ONLY, s->opt.v6only);
	}
	if (s->opt.mark && c->flags & NETLINK_MAY_ADMIN)
		nl_put_u32(c, INET_DIAG_MARK, s->opt.mark);
	if (ext & 1 << (INET_DIAG_MEMINFO - 1)) {
		const struct inet_diag_meminfo mem = {.idiag_rmem = rx, .idiag_wmem = tx};

		nl_put(c, INET_DIAG_MEMINFO, &mem, sizeof(mem));
	}
	if (ext & 1 << (INET_DIAG_SKMEMINFO - 1)) {
		const uint32_t mem[SK_MEMINFO_VARS] = {
			[SK_MEMINFO_RMEM_ALLOC] = rx, [SK_MEMINFO_RCVBUF] = (uint32_t)s->opt.rcvbuf,
			[SK_MEMINFO_WMEM_QUEUED] = tx, [SK_MEMINFO_SNDBUF] = (uint32_t)s->opt.sndbuf,
		};

		nl_put(c, INET_DIAG_SKMEMINFO, mem, sizeof(mem));
	}
	if (s->kind == NSOCK_TCP) {
		if (ext & 1 << (INET_DIAG_INFO - 1))
			put_info(c, s);
		if (ext & 1 << (INET_DIAG_CONG - 1))
			put_congestion(c, s);
	}
	if (s->kind == NSOCK_RAW)
		nl_put_u8(c, INET_DIAG_PROTOCOL, (uint8_t)s->protocol);
}

static bool wanted(const struct query *q, const struct tcp_row *r)
{
	const struct inet_diag_sockid *id = &q->req.id;
	struct diag_subject subject = {.family = r->family, .local = &r->local, .peer = &r->peer,
				       .ifindex = r->s ? r->s->opt.bound_if : 0, .mark = r->s ? r->s->opt.mark : 0,
				       .bound_port = true};
	__be32 addr[4];
	__be16 port;

	if (q->req.sdiag_family != AF_UNSPEC && q->req.sdiag_family != r->family)
		return false;
	if (!(q->req.idiag_states & 1u << r->state))
		return false;
	if (q->dump) {
		if ((id->idiag_sport && id->idiag_sport != r->local.port) ||
		    (id->idiag_dport && id->idiag_dport != r->peer.port))
			return false;
		return !q->filter || diag_filter_run(q->filter, q->filter_size, &subject);
	}
	put_name(&r->local, r->family, addr, &port);
	if (port != id->idiag_sport || memcmp(addr, id->idiag_src, r->family == AF_INET ? 4 : 16) != 0)
		return false;
	put_name(&r->peer, r->family, addr, &port);
	return port == id->idiag_dport && !memcmp(addr, id->idiag_dst, r->family == AF_INET ? 4 : 16);
}

/* One socket; true: go on. */
static bool on_row(void *arg, const struct tcp_row *r)
{
	struct query *q = arg;
	struct inet_diag_msg *m;

	if (!wanted(q, r))
		return true;
	q->found = true;
	q->match = r->s;
	if (!q->c)
		return false;
	m = nl_begin(q->c, SOCK_DIAG_BY_FAMILY, 0, sizeof(*m));
	m->idiag_family = (uint8_t)r->family;
	m->idiag_state = (uint8_t)r->state;
	m->idiag_timer = r->timer;
	m->idiag_retrans = (uint8_t)MIN(r->timer == 4 ? r->probes : r->retransmits, 255u);
	m->idiag_expires = (uint32_t)r->timer_ms;
	m->idiag_rqueue = r->rx_queue;
	m->idiag_wqueue = r->tx_queue;
	m->idiag_uid = r->uid;
	m->idiag_inode = (uint32_t)r->inode;
	put_name(&r->local, r->family, m->id.idiag_src, &m->id.idiag_sport);
	put_name(&r->peer, r->family, m->id.idiag_dst, &m->id.idiag_dport);
	m->id.idiag_if = r->s ? (uint32_t)r->s->opt.bound_if : 0;
	m->id.idiag_cookie[0] = r->s ? (uint32_t)r->s->cookie : INET_DIAG_NOCOOKIE;
	m->id.idiag_cookie[1] = r->s ? (uint32_t)(r->s->cookie >> 32) : INET_DIAG_NOCOOKIE;
	if (r->s)
		put_extensions(q, r->s, r->rx_queue, r->tx_queue);
	nl_end(q->c);
	return q->dump;
}

static void each_dgram(struct query *q, struct netstack *st, enum nsock_kind kind, int protocol)
{
	for (struct nsock *s = nsock_next(st, kind, NULL); s; s = nsock_next(st, kind, s)) {
		struct tcp_row r = {.s = s, .family = s->family, .local = s->local, .peer = s->peer,
				    .uid = s->opt.uid, .inode = s->opt.inode,
				    .state = s->peer.addr.family ? ESTABLISHED : CLOSE};

		if (kind == NSOCK_UDP && s->protocol != protocol)
			continue;
		if (kind == NSOCK_UDP && !s->local.port)
			continue; /* not in a table yet */
		if (kind == NSOCK_RAW)
			r.local.port = htons((uint16_t)s->protocol);
		if (!on_row(q, &r))
			return;
	}
}

static void each_socket(struct query *q, struct netstack *st)
{
	switch (q->req.sdiag_protocol) {
	case IPPROTO_TCP:
		tcp_dump(st, on_row, q);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		each_dgram(q, st, NSOCK_UDP, q->req.sdiag_protocol);
		break;
	case IPPROTO_RAW:
		each_dgram(q, st, NSOCK_RAW, 0);
		break;
	}
}

static int packets(struct nl_ctx *c, const struct packet_diag_req *req)
{
	for (struct nsock *s = nsock_next(c->st, NSOCK_PACKET, NULL); s; s = nsock_next(c->st, NSOCK_PACKET, s)) {
		struct packet_diag_msg *m = nl_begin(c, SOCK_DIAG_BY_FAMILY, 0, sizeof(*m));

		m->pdiag_family = AF_PACKET;
		m->pdiag_type = (uint8_t)s->type;
		m->pdiag_num = ntohs((uint16_t)s->protocol);
		m->pdiag_ino = (uint32_t)s->opt.inode;
		m->pdiag_cookie[0] = (uint32_t)s->cookie;
		m->pdiag_cookie[1] = (uint32_t)(s->cookie >> 32);
		if (req->pdiag_show & PACKET_SHOW_INFO) {
			const struct packet_diag_info info = {.pdi_index = (uint32_t)s->opt.bound_if};

			nl_put(c, PACKET_DIAG_INFO, &info, sizeof(info));
			nl_put_u32(c, PACKET_DIAG_UID, s->opt.uid);
		}
		nl_end(c);
	}
	return 0;
}

static int parse(const struct nlmsghdr *h, struct query *q)
{
	const struct inet_diag_req_v2 *req = nl_header(h, sizeof(*req));
	struct nl_attrs tb;

	if (!req || nl_parse(h, sizeof(*req), &tb))
		return -EINVAL;
	q->req = *req;
	if (req->sdiag_family != AF_INET && req->sdiag_family != AF_INET6)
		return -ENOENT; /* as a kernel without the module */
	if (tb.at[INET_DIAG_REQ_BYTECODE] && q->dump) {
		q->filter = nl_data(tb.at[INET_DIAG_REQ_BYTECODE]);
		q->filter_size = nl_size(tb.at[INET_DIAG_REQ_BYTECODE]);
		if (!diag_filter_check(q->filter, q->filter_size))
			return -EINVAL;
	}
	return 0;
}

int diag_request(struct nl_ctx *c, const struct nlmsghdr *h)
{
	const struct packet_diag_req *pkt = nl_header(h, sizeof(*pkt));
	struct query q = {.c = c, .dump = c->multi};
	int ret;

	if (h->nlmsg_len > NLMSG_HDRLEN && *(const uint8_t *)NLMSG_DATA(h) == AF_PACKET)
		return pkt && c->multi ? packets(c, pkt) : -EINVAL;
	ret = parse(h, &q);
	if (ret)
		return ret;
	if (!q.dump)
		q.req.idiag_states = UINT32_MAX;
	each_socket(&q, c->st);
	return q.dump || q.found ? 0 : -ENOENT;
}

int diag_destroy(struct nl_ctx *c, const struct nlmsghdr *h)
{
	struct query q = {.dump = false};
	int ret = parse(h, &q);

	if (ret)
		return ret;
	if (q.req.sdiag_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	q.req.idiag_states = UINT32_MAX;
	tcp_dump(c->st, on_row, &q);
	if (!q.found)
		return -ENOENT;
	return q.match ? tcp_kill(q.match) : -EOPNOTSUPP;
}
