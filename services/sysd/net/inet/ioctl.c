/* ioctl(2) on Internet sockets: what lies in the buffers, marks and times, and the old interface requests, which netd
 * answers. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/abi/fcntl.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"
#include "services/sysd/vfs/file.h"

#define OUTQNSD 0x894bu
#define STAMP_OLD 0x8906u
#define STAMPNS_OLD 0x8907u
#define STAMP_NEW 0x80108906u
#define STAMPNS_NEW 0x80108907u
#define IFREQ_SIZE 40u
#define RTENTRY_SIZE 120u
#define ARPREQ_SIZE 68u
#define ETHTOOL_ROOM 512u

struct abi_ifconf {
	int32_t size, pad;
	uint64_t buf;
};

static unsigned caps_of(struct task *t)
{
	return (capable(t, CAP_NET_ADMIN) ? NET_CAP_ADMIN : 0) | (capable(t, CAP_NET_RAW) ? NET_CAP_RAW : 0);
}

static int ask(struct net_ns *in, struct task *t, unsigned cmd, const void *data, uint32_t size, struct netd_reply *r)
{
	struct net_msg *m;
	uint32_t ns;
	int err = netd_ns(in, &ns);

	if (err)
		return err;
	m = netd_msg(NET_IOCTL);
	m->ns = ns;
	m->value = cmd;
	m->flags = caps_of(t);
	m->data = data;
	m->data_size = size;
	err = netd_call(m, r);
	return err == -EOPNOTSUPP ? -ENOTTY : err;
}

/* A structure of a fixed size, in and out. */
static long plain_request(struct net_ns *in, struct task *t, unsigned cmd, uint64_t arg, uint32_t size)
{
	uint8_t buf[RTENTRY_SIZE];
	struct netd_reply r;
	long err;

	if (user_read(t, buf, arg, size))
		return -EFAULT;
	err = ask(in, t, cmd, buf, size, &r);
	if (err)
		return err;
	if (r.data_size == size)
		err = user_write(t, arg, r.data, size);
	netd_reply_done(&r);
	return err;
}

/* SIOCGIFCONF: as many interfaces as fit. */
static long list_interfaces(struct net_ns *in, struct task *t, uint64_t arg)
{
	struct abi_ifconf c;
	struct netd_reply r;
	uint32_t n;
	long err;

	if (user_get(t, c, arg))
		return -EFAULT;
	err = ask(in, t, SIOCGIFCONF, NULL, 0, &r);
	if (err)
		return err;
	n = r.data_size - r.data_size % IFREQ_SIZE;
	if (c.buf) {
		n = MIN(n, (uint32_t)MAX(c.size, 0) / IFREQ_SIZE * IFREQ_SIZE);
		if (n && user_write(t, c.buf, r.data, n))
			err = -EFAULT;
	}
	c.size = (int32_t)n;
	netd_reply_done(&r);
	if (!err && user_put(t, c, arg))
		err = -EFAULT;
	return err;
}

/* SIOCETHTOOL: the request names a structure of its own. */
static long ethtool(struct net_ns *in, struct task *t, uint64_t arg)
{
	uint8_t buf[IFREQ_SIZE + ETHTOOL_ROOM] = {0};
	struct netd_reply r;
	uint64_t inner;
	size_t have = ETHTOOL_ROOM;
	long err;

	if (user_read(t, buf, arg, IFREQ_SIZE))
		return -EFAULT;
	memcpy(&inner, buf + IFNAMSIZ, sizeof(inner));
	/* How long it is depends on its first word; take what there is. */
	while (have > 4 && user_read(t, buf + IFREQ_SIZE, inner, have))
		have /= 2;
	if (have <= 4 && user_read(t, buf + IFREQ_SIZE, inner, 4))
		return -EFAULT;
	err = ask(in, t, SIOCETHTOOL, buf, sizeof(buf), &r);
	if (err)
		return err == -ENOTTY ? -EOPNOTSUPP : err;
	if (r.data_size > IFREQ_SIZE)
		err = user_write(t, inner, r.data + IFREQ_SIZE, r.data_size - IFREQ_SIZE);
	netd_reply_done(&r);
	return err;
}

