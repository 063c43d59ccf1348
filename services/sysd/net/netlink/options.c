/* Options of level SOL_NETLINK. */
#include <errno.h>
#include <linux/capability.h>

#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/netlink/netlink.h"
#include "services/sysd/task/task.h"

int netlink_may_listen(int protocol, struct task *t)
{
	switch (protocol) {
	case ABI_NETLINK_ROUTE:
	case ABI_NETLINK_KOBJECT_UEVENT:
	case ABI_NETLINK_GENERIC:
		return 0;
	default:
		return capable(t, CAP_NET_ADMIN) ? 0 : -EPERM;
	}
}

static int change_group(struct netlink_sock *k, struct task *t, int name, uint32_t group)
{
	int ret = netlink_may_listen(k->s.protocol, t);

	if (ret)
		return ret;
	/* groups beyond those that somebody sends to can be joined as well, and stay silent */
	if (!group || group > 1024)
		return -EINVAL;
	if (group > NETLINK_GROUPS_MAX)
		return 0;
	if (name == ABI_NETLINK_ADD_MEMBERSHIP)
		k->groups |= 1ull << (group - 1);
	else
		k->groups &= ~(1ull << (group - 1));
	netlink_groups_changed(k);
	return 0;
}

int netlink_setsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size)
{
	struct netlink_sock *k = netlink_sk(s);
	uint32_t value = 0;

	if (level != ABI_SOL_NETLINK)
		return -ENOPROTOOPT;
	if (size >= sizeof(value) && user_get(t, value, uval))
		return -EFAULT;
	switch (name) {
	case ABI_NETLINK_ADD_MEMBERSHIP:
	case ABI_NETLINK_DROP_MEMBERSHIP:
		return change_group(k, t, name, value);
	case ABI_NETLINK_PKTINFO:
		k->pktinfo = value;
		return 0;
	case ABI_NETLINK_BROADCAST_ERROR:
		k->broadcast_error = value;
		return 0;
	case ABI_NETLINK_NO_ENOBUFS:
		k->no_enobufs = value;
		return 0;
	case ABI_NETLINK_LISTEN_ALL_NSID:
		return capable(t, CAP_NET_ADMIN) ? 0 : -EPERM;
	case ABI_NETLINK_CAP_ACK:
		k->cap_ack = value;
		return 0;
	case ABI_NETLINK_EXT_ACK:
		k->ext_ack = value;
		return 0;
	case ABI_NETLINK_GET_STRICT_CHK:
		k->strict = value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int netlink_getsockopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint64_t usize)
{
	struct netlink_sock *k = netlink_sk(s);
	int32_t room, value;

	if (level != ABI_SOL_NETLINK)
		return -ENOPROTOOPT;
	if (user_get(t, room, usize))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	switch (name) {
	case ABI_NETLINK_PKTINFO:
		value = k->pktinfo;
		break;
	case ABI_NETLINK_BROADCAST_ERROR:
		value = k->broadcast_error;
		break;
	case ABI_NETLINK_NO_ENOBUFS:
		value = k->no_enobufs;
		break;
	case ABI_NETLINK_CAP_ACK:
		value = k->cap_ack;
		break;
	case ABI_NETLINK_EXT_ACK:
		value = k->ext_ack;
		break;
	case ABI_NETLINK_GET_STRICT_CHK:
		value = k->strict;
		break;
	case ABI_NETLINK_LIST_MEMBERSHIPS: {
		int32_t whole = sizeof(k->groups);

		if (user_write(t, uval, &k->groups, (size_t)MIN(room & ~3, whole)) || user_put(t, whole, usize))
			return -EFAULT;
		return 0;
	}
	default:
		return -ENOPROTOOPT;
	}
	if (room < (int32_t)sizeof(value))
		return -EINVAL;
	room = sizeof(value);
	if (user_put(t, value, uval) || user_put(t, room, usize))
		return -EFAULT;
	return 0;
}
