/* NETLINK_SOCK_DIAG of what sysd itself holds: UNIX and netlink sockets (sock_diag(7)). The Internet's are netd's. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/net/netlink/netlink.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define CHUNK 3776u

/* Messages of a dump, sent in chunks. */
struct dump {
	struct netlink_sock *k;
	const struct abi_nlmsghdr *req;
	size_t used, msg;
	uint8_t buf[8192];
};

static void flush(struct dump *d)
{
	if (d->used)
		netlink_queue(d->k, 0, 0, d->buf, d->used);
	d->used = 0;
}

static void begin(struct dump *d, const void *body, size_t size)
{
	struct abi_nlmsghdr h = {.type = SOCK_DIAG_BY_FAMILY, .flags = ABI_NLM_F_MULTI, .seq = d->req->seq,
				 .pid = d->k->port};

	if (d->used > CHUNK - 512)
		flush(d);
	d->msg = d->used;
	memcpy(d->buf + d->used, &h, sizeof(h));
	memcpy(d->buf + d->used + sizeof(h), body, size);
	d->used += sizeof(h) + ABI_NLMSG_ALIGN((uint32_t)size);
}

static void attribute(struct dump *d, uint16_t type, const void *data, size_t size)
{
	const struct nlattr a = {.nla_type = type, .nla_len = (uint16_t)(sizeof(a) + size)};
	size_t whole = ABI_NLMSG_ALIGN(a.nla_len);

	if (d->used + whole > sizeof(d->buf))
		return;
	memset(d->buf + d->used, 0, whole);
	memcpy(d->buf + d->used, &a, sizeof(a));
	memcpy(d->buf + d->used + sizeof(a), data, size);
	d->used += whole;
}

static void end(struct dump *d)
{
	((struct abi_nlmsghdr *)(void *)(d->buf + d->msg))->len = (uint32_t)(d->used - d->msg);
}

static uint32_t inode_of(const struct socket *s)
{
	return s->file && s->file->inode ? (uint32_t)s->file->inode->ino : 0;
}

static uint8_t unix_state(const struct unix_sock *u)
{
	return u->s.state == SS_LISTEN ? 10 : u->s.state == SS_ESTABLISHED || (u->peer && u->s.type != SOCK_DGRAM) ? 1 : 7;
}

static void one_unix(struct dump *d, struct unix_sock *u, const struct unix_diag_req *rq)
{
	struct unix_diag_msg m = {.udiag_family = AF_UNIX, .udiag_type = (uint8_t)u->s.type, .udiag_state = unix_state(u),
				  .udiag_ino = inode_of(&u->s)};

	if (!(rq->udiag_states & 1u << m.udiag_state) || (rq->udiag_ino && rq->udiag_ino != m.udiag_ino))
		return;
	m.udiag_cookie[0] = (uint32_t)u->s.cookie;
	m.udiag_cookie[1] = (uint32_t)(u->s.cookie >> 32);
	begin(d, &m, sizeof(m));
	if (rq->udiag_show & UDIAG_SHOW_NAME && u->addr && u->addr->size > UNIX_PATH_OFF) {
		size_t size = u->addr->size - UNIX_PATH_OFF;

		if (u->addr->un.path[0]) /* a path, without its NUL */
			size = strnlen(u->addr->un.path, size);
		attribute(d, UNIX_DIAG_NAME, u->addr->un.path, size);
	}
	if (rq->udiag_show & UDIAG_SHOW_PEER && u->peer) {
		uint32_t peer = inode_of(&u->peer->s);

		attribute(d, UNIX_DIAG_PEER, &peer, sizeof(peer));
	}
	if (rq->udiag_show & UDIAG_SHOW_RQLEN) {
		struct unix_diag_rqlen q = {(uint32_t)u->queue_bytes, (uint32_t)u->wmem};

		if (u->s.state == SS_LISTEN)
			q = (struct unix_diag_rqlen){u->queue_count, u->backlog};
		attribute(d, UNIX_DIAG_RQLEN, &q, sizeof(q));
	}
	if (rq->udiag_show & UDIAG_SHOW_MEMINFO) {
		const uint32_t mem[SK_MEMINFO_VARS] = {
			[SK_MEMINFO_RMEM_ALLOC] = (uint32_t)u->queue_bytes, [SK_MEMINFO_RCVBUF] = (uint32_t)u->s.rcvbuf,
			[SK_MEMINFO_WMEM_ALLOC] = (uint32_t)u->wmem, [SK_MEMINFO_SNDBUF] = (uint32_t)u->s.sndbuf,
		};

		attribute(d, UNIX_DIAG_MEMINFO, mem, sizeof(mem));
	}
	if (rq->udiag_show & UDIAG_SHOW_UID)
		attribute(d, UNIX_DIAG_UID, &u->s.uid, sizeof(u->s.uid));
	attribute(d, UNIX_DIAG_SHUTDOWN, &(uint8_t){(uint8_t)u->s.shutdown}, 1);
	end(d);
}

