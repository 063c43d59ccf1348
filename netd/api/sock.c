/* Sockets: life, rings, readiness. */
#include <string.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "netd/api/api.h"
#include "netd/host/host.h"
#include "netd/sock/sock.h"
#include "netd/tcp/tcp.h"

#define STREAM_RX 65536u   /* the first window; grows when the connection turns out to be fast */
#define STREAM_TX 16384u
#define DGRAM_TX 262144u   /* holds the largest datagram */
#define DGRAM_RX 262144u
#define RING_MAX (8u << 20) /* tcp_rmem and tcp_wmem end below */

static const struct nsock_up api_up;

/* ---- rings -------------------------------------------------------------------------------------- */

static int make_rings(struct api_sock *k)
{
	struct arena *a = &k->api->arena;
	int ret;

	if (k->rx_place.size)
		return 0;
	ret = arena_get(a, k->stream ? STREAM_RX : DGRAM_RX, &k->rx_place);
	if (!ret)
		ret = arena_get(a, k->stream ? STREAM_TX : DGRAM_TX, &k->tx_place);
	if (ret) {
		arena_put(a, &k->rx_place, 0);
		return ret;
	}
	memset(&k->ctl->tx, 0, sizeof(k->ctl->tx));
	memset(&k->ctl->rx, 0, sizeof(k->ctl->rx));
	bytering_init(&k->rx, &k->ctl->rx, a->base, a->size, k->rx_place.off, k->rx_place.size, UINT64_MAX);
	bytering_init(&k->tx, &k->ctl->tx, a->base, a->size, k->tx_place.off, k->tx_place.size, UINT64_MAX);
	return 0;
}

static void free_rings(struct api_sock *k)
{
	struct arena *a = &k->api->arena;

	arena_put(a, &k->rx_old, UINT64_MAX);
	arena_put(a, &k->rx_place, k->rx.tail);
	arena_put(a, &k->tx_place, k->tx.head);
	arena_put(a, &k->tx_grant, UINT64_MAX);
}

/* Regions that were left behind go back. */
static void settle(struct api_sock *k)
{
	struct arena *a = &k->api->arena;
	struct bytering_region old;

	if (k->rx_old.size && bytering_settled(&k->rx, &old))
		arena_put(a, &k->rx_old, UINT64_MAX);
	if (k->tx_grant.size && k->tx.cur.base == a->base + k->tx_grant.off) {
		arena_put(a, &k->tx_place, UINT64_MAX);
		k->tx_place = k->tx_grant;
		k->tx_grant = (struct net_place){0, 0};
	}
}

static void grow_rx(struct api_sock *k, uint64_t size)
{
	struct arena *a = &k->api->arena;
	struct net_place p;

	settle(k);
	size = MIN(size, RING_MAX);
	if (k->rx_old.size || !k->rx_place.size || size <= k->rx_place.size || arena_get(a, size, &p))
		return;
	if (!bytering_grow(&k->rx, p.off, p.size)) {
		arena_put(a, &p, 0);
		return;
	}
	k->rx_old = k->rx_place;
	k->rx_place = p;
}

/* Gives sysd a larger region for what it sends; it takes it when it looks. */
static void grow_tx(struct api_sock *k, uint64_t size)
{
	struct arena *a = &k->api->arena;

	settle(k);
	size = MIN(size, RING_MAX);
	if (k->tx_grant.size || !k->tx_place.size || size <= k->tx_place.size || arena_get(a, size, &k->tx_grant))
		return;
	k->ctl->grant_off = k->tx_grant.off;
	k->ctl->grant_size = k->tx_grant.size;
	__atomic_add_fetch(&k->ctl->grant_count, 1, __ATOMIC_RELEASE);
	api_sock_dirty(k, NSOCK_OUT);
}

void api_sock_buffers(struct api_sock *k)
{
	if (!k->stream && k->s->opt.rcvbuf_locked)
		grow_rx(k, (uint64_t)k->s->opt.rcvbuf);
}

void api_sock_place(struct api_sock *k, struct net_msg *m)
{
	m->tx = k->tx_place;
	m->rx = k->rx_place;
}

/* ---- life --------------------------------------------------------------------------------------- */

static struct api_sock *sock_alloc(struct api_space *sp)
{
	struct api_sock *k = calloc(1, sizeof(*k));
	int64_t index;

