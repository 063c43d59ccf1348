/* The relay to a name server of the host over TCP (resolver.c has UDP, and what this is for): a connection to the name
 * server's address ends at a listener of the stack, and its bytes go on over one of the sockets that the launcher made in
 * the namespace. netd cannot make sockets: it has LINK_RESOLVER_LINES of them, and each is used again and again (connected,
 * dissolved). Whoever calls while all are in use waits as a client of a full backlog does.
 *
 * Nothing is looked at: bytes and the ends of both directions are passed on. A connection on which nothing moves for
 * IDLE_MS is given up, so that nobody can keep the lines. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/chan/bytering.h"
#include "common/ipc/msg_link.h"
#include "common/log/log.h"
#include "netd/core/stack.h"
#include "netd/core/timer.h"
#include "netd/link/private.h"
#include "netd/sock/sock.h"

#define RING 65536u      /* of each direction: one message */
#define RETRY_MS 10u     /* the host's socket took nothing: it is connecting, or full */
#define IDLE_MS 30000u

struct relay;
struct line {
	struct link_source src;  /* fd -1: nothing is to be read now */
	struct relay *relay;
	int fd;
	struct nsock *sock;      /* the connection, NULL: free */
	bool closed;             /* given up: the stack is not done with the rings yet */
	bool connected, shut;    /* shut: the name server knows that no more will come */
	struct bytering_shm in_shm, out_shm;
	struct bytering in, in_end, out, out_end; /* to the guest, from the guest; the ends are TCP's */
	uint8_t *memory;         /* of both rings */
	struct net_work work;
	struct net_timer retry, idle;
};

struct relay {
	struct netstack *st;
	struct nsock *listener;
	struct sockaddr_in server;
	struct line door;        /* the listener's owner, no line */
	struct line lines[LINK_RESOLVER_LINES];
};

/* A TCP socket whose connection is dissolved can be connected again. */
static void hang_up(struct line *l)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	l->src.fd = -1;
	if (connect(l->fd, &nobody, sizeof(nobody)) < 0)
		log_warn("the line to the name server: %s", strerror(errno));
}

static void give_up(struct line *l, bool reset)
{
	l->closed = true;
	net_work_cancel(&l->work);
	net_timer_cancel(&l->retry);
	net_timer_cancel(&l->idle);
	hang_up(l);
	nsock_close(l->sock, reset);
}

