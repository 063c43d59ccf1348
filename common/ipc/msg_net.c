/* One table says which fields each kind has; encoder and decoder both follow it. */
#include "common/ipc/msg_net.h"

#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/cbor/cursor.h"

enum field {
	F_END = 0,
	F_ERROR, F_REQ, F_NS, F_SOCK, F_PEER, F_PAIR, F_FAMILY, F_TYPE, F_PROTOCOL, F_UID, F_FLAGS, F_LEVEL, F_NAME,
	F_INODE, F_VALUE, F_VALUE2, F_TICKET, F_TICKET2, F_LOCAL, F_REMOTE, F_TX, F_RX, F_OPTS, F_TEXT, F_DATA,
};

static const uint8_t fields[][16] = {
	[NET_DO] = {F_REQ, F_SOCK, F_NS, F_FAMILY, F_TYPE, F_PROTOCOL, F_UID, F_INODE, F_FLAGS, F_VALUE, F_LOCAL,
		    F_REMOTE, F_OPTS},
	[NET_SETOPT] = {F_REQ, F_SOCK, F_OPTS},
	[NET_GETOPT] = {F_REQ, F_SOCK, F_LEVEL, F_NAME, F_VALUE},
	[NET_SHUTDOWN] = {F_SOCK, F_FLAGS},
	[NET_CLOSE] = {F_REQ, F_SOCK, F_FLAGS},
	[NET_PAIR] = {F_SOCK, F_FLAGS, F_VALUE, F_VALUE2},
	[NET_ROUTE] = {F_REQ, F_SOCK, F_LOCAL, F_REMOTE, F_VALUE},
	[NET_IOCTL] = {F_REQ, F_NS, F_VALUE, F_FLAGS, F_DATA},
	[NET_NETLINK] = {F_REQ, F_NS, F_SOCK, F_PROTOCOL, F_VALUE, F_FLAGS, F_DATA},
	[NET_NLGROUPS] = {F_NS, F_VALUE},
	[NET_PROC] = {F_REQ, F_NS, F_TEXT, F_VALUE},
	[NET_SYSCTL] = {F_REQ, F_NS, F_TEXT, F_DATA},
	[NET_NS] = {F_REQ, F_NS, F_FLAGS},
	[NET_ACCEPTED] = {F_SOCK, F_INODE},
	[NET_UP] = {F_TICKET, F_TICKET2, F_VALUE},
	[NET_REPLY] = {F_REQ, F_ERROR, F_SOCK, F_PEER, F_FLAGS, F_VALUE, F_LOCAL, F_REMOTE, F_TX, F_RX, F_DATA},
	[NET_CHILD] = {F_SOCK, F_PEER, F_PAIR, F_LOCAL, F_REMOTE, F_TX, F_RX},
	[NET_NLMSG] = {F_NS, F_SOCK, F_VALUE, F_DATA},
	[NET_ERROR] = {F_SOCK, F_VALUE, F_FLAGS, F_VALUE2, F_LOCAL, F_REMOTE, F_DATA},
};

static bool known(uint8_t kind)
{
	return kind < ARRAY_SIZE(fields) && fields[kind][0] != F_END;
}

static size_t field_count(uint8_t kind)
{
	return strlen((const char *)fields[kind]);
}

