/* The control plane: one nng pair over ipc://, whole CBOR messages in both directions. A request has
 * an id, its reply has the same; either side may send a notification. Exactly one peer, of a user id
 * that the listener knows; a second connection is refused by the protocol.
 *
 * The launcher listens and the service dials, so that the service's root can be read-only. */
#ifndef SBX_IPC_ENDPOINT_H
#define SBX_IPC_ENDPOINT_H

#include <stddef.h>
#include <sys/types.h>

#define ENDPOINT_MSG_MAX (8u * 1024 * 1024)

struct endpoint;

/* `recv` runs on a thread of nng, one call at a time; msg is valid during the call. `gone` (may be
 * NULL) runs there too when the connection ends. */
struct endpoint_ops {
	void (*recv)(void *arg, const void *msg, size_t size);
	void (*gone)(void *arg);
	void *arg;
};

/* Listens at a socket file; a path over 107 bytes is the caller's to shorten (/proc/self/fd/N/name).
 * peer_uid (uid_t)-1: any. 0 or -errno. */
int endpoint_listen(const char *path, uid_t peer_uid, const struct endpoint_ops *ops,
		    struct endpoint **ret_ep);
int endpoint_dial(const char *path, uid_t peer_uid, const struct endpoint_ops *ops,
		  struct endpoint **ret_ep);
/* Queues a message; never blocks. 0, -EAGAIN (the peer does not read), -EMSGSIZE, -ENOMEM, -EPIPE.
 * Any thread. */
int endpoint_send(struct endpoint *ep, const void *msg, size_t size);
/* Accepts NULL. After it no callback runs. */
void endpoint_close(struct endpoint *ep);

#endif