/* From the guest to the name server; false when the connection is over. */
static bool pump_out(struct line *l)
{
	struct bytering_region old;
	struct iovec iov[2];
	size_t moved = 0;

	while (bytering_peek(&l->out, l->out.head, RING, iov)) {
		ssize_t n = send(l->fd, iov[0].iov_base, iov[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n <= 0) {
			net_timer_arm(l->relay->st, &l->retry, RETRY_MS);
			break;
		}
		bytering_take(&l->out, (size_t)n, &old);
		moved += (size_t)n;
	}
	if (moved) {
		net_timer_arm(l->relay->st, &l->idle, IDLE_MS);
		l->sock->ops->rx_consumed(l->sock);
	}
	if (!l->shut && bytering_finished(&l->out)) {
		if (shutdown(l->fd, SHUT_WR) < 0)
			return false;
		l->shut = true;
	}
	return true;
}

/* From the name server to the guest; false when the connection is over. */
static bool pump_in(struct line *l)
{
	struct iovec iov[2];
	size_t moved = 0, room;
	ssize_t n = 0;

	while ((room = bytering_reserve(&l->in, RING, iov)) > 0) {
		n = recv(l->fd, iov[0].iov_base, iov[0].iov_len, MSG_DONTWAIT);
		if (n <= 0)
			break;
		bytering_put(&l->in, (size_t)n);
		moved += (size_t)n;
	}
	/* Without room the guest's reading is what makes it go on (work_fn). */
	l->src.fd = room ? l->fd : -1;
	if (moved) {
		net_timer_arm(l->relay->st, &l->idle, IDLE_MS);
		l->sock->ops->tx_ready(l->sock, false);
	}
	if (room && n == 0) {
		bytering_finish(&l->in);
		give_up(l, false);
		return true;
	}
	return !room || n > 0 || errno == EAGAIN || errno == EINTR;
}

static bool begin(struct line *l)
{
	struct relay *r = l->relay;
	struct nsock *s;

	if (r->listener->ops->accept(r->listener, &s) < 0)
		log_warn("a connection to the name server was in no queue");
	if (connect(l->fd, (struct sockaddr *)&r->server, sizeof(r->server)) < 0 && errno != EINPROGRESS)
		return false;
	l->connected = true;
	l->src.fd = l->fd;
	net_timer_arm(r->st, &l->idle, IDLE_MS);
	return true;
}

static void work_fn(struct net_work *w)
{
	struct line *l = CONTAINER_OF(w, struct line, work);

	if (!l->sock || l->closed)
		return;
	if (l->sock->err || (!l->connected && !begin(l)) || !pump_out(l) || (l->src.fd < 0 && !pump_in(l)))
		give_up(l, true);
}

static void retry_fn(struct net_timer *t)
{
	work_fn(&CONTAINER_OF(t, struct line, retry)->work);
}

static void idle_fn(struct net_timer *t)
{
	give_up(CONTAINER_OF(t, struct line, idle), true);
}

static unsigned readable(struct link_source *src, unsigned budget)
{
	struct line *l = CONTAINER_OF(src, struct line, src);

	if (l->sock && !l->closed && !pump_in(l))
		give_up(l, true);
	return 1;
}

static void up_event(struct nsock *s, uint32_t mask)
{
	struct line *l = s->owner;

	if (l != &l->relay->door && !l->closed)
		net_work_queue(l->relay->st, &l->work);
}

static void *up_adopt(struct nsock *listener, struct nsock *child, struct bytering **ret_tx, struct bytering **ret_rx)
{
	struct relay *r = ((struct line *)listener->owner)->relay;
	struct line *l = NULL;

	for (size_t i = 0; i < LINK_RESOLVER_LINES && !l; i++)
		if (!r->lines[i].sock)
			l = &r->lines[i];
	if (!l)
		return NULL;
	l->memory = aligned_alloc(64, 2 * RING);
	if (!l->memory)
		return NULL;
	memset(&l->in_shm, 0, sizeof(l->in_shm));
	memset(&l->out_shm, 0, sizeof(l->out_shm));
	bytering_init(&l->in, &l->in_shm, l->memory, 2 * RING, 0, RING, RING);
	bytering_attach(&l->in_end, &l->in_shm, l->memory, 2 * RING, 0, RING);
	bytering_init(&l->out_end, &l->out_shm, l->memory, 2 * RING, RING, RING, RING);
	bytering_attach(&l->out, &l->out_shm, l->memory, 2 * RING, RING, RING);
	l->connected = l->shut = l->closed = false;
	l->sock = child;
	*ret_tx = &l->in_end;
	*ret_rx = &l->out_end;
	net_work_queue(r->st, &l->work);
	return l;
}

static void up_done(struct nsock *s)
{
	struct line *l = s->owner;

	if (l == &l->relay->door)
		return;
	free(l->memory);
	l->memory = NULL;
	l->sock = NULL;
}

static const struct nsock_up relay_up = {.event = up_event, .adopt = up_adopt, .done = up_done};

static void line_free(struct link_source *src)
{
	struct line *l = CONTAINER_OF(src, struct line, src);
	struct relay *r = l->relay;

	close_fd(&l->fd);
	free(l->memory);
	l->memory = NULL;
	if (l == &r->lines[LINK_RESOLVER_LINES - 1]) /* the last in the set */
		free(r);
}

static int listen_at(struct relay *r, const struct link_ip *at)
{
	struct nsock_name name = {.addr = link_ip_addr(at), .port = htons(53)};
	int ret = tcp_create(r->st, AF_INET, &relay_up, &r->door, &r->listener);

	if (ret < 0)
		return ret;
	r->listener->opt.aside = true;
	ret = r->listener->ops->bind(r->listener, &name);
	if (ret == 0)
		ret = r->listener->ops->listen(r->listener, 64);
	return ret;
}

int resolver_tcp_new(struct link_set *set, const struct link_ip *at, int fds[LINK_RESOLVER_LINES])
{
	struct relay *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return -ENOMEM;
	r->st = set->st;
	r->door.relay = r;
	r->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(53)};
	memcpy(&r->server.sin_addr, at->bytes, 4);
	ret = listen_at(r, at);
	if (ret < 0) {
		log_warn("no relay to the host's name server over TCP: %s", strerror(-ret));
		if (r->listener)
			nsock_close(r->listener, true);
		free(r);
		return ret == -ENOMEM ? ret : 0;
	}
	for (size_t i = 0; i < LINK_RESOLVER_LINES; i++) {
		struct line *l = &r->lines[i];

		l->relay = r;
		l->fd = fds[i];
		fds[i] = -1;
		l->src = (struct link_source){.fd = -1, .rx = readable, .free = line_free};
		net_work_init(&l->work, work_fn);
		net_timer_init(&l->retry, retry_fn);
		net_timer_init(&l->idle, idle_fn);
		hang_up(l); /* a netd before this one may have been in the middle */
		list_add_tail(&set->sources, &l->src.node);
	}
	return 0;
}
