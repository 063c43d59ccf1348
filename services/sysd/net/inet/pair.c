/* Connections whose two ends are in this sandbox: what one end sends goes into the other's queue. netd keeps the state
 * (ports, TIME_WAIT, /proc/net/tcp) and is told of the ends without haste.
 *
 * What MSG_MORE or TCP_CORK holds back lies in the other's queue already, but is not shown to it: until it makes up a
 * segment, something is sent without the flag, or 200 ms are over, as tcp(7) has it. */
#include <errno.h>
#include <sys/epoll.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"

/* What may be under way without SO_SNDBUF and SO_RCVBUF: as much as automatic buffers grow to on Linux. */
#define SEND_ROOM (512u << 10)
#define RECV_ROOM (2u << 20)
#define TOTAL_SOFT (256ull << 20) /* beyond this in all, a connection gets less */
#define ROOM_WHEN_SHORT 65536u
/* What a full segment carries over loopback, and how long less than one may wait. */
#define SEGMENT 65483u
#define HOLD_NS (NSEC_PER_SEC / 5)

static void hold_over(struct ktimer *t)
{
	inet_pair_push(CONTAINER_OF(t, struct inet_sock, hold), false);
}

void inet_pair_init(struct inet_sock *k)
{
	ktimer_init(&k->hold, hold_over);
}

void inet_pair(struct inet_sock *a, struct inet_sock *b)
{
	a->paired = b->paired = true;
	a->pair = b;
	b->pair = a;
	/* Nothing is awaited any more, also when one of them had another life before (connect to AF_UNSPEC). */
	a->pair_index = b->pair_index = NET_SOCK_NONE;
	a->q.head = a->q.tail = b->q.head = b->q.tail = 0;
	a->held = b->held = 0;
	if (a->s.state == SS_CONNECTING)
		a->s.state = SS_ESTABLISHED;
	socket_wake_state(&a->s, EPOLLOUT);
}

uint64_t inet_pair_room(const struct inet_sock *k)
{
	uint64_t limit, used;

	if (!k->pair)
		return k->pair_index != NET_SOCK_NONE ? 0 : SEND_ROOM; /* nobody there: goes nowhere */
	limit = (k->sndbuf_set ? (uint64_t)k->s.sndbuf : SEND_ROOM) +
		(k->pair->rcvbuf_set ? (uint64_t)k->pair->s.rcvbuf : RECV_ROOM);
	if (byteq_total() > TOTAL_SOFT)
		limit = MIN(limit, ROOM_WHEN_SHORT);
	used = byteq_count(&k->pair->q);
	return limit > used ? limit - used : 0;
}

void inet_pair_push(struct inet_sock *k, bool more)
{
	struct inet_sock *peer = k->pair;
	uint64_t held;

	if (!peer)
		return;
	/* Without a timer nothing may be held. */
	held = more ? peer->held % SEGMENT : 0;
	if (held && k->hold.heap_index < 0 && ktimer_start(&k->hold, clock_mono_ns() + HOLD_NS))
		held = 0;
	if (!held)
		ktimer_cancel(&k->hold);
	if (held == peer->held && held)
		return;
	peer->held = held;
	socket_wake_read(&peer->s);
}

void inet_pair_tell(struct inet_sock *k, unsigned flags)
{
	struct net_msg *m;

	if (!k->attached)
		return;
	m = netd_msg(NET_PAIR);
	m->sock = k->index;
	m->flags = flags;
	m->value = k->pair_sent;
	m->value2 = k->pair_received;
	netd_tell(m, false);
}

static void both_ended(struct inet_sock *k)
{
	if (k->rx_end && k->s.shutdown & ABI_SHUT_WR_BIT)
		k->dead = true;
}

void inet_pair_shutdown(struct inet_sock *k)
{
	struct inet_sock *peer = k->pair;

	inet_pair_tell(k, NET_PAIR_FIN);
	inet_pair_push(k, false);
	both_ended(k);
	if (!peer)
		return;
	peer->rx_end = true;
	both_ended(peer);
	socket_wake_state(&peer->s, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | (peer->dead ? EPOLLHUP : 0));
}

void inet_pair_close(struct inet_sock *k, bool reset)
{
	struct inet_sock *peer = k->pair;
	bool finished = k->s.shutdown & ABI_SHUT_WR_BIT;

	if (reset || !finished)
		inet_pair_tell(k, reset ? NET_PAIR_RESET : NET_PAIR_FIN);
	inet_pair_push(k, false);
	k->pair = NULL;
	byteq_clear(&k->q);
	k->held = 0;
	if (!peer)
		return;
	peer->pair = NULL;
	if (!reset)
		peer->rx_end = true;
	if (reset) {
		/* RFC 793 and tcp_reset(): after a FIN the error is EPIPE. */
		peer->s.err = finished ? EPIPE : ECONNRESET;
		peer->s.shutdown = ABI_SHUT_MASK;
		peer->dead = true;
	}
	both_ended(peer);
	socket_wake_state(&peer->s, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP |
					    (reset ? EPOLLOUT | EPOLLERR | EPOLLHUP : 0) |
					    (peer->dead ? EPOLLHUP : 0));
}
