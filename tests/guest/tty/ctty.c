/* A session gets a controlling terminal, signals from its keys, and SIGHUP when it goes. */
#include "tests/guest/tty/util.h"
static volatile sig_atomic_t got[65];
static void h(int s)
{
	got[s]++;
}
static void wait_for(int s)
{
	for (int i = 0; i < 300 && !got[s]; i++)
		usleep(10000);
	printf("%s %d\n", sigabbrev_np(s), got[s] > 0);
	fflush(stdout);
}
int main(void)
{
	int m, s, st, v, p[2];
	char c;

	pair(&m, &s);
	pipe(p);
	fflush(stdout);
	if (!fork()) {
		close(m);
		SHOW(setsid() > 0);
		SHOW(open("/dev/tty", O_RDWR));
		SHOW(ioctl(s, TIOCSCTTY, 0));
		SHOW(ioctl(s, TIOCSCTTY, 0));
		SHOW_OK(v = open("/dev/tty", O_RDWR));
		CHECK(tcgetsid(s) == getsid(0) && tcgetpgrp(s) == getpgrp());
		CHECK(tcgetpgrp(v) == getpgrp());
		for (int i = 1; i < 32; i++)
			if (i != SIGCHLD && i != SIGKILL && i != SIGSTOP)
				signal(i, h);
		write(p[1], "x", 1);
		wait_for(SIGINT);
		wait_for(SIGQUIT);
		wait_for(SIGTSTP);
		wait_for(SIGWINCH);
		write(p[1], "x", 1);
		wait_for(SIGHUP);
		wait_for(SIGCONT);
		SHOW(read(s, &c, 1));
		SHOW(write(s, "x", 1));
		SHOW(open("/dev/tty", O_RDWR));
		_exit(3);
	}
	close(s);
	read(p[0], &c, 1);
	put(m, "\003");
	drain("^C", m);
	put(m, "\034");
	drain("^\\", m);
	put(m, "\032");
	drain("^Z", m);
	ioctl(m, TIOCSWINSZ, &(struct winsize){10, 20, 0, 0});
	read(p[0], &c, 1);
	close(m);
	wait(&st);
	printf("status %d\n", WEXITSTATUS(st));
	return 0;
}
