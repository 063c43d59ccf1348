/* A server and a client over both families and as a dual stack: data both ways, half close, names. */
#include "net.h"

static void serve(int l)
{
	char buf[256];
	int c = (int)MUST(accept(l, NULL, NULL));
	ssize_t n;

	while ((n = read(c, buf, sizeof(buf))) > 0)
		MUST(write(c, buf, (size_t)n));
	MUST(write(c, "end", 3));
	close(c);
	_exit(0);
}

static void run(int family, int to, const char *name)
{
	struct sockaddr_storage a;
	struct sockaddr_in6 any = v6("::", 0);
	socklen_t len;
	char buf[256], text[64];
	int l, c, n;

	if (family == AF_INET6 && to == AF_INET) {
		l = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
		MUST(bind(l, (void *)&any, sizeof(any)));
		MUST(listen(l, 5));
	} else {
		l = listener(family, SOCK_STREAM);
	}
	if (!MUST(fork()))
		serve(l);
	c = connect_to(to, port_of(l));
	len = sizeof(a);
	MUST(getpeername(c, (void *)&a, &len));
	if (a.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, text, sizeof(text));
	printf("%s: peer %s size %u port %s\n", name, text, len,
	       ((struct sockaddr_in *)&a)->sin_port == htons((uint16_t)port_of(l)) ? "right" : "wrong");
	for (int i = 0; i < 5; i++) {
		n = sprintf(text, "message %d", i);
		MUST(write(c, text, (size_t)n));
		n = (int)MUST(recv(c, buf, (size_t)n, MSG_WAITALL));
		printf("%.*s\n", n, buf);
	}
	MUST(shutdown(c, SHUT_WR));
	while ((n = (int)read(c, buf, sizeof(buf))) > 0)
		printf("after shutdown: %.*s\n", n, buf);
	SAY(n);
	SAY(write(c, "x", 1) < 0 ? -(long)errno : 0);
	close(c);
	close(l);
	wait(NULL);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	run(AF_INET, AF_INET, "v4");
	run(AF_INET6, AF_INET6, "v6");
	run(AF_INET6, AF_INET, "v4 to a v6 wildcard");
	return 0;
}
