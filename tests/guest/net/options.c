/* The options that programs set, on stream and datagram sockets of both families: defaults, what is kept, errors. */
#include "net.h"
#include <netinet/udp.h>

static const struct option {
	const char *name;
	int level, opt, values[4];
} options[] = {
#define O(l, o, ...) {#o, l, o, {__VA_ARGS__}}
	O(SOL_SOCKET, SO_REUSEADDR, 1, 0, 7, -1), O(SOL_SOCKET, SO_REUSEPORT, 1, 0, 7, -1),
	O(SOL_SOCKET, SO_KEEPALIVE, 1, 0, 7, -1), O(SOL_SOCKET, SO_BROADCAST, 1, 0, 7, -1),
	O(SOL_SOCKET, SO_OOBINLINE, 1, 0, 7, -1), O(SOL_SOCKET, SO_DONTROUTE, 1, 0, 7, -1),
	O(SOL_SOCKET, SO_RCVLOWAT, 1, 0, 100, 50), O(SOL_SOCKET, SO_PRIORITY, 0, 6, 3, 0),
	O(SOL_SOCKET, SO_TIMESTAMP, 1, 0, 0, 0), O(SOL_SOCKET, SO_RXQ_OVFL, 1, 0, 0, 0),
	O(SOL_SOCKET, SO_ACCEPTCONN, 1, 0, 0, 0), O(SOL_SOCKET, SO_TYPE, 1, 0, 0, 0),
	O(SOL_SOCKET, SO_PROTOCOL, 1, 0, 0, 0), O(SOL_SOCKET, SO_DOMAIN, 1, 0, 0, 0),
	O(SOL_SOCKET, SO_ZEROCOPY, 1, 0, 2, -1),
	O(SOL_IP, IP_TOS, 0x10, 0x100, 0, -1), O(SOL_IP, IP_TTL, 1, 0, 256, -1), O(SOL_IP, IP_PKTINFO, 1, 0, 7, -1),
	O(SOL_IP, IP_RECVTTL, 1, 0, 7, -1), O(SOL_IP, IP_RECVERR, 1, 0, 7, -1), O(SOL_IP, IP_MTU_DISCOVER, 0, 2, 6, -1),
	O(SOL_IP, IP_MULTICAST_TTL, 0, 255, 256, -1), O(SOL_IP, IP_MULTICAST_LOOP, 0, 1, 7, -1),
	O(SOL_IP, IP_FREEBIND, 1, 0, 7, -1), O(SOL_IP, IP_HDRINCL, 1, 0, 0, 0), O(SOL_IP, IP_MINTTL, 1, 256, 0, -1),
	O(SOL_IP, IP_TRANSPARENT, 1, 0, 0, 0), O(SOL_IP, 60, 1, 0, 0, 0),
	O(SOL_IPV6, IPV6_V6ONLY, 1, 0, 7, -1), O(SOL_IPV6, IPV6_UNICAST_HOPS, 1, 0, 256, -1),
	O(SOL_IPV6, IPV6_MULTICAST_HOPS, 1, 0, 256, -1), O(SOL_IPV6, IPV6_MULTICAST_LOOP, 0, 1, 2, -1),
	O(SOL_IPV6, IPV6_RECVPKTINFO, 1, 0, 7, -1), O(SOL_IPV6, IPV6_TCLASS, 1, 255, 256, -1),
	O(SOL_IPV6, IPV6_RECVERR, 1, 0, 7, -1), O(SOL_IPV6, IPV6_MTU_DISCOVER, 0, 2, 6, -1),
	O(SOL_IPV6, IPV6_RECVHOPLIMIT, 1, 0, 7, -1),
	O(SOL_TCP, TCP_NODELAY, 1, 0, 7, -1), O(SOL_TCP, TCP_CORK, 1, 0, 7, -1), O(SOL_TCP, TCP_KEEPIDLE, 1, 0, 32767, 32768),
	O(SOL_TCP, TCP_KEEPINTVL, 1, 0, 32767, 32768), O(SOL_TCP, TCP_KEEPCNT, 1, 0, 127, 128),
	O(SOL_TCP, TCP_SYNCNT, 1, 0, 127, 128), O(SOL_TCP, TCP_MAXSEG, 500, 10, 40000, 0),
	O(SOL_TCP, TCP_USER_TIMEOUT, 1000, 0, -1, 0), O(SOL_TCP, 200, 1, 0, 0, 0),
	O(SOL_UDP, UDP_CORK, 1, 0, 0, 0), O(SOL_UDP, UDP_SEGMENT, 1000, 65536, 0, -1), O(999, 1, 1, 0, 0, 0),
};

