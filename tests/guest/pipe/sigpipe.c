/* SIGPIPE and EPIPE; a blocked writer learns that the reader left. */
#include "../say.h"
static void on(int s)
{
	printf("signal %d\n", s);
	fflush(stdout);
}
int main(void)
{
	int p[2], status;
	static char big[200000];
	pid_t pid;

	MUST(pipe(p));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	SAY(write(p[1], "x", 1));
	SAY(write(p[1], "x", 0));
	signal(SIGPIPE, on);
	SAY(write(p[1], "x", 1));
	close(p[1]);
	MUST(pipe(p));
	pid = MUST(fork());
	if (!pid) {
		close(p[1]);
		sleep_ms(50);
		_exit(3);
	}
	close(p[0]);
	SAY(write(p[1], big, sizeof(big)) == 65536);
	SAY(write(p[1], big, 1));
	wait(&status);
	say_exit(status);
	fflush(stdout);
	pid = MUST(fork());
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		write(p[1], "x", 1);
		_exit(0);
	}
	wait(&status);
	say_exit(status);
	return 0;
}
