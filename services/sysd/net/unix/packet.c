/* Packets between UNIX sockets. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/task/task.h"

/* About what Linux charges: the buffer head, the shared info, and the data in its allocator's sizes. */
static uint32_t charge_of(uint32_t size)
{
	uint32_t data = size + 320;

	if (data <= 512)
		data = 512;
	else if (data <= 1024)
		data = 1024;
	else if (data <= 2048)
		data = 2048;
	else
		data = ALIGN_UP(data, 4096u);
	return 256 + data;
}

int unix_packet_wait(struct unix_sock *u, uint64_t deadline_ns)
{
	int ret;

	for (;;) {
		if (u->s.err)
			return socket_error(&u->s);
		if (u->s.shutdown & ABI_SHUT_WR_BIT)
			return -EPIPE;
		if (u->wmem < u->s.sndbuf)
			return 0;
		if (!deadline_ns)
			return -EAGAIN;
		ret = WAIT_EVENT_INTR_TIMEOUT(&u->s.wait,
					      u->wmem < u->s.sndbuf || u->s.err ||
						  (u->s.shutdown & ABI_SHUT_WR_BIT),
					      deadline_ns);
		if (ret < 0)
			return socket_wait_error(ret, deadline_ns);
	}
}

struct unix_packet *unix_packet_new(struct unix_sock *from, uint32_t size)
{
	struct unix_packet *p = malloc(sizeof(*p) + size);

	if (!p)
		return NULL;
	*p = (struct unix_packet){.from = unix_ref(from), .charge = charge_of(size), .size = size};
	list_init(&p->node);
	from->wmem += (int)p->charge;
	return p;
}

void unix_packet_free(struct unix_packet *p)
{
	struct unix_sock *from = p->from;
	uint32_t charge = p->charge;

	if (p->fds) {
		unix_fds_landed(p->fds);
		scm_fds_free(p->fds);
	}
	unix_unref(p->conn);
	free(p);
	from->wmem -= (int)charge;
	if (unix_writable(from))
		socket_wake_write(&from->s);
	unix_unref(from);
}

void unix_packet_queue(struct unix_sock *to, struct unix_packet *p)
{
	list_add_tail(&to->queue, &p->node);
	to->queue_count++;
	to->queue_bytes += p->size;
}

void unix_packet_unqueue(struct unix_sock *u, struct unix_packet *p)
{
	list_del(&p->node);
	u->queue_count--;
	u->queue_bytes -= p->size;
}

int unix_attach_scm(struct task *t, struct unix_packet *p, struct scm *scm)
{
	p->pid = scm->pid;
	p->uid = scm->uid;
	p->gid = scm->gid;
	p->has_creds = scm->has_creds;
	if (!scm->fds)
		return 0;
	if (unix_too_many_fds(t))
		return -ETOOMANYREFS;
	p->fds = STEAL_PTR(scm->fds);
	unix_fds_in_flight(p->fds);
	return 0;
}

struct scm_fds *unix_detach_fds(struct unix_packet *p, bool peek)
{
	if (!p->fds)
		return NULL;
	if (peek)
		return scm_fds_dup(p->fds);
	unix_fds_landed(p->fds);
	return STEAL_PTR(p->fds);
}

void unix_put_scm(struct socket *s, struct sock_msg *m, bool has_creds, uint32_t pid, uint32_t uid,
		  uint32_t gid, struct scm_fds *fds)
{
	if (!m->ucontrol) {
		if (s->passcred || fds)
			m->out_flags |= MSG_CTRUNC;
		scm_fds_free(fds);
		return;
	}
	if (s->passcred) {
		struct abi_ucred u = {0, 65534, 65534};

		if (has_creds)
			u = (struct abi_ucred){sock_pid_for(m->task, pid), uid, gid};
		sock_put_cmsg(m, ABI_SOL_SOCKET, ABI_SCM_CREDENTIALS, &u, sizeof(u));
	}
	if (fds)
		sock_put_rights(m, fds);
}
