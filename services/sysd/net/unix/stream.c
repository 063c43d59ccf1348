/* Bytes over a connection (SOCK_STREAM). */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"

#define CHUNK_MAX 32768u

static ssize_t stream_sendmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_snd_deadline(s, flags & MSG_DONTWAIT);
	struct unix_sock *u = unix_sk(s), *peer;
	ssize_t sent = 0;
	int err = 0;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name.size)
		return s->state == SS_ESTABLISHED ? -EISCONN : -EOPNOTSUPP;
	if (!u->peer)
		return -ENOTCONN;
	if (s->shutdown & ABI_SHUT_WR_BIT) {
		err = -EPIPE;
		goto out;
	}
	peer = unix_ref(u->peer);
	while (m->u.resid) {
		uint32_t size = (uint32_t)MIN(m->u.resid, (size_t)(s->sndbuf / 2 - 64));
		struct unix_packet *p;
		ssize_t n;

		size = MIN(size, CHUNK_MAX);
		err = unix_packet_wait(u, deadline_ns);
		if (err)
			break;
		p = unix_packet_new(u, size);
		if (!p) {
			err = -ENOMEM;
			break;
		}
		n = uio_copy_from(&m->u, p->data, size);
		if (n < 0) {
			err = (int)n;
		} else {
			p->size = (uint32_t)n;
			err = peer->host && m->scm.fds ? -EOPNOTSUPP : unix_attach_scm(t, p, &m->scm);
			p->has_creds |= s->passcred || peer->s.passcred || !peer->s.file;
		}
		if (!err && (unix_dead(peer) || (peer->s.shutdown & ABI_SHUT_RD_BIT)))
			err = -EPIPE;
		if (err) {
			unix_packet_free(p);
			break;
		}
		unix_packet_queue(peer, p);
		socket_wake_read(&peer->s);
		sent += n;
		if ((uint32_t)n < size)
			break;
	}
	unix_unref(peer);
out:
	if (sent)
		return sent;
	if (err == -EPIPE && !(flags & MSG_NOSIGNAL))
		signal_pipe(t);
	return err;
}

/* What a receiver has collected so far. */
struct stream_read {
	size_t copied, skip; /* skip: bytes to pass over first (peeking at an offset) */
	struct scm_fds *fds;
	bool have_creds, has_creds;
	uint32_t pid, uid, gid;
};

static bool same_sender(const struct stream_read *r, const struct unix_packet *p)
{
	return r->has_creds == p->has_creds &&
	       (!p->has_creds || (r->pid == p->pid && r->uid == p->uid && r->gid == p->gid));
}

/* Takes from one packet. True: go on with the next. */
static bool read_packet(struct unix_sock *u, struct sock_msg *m, struct unix_packet *p, bool peek,
			struct stream_read *r, ssize_t *ret_err)
{
	size_t want = MIN(p->size - r->skip, m->u.resid);
	ssize_t n;

	if (u->s.passcred && r->have_creds && !same_sender(r, p))
		return false; /* bytes of two senders never mix */
	n = want ? uio_copy_to(&m->u, p->data + p->off + r->skip, want) : 0;
	if (n < 0) {
		*ret_err = n;
		return false;
	}
	if (!r->have_creds) {
		r->have_creds = true;
		r->has_creds = p->has_creds;
		r->pid = p->pid;
		r->uid = p->uid;
		r->gid = p->gid;
		unix_copy_name(p->from, &m->name);
		if (m->name.size == UNIX_PATH_OFF)
			m->name.size = 0; /* an unnamed sender: no address at all */
	}
	r->copied += (size_t)n;
	if (peek) {
		r->skip = 0;
		if (u->s.peek_off >= 0)
			u->s.peek_off += (int)n;
		if (p->fds) {
			r->fds = unix_detach_fds(p, true);
			return false;
		}
		return (size_t)n == want;
	}
	if (u->s.peek_off > 0)
		u->s.peek_off = MAX(u->s.peek_off - (int)n, 0);
	p->off += (uint32_t)n;
	p->size -= (uint32_t)n;
	u->queue_bytes -= (uint64_t)n;
	if (p->fds)
		r->fds = unix_detach_fds(p, false);
	if (p->size)
		return false;
	unix_packet_unqueue(u, p);
	unix_packet_free(p);
	return !r->fds;
}

static int wait_data(struct socket *s, uint64_t deadline_ns)
{
	struct unix_sock *u = unix_sk(s);

	return WAIT_EVENT_INTR_TIMEOUT(&s->wait,
				       !list_empty(&u->queue) || s->err ||
					   (s->shutdown & ABI_SHUT_RD_BIT),
				       deadline_ns);
}

/* The next packet to look at: when peeking, past what was seen. */
static struct unix_packet *next_packet(struct unix_sock *u, struct unix_packet *seen, struct stream_read *r)
{
	struct list *n = seen ? seen->node.next : u->queue.next;

	for (; n != &u->queue; n = n->next) {
		struct unix_packet *p = LIST_ENTRY(n, struct unix_packet, node);

		if (r->skip < p->size || (!r->skip && !p->size))
			return p;
		r->skip -= p->size;
	}
	return NULL;
}

static ssize_t stream_recvmsg(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags)
{
	uint64_t deadline_ns = socket_rcv_deadline(s, flags & MSG_DONTWAIT);
	bool peek = flags & MSG_PEEK, more = true;
	struct unix_sock *u = unix_sk(s);
	struct unix_packet *p = NULL;
	struct stream_read r = {.skip = peek && s->peek_off > 0 ? (size_t)s->peek_off : 0};
	size_t skip = r.skip;
	size_t target = flags & MSG_WAITALL ? m->u.resid : MIN((size_t)s->rcvlowat, m->u.resid);
	ssize_t err = 0;

	(void)t;
	target = MAX(target, (size_t)1);
	if (s->state != SS_ESTABLISHED)
		return -EINVAL;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	do {
		p = next_packet(u, peek ? p : NULL, &r);
		if (p) {
			more = read_packet(u, m, p, peek, &r, &err);
			continue;
		}
		if (r.copied >= target)
			break;
		err = socket_error(s);
		if (err || (s->shutdown & ABI_SHUT_RD_BIT))
			break;
		err = -EAGAIN;
		if (!deadline_ns || (peek && r.copied))
			break;
		err = socket_wait_error(wait_data(s, deadline_ns), deadline_ns);
		if (err)
			break;
		if (peek)
			r.skip = skip;
	} while (more && m->u.resid);
	if (r.copied || r.fds || r.have_creds) {
		unix_put_scm(s, m, r.has_creds, r.pid, r.uid, r.gid, r.fds);
		return r.copied || !err ? (ssize_t)r.copied : err;
	}
	return err;
}

const struct socket_ops unix_stream_ops = {
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.socketpair = unix_socketpair,
	.listen = unix_listen,
	.accept = unix_accept,
	.getname = unix_getname,
	.sendmsg = stream_sendmsg,
	.recvmsg = stream_recvmsg,
	.shutdown = unix_shutdown,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.option_changed = unix_option_changed,
	.release = unix_release,
	.free = unix_free,
};
