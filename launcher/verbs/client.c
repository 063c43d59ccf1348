#include <stdio.h>
#include "common/base/util.h"
#include "launcher/sandbox/stream.h"
#include "launcher/verbs/verbs.h"

int client_connect(const struct state *st, struct err *e)
{
	int sock = stream_connect(st->dir);

	if (sock == -ECONNREFUSED || sock == -ENOENT)
		return err_set(e, ESRCH, "container not running: %s", st->id);
	return sock < 0 ? err_sys(e, -sock, "container %s", st->id) : sock;
}

int64_t client_call(int sock, const struct ctl_msg *m, const int *fds, size_t fd_count, char **ret_text,
		    struct err *e)
{
	int got[STREAM_FDS_MAX];
	size_t got_count = 0;
	struct ctl_msg reply = {0};
	int64_t value;
	int r = stream_send(sock, m, fds, fd_count);

	if (r == 0)
		r = stream_recv(sock, &reply, got, &got_count);
	if (r < 0)
		return r == -EPIPE || r == -ECONNRESET ? err_set(e, EPIPE, "the container has ended")
				   : err_sys(e, -r, "talking to the supervisor");
	for (size_t i = 0; i < got_count; i++)
		close(got[i]);
	value = reply.value;
	if (value < 0)
		err_set(e, (int)-value, "%s", reply.text ? reply.text : strerror((int)-value));
	else if (ret_text)
		*ret_text = STEAL_PTR(reply.text);
	ctl_msg_done(&reply);
	return value;
}
