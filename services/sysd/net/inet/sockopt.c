/* Options of Internet sockets. Integers stand in a table (opttab.def), are checked and kept here, and passed on to netd
 * when it has to obey them: with the request that makes the endpoint, or as a notice afterwards. Whatever is not an
 * integer is netd's, asked and answered. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/filter.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/task/task.h"

#define SO_MEMINFO_ 55
#define SO_NETNS_COOKIE_ 71
#define SO_BUF_LOCK_ 72
#define TCP_MSS_MIN 88
#define RCVLOWAT_MAX (6291456 / 2) /* half of what a receive buffer grows to */
#define TCP_MSS_MAX 32767

const struct inet_opt_info inet_opt_table[INET_OPT_COUNT] = {
#define OPT(id, lv, nm, fl, lo, hi, first) [OPT_##id] = {.level = lv, .name = nm, .flags = fl, .min = lo, .max = hi, .init = first},
#include "services/sysd/net/inet/opttab.def"
#undef OPT
};

void inet_options_init(struct inet_sock *k)
{
	for (unsigned i = 0; i < INET_OPT_COUNT; i++)
		k->opt[i] = inet_opt_table[i].init;
}

static int find(int level, int name)
{
	for (int i = 0; i < INET_OPT_COUNT; i++)
		if (inet_opt_table[i].level == level && inet_opt_table[i].name == name)
			return i;
	return -1;
}

/* Does a socket of this kind have options of this level? */
static bool level_fits(const struct inet_sock *k, int level)
{
	bool udp = k->s.type == SOCK_DGRAM && (k->s.protocol == IPPROTO_UDP || k->s.protocol == IPPROTO_UDPLITE);

	if (k->s.family == AF_PACKET)
		return level == SOL_PACKET || level == SOL_SOCKET;
	switch (level) {
	case SOL_SOCKET:
		return true;
	case SOL_IP:
		return k->s.family == AF_INET || k->s.type != SOCK_RAW;
	case SOL_IPV6:
		return k->s.family == AF_INET6;
	case SOL_TCP:
		return k->s.type == SOCK_STREAM;
	case SOL_UDP:
	case IPPROTO_UDPLITE:
		return udp;
	case SOL_RAW:
	case SOL_ICMPV6:
		return k->s.type == SOCK_RAW || k->s.type == SOCK_DGRAM;
	default:
		return false;
	}
}

/* ---- to netd ------------------------------------------------------------------------------------ */

static int send_option(struct inet_sock *k, int level, int name, const void *val, uint32_t size, bool wait)
{
	struct net_msg *m;
	int err = wait ? inet_attach(k) : 0;

	if (err)
		return err;
	if (!k->attached)
		return 0;
	m = netd_msg(NET_SETOPT);
	m->sock = k->index;
	m->opts[0] = (struct net_opt){level, name, size, val};
	m->opt_count = 1;
	return wait ? netd_call(m, NULL) : netd_tell(m, false);
}

/* A datagram socket waits, so that the option holds for what is sent after it and not for what was sent before. */
static void pass_on(struct inet_sock *k, int level, int name, int32_t value)
{
	if (k->attached && !(k->paired && level == SOL_TCP))
		send_option(k, level, name, &value, sizeof(value), k->s.type != SOCK_STREAM);
}

struct flag_option {
	int name;
	int32_t value;
};

/* The layer's own options that a transport obeys. */
static unsigned layer_options(const struct inet_sock *k, struct flag_option out[12])
{
	const struct socket *s = &k->s;
	unsigned n = 0;

#define LAYER(cond, opt, val)                                  \
	do {                                                   \
		if (cond)                                      \
			out[n++] = (struct flag_option){opt, val}; \
	} while (0)
	LAYER(s->reuseaddr, ABI_SO_REUSEADDR, 1);
	LAYER(s->reuseport, ABI_SO_REUSEPORT, 1);
	LAYER(s->broadcast, ABI_SO_BROADCAST, 1);
	LAYER(s->keepalive, ABI_SO_KEEPALIVE, 1);
	LAYER(s->dontroute, ABI_SO_DONTROUTE, 1);
	LAYER(s->no_check, ABI_SO_NO_CHECK, 1);
	LAYER(s->mark, ABI_SO_MARK, (int32_t)s->mark);
	LAYER(s->priority, ABI_SO_PRIORITY, s->priority);
	LAYER(k->sndbuf_set, ABI_SO_SNDBUF, s->sndbuf);
	LAYER(k->rcvbuf_set, ABI_SO_RCVBUF, s->rcvbuf);
#undef LAYER
	return n;
}

static void add(struct net_msg *m, int32_t store[], int level, int name, int32_t value)
{
	uint32_t i = m->opt_count;

	if (i >= NET_OPTS_MAX - 1)
		return;
	store[i] = value;
	m->opts[i] = (struct net_opt){level, name, sizeof(int32_t), (const uint8_t *)&store[i]};
	m->opt_count++;
}

