#include "launcher/sandbox/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "common/base/util.h"
#include "common/ipc/endpoint.h"

static int send_all(int sock, const void *data, size_t size, const int *fds, size_t fd_count)
{
	const char *p = data;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(STREAM_FDS_MAX * sizeof(int))];
	} control;

	while (size) {
		struct iovec iov = {.iov_base = (void *)p, .iov_len = size};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n;

		if (fd_count) {
			struct cmsghdr *c = &control.align;

			msg.msg_control = control.buf;
			msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
			memset(control.buf, 0, msg.msg_controllen);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
			memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
		}
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		fd_count = 0;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int stream_send(int sock, const struct ctl_msg *m, const int *fds, size_t fd_count)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	long size = ctl_encode(m, &buf);
	uint32_t head;
	int r;

	if (size < 0)
		return (int)size;
	if (fd_count > STREAM_FDS_MAX || size > ENDPOINT_MSG_MAX)
		return -E2BIG;
	head = (uint32_t)size;
	r = send_all(sock, &head, sizeof(head), fds, fd_count);
	return r < 0 ? r : send_all(sock, buf, (size_t)size, NULL, 0);
}

static void close_all(int *fds, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		close(fds[i]);
	*count = 0;
}

static int recv_all(int sock, void *data, size_t size, int *fds, size_t *fd_count)
{
	char *p = data;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(STREAM_FDS_MAX * sizeof(int))];
	} control;

	while (size) {
		struct iovec iov = {.iov_base = p, .iov_len = size};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
				     .msg_controllen = sizeof(control.buf)};
		ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
			size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
				continue;
			for (size_t i = 0; i < count; i++) {
				int fd;

				memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
				if (*fd_count < STREAM_FDS_MAX)
					fds[(*fd_count)++] = fd;
				else
					close(fd);
			}
		}
		if (n == 0)
			return -EPIPE;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int stream_recv(int sock, struct ctl_msg *ret, int *fds, size_t *ret_fd_count)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	size_t count = 0;
	uint32_t head;
	int r = recv_all(sock, &head, sizeof(head), fds, &count);

	if (r == 0 && (head == 0 || head > ENDPOINT_MSG_MAX))
		r = -EPROTO;
	if (r == 0) {
		buf = malloc(head);
		r = buf ? recv_all(sock, buf, head, fds, &count) : -ENOMEM;
	}
	if (r == 0)
		r = ctl_decode(buf, head, ret);
	if (r < 0) {
		close_all(fds, &count);
		return r;
	}
	*ret_fd_count = count;
	return 0;
}

static int address(const char *dir, struct sockaddr_un *a, int *ret_dir_fd)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/super.sock", fd);
	*ret_dir_fd = fd;
	return 0;
}

int stream_listen(const char *dir)
{
	CLEANUP_CLOSE int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), dir_fd = -1;
	struct sockaddr_un a;
	int r = address(dir, &a, &dir_fd);

	if (r < 0)
		return r;
	if (sock < 0 || bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(sock, 64) < 0)
		return -errno;
	return STEAL_FD(sock);
}

int stream_connect(const char *dir)
{
	CLEANUP_CLOSE int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), dir_fd = -1;
	struct sockaddr_un a;
	int r = address(dir, &a, &dir_fd);

	if (r < 0)
		return r;
	if (sock < 0 || connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return STEAL_FD(sock);
}

bool stream_peer_allowed(int sock)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}