static int dump_unix(struct dump *d, bool all)
{
	struct unix_diag_req rq = {0};
	struct unix_sock *u;

	if (d->req->len < sizeof(*d->req) + sizeof(rq))
		return -EINVAL;
	memcpy(&rq, d->req + 1, sizeof(rq));
	LIST_FOR_EACH (u, unix_all(), all_node) {
		if (u->s.ns != d->k->s.ns)
			continue;
		if (all) {
			one_unix(d, u, &rq);
		} else if (inode_of(&u->s) == rq.udiag_ino && rq.udiag_ino) {
			rq.udiag_states = UINT32_MAX;
			one_unix(d, u, &rq);
			((struct abi_nlmsghdr *)(void *)d->buf)->flags = 0;
			flush(d);
			return 0;
		}
	}
	return all ? 0 : -ENOENT;
}

static int dump_netlink(struct dump *d)
{
	struct netlink_diag_req rq;
	struct netlink_sock *k;

	if (d->req->len < sizeof(*d->req) + sizeof(rq))
		return -EINVAL;
	memcpy(&rq, d->req + 1, sizeof(rq));
	LIST_FOR_EACH (k, netlink_all(), all) {
		struct netlink_diag_msg m = {.ndiag_family = AF_NETLINK, .ndiag_type = (uint8_t)k->s.type,
					     .ndiag_protocol = (uint8_t)k->s.protocol, .ndiag_portid = k->port,
					     .ndiag_state = 7, .ndiag_ino = inode_of(&k->s)};

		if (k->s.ns != d->k->s.ns ||
		    (rq.sdiag_protocol != NDIAG_PROTO_ALL && rq.sdiag_protocol != k->s.protocol))
			continue;
		m.ndiag_cookie[0] = (uint32_t)k->s.cookie;
		begin(d, &m, sizeof(m));
		if (rq.ndiag_show & NDIAG_SHOW_GROUPS)
			attribute(d, NETLINK_DIAG_GROUPS, &k->groups, sizeof(k->groups));
		end(d);
	}
	return 0;
}

int netlink_diag(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size)
{
	size_t pos = 0;
	const struct abi_nlmsghdr *h = netlink_next(data, size, &pos);
	CLEANUP_FREE struct dump *d = NULL;
	int family, ret;
	bool all;

	if (!h || h->len < sizeof(*h) + 1)
		return netlink_to_netd(k, t, data, size);
	family = *(const uint8_t *)(h + 1);
	if ((family != AF_UNIX && family != AF_NETLINK) || h->type != SOCK_DIAG_BY_FAMILY)
		return netlink_to_netd(k, t, data, size);
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->k = k;
	d->req = h;
	all = (h->flags & ABI_NLM_F_DUMP) == ABI_NLM_F_DUMP;
	ret = family == AF_UNIX ? dump_unix(d, all) : dump_netlink(d);
	flush(d);
	if (all)
		netlink_done(k, h, ret);
	else if (ret || h->flags & ABI_NLM_F_ACK)
		netlink_ack(k, h, ret);
	return 0;
}
