/* Address families. Each registers itself once; socket(2) finds it here. A family without an entry
 * answers EAFNOSUPPORT, which is what AF_INET and its kin do until netd's sockets register. */
#ifndef SYSD_NET_FAMILY_H
#define SYSD_NET_FAMILY_H

#include <stdint.h>

struct net_ns;
struct socket;
struct task;

#define NET_FAMILY_MAX 46
struct net_family {
	int family;
	/* Makes a socket (socket_init done, ops set). type is checked to be below ABI_SOCK_MAX.
	 * -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EPERM, -ENOMEM... May sleep. */
	int (*create)(struct task *t, struct net_ns *ns, int type, int protocol, struct socket **ret);
};
/* At start-up (a constructor will do). */
void net_family_register(const struct net_family *f);
const struct net_family *net_family_find(int family); /* NULL: none */

#endif
