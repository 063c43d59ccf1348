/* The system calls that make, name and end sockets. */
#include <fcntl.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/family.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/sockaddr.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

int sockaddr_read(struct task *t, uint64_t uaddr, int size, struct sock_addr *ret)
{
	ret->size = 0;
	if (size < 0 || size > ABI_SOCKADDR_MAX)
		return -EINVAL;
	memset(ret->raw, 0, sizeof(ret->raw));
	if (size && user_read(t, ret->raw, uaddr, (size_t)size))
		return -EFAULT;
	ret->size = (uint16_t)size;
	return 0;
}

int sockaddr_write(struct task *t, const struct sock_addr *addr, uint64_t uaddr, int room, uint64_t usize)
{
	int32_t size = addr->size;

	if (room < 0)
		return -EINVAL;
	if (user_write(t, uaddr, addr->raw, (size_t)MIN(room, size)))
		return -EFAULT;
	return user_put(t, size, usize) ? -EFAULT : 0;
}

int sockaddr_write_inout(struct task *t, const struct sock_addr *addr, uint64_t uaddr, uint64_t usize)
{
	int32_t room;

	if (user_get(t, room, usize))
		return -EFAULT;
	return sockaddr_write(t, addr, uaddr, room, usize);
}

static int create(struct task *t, int family, int type, int protocol, struct socket **ret)
{
	const struct net_family *f;

	if (family < 0 || family >= NET_FAMILY_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= ABI_SOCK_MAX)
		return -EINVAL;
	f = net_family_find(family);
	if (!f)
		return -EAFNOSUPPORT;
	return f->create(t, t->ns->net, type, protocol, ret);
}

static void discard(struct socket *s)
{
	s->ops->release(s);
	socket_unref(s);
}

/* A descriptor for s, or everything undone. */
static int install(struct task *t, struct socket *s, unsigned flags)
{
	struct file *f;
	int fd = socket_new_file(s, flags & O_NONBLOCK, &f);

	if (fd < 0) {
		discard(s);
		return fd;
	}
	fd = fd_install(t, f, 0, flags & ABI_SOCK_CLOEXEC);
	if (fd < 0)
		file_unref(f);
	return fd;
}

static bool type_flags_ok(int type)
{
	return !(type & ~(ABI_SOCK_TYPE_MASK | ABI_SOCK_CLOEXEC | ABI_SOCK_NONBLOCK));
}

SYS_HANDLER(socket)
{
	int type = (int)a[1];
	struct socket *s;
	int ret;

	if (!type_flags_ok(type))
		return -EINVAL;
	ret = create(t, (int)a[0], type & ABI_SOCK_TYPE_MASK, (int)a[2], &s);
	return ret ? ret : install(t, s, (unsigned)type);
}

SYS_HANDLER(socketpair)
{
	int type = (int)a[1];
	struct socket *s[2];
	int32_t fds[2];
	int ret;

	if (!type_flags_ok(type))
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		ret = create(t, (int)a[0], type & ABI_SOCK_TYPE_MASK, (int)a[2], &s[i]);
		if (ret) {
			if (i)
				discard(s[0]);
			return ret;
		}
	}
	ret = s[0]->ops->socketpair ? s[0]->ops->socketpair(s[0], s[1], t) : -EOPNOTSUPP;
	if (ret) {
		discard(s[0]);
		discard(s[1]);
		return ret;
	}
	fds[0] = install(t, s[0], (unsigned)type);
	if (fds[0] < 0) {
		discard(s[1]);
		return fds[0];
	}
	fds[1] = install(t, s[1], (unsigned)type);
	if (fds[1] < 0) {
		fd_close(t, fds[0]);
		return fds[1];
	}
	if (user_write(t, a[3], fds, sizeof(fds))) {
		fd_close(t, fds[0]);
		fd_close(t, fds[1]);
		return -EFAULT;
	}
	return 0;
}

SYS_HANDLER(bind)
{
	struct sock_addr addr;
	struct socket *s;
	struct file *f;
	int ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = sockaddr_read(t, a[1], (int)a[2], &addr);
	if (!ret)
		ret = s->ops->bind ? s->ops->bind(s, t, &addr) : -EOPNOTSUPP;
	file_unref(f);
	return ret;
}

