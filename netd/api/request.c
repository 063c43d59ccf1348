/* Requests about sockets. */
#include <netinet/in.h>
#include <string.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "netd/api/api.h"
#include "netd/core/netif.h"
#include "netd/ip/ip.h"
#include "netd/sock/sock.h"

static struct api_sock *find(struct api *a, uint32_t index)
{
	struct api_sock *k = index < NET_SOCKS_MAX ? a->socks[index] : NULL;

	return k && !k->closed && k->s ? k : NULL;
}

static void reply_sock(struct api_sock *k, uint32_t req, int error, uint32_t flags)
{
	static struct net_msg m;

	if (!req)
		return;
	memset(&m, 0, offsetof(struct net_msg, opts));
	m.kind = NET_REPLY;
	m.req = req;
	m.error = error;
	m.flags = flags;
	m.sock = k->index;
	m.peer = k->pair;
	if (k->s->local.addr.family)
		net_name_put(&m.local, &k->s->local);
	if (k->s->peer.addr.family)
		net_name_put(&m.remote, &k->s->peer);
	api_sock_place(k, &m);
	api_send(k->api, &m);
}

void api_connect_done(struct api_sock *k)
{
	uint32_t ready = k->s->ops->poll(k->s), req = k->connect_req;
	bool fresh = k->fresh;
	int err = k->s->err;

	k->connect_req = 0;
	k->fresh = false;
	if (k->pair != NET_SOCK_NONE) {
		reply_sock(k, req, 0, NET_DID_CONNECT | NET_DID_PAIR);
	} else if (err || (ready & NSOCK_HUP && !(ready & NSOCK_OUT))) {
		nsock_take_error(k->s);
		api_reply(k->api, req, err ? -err : -ECONNREFUSED);
		if (fresh) /* sysd never heard of it */
			api_sock_close(k, true);
	} else {
		reply_sock(k, req, 0, ready & NSOCK_OUT ? NET_DID_CONNECT : NET_DID_BEGIN);
	}
}

/* bind, connect, listen of one request; 1: the connection is under way, the reply comes later. */
static int act(struct api_sock *k, const struct net_msg *m)
{
	struct nsock_name name;
	struct nsock *s = k->s;
	int ret = 0;

	for (uint32_t i = 0; i < m->opt_count; i++) {
		const struct net_opt *o = &m->opts[i];

		ret = api_setopt(k, o->level, o->name, o->data, o->size);
		if (ret)
			log_debug("option %d/%d of a new socket: %s", o->level, o->name, strerror(-ret));
	}
	ret = 0;
	if ((m->flags & NET_DO_BIND && !s->ops->bind) ||
	    (m->flags & (NET_DO_CONNECT | NET_DO_DISCONNECT) && !s->ops->connect) ||
	    (m->flags & NET_DO_LISTEN && !s->ops->listen))
		return -EOPNOTSUPP;
	if (m->flags & NET_DO_BIND) {
		ret = net_name_get(&m->local, &name);
		if (!ret)
			ret = s->ops->bind(s, &name);
	}
	if (!ret && m->flags & NET_DO_DISCONNECT)
		ret = s->ops->connect(s, NULL);
	if (!ret && m->flags & NET_DO_CONNECT) {
		ret = net_name_get(&m->remote, &name);
		if (!ret)
			ret = s->ops->connect(s, &name);
		if (ret == -EINPROGRESS)
			ret = 1;
	}
	if (!ret && m->flags & NET_DO_LISTEN)
		ret = s->ops->listen ? s->ops->listen(s, (int)MIN(m->value, (uint64_t)INT32_MAX)) : -EOPNOTSUPP;
	return ret;
}

