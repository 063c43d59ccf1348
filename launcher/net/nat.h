/* --network=nat: a link to the host and a way out through it, for a machine without a container engine. A veth
 * pair whose one end is in the sandbox's namespace, a subnet of four addresses, forwarding, and a rule that
 * hides the subnet behind the host's address. Every change has its step of the way back before it is made. */
#ifndef LAUNCHER_NET_NAT_H
#define LAUNCHER_NET_NAT_H

#include <sys/types.h>
#include "launcher/error.h"

/* Called on the host's network namespace; netns is the sandbox's, which gets "eth0" with address and default
 * route. undo: a list of undo.h. 0 or -errno. */
int nat_set_up(int netns, int undo, struct err *e);

/* In the caller's namespace, whose IPv4 addresses stay on the host's side because a program of the host uses
 * them from there (Docker's resolver asks the outside through the container's namespace): the host's kernel receives
 * only what answers it, and so leaves everything else to netd. */
int nat_hush(int undo, struct err *e);

/* Parts of the way back. */
void nat_leave(const char *name);                /* one fewer sandbox needs forwarding */
pid_t nat_spawn(char *const argv[], int err_fd); /* starts a program of the host; its messages to err_fd */

#endif
