/* Interrupted calls: EINTR without SA_RESTART, restart with it; calls that never restart. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int got;
static void on(int s)
{
	(void)s;
	got++;
}

static void arm(int ms, int again)
{
	/* again: should the first expiry come before the call */
	struct itimerval it = {{0, again ? 300000 : 0}, {0, ms * 1000}};

	setitimer(ITIMER_REAL, &it, NULL);
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on};
	struct timespec ts = {0, 200000000}, rem = {0, 0};
	int fds[2], r;
	char c;
	pid_t pid;

	pipe(fds);
	sigaction(SIGALRM, &sa, NULL);
	arm(30, 1);
	r = (int)read(fds[0], &c, 1);
	printf("read: %d %s\n", r, strerror(errno));
	arm(30, 0);
	r = nanosleep(&ts, &rem);
	printf("nanosleep: %d %s rest %d\n", r, strerror(errno), rem.tv_nsec > 50000000);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	pid = fork();
	if (!pid) {
		usleep(120000);
		write(fds[1], "x", 1);
		_exit(0);
	}
	arm(30, 0);
	got = 0;
	r = (int)read(fds[0], &c, 1);
	printf("restarted read: %d handler %d\n", r, got);
	wait(NULL);
	pid = fork();
	if (!pid) {
		usleep(100000);
		_exit(3);
	}
	arm(30, 0);
	got = 0;
	r = waitpid(pid, NULL, 0);
	printf("restarted wait: %d handler %d\n", r == pid, got);
	arm(30, 1);
	r = poll(NULL, 0, 2000);
	printf("poll: %d %s\n", r, strerror(errno));
	arm(30, 1);
	r = pause();
	printf("pause: %d %s\n", r, strerror(errno));
	arm(0, 0);
	/* a stop and a continuation are not seen by a sleeping read or nanosleep */
	pid = fork();
	if (!pid) {
		ts = (struct timespec){0, 150000000};
		r = nanosleep(&ts, NULL);
		_exit(r ? errno : 0);
	}
	usleep(30000);
	kill(pid, SIGSTOP);
	usleep(30000);
	kill(pid, SIGCONT);
	waitpid(pid, &r, 0);
	printf("nanosleep over a stop: %d\n", WEXITSTATUS(r));
	return 0;
}