static void do_do(struct api *a, const struct net_msg *m)
{
	struct api_sock *k = NULL;
	bool fresh = m->sock == NET_SOCK_NONE;
	int ret;

	if (fresh) {
		struct api_space *sp = api_space_find(a, m->ns);

		ret = sp ? api_sock_new(sp, m, &k) : -ENONET;
	} else {
		k = find(a, m->sock);
		ret = k ? 0 : -EBADF;
	}
	if (ret) {
		api_reply(a, m->req, ret);
		return;
	}
	ret = act(k, m);
	if (ret > 0 && list_empty(&k->waiting)) {
		k->connect_req = m->req;
		k->fresh = fresh;
		list_add_tail(&a->connecting, &k->waiting);
	} else if (ret < 0 && fresh) {
		api_sock_close(k, true);
		api_reply(a, m->req, ret);
	} else if (ret < 0) {
		api_reply(a, m->req, ret);
	} else {
		reply_sock(k, m->req, 0, m->flags & NET_DO_CONNECT ? NET_DID_CONNECT : 0);
	}
}

/* What lay in the ring when the request came; not more, however fast sysd puts: a full ring of the smallest records. */
static void drain(struct api_sock *k)
{
	for (unsigned i = 0; i < 64 && !api_dgram_send(k); i++)
		;
}

static void do_setopt(struct api *a, struct api_sock *k, const struct net_msg *m)
{
	int ret = 0;

	/* sysd waits for the answer before it hands over more, so what lies there was sent before. */
	if (!k->stream)
		drain(k);
	for (uint32_t i = 0; i < m->opt_count && !ret; i++)
		ret = api_setopt(k, m->opts[i].level, m->opts[i].name, m->opts[i].data, m->opts[i].size);
	api_reply(a, m->req, ret);
}

static void do_getopt(struct api *a, struct api_sock *k, const struct net_msg *m)
{
	static uint8_t val[NET_OPT_SIZE_MAX * 8];
	uint32_t size = (uint32_t)MIN(m->value, sizeof(val));
	int ret = api_getopt(k, m->level, m->name, val, &size);

	api_reply_data(a, m->req, ret, val, ret ? 0 : MIN(size, (uint32_t)sizeof(val)), 0);
}

static void do_close(struct api *a, struct api_sock *k, const struct net_msg *m)
{
	/* What was handed over before the close is sent. */
	if (!k->stream && !(m->flags & NET_CLOSE_RESET))
		drain(k);
	k->close_req = m->req;
	api_sock_close(k, m->flags & NET_CLOSE_RESET);
	(void)a;
}

static void do_pair(struct api_sock *k, const struct net_msg *m)
{
	if (k->pair == NET_SOCK_NONE)
		return;
	nsock_pair_account(k->s, m->value, m->value2);
	if (m->flags & NET_PAIR_RESET)
		nsock_pair_reset(k->s);
	else if (m->flags & NET_PAIR_FIN)
		nsock_pair_shutdown(k->s);
}

/* May a datagram go there? As the first step of sendto: names the socket, and finds the errors that Linux reports at
 * once. */
static int route(struct api_sock *k, const struct net_msg *m, uint32_t *ret_flags)
{
	struct nsock *s = k->s;
	struct nsock_name to, from = {0};
	struct ip_flow f;
	struct ip_route r;
	int ret = net_name_get(&m->remote, &to);

	if (!ret && m->local.family)
		ret = net_name_get(&m->local, &from);
	if (ret)
		return ret;
	if (s->kind == NSOCK_PACKET)
		return netif_by_index(s->st, (int)m->remote.scope) ? 0 : -ENXIO;
	if (!s->local.port && (s->kind == NSOCK_UDP || s->kind == NSOCK_PING || s->kind == NSOCK_HOST)) {
		struct nsock_name any = {.addr.family = (uint16_t)s->family};

		ret = s->ops->bind(s, &any);
		if (ret)
			return ret;
	}
	if (s->kind == NSOCK_HOST) /* the rest the host's kernel says of the datagram */
		return to.addr.family == AF_INET && to.addr.v4 == INADDR_BROADCAST && !s->opt.broadcast ? -EACCES : 0;
	f = (struct ip_flow){.dst = to.addr,
			     .oif = m->value ? (int)m->value : s->opt.bound_if,
			     .tos = s->opt.tos,
			     .protocol = (uint8_t)s->protocol,
			     .mark = s->opt.mark};
	if (from.addr.family && !ip_addr_any(&from.addr))
		f.src = from.addr;
	else if (!ip_addr_any(&s->local.addr) && s->local.addr.family == to.addr.family)
		f.src = s->local.addr;
	if (!f.oif && ip_addr_multicast(&to.addr))
		f.oif = to.addr.family == AF_INET ? s->opt.mc_if : s->opt.mc_if6;
	if (!f.oif && to.addr.scope)
		f.oif = (int)to.addr.scope;
	ret = ip_route_lookup(s->st, &f, &r);
	if (ret)
		return ret;
	*ret_flags = (r.broadcast ? NET_ROUTE_BROADCAST : 0) | (r.local ? NET_ROUTE_LOCAL : 0);
	return r.broadcast && !s->opt.broadcast ? -EACCES : 0;
}

