#include "launcher/net/resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include "common/base/util.h"

struct link_ip resolver_find(const char *text)
{
	struct link_ip ip = {0};

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char word[16], address[64];

		if (sscanf(line, "%15s %63s", word, address) != 2 || strcmp(word, "nameserver") != 0)
			continue;
		if (inet_pton(AF_INET, address, ip.bytes) == 1 && ip.bytes[0] == 127) {
			ip.family = AF_INET;
			return ip;
		}
	}
	return (struct link_ip){0};
}

/* The one who gets it can name another destination at any time: bound to loopback, that leads no further than to this
 * host. */
static int open_socket(int type, struct err *e)
{
	CLEANUP_CLOSE int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")) < 0)
		return err_sys(e, errno, "a socket for the name server of the host");
	return STEAL_FD(fd);
}

int resolver_open(const struct link_ip *server, struct err *e)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(53)};
	CLEANUP_CLOSE int fd = open_socket(SOCK_DGRAM, e);

	memcpy(&sin.sin_addr, server->bytes, 4);
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		return err_sys(e, errno, "a socket for the name server of the host");
	return STEAL_FD(fd);
}

int resolver_open_tcp(int ret_fds[LINK_RESOLVER_LINES], struct err *e)
{
	for (size_t i = 0; i < LINK_RESOLVER_LINES; i++) {
		ret_fds[i] = open_socket(SOCK_STREAM, e);
		if (ret_fds[i] < 0) {
			int r = ret_fds[i];

			while (i-- > 0)
				close_fd(&ret_fds[i]);
			return r;
		}
	}
	return 0;
}