void inet_options_collect(struct inet_sock *k, struct net_msg *m, int32_t store[NET_OPTS_MAX])
{
	struct flag_option layer[12];
	unsigned n = layer_options(k, layer);

	for (unsigned i = 0; i < n; i++)
		add(m, store, SOL_SOCKET, layer[i].name, layer[i].value);
	for (unsigned i = 0; i < INET_OPT_COUNT; i++) {
		const struct inet_opt_info *o = &inet_opt_table[i];

		if (o->flags & OPT_FWD && k->opt_set[i / 64] & 1ull << i % 64 && level_fits(k, o->level))
			add(m, store, o->level, o->name, k->opt[i]);
	}
	if (k->device[0])
		m->opts[m->opt_count++] =
		    (struct net_opt){SOL_SOCKET, SO_BINDTODEVICE, sizeof(k->device), (const uint8_t *)k->device};
}

void inet_options_inherit(struct inet_sock *k, const struct inet_sock *l)
{
	memcpy(k->opt, l->opt, sizeof(k->opt));
	memcpy(k->opt_set, l->opt_set, sizeof(k->opt_set));
	memcpy(k->device, l->device, sizeof(k->device));
	k->sndbuf_set = l->sndbuf_set;
	k->rcvbuf_set = l->rcvbuf_set;
	k->s.sndbuf = l->s.sndbuf;
	k->s.rcvbuf = l->s.rcvbuf;
	k->s.rcvlowat = l->s.rcvlowat;
	k->s.priority = l->s.priority;
	k->s.mark = l->s.mark;
	k->s.rcvtimeo_ns = l->s.rcvtimeo_ns;
	k->s.sndtimeo_ns = l->s.sndtimeo_ns;
	k->s.debug = l->s.debug;
	k->s.reuseaddr = l->s.reuseaddr;
	k->s.reuseport = l->s.reuseport;
	k->s.keepalive = l->s.keepalive;
	k->s.broadcast = l->s.broadcast;
	k->s.dontroute = l->s.dontroute;
	k->s.oobinline = l->s.oobinline;
	k->s.no_check = l->s.no_check;
	k->s.timestamp = l->s.timestamp;
	k->s.timestampns = l->s.timestampns;
	k->s.linger = l->s.linger;
}

int inet_option_changed(struct socket *s, int name)
{
	struct inet_sock *k = inet_sk(s);
	struct flag_option layer[12];
	int32_t value = 0;
	unsigned n;

	if (name == ABI_SO_RCVLOWAT && s->type == SOCK_STREAM)
		s->rcvlowat = MIN(s->rcvlowat, k->rcvbuf_set ? s->rcvbuf / 2 : RCVLOWAT_MAX);
	if (name == ABI_SO_SNDBUF)
		k->sndbuf_set = true;
	if (name == ABI_SO_RCVBUF)
		k->rcvbuf_set = true;
	if (name == ABI_SO_SNDBUF)
		socket_wake_write(s);
	if (!k->attached)
		return 0;
	if (name == ABI_SO_RCVBUF)
		bytering_set_limit(&k->rx, (uint64_t)s->rcvbuf);
	switch (name) {
	case ABI_SO_REUSEADDR:
	case ABI_SO_REUSEPORT:
	case ABI_SO_BROADCAST:
	case ABI_SO_KEEPALIVE:
	case ABI_SO_DONTROUTE:
	case ABI_SO_NO_CHECK:
	case ABI_SO_MARK:
	case ABI_SO_PRIORITY:
	case ABI_SO_SNDBUF:
	case ABI_SO_RCVBUF:
		n = layer_options(k, layer);
		for (unsigned i = 0; i < n; i++)
			if (layer[i].name == name)
				value = layer[i].value;
		pass_on(k, SOL_SOCKET, name, value);
	}
	return 0;
}

/* ---- setting ------------------------------------------------------------------------------------ */

