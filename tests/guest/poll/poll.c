/* poll: events of pipes and files, bad descriptors, timeouts, errors. */
#include "../say.h"
#include <poll.h>
#include <sys/resource.h>
static void show(const char *what, int r, struct pollfd *p, int n)
{
	printf("%s: %d", what, r);
	for (int i = 0; i < n; i++)
		printf(" %x", p[i].revents);
	printf("\n");
}
int main(void)
{
	struct pollfd p[6];
	int a[2], b[2];
	long start;
	static char big[65536];

	MUST(pipe(a));
	MUST(pipe(b));
	p[0] = (struct pollfd){a[0], POLLIN, 0};
	p[1] = (struct pollfd){a[1], POLLOUT, 0};
	p[2] = (struct pollfd){-1, POLLIN, 77};
	p[3] = (struct pollfd){999, POLLIN, 0};
	p[4] = (struct pollfd){b[0], POLLIN | POLLRDNORM, 0};
	p[5] = (struct pollfd){b[1], POLLOUT | POLLWRNORM | POLLIN, 0};
	show("all", poll(p, 6, -1), p, 6);
	MUST(write(a[1], "x", 1));
	show("in", poll(p, 2, 0), p, 2);
	close(a[1]);
	show("data and hangup", poll(p, 1, 0), p, 1);
	close(b[0]);
	p[5].events = 0;
	show("no reader", poll(p + 5, 1, 0), p + 5, 1);
	MUST(pipe(b));
	MUST(write(b[1], big, sizeof(big)));
	p[5] = (struct pollfd){b[1], POLLOUT, 0};
	show("full", poll(p + 5, 1, 0), p + 5, 1);
	MUST(read(b[0], big, 4095));
	show("nearly full", poll(p + 5, 1, 0), p + 5, 1);
	MUST(read(b[0], big, 1));
	show("a page free", poll(p + 5, 1, 0), p + 5, 1);
	p[0] = (struct pollfd){MUST(open("/dev/null", O_RDWR)), POLLIN | POLLOUT | POLLPRI, 0};
	show("null", poll(p, 1, 0), p, 1);
	p[0] = (struct pollfd){MUST(open("/etc/passwd", O_RDONLY)), POLLIN | POLLOUT, 0};
	show("file", poll(p, 1, -1), p, 1);
	MUST(pipe(a));
	p[0] = (struct pollfd){a[0], POLLIN, 55};
	start = now_ms();
	show("timeout", poll(p, 1, 30), p, 1);
	printf("%d\n", now_ms() - start >= 29);
	SAY(poll(NULL, 0, 5));
	SAY(poll(BAD, 1, 0));
	struct rlimit rl = {4, 4096};
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = 4;
	setrlimit(RLIMIT_NOFILE, &rl);
	SAY(poll(p, 5, 0));
	return 0;
}