static size_t addr_size(uint16_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static void put_name(struct cbor_w *w, const struct net_name *n)
{
	if (!n->family) {
		cbor_w_null(w);
		return;
	}
	cbor_w_array(w, 5);
	cbor_w_uint(w, n->family);
	cbor_w_uint(w, n->port);
	cbor_w_uint(w, n->scope);
	cbor_w_uint(w, n->flowinfo);
	cbor_w_bytes(w, n->addr, addr_size(n->family));
}

static void get_name(struct cbor_r *r, struct net_name *n)
{
	const void *addr;
	size_t size;

	if (cbor_r_null(r))
		return;
	if (cbor_r_array(r, 5) != 5)
		goto bad;
	n->family = (uint16_t)cbor_r_uint(r, AF_MAX);
	n->port = (uint16_t)cbor_r_uint(r, UINT16_MAX);
	n->scope = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	n->flowinfo = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	addr = cbor_r_bytes(r, sizeof(n->addr), &size);
	if (r->error || !n->family || size != addr_size(n->family))
		goto bad;
	if (size)
		memcpy(n->addr, addr, size);
	return;
bad:
	r->error = -EPROTO;
}

static void put_opts(struct cbor_w *w, const struct net_msg *m)
{
	cbor_w_array(w, m->opt_count);
	for (uint32_t i = 0; i < m->opt_count; i++) {
		cbor_w_array(w, 3);
		cbor_w_int(w, m->opts[i].level);
		cbor_w_int(w, m->opts[i].name);
		cbor_w_bytes(w, m->opts[i].data, m->opts[i].size);
	}
}

static int32_t get_i32(struct cbor_r *r)
{
	int64_t v = cbor_r_int(r);

	if (v < INT32_MIN || v > INT32_MAX) {
		r->error = -EPROTO;
		return 0;
	}
	return (int32_t)v;
}

static void get_opts(struct cbor_r *r, struct net_msg *m)
{
	m->opt_count = (uint32_t)cbor_r_array(r, NET_OPTS_MAX);
	for (uint32_t i = 0; i < m->opt_count && !r->error; i++) {
		struct net_opt *o = &m->opts[i];
		size_t size = 0;

		if (cbor_r_array(r, 3) != 3)
			r->error = -EPROTO;
		o->level = get_i32(r);
		o->name = get_i32(r);
		o->data = cbor_r_bytes(r, NET_OPT_SIZE_MAX, &size);
		o->size = (uint32_t)size;
	}
}

static void put_place(struct cbor_w *w, const struct net_place *p)
{
	cbor_w_array(w, 2);
	cbor_w_uint(w, p->off);
	cbor_w_uint(w, p->size);
}

static void get_place(struct cbor_r *r, struct net_place *p)
{
	if (cbor_r_array(r, 2) != 2)
		r->error = -EPROTO;
	p->off = cbor_r_uint(r, UINT64_MAX);
	p->size = cbor_r_uint(r, UINT64_MAX);
}

static void put_field(struct cbor_w *w, const struct net_msg *m, enum field f)
{
	switch (f) {
	case F_END: break;
	case F_ERROR: cbor_w_int(w, m->error); break;
	case F_REQ: cbor_w_uint(w, m->req); break;
	case F_NS: cbor_w_uint(w, m->ns); break;
	case F_SOCK: cbor_w_uint(w, m->sock); break;
	case F_PEER: cbor_w_uint(w, m->peer); break;
	case F_PAIR: cbor_w_uint(w, m->pair); break;
	case F_FAMILY: cbor_w_uint(w, m->family); break;
	case F_TYPE: cbor_w_uint(w, m->type); break;
	case F_PROTOCOL: cbor_w_uint(w, m->protocol); break;
	case F_UID: cbor_w_uint(w, m->uid); break;
	case F_FLAGS: cbor_w_uint(w, m->flags); break;
	case F_LEVEL: cbor_w_int(w, m->level); break;
	case F_NAME: cbor_w_int(w, m->name); break;
	case F_INODE: cbor_w_uint(w, m->inode); break;
	case F_VALUE: cbor_w_uint(w, m->value); break;
	case F_VALUE2: cbor_w_uint(w, m->value2); break;
	case F_TICKET: cbor_w_uint(w, m->ticket); break;
	case F_TICKET2: cbor_w_uint(w, m->ticket2); break;
	case F_LOCAL: put_name(w, &m->local); break;
	case F_REMOTE: put_name(w, &m->remote); break;
	case F_TX: put_place(w, &m->tx); break;
	case F_RX: put_place(w, &m->rx); break;
	case F_OPTS: put_opts(w, m); break;
	case F_TEXT: cbor_w_text(w, m->text); break;
	case F_DATA: cbor_w_bytes(w, m->data ? m->data : (const uint8_t *)"", m->data_size); break;
	}
}

long net_msg_encode(const struct net_msg *m, void *buf, size_t size)
{
	struct cbor_w w;

	if (!known(m->kind) || m->opt_count > NET_OPTS_MAX)
		return -EINVAL;
	cbor_w_init(&w, buf, size);
	cbor_w_array(&w, 1 + field_count(m->kind));
	cbor_w_uint(&w, m->kind);
	for (const uint8_t *f = fields[m->kind]; *f; f++)
		put_field(&w, m, (enum field)*f);
	return cbor_w_done(&w);
}

static void get_field(struct cbor_r *r, struct net_msg *m, enum field f)
{
	size_t size = 0;

	switch (f) {
	case F_END: break;
	case F_ERROR:
		m->error = get_i32(r);
		if (m->error > 0 || m->error < -4095)
			r->error = -EPROTO;
		break;
	case F_REQ: m->req = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_NS: m->ns = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_SOCK: m->sock = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_PEER: m->peer = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_PAIR: m->pair = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_FAMILY: m->family = (uint32_t)cbor_r_uint(r, AF_MAX); break;
	case F_TYPE: m->type = (uint32_t)cbor_r_uint(r, 16); break;
	case F_PROTOCOL: m->protocol = (uint32_t)cbor_r_uint(r, UINT16_MAX); break;
	case F_UID: m->uid = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_FLAGS: m->flags = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_LEVEL: m->level = get_i32(r); break;
	case F_NAME: m->name = get_i32(r); break;
	case F_INODE: m->inode = cbor_r_uint(r, UINT64_MAX); break;
	case F_VALUE: m->value = cbor_r_uint(r, UINT64_MAX); break;
	case F_VALUE2: m->value2 = cbor_r_uint(r, UINT64_MAX); break;
	case F_TICKET: m->ticket = cbor_r_uint(r, UINT64_MAX); break;
	case F_TICKET2: m->ticket2 = cbor_r_uint(r, UINT64_MAX); break;
	case F_LOCAL: get_name(r, &m->local); break;
	case F_REMOTE: get_name(r, &m->remote); break;
	case F_TX: get_place(r, &m->tx); break;
	case F_RX: get_place(r, &m->rx); break;
	case F_OPTS: get_opts(r, m); break;
	case F_TEXT: cbor_r_text_copy(r, m->text, sizeof(m->text)); break;
	case F_DATA:
		m->data = cbor_r_bytes(r, NET_DATA_MAX, &size);
		m->data_size = (uint32_t)size;
		break;
	}
}

int net_msg_decode(const void *buf, size_t size, struct net_msg *ret)
{
	struct cbor_r r;
	size_t count;

	/* The options' array is large, and valid only up to its count. */
	memset(ret, 0, offsetof(struct net_msg, opts));
	memset((uint8_t *)ret + offsetof(struct net_msg, text), 0, sizeof(*ret) - offsetof(struct net_msg, text));
	cbor_r_init(&r, buf, size);
	count = cbor_r_array(&r, 16);
	ret->kind = (uint8_t)cbor_r_uint(&r, UINT8_MAX);
	if (r.error || !known(ret->kind) || count != 1 + field_count(ret->kind))
		return -EPROTO;
	for (const uint8_t *f = fields[ret->kind]; *f && !r.error; f++)
		get_field(&r, ret, (enum field)*f);
	return cbor_r_done(&r);
}
