/* The endpoint in netd: making it, news of it, giving it up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/vfs/file.h"

static void tell_close(uint32_t index, bool reset)
{
	struct net_msg *m = netd_msg(NET_CLOSE);

	m->sock = index;
	m->flags = reset ? NET_CLOSE_RESET : 0;
	netd_tell(m, false);
}

void inet_adopt_rings(struct inet_sock *k, uint32_t index, const struct net_place *tx, const struct net_place *rx)
{
	uint8_t *arena = netd_arena();

	k->index = index;
	k->ctl = net_ctl(arena, index);
	k->seen_err = k->seen_grant = k->seen_urgent = k->urgent_sent = k->ready = 0;
	k->seen_tail = k->consumed = 0;
	bytering_attach(&k->tx, &k->ctl->tx, arena, NET_ARENA_SIZE, tx->off, tx->size);
	bytering_attach(&k->rx, &k->ctl->rx, arena, NET_ARENA_SIZE, rx->off, rx->size);
	k->attached = true;
	netd_attach(index, k);
}

/* Both ends of a connection within the sandbox are known when netd has said both: the child, and that the connect
 * is done. */
static void pair_up(struct inet_sock *k, uint32_t child_index)
{
	struct inet_sock *child = netd_sock(child_index);

	if (k->paired)
		return;
	if (child && child->paired && !child->pair && child->pair_index == k->index) {
		child->pair_index = NET_SOCK_NONE;
		inet_pair(k, child);
		socket_wake_write(&child->s);
	} else { /* the child is gone already */
		k->paired = k->dead = true;
		k->s.shutdown = ABI_SHUT_MASK;
		k->s.err = ECONNRESET;
	}
}

static void on_do(void *arg, const struct net_msg *m)
{
	struct inet_sock *k = arg;

	if (m && !k->attached) {
		if (m->sock >= NET_SOCKS_MAX || netd_sock(m->sock)) {
			k->s.err = EPROTO; /* netd lies */
		} else if (k->s.refs == 1) {
			tell_close(m->sock, true); /* closed while the request was under way */
			m = NULL;
		} else {
			inet_adopt_rings(k, m->sock, &m->tx, &m->rx);
		}
	} else if (m && m->sock < NET_SOCKS_MAX && !netd_sock(m->sock)) {
		/* A request whose caller was killed, and the one behind it, have both made one. */
		tell_close(m->sock, true);
		m = NULL;
	}
	if (m && k->attached && m->flags & NET_DID_PAIR && k->s.state == SS_CONNECTING)
		pair_up(k, m->peer);
	if (m && k->s.state == SS_CONNECTING && m->flags & NET_DID_CONNECT)
		k->s.state = SS_ESTABLISHED;
	socket_unref(&k->s);
}

static int do_locked(struct inet_sock *k, unsigned flags, const struct net_name *local, const struct net_name *remote,
		     int backlog, struct netd_reply *ret)
{
	struct netd_reply r = {0};
	int32_t store[NET_OPTS_MAX];
	struct net_msg *m;
	uint32_t ns;
	int err = netd_ns(k->s.ns, &ns);

	if (err)
		return err;
	if (!flags && k->attached)
		return 0;
	m = netd_msg(NET_DO);
	m->flags = flags;
	if (local)
		m->local = *local;
	if (remote)
		m->remote = *remote;
	m->value = (uint64_t)MAX(backlog, 0);
	if (k->attached) {
		m->sock = k->index;
	} else {
		m->ns = ns;
		m->family = (uint32_t)k->s.family;
		m->type = (uint32_t)k->s.type;
		m->protocol = (uint32_t)k->s.protocol;
		m->uid = k->s.uid;
		m->inode = inet_inode(k);
		inet_options_collect(k, m, store);
		/* It had a name in a netd that is no more. */
		if (k->bound && !(flags & NET_DO_BIND)) {
			m->flags |= NET_DO_BIND;
			m->local = k->local;
		}
		if (k->s.type != SOCK_STREAM && k->peer.family && !(flags & (NET_DO_CONNECT | NET_DO_DISCONNECT))) {
			m->flags |= NET_DO_CONNECT;
			m->remote = k->peer;
		}
	}
	socket_ref(&k->s);
	err = netd_call_hook(m, on_do, k, &r);
	if (err)
		return err;
	netd_reply_done(&r);
	if (!k->attached)
		return k->s.err ? socket_error(&k->s) : -ECONNRESET;
	if (r.local.family && k->s.family != AF_PACKET)
		k->local = r.local;
	if (ret)
		*ret = r;
	return 0;
}

int inet_do(struct inet_sock *k, unsigned flags, const struct net_name *local, const struct net_name *remote,
	    int backlog, struct netd_reply *ret)
{
	int err;

	kmutex_lock(&k->lock);
	err = do_locked(k, flags, local, remote, backlog, ret);
	kmutex_unlock(&k->lock);
	return err;
}

