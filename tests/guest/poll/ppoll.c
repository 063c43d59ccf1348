/* ppoll and pselect6: the signal mask holds only while they sleep. */
#include "../say.h"
#include <poll.h>
#include <sys/select.h>
#include <sys/syscall.h>
static volatile int got;
static void on(int s)
{
	got++;
}
static int blocked(int s)
{
	sigset_t m;

	sigprocmask(SIG_BLOCK, NULL, &m);
	return sigismember(&m, s);
}
int main(void)
{
	struct sigaction sa = {.sa_handler = on};
	struct timespec ts = {0, 10000000}, bad = {0, 1000000000};
	sigset_t block, none;
	struct pollfd p;
	int a[2];

	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	MUST(pipe(a));
	p = (struct pollfd){a[0], POLLIN, 0};
	SAY(ppoll(&p, 1, &ts, &none));
	raise(SIGUSR1);
	printf("%d\n", got);
	SAY(ppoll(&p, 1, NULL, NULL == NULL ? &none : NULL));
	printf("%d %d\n", got, blocked(SIGUSR1));
	raise(SIGUSR1);
	SAY(pselect(0, NULL, NULL, NULL, NULL, &none));
	printf("%d %d\n", got, blocked(SIGUSR1));
	MUST(write(a[1], "x", 1));
	raise(SIGUSR1);
	SAY(ppoll(&p, 1, NULL, &none));
	printf("%d %d\n", got, blocked(SIGUSR1));
	sigprocmask(SIG_SETMASK, &none, NULL);
	printf("%d\n", got);
	SAY(ppoll(&p, 1, &bad, NULL));
	SAY(syscall(SYS_ppoll, &p, 1, &ts, &none, 4));
	SAY(syscall(SYS_ppoll, &p, 1, &ts, 8L, 8));
	SAY(syscall(SYS_pselect6, 0, 0L, 0L, 0L, &bad, 0L));
	ts = (struct timespec){100, 0};
	SAY(syscall(SYS_ppoll, &p, 1, &ts, NULL, 8));
	printf("%d\n", ts.tv_sec >= 90 && ts.tv_sec <= 100);
	ualarm(20000, 0);
	signal(SIGALRM, on);
	MUST(read(a[0], &a[1], 1));
	SAY(poll(&p, 1, 5000));
	return 0;
}
