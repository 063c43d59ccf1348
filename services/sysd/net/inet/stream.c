/* Bytes over TCP connections: sending, receiving, shutting down, readiness, closing. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/poll.h"

#define TX_MAX (4u << 20) /* net.ipv4.tcp_wmem */
#define CM_INQ 36         /* TCP_CM_INQ */

/* ---- the two carriers: rings of netd, or the queues of a pair ----------------------------------- */

uint64_t inet_stream_pos(const struct inet_sock *k)
{
	return k->paired ? k->q.head : k->rx.head;
}

uint64_t inet_stream_unread(struct inet_sock *k)
{
	if (k->paired)
		return byteq_count(&k->q) - k->held;
	return k->ctl ? bytering_avail(&k->rx) : 0;
}

uint64_t inet_stream_unsent(struct inet_sock *k)
{
	if (k->paired)
		return k->pair ? k->pair->held : 0;
	if (!k->ctl)
		return 0;
	bytering_room(&k->tx);
	return k->tx.tail - k->tx.head;
}

/* Is the byte at the read position the urgent one? */
static bool at_mark(const struct inet_sock *k)
{
	return k->urgent_valid && inet_stream_pos(k) == k->urgent_pos;
}

uint64_t inet_stream_avail(struct inet_sock *k)
{
	uint64_t n = inet_stream_unread(k), pos = inet_stream_pos(k);

	if (k->urgent_valid && k->urgent_pos > pos)
		n = MIN(n, k->urgent_pos - pos);
	return n;
}

static bool received_end(struct inet_sock *k)
{
	if (k->paired)
		return k->rx_end && !byteq_count(&k->q);
	return k->ctl && bytering_finished(&k->rx);
}

/* Has the other end finished, read or not? */
static bool peer_finished(const struct inet_sock *k)
{
	return k->dead || (k->paired ? k->rx_end : k->ready & NET_READY_RDHUP);
}