static long get_stamp(struct inet_sock *k, struct task *t, bool ns, uint64_t arg)
{
	struct abi_timespec spec = ns_timespec(k->last_rx_ns);
	struct abi_timeval val = ns_timeval(k->last_rx_ns);

	if (!k->last_rx_ns)
		return -ENOENT;
	return ns ? user_put(t, spec, arg) : user_put(t, val, arg);
}

static long owner(struct inet_sock *k, struct task *t, unsigned cmd, uint64_t arg)
{
	struct file *f = k->s.file;
	int32_t pid;

	if (!f)
		return -EBADF;
	if (cmd == FIOGETOWN || cmd == SIOCGPGRP) {
		pid = f->owner_type == ABI_F_OWNER_PGRP ? -f->owner_pid : f->owner_pid;
		return user_put(t, pid, arg);
	}
	if (user_get(t, pid, arg))
		return -EFAULT;
	if (pid == INT32_MIN)
		return -EINVAL;
	file_set_owner(f, t, pid < 0 ? ABI_F_OWNER_PGRP : ABI_F_OWNER_PID, pid < 0 ? -pid : pid);
	return 0;
}

static long stream_value(struct inet_sock *k, struct task *t, unsigned cmd, uint64_t arg)
{
	int32_t value = 0;

	if (k->s.state == SS_LISTEN && cmd != SIOCATMARK)
		return -EINVAL;
	switch (cmd) {
	case SIOCINQ:
		value = (int32_t)MIN(inet_stream_avail(k), (uint64_t)INT32_MAX);
		break;
	case SIOCATMARK:
		value = k->urgent_valid && inet_stream_pos(k) == k->urgent_pos;
		break;
	default:
		value = (int32_t)MIN(inet_stream_unsent(k), (uint64_t)INT32_MAX);
	}
	return user_put(t, value, arg);
}

static long dgram_value(struct inet_sock *k, struct task *t, unsigned cmd, uint64_t arg)
{
	int32_t value = 0;

	if (cmd == SIOCATMARK || cmd == OUTQNSD)
		return -ENOTTY;
	if (cmd == SIOCINQ)
		value = (int32_t)MAX(inet_dgram_next_size(k), (int64_t)0);
	else if (k->ctl)
		value = (int32_t)(k->tx.tail - k->tx.head);
	return user_put(t, value, arg);
}

long inet_ioctl(struct socket *s, struct task *t, unsigned cmd, uint64_t arg)
{
	struct inet_sock *k = inet_sk(s);

	switch (cmd) {
	case SIOCINQ:
	case SIOCOUTQ:
	case OUTQNSD:
	case SIOCATMARK:
		return s->type == SOCK_STREAM ? stream_value(k, t, cmd, arg) : dgram_value(k, t, cmd, arg);
	case STAMP_OLD:
	case STAMP_NEW:
		return get_stamp(k, t, false, arg);
	case STAMPNS_OLD:
	case STAMPNS_NEW:
		return get_stamp(k, t, true, arg);
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		return owner(k, t, cmd, arg);
	}
	return -ENOTTY;
}

long inet_dev_ioctl(struct net_ns *in, struct task *t, unsigned cmd, uint64_t arg)
{
	switch (cmd) {
	case SIOCGIFCONF:
		return list_interfaces(in, t, arg);
	case SIOCETHTOOL:
		return ethtool(in, t, arg);
	case SIOCADDRT:
	case SIOCDELRT:
		return plain_request(in, t, cmd, arg, RTENTRY_SIZE);
	case SIOCGARP:
	case SIOCSARP:
	case SIOCDARP:
		return plain_request(in, t, cmd, arg, ARPREQ_SIZE);
	}
	if (cmd >= SIOCGIFNAME && cmd <= 0x89ff)
		return plain_request(in, t, cmd, arg, IFREQ_SIZE);
	return -ENOTTY;
}