static int check_value(struct inet_sock *k, struct task *t, int id, int32_t *value)
{
	const struct inet_opt_info *o = &inet_opt_table[id];

	if (o->flags & OPT_GET)
		return -ENOPROTOOPT;
	if (o->flags & OPT_ADMIN && *value && !capable(t, CAP_NET_ADMIN) &&
	    !(o->flags & OPT_RAWCAP && capable(t, CAP_NET_RAW)))
		return -EPERM;
	if (o->flags & OPT_DGRAM && k->s.type == SOCK_STREAM)
		return o->level == SOL_IP ? -EINVAL : -ENOPROTOOPT;
	if (o->flags & OPT_BOOL)
		*value = *value != 0;
	if (o->flags & OPT_MASK8)
		*value &= 0xff;
	if (o->min <= o->max && (*value < o->min || *value > o->max))
		return -EINVAL;
	switch (id) {
	case OPT_IP_TTL:
		if (!*value)
			return -EINVAL;
		break;
	case OPT_IP_HDRINCL:
	case OPT_IP_NODEFRAG:
	case OPT_IPV6_CHECKSUM:
		if (k->s.type != SOCK_RAW)
			return -ENOPROTOOPT;
		break;
	case OPT_IPV6_V6ONLY:
		if (k->bound || k->local.port)
			return -EINVAL;
		break;
	case OPT_TCP_MAXSEG:
		if (*value && (*value < TCP_MSS_MIN || *value > TCP_MSS_MAX))
			return -EINVAL;
		if (!*value)
			*value = o->init;
		break;
	case OPT_IP_TOS:
	case OPT_IPV6_TCLASS: /* the ECN bits are TCP's own */
		if (k->s.type == SOCK_STREAM)
			*value = *value == -1 ? o->init : *value & ~3;
		break;
	case OPT_TCP_FASTOPEN:
		if (k->s.state != SS_UNCONNECTED && k->s.state != SS_LISTEN)
			return -EINVAL;
		break;
	}
	if (o->min == -1 && *value == -1 && id != OPT_SO_TXREHASH)
		*value = o->init;
	return 0;
}

static int set_int(struct inet_sock *k, struct task *t, int id, uint64_t uval, uint32_t size)
{
	const struct inet_opt_info *o = &inet_opt_table[id];
	int32_t value = 0;
	uint8_t byte;
	int err;

	if (size >= sizeof(value)) {
		if (user_get(t, value, uval))
			return -EFAULT;
	} else if (o->flags & OPT_BYTE) {
		if (size) {
			if (user_get(t, byte, uval))
				return -EFAULT;
			value = byte;
		}
	} else {
		return -EINVAL;
	}
	err = check_value(k, t, id, &value);
	if (err)
		return err;
	if (id == OPT_IPV6_MULTICAST_IF && value) {
		err = send_option(k, o->level, o->name, &value, sizeof(value), true);
		if (err)
			return err;
	}
	k->opt[id] = value;
	k->opt_set[id / 64] |= 1ull << id % 64;
	if (o->flags & OPT_FWD)
		pass_on(k, o->level, o->name, value);
	/* tcp(7): TCP_NODELAY pushes even what TCP_CORK holds. */
	if (k->paired && ((id == OPT_TCP_CORK && !value) || (id == OPT_TCP_NODELAY && value)))
		inet_pair_push(k, false);
	return 0;
}

static int bind_to_device(struct inet_sock *k, struct task *t, uint64_t uval, uint32_t size)
{
	char name[16] = "";
	int err;

	if (k->device[0] && !capable(t, CAP_NET_RAW))
		return -EPERM;
	if (size && user_read(t, name, uval, MIN(size, (uint32_t)sizeof(name) - 1)))
		return -EFAULT;
	err = send_option(k, SOL_SOCKET, SO_BINDTODEVICE, name, sizeof(name), true);
	if (!err)
		memcpy(k->device, name, sizeof(name));
	return err;
}

static int set_blob(struct inet_sock *k, struct task *t, int level, int name, uint64_t uval, uint32_t size)
{
	uint8_t val[NET_OPT_SIZE_MAX];

	if (size > sizeof(val))
		return -EINVAL;
	if (size && user_read(t, val, uval, size))
		return -EFAULT;
	return send_option(k, level, name, val, size, true);
}

static bool connected(const struct inet_sock *k)
{
	return k->s.type == SOCK_STREAM ? k->s.state == SS_ESTABLISHED : k->peer.family != 0;
}

static bool has_form(const struct inet_sock *k)
{
	return k->s.type != SOCK_RAW && (k->s.protocol == IPPROTO_TCP || k->s.protocol == IPPROTO_UDP ||
					 k->s.protocol == IPPROTO_UDPLITE);
}

static void to_v4(struct net_name *n)
{
	struct net_name v4 = {.family = AF_INET, .port = n->port};
	uint32_t addr;

	if (n->family == AF_INET6 && (inet_name_v4(n, &addr) || inet_name_any(n))) {
		memcpy(v4.addr, n->addr + 12, sizeof(addr));
		*n = v4;
	}
}

/* IPV6_ADDRFORM: a connection to an IPv4 address becomes a socket of AF_INET for its program. netd's endpoint stays what
 * it is, a dual one with mapped addresses, until the socket gets another one. */
