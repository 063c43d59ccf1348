/* Signals during sleeping reads and writes: EINTR, SA_RESTART, partial writes. */
#include "../say.h"
static int fd = -1;
static void on(int s)
{
	if (fd >= 0)
		write(fd, "!", 1);
}
int main(void)
{
	struct sigaction sa = {.sa_handler = on};
	static char big[200000];
	char c;
	int p[2];

	MUST(pipe(p));
	sigaction(SIGALRM, &sa, NULL);
	ualarm(30000, 0);
	SAY(read(p[0], &c, 1));
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	fd = p[1];
	ualarm(30000, 0);
	SAY(read(p[0], &c, 1));
	printf("%c\n", c);
	fd = -1;
	ualarm(30000, 0);
	SAY(write(p[1], big, sizeof(big)));
	sa.sa_flags = 0;
	sigaction(SIGALRM, &sa, NULL);
	ualarm(30000, 0);
	SAY(write(p[1], big, 1));
	return 0;
}
