/* See hostside.h. */
#include "hostside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/util.h"

void stream_init(struct stream *s, uint64_t seed, uint64_t bytes)
{
	s->x = seed * 0x9e3779b97f4a7c15u + 1;
	s->hash = 1469598103934665603u;
	s->left = bytes;
}

static uint8_t next(struct stream *s)
{
	s->x ^= s->x << 13;
	s->x ^= s->x >> 7;
	s->x ^= s->x << 17;
	return (uint8_t)s->x;
}

uint32_t stream_fill(struct stream *s, uint8_t *buf, uint32_t size)
{
	size = (uint32_t)MIN((uint64_t)size, s->left);
	for (uint32_t i = 0; i < size; i++) {
		buf[i] = next(s);
		s->hash = (s->hash ^ buf[i]) * 1099511628211u;
	}
	s->left -= size;
	return size;
}

bool stream_check(struct stream *s, const uint8_t *buf, uint32_t size)
{
	if (size > s->left)
		return false;
	for (uint32_t i = 0; i < size; i++) {
		if (buf[i] != next(s))
			return false;
		s->hash = (s->hash ^ buf[i]) * 1099511628211u;
	}
	s->left -= size;
	return true;
}

static int fail(const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
	return 1;
}

static int converse(int fd, bool accepts, uint64_t bytes)
{
	static uint8_t out[65536], in[65536];
	uint32_t have = 0, at = 0;
	struct stream tx, rx;
	bool ended = false, shut = false;

	stream_init(&tx, accepts ? 2 : 1, bytes);
	stream_init(&rx, accepts ? 1 : 2, bytes);
	while (!ended || !shut) {
		struct pollfd p = {fd, (short)(POLLIN | (shut ? 0 : POLLOUT)), 0};
		ssize_t n;

		if (poll(&p, 1, 600000) <= 0)
			return fail("nothing happens");
		if (p.revents & (POLLIN | POLLHUP | POLLERR)) {
			n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN)
				return fail("recv");
			if (n == 0)
				ended = true;
			if (n > 0 && !stream_check(&rx, in, (uint32_t)n)) {
				fprintf(stderr, "host: wrong bytes before %llu from the end\n",
					(unsigned long long)rx.left);
				return 1;
			}
		}
		if (!shut && (p.revents & POLLOUT)) {
			if (at == have) {
				have = stream_fill(&tx, out, sizeof(out));
				at = 0;
			}
			if (!have) {
				shutdown(fd, SHUT_WR);
				shut = true;
				continue;
			}
			n = send(fd, out + at, have - at, MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				return fail("send");
			at += n > 0 ? (uint32_t)n : 0;
		}
	}
	if (rx.left) {
		fprintf(stderr, "host: %llu bytes are missing\n", (unsigned long long)rx.left);
		return 1;
	}
	return 0;
}

static int run(bool accepts, bool v6, uint16_t port, uint64_t bytes, const char *congestion, int ready)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr *a = v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	socklen_t len = v6 ? sizeof(a6) : sizeof(a4);
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), one = 1, c;

	if (fd < 0)
		return fail("socket");
	if (congestion)
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion));
	if (accepts) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, a, len) < 0 || listen(fd, 5) < 0)
			return fail("listen");
		if (write(ready, "", 1) != 1)
			return 1;
		c = accept(fd, NULL, NULL);
		if (c < 0)
			return fail("accept");
	} else {
		inet_pton(AF_INET, "10.77.0.1", &a4.sin_addr);
		inet_pton(AF_INET6, "fd77::1", &a6.sin6_addr);
		if (write(ready, "", 1) != 1)
			return 1;
		if (connect(fd, a, len) < 0)
			return fail("connect");
		c = fd;
	}
	return converse(c, accepts, bytes);
}

pid_t hostside_start(bool accepts, bool v6, uint16_t port, uint64_t bytes, const char *congestion)
{
	int p[2];
	pid_t pid;
	char c;

	if (pipe(p) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		alarm(1200);
		_exit(run(accepts, v6, port, bytes, congestion, p[1]));
	}
	close(p[1]);
	if (read(p[0], &c, 1) != 1)
		fprintf(stderr, "host: did not start\n");
	close(p[0]);
	return pid;
}

int hostside_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
