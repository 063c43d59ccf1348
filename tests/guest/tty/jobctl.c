/* Background groups: SIGTTIN, SIGTTOU, tcsetpgrp, orphans. */
#include "tests/guest/tty/util.h"
static void report(int pid)
{
	int st;

	waitpid(pid, &st, WUNTRACED);
	if (WIFSTOPPED(st))
		printf("stopped by %s\n", sigabbrev_np(WSTOPSIG(st)));
	else if (WIFEXITED(st))
		printf("exited %d\n", WEXITSTATUS(st));
	else
		printf("killed by %s\n", sigabbrev_np(WTERMSIG(st)));
	fflush(stdout);
}
static int session(int s)
{
	struct termios t;
	char buf[16];
	int pid;

	setsid();
	ioctl(s, TIOCSCTTY, 0);
	/* a reader in the background stops; in the foreground it reads */
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		_exit(read(s, buf, 16) == 3 ? 7 : 8);
	}
	setpgid(pid, pid);
	report(pid);
	SHOW(tcsetpgrp(s, pid));
	kill(-pid, SIGCONT);
	report(pid);
	signal(SIGTTOU, SIG_IGN);
	SHOW(tcsetpgrp(s, getpgrp()));
	signal(SIGTTOU, SIG_DFL);
	/* settings from the background stop, writing only with TOSTOP */
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		if (write(s, "w", 1) != 1)
			_exit(1);
		tcgetattr(s, &t);
		tcsetattr(s, TCSANOW, &t);
		_exit(5);
	}
	setpgid(pid, pid);
	report(pid);
	kill(pid, SIGKILL);
	report(pid);
	tcgetattr(s, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(s, TCSANOW, &t);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		write(s, "w", 1);
		_exit(5);
	}
	setpgid(pid, pid);
	report(pid);
	kill(pid, SIGKILL);
	report(pid);
	/* ignored: SIGTTIN gives EIO, SIGTTOU goes through */
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		signal(SIGTTIN, SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
		SHOW(read(s, buf, 16));
		SHOW(write(s, "w", 1));
		_exit(0);
	}
	setpgid(pid, pid);
	report(pid);
	SHOW(tcsetpgrp(s, 1 << 28));
	SHOW(tcsetpgrp(s, -1));
	SHOW(tcsetpgrp(open("/dev/null", O_RDWR), getpgrp()));
	return 0;
}
int main(void)
{
	int m, s, pid;

	pair(&m, &s);
	put(m, "ab\n");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(session(s));
	report(pid);
	return 0;
}
