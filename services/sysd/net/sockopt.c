/* Socket options of level SOL_SOCKET (socket(7)). */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"

static int changed(struct socket *s, int name)
{
	return s->ops->option_changed ? s->ops->option_changed(s, name) : 0;
}

static int set_buffer(struct socket *s, int name, int value, bool force)
{
	if (!force)
		value = (int)MIN((unsigned)value, (unsigned)SOCK_BUF_MAX);
	value = MAX(value, 0);
	value = MIN(value, INT_MAX / 2) * 2; /* room for the overhead, as Linux accounts it */
	if (name == ABI_SO_SNDBUF)
		s->sndbuf = MAX(value, SOCK_SNDBUF_MIN);
	else
		s->rcvbuf = MAX(value, SOCK_RCVBUF_MIN);
	return changed(s, name);
}

static int set_timeout(struct task *t, uint64_t uval, uint32_t size, uint64_t *ret_ns)
{
	struct abi_timeval tv;

	if (size < sizeof(tv))
		return -EINVAL;
	if (user_get(t, tv, uval))
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	if (tv.sec < 0)
		*ret_ns = 1; /* no wait to speak of */
	else
		*ret_ns = MIN(timeval_ns(&tv), TIME_NS_MAX / 4);
	return 0;
}

static int set_flag(struct socket *s, int name, bool on)
{
	switch (name) {
	case ABI_SO_REUSEADDR:
		s->reuseaddr = on;
		break;
	case ABI_SO_REUSEPORT:
		if (on && s->family != AF_INET && s->family != AF_INET6)
			return -EOPNOTSUPP;
		s->reuseport = on;
		break;
	case ABI_SO_DONTROUTE:
		s->dontroute = on;
		break;
	case ABI_SO_BROADCAST:
		s->broadcast = on;
		break;
	case ABI_SO_KEEPALIVE:
		s->keepalive = on;
		break;
	case ABI_SO_OOBINLINE:
		s->oobinline = on;
		break;
	case ABI_SO_NO_CHECK:
		s->no_check = on;
		break;
	case ABI_SO_PASSCRED:
		if (s->family != AF_UNIX && s->family != AF_NETLINK)
			return -EOPNOTSUPP;
		s->passcred = on;
		break;
	case ABI_SO_TIMESTAMP_OLD:
		s->timestamp = on;
		s->timestampns = false;
		break;
	case ABI_SO_TIMESTAMPNS_OLD:
		s->timestampns = on;
		s->timestamp = false;
		break;
	case ABI_SO_BSDCOMPAT:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
	return changed(s, name);
}

static int set_int(struct socket *s, struct task *t, int name, int value)
{
	switch (name) {
	case ABI_SO_DEBUG:
		if (value && !capable(t, CAP_NET_ADMIN))
			return -EACCES;
		s->debug = value;
		return 0;
	case ABI_SO_SNDBUF:
	case ABI_SO_RCVBUF:
		return set_buffer(s, name, value, false);
	case ABI_SO_SNDBUFFORCE:
	case ABI_SO_RCVBUFFORCE:
		if (!capable(t, CAP_NET_ADMIN))
			return -EPERM;
		return set_buffer(s, name == ABI_SO_SNDBUFFORCE ? ABI_SO_SNDBUF : ABI_SO_RCVBUF, value,
				  true);
	case ABI_SO_PRIORITY:
		if ((value < 0 || value > 6) && !capable(t, CAP_NET_ADMIN) && !capable(t, CAP_NET_RAW))
			return -EPERM;
		s->priority = value;
		return changed(s, name);
	case ABI_SO_RCVLOWAT:
		s->rcvlowat = value < 0 ? INT_MAX : MAX(value, 1);
		return changed(s, name);
	case ABI_SO_MARK:
		if (!capable(t, CAP_NET_ADMIN) && !capable(t, CAP_NET_RAW))
			return -EPERM;
		s->mark = (uint32_t)value;
		return changed(s, name);
	case ABI_SO_PEEK_OFF:
		if (s->family != AF_UNIX && s->family != AF_INET && s->family != AF_INET6)
			return -EOPNOTSUPP;
		s->peek_off = value;
		return 0;
	case ABI_SO_TYPE:
	case ABI_SO_PROTOCOL:
	case ABI_SO_DOMAIN:
	case ABI_SO_ERROR:
	case ABI_SO_SNDLOWAT:
	case ABI_SO_ACCEPTCONN:
		return -ENOPROTOOPT;
	default:
		return set_flag(s, name, value != 0);
	}
}

long socket_setopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size)
{
	int32_t value;
	int ret;

	if (level != ABI_SOL_SOCKET)
		return s->ops->setsockopt ? s->ops->setsockopt(s, t, level, name, uval, size)
					  : -EOPNOTSUPP;
	if (name == ABI_SO_BINDTODEVICE && s->ops->setsockopt)
		return s->ops->setsockopt(s, t, level, name, uval, size);
	if (size < sizeof(value))
		return -EINVAL;
	if (user_get(t, value, uval))
		return -EFAULT;
	switch (name) {
	case ABI_SO_LINGER:
		if (size < sizeof(s->linger))
			return -EINVAL;
		return user_get(t, s->linger, uval);
	case ABI_SO_RCVTIMEO_OLD:
	case ABI_SO_RCVTIMEO_NEW:
		return set_timeout(t, uval, size, &s->rcvtimeo_ns);
	case ABI_SO_SNDTIMEO_OLD:
	case ABI_SO_SNDTIMEO_NEW:
		return set_timeout(t, uval, size, &s->sndtimeo_ns);
	}
	ret = set_int(s, t, name, value);
	if (ret == -ENOPROTOOPT && s->ops->setsockopt)
		return s->ops->setsockopt(s, t, level, name, uval, size);
	return ret;
}

