/* Who may have a port together with whom: pairs of UDP sockets with options and addresses, and what bind says. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../say.h"

enum { REUSEADDR = 1, REUSEPORT = 2, V6ONLY = 4 };

static int make(const char *addr, unsigned options, uint16_t port, const char *what)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int family = strchr(addr, ':') ? AF_INET6 : AF_INET, one = 1;
	int fd = (int)MUST(socket(family, SOCK_DGRAM, 0));

	inet_pton(AF_INET, addr, &a.sin_addr);
	inet_pton(AF_INET6, addr, &a6.sin6_addr);
	if (options & REUSEADDR)
		MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (options & REUSEPORT)
		MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	if (options & V6ONLY)
		MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
	SAY_AS(what, bind(fd, family == AF_INET ? (void *)&a : (void *)&a6, family == AF_INET ? sizeof(a) : sizeof(a6)));
	return fd;
}

int main(void)
{
	static const char *const addrs[] = {"0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1", "::ffff:127.0.0.1"};
	static const unsigned options[] = {0, REUSEADDR, REUSEPORT, REUSEADDR | REUSEPORT, V6ONLY};
	char what[128];

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned j = 0; j < 6; j++) {
			for (unsigned k = 0; k < 5; k++) {
				for (unsigned l = 0; l < 5; l++) {
					int a, b;

					/* V6ONLY is for IPv6, and not for mapped addresses. */
					if ((options[k] & V6ONLY && (i < 3 || i == 5)) || (options[l] & V6ONLY && (j < 3 || j == 5)))
						continue;
					a = make(addrs[i], options[k], 5950, "first");
					snprintf(what, sizeof(what), "%s/%u then %s/%u", addrs[i], options[k], addrs[j], options[l]);
					b = make(addrs[j], options[l], 5950, what);
					close(a);
					close(b);
				}
			}
		}
	}
	return 0;
}
