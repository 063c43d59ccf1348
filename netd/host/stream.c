/* Streams: bytes between the rings and a TCP socket of the host. */
#include <errno.h>
#include <unistd.h>

#include "common/chan/bytering.h"
#include "netd/host/private.h"

#define A_CALL (256u << 10)
#define A_TURN (1u << 20)
#define BUFFER (256u << 10) /* what a connection's rings grow to */

static void later(struct host_sock *k)
{
	if (list_empty(&k->again))
		list_add_tail(&k->h->again, &k->again);
}

/* The connection is lost; err 0: it ended by itself. */
static void lose(struct host_sock *k, int err)
{
	if (k->dead)
		return;
	k->dead = true;
	if (err)
		k->s.err = err;
	else if (!k->eof)
		bytering_finish(k->s.rx);
	k->eof = true;
	nsock_raise(&k->s, NSOCK_IN | NSOCK_OUT | NSOCK_RDHUP | NSOCK_HUP | (err ? NSOCK_ERR : 0));
}

static void pump_in(struct host_sock *k)
{
	size_t total = 0, room;
	struct iovec iov[2];
	ssize_t n;

	while (k->connected && k->readable && !k->eof && !k->closing) {
		room = bytering_reserve(k->s.rx, A_CALL, iov);
		if (!room)
			break;
		if (total >= A_TURN) {
			later(k);
			break;
		}
		n = readv(k->fd, iov, iov[1].iov_len && iov[0].iov_len < room ? 2 : 1);
		if (n > 0) {
			bytering_put(k->s.rx, (size_t)n);
			total += (size_t)n;
		} else if (n == 0) {
			k->eof = true;
			bytering_finish(k->s.rx);
			nsock_raise(&k->s, NSOCK_IN | NSOCK_RDHUP | (k->fin_sent ? NSOCK_HUP : 0));
		} else if (errno == EAGAIN) {
			k->readable = false;
		} else if (errno != EINTR) {
			lose(k, errno);
		}
	}
	if (total)
		nsock_raise(&k->s, NSOCK_IN);
}

static void fin(struct host_sock *k)
{
	if (k->fin_sent || k->dead || bytering_avail(k->s.tx))
		return;
	k->fin_sent = true;
	shutdown(k->fd, SHUT_WR);
	nsock_raise(&k->s, NSOCK_OUT | (k->eof ? NSOCK_HUP : 0));
}

/* Everything is with the host's kernel, which sees to the rest. */
static bool drained(const struct host_sock *k)
{
	return k->dead || !bytering_avail(k->s.tx);
}

static void pump_out(struct host_sock *k)
{
	struct bytering_region old;
	struct iovec iov[2];
	size_t total = 0;

	while (k->connected && k->writable && !k->dead && !k->fin_sent) {
		size_t size = bytering_peek(k->s.tx, k->s.tx->head, A_CALL, iov);
		struct msghdr m = {.msg_iov = iov, .msg_iovlen = size > iov[0].iov_len ? 2 : 1};
		ssize_t n;

		if (!size)
			break;
		if (total >= A_TURN) {
			later(k);
			break;
		}
		n = sendmsg(k->fd, &m, MSG_NOSIGNAL | (k->more ? MSG_MORE : 0));
		if (n > 0) {
			bytering_take(k->s.tx, (size_t)n, &old);
			total += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			k->writable = false;
		} else if (n < 0 && errno != EINTR) {
			lose(k, errno);
		}
	}
	if (total)
		nsock_raise(&k->s, NSOCK_OUT);
	if (k->want_fin && k->connected)
		fin(k);
}

static void opened(struct host_sock *k)
{
	k->connecting = false;
	k->connected = true;
	host_sock_names(k, true);
	if (k->s.up && k->s.up->grow) {
		k->s.up->grow(&k->s, false, BUFFER);
		k->s.up->grow(&k->s, true, BUFFER);
	}
}

/* With no owner to adopt it, a connection ends. */
static void adopt(struct host_sock *l, int fd)
{
	struct host_sock *k = host_sock_wrap(l->h, l->s.st, l->s.family, SOCK_STREAM, l->s.protocol, fd, l->s.up, NULL);
	struct bytering *tx, *rx;

	if (!k)
		return;
	k->s.owner = l->s.up->adopt(&l->s, &k->s, &tx, &rx);
	if (!k->s.owner) {
		k->s.up = NULL;
		nsock_unref(&k->s);
		return;
	}
	nsock_set_rings(&k->s, tx, rx);
	k->readable = k->writable = true;
	l->waiting++;
	opened(k);
	pump_in(k);
}

static void pump_listener(struct host_sock *l)
{
	bool any = false;

	while (l->readable && l->waiting <= (unsigned)MAX(l->backlog, 0) && l->s.up) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			adopt(l, fd);
			any = true;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			break; /* it waits; the next connection brings another event */
		} else if (errno != EINTR && errno != ECONNABORTED) {
			l->readable = false; /* none is there, or it listens no more */
		}
	}
	if (any)
		nsock_raise(&l->s, NSOCK_IN);
}

