/* UNIX sockets: making, pairing, shutting down, closing. */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/family.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/task/task.h"

static struct list all = LIST_INIT(all);

struct list *unix_all(void)
{
	return &all;
}

static const struct socket_ops *ops_of(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return &unix_stream_ops;
	case SOCK_SEQPACKET:
		return &unix_seqpacket_ops;
	default:
		return &unix_dgram_ops;
	}
}

static bool relay_wake(struct waitq_entry *e, uint32_t events)
{
	struct unix_sock *u = CONTAINER_OF(e, struct unix_sock, relay);

	(void)events;
	waitq_del(e);
	socket_wake_write(&u->s);
	return false;
}

void unix_relay_leave(struct unix_sock *u)
{
	waitq_del(&u->relay);
}

struct unix_sock *unix_new(struct task *t, struct net_ns *ns, int type, int protocol)
{
	struct unix_sock *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	socket_init(&u->s, ops_of(type), t, ns, AF_UNIX, type, protocol);
	list_init(&u->queue);
	list_init(&u->gc_node);
	list_add_tail(&all, &u->all_node);
	list_init(&u->relay.link);
	u->relay.func = relay_wake;
	waitq_init(&u->peer_wait);
	u->backlog = ns->unix_dgram_qlen;
	return u;
}

static int unix_create(struct task *t, struct net_ns *ns, int type, int protocol, struct socket **ret)
{
	struct unix_sock *u;

	if (protocol && protocol != PF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW) /* as Linux: BSD called it that */
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_new(t, ns, type, protocol);
	if (!u)
		return -ENOMEM;
	*ret = &u->s;
	return 0;
}

static const struct net_family unix_family = {.family = AF_UNIX, .create = unix_create};

__attribute__((constructor)) static void unix_register(void)
{
	net_family_register(&unix_family);
}

void unix_set_peer(struct unix_sock *u, struct unix_sock *peer)
{
	struct unix_sock *old = u->peer;

	unix_relay_leave(u);
	u->peer = peer ? unix_ref(peer) : NULL;
	unix_unref(old);
}

int unix_socketpair(struct socket *a, struct socket *b, struct task *t)
{
	unix_set_peer(unix_sk(a), unix_sk(b));
	unix_set_peer(unix_sk(b), unix_sk(a));
	socket_set_peer_cred(a, t->signal->pid, t->cred);
	socket_set_peer_cred(b, t->signal->pid, t->cred);
	a->state = b->state = SS_ESTABLISHED;
	return 0;
}

void unix_copy_name(const struct unix_sock *u, struct sock_addr *ret)
{
	if (u->addr) {
		ret->size = u->addr->size;
		ret->un = u->addr->un;
		ret->raw[sizeof(ret->un)] = 0; /* a path that fills it has its NUL behind */
	} else {
		ret->size = UNIX_PATH_OFF;
		ret->family = AF_UNIX;
	}
}

int unix_getname(struct socket *s, bool peer, struct sock_addr *ret)
{
	struct unix_sock *u = unix_sk(s);

	if (peer) {
		u = u->peer;
		if (!u)
			return -ENOTCONN;
	}
	unix_copy_name(u, ret);
	return 0;
}

int unix_shutdown(struct socket *s, unsigned how)
{
	struct unix_sock *peer = unix_sk(s)->peer;
	unsigned other = 0;

	s->shutdown |= how;
	socket_wake_state(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	if (!peer || s->type == SOCK_DGRAM)
		return 0;
	if (how & ABI_SHUT_RD_BIT)
		other |= ABI_SHUT_WR_BIT;
	if (how & ABI_SHUT_WR_BIT)
		other |= ABI_SHUT_RD_BIT;
	peer->s.shutdown |= other;
	socket_wake_state(&peer->s, EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					    (peer->s.shutdown == ABI_SHUT_MASK ? EPOLLHUP : 0));
	return 0;
}

int unix_option_changed(struct socket *s, int name)
{
	if (name == ABI_SO_SNDBUF)
		socket_wake_write(s);
	return 0;
}

long unix_ioctl(struct socket *s, struct task *t, unsigned cmd, uint64_t arg)
{
	struct unix_sock *u = unix_sk(s);
	int32_t value;

	switch (cmd) {
	case SIOCOUTQ:
		value = u->wmem;
		break;
	case SIOCINQ:
		if (s->state == SS_LISTEN)
			return -EINVAL;
		value = (int32_t)u->queue_bytes;
		if (s->type == SOCK_DGRAM)
			value = list_empty(&u->queue)
				    ? 0
				    : (int32_t)LIST_FIRST(&u->queue, struct unix_packet, node)->size;
		break;
	default:
		return -ENOTTY;
	}
	return user_put(t, value, arg);
}

/* What an ended stream connection tells its peer. */
static void hang_up(struct unix_sock *u, struct unix_sock *peer, bool unread)
{
	peer->s.shutdown = ABI_SHUT_MASK;
	if (unread)
		peer->s.err = ECONNRESET;
	socket_wake_state(&peer->s, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLERR | EPOLLRDHUP | EPOLLHUP);
	(void)u;
}

static void release_sock(struct unix_sock *u, bool embryo)
{
	struct unix_sock *peer = STEAL_PTR(u->peer);
	bool unread = !list_empty(&u->queue) || embryo;

	unix_ref(u);
	unix_relay_leave(u);
	u->s.shutdown = ABI_SHUT_MASK;
	u->s.state = SS_DEAD;
	unix_unbind(u);
	waitq_wake(&u->peer_wait, INT32_MAX, EPOLLOUT | EPOLLWRNORM | EPOLLERR);
	socket_wake_state(&u->s, EPOLLIN | EPOLLOUT | EPOLLHUP);
	if (peer) {
		if (u->s.type != SOCK_DGRAM && !unix_dead(peer))
			hang_up(u, peer, unread);
		unix_unref(peer);
	}
	while (!list_empty(&u->queue)) {
		struct unix_packet *p = LIST_FIRST(&u->queue, struct unix_packet, node);

		unix_packet_unqueue(u, p);
		if (p->conn)
			release_sock(p->conn, true);
		unix_packet_free(p);
	}
	unix_unref(u);
}

void unix_release(struct socket *s)
{
	release_sock(unix_sk(s), false);
	unix_gc();
}

void unix_free(struct socket *s)
{
	struct unix_sock *u = unix_sk(s);

	unix_relay_leave(u);
	unix_addr_unref(u->addr);
	list_del(&u->all_node);
	free(u);
}
