/* Guest ABI of sockets (x86-64 Linux). */
#ifndef SYSD_ABI_SOCKET_H
#define SYSD_ABI_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#define ABI_SOCKADDR_MAX 128 /* struct sockaddr_storage */
struct abi_sockaddr_un {
	uint16_t family;
	char path[108];
};

struct abi_msghdr {
	uint64_t name;
	int32_t name_size, pad0;
	uint64_t iov, iov_count, control, control_size;
	uint32_t flags, pad1;
};
_Static_assert(sizeof(struct abi_msghdr) == 56, "struct msghdr is 56 bytes");
struct abi_mmsghdr {
	struct abi_msghdr hdr;
	uint32_t len, pad;
};
_Static_assert(sizeof(struct abi_mmsghdr) == 64, "struct mmsghdr is 64 bytes");

struct abi_cmsghdr {
	uint64_t len; /* with this header */
	int32_t level, type;
};
#define ABI_CMSG_ALIGN(n) (((n) + 7ul) & ~7ul)
#define ABI_CMSG_LEN(n) (sizeof(struct abi_cmsghdr) + (n))
#define ABI_CMSG_SPACE(n) (sizeof(struct abi_cmsghdr) + ABI_CMSG_ALIGN(n))

struct abi_ucred {
	int32_t pid;
	uint32_t uid, gid;
};
struct abi_linger {
	int32_t onoff, linger;
};

#define ABI_SCM_RIGHTS 1
#define ABI_SCM_CREDENTIALS 2
#define ABI_SCM_MAX_FD 253

#define ABI_SOL_SOCKET 1
enum {
	ABI_SO_DEBUG = 1, ABI_SO_REUSEADDR, ABI_SO_TYPE, ABI_SO_ERROR, ABI_SO_DONTROUTE, ABI_SO_BROADCAST,
	ABI_SO_SNDBUF, ABI_SO_RCVBUF, ABI_SO_KEEPALIVE, ABI_SO_OOBINLINE, ABI_SO_NO_CHECK,
	ABI_SO_PRIORITY, ABI_SO_LINGER, ABI_SO_BSDCOMPAT, ABI_SO_REUSEPORT, ABI_SO_PASSCRED,
	ABI_SO_PEERCRED, ABI_SO_RCVLOWAT, ABI_SO_SNDLOWAT, ABI_SO_RCVTIMEO_OLD, ABI_SO_SNDTIMEO_OLD,
	ABI_SO_BINDTODEVICE = 25, ABI_SO_ATTACH_FILTER, ABI_SO_DETACH_FILTER, ABI_SO_PEERNAME,
	ABI_SO_TIMESTAMP_OLD, ABI_SO_ACCEPTCONN, ABI_SO_PEERSEC, ABI_SO_SNDBUFFORCE,
	ABI_SO_RCVBUFFORCE, ABI_SO_PASSSEC, ABI_SO_TIMESTAMPNS_OLD, ABI_SO_MARK,
	ABI_SO_TIMESTAMPING_OLD, ABI_SO_PROTOCOL, ABI_SO_DOMAIN,
	ABI_SO_PEEK_OFF = 42,
	ABI_SO_INCOMING_CPU = 49,
	ABI_SO_COOKIE = 57,
	ABI_SO_PEERGROUPS = 59,
	ABI_SO_RCVTIMEO_NEW = 66, ABI_SO_SNDTIMEO_NEW,
	ABI_SO_PASSPIDFD = 76, ABI_SO_PEERPIDFD,
};

#define ABI_SOCK_CLOEXEC 02000000
#define ABI_SOCK_NONBLOCK 04000
#define ABI_SOCK_TYPE_MASK 0xf
#define ABI_SOCK_MAX 11

#define ABI_SHUT_RD_BIT 1 /* 1 + SHUT_RD: the kernel's own form of shutdown(2)'s argument */
#define ABI_SHUT_WR_BIT 2
#define ABI_SHUT_MASK 3

#endif
