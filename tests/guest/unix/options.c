/* Socket options: values, lengths, errors. */
#include "../say.h"
#include <sys/socket.h>
#include <sys/time.h>
static int s;
static void get(const char *name, int opt)
{
	int v = 0x55555555;
	socklen_t len = sizeof(v);
	int r = getsockopt(s, SOL_SOCKET, opt, &v, &len);

	if (r < 0)
		printf("get %s: %s\n", name, strerrorname_np(errno));
	else
		printf("get %s: %d (%u)\n", name, v, len);
}
static void set(const char *name, int opt, int v)
{
	printf("set %s %d: %s\n", name, v,
	       setsockopt(s, SOL_SOCKET, opt, &v, sizeof(v)) < 0 ? strerrorname_np(errno) : "ok");
}
#define GET(o) get(#o, o)
#define SET(o, v) set(#o, o, v)
int main(void)
{
	struct timeval tv = {0, 20000};
	struct linger li = {1, 5};
	socklen_t len;
	int p[2], v = 1;
	long start;
	char c[4];

	s = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	GET(SO_TYPE);
	GET(SO_DOMAIN);
	GET(SO_PROTOCOL);
	GET(SO_ERROR);
	GET(SO_ACCEPTCONN);
	GET(SO_REUSEADDR);
	SET(SO_REUSEADDR, 5);
	GET(SO_REUSEADDR);
	SET(SO_TYPE, 1);
	SET(SO_ERROR, 1);
	SET(SO_ACCEPTCONN, 1);
	SET(SO_SNDBUF, 10000);
	GET(SO_SNDBUF);
	SET(SO_SNDBUF, 1);
	GET(SO_SNDBUF);
	SET(SO_RCVBUF, 1);
	GET(SO_RCVBUF);
	SET(SO_KEEPALIVE, 1);
	GET(SO_KEEPALIVE);
	SET(SO_BROADCAST, 1);
	GET(SO_BROADCAST);
	SET(SO_PASSCRED, 1);
	GET(SO_PASSCRED);
	GET(SO_RCVLOWAT);
	SET(SO_RCVLOWAT, 0);
	GET(SO_RCVLOWAT);
	GET(SO_SNDLOWAT);
	SET(SO_SNDLOWAT, 3);
	SET(SO_REUSEPORT, 1);
	SET(SO_PRIORITY, 3);
	GET(SO_PRIORITY);
	GET(SO_PEEK_OFF);
	SET(SO_PEEK_OFF, 2);
	GET(SO_PEEK_OFF);
	set("999", 999, 1);
	get("999", 999);
	SAY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, 2));
	SAY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, BAD, 4));
	SAY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, (socklen_t)-1));
	SAY(setsockopt(s, 6, 1, &v, 4));
	SAY(setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &v, 4));
	len = 2;
	SAY(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &len));
	printf("%u\n", len);
	len = (socklen_t)-1;
	SAY(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &len));
	SAY(setsockopt(s, SOL_SOCKET, SO_LINGER, &li, sizeof(li)));
	li = (struct linger){0, 0};
	len = sizeof(li);
	SAY(getsockopt(s, SOL_SOCKET, SO_LINGER, &li, &len));
	printf("%d %d\n", li.l_onoff, li.l_linger);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	SAY(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	SAY(setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &tv, 4));
	len = sizeof(tv);
	SAY(getsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	printf("%ld %u\n", tv.tv_sec * 1000000 + tv.tv_usec, len);
	start = now_ms();
	SAY(read(p[0], c, 1));
	printf("%d\n", now_ms() - start >= 15);
	tv.tv_usec = 1000000;
	SAY(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	v = 2;
	MUST(setsockopt(p[0], SOL_SOCKET, SO_PEEK_OFF, &v, 4));
	MUST(write(p[1], "abcdef", 6));
	SAY(recv(p[0], c, 2, MSG_PEEK));
	printf("%.2s\n", c);
	SAY(recv(p[0], c, 1, MSG_PEEK));
	printf("%.1s\n", c);
	SAY(recv(p[0], c, 2, 0));
	SAY(recv(p[0], c, 2, MSG_PEEK));
	printf("%.1s\n", c);
	v = 3;
	MUST(setsockopt(p[0], SOL_SOCKET, SO_RCVLOWAT, &v, 4));
	SAY(recv(p[0], c, 4, MSG_DONTWAIT));
	MUST(write(p[1], "abcdef", 6));
	SAY(recv(p[0], c, 4, MSG_WAITALL));
	return 0;
}
