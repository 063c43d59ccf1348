/* F_SETLKW: waits, is interrupted, finds a deadlock. */
#include "fs.h"
#include <time.h>

static int lk(int f, int cmd, int type, off_t start, off_t len)
{
	struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(f, cmd, &l);
}
static void nap(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}
static void on_alarm(int signo)
{
	(void)signo;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	int fd, p[2], status;
	char c;
	pid_t pid;

	fs_enter();
	fs_make("f", "0123456789");
	fd = open("f", O_RDWR);
	pipe(p);
	T(lk(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = fork();
	if (!pid) {
		write(p[1], "x", 1);
		T(lk(fd, F_SETLKW, F_WRLCK, 0, 1));
		printf("child has it\n");
		_exit(0);
	}
	read(p[0], &c, 1);
	nap(100);
	printf("parent lets go\n");
	lk(fd, F_SETLK, F_UNLCK, 0, 1);
	waitpid(pid, &status, 0);
	/* a holder that dies */
	pid = fork();
	if (!pid) {
		lk(fd, F_SETLK, F_WRLCK, 0, 1);
		write(p[1], "x", 1);
		nap(100);
		_exit(0);
	}
	read(p[0], &c, 1);
	T(lk(fd, F_SETLK, F_WRLCK, 0, 1));
	T(lk(fd, F_SETLKW, F_WRLCK, 0, 1));
	waitpid(pid, &status, 0);
	/* interrupted */
	sigaction(SIGALRM, &sa, NULL);
	lk(fd, F_SETLK, F_UNLCK, 0, 0);
	pid = fork();
	if (!pid) {
		lk(fd, F_SETLK, F_WRLCK, 0, 1);
		write(p[1], "x", 1);
		pause();
		_exit(0);
	}
	read(p[0], &c, 1);
	alarm(1);
	T(lk(fd, F_SETLKW, F_WRLCK, 0, 1));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* deadlock: each holds one and wants the other */
	T(lk(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = fork();
	if (!pid) {
		lk(fd, F_SETLK, F_WRLCK, 1, 1);
		write(p[1], "x", 1);
		_exit(lk(fd, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 7 : 8);
	}
	read(p[0], &c, 1);
	nap(200);
	T(lk(fd, F_SETLKW, F_WRLCK, 1, 1));
	T(lk(fd, F_SETLK, F_UNLCK, 0, 0));
	waitpid(pid, &status, 0);
	printf("child %i\n", WEXITSTATUS(status));
	return 0;
}