	if (!k)
		return NULL;
	index = arena_get_ctl(&sp->api->arena);
	if (index < 0) {
		free(k);
		return NULL;
	}
	k->api = sp->api;
	k->space = sp;
	k->index = (uint32_t)index;
	k->ctl = net_ctl(sp->api->arena.base, k->index);
	k->listener = k->pair = NET_SOCK_NONE;
	list_init(&k->dirty);
	list_init(&k->waiting);
	list_init(&k->busy);
	list_add_tail(&sp->sockets, &k->in_space);
	sp->api->socks[k->index] = k;
	return k;
}

static void sock_free(struct api_sock *k)
{
	free_rings(k);
	list_del(&k->dirty);
	list_del(&k->waiting);
	list_del(&k->busy);
	list_del(&k->in_space);
	k->api->socks[k->index] = NULL;
	arena_put_ctl(&k->api->arena, k->index);
	free(k);
}

static int endpoint_new(struct api_sock *k, const struct net_msg *m)
{
	struct netstack *st = k->space->st;
	int family = (int)m->family, protocol = (int)m->protocol;

	if (family == AF_PACKET && (m->type == SOCK_RAW || m->type == SOCK_DGRAM))
		return packet_create(st, (int)m->type, (uint16_t)protocol, &api_up, k, &k->s);
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	if (k->api->host && k->space->id == 1) {
		k->stream = m->type == SOCK_STREAM;
		return host_sock_create(k->api->host, st, family, (int)m->type, protocol, &api_up, k, &k->s);
	}
	switch (m->type) {
	case SOCK_STREAM:
		k->stream = true;
		return tcp_create(st, family, &api_up, k, &k->s);
	case SOCK_DGRAM:
		if (protocol == 17 || protocol == 136)
			return udp_create(st, family, protocol == 136, &api_up, k, &k->s);
		if (protocol == (family == AF_INET ? 1 : 58))
			return ping_create(st, family, &api_up, k, &k->s);
		return -EPROTONOSUPPORT;
	case SOCK_RAW:
		return raw_create(st, family, protocol, &api_up, k, &k->s);
	default:
		return -ESOCKTNOSUPPORT;
	}
}

int api_sock_new(struct api_space *sp, const struct net_msg *m, struct api_sock **ret)
{
	struct api_sock *k = sock_alloc(sp);
	int err;

	if (!k)
		return -ENOBUFS;
	k->told = true;
	err = endpoint_new(k, m);
	if (!err) {
		k->s->opt.uid = m->uid;
		k->s->opt.inode = m->inode;
		/* A listener needs none, but which it will be is not known yet, and untouched rings cost nothing. */
		err = make_rings(k);
		if (!err && k->stream)
			nsock_set_rings(k->s, &k->tx, &k->rx);
		if (err)
			api_sock_close(k, true);
	} else {
		sock_free(k);
	}
	if (!err)
		*ret = k;
	return err;
}

void api_sock_accepted(struct api_sock *k, uint64_t inode)
{
	struct api_sock *l = k->listener < NET_SOCKS_MAX ? k->api->socks[k->listener] : NULL;
	struct nsock *child;

	/* Both queues are first in, first out. */
	if (l && l->s && !l->closed && l->s->ops->accept)
		l->s->ops->accept(l->s, &child);
	k->listener = NET_SOCK_NONE;
	k->s->opt.inode = inode;
}

void api_sock_close(struct api_sock *k, bool reset)
{
	k->closed = true;
	list_del(&k->dirty);
	list_del(&k->waiting);
	list_del(&k->busy);
	nsock_close(k->s, reset);
}

void api_sock_forget(struct api_sock *k)
{
	sock_free(k);
}

static void up_done(struct nsock *s)
{
	struct api_sock *k = s->owner;

	k->s = NULL;
	if (k->close_req)
		api_reply(k->api, k->close_req, 0);
	sock_free(k);
}

/* ---- what the stack says ------------------------------------------------------------------------ */

void api_sock_dirty(struct api_sock *k, uint32_t events)
{
	k->events |= events;
	if (list_empty(&k->dirty) && !k->closed)
		list_add_tail(&k->api->dirty, &k->dirty);
}

static void up_event(struct nsock *s, uint32_t mask)
{
	api_sock_dirty(s->owner, mask);
}

static void *up_adopt(struct nsock *listener, struct nsock *child, struct bytering **ret_tx,
		      struct bytering **ret_rx)
{
	struct api_sock *l = listener->owner, *k = sock_alloc(l->space);