void inet_detach(struct inet_sock *k, bool reset)
{
	if (!k->attached)
		return;
	netd_detach(k->index);
	tell_close(k->index, reset);
	k->attached = false;
	k->ctl = NULL;
	k->index = NET_SOCK_NONE;
}

void inet_kick(struct inet_sock *k, bool urgent)
{
	if (k->attached)
		netd_kick(k->index, urgent);
}

/* ---- from netd ---------------------------------------------------------------------------------- */

static void wake(struct inet_sock *k, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI)) {
		socket_wake_state(&k->s, events);
		return;
	}
	if (events & EPOLLIN)
		socket_wake_read(&k->s);
	if (events & EPOLLOUT)
		socket_wake_write(&k->s);
}

static void take_grant(struct inet_sock *k)
{
	uint32_t count = __atomic_load_n(&k->ctl->grant_count, __ATOMIC_ACQUIRE);
	struct bytering_region old;

	if (count == k->seen_grant)
		return;
	bytering_settled(&k->tx, &old); /* netd takes it back by itself */
	if (!bytering_grow(&k->tx, __atomic_load_n(&k->ctl->grant_off, __ATOMIC_RELAXED),
			   __atomic_load_n(&k->ctl->grant_size, __ATOMIC_RELAXED)))
		return;
	k->seen_grant = count;
	__atomic_store_n(&k->ctl->want, 0, __ATOMIC_RELAXED);
}

static uint32_t take_urgent(struct inet_sock *k)
{
	uint32_t count = __atomic_load_n(&k->ctl->urgent_count, __ATOMIC_ACQUIRE);

	if (count == k->seen_urgent)
		return 0;
	k->seen_urgent = count;
	k->urgent_pos = __atomic_load_n(&k->ctl->urgent_pos, __ATOMIC_RELAXED);
	k->urgent_valid = k->urgent_pos >= k->rx.head;
	k->urgent_read = false;
	if (k->urgent_valid && k->s.file)
		file_sigurg(k->s.file);
	return k->urgent_valid ? EPOLLPRI : 0;
}

static uint32_t stream_event(struct inet_sock *k, uint32_t ready)
{
	uint32_t events = 0;

	take_grant(k);
	events |= take_urgent(k);
	if (k->s.state == SS_CONNECTING) {
		if (ready & NET_READY_OUT && !k->s.err) {
			k->s.state = SS_ESTABLISHED;
			events |= EPOLLOUT;
		} else if (k->s.err || ready & NET_READY_HUP) {
			k->s.state = SS_UNCONNECTED;
			k->s.shutdown = ABI_SHUT_MASK;
			k->report = REPORT_FAILED;
			events |= EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
		}
	}
	if (k->s.state != SS_ESTABLISHED || k->paired)
		return events;
	if (ready & NET_READY_HUP && !k->dead) {
		k->dead = true;
		k->s.shutdown = ABI_SHUT_MASK;
		events |= EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLRDHUP;
	}
	if (ready & ~k->ready & NET_READY_RDHUP)
		events |= EPOLLIN | EPOLLRDHUP;
	if (__atomic_load_n(&k->ctl->wants_out, __ATOMIC_RELAXED) && inet_stream_writable(k))
		events |= EPOLLOUT;
	return events;
}

void inet_sock_event(struct inet_sock *k)
{
	uint32_t ready = __atomic_load_n(&k->ctl->ready, __ATOMIC_ACQUIRE);
	uint32_t count = __atomic_load_n(&k->ctl->err_count, __ATOMIC_ACQUIRE), events = 0;

	if (count != k->seen_err) {
		uint32_t err = __atomic_load_n(&k->ctl->err, __ATOMIC_RELAXED);

		k->seen_err = count;
		/* Of a pair, sysd said so first. */
		if (!k->paired) {
			k->s.err = err && err < 4096 ? (int)err : EIO;
			events |= EPOLLERR | EPOLLIN | EPOLLOUT;
		}
	}
	if (k->s.type == SOCK_STREAM)
		events |= stream_event(k, ready);
	else
		events |= EPOLLOUT;
	if (!k->paired) {
		bytering_avail(&k->rx);
		if (k->rx.broken || k->tx.broken) {
			k->s.err = EPROTO;
			events |= EPOLLERR;
		}
		if (k->rx.tail != k->seen_tail) {
			k->seen_tail = k->rx.tail;
			events |= EPOLLIN;
		}
	}
	k->ready = ready;
	if (events)
		wake(k, events);
}

/* ---- netd's death and its successor ------------------------------------------------------------- */

static struct list orphans = LIST_INIT(orphans);