SYS_HANDLER(connect)
{
	struct sock_addr addr;
	struct socket *s;
	struct file *f;
	int ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = sockaddr_read(t, a[1], (int)a[2], &addr);
	if (!ret)
		ret = s->ops->connect ? s->ops->connect(s, t, &addr, f->flags & O_NONBLOCK) : -EOPNOTSUPP;
	file_unref(f);
	return ret;
}

SYS_HANDLER(listen)
{
	struct socket *s;
	struct file *f;
	int ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = s->ops->listen ? s->ops->listen(s, t, (int)a[1]) : -EOPNOTSUPP;
	file_unref(f);
	return ret;
}

static int put_peer_name(struct task *t, struct socket *s, uint64_t uaddr, uint64_t usize)
{
	struct sock_addr addr = {.size = 0};
	int ret = s->ops->getname(s, true, &addr);

	if (ret)
		return ret == -ENOTCONN ? -ECONNABORTED : ret;
	return sockaddr_write_inout(t, &addr, uaddr, usize);
}

static int do_accept(struct task *t, struct file *f, struct socket *s, const uint64_t a[6], unsigned flags)
{
	struct socket *conn;
	int ret;

	if (!s->ops->accept)
		return -EOPNOTSUPP;
	ret = s->ops->accept(s, t, f->flags & O_NONBLOCK, &conn);
	if (ret)
		return ret;
	if (a[1]) {
		ret = put_peer_name(t, conn, a[1], a[2]);
		if (ret) {
			discard(conn);
			return ret;
		}
	}
	return install(t, conn, flags);
}

static long accept_flags(struct task *t, const uint64_t a[6], unsigned flags)
{
	struct socket *s;
	struct file *f;
	int ret;

	if (flags & ~(unsigned)(ABI_SOCK_CLOEXEC | ABI_SOCK_NONBLOCK))
		return -EINVAL;
	ret = socket_get(t, (int)a[0], &f, &s);
	if (ret)
		return ret;
	ret = do_accept(t, f, s, a, flags);
	file_unref(f);
	return ret;
}

SYS_HANDLER(accept)
{
	return accept_flags(t, a, 0);
}

SYS_HANDLER(accept4)
{
	return accept_flags(t, a, (unsigned)a[3]);
}

static long do_getname(struct task *t, const uint64_t a[6], bool peer)
{
	struct sock_addr addr = {.size = 0};
	struct socket *s;
	struct file *f;
	int ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = s->ops->getname(s, peer, &addr);
	if (!ret)
		ret = sockaddr_write_inout(t, &addr, a[1], a[2]);
	file_unref(f);
	return ret;
}

SYS_HANDLER(getsockname)
{
	return do_getname(t, a, false);
}

SYS_HANDLER(getpeername)
{
	return do_getname(t, a, true);
}

SYS_HANDLER(shutdown)
{
	int how = (int)a[1], ret;
	struct socket *s;
	struct file *f;

	ret = socket_get(t, (int)a[0], &f, &s);
	if (ret)
		return ret;
	if (how < SHUT_RD || how > SHUT_RDWR)
		ret = -EINVAL;
	else
		ret = s->ops->shutdown ? s->ops->shutdown(s, (unsigned)how + 1) : -EOPNOTSUPP;
	file_unref(f);
	return ret;
}

SYS_HANDLER(setsockopt)
{
	struct socket *s;
	struct file *f;
	long ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	if ((int)a[4] < 0)
		ret = -EINVAL;
	else
		ret = socket_setopt(s, t, (int)a[1], (int)a[2], a[3], (uint32_t)a[4]);
	file_unref(f);
	return ret;
}

SYS_HANDLER(getsockopt)
{
	struct socket *s;
	struct file *f;
	long ret = socket_get(t, (int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = socket_getopt(s, t, (int)a[1], (int)a[2], a[3], a[4]);
	file_unref(f);
	return ret;
}
