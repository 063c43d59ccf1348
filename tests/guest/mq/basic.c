/* POSIX message queues. */
#include "tests/guest/show.h"
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#define NAME "/sbx-guest-mq"
static volatile sig_atomic_t code, value;
static void h(int s, siginfo_t *si, void *u)
{
	(void)s;
	(void)u;
	code = si->si_code;
	value = si->si_value.sival_int;
}
int main(void)
{
	struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 16}, got, bad = {.mq_maxmsg = 0, .mq_msgsize = 16};
	struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct timespec past = {1, 0}, badts = {0, -1};
	struct pollfd p;
	char buf[64];
	unsigned prio;
	mqd_t q, r;
	int st;

	mq_unlink(NAME);
	SHOW(mq_open(NAME, O_RDWR));
	SHOW(mq_open("no-slash", O_RDWR));
	SHOW(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL));
	SHOW(mq_open("/", O_RDWR | O_CREAT, 0600, NULL));
	SHOW(mq_open(NAME, O_RDWR | O_CREAT, 0600, &bad));
	q = mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q < 0)
		return 77;
	SHOW(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
	SHOW(mq_getattr(q, &got));
	printf("%ld %ld %ld %ld\n", got.mq_flags, got.mq_maxmsg, got.mq_msgsize, got.mq_curmsgs);
	SHOW(mq_send(q, "low", 3, 1));
	SHOW(mq_send(q, "high", 4, 9));
	SHOW(mq_send(q, "low2", 4, 1));
	SHOW(mq_timedsend(q, "full", 4, 1, &past));
	SHOW(mq_timedsend(q, "full", 4, 1, &badts));
	SHOW(mq_send(q, "12345678901234567", 17, 1));
	SHOW(mq_send(q, "x", 1, 32768));
	p = (struct pollfd){q, POLLIN | POLLOUT, 0};
	poll(&p, 1, 0);
	printf("%x\n", p.revents);
	SHOW(mq_receive(q, buf, 15, &prio));
	for (int i = 0; i < 3; i++) {
		long n = mq_receive(q, buf, sizeof(buf), &prio);
		printf("%.*s %u\n", (int)n, buf, prio);
	}
	SHOW(mq_timedreceive(q, buf, sizeof(buf), &prio, &past));
	attr.mq_flags = O_NONBLOCK;
	SHOW(mq_setattr(q, &attr, &got));
	SHOW(mq_receive(q, buf, sizeof(buf), &prio));
	poll(&p, 1, 0);
	printf("%x\n", p.revents);
	r = mq_open(NAME, O_RDONLY);
	SHOW(mq_send(r, "x", 1, 0));
	ev.sigev_value.sival_int = 11;
	sigaction(SIGUSR1, &sa, NULL);
	SHOW(mq_notify(q, &ev));
	fflush(stdout);
	if (!fork()) {
		SHOW(mq_notify(q, &ev));
		mq_send(q, "note", 4, 0);
		_exit(0);
	}
	while (wait(&st) < 0 && errno == EINTR)
		;
	printf("%d %d\n", code == SI_MESGQ, value);
	SHOW(mq_receive(q, buf, sizeof(buf), NULL));
	attr.mq_flags = 0;
	mq_setattr(q, &attr, NULL);
	if (!fork()) {
		usleep(50000);
		mq_send(q, "late", 4, 3);
		_exit(0);
	}
	SHOW(mq_receive(q, buf, sizeof(buf), &prio));
	wait(NULL);
	SHOW(mq_unlink(NAME));
	SHOW(mq_unlink(NAME));
	SHOW(mq_send(q, "alive", 5, 0));
	SHOW(mq_receive(q, buf, sizeof(buf), NULL));
	SHOW(mq_close(q));
	SHOW(mq_send(q, "x", 1, 0));
	SHOW(mq_getattr(0, &got));
	return 0;
}
