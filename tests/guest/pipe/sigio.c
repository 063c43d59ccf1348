/* O_ASYNC: SIGIO when a pipe becomes readable, with F_SETSIG its details. */
#include "../say.h"
static volatile int count, code, band, fdno;
static void on(int s, siginfo_t *si, void *u)
{
	count++;
	code = si->si_code;
	band = (int)si->si_band;
	fdno = si->si_fd;
}
int main(void)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART};
	int p[2];
	char c;

	MUST(pipe(p));
	sigaction(SIGIO, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	SAY(fcntl(p[0], F_SETOWN, getpid()));
	printf("%d\n", fcntl(p[0], F_GETOWN) == getpid());
	SAY(fcntl(p[0], F_SETFL, O_ASYNC));
	MUST(write(p[1], "x", 1));
	printf("%d\n", count);
	MUST(read(p[0], &c, 1));
	SAY(fcntl(p[0], F_SETSIG, SIGRTMIN));
	MUST(write(p[1], "x", 1));
	printf("%d code %d band %x fd %d\n", count, code, band, fdno == p[0]);
	MUST(read(p[0], &c, 1));
	SAY(fcntl(p[0], F_SETFL, 0));
	MUST(write(p[1], "x", 1));
	printf("%d\n", count);
	return 0;
}