static int set_addrform(struct inet_sock *k, struct task *t, uint64_t uval, uint32_t size)
{
	int32_t family;
	uint32_t v4;

	if (size < sizeof(family))
		return -EINVAL;
	if (user_get(t, family, uval))
		return -EFAULT;
	if (family != AF_INET)
		return -EINVAL;
	if (!has_form(k))
		return -ENOPROTOOPT;
	if (k->pending_size)
		return -EBUSY;
	if (!connected(k))
		return -ENOTCONN;
	if (inet_opt(k, OPT_IPV6_V6ONLY) || !inet_name_v4(&k->peer, &v4))
		return -EADDRNOTAVAIL;
	to_v4(&k->local);
	to_v4(&k->peer);
	memset(k->routes, 0, sizeof(k->routes)); /* they were found by the names that it had */
	k->s.family = AF_INET;
	return 0;
}

int inet_setsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size)
{
	struct inet_sock *k = inet_sk(s);
	int id = find(level, name);

	if (!level_fits(k, level))
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET) {
		switch (name) {
		case SO_BINDTODEVICE:
			return bind_to_device(k, t, uval, size);
		case SO_ATTACH_FILTER:
			return inet_filter_attach(k, t, uval, size);
		case SO_DETACH_FILTER:
			return inet_filter_detach(k);
		}
		return id < 0 ? -ENOPROTOOPT : set_int(k, t, id, uval, size);
	}
	if (level == SOL_IPV6 && name == IPV6_ADDRFORM)
		return set_addrform(k, t, uval, size);
	if (id >= 0)
		return set_int(k, t, id, uval, size);
	return set_blob(k, t, level, name, uval, size);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static int put(struct task *t, const void *val, uint32_t size, uint64_t uval, uint64_t usize, int32_t room)
{
	int32_t n = (int32_t)MIN((uint32_t)room, size);

	if (user_write(t, uval, val, (size_t)n) || user_put(t, n, usize))
		return -EFAULT;
	return 0;
}

static int ask(struct inet_sock *k, struct task *t, int level, int name, uint64_t uval, uint64_t usize, int32_t room)
{
	struct netd_reply r;
	struct net_msg *m;
	int err = inet_attach(k);

	if (err)
		return err;
	if (k->paired)
		inet_pair_tell(k, 0); /* how much went by */
	m = netd_msg(NET_GETOPT);
	m->sock = k->index;
	m->level = level;
	m->name = name;
	m->value = (uint32_t)room;
	err = netd_call(m, &r);
	if (err)
		return err;
	err = put(t, r.data, r.data_size, uval, usize, room);
	netd_reply_done(&r);
	return err;
}

static int get_socket_level(struct inet_sock *k, struct task *t, int name, uint64_t uval, uint64_t usize,
			    int32_t room)
{
	uint32_t info[9] = {0};
	uint64_t cookie = k->s.ns->initial ? 1 : k->s.ns->id;
	int32_t value;

	switch (name) {
	case SO_BINDTODEVICE:
		if (k->device[0] && room < (int32_t)sizeof(k->device))
			return -EINVAL;
		return put(t, k->device, k->device[0] ? (uint32_t)strlen(k->device) + 1 : 0, uval, usize, room);
	case SO_MEMINFO_:
		info[0] = (uint32_t)inet_stream_unread(k);
		info[1] = (uint32_t)k->s.rcvbuf;
		info[2] = info[5] = (uint32_t)inet_stream_unsent(k);
		info[3] = (uint32_t)k->s.sndbuf;
		return put(t, info, sizeof(info), uval, usize, room);
	case SO_NETNS_COOKIE_:
		return room < (int32_t)sizeof(cookie) ? -EINVAL : put(t, &cookie, sizeof(cookie), uval, usize, room);
	case SO_BUF_LOCK_:
		value = (k->sndbuf_set ? 1 : 0) | (k->rcvbuf_set ? 2 : 0);
		return put(t, &value, sizeof(value), uval, usize, room);
	}
	return -ENOPROTOOPT;
}

int inet_getsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint64_t usize)
{
	struct inet_sock *k = inet_sk(s);
	int id = find(level, name);
	int32_t room, value;
	uint8_t byte;

	if (!level_fits(k, level)) /* each of Linux's protocols has its own word for it */
		return s->family == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
	if (user_get(t, room, usize))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (id < 0 && level == SOL_SOCKET)
		return get_socket_level(k, t, name, uval, usize, room);
	if (id < 0)
		return ask(k, t, level, name, uval, usize, room);
	if (inet_opt_table[id].flags & OPT_ASK && k->attached && s->state == SS_ESTABLISHED)
		return ask(k, t, level, name, uval, usize, room);
	if (id == OPT_IPV6_CHECKSUM && s->type != SOCK_RAW)
		return -ENOPROTOOPT;
	value = k->opt[id];
	if (inet_opt_table[id].flags & OPT_BYTE && room < (int32_t)sizeof(value) && room > 0 && value >= 0 && value <= 255) {
		byte = (uint8_t)value;
		return put(t, &byte, 1, uval, usize, room);
	}
	return put(t, &value, sizeof(value), uval, usize, room);
}
