/* A stream socket of the host in a bind mount (--host-uds=open): fsd connects and passes the descriptor, and two strands carry
 * bytes between it and a hidden end of an ordinary connection. So the guest's socket is like any other: polled, shut down,
 * duplicated, bounded by its buffers. Descriptors do not cross: sending them fails, and what the host sends is dropped by its kernel.
 *
 * The outward strand lives until both directions are over, since it is the one that hears of the guest's end; the last of the
 * two frees all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/settle.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/vfs/inode.h"

#define CHUNK 32768u
#define NAP_NS 5000000u

struct pump {
	struct unix_sock *conn; /* the hidden end; a reference */
	int fd;
	struct host_watch watch;
	uint32_t armed;
	unsigned news, strands;
	bool in_over, over;
	struct waitq ready;
};

static void on_ready(void *arg, uint32_t revents)
{
	struct pump *p = arg;

	p->armed = 0;
	p->news++;
	waitq_wake(&p->ready, INT32_MAX, revents);
}

static void wait_host(struct pump *p, uint32_t events)
{
	unsigned seen = p->news;

	p->armed |= events;
	host_watch_arm(&p->watch, p->armed);
	WAIT_EVENT(&p->ready, p->news != seen || p->over);
}

static void pump_end(struct pump *p)
{
	if (--p->strands)
		return;
	unix_release(&p->conn->s);
	unix_unref(p->conn);
	host_watch_remove(&p->watch);
	close(p->fd);
	free(p);
}

/* False: the guest does not read any more. */
static bool give(struct unix_sock *conn, const uint8_t *data, size_t size)
{
	struct unix_packet *k;

	WAIT_EVENT(&conn->s.wait, conn->wmem < conn->s.sndbuf || (conn->s.shutdown & ABI_SHUT_WR_BIT));
	if ((conn->s.shutdown & ABI_SHUT_WR_BIT) || !conn->peer || unix_dead(conn->peer))
		return false;
	k = unix_packet_new(conn, (uint32_t)size);
	if (!k)
		return false;
	memcpy(k->data, data, size);
	unix_packet_queue(conn->peer, k);
	socket_wake_read(&conn->peer->s);
	return true;
}

static void pump_in(void *arg)
{
	struct pump *p = arg;
	uint8_t *buf = malloc(CHUNK);
	ssize_t n = -1;

	errno = ENOMEM;
	while (buf && !p->over) {
		n = recv(p->fd, buf, CHUNK, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wait_host(p, EPOLLIN);
			continue;
		}
		if (n <= 0 || !give(p->conn, buf, (size_t)n))
			break;
	}
	if (n < 0 && errno != EAGAIN && !p->over && p->conn->peer)
		p->conn->peer->s.err = errno;
	free(buf);
	p->in_over = true;
	shutdown(p->fd, SHUT_RD);
	unix_shutdown(&p->conn->s, ABI_SHUT_WR_BIT);
	pump_end(p);
}

/* Sends the first packet, or a part of it. False: the host does not read any more. */
static bool take(struct pump *p)
{
	struct unix_packet *k = LIST_FIRST(&p->conn->queue, struct unix_packet, node);
	ssize_t n;

	settle();
	n = send(p->fd, k->data + k->off, k->size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		wait_host(p, EPOLLOUT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	k->off += (uint32_t)n;
	k->size -= (uint32_t)n;
	p->conn->queue_bytes -= (uint64_t)n;
	if (!k->size) {
		unix_packet_unqueue(p->conn, k);
		unix_packet_free(k);
	}
	return true;
}

static void pump_out(void *arg)
{
	struct pump *p = arg;
	struct unix_sock *conn = p->conn;

	for (;;) {
		WAIT_EVENT(&conn->s.wait, !list_empty(&conn->queue) || (conn->s.shutdown & ABI_SHUT_RD_BIT));
		if (list_empty(&conn->queue))
			break;
		if (!take(p)) {
			unix_shutdown(&conn->s, ABI_SHUT_RD_BIT);
			break;
		}
	}
	shutdown(p->fd, SHUT_WR);
	WAIT_EVENT(&conn->s.wait, conn->s.shutdown == ABI_SHUT_MASK || p->in_over);
	p->over = true;
	waitq_wake_all(&p->ready);
	pump_end(p);
}

static int pump_start(struct unix_sock *conn, int fd)
{
	struct pump *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->conn = conn;
	p->fd = fd;
	waitq_init(&p->ready);
	err = host_watch_add(&p->watch, fd, on_ready, p);
	if (err) {
		free(p);
		return err;
	}
	p->strands = 1;
	err = sched_spawn(pump_in, p);
	if (err) {
		host_watch_remove(&p->watch);
		free(p);
		return err;
	}
	p->strands = 2;
	unix_ref(conn);
	err = sched_spawn(pump_out, p);
	if (err) { /* the other one ends by itself */
		p->over = true;
		p->strands = 1;
	}
	return 0;
}

static int host_socket(struct unix_sock *u, struct task *t, const struct sock_addr *addr, uint64_t deadline_ns, int *ret_fd)
{
	for (;;) {
		struct waitq nap;
		struct inode *inode;
		int err = unix_find_inode(t, addr, &inode);

		if (err)
			return err;
		if (!S_ISSOCK(inode->mode) || inode->sock || u->s.type != SOCK_STREAM || !inode->sb->op || !inode->sb->op->connect)
			err = -ECONNREFUSED;
		else
			err = inode->sb->op->connect(inode, ret_fd);
		inode_unref(inode);
		/* its queue of connections is full; nobody tells when that ends */
		if (err != -EAGAIN || deadline_ns <= clock_mono_ns())
			return err;
		waitq_init(&nap);
		err = WAIT_EVENT_FLAGS(&nap, false, WAIT_INTERRUPTIBLE, MIN(deadline_ns, clock_mono_ns() + NAP_NS));
		if (err && err != -ETIMEDOUT)
			return err;
	}
}

static struct unix_addr *name_of(const struct sock_addr *addr)
{
	struct unix_addr *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->refs = 1;
	list_init(&a->node);
	a->un = addr->un;
	a->size = addr->size;
	return a;
}

int unix_connect_host(struct unix_sock *u, struct task *t, const struct sock_addr *addr, uint64_t deadline_ns)
{
	CLEANUP_CLOSE int fd = -1;
	struct unix_sock *conn;
	int err;

	err = host_socket(u, t, addr, deadline_ns, &fd);
	if (err)
		return err;
	if (u->s.state != SS_UNCONNECTED)
		return u->s.state == SS_ESTABLISHED ? -EISCONN : -EINVAL;
	conn = unix_new(t, u->s.ns, u->s.type, u->s.protocol);
	if (!conn)
		return -ENOMEM;
	conn->host = true;
	conn->addr = name_of(addr); /* what getpeername(2) says; without memory: nothing */
	err = pump_start(conn, fd);
	if (err) {
		unix_unref(conn);
		return err;
	}
	fd = -1;
	conn->s.state = u->s.state = SS_ESTABLISHED;
	unix_set_peer(conn, u);
	unix_set_peer(u, conn);
	unix_unref(conn); /* the pump has one */
	return 0;
}
