/* Control messages over a UNIX stream socket, between the command line and a supervisor: a length, the
 * CBOR message, and descriptors beside it. */
#ifndef LAUNCHER_SANDBOX_STREAM_H
#define LAUNCHER_SANDBOX_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include "common/ipc/msg_ctl.h"

#define STREAM_FDS_MAX 250

/* 0 or -errno. Blocks. */
int stream_send(int sock, const struct ctl_msg *m, const int *fds, size_t fd_count);
/* Receives one message; the descriptors are the caller's. -EPIPE: the peer has gone. */
int stream_recv(int sock, struct ctl_msg *ret, int *fds, size_t *ret_fd_count);
/* Listens at / connects to DIR/super.sock; a long path is no problem. Only root may connect. */
int stream_listen(const char *dir);
int stream_connect(const char *dir);
/* True when the peer is the superuser or ourselves. */
bool stream_peer_allowed(int sock);

#endif