static void revive_one(struct inet_sock *k)
{
	bool listens = k->s.state == SS_LISTEN;
	int err;

	if (k->s.state == SS_DEAD || k->attached)
		return;
	err = inet_do(k, listens ? NET_DO_LISTEN : 0, NULL, NULL, k->backlog, NULL);
	if (err == -ENETDOWN || err == -ECONNRESET) {
		/* That one is gone too. */
		list_del(&k->revive);
		list_add_tail(&orphans, &k->revive);
	} else if (err && k->s.state != SS_DEAD) {
		log_warn("a socket lost its name with netd: %s", strerror(-err));
		k->s.err = -err;
		if (listens)
			k->s.state = SS_UNCONNECTED;
		socket_wake_state(&k->s, EPOLLIN | EPOLLOUT | EPOLLERR);
	}
}

static void revive_strand(void *arg)
{
	uint32_t epoch = netd_epoch();

	(void)arg;
	while (!list_empty(&orphans) && netd_arena() && netd_epoch() == epoch) {
		struct inet_sock *k = LIST_FIRST(&orphans, struct inet_sock, revive);

		list_del(&k->revive);
		socket_ref(&k->s);
		revive_one(k);
		socket_unref(&k->s);
	}
}

void inet_revive(void)
{
	if (!list_empty(&orphans) && sched_spawn(revive_strand, NULL))
		log_error("no memory to give sockets their names again");
}

static void drop_children(struct inet_sock *k)
{
	while (!list_empty(&k->accept_queue)) {
		struct inet_sock *child = LIST_FIRST(&k->accept_queue, struct inet_sock, accept_node);

		list_del(&child->accept_node);
		inet_sock_dead(child);
		child->s.state = SS_DEAD;
		socket_unref(&child->s);
	}
	k->accept_count = 0;
}

void inet_sock_dead(struct inet_sock *k)
{
	if (k->attached)
		netd_detach(k->index);
	k->attached = false;
	k->ctl = NULL;
	k->index = NET_SOCK_NONE;
	memset(k->routes, 0, sizeof(k->routes));
	if ((k->s.type != SOCK_STREAM && k->s.state != SS_DEAD) || k->s.state == SS_LISTEN) {
		/* A listener goes on with the next netd; who called it is reset. */
		drop_children(k);
		list_del(&k->revive);
		list_add_tail(&orphans, &k->revive);
		wake(k, EPOLLOUT);
		return;
	}
	if (k->s.state != SS_UNCONNECTED)
		k->s.err = ECONNRESET;
	if (k->s.state == SS_ESTABLISHED)
		k->dead = true;
	if (k->s.state == SS_CONNECTING)
		k->report = REPORT_FAILED;
	if (k->s.state != SS_ESTABLISHED)
		k->s.state = SS_UNCONNECTED;
	if (k->pair)
		k->pair->pair = NULL;
	k->pair = NULL;
	byteq_clear(&k->q);
	k->held = 0;
	k->held = 0;
	if (k->dead)
		k->s.shutdown = ABI_SHUT_MASK;
	wake(k, EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDHUP);
}

void inet_child(const struct net_msg *m)
{
	struct inet_sock *l = netd_sock(m->sock), *k, *client;

	if (m->peer >= NET_SOCKS_MAX || netd_sock(m->peer))
		return; /* netd lies */
	k = l && l->s.state == SS_LISTEN
		    ? inet_alloc(NULL, l->s.ns, &inet_stream_ops, l->s.family, SOCK_STREAM, l->s.protocol)
		    : NULL;
	if (!k) {
		tell_close(m->peer, true);
		return;
	}
	k->s.uid = l->s.uid;
	inet_options_inherit(k, l);
	inet_adopt_rings(k, m->peer, &m->tx, &m->rx);
	k->local = m->local;
	k->peer = m->remote;
	k->s.state = SS_ESTABLISHED;
	if (m->pair != NET_SOCK_NONE) {
		client = netd_sock(m->pair);
		k->paired = true;
		if (client && client != k && client->s.state == SS_CONNECTING && !client->paired &&
		    client->s.ns == k->s.ns)
			inet_pair(client, k);
		else
			k->pair_index = m->pair; /* the reply that names the client comes behind */
	}
	list_add_tail(&l->accept_queue, &k->accept_node);
	l->accept_count++;
	inet_sock_event(k);
	socket_wake_read(&l->s);
}

void inet_error_entry(const struct net_msg *m)
{
	struct inet_sock *k = netd_sock(m->sock);
	struct inet_error *e;
	uint32_t size = MIN(m->data_size, INET_ERROR_DATA_MAX);

	if (!k || k->error_count >= INET_ERRORS_MAX)
		return;
	e = malloc(sizeof(*e) + size);
	if (!e)
		return;
	*e = (struct inet_error){.err = (uint32_t)m->value & 0xfff,
				 .info = (uint32_t)m->value2,
				 .origin = (uint8_t)m->flags,
				 .type = (uint8_t)(m->flags >> 8),
				 .code = (uint8_t)(m->flags >> 16),
				 .offender = m->local,
				 .to = m->remote,
				 .size = size};
	memcpy(e->data, m->data, size);
	list_add_tail(&k->errors, &e->node);
	k->error_count++;
	wake(k, EPOLLERR);
}