static void do_route(struct api_sock *k, const struct net_msg *m)
{
	uint32_t flags = 0;
	int ret = route(k, m, &flags);

	reply_sock(k, m->req, ret, flags);
}

static void on_socket(struct api *a, struct api_sock *k, const struct net_msg *m)
{
	switch (m->kind) {
	case NET_SETOPT: do_setopt(a, k, m); break;
	case NET_GETOPT: do_getopt(a, k, m); break;
	case NET_SHUTDOWN:
		if (k->pair == NET_SOCK_NONE && k->s->ops->shutdown)
			k->s->ops->shutdown(k->s, m->flags & NET_SHUT_RD, m->flags & NET_SHUT_WR);
		break;
	case NET_CLOSE: do_close(a, k, m); break;
	case NET_PAIR: do_pair(k, m); break;
	case NET_ROUTE: do_route(k, m); break;
	case NET_ACCEPTED: api_sock_accepted(k, m->inode); break;
	}
}

static void do_ns(struct api *a, const struct net_msg *m)
{
	struct api_space *sp = api_space_find(a, m->ns);

	if (m->flags & NET_NS_NEW) {
		if (sp) {
			api_reply(a, m->req, -EEXIST);
			return;
		}
		sp = calloc(1, sizeof(*sp));
		if (sp)
			sp->st = netstack_new(&a->env);
		if (!sp || !sp->st) {
			free(sp);
			api_reply(a, m->req, -ENOMEM);
			return;
		}
		sp->api = a;
		sp->id = m->ns;
		list_init(&sp->sockets);
		list_add_tail(&a->spaces, &sp->node);
		api_space_start(sp);
	} else if (m->flags & NET_NS_FREE && sp && sp->id != 1) {
		api_space_free(sp);
	}
	api_reply(a, m->req, 0);
}

void api_request(struct api *a, const struct net_msg *m)
{
	struct api_space *sp;
	struct api_sock *k;

	switch (m->kind) {
	case NET_DO:
		do_do(a, m);
		break;
	case NET_SETOPT:
	case NET_GETOPT:
	case NET_SHUTDOWN:
	case NET_CLOSE:
	case NET_PAIR:
	case NET_ROUTE:
	case NET_ACCEPTED:
		k = find(a, m->sock);
		if (k)
			on_socket(a, k, m);
		else
			api_reply(a, m->req, -EBADF);
		break;
	case NET_NS:
		do_ns(a, m);
		break;
	case NET_IOCTL:
	case NET_NETLINK:
	case NET_NLGROUPS:
	case NET_PROC:
	case NET_SYSCTL:
		sp = api_space_find(a, m->ns);
		if (sp)
			api_config_request(a, sp, m);
		else
			api_reply(a, m->req, -ENONET);
		break;
	default:
		log_warn("sysd sent message %u", m->kind);
	}
}
