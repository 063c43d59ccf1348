/* What survives exec: ignored signals, the mask, pending signals, descriptors without close-on-exec; what
 * does not: handlers, close-on-exec descriptors, the alternate stack. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void handler(int s)
{
	(void)s;
}

int main(int argc, char **argv)
{
	struct sigaction sa;
	sigset_t set;
	stack_t ss;
	char name[17] = {0};

	if (argc == 1) {
		static char stack[16384];
		int a = dup2(1, 20), b = dup2(1, 21);

		fcntl(b, F_SETFD, FD_CLOEXEC);
		(void)a;
		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, handler);
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGTERM);
		ss.ss_sp = stack;
		ss.ss_size = sizeof(stack);
		ss.ss_flags = 0;
		sigaltstack(&ss, NULL);
		prctl(PR_SET_NAME, "before", 0, 0, 0);
		execl("/proc/self/exe", "after", "x", NULL);
		return 1;
	}
	sigaction(SIGUSR1, NULL, &sa);
	printf("USR1 ignored %d\n", sa.sa_handler == SIG_IGN);
	sigaction(SIGUSR2, NULL, &sa);
	printf("USR2 default %d\n", sa.sa_handler == SIG_DFL);
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("TERM blocked %d INT blocked %d\n", sigismember(&set, SIGTERM), sigismember(&set, SIGINT));
	sigpending(&set);
	printf("TERM pending %d\n", sigismember(&set, SIGTERM));
	sigaltstack(NULL, &ss);
	printf("altstack disabled %d\n", ss.ss_flags == SS_DISABLE);
	printf("fd 20 %d fd 21 %s\n", fcntl(20, F_GETFD), fcntl(21, F_GETFD) < 0 ? strerror(errno) : "open");
	prctl(PR_GET_NAME, name, 0, 0, 0);
	printf("argv0 %s, name has changed %d\n", argv[0], strcmp(name, "before") != 0);
	return 0;
}
