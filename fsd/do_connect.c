/* Sockets of the host: a guest connects to one that stands in a bind mount, when the operator allowed that (--host-uds=open).
 * What listens there is reached as the container's files are: with the rights of the host's root towards that socket. The
 * descriptor goes to sysd; fsd keeps none, and says nothing on it. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "fsd/serve.h"

static int connect_to(int path_fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(un.sun_path, sizeof(un.sun_path), "self/fd/%d", path_fd);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int do_connect(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	static bool told;
	struct target t;
	int ret = req_target(s, q, false, &t);

	(void)rep;
	if (ret < 0)
		return ret;
	if (!S_ISSOCK(t.sx.stx_mode)) {
		ret = -ECONNREFUSED;
	} else if (!s->host_sockets || !s->proc_cwd) {
		if (!told)
			log_warn("the container wants to connect to a socket of the host: refused without --host-uds=open");
		told = true;
		ret = -ECONNREFUSED;
	} else {
		ret = connect_to(t.fd);
	}
	target_done(&t);
	if (ret < 0)
		return ret;
	s->fd_out = ret;
	return 0;
}
