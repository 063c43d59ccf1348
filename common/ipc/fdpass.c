/* Descriptor passing: a message is the 8 bytes of its ticket and one SCM_RIGHTS descriptor. The
 * peer may be hostile: whatever else it attaches is closed. */
#include "common/ipc/fdpass.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include "common/base/util.h"

#define FDPASS_PENDING_MAX 1024
#define FDPASS_RECV_MAX 16 /* room for what a peer should not have sent, so that it can be closed */

int fdpass_send(int sock, uint64_t ticket, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = &ticket, .iov_len = sizeof(ticket)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ETOOMANYREFS ? -EAGAIN : -errno;
	return 0;
}

int fdpass_recv(int sock, int flags, uint64_t *ret_ticket)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDPASS_RECV_MAX * sizeof(int))];
	} control;
	uint64_t data[2];
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	int fds[FDPASS_RECV_MAX];
	unsigned count = 0;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, (flags & MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t here;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here && count < FDPASS_RECV_MAX; i++)
			memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	if (n == sizeof(uint64_t) && count == 1 && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		*ret_ticket = data[0];
		return fds[0];
	}
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	return n == 0 && count == 0 ? -EPIPE : -EPROTO;
}

void fdpass_inbox_init(struct fdpass_inbox *in, int sock)
{
	*in = (struct fdpass_inbox){.sock = sock};
}

void fdpass_inbox_done(struct fdpass_inbox *in)
{
	for (unsigned i = 0; i < in->count; i++)
		close(in->pending[i].fd);
	free(in->pending);
	*in = (struct fdpass_inbox){.sock = -1};
}

static int take_pending(struct fdpass_inbox *in, uint64_t ticket)
{
	for (unsigned i = 0; i < in->count; i++) {
		if (in->pending[i].ticket == ticket) {
			int fd = in->pending[i].fd;

			in->pending[i] = in->pending[--in->count];
			return fd;
		}
	}
	return -1;
}

static int keep_pending(struct fdpass_inbox *in, uint64_t ticket, int fd)
{
	if (in->count == in->capacity) {
		unsigned capacity = in->capacity ? in->capacity * 2 : 8;
		struct fdpass_pending *p;

		if (capacity > FDPASS_PENDING_MAX)
			return -EPROTO;
		p = realloc(in->pending, capacity * sizeof(*p));
		if (!p)
			return -ENOMEM;
		in->pending = p;
		in->capacity = capacity;
	}
	in->pending[in->count++] = (struct fdpass_pending){.ticket = ticket, .fd = fd};
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int fdpass_inbox_take(struct fdpass_inbox *in, uint64_t ticket, int timeout_ms)
{
	int64_t deadline = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int fd = take_pending(in, ticket);

	if (fd >= 0)
		return fd;
	for (;;) {
		uint64_t got;
		int r;

		fd = fdpass_recv(in->sock, MSG_DONTWAIT, &got);
		if (fd >= 0) {
			if (got == ticket)
				return fd;
			r = keep_pending(in, got, fd);
			if (r) {
				close(fd);
				return r;
			}
			continue;
		}
		if (fd != -EAGAIN)
			return fd;
		if (timeout_ms >= 0) {
			struct pollfd p = {.fd = in->sock, .events = POLLIN};
			int64_t left = timeout_ms > 0 ? deadline - now_ms() : 0;

			if (left <= 0)
				return -ETIMEDOUT;
			if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
				return -errno;
		} else {
			struct pollfd p = {.fd = in->sock, .events = POLLIN};

			if (poll(&p, 1, -1) < 0 && errno != EINTR)
				return -errno;
		}
	}
}