static ssize_t copy_out(struct inet_sock *k, uint64_t off, struct uio *u, size_t size)
{
	struct iovec iov[2];
	size_t n, done = 0;

	if (k->paired)
		return byteq_copy(&k->q, off, u, size);
	n = bytering_peek(&k->rx, k->rx.head + off, size, iov);
	for (unsigned i = 0; i < 2 && done < n; i++) {
		ssize_t got = uio_copy_to(u, iov[i].iov_base, iov[i].iov_len);

		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	return (ssize_t)done;
}

static void take(struct inet_sock *k, size_t size)
{
	if (k->paired) {
		byteq_drop(&k->q, size);
		k->pair_received += size;
		if (k->pair && k->pair->wants_room && inet_stream_writable(k->pair)) {
			k->pair->wants_room = false;
			socket_wake_write(&k->pair->s);
		}
	} else if (k->ctl) {
		struct bytering_region old; /* netd's own business */

		bytering_take(&k->rx, size, &old);
		k->consumed += size;
		if (k->consumed >= k->rx.cur.size / 8) {
			inet_kick(k, k->consumed >= k->rx.cur.size / 2);
			k->consumed = 0;
		}
	}
	if (k->urgent_valid && inet_stream_pos(k) > k->urgent_pos)
		k->urgent_valid = false;
}

static uint64_t tx_limit(const struct inet_sock *k)
{
	return k->sndbuf_set ? (uint64_t)k->s.sndbuf : TX_MAX;
}

/* Room to send. In a ring that is full and may become larger, more is asked for. */
static uint64_t room(struct inet_sock *k)
{
	uint64_t n, used, limit;

	if (k->paired)
		return inet_pair_room(k);
	if (!k->ctl)
		return 0;
	limit = tx_limit(k);
	n = bytering_room(&k->tx);
	used = k->tx.tail - k->tx.head;
	if (n < k->tx.cur.size / 2 && !k->tx.next.base && k->tx.cur.size < limit &&
	    !__atomic_load_n(&k->ctl->want, __ATOMIC_RELAXED)) {
		uint64_t want = MIN(k->tx.cur.size * 4, limit);

		__atomic_store_n(&k->ctl->want, 63u - (unsigned)__builtin_clzll(want), __ATOMIC_RELEASE);
		inet_kick(k, false);
	}
	return used < limit ? MIN(n, limit - used) : 0;
}

bool inet_stream_writable(struct inet_sock *k)
{
	uint64_t n = room(k), used;

	if (k->paired)
		used = k->pair ? byteq_count(&k->pair->q) : 0;
	else
		used = k->tx.tail - k->tx.head;
	return n && n >= used / 2;
}

/* Says that somebody waits for room. True: there is some after all. */
static bool want_room(struct inet_sock *k)
{
	if (k->paired) {
		k->wants_room = true;
		return inet_stream_writable(k);
	}
	if (!k->ctl)
		return true;
	__atomic_store_n(&k->ctl->wants_out, 1, __ATOMIC_SEQ_CST);
	if (!inet_stream_writable(k))
		return false;
	__atomic_store_n(&k->ctl->wants_out, 0, __ATOMIC_RELAXED);
	return true;
}

static ssize_t copy_in(struct inet_sock *k, struct uio *u, size_t size)
{
	struct iovec iov[2];
	size_t n, done = 0;

	if (k->paired) {
		ssize_t got;

		if (!k->pair) { /* it closed: what comes now is answered by a reset */
			uio_advance(u, size);
			k->s.err = EPIPE;
			k->s.shutdown = ABI_SHUT_MASK;
			k->dead = true;
			socket_wake_state(&k->s, EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP);
			return (ssize_t)size;
		}
		if (k->pair->s.shutdown & ABI_SHUT_RD_BIT && k->pair->dead) {
			uio_advance(u, size);
			return (ssize_t)size;
		}
		got = byteq_write(&k->pair->q, u, size);
		if (got > 0) {
			k->pair_sent += (uint64_t)got;
			k->pair->held += (uint64_t)got; /* until it is pushed */
		}
		return got;
	}
	n = bytering_reserve(&k->tx, size, iov);
	for (unsigned i = 0; i < 2 && done < n; i++) {
		ssize_t got = uio_copy_from(u, iov[i].iov_base, iov[i].iov_len);

		if (got < 0) {
			if (!done)
				return got;
			break;
		}
		done += (size_t)got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	bytering_put(&k->tx, done);
	return (ssize_t)done;
}

/* After bytes were put: the other side learns of it. */
static void push(struct inet_sock *k, unsigned flags, bool last)
{
	struct inet_sock *peer = k->pair;
	bool urgent = last && flags & MSG_OOB;

	if (k->paired) {
		if (!peer)
			return;
		if (urgent) {
			peer->urgent_pos = peer->q.tail - 1;
			peer->urgent_valid = true;
			peer->urgent_read = false;
			if (peer->s.file)
				file_sigurg(peer->s.file);
			inet_pair_push(k, false);
			socket_wake_state(&peer->s, EPOLLIN | EPOLLPRI);
		} else {
			inet_pair_push(k, flags & MSG_MORE || inet_opt(k, OPT_TCP_CORK));
		}
		return;
	}
	if (!k->ctl)
		return;
	if (urgent)
		__atomic_store_n(&k->ctl->urgent, ++k->urgent_sent, __ATOMIC_RELEASE);
	__atomic_store_n(&k->ctl->more, flags & MSG_MORE ? 1 : 0, __ATOMIC_RELAXED);
	inet_kick(k, true);
}

/* ---- sending ------------------------------------------------------------------------------------ */

static bool send_over(const struct inet_sock *k)
{
	return k->s.err || k->s.shutdown & ABI_SHUT_WR_BIT || k->s.state != SS_ESTABLISHED ||
	       (!k->paired && !k->ctl);
}

static int wait_room(struct inet_sock *k, uint64_t deadline_ns)
{
	int err;

	if (want_room(k))
		return 0;
	if (k->paired)
		inet_pair_push(k, false); /* who waits for room must not keep what could make it */
	if (!deadline_ns)
		return -EAGAIN;
	err = WAIT_EVENT_INTR_TIMEOUT(&k->s.wait, send_over(k) || want_room(k), deadline_ns);
	return err ? socket_wait_error(err, deadline_ns) : 0;
}

static ssize_t send_bytes(struct inet_sock *k, struct sock_msg *m, unsigned flags, uint64_t deadline_ns)
{
	size_t sent = 0;
	int err = 0;

	while (m->u.resid) {
		size_t n;
		ssize_t got;

		if (send_over(k)) {
			err = -EPIPE;
			break;
		}
		n = (size_t)MIN(room(k), (uint64_t)m->u.resid);
		if (!n) {
			err = wait_room(k, deadline_ns);
			if (err)
				break;
			continue;
		}
		got = copy_in(k, &m->u, n);
		if (got < 0) {
			err = (int)got;
			break;
		}
		sent += (size_t)got;
		push(k, flags, !m->u.resid);
		if ((size_t)got < n)
			break;
	}
	return sent ? (ssize_t)sent : err;
}

ssize_t inet_stream_send(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_snd_deadline(s, flags & MSG_DONTWAIT);
	struct inet_sock *k = inet_sk(s);
	ssize_t ret = 0;

	if (flags & MSG_FASTOPEN && s->state == SS_UNCONNECTED) {
		if (!m->name.size)
			return -EINVAL;
		ret = inet_stream_connect(s, t, &m->name, flags & MSG_DONTWAIT);
		if (ret && !(ret == -EINPROGRESS && s->state == SS_ESTABLISHED))
			return ret;
		ret = 0;
	}
	if (s->state == SS_CONNECTING) {
		if (!deadline_ns)
			return -EAGAIN;
		ret = inet_wait_connect(k, deadline_ns);
		if (ret)
			return socket_wait_error((int)ret, deadline_ns);
	}
	if (send_over(k))
		ret = -EPIPE;
	else
		ret = send_bytes(k, m, flags, deadline_ns);
	if (ret == -EPIPE) {
		int err = socket_error(s);

		ret = err ? err : -EPIPE;
		if (ret == -EPIPE && !(flags & MSG_NOSIGNAL))
			signal_pipe(t);
	}
	return ret;
}

/* ---- receiving ---------------------------------------------------------------------------------- */

static ssize_t recv_urgent(struct inet_sock *k, struct sock_msg *m, unsigned flags)
{
	uint64_t pos = inet_stream_pos(k);

	if (k->s.oobinline || !k->urgent_valid || k->urgent_read)
		return -EINVAL;
	if (k->s.state != SS_ESTABLISHED)
		return -ENOTCONN;
	if (k->urgent_pos - pos >= inet_stream_unread(k)) /* announced, not here yet */
		return k->dead || k->s.shutdown & ABI_SHUT_RD_BIT ? 0 : -EAGAIN;
	if (!m->u.resid) {
		m->out_flags |= MSG_OOB | MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC)) {
		ssize_t n = copy_out(k, k->urgent_pos - pos, &m->u, 1);

		if (n < 0)
			return n;
	}
	m->out_flags |= MSG_OOB;
	if (!(flags & MSG_PEEK))
		k->urgent_read = true;
	return 1;
}

static bool recv_ready(struct inet_sock *k)
{
	return inet_stream_unread(k) || received_end(k) || k->s.err || k->s.shutdown & ABI_SHUT_RD_BIT ||
	       (k->s.state != SS_ESTABLISHED && k->s.state != SS_CONNECTING);
}

/* Nothing was read so far and nothing is there: 0 (the end), an error, or 1: wait. */
static int recv_idle(struct inet_sock *k, uint64_t deadline_ns)
{
	if (k->s.state == SS_ESTABLISHED && received_end(k))
		return 0;
	if (k->s.err)
		return socket_error(&k->s);
	if (k->s.shutdown & ABI_SHUT_RD_BIT)
		return 0;
	if (k->s.state != SS_ESTABLISHED && k->s.state != SS_CONNECTING)
		return -ENOTCONN;
	return deadline_ns ? 1 : -EAGAIN;
}

struct reading {
	size_t copied;
	uint64_t peek;   /* offset of the next byte when peeking */
	bool peeking, discard;
};

/* Moves what is there, up to the urgent mark: the count, 0 nothing there, -EFAULT. */
static ssize_t read_some(struct inet_sock *k, struct sock_msg *m, struct reading *r)
{
	uint64_t avail = inet_stream_unread(k), pos = inet_stream_pos(k) + r->peek;
	size_t n;
	ssize_t got;

	if (avail <= r->peek)
		return 0;
	avail -= r->peek;
	if (k->urgent_valid && k->urgent_pos == pos && !k->s.oobinline) {
		/* the byte is read by MSG_OOB alone */
		if (r->peeking)
			r->peek++;
		else
			take(k, 1);
		return read_some(k, m, r);
	}
	if (k->urgent_valid && k->urgent_pos > pos)
		avail = MIN(avail, k->urgent_pos - pos);
	n = (size_t)MIN(avail, (uint64_t)m->u.resid);
	if (r->discard) {
		uio_advance(&m->u, n);
		got = (ssize_t)n;
	} else {
		got = copy_out(k, r->peek, &m->u, n);
	}
	if (got <= 0)
		return got;
	if (r->peeking)
		r->peek += (uint64_t)got;
	else
		take(k, (size_t)got);
	r->copied += (size_t)got;
	return got;
}

static ssize_t recv_bytes(struct inet_sock *k, struct sock_msg *m, unsigned flags, uint64_t deadline_ns)
{
	struct reading r = {.peeking = flags & MSG_PEEK, .discard = flags & MSG_TRUNC};
	size_t target = flags & MSG_WAITALL ? m->u.resid : MIN((size_t)k->s.rcvlowat, m->u.resid);
	ssize_t n;
	int err = 0;

	target = MAX(target, (size_t)1);
	if (r.peeking && k->s.peek_off >= 0)
		r.peek = (uint64_t)k->s.peek_off;
	while (m->u.resid) {
		if (r.copied && at_mark(k) && !r.peeking)
			break;
		n = read_some(k, m, &r);
		if (n < 0) {
			err = (int)n;
			break;
		}
		if (n)
			continue;
		if (r.copied >= target)
			break;
		if (r.copied) {
			if (k->s.err || received_end(k) || k->s.shutdown & ABI_SHUT_RD_BIT || !deadline_ns)
				break;
		} else {
			err = recv_idle(k, deadline_ns);
			if (err <= 0)
				break;
		}
		if (r.peeking && inet_stream_unread(k)) {
			/* Peeking for more than there is: wait until something changes. */
			uint64_t had = inet_stream_unread(k);

			err = WAIT_EVENT_INTR_TIMEOUT(&k->s.wait,
						      inet_stream_unread(k) != had || received_end(k) || k->s.err,
						      deadline_ns);
		} else {
			err = WAIT_EVENT_INTR_TIMEOUT(&k->s.wait, recv_ready(k), deadline_ns);
		}
		if (err) {
			err = socket_wait_error(err, deadline_ns);
			break;
		}
	}
	if (r.peeking && k->s.peek_off >= 0)
		k->s.peek_off += (int)r.copied;
	else if (k->s.peek_off > 0)
		k->s.peek_off = MAX(k->s.peek_off - (int)r.copied, 0);
	return r.copied ? (ssize_t)r.copied : err;
}

ssize_t inet_stream_recv(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_rcv_deadline(s, flags & MSG_DONTWAIT);
	struct inet_sock *k = inet_sk(s);
	ssize_t n;

	(void)t;
	if (flags & MSG_ERRQUEUE)
		return inet_recv_error(k, m, flags);
	if (s->state == SS_LISTEN)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return recv_urgent(k, m, flags);
	if (!m->u.resid) /* Linux looks at the state first all the same */
		return s->state == SS_UNCONNECTED && !k->dead ? -ENOTCONN : 0;
	n = recv_bytes(k, m, flags, deadline_ns);
	if (n >= 0 && inet_opt(k, OPT_TCP_INQ)) {
		int32_t left = (int32_t)MIN(inet_stream_unread(k), (uint64_t)INT32_MAX);

		sock_put_cmsg(m, SOL_TCP, CM_INQ, &left, sizeof(left));
	}
	return n;
}

/* ---- shutdown, readiness, close ----------------------------------------------------------------- */

static void drop_listener(struct inet_sock *k)
{
	while (!list_empty(&k->accept_queue)) {
		struct inet_sock *child = LIST_FIRST(&k->accept_queue, struct inet_sock, accept_node);

		list_del(&child->accept_node);
		inet_installed(&child->s); /* out of netd's queue */
		child->s.linger = (struct abi_linger){1, 0};
		inet_stream_release(&child->s);
		socket_unref(&child->s);
	}
	k->accept_count = 0;
}

int inet_stream_shutdown(struct socket *s, unsigned how)
{
	struct inet_sock *k = inet_sk(s);
	struct net_msg *m;

	if (s->state == SS_UNCONNECTED || (s->state == SS_ESTABLISHED && k->dead)) {
		s->shutdown |= how; /* wakes whoever waits, as on Linux */
		socket_wake_state(s, EPOLLIN | EPOLLOUT | EPOLLHUP);
		return -ENOTCONN;
	}
	if (s->state == SS_LISTEN || s->state == SS_CONNECTING) {
		if (s->state == SS_LISTEN && !(how & ABI_SHUT_RD_BIT))
			return 0;
		drop_listener(k);
		s->state = SS_UNCONNECTED;
		inet_detach(k, true);
		socket_wake_state(s, EPOLLIN | EPOLLOUT | EPOLLHUP);
		return 0;
	}
	if (how & ABI_SHUT_WR_BIT && !(s->shutdown & ABI_SHUT_WR_BIT)) {
		s->shutdown |= how;
		if (k->paired) {
			inet_pair_shutdown(k);
		} else if (k->ctl) {
			bytering_finish(&k->tx);
			m = netd_msg(NET_SHUTDOWN);
			m->sock = k->index;
			m->flags = NET_SHUT_WR;
			netd_tell(m, true);
		}
	}
	s->shutdown |= how;
	socket_wake_state(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	return 0;
}

uint32_t inet_stream_poll(struct socket *s, struct poll_table *pt)
{
	struct inet_sock *k = inet_sk(s);
	unsigned shutdown = s->shutdown;
	uint32_t mask = 0;

	poll_wait(pt, &s->wait);
	if (s->state == SS_LISTEN)
		return list_empty(&k->accept_queue) ? 0 : EPOLLIN | EPOLLRDNORM;
	if (s->state == SS_ESTABLISHED && peer_finished(k))
		shutdown |= ABI_SHUT_RD_BIT;
	if (shutdown == ABI_SHUT_MASK || s->state == SS_UNCONNECTED || k->dead)
		mask |= EPOLLHUP;
	if (shutdown & ABI_SHUT_RD_BIT)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (s->state != SS_CONNECTING) {
		uint64_t avail = inet_stream_unread(k);

		if (k->urgent_valid && !k->urgent_read) {
			mask |= EPOLLPRI;
			if (at_mark(k) && !s->oobinline && avail)
				avail--;
		}
		if (avail && avail >= (uint64_t)s->rcvlowat)
			mask |= EPOLLIN | EPOLLRDNORM;
		if (s->state != SS_ESTABLISHED || shutdown & ABI_SHUT_WR_BIT || inet_stream_writable(k) || want_room(k))
			mask |= EPOLLOUT | EPOLLWRNORM;
	}
	if (s->err || k->error_count)
		mask |= EPOLLERR;
	return mask;
}

/* SO_LINGER: until everything is acknowledged, or the time is over. */
static void linger(struct inet_sock *k)
{
	uint64_t deadline = clock_mono_ns() + (uint64_t)k->s.linger.linger * NSEC_PER_SEC;

	__atomic_store_n(&k->ctl->wants_out, 1, __ATOMIC_SEQ_CST);
	(void)WAIT_EVENT_INTR_TIMEOUT(&k->s.wait, !k->ctl || k->s.err || k->dead || !inet_stream_unsent(k), deadline);
}

void inet_stream_release(struct socket *s)
{
	struct inet_sock *k = inet_sk(s);
	bool reset = false;

	/* Also where listen(2) failed: netd may have told of connections before it said so. */
	drop_listener(k);
	if (s->state == SS_ESTABLISHED) {
		reset = inet_stream_unread(k) || (s->linger.onoff && !s->linger.linger);
		if (!k->paired && k->ctl && !reset) {
			if (!(s->shutdown & ABI_SHUT_WR_BIT)) {
				struct net_msg *m = netd_msg(NET_SHUTDOWN);

				s->shutdown |= ABI_SHUT_WR_BIT;
				bytering_finish(&k->tx);
				m->sock = k->index;
				m->flags = NET_SHUT_WR;
				netd_tell(m, true);
			}
			if (s->linger.onoff && inet_stream_unsent(k))
				linger(k);
		}
	}
	if (k->paired) {
		if (k->pair_index != NET_SOCK_NONE)
			inet_pair_tell(k, NET_PAIR_RESET);
		else
			inet_pair_close(k, reset);
	}
	s->state = SS_DEAD;
	list_del(&k->revive);
	inet_detach(k, reset);
}