	if (!k)
		return NULL;
	k->s = child;
	k->stream = true;
	k->listener = l->index;
	if (make_rings(k)) {
		sock_free(k);
		return NULL;
	}
	child->opt.inode = 0; /* it has none before it is accepted */
	*ret_tx = &k->tx;
	*ret_rx = &k->rx;
	list_add_tail(&k->api->children, &k->waiting);
	return k;
}

static bool up_paired(struct nsock *a, struct nsock *b)
{
	struct api_sock *x = a->owner, *y = b->owner;

	/* sysd learns it with the connection: later there may be bytes in the rings. */
	if (!x || !y || x->closed || y->closed || x->told == y->told || x->space != y->space)
		return false;
	x->pair = y->index;
	y->pair = x->index;
	return true;
}

static void up_grow(struct nsock *s, bool tx, uint64_t size)
{
	struct api_sock *k = s->owner;

	if (tx)
		grow_tx(k, size);
	else
		grow_rx(k, size);
}

static const struct nsock_up api_up = {
	.event = up_event,
	.deliver = api_dgram_deliver,
	.paired = up_paired,
	.adopt = up_adopt,
	.grow = up_grow,
	.done = up_done,
};

/* ---- to and from sysd --------------------------------------------------------------------------- */

void api_child_tell(struct api_sock *k)
{
	static struct net_msg m;

	memset(&m, 0, offsetof(struct net_msg, opts));
	m.kind = NET_CHILD;
	m.sock = k->listener;
	m.peer = k->index;
	m.pair = k->pair;
	net_name_put(&m.local, &k->s->local);
	net_name_put(&m.remote, &k->s->peer);
	api_sock_place(k, &m);
	k->told = true;
	api_send(k->api, &m);
}

static void publish_urgent(struct api_sock *k, bool *ret_news)
{
	uint64_t pos;
	bool here;

	if (k->s->kind != NSOCK_TCP || !tcp_urgent(k->s, &pos, &here) || (k->urgent_told && pos == k->urgent_pos))
		return;
	k->urgent_told = true;
	k->urgent_pos = pos;
	k->ctl->urgent_pos = pos;
	__atomic_add_fetch(&k->ctl->urgent_count, 1, __ATOMIC_RELEASE);
	*ret_news = true;
}

void api_sock_publish(struct api_sock *k)
{
	uint32_t ready = k->s->ops->poll(k->s), events = k->events;
	bool news = false;

	k->events = 0;
	settle(k);
	if (k->s->err) {
		k->ctl->err = (uint32_t)nsock_take_error(k->s);
		__atomic_add_fetch(&k->ctl->err_count, 1, __ATOMIC_RELEASE);
		news = true;
	}
	if (events & NSOCK_PRI)
		publish_urgent(k, &news);
	if (ready != k->ctl->ready) {
		/* Room in tx is sysd's own to see; it asks to be told when it waits for some. */
		news |= (ready ^ k->ctl->ready) & ~NSOCK_OUT;
		__atomic_store_n(&k->ctl->ready, ready, __ATOMIC_RELEASE);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* that a connection is there is news without anybody waiting for room */
	if (ready & NSOCK_OUT && !k->open_told)
		k->open_told = news = true;
	if (events & NSOCK_OUT)
		news |= !k->stream || __atomic_load_n(&k->ctl->wants_out, __ATOMIC_RELAXED);
	if (events & ~NSOCK_OUT)
		news = true;
	if (news && net_event_put(&k->api->out, &k->ctl->event_pending, k->index))
		k->api->news = true;
}

void api_sock_kick(struct api_sock *k)
{
	uint32_t urgent, want;

	if (k->closed)
		return;
	if (!k->stream) {
		if (!api_dgram_send(k) && list_empty(&k->busy))
			list_add_tail(&k->api->busy, &k->busy);
		return;
	}
	if (k->pair != NET_SOCK_NONE)
		return;
	urgent = __atomic_load_n(&k->ctl->urgent, __ATOMIC_ACQUIRE);
	if (urgent != k->urgent_sent) {
		k->urgent_sent = urgent;
		if (k->s->ops->tx_urgent)
			k->s->ops->tx_urgent(k->s);
	}
	want = __atomic_load_n(&k->ctl->want, __ATOMIC_ACQUIRE);
	if (want > REGION_MIN_SHIFT && want <= REGION_MAX_SHIFT)
		grow_tx(k, 1ull << want);
	settle(k);
	k->s->ops->tx_ready(k->s, __atomic_load_n(&k->ctl->more, __ATOMIC_RELAXED));
	k->s->ops->rx_consumed(k->s);
}
