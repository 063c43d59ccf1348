/* Weak: protocols that this build leaves out answer as if the kernel did not have them. */
#include <errno.h>

#include "netd/sock/sock.h"
#include "netd/tcp/tcp.h"

__attribute__((weak)) int tcp_create(struct netstack *st, int family, const struct nsock_up *up, void *owner,
				     struct nsock **ret)
{
	return -EPROTONOSUPPORT;
}

__attribute__((weak)) int raw_create(struct netstack *st, int family, int protocol, const struct nsock_up *up,
				     void *owner, struct nsock **ret)
{
	return -EPROTONOSUPPORT;
}

__attribute__((weak)) int ping_create(struct netstack *st, int family, const struct nsock_up *up, void *owner,
				      struct nsock **ret)
{
	return -EPROTONOSUPPORT;
}

__attribute__((weak)) int packet_create(struct netstack *st, int type, uint16_t protocol, const struct nsock_up *up,
					void *owner, struct nsock **ret)
{
	return -EAFNOSUPPORT;
}

__attribute__((weak)) bool tcp_urgent(const struct nsock *s, uint64_t *ret_pos, bool *ret_here)
{
	return false;
}

__attribute__((weak)) void nsock_pair_shutdown(struct nsock *s)
{
}

__attribute__((weak)) void nsock_pair_reset(struct nsock *s)
{
}

__attribute__((weak)) void nsock_pair_account(struct nsock *s, uint64_t sent, uint64_t received)
{
}
