/* What MSG_MORE and TCP_CORK hold back, what lets it go, and that it goes by itself after 200 ms (tcp(7)). */
#include "net.h"

static char big[200000];

static int there(int s)
{
	int n = -1;

	MUST(ioctl(s, FIONREAD, &n));
	return n;
}

static int unsent(int s)
{
	int n = -1;

	MUST(ioctl(s, TIOCOUTQ, &n));
	return n;
}

/* Waits up to a second for `want` bytes; what is there. */
static int arrives(int s, int want)
{
	for (int i = 0; i < 1000 && there(s) < want; i++)
		usleep(1000);
	return there(s);
}

static long ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void more(int s[2])
{
	char buf[64];
	long start;

	SAY(send(s[0], "abc", 3, MSG_MORE));
	printf("held: %d there, %d unsent\n", there(s[1]), unsent(s[0]));
	show_poll("held", s[1]);
	SAY(recv(s[1], buf, sizeof(buf), MSG_DONTWAIT));
	SAY(send(s[0], "d", 1, MSG_MORE));
	SAY(send(s[0], "", 0, 0)); /* no bytes, no push */
	printf("held: %d\n", there(s[1]));
	SAY(send(s[0], "ef", 2, 0));
	printf("pushed: %d\n", arrives(s[1], 6));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	printf("%.6s\n", buf);

	start = ms();
	SAY(send(s[0], "later", 5, MSG_MORE));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	printf("held for a while: %d\n", ms() - start >= 100 && ms() - start < 900);

	SAY(send(s[0], "part", 4, MSG_MORE));
	SAY(set_int(s[0], SOL_TCP, TCP_NODELAY, 1));
	printf("pushed by TCP_NODELAY: %d\n", arrives(s[1], 4));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	SAY(set_int(s[0], SOL_TCP, TCP_NODELAY, 0));
}

static void cork(int s[2])
{
	char buf[64];

	SAY(set_int(s[0], SOL_TCP, TCP_CORK, 1));
	SAY(send(s[0], "one", 3, 0));
	SAY(send(s[0], "two", 3, 0));
	printf("corked: %d\n", there(s[1]));
	SAY(set_int(s[0], SOL_TCP, TCP_CORK, 0));
	printf("uncorked: %d\n", arrives(s[1], 6));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	SAY(set_int(s[0], SOL_TCP, TCP_CORK, 1));
	SAY(send(s[0], "three", 5, 0));
	printf("corked: %d\n", there(s[1]));
	SAY(set_int(s[0], SOL_TCP, TCP_NODELAY, 1));
	printf("TCP_NODELAY pushes what a cork holds: %d\n", arrives(s[1], 5));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	SAY(set_int(s[0], SOL_TCP, TCP_NODELAY, 0));
	SAY(send(s[0], big, sizeof(big), 0));
	printf("full segments go: %d\n", arrives(s[1], 65000) >= 65000);
	SAY(set_int(s[0], SOL_TCP, TCP_CORK, 0));
	SAY(recv(s[1], big, sizeof(big), MSG_WAITALL));
}

static void ends(int family)
{
	char buf[64];
	int s[2];

	tcp_pair(family, s);
	SAY(send(s[0], "end", 3, MSG_MORE));
	SAY(shutdown(s[0], SHUT_WR));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	close(s[0]);
	close(s[1]);
	tcp_pair(family, s);
	SAY(set_int(s[0], SOL_TCP, TCP_CORK, 1));
	SAY(send(s[0], "close", 5, 0));
	close(s[0]);
	SAY(recv(s[1], buf, sizeof(buf), 0));
	SAY(recv(s[1], buf, sizeof(buf), 0));
	close(s[1]);
	tcp_pair(family, s);
	SAY(send(s[0], "gone", 4, MSG_MORE));
	close(s[1]); /* nothing had arrived: no reset */
	close(s[0]);
}

static void run(int family)
{
	int s[2];

	tcp_pair(family, s);
	more(s);
	cork(s);
	close(s[0]);
	close(s[1]);
	ends(family);
}

int main(void)
{
	run(AF_INET);
	run(AF_INET6);
	return 0;
}
