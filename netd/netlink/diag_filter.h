/* The filter language of sock_diag(7) (INET_DIAG_REQ_BYTECODE), with which ss(8) has its expressions checked here. */
#ifndef NETD_NETLINK_DIAG_FILTER_H
#define NETD_NETLINK_DIAG_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netd/sock/sock.h"

/* What a filter may ask about. */
struct diag_subject {
	int family;
	const struct nsock_name *local, *peer;
	int ifindex;
	uint32_t mark;
	bool bound_port; /* the program chose its port itself */
};
/* Does the code end within itself, whatever it is run on? */
bool diag_filter_check(const uint8_t *code, size_t size);
bool diag_filter_run(const uint8_t *code, size_t size, const struct diag_subject *s);

#endif