static void run(int family, int type)
{
	printf("family %d type %d\n", family, type);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option *o = &options[i];
		int s = (int)MUST(socket(family, type, 0));

		printf("%s: %d", o->name, get_int(s, o->level, o->opt));
		for (int k = 0; k < 4; k++) {
			int r = set_int(s, o->level, o->opt, o->values[k]) < 0 ? -errno : 0;

			printf("; %d -> %d, %d", o->values[k], r, get_int(s, o->level, o->opt));
		}
		puts("");
		close(s);
	}
}

int main(void)
{
	struct linger l;
	struct timeval tv;
	socklen_t len;
	char one = 5, text[32] = "";
	int s, v;

	run(AF_INET, SOCK_STREAM);
	run(AF_INET6, SOCK_STREAM);
	run(AF_INET, SOCK_DGRAM);
	run(AF_INET6, SOCK_DGRAM);
	s = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	SAY(setsockopt(s, SOL_IP, IP_TTL, &one, 1));
	len = 1;
	SAY(getsockopt(s, SOL_IP, IP_TTL, &v, &len));
	printf("%u %d\n", len, *(char *)&v);
	SAY(setsockopt(s, SOL_TCP, TCP_NODELAY, &one, 1));
	SAY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, 3));
	SAY(setsockopt(s, SOL_TCP, TCP_NODELAY, BAD, 4));
	len = 4;
	SAY(getsockopt(s, SOL_TCP, TCP_NODELAY, BAD, &len));
	len = 2;
	SAY(getsockopt(s, SOL_TCP, TCP_NODELAY, text, &len));
	printf("%u\n", len);
	len = (socklen_t)-1;
	SAY(getsockopt(s, SOL_TCP, TCP_NODELAY, text, &len));
	len = sizeof(l);
	SAY(getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &len));
	printf("%d %d\n", l.l_onoff, l.l_linger);
	l = (struct linger){1, 3};
	SAY(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4));
	SAY(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	tv = (struct timeval){1, 500000};
	SAY(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	len = sizeof(tv);
	SAY(getsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, &len));
	printf("%ld.%06ld\n", tv.tv_sec, tv.tv_usec);
	len = sizeof(text);
	SAY(getsockopt(s, SOL_TCP, TCP_CONGESTION, text, &len));
	SAY(setsockopt(s, SOL_TCP, TCP_CONGESTION, "reno", 4));
	len = sizeof(text);
	SAY(getsockopt(s, SOL_TCP, TCP_CONGESTION, text, &len));
	printf("%s %u\n", text, len);
	SAY(setsockopt(s, SOL_TCP, TCP_CONGESTION, "nonsense", 8));
	SAY(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nosuchif", 8));
	SAY(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	len = sizeof(text);
	SAY(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, text, &len));
	printf("%s %u\n", text, len);
	SAY(set_int(s, SOL_SOCKET, SO_SNDBUF, 30000));
	printf("%d\n", get_int(s, SOL_SOCKET, SO_SNDBUF));
	SAY(set_int(s, SOL_SOCKET, SO_RCVBUF, 1));
	printf("%d\n", get_int(s, SOL_SOCKET, SO_RCVBUF));
	return 0;
}
