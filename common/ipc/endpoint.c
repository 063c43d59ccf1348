/* One nng pair socket (pair0: one peer at a time) and one receive aio that is re-armed from its own
 * callback. */
#include "common/ipc/endpoint.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/transport/ipc/ipc.h>
#include <stdio.h>
#include "common/base/util.h"
#include "common/log/log.h"

#define QUEUE_COUNT 128

struct endpoint {
	nng_socket socket;
	nng_aio *aio;
	struct endpoint_ops ops;
	uid_t peer_uid;
};

static int from_nng(int r)
{
	switch (r) {
	case 0:
		return 0;
	case NNG_EAGAIN:
	case NNG_ETIMEDOUT:
		return -EAGAIN;
	case NNG_ENOMEM:
		return -ENOMEM;
	case NNG_EMSGSIZE:
		return -EMSGSIZE;
	case NNG_EADDRINUSE:
		return -EADDRINUSE;
	case NNG_ECONNREFUSED:
		return -ECONNREFUSED;
	case NNG_ENOENT:
		return -ENOENT;
	case NNG_EPERM:
		return -EPERM;
	case NNG_ECLOSED:
	case NNG_ECONNRESET:
	case NNG_ECONNSHUT:
		return -EPIPE;
	case NNG_EADDRINVAL:
		return -ENAMETOOLONG;
	default:
		return r & NNG_ESYSERR ? -(r & ~NNG_ESYSERR) : -EIO;
	}
}

static void on_message(void *arg)
{
	struct endpoint *ep = arg;
	nng_msg *msg;
	int r = nng_aio_result(ep->aio);

	if (r == NNG_ECLOSED || r == NNG_ECANCELED)
		return;
	if (r == 0) {
		msg = nng_aio_get_msg(ep->aio);
		ep->ops.recv(ep->ops.arg, nng_msg_body(msg), nng_msg_len(msg));
		nng_msg_free(msg);
	}
	nng_recv_aio(ep->socket, ep->aio);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct endpoint *ep = arg;
	uint64_t uid;

	if (event == NNG_PIPE_EV_REM_POST) {
		if (ep->ops.gone)
			ep->ops.gone(ep->ops.arg);
		return;
	}
	if (event != NNG_PIPE_EV_ADD_PRE || ep->peer_uid == (uid_t)-1)
		return;
	if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) != 0 || uid != ep->peer_uid) {
		log_warn("a stranger on the control socket was refused");
		nng_pipe_close(pipe);
	}
}

static int make(const struct endpoint_ops *ops, uid_t peer_uid, struct endpoint **ret_ep)
{
	struct endpoint *ep = calloc(1, sizeof(*ep));
	int r;

	if (!ep)
		return -ENOMEM;
	ep->ops = *ops;
	ep->peer_uid = peer_uid;
	r = nng_pair0_open(&ep->socket);
	if (r) {
		free(ep);
		return from_nng(r);
	}
	r = nng_aio_alloc(&ep->aio, on_message, ep);
	if (!r)
		r = nng_socket_set_int(ep->socket, NNG_OPT_SENDBUF, QUEUE_COUNT);
	if (!r)
		r = nng_socket_set_size(ep->socket, NNG_OPT_RECVMAXSZ, ENDPOINT_MSG_MAX);
	if (!r)
		r = nng_pipe_notify(ep->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, ep);
	if (!r)
		r = nng_pipe_notify(ep->socket, NNG_PIPE_EV_REM_POST, on_pipe, ep);
	if (r) {
		endpoint_close(ep);
		return from_nng(r);
	}
	*ret_ep = ep;
	return 0;
}

int endpoint_listen(const char *path, uid_t peer_uid, const struct endpoint_ops *ops,
		    struct endpoint **ret_ep)
{
	char url[128];
	nng_listener listener;
	struct endpoint *ep;
	int r;

	if ((size_t)snprintf(url, sizeof(url), "ipc://%s", path) >= sizeof(url))
		return -ENAMETOOLONG;
	r = make(ops, peer_uid, &ep);
	if (r < 0)
		return r;
	r = nng_listener_create(&listener, ep->socket, url);
	if (!r) /* who may reach it is decided by the directory, who may speak by the user id */
		r = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0666);
	if (!r)
		r = nng_listener_start(listener, 0);
	if (r) {
		endpoint_close(ep);
		return from_nng(r);
	}
	nng_recv_aio(ep->socket, ep->aio);
	*ret_ep = ep;
	return 0;
}

int endpoint_dial(const char *path, uid_t peer_uid, const struct endpoint_ops *ops,
		  struct endpoint **ret_ep)
{
	char url[128];
	struct endpoint *ep;
	int r;

	if ((size_t)snprintf(url, sizeof(url), "ipc://%s", path) >= sizeof(url))
		return -ENAMETOOLONG;
	r = make(ops, peer_uid, &ep);
	if (r < 0)
		return r;
	r = nng_dial(ep->socket, url, NULL, 0);
	if (r) {
		endpoint_close(ep);
		return from_nng(r);
	}
	nng_recv_aio(ep->socket, ep->aio);
	*ret_ep = ep;
	return 0;
}

int endpoint_send(struct endpoint *ep, const void *data, size_t size)
{
	nng_msg *msg;
	int r;

	if (size > ENDPOINT_MSG_MAX)
		return -EMSGSIZE;
	r = nng_msg_alloc(&msg, 0);
	if (!r)
		r = nng_msg_append(msg, data, size);
	if (r)
		return from_nng(r);
	r = nng_sendmsg(ep->socket, msg, NNG_FLAG_NONBLOCK);
	if (r)
		nng_msg_free(msg);
	return from_nng(r);
}

void endpoint_close(struct endpoint *ep)
{
	if (!ep)
		return;
	nng_close(ep->socket);
	if (ep->aio) {
		nng_aio_stop(ep->aio);
		nng_aio_free(ep->aio);
	}
	free(ep);
}