static void finish_close(struct host_sock *k)
{
	if (!k->closing || !drained(k))
		return;
	k->closing = false;
	host_sock_hang_up(k);
	nsock_unref(&k->s);
}

void host_stream_event(struct host_sock *k, uint32_t events)
{
	bool over = events & (EPOLLERR | EPOLLHUP);

	k->readable |= over || events & (EPOLLIN | EPOLLRDHUP);
	k->writable |= over || events & EPOLLOUT;
	if (k->listening) {
		pump_listener(k);
		return;
	}
	if (k->connecting && (over || events & EPOLLOUT)) {
		int err = host_sock_error(k);

		k->connecting = false;
		if (err) {
			k->s.err = err;
			nsock_raise(&k->s, NSOCK_ERR | NSOCK_HUP | NSOCK_IN);
			return;
		}
		opened(k);
		nsock_raise(&k->s, NSOCK_OUT);
	}
	if (!k->connected)
		return;
	pump_in(k);
	if (events & EPOLLERR) {
		int err = host_sock_error(k);

		if (err)
			lose(k, err);
	}
	pump_out(k);
	finish_close(k);
}

static int stream_connect(struct nsock *s, const struct nsock_name *n)
{
	struct host_sock *k = host_of(s);
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t size = n ? host_name_out(s->family, n, &ss) : sizeof(ss);
	int ret;

	if (n && (k->connected || k->connecting))
		return k->connected ? -EISCONN : -EALREADY;
	ret = connect(k->fd, (struct sockaddr *)&ss, size) < 0 ? -errno : 0;
	if (ret && ret != -EINPROGRESS)
		return ret;
	if (!n) {
		k->connected = k->connecting = false;
		host_sock_names(k, false);
		return 0;
	}
	if (!ret) { /* within the machine it may stand already */
		k->writable = true;
		opened(k);
		return -EINPROGRESS;
	}
	k->writable = false;
	k->connecting = true;
	host_sock_names(k, false);
	s->peer = *n;
	return ret;
}

static int stream_listen(struct nsock *s, int backlog)
{
	struct host_sock *k = host_of(s);

	if (listen(k->fd, backlog) < 0)
		return -errno;
	k->backlog = backlog;
	k->listening = true;
	host_sock_names(k, false);
	return 0;
}

/* The owner keeps the order of the connections itself. */
static int stream_accept(struct nsock *s, struct nsock **ret)
{
	struct host_sock *k = host_of(s);

	*ret = NULL;
	if (!k->waiting)
		return -EAGAIN;
	k->waiting--;
	if (k->readable)
		later(k);
	return 0;
}

static int stream_shutdown(struct nsock *s, bool rd, bool wr)
{
	struct host_sock *k = host_of(s);

	if (k->listening) {
		shutdown(k->fd, rd ? SHUT_RD : SHUT_WR);
		return 0;
	}
	if (!k->connected)
		return -ENOTCONN;
	if (rd && !k->shut_rd) {
		k->shut_rd = true;
		shutdown(k->fd, SHUT_RD);
		nsock_raise(s, NSOCK_IN | NSOCK_RDHUP);
	}
	k->want_fin |= wr;
	pump_out(k);
	return 0;
}

static void stream_tx_ready(struct nsock *s, bool more)
{
	struct host_sock *k = host_of(s);

	k->more = more;
	pump_out(k);
}

static void stream_rx_consumed(struct nsock *s)
{
	pump_in(host_of(s));
}

static uint32_t stream_poll(struct nsock *s)
{
	const struct host_sock *k = host_of(s);
	uint32_t mask = s->err ? NSOCK_ERR : 0;

	if (k->listening)
		return mask | (k->waiting ? NSOCK_IN : 0);
	if (k->connecting)
		return mask;
	if (!k->connected || k->dead || (k->eof && k->fin_sent))
		mask |= NSOCK_HUP;
	if (k->eof || k->shut_rd)
		mask |= NSOCK_IN | NSOCK_RDHUP;
	if (k->connected || !s->err)
		mask |= NSOCK_OUT;
	if (s->rx && s->rx->tail != __atomic_load_n(&s->rx->shm->head, __ATOMIC_ACQUIRE))
		mask |= NSOCK_IN;
	return mask;
}

static void stream_close(struct nsock *s, bool reset)
{
	const struct linger now = {.l_onoff = 1};
	struct host_sock *k = host_of(s);

	if (reset && k->connected)
		setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (!reset && k->connected && !drained(k)) {
		k->closing = true;
		nsock_ref(s);
		later(k);
		return;
	}
	host_sock_hang_up(k);
}

const struct nsock_ops host_stream_ops = {
	.bind = host_bind,
	.connect = stream_connect,
	.listen = stream_listen,
	.accept = stream_accept,
	.getname = host_getname,
	.shutdown = stream_shutdown,
	.tx_ready = stream_tx_ready,
	.rx_consumed = stream_rx_consumed,
	.poll = stream_poll,
	.setopt = host_setopt,
	.getopt = host_getopt,
	.opt_changed = host_opt_changed,
	.close = stream_close,
	.free = host_sock_free,
};