static int get_int(struct socket *s, int name, int32_t *ret)
{
	switch (name) {
	case ABI_SO_DEBUG:
		*ret = s->debug;
		break;
	case ABI_SO_REUSEADDR:
		*ret = s->reuseaddr;
		break;
	case ABI_SO_REUSEPORT:
		*ret = s->reuseport;
		break;
	case ABI_SO_TYPE:
		*ret = s->type;
		break;
	case ABI_SO_PROTOCOL:
		*ret = s->protocol;
		break;
	case ABI_SO_DOMAIN:
		*ret = s->family;
		break;
	case ABI_SO_ERROR:
		*ret = -socket_error(s);
		break;
	case ABI_SO_DONTROUTE:
		*ret = s->dontroute;
		break;
	case ABI_SO_BROADCAST:
		*ret = s->broadcast;
		break;
	case ABI_SO_SNDBUF:
		*ret = s->sndbuf;
		break;
	case ABI_SO_RCVBUF:
		*ret = s->rcvbuf;
		break;
	case ABI_SO_KEEPALIVE:
		*ret = s->keepalive;
		break;
	case ABI_SO_OOBINLINE:
		*ret = s->oobinline;
		break;
	case ABI_SO_NO_CHECK:
		*ret = s->no_check;
		break;
	case ABI_SO_PRIORITY:
		*ret = s->priority;
		break;
	case ABI_SO_BSDCOMPAT:
		*ret = 0;
		break;
	case ABI_SO_PASSCRED:
		if (s->family != AF_UNIX && s->family != AF_NETLINK)
			return -EOPNOTSUPP;
		*ret = s->passcred;
		break;
	case ABI_SO_RCVLOWAT:
		*ret = s->rcvlowat;
		break;
	case ABI_SO_SNDLOWAT:
		*ret = 1;
		break;
	case ABI_SO_TIMESTAMP_OLD:
		*ret = s->timestamp;
		break;
	case ABI_SO_TIMESTAMPNS_OLD:
		*ret = s->timestampns;
		break;
	case ABI_SO_ACCEPTCONN:
		*ret = s->state == SS_LISTEN;
		break;
	case ABI_SO_MARK:
		*ret = (int32_t)s->mark;
		break;
	case ABI_SO_PEEK_OFF:
		if (s->family != AF_UNIX && s->family != AF_INET && s->family != AF_INET6)
			return -EOPNOTSUPP;
		*ret = s->peek_off;
		break;
	case ABI_SO_INCOMING_CPU:
		*ret = -1;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

static long put_value(struct task *t, const void *value, size_t size, uint64_t uval, uint64_t usize,
		      int32_t room)
{
	room = (int32_t)MIN((size_t)room, size);
	if (user_write(t, uval, value, (size_t)room) || user_put(t, room, usize))
		return -EFAULT;
	return 0;
}

static long get_peer_cred(struct socket *s, struct task *t, uint64_t uval, uint64_t usize, int32_t room)
{
	struct abi_ucred u = {0, UINT32_MAX, UINT32_MAX};
	const struct cred *c = s->peer_cred.cred;

	if (c)
		u = (struct abi_ucred){sock_pid_for(t, s->peer_cred.pid), c->euid, c->egid};
	return put_value(t, &u, sizeof(u), uval, usize, room);
}

static long get_peer_groups(struct socket *s, struct task *t, uint64_t uval, uint64_t usize, int32_t room)
{
	const struct cred *c = s->peer_cred.cred;
	int32_t size;

	if (!c)
		return -ENODATA;
	size = c->groups ? (int32_t)(c->groups->count * sizeof(uint32_t)) : 0;
	if (user_put(t, size, usize))
		return -EFAULT;
	if (room < size)
		return -ERANGE;
	return size ? user_write(t, uval, c->groups->gid, (size_t)size) : 0;
}

static long get_peer_name(struct socket *s, struct task *t, uint64_t uval, uint64_t usize, int32_t room)
{
	struct sock_addr addr = {.size = 0};

	if (s->ops->getname(s, true, &addr))
		return -ENOTCONN;
	if (addr.size < room)
		return -EINVAL;
	return put_value(t, addr.raw, (size_t)room, uval, usize, room);
}

long socket_getopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint64_t usize)
{
	struct abi_timeval tv;
	int32_t room, value;
	int ret;

	if (level != ABI_SOL_SOCKET)
		return s->ops->getsockopt ? s->ops->getsockopt(s, t, level, name, uval, usize)
					  : -EOPNOTSUPP;
	if (user_get(t, room, usize))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	switch (name) {
	case ABI_SO_LINGER:
		return put_value(t, &s->linger, sizeof(s->linger), uval, usize, room);
	case ABI_SO_RCVTIMEO_OLD:
	case ABI_SO_RCVTIMEO_NEW:
		tv = ns_timeval(s->rcvtimeo_ns);
		return put_value(t, &tv, sizeof(tv), uval, usize, room);
	case ABI_SO_SNDTIMEO_OLD:
	case ABI_SO_SNDTIMEO_NEW:
		tv = ns_timeval(s->sndtimeo_ns);
		return put_value(t, &tv, sizeof(tv), uval, usize, room);
	case ABI_SO_PEERCRED:
		return get_peer_cred(s, t, uval, usize, room);
	case ABI_SO_PEERGROUPS:
		return get_peer_groups(s, t, uval, usize, room);
	case ABI_SO_PEERNAME:
		return get_peer_name(s, t, uval, usize, room);
	case ABI_SO_COOKIE:
		if (room < (int32_t)sizeof(s->cookie))
			return -EINVAL;
		return put_value(t, &s->cookie, sizeof(s->cookie), uval, usize, room);
	}
	ret = get_int(s, name, &value);
	if (ret == -ENOPROTOOPT && s->ops->getsockopt)
		return s->ops->getsockopt(s, t, level, name, uval, usize);
	if (ret)
		return ret;
	return put_value(t, &value, sizeof(value), uval, usize, room);
}
