/* Local ports and who holds them, one space for each transport protocol, with Linux's conflict rules for
 * SO_REUSEADDR, SO_REUSEPORT, wildcard and dual-stack addresses, and bound interfaces. */
#ifndef NETD_SOCK_PORT_H
#define NETD_SOCK_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct netstack;
struct nsock;
struct nsock_name;

enum port_space { PORT_TCP, PORT_UDP, PORT_UDPLITE, PORT_PING, PORT_SPACE_COUNT };

/* Gives s the address and port of n; port 0: a free one of net.ipv4.ip_local_port_range, chosen so that it
 * cannot be guessed (RFC 6056). Sets s->local and s->port. -EADDRINUSE, -EADDRNOTAVAIL is checked before. */
int port_bind(struct nsock *s, enum port_space space, const struct nsock_name *n);
/* connect of an unbound TCP socket: a port such that the 4-tuple is unique (`taken` asks the transport); ports in use
 * by other connections may be shared. -EADDRNOTAVAIL: none left. */
int port_connect(struct nsock *s, enum port_space space, const struct nsock_name *local, const struct nsock_name *peer,
		 bool (*taken)(struct nsock *s, const struct nsock_name *local, const struct nsock_name *peer));
/* A child of a listener, TIME_WAIT: shares the holder's port. */
int port_share(struct nsock *s, struct nsock *holder);
void port_release(struct nsock *s);
/* TIME_WAIT outlives its socket: takes the holding out of s. It goes on to count in conflicts with the options that s
 * has now, until port_drop. NULL when s held none (port_drop accepts that). */
void *port_detach(struct nsock *s);
void port_drop(void *holding);
/* Does s, with its present options, conflict with others of its port (listen)? */
int port_listen_check(struct nsock *s);

#endif
