/* Sending and receiving: send, sendto, sendmsg, sendmmsg and their counterparts. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/sockaddr.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"
#include "services/sysd/vfs/file.h"

#define CMSG_COMPAT 0x80000000u
#define OPTMEM_MAX 131072u /* net.core.optmem_max */
#define RW_MAX 0x7ffff000ul

static unsigned msg_flags(const struct file *f, unsigned flags)
{
	return flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0u);
}

SYS_HANDLER(sendto)
{
	struct sock_msg m = {.task = t};
	struct socket *s;
	struct file *f;
	long ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	uio_init_user(&m.u, t, a[1], MIN(a[2], RW_MAX));
	if (a[4])
		ret = sockaddr_read(t, a[4], (int)a[5], &m.name);
	if (!ret) {
		scm_self(t, &m.scm);
		ret = s->ops->sendmsg ? s->ops->sendmsg(s, t, &m, msg_flags(f, (uint32_t)a[3])) : -EOPNOTSUPP;
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(recvfrom)
{
	struct sock_msg m = {.task = t};
	struct socket *s;
	struct file *f;
	long ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	uio_init_user(&m.u, t, a[1], MIN(a[2], RW_MAX));
	ret = s->ops->recvmsg ? s->ops->recvmsg(s, t, &m, msg_flags(f, (uint32_t)a[3])) : -EOPNOTSUPP;
	if (ret >= 0 && a[4]) {
		int err = sockaddr_write_inout(t, &m.name, a[4], a[5]);

		if (err)
			ret = err;
	}
	file_unref(f);
	return ret;
}

/* Reads a message header with its vector: 0 or -errno; msg_done frees. */
static int msg_read(struct task *t, uint64_t uhdr, struct abi_msghdr *h, struct sock_msg *m)
{
	if (user_get(t, *h, uhdr))
		return -EFAULT;
	if (!h->name)
		h->name_size = 0;
	if (h->name_size < 0)
		return -EINVAL;
	if (h->name_size > ABI_SOCKADDR_MAX)
		h->name_size = ABI_SOCKADDR_MAX;
	if (h->iov_count > IOV_MAX)
		return -EMSGSIZE;
	return uio_init_iovec(&m->u, t, h->iov, h->iov_count);
}

static void msg_done(struct sock_msg *m)
{
	uio_done(&m->u);
	scm_done(&m->scm);
	free(m->control);
}

static int read_control(struct task *t, const struct abi_msghdr *h, struct sock_msg *m)
{
	scm_self(t, &m->scm);
	if (!h->control || !h->control_size)
		return 0;
	if (h->control_size > OPTMEM_MAX)
		return -ENOBUFS;
	m->control = malloc(h->control_size);
	if (!m->control)
		return -ENOBUFS;
	m->control_size = h->control_size;
	if (user_read(t, m->control, h->control, m->control_size))
		return -EFAULT;
	return scm_parse(t, m->control, m->control_size, &m->scm);
}

static long send_one(struct task *t, struct file *f, struct socket *s, uint64_t uhdr, unsigned flags)
{
	struct sock_msg m = {.task = t};
	struct abi_msghdr h;
	long ret = msg_read(t, uhdr, &h, &m);

	if (ret)
		return ret;
	if (h.name)
		ret = sockaddr_read(t, h.name, h.name_size, &m.name);
	if (!ret)
		ret = read_control(t, &h, &m);
	if (!ret)
		ret = s->ops->sendmsg ? s->ops->sendmsg(s, t, &m, msg_flags(f, flags)) : -EOPNOTSUPP;
	msg_done(&m);
	return ret;
}

SYS_HANDLER(sendmsg)
{
	struct socket *s;
	struct file *f;
	long ret;

	if ((uint32_t)a[2] & CMSG_COMPAT)
		return -EINVAL;
	ret = socket_get(t, (int)a[0], &f, &s);
	if (ret)
		return ret;
	ret = send_one(t, f, s, a[1], (uint32_t)a[2]);
	file_unref(f);
	return ret;
}

SYS_HANDLER(sendmmsg)
{
	uint32_t count = MIN((uint32_t)a[2], 1024u), done = 0;
	struct socket *s;
	struct file *f;
	long ret;

	if ((uint32_t)a[3] & CMSG_COMPAT)
		return -EINVAL;
	ret = socket_get(t, (int)a[0], &f, &s);
	if (ret)
		return ret;
	for (; done < count; done++) {
		uint64_t umsg = a[1] + done * sizeof(struct abi_mmsghdr);
		uint32_t len;

		ret = send_one(t, f, s, umsg, (uint32_t)a[3]);
		if (ret < 0)
			break;
		len = (uint32_t)ret;
		if (user_put(t, len, umsg + offsetof(struct abi_mmsghdr, len))) {
			ret = -EFAULT;
			break;
		}
	}
	file_unref(f);
	return done ? (long)done : MIN(ret, 0l);
}

static int write_back(struct task *t, uint64_t uhdr, const struct abi_msghdr *h, const struct sock_msg *m)
{
	uint64_t used = m->control_used;
	int err;

	if (h->name) {
		err = sockaddr_write(t, &m->name, h->name, h->name_size,
				     uhdr + offsetof(struct abi_msghdr, name_size));
		if (err)
			return err;
	}
	if (user_put(t, m->out_flags, uhdr + offsetof(struct abi_msghdr, flags)) ||
	    user_put(t, used, uhdr + offsetof(struct abi_msghdr, control_size)))
		return -EFAULT;
	return 0;
}

static long recv_one(struct task *t, struct file *f, struct socket *s, uint64_t uhdr, unsigned flags,
		     uint32_t *ret_flags)
{
	struct sock_msg m = {.task = t};
	struct abi_msghdr h;
	long ret = msg_read(t, uhdr, &h, &m);

	if (ret)
		return ret;
	m.ucontrol = h.control;
	m.control_room = h.control_size;
	m.cloexec = flags & MSG_CMSG_CLOEXEC;
	m.out_flags = flags & MSG_CMSG_CLOEXEC;
	ret = s->ops->recvmsg ? s->ops->recvmsg(s, t, &m, msg_flags(f, flags)) : -EOPNOTSUPP;
	if (ret >= 0) {
		int err = write_back(t, uhdr, &h, &m);

		if (err)
			ret = err;
		*ret_flags = m.out_flags;
	}
	msg_done(&m);
	return ret;
}

SYS_HANDLER(recvmsg)
{
	struct socket *s;
	struct file *f;
	uint32_t out;
	long ret;

	if ((uint32_t)a[2] & CMSG_COMPAT)
		return -EINVAL;
	ret = socket_get(t, (int)a[0], &f, &s);
	if (ret)
		return ret;
	ret = recv_one(t, f, s, a[1], (uint32_t)a[2], &out);
	file_unref(f);
	return ret;
}

/* The timeout is only looked at between messages, as on Linux (recvmmsg(2), BUGS). */
static long recv_many(struct task *t, struct file *f, struct socket *s, const uint64_t a[6],
		      uint64_t deadline_ns)
{
	uint32_t count = MIN((uint32_t)a[2], 1024u), done = 0, flags = (uint32_t)a[3], out = 0;
	long ret = socket_error(s);

	if (ret)
		return ret;
	while (done < count) {
		uint64_t umsg = a[1] + done * sizeof(struct abi_mmsghdr);
		uint32_t len;

		ret = recv_one(t, f, s, umsg, flags & ~(uint32_t)MSG_WAITFORONE, &out);
		if (ret < 0)
			break;
		len = (uint32_t)ret;
		if (user_put(t, len, umsg + offsetof(struct abi_mmsghdr, len))) {
			ret = -EFAULT;
			break;
		}
		ret = 0;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline_ns != KTIMER_NEVER && clock_mono_ns() >= deadline_ns)
			break;
		if (out & MSG_OOB)
			break;
	}
	if (!done)
		return ret;
	if (ret < 0 && ret != -EAGAIN && ret != -EINTR && ret != -ERESTARTSYS)
		s->err = (int)-ret; /* what comes after the messages is reported by the next call */
	return done;
}

SYS_HANDLER(recvmmsg)
{
	uint64_t deadline = KTIMER_NEVER;
	struct abi_timespec ts;
	struct socket *s;
	struct file *f;
	long ret;

	if ((uint32_t)a[3] & CMSG_COMPAT)
		return -EINVAL;
	if (a[4]) {
		ret = user_timespec(t, &ts, a[4]);
		if (ret)
			return ret;
		deadline = deadline_after(timespec_ns(&ts));
	}
	ret = socket_get(t, (int)a[0], &f, &s);
	if (ret)
		return ret;
	ret = recv_many(t, f, s, a, deadline);
	file_unref(f);
	if (ret > 0 && a[4] && deadline != KTIMER_NEVER) {
		uint64_t now = clock_mono_ns();

		ts = ns_timespec(deadline > now ? deadline - now : 0);
		if (user_put(t, ts, a[4]))
			return -EFAULT;
	}
	return ret;
}
