/* Descriptors between two services, over one SOCK_SEQPACKET pair, matched to their message on a ring
 * by a ticket (unix(7), SCM_RIGHTS). */
#ifndef SBX_IPC_FDPASS_H
#define SBX_IPC_FDPASS_H
#include <stdint.h>

/* Sends fd under a ticket; fd stays the caller's. 0, -EAGAIN (socket full) or -errno. */
int fdpass_send(int sock, uint64_t ticket, int fd);
/* Receives the next descriptor (CLOEXEC) and its ticket; exactly one descriptor a message, more are
 * closed and make -EPROTO. -EAGAIN when flags has MSG_DONTWAIT and there is none. Returns the fd. */
int fdpass_recv(int sock, int flags, uint64_t *ret_ticket);

/* A small table for a receiver that gets descriptors before or after their messages. */
struct fdpass_inbox {
	int sock;
	struct fdpass_pending {
		uint64_t ticket;
		int fd;
	} *pending;
	unsigned count, capacity;
};
void fdpass_inbox_init(struct fdpass_inbox *in, int sock);
void fdpass_inbox_done(struct fdpass_inbox *in);
/* The descriptor of a ticket, waiting for it up to timeout_ms (0: do not wait); ownership to the
 * caller. -ETIMEDOUT, -EPIPE (peer gone) or -errno. */
int fdpass_inbox_take(struct fdpass_inbox *in, uint64_t ticket, int timeout_ms);

#endif
