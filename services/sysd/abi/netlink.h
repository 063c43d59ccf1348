/* Guest ABI of netlink(7) sockets. */
#ifndef SYSD_ABI_NETLINK_H
#define SYSD_ABI_NETLINK_H

#include <stdint.h>

struct abi_sockaddr_nl {
	uint16_t family, pad;
	uint32_t pid, groups;
};
_Static_assert(sizeof(struct abi_sockaddr_nl) == 12, "struct sockaddr_nl is 12 bytes");

struct abi_nlmsghdr {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};
#define ABI_NLMSG_ALIGN(n) (((n) + 3u) & ~3u)
#define ABI_NLMSG_ERROR 2
#define ABI_NLMSG_DONE 3
#define ABI_NLM_F_REQUEST 1u
#define ABI_NLM_F_MULTI 2u
#define ABI_NLM_F_ACK 4u
#define ABI_NLM_F_DUMP 0x300u
#define ABI_NLM_F_CAPPED 0x100u

#define ABI_NETLINK_ROUTE 0
#define ABI_NETLINK_SOCK_DIAG 4
#define ABI_NETLINK_AUDIT 9
#define ABI_NETLINK_KOBJECT_UEVENT 15
#define ABI_NETLINK_GENERIC 16

#define ABI_SOL_NETLINK 270
enum {
	ABI_NETLINK_ADD_MEMBERSHIP = 1, ABI_NETLINK_DROP_MEMBERSHIP, ABI_NETLINK_PKTINFO,
	ABI_NETLINK_BROADCAST_ERROR, ABI_NETLINK_NO_ENOBUFS,
	ABI_NETLINK_LISTEN_ALL_NSID = 8, ABI_NETLINK_LIST_MEMBERSHIPS, ABI_NETLINK_CAP_ACK,
	ABI_NETLINK_EXT_ACK, ABI_NETLINK_GET_STRICT_CHK,
};

#endif
